"""The Dockerfile: what can be said of it without building it; `make verify-containers` builds it (SEC-60)."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8")).splitlines()
STEPS = [line.split(maxsplit=1) for line in LINES if line and not line.startswith("#")]
FINAL = STEPS[max(number for number, (word, _) in enumerate(STEPS) if word == "FROM") :]
TOOLS = Path(sys.executable).parent


def of(word, steps=FINAL):
    return [rest.strip() for name, rest in steps if name == word]


def test_one_base_pinned_by_tag_for_both_stages():
    assert of("ARG", STEPS) == ["PYTHON_IMAGE=python:3.13-slim"]
    assert of("FROM", STEPS) == ["${PYTHON_IMAGE} AS build", "${PYTHON_IMAGE}"]


def test_dependencies_are_locked_by_hash_and_never_compiled():
    install = next(rest for rest in of("RUN", STEPS) if "install" in rest and "requirements.txt" in rest)
    for option in ("--require-hashes", "--no-deps", "--only-binary :all:"):
        assert option in install


def test_user_is_a_fixed_number_and_not_root():
    assert of("USER") == ["10001:10001"]
    later = [word for word, _ in FINAL[[word for word, _ in FINAL].index("USER") :]]
    assert "RUN" not in later
    assert "COPY" not in later


def test_process_one_is_gunicorn_itself():
    assert [json.loads(rest) for rest in of("CMD")] == [["gunicorn", "wsgi:app"]]
    assert not of("ENTRYPOINT")
    assert of("STOPSIGNAL") == ["SIGTERM"]


def test_health_check_asks_livez_without_a_shell():
    options, command = of("HEALTHCHECK")[0].split("CMD", 1)
    assert {"--interval", "--timeout", "--start-period", "--retries"} <= set(
        re.findall(r"--[a-z-]+", options)
    )
    program = json.loads(command)
    assert program[:3] == ["python", "-IS", "-c"]
    assert "/livez" in program[3]
    compile(program[3], "HEALTHCHECK", "exec")


def test_production_is_what_it_is_when_nothing_is_said():
    environment = dict(re.findall(r"(\w+)=(\S+)", " ".join(of("ENV"))))
    assert environment["APP_ENV"] == "production"
    assert environment["HOST"] == "0.0.0.0"
    assert environment["FLASK_APP"] == "wsgi"
    assert environment["PROMETHEUS_MULTIPROC_DIR"].startswith("/tmp")
    assert of("EXPOSE") == ["8000"]
    assert not [name for name in environment if re.search(r"KEY|SECRET|PASSWORD|TOKEN|PEPPER", name)]


def test_only_named_files_reach_the_build():
    """A list of what is let in, so that no .git, .env or var/ ever gets there."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    assert let_in == {"requirements.txt", "wsgi.py", "gunicorn.conf.py", "app", "migrations"}
    copied = {word for rest in of("COPY", STEPS) if "--from" not in rest for word in rest.split()[:-1]}
    assert copied == let_in


@pytest.mark.parametrize(
    "recipe", sorted((ROOT / "dev/containers/images").glob("*.Dockerfile")), ids=lambda path: path.name
)
def test_stand_in_recipes_pass_hadolint(recipe):
    """Their packages carry no version: they follow Debian, and nothing is shipped from them."""
    done = subprocess.run(
        [TOOLS / "hadolint", "--ignore", "DL3008", recipe], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
