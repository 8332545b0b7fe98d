"""SEC-34, SEC-58: what the database holds is of no use to who copies it, and neither is the job queue."""

import re

import pytest

from app.core.keys import unb64
from tests.fixtures.accounts import DANA, refreshes, registers, signs_in, verifies
from tests.fixtures.people import PASSWORD

TEXTS = ("character varying", "text", "jsonb", "json", "name")


@pytest.fixture
def dump(sql):
    """Every table of the schema as ``{table: (texts of its rows, raw bytes of its bytea columns)}``."""

    def read():
        columns = sql(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name IN"
            " (SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE')"
        )
        found = {}
        for table, column, kind in columns:
            texts, raw = found.setdefault(table, ([], []))
            if kind == "bytea":
                raw += [bytes(value) for (value,) in sql(f'SELECT "{column}" FROM "{table}"') if value]
            elif kind in TEXTS or kind == "USER-DEFINED":
                texts += [value for (value,) in sql(f'SELECT "{column}"::text FROM "{table}"') if value]
        return found

    return read


def assert_not_in(secret, dump, raw=b""):
    pattern = re.compile(rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])")
    for table, (texts, binaries) in dump.items():
        assert not any(pattern.search(text) for text in texts), (
            f"{table} holds what a mail or an answer showed"
        )
        assert not any(secret.encode() in value or (raw and raw in value) for value in binaries), table


def test_sec_34_nothing_that_a_mail_or_an_answer_showed_is_in_the_database(anonymous, mails, dump, sql):
    """Dumped while the jobs wait and after the real worker did them."""
    registers(anonymous)
    waiting = dump()
    queued = "\n".join(waiting["procrastinate_jobs"][0])
    assert "registration.send_verification" in queued
    first = mails(DANA)[0]
    anonymous.post("/auth/resend-verification", json={"email": DANA})
    waiting_again = dump()
    second = mails(DANA)[0]
    registers(anonymous, "erin@example.com")
    signed_in = verifies(anonymous, email=DANA, code=second.code).json
    refreshed = refreshes(anonymous, signed_in["refresh_token"]).json
    cookie = (
        signs_in(anonymous, DANA, transport="cookie").headers["Set-Cookie"].split("=", 1)[1].split(";")[0]
    )
    afterwards = dump()
    for state in (waiting, waiting_again, afterwards):
        for mail in (first, second):
            assert_not_in(mail.code, state)
            assert_not_in(mail.token, state, unb64(mail.token.rpartition(".")[2]))
        assert_not_in(PASSWORD, state)
        for token in (signed_in["refresh_token"], refreshed["refresh_token"], cookie):
            assert_not_in(token, state, unb64(token.rpartition(".")[2]))
        for token in (signed_in["access_token"], refreshed["access_token"]):
            assert_not_in(token.rpartition(".")[2], state)


def test_the_dump_would_find_what_it_looks_for(anonymous, dump, sql, parts):
    """The test above can fail: what is planted is found."""
    registers(anonymous)
    planted = '{"code": "482913"}'
    sql("UPDATE events SET changes = %s", (planted,))
    with pytest.raises(AssertionError, match="events holds"):
        assert_not_in("482913", dump())
    sql("UPDATE registrations SET device = 'code 482913.'")
    with pytest.raises(AssertionError):
        assert_not_in("482913", dump())


@pytest.mark.parametrize("known", [True, False])
def test_sec_58_jobs_carry_ids_and_nothing_else(anonymous, alice, known, sql):
    email = "alice@example.com" if known else DANA
    registers(anonymous, email, headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
    anonymous.post("/auth/resend-verification", json={"email": email})
    jobs = sql("SELECT args::text FROM procrastinate_jobs")
    assert jobs
    for (arguments,) in jobs:
        assert "@" not in arguments
        assert "127.0.0" not in arguments
        assert "Firefox" not in arguments
        assert not re.search(r"hf[vr]1\.", arguments)


def test_finished_jobs_are_gone(anonymous, mails, sql):
    registers(anonymous)
    assert sql(
        "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'registration.send_verification'"
    ) == [(1,)]
    assert mails(DANA)
    assert sql("SELECT count(*) FROM procrastinate_jobs WHERE task_name LIKE 'registration.%%'") == [(0,)]
    assert sql("SELECT count(*) FROM procrastinate_jobs WHERE status NOT IN ('todo', 'doing')") == [(0,)]


def test_a_job_remembers_the_request_that_caused_it(anonymous, sql):
    registers(anonymous, headers={"X-Request-ID": "the-causing-request"})
    assert sql("SELECT args ->> 'caused_by' FROM procrastinate_jobs") == [("the-causing-request",)]
