"""SEC-37: every rule of the URL map declares who may call it, and what does not is refused."""

import re
from pathlib import Path

import pytest

from app.core.access import Caller
from app.web.blueprint import Blueprint
from app.web.operations import declared
from tests.fixtures.client import ApiClient
from tests.fixtures.contract import documented_operations, operations_that_answer

FROZEN = Path(__file__).with_name("operation_ids.txt")
PAGES = {
    "/", "/api/v1/openapi.json", "/docs", "/docs/errors", "/docs/files/<name>", "/livez", "/readyz",
    "/.well-known/jwks.json", "/.well-known/security.txt", "/.well-known/change-password",
    "/.well-known/apple-app-site-association", "/.well-known/assetlinks.json",
    "/assets/<digest>/<name>", "/verify-email",
    "/forgot-password", "/reset-password", "/confirm-email-change", "/cancel-email-change", "/restore-account",
    "/accept-invitation",
    "/dev/mailbox", "/dev/mailbox/<mail_id>", "/dev/clock",
}  # fmt: skip
ANYBODY = {
    "getMeta", "register", "verifyEmail", "resendVerification", "signIn", "refreshSession", "signOut",
    "completeMfa", "startPasskeySignIn", "signInWithPasskey",
    "forgotPassword", "resetPassword", "confirmEmailChange", "cancelEmailChange",
    "restoreAccount", "previewInvitation", "downloadFileByUrl",
}  # fmt: skip

ADMITTED_BY = {
    "verifyEmail", "signIn", "completeMfa", "signInWithPasskey", "refreshSession", "stepUp", "confirmTotp", "addPasskey",
}  # fmt: skip
"""Who answers access tokens: each way in, and what renews the tokens of a session."""


def undeclared(app):
    """Rules that say nothing about who may call them."""
    return [rule.rule for rule in app.url_map.iter_rules() if declared(app, rule.endpoint) is None]


def plant(app, path="/api/v1/planted", **options):
    app.add_url_rule(path, "planted", lambda: {"secret": "kelp"}, **options)


def test_sec_37_every_rule_declares_its_caller(app):
    assert undeclared(app) == []


def test_sec_37_the_walk_finds_a_rule_without_declaration(make_app):
    other = make_app()
    plant(other)
    assert undeclared(other) == ["/api/v1/planted"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "DELETE"])
def test_sec_37_a_rule_without_declaration_is_refused_to_everybody(make_app, ada, method):
    other = make_app()
    plant(other, methods=["GET", "POST", "PATCH", "DELETE"])
    for token in (None, ada.token):
        answer = ApiClient(other, token).open(method, "/planted")
        assert answer.status_code == 403
        assert "kelp" not in answer.text
        if method != "HEAD":
            assert answer.json["code"] == "forbidden"


def test_sec_37_anybody_may_call_these_and_no_other(app):
    """Public routes stand in a list that a reader can check; a new one has to be added here."""
    declarations = {rule.rule: declared(app, rule.endpoint) for rule in app.url_map.iter_rules()}
    open_rules = {rule: each.name for rule, each in declarations.items() if each.caller == Caller.anyone}
    assert [rule for rule, each in declarations.items() if each.caller == Caller.operator] == ["/metrics"]
    pages = {rule for rule in open_rules if open_rules[rule] not in ANYBODY}
    assert pages == PAGES
    assert set(open_rules.values()) >= ANYBODY


def test_sec_37_the_document_and_the_guard_say_the_same(app):
    """What the document calls public, and nothing else, lets an anonymous caller in."""
    public = {operation.name for operation in documented_operations(app) if operation.public}
    assert public == ANYBODY


def test_sec_37_every_other_operation_asks_who_calls(app, anonymous):
    private = [operation for operation in documented_operations(app) if not operation.public]
    assert len(private) > 10
    for operation in private:
        answer = anonymous.open(operation.method, operation.address)
        assert (answer.status_code, answer.json["code"]) == (401, "not_authenticated"), operation.name


@pytest.mark.parametrize("decorator", ["route", "get", "post"])
def test_sec_37_a_route_of_the_api_cannot_be_written_without_its_caller(decorator):
    with pytest.raises(TypeError, match=r"declare /kelp by Blueprint\.operation, which names its caller"):
        getattr(Blueprint("kelp", __name__), decorator)("/kelp")(lambda: "")


def test_development_pages_do_not_exist_in_production(make_app):
    production = make_app(app_env="production")
    rules = {rule.rule for rule in production.url_map.iter_rules()}
    assert not [rule for rule in rules if rule.startswith("/dev")]
    client = ApiClient(production)
    assert client.get("//dev/mailbox").status_code == 404
    assert client.get("//").status_code == 404
    assert client.post("//dev/clock", json={"advance_seconds": 1}).status_code == 404


def test_the_test_clock_takes_json_that_says_so(app, sql):
    """A page of another origin may send plain text to a laptop without being asked where it comes from."""
    client = ApiClient(app)
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = client.post("//dev/clock", data=b'{"advance_seconds": 60}', content_type=kind)
        assert answer.status_code == 415
    assert sql("SELECT clock_offset_seconds FROM system_state") == [(0,)]


def test_operation_ids_are_unique_camel_case_and_frozen(app):
    """Clients are generated from them: a line may be added to the list, none may change or go."""
    names = [operation.name for operation in documented_operations(app)]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z0-9]*)*", name)] == []
    frozen = FROZEN.read_text().split()
    assert frozen == sorted(frozen)
    assert (set(names) - set(frozen), set(frozen) - set(names)) == (set(), set()), (
        f"new, to be added to {FROZEN.name}; and gone, though frozen"
    )


def test_every_operation_of_the_api_is_documented(app):
    below_api = {
        (method, re.sub(r"<[^>]*>", "{}", rule.rule.removeprefix("/api/v1")))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and rule.rule not in PAGES
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    documented = {
        (operation.method, re.sub(r"{[^}]*}", "{}", operation.path))
        for operation in documented_operations(app)
    }
    assert below_api == documented


def test_there_is_no_other_way_in(app):
    """docs/guide.md tells them; a new one stands here first, with the proof that it asks for."""
    assert operations_that_answer(app, "access_token") == ADMITTED_BY
    assert operations_that_answer(app, "token") == {"createApiToken"}
