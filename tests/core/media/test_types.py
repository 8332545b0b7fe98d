"""What a file is: its name, its content and its sender must agree (SEC-46)."""

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.config_files import TYPES
from app.core.errors import Code
from app.core.media.archives import ARCHIVE
from app.core.media.names import clean_name
from app.core.media.types import judge
from tests.fixtures import bad_files, bad_zips
from tests.fixtures.bad_files import BAD_FILES
from tests.fixtures.good_files import GOOD, PDF, XML, mp3, mp4, outcome, refusal, type_of
from tests.fixtures.pictures import photo, see_through


@pytest.mark.parametrize(
    ("name", "content", "kind"), GOOD, ids=[f"{row[0]}-{n}" for n, row in enumerate(GOOD)]
)
@pytest.mark.parametrize("declared", [None, "", "application/octet-stream", "itself"])
def test_good_files_are_what_they_say(name, content, kind, declared):
    assert type_of(name, content, kind if declared == "itself" else declared) == kind


def test_every_type_that_may_be_kept_has_been_seen():
    seen = {kind for _, _, kind in GOOD}
    # The same list of parts with another main one.
    assert {kind for kind in TYPES if kind not in seen} == {
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.oasis.opendocument.presentation",
    }


@pytest.mark.parametrize(
    ("name", "content", "declared"),
    [
        ("A.JPG", photo(), "image/jpg"),
        ("a.jfif", photo(), "Image/JPEG; charset=binary"),
        ("a.zip", bad_zips.many(1), "application/x-zip-compressed"),
        ("a.md", b"# Kelp", "text/x-markdown"),
        ("a.md", b"# Kelp", "text/plain"),
        ("a.csv", b"a,b", "application/vnd.ms-excel"),
        ("a.mp3", mp3(), "audio/mp3"),
        ("a.m4a", mp4(b"M4A "), "audio/x-m4a"),
    ],
)
def test_other_names_of_a_type_are_known(name, content, declared):
    assert type_of(name, content, declared) in TYPES


@pytest.mark.parametrize("bad", [bad for bad in BAD_FILES if bad.code == Code.file_type_not_allowed], ids=str)
def test_sec_46_a_bad_file_is_refused(bad):
    refusal(clean_name(bad.filename), bad.content, bad.declared)


@pytest.mark.parametrize("bad", [bad for bad in BAD_FILES if bad.neutralised or bad.where != "type"], ids=str)
def test_sec_46_what_others_look_for_passes_here(bad):
    """A picture too large, an archive too large, a virus and a bad name are somebody else's to find."""
    assert type_of(clean_name(bad.filename), bad.content, bad.declared) in TYPES


@given(
    st.binary(min_size=1, max_size=300),
    st.sampled_from([".txt", ".png", ".jpg", ".gif", ".zip", ".doc", ".mp4", ".mp3", ".pdf"]),
)
@settings(max_examples=300)
def test_sec_46_no_bytes_make_it_stumble(content, ending):
    for start in (
        b"",
        b"GIF89a",
        b"\xff\xd8\xff",
        b"PK\x03\x04",
        b"\x89PNG\r\n\x1a\n",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"RIFF\x00\x00\x00\x00WEBP",
        b"ID3",
    ):
        assert outcome("a" + ending, start + content) in {*TYPES, Code.file_type_not_allowed}


@settings(max_examples=100)
@given(st.data())
def test_sec_46_no_damage_makes_it_stumble(data):
    name, content, _ = data.draw(st.sampled_from(GOOD))
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(1, len(damaged)))]
    assert outcome(name, bytes(damaged)) in {*TYPES, Code.file_type_not_allowed}


def test_a_refusal_says_what_differs_and_what_would_be_taken():
    assert refusal("a.png", photo(), "image/png", ["image/png", "text/csv"]) == (
        "The name ends with .png, but the content looks like image/jpeg. Taken are: .png, .csv."
    )
    assert refusal("a.png", see_through(), "image/gif").startswith(
        "It was sent as image/gif, but it is image/png."
    )
    assert refusal("a.png", see_through(), None, ["font/woff2"]) == (
        "Files of the type image/png are not taken. Taken are: font/woff2."
    )


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.svg", bad_files._DRAWING, "image/svg+xml"),
        ("a.html", bad_files._PAGE, "text/html"),
        ("a.xml", XML, "application/xml"),
        ("a.exe", bad_files._PE, "application/vnd.microsoft.portable-executable"),
        ("a.jar", bad_zips.program("META-INF/MANIFEST.MF"), "application/java-archive"),
        (
            "a.docm",
            bad_zips.word_with_macros(honest=True),
            "application/vnd.ms-word.document.macroEnabled.12",
        ),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(40), "application/x-7z-compressed"),
        ("a.flac", b"fLaC" + bytes(40), "audio/flac"),
        ("a.rtf", b"{\\rtf1 Kelp}", "application/rtf"),
        ("a.ics", b"BEGIN:VCALENDAR", "text/calendar"),
    ],
    ids=["svg", "html", "xml", "exe", "jar", "docm", "7z", "flac", "rtf", "ics"],
)
def test_sec_46_an_operator_allows_more_by_its_exact_type(name, content, kind):
    refusal(name, content)
    assert type_of(name, content, kind, [kind]).lower() == kind.lower()
    refusal(name, photo(), kind, [kind])


def test_a_large_file_is_never_read_whole():
    class Watched(io.BytesIO):
        seen = 0

        def read(self, length=-1):
            assert length >= 0
            self.seen += length
            return super().read(length)

    content = b"%PDF-1.7\n" + bytes(30 * 2**20) + PDF[-60:]
    stream = Watched(content)
    assert judge("a.pdf", None, stream, len(content), TYPES) == "application/pdf"
    assert stream.seen < 2**20


def test_a_directory_of_any_size_is_not_read():
    huge = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 9, 9, 2**31, 0, 0)
    refusal("a.zip", b"PK\x03\x04" + bytes(40) + huge)
    assert ARCHIVE.entries == 1_000
