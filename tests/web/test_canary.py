"""SEC-57: a whole story with marked secrets, and not one of them where operators, caches or the trail could keep it."""

import re
import secrets

import pyotp
import pytest
from sqlalchemy import text

from tests.fixtures.accounts import code_of, registers, signs_in, verifies
from tests.fixtures.client import ApiClient
from tests.fixtures.error_kinds import without_cookies
from tests.fixtures.factors import Authenticator, begins, completes, steps_up
from tests.fixtures.planted import plant

ROWS = ("audit_events", "events", "procrastinate_jobs", "procrastinate_events", "throttle_counters")


class Canary:
    """The secrets of one story."""

    def __init__(self):
        mark = secrets.token_hex(6)
        self.email = f"canary-{mark}@example.com"
        self.password = f"canary sings {mark} at dawn"
        self.wrong = f"canary coughs {mark} at dusk"
        self.chosen = f"canary chooses {mark} at noon"
        self.reset = f"canary resets {mark} at night"
        self.marks = {self.email, self.password, self.wrong}
        self.codes = set()
        self.used = None

    def keep(self, *tokens):
        """A token counts whole, and its last part alone: what is cut short in a log must not be the part that matters."""
        for token in tokens:
            self.marks |= {token, token.rpartition(".")[2]}

    def keep_answer(self, answer):
        assert answer.status_code == 200
        self.keep(answer.json["access_token"])
        if answer.json["refresh_token"]:
            self.keep(answer.json["refresh_token"])
        return answer.json

    def found_in(self, text):
        """Which of the secrets stand in a text. Six digits count as a code only when nothing continues them."""
        found = {mark for mark in self.marks if mark in text}
        return found | {
            code for code in self.codes if re.search(rf"(?<![0-9A-Za-z.]){code}(?![0-9A-Za-z])", text)
        }


@pytest.fixture
def story(app, log_lines, run_jobs, parts):
    """Register, confirm, sign in by body and by cookie, refresh, work, fail in every way, sign out."""
    canary, client = Canary(), without_cookies(ApiClient(app))
    registers(client, canary.email, canary.password, "Canary")
    client.post("/auth/resend-verification", json={"email": canary.email})
    run_jobs()
    mails = [kept.mail for kept in parts.mailbox.list(canary.email)]
    canary.keep(*(mail.token for mail in mails))
    canary.codes |= {mail.code for mail in mails}
    canary.marks |= {line for mail in mails for line in mail.text.splitlines() if len(line) > 30}
    assert code_of(verifies(client, email=canary.email, code="000000"))[0] == 422
    assert code_of(verifies(client, token="hfv1.canary." + canary.wrong))[0] == 410
    canary.keep_answer(verifies(client, token=mails[0].token))
    assert code_of(verifies(client, token=mails[0].token))[0] == 410

    assert signs_in(client, canary.email, canary.wrong).status_code == 401
    mine = canary.keep_answer(signs_in(client, canary.email, canary.password))
    next_one = canary.keep_answer(client.post("/auth/refresh", json={"refresh_token": mine["refresh_token"]}))
    in_browser = signs_in(client, canary.email, canary.password, transport="cookie")
    canary.keep_answer(in_browser)
    cookie = re.match(r"refresh_token=([^;]+)", in_browser.headers["Set-Cookie"])[1]
    canary.keep(cookie)
    browser = {"Cookie": f"refresh_token={cookie}", "Origin": "http://localhost:3000", "X-CSRF-Token": "1"}
    renewed = client.post("/auth/refresh", json={}, headers=browser)
    canary.keep_answer(renewed)
    canary.keep(re.match(r"refresh_token=([^;]+)", renewed.headers["Set-Cookie"])[1])
    assert (
        client.post("/auth/refresh", json={"refresh_token": "hfr1.k1.kelp.1." + canary.wrong}).status_code
        == 401
    )
    assert (
        client.post("/auth/refresh", json={}, headers={**browser, "Origin": "https://evil.io"}).status_code
        == 403
    )

    signed_in = ApiClient(app, next_one["access_token"])
    key = "canary-key-" + secrets.token_hex(4)
    for _ in range(2):
        signed_in.post("/projects", json={"name": "Reef"}, headers={"Idempotency-Key": key})
    for path in ("/me", "/auth/sessions", "/projects", f"/projects?cursor={canary.wrong}", "/nowhere"):
        signed_in.get(path)
    signed_in.get(f"/me?jwt={next_one['access_token']}")
    signed_in.token = turns_a_second_factor_on(canary, signed_in, parts)
    signs_in_in_two_steps(canary, client, parts)
    ApiClient(app, next_one["access_token"] + "x").get("/me")
    ApiClient(app, canary.password).get("/me")
    made = signed_in.post("/me/tokens", json={"name": "Canary's script", "scopes": ["read"]}).json["token"]
    canary.keep(made, made[3:])
    script = ApiClient(app, made)
    for path in ("/me", f"/me?key={made}", "/projects", "/me/tokens"):
        script.get(path)
    ApiClient(app, made[:-1]).get("/me")
    signed_in.post("/me/exports")
    # The parent again after its successor was used: the session ends, a mail tells so.
    assert client.post("/auth/refresh", json={"refresh_token": mine["refresh_token"]}).status_code in {
        200,
        401,
    }
    run_jobs()
    client.post("/auth/logout", json={"refresh_token": next_one["refresh_token"]})
    another_address_and_another_password(app, canary, client, run_jobs, parts)
    return canary


def another_address_and_another_password(app, canary, client, run_jobs, parts):
    """Somebody else changes address and password, forgets it and sets it anew, with a wrong try of each."""
    email, new_address = canary.email.replace("canary", "siskin"), canary.email.replace("canary", "finch")
    canary.marks |= {email, new_address, canary.chosen, canary.reset}
    registers(client, email, canary.password, "Siskin")
    mail = mails_with_secrets(canary, run_jobs, parts, email)["verify_email"]
    me = ApiClient(app, canary.keep_answer(verifies(client, token=mail.token))["access_token"])
    me.post("/me/email", json={"email": new_address})
    mails = mails_with_secrets(canary, run_jobs, parts, email, new_address)
    assert code_of(me.post("/auth/confirm-email-change", json={"code": "000000"}))[0] == 422
    link = {"token": mails["confirm_email_change"].token}
    assert client.post("/auth/confirm-email-change", json=link).status_code == 204
    me = ApiClient(app, canary.keep_answer(signs_in(client, new_address, canary.password))["access_token"])
    for current, status in ((canary.wrong, 422), (canary.password, 204)):
        body = {"current_password": current, "new_password": canary.chosen}
        assert me.post("/me/password", json=body).status_code == status
    link = {"token": mails["old_address"].token}
    assert client.post("/auth/cancel-email-change", json=link).status_code == 204
    client.post("/auth/forgot-password", json={"email": email})
    mail = mails_with_secrets(canary, run_jobs, parts, email)["reset_password"]
    wrong = {"email": email, "code": "000000", "password": canary.reset}
    assert code_of(client.post("/auth/reset-password", json=wrong))[0] == 422
    right = {"token": mail.token, "password": canary.reset}
    assert [client.post("/auth/reset-password", json=right).status_code for _ in range(2)] == [204, 410]
    run_jobs()


def mails_with_secrets(canary, run_jobs, parts, *addresses):
    """The newest mail of each kind; its link, its code and its lines count as secrets."""
    run_jobs()
    found = [kept.mail for address in addresses for kept in parts.mailbox.list(address)]
    newest = {mail.kind: mail for mail in reversed(found) if mail.token}
    canary.keep(*(mail.token for mail in newest.values()))
    canary.codes |= {mail.code for mail in newest.values() if mail.code}
    return newest


def turns_a_second_factor_on(canary, person, parts):
    """Everything is shown once, in an answer; the new access token."""
    started = person.post("/me/mfa/totp").json
    canary.keep(started["secret"], started["otpauth_uri"])
    canary.phone = Authenticator(parts, started["secret"])
    raw = pyotp.TOTP(started["secret"]).byte_secret()
    canary.marks |= {raw.hex(), raw.decode("latin-1")}
    canary.codes |= {canary.phone.code(), canary.phone.wrong_code()}
    wrong = person.post("/me/mfa/totp/confirm", json={"code": canary.phone.wrong_code()})
    assert code_of(wrong) == (422, "invalid_code")
    canary.used = canary.phone.code()
    canary.codes.add(canary.used)
    confirmed = person.post("/me/mfa/totp/confirm", json={"code": canary.used}).json
    canary.paper = confirmed["recovery_codes"]
    canary.keep(*canary.paper, *(code.replace("-", "") for code in canary.paper))
    canary.keep(confirmed["session"]["access_token"], confirmed["session"]["refresh_token"])
    return confirmed["session"]["access_token"]


def signs_in_in_two_steps(canary, client, parts):
    """Wrong code, used code, right code, the token again; then step-up, right and wrong."""
    token = begins(client, canary.email, canary.password)
    canary.keep(token)
    for code, method in ((canary.used, "totp"), ("x" + canary.paper[0], "recovery_code")):
        assert code_of(completes(client, token, code, method)) == (401, "invalid_code")
    answer = canary.keep_answer(completes(client, token, canary.paper[0], "recovery_code"))
    canary.keep(answer["device_token"])
    assert code_of(completes(client, token, canary.paper[1], "recovery_code"))[0] == 401
    person = ApiClient(client.app, answer["access_token"])
    assert steps_up(person, "totp", code=canary.used).status_code == 401
    canary.keep_answer(steps_up(person, "recovery_code", code=canary.paper[1]))
    known = signs_in(client, canary.email, canary.wrong, device_token=answer["device_token"])
    assert known.status_code == 401


def everything_in(redis_client):
    """Keys and values of any kind."""
    found = []
    for key in redis_client.scan_iter():
        kind = redis_client.type(key)
        found += [key, redis_client.get(key) if kind == b"string" else redis_client.dump(key)]
    return b"\n".join(each or b"" for each in found).decode("latin-1")


def test_sec_57_no_secret_is_kept_where_it_does_not_belong(
    app, story, log_lines, sql, redis_client, anonymous, settings
):
    metrics = anonymous.get(
        "//metrics", headers={"Authorization": f"Bearer {settings.ops_token.get_secret_value()}"}
    )
    places = {
        "the log": log_lines.text,
        "metrics": metrics.text,
        "Redis": everything_in(redis_client),
        **{table: repr(sql(f"SELECT t::text FROM {table} t")) for table in ROWS},
    }
    assert len(story.marks) > 15
    assert all(len(mark) > 12 for mark in story.marks)
    assert len(log_lines.of("request")) > 20
    assert "holdfast_sign_ins_total" in places["metrics"]
    assert len(places["Redis"]) > 100
    assert len(places["audit_events"]) > 1_000
    assert {place: story.found_in(text) for place, text in places.items() if story.found_in(text)} == {}


def test_sec_57_nor_are_the_secrets_of_the_settings(story, log_lines, anonymous, settings):
    own = [settings.secret_keys, settings.password_peppers, settings.signing_keys, settings.ops_token]
    secrets_of_settings = [each.get_secret_value().rpartition(":")[2] for each in own]
    secrets_of_settings += [
        url.get_secret_value().partition("://")[2].partition("@")[0].rpartition(":")[2]
        for url in (settings.database_url, settings.redis_url)
    ]
    assert all(len(secret) > 20 for secret in secrets_of_settings)
    assert not [secret for secret in secrets_of_settings if secret in log_lines.text]


def test_sec_57_the_search_finds_what_it_looks_for(story, log_lines, parts, alice):
    """The same search in places where the secrets do belong."""
    mailbox = "".join(mail.mail.text for mail in parts.mailbox.list())
    assert {code for code in story.codes if code in mailbox} <= story.found_in(mailbox)
    assert story.found_in(mailbox) & story.codes
    assert story.found_in(f"a log line with {story.password} in it") == {story.password}


MARK = "a canary"  # named, because a traceback shows the lines of the test
FAILING = {
    "syntax": "SELEKT :mark",
    "unknown column": "SELECT nothing FROM users WHERE email = :mark",
    "a check": "INSERT INTO projects (id, owner_id, name, status, version, created_at, updated_at) SELECT"
    " gen_random_uuid(), id, :mark, 'kelp', 1, created_at, created_at FROM users",
    "a missing value": "UPDATE users SET locale = :mark, display_name = NULL",
}


@pytest.mark.parametrize("statement", FAILING.values(), ids=FAILING)
def test_sec_57_a_failing_statement_is_logged_without_what_it_was_about(
    make_app, alice, log_lines, statement
):
    app = make_app()
    engine = app.extensions["holdfast"].engines.engine

    def view():
        with engine.connect() as connection:
            connection.execute(text(statement), {"mark": MARK})

    plant(app, view)
    log_lines.take()
    ApiClient(app).get("/planted")
    assert MARK not in log_lines.text
    assert alice.email not in log_lines.text
    for line in log_lines.of("unhandled_error"):
        assert statement.split()[0] in line["exception"], "the statement itself is there, to mend it"
