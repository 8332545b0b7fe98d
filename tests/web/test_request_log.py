"""SEC-58: one JSON line a request, whatever stands in the request."""

import hashlib
import re
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest

from tests.fixtures.accounts import registers
from tests.fixtures.client import ApiClient
from tests.fixtures.planted import failing, plant

FIELDS = {
    "time", "level", "event", "request_id", "trace_id", "operation", "method", "route", "status", "code", "ms",
    "db_ms", "db_queries", "redis_ms", "user_id", "session", "ip", "platform", "version", "bytes", "replayed",
    "degraded",
}  # fmt: skip
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
EVIL = 'kelp\r\n{"event": "request", "user_id": "forged"}'
FILLED_BY_CLIENTS = (
    "HTTP_X_REQUEST_ID", "HTTP_TRACEPARENT", "HTTP_X_CLIENT_PLATFORM", "HTTP_X_CLIENT_VERSION", "HTTP_USER_AGENT",
    "HTTP_IF_NONE_MATCH", "HTTP_ORIGIN", "HTTP_REFERER", "HTTP_X_FORWARDED_FOR", "HTTP_ACCEPT_LANGUAGE",
    "HTTP_AUTHORIZATION", "HTTP_COOKIE", "REMOTE_ADDR",
)  # fmt: skip
LINE_ENDS = (
    "\r\n",
    "\n",
    "\r",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x1d",
    "\x1e",
    "\x85",
    "\u2028",
    "\u2029",
    "\x1b[2K",
    "\x00",
)


def only(log_lines):
    [line] = log_lines.of("request")
    return line


def test_sec_58_one_line_with_everything_an_operator_asks_for(alice, log_lines):
    project = alice.creates()
    alice.headers |= {"X-Client-Platform": "ios", "X-Client-Version": "2.1.0-beta.3"}
    answer = alice.get(
        f"/projects/{project.id}",
        headers={"X-Request-ID": "a-request-of-mine", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"},
        environ_base={"REMOTE_ADDR": "203.0.113.77"},
    )
    assert len(log_lines.text.splitlines()) == 1
    line = only(log_lines)
    assert set(line) >= FIELDS
    assert (line["level"], line["operation"], line["method"]) == ("info", "getProject", "GET")
    assert line["route"] == "/api/v1/projects/<uuid:project_id>", "the template, never the address"
    assert (line["status"], line["code"], line["replayed"], line["degraded"]) == (200, None, False, False)
    assert (line["request_id"], line["trace_id"]) == ("a-request-of-mine", TRACE)
    assert line["user_id"] == str(alice.user.id)
    assert line["session"] == hashlib.sha256(str(alice.session_id).encode()).hexdigest()[:16]
    assert line["ip"] == "203.0.113.0"
    assert (line["platform"], line["version"]) == ("ios", "2.1.0-beta.3")
    assert line["bytes"] == len(answer.get_data())
    assert line["db_queries"] > 0
    assert 0 < line["db_ms"] < line["ms"]
    assert 0 < line["redis_ms"] < line["ms"]
    written = datetime.fromisoformat(line["time"])
    assert written.utcoffset() == timedelta(0), "UTC, and it says so"


def test_sec_58_a_refusal_tells_its_code(anonymous, log_lines):
    anonymous.get("/me")
    line = only(log_lines)
    assert (line["status"], line["code"], line["user_id"], line["session"]) == (
        401,
        "not_authenticated",
        None,
        None,
    )


@pytest.mark.parametrize("path", ["/nowhere", "//nowhere", "/projects/kelp", "//livez"])
def test_sec_58_what_no_operation_answers_has_a_line_too(anonymous, log_lines, path):
    anonymous.get(path)
    line = only(log_lines)
    assert line["operation"] == ("livez" if path == "//livez" else "none")
    assert "kelp" not in log_lines.text, "an address may hold anything, so it is not written"


def test_a_replayed_answer_says_so(alice, log_lines):
    for _ in range(2):
        alice.post("/projects", json={"name": "Reef"}, headers={"Idempotency-Key": "k1"})
    assert [line["replayed"] for line in log_lines.of("request")] == [False, True]


def test_a_request_without_redis_says_so(make_app, alice, dead_port, log_lines):
    client = ApiClient(make_app(redis_url=f"redis://127.0.0.1:{dead_port}/0"), alice.token)
    log_lines.take()  # a new application sets up logging anew
    client.get("/me")
    assert only(log_lines)["degraded"] is True


@pytest.mark.parametrize(
    "identifier", ["a-request-of-mine", "A" * 64, "12345678", "0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a02"]
)
def test_a_well_formed_request_id_is_kept(alice, log_lines, identifier):
    answer = alice.get("/nowhere", headers={"X-Request-ID": identifier})
    assert (
        answer.headers["X-Request-ID"]
        == answer.json["request_id"]
        == only(log_lines)["request_id"]
        == identifier
    )


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "short",
        "1234567",
        "A" * 65,
        "with space",
        "semi;colon",
        "under_score",
        "dot.dot",
        "é" * 8,
        "<script>",
    ],
)
def test_a_malformed_request_id_is_replaced(alice, log_lines, identifier):
    answer = alice.get("/nowhere", headers={"X-Request-ID": identifier})
    made = answer.headers["X-Request-ID"]
    assert UUID7.fullmatch(made)
    assert made == answer.json["request_id"] == only(log_lines)["request_id"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_sec_58_a_line_break_at_the_end_of_a_request_id_is_not_overlooked(app, log_lines, end):
    """No server lets such a header through, and nothing relies on that."""
    answer = app.test_client().get(
        "/api/v1/meta", environ_overrides={"HTTP_X_REQUEST_ID": "a-request-of-mine" + end}
    )
    assert UUID7.fullmatch(answer.headers["X-Request-ID"])
    assert only(log_lines)["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    "header",
    ["", "00-short-00f067aa0ba902b7-01", f"00-{TRACE}-00f067aa0ba902b7", f"ff-{TRACE}-00f067aa0ba902b7-01",
     f"00-{TRACE.upper()}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{TRACE}-{'0' * 16}-01", EVIL[:4]],
)  # fmt: skip
def test_a_malformed_traceparent_is_left_out(anonymous, log_lines, header):
    assert anonymous.get("/meta", headers={"traceparent": header}).status_code == 200
    assert only(log_lines)["trace_id"] is None


@pytest.mark.parametrize("end", LINE_ENDS, ids=ascii)
def test_sec_58_no_input_makes_a_second_line(app, alice, log_lines, end):
    """Each place of a request that a client fills, with what could end a line in it."""
    evil = f"kelp{end}" + EVIL
    in_header = evil.encode("latin-1", "replace").decode("latin-1")
    overrides = dict.fromkeys(FILLED_BY_CLIENTS, in_header)
    sent = 0
    for path in ("/api/v1/meta", "/api/v1/me", f"/api/v1/{quote(evil)}", "/api/v1/projects"):
        app.test_client().get(path, query_string={"q": evil}, environ_overrides=overrides)
        sent += 1
    for body in ({"name": evil}, {evil: "Reef"}, {"name": "Reef", "description": evil}):
        alice.post("/projects", json=body)
        sent += 1
    app.test_client().open("/api/v1/me", method=f"KELP{end}", environ_overrides=overrides)
    sent += 1
    assert len(log_lines.of("request")) == sent
    assert len(log_lines.text.split("\n")) == len(log_lines.lines) + 1, "every line ends once"
    assert not [line for line in log_lines.lines if line.get("user_id") == "forged"]


def test_a_bug_is_two_lines_the_request_and_the_error(make_app, alice, log_lines):
    app = plant(make_app(), failing(ValueError(EVIL)))
    log_lines.take()
    ApiClient(app).get("/planted")
    assert [line["event"] for line in log_lines.lines] == ["unhandled_error", "request"]
    assert len({line["request_id"] for line in log_lines.lines}) == 1


def test_jobs_carry_the_id_of_the_request_that_caused_them(anonymous, log_lines, run_jobs):
    registers(anonymous, headers={"X-Request-ID": "somebody-registers"})
    log_lines.clear()
    run_jobs()
    [line] = [each for each in log_lines.of("job") if each["job"] == "registration.send_verification"]
    assert (line["outcome"], line["request_id"]) == ("done", "somebody-registers")


def test_rows_of_the_trail_and_events_carry_the_id_too(anonymous, sql):
    registers(anonymous, headers={"X-Request-ID": "somebody-registers"})
    for table in ("audit_events", "events"):
        assert set(sql(f"SELECT request_id FROM {table}")) == {("somebody-registers",)}
