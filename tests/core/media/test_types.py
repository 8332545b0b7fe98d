"""What a file is: name, content and sender must agree, and pictures end where they end (SEC-46)."""

import io
import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.config_files import TYPES
from app.core.errors import AppError, Code
from app.core.media.archives import ARCHIVE
from app.core.media.names import clean_name
from app.core.media.types import judge
from tests.fixtures import bad_files, bad_zips
from tests.fixtures.bad_files import BAD_FILES
from tests.fixtures.pictures import chunk, photo, pictures, png_of, saved, see_through, upright

PDF = bad_files._PDF
XML = b"<?xml version='1.0'?><a>1</a>"
HEIC = struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"heic", 0, b"mif1", b"heic") + struct.pack(">I4s", 8, b"mdat")


def mp4(brand, *others):
    first = struct.pack(">I4s4sI", 16 + 4 * len(others), b"ftyp", brand, 0) + b"".join(others)
    return first + struct.pack(">I4s", 12, b"moov") + b"0123" + struct.pack(">I4sQ", 1, b"mdat", 20) + b"0123"


def mp3(*, tag=b""):
    frame = b"\xff\xfb\x90\x00" + bytes(413)
    return tag + frame * 3


def webm():
    return (
        b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm"
        + bytes(99)
    )


def type_of(name, content, declared=None, allowed=TYPES):
    return judge(name, declared, io.BytesIO(content), len(content), allowed)


def refusal(name, content, declared=None, allowed=TYPES):
    with pytest.raises(AppError) as refused:
        type_of(name, content, declared, allowed)
    assert refused.value.code == Code.file_type_not_allowed
    return refused.value.detail


def outcome(name, content):
    try:
        return type_of(name, content)
    except AppError as refused:
        return refused.code


WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
GOOD = [
    *((picture.filename, picture.content, picture.media_type) for picture in pictures()),
    ("a.bmp", saved(upright(), "BMP"), "image/bmp"),
    ("a.avif", saved(upright(40, 30), "AVIF"), "image/avif"),
    ("a.heic", HEIC, "image/heic"),
    ("a.pdf", PDF, "application/pdf"),
    ("a.zip", bad_zips.many(3), "application/zip"),
    ("a.zip", bad_zips.many(0), "application/zip"),
    ("a.json", b'{"a": 1}', "application/json"),
    ("a.json", b" [1]", "application/json"),
    ("a.txt", "Grüße, 報告".encode(), "text/plain"),
    ("a.txt", b"\xef\xbb\xbfhello", "text/plain"),
    ("a.txt", b"MZ is how it begins", "text/plain"),
    ("a.txt", b"BM is how it begins, and goes on for a while", "text/plain"),
    ("a.log", b"\x1b[31merror\x1b[0m 1 < 2", "text/plain"),
    ("a.csv", b"name;age\nAlice;41\n", "text/csv"),
    ("a.md", b'<p align="center">Kelp</p>\n\n# Kelp', "text/markdown"),
    ("a.md", b"Put `<script>` there", "text/markdown"),
    ("a.docx", bad_zips.word(), WORD),
    ("a.odt", bad_zips.open_document(), "application/vnd.oasis.opendocument.text"),
    ("a.ods", bad_zips.open_document("spreadsheet"), "application/vnd.oasis.opendocument.spreadsheet"),
    ("a.doc", bad_zips.old_document("WordDocument", "1Table"), "application/msword"),
    ("a.xls", bad_zips.old_document("Workbook"), "application/vnd.ms-excel"),
    ("a.ppt", bad_zips.old_document("a", "b", "c", "PowerPoint Document"), "application/vnd.ms-powerpoint"),
    ("a.mp3", mp3(), "audio/mpeg"),
    ("a.mp3", mp3(tag=b"ID3\x04\0\0\0\0\x01\x00" + bytes(128)), "audio/mpeg"),
    ("a.wav", b"RIFF\x24\0\0\0WAVEfmt " + bytes(30), "audio/wav"),
    ("a.ogg", b"OggS" + bytes(60), "audio/ogg"),
    ("a.m4a", mp4(b"M4A "), "audio/mp4"),
    ("a.m4a", mp4(b"mp42"), "audio/mp4"),
    ("a.mp4", mp4(b"isom", b"mp41"), "video/mp4"),
    ("a.mov", mp4(b"qt  "), "video/quicktime"),
    ("a.mov", struct.pack(">I4s", 8, b"wide") + struct.pack(">I4s", 0, b"mdat") + b"1234", "video/quicktime"),
    ("a.webm", webm(), "video/webm"),
]  # fmt: skip


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


@pytest.mark.parametrize("beginning", [
    b"<script src=x>", b"<HTML>", b"<!doctype HTML >", b"<iframe/src=x>", b"<body onload=x>", b"<style>", b"<title>x",
    b"<head\n>", b"<meta a>", b"\xef\xbb\xbf\n\n <html>", b"<embed >", b"<svg onload=x>", b"<?xml version='1.0'?>",
    b"<?PHP x", b"<?= x", b"#!/usr/bin/env python", b"<table><script>", b"<!-- --><script>",
])  # fmt: skip
@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
def test_sec_46_text_that_begins_like_a_page_is_none(name, beginning):
    refusal(name, beginning + b" and more of it", "text/plain")


@pytest.mark.parametrize("place", [0, 70_000, 150_000, 299_990])
def test_sec_46_text_has_no_nul_where_it_is_looked_at(place):
    content = bytearray(b"a line of text\n" * 20_000)
    assert type_of("a.txt", bytes(content)) == "text/plain"
    # Between the samples nobody looks.
    if place != 70_000:
        content[place] = 0
        refusal("a.txt", bytes(content))


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<#%"), min_size=1, max_size=50)
)
@settings(max_examples=100)
def test_any_words_are_text_wherever_samples_begin(words):
    content = ("Kelp: " + words * (200_000 // len(words.encode()))).encode()
    assert type_of("a.txt", content) == "text/plain"


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


@pytest.mark.parametrize(
    "script",
    [
        b"<script/>",
        b"<s:script x='y'/>",
        b"<a xmlns='http://www.w3.org/1999/xhtml'/>",
        b"<?xml-stylesheet a?>",
        b"<!ENTITY a 'b'>",
    ],
)
@pytest.mark.parametrize("far", [0, 2**18 - 20, 2**19])
def test_sec_46_xml_that_can_run_is_no_xml(script, far):
    refusal("a.xml", b"<?xml version='1.0'?><a>" + b" " * far + script + b"</a>", None, ["application/xml"])


def seft(payload=b"kelp"):
    """What Samsung's cameras append to every photo."""
    directory = b"SEFH" + struct.pack("<IIHHII", 107, 1, 0, 0x0A01, len(payload), len(payload))
    return payload + directory + struct.pack("<I", len(directory)) + b"SEFT"


@pytest.mark.parametrize(
    "behind",
    [b"\0" * 40, photo(), b"\0" * 8 + photo() + photo(), mp4(b"mp42"), seft(), photo() + seft()],
    ids=["padding", "preview", "previews", "motion", "samsung", "preview_and_samsung"],
)
def test_what_phones_put_behind_a_photo_is_taken(behind):
    assert type_of("a.jpg", photo() + behind) == "image/jpeg"


@pytest.mark.parametrize(
    "behind",
    [b"<script>", b"\0" * 70_000, mp4(b"mp42") + b"x", b"x" + seft(), seft()[:-1], photo()[:-50], b"\0<?php"],
    ids=["script", "much", "motion_and_more", "more_than_samsung", "broken", "half_a_picture", "php"],
)
def test_sec_46_nothing_else_is_behind_a_photo(behind):
    refusal("a.jpg", photo() + behind)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "BMP", "AVIF"])
def test_sec_46_nothing_is_behind_a_picture(kind):
    content, name = saved(upright(40, 30), kind), f"a.{kind.lower()}"
    assert type_of(name, content) == f"image/{kind.lower()}"
    refusal(name, content + b"\n<script>alert(1)</script>")
    refusal(name, content[:-10])


def test_sec_46_parts_of_a_png_have_names_and_lengths():
    refusal("a.png", png_of(1, 1, before=b"\xff" * 12))
    refusal("a.png", png_of(1, 1)[:33] + chunk(b"IEND", b""))
    assert type_of("a.png", png_of(1, 1, before=chunk(b"tEXt", b"Comment\0<script>"))) == "image/png"


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


def test_json_must_begin_as_json():
    refusal("a.json", b"hello")
    assert type_of("a.json", json.dumps(None).encode()) == "application/json"
