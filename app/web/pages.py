"""Pages that the service shows to people: few, small, and strict about what they may load."""

from collections.abc import Mapping
from typing import Any, cast

from flask import Response, current_app, make_response, render_template

from app.config import Settings
from app.web.assets import asset_url

POLICY: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",  # the icon: browsers ask for one, and report it when it is refused
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}


def page_settings() -> Settings:
    """The settings of the running application."""
    return cast("Settings", current_app.extensions["holdfast"].settings)


def html_page(
    template: str, /, *, status: int = 200, policy: Mapping[str, str] | None = None, **context: Any
) -> Response:
    """Render a page with the headers that every page of ours has.

    Args:
        template: a file in app/web/templates; extend ``page.html``. It knows ``product_name`` and
            ``asset_url(name)`` and holds no inline script and no inline style.
        status: of the answer.
        policy: directives of the Content-Security-Policy to add or replace, for this page alone.
        context: what the template needs.

    Returns:
        The answer. What adds headers to all answers later must leave those that are set alone.
    """
    known = {"product_name": page_settings().product_name, "asset_url": asset_url, **context}
    response = make_response(render_template(template, **known), status)
    response.headers["Content-Security-Policy"] = "; ".join(
        f"{directive} {sources}" for directive, sources in {**POLICY, **(policy or {})}.items()
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response
