"""The application, put together: hooks in their order, blueprints, commands."""

import os

from flask import Flask

from app.cli import register_commands
from app.config import Settings
from app.core.telemetry import configure_logging
from app.version import VERSION
from app.web import assets, dev_clock, dev_mailbox, docs, health, jwks, link_pages, well_known
from app.web.asking import register_asking
from app.web.auth import register_guard, register_identity
from app.web.errors import register_error_handlers
from app.web.framework import Application
from app.web.limits import init_limits
from app.web.middleware import init_cors, register_request_hooks, wrap_wsgi
from app.web.openapi import init_openapi
from app.web.operations import declare_blueprint_views
from app.web.strict_json import StrictJSONProvider
from app.wiring import BLUEPRINTS, Parts

PAGES = (
    health.blueprint,
    docs.blueprint,
    jwks.blueprint,
    assets.blueprint,
    link_pages.blueprint,
    well_known.blueprint,
)
DEVELOPMENT_PAGES = (dev_mailbox.blueprint, dev_clock.blueprint, docs.front)


def build_app(settings: Settings) -> Flask:
    """What ``create_app`` makes of settings."""
    configure_logging(settings.log_level)
    app = Application("app", template_folder="web/templates", static_folder=None)
    app.json = StrictJSONProvider(app)
    app.config["METRICS_ARE_SHARED"] = bool(os.environ.get("PROMETHEUS_MULTIPROC_DIR"))
    parts = Parts(app, settings)
    app.extensions["holdfast"] = parts
    wrap_wsgi(app, settings)
    register_request_hooks(app)
    init_cors(app, settings)
    register_identity(app)
    init_limits(app, settings, parts.gate)
    register_guard(app)
    if settings.database_replica_urls:
        register_asking(app)
    register_error_handlers(app)
    _register_routes(app, settings)
    register_commands(app)
    return app


def _register_routes(app: Flask, settings: Settings) -> None:
    api = init_openapi(app, settings, VERSION)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    for page in (*PAGES, *(DEVELOPMENT_PAGES if settings.development else ())):
        if page is not docs.blueprint or settings.docs_enabled:
            app.register_blueprint(page)
    declare_blueprint_views(app, "assets", "link_pages", "well_known", "dev_mailbox")
