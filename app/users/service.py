"""Accounts as rows: found, created, changed. What people do with them is told in registration, auth and account."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.access import AccountStatus, Actor, SiteRole
from app.core.clock import Clock
from app.core.errors import AppError, Code
from app.core.events import EventKind, Events
from app.core.ids import new_id
from app.core.uow import UnitOfWork
from app.core.versions import check_version
from app.users.emails import email_key
from app.users.models import User
from app.users.repository import UserRepository


class UserService:
    def __init__(self, uow: UnitOfWork, users: UserRepository, events: Events, clock: Clock) -> None:
        self._uow = uow
        self._users = users
        self._events = events
        self._clock = clock

    def find_by_email(self, email: str) -> User | None:
        with self._uow.reading():
            return self._users.by_email_key(email_key(email))

    def find(self, user_id: UUID) -> User | None:
        with self._uow.reading():
            return self._users.find(user_id)

    def get(self, user_id: UUID) -> User:
        """The account.

        Raises:
            AppError: ``not_found``.
        """
        with self._uow.reading():
            return self._users.require(user_id)

    def create(
        self, *, email: str, password_hash: str | None, display_name: str, role: SiteRole = SiteRole.user
    ) -> User:
        """A new account with a proved address.

        Raises:
            AppError: ``token_expired_or_used`` where the address has one already.
        """
        now = self._clock.now()
        with self._uow:
            user = self._users.add(
                User(
                    id=new_id(),
                    email=email.strip(),
                    email_key=email_key(email),
                    email_verified_at=now,
                    password_hash=password_hash,
                    display_name=display_name,
                    role=role.value,
                    status=AccountStatus.active.value,
                    mfa_enabled=False,
                    version=1,
                    created_at=now,
                    updated_at=now,
                )
            )
            self._users.flush()
            self._events.record(EventKind.user_created, subject=user.id, actor=user.id)
            return user

    def update_profile(
        self, actor: Actor, changes: Mapping[str, Any], expected: Collection[int] | None
    ) -> User:
        """Change the caller's own name, language or time zone.

        Raises:
            AppError: ``version_conflict``.
        """
        with self._uow:
            user = self._users.require(actor.user_id, lock=True)
            check_version(user, expected)
            told = user.apply(changes, self._clock.now())
            if told:
                self._events.record(
                    EventKind.user_updated, subject=user.id, actor=actor.user_id, changes=told
                )
            return user

    def set_factor(self, user_id: UUID, *, enabled: bool) -> None:
        """Note whether the account has a second factor, inside the caller's transaction.

        Sessions remember it: the caller tells them by ``SessionService.forget_facts``.
        """
        with self._uow:
            user = self._users.require(user_id, lock=True)
            if user.mfa_enabled != enabled:
                user.mfa_enabled = enabled
                user.updated_at = self._clock.now()

    def forget_devices(self, user_id: UUID) -> None:
        """Make strangers of all devices the account was signed in on: their device tokens are void (SEC-14)."""
        with self._uow:
            self._users.move_device_epoch(user_id)

    def require_unchanged(self, seen: User) -> None:
        """Lock the account and look that nothing about signing in changed since it was read.

        Raises:
            AppError: ``invalid_credentials`` when it did: the password that was checked may no longer be right.
        """
        with self._uow:
            user = self._users.find(seen.id, lock=True)
            if user is None or _proved_by(user) != _proved_by(seen):
                raise AppError(Code.invalid_credentials, "The address or the password is not right.")

    def hold(self, user_id: UUID) -> User | None:
        """The account, locked until the caller's transaction ends."""
        with self._uow:
            return self._users.find(user_id, lock=True)

    def active_administrators(self) -> int:
        """How many administrators can act; until the caller's transaction ends nobody else who asks gets an answer.

        Whoever takes one away (role, suspension, deletion) asks this first, before locking the account.
        """
        with self._uow:
            return self._users.active_administrators()

    def set_standing(self, user: User, becomes: Mapping[str, str], actor: Actor) -> dict[str, dict[str, Any]]:
        """Give a held account another role or status; the answer tells before and after of what differs.

        Sessions remember both: the caller ends or renews them.
        """
        with self._uow:
            told = user.apply(becomes, self._clock.now())
            if told:
                self._events.record(
                    EventKind.user_updated, subject=user.id, actor=actor.user_id, changes=told
                )
                self._users.flush()
            return told

    def set_leaving(self, user: User, due: datetime | None) -> None:
        """Schedule the deletion of a held account, or undo that with ``None``.

        Sessions and API tokens remember the status: the caller tells them.
        """
        with self._uow:
            leaving = AccountStatus.deletion_scheduled if due else AccountStatus.active
            user.status, user.deletion_scheduled_at = leaving.value, due
            user.updated_at = self._clock.now()
            self._users.flush()

    def erase(self, user: User) -> None:
        """Delete a held account with everything that belongs to it alone; its projects must be gone."""
        with self._uow:
            self._users.erase(user.id)

    def set_pending_email(self, user: User, address: str | None) -> None:
        """Show, or no longer show, the address that a held account shall have once it is proved."""
        with self._uow:
            if user.pending_email != address:
                user.pending_email = address
                user.updated_at = self._clock.now()

    def move(self, user: User, address: str) -> None:
        """Give a held account another, proved address; whatever was pending is no longer.

        Raises:
            AppError: ``token_expired_or_used`` where the address has an account.
        """
        with self._uow:
            user.email, user.email_key = address.strip(), email_key(address)
            user.email_verified_at = self._clock.now()
            user.pending_email = None
            user.updated_at = user.email_verified_at
            self._users.flush()

    def forget_password(self, user: User) -> None:
        """Leave a held account without a password; its owner sets one by mail."""
        with self._uow:
            user.password_hash = None
            self._users.flush()

    def store_password_hash(self, user_id: UUID, *, old: str | None, new: str) -> bool:
        """Replace a hash that was made at an old cost, unless the password changed meanwhile (SEC-04)."""
        with self._uow:
            return self._users.replace_password_hash(user_id, old, new)


def _proved_by(user: User) -> tuple[object, ...]:
    """What decides whether, and by what, one may sign in."""
    return user.password_hash, user.status, user.mfa_enabled
