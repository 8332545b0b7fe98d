"""`make check`: every check that needs no service, all of them even when one fails."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from dev.faults import finish
from dev.places import ROOT
from dev.terminal import say, styled

Check = tuple[str, Sequence[str | Path]]
_SHELLS = (b"#!/bin/sh", b"#!/bin/bash", b"#!/usr/bin/env bash", b"#!/usr/bin/env sh")
_NOT_OURS = {".git", ".venv", "var", "node_modules"}


def shell_scripts() -> list[Path]:
    """Every file of the project that a shell runs, by its name or by its first line."""
    found = []
    for folder, names, files in os.walk(ROOT):
        names[:] = sorted(set(names) - _NOT_OURS)
        for file in sorted(files):
            path = Path(folder) / file
            if path.suffix == ".sh":
                found.append(path)
            elif not path.suffix and path.is_file():
                with path.open("rb") as text:
                    if text.readline().strip().startswith(_SHELLS):
                        found.append(path)
    return found


def checks() -> list[Check]:
    """Name and command of each check that this tree has files for."""
    tools = Path(sys.executable).parent
    found: list[Check] = [
        ("format", [tools / "ruff", "format", "--check", "."]),
        ("lint", [tools / "ruff", "check", "."]),
        ("types", [tools / "mypy"]),
        ("import contracts", [tools / "lint-imports"]),
        ("dependencies", [tools / "deptry", "."]),
        # What bandit calls low is in the linter's own rules, with the exceptions written where they are.
        ("security lint", [tools / "bandit", "--quiet", "--severity-level", "medium", "--recursive", "app"]),
        ("house rules", [sys.executable, "-m", "pytest", "tests/architecture/test_house_rules.py"]),
        ("documents", [sys.executable, "-m", "pytest", "tests/docs"]),
    ]
    scripts = shell_scripts()
    if scripts:
        found.append(("shell scripts", [tools / "shellcheck", *scripts]))
    images = sorted(path for path in ROOT.glob("Dockerfile*") if path.is_file())
    if images:
        found.append(("Dockerfile", [tools / "hadolint", *images]))
    workflows = ROOT / ".github" / "workflows"
    if workflows.is_dir():
        found.append(("workflows", [tools / "actionlint", *sorted(workflows.glob("*.yml"))]))
        found.append(("workflow security", [tools / "zizmor", "--offline", "--quiet", workflows]))
    return found


def _run(command: Sequence[str | Path]) -> tuple[int, str, float]:
    began = time.monotonic()
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, time.monotonic() - began


def check() -> int:
    """Run all checks, two or more at a time; the words of those that fail are shown.

    Returns:
        0 when all are content.
    """
    failed = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        running: list[tuple[str, Future[tuple[int, str, float]]]] = [
            (name, pool.submit(_run, command)) for name, command in checks()
        ]
        for name, future in running:
            code, words, seconds = future.result()
            say(f"  {styled('fail', 'red') if code else styled('ok  ', 'green')}  {name:<20}{seconds:6.1f} s")
            if code:
                failed.append(name)
                say(words.rstrip())
    if failed:
        say(f"\n  {len(failed)} of {len(running)} checks failed: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(finish(check))
