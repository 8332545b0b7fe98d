"""The rows that tell what happened: what stands in them, in which transaction, for how long."""

# ruff: noqa: PT012 - the blocks under test have more than one line

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.core.events import Event, EventKind
from app.core.ids import new_id
from app.core.telemetry import request_id


def test_a_row_says_what_who_to_what_and_when(events, uow, parts):
    actor, subject, project = new_id(), new_id(), new_id()
    changes = {"name": {"before": None, "after": "Äpfel 😀"}}
    token = request_id.set("request-number-1")
    with uow:
        events.record(
            EventKind.project_updated, subject=subject, actor=actor, project=project, changes=changes
        )
    request_id.reset(token)
    with uow.reading():
        session = uow.session
        row = session.execute(select(Event)).scalar_one()
    assert (row.kind, row.actor_id, row.subject_id, row.project_id) == (
        "project.updated",
        actor,
        subject,
        project,
    )
    assert row.changes == changes
    assert row.request_id == "request-number-1"
    assert timedelta(0) <= parts.clock.now() - row.created_at < timedelta(seconds=30)


def test_a_row_is_gone_with_its_transaction(events, uow, sql):
    with pytest.raises(ZeroDivisionError), uow:
        events.record(EventKind.user_created, subject=new_id(), actor=None)
        uow.session.flush()
        1 / 0  # noqa: B018 - it raises
    assert sql("SELECT count(*) FROM events") == [(0,)]


def test_rows_of_one_transaction_carry_its_number_in_order(events, uow, sql):
    """The change feed needs it: ``seq`` is not the order of commits."""
    for kinds in ([EventKind.user_created, EventKind.user_updated], [EventKind.project_created]):
        with uow:
            for kind in kinds:
                events.record(kind, subject=new_id(), actor=None)
                uow.session.flush()
            current = (
                uow.session.connection().exec_driver_sql("SELECT pg_current_xact_id()::text").scalar_one()
            )
        assert sql("SELECT kind FROM events WHERE xid::text = %s ORDER BY seq", (current,)) == [
            (kind.value,) for kind in kinds
        ]


def test_a_late_committer_has_the_smaller_number(events, uow, sql, elsewhere):
    """Its ``seq`` is smaller though it becomes visible later: a reader by ``seq`` alone would step over it."""

    def other():
        with uow:
            events.record(EventKind.user_updated, subject=new_id(), actor=None)

    with uow:
        events.record(EventKind.user_created, subject=new_id(), actor=None)
        uow.session.execute(text("SELECT 'and what was recorded goes ahead of it'"))
        elsewhere(other)
        assert sql("SELECT kind FROM events") == [("user.updated",)]
    assert sql("SELECT kind, rank() OVER (ORDER BY xid) FROM events ORDER BY seq") == [
        ("user.created", 1), ("user.updated", 2),
    ]  # fmt: skip


def test_kinds_are_short_and_of_one_form():
    for kind in EventKind:
        subject, _, verb = kind.value.partition(".")
        assert subject in {"user", "registration", "session", "project", "member", "invitation", "file"}
        assert verb
        assert len(kind.value) <= 40


def test_the_sweep_takes_what_is_older_and_nothing_else(events, uow, parts, advance, sql):
    with uow:
        events.record(EventKind.user_created, subject=new_id(), actor=None)
    advance(days=10)
    with uow:
        events.record(EventKind.user_updated, subject=new_id(), actor=None)
    with uow:
        assert events.sweep(parts.clock.now() - timedelta(days=5)) == 1
    assert sql("SELECT kind FROM events") == [("user.updated",)]
