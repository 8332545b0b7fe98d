"""Schemas in the OpenAPI document: what apispec makes of ours, and what it cannot know."""

from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema

from app.config import Settings
from app.web.fields import NEW_PASSWORD
from app.web.schemas import Input, OneOf

WAYS = "x-ways"
REF = "#/components/schemas"


class Converter(OpenAPIConverter):
    """apispec's, telling what our classes say: their docstring, and which fields go together."""

    def schema2jsonschema(self, schema: Schema) -> dict[str, Any]:
        if isinstance(schema, OneOf):
            return self._one_of(schema)
        made: dict[str, Any] = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]  # apispec's
        words = vars(type(schema)).get("__doc__")
        if words:
            made["description"] = " ".join(words.split())
        if isinstance(schema, Input) and schema.WAYS:
            made[WAYS] = dict(schema.WAYS)
        return made

    def _one_of(self, schema: OneOf) -> dict[str, Any]:
        """With a discriminator, so that a client's compiler narrows by the field."""
        references = {
            value: self.resolve_nested_schema(variant)  # type: ignore[no-untyped-call]  # apispec's
            for value, variant in schema.VARIANTS.items()
        }
        mapping = {value: reference["$ref"] for value, reference in references.items()}
        return {
            "description": " ".join((type(schema).__doc__ or "").split()),
            "oneOf": list(references.values()),
            "discriminator": {"propertyName": schema.BY, "mapping": mapping},
        }


class SchemaPlugin(MarshmallowPlugin):
    Converter = Converter


def finish_schemas(schemas: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The component schemas as clients get them.

    Args:
        schemas: by name; they are changed.
        settings: for the shortest password.
    """
    for schema in schemas.values():
        for member in schema.get("properties", {}).values():
            # Answers and requests have schemas of their own, so readOnly would only double the client's types.
            member.pop("readOnly", None)
            if member.pop(NEW_PASSWORD, False):
                member["minLength"] = settings.password_min_length
    finished: dict[str, Any] = {}
    for name, schema in schemas.items():
        ways = schema.pop(WAYS, {})
        finished |= _each_way(schema, ways)
        chosen = [{"$ref": f"{REF}/{way}"} for way in ways]
        finished[name] = {"description": schema["description"], "oneOf": chosen} if ways else schema
    return finished


def sample(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """An example of a schema, made of the examples of its members."""
    if "$ref" in schema:
        return sample(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if "properties" in schema:
        return {name: sample(member, schemas) for name, member in schema["properties"].items()}
    if "anyOf" in schema or "null" in schema.get("type", ()):
        return None
    return schema["enum"][0] if "enum" in schema else schema.get("type") == "boolean"


def _each_way(schema: dict[str, Any], ways: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """One closed schema per way, without the fields of the others: a client's compiler sees what goes together."""
    choosing = {field for fields in ways.values() for field in fields}
    return {
        name: {
            **schema,
            "description": f"By {' and '.join(f'`{field}`' for field in fields)}.",
            "properties": {
                field: member
                for field, member in schema["properties"].items()
                if field in fields or field not in choosing
            },
            "required": sorted({*schema.get("required", []), *fields}),
        }
        for name, fields in ways.items()
    }
