"""docs/decisions/ is complete: numbered without a gap, listed, each with its four parts."""

import pytest

from tests.docs.pages import DOCS, HEADING, named, read

FOLDER = DOCS / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))


def test_the_numbers_have_no_gap():
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))


def test_the_index_lists_each():
    index = read(FOLDER / "README.md")
    assert [path.name for path in RECORDS if f"({path.name})" not in index] == []


@pytest.mark.parametrize("path", RECORDS, ids=named)
def test_a_decision_has_its_four_parts(path):
    heads = [head for _, head in HEADING.findall(read(path))]
    assert heads[0].startswith(f"{int(path.name[:4])}. ")
    assert heads[1:] == ["Context", "Decision", "Consequences", "Alternatives"]
