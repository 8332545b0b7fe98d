"""A project's history on the wire."""

from typing import Any

from marshmallow import fields, post_load

from app.activity.filters import ActivityFilters
from app.activity.kinds import KINDS, OBJECTS
from app.projects.schemas import ProjectOwner
from app.web.fields import Choice, Id, Timestamp
from app.web.schemas import Output, PageQuery, page_of

RENAMED = {"name": {"before": "Reef survey", "after": "Reef survey 2026"}}


class ProjectActivityObject(Output):
    """What it was done to."""

    type = Choice(list(OBJECTS), required=True)
    id = Id(required=True, allow_none=True, metadata={"description": "Null for an account that was erased."})
    display_name = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "maxLength": 100,
            "description": "Of a member who still has an account.",
            "examples": [None],
        },
    )


class ProjectActivity(Output):
    """One line of a project's history. Clients must tolerate kinds that they do not know."""

    id = Id(required=True)
    kind = Choice(list(KINDS), required=True, metadata={"examples": ["project.updated"]})
    actor = fields.Nested(
        ProjectOwner,
        required=True,
        allow_none=True,
        metadata={"description": "Null where nobody did it, and for an account that was erased."},
    )
    object = fields.Nested(ProjectActivityObject, required=True)
    changes = fields.Dict(
        required=True, metadata={"description": "`before` and `after` of each field.", "examples": [RENAMED]}
    )
    created_at = Timestamp(required=True)


ProjectActivityPage: Any = page_of(ProjectActivity)


class ProjectActivityQuery(PageQuery):
    """Filters of the history; all that are sent must hold."""

    actor_id = Id(metadata={"description": "Who did it."})
    kind = Choice(list(KINDS), metadata={"description": "What happened."})

    @post_load
    def narrow(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        kind = data.pop("kind", None)
        filters = ActivityFilters(data.pop("actor_id", None), (kind,) if kind else ())
        return {**data, "filters": filters}
