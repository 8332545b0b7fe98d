"""The type of a file: what its name, its content and its sender say must agree (SEC-46, ASVS 5.2.2)."""

import mimetypes
from collections.abc import Sequence
from typing import BinaryIO

from app.core.errors import AppError, Code
from app.core.media.contents import broken_pdf, content_kinds, hides_pdf, kinds_by_ending, signature_kinds
from app.core.media.faults import ArchiveError
from app.core.media.kinds import KINDS, TEXTS, UNDECLARED, canonical, endings, kind_of_extension
from app.core.media.names import extension
from app.core.media.picture_files import broken_picture
from app.core.media.zip_directory import hides_zip

# Zips, and old documents, which may hold new ones.
_HOLD_ZIPS = (
    "application/zip",
    "application/java-archive",
    "application/epub+zip",
    "application/vnd.",
    "application/msword",
)
# What senders say of texts: they go by programs, not by files. Windows with Excel says this of a table.
_SAID_OF_TEXTS = {"text/plain", "application/vnd.ms-excel"}
_REGISTERED = mimetypes.MimeTypes()
"""What the standard library itself knows: what the machine's own lists say may differ from one to the other."""


def judge(name: str, declared: str | None, stream: BinaryIO, size: int, allowed: Sequence[str]) -> str:
    """The one media type that a file is.

    Args:
        name: as ``clean_name`` left it.
        declared: what the sender said; nothing and ``application/octet-stream`` say nothing.
        stream: read at a few places, and along the parts of pictures; its position afterwards is anywhere.
        size: of the content, in bytes.
        allowed: types that may be kept. Pages, drawings that can run and programs are not taken for any other type,
            so they need their own in the list.

    Raises:
        AppError: ``file_type_not_allowed``, saying what differs and what would be taken.
    """
    may = [canonical(kind) for kind in allowed]
    if size == 0:
        raise _refusal("An empty file has no type.", may)
    by_name, ending = _kind_of_name(name, may), extension(name)
    found = _found(stream, size, by_name, ending)
    if by_name is None:
        raise _refusal(
            f"Files whose names end with {ending} are not taken." if ending else "The name has no ending.",
            may,
        )
    if by_name not in found:
        looks = f"looks like {_listed(found)}" if found else "is nothing that is known and no text in UTF-8"
        raise _refusal(f"The name ends with {ending}, but the content {looks}.", may)
    said = canonical(declared or "")
    if said not in UNDECLARED | {by_name} and not (by_name in TEXTS and said in _SAID_OF_TEXTS):
        raise _refusal(f"It was sent as {said[:100]}, but it is {by_name}.", may)
    if by_name not in may:
        raise _refusal(f"Files of the type {by_name} are not taken.", may)
    if broken := _broken(by_name, stream, size):
        raise _refusal(f"The file {broken}.", may)
    return by_name


def refuse_other_ending(name: str, before: str) -> None:
    """Hold a new name to the type that the old one says; texts may be called as any text.

    Raises:
        AppError: ``file_type_not_allowed``.
    """
    old, new = extension(before), extension(name)
    kinds = {kind_of_extension(old), kind_of_extension(new)}
    if old != new and (len(kinds) > 1 or None in kinds) and not kinds <= TEXTS:
        raise AppError(Code.file_type_not_allowed, f"The name must go on ending with {old}.")


def _kind_of_name(name: str, may: Sequence[str]) -> str | None:
    ending = extension(name)
    if known := kind_of_extension(ending):
        return known
    named = kinds_by_ending(ending) | {_REGISTERED.guess_type(f"file{ending}", strict=False)[0]}
    return next((kind for kind in may if kind in named and kind not in KINDS), None) if ending else None


def _found(stream: BinaryIO, size: int, by_name: str | None, ending: str) -> frozenset[str]:
    try:
        found = content_kinds(stream, size)
    except ArchiveError as error:
        raise AppError(Code.file_type_not_allowed, error.detail) from None
    text = "text/plain" in found
    if by_name is not None and by_name not in KINDS and (text or not found):
        # Listed by the operator, unknown to us: text is enough for kinds of text, else a signature must know it.
        known = (text and by_name.startswith("text/")) or signature_kinds(stream, size) & {by_name, ending}
        return frozenset({by_name}) if known else found
    return found


def _broken(kind: str, stream: BinaryIO, size: int) -> str | None:
    """What is wrong with a file whose type is clear, as the end of a sentence."""
    if not kind.startswith(_HOLD_ZIPS) and hides_zip(stream):
        return "is an archive as well"
    if kind == "application/pdf":
        return broken_pdf(stream, size)
    if kind not in TEXTS and hides_pdf(stream):
        return "is a PDF as well"
    return broken_picture(kind, stream, size)


def _listed(found: frozenset[str]) -> str:
    if "text/plain" in found:
        return "text"
    # What is left of text where a page might begin.
    return "a page, or Markdown" if found & TEXTS else " or ".join(sorted(found))


def _refusal(what: str, may: Sequence[str]) -> AppError:
    return AppError(Code.file_type_not_allowed, f"{what} Taken are: {endings(may)}.")
