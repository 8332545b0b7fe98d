"""The development mailbox at /dev/mailbox: JSON for programs, pages for browsers. Never registered in production."""

from datetime import UTC
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify, request

from app.core.errors import not_found
from app.core.mailbox import KeptMail, MailboxFolder
from app.web.pages import html_page

# A mail brings its own styles, and a frame made from srcdoc lives under the policy of the page around it.
_MAIL_POLICY = {"style-src": "'self' 'unsafe-inline'"}

blueprint = Blueprint("dev_mailbox", __name__, url_prefix="/dev/mailbox")


@blueprint.get("")
def list_mails() -> Response:
    """All mails, newest first. ``?to=`` keeps those to one address, ``?limit=`` the newest few."""
    mailbox, to = _mailbox(), request.args.get("to", "").strip()
    limit = request.args.get("limit", type=int)
    mails = mailbox.list(to or None, max(limit, 0) if limit is not None else None) if mailbox else ()
    if _for_a_browser():
        return html_page("mailbox.html", mails=mails, to=to, kept=mailbox is not None)
    return _json({"items": [_row(kept) for kept in mails]})


@blueprint.get("/<mail_id>")
def get_mail(mail_id: str) -> Response:
    mailbox = _mailbox()
    kept = mailbox.get(mail_id) if mailbox else None
    if _for_a_browser():
        status = 200 if kept else 404
        framed = _framed(kept.mail.html) if kept else ""
        return html_page("mailbox_mail.html", kept=kept, framed=framed, status=status, policy=_MAIL_POLICY)
    if kept is None:
        raise not_found("mail")
    return _json(_row(kept))


@blueprint.delete("")
def clear_mails() -> Response:
    """Throw all mails away, or with ``?to=`` those to one address."""
    mailbox = _mailbox()
    if mailbox:
        mailbox.clear(request.args.get("to", "").strip() or None)
    return Response(status=204)


def _mailbox() -> MailboxFolder | None:
    return cast("MailboxFolder | None", current_app.extensions["holdfast"].mailbox)


def _for_a_browser() -> bool:
    best = request.accept_mimetypes.best_match(["application/json", "text/html"], "application/json")
    return best == "text/html"


def _json(content: dict[str, Any]) -> Response:
    response = jsonify(content)
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    return response


def _row(kept: KeptMail) -> dict[str, Any]:
    mail = kept.mail
    return {
        "id": kept.id,
        "to": mail.to,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "code": mail.code,
        "token": mail.token,
        "link": mail.link,
        "created_at": kept.created_at.astimezone(UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
    }


def _framed(html: str) -> str:
    """Links leave the frame: our own pages refuse to be shown in one."""
    return html.replace("<head>", '<head><base target="_blank">', 1)
