"""The content of a resumable upload: in pieces, cut off, too much of it, and what it becomes."""

import hashlib
import io
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.files.service import FileService
from app.uploads.resumable import Resumable
from tests.fixtures.properties import quick
from tests.fixtures.tus import OCTETS, VERSION, text_of

TEXT = text_of(5000)


class Breaks(io.BytesIO):
    """A body whose connection is lost after so many bytes."""

    def read(self, size=-1, /):
        found = super().read(size)
        if not found:
            raise ConnectionResetError
        return found


def is_whole(parts, sql, content):
    """There is one file, and it is that content, in the rows and in the storage."""
    [(size, sha256, key)] = sql("SELECT size, sha256, object_key FROM files")
    kept = b"".join(parts.engines.store.read(key))
    return (size, bytes(sha256), kept) == (len(content), hashlib.sha256(content).digest(), content)


def test_one_request_may_bring_all_of_it(tus, alice, reef, parts, sql, room, stored, sweep):
    path = tus.begins(len(TEXT))
    answer = tus.append(path, 0, TEXT)
    assert answer.status_code == 204
    assert answer.headers["Upload-Offset"] == "5000"
    file = alice.get(f"/projects/{reef.id}/files/{tus.file_of(path)}").json
    assert (file["name"], file["size"]) == ("reef.txt", 5000)
    assert file["sha256"] == hashlib.sha256(TEXT).hexdigest()
    assert alice.get(f"/projects/{reef.id}/files/{file['id']}/content").get_data() == TEXT
    assert room(reef) == (1, 5000, 0)
    sweep()
    assert is_whole(parts, sql, TEXT)
    assert len(stored()) == 1


def test_several_requests_may_bring_it(tus, parts, sql, reef, room, stored, sweep, rows):
    path = tus.begins(len(TEXT))
    for start, end in ((0, 1), (1, 3000), (3000, 4999)):
        answer = tus.append(path, start, TEXT[start:end])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(end))
        assert tus.offset(path) == end
        assert tus.file_of(path) is None
        assert room(reef) == (0, 0, 5000)
    assert tus.append(path, 4999, TEXT[4999:]).headers["Upload-Offset"] == "5000"
    assert room(reef) == (1, 5000, 0)
    sweep()
    assert is_whole(parts, sql, TEXT)
    assert rows("upload_segments") == 0
    assert len(stored()) == 1


def test_a_long_request_is_kept_in_segments(tus, parts, sql, small_segments, stored, sweep, rows):
    small_segments(700)
    path = tus.begins(len(TEXT))
    assert tus.append(path, 0, TEXT[:3000]).status_code == 204
    assert rows("upload_segments") == 5
    assert tus.append(path, 3000, TEXT[3000:]).status_code == 204
    sweep()
    assert is_whole(parts, sql, TEXT)
    assert len(stored()) == 1


def test_a_request_without_content_is_no_step(tus):
    path = tus.begins(10)
    answer = tus.append(path, 0, b"")
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "0")
    assert tus.offset(path) == 0


@pytest.mark.parametrize("offset", [0, 999, 1001, 5000, 10**15])
def test_another_offset_is_a_conflict(tus, offset):
    path = tus.begins(len(TEXT))
    tus.append(path, 0, TEXT[:1000])
    answer = tus.append(path, offset, TEXT[offset:])
    assert (answer.status_code, answer.json["code"]) == (409, "write_conflict")
    assert tus.offset(path) == 1000


@pytest.mark.parametrize("offset", [None, "", "-1", "1.0", "zero"])
def test_an_offset_is_a_whole_number(tus, offset):
    path = tus.begins(10)
    sent = {**VERSION, "Content-Type": OCTETS} | ({} if offset is None else {"Upload-Offset": offset})
    assert tus.person.patch(path, headers=sent, data=b"0123456789").status_code == 422
    assert tus.offset(path) == 0


@pytest.mark.parametrize("kind", ["application/octet-stream", "text/plain", "application/json", ""])
def test_only_the_protocols_own_type_is_taken(tus, kind):
    path = tus.begins(10)
    answer = tus.append(path, 0, b"0123456789", headers={"Content-Type": kind})
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")
    assert tus.offset(path) == 0


def chunked(content):
    return {"input_stream": io.BytesIO(content), "environ_overrides": {"HTTP_TRANSFER_ENCODING": "chunked"}}


def test_a_body_that_does_not_tell_its_length_is_taken(tus, parts, sql):
    path = tus.begins(len(TEXT))
    assert tus.append(path, 0, None, **chunked(TEXT[:2000])).status_code == 204
    assert tus.append(path, 2000, None, **chunked(TEXT[2000:])).status_code == 204
    assert is_whole(parts, sql, TEXT)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("begun", [0, 2500])
def test_more_than_was_announced_is_refused_and_not_kept(
    tus, parts, sql, reef, room, rows, sweep, stored, small_segments, told, begun
):
    small_segments(2000)
    path = tus.begins(len(TEXT))
    tus.append(path, 0, TEXT[:begun])
    body = {"content": TEXT[begun:] + b"!"} if told else {"content": None, **chunked(TEXT[begun:] + b"!")}
    answer = tus.append(path, begun, **body)
    assert (answer.status_code, answer.json["code"]) == (413, "file_too_large")
    assert rows("files") == 0
    assert room(reef) == (0, 0, 5000)
    offset = tus.offset(path)
    assert begun <= offset < 5000
    sweep()
    assert len(stored()) == rows("upload_segments")
    assert tus.append(path, offset, TEXT[offset:]).status_code == 204
    assert is_whole(parts, sql, TEXT)


def test_what_arrives_after_the_end_is_refused(tus, alice, reef):
    path = tus.begins(len(TEXT))
    tus.append(path, 0, TEXT)
    assert tus.append(path, 5000, b"").status_code == 204
    assert tus.append(path, 5000, b"!").status_code == 413
    assert alice.get(f"/projects/{reef.id}/files/{tus.file_of(path)}").json["size"] == 5000


@pytest.mark.parametrize("arrived", [0, 1, 700, 701, 4999])
def test_what_arrived_before_the_connection_was_lost_is_kept(
    tus, parts, sql, small_segments, arrived, room, reef
):
    small_segments(700)
    path = tus.begins(len(TEXT))
    lost = {"input_stream": Breaks(TEXT[:arrived]), "environ_overrides": {"CONTENT_LENGTH": "5000"}}
    assert tus.append(path, 0, None, **lost).status_code == 400
    assert tus.offset(path) == arrived
    assert room(reef) == (0, 0, 5000)
    assert tus.append(path, arrived, TEXT[arrived:]).status_code == 204
    assert is_whole(parts, sql, TEXT)


def test_a_body_that_ends_early_is_kept_as_far_as_it_came(tus):
    path = tus.begins(len(TEXT))
    short = {"input_stream": io.BytesIO(TEXT[:123]), "environ_overrides": {"CONTENT_LENGTH": "5000"}}
    assert tus.append(path, 0, None, **short).status_code == 400
    assert tus.offset(path) == 123


def test_sec_46_content_that_is_not_what_its_name_says_ends_the_upload(tus, reef, room, rows, stored, sweep):
    for size in (3, 5000):
        path = tus.begins(5000, "reef.png")
        for start in range(0, 5000, size * 800):
            answer = tus.append(path, start, TEXT[start : start + size * 800])
        assert (answer.status_code, answer.json["code"]) == (415, "file_type_not_allowed")
        assert tus.head(path).status_code == 404
        assert room(reef) == (0, 0, 0)
        assert rows("files") == rows("uploads") == rows("upload_segments") == 0
        sweep()
        assert stored() == set()
        assert rows("doomed_objects") == 0


def test_sec_46_the_type_that_was_announced_must_be_the_contents(tus, rows):
    path = tus.begins(4, Upload_Metadata="filename cmVlZi50eHQ=,filetype aW1hZ2UvcG5n")
    assert tus.append(path, 0, b"kelp").status_code == 415
    assert rows("uploads") == 0


@settings(quick, max_examples=25)
@given(cuts=st.sets(st.integers(1, 999), max_size=6), segment=st.integers(100, 1000))
def test_however_it_is_cut_it_is_the_same_file(parts, alice, reef, cuts, segment, small_segments):
    small_segments(segment)
    service, files, content = parts.services[Resumable], parts.services[FileService], text_of(1000)
    upload = service.create(alice.actor, reef.id, 1000, "reef.txt", None)
    for start, end in pairwise([0, *sorted(cuts), 1000]):
        upload = service.append(alice.actor, reef.id, upload.id, start, iter([content[start:end]]))
        assert upload.offset == end
    file = files.find(alice.actor, reef.id, upload.file_id)
    assert (file.size, file.sha256) == (1000, hashlib.sha256(content).digest())
    assert b"".join(parts.engines.store.read(file.object_key)) == content
