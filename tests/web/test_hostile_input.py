"""SEC-44: whatever arrives, the answer is a documented one and never a 5xx (traps T5 to T9)."""

import json

import pytest

from tests.fixtures.bodies import GOOD_BODIES, body_with, sound_request
from tests.fixtures.client import ApiClient
from tests.fixtures.contract import AN_ID, documented_operations
from tests.fixtures.error_kinds import without_cookies

# As they stand in the JSON of one field; every string and integer field refuses each of them.
REFUSED = {
    "NUL": rb'"a\u0000b"',
    "lone surrogate": rb'"a\ud800"',
    "surrogates in the wrong order": rb'"\udc00\ud800"',
    "2^31": b"2147483648",
    "2^63": b"9223372036854775808",
    "2^80": b"1208925819614629174706176",
    "5,000 digits": b"9" * 5_000,
    "1,500 arrays": b"[" * 1_500 + b"]" * 1_500,
    "1,500 objects": b'{"a":' * 1_500 + b"1" + b"}" * 1_500,
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "too large a float": b"1e400",
    "bytes that are no UTF-8": b'"\xff\xfe"',
    "an overlong slash": b'"\xc0\xaf"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "a raw control character": b'"a\x01b"',
    "true": b"true",
    "an array": b'["a"]',
    "an object": b'{"a": 1}',
    "100,000 letters": b'"' + b"x" * 100_000 + b'"',
}
# May be right for one field and wrong for another.
BORNE = {
    "null": b"null",
    "nothing": b'""',
    "white space": b'"  "',
    "right-to-left override": rb'"\u202eevil"',
    "the last code point": '"\U0010ffff"'.encode(),
    "line breaks": rb'"a\r\nb: c"',
    "year 9999999": b'"9999999-01-01T00:00:00Z"',
    "no UUID": b'"0197a5b0-zzzz-7a60-9c2f-3f3b8a1c0a02"',
    "escaped NUL": b'"%00"',
    "SQL": b'"\'; DROP TABLE users; --"',
    "a template": b'"{{7*7}}"',
    "a path": b'"../../etc/passwd"',
}
BODIES = {
    "a name twice": b'{"name": "a", "name": "b"}',
    "nothing": b"",
    "an array": b"[]",
    "a word": b'"kelp"',
    "null": b"null",
    "NaN": b"NaN",
    "two documents": b"{} {}",
    "a comma too many": b'{"name": "a",}',
    "half a document": b'{"name": "a"',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "NULs": b"\x00" * 100,
    "1,500 arrays": b"[" * 1_500 + b"]" * 1_500,
    "an escaped name": rb'{"\u0000": 1}',
    "an empty name": b'{"": 1}',
    "a long name": b'{"' + b"x" * 100_000 + b'": 1}',
    "10,000 names": json.dumps({f"a{n}": n for n in range(10_000)}).encode(),
}
QUERIES_REFUSED = {
    "NUL": "%00", "NUL inside": "a%00b", "no UTF-8": "%FF%FE", "a surrogate": "%ED%A0%80", "overlong": "%C0%AF",
    "a line break": "a%0d%0ab:c",
}  # fmt: skip
QUERIES_BORNE = {
    "2^31": "2147483648", "2^63": "9223372036854775808", "10^20": "1" + "0" * 20, "3,900 digits": "9" * 3_900,
    "NaN": "NaN", "minus one": "-1", "a fraction": "1.5", "full-width digits": "%EF%BC%91%EF%BC%92", "nothing": "",
    "year 9999999": "9999999-01-01T00:00:00Z", "year 10000": "10000-01-01T00:00:00Z",
    "before the calendar": "0001-01-01T00:00:00%2B23:59", "after the calendar": "9999-12-31T23:59:59-23:59",
    "no zone": "2026-01-01T00:00:00", "no UUID": "0197a5b0-zzzz-7a60-9c2f-3f3b8a1c0a02", "escaped twice": "%2500",
    "SQL": "'; DROP TABLE users; --", "a pattern": "%25_%5C", "an emoji": "%F0%9F%A6%A6", "quotes": "%22%27%60",
}  # fmt: skip
IDS = (
    "%00",
    "x",
    "%FF",
    "%0d%0a",
    "0" * 36,
    AN_ID + "0",
    AN_ID[:-1],
    "9" * 3_900,
    "..%2f..",
    "null",
    "-1",
    AN_ID.upper(),
)
HEADERS = {
    "If-Match": ('"', '"7', "7", '"99999999999999999999999999"', '"\xb2"', "*, *", '"7".' * 1_000, "\xff\x00"),
    "If-None-Match": ('"', "W/", "\xff", ", , ,", '"' * 3_000),
    "Idempotency-Key": ("", "\xff", "\x00", "x" * 256, "a\tb", "\u00e9"),
    "Authorization": ("Bearer", "Bearer ", "Bearer \xff", "Bearer a.b.c", "Bearer " + "a." * 3_000, "Basic eA==", "\x00"),
    "X-Request-ID": ("\xff" * 20, "x" * 65, "short", "with space", ""),
    "traceparent": ("\xff", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "zz"),
    "X-Client-Platform": ("\xff", "x" * 1_000),
    "User-Agent": ("\x00", "\xff" * 5_000, ""),
    "Cookie": ("refresh_token=\xff\x00", "refresh_token=" + "." * 3_000, "=", ";;;", "refresh_token"),
    "Origin": ("\xff", "null", "http://[", "x" * 5_000),
    "Accept": ("\xff", "*/*;q=9", "text/html;q=a", ","),
    "Content-Type": ("\xff", "application/json; charset=\xff", "application/json; charset=utf-16", ";", "a/b/c"),
    "X-Forwarded-For": ("\xff", "1.2.3.4, " * 1_000, "::ffff:999.1.1.1"),
    "Range": ("bytes=99999999-", "bytes=-", "kelp"),
}  # fmt: skip


class Patient(ApiClient):
    """Alice, and for the operations of administrators Ada."""

    def open(self, method, path, **options):
        self.token = self.administrator if path.startswith("/admin/") else self.alice
        return super().open(method, path, **options)


@pytest.fixture
def patient(kept_app, alice, ada):
    """Alice, or Ada, at a service that does not count: hundreds of requests follow."""
    client = without_cookies(Patient(kept_app(rate_limit_factor=1_000_000)))
    client.alice, client.administrator = alice.token, ada.token
    client.project = alice.creates()
    return client


def send(client, operation, body, **options):
    address = operation.addressed(project_id=client.project.id)
    return client.open(operation.method, address, data=body, content_type="application/json", **options)


def with_field(name, field, raw):
    """A sound body with these bytes as the value of one field."""
    others = {**body_with(name, field), field: "@@"}
    return json.dumps(others).encode().replace(b'"@@"', raw)


def find(app, name):
    return next(each for each in documented_operations(app) if each.name == name)


@pytest.mark.parametrize("name", GOOD_BODIES)
def test_sec_44_fields_of_bodies(patient, name):
    operation = find(patient.app, name)
    assert operation.fields
    for field, schema in operation.fields.items():
        assert {"string", "integer", "array"} & set(types_of(schema)), f"{field} needs a table of its own"
        for what, raw in REFUSED.items():
            answer = send(patient, operation, with_field(name, field, raw))
            # A file may be that large, but not on this server.
            too_large = {413} if (name, field) == ("startUpload", "size") else set()
            assert answer.status_code in {400, 422} | too_large, f"{field}: {what}: {answer.status_code}"
        for what, raw in BORNE.items():
            answer = send(patient, operation, with_field(name, field, raw))
            assert answer.status_code < 500, f"{field}: {what}"


def types_of(schema):
    if "anyOf" in schema:
        return [kind for each in schema["anyOf"] for kind in types_of(each)]
    kinds = schema.get("type", ["string"] if "enum" in schema or "$ref" in schema else [])
    return [kinds] if isinstance(kinds, str) else kinds


@pytest.mark.parametrize("name", GOOD_BODIES)
def test_sec_44_whole_bodies(patient, name):
    operation = find(patient.app, name)
    for what, body in BODIES.items():
        answer = send(patient, operation, body)
        if body:
            assert answer.status_code in {400, 422}, f"{what}: {answer.status_code}"
        assert answer.status_code < 500


@pytest.mark.parametrize("name", GOOD_BODIES)
def test_sec_44_no_body_where_the_document_needs_one(patient, name):
    operation = find(patient.app, name)
    answer = patient.open(operation.method, operation.addressed(project_id=patient.project.id))
    assert (answer.status_code == 422) == operation.needs_body, f"{answer.status_code}: {answer.text}"
    if operation.needs_body:
        assert {fault["code"] for fault in answer.json["errors"]} == {"required"}, answer.text


def test_a_change_without_a_body_is_told_what_to_send(patient):
    project = patient.project
    answer = patient.open("PATCH", f"/projects/{project.id}", headers={"If-Match": '"99"'})
    assert answer.status_code == 422
    assert answer.json["errors"] == [
        {
            "field": "",
            "code": "required",
            "detail": "Send a JSON object with what is to change as the body.",
            "location": "body",
            "params": {},
        }
    ]
    assert patient.get(f"/projects/{project.id}").json["version"] == project.version


@pytest.mark.parametrize("name", GOOD_BODIES)
def test_sec_44_a_name_that_stands_twice(patient, name):
    body = json.dumps(GOOD_BODIES[name]).encode()
    first = next(iter(GOOD_BODIES[name]))
    doubled = body[:-1] + f', "{first}": "again"}}'.encode()
    answer = send(patient, find(patient.app, name), doubled)
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_json")


def test_sec_44_query_parameters(patient):
    queried = [each for each in documented_operations(patient.app) if each.query]
    assert {each.name for each in queried} >= {"listProjects", "getProject"}
    for operation in queried:
        address = operation.addressed(project_id=patient.project.id)
        for parameter in operation.query:
            for what, value in QUERIES_REFUSED.items():
                answer = patient.open(operation.method, f"{address}?{parameter}={value}")
                assert answer.status_code in {400, 422}, f"{parameter}: {what}: {answer.status_code}"
            for what, value in QUERIES_BORNE.items():
                answer = patient.open(operation.method, f"{address}?{parameter}={value}")
                assert answer.status_code < 500, f"{parameter}: {what}"
            answer = patient.open(operation.method, f"{address}?{parameter}=a&{parameter}=b")
            assert answer.status_code == 422


@pytest.mark.parametrize(
    "value", ["0", "101", "2147483648", "1" + "0" * 20, "-1", "1.5", "%EF%BC%91", "", "1e2"]
)
def test_sec_45_page_sizes_are_bounded(alice, value):
    assert alice.get(f"/projects?limit={value}").status_code == 422


def test_sec_45_the_largest_page_is_100(alice):
    assert alice.get("/projects?limit=100").status_code == 200


def test_sec_44_operations_without_query_parameters_take_none(app, patient):
    for operation in documented_operations(app):
        if not operation.query and operation.public:
            for query in ("limit=1", "%00=%FF", "a=1&a=2"):
                body = json.dumps(GOOD_BODIES[operation.name]).encode() if operation.has_body else None
                answer = patient.open(
                    operation.method, f"{operation.path}?{query}", data=body, content_type="application/json"
                )
                assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "unknown_field")


def test_sec_44_a_malformed_id_is_not_found(app, patient):
    addressed = [each for each in documented_operations(app) if "{" in each.path]
    assert len(addressed) > 5
    for operation in addressed:
        head, _, tail = operation.path.partition("{")
        for value in IDS:
            answer = patient.open(
                operation.method,
                f"{head}{value}{tail.partition('}')[2]}",
                **sound_request(operation),
            )
            assert (answer.status_code, answer.json["code"]) == (404, "not_found"), (
                f"{operation.name} {value}"
            )


@pytest.mark.parametrize("header", HEADERS)
def test_sec_44_headers(patient, header):
    for value in HEADERS[header]:
        for method, path, body in (
            ("GET", f"/projects/{patient.project.id}", None),
            ("PATCH", f"/projects/{patient.project.id}", {"name": "Reef"}),
            ("POST", "/projects", {"name": "Reef"}),
            ("POST", "/auth/refresh", {}),
            ("GET", "//docs/files/swagger-ui.css", None),
        ):
            answer = patient.open(
                method,
                path,
                json=body,
                headers={"X-CSRF-Token": "1", "Origin": "http://localhost:3000", header: value},
            )
            answer.close()
            assert answer.status_code < 500, f"{method} {path} {value!r}: {answer.text}"


def test_sec_44_a_hundred_thousand_unknown_fields_are_refused_as_soon_as_some(alice):
    body = "{" + ",".join(f'"k{number}":1' for number in range(70_000)) + ',"name":"Reef"}'
    answer = alice.post("/projects", data=body, content_type="application/json")
    assert answer.status_code == 422
    assert len(answer.json["errors"]) == 100
