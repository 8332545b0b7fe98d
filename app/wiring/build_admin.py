"""What stands on top and asks the services of accounts: administration, and what people see of their own trail."""

from app.account.service import ActivityService
from app.admin.repository import AdminRepository
from app.admin.service import AdminService
from app.api_tokens.service import ApiTokenService
from app.core.pagination import Cursors
from app.wiring.build_accounts import Accounts
from app.wiring.foundations import Foundations


def build_admin(base: Foundations, accounts: Accounts, api_tokens: ApiTokenService) -> AdminService:
    base.add(ActivityService(base.uow, base.audit, Cursors(base.ring.derive("cursor"))))
    return base.add(
        AdminService(
            base.uow, AdminRepository(base.uow), accounts.users, accounts.sessions, api_tokens,
            accounts.factors.service, accounts.passkeys, accounts.notices, Cursors(base.ring.derive("cursor")), base.clock,
        )
    )  # fmt: skip
