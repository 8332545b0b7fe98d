"""docs/operations.md names every metric, log field, check, table and sweep."""

import ast
import re

from app.core.db import Base
from app.models import __all__ as _every_model
from app.sweeps import Sweeps
from tests.docs.pages import DOCS, ROOT, read, same, section, table, words

PAGE = read(DOCS / "operations.md")
RETENTION = "docs/operations.md, Retention"
OF_THE_QUEUE = {"procrastinate_jobs"}
ADDED_TO_EACH_LINE = {"time", "level", "event", "request_id"}
LOGGED = re.compile(r'logger\.(?:info|warning|error|exception)\(\s*"([a-z_]+)"|\)\.exception\("([a-z_]+)"')


def test_every_metric_has_its_line_and_an_alert():
    rows = table(section(PAGE, "Metrics"), "Metric", "Meaning", "Alert when")
    metrics = set(re.findall(r'"(holdfast_\w+)"', read(ROOT / "app/core/metrics.py")))
    same((words(row["Metric"])[0] for row in rows), metrics, "docs/operations.md, Metrics")
    assert all(row["Alert when"] for row in rows)


def test_every_field_of_the_request_line_is_told():
    rows = table(section(PAGE, "Logs"), "Field", "Meaning")
    told = {word for row in rows for word in words(row["Field"])}
    assert told == logged_with(read(ROOT / "app/web/middleware.py"), "request") | ADDED_TO_EACH_LINE


def test_every_event_that_is_told_is_logged():
    rows = table(section(PAGE, "Logs"), "Event", "Meaning")
    logged = {
        one or other for path in (ROOT / "app").rglob("*.py") for one, other in LOGGED.findall(read(path))
    }
    assert {word for row in rows for word in words(row["Event"])} <= logged


def test_every_check_of_readiness_is_told(parts):
    rows = table(section(PAGE, "Health"), "Check", "degraded", "unavailable")
    assert {words(row["Check"])[0] for row in rows} == set(parts.readiness._checks)


def test_every_table_and_every_sweep_has_its_line():
    rows = table(section(PAGE, "Retention"), "Table", "What is in it", "Kept", "Job")
    assert _every_model
    same((words(row["Table"])[0] for row in rows), set(Base.metadata.tables) | OF_THE_QUEUE, RETENTION)
    swept = {*Sweeps.NAMES, "uploads.sweep", "objects.sweep"}
    same((word for row in rows for word in words(row["Job"])), swept, RETENTION)


def logged_with(source, event):
    """The keywords of the call that logs this event."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.args[0]) == repr(event):
            return {keyword.arg for keyword in node.keywords}
    raise AssertionError(f"nothing logs {event}")


def test_sec_53_the_server_in_front_hands_on_what_the_api_says_of_a_file(alice, make_app, settings):
    """nginx sends the file, and of the API's answer only what it knows; a page could run that is only ever downloaded."""
    kept_by_nginx = {
        "Accept-Ranges", "Cache-Control", "Content-Disposition", "Content-Length", "Content-Type", "X-Accel-Redirect",
    }  # fmt: skip
    origin = "https://app.example.com"
    app = make_app(accel_redirect="/objects/", cors_origins=[origin])
    project = alice.creates("Reef survey")
    file = alice.uploads(project).json
    person = alice.signs_in_again(app)
    answer = person.get(f"/projects/{project.id}/files/{file['id']}/content", headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    place = PAGE.partition("location /objects/ {")[2].partition("\n    }")[0]
    handed_on = dict(re.findall(r"add_header (\S+) +\$upstream_http_(\w+)", place))
    assert set(answer.headers.keys()) - kept_by_nginx <= set(handed_on)
    assert all(name.lower().replace("-", "_") == variable for name, variable in handed_on.items())
