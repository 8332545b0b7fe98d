"""Passkeys are listed, renamed and deleted by whose they are; an account keeps the factor it needs."""

import pytest

from tests.fixtures.accounts import code_of, refreshes
from tests.fixtures.contract import AN_ID
from tests.fixtures.passkeys import adds, asks_to_sign_in, has_passkey, sends_proof, signs_in_with


def ids_of(person):
    return [each["id"] for each in person.get("/me/passkeys").json["items"]]


def test_the_newest_comes_first(alice):
    for name in ("Phone", "Key"):
        has_passkey(alice)
        alice.patch(f"/me/passkeys/{ids_of(alice)[0]}", json={"name": name})
    page = alice.get("/me/passkeys").json
    assert [each["name"] for each in page["items"]] == ["Key", "Phone"]
    assert (page["next_cursor"], page["has_more"]) == (None, False)


def test_alice_renames_hers(alice, sql):
    has_passkey(alice)
    [passkey] = ids_of(alice)
    renamed = alice.patch(f"/me/passkeys/{passkey}", json={"name": " Phone "})
    assert (renamed.status_code, renamed.json["name"]) == (200, "Phone")
    assert alice.get("/me/passkeys").json["items"] == [renamed.json]
    assert sql("SELECT data FROM audit_events WHERE kind = 'passkey.renamed'") == [({"passkey_id": passkey},)]


def test_the_same_name_again_is_no_event(alice, sql):
    has_passkey(alice)
    [passkey] = ids_of(alice)
    for _ in range(2):
        assert alice.patch(f"/me/passkeys/{passkey}", json={"name": "Phone"}).status_code == 200
    assert len(sql("SELECT 1 FROM audit_events WHERE kind = 'passkey.renamed'")) == 1


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": None}, {"name": "x" * 101}, {"name": "a\u0000b"}]
)
def test_names_have_rules(alice, body):
    has_passkey(alice)
    answer = alice.patch(f"/me/passkeys/{ids_of(alice)[0]}", json=body)
    assert code_of(answer) == (422, "validation_failed")
    assert {fault["field"] for fault in answer.json["errors"]} == {"name"}


def test_sec_39_those_of_others_do_not_exist(alice, bob):
    for person in (alice, bob):
        has_passkey(person)
    [hers] = ids_of(alice)
    for answer in (
        bob.patch(f"/me/passkeys/{hers}", json={"name": "Mine"}),
        bob.delete(f"/me/passkeys/{hers}"),
    ):
        missing = bob.delete(f"/me/passkeys/{AN_ID}")
        assert code_of(answer) == (404, "not_found")
        assert {**answer.json, "request_id": ""} == {**missing.json, "request_id": ""}
    assert ids_of(alice) == [hers]


def test_deleting_the_last_one_turns_the_second_factor_off(alice, letters, sql):
    authenticator = has_passkey(alice)
    [passkey] = ids_of(alice)
    assert alice.delete(f"/me/passkeys/{passkey}").status_code == 204
    assert ids_of(alice) == []
    assert alice.get("/me").json["mfa_enabled"] is False
    assert letters(alice.email)[0].subject == "A passkey was removed from Holdfast"
    assert sql("SELECT data FROM audit_events WHERE kind = 'passkey.deleted'") == [({"passkey_id": passkey},)]
    assert code_of(signs_in_with(alice.app, authenticator)) == (401, "invalid_credentials")


def test_recovery_codes_go_with_the_last_one(alice, sql):
    has_passkey(alice)
    assert alice.post("/me/mfa/recovery-codes").status_code == 200
    assert alice.delete(f"/me/passkeys/{ids_of(alice)[0]}").status_code == 204
    assert sql("SELECT 1 FROM recovery_codes") == []


def test_deleting_one_of_two_keeps_it_on(alice):
    has_passkey(alice)
    kept = has_passkey(alice)
    assert alice.delete(f"/me/passkeys/{ids_of(alice)[1]}").status_code == 204
    assert alice.get("/me").json["mfa_enabled"] is True
    assert signs_in_with(alice.app, kept).status_code == 200


def test_deleting_twice_is_not_found(alice):
    has_passkey(alice)
    [passkey] = ids_of(alice)
    answers = [alice.delete(f"/me/passkeys/{passkey}") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 404]


def test_two_that_are_deleted_at_once_are_both_gone_and_the_factor_is_off(alice, at_once):
    has_passkey(alice)
    has_passkey(alice)
    passkeys = ids_of(alice)
    answers = at_once(2, lambda number: alice.delete(f"/me/passkeys/{passkeys[number]}"))
    assert [answer.status_code for answer in answers] == [204, 204]
    assert alice.get("/me").json["mfa_enabled"] is False


@pytest.fixture
def keeper(ada, sql):
    """Ada with passkeys alone: one so far."""
    has_passkey(ada)
    sql("DELETE FROM totp_factors WHERE user_id = %s", (str(ada.user.id),))
    return ada


def test_an_administrator_keeps_the_last_factor(keeper, sql):
    ada = keeper
    [passkey] = ids_of(ada)
    assert code_of(ada.delete(f"/me/passkeys/{passkey}")) == (403, "mfa_enrolment_required")
    assert ids_of(ada) == [passkey]
    assert sql("SELECT 1 FROM audit_events WHERE kind = 'passkey.deleted'") == []
    has_passkey(ada)
    assert ada.delete(f"/me/passkeys/{passkey}").status_code == 204


def test_of_two_an_administrator_deletes_one_however_many_ask_at_once(keeper, at_once):
    ada = keeper
    has_passkey(ada)
    passkeys = ids_of(ada)
    answers = at_once(2, lambda number: ada.delete(f"/me/passkeys/{passkeys[number]}"))
    assert sorted(answer.status_code for answer in answers) == [204, 403]
    assert len(ids_of(ada)) == 1


def test_sec_29_changing_them_needs_a_recent_proof(alice, advance):
    has_passkey(alice)
    [passkey] = ids_of(alice)
    advance(minutes=15, seconds=1)
    alice.token = refreshes(alice, alice.refresh_token).json["access_token"]
    for answer in (
        alice.patch(f"/me/passkeys/{passkey}", json={"name": "Phone"}),
        alice.delete(f"/me/passkeys/{passkey}"),
    ):
        assert code_of(answer) == (403, "step_up_required")
        assert answer.json["methods"] == ["passkey"]
    assert alice.get("/me/passkeys").status_code == 200


def test_a_deleted_account_takes_its_passkeys_along(alice, sql):
    has_passkey(alice)
    asks_to_sign_in(alice)
    sql("DELETE FROM users WHERE id = %s", (str(alice.user.id),))
    assert sql("SELECT 1 FROM passkeys") == sql("SELECT 1 FROM passkey_challenges") == []


def test_a_rename_can_be_repeated_safely(alice):
    has_passkey(alice)
    [passkey] = ids_of(alice)
    headers = {"Idempotency-Key": "tap"}
    first, second = (
        alice.patch(f"/me/passkeys/{passkey}", json={"name": "Phone"}, headers=headers) for _ in range(2)
    )
    assert first.json == second.json
    assert second.headers["Idempotency-Replayed"] == "true"


def test_challenges_that_nobody_answered_are_swept(alice, anonymous, parts, advance, sql):
    asked = asks_to_sign_in(anonymous)
    advance(minutes=5)
    fresh = asks_to_sign_in(anonymous)
    parts.jobs.app.tasks["passkeys.sweep"].func(timestamp=0)
    assert len(sql("SELECT 1 FROM passkey_challenges")) == 1
    authenticator = has_passkey(alice.signs_in_again())
    assert sends_proof(anonymous, asked, authenticator.signs(asked["options"])).status_code == 401
    assert sends_proof(anonymous, fresh, authenticator.signs(fresh["options"])).status_code == 200


def test_adding_after_all_were_deleted_turns_it_on_again(alice):
    has_passkey(alice)
    alice.delete(f"/me/passkeys/{ids_of(alice)[0]}")
    assert adds(alice).json["session"]["user"]["mfa_enabled"] is True
