"""READ_ONLY=true, and a database that takes no writes (SQLSTATE 25006): reading works, writing says when to come back."""

import pytest

from tests.fixtures.bodies import sound_request
from tests.fixtures.client import ApiClient
from tests.fixtures.contract import documented_operations

TABLES = (
    "users",
    "projects",
    "project_members",
    "registrations",
    "events",
    "audit_events",
    "procrastinate_jobs",
)


READ_ONLY = (503, "read_only")
# These read a proof before they would write; what is made up is refused for that.
LOOKS_FIRST = {
    "completeMfa": (401, "mfa_token_invalid"),
    "startPasskeySignIn": (401, "mfa_token_invalid"),
    "signInWithPasskey": (401, "invalid_credentials"),
    "previewInvitation": (410, "invitation_closed"),
    "acceptInvitation": (404, "not_found"),
    "declineInvitation": (404, "not_found"),
    "acceptInvitationByToken": (410, "invitation_closed"),
    "stepUp": (422, "validation_failed"),
    "completeUpload": (404, "not_found"),
}


@pytest.fixture
def read_only_database(sql, database):
    """The database as it is while its server is a standby or in maintenance; sessions that are open stay as they are."""
    name, _ = database
    sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    yield
    sql(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')


@pytest.fixture
def rows(sql):
    return lambda: {table: sorted(sql(f"SELECT t::text FROM {table} t")) for table in TABLES}


def reads(client, project):
    answers = [
        client.get("/meta"), client.get("/me"), client.get("/projects?include_total=true"),
        client.get(f"/projects/{project.id}"), client.get("/auth/sessions"), client.get("//livez"), client.get("//readyz"),
    ]  # fmt: skip
    return [answer.status_code for answer in answers]


def refuses_every_write(client, project):
    writes = [each for each in documented_operations(client.app) if each.method != "GET"]
    assert len(writes) > 10
    for operation in writes:
        address = operation.addressed(project_id=project.id, session_id=client.session)
        client.token = client.administrator if address.startswith("/admin/") else client.owner
        answer = client.open(operation.method, address, **sound_request(operation))
        told = answer.status_code, answer.json["code"]
        if operation.name in LOOKS_FIRST:
            assert told in {READ_ONLY, LOOKS_FIRST[operation.name]}, operation.name
            continue
        assert told == READ_ONLY, operation.name
        assert int(answer.headers["Retry-After"]) > 0


@pytest.fixture
def clients(make_app, alice, ada):
    def make(**settings):
        client = ApiClient(make_app(rate_limit_factor=1_000, **settings), alice.token)
        client.owner, client.administrator = alice.token, ada.token
        client.session = alice.session_id
        return client

    return make


def test_the_setting_refuses_writes(clients, alice, rows):
    project, before = alice.creates(), None
    client, before = clients(read_only=True), rows()
    assert reads(client, project) == [200] * 7
    refuses_every_write(client, project)
    assert rows() == before


def test_a_read_only_database_refuses_writes(clients, alice, rows, read_only_database):
    project = alice.creates()
    client, before = clients(), rows()
    assert reads(client, project) == [200] * 7
    refuses_every_write(client, project)
    assert rows() == before


def test_writes_are_taken_again_afterwards(clients, sql, alice, database):
    name, _ = database
    project, client = alice.creates(), clients()
    sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    try:
        refused = client.post("/projects", json={"name": "Reef"})
    finally:
        sql(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    assert refused.status_code == 503
    client.app.extensions["holdfast"].engines.engine.dispose()
    assert client.post("/projects", json={"name": "Reef"}).status_code == 201
    assert reads(client, project) == [200] * 7


def test_the_first_use_of_a_token_is_no_write_worth_refusing(clients, bob):
    """SEC-18 marks a token's first use; while nothing can be written, nothing can be refreshed either."""
    client = clients(read_only=True)
    client.token = bob.token
    assert client.get("/me").status_code == 200
