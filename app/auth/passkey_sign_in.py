"""Signing in with a passkey: alone, or as the second step after a password."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.auth.budgets import SignInBudgets
from app.core.access import AccountStatus, Actor, Client
from app.core.address import network
from app.core.audit import AuditKind, AuditTrail
from app.core.errors import AppError, Code
from app.core.metrics import SIGN_INS
from app.core.throttle import Budget, RateLimitedError, Throttle
from app.core.uow import UnitOfWork
from app.passkeys.check import PasskeyCheck, Refusal
from app.passkeys.service import PasskeyService, Question
from app.second_factor.second_step import SecondStep
from app.sessions.admissions import Admissions
from app.sessions.grants import SignedIn
from app.sessions.models import Session, Transport
from app.users.service import UserService

Spent = list[tuple[Budget, str]]
BY = {"by": "passkey"}


class PasskeySignIn:
    """Whatever is wrong with an answer, the refusal is the same, whether or not there is such a passkey (SEC-11).

    A passkey that verified its user is two factors in one: the device, and a face, finger or code. So nothing is asked
    after it. Failed answers spend the budgets that failed passwords of the same network spend (SEC-13).
    """

    def __init__(
        self,
        uow: UnitOfWork,
        passkeys: PasskeyService,
        check: PasskeyCheck,
        second_step: SecondStep,
        users: UserService,
        admissions: Admissions,
        throttle: Throttle,
        budgets: SignInBudgets,
        audit: AuditTrail,
    ) -> None:
        self._uow = uow
        self._passkeys = passkeys
        self._check = check
        self._second_step = second_step
        self._users = users
        self._admissions = admissions
        self._throttle = throttle
        self._budgets = budgets
        self._audit = audit

    def start(self, mfa_token: str | None, actor: Actor | None) -> Question:
        """What to ask an authenticator.

        Args:
            mfa_token: of a sign-in that waits for its second step.
            actor: who proves themselves again (step-up), if anybody is signed in.

        Raises:
            AppError: ``mfa_token_invalid``.
        """
        if mfa_token is not None:
            waiting = self._second_step.waiting(mfa_token)
            return self._passkeys.ask_second_step(waiting.user_id, waiting.id)
        return self._passkeys.ask_again(actor) if actor else self._passkeys.ask_anybody()

    def finish(self, proof: Mapping[str, Any], client: Client) -> SignedIn:
        """A new session, proved by two factors.

        Args:
            proof: ``challenge_token``, ``credential``, ``token_transport`` and ``device_token``.

        Raises:
            AppError: ``invalid_credentials``, ``rate_limited``, ``mfa_token_invalid`` where the sign-in that waited has
                ended; and, only after a right answer, ``account_suspended``.
        """
        spent = self._spend(client)
        second_step = self._check.second_step_of(proof["challenge_token"])
        if second_step is None:
            signed_in = self._alone(proof, client, spent)
        else:
            signed_in = self._as_second_step(self._second_step.token_of(second_step), proof, client)
            with self._uow:
                self._throttle.refund(spent)
        SIGN_INS.labels("succeeded").inc()
        return signed_in

    def _alone(self, proof: Mapping[str, Any], client: Client, spent: Spent) -> SignedIn:
        with self._uow:
            entered = self._enter(proof, client, spent)
        if isinstance(entered, AppError):
            raise entered
        session, device_id = entered
        return self._admissions.grant(session, device_id)

    def _enter(
        self, proof: Mapping[str, Any], client: Client, spent: Spent
    ) -> tuple[Session, UUID | None] | AppError:
        """A refusal is an answer here, so that what was used up and noted is committed with it."""
        outcome = self._check.sign_in(proof["challenge_token"], proof["credential"])
        if isinstance(outcome, Refusal):
            return self._refuse(outcome, client)
        self._throttle.refund(spent)
        user = self._users.get(outcome.user_id)
        if user.status == AccountStatus.suspended:
            SIGN_INS.labels("account_suspended").inc()
            return AppError(Code.account_suspended, "This account is suspended.")
        device_id = self._admissions.known_device(proof["device_token"], user)
        transport = Transport(proof["token_transport"])
        return self._admissions.admit(user, transport, client, factor=True, device_id=device_id), device_id

    def _as_second_step(self, mfa_token: str, proof: Mapping[str, Any], client: Client) -> SignedIn:
        try:
            return self._second_step.complete(
                mfa_token,
                Transport(proof["token_transport"]),
                client,
                lambda user_id: self._check.accept_second_step(
                    user_id, proof["challenge_token"], proof["credential"]
                ),
            )
        except AppError as error:
            if error.code != Code.invalid_code:
                raise
            SIGN_INS.labels("failed").inc()
            raise _not_right() from None

    def _refuse(self, refusal: Refusal, client: Client) -> AppError:
        SIGN_INS.labels("failed").inc()
        self._audit.record(
            AuditKind.sign_in_failed,
            user=refusal.user_id,
            client=client,
            data={**BY, "reason": refusal.reason},
        )
        return _not_right()

    def _spend(self, client: Client) -> Spent:
        """Take one attempt off the network's budgets before anything is looked at."""
        place = network(client.address)
        spent = [(self._budgets.address, place), (self._budgets.address_day, place)]
        try:
            self._throttle.spend(spent)
        except RateLimitedError as refused:
            SIGN_INS.labels("throttled").inc()
            with self._uow:
                told = {**BY, "budget": refused.budget.name}
                self._audit.record(AuditKind.sign_in_throttled, user=None, client=client, data=told)
            raise
        return spent


def _not_right() -> AppError:
    return AppError(Code.invalid_credentials, "This passkey was not accepted. Begin again.")
