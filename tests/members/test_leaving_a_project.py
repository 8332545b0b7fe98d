"""leaveProject: everybody but the owner may go, at any time."""

import pytest

from tests.fixtures.accounts import code_of


def leaves(person, project):
    return person.post(f"/projects/{project.id}/leave")


def test_an_anonymous_caller_is_refused(anonymous, reef):
    assert leaves(anonymous, reef).status_code == 401


@pytest.mark.parametrize("role", ["viewer", "editor", "admin"])
def test_who_leaves_sees_it_no_longer(alice, charlie, reef, joins, roles_in, events_of, role):
    joins(charlie, reef, role)
    assert charlie.get(f"/projects/{reef.id}").status_code == 200
    assert leaves(charlie, reef).status_code == 204
    assert code_of(charlie.get(f"/projects/{reef.id}")) == (404, "not_found")
    assert charlie.get("/projects").json["items"] == []
    assert "Charlie" not in roles_in(reef)
    assert events_of(reef.id)[-1] == (
        "member.left", str(charlie.user.id), {"role": {"before": role, "after": None}},
    )  # fmt: skip


def test_leaving_twice_is_leaving_once(alice, charlie, reef, joins, events_of):
    """An answer that was lost on the way may be asked for again; whoever never belonged, or was removed, is a stranger."""
    assert code_of(leaves(charlie, reef)) == (404, "not_found")
    joins(charlie, reef, "viewer")
    assert [leaves(charlie, reef).status_code for _ in range(2)] == [204, 204]
    assert [kind for kind, *_ in events_of(reef.id)].count("member.left") == 1
    joins(charlie, reef, "viewer")
    alice.delete(f"/projects/{reef.id}/members/{charlie.user.id}")
    assert code_of(leaves(charlie, reef)) == (404, "not_found")


def test_the_owner_transfers_first(alice, reef, roles_in):
    assert code_of(leaves(alice, reef)) == (409, "last_owner")
    assert roles_in(reef)["Alice"] == "owner"


def test_an_archived_project_may_be_left_and_the_trash_is_not_there(
    alice, bob, charlie, reef, joins, projects
):
    joins(charlie, reef, "viewer")
    projects.archive(alice.actor, reef.id)
    assert leaves(bob, reef).status_code == 204
    projects.trash(alice.actor, reef.id)
    assert code_of(leaves(charlie, reef)) == (404, "not_found")
