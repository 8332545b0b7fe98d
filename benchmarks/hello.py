"""What gunicorn does at best: a WSGI callable that does nothing."""

from typing import Any

BODY = b'{"hello":"world"}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]


def app(_environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", HEADERS)
    return [BODY]
