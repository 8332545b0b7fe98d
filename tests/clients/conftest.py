"""The running service, and the programs that its clients use. `make test-clients` installs what they need."""

import json
import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from dev.clients import CLIENT, browser, install_packages, missing_tools
from dev.service import throwaway_service

HERE = Path(__file__).parent
PROGRAMS = HERE / "node_modules" / ".bin"


def pytest_ignore_collect(collection_path, config):
    """A plain `make test` is Python alone: these tests run when they are asked for by name."""
    asked = (Path(str(word).partition("::")[0]).resolve() for word in config.args)
    named = any(path == HERE or HERE in path.parents for path in asked)
    return None if named or "HOLDFAST_CLIENT_TESTS" in os.environ else True


@pytest.fixture(scope="session", autouse=True)
def tools():
    missing = missing_tools()
    assert not missing, f"not installed: {'; '.join(missing)}"
    install_packages()
    install_packages(CLIENT)


@pytest.fixture(scope="session")
def service(engines):
    """gunicorn, the worker and the demo cast, on a database of their own."""
    with throwaway_service(engines) as running:
        yield running
        assert running.errors() == []


@pytest.fixture(scope="session")
def document(service):
    """The document that the running service hands out."""
    with urllib.request.urlopen(f"{service.url}/api/v1/openapi.json") as answer:
        return json.load(answer)


@pytest.fixture(scope="session")
def document_file(document, tmp_path_factory):
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_text(json.dumps(document))
    return path


def run(*command, cwd=HERE, stdin=None, **env):
    """A program to its end: what it was, with output and exit code."""
    words = [str(word) for word in command]
    return subprocess.run(
        words, cwd=cwd, env={**os.environ, **env}, input=stdin,
        capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip


@pytest.fixture(scope="session")
def package():
    """@holdfast/client as it is published."""
    shutil.rmtree(CLIENT / "dist", ignore_errors=True)
    told = run(CLIENT / "node_modules" / ".bin" / "tsc", "-p", CLIENT, cwd=CLIENT)
    assert told.returncode == 0, told.stdout
    return CLIENT


@pytest.fixture(scope="session")
def drive(service, tmp_path_factory):
    """Run a script of this folder that drives the browser against the service; what it tells at its end, as JSON.

    Screenshots go to the folder that CLIENT_SCREENSHOTS names, else to a temporary one.
    """
    pictures = Path(os.environ.get("CLIENT_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))

    def driven(script, **facts):
        told = run(
            shutil.which("node"), HERE / script,
            URL=service.url, FACTS=json.dumps(facts), PICTURES=str(pictures.resolve()),
            CHROMIUM=browser(), HOME=str(tmp_path_factory.mktemp("home")),
        )  # fmt: skip
        assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
        return json.loads(told.stdout)

    return driven
