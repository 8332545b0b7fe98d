"""The sender of `benchmarks.overload`, and how what it met is judged."""

import contextlib
import socket
import threading
from collections import Counter
from itertools import cycle

import pytest

from benchmarks.open_loop import Sender, Tally
from benchmarks.overload import Sight, calm_after, judged

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nkelp"
BUSY = b"HTTP/1.1 503 Busy\r\nretry-after: 2\r\nCONTENT-LENGTH: 0\r\n\r\n"
BARE = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
REQUEST = b"GET / HTTP/1.1\r\n\r\n"


def answer_in_turns(listener, answers):
    """One connection after the other; an empty answer closes it."""
    turns = cycle(answers)
    with contextlib.suppress(OSError):
        while True:
            link, _ = listener.accept()
            with link:
                while link.recv(1000) and (answer := next(turns)):
                    link.sendall(answer[:20])
                    link.sendall(answer[20:])


@pytest.fixture
def port_of():
    with contextlib.ExitStack() as stack:

        def start(*answers):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            thread = threading.Thread(target=answer_in_turns, args=(listener, answers))
            stack.callback(thread.join)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            thread.start()
            return listener.getsockname()[1]

        yield start


def test_all_that_was_offered_is_accounted_for(port_of):
    sender = Sender(port_of(GOOD, BUSY, BARE, b""), [REQUEST], 1)
    tally = sender.open(0.5, 2000)
    assert tally.offered == tally.lost + tally.failed + sum(tally.statuses.values())
    assert set(tally.statuses) == {200, 503}
    assert len(tally.good) == tally.statuses[200]
    assert 0 < tally.bare < tally.statuses[503]
    assert tally.failed > 0


def test_a_closed_loop_loses_nothing(port_of):
    tally = Sender(port_of(GOOD), [REQUEST], 1).closed(0.2)
    assert tally.offered == len(tally.good) > 0
    assert (tally.lost, tally.failed, tally.bare) == (0, 0, 0)


def tally(good, **more):
    return Tally(in_time=good, seconds=1.0, statuses=Counter({200: good}), **more)


def test_good_answers_near_the_peak_are_well():
    assert judged([tally(900), tally(1100)], [tally(801)], [Sight(0.0, 5.0, 200)], 1.0) == []


def test_what_is_not_as_it_should_be_is_named():
    flood = tally(799, bare=2, failed=3)
    flood.statuses[500] = 4
    assert judged([tally(900), tally(1100)], [flood], [Sight(0.0, 5.0, 503)], None) == [
        "good answers fell to 80% of the peak", "4 answers 500", "2 answers 503 without Retry-After",
        "3 requests failed", "/livez failed 1 of 1 times", "not as before 10 s after the load",
    ]  # fmt: skip


def test_calm_is_many_answers_in_a_row():
    loud = [Sight(float(n), 900.0, 200) for n in range(5)]
    refused = [Sight(5.0, 1.0, 503)]
    calm = [Sight(float(n), 10.0, 200) for n in range(6, 40)]
    assert calm_after([*loud, *refused, *calm], 2.0, 50.0) == 4.0
    assert calm_after(loud, 2.0, 50.0) is None
