"""What the documents show of @holdfast/client compiles as it stands; the package's size and reference are made."""

import gzip
import json
import re
from pathlib import Path

import pytest

from dev.clients import CLIENT
from dev.places import ROOT
from dev.terminal import say
from tests.clients.conftest import run

PROGRAMS = CLIENT / "node_modules" / ".bin"
PAGES = [CLIENT / "README.md", ROOT / "docs" / "clients.md"]
FENCE = re.compile(r"^```tsx?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
AROUND = ("examples.d.ts", "async-storage.d.ts")
MOST = 12_000
SIZES = {
    "sign-in, lists and edits": "export { createHoldfast, ApiError, paginate, updateWithRetry, signIn, listProjects, updateProject } from '.';",
    "everything but uploads": "export * from '.';",
    "uploads, with tus-js-client": "export * from './uploads.js';",
}


@pytest.fixture
def examples(package, tmp_path):
    """A folder as an app's, with each block of code of the documents as a module."""
    (tmp_path / "node_modules").symlink_to(package / "node_modules")
    for name in AROUND:
        (tmp_path / name).write_text((package / "tests" / name).read_text())
    for page in PAGES:
        for number, block in enumerate(FENCE.findall(page.read_text()), 1):
            (tmp_path / f"{page.stem}-{number}.tsx").write_text(f"{block}export {{}};\n")
    settings = json.loads((package / "tsconfig.json").read_text())["compilerOptions"]
    for name in ("rootDir", "outDir", "declaration", "verbatimModuleSyntax"):
        del settings[name]
    dist = package / "dist"
    bundled = {
        "module": "esnext",
        "moduleResolution": "bundler",
        "jsx": "react-jsx",
        "noEmit": True,
        "types": ["node"],
    }
    paths = {"@holdfast/client": [f"{dist}/index.d.ts"], "@holdfast/client/*": [f"{dist}/*.d.ts"]}
    settings |= bundled | {"paths": paths}
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": settings, "include": ["*"]}))
    return tmp_path


def compiled(folder: Path):
    return run(PROGRAMS / "tsc", "-p", folder, cwd=folder).stdout


def test_each_example_compiles(examples):
    assert len(list(examples.glob("*.tsx"))) >= 12
    assert compiled(examples) == ""
    awake = examples / "README-1.tsx"
    awake.write_text(awake.read_text().replace("body: { name:", "body: { title:"))
    assert "'title' does not exist" in compiled(examples)


def test_it_is_small(package, capsys):
    """Bundled, minified and compressed, as a web app would send it; types weigh nothing there."""
    sizes = {}
    for what, source in SIZES.items():
        told = run(
            PROGRAMS / "esbuild", "--bundle", "--minify", "--format=esm", "--platform=browser",
            cwd=package / "dist", stdin=source,
        )  # fmt: skip
        assert told.returncode == 0, told.stderr
        sizes[what] = len(gzip.compress(told.stdout.encode()))
    with capsys.disabled():
        say("".join(f"\n  @holdfast/client, {what}: {size:,} bytes" for what, size in sizes.items()))
    assert sizes["everything but uploads"] <= MOST


def test_its_reference_can_be_written(package, tmp_path):
    told = run(PROGRAMS / "typedoc", "--treatWarningsAsErrors", "--out", tmp_path / "reference", cwd=package)
    assert told.returncode == 0, told.stdout + told.stderr
    assert (
        "createHoldfast" in (tmp_path / "reference" / "functions" / "index.createHoldfast.html").read_text()
    )
