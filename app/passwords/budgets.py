"""How often a reset may be asked for, and how often its code may be tried (SEC-16, SEC-34)."""

from dataclasses import dataclass

from app.config import Settings
from app.core.throttle import Budget

CODE_TRIES = 5


@dataclass(frozen=True)
class ResetBudgets:
    """Mails to one address, requests of one network, proofs tried by one network, tries of one code."""

    account: Budget
    address: Budget
    verify: Budget
    code: Budget

    @classmethod
    def of(cls, settings: Settings) -> "ResetBudgets":
        factor = settings.rate_limit_factor
        return cls(
            account=Budget.of("forgot-account", settings.rate_limit_forgot_account, factor),
            address=Budget.of("forgot-address", settings.rate_limit_forgot_address, factor),
            verify=Budget.of("verify-address", settings.rate_limit_verify_address, factor),
            code=Budget("reset-code", CODE_TRIES, settings.reset_code_minutes * 60),
        )
