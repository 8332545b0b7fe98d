"""SEC-21: where one is signed in, and ending it."""

import pytest

from app.core.ids import new_id
from tests.fixtures.accounts import (
    SAME_ID,
    as_bytes,
    asks_who_it_is,
    code_of,
    coming_from,
    refreshes,
    signs_in,
)

ALICE = "alice@example.com"
ENDED = (401, "session_revoked")


def listed(person):
    response = person.get("/auth/sessions")
    assert response.status_code == 200
    assert (response.json["next_cursor"], response.json["has_more"]) == (None, False)
    return response.json["items"]


def test_the_list_tells_devices_and_marks_the_current_one(anonymous, alice):
    signs_in(anonymous, ALICE, device="Alice's tablet", transport="cookie", **coming_from("198.51.100.77"))
    tablet, phone = listed(alice)
    assert (tablet["device_name"], tablet["ip"], tablet["transport"]) == (
        "Alice's tablet",
        "198.51.100.0",
        "cookie",
    )
    assert (tablet["current"], tablet["user_agent"]) == (False, "tests")
    assert (phone["device_name"], phone["ip"], phone["current"]) == ("a phone", "203.0.113.0", True)
    assert phone["id"] == str(alice.session_id)


def test_an_ipv6_address_is_truncated_too(anonymous, alice):
    signs_in(anonymous, ALICE, **coming_from("2001:db8:1:2:3:4:5:6"))
    assert listed(alice)[0]["ip"] == "2001:db8:1::"


def test_no_whole_address_is_stored(anonymous, alice, sql):
    signs_in(anonymous, ALICE, **coming_from("198.51.100.77"))
    for table in ("sessions", "audit_events", "events", "registrations"):
        assert not any("198.51.100.77" in row for (row,) in sql(f"SELECT {table}::text FROM {table}"))


def test_the_last_used_comes_first(anonymous, alice, advance):
    other = alice.signs_in_again()
    assert [each["id"] for each in listed(alice)] == [str(other.session_id), str(alice.session_id)]
    advance(seconds=30)
    refreshes(anonymous, alice.refresh_token)
    first, second = listed(alice)
    assert first["id"] == str(alice.session_id)
    assert first["last_used_at"] > second["last_used_at"]
    assert first["created_at"] < second["created_at"]


def test_ended_and_expired_sessions_are_not_listed(anonymous, alice, advance, parts):
    gone, unused = alice.signs_in_again(), alice.signs_in_again()
    alice.delete(f"/auth/sessions/{gone.session_id}")
    advance(days=59)
    alice.token = refreshes(anonymous, alice.refresh_token).json["access_token"]
    assert len(listed(alice)) == 2
    advance(days=1, minutes=1)
    alice.token = refreshes(anonymous, signs_in(anonymous, ALICE).json["refresh_token"]).json["access_token"]
    ids = [each["id"] for each in listed(alice)]
    assert len(ids) == 2
    assert str(unused.session_id) not in ids


def test_ending_one_ends_that_one(alice, anonymous, sql):
    other = alice.signs_in_again()
    for _ in range(2):  # again is fine
        assert alice.delete(f"/auth/sessions/{other.session_id}").status_code == 204
    assert code_of(other.get("/me")) == ENDED
    assert code_of(refreshes(anonymous, other.refresh_token)) == (401, "refresh_invalid")
    assert alice.get("/me").status_code == 200
    assert sql("SELECT count(*) FROM audit_events WHERE kind = 'session.revoked'") == [(1,)]


def test_ending_the_current_one_is_signing_out(alice):
    assert alice.delete(f"/auth/sessions/{alice.session_id}").status_code == 204
    assert code_of(alice.get("/me")) == ENDED


def test_ending_all_others_keeps_this_one(alice, bob, anonymous):
    others = [alice.signs_in_again() for _ in range(3)]
    assert alice.delete("/auth/sessions").status_code == 204
    assert [code_of(other.get("/me")) for other in others] == [ENDED] * 3
    assert [each["id"] for each in listed(alice)] == [str(alice.session_id)]
    assert refreshes(anonymous, alice.refresh_token).status_code == 200
    assert bob.get("/me").status_code == 200


def test_sec_21_sec_39_somebody_elses_session_does_not_exist(alice, charlie):
    charlie.headers |= SAME_ID
    answers = [
        as_bytes(charlie.delete(f"/auth/sessions/{session_id}"))
        for session_id in (alice.session_id, new_id(), "not-an-id")
    ]
    assert [status for status, *_rest in answers] == [404] * 3
    assert answers[0] == answers[1]
    assert alice.get("/me").status_code == 200
    assert str(alice.session_id) not in [each["id"] for each in listed(charlie)]


def test_ada_has_no_way_to_other_peoples_sessions_here_either(alice, ada):
    assert ada.delete(f"/auth/sessions/{alice.session_id}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("DELETE", ""), ("DELETE", "/0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a01")]
)
def test_one_must_be_signed_in(anonymous, method, path):
    response = anonymous.open(method, f"/auth/sessions{path}")
    assert code_of(response) == (401, "not_authenticated")


def test_unknown_parameters_are_named(alice):
    response = alice.get("/auth/sessions?user_id=1")
    assert code_of(response) == (422, "validation_failed")
    assert [(fault["location"], fault["field"]) for fault in response.json["errors"]] == [
        ("query", "user_id")
    ]


def test_the_account_behind_a_session_may_go(alice, anonymous, sql):
    sql("DELETE FROM sessions")
    sql("DELETE FROM users")
    assert code_of(asks_who_it_is(anonymous, alice.token)) == ENDED
