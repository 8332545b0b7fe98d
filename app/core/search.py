"""Text that somebody typed to find something: as a pattern, as words, and as words that differ by a typing error."""

import re
from collections.abc import Iterator

MOST_WORDS = 8
SHORTEST_WITH_ERROR = 4


def anywhere(text: str) -> str:
    """The LIKE pattern for what has ``text`` in it; its own wildcards stand for themselves alone (SEC-55)."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"


def words(text: str) -> list[str]:
    """The words to be found, in any order; all from the eighth on are looked for as they stand."""
    return text.split(maxsplit=MOST_WORDS - 1)


def mistyped(word: str) -> str | None:
    """A PostgreSQL regular expression for words that begin with this one as somebody in a hurry may have typed it.

    One error is forgiven (Damerau, 1964): a wrong letter, a missing one, one too many, or two that changed places. ``None``
    where none is: in short words, which would become other words, and in what is not made of letters and digits, which
    may mean something else in an expression.
    """
    if len(word) < SHORTEST_WITH_ERROR or not word.isalnum():
        return None
    return rf"\m(?:{'|'.join(_one_error_away(word))})"


def _one_error_away(word: str) -> Iterator[str]:
    for at in range(len(word)):
        before, letter, after = word[:at], word[at], word[at + 1 :]
        yield rf"{before}\w{after}"
        yield rf"{before}\w{letter}{after}"
        if len(word) > SHORTEST_WITH_ERROR:
            yield before + after
        if after:
            yield before + after[0] + letter + after[1:]
