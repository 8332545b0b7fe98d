"""How many failed sign-ins are borne, by what they have in common (SEC-13, SEC-15)."""

from dataclasses import dataclass
from uuid import UUID

from app.config import Settings
from app.core.throttle import Budget

CEILING_WINDOW = 90 * 86_400
CEILING_RETRY = 900


@dataclass(frozen=True)
class SignInBudgets:
    """Budgets of failures.

    ``ceiling`` counts consecutive ones and ends with a success or a reset only; ``device`` is that of one known device.
    ``session`` is a ceiling of one session: whoever stole it cannot guess the password in there without end.
    """

    account_address: Budget
    account: Budget
    address: Budget
    address_day: Budget
    everybody: Budget
    ceiling: Budget
    device: Budget
    session: Budget

    @classmethod
    def of(cls, settings: Settings) -> "SignInBudgets":
        factor = settings.rate_limit_factor
        return cls(
            Budget.of("sign-in-account-address", settings.rate_limit_sign_in_account_address, factor),
            Budget.of("sign-in-account", settings.rate_limit_sign_in_account, factor),
            Budget.of("sign-in-address", settings.rate_limit_sign_in_address, factor),
            Budget.of("sign-in-address-day", settings.rate_limit_sign_in_address_day, factor),
            Budget.of("sign-in-everybody", settings.rate_limit_sign_in_global, factor),
            Budget("sign-in-ceiling", settings.sign_in_failure_ceiling, CEILING_WINDOW),
            Budget.of("known-device", settings.rate_limit_known_device, factor),
            Budget("step-up-ceiling", settings.sign_in_failure_ceiling, CEILING_WINDOW),
        )

    def spent_by(self, identifier: str, network: str) -> list[tuple[Budget, str]]:
        """What one attempt costs; given back when it succeeds."""
        return [
            (self.account_address, f"{identifier}\n{network}"),
            (self.account, identifier),
            (self.address, network),
            (self.address_day, network),
        ]

    def spent_by_device(self, device_id: UUID) -> list[tuple[Budget, str]]:
        """What an attempt from a known device costs instead (SEC-14)."""
        return [(self.device, str(device_id))]
