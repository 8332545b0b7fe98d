"""Tokens: made once, listed without themselves, revoked by their owner."""

import hashlib
from datetime import timedelta

import pytest

from app.web.fields import wire_time
from tests.fixtures.accounts import code_of
from tests.fixtures.api_tokens import makes_token


def kinds(sql, prefix="api_token"):
    return [row[0] for row in sql("SELECT kind FROM audit_events ORDER BY created_at") if prefix in row[0]]


def faults(answer):
    assert code_of(answer) == (422, "validation_failed")
    return {fault["field"]: fault["code"] for fault in answer.json["errors"]}


def test_the_token_is_shown_once_and_stored_as_its_digest(alice, sql):
    made = makes_token(alice, "write", "read")
    assert (made["name"], made["scopes"], made["last_used_at"]) == ("Nightly report", ["read", "write"], None)
    [listed] = alice.get("/me/tokens").json["items"]
    assert listed == {name: value for name, value in made.items() if name != "token"}
    [(digest,)] = sql("SELECT digest FROM api_tokens")
    assert bytes(digest) == hashlib.sha256(made["token"].encode()).digest()
    assert made["token"] not in repr(sql("SELECT t::text FROM api_tokens t"))


def test_it_lives_as_long_as_may_be_or_less(alice, parts):
    now, days = parts.clock.now(), parts.settings.api_token_days
    longest = makes_token(alice)["expires_at"]
    assert (
        wire_time(now + timedelta(days=days))
        <= longest
        <= wire_time(parts.clock.now() + timedelta(days=days))
    )
    tomorrow = wire_time(now + timedelta(days=1))
    assert makes_token(alice, expires_at=tomorrow)["expires_at"] == tomorrow


@pytest.mark.parametrize(
    ("ahead", "code"),
    [(timedelta(0), "too_small"), (timedelta(days=366), "too_large")],
    ids=["past", "too far"],
)
def test_a_moment_outside_these_is_refused(alice, parts, sql, ahead, code):
    body = {"name": "x", "scopes": ["read"], "expires_at": wire_time(parts.clock.now() + ahead)}
    assert faults(alice.post("/me/tokens", json=body)) == {"expires_at": code}
    assert sql("SELECT * FROM api_tokens") == []


@pytest.mark.parametrize(
    ("scopes", "field", "code"),
    [
        ([], "scopes", "too_short"),
        ("read", "scopes", "wrong_type"),
        (None, "scopes", "null_not_allowed"),
        (["read", "read"], "scopes", "invalid_format"),
        (["read", "write", "read"], "scopes", "too_long"),
        (["read", "admin"], "scopes.1", "invalid_choice"),
        ([7], "scopes.0", "wrong_type"),
    ],
)
def test_scopes_are_words_of_a_closed_list(alice, scopes, field, code):
    assert faults(alice.post("/me/tokens", json={"name": "x", "scopes": scopes})) == {field: code}


def test_sec_29_making_one_needs_a_recent_proof(alice, advance, parts):
    advance(seconds=parts.settings.step_up_seconds + 1)
    alice.token = alice.signs_in_again().token
    assert makes_token(alice)
    advance(seconds=parts.settings.step_up_seconds + 1)
    assert code_of(alice.post("/me/tokens", json={"name": "x", "scopes": ["read"]})) in {
        (403, "step_up_required"),
        (401, "token_expired"),
    }


def test_the_owner_is_told_by_mail_and_the_trail(alice, letters, sql):
    made = makes_token(alice)
    assert "API token" in letters(alice.email)[0].subject
    alice.delete(f"/me/tokens/{made['id']}")
    assert kinds(sql) == ["api_token.created", "api_token.revoked"]
    assert made["token"] not in repr(sql("SELECT t::text FROM audit_events t"))


def test_revoking_twice_is_revoking_once(alice, sql):
    made = makes_token(alice)
    for _ in range(2):
        assert alice.delete(f"/me/tokens/{made['id']}").status_code == 204
    assert alice.get("/me/tokens").json["items"] == []
    assert kinds(sql) == ["api_token.created", "api_token.revoked"]


def test_sec_39_for_others_the_token_does_not_exist(alice, charlie, script):
    client = script(alice)
    theirs = charlie.delete(f"/me/tokens/{client.made['id']}")
    unknown = charlie.delete("/me/tokens/0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a02")
    assert code_of(theirs) == code_of(unknown) == (404, "not_found")
    assert theirs.json["detail"] == unknown.json["detail"]
    assert charlie.get("/me/tokens").json["items"] == []
    assert client.get("/me").status_code == 200


def test_pages_show_every_token_once_the_newest_first(alice):
    made = [makes_token(alice, name=f"Token {number}")["id"] for number in range(3)]
    first = alice.get("/me/tokens?limit=2&include_total=true").json
    rest = alice.get(f"/me/tokens?limit=2&cursor={first['next_cursor']}").json
    assert [each["id"] for each in (*first["items"], *rest["items"])] == made[::-1]
    assert (first["total"], rest["has_more"]) == (3, False)


def test_an_account_has_at_most_so_many_also_when_many_are_asked_for_at_once(make_app, alice, at_once, sql):
    others = [alice.signs_in_again(make_app(max_api_tokens=3)) for _ in range(1)] * 8
    answers = at_once(
        8,
        lambda number: (
            others[number]
            .app.test_client()
            .post(
                "/api/v1/me/tokens",
                json={"name": f"{number}", "scopes": ["read"]},
                headers={"Authorization": f"Bearer {others[number].token}"},
            )
        ),
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 5
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"write_conflict"}
    assert sql("SELECT count(*) FROM api_tokens") == [(3,)]


def test_expired_and_revoked_ones_do_not_count(make_app, alice, advance, parts):
    person = alice.signs_in_again(make_app(max_api_tokens=2))
    makes_token(person, expires_at=wire_time(parts.clock.now() + timedelta(seconds=30)))
    revoked = makes_token(person)
    assert code_of(person.post("/me/tokens", json={"name": "x", "scopes": ["read"]})) == (
        409,
        "write_conflict",
    )
    person.delete(f"/me/tokens/{revoked['id']}")
    makes_token(person)
    advance(seconds=31)
    person.app.extensions["holdfast"].refresh_clock(force=True)
    makes_token(person)


def test_what_ended_is_swept_after_its_days(alice, parts, sql, advance, do_jobs):
    makes_token(alice, expires_at=wire_time(parts.clock.now() + timedelta(hours=1)))
    alice.delete(f"/me/tokens/{makes_token(alice)['id']}")
    makes_token(alice)
    days = parts.settings.session_retention_days
    for ahead, left in (({"days": days, "minutes": -5}, 3), ({"minutes": 10}, 2), ({"hours": 1}, 1)):
        advance(**ahead)
        parts.jobs.app.tasks["api_tokens.sweep"].func()
        assert sql("SELECT count(*) FROM api_tokens") == [(left,)]
