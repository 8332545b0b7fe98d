"""SEC-30: a code is good for its 30 seconds and one step beside, and once only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.second_factor.codes import matching_steps, recovery_digest
from tests.fixtures.accounts import code_of
from tests.fixtures.client import ApiClient
from tests.fixtures.factors import begins, completes

REFUSED = (401, "invalid_code")
SECRET = b"12345678901234567890"


@pytest.fixture
def phone(alice, enrols):
    return enrols(alice)


def tries(client, email, code, method="totp"):
    """A whole second step with one code."""
    return code_of(completes(client, begins(client, email), code, method))


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_sec_30_the_codes_are_those_of_rfc_6238(seconds, code):
    """Appendix B, its last six digits of eight."""
    assert matching_steps(SECRET, code, seconds) == [seconds // 30]


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_sec_30_the_window_is_one_step_to_each_side(anonymous, alice, phone, advance, steps, good):
    advance(seconds=60)
    answer = tries(anonymous, alice.email, phone.code(steps))
    assert answer == ((200, None) if good else REFUSED)


def test_sec_30_the_same_code_twice(anonymous, alice, phone):
    code = phone.code()
    assert tries(anonymous, alice.email, code) == (200, None)
    assert tries(anonymous, alice.email, code) == REFUSED


def test_sec_30_a_then_b_then_a(anonymous, alice, phone, advance):
    advance(seconds=30)
    a, b = phone.code(0), phone.code(1)
    assert [tries(anonymous, alice.email, code) for code in (a, b, a)] == [(200, None), (200, None), REFUSED]


def test_sec_30_an_older_code_after_a_newer_one(anonymous, alice, phone, advance):
    advance(seconds=60)
    assert tries(anonymous, alice.email, phone.code(0)) == (200, None)
    assert tries(anonymous, alice.email, phone.code(-1)) == REFUSED


def test_sec_30_the_confirming_code_is_used_up(anonymous, alice, phone, advance):
    assert tries(anonymous, alice.email, phone.code(-1)) == REFUSED


def test_sec_30_twenty_at_once_with_one_code(make_app, alice, phone, at_once):
    app = make_app(rate_limit_factor=1_000)
    code, tokens = phone.code(), [begins(ApiClient(app), alice.email) for _ in range(20)]
    answers = at_once(20, lambda number: code_of(completes(ApiClient(app), tokens[number], code)))
    assert answers.count((200, None)) == 1
    assert answers.count(REFUSED) == 19


def test_white_space_in_a_code_does_not_count(anonymous, alice, phone):
    code = phone.code()
    assert tries(anonymous, alice.email, f" {code[:3]} {code[3:]} ") == (200, None)


@pytest.mark.parametrize(
    "code",
    [
        "12345",
        "1234567",
        "abcdef",
        "\uff11\uff12\uff13\uff14\uff15\uff16",
        "-12345",
        "12345.",
        "0x1234",
        "1e1000",
    ],
)
def test_what_is_no_code_is_a_wrong_one(anonymous, alice, phone, code):
    assert tries(anonymous, alice.email, code) == REFUSED


@given(st.text(max_size=100), st.integers(0, 2**40))
def test_sec_30_no_text_breaks_the_reader(text, seconds):
    """Whatever it is, it matches three steps at most, all beside now."""
    steps = matching_steps(SECRET, text, seconds)
    assert all(abs(step - seconds // 30) <= 1 for step in steps)


@given(st.text(max_size=100))
def test_sec_33_no_text_breaks_the_reader_of_recovery_codes(text):
    digest = recovery_digest(text)
    assert digest is None or len(digest) == 32
