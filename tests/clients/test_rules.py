"""Spectral finds no error in the document: its rules for OpenAPI, and OWASP's (the API security top ten of 2023)."""

import dataclasses
import json

from tests.clients.conftest import HERE, PROGRAMS, run

ERROR = 0


def faults(path):
    """What Spectral calls an error, as ``rule at place``."""
    told = run(
        PROGRAMS / "spectral",
        "lint",
        "--ruleset",
        HERE / "spectral.yaml",
        "--format",
        "json",
        "--quiet",
        path,
    )
    found = json.loads(told.stdout or "[]")
    assert told.returncode in {0, 1}, told.stderr
    return [
        f"{one['code']} at {'.'.join(map(str, one['path']))}" for one in found if one["severity"] == ERROR
    ]


def test_the_served_document(document_file):
    assert faults(document_file) == []


def test_the_document_of_a_deployment(service, tmp_path):
    """`flask openapi write`, with an address behind TLS: the document names it."""
    path = tmp_path / "openapi.json"
    https = dataclasses.replace(service, env={**service.env, "PUBLIC_URL": "https://api.example.com"})
    https.command("openapi", "write", str(path))
    document = json.loads(path.read_text())
    assert [server["url"] for server in document["servers"]] == ["https://api.example.com/api/v1"]
    assert document["components"]["securitySchemes"]["refreshCookie"]["name"] == "__Secure-refresh_token"
    assert faults(path) == []


def without_rate_limit(document):
    del document["paths"]["/projects"]["get"]["responses"]["200"]["headers"]["RateLimit"]


def without_bound(document):
    del document["components"]["schemas"]["ProjectCreate"]["properties"]["name"]["maxLength"]


def with_plain_http(document):
    document["servers"][0]["url"] = "http://api.example.com/api/v1"


def with_a_wrong_example(document):
    document["paths"]["/projects"]["post"]["requestBody"]["content"]["application/json"]["example"] = {
        "name": 7
    }


SPOILED = {
    without_rate_limit: "owasp:api4:2023-rate-limit",
    without_bound: "owasp:api4:2023-string-limit",
    with_plain_http: "owasp:api8:2023-no-server-http",
    with_a_wrong_example: "oas3-valid-media-example",
}


def test_the_rules_are_awake(document, tmp_path):
    spoiled = json.loads(json.dumps(document))
    for spoil in SPOILED:
        spoil(spoiled)
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(spoiled))
    assert {fault.partition(" at ")[0] for fault in faults(path)} == set(SPOILED.values())
