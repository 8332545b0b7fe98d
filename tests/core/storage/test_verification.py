"""Whether the objects are those that the database knows of."""

import errno
import hashlib
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.errors import AppError, Code
from app.core.storage import verification
from app.core.storage.local import LocalStore
from app.core.storage.verification import verify
from tests.core.storage.conftest import NEW, sealing

CONTENTS = {f"files/{letter}": letter.encode() * 100_000 for letter in "abcdef"}
GRACE = timedelta(hours=24)
TOMORROW = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def filled(store):
    for key, content in CONTENTS.items():
        store.put(key, [content])
    return store


def expected(**changes):
    """What the database says, in its order; ``a=None`` for nothing, ``g=b"..."`` for more."""
    contents = {**CONTENTS, **{f"files/{letter}": content for letter, content in changes.items()}}
    return [
        (key, len(content), hashlib.sha256(content).digest())
        for key, content in sorted(contents.items())
        if content is not None
    ]


def looks(store, rows, now=TOMORROW):
    report = verify(store, iter(rows), GRACE, now)
    return report.missing.keys, report.orphaned.keys, report.damaged.keys


def test_all_is_well(filled):
    seen = []
    report = verify(filled, expected(), GRACE, TOMORROW, seen.append)
    assert report.clean
    assert (report.sound, seen) == (6, sorted(CONTENTS))


def test_nothing_is_well_too(store):
    assert verify(store, [], GRACE, TOMORROW).clean


def test_what_is_missing(filled):
    filled.delete("files/a")
    filled.delete("files/f")
    assert looks(filled, expected(g=b"never stored")) == (["files/a", "files/f", "files/g"], [], [])


def test_what_is_left_over(filled):
    assert looks(filled, expected(a=None, c=None, f=None)) == ([], ["files/a", "files/c", "files/f"], [])
    assert looks(filled, []) == ([], sorted(CONTENTS), [])


def test_what_is_new_may_be_on_its_way(filled):
    """Whoever stores an object has its row committed first, but this list may have been read before."""
    now = next(filled.objects()).modified_at + timedelta(hours=23)
    report = verify(filled, [], GRACE, now)
    assert report.clean
    assert report.young == 6


def test_what_is_damaged(filled):
    """Another size, or the same size and another content."""
    filled.put("files/b", [b"b" * 99_999])
    filled.put("files/d", [b"b" * 100_000])
    assert looks(filled, expected()) == ([], [], ["files/b", "files/d"])


def test_ciphertext_that_does_not_open_is_damaged(sealed, folder):
    sealed.put("files/a", [CONTENTS["files/a"]])
    [path] = (folder / "objects").rglob("files=a")
    for spoilt in (path.read_bytes()[:-1], path.read_bytes()[:20]):
        path.write_bytes(spoilt)
        assert looks(sealed, expected()[:1]) == ([], [], ["files/a"])


def test_what_was_stored_after_the_list_was_begun_is_found(plain):
    def rows():
        for row in expected():
            plain.put(row[0], [CONTENTS[row[0]]])
            yield row

    assert verify(plain, rows(), GRACE, TOMORROW).sound == 6


def test_all_are_counted_and_some_named(plain, monkeypatch):
    monkeypatch.setattr(verification, "NAMED", 2)
    missing = verify(plain, expected(), GRACE, TOMORROW).missing
    assert (missing.number, missing.keys) == (6, ["files/a", "files/b"])


@pytest.mark.parametrize("rows", [expected()[::-1], expected()[:1] * 2], ids=["backwards", "twice"])
def test_rows_out_of_order_are_refused(filled, rows):
    """Silently they would make orphans of what is sound."""
    with pytest.raises(ValueError, match="order of keys"):
        looks(filled, rows)


def test_what_is_sealed_under_another_key_is_unreadable_and_the_others_are_looked_at(folder, sealed):
    sealed.put("files/a", [CONTENTS["files/a"]])
    without = LocalStore(folder)
    for key in ("files/b", "files/c"):
        without.put(key, [CONTENTS[key]])
    for store, reason in (
        (without, "it is encrypted, and STORAGE_KEYS is not set"),
        (LocalStore(folder, sealing(NEW)), "it is encrypted, and the key old is not in STORAGE_KEYS"),
    ):
        report = verify(store, expected()[:3], GRACE, TOMORROW)
        assert (report.sound, report.unreadable.keys, report.reasons) == (
            2, ["files/a"], {"files/a": reason},
        )  # fmt: skip
        assert not report.clean
        assert not report.readable


@pytest.mark.parametrize("call", ["open", "pread"])
def test_what_the_disk_does_not_give_is_unreadable_too(plain, monkeypatch, call):
    """Its list goes on as well: neither rights nor a worn-out disk at one file keep the others from being looked at."""
    for key in ("files/a", "files/b"):
        plain.put(key, [CONTENTS[key]])
    usual, worn = getattr(os, call), plain._path("files/a").stat().st_ino

    def gives(what, *rest, **options):
        if os.fstat(what).st_ino == worn if isinstance(what, int) else Path(what).name == "files=a":
            raise OSError(errno.EIO, "Input/output error")
        return usual(what, *rest, **options)

    monkeypatch.setattr(os, call, gives)
    report = verify(plain, expected()[:2], GRACE, TOMORROW)
    assert (report.sound, report.unreadable.keys) == (1, ["files/a"])
    assert "Input/output error" in report.reasons["files/a"]


def test_a_storage_that_is_away_altogether_is_no_heap_of_damage(plain, folder):
    plain.put("files/a", [CONTENTS["files/a"]])
    shutil.rmtree(folder)
    folder.symlink_to(folder / "itself")
    with pytest.raises(AppError) as error:
        verify(plain, expected()[:1], GRACE, TOMORROW)
    assert error.value.code == Code.storage_unavailable
