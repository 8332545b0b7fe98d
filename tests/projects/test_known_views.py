"""Lists of projects that a process knows by now: never another version, another role, or somebody else's additions."""

from dataclasses import replace
from threading import Thread

from app.core.pagination import PageRequest
from app.projects.filters import ProjectFilters
from app.projects.statements import SOME_PLAIN


def listed(person, query=""):
    return person.get(f"/projects{query}").json["items"]


def test_what_is_added_for_one_answer_is_not_in_the_next(alice):
    reef = alice.creates()
    for _ in range(2):
        assert listed(alice)[0]["owner"] is None
        assert listed(alice, "?expand=owner,counts")[0]["owner"]["display_name"] == "Alice"
        assert listed(alice)[0]["owner"] is None
        assert alice.get(f"/projects/{reef.id}").json["counts"] is None
        assert alice.get(f"/projects/{reef.id}?expand=counts").json["counts"]["members"] == 1
        assert alice.get(f"/projects/{reef.id}").json["counts"] is None


def test_each_member_is_shown_their_own_role(alice, bob, joins):
    reef = alice.creates()
    joins(bob, reef, "viewer")
    for _ in range(2):
        assert [listed(person)[0]["my_role"] for person in (alice, bob)] == ["owner", "viewer"]
    alice.patch(f"/projects/{reef.id}/members/{bob.user.id}", json={"role": "editor"})
    assert listed(bob)[0]["my_role"] == "editor"


def test_a_removed_member_and_a_stranger_are_shown_nothing(alice, bob, charlie, joins):
    reef = alice.creates()
    joins(bob, reef, "editor")
    for person in (alice, bob, charlie, alice, bob, charlie):
        assert len(listed(person)) == (person is not charlie)
    alice.delete(f"/projects/{reef.id}/members/{bob.user.id}")
    assert listed(bob) == []


def test_every_change_is_shown_in_the_next_list(alice):
    reef = alice.creates()
    for change, shown in [
        (lambda: alice.patch(f"/projects/{reef.id}", json={"name": "Kelp"}), ("Kelp", "active")),
        (lambda: alice.post(f"/projects/{reef.id}/archive"), ("Kelp", "archived")),
        (lambda: alice.post(f"/projects/{reef.id}/unarchive"), ("Kelp", "active")),
        (lambda: alice.delete(f"/projects/{reef.id}"), ("Kelp", "deleted")),
        (lambda: alice.post(f"/projects/{reef.id}/restore"), ("Kelp", "active")),
    ]:
        every = "?status=active,archived,deleted"
        listed(alice, every)
        change()
        assert [(each["name"], each["status"]) for each in listed(alice, every)] == [shown]


def test_the_same_version_of_another_time_is_another_row(alice, sql, parts):
    """As after a restore of the database and a flush of the cache."""
    reef = alice.creates("Reef")
    listed(alice)
    listed(alice)
    sql(
        "UPDATE projects SET name = 'Restored', updated_at = updated_at + interval '1 second' WHERE id = %s",
        (str(reef.id),),
    )
    parts.engines.cache.clear()
    assert [each["name"] for each in listed(alice)] == ["Restored"]


def test_a_project_that_changes_between_the_two_statements_is_read_in_one(
    alice, bob, joins, parts, monkeypatch
):
    """Bob is told of a project, and its owner moves it to the trash before its row is read."""
    reef, kelp = alice.creates("Reef"), alice.creates("Kelp")
    for project in (reef, kelp):
        joins(bob, project, "editor")
    listed(bob)
    alice.patch(f"/projects/{reef.id}", json={"name": "Reef survey"})
    read, trashed = SOME_PLAIN.all, []

    def after_the_trash(connection, values):
        other = Thread(
            target=lambda: trashed.append(alice.delete(f"/projects/{reef.id}").status_code), daemon=True
        )
        other.start()
        other.join()
        return read(connection, values)

    monkeypatch.setattr(SOME_PLAIN, "all", after_the_trash)
    assert [each["name"] for each in listed(bob)] == ["Kelp"]
    assert trashed == [204]


def test_pages_of_known_projects_go_on_where_they_ended(alice, plant):
    plant(alice, [f"number {number}" for number in range(7)])
    seen = []
    for _ in range(2):
        names, cursor = [], ""
        while cursor is not None:
            page = alice.get(f"/projects?limit=3{cursor and '&cursor=' + cursor}").json
            names += [each["name"] for each in page["items"]]
            cursor = page["next_cursor"]
        seen.append(names)
    assert seen[0] == seen[1] == [f"number {number}" for number in reversed(range(7))]


def test_every_order_and_filter_is_answered_alike_from_memory(alice, plant):
    plant(alice, ["Kelp", "reef", "Dunes"])
    plant(alice, ["Old kelp"], status="archived")
    listed(alice)
    for query in (
        "?sort=name",
        "?sort=-created_at",
        "?sort=updated_at",
        "?status=archived",
        "?role=owner",
        "?q=kelp",
    ):
        assert listed(alice, query) == listed(alice, query)
        assert listed(alice, query)


def test_cache_off_reads_all_each_time(make_app, alice, statements, projects):
    """CACHE_ENABLED=false switches off this memory too."""
    app = make_app(cache_enabled=False)
    assert app.extensions["holdfast"].services[type(projects)]._projects._known is None


def test_a_view_that_is_shared_is_not_the_one_that_is_added_to(alice, projects, parts):
    alice.creates()
    asked = (alice.actor, ProjectFilters(), PageRequest())
    projects.list_visible(*asked)
    plain = projects.list_visible(*asked).items[0]
    parts.engines.cache.clear()
    assert projects.list_visible(*asked).items[0] is plain
    expanded = projects.list_visible(*asked, ("owner",)).items[0]
    assert expanded is not plain
    assert (plain.owner, expanded.owner["display_name"]) == (None, "Alice")
    assert replace(expanded, owner=None) == plain


def test_a_view_is_known_for_minutes_and_a_long_one_not_at_all(alice, parts, wall, sql):
    short, long = alice.creates("Reef"), alice.creates("Kelp", "k" * 1_000)
    listed(alice)
    sql("UPDATE projects SET name = 'Changed by hand'")
    parts.engines.cache.clear()
    assert [each["name"] for each in listed(alice)] == ["Changed by hand", "Reef"]
    wall(301)
    assert [each["name"] for each in listed(alice)] == ["Changed by hand"] * 2
    assert {str(short.id), str(long.id)} == {each["id"] for each in listed(alice)}
