"""One load for many who want the same at once."""

import threading

import pytest

from app.core.single_flight import SingleFlight


@pytest.fixture
def flights():
    return SingleFlight()


class Slow:
    """A load that ends when the test says so. The first one, that is: others end at once."""

    def __init__(self, fault=None):
        self.begun, self.let_go = threading.Event(), threading.Event()
        self.times, self.fault = 0, fault

    def __call__(self):
        self.times += 1
        first = self.times == 1
        self.begun.set()
        if first:
            assert self.let_go.wait(10)
            if self.fault:
                raise self.fault
        return f"load {self.times}" if first else "a load of my own"


def started(run):
    found = []
    thread = threading.Thread(target=lambda: found.append(run()))
    thread.start()
    return thread, found


def passengers(flights, key="p1"):
    """Wait until somebody waits for a flight."""
    flight = flights._flights[key]
    while not flight.over._cond._waiters:  # no public way to see that a thread waits for an event
        pass


def test_who_comes_while_it_is_loaded_waits_and_takes_what_was_found(flights):
    load = Slow()
    first, found = started(lambda: flights.run("p1", load))
    assert load.begun.wait(10)
    second, taken = started(lambda: flights.run("p1", load))
    passengers(flights)
    load.let_go.set()
    first.join()
    second.join()
    assert (found, taken, load.times) == (["load 1"], ["load 1"], 1)


def test_who_comes_later_loads_anew(flights):
    load = Slow()
    load.let_go.set()
    assert [flights.run("p1", load), flights.run("p1", load)] == ["load 1", "a load of my own"]


def test_other_keys_do_not_wait(flights):
    load = Slow()
    thread, _found = started(lambda: flights.run("p1", load))
    assert load.begun.wait(10)
    assert flights.run("p2", lambda: "at once") == "at once"
    load.let_go.set()
    thread.join()


def test_a_load_that_fails_is_its_own_alone(flights):
    load = Slow(ZeroDivisionError())

    def fails():
        with pytest.raises(ZeroDivisionError):
            flights.run("p1", load)

    first, _ = started(fails)
    assert load.begun.wait(10)
    second, taken = started(lambda: flights.run("p1", load))
    passengers(flights)
    load.let_go.set()
    first.join()
    second.join()
    assert taken == ["a load of my own"]
    assert flights._flights == {}


@pytest.mark.parametrize("bound", ["PATIENCE", "JOINED_WITHIN"])
def test_nobody_waits_for_longer_than_his_patience_nor_joins_what_began_long_ago(flights, monkeypatch, bound):
    """What he would be given would be older than facts may be."""
    monkeypatch.setattr(f"app.core.single_flight.{bound}", 0.0)
    load = Slow()
    thread, _found = started(lambda: flights.run("p1", load))
    assert load.begun.wait(10)
    assert flights.run("p1", load) == "a load of my own"
    load.let_go.set()
    thread.join()
