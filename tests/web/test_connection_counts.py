"""Whose turn it is to accept a connection (app/web/connection_counts.py)."""

from types import SimpleNamespace

import pytest

from app.web import connection_counts, gunicorn_hooks
from app.web.connection_counts import SLOTS, ConnectionCounts, Turn


@pytest.fixture
def table():
    return ConnectionCounts()


@pytest.fixture
def turn(table):
    return Turn(table, 0)


@pytest.fixture
def other(table):
    other = Turn(table, 1)
    other.tell(0)
    return other


def asked(turn, times, count=9):
    """What a process is told that has nine connections and nothing to do but wait."""
    told = ""
    for _ in range(times):
        if turn.has_come(count):
            told += "y"
        else:
            told += "n"
            turn.breathe()
    return told


def test_of_few_connections_nobody_takes_one_more_than_the_fewest(turn, other):
    assert [turn.has_come(count) for count in (0, 1)] == [True, False]
    other.tell(3)
    assert [turn.has_come(count) for count in (3, 4)] == [True, False]


def test_of_more_who_has_two_more_than_the_fewest_lets_them_go_first(turn, other):
    other.tell(4)
    assert [turn.has_come(count) for count in (4, 5, 6)] == [True, True, False]


def test_among_many_connections_a_few_more_do_not_matter(turn, other):
    other.tell(80)
    assert [turn.has_come(count) for count in (91, 92)] == [True, False]


def test_who_is_alone_or_has_no_slot_waits_for_nobody(table, turn, other):
    assert Turn(table, None).has_come(99)
    other.tell(None)
    assert turn.has_come(99)


def test_who_waited_in_vain_accepts_and_more_each_time(turn, other, monkeypatch):
    monkeypatch.setattr(connection_counts, "FORGET_SECONDS", 3600)
    monkeypatch.setattr(Turn, "most_breaths", 1)
    assert asked(turn, 10) == "ny" + "nyy" + "nyyyy"


def test_a_while_later_that_is_forgotten(turn, other, monkeypatch):
    monkeypatch.setattr(connection_counts, "FORGET_SECONDS", -3600)
    monkeypatch.setattr(Turn, "most_breaths", 1)
    assert asked(turn, 6) == "nynyny"


def test_who_was_right_to_wait_waits_again(turn, other, monkeypatch):
    monkeypatch.setattr(connection_counts, "FORGET_SECONDS", 3600)
    monkeypatch.setattr(Turn, "most_breaths", 1)
    assert asked(turn, 3) == "nyn"
    turn.nobody_knocks()
    assert asked(turn, 4) == "nyny"


def test_who_is_busy_meanwhile_waits_in_vain_by_the_clock(turn, other, monkeypatch):
    monkeypatch.setattr(Turn, "longest", 0)
    assert [turn.has_come(9), turn.has_come(9)] == [False, True]


def test_a_new_process_takes_the_slot_of_one_that_is_gone_without_its_count(table, turn, other):
    assert table.vacant([1, None, 3]) == 0
    assert table.vacant([0, 2]) == 1
    assert turn.has_come(99), "what the dead one had written holds nobody up"


def test_more_processes_than_slots_take_no_part(table):
    assert table.vacant(range(SLOTS)) is None


def test_the_master_gives_each_worker_a_slot_of_its_own_and_forgets_the_dead_ones_count(table, monkeypatch):
    monkeypatch.setattr(gunicorn_hooks, "counts", table)
    workers = [SimpleNamespace(pid=pid, slot=None) for pid in (71, 72)]
    for number, worker in enumerate(workers):
        gunicorn_hooks.give_slot(SimpleNamespace(WORKERS=dict(enumerate(workers[:number]))), worker)
    assert [worker.slot for worker in workers] == [0, 1]
    turn, dead = (Turn(table, worker.slot) for worker in workers)
    dead.tell(0)
    assert not turn.has_come(9)
    gunicorn_hooks.forget_worker(workers[1])
    assert turn.has_come(9)
