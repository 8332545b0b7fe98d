"""One connection to Redis: replies in order, refusals, servers that hang up, are mute, or speak unasked."""

import socket
import threading

import pytest
import redis

from app.core.redis_gate import RedisGate, RedisUnavailableError
from app.core.redis_link import RedisLink


@pytest.fixture
def link(app, settings):
    pool = redis.ConnectionPool.from_url(settings.redis_url.get_secret_value())
    link = RedisLink(pool.connection_class(**pool.connection_kwargs), 5.0)
    yield link
    link.close()
    pool.disconnect()


class Scripted:
    """A server that answers one connection with given bytes, after it has read something."""

    def __init__(self, answers):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, args=[answers])
        self._thread.start()
        self.port = self._listener.getsockname()[1]

    def _serve(self, answers):
        with self._listener, self._listener.accept()[0] as client:
            for answer in answers:
                client.recv(65_536)
                client.sendall(answer)
            if not any(answers):
                client.recv(65_536)  # mute until the client hangs up

    def end(self):
        self._thread.join(20)


class Unintroduced:
    """A connection without redis-py's introduction, which a scripted server does not understand."""

    def __init__(self, port):
        self._port = port

    def connect(self):
        self._sock = socket.create_connection(("127.0.0.1", self._port))

    def disconnect(self):
        self._sock.close()


@pytest.fixture
def scripted():
    servers, links = [], []

    def link_to(*answers, seconds=5.0):
        servers.append(Scripted(answers))
        links.append(RedisLink(Unintroduced(servers[-1].port), seconds))
        return links[-1]

    yield link_to
    for each in links:
        each.close()
    for server in servers:
        server.end()


def test_replies_come_in_the_order_of_the_commands(link):
    assert link.ask((("SET", "link", "kelp"), ("GET", "link"), ("DEL", "link"), ("GET", "link"))) in (
        [b"OK", b"kelp", 1, None], ["OK", b"kelp", 1, None],
    )  # fmt: skip


def test_many_megabytes_come_whole(link):
    value = b"k" * 3_000_000
    link.ask((("SET", "large", value, "PX", 60_000),))
    assert link.ask((("GET", "large"), ("DEL", "large")))[0] == value


def test_a_refused_command_leaves_the_connection_of_use(link):
    with pytest.raises(redis.ResponseError, match="unknown command"):
        link.ask((("SET", "link", "1", "PX", 60_000), ("NONSENSE",), ("INCR", "link")))
    assert link.ask((("GET", "link"),)) == [b"2"]


def test_a_server_that_hangs_up_in_mid_answer_is_a_lost_connection(scripted):
    with pytest.raises(redis.ConnectionError):
        scripted(b"$10\r\nkel").ask((("GET", "a"),))


def test_what_is_no_answer_of_redis_is_a_lost_connection(scripted):
    with pytest.raises(redis.ConnectionError):
        scripted(b"HTTP/1.1 400 Bad Request\r\n\r\n").ask((("GET", "a"),))


def test_d6_a_mute_server_is_waited_for_as_long_as_was_said(scripted):
    link = scripted(b"", seconds=0.05)
    with pytest.raises(redis.TimeoutError):
        link.ask((("GET", "a"),))


def test_what_a_server_says_unasked_is_no_reply(scripted):
    link = scripted(b">2\r\n+moving\r\n:1\r\n$4\r\nkelp\r\n")
    assert link.ask((("GET", "a"),)) == [b"kelp"]


def test_a_connection_that_broke_while_it_rested_is_made_anew(app, settings):
    gate = RedisGate(settings.redis_url.get_secret_value())
    gate.ask(("PING",))
    for link in gate._idle:
        link._socket.shutdown(socket.SHUT_RDWR)
    assert gate.ping()
    gate.close()


def test_a_refusal_is_told_as_redis_being_of_no_use(app, settings):
    gate = RedisGate(settings.redis_url.get_secret_value())
    with pytest.raises(RedisUnavailableError):
        gate.ask(("NONSENSE",))
    gate.close()
