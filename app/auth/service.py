"""Signing in with a password, and signing out."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.auth.budgets import CEILING_RETRY, SignInBudgets
from app.core.access import AccountStatus, Actor, Client
from app.core.address import network
from app.core.audit import AuditKind, AuditTrail
from app.core.errors import AppError, Code
from app.core.metrics import SIGN_INS
from app.core.passwords import PasswordHasher
from app.core.telemetry import log
from app.core.throttle import Budget, RateLimitedError, Throttle
from app.core.uow import UnitOfWork
from app.registration.service import RegistrationService
from app.second_factor.second_step import MfaRequired, SecondStep
from app.sessions.admissions import Admissions
from app.sessions.grants import SignedIn
from app.sessions.models import Session, Transport
from app.sessions.refresh import RefreshService
from app.sessions.service import SessionService
from app.users.emails import email_key
from app.users.models import User
from app.users.service import UserService

logger = log(__name__)
Spent = list[tuple[Budget, str]]
FLOOD_WEIGHT = 2
"""While sign-ins fail everywhere, each attempt costs double: budgets last half as long (SEC-13)."""


class AuthService:
    """Sign-in answers alike for known and unknown addresses, wrong passwords and waiting registrations.

    The counters are spent before the password is looked at, and given back when it was right, so that many requests
    at once cannot try more passwords than the budget (SEC-13). They live in PostgreSQL, whatever Redis does (SEC-49).
    """

    def __init__(
        self,
        uow: UnitOfWork,
        users: UserService,
        registrations: RegistrationService,
        sessions: SessionService,
        refreshes: RefreshService,
        admissions: Admissions,
        second_step: SecondStep,
        hasher: PasswordHasher,
        throttle: Throttle,
        budgets: SignInBudgets,
        audit: AuditTrail,
    ) -> None:
        self._uow = uow
        self._users = users
        self._registrations = registrations
        self._sessions = sessions
        self._refreshes = refreshes
        self._admissions = admissions
        self._second_step = second_step
        self._hasher = hasher
        self._throttle = throttle
        self._budgets = budgets
        self._audit = audit

    def sign_in(self, proof: Mapping[str, Any], client: Client) -> SignedIn | MfaRequired:
        """A new session, or what the second step needs where the account has a second factor.

        Args:
            proof: ``email``, ``password``, ``token_transport`` and ``device_token``.

        Raises:
            AppError: ``invalid_credentials``, ``rate_limited``, ``overloaded``; and, only after a right password,
                ``email_not_verified`` and ``account_suspended``.
        """
        self._hasher.demand_room()
        email, password = proof["email"], proof["password"]
        identifier = email_key(email)
        user = self._users.find_by_email(email)
        device_id = self._admissions.known_device(proof["device_token"], user)
        spent, weight = self._spend(identifier, device_id, client)
        waiting = self._registrations.waiting_password(email)
        # A known address may have a waiting registration too (SEC-11); without one the comparison takes as long.
        hashes = [user.password_hash if user else None, waiting]
        try:
            match = self._hasher.first_match(password, hashes)
        except AppError:
            self._give_back(spent, weight)
            raise
        if user is None or match != 0:
            raise self._refuse(identifier, user, client, waits=match == 1)
        if user.status == AccountStatus.suspended:
            self._note_success(identifier, spent, "account_suspended", weight)
            raise AppError(Code.account_suspended, "This account is suspended.")
        self._rehash(user, password)
        transport = Transport(proof["token_transport"])
        with self._uow:
            # One short write after the slow hash; it looks again whether the account still is what was checked.
            self._users.require_unchanged(user)
            self._clear(identifier, spent, weight)
            entered: MfaRequired | Session = (
                self._second_step.begin(user, device_id)
                if user.mfa_enabled
                else self._admissions.admit(user, transport, client, factor=False, device_id=device_id)
            )
        if isinstance(entered, MfaRequired):
            SIGN_INS.labels("mfa_required").inc()
            return entered
        SIGN_INS.labels("succeeded").inc()
        return self._admissions.grant(entered, device_id)

    def complete(self, proof: Mapping[str, Any], client: Client) -> SignedIn:
        """The second step, by a code.

        Args:
            proof: ``mfa_token``, ``method``, ``code`` and ``token_transport``.

        Raises:
            AppError: ``mfa_token_invalid``, ``invalid_code``, ``rate_limited``.
        """
        signed_in = self._second_step.complete_by_code(
            proof["mfa_token"], proof["method"], proof["code"], Transport(proof["token_transport"]), client
        )
        SIGN_INS.labels("succeeded").inc()
        return signed_in

    def refresh(self, token: str, client: Client) -> SignedIn:
        """Exchange a refresh token; see ``RefreshService.refresh``."""
        return self._refreshes.refresh(token, client)

    def sign_out(self, token: str | None, actor: Actor | None, client: Client) -> None:
        """End the sessions that the refresh token and the access token name; never refuses."""
        named = {actor.session_id} if actor else set()
        if token and (session_id := self._refreshes.session_of(token)):
            named.add(session_id)
        for session_id in named:
            self._sessions.sign_out(session_id, client)

    def unlock(self, email: str) -> None:
        """Forget the failures counted for an address: an operator's act, after looking who it is."""
        identifier = email_key(email)
        user = self._users.find_by_email(email)
        with self._uow:
            self._throttle.forget(self._budgets.ceiling, identifier)
            self._throttle.forget(self._budgets.account, identifier)
            self._audit.record(AuditKind.sign_in_unlocked, user=user.id if user else None)

    def _spend(self, identifier: str, device_id: UUID | None, client: Client) -> tuple[Spent, int]:
        """Take one attempt off the budgets it counts in; the answer is which, and as how many hits.

        A known device has a budget of its own, so that no stranger's failures keep the owner out (SEC-14).
        """
        try:
            if device_id is not None:
                spent, weight = self._budgets.spent_by_device(device_id), 1
            else:
                self._refuse_beyond_ceiling(identifier)
                flood = self._throttle.peek(self._budgets.everybody, "").exceeded_next
                spent = self._budgets.spent_by(identifier, network(client.address))
                weight = FLOOD_WEIGHT if flood else 1
            self._throttle.spend(spent, weight=weight)
        except RateLimitedError as refused:
            SIGN_INS.labels("throttled").inc()
            with self._uow:
                self._audit.record(
                    AuditKind.sign_in_throttled,
                    user=None,
                    client=client,
                    data={"budget": refused.budget.name},
                )
            raise
        return spent, weight

    def _refuse_beyond_ceiling(self, identifier: str) -> None:
        """After so many failures in a row only a reset helps (SEC-15); the wait told is for courtesy."""
        if self._throttle.peek(self._budgets.ceiling, identifier).exceeded_next:
            raise RateLimitedError(self._budgets.ceiling, CEILING_RETRY)

    def _refuse(self, identifier: str, user: User | None, client: Client, *, waits: bool) -> AppError:
        """Count a failure and say why; a waiting registration's password is one too, or it would clear counters."""
        self._note_failure(identifier, user, client, "email_not_verified" if waits else "failed")
        if waits:
            return AppError(Code.email_not_verified, "Confirm your address first: see the mail we sent you.")
        return AppError(Code.invalid_credentials, "The address or the password is not right.")

    def _note_failure(self, identifier: str, user: User | None, client: Client, outcome: str) -> None:
        SIGN_INS.labels(outcome).inc()
        with self._uow:
            self._throttle.count(self._budgets.ceiling, identifier)
            everybody = self._throttle.count(self._budgets.everybody, "")
            self._audit.record(AuditKind.sign_in_failed, user=user.id if user else None, client=client)
            if everybody.hits == everybody.budget.quota:
                self._audit.record(AuditKind.sign_in_flood, user=None, data={"failures": everybody.hits})
                logger.error("sign_in_flood", failures=everybody.hits, seconds=everybody.budget.seconds)

    def _note_success(self, identifier: str, spent: Spent, outcome: str, weight: int) -> None:
        SIGN_INS.labels(outcome).inc()
        with self._uow:
            self._clear(identifier, spent, weight)

    def _give_back(self, spent: Spent, weight: int) -> None:
        """Nothing was compared, so nothing was guessed: being busy is not the client's failure."""
        with self._uow:
            self._throttle.refund(spent, weight=weight)

    def _clear(self, identifier: str, spent: Spent, weight: int) -> None:
        self._throttle.refund(spent, weight=weight)
        self._throttle.forget(self._budgets.ceiling, identifier)

    def _rehash(self, user: User, password: str) -> None:
        """Bring an old hash up to today's cost and pepper; failing at it never fails the sign-in (SEC-04)."""
        if user.password_hash is None or not self._hasher.needs_rehash(user.password_hash):
            return
        try:
            fresh = self._hasher.hash(password)
            with self._uow:
                if self._users.store_password_hash(user.id, old=user.password_hash, new=fresh):
                    self._audit.record(AuditKind.password_rehashed, user=user.id)
            user.password_hash = fresh
        except Exception:
            logger.exception("rehash_failed", user_id=str(user.id))
