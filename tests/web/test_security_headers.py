"""SEC-53: the headers of every answer, whatever was asked and whatever went wrong."""

import re

import pytest

from tests.fixtures.client import ApiClient
from tests.fixtures.contract import documented_operations
from tests.fixtures.error_kinds import KINDS, failing_client

__all__ = ["failing_client"]

PAGES = (
    "/", "/docs", "/docs/errors", "/docs/files/swagger-ui.css", "/docs/files/swagger-ui-bundle.js", "/api/v1/openapi.json",
    "/livez", "/readyz", "/.well-known/jwks.json", "/.well-known/security.txt", "/.well-known/change-password",
    "/verify-email", "/forgot-password", "/reset-password", "/confirm-email-change", "/cancel-email-change",
    "/restore-account", "/accept-invitation", "/dev/mailbox",
)  # fmt: skip
API_POLICY = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"


def check(answer, *, signed_in):
    """What holds for every answer."""
    headers = answer.headers
    year = re.search(r"max-age=(\d+); includeSubDomains", headers["Strict-Transport-Security"])
    assert int(year[1]) >= 31_536_000
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy, "default-src does not stand in for it"
    assert "object-src" not in policy, "default-src stands in for it"
    assert not re.search(r"script-src[^;]*unsafe", policy)
    if answer.mimetype != "text/html":
        assert policy == API_POLICY
    vary = {word.strip().lower() for word in headers["Vary"].split(",")}
    assert {"authorization", "origin"} <= vary
    assert re.fullmatch(r"[A-Za-z0-9-]{8,64}", headers["X-Request-ID"])
    caching = headers["Cache-Control"]
    if signed_in:
        assert "no-store" in caching or ("private" in caching and "ETag" in headers)
        assert "public" not in caching
    if answer.status_code >= 400:
        assert caching == "no-store"
    if answer.status_code in {204, 304}:
        assert "Content-Type" not in headers
    elif answer.mimetype.startswith("text/"):
        assert "charset=utf-8" in headers["Content-Type"].lower()
    assert "Access-Control-Allow-Origin" not in headers, "nobody asked from another origin"
    assert not {"Server", "X-Powered-By"} & set(headers.keys())


@pytest.mark.parametrize("make", [make for make, _, _ in KINDS.values()], ids=KINDS)
def test_sec_53_every_kind_of_error(failing_client, make):
    check(make(failing_client), signed_in=True)


def test_sec_53_every_operation(app, make_app, alice, ada):
    """Each operation of the document, as a stranger and signed in; the one that ends the session comes last."""
    free = make_app(rate_limit_factor=1_000_000)
    project = alice.creates()
    seen = set()
    for operation in sorted(documented_operations(app), key=lambda each: each.name == "signOut"):
        address = operation.addressed(project_id=project.id)
        for token in (None, ada.token if address.startswith("/admin/") else alice.token):
            answer = ApiClient(free, token).open(
                operation.method, address, json={} if operation.has_body else None
            )
            check(answer, signed_in=token is not None and not operation.public)
            seen.add(answer.status_code)
    assert {200, 204, 401, 404, 422} <= seen


@pytest.mark.parametrize("page", PAGES)
def test_sec_53_every_page(anonymous, page):
    answer = anonymous.get(f"/{page}")
    assert answer.status_code in {200, 302}
    check(answer, signed_in=False)
    answer.close()


def test_every_page_is_looked_at(app):
    fixed = {
        rule.rule for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and "<" not in rule.rule and not rule.rule.startswith("/api/v1/")
    }  # fmt: skip
    apps_of_phones = {"/.well-known/apple-app-site-association", "/.well-known/assetlinks.json"}
    assert fixed - apps_of_phones - {"/metrics"} <= set(PAGES)


def test_sec_53_metrics(make_app, settings):
    answer = ApiClient(make_app()).get(
        "//metrics", headers={"Authorization": f"Bearer {settings.ops_token.get_secret_value()}"}
    )
    assert answer.status_code == 200
    check(answer, signed_in=True)


def test_sec_53_resources_may_be_kept_by_their_reader_and_asked_for_again(alice):
    project = alice.creates()
    answer = alice.get(f"/projects/{project.id}")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    again = alice.get(f"/projects/{project.id}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    check(again, signed_in=True)
    assert again.headers["ETag"] == answer.headers["ETag"]


def test_sec_53_whatever_holds_a_token_is_kept_nowhere(anonymous, alice):
    answers = [
        anonymous.post("/auth/login", json={"email": alice.email, "password": alice.password}),
        anonymous.post("/auth/refresh", json={"refresh_token": alice.refresh_token}),
        alice.get("/auth/sessions"),
    ]
    for answer in answers:
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
