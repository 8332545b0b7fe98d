"""SEC-20: whatever decides who a caller is, its change is noted with it, whoever makes it (migrations/versions/0018_access_changes.py)."""

import re

import pytest

from app.api_tokens import repository as token_rows
from app.sessions import repository as session_rows

PROGRESS = {"sessions.counter", "sessions.seen_generation", "api_tokens.last_used_at"}
"""What credentials leave behind by being used; it takes nothing from anybody."""
OTHER = {
    "role": "'admin'", "status": "'suspended'", "mfa_enabled": "NOT mfa_enabled", "digest": "'\\x00'", "scopes": "'{write}'",
    "auth_epoch": "auth_epoch + 1", "min_generation": "min_generation + 1", "counter": "counter + 1",
    "seen_generation": "seen_generation + 1",
}  # fmt: skip


def read_of(statement):
    """``table.column`` of all that a check of credentials reads, ids aside: those stay."""
    found = set(re.findall(r"\b\w+\.\w+", statement._sql))
    return {name for name in found if not name.endswith((".id", ".user_id"))}


FACTS = sorted(read_of(session_rows.FACTS) | read_of(token_rows.FACTS))


@pytest.mark.parametrize("column", [name for name in FACTS if name not in PROGRESS])
def test_a_change_of_all_that_is_read(alice, script, sql, column):
    script(alice)
    table, name = column.split(".")
    value = OTHER.get(name, "now() + interval '3 hours'")
    [(of_one, of_all)] = noted(sql, f"UPDATE {table} SET {name} = {value}")
    assert of_one or of_all, f"a trigger has to note that {column} was changed (a migration)"


@pytest.mark.parametrize("column", sorted(PROGRESS))
def test_nothing_where_a_credential_was_only_used(alice, script, sql, column):
    script(alice)
    table, name = column.split(".")
    assert noted(sql, f"UPDATE {table} SET {name} = {OTHER.get(name, 'now()')}") == [(0, 0)]


@pytest.mark.parametrize("table", ["sessions", "api_tokens"])
def test_that_it_is_somebody_else_s_now(alice, bob, script, sql, table):
    script(alice)
    assert noted(sql, f"UPDATE {table} SET user_id = '{bob.user.id}' WHERE user_id <> '{bob.user.id}'") == [
        (1, 0)
    ]


@pytest.mark.parametrize("table", ["users", "sessions", "api_tokens"])
def test_what_goes_and_could_still_be_used(alice, script, sql, table):
    made = script(alice).made["id"]
    key = {"users": alice.user.id, "sessions": alice.session_id, "api_tokens": made}[table]
    sql("DELETE FROM access_changes")
    sql(f"DELETE FROM {table} WHERE id = %s", (str(key),))
    assert (str(key),) in sql("SELECT subject FROM access_changes")


def test_nothing_where_what_has_ended_is_swept(alice, sql):
    sql("UPDATE sessions SET revoked_at = now()")
    assert noted(sql, "DELETE FROM sessions") == [(0, 0)]


def noted(sql, change):
    sql("DELETE FROM access_changes")
    sql(change)
    return sql("SELECT count(subject), count(*) - count(subject) FROM access_changes")


def test_nobody_needs_a_right_to_the_notes(alice, sql, database):
    """The release before runs on the new schema, and whoever was given an UPDATE of accounts goes on."""
    _name, roles = database
    sql(f"REVOKE ALL ON access_changes FROM {roles.app.name}")
    try:
        assert alice.delete(f"/auth/sessions/{alice.session_id}").status_code == 204
    finally:
        sql(f"GRANT SELECT, DELETE ON access_changes TO {roles.app.name}")
    assert (str(alice.session_id),) in sql("SELECT subject FROM access_changes")


def test_nobody_may_run_as_the_owner_but_for_what_was_meant(sql):
    """SEC-58: a function with the owner's rights is given to those who need it, never to everybody."""
    open_to_all = sql(
        "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
        " AND has_function_privilege('public', oid, 'EXECUTE')"
    )
    assert open_to_all == []
