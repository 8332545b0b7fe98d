"""What any document names is there: links, commands, settings, files. And nothing of the machine it was written on."""

import re

import click
import pytest

from app.cli import GROUPS
from app.config import Settings
from tests.docs.generate import TARGET
from tests.docs.pages import PAGES, ROOT, anchors, code, named, prose, read

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MAKE = re.compile(r"\bmake ([a-z]+(?:-[a-z]+)*)")
FLASK = re.compile(r"(?<!from )\bflask ([a-z]+(?:-[a-z]+)*)(?: ([a-z]+(?:-[a-z]+)*))?")
SETTING = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
FILE = re.compile(r"^(?:app|tests|docs|dev|docker|migrations|benchmarks)/[\w./-]*$")
OF_THE_WALKTHROUGH = re.compile(r"/notes\b|NNNN")
OTHER_VARIABLES = {
    "HOLDFAST_ENV_FILE", "HOLDFAST_VAR", "PROMETHEUS_MULTIPROC_DIR", "NAME_FILE", "DEMO_PASSWORD",
    "MAX_CONTENT_LENGTH",
}  # fmt: skip
FLASKS_OWN = {"routes"}
OF_THIS_MACHINE = re.compile(
    r"(?<!\w)/work/|/root/|/home/|/tmp/\w|shared/design|pypi|\.local\b", re.IGNORECASE
)
pages = pytest.mark.parametrize("path", PAGES, ids=named)


@pages
def test_every_relative_link_leads_somewhere(path):
    for target in LINK.findall(prose(read(path))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        linked = (path.parent / file).resolve() if file else path
        assert linked.exists(), f"{target} leads nowhere"
        if anchor and linked.suffix == ".md":
            assert anchor in anchors(read(linked)), f"{target} leads to no heading"


@pages
def test_every_command_exists(path):
    targets = {name for name, _ in TARGET.findall(read(ROOT / "Makefile"))}
    commands = {group.name: group for group in GROUPS}
    for text in code(read(path)):
        for target in MAKE.findall(text):
            assert target in targets, f"make {target}"
        for name, second in FLASK.findall(text):
            assert name in {*commands, *FLASKS_OWN}, f"flask {name}"
            if second and isinstance(commands.get(name), click.Group):
                assert second in commands[name].commands, f"flask {name} {second}"


@pages
def test_every_setting_exists(path):
    known = {name.upper() for name in Settings.model_fields} | OTHER_VARIABLES
    for text in code(read(path)):
        for name in SETTING.findall(text):
            assert name in known or name.removesuffix("_FILE") in known, name


@pages
def test_every_file_exists(path):
    for text in code(read(path)):
        if FILE.match(text) and not OF_THE_WALKTHROUGH.search(text):
            assert (ROOT / text).exists(), text


@pages
def test_nothing_tells_where_it_was_written(path):
    assert not OF_THIS_MACHINE.search(read(path))


def test_the_readme_is_one_screen():
    assert len(read(ROOT / "README.md").splitlines()) <= 70


def test_every_page_is_reached_from_the_readme():
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        seen.add(page)
        linked = {(page.parent / one.partition("#")[0]).resolve() for one in LINK.findall(prose(read(page)))}
        waiting += [one for one in linked - seen if one in PAGES]
    assert set(PAGES) - seen == set()
