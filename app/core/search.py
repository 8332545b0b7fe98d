"""Text that somebody typed to find something: as a pattern, as words, and as words that differ by a typing error."""

import re
from collections.abc import Iterator

MOST_WORDS = 8
SHORTEST_WITH_ERROR, LONGEST_WITH_ERROR = 4, 30
"""Letters of a word. The expression grows with their square, and with it what a look at one name costs."""


def anywhere(text: str) -> str:
    """The LIKE pattern for what has ``text`` in it, the wildcards of which stand for themselves alone (SEC-55)."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"


def words(text: str) -> list[str]:
    """The words to be found, in any order; all from the eighth on count as one, spaces and all."""
    return text.split(maxsplit=MOST_WORDS - 1)


def mistyped(word: str) -> str | None:
    """A PostgreSQL regular expression for words that begin with this one as somebody in a hurry may have typed it.

    One error is forgiven (Damerau, 1964): a wrong letter, a missing one, one too many, or two that changed places. ``None``
    where none is: in short words, which would become other words, in very long ones, and in what is not made of letters and
    digits, which may mean something else in an expression.
    """
    if not SHORTEST_WITH_ERROR <= len(word) <= LONGEST_WITH_ERROR or not word.isalnum():
        return None
    found = ""
    # From the end, so that the letters before an error stand there once for all that may follow them: what is compared with
    # a name at the same time stays small, however much the word and the name are alike (SEC-44).
    for at in reversed(range(len(word))):
        right = [word[at] + found] if found else []
        found = f"(?:{'|'.join((*right, *_error_at(word, at)))})"
    return rf"\m{found}"


def _error_at(word: str, at: int) -> Iterator[str]:
    letter, after = word[at], word[at + 1 :]
    wrong_or_one_missing = rf"\w{letter}?"
    one_too_many = len(word) > SHORTEST_WITH_ERROR  # three letters that are left would begin too many words
    yield (f"(?:{wrong_or_one_missing})?" if one_too_many else wrong_or_one_missing) + after
    if after:
        yield after[0] + letter + after[1:]
