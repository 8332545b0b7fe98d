"""What is sent to PostgreSQL in one message, and that everything holds as if each statement went alone."""

# ruff: noqa: PT012 - the blocks under test have more than one line

import pytest
from psycopg2 import extensions
from sqlalchemy import event, text
from sqlalchemy.exc import InternalError

from app.core.db import link_of, make_engine, reading
from app.core.db_errors import RetryableConflict
from app.core.errors import AppError, Code
from app.core.ids import new_id
from app.core.round_trips import Cursor
from app.projects.models import Project
from app.projects.repository import ProjectRepository
from app.projects.views import ProjectView


@pytest.fixture
def messages(monkeypatch):
    """What went to the server, message by message, from now on."""
    sent, send = [], Cursor.send

    def noted(cursor, query, values=None):
        sent.append(query.decode() if isinstance(query, bytes) else query)
        send(cursor, query, values)

    monkeypatch.setattr(Cursor, "send", noted)
    return sent


@pytest.fixture
def engine(parts):
    made = make_engine(parts.settings.model_copy(update={"db_pool_size": 1, "db_max_overflow": 0}))
    yield made
    made.dispose()


def warmed(client):
    """Everything that Alice's writes need has been prepared on the connection."""
    for name in ("Reef", "Kelp"):
        project = client.creates(name)
        assert client.patch(f"/projects/{project.id}", json={"name": "Urchins"}).status_code == 200
    return project


def test_a_create_is_one_message(alice, messages):
    warmed(alice)
    messages.clear()
    assert alice.post("/projects", json={"name": "Reef; COMMIT -- 100 %(name)s"}).status_code == 201
    [message] = [each for each in messages if "hf_" in each and "BEGIN" in each]
    assert message.startswith("BEGIN; EXECUTE hf_")
    assert message.endswith("; COMMIT")
    assert message.count("EXECUTE") == 3


def test_a_change_is_three_messages(alice, messages):
    """The second asks whose lists it changes, which has to be known before the commit."""
    path = f"/projects/{warmed(alice).id}"
    messages.clear()
    assert alice.patch(path, json={"name": "Kelp"}).status_code == 200
    look, write = (each for each in messages if "EXECUTE" in each)
    assert (look[:15], look.count("EXECUTE")) == ("BEGIN; EXECUTE ", 1)
    assert write.count("EXECUTE") == 3
    assert messages[-1] == "COMMIT"


def test_what_is_refused_is_undone_and_the_connection_is_free(alice, parts, connect):
    project = alice.creates()
    assert (
        alice.patch(f"/projects/{project.id}", json={"name": "Kelp"}, headers={"If-Match": '"9"'}).status_code
        == 412
    )
    with parts.uow.reading():
        assert link_of(parts.uow.connection).get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE


def test_the_first_statement_begins_and_what_follows_is_of_the_same_transaction(
    uow, messages, add, committed
):
    with uow:
        add("one")
        add("two")
        assert committed() == set()
    assert [each[:6] for each in messages].count("BEGIN;") == 1
    assert messages[-1] == "COMMIT"
    assert committed() == {"one", "two"}


def test_where_nothing_was_asked_nothing_is_sent(uow, messages):
    with uow:
        assert uow.connection
    assert messages == []


def test_a_reading_block_begins_nothing(uow, messages):
    with uow.reading():
        uow.connection.execute(text("SELECT 1"))
    assert [each for each in messages if "BEGIN" in each or "COMMIT" in each] == []


def test_what_waits_is_seen_by_what_is_asked_next(uow, tells):
    for _ in range(2):
        with uow:
            subject = tells()
            found = uow.session.execute(
                text("SELECT count(*) FROM events WHERE subject_id = :id"), {"id": subject}
            )
            assert found.scalar_one() == 1


def test_what_the_session_changed_goes_before_what_is_told_of_it(uow, alice, tells, messages):
    """An event is numbered after the change, under the lock that the change holds."""
    project = alice.creates()
    with uow:
        tells()
    messages.clear()
    with uow:
        uow.session.get(Project, project.id).name = "Kelp"
        tells()
    [update] = [number for number, each in enumerate(messages) if "UPDATE projects" in each]
    [told] = [number for number, each in enumerate(messages) if "user.updated" in each]
    assert update < told


def test_a_statement_that_fails_takes_all_of_its_message_with_it(uow, tells, parts, recorded, sql):
    """Nothing of a create is there where its owner has gone meanwhile (23503), and the same connection goes on."""
    rows, now = ProjectRepository(uow), parts.clock.now()
    for _ in range(2):  # at once, then from the COMMIT
        with pytest.raises(RetryableConflict), uow:
            told = tells()
            rows.begin(ProjectView.begun(new_id(), "Reef", None, new_id(), now))
        assert str(told) not in recorded()
        assert sql("SELECT id FROM projects") == []
        with uow:
            subject = tells()
        assert str(subject) in recorded()


def test_who_fails_sends_nothing_that_waits(uow, tells, recorded, messages):
    with uow:
        tells()
    before = recorded()
    messages.clear()
    with pytest.raises(ZeroDivisionError), uow:
        tells()
        raise ZeroDivisionError
    assert messages == []
    with uow.reading():
        uow.connection.execute(text("SELECT 1"))
    assert recorded() == before


def test_in_an_item_each_statement_goes_at_once(uow, tells, recorded):
    """Its failure is the item's own, and undoes the item alone."""
    with uow:
        kept = tells()
        with pytest.raises(ZeroDivisionError), uow.item():
            lost = tells()
            raise ZeroDivisionError
        with uow.item():
            kept_too = tells()
    assert {str(kept), str(kept_too)} <= recorded()
    assert str(lost) not in recorded()


def test_a_commit_that_the_server_made_a_rollback_of_is_no_commit(uow, tells, recorded):
    """A failure that somebody swallowed: PostgreSQL answers COMMIT with ROLLBACK, and no error."""
    with pytest.raises(InternalError, match="had failed"), uow:
        told = tells()
        with pytest.raises(Exception, match="division"):
            uow.connection.exec_driver_sql("SELECT 1/0")
    assert str(told) not in recorded()


def test_a_lost_preparation_at_the_commit_is_worth_another_try(uow, tells, recorded):
    """As behind a PgBouncer that deals transactions to several connections: the second time the text is sent."""
    with uow:
        tells()
    with pytest.raises(RetryableConflict), uow:
        uow.connection.execute(text("DEALLOCATE ALL"))
        tells()
    with uow:
        assert link_of(uow.connection).prepared is None
        told = tells()
    assert str(told) in recorded()
    with uow.reading():
        link_of(uow.connection).prepared = set()


def test_a_commit_that_carries_writes_and_is_cut_off_is_a_database_that_is_away(
    uow, tells, recorded, terminate
):
    with uow:
        tells()
    with pytest.raises(AppError) as error, uow:
        told = tells()
        terminate(uow)
    assert error.value.code is Code.database_unavailable
    assert str(told) not in recorded()
    with uow:
        tells()


def test_rows_that_the_driver_repeats_by_itself_are_of_the_transaction_too(engine, sql):
    with engine.connect() as connection:
        with link_of(connection).cursor() as cursor:
            cursor.executemany(
                "INSERT INTO throttle_counters (key, hits, expires_at) VALUES (%s, 1, '2026-01-01')",
                [("a",), ("b",)],
            )
        connection.rollback()
    assert sql("SELECT key FROM throttle_counters") == []


def test_a_connection_comes_back_without_a_transaction_whatever_was_asked_of_it(engine):
    """Also where SQLAlchemy let psycopg2 begin by an isolation level of its own."""
    for kind, options in (
        (engine, {}),
        (engine, {"isolation_level": "SERIALIZABLE"}),
        (reading(engine), {}),
        (engine, {}),
    ):
        with kind.connect().execution_options(**options) as connection:
            link = link_of(connection)
            assert link.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE
            connection.execute(text("SELECT 1"))
            held = link.get_transaction_status() == extensions.TRANSACTION_STATUS_INTRANS
            assert held is (kind is engine)
        assert (link.get_transaction_status(), link.begins, link.autocommit) == (0, True, True)


def test_what_waits_is_told_to_whoever_listens(uow, tells, parts):
    """The log line counts it, and tests see it."""
    heard = []
    with uow:
        tells()

    def hear(_connection, _cursor, statement, *_rest):
        heard.append(statement)

    event.listen(parts.engines.engine, "before_cursor_execute", hear)
    try:
        with uow:
            tells()
    finally:
        event.remove(parts.engines.engine, "before_cursor_execute", hear)
    assert [each.split()[:3] for each in heard if "system_state" not in each] == [
        ["INSERT", "INTO", "events"]
    ]
