"""Commands about accounts: the first administrator, a locked sign-in, ending all sessions."""

import pytest

from app.core.access import SiteRole
from app.users.service import UserService
from tests.fixtures.people import PASSWORD

WRONG = "not the right words"


def sign_in(client, email, password):
    return client.post("/auth/login", json={"email": email, "password": password})


def test_create_admin_makes_a_verified_account_that_signs_in(flask, anonymous, parts, sql):
    result = flask("create-admin", "Grace@Example.com", "--name", "Grace", "--password", PASSWORD)
    assert result.exit_code == 0, result.output
    assert result.output == "Grace@Example.com administers this site now.\n"
    user = parts.services[UserService].find_by_email("grace@example.com")
    assert user.role == SiteRole.admin
    assert user.email_verified
    answer = sign_in(anonymous, "grace@example.com", PASSWORD)
    assert answer.status_code == 200
    assert answer.json["user"]["role"] == "admin"
    assert ("administrator.created", user.id.hex) in [
        (kind, user_id.replace("-", ""))
        for kind, user_id in sql("SELECT kind, user_id::text FROM audit_events")
    ]


def test_create_admin_asks_for_the_password_twice_and_shows_it_never(flask):
    result = flask("create-admin", "grace@example.com", input=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0
    assert "Password" in result.output
    assert "Repeat for confirmation" in result.output
    assert PASSWORD not in result.output


@pytest.mark.parametrize("password", ["short", "password1234", "grace@example.com"])
def test_create_admin_holds_to_the_password_rules(flask, sql, password):
    """SEC-01, SEC-05."""
    result = flask("create-admin", "grace@example.com", "--password", password)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert sql("SELECT count(*) FROM users") == [(0,)]


def test_create_admin_refuses_an_address_that_has_an_account(flask, alice, sql):
    result = flask("create-admin", "ALICE@example.com", "--password", PASSWORD)
    assert result.exit_code == 1
    assert result.output == "Error: ALICE@example.com has an account already.\n"
    assert sql("SELECT role FROM users") == [("user",)]


def test_unlock_lets_somebody_in_who_met_the_ceiling(flask, make_app, alice, sql):
    """SEC-15: beyond the ceiling only a reset helps, by mail or by an operator."""
    from tests.fixtures.client import ApiClient

    client = ApiClient(make_app(sign_in_failure_ceiling=10, rate_limit_factor=100))
    for _ in range(10):
        assert sign_in(client, alice.email, WRONG).status_code == 401
    assert sign_in(client, alice.email, PASSWORD).status_code == 429
    result = flask("unlock", "Alice@Example.com")
    assert result.exit_code == 0
    assert (
        result.output
        == "Failed sign-ins of Alice@Example.com are forgotten; a network they came from may have to wait some minutes more.\n"
    )
    assert sign_in(client, alice.email, PASSWORD).status_code == 200
    assert ("sign_in.unlocked",) in sql("SELECT kind FROM audit_events")


def test_unlock_says_the_same_of_an_unknown_address(flask):
    result = flask("unlock", "nobody@example.com")
    assert result.exit_code == 0
    assert (
        result.output
        == "Failed sign-ins of nobody@example.com are forgotten; a network they came from may have to wait some minutes more.\n"
    )


def test_revoke_all_ends_every_session_within_a_second(flask, alice, bob, anonymous, parts, sql):
    """SEC-20, SEC-21: the epoch moves, and every access token of before dies with it."""
    from tests.fixtures.gunicorn_process import until

    assert alice.get("/me").status_code == 200
    result = flask("sessions", "revoke-all", "--yes")
    assert result.exit_code == 0
    assert result.output == "All sessions have ended; the epoch is 2.\n"
    for person in (alice, bob):
        until(lambda person=person: person.get("/me").status_code == 401, "the session goes on", seconds=1.5)
        assert person.get("/me").json["code"] == "session_revoked"
        assert (
            anonymous.post("/auth/refresh", json={"refresh_token": person.refresh_token}).status_code == 401
        )
    assert sign_in(anonymous, alice.email, PASSWORD).status_code == 200
    assert ("auth_epoch.moved",) in sql("SELECT kind FROM audit_events")


def test_revoke_all_asks_first(flask, alice, sql):
    result = flask("sessions", "revoke-all", input="n\n")
    assert result.exit_code == 1
    assert "This signs everybody out on every device. Go on?" in result.output
    assert sql("SELECT auth_epoch FROM system_state") == [(1,)]
    assert alice.get("/me").status_code == 200
