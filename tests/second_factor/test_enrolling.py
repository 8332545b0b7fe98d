"""SEC-32: an authenticator app counts once a code of it was confirmed; then other sessions end."""

import re
import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest

from app.core.access import SiteRole
from tests.fixtures.accounts import asks_who_it_is, code_of, refreshes, signs_in
from tests.fixtures.factors import Authenticator
from tests.fixtures.people import make_person


def starts(person):
    answer = person.post("/me/mfa/totp")
    assert answer.status_code == 201, answer.text
    return answer.json


def test_what_an_authenticator_app_needs(alice):
    started = starts(alice)
    uri = urlsplit(started["otpauth_uri"])
    query = parse_qs(uri.query)
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", "/Holdfast:alice@example.com")
    assert query == {"secret": [started["secret"]], "issuer": ["Holdfast"]}
    assert len(pyotp.TOTP(started["secret"]).byte_secret()) == 20
    picture = ET.fromstring(started["qr_svg"])
    assert picture.tag.endswith("svg")
    assert "<script" not in started["qr_svg"]


def test_sec_32_it_does_not_count_before_a_code_of_it_was_confirmed(anonymous, alice):
    starts(alice)
    assert alice.get("/me/mfa").json == {
        "enabled": False, "methods": [], "totp_confirmed_at": None, "recovery_codes_left": 0,
    }  # fmt: skip
    assert alice.get("/me").json["mfa_enabled"] is False
    assert signs_in(anonymous, alice.email).json["status"] == "signed_in"


def test_sec_32_confirming_turns_it_on(alice, enrols):
    version = alice.get("/me").json["version"]
    app = enrols(alice)
    state = alice.get("/me/mfa").json
    assert (state["enabled"], state["methods"], state["recovery_codes_left"]) == (
        True,
        ["totp", "recovery_code"],
        10,
    )
    assert state["totp_confirmed_at"]
    me = alice.get("/me").json
    assert (me["mfa_enabled"], me["version"]) == (True, version + 1)
    assert len(set(app.recovery_codes)) == 10
    assert all(re.fullmatch(r"([A-Z2-7]{4}-){5}[A-Z2-7]{4}", code) for code in app.recovery_codes)


def test_sec_26_sec_32_this_session_goes_on_with_new_tokens_and_the_others_end(anonymous, alice, enrols):
    other, old_token = alice.signs_in_again(), alice.token
    enrols(alice)
    assert code_of(asks_who_it_is(anonymous, old_token)) == (401, "token_expired")
    assert code_of(asks_who_it_is(anonymous, other.token)) == (401, "session_revoked")
    assert code_of(refreshes(anonymous, other.refresh_token)) == (401, "refresh_invalid")
    assert alice.get("/me").status_code == 200
    assert alice.delete("/me/mfa/totp").status_code == 204, "the confirming code was a proof by factor"


def test_a_browser_gets_its_new_refresh_token_as_a_cookie(app, alice):
    browser = alice.signs_in_again()
    answer = signs_in(browser, alice.email, transport="cookie")
    browser.token = answer.json["access_token"]
    factor = Authenticator(app.extensions["holdfast"], starts(browser)["secret"])
    confirmed = browser.post("/me/mfa/totp/confirm", json={"code": factor.code()})
    assert confirmed.json["session"]["refresh_token"] is None
    [cookie] = confirmed.headers.getlist("Set-Cookie")
    assert cookie.startswith("refresh_token=hfr1.")
    assert "Path=/api/v1/auth" in cookie


def test_a_started_one_may_be_replaced_and_only_the_last_counts(parts, alice):
    first, second = starts(alice), starts(alice)
    assert first["secret"] != second["secret"]
    old, new = Authenticator(parts, first["secret"]), Authenticator(parts, second["secret"])
    wrong = alice.post("/me/mfa/totp/confirm", json={"code": old.code()})
    assert code_of(wrong) == (422, "invalid_code")
    assert wrong.json["errors"][0]["field"] == "code"
    assert alice.post("/me/mfa/totp/confirm", json={"code": new.code()}).status_code == 200


def test_one_that_is_on_is_neither_replaced_nor_confirmed_again(alice, enrols, sql):
    app = enrols(alice)
    [before] = sql("SELECT sealed, confirmed_at FROM totp_factors")
    assert code_of(alice.post("/me/mfa/totp")) == (409, "mfa_already_enabled")
    again = alice.post("/me/mfa/totp/confirm", json={"code": app.code()})
    assert code_of(again) == (409, "mfa_already_enabled")
    assert sql("SELECT sealed, confirmed_at FROM totp_factors") == [before]


def test_confirming_what_was_not_started(alice):
    assert code_of(alice.post("/me/mfa/totp/confirm", json={"code": "123456"})) == (404, "not_found")


def test_sec_32_of_many_confirmations_at_once_one_wins(alice, app, at_once):
    factor = Authenticator(app.extensions["holdfast"], starts(alice)["secret"])
    code = factor.code()
    twins = [alice] * 6
    answers = at_once(
        6, lambda number: twins[number].post("/me/mfa/totp/confirm", json={"code": code}).status_code
    )
    assert answers.count(200) == 1
    assert set(answers) <= {200, 409, 401, 422, 429}


def test_sec_31_wrong_codes_are_counted_while_enrolling_too(alice, parts):
    factor = Authenticator(parts, starts(alice)["secret"])
    answers = [
        code_of(alice.post("/me/mfa/totp/confirm", json={"code": factor.wrong_code()})) for _ in range(6)
    ]
    assert answers == [(422, "invalid_code")] * 5 + [(429, "rate_limited")]
    assert alice.post("/me/mfa/totp/confirm", json={"code": factor.code()}).status_code == 429


def test_turning_it_off(anonymous, alice, enrols, sql):
    enrols(alice)
    assert alice.delete("/me/mfa/totp").status_code == 204
    assert alice.get("/me/mfa").json["methods"] == []
    assert alice.get("/me").json["mfa_enabled"] is False
    assert sql("SELECT count(*) FROM totp_factors") == sql("SELECT count(*) FROM recovery_codes") == [(0,)]
    assert signs_in(anonymous, alice.email).json["status"] == "signed_in"
    assert alice.delete("/me/mfa/totp").status_code == 204, "turning off what is off is fine"


def test_an_administrator_enrols_and_cannot_turn_the_last_factor_off(app, enrols):
    """ASVS 6.3.3: until one is enrolled nothing else is open."""
    ada = make_person(app, "Ada", SiteRole.admin)
    assert code_of(ada.get("/projects")) == (403, "mfa_enrolment_required")
    enrols(ada)
    assert ada.get("/projects").status_code == 200
    assert code_of(ada.delete("/me/mfa/totp")) == (403, "mfa_enrolment_required")
    assert ada.get("/me/mfa").json["methods"] == ["totp", "recovery_code"]
    assert ada.get("/me").json["mfa_enabled"] is True


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/me/mfa/totp"), ("DELETE", "/me/mfa/totp"), ("POST", "/me/mfa/recovery-codes")],
)
def test_sec_29_all_of_it_needs_a_fresh_proof(alice, advance, method, path):
    advance(minutes=15, seconds=1)
    alice.token = refreshes(alice, alice.refresh_token).json["access_token"]
    refused = alice.open(method, path)
    assert code_of(refused) == (403, "step_up_required")
    assert (refused.json["methods"], refused.json["max_age"]) == (["password"], 900)


def test_the_owner_is_told_by_mail(alice, enrols, letters):
    enrols(alice)
    alice.delete("/me/mfa/totp")
    subjects = {mail.subject for mail in letters(alice.email)}
    assert subjects == {"Second factor turned on for Holdfast", "Second factor turned off for Holdfast"}


def test_sec_30_the_secret_is_sealed_and_nothing_of_it_is_in_the_table(alice, enrols, sql):
    app = enrols(alice)
    raw = pyotp.TOTP(app.secret).byte_secret()
    [(key_id, sealed)] = sql("SELECT key_id, sealed FROM totp_factors")
    assert key_id == "k1"
    assert raw not in bytes(sealed)
    assert app.secret.encode() not in bytes(sealed)
    assert len(bytes(sealed)) == 12 + 20 + 16
