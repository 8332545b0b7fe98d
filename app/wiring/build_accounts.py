"""Accounts: who people are, where they are signed in, how they prove it."""

from collections.abc import Callable
from dataclasses import dataclass

from app.auth.budgets import SignInBudgets
from app.auth.passkey_sign_in import PasskeySignIn
from app.auth.service import AuthService
from app.auth.step_up import StepUpService
from app.config import Settings
from app.core.access import AccessTokens, Actor
from app.core.mail_codes import MailCodes
from app.core.throttle import Budget
from app.invitations.service import InvitationService
from app.passkeys.service import PasskeyService
from app.registration.jobs import RegistrationJobs
from app.registration.repository import RegistrationRepository
from app.registration.service import (
    CODE_TRIES,
    RegistrationBudgets,
    RegistrationRules,
    RegistrationService,
)
from app.sessions.admissions import Admissions
from app.sessions.check import SessionChecker
from app.sessions.devices import DeviceTokens
from app.sessions.grants import Grants
from app.sessions.jobs import SessionJobs
from app.sessions.lifetimes import Lifetimes
from app.sessions.refresh import RefreshBudgets, RefreshService
from app.sessions.repository import SessionRepository
from app.sessions.service import SessionService
from app.sessions.tokens import RefreshTokens
from app.users.notices import SecurityNotices
from app.users.service import UserService
from app.wiring.build_passkeys import PasskeyParts
from app.wiring.build_people import People
from app.wiring.build_second_factor import SecondFactors, build_second_factor
from app.wiring.foundations import Foundations


@dataclass
class Accounts:
    """The services of accounts that other features use."""

    users: UserService
    notices: SecurityNotices
    sessions: SessionService
    grants: Grants
    admissions: Admissions
    refreshes: RefreshService
    registrations: RegistrationService
    factors: SecondFactors
    passkeys: PasskeyService
    auth: AuthService
    session_check: SessionChecker
    step_up_methods: Callable[[Actor], list[str]]


def build_accounts(
    base: Foundations, access_tokens: AccessTokens, people: People, invitations: InvitationService
) -> Accounts:
    """Bottom-up: sessions, registering (which accepts what people were invited to), signing in."""
    settings, uow, clock = base.settings, base.uow, base.clock
    users, notices = people.users, people.notices

    session_rows, lifetimes = SessionRepository(uow), Lifetimes.of(settings)
    sessions = base.add(
        SessionService(
            uow, session_rows, base.system, base.watch, base.audit, base.events, clock, lifetimes,
            settings.max_sessions,
        )
    )  # fmt: skip
    devices = DeviceTokens(base.ring.derive("device-token"))
    grants = base.add(
        Grants(users, RefreshTokens(base.ring.derive("refresh-token")), access_tokens, lifetimes, devices)
    )
    admissions = Admissions(uow, sessions, grants, devices, notices)
    refreshes = base.add(
        RefreshService(
            uow, session_rows, sessions, users, base.system, grants, base.throttle, _refresh_budgets(settings),
            base.audit, base.events, base.jobs, clock,
        )
    )  # fmt: skip
    SessionJobs(uow, session_rows, users, base.letters).register_with(base.jobs)

    registrations = _build_registration(base, people, invitations, sessions, grants)
    passkeys = PasskeyParts.of(base, users)
    factors = build_second_factor(base, users, sessions, notices, admissions, passkeys.rows)
    own_passkeys = passkeys.service(base, users, factors.service, grants, notices)
    auth = base.add(
        AuthService(
            uow, users, registrations, sessions, refreshes, admissions, factors.second_step, base.hasher,
            base.throttle, SignInBudgets.of(settings), base.audit,
        )
    )  # fmt: skip
    step_up = base.add(
        StepUpService(
            uow, users, sessions, grants, factors.service, factors.check, passkeys.check, base.hasher, base.throttle,
            SignInBudgets.of(settings), notices,
        )
    )  # fmt: skip
    base.add(
        PasskeySignIn(
            uow, own_passkeys, passkeys.check, factors.second_step, users, admissions, base.throttle,
            SignInBudgets.of(settings), base.audit,
        )
    )  # fmt: skip
    check = SessionChecker(uow, session_rows, base.known_callers("session"), clock)
    return Accounts(
        users,
        notices,
        sessions,
        grants,
        admissions,
        refreshes,
        registrations,
        factors,
        own_passkeys,
        auth,
        check,
        step_up.methods,
    )


def _build_registration(
    base: Foundations,
    people: People,
    invitations: InvitationService,
    sessions: SessionService,
    grants: Grants,
) -> RegistrationService:
    settings, uow, clock = base.settings, base.uow, base.clock
    rows = RegistrationRepository(uow)
    codes = MailCodes("hfv1", base.ring.derive("verify-email-link"), base.ring.derive("verify-email-code"))
    service = base.add(
        RegistrationService(
            uow, rows, people.users, sessions, grants, base.hasher, base.policy, codes, base.throttle,
            _registration_budgets(settings),
            RegistrationRules(settings.verification_hours, settings.verification_code_minutes),
            people.notices, invitations, base.events, base.jobs, clock,
        )
    )  # fmt: skip
    RegistrationJobs(uow, rows, codes, base.letters, settings, clock).register_with(base.jobs)
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
