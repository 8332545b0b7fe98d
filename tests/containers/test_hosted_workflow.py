"""The hosted workflow: least rights, everything pinned, every target real."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
JOBS = yaml.safe_load(TEXT)["jobs"]


def test_no_job_may_more_than_read_the_code():
    assert yaml.safe_load(TEXT)["permissions"] == {}
    assert all(job["permissions"] == {"contents": "read"} for job in JOBS.values())
    assert all(job["timeout-minutes"] <= 30 for job in JOBS.values())


def test_actions_and_images_are_pinned_by_digest():
    used = re.findall(r"uses: (\S+)(?: # (\S+))?", TEXT)
    assert used
    for action, version in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r"v\d+\.\d+\.\d+", version), f"{action} does not say its version"
    for image in JOBS["scans"]["env"].values():
        assert re.fullmatch(r"[\w/]+:v?[\d.]+@sha256:[0-9a-f]{64}", image), image


def test_the_checkout_leaves_no_token_behind():
    for job in JOBS.values():
        (checkout,) = (step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@"))
        assert checkout["with"]["persist-credentials"] is False


def test_each_target_that_is_run_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    run = {
        words
        for job in JOBS.values()
        for step in job["steps"]
        for words in re.findall(r"make ([a-z-]+)", step.get("run", ""))
    }
    run |= {entry["target"] for entry in JOBS["python"]["strategy"]["matrix"]["include"]}
    assert run == {"check", "test", "fuzz", "test-clients", "verify-containers"}
    for target in run:
        assert re.search(rf"(?m)^{target}: venv ## ", makefile), target


def test_hooks_before_a_commit_fetch_nothing():
    """`pre-commit` runs the tools of .venv; no repository of somebody else is involved."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [source["repo"] for source in config["repos"]] == ["local"]
    for hook in config["repos"][0]["hooks"]:
        assert hook["language"] == "unsupported"
        assert hook["entry"].startswith(".venv/bin/")
