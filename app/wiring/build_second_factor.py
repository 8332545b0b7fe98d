"""Second factors, and what every way of signing in ends with."""

from dataclasses import dataclass

from app.core.proofs import PasskeyHolders
from app.core.sealing import Sealer
from app.second_factor.budgets import FactorBudgets
from app.second_factor.check import FactorCheck
from app.second_factor.jobs import SecondFactorJobs
from app.second_factor.repository import MfaChallengeRepository, RecoveryCodeRepository, TotpRepository
from app.second_factor.second_step import SecondStep
from app.second_factor.service import SecondFactorService
from app.second_factor.tokens import MfaTokens
from app.sessions.admissions import Admissions
from app.sessions.service import SessionService
from app.users.notices import SecurityNotices
from app.users.service import UserService
from app.wiring.foundations import Foundations


@dataclass
class SecondFactors:
    """What passkeys, signing in and administration use."""

    service: SecondFactorService
    check: FactorCheck
    second_step: SecondStep


def build_second_factor(
    base: Foundations,
    users: UserService,
    sessions: SessionService,
    notices: SecurityNotices,
    admissions: Admissions,
    passkeys: PasskeyHolders,
) -> SecondFactors:
    """Args: passkeys: who has one; the repository of passkeys answers that."""
    settings, uow, clock = base.settings, base.uow, base.clock
    totp, recovery = TotpRepository(uow), RecoveryCodeRepository(uow)
    sealer = Sealer(base.ring.derive("totp-secret"))
    base.add(SecondFactorJobs(uow, totp, sealer)).register_with(base.jobs)
    check = FactorCheck(
        uow, totp, recovery, users, sealer, base.throttle, FactorBudgets.of(settings), notices, clock
    )
    service = base.add(
        SecondFactorService(
            uow,
            totp,
            recovery,
            passkeys,
            check,
            users,
            sessions,
            sealer,
            notices,
            clock,
            settings.product_name,
        )
    )
    second_step = base.add(
        SecondStep(
            uow, MfaChallengeRepository(uow), MfaTokens(base.ring.derive("mfa-token")), service, check, admissions,
            clock, settings.mfa_token_seconds,
        )
    )  # fmt: skip
    return SecondFactors(service, check, second_step)
