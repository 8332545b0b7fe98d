"""What is wrong with one value, on its way through marshmallow: a message with a stable code."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from app.core.errors import FieldCode


class Fault(str):
    """A message that also knows its code and the rule's parameters; marshmallow carries it as a text."""

    __slots__ = ("code", "params")

    code: FieldCode
    params: dict[str, Any]

    def __new__(cls, code: FieldCode, detail: str, **params: Any) -> "Fault":
        fault = super().__new__(cls, detail)
        fault.code = code
        fault.params = params
        return fault

    def format(self, *_args: Any, **_values: Any) -> "Fault":
        """marshmallow formats its messages; ours are finished, and formatting would lose the code."""
        return self


def refuse(code: FieldCode, detail: str, **params: Any) -> ValidationError:
    return ValidationError(Fault(code, detail, **params))


MESSAGES: Mapping[str, Fault] = {
    "required": Fault(FieldCode.required, "This field is required."),
    "null": Fault(FieldCode.null_not_allowed, "This field may not be null."),
    "validator_failed": Fault(FieldCode.invalid_format, "This value is not valid."),
}
