"""API tokens on the wire."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from app.api_tokens.tokens import CHECK_DIGITS, PATTERN, PREFIX, SECRET_DIGITS
from app.core.errors import FieldCode
from app.web.faults import MESSAGES, Fault, refuse
from app.web.fields import Choice, Id, Text, Timestamp
from app.web.schemas import Input, Output, page_of

SCOPES = ("read", "write")
LONGEST = len(PREFIX) + SECRET_DIGITS + CHECK_DIGITS
SHOWN = {"maxItems": len(SCOPES), "examples": [["read"]]}


class Scopes(fields.List[str]):
    """What a token may do: at least one word of the closed list, none of them twice."""

    default_error_messages = {**MESSAGES, "invalid": Fault(FieldCode.wrong_type, "This must be a list.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(
            Choice(SCOPES),
            metadata={"minItems": 1, "uniqueItems": True, "description": "`read` for GET, `write` for all else.",
                      **SHOWN},
            **options,
        )  # fmt: skip

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        if not value:
            raise refuse(FieldCode.too_short, "At least one scope.", min=1)
        if len(value) > len(SCOPES):
            raise refuse(FieldCode.too_long, f"At most {len(SCOPES)} scopes.", max=len(SCOPES))
        found = super()._deserialize(value, attr, data, **kwargs)
        if len(set(found)) < len(found):
            raise refuse(FieldCode.invalid_format, "A scope stands here twice.")
        return found


class ApiTokenCreate(Input):
    name = Text(required=True, shortest=1, longest=100, metadata={"examples": ["Nightly report"]})
    scopes = Scopes(required=True)
    expires_at = Timestamp(
        allow_none=True, load_default=None,
        metadata={"description": "Null for as late as may be: `API_TOKEN_DAYS` ahead.", "examples": [None]},
    )  # fmt: skip


class ApiToken(Output):
    """A key with which a script acts in the owner's name; the token itself is not in it."""

    id = Id(required=True)
    name = fields.String(required=True, metadata={"maxLength": 100, "examples": ["Nightly report"]})
    scopes = fields.List(Choice(SCOPES), required=True, metadata=SHOWN)
    created_at = Timestamp(required=True)
    expires_at = Timestamp(required=True)
    last_used_at = Timestamp(required=True, allow_none=True, metadata={"description": "To within a minute."})


class NewApiToken(ApiToken):
    """A token that was just made. This is the only time that it is shown."""

    token = fields.String(
        required=True,
        metadata={"minLength": LONGEST, "maxLength": LONGEST, "pattern": PATTERN,
                  "examples": ["hf_" + "0" * SECRET_DIGITS + "4FomBV"]},
    )  # fmt: skip


ApiTokenPage: Any = page_of(ApiToken)
