"""SEC-52: every error is an RFC 9457 problem, and none tells what it is made of."""

import re
from pathlib import Path

import pytest

from app.core.errors import Code
from app.web.problems import CATALOGUE
from tests.fixtures.client import ApiClient
from tests.fixtures.error_kinds import KINDS, failing_client

__all__ = ["failing_client"]

MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
INNER_LIFE = re.compile(
    r"Traceback|psycopg|sqlalchemy|site-packages|werkzeug|flask|\.py\b|SELECT |QueuePool|[a-z]Error\b|kelp|<|"
    + re.escape(str(Path(__file__).parents[2]))
)


@pytest.mark.parametrize(("make", "status", "code"), KINDS.values(), ids=KINDS)
def test_sec_52_every_error_is_a_problem(failing_client, make, status, code):
    answer = make(failing_client)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    problem = answer.json
    assert (problem["status"], problem["code"], problem["title"]) == (
        status,
        code,
        CATALOGUE[Code(code)].title,
    )
    assert set(problem) >= MEMBERS
    assert set(problem) - MEMBERS <= {"errors", "retry_after"}
    assert problem["type"] == f"http://localhost:8000/docs/errors#{code}"
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert not INNER_LIFE.search(re.sub(r'"type":"[^"]*"', "", answer.text))


@pytest.mark.parametrize(("make", "status", "code"), KINDS.values(), ids=KINDS)
def test_rel_03_refusals_that_pass_say_when_to_come_back(failing_client, make, status, code):
    answer = make(failing_client)
    assert ("Retry-After" in answer.headers) == (status in {429, 503})
    if status in {429, 503}:
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/me", {"GET", "HEAD", "OPTIONS", "PATCH", "DELETE"}),
        ("/projects", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/auth/login", {"OPTIONS", "POST"}),
        ("//livez", {"GET", "HEAD", "OPTIONS"}),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "TRACE", "CONNECT", "PROPFIND", "KELP"])
def test_sec_54_a_wrong_method_names_the_right_ones(alice, path, allowed, method):
    answer = alice.open(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_a_bug_is_logged_whole_and_told_in_a_sentence(failing_client, log_lines):
    answer = failing_client.get("/planted/sql")
    [line] = log_lines.of("unhandled_error")
    assert (line["level"], line["request_id"]) == ("error", answer.json["request_id"])
    assert "ProgrammingError" in line["exception"]


def test_a_missing_part_of_a_file_tells_its_length(anonymous):
    answer = anonymous.get("//docs/files/swagger-ui.css", headers={"Range": "bytes=99999999-"})
    assert re.fullmatch(r"bytes \*/\d{4,}", answer.headers["Content-Range"])
    answer.close()


def test_head_of_an_error_has_no_body(anonymous):
    answer = anonymous.open("HEAD", "/nowhere")
    assert (answer.status_code, answer.get_data()) == (404, b"")


def test_every_code_has_an_entry_and_a_status_of_its_family(app):
    assert set(CATALOGUE) == set(Code)
    assert all(400 <= kind.status < 600 for kind in CATALOGUE.values())


def test_the_type_of_a_problem_leads_to_its_explanation(anonymous):
    page = anonymous.get("//docs/errors").text
    problem = anonymous.get("/nowhere").json
    base, _, anchor = problem["type"].partition("#")
    assert base == "http://localhost:8000/docs/errors"
    assert f'id="{anchor}"' in page


class TestBodies:
    """SEC-45: how a body is sent, against the running application."""

    MIB = 1_048_576

    def test_a_body_of_exactly_the_limit_is_read(self, alice):
        start = b'{"name": "Reef"}'
        answer = alice.post(
            "/projects", data=start + b" " * (self.MIB - len(start)), content_type="application/json"
        )
        assert answer.status_code == 201

    @pytest.mark.parametrize("operation", ["/projects", "/auth/login", "/auth/register", "/auth/logout"])
    def test_one_byte_more_is_refused_before_it_is_parsed(self, alice, operation):
        answer = alice.post(operation, data=b"[" * (self.MIB + 1), content_type="application/json")
        assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")

    def test_the_limit_is_a_setting(self, make_app, alice):
        client = ApiClient(make_app(max_body_bytes=1_024), alice.token)
        assert client.post("/projects", json={"name": "Reef", "description": "x" * 2_000}).status_code == 413

    def test_t1_a_chunked_body_over_the_limit_is_refused_not_cut(self, alice, sql):
        """Valid JSON up to the limit and spaces after it: cut there, it would be accepted."""
        body = b'{"name": "Reef"}' + b" " * self.MIB
        answer = alice.post(
            "/projects",
            content_type="application/json", environ_overrides=chunked(body),
        )  # fmt: skip
        assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
        assert sql("SELECT count(*) FROM projects") == [(0,)]

    def test_a_chunked_body_within_the_limit_is_read(self, alice):
        answer = alice.post(
            "/projects",
            content_type="application/json", environ_overrides=chunked(b'{"name": "Reef"}'),
        )  # fmt: skip
        assert answer.status_code == 201

    @pytest.mark.parametrize(
        "content_type",
        ["text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
         "application/jsonp", "text/json", "application/merge-patch+json", "kelp"],
    )  # fmt: skip
    @pytest.mark.parametrize(
        ("method", "path"), [("POST", "/projects"), ("PATCH", "/me"), ("POST", "/auth/logout")]
    )
    def test_t9_a_body_that_does_not_say_json_is_refused(self, alice, method, path, content_type):
        answer = alice.open(method, path, data=b'{"name": "Reef"}', content_type=content_type)
        assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")

    @pytest.mark.parametrize(
        "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"]
    )
    def test_json_may_be_spelled_as_people_spell_it(self, alice, content_type):
        assert alice.post("/projects", data=b'{"name": "Reef"}', content_type=content_type).status_code == 201


def chunked(body):
    return {"wsgi.input": Chunks(body), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}


class Chunks:
    """A body as gunicorn hands over a chunked one: it ends by itself and has no length."""

    def __init__(self, body):
        self._body = body

    def read(self, size=-1):
        size = len(self._body) if size is None or size < 0 else size
        taken, self._body = self._body[:size], self._body[size:]
        return taken

    def readline(self, size=-1):
        return self.read(size)

    def close(self):
        pass
