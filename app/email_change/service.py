"""Changing the address of an account: asked for, proved by the new address, undone by the old one (SEC-35)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.api_tokens.service import ApiTokenService
from app.core.access import AccountStatus, Actor, Client
from app.core.address import network, truncated
from app.core.audit import AuditKind
from app.core.clock import Clock
from app.core.errors import AppError, Code, FieldCode, FieldFault, invalid
from app.core.events import EventKind, Events
from app.core.ids import new_id
from app.core.jobs import JobQueue
from app.core.mail_codes import MailCodes
from app.core.throttle import RateLimitedError, Throttle
from app.core.uow import UnitOfWork
from app.email_change.budgets import EmailChangeBudgets
from app.email_change.models import EmailChange
from app.email_change.repository import EmailChangeRepository
from app.passwords.service import PasswordService
from app.sessions.service import SessionService
from app.users.emails import email_key
from app.users.models import User
from app.users.notices import SecurityNotices
from app.users.service import UserService

MAIL_NEW = "email_changes.mail_new_address"
MAIL_OLD = "email_changes.mail_old_address"
RESEND_AFTER = 60
SWEPT_AT_ONCE = 500


@dataclass(frozen=True)
class EmailChangeRules:
    hours: int
    code_minutes: int
    cancel_hours: int


class EmailChangeService:
    """Args: codes: of confirming. cancels: makes and reads links of cancelling; its codes are not used."""

    def __init__(
        self,
        uow: UnitOfWork,
        changes: EmailChangeRepository,
        users: UserService,
        sessions: SessionService,
        passwords: PasswordService,
        api_tokens: ApiTokenService,
        notices: SecurityNotices,
        codes: MailCodes,
        cancels: MailCodes,
        throttle: Throttle,
        budgets: EmailChangeBudgets,
        rules: EmailChangeRules,
        events: Events,
        jobs: JobQueue,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._changes = changes
        self._users = users
        self._sessions = sessions
        self._passwords = passwords
        self._api_tokens = api_tokens
        self._notices = notices
        self._codes = codes
        self._cancels = cancels
        self._throttle = throttle
        self._budgets = budgets
        self._rules = rules
        self._events = events
        self._jobs = jobs
        self._clock = clock

    def request(self, actor: Actor, email: str, client: Client) -> int:
        """Note the wish, mail the new address and tell the old one; the answer is when asking again makes sense.

        A taken address is answered alike; its owner gets a mail instead.

        Raises:
            AppError: ``validation_failed`` for the address the account has, ``rate_limited``.
        """
        self._throttle.spend([
            (self._budgets.account, str(actor.user_id)),
            (self._budgets.address, network(client.address)),
            (self._budgets.mail, email_key(email)),
        ])  # fmt: skip
        with self._uow:
            user = self._held(actor.user_id)
            if email.strip() == user.email:
                raise invalid(
                    "email", FieldCode.invalid_choice, "This is the address of your account already."
                )
            owner = self._users.find_by_email(email)
            taken = owner is not None and owner.id != user.id
            self._changes.void_waiting(user.id, self._clock.now())
            change = self._changes.add(self._new(user, email, client, answerable=not taken))
            self._changes.flush()
            self._users.set_pending_email(user, change.new_email)
            self._notices.record(AuditKind.email_change_requested, user=user.id, actor=user.id, client=client)
            if owner is not None and taken:
                self._notices.record(AuditKind.email_change_taken, user=owner.id, client=client)
            else:
                self._jobs.defer(MAIL_NEW, change_id=str(change.id))
            self._jobs.defer(MAIL_OLD, change_id=str(change.id), done=0)
        return RESEND_AFTER

    def withdraw(self, actor: Actor) -> None:
        """Give the wish up; without one this is fine too."""
        with self._uow:
            user = self._held(actor.user_id)
            if user.pending_email is not None:
                self._notices.record(AuditKind.email_change_cancelled, user=user.id, actor=user.id)
            self._give_up(user)

    def confirm(self, proof: Mapping[str, Any], actor: Callable[[], Actor | None], client: Client) -> None:
        """Make the new address the account's, by the mail's link, or by its code for whoever is signed in.

        Args:
            proof: ``token`` or ``code``.
            actor: who is signed in; asked for a code only, since a link needs nobody.

        Raises:
            AppError: ``token_expired_or_used``, ``invalid_code``, ``not_authenticated``, ``rate_limited``.
        """
        self._throttle.spend([(self._budgets.verify, network(client.address))])
        change = self._by_link(proof["token"]) if "token" in proof else self._by_code(proof["code"], actor())
        with self._uow:
            user = self._held(change.user_id)
            if user.status != AccountStatus.active or user.pending_email != change.new_email:
                raise _expired()
            taken_by = self._users.find_by_email(change.new_email)
            lost = taken_by is not None and taken_by.id != user.id
            if lost:
                self._give_up(user)
            else:
                self._move(user, change, client)
        if lost:
            raise _expired()

    def cancel(self, token: str, client: Client) -> None:
        """The old address objects: the change does not happen, or is undone and everybody signed out.

        Raises:
            AppError: ``token_expired_or_used``.
        """
        self._throttle.spend([(self._budgets.verify, network(client.address))])
        identifier = self._cancels.read_link(token)
        with self._uow:
            change = self._changes.find(identifier) if identifier else None
            if change is None:
                raise _too_late()
            user = self._held(change.user_id)
            now = self._clock.now()
            happened = email_key(user.email) != email_key(change.old_email) or user.email == change.new_email
            if not self._changes.cancel(change, now):
                raise _too_late()
            self._users.set_pending_email(user, None)
            if happened:
                self._undo(user, change, client)
            self._notices.record(AuditKind.email_change_cancelled, user=user.id, client=client)

    def sweep(self) -> int:
        """Forget what nobody confirmed or may cancel any more; the answer is how many rows went."""
        with self._uow:
            now = self._clock.now()
            for change in self._changes.expired(now, SWEPT_AT_ONCE):
                user = self._held(change.user_id)
                change.voided_at = now
                if user.pending_email == change.new_email and self._changes.waiting(user.id, now) is None:
                    self._users.set_pending_email(user, None)
            self._changes.flush()
            return self._changes.sweep(now)

    def _by_link(self, token: str) -> EmailChange:
        identifier = self._codes.read_link(token)
        with self._uow.reading():
            change = self._changes.find(identifier) if identifier else None
            if change is None:
                raise _expired()
            return change

    def _by_code(self, code: str, actor: Actor | None) -> EmailChange:
        if actor is None:
            raise AppError(Code.not_authenticated, "Sign in to confirm by code, or send the link's token.")
        try:
            self._throttle.spend([(self._budgets.code, str(actor.user_id))])
        except RateLimitedError:
            raise _expired() from None
        with self._uow:
            now = self._clock.now()
            change = self._changes.waiting(actor.user_id, now)
            sound = change is not None and change.mails > 0 and change.code_expires_at > now
            if change is not None and sound and self._codes.matches(change, code):
                self._throttle.forget(self._budgets.code, str(actor.user_id))
                return change
        detail = "This code is not right, or it has expired."
        fault = FieldFault("code", FieldCode.invalid_format, detail)
        raise AppError(Code.invalid_code, detail, fields=[fault])

    def _move(self, user: User, change: EmailChange, client: Client) -> None:
        """The one use of a request that still counts; the unique address decides between two accounts."""
        now = self._clock.now()
        until = now + timedelta(hours=self._rules.cancel_hours)
        if not self._changes.confirm(change.id, now, until):
            raise _expired()
        self._users.move(user, change.new_email)
        self._passwords.void_resets(user.id)
        self._notices.record(AuditKind.email_changed, user=user.id, actor=user.id, client=client)
        self._events.record(EventKind.user_email_changed, subject=user.id, actor=user.id)
        self._jobs.defer(MAIL_OLD, change_id=str(change.id), done=1)

    def _undo(self, user: User, change: EmailChange, client: Client) -> None:
        """Whoever changed the address was not its owner: nothing they know or made opens the account any more.

        They lose the address, their sessions, API tokens and reset mails, and the password that they know or set: with
        it they would change the address again before its owner has chosen another one. Factors stay: an old mailbox
        alone must not take one off.
        """
        self._users.move(user, change.old_email)
        self._users.forget_password(user)
        self._api_tokens.revoke_all(user.id, client)
        self._passwords.void_resets(user.id)
        self._sessions.end_all(user.id, "email_change_cancelled")
        self._users.forget_devices(user.id)
        self._events.record(EventKind.user_email_changed, subject=user.id, actor=None)

    def _give_up(self, user: User) -> None:
        self._changes.void_waiting(user.id, self._clock.now())
        self._users.set_pending_email(user, None)

    def _new(self, user: User, email: str, client: Client, *, answerable: bool) -> EmailChange:
        now = self._clock.now()
        self._throttle.forget(self._budgets.code, str(user.id))
        return EmailChange(
            id=new_id(), user_id=user.id, new_email=email.strip(), old_email=user.email,
            key_id=self._codes.key_id, mails=int(answerable), device=client.device, ip=truncated(client.address),
            code_expires_at=now + timedelta(minutes=self._rules.code_minutes),
            expires_at=now + timedelta(hours=self._rules.hours),
            cancel_until=now + timedelta(hours=self._rules.cancel_hours), created_at=now,
        )  # fmt: skip

    def _held(self, user_id: UUID) -> User:
        user = self._users.hold(user_id)
        if user is None:
            raise _expired()
        return user


def _expired() -> AppError:
    detail = "This link or code has expired or was used. Ask for a new mail."
    return AppError(Code.token_expired_or_used, detail)


def _too_late() -> AppError:
    """Of the link to the old address: there is no other mail to ask for."""
    detail = "This link has expired or was used, or the change it speaks of was given up."
    return AppError(Code.token_expired_or_used, detail)
