"""Media types: what their files' names end with, and what else they are called.

A type that an operator lists and that is not here is known by puremagic's signatures (types.py).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

UNDECLARED = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-binary"})
"""What clients say that do not know."""
_OPEN = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"
TEXTS = frozenset({"text/plain", "text/csv", "text/markdown", "application/json"})


class Kind(NamedTuple):
    """Attributes: extensions: the usual one first. aliases: other names of the type that clients send."""

    extensions: tuple[str, ...]
    aliases: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "image/png": Kind((".png",), ("image/x-png", "image/apng")),
    "image/jpeg": Kind((".jpg", ".jpeg", ".jpe", ".jfif"), ("image/jpg", "image/pjpeg")),
    "image/gif": Kind((".gif",)),
    "image/webp": Kind((".webp",)),
    "image/heic": Kind((".heic", ".heif", ".hif"), ("image/heif", "image/heic-sequence", "image/heif-sequence")),
    "image/tiff": Kind((".tif", ".tiff"), ("image/tif", "image/x-tiff")),
    "image/bmp": Kind((".bmp", ".dib"), ("image/x-bmp", "image/x-ms-bmp", "image/x-windows-bmp")),
    "image/avif": Kind((".avif",), ("image/avif-sequence",)),
    "application/pdf": Kind((".pdf",), ("application/x-pdf",)),
    "application/zip": Kind((".zip",), ("application/x-zip-compressed", "application/x-zip")),
    "application/json": Kind((".json",), ("text/json", "application/x-json")),
    "text/plain": Kind((".txt", ".text", ".log")),
    "text/csv": Kind((".csv",), ("application/csv", "text/x-csv", "text/comma-separated-values")),
    "text/markdown": Kind((".md", ".markdown"), ("text/x-markdown", "text/x-web-markdown")),
    "application/msword": Kind((".doc",)),
    "application/vnd.ms-excel": Kind((".xls",), ("application/msexcel", "application/x-msexcel")),
    "application/vnd.ms-powerpoint": Kind((".ppt",), ("application/mspowerpoint",)),
    f"{_OPEN}.wordprocessingml.document": Kind((".docx",)),
    f"{_OPEN}.spreadsheetml.sheet": Kind((".xlsx",)),
    f"{_OPEN}.presentationml.presentation": Kind((".pptx",)),
    f"{_ODF}.text": Kind((".odt",)),
    f"{_ODF}.spreadsheet": Kind((".ods",)),
    f"{_ODF}.presentation": Kind((".odp",)),
    "audio/mpeg": Kind((".mp3",), ("audio/mp3", "audio/x-mp3", "audio/x-mpeg", "audio/mpeg3")),
    "audio/wav": Kind((".wav", ".wave"), ("audio/x-wav", "audio/wave", "audio/vnd.wave")),
    "audio/ogg": Kind((".ogg", ".oga", ".opus"), ("audio/opus", "application/ogg", "audio/x-ogg", "audio/vorbis")),
    "audio/mp4": Kind((".m4a", ".m4b"), ("audio/x-m4a", "audio/m4a", "audio/aac", "audio/mp4a-latm")),
    "video/mp4": Kind((".mp4", ".m4v"), ("video/x-m4v", "application/mp4")),
    "video/quicktime": Kind((".mov", ".qt")),
    "video/webm": Kind((".webm",)),
    # What only an operator can allow, by its exact name.
    "text/html": Kind((".html", ".htm", ".shtml"), ("application/xhtml+xml",)),
    "image/svg+xml": Kind((".svg",)),
    "application/xml": Kind((".xml",), ("text/xml",)),
    "application/x-httpd-php": Kind((".php", ".phtml"), ("text/x-php", "application/x-php")),
    "text/x-shellscript": Kind((".sh", ".py", ".pl", ".rb"), ("application/x-sh", "text/x-python")),
    "application/vnd.microsoft.portable-executable": Kind(
        (".exe", ".dll", ".scr", ".com"), ("application/x-msdownload", "application/x-dosexec", "application/x-msdos-program")
    ),
    "application/x-executable": Kind((".so", ".elf", ".bin", ".o"), ("application/x-elf", "application/x-sharedlib")),
    "application/x-mach-binary": Kind((".dylib", ".macho"), ("application/x-mach-o",)),
    "application/java-vm": Kind((".class",), ("application/x-java-class",)),
    "application/java-archive": Kind((".jar", ".war", ".ear"), ("application/x-java-archive",)),
    "application/vnd.android.package-archive": Kind((".apk",)),
    "application/epub+zip": Kind((".epub",)),
    "application/vnd.ms-word.document.macroenabled.12": Kind((".docm",)),
    "application/vnd.ms-excel.sheet.macroenabled.12": Kind((".xlsm",)),
    "application/vnd.ms-powerpoint.presentation.macroenabled.12": Kind((".pptm",)),
    "application/x-msi": Kind((".msi",)),
}  # fmt: skip
_ALIASES = {alias: kind for kind, facts in KINDS.items() for alias in facts.aliases}
_EXTENSIONS = {ending: kind for kind, facts in KINDS.items() for ending in facts.extensions}


def canonical(media_type: str) -> str:
    """The type by its usual name, without parameters and in small letters."""
    plain = media_type.split(";", 1)[0].strip().lower()
    return _ALIASES.get(plain, plain)


def kind_of_extension(ending: str) -> str | None:
    """The one type whose files end so, if it is known here."""
    return _EXTENSIONS.get(ending)


def endings(allowed: Iterable[str]) -> str:
    """What may be sent, as people know it: .png, .jpg and so on."""
    return ", ".join(KINDS[kind].extensions[0] if kind in KINDS else kind for kind in map(canonical, allowed))
