"""The general rate limits: reads and writes of an account, anything anonymous of an address.

flask-limiter decides; the windows live in Redis, one round trip a request. While Redis is away each process counts
by itself, every hit as often as there are processes, so that the limit holds roughly and nothing fails (SEC-49).
"""

import math
import threading
from dataclasses import dataclass
from typing import Any, cast

from flask import Flask, current_app, g, request
from flask_limiter import Limiter
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, Storage

from app.config import Settings
from app.core.clock import wall_seconds
from app.core.errors import AppError, Code
from app.core.metrics import LIMITER_DEGRADED
from app.core.redis_gate import RedisGate, RedisUnavailableError
from app.web.current import this_g, this_request
from app.web.transfer_holder import claims, of_account, of_address

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class SharedWindows(Storage):
    """Fixed windows that begin with the first hit, shared through Redis.

    Counting answers the window's state too, so telling the client what is left costs no second round trip.
    """

    STORAGE_SCHEME = ["holdfast"]

    def __init__(self, uri: str, *, gate: RedisGate, processes: int, **options: Any) -> None:
        super().__init__(uri, **options)
        self._gate = gate
        self._processes = processes
        self._alone = MemoryStorage()
        self._told = threading.local()

    @property
    def base_exceptions(self) -> type[Exception]:
        return RedisUnavailableError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        try:
            hits, left_ms = self._count(f"hfl:{key}", expiry * 1000, amount)
        except RedisUnavailableError:
            LIMITER_DEGRADED.inc()
            hits = self._alone.incr(key, expiry, amount * self._processes)
            left_ms = int(max(0.0, self._alone.get_expiry(key) - wall_seconds()) * 1000)
        self._told.state = (key, int(hits), wall_seconds() + left_ms / 1000)
        return int(hits)

    def _count(self, key: str, window_ms: int, amount: int) -> tuple[int, int]:
        """Hits in the window, and the milliseconds left of it."""
        _, hits, left_ms = self._gate.ask(
            ("SET", key, 0, "NX", "PX", window_ms), ("INCRBY", key, amount), ("PTTL", key)
        )
        if left_ms < 0:  # the old window ended between the first two
            self._gate.ask(("PEXPIRE", key, window_ms))
            left_ms = window_ms
        return hits, left_ms

    def get(self, key: str) -> int:
        return self._state(key)[0]

    def get_expiry(self, key: str) -> float:
        return self._state(key)[1]

    def _state(self, key: str) -> tuple[int, float]:
        """What the last hit of this thread saw; flask-limiter asks about nothing else."""
        told = getattr(self._told, "state", None)
        return (told[1], told[2]) if told and told[0] == key else (0, wall_seconds())

    def check(self) -> bool:
        return self._gate.ping()

    def reset(self) -> int | None:
        return None

    def clear(self, key: str) -> None:
        self._gate.ask(("DEL", f"hfl:{key}"))


def _subject() -> str:
    """Whom it counts for; never empty, an empty key would skip the limit (trap T17)."""
    account = _account()
    return of_account(account) if account else of_address(request.remote_addr or "")


def _account() -> str | None:
    own = this_g()
    claims = own.get("claims")
    account: str | None = claims["sub"] if claims else own.get("counts_for")
    return account


@dataclass(frozen=True)
class Counted:
    """The limit that counted a request, and where it stands.

    Attributes:
        policy: its name.
        remaining: how many more requests it lets through.
        ends: when the window does, in seconds since 1970.
    """

    policy: str
    limit: RateLimitItem
    remaining: int
    ends: float

    def seconds_left(self) -> int:
        return max(1, math.ceil(self.ends - wall_seconds()))


def init_limits(app: Flask, settings: Settings, gate: RedisGate) -> None:
    rates = {
        "reads": settings.rate_limit_reads,
        "writes": settings.rate_limit_writes,
        "anonymous": settings.rate_limit_anonymous,
    }
    app.config["HOLDFAST_LIMITS"] = {
        name: parse(_limit_string(rate, settings.rate_limit_factor)) for name, rate in rates.items()
    }
    app.config["RATELIMIT_STORAGE_URI"] = "holdfast://"
    app.config["RATELIMIT_STORAGE_OPTIONS"] = {"gate": gate, "processes": settings.workers}
    OneOfThree(_subject, strategy="fixed-window", headers_enabled=False).init_app(app)
    # Its second hook would write the headers that limit_headers.py writes, and looks in each answer whether it should.
    app.after_request_funcs[None].pop()
    app.before_request(_claim_place)


class OneOfThree(Limiter):
    """flask-limiter with its storage, its strategy and its place among the hooks.

    It would look for all limits that apply, in every request and for a tenth of its time. Here it is known which one does.
    """

    def _check_request_limit(self, *_args: Any, **_options: Any) -> None:
        """Count a request; preflights, health and pages are not counted, and what has no declaration is refused anyway.

        Raises:
            AppError: ``rate_limited``.
        """
        request, g = this_request(), this_g()
        operation = g.operation
        if operation is None or not operation.limited or request.method == "OPTIONS":
            return
        account = _account()
        policy = "anonymous" if account is None else "reads" if request.method in SAFE_METHODS else "writes"
        limit: RateLimitItem = current_app.config["HOLDFAST_LIMITS"][policy]
        subject = _subject()
        within = self.limiter.hit(limit, subject, policy)
        ends, remaining = self.limiter.get_window_stats(limit, subject, policy)
        g.counted = Counted(policy, limit, remaining, ends)
        if not within:
            seconds = g.counted.seconds_left()
            raise AppError(
                Code.rate_limited, f"Too many requests. Try again in {seconds} s.",
                retry_after=seconds, extra={"retry_after": seconds},
            )  # fmt: skip


def counted() -> Counted | None:
    """The limit that counted this request."""
    return cast("Counted | None", g.get("counted"))


def _claim_place() -> None:
    """Whoever has his share of the threads for transfers gets no more of them by sending other tokens (D9).

    Raises:
        AppError: ``overloaded``.
    """
    claim = claims.get()
    if claim is not None and not claim(_subject()):
        raise AppError(Code.overloaded, "Too many transfers of yours at once. Try again soon.", retry_after=5)


def _limit_string(rate: str, factor: float) -> str:
    quota, _, seconds = rate.partition("/")
    return f"{max(1, int(int(quota) * factor))} per {seconds} second"
