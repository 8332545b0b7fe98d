"""The OpenAPI document: valid, whole, closed, and free of what the framework would leave in it."""

import json
import re

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from app.core.access import Caller
from app.core.errors import Code
from app.web.docs import document
from app.web.errors import CHALLENGED
from app.web.openapi import API_PREFIX
from app.web.operations import declared
from app.web.problems import CATALOGUE

VERBS = {"get", "post", "patch", "put", "delete"}


@pytest.fixture
def spec(app):
    with app.app_context():
        return document()


def operations(spec):
    return [
        (path, verb, told)
        for path, item in spec["paths"].items()
        for verb, told in item.items()
        if verb in VERBS
    ]


def named(spec, name):
    return next(told for _, _, told in operations(spec) if told["operationId"] == name)


def parameters(told, place):
    return {each["name"] for each in told["parameters"] if each["in"] == place}


def everywhere(node):
    """Every mapping of the document."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from everywhere(value)
    elif isinstance(node, list):
        for value in node:
            yield from everywhere(value)


def checkers(spec):
    """A validator for any schema of the document, whose components are read once for all of them."""
    registry = jsonschema_rs.Registry([("urn:document", spec)], draft=jsonschema_rs.Draft202012)

    def checker(schema):
        text = json.dumps(schema).replace('"#/', '"urn:document#/')
        return jsonschema_rs.Draft202012Validator(json.loads(text), validate_formats=True, registry=registry)

    return checker


@pytest.mark.parametrize("public_url", ["http://localhost:8000", "https://api.example.com"])
def test_it_is_valid_openapi_3_1(make_app, public_url):
    app = make_app(public_url=public_url)
    with app.app_context():
        spec = document()
    validate(spec)
    assert spec["openapi"].startswith("3.1")


def test_making_it_twice_gives_the_same(app, spec):
    with app.app_context():
        assert document() == spec


def test_it_names_every_route_of_the_api(app, spec):
    routes = {
        (rule.rule.removeprefix(API_PREFIX).replace("<uuid:", "{").replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(f"{API_PREFIX}/")
    }
    assert routes - {("/openapi.json", "get")} == {(path, verb) for path, verb, _ in operations(spec)}


def test_operations_have_names_and_words(spec):
    names = [told["operationId"] for _, _, told in operations(spec)]
    assert len(names) == len(set(names))
    tags = {tag["name"]: tag["description"] for tag in spec["tags"]}
    for _, _, told in operations(spec):
        assert told["summary"]
        assert not told["summary"].endswith(".")
        assert "`" not in told["summary"]  # viewers show it as it stands
        assert told["description"]
        assert [tags[tag] for tag in told["tags"]]
        assert all(each["description"] for each in told["parameters"])


def test_nothing_of_the_framework_is_left(spec):
    assert set(spec["components"]) == {"schemas", "headers", "examples", "securitySchemes"}
    assert not {"Error", "PaginationMetadata"} & set(spec["components"]["schemas"])
    assert all("default" not in told["responses"] for _, _, told in operations(spec))
    text = json.dumps(spec)
    for leftover in ("x-operation", "x-ways", "x-new-password", "readOnly", "DEFAULT_ERROR"):
        assert leftover not in text


def test_every_reference_is_met_and_every_component_used(spec):
    used = {node["$ref"] for node in everywhere(spec) if "$ref" in node}
    there = {
        f"#/components/{kind}/{name}"
        for kind, parts in spec["components"].items()
        for name in parts
        if kind != "securitySchemes"
    }
    assert used == there


def test_answers_carry_every_field_and_requests_take_no_others(app, spec):
    """Unknown fields are refused, so the document says so; answers may gain fields, so it does not there."""
    schemas = spec["components"]["schemas"]
    asked = {
        ref.rpartition("/")[2]
        for _, _, told in operations(spec)
        for node in everywhere(told.get("requestBody", {}))
        if (ref := node.get("$ref"))
    }
    asked |= {each["$ref"].rpartition("/")[2] for name in asked for each in schemas[name].get("oneOf", [])}
    inside = {
        node["$ref"].rpartition("/")[2]
        for name in asked
        for node in everywhere(schemas[name])
        if "$ref" in node
    } - asked
    inside |= {
        node["$ref"].rpartition("/")[2]
        for name in inside
        for node in everywhere(schemas[name])
        if "$ref" in node
    }
    for name, schema in schemas.items():
        if "properties" in schema and name in asked:
            assert schema["additionalProperties"] is False, name
        elif "properties" in schema and name in inside:
            # What a browser wrote (a passkey's credential) may have members that nobody reads here.
            assert "additionalProperties" not in schema, name
        elif "properties" in schema and name != "Problem":
            assert set(schema.get("required", [])) == set(schema["properties"]), name
            assert "additionalProperties" not in schema, name


def test_strings_and_numbers_are_bounded(spec):
    for node in everywhere(spec):
        kinds = node.get("type", ())
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if "string" in kinds and ("in" not in node):
            assert "maxLength" in node or "enum" in node, node
        if "integer" in kinds:
            assert {"minimum", "maximum", "format"} <= set(node), node
        if "array" in kinds:
            assert "maxItems" in node, node


def test_errors_are_closed_by_code(app, spec):
    """Each status lists exactly the codes that the operation declares, each with a schema that allows that code."""
    by_name = {
        operation.name: operation for endpoint in app.view_functions if (operation := declared(app, endpoint))
    }
    schemas = spec["components"]["schemas"]
    for _, _, told in operations(spec):
        documented = {}
        for status, response in told["responses"].items():
            content = response.get("content", {}).get("application/problem+json")
            if content:
                assert set(content["examples"]) == codes_of(content["schema"], schemas)
                documented |= dict.fromkeys(codes_of(content["schema"], schemas), int(status))
        operation = by_name[told["operationId"]]
        statuses = {code: operation.statuses.get(code, CATALOGUE[code].status) for code in operation.codes}
        assert documented == {code.value: status for code, status in statuses.items()}


def codes_of(schema, schemas):
    """The values of ``code`` that a schema lets through."""
    if "$ref" in schema:
        return codes_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "oneOf" in schema:
        return set().union(*(codes_of(each, schemas) for each in schema["oneOf"]))
    if "allOf" in schema:
        return set.intersection(*(codes_of(each, schemas) for each in schema["allOf"]))
    return set(schema["properties"].get("code", {}).get("enum", [code.value for code in Code]))


def test_a_conflict_shows_the_resource(spec):
    schema = named(spec, "updateProject")["responses"]["412"]["content"]["application/problem+json"]["schema"]
    assert {
        "properties": {"current": {"$ref": "#/components/schemas/Project"}},
        "required": ["current"],
    } in schema["allOf"]


@pytest.mark.parametrize(
    ("operation", "status", "code", "field"),
    [
        ("changePassword", "422", "invalid_credentials", "current_password"),
        ("completeMfa", "401", "invalid_code", "code"),
        ("resetPassword", "422", "invalid_code", "code"),
        ("listProjects", "422", "invalid_cursor", "cursor"),
    ],
)
def test_the_example_of_a_problem_names_the_field_at_fault(spec, operation, status, code, field):
    shown = named(spec, operation)["responses"][status]["content"]["application/problem+json"]["examples"]
    example = spec["components"]["examples"][shown[code]["$ref"].rpartition("/")[2]]["value"]
    assert [fault["field"] for fault in example["errors"]] == [field]


def test_meta_names_what_the_document_has(spec, anonymous):
    always_there = {"meta", "auth", "account", "passkey_sign_in"}
    told = anonymous.get("/meta").json["features"]
    assert {tag["name"] for tag in spec["tags"]} - always_there == set(told)


def test_every_example_fits_its_schema(spec):
    checked, checker = 0, checkers(spec)
    for node in everywhere(spec):
        for example in node.get("examples", []) if isinstance(node.get("examples"), list) else []:
            checker(node).validate(example)
            checked += 1
        if "schema" not in node:
            continue
        shown = [node["example"]] if "example" in node else []
        if isinstance(node.get("examples"), dict):
            names = [each["$ref"].rpartition("/")[2] for each in node["examples"].values()]
            shown += [spec["components"]["examples"][name]["value"] for name in names]
        for example in shown:
            checker(node["schema"]).validate(example)
            checked += 1
    assert checked > 100


def test_who_may_call(app, spec):
    """SEC-37: private is the rule of the whole document; public operations say so themselves."""
    assert spec["security"] == [{"bearerAuth": []}]
    for _, _, told in operations(spec):
        if told["x-caller"] == Caller.anyone.value:
            assert {} in told["security"]
        else:
            assert "security" not in told
            assert "401" in told["responses"]
    assert named(spec, "refreshSession")["security"] == [{}, {"refreshCookie": []}]
    assert "X-CSRF-Token" in parameters(named(spec, "refreshSession"), "header")


def test_headers(spec):
    for _, _, told in operations(spec):
        for status, response in told["responses"].items():
            names = set(response["headers"])
            assert {"RateLimit", "RateLimit-Policy", "X-Request-ID"} <= names
            assert ("Retry-After" in names) >= (status in {"429", "503"})
            about_tokens = {code.value for code in CHALLENGED}
            told_of = set(re.findall(r"`([a-z_]+)`", response["description"]))
            assert ("WWW-Authenticate" in names) == bool(about_tokens & told_of)
    create, read, update = (named(spec, f"{verb}Project") for verb in ("create", "get", "update"))
    assert {"Location", "ETag", "Idempotency-Replayed"} <= set(create["responses"]["201"]["headers"])
    assert "content" not in read["responses"]["304"]
    assert parameters(read, "header") == {"If-None-Match"}
    assert parameters(update, "header") == {"If-Match", "Idempotency-Key"}
    assert "Set-Cookie" in named(spec, "signIn")["responses"]["200"]["headers"]


def test_null_is_a_type_and_either_way_is_a_schema(spec):
    schemas = spec["components"]["schemas"]
    assert schemas["Project"]["properties"]["description"]["type"] == ["string", "null"]
    ways = {each["$ref"].rpartition("/")[2] for each in schemas["VerifyEmail"]["oneOf"]}
    assert ways == {"VerifyEmailByLink", "VerifyEmailByCode"}
    assert "code" not in schemas["VerifyEmailByLink"]["properties"]
    assert schemas["VerifyEmailByCode"]["required"] == ["code", "email"]
    assert "token" not in schemas["VerifyEmailByCode"]["properties"]


@pytest.mark.parametrize("operation", ["get", "patch"])
@pytest.mark.parametrize("name", ["If-None-Match", "If-Match"])
def test_headers_are_no_longer_than_documented(alice, operation, name):
    """What the operation does not declare is ignored; what it declares is bounded."""
    declared_here = (operation, name) in {("get", "If-None-Match"), ("patch", "If-Match")}
    body = {"json": {"display_name": "Alice"}} if operation == "patch" else {}
    answer = alice.open(operation.upper(), "/me", headers={name: '"' + "7" * 999 + '"'}, **body)
    assert answer.status_code == (422 if declared_here else 200)
    if declared_here:
        [fault] = answer.json["errors"]
        assert (fault["location"], fault["field"], fault["code"]) == ("header", name, "too_long")
