"""@holdfast/client: its generated half is up to date, it is built as packages should be, and it works."""

import filecmp
import http.server
import json
import re
import shutil
import threading
import urllib.request
from pathlib import Path

import pytest

from app.demo import DEMO_PASSWORD
from dev.client_code import GENERATED, write_code
from dev.clients import CLIENT
from tests.clients.conftest import run

PROGRAMS = CLIENT / "node_modules" / ".bin"
NODE = shutil.which("node")
# The restart has a test of its own below.
STORIES = sorted(
    {path.name.partition(".")[0] for path in (CLIENT / "tests").glob("*.test.mjs")} - {"restart"}
)


@pytest.fixture(scope="module")
def time_returns(service):
    """Tests let the clock go on; those of other files find it where it was.

    Not those of this one: the processes of the service notice a moment later, and until then a token of one is from
    the future to another.
    """
    yield
    body = json.dumps({"advance_seconds": 0}).encode()
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{service.url}/dev/clock", body, headers)).close()


@pytest.fixture
def restarting(service):
    """An address whose POST kills the API and starts it again."""

    class Control(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            service.restart()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Control) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def passed(told):
    """Node's test runner has run some tests, and all of them are content."""
    assert told.returncode == 0, told.stdout[-6000:] + told.stderr[-2000:]
    assert "# pass 0\n" not in told.stdout


def differences(one, other, folder=Path()):
    """Files that only one side has, or that differ."""
    compared = filecmp.dircmp(one / folder, other / folder)
    found = [str(folder / name) for name in compared.left_only + compared.right_only]
    _, changed, odd = filecmp.cmpfiles(one / folder, other / folder, compared.common_files, shallow=False)
    found += [str(folder / name) for name in changed + odd]
    return found + [
        name for below in compared.common_dirs for name in differences(one, other, folder / below)
    ]


def test_the_generated_code_is_that_of_this_service(tmp_path):
    write_code(tmp_path / "generated")
    assert differences(GENERATED, tmp_path / "generated") == [], "run `make client`"


def test_the_package_is_what_bundlers_and_compilers_expect(package):
    for command in (("publint", "--strict"), ("attw", "--pack", ".", "--profile", "esm-only")):
        told = run(PROGRAMS / command[0], *command[1:], cwd=package)
        assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("stories", STORIES)
def test_it_works_against_the_service(service, package, time_returns, stories):
    """Sign-up, second factor, shared stores, expiry, late answers, lists, conflicts, the change feed, uploads."""
    passed(run(NODE, "--test", f"tests/{stories}.test.mjs", cwd=package, URL=service.url))


def test_a_restart_in_the_middle_of_a_write_writes_once(service, package, restarting):
    passed(run(NODE, "--test", "tests/restart.test.mjs", cwd=package, URL=service.url, RESTART=restarting))


def bundle(package, folder):
    """The package as one script for a page; the path of it."""
    source = 'export * from "./index.js"; export { upload } from "./uploads.js";'
    options = ("--bundle", "--format=iife", "--global-name=Holdfast", f"--outfile={folder / 'app.js'}")
    told = run(PROGRAMS / "esbuild", *options, cwd=package / "dist", stdin=source)
    assert told.returncode == 0, told.stderr
    return str(folder / "app.js")


def test_an_upload_of_a_tab_that_was_closed_goes_on_in_the_next(package, drive, tmp_path):
    told = drive("client_upload.mjs", bundle=bundle(package, tmp_path), password=DEMO_PASSWORD)
    assert (told["small"]["name"], told["small"]["size"]) == ("note.txt", 9)
    assert told["kept"] == 1
    assert told["first"] >= 3 * 2**20, "the second tab began where the first had ended"
    assert told["last"] == told["size"] == told["done"]["size"]
    assert told["done"]["name"] == "reef.txt"
    assert told["left"] == 0


def test_two_tabs_on_another_origin_stay_signed_in_and_know_of_each_other(
    package, drive, tmp_path, time_returns
):
    """SEC-18, SEC-25: the cookie, ten refreshes of both tabs at once, sign-out, another person, a late answer."""
    told = drive("client_tabs.mjs", bundle=bundle(package, tmp_path), password=DEMO_PASSWORD)
    alice, charlie = "alice@example.com", "charlie@example.com"
    assert (told["nobody"], told["resumed"]) == (None, alice)
    assert (told["rounds"], told["renewed"]) == ([alice] * 20, [200] * 20)
    assert told["expired"] == [[alice] * 3] * 2
    assert told["afterExpiry"] == [200, 200], "one for each tab, however many calls wait"
    assert told["quiet"] == ['{"ended":[],"met":[]}'] * 2
    assert told["ended"] == [["signed_out"], ["signed_out_elsewhere"]]
    assert told["after"] == ["not_authenticated", None]
    assert (told["first"], told["met"], told["refused"]) == (alice, [told["charlie"]], "user_changed")
    assert told["reloaded"] == charlie
    assert (told["newest"], told["cookieOf"]) == (alice, [alice] * 2), (
        "the late refresh has not put its cookie over"
    )


def test_it_is_imported_under_the_preset_of_react_native(service, package):
    """Body transport, a stand-in for the Keychain, React Native's Request and FormData."""
    told = run(PROGRAMS / "jest", "--ci", cwd=package, URL=service.url)
    assert told.returncode == 0, told.stdout + told.stderr
    assert re.search(r"Tests: +[1-9]\d* passed", told.stderr)
