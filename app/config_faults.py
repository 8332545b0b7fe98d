"""What a configuration must not be: the checks behind ``Settings.check`` (SEC-56)."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator
from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from app.config_files import file_faults, production_file_faults
from app.config_mail import SmtpServer, mail_address
from app.config_passkeys import passkey_faults, production_passkey_faults
from app.config_sources import is_url

if TYPE_CHECKING:
    from app.config import Settings

RINGS = ("secret_keys", "password_peppers", "signing_keys")
OPTIONAL_RINGS = ("storage_keys",)
MIN_KEY_BYTES = 32
MIN_PRODUCTION_COST = 10
NAMED_TLS_MODES = {"require", "verify-ca", "verify-full"}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")  # RFC 3986, section 3.1, in lower case
_SCHEMES_OF_OTHERS = {"http", "https", "file", "ftp", "data", "javascript", "mailto", "tel", "about", "blob"}
_ANDROID_APP = re.compile(
    r"[A-Za-z]\w*(\.[A-Za-z]\w*)+ *\| *(SHA256:)?[0-9A-F]{2}(:[0-9A-F]{2}){31}", re.IGNORECASE | re.ASCII
)


def shared_faults(settings: "Settings") -> list[str]:
    """Faults in any environment."""
    faults = [
        f"{name.upper()}: is not set; `make run` sets it on a laptop, docs/configuration.md says how elsewhere"
        for name in ("database_url", "redis_url")
        if not getattr(settings, name).get_secret_value()
    ]
    for name in (*RINGS, *OPTIONAL_RINGS):
        ring = getattr(settings, name).get_secret_value()
        if ring or name in RINGS:
            faults += [f"{name.upper()}: {fault}" for fault in ring_faults(ring)]
    if settings.cookie_idle_days > settings.cookie_absolute_days:
        faults.append("COOKIE_IDLE_DAYS: is longer than COOKIE_ABSOLUTE_DAYS")
    if settings.body_idle_days > settings.body_absolute_days:
        faults.append("BODY_IDLE_DAYS: is longer than BODY_ABSOLUTE_DAYS")
    redis = settings.redis_url.get_secret_value()
    if redis and (_scheme(redis) not in {"redis", "rediss", "unix"} or not is_url(redis)):
        faults.append("REDIS_URL: must be a redis://, rediss:// or unix:// URL; limits need a shared store")
    if settings.public_url and not (
        _scheme(settings.public_url) in {"http", "https"} and is_url(settings.public_url)
    ):
        faults.append("PUBLIC_URL: must be a http:// or https:// address")
    if not (_scheme(settings.breach_check_url) in {"http", "https"} and is_url(settings.breach_check_url)):
        faults.append("BREACH_CHECK_URL: must be a http:// or https:// address")
    return [
        *faults,
        *_mail_faults(settings),
        *_app_faults(settings),
        *passkey_faults(settings),
        *file_faults(settings),
    ]


def _mail_faults(settings: "Settings") -> Iterator[str]:
    if settings.smtp_url:
        try:
            SmtpServer.parse(settings.smtp_url.get_secret_value())
        except ValueError as error:
            yield f"SMTP_URL: {error}"
    elif not settings.mailbox_dir and not settings.production:  # production has a sentence of its own
        yield "SMTP_URL: is not set; without it MAILBOX_DIR must name the folder where mails are kept"
    try:
        name, address = parseaddr(settings.mail_from)
        mail_address(address, name)
    except ValueError:
        yield "MAIL_FROM: must be an address, or a name and <address>"


def _app_faults(settings: "Settings") -> Iterator[str]:
    """What our pages and well-known files would tell phones."""
    scheme = settings.app_scheme
    if scheme and (not _SCHEME.fullmatch(scheme) or scheme in _SCHEMES_OF_OTHERS):
        yield "APP_SCHEME: must be a scheme of the app's own, such as reefapp, without ://"
    for position, entry in enumerate(settings.android_apps, start=1):
        if not _ANDROID_APP.fullmatch(entry):
            yield f"ANDROID_APPS: entry {position} must be package|fingerprint, 32 bytes of SHA-256 as AA:BB:..."


def production_faults(settings: "Settings") -> list[str]:
    """What production refuses on top (SEC-56). The database role is checked where a connection is at hand."""
    return list(_production_faults(settings))


def _production_faults(settings: "Settings") -> Iterator[str]:  # noqa: C901 - a plain list of refusals
    if settings.debug:
        yield "DEBUG: must be off in production"
    if "*" in settings.cors_origins:
        yield "CORS_ORIGINS: must list origins in production, not *"
    if not settings.public_url:
        yield "PUBLIC_URL: must be set in production: links and token issuer are built from it, never from Host"
    elif _scheme(settings.public_url) == "http":
        yield "PUBLIC_URL: must be https:// in production"
    if not settings.secure_cookies:
        yield "COOKIE_SECURE: cookies must be Secure in production"
    if settings.bcrypt_cost < MIN_PRODUCTION_COST:
        yield f"BCRYPT_COST: must be at least {MIN_PRODUCTION_COST} in production"
    if settings.rate_limit_factor != 1:
        yield "RATE_LIMIT_FACTOR: must be 1 in production; set the limits themselves"
    if settings.mailbox_dir:
        yield "MAILBOX_DIR: mails must not be kept in a folder in production; set SMTP_URL"
    if not settings.smtp_url:
        yield "SMTP_URL: must be set in production: people verify their address by mail"
    yield from _shared_secrets(settings)
    databases = [(name, getattr(settings, name)) for name in ("database_url", "migration_database_url")]
    databases += [("database_replica_urls", url) for url in settings.database_replica_urls]
    for name, secret in databases:
        if secret and not _database_is_private(secret.get_secret_value()):
            yield f"{name.upper()}: needs sslmode=require or stricter unless PostgreSQL is on this host"
    redis = settings.redis_url.get_secret_value()
    if redis and _scheme(redis) == "redis" and not _loopback(urlsplit(redis).hostname):
        yield "REDIS_URL: needs rediss:// unless Redis is on this host"
    yield from production_passkey_faults(settings)
    yield from production_file_faults(settings)


def ring_faults(text: str) -> list[str]:
    """What is wrong with a ring of ``id:base64`` keys; an empty list when nothing is."""
    if not text:
        return ["is not set; `flask keys new` prints a fresh set"]
    faults: list[str] = []
    seen: set[str] = set()
    for position, entry in enumerate(text.split(","), start=1):
        key_id, separator, encoded = entry.strip().partition(":")
        if not separator or not (key_id.isalnum() and key_id.isascii()) or len(key_id) > 16:
            faults.append(f"entry {position} must be id:base64 with an id of 1 to 16 letters and digits")
            continue
        if key_id in seen:
            faults.append(f"the id {key_id} stands twice")
        seen.add(key_id)
        try:
            size = len(base64.b64decode(encoded, validate=True))
        except binascii.Error:
            faults.append(f"the key {key_id} is not base64")
            continue
        if size < MIN_KEY_BYTES:
            faults.append(f"the key {key_id} has {size} bytes, it needs at least {MIN_KEY_BYTES}")
        elif len(set(base64.b64decode(encoded))) < 8:
            faults.append(f"the key {key_id} is not random; `flask keys new` prints a fresh set")
    return faults


def _shared_secrets(settings: "Settings") -> Iterator[str]:
    owners: dict[str, str] = {}
    for name in (*RINGS, *OPTIONAL_RINGS):
        for entry in getattr(settings, name).get_secret_value().split(","):
            secret = entry.partition(":")[2].strip()
            if secret and owners.setdefault(secret, name) != name:
                yield f"{name.upper()}: shares a key with {owners[secret].upper()}; each purpose needs its own"
    token = settings.ops_token.get_secret_value() if settings.ops_token else ""
    if token and (token in owners or len(token) < MIN_KEY_BYTES):
        yield f"OPS_TOKEN: must have at least {MIN_KEY_BYTES} characters and be no other secret"


def _scheme(url: str) -> str:
    return url.partition("://")[0]


def _database_is_private(url: str) -> bool:
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    host = query.get("host", [parts.hostname or ""])[0]
    return _loopback(host) or query.get("sslmode", [""])[0] in NAMED_TLS_MODES


def _loopback(host: str | None) -> bool:
    """Whether traffic to the host never leaves the machine: no host, a socket path, or loopback."""
    if not host or host.startswith("/") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
