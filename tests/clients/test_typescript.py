"""@hey-api/openapi-ts makes a client from the document; it compiles under `tsc --strict`, and it works."""

import re
import shutil

import pytest

from app.core.clock import wall_seconds
from app.demo import DEMO_PASSWORD, DEMO_TOTP_SECRET
from app.second_factor.codes import current_code
from tests.clients.conftest import HERE, PROGRAMS, run

CONFIG = """export default {
  input: "openapi.json",
  output: { path: "api", module: { extension: ".js" } },
  plugins: ["@hey-api/client-fetch"],
};
"""


@pytest.fixture(scope="module")
def project(document_file, tmp_path_factory):
    """A folder as an app's: its own code, and the client that the generator made."""
    folder = tmp_path_factory.mktemp("app")
    shutil.copytree(HERE / "typecheck", folder, dirs_exist_ok=True)
    shutil.copy(document_file, folder / "openapi.json")
    shutil.copy(HERE / "package.json", folder)
    (folder / "openapi-ts.config.mjs").write_text(CONFIG)
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    told = run(PROGRAMS / "openapi-ts", "-f", "openapi-ts.config.mjs", cwd=folder)
    assert told.returncode == 0, told.stdout + told.stderr
    return folder


def compiled(folder):
    """What the compiler has to say."""
    return run(PROGRAMS / "tsc", "-p", folder, "--outDir", folder / "out", cwd=folder).stdout


def test_the_client_compiles_and_works(service, project):
    assert compiled(project) == ""
    code = current_code(DEMO_TOTP_SECRET, wall_seconds())
    told = run(
        shutil.which("node"), "out/use.js", cwd=project, URL=service.url, PASSWORD=DEMO_PASSWORD, CODE=code
    )
    assert told.returncode == 0, told.stdout + told.stderr
    lines = dict(line.split(": ", 1) for line in told.stdout.splitlines())
    assert lines["wrong password"] == "The address or the password is not right."
    assert lines["methods"] == "totp"
    assert lines["administrator"] == "Ada, true"
    assert (lines["used code"], lines["mixed"]) == ("invalid_code", "validation_failed")
    assert lines["me"].startswith("Alice ")
    assert re.fullmatch(r"From the generated client, null, at /api/v1/projects/[0-9a-f-]{36}", lines["made"])
    assert {"From the generated client", "Harbour map", "Reef survey", "Tide tables"} <= set(
        lines["listed"].split(", ")
    )
    assert lines["owner"] == "Alice, counts: null"
    assert lines["stale"] == "412, now Changed."
    assert lines["unknown"] == "not_found"


def test_a_code_that_is_not_in_the_document_does_not_compile(project):
    """The compiler is awake: what the app may not do is refused."""
    source = project / "use.ts"
    kept = source.read_text()
    try:
        source.write_text(kept.replace('case "version_conflict"', 'case "no_such_code"').replace(
            'problem.code === "version_conflict"', 'problem.code === "no_such_code"'
        ))  # fmt: skip
        assert "no_such_code" in compiled(project)
    finally:
        source.write_text(kept)


def test_every_operation_has_a_function_and_no_type_is_loose(document, project):
    functions = set(
        re.findall(r"^export const (\w+) =", (project / "api" / "sdk.gen.ts").read_text(), re.MULTILINE)
    )
    named = {
        told["operationId"]
        for item in document["paths"].values()
        for told in item.values()
        if "operationId" in told
    }
    assert functions == named
    types = (project / "api" / "types.gen.ts").read_text()
    assert not re.findall(r"^export type \w+ = (?:unknown|any);", types, re.MULTILINE)
    assert not re.findall(
        r"^export type \w+(?:2|Writable|Readable)\b", types, re.MULTILINE
    )  # doubles of one schema
