"""A picture's file is a picture to its last byte, but for what phones put there (SEC-46)."""

import io
import struct

import pytest

from app.config_files import TYPES
from app.core.errors import AppError
from app.core.media.types import judge
from tests.fixtures.good_files import mp4, refusal, type_of
from tests.fixtures.pictures import chunk, gif_of, photo, png_of, saved, upright


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


class Counted(io.BytesIO):
    reads = 0

    def read(self, length=-1):
        self.reads += 1
        return super().read(length)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.gif", gif_of(1, 1)[:-1] + b"!\xfe\0" * 2**20 + b";"),
        ("a.png", png_of(1, 1)[:-12] + chunk(b"tEXt", b"") * 2**19 + chunk(b"IEND", b"")),
        ("a.jpg", photo()[:2] + b"\xff\xda\0\2" * 2**20 + photo()[2:]),
        ("a.jpg", photo()[:2] + b"\xff" * 2**22 + photo()[2:]),
        ("a.jpg", photo() + photo(size=(8, 8)) * 5_000),
    ],
    ids=["gif", "png", "jpeg", "filling", "previews"],
)
def test_sec_46_millions_of_parts_are_not_walked(name, content):
    stream = Counted(content)
    with pytest.raises(AppError):
        judge(name, None, stream, len(content), TYPES)
    assert stream.reads < 250_000


def test_sec_46_a_gif_has_no_more_blocks_than_its_content_needs():
    """Each costs a step of the walk: a file of nothing but the smallest ones took seconds."""
    whole, large = gif_of(1, 1), b"\xff" + bytes(255)
    few, many = b"\1\0" * 100_000, b"\1\0" * 110_000
    assert type_of("a.gif", whole[:-1] + b"!\xfe" + few + b"\0;") == "image/gif"
    assert "is cut off or damaged" in refusal("a.gif", whole[:-1] + b"!\xfe" + many + b"\0;")
    halves = 2 * (b"!\xfe" + many[:110_000] + b"\0")
    assert "is cut off or damaged" in refusal("a.gif", whole[:-1] + halves + b";"), "they count over all rows"
    ordinary = b"!\xfe" + many + large * 30_000 + b"\0;"
    assert type_of("a.gif", whole[:-1] + ordinary) == "image/gif", "a large file may have more"
