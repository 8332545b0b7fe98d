"""Handing a copy out: to its owner alone, whole, never kept on the way."""

import hashlib
import re
import secrets
from urllib.parse import unquote
from uuid import UUID

import pytest

from app.core.ids import new_id
from app.core.storage.interface import ObjectMissingError
from app.exports.contents import PART, ExportContents
from tests.fixtures.accounts import code_of


@pytest.fixture
def ready(alice, asks, do_jobs):
    """The address of a copy that Alice can download."""
    export = asks(alice)
    do_jobs()
    return f"/me/exports/{export['id']}/content"


def test_its_headers(alice, ready, sql):
    answer = alice.get(ready)
    assert answer.content_type == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert int(answer.headers["Content-Length"]) == len(answer.get_data())
    assert answer.headers["ETag"].strip('"') == hashlib.sha256(answer.get_data()).hexdigest()
    found = re.fullmatch(
        r"""attachment; filename="(export-[0-9-]+\.zip)"; filename\*=UTF-8''([A-Za-z0-9%._-]+)""",
        answer.headers["Content-Disposition"],
    )
    assert unquote(found[2]).startswith("Holdfast 20")
    assert sql("SELECT count(*) FROM audit_events WHERE kind = 'export.downloaded'") == [(1,)]


def test_a_name_that_is_not_ascii_is_told_both_ways(alice, ready, make_app):
    other = alice.signs_in_again(make_app(product_name='Tång "& Co"'))
    told = other.get(ready).headers["Content-Disposition"]
    assert told.isascii()
    assert unquote(told.partition("UTF-8''")[2]).startswith('Tång "& Co" 20')


def test_who_has_it_already_gets_304(alice, ready, sql):
    tag = alice.get(ready).headers["ETag"]
    answer = alice.get(ready, headers={"If-None-Match": tag})
    assert (answer.status_code, answer.get_data()) == (304, b"")
    assert sql("SELECT count(*) FROM audit_events WHERE kind = 'export.downloaded'") == [(1,)]


def test_looking_is_no_download(alice, ready, sql):
    answer = alice.http.head(f"/api/v1{ready}", headers={"Authorization": f"Bearer {alice.token}"})
    assert (answer.status_code, answer.get_data()) == (200, b"")
    assert sql("SELECT count(*) FROM audit_events WHERE kind = 'export.downloaded'") == [(0,)]


def test_d14_a_lost_one_is_unavailable_to_who_looks_too(alice, ready, parts, sql):
    parts.engines.store.delete(sql("SELECT object_key FROM exports")[0][0])
    assert code_of(alice.get(ready)) == (503, "storage_unavailable")
    assert alice.open("HEAD", ready).status_code == 503
    assert downloads(sql) == 0, "nothing went out"


def test_sec_39_for_others_it_does_not_exist(alice, bob, ada, ready):
    for path in (ready, ready.removesuffix("/content")):
        for person in (bob, ada):
            answer = person.get(path)
            unknown = person.get(f"/me/exports/{new_id()}")
            assert code_of(answer) == (404, "not_found")
            assert answer.json["detail"] == unknown.json["detail"]


def test_no_api_token_reads_it(alice, ready, script):
    assert code_of(script(alice, "read", "write").get(ready)) == (403, "forbidden")


def test_one_that_is_not_ready_cannot_be_downloaded(alice, asks):
    export = asks(alice)
    assert code_of(alice.get(f"/me/exports/{export['id']}/content")) == (409, "write_conflict")


def downloads(sql):
    return sql("SELECT count(*) FROM audit_events WHERE kind = 'export.downloaded'")[0][0]


def test_one_goes_on_where_it_was_cut_off_and_the_trail_has_one_download(alice, ready, sql):
    whole = alice.get(ready)
    data, tag = whole.get_data(), whole.headers["ETag"]
    rest = alice.get(ready, headers={"Range": "bytes=100-", "If-Range": tag})
    assert (rest.status_code, rest.get_data()) == (206, data[100:])
    assert rest.headers["Content-Range"] == f"bytes 100-{len(data) - 1}/{len(data)}"
    assert rest.headers["Cache-Control"] == "no-store"
    assert rest.headers["Content-Disposition"].startswith("attachment;")
    assert downloads(sql) == 1
    assert alice.get(ready, headers={"Range": "bytes=0-9"}).get_data() == data[:10]
    assert downloads(sql) == 2, "from the beginning is another one"


def test_sec_58_who_begins_in_the_middle_stands_in_the_trail_too(alice, ready, sql):
    """All but its first byte is a copy of somebody's data."""
    whole = alice.get(ready).get_data()
    other = alice.signs_in_again()
    for start in (1, len(whole) - 1, 1):
        part = other.get(ready, headers={"Range": f"bytes={start}-"})
        assert (part.status_code, part.get_data()) == (206, whole[start:])
    assert downloads(sql) == 2, "once of each session"
    told = sql(
        "SELECT data->>'export_id', data->>'session_id' FROM audit_events WHERE kind = 'export.downloaded'"
    )
    assert {place for place, _session in told} == {ready.split("/")[3]}
    assert len({session for _place, session in told}) == 2


def test_of_another_copy_nobody_gets_the_rest(alice, ready):
    answer = alice.get(ready, headers={"Range": "bytes=100-", "If-Range": '"another"'})
    assert answer.status_code == 200
    assert answer.get_data()[:2] == b"PK"


def test_beyond_its_end_there_is_nothing(alice, ready, sql):
    answer = alice.get(ready, headers={"Range": "bytes=99999999-"})
    assert code_of(answer) == (416, "range_not_satisfiable")
    assert downloads(sql) == 0


def test_a_copy_of_before_there_was_storage_can_still_be_downloaded(alice, in_parts, statements, sql):
    """Part by part, each read by itself, and from anywhere."""
    data = secrets.token_bytes(2 * PART + 1_000)
    place = in_parts(alice, data)
    with statements() as sent:
        answer = alice.get(place)
        assert answer.get_data() == data
    assert sent.count("SELECT export_parts") == 3
    assert answer.headers["ETag"].strip('"') == hashlib.sha256(data).hexdigest()
    for start, end in ((PART - 5, PART + 5), (PART, 2 * PART - 1), (2 * PART + 990, 2 * PART + 999)):
        part = alice.get(place, headers={"Range": f"bytes={start}-{end}"})
        assert (part.status_code, part.get_data()) == (206, data[start : end + 1])
    assert downloads(sql) == 1


def test_one_that_goes_while_it_is_read_ends_in_an_error_and_never_looks_whole(alice, in_parts, parts, sql):
    place = in_parts(alice, bytes(PART + 1))
    export_id = re.search(r"[0-9a-f-]{36}", place)[0]
    found = parts.services[ExportContents].whole(alice.actor, UUID(export_id))
    sql("DELETE FROM exports")
    with pytest.raises(ObjectMissingError):
        list(found.read(0, found.size))


def test_sec_57_the_trail_names_no_content(alice, ready, sql):
    alice.get(ready)
    assert alice.email not in repr(sql("SELECT t::text FROM audit_events t"))
