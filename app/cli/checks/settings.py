"""What the settings say by themselves, with no dependency asked."""

import difflib
import os
from collections.abc import Iterator

from app.cli.checks.finding import Finding, ok, warn
from app.config import Settings
from app.config_faults import OPTIONAL_RINGS, RINGS

ALIKE = 0.88
"""How much a variable's name must resemble a setting's to be taken for a slip of the pen."""
NOT_OURS = {"HOLDFAST_ENV_FILE"}


def look(settings: Settings) -> Iterator[Finding]:
    """Findings about the settings and the key rings."""
    yield ok("settings", _summary(settings))
    yield from _oddities(settings)
    yield from _slips(dict(os.environ))
    rings = [name for name in (*RINGS, *OPTIONAL_RINGS) if getattr(settings, name).get_secret_value()]
    yield ok("keys", "; ".join(f"{name.upper()} {_ids(settings, name)}" for name in rings))


def key_ids(settings: Settings, ring: str) -> list[str]:
    """The ids of a ring, the current one first; never a key."""
    entries = getattr(settings, ring).get_secret_value().split(",")
    return [entry.strip().partition(":")[0] for entry in entries]


def _summary(settings: Settings) -> str:
    return (
        f"all sound; {settings.app_env}, {settings.workers} workers of {settings.threads} threads, "
        f"bcrypt cost {settings.bcrypt_cost}, limits times {settings.rate_limit_factor:g}"
    )


def _ids(settings: Settings, ring: str) -> str:
    current, *older = key_ids(settings, ring)
    return f"{current} (current)" + (f", {', '.join(older)}" if older else "")


def _oddities(settings: Settings) -> Iterator[Finding]:
    if settings.read_only:
        yield warn(
            "settings", "READ_ONLY is on: every write answers 503 read_only", "unset READ_ONLY to take writes"
        )
    if settings.debug:
        yield warn("settings", "DEBUG is on", "unset DEBUG anywhere but on your own machine")
    if not settings.cache_enabled:
        yield warn("settings", "CACHE_ENABLED is off: every read asks PostgreSQL", "unset CACHE_ENABLED")
    if settings.production and settings.ops_token is None:
        yield warn(
            "settings",
            "OPS_TOKEN is not set: /metrics answers 404 and /readyz names no dependency",
            "set OPS_TOKEN to 32 or more random characters; `flask keys new` prints one",
        )
    cores = os.cpu_count() or 1
    if settings.workers > 2 * cores + 1:
        yield warn(
            "settings",
            f"WORKERS={settings.workers} on {cores} cores: they take turns, and each holds its own connections",
            f"set WORKERS to {cores} or a little more",
        )


def _slips(environ: dict[str, str]) -> Iterator[Finding]:
    """Variables that nothing reads, but whose name is nearly that of a setting."""
    known = {name.upper() for name in Settings.model_fields}
    for name in sorted(environ):
        plain = name.upper().removesuffix("_FILE")
        if plain in known or name in NOT_OURS:
            continue
        alike = difflib.get_close_matches(plain, known, n=1, cutoff=ALIKE)
        if alike:
            yield warn("settings", f"{name} is set, and nothing reads it", f"did you mean {alike[0]}?")
