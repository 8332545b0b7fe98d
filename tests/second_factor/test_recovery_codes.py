"""SEC-33: ten codes for the day when the phone is gone; each counts once."""

import base64
import hashlib

import pytest

from tests.fixtures.accounts import code_of
from tests.fixtures.client import ApiClient
from tests.fixtures.factors import begins, completes, steps_up

REFUSED = (401, "invalid_code")


@pytest.fixture
def phone(alice, enrols):
    return enrols(alice)


def tries(client, email, code):
    return code_of(completes(client, begins(client, email), code, "recovery_code"))


def test_sec_33_each_code_counts_once(anonymous, alice, phone):
    first, second = phone.recovery_codes[:2]
    assert tries(anonymous, alice.email, first) == (200, None)
    assert tries(anonymous, alice.email, first) == REFUSED
    assert tries(anonymous, alice.email, second) == (200, None)
    assert alice.get("/me/mfa").json["recovery_codes_left"] == 8


def test_sec_33_twenty_at_once_with_one_code(make_app, alice, phone, at_once):
    app = make_app(rate_limit_factor=1_000)
    code, tokens = phone.recovery_codes[0], [begins(ApiClient(app), alice.email) for _ in range(20)]
    answers = at_once(
        20, lambda number: code_of(completes(ApiClient(app), tokens[number], code, "recovery_code"))
    )
    assert answers.count((200, None)) == 1
    assert answers.count(REFUSED) == 19


def test_sec_33_the_table_holds_digests_alone(phone, sql):
    dump = repr(sql("SELECT t::text FROM recovery_codes t"))
    stored = {bytes(digest) for (digest,) in sql("SELECT digest FROM recovery_codes")}
    raw = [base64.b32decode(code.replace("-", "")) for code in phone.recovery_codes]
    assert stored == {hashlib.sha256(each).digest() for each in raw}
    assert all(len(each) == 15 for each in raw)
    for code, each in zip(phone.recovery_codes, raw, strict=True):
        assert code not in dump
        assert each.hex() not in dump


def test_sec_33_new_ones_void_all_older_ones(anonymous, alice, phone):
    made = alice.post("/me/mfa/recovery-codes")
    assert made.status_code == 200
    assert not set(made.json["recovery_codes"]) & set(phone.recovery_codes)
    assert tries(anonymous, alice.email, phone.recovery_codes[3]) == REFUSED
    assert tries(anonymous, alice.email, made.json["recovery_codes"][3]) == (200, None)


def test_without_a_second_factor_there_is_nothing_to_recover(alice):
    assert code_of(alice.post("/me/mfa/recovery-codes")) == (403, "mfa_enrolment_required")


@pytest.mark.parametrize(
    "spell", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code.replace('-', ' ')} "]
)
def test_how_a_code_is_typed_does_not_matter(anonymous, alice, phone, spell):
    assert tries(anonymous, alice.email, spell(phone.recovery_codes[0])) == (200, None)


def test_a_code_of_somebody_else_is_worth_nothing(anonymous, alice, bob, phone, enrols):
    others = enrols(bob)
    assert tries(anonymous, alice.email, others.recovery_codes[0]) == REFUSED
    assert tries(anonymous, bob.email, others.recovery_codes[0]) == (200, None)


def test_when_none_is_left_it_is_no_method_any_more(anonymous, alice, phone, sql):
    sql("UPDATE recovery_codes SET used_at = created_at")
    assert alice.get("/me/mfa").json["methods"] == ["totp"]
    refused = steps_up(alice, "recovery_code", code=phone.recovery_codes[0])
    assert code_of(refused) == (422, "validation_failed")


def test_sec_33_the_owner_is_told_when_one_is_used(anonymous, alice, phone, letters):
    tries(anonymous, alice.email, phone.recovery_codes[0])
    alice.post("/me/mfa/recovery-codes")
    subjects = [mail.subject for mail in letters(alice.email)]
    assert "A Holdfast recovery code was used" in subjects
    assert "New Holdfast recovery codes" in subjects


def test_sec_33_a_code_is_not_used_up_by_a_sign_in_that_did_not_happen(anonymous, alice, phone, sql):
    """Nothing half-done: the account was suspended between the two steps."""
    token = begins(anonymous, alice.email)
    sql("UPDATE users SET status = 'suspended'")
    refused = completes(anonymous, token, phone.recovery_codes[0], "recovery_code")
    assert code_of(refused) == (401, "mfa_token_invalid")
    assert sql("SELECT count(*) FROM recovery_codes WHERE used_at IS NOT NULL") == [(0,)]
