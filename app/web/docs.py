"""The documentation pages: the OpenAPI document, Swagger UI from bundled files, and what each problem means."""

import hashlib
from pathlib import Path
from typing import Any

import flask_swagger_ui
from flask import Blueprint, Response, current_app, redirect, request, send_from_directory, url_for

from app.core.errors import Code
from app.web.explanations import EXPLANATIONS
from app.web.openapi import ProblemApi, finished
from app.web.operations import public
from app.web.pages import html_page, page_settings
from app.web.problems import CATALOGUE

FILES = Path(flask_swagger_ui.__file__).parent / "dist"
SERVED = {"swagger-ui.css", "swagger-ui-bundle.js"}
A_DAY = 86_400
# Swagger UI draws its icons from data: URLs, and pictures that an operation answers from blob: URLs of its own.
POLICY = {"img-src": "'self' data: blob:"}
blueprint = Blueprint("docs", __name__)
front = Blueprint("front", __name__)


def document() -> dict[str, Any]:
    """The finished document of this application."""
    api: ProblemApi = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    return finished(api.told(), page_settings())


@blueprint.get("/api/v1/openapi.json")
@public("getOpenApi")
def openapi_json() -> Response:
    """The document; made once a process."""
    kept: bytes | None = current_app.config.get("OPENAPI_BYTES")
    if kept is None:
        kept = current_app.json.dumps(document()).encode()
        current_app.config["OPENAPI_BYTES"] = kept
    response = Response(kept, content_type="application/json")
    response.set_etag(hashlib.blake2b(kept, digest_size=8).hexdigest())
    response.headers["Cache-Control"] = "no-cache"
    return response.make_conditional(request)  # type: ignore[return-value]  # the same object


@front.get("/")
@public("frontDoor")
def front_door() -> Response:
    """On a laptop the bare address leads to the documentation."""
    return redirect(url_for("docs.swagger_ui"))  # type: ignore[return-value]  # Flask's response class at run time


@blueprint.get("/docs")
@public("docs")
def swagger_ui() -> Response:
    """Swagger UI."""
    return html_page("docs.html", policy=POLICY)


@blueprint.get("/docs/errors")
@public("docsErrors")
def errors_page() -> Response:
    """What each code means and what to do; every problem's ``type`` leads here."""
    rows = [(code.value, CATALOGUE[code], EXPLANATIONS[code]) for code in Code]
    return html_page("errors.html", rows=rows)


@blueprint.get("/docs/files/<name>")
@public("docsFiles")
def swagger_file(name: str) -> Response:
    """The two files of Swagger UI that the page needs."""
    response = send_from_directory(FILES, name if name in SERVED else "absent", max_age=A_DAY)
    response.headers["Cache-Control"] = f"public, max-age={A_DAY}"
    return response
