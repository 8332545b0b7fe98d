"""Redis and the way out for mail."""

import os
import smtplib
import tempfile
from collections.abc import Iterator
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from app.cli.checks.finding import Finding, fault, ok, warn
from app.config import Settings
from app.core.mail import MailError, SmtpMailer
from app.core.redis_gate import RedisGate, RedisUnavailableError

OLDEST_REDIS = 7
"""The cache asks for SET with NX and GET at once."""
SMTP_SECONDS = 3.0
EVICTING = "set maxmemory-policy to allkeys-lru"


def redis(gate: RedisGate, settings: Settings) -> Iterator[Finding]:
    """Findings about Redis, asked with the service's own short time limits."""
    try:
        info: dict[str, Any] = dict(gate.run(lambda client: client.info()))
    except RedisUnavailableError as error:
        cause = error.__cause__
        words = str(cause).strip().partition("\n")[0] or type(cause).__name__
        yield fault(
            "redis",
            f"cannot be used: {words}; limits and cache work from each process's memory meanwhile",
            "start Redis or Valkey, or correct REDIS_URL",
        )
        return
    version = str(info.get("redis_version", "0"))
    product = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {version}"
    if int(version.partition(".")[0] or 0) < OLDEST_REDIS:
        yield fault("redis", f"{product} is too old", f"Redis {OLDEST_REDIS} or any Valkey is needed")
        return
    yield from _memory(product, info, settings)


def _memory(product: str, info: dict[str, Any], settings: Settings) -> Iterator[Finding]:
    limit, policy = int(info.get("maxmemory", 0)), str(info.get("maxmemory_policy", "unknown"))
    if limit and policy == "noeviction":
        yield warn(
            "redis",
            f"{product}; when its {limit // 2**20} MiB are full it refuses writes (noeviction)",
            EVICTING,
        )
    elif not limit and settings.production:
        yield warn(
            "redis",
            f"{product}; maxmemory is not set, so nothing bounds it but the machine",
            f"set maxmemory, for example to 256mb, and {EVICTING.removeprefix('set ')}",
        )
    else:
        size = f"{limit // 2**20} MiB, {policy}" if limit else "maxmemory is not set"
        yield ok("redis", f"{product}; {size}")


def mail(settings: Settings) -> Iterator[Finding]:
    """Findings about the way out for mail; none is sent."""
    if settings.smtp_url is not None:
        yield from _smtp(settings, settings.smtp_url.get_secret_value())
    elif settings.mailbox_dir is not None:
        yield _folder(settings.mailbox_dir)
    else:
        yield fault("mail", "there is no way out for mail", "set SMTP_URL, or MAILBOX_DIR on a laptop")


def _smtp(settings: Settings, url: str) -> Iterator[Finding]:
    try:
        SmtpMailer(url, settings.mail_from, timeout=SMTP_SECONDS).check()
    except MailError as error:
        reason = (
            f" ({error.__cause__})" if isinstance(error.__cause__, OSError | smtplib.SMTPException) else ""
        )
        yield fault(
            "mail",
            f"{error}{reason}: mails wait and are tried again",
            "correct SMTP_URL; `flask mail test ADDRESS` sends one",
        )
        return
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2]
    if settings.production and (domain == "localhost" or "." not in domain):
        yield warn(
            "mail",
            f"MAIL_FROM is at {domain}: other servers will not take such mail",
            "set MAIL_FROM to your domain",
        )
        return
    yield ok("mail", f"the SMTP server takes us; mails come from {settings.mail_from}")


def _folder(folder: Path) -> Finding:
    """Try for real: rights, a full disk and a read-only file system all show."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    try:
        descriptor, name = tempfile.mkstemp(prefix=".doctor-", dir=there)
        os.close(descriptor)
        Path(name).unlink()
    except OSError as error:
        mend = "give the service's user that folder, or set MAILBOX_DIR to another"
        return fault("mail", f"the mailbox folder {folder} cannot be written: {error.strerror}", mend)
    return ok("mail", f"kept in {folder}, shown at /dev/mailbox")
