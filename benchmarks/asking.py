"""One request at a time, as the proxy in front of a service sends it."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.production import HOST


@dataclass(frozen=True)
class Answer:
    """Status, content and headers, their names in lower case."""

    status: int
    told: Any
    headers: Mapping[str, str]


def proxied(address: str) -> dict[str, str]:
    """What the proxy adds for a client at that address."""
    return {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": address}


def ask(
    port: int, method: str, path: str, *, address: str = "10.0.0.1", token: str = "", body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:  # fmt: skip
    """Send it on a connection of its own.

    Args:
        port: on this machine.
        method: of HTTP.
        path: below `/api/v1`, or from `//` on the whole of it.
        address: of the client.
        token: of who asks.
        body: dumped to JSON, unless it is bytes.
        headers: more of them.

    Raises:
        OSError: nobody answers.
    """
    sent = {**proxied(address), "Connection": "close", **(headers or {})}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    if content is not None:
        sent["Content-Type"] = "application/json"
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        link.request(method, path[1:] if path.startswith("//") else f"/api/v1{path}", content, sent)
        answer = link.getresponse()
        text = answer.read()
    except http.client.HTTPException as error:
        raise ConnectionError(repr(error)) from error
    finally:
        link.close()
    return Answer(answer.status, _read(text), {name.lower(): value for name, value in answer.getheaders()})


def _read(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
