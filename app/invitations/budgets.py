"""How often people may be invited."""

from dataclasses import dataclass

from app.config import Settings
from app.core.throttle import Budget


@dataclass(frozen=True)
class InvitationBudgets:
    """Invitations of one account and of one network; mails to one invited address, whichever project they are for."""

    account: Budget
    address: Budget
    mail: Budget

    @classmethod
    def of(cls, settings: Settings) -> "InvitationBudgets":
        factor = settings.rate_limit_factor
        return cls(
            account=Budget.of("invite-account", settings.rate_limit_invite_account, factor),
            address=Budget.of("invite-address", settings.rate_limit_invite_address, factor),
            mail=Budget.of("invitation-mail", settings.rate_limit_invitation_mail, factor),
        )
