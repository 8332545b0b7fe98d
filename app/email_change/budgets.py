"""How often an address may be changed, and how often a code may be tried (SEC-16, SEC-34)."""

from dataclasses import dataclass

from app.config import Settings
from app.core.throttle import Budget

CODE_TRIES = 5


@dataclass(frozen=True)
class EmailChangeBudgets:
    """Requests of one account and one network, mails to one address (registrations count too), tries of one code."""

    account: Budget
    address: Budget
    mail: Budget
    verify: Budget
    code: Budget

    @classmethod
    def of(cls, settings: Settings) -> "EmailChangeBudgets":
        factor = settings.rate_limit_factor
        return cls(
            account=Budget.of("email-change-account", settings.rate_limit_email_change_account, factor),
            address=Budget.of("email-change-address", settings.rate_limit_email_change_address, factor),
            mail=Budget.of("verification-mail", settings.rate_limit_verification_mail, factor),
            verify=Budget.of("verify-address", settings.rate_limit_verify_address, factor),
            code=Budget("email-change-code", CODE_TRIES, settings.verification_code_minutes * 60),
        )
