"""The security trail: written with the change, and then nobody's to touch (SEC-58)."""

# ruff: noqa: PT012 - the blocks under test have more than one line

from datetime import timedelta

import psycopg2
import pytest

from app.core.access import Client
from app.core.audit import AuditKind, AuditTrail
from app.core.ids import new_id
from app.core.telemetry import request_id


@pytest.fixture
def audit(parts):
    return parts.services[AuditTrail]


@pytest.fixture
def written(audit, uow):
    """One fresh row; its id."""
    with uow:
        return audit.record(AuditKind.sign_in_failed, user=new_id())


@pytest.fixture
def aged(sql):
    """``aged(days=800)``: a row of that age by the server's own clock."""

    def put(*, days):
        sql(
            "INSERT INTO audit_events (id, kind, data, created_at)"
            " VALUES (gen_random_uuid(), 'sign_in.failed', '{}', clock_timestamp() - %s::interval)",
            (f"{days} days",),
        )

    return put


@pytest.fixture
def count(sql):
    return lambda: sql("SELECT count(*) FROM audit_events")[0][0]


def test_a_row_says_what_whom_who_and_where_from(audit, uow):
    user, actor = new_id(), new_id()
    client = Client("203.0.113.7", "a browser", "a phone")
    token = request_id.set("request-number-1")
    with uow:
        identifier = audit.record(
            AuditKind.session_revoked, user=user, actor=actor, client=client, data={"sessions": 3}
        )
    request_id.reset(token)
    with uow.reading():
        row = audit.find(identifier)
    assert (row.kind, row.user_id, row.actor_id, row.data) == (
        "session.revoked",
        user,
        actor,
        {"sessions": 3},
    )
    assert (row.ip, row.device, row.request_id) == ("203.0.113.0", "a phone", "request-number-1")


def test_a_row_is_gone_with_its_transaction(audit, uow, count):
    with pytest.raises(ZeroDivisionError), uow:
        audit.record(AuditKind.sign_in_failed, user=None)
        uow.session.flush()
        1 / 0  # noqa: B018 - it raises
    assert count() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET kind = 'sign_in.succeeded'",
        "UPDATE audit_events SET data = '{}'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "ALTER TABLE audit_events OWNER TO CURRENT_USER",
        "DROP TABLE audit_events",
        "CREATE OR REPLACE FUNCTION purge_audit_events(before timestamptz) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION purge_audit_events(timestamptz)",
        "CREATE TABLE public.audit_events_of_mine ()",
        "SET ROLE pg_write_all_data",
    ],
)
def test_the_services_own_role_cannot_touch_what_was_written(connect, written, count, statement):
    """SQLSTATE 42501 for each way to rewrite history."""
    with pytest.raises(psycopg2.Error) as error:
        connect().cursor().execute(statement)
    assert error.value.pgcode == "42501"
    assert count() == 1


def test_the_services_own_role_cannot_give_itself_the_right(connect, written, count):
    """PostgreSQL says so in a warning only."""
    cursor = connect().cursor()
    cursor.execute("GRANT UPDATE, DELETE ON audit_events TO CURRENT_USER")
    assert "no privileges were granted" in cursor.connection.notices[-1]
    cursor.execute("SELECT has_table_privilege('audit_events', 'UPDATE, DELETE')")
    assert cursor.fetchone() == (False,)


def test_the_purge_takes_what_is_older(audit, uow, aged, parts, count):
    for days in (800, 731, 729, 40):
        aged(days=days)
    with uow:
        assert audit.sweep(parts.clock.now() - timedelta(days=730)) == 2
    assert count() == 2


def test_the_purge_refuses_fresh_rows_whatever_it_is_asked(audit, uow, aged, parts, written, count):
    """The service's role may call it, so it must not be a way to erase the last month."""
    for days in (32, 30):
        aged(days=days)
    with uow:
        assert audit.sweep(parts.clock.now() + timedelta(days=3650)) == 1
    assert count() == 2


def test_the_test_clock_does_not_help_either(audit, uow, parts, written, advance, count):
    advance(days=3650)
    with uow:
        assert audit.sweep(parts.clock.now()) == 0
    assert count() == 1


def test_nobody_but_owner_and_service_may_call_the_purge(sql, shared):
    roles, _template = shared
    [(grants,)] = sql("SELECT proacl::text FROM pg_proc WHERE proname = 'purge_audit_events'")
    holders = {entry.partition("=")[0] for entry in grants.strip("{}").split(",")}
    assert holders == {roles.owner.name, roles.app.name}


def test_the_purge_cannot_be_led_astray_by_a_search_path(sql):
    """SECURITY DEFINER with a path of the caller's choice would run the caller's tables."""
    [(definer, configuration)] = sql(
        "SELECT prosecdef, proconfig FROM pg_proc WHERE proname = 'purge_audit_events'"
    )
    assert definer is True
    assert configuration == ["search_path=pg_catalog, public"]


def test_kinds_are_short_and_of_one_form():
    assert all(len(kind.value) <= 40 and "." in kind.value for kind in AuditKind)
