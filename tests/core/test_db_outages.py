"""A database that is away, full, slow or closed for writes: 503 with a time to come back (REL-03, trap T19)."""

# ruff: noqa: PT012 - the blocks under test have more than one line

import pytest
from sqlalchemy import text

from app.core.db import make_engine
from app.core.errors import AppError, Code
from app.core.uow import UnitOfWork


def read(uow):
    with uow.reading():
        session = uow.session
        session.execute(text("SELECT 1"))


def told(uow, statement):
    with pytest.raises(AppError) as error:
        run(uow, statement)
    assert "psycopg2" not in error.value.detail
    return error.value


def run(uow, statement):
    with uow:
        uow.session.execute(text(statement))


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
    with pytest.raises(AppError) as error, uow.reading():
        session = uow.session
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
