"""`make fuzz`: generated requests, sound and unsound, against the running service (schemathesis; schemathesis.toml).

make fuzz                        at least 10,000 cases; the same ones each time
make fuzz ARGS="--seed 7"        others
make fuzz ARGS="--max-examples 50 --include-operation-id createProject"
"""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

from app.demo import DEMO_PASSWORD
from dev.engines import engines_for_tests
from dev.faults import Fault, Stopped, finish
from dev.places import ROOT
from dev.service import Service, throwaway_service
from dev.terminal import say

CASES_WANTED = 10_000
CROWD = 200
_UNLIMITED = "100000"


def fuzz() -> int:
    """Run schemathesis with what follows on the command line.

    Returns:
        schemathesis' exit code: 0 only when every check held.

    Raises:
        Fault: when the service logged a fault of its own, or when all operations were asked too few questions.
    """
    arguments = sys.argv[1:]
    signal.signal(signal.SIGTERM, _stop)
    began = time.monotonic()
    # Jobs stay undone: nobody reads the mails, and the cores are better spent on requests.
    with (
        engines_for_tests() as engines,
        throwaway_service(engines, worker=False, RATE_LIMIT_FACTOR=_UNLIMITED) as service,
    ):
        service.command("seed", "--accounts", str(CROWD), "--projects-each", "2", "--password", DEMO_PASSWORD)
        code, cases = _schemathesis(service, arguments)
        errors = service.errors()
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    say(f"  {cases:,} requests in {minutes} min {seconds} s")
    if errors:
        raise Fault("the service met errors it did not expect:\n" + "\n".join(errors[:3]))
    if not code and not _is_selection(arguments) and cases < CASES_WANTED:
        raise Fault(f"only {cases:,} requests were made, and {CASES_WANTED:,} are wanted; raise max-examples")
    return code


def _stop(_number: int, _frame: object) -> NoReturn:
    raise Stopped


def _is_selection(arguments: list[str]) -> bool:
    """Whether a part of the cases was asked for, so that fewer are right."""
    return any(word.startswith(("--include", "--exclude", "--phases", "--max-", "-n")) for word in arguments)


def _schemathesis(service: Service, arguments: list[str]) -> tuple[int, int]:
    """Its exit code, and how many requests it made."""
    with tempfile.TemporaryDirectory(prefix="holdfast-fuzz-") as folder:
        count = Path(folder) / "count"
        env = {
            **service.env,
            "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
            "FUZZ_URL": service.url,
            "FUZZ_PASSWORD": DEMO_PASSWORD,
            "FUZZ_CROWD": str(CROWD),
            "FUZZ_COUNT_FILE": str(count),
            "PYTHONPATH": str(ROOT),
        }
        program = Path(sys.executable).parent / "schemathesis"
        command = [str(program), "run", f"{service.url}/api/v1/openapi.json", *arguments]
        code = subprocess.run(command, cwd=ROOT, env=env, check=False).returncode
        return code, int(count.read_text(encoding="utf-8")) if count.exists() else 0


if __name__ == "__main__":
    sys.exit(finish(fuzz))
