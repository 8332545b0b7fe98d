"""What goes, goes whole: rows, previews, objects. What nobody wants any more is swept, however often and by how many."""

from datetime import timedelta

import pytest

from app.core.objects import PATIENCE, Objects
from app.deletion.purge import AccountPurge
from app.files.service import FileService
from app.uploads.service import UploadService
from tests.fixtures.accounts import code_of
from tests.fixtures.pictures import see_through

TUS = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": "filename a2VscC50eHQ="}
PIECE = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def picture(alice, reef, do_jobs):
    """A picture with its two previews: three objects."""
    file = alice.uploads(reef, "a.png", see_through()).json
    do_jobs()
    return file


@pytest.fixture
def objects(parts):
    return parts.services[Objects]


@pytest.fixture
def purge_trash(parts):
    return lambda: parts.services[FileService].purge_trash(parts.settings.trash_days)


@pytest.fixture
def store(parts):
    return parts.engines.store


def test_the_trash_is_emptied_after_thirty_days(
    alice, reef, picture, advance, purge_trash, stored, counted, parts
):
    assert len(stored()) == 3
    alice.delete(f"/projects/{reef.id}/files/{picture['id']}")
    advance(days=parts.settings.trash_days, seconds=-30)
    assert purge_trash() == 0
    advance(seconds=31)
    assert purge_trash() == 1
    assert stored() == []
    assert counted(reef) == (0, 0, 0)
    person = alice.signs_in_again()
    assert code_of(person.get(f"/projects/{reef.id}/files/{picture['id']}")) == (404, "not_found")
    newest = person.get(f"/projects/{reef.id}/activity").json["items"][0]
    assert (newest["kind"], newest["actor"]) == ("file.purged", None)
    assert purge_trash() == 0


def test_what_is_not_in_the_trash_stays(alice, reef, picture, advance, purge_trash, stored):
    other = alice.uploads(reef, "kelp.txt").json
    alice.delete(f"/projects/{reef.id}/files/{other['id']}")
    alice.post(f"/projects/{reef.id}/files/{other['id']}/restore")
    advance(days=365)
    assert purge_trash() == 0
    assert len(stored()) == 4


def test_a_full_trash_is_emptied_in_batches_by_several(
    alice, reef, advance, purge_trash, at_once, sql, stored, parts
):
    file = alice.uploads(reef).json
    sql(
        "INSERT INTO files (id, project_id, name, content_type, size, sha256, object_key, state, version, created_at,"
        " updated_at, deleted_at) SELECT gen_random_uuid(), project_id, name, content_type, size, sha256,"
        " 'files/' || n, state, 1, created_at, updated_at, created_at FROM files, generate_series(1, 450) n"
    )
    advance(days=parts.settings.trash_days, seconds=60)
    assert sum(at_once(3, lambda _number: purge_trash())) == 450
    assert sql("SELECT id::text FROM files") == [(file["id"],)]
    assert sql("SELECT count(*) FROM doomed_objects") == [(450,)]
    assert len(stored()) == 1


def test_a_project_takes_its_files_along(alice, reef, picture, projects, stored):
    alice.uploads(reef, "kelp.txt")
    place = alice.post(f"/projects/{reef.id}/tus", headers=TUS).headers["Location"].removeprefix("/api/v1")
    assert alice.patch(place, headers=PIECE, data=b"1234").status_code == 204
    assert len(stored()) == 5
    projects.trash(alice.actor, reef.id)
    assert len(stored()) == 5
    projects.purge(alice.actor, reef.id)
    assert stored() == []


def test_an_account_takes_its_projects_along_and_leaves_its_uploads_elsewhere(
    alice, bob, reef, picture, joins, advance, parts, stored, sql
):
    bay = bob.creates("Bob's bay")
    joins(alice, bay, "editor")
    theirs = alice.uploads(bay, "for_bob.txt").json
    assert alice.delete("/me").status_code == 202
    advance(days=parts.settings.deletion_grace_days, seconds=1)
    assert parts.services[AccountPurge].run() == 1
    assert len(stored()) == 1
    person = bob.signs_in_again()
    assert person.get(f"/projects/{bay.id}/files/{theirs['id']}").json["uploaded_by"] is None
    assert person.get(f"/projects/{bay.id}/files/{theirs['id']}/content").status_code == 200


class TestUploads:
    @pytest.fixture
    def begun(self, alice, reef):
        place = (
            alice.post(f"/projects/{reef.id}/tus", headers=TUS).headers["Location"].removeprefix("/api/v1")
        )
        assert alice.patch(place, headers=PIECE, data=b"1234").status_code == 204
        return place

    def test_one_that_took_too_long_is_forgotten(
        self, alice, reef, begun, parts, advance, stored, counted, sql
    ):
        sweep = parts.services[UploadService].sweep
        assert sweep() == 0
        assert len(stored()) == 1
        advance(hours=parts.settings.upload_hours, seconds=1)
        assert sweep() == 1
        assert sweep() == 0
        assert (stored(), counted(reef)) == ([], (0, 0, 0))
        assert sql("SELECT count(*) FROM upload_segments") == [(0,)]

    def test_one_that_became_a_file_leaves_the_file(
        self, alice, reef, begun, parts, advance, stored, counted
    ):
        rest = {**PIECE, "Upload-Offset": "4"}
        assert alice.patch(begun, headers=rest, data=b"56789").status_code == 204
        advance(hours=parts.settings.upload_hours, seconds=1)
        assert parts.services[UploadService].sweep() == 1
        assert len(stored()) == 1
        assert counted(reef) == (1, 9, 0)


class TestObjects:
    def test_a_promise_is_kept_for_a_while(self, objects, store, advance):
        """A crash between storing and taking over leaves nothing for ever."""
        key = objects.promise("files")
        store.put(key, [b"kelp"])
        assert objects.sweep() == 0
        advance(seconds=PATIENCE.total_seconds() + 1)
        assert objects.sweep() == 1
        assert store.facts(key) is None
        assert objects.sweep() == 0

    def test_who_still_writes_may_say_so(self, objects, store, advance):
        key = objects.promise("files", timedelta(minutes=5))
        advance(minutes=4)
        assert objects.prolong(key, timedelta(minutes=5))
        advance(minutes=4)
        assert objects.sweep() == 0
        advance(minutes=2)
        assert objects.sweep() == 1
        assert not objects.prolong(key, timedelta(minutes=5))

    def test_what_was_taken_over_stays(self, objects, store, parts, advance):
        key = objects.promise("files")
        store.put(key, [b"kelp"])
        with parts.uow:
            assert objects.adopt(key)
        advance(days=365)
        assert objects.sweep() == 0
        assert store.facts(key)
        with parts.uow:
            assert not objects.adopt(key), "once"

    def test_what_a_sweep_has_begun_with_nobody_takes_over(self, objects, parts, sql):
        key = objects.promise("files")
        sql("UPDATE doomed_objects SET claimed = true")
        with parts.uow:
            assert not objects.adopt(key)

    def test_a_sweep_that_died_is_finished_by_the_next(self, objects, store, sql):
        key = objects.promise("files")
        store.put(key, [b"kelp"])
        objects.drop([key])
        sql("UPDATE doomed_objects SET claimed = true")
        assert objects.sweep() == 1
        assert store.facts(key) is None

    def test_an_object_that_is_away_is_no_fault(self, objects):
        objects.drop([objects.promise("files")])
        assert objects.sweep() == 1

    def test_several_sweeps_at_once_remove_everything_and_nothing_else(
        self, objects, store, at_once, alice, reef, sql
    ):
        alice.uploads(reef)
        keys = [objects.promise("previews") for _ in range(250)]
        for key in keys[:20]:
            store.put(key, [b"kelp"])
        objects.drop(keys)
        removed = at_once(4, lambda _number: objects.sweep())
        assert sum(removed) >= len(keys)
        assert [found.key for found in store.objects("previews")] == []
        assert len(list(store.objects())) == 1
        assert sql("SELECT count(*) FROM doomed_objects") == [(0,)]

    def test_parts_of_files_that_nobody_writes_any_more_go(self, objects, parts, advance):
        incoming = parts.settings.storage_dir / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        left = incoming / "left_by_a_crash"
        left.write_bytes(b"kel")
        assert objects.sweep_unfinished() == 0
        advance(seconds=PATIENCE.total_seconds() + 1)
        assert objects.sweep_unfinished() == 1
        assert not left.exists()
