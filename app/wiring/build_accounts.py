"""Accounts: who people are, where they are signed in, how they prove it."""

from dataclasses import dataclass

from app.auth.budgets import SignInBudgets
from app.auth.service import AuthService
from app.config import Settings
from app.core.access import AccessTokens
from app.core.throttle import Budget
from app.registration.codes import VerificationCodes
from app.registration.jobs import RegistrationJobs
from app.registration.repository import RegistrationRepository
from app.registration.service import (
    CODE_TRIES,
    RegistrationBudgets,
    RegistrationRules,
    RegistrationService,
)
from app.sessions.check import SessionChecker
from app.sessions.grants import Grants
from app.sessions.jobs import SessionJobs
from app.sessions.lifetimes import Lifetimes
from app.sessions.refresh import RefreshBudgets, RefreshService
from app.sessions.repository import SessionRepository
from app.sessions.service import SessionService
from app.sessions.tokens import RefreshTokens
from app.users.repository import UserRepository
from app.users.service import UserService
from app.wiring.foundations import Foundations


@dataclass
class Accounts:
    """The services of accounts that other features use."""

    users: UserService
    sessions: SessionService
    grants: Grants
    refreshes: RefreshService
    registrations: RegistrationService
    session_check: SessionChecker


def build_accounts(base: Foundations, access_tokens: AccessTokens) -> Accounts:
    """Bottom-up: accounts as rows, sessions, registering, signing in."""
    settings, uow, clock = base.settings, base.uow, base.clock
    users = base.add(UserService(uow, UserRepository(uow), base.events, clock))

    session_rows, lifetimes = SessionRepository(uow), Lifetimes.of(settings)
    sessions = base.add(
        SessionService(
            uow, session_rows, base.system, base.invalidator, base.audit, base.events, clock, lifetimes,
            settings.max_sessions,
        )
    )  # fmt: skip
    grants = Grants(users, RefreshTokens(base.ring.derive("refresh-token")), access_tokens, lifetimes)
    refreshes = base.add(
        RefreshService(
            uow, session_rows, sessions, users, base.system, grants, base.throttle, _refresh_budgets(settings),
            base.audit, base.events, base.jobs, clock,
        )
    )  # fmt: skip
    SessionJobs(uow, session_rows, users, base.mailer, settings).register_with(base.jobs)

    registrations = _build_registration(base, users, sessions, grants)
    base.add(
        AuthService(
            uow, users, registrations, sessions, refreshes, grants, base.hasher, base.throttle,
            SignInBudgets.of(settings), base.audit,
        )
    )  # fmt: skip
    check = SessionChecker(uow, session_rows, base.cache, clock)
    return Accounts(users, sessions, grants, refreshes, registrations, check)


def _build_registration(
    base: Foundations, users: UserService, sessions: SessionService, grants: Grants
) -> RegistrationService:
    settings, uow, clock = base.settings, base.uow, base.clock
    rows = RegistrationRepository(uow)
    codes = VerificationCodes(base.ring.derive("verify-email-link"), base.ring.derive("verify-email-code"))
    service = base.add(
        RegistrationService(
            uow, rows, users, sessions, grants, base.hasher, base.policy, codes, base.throttle,
            _registration_budgets(settings),
            RegistrationRules(settings.verification_hours, settings.verification_code_minutes),
            base.audit, base.events, base.jobs, clock,
        )
    )  # fmt: skip
    jobs = RegistrationJobs(uow, rows, users, codes, base.audit, base.mailer, settings, clock)
    jobs.register_with(base.jobs)
    return service


def _refresh_budgets(settings: Settings) -> RefreshBudgets:
    factor = settings.rate_limit_factor
    return RefreshBudgets(
        session=Budget.of("refresh-session", settings.rate_limit_refresh_session, factor),
        failures=Budget.of("refresh-failures", settings.rate_limit_refresh_failures, factor),
    )


def _registration_budgets(settings: Settings) -> RegistrationBudgets:
    factor = settings.rate_limit_factor
    return RegistrationBudgets(
        address=Budget.of("register-address", settings.rate_limit_register_address, factor),
        mail=Budget.of("verification-mail", settings.rate_limit_verification_mail, factor),
        verify=Budget.of("verify-address", settings.rate_limit_verify_address, factor),
        code=Budget("verify-code", CODE_TRIES, settings.verification_code_minutes * 60),
    )
