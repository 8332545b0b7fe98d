"""SEC-25: browsers keep the refresh token in a cookie that scripts cannot read and foreign pages cannot use."""

from http.cookies import SimpleCookie

import pytest

from tests.fixtures.accounts import asks_who_it_is, code_of, refreshes, signs_in
from tests.fixtures.client import ApiClient

ALICE = "alice@example.com"
APP = "https://app.example.com"
OWN_PAGE = {"Origin": "http://localhost:8000", "X-CSRF-Token": "1"}
PATH = "/api/v1/auth"


def cookie_in(response):
    [header] = response.headers.getlist("Set-Cookie")
    [morsel] = SimpleCookie(header).values()
    return morsel


@pytest.fixture
def browser(app, alice):
    """A client that keeps cookies, signed in by cookie."""
    client = ApiClient(app)
    assert signs_in(client, ALICE, transport="cookie").status_code == 200
    return client


def holding(app, token, name="refresh_token", host="localhost"):
    """A browser that holds that cookie and no other."""
    client = ApiClient(app)
    client.headers["Host"] = host
    client.http.set_cookie(name, token, domain=host, path=PATH)
    return client


def test_sec_25_the_cookies_attributes(anonymous, alice):
    response = signs_in(anonymous, ALICE, transport="cookie")
    assert response.json["refresh_token"] is None
    cookie = cookie_in(response)
    assert cookie.key == "refresh_token"
    assert cookie.value.startswith("hfr1.")
    assert cookie["httponly"] is True
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", PATH, "")
    assert 14 * 86_400 - 60 < int(cookie["max-age"]) <= 14 * 86_400
    assert not cookie["secure"]


def test_sec_25_under_https_the_cookie_is_secure_and_named_so(make_app, alice):
    app = make_app(public_url="https://api.example.com")
    host = "api.example.com"
    cookie = cookie_in(signs_in(holding(app, "none", "other", host), ALICE, transport="cookie"))
    assert cookie.key == "__Secure-refresh_token"
    assert cookie["secure"] is True
    own_page = {"Origin": "https://api.example.com", "X-CSRF-Token": "1"}
    plain = holding(app, cookie.value, host=host).post("/auth/refresh", headers=own_page)
    assert code_of(plain) == (401, "refresh_invalid")  # the name without the prefix counts for nothing
    answer = holding(app, cookie.value, cookie.key, host).post("/auth/refresh", headers=own_page)
    assert answer.status_code == 200
    assert cookie_in(answer).key == "__Secure-refresh_token"


def test_a_web_app_starts_with_an_empty_body(browser):
    first = browser.post("/auth/refresh", headers=OWN_PAGE)
    assert first.status_code == 200
    assert first.json["refresh_token"] is None
    assert cookie_in(first).value.startswith("hfr1.")
    second = browser.post("/auth/refresh", headers=OWN_PAGE, json={})
    assert second.status_code == 200
    assert cookie_in(second).value != cookie_in(first).value
    assert asks_who_it_is(browser, second.json["access_token"]).status_code == 200


def test_without_a_cookie_an_empty_body_is_refused(anonymous):
    assert code_of(anonymous.post("/auth/refresh", headers=OWN_PAGE)) == (401, "refresh_invalid")


FOREIGN = [
    {},
    {"Origin": "http://localhost:8000"},
    {"X-CSRF-Token": "1"},
    {"X-CSRF-Token": "1", "Origin": "null"},
    {"X-CSRF-Token": "1", "Origin": ""},
    {"X-CSRF-Token": "1", "Origin": "https://evil.example"},
    {"X-CSRF-Token": "1", "Origin": "http://localhost.evil.example"},
    {"X-CSRF-Token": "1", "Origin": "http://localhost:8000.evil.example"},
    {"X-CSRF-Token": "1", "Referer": "http://localhost:8000/"},
]


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
def test_sec_25_a_foreign_page_cannot_use_the_cookie(browser, path):
    answers = [code_of(browser.post(path, headers=headers)) for headers in FOREIGN]
    assert answers == [(403, "csrf_failed")] * len(FOREIGN)
    assert browser.post("/auth/refresh", headers=OWN_PAGE).status_code == 200


@pytest.mark.parametrize(
    ("origin", "fine"),
    [
        (APP, True),
        ("https://api.example.com", True),
        ("https://app.example.com.evil.io", False),
        ("http://app.example.com", False),
        ("https://xapp.example.com", False),
        ("https://app.example.com:8443", False),
    ],
)
def test_sec_25_sec_54_only_listed_origins_may(make_app, alice, origin, fine):
    app = make_app(cors_origins=(APP,), public_url="https://api.example.com")
    browser = holding(app, alice.refresh_token, "__Secure-refresh_token", "api.example.com")
    answer = browser.post("/auth/refresh", headers={"Origin": origin, "X-CSRF-Token": "1"})
    assert code_of(answer) == ((200, None) if fine else (403, "csrf_failed"))


def test_sec_25_any_value_of_the_header_forces_a_preflight(browser):
    assert browser.post("/auth/refresh", headers={**OWN_PAGE, "X-CSRF-Token": "yes"}).status_code == 200


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
def test_sec_25_both_ways_at_once_are_refused(browser, alice, path):
    body = {"refresh_token": alice.refresh_token}
    answer = browser.post(path, headers=OWN_PAGE, json=body)
    assert code_of(answer) == (422, "token_transport_conflict")
    assert [fault["field"] for fault in answer.json["errors"]] == ["refresh_token"]
    assert refreshes(ApiClient(browser.app), alice.refresh_token).status_code == 200


def test_sec_25_a_body_token_needs_neither_origin_nor_header(anonymous, alice):
    assert (
        refreshes(anonymous, alice.refresh_token, headers={"Origin": "https://evil.example"}).status_code
        == 200
    )


def test_sec_25_the_answer_goes_back_the_way_the_token_came(app, anonymous, alice, browser):
    kept = browser.http.get_cookie("refresh_token", path=PATH).value
    by_body = refreshes(anonymous, kept)
    assert by_body.json["refresh_token"].startswith("hfr1.")
    assert "Set-Cookie" not in by_body.headers
    by_cookie = holding(app, alice.refresh_token).post("/auth/refresh", headers=OWN_PAGE)
    assert by_cookie.json["refresh_token"] is None
    assert cookie_in(by_cookie).value.startswith("hfr1.")


def test_signing_out_takes_the_cookie_away_and_ends_the_session(browser):
    access_token = browser.post("/auth/refresh", headers=OWN_PAGE).json["access_token"]
    answer = browser.post("/auth/logout", headers=OWN_PAGE)
    assert answer.status_code == 204
    cookie = cookie_in(answer)
    assert (cookie.value, cookie["max-age"], cookie["path"]) == ("", "0", PATH)
    assert browser.http.get_cookie("refresh_token", path=PATH) is None
    assert code_of(asks_who_it_is(browser, access_token)) == (401, "session_revoked")


def test_sec_25_a_form_cannot_be_posted_with_the_cookie(browser):
    answer = browser.post("/auth/refresh", headers=OWN_PAGE, data={"refresh_token": "x"})
    assert code_of(answer) == (415, "unsupported_media_type")


@pytest.mark.parametrize("name", ["jwt", "token", "access_token", "authorization"])
def test_sec_25_no_token_counts_in_a_query_string(anonymous, alice, name):
    answer = anonymous.get(f"/me?{name}={alice.token}")
    assert code_of(answer) == (401, "not_authenticated")
    assert code_of(anonymous.get(f"/projects?{name}={alice.token}")) == (401, "not_authenticated")


def test_sec_25_no_refresh_token_counts_in_a_query_string(anonymous, alice):
    answer = anonymous.post(f"/auth/refresh?refresh_token={alice.refresh_token}")
    assert code_of(answer) in {(422, "validation_failed"), (401, "refresh_invalid")}
    assert refreshes(anonymous, alice.refresh_token).status_code == 200


def test_sec_25_the_cookie_is_no_access_token(browser):
    assert code_of(browser.get("/me", headers=OWN_PAGE)) == (401, "not_authenticated")
