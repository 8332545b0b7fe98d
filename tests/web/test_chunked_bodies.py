"""Bodies in very many chunks: what a byte costs is bounded (SEC-45, D9)."""

import io
from types import SimpleNamespace

import pytest
from gunicorn.http.body import Body
from gunicorn.http.unreader import IterUnreader

from app.core.errors import AppError, Code
from app.web.body_guard import GuardedBody
from app.web.chunked_bodies import FEWEST_BYTES, FREE_CHUNKS, BoundedChunks
from app.web.foresight import ForesightedParser
from tests.fixtures.gunicorn_process import request, serving

PIECE = 8192


def framed(size, count):
    return b"%x\r\n%b\r\n" % (size, b"k" * size) * count


def reader_of(wire):
    source = io.BytesIO(wire)
    return BoundedChunks(SimpleNamespace(), IterUnreader(iter(lambda: source.read(PIECE), b"")))


def body_of(reader):
    return GuardedBody(Body(reader), 2**25, None)


@pytest.mark.parametrize("size", [1, 2, 16, 100])
def test_sec_45_a_body_of_tiny_chunks_is_not_read_to_its_end(size):
    reader = reader_of(framed(size, 2**18) + b"0\r\n\r\n")
    with pytest.raises(AppError, match="too small") as refusal:
        body_of(reader).read()
    assert refusal.value.code is Code.bad_request
    assert reader.chunks <= FREE_CHUNKS * FEWEST_BYTES / (FEWEST_BYTES - size) + 1


def test_sec_45_large_chunks_do_not_pay_for_as_many_small_ones_as_one_likes():
    reader = reader_of(framed(2**20, 1) + framed(1, 2**18) + b"0\r\n\r\n")
    with pytest.raises(AppError, match="too small") as refusal:
        body_of(reader).read()
    assert refusal.value.code is Code.bad_request
    assert reader.chunks < FREE_CHUNKS + 2**20 / FEWEST_BYTES * 1.1


@pytest.mark.parametrize(
    ("size", "count"),
    [(1, FREE_CHUNKS), (FEWEST_BYTES, 3 * FREE_CHUNKS), (2**20, 20)],
    ids=["few", "ordinary", "large"],
)
def test_what_clients_send_is_read_whole(size, count):
    assert len(body_of(reader_of(framed(size, count) + b"0\r\n\r\n")).read()) == size * count


def test_the_end_is_a_chunk_too():
    reader = reader_of(framed(4, 2) + b"0\r\n\r\n")
    assert body_of(reader).read() == b"k" * 8
    assert reader.chunks == 3


def test_the_server_reads_by_it(tmp_path):
    """Nobody wants that body, and nobody reads on for long: one answer, and the connection ends."""
    assert ForesightedParser.mesg_class.__name__ == "BoundedRequest"
    with serving(tmp_path) as server, server.connect() as client:
        client.send(request("POST", "/ignore", "Transfer-Encoding: chunked", body=framed(1, 2 * FREE_CHUNKS)))
        assert client.answer().body == b"ignored"
        assert client.answer() is None
        assert server.get("/").body == b"hello"
