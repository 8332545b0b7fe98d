"""Messages that fail as a whole: nothing of the block is committed, and its failure is its own (REL-01)."""

# ruff: noqa: PT012 - the blocks under test have more than one line

from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.db import link_of
from app.core.db_errors import RetryableConflict
from app.core.events import EventKind, Events
from app.core.ids import new_id


@pytest.fixture
def tells(parts):
    """``tells()``: an event, which waits; its statement was prepared before."""

    def record():
        subject = new_id()
        parts.services[Events].record(EventKind.user_updated, subject=subject, actor=None)
        return str(subject)

    with parts.uow:
        record()
    return record


@pytest.fixture
def recorded(sql):
    return lambda: {subject for (subject,) in sql("SELECT subject_id::text FROM events")}


@pytest.mark.parametrize("statement", ["SELEC 1", "SELECT nothing FROM nowhere"])
def test_after_a_first_message_that_failed_nothing_more_is_done_whoever_swallows_it(
    uow, tells, recorded, add, committed, statement
):
    """The server could not read it, so there was no BEGIN either: what follows would be a transaction of its own."""
    with pytest.raises(DBAPIError), uow:
        told = tells()
        with suppress(DBAPIError):
            uow.connection.execute(text(statement))
        add("after it")
    assert told not in recorded()
    assert committed() == set()


def test_a_commit_after_it_commits_nothing(uow, tells, recorded):
    with pytest.raises(DBAPIError), uow:
        told = tells()
        with suppress(DBAPIError):
            uow.connection.execute(text("SELEC 1"))
    assert told not in recorded()


def test_the_next_block_has_a_connection_like_any_other(uow, tells, recorded, add, committed):
    with pytest.raises(DBAPIError), uow:
        tells()
        uow.connection.execute(text("SELEC 1"))
    with uow:
        kept = tells()
        add("next")
    assert kept in recorded()
    assert committed() == {"next"}


def test_what_waited_before_an_item_fails_before_it(uow, tells, recorded):
    """Else an item that may be undone alone would take the block's own write with it."""
    entered = []
    with pytest.raises(RetryableConflict), uow:
        uow.connection.execute(text("DEALLOCATE ALL"))
        told = tells()
        with uow.item():
            entered.append(True)
    assert told not in recorded()
    assert entered == []
    with uow.reading():
        link_of(uow.connection).prepared = set()
