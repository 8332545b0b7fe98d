import json
import math
import time
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from flask import Flask, request
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import Schema, fields

from app.core.errors import AppError, Code
from app.web.strict_json import (
    MAX_BRACKETS,
    MalformedJSON,
    StrictJSONParser,
    StrictJSONProvider,
    _deeper_than,
    dumps,
    loads,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
INTEGERS = st.integers(-(2**63), 2**63 - 1)
SANE = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=30,
)
MIB = 2**20


@given(SANE, st.booleans(), st.sampled_from([None, 2]))
def test_reads_back_whatever_json_dumps_makes(value, ascii_only, indent):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert loads(text) == value
    assert loads(text.encode()) == value


@given(SANE)
def test_writes_what_it_reads(value):
    assert loads(dumps(value)) == value


@given(
    st.binary()
    | st.text('{}[]:,"\\u0d8eE+-.1 truefalsn\ud800', max_size=40).map(lambda s: s.encode("utf-8", "ignore"))
)
@example(b"[" * 100)
@example(b'"\\ud800"')
def test_sec_44_any_bytes_are_read_or_refused_and_nothing_else(body):
    try:
        value = loads(body)
    except MalformedJSON as refusal:
        assert refusal.code is Code.malformed_json  # noqa: PT017 - reading it is as good
    else:
        assert json.loads(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"\xff",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf{}",
        b"NaN",
        b'{"a": NaN}',
        b"[Infinity]",
        b"-Infinity",
        b"1e400",
        b'{"a": 1} x',
        b"{} {}",
        b"[1,]",
        b'{"a": 1,}',
        b"{'a': 1}",
        b"// no\n{}",
        b'"line\nbreak"',
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "\\u0061": 2}',
        b'[{"x": {"a": 1, "b": 2, "a": 1}}]',
        b'"\\ud800"',
        b'"\\ude00\\ud83d"',
        b'{"\\udfff": 1}',
        b"9223372036854775808",
        b"-9223372036854775809",
        b"18446744073709551616",
        b"[" + b"9" * 5000 + b"]",
        b"-" + b"9" * 5000,
        b"01",
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b'[{"a":' * 33 + b"1" + b"}]" * 33,
        b"[" * 1500 + b"]" * 1500,
        b"[" * MIB,
        b'{"a":' * (MIB // 5),
        b"]" * MIB,
        b'"' * MIB,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_sec_44_t6_refuses(body):
    with pytest.raises(MalformedJSON):
        loads(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"0.1234567890123456789012345", 0.1234567890123456789012345),
        (b"1e22", 1e22),
        (b'"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        (b'"\\u0000"', "\0"),
        (b'{"a": {"b": 1}, "c": {"b": 1}}', {"a": {"b": 1}, "c": {"b": 1}}),
        (
            b'["99999999999999999999", "{\\"a\\": 1, \\"a\\": 2}"]',
            ["99999999999999999999", '{"a": 1, "a": 2}'],
        ),
        (b"[" + b"[]," * 100 + b"{}]", [[]] * 100 + [{}]),
        (b"[" * 64 + b"]" * 64, json.loads("[" * 64 + "]" * 64)),
        (b' {"a" : [ ] }\r\n', {"a": []}),
    ],
    ids=repr,
)
def test_accepts(body, value):
    assert loads(body) == value


def test_the_detail_names_the_place_and_never_the_text():
    with pytest.raises(MalformedJSON) as refused:
        loads(b'{"password":\n "kelp-grips" "the-rock"}')
    assert refused.value.detail == "The body is not valid JSON: see line 2, column 15."
    for secret in (
        b'{"kelp": 1, "kelp": 2}',
        b'{"a": kelp}',
        b'{"kelp": 99999999999999999999}',
        b'"\xffkelp"',
    ):
        with pytest.raises(MalformedJSON) as refused:
            loads(secret)
        assert "kelp" not in refused.value.detail
        assert "999" not in refused.value.detail
        assert refused.value.__suppress_context__ or not refused.value.__context__
    assert isinstance(refused.value, ValueError)
    assert isinstance(refused.value, AppError)


@pytest.mark.parametrize("unit", [b"[],", b'{"a":1},', b'"\\"[",', b"[" * 63 + b"]" * 63 + b","])
def test_a_hostile_megabyte_is_refused_before_it_is_read(unit):
    begin = time.thread_time()
    with pytest.raises(MalformedJSON, match="brackets"):
        loads(b"[" + unit * (MIB // len(unit)) + b"1]")
    assert time.thread_time() - begin < 1


def test_as_many_brackets_as_may_be():
    assert len(loads(b"[" + b"[]," * (MAX_BRACKETS - 2) + b"{}]")) == MAX_BRACKETS - 1
    with pytest.raises(MalformedJSON):
        loads(b"[" + b"[]," * (MAX_BRACKETS - 1) + b"{}]")


@pytest.mark.parametrize("unit", [b"1,", b'"",', b'"\\"",'])
def test_a_hostile_megabyte_without_brackets_costs_little(unit):
    begin = time.thread_time()
    loads(b"[" + unit * (MIB // len(unit)) + b"1]")
    assert time.thread_time() - begin < 20  # a quadratic reader would take minutes


@given(SANE, st.integers(1, 5))
def test_depth_is_counted_as_it_is(value, levels):
    assert _deeper_than(levels, json.dumps(value)) is (depth(value) > levels)


def depth(value):
    if not isinstance(value, list | dict):
        return 0
    return 1 + max(map(depth, value if isinstance(value, list) else value.values()), default=0)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 22, 13, 49, 5, 123_999, UTC), "2026-11-22T13:49:05.123Z"),
        (datetime(2026, 11, 22, 13, 49, 5, 0, UTC), "2026-11-22T13:49:05.000Z"),
        (datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))), "2025-12-31T23:30:00.000Z"),
    ],
)
def test_times_are_rfc_3339_utc_with_milliseconds(moment, text):
    assert json.loads(dumps({"at": [moment]})) == {"at": [text]}


def test_other_plain_values():
    key = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    value = {"id": key, "on": date(2026, 11, 22), "sum": Decimal("1.10"), "word": Code.not_found}
    assert json.loads(dumps(value)) == {
        "id": str(key),
        "on": "2026-11-22",
        "sum": "1.10",
        "word": "not_found",
    }


NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - refused


@pytest.mark.parametrize("value", [NAIVE, object(), {"a": {1}}, {1: "a"}, 2**70, b"x", "\ud800"])
def test_what_has_no_json_form_is_a_programming_error(value):
    with pytest.raises(TypeError):
        dumps(value)


def test_floats_that_json_cannot_hold_become_null():
    assert dumps([math.nan, math.inf]) == b"[null,null]"


class Thing(Schema):
    name = fields.String(required=True)


@pytest.fixture
def app():
    app = Flask(__name__)
    app.json = StrictJSONProvider(app)
    app.register_error_handler(AppError, lambda error: ({"code": error.code, "detail": error.detail}, 400))
    parser = StrictJSONParser()

    @app.post("/args")
    @parser.use_args(Thing)
    def args(thing):
        return thing

    @app.post("/get")
    def get():
        return app.json.response(request.get_json())

    @app.get("/pretty")
    def pretty():
        return app.json.dumps({"b": 1, "a": 2}, indent=2, sort_keys=True)

    return app


def test_flask_reads_and_writes_through_the_provider(app):
    client = app.test_client()
    answer = client.post("/get", json={"a": "ä"})
    assert (answer.status_code, answer.mimetype, answer.data) == (
        200,
        "application/json",
        '{"a":"ä"}'.encode(),
    )
    assert client.post("/get", data=b'{"a": 1, "a": 1}', content_type="application/json").status_code == 400
    assert client.get("/pretty").text == '{\n  "a": 2,\n  "b": 1\n}'


def test_sec_44_arguments_of_a_blueprint_are_read_strictly_too(app):
    client = app.test_client()
    assert client.post("/args", json={"name": "x"}).json == {"name": "x"}
    answer = client.post("/args", data=b'{"name": "x", "name": "y"}', content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_json")
    assert client.post("/args", data=b"[" * MIB, content_type="application/json").status_code == 400
    assert client.post("/args", data=b"name=x", content_type="text/plain").status_code == 422
