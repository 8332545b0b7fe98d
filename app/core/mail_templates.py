"""What the mails say: one text and one HTML template a kind, in app/core/templates/mail.

Words that a stranger may have chosen (a display name, a device name) go through the ``spoken`` filter: somebody can
register with another person's address, and the mail must not carry their message or their link to that person.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.core.mail_message import Mail

_FOLDER = Path(__file__).parent / "templates" / "mail"
_SPOKEN_LENGTH = 60
_LINK_MAKERS = re.compile(r"((?<!\d)\.|\.(?!\d)|:(?=/)|@)(?=\S)")  # but not the dot in "Firefox 140.0"


@dataclass(frozen=True)
class Kind:
    """A kind of mail: its subject, with ``{product}`` in it (a notice brings its own), and what its templates need to be told."""

    subject: str
    needs: frozenset[str]


_SCENE = frozenset({"device", "place", "at"})
_PROOF = _SCENE | {"display_name", "link", "token", "code", "link_lives", "code_lives"}

KINDS: dict[str, Kind] = {
    "verify_email": Kind("Confirm your address for {product}", _PROOF),
    "already_registered": Kind("You already have a {product} account", _SCENE | {"display_name"}),
    "reset_password": Kind("Reset your {product} password", _PROOF),
    "choose_password": Kind("Choose your {product} password", _PROOF),
    "confirm_email_change": Kind("Confirm your new address for {product}", _PROOF),
    "old_address": Kind(
        "{notice}",
        _SCENE | {"display_name", "subject_of_notice", "told", "new_address", "link", "token", "link_lives"},
    ),
    "account_deletion": Kind(
        "Your {product} account will be deleted", _SCENE | {"display_name", "link", "token", "deleted_on"}
    ),
    "export_ready": Kind("Your {product} export is ready", _SCENE | {"display_name", "good_until"}),
    "file_quarantined": Kind(
        "{product}: a file is in quarantine", frozenset({"display_name", "file_name", "project_name"})
    ),
    "address_taken": Kind("Your address at {product}", _SCENE | {"display_name"}),
    "project_transferred": Kind(
        "{product}: a project is yours now", _SCENE | {"display_name", "project_name", "giver"}
    ),
    "invitation": Kind(
        "You are invited to a project in {product}",
        frozenset({"inviter", "project_name", "role", "good_until", "link", "token"}),
    ),
    "session_reused": Kind("We ended one of your {product} sessions", _SCENE | {"display_name"}),
    "security_notice": Kind("{notice}", _SCENE | {"display_name", "subject_of_notice", "told", "advice"}),
    "test": Kind("Test mail from {product}", frozenset({"server", "at"})),
}


def render(
    kind: str, *, to: str, product_name: str = "Holdfast", time_zone: str = "UTC", **context: Any
) -> Mail:
    """Render a mail.

    Args:
        kind: a key of ``KINDS``.
        to: the address it goes to.
        product_name: what the service calls itself.
        time_zone: IANA name of the zone that times are told in.
        context: exactly what the kind needs. ``at`` is an aware datetime, ``*_lives`` are timedeltas, ``place`` is a
            truncated address or a region, the rest are strings. ``code``, ``token`` and ``link`` end up in the mail.

    Raises:
        KeyError: no such kind.
        TypeError: something is missing or not known to this kind; the message names it.
    """
    needs = KINDS[kind].needs
    if context.keys() != needs:
        missing, surplus = sorted(needs - context.keys()), sorted(context.keys() - needs)
        raise TypeError(f"mail {kind}: missing {missing}, not known {surplus}")
    subject = KINDS[kind].subject.format(product=product_name, notice=context.get("subject_of_notice"))
    known = {
        **context,
        "to": to,
        "subject": subject,
        "product_name": product_name,
        "zone": ZoneInfo(time_zone),
    }
    return Mail(
        to=to,
        subject=subject,
        text=_environment.get_template(f"{kind}.txt.j2").render(known).strip() + "\n",
        html=_environment.get_template(f"{kind}.html.j2").render(known).strip() + "\n",
        kind=kind,
        code=context.get("code"),
        token=context.get("token"),
        link=context.get("link"),
    )


def mail_link(base: str, page: str, token: str) -> str:
    """The address of a page for a mail. The token stands in the fragment, which browsers send to nobody.

    Args:
        base: LINK_BASE_URL, without a trailing slash; never built from a request.
        page: the page's path, e.g. ``verify-email``.
        token: letters, digits, ``-``, ``_`` and ``.`` only.
    """
    return f"{base}/{page}#token={token}"


def spoken(text: str) -> str:
    """A name as one short line that no mail program turns into a link: ``evil.example`` becomes ``evil. example``."""
    plain = "".join(
        character if unicodedata.category(character)[0] != "C" else " "
        for character in unicodedata.normalize("NFKC", text).replace("\u3002", ".")
    )
    line = _LINK_MAKERS.sub(r"\1 ", " ".join(plain.split())) or "(no name)"
    return line if len(line) <= _SPOKEN_LENGTH else f"{line[: _SPOKEN_LENGTH - 1].rstrip()}\u2026"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """``22 November 2026, 13:53 UTC``."""
    local = at.astimezone(zone)
    name = local.strftime("%Z")
    return f"{local.day} {local:%B %Y, %H:%M} {name if name.isalpha() else f'UTC{name}'}"


def duration(lives: timedelta) -> str:
    """``24 hours``, ``10 minutes``: the largest unit that divides it."""
    minutes = round(lives.total_seconds() / 60)
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes % size == 0 and minutes // size > (1 if unit == "day" else 0):
            count = minutes // size
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return "less than a minute"


def _make_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {"spoken": spoken, "moment": moment, "duration": duration}
    return environment


_environment = _make_environment()
