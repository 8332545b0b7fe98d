"""docs/errors.md and the guide name every code, and none that does not exist."""

import re

from app.core.errors import Code, FieldCode
from app.web.operations import declared
from tests.docs.generate import application
from tests.docs.pages import DOCS, fences, prose, read, same, section, table, words

PAGE = read(DOCS / "errors.md")
GUIDE = read(DOCS / "guide.md")
EXPLAINED = "docs/errors.md (by tests.docs.generate, from app/web/problems.py and app/web/explanations.py)"


def test_every_problem_code_has_its_line_and_anchor():
    rows = table(PAGE, "Code", "Title", "What it means, what to do")
    same((word for row in rows for word in words(row["Code"])), Code, EXPLAINED)
    assert all(f'<a id="{code}"></a>' in PAGE for code in Code)


def test_every_field_code_has_its_line():
    rows = table(section(PAGE, "Field codes"), "Code", "Meaning", "`params`")
    same((word for row in rows for word in words(row["Code"])), FieldCode, "docs/errors.md, Field codes")


def test_what_may_be_repeated_names_codes_that_exist():
    rows = table(section(PAGE, "Which ones to repeat"), "Status", "Repeat?")
    named = {word for row in rows for word in words(row["Status"])} - {"Retry-After"}
    assert named <= set(Code)


def test_the_guide_switches_on_codes_that_exist():
    cases = {case for block in fences(GUIDE, "ts") for case in re.findall(r'case "([a-z_]+)"', block)}
    assert cases
    assert cases <= set(Code)


def test_the_guide_names_codes_with_their_status():
    told = re.findall(r"\b([45]\d\d)\s+`([a-z_]+)`", prose(GUIDE))
    rows = {code: status for status in range(400, 600) for code in codes_of(status)}
    assert told
    allowed = {*rows.items(), *answered_otherwise()}
    assert [pair for pair in told if (pair[1], int(pair[0])) not in allowed] == []


def answered_otherwise():
    """Codes that some operation answers with another status than the catalogue."""
    app = application()
    declarations = [declared(app, endpoint) for endpoint in app.view_functions]
    return {pair for each in declarations if each is not None for pair in each.statuses.items()}


def codes_of(status):
    from app.web.problems import CATALOGUE

    return [code.value for code, kind in CATALOGUE.items() if kind.status == status]
