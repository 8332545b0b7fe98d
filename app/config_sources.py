"""How single settings are read: files for secrets, comma lists, URLs, rates."""

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

_RATE = re.compile(r"^(\d{1,9})/(\d{1,7})$")


def text_of_file(name: str) -> str | None:
    """What stands in the file that ``<NAME>_FILE`` names, without its last line break; ``None`` for nothing.

    Raises:
        ValueError: saying why it cannot be read.
    """
    path = os.environ.get(f"{name.upper()}_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n") or None
    except OSError as error:
        raise ValueError(f"{path}, named by {name.upper()}_FILE, cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}, named by {name.upper()}_FILE, is not UTF-8 text") from None


def file_faults(names: Iterable[str]) -> list[str]:
    """A sentence for each setting whose file cannot be read."""
    faults = []
    for name in names:
        try:
            text_of_file(name)
        except ValueError as error:
            faults.append(f"{name.upper()}: {error}")
    return faults


class FileSecretsSource(PydanticBaseSettingsSource):
    """Reads settings from files; one that cannot be read is left out here and told by ``file_faults``."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - pydantic's signature
        with contextlib.suppress(ValueError):
            return text_of_file(field_name), field_name, False
        return None, field_name, False

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
    scheme, _, rest = text.partition("://")
    if scheme not in {"postgres", "postgresql", "postgresql+psycopg2"} or not is_url(text):
        raise ValueError("must be a postgresql:// URL")
    return f"postgresql+psycopg2://{rest}"


def http_origin(value: str) -> str:
    """An origin as browsers send it: scheme, host, optional port, nothing after it (RFC 6454)."""
    if value == "*":
        return value
    scheme, _, place = value.partition("://")
    if scheme not in {"http", "https"} or not is_url(value) or place != urlsplit(value).netloc:
        raise ValueError("write each origin as scheme://host[:port], without a path")
    return value.lower()


def is_url(text: str) -> bool:
    """Whether it has a scheme, and a host or a path, and no port that is none."""
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    return "://" in text and bool(host or parts.path or parts.query)


def rate(value: str) -> str:
    match = _RATE.match(value)
    if not match or int(match[1]) < 1 or int(match[2]) < 1:
        raise ValueError("write a rate as quota/seconds, for example 600/60")
    return value
