"""listMembers: who belongs to a project; addresses are for those who invite and remove."""

import pytest

from tests.fixtures.accounts import as_bytes, code_of
from tests.fixtures.people import make_person
from tests.fixtures.projects import NO_SUCH_ID


def test_an_anonymous_caller_is_refused(anonymous, reef):
    assert code_of(anonymous.get(f"/projects/{reef.id}/members")) == (401, "not_authenticated")


def test_sec_39_a_stranger_gets_the_same_bytes_as_for_a_missing_id(charlie, reef):
    told, missing = (
        charlie.get(f"/projects/{project_id}/members", headers={"X-Request-ID": "same-for-both"})
        for project_id in (reef.id, NO_SUCH_ID)
    )
    assert code_of(told) == (404, "not_found")
    assert as_bytes(told) == as_bytes(missing)


def test_every_member_sees_names_and_roles_in_the_order_of_joining(alice, bob, reef):
    for person in (alice, bob):
        page = person.get(f"/projects/{reef.id}/members?include_total=true").json
        assert [(each["user"]["display_name"], each["role"]) for each in page["items"]] == [
            ("Alice", "owner"), ("Bob", "editor"),
        ]  # fmt: skip
        assert (page["total"], page["has_more"]) == (2, False)


@pytest.mark.parametrize(("role", "shown"), [("viewer", False), ("editor", False), ("admin", True)])
def test_addresses_are_shown_to_admins_and_the_owner(alice, charlie, reef, joins, role, shown):
    joins(charlie, reef, role)
    seen = {each["email"] for each in charlie.get(f"/projects/{reef.id}/members").json["items"]}
    everybody = {"alice@example.com", "bob@example.com", "charlie@example.com"}
    assert seen == (everybody if shown else {None})
    assert {each["email"] for each in alice.get(f"/projects/{reef.id}/members").json["items"]} == everybody


def test_pages_follow_each_other_and_a_cursor_is_good_for_one_person_and_project(
    app, alice, bob, reef, joins
):
    for number in range(5):
        joins(make_person(app, f"Guest{number}"), reef, "viewer")
    first = alice.get(f"/projects/{reef.id}/members?limit=4").json
    second = alice.get(f"/projects/{reef.id}/members?limit=4&cursor={first['next_cursor']}").json
    names = [each["user"]["display_name"] for each in first["items"] + second["items"]]
    assert names == ["Alice", "Bob", *(f"Guest{number}" for number in range(5))]
    assert second["next_cursor"] is None
    for person, project in ((bob, reef), (alice, alice.creates())):
        answer = person.get(f"/projects/{project.id}/members?cursor={first['next_cursor']}")
        assert code_of(answer) == (422, "invalid_cursor")


def test_the_trash_has_members_for_its_owner_alone(alice, bob, reef, projects):
    projects.trash(alice.actor, reef.id)
    assert alice.get(f"/projects/{reef.id}/members").status_code == 200
    assert code_of(bob.get(f"/projects/{reef.id}/members")) == (404, "not_found")


def test_a_page_is_two_statements_however_long(app, alice, reef, joins, statements):
    for number in range(30):
        joins(make_person(app, f"Guest{number}"), reef, "viewer")
    alice.get("/me")
    with statements() as sent:
        assert len(alice.get(f"/projects/{reef.id}/members?limit=100").json["items"]) == 32
    assert [each for each in sent if each != "SELECT sessions"] == [
        "SELECT projects", "SELECT project_members",
    ]  # fmt: skip
