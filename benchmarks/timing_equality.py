"""SEC-12, measured: whether the time of an answer tells which addresses have an account.

    .venv/bin/python -m benchmarks.timing_equality [--samples 200] [--cost 12]

Starts engines of its own and asks the application in this process, so that no network hides a difference. Addresses
of every state come in turns, in random order, each address once. For each operation the distributions are printed;
the exit code is 1 when, twice in a row, the median of a state is further from that of the missing addresses than
5 % or 5 ms (whichever is more where a password is hashed, 5 ms where none is), or the Mann-Whitney test tells a
sign-in's states apart at p <= 0.01. Twice, because one pair of equals in a hundred fails that test by chance.
"""

import argparse
import base64
import contextlib
import math
import os
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flask import Flask

from app import create_app
from app.config import Settings
from app.core import schema
from app.core.ids import new_id
from app.core.passwords import PasswordHasher
from app.registration.models import Registration
from app.users.service import UserService
from dev.engines import engines_for_tests
from dev.roles import drop_database, drop_roles, ensure_database, ensure_roles, new_roles

SHARE, MILLISECONDS, P = 0.05, 5.0, 0.01
MISSING = "missing"
STATES = (MISSING, "known", "unverified", "suspended")
RIGHT, WRONG = "sea otters hold hands", "sea otters let go"
WARM_UP = 3
BARS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Operation:
    """What is asked, for addresses of which states, and whether a password is hashed on the way."""

    name: str
    path: str
    body: Callable[[str], dict[str, str]]
    status: int
    states: tuple[str, ...]
    hashes: bool
    ranked: bool


OPERATIONS = (
    Operation("sign-in, wrong password", "login", lambda email: {"email": email, "password": WRONG}, 401,
              STATES, hashes=True, ranked=True),
    Operation("register", "register",
              lambda email: {"email": email, "password": RIGHT, "display_name": "Somebody"}, 202,
              STATES, hashes=True, ranked=False),
    Operation("resend verification", "resend-verification", lambda email: {"email": email}, 202,
              STATES, hashes=False, ranked=False),
    Operation("forgot password", "forgot-password", lambda email: {"email": email}, 202,
              STATES, hashes=False, ranked=False),
)  # fmt: skip


@contextlib.contextmanager
def application(cost: int, *, cached: bool = True) -> Iterator[Flask]:
    """The service on an empty database, with room for any number of requests: counted, but never refused."""
    with engines_for_tests() as engines, tempfile.TemporaryDirectory(prefix="holdfast-timing-") as folder:
        roles = new_roles("holdfast_timing")
        database = roles.app.name
        ensure_roles(engines.admin_url, roles)
        ensure_database(engines.admin_url, database, roles)
        settings = Settings(
            _env_file=None,
            app_env="test",
            database_url=roles.app.url(engines.admin_url, database),
            migration_database_url=roles.owner.url(engines.admin_url, database),
            redis_url=engines.redis_database(0),
            mailbox_dir=Path(folder),
            bcrypt_cost=cost,
            rate_limit_factor=1_000_000,
            cache_enabled=cached,
            log_level="error",
            secret_keys=fresh_key(),
            password_peppers=fresh_key(),
            signing_keys=fresh_key(),
        ).check()
        schema.upgrade(settings)
        app = create_app(settings)
        try:
            yield app
        finally:
            app.extensions["holdfast"].engines.engine.dispose()
            app.extensions["holdfast"].gate.close()
            drop_database(engines.admin_url, database)
            drop_roles(engines.admin_url, roles)


def fresh_key() -> str:
    return "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()


def address(operation: Operation, state: str, number: int) -> str:
    """Of the same length for every state."""
    return f"{operation.path[:5]}{STATES.index(state)}n{number:06}@bench.example"


def prepare(app: Flask, operation: Operation, samples: int, hashed: str) -> None:
    """The accounts and registrations behind the addresses."""
    parts = app.extensions["holdfast"]
    now = parts.clock.now()
    with parts.uow:
        for number in range(samples):
            for state in ("known", "suspended"):
                user = parts.services[UserService].create(
                    email=address(operation, state, number), password_hash=hashed, display_name=state
                )
                if state == "suspended":
                    user.status = state
            email = address(operation, "unverified", number)
            parts.uow.session.add(
                Registration(
                    id=new_id(), email=email, email_key=email, password_hash=hashed, display_name="unverified",
                    key_id="k1", mails=1, code_expires_at=now, expires_at=now + timedelta(hours=24), created_at=now,
                )
            )  # fmt: skip


def measure(app: Flask, operation: Operation, samples: int, hashed: str) -> dict[str, list[float]]:
    """Milliseconds of each answer, by state."""
    prepare(app, operation, samples + WARM_UP, hashed)
    client = app.test_client()
    found: dict[str, list[float]] = {state: [] for state in operation.states}
    for number in range(samples + WARM_UP):
        for state in random.sample(operation.states, len(operation.states)):
            body = operation.body(address(operation, state, number))
            started = time.perf_counter()
            response = client.post(f"/api/v1/auth/{operation.path}", json=body)
            milliseconds = (time.perf_counter() - started) * 1000
            if response.status_code != operation.status:
                raise SystemExit(
                    f"{operation.name}, {state}: {response.status_code} {response.get_data(as_text=True)}"
                )
            if number >= WARM_UP:
                found[state].append(milliseconds)
    return found


def mann_whitney(first: list[float], second: list[float]) -> float:
    """Two-sided p that both come from one distribution (normal approximation; times have no ties worth counting)."""
    n, m = len(first), len(second)
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = sum(rank for rank, (_, group) in enumerate(ranked, start=1) if group == 0)
    u = ranks - n * (n + 1) / 2
    z = (abs(u - n * m / 2) - 0.5) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(max(0.0, z) / math.sqrt(2))


def allowed(operation: Operation, median: float) -> float:
    """By how many milliseconds a median may differ."""
    return max(MILLISECONDS, SHARE * median) if operation.hashes else MILLISECONDS


def show(operation: Operation, found: dict[str, list[float]]) -> list[str]:
    """Print the distributions; the answer is what is wrong with them."""
    faults = []
    everything = sorted(value for values in found.values() for value in values)
    low, high = everything[0], everything[int(len(everything) * 0.95)]
    base = statistics.median(found[MISSING])
    limit = allowed(operation, base)
    print(f"\n{operation.name}: ms, {len(found[MISSING])} each; medians may differ by {limit:.1f} ms")
    print(f"  {'':12}{'p5':>9}{'median':>9}{'p95':>9}{'differs':>10}{'p':>8}   {low:.0f} to {high:.0f} ms")
    for state, values in found.items():
        fifth, *_, last = statistics.quantiles(values, n=20)
        median = statistics.median(values)
        p = mann_whitney(found[MISSING], values) if state != MISSING else 1.0
        print(
            f"  {state:12}{fifth:9.1f}{median:9.1f}{last:9.1f}{median - base:+10.2f}{p:8.3f}"
            f"   {histogram(values, low, high)}"
        )
        if abs(median - base) > limit:
            faults.append(f"{operation.name}: {state} differs from {MISSING} by {median - base:+.1f} ms")
        if operation.ranked and p <= P:
            faults.append(f"{operation.name}: {state} can be told from {MISSING}, p = {p:.4f}")
    return faults


def histogram(values: list[float], low: float, high: float, bins: int = 30) -> str:
    counts = [0] * bins
    for value in values:
        place = int((value - low) / ((high - low) or 1) * bins)
        counts[min(bins - 1, max(0, place))] += 1
    most = max(counts)
    return "".join(BARS[math.ceil(count / most * (len(BARS) - 1))] for count in counts)


def judge(operation: Operation, options: argparse.Namespace) -> list[str]:
    """What is wrong with an operation twice in a row, measured on a fresh database each time."""
    for again in (False, True):
        with application(options.cost) as app:
            hashed = app.extensions["holdfast"].services[PasswordHasher].hash(RIGHT)
            faults = show(operation, measure(app, operation, options.samples, hashed))
        if not faults or again:
            return faults
        print("  " + "; ".join(faults) + "; measured once more")
    return []


def main() -> int:
    """The exit code: 0 when nothing can be told apart."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=200, help="of each state (200)")
    parser.add_argument("--cost", type=int, default=12, help="of bcrypt (12)")
    options = parser.parse_args()
    busy, cores = os.getloadavg()[0], os.cpu_count() or 1
    if busy > cores / 2:
        print(f"This machine has other work (load {busy:.1f} on {cores} cores): expect noise.")
    with engines_for_tests():
        faults = [fault for operation in OPERATIONS for fault in judge(operation, options)]
    print("\n" + ("\n".join(faults) or "Time tells nothing about addresses."))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
