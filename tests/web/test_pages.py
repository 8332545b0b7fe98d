"""What every page of the service has: strict headers, and nothing inline."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.core.mail import MailboxFolder
from app.core.mail_message import Mail
from app.web.assets import STATIC
from app.web.pages import html_page
from tests.fixtures.pages_app import pages_app

HOSTILE = "<script>alert(1)</script>"


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def mailbox(tmp_path):
    folder = MailboxFolder(tmp_path)
    folder.send(
        Mail(
            "alice@example.com", HOSTILE, HOSTILE, f"<head></head><style></style>{HOSTILE}", "test", "123456"
        )
    )
    return folder


@pytest.fixture
def client(mailbox):
    return pages_app(mailbox, product_name="Kelp & Co").test_client()


@pytest.fixture(
    params=["/verify-email", "/dev/mailbox", "/dev/mailbox?to=<script>", "mail", "/dev/mailbox/none"]
)
def page(request, client, mailbox):
    path = f"/dev/mailbox/{mailbox.list()[0].id}" if request.param == "mail" else request.param
    return client.get(path, headers={"Accept": "text/html"})


def test_headers(page):
    """SEC-53: pages have a policy of their own, stricter than what they need is not possible."""
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    assert policy.pop("style-src") in {"'self'", "'self' 'unsafe-inline'"}
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.content_type == "text/html; charset=utf-8"


def test_only_the_page_that_frames_a_mail_allows_inline_styles(client, mailbox):
    browser = {"Accept": "text/html"}
    assert "unsafe" not in client.get("/dev/mailbox", headers=browser).headers["Content-Security-Policy"]
    assert "unsafe" not in client.get("/verify-email").headers["Content-Security-Policy"]
    framing = client.get(f"/dev/mailbox/{mailbox.list()[0].id}", headers=browser)
    assert "style-src 'self' 'unsafe-inline'" in framing.headers["Content-Security-Policy"]


def test_nothing_is_inline_and_all_comes_from_here(page, client):
    tags = Tags(page.text).found
    for tag, attributes in tags:
        assert tag != "style"
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        for name in ("src", "href"):
            address = attributes.get(name)
            assert address is None or address.startswith("/"), "no other host is asked for anything"
        if tag == "script":
            assert client.get(attributes["src"]).status_code == 200
    assert re.search(r"<script[^>]*>[^<]", page.text) is None


def test_what_people_wrote_is_escaped(page):
    assert HOSTILE not in page.text
    assert "Kelp &amp; Co" in page.text


def test_every_page_has_a_language_a_title_and_one_main(page):
    tags = Tags(page.text).found
    assert ("html", {"lang": "en"}) in tags
    assert [tag for tag, _ in tags].count("main") == 1
    assert re.search(r"<title>[^<]+ · Kelp &amp; Co</title>", page.text)


def test_status_and_policy_of_a_single_page():
    with pages_app().test_request_context():
        response = html_page("mailbox_mail.html", kept=None, status=404, policy={"worker-src": "'self'"})
    assert response.status_code == 404
    assert response.headers["Content-Security-Policy"].endswith("; worker-src 'self'")


@pytest.mark.parametrize("file", sorted(STATIC.iterdir()), ids=lambda file: file.name)
def test_our_files_load_nothing_from_elsewhere(file: Path):
    text = file.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|url\(|innerHTML|eval\(", text)
