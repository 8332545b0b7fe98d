"""The composition root: names every concrete class, hands each what it needs, and lists the API's blueprints.

To add a feature: build its repository and service in ``build_services``, name its blueprint in ``BLUEPRINTS``, its
models in app/models.py.
"""

from dataclasses import dataclass
from typing import Any

from flask import Flask

from app.account import routes as account
from app.auth import routes as auth
from app.auth.budgets import SignInBudgets
from app.auth.service import AuthService
from app.config import Settings
from app.core.access import SessionCheck
from app.core.audit import AuditTrail
from app.core.cache import FactCache, RedisGate
from app.core.clock import Clock
from app.core.db import make_engine
from app.core.events import Events
from app.core.idempotency import IdempotencyRecords
from app.core.invalidation import Invalidator
from app.core.jobs import JobQueue
from app.core.keys import KeyRing, SigningKeys
from app.core.mail import MailboxFolder, Mailer, make_mailer
from app.core.metrics import CACHE_LOOKUPS
from app.core.pagination import Cursors
from app.core.password_policy import PasswordPolicy
from app.core.passwords import PasswordHasher, waiting_room
from app.core.system import SharedClockOffset, SystemRepository
from app.core.throttle import Budget, Throttle
from app.core.uow import UnitOfWork
from app.measures import Measures
from app.projects import routes as projects
from app.projects.repository import ProjectRepository
from app.projects.service import ProjectService
from app.readiness import build_checks
from app.registration import routes as registration
from app.registration.codes import VerificationCodes
from app.registration.jobs import RegistrationJobs
from app.registration.repository import RegistrationRepository
from app.registration.service import RegistrationBudgets, RegistrationRules, RegistrationService
from app.sessions import routes as sessions
from app.sessions.check import SessionChecker
from app.sessions.grants import Grants
from app.sessions.jobs import SessionJobs
from app.sessions.lifetimes import Lifetimes
from app.sessions.refresh import RefreshBudgets, RefreshService
from app.sessions.repository import SessionRepository
from app.sessions.service import SessionService
from app.sessions.tokens import RefreshTokens
from app.sweeps import Sweeps
from app.users.repository import UserRepository
from app.users.service import UserService
from app.web import meta
from app.web.health import Readiness
from app.web.tokens import JwtAccessTokens

BLUEPRINTS = (meta.blp, registration.blp, auth.blp, sessions.blp, account.blp, projects.blp)
"""The table of contents of the API."""


@dataclass
class Engines:
    """What the process talks to; made once, opened on first use, so it may be built before a fork."""

    settings: Settings
    clock: Clock
    offset: SharedClockOffset
    engine: Any
    uow: UnitOfWork
    gate: RedisGate
    cache: FactCache
    jobs: JobQueue
    mailer: Mailer

    @classmethod
    def of(cls, settings: Settings) -> "Engines":
        engine = make_engine(settings)
        offset = SharedClockOffset(engine)
        clock = Clock(offset if settings.development else None)
        uow = UnitOfWork(engine, read_only=settings.read_only)
        gate = RedisGate(settings.redis_url.get_secret_value(), connections=settings.threads * 2)
        cache = FactCache(
            gate,
            enabled=settings.cache_enabled,
            on_lookup=lambda kind, how: CACHE_LOOKUPS.labels(kind, how).inc(),
        )
        jobs = JobQueue(engine, uow, before_each=offset.refresh if settings.development else lambda: None)
        smtp = settings.smtp_url.get_secret_value() if settings.smtp_url else None
        mailer = make_mailer(smtp, settings.mail_from, settings.mailbox_dir, clock=clock)
        return cls(settings, clock, offset, engine, uow, gate, cache, jobs, mailer)


class Parts:
    """Everything a request, a job or a command finds: services by class, and the engines."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        engines = Engines.of(settings)
        self.settings = settings
        self.engines = engines
        self.clock, self.uow, self.jobs, self.gate = engines.clock, engines.uow, engines.jobs, engines.gate
        self.mailbox = engines.mailer if isinstance(engines.mailer, MailboxFolder) else None
        self.mailer = engines.mailer
        signing = SigningKeys(KeyRing.parse(settings.signing_keys.get_secret_value()))
        self.signing_keys = signing
        self.access_tokens = JwtAccessTokens(app, settings, signing, engines.clock)
        self.services: dict[type, Any] = {}
        self.session_check: SessionCheck = build_services(self)
        self.readiness = Readiness(build_checks(engines.engine, engines.gate, settings))
        self.measure = Measures(engines.engine, engines.gate, self.services[PasswordHasher])

    def add(self, thing: Any) -> Any:
        """Make a service findable by its class."""
        self.services[type(thing)] = thing
        return thing

    def refresh_clock(self, *, force: bool = False) -> None:
        """Read the test clock's offset; production has none."""
        if self.settings.development:
            self.engines.offset.refresh(force=force)

    def sweep_soon(self) -> None:
        """Have every periodic job run once."""
        for name in Sweeps.NAMES:
            self.jobs.defer_now(name)


def build_services(parts: Parts) -> SessionCheck:
    """Build the features bottom-up; the answer is what the edge asks about sessions."""
    engines, settings = parts.engines, parts.settings
    uow, clock, jobs = engines.uow, engines.clock, engines.jobs
    ring = KeyRing.parse(settings.secret_keys.get_secret_value())
    system = parts.add(SystemRepository(uow))
    audit, events = parts.add(AuditTrail(uow, clock)), parts.add(Events(uow, clock))
    throttle = parts.add(Throttle(uow, clock, ring.derive("throttle")))
    records = parts.add(IdempotencyRecords(uow, clock))
    invalidator = parts.add(Invalidator(uow, engines.cache, jobs, lambda: engines.gate.open))
    hasher = parts.add(
        PasswordHasher(
            KeyRing.parse(settings.password_peppers.get_secret_value()),
            settings.bcrypt_cost,
            settings.hash_slots,
            max_waiting=waiting_room(settings.threads, settings.hash_slots),
        )
    )

    users = parts.add(UserService(uow, UserRepository(uow), events, clock))

    session_rows = SessionRepository(uow)
    lifetimes = Lifetimes.of(settings)
    own_sessions = parts.add(
        SessionService(
            uow, session_rows, system, invalidator, audit, events, clock, lifetimes, settings.max_sessions
        )
    )
    grants = Grants(users, RefreshTokens(ring.derive("refresh-token")), parts.access_tokens, lifetimes)
    refreshes = parts.add(
        RefreshService(
            uow,
            session_rows,
            own_sessions,
            users,
            system,
            grants,
            throttle,
            _refresh_budgets(settings),
            audit,
            events,
            jobs,
            clock,
        )
    )
    SessionJobs(uow, session_rows, users, engines.mailer, settings).register_with(jobs)

    project_rows = ProjectRepository(uow)
    own_projects = parts.add(
        ProjectService(
            uow, project_rows, Cursors(ring.derive("cursor")), engines.cache, invalidator, events, clock
        )
    )

    policy = parts.add(PasswordPolicy(settings.password_min_length, ("holdfast", settings.product_name)))
    registration_rows = RegistrationRepository(uow)
    codes = VerificationCodes(ring.derive("verify-email-link"), ring.derive("verify-email-code"))
    registrations = parts.add(
        RegistrationService(
            uow,
            registration_rows,
            users,
            own_sessions,
            grants,
            hasher,
            policy,
            codes,
            throttle,
            _registration_budgets(settings),
            RegistrationRules(settings.verification_hours, settings.verification_code_minutes),
            audit,
            events,
            jobs,
            clock,
        )
    )
    RegistrationJobs(
        uow, registration_rows, users, codes, audit, engines.mailer, settings, clock
    ).register_with(jobs)

    parts.add(
        AuthService(
            uow,
            users,
            registrations,
            own_sessions,
            refreshes,
            grants,
            hasher,
            throttle,
            SignInBudgets.of(settings),
            audit,
        )
    )
    Sweeps(
        uow, clock, settings, throttle, records, events, audit, own_sessions, registrations, own_projects
    ).register_with(jobs)
    return SessionChecker(uow, session_rows, engines.cache, clock)


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
        code=Budget("verify-code", 5, settings.verification_code_minutes * 60),
    )
