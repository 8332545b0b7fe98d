"""Previews: upright, small, without what the camera wrote, and by a child that may die (SEC-46)."""

import io
import os
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from app.core.media import guarded
from app.core.media.faults import FileFault, PictureError
from app.core.media.guarded import Limits, previews_of
from app.core.media.pictures import make_previews
from tests.fixtures import pictures as made
from tests.fixtures.bad_files import PICTURES

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08mdat"
PHOTOS = [picture for picture in made.pictures() if picture.filename not in {"deep.png", "see_through.png"}]


def opened(preview):
    image = Image.open(io.BytesIO(preview.data))
    assert (image.format, image.size) == ("WEBP", (preview.width, preview.height))
    return image


def near(pixel, colour):
    return all(abs(one - other) < 40 for one, other in zip(pixel, colour, strict=False))


def corners(image):
    """The colours at the top left, the top right, the bottom left and the bottom right."""
    width, height = image.size
    places = [(5, 5), (width - 6, 5), (5, height - 6), (width - 6, height - 6)]
    return [image.convert("RGB").getpixel(place) for place in places]


def fault(content, *, by=make_previews, **options):
    with pytest.raises(PictureError) as caught:
        by(io.BytesIO(content), **options)
    return caught.value.code


@pytest.mark.parametrize("picture", PHOTOS, ids=lambda picture: picture.filename)
def test_pictures_stand_upright(picture):
    small, large = (opened(preview) for preview in make_previews(io.BytesIO(picture.content)))
    assert (small.size, large.size) == ((256, 192), picture.size)
    for image in (small, large):
        found = corners(image)
        assert all(map(near, found, [made.RED, made.GREEN, made.BLUE, made.WHITE])), found


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_orientation_of_every_format_is_undone(turn, kind):
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    held = made.upright(160, 120)
    if turn > 1:
        held = held.transpose(Image.Transpose(undo[turn]))
    exif = Image.Exif()
    exif[made.ORIENTATION] = turn
    (preview,) = make_previews(io.BytesIO(made.saved(held, kind, exif=exif, quality=95)), [256])
    image = opened(preview)
    assert image.size == (160, 120)
    assert all(map(near, corners(image), [made.RED, made.GREEN, made.BLUE, made.WHITE]))


@pytest.mark.parametrize("picture", made.pictures(), ids=lambda picture: picture.filename)
def test_sec_46_nothing_of_the_camera_is_kept(picture):
    for preview in make_previews(io.BytesIO(picture.content)):
        image = opened(preview)
        assert not dict(image.getexif())
        assert not {"exif", "icc_profile", "xmp", "comment"} & set(image.info)
        assert b"Kelp" not in preview.data


def test_the_test_picture_knows_where_it_was_taken():
    content = next(picture.content for picture in made.pictures() if picture.filename == "where.jpg")
    image = Image.open(io.BytesIO(content))
    assert image.getexif().get_ifd(made.GPS)[1] == "N"
    assert image.info["icc_profile"]


def test_what_is_seen_through_stays_so():
    image = opened(make_previews(io.BytesIO(made.see_through()))[1])
    assert image.mode == "RGBA"
    assert image.getpixel((395, 295))[3] == 0
    assert image.getpixel((5, 5))[3] == 255


@pytest.mark.parametrize(
    "mode", ["L", "LA", "P", "PA", "1", "RGB", "RGBA", "I", "I;16", "F", "CMYK", "YCbCr", "LAB"]
)
def test_every_kind_of_pixel_is_shown(mode):
    image = (
        made.upright(mode="L").convert(mode)
        if mode in {"I", "I;16", "F", "LA"}
        else made.upright().convert("RGBA" if mode == "PA" else "RGB")
    )
    if mode == "LAB":
        image = ImageCms.profileToProfile(
            image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    kind = "TIFF" if mode in {"CMYK", "YCbCr", "LAB", "F", "I", "PA"} else "PNG"
    image = image if mode in {image.mode, "PA"} else image.convert(mode)
    found = corners(opened(make_previews(io.BytesIO(made.saved(image, kind)))[1]))
    assert near(found[3], made.WHITE) or mode == "I;16"
    if mode in {"P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB"}:
        assert all(map(near, found, [made.RED, made.GREEN, made.BLUE, made.WHITE])), found


def test_sixteen_bits_become_eight():
    image = opened(make_previews(io.BytesIO(made.deep()))[1]).convert("L")
    assert [round(image.getpixel((x, 30)) / 64) for x in (0, 64, 128, 192, 255)] == [0, 1, 2, 3, 4]


def test_a_palette_with_a_hole_keeps_it():
    image = made.upright(mode="P")
    content = made.saved(image, "GIF", transparency=image.getpixel((395, 295)))
    assert opened(make_previews(io.BytesIO(content))[1]).getpixel((395, 295))[3] == 0


def test_of_an_animation_the_first_picture_is_shown():
    found = corners(opened(make_previews(io.BytesIO(made.animation(5)))[1]))
    assert near(found[0], made.RED)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (255, 255), (4_000, 7), (1, 19_000), (3_000, 2_000)])
def test_pictures_are_made_smaller_and_never_larger(size):
    for preview, longest in zip(
        make_previews(io.BytesIO(made.saved(Image.new("RGB", size), "PNG"))), (256, 1024), strict=True
    ):
        assert max(preview.width, preview.height) == min(longest, max(size))
        assert min(preview.width, preview.height) >= 1
        opened(preview)


def test_colours_of_another_profile_become_those_of_screens():
    """A profile that swaps nothing leaves the picture, a broken one is left aside."""
    content = made.saved(made.upright(), "PNG", icc_profile=b"no profile at all")
    found = corners(opened(make_previews(io.BytesIO(content))[1]))
    assert all(map(near, found, [made.RED, made.GREEN, made.BLUE, made.WHITE]))


@pytest.mark.parametrize("bad", PICTURES, ids=str)
@pytest.mark.parametrize("by", [make_previews, previews_of])
def test_sec_46_a_bad_picture_ends_with_its_code(bad, by):
    assert fault(bad.content, by=by) == bad.code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", FileFault.picture_unreadable),
        (b"hello", FileFault.picture_unreadable),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", FileFault.picture_unreadable),
        (HEIC, FileFault.no_decoder),
        (made.photo()[:2_000], FileFault.picture_damaged),
        (made.see_through()[:-40], FileFault.picture_damaged),
        (made.png_of(2, 2, before=made.chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**26)))), FileFault.picture_damaged),
        (b"\xff\xd8\xff\xe0", FileFault.picture_unreadable),
        (made.saved(made.upright(), "WEBP")[:-30], FileFault.picture_damaged),
    ],
    ids=["empty", "text", "postscript", "heic", "jpeg", "png", "text_bomb", "four_bytes", "webp"],
)  # fmt: skip
def test_sec_46_what_cannot_be_shown_says_why(content, code):
    assert fault(content) == code


def test_the_child_makes_the_same():
    picture = made.photo(6, gps=True)
    assert previews_of(io.BytesIO(picture)) == make_previews(io.BytesIO(picture))
    (one,) = previews_of(io.BytesIO(picture), [64])
    assert (one.width, one.height) == (64, 48)


def test_a_picture_is_read_from_its_start():
    stream = io.BytesIO(made.photo())
    stream.seek(0, 2)
    assert len(previews_of(stream)) == 2


def test_sec_46_a_child_without_memory_ends_alone():
    assert fault(
        made.saved(Image.new("RGB", (4_000, 4_000)), "PNG", compress_level=1),
        by=previews_of,
        limits=Limits(memory=2**27),
    ) in {
        FileFault.picture_too_large,
        FileFault.processing_failed,
    }


def test_sec_46_a_child_that_takes_too_long_is_ended():
    content = made.photo()
    assert fault(content, by=previews_of, limits=Limits(clock=0.001)) == FileFault.processing_failed


@pytest.mark.parametrize(
    "body",
    [
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "import time; time.sleep(60)",
        "while True: pass",
        "raise SystemExit(3)",
        "pass",
        "print('nonsense')",
        "print('[]')",
        'print(\'{"code": "made_up", "detail": 1}\')',
        "print('{\"previews\": []}')",
        "print('{\"previews\": [[1, 1, 4], [1, 1, -9]]}'); print('WEBP')",
        "print('{\"previews\": [[1, 1, 99999999999], [1, 1, 9]]}'); print('WEBP')",
        "print('[' * 100000)",
    ],
)
def test_sec_46_a_child_that_was_taken_over_harms_nobody(body, tmp_path, monkeypatch):
    child = tmp_path / "child.py"
    child.write_text(body)
    monkeypatch.setattr(guarded, "_CHILD", child)
    assert fault(made.photo(), by=previews_of, limits=Limits(clock=2)) == FileFault.processing_failed


def test_sec_46_the_child_knows_nothing_of_ours(tmp_path, monkeypatch):
    child = tmp_path / "child.py"
    seen = tmp_path / "seen"
    child.write_text(
        f"import os, sys; open({str(seen)!r}, 'w').write(repr((sorted(os.environ), os.listdir('/proc/self/fd'))))"
    )
    monkeypatch.setattr(guarded, "_CHILD", child)
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    with Path(os.devnull).open() as kept:
        os.set_inheritable(kept.fileno(), True)
        assert fault(made.photo(), by=previews_of) == FileFault.processing_failed
    names, descriptors = eval(seen.read_text())
    assert "DATABASE_URL" not in names
    # Its three, and the two that looking at them takes.
    assert len(descriptors) <= 5


def test_a_file_larger_than_any_picture_is_not_copied(monkeypatch):
    monkeypatch.setattr(guarded, "_LARGEST_FILE", 100)
    assert fault(made.photo(), by=previews_of) == FileFault.picture_too_large
