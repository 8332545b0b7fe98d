"""Looking at proofs: how often, in which order, and what a right one uses up."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from app.core.access import Client
from app.core.address import network
from app.core.audit import AuditKind
from app.core.clock import Clock
from app.core.errors import AppError, Code, FieldCode, FieldFault, not_found
from app.core.sealing import Sealer
from app.core.throttle import Throttle
from app.core.uow import UnitOfWork
from app.second_factor.budgets import FactorBudgets
from app.second_factor.codes import matching_steps, recovery_digest
from app.second_factor.models import TotpFactor
from app.second_factor.repository import RecoveryCodeRepository, TotpRepository
from app.users.models import User
from app.users.notices import SecurityNotices
from app.users.service import UserService

TOTP, RECOVERY_CODE, PASSKEY = "totp", "recovery_code", "passkey"
Result = TypeVar("Result")


class FactorCheck:
    """Args: sealer: keys of the purpose ``totp-secret``."""

    def __init__(
        self,
        uow: UnitOfWork,
        totp: TotpRepository,
        recovery: RecoveryCodeRepository,
        users: UserService,
        sealer: Sealer,
        throttle: Throttle,
        budgets: FactorBudgets,
        notices: SecurityNotices,
        clock: Clock,
    ) -> None:
        self._uow = uow
        self._totp = totp
        self._recovery = recovery
        self._users = users
        self._sealer = sealer
        self._throttle = throttle
        self._budgets = budgets
        self._notices = notices
        self._clock = clock

    def prove(
        self,
        user_id: UUID,
        client: Client,
        check: Callable[[], bool],
        then: Callable[[], Result],
        *,
        failed: AuditKind,
        before: Callable[[], None] = lambda: None,
    ) -> Result:
        """Try a proof: counted first, then looked at; where it is right, ``then`` runs in the same transaction.

        So a code is used up when, and only when, what it was for has happened. Call it outside any transaction.

        Args:
            check: looks at the proof, with the account's row locked; ``lambda: check.accept(...)`` for codes.
            then: what the proof is for; what it raises undoes everything but the count.
            failed: what the trail says of a wrong proof.
            before: another count, taken once the budgets allowed the try; it raises where there is none left.

        Raises:
            AppError: ``invalid_code``, ``rate_limited``.
        """
        self.spend(user_id, client)
        before()
        with self._uow:
            self.hold(user_id)
            right = check()
            if right:
                self.refund(user_id, client)
                done = then()
            else:
                self._notices.record(failed, user=user_id, client=client)
        if not right:
            raise wrong_code()
        return done

    def accept(self, user_id: UUID, method: str, code: str, client: Client) -> bool:
        """Use a code up inside the caller's transaction; the answer is whether it was right.

        Args:
            method: ``totp`` or ``recovery_code``.
        """
        with self._uow:
            if method == TOTP:
                factor = self._totp.confirmed(user_id)
                return factor is not None and self.accept_totp(factor, code)
            digest = recovery_digest(code)
            used = digest is not None and self._recovery.use(user_id, digest, self._clock.now())
            if used:
                self._notices.record(AuditKind.recovery_code_used, user=user_id, actor=user_id, client=client)
            return used

    def spend(self, user_id: UUID, client: Client) -> None:
        """Count a try of any proof of the account (SEC-31), outside any transaction.

        Raises:
            AppError: ``rate_limited``.
        """
        self._throttle.spend(self._budgets.spent_by(str(user_id), network(client.address)))

    def refund(self, user_id: UUID, client: Client) -> None:
        """Give a counted try back, inside the caller's transaction: the proof was right."""
        self._throttle.refund(self._budgets.spent_by(str(user_id), network(client.address)))

    def accept_totp(self, factor: TotpFactor, code: str) -> bool:
        """One conditional UPDATE decides: of two with the same code one wins, and none goes back (SEC-30)."""
        secret = self._sealer.open(factor.key_id, factor.sealed, about=factor.user_id.bytes)
        steps = matching_steps(secret, code, self._clock.timestamp())
        return any(self._totp.advance(factor.user_id, step) for step in steps)

    def hold(self, user_id: UUID) -> User:
        """The account, locked until the caller's transaction ends.

        It is locked before any other row of it, everywhere, so that no two requests wait for each other.

        Raises:
            AppError: ``not_found``.
        """
        user = self._users.hold(user_id)
        if user is None:
            raise not_found("account")
        return user


def wrong_code() -> AppError:
    detail = "This code is not right, or it was used before."
    fault = FieldFault("code", FieldCode.invalid_format, detail)
    return AppError(Code.invalid_code, detail, fields=[fault])
