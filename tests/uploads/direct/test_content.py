"""Uploads that go straight to the storage: a signed request, the content, and what becomes of it (SEC-46)."""

import hashlib

import pytest

from app.uploads.direct import STILL_SENDING, TIME_TO_SEND
from tests.fixtures.direct import TEXT, begins, completes, sends

SPENT = TIME_TO_SEND + STILL_SENDING


def test_what_was_announced_is_sent_and_becomes_a_file(alice, reef, uploads, room, stored):
    started = begins(alice, uploads)
    assert started["method"] == "PUT"
    assert started["headers"]["Content-Length"] == "5000"
    assert room(reef) == (0, 0, 5000)
    assert sends(started, TEXT) == 200
    answer = completes(alice, uploads, started)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/projects/{reef.id}/files/{answer.json['id']}"
    assert (answer.json["size"], answer.json["sha256"]) == (5000, hashlib.sha256(TEXT).hexdigest())
    assert room(reef) == (1, 5000, 0)
    assert len(stored()) == 1


def test_before_the_content_is_there_nothing_is_complete(alice, reef, uploads, room):
    started = begins(alice, uploads)
    for _ in range(2):
        answer = completes(alice, uploads, started)
        assert (answer.status_code, answer.json["code"]) == (409, "upload_incomplete")
    assert room(reef) == (0, 0, 5000)
    assert sends(started, TEXT) == 200
    assert completes(alice, uploads, started).status_code == 201


@pytest.mark.parametrize("sent", [TEXT[:-1], TEXT + b"!", b"x" * 5000])
@pytest.mark.parametrize("lies", [False, True])
def test_other_content_comes_to_nothing(alice, reef, uploads, room, rows, stored, sweep, advance, sent, lies):
    """Also where the client tells the storage the announced checksum, and that believes it."""
    started = begins(alice, uploads)
    told = {"Content_Length": str(len(sent)), "x_amz_meta_sha256": hashlib.sha256(TEXT).hexdigest()}
    checksum = {} if lies else {"x-amz-checksum-sha256": None}
    assert sends({**started, "headers": {**started["headers"], **checksum}}, sent, **told) == 200
    answer = completes(alice, uploads, started)
    assert (answer.status_code, answer.json["code"]) == (422, "checksum_mismatch")
    assert (rows("files"), rows("uploads"), room(reef)) == (0, 0, (0, 0, 0))
    sweep()
    assert stored() == set()
    assert completes(alice, uploads, started).status_code == 404


def test_completing_twice_gives_the_same_file(alice, uploads, rows):
    started = begins(alice, uploads)
    sends(started, TEXT)
    first, second = completes(alice, uploads, started), completes(alice, uploads, started)
    assert first.status_code == second.status_code == 201
    assert first.json["id"] == second.json["id"]
    assert rows("files") == 1


def test_completing_at_once_makes_one_file(alice, reef, uploads, at_once, rows, room, sweep, stored):
    started = begins(alice, uploads)
    sends(started, TEXT)
    people = [alice.signs_in_again() for _ in range(4)]
    answers = at_once(4, lambda number: completes(people[number], uploads, started))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json["id"] for answer in answers}) == rows("files") == 1
    assert room(reef) == (1, 5000, 0)
    sweep()
    assert len(stored()) == 1


def test_sec_46_what_is_sent_after_the_end_changes_no_file_and_is_found(
    alice, reef, uploads, advance, sweep, stored, unknown_objects
):
    started = begins(alice, uploads)
    sends(started, TEXT)
    file = completes(alice, uploads, started).json
    sweep()
    kept = stored()
    assert len(kept) == 1
    assert sends(started, b"x" * 5000) == 200  # the signed request is good for an hour
    assert len(stored()) == 2
    assert unknown_objects() == set()
    assert alice.get(f"/projects/{reef.id}/files/{file['id']}/content").get_data() == TEXT
    advance(seconds=SPENT.total_seconds())
    sweep()
    assert stored() == kept


def test_sec_46_what_is_sent_after_a_refusal_is_found(
    alice, uploads, advance, sweep, stored, unknown_objects
):
    started = begins(alice, uploads, b"\x89PNG no, text")
    sends(started, b"\x89PNG no, text")
    assert completes(alice, uploads, started).status_code == 415
    sweep()
    assert stored() == set()
    sends(started, b"\x89PNG no, text")
    assert unknown_objects() == set()
    advance(seconds=SPENT.total_seconds())
    sweep()
    assert stored() == set()


def test_an_upload_that_is_not_completed_expires(
    alice, reef, uploads, advance, sweep, room, rows, stored, unknown_objects
):
    started = begins(alice, uploads)
    sends(started, TEXT)
    advance(hours=1)
    late = alice.signs_in_again()
    assert completes(late, uploads, started).status_code == 404
    sweep()
    assert (rows("uploads"), room(reef)) == (0, (0, 0, 0))
    assert unknown_objects() == set()
    advance(hours=1)
    sweep()
    assert (stored(), rows("doomed_objects")) == (set(), 0)


def test_one_under_way_is_listed_and_can_be_ended(alice, reef, uploads, room, stored, sweep):
    started = begins(alice, uploads)
    [listed] = alice.get("/me/uploads").json["items"]
    assert (listed["id"], listed["kind"], listed["received"], listed["tus_url"]) == (
        started["upload_id"], "direct", 0, None,
    )  # fmt: skip
    assert alice.delete(f"/me/uploads/{listed['id']}").status_code == 204
    assert alice.get("/me/uploads").json["items"] == []
    assert room(reef) == (0, 0, 0)
    assert completes(alice, uploads, started).status_code == 404
