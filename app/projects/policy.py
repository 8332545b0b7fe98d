"""The permission table of projects, one function per verb; docs/architecture.md shows it as a table.

Each takes the role the actor has in the project. Who has none never gets here: for strangers the project does not
exist.
"""

from app.projects.models import ProjectRole, ProjectStatus

EDITORS = {ProjectRole.editor, ProjectRole.admin, ProjectRole.owner}
ADMINS = {ProjectRole.admin, ProjectRole.owner}


def can_read(role: str, status: str) -> bool:
    """Every member reads; what is in the trash exists for its owner only."""
    return status != ProjectStatus.deleted or role == ProjectRole.owner


def can_edit(role: str) -> bool:
    return role in EDITORS


def can_archive(role: str) -> bool:
    return role in ADMINS


def can_trash(role: str) -> bool:
    return role == ProjectRole.owner


def can_restore(role: str) -> bool:
    return role == ProjectRole.owner


def can_purge(role: str) -> bool:
    return role == ProjectRole.owner
