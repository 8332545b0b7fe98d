"""A small HTTP client for the proof: JSON there and back, never through a proxy."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dev.containers.proof import Failed

_BOUNDARY = "holdfast-verify"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Answer:
    """Status 0 says that there was no answer at all."""

    status: int
    body: Any

    def __str__(self) -> str:
        return f"{self.status} {json.dumps(self.body)[:500]}"


def ask(method: str, url: str, body: object = None, *, token: str | None = None) -> Answer:
    """Send a request."""
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    return _sent(urllib.request.Request(url, data, headers, method=method))  # noqa: S310 - loopback, by the callers


def send_file(url: str, name: str, media_type: str, content: bytes, token: str) -> Answer:
    """Send a file as a form does."""
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n"
    )
    body = head.encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
    headers = {
        "Accept": "application/json",
        "Authorization": f"Bearer {token}",
        "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
    }
    return _sent(urllib.request.Request(url, body, headers))  # noqa: S310 - as above


def fetch(url: str, token: str | None = None) -> bytes:
    """The bytes behind an address.

    Raises:
        Failed: when there is none.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with _OPENER.open(urllib.request.Request(url, headers=headers), timeout=10) as reply:  # noqa: S310 - as above
            return bytes(reply.read())
    except OSError as error:
        raise Failed(f"{url}: {error}") from None


def _sent(request: urllib.request.Request) -> Answer:
    try:
        try:
            with _OPENER.open(request, timeout=10) as reply:
                return _answer(reply.status, reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.read())
    except OSError as error:
        return Answer(0, str(error))


def _answer(status: int, raw: bytes) -> Answer:
    try:
        return Answer(status, json.loads(raw) if raw else None)
    except ValueError:
        return Answer(status, raw.decode(errors="replace"))


def must(status: int, answer: Answer) -> Any:
    """The body of an answer with the wanted status.

    Raises:
        Failed: with the answer when it is another.
    """
    if answer.status != status:
        raise Failed(f"wanted {status}, got {answer}")
    return answer.body


def until(what: str, look: Callable[[], Any], seconds: float = 30) -> Any:
    """Look again and again until something is found.

    Raises:
        Failed: when nothing is in time.
    """
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.2)
