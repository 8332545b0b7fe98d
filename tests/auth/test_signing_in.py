"""signIn: address and password become a session."""

import time
from datetime import datetime, timedelta

import pytest

from app.core.errors import AppError, Code
from app.core.passwords import PasswordHasher
from tests.fixtures.accounts import asks_who_it_is, code_of, registers, signs_in
from tests.fixtures.client import ApiClient
from tests.fixtures.people import PASSWORD
from tests.fixtures.settings import KEYS

ALICE = "alice@example.com"
WRONG = "sea otters let go"
REFUSED = (401, "invalid_credentials")
NEW_PEPPER = "k2:" + "cGVwcGVyLXBlcHBlci1wZXBwZXItcGVwcGVyLTMyISE="
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


def test_the_right_password_opens_a_session(anonymous, alice, parts):
    response = signs_in(anonymous, ALICE, device="a tablet")
    assert response.status_code == 200
    signed_in = response.json
    assert (signed_in["status"], signed_in["token_type"], signed_in["expires_in"]) == (
        "signed_in",
        "Bearer",
        600,
    )
    assert signed_in["refresh_token"].startswith("hfr1.k1.")
    assert signed_in["device_token"].startswith("hfd1.k1.")
    assert signed_in["user"] == alice.get("/me").json
    proved_until = datetime.fromisoformat(signed_in["step_up_until"]) - parts.clock.now()
    assert timedelta(minutes=14, seconds=50) < proved_until <= timedelta(minutes=15)
    assert response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response.headers
    assert asks_who_it_is(anonymous, signed_in["access_token"]).json["id"] == str(alice.user.id)


def test_a_password_does_not_grow_old(anonymous, alice, advance):
    advance(days=5 * 365)
    assert signs_in(anonymous, ALICE).status_code == 200


def test_trail_and_events_tell_of_it(anonymous, alice, sql):
    sql("DELETE FROM audit_events; DELETE FROM events")
    known = signs_in(anonymous, ALICE).json["device_token"]
    signs_in(anonymous, ALICE, WRONG)
    signs_in(anonymous, ALICE, device_token=known)
    assert sql("SELECT kind, user_id::text, ip FROM audit_events ORDER BY created_at") == [
        ("sign_in.succeeded", str(alice.user.id), "127.0.0.0"),
        ("sign_in.new_device", str(alice.user.id), "127.0.0.0"),
        ("sign_in.failed", str(alice.user.id), "127.0.0.0"),
        ("sign_in.succeeded", str(alice.user.id), "127.0.0.0"),
    ]
    assert sql("SELECT kind FROM events") == [("user.signed_in",)] * 2


def test_sec_26_each_sign_in_is_a_session_of_its_own(anonymous, alice):
    first, second = signs_in(anonymous, ALICE).json, signs_in(anonymous, ALICE).json
    assert first["session_id"] != second["session_id"]
    assert first["refresh_token"] != second["refresh_token"]


def test_a_device_without_a_name_is_called_by_its_user_agent(anonymous, alice):
    assert signs_in(anonymous, ALICE, device="Alice's phone").status_code == 200
    assert signs_in(anonymous, ALICE, headers=FIREFOX).status_code == 200
    names = [each["device_name"] for each in alice.get("/auth/sessions").json["items"]]
    assert names[:2] == ["Firefox 140 on Linux", "Alice's phone"]


@pytest.mark.parametrize(
    "password", [WRONG, PASSWORD.upper(), PASSWORD + " ", " " + PASSWORD, PASSWORD[:-1], "\u0000x"]
)
def test_any_other_password_is_refused(anonymous, alice, password):
    assert code_of(signs_in(anonymous, ALICE, password)) in {REFUSED, (422, "validation_failed")}


def test_a_suspended_account_is_told_so_after_the_right_password_only(anonymous, alice, sql):
    sql("UPDATE users SET status = 'suspended'")
    assert code_of(signs_in(anonymous, ALICE, WRONG)) == REFUSED
    assert code_of(signs_in(anonymous, ALICE)) == (403, "account_suspended")
    assert sql("SELECT count(*) FROM sessions") == [(1,)]


def test_an_unproved_address_is_told_so_after_the_right_password_only(anonymous):
    registers(anonymous)
    assert code_of(signs_in(anonymous, "dana@example.com", WRONG)) == REFUSED
    assert code_of(signs_in(anonymous, "dana@example.com")) == (403, "email_not_verified")


def test_an_account_without_a_password_has_no_right_one(anonymous, alice, sql):
    sql("UPDATE users SET password_hash = NULL")
    for password in (PASSWORD, "", "None"):
        assert code_of(signs_in(anonymous, ALICE, password)) == REFUSED


@pytest.mark.parametrize("stored", ["", "plain", "hf1$k1$$2b$04$short", "hf1$gone$" + "$2b$04$" + "a" * 53])
def test_a_hash_that_cannot_be_read_refuses_everything(anonymous, alice, sql, stored):
    sql("UPDATE users SET password_hash = %s", (stored,))
    assert code_of(signs_in(anonymous, ALICE)) == REFUSED


def test_an_account_that_changed_while_its_password_was_checked_is_not_signed_in_to(
    anonymous, alice, sql, monkeypatch
):
    real = PasswordHasher.first_match

    def first_match(self, password, hashes):
        match = real(self, password, hashes)
        sql("UPDATE users SET password_hash = 'hf1$another'")
        return match

    monkeypatch.setattr(PasswordHasher, "first_match", first_match)
    assert code_of(signs_in(anonymous, ALICE)) == REFUSED
    assert sql("SELECT count(*) FROM sessions") == [(1,)]


def test_every_missing_or_wrong_field_is_named(anonymous):
    response = anonymous.post("/auth/login", json={"email": 1, "token_transport": "pigeon", "remember": True})
    assert code_of(response) == (422, "validation_failed")
    assert {fault["field"]: fault["code"] for fault in response.json["errors"]} == {
        "email": "wrong_type",
        "password": "required",
        "token_transport": "invalid_choice",
        "remember": "unknown_field",
    }


def test_sec_01_a_megabyte_is_refused_at_once_and_never_hashed(anonymous, alice, hashes):
    for size in (2_000, 900_000):
        started = time.thread_time()
        assert code_of(signs_in(anonymous, ALICE, "x" * size)) == (422, "validation_failed")
        assert time.thread_time() - started < 0.05
    assert hashes == []


def test_sec_03_a_hash_under_another_pepper_is_worth_nothing(make_app, alice):
    stranger = ApiClient(make_app(password_peppers=NEW_PEPPER))
    assert code_of(signs_in(stranger, ALICE)) == REFUSED


def test_sec_04_an_old_cost_is_brought_up_at_the_next_sign_in(make_app, alice, sql):
    client = ApiClient(make_app(bcrypt_cost=5))
    [(old, version)] = sql("SELECT password_hash, version FROM users")
    assert code_of(signs_in(client, ALICE, WRONG)) == REFUSED
    assert sql("SELECT password_hash FROM users") == [(old,)]
    assert signs_in(client, ALICE).status_code == 200
    [(new, same_version)] = sql("SELECT password_hash, version FROM users")
    assert old.startswith("hf1$k1$$2b$04$")
    assert new.startswith("hf1$k1$$2b$05$")
    assert version == same_version
    assert signs_in(client, ALICE).status_code == 200
    assert sql("SELECT password_hash FROM users") == [(new,)]


def test_sec_04_an_old_pepper_is_replaced_at_the_next_sign_in(make_app, alice, sql):
    client = ApiClient(make_app(password_peppers=f"{NEW_PEPPER},{KEYS['password_peppers']}"))
    assert signs_in(client, ALICE).status_code == 200
    assert sql("SELECT password_hash FROM users")[0][0].startswith("hf1$k2$$2b$04$")
    assert signs_in(ApiClient(make_app(password_peppers=NEW_PEPPER)), ALICE).status_code == 200
    assert sql("SELECT count(*) FROM audit_events WHERE kind = 'password.rehashed'") == [(1,)]


@pytest.mark.parametrize("error", [AppError(Code.overloaded, "busy"), RuntimeError("bcrypt broke")])
def test_sec_04_a_rehash_that_fails_does_not_fail_the_sign_in(make_app, alice, sql, monkeypatch, error):
    def fail(self, password):
        raise error

    client = ApiClient(make_app(bcrypt_cost=5))
    monkeypatch.setattr(PasswordHasher, "hash", fail)
    assert signs_in(client, ALICE).status_code == 200
    assert sql("SELECT password_hash FROM users")[0][0].startswith("hf1$k1$$2b$04$")


def test_sec_49_signing_in_works_while_redis_is_away(make_app, alice):
    client = ApiClient(make_app(redis_url="redis://127.0.0.1:1/0"))
    signed_in = signs_in(client, ALICE)
    assert signed_in.status_code == 200
    assert asks_who_it_is(client, signed_in.json["access_token"]).status_code == 200
