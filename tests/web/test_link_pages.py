"""The pages behind links in mails: opening one changes nothing, and the server never sees the token."""

import re

import pytest

from app.web.assets import STATIC
from app.web.docs import document
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


def test_the_pages_are_those_that_mails_lead_to_and_the_one_that_asks_for_a_mail():
    client = pages_app().test_client()
    mailed = {
        "verify-email",
        "reset-password",
        "confirm-email-change",
        "cancel-email-change",
        "restore-account",
        "accept-invitation",
    }
    assert PAGES.keys() == mailed | {"forgot-password"}
    assert all(client.get(f"/{path}").status_code == 200 for path in PAGES)
    assert {path for path, page in PAGES.items() if not page.needs_token} == {"forgot-password"}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole(path):
    """A heading for each state, an announced message, words for people without JavaScript, the right address."""
    page, told = PAGES[path], pages_app().test_client().get(f"/{path}")
    assert f'data-action="{page.action}"' in told.text
    assert page.action.startswith("/api/v1/")
    assert re.findall(r'data-state="(\w+)"', told.text) == ["ready", "done", "dead", "incomplete"]
    assert told.text.count('<h1 tabindex="-1">') == 4
    assert 'role="status" aria-live="polite"' in told.text
    assert re.search(r"<noscript>.*JavaScript.*</noscript>", told.text, re.DOTALL)
    assert ("data-resend=" in told.text) == bool(page.resend)
    assert not page.resend or page.resent
    assert not re.search(r"<script>|<style|style=|onclick|javascript:", told.text)


def test_the_new_password_is_typed_into_a_field_that_everybody_can_use():
    page = pages_app(password_min_length=15).test_client().get("/reset-password").text
    assert '<label for="password">New password</label>' in page
    assert '<input id="password" name="password" type="password" autocomplete="new-password"' in page
    assert "paste" not in page + SCRIPT, "nothing keeps people from pasting"
    assert 'aria-describedby="password-hint password-fault"' in page
    assert "At least 15 characters" in page
    assert 'id="password-fault" role="alert"' in page
    assert 'data-reveal aria-pressed="false" aria-controls="password"' in page


def test_a_page_that_undoes_somebody_elses_doing_leads_on_to_another_password():
    page = pages_app().test_client().get("/cancel-email-change").text
    assert '<a class="button" href="/forgot-password">' in page


@pytest.mark.parametrize("path", PAGES)
def test_every_page_sends_to_an_operation_that_takes_what_it_sends(app, path):
    """The form's field and the token are fields of the operation's body."""
    page = PAGES[path]
    with app.app_context():
        paths = document()["paths"]
    item = paths.get(page.action.removeprefix("/api/v1"))
    assert item is not None, page.action
    schema = item["post"]["requestBody"]["content"]["application/json"]["schema"]
    fields = fields_of(app, schema)
    assert ({"token"} if page.needs_token else set()) | ({page.asks} if page.asks else set()) <= fields


def fields_of(app, schema):
    if "$ref" in schema:
        with app.app_context():
            schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return fields_of(app, schema)
    return set(schema.get("properties", ())).union(
        *(fields_of(app, each) for each in schema.get("oneOf", ()))
    )


def test_an_invitation_is_shown_at_once_and_in_words_of_text():
    """Looking changes nothing, so nobody has to press a button; and a project's name is never markup."""
    page = pages_app(app_scheme="myapp").test_client().get("/accept-invitation").text
    assert 'data-action="/api/v1/invitations/preview"' in page
    assert "data-shows" in page
    shown = re.findall(r'<dd data-field="([a-z_.]+)"></dd>', page)
    assert shown == ["invited_by.display_name", "project_name", "role", "email", "expires_at"]
    assert "textContent" in SCRIPT
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", SCRIPT)
    assert "data-shows" not in pages_app().test_client().get("/verify-email").text


def test_an_invitation_page_shows_fields_of_the_answer(app):
    with app.app_context():
        answer = document()["components"]["schemas"]["InvitationPreview"]["properties"]
    assert {field.partition(".")[0] for field, _ in PAGES["accept-invitation"].shows} == set(answer)
