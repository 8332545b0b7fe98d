"""Projects on the wire."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from marshmallow import fields, post_load, pre_dump

from app.core.errors import FieldCode
from app.projects.bulk import BulkAction, BulkOutcome
from app.projects.filters import SORTS, ProjectFilters
from app.projects.models import ProjectRole, ProjectStatus
from app.web.faults import MESSAGES, Fault, refuse
from app.web.fields import Choice, Choices, Id, Text, Timestamp
from app.web.problems import body as problem_body
from app.web.schemas import Input, Output, PageQuery, Problem, page_of

COUNT = {"minimum": 0, "maximum": 9_007_199_254_740_991, "format": "int64", "examples": [3]}
ABOUT_REEFS = {"examples": ["What grows where, and since when."]}
OWNER = {"examples": ["0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a01"]}
EXPANDABLE = ("owner", "counts")
MOST_AT_ONCE = 100
FILTERS = {field.name for field in dataclasses.fields(ProjectFilters)}
EXPAND = "A comma list of what to add; null without it."


class ProjectCreate(Input):
    name = Text(required=True, shortest=1, longest=255, metadata={"examples": ["Reef survey"]})
    description = Text(longest=10_000, lines=True, allow_none=True, load_default=None, metadata=ABOUT_REEFS)


class ProjectUpdate(Input):
    """Absent keeps, null clears."""

    name = Text(shortest=1, longest=255, metadata={"examples": ["Reef survey 2026"]})
    description = Text(longest=10_000, lines=True, allow_none=True, metadata=ABOUT_REEFS)


class ProjectOwner(Output):
    id = Id(required=True, metadata=OWNER)
    display_name = fields.String(required=True, metadata={"maxLength": 100, "examples": ["Alice"]})


class ProjectCounts(Output):
    members = fields.Integer(required=True, metadata=COUNT)
    files = fields.Integer(required=True, metadata=COUNT)
    storage_bytes = fields.Integer(required=True, metadata=COUNT)


class Project(Output):
    """A project as the caller sees it."""

    id = Id(required=True, metadata={"examples": ["0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a02"]})
    name = fields.String(required=True, metadata={"maxLength": 255, "examples": ["Reef survey"]})
    description = fields.String(required=True, allow_none=True, metadata={"maxLength": 10_000, **ABOUT_REEFS})
    status = Choice(list(ProjectStatus), required=True)
    owner_id = Id(required=True, metadata=OWNER)
    my_role = Choice(list(ProjectRole), required=True, metadata={"examples": ["owner"]})
    version = fields.Integer(
        required=True, metadata={"minimum": 1, "maximum": 2147483647, "format": "int32", "examples": [7]}
    )
    created_at = Timestamp(required=True, metadata={"examples": ["2026-05-01T12:00:00.000Z"]})
    updated_at = Timestamp(required=True)
    archived_at = Timestamp(required=True, allow_none=True)
    deleted_at = Timestamp(required=True, allow_none=True)
    owner = fields.Nested(ProjectOwner, required=True, allow_none=True)
    counts = fields.Nested(ProjectCounts, required=True, allow_none=True)


ProjectPage: Any = page_of(Project)


class ProjectIds(fields.List[Any]):
    """One to a hundred ids, each once."""

    default_error_messages = {**MESSAGES, "invalid": Fault(FieldCode.wrong_type, "This must be a list.")}

    def __init__(self, **options: Any) -> None:
        metadata = {"minItems": 1, "maxItems": MOST_AT_ONCE, "uniqueItems": True}
        super().__init__(Id(), metadata=metadata, **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> list[Any]:
        if isinstance(value, list) and not value:
            raise refuse(FieldCode.too_short, "At least one id.", min=1)
        if isinstance(value, list) and len(value) > MOST_AT_ONCE:
            raise refuse(FieldCode.too_long, f"At most {MOST_AT_ONCE} ids.", max=MOST_AT_ONCE)
        found = super()._deserialize(value, attr, data, **kwargs)
        if len(set(found)) < len(found):
            raise refuse(FieldCode.invalid_format, "An id stands here twice.")
        return found


class ProjectBulkRequest(Input):
    action = Choice(list(BulkAction), required=True, metadata={"examples": ["archive"]})
    ids = ProjectIds(required=True)


class ProjectBulkResult(Output):
    """What became of one project: `project` where it was done, `problem` where it was not; the other one is null."""

    id = Id(required=True)
    status = fields.Integer(
        required=True, metadata={"minimum": 200, "maximum": 499, "format": "int32", "examples": [200]}
    )
    project = fields.Nested(Project, required=True, allow_none=True)
    problem = fields.Nested(Problem, required=True, allow_none=True)

    @pre_dump
    def spread(self, outcome: BulkOutcome, **_options: Any) -> dict[str, Any]:
        """The outcome as the answer of a request of its own would tell it."""
        if outcome.refusal is None:
            return {"id": outcome.id, "status": 200, "project": outcome.project, "problem": None}
        told = problem_body(outcome.refusal.code, outcome.refusal.detail)
        return {"id": outcome.id, "status": told["status"], "project": None, "problem": told}


class ProjectBulkAnswer(Output):
    """One result for each id, in the order of `ids`."""

    results = fields.List(
        fields.Nested(ProjectBulkResult), required=True, metadata={"maxItems": MOST_AT_ONCE}
    )


class ProjectExpand(Input):
    expand = Choices(EXPANDABLE, load_default=(), metadata={"examples": ["owner"], "description": EXPAND})


class ProjectQuery(PageQuery):
    """Filters of the list; all that are sent must hold."""

    q = Text(
        shortest=1,
        longest=100,
        metadata={"description": "Words of the name, in any order; a typing error is forgiven."},
    )
    status = Choices(
        list(ProjectStatus),
        metadata={"examples": ["active"], "description": "A comma list; active where it is left out."},
    )
    role = Choice(list(ProjectRole), metadata={"description": "Mine in the project."})
    owner_id = Id(metadata={**OWNER, "description": "Of the account that owns it."})
    created_after = Timestamp(metadata={"description": "At or after."})
    created_before = Timestamp(metadata={"description": "Before."})
    updated_after = Timestamp(metadata={"description": "At or after."})
    sort = Choice(
        list(SORTS),
        metadata={
            "description": "With `q` the default is `relevance`; without it `relevance` means `-updated_at`."
        },
    )
    expand = Choices(
        EXPANDABLE, load_default=(), metadata={"examples": ["owner,counts"], "description": EXPAND}
    )

    @post_load
    def split(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        chosen = {name: data.pop(name) for name in FILTERS & data.keys()}
        return {**data, "filters": ProjectFilters(**chosen)}
