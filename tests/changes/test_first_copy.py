"""Without ``since``: everything that somebody may see, and a cursor that goes on from there."""

import pytest


def test_everything_visible_as_get_project_shows_it_with_my_role(alice, bob, memberships, in_state):
    own, shared = bob.creates("Kelp"), alice.creates("Reef survey", "What grows where.")
    memberships.add(bob, shared.id, "editor")
    alice.creates("Nobody's business of Bob")
    archived = in_state(bob, "archived", "Old")
    in_state(bob, "deleted", "In the trash")
    page = bob.get("/projects/changes").json
    assert [item["id"] for item in page["items"]] == sorted(str(each.id) for each in (own, shared, archived))
    for item in page["items"]:
        assert (item["type"], item["object"]) == ("upsert", "project")
        assert item["project"] == bob.get(f"/projects/{item['id']}").json
        assert item["changed_at"] == item["project"]["updated_at"]
    roles = {item["project"]["name"]: item["project"]["my_role"] for item in page["items"]}
    assert roles == {"Kelp": "owner", "Reef survey": "editor", "Old": "owner"}


def test_who_has_nothing_gets_a_live_cursor_all_the_same(alice, follows):
    page = alice.get("/projects/changes").json
    assert (page["items"], page["has_more"]) == ([], False)
    follower = follows(alice)
    alice.creates("Kelp")
    assert follower.polls() == [("upsert", "Kelp")]


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_it_is_paged_by_limit_each_project_once(alice, plant, follows, limit):
    ids = plant(alice, [f"number {number}" for number in range(7)])
    plant(alice, ["in the trash"], status="deleted")
    follower = follows(alice, limit)
    assert [item["id"] for item in follower.told] == [str(each) for each in sorted(ids)]
    assert follower.polls() == []


def test_only_the_last_page_says_that_there_is_no_more(alice, plant):
    plant(alice, ["a", "b", "c", "d"])
    seen, cursor = [], {}
    for _ in range(2):
        page = alice.get("/projects/changes", query_string={"limit": 2, **cursor}).json
        seen.append(page["has_more"])
        cursor = {"since": page["next_cursor"]}
    assert seen == [True, False]


def test_what_changes_between_its_pages_comes_afterwards(alice, bob, plant, projects, memberships, follows):
    """The cursor's snapshot is of the first page: passed already, still to come, gained and lost."""
    ids = sorted(plant(alice, ["a", "b", "c", "d"]))
    for each in ids:
        memberships.add(bob, each, "viewer")
    follower = follows(bob, limit=100)
    follower.cursor, follower.copy, follower.limit = None, {}, 2
    assert follower.page()["has_more"]
    projects.update(alice.actor, ids[0], {"name": "renamed when passed"})
    memberships.remove(bob, ids[1])
    projects.update(alice.actor, ids[2], {"name": "renamed before it came"})
    projects.trash(alice.actor, ids[3])
    gained = alice.creates("gained")
    memberships.add(bob, gained.id, "viewer")
    follower.polls()  # what is left of the copy
    assert sorted(follower.polls()) == sorted([
        ("upsert", "renamed when passed"), ("removed", str(ids[1])), ("upsert", "renamed before it came"),
        ("removed", str(ids[3])), ("upsert", "gained"),
    ])  # fmt: skip
    assert {item["name"] for item in follower.copy.values()} == {
        "renamed when passed", "renamed before it came", "gained",
    }  # fmt: skip
    assert follower.polls() == []
