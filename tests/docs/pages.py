"""The documents as the tests see them: text, headings, code, tables."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        *DOCS.rglob("*.md"),
        *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG")),
    ]
)
FENCE = re.compile(r"^```([a-z]*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
ANCHOR = re.compile(r'<a id="([^"]+)">')
NONE = "\N{EN DASH}"
"""What a table shows where there is nothing."""
CELL = re.compile(r"(?<!\\)\|")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def named(path: Path) -> str:
    """For the ids of parametrised tests."""
    return str(path.relative_to(ROOT))


def fences(text: str, language: str | None = None) -> list[str]:
    """The blocks of code, of one language or of all."""
    return [code for kind, code in FENCE.findall(text) if language in {None, kind}]


def prose(text: str) -> str:
    """The text without its blocks of code."""
    return FENCE.sub("", text)


def code(text: str) -> Iterator[str]:
    """Everything that is set as code: blocks, then spans."""
    yield from fences(text)
    yield from SPAN.findall(prose(text))


def anchors(text: str) -> set[str]:
    """What a link may point to within a page, as GitHub names headings."""
    slugs = {
        re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for _, head in HEADING.findall(prose(text))
    }
    return slugs | set(ANCHOR.findall(text))


def section(text: str, title: str) -> str:
    """What stands under a heading, until the next of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    assert found, f"there is no heading {title}"
    rest = text[found.end() :]
    following = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def tables(text: str) -> list[list[dict[str, str]]]:
    """The tables of a text, each row by its column heads."""
    found = []
    for block in re.findall(r"(?:^\|.*\|\n?)+", prose(text), re.MULTILINE):
        head, _, *rows = [[cell.strip() for cell in CELL.split(line)[1:-1]] for line in block.splitlines()]
        found.append([dict(zip(head, row, strict=True)) for row in rows])
    return found


def table(text: str, *columns: str) -> list[dict[str, str]]:
    """All rows of the tables that begin with these columns."""
    rows = [row for each in tables(text) for row in each if list(row)[: len(columns)] == list(columns)]
    assert rows, f"there is no table with the columns {columns}"
    return rows


def same(told: Iterable[str], known: Iterable[str], where: str) -> None:
    """A page tells each thing that there is once, and nothing else; where not, the words say what to mend."""
    told, known = sorted(map(str, told)), sorted(map(str, known))
    lacks, stray = [each for each in known if each not in told], [each for each in told if each not in known]
    twice = sorted({each for each in told if told.count(each) > 1})
    assert told == known, f"{where}: add a line for {lacks}, take out {stray}, said twice {twice}"


def words(cell: str) -> list[str]:
    """What is set as code in a cell."""
    return SPAN.findall(cell)
