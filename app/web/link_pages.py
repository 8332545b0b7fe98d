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
        asks: what a person types on it: ``password`` (a new one), ``email``, or nothing, which makes it one button.
        needs_token: whether it makes sense without a link.
        signs_in: whether the answer holds tokens. The page never keeps them: it signs that session out again, so
            that a borrowed computer is not left signed in and no session appears that nobody uses.
        resend: where ``{"email": ...}`` asks for a new mail, when a link is too old; None without such a way.
        resent: what is said when it was asked for.
        shows: fields of the answer that the page tells, each with the words before it. Such a page asks at once, since
            looking changes nothing, keeps its link and says the rest in ``done``.
        next_page: the path of a page to go on to, and ``next_label`` the words on its button.
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
    asks: str = ""
    needs_token: bool = True
    signs_in: bool = False
    resend: str | None = None
    resent: str = ""
    shows: tuple[tuple[str, str], ...] = ()
    next_page: str = ""
    next_label: str = ""
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
    resent="If this address waits to be confirmed, a new mail is on its way. Look in the spam folder too.",
    without_script=(
        "This page needs JavaScript. You can do without it: the same mail has a six-digit code. Type it in the app."
    ),
)

_NO_SCRIPT_CODE = "This page needs JavaScript. You can do without it: the same mail has a six-digit code. Type it in the app."
_IF_KNOWN = "If this address has an account, a mail is on its way. Look in the spam folder too."

FORGOT_PASSWORD = LinkPage(
    path="forgot-password",
    title="Choose another password",
    lead="Write the address of your account. We send you a mail with a link that lets you choose a new password.",
    button="Send me the mail",
    working="Sending …",
    done_title="Look into your mailbox",
    done=f"{_IF_KNOWN} Its link works for a short time and once. You can close this page.",
    dead_title="That did not work",
    dead="Load the page again.",
    action=f"{_AUTH}/forgot-password",
    asks="email",
    needs_token=False,
    without_script='This page needs JavaScript. You can do without it: choose "Forgot password" in the app.',
)

RESET_PASSWORD = LinkPage(
    path="reset-password",
    title="Choose a new password",
    lead="It counts from now on, and all sessions of your account end: sign in again with it on each of your devices.",
    button="Set my password",
    working="Setting your password …",
    done_title="Your new password is set",
    done="Go back to the app and sign in with it. You can close this page.",
    dead_title="This link no longer works",
    dead="It has expired, was used before, or you signed in since you asked for it. Have a new mail sent:",
    action=f"{_AUTH}/reset-password",
    asks="password",
    resend=f"{_AUTH}/forgot-password",
    resent=_IF_KNOWN,
    without_script=_NO_SCRIPT_CODE,
)

CONFIRM_EMAIL_CHANGE = LinkPage(
    path="confirm-email-change",
    title="Confirm your new address",
    lead="Press the button to make the address this mail came to the address of your account.",
    button="Confirm my new address",
    working="Confirming your address …",
    done_title="Your address is changed",
    done="Sign in with the new address from now on. You can close this page.",
    dead_title="This link no longer works",
    dead=(
        "It has expired, was used before, or the change was given up. If your address is not changed yet, ask for the "
        "change again in the app."
    ),
    action=f"{_AUTH}/confirm-email-change",
    without_script=_NO_SCRIPT_CODE,
)

CANCEL_EMAIL_CHANGE = LinkPage(
    path="cancel-email-change",
    title="Keep your old address?",
    lead=(
        "Press the button if you did not want another address. Your account keeps the address this mail came to. If it "
        "was changed already, it is changed back, everybody who is signed in to your account is signed out, and its "
        "password and API tokens no longer count."
    ),
    button="Keep my old address",
    working="Keeping your address …",
    done_title="Your account has its old address",
    done="Whoever wanted to change it may know your password. Choose another one now.",
    next_page=FORGOT_PASSWORD.path,
    next_label="Choose another password",
    dead_title="This link no longer works",
    dead=(
        "It has expired or was used before. If you cannot sign in with your address any more, write to the people who "
        "run this service."
    ),
    action=f"{_AUTH}/cancel-email-change",
)

RESTORE_ACCOUNT = LinkPage(
    path="restore-account",
    title="Keep your account?",
    lead="Your account will be deleted. Press the button to keep it, with everything in it.",
    button="Keep my account",
    working="Keeping your account …",
    done_title="Your account stays",
    done="Everything is as it was. Sign in in the app. You can close this page.",
    dead_title="This link no longer works",
    dead=(
        "It has expired or was used before. If your account is still there, sign in in the app: you can keep it there, "
        "too."
    ),
    action=f"{_AUTH}/restore-account",
)

ACCEPT_INVITATION = LinkPage(
    path="accept-invitation",
    title="You are invited to a project",
    lead="Press the button to see who invites you to what. Looking at it accepts nothing.",
    button="Show the invitation",
    working="Looking for the invitation …",
    done_title="You are invited to a project",
    done=(
        "Open the app, and sign in or register with this address. The invitation waits for you there. With another "
        "address it cannot be accepted."
    ),
    shows=(
        ("invited_by.display_name", "Invited by"),
        ("project_name", "Project"),
        ("role", "Your role"),
        ("email", "Your address"),
        ("expires_at", "Good until"),
    ),
    dead_title="This invitation is no longer open",
    dead=(
        "It was accepted or declined, taken back, or it is too old. If you accepted it, sign in in the app: the project is "
        "there. If not, ask whoever invited you for another one."
    ),
    action="/api/v1/invitations/preview",
    without_script=(
        "This page needs JavaScript. You can do without it: sign in or register in the app with the address this mail came "
        "to. The invitation waits for you there."
    ),
)

PAGES = {
    page.path: page
    for page in (
        VERIFY_EMAIL,
        FORGOT_PASSWORD,
        RESET_PASSWORD,
        CONFIRM_EMAIL_CHANGE,
        CANCEL_EMAIL_CHANGE,
        RESTORE_ACCOUNT,
        ACCEPT_INVITATION,
    )
}

blueprint = Blueprint("link_pages", __name__)


def show(path: str) -> Response:
    """The same bytes for everybody: nothing of the link reaches the server."""
    settings = page_settings()
    return html_page(
        "link_page.html",
        page=PAGES[path],
        app_scheme=settings.app_scheme,
        shortest_password=settings.password_min_length,
    )


for _path in PAGES:
    blueprint.add_url_rule(
        f"/{_path}", endpoint=_path.replace("-", "_"), view_func=show, defaults={"path": _path}
    )
