"""The permission table of members, one function per verb; docs/architecture.md shows it as a table.

Each takes the role the actor has in the project. Who has none never gets here.
"""

from app.projects.models import ProjectRole

RANK = {role: place for place, role in enumerate(ProjectRole)}
GRANTABLE = (ProjectRole.viewer, ProjectRole.editor, ProjectRole.admin)
"""Ownership is not granted, it is transferred."""


def can_manage(role: str) -> bool:
    """Whether members may be invited, changed and removed at all."""
    return RANK[ProjectRole(role)] >= RANK[ProjectRole.admin]


def may_grant(role: str, granted: str) -> bool:
    """Nobody grants the own role or a higher one (SEC-42)."""
    return can_manage(role) and RANK[ProjectRole(granted)] < RANK[ProjectRole(role)]


def may_change(role: str, target: str) -> bool:
    """Whether a member with the role ``target`` may be changed or removed: those below oneself."""
    return may_grant(role, target)


def can_transfer(role: str) -> bool:
    return role == ProjectRole.owner


def sees_addresses(role: str) -> bool:
    """E-mail addresses are shown to those who invite and remove."""
    return can_manage(role)
