"""What a file is called: a name that no system, no header and no reader takes for something else (SEC-46).

A name is only ever shown and sent back: where the bytes lie has nothing to do with it.
"""

import re
import unicodedata

from app.core.errors import FieldCode, invalid

LONGEST = 255
"""Characters, and bytes of UTF-8: what ext4, APFS and NTFS take."""
_LONGEST_EXTENSION = 20
# Putting marks in order takes time that grows with the square of how many there are, and the whole process waits.
_LONGEST_READ = 4 * LONGEST
_DEVICES = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])", re.IGNORECASE
)
# Cc: controls; Cf: what turns the direction of reading, joins, or has no width; Cs: halves of characters;
# Co and Cn: what has no agreed look; Zl and Zp: line breaks.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_NO_WIDTH = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ._()+,=@-]")


def clean_name(raw: str) -> str:
    """The name without folders, without what cannot be seen, not longer than a file's name may be.

    A name that is clean stays as it is. One that Windows takes for a device is given an underscore in front.

    Raises:
        AppError: ``validation_failed`` of the field ``name`` where nothing is left.
    """
    name = _visible(_readable(re.split(r"[/\\]", raw)[-1]))
    if _DEVICES.fullmatch(name.split(".", 1)[0].rstrip()):
        name = f"_{name}"
    name = _cut(name)
    if not name:
        raise invalid("name", FieldCode.invalid_format, "The name has no character that can be seen.")
    return name


def ascii_name(name: str) -> str:
    """The name for clients that know only the plain ``filename=`` (RFC 6266): no quote, backslash or percent sign."""
    folded = unicodedata.normalize("NFKD", name)
    # "\u00e4" is "a" and a mark: the mark goes, the letter stays.
    letters = "".join(sign for sign in folded if not unicodedata.combining(sign))
    plain = _NOT_PLAIN.sub("_", letters).strip(" .")
    return plain[-LONGEST:].strip(" .") or "file"


def extension(name: str) -> str:
    """What stands behind the last dot, in small letters, with the dot; nothing for ``README`` and ``.profile``."""
    stem, dot, last = name.rpartition(".")
    return f".{last.lower()}" if dot and stem and last else ""


def _readable(text: str) -> str:
    """As much as is ever looked at: the beginning, and the end with the ending."""
    return text if len(text) <= _LONGEST_READ else text[: _LONGEST_READ - LONGEST] + text[-LONGEST:]


def _visible(text: str) -> str:
    seen = "".join(sign for sign in text if unicodedata.category(sign) not in _UNSEEN)
    # Composing may bring nothing new to take away: what has no width composes with nothing.
    composed = unicodedata.normalize("NFC", _NO_WIDTH.sub("", seen))
    # All spaces are one space: a name is copied and typed by people.
    spaced = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in composed)
    return spaced.strip(" .")


def _cut(name: str) -> str:
    if len(name.encode()) <= LONGEST:
        return name
    ending = extension(name)
    if len(ending.encode()) > _LONGEST_EXTENSION:
        ending = ""
    stem = name[: len(name) - len(ending)].encode()[: LONGEST - len(ending.encode())]
    return stem.decode(errors="ignore").rstrip(" .") + name[len(name) - len(ending) :]
