"""Who waited too long is refused, so that a service with too much to do still serves most of what it can (REL-03, D7)."""

import json
import os
import threading

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.web.load_shedding import LONGEST_SECONDS, LoadShedder, short_way, waited
from tests.fixtures.gunicorn_process import request, serving, until

OURS = "https://app.example"


def reached(_environ, start_response):
    start_response("200 OK", [])
    return [b"reached"]


SHEDDER = LoadShedder(reached, "/docs/errors#", [("X-Frame-Options", "DENY")], lambda origin: origin == OURS)


def asked(seconds, path="/api/v1/me", method="GET", **headers):
    """Status, headers and body of an answer to somebody who stood in line for so long."""
    before = waited.set(seconds)
    try:
        body, status, told = run_wsgi_app(
            SHEDDER, EnvironBuilder(path, method=method, headers=headers).get_environ()
        )
        return int(status.split()[0]), told, b"".join(body)
    finally:
        waited.reset(before)


def test_who_waited_a_little_is_served():
    assert asked(LONGEST_SECONDS / 2)[2] == b"reached"


def test_rel_03_who_waited_too_long_is_told_when_to_try_again():
    status, headers, body = asked(LONGEST_SECONDS * 2)
    problem = json.loads(body)
    assert (status, headers["Retry-After"], headers["Content-Type"]) == (503, "2", "application/problem+json")
    assert (problem["code"], problem["status"]) == ("overloaded", 503)
    assert problem["request_id"] == headers["X-Request-ID"]
    assert headers["X-Frame-Options"] == "DENY"
    assert asked(LONGEST_SECONDS * 2, method="HEAD")[2] == b""


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_who_asks_for_health_is_never_refused(path):
    assert asked(LONGEST_SECONDS * 100, path)[2] == b"reached"


def test_sec_54_only_our_pages_may_read_it():
    assert asked(LONGEST_SECONDS * 2, Origin=OURS)[1]["Access-Control-Allow-Origin"] == OURS
    assert "Access-Control-Allow-Origin" not in asked(LONGEST_SECONDS * 2, Origin="https://evil.example")[1]
    assert "Access-Control-Allow-Origin" not in asked(LONGEST_SECONDS * 2)[1]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("origin", [None, OURS, "https://evil.example"])
def test_the_short_way_tells_the_same(method, origin):
    _, told, body = asked(LONGEST_SECONDS * 2, method=method, **({"Origin": origin} if origin else {}))
    before = waited.set(LONGEST_SECONDS * 2)
    head, _, short_body = short_way(SHEDDER, method, "/api/v1/me", origin).partition(b"\r\n\r\n")
    waited.reset(before)
    status, *lines = head.decode("latin-1").split("\r\n")
    assert status == "HTTP/1.1 503 Service Unavailable"
    short = dict(line.split(": ", 1) for line in lines)
    assert short.pop("Connection") == "keep-alive"
    assert short.pop("Date").endswith("GMT")
    assert short.keys() == dict(told).keys()
    assert {name for name in short if short[name] != told[name]} == {"X-Request-ID"}
    assert len(short_body) == len(body)


class Held:
    """Requests that hold the threads of a server until they are let go."""

    def __init__(self, server, folder, count):
        self._server, self._answers = server, []
        self._pipes = [folder / f"pipe{n}" for n in range(count)]
        for pipe in self._pipes:
            os.mkfifo(pipe)
        self._threads = [threading.Thread(target=self._ask, args=[pipe]) for pipe in self._pipes]
        for thread in self._threads:
            thread.start()
        self._ends = [pipe.open("wb") for pipe in self._pipes]  # each waits until its request reads

    def _ask(self, pipe):
        self._answers.append(self._server.get(f"/held?{pipe}").body)

    def let_go(self):
        for end in self._ends:
            end.write(b"kelp")
            end.close()
        for thread in self._threads:
            thread.join(20)
        return self._answers


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("shedding")) as server:
        yield server


def test_one_slow_request_holds_nobody_up(server, tmp_path):
    held = Held(server, tmp_path, 1)
    assert [server.get("/").body for _ in range(20)] == [b"hello"] * 20
    assert held.let_go() == [b"kelp"]


def test_d7_while_all_threads_are_held_the_process_lives_and_the_others_are_refused(server, tmp_path):
    held = Held(server, tmp_path, 2)
    assert server.get("/livez").body == b"alive"
    answer = server.get("/")
    assert (answer.status, answer.problem["code"], answer.headers["retry-after"]) == (503, "overloaded", "2")
    assert held.let_go() == [b"kelp"] * 2
    until(lambda: server.get("/").body == b"hello", "everybody is served again")


def test_a_connection_that_was_refused_can_be_used_again(server, tmp_path):
    held = Held(server, tmp_path, 2)
    with server.connect() as client:
        client.send(request("GET", "/"))
        assert client.answer().status == 503
        held.let_go()
        client.send(request("GET", "/"))
        assert client.answer().body == b"hello"


def test_what_a_refused_request_carried_is_not_taken_for_the_next(server, tmp_path):
    held = Held(server, tmp_path, 2)
    with server.connect() as client:
        client.send(request("POST", "/length", "Content-Length: 4", body=b"kelp"))
        assert client.answer().status == 503
        client.send(request("HEAD", "/"))
        assert client.answer(body=False).headers["retry-after"] == "2"
        held.let_go()
        client.send(request("POST", "/length", "Content-Length: 3", body=b"sea"))
        assert client.answer().body == b"3"


def test_who_says_that_it_was_the_last_request_is_refused_and_let_go(server, tmp_path):
    held = Held(server, tmp_path, 2)
    with server.connect() as client:
        client.send(request("GET", "/", "Connection: close"))
        answer = client.answer()
        assert (answer.status, answer.headers["connection"]) == (503, "close")
        assert client.answer() is None
    held.let_go()
