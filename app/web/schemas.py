"""The two kinds of schema, and the ones that every feature shares."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, missing, post_load

from app.core.errors import Code, FieldCode, QuotaScope
from app.core.pagination import PageRequest
from app.web.faults import Fault
from app.web.fields import Choice, Flag, Number, Text
from app.web.quick_dump import Plan

MAX_CURSOR = 2_000
"""A name of 255 characters takes up to 1,020 bytes; with id, MAC and base64 that makes 1,450 characters."""
BYTES = {"minimum": 0, "maximum": 9_007_199_254_740_991, "format": "int64"}
CURSOR_PATTERN = r"^[A-Za-z0-9._-]+$"


class Input(Schema):
    """What clients send. Unknown fields are refused by name: a typo must not be a silent no-op."""

    class Meta:
        unknown = RAISE

    WAYS: ClassVar[dict[str, tuple[str, ...]]] = {}
    """For the document: where one of several sets of fields must be sent, a name for each set."""

    error_messages = {
        "unknown": Fault(FieldCode.unknown_field, "This field is not known here."),
        "type": Fault(FieldCode.wrong_type, "This must be a JSON object."),
    }


class Output(Schema):
    """What clients get. Every documented field is there, ``null`` where there is nothing.

    Clients must tolerate fields they do not know: adding one is no breaking change.
    """

    class Meta:
        unknown = EXCLUDE

    @cached_property
    def plan(self) -> Plan:
        return Plan(self)

    def _serialize(self, obj: Any, *, many: bool = False) -> Any:
        return [self.plan.write(each) for each in obj] if many and obj is not None else self.plan.write(obj)


class OneOf(Schema):
    """One of several schemas; a field that each of them has says which (OpenAPI's discriminator).

    Attributes:
        BY: that field.
        VARIANTS: the schemas by its value.
    """

    BY: ClassVar[str]
    VARIANTS: ClassVar[Mapping[str, type[Schema]]]

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        del many
        return self.VARIANTS[getattr(obj, self.BY)]().dump(obj)

    def load(self, data: Any, **_options: Any) -> Any:
        """What the variant that ``data`` names makes of it; its faults, or that it names none."""
        if not isinstance(data, Mapping):
            raise ValidationError([Input.error_messages["type"]], "_schema")
        chosen = Choice(self.VARIANTS, required=True)
        try:
            variant = chosen.deserialize(data.get(self.BY, missing))
        except ValidationError as error:
            raise ValidationError({self.BY: error.messages}) from None
        return self.VARIANTS[str(variant)]().load(data)


class Empty(Input):
    """No query parameters."""


class FieldProblem(Output):
    """One refused field."""

    location = fields.String(required=True, metadata={"maxLength": 20, "examples": ["body"]})
    field = fields.String(required=True, metadata={"maxLength": 200, "examples": ["name"]})
    code = Choice([code.value for code in FieldCode], required=True)
    detail = fields.String(required=True, metadata={"maxLength": 500})
    params = fields.Dict(required=True, metadata={"description": "The rule's figures, such as `max`."})


class Problem(Output):
    """An error (RFC 9457). `code` is stable and from a closed list; `detail` is safe to show to people."""

    type = fields.String(required=True, metadata={"format": "uri", "maxLength": 300})
    title = fields.String(required=True, metadata={"maxLength": 100})
    status = fields.Integer(required=True, metadata={"minimum": 400, "maximum": 599, "format": "int32"})
    detail = fields.String(required=True, metadata={"maxLength": 500})
    code = Choice([code.value for code in Code], required=True)
    request_id = fields.String(required=True, metadata={"maxLength": 64})
    errors = fields.List(fields.Nested(FieldProblem), metadata={"maxItems": 100})
    retry_after = fields.Integer(metadata={"minimum": 0, "maximum": 315_360_000, "format": "int32"})
    methods = fields.List(fields.String(metadata={"maxLength": 20}), metadata={"maxItems": 10})
    max_age = fields.Integer(metadata={"minimum": 0, "maximum": 86_400, "format": "int32"})
    left = fields.Integer(metadata={**BYTES, "description": "Bytes of room, with `quota_exceeded`."})
    scope = Choice(
        [scope.value for scope in QuotaScope],
        metadata={"description": "What is full, with `quota_exceeded`."},
    )
    max = fields.Integer(
        metadata={**BYTES, "description": "Bytes of the largest file, with `file_too_large`."}
    )
    projects = fields.List(
        fields.Dict(),
        metadata={"maxItems": 100, "description": "Id and name of each, with `owns_shared_projects`."},
    )
    current = fields.Dict(metadata={"description": "The resource as it is now, with `version_conflict`."})


class PageQuery(Input):
    """How lists are paged; children add filters and sorts."""

    limit = Number(
        smallest=1,
        largest=100,
        in_query=True,
        load_default=20,
        metadata={"format": "int32", "description": "Items a page."},
    )
    cursor = Text(
        longest=MAX_CURSOR, shortest=1,
        metadata={"description": "`next_cursor` of the page before.", "pattern": CURSOR_PATTERN},
    )  # fmt: skip
    include_total = Flag(
        in_query=True, load_default=False, metadata={"description": "Count all that match, to 10,000."}
    )

    @post_load
    def gather(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        request = PageRequest(data.pop("limit"), data.pop("cursor", None), data.pop("include_total"))
        return {**data, "page": request}


def page_of(item: type[Schema], *, total: bool = True) -> type[Schema]:
    """The schema of a page of such items, named for the generated client: ``ProjectPage``."""
    members: dict[str, Any] = {
        "items": fields.List(fields.Nested(item), required=True, metadata={"maxItems": 100}),
        "next_cursor": fields.String(
            required=True,
            allow_none=True,
            metadata={"maxLength": MAX_CURSOR, "pattern": CURSOR_PATTERN, "examples": [None]},
        ),
        "has_more": fields.Boolean(required=True),
    }
    if total:
        description = "Only with `include_total=true`, else null; counts to 10,000."
        limits = {
            "minimum": 0,
            "maximum": 10_000,
            "format": "int32",
            "description": description,
            "examples": [None],
        }
        members["total"] = fields.Integer(required=True, allow_none=True, metadata=limits)
        members["total_capped"] = fields.Boolean(
            required=True,
            allow_none=True,
            metadata={"description": "Whether there are more.", "examples": [None]},
        )
    name = f"{item.__name__.removesuffix('Schema')}Page"
    return type(name, (Output,), {**members, "__module__": item.__module__})
