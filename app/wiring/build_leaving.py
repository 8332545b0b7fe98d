"""API tokens, leaving, exports: what people do with an account besides using it."""

from dataclasses import dataclass

from app.api_tokens.check import ApiTokenChecker
from app.api_tokens.repository import ApiTokenRepository
from app.api_tokens.service import ApiTokenRules, ApiTokenService
from app.core.mail_codes import MailCodes
from app.core.pagination import Cursors
from app.core.throttle import Budget
from app.deletion.jobs import DeletionJobs
from app.deletion.purge import AccountPurge
from app.deletion.repository import AccountDeletionRepository
from app.deletion.service import DeletionRules, DeletionService
from app.exports.building import Building
from app.exports.contents import ExportContents
from app.exports.jobs import ExportJobs
from app.exports.repository import ExportRepository
from app.exports.sections import Sections
from app.exports.service import ExportService
from app.invitations.service import InvitationService
from app.projects.service import ProjectService
from app.wiring.build_accounts import Accounts
from app.wiring.build_files import Files
from app.wiring.foundations import Foundations
from app.work.service import WorkService


@dataclass
class Leaving:
    """The services that others use."""

    purge: AccountPurge
    exports: ExportService


def build_api_tokens(base: Foundations, accounts: Accounts) -> tuple[ApiTokenService, ApiTokenChecker]:
    settings, token_rows = base.settings, ApiTokenRepository(base.uow)
    api_tokens: ApiTokenService = base.add(
        ApiTokenService(
            base.uow, token_rows, accounts.users, accounts.notices, base.watch,
            Cursors(base.ring.derive("cursor")), ApiTokenRules(settings.api_token_days, settings.max_api_tokens),
            base.clock,
        )
    )  # fmt: skip
    return api_tokens, ApiTokenChecker(base.uow, token_rows, base.known_callers("api-token"), base.clock)


def build_leaving(
    base: Foundations,
    accounts: Accounts,
    api_tokens: ApiTokenService,
    projects: ProjectService,
    invitations: InvitationService,
    files: Files,
    work: WorkService,
) -> Leaving:
    purge = _build_deletion(base, accounts, api_tokens, projects, invitations)
    return Leaving(purge, _build_exports(base, accounts, api_tokens, projects, invitations, files, work))


def _build_deletion(
    base: Foundations,
    accounts: Accounts,
    api_tokens: ApiTokenService,
    projects: ProjectService,
    invitations: InvitationService,
) -> AccountPurge:
    settings, rows = base.settings, AccountDeletionRepository(base.uow)
    restoring = base.ring.derive("restore-account-link")
    codes = MailCodes("hfk1", restoring, restoring)
    links = Budget.of("verify-address", settings.rate_limit_verify_address, settings.rate_limit_factor)
    base.add(
        DeletionService(
            base.uow, rows, accounts.users, accounts.sessions, api_tokens, projects, accounts.notices, codes,
            base.throttle, DeletionRules(settings.deletion_grace_days, links), base.events, base.jobs, base.clock,
        )
    )  # fmt: skip
    DeletionJobs(base.uow, rows, accounts.users, codes, base.letters).register_with(base.jobs)
    purge: AccountPurge = base.add(
        AccountPurge(
            base.uow, rows, accounts.users, accounts.sessions, accounts.registrations, invitations, projects,
            base.records, base.audit, base.events, base.clock,
        )
    )  # fmt: skip
    return purge


def _build_exports(
    base: Foundations,
    accounts: Accounts,
    api_tokens: ApiTokenService,
    projects: ProjectService,
    invitations: InvitationService,
    files: Files,
    work: WorkService,
) -> ExportService:
    settings, rows, product_name = base.settings, ExportRepository(base.uow), base.settings.product_name
    service: ExportService = base.add(
        ExportService(
            base.uow, rows, accounts.users, accounts.notices, base.jobs, files.objects, work, base.clock,
            settings.export_days,
        )
    )  # fmt: skip
    contents = ExportContents(base.uow, rows, service, accounts.notices, base.audit, base.store, product_name)
    base.add(contents)
    sections = Sections(
        base.uow, accounts.sessions, accounts.passkeys, api_tokens, projects, invitations, base.audit
    )
    building = base.add(Building(service, sections, files.files, base.store, work, base.clock, product_name))
    jobs = ExportJobs(base.uow, rows, service, accounts.users, building, base.store, base.letters)
    jobs.register_with(base.jobs)
    return service
