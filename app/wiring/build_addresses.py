"""Passwords and addresses: changed, forgotten, proved by mail."""

from dataclasses import dataclass

from app.api_tokens.service import ApiTokenService
from app.auth.budgets import SignInBudgets
from app.core.mail_codes import MailCodes
from app.email_change.budgets import EmailChangeBudgets
from app.email_change.jobs import EmailChangeJobs
from app.email_change.repository import EmailChangeRepository
from app.email_change.service import EmailChangeRules, EmailChangeService
from app.passwords.budgets import ResetBudgets
from app.passwords.jobs import PasswordJobs
from app.passwords.repository import PasswordResetRepository
from app.passwords.resets import PasswordResets, ResetRules
from app.passwords.service import PasswordService
from app.wiring.build_accounts import Accounts
from app.wiring.foundations import Foundations


@dataclass
class Addresses:
    """The services that other features use."""

    passwords: PasswordService
    resets: PasswordResets
    changes: EmailChangeService


def build_addresses(base: Foundations, accounts: Accounts, api_tokens: ApiTokenService) -> Addresses:
    """Passwords first: a change of address makes waiting resets void, and undoing one ends API tokens."""
    rows = PasswordResetRepository(base.uow)
    passwords = base.add(
        PasswordService(
            base.uow, rows, accounts.users, accounts.sessions, accounts.notices, base.hasher, base.policy,
            base.throttle, SignInBudgets.of(base.settings), base.clock,
        )
    )  # fmt: skip
    resets = _build_resets(base, accounts, rows, passwords)
    return Addresses(passwords, resets, _build_changes(base, accounts, passwords, api_tokens))


def _build_resets(
    base: Foundations, accounts: Accounts, rows: PasswordResetRepository, passwords: PasswordService
) -> PasswordResets:
    settings = base.settings
    codes = MailCodes(
        "hfp1", base.ring.derive("reset-password-link"), base.ring.derive("reset-password-code")
    )
    service: PasswordResets = base.add(
        PasswordResets(
            base.uow, rows, passwords, accounts.auth, accounts.users, accounts.sessions, base.hasher, base.policy,
            codes, base.throttle, ResetBudgets.of(settings),
            ResetRules(settings.reset_minutes, settings.reset_code_minutes), base.audit, base.jobs, base.clock,
        )
    )  # fmt: skip
    jobs = PasswordJobs(base.uow, rows, service, accounts.users, codes, base.letters, settings, base.clock)
    jobs.register_with(base.jobs)
    return service


def _build_changes(
    base: Foundations, accounts: Accounts, passwords: PasswordService, api_tokens: ApiTokenService
) -> EmailChangeService:
    settings, rows = base.settings, EmailChangeRepository(base.uow)
    codes = MailCodes("hfe1", base.ring.derive("email-change-link"), base.ring.derive("email-change-code"))
    objecting = base.ring.derive("cancel-email-change-link")
    cancels = MailCodes("hfx1", objecting, objecting)
    service: EmailChangeService = base.add(
        EmailChangeService(
            base.uow, rows, accounts.users, accounts.sessions, passwords, api_tokens, accounts.notices, codes,
            cancels, base.throttle, EmailChangeBudgets.of(settings),
            EmailChangeRules(
                settings.email_change_hours, settings.verification_code_minutes, settings.email_cancel_hours
            ),
            base.events, base.jobs, base.clock,
        )
    )  # fmt: skip
    EmailChangeJobs(
        base.uow, rows, accounts.users, codes, cancels, base.letters, settings, base.clock
    ).register_with(base.jobs)
    return service
