"""What a transaction wants called before its commit: once, inside it, with all that was asked."""

# ruff: noqa: PT012 - the blocks under test have more than one line

import pytest


@pytest.fixture
def called():
    return []


def test_a_hook_is_called_once_with_all_that_it_was_asked_for(uow, called):
    with uow:
        uow.before_commit(called.append, "one")
        with uow:
            uow.before_commit(called.append, "two")
        assert called == []
    assert called == [["one", "two"]]


def test_what_it_writes_is_committed_with_the_rest(uow, add, committed):
    with uow:
        uow.before_commit(lambda keys: [add(key) for key in keys], "hook")
        add("block")
    assert committed() == {"block", "hook"}


def test_its_failure_rolls_everything_back(uow, add, committed, called):
    with pytest.raises(ZeroDivisionError), uow:
        add("block")
        uow.before_commit(lambda _: 1 / 0, "hook")
        uow.after_commit(called.append, "after")
    assert committed() == set()
    assert called == []
    assert not uow.active


def test_it_may_open_a_block_and_ask_for_more(uow, add, committed, called):
    def hook(keys):
        with uow:
            add(*keys)
            uow.before_commit(called.append, "later")
            uow.after_commit(called.append, "after")

    with uow:
        uow.before_commit(hook, "hook")
    assert committed() == {"hook"}
    assert called == [["later"], "after"]


def test_after_a_failure_in_the_block_it_is_not_called(uow, called):
    with pytest.raises(ZeroDivisionError), uow:
        uow.before_commit(called.append, "one")
        raise ZeroDivisionError
    assert called == []


def test_an_item_that_fails_takes_its_own_with_it(uow, called):
    with uow:
        uow.before_commit(called.append, "before")
        with pytest.raises(ZeroDivisionError), uow.item():
            uow.before_commit(called.append, "of the item")
            raise ZeroDivisionError
        uow.before_commit(called.append, "after")
    assert called == [["before", "after"]]


def test_outside_a_write_block_there_is_no_commit_to_wait_for(uow, called):
    with pytest.raises(RuntimeError, match="write block"):
        uow.before_commit(called.append, "one")
    with uow.reading(), pytest.raises(RuntimeError, match="write block"):
        uow.before_commit(called.append, "one")
