"""Holdfast: the back end that a web or mobile app needs first."""

from typing import TYPE_CHECKING

from app.config import Settings, load_settings

if TYPE_CHECKING:
    from flask import Flask


def create_app(settings: Settings | None = None) -> "Flask":
    """The application: settings, engines, hooks in their order, blueprints.

    Args:
        settings: read from the environment when left out.

    Raises:
        ConfigError: when the environment makes no working configuration.
    """
    settings = settings or load_settings()
    # Only now: loading all of the application takes a second, and faulty settings are told without it.
    from app.application import build_app  # noqa: PLC0415

    return build_app(settings)
