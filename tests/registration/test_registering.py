"""register: asking for an account."""

import re

import bcrypt
import pytest

from tests.fixtures.accounts import (
    DANA,
    becomes_a_user,
    code_of,
    registers,
    registers_and_reads_mail,
    signs_in,
    verifies,
)


@pytest.fixture
def hashed(monkeypatch):
    """What bcrypt was given."""
    seen = []
    for name in ("hashpw", "checkpw"):
        real = getattr(bcrypt, name)
        monkeypatch.setattr(
            bcrypt, name, lambda digest, *rest, do=real: (seen.append(digest), do(digest, *rest))[1]
        )
    return seen


def faults_of(response):
    assert code_of(response) == (422, "validation_failed")
    return {fault["field"]: fault["code"] for fault in response.json["errors"]}


def test_the_answer_says_that_the_address_must_be_proved(anonymous, sql):
    response = registers(anonymous)
    assert response.status_code == 202
    assert response.json == {"status": "verification_required", "email": DANA, "resend_after": 60}
    assert response.headers["Cache-Control"] == "no-store"
    assert sql("SELECT count(*) FROM users") == [(0,)]


def test_a_mail_brings_a_link_and_a_code(anonymous, letters):
    mail = registers_and_reads_mail(anonymous, letters)
    assert re.fullmatch(r"\d{6}", mail.code)
    assert mail.link == f"http://localhost:8000/verify-email#token={mail.token}"
    assert (mail.to, mail.kind) == (DANA, "verify_email")
    assert mail.code in mail.text
    assert mail.link in mail.text


def test_links_are_never_built_from_the_host_header_sec_34(anonymous, letters):
    registers(anonymous, headers={"Host": "localhost:1234", "X-Forwarded-Host": "evil.example"})
    assert letters(DANA)[0].link.startswith("http://localhost:8000/verify-email#token=")


def test_events_and_trail_say_what_was_asked_for(anonymous, sql):
    registers(anonymous)
    assert sql("SELECT kind FROM events") == [("registration.requested",)]
    assert sql("SELECT kind, user_id, ip FROM audit_events") == [
        ("registration.requested", None, "127.0.0.0")
    ]


def test_every_missing_or_wrong_field_is_named(anonymous):
    body = {"email": "nobody", "display_name": " ", "nickname": "D"}
    assert faults_of(anonymous.post("/auth/register", json=body)) == {
        "email": "invalid_format",
        "password": "required",
        "display_name": "too_short",
        "nickname": "unknown_field",
    }


@pytest.mark.parametrize(
    ("email", "code"),
    [
        ("a@localhost", "invalid_format"),
        ("a b@example.com", "invalid_format"),
        ("@example.com", "invalid_format"),
        ("a@example.com\nBcc: b@example.com", "invalid_format"),
        ("a" * 243 + "@example.com", "too_long"),
        (None, "null_not_allowed"),
        (7, "wrong_type"),
    ],
)
def test_what_is_no_address_is_refused(anonymous, email, code):
    assert faults_of(registers(anonymous, email=email)) == {"email": code}


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("elf tufts oz", None),
        ("elf tufts o", "too_short"),
        ("ü" * 5 + "xkcd wq", None),
        ("elf tufts of grass " * 7, "too_long"),
    ],
)
def test_sec_01_length_counts_in_code_points(anonymous, password, code):
    response = registers(anonymous, password=password)
    if code is None:
        assert response.status_code == 202
    else:
        assert faults_of(response) == {"password": code}


def test_sec_01_64_emoji_register_and_sign_in(anonymous, letters):
    password = "".join(chr(0x1F300 + number) for number in range(64))
    assert len(password.encode()) == 256
    becomes_a_user(anonymous, letters, password=password)
    assert signs_in(anonymous, DANA, password).status_code == 200


def test_sec_01_129_code_points_are_too_long_and_128_are_not(anonymous):
    longest = "".join(chr(0x4E00 + number) for number in range(128))
    assert registers(anonymous, password=longest).status_code == 202
    assert faults_of(registers(anonymous, password=longest + "x")) == {"password": "too_long"}


def test_sec_01_a_megabyte_is_refused_at_once_and_never_hashed(anonymous, hashed):
    for size in (900_000, 1_100_000):
        response = registers(anonymous, password="x" * size)
        assert response.status_code in {413, 422}
    assert hashed == []


@pytest.mark.parametrize(
    "password",
    [
        "onlylettersandnothing",
        "            tea",
        "Füße auf Kies 🌊🌊",
        "SHOUTING AT THE SEA",
        "ﬁrst light fog",
    ],
)
def test_sec_02_no_composition_rules_and_nothing_is_changed(anonymous, letters, password):
    becomes_a_user(anonymous, letters, password=password)
    assert signs_in(anonymous, DANA, password).status_code == 200
    assert signs_in(anonymous, DANA, password.swapcase()).status_code == 401
    assert signs_in(anonymous, DANA, password + " ").status_code == 401


def test_sec_02_the_last_of_a_hundred_characters_counts(anonymous, letters):
    start = "".join(chr(0x61 + number * 7 % 26) for number in range(99))
    becomes_a_user(anonymous, letters, password=start + "x")
    assert signs_in(anonymous, DANA, start + "y").status_code == 401
    assert signs_in(anonymous, DANA, start + "x").status_code == 200


def test_sec_02_two_spellings_of_one_accent_are_one_password(anonymous, letters):
    becomes_a_user(anonymous, letters, password="caf\u00e9 on the pier")
    assert signs_in(anonymous, DANA, "cafe\u0301 on the pier").status_code == 200


def test_sec_03_the_stored_hash_tells_scheme_pepper_and_cost(anonymous, sql, hashed):
    registers(anonymous)
    [(stored,)] = sql("SELECT password_hash FROM registrations")
    assert re.fullmatch(r"hf1\$k1\$\$2b\$04\$[./A-Za-z0-9]{53}", stored)
    assert [len(digest) for digest in hashed] == [64]


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("qwertyuiop123", "password_too_common"),
        ("password1234!", "password_too_common"),
        ("qwertyqwerty", "password_too_common"),
        ("aaaaaaaaaaaaaa", "password_too_common"),
        ("holdfast-2026", "password_contains_context"),
        ("Dana-Marie-99!", "password_contains_context"),
        ("dmk.1234567890", "password_contains_context"),
    ],
)
def test_sec_05_a_guessable_password_is_refused_with_the_reason(anonymous, password, code, hashed):
    response = registers(anonymous, email="dmk@example.com", password=password, name="Dana Marie")
    assert faults_of(response) == {"password": code}
    assert hashed == []


def test_the_account_keeps_the_spelling_of_its_address(anonymous, letters):
    response = registers(anonymous, email=" Dana.K@Example.com ")
    assert response.json["email"] == "Dana.K@Example.com"
    user = verifies(anonymous, token=letters()[0].token).json["user"]
    assert user["email"] == "Dana.K@Example.com"
    assert signs_in(anonymous, "dana.k@EXAMPLE.com").status_code == 200
