"""The whole life of an account, as its owner lives it: by HTTP, the mails and an authenticator app.

Nothing here reaches into the service: mails come from the development mailbox, time is moved by `POST /dev/clock`, and the
real worker does the jobs. Alice's own app is pyotp.
"""

import io
import json
import zipfile
from datetime import datetime

import pyotp
import pytest

from tests.fixtures.client import ApiClient

ADDRESS, NEW_ADDRESS = "dana@example.com", "dana@reef.example"
PASSWORD, NEW_PASSWORD = "a sentence only Dana knows", "another sentence only Dana knows"
DAY = 86_400


class Life(ApiClient):
    """Dana, her mailbox and her authenticator app."""

    def __init__(self, app, run_jobs):
        super().__init__(app)
        self._run_jobs = run_jobs
        self.secret = None

    def mail(self, address, word):
        """The newest mail to an address that has the word in its subject; a job may leave another one to do."""
        for _ in range(5):
            self._run_jobs()
            items = self.get(f"//dev/mailbox?to={address}").json["items"]
            found = [item for item in items if word in item["subject"]]
            if found:
                return found[0]
        raise AssertionError(f"{word!r} is in none of {[item['subject'] for item in items]}")

    def waits(self, seconds):
        """Let time go by, do what is due then; the moment it is."""
        now = self.post("//dev/clock", json={"advance_seconds": seconds}).json["now"]
        self._run_jobs()
        return datetime.fromisoformat(now)

    def next_code(self):
        """A code that was not used yet: each counts once."""
        return pyotp.TOTP(self.secret).at(self.waits(31))

    def asks(self, method, path, status, body=None, *, code=None):
        answer = self.open(method, path, **({"json": body} if body is not None else {}))
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        if code:
            assert answer.json["code"] == code
        return answer

    def becomes(self, signed_in):
        """Go on with these tokens."""
        assert signed_in["status"] == "signed_in"
        self.token, self.refresh_token = signed_in["access_token"], signed_in["refresh_token"]
        return signed_in["user"]

    def gives_password(self, password, address=ADDRESS):
        self.token = None
        return self.asks("POST", "/auth/login", 200, {"email": address, "password": password}).json

    def signs_in(self, password, address=ADDRESS):
        """With password and code."""
        begun = self.gives_password(password, address)
        assert begun["status"] == "mfa_required"
        body = {"mfa_token": begun["mfa_token"], "method": "totp", "code": self.next_code()}
        return self.becomes(self.asks("POST", "/auth/mfa", 200, body).json)


@pytest.fixture
def dana(app, run_jobs):
    return Life(app, run_jobs)


def test_the_life_of_an_account(dana, ada):
    account = registers_and_verifies(dana)
    codes = enrols(dana)
    signs_in_by_code_and_by_recovery_code(dana, codes)
    proves_herself_again(dana)
    changes_her_address(dana)
    forgets_her_password(dana)
    takes_her_data(dana)
    leaves_and_comes_back(dana)
    leaves_for_good(dana, ada, account)


def registers_and_verifies(dana):
    body = {"email": ADDRESS, "password": PASSWORD, "display_name": "Dana"}
    assert dana.asks("POST", "/auth/register", 202, body).json["status"] == "verification_required"
    dana.asks("POST", "/auth/login", 403, {"email": ADDRESS, "password": PASSWORD}, code="email_not_verified")
    token = dana.mail(ADDRESS, "onfirm")["token"]
    user = dana.becomes(dana.asks("POST", "/auth/verify-email", 200, {"token": token}).json)
    dana.asks("POST", "/auth/verify-email", 410, {"token": token}, code="token_expired_or_used")
    dana.asks("POST", "/projects", 201, {"name": "Reef survey", "description": "What grows where."})
    return user["id"]


def enrols(dana):
    started = dana.asks("POST", "/me/mfa/totp", 201).json
    dana.secret = started["secret"]
    assert pyotp.parse_uri(started["otpauth_uri"]).secret == dana.secret
    confirmed = dana.asks("POST", "/me/mfa/totp/confirm", 200, {"code": dana.next_code()}).json
    dana.asks("GET", "/me", 401, code="token_expired")
    dana.becomes(confirmed["session"])
    assert dana.asks("GET", "/me/mfa", 200).json["methods"] == ["totp", "recovery_code"]
    assert "econd factor" in dana.mail(ADDRESS, "econd factor")["subject"]
    return confirmed["recovery_codes"]


def signs_in_by_code_and_by_recovery_code(dana, codes):
    assert dana.signs_in(PASSWORD)["mfa_enabled"]
    begun = dana.gives_password(PASSWORD)
    body = {"mfa_token": begun["mfa_token"], "method": "recovery_code", "code": codes[0]}
    dana.becomes(dana.asks("POST", "/auth/mfa", 200, body).json)
    again = dana.gives_password(PASSWORD)
    used = {**body, "mfa_token": again["mfa_token"]}
    dana.asks("POST", "/auth/mfa", 401, used, code="invalid_code")
    dana.signs_in(PASSWORD)


def proves_herself_again(dana):
    dana.waits(16 * 60)
    dana.becomes(dana.asks("POST", "/auth/refresh", 200, {"refresh_token": dana.refresh_token}).json)
    refused = dana.asks("POST", "/me/email", 403, {"email": NEW_ADDRESS}, code="step_up_required")
    assert "totp" in refused.json["methods"]
    before = dana.token
    proved = dana.asks("POST", "/auth/step-up", 200, {"method": "totp", "code": dana.next_code()}).json
    dana.token = before
    dana.asks("GET", "/me", 401, code="token_expired")
    dana.becomes(proved)


def changes_her_address(dana):
    dana.asks("POST", "/me/email", 202, {"email": NEW_ADDRESS})
    assert dana.asks("GET", "/me", 200).json["pending_email"] == NEW_ADDRESS
    confirming = dana.mail(NEW_ADDRESS, "")["token"]
    objecting = next(
        item for item in mails_with_links(dana, ADDRESS) if "cancel-email-change" in item["link"]
    )["token"]
    signed_in = dana.token
    dana.token = None
    dana.asks("POST", "/auth/cancel-email-change", 204, {"token": objecting})
    dana.asks("POST", "/auth/confirm-email-change", 410, {"token": confirming}, code="token_expired_or_used")
    dana.token = signed_in
    me = dana.get("/me")
    if me.status_code == 401:  # whoever objects may not be whoever is signed in: sessions end
        dana.signs_in(PASSWORD)
    me = dana.asks("GET", "/me", 200).json
    assert (me["email"], me["pending_email"]) == (ADDRESS, None)


def mails_with_links(dana, address):
    return [item for item in dana.get(f"//dev/mailbox?to={address}").json["items"] if item["link"]]


def forgets_her_password(dana):
    signed_in, dana.token = dana.token, None
    dana.asks("POST", "/auth/forgot-password", 202, {"email": ADDRESS})
    token = dana.mail(ADDRESS, "eset")["token"]
    dana.asks("POST", "/auth/reset-password", 204, {"token": token, "password": NEW_PASSWORD})
    dana.asks("POST", "/auth/reset-password", 410, {"token": token, "password": PASSWORD})
    dana.token = signed_in
    dana.asks("GET", "/me", 401, code="session_revoked")
    dana.token = None
    dana.asks(
        "POST", "/auth/login", 401, {"email": ADDRESS, "password": PASSWORD}, code="invalid_credentials"
    )
    dana.signs_in(NEW_PASSWORD)


def takes_her_data(dana):
    export = dana.asks("POST", "/me/exports", 202).json
    assert "export is ready" in dana.mail(ADDRESS, "export")["subject"]
    assert dana.asks("GET", f"/me/exports/{export['id']}", 200).json["state"] == "ready"
    answer = dana.asks("GET", f"/me/exports/{export['id']}/content", 200)
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    whole = json.dumps(files)
    assert any(name.endswith("index.html") for name in files)
    assert ADDRESS in whole
    assert "Reef survey" in whole
    for secret in (dana.secret, PASSWORD, NEW_PASSWORD, dana.refresh_token):
        assert secret not in whole


def leaves_and_comes_back(dana):
    dana.asks("DELETE", "/me", 202)
    dana.asks("GET", "/projects", 403, code="account_deletion_scheduled")
    assert dana.signs_in(NEW_PASSWORD)["status"] == "deletion_scheduled", "signing in alone undoes nothing"
    assert dana.asks("POST", "/me/restore", 200).json["status"] == "active"
    dana.asks("DELETE", "/me", 202)
    dana.mail(ADDRESS, "")
    link = next(item for item in mails_with_links(dana, ADDRESS) if "restore-account" in item["link"])
    dana.token = None
    dana.asks("POST", "/auth/restore-account", 204, {"token": link["token"]})
    assert dana.signs_in(NEW_PASSWORD)["status"] == "active"
    assert [item["name"] for item in dana.asks("GET", "/projects", 200).json["items"]] == ["Reef survey"]


def leaves_for_good(dana, ada, account):
    dana.asks("DELETE", "/me", 202)
    dana.waits(13 * DAY)
    assert dana.signs_in(NEW_PASSWORD)["status"] == "deletion_scheduled"
    dana.waits(2 * DAY)
    dana.asks("GET", "/me", 401)
    dana.token = None
    dana.asks(
        "POST", "/auth/login", 401, {"email": ADDRESS, "password": NEW_PASSWORD}, code="invalid_credentials"
    )
    dana.asks("POST", "/auth/refresh", 401, {"refresh_token": dana.refresh_token})
    administrator = ada.signs_in_again()
    gone = administrator.get(f"/admin/users/{account}")
    assert (gone.status_code, gone.json["code"]) == (404, "not_found")
    assert administrator.get("/admin/users?q=dana").json["items"] == []
