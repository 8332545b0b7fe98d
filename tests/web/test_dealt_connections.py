"""Connections that are kept, among the processes of a real gunicorn (app/web/connection_counts.py)."""

import os
import signal
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fixtures.gunicorn_process import request, serving, until

FOR_EVER = """
from app.web.connection_counts import Turn
Turn.most_breaths, Turn.longest = 10**9, 3600
"""
"""However slow the machine is: a process that should let others go first does."""


class Kept:
    """Clients that stay, each on a connection of its own."""

    def __init__(self, server, stack):
        self.server, self.stack = server, stack
        self.clients = []

    def more(self, number):
        """So many more connect at once; who has how many of them."""
        clients = [self.stack.enter_context(self.server.connect()) for _ in range(number)]
        self.clients += clients
        return held(clients)

    def shares(self):
        """Who has how many of all."""
        return held(self.clients)

    def until_at_work(self, *expected, number):
        """Until so many processes accept; the pids."""
        pids = set(expected)
        until(lambda: pids.update(self.more(1)) or len(pids) == number, "all processes accept")
        return pids


def held(clients):
    for client in clients:
        client.send(request("GET", "/pid"))
    return Counter(int(client.answer().body) for client in clients)


def is_even(shares, number):
    """Whether no process has less than three quarters of its share."""
    return len(shares) == number and min(shares.values()) * number >= shares.total() * 3 / 4


@pytest.fixture
def kept():
    with ExitStack() as stack:
        yield lambda server: Kept(server, stack)


@pytest.mark.parametrize("number", [2, 4])
def test_connections_are_dealt_evenly(tmp_path, kept, number):
    with serving(tmp_path, workers=number, more=FOR_EVER) as server:
        clients = kept(server)
        clients.until_at_work(number=number)
        for _ in range(4):
            clients.more(64)
            shares = clients.shares()
            assert is_even(shares, number), shares


def test_who_replaces_a_killed_process_gets_its_share(tmp_path, kept):
    with serving(tmp_path, workers=2, more=FOR_EVER) as server:
        before, after = kept(server), kept(server)
        killed, other = before.until_at_work(number=2)
        before.more(32)
        os.kill(killed, signal.SIGKILL)
        [replacement] = after.until_at_work(other, number=2) - {other}
        after.more(64)
        shares = after.shares()
        assert shares[replacement] >= shares[other]


def test_a_process_that_is_stuck_keeps_nobody_from_being_answered(tmp_path, kept):
    with serving(tmp_path, workers=2) as server:
        stuck, other = kept(server).until_at_work(number=2)
        os.kill(stuck, signal.SIGSTOP)
        try:
            until(lambda: is_stopped(stuck), "it stands still")
            assert kept(server).more(64) == {other: 64}
        finally:
            os.kill(stuck, signal.SIGCONT)


def is_stopped(pid):
    return "State:\tT" in Path(f"/proc/{pid}/status").read_text()


def test_nobody_waits_for_a_process_that_stops(tmp_path, kept):
    with serving(tmp_path, workers=2, more=FOR_EVER) as server, server.connect() as slow:
        [stopping] = held([slow])
        slow.send(request("POST", "/length", "Content-Length: 4", "Expect: 100-continue"))
        assert slow.answer().status == 100, "the application has the request"
        [other] = kept(server).until_at_work(stopping, number=2) - {stopping}
        os.kill(stopping, signal.SIGTERM)
        dealt = [kept(server).more(1) for _ in range(16)]
        assert dealt[-1] == {other: 1}
        slow.send(b"kelp")
        assert slow.answer().body == b"4", "and it had not ended yet"
