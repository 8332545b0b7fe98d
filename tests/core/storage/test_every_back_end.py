"""What each back end promises, whatever it is (app/core/storage/interface.py)."""

import hashlib
import random
from datetime import UTC, datetime

import pytest

from app.core.storage.interface import ObjectMissingError, StoredObject

KEY = "files/0190a/original"
SMALL = b"The reef at low tide."
LARGE = random.Random(7).randbytes(20 * 2**20 + 12_345)
LONG_AGO, SOON = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def in_pieces(content, size=300_000):
    return (content[at : at + size] for at in range(0, len(content), size))


def content_of(store, key=KEY, *where):
    return b"".join(store.read(key, *where))


def test_what_was_stored_is_read(store):
    assert store.put(KEY, [SMALL]) == StoredObject(len(SMALL), hashlib.sha256(SMALL).digest())
    assert content_of(store) == SMALL


def test_large_content_comes_back_in_pieces(store):
    """Of at most 1 MiB: whoever sends them on needs no more memory than that."""
    stored = store.put(KEY, in_pieces(LARGE))
    assert stored == StoredObject(len(LARGE), hashlib.sha256(LARGE).digest())
    pieces = list(store.read(KEY))
    assert b"".join(pieces) == LARGE
    assert max(map(len, pieces)) <= 2**20
    assert all(pieces)


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 131_072, 8 * 2**20, 8 * 2**20 + 1])
def test_content_that_ends_at_a_border(store, size):
    store.put(KEY, in_pieces(LARGE[:size], 100_000))
    assert content_of(store) == LARGE[:size]
    assert store.facts(KEY).size == size


def test_nothing_is_content_too(store):
    assert store.put(KEY, []).size == 0
    assert content_of(store) == b""
    assert content_of(store, KEY, 5, 10) == b""
    assert store.facts(KEY).size == 0


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 1), (5, 100), (65_535, 2), (65_536, 65_536), (8 * 2**20 - 1, 3), (20 * 2**20, None), (len(LARGE) - 1, 10), (7, 0)],
)  # fmt: skip
def test_a_part_is_read(store, start, length):
    store.put(KEY, in_pieces(LARGE))
    end = len(LARGE) if length is None else start + length
    assert content_of(store, KEY, start, length) == LARGE[start:end]


def test_a_part_behind_the_end_is_empty(store):
    store.put(KEY, [SMALL])
    assert content_of(store, KEY, len(SMALL)) == b""
    assert content_of(store, KEY, 1000, 5) == b""


def test_facts_tell_size_and_time(store):
    store.put(KEY, [SMALL])
    facts = store.facts(KEY)
    assert (facts.key, facts.size) == (KEY, len(SMALL))
    assert LONG_AGO < facts.modified_at < SOON
    assert facts.sha256 in {None, hashlib.sha256(SMALL).digest()}


def test_what_is_not_there(store):
    assert store.facts(KEY) is None
    for where in ((), (3,), (0, 0), (3, 5)):
        with pytest.raises(ObjectMissingError):
            store.read(KEY, *where)
    with pytest.raises(ObjectMissingError):
        store.copy(KEY, "files/twin")
    store.delete(KEY)


def test_a_second_object_under_a_key_replaces_the_first(store):
    store.put(KEY, in_pieces(LARGE))
    store.put(KEY, [SMALL])
    assert content_of(store) == SMALL


def test_a_reader_goes_on_with_what_it_began(store):
    """A replaced or removed object is read to its end by whoever holds it."""
    store.put(KEY, in_pieces(LARGE[:600_000]))
    pieces = store.read(KEY)
    begin = next(pieces)
    store.delete(KEY)
    assert b"".join([begin, *pieces]) == LARGE[:600_000]


def test_content_that_breaks_off_stores_nothing(store):
    store.put(KEY, [SMALL])

    def breaks_off():
        yield LARGE[: 17 * 2**20]
        raise ConnectionResetError("the phone is gone")

    with pytest.raises(ConnectionResetError, match="the phone is gone"):
        store.put(KEY, breaks_off())
    with pytest.raises(ConnectionResetError):
        store.put("files/other", breaks_off())
    assert content_of(store) == SMALL
    assert [facts.key for facts in store.objects()] == [KEY]
    assert store.sweep_unfinished(SOON) == 0, "nothing is left half done"


def test_a_copy_is_an_object_of_its_own(store):
    store.put(KEY, in_pieces(LARGE))
    store.copy(KEY, "files/twin")
    store.copy(KEY, "files/twin")
    store.delete(KEY)
    assert content_of(store, "files/twin") == LARGE
    store.put(KEY, [SMALL])
    store.copy(KEY, "files/twin")
    assert content_of(store, "files/twin") == SMALL
    assert store.sweep_unfinished(SOON) == 0


def test_a_removed_object_is_gone(store):
    store.put(KEY, [SMALL])
    store.delete(KEY)
    store.delete(KEY)
    assert store.facts(KEY) is None
    assert list(store.objects()) == []


def test_objects_are_listed_in_order(store):
    keys = ["files/b", "files/a-1", "files/a/2", "files/a.1", "thumbnails/a", "files/a"]
    for number, key in enumerate(keys):
        store.put(key, [b"x" * number])
    assert [facts.key for facts in store.objects()] == sorted(keys)
    assert [facts.key for facts in store.objects("files/a")] == ["files/a", "files/a-1", "files/a.1", "files/a/2"]  # fmt: skip
    assert {facts.key: facts.size for facts in store.objects()} == {key: n for n, key in enumerate(keys)}
    assert [facts.key for facts in store.objects("files/a/")] == ["files/a/2"]
    assert list(store.objects("nothing")) == []


@pytest.mark.parametrize(
    "key",
    [
        "", "/", "/etc/passwd", "../secrets", "files/../secrets", "files/..", "files//a", "files/", ".hidden", "files/.hidden",
        "Files/a", "files/ä", "files/a b", "files/a\0", "files/a\n", "files/a=b", "files\\a", "files/%2e%2e", "a" * 201,
    ],
)  # fmt: skip
def test_sec_46_what_is_no_key_is_refused(store, key):
    """Keys are made by us; should something of a client ever get into one, it ends here."""
    for use in (
        lambda: store.put(key, [SMALL]),
        lambda: store.read(key),
        lambda: store.facts(key),
        lambda: store.delete(key),
        lambda: store.copy(key, KEY),
        lambda: store.served_path(key) if store.name == "local" else store.facts(key),
    ):
        with pytest.raises(ValueError, match="not the key"):
            use()
    store.put(KEY, [SMALL])
    with pytest.raises(ValueError, match="not the key"):
        store.copy(KEY, key)


def test_it_can_be_asked_whether_it_works(store):
    store.check()
    assert store.sweep_unfinished(SOON) == 0
    assert list(store.objects()) == []


def test_what_others_are_storing_is_not_swept(store):
    def swept_meanwhile():
        yield LARGE[: 9 * 2**20]
        assert store.sweep_unfinished(LONG_AGO) == 0
        yield LARGE[9 * 2**20 :]

    store.put(KEY, swept_meanwhile())
    assert content_of(store) == LARGE
