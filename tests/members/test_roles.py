"""updateMember and removeMember: nobody grants or takes at or above the own role (SEC-42)."""

import pytest

from tests.fixtures.accounts import code_of
from tests.fixtures.projects import NO_SUCH_ID

RANK = ("viewer", "editor", "admin", "owner")
GRANTED = ("viewer", "editor", "admin")
FORBIDDEN = (403, "forbidden")


def changes_role(person, project, member, role):
    return person.patch(f"/projects/{project.id}/members/{member.user.id}", json={"role": role})


def removes(person, project, member):
    return person.delete(f"/projects/{project.id}/members/{member.user.id}")


@pytest.fixture
def acting(request, alice, charlie, joins):
    """``acting("admin", project)``: somebody with that role in Alice's project."""

    def find(role, project):
        if role == "owner":
            return alice
        joins(charlie, project, role)
        return charlie

    return find


def may(own, target, granted="viewer"):
    return own in ("admin", "owner") and RANK.index(own) > max(RANK.index(target), RANK.index(granted))


@pytest.mark.parametrize("granted", GRANTED)
@pytest.mark.parametrize("target", GRANTED)
@pytest.mark.parametrize("own", RANK)
def test_sec_42_every_role_gives_every_role_to_every_role(
    alice, bob, joins, acting, roles_in, own, target, granted
):
    project = alice.creates()
    joins(bob, project, target)
    answer = changes_role(acting(own, project), project, bob, granted)
    if may(own, target, granted):
        assert answer.status_code == 200
        assert (answer.json["role"], answer.json["email"]) == (granted, "bob@example.com")
        assert roles_in(project)["Bob"] == granted
        assert bob.get(f"/projects/{project.id}").json["my_role"] == granted
    else:
        assert code_of(answer) == FORBIDDEN
        assert roles_in(project)["Bob"] == target


@pytest.mark.parametrize("target", GRANTED)
@pytest.mark.parametrize("own", RANK)
def test_sec_42_every_role_removes_every_role(alice, bob, joins, acting, roles_in, own, target):
    project = alice.creates()
    joins(bob, project, target)
    assert bob.get(f"/projects/{project.id}").status_code == 200
    answer = removes(acting(own, project), project, bob)
    if may(own, target):
        assert answer.status_code == 204
        assert "Bob" not in roles_in(project)
        assert code_of(bob.get(f"/projects/{project.id}")) == (404, "not_found")
    else:
        assert code_of(answer) == FORBIDDEN
        assert roles_in(project)["Bob"] == target


def test_an_anonymous_caller_is_refused(anonymous, bob, reef, roles_in):
    before = roles_in(reef)
    assert changes_role(anonymous, reef, bob, "viewer").status_code == 401
    assert removes(anonymous, reef, bob).status_code == 401
    assert roles_in(reef) == before


def test_a_stranger_does_not_learn_that_the_project_exists(charlie, bob, reef):
    assert code_of(changes_role(charlie, reef, bob, "viewer")) == (404, "not_found")
    assert code_of(removes(charlie, reef, bob)) == (404, "not_found")


def test_the_owner_stays_the_owner(alice, charlie, reef, joins, roles_in):
    joins(charlie, reef, "admin")
    for answer in (changes_role(alice, reef, alice, "viewer"), removes(alice, reef, alice)):
        assert code_of(answer) == (409, "last_owner")
    for answer in (changes_role(charlie, reef, alice, "viewer"), removes(charlie, reef, alice)):
        assert code_of(answer) == FORBIDDEN
    assert roles_in(reef)["Alice"] == "owner"


def test_ownership_is_not_granted(alice, bob, reef):
    answer = changes_role(alice, reef, bob, "owner")
    assert code_of(answer) == (422, "validation_failed")
    assert answer.json["errors"][0]["field"] == "role"


def test_sec_40_a_member_of_another_project_is_not_one_of_this(alice, bob, charlie, reef, joins):
    other = alice.creates("Kelp survey")
    joins(charlie, other, "viewer")
    for project, member in ((reef, charlie), (other, bob)):
        assert code_of(changes_role(alice, project, member, "viewer")) == (404, "not_found")
        assert code_of(removes(alice, project, member)) == (404, "not_found")
    assert alice.delete(f"/projects/{reef.id}/members/{NO_SUCH_ID}").status_code == 404


@pytest.mark.parametrize(
    ("state", "code"), [("archived", "project_archived"), ("deleted", "project_deleted")]
)
def test_what_is_read_only_keeps_its_members(alice, bob, joins, projects, roles_in, state, code):
    project = alice.creates()
    joins(bob, project, "editor")
    {"archived": projects.archive, "deleted": projects.trash}[state](alice.actor, project.id)
    assert code_of(changes_role(alice, project, bob, "viewer")) == (409, code)
    assert code_of(removes(alice, project, bob)) == (409, code)
    assert roles_in(project)["Bob"] == "editor"


def test_the_same_role_again_is_no_change(alice, bob, reef, events_of):
    before = events_of(reef.id)
    assert changes_role(alice, reef, bob, "editor").status_code == 200
    assert events_of(reef.id) == before


def test_a_change_and_a_removal_are_told_as_events_without_an_address(alice, bob, reef, events_of):
    changes_role(alice, reef, bob, "viewer")
    removes(alice, reef, bob)
    assert events_of(reef.id)[-2:] == [
        ("member.role_changed", str(alice.user.id), {"role": {"before": "editor", "after": "viewer"}}),
        ("member.removed", str(alice.user.id), {"role": {"before": "viewer", "after": None}}),
    ]


def test_two_at_once_remove_one_member_once(app, alice, bob, reef, at_once, events_of):
    answers = at_once(4, lambda _number: removes(alice, reef, bob).status_code)
    assert sorted(answers) == [204, 404, 404, 404]
    assert [kind for kind, *_ in events_of(reef.id)].count("member.removed") == 1
