"""The environment of a laptop's service: generated secrets, and what the launcher decides."""

import base64
import os
import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path

from app.config import Settings
from dev.address import Address
from dev.faults import Fault
from dev.places import write_private

KEY_RINGS = ("SECRET_KEYS", "PASSWORD_PEPPERS", "SIGNING_KEYS")
_GENERATED = (*KEY_RINGS, "OPS_TOKEN")
ENV_FILE = "run/env"


def _fresh(name: str) -> str:
    if name in KEY_RINGS:
        return f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    return secrets.token_urlsafe(32)


def read_env_file(path: Path) -> dict[str, str]:
    """Read `NAME=value` lines as a shell would; comments and empty lines are skipped."""
    values = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, separator, value = line.strip().partition("=")
        if separator and not name.startswith("#"):
            values[name.strip()] = "".join(shlex.split(value))
    return values


def write_env_file(path: Path, values: Mapping[str, str]) -> None:
    """Write `NAME=value` lines that dotenv readers and shells understand alike, for the owner's eyes only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()))


def secrets_of(home: Path) -> dict[str, str]:
    """The generated keys of this folder, in `secrets.env` (0600); made at the first start and kept.

    Raises:
        Fault: when there are data but the keys to them are lost.
    """
    path = home / "secrets.env"
    try:
        known = read_env_file(path)
    except FileNotFoundError:
        if (home / "postgres" / "PG_VERSION").exists():
            raise Fault(
                f"{path} is missing, and with it the keys to the accounts in {home / 'postgres'}. "
                "Put it back, or start afresh with `make clean-data`."
            ) from None
        known = {}
    except ValueError:
        raise Fault(f"{path} is damaged. Put it back, or start afresh with `make clean-data`.") from None
    missing = {name: _fresh(name) for name in _GENERATED if not known.get(name)}
    if missing:
        known |= missing
        write_env_file(path, known)
    return known


def service_settings(
    address: Address, home: Path, keys: Mapping[str, str], engine_urls: Mapping[str, str]
) -> dict[str, str]:
    """Everything the service and a second terminal need.

    What the person sets in the environment wins, but for the engines that we started and for
    APP_ENV: keys made for a laptop must never serve as production. All of it is told, so that a command in the second
    terminal works on the same files, under the same keys and limits.
    """
    theirs_alone = {
        name: value for field in Settings.model_fields if (value := os.environ.get(name := field.upper()))
    }
    defaults = {
        **keys,
        "RATE_LIMIT_FACTOR": "20",
        "MAILBOX_DIR": str(home / "mailbox"),
        "STORAGE_DIR": str(home / "storage"),
        "PUBLIC_URL": address.public_url,
        "LINK_BASE_URL": os.environ.get("PUBLIC_URL") or address.public_url,
    }
    chosen = {
        name: os.environ.get(name) or value
        for name, value in defaults.items()
        if not os.environ.get(f"{name}_FILE")
    }
    for name, ours in (("TRUSTED_HOSTS", address.trusted_hosts), ("CORS_ORIGINS", address.origins)):
        theirs = tuple(part.strip() for part in os.environ.get(name, "").split(",") if part.strip())
        if ours or theirs:
            chosen[name] = ",".join(dict.fromkeys((*ours, *theirs)))
    return {
        **theirs_alone,
        "APP_ENV": "development",
        "HOST": address.host,
        "PORT": str(address.port),
        **chosen,
        **engine_urls,
    }
