"""Handing a copy out: to its owner alone, whole, never kept on the way."""

import hashlib
import re
from urllib.parse import unquote
from uuid import UUID

import pytest

from app.core.access import Client
from app.core.ids import new_id
from app.exports.archive import PIECE
from app.exports.service import ExportService
from tests.exports.conftest import unpacked
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


def test_it_is_handed_out_in_pieces_each_read_by_itself(alice, plant, asks, do_jobs, parts, sql, statements):
    plant(alice, [hashlib.sha256(b"%d" % number).hexdigest() * 3 for number in range(9_000)])
    export = asks(alice)
    do_jobs()
    sizes = [row[0] for row in sql("SELECT length(data) FROM export_parts ORDER BY number")]
    assert len(sizes) > 1
    assert set(sizes[:-1]) == {PIECE}
    with statements() as sent:
        answer = alice.get(f"/me/exports/{export['id']}/content")
        assert len(answer.get_data()) == sum(sizes)
    assert sent.count("SELECT export_parts") == len(sizes)
    assert len(unpacked(answer.get_data())["projects.json"]["items"]) == 9_000


def test_a_copy_that_goes_while_it_is_read_is_cut_and_not_filled_up(alice, ready, parts, sql):
    export_id = re.search(r"[0-9a-f-]{36}", ready)[0]
    found = parts.services[ExportService].download(alice.actor, UUID(export_id), Client("203.0.113.7"))
    sql("DELETE FROM exports")
    assert sum(map(len, found.pieces)) < found.size


def test_sec_57_the_trail_names_no_content(alice, ready, sql):
    alice.get(ready)
    assert alice.email not in repr(sql("SELECT t::text FROM audit_events t"))
