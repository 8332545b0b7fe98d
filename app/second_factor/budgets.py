"""How often codes may be tried (SEC-31)."""

from dataclasses import dataclass

from app.config import Settings
from app.core.throttle import Budget


@dataclass(frozen=True)
class FactorBudgets:
    """Of one account and of one network; spent before a code is looked at, given back when it was right."""

    account: Budget
    account_hour: Budget
    account_day: Budget
    address: Budget
    address_hour: Budget

    @classmethod
    def of(cls, settings: Settings) -> "FactorBudgets":
        factor = settings.rate_limit_factor
        return cls(
            Budget.of("mfa-account", settings.rate_limit_mfa_account, factor),
            Budget.of("mfa-account-hour", settings.rate_limit_mfa_account_hour, factor),
            Budget.of("mfa-account-day", settings.rate_limit_mfa_account_day, factor),
            Budget.of("mfa-address", settings.rate_limit_mfa_address, factor),
            Budget.of("mfa-address-hour", settings.rate_limit_mfa_address_hour, factor),
        )

    def spent_by(self, account: str, network: str) -> list[tuple[Budget, str]]:
        """What one try costs."""
        return [
            (self.account, account),
            (self.account_hour, account),
            (self.account_day, account),
            (self.address, network),
            (self.address_hour, network),
        ]
