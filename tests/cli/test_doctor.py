"""`flask doctor` as a whole: what it prints, its exit code, that it survives anything and tells no secret."""

import json
import socket
import threading
import time

import pytest
from pydantic import SecretStr

from app.cli import doctor
from app.cli.checks import database
from app.cli.checks.finding import fault, ok, warn
from app.cli.checks.report import as_text
from tests.cli.examined import PRODUCTION, Examined
from tests.fixtures.command_line import command_line, environment_of, flask_process

ABOUTS = {
    "settings", "keys", "public url", "cors", "proxy", "database", "role", "migrations", "pg_trgm", "letters", "indexes",
    "triggers", "grants", "connections", "durability", "clock", "worker", "jobs", "redis", "mail", "storage",
}  # fmt: skip


@pytest.fixture
def healthy(own_app, own_sql, monkeypatch):
    """Nothing to complain of: a worker has just reported; the test's PostgreSQL counts as one that writes to disk."""
    monkeypatch.setattr(database, "DURABLE", ("synchronous_commit",))
    ((name,),) = own_sql("SELECT current_database()")
    own_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = on')
    own_sql("INSERT INTO procrastinate_workers DEFAULT VALUES")
    return own_app


def test_all_is_well_exit_code_0(healthy):
    seen = Examined(healthy)
    assert [each for each in seen.findings if each["severity"] != "ok"] == []
    assert {each["about"] for each in seen.findings} == ABOUTS
    assert seen.exit_code == 0


def test_a_warning_exit_code_1(healthy, own_sql):
    own_sql("DELETE FROM procrastinate_workers")
    seen = Examined(healthy)
    assert seen.one("worker", "warn")
    assert seen.exit_code == 1


def test_a_fault_exit_code_2_whatever_else_there_is(healthy, own_sql):
    own_sql("DELETE FROM procrastinate_workers")
    own_sql("UPDATE alembic_version SET version_num = '0001'")
    seen = Examined(healthy)
    assert seen.one("migrations", "fault")
    assert seen.exit_code == 2


def contents(sql):
    """Every row of every table, in short."""
    names = [name for (name,) in sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return {
        name: sql(f"SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM {name} t") for name in names
    }


def test_it_looks_and_changes_nothing(app, alice, sql):
    folder = app.extensions["holdfast"].settings.mailbox_dir
    folder.mkdir(parents=True, exist_ok=True)
    alice.creates()
    before = contents(sql)
    assert len(before) > 10
    Examined(app, "--origin", "http://localhost:5173")
    assert contents(sql) == before
    assert list(folder.iterdir()) == []


def test_the_table_is_aligned_and_each_complaint_is_followed_by_its_cure(app):
    lines = command_line(app)("doctor").output.splitlines()
    body = [line for line in lines if line.strip()]
    told = [line for line in body[:-1] if not line.lstrip().startswith("mend: ")]
    assert all(line[2:9].strip() in {"OK", "WARN", "FAULT"} for line in told)
    assert {line[9:23].strip() for line in told} == ABOUTS
    for position, line in enumerate(body[:-1]):
        if line[2:9].strip() in {"WARN", "FAULT"}:
            assert body[position + 1].startswith(" " * 23 + "mend: ")
    counts = {word: sum(line[2:9].strip() == word for line in told) for word in ("OK", "WARN")}
    assert body[-1].strip() == f"{counts['OK']} OK, {counts['WARN']} WARN"


def test_nothing_but_the_report_is_printed(make_app):
    """Log lines of what fails meanwhile do not get between."""
    app = make_app(redis_url="redis://127.0.0.1:1/0")
    assert Examined(app).one("redis", "fault")


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_colours_only_where_they_are_wanted(app, monkeypatch, variables):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[" in command_line(app)("doctor", color=True).output) is (not variables)
    assert "\x1b[" not in command_line(app)("doctor").output


def test_a_narrow_terminal_folds_lines_below_each_other(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setenv("NO_COLOR", "1")
    text = as_text([warn("cors", "word " * 40, "cure " * 40), ok("keys", "k1")])
    lines = [line for line in text.splitlines() if line]
    assert max(map(len, lines)) <= 70
    assert sum(line.startswith(" " * 23) for line in lines) > 6
    assert text.count("word") == 40
    assert text.count("cure") == 40


def black_hole():
    """Accepts connections and never says a word."""
    return socket.create_server(("127.0.0.1", 0))


@pytest.mark.parametrize("kind", ["refused", "silent"])
def test_with_everything_away_it_still_reports_and_soon(make_app, kind):
    """Short waits: the whole report within ten seconds, whatever hangs."""
    with black_hole() as listener:
        port = listener.getsockname()[1] if kind == "silent" else 1
        app = make_app(
            database_url=f"postgresql://app:x@127.0.0.1:{port}/db", redis_url=f"redis://127.0.0.1:{port}/0",
            smtp_url=f"smtp://127.0.0.1:{port}",
        )  # fmt: skip
        started = time.monotonic()
        seen = Examined(app, "--origin", "http://localhost:5173")
        assert time.monotonic() - started < 11
    assert seen.exit_code == 2
    for subject in ("database", "redis", "mail"):
        assert seen.one(subject, "fault")
    assert seen.about("cors", "ok")


def test_a_check_that_hangs_is_told_and_left_behind():
    released = threading.Event()
    try:
        checks = {
            "one": lambda: [ok("one", "fine")],
            "stuck": lambda: released.wait(60),
            "two": lambda: [ok("two", "fine")],
        }
        found = doctor.together(checks, 0.2)
    finally:
        released.set()
    assert [each.about for each in found] == ["one", "stuck", "two"]
    assert "no answer within 0.2 s" in found[1].what


def test_a_check_that_breaks_does_not_break_the_report():
    def broken():
        yield ok("first", "fine")
        raise KeyError("secretword")

    found = doctor.together({"broken": broken, "next": lambda: [ok("next", "fine")]}, 5)
    assert [(each.about, each.severity.value) for each in found] == [
        ("first", "OK"),
        ("broken", "FAULT"),
        ("next", "OK"),
    ]
    assert "secretword" not in found[1].what


SECRETS = {
    "database_url": "postgresql://app:dbsecret%21word@127.0.0.1:1/db",
    "migration_database_url": "postgresql://owner:ownersecret@127.0.0.1:1/db",
    "redis_url": "redis://:redissecret@127.0.0.1:1/0",
    "smtp_url": "smtp://post:smtp%21secret@127.0.0.1:1/?tls=none",
}
WORDS = ("dbsecret", "ownersecret", "redissecret", "smtp%21secret", "smtp!secret")


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_no_secret_is_ever_printed(make_app, words):
    """SEC-57: not the settings', not the keys', whatever fails."""
    app = make_app(**PRODUCTION | SECRETS | {"redis_url": "redis://:redissecret@127.0.0.1:1/0"})
    settings = app.extensions["holdfast"].settings
    output = command_line(app)("doctor", *words).output
    assert "FAULT" in output.upper()
    rings = [
        getattr(settings, name).get_secret_value()
        for name in ("secret_keys", "password_peppers", "signing_keys")
    ]
    keys = [entry.partition(":")[2] for ring in rings for entry in ring.split(",")]
    for secret in (*WORDS, *keys, settings.ops_token.get_secret_value()):
        assert secret not in output


def test_what_a_driver_quotes_is_blotted_out(settings):
    from app.cli.checks.report import without_secrets

    own = settings.model_copy(update={"redis_url": SecretStr("redis://:red%20secret@localhost/0")})
    (found,) = without_secrets(
        [fault("x", "it said 'red secret' and red%20secret", f"key {own.secret_keys.get_secret_value()}")],
        own,
    )
    assert found.what == "it said '***' and ***"
    assert found.mend == "key ***"


def test_with_settings_that_do_not_load_it_tells_every_fault_at_once(settings):
    environment = environment_of(settings, DATABASE_URL="mysql://x", WORKERS="many", SECRET_KEYS="")
    plain = flask_process(environment, "doctor")
    assert plain.returncode == 2
    for name in ("DATABASE_URL", "WORKERS"):
        assert [
            line
            for line in plain.stdout.splitlines()
            if line.startswith("  FAULT  settings") and name in line
        ]
    told = flask_process(environment, "doctor", "--json")
    assert told.returncode == 2
    report = json.loads(told.stdout)
    assert (report["status"], report["exit_code"]) == ("fault", 2)
    assert {"DATABASE_URL", "WORKERS"} <= {each["what"].partition(":")[0] for each in report["findings"]}


def test_as_a_process_it_answers_with_its_exit_code(settings):
    done = flask_process(environment_of(settings), "doctor", "--json")
    assert done.returncode in {1, 2}, done.stderr
    assert json.loads(done.stdout)["exit_code"] == done.returncode
