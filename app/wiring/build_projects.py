"""Projects: what people work on."""

from app.core.pagination import Cursors
from app.projects.repository import ProjectRepository
from app.projects.service import ProjectService
from app.wiring.foundations import Foundations


def build_projects(base: Foundations) -> ProjectService:
    rows, cursors = ProjectRepository(base.uow), Cursors(base.ring.derive("cursor"))
    service: ProjectService = base.add(
        ProjectService(base.uow, rows, cursors, base.cache, base.invalidator, base.events, base.clock)
    )
    return service
