"""Administration on the wire."""

from collections.abc import Iterable
from typing import Any

from marshmallow import fields, post_load

from app.admin.views import NEWEST_FIRST, OLDEST_FIRST, SIGN_INS, AccountFilters, AuditFilters
from app.core.access import AccountStatus, SiteRole
from app.core.audit import AuditKind
from app.projects.models import ProjectStatus
from app.users.schemas import User
from app.web.fields import Choice, Choices, Id, Text, Timestamp
from app.web.schemas import Input, Output, PageQuery, page_of

COUNT = {"minimum": 0, "maximum": 9_007_199_254_740_991, "format": "int64", "examples": [3]}
FACTORS = ["totp", "passkey", "recovery_code"]
SETTABLE = [AccountStatus.active, AccountStatus.suspended]
NULLABLE_ID = {"examples": ["0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a01"]}

UserPage: Any = page_of(User)


class UserDetail(User):
    """An account, as an administrator sees it."""

    last_signed_in_at = Timestamp(
        required=True, allow_none=True,
        metadata={"description": "When the newest session on record began; ended ones stay on record for a while."},
    )  # fmt: skip
    live_sessions = fields.Integer(
        required=True, metadata={**COUNT, "format": "int32", "maximum": 2147483647}
    )
    factors = fields.List(
        Choice(FACTORS), required=True,
        metadata={"maxItems": 10, "description": "What proves the account besides its password.", "examples": [["totp"]]},
    )  # fmt: skip


class UserStanding(Input):
    """Absent keeps. `active` ends a suspension; a scheduled deletion that it hid is scheduled again."""

    role = Choice(list(SiteRole))
    status = Choice(SETTABLE)


class UserQuery(PageQuery):
    """Filters of the list; all that are sent must hold."""

    q = Text(shortest=1, longest=100, metadata={"description": "Part of the address or of the name."})
    role = Choice(list(SiteRole), metadata={"description": "On the site."})
    status = Choices(
        list(AccountStatus),
        metadata={"examples": ["active"], "description": "A comma list; all where it is left out."},
    )
    sort = Choice(
        [NEWEST_FIRST, OLDEST_FIRST], load_default=NEWEST_FIRST, metadata={"description": "By when it began."}
    )

    @post_load
    def gather_filters(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        page = data.pop("page")
        return {"page": page, "filters": AccountFilters(**data)}


class AuditEvent(Output):
    """One line of the security trail. Clients must tolerate kinds that they do not know."""

    id = Id(required=True)
    kind = Choice(list(AuditKind), required=True)
    user_id = Id(required=True, allow_none=True, metadata={"description": "Whose account it concerns."})
    actor_id = Id(
        required=True, allow_none=True, metadata={"description": "Who did it, where that is known."}
    )
    ip = fields.String(
        required=True, allow_none=True,
        metadata={"maxLength": 45, "description": "Truncated to its network.", "examples": ["203.0.113.0"]},
    )  # fmt: skip
    device = fields.String(
        required=True, allow_none=True, metadata={"maxLength": 100, "examples": ["a phone"]}
    )
    data = fields.Dict(required=True, metadata={"description": "Details of the kind.", "examples": [{}]})
    request_id = fields.String(required=True, allow_none=True, metadata={"maxLength": 64, "examples": [None]})
    created_at = Timestamp(required=True)


AuditEventPage: Any = page_of(AuditEvent)


class AuditQuery(PageQuery):
    """Filters of the trail; all that are sent must hold."""

    kind = Choice(list(AuditKind), metadata={"description": "What happened."})
    user_id = Id(metadata={**NULLABLE_ID, "description": "Whose account it concerns."})
    actor_id = Id(metadata={**NULLABLE_ID, "description": "Who did it."})
    created_after = Timestamp(metadata={"description": "At or after."})
    created_before = Timestamp(metadata={"description": "Before."})

    @post_load
    def gather_filters(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        page = data.pop("page")
        return {"page": page, "filters": AuditFilters(**data)}


def _counts(name: str, about: str, kinds: Iterable[str], *, sampled: bool = False) -> type[Output]:
    members: dict[str, Any] = {str(kind): fields.Integer(required=True, metadata=COUNT) for kind in kinds}
    if sampled:
        members["approximate"] = fields.Boolean(
            required=True, metadata={"description": "Whether a sample of a large table was counted."}
        )
    return type(name, (Output,), {**members, "__doc__": about, "__module__": __name__})


AccountCounts = _counts("AccountCounts", "Accounts by status.", AccountStatus, sampled=True)
ProjectTotals = _counts("ProjectTotals", "Projects by status.", ProjectStatus, sampled=True)
SessionTotals = _counts("SessionTotals", "Sessions that can be used.", ["live"], sampled=True)
JobCounts = _counts(
    "JobCounts",
    "The queue; failed ones are kept for a week.",
    ["waiting", "running", "failed", "oldest_waiting_seconds"],
)
SignInCounts = _counts("SignInCounts", "Sign-ins of the last 24 hours by outcome, from the trail.", SIGN_INS)


class Stats(Output):
    """The figures of the site."""

    accounts = fields.Nested(AccountCounts, required=True)
    projects = fields.Nested(ProjectTotals, required=True)
    sessions = fields.Nested(SessionTotals, required=True)
    jobs = fields.Nested(JobCounts, required=True)
    sign_ins = fields.Nested(SignInCounts, required=True)
    counted_at = Timestamp(required=True)
