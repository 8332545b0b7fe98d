"""SQL of the change feed: one statement a page, so that the page and its snapshot are of one moment.

The cost depends on how many projects the person belongs to, not on how many events there are: for each of them one look
from the end of ``ix_events_project_id_xid_seq``.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, String, TextClause, Uuid, bindparam, column, text
from sqlalchemy.sql.expression import TextualSelect

from app.changes.snapshots import Snapshot
from app.changes.views import ChangeView
from app.core.events import MEMBER_KINDS, EventKind
from app.core.uow import UnitOfWork
from app.projects.models import Project
from app.projects.views import PLAIN, ProjectView

IDENTITY = 8


@dataclass(frozen=True)
class Batch:
    """What one statement found.

    Attributes:
        snapshot: the one that it was answered from.
        newest: transaction of the newest event in it, 0 where there is none.
        database: which database answered, 8 bytes. After a restore, a failover or ``pg_upgrade`` it is another one:
            there numbers of transactions are used again.
        changes: in the order of their projects' ids.
    """

    snapshot: Snapshot
    newest: int
    database: bytes
    changes: list[ChangeView]


def _quoted(kinds: tuple[EventKind, ...]) -> str:
    return ", ".join(f"'{kind.value}'" for kind in kinds)


ELSEWHERE = tuple(kind for kind in EventKind if not kind.value.startswith("project."))
"""What such events tell changes the project for nobody; what happens to members, for the one they are about."""

# The timeline of the log that is written, not that of the last checkpoint: after a failover the latter is late.
MOMENT = """
moment AS MATERIALIZED (
    SELECT pg_current_snapshot()::text AS snapshot,
           coalesce((SELECT e.xid::text FROM events e ORDER BY e.xid DESC, e.seq DESC LIMIT 1), '0') AS newest,
           concat_ws(
               ' ',
               (SELECT system_identifier FROM pg_control_system()),
               left(pg_walfile_name(pg_current_wal_lsn()), 8),
               (SELECT oid FROM pg_database WHERE datname = current_database()),
               (SELECT database_id FROM system_state)
           ) AS identity
)
"""
# ``xid >= xmin`` says nothing that the second condition does not, but an index can be read along it. The planner must not
# see the value: nothing newer is in its statistics, so that it takes the index of all events for as good as a project's.
NEW = """
    e.xid >= (SELECT pg_snapshot_xmin(CAST(:since AS pg_snapshot)))
    AND NOT pg_visible_in_snapshot(e.xid, CAST(:since AS pg_snapshot))
    AND (CAST(:upto AS pg_snapshot) IS NULL OR pg_visible_in_snapshot(e.xid, CAST(:upto AS pg_snapshot)))
"""
CHANGED = f"""
of_projects AS (
    SELECT m.project_id, latest.created_at
    FROM project_members m
    CROSS JOIN LATERAL (
        SELECT e.created_at FROM events e
        WHERE e.project_id = m.project_id AND {NEW} AND e.kind NOT IN ({_quoted(ELSEWHERE)})
        ORDER BY e.xid DESC, e.seq DESC
        LIMIT 1
    ) latest
    WHERE m.user_id = :person AND m.project_id > :after
    ORDER BY m.project_id
    LIMIT :most
), of_the_person AS (
    SELECT e.project_id, max(e.created_at) AS created_at FROM events e
    WHERE e.subject_id = :person AND e.kind IN ({_quoted(MEMBER_KINDS)}) AND {NEW} AND e.project_id > :after
    GROUP BY e.project_id
    ORDER BY e.project_id
    LIMIT :most
), page AS (
    SELECT project_id, max(created_at) AS changed_at
    FROM (SELECT * FROM of_projects UNION ALL SELECT * FROM of_the_person) AS told
    GROUP BY project_id
    ORDER BY project_id
    LIMIT :most
)
"""  # noqa: S608 - made of our own words  # nosec B608
PRESENT = """
page AS (
    SELECT m.project_id, p.updated_at AS changed_at
    FROM project_members m JOIN projects p ON p.id = m.project_id
    WHERE m.user_id = :person AND m.project_id > :after AND p.status <> 'deleted'
    ORDER BY m.project_id
    LIMIT :most
)
"""
# Trash is a tombstone for everybody, the owner too.
SHOWN = f"""
SELECT moment.snapshot, moment.newest, moment.identity, page.project_id, page.changed_at,
       m.role AS my_role, {", ".join(f"p.{name}" for name in PLAIN)}
FROM moment
LEFT JOIN page ON true
LEFT JOIN project_members m ON m.project_id = page.project_id AND m.user_id = :person
LEFT JOIN projects p ON p.id = m.project_id AND p.status <> 'deleted'
ORDER BY page.project_id
"""  # noqa: S608 - made of our own words  # nosec B608


CHANGES_SQL, COPY_SQL = (f"WITH {MOMENT}, {page} {SHOWN}" for page in (CHANGED, PRESENT))


def _typed(statement: TextClause) -> TextualSelect:
    own = [column(name, Project.__table__.c[name].type) for name in PLAIN]
    return statement.bindparams(bindparam("person", type_=Uuid()), bindparam("after", type_=Uuid())).columns(
        column("snapshot", String), column("newest", String), column("identity", String),
        column("project_id", Uuid()), column("changed_at", DateTime(timezone=True)), column("my_role", String), *own,
    )  # fmt: skip


CHANGES, COPY = _typed(text(CHANGES_SQL)), _typed(text(COPY_SQL))


class ChangeRepository:
    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def present(self, person: UUID, after: UUID, most: int, now: datetime) -> Batch:
        """So many of the projects that somebody may see, after that one."""
        return self._answer(COPY, now, person=person, after=after, most=most)

    def changed(
        self, person: UUID, since: Snapshot, upto: Snapshot | None, after: UUID, most: int, now: datetime
    ) -> Batch:
        """So many of the projects that changed for somebody, after that one.

        Args:
            since: what was to be seen then is known.
            upto: what was not to be seen then comes later; None for whatever is to be seen now.
            now: by the service's clock, for the snapshot.
        """
        until = str(upto) if upto else None
        return self._answer(CHANGES, now, person=person, after=after, most=most, since=str(since), upto=until)

    def _answer(self, statement: TextualSelect, now: datetime, **asked: Any) -> Batch:
        rows = self._uow.session.execute(statement, asked).all()
        found = rows[0]
        return Batch(
            Snapshot.parse(found.snapshot, now),
            int(found.newest),
            blake2b(found.identity.encode(), digest_size=IDENTITY).digest(),
            [_change(row) for row in rows if row.project_id is not None],
        )


def _change(row: Any) -> ChangeView:
    project = None if row.id is None else ProjectView.read(row)
    return ChangeView(row.project_id, project, row.changed_at)
