"""D14 with real processes and a real signal: a worker of gunicorn is killed while content arrives."""

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from app.core.objects import Objects
from tests.fixtures.gunicorn_process import request, until
from tests.fixtures.holdfast_process import headed
from tests.fixtures.tus import OCTETS, metadata, text_of

TEXT = text_of(900_000)


@pytest.fixture(autouse=True)
def nothing_half_done(parts):
    """A killed writer leaves what it had begun; other tests need not see it."""
    yield
    parts.engines.store.sweep_unfinished(parts.clock.now() + timedelta(days=1))


def kills_the_worker(server):
    """Signal 9 to the only child of the master; another one takes its place."""
    master = server.process.pid
    listed = Path(f"/proc/{master}/task/{master}/children")
    [worker] = listed.read_text().split()
    os.kill(int(worker), signal.SIGKILL)
    until(lambda: set(listed.read_text().split()) - {worker}, "another worker")


def is_writing(settings):
    """Whether something is on its way into the storage."""
    return any(entry.stat().st_size for entry in (settings.storage_dir / "incoming").glob("*"))


def test_d14_a_worker_that_is_killed_in_the_middle_of_a_form_leaves_nothing(
    holdfast, settings, alice, reef, parts, rows, room, stored, sweep, advance, is_sound
):
    head = b'--sea\r\nContent-Disposition: form-data; name="file"; filename="reef.txt"\r\n\r\n'
    length = len(head) + len(TEXT) + len(b"\r\n--sea--\r\n")
    sent = headed(alice, "Content-Type: multipart/form-data; boundary=sea", f"Content-Length: {length}")
    with holdfast.connect() as client:
        client.send(request("POST", f"/api/v1/projects/{reef.id}/files", *sent, body=head + TEXT[:850_000]))
        until(lambda: is_writing(settings), "the content arrives", 20)
        assert (rows("files"), rows("uploads")) == (0, 1)
        kills_the_worker(holdfast)
    assert (rows("files"), stored()) == (0, set())
    assert room(reef)[:2] == (0, 0)
    assert len(TEXT) <= room(reef)[2] <= length
    is_sound()
    advance(minutes=5)
    sweep()
    assert (rows("uploads"), rows("doomed_objects"), room(reef)) == (0, 0, (0, 0, 0))
    advance(hours=1)
    parts.services[Objects].sweep_unfinished()
    assert not is_writing(settings)


def test_d14_a_resumable_upload_goes_on_after_its_worker_was_killed(
    holdfast, settings, alice, reef, tus, rows, room, sweep, stored, is_sound, sql, parts
):
    sent = headed(
        alice, "Tus-Resumable: 1.0.0", f"Upload-Length: {len(TEXT)}", f"Upload-Metadata: {metadata(filename='reef.txt')}",
        "Content-Length: 0",
    )  # fmt: skip
    answer = holdfast.ask(request("POST", f"/api/v1/projects/{reef.id}/tus", *sent))
    assert answer.status == 201, answer.body
    path = answer.headers["location"]

    def patch(offset, length, content):
        told = (f"Upload-Offset: {offset}", f"Content-Type: {OCTETS}", f"Content-Length: {length}")
        return request("PATCH", path, *headed(alice, "Tus-Resumable: 1.0.0", *told), body=content)

    assert holdfast.ask(patch(0, 1000, TEXT[:1000])).status == 204
    with holdfast.connect() as client:
        client.send(patch(1000, len(TEXT) - 1000, TEXT[1000:850_000]))
        until(lambda: is_writing(settings), "the content arrives")
        kills_the_worker(holdfast)
    assert (rows("files"), room(reef)) == (0, (0, 0, len(TEXT)))
    is_sound()
    offset = tus.offset(path.removeprefix("/api/v1"))
    assert offset == 1000
    assert holdfast.ask(patch(offset, len(TEXT) - offset, TEXT[offset:])).status == 204
    assert room(reef) == (1, len(TEXT), 0)
    sweep()
    is_sound()
    [(key,)] = sql("SELECT object_key FROM files")
    assert b"".join(parts.engines.store.read(key)) == TEXT
