"""How single settings are read: files for secrets, comma lists, URLs, rates."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

_RATE = re.compile(r"^(\d{1,9})/(\d{1,7})$")


class FileSecretsSource(PydanticBaseSettingsSource):
    """Reads a setting from the file that ``<NAME>_FILE`` names, without its last line break."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - pydantic's signature
        path = os.environ.get(f"{field_name.upper()}_FILE")
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n"), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{field_name.upper()}_FILE: {path} cannot be read: {error}") from None

    def __call__(self) -> dict[str, Any]:
        values = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                values[key] = value
        return values


def split_commas(value: Any) -> Any:
    """``"a, b"`` becomes ``("a", "b")``; anything else is left to the type."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def database_url(value: Any) -> Any:
    """Name the driver: with SQLAlchemy 2.1 a bare ``postgresql://`` would mean psycopg 3."""
    text = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    if not isinstance(text, str) or not text:
        return value
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg2"}:
        raise ValueError("must be a postgresql:// URL")
    return f"postgresql+psycopg2://{rest}"


def http_origin(value: str) -> str:
    """An origin as browsers send it: scheme, host, optional port, nothing after it (RFC 6454)."""
    if value == "*":
        return value
    parts = urlsplit(value)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or value != f"{parts.scheme}://{parts.netloc}"
    ):
        raise ValueError(f"{value!r} is not an origin; write scheme://host[:port] without a path")
    return value.lower()


def rate(value: str) -> str:
    match = _RATE.match(value)
    if not match or int(match[1]) < 1 or int(match[2]) < 1:
        raise ValueError("write a rate as quota/seconds, for example 600/60")
    return value
