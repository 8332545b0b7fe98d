#!/usr/bin/python3
"""An SMTP sink in mailpit's place: keeps mails in memory and shows them as mailpit's API would.

mail_sink.py           SMTP on 1025, HTTP on 8025
mail_sink.py readyz    exit code 0 when it answers
"""

import email
import email.policy
import http.client
import json
import os
import sys
from asyncio import new_event_loop
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from signal import SIGTERM
from threading import Thread
from typing import Any, NoReturn

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session

MAILS: list[dict[str, Any]] = []
_OK, _NOT_FOUND = 200, 404


class Sink:
    """Takes every mail."""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        message = email.message_from_bytes(raw, policy=email.policy.default)
        MAILS.append(
            {
                "ID": str(len(MAILS) + 1),
                "From": {"Address": envelope.mail_from},
                "To": [{"Address": address} for address in envelope.rcpt_tos],
                "Subject": str(message["Subject"]),
                "Text": _part(message, "plain"),
                "HTML": _part(message, "html"),
            }
        )
        return "250 kept"


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    return body.get_content() if body else ""


class Api(BaseHTTPRequestHandler):
    """The part of mailpit's API that the proof reads."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        found: Any = None
        if path == "/readyz":
            found = {"status": "ok"}
        elif path == "/api/v1/messages":
            listed = [{key: mail[key] for key in ("ID", "From", "To", "Subject")} for mail in reversed(MAILS)]
            found = {"total": len(listed), "messages": listed}
        elif path.startswith("/api/v1/message/"):
            found = next((mail for mail in MAILS if mail["ID"] == path.rpartition("/")[2]), None)
        body = json.dumps(found).encode()
        self.send_response(_NOT_FOUND if found is None else _OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""


def _readyz() -> int:
    connection = http.client.HTTPConnection("127.0.0.1", 8025, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return int(connection.getresponse().status != _OK)
    except OSError:
        return 1


def _serve() -> NoReturn:
    loop = new_event_loop()
    smtp = UnthreadedController(Sink(), hostname="0.0.0.0", port=1025, loop=loop)  # noqa: S104 - in a container
    smtp.begin()  # type: ignore[no-untyped-call]  # brings no types
    web = ThreadingHTTPServer(("0.0.0.0", 8025), Api)  # noqa: S104 - in a container
    Thread(target=web.serve_forever, daemon=True).start()
    loop.add_signal_handler(SIGTERM, loop.stop)
    loop.run_forever()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(_readyz() if sys.argv[1:] == ["readyz"] else _serve())
