"""What a plan writes is what marshmallow writes, for every schema of an answer and whatever values come along."""

import enum
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from random import Random
from types import SimpleNamespace
from uuid import uuid4

import pytest
from marshmallow import Schema, fields

import app.application
from app.web.fields import Id, Timestamp
from app.web.schemas import Output

assert app.application, "every feature's schemas are imported"


def below(kind):
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


OUTPUTS = sorted(
    {each for each in below(Output) if each.__module__.startswith("app.")}, key=lambda each: each.__name__
)


class Word(enum.StrEnum):
    kelp = "kelp"


CHOICES = {
    Timestamp: [
        datetime(2026, 5, 1, tzinfo=UTC),
        datetime(1, 1, 3, 4, 5, 6, 999_999, timezone(timedelta(hours=-11))),
    ],
    fields.String: ["", "kelp \N{TROPICAL FISH}", Word.kelp, b"kelp", 3],
    fields.Integer: [0, -(2**63), True, "3", 3.0],
    fields.Boolean: [True, False, "true", 0, 1],
    fields.UUID: [uuid4(), "not one", 3],
}
"""Values of the type that a field is for, and of others that marshmallow takes."""


def value_of(field, chance):
    """Nothing, or a value for the field."""
    kind = next((kind for kind in CHOICES if isinstance(field, kind)), None)
    if chance.random() < 0.2:
        return None
    if kind:
        return chance.choice(CHOICES[kind])
    if isinstance(field, fields.Nested):
        return object_of(field.schema, chance)
    if isinstance(field, fields.List):
        return [value_of(field.inner, chance) for _ in range(chance.randrange(3))]
    return {"kelp": chance.randrange(3)}


def object_of(schema, chance):
    """A mapping or an object, complete or not."""
    missing = 0.2 if chance.random() < 0.3 else 0
    values = {
        field.attribute or name: value_of(field, chance)
        for name, field in schema.dump_fields.items()
        if chance.random() >= missing
    }
    return values if chance.random() < 0.5 else SimpleNamespace(**values)


def outcome(write, obj):
    try:
        return write(obj)
    except Exception as error:  # noqa: BLE001 - whatever the two raise must be the same
        return type(error), str(error)


@pytest.mark.parametrize("kind", OUTPUTS, ids=lambda kind: kind.__name__)
def test_a_plan_writes_what_marshmallow_writes(kind):
    schema, chance = kind(), Random(kind.__name__)
    for _ in range(100):
        obj = object_of(schema, chance)
        assert outcome(schema._serialize, obj) == outcome(partial(Schema._serialize, schema), obj)


def test_the_order_of_the_fields_is_that_of_the_schema():
    class Reef(Output):
        b = fields.String()
        a = fields.Integer()

    assert list(Reef().dump({"a": 1, "b": "kelp"})) == ["b", "a"]


def test_a_field_with_ways_of_its_own_is_asked():
    class Loud(fields.String):
        def _serialize(self, value, attr, obj, **kwargs):
            return super()._serialize(value, attr, obj, **kwargs).upper()

    class Reef(Output):
        name = Loud()
        length = fields.Integer(as_string=True)
        depth = fields.Float()
        found = fields.Method("finds")
        deep = fields.String(attribute="inner.name")
        wire = fields.String(data_key="onWire")

        def finds(self, obj):
            return f"{obj.name}!"

    reef = SimpleNamespace(name="kelp", length=3, depth=3, inner=SimpleNamespace(name="urchin"), wire="w")
    written = Reef().dump(reef)
    assert written == {
        "name": "KELP", "length": "3", "depth": 3.0, "found": "kelp!", "deep": "urchin", "onWire": "w"
    }  # fmt: skip
    assert isinstance(written["depth"], float)


def test_many_are_written_one_by_one():
    class Reef(Output):
        id = Id()
        at = Timestamp()

    one, moment = uuid4(), datetime(2026, 5, 1, 12, tzinfo=UTC)
    expected = {"id": str(one), "at": "2026-05-01T12:00:00.000Z"}
    assert Reef(many=True).dump([{"id": one, "at": moment}] * 2) == [expected] * 2
