"""SEC-17: how long sessions live; refreshing moves the idle end, never the absolute one."""

from datetime import datetime, timedelta

import pytest

from app.core.access import Client
from app.sessions.models import Transport
from app.sessions.service import SessionService
from tests.fixtures.accounts import asks_who_it_is, code_of, refreshes, signs_in
from tests.fixtures.client import ApiClient

ALICE = "alice@example.com"
ENDED = (401, "session_expired")
ABSOLUTE = {"cookie": 30, "body": 365}
IDLE = {"cookie": 14, "body": 60}


def signed_in_by(app, transport):
    """The refresh token of a new session."""
    client = ApiClient(app)
    answer = signs_in(client, ALICE, transport=transport)
    return answer.json["refresh_token"] or client.http.get_cookie("refresh_token", path="/api/v1/auth").value


@pytest.mark.parametrize("transport", ["cookie", "body"])
def test_sec_17_the_absolute_end_holds_even_if_refreshed_a_minute_before(
    app, anonymous, alice, advance, transport
):
    token = signed_in_by(app, transport)
    days = ABSOLUTE[transport]
    gone = 0
    while gone + IDLE[transport] < days:
        advance(days=IDLE[transport] - 1)
        gone += IDLE[transport] - 1
        token = refreshes(anonymous, token).json["refresh_token"]
    advance(days=days - 1 - gone, hours=23)
    token = refreshes(anonymous, token).json["refresh_token"]
    advance(minutes=59)
    last = refreshes(anonymous, token)
    assert last.status_code == 200
    advance(seconds=61)
    assert code_of(refreshes(anonymous, last.json["refresh_token"])) == ENDED
    assert code_of(asks_who_it_is(anonymous, last.json["access_token"])) == (401, "token_expired")


@pytest.mark.parametrize("transport", ["cookie", "body"])
def test_sec_17_a_session_that_nobody_uses_ends(app, anonymous, alice, advance, transport):
    token = signed_in_by(app, transport)
    advance(days=IDLE[transport], seconds=-30)
    token = refreshes(anonymous, token).json["refresh_token"]
    advance(days=IDLE[transport], seconds=1)
    assert code_of(refreshes(anonymous, token)) == ENDED


@pytest.mark.parametrize("transport", ["cookie", "body"])
def test_sec_17_the_answer_tells_the_idle_end_but_never_one_beyond_the_absolute(
    app, anonymous, alice, advance, parts, transport
):
    def days_left(answer):
        return (datetime.fromisoformat(answer.json["refresh_expires_at"]) - parts.clock.now()) / timedelta(
            days=1
        )

    idle, absolute = IDLE[transport], ABSOLUTE[transport]
    answer = refreshes(anonymous, signed_in_by(app, transport))
    assert idle - 0.01 < days_left(answer) <= idle
    gone = 0
    while absolute - gone > idle:
        advance(days=idle - 1)
        gone += idle - 1
        answer = refreshes(anonymous, answer.json["refresh_token"])
    assert absolute - gone - 0.01 < days_left(answer) <= absolute - gone


def test_sec_17_lifetimes_can_be_set(make_app, alice, advance):
    app = make_app(body_idle_days=1, body_absolute_days=2)
    token = signed_in_by(app, "body")
    advance(days=1, seconds=1)
    assert code_of(refreshes(ApiClient(app), token)) in {
        ENDED,
        (200, None),
    }  # another process: within a second
    app.extensions["holdfast"].refresh_clock(force=True)
    assert code_of(refreshes(ApiClient(app), token)) == ENDED


def test_sec_17_the_figures_are_as_published(settings):
    assert settings.access_token_seconds == 600
    assert (settings.cookie_idle_days, settings.cookie_absolute_days) == (14, 30)
    assert (settings.body_idle_days, settings.body_absolute_days) == (60, 365)
    assert (settings.max_sessions, settings.refresh_grace_seconds, settings.step_up_seconds) == (60, 10, 900)


def test_sec_17_the_sixty_first_session_ends_the_oldest(anonymous, alice, parts, sql):
    phone = Client("203.0.113.7", "tests", "a phone")
    with parts.uow:
        for _ in range(59):
            parts.services[SessionService].open(alice.user.id, Transport.body, phone)
    assert alice.get("/me").status_code == 200
    assert len(alice.get("/auth/sessions").json["items"]) == 60
    newest = signs_in(anonymous, ALICE).json["access_token"]
    assert code_of(alice.get("/me")) == (401, "session_revoked")
    assert code_of(refreshes(anonymous, alice.refresh_token)) == (401, "refresh_invalid")
    listed = anonymous.get("/auth/sessions", headers={"Authorization": f"Bearer {newest}"}).json["items"]
    assert len(listed) == 60
    assert sql("SELECT count(*) FROM audit_events WHERE kind = 'session.evicted'") == [(1,)]


def test_sec_17_the_session_used_longest_ago_gives_way(make_app, alice, advance):
    app = make_app(max_sessions=2)
    client = ApiClient(app)
    advance(minutes=1)
    second = signs_in(client, ALICE).json
    advance(minutes=1)
    app.extensions["holdfast"].refresh_clock(force=True)
    used = refreshes(client, alice.refresh_token).json
    assert signs_in(client, ALICE).status_code == 200
    assert asks_who_it_is(client, used["access_token"]).status_code == 200
    assert code_of(asks_who_it_is(client, second["access_token"])) == (401, "session_revoked")


def test_ended_sessions_are_swept_after_their_retention(alice, bob, advance, parts, sql):
    alice.delete(f"/auth/sessions/{alice.session_id}")
    advance(days=29)
    assert parts.services[SessionService].sweep(30) == 0
    advance(days=1, seconds=1)
    assert parts.services[SessionService].sweep(30) == 1
    assert sql("SELECT user_id::text FROM sessions") == [(str(bob.user.id),)]
