"""docs/asvs.md: every test that it names exists, and what has none says that it is not met."""

import re

import pytest

from tests.docs.pages import DOCS, ROOT, read, table, words

ROWS = table(read(DOCS / "asvs.md"), "Requirement", "In our words", "Proof")


def test_requirements_stand_once_in_their_order():
    numbers = [tuple(map(int, row["Requirement"].split("."))) for row in ROWS]
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 70


@pytest.mark.parametrize("row", ROWS, ids=[row["Requirement"] for row in ROWS])
def test_the_proof_is_there_or_the_reason(row):
    if row["Proof"] == "Not met":
        assert row["In our words"].startswith("Not met: ")
        return
    (proof,) = words(row["Proof"])
    file, _, function = proof.partition("::")
    source = read(ROOT / file)
    assert re.search(rf"^ *def {function or 'test_'}", source, re.MULTILINE), f"{proof} is not there"


def test_security_leads_to_it():
    assert "(asvs.md)" in read(DOCS / "security.md")
