"""Changes on the wire."""

from marshmallow import fields

from app.changes.cursors import LONGEST
from app.changes.views import ChangeType
from app.projects.schemas import Project
from app.web.fields import Choice, Id, Number, Text, Timestamp
from app.web.schemas import CURSOR_PATTERN, Input, Output

EXAMPLE_CURSOR = "k1.7Xh0c2NvcmUtb2YtYS1jdXJzb3I"


class ChangesQuery(Input):
    since = Text(
        shortest=1, longest=LONGEST,
        metadata={
            "description": "`next_cursor` of the page before, or of the last time; without it everything I may see.",
            "pattern": CURSOR_PATTERN,
        },
    )  # fmt: skip
    limit = Number(
        smallest=1,
        largest=100,
        in_query=True,
        load_default=20,
        metadata={"format": "int32", "description": "Items a page."},
    )


class Change(Output):
    """A project that changed for me. `upsert`: keep it as it is here. `removed`: drop it."""

    type = Choice(list(ChangeType), required=True, metadata={"examples": ["upsert"]})
    object = Choice(["project"], required=True)
    id = Id(required=True)
    project = fields.Nested(
        Project,
        required=True,
        allow_none=True,
        metadata={"description": "As getProject shows it; null when removed."},
    )
    changed_at = Timestamp(required=True)


class ChangePage(Output):
    items = fields.List(fields.Nested(Change), required=True, metadata={"maxItems": 100})
    next_cursor = fields.String(
        required=True,
        metadata={
            "maxLength": LONGEST,
            "pattern": CURSOR_PATTERN,
            "examples": [EXAMPLE_CURSOR],
            "description": "Never null: keep it, it is the next `since`.",
        },
    )
    has_more = fields.Boolean(required=True, metadata={"description": "Whether to ask again at once."})
