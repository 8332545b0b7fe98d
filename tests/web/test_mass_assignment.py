"""SEC-41: clients change what they are told they may change, and see what they are told they may see."""

import pytest

from app.models import Base
from tests.fixtures.bodies import GOOD_BODIES
from tests.fixtures.contract import answer_properties, documented_operations

COVETED = {
    "id": "0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a01",
    "user_id": "0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a01",
    "owner_id": "0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a01",
    "role": "admin",
    "is_admin": True,
    "email_verified": True,
    "password_hash": "hf1$k1$$2b$04$kelp",
    "created_at": "2020-01-01T00:00:00.000Z",
    "version": 1000,
}
DECLARED = {
    ("updateUser", "role"),
    ("createInvitation", "role"),
    ("updateMember", "role"),
    ("transferProject", "user_id"),
}
"""Coveted fields that are what the operation is for; tests/admin and tests/members tell who may."""
# What a hostile field could change; the others are counters and records of the requests themselves.
OF_REQUESTS = {"audit_events", "events", "idempotency_records", "system_state", "throttle_counters"}
TABLES = sorted(set(Base.metadata.tables) - OF_REQUESTS)
TELLING = ("password", "hash", "secret", "totp", "mac_key", "pepper")
HARMLESS = {"has_password", "password_min_length", "totp_confirmed_at"}
SHOWN_ONCE = {("StartedTotp", "secret")}


def telling(name):
    return name not in HARMLESS and any(word in name for word in TELLING)


def names_in(value):
    """Every key of an answer, at any depth."""
    if isinstance(value, dict):
        return set(value) | {name for each in value.values() for name in names_in(each)}
    if isinstance(value, list):
        return {name for each in value for name in names_in(each)}
    return set()


@pytest.fixture
def rows(sql):
    return lambda: {table: sorted(sql(f"SELECT t::text FROM {table} t")) for table in TABLES}


def test_every_operation_with_a_body_is_tried(app):
    assert {each.name for each in documented_operations(app) if each.has_body} == set(GOOD_BODIES)


@pytest.mark.parametrize("name", GOOD_BODIES)
def test_sec_41_no_body_takes_a_field_that_it_does_not_declare(app, alice, ada, rows, name):
    project = alice.creates()
    for person in (alice, ada):
        person.get("/me")  # the first use of a token leaves its mark on the session
    operation = next(each for each in documented_operations(app) if each.name == name)
    address = operation.addressed(project_id=project.id)
    before = rows()
    caller = ada if address.startswith("/admin/") else alice
    for field, value in COVETED.items():
        if (name, field) in DECLARED:
            continue
        assert field not in operation.fields
        answer = caller.open(operation.method, address, json={**GOOD_BODIES[name], field: value})
        assert answer.status_code == 422
        faults = {fault["field"]: fault["code"] for fault in answer.json["errors"]}
        assert faults == {field: "unknown_field"}
    assert rows() == before


def test_sec_41_what_is_not_coveted_would_change_the_row(alice, rows):
    """So that the test above is known to look at rows that can change."""
    before = rows()
    assert alice.patch("/me", json={"display_name": "Alicia"}).status_code == 200
    assert rows() != before


def test_sec_41_no_answer_declares_a_secret(app):
    properties = answer_properties(app)
    assert ("User", "email") in properties, "the walk reaches the schemas of answers"
    assert {pair for pair in properties if telling(pair[1])} == SHOWN_ONCE


def test_sec_41_no_answer_holds_a_secret(app, anonymous, alice, ada):
    project = alice.creates()
    answers = [
        anonymous.post("/auth/login", json={"email": alice.email, "password": alice.password}),
        anonymous.post("/auth/login", json={"email": alice.email, "password": "wrong, wrong, wrong"}),
        anonymous.post("/auth/register", json=GOOD_BODIES["register"]),
        anonymous.post("/auth/refresh", json={"refresh_token": alice.refresh_token}),
        anonymous.get("/meta"),
        alice.get("/me"),
        ada.get("/me"),
        alice.get("/auth/sessions"),
        alice.get("/projects?expand=owner,counts&include_total=true"),
        alice.get(f"/projects/{project.id}?expand=owner"),
        alice.patch(f"/projects/{project.id}", json={"name": "Reef"}, headers={"If-Match": '"99"'}),
    ]
    assert [answer.status_code for answer in answers] == [
        200,
        401,
        202,
        200,
        200,
        200,
        200,
        200,
        200,
        200,
        412,
    ]
    found = {name for answer in answers for name in names_in(answer.json)}
    assert {"access_token", "email", "counts", "current"} <= found
    assert not [name for name in found if telling(name)]
