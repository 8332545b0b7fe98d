"""SEC-50 for updateMe: a change that is sent again under its Idempotency-Key has one effect."""

import pytest

from tests.fixtures.accounts import code_of
from tests.fixtures.client import ApiClient

KEY = {"Idempotency-Key": "a-word-of-mine"}
NAME = {"display_name": "Alice B"}


def changes(person, body=None, **headers):
    return person.patch("/me", json=NAME if body is None else body, headers={**KEY, **headers})


def test_sec_50_the_same_again_is_answered_from_the_record(alice, sql):
    first = changes(alice)
    assert (first.status_code, "Idempotency-Replayed" in first.headers) == (200, False)
    alice.patch("/me", json={"display_name": "Alice C"})
    again = changes(alice)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.get_data() == first.get_data()
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.content_type == first.content_type
    assert alice.get("/me").json["display_name"] == "Alice C"
    assert sql("SELECT count(*) FROM events WHERE kind = 'user.updated'") == [(2,)]


def test_sec_50_the_record_is_looked_up_before_if_match(alice):
    first = changes(alice, **{"If-Match": '"1"'})
    again = changes(alice, **{"If-Match": '"1"'})
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_sec_50_another_body_under_the_same_key_is_refused(alice):
    changes(alice)
    assert code_of(changes(alice, {"display_name": "Mallory"})) == (422, "idempotency_key_reused")
    assert alice.get("/me").json["display_name"] == "Alice B"


@pytest.mark.parametrize("failing", [{"display_name": ""}, {"role": "admin"}])
def test_sec_50_a_failed_request_frees_the_key(alice, failing):
    assert changes(alice, failing).status_code == 422
    response = changes(alice)
    assert (response.status_code, "Idempotency-Replayed" in response.headers) == (200, False)


def test_sec_50_a_conflict_frees_the_key_and_stays_412(alice):
    alice.patch("/me", json={"locale": "en"})
    refused = changes(alice, **{"If-Match": '"1"'})
    assert code_of(refused) == (412, "version_conflict")
    assert refused.json["current"]["version"] == 2
    assert changes(alice, **{"If-Match": '"2"'}).status_code == 200


def test_sec_50_keys_of_two_people_are_apart(alice, bob):
    assert changes(alice).status_code == 200
    response = changes(bob, {"display_name": "Bob B"})
    assert (response.status_code, "Idempotency-Replayed" in response.headers) == (200, False)


def test_sec_50_a_key_lives_a_day(alice, bob, advance, anonymous):
    from tests.fixtures.accounts import refreshes

    changes(alice)
    advance(hours=23, minutes=59)
    alice.token = refreshes(anonymous, alice.refresh_token).json["access_token"]
    assert changes(alice).headers["Idempotency-Replayed"] == "true"
    advance(minutes=2)
    response = changes(alice)
    assert (response.status_code, "Idempotency-Replayed" in response.headers) == (200, False)


def test_sec_50_many_at_once_have_one_effect(app, alice, at_once, sql):
    answers = at_once(8, lambda _number: changes(ApiClient(app, alice.token)))
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {200, 409}
    assert 200 in statuses
    assert len({answer.get_data() for answer in answers if answer.status_code == 200}) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert code_of(answer) == (409, "request_in_progress")
            assert int(answer.headers["Retry-After"]) >= 1
    assert alice.get("/me").json["version"] == 2
    assert sql("SELECT count(*) FROM events WHERE kind = 'user.updated'") == [(1,)]


@pytest.mark.parametrize("key", ["", "x" * 256, "käse", "a\tb"])
def test_sec_50_an_odd_key_is_refused_by_name(alice, key):
    response = alice.patch("/me", json=NAME, headers={"Idempotency-Key": key})
    assert code_of(response) == (422, "validation_failed")
    assert [(f["location"], f["field"]) for f in response.json["errors"]] == [("header", "Idempotency-Key")]
    assert alice.get("/me").json["version"] == 1
