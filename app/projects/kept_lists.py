"""Lists of projects, which a process that has shown them before sends again without SQL as long as nothing in them has changed.

What somebody is listed has a generation, as the facts of a project have (docs/decisions/0041-lists-that-stay.md). Whoever changes a
project moves that of each member; for a crowded one that would be too many, so who belongs to one has every list read.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from uuid import UUID

from app.core.access import Actor
from app.core.cache import FactCache
from app.core.facts import FactKind, Passing
from app.core.invalidation import Invalidator
from app.core.kept_pages import KeptPage, ShownPage
from app.core.pagination import Cursors, Page, PageRequest, query_scope
from app.core.uow import UnitOfWork
from app.projects.expansion import Expansion
from app.projects.filters import ProjectFilters
from app.projects.repository import ProjectRepository
from app.projects.views import Listed, ProjectView

PAGES, LONGEST, LETTERS = 1_000, 50, 8_000
"""Pages that a process keeps, items of one, and letters in them that people wrote: a page is ten kilobytes, seldom more than thirty."""
LISTS = FactKind("projects_of", lasting=True, most=PAGES)


class KeptLists:
    """Args: keeps: ``False`` reads each list (``CACHE_ENABLED``, or replicas that are read instead)."""

    def __init__(
        self,
        uow: UnitOfWork,
        projects: ProjectRepository,
        expansion: Expansion,
        cursors: Cursors,
        cache: FactCache,
        invalidator: Invalidator,
        *,
        keeps: bool,
    ) -> None:
        self._uow = uow
        self._projects = projects
        self._expansion = expansion
        self._cursors = cursors
        self._cache = cache
        self._invalidator = invalidator
        self._keeps = keeps

    def expect(self, user_id: UUID) -> None:
        """Have the generation come with what is asked of Redis next."""
        if self._keeps:
            self._cache.expect(LISTS, str(user_id), "")

    def page(
        self, actor: Actor, filters: ProjectFilters, request: PageRequest, expand: Collection[str]
    ) -> Page[ProjectView]:
        """One page of what the actor may see.

        Raises:
            AppError: ``invalid_cursor``.
        """

        def read() -> Page[ProjectView]:
            return self._read(actor, filters, request, expand).page

        def load() -> Passing | KeptPage[ProjectView]:
            page, told = self._read(actor, filters, request, expand)
            return KeptPage(page, read) if told and _is_small(page) else Passing(page)

        if expand or not self._keeps:
            return read()
        query = query_scope(vars(filters), vars(request)).decode()
        found: Page[ProjectView] | KeptPage[ProjectView]
        found = self._cache.fetch(LISTS, str(actor.user_id), query, load)
        return ShownPage(found) if isinstance(found, KeptPage) else found

    def _read(
        self, actor: Actor, filters: ProjectFilters, request: PageRequest, expand: Collection[str]
    ) -> Listed:
        def listed() -> Listed:
            page, told = self._projects.list_visible(actor, filters, self._cursors, request)
            return Listed(replace(page, items=self._expansion.expand(page.items, expand)), told)

        with self._uow.reading():
            return self._uow.lately(listed, holds=lambda it: self._projects.confirms(actor, it.page.items))

    def forget(self, people: Iterable[UUID]) -> None:
        """Let no process show what it kept for them, once the caller's transaction is committed."""
        for user_id in people:
            self._invalidator.after_commit(LISTS.namespace, str(user_id))


def _is_small(page: Page[ProjectView]) -> bool:
    letters = sum(len(each.name) + len(each.description or "") for each in page.items)
    return len(page.items) <= LONGEST and letters <= LETTERS
