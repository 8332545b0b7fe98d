"""Idempotency-Key: the answer of a write is stored in the write's own transaction (SEC-50).

The wrapper opens the unit of work around view and dump; the service joins it. So the effect, the stored answer and the
jobs commit together or not at all, and a failed request frees its key.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from flask import Response, g, request

from app.core.errors import AppError, Code, FieldCode, FieldFault
from app.core.idempotency import IdempotencyRecord, IdempotencyRecords
from app.web.current import current_actor, parts, service, settings

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
LONGEST = 255
KEPT_HEADERS = ("ETag", "Location", "Content-Type", "Cache-Control")
View = Callable[..., Response]


def replayable(operation: str) -> Callable[[View], View]:
    """Let an operation be repeated safely under a key of the client's choice."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response:
            key = request.headers.get(HEADER)
            if key is None:
                return view(*args, **kwargs)
            _refuse_odd(key)
            return _once(operation, key, lambda: view(*args, **kwargs))

        return wrapper

    return decorate


def _once(operation: str, key: str, run: Callable[[], Response]) -> Response:
    records, account, fingerprint = service(IdempotencyRecords), current_actor().user_id, _fingerprint()
    with parts().uow:
        if not records.try_lock(account, operation, key):
            raise AppError(
                Code.request_in_progress,
                "The same request is still being worked on. Ask again soon.",
                retry_after=1,
            )
        record = records.find(account, operation, key)
        if record is not None:
            return _replay(record, fingerprint)
        response = run()
        if response.status_code < 300:
            records.store(
                IdempotencyRecord(
                    account_id=account,
                    operation=operation,
                    key=key,
                    fingerprint=fingerprint,
                    status=response.status_code,
                    body=response.get_data(),
                    headers={
                        name: response.headers[name] for name in KEPT_HEADERS if name in response.headers
                    },
                    expires_at=parts().clock.now() + timedelta(hours=settings().idempotency_hours),
                )
            )
        return response


def _replay(record: IdempotencyRecord, fingerprint: bytes) -> Response:
    if record.fingerprint != fingerprint:
        detail = "This Idempotency-Key was used for another request. Make a new one."
        fault = FieldFault(HEADER, FieldCode.invalid_format, detail, "header")
        raise AppError(Code.idempotency_key_reused, detail, fields=[fault])
    return Response(record.body, record.status, {**record.headers, REPLAYED: "true"})


def _fingerprint() -> bytes:
    """Method, address and body: a key stands for one request, not for one kind of request. Of a file counts its SHA-256."""
    digest = hashlib.sha256(f"{request.method} {request.full_path}\n".encode())
    received = g.get("received")
    digest.update(received.fingerprint if received else request.get_data(cache=True))
    return digest.digest()


def _refuse_odd(key: str) -> None:
    if not 1 <= len(key) <= LONGEST or not (key.isascii() and key.isprintable()):
        detail = f"1 to {LONGEST} printable ASCII characters."
        fault = FieldFault(HEADER, FieldCode.invalid_format, detail, "header", {"max": LONGEST})
        raise AppError(Code.validation_failed, "The Idempotency-Key is not valid.", fields=[fault])
