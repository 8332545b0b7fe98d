"""transferProject: there is always exactly one owner (SEC-42)."""

import pytest

from tests.fixtures.accounts import code_of, refreshes
from tests.fixtures.people import make_person
from tests.fixtures.projects import NO_SUCH_ID


def transfers(person, project, heir):
    return person.post(f"/projects/{project.id}/transfer", json={"user_id": str(heir.user.id)})


def test_an_anonymous_caller_is_refused(anonymous, bob, reef):
    assert transfers(anonymous, reef, bob).status_code == 401


def test_the_heir_owns_it_and_the_giver_stays_as_an_admin(alice, bob, reef, roles_in, row_of, events_of):
    before = row_of(reef.id)
    answer = transfers(alice, reef, bob)
    assert answer.status_code == 200
    assert (answer.json["my_role"], answer.json["owner_id"]) == ("admin", str(bob.user.id))
    assert answer.json["version"] == before["version"] + 1
    assert roles_in(reef) == {"Alice": "admin", "Bob": "owner"}
    assert bob.get(f"/projects/{reef.id}").json["my_role"] == "owner"
    assert [kind for kind, *_ in events_of(reef.id)][-3:].count("project.transferred") == 1
    assert code_of(transfers(alice, reef, bob)) == (403, "forbidden")


def test_the_heir_is_told_by_mail_and_the_trail_knows(alice, bob, reef, letters, sql):
    transfers(alice, reef, bob)
    (mail,) = letters("bob@example.com")
    assert "Alice made you the owner" in mail.text
    assert "Reef survey" in mail.text
    assert sql(
        "SELECT user_id::text, actor_id::text, data FROM audit_events WHERE kind = 'project.transferred'"
    ) == [(str(bob.user.id), str(alice.user.id), {"project_id": str(reef.id)})]


def test_who_gave_it_on_before_the_mail_was_sent_gets_none(alice, bob, charlie, reef, joins, letters):
    joins(charlie, reef, "viewer")
    transfers(alice, reef, bob)
    assert transfers(bob, reef, charlie).status_code == 200
    assert letters("bob@example.com") == []
    assert len(letters("charlie@example.com")) == 1


@pytest.mark.parametrize("role", ["viewer", "editor", "admin"])
def test_only_the_owner_gives_it_away(alice, bob, charlie, reef, joins, roles_in, role):
    joins(charlie, reef, role)
    for heir in (charlie, bob):
        assert code_of(transfers(charlie, reef, heir)) == (403, "forbidden")
    assert roles_in(reef)["Alice"] == "owner"


def test_a_stranger_does_not_learn_that_it_exists(charlie, bob, reef):
    assert code_of(transfers(charlie, reef, bob)) == (404, "not_found")


def test_sec_29_it_needs_a_proof_of_identity(alice, bob, reef, advance, roles_in):
    advance(minutes=16)
    alice.token = refreshes(alice, alice.refresh_token).json["access_token"]
    assert code_of(transfers(alice, reef, bob)) == (403, "step_up_required")
    assert roles_in(reef)["Alice"] == "owner"


def test_an_heir_is_a_member_who_can_act(app, alice, bob, charlie, reef, sql):
    missing = alice.post(f"/projects/{reef.id}/transfer", json={"user_id": NO_SUCH_ID})
    for answer in (transfers(alice, reef, charlie), transfers(alice, reef, alice), missing):
        assert code_of(answer) == (422, "validation_failed")
        assert answer.json["errors"][0]["field"] == "user_id"
    for status in ("suspended", "deletion_scheduled"):
        sql("UPDATE users SET status = %s WHERE id = %s", (status, str(bob.user.id)))
        assert code_of(transfers(alice, reef, bob)) == (422, "validation_failed")


@pytest.mark.parametrize(
    ("state", "code"), [("archived", "project_archived"), ("deleted", "project_deleted")]
)
def test_what_is_read_only_keeps_its_owner(alice, bob, joins, projects, state, code):
    project = alice.creates()
    joins(bob, project, "editor")
    {"archived": projects.archive, "deleted": projects.trash}[state](alice.actor, project.id)
    assert code_of(transfers(alice, project, bob)) == (409, code)


def test_sec_42_of_twenty_at_once_one_wins_and_one_owner_remains(app, alice, bob, reef, joins, at_once, sql):
    heirs = [make_person(app, f"Heir{number}") for number in range(20)]
    for heir in heirs:
        joins(heir, reef, "admin")
    answers = at_once(20, lambda number: transfers(alice, reef, heirs[number]).status_code)
    assert sorted(answers) == [200] + [403] * 19
    owners = sql(
        "SELECT m.user_id::text, p.owner_id::text FROM project_members m JOIN projects p ON p.id = m.project_id"
        " WHERE m.role = 'owner'"
    )
    assert len(owners) == 1
    assert owners[0][0] == owners[0][1]


def test_sec_42_transfer_leave_and_removal_at_once_leave_one_owner(alice, bob, reef, at_once, sql):
    """Bob is given the project, leaves it and is removed at the same moment, again and again."""
    acts = (
        lambda: transfers(alice, reef, bob).status_code,
        lambda: bob.post(f"/projects/{reef.id}/leave").status_code,
        lambda: alice.delete(f"/projects/{reef.id}/members/{bob.user.id}").status_code,
    )
    answers = at_once(12, lambda number: acts[number % 3]())
    assert set(answers) <= {200, 204, 403, 404, 409, 422}
    ((owner, noted),) = sql(
        "SELECT m.user_id::text, p.owner_id::text FROM project_members m JOIN projects p ON p.id = m.project_id"
        " WHERE m.role = 'owner'"
    )
    assert owner == noted
