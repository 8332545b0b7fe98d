"""The files of a copy: which ones, under which names, and never one too few in silence."""

import hashlib
import io
import json
import tracemalloc
import zipfile

import pytest

from app.core.objects import Objects
from app.core.storage.interface import DamagedObjectError, ObjectMissingError
from app.exports import sections
from app.exports.building import FILES_BETWEEN_STEPS, Building
from app.exports.service import BUILD, SECTIONS, TRIES
from app.files.models import FailureCode
from app.work.service import WorkService

PICTURE = bytes(range(256)) * 40


@pytest.fixture
def reef(alice):
    return alice.creates("Reef survey")


@pytest.fixture
def bay(bob, alice, joins):
    """Bob's; Alice is an editor of it."""
    made = bob.creates("Bob's bay")
    joins(alice, made, "editor")
    return made


def run(parts, export_id):
    parts.jobs.app.tasks[BUILD].func(export_id=export_id)


def paths(copy):
    return sorted(name for name in copy if name.startswith("files/"))


def listed(copy):
    return {row["name"]: row for row in copy["files.json"]["items"]}


def test_a_file_is_in_it_as_it_was_uploaded(alice, reef, keeps, gets):
    file = keeps(alice, reef, "north wall.jpg", PICTURE, content_type="image/jpeg")
    copy = gets(alice)
    [row] = copy["files.json"]["items"]
    shown = alice.get(f"/projects/{reef.id}/files/{file.id}").json
    assert row == {
        **{name: value for name, value in shown.items() if not name.endswith("_url")},
        "project_name": "Reef survey",
        "path": f"files/Reef survey {reef.id.hex[-8:]}/north wall.jpg",
    }
    assert copy[row["path"]] == PICTURE
    assert copy["manifest.json"]["files"][row["path"]] == {
        "size": len(PICTURE), "sha256": hashlib.sha256(PICTURE).hexdigest(),
    }  # fmt: skip
    assert "<h2>Files</h2>" in copy["index.html"]
    assert "north wall.jpg" in copy["index.html"]


def test_it_is_stored_as_it_is_and_the_json_compressed(alice, reef, keeps, asks, do_jobs):
    keeps(alice, reef, "north wall.jpg", PICTURE)
    export = asks(alice)
    do_jobs()
    data = alice.get(f"/me/exports/{export['id']}/content").get_data()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        methods = {info.filename.split("/")[0]: info.compress_type for info in archive.infolist()}
    assert methods["files"] == zipfile.ZIP_STORED
    assert methods["files.json"] == zipfile.ZIP_DEFLATED


def test_the_trash_is_hers_and_what_is_in_quarantine_is_only_listed(alice, reef, parts, keeps, gets):
    now = parts.clock.now()
    keeps(alice, reef, "old.txt", b"old", deleted_at=now)
    keeps(alice, reef, "bad.exe", b"X5O!P", state="quarantined", failure_code=FailureCode.infected.value)
    keeps(alice, reef, "huge.iso", b"huge", state="failed", failure_code=FailureCode.too_large_to_scan.value)
    copy = gets(alice)
    found = listed(copy)
    assert copy[found["old.txt"]["path"]] == b"old"
    assert (found["bad.exe"]["state"], found["bad.exe"]["path"]) == ("quarantined", None)
    assert (found["huge.iso"]["failure_code"], found["huge.iso"]["path"]) == ("too_large_to_scan", None)
    assert paths(copy) == [found["old.txt"]["path"]]


def test_what_no_scanner_has_seen_yet_is_only_listed_where_there_is_one(
    alice, reef, parts, keeps, gets, monkeypatch
):
    keeps(alice, reef, "new.txt", b"new", state="processing")
    assert listed(gets(alice))["new.txt"]["path"]
    monkeypatch.setattr(parts.services[Building]._files, "_scanned", True)
    assert listed(gets(alice))["new.txt"]["path"] is None


def test_sec_57_of_projects_of_others_she_takes_what_she_uploaded(alice, bob, bay, joins, keeps, gets):
    keeps(alice, bay, "mine.txt", b"mine")
    keeps(bob, bay, "his.txt", b"his")
    left = bob.creates("Left long ago")
    keeps(alice, left, "of then.txt")
    thrown_away = bob.creates("In his trash")
    joins(alice, thrown_away, "editor")
    keeps(alice, thrown_away, "thrown away.txt")
    bob.delete(f"/projects/{thrown_away.id}")
    copy = gets(alice)
    assert set(listed(copy)) == {"mine.txt"}
    assert listed(copy)["mine.txt"]["project_name"] == "Bob's bay"
    assert copy[listed(copy)["mine.txt"]["path"]] == b"mine"


def test_sec_57_who_else_uploaded_to_her_project_is_not_told(alice, bob, reef, joins, keeps, gets):
    joins(bob, reef, "editor")
    keeps(bob, reef, "his.txt", b"his")
    keeps(alice, reef, "mine.txt", b"mine")
    copy = gets(alice)
    assert copy[listed(copy)["his.txt"]["path"]] == b"his", "it is in her project"
    assert listed(copy)["his.txt"]["uploaded_by"] is None
    assert listed(copy)["mine.txt"]["uploaded_by"] == str(alice.user.id)
    assert str(bob.user.id) not in json.dumps(copy["files.json"])


def test_names_that_are_alike_get_numbers(alice, keeps, gets):
    reef, other = alice.creates("Riff \U0001fab8/North"), alice.creates("Riff \U0001fab8/North")
    for number, name in enumerate(
        ("\U0001f419.jpg", "\U0001f419.jpg", "\U0001f419.JPG", "\U0001f419 (2).jpg")
    ):
        keeps(alice, reef, name, b"%d" % number)
    keeps(alice, other, "\U0001f419.jpg", b"other")
    copy = gets(alice)
    folder, beside = (f"files/Riff \U0001fab8_North {each.id.hex[-8:]}/" for each in (reef, other))
    assert {path: copy[path] for path in paths(copy)} == {
        f"{folder}\U0001f419.jpg": b"0", f"{folder}\U0001f419 (2).jpg": b"1", f"{folder}\U0001f419 (3).JPG": b"2",
        f"{folder}\U0001f419 (2) (2).jpg": b"3", f"{beside}\U0001f419.jpg": b"other",
    }  # fmt: skip


def test_sec_46_no_name_leads_out_of_its_folder(alice, keeps, gets, sql):
    reef = alice.creates("..")
    keeps(alice, reef, "../../etc/passwd", b"1")
    keeps(alice, reef, "\u202e", b"2")
    keeps(alice, reef, 'a<b>:"c|d?*.txt', b"3")
    folder = f"files/project {reef.id.hex[-8:]}/"
    assert paths(gets(alice)) == [f"{folder}a_b___c_d__.txt", f"{folder}file", f"{folder}passwd"]


def test_many_are_read_in_batches_and_none_twice(alice, bay, reef, keeps, gets, monkeypatch, statements):
    monkeypatch.setattr("app.exports.building.BATCH", 3)
    monkeypatch.setattr(sections, "BATCH", 3)
    for number in range(7):
        keeps(alice, (reef, bay)[number % 2], f"{number}.txt", b"%d" % number)
    with statements() as sent:
        copy = gets(alice)
    assert [row["name"] for row in copy["files.json"]["items"]] == [f"{number}.txt" for number in range(7)]
    assert len(paths(copy)) == 7
    assert len([each for each in sent if each.startswith("WITH theirs")]) == 1 + 3, (
        "counted, and three batches"
    )


@pytest.mark.parametrize("harm", ["missing", "changed"])
def test_a_file_whose_content_is_missing_or_damaged_fails_the_copy(
    alice, reef, keeps, asks, parts, sql, harm
):
    """It is never left out in silence."""
    file = keeps(alice, reef)
    store = parts.engines.store
    store.delete(file.object_key)
    if harm == "changed":
        store.put(file.object_key, [b"south wall"])
    export = asks(alice)
    for _ in range(1, TRIES):
        with pytest.raises(ObjectMissingError if harm == "missing" else DamagedObjectError):
            run(parts, export["id"])
    run(parts, export["id"])
    assert sql("SELECT state, reason, object_key FROM exports") == [("failed", "internal_error", None)]
    assert list(store.objects("exports/")) == []
    assert parts.services[Objects].sweep() == TRIES


def test_one_that_is_deleted_meanwhile_is_neither_listed_nor_missed(
    alice, reef, keeps, gets, parts, sql, monkeypatch
):
    keeps(alice, reef, "stays.txt")
    gone = keeps(alice, reef, "goes.txt")
    found = parts.services[Building]._files
    of_person = found.of_person

    def purged(*arguments):
        rows = of_person(*arguments)
        sql("DELETE FROM files WHERE id = %s", (str(gone.id),))
        parts.services[Objects].sweep()
        return rows

    monkeypatch.setattr(found, "of_person", purged)
    assert set(listed(gets(alice))) == {"stays.txt"}


def test_a_large_file_takes_little_memory(alice, reef, keeps, asks, parts):
    keeps(alice, reef, "video.mp4", (bytes(2**18) for _ in range(4 * 64)))
    export = asks(alice)
    tracemalloc.start()
    run(parts, export["id"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert alice.get(f"/me/exports/{export['id']}").json["size"] > 64 * 2**20
    assert peak < 16 * 2**20


def test_files_count_as_work_and_not_each_is_told(alice, reef, keeps, asks, parts, monkeypatch):
    for number in range(45):
        keeps(alice, reef, f"{number}.txt", b"%d" % number)
    export = asks(alice)
    told, progress = [], WorkService.progress

    def note(self, item_id, done, total):
        told.append((done, total))
        progress(self, item_id, done, total)

    monkeypatch.setattr("app.exports.building.SECONDS_BETWEEN_STEPS", 3600.0)
    monkeypatch.setattr(WorkService, "progress", note)
    run(parts, export["id"])
    total, sectioned = SECTIONS + 45, SECTIONS - 1
    assert told == [
        *((done, total) for done in range(SECTIONS)),
        (sectioned + FILES_BETWEEN_STEPS, total), (sectioned + 2 * FILES_BETWEEN_STEPS, total),
    ]  # fmt: skip
    shown = alice.get(f"/jobs/{export['id']}").json
    assert (shown["state"], shown["done"], shown["total"]) == ("ready", total, total)
