"""D14: whatever ends a process in the middle of an upload: nothing visible, nothing counted, nothing left for good."""

from dataclasses import dataclass

import pytest
from sqlalchemy import event

from app.uploads.receiving import Receiving
from app.uploads.resumable import Resumable
from tests.fixtures.tus import text_of

TEXT = text_of(300_000)


class DeathError(BaseException):
    """The process is gone: nothing cleans up after this."""


@dataclass
class Sent:
    """A file of a form."""

    filename: str = "reef.txt"
    declared: str | None = None
    least: int = 5000
    most: int | None = 5000

    def pieces(self):
        for at in range(0, 5000, 1000):
            yield TEXT[at : at + 1000]


@pytest.fixture
def dies_at(parts):
    """``dies_at(7, work)``: whether the process died at its 7th step; steps are statements, commits and what the storage does.

    From then on every further step fails too, as it would for one that is gone.
    """
    engine, store = parts.engines.engine, parts.engines.store

    def run(last, work):
        taken = [0]

        def step(*_arguments):
            taken[0] += 1
            if taken[0] > last:
                raise DeathError

        def around(method):
            def counted(*arguments):
                step()
                answer = method(*arguments)
                step()
                return answer

            return counted

        with pytest.MonkeyPatch.context() as patch:
            for name in ("put", "read", "facts", "copy", "delete"):
                patch.setattr(store, name, around(getattr(store, name)))
            for what in ("before_cursor_execute", "commit"):
                event.listen(engine, what, step)
            try:
                work()
            except DeathError:
                engine.dispose()  # its connections are gone with it
                return True
            finally:
                for what in ("before_cursor_execute", "commit"):
                    event.remove(engine, what, step)
        return False

    return run


def in_one_request(parts, actor, project):
    def work():
        receiving = parts.services[Receiving]
        received = receiving.receive(actor, project.id, Sent())
        try:
            receiving.accept(actor, received)
        finally:
            received.settle()

    return work


def in_two_requests(parts, actor, project):
    def work():
        tus = parts.services[Resumable]
        upload = tus.create(actor, project.id, 5000, "reef.txt", None)
        tus.append(actor, project.id, upload.id, 0, iter([TEXT[:3000]]))
        tus.append(actor, project.id, upload.id, 3000, iter([TEXT[3000:5000]]))

    return work


def refused_at_the_end(parts, actor, project):
    def work():
        tus = parts.services[Resumable]
        upload = tus.create(actor, project.id, 4000, "reef.png", None)
        tus.append(actor, project.id, upload.id, 0, iter([TEXT[:3000]]))
        with pytest.raises(Exception, match="Taken are"):
            tus.append(actor, project.id, upload.id, 3000, iter([TEXT[3000:4000]]))

    return work


def ended(parts, actor, project):
    def work():
        tus = parts.services[Resumable]
        upload = tus.create(actor, project.id, 5000, "reef.txt", None)
        tus.append(actor, project.id, upload.id, 0, iter([TEXT[:3000]]))
        tus.end(actor, project.id, upload.id)

    return work


@pytest.mark.parametrize("way", [in_one_request, in_two_requests, refused_at_the_end, ended])
def test_d14_any_step_may_be_the_last(
    way, parts, alice, reef, dies_at, is_sound, sweep, stored, rows, room, sql
):
    """After each: what is a file is whole, what is not is swept when its time is over, and the counters are right."""
    last, files = 0, 0
    while dies_at(last, way(parts, alice.actor, reef)):
        is_sound()
        assert rows("files") - files in {0, 1}
        files = rows("files")
        last += 1
    assert last > 20
    is_sound()
    # A day and an hour later, without waiting: what is due then is due now.
    sql("UPDATE uploads SET expires_at = expires_at - interval '49 hours'")
    sql("UPDATE doomed_objects SET due_at = due_at - interval '49 hours'")
    sweep()
    is_sound()
    assert rows("uploads") == rows("upload_segments") == rows("doomed_objects") == 0
    assert len(stored()) == rows("files")
    assert room(reef) == (rows("files"), 5000 * rows("files"), 0)


@pytest.mark.parametrize("way", [in_one_request, in_two_requests])
def test_d14_a_sweep_that_dies_is_done_again(
    way, parts, alice, reef, dies_at, is_sound, sweep, stored, rows, sql
):
    last, dies = 0, True
    while dies:
        dies_at(25, way(parts, alice.actor, reef))
        sql("UPDATE uploads SET expires_at = expires_at - interval '49 hours'")
        sql("UPDATE doomed_objects SET due_at = due_at - interval '49 hours'")
        dies = dies_at(last, sweep)
        is_sound()
        sweep()
        assert rows("uploads") == rows("doomed_objects") == 0
        assert len(stored()) == rows("files")
        last += 1
    assert last > 8


def test_d14_an_object_that_comes_after_its_sweep_is_found_again(
    parts, alice, reef, sweep, stored, advance, monkeypatch, rows
):
    """A process that was stopped, or a disk that hung, in the moment when the object became visible."""
    store = parts.engines.store
    put = store.put

    def late(key, pieces):
        content = list(pieces)
        advance(hours=49)
        sweep()
        assert rows("uploads") == rows("doomed_objects") == 0
        return put(key, content)

    for way in (in_one_request, in_two_requests):
        with monkeypatch.context() as patch:
            patch.setattr(store, "put", late)
            with pytest.raises(Exception, match="no such"):
                way(parts, alice.actor, reef)()
        sweep()
        assert stored() == set()
        assert rows("files") == rows("uploads") == rows("doomed_objects") == 0
