"""Cursors that are not taken, and those that were good once."""

from uuid import UUID

import psycopg2
import pytest

from app import create_app
from app.changes.cursors import LONGEST, SNAPSHOT_BYTES, Position, _scope
from app.changes.service import ChangeService
from app.changes.snapshots import Snapshot
from dev.roles import plain_url
from tests.fixtures.app import close
from tests.fixtures.people import make_person


def asks(person, cursor, **query):
    return person.get("/projects/changes", query_string={"since": cursor, **query})


def code_of(answer):
    return answer.status_code, answer.json["code"]


RESYNC, INVALID = (410, "resync_required"), (422, "invalid_cursor")


@pytest.fixture
def cursor(alice):
    return alice.get("/projects/changes").json["next_cursor"]


@pytest.fixture
def inside(alice, cursor, parts):
    """``inside(since=...)``: the position that a cursor holds, with something else in it, as a cursor again."""
    cursors = parts.services[ChangeService]._cursors

    def change(**other):
        held = vars(cursors.decode(alice.actor, cursor))
        return cursors.encode(alice.actor, Position(**{**held, **other}))

    return change


def test_a_cursor_belongs_to_one_person_on_all_their_devices(alice, bob, cursor):
    refused = asks(bob, cursor)
    assert code_of(refused) == INVALID
    [fault] = refused.json["errors"]
    assert (fault["location"], fault["field"]) == ("query", "since")
    assert asks(alice.signs_in_again(), cursor).status_code == 200


@pytest.mark.parametrize("junk", ["x", ".", "k1.", "k1.AAAA", "k1." + "A" * 100, "k2.AAAA", "..", "k1.-_-_"])
def test_a_forged_cursor_is_refused(alice, junk):
    assert code_of(asks(alice, junk)) == INVALID


def test_one_changed_letter_is_a_forgery(alice, cursor):
    for place in range(3, len(cursor)):
        other = "A" if cursor[place] != "A" else "B"
        assert code_of(asks(alice, cursor[:place] + other + cursor[place + 1 :])) == INVALID


def test_a_cursor_of_a_list_is_none_of_the_feed_nor_the_reverse(alice, cursor, plant):
    plant(alice, ["a", "b"])
    of_list = alice.get("/projects?limit=1").json["next_cursor"]
    assert code_of(asks(alice, of_list)) == INVALID
    assert code_of(alice.get("/projects", query_string={"cursor": cursor})) == INVALID


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"cursor": "k1.AAAA"}])
def test_other_values_and_names_are_refused(alice, query):
    assert code_of(alice.get("/projects/changes", query_string=query)) == (422, "validation_failed")


@pytest.mark.parametrize(
    ("letters", "code"), [(LONGEST, "invalid_cursor"), (LONGEST + 1, "validation_failed")]
)
def test_a_cursor_has_so_many_letters_at_most(alice, letters, code):
    assert code_of(asks(alice, "k1." + "A" * (letters - 3))) == (422, code)


def test_thirty_days_less_an_hour(alice, cursor, advance):
    advance(days=29, hours=22, minutes=59)
    assert asks(alice.signs_in_again(), cursor).status_code == 200
    advance(minutes=2)
    assert code_of(asks(alice.signs_in_again(), cursor)) == RESYNC


def test_a_cursor_in_the_middle_is_as_old_as_the_older_of_its_moments(
    alice, plant, projects, follows, advance
):
    """The events since the first of them must still be there."""
    ids = plant(alice, ["a", "b", "c"])
    follower = follows(alice, limit=1)
    advance(days=29)
    follower.person = alice = alice.signs_in_again()
    for each in ids:
        projects.update(alice.actor, each, {"name": "changed"})
    assert follower.page()["has_more"]
    advance(days=2)
    follower.person = follower.person.signs_in_again()
    assert code_of(asks(follower.person, follower.cursor)) == RESYNC


def test_a_first_copy_may_not_take_longer_either(alice, plant, advance):
    plant(alice, ["a", "b"])
    page = alice.get("/projects/changes?limit=1").json
    advance(days=31)
    assert code_of(asks(alice.signs_in_again(), page["next_cursor"])) == RESYNC


def test_whoever_begins_anew_is_in_step_again(alice, cursor, advance, plant):
    ids = plant(alice, ["a", "b"])
    advance(days=31)
    later = alice.signs_in_again()
    assert code_of(asks(later, cursor)) == RESYNC
    page = later.get("/projects/changes").json
    assert {item["id"] for item in page["items"]} == {str(each) for each in ids}
    assert asks(later, page["next_cursor"]).json["items"] == []


def test_a_cursor_of_another_database_of_the_same_cluster(alice, cursor, scratch):
    """The same keys, the same account, even the same data: a copy of a database is another one."""
    other = create_app(scratch(migrated=True).settings)
    try:
        person = make_person(other, "Alice")
        parts = other.extensions["holdfast"]
        cursors = parts.services[ChangeService]._cursors
        held = parts.services[ChangeService]._cursors.decode(alice.actor, cursor)
        carried = cursors.encode(person.actor, held)
        assert code_of(asks(person, carried)) == RESYNC
        assert person.get("/projects/changes").status_code == 200
    finally:
        close(other)


def test_an_operator_can_have_everybody_begin_anew(alice, cursor, sql):
    """After a restore that PostgreSQL knows nothing of, such as a volume put back."""
    before = sql("SELECT database_id FROM system_state")[0]
    try:
        sql("UPDATE system_state SET database_id = gen_random_uuid()")
        assert code_of(asks(alice, cursor)) == RESYNC
    finally:
        sql("UPDATE system_state SET database_id = %s", before)
    assert asks(alice, cursor).status_code == 200


def test_a_cursor_that_is_ahead_of_the_server(alice, inside, parts):
    """The server was set back: its numbers would be given out again."""
    ahead = Snapshot(10**9, 10**9, (), parts.clock.now())
    assert code_of(asks(alice, inside(since=ahead))) == RESYNC
    assert code_of(asks(alice, inside(since=None, upto=ahead, after=UUID(int=7)))) == RESYNC
    assert asks(alice, inside()).status_code == 200


def test_a_form_of_another_release(alice, parts):
    cursors = parts.services[ChangeService]._cursors
    sealed = cursors._cursors.seal(_scope(alice.actor), bytes((200,)) + bytes(40))
    assert code_of(asks(alice, sealed)) == RESYNC


def test_sixty_open_transactions_make_no_long_cursor(alice, plant, projects, follows, connect_many):
    ids = plant(alice, ["a", "b", "c"])
    connect_many(60)
    follower = follows(alice, limit=1)
    for each in ids:
        projects.update(alice.actor, each, {"name": "changed"})
    lengths = set()
    for _ in range(3):
        follower.page()
        lengths.add(len(follower.cursor))
    assert max(lengths) < 300
    assert [item["project"]["name"] for item in follower.told[-3:]] == ["changed"] * 3
    assert follower.polls() == []


def test_a_number_that_was_given_up_is_not_known(alice, settings, parts):
    """It may never have reached the disk: after a crash the server would give it out again, to a change."""
    alice.creates()
    connection = psycopg2.connect(plain_url(settings.database_url.get_secret_value()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        [number] = cursor.fetchone()
    connection.rollback()
    connection.close()
    made = alice.get("/projects/changes").json["next_cursor"]
    [known] = parts.services[ChangeService]._cursors.decode(alice.actor, made).snapshots
    assert known.xmax <= number


@pytest.fixture
def connect_many(settings):
    """So many transactions that stay open, each with a number."""
    opened = []

    def make(times):
        for _ in range(times):
            opened.append(psycopg2.connect(plain_url(settings.database_url.get_secret_value())))
            with opened[-1].cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id()")

    yield make
    for connection in opened:
        connection.rollback()
        connection.close()


def test_where_not_all_open_transactions_fit_all_is_told_at_once_and_some_of_it_twice(
    alice, plant, projects, opens, follows, monkeypatch
):
    monkeypatch.setattr("app.changes.service.SNAPSHOT_BYTES", 12)
    ids = sorted(plant(alice, [f"number {number}" for number in range(12)]))
    follower, writers = follows(alice, limit=4), [opens() for _ in range(5)]
    for number, writer in enumerate(writers):
        writer.does(projects.update, alice.actor, ids[number], {"name": "of an open writer"})
        projects.update(alice.actor, ids[7 + number], {"name": "changed"})
    told = follower.polls()
    assert told == [("upsert", "changed")] * 5
    assert set(follower.polls()) <= set(told)
    for writer in writers:
        writer.commits()
    follower.polls()
    follower.polls()
    names = [follower.copy[str(each)]["name"] for each in ids]
    assert names == ["of an open writer"] * 5 + ["number 5", "number 6"] + ["changed"] * 5
    monkeypatch.undo()
    follower.polls()  # from a cursor that was cut, perhaps: other tests have open transactions too
    assert follower.polls() == []


@pytest.mark.parametrize("apart", [1, 100, 10_000, 10**6, 10**9])
def test_hundreds_of_open_transactions_still_make_a_cursor_that_is_taken(alice, apart, inside, parts):
    """More than fit: the snapshot goes back in time, so that they are told twice rather than never."""
    running = tuple(range(10**12, 10**12 + 2_000 * apart, apart))
    full = Snapshot(running[0], running[-1] + 5, running, parts.clock.now())
    fitted = full.fitted(SNAPSHOT_BYTES)
    made = inside(since=fitted, upto=fitted, after=UUID(int=2**128 - 1), closed=False)
    assert len(made) <= LONGEST
    assert code_of(asks(alice, made, limit=100)) == RESYNC  # read, and far ahead of this server
    assert len(fitted.running) >= {1: 1000, 100: 1000, 10_000: 500}.get(apart, 200)
    assert fitted.running == running[: len(fitted.running)]
    assert fitted.xmax == running[len(fitted.running)]
