"""The pages that links in mails open.

A mail scanner opens links too, so opening one must change nothing: the page reads the token from the fragment, which
no server ever sees, and only a press of the button sends it. The same pages stand in for a web app that is not
there yet; LINK_BASE_URL points the mails at another one.
"""

from dataclasses import dataclass

from flask import Blueprint, Response

from app.web.pages import html_page, page_settings

_AUTH = "/api/v1/auth"


@dataclass(frozen=True)
class LinkPage:
    """One page: what it asks, what its button does and what it says afterwards.

    Attributes:
        path: without a slash; the same word stands in the mail's link and in the app's deep link.
        action: where the button sends ``{"token": ...}`` by POST.
        signs_in: whether the answer holds tokens. The page never keeps them: it signs that session out again, so
            that a borrowed computer is not left signed in and no session appears that nobody uses.
        resend: where ``{"email": ...}`` asks for a new mail, when a link is too old; None without such a way.
        without_script: the way for people without JavaScript.
    """

    path: str
    title: str
    lead: str
    button: str
    working: str
    done_title: str
    done: str
    dead_title: str
    dead: str
    action: str
    signs_in: bool = False
    resend: str | None = None
    without_script: str = "This page needs JavaScript."


VERIFY_EMAIL = LinkPage(
    path="verify-email",
    title="Confirm your address",
    lead="Press the button to confirm that the address this mail came to is yours.",
    button="Confirm my address",
    working="Confirming your address …",
    done_title="Your address is confirmed",
    done="Go back to the app and sign in. You can close this page.",
    dead_title="This link no longer works",
    dead=(
        "It has expired or was used before. If you confirmed your address already, simply sign in in the app. "
        "If not, have a new mail sent:"
    ),
    action=f"{_AUTH}/verify-email",
    signs_in=True,
    resend=f"{_AUTH}/resend-verification",
    without_script=(
        "This page needs JavaScript. You can do without it: the same mail has a six-digit code. Type it in the app."
    ),
)

PAGES = {page.path: page for page in (VERIFY_EMAIL,)}

blueprint = Blueprint("link_pages", __name__)


def show(path: str) -> Response:
    """The same bytes for everybody: nothing of the link reaches the server."""
    return html_page("link_page.html", page=PAGES[path], app_scheme=page_settings().app_scheme)


for _path in PAGES:
    blueprint.add_url_rule(
        f"/{_path}", endpoint=_path.replace("-", "_"), view_func=show, defaults={"path": _path}
    )
