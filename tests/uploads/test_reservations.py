"""Room that is kept for what is on its way in: counted from the first moment, free as soon as it comes to nothing."""

import random

import pytest

from app.core.errors import AppError
from app.files.service import FileService
from app.members.service import MemberService
from app.projects.service import ProjectService
from app.uploads import quotas
from app.uploads.resumable import Resumable
from tests.fixtures.people import make_person
from tests.fixtures.tus import Tus, text_of

QUOTA = 10_000
TEXT = text_of(QUOTA)


@pytest.fixture
def small_app(make_app):
    """A service that has little room."""
    return make_app(project_quota_bytes=QUOTA, account_quota_bytes=2 * QUOTA)


@pytest.fixture
def parts(small_app):
    return small_app.extensions["holdfast"]


@pytest.fixture
def alice(small_app):
    return make_person(small_app, "Alice")


@pytest.fixture
def bob(small_app):
    return make_person(small_app, "Bob")


def is_full(tus, size=1):
    answer = tus.create(size)
    if answer.status_code == 201:
        tus.ends(answer.headers["Location"].removeprefix("/api/v1"))
        return False
    return (answer.status_code, answer.json["code"]) == (403, "quota_exceeded")


def test_what_is_under_way_takes_room(tus, reef, alice):
    tus.begins(6000)
    assert is_full(tus, 4001)
    assert tus.create(4001).json["left"] == 4000
    assert alice.uploads(reef, content=TEXT[:4001]).json["code"] == "quota_exceeded"
    tus.begins(4000)
    assert is_full(tus)


def test_a_file_takes_the_room_that_was_kept_for_it_and_no_more(tus, room, reef):
    path = tus.begins(6000)
    tus.append(path, 0, TEXT[:6000])
    assert room(reef) == (1, 6000, 0)
    assert is_full(tus, 4001)
    assert not is_full(tus, 4000)


def test_the_room_of_an_account_is_shared_by_its_projects(tus, alice, bob, joins):
    tus.begins(QUOTA)
    others = [alice.creates(name) for name in ("Kelp", "Crabs")]
    Tus(alice, others[0]).begins(QUOTA)
    joins(bob, others[1], "editor")
    assert is_full(Tus(alice, others[1]))
    assert is_full(Tus(bob, others[1]))
    assert not is_full(Tus(bob, bob.creates("Bob's own")), QUOTA)


def test_room_is_free_again_after_an_end(tus):
    path = tus.begins(QUOTA)
    tus.append(path, 0, TEXT[:5000])
    assert is_full(tus)
    tus.ends(path)
    assert not is_full(tus, QUOTA)


def test_room_is_free_again_after_a_refusal(tus):
    path = tus.begins(QUOTA, "reef.png")
    assert tus.append(path, 0, TEXT).status_code == 415
    assert not is_full(tus, QUOTA)


def test_room_is_free_again_when_the_time_is_over(tus, alice, reef, advance, sweep):
    tus.append(tus.begins(QUOTA), 0, TEXT[:5000])
    advance(hours=24)
    sweep()
    assert not is_full(Tus(alice.signs_in_again(), reef), QUOTA)


def test_room_is_free_again_when_the_account_of_who_began_is_erased(
    tus, bob, reef, joins, parts, sql, sweep, stored, rows
):
    joins(bob, reef, "editor")
    theirs = Tus(bob, reef)
    theirs.append(theirs.begins(QUOTA), 0, TEXT[:5000])
    assert is_full(tus)
    sql("DELETE FROM users WHERE id = %s", (str(bob.user.id),))
    assert not is_full(tus, QUOTA)
    sweep()
    assert (rows("upload_segments"), rows("doomed_objects"), stored()) == (0, 0, set())


def test_nothing_is_left_of_a_project_that_is_purged(tus, alice, reef, parts, sweep, stored, rows):
    other = Tus(alice, alice.creates("Kelp"))
    assert not is_full(other, QUOTA)
    tus.append(tus.begins(4000), 0, TEXT[:4000])
    tus.append(tus.begins(6000), 0, TEXT[:3000])
    service = parts.services[ProjectService]
    service.trash(alice.actor, reef.id)
    assert rows("project_storage") == 2
    service.purge(alice.actor, reef.id)
    sweep()
    for table in ("files", "uploads", "upload_segments", "doomed_objects"):
        assert rows(table) == 0, table
    assert stored() == set()
    other.begins(QUOTA)
    Tus(alice, alice.creates("Crabs")).begins(QUOTA)


def test_nobody_has_more_than_so_many_under_way(tus, alice, bob, reef, joins, monkeypatch):
    monkeypatch.setattr(quotas, "MOST_UNDER_WAY", 3)
    paths = [tus.begins(10) for _ in range(3)]
    assert is_full(tus)
    assert alice.uploads(reef).json["code"] == "quota_exceeded"
    joins(bob, reef, "editor")
    assert not is_full(Tus(bob, reef)), "of others it is not counted"
    tus.append(paths[0], 0, TEXT[:10])
    assert not is_full(tus), "one that is complete is not under way"
    tus.begins(10)
    assert is_full(tus)
    tus.ends(paths[1])
    assert not is_full(tus)


def test_sec_46_together_they_take_no_more_than_there_is(alice, reef, at_once, room, rows):
    people = [alice.signs_in_again() for _ in range(8)]
    answers = at_once(8, lambda number: Tus(people[number], reef).create(3000))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [403] * 5
    assert room(reef) == (0, 0, 9000)
    assert rows("uploads") == 3


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_the_counters_are_the_sums(
    parts, alice, bob, joins, sql, advance, sweep, seed, unknown_objects, counts_are_right
):
    """A walk through everything that adds, changes or removes files and uploads, in any order."""
    chance = random.Random(seed)
    tus, files, service = (parts.services[kind] for kind in (Resumable, FileService, ProjectService))
    projects = [alice.creates(name) for name in ("Reef", "Kelp", "Crabs")]
    for project in projects:
        joins(bob, project, "editor")

    def any_of(table):
        found = sql(f"SELECT project_id, id FROM {table} ORDER BY id")
        return chance.choice(found) if found else (projects[0].id, projects[0].id)

    def begin(who):
        tus.create(
            who, chance.choice(projects).id, chance.randint(1, 4000), chance.choice(["a.txt", "a.png"]), None
        )

    def append(who):
        project, upload = any_of("uploads")
        told = tus.progress(who, project, upload)
        end = chance.choice([told.size, chance.randint(told.offset, told.size)])
        tus.append(who, project, upload, told.offset, iter([TEXT[told.offset : end]]))

    def purge(_who):
        project = projects.pop()
        service.trash(alice.actor, project.id)
        service.purge(alice.actor, project.id)
        projects.append(alice.creates("Anew"))
        joins(bob, projects[-1], "editor")

    def expire(_who):
        advance(hours=chance.choice([1, 25]))
        sweep()

    steps = [
        begin, begin, begin, append, append, append, append, expire, purge,
        lambda who: tus.end(who, *any_of("uploads")),
        lambda who: files.trash(who, *any_of("files")),
        lambda who: files.restore(who, *any_of("files")),
        lambda _who: files.purge_trash(0),
        lambda _who: parts.services[MemberService].remove(alice.actor, chance.choice(projects).id, bob.user.id),
        lambda _who: joins(bob, chance.choice(projects), "editor"),
    ]  # fmt: skip
    done = 0
    for _ in range(80):
        try:
            chance.choice(steps)(chance.choice([alice.actor, bob.actor]))
            done += 1
        except AppError:
            pass
        assert counts_are_right()
    assert unknown_objects() == set()
    assert done > 20
