"""Registering: asking for an account, and proving that the address is one's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.access import Client
from app.core.address import network, truncated
from app.core.audit import AuditKind
from app.core.clock import Clock
from app.core.errors import AppError, Code, FieldCode, FieldFault
from app.core.events import EventKind, Events
from app.core.ids import new_id
from app.core.jobs import JobQueue
from app.core.mail_codes import MailCodes
from app.core.password_policy import PasswordPolicy
from app.core.passwords import PasswordHasher
from app.core.throttle import Budget, RateLimitedError, Throttle
from app.core.uow import UnitOfWork
from app.invitations.service import InvitationService
from app.registration.models import Registration
from app.registration.repository import RegistrationRepository
from app.sessions.grants import Grants, SignedIn
from app.sessions.models import Transport
from app.sessions.service import SessionService
from app.users.emails import email_key
from app.users.notices import SecurityNotices
from app.users.service import UserService

SEND_VERIFICATION = "registration.send_verification"
SEND_RESET = "passwords.send_reset"
"""Handled by the passwords feature, which stands above this one."""
RESEND_AFTER = 60
CODE_TRIES = 5


@dataclass(frozen=True)
class RegistrationBudgets:
    """Registrations of one network, mails to one address, wrong codes of one network, tries of one code."""

    address: Budget
    mail: Budget
    verify: Budget
    code: Budget


@dataclass(frozen=True)
class RegistrationRules:
    hours: int
    code_minutes: int


class RegistrationService:
    """Answers the same, at the same cost, whether or not an address is known (SEC-11, SEC-12)."""

    def __init__(
        self,
        uow: UnitOfWork,
        registrations: RegistrationRepository,
        users: UserService,
        sessions: SessionService,
        grants: Grants,
        hasher: PasswordHasher,
        policy: PasswordPolicy,
        codes: MailCodes,
        throttle: Throttle,
        budgets: RegistrationBudgets,
        rules: RegistrationRules,
        notices: SecurityNotices,
        invitations: InvitationService,
        events: Events,
        jobs: JobQueue,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._registrations = registrations
        self._users = users
        self._sessions = sessions
        self._grants = grants
        self._hasher = hasher
        self._policy = policy
        self._codes = codes
        self._throttle = throttle
        self._budgets = budgets
        self._rules = rules
        self._notices = notices
        self._invitations = invitations
        self._events = events
        self._jobs = jobs
        self._clock = clock

    def register(self, *, email: str, password: str, display_name: str, client: Client) -> int:
        """Note the wish and send a mail; the answer is in how many seconds asking for another makes sense.

        Raises:
            AppError: ``validation_failed`` for a weak password, ``rate_limited``, ``overloaded``.
        """
        self._policy.demand(password, email=email, display_name=display_name)
        self._spend(self._budgets.address, email, client)
        password_hash = self._hasher.hash(password)
        with self._uow:
            owner = self._users.find_by_email(email)
            registration = self._new(email, password_hash, display_name, client, answerable=owner is None)
            self._registrations.add(registration)
            self._registrations.flush()
            if owner:
                self._notices.record(AuditKind.registration_for_known_address, user=owner.id, client=client)
            else:
                self._jobs.defer(SEND_VERIFICATION, registration_id=str(registration.id), mail=1)
                self._notices.record(AuditKind.registration_requested, user=None, client=client)
            self._events.record(EventKind.registration_requested, subject=registration.id, actor=None)
            self._throttle.forget(self._budgets.code, email_key(email))
        return RESEND_AFTER

    def resend(self, *, email: str, client: Client) -> int:
        """Send a waiting registration of an address another mail with a new code; see ``register``."""
        self._spend(self._budgets.verify, email, client)
        with self._uow:
            owner = self._users.find_by_email(email)
            waiting = self._registrations.confirmable(email_key(email), self._clock.now())
            # Where there is nothing to renew the same statements are sent about a row that nobody has (SEC-12).
            meant = _meant_by(client, waiting) or new_id()
            mails = self._registrations.renew(meant, self._code_expiry())
            if owner:
                self._notices.record(AuditKind.verification_resent, user=owner.id, client=client)
            else:
                self._jobs.defer(SEND_VERIFICATION, registration_id=str(meant), mail=mails)
                self._notices.record(AuditKind.verification_resent, user=None, client=client)
            self._throttle.forget(self._budgets.code, email_key(email))
        return RESEND_AFTER

    def verify(self, proof: Mapping[str, Any], client: Client) -> SignedIn:
        """Confirm by whichever proof was sent.

        Args:
            proof: ``token_transport``, and either ``token`` or ``email`` and ``code``.

        Raises:
            AppError: ``invalid_code``, ``token_expired_or_used``, ``rate_limited``.
        """
        transport = Transport(proof["token_transport"])
        if "token" in proof:
            return self.verify_link(token=proof["token"], transport=transport, client=client)
        return self.verify_code(email=proof["email"], code=proof["code"], transport=transport, client=client)

    def verify_link(self, *, token: str, transport: Transport, client: Client) -> SignedIn:
        """Confirm by the link's token.

        Raises:
            AppError: ``token_expired_or_used``.
        """
        identifier = self._codes.read_link(token)
        with self._uow:
            found = self._registrations.find(identifier, lock=True) if identifier else None
            if found is None or not found.mails or found.expires_at <= self._clock.now():
                raise _expired()
            return self._accept(found, transport, client)

    def verify_code(self, *, email: str, code: str, transport: Transport, client: Client) -> SignedIn:
        """Confirm by address and six-digit code.

        Raises:
            AppError: ``invalid_code``, ``token_expired_or_used`` from the sixth try on, known address or not.
        """
        key = email_key(email)
        self._throttle.spend([(self._budgets.verify, network(client.address))])
        try:
            self._throttle.spend([(self._budgets.code, key)])
        except RateLimitedError:
            raise _expired() from None
        with self._uow:
            now = self._clock.now()
            waiting = self._registrations.confirmable(key, now)
            right = [
                each for each in waiting if each.code_expires_at > now and self._codes.matches(each, code)
            ]
            if right:
                self._throttle.forget(self._budgets.code, key)
                return self._accept(right[0], transport, client)
            self._notices.record(AuditKind.verification_failed, user=None, client=client)
        detail = "This code is not right, or it has expired."
        fault = FieldFault("code", FieldCode.invalid_format, detail)
        raise AppError(Code.invalid_code, detail, fields=[fault])

    def waiting_password(self, email: str) -> str | None:
        """The password hash of the newest unconfirmed registration of an address, for signing in to say so."""
        with self._uow.reading():
            return self._registrations.newest_password(email_key(email), self._clock.now())

    def forget_address(self, email: str) -> None:
        """Forget every attempt for an address, inside the caller's transaction: its account is erased."""
        with self._uow:
            self._registrations.delete_all(email_key(email))

    def sweep(self) -> int:
        with self._uow:
            return self._registrations.sweep(self._clock.now())

    def _accept(self, registration: Registration, transport: Transport, client: Client) -> SignedIn:
        """The proved attempt becomes the account; all others for the address are forgotten.

        While attempts from another network wait nobody can know whose mail was answered: the password may be that of
        a stranger, who hoped for this click. Then none counts, and the owner is sent a mail to set one (SEC-36).
        """
        contested = self._registrations.contested(registration, self._clock.now())
        user = self._users.create(
            email=registration.email,
            password_hash=None if contested else registration.password_hash,
            display_name=registration.display_name,
        )
        self._registrations.delete_all(registration.email_key)
        verified = self._notices.record(AuditKind.email_verified, user=user.id, actor=user.id, client=client)
        if contested:
            self._jobs.defer(SEND_RESET, user_id=str(user.id), audit_id=str(verified))
        self._invitations.welcome(user)
        session = self._sessions.open(user.id, transport, client)
        return self._grants.of_sign_in(session)

    def _new(
        self, email: str, password_hash: str, display_name: str, client: Client, *, answerable: bool
    ) -> Registration:
        """A known address gets a row too, one that nothing confirms: the same work for all (SEC-12)."""
        now = self._clock.now()
        return Registration(
            id=new_id(), email=email.strip(), email_key=email_key(email), password_hash=password_hash,
            display_name=display_name, device=client.device,
            ip=truncated(client.address), key_id=self._codes.key_id, mails=int(answerable),
            code_expires_at=self._code_expiry(), created_at=now,
            expires_at=now + timedelta(hours=self._rules.hours),
        )  # fmt: skip

    def _code_expiry(self) -> datetime:
        return self._clock.now() + timedelta(minutes=self._rules.code_minutes)

    def _spend(self, budget: Budget, email: str, client: Client) -> None:
        self._throttle.spend([(budget, network(client.address)), (self._budgets.mail, email_key(email))])


def _meant_by(client: Client, waiting: Sequence[Registration]) -> UUID | None:
    """The attempt that a client asks about: the last one made from its network, else the last one (SEC-36)."""
    own = [each for each in waiting if each.ip == truncated(client.address)]
    return next((each.id for each in (*own, *waiting)), None)


def _expired() -> AppError:
    detail = "This link or code has expired or was used. Ask for a new mail."
    return AppError(Code.token_expired_or_used, detail)
