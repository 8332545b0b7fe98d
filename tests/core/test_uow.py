"""The unit of work: one transaction, nesting, doom, hooks, savepoints, reading."""

# ruff: noqa: PT012 - the blocks under test have more than one line

import pytest
from sqlalchemy import event

from app.core.db import make_engine
from app.core.errors import AppError, Code
from app.core.uow import DoomedTransactionError, UnitOfWork


class Trouble(Exception):
    """What goes wrong in a test."""


@pytest.fixture
def told():
    """What hooks said."""
    return []


def test_a_block_commits_when_it_ends(uow, add, committed):
    with uow:
        add("one")
        assert committed() == set()
    assert committed() == {"one"}
    assert not uow.active


def test_an_error_rolls_back_and_goes_on(uow, add, committed):
    with pytest.raises(Trouble), uow:
        add("one")
        raise Trouble
    assert committed() == set()
    assert not uow.active


def test_blocks_nest_into_one_transaction(uow, add, committed):
    with uow:
        add("outer")
        with uow:
            add("inner")
            session = uow.session
        assert uow.session is session
        assert committed() == set()
    assert committed() == {"outer", "inner"}


def test_an_inner_failure_dooms_the_whole_even_when_it_is_swallowed(uow, add, committed, told):
    with pytest.raises(DoomedTransactionError), uow:
        add("outer")
        uow.after_commit(told.append, "hook")
        with pytest.raises(Trouble), uow:
            raise Trouble
        add("later")
    assert committed() == set()
    assert told == []


def test_an_inner_failure_that_goes_on_is_told_as_it_is(uow, add, committed):
    with pytest.raises(AppError) as refusal, uow:
        add("outer")
        with uow:
            raise AppError(Code.forbidden, "no")
    assert refusal.value.code is Code.forbidden
    assert committed() == set()


def test_the_next_block_knows_nothing_of_a_doomed_one(uow, add, committed):
    with pytest.raises(DoomedTransactionError), uow, pytest.raises(Trouble), uow:
        raise Trouble
    with uow:
        add("fresh")
    assert committed() == {"fresh"}


def test_hooks_run_once_in_order_after_the_outermost_commit(uow, add, committed, told):
    with uow:
        uow.after_commit(lambda: told.append(("first", committed())))
        with uow:
            add("one")
            uow.after_commit(lambda: told.append(("second", committed())))
        with uow.item():
            uow.after_commit(lambda: told.append(("third", committed())))
        assert told == []
    assert told == [("first", {"one"}), ("second", {"one"}), ("third", {"one"})]


def test_hooks_never_run_after_a_rollback(uow, told):
    with pytest.raises(Trouble), uow:
        uow.after_commit(told.append, "hook")
        raise Trouble
    with uow:
        pass
    assert told == []


def test_hooks_never_run_when_the_commit_fails(uow, add, told, terminate):
    with pytest.raises(AppError), uow:
        uow.after_commit(told.append, "hook")
        add("one")
        terminate(uow)
    assert told == []


def test_a_hook_that_fails_stops_neither_the_others_nor_the_answer(uow, add, committed, told, caplog):
    def fails():
        raise Trouble

    with uow:
        add("one")
        uow.after_commit(fails)
        uow.after_commit(told.append, "other")
    assert told == ["other"]
    assert committed() == {"one"}
    assert "after_commit_hook_failed" in caplog.text


def test_a_hook_may_open_a_block_of_its_own(uow, add, committed):
    def hook():
        with uow:
            add("by the hook")

    with uow:
        add("one")
        uow.after_commit(hook)
    assert committed() == {"one", "by the hook"}


def test_a_hook_belongs_inside_a_write_block(uow, told):
    with pytest.raises(RuntimeError, match="write block"):
        uow.after_commit(told.append, "hook")
    with uow.reading(), pytest.raises(RuntimeError, match="write block"):
        uow.after_commit(told.append, "hook")


def test_there_is_no_session_outside_a_block(uow):
    with pytest.raises(RuntimeError, match="no unit of work"):
        _ = uow.session


def test_reading_sees_what_is_committed_by_then(uow, add, elsewhere, statements):
    from sqlalchemy import func, select

    from app.core.throttle import ThrottleCounter

    count = select(func.count()).select_from(ThrottleCounter)

    def write():
        with uow:
            add("one")

    with statements() as sent, uow.reading():
        session = uow.session
        assert session.scalar(count) == 0
        elsewhere(write)
        assert session.scalar(count) == 1
    assert sent == [
        "SELECT throttle_counters",
        "INSERT throttle_counters",
        "COMMIT",
        "SELECT throttle_counters",
    ]


def test_reading_inside_a_write_block_joins_it(uow, add):
    from app.core.throttle import ThrottleCounter

    with uow:
        add("one")
        with uow.reading():
            session = uow.session
            assert session is uow.session
            assert session.get(ThrottleCounter, b"one") is not None
        add("two")


def test_reading_inside_reading_joins_it(uow):
    with uow.reading():
        outer = uow.session
        with uow.reading():
            assert uow.session is outer
        assert uow.active
    assert not uow.active


def test_a_write_inside_reading_is_refused(uow, committed):
    with uow.reading():
        with pytest.raises(RuntimeError, match="would not be a transaction"), uow:
            pass
        assert uow.active
    assert not uow.active
    assert committed() == set()


def test_a_failed_read_gives_the_thread_back(uow, add, committed):
    with pytest.raises(Trouble), uow.reading():
        raise Trouble
    with uow:
        add("one")
    assert committed() == {"one"}


def test_threads_have_transactions_of_their_own(uow, add, committed, elsewhere):
    def write():
        assert not uow.active
        with uow:
            add("theirs")

    with pytest.raises(Trouble), uow:
        add("mine")
        elsewhere(write)
        raise Trouble
    assert committed() == {"theirs"}


def test_a_read_only_service_refuses_to_write_and_reads_on(parts, committed):
    closed = UnitOfWork(parts.engines.engine, read_only=True)
    with pytest.raises(AppError) as refusal, closed:
        pytest.fail("the block was entered")
    assert (refusal.value.code, refusal.value.retry_after) == (Code.read_only, 30)
    assert not closed.active
    with closed.reading():
        pass
    assert committed() == set()


def test_connections_go_back_whatever_happens(uow, add, parts):
    """More blocks than the pool has connections, each ending in another way."""
    pool = parts.engines.engine.pool
    for number in range(parts.settings.pool_size + parts.settings.db_max_overflow + 1):
        with uow:
            add(f"{number}")
        with pytest.raises(AppError), uow:
            add("0")
        with pytest.raises(Trouble), uow.reading():
            session = uow.session
            session.connection()
            raise Trouble
    assert pool.checkedout() == 0


def test_an_error_of_ours_survives_a_connection_that_died_under_it(uow, add, terminate):
    """The rollback fails as well; the caller is told the refusal all the same, and the next block works."""
    with pytest.raises(AppError) as told, uow:
        add("one")
        terminate(uow)
        raise AppError(Code.forbidden, "no")
    assert told.value.code is Code.forbidden
    with uow:
        add("one")


@pytest.mark.parametrize("order", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("moment", ["before_cursor_execute", "after_cursor_execute", "commit"])
def test_rel_02_who_is_told_to_end_while_committing_leaves_nothing_to_the_next_block(
    settings, row, committed, order, moment
):
    """Between two statements of ours SQLAlchemy does not notice: the connection came back in its transaction."""
    engine = make_engine(settings)
    ending = UnitOfWork(engine)

    def strike(*_args):
        event.remove(engine, moment, strike)
        raise order

    try:
        with pytest.raises(order), ending:
            ending.session.add(row("one"))
            ending.session.flush()
            ending.session.add(row("two"))
            event.listen(engine, moment, strike)
        assert engine.pool.checkedout() == 0
        with ending:
            ending.session.add(row("next"))
        assert committed() == {"next"}
    finally:
        engine.dispose()
