"""The pages behind links in mails: opening one changes nothing, and the server never sees the token."""

import re

from app.web.assets import STATIC
from app.web.link_pages import PAGES
from tests.fixtures.pages_app import pages_app

SCRIPT = (STATIC / "link_page.js").read_text()


def test_opening_a_link_is_the_same_for_everybody():
    """Mail scanners open links: the page comes by GET, knows no token and changes nothing."""
    app = pages_app()
    once, twice = (app.test_client().get("/verify-email") for _ in range(2))
    assert once.status_code == 200
    assert once.data == twice.data
    assert "Set-Cookie" not in once.headers
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("link_pages."):
            assert rule.methods == {"GET", "HEAD", "OPTIONS"}


def test_what_the_button_will_do_stands_in_the_page():
    page = pages_app().test_client().get("/verify-email").text
    assert 'data-action="/api/v1/auth/verify-email"' in page
    assert "data-signs-in" in page
    assert 'data-resend="/api/v1/auth/resend-verification"' in page


def test_without_javascript_the_code_is_named():
    page = pages_app().test_client().get("/verify-email").text
    [without] = re.findall(r"<noscript>(.*?)</noscript>", page, re.DOTALL)
    assert "six-digit code" in without


def test_results_are_announced():
    page = pages_app().test_client().get("/verify-email").text
    assert 'role="status" aria-live="polite"' in page
    assert '<label for="email">' in page


def test_the_app_is_offered_only_when_there_is_one():
    assert "data-app-scheme" not in pages_app().test_client().get("/verify-email").text
    page = pages_app(app_scheme="myapp").test_client().get("/verify-email").text
    assert 'data-app-scheme="myapp"' in page


def test_the_script_keeps_no_token_and_takes_no_cookie():
    """The session that confirming makes is ended at once; tokens touch no storage, no address, no log."""
    assert 'credentials: "omit"' in SCRIPT
    assert '"/api/v1/auth/logout", { refresh_token: refreshToken }' in SCRIPT
    assert not re.search(r"localStorage|sessionStorage|document\.cookie|console\.|indexedDB", SCRIPT)
    assert "access_token" not in SCRIPT


def test_only_pages_whose_use_case_exists_are_there():
    client = pages_app().test_client()
    assert PAGES.keys() == {"verify-email"}
    assert client.get("/reset-password").status_code == 404
