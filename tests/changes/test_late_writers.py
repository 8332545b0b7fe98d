"""Transactions that commit in another order than they began: nothing is stepped over, and nobody waits."""

from contextlib import suppress

import psycopg2
import pytest

from dev.roles import plain_url


@pytest.fixture
def owned(alice):
    """Two projects of hers."""
    return alice.creates("first"), alice.creates("second")


def test_a_transaction_that_began_first_and_commits_last_is_told_once(alice, owned, projects, opens, follows):
    """Its numbers are the smallest; a cursor of numbers would have passed them."""
    follower, late = follows(alice), opens()
    late.does(projects.update, alice.actor, owned[0].id, {"name": "late"})
    projects.update(alice.actor, owned[1].id, {"name": "early"})
    assert follower.polls() == [("upsert", "early")]
    assert follower.polls() == []
    late.commits()
    assert follower.polls() == [("upsert", "late")]
    assert follower.polls() == []


def test_several_open_writers_that_end_in_any_order(alice, plant, projects, opens, follows):
    ids = plant(alice, ["a", "b", "c", "d"])
    follower, writers = follows(alice), [opens() for _ in ids]
    for number, (writer, project_id) in enumerate(zip(writers, ids, strict=True)):
        writer.does(projects.update, alice.actor, project_id, {"name": f"of writer {number}"})
    assert follower.polls() == []
    for number in (2, 0, 3, 1):
        writers[number].commits()
        assert follower.polls() == [("upsert", f"of writer {number}")]
        assert follower.polls() == []


def test_what_is_rolled_back_is_never_told(alice, owned, projects, opens, follows):
    follower, writer = follows(alice), opens()
    writer.does(projects.update, alice.actor, owned[0].id, {"name": "given up"})
    projects.update(alice.actor, owned[1].id, {"name": "kept"})
    assert follower.polls() == [("upsert", "kept")]
    writer.rolls_back()
    assert follower.polls() == []
    assert follower.copy[str(owned[0].id)]["name"] == "first"


def test_a_first_copy_beside_an_open_writer(alice, owned, projects, opens, follows):
    late = opens()
    late.does(projects.update, alice.actor, owned[0].id, {"name": "late"})
    follower = follows(alice)
    assert {item["project"]["name"] for item in follower.told} == {"first", "second"}
    late.commits()
    assert follower.polls() == [("upsert", "late")]


def test_a_late_gain_and_a_late_loss(alice, bob, charlie, owned, memberships, opens, follows):
    memberships.add(charlie, owned[0].id)
    followers, writers = [follows(bob), follows(charlie)], [opens(), opens()]
    writers[0].does(memberships.add, bob, owned[0].id)
    writers[1].does(memberships.remove, charlie, owned[0].id)
    alice.patch(f"/projects/{owned[1].id}", json={"name": "something else"})
    assert [each.polls() for each in followers] == [[], []]
    for writer in writers:
        writer.commits()
    assert [each.polls() for each in followers] == [[("upsert", "first")], [("removed", str(owned[0].id))]]


def test_what_was_written_under_a_savepoint_comes_with_its_transaction(
    alice, plant, projects, opens, follows, parts
):
    """Inside PostgreSQL a savepoint has a number of its own, which no snapshot names."""
    ids = plant(alice, ["a", "b", "c"])

    def bulk():
        for number, project_id in enumerate(ids[:2]):
            with parts.uow.item():
                projects.update(alice.actor, project_id, {"name": f"item {number}"})
                parts.uow.session.flush()

    follower, writer = follows(alice), opens()
    writer.does(bulk)
    projects.update(alice.actor, ids[2], {"name": "early"})
    assert follower.polls() == [("upsert", "early")]
    writer.commits()
    assert follower.polls() == [("upsert", "item 0"), ("upsert", "item 1")]
    assert follower.polls() == []


def test_a_savepoint_that_was_undone_is_not_told(alice, plant, projects, opens, follows, parts):
    ids = plant(alice, ["a", "b"])

    def bulk():
        with suppress(ZeroDivisionError), parts.uow.item():
            projects.update(alice.actor, ids[0], {"name": "undone"})
            parts.uow.session.flush()
            raise ZeroDivisionError
        with parts.uow.item():
            projects.update(alice.actor, ids[1], {"name": "kept"})

    follower, writer = follows(alice), opens()
    writer.does(bulk)
    writer.commits()
    assert follower.polls() == [("upsert", "kept")]


def test_an_open_writer_in_another_database_of_the_cluster_delays_nothing(alice, owned, follows, scratch):
    """It has a number of the same row of numbers; a horizon would stand still before it."""
    elsewhere = psycopg2.connect(plain_url(scratch().settings.migration_database_url.get_secret_value()))
    try:
        with elsewhere.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()::text::bigint")
            [number] = cursor.fetchone()
        follower = follows(alice)
        for name in ("one", "two"):
            changed = alice.patch(f"/projects/{owned[0].id}", json={"name": name})
            assert changed.status_code == 200
            assert follower.polls() == [("upsert", name)]
            assert follower.polls() == []
        with elsewhere.cursor() as cursor:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            assert cursor.fetchone()[0] <= number
    finally:
        elsewhere.rollback()
        elsewhere.close()


@pytest.fixture
def deeds(alice, bob, projects, memberships):
    """What a writer does in its turns, by number of the turn modulo five."""

    def update(ids, number, turn):
        projects.update(alice.actor, ids[(number + 2 * turn) % 6], {"description": f"{number} {turn}"})

    def create(_ids, number, _turn):
        projects.create(alice.actor, f"new of {number}")

    def lose(ids, number, _turn):
        memberships.remove(bob, ids[number])

    def gain(ids, number, _turn):
        memberships.add(bob, ids[number], "editor")

    def come_and_go(ids, number, _turn):
        if number == 0:
            projects.trash(alice.actor, ids[7])
            projects.restore(alice.actor, ids[7])

    return update, create, lose, gain, come_and_go


def test_writers_and_first_copies_at_once(alice, bob, plant, memberships, deeds, at_once, follows):
    """Four write while four copy in small pages and go on; each copy ends as the lists are."""
    ids = plant(alice, [f"number {number}" for number in range(8)])
    for each in ids:
        memberships.add(bob, each)

    def writes(number):
        for turn in range(15):
            deeds[turn % 5](ids, number, turn)

    def copies(number):
        follower = follows((alice if number % 2 else bob).signs_in_again(), limit=3)
        for _ in range(10):
            follower.polls()
        return follower

    answers = at_once(8, lambda number: writes(number) if number < 4 else copies(number))
    assert answers[:4] == [None] * 4
    for follower in answers[4:]:
        follower.polls()
        follower.polls()
        page = follower.person.get("/projects?limit=100").json
        assert not page["has_more"]
        assert follower.copy == {item["id"]: item for item in page["items"]}
