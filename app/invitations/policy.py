"""Who may invite, and to what; docs/architecture.md shows it as a table."""

from app.members.policy import can_manage, may_grant


def can_invite(role: str) -> bool:
    """Whether somebody may invite at all, and see who is invited: addresses are shown to nobody else."""
    return can_manage(role)


def may_offer(role: str, offered: str) -> bool:
    """Whether somebody may offer a role, offer it again, or take that back: those below the own one (SEC-42)."""
    return may_grant(role, offered)
