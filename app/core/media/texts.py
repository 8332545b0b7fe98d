"""Files without a signature: is it text, and which (SEC-46).

Older browsers guess: a text that begins like a page is shown as a page. Such a text is a page here too (WHATWG MIME
Sniffing 7.1), whatever its name says.
"""

import codecs
import re
from typing import BinaryIO

from app.core.media.kinds import TEXTS
from app.core.media.reading import PIECE, read_at

_SAMPLE = 2**16
_LEAD = b" \t\r\n\x0c"
# Binary data bytes of WHATWG MIME Sniffing 3; ESC is in logs with colours.
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_XML = re.compile(rb"<(\?xml[\s]|!doctype[\s]|!entity|!\[cdata\[)", re.IGNORECASE)
_DRAWING = re.compile(rb"<([a-z]{1,20}:)?svg[\s>]|http://www\.w3\.org/2000/svg", re.IGNORECASE)
_ACTIVE = re.compile(
    rb"<([a-z]{1,20}:)?(script|html)[\s/>]|<!doctype\s+html|http://www\.w3\.org/1999/xhtml|<\?xml-stylesheet",
    re.IGNORECASE,
)
# Finds in small letters whatever the two above find, but for addresses, in a quarter of the time.
_SUSPECT = re.compile(
    rb"<(?=[a-z!?])(?:(?:[a-z]{1,20}:)?(?:svg[\s>]|(?:script|html)[\s/>])|!doctype\s+html|\?xml-stylesheet)"
)
_BEGINNINGS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"#!"), "text/x-shellscript"),
    (re.compile(rb"<\?(php|=)", re.IGNORECASE), "application/x-httpd-php"),
    (re.compile(rb"<(html|head|script|iframe|style|title|body|meta|frameset|object|embed)[\s/>]", re.IGNORECASE), "text/html"),
    # A centred heading or a comment is how many files of Markdown begin.
    (re.compile(rb"<(!--|(h1|div|font|table|a|b|br|p|img)[\s/>])", re.IGNORECASE), "text/markdown"),
)  # fmt: skip
_JSON = re.compile(rb"[\[{\"]|-?[0-9]|(true|false|null)\b")
# Internet Explorer looked for these anywhere in so many bytes.
_GUESSED, _GUESSED_FROM = re.compile(rb"<(script|html|iframe|!doctype html)[\s/>]", re.IGNORECASE), 256
_OVERLAP = 64


def text_kinds(stream: BinaryIO, size: int) -> frozenset[str]:
    """The types that a text can be; none where it is no text.

    Samples at the start, in the middle and at the end must be UTF-8 and have no control characters.
    """
    starts = sorted({0, max(0, size // 2 - _SAMPLE // 2), max(0, size - _SAMPLE)})
    if not all(_is_text(read_at(stream, start, _SAMPLE), start, size) for start in starts):
        return frozenset()
    head = read_at(stream, 0, _SAMPLE).removeprefix(codecs.BOM_UTF8).lstrip(_LEAD)
    if _XML.match(head) or _DRAWING.match(head):
        return frozenset({_markup(stream, size)})
    for beginning, kind in _BEGINNINGS:
        if beginning.match(head):
            return frozenset({kind})
    json = {"application/json"} if _JSON.match(head) else set()
    texts = {"text/markdown"} if _GUESSED.search(head[:_GUESSED_FROM]) else TEXTS - {"application/json"}
    return frozenset(texts | json)


def _is_text(sample: bytes, start: int, size: int) -> bool:
    if _BINARY.search(sample):
        return False
    if start:
        # The sample may begin inside a character: at most three bytes belong to the one before.
        sample = sample[:3].lstrip(bytes(range(0x80, 0xC0))) + sample[3:]
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample, final=start + _SAMPLE >= size)
    except UnicodeDecodeError:
        return False
    return True


def _markup(stream: BinaryIO, size: int) -> str:
    """What XML is: a drawing, a page, or data. All of it is read, since a namespace may be declared anywhere."""
    kept, entities = b"", False
    for start in range(0, size, PIECE):
        window = kept + read_at(stream, start, PIECE)
        small = window.lower()
        if b"http://www.w3.org/" in small or _SUSPECT.search(small):
            if _DRAWING.search(window):
                return "image/svg+xml"
            if _ACTIVE.search(window):
                return "text/html"
        entities = entities or b"<!ENTITY" in window
        kept = window[-_OVERLAP:]
    # Entities fetch files of who reads them, or grow without end: nobody can allow them.
    return "application/xml-external-parsed-entity" if entities else "application/xml"
