"""REL-05, D3: PostgreSQL not there yet, gone, and back. The service starts all the same and says how it is."""

import pytest
from sqlalchemy import event

from tests.fixtures.accounts import registers, signs_in
from tests.fixtures.client import ApiClient
from tests.fixtures.gunicorn_process import until


def is_told(answer):
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.json["code"] == "database_unavailable"
    assert int(answer.headers["Retry-After"]) > 0


@pytest.fixture
def wired(make_app, database_wire):
    """An application whose way to PostgreSQL is cut until the test mends it."""
    return make_app(database_url=database_wire.url)


def readiness(app):
    return ApiClient(app).get("//readyz").json["status"]


def test_rel_05_it_starts_without_and_is_ready_when_it_comes(wired, database_wire, alice):
    client, stranger = ApiClient(wired, alice.token), ApiClient(wired)
    assert stranger.get("//livez").status_code == 200
    assert readiness(wired) == "unavailable"
    assert stranger.get("/meta").status_code == 200, "what needs no database is answered"
    for answer in (
        client.get("/projects"),
        client.post("/projects", json={"name": "Reef"}),
        client.patch("/me", json={"display_name": "Alicia"}),
        signs_in(stranger, alice.email),
        registers(stranger),
        stranger.post("/auth/refresh", json={"refresh_token": alice.refresh_token}),
    ):
        is_told(answer)
    database_wire.mend()
    until(lambda: readiness(wired) != "unavailable", "it is ready")
    assert client.post("/projects", json={"name": "Reef"}).status_code == 201
    assert signs_in(stranger, alice.email).status_code == 200


def test_d3_it_goes_on_after_the_database_came_back(wired, database_wire, alice):
    client = ApiClient(wired, alice.token)
    database_wire.mend()
    assert client.get("/projects").status_code == 200
    database_wire.cut()
    is_told(client.get("/projects"))
    assert client.get("//livez").status_code == 200
    database_wire.mend()
    answers = [client.get("/projects").status_code for _ in range(3)]
    assert answers == [200, 200, 200], "no pooled connection that died is handed out again"


def test_rel_01_what_was_cut_off_before_its_commit_is_not_there(wired, database_wire, alice, sql):
    client = ApiClient(wired, alice.token)
    database_wire.mend()
    client.get("/me")

    def cut(_connection, _cursor, statement, *_rest):
        if statement.startswith("INSERT INTO projects"):
            database_wire.cut()

    engine = wired.extensions["holdfast"].engines.engine
    event.listen(engine, "before_cursor_execute", cut)
    is_told(client.post("/projects", json={"name": "Reef"}, headers={"Idempotency-Key": "k1"}))
    event.remove(engine, "before_cursor_execute", cut)
    assert sql("SELECT count(*) FROM projects") == [(0,)]
    database_wire.mend()
    again = client.post("/projects", json={"name": "Reef"}, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.headers.get("Idempotency-Replayed")) == (201, None)
    assert sql("SELECT count(*) FROM projects") == [(1,)]


def test_rel_03_no_word_of_the_driver_reaches_a_client(wired, database_wire, alice):
    answer = ApiClient(wired, alice.token).get("/projects")
    is_told(answer)
    assert not [
        word
        for word in ("psycopg", "connection", "refused", str(database_wire.port), "Error")
        if word in answer.text
    ]
