"""Previews of pictures: small, upright, in sRGB, and free of all that the camera wrote down (SEC-46).

To be run by the child of guarded.py, never in a process that serves others: decoders are large programs in C that read
what strangers made.
"""

import io
import warnings
from collections.abc import Sequence
from typing import BinaryIO, cast

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from app.core.media.boxes import box_kinds
from app.core.media.faults import FileFault, PictureError
from app.core.media.picture_files import gif_frames
from app.core.media.previews import SIZES, Preview
from app.core.media.reading import read_at, size_of

MOST_PIXELS = 50_000_000
LONGEST_SIDE = 20_000
MOST_FRAMES = 2_000
MOST_PLAYED = 40 * MOST_PIXELS
"""Pixels of all frames of an animation: what a phone is made to decode by looking at it."""
# Named one by one: left to itself Pillow loads forty decoders, some of them for formats nobody has seen in years.
# A JPEG of several pictures (MPO) is opened as a JPEG.
_FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        GifImagePlugin.GifImageFile,
        WebPImagePlugin.WebPImageFile,
        AvifImagePlugin.AvifImageFile,
        TiffImagePlugin.TiffImageFile,
        BmpImagePlugin.BmpImageFile,
    )
)
# Pillow raises at twice this number, in some decoders before it allocates anything.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2
# By default as many as there are cores, each with address space of its own.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
_LARGEST_PROFILE = 4 * 2**20
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each orientation (Exif 2.32, 4.6.4)."""
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def make_previews(stream: BinaryIO, sizes: Sequence[int] = SIZES) -> list[Preview]:
    """A preview for each size, which is the longest side; a smaller picture stays as small as it is.

    Of an animation or of several pages it shows the first one.

    Raises:
        PictureError: ``picture_too_large`` before anything is decoded, ``picture_damaged``, ``picture_unreadable``,
            or ``no_decoder`` for a format that is known and cannot be read here.
    """
    with warnings.catch_warnings():
        # Of damaged metadata, and of pictures between half the cap and the cap.
        warnings.simplefilter("ignore")
        try:
            return _previews(stream, sizes)
        except PictureError:
            raise
        except (Image.DecompressionBombError, MemoryError):
            raise too_large() from None
        except UnidentifiedImageError:
            raise _unknown(stream) from None
        except Exception as error:  # decoders raise whatever they stumble over
            raise PictureError(FileFault.picture_damaged, "The picture is damaged.") from error


def too_large() -> PictureError:
    """The picture is more than anybody could look at."""
    return PictureError(
        FileFault.picture_too_large,
        f"The picture has more than {MOST_PIXELS // 1_000_000} megapixels, a side of more than {LONGEST_SIDE:,} pixels, "
        f"or more than {MOST_FRAMES:,} frames.",
    )


def _previews(stream: BinaryIO, sizes: Sequence[int]) -> list[Preview]:
    with Image.open(stream, formats=_FORMATS) as image:
        _check_size(image, stream)
        widest = 2 * max(sizes)
        if image.format in {"JPEG", "MPO"}:
            # The decoder leaves out what a smaller picture does not show: a sixteenth of the memory or less.
            image.draft(image.mode, (widest, widest))
        image.load()
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
        profile = image.info.get("icc_profile")
        small = _simple(image)
    factor = max(small.size) // widest
    if factor > 1:
        small = small.reduce(factor)
    small = _srgb(small, profile)
    if turn is not None:
        small = small.transpose(turn)
    return [_preview(small, size) for size in sizes]


def _check_size(image: Image.Image, stream: BinaryIO) -> None:
    pixels = image.width * image.height
    if image.format == "GIF":
        # Pillow counts as far as there are any, and takes a minute for millions of empty ones.
        frames, _ = gif_frames(stream, size_of(stream), MOST_FRAMES)
    else:
        frames = getattr(image, "n_frames", 1) if image.format in {"PNG", "WEBP", "AVIF"} else 1
    if (
        pixels > MOST_PIXELS
        or max(image.size) > LONGEST_SIDE
        or frames > MOST_FRAMES
        or frames * pixels > MOST_PLAYED
    ):
        raise too_large()


def _simple(image: Image.Image) -> Image.Image:
    """The picture in one of the modes L, RGB, RGBA, CMYK and LAB, eight bits a channel."""
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value / 257).convert("L")
    if image.mode in {"I", "F"}:
        low, high = cast("tuple[float, float]", image.getextrema())  # one pair: there is one channel
        scale = 255 / (high - low) if high > low else 1
        return image.point(lambda value: value * scale - low * scale).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image.copy() if image.mode in {"L", "RGB", "CMYK", "LAB"} else image.convert("RGB")


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as every screen shows them, so that the profile need not go along. A faulty profile is left aside."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if image.mode == "LAB":
        return _converted(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), mode)
    if profile and len(profile) <= _LARGEST_PROFILE:
        try:
            return _converted(image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), mode)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return image if image.mode == mode else image.convert(mode)


def _converted(image: Image.Image, profile: ImageCms.ImageCmsProfile, mode: str) -> Image.Image:
    found = ImageCms.profileToProfile(image, profile, _SRGB, outputMode=mode)
    return image if found is None else found


def _preview(image: Image.Image, size: int) -> Preview:
    scale = min(1.0, size / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    # Asked for its own size Pillow hands out a copy.
    small = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    if small.mode == "RGBA" and _opaque(small):
        small = small.convert("RGB")
    small.info = {}
    out = io.BytesIO()
    small.save(out, "WEBP", quality=80, method=4)
    return Preview(width, height, out.getvalue())


def _opaque(image: Image.Image) -> bool:
    low = image.getchannel("A").getextrema()[0]
    return low == 255


def _unknown(stream: BinaryIO) -> PictureError:
    if box_kinds(read_at(stream, 0, 4_096)) & {"image/heic", "image/avif"}:
        return PictureError(FileFault.no_decoder, "No preview can be made of this format here.")
    return PictureError(FileFault.picture_unreadable, "The file is no picture that can be read.")
