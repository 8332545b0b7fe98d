"""Typing errors that are forgiven in a search."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.search import LONGEST_WITH_ERROR, MOST_WORDS, mistyped, words

LETTERS = st.characters(categories=("Ll", "Lo", "Nd"))


def forgives(typed, meant):
    """As PostgreSQL would see it; Python writes the beginning of a word otherwise."""
    return re.search(mistyped(typed).replace(r"\m", r"\b", 1), meant) is not None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("harbuor", "harbour"),
        ("harbpur", "old harbour map"),
        ("habour", "harbour"),
        ("harrbour", "harbour"),
        ("harbpu", "harbours"),
        ("aharbour", "harbour"),
        ("arbour", "harbour"),
        ("klep", "kelp"),
        ("гавнаь", "карта гавань"),
        ("κυαμ", "το κυμα"),
        ("wtaer", "water"),
    ],
)
def test_one_error_is_forgiven(typed, meant):
    assert forgives(typed, meant)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("harbour", "barber"),
        ("kelp", "reef"),
        ("kelp", "seakelp"),
        ("hrabuor", "harbour"),
        ("water", "otter"),
    ],
)
def test_two_are_not_and_only_beginnings_of_words_count(typed, meant):
    assert not forgives(typed, meant)


@pytest.mark.parametrize("word", ["", "a", "sea", "100%", "a.*b", "(((((", "back\\slash", "under_score"])
def test_short_words_and_signs_are_taken_as_they_are(word):
    assert mistyped(word) is None


def test_very_long_words_are_taken_as_they_are():
    assert mistyped("a" * LONGEST_WITH_ERROR) is not None
    assert mistyped("a" * (LONGEST_WITH_ERROR + 1)) is None


@given(st.text(LETTERS, min_size=5, max_size=LONGEST_WITH_ERROR - 1), st.data())
def test_any_word_with_any_one_error_finds_it(word, data):
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(LETTERS)
    errors = [
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    ]
    for typed in errors:
        if typed.isalnum() and len(typed) > 4:
            assert re.search(mistyped(typed).replace(r"\m", r"(?<!\w)", 1), word) or word.startswith(typed)


@given(st.text(max_size=100))
def test_no_more_words_than_a_statement_can_bear(text):
    found = words(text)
    assert len(found) <= MOST_WORDS
    assert "".join("".join(found).split()) == "".join(text.split())
