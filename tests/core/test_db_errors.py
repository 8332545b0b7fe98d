"""What PostgreSQL says and what we say then: each class provoked for real (REL-03, traps T5 and T19)."""

# ruff: noqa: PT012 - the blocks under test have more than one line

import threading

import pytest
from sqlalchemy import exc, select, text

from app.core import db_errors
from app.core.db import Base, make_engine
from app.core.db_errors import RetryableConflict
from app.core.errors import AppError, Code
from app.core.ids import new_id
from app.core.throttle import ThrottleCounter
from app.core.uow import UnitOfWork

BAD_VALUES = {
    "22012 division by zero": "SELECT 1 / 0",
    "22003 out of range": "SELECT 2147483648::integer",
    "22001 too long": "UPDATE users SET display_name = repeat('x', 101)",
    "22P02 no such text": "SELECT 'junk'::uuid",
    "22008 no such moment": "SELECT '294277-01-01'::timestamptz",
    "22021 not in the encoding": r"SELECT convert_from('\xff'::bytea, 'UTF8')",
}
BUGS = {
    "23502 not null": "INSERT INTO throttle_counters (key, hits) VALUES ('x', 1)",
    "23514 check": "UPDATE system_state SET id = 2",
    "42601 syntax": "SELEKT 1",
    "42501 not permitted": "DELETE FROM audit_events",
}
SCHEMA_BEHIND = {
    "42P01 no such table": "SELECT * FROM not_yet_made",
    "42703 no such column": "SELECT not_yet_made FROM users",
    "3F000 no such schema": "CREATE TABLE not_yet_made.things (x integer)",
}


def run(uow, statement):
    with uow:
        uow.session.execute(text(statement))


def told(uow, statement):
    with pytest.raises(AppError) as error:
        run(uow, statement)
    assert "psycopg2" not in error.value.detail
    return error.value


@pytest.mark.parametrize("name", BAD_VALUES)
def test_a_value_that_cannot_be_stored_is_not_valid(uow, alice, name):
    assert told(uow, BAD_VALUES[name]).code is Code.validation_failed


@pytest.mark.parametrize("name", BUGS)
def test_bugs_of_ours_stay_bugs(uow, alice, name):
    """They become 500, with their statement in the log and not in the answer."""
    with pytest.raises(exc.DBAPIError) as error:
        run(uow, BUGS[name])
    assert error.value.orig.pgcode == name.partition(" ")[0]
    assert db_errors.translate(error.value) is None


@pytest.mark.parametrize("name", SCHEMA_BEHIND)
def test_a_schema_that_is_behind_the_code_is_a_database_that_is_not_ready(uow, name):
    error = told(uow, SCHEMA_BEHIND[name])
    assert (error.code, error.retry_after) == (Code.database_unavailable, 2)


def test_a_bug_that_shows_at_the_commit_stays_a_bug(uow, committed):
    with pytest.raises(exc.IntegrityError), uow:
        uow.session.add(ThrottleCounter(key=b"one", hits=1))
    assert committed() == set()
    assert not uow.active


def test_a_unique_constraint_without_an_error_of_its_own_is_a_conflict(uow, add):
    with uow:
        add("one")
    with pytest.raises(AppError) as error, uow:
        add("one")
    assert error.value.code is Code.write_conflict
    assert not isinstance(error.value, RetryableConflict)


def test_a_unique_constraint_names_its_own_error(uow, alice, bob, projects, joins):
    """23505 on ``uq_project_members_owner``: two owners."""
    with pytest.raises(AppError) as error:
        joins(bob, alice.creates(), "owner")
    assert (error.value.code, error.value.detail) == (Code.write_conflict, "A project has exactly one owner.")


def test_every_error_that_a_constraint_names_is_of_the_closed_list():
    named = [
        thing
        for table in Base.metadata.tables.values()
        for thing in (*table.constraints, *table.indexes)
        if "error" in thing.info
    ]
    assert named
    for thing in named:
        code, detail = thing.info["error"]
        assert code in Code
        assert detail.endswith(".")
        assert thing.name in db_errors._declared()


def test_an_address_that_is_taken_meanwhile_answers_what_its_index_says(parts, alice):
    from app.users.service import UserService

    with pytest.raises(AppError) as error:
        parts.services[UserService].create(
            email="ALICE@example.com", password_hash=None, display_name="Other"
        )
    code, detail = db_errors._declared()["uq_users_email_key"]
    assert (error.value.code, error.value.detail) == (code, detail)


def test_a_serialization_failure_is_worth_another_try(uow, add, elsewhere):
    """40001: a repeatable read meets a row that changed since it began."""
    with uow:
        add("one")
    row = select(ThrottleCounter).where(ThrottleCounter.key == b"one")

    def meanwhile():
        with uow:
            uow.session.execute(row).scalar_one().hits = 7

    with pytest.raises(RetryableConflict) as conflict, uow:
        uow.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        found = uow.session.execute(row).scalar_one()
        elsewhere(meanwhile)
        found.hits = 8
    assert (conflict.value.code, conflict.value.retry_after) == (Code.write_conflict, 1)


def test_a_version_that_moved_under_an_unlocked_row_is_worth_another_try(uow, alice, elsewhere):
    """The UPDATE has the version in its WHERE; no row matched (SEC-51)."""
    from app.projects.models import Project

    project_id = alice.creates().id

    def meanwhile():
        with uow:
            uow.session.get(Project, project_id).name = "theirs"

    with pytest.raises(RetryableConflict), uow:
        found = uow.session.get(Project, project_id)
        elsewhere(meanwhile)
        found.name = "mine"
    with uow.reading():
        session = uow.session
        assert session.get(Project, project_id).name == "theirs"


def test_of_two_that_deadlock_one_is_told_to_try_again(uow, add, at_once):
    """40P01: each holds what the other wants."""
    with uow:
        add("one")
        add("two")
    both_hold = threading.Barrier(2)

    def work(number):
        words = (b"one", b"two") if number else (b"two", b"one")
        with uow:
            for step, word in enumerate(words):
                statement = select(ThrottleCounter).where(ThrottleCounter.key == word).with_for_update()
                uow.session.execute(statement)
                if not step:
                    both_hold.wait(10)

    answers = at_once(2, work)
    conflicts = [answer for answer in answers if isinstance(answer, RetryableConflict)]
    assert len(conflicts) == 1
    assert [answer for answer in answers if answer not in conflicts] == [None]
    assert conflicts[0].__cause__.orig.pgcode == "40P01"


def test_a_row_that_went_while_another_came_to_need_it_is_a_conflict(uow, alice):
    """23503: run again, the use case finds that it is gone."""
    orphan = (
        "INSERT INTO project_members VALUES (gen_random_uuid(), gen_random_uuid(), 'viewer', '2026-01-01')"
    )
    assert isinstance(told(uow, orphan), RetryableConflict)


@pytest.mark.parametrize(
    ("limit", "state"),
    [("SET LOCAL lock_timeout = '20ms'", "55P03"), ("SET LOCAL statement_timeout = '20ms'", "57014")],
)
def test_a_lock_that_does_not_come_is_an_overload(uow, add, connect, limit, state):
    with uow:
        add("one")
    holder = connect().cursor()
    holder.execute("SELECT 1 FROM throttle_counters FOR UPDATE")
    with pytest.raises(AppError) as error, uow:
        uow.session.execute(text(limit))
        uow.session.execute(text("UPDATE throttle_counters SET hits = 2"))
    assert (error.value.code, error.value.retry_after) == (Code.overloaded, 2)
    assert error.value.__cause__.orig.pgcode == state


def test_a_read_that_takes_too_long_is_an_overload(parts):
    engine = make_engine(parts.settings.model_copy(update={"db_statement_timeout_ms": 100}))
    uow = UnitOfWork(engine)
    try:
        with pytest.raises(AppError) as error, uow.reading():
            session = uow.session
            session.execute(text("SELECT pg_sleep(10)"))
    finally:
        engine.dispose()
    assert error.value.code is Code.overloaded


@pytest.mark.parametrize(
    "error", [ValueError("x"), RuntimeError("x"), AppError(Code.forbidden, "x"), KeyboardInterrupt(), new_id]
)
def test_what_is_no_database_error_is_none_of_ours(error):
    assert db_errors.translate(error) is None
