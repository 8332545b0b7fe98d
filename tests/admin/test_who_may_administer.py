"""Who may call what, and that administering opens no project (SEC-38, SEC-29)."""

import pytest

from app.core.access import SiteRole
from tests.fixtures.accounts import code_of
from tests.fixtures.people import make_person
from tests.fixtures.projects import NO_SUCH_ID

READS = {
    "listUsers": "/admin/users",
    "getUser": "/admin/users/{id}",
    "listAuditEvents": "/admin/audit-events",
    "getStats": "/admin/stats",
}
WRITES = {
    "updateUser": ("PATCH", "/admin/users/{id}", {"json": {"role": "admin"}}),
    "revokeUserSessions": ("DELETE", "/admin/users/{id}/sessions", {}),
    "resetUserMfa": ("DELETE", "/admin/users/{id}/mfa", {}),
}
EVERYTHING = {**{name: ("GET", path, {}) for name, path in READS.items()}, **WRITES}


def call(client, name, user_id):
    method, path, options = EVERYTHING[name]
    return client.open(method, path.format(id=user_id), **options)


@pytest.mark.parametrize("name", EVERYTHING)
def test_sec_38_nobody_but_administrators(anonymous, alice, bob, sql, name):
    before = sql("SELECT role, status, version FROM users WHERE id = %s", (str(bob.user.id),))
    assert code_of(call(anonymous, name, bob.user.id)) == (401, "not_authenticated")
    assert code_of(call(alice, name, bob.user.id)) == (403, "forbidden")
    assert sql("SELECT role, status, version FROM users WHERE id = %s", (str(bob.user.id),)) == before
    assert bob.get("/me").status_code == 200


@pytest.mark.parametrize("name", EVERYTHING)
def test_an_administrator_without_a_second_factor_can_only_enrol(app, bob, name):
    bare = make_person(app, "Bare", SiteRole.admin)
    assert code_of(call(bare, name, bob.user.id)) == (403, "mfa_enrolment_required")


@pytest.mark.parametrize("name", READS)
def test_reading_needs_no_fresh_proof(make_app, ada, bob, advance, name):
    app = make_app(step_up_seconds=300)
    ada = ada.signs_in_again(app)
    advance(minutes=6)
    app.extensions["holdfast"].refresh_clock(force=True)
    assert call(ada, name, bob.user.id).status_code == 200


@pytest.mark.parametrize("name", WRITES)
def test_sec_29_writing_needs_a_fresh_proof(make_app, ada, bob, advance, sql, name):
    """The proof lives shorter than the access token here, or there would be nothing to see."""
    app = make_app(step_up_seconds=300)
    ada = ada.signs_in_again(app)
    advance(minutes=6)
    app.extensions["holdfast"].refresh_clock(force=True)
    refused = call(ada, name, bob.user.id)
    assert code_of(refused) == (403, "step_up_required")
    assert refused.json["max_age"] == 300
    assert sql("SELECT count(*) FROM audit_events WHERE actor_id = %s", (str(ada.user.id),)) == [(0,)]


@pytest.mark.parametrize("name", [name for name in EVERYTHING if "{id}" in EVERYTHING[name][1]])
def test_an_account_that_is_not_there(ada, name):
    assert code_of(call(ada, name, NO_SUCH_ID)) == (404, "not_found")


def test_sec_38_being_administrator_opens_no_project(ada, alice):
    project = alice.creates()
    address = f"/projects/{project.id}"
    assert code_of(ada.get(address)) == (404, "not_found")
    assert code_of(ada.patch(address, json={"name": "Mine"})) == (404, "not_found")
    assert code_of(ada.delete(address)) == (404, "not_found")
    assert ada.get("/projects?status=active,archived,deleted").json["items"] == []
    assert alice.get(address).json["name"] == "Reef survey"
