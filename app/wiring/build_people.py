"""People as rows, the mails that tell them what happened, the work they wait for: what all others stand on."""

from dataclasses import dataclass

from app.users.notices import SecurityNotices
from app.users.repository import UserRepository
from app.users.service import UserService
from app.wiring.foundations import Foundations
from app.work.repository import WorkRepository
from app.work.service import WorkService


@dataclass
class People:
    users: UserService
    notices: SecurityNotices
    work: WorkService


def build_people(base: Foundations) -> People:
    rows = UserRepository(base.uow)
    users = base.add(UserService(base.uow, rows, base.events, base.clock))
    notices = base.add(SecurityNotices(base.uow, rows, base.audit, base.jobs, base.letters))
    notices.register_with(base.jobs)
    work = base.add(WorkService(base.uow, WorkRepository(base.uow), base.clock))
    return People(users, notices, work)
