"""Changing a password, and what every new password brings with it."""

from uuid import UUID

from app.auth.budgets import CEILING_RETRY, SignInBudgets
from app.core.access import Actor, Client
from app.core.address import network
from app.core.audit import AuditKind
from app.core.clock import Clock
from app.core.errors import AppError, Code, FieldCode, FieldFault
from app.core.password_policy import PasswordPolicy
from app.core.passwords import PasswordHasher
from app.core.throttle import RateLimitedError, Throttle
from app.core.uow import UnitOfWork
from app.passwords.repository import PasswordResetRepository
from app.sessions.service import SessionService
from app.users.emails import email_key
from app.users.models import User
from app.users.notices import SecurityNotices
from app.users.service import UserService


class PasswordService:
    """Args: budgets: of sign-in; a guess made through a session counts as one made at the door."""

    def __init__(
        self,
        uow: UnitOfWork,
        resets: PasswordResetRepository,
        users: UserService,
        sessions: SessionService,
        notices: SecurityNotices,
        hasher: PasswordHasher,
        policy: PasswordPolicy,
        throttle: Throttle,
        budgets: SignInBudgets,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._resets = resets
        self._users = users
        self._sessions = sessions
        self._notices = notices
        self._hasher = hasher
        self._policy = policy
        self._throttle = throttle
        self._budgets = budgets
        self._clock = clock

    def change(self, actor: Actor, *, current: str, new: str, client: Client) -> None:
        """Another password for whoever knows the current one; the session that asks goes on (SEC-06).

        Raises:
            AppError: ``invalid_credentials`` on the field, ``validation_failed`` for a weak new one, ``rate_limited``,
                ``overloaded``.
        """
        user = self._users.get(actor.user_id)
        self._prove(user, current, client)
        self._policy.demand(new, email=user.email, display_name=user.display_name, field_name="new_password")
        new_hash = self._hasher.hash(new)
        with self._uow:
            self._users.hold(user.id)
            if not self.replace(user, new_hash, AuditKind.password_changed, client, but=actor.session_id):
                raise _wrong_password()

    def replace(
        self, user: User, new_hash: str, kind: AuditKind, client: Client, *, but: UUID | None = None
    ) -> bool:
        """Store a new password of a held account, inside the caller's transaction, and end what came before it.

        Other sessions end, waiting resets and a pending change of address are void, known devices are strangers, and
        the owner gets a mail.

        Args:
            user: as it was when its password was looked at.
            kind: what to call it in the trail.
            but: the session that stays.

        Returns:
            Whether it was stored; not when the password changed meanwhile.
        """
        with self._uow:
            if not self._users.store_password_hash(user.id, old=user.password_hash, new=new_hash):
                return False
            self._sessions.end_all(user.id, kind.value, but=but)
            self.void_resets(user.id)
            held = self._users.hold(user.id)
            if held is not None:
                self._users.set_pending_email(held, None)
            self._users.forget_devices(user.id)
            self._notices.record(kind, user=user.id, actor=user.id, client=client)
            return True

    def void_resets(self, user_id: UUID) -> None:
        """Make waiting reset mails worthless, inside the caller's transaction (SEC-34)."""
        with self._uow:
            self._resets.void_all(user_id, self._clock.now())

    def _prove(self, user: User, password: str, client: Client) -> None:
        """Whether this is the password; counted before it is looked at, and given back when it was right (SEC-13)."""
        identifier = email_key(user.email)
        spent = self._budgets.spent_by(identifier, network(client.address))
        if self._throttle.peek(self._budgets.ceiling, identifier).exceeded_next:
            raise RateLimitedError(self._budgets.ceiling, CEILING_RETRY)
        self._throttle.spend(spent)
        try:
            right = self._hasher.verify(password, user.password_hash)
        except AppError:
            # Nothing was compared, so nothing was guessed.
            with self._uow:
                self._throttle.refund(spent)
            raise
        with self._uow:
            if right:
                self._throttle.refund(spent)
                self._throttle.forget(self._budgets.ceiling, identifier)
            else:
                self._throttle.count(self._budgets.ceiling, identifier)
                self._notices.record(
                    AuditKind.step_up_failed, user=user.id, actor=user.id, client=client,
                    data={"method": "password"},
                )  # fmt: skip
        if not right:
            raise _wrong_password()


def _wrong_password() -> AppError:
    detail = "This is not your current password."
    fault = FieldFault("current_password", FieldCode.invalid_choice, detail)
    return AppError(Code.invalid_credentials, detail, fields=[fault])
