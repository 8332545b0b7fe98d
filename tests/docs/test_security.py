"""docs/security.md and the tests name the same requirements, and it says where each is proved."""

import re

from tests.docs.generate import proofs, requirements
from tests.docs.pages import DOCS, ROOT, read, section, table, words

PAGE = read(DOCS / "security.md")
ROWS = {row["Id"]: row for row in table(PAGE, "Id", "What holds", "Proof")}
PROOFS = proofs()


def test_every_requirement_is_proved_and_every_proof_is_listed():
    proved = set().union(*PROOFS.values())
    assert sorted(ROWS) == sorted(proved)


def test_what_the_code_claims_is_listed():
    claimed = {one for path in (ROOT / "app").rglob("*.py") for one in requirements(read(path))}
    assert sorted(claimed - set(ROWS)) == []


def test_every_proof_is_where_it_says():
    for identifier, row in ROWS.items():
        files = words(row["Proof"])
        assert files, f"{identifier} names no proof"
        for file in files:
            assert identifier in PROOFS.get(file, ()), f"{file} does not name {identifier}"


def test_every_trap_that_the_code_names_is_explained():
    told = {row["Trap"] for row in table(section(PAGE, "Traps of the libraries"), "Trap")}
    sources = [*(ROOT / "app").rglob("*.py"), ROOT / "gunicorn.conf.py"]
    named = {one for path in sources for one in re.findall(r"\bT\d{1,2}\b", read(path))}
    assert sorted(named - told) == []
