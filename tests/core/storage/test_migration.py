"""Objects move: from a folder to a bucket and back, and under another key; stopping halfway costs nothing."""

import pytest

from app.core.errors import AppError
from app.core.storage.interface import ObjectFacts
from app.core.storage.local import LocalStore
from app.core.storage.migration import Migrated, migrate, reseal
from tests.core.storage.conftest import NEW, OLD, sealing
from tests.fixtures.s3 import HASTY, bucket_at, closes

CONTENTS = {"files/a": b"Anemone", "files/b": bytes(9 * 2**20), "files/c": b"", "thumbnails/a": b"small"}
BYTES = sum(map(len, CONTENTS.values()))


def fills(store, contents=CONTENTS):
    for key, content in contents.items():
        store.put(key, [content])


def contents_of(store):
    return {facts.key: b"".join(store.read(facts.key)) for facts in store.objects()}


@pytest.fixture
def elsewhere(tmp_path):
    return LocalStore(tmp_path / "elsewhere")


@pytest.fixture(params=["sealed to bucket", "bucket to plain", "plain to elsewhere"])
def way(request):
    """Source, filled, and target."""
    source, target = (request.getfixturevalue(name) for name in request.param.split(" to "))
    fills(source)
    return source, target


def test_everything_arrives(way):
    source, target = way
    seen = []
    assert migrate(source, target, lambda facts: seen.append(facts.key)) == Migrated(4, BYTES)
    assert contents_of(target) == contents_of(source) == CONTENTS
    assert seen == sorted(CONTENTS)


def test_a_second_time_there_is_nothing_to_do(way):
    source, target = way
    migrate(source, target)
    assert migrate(source, target) == Migrated(there=4)


def test_what_is_missing_or_other_is_copied(way):
    """Of the same size too: the SHA-256 decides."""
    source, target = way
    migrate(source, target)
    target.delete("files/b")
    target.put("files/a", [b"Anemoni"])
    target.put("files/c", [b"longer"])
    assert migrate(source, target) == Migrated(copied=3, copied_bytes=9 * 2**20 + 7, there=1)
    assert contents_of(target) == CONTENTS


def test_what_else_is_in_the_target_stays(plain, elsewhere):
    fills(plain)
    elsewhere.put("files/other", [b"other"])
    migrate(plain, elsewhere)
    assert contents_of(elsewhere) == {**CONTENTS, "files/other": b"other"}


def test_what_goes_away_meanwhile_is_no_fault(plain, elsewhere):
    fills(plain)

    def removes(facts):
        if facts.key == "files/a":
            plain.delete("files/b")

    done = migrate(plain, elsewhere, removes)
    assert (done.copied, done.differing) == (3, [])


def test_what_is_removed_while_it_is_looked_at_is_counted(plain, elsewhere, monkeypatch):
    fills(plain)
    listed = list(plain.objects())
    monkeypatch.setattr(plain, "objects", lambda _prefix="": iter(listed))
    plain.delete("files/b")
    assert migrate(plain, elsewhere) == Migrated(copied=3, copied_bytes=BYTES - 9 * 2**20, gone=1)


def test_a_damaged_object_is_told_and_the_others_arrive(sealed, folder, bucket):
    fills(sealed)
    [path] = (folder / "objects").rglob("files=b")
    path.write_bytes(path.read_bytes()[:-1])
    done = migrate(sealed, bucket)
    assert (done.copied, done.differing) == (3, ["files/b"])
    assert bucket.facts("files/b") is None


def test_a_copy_that_arrives_otherwise_is_told(plain, elsewhere, monkeypatch):
    fills(plain)
    real = elsewhere.facts
    monkeypatch.setattr(
        elsewhere, "facts", lambda key: (f := real(key)) and ObjectFacts(key, f.size + 1, f.modified_at)
    )
    assert migrate(plain, elsewhere).differing == sorted(CONTENTS)


def test_d14_a_target_that_is_away_ends_it(plain, dead_port):
    fills(plain)
    away = bucket_at(f"http://127.0.0.1:{dead_port}", patience=HASTY)
    with pytest.raises(AppError, match="does not answer"):
        migrate(plain, away)
    closes(away)
    assert contents_of(plain) == CONTENTS


def test_sec_59_everything_gets_under_the_first_key(folder, plain, sealed):
    """What was stored without keys as well; run again it does nothing, and then the old key can go."""
    fills(plain, {"files/plain": b"from before"})
    fills(sealed)
    both = LocalStore(folder, sealing(NEW, OLD))
    assert reseal(both) == Migrated(copied=5, copied_bytes=BYTES + 11)
    assert reseal(both) == Migrated(there=5)
    new = LocalStore(folder, sealing(NEW))
    assert contents_of(new) == {**CONTENTS, "files/plain": b"from before"}
    assert {new.key_id(facts.key) for facts in new.objects()} == {"new"}


def test_sec_59_a_damaged_object_keeps_nobody_from_moving_on(folder, sealed):
    fills(sealed)
    [path] = (folder / "objects").rglob("files=a")
    path.write_bytes(path.read_bytes()[:-1])
    done = reseal(LocalStore(folder, sealing(NEW, OLD)))
    assert (done.copied, done.differing) == (3, ["files/a"])
