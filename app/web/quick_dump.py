"""Answers by marshmallow's schemas, without asking every field of every row what it is.

marshmallow finds out for each value how to get it, whether it is missing, and what it becomes. Most values of an answer are text,
whole numbers, moments and ids of the very type that their field is for: for these a schema is asked once, and its plan says
what becomes of them. Whatever else comes along goes marshmallow's own way (tests/web/test_quick_dump.py holds the two together).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from marshmallow import Schema, fields, missing

from app.web.fields import Timestamp, wire_time

Write = Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


KNOWN: dict[Any, dict[type, Write]] = {
    fields.String._serialize: {str: _same},  # noqa: SLF001 - a field that overrides it is not known
    fields.Integer._serialize: {int: _same},  # noqa: SLF001 - as above
    fields.Boolean._serialize: {bool: _same},  # noqa: SLF001 - as above
    fields.UUID._serialize: {UUID: str},  # noqa: SLF001 - as above
    fields.Nested._serialize: {},  # noqa: SLF001 - as above
    Timestamp._serialize: {datetime: wire_time},  # noqa: SLF001 - as above
}
"""By how a field writes: what becomes of a value of a type. Nothing stays nothing in all of them."""


class Step(NamedTuple):
    """One field of a plan.

    Attributes:
        key: its name in the answer.
        name: in the schema.
        field: marshmallow's.
        known: what becomes of a value of a type.
    """

    key: str
    name: str
    field: fields.Field[Any]
    known: Mapping[type, Write]


class Plan:
    """How a schema writes an object.

    Args:
        schema: its instance.
    """

    def __init__(self, schema: Schema) -> None:
        self._get = schema.get_attribute
        self._steps = [
            Step(field.data_key or name, name, field, _known(field))
            for name, field in schema.dump_fields.items()
        ]
        names = [step.field.attribute or step.name for step in self._steps]
        # One call for all values; with one name alone these would answer the value itself.
        self._of_object, self._of_mapping = attrgetter(*names), itemgetter(*names)
        self._plain = len(names) > 1 and type(schema).get_attribute is Schema.get_attribute
        self._plain = self._plain and not any("." in name for name in names)

    def write(self, obj: Any) -> dict[str, Any]:
        """What marshmallow would make of it."""
        values = self._values(obj)
        written: dict[str, Any] = {}
        for step, value in zip(self._steps, values, strict=True):
            write = step.known.get(type(value))
            made = write(value) if write else step.field.serialize(step.name, obj, accessor=self._get)
            if made is not missing:
                written[step.key] = made
        return written

    def _values(self, obj: Any) -> tuple[Any, ...]:
        """Those of all fields, if all are there."""
        if self._plain:
            try:
                return self._of_mapping(obj) if type(obj) is dict else self._of_object(obj)
            except (AttributeError, KeyError):
                pass
        return (missing,) * len(self._steps)


def _known(field: fields.Field[Any]) -> Mapping[type, Write]:
    kind = type(field)
    ordinary = kind.serialize is fields.Field.serialize and kind.get_value is fields.Field.get_value
    known = KNOWN.get(kind._serialize) if ordinary else None  # noqa: SLF001 - see KNOWN
    if known is None or getattr(field, "as_string", False) or getattr(field, "num_type", int) is not int:
        return {}  # a Float writes as an Integer does, and makes 3.0 of 3
    return {**known, type(None): _same}
