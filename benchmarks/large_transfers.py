"""A client for large files that holds none of them in memory; by itself it sends one by tus until it is killed."""

import base64
import hashlib
import http.client
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.served import Served

PIECE = 2**20
CHUNK = 5 * 2**20
BOUNDARY = "kelp-and-urchins"
CONFLICT = 409
TUS = {"Tus-Resumable": "1.0.0"}


class ConflictError(Exception):
    """Somebody else was faster."""


@dataclass(frozen=True)
class Link:
    """Where somebody uploads to, and as whom."""

    port: int
    token: str
    path: str

    @classmethod
    def of(cls, service: Served) -> "Link":
        token = service.sign_in(1)["access_token"]
        _, made = service.ask("POST", "/api/v1/projects", {"name": f"Large {uuid4().hex[:6]}"}, token)
        return cls(service.port, token, f"/api/v1/projects/{made['id']}")

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        """The answer as JSON; its headers where it has no body.

        Raises:
            SystemExit: it is a refusal.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.request(method, path, body, {**self.headers, **(headers or {})})
        return _told(connection)

    def begin_tus(self, source: Path) -> str:
        described = f"filename {base64.b64encode(source.name.encode()).decode()}"
        headers = {**TUS, "Upload-Length": str(source.stat().st_size), "Upload-Metadata": described}
        return str(self.ask("POST", f"{self.path}/tus", b"", headers)["Location"])


def send_form(link: Link, source: Path) -> Any:
    """The file that it has become."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{source.name}"\r\n\r\n'.encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    connection = http.client.HTTPConnection("127.0.0.1", link.port, timeout=600)
    connection.putrequest("POST", f"{link.path}/files")
    length = len(head) + source.stat().st_size + len(tail)
    for name, value in {
        **link.headers, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Length": str(length),
    }.items():  # fmt: skip
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(head)
    with source.open("rb") as file:
        connection.sock.sendfile(file)
    connection.send(tail)
    return _told(connection)


def tus_progress(link: Link, where: str) -> Any:
    return link.ask("GET", where, headers=TUS)


def send_tus(link: Link, where: str, source: Path) -> None:
    """From where it is to the end."""
    at, size = int(tus_progress(link, where)["offset"]), source.stat().st_size
    with source.open("rb") as file:
        while at < size:
            file.seek(at)
            headers = {**TUS, "Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
            try:
                at = int(link.ask("PATCH", where, file.read(CHUNK), headers)["Upload-Offset"])
            except ConflictError:  # what a client that is gone had sent was still being kept
                at = int(tus_progress(link, where)["offset"])


def send_direct(link: Link, source: Path, sha256: str) -> Any:
    """The file that it has become."""
    size = source.stat().st_size
    wanted = {"name": source.name, "size": size, "content_type": "text/plain", "sha256": sha256}
    json_headers = {"Content-Type": "application/json"}
    started = link.ask("POST", f"{link.path}/uploads", json.dumps(wanted).encode(), json_headers)
    place = urlsplit(started["url"])
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=600)
    with source.open("rb") as file:
        connection.request(
            "PUT", f"{place.path}?{place.query}", file, {**started["headers"], "Content-Length": str(size)}
        )
        _told(connection, plain=True)
    return link.ask("POST", f"{link.path}/uploads/{started['upload_id']}/complete")


def fetch(host: str, port: int, path: str, headers: dict[str, str], target: BinaryIO | None = None) -> str:
    """The SHA-256 of what comes, which is written where one wants it."""
    connection = http.client.HTTPConnection(host, port, timeout=600)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    if answer.status not in {200, 206}:
        raise SystemExit(f"GET {path}: {answer.status} {answer.read(300)!r}")
    digest, room = hashlib.sha256(), memoryview(bytearray(PIECE))
    while count := answer.readinto(room):
        if target is None:
            digest.update(room[:count])
        else:
            target.write(room[:count])
    connection.close()
    return digest.hexdigest()


def _told(connection: http.client.HTTPConnection, *, plain: bool = False) -> Any:
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status == CONFLICT:
        raise ConflictError
    if answer.status >= 300:
        raise SystemExit(f"{answer.status} {body[:500]!r}")
    return json.loads(body) if body and not plain else answer.headers


if __name__ == "__main__":
    send_tus(Link(int(sys.argv[1]), sys.argv[2], ""), sys.argv[3], Path(sys.argv[4]))
