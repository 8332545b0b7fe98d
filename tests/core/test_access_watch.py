"""SEC-20: whatever decides who a caller is, a change of it is known to every process within a second, whoever made it."""

import sys
import uuid

import psycopg2
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from app.core import access_watch
from app.core.access_watch import EARLY, LATEST, LIFE, AccessWatch
from app.core.db import make_engine
from app.core.uow import UnitOfWork
from dev.roles import plain_url

NOTED = "INSERT INTO access_changes (xid, subject, created_at) VALUES (%s, %s, '2026-01-01')"


@pytest.fixture
def watch(uow):
    """Of a process that has asked, so that it hears of what comes now."""
    watch = AccessWatch(uow)
    assert watch.current()
    return watch


@pytest.fixture
def stands(watch, wall, alice):
    """``stands()``: whether what was read of Alice before any change still stands when it is asked for anew."""
    wall(0.001)
    born = access_watch.time.monotonic()
    wall(0.001)

    def ask(*subjects):
        wall(EARLY)
        return watch.stands(born, subjects or (alice.session_id, alice.user.id))

    return ask


def test_what_nobody_changed_stands(stands):
    assert stands()
    assert stands()


@pytest.mark.parametrize("subject", ["session", "account", "token"])
def test_a_change_of_one_is_no_change_of_another(alice, bob, script, stands, sql, subject):
    of = {
        "session": lambda who: ("sessions", "revoked_at = now()", who.session_id),
        "account": lambda who: ("users", "status = 'suspended'", who.user.id),
        "token": lambda who: ("api_tokens", "revoked_at = now()", script(who).made["id"]),
    }[subject]
    (table, change, mine), (_table, _change, theirs) = of(alice), of(bob)
    sql(f"UPDATE {table} SET {change} WHERE id = %s", (str(theirs),))
    mine = uuid.UUID(str(mine))
    assert stands(mine)
    sql(f"UPDATE {table} SET {change} WHERE id = %s", (str(mine),))
    assert not stands(mine)


class TestTransactions:
    def test_one_that_was_open_when_it_was_asked_is_heard_of_when_it_ends(
        self, stands, alice, sql, another_connection
    ):
        """Younger transactions are over before it: whoever looks for numbers above the last one seen misses it."""
        with another_connection, another_connection.cursor() as cursor:
            cursor.execute("UPDATE sessions SET revoked_at = now() WHERE id = %s", (str(alice.session_id),))
            for _ in range(2):
                sql("UPDATE system_state SET clock_offset_seconds = clock_offset_seconds")
                assert stands()
        assert not stands()

    def test_one_that_was_undone_changes_nothing(self, stands, another_connection):
        with another_connection.cursor() as cursor:
            cursor.execute("UPDATE sessions SET revoked_at = now()")
            another_connection.rollback()
        assert stands()

    def test_one_with_a_number_that_was_given_before_is_heard_of(self, stands, alice, sql):
        """A server that broke down gives numbers again which it had not written down."""
        assert stands()
        sql(NOTED, ("3", str(alice.user.id)))
        assert not stands()

    def test_one_with_a_number_from_before_a_restore_is_heard_of_once(self, watch, alice, sql, wall):
        assert watch.current()
        sql(NOTED, (str(10**15), str(alice.user.id)))
        wall(EARLY)
        watch.current()
        assert self.stand_after(watch, wall, alice)

    def test_while_one_stays_open_what_others_changed_is_heard_of_once(
        self, watch, alice, sql, wall, another_connection
    ):
        with another_connection, another_connection.cursor() as cursor:
            cursor.execute("UPDATE system_state SET clock_offset_seconds = clock_offset_seconds")
            sql("UPDATE users SET mfa_enabled = NOT mfa_enabled WHERE id = %s", (str(alice.user.id),))
            wall(EARLY)
            watch.current()
            assert self.stand_after(watch, wall, alice)

    @staticmethod
    def stand_after(watch, wall, person):
        """Whether what is read now stands for two more answers."""
        wall(0.001)
        born = access_watch.time.monotonic()
        found = []
        for _ in range(2):
            wall(EARLY)
            found.append(watch.stands(born, (person.user.id,)))
        return all(found)


class TestBeginningAnew:
    """Whoever cannot know what was missed takes nothing of before."""

    def test_the_first_question_vouches_for_nothing_of_before_it(self, uow):
        watch, born = AccessWatch(uow), access_watch.time.monotonic()
        assert not watch.stands(born, ())
        assert watch.stands(access_watch.time.monotonic(), ())

    def test_after_a_long_sleep(self, stands, wall):
        assert stands()
        wall(LIFE)
        assert not stands()

    @pytest.mark.parametrize(
        "of_before", [{"server": "another"}, {"oldest": 10**15}, {"newest": 10**15}, {"moment": 0.0}]
    )
    def test_with_another_life_of_the_server_or_another_database(self, watch, stands, of_before):
        """A server that was promoted may have lost transactions, and gives their numbers to others."""
        assert stands()
        watch._answer = watch._answer._replace(**of_before)
        assert not stands()

    @pytest.mark.parametrize("change", [
        "DELETE FROM system_state",
        "UPDATE system_state SET database_id = gen_random_uuid()",
        "UPDATE system_state SET auth_epoch = 7",
    ])  # fmt: skip
    def test_with_the_row_that_all_sessions_depend_on(self, stands, sql, change):
        before = sql("SELECT id, database_id, auth_epoch, clock_offset_seconds FROM system_state")[0]
        try:
            sql(change)
            assert not stands()
        finally:
            sql("DELETE FROM system_state")
            sql(
                "INSERT INTO system_state (id, database_id, auth_epoch, clock_offset_seconds) VALUES (%s, %s, %s, %s)",
                before,
            )

    def test_with_more_changes_than_it_remembers(self, stands, monkeypatch, sql, bob):
        monkeypatch.setattr(access_watch, "MOST", 3)
        for _ in range(2):
            sql("UPDATE users SET mfa_enabled = NOT mfa_enabled WHERE id = %s", (str(bob.user.id),))
        assert stands()
        for _ in range(3):
            sql("UPDATE users SET mfa_enabled = NOT mfa_enabled WHERE id = %s", (str(bob.user.id),))
        assert not stands()

    def test_with_more_changes_of_its_own_than_it_remembers(self, watch, stands, monkeypatch):
        monkeypatch.setattr(access_watch, "MOST", 3)
        for subject in [uuid.uuid4() for _ in range(3)] * 2:
            watch.note(subject)
        assert stands()
        watch.note(uuid.uuid4())
        assert not stands()


def test_what_was_read_in_the_moment_of_a_change_may_be_of_before_it(watch, monkeypatch, alice):
    now = access_watch.time.monotonic()
    monkeypatch.setattr(access_watch.time, "monotonic", lambda: now)
    watch.note(alice.user.id)
    assert not watch.stands(now, (alice.user.id,))
    watch.note(None)
    assert not watch.stands(now, ())


def test_a_database_that_does_not_answer_is_told_of_once_and_so_is_its_return(
    watch, wall, monkeypatch, caplog
):
    caplog.set_level("INFO")
    with monkeypatch.context() as away:
        away.setattr(access_watch, "CHANGES", text("SELECT no_such_column"))
        for _ in range(3):
            wall(EARLY)
            watch.current()
    for _ in range(2):
        wall(EARLY)
        assert watch.current()
    told = [record.getMessage() for record in caplog.records]
    assert [sum(word in line for line in told) for word in ("changes_not_read", "changes_read_again")] == [
        1,
        1,
    ]


def test_no_note_gets_lost_beside_others(watch, at_once):
    """Every subject is noted last; while it is, others drop all that was noted."""
    subjects = [uuid.uuid4() for _ in range(2_000)]

    def work(number):
        lost = 0
        for subject in subjects:
            if number:
                watch.note(None)
                continue
            born = access_watch.time.monotonic()
            watch.note(subject)
            lost += watch.stands(born, (subject,))
        return lost

    switch, found = sys.getswitchinterval(), []
    try:
        sys.setswitchinterval(1e-6)
        found = at_once(3, work)
    finally:
        sys.setswitchinterval(switch)
    assert found == [0, 0, 0]


class TestAsking:
    def test_a_few_times_a_second_for_all_threads_of_which_none_waits(
        self, watch, count_asked, at_once, wall
    ):
        at_once(8, lambda _number: watch.current())
        assert count_asked() == 0
        wall(EARLY)
        at_once(8, lambda _number: watch.current())
        assert count_asked() == 1

    def test_while_one_asks_the_others_go_by_the_last_answer_for_a_second(self, watch, wall):
        with watch._asking:
            wall(EARLY)
            assert watch.current()
            wall(LATEST - EARLY)
            assert not watch.current()

    def test_without_postgresql_nothing_stands_after_a_second_and_it_is_not_asked_at_each_request(
        self, watch, wall, monkeypatch, no_database, count_asked
    ):
        monkeypatch.setattr(watch, "_uow", no_database)
        wall(EARLY)
        assert watch.current()
        wall(LATEST - EARLY)
        assert not watch.current()
        assert not watch.current()
        assert count_asked() == 2

    def test_d7_with_every_connection_in_use_the_last_answer_is_used_up_before_anybody_waits_for_one(
        self, watch, wall, monkeypatch, count_asked
    ):
        monkeypatch.setattr(UnitOfWork, "has_room", False)
        wall(EARLY)
        assert watch.current()
        assert count_asked() == 0
        wall(LATEST - EARLY)
        watch.current()
        assert count_asked() == 1, "else nobody would ever find out again"

    def test_not_in_a_block_that_may_yet_be_undone(self, watch, uow, wall, count_asked):
        """What it writes itself would be taken for heard of, before others can see it."""
        wall(LATEST)
        with uow:
            assert not watch.current()
        assert count_asked() == 0
        assert watch.current()

    def test_an_answer_counts_from_when_it_was_asked_for(self, watch, wall, monkeypatch, uow):
        """One that took a second tells of a second ago."""
        reading = uow.reading
        monkeypatch.setattr(uow, "reading", lambda: (wall(LATEST), reading())[1])
        wall(EARLY)
        assert not watch.current()


@pytest.fixture
def no_database(settings):
    nowhere = SecretStr("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    engine = make_engine(settings.model_copy(update={"database_url": nowhere}))
    yield UnitOfWork(engine)
    engine.dispose()


@pytest.fixture
def another_connection(engines, database):
    name, roles = database
    connection = psycopg2.connect(plain_url(roles.owner.url(engines.admin_url, name)))
    yield connection
    connection.close()


@pytest.fixture
def count_asked(watch, monkeypatch):
    times, ask = [], watch._ask
    monkeypatch.setattr(watch, "_ask", lambda **how: (times.append(1), ask(**how)))
    return lambda: len(times)
