"""What a request costs this process, by kind of request and by layer.

    .venv/bin/python -m benchmarks.micro [--requests 400] [--rounds 5]

Starts engines of its own and calls the application in this thread as gunicorn would, so neither gunicorn nor the network is in it.
Printed are microseconds of CPU a request (the best round, since other work only adds), the ratio to a bare Flask view in
the same run, and how many Python functions are called, which does not depend on the machine. Below stands where they go, by layer: shares
of a profile, which makes calls dearer than they are and leaves out what waits for an engine, laid on those microseconds.
"""

import argparse
import cProfile
import itertools
import os
import pstats
import time
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import Client, EnvironBuilder

from app.cli.bulk import BulkSeed
from app.core.passwords import PasswordHasher
from app.core.telemetry import configure_logging
from benchmarks.scenarios import PASSWORD
from benchmarks.timing_equality import application

API = "/api/v1"
WARM_UP = 40
LAYERS: dict[str, tuple[str, ...]] = {
    "WSGI guard": ("app/web/body_guard", "app/web/load_shedding", "app/web/method_override"),
    "token": ("app/web/tokens", "/flask_jwt_extended/", "/jwt/"),
    "limiter": ("app/web/limits.py", "/flask_limiter/", "/limits/"),
    "session, cache": ("app/web/auth", "app/sessions/", "app/core/cache", "app/core/generations", "app/core/untold"),
    "Redis client": ("app/core/redis_", "/redis/", "/hiredis"),
    "SQL": (
        "/sqlalchemy/", "/psycopg2/", "app/core/quick_statements", "app/core/prepared", "app/core/round_trips", "app/core/db", "app/core/uow",
        "app/core/repository", "/repository.py", "/listing.py", "/statements.py",
    ),
    "validation, dump": ("/marshmallow/", "/webargs/", "/flask_smorest/", "app/web/parser", "app/web/quick_dump",
                         "app/web/schemas", "app/web/fields", "/schemas.py"),
    "headers, ETag": ("app/web/middleware", "app/web/conditional", "app/web/limit_headers", "/flask_cors/"),
    "log": ("app/core/telemetry", "/structlog/", "/logging/"),
    "metrics": ("app/core/metrics", "/prometheus_client/"),
    "Flask": ("/flask/", "/werkzeug/", "/blinker/", "app/application", "app/web/current", "app/web/blueprint"),
    "service": ("/app/",),
}  # fmt: skip
"""By what stands in a function's path; the first that fits."""
ELSEWHERE = "the rest"
WAITS = {"recv", "sendall", "psycopg2.extensions", "send (app/core/round_trips.py)"}
DEEPEST = 5
Environ = dict[str, Any]


class Caller:
    """Somebody with a project, who asks the application in this thread.

    Args:
        app: the service, on a database with accounts.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        proof = {"email": "user1@bench.example", "password": PASSWORD}
        signed_in = Client(app).post(f"{API}/auth/login", json=proof).get_json()
        self._headers = {"Authorization": f"Bearer {signed_in['access_token']}", "User-Agent": "micro"}
        [project] = self.ask("GET", "/projects?limit=1").get_json()["items"]
        self._one, self._number = f"/projects/{project['id']}", itertools.count()
        self._tag = self.ask("GET", self._one).headers["ETag"]

    def ask(self, method: str, path: str) -> Any:
        return Client(self._app).open(API + path, method=method, headers=self._headers)

    def requests(self) -> dict[str, Callable[[], Environ]]:
        """What is measured; each makes the environ of one request."""
        return {
            "get one": lambda: self._environ("GET", self._one),
            "304 on If-None-Match": lambda: self._environ(
                "GET", self._one, headers={"If-None-Match": self._tag}
            ),
            "list 20": lambda: self._environ("GET", "/projects?limit=20"),
            "create": lambda: self._environ("POST", "/projects", json={"name": f"Reef {next(self._number)}"}),
            "patch": lambda: self._environ("PATCH", self._one, json={"name": f"Reef {next(self._number)}"}),
        }

    def _environ(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> Environ:
        builder = EnvironBuilder(
            API + path, method=method, headers={**self._headers, **(headers or {})}, **more
        )
        return builder.get_environ()


def bare() -> Flask:
    """The least that Flask can do: a route with an id, a mapping as JSON."""
    app = Flask("bare")
    app.add_url_rule(f"{API}/projects/<uuid:project_id>", view_func=lambda project_id: {"id": project_id})
    return app


def answer(app: Flask, environ: Environ) -> None:
    """Ask as a server does: take the whole answer, then close it."""
    body = app(environ, lambda _status, _headers, _fault=None: lambda _data: None)
    b"".join(body)
    if hasattr(body, "close"):
        body.close()


def cpu_of(app: Flask, make: Callable[[], Environ], requests: int, rounds: int) -> float:
    """Microseconds of CPU a request, of the best round."""
    for _ in range(WARM_UP):
        answer(app, make())
    taken = []
    for _ in range(rounds):
        environs = [make() for _ in range(requests)]
        began = time.process_time()
        for environ in environs:
            answer(app, environ)
        taken.append((time.process_time() - began) / requests * 1e6)
    return min(taken)


def profiled(app: Flask, make: Callable[[], Environ], requests: int) -> tuple[float, Counter[str]]:
    """Calls of functions a request, and seconds by layer, what waits for an engine left out."""
    environs = [make() for _ in range(requests)]
    profile = cProfile.Profile()
    profile.enable()
    for environ in environs:
        answer(app, environ)
    profile.disable()
    stats: Any = pstats.Stats(profile)
    shares: Counter[str] = Counter()
    for function, (_, _, own, _, callers) in stats.stats.items():
        if not any(word in f"{function[2]} ({_in_project(function[0])})" for word in WAITS):
            for layer, part in _parts(stats.stats, function, callers, DEEPEST).items():
                shares[layer] += own * part
    return stats.total_calls / requests, shares


def _in_project(file: str) -> str:
    return file[file.find("app/core/") :] if "app/core/" in file else ""


def _parts(stats: Any, function: Any, callers: Any, depth: int) -> dict[str, float]:
    """To which layers a function's own time belongs. What is Python's own belongs to those who call it, as much as they do."""
    layer = layer_of(function[0])
    if layer is not None:
        return {layer: 1.0}
    weights = {caller: told[2] for caller, told in callers.items() if caller != function}
    total = sum(weights.values())
    if not depth or not total:
        return {ELSEWHERE: 1.0}
    parts: Counter[str] = Counter()
    for caller, weight in weights.items():
        for name, part in _parts(stats, caller, stats[caller][4], depth - 1).items():
            parts[name] += part * weight / total
    return parts


def layer_of(file: str) -> str | None:
    """Args: file: where a function is written; a sign of Python's own for a builtin."""
    return next((name for name, words in LAYERS.items() if any(word in file for word in words)), None)


def print_layers(readings: dict[str, tuple[float, Counter[str]]]) -> None:
    """Args: readings: microseconds a request, and seconds by layer, for each kind of request."""
    print("\n  Where the microseconds go, by layer (shares of a profile, of what is above):\n")
    print(f"  {'':24}" + "".join(f"{kind.split(' on ')[0]:>10}" for kind in readings))
    for layer in (*LAYERS, ELSEWHERE):
        cells = (taken * own[layer] / own.total() for taken, own in readings.values())
        print(f"  {layer:24}" + "".join(f"{cell:10.0f}" for cell in cells))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=400, help="in a round")
    parser.add_argument("--rounds", type=int, default=5, help="of each kind; the best one counts")
    options = parser.parse_args()
    with application(4) as app, Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        with redirect_stdout(nowhere):  # the log is written, to nowhere: its cost is in the figures
            configure_logging("info")
        parts = app.extensions["holdfast"]
        BulkSeed(parts.settings, parts.services[PasswordHasher], parts.clock).run(10, 100, PASSWORD)
        kinds = Caller(app).requests()
        least = cpu_of(bare(), kinds["get one"], options.requests, options.rounds)
        print(f"\n  {'':24}{'us of CPU':>10}{'of bare Flask':>15}{'calls':>8}")
        print(f"  {'a bare Flask view':24}{least:10.0f}{1:15.1f}")
        readings = {}
        for name, make in kinds.items():
            taken = cpu_of(app, make, options.requests, options.rounds)
            calls, shares = profiled(app, make, options.requests)
            print(f"  {name:24}{taken:10.0f}{taken / least:15.1f}{calls:8.0f}")
            readings[name] = taken, shares
        print_layers(readings)
        configure_logging("error")


if __name__ == "__main__":
    main()
