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
from marshmallow.decorators import POST_DUMP, PRE_DUMP

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

    def write(self, obj: Any) -> Any:
        """What marshmallow would make of it; made once of an object that keeps it (``written_by``), since nobody changes that.

        One may keep it as bytes (``orjson.Fragment``).
        """
        kept: dict[Plan, Any] | None = getattr(obj, "written_by", None)
        if kept is None:
            return self._write(obj)
        found = kept.get(self)
        if found is None:
            kept[self] = written = self._write(obj)
            found = kept.get(self, written)
        return found

    def _write(self, obj: Any) -> dict[str, Any]:
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


class Items:
    """How a list of nested objects is written, where marshmallow would ask each of them for its schema.

    Args:
        schema: of the nested ones, found when the first list is written: schemas may nest each other.
    """

    def __init__(self, schema: Callable[[], Schema]) -> None:
        self._schema = schema
        self._write: Write | None = None

    def __call__(self, items: list[Any]) -> list[Any]:
        write = self._write
        if write is None:
            write = self._write = self._way()
        return [None if item is None else write(item) for item in items]

    def _way(self) -> Write:
        schema = self._schema()
        plan = getattr(schema, "plan", None)
        hooked = schema._hooks[PRE_DUMP] or schema._hooks[POST_DUMP]  # noqa: SLF001 - no public name
        return schema.dump if plan is None or hooked or schema.many else plan.write


def _known(field: fields.Field[Any]) -> Mapping[type, Write]:
    kind = type(field)
    inner = field.inner if isinstance(field, fields.List) else None
    if kind is fields.List and type(inner) is fields.Nested and not inner.many:
        return {list: Items(lambda: inner.schema), type(None): _same}
    ordinary = kind.serialize is fields.Field.serialize and kind.get_value is fields.Field.get_value
    known = KNOWN.get(kind._serialize) if ordinary else None  # noqa: SLF001 - see KNOWN
    if known is None or getattr(field, "as_string", False) or getattr(field, "num_type", int) is not int:
        return {}  # a Float writes as an Integer does, and makes 3.0 of 3
    return {**known, type(None): _same}
