"""Objects on a disk that is not trusted: unreadable there, and every change is noticed."""

import os
import shutil
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import AppError, Code
from app.core.storage.encryption import CHUNK, HEADER, MAGIC, TAG, Form
from app.core.storage.interface import DamagedObjectError
from app.core.storage.local import LocalStore
from app.core.storage.pieces import at_least, exactly
from tests.core.storage.conftest import NEW, OLD, sealing

KEY, OTHER = "files/reef/original", "files/wreck/original"
CONTENT = bytes(number * 31 % 251 for number in range(3 * CHUNK + 1_000))
WHOLE = CHUNK + TAG


def file_of(folder, key=KEY):
    [path] = [path for path in (folder / "objects").rglob(key.replace("/", "=")) if path.is_file()]
    return path


def content_of(store, key=KEY, *where):
    return b"".join(store.read(key, *where))


@pytest.fixture
def kept(sealed, folder):
    """The file of a stored object."""
    sealed.put(KEY, [CONTENT])
    return file_of(folder)


def test_nothing_of_the_content_is_on_the_disk(sealed, kept):
    text = kept.read_bytes()
    assert text.startswith(MAGIC)
    assert all(CONTENT[at : at + 16] not in text for at in range(0, CHUNK, 1_000))
    assert b"reef" not in text
    assert sealed.served_path(KEY) is None


def test_the_same_content_is_never_the_same_file(sealed, folder, kept):
    before = kept.read_bytes()
    sealed.put(KEY, [CONTENT])
    assert file_of(folder).read_bytes()[HEADER : HEADER + 32] != before[HEADER : HEADER + 32]


def changed(text, at):
    return text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]


def chunk(text, number):
    return text[HEADER + number * WHOLE : HEADER + (number + 1) * WHOLE]


TAMPERED = {
    "a bit of the first chunk": lambda text: changed(text, HEADER + 5),
    "a bit of the last chunk": lambda text: changed(text, len(text) - TAG - 1),
    "a bit of a tag": lambda text: changed(text, HEADER + WHOLE - 1),
    "a bit of the salt": lambda text: changed(text, 40),
    "a bit of the nonce prefix": lambda text: changed(text, HEADER - 1),
    "the last byte cut off": lambda text: text[:-1],
    "the last chunk cut off": lambda text: text[: HEADER + 3 * WHOLE],
    "all but the first chunk cut off": lambda text: text[: HEADER + WHOLE],
    "all chunks cut off": lambda text: text[:HEADER],
    "half of the header": lambda text: text[: HEADER // 2],
    "two chunks swapped": lambda text: text[:HEADER] + chunk(text, 1) + chunk(text, 0) + text[HEADER + 2 * WHOLE :],
    "a chunk twice": lambda text: text[: HEADER + WHOLE] + chunk(text, 0) + text[HEADER + WHOLE :],
    "a chunk left out": lambda text: text[: HEADER + WHOLE] + text[HEADER + 2 * WHOLE :],
    "something behind it": lambda text: text + bytes(100),
    "a chunk of zeros behind it": lambda text: text + bytes(WHOLE),
    "a form of tomorrow": lambda text: text[: len(MAGIC)] + b"\x07" + text[len(MAGIC) + 1 :],
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_is_noticed(sealed, kept, how):
    kept.write_bytes(TAMPERED[how](kept.read_bytes()))
    with pytest.raises(DamagedObjectError):
        content_of(sealed)


CUT = [how for how in TAMPERED if "cut" in how or "behind" in how]


@pytest.mark.parametrize("how", CUT)
def test_a_cut_is_noticed_whatever_part_is_read(sealed, kept, how):
    """Before the first piece is handed out, although the part itself may be untouched."""
    kept.write_bytes(TAMPERED[how](kept.read_bytes()))
    with pytest.raises(DamagedObjectError):
        sealed.read(KEY, 0, 10)


def test_one_object_cannot_be_passed_off_as_another(sealed, folder, kept):
    sealed.put(OTHER, [CONTENT])
    shutil.copyfile(kept, file_of(folder, OTHER))
    with pytest.raises(DamagedObjectError):
        sealed.read(OTHER, 0, 10)


def test_chunks_of_an_older_content_do_not_fit(sealed, folder, kept):
    older = kept.read_bytes()
    sealed.put(KEY, [CONTENT])
    path = file_of(folder)
    newer = path.read_bytes()
    path.write_bytes(newer[:HEADER] + chunk(older, 0) + newer[HEADER + WHOLE :])
    with pytest.raises(DamagedObjectError):
        content_of(sealed)


def test_a_damaged_object_is_listed_without_a_size(sealed, kept):
    os.truncate(kept, HEADER)
    [facts] = sealed.objects()
    assert (facts.key, facts.size) == (KEY, -1)
    with pytest.raises(DamagedObjectError):
        sealed.facts(KEY)


def test_what_was_stored_before_the_keys_stays_readable(plain, sealed):
    plain.put(KEY, [CONTENT])
    assert content_of(sealed) == CONTENT
    assert sealed.key_id(KEY) is None
    sealed.copy(KEY, OTHER)
    assert (sealed.key_id(OTHER), content_of(sealed, OTHER)) == ("old", CONTENT)


def test_sec_59_a_ring_that_moved_on_opens_what_its_older_keys_sealed(sealed, folder, kept):
    both = LocalStore(folder, sealing(NEW, OLD))
    assert (both.key_id(KEY), content_of(both)) == ("old", CONTENT)
    both.put(OTHER, [CONTENT])
    assert both.key_id(OTHER) == "new"


@pytest.mark.parametrize("ring", [(), (NEW,)], ids=["no ring", "another ring"])
def test_without_its_key_an_object_waits(folder, kept, ring):
    """The key is away, which an operator can mend; the object is not damaged."""
    store = LocalStore(folder, sealing(*ring) if ring else None)
    assert store.facts(KEY).size == len(CONTENT)
    with pytest.raises(AppError) as error:
        store.read(KEY)
    assert error.value.code == Code.storage_unavailable


@pytest.fixture(scope="module")
def store_of_sizes(tmp_path_factory):
    """One sealed object for each size around the borders."""
    store = LocalStore(tmp_path_factory.mktemp("sizes"), sealing(OLD))
    for size in SIZES:
        store.put(f"files/{size}", [CONTENT[:size]])
    return store


SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 17, 3 * CHUNK + 1_000]
near = st.builds(
    lambda border, off: max(0, border + off),
    st.sampled_from([0, CHUNK, 2 * CHUNK, 3 * CHUNK, 3 * CHUNK + 1_000]),
    st.integers(-20, 20),
)


@given(st.sampled_from(SIZES), near, st.one_of(st.none(), near))
def test_any_range_of_any_object_is_that_of_its_content(store_of_sizes, size, start, length):
    end = size if length is None else start + length
    assert content_of(store_of_sizes, f"files/{size}", start, length) == CONTENT[:size][start:end]


@given(st.integers(0, 10 * CHUNK))
def test_the_size_of_the_content_follows_from_that_of_the_file(size):
    chunks = max(1, -(-size // CHUNK))
    head = MAGIC + b"\1" + bytes(HEADER - len(MAGIC) - 1)
    assert Form.of(head, HEADER + size + chunks * TAG).size == size


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 30))
def test_pieces_are_cut_anew_without_a_loss(pieces, size):
    whole = b"".join(pieces)
    cut = [(bytes(piece), last) for piece, last in exactly(pieces, size)]
    assert b"".join(piece for piece, _ in cut) == whole
    assert [last for _, last in cut] == [False] * (len(cut) - 1) + [True]
    assert all(len(piece) == size for piece, _ in cut[:-1])
    assert cut[-1][0] or not whole
    together = [bytes(piece) for piece in at_least(pieces, size)]
    assert b"".join(together) == whole
    assert all(len(piece) >= size for piece, _ in pairwise(together))
