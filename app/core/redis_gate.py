"""Redis behind a circuit breaker: who asks waits a moment at most, and nobody asks one that is away."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.metrics import REDIS_BREAKER_OPEN
from app.core.redis_link import Command, RedisLink
from app.core.telemetry import log, request_stats

logger = log(__name__)
Answer = TypeVar("Answer")

TIMEOUT = 0.25
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 16.0


class RedisUnavailableError(Exception):
    """Redis did not answer in time, or the breaker is open after it did not."""


class RedisGate:
    """One client with short waits and a breaker: after a failure nobody asks for a while, longer each time.

    The pauses double from half a second to 16 s, so a Redis that comes back is used again within that time (D5).

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        connections: at most so many at once in this process.
    """

    def __init__(self, url: str, connections: int = 16) -> None:
        # Explicit, because redis-py's defaults are 5 s waits and ten retries, from_url's none at all (T18).
        # Only a broken connection is tried again: after a time-out a second wait would double it.
        pool = redis.BlockingConnectionPool.from_url(
            url, max_connections=connections, timeout=TIMEOUT, socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )  # fmt: skip
        self._client = redis.Redis(connection_pool=pool)
        self._connect: Callable[[], Any] = lambda: pool.connection_class(**pool.connection_kwargs)
        self._idle: list[RedisLink] = []
        self._waiting = threading.local()
        self._posted: deque[tuple[Command, Callable[[], None]]] = deque()
        self._lock = threading.Lock()
        self._open_until = 0.0
        self._pause = FIRST_PAUSE

    @property
    def open(self) -> bool:
        """Whether the breaker is open, that is, Redis is left alone for now."""
        return time.monotonic() < self._open_until

    @property
    def failing(self) -> bool:
        """Whether Redis failed and has not answered since, whether or not it is left alone at this moment."""
        return self._open_until > 0

    @property
    def server(self) -> str | None:
        """Which life of a server answered this thread's last ``ask``; ``None`` where it would not say."""
        return getattr(self._waiting, "server", None)

    def run(self, command: "Callable[[redis.Redis], Answer]") -> Answer:
        """One round trip by redis-py's client.

        Raises:
            RedisUnavailableError: at once while the breaker is open.
        """
        return self._guarded(lambda: command(self._client))

    def ask(self, *commands: Command) -> list[Any]:
        """The replies of commands that go out together: one round trip, whatever their number, and about half of the client's cost.

        Args:
            commands: each a name and its arguments. None of them knows of the others; this is no transaction.

        Raises:
            RedisUnavailableError: as ``run``; also when one of the commands is refused.
        """
        along = self._waiting.__dict__.pop("along", ())
        posted = self._take_posted() if self._posted else ()
        if not along and not posted:
            # With nothing to ask another thread was quicker; that says nothing of Redis.
            return self._guarded(lambda: self._ask(commands)) if commands else []
        before = tuple(command for command, _ in posted)
        try:
            replies = self._guarded(lambda: self._ask((*before, *commands, *(each for each, _ in along))))
        except BaseException:
            for _, lost in posted:
                lost()
            raise
        own, others = replies[len(before) :][: len(commands)], replies[len(before) + len(commands) :]
        for (_, tell), reply in zip(along, others, strict=True):
            tell(reply)
        return own

    def along(self, command: Command, tell: Callable[[Any], None]) -> None:
        """Send a command with the next ``ask`` of this thread, which saves it a round trip of its own.

        Args:
            command: as of ``ask``.
            tell: called with the reply; never, where nothing is asked before ``leave_along`` or Redis is away.
        """
        self._waiting.__dict__.setdefault("along", []).append((command, tell))

    def leave_along(self) -> None:
        """Send nothing along after all."""
        self._waiting.__dict__.pop("along", None)

    def soon(self, command: Command, lost: Callable[[], None]) -> None:
        """Send a command before those of the next ``ask`` of any thread, whose round trip it shares; its reply is not looked at.

        Args:
            command: as of ``ask``; one that is refused fails whom it goes with.
            lost: called, by whichever thread, when it may not have reached Redis; it is not sent again.
        """
        self._posted.append((command, lost))

    @property
    def has_posted(self) -> bool:
        """Whether anything waits for an ``ask``."""
        return bool(self._posted)

    def send_posted(self) -> None:
        """Send that now, if there is any."""
        if self._posted:
            with suppress(RedisUnavailableError):  # ``lost`` says it
                self.ask()

    def _take_posted(self) -> Sequence[tuple[Command, Callable[[], None]]]:
        posted = []
        with suppress(IndexError):  # each popped by one thread only
            while self._posted:
                posted.append(self._posted.popleft())
        return posted

    def _ask(self, commands: tuple[Command, ...]) -> list[Any]:
        try:
            link, fresh = self._idle.pop(), False
        except IndexError:
            link, fresh = self._link(), True
        try:
            replies = link.ask(commands)
        except redis.ResponseError:
            self._idle.append(link)
            raise
        except redis.TimeoutError:
            link.close()
            raise
        except (redis.ConnectionError, OSError):
            link.close()
            if fresh:
                raise
            # It broke while it rested, and so have its fellows: a server that starts anew leaves none.
            self._drop_idle()
            link = self._link()
            replies = link.ask(commands)
        self._waiting.server = link.server
        self._idle.append(link)
        return replies

    def _link(self) -> RedisLink:
        link = RedisLink(self._connect(), TIMEOUT)
        link.identify()
        return link

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _guarded(self, ask: Callable[[], Answer]) -> Answer:
        if self.open:
            request_stats().degraded = True
            raise RedisUnavailableError
        started = time.perf_counter()
        try:
            answer = ask()
        except (redis.RedisError, OSError) as error:
            self._fail(error)
            raise RedisUnavailableError from error
        finally:
            request_stats().redis(time.perf_counter() - started)
        if self._open_until:
            self._recover()
        return answer

    def _fail(self, error: Exception) -> None:
        request_stats().degraded = True
        with self._lock:
            if not self.open:
                self._open_until = time.monotonic() + self._pause
                self._pause = min(self._pause * 2, LONGEST_PAUSE)
        REDIS_BREAKER_OPEN.set(1)
        logger.warning("redis_unavailable", error=type(error).__name__)

    def _recover(self) -> None:
        with self._lock:
            self._open_until, self._pause = 0.0, FIRST_PAUSE
        REDIS_BREAKER_OPEN.set(0)
        logger.info("redis_recovered")

    def ping(self) -> bool:
        try:
            return bool(self.ask(("PING",)))
        except RedisUnavailableError:
            return False

    def close(self) -> None:
        self._drop_idle()
        self._client.close()
