"""What administrators ask for and are shown: accounts, lines of the trail, the figures of the site."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.audit import AuditKind
from app.users.models import User

NEWEST_FIRST, OLDEST_FIRST = "-created_at", "created_at"
SIGN_INS = {
    "succeeded": AuditKind.sign_in_succeeded,
    "failed": AuditKind.sign_in_failed,
    "second_step_failed": AuditKind.sign_in_second_step_failed,
    "throttled": AuditKind.sign_in_throttled,
}


@dataclass(frozen=True)
class AccountFilters:
    """What the list of accounts may be narrowed by; all that is set must hold."""

    q: str | None = None
    role: str | None = None
    status: Collection[str] = ()
    sort: str = NEWEST_FIRST


@dataclass(frozen=True)
class AuditFilters:
    """What the trail may be narrowed by; all that is set must hold."""

    kind: str | None = None
    user_id: UUID | None = None
    actor_id: UUID | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True)
class SessionFigures:
    """Attributes: live: how many can still be used. last_opened_at: the newest one on record, live or not."""

    live: int
    last_opened_at: datetime | None


class AccountDetail:
    """An account and what an administrator wants to know of it; the row's own columns are its attributes too."""

    def __init__(self, user: User, sessions: SessionFigures, factors: list[str]) -> None:
        self._user = user
        self.live_sessions = sessions.live
        self.last_signed_in_at = sessions.last_opened_at
        self.factors = factors

    def __getattr__(self, name: str) -> Any:
        return getattr(self._user, name)


Tally = Mapping[str, int | bool]
"""Rows by kind, and ``approximate`` where the table is so large that a sample was counted."""


@dataclass(frozen=True)
class Stats:
    """The figures of the site at a moment."""

    accounts: Tally
    projects: Tally
    sessions: Tally
    jobs: Mapping[str, int]
    sign_ins: Mapping[str, int]
    counted_at: datetime
