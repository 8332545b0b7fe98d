"""Sessions: opened by a sign-in, listed, ended one by one or all at once."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from app.core.access import Actor, Client
from app.core.access_watch import AccessWatch
from app.core.address import truncated
from app.core.audit import AuditKind, AuditTrail
from app.core.clock import Clock
from app.core.errors import AppError, Code, not_found
from app.core.events import EventKind, Events
from app.core.ids import new_id
from app.core.pagination import Page
from app.core.system import SystemRepository
from app.core.uow import UnitOfWork
from app.sessions import policy
from app.sessions.lifetimes import Lifetimes
from app.sessions.models import Session, Transport
from app.sessions.repository import SessionRepository


class SessionService:
    """Args: lifetimes: idle and absolute, by transport. most: live sessions per account; the oldest gives way."""

    def __init__(
        self,
        uow: UnitOfWork,
        sessions: SessionRepository,
        system: SystemRepository,
        watch: AccessWatch,
        audit: AuditTrail,
        events: Events,
        clock: Clock,
        lifetimes: Lifetimes,
        most: int,
    ) -> None:
        self._uow = uow
        self._sessions = sessions
        self._system = system
        self._watch = watch
        self._audit = audit
        self._events = events
        self._clock = clock
        self._lifetimes = lifetimes
        self._most = most

    def open(self, user_id: UUID, transport: Transport, client: Client, *, factor: bool = False) -> Session:
        """A new session of an account that just proved itself, inside the caller's transaction.

        Args:
            factor: whether a second factor or a passkey was part of the proof.
        """
        with self._uow:
            now = self._clock.now()
            epoch = self._system.auth_epoch()
            for old in self._sessions.live(user_id, now, epoch)[self._most - 1 :]:
                self._end(old, "evicted")
                self._audit.record(AuditKind.sessions_evicted, user=user_id, client=client)
            absolute = now + self._lifetimes.absolute(transport)
            session = Session(
                id=new_id(), user_id=user_id, mac_key=secrets.token_bytes(32), counter=1, seen_generation=0,
                min_generation=1, auth_epoch=epoch, transport=transport.value, device_name=client.device,
                user_agent=client.user_agent, ip=truncated(client.address), authenticated_at=now,
                factor_at=now if factor else None, rotated_at=now,
                created_at=now, last_used_at=now, expires_at=absolute,
                idle_expires_at=min(now + self._lifetimes.idle(transport), absolute),
            )  # fmt: skip
            self._sessions.add(session)
            self._sessions.flush()
            self._events.record(EventKind.user_signed_in, subject=user_id, actor=user_id)
            return session

    def list_own(self, actor: Actor) -> Page[Session]:
        """The caller's live sessions, the last used first; at most as many as an account may have."""
        with self._uow.reading():
            live = self._sessions.live(actor.user_id, self._clock.now(), self._system.auth_epoch())
            return Page(live, next_cursor=None, has_more=False)

    def all_of(self, user_id: UUID) -> list[Session]:
        """Every session of an account that is still kept, ended ones too, the newest first; for its owner's export."""
        with self._uow.reading():
            return self._sessions.all_of(user_id)

    def revoke(self, actor: Actor, session_id: UUID) -> None:
        """End one of the caller's sessions; ending an ended one is fine.

        Raises:
            AppError: ``not_found`` for a session of somebody else too.
        """
        with self._uow:
            session = self._sessions.require(session_id, lock=True)
            if not policy.can_end(actor, session):
                raise not_found("session")
            if session.revoked_at is None:
                self._end(session, "revoked")
                self._audit.record(AuditKind.session_revoked, user=actor.user_id, actor=actor.user_id)

    def revoke_others(self, actor: Actor) -> None:
        """End all of the caller's sessions but the one that asks."""
        with self._uow:
            self.end_all(actor.user_id, "revoked", but=actor.session_id)
            self._audit.record(AuditKind.sessions_revoked_others, user=actor.user_id, actor=actor.user_id)

    def prove(self, actor: Actor, *, factor: bool) -> Session:
        """Note a fresh proof of identity, inside the caller's transaction; make new tokens of the answer (SEC-26).

        Raises:
            AppError: ``session_revoked`` when the session ended meanwhile.
        """
        with self._uow:
            session = self._own(actor)
            session.prove(self._clock.now(), factor=factor)
            self._forget(session)
            return session

    def renew_all(self, user_id: UUID) -> None:
        """End the access tokens of an account, not its sessions: what they say of it changed (its role)."""
        with self._uow:
            for session in self._live(user_id):
                session.renew(self._clock.now())
                self._forget(session)

    def end_all(self, user_id: UUID, reason: str, *, but: UUID | None = None) -> int:
        """End every session of an account, inside the caller's transaction; the answer is how many ended.

        Args:
            reason: a word for the row, at most 30 characters.
            but: the session that stays.
        """
        with self._uow:
            ending = [session for session in self._live(user_id) if session.id != but]
            for session in ending:
                self._end(session, reason)
            return len(ending)

    def forget_facts(self, user_id: UUID) -> None:
        """The account's status changed: what is remembered of its sessions is read again."""
        with self._uow:
            self._watch.after_commit(user_id)

    def opened_since(self, user_id: UUID, moment: datetime) -> bool:
        """Whether anybody signed in to the account after that moment (SEC-34)."""
        with self._uow.reading():
            return self._sessions.opened_since(user_id, moment)

    def sign_out(self, session_id: UUID, client: Client) -> None:
        """End a session whose token was proved by the caller; an unknown or ended one is fine."""
        with self._uow:
            session = self._sessions.find(session_id, lock=True)
            if session is not None and session.revoked_at is None:
                self._end(session, "signed_out")
                self._audit.record(
                    AuditKind.session_signed_out, user=session.user_id, actor=session.user_id, client=client
                )

    def revoke_all(self) -> int:
        """End every session of everybody by moving the epoch; the answer is the new epoch."""
        with self._uow:
            epoch = self._system.move_auth_epoch()
            self._watch.after_commit(None)
            self._audit.record(AuditKind.epoch_moved, user=None, data={"epoch": epoch})
            return epoch

    def end_reused(self, session: Session, client: Client) -> None:
        """End a session one of whose refresh tokens was used twice, inside the caller's transaction."""
        self._end(session, "reused")
        self._audit.record(AuditKind.refresh_reused, user=session.user_id, client=client)

    def sweep(self, keep_days: int) -> int:
        """Delete sessions that ended so many days ago; the answer is how many."""
        with self._uow:
            return self._sessions.sweep(self._clock.now() - timedelta(days=keep_days))

    def _end(self, session: Session, reason: str) -> None:
        session.revoke(self._clock.now(), reason)
        self._events.record(EventKind.session_revoked, subject=session.id, actor=session.user_id)
        self._forget(session)

    def _own(self, actor: Actor) -> Session:
        session = self._sessions.find(actor.session_id, lock=True)
        if session is None or session.revoked_at is not None:
            raise AppError(Code.session_revoked, "This session was ended. Sign in again.")
        return session

    def _live(self, user_id: UUID) -> list[Session]:
        return self._sessions.live(user_id, self._clock.now(), self._system.auth_epoch())

    def _forget(self, session: Session) -> None:
        self._watch.after_commit(session.id)
