"""The application and the cast on a primary with a replica, which the test may hold up, kill and start again."""

import shutil
import time
from contextlib import closing

import psycopg2
import pytest

from app import create_app
from app.core.metrics import replica_reads
from tests.fixtures.app import FRESH, close
from tests.fixtures.gunicorn_process import until
from tests.fixtures.log_lines import log_lines
from tests.fixtures.projects import joins, projects
from tests.fixtures.replicated import pair
from tests.fixtures.wires import dead_port

__all__ = ["dead_port", "joins", "log_lines", "pair", "projects"]


def servers(app):
    return app.extensions["holdfast"].engines.replicas.servers


@pytest.fixture(scope="package")
def processes(pair):
    """Two applications with the same settings, as two processes have; nobody looks at the replica but the tests."""
    made = [create_app(pair.settings) for _ in range(2)]
    for app in made:
        servers(app)[0].stop_watching()
    yield made
    for app in made:
        servers(app)[0].close()
        close(app)
    for folder in (pair.settings.mailbox_dir, pair.settings.storage_dir):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="package")
def emptied(pair):
    """``emptied()``: empty every table."""
    with closing(psycopg2.connect(pair.admin_url)) as link:
        link.autocommit = True
        with link.cursor() as cursor:
            cursor.execute(FRESH)
            yield lambda: cursor.execute("SELECT pg_temp.start_afresh()")


@pytest.fixture
def app(pair, processes, emptied, redis_client, look):
    """The first process: empty tables, an empty Redis, a replica that is in step and in the rotation."""
    emptied()
    redis_client.flushdb()
    pair.resume()
    for each in processes:
        parts = each.extensions["holdfast"]
        parts.refresh_clock(force=True)
        parts.engines.cache.clear()
        parts.engines.watch.note(None)
        parts.session_check._marked.clear()
        parts.engines.replicas._marks._trusted_from = 0.0
        servers(each)[0]._written.clear()
    until(lambda: not any(state.fault for state in look()), "the replica is not asked")
    return processes[0]


@pytest.fixture
def replica(app):
    """As the first process sees it."""
    return servers(app)[0]


@pytest.fixture
def look(processes):
    """``look()``: both processes look at the replica, as they do each second; what each found."""
    return lambda: [servers(each)[0].look() for each in processes]


@pytest.fixture
def elsewhere(app, processes):
    """The second process."""
    return processes[1]


@pytest.fixture
def answered(pair):
    """``answered(lambda: ...)``: who answered meanwhile, and why: ``[("replica", "in_step")]``."""
    kinds = [
        ("primary", reason) for reason in ("behind", "failed", "no_replica", "not_confirmed", "redis_away")
    ]

    def counts():
        values = {kind: replica_reads(*kind)._value.get() for kind in kinds}
        return {**values, ("replica", "in_step"): replica_reads(pair.name, "in_step")._value.get()}

    def during(work):
        before = counts()
        work()
        return [kind for kind, number in counts().items() for _ in range(int(number - before[kind]))]

    return during


@pytest.fixture
def let_pass(monkeypatch):
    """``let_pass(seconds)``: the clock that lag and trust are measured by stands still but for this."""
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def move(seconds):
        now[0] += seconds

    return move
