"""The commands that README and guide show are typed in, and answered as shown."""

import re

import pytest

from app.cli.seed import seed_demo
from tests.docs.generate import application, document
from tests.docs.pages import DOCS, ROOT, fences, named, read
from tests.docs.shell import ask, curls, fits

CALL = re.compile(r'api\.json(?:<[^(]*>)?\("([A-Z]+)", ["`](/[^"`]+)["`]')


@pytest.fixture
def demo(app, capsys):
    """The application with the demo cast in it, as a fresh laptop has it."""
    with app.app_context():
        seed_demo()
    return app.test_client()


@pytest.mark.parametrize("path", [ROOT / "README.md", DOCS / "guide.md"], ids=named)
def test_what_is_shown_is_what_is_answered(demo, run_jobs, path):
    commands = curls(read(path))
    assert commands
    variables = {}
    for command, shown in commands:
        if "/dev/mailbox" in command:
            run_jobs()
        response = ask(demo, command, variables)
        assert response.status_code < 300, f"{command}\n{response.get_data(as_text=True)}"
        if shown is not None:
            assert fits(shown, response.json), f"{command}\n{response.get_data(as_text=True)}"
        if "Location" in response.headers:
            variables["LOCATION"] = response.headers["Location"]
        remember(variables, (response.json or {}) if response.is_json else {})


def remember(variables, answer):
    """What the next commands call $TOKEN, $KEY, $ID, $FILE and $CODE."""
    if "sha256" in answer:
        variables["FILE"] = answer["id"]
    if "access_token" in answer:
        variables["TOKEN"] = answer["access_token"]
    if answer.get("token", "").startswith("hf_"):
        variables["KEY"] = answer["token"]
    for item in answer.get("items", ())[:1]:
        name = "code" if "code" in item else "id"
        variables.update({name.upper(): item[name]} if name in item else {})


def test_a_wrong_example_would_be_noticed():
    real = {"a": 1, "b": "hfr1.k1.x", "at": "2026-05-01T12:00:00.000Z", "list": [{"c": None}]}
    assert fits({"a": 1, "b": "hfr1.…", "at": "2020-01-01T00:00:00.000Z", "list": [{"c": None}]}, real)
    assert fits({"a": 1, "…": "…"}, real)
    assert not fits({"a": 1}, real)
    assert not fits({"a": 2, "…": "…"}, real)
    assert not fits({"z": 1, "…": "…"}, real)
    assert not fits({"b": "hfr2.…", "…": "…"}, real)
    assert not fits({"list": [], "…": "…"}, real)


def test_the_client_calls_operations_that_exist():
    with application().app_context():
        paths = document()["paths"]
    known = [
        (verb.upper(), re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)))
        for path in paths
        for verb in paths[path]
    ]
    calls = [call for block in fences(read(DOCS / "guide.md"), "ts") for call in CALL.findall(block)]
    calls += [
        ("POST", f"/auth/{action}") for action in re.findall(r'this\.auth\("(\w+)"', read(DOCS / "client.ts"))
    ]
    assert len(calls) >= 5
    for verb, path in calls:
        called = re.sub(r"\$\{[^}]+\}", "x", path)
        assert any(verb == one and pattern.fullmatch(called) for one, pattern in known), path


def test_the_client_speaks_of_members_that_a_problem_has():
    with application().app_context():
        schemas = document()["components"]["schemas"]
    problem = re.search(r"interface Problem \{(.*?)\}", read(DOCS / "client.ts"), re.DOTALL)[1]
    assert set(re.findall(r"^  (\w+)\??:", problem, re.MULTILINE)) <= set(schemas["Problem"]["properties"])
