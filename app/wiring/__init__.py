"""The composition root: names every concrete class, hands each what it needs, and lists the API's blueprints.

To add a feature: build its repository and service in the file of its neighbourhood (``build_accounts``, ``build_projects``), name
its blueprint in ``BLUEPRINTS``, its models in app/models.py.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask

from app.account import routes as account
from app.activity import routes as activity
from app.admin import routes as admin
from app.api_tokens import routes as api_tokens
from app.auth import passkey_routes as passkey_sign_in
from app.auth import routes as auth
from app.changes import routes as changes
from app.config import Settings
from app.core.access import Actor, ApiTokenCheck, SessionCheck
from app.core.access_watch import AccessChanges
from app.core.keys import KeyRing, SigningKeys
from app.core.late_releases import LateReleases
from app.core.mail import MailboxFolder
from app.core.passwords import PasswordHasher
from app.deletion import routes as deletion
from app.email_change import routes as email_change
from app.exports import routes as exports
from app.files import routes as files
from app.inventory import Inventory
from app.invitations import routes as invitations
from app.measures import Measures
from app.members import routes as members
from app.members.service import MemberService
from app.passkeys import routes as passkeys
from app.passwords import routes as passwords
from app.projects import routes as projects
from app.readiness import build_checks
from app.registration import routes as registration
from app.second_factor import routes as second_factor
from app.sessions import routes as sessions
from app.sweeps import Sweeps
from app.uploads import routes as uploads
from app.uploads import tus_routes as tus
from app.web import meta
from app.web.health import Readiness
from app.web.tokens import JwtAccessTokens
from app.wiring.build_accounts import build_accounts
from app.wiring.build_addresses import build_addresses
from app.wiring.build_admin import build_admin
from app.wiring.build_changes import build_changes
from app.wiring.build_files import build_files
from app.wiring.build_invitations import build_invitations
from app.wiring.build_leaving import build_api_tokens, build_leaving
from app.wiring.build_people import build_people
from app.wiring.build_projects import build_projects
from app.wiring.engines import Engines
from app.wiring.foundations import Foundations, Service
from app.work import routes as work

BLUEPRINTS = (
    meta.blp,
    registration.blp,
    auth.blp,
    passkey_sign_in.blp,
    sessions.blp,
    second_factor.blp,
    passkeys.blp,
    passwords.blp,
    email_change.blp,
    account.blp,
    api_tokens.blp,
    deletion.blp,
    exports.blp,
    work.blp,
    projects.blp,
    members.blp,
    invitations.blp,
    activity.blp,
    changes.blp,
    files.blp,
    uploads.blp,
    tus.blp,
    admin.blp,
)
"""The table of contents of the API."""


class Parts:
    """Everything a request, a job or a command finds: services by class, and the engines."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        engines = Engines.of(settings)
        self.settings = settings
        self.engines = engines
        self.clock, self.uow, self.jobs = engines.clock, engines.uow, engines.jobs
        self.gate, self.cache = engines.gate, engines.cache
        self.mailbox = engines.mailer if isinstance(engines.mailer, MailboxFolder) else None
        self.mailer = engines.mailer
        signing = SigningKeys(KeyRing.parse(settings.signing_keys.get_secret_value()))
        self.signing_keys = signing
        self.access_tokens = JwtAccessTokens(app, settings, signing, engines.clock)
        self.services: dict[type, Any] = {}
        self.session_check: SessionCheck
        self.api_token_check: ApiTokenCheck
        self.late_releases: LateReleases
        self.step_up_methods: Callable[[Actor], list[str]]
        self._build()
        checks = build_checks(engines.engine, engines.gate, engines.store, settings, engines.replicas)
        self.readiness = Readiness(checks)
        self.measure = Measures(engines.engine, engines.gate, self.services[PasswordHasher])

    def add(self, thing: Service) -> Service:
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

    def _build(self) -> None:
        """Build the features bottom-up, and hand the edge what it asks about callers."""
        base = Foundations.on(self.engines, self.add)
        self.late_releases = base.invalidator.late
        people = build_people(base)
        projects_of_people = build_projects(base, people.users)
        invitations_of_people = build_invitations(
            base, people.users, projects_of_people, self.services[MemberService]
        )
        base.add(Inventory(base.uow))
        files_of_projects = build_files(base, people.users, projects_of_people)
        accounts = build_accounts(base, self.access_tokens, people, invitations_of_people)
        api_tokens, self.api_token_check = build_api_tokens(base, accounts)
        addresses = build_addresses(base, accounts, api_tokens)
        build_changes(base)
        leaving = build_leaving(
            base,
            accounts,
            api_tokens,
            projects_of_people,
            invitations_of_people,
            files_of_projects,
            people.work,
        )
        build_admin(base, accounts, api_tokens)
        Sweeps(
            base.uow, base.clock, base.settings, base.throttle, base.records, base.events, base.audit,
            AccessChanges(base.uow),
            accounts.sessions, accounts.registrations, projects_of_people, accounts.factors.second_step,
            addresses.resets, addresses.changes, accounts.passkeys, api_tokens, leaving.purge,
            leaving.exports, invitations_of_people, people.work,
            files_of_projects.files, files_of_projects.uploads,
            files_of_projects.objects, files_of_projects.jobs,
        ).register_with(base.jobs)  # fmt: skip
        self.session_check = accounts.session_check
        self.step_up_methods = accounts.step_up_methods
