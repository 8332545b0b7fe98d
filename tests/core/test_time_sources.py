"""Time comes from app.core.clock: a lint over the whole service, so that the test clock works across processes."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IN_SQL = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\("
    r"|\b(current_timestamp|current_date|current_time|localtimestamp|localtime)\b",
    re.IGNORECASE,
)
IN_PYTHON = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns", "time.gmtime",
    "time.localtime", "time.ctime", "time.strftime", "uuid.uuid1",
}  # fmt: skip
SQL_FUNCTIONS = {
    "now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "current_timestamp", "current_date",
    "current_time", "localtimestamp", "localtime", "timeofday", "age",
}  # fmt: skip
ALLOWED = {
    "app/core/clock.py": {"datetime.now", "time.time"},
    # The queue stamps its rows and its workers with the server's clock; their age is taken by the same.
    "app/core/jobs.py": {"clock_timestamp"},
    "app/core/job_rescue.py": {"clock_timestamp"},
    "app/core/job_figures.py": {"clock_timestamp"},
    "app/core/job_admin.py": {"clock_timestamp"},
    "app/readiness.py": {"clock_timestamp"},
    "app/cli/checks/queue.py": {"clock_timestamp"},
    # Processes hear of a change in real time, and what they have heard of may go.
    "app/core/access_watch.py": {"clock_timestamp"},
    "migrations/versions/0018_access_changes.py": {"clock_timestamp"},
    # `flask doctor` compares the server's clock with this host's.
    "app/cli/checks/database.py": {"clock_timestamp"},
    # Whoever holds the service's role must not be able to erase what is fresh, whatever moment it names.
    "migrations/versions/0002_spine.py": {"clock_timestamp"},
    "migrations/versions/0007_leaving.py": {"clock_timestamp"},
}
OTHERS_SQL = {"migrations/versions/0001_job_queue.sql": "the queue's own schema, word for word"}


def sources():
    paths = [
        *ROOT.glob("app/**/*.py"),
        *ROOT.glob("migrations/**/*.py"),
        ROOT / "wsgi.py",
        ROOT / "gunicorn.conf.py",
    ]
    return {str(path.relative_to(ROOT)): path for path in paths}


def found_in(source):
    """Every way to another clock in a piece of Python, its SQL texts included; docstrings may speak of them."""
    tree = ast.parse(source)
    prose = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    aliases = imported(tree)
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            if owner.rpartition(".")[2] == "func" and node.attr in SQL_FUNCTIONS:
                found.add(node.attr)
            name = f"{aliases.get(owner, owner).rpartition('.')[2]}.{node.attr}"
            found |= {name} & IN_PYTHON
        elif isinstance(node, ast.Name):
            found |= {aliases.get(node.id, "")} & IN_PYTHON
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            found |= {(match[1] or match[2]).lower() for match in IN_SQL.finditer(node.value)}
    return found


def imported(tree):
    """What each local name stands for: ``import time as t`` makes ``t`` ``time``."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update({each.asname or each.name: each.name for each in node.names})
        elif isinstance(node, ast.ImportFrom):
            names.update({each.asname or each.name: f"{node.module}.{each.name}" for each in node.names})
    return names


@pytest.mark.parametrize("path", sources())
def test_no_module_has_a_clock_of_its_own(path):
    found = found_in(sources()[path].read_text(encoding="utf-8"))
    assert found <= ALLOWED.get(path, set()), f"{path}: take the time from app.core.clock"


@pytest.mark.parametrize("path", ALLOWED)
def test_every_exception_is_still_needed(path):
    assert found_in((ROOT / path).read_text(encoding="utf-8")) == ALLOWED[path]


def test_sql_files_have_no_clock_but_for_the_queues_own():
    paths = {
        str(path.relative_to(ROOT)): path
        for path in (*ROOT.glob("app/**/*.sql"), *ROOT.glob("migrations/**/*.sql"))
    }
    found = {name for name, path in paths.items() if IN_SQL.search(path.read_text(encoding="utf-8"))}
    assert found == set(OTHERS_SQL)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from datetime import datetime\nx = datetime.now(UTC)", {"datetime.now"}),
        ("import datetime\nx = datetime.datetime.utcnow()", {"datetime.utcnow"}),
        ("import datetime as dt\nx = dt.datetime.now()", {"datetime.now"}),
        ("from datetime import datetime as D\nx = D.now()", {"datetime.now"}),
        ("from datetime import date\nx = date.today()", {"date.today"}),
        ("import time\nx = time.time()", {"time.time"}),
        ("import time as t\nx = t.time_ns()", {"time.time_ns"}),
        ("from time import time\nx = time()", {"time.time"}),
        ("from time import time as t\nx = dict(default=t)", {"time.time"}),
        ("x = func.now()", {"now"}),
        ("x = sa.func.current_timestamp()", {"current_timestamp"}),
        ("x = text('SELECT NOW ()')", {"now"}),
        ("x = mapped_column(server_default='CURRENT_TIMESTAMP')", {"current_timestamp"}),
        ("x = f'WHERE at < now() - {y}'", {"now"}),
        ("'''A docstring may say now().'''\nx = 1", set()),
        ("x = clock.now()", set()),
        ("x = self._clock.now() + timedelta(seconds=1)", set()),
        ("import time\nx = time.monotonic() - time.perf_counter()", set()),
        ("x = 'how to know (now or later)'", set()),
    ],
)
def test_the_lint_finds_what_it_should_and_nothing_else(source, expected):
    assert found_in(source) == expected


def test_no_column_takes_its_moment_from_the_server(sql):
    """A default in the schema would be a clock too; the queue's own tables are the queue's."""
    assert (
        sql(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name NOT LIKE 'procrastinate%%'"
            " AND column_default ~* 'now|timestamp|date|time'"
        )
        == []
    )
