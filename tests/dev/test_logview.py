"""Log lines on the terminal are short; the files keep them whole."""

import json

import pytest

from dev.logview import Tail, shorten

REQUEST = {
    "time": "2026-11-22T12:03:04.5Z",
    "level": "info",
    "event": "request",
    "method": "PATCH",
    "route": "/api/v1/projects/<uuid:project_id>",
    "status": 412,
    "code": "version_mismatch",
    "ms": 12.34,
    "user_id": "01890000-0000-7000-8000-000000000000",
}


def told(**changes):
    return shorten(json.dumps({**REQUEST, **changes}), "api")


def test_one_short_line_a_request():
    line = told()
    assert line is not None
    assert line.split() == ["12:03:04", "412", "PATCH", REQUEST["route"], "12", "ms", "version_mismatch"]


def test_a_request_without_a_route():
    line = told(route=None, status=404, code="not_found")
    assert line is not None
    assert "404  GET" not in line
    assert "(no such route)" in line


@pytest.mark.parametrize("route", ["/livez", "/readyz", "/metrics"])
def test_health_checks_are_shown_only_when_they_fail(route):
    assert told(route=route, status=200, code=None) is None
    assert told(route=route, status=503, code=None) is not None


def test_events_are_shown_from_warnings_up():
    assert shorten('{"level": "info", "event": "worker_started"}', "worker") is None
    line = shorten('{"level": "warning", "event": "redis_is_away", "error": "refused"}', "worker")
    assert line is not None
    assert "warning redis_is_away refused" in line


def test_what_is_not_json_is_shown_as_it_is():
    line = shorten("Traceback (most recent call last):", "api")
    assert line is not None
    assert line.endswith("Traceback (most recent call last):")
    assert shorten("   ", "api") is None
    assert shorten("42", "api") is not None


def test_a_log_is_followed_from_where_it_ends_and_in_whole_lines(tmp_path):
    path = tmp_path / "api.log"
    path.write_text("old\n")
    tail = Tail(path, "api")
    assert tail.fresh() == []
    with path.open("a") as log:
        log.write("first\nhal")
        log.flush()
        assert [line.split()[-1] for line in tail.fresh()] == ["first"]
        log.write("f\n")
        log.flush()
        assert [line.split()[-1] for line in tail.fresh()] == ["half"]


def test_a_log_that_grew_too_long_begins_again(tmp_path, monkeypatch):
    monkeypatch.setattr("dev.logview._MAX_LOG", 10)
    path = tmp_path / "api.log"
    with path.open("a") as log:
        tail = Tail(path, "api")
        log.write("a line of more than ten bytes\n")
        log.flush()
        assert len(tail.fresh()) == 1
        assert path.stat().st_size == 0
        assert "more than ten" in path.with_suffix(".log.1").read_text()
        log.write("next\n")
        log.flush()
        assert [line.split()[-1] for line in tail.fresh()] == ["next"]
