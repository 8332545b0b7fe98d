"""Profile changes on the wire."""

import re
from typing import Any
from zoneinfo import available_timezones

from marshmallow import fields

from app.core.errors import FieldCode
from app.web.faults import refuse
from app.web.fields import Id, Text, Timestamp
from app.web.schemas import Input, Output, page_of

LANGUAGE_TAG = re.compile(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$")


class Locale(Text):
    """A language tag (RFC 5646), such as `en` or `pt-BR`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            longest=35, metadata={"pattern": LANGUAGE_TAG.pattern, "examples": ["en-GB"]}, **options
        )

    def accept(self, text: str) -> str:
        if not LANGUAGE_TAG.match(text):
            raise refuse(FieldCode.invalid_format, "Write a language tag, such as en or pt-BR.")
        return text


class TimeZone(Text):
    """A name of the IANA time zone database."""

    def __init__(self, **options: Any) -> None:
        super().__init__(longest=64, metadata={"examples": ["Europe/Paris"]}, **options)

    def accept(self, text: str) -> str:
        if text not in available_timezones():
            raise refuse(FieldCode.invalid_choice, "Write a time zone such as Europe/Paris.")
        return text


class UserUpdate(Input):
    """What people change about themselves. Absent keeps, null clears."""

    display_name = Text(shortest=1, longest=100, metadata={"examples": ["Alice"]})
    locale = Locale(allow_none=True)
    time_zone = TimeZone(allow_none=True)


class Activity(Output):
    """Something that happened to the safety of the account."""

    id = Id(required=True)
    kind = fields.String(
        required=True,
        metadata={
            "maxLength": 40,
            "examples": ["sign_in.succeeded"],
            "description": "A word of a list that grows: show those you do not know as they are.",
        },
    )
    device = fields.String(
        required=True, allow_none=True, metadata={"maxLength": 100, "examples": ["Alice's phone"]}
    )
    ip = fields.String(
        required=True,
        allow_none=True,
        metadata={"maxLength": 45, "examples": ["203.0.113.0"], "description": "Truncated to its network."},
    )
    data = fields.Dict(required=True, metadata={"description": "Details, by kind; never a secret."})
    created_at = Timestamp(required=True)


ActivityPage: Any = page_of(Activity)
