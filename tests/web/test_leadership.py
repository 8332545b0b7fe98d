"""The lead of a worker's loop: kept while it is quick, lost by who is slow, back with the main thread when it wants it."""

import threading
import time

import pytest

from app.web.leadership import Leadership

SOON = 20


class Crew:
    """Threads that lead in turn, as those of a worker do; what the leader does is told by ``work``."""

    def __init__(self, size):
        self.waked = threading.Event()
        self.leadership = Leadership(self.waked.set)
        self.led = []
        self.work = lambda: self.waked.wait(0.01)
        self._threads = [threading.Thread(target=self._life) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def _life(self):
        while self.leadership.wait_to_lead():
            while self.leadership.kept:
                self.led.append(threading.get_ident())
                self.leadership.away(self.work)
            self.leadership.resign()

    def lend_until(self, true):
        """Do as gunicorn's main loop does until something is so."""
        until = time.monotonic() + SOON
        while not true():
            assert time.monotonic() < until, "never"
            if not self.leadership.lend(0.01):
                self.waked.wait(0.001)  # it would look for events
            assert self.leadership.mine, "the main thread leads again"

    def end(self):
        self.leadership.close()
        for thread in self._threads:
            thread.join(SOON)
            assert not thread.is_alive()


@pytest.fixture
def crew():
    crews = []

    def of(size):
        crews.append(Crew(size))
        return crews[-1]

    yield of
    for made in crews:
        made.end()


def test_the_one_who_made_it_leads_at_first_and_has_nobody_to_lend_to():
    leadership = Leadership(lambda: None)
    assert leadership.mine
    assert not leadership.lend(SOON)


def test_one_thread_leads_as_long_as_it_is_quick(crew):
    three = crew(3)
    three.work = lambda: None
    three.lend_until(lambda: len(three.led) > 1000)
    before = len(three.led)
    three.lend_until(lambda: len(three.led) > before + 100)
    runs = [before != after for before, after in zip(three.led, three.led[1:], strict=False)]
    assert sum(runs) < len(runs) / 10, "the lead goes round at the loans' ends at most"


def test_who_is_slow_loses_the_lead_to_who_is_free(crew):
    two = crew(2)
    slow = threading.Event()
    waiting = []

    def work():
        if not waiting:
            waiting.append(threading.get_ident())
            assert slow.wait(SOON)
        return two.waked.wait(0.001)

    two.work = work
    two.lend_until(lambda: any(led not in waiting for led in two.led))
    slow.set()
    two.lend_until(lambda: waiting[0] in two.led[two.led.index(waiting[0]) + 1 :] or len(two.led) > 50)


def test_the_main_thread_leads_while_all_are_slow_and_lends_again_after(crew):
    two = crew(2)
    slow = threading.Event()
    two.work = lambda: slow.wait(SOON)
    two.lend_until(lambda: len(two.led) == 2)
    assert not two.leadership.lend(SOON), "nobody is free"
    two.work = lambda: two.waked.wait(0.001)
    slow.set()
    two.lend_until(lambda: len(two.led) > 2)


def test_a_call_ends_a_loan(crew):
    one = crew(1)
    one.work = one.leadership.call
    assert one.leadership.lend(3600)
    assert one.leadership.mine


def test_free_threads_end_when_it_is_over(crew):
    crew(4).end()
