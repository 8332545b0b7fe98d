"""How a resumable upload ends other than well, and what happens to it on its way."""

import io
import threading

import pytest

from app.core.storage.interface import storage_unavailable
from app.members.service import MemberService
from tests.fixtures.tus import OCTETS, VERSION, Tus, text_of

TEXT = text_of(5000)


class Stalls(io.BytesIO):
    """A body that stops after its first part until it is told to go on."""

    def __init__(self, first, rest):
        super().__init__(first)
        self.begun, self.goes_on, self._rest = threading.Event(), threading.Event(), rest

    def read(self, size=-1, /):
        found = super().read(size)
        if not found and self._rest:
            self.begun.set()
            assert self.goes_on.wait(60)
            found, self._rest = self._rest, b""
        return found


@pytest.fixture
def is_clean(room, rows, stored, sweep):
    """Nothing visible, nothing counted, nothing left."""

    def check(project):
        sweep()
        left = {table: rows(table) for table in ("files", "uploads", "upload_segments", "doomed_objects")}
        return room(project) == (0, 0, 0) and not stored() and not any(left.values())

    return check


@pytest.fixture
def stalled(tus):
    """``stalled(path, content, first)``: a request in a thread that has sent so much of its content and no more."""
    threads = []

    def begin(path, offset, first, rest):
        body, answers = Stalls(first, rest), []
        other = tus.person.signs_in_again()
        sent = {**VERSION, "Upload-Offset": str(offset), "Content-Type": OCTETS}
        chunked = {"HTTP_TRANSFER_ENCODING": "chunked"}

        def send():
            answers.append(other.patch(path, headers=sent, input_stream=body, environ_overrides=chunked))

        threads.append((threading.Thread(target=send, daemon=True), body))
        threads[-1][0].start()
        assert body.begun.wait(60)

        def end():
            body.goes_on.set()
            threads[-1][0].join(60)
            return answers[0]

        return end

    yield begin
    for thread, body in threads:
        body.goes_on.set()
        thread.join(60)


def test_a_newer_request_takes_over_and_the_older_one_writes_nothing_any_more(
    tus, stalled, parts, sql, sweep, stored
):
    path = tus.begins(len(TEXT))
    end = stalled(path, 0, TEXT[:100], b"x" * 200)
    assert tus.append(path, 0, TEXT[:1000]).status_code == 204
    answer = end()
    assert (answer.status_code, answer.json["code"]) == (409, "write_conflict")
    assert tus.offset(path) == 1000
    assert tus.append(path, 1000, TEXT[1000:]).status_code == 204
    sweep()
    [(key,)] = sql("SELECT object_key FROM files")
    assert b"".join(parts.engines.store.read(key)) == TEXT
    assert stored() == {key}


def test_an_older_request_that_ends_last_neither_completes_nor_ends_the_upload(
    tus, stalled, rows, stored, sweep
):
    path = tus.begins(5000, "reef.txt")
    end = stalled(path, 0, b"\x00" * 100, b"\x00" * 4900)
    assert tus.append(path, 0, TEXT[:1000]).status_code == 204
    assert end().status_code in {409, 415}
    assert rows("files") == 0
    assert tus.offset(path) == 1000
    sweep()
    assert len(stored()) == 1
    assert tus.append(path, 1000, TEXT[1000:]).status_code == 204
    assert rows("files") == 1


def test_an_older_request_makes_no_second_file(tus, stalled, rows, room, reef, stored, sweep):
    path = tus.begins(5000)
    end = stalled(path, 0, TEXT[:100], TEXT[100:])
    assert tus.append(path, 0, TEXT).status_code == 204
    assert end().status_code == 409
    assert rows("files") == 1
    assert room(reef) == (1, 5000, 0)
    sweep()
    assert len(stored()) == 1


def test_an_upload_can_be_ended(tus, reef, is_clean):
    path = tus.begins(5000)
    tus.append(path, 0, TEXT[:3000])
    assert tus.ends(path).status_code == 204
    for answer in (tus.head(path), tus.ends(path), tus.append(path, 3000, TEXT[3000:])):
        assert answer.status_code == 404
    assert is_clean(reef)


def test_an_end_while_content_arrives_is_an_end(tus, stalled, reef, is_clean):
    path = tus.begins(5000)
    end = stalled(path, 0, TEXT[:100], TEXT[100:])
    assert tus.ends(path).status_code == 204
    assert end().status_code == 404
    assert is_clean(reef)


def test_the_file_stays_when_its_upload_is_ended(tus, alice, reef, sweep, stored):
    path = tus.begins(5000)
    tus.append(path, 0, TEXT)
    file = f"/projects/{reef.id}/files/{tus.file_of(path)}"
    assert tus.ends(path).status_code == 204
    assert tus.head(path).status_code == 404
    sweep()
    assert alice.get(f"{file}/content").get_data() == TEXT


def test_an_upload_that_takes_too_long_expires(tus, advance, reef, room, is_clean, alice):
    path = tus.begins(5000)
    tus.append(path, 0, TEXT[:3000])
    advance(hours=23, minutes=59)
    assert Tus(alice.signs_in_again(), reef).offset(path) == 3000
    advance(minutes=1)
    late = Tus(alice.signs_in_again(), reef)
    for answer in (
        late.head(path),
        late.person.get(path),
        late.append(path, 3000, TEXT[3000:]),
        late.ends(path),
    ):
        assert answer.status_code == 404
    assert room(reef) == (0, 0, 5000)
    assert is_clean(reef)


def test_an_upload_that_expires_while_content_arrives_comes_to_nothing(
    tus, stalled, advance, reef, is_clean, sweep
):
    path = tus.begins(5000)
    tus.append(path, 0, TEXT[:1000])
    end = stalled(path, 1000, TEXT[1000:1100], TEXT[1100:])
    advance(hours=25)
    sweep()
    assert end().status_code == 404
    assert is_clean(reef)


def test_the_upload_of_a_file_leads_to_it_for_a_day_and_takes_nothing_along(
    tus, advance, reef, alice, sweep, stored, rows
):
    path = tus.begins(5000)
    tus.append(path, 0, TEXT)
    file = f"/projects/{reef.id}/files/{tus.file_of(path)}"
    advance(hours=24)
    sweep()
    assert rows("uploads") == 0
    later = alice.signs_in_again()
    assert later.get(path).status_code == 404
    assert later.get(f"{file}/content").get_data() == TEXT
    assert len(stored()) == 1


@pytest.mark.parametrize("segments", [1, 3])
def test_a_project_that_is_archived_meanwhile_takes_no_file(
    tus, stalled, reef, alice, projects, rows, segments, small_segments
):
    small_segments(5000 // segments)
    path = tus.begins(5000)
    end = stalled(path, 0, TEXT[:100], TEXT[100:])
    projects.archive(alice.actor, reef.id)
    answer = end()
    assert (answer.status_code, answer.json["code"]) == (409, "project_archived")
    assert rows("files") == 0
    assert tus.append(path, 0, TEXT).json["code"] == "project_archived"
    projects.unarchive(alice.actor, reef.id)
    offset = tus.offset(path)
    assert tus.append(path, offset, TEXT[offset:]).status_code == 204
    assert rows("files") == 1


def test_sec_42_a_member_who_is_removed_meanwhile_adds_no_file(bob, alice, reef, joins, parts, rows):
    joins(bob, reef, "editor")
    tus = Tus(bob, reef)
    path = tus.begins(5000)
    tus.append(path, 0, TEXT[:1000])
    parts.services[MemberService].remove(alice.actor, reef.id, bob.user.id)
    assert tus.append(path, 1000, TEXT[1000:]).status_code == 404
    assert tus.head(path).status_code == 404
    assert rows("files") == 0


def test_the_room_of_an_upload_whose_maker_was_removed_is_free_when_it_expires(
    bob, alice, reef, joins, parts, advance, is_clean
):
    joins(bob, reef, "editor")
    tus = Tus(bob, reef)
    path = tus.begins(5000)
    tus.append(path, 0, TEXT[:1000])
    parts.services[MemberService].remove(alice.actor, reef.id, bob.user.id)
    advance(hours=24)
    assert is_clean(reef)


def test_d14_a_storage_that_fails_at_the_end_does_not_cost_the_upload(
    tus, parts, monkeypatch, rows, reef, room
):
    """What was kept stays; the client goes on when the storage is back."""
    path = tus.begins(5000)
    tus.append(path, 0, TEXT[:3000])
    store = parts.engines.store
    with monkeypatch.context() as patch:
        patch.setattr(type(store), "read", lambda *_: (_ for _ in ()).throw(storage_unavailable()))
        answer = tus.append(path, 3000, TEXT[3000:])
        assert (answer.status_code, answer.json["code"]) == (503, "storage_unavailable")
    assert (rows("files"), room(reef)) == (0, (0, 0, 5000))
    assert tus.offset(path) == 3000
    assert tus.append(path, 3000, TEXT[3000:]).status_code == 204


def test_an_upload_that_ends_while_it_is_put_together_is_not_found(
    tus, parts, monkeypatch, reef, is_clean, sweep
):
    path = tus.begins(5000)
    tus.append(path, 0, TEXT[:3000])
    store = parts.engines.store
    read, other = type(store).read, tus.person.signs_in_again()

    def ends_first(*arguments):
        if other.delete(path, headers=VERSION).status_code == 204:
            sweep()
        return read(*arguments)

    monkeypatch.setattr(type(store), "read", ends_first)
    assert tus.append(path, 3000, TEXT[3000:]).status_code == 404
    assert is_clean(reef)
