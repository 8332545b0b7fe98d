"""Work on the wire."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, pre_dump

from app.core.errors import Code
from app.web.fields import MAX_INT64, Choice, Id, Timestamp
from app.web.problems import CATALOGUE
from app.web.schemas import Output
from app.work.models import WorkState

COUNT = {"minimum": 0, "maximum": MAX_INT64, "format": "int64"}


class JobProblem(Output):
    """Why it failed, in the words of a problem (RFC 9457)."""

    code = Choice([code.value for code in Code], required=True)
    title = fields.String(required=True, metadata={"maxLength": 100, "examples": ["Internal error"]})
    detail = fields.String(
        required=True, metadata={"maxLength": 500, "examples": ["The copy could not be made."]}
    )

    @pre_dump
    def with_title(self, problem: Mapping[str, Any], **_options: Any) -> dict[str, Any]:
        return {**problem, "title": CATALOGUE[Code(problem["code"])].title}


class Job(Output):
    """Something that is made in the background."""

    id = Id(required=True)
    kind = fields.String(
        required=True,
        metadata={"maxLength": 60, "description": "What is done; there will be more.", "examples": ["exports.build"]},
    )  # fmt: skip
    state = Choice(list(WorkState), required=True)
    done = fields.Integer(
        required=True, metadata={**COUNT, "description": "Grows until it is `total`.", "examples": [3]}
    )
    total = fields.Integer(
        required=True, allow_none=True,
        metadata={**COUNT, "description": "How much there is to do, where that is known.", "examples": [8]},
    )  # fmt: skip
    problem = fields.Nested(
        JobProblem, required=True, allow_none=True, metadata={"description": "Only with `failed`."}
    )
    result_url = fields.String(
        required=True, allow_none=True,
        metadata={"maxLength": 300, "format": "uri-reference", "description": "Where the result is, once it is `ready`.",
                  "examples": [None]},
    )  # fmt: skip
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)
