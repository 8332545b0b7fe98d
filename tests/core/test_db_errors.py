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
    with uow.reading() as session:
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
        with pytest.raises(AppError) as error, uow.reading() as session:
            session.execute(text("SELECT pg_sleep(10)"))
    finally:
        engine.dispose()
    assert error.value.code is Code.overloaded


def test_a_pool_without_a_free_connection_is_an_overload(parts, elsewhere):
    settings = parts.settings.model_copy(
        update={"db_pool_size": 1, "db_max_overflow": 0, "db_pool_timeout_seconds": 0.05}
    )
    engine = make_engine(settings)
    uow = UnitOfWork(engine)
    try:
        with uow:
            uow.session.connection()
            with pytest.raises(AppError) as error:
                elsewhere(run, uow, "SELECT 1")
        assert (error.value.code, error.value.retry_after) == (Code.overloaded, 2)
        run(uow, "SELECT 1")
    finally:
        engine.dispose()


def test_a_backend_that_was_terminated_is_a_database_that_is_away(uow, add, terminate):
    """57P01 or a socket that ended, in the middle of a transaction; the next one gets a connection that lives."""
    with pytest.raises(AppError) as error, uow:
        add("one")
        terminate(uow)
        add("two")
    assert (error.value.code, error.value.retry_after) == (Code.database_unavailable, 2)
    with uow:
        add("one")


def test_a_commit_that_is_cut_off_is_a_database_that_is_away(uow, add, terminate):
    with pytest.raises(AppError) as error, uow:
        add("one")
        terminate(uow)
    assert error.value.code is Code.database_unavailable


def test_a_read_whose_backend_was_terminated_is_a_database_that_is_away(uow, terminate):
    with pytest.raises(AppError) as error, uow.reading() as session:
        session.execute(text("SELECT 1"))
        terminate(uow)
        session.execute(text("SELECT 1"))
    assert error.value.code is Code.database_unavailable


def test_a_transaction_that_idles_too_long_is_ended_by_the_server_and_told(uow, add, connect):
    """REL-02: 25P03, here after a moment instead of ten seconds."""
    with pytest.raises(AppError) as error, uow:
        backend = uow.session.connection().connection.dbapi_connection.info.backend_pid
        uow.session.execute(text("SET idle_in_transaction_session_timeout = '10ms'"))
        wait_until_gone(connect().cursor(), backend)
        add("one")
    assert error.value.code is Code.database_unavailable


def wait_until_gone(cursor, backend):
    for _ in range(100_000):
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", (backend,))
        if cursor.fetchone() == (0,):
            return
        cursor.connection.rollback()
    pytest.fail("the backend still lives")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg2://nobody:x@127.0.0.1:{dead}/nothing",
        "{base}_that_is_not_there",
        "postgresql+psycopg2://u:p@/nothing?host=/nowhere",
    ],
)
def test_a_server_that_cannot_be_reached_is_a_database_that_is_away(parts, dead_port, url):
    base = parts.settings.database_url.get_secret_value()
    engine = make_engine(parts.settings, url.format(dead=dead_port, base=base))
    uow = UnitOfWork(engine)
    try:
        for attempt in (lambda: run(uow, "SELECT 1"), lambda: read(uow)):
            with pytest.raises(AppError) as error:
                attempt()
            assert error.value.code is Code.database_unavailable
    finally:
        engine.dispose()


def read(uow):
    with uow.reading() as session:
        session.execute(text("SELECT 1"))


def test_a_database_without_a_free_slot_is_a_database_that_is_away(parts, scratch, engines, connect):
    """53300: no connection is left for this role's database."""
    from dev.roles import statements

    database = scratch()
    with statements(engines.admin_url) as cursor:
        cursor.execute(f'ALTER DATABASE "{database.name}" CONNECTION LIMIT 0')
    engine = make_engine(database.settings)
    try:
        assert told(UnitOfWork(engine), "SELECT 1").code is Code.database_unavailable
    finally:
        engine.dispose()


def test_a_database_that_takes_no_writes_is_read_only(uow, add):
    """25006, as on a standby."""
    with pytest.raises(AppError) as error, uow:
        uow.session.execute(text("SET TRANSACTION READ ONLY"))
        add("one")
    assert (error.value.code, error.value.retry_after) == (Code.read_only, 30)


def test_a_job_that_cannot_be_written_is_told_like_any_other_statement(uow, queue, connect):
    """The queue's library wraps what the driver said."""
    queue.register("test.job", lambda: None)
    connection = connect()
    connection.cursor().execute("LOCK TABLE procrastinate_jobs IN SHARE MODE")
    with pytest.raises(AppError) as error, uow:
        uow.session.execute(text("SET LOCAL lock_timeout = '20ms'"))
        queue.defer("test.job")
    assert error.value.code is Code.overloaded


def test_an_error_over_http_is_a_problem_with_retry_after(alice, connect, make_app):
    """REL-03: 503, never 500, never a hang; nothing of the driver's words."""
    project = alice.creates()
    hasty = make_app(db_lock_timeout_ms=100)
    person = alice.signs_in_again(hasty)
    connect_and_lock = connect().cursor()
    connect_and_lock.execute("SELECT 1 FROM projects FOR UPDATE")
    response = person.patch(f"/projects/{project.id}", json={"name": "Kelp"})
    assert (response.status_code, response.json["code"]) == (503, "overloaded")
    assert response.headers["Retry-After"] == "2"
    assert not {"psycopg2", "sqlalchemy", "UPDATE", "Traceback"} & set(
        response.get_data(as_text=True).split()
    )


@pytest.mark.parametrize(
    "error", [ValueError("x"), RuntimeError("x"), AppError(Code.forbidden, "x"), KeyboardInterrupt(), new_id]
)
def test_what_is_no_database_error_is_none_of_ours(error):
    assert db_errors.translate(error) is None
