"""signOut: ends the session that a token names, and never refuses."""

import pytest

from tests.fixtures.accounts import asks_who_it_is, code_of, refreshes, signs_in

ALICE = "alice@example.com"
ENDED = (401, "session_revoked")


@pytest.fixture
def session(anonymous, alice):
    return signs_in(anonymous, ALICE).json


def signs_out(client, body=None, **options):
    response = (
        client.post("/auth/logout", json=body, **options)
        if body is not None
        else client.post("/auth/logout", **options)
    )
    assert (response.status_code, response.get_data()) == (204, b"")
    return response


def bearer(session):
    return {"Authorization": f"Bearer {session['access_token']}"}


def test_by_the_refresh_token(anonymous, session, sql):
    signs_out(anonymous, {"refresh_token": session["refresh_token"]})
    assert code_of(asks_who_it_is(anonymous, session["access_token"])) == ENDED
    assert code_of(refreshes(anonymous, session["refresh_token"])) == (401, "refresh_invalid")
    assert sql("SELECT kind FROM audit_events WHERE kind = 'session.signed_out'")
    assert sql("SELECT kind FROM events WHERE kind = 'session.revoked'")


def test_by_the_access_token_alone(anonymous, session):
    signs_out(anonymous, headers=bearer(session))
    assert code_of(asks_who_it_is(anonymous, session["access_token"])) == ENDED


def test_by_a_refresh_token_that_was_replaced(anonymous, session):
    refreshes(anonymous, session["refresh_token"])
    signs_out(anonymous, {"refresh_token": session["refresh_token"]})
    assert code_of(asks_who_it_is(anonymous, session["access_token"])) == ENDED


def test_other_sessions_stay(anonymous, alice, session):
    signs_out(anonymous, {"refresh_token": session["refresh_token"]})
    assert alice.get("/me").status_code == 200


def test_both_tokens_end_both_sessions(anonymous, alice, session):
    other = signs_in(anonymous, ALICE).json
    signs_out(anonymous, {"refresh_token": other["refresh_token"]}, headers=bearer(session))
    for ended in (session, other):
        assert code_of(asks_who_it_is(anonymous, ended["access_token"])) == ENDED


def test_a_worthless_refresh_token_does_not_shield_the_session(anonymous, session):
    signs_out(anonymous, {"refresh_token": "hfr1.k1.x.1.y"}, headers=bearer(session))
    assert code_of(asks_who_it_is(anonymous, session["access_token"])) == ENDED


@pytest.mark.parametrize("body", [None, {}, {"refresh_token": None}, {"refresh_token": "rubbish"}])
def test_without_a_session_it_is_fine_too(anonymous, alice, body):
    signs_out(anonymous, body)
    signs_out(anonymous, body, headers={"Authorization": "Bearer rubbish"})
    assert alice.get("/me").status_code == 200


def test_twice_is_fine(anonymous, session):
    for _ in range(2):
        signs_out(anonymous, {"refresh_token": session["refresh_token"]}, headers=bearer(session))


def test_unknown_fields_are_still_refused(anonymous):
    assert code_of(anonymous.post("/auth/logout", json={"everywhere": True})) == (422, "validation_failed")


def test_a_form_on_a_foreign_page_removes_no_cookie(anonymous):
    """Browsers send it without the cookie, and would take the removal: a sign-out that nobody asked for."""
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://evil.example"}
    assert "Set-Cookie" not in signs_out(anonymous, headers=form).headers
