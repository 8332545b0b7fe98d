"""What a worker of the API holds after very many requests.

    .venv/bin/python -m benchmarks.memory [--requests 1000000] [--every 100000]

Real gunicorn with one worker process, PostgreSQL and Valkey; 256 people read, list, patch and create, as in the mix of `make bench`.
Printed is the memory of the worker (PSS, what it shares with its master counted in parts). The exit code is 1 when it is over 120 MiB
at the end, gained more than 5 MiB in the second half, or when an answer was an error.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import usage
from benchmarks.load import Load, generator
from benchmarks.production import HOST
from benchmarks.scenarios import Person, Scenario, address_of, scenarios, warmed, with_projects
from benchmarks.served import Served, busy, served

PEOPLE, EACH, HOT, CONNECTIONS = 256, 100, 50, 16
STRETCH, TOKENS_LAST = 10.0, 600.0
MOST_MIB, MORE_MIB = 120.0, 5.0


@dataclass(frozen=True)
class Held:
    """Attributes: requests: until then; mib: of the worker; rate: requests a second since the figure before."""

    requests: int
    mib: float
    rate: float
    errors: int


def held(service: Served, load: Load, requests: int, every: int) -> Iterator[Held]:
    """A figure at the start and after each so many requests."""
    [worker] = service.workers()
    yield Held(0, usage.pss_mib([worker]), 0.0, 0)
    done, errors, before, took, signed_in = 0, 0, 0, 0.0, 0.0
    while done < requests:
        if time.monotonic() > signed_in + TOKENS_LAST:
            mixed, signed_in = mix(service), time.monotonic()
        reading = load(service.port, mixed, STRETCH)
        done += reading.answered + reading.errors
        errors += reading.errors
        took += reading.seconds
        if done - before >= every or done >= requests:
            yield Held(done, usage.pss_mib([worker]), (done - before) / took, errors)
            before, took = done, 0.0


def mix(service: Served) -> Scenario:
    """Of everybody, with tokens that last for a while."""
    people = []
    for number in range(1, PEOPLE + 1):
        told = service.sign_in(number)
        person = Person(told["user"]["email"], address_of(number), told["access_token"])
        people.append(with_projects(service.port, person))
    return scenarios(warmed(service.port, people, HOT), ["mixed"], CONNECTIONS, CONNECTIONS)[0]


def judged(found: list[Held]) -> list[str]:
    """What is not as it should be."""
    last, middle = found[-1], found[len(found) // 2]
    faults = [f"{last.mib:.0f} MiB, more than {MOST_MIB:.0f}"] if last.mib > MOST_MIB else []
    if last.mib - middle.mib > MORE_MIB:
        faults.append(f"{last.mib - middle.mib:.1f} MiB more than at half of the requests")
    return [*faults, f"{last.errors} errors"] if last.errors else faults


def main() -> int:
    """The exit code: 0 when a worker stays small."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--every", type=int, default=100_000, help="requests between two figures (100000)")
    parser.add_argument("--threads", type=int, default=4, help="of the worker (4)")
    parser.add_argument(
        "--client", choices=["auto", "wrk", "python"], default="auto", help="what sends the requests"
    )
    options = parser.parse_args()
    _, load = generator(options.client)
    settings = {
        "WORKERS": "1", "THREADS": str(options.threads), "LOG_LEVEL": "info", "BCRYPT_COST": "10", "TRUSTED_HOSTS": HOST,
        "TRUSTED_PROXIES": "1", "ACCESS_TOKEN_SECONDS": "900",
    }  # fmt: skip
    print(f"{busy()}\n  {'requests':>10}{'PSS MiB':>10}{'a second':>10}")
    found = []
    with served(PEOPLE, EACH, **settings) as service:
        for each in held(service, load, options.requests, options.every):
            found.append(each)
            print(f"  {each.requests:10,}{each.mib:10.1f}{each.rate:10.0f}", flush=True)
    faults = judged(found)
    print("\n".join(faults) or f"A worker stays under {MOST_MIB:.0f} MiB.")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
