"""`flask seed --accounts`: many rows by COPY, of the same shape as the services write them."""

import threading

import psycopg
import pytest

from app.cli import bulk, bulk_database
from app.core.indexes import index_statements
from tests.fixtures.client import ApiClient
from tests.fixtures.command_line import command_line
from tests.fixtures.gunicorn_process import until

PASSWORD = "sea otters hold hands"
SMALL = ("seed", "--accounts", "3", "--projects-each", "25", "--password", PASSWORD)
TABLES = ("users", "projects", "project_members", "events")


@pytest.fixture
def batches_of_ten(monkeypatch):
    monkeypatch.setattr(bulk, "BATCH", 10)


def snapshot(sql):
    return {
        table: sql(f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t")
        for table in TABLES
    }


def test_accounts_sign_in_and_see_their_projects_newest_first(flask, anonymous, app, batches_of_ten):
    result = flask(*SMALL)
    assert result.exit_code == 0, result.output
    assert "75 projects in" in result.output
    for number in (1, 3):
        answer = anonymous.post(
            "/auth/login", json={"email": f"user{number}@bench.example", "password": PASSWORD}
        )
        assert answer.status_code == 200
        client = ApiClient(app, answer.json["access_token"])
        page = client.get("/projects?include_total=true").json
        assert page["total"] == 25
        stamps = [project["updated_at"] for project in page["items"]]
        assert stamps == sorted(stamps, reverse=True)
        assert len(set(stamps)) == len(stamps)
        one = client.get(f"/projects/{page['items'][0]['id']}").json
        assert (one["version"], one["my_role"], one["status"]) == (1, "owner", "active")
        changed = client.patch(f"/projects/{one['id']}", json={"name": "Renamed"})
        assert (changed.status_code, changed.json["version"]) == (200, 2)


def test_nobody_sees_projects_of_another_account(flask, anonymous, app, sql):
    flask(*SMALL)
    answer = anonymous.post("/auth/login", json={"email": "user1@bench.example", "password": PASSWORD})
    query = "SELECT p.id::text FROM projects p JOIN users u ON u.id = p.owner_id WHERE u.email = 'user2@bench.example' LIMIT 1"
    ((other,),) = sql(query)
    assert ApiClient(app, answer.json["access_token"]).get(f"/projects/{other}").status_code == 404


def test_rows_have_the_shape_that_the_services_write(flask, alice, sql):
    """Same columns filled and left empty, same words, same version, a UUIDv7 made when the row was."""
    flask("seed", "--accounts", "1", "--projects-each", "2", "--password", PASSWORD)
    made = alice.creates("Reef survey", "What grows where.")
    shape = "SELECT (SELECT jsonb_object_agg(key, jsonb_typeof(value)) FROM jsonb_each(to_jsonb(t) - 'request_id')) FROM {table} t WHERE {which}"
    for table, ours, theirs in (
        ("users", "email = 'user1@bench.example'", f"id = '{alice.user.id}'"),
        ("projects", "description IS NOT NULL AND id <> '{made}'", "id = '{made}'"),
        ("project_members", "project_id <> '{made}'", "project_id = '{made}'"),
        (
            "events",
            "kind = 'user.created' AND subject_id <> '{user}'",
            "kind = 'user.created' AND subject_id = '{user}'",
        ),
        (
            "events",
            "kind = 'project.created' AND subject_id <> '{made}'",
            "kind = 'project.created' AND subject_id = '{made}'",
        ),
    ):
        names = {"made": made.id, "user": alice.user.id}
        wanted = sql(shape.format(table=table, which=theirs.format(**names)))
        assert wanted
        assert sql(shape.format(table=table, which=ours.format(**names)))[:1] == wanted[:1]
    words = "SELECT DISTINCT status, version, created_at = updated_at, archived_at, deleted_at FROM projects"
    assert sql(words) == [("active", 1, True, None, None)]
    told = "SELECT count(*) FROM events e JOIN projects p ON p.id = e.project_id WHERE e.changes = jsonb_build_object('name', jsonb_build_object('before', NULL, 'after', p.name))"
    assert sql(told) == [(3,)]
    for table, moment in (("users", "created_at"), ("projects", "created_at")):
        off = sql(
            f"SELECT max(abs(('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint"
            f" - extract(epoch FROM {moment}) * 1000)) FROM {table}"
        )
        assert float(off[0][0]) < 1000
        assert sql(
            f"SELECT DISTINCT substr(id::text, 15, 1), substr(id::text, 20, 1) IN ('8', '9', 'a', 'b') FROM {table}"
        ) == [("7", True)]


def test_times_are_spread_over_the_year_before_and_never_in_the_future(flask, sql, parts):
    flask("seed", "--accounts", "10", "--projects-each", "20", "--password", PASSWORD)
    ((first, last, own),) = sql(
        "SELECT min(created_at), max(created_at), (SELECT max(created_at) FROM users) FROM projects"
    )
    assert own < first
    assert 300 < (last - first).days < 366
    assert last < parts.clock.now()


def test_the_same_numbers_again_change_nothing(flask, sql):
    flask(*SMALL)
    before = snapshot(sql)
    result = flask(*SMALL)
    assert result.exit_code == 0
    assert (
        result.output
        == "3 accounts with 25 projects each live here: user1@bench.example to user3@bench.example.\n"
    )
    assert snapshot(sql) == before


def test_an_interrupted_load_goes_on_and_ends_with_the_same_rows(flask, sql, monkeypatch, batches_of_ten):
    flask(*SMALL)
    whole = {table: rows for table, rows in snapshot(sql).items() if table in {"projects", "project_members"}}
    sql("DELETE FROM events WHERE project_id IS NOT NULL")
    sql("DELETE FROM projects")
    copy, calls = bulk_database.copy, []

    def failing(link, tables):
        calls.append(1)
        if len(calls) > 3:
            raise psycopg.OperationalError("the server went away")
        copy(link, tables)

    with monkeypatch.context() as broken:
        broken.setattr(bulk_database, "copy", failing)
        result = flask(*SMALL)
    assert result.exit_code == 1
    assert "the server went away" in result.output
    assert sql("SELECT count(*) FROM projects") == [(30,)]
    result = flask(*SMALL)
    assert result.exit_code == 0
    assert "An earlier load stopped on its way" in result.output
    assert "45 projects in" in result.output
    after = snapshot(sql)
    assert {table: after[table] for table in whole} == whole


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ("--accounts", "4", "--projects-each", "25", "--password", PASSWORD),
            "3 accounts of bench.example are here, not 4",
        ),
        (
            ("--accounts", "3", "--projects-each", "26", "--password", PASSWORD),
            "have other projects than these",
        ),
        (
            ("--accounts", "3", "--projects-each", "25", "--password", "other words here"),
            "have another password",
        ),
    ],
)
def test_other_numbers_are_refused_and_nothing_is_touched(flask, sql, words, complaint):
    flask(*SMALL)
    before = snapshot(sql)
    result = flask("seed", *words)
    assert result.exit_code == 1
    assert complaint in result.output
    assert snapshot(sql) == before


def test_a_load_that_people_changed_is_not_overwritten(flask, sql, batches_of_ten):
    """A project purged since then makes its batch look missing; the others of the batch are in the way."""
    flask(*SMALL)
    sql("DELETE FROM projects WHERE name LIKE '%% 10'")
    before = snapshot(sql)
    result = flask(*SMALL)
    assert result.exit_code == 1
    assert "other rows are in the way (pk_projects)" in result.output
    assert snapshot(sql) == before


def test_accounts_alone_can_be_had(flask, sql):
    result = flask("seed", "--accounts", "5", "--projects-each", "0", "--password", PASSWORD)
    assert result.exit_code == 0, result.output
    assert sql("SELECT count(*) FROM users") == [(5,)]
    assert flask("seed", "--accounts", "5", "--projects-each", "0", "--password", PASSWORD).exit_code == 0


def test_without_the_owner_the_statistics_are_left_and_it_says_so(make_app, settings, sql, monkeypatch):
    app = make_app()
    alone = settings.model_copy(update={"migration_database_url": None})
    monkeypatch.setattr(app.extensions["holdfast"], "settings", alone)
    result = command_line(app)(*SMALL)
    assert result.exit_code == 0, result.output
    assert "Statistics are left to autovacuum" in result.output
    assert sql("SELECT count(*) FROM projects") == [(75,)]


def test_two_loads_at_once_do_not_mix(flask, settings, sql):
    with (
        bulk_database.link(settings.database_url.get_secret_value()) as other,
        bulk_database.lock(other) as mine,
    ):
        assert mine
        result = flask(*SMALL)
    assert result.exit_code == 1
    assert "another load is running" in result.output
    assert sql("SELECT count(*) FROM users") == [(0,)]


def test_a_database_that_is_away_is_one_clear_line(make_app, settings, monkeypatch):
    app = make_app()
    gone = type(settings.database_url)("postgresql+psycopg2://somebody:secretword@127.0.0.1:1/nowhere")
    monkeypatch.setattr(
        app.extensions["holdfast"], "settings", settings.model_copy(update={"database_url": gone})
    )
    result = command_line(app)(*SMALL)
    assert result.exit_code == 1
    assert result.output.startswith("Error: the database could not be loaded:")
    assert "secretword" not in result.output


def test_every_index_of_the_models_can_be_made_again(sql):
    for name, statement in index_statements().items():
        (before,) = sql("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
        sql(f"DROP INDEX {name}")
        sql(statement)
        assert sql("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name]) == [before]


def test_no_connection_or_thread_is_left_open(flask, sql):
    flask(*SMALL)
    links = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holdfast-seed'"
    until(lambda: sql(links) == [(0,)], "connections stay open")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("seed")]
