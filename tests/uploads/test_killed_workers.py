"""D14 with real processes and a real signal: a worker of gunicorn is killed while content arrives."""

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from app.core.objects import Objects
from tests.fixtures.gunicorn_process import ROOT, request, started, until
from tests.fixtures.settings import KEYS
from tests.fixtures.tus import OCTETS, metadata, text_of

TEXT = text_of(900_000)


@pytest.fixture(autouse=True)
def nothing_half_done(parts):
    """A killed writer leaves what it had begun; other tests need not see it."""
    yield
    parts.engines.store.sweep_unfinished(parts.clock.now() + timedelta(days=1))


@pytest.fixture
def service(settings, app, tmp_path):
    """gunicorn with one worker on this test's database and storage."""
    env = {
        "APP_ENV": "test",
        "HOLDFAST_ENV_FILE": "/nowhere",
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "MIGRATION_DATABASE_URL": settings.migration_database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "PUBLIC_URL": "http://localhost:8000",
        "MAILBOX_DIR": str(settings.mailbox_dir),
        "STORAGE_DIR": str(settings.storage_dir),
        "TRUSTED_HOSTS": "test",
        "BCRYPT_COST": "4",
        "WORKERS": "1",
        "THREADS": "4",
        **{name.upper(): value for name, value in KEYS.items()},
    }
    with started(tmp_path, ROOT / "gunicorn.conf.py", env, app="wsgi:app", ready=is_alive) as server:
        yield server


def is_alive(server):
    return server.get("/livez").status == 200


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


def headed(person, *more):
    return (f"Authorization: Bearer {person.token}", *more)


def test_d14_a_worker_that_is_killed_in_the_middle_of_a_form_leaves_nothing(
    service, settings, alice, reef, parts, rows, room, stored, sweep, advance, is_sound
):
    head = b'--sea\r\nContent-Disposition: form-data; name="file"; filename="reef.txt"\r\n\r\n'
    length = len(head) + len(TEXT) + len(b"\r\n--sea--\r\n")
    sent = headed(alice, "Content-Type: multipart/form-data; boundary=sea", f"Content-Length: {length}")
    with service.connect() as client:
        client.send(request("POST", f"/api/v1/projects/{reef.id}/files", *sent, body=head + TEXT[:850_000]))
        until(lambda: is_writing(settings), "the content arrives", 20)
        assert (rows("files"), rows("uploads")) == (0, 1)
        kills_the_worker(service)
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
    service, settings, alice, reef, tus, rows, room, sweep, stored, is_sound, sql, parts
):
    sent = headed(
        alice, "Tus-Resumable: 1.0.0", f"Upload-Length: {len(TEXT)}", f"Upload-Metadata: {metadata(filename='reef.txt')}",
        "Content-Length: 0",
    )  # fmt: skip
    answer = service.ask(request("POST", f"/api/v1/projects/{reef.id}/tus", *sent))
    assert answer.status == 201, answer.body
    path = answer.headers["location"]

    def patch(offset, length, content):
        told = (f"Upload-Offset: {offset}", f"Content-Type: {OCTETS}", f"Content-Length: {length}")
        return request("PATCH", path, *headed(alice, "Tus-Resumable: 1.0.0", *told), body=content)

    assert service.ask(patch(0, 1000, TEXT[:1000])).status == 204
    with service.connect() as client:
        client.send(patch(1000, len(TEXT) - 1000, TEXT[1000:850_000]))
        until(lambda: is_writing(settings), "the content arrives")
        kills_the_worker(service)
    assert (rows("files"), room(reef)) == (0, (0, 0, len(TEXT)))
    is_sound()
    offset = tus.offset(path.removeprefix("/api/v1"))
    assert offset == 1000
    assert service.ask(patch(offset, len(TEXT) - offset, TEXT[offset:])).status == 204
    assert room(reef) == (1, len(TEXT), 0)
    sweep()
    is_sound()
    [(key,)] = sql("SELECT object_key FROM files")
    assert b"".join(parts.engines.store.read(key)) == TEXT
