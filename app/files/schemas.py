"""Files on the wire."""

import dataclasses
from typing import Any, ClassVar

from marshmallow import fields, post_load

from app.files.filters import DEFAULT_SORT, SORTS, FileFilters
from app.files.models import FailureCode, FileState
from app.web.fields import Choice, Flag, Id, Number, Text, Timestamp
from app.web.schemas import Input, Output, PageQuery, page_of

BYTES = {"minimum": 0, "maximum": 9_007_199_254_740_991, "format": "int64", "examples": [48213]}
PERSON = {"examples": ["0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a01"]}
ADDRESS = {"format": "uri", "maxLength": 500, "examples": [None]}
FILTERS = {field.name for field in dataclasses.fields(FileFilters)}
LARGEST_EDGE = 1024


class FileUpdate(Input):
    name = Text(required=True, shortest=1, longest=255, metadata={"examples": ["north wall.jpg"]})


class File(Output):
    """A file. `content_url` and `thumbnail_url` need no header and are good for minutes: read the file anew for others."""

    VOLATILE: ClassVar = ("content_url", "thumbnail_url")

    id = Id(required=True, metadata={"examples": ["0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a07"]})
    project_id = Id(required=True)
    name = fields.String(required=True, metadata={"maxLength": 255, "examples": ["north wall.jpg"]})
    content_type = fields.String(required=True, metadata={"maxLength": 127, "examples": ["image/jpeg"]})
    size = fields.Integer(required=True, metadata=BYTES)
    sha256 = fields.String(
        required=True, metadata={"maxLength": 64, "pattern": "^[0-9a-f]{64}$", "examples": ["5c" * 32]}
    )
    state = Choice(list(FileState), required=True, metadata={"examples": ["ready"]})
    failure_code = Choice(
        list(FailureCode),
        required=True,
        allow_none=True,
        metadata={"enum": [*FailureCode, None], "examples": [None]},
    )
    content_url = fields.String(required=True, allow_none=True, metadata=ADDRESS)
    thumbnail_url = fields.String(required=True, allow_none=True, metadata=ADDRESS)
    uploaded_by = Id(required=True, allow_none=True, metadata=PERSON)
    version = fields.Integer(
        required=True, metadata={"minimum": 1, "maximum": 2147483647, "format": "int32", "examples": [1]}
    )
    created_at = Timestamp(required=True)
    updated_at = Timestamp(required=True)
    deleted_at = Timestamp(required=True, allow_none=True)


FilePage: Any = page_of(File)


class FileQuery(PageQuery):
    """Filters of the list; all that are sent must hold."""

    q = Text(shortest=1, longest=100, metadata={"description": "Words of the name, in any order."})
    state = Choice(list(FileState), metadata={"description": "Where it stands."})
    trashed = Flag(
        in_query=True,
        load_default=False,
        metadata={"description": "Those in the trash instead of the others."},
    )
    sort = Choice(
        list(SORTS),
        load_default=DEFAULT_SORT,
        metadata={"examples": [DEFAULT_SORT], "description": "A `-` in front turns the order round."},
    )

    @post_load
    def split(self, data: dict[str, Any], **_options: Any) -> dict[str, Any]:
        chosen = {name: data.pop(name) for name in FILTERS & data.keys()}
        return {**data, "filters": FileFilters(**chosen)}


class ContentQuery(Input):
    redirect = Flag(
        in_query=True,
        load_default=False,
        metadata={"description": "Answer 302 to a signed address that needs no header, good for minutes."},
    )
    download = Flag(
        in_query=True,
        load_default=False,
        metadata={"description": "A file to keep, also where a browser could show it."},
    )


class ThumbnailQuery(Input):
    size = Number(
        smallest=1,
        largest=LARGEST_EDGE,
        in_query=True,
        load_default=256,
        metadata={
            "format": "int32",
            "description": "Pixels of the longest side: the next larger one is sent.",
        },
    )


class AddressQuery(Input):
    token = Text(
        required=True,
        shortest=1,
        longest=200,
        metadata={"pattern": "^[A-Za-z0-9._-]+$", "description": "Of a `content_url` or `thumbnail_url`."},
    )
    download = Flag(in_query=True, load_default=False, metadata={"description": "A file to keep."})
