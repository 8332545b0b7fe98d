import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import FieldCode
from app.core.password_policy import PasswordPolicy, _folded, _reduced, common_passwords

ALICE = {"email": "alice.smith@mail.example.com", "display_name": "Alice Smith"}
POLICY = PasswordPolicy()
COMMON = sorted(common_passwords())


def codes(password, policy=POLICY, **person):
    return [str(fault.code) for fault in policy.faults(password, **(ALICE | person))]


@pytest.mark.parametrize(
    "password",
    [
        "kelp-grips-the-rock",
        "correct horse battery staple",
        "alice likes tea a lot",
        "\N{PILE OF POO}\N{BUG}\N{PEAR}\N{HOT BEVERAGE}" * 16,
        "   spaces at both ends   ",
        "пароль не из списка",
        "7#2!91$8q@4%x",
    ],
)
def test_sec_02_no_rule_of_composition(password):
    assert codes(password) == []


def test_sec_01_length_counts_code_points_after_nfc():
    assert codes("kelp grips!") == ["too_short"]
    assert codes("kelp grips!!") == []
    assert codes("cafe\u0301 noirs!!") == [], "13 code points typed, 12 kept"
    assert codes("cafe\u0301 noirs!") == ["too_short"]
    assert POLICY.faults("kelp grips!", **ALICE)[0].params == {"min": 12}
    assert codes("kelp grips the", PasswordPolicy(15)) == ["too_short"]
    assert codes("kelp grips the rock", PasswordPolicy(15)) == []


def test_sec_01_upper_bounds_in_code_points_and_bytes():
    words = "kelp grips the rock " * 10
    assert codes(words[:1] + words[2:129]) == []
    assert codes(words[:129]) == ["too_long"]
    assert POLICY.faults(words[:129], **ALICE)[0].params == {"max": 128}
    decomposed = (
        "\u1112\u1161\u11ab" * 120
    )  # Korean syllables in parts: 120 code points composed, 1,080 bytes typed
    assert POLICY.faults(decomposed, **ALICE)[0].params == {"max_bytes": 1024}
    begin = time.perf_counter()
    assert codes("x" * 1_000_000) == ["too_long"]
    assert time.perf_counter() - begin < 0.05


def test_sec_05_the_list_is_large_and_lower_case():
    assert len(COMMON) == 30_000
    assert all(word == word.lower() and word.isascii() for word in COMMON)


@pytest.mark.parametrize(
    "password",
    [
        "sonyericsson",
        "password1234!",
        "PassWord1234!",
        "!!!password!!!",
        "00password00",
        "P4$$w0rd2024!!",
        "p@ssw0rdp@ssw0rd",
        "l3tm31n!l3tm31n!",
        "qwertyqwerty",
        "qwerty qwerty qwerty",
        "password-password",
        "passwordpass",
        "passwordddddddd",
        "123456789012",
        "aaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "!!!!!!!!!!!!",
        "кит-кит-кит-кит",
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44 2024",
        "pässwörd2024",
    ],
)
def test_sec_05_common_passwords_in_their_usual_dress(password):
    assert codes(password) == ["password_too_common"]


@pytest.mark.parametrize(
    "password",
    [
        "holdfast2024!",
        "H0ldf4st!!!!!",
        "Holdfast Holdfast",
        "alice12345678",
        "alice.smith!!",
        "AliceSmith2024",
        "smith-alice-99",
        "àlicé smith 99",
        "example.com99",
        "holdfast-alice",
        "alicepassword1",
    ],
)
def test_sec_05_context_words_in_their_usual_dress(password):
    assert codes(password) == ["password_contains_context"]


def test_sec_05_words_of_other_people_and_short_parts_are_no_reason():
    assert codes("alice12345678", email="bob@example.com", display_name="Bob") == []
    assert codes("bob123456789", email="bob@example.com", display_name="") == ["password_contains_context"]
    assert codes("kelp grips an ox", email="ox@ox.example", display_name="Al Ox") == []


@pytest.mark.parametrize("display_name", ["", " ", "...", "((((", "a|b[", "\N{PILE OF POO}", "山田 太郎"])
def test_odd_names_are_plain_text(display_name):
    assert codes("kelp-grips-the-rock", display_name=display_name, email="") == []


def test_too_short_and_too_common_are_both_told():
    assert codes("password") == ["too_short", "password_too_common"]


@given(st.text(max_size=200), st.text(max_size=40), st.text(max_size=40))
def test_any_text_gets_an_answer_in_the_closed_list(password, email, name):
    for fault in POLICY.faults(password, email=email, display_name=name):
        assert isinstance(fault.code, FieldCode)
        assert password not in fault.detail or len(password) < 30


@given(
    st.sampled_from(COMMON),
    st.sampled_from(["", "1", "!", "123", "2024!"]),
    st.text("0123456789!?.-#", min_size=9, max_size=20),
)
def test_sec_05_decorated_common_words_stay_common(word, before, after):
    if word[0].isalpha() and word[-1].isalpha():
        for dressed in (word, word.upper(), word.title()):
            assert codes(before + dressed + after)[-1] == "password_too_common"


@given(st.sampled_from(COMMON), st.integers(2, 4))
def test_sec_05_repeated_common_words_stay_common(word, times):
    if len(word) * times <= 128:
        assert codes(word * times)[-1] == "password_too_common"


@given(st.binary(min_size=16, max_size=64))
def test_sec_05_what_a_password_manager_makes_is_welcome(random):
    dressed = "K" + random.hex() + "vXz9Q"
    assert codes(dressed) in ([], ["too_long"])


@pytest.mark.parametrize("part", ["4@l1c3 ", "1", "14", "a1", "@1", "l1", "4!|$", "1234"])
def test_no_password_comes_down_to_very_many_others(part):
    """Each is looked up and compared: their number is what a check costs, and it grows with the length at most."""
    shorter, longest = (_reduced(_folded((part * length)[:length])) for length in (64, 128))
    assert len(longest) <= 2 * len(shorter) + 8 <= 200


@pytest.mark.parametrize("length", [7, 129])
def test_the_floor_of_the_setting_is_eight(length):
    with pytest.raises(ValueError):
        PasswordPolicy(length)
