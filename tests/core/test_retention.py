"""What grows is swept: each table by its job, after its time, along an index; nothing else goes."""

import re
from datetime import timedelta

import pytest

from app.config import Settings
from app.models import Base
from app.sweeps import Sweeps
from app.work.service import KEPT_DAYS

GROWING = {
    # table: its job, and the column that it is swept by
    "throttle_counters": ("throttle.sweep", "expires_at"),
    "idempotency_records": ("idempotency.sweep", "expires_at"),
    "events": ("events.sweep", "created_at"),
    "audit_events": ("audit.sweep", "created_at"),
    "access_changes": ("access_changes.sweep", "created_at"),
    "sessions": ("sessions.sweep", "expires_at"),
    "registrations": ("registrations.sweep", "expires_at"),
    "mfa_challenges": ("mfa_challenges.sweep", "expires_at"),
    "password_resets": ("passwords.sweep", "expires_at"),
    "email_changes": ("email_changes.sweep", "cancel_until"),
    "passkey_challenges": ("passkeys.sweep", "expires_at"),
    "projects": ("projects.purge_trash", "deleted_at"),
    "api_tokens": ("api_tokens.sweep", "expires_at"),
    "account_deletions": ("accounts.purge", "due_at"),
    "exports": ("exports.sweep", "expires_at"),
    "invitations": ("invitations.sweep", "ended_at"),
    "work_items": ("work.sweep", "created_at"),
    "files": ("files.purge_trash", "deleted_at"),
    "uploads": ("uploads.sweep", "expires_at"),
    "doomed_objects": ("objects.sweep", "due_at"),
}
BOUNDED = {
    "users": "one row a person",
    "project_members": "goes with its project or its person",
    "system_state": "one row",
    "totp_factors": "one row an account at most",
    "recovery_codes": "ten rows an account at most",
    "passkeys": "nine rows an account at most",
    "export_parts": "goes with its export",
    "file_previews": "goes with its file",
    "upload_segments": "goes with its upload",
    "project_storage": "one row a project at most",
}
OTHERS = ("jobs.sweep", "files.rescue", "storage.sweep")
"""Of the queue, of what waits for the worker, and of the storage itself."""
ROWS = {
    # job: how a row of a certain age is made, and the setting or the days that say how old it may get
    "throttle.sweep": (
        "throttle_counters",
        "INSERT INTO throttle_counters (key, hits, expires_at) VALUES (%(word)s::bytea, 1, %(at)s)",
        None,
    ),
    "idempotency.sweep": (
        "idempotency_records",
        (
            "INSERT INTO idempotency_records (account_id, operation, key, fingerprint, status, headers, body, expires_at)"
            " VALUES (%(user)s, 'createProject', %(word)s, '', 201, '{}', '', %(at)s)"
        ),
        None,
    ),
    "events.sweep": (
        "events",
        "INSERT INTO events (kind, subject_id, changes, created_at) VALUES (%(word)s, %(user)s, '{}', %(at)s)",
        "event_retention_days",
    ),
    "audit.sweep": (
        "audit_events",
        "INSERT INTO audit_events (id, kind, data, created_at) VALUES (gen_random_uuid(), %(word)s, '{}', %(at)s)",
        "audit_retention_days",
    ),
    "sessions.sweep": (
        "sessions",
        (
            "INSERT INTO sessions (id, user_id, mac_key, counter, seen_generation, min_generation, auth_epoch, transport,"
            " user_agent, authenticated_at, rotated_at, created_at, last_used_at, idle_expires_at, expires_at)"
            " VALUES (gen_random_uuid(), %(user)s, '', 1, 1, 1, 1, 'body', %(word)s, %(at)s, %(at)s, %(at)s, %(at)s, %(at)s,"
            " %(at)s)"
        ),
        "session_retention_days",
    ),
    "registrations.sweep": (
        "registrations",
        (
            "INSERT INTO registrations (id, email, email_key, password_hash, display_name, key_id, mails, code_expires_at,"
            " expires_at, created_at)"
            " VALUES (gen_random_uuid(), %(word)s, %(word)s, '', '', 'k1', 1, %(at)s, %(at)s, %(at)s)"
        ),
        None,
    ),
    "mfa_challenges.sweep": (
        "mfa_challenges",
        (
            "INSERT INTO mfa_challenges (id, user_id, password_mark, tries, expires_at, created_at)"
            " VALUES (gen_random_uuid(), %(user)s, %(word)s::bytea, 0, %(at)s, %(at)s)"
        ),
        None,
    ),
    "passwords.sweep": (
        "password_resets",
        (
            "INSERT INTO password_resets (id, user_id, key_id, mails, device, code_expires_at, expires_at, created_at)"
            " VALUES (gen_random_uuid(), %(user)s, 'k1', 1, %(word)s, %(at)s, %(at)s, %(at)s)"
        ),
        None,
    ),
    "email_changes.sweep": (
        "email_changes",
        (
            "INSERT INTO email_changes (id, user_id, new_email, old_email, key_id, mails, device, code_expires_at,"
            " expires_at, cancel_until, created_at)"
            " VALUES (gen_random_uuid(), %(user)s, '', '', 'k1', 1, %(word)s, %(at)s, %(at)s, %(at)s, %(at)s)"
        ),
        None,
    ),
}
ROWS["passkeys.sweep"] = (
    "passkey_challenges",
    (
        "INSERT INTO passkey_challenges (token_digest, challenge, purpose, expires_at)"
        " VALUES (%(word)s::bytea, %(word)s::bytea, 'sign_in', %(at)s)"
    ),
    None,
)
ROWS["invitations.sweep"] = (
    "invitations",
    (
        "WITH made AS (INSERT INTO projects (id, owner_id, name, status, version, created_at, updated_at)"
        " VALUES (gen_random_uuid(), %(user)s, 'Reef survey', 'active', 1, %(at)s, %(at)s) RETURNING id)"
        " INSERT INTO invitations (id, project_id, email, email_key, role, key_id, mails, created_at, expires_at)"
        " SELECT gen_random_uuid(), id, %(word)s, %(word)s, 'viewer', 'k1', 1, %(at)s, %(at)s FROM made"
    ),
    "invitation_retention_days",
)
ROWS["work.sweep"] = (
    "work_items",
    (
        "INSERT INTO work_items (id, user_id, kind, state, done, created_at, updated_at)"
        " VALUES (gen_random_uuid(), %(user)s, %(word)s, 'queued', 0, %(at)s, %(at)s)"
    ),
    KEPT_DAYS,
)
PROJECT = (
    "WITH made AS (INSERT INTO projects (id, owner_id, name, status, version, created_at, updated_at)"
    " VALUES (gen_random_uuid(), %(user)s, 'Reef survey', 'active', 1, %(at)s, %(at)s) RETURNING id)"
)
ROWS["uploads.sweep"] = (
    "uploads",
    (
        f"{PROJECT} INSERT INTO uploads (id, project_id, user_id, kind, name, size, reserved, received, created_at, expires_at)"
        " SELECT gen_random_uuid(), id, %(user)s, 'resumable', %(word)s, 1, 0, 0, %(at)s, %(at)s FROM made"
    ),
    None,
)
ROWS["objects.sweep"] = (
    "doomed_objects",
    "INSERT INTO doomed_objects (object_key, due_at) VALUES (%(word)s, %(at)s)",
    None,
)
ROWS["access_changes.sweep"] = (
    "access_changes",
    "INSERT INTO access_changes (subject, created_at) VALUES (md5(%(word)s)::uuid, %(at)s)",
    1,
)
WORD = {
    "access_changes": "CASE subject WHEN md5('old')::uuid THEN 'old' ELSE 'young' END",
    "uploads": "name",
    "doomed_objects": "object_key",
    "work_items": "kind",
    "invitations": "email",
    "passkey_challenges": "convert_from(challenge, 'UTF8')",
    "password_resets": "device",
    "email_changes": "device",
    "throttle_counters": "convert_from(key, 'UTF8')",
    "mfa_challenges": "convert_from(password_mark, 'UTF8')",
    "idempotency_records": "key",
    "events": "kind",
    "audit_events": "kind",
    "sessions": "user_agent",
    "registrations": "email",
}
NAMED = re.compile(r"``([^`]+)``")


def told_about(table):
    """What the docstrings of the model and of its module say."""
    [model] = [mapper.class_ for mapper in Base.registry.mappers if mapper.local_table.name == table]
    import sys

    return f"{sys.modules[model.__module__].__doc__} {model.__doc__}"


@pytest.fixture
def sweep(parts, run_jobs):
    """``sweep("events.sweep")``: the job itself, by the worker."""

    def run(name):
        parts.jobs.defer_now(name)
        run_jobs()

    return run


@pytest.mark.parametrize("job", ROWS)
def test_a_sweep_takes_what_is_old_enough_and_leaves_the_rest(alice, parts, sql, sweep, job):
    table, insert, setting = ROWS[job]
    days = setting or 0 if not isinstance(setting, str) else getattr(parts.settings, setting)
    limit = parts.clock.now() - timedelta(days=days)
    for word, moment in (("old", limit - timedelta(minutes=1)), ("young", limit + timedelta(hours=1))):
        sql(insert, {"word": word, "at": moment, "user": str(alice.user.id)})
    others = counts(sql, without=table)
    sweep(job)
    words = {row[0] for row in sql(f"SELECT {WORD[table]} FROM {table}")}
    assert "young" in words
    assert "old" not in words
    assert counts(sql, without=table) == others


def counts(sql, without):
    return {table: sql(f"SELECT count(*) FROM {table}") for table in Base.metadata.tables if table != without}


def test_a_revoked_session_goes_its_days_after_the_end_and_not_before(alice, bob, sql, sweep, advance, parts):
    alice.delete(f"/auth/sessions/{alice.session_id}")
    days = parts.settings.session_retention_days
    for ahead, expected in ((timedelta(days=days, hours=-1), 2), (timedelta(hours=2), 1)):
        advance(seconds=int(ahead.total_seconds()))
        sweep("sessions.sweep")
        assert len(sql("SELECT id FROM sessions")) == expected
    assert sql("SELECT id FROM sessions") == [(str(bob.session_id),)]


def test_failed_jobs_are_swept_by_the_worker_itself(sql, sweep):
    sql(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('default', 'test.gone', 'failed')"
    )
    sql("INSERT INTO procrastinate_events (job_id, type, at)"
        " SELECT id, 'failed', clock_timestamp() - interval '8 days' FROM procrastinate_jobs")  # fmt: skip
    sql("DELETE FROM procrastinate_events WHERE type <> 'failed'")
    sweep("jobs.sweep")
    assert sql("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'test.gone'") == [(0,)]


def test_every_table_is_swept_or_cannot_grow():
    told, known = set(GROWING) | set(BOUNDED), set(Base.metadata.tables)
    assert told == known, (
        f"say of {sorted(told ^ known)} in GROWING how it is swept, or in BOUNDED why it need not be"
    )
    assert {job for job, _column in GROWING.values()} | set(OTHERS) == set(Sweeps.NAMES) | {
        "uploads.sweep",
        "objects.sweep",
    }


def test_every_sweep_runs_by_itself_each_hour(parts):
    periodic = {
        task.task.name: task.cron for task in parts.jobs.app.periodic_registry.periodic_tasks.values()
    }
    for name in Sweeps.NAMES:
        minute, *rest = periodic[name].split()
        assert 0 <= int(minute) < 60
        assert rest == ["*"] * 4


@pytest.mark.parametrize("table", GROWING)
def test_the_model_names_its_job_and_its_setting(table):
    """Whoever reads the model learns how long a row lives and who ends it; every name is a real one."""
    job, _column = GROWING[table]
    words = NAMED.findall(told_about(table))
    assert job in words
    jobs = [word for word in words if re.fullmatch(r"[a-z]+\.[a-z_]+", word)]
    assert set(jobs) <= set(Sweeps.NAMES) | set(Sweeps.EVERY_MINUTE)
    known = {name.upper() for name in Settings.model_fields}
    assert {word for word in words if re.fullmatch(r"[A-Z][A-Z_]+", word)} <= known
    indexes = {index.name for index in Base.metadata.tables[table].indexes}
    assert {word for word in words if word.startswith("ix_")} <= indexes


@pytest.mark.parametrize("table", GROWING)
def test_a_sweep_has_an_index_to_go_along(table):
    _job, column = GROWING[table]
    indexes = Base.metadata.tables[table].indexes
    # Of one on an expression the name says what it is on.
    firsts = {next(iter(index.columns)).name for index in indexes if index.columns}
    assert column in firsts or f"ix_{table}_{column}" in {index.name for index in indexes}


@pytest.mark.parametrize("setting", ["event", "audit", "session"])
def test_how_long_is_a_setting_with_bounds(setting):
    field = Settings.model_fields[f"{setting}_retention_days"]
    assert field.default
    assert {type(bound).__name__ for bound in field.metadata} == {"Ge", "Le"}
