"""getProject and updateProject: what is answered, what is changed, what is refused."""

import pytest

from app.core.cache import FactCache
from app.core.facts import FactKind
from app.projects.views import FACTS, KIND
from tests.fixtures.projects import NO_SUCH_ID

FOREIGN = {
    "id": NO_SUCH_ID,
    "owner_id": NO_SUCH_ID,
    "status": "deleted",
    "my_role": "owner",
    "role": "admin",
    "version": 99,
    "created_at": "2000-01-01T00:00:00.000Z",
    "updated_at": "2000-01-01T00:00:00.000Z",
    "archived_at": None,
    "deleted_at": None,
    "is_admin": True,
}


def faults(response):
    assert response.status_code == 422
    assert response.json["code"] == "validation_failed"
    return {fault["field"]: fault["code"] for fault in response.json["errors"]}


def test_alice_reads_every_documented_field(alice):
    project = alice.creates("Reef survey", "What grows where.")
    response = alice.get(f"/projects/{project.id}")
    assert response.status_code == 200
    told = response.json
    moment = told["created_at"]
    assert told == {
        "id": str(project.id),
        "name": "Reef survey",
        "description": "What grows where.",
        "status": "active",
        "owner_id": str(alice.user.id),
        "my_role": "owner",
        "version": 1,
        "created_at": moment,
        "updated_at": moment,
        "archived_at": None,
        "deleted_at": None,
        "owner": None,
        "counts": None,
    }
    assert moment.endswith("Z")
    assert len(moment) == len("2026-05-01T12:00:00.000Z")
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Origin"} <= set(response.headers["Vary"].replace(" ", "").split(","))


def test_expand_adds_owner_and_counts_and_only_what_was_asked(alice, bob, joins):
    project = alice.creates()
    joins(bob, project, "viewer")
    owner = {"id": str(alice.user.id), "display_name": "Alice"}
    counts = {"members": 2, "files": 0, "storage_bytes": 0}
    for asked, expected in {
        "owner": (owner, None),
        "counts": (None, counts),
        "owner,counts": (owner, counts),
        "counts,owner": (owner, counts),
    }.items():
        told = bob.get(f"/projects/{project.id}?expand={asked}").json
        assert (told["owner"], told["counts"]) == expected


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("expand=members", {"expand": "invalid_choice"}),
        ("expand=", {"expand": "invalid_choice"}),
        ("expand=owner&expand=counts", {"expand": "invalid_format"}),
        ("fields=name", {"fields": "unknown_field"}),
    ],
)
def test_unknown_and_repeated_parameters_are_named(alice, query, fault):
    project = alice.creates()
    assert faults(alice.get(f"/projects/{project.id}?{query}")) == fault


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/projects"),
        ("PATCH", "/projects/{id}"),
        ("DELETE", "/projects/{id}"),
        ("POST", "/projects/{id}/archive"),
        ("POST", "/projects/{id}/unarchive"),
        ("POST", "/projects/{id}/restore"),
        ("DELETE", "/projects/{id}/permanently"),
    ],
)
def test_an_operation_without_parameters_refuses_any(alice, row_of, method, path):
    project = alice.creates()
    before = row_of(project.id)
    body = {"json": {"name": "Kelp"}} if method in {"POST", "PATCH"} and not path.endswith("ve") else {}
    response = alice.open(method, path.format(id=project.id) + "?force=true", **body)
    assert faults(response) == {"force": "unknown_field"}
    assert row_of(project.id) == before


def test_a_patch_keeps_what_is_absent_and_clears_what_is_null(alice):
    project = alice.creates("Reef survey", "What grows where.")
    path = f"/projects/{project.id}"
    renamed = alice.patch(path, json={"name": " Kelp survey "}).json
    assert (renamed["name"], renamed["description"], renamed["version"]) == (
        "Kelp survey",
        "What grows where.",
        2,
    )
    cleared = alice.patch(path, json={"description": None}).json
    assert (cleared["name"], cleared["description"], cleared["version"]) == ("Kelp survey", None, 3)
    assert cleared["updated_at"] >= renamed["updated_at"] >= renamed["created_at"]
    assert alice.get(path).json == cleared


def test_what_alice_wrote_she_reads_back_at_once_however_warm_the_cache(alice):
    path = f"/projects/{alice.creates().id}"
    for number in range(10):
        alice.patch(path, json={"name": f"name {number}"})
        assert alice.get(path).json["name"] == f"name {number}"


@pytest.mark.parametrize(
    "body", [{}, {"name": "Reef survey"}, {"name": " Reef survey "}, {"description": None}]
)
def test_a_patch_that_changes_nothing_makes_no_version_and_no_event(alice, events_of, row_of, body):
    project = alice.creates("Reef survey")
    before = row_of(project.id)
    response = alice.patch(f"/projects/{project.id}", json=body)
    assert (response.status_code, response.json["version"]) == (200, 1)
    assert row_of(project.id) == before
    assert len(events_of(project.id)) == 1


NOT_VALID = [
    ({"name": ""}, {"name": "too_short"}),
    ({"name": "   "}, {"name": "too_short"}),
    ({"name": "x" * 256}, {"name": "too_long"}),
    ({"name": None}, {"name": "null_not_allowed"}),
    ({"name": 7}, {"name": "wrong_type"}),
    ({"name": "two\nlines"}, {"name": "invalid_format"}),
    ({"name": "NUL \x00"}, {"name": "invalid_format"}),
    ({"description": "x" * 10_001}, {"description": "too_long"}),
    ({"description": ["a"]}, {"description": "wrong_type"}),
    ({"name": "x", "nmae": "y"}, {"nmae": "unknown_field"}),
]


def test_a_field_that_is_not_valid_is_named_and_nothing_changes(alice, row_of, subtests):
    project = alice.creates()
    before = row_of(project.id)
    for body, fault in NOT_VALID:
        with subtests.test(fault=fault):
            assert faults(alice.patch(f"/projects/{project.id}", json=body)) == fault
            assert row_of(project.id) == before


@pytest.mark.parametrize(
    "name", ["x" * 255, "😀" * 255, "é", "名前", "%_\\'\"--", "<script>alert(1)</script>"]
)
def test_names_come_back_as_they_were_sent(alice, name):
    created = alice.post("/projects", json={"name": name, "description": name * 5}).json
    assert (created["name"], created["description"]) == (name, name * 5)
    assert alice.get(f"/projects/{created['id']}").json == created


def test_a_description_has_lines_and_10000_characters(alice):
    text = "one\n\ttwo\r\n" + "😀" * 9_989
    assert alice.post("/projects", json={"name": "x", "description": text}).status_code == 201


@pytest.mark.parametrize(("method", "path"), [("POST", "/projects"), ("PATCH", "/projects/{id}")])
def test_fields_of_the_row_that_are_not_the_callers_are_refused(alice, row_of, sql, method, path, subtests):
    """SEC-41: mass assignment."""
    project = alice.creates()
    before = row_of(project.id)
    for field, value in FOREIGN.items():
        with subtests.test(field=field):
            body = {"name": "Kelp survey", field: value}
            response = alice.open(method, path.format(id=project.id), json=body)
            assert faults(response) == {field: "unknown_field"}
            assert row_of(project.id) == before
            assert sql("SELECT count(*) FROM projects") == [(1,)]


def test_a_body_is_an_object(alice, subtests):
    for body in (b"[]", b'"x"', b"null", b"7"):
        with subtests.test(body=body):
            response = alice.post("/projects", data=body, content_type="application/json")
            assert (response.status_code, response.json["code"]) == (422, "validation_failed")
            assert [fault["code"] for fault in response.json["errors"]] == ["wrong_type"]


def test_names_may_repeat(alice):
    assert alice.creates("Reef").id != alice.creates("Reef").id
    assert len(alice.get("/projects").json["items"]) == 2


@pytest.mark.parametrize("theirs", [(*FACTS, "colour"), FACTS[:-1]])
def test_facts_that_another_release_cached_are_not_taken(alice, parts, theirs):
    """While one release takes over from another, two that know different fields share Redis."""
    project = alice.creates()
    facts = {**project.facts(), "colour": "red"}
    kind = FactKind(KIND.namespace, theirs, lasting=True)
    other = FactCache(parts.engines.gate, enabled=True, told_at=lambda: None, on_lookup=lambda *_told: None)
    other.fetch(kind, str(project.id), str(alice.user.id), lambda: {name: facts[name] for name in theirs})
    answer = alice.get(f"/projects/{project.id}")
    assert (answer.status_code, answer.json["id"]) == (200, str(project.id))
