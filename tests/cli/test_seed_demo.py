"""`flask seed` without numbers: the demo cast."""

import pytest

from app.demo import DEMO_ACCOUNTS, DEMO_MEMBERS, DEMO_PASSWORD, DEMO_PROJECTS
from tests.fixtures.accounts import signs_in
from tests.fixtures.factors import completes


def enters(flask, client, email):
    """Signed in with what the banner tells: the password, and for the administrator the code of `flask demo-code`."""
    answer = signs_in(client, email, DEMO_PASSWORD)
    if answer.json["status"] == "mfa_required":
        answer = completes(client, answer.json["mfa_token"], flask("demo-code").output.strip())
    assert answer.status_code == 200
    return answer.json


def test_the_cast_is_verified_and_signs_in_with_the_password_of_the_banner(flask, anonymous):
    result = flask("seed")
    assert result.exit_code == 0
    for email, name, role in DEMO_ACCOUNTS:
        assert email in result.output
        user = enters(flask, anonymous, email)["user"]
        assert (user["display_name"], user["role"], user["email_verified"]) == (name, role, True)
        assert user["mfa_enabled"] is (role == "admin")


def test_everybody_has_the_projects_of_the_demo(flask, anonymous, app):
    """Their own, and those that they are in as Bob is in one of Alice's."""
    from tests.fixtures.client import ApiClient

    flask("seed")
    for email, _, _ in DEMO_ACCOUNTS:
        listed = (
            ApiClient(app, enters(flask, anonymous, email)["access_token"]).get("/projects").json["items"]
        )
        wanted = {name: "owner" for name, _ in DEMO_PROJECTS.get(email, ())}
        wanted |= {
            name: role for name, members in DEMO_MEMBERS.items() for who, role in members if who == email
        }
        assert {project["name"]: project["my_role"] for project in listed} == wanted


def test_the_code_of_the_demo_follows_the_services_clock(flask, anonymous, advance):
    flask("seed")
    code = flask("demo-code").output
    advance(minutes=5)
    assert flask("demo-code").output != code
    enters(flask, anonymous, "ada@example.com")


def test_production_has_no_demo_code(make_app):
    from tests.fixtures.command_line import command_line

    refused = command_line(make_app(app_env="production"))("demo-code")
    assert refused.exit_code == 1
    assert refused.output == "Error: the demo cast is for development\n"


def test_a_second_time_changes_nothing(flask, sql):
    flask("seed")
    before = sql("SELECT count(*), max(updated_at) FROM users")
    result = flask("seed")
    assert result.exit_code == 0
    assert result.output == "The demo cast lives here already.\n"
    assert sql("SELECT count(*), max(updated_at) FROM users") == before


def test_a_half_made_cast_is_not_left_behind(flask, alice, sql):
    """One transaction: where Alice has an account already, nobody else gets one."""
    result = flask("seed")
    assert result.exit_code == 1
    assert result.output == "Error: one of the demo addresses has an account already; nothing was changed\n"
    assert sql("SELECT email FROM users") == [(alice.email,)]
    assert sql("SELECT demo_seeded_at FROM system_state") == [(None,)]


@pytest.mark.parametrize(
    "words", [["--projects-each", "3"], ["--password", "sea otters hold hands"], ["--accounts", "0"]]
)
def test_numbers_of_a_load_without_its_accounts_are_a_slip(flask, sql, words):
    assert flask("seed", *words).exit_code == 2
    assert sql("SELECT count(*) FROM users") == [(0,)]


def test_production_refuses_to_be_seeded(make_app, sql):
    """SEC-56."""
    from tests.fixtures.command_line import command_line

    production = make_app(
        app_env="production", public_url="https://api.example.com", bcrypt_cost=10, mailbox_dir=None,
        smtp_url="smtp://127.0.0.1:25",
    )  # fmt: skip
    for words in (["seed"], ["seed", "--accounts", "1"]):
        result = command_line(production)(*words)
        assert result.exit_code == 1
        assert "seeding is for development" in result.output
    assert sql("SELECT count(*) FROM users") == [(0,)]
