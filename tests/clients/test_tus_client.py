"""Resumable uploads as the usual client of browsers and phones makes them: tus-js-client."""

import hashlib
import json
import urllib.request
from pathlib import Path

import pytest

from app.demo import DEMO_PASSWORD

MIB = 2**20
SIZE = 20 * MIB


@pytest.fixture(scope="module")
def reef(service):
    """A file on disk, a project for it, and somebody who may: arguments for the script."""
    file = service.home / "reef.txt"
    lines = (
        f"{number}: {hashlib.sha256(str(number).encode()).hexdigest()}\n" for number in range(SIZE // 60)
    )
    file.write_bytes("".join(lines).encode()[:SIZE])
    alice = {"email": "alice@example.com", "password": DEMO_PASSWORD}
    token = ask(service, "/api/v1/auth/login", alice)["access_token"]
    project = ask(service, "/api/v1/projects", {"name": "Reef survey"}, token)["id"]
    endpoint = f"{service.url}/api/v1/projects/{project}/tus"
    return {"file": str(file), "token": token, "endpoint": endpoint, "chunk": 5 * MIB}


def ask(service, path, body=None, token=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    address = path if path.startswith("http") else service.url + path
    with urllib.request.urlopen(urllib.request.Request(address, data=data, headers=headers)) as answer:
        return json.load(answer)


def is_whole(service, facts, url):
    """The upload has become a file that is what is on the disk, as its row says and as it is handed out."""
    upload = ask(service, url, token=facts["token"])
    file = ask(
        service, f"/api/v1/projects/{upload['project_id']}/files/{upload['file_id']}", token=facts["token"]
    )
    with Path(facts["file"]).open("rb") as sent, urllib.request.urlopen(file["content_url"]) as kept:
        digest = hashlib.file_digest(sent, "sha256").hexdigest()
        return file["size"] == SIZE and digest == file["sha256"] == hashlib.sha256(kept.read()).hexdigest()


def test_an_upload_that_was_given_up_goes_on_in_another_process(service, reef, drive, tmp_path):
    kept = str(tmp_path / "urls")
    begun = drive("tus.mjs", **reef, kept=kept, until=12 * MIB)
    assert begun["requests"][:3] == [["POST", 201], ["PATCH", 204], ["PATCH", 204]]
    offset = ask(service, begun["url"], token=reef["token"])["offset"]
    assert 10 * MIB <= offset < SIZE

    ended = drive("tus.mjs", **reef, kept=kept)
    assert ended["url"] == begun["url"]
    assert ended["requests"][0] == ["HEAD", 200]
    assert ended["resumedAt"] >= 10 * MIB
    assert ended["requests"][-1] == ["PATCH", 204]
    assert ["POST", 201] not in ended["requests"]
    assert is_whole(service, reef, ended["url"])


def test_a_network_that_knows_no_patch_is_no_hindrance(service, reef, drive, tmp_path):
    told = drive("tus.mjs", **reef, kept=str(tmp_path / "urls"), override=True)
    assert {tuple(request) for request in told["requests"]} == {("POST", 201), ("POST", 204)}
    assert is_whole(service, reef, told["url"])
