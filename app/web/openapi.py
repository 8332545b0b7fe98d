"""The OpenAPI document: flask-smorest makes it from the code, here it gets what TypeScript generators need."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Flask
from flask_smorest import Api
from flask_smorest.utils import prepare_response

from app.config import Settings
from app.web import problems
from app.web.fields import Choice, Choices, Flag, Id, Number, Text, Timestamp
from app.web.schemas import Problem

DESCRIPTION = """Accounts, sessions, projects: the back end that a web or mobile app needs first.

**Sign in:** `POST /auth/login` as `alice@example.com` on a laptop, copy `access_token`, press *Authorize*.
**Errors** are `application/problem+json` with a stable `code`. **Lists** are paged by `cursor`.
**Writes** take an `Idempotency-Key`; **edits** take `If-Match` with the ETag you read."""
RATE_HEADERS = {
    "RateLimit-Policy": "The limit that counted this request: quota `q` in `w` seconds.",
    "RateLimit": "What is left of it: `r` requests, `t` seconds until it starts afresh.",
}
API_PREFIX = "/api/v1"


class ProblemApi(Api):
    """flask-smorest's, with problems as its errors and without the parts we replaced."""

    ERROR_SCHEMA = Problem

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            document: dict[str, Any] = {"description": status.phrase}
            media_type = self.DEFAULT_RESPONSE_CONTENT_TYPE
            if status >= HTTPStatus.BAD_REQUEST:
                document["schema"], media_type = self.ERROR_SCHEMA, problems.MEDIA_TYPE
            prepare_response(document, self.spec, media_type)
            self.spec.components.response(status.name, document, lazy=True)

    def _register_pagination_header(self) -> None:
        """Ours are keyset pages; the header of flask-smorest's own stays out of the document."""

    def _register_etag_headers(self) -> None:
        """Ours are version tags."""

    def _register_error_handlers(self) -> None:
        """All errors go through app/web/errors.py."""


def init_openapi(app: Flask, settings: Settings, version: str) -> ProblemApi:
    app.config.update(
        API_TITLE=f"{settings.product_name} API",
        API_VERSION=version,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=None,
        API_SPEC_OPTIONS={
            "info": {
                "description": DESCRIPTION,
                "contact": {"name": "The team that runs this service", "url": f"{settings.base_url}/docs"},
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [
                {
                    "url": f"{settings.base_url}{API_PREFIX}",
                    "description": "This server",
                    "x-internal": "false",
                },
                {
                    "url": f"http://localhost:8000{API_PREFIX}",
                    "description": "A laptop",
                    "x-internal": "true",
                },
            ],
            "security": [{"bearerAuth": []}],
        },
    )
    api = ProblemApi(app)
    _teach_fields(api)
    components = api.spec.components
    components.security_scheme(
        "bearerAuth",
        {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "The `access_token` of a sign-in: a JWT signed with EdDSA, used as RFC8725 asks.",
        },
    )  # fmt: skip
    components.security_scheme(
        "refreshCookie",
        {
            "type": "apiKey", "in": "cookie", "name": "__Secure-refresh_token",
            "description": "Browsers that chose `token_transport: cookie`; needs `X-CSRF-Token` as well.",
        },
    )  # fmt: skip
    return api


def _teach_fields(api: ProblemApi) -> None:
    for field in (Text, Choice, Choices):
        api.register_field(field, "string", None)
    api.register_field(Id, "string", "uuid")
    api.register_field(Timestamp, "string", "date-time")
    api.register_field(Number, "integer", None)
    api.register_field(Flag, "boolean", None)


def polish(document: dict[str, Any]) -> dict[str, Any]:
    """Finish the document: paths relative to the server, header parameters, rate-limit headers, bounded strings."""
    paths = document["paths"]
    document["paths"] = {path.removeprefix(API_PREFIX): item for path, item in paths.items()}
    headers = document.setdefault("components", {}).setdefault("headers", {})
    for name, description in RATE_HEADERS.items():
        headers[name] = {"description": description, "schema": {"type": "string", "maxLength": 200}}
    headers["Retry-After"] = {
        "description": "Seconds until trying again makes sense.",
        "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 315_360_000},
    }
    headers["ETag"] = {
        "description": 'The version and digest of this representation, `"7.1a2b"`.',
        "schema": {"type": "string", "maxLength": 64},
    }
    for operation in operations(document):
        operation.setdefault("parameters", []).extend(operation.pop("x-header-parameters", []))
        for status, response in operation["responses"].items():
            _finish_response(status, response)
    _bound_path_ids(document)
    return document


def _finish_response(status: str, response: dict[str, Any]) -> None:
    if "$ref" in response:
        return
    headers = response.setdefault("headers", {})
    for name in RATE_HEADERS:
        headers.setdefault(name, {"$ref": f"#/components/headers/{name}"})
    if status in {"429", "503"}:
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}


def _bound_path_ids(document: dict[str, Any]) -> None:
    for item in document["paths"].values():
        for parameter in item.get("parameters", []):
            if parameter["schema"].get("format") == "uuid":
                parameter["schema"].update(minLength=36, maxLength=36)


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every operation of the document."""
    for item in document["paths"].values():
        yield from (
            value for verb, value in item.items() if verb in {"get", "post", "patch", "delete", "put"}
        )
