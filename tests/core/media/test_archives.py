"""Zips are unpacked into nothing, under caps that no header can talk its way around (SEC-46)."""

import contextlib
import io
import random
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.media.archives import ARCHIVE, DOCUMENT, MIB, Caps, caps_of, check_archive, read_entry
from app.core.media.faults import ArchiveError, FileFault
from app.core.media.zip_directory import hides_zip, read_directory
from tests.fixtures import bad_zips as zips
from tests.fixtures.bad_files import ARCHIVES

LINE = b"2026-11-22 13:53:01 INFO request served in 12 ms\n"


def checked(content, caps=ARCHIVE):
    return check_archive(io.BytesIO(content), caps)


def refused(content, caps=ARCHIVE):
    with pytest.raises(ArchiveError) as caught:
        checked(content, caps)
    return caught.value.code


@pytest.mark.parametrize("bad", ARCHIVES, ids=str)
def test_sec_46_a_bad_archive_is_refused(bad):
    assert refused(bad.content, DOCUMENT if bad.filename.endswith("docx") else ARCHIVE) == bad.code


def test_an_ordinary_archive_passes():
    content = zips.zip_of([("a/", b""), ("a/b.txt", b"hello"), ("\u5831\u544a.txt", b"!" * 70_000)])
    assert checked(content) == 70_005


@pytest.mark.parametrize("content", [zips.many(0), zips.many(1_000), zips.word(), zips.open_document()])
def test_empty_full_and_documents(content):
    checked(content)


def test_packed_text_may_shrink_as_text_does():
    """Twenty megabytes of a log become a hundredth, and nobody is harmed by twenty megabytes."""
    content = zips.zip_of([("a.log", LINE * (20 * MIB // len(LINE)))])
    assert len(content) * 100 < 20 * MIB
    assert checked(content) == 20 * MIB // len(LINE) * len(LINE)


def test_sec_46_above_the_free_size_ten_times_is_the_most():
    noise = random.Random(46).randbytes(4 * MIB)
    within = zips.zip_of([("noise", noise), ("zeros", bytes(30 * MIB))])
    assert checked(within) == 34 * MIB
    assert refused(zips.zip_of([("noise", noise), ("zeros", bytes(40 * MIB))])) == FileFault.archive_too_large


def test_sec_46_caps_count_over_all_layers():
    inner = zips.zip_of([("a.bin", bytes(9 * MIB))])
    assert checked(zips.zip_of([("a.zip", inner), ("b.zip", inner)])) > 18 * MIB
    assert refused(zips.zip_of((f"{n}.zip", inner) for n in range(3))) == FileFault.archive_too_large
    many = zips.many(400)
    assert refused(zips.zip_of((f"{n}.zip", many) for n in range(3))) == FileFault.archive_too_many_entries


def test_documents_in_archives_are_as_usual():
    checked(zips.zip_of([("a.docx", zips.word(more=[("word/embeddings/b.xlsx", zips.word())]))]))


@pytest.mark.parametrize("layers", [3, 4, 9])
def test_sec_46_an_archive_in_an_archive_has_an_end(layers):
    assert checked(zips.nested(layers - 1 if layers < 4 else 2, copies=1))
    assert refused(zips.nested(layers + 1, copies=1)) == FileFault.archive_nested_too_deep


@pytest.mark.parametrize(
    "bad",
    [bad for bad in ARCHIVES if bad.name in {"out_of_folder", "encrypted", "link_out", "bomb_that_lies"}],
    ids=str,
)
def test_sec_46_what_is_bad_outside_is_bad_inside(bad):
    assert refused(zips.zip_of([("a.zip", bad.content)])) == bad.code


def test_documents_may_have_more_parts():
    assert checked(zips.many(4_000), DOCUMENT) == 0
    assert refused(zips.many(5_001), DOCUMENT) == FileFault.archive_too_many_entries


def test_a_writer_that_streams_puts_sizes_behind():
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.kept = bytearray()

        def writable(self):
            return True

        def write(self, data):
            self.kept += data
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"hello" * 100)
        archive.writestr("b.txt", b"world")
    assert checked(bytes(pipe.kept)) == 505


def test_sizes_of_more_than_32_bits_are_understood():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a.txt", "w", force_zip64=True) as entry:
        entry.write(b"hello")
    assert checked(out.getvalue()) == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made[:30] + b"X" + made[31:],  # another name inside
        lambda made: made[:8] + b"\x08\0" + made[10:],  # another method
        lambda made: made[:6] + b"\x01\0" + made[8:],  # encrypted inside only
        lambda made: made[:14] + b"\xff" * 4 + made[18:60] + b"?" + made[61:],  # other content
        lambda made: made[:-12] + struct.pack("<H", 2) + made[-10:],  # two entries, it says
        lambda made: made[:-6] + struct.pack("<I", 9) + made[-2:],  # the directory elsewhere
        lambda made: made[:-18] + b"\1\0" + made[-16:],  # one disk of several
        lambda made: made[:40] + made[41:],
        lambda made: b"x" + made,
        lambda made: made + b"x",
    ],
)
def test_sec_46_headers_that_disagree_are_damage(change):
    made = zips.zip_of([("a.txt", "A" * 40)], method=zipfile.ZIP_STORED)
    assert checked(made) == 40
    assert refused(change(made)) == FileFault.archive_damaged


def test_sec_46_two_entries_have_two_names():
    with pytest.warns(UserWarning, match="Duplicate"):
        made = zips.zip_of([("a.txt", "1"), ("a.txt", "2")])
    assert refused(made) == FileFault.archive_damaged


# Made once: the time of making is in it, and with that its length would differ from one example to the next.
NESTED = zips.zip_of([("a.txt", LINE * 9), ("b.zip", zips.many(2))])


@settings(max_examples=200)
@given(st.data())
def test_sec_46_no_damage_makes_it_stumble(data):
    made = bytearray(NESTED)
    for _ in range(data.draw(st.integers(1, 5))):
        made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))
    # Most damage is found; some is in what nobody reads: times, comments.
    with contextlib.suppress(ArchiveError):
        assert checked(bytes(made)) <= ARCHIVE.expanded


def test_one_entry_is_read_as_far_as_asked():
    stream = io.BytesIO(zips.zip_of([("a.txt", LINE * 9_000), ("b.txt", b"b")]))
    directory = read_directory(stream, 9)
    assert read_entry(stream, directory, "a.txt", 10) == LINE[:10]
    assert read_entry(stream, directory, "b.txt", 10) == b"b"
    assert read_entry(stream, directory, "c.txt", 10) == b""


def test_a_zip_is_seen_behind_anything():
    assert hides_zip(io.BytesIO(b"GIF89a" + zips.many(1)))
    assert hides_zip(io.BytesIO(b"GIF89a" + zips.many(1) + bytes(30)))
    assert not hides_zip(io.BytesIO(b"PK\x05\x06 is how a directory ends"))
    assert not hides_zip(io.BytesIO(b""))


def test_sec_46_false_ends_in_a_comment_do_not_keep_us_busy():
    """Thousands of them in each of a thousand zips in a zip of some kilobytes would take minutes."""
    with_comment = io.BytesIO(zips.zip_of([("a.txt", b"hello")]))
    with zipfile.ZipFile(with_comment, "a") as archive:
        archive.comment = b"PK\x05\x06" * 4_000 + bytes(40_000) + b"!"
    assert refused(with_comment.getvalue()) == FileFault.archive_damaged
    assert hides_zip(io.BytesIO(b"picture" + with_comment.getvalue()))


def test_a_few_false_ends_are_chance():
    with_comment = io.BytesIO(zips.zip_of([("a.txt", b"hello")]))
    with zipfile.ZipFile(with_comment, "a") as archive:
        archive.comment = (b"PK\x05\x06" + bytes(18) + b".") * 8
    assert checked(with_comment.getvalue()) == 5


def test_every_type_that_is_a_zip_has_caps():
    assert caps_of("application/zip") is ARCHIVE
    assert caps_of(zips.WORD) is DOCUMENT
    assert caps_of("application/vnd.oasis.opendocument.text") is DOCUMENT
    assert caps_of("application/vnd.ms-excel") is None
    assert caps_of("image/png") is None


def test_caps_are_what_the_requirement_says():
    assert (ARCHIVE.entries, ARCHIVE.expanded, ARCHIVE.ratio) == (1_000, 100 * MIB, 10)
    assert Caps(expanded=5).expanded == 5
    assert refused(zips.zip_of([("a", b"123456")]), Caps(expanded=5)) == FileFault.archive_too_large
