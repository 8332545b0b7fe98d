"""What a file is called (SEC-46)."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import AppError, Code
from app.core.media import names
from app.core.media.names import LONGEST, ascii_name, clean_name, extension
from tests.fixtures.bad_files import NAMES

texts = st.text(max_size=400)
# Hypothesis would take long to find these by itself.
nasty = st.lists(
    st.sampled_from([*"ab. /\\:%\"'\0\r\n\t\u202e\u200b\u2066\ufeff\u00e4\u0301\u0308\u1100\u1161\u115f\U0001f600\ud800\u3000\ufe0f", "con", "..", "e\u0301", ".png", "x" * 100])
).map("".join)  # fmt: skip
UNSEEN = re.compile("[\0-\x1f\x7f-\x9f/\\\\\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def cleaned(raw):
    try:
        return clean_name(raw)
    except AppError:
        return None


@settings(max_examples=200)
@given(texts | nasty)
def test_sec_46_a_clean_name_is_clean_whatever_was_sent(raw):
    name = cleaned(raw)
    if name is None:
        return
    assert cleaned(name) == name
    assert 1 <= len(name) <= 255
    assert len(name.encode()) <= 255
    assert not UNSEEN.search(name)
    assert name == name.strip(" .")
    assert unicodedata.is_normalized("NFC", name)
    assert not re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)", name.split(".")[0], re.IGNORECASE)


@settings(max_examples=200)
@given(texts | nasty)
def test_sec_46_the_plain_name_cannot_leave_its_quotes(raw):
    plain = ascii_name(raw)
    assert 1 <= len(plain) <= 255
    assert re.fullmatch(r"[A-Za-z0-9 ._()+,=@-]+", plain)


@pytest.mark.parametrize("bad", [bad for bad in NAMES if bad.neutralised], ids=str)
def test_sec_46_a_bad_name_is_neutralised(bad):
    assert clean_name(bad.filename) == bad.neutralised


@pytest.mark.parametrize("bad", [bad for bad in NAMES if bad.code == Code.validation_failed], ids=str)
def test_sec_46_a_name_of_nothing_is_refused(bad):
    with pytest.raises(AppError) as refused:
        clean_name(bad.filename)
    assert refused.value.code == Code.validation_failed
    assert refused.value.fields[0].field == "name"


@pytest.mark.parametrize(
    "name",
    [
        "Report 2026.pdf",
        "\u00dcbersicht.xlsx",
        "\u5831\u544a.txt",
        ".profile",
        "a.tar.gz",
        "100%.txt",
        "Smith & Co (1).docx",
        "\U0001f600.png",
    ],
)
def test_ordinary_names_stay_as_they_are(name):
    assert clean_name(name) == name.lstrip(".")


def test_letters_and_their_marks_become_one():
    assert clean_name("u\u0308ber.txt") == "\u00fcber.txt"


def test_a_long_name_keeps_its_ending_and_no_half_letter():
    name = clean_name("\u5831" * 200 + ".docx")
    assert name == "\u5831" * 83 + ".docx"


@pytest.mark.parametrize("folder", ["", "a/" * 50_000])
def test_sec_46_a_name_without_end_is_not_read_to_its_end(monkeypatch, folder):
    """Marks of a hundred thousand letters take a minute to be put in order, in which the process answers nobody."""
    lengths = []
    normalize = names.unicodedata.normalize

    def measured(form, text):
        lengths.append(len(text))
        return normalize(form, text)

    monkeypatch.setattr(names.unicodedata, "normalize", measured)
    marks = "\u0301\u0316" * 50_000
    assert clean_name(f"{folder}x{marks}.docx").endswith(".docx")
    assert max(lengths) <= 4 * LONGEST


def test_an_ending_that_is_no_ending_is_cut_too():
    assert clean_name("a." + "b" * 400) == "a." + "b" * 253


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("\u00dcbersicht 1.pdf", "Ubersicht 1.pdf"),
        ('a"b.txt', "a_b.txt"),
        ("50%22.txt", "50_22.txt"),
        ("\u5831\u544a.txt", "__.txt"),
        ("\u5831", "_"),
        ("", "file"),
    ],
)
def test_the_plain_name_reads_alike(name, plain):
    assert ascii_name(name) == plain


@pytest.mark.parametrize(
    ("name", "ending"),
    [("a.PNG", ".png"), ("a.tar.gz", ".gz"), ("README", ""), (".profile", ""), ("a.", "")],
)
def test_the_ending_is_behind_the_last_dot(name, ending):
    assert extension(name) == ending
