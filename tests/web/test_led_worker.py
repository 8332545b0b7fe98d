"""Who stands in line before a worker's thread, and in which order (app/web/led_worker.py)."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import ThreadWorker

from app.web.connection_counts import ConnectionCounts, Turn
from app.web.leadership import Leadership
from app.web.led_worker import FEW, LedWorker
from app.web.load_shedding import LIVENESS


class Line(LedWorker):
    """A worker that serves nobody; what stands in its line are paths, or connections."""

    def path_of(self, conn):
        return conn if isinstance(conn, str) else ""

    @property
    def paths(self):
        return [conn for conn, _ in self._line]


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture
def line(listener):
    worker = Line(0, 0, [listener], None, 30, Config(), None)
    worker.stand_in_line()
    yield worker
    for conn, _ in worker._line:
        if not isinstance(conn, str):
            conn.close()
    worker.tmp.close()


class Chores:
    """Due when nobody waits; ``urgent`` at once."""

    def __init__(self):
        self.urgent, self.done = False, []

    def due(self, *, idle):
        return self.urgent or idle

    def do(self):
        self.done.append(self.urgent)
        self.urgent = False

    def end(self):
        self.done.append("ended")


@pytest.fixture
def leader(line, monkeypatch):
    """A line whose caller leads; it answers nobody, and looks at nothing."""
    line._leadership, line._accepting = Leadership(lambda: None), True
    line.chores = Chores()
    monkeypatch.setattr(line, "_look", lambda _seconds: None)
    monkeypatch.setattr(line, "_answer", lambda *_told: None)
    return line


def test_chores_are_done_when_nobody_waits(leader):
    leader._look_after_clients()
    assert leader.chores.done == [False]
    leader.enqueue_req("/a")
    leader._look_after_clients()
    assert leader.chores.done == [False]


def test_whoever_has_come_meanwhile_goes_first(leader, monkeypatch):
    """He takes along what waits."""
    looked = []

    def look(seconds):
        looked.append(seconds)
        if len(looked) == 1:
            leader.enqueue_req("/a")

    monkeypatch.setattr(leader, "_look", look)
    leader._look_after_clients()
    assert (looked, leader.chores.done) == ([0.0], [])
    leader._look_after_clients()
    assert (looked, leader.chores.done) == ([0.0, 0.0], [False])


def test_who_stops_ends_his_chores(leader, monkeypatch):
    monkeypatch.setattr(ThreadWorker, "run", lambda _self: None)
    with ThreadPoolExecutor(1) as leader.tpool:
        leader._leadership.close()
        leader.run()
    assert leader.chores.done == ["ended"]


def test_what_cannot_wait_is_done_all_the_same(leader):
    leader.enqueue_req("/a")
    leader.chores.urgent = True
    leader._look_after_clients()
    assert leader.chores.done == [True]


def test_who_lost_the_lead_over_a_chore_answers_nobody(leader, monkeypatch):
    def dally():
        leader._leadership._leader = None  # as after PATIENCE, by another thread

    monkeypatch.setattr(leader.chores, "do", dally)
    monkeypatch.setattr(leader, "_answer", lambda *_told: pytest.fail("answered"))
    leader.chores.urgent = True
    leader.enqueue_req("/a")
    leader._look_after_clients()
    assert leader.paths == ["/a"]


def test_a_few_are_answered_as_they_came(line):
    for path in ("/a", LIVENESS, "/b"):
        line.enqueue_req(path)
    assert line.paths == ["/a", LIVENESS, "/b"]


def test_d7_who_asks_whether_the_process_lives_does_not_wait_behind_a_crowd(line):
    for _ in range(FEW + 1):
        line.enqueue_req("/a")
    line.enqueue_req(LIVENESS)
    line.enqueue_req("/b")
    assert line.paths == [LIVENESS, *["/a"] * (FEW + 1), "/b"]


def knock(listener, stack, count):
    for _ in range(count):
        stack.enter_context(socket.create_connection(listener.getsockname()))


def test_rel_03_a_crowd_before_the_door_is_let_in_by_the_dozen_so_that_its_wait_is_seen(line, listener):
    line._accepting = True
    with ExitStack() as stack:
        knock(listener, stack, FEW + 3)
        found = []
        for _ in range(3):
            line._let_in(FEW)
            found.append(line.nr_conns)
    assert found == [FEW, FEW + 3, FEW + 3]


def test_nobody_is_let_in_beyond_the_limit_or_by_a_worker_that_stops(line, listener):
    line.worker_connections = 2
    with ExitStack() as stack:
        knock(listener, stack, 3)
        line._let_in(FEW)
        assert line.nr_conns == 0
        line._accepting = True
        line._let_in(FEW)
        assert line.nr_conns == 2


def test_of_a_crowd_each_process_lets_in_its_share(line, listener):
    line._accepting = True
    table = ConnectionCounts()
    line._turn, other = Turn(table, 0), Turn(table, 1)
    other.tell(3)
    found = []
    with ExitStack() as stack:
        knock(listener, stack, FEW)
        for had in (3, 7, None):
            other.tell(had)
            line._let_in(FEW)
            found.append(line.nr_conns)
    assert found == [4, 9, FEW]
