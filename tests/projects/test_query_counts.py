"""What the hot routes cost: statements and commits, counted."""

import pytest

from tests.fixtures.statements import in_short


@pytest.fixture
def warm(alice):
    """Alice, whose session this process has looked at."""
    alice.get("/me")
    return alice


def warmed(sent):
    """The statements, without the look at a session whose facts ran out while the test ran."""
    return [each for each in sent if each != "SELECT sessions"]


CHANGE = ["COMMIT", "INSERT events", "SELECT project_members", "SELECT projects", "UPDATE projects"]
"""The members are looked for whose lists it changes."""


def in_order(sent):
    """Reading comes first and COMMIT last; what is flushed in between may come in any order."""
    assert (sent[0].split()[0], sent[-1]) == ("SELECT", "COMMIT")
    return sorted(sent)


def test_the_first_request_of_a_session_looks_it_up_and_marks_it(alice, statements):
    project = alice.creates()
    with statements() as sent:
        assert alice.get(f"/projects/{project.id}").status_code == 200
    assert sent == ["SELECT sessions", "UPDATE sessions", "COMMIT", "SELECT projects"]


def test_a_cold_read_is_one_select(warm, statements):
    project = warm.creates()
    with statements() as sent:
        assert warm.get(f"/projects/{project.id}").status_code == 200
    assert warmed(sent) == ["SELECT projects"]


def test_a_warm_read_asks_nothing_of_postgresql(warm, statements):
    project = warm.creates()
    for _ in range(20):
        warm.get(f"/projects/{project.id}")
        with statements() as sent:
            assert warm.get(f"/projects/{project.id}").status_code == 200
        if not sent:
            return
    pytest.fail("20 reads in a row and none came from the cache")


def test_a_304_costs_no_more_than_a_read(warm, statements):
    project = warm.creates()
    tag = warm.get(f"/projects/{project.id}").headers["ETag"]
    with statements() as sent:
        assert warm.get(f"/projects/{project.id}", headers={"If-None-Match": tag}).status_code == 304
    assert warmed(sent) in ([], ["SELECT projects"])


@pytest.mark.parametrize("many", [0, 1, 100])
def test_a_list_is_one_select_however_long(warm, plant, statements, many):
    plant(warm, [f"number {number}" for number in range(many)])
    with statements() as sent:
        assert len(warm.get("/projects?limit=100").json["items"]) == many
    assert warmed(sent) == ["SELECT projects"]


def test_a_list_that_is_read_again_asks_nothing_of_postgresql(warm, plant, statements):
    plant(warm, [f"number {number}" for number in range(20)])
    first = warm.get("/projects")
    for _ in range(20):
        with statements() as sent:
            again = warm.get("/projects")
        assert again.data == first.data
        if not sent:
            return
    pytest.fail("20 lists in a row and none came from the cache")


def test_a_list_that_changed_is_one_select_and_one_more_for_what_changed(warm, bob, joins, statements, parts):
    """Of projects that this process knows only what tells that they are the same is read."""
    reef, kelp = warm.creates("Reef"), warm.creates("Kelp")
    joins(bob, kelp, "editor")
    first = warm.get("/projects").json
    parts.engines.cache.clear()
    with statements() as sent:
        assert warm.get("/projects").json == first
    assert warmed(sent) == ["SELECT projects"]
    bob.patch(f"/projects/{kelp.id}", json={"name": "Kelp forest"})
    with statements() as sent:
        again = warm.get("/projects").json["items"]
    assert [(each["id"], each["name"]) for each in again] == [
        (str(kelp.id), "Kelp forest"), (str(reef.id), "Reef"),
    ]  # fmt: skip
    assert warmed(sent) == ["SELECT projects"] * 2
    parts.engines.cache.clear()
    with statements() as sent:
        assert warm.get("/projects").json["items"] == again
    assert warmed(sent) == ["SELECT projects"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("expand=owner", ["SELECT projects", "SELECT users"]),
        ("expand=counts", ["SELECT projects", "SELECT project_members"]),
        ("expand=owner,counts", ["SELECT projects", "SELECT users", "SELECT project_members"]),
        ("include_total=true", ["SELECT projects", "SELECT projects"]),
    ],
)
@pytest.mark.parametrize("many", [1, 50])
def test_expanding_and_counting_cost_one_select_each_however_long(
    warm, plant, statements, query, expected, many
):
    plant(warm, [f"number {number}" for number in range(many)])
    with statements() as sent:
        assert len(warm.get(f"/projects?limit=100&{query}").json["items"]) == many
    assert warmed(sent) == expected


def test_a_create_is_three_inserts_and_one_commit(warm, statements):
    with statements() as sent:
        assert warm.post("/projects", json={"name": "Reef survey"}).status_code == 201
    assert warmed(sent)[0] == "INSERT projects"
    assert sorted(warmed(sent)[1:3]) == ["INSERT events", "INSERT project_members"]
    assert warmed(sent)[3:] == ["COMMIT"]


def test_an_update_is_two_selects_one_update_one_event_one_commit(warm, statements):
    project = warm.creates()
    with statements() as sent:
        assert warm.patch(f"/projects/{project.id}", json={"name": "Kelp"}).status_code == 200
    assert in_order(warmed(sent)) == CHANGE


def test_an_update_that_changes_nothing_only_looks(warm, statements):
    project = warm.creates("Reef survey")
    with statements() as sent:
        assert warm.patch(f"/projects/{project.id}", json={"name": "Reef survey"}).status_code == 200
    assert warmed(sent) == ["SELECT projects", "COMMIT"]


@pytest.mark.parametrize("path", ["/archive", "/restore"])
def test_a_change_of_status_costs_no_more_than_an_update(warm, statements, in_state, path):
    project = in_state(warm, "deleted" if path == "/restore" else "active")
    with statements() as sent:
        assert warm.post(f"/projects/{project.id}{path}").status_code == 200
    assert in_order(warmed(sent)) == CHANGE


def test_a_refusal_is_one_select_and_a_rollback(warm, statements):
    project = warm.creates()
    with statements() as sent:
        response = warm.patch(f"/projects/{project.id}", json={"name": "Kelp"}, headers={"If-Match": '"9"'})
    assert response.status_code == 412
    assert warmed(sent) == ["SELECT projects", "ROLLBACK"]


def test_an_idempotency_key_adds_a_lock_a_look_and_an_insert(warm, statements):
    project = warm.creates()
    path, headers = f"/projects/{project.id}", {"Idempotency-Key": "once"}
    with statements() as sent:
        warm.patch(path, json={"name": "Kelp"}, headers=headers)
    lock, look, record = "SELECT", "SELECT idempotency_records", "INSERT idempotency_records"
    assert warmed(sent)[:2] == [lock, look]
    assert in_order(warmed(sent)) == sorted([*CHANGE, lock, look, record])
    with statements() as sent:
        warm.patch(path, json={"name": "Kelp"}, headers=headers)
    assert warmed(sent) == ["SELECT", "SELECT idempotency_records", "COMMIT"]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT a FROM projects JOIN users ON true", "SELECT projects"),
        ("SELECT EXISTS (SELECT b FROM (SELECT c FROM users) AS d) FROM projects", "SELECT projects"),
        ("SELECT count(*) AS n FROM (SELECT a FROM projects LIMIT 9) AS anon_1", "SELECT projects"),
        ("INSERT INTO events (kind) SELECT k FROM users", "INSERT events"),
        ("SELECT 1", "SELECT"),
    ],
)
def test_a_statement_is_named_by_its_own_table(statement, expected):
    assert in_short(statement) == expected
