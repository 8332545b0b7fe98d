"""Stored secrets move to the current key, batch by batch (SEC-24, SEC-59)."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from app.core.jobs import JobQueue
from app.core.sealing import Sealer
from app.core.telemetry import log
from app.core.uow import UnitOfWork
from app.second_factor.models import TotpFactor
from app.second_factor.repository import TotpRepository

RESEAL = "second_factor.reseal"
BATCH = 200
logger = log(__name__)


@dataclass
class Resealed:
    """Attributes: moved: secrets that are under the current key now. left: those whose key is not in the ring."""

    moved: int = 0
    left: int = 0


class SecondFactorJobs:
    def __init__(self, uow: UnitOfWork, totp: TotpRepository, sealer: Sealer) -> None:
        self._uow = uow
        self._totp = totp
        self._sealer = sealer

    def register_with(self, jobs: JobQueue) -> None:
        jobs.register(RESEAL, lambda: logger.info("resealed", **vars(self.reseal())))

    def reseal(self, told: Callable[[Resealed], object] = lambda _done: None) -> Resealed:
        """Seal anew what is under an older key: one batch a transaction, so it can stop anywhere and be begun again.

        Args:
            told: called after each batch with the figures so far.
        """
        done, last = Resealed(), UUID(int=0)
        while True:
            with self._uow:
                batch = self._totp.under_other_key(self._sealer.key_id, last, BATCH)
                for factor in batch:
                    self._move(factor, done)
            if not batch:
                return done
            last = batch[-1].user_id
            told(done)

    def _move(self, factor: TotpFactor, done: Resealed) -> None:
        about = factor.user_id.bytes
        try:
            secret = self._sealer.open(factor.key_id, factor.sealed, about=about)
        except ValueError:
            done.left += 1
            return
        factor.key_id, factor.sealed = self._sealer.seal(secret, about=about)
        done.moved += 1
