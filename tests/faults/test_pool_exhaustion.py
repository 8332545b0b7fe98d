"""D7: every connection in use. Who waits in vain is told in time, and nothing else suffers."""

import time
from contextlib import ExitStack

import pytest

from tests.fixtures.client import ApiClient

TIMEOUT = 0.3
SLACK = 0.5


@pytest.fixture
def busy(make_app):
    """A production service of two connections, and a context in which both are in use."""
    app = make_app(app_env="production", db_pool_size=1, db_max_overflow=1, db_pool_timeout_seconds=TIMEOUT)
    engine = app.extensions["holdfast"].engines.engine
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(engine.connect())
        yield app, held


def timed(call):
    began = time.monotonic()
    return call(), time.monotonic() - began


def test_d7_who_waits_in_vain_is_told_in_time(busy, alice):
    app, _ = busy
    for method, path, body in (("GET", "/projects", None), ("POST", "/projects", {"name": "Reef"})):
        answer, seconds = timed(
            lambda m=method, p=path, b=body: ApiClient(app, alice.token).open(m, p, json=b)
        )
        assert (answer.status_code, answer.json["code"]) == (503, "overloaded")
        assert int(answer.headers["Retry-After"]) > 0
        assert TIMEOUT <= seconds <= TIMEOUT + SLACK


def test_d7_many_at_once_are_all_told_in_time(busy, alice, at_once):
    app, _ = busy
    ApiClient(app).get("/meta")  # what a process does once is done
    answers = at_once(8, lambda _: timed(lambda: ApiClient(app, alice.token).get("/projects")))
    assert {answer.status_code for answer, _ in answers} == {503}
    assert max(seconds for _, seconds in answers) <= TIMEOUT + 2 * SLACK, (
        "eight clients share this interpreter too"
    )


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
