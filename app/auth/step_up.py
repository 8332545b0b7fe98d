"""Step-up: proving again, within a session, who one is (SEC-29)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.auth.budgets import CEILING_RETRY, SignInBudgets
from app.core.access import Actor, Client
from app.core.audit import AuditKind
from app.core.errors import AppError, Code, FieldCode, invalid
from app.core.passwords import PasswordHasher
from app.core.proofs import PasskeyProofs
from app.core.throttle import RateLimitedError, Throttle
from app.core.uow import UnitOfWork
from app.second_factor.check import PASSKEY, FactorCheck
from app.second_factor.service import SecondFactorService
from app.sessions.grants import Grants, SignedIn
from app.sessions.models import Session
from app.sessions.service import SessionService
from app.users.notices import SecurityNotices
from app.users.service import UserService

PASSWORD = "password"


class StepUpService:
    """Args: passkeys: what looks at a passkey's assertion."""

    def __init__(
        self,
        uow: UnitOfWork,
        users: UserService,
        sessions: SessionService,
        grants: Grants,
        factors: SecondFactorService,
        check: FactorCheck,
        passkeys: PasskeyProofs,
        hasher: PasswordHasher,
        throttle: Throttle,
        budgets: SignInBudgets,
        notices: SecurityNotices,
    ) -> None:
        self._uow = uow
        self._users = users
        self._sessions = sessions
        self._grants = grants
        self._factors = factors
        self._check = check
        self._passkeys = passkeys
        self._hasher = hasher
        self._throttle = throttle
        self._budgets = budgets
        self._notices = notices

    def methods(self, actor: Actor) -> list[str]:
        """What the caller may prove themselves by: a second factor where the account has one, else the password."""
        state = self._factors.state(actor.user_id)
        return state.methods if state.enabled else [PASSWORD]

    def prove(self, actor: Actor, proof: Mapping[str, Any], client: Client) -> SignedIn:
        """The same session with new tokens, and a proof that is fresh.

        Args:
            proof: ``method``, and ``password``, or ``code``, or ``challenge_token`` and ``credential``.

        Raises:
            AppError: ``validation_failed`` for a method that this account may not use, ``invalid_code``,
                ``invalid_credentials``, ``rate_limited``, ``overloaded``.
        """
        method, methods = proof["method"], self.methods(actor)
        if method not in methods:
            detail = f"This account proves itself by: {', '.join(methods)}."
            raise invalid("method", FieldCode.invalid_choice, detail, choices=methods)
        if method == PASSWORD:
            return self._grants.of(self._by_password(actor, proof["password"], client))
        session = self._check.prove(
            actor.user_id,
            client,
            lambda: self._accepts(actor.user_id, method, proof, client),
            lambda: self._proved(actor, method, client),
            failed=AuditKind.step_up_failed,
        )
        return self._grants.of(session)

    def _accepts(self, user_id: UUID, method: str, proof: Mapping[str, Any], client: Client) -> bool:
        if method == PASSKEY:
            return self._passkeys.accept(user_id, proof["challenge_token"], proof["credential"])
        return self._check.accept(user_id, method, proof["code"], client)

    def _by_password(self, actor: Actor, password: str, client: Client) -> Session:
        """The hash is computed outside any transaction; then it looks again whether the account is as it was.

        Failures in a row have a ceiling of this session: the owner's other sessions and signing in go on (SEC-15).
        """
        ceiling, session_id = self._budgets.session, str(actor.session_id)
        if self._throttle.peek(ceiling, session_id).exceeded_next:
            raise RateLimitedError(ceiling, CEILING_RETRY)
        self._check.spend(actor.user_id, client)
        user = self._users.get(actor.user_id)
        try:
            right = self._hasher.verify(password, user.password_hash)
        except AppError:
            # Nothing was compared, so nothing was guessed.
            with self._uow:
                self._check.refund(user.id, client)
            raise
        if not right:
            with self._uow:
                self._throttle.count(ceiling, session_id)
                self._notices.record(AuditKind.step_up_failed, user=user.id, actor=user.id, client=client)
            raise AppError(Code.invalid_credentials, "The password is not right.")
        with self._uow:
            self._users.require_unchanged(user)
            self._check.refund(user.id, client)
            self._throttle.forget(ceiling, session_id)
            return self._proved(actor, PASSWORD, client)

    def _proved(self, actor: Actor, method: str, client: Client) -> Session:
        session = self._sessions.prove(actor, factor=method != PASSWORD)
        self._notices.record(
            AuditKind.step_up_succeeded, user=actor.user_id, actor=actor.user_id, client=client,
            data={"method": method},
        )  # fmt: skip
        return session
