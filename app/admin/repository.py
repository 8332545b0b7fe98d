"""SQL of administration: it reads what other features keep, and writes nothing."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, func, select, tablesample, text

from app.admin.views import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    SIGN_INS,
    AccountFilters,
    AuditFilters,
    SessionFigures,
    Stats,
    Tally,
)
from app.core.access import AccountStatus, Actor
from app.core.audit import AuditEvent
from app.core.db import Base
from app.core.job_figures import FIGURES
from app.core.pagination import Cursors, Page, PageRequest, Sort, page_of, query_scope
from app.core.repository import Repository
from app.core.search import anywhere
from app.core.system import SystemState
from app.projects.models import Project, ProjectStatus
from app.sessions.models import Session
from app.users.emails import email_key
from app.users.models import User

EXACT = 500_000
"""Tables with more rows than this are counted by a sample: a page of figures must not read millions of rows."""
SAMPLED_ROWS = 100_000
# Keys of rows are made in the order of time (UUIDv7), and the primary key's index is there for every filter.
ACCOUNT_SORTS = {
    NEWEST_FIRST: Sort(User.id, True, UUID),
    OLDEST_FIRST: Sort(User.id, False, UUID),
}
AUDIT_SORT = Sort(AuditEvent.created_at, True, datetime.fromisoformat)


class AdminRepository(Repository[User]):
    model = User
    noun = "account"

    def accounts(
        self, actor: Actor, filters: AccountFilters, cursors: Cursors, request: PageRequest
    ) -> Page[User]:
        """One page of all accounts."""
        return page_of(
            self.session, select(User).where(*_of_accounts(filters)), sort=ACCOUNT_SORTS[filters.sort], key=User.id,
            cursors=cursors, scope=query_scope("users", actor.user_id, vars(filters)), request=request,
            make=lambda row: row[0],
        )  # fmt: skip

    def audit_events(
        self, actor: Actor, filters: AuditFilters, cursors: Cursors, request: PageRequest
    ) -> Page[AuditEvent]:
        """One page of the security trail, the newest first."""
        return page_of(
            self.session, select(AuditEvent).where(*_of_events(filters)), sort=AUDIT_SORT, key=AuditEvent.id,
            cursors=cursors, scope=query_scope("audit-events", actor.user_id, vars(filters)), request=request,
            make=lambda row: row[0],
        )  # fmt: skip

    def session_figures(self, user_id: UUID, now: datetime) -> SessionFigures:
        """Of one account; along the index of its sessions."""
        row = self.session.execute(
            select(func.count().filter(*_live(now)), func.max(Session.created_at))
            .join(SystemState, SystemState.id == 1)
            .where(Session.user_id == user_id)
        ).one()
        return SessionFigures(row[0], row[1])

    def stats(self, now: datetime) -> Stats:
        """Figures of the site; large tables are counted by a sample, so that asking stays cheap."""
        accounts, projects = self._tally(User, list(AccountStatus)), self._tally(Project, list(ProjectStatus))
        sessions, share = self._source(Session)
        live = select(func.count()).select_from(sessions).join(SystemState, SystemState.id == 1)
        found = self.session.execute(live.where(*_live(now, sessions.c))).scalar_one()
        return Stats(
            accounts=accounts,
            projects=projects,
            sessions={"live": _whole(found, share), "approximate": share < 1},
            jobs=dict(self.session.execute(FIGURES).mappings().one()),
            sign_ins=self._sign_ins(now - timedelta(days=1)),
            counted_at=now,
        )

    def _tally(self, model: type[Base], statuses: Collection[str]) -> Tally:
        rows, share = self._source(model)
        found = self.session.execute(select(rows.c.status, func.count()).group_by(rows.c.status)).all()
        counts = {str(status): 0 for status in statuses}
        return {**counts, **{row[0]: _whole(row[1], share) for row in found}, "approximate": share < 1}

    def _source(self, model: type[Base]) -> tuple[FromClause, float]:
        """The table, or some of its pages taken at random, and which share of the rows that is.

        How many rows there are is what PostgreSQL noted when it last analysed the table.
        """
        noted = (
            select(text("reltuples::bigint"))
            .select_from(text("pg_class"))
            .where(text("oid = to_regclass(:table)"))
        )
        rows = int(self.session.execute(noted, {"table": model.__tablename__}).scalar_one())
        if rows <= EXACT:
            return model.__table__, 1
        share = SAMPLED_ROWS / rows
        return tablesample(model.__table__, func.system(100 * share)), share

    def _sign_ins(self, since: datetime) -> dict[str, int]:
        """How often each outcome stands in the trail since then."""
        counted = (
            select(AuditEvent.kind, func.count())
            .where(
                AuditEvent.created_at >= since,
                AuditEvent.kind.in_([kind.value for kind in SIGN_INS.values()]),
            )
            .group_by(AuditEvent.kind)
        )
        found = {row[0]: row[1] for row in self.session.execute(counted)}
        return {outcome: found.get(kind.value, 0) for outcome, kind in SIGN_INS.items()}


def _whole(counted: int, share: float) -> int:
    return round(counted / share)


def _live(now: datetime, sessions: Any = Session) -> tuple[ColumnElement[bool], ...]:
    """As ``SessionRepository.live``, which is the rule; here beside ``system_state``."""
    return (
        sessions.revoked_at.is_(None),
        sessions.auth_epoch == SystemState.auth_epoch,
        sessions.expires_at > now,
        sessions.idle_expires_at > now,
    )


def _of_accounts(filters: AccountFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.q:
        by_name = func.lower(User.display_name).like(func.lower(anywhere(filters.q)))
        conditions.append(by_name | User.email_key.like(anywhere(email_key(filters.q))))
    if filters.role:
        conditions.append(User.role == filters.role)
    if filters.status:
        conditions.append(User.status.in_(list(filters.status)))
    return conditions


def _of_events(filters: AuditFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.kind:
        conditions.append(AuditEvent.kind == filters.kind)
    if filters.user_id:
        conditions.append(AuditEvent.user_id == filters.user_id)
    if filters.actor_id:
        conditions.append(AuditEvent.actor_id == filters.actor_id)
    if filters.created_after:
        conditions.append(AuditEvent.created_at >= filters.created_after)
    if filters.created_before:
        conditions.append(AuditEvent.created_at < filters.created_before)
    return conditions
