"""Clients that stand still, against a real gunicorn: whoever asks meanwhile is answered (D9, trap T2)."""

import os
import select
import signal
import socket

import pytest

from tests.fixtures.gunicorn_process import Client, request, serving, until
from tests.fixtures.wsgi_app import FILES, THIS
from tests.web.test_gunicorn_worker import refuses, vanish

MANY = 40
FOREVER = "from app.web.gunicorn_worker import ProblemThreadWorker as w\nw.idle_seconds = 600\n"
UPLOAD = f"{FILES}/length"

STALLS = {
    "nothing": b"",
    "half a request line": b"GET / HT",
    "half a head": b"GET / HTTP/1.1\r\nHost: te",
    "half a small body": request("POST", "/length", "Content-Length: 100", body=b'{"a": '),
    "a body to be asked for": request("POST", "/length", "Content-Length: 100", "Expect: 100-continue"),
    "half a chunk": request("POST", "/length", "Transfer-Encoding: chunked", body=b"64\r\nkelp"),
    "half a large body": request("POST", UPLOAD, "Content-Length: 9999999", body=b"x" * 1024),
    "a download nobody reads": request("GET", f"{FILES}/bytes?999999999"),
    "answers nobody reads": request("GET", "/bytes?200000") * 200,
    "a large answer nobody reads": request("GET", "/bytes?4000000") * 3,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("rooms"), more=FOREVER) as server:
        yield server


@pytest.fixture
def crowd(server):
    """Connects so many clients as are asked for; they hang up at the end."""
    clients = []

    def connect(number, to=server):
        clients.extend(Client(to.port) for _ in range(number))
        return clients[-number:]

    yield connect
    for client in clients:
        client.__exit__()


@pytest.mark.parametrize("sent", STALLS.values(), ids=STALLS)
def test_d9_t2_forty_clients_that_stand_still_hold_nobody_up(server, crowd, sent):
    for client in crowd(MANY):
        client.send(sent)
    for _ in range(5):
        assert server.get("/room").body == b"ThreadPoolExecutor-0"
        assert server.ask(request("POST", "/length", "Content-Length: 4", body=b"kelp")).body == b"4"


def test_d9_heads_and_bodies_that_drip_are_put_together(server, crowd):
    clients = crowd(5)
    sent = request("POST", "/length", "Content-Length: 9", body=b"kelp grip") + request("GET", "/pid")
    for byte in sent:
        for client in clients:
            client.send(bytes([byte]))
    for client in clients:
        assert client.answer().body == b"9"
        assert client.answer().body.isdigit()


def test_a_request_is_served_in_the_room_it_belongs_to_and_the_next_one_in_its_own(server):
    few, transfer = b"ThreadPoolExecutor-0", b"transfer"
    chunk = b"4\r\nkelp\r\n0\r\n\r\n"
    with server.connect() as client:
        for sent, room in (
            (request("GET", "/room"), few),
            (request("POST", "/room", "Content-Length: 4", body=b"kelp"), few),
            (request("POST", "/room", "Transfer-Encoding: chunked", body=chunk), transfer),
            (request("GET", "/room"), few),
            (request("GET", f"{FILES}/room"), transfer),
            (request("GET", "/api/v1/%66iles/room"), transfer),
            (request("POST", "/room", "Content-Length: 70000", body=b"x" * 70_000), transfer),
            (request("GET", "/room"), few),
        ):
            client.send(sent)
            assert client.answer().body == room, sent[:60]
        client.send(request("GET", f"{FILES}/room") + request("GET", "/room") + request("GET", "/")[:9])
        assert [client.answer().body for _ in range(2)] == [transfer, few]
        client.send(request("GET", "/")[9:])
        assert client.answer().body == b"hello"


@pytest.mark.parametrize("path", ["/bytes?6000000", f"{FILES}/bytes?30000000"])
def test_long_answers_arrive_whole(server, path):
    with server.connect() as client:
        client.send(request("GET", path) * 2 + request("GET", "/"))
        for _ in range(2):
            assert client.answer().body.count(b"x") == int(path.partition("?")[2])
        assert client.answer().body == b"hello"


@pytest.mark.parametrize("path", ["/file", f"{FILES}/file"])
def test_files_are_sent_in_both_rooms(server, path):
    with server.connect() as client:
        client.send(request("GET", path) + request("GET", "/", "Connection: close"))
        assert client.answer().body == THIS.read_bytes()
        assert client.answer().body == b"hello"
        assert client.file.read() == b""


def test_more_transfers_than_may_wait_are_refused_at_once(tmp_path, crowd):
    with serving(tmp_path, more=f"{FOREVER}w.transfer_threads = 1\n") as server:
        clients = {client.socket: client for client in crowd(12, server)}
        for client in clients.values():
            client.send(request("POST", UPLOAD, "Content-Length: 100000", body=b"x" * 1000))
        refused = set()

        def nine_are_refused():
            refused.update(select.select(clients, [], [], 1)[0])
            return len(refused) == 9

        until(nine_are_refused, "one runs, two wait, nine are refused")
        for sock in refused:
            answer = clients[sock].answer()
            assert (answer.status, answer.problem["code"]) == (503, "overloaded")
            assert answer.headers["retry-after"] == "5"
        large = request("POST", UPLOAD, "Content-Length: 8000000", body=b"x" * 8_000_000)
        assert server.ask(large).status == 503, "also who sends all before it listens is told"
        assert server.get("/").body == b"hello"

        for sock in clients.keys() - refused:
            clients[sock].send(b"x" * 99_000)
        for sock in clients.keys() - refused:
            assert clients[sock].answer().body == b"100000"
        assert server.ask(large).body == b"8000000"


def half_sent(name, path=UPLOAD):
    return request("POST", path, f"Authorization: {name}", "Content-Length: 100000", body=b"x" * 1000)


def whole(name, path=UPLOAD):
    return request("POST", path, f"Authorization: {name}", "Content-Length: 6", body=b"length")


def test_d9_who_takes_all_threads_he_gets_does_not_keep_others_out(tmp_path, crowd):
    with serving(tmp_path, more=f"{FOREVER}w.transfer_threads = 4\n") as server:
        held = crowd(30, server)
        for client in held:
            client.send(half_sent("Bearer alice's"))
        assert server.ask(whole("Bearer bob's")).body == b"6"
        assert server.ask(request("GET", f"{FILES}/room")).body == b"transfer", "nor those without a name"
        refused = select.select([client.socket for client in held], [], [], 0)[0]
        assert len(refused) == 20, "two of hers run, eight wait"
        accepted = [client for client in held if client.socket not in refused]
        for client in accepted:
            client.send(b"x" * 99_000)
        assert [client.answer().body for client in accepted] == [b"100000"] * 10


def test_d9_many_tokens_of_one_account_are_one_holder(tmp_path, crowd):
    """An account is known when its token has been read; from then on its transfers count for it."""
    account = f"{FILES}/claim?alice"
    with serving(tmp_path, more=f"{FOREVER}w.transfer_threads = 4\n") as server:
        clients = crowd(12, server)
        refused = 0
        for number, client in enumerate(clients):
            client.send(half_sent(f"Bearer {number}", account))
            refused += bool(select.select([client.socket], [], [], 0.5)[0])
        assert refused == 10, "two of four are hers"
        assert clients[-1].answer().body == b"ignored"
        assert server.ask(whole("Bearer bob's", f"{FILES}/claim?bob")).body == b"6"
        for client in clients[:2]:
            client.send(b"x" * 99_000)
            assert client.answer().body == b"100000"
        assert server.ask(whole("Bearer 99", account)).body == b"6", "what was hers is free again"


def test_d9_answered_clients_that_never_send_their_body_hold_no_thread(tmp_path, crowd):
    patient = (
        f"{FOREVER}from app.web import gunicorn_worker as m\nm.DROP_SECONDS = 600\nw.transfer_threads = 1\n"
    )
    announced = request("POST", f"{FILES}/ignore", "Content-Length: 20000000", body=b"kelp")
    with serving(tmp_path, more=patient) as server:
        for client in crowd(12, server):
            client.send(announced)
            assert client.answer().body == b"ignored"
        assert server.get(f"{FILES}/room").body == b"transfer"
        large = request("POST", f"{FILES}/ignore", "Content-Length: 8000000", body=b"x" * 8_000_000)
        assert server.ask(large).body == b"ignored", "who sends all before it listens is told"


@pytest.fixture(scope="module")
def hasty_server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("hasty"), more=f"{FOREVER}w.idle_seconds = 0.5\n") as server:
        yield server


@pytest.mark.parametrize("what", ["half a small body", "half a chunk", "half a large body"])
def test_the_rest_of_a_body_that_does_not_come_is_a_problem(hasty_server, what):
    with hasty_server.connect() as client:
        client.send(STALLS[what])
        assert client.answer().problem["code"] == "bad_request"
        assert client.answer() is None


@pytest.mark.parametrize("what", ["a download nobody reads", "a large answer nobody reads"])
def test_who_does_not_read_is_cut_off(hasty_server, what):
    with hasty_server.connect() as client:
        client.send(STALLS[what])
        until(lambda: is_cut_off(client), "the server lets go")
    assert hasty_server.get("/").body == b"hello"


def test_half_a_head_ends_without_a_word(tmp_path):
    hasty = f"{FOREVER}from app.web import gunicorn_worker\ngunicorn_worker.HEAD_SECONDS = 0.5\n"
    with serving(tmp_path, more=hasty) as server, server.connect() as client:
        client.send(STALLS["half a head"])
        assert client.answer() is None


def is_cut_off(client):
    try:
        client.send(b"\r\n")
    except OSError:
        return True
    return False


def test_what_is_under_way_at_sigterm_is_finished(tmp_path):
    with serving(tmp_path, more=FOREVER) as server, server.connect() as upload, server.connect() as small:
        upload.send(request("POST", UPLOAD, "Content-Length: 100000", "Expect: 100-continue"))
        assert upload.answer().status == 100
        small.send(request("POST", "/length", "Content-Length: 8", body=b"kelp"))
        server.process.send_signal(signal.SIGTERM)
        until(lambda: refuses(server.port), "the listener closes")
        upload.send(b"x" * 100_000)
        small.send(b"grip")
        assert (upload.answer().body, small.answer().body) == (b"100000", b"8")
        assert server.process.wait(20) == 0


def test_sigquit_waits_for_no_transfer(tmp_path):
    with serving(tmp_path, more=f"{FOREVER}graceful_timeout = 90\n") as server, server.connect() as upload:
        upload.send(request("POST", UPLOAD, "Content-Length: 100000", "Expect: 100-continue"))
        assert upload.answer().status == 100
        assert server.stop(signal.SIGQUIT) == 0


def test_a_reload_leaves_no_worker_behind_with_a_transfer_that_stands_still(tmp_path):
    plain = f"{FOREVER}graceful_timeout = 1\ndef when_ready(_server): pass\n"
    with serving(tmp_path, more=plain) as server, server.connect() as upload:
        old = int(server.get("/pid").body)
        upload.send(request("POST", UPLOAD, "Content-Length: 100000", "Expect: 100-continue"))
        assert upload.answer().status == 100
        server.process.send_signal(signal.SIGHUP)
        until(lambda: not lives(old), "the old worker ends")
        assert server.get("/").body == b"hello"


def lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_connections_that_end_in_any_state_are_counted_out(tmp_path):
    """A worker takes so many connections; one that were never counted out would lessen them for good."""
    with serving(tmp_path, more=f"{FOREVER}worker_connections = 6\n") as server:
        for sent in STALLS.values():
            for end in (vanish, lambda client: client.__exit__(), hang_up):
                for _ in range(4):
                    client = server.connect()
                    client.send(sent)
                    end(client)
        assert server.get("/").body == b"hello"
        clients = [server.connect() for _ in range(5)]
        assert server.get("/").body == b"hello", "six at once, still"
        for client in clients:
            client.__exit__()


def hang_up(client):
    client.socket.shutdown(socket.SHUT_WR)
    client.__exit__()
