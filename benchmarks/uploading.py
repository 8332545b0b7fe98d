"""Clients that upload and do not give up: by form with an Idempotency-Key, and by tus."""

import base64
import hashlib
import http.client
import io
import json
import random
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

from PIL import Image

from benchmarks.served import Served

TRIES = 200
BOUNDARY = "kelp-and-urchins"
CHUNK = 256 * 1024
TUS = {"Tus-Resumable": "1.0.0"}


def make_content(number: int, seed: int) -> tuple[int, str, bytes]:
    """The content of an upload: every third is a picture, the others are texts of 1 KiB to 3 MiB."""
    rng = random.Random(f"{seed}.{number}")
    if number % 3 == 0:
        picture = Image.effect_noise((rng.randint(50, 900), rng.randint(50, 900)), rng.uniform(5, 60))
        drawn = io.BytesIO()
        picture.save(drawn, "PNG")
        return number, f"picture {number}.png", drawn.getvalue()
    length = int(2 ** rng.uniform(10, 21.6))
    return number, f"text {number}.txt", base64.b64encode(rng.randbytes(length))[:length]


class Broken(Exception):
    """The connection broke, or the service could not: to be tried again."""


class Sender:
    """One client with a project of its own.

    Attributes:
        acknowledged: SHA-256 by the id of each file that the service has confirmed.
        broken: how many requests got no answer, or 5xx.
    """

    def __init__(self, service: Served, number: int) -> None:
        self.acknowledged: dict[str, str] = {}
        self.broken = 0
        self._service = service
        self._token = service.sign_in(number)["access_token"]
        _, made = service.ask("POST", "/api/v1/projects", {"name": f"Uploads {uuid4().hex[:6]}"}, self._token)
        self.project = made["id"]
        self._path = f"/api/v1/projects/{self.project}"

    def send(self, number: int, name: str, content: bytes) -> None:
        """Upload until it is confirmed.

        Raises:
            SystemExit: it was refused.
        """
        by_form = number % 10 < 6
        file = self._by_form(name, content, uuid4().hex) if by_form else self._by_tus(name, content)
        self.acknowledged[file] = hashlib.sha256(content).hexdigest()

    def _by_form(self, name: str, content: bytes, key: str) -> str:
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        )
        body = head + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Idempotency-Key": key}
        _, told, _ = self._ask_on("POST", f"{self._path}/files", headers, body, {201})
        return str(told["id"])

    def _by_tus(self, name: str, content: bytes) -> str:
        described = f"filename {base64.b64encode(name.encode()).decode()}"
        headers = {**TUS, "Upload-Length": str(len(content)), "Upload-Metadata": described}
        _, _, told = self._ask_on("POST", f"{self._path}/tus", headers, b"", {201})
        where = told["Location"]
        for _ in range(TRIES):
            _, progress, _ = self._ask_on("GET", where, TUS, b"", {200})
            if progress["file_id"]:
                return str(progress["file_id"])
            at = progress["offset"]
            moving = {**TUS, "Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
            with suppress(Broken):
                self._ask("PATCH", where, moving, content[at : at + CHUNK], {204, 409})
        raise SystemExit(f"{where}: does not come to an end")

    def _ask_on(
        self, method: str, path: str, headers: dict[str, str], body: bytes, good: set[int]
    ) -> tuple[int, Any, Any]:
        for _ in range(TRIES):
            with suppress(Broken):
                return self._ask(method, path, headers, body, good)
            time.sleep(0.1)
        raise SystemExit(f"{method} {path}: no answer")

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes, good: set[int]
    ) -> tuple[int, Any, Any]:
        link = http.client.HTTPConnection("127.0.0.1", self._service.port, timeout=60)
        try:
            link.request(
                method,
                path,
                body,
                {"Authorization": f"Bearer {self._token}", "Connection": "close", **headers},
            )
            answer = link.getresponse()
            told = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.broken += 1
            raise Broken from error
        finally:
            link.close()
        if answer.status >= 500 or (answer.status == 409 and 409 not in good):
            self.broken += 1
            raise Broken
        if answer.status not in good:
            raise SystemExit(f"{method} {path}: {answer.status} {told[:300]!r}")
        return answer.status, json.loads(told) if told else None, answer.headers
