"""Lists that a process keeps (decision 41): what anybody changes is in the next list of everybody, wherever it is asked for."""

import threading

import orjson
import pytest

from app.core.pagination import PageRequest
from app.projects.filters import ProjectFilters
from app.projects.kept_lists import LETTERS, LONGEST
from tests.fixtures.lists import listed

EVERY = "?status=active,archived,deleted"


def shown(person, query=EVERY):
    return [(each["name"], each["status"], each["my_role"]) for each in listed(person, query)]


def test_an_anonymous_caller_is_shown_nothing_that_is_kept(alice, anonymous):
    alice.creates()
    listed(alice)
    assert anonymous.get("/projects").status_code == 401


def test_the_second_list_is_sent_from_memory_as_the_first_was(alice, plant, kept):
    plant(alice, [f"number {number}" for number in range(25)])
    for query in ("", "?limit=50", "?sort=name", "?include_total=true", "?status=archived"):
        first = alice.get(f"/projects{query}")
        answers = []
        times = kept(lambda query=query, answers=answers: answers.append(alice.get(f"/projects{query}")))
        assert (answers[0].data, answers[0].content_type) == (first.data, first.content_type)
        assert times == (0 if query == "?status=archived" else 1), "an empty list tells nothing of crowds"


def test_the_next_page_is_kept_too_and_a_cursor_is_nobody_elses(alice, bob, plant):
    plant(alice, [f"number {number}" for number in range(5)])
    plant(bob, ["his own"])
    cursor = alice.get("/projects?limit=2").json["next_cursor"]
    following = f"?limit=2&cursor={cursor}"
    assert listed(alice, following) == listed(alice, following)
    assert bob.get(f"/projects{following}").json["code"] == "invalid_cursor"
    assert alice.get(f"/projects{following}x").json["code"] == "invalid_cursor"


def test_who_is_let_into_a_crowd_is_listed_it(alice, bob, crowd, elsewhere, reef_invitation):
    """What was kept for him before is told, though no other member of it is."""
    invitation, reef = reef_invitation
    bob.creates("His")
    crowd(alice, reef, 20)
    there = elsewhere(bob)
    for person in (bob, there, bob, there):
        assert [each["name"] for each in listed(person)] == ["His"]
    assert bob.post(f"/invitations/{invitation['id']}/accept").status_code == 200
    for person in (bob, there):
        assert sorted(each["name"] for each in listed(person)) == ["His", "Reef"]


def test_a_page_of_much_text_is_read_each_time(alice, kept):
    for number in range(LETTERS // 4_000 + 1):
        alice.creates(f"number {number}", "k" * 4_000)
    first = listed(alice)
    assert kept(lambda: listed(alice)) == 0
    assert listed(alice) == first


def test_a_long_page_and_what_is_searched_for_are_read_each_time(alice, plant, kept):
    plant(alice, [f"number {number}" for number in range(LONGEST + 1)])
    for query in (f"?limit={LONGEST + 1}", "?q=number", "?expand=owner"):
        listed(alice, query)
        assert kept(lambda query=query: listed(alice, query)) == 0


def test_whoever_changes_it_wherever_all_members_are_shown_it(alice, bob, joins, elsewhere, subtests):
    """Each change through one process; before it, lists were kept in both."""
    reef = alice.creates("Reef")
    joins(bob, reef, "admin")
    there = {person: elsewhere(person) for person in (alice, bob)}
    path, member = f"/projects/{reef.id}", f"/projects/{reef.id}/members/{bob.user.id}"
    for what, change, alices, bobs in [
        ("a new name", lambda: bob.patch(path, json={"name": "Kelp"}), "Kelp active owner", "Kelp active admin"),
        ("elsewhere", lambda: there[bob].patch(path, json={"name": "Dune"}), "Dune active owner", "Dune active admin"),
        ("archived", lambda: alice.post(f"{path}/archive"), "Dune archived owner", "Dune archived admin"),
        ("unarchived", lambda: there[alice].post(f"{path}/unarchive"), "Dune active owner", "Dune active admin"),
        ("another role", lambda: alice.patch(member, json={"role": "viewer"}), "Dune active owner", "Dune active viewer"),
        ("in the trash", lambda: alice.delete(path), "Dune deleted owner", ""),
        ("restored", lambda: there[alice].post(f"{path}/restore"), "Dune active owner", "Dune active viewer"),
        ("handed over", lambda: alice.post(f"{path}/transfer", json={"user_id": str(bob.user.id)}),
         "Dune active admin", "Dune active owner"),
        ("left", lambda: there[alice].post(f"{path}/leave"), "", "Dune active owner"),
    ]:  # fmt: skip
        with subtests.test(what):
            for person in (alice, bob, *there.values()):
                listed(person, EVERY)
            assert change().status_code < 300
            for person, expected in ((alice, alices), (bob, bobs)):
                for asking in (person, there[person]):
                    assert [" ".join(each) for each in shown(asking)] == [expected] * bool(expected)


def test_what_begins_and_what_ends_is_shown(alice, bob, elsewhere, reef_invitation, advance, do_sweep):
    """A project that is made, one that somebody is let into, is removed from, and that is gone for good."""
    there = {person: elsewhere(person) for person in (alice, bob)}
    for person in (bob, *there.values()):
        listed(person, EVERY)
    invitation, reef = reef_invitation
    assert [each[0] for each in shown(there[alice])] == ["Reef"]
    assert bob.post(f"/invitations/{invitation['id']}/accept").status_code == 200
    assert [each[0] for each in shown(there[bob])] == ["Reef"]
    assert alice.delete(f"/projects/{reef.id}/members/{bob.user.id}").status_code == 204
    assert shown(there[bob]) == shown(bob) == []
    assert alice.delete(f"/projects/{reef.id}").status_code == 204
    assert [each[1] for each in shown(there[alice])] == ["deleted"]
    do_sweep()
    assert shown(there[alice]) == shown(alice) == []


@pytest.fixture
def reef_invitation(alice):
    reef = alice.creates("Reef")
    answer = alice.post(
        f"/projects/{reef.id}/invitations", json={"email": "bob@example.com", "role": "editor"}
    )
    return answer.json, reef


@pytest.fixture
def do_sweep(projects):
    return lambda: projects.purge_trash(keep_days=-1)


def test_one_who_leaves_for_good_takes_their_projects_from_all_lists(alice, bob, joins, projects):
    reef, kelp = alice.creates("Reef"), bob.creates("Kelp")
    joins(bob, reef, "editor")
    for _ in range(2):
        assert [each["name"] for each in listed(bob)] == ["Kelp", "Reef"]
    assert projects.erase_owned(alice.user.id) == 1
    assert [each["id"] for each in listed(bob)] == [str(kelp.id)]


def test_several_at_once_are_shown(alice, bob, joins, elsewhere):
    ids = [alice.creates(f"number {number}").id for number in range(3)]
    there = elsewhere(bob)
    for project in ids:
        joins(bob, projects_of(project), "viewer")
    assert len(listed(there)) == 3
    done = alice.post("/projects/bulk", json={"action": "archive", "ids": [str(each) for each in ids]})
    assert done.status_code == 200
    assert {each["status"] for each in listed(there, EVERY)} == {"archived"}


def projects_of(project_id):
    return type("Named", (), {"id": project_id})


def test_who_belongs_to_a_crowd_has_every_list_read(alice, bob, joins, crowd, kept):
    """A change of one with many members is told to its facts alone; so nobody in it keeps a list."""
    reef = alice.creates("Reef")
    joins(bob, reef, "editor")
    crowd(alice, reef, 18)
    for person in (alice, bob):
        listed(person)
        assert kept(lambda person=person: listed(person)) == 1
    crowd(alice, reef, 1)
    for name in ("Kelp", "Dune"):
        bob.patch(f"/projects/{reef.id}", json={"name": name})
        for person in (alice, bob):
            assert [each["name"] for each in listed(person)] == [name]
            assert kept(lambda person=person: listed(person)) == 0


def test_the_crowd_counts_wherever_it_is(alice, bob, crowd, kept, advance):
    """Not on the page that is shown, and yet it may come up to it with its next change."""
    reef = alice.creates("Reef")
    crowd(alice, reef, 20)
    advance(seconds=1)
    alice.creates("Kelp")
    query = "?limit=1&sort=-updated_at"
    assert [each["name"] for each in listed(alice, query)] == ["Kelp"]
    assert kept(lambda: listed(alice, query)) == 0
    advance(seconds=1)
    alice.patch(f"/projects/{reef.id}", json={"name": "Reef survey"})
    assert [each["name"] for each in listed(alice, query)] == ["Reef survey"]


def test_without_redis_ones_own_changes_are_shown_at_once(alice, make_app, dead_port):
    """SEC-49: nothing is kept that nobody vouches for."""
    person = alice.signs_in_again(make_app(redis_url=f"redis://127.0.0.1:{dead_port}/0"))
    for name in ("Reef", "Kelp", "Dune"):
        assert person.post("/projects", json={"name": name}).status_code == 201
        assert listed(person)[0]["name"] == name


def test_with_the_cache_off_every_list_is_read(make_app, alice, kept):
    person = alice.signs_in_again(make_app(cache_enabled=False))
    alice.creates()
    for _ in range(2):
        assert kept(lambda: listed(person)) == 0


def test_two_processes_and_eight_threads_each_reads_what_it_wrote(alice, elsewhere):
    """Renamed by eight at once, each its own project: the list that is read next has the new name, whoever wrote meanwhile."""
    projects = [alice.creates(f"number {number}") for number in range(8)]
    processes = [
        [alice.signs_in_again() if at % 2 else elsewhere(alice) for at in (n, n + 1)] for n in range(8)
    ]
    wrong = []

    def renames(project, writes, reads):
        for turn in range(12):
            name = f"{project.name} turn {turn}"
            writes.patch(f"/projects/{project.id}", json={"name": name})
            names = {each["id"]: each["name"] for each in listed(reads, "?limit=50")}
            if names[str(project.id)] != name:
                wrong.append((name, names[str(project.id)]))

    threads = [
        threading.Thread(target=renames, args=(project, *pair), daemon=True)
        for project, pair in zip(projects, processes, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []


def test_a_page_that_was_sent_has_its_items_for_a_job_too(alice, projects, plant):
    """What was let go is read again."""
    plant(alice, ["Reef", "Kelp"])
    alice.get("/projects")
    page = projects.list_visible(alice.actor, ProjectFilters(), PageRequest())
    assert sorted(each.name for each in page.items) == ["Kelp", "Reef"]


def test_the_bytes_are_those_of_the_list_that_was_not_kept(alice, make_app, plant):
    plant(alice, ["Ré\u2028ef", "\U0001f41f", "<script>"])
    uncached = alice.signs_in_again(make_app(cache_enabled=False))
    alice.get("/projects")
    assert alice.get("/projects").data == uncached.get("/projects").data
    assert orjson.loads(alice.get("/projects").data)["items"][0]["name"] == "<script>"
