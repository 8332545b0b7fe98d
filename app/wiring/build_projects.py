"""Projects: what people work on, and with whom."""

from app.activity.repository import ActivityRepository
from app.activity.service import ActivityService
from app.core.pagination import Cursors
from app.members.repository import MemberRepository
from app.members.service import MemberService
from app.members.transfers import Transfers
from app.projects.bulk import ProjectBulk
from app.projects.expansion import Expansion
from app.projects.kept_lists import KeptLists
from app.projects.repository import ProjectRepository
from app.projects.service import ProjectService
from app.projects.views import KnownViews
from app.users.service import UserService
from app.wiring.foundations import Foundations


def build_projects(base: Foundations, users: UserService) -> ProjectService:
    cached = base.settings.cache_enabled
    rows = ProjectRepository(base.uow, KnownViews() if cached else None)
    expansion = Expansion(base.uow, rows)
    cursors = Cursors(base.ring.derive("cursor"))
    # What a replica tells may lag behind what the caches were told.
    keeps = cached and not base.settings.database_replica_urls
    lists = KeptLists(base.uow, rows, expansion, cursors, base.cache, base.invalidator, keeps=keeps)
    service: ProjectService = base.add(
        ProjectService(
            base.uow, rows, expansion, lists, base.cache, base.invalidator, base.events, base.clock
        )
    )
    base.add(ActivityService(base.uow, ActivityRepository(base.uow), service, cursors))
    base.add(ProjectBulk(base.uow, service))
    members = base.add(
        MemberService(base.uow, MemberRepository(base.uow), service, cursors, base.events, base.clock)
    )
    base.add(Transfers(base.uow, service, members, users, base.audit, base.jobs, base.letters)).register_with(
        base.jobs
    )
    return service
