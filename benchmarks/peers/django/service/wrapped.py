"""Request id, content security policy and a line for each request; the other headers are Django's own."""

import logging
import re
import time
import uuid
from collections.abc import Callable

import orjson
from django.http import HttpRequest, HttpResponse

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
log = logging.getLogger("requests")


class JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told = {"time": record.created, "event": record.getMessage(), **getattr(record, "fields", {})}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(told).decode()


class Wrapped:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began, number = time.perf_counter(), request.META.get("HTTP_X_REQUEST_ID", "")
        number = number if REQUEST_ID.fullmatch(number) else uuid.uuid4().hex
        response = self._get_response(request)
        response.headers["X-Request-ID"] = number
        response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        fields = {
            "request_id": number, "method": request.method, "path": request.path, "status": response.status_code,
            "user": getattr(request, "caller", None), "address": request.META.get("REMOTE_ADDR"),
            "ms": round((time.perf_counter() - began) * 1000, 3),
        }  # fmt: skip
        log.info("request", extra={"fields": fields})
        return response
