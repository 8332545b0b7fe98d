import io

import pytest
from flask import Flask, request
from gunicorn.http.errors import InvalidChunkSize, NoMoreData
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest, ClientDisconnected, RequestEntityTooLarge

from app.web.body_guard import ENVIRON_KEY, BodyGuard, GuardedBody

LIMIT = 1000


class Trickle(io.BytesIO):
    """A server's stream that gives less than asked for."""

    def read(self, size=-1):
        return super().read(min(size, 7) if size >= 0 else 7)


class Broken:
    def __init__(self, error):
        self.error = error

    def read(self, size):
        raise self.error

    readline = read


def drain_by(how, body):
    if how == "read":
        return body.read()
    if how == "pieces":
        return b"".join(iter(lambda: body.read(300), b""))
    if how == "exact":
        got = b""
        while piece := body.read(LIMIT - len(got) or 1):
            got += piece
        return got
    if how == "lines":
        return b"".join(body)
    return b"".join(body.readlines())


WAYS = pytest.mark.parametrize("how", ["read", "pieces", "exact", "lines", "readlines"])
SOURCES = pytest.mark.parametrize("source", [io.BytesIO, Trickle])


@WAYS
@pytest.mark.parametrize("declared", [True, False])
def test_sec_45_a_body_of_exactly_the_limit_is_whole(how, declared):
    sent = (b"x" * 99 + b"\n") * 10
    assert drain_by(how, GuardedBody(io.BytesIO(sent), LIMIT, LIMIT if declared else None)) == sent


@WAYS
@SOURCES
@pytest.mark.parametrize("more", [1, 2_000_000])
def test_sec_45_t1_one_byte_more_is_refused_in_chunks(how, source, more):
    body = GuardedBody(source(b"x" * LIMIT + b" " * more), LIMIT, None)
    with pytest.raises(RequestEntityTooLarge):
        drain_by(how, body)
    with pytest.raises(RequestEntityTooLarge):
        body.read(1)


@WAYS
def test_sec_45_a_declared_length_over_the_limit_is_refused_unread(how):
    source = io.BytesIO(b"x" * (LIMIT + 1))
    with pytest.raises(RequestEntityTooLarge):
        drain_by(how, GuardedBody(source, LIMIT, LIMIT + 1))
    assert source.tell() == 0


def test_a_route_may_raise_or_lower_the_limit_before_reading():
    body = GuardedBody(io.BytesIO(b"x" * 2000), LIMIT, 2000)
    body.limit = 2000
    assert len(body.read()) == 2000
    body = GuardedBody(io.BytesIO(b"x" * 11), LIMIT, None)
    body.limit = 10
    with pytest.raises(RequestEntityTooLarge):
        body.read()


@pytest.mark.parametrize("how", ["read", "pieces", "lines"])
def test_half_a_declared_body_is_refused_even_where_the_half_makes_sense(how):
    with pytest.raises(ClientDisconnected):
        drain_by(how, GuardedBody(io.BytesIO(b'{"a": 1}'), LIMIT, 20))


@pytest.mark.parametrize(
    ("raised", "becomes"),
    [
        (InvalidChunkSize(b"xyz"), BadRequest),
        (NoMoreData(b""), ClientDisconnected),
        (ConnectionResetError(), ClientDisconnected),
    ],
)
def test_a_broken_stream_is_the_clients_fault(raised, becomes):
    for read in (
        GuardedBody(Broken(raised), LIMIT, None).read,
        GuardedBody(Broken(raised), LIMIT, None).readline,
    ):
        with pytest.raises(BadRequest) as refused:
            read()
        assert type(refused.value) is becomes


@given(st.binary(max_size=60), st.integers(0, 60), st.lists(st.integers(-1, 70), max_size=8), st.booleans())
def test_reads_like_a_file_or_refuses(sent, limit, sizes, by_line):
    body, plain = GuardedBody(io.BytesIO(sent), limit, None), io.BytesIO(sent)
    got = b""
    try:
        for size in sizes:
            piece = body.readline(size) if by_line else body.read(size)
            assert piece == (plain.readline(size) if by_line else plain.read(size))
            got += piece
    except RequestEntityTooLarge:
        assert len(sent) > limit
    assert len(got) <= limit


@pytest.fixture
def client():
    app = Flask(__name__)
    app.wsgi_app = BodyGuard(app.wsgi_app, LIMIT)

    @app.post("/data")
    def data():
        return str(len(request.get_data()))

    @app.post("/json")
    def as_json():
        return request.get_json()

    @app.post("/form")
    def form():
        return str(len(request.form["a"]) + len(request.files))

    @app.post("/large")
    def large():
        request.environ[ENVIRON_KEY].limit = 5000
        return str(len(request.get_data()))

    @app.post("/ignore")
    def ignore():
        return "ignored"

    return app.test_client()


def chunked(data):
    return {"input_stream": io.BytesIO(data), "environ_overrides": {"wsgi.input_terminated": True}}


@pytest.mark.parametrize("framed", [lambda data: {"data": data}, chunked], ids=["length", "chunked"])
def test_sec_45_t1_in_flask_however_the_body_is_framed(client, framed):
    assert client.post("/data", **framed(b"x" * LIMIT)).text == "1000"
    assert client.post("/data", **framed(b"x" * (LIMIT + 1))).status_code == 413
    assert client.post("/large", **framed(b"x" * 5000)).text == "5000"
    assert client.post("/large", **framed(b"x" * 5001)).status_code == 413
    assert client.post("/ignore", **framed(b"x" * 5001)).text == "ignored"
    padded = b'{"a": 1}' + b" " * LIMIT
    assert client.post("/json", content_type="application/json", **framed(padded)).status_code == 413
    form = "application/x-www-form-urlencoded"
    assert client.post("/form", content_type=form, **framed(b"a=" + b"x" * 998)).text == "998"
    assert client.post("/form", content_type=form, **framed(b"a=" + b"x" * 999)).status_code == 413


def test_sec_45_t1_multipart(client):
    assert client.post("/form", data={"a": "x" * 100, "f": (io.BytesIO(b"x" * 100), "f.txt")}).text == "101"
    assert client.post("/form", data={"a": "x", "f": (io.BytesIO(b"x" * 5000), "f.txt")}).status_code == 413


def test_no_body_at_all(client):
    assert client.post("/data").text == "0"
