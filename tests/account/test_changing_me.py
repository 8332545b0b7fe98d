"""updateMe: name, language and time zone."""

import pytest

from tests.fixtures.accounts import code_of
from tests.fixtures.client import ApiClient

CONFLICT = (412, "version_conflict")
NOT_OURS_TO_SET = (
    "id", "user_id", "email", "pending_email", "email_verified", "role", "is_admin", "status", "password",
    "password_hash", "mfa_enabled", "created_at", "updated_at", "version", "deletion_scheduled_at",
)  # fmt: skip


def faults_of(response):
    assert code_of(response) == (422, "validation_failed")
    return {fault["field"]: fault["code"] for fault in response.json["errors"]}


def test_a_change_is_answered_and_stays(alice, advance, sql):
    before = alice.get("/me").json
    advance(seconds=5)
    changes = {"display_name": "  Alice Brook ", "locale": "pt-BR", "time_zone": "Europe/Paris"}
    response = alice.patch("/me", json=changes)
    assert response.status_code == 200
    after = response.json
    assert (after["display_name"], after["locale"], after["time_zone"]) == (
        "Alice Brook",
        "pt-BR",
        "Europe/Paris",
    )
    assert after["version"] == 2
    assert after["updated_at"] > before["updated_at"]
    assert after["created_at"] == before["created_at"]
    assert alice.get("/me").json == after
    assert alice.get("/me").headers["ETag"] == response.headers["ETag"]
    [(actor, changed)] = sql("SELECT actor_id::text, changes FROM events WHERE kind = 'user.updated'")
    assert actor == str(alice.user.id)
    assert changed["display_name"] == {"before": "Alice", "after": "Alice Brook"}


def test_absent_keeps_and_null_clears(alice):
    alice.patch("/me", json={"locale": "en-GB", "time_zone": "Asia/Tokyo"})
    after = alice.patch("/me", json={"locale": None}).json
    assert (after["locale"], after["time_zone"], after["display_name"]) == (None, "Asia/Tokyo", "Alice")


@pytest.mark.parametrize("body", [{}, {"display_name": "Alice"}, {"locale": None, "time_zone": None}])
def test_a_change_of_nothing_makes_no_version_and_no_event(alice, sql, body):
    before = alice.get("/me").json
    response = alice.patch("/me", json=body)
    assert (response.status_code, response.json) == (200, before)
    assert sql("SELECT count(*) FROM events WHERE kind = 'user.updated'") == [(0,)]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"display_name": ""}, {"display_name": "too_short"}),
        ({"display_name": "   "}, {"display_name": "too_short"}),
        ({"display_name": "x" * 101}, {"display_name": "too_long"}),
        ({"display_name": None}, {"display_name": "null_not_allowed"}),
        ({"display_name": 7}, {"display_name": "wrong_type"}),
        ({"display_name": "a\nb"}, {"display_name": "invalid_format"}),
        ({"display_name": "a\x00b"}, {"display_name": "invalid_format"}),
        ({"locale": "english please"}, {"locale": "invalid_format"}),
        ({"locale": "x" * 36}, {"locale": "too_long"}),
        ({"time_zone": "Mars/Olympus"}, {"time_zone": "invalid_choice"}),
        ({"time_zone": "../../etc/passwd"}, {"time_zone": "invalid_choice"}),
        ({"locale": 1, "time_zone": []}, {"locale": "wrong_type", "time_zone": "wrong_type"}),
    ],
)
def test_a_wrong_value_names_its_field_and_changes_nothing(alice, body, faults):
    before = alice.get("/me").json
    assert faults_of(alice.patch("/me", json=body)) == faults
    assert alice.get("/me").json == before


@pytest.mark.parametrize("name", ["x" * 100, "Zoë 🌊", "李", "O'Brien <b>"])
def test_names_are_peoples_own(alice, name):
    assert alice.patch("/me", json={"display_name": name}).json["display_name"] == name


def test_sec_41_nothing_else_can_be_set(alice, sql):
    before = sql("SELECT * FROM users")
    for field in NOT_OURS_TO_SET:
        for value in ("admin", True):
            faults = faults_of(alice.patch("/me", json={"display_name": "Mallory", field: value}))
            assert faults == {field: "unknown_field"}
    assert sql("SELECT * FROM users") == before


@pytest.mark.parametrize("form", ['"1"', '"1.ab12"', 'W/"1.ab12"', "{}", '"9", "1"', "*"])
def test_sec_51_an_edit_of_the_current_version_is_taken(alice, form):
    tag = alice.get("/me").headers["ETag"]
    response = alice.patch("/me", json={"display_name": "Alice B"}, headers={"If-Match": form.format(tag)})
    assert (response.status_code, response.json["version"]) == (200, 2)


@pytest.mark.parametrize("tag", ['"1"', '"0.ab12"', "1", "nope", '"two"'])
def test_sec_51_an_edit_of_an_older_version_is_refused_with_the_current_one(alice, tag):
    alice.patch("/me", json={"display_name": "Alice B"})
    current = alice.get("/me")
    response = alice.patch("/me", json={"display_name": "Alice C"}, headers={"If-Match": tag})
    assert code_of(response) == CONFLICT
    assert response.json["current"] == current.json
    assert response.headers["ETag"] == current.headers["ETag"]
    assert alice.get("/me").json == current.json


def test_sec_51_of_many_writers_of_one_version_one_wins(app, alice, at_once):
    def writes(number):
        client = ApiClient(app, alice.token)
        answer = client.patch("/me", json={"display_name": f"Alice {number}"}, headers={"If-Match": '"1"'})
        return answer.status_code

    assert sorted(at_once(8, writes)) == [200] + [412] * 7
    assert alice.get("/me").json["version"] == 2


def test_without_if_match_the_last_writer_wins(app, alice, at_once):
    answers = at_once(
        6,
        lambda number: ApiClient(app, alice.token).patch("/me", json={"locale": f"en-A{number}"}).status_code,
    )
    assert answers == [200] * 6
    assert alice.get("/me").json["version"] == 7


def test_one_persons_change_is_nobody_elses(alice, bob):
    before = bob.get("/me").json
    alice.patch("/me", json={"display_name": "Bob"})
    assert bob.get("/me").json == before
