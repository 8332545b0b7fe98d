"""A token acts as its owner, as far as its scopes go, for as long as it holds."""

import threading
import time
from datetime import timedelta

import pytest

from app.web.fields import wire_time
from app.web.middleware import session_hash
from tests.fixtures.accounts import code_of
from tests.fixtures.api_tokens import makes_token
from tests.fixtures.client import ApiClient


def in_time(ask, expected, seconds=1.0):
    """Ask until the answer is the expected one; the facts may be a second old."""
    until = time.monotonic() + seconds + 0.2
    while True:
        found = code_of(ask())
        if found == expected or time.monotonic() > until:
            return found
        threading.Event().wait(0.05)


def test_it_acts_as_its_owner(alice, bob, script):
    mine, theirs = alice.creates("Mine"), bob.creates("Theirs")
    client = script(alice, "read", "write")
    assert client.get("/me").json["id"] == str(alice.user.id)
    assert client.patch(f"/projects/{mine.id}", json={"name": "Renamed"}).status_code == 200
    assert code_of(client.get(f"/projects/{theirs.id}")) == (404, "not_found")
    assert [each["name"] for each in client.get("/projects").json["items"]] == ["Renamed"]


def test_a_repeated_key_counts_by_account_whoever_brings_it(alice, script):
    key = {"Idempotency-Key": "once"}
    first = script(alice, "write").post("/projects", json={"name": "Reef"}, headers=key)
    second = alice.post("/projects", json={"name": "Reef"}, headers=key)
    assert first.json == second.json


def test_sec_20_a_revoked_one_is_refused_at_once(alice, script):
    client = script(alice)
    assert client.get("/me").status_code == 200
    alice.delete(f"/me/tokens/{client.made['id']}")
    assert code_of(client.get("/me")) == (401, "token_invalid")


def test_sec_20_one_of_a_suspended_account_is_refused_at_once(alice, ada, script):
    client = script(alice)
    assert client.get("/me").status_code == 200
    assert ada.patch(f"/admin/users/{alice.user.id}", json={"status": "suspended"}).status_code == 200
    assert code_of(client.get("/me")) == (403, "account_suspended")


def test_sec_20_and_within_a_second_in_every_other_process(alice, script, make_app):
    client = script(alice)
    elsewhere = ApiClient(make_app(), client.token)
    assert elsewhere.get("/me").status_code == 200
    alice.delete(f"/me/tokens/{client.made['id']}")
    assert in_time(lambda: elsewhere.get("/me"), (401, "token_invalid")) == (401, "token_invalid")


def test_sec_20_without_redis_too(alice, script, make_app, settings):
    client = script(alice)
    away = ApiClient(make_app(redis_url="redis://127.0.0.1:9"), client.token)
    assert away.get("/me").status_code == 200
    alice.delete(f"/me/tokens/{client.made['id']}")
    assert in_time(lambda: away.get("/me"), (401, "token_invalid")) == (401, "token_invalid")


def test_an_expired_one_says_so(alice, script, parts, advance):
    client = script(alice, expires_at=wire_time(parts.clock.now() + timedelta(minutes=5)))
    assert client.get("/me").status_code == 200
    advance(minutes=5)
    answer = client.get("/me")
    assert code_of(answer) == (401, "token_expired")
    assert "WWW-Authenticate" in answer.headers


@pytest.mark.parametrize(
    ("status", "expected"),
    [("suspended", (403, "account_suspended")), ("deletion_scheduled", (403, "account_deletion_scheduled"))],
)
def test_sec_20_it_stops_with_the_account(alice, script, sql, status, expected):
    client = script(alice)
    assert client.get("/projects").status_code == 200
    sql("UPDATE users SET status = %s WHERE id = %s", (status, str(alice.user.id)))
    assert in_time(lambda: client.get("/projects"), expected) == expected
    sql("UPDATE users SET status = 'active' WHERE id = %s", (str(alice.user.id),))
    assert in_time(lambda: client.get("/projects"), (200, None)) == (200, None)


def test_it_goes_with_the_account(alice, script, sql, parts):
    client = script(alice)
    sql("DELETE FROM users WHERE id = %s", (str(alice.user.id),))
    assert code_of(client.get("/me")) == (401, "token_invalid")


def test_an_administrators_token_administers_nothing(ada, script):
    client = script(ada, "read", "write")
    assert client.get("/projects").status_code == 200
    assert client.get("/me").json["role"] == "admin"


def test_the_token_of_an_administrator_without_second_factor_is_refused(ada, script, sql):
    client = script(ada)
    sql("UPDATE users SET mfa_enabled = false")
    assert in_time(lambda: client.get("/projects"), (403, "mfa_enrolment_required"))[0] == 403


def test_it_proves_nothing_about_sessions(alice, script):
    """The token's id is no session's: neither signing out nor ending other sessions goes by it."""
    client = script(alice, "read", "write")
    assert client.post("/auth/logout", json={}).status_code == 204
    assert client.get("/me").status_code == 200
    assert alice.get("/me").status_code == 200


def test_requests_count_for_the_account_whichever_way_it_speaks(alice, make_app):
    app = make_app(rate_limit_reads="3/60", rate_limit_factor=1.0)
    token = ApiClient(app, makes_token(alice)["token"])
    person = alice.signs_in_again(app)
    assert [client.get("/me").status_code for client in (token, person, token, person, token)] == [
        200, 200, 200, 429, 429,
    ]  # fmt: skip


def test_a_flood_of_unknown_tokens_counts_for_the_address(make_app):
    app = make_app(rate_limit_anonymous="2/60", rate_limit_factor=1.0)
    client = ApiClient(app, "hf_nothing")
    assert [client.get("/me").status_code for _ in range(3)] == [401, 401, 429]


def test_the_log_names_account_and_token_and_no_secret(alice, script, log_lines):
    client = script(alice)
    log_lines.take()
    client.get("/me")
    line = log_lines.of("request")[-1]
    assert line["user_id"] == str(alice.user.id)
    assert line["session"] == session_hash(client.made["id"])
    assert client.token not in log_lines.text
    assert client.token[3:20] not in log_lines.text


def test_its_use_is_noted_at_most_once_a_minute(alice, script, sql, advance):
    client = script(alice)

    def noted():
        return sql("SELECT last_used_at FROM api_tokens")[0][0]

    assert noted() is None
    client.get("/me")
    first = noted()
    assert first is not None
    advance(seconds=50)
    client.get("/me")
    assert noted() == first
    advance(seconds=11)
    client.get("/me")
    assert noted() > first


def test_many_uses_at_once_note_one(alice, script, app, at_once, sql, statements):
    token = script(alice).token
    headers = {"Authorization": f"Bearer {token}"}
    with statements() as sent:
        answers = at_once(8, lambda _number: app.test_client().get("/api/v1/me", headers=headers).status_code)
    assert answers == [200] * 8
    assert sql("SELECT last_used_at IS NOT NULL FROM api_tokens") == [(True,)]
    assert 1 <= sent.count("UPDATE api_tokens") <= 8


def test_that_nothing_can_be_noted_refuses_nobody(alice, script, make_app):
    client = script(alice)
    assert ApiClient(make_app(read_only=True), client.token).get("/me").status_code == 200


def test_a_warm_request_asks_nothing_about_the_token(alice, script, statements):
    client = script(alice, "read")
    for _ in range(20):
        client.get("/projects")
        with statements() as sent:
            assert client.get("/projects").status_code == 200
        if sent == ["SELECT projects"]:
            return
    pytest.fail(f"20 requests in a row and each asked about the token: {sent}")


def test_a_warm_read_of_a_project_asks_nothing_of_postgresql(alice, script, statements):
    client, project = script(alice), alice.creates()
    for _ in range(20):
        client.get(f"/projects/{project.id}")
        with statements() as sent:
            assert client.get(f"/projects/{project.id}").status_code == 200
        if not sent:
            return
    pytest.fail("20 reads in a row and none came from the cache")


def test_the_first_use_costs_one_look_and_one_note(alice, script, statements):
    client, project = script(alice), alice.creates()
    with statements() as sent:
        client.get(f"/projects/{project.id}")
    assert sent == ["SELECT api_tokens", "UPDATE api_tokens", "COMMIT", "SELECT projects"]
