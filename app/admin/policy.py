"""What administrators may do to accounts."""

from collections.abc import Mapping
from uuid import UUID

from app.core.access import AccountStatus, SiteRole
from app.users.models import User


def administers(user: User | None) -> bool:
    """Whether that account administers the site now; the tokens it holds may say so a moment longer."""
    return user is not None and user.role == SiteRole.admin and user.status == AccountStatus.active


def standing(user: User, wanted: Mapping[str, str]) -> dict[str, str]:
    """Role and status that come of a wish.

    ``active`` ends a suspension, and nothing else: what was before holds again, a scheduled deletion too.
    """
    role, status = wanted.get("role", user.role), wanted.get("status", user.status)
    if status == AccountStatus.active and user.deletion_scheduled_at is not None:
        status = AccountStatus.deletion_scheduled.value
    return {"role": role, "status": status}


def leaves_nobody(user: User, becomes: Mapping[str, str], administrators: int) -> bool:
    """Whether the site would have no administrator who can act (see ``UserService.active_administrators``)."""
    stays = becomes["role"] == SiteRole.admin and becomes["status"] == AccountStatus.active
    return administers(user) and not stays and administrators <= 1


def may_reset_factors(actor_id: UUID, user_id: UUID) -> bool:
    """Not one's own: a factor is taken off by somebody who proves another one, or by somebody else."""
    return actor_id != user_id
