"""People as rows, and the mails that tell them what happened: what accounts and projects both stand on."""

from dataclasses import dataclass

from app.users.notices import SecurityNotices
from app.users.repository import UserRepository
from app.users.service import UserService
from app.wiring.foundations import Foundations


@dataclass
class People:
    users: UserService
    notices: SecurityNotices


def build_people(base: Foundations) -> People:
    rows = UserRepository(base.uow)
    users = base.add(UserService(base.uow, rows, base.events, base.clock))
    notices = base.add(SecurityNotices(base.uow, rows, base.audit, base.jobs, base.letters))
    notices.register_with(base.jobs)
    return People(users, notices)
