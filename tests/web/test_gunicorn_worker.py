"""Raw sockets against a real gunicorn with our worker class (SEC-45, SEC-52, SEC-53, traps T1 and T3)."""

import re
import signal
import socket
import struct
import time

import pytest

from tests.fixtures.gunicorn_process import request, serving, until

LIMIT = 1000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("gunicorn")) as server:
        yield server


def chunked(*chunks):
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    return request("POST", "/length", "Transfer-Encoding: chunked", body=framed)


def with_length(body, path="/length"):
    return request("POST", path, f"Content-Length: {len(body)}", body=body)


HOSTILE = {
    "length over the limit": (with_length(b"x" * (LIMIT + 1)), 413, "body_too_large"),
    "chunked over by one byte": (chunked(b"x" * LIMIT, b"x"), 413, "body_too_large"),
    "JSON and spaces over the limit": (chunked(b'{"a": 1}' + b" " * LIMIT), 413, "body_too_large"),
    "JSON and spaces, megabytes": (chunked(b'{"a": 1}', b" " * 2_621_440), 413, "body_too_large"),
    "malformed chunk size": (
        request("POST", "/length", "Transfer-Encoding: chunked", body=b"zz\r\nx\r\n0\r\n\r\n"),
        400,
        "bad_request",
    ),
    "two lengths": (request("POST", "/length", "Content-Length: 1", "Content-Length: 2"), 400, "bad_request"),
    "length and chunked": (
        request("POST", "/length", "Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        400,
        "bad_request",
    ),
    "length +5": (request("POST", "/length", "Content-Length: +5", body=b"hello"), 400, "bad_request"),
    "unknown coding": (request("POST", "/length", "Transfer-Encoding: gzip, x"), 501, "bad_request"),
    "5,000 byte URL": (request("GET", "/" + "a" * 5000), 414, "uri_too_long"),
    "9,000 byte header": (request("GET", "/", "X-Long: " + "a" * 9000), 431, "headers_too_large"),
    "200 headers": (request("GET", "/", *[f"X-{n}: 1" for n in range(200)]), 431, "headers_too_large"),
    "bad request line": (b"kelp grips the rock\r\n\r\n", 400, "bad_request"),
    "bad version": (b"GET / HTTP/9.9\r\n\r\n", 400, "bad_request"),
    "folded header": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: kelp\r\n grips\r\n\r\n", 400, "bad_request"),
    "NUL in a header": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: kelp\0\r\n\r\n", 400, "bad_request"),
    "space before the colon": (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, "bad_request"),
    "unmet expectation": (request("GET", "/", "Expect: kelp"), 417, "bad_request"),
    "bytes of another protocol": (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        400,
        "bad_request",
    ),
    "application failed": (request("GET", "/fail"), 500, "internal_error"),
    "application sent a bad header": (request("GET", "/bad-header"), 500, "internal_error"),
}


@pytest.mark.parametrize(("sent", "status", "code"), HOSTILE.values(), ids=HOSTILE)
def test_sec_52_what_the_application_never_sees_is_a_problem(server, sent, status, code):
    answer = server.ask(sent)
    problem = answer.problem
    assert (answer.status, problem["status"], problem["code"]) == (status, status, code)
    assert set(problem) == {"type", "title", "status", "detail", "code", "request_id"}
    assert problem["type"].endswith(f"errors#{code}")
    assert not re.search(rb"kelp|Traceback|site-packages|gunicorn|<", answer.body)
    assert answer.headers["x-request-id"] == problem["request_id"]
    assert server.get("/").body == b"hello", "the server still answers"


def test_sec_53_refusals_carry_the_security_headers(server):
    headers = server.ask(b"kelp\r\n\r\n").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["connection"] == "close"
    assert headers["date"].endswith("GMT")


def test_a_well_formed_request_id_is_kept_and_a_hostile_one_is_not(server):
    assert (
        server.ask(request("GET", "/fail", "X-Request-ID: abc-12345678")).problem["request_id"]
        == "abc-12345678"
    )
    for hostile in ("short", "a" * 65, "ab<script>cd", 'ab"cd"efgh'):
        assert hostile not in server.ask(request("GET", "/fail", f"X-Request-ID: {hostile}")).body.decode()


def test_head_gets_no_body(server):
    with server.connect() as client:
        client.send(request("HEAD", "/fail"))
        answer = client.answer(body=False)
        assert answer.status == 500
        assert client.file.read() == b""


def test_sec_45_at_the_limit_all_is_read(server):
    assert server.ask(with_length(b"x" * LIMIT)).body == b"1000"
    assert server.ask(chunked(b"x" * 999, b"x")).body == b"1000"


@pytest.mark.parametrize("body", [b"x" * (LIMIT + 1), b"GET /fail HTTP/1.1\r\nHost: x\r\n\r\n" * 200_000])
def test_sec_45_an_unread_body_is_harmless_on_keep_alive(server, body):
    with server.connect() as client:
        for path, expected in (("/ignore", b"ignored"), ("/", b"hello"), ("/length", b"4")):
            client.send(with_length(b"kelp" if path == "/length" else body, path))
            assert client.answer().body == expected


def test_an_unread_malformed_body_gets_one_answer_only(server):
    with server.connect() as client:
        client.send(request("POST", "/ignore", "Transfer-Encoding: chunked", body=b"zz\r\nx\r\n"))
        assert client.answer().body == b"ignored"
        assert client.answer() is None


def test_a_large_refused_body_does_not_reset_the_client_that_sends_first(server):
    with server.connect() as client:
        client.send(with_length(b"x" * 8_000_000, "/answers-413"))
        assert client.answer().status == 413
        client.send(request("GET", "/"))
        assert client.answer().body == b"hello"


def test_half_a_body_is_no_body(server):
    with server.connect() as client:
        client.send(request("POST", "/length", "Content-Length: 20", body=b'{"a": 1}'))
        client.socket.shutdown(socket.SHUT_WR)
        assert client.answer().problem["code"] == "bad_request"


def test_pipelined_requests_are_answered_in_order(server):
    with server.connect() as client:
        client.send(request("GET", "/") + with_length(b"kelp") + request("GET", "/draining"))
        assert [client.answer().body for _ in range(3)] == [b"hello", b"4", b"False"]


def test_clients_that_do_not_hang_up_hold_nobody_up(server):
    idle = []
    for _ in range(5):
        client = server.connect()
        client.send(request("GET", "/", "Connection: close"))
        assert client.answer().body == b"hello"
        idle.append(client)
    begin = time.monotonic()
    assert server.get("/").body == b"hello"
    assert time.monotonic() - begin < 1
    for client in idle:
        assert client.file.read() == b""
        client.send(b"x" * 10)
    until(lambda: is_reset(idle[0]), "the server lets go in the end")
    for client in idle:
        client.__exit__()


def test_a_client_that_sends_on_after_the_end_is_cut_off(server):
    with server.connect() as client:
        client.send(request("GET", "/", "Connection: close"))
        assert client.answer().body == b"hello"
        assert any(is_reset(client, b"x" * 65536) for _ in range(1000))


def test_clients_that_vanish_leave_nothing_behind(server):
    with server.connect() as client:  # in the middle of the body
        client.send(request("POST", "/length", "Content-Length: 4", "Expect: 100-continue"))
        assert client.answer().status == 100
        vanish(client)
    with server.connect() as client:  # after the answer
        client.send(request("GET", "/", "Connection: close"))
        assert client.answer().body == b"hello"
        vanish(client)
    for _ in range(10):
        assert server.get("/").body == b"hello"


def vanish(client):
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.__exit__()


def is_reset(client, data=b"x"):
    try:
        client.send(data)
    except OSError:
        return True
    return False


def test_sec_58_refusals_are_logged_as_json_and_never_quoted(server):
    server.ask(b"GET /?token=kelp-token\r\nX: \x1b[31m HTTP/1.1\r\n\r\n")
    server.ask(request("GET", "/fail?token=kelp-token"))
    lines = server.lines()
    refused = next(line for line in lines if line["event"] == "request_refused")
    assert {"time", "level", "status", "code", "request_id", "reason"} <= set(refused)
    assert refused["ip"] == "127.0.0.0"
    failed = [line for line in lines if line["event"] == "request_failed"][-1]
    assert (failed["method"], failed["path"], failed["level"]) == ("GET", "/fail", "error")
    assert "RuntimeError" in failed["exception"]
    assert "kelp-token" not in server.output.read_text()
    assert "Booting worker" in server.output.read_text()


def test_rel_05_sigterm_drains_then_stops(tmp_path):
    with serving(tmp_path, workers=2, drain_seconds=1) as server, server.connect() as slow:
        slow.send(request("POST", "/length", "Content-Length: 4", "Expect: 100-continue"))
        assert slow.answer().status == 100, "the application has the request"
        assert server.get("/draining").body == b"False"

        begin = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.get("/draining").body == b"True", "draining while still serving")
        server.process.send_signal(signal.SIGTERM)
        assert [server.get("/draining").body for _ in range(20)] == [b"True"] * 20, "in every worker"
        until(lambda: refuses(server.port), "the listener closes")
        assert time.monotonic() - begin > 1

        assert server.process.poll() is None
        slow.send(b"kelp")
        assert slow.answer().body == b"4"
        assert server.process.wait(10) == 0
        assert any(line["event"].startswith("Draining") for line in server.lines())


def test_sigterm_without_drain_time_stops_at_once(tmp_path):
    with serving(tmp_path) as server:
        begin = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin < 20  # the graceful time-out is 25 s: nobody waited for it


def test_a_worker_that_is_told_to_stop_before_it_runs_stops(tmp_path):
    unlucky = """
def post_fork(server, worker):
    if worker.age == 2:
        import os, signal
        os.kill(os.getpid(), signal.SIGTERM)
"""
    with serving(tmp_path, workers=2, more=unlucky) as server:
        booted = "Booting worker"
        until(lambda: server.output.read_text().count(booted) == 3, "the second worker is replaced")
        assert server.stop() == 0


def test_sigint_ends_a_drain(tmp_path):
    with serving(tmp_path, drain_seconds=60) as server:
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.get("/draining").body == b"True", "draining")
        assert server.stop(signal.SIGINT) == 0


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False
