"""`flask sessions revoke-all`: every session of everybody ends at once (SEC-21)."""

import threading
import time

from app.sessions.service import SessionService
from tests.fixtures.accounts import asks_who_it_is, code_of, refreshes, signs_in
from tests.fixtures.client import ApiClient

ENDED = (401, "session_revoked")


def runs(app, *words, typed=None):
    with app.app_context():
        return app.test_cli_runner().invoke(args=["sessions", *words], input=typed)


def refused_soon(person):
    """The process that ran the command is another one, so its word takes up to a second here."""
    until, pause = time.monotonic() + 1.0, threading.Event()
    while time.monotonic() < until and person.get("/me").status_code == 200:
        pause.wait(0.01)  # an account has 600 reads a minute
    return code_of(person.get("/me"))


def test_everybody_is_signed_out_within_a_second(app, anonymous, alice, bob, sql):
    for person in (alice, bob):
        assert person.get("/me").status_code == 200
    result = runs(app, "revoke-all", "--yes")
    assert result.exit_code == 0
    assert "the epoch is 2" in result.output
    assert refused_soon(alice) == ENDED
    assert refused_soon(bob) == ENDED
    for person in (alice, bob):
        assert code_of(refreshes(anonymous, person.refresh_token)) == (401, "session_expired")
    assert sql("SELECT kind, data FROM audit_events WHERE kind = 'auth_epoch.moved'") == [
        ("auth_epoch.moved", {"epoch": 2})
    ]


def test_sec_21_in_the_process_that_ends_them_it_is_the_very_next_request(parts, alice):
    assert alice.get("/me").status_code == 200
    parts.services[SessionService].revoke_all()
    assert code_of(alice.get("/me")) == ENDED


def test_who_signs_in_again_is_in_and_sees_the_new_session_alone(app, anonymous, alice):
    assert runs(app, "revoke-all", "--yes").exit_code == 0
    signed_in = signs_in(anonymous, alice.email).json
    assert asks_who_it_is(anonymous, signed_in["access_token"]).status_code == 200
    alice.token = signed_in["access_token"]
    assert [each["id"] for each in alice.get("/auth/sessions").json["items"]] == [signed_in["session_id"]]
    assert refreshes(anonymous, signed_in["refresh_token"]).status_code == 200


def test_an_ended_epoch_cannot_be_told_by_a_new_process_either(app, make_app, alice):
    assert runs(app, "revoke-all", "--yes").exit_code == 0
    fresh = ApiClient(make_app(redis_url="redis://127.0.0.1:1/0"))
    assert code_of(asks_who_it_is(fresh, alice.token)) == ENDED


def test_without_a_yes_nothing_happens(app, alice):
    result = runs(app, "revoke-all", typed="n\n")
    assert result.exit_code != 0
    assert alice.get("/me").status_code == 200
