"""A request that is bytes already, sent once."""

import http.client
import json
import socket
from typing import Any


def send(port: int, content: bytes) -> tuple[int, Any]:
    """Status and what the JSON of the answer says, None without any.

    Raises:
        OSError: nobody answers.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
        link.sendall(content)
        answer = http.client.HTTPResponse(link, method=content.split(b" ", 1)[0].decode())
        answer.begin()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
