"""SEC-54: exact origins, nothing reflected, and a preflight that costs nothing."""

import pytest
from sqlalchemy import event

from tests.fixtures.client import ApiClient
from tests.fixtures.error_kinds import KINDS, failing_client

__all__ = ["failing_client"]

APP, ADMIN = "https://app.example.com", "https://admin.example.com:8443"
FOREIGN = (
    "https://app.example.com.evil.io", "https://evilapp.example.com", "https://evil.io/https://app.example.com",
    "https://app.example.com@evil.io", "http://app.example.com", "https://app.example.com:444",
    "https://app.example.com/", "https://example.com", "https://appXexample.com", "https://sub.app.example.com",
    "https://admin.example.com", "null", "", "*", "https://", "file://", "https://app.example.com https://evil.io",
    "https://app.example.com, https://evil.io", "http://localhost:3000", "http://127.0.0.1:8000",
)  # fmt: skip
LOCAL = (
    "http://localhost:3000", "http://localhost", "https://localhost:5173", "http://127.0.0.1:8081", "http://[::1]:19006",
)  # fmt: skip
NOT_LOCAL = (
    "http://localhost.evil.io", "http://localhost:3000.evil.io", "http://evil-localhost:3000", "http://localhost:3000/",
    "http://127.0.0.1.evil.io", "http://127.0.0.2:3000", "null", "http://localhost:kelp", "ftp://localhost",
)  # fmt: skip
ALLOWED = {
    "authorization", "content-type", "if-match", "if-none-match", "idempotency-key", "x-csrf-token", "x-request-id",
    "x-client-platform", "x-client-version", "traceparent",
    "tus-resumable", "upload-length", "upload-offset", "upload-metadata",
}  # fmt: skip
EXPOSED = {
    "etag", "link", "location", "retry-after", "ratelimit", "ratelimit-policy", "x-request-id", "idempotency-replayed",
    "tus-resumable", "upload-offset",
}  # fmt: skip


def words(text):
    return {word.strip().lower() for word in (text or "").split(",") if word.strip()}


def preflight(client, path, origin, method="PATCH", headers=ALLOWED):
    return client.open(
        "OPTIONS", path,
        headers={"Origin": origin, "Access-Control-Request-Method": method,
                 "Access-Control-Request-Headers": ", ".join(sorted(headers))},
    )  # fmt: skip


@pytest.fixture
def production(kept_app):
    app = kept_app(app_env="production", public_url="https://api.example.com", cors_origins=f"{APP},{ADMIN}")
    return ApiClient(app)


@pytest.mark.parametrize("origin", [APP, ADMIN])
@pytest.mark.parametrize("path", ["/meta", "/me", "//livez", "/nowhere"])
def test_sec_54_a_listed_origin_is_answered_by_name(production, origin, path):
    answer = production.get(path, headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert words(answer.headers["Access-Control-Expose-Headers"]) >= EXPOSED
    assert "origin" in words(answer.headers["Vary"])


@pytest.mark.parametrize("origin", FOREIGN)
def test_sec_54_any_other_origin_is_told_nothing(production, origin):
    for answer in (
        production.get("/meta", headers={"Origin": origin}),
        production.get("/me", headers={"Origin": origin}),
        preflight(production, "/me", origin),
    ):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-Allow-")]


def test_sec_54_who_asks_from_nowhere_is_told_of_no_origin(production):
    assert not [name for name, _ in production.get("/meta").headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_sec_54_a_preflight_allows_what_the_contract_lists(production, method):
    answer = preflight(production, "/me", APP, method)
    assert answer.status_code in {200, 204}
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Access-Control-Max-Age"] == "7200"
    assert words(answer.headers["Access-Control-Allow-Headers"]) >= ALLOWED
    assert method.lower() in words(answer.headers["Access-Control-Allow-Methods"])


def test_sec_54_a_preflight_allows_no_other_header_or_method(production):
    answer = preflight(production, "/me", APP, headers={"authorization", "x-evil"})
    assert "x-evil" not in words(answer.headers["Access-Control-Allow-Headers"])
    assert not {"put", "trace", "connect"} & words(answer.headers["Access-Control-Allow-Methods"])


@pytest.mark.parametrize("environment", ["production", "development"])
@pytest.mark.parametrize("path", ["/me", "/projects", "/auth/login", "/auth/refresh"])
def test_sec_54_a_preflight_asks_neither_database_nor_redis(make_app, dead_port, environment, path):
    app = make_app(
        app_env=environment,
        cors_origins=APP,
        database_url=f"postgresql://nobody@127.0.0.1:{dead_port}/nothing",
        redis_url=f"redis://127.0.0.1:{dead_port}/0",
    )
    asked = []
    event.listen(
        app.extensions["holdfast"].engines.engine.pool, "connect", lambda *_: asked.append("postgres")
    )
    app.extensions["holdfast"].gate.run = asked.append
    answer = preflight(ApiClient(app), path, APP)
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert answer.status_code in {200, 204}
    assert asked == []


@pytest.mark.parametrize("origin", LOCAL)
def test_sec_54_development_allows_pages_of_this_machine(anonymous, origin):
    answer = anonymous.get("/meta", headers={"Origin": origin})
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert preflight(anonymous, "/me", origin).headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize("origin", NOT_LOCAL)
def test_sec_54_and_nothing_that_only_looks_like_it(anonymous, origin):
    assert "Access-Control-Allow-Origin" not in anonymous.get("/meta", headers={"Origin": origin}).headers


@pytest.mark.parametrize("make", [make for make, _, _ in KINDS.values()], ids=KINDS)
def test_a_page_can_read_every_error(failing_client, make):
    """Without these headers a browser would tell a script "network error" instead of the problem."""
    failing_client.headers |= {"Origin": "http://localhost:3000"}
    answer = make(failing_client)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert words(answer.headers["Access-Control-Expose-Headers"]) >= EXPOSED
