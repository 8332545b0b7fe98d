"""The permission table of invitations, cell by cell (SEC-38, SEC-42): role, state of the project, offered role."""

import pytest

from tests.fixtures.invitations import asks_to_invite, code_of, invites, listed, resends, revokes
from tests.fixtures.projects import NO_SUCH_ID

ROLES = ("viewer", "editor", "admin", "owner", "stranger")
FORBIDDEN, MISSING = (403, "forbidden"), (404, "not_found")
ARCHIVED, DELETED = (409, "project_archived"), (409, "project_deleted")
TABLE = {
    # operation, state of the project: the answer to viewer, editor, admin, owner, stranger
    ("list", "active"): (FORBIDDEN, FORBIDDEN, 200, 200, MISSING),
    ("list", "archived"): (FORBIDDEN, FORBIDDEN, 200, 200, MISSING),
    ("list", "deleted"): (MISSING, MISSING, MISSING, 200, MISSING),
    ("create", "active"): (FORBIDDEN, FORBIDDEN, 201, 201, MISSING),
    ("create", "archived"): (FORBIDDEN, FORBIDDEN, ARCHIVED, ARCHIVED, MISSING),
    ("create", "deleted"): (MISSING, MISSING, MISSING, DELETED, MISSING),
    ("resend", "active"): (FORBIDDEN, FORBIDDEN, 202, 202, MISSING),
    ("resend", "archived"): (FORBIDDEN, FORBIDDEN, ARCHIVED, ARCHIVED, MISSING),
    ("resend", "deleted"): (MISSING, MISSING, MISSING, DELETED, MISSING),
    ("revoke", "active"): (FORBIDDEN, FORBIDDEN, 204, 204, MISSING),
    ("revoke", "archived"): (FORBIDDEN, FORBIDDEN, ARCHIVED, ARCHIVED, MISSING),
    ("revoke", "deleted"): (MISSING, MISSING, MISSING, DELETED, MISSING),
}
WAITS = "guest@example.com"
ACTS = {
    "list": lambda person, project, _: person.get(f"/projects/{project.id}/invitations"),
    "create": lambda person, project, _: asks_to_invite(person, project, "dana@example.com", "viewer"),
    "resend": resends,
    "revoke": revokes,
}
OFFERS = {
    # who: what they may offer
    "viewer": set(),
    "editor": set(),
    "admin": {"viewer", "editor"},
    "owner": {"viewer", "editor", "admin"},
}


@pytest.fixture
def person_as(request):
    """``person_as("editor")``: who plays that part; only they are made."""
    cast = {"owner": "alice", "stranger": "charlie"}
    return lambda role: request.getfixturevalue(cast.get(role, "bob"))


@pytest.fixture
def invited(projects):
    """A project in some state with one open invitation to be an editor."""

    def make(owner, state):
        project = owner.creates()
        invitation = invites(owner, project, WAITS, "editor")
        if state == "archived":
            projects.archive(owner.actor, project.id)
        if state == "deleted":
            projects.trash(owner.actor, project.id)
        return project, invitation

    return make


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_the_table_says(alice, person_as, joins, invited, new_day, sql, role, subtests):
    person = person_as(role)
    for (act, state), answers in TABLE.items():
        with subtests.test(act=act, state=state):
            new_day()
            project, invitation = invited(alice, state)
            if role in OFFERS and role != "owner":
                joins(person, project, role)
            before = sql("SELECT * FROM invitations")
            answer, expected = ACTS[act](person, project, invitation), answers[ROLES.index(role)]
            if isinstance(expected, int):
                assert answer.status_code == expected
            else:
                assert code_of(answer) == expected
                assert WAITS not in answer.text
                assert sql("SELECT * FROM invitations") == before


@pytest.mark.parametrize("role", OFFERS)
@pytest.mark.parametrize("offered", ["viewer", "editor", "admin"])
def test_sec_42_nobody_offers_the_own_role_or_a_higher_one(alice, person_as, joins, reef, sql, role, offered):
    person = person_as(role)
    if role != "owner":
        joins(person, reef, role)
    answer = asks_to_invite(person, reef, "dana@example.com", offered)
    if offered in OFFERS[role]:
        assert (answer.status_code, answer.json["role"]) == (201, offered)
    else:
        assert code_of(answer) == FORBIDDEN
        assert sql("SELECT count(*) FROM invitations") == [(0,)]


def test_sec_42_an_admin_does_not_touch_an_offer_that_is_not_theirs_to_make(alice, bob, reef, joins):
    joins(bob, reef, "admin")
    invitation = invites(alice, reef, "dana@example.com", "admin")
    assert code_of(resends(bob, reef, invitation)) == FORBIDDEN
    assert code_of(revokes(bob, reef, invitation)) == FORBIDDEN
    assert listed(bob, reef) == [("dana@example.com", "pending")]


def test_sec_39_a_stranger_gets_the_same_bytes_as_for_a_missing_project(alice, charlie, invited):
    for state in ("active", "archived", "deleted"):
        project, invitation = invited(alice, state)
        for method, rest, options in (
            ("GET", "", {}),
            ("POST", "", {"json": {"email": "dana@example.com", "role": "viewer"}}),
            ("POST", f"/{invitation['id']}/resend", {}),
            ("DELETE", f"/{invitation['id']}", {}),
        ):
            told, missing = (
                charlie.open(
                    method, f"/projects/{identifier}/invitations{rest}",
                    headers={"X-Request-ID": "same-for-both"}, **options,
                )
                for identifier in (project.id, NO_SUCH_ID)
            )  # fmt: skip
            assert told.status_code == 404
            assert told.get_data() == missing.get_data()


def test_sec_40_an_invitation_is_reached_through_its_own_project_only(alice, reef, sql):
    other = alice.creates("Kelp survey")
    invitation = invites(alice, reef)
    before = sql("SELECT * FROM invitations")
    for answer in (resends(alice, other, invitation), revokes(alice, other, invitation)):
        assert code_of(answer) == MISSING
    assert sql("SELECT * FROM invitations") == before


def test_being_an_administrator_of_the_site_opens_nothing(ada, alice, invited):
    project, invitation = invited(alice, "active")
    for act in ACTS.values():
        assert code_of(act(ada, project, invitation)) == MISSING


def test_who_is_not_signed_in_is_told_so(anonymous, alice, invited):
    project, invitation = invited(alice, "active")
    for act in ACTS.values():
        assert code_of(act(anonymous, project, invitation)) == (401, "not_authenticated")
