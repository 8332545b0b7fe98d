"""Refreshing: exchanging a refresh token for its successor, also when twenty requests bring the same one."""

import random
import time
from dataclasses import dataclass
from uuid import UUID

from app.core.access import AccountStatus, Client
from app.core.address import network
from app.core.audit import AuditKind, AuditTrail
from app.core.clock import Clock
from app.core.errors import AppError, Code
from app.core.events import EventKind, Events
from app.core.jobs import JobQueue
from app.core.system import SystemRepository
from app.core.throttle import Budget, RateLimitedError, Throttle
from app.core.uow import UnitOfWork
from app.sessions.grants import Grants, SignedIn
from app.sessions.models import Session
from app.sessions.repository import SessionRepository
from app.sessions.rotation import Verdict, judge
from app.sessions.service import SessionService
from app.sessions.tokens import PresentedToken
from app.users.service import UserService

PATIENCE = 5.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.010, 0.030
REUSED_MAIL = "sessions.tell_reused"


@dataclass(frozen=True)
class RefreshBudgets:
    """Refreshes of one session, and refused ones of one network (offices share an address)."""

    session: Budget
    failures: Budget


class RefreshService:
    """Turns refresh tokens into fresh ones (SEC-18, SEC-19)."""

    def __init__(
        self,
        uow: UnitOfWork,
        repository: SessionRepository,
        sessions: SessionService,
        users: UserService,
        system: SystemRepository,
        grants: Grants,
        throttle: Throttle,
        budgets: RefreshBudgets,
        audit: AuditTrail,
        events: Events,
        jobs: JobQueue,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._repository = repository
        self._sessions = sessions
        self._users = users
        self._system = system
        self._grants = grants
        self._throttle = throttle
        self._budgets = budgets
        self._audit = audit
        self._events = events
        self._jobs = jobs
        self._clock = clock

    def refresh(self, token: str, client: Client) -> SignedIn:
        """The successor of a refresh token, with a new access token.

        Raises:
            AppError: ``refresh_invalid``, ``session_expired``, ``refresh_reused`` (the session has ended by then),
                ``rate_limited``, ``overloaded`` when the session stayed locked for five seconds.
        """
        try:
            presented = self._proved(token)
            session = self._exchange(presented, client)
        except RateLimitedError:
            raise
        except AppError as error:
            if error.code in {Code.refresh_invalid, Code.refresh_reused}:
                self._throttle.spend([(self._budgets.failures, network(client.address))])
            raise
        return self._grants.of(session)

    def session_of(self, token: str) -> UUID | None:
        """The session that a genuine token belongs to, live or not; for signing out."""
        try:
            return self._proved(token).session_id
        except AppError:
            return None

    def _proved(self, token: str) -> PresentedToken:
        presented = self._grants.tokens.read(token)
        with self._uow.reading():
            session = self._repository.find(presented.session_id) if presented else None
        if (
            presented is None
            or session is None
            or not self._grants.tokens.genuine(presented, session.mac_key)
        ):
            raise _invalid()
        return presented

    def _exchange(self, presented: PresentedToken, client: Client) -> Session:
        """Try for the row until it is free; each try is its own short transaction, so none waits on a connection."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with self._uow:
                session = self._repository.lock_if_free(presented.session_id)
                refusal = self._apply(session, presented, client) if session else None
            if session:
                break
            if time.monotonic() > deadline:
                raise AppError(Code.overloaded, "The session is busy. Try again.", retry_after=1)
            time.sleep(random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE))
        if refusal:
            raise refusal
        return session

    def _apply(self, session: Session, presented: PresentedToken, client: Client) -> AppError | None:
        """Change the locked row; a refusal is returned, not raised, because its mark must be committed."""
        now = self._clock.now()
        if session.revoked_at is not None:
            return _reused() if session.revoked_reason == "reused" else _invalid()
        user = self._users.find(session.user_id)
        if user is None or user.status == AccountStatus.suspended:
            return _invalid()
        if session.expired(now) or session.auth_epoch != self._system.auth_epoch():
            return AppError(Code.session_expired, "This session has ended. Sign in again.")
        spent = self._throttle.count(self._budgets.session, str(session.id))
        if spent.exceeded:
            return RateLimitedError(spent.budget, spent.reset)
        verdict = judge(session, presented.counter, now, self._grants.lifetimes.grace)
        if verdict is Verdict.reused:
            self._sessions.end_reused(session, client)
            self._jobs.defer(REUSED_MAIL, session_id=str(session.id))
            return _reused()
        if verdict is Verdict.move_forward:
            self._audit.record(AuditKind.refresh_restored, user=session.user_id, client=client)
            session.counter = presented.counter
        if verdict is not Verdict.repeat:
            session.rotate(now, self._grants.lifetimes.idle(session.transport))
            self._events.record(EventKind.session_refreshed, subject=session.id, actor=session.user_id)
        return None


def _invalid() -> AppError:
    return AppError(Code.refresh_invalid, "The refresh token is not valid. Sign in again.")


def _reused() -> AppError:
    detail = "This refresh token was used before, so the session was ended to be safe. Sign in again."
    return AppError(Code.refresh_reused, detail)
