"""Bodies in chunks (RFC 9112, 7.1), of which each chunk carries something.

Each costs gunicorn's reader about 5 µs, however small it is: 25 MiB in chunks of one byte held a core for more than two
minutes. Clients write what they have, and that is more: a buffer, a line, a record.
"""

from functools import lru_cache
from typing import Any

from gunicorn.http.body import Body, ChunkedReader
from gunicorn.http.errors import ParseException
from gunicorn.http.message import Request, _ip_in_allow_list

FREE_CHUNKS = 10_000
FEWEST_BYTES = 256


class TinyChunksError(ParseException):  # type: ignore[misc] # gunicorn has no types
    """The chunks of a body are far too small for its length."""


class BoundedChunks(ChunkedReader):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's reader, which gives up on a body of very many chunks with little in them.

    Attributes:
        chunks: how many have begun.
        announced: how many bytes those hold.
    """

    def __init__(self, req: Any, unreader: Any) -> None:
        super().__init__(req, unreader)
        self.chunks = self.announced = 0

    def parse_chunk_size(self, unreader: Any, data: bytes | None = None) -> tuple[int, bytes | None]:
        """The size of the next chunk, and what came behind it.

        Raises:
            TinyChunksError: beyond 10,000 chunks they have less than 256 bytes on average.
            ParseException: it is malformed.
        """
        size, rest = super().parse_chunk_size(unreader, data)
        self.chunks += 1
        self.announced += size
        if size and (self.chunks - FREE_CHUNKS) * FEWEST_BYTES > self.announced:
            raise TinyChunksError
        return size, rest


class BoundedRequest(Request):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's request with that reader. It remembers which peers are trusted, instead of reading their address each time."""

    body: Any

    def _peer_is_trusted_proxy(self) -> bool:
        peer = self.peer_addr
        return _is_trusted(self.cfg, peer[0]) if isinstance(peer, tuple) else super()._peer_is_trusted_proxy()

    def set_body_reader(self) -> None:
        """Choose how the body is read."""
        super().set_body_reader()
        if isinstance(self.body.reader, ChunkedReader):  # which has read nothing yet
            self.body = Body(BoundedChunks(self, self.unreader))


@lru_cache(maxsize=4_096)
def _is_trusted(cfg: Any, address: str) -> bool:
    return bool(_ip_in_allow_list(address, cfg.forwarded_allow_ips, cfg.forwarded_allow_networks()))
