"""How a token is written: recognised by a scanner, refused at sight when mistyped."""

import re
import zlib

import pytest

from app.api_tokens.schemas import LONGEST
from app.api_tokens.tokens import DIGITS, PATTERN, digest_of, new_token
from tests.fixtures.accounts import asks_who_it_is, code_of


def number(text):
    found = 0
    for digit in text:
        found = found * 62 + DIGITS.index(digit)
    return found


def test_its_last_six_digits_are_the_crc_of_the_rest():
    """As docs/guide.md tells the writers of secret scanners."""
    for _ in range(200):
        token = new_token()
        assert re.fullmatch(PATTERN, token)
        assert len(token) == LONGEST == 52
        assert number(token[-6:]) == zlib.crc32(token[:-6].encode())


def test_it_holds_256_random_bits():
    numbers = [number(new_token()[3:-6]) for _ in range(400)]
    assert max(numbers) < 2**256
    assert len(set(numbers)) == 400
    for bit in (0, 1, 127, 254, 255):
        assert 100 < sum(each >> bit & 1 for each in numbers) < 300


def spoiled():
    token = new_token()
    other = next(digit for digit in DIGITS if digit != token[20])
    return {
        "one letter": token[:20] + other + token[21:],
        "two swapped": next(
            token[:at] + token[at + 1] + token[at] + token[at + 2 :]
            for at in range(5, 40)
            if token[at] != token[at + 1]
        ),
        "cut": token[:-1],
        "longer": token + "0",
        "another prefix": "hg_" + token[3:],
        "nothing but the prefix": "hf_",
        "signs": token[:20] + "-" + token[21:],
        "other digits": token[:20] + "\u0663" + token[21:],
        "a line": token + "\n",
    }


@pytest.mark.parametrize(("how", "text"), spoiled().items(), ids=list(spoiled()))
def test_a_mistyped_one_is_no_token(how, text):
    assert digest_of(text) is None, how


def test_a_mistyped_one_is_refused_without_a_query(anonymous, statements):
    asks_who_it_is(anonymous, new_token())
    for how in ("one letter", "cut", "longer", "nothing but the prefix"):
        with statements() as sent:
            answer = asks_who_it_is(anonymous, spoiled()[how])
        assert (code_of(answer), sent) == ((401, "token_invalid"), [])


def test_the_checksum_alone_opens_nothing(anonymous, alice):
    answer = asks_who_it_is(anonymous, new_token())
    assert code_of(answer) == (401, "token_invalid")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
