"""Items of a bulk: savepoints, the one place where an inner failure does not doom the whole."""

# ruff: noqa: PT012 - the blocks under test have more than one line

import pytest

from app.core.errors import AppError, Code
from app.core.uow import DoomedTransactionError


class Trouble(Exception):
    """What goes wrong in a test."""


@pytest.fixture
def told():
    """What hooks said."""
    return []


def test_an_item_that_fails_is_undone_alone_and_its_hooks_are_dropped(uow, add, committed, told):
    with uow:
        add("before")
        uow.after_commit(told.append, "outer")
        with pytest.raises(Trouble), uow.item():
            add("lost")
            uow.after_commit(told.append, "lost")
            raise Trouble
        with uow.item():
            add("kept")
            uow.after_commit(told.append, "kept")
    assert committed() == {"before", "kept"}
    assert told == ["outer", "kept"]


def test_a_service_that_fails_inside_an_item_does_not_doom_the_outer_block(uow, add, committed):
    with uow:
        with pytest.raises(Trouble), uow.item(), uow:
            add("lost")
            raise Trouble
        add("kept")
    assert committed() == {"kept"}


def test_a_failure_swallowed_inside_an_item_dooms_the_whole(uow, add, committed):
    with pytest.raises(DoomedTransactionError), uow, uow.item():
        with pytest.raises(Trouble), uow:
            raise Trouble
        add("lost")
    assert committed() == set()


def test_what_doomed_the_block_before_an_item_still_does_after_it(uow, add):
    with pytest.raises(DoomedTransactionError), uow:
        with pytest.raises(Trouble), uow:
            raise Trouble
        with pytest.raises(Trouble), uow.item():
            raise Trouble


def test_a_database_error_in_an_item_is_told_in_our_words_and_the_block_goes_on(uow, add, committed):
    with uow:
        add("one")
        with pytest.raises(AppError) as conflict, uow.item():
            add("one")
        assert conflict.value.code is Code.write_conflict
        add("two")
    assert committed() == {"one", "two"}


def test_an_item_belongs_inside_a_write_block(uow):
    with pytest.raises(RuntimeError, match="write block"), uow.item():
        pass
    with uow.reading(), pytest.raises(RuntimeError, match="write block"), uow.item():
        pass


def test_a_block_whose_connection_died_in_an_item_cannot_end_well(uow, add, terminate, committed):
    with pytest.raises(AppError) as told, uow:
        add("before")
        with pytest.raises(AppError), uow.item():
            terminate(uow)
            add("lost")
        add("after")
    assert told.value.code is Code.database_unavailable
    assert committed() == set()
    with uow:
        add("fresh")
