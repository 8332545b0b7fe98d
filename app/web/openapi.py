"""The OpenAPI document: flask-smorest makes it from the code, here it gets what clients and their generators need.

What every operation shares is added from its declaration (app/web/operations.py), so that no route repeats it:
headers, errors by code, who may call it. The document is OpenAPI 3.1 and free of errors for Spectral's rule sets, the
OWASP one included; tests/clients generates a TypeScript client from it.
"""

import threading
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from flask import Flask
from flask_smorest import Api, Blueprint
from marshmallow import Schema

from app.config import Settings
from app.core.access import Caller
from app.core.errors import Code
from app.web import openapi_headers as parts
from app.web.cookies import name_of_cookie
from app.web.fields import EXAMPLE_ID, Choice, Choices, Flag, Id, Number, Text, Timestamp
from app.web.openapi_problems import problem_examples, problem_responses, problem_schemas, resource_name
from app.web.openapi_schemas import SchemaPlugin, finish_schemas, sample
from app.web.operations import DOCUMENTED, Operation
from app.web.schemas import Problem

API_PREFIX = "/api/v1"
VERBS = {"get", "post", "patch", "put", "delete"}
DESCRIPTION = """Accounts, sessions, projects: the back end that a web or mobile app needs first.

- **Sign in** with `signIn` and send the `access_token` as `Authorization: Bearer`. It lives ten minutes;
  `refreshSession` gives the next one.
- **Errors** are `application/problem+json` with a stable `code`; [what each means](/docs/errors).
- **Lists** are paged: send `next_cursor` back as `cursor` until `has_more` is false.
- **Writes** that take an `Idempotency-Key` may be repeated safely. **Edits** take `If-Match` with the ETag you read.
- Clients must tolerate fields, codes and words of a list that they do not know: new ones are no breaking change.
"""
CALLERS = {
    Caller.anyone: "Anybody may call this.",
    Caller.account: "Needs an access token.",
    Caller.stepped_up: "Needs an access token, and a recent proof of identity (signing in counts): without one the answer"
    " is `step_up_required`.",
    Caller.administrator: "Needs the access token of an administrator of the site.",
    Caller.stepped_up_administrator: "Needs the access token of an administrator of the site, and a recent proof of"
    " identity: without one the answer is `step_up_required`.",
    Caller.operator: "For the people who run the service.",
}  # fmt: skip


class ProblemApi(Api):
    """flask-smorest's, without the parts we replaced: error answers, page and version headers, its own pages."""

    ERROR_SCHEMA = Problem

    def __init__(self, *args: Any, **options: Any) -> None:
        self._untold: list[Blueprint] = []
        self._telling = threading.Lock()
        super().__init__(*args, **options)

    def register_blueprint(self, blp: Blueprint) -> None:
        """Its routes at once; its part of the document when somebody asks, which workers and commands never do."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp)
        self._untold.append(blp)

    def told(self) -> dict[str, Any]:
        """The document with every blueprint in it, before it is finished."""
        with self._telling:
            while self._untold:
                blp = self._untold.pop(0)
                blp.register_views_in_doc(self, self._app, self.spec, name=blp.name, parameters=None)
                self.spec.tag({"name": blp.name, "description": blp.description})
            document: dict[str, Any] = self.spec.to_dict()
            return document

    def _register_responses(self) -> None:
        """Ours come from the codes that each operation declares."""

    def _register_pagination_header(self) -> None:
        """Ours are keyset pages."""

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
            "servers": [_server(settings)],
            "security": [{"bearerAuth": []}],
        },
    )
    api = ProblemApi(app, spec_kwargs={"marshmallow_plugin": SchemaPlugin()})
    for field in (Text, Choice, Choices):
        api.register_field(field, "string", None)
    api.register_field(Id, "string", "uuid")
    api.register_field(Timestamp, "string", "date-time")
    api.register_field(Number, "integer", None)
    api.register_field(Flag, "boolean", None)
    api.spec.components.schema("Problem", schema=Problem)
    _add_security_schemes(api, settings)
    return api


def _server(settings: Settings) -> dict[str, Any]:
    """Where the API is. Without TLS it is a laptop, which is reached by many names: the address is relative."""
    if settings.base_url.startswith("https://"):
        place = "Production" if settings.production else "Staging or test"
        return {"url": f"{settings.base_url}{API_PREFIX}", "description": place, "x-internal": False}
    return {
        "url": API_PREFIX,
        "description": "Local: the server that this document came from",
        "x-internal": True,
    }


def _add_security_schemes(api: ProblemApi, settings: Settings) -> None:
    add = api.spec.components.security_scheme
    bearer = "The `access_token` of a sign-in: a JWT signed with EdDSA, checked as RFC8725 asks."
    add("bearerAuth", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": bearer})
    cookie = (
        "The refresh token of browsers that chose `token_transport: cookie`; needs `X-CSRF-Token` as well."
    )
    add(
        "refreshCookie",
        {"type": "apiKey", "in": "cookie", "name": name_of_cookie(settings), "description": cookie},
    )


def finished(document: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The document as clients get it.

    Args:
        document: as flask-smorest made it; it is left as it is.
        settings: for what depends on them: addresses, the shortest password.
    """
    document = deepcopy(document)
    paths = {path.removeprefix(API_PREFIX): item for path, item in document["paths"].items()}
    codes: set[Code] = set()
    shown: dict[type[Schema], None] = {}
    unusual: set[tuple[Code, int]] = set()
    for item in paths.values():
        for parameter in item.get("parameters", []):
            _finish_path_parameter(parameter)
        for verb, operation in operations(item):
            declared: Operation = operation.pop(DOCUMENTED)
            codes.update(declared.codes)
            unusual.update(declared.statuses.items())
            if declared.conditional and declared.resource:
                shown[declared.resource] = None
            _finish_operation(operation, verb, declared)
    used = [code for code in Code if code in codes]
    components = document["components"]
    schemas = finish_schemas(components["schemas"], settings)
    samples = {each: sample(schemas[resource_name(each)], schemas) for each in shown}
    components |= {
        "schemas": schemas | problem_schemas(used),
        "headers": parts.COMPONENTS,
        "examples": problem_examples(used, samples, settings.base_url, sorted(unusual)),
    }
    first = {name: document[name] for name in ("openapi", "info", "servers", "security", "tags")}
    return {**first, "paths": paths, "components": components}


def operations(item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The operations of one path, by verb."""
    yield from ((verb, value) for verb, value in item.items() if verb in VERBS)


def _finish_operation(operation: dict[str, Any], verb: str, declared: Operation) -> None:
    summary, _, rest = " ".join(operation["summary"].split()).partition(". ")
    operation["summary"] = summary.removesuffix(".").replace(
        "`", ""
    )  # plain text; only descriptions know Markdown
    told = (rest, operation.get("description", ""), CALLERS[declared.caller])
    operation["description"] = "\n\n".join(text for text in told if text)
    operation["x-caller"] = declared.caller.value
    if declared.caller == Caller.anyone:
        schemes = ["bearerAuth"] * declared.optional_identity + ["refreshCookie"] * declared.refresh_cookie
        operation["security"] = [{}, *({scheme: []} for scheme in schemes)]
    reads_resource = declared.resource is not None and verb == "get"
    operation["parameters"] = [
        *operation.get("parameters", []),
        *parts.header_parameters(declared, verb),
    ]
    answers = {
        status: _finish_success(status, response, declared)
        for status, response in operation["responses"].items()
        if status.startswith(("2", "3"))
    }
    if reads_resource:
        answers["304"] = {
            "description": "Nothing has changed since the ETag you sent.", "headers": parts.headers("ETag"),
        }  # fmt: skip
    operation["responses"] = answers | problem_responses(declared.codes, declared.resource, declared.statuses)


def _finish_success(status: str, response: dict[str, Any], declared: Operation) -> dict[str, Any]:
    names = ["ETag"] * (declared.resource is not None and status != "204")
    names += ["Idempotency-Replayed"] * declared.idempotent
    return {**response, "headers": {**parts.headers(*names), **response.get("headers", {})}}


def _finish_path_parameter(parameter: dict[str, Any]) -> None:
    if parameter["schema"].get("format") == "uuid":
        parameter["schema"].update(minLength=36, maxLength=36)
        parameter["description"] = f"Of the {parameter['name'].removesuffix('_id').replace('_', ' ')}."
        parameter["example"] = EXAMPLE_ID
