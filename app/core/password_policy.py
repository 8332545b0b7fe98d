"""Which passwords are refused when somebody chooses one (SEC-01, SEC-02, SEC-05).

Length counts, composition does not: no rule asks for digits or signs, any printable character is welcome. What
stands on a list of common passwords is refused, and so is what comes down to such an entry, or to the names of
the product and of the person, once the usual decoration is taken off: capitals, ``p4$$w0rd`` letter swaps, digits
and signs at the ends (``password1234!``), repetition (``qwertyqwerty``).
"""

import gzip
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from app.core.errors import AppError, Code, FieldCode, FieldFault

LOWEST_MIN_LENGTH = 8
MAX_LENGTH = 128  # code points
MAX_BYTES = 1024  # UTF-8, as typed
SHORTEST_CONTEXT_WORD = 3
SHORTEST_REPEATED_PART = 4  # repeating fewer characters than these is common whatever they are
_LIST = Path(__file__).parent / "data" / "common_passwords.txt.gz"

_SWAPS = {"4": "a", "@": "a", "8": "b", "(": "c", "3": "e", "6": "g", "9": "g", "0": "o", "5": "s", "$": "s",
          "7": "t", "+": "t", "2": "z"}  # fmt: skip
_UNDO_SWAPS = [str.maketrans(_SWAPS | {"1": letter, "!": letter, "|": letter}) for letter in "il"]
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_START = re.compile(r"^[\W\d_]+")
_END = re.compile(r"[\W\d_]+$")
_RUNS = re.compile(r"(.)\1{2,}", re.DOTALL)
_BETWEEN_WORDS = re.compile(r"[\W\d_]+")


class PasswordFault(NamedTuple):
    """Why a password is refused: a field code, a sentence for people, and the numbers of the rule."""

    code: FieldCode
    detail: str
    params: dict[str, Any]


class Breaches(Protocol):
    """Knows passwords that were published after a break-in somewhere."""

    def contain(self, password: str, /) -> bool: ...


class PasswordPolicy:
    """The rule for new passwords; old ones are never held against it.

    Args:
        min_length: fewest code points; 8 is the floor, 15 is what NIST SP 800-63B-4 asks where the password is
            the only factor.
        product_words: names that no password may come down to, for everybody.
        breaches: asked about what passes all else; None where the look-up is off.
    """

    def __init__(
        self,
        min_length: int = 12,
        product_words: Iterable[str] = ("holdfast",),
        breaches: Breaches | None = None,
    ) -> None:
        if not LOWEST_MIN_LENGTH <= min_length <= MAX_LENGTH:
            raise ValueError(f"min_length must be {LOWEST_MIN_LENGTH} to {MAX_LENGTH}")
        self.min_length = min_length
        self._product_words = tuple(product_words)
        self._breaches = breaches

    def demand(
        self,
        password: str,
        *,
        email: str,
        display_name: str,
        field_name: str = "password",
        look_up: bool = True,
    ) -> None:
        """Refuse a password that somebody chose; may ask another service, so never inside a transaction.

        Args:
            password, email, display_name: as for ``faults``.
            field_name: of the request's body.
            look_up: whether to ask about breaches too.

        Raises:
            AppError: ``validation_failed`` with what is wrong; ``overloaded`` where the look-up must answer and does not.
        """
        found = self.faults(password, email=email, display_name=display_name)
        if not found and look_up and self._breaches is not None and self._breaches.contain(password):
            detail = "This password was published after a break-in at some service. Choose another."
            found = [PasswordFault(FieldCode.password_breached, detail, {})]
        if found:
            faults = [FieldFault(field_name, code, detail, params=params) for code, detail, params in found]
            raise AppError(Code.validation_failed, "This password is not good enough.", fields=faults)

    def faults(self, password: str, *, email: str, display_name: str) -> list[PasswordFault]:
        """What is wrong with a password for this person; empty when it may be used.

        Args:
            password: as typed; measured after NFC, the form in which it is hashed.
            email: the person's address.
            display_name: the name other people see; may be empty.
        """
        typed = unicodedata.normalize("NFC", password[: MAX_BYTES + 1])
        if len(typed) > MAX_LENGTH:
            return [_too_long(f"Use at most {MAX_LENGTH} characters.", max=MAX_LENGTH)]
        if len(password.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            return [_too_long(f"Use at most {MAX_BYTES} bytes in UTF-8.", max_bytes=MAX_BYTES)]
        found = []
        if len(typed) < self.min_length:
            detail = f"Use at least {self.min_length} characters."
            found.append(PasswordFault(FieldCode.too_short, detail, {"min": self.min_length}))
        forms = _reduced(_folded(typed))
        if not forms.isdisjoint(common_passwords()) or "" in forms:
            detail = "This password is among the first that attackers try."
            found.append(PasswordFault(FieldCode.password_too_common, detail, {}))
        elif _made_of(forms, self._context_words(email, display_name)):
            detail = "Do not build the password from your name, your address or the name of this service."
            found.append(PasswordFault(FieldCode.password_contains_context, detail, {}))
        return found

    def _context_words(self, email: str, display_name: str) -> set[str]:
        local, _, domain = email.rpartition("@")
        labels = domain.split(".")
        domains = [".".join(labels[start:]) for start in range(len(labels) - 1)]
        words: set[str] = set()
        for name in (*self._product_words, local, *domains, *labels[:-1], display_name):
            folded = _folded(name)
            parts = _BETWEEN_WORDS.split(folded)
            words.update((folded, _ENDS.sub("", folded), "".join(parts), *parts))
        return {word for word in words if len(word) >= SHORTEST_CONTEXT_WORD}


@cache
def common_passwords() -> frozenset[str]:
    """The list, in lower case; read from its file once, at the first use."""
    return frozenset(gzip.decompress(_LIST.read_bytes()).decode().split())


def _too_long(detail: str, **limit: int) -> PasswordFault:
    return PasswordFault(FieldCode.too_long, detail, limit)


def _folded(text: str) -> str:
    """Lower case, full-width forms and accents undone: what people mean by "the same word"."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    if plain.isascii():
        return plain
    return "".join(char for char in plain if not unicodedata.combining(char))


def _reduced(folded: str) -> set[str]:
    """All that a password comes down to; an empty string among them when it is one short thing repeated."""
    trimmed = {folded, _ENDS.sub("", folded), _START.sub("", folded), _END.sub("", folded)}
    forms = {form for text in trimmed if text for form in _unrepeated(text)}
    for table in _UNDO_SWAPS:
        for swapped in {text.translate(table) for text in forms if text}:
            forms.update(_unrepeated(swapped))
            forms.add(_ENDS.sub("", swapped) or swapped)
    return forms


def _unrepeated(text: str) -> Iterator[str]:
    """The text, and the same without repetition."""
    yield text
    if (single := _RUNS.sub(r"\1", text)) != text:
        yield single
    period = _period(text)
    core = _ENDS.sub("", text[:period]) or text[:period]
    if len(core) < SHORTEST_REPEATED_PART and 2 * period <= len(text):
        yield ""
    elif period < len(text):
        yield core
        yield from (text[:size] for size in range(period, len(text), period))  # "1488" makes "14881488", too


def _period(text: str) -> int:
    """The length of the shortest beginning that, repeated and perhaps cut off, makes the whole text.

    Source: the prefix function of Knuth, Morris and Pratt; linear in the length.
    """
    prefix = [0] * len(text)
    for end in range(1, len(text)):
        size = prefix[end - 1]
        while size and text[end] != text[size]:
            size = prefix[size - 1]
        prefix[end] = size + (text[end] == text[size])
    return len(text) - prefix[-1] if text else 0


def _made_of(forms: set[str], words: set[str]) -> bool:
    """Whether a form is nothing but context words, or these around one common password."""
    if not forms.isdisjoint(words):
        return True
    pattern = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
    for form in forms:
        if words and pattern.search(form):
            rest = _BETWEEN_WORDS.sub("", pattern.sub("", form))
            if not rest or rest in common_passwords():
                return True
    return False
