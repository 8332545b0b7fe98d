"""A forgotten password: asking for a mail, and setting another password by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.auth.service import AuthService
from app.core.access import Client
from app.core.address import network, truncated
from app.core.audit import AuditKind, AuditTrail
from app.core.clock import Clock
from app.core.errors import AppError, Code, FieldCode, FieldFault
from app.core.ids import new_id
from app.core.jobs import JobQueue
from app.core.mail_codes import MailCodes
from app.core.password_policy import PasswordPolicy
from app.core.passwords import PasswordHasher
from app.core.throttle import RateLimitedError, Throttle
from app.core.uow import UnitOfWork
from app.passwords.budgets import ResetBudgets
from app.passwords.models import PasswordReset
from app.passwords.repository import PasswordResetRepository
from app.passwords.service import PasswordService
from app.sessions.service import SessionService
from app.users.emails import email_key
from app.users.models import User
from app.users.service import UserService

MAIL_RESET = "passwords.mail_reset"
RESEND_AFTER = 60


@dataclass(frozen=True)
class ResetRules:
    minutes: int
    code_minutes: int


class PasswordResets:
    """Asking answers the same, at the same cost, whether or not an address is known (SEC-11, SEC-12)."""

    def __init__(
        self,
        uow: UnitOfWork,
        resets: PasswordResetRepository,
        passwords: PasswordService,
        auth: AuthService,
        users: UserService,
        sessions: SessionService,
        hasher: PasswordHasher,
        policy: PasswordPolicy,
        codes: MailCodes,
        throttle: Throttle,
        budgets: ResetBudgets,
        rules: ResetRules,
        audit: AuditTrail,
        jobs: JobQueue,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._resets = resets
        self._passwords = passwords
        self._auth = auth
        self._users = users
        self._sessions = sessions
        self._hasher = hasher
        self._policy = policy
        self._codes = codes
        self._throttle = throttle
        self._budgets = budgets
        self._rules = rules
        self._audit = audit
        self._jobs = jobs
        self._clock = clock

    def request(self, email: str, client: Client) -> int:
        """Send the owner of the address a mail; the answer is in how many seconds asking again makes sense.

        An address that only waits to be confirmed gets nothing: there is no password to set yet.

        Raises:
            AppError: ``rate_limited``.
        """
        key = email_key(email)
        self._throttle.spend([(self._budgets.address, network(client.address)), (self._budgets.account, key)])
        with self._uow:
            user = self._users.find_by_email(email)
            known = user.id if user else None
            self._begin(known, client.device, truncated(client.address), first=False)
            asked = AuditKind.password_reset_requested if user else AuditKind.password_reset_unknown
            self._audit.record(asked, user=known, client=client)
            self._throttle.forget(self._budgets.code, key)
        return RESEND_AFTER

    def begin_first(self, user_id: UUID, told: UUID) -> None:
        """Let the owner of an account without a password choose one, by mail (SEC-36).

        Args:
            told: the row of the trail that knows where it came from.
        """
        with self._uow:
            user, event = self._users.find(user_id), self._audit.find(told)
            if user is not None and not user.has_password:
                device, place = (event.device, event.ip) if event else (None, None)
                self._begin(user.id, device, place, first=True)

    def reset(self, proof: Mapping[str, Any], client: Client) -> None:
        """Set another password by whichever proof was sent; ends all sessions, signs nobody in.

        Args:
            proof: ``password``, and either ``token`` or ``email`` and ``code``.

        Raises:
            AppError: ``invalid_code``, ``token_expired_or_used``, ``validation_failed`` for a weak password,
                ``rate_limited``, ``overloaded``.
        """
        password = proof["password"]
        self._throttle.spend([(self._budgets.verify, network(client.address))])
        # What can be said of the password alone is said first, so that it tells nothing about the account.
        self._policy.demand(password, email=proof.get("email", ""), display_name="")
        reset, user = (
            self._by_link(proof["token"])
            if "token" in proof
            else self._by_code(proof["email"], proof["code"], client)
        )
        self._policy.demand(password, email=user.email, display_name=user.display_name, look_up=False)
        new_hash = self._hasher.hash(password)
        with self._uow:
            held = self._users.hold(user.id)
            if held is None or not self._counts(reset) or not self._resets.use(reset.id, self._clock.now()):
                raise _expired()
            self._passwords.replace(held, new_hash, AuditKind.password_reset, client)
            self._auth.unlock(held.email)
            self._throttle.forget(self._budgets.code, email_key(held.email))

    def sweep(self) -> int:
        with self._uow:
            return self._resets.sweep(self._clock.now())

    def _begin(self, user_id: UUID | None, device: str | None, place: str | None, *, first: bool) -> None:
        """A new row and its mail; older ones are void. Nobody's row takes the same statements (SEC-12)."""
        now = self._clock.now()
        self._resets.void_all(user_id or new_id(), now)
        reset = self._resets.add(
            PasswordReset(
                id=new_id(), user_id=user_id, key_id=self._codes.key_id, mails=1, device=device, ip=place,
                code_expires_at=now + timedelta(minutes=self._rules.code_minutes),
                expires_at=now + timedelta(minutes=self._rules.minutes), created_at=now,
            )
        )  # fmt: skip
        self._resets.flush()
        self._jobs.defer(MAIL_RESET, reset_id=str(reset.id), first=int(first))

    def _by_link(self, token: str) -> tuple[PasswordReset, User]:
        identifier = self._codes.read_link(token)
        with self._uow.reading():
            reset = self._resets.live(identifier, self._clock.now()) if identifier else None
            user = self._users.find(reset.user_id) if reset and reset.user_id else None
            if reset is None or user is None or not self._counts(reset):
                raise _expired()
            return reset, user

    def _by_code(self, email: str, code: str, client: Client) -> tuple[PasswordReset, User]:
        key = email_key(email)
        try:
            self._throttle.spend([(self._budgets.code, key)])
        except RateLimitedError:
            raise _expired() from None
        with self._uow:
            now = self._clock.now()
            user = self._users.find_by_email(email)
            reset = self._resets.newest_live(user.id if user else new_id(), now)
            right = reset is not None and reset.code_expires_at > now and self._codes.matches(reset, code)
            if reset is not None and user is not None and right:
                # A right code may come again: with a better password, or because the answer was lost.
                self._throttle.forget(self._budgets.code, key)
                if not self._counts(reset):
                    raise _expired()
                return reset, user
            self._audit.record(AuditKind.password_reset_failed, user=user.id if user else None, client=client)
        detail = "This code is not right, or it has expired."
        fault = FieldFault("code", FieldCode.invalid_format, detail)
        raise AppError(Code.invalid_code, detail, fields=[fault])

    def _counts(self, reset: PasswordReset) -> bool:
        """Whether it is the account's newest, and nobody signed in since it was asked for (SEC-34)."""
        if reset.user_id is None:
            return False
        newest = self._resets.newest_live(reset.user_id, self._clock.now())
        return (
            newest is not None
            and newest.id == reset.id
            and not self._sessions.opened_since(reset.user_id, reset.created_at)
        )


def _expired() -> AppError:
    detail = "This link or code has expired or was used. Ask for a new mail."
    return AppError(Code.token_expired_or_used, detail)
