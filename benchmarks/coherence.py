"""What is read while others write: never older than one's own last write, never after one was removed, never somebody else's.

    .venv/bin/python -m benchmarks.coherence [--seconds 30] [--clients 64] [--workers 4]

Real gunicorn with PostgreSQL and a Valkey of its own. Clients in groups of four share a project each: they read, list, write,
create; owners remove members and invite them again. A quarter of the way in, and again after three quarters, Valkey is
flushed; halfway it is ended, and starts again three seconds later with nothing in it. Each answer is held against what was
acknowledged before its request was sent. The exit code is 1 on any fault, on an answer 500, or when nothing was read.
`benchmarks.storm` asks what becomes of writes; this asks what reads are told.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import redis

from benchmarks.coherence_clients import TOGETHER, Crowd
from benchmarks.served import busy, served
from dev.engines import valkey_in
from dev.valkey import ValkeyServer

AWAY = 3.0
"""Seconds without Valkey."""


def disturb(valkey: ValkeyServer, seconds: float) -> list[str]:
    """What happens to Valkey meanwhile; takes as long as the clients live."""
    told = []

    def flush() -> None:
        with redis.Redis.from_url(valkey.url) as client:
            client.flushall()
        told.append("flushed")

    time.sleep(seconds / 4)
    flush()
    time.sleep(seconds / 4)
    valkey.stop()
    time.sleep(AWAY)
    valkey.start()
    told.append(f"away for {AWAY:.0f} s and empty after it")
    time.sleep(max(0.0, seconds / 4 - AWAY))
    flush()
    time.sleep(seconds / 4)
    return told


def report(crowd: Crowd, told: list[str], seconds: float) -> int:
    """Print what was asked and answered.

    Returns:
        The exit code.
    """
    asked = Counter[str]()
    for (deed, status), number in sorted(crowd.answers.items()):
        asked[deed] += number
        print(f"  {deed:24}{status:5}{number:8}")
    checks, faults = crowd.checks, crowd.faults
    broken = sum(number for (_, status), number in crowd.answers.items() if status == 500)
    print(f"{sum(asked.values())} requests in {seconds:.0f} s; Valkey was {', then '.join(told)}")
    for kind in ("stale after one's own write", "read after removal", "somebody else's data"):
        print(
            f"  {kind:30}{Counter(fault.kind for fault in faults)[kind]:4} faults in {checks[kind]:7} checks"
        )
    for fault in faults[:20]:
        print(f"  {fault.kind}: {fault.told}")
    if broken:
        print(f"  {broken} answers 500")
    return int(bool(faults or broken) or not min(checks.values(), default=0))


def main() -> int:
    """The exit code: 0 when all is well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--clients", type=int, default=64, help=f"a multiple of {TOGETHER} (64)")
    parser.add_argument("--workers", type=int, default=4, help="processes of gunicorn (4)")
    parser.add_argument("--threads", type=int, default=4, help="threads of each (4)")
    options = parser.parse_args()
    if options.clients < 2 * TOGETHER or options.clients % TOGETHER:
        parser.error(f"clients must be a multiple of {TOGETHER}, and more than that")
    print(busy())
    size = {"WORKERS": str(options.workers), "THREADS": str(options.threads), "BCRYPT_COST": "10"}
    with (
        tempfile.TemporaryDirectory(prefix="holdfast-coherence-") as folder,
        valkey_in(Path(folder)) as valkey,
        served(options.clients, REDIS_URL=valkey.url, **size) as service,
    ):
        crowd = Crowd(service, options.clients)
        clients = [threading.Thread(target=crowd.live, args=(number,)) for number in range(options.clients)]
        for client in clients:
            client.start()
        told = disturb(valkey, options.seconds)
        crowd.stop.set()
        for client in clients:
            client.join()
        return report(crowd, told, options.seconds)


if __name__ == "__main__":
    sys.exit(main())
