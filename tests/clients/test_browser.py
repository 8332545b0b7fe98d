"""What people see, in headless Chromium: the documentation, and the page behind the link of a mail."""

import base64
import io
import json
import time
import urllib.error
import urllib.request

import pytest
from PIL import Image

from app.demo import DEMO_PASSWORD

# Swagger UI draws icons from data: URLs and pictures of answers from blob: URLs; nothing else comes from elsewhere, and nothing inline runs or styles.
DOCS_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
DANA = {"email": "dana@example.com", "password": "a sentence only Dana knows", "display_name": "Dana"}


def ask(service, path, body=None, token=None):
    """Status and JSON."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"{service.url}{path}", data=data, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def picture():
    """A PNG of 48 by 32 pixels, in base64."""
    written = io.BytesIO()
    Image.new("RGB", (48, 32), "teal").save(written, "PNG")
    return base64.b64encode(written.getvalue()).decode()


def policy(text):
    return dict(directive.split(" ", 1) for directive in text.split("; "))


@pytest.mark.timeout(300)  # half a minute where nobody else works
def test_sec_53_swagger_ui_signs_in_authorises_creates_a_project_and_shows_an_uploaded_picture(
    service, document, drive
):
    told = drive("swagger_ui.mjs", password=DEMO_PASSWORD, picture=picture())
    assert told["operations"] == sum(
        "operationId" in one for item in document["paths"].values() for one in item.values()
    )
    assert told["offered"]["email"] == "alice@example.com"
    assert told["signedIn"]["status"] == 200
    assert told["signedIn"]["body"]["user"]["display_name"] == "Alice"
    assert told["created"]["status"] == 201
    assert told["created"]["body"]["name"] == "From Swagger UI"
    assert told["created"]["body"]["owner_id"] == told["signedIn"]["body"]["user"]["id"]
    assert told["uploaded"]["status"] == 201
    assert told["uploaded"]["body"]["content_type"] == "image/png"
    assert told["shown"] == [48, 32]  # the picture that was uploaded, downloaded and drawn
    assert told["wrapped"] == []
    assert told["console"] == []
    assert told["failed"] == []
    assert told["elsewhere"] == []
    assert policy(told["policy"]) == DOCS_POLICY
    assert told["background"] != "rgb(255, 255, 255)"  # dark where the system is
    assert told["overflow"] == told["errorsOverflow"] == 0  # nothing sticks out on a phone


def mail_to(service, address, seconds=30):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        _, mailbox = ask(service, f"/dev/mailbox?to={address}")
        if mailbox["items"]:
            return mailbox["items"][0]
        time.sleep(0.1)
    raise AssertionError(f"no mail to {address}")


def sign_in(service):
    status, answer = ask(service, "/api/v1/auth/login", {name: DANA[name] for name in ("email", "password")})
    return status, answer.get("code")


def test_the_link_of_a_mail_needs_a_press_and_works_once(service, drive):
    assert ask(service, "/api/v1/auth/register", DANA)[0] == 202
    mail = mail_to(service, DANA["email"])
    assert sign_in(service) == (403, "email_not_verified")

    told = drive("verify_email.mjs", link=mail["link"])

    assert told["title"] == "Confirm your address"
    assert told["beforePress"] == []
    assert told["posts"][0] == "/api/v1/auth/verify-email"
    assert told["done"] == "Your address is confirmed"
    assert told["cookies"] == []
    assert told["troubles"] == []
    assert told["elsewhere"] == []
    assert told["dead"] == "This link no longer works"
    assert sign_in(service) == (200, None)


def test_a_forgotten_password_is_set_anew_by_keyboard_and_the_link_works_once(service, drive):
    told = drive("reset_password.mjs", email="bob@example.com", password="the reef hums at low tide")
    assert told["landed"] == "/forgot-password"
    assert told["empty"] == "This field is required."
    assert told["invalid"] == "true"
    assert told["asked"] == "Look into your mailbox"
    assert told["shown"] == "text"
    assert "characters" in told["fault"]
    assert told["focused"] == "password"
    assert all("422" in trouble for trouble in told["refusals"]), "the two refusals, and nothing else"
    assert told["done"] == "Your new password is set"
    assert told["left"] == ["", ""], "neither the token nor the password stays in the page"
    assert told["cookies"] == []
    assert told["troubles"] == []
    assert told["overflow"] <= 0
    assert told["dead"] == "This link no longer works"
    assert told["resend"] is True
    assert told["lost"] == "This link is incomplete"
    assert told["elsewhere"] == []
    body = {"email": "bob@example.com", "password": "the reef hums at low tide"}
    assert ask(service, "/api/v1/auth/login", body)[0] == 200


def test_an_invitation_is_shown_and_not_accepted(service, drive):
    """Opening the link looks, which a mail scanner may do as well; the words of strangers stay words."""
    name = "Reef <b>survey</b> <img src=x onerror=alert(1)>"
    alice = {"email": "alice@example.com", "password": DEMO_PASSWORD}
    token = ask(service, "/api/v1/auth/login", alice)[1]["access_token"]
    project = ask(service, "/api/v1/projects", {"name": name}, token)[1]
    invited = f"/api/v1/projects/{project['id']}/invitations"
    assert ask(service, invited, {"email": "frank@example.com", "role": "editor"}, token)[0] == 201
    mail = mail_to(service, "frank@example.com")

    told = drive("accept_invitation.mjs", link=mail["link"])

    assert told["title"] == "You are invited to a project"
    assert told["shown"] == {
        "inviter": "Alice", "project": name, "role": "editor", "email": "frank@example.com",
        "until": told["shown"]["until"],
    }  # fmt: skip
    assert told["shown"]["until"] != "Invalid Date"
    assert told["markup"] == 0
    assert told["posts"] == ["/api/v1/invitations/preview"], (
        "once more when it is loaded again, and nothing else"
    )
    assert told["cookies"] == []
    assert told["troubles"] == []
    assert told["elsewhere"] == []
    assert told["overflow"] <= 0
    assert told["dead"] == "This invitation is no longer open"
    status, left = ask(service, "/api/v1/invitations/preview", {"token": mail["token"]})
    assert (status, left["role"]) == (200, "editor")
