"""The Makefile says what it can do, and the gates behind it close."""

import re
import subprocess
import sys

import pytest

from dev import check, clients
from dev.clients import missing_tools
from dev.faults import Fault
from dev.places import ROOT
from dev.test import _gate

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_help_is_the_default_and_lists_every_target():
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert re.findall(r"^  make ([a-z-]+) +\S", listed.stdout, re.MULTILINE) == phony[1].split()


def test_every_target_but_the_broom_makes_the_environment_first():
    rules = dict(re.findall(r"^([a-z-]+):([^#\n]*)##", MAKEFILE, re.MULTILINE))
    assert {name for name, needs in rules.items() if "venv" not in needs} == {"help", "venv", "clean"}


def test_nothing_in_it_is_newer_than_gnu_make_3_81():
    assert not re.search(r"^\.ONESHELL|!=|::=|\$\(file|^undefine|^private ", MAKEFILE, re.MULTILINE)


def test_coverage_below_the_gate_fails_by_line_and_by_branch(capsys):
    good = {"covered_lines": 96, "num_statements": 100, "covered_branches": 95, "num_branches": 100}
    assert _gate(good) == 0
    assert "96.0 % of the lines, 95.0 % of the branches" in capsys.readouterr().out
    for name in ("covered_lines", "covered_branches"):
        with pytest.raises(Fault, match="below 95 %"):
            _gate({**good, name: 94})


def test_a_missing_tool_is_told_with_how_to_install_it(monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(clients, "_MAC_BROWSERS", ())
    monkeypatch.setenv("PATH", "/nowhere")
    assert [line.split()[0] for line in missing_tools()] == ["Node", "npm", "Chromium"]


def test_every_shell_script_is_checked():
    assert ROOT / ".ci" / "run" in check.shell_scripts()
    assert all(".venv" not in script.parts for script in check.shell_scripts())


def test_all_checks_run_even_when_one_fails(monkeypatch, capsys):
    monkeypatch.setattr(
        check,
        "checks",
        lambda: [
            ("first", [sys.executable, "-c", "import sys; print('a fault'); sys.exit(3)"]),
            ("second", [sys.executable, "-c", "print('quiet')"]),
        ],
    )
    assert check.check() == 1
    words = capsys.readouterr().out
    assert "a fault" in words
    assert "quiet" not in words
    assert "1 of 2 checks failed: first" in words
