"""Errors in the OpenAPI document: one schema per code, so that a generated client narrows a problem by ``code``."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from marshmallow import Schema

from app.core.errors import Code, FieldCode, QuotaScope
from app.web.errors import CHALLENGED
from app.web.explanations import EXPLANATIONS
from app.web.openapi_headers import headers
from app.web.problems import CATALOGUE, MEDIA_TYPE, UNPROCESSABLE

SCHEMAS = "#/components/schemas"
EXAMPLES = "#/components/examples"
REQUEST_ID = "0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a99"
SECONDS = {"type": "integer", "format": "int32", "minimum": 0, "maximum": 315_360_000}
BYTES = {"type": "integer", "format": "int64", "minimum": 0, "maximum": 9_007_199_254_740_991}
FAULTS = {"errors": {"type": "array", "maxItems": 100, "items": {"$ref": f"{SCHEMAS}/FieldProblem"}}}
MEMBERS: dict[Code, dict[str, Any]] = {
    Code.rate_limited: {"retry_after": SECONDS},
    Code.step_up_required: {
        "methods": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 20}},
        "max_age": SECONDS,
    },
    Code.owns_shared_projects: {
        "projects": {
            "type": "array",
            "maxItems": 100,
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36},
                    "name": {"type": "string", "maxLength": 255},
                },
                "required": ["id", "name"],
            },
        }
    },
    Code.quota_exceeded: {
        "left": BYTES,
        "scope": {"type": "string", "enum": [scope.value for scope in QuotaScope]},
    },
    Code.file_too_large: {"max": BYTES},
    Code.version_conflict: {"current": {"type": "object", "description": "The resource as it is now."}},
}
"""What a problem of this code always has besides the members of every problem."""

SAMPLES: dict[str, Any] = {
    "retry_after": 30,
    "methods": ["password"],
    "max_age": 900,
    "left": 48_213,
    "scope": "project",
    "max": 26_214_400,
    "projects": [{"id": "0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a03", "name": "Reef survey"}],
}
FAULTY: dict[Code, tuple[str, str, FieldCode]] = {
    Code.validation_failed: ("body", "name", FieldCode.required),
    Code.invalid_cursor: ("query", "cursor", FieldCode.invalid_format),
    Code.invalid_code: ("body", "code", FieldCode.invalid_format),
    Code.checksum_mismatch: ("body", "sha256", FieldCode.invalid_format),
    Code.invalid_credentials: ("body", "current_password", FieldCode.invalid_choice),
    Code.idempotency_key_reused: ("header", "Idempotency-Key", FieldCode.invalid_format),
    Code.token_transport_conflict: ("body", "refresh_token", FieldCode.invalid_format),
}
"""The field that a problem of this code speaks of: its location, its name and its own code."""

TOLD_TO_WAIT = {Code.rate_limited, Code.request_in_progress}


def schema_name(code: Code) -> str:
    """``version_conflict`` is ``VersionConflictProblem``."""
    return "".join(word.title() for word in code.value.split("_")) + "Problem"


def problem_responses(
    codes: Iterable[Code], resource: type[Schema] | None, statuses: Mapping[Code, int]
) -> dict[str, Any]:
    """The error responses of an operation, by status.

    Args:
        codes: that it can answer.
        resource: schema of what ``current`` holds in a version conflict.
        statuses: of codes that answer otherwise than in the catalogue.
    """
    by_status: dict[int, list[Code]] = {}
    for code in codes:
        by_status.setdefault(statuses.get(code, CATALOGUE[code].status), []).append(code)
    return {str(status): _response(found, resource, status) for status, found in sorted(by_status.items())}


def _response(codes: list[Code], resource: type[Schema] | None, status: int) -> dict[str, Any]:
    schemas = [_schema_of(code, resource) for code in codes]
    content: dict[str, Any] = {"schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas}}
    content["examples"] = {
        code.value: {"$ref": f"{EXAMPLES}/{example_name(code, resource, status)}"} for code in codes
    }
    return {
        "description": ", ".join(f"`{code.value}`" for code in codes),
        "content": {MEDIA_TYPE: content},
        "headers": headers(*_names(codes)),
    }


def _names(codes: list[Code]) -> Iterator[str]:
    if CHALLENGED & set(codes):
        yield "WWW-Authenticate"
    if TOLD_TO_WAIT & set(codes) or CATALOGUE[codes[0]].status == 503:
        yield "Retry-After"
    if Code.version_conflict in codes:
        yield "ETag"


def _schema_of(code: Code, resource: type[Schema] | None) -> dict[str, Any]:
    known = {"$ref": f"{SCHEMAS}/{schema_name(code)}"}
    if code != Code.version_conflict or resource is None:
        return known
    current = {"$ref": f"{SCHEMAS}/{resource_name(resource)}"}
    return {"allOf": [known, {"properties": {"current": current}, "required": ["current"]}]}


def resource_name(resource: type[Schema]) -> str:
    """The component of a schema class, as apispec names it."""
    return resource.__name__.removesuffix("Schema")


def example_name(code: Code, resource: type[Schema] | None, status: int | None = None) -> str:
    """A conflict shows the resource, so each resource has an example of its own; so has an unusual status."""
    if code == Code.version_conflict and resource is not None:
        return f"{code.value}.{resource_name(resource)}"
    usual = status in {None, CATALOGUE[code].status}
    return code.value if usual else f"{code.value}.{status}"


def members_of(code: Code) -> dict[str, Any]:
    """Schemas of the members that this code adds and always has."""
    return {**(FAULTS if CATALOGUE[code].status == UNPROCESSABLE else {}), **MEMBERS.get(code, {})}


def problem_schemas(codes: Iterable[Code]) -> dict[str, Any]:
    """Component schemas of these codes: every problem's members, its own ``code``, its own extra members."""
    return {
        schema_name(code): {
            "description": EXPLANATIONS[code],
            "allOf": [
                {"$ref": f"{SCHEMAS}/Problem"},
                {
                    "properties": {"code": {"type": "string", "enum": [code.value]}, **members_of(code)},
                    "required": ["code", *members_of(code)],
                },
            ],
        }
        for code in codes
    }


def problem_examples(
    codes: Iterable[Code],
    resources: Mapping[type[Schema], Any],
    base_url: str,
    unusual: Iterable[tuple[Code, int]] = (),
) -> dict[str, Any]:
    """Component examples of these codes.

    Args:
        codes: to make examples of.
        unusual: codes with a status that the catalogue does not say.
        resources: that a version conflict shows, each with an example of itself.
        base_url: where the documentation is.
    """
    examples = {
        code.value: _example(code, base_url, SAMPLES) for code in codes if code != Code.version_conflict
    }
    for resource, current in resources.items():
        name = example_name(Code.version_conflict, resource)
        examples[name] = _example(Code.version_conflict, base_url, {"current": current})
    for code, status in unusual:
        examples[example_name(code, None, status)] = _example(code, base_url, SAMPLES, status)
    return examples


def _example(
    code: Code, base_url: str, members: Mapping[str, Any], status: int | None = None
) -> dict[str, Any]:
    kind = CATALOGUE[code]
    detail = EXPLANATIONS[code].partition(". ")[0].removesuffix(".").replace("`", "") + "."
    own = {name: members.get(name) for name in members_of(code)}
    if UNPROCESSABLE in {kind.status, status}:
        location, field, fault = FAULTY[code]
        own["errors"] = [
            {"location": location, "field": field, "code": fault.value, "detail": detail, "params": {}}
        ]
    return {
        "summary": kind.title,
        "value": {
            "type": f"{base_url}/docs/errors#{code.value}",
            "title": kind.title,
            "status": status or kind.status,
            "detail": detail,
            "code": code.value,
            "request_id": REQUEST_ID,
            **own,
        },
    }
