"""D7: every connection in use. Who waits in vain is told in time, and nothing else suffers."""

import time
from contextlib import ExitStack

import pytest

from tests.fixtures.client import ApiClient

TIMEOUT = 0.3
SLACK = 0.5


@pytest.fixture
def busy(make_app, alice):
    """A production service of two connections, and a context in which both are in use."""
    app = make_app(app_env="production", db_pool_size=1, db_max_overflow=1, db_pool_timeout_seconds=TIMEOUT)
    assert ApiClient(app, alice.token).get("/projects").status_code == 200  # what a process does once is done
    engine = app.extensions["holdfast"].engines.engine
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(engine.connect())
        yield app, held


@pytest.fixture
def waits(busy, monkeypatch):
    """How often somebody waited for a connection."""
    pool = busy[0].extensions["holdfast"].engines.engine.pool
    seen, connect = [], pool.connect
    monkeypatch.setattr(pool, "connect", lambda: (seen.append(1), connect())[1])
    return seen


def timed(call):
    began = time.monotonic()
    return call(), time.monotonic() - began


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", {"name": "Reef"})])
def test_d7_who_waits_in_vain_is_told_in_time(busy, waits, alice, method, body):
    """Once, and for no longer than the pool's time; the fastest of three, since other programs use this machine too."""
    app, _ = busy
    took = []
    for _ in range(3):
        answer, seconds = timed(lambda: ApiClient(app, alice.token).open(method, "/projects", json=body))
        assert (answer.status_code, answer.json["code"]) == (503, "overloaded")
        assert int(answer.headers["Retry-After"]) > 0
        assert seconds >= TIMEOUT
        took.append(seconds)
    assert len(waits) == 3
    assert min(took) <= TIMEOUT + SLACK


def test_d7_many_at_once_are_all_told(busy, waits, alice, at_once):
    app, _ = busy
    answers = at_once(8, lambda _: timed(lambda: ApiClient(app, alice.token).get("/projects")))
    assert {answer.status_code for answer, _ in answers} == {503}
    assert len(waits) == 8
    assert min(seconds for _, seconds in answers) < 10  # no request waits without end


def test_d7_what_needs_no_database_does_not_queue_for_it(busy):
    app, _ = busy
    asked = []
    app.extensions["holdfast"].engines.engine.pool.connect = lambda: asked.append("a connection")
    for path in ("//livez", "//docs", "/meta"):
        assert ApiClient(app).get(path).status_code == 200
    assert asked == []


def test_d7_it_goes_on_as_soon_as_a_connection_is_free(busy, alice):
    app, held = busy
    client = ApiClient(app, alice.token)
    assert client.get("/projects").status_code == 503
    held.close()
    assert client.get("/projects").status_code == 200


def test_d7_who_waits_gets_the_next_free_connection(busy, alice, at_once):
    app, held = busy

    def work(number):
        return held.close() if number == 0 else ApiClient(app, alice.token).get("/projects").status_code

    assert at_once(3, work)[1:] == [200, 200]
