"""Who may do what with a project: the permission table of the contract, cell by cell (SEC-38)."""

import pytest

from tests.fixtures.projects import NO_SUCH_ID

OPERATIONS = {
    "listProjects": ("GET", "/projects", {}),
    "createProject": ("POST", "/projects", {"json": {"name": "Reef survey"}}),
    "getProject": ("GET", "/projects/{id}", {}),
    "updateProject": ("PATCH", "/projects/{id}", {"json": {"name": "Kelp survey"}}),
    "deleteProject": ("DELETE", "/projects/{id}", {}),
    "archiveProject": ("POST", "/projects/{id}/archive", {}),
    "unarchiveProject": ("POST", "/projects/{id}/unarchive", {}),
    "restoreProject": ("POST", "/projects/{id}/restore", {}),
    "purgeProject": ("DELETE", "/projects/{id}/permanently", {}),
}
ON_ONE = [name for name, (_, path, _) in OPERATIONS.items() if "{id}" in path]
ROLES = ("viewer", "editor", "admin", "owner", "stranger")
TABLE = {
    # operation, and the state the project is in: the answer to viewer, editor, admin, owner, stranger
    ("getProject", "active"): (200, 200, 200, 200, 404),
    ("getProject", "archived"): (200, 200, 200, 200, 404),
    ("getProject", "deleted"): (404, 404, 404, 200, 404),
    ("updateProject", "active"): (403, 200, 200, 200, 404),
    ("updateProject", "archived"): (403, 409, 409, 409, 404),
    ("updateProject", "deleted"): (404, 404, 404, 409, 404),
    ("archiveProject", "active"): (403, 403, 200, 200, 404),
    ("archiveProject", "archived"): (403, 403, 200, 200, 404),
    ("archiveProject", "deleted"): (404, 404, 404, 409, 404),
    ("unarchiveProject", "active"): (403, 403, 200, 200, 404),
    ("unarchiveProject", "archived"): (403, 403, 200, 200, 404),
    ("unarchiveProject", "deleted"): (404, 404, 404, 409, 404),
    ("deleteProject", "active"): (403, 403, 403, 204, 404),
    ("deleteProject", "archived"): (403, 403, 403, 204, 404),
    ("deleteProject", "deleted"): (404, 404, 404, 204, 404),
    ("restoreProject", "active"): (403, 403, 403, 200, 404),
    ("restoreProject", "archived"): (403, 403, 403, 200, 404),
    ("restoreProject", "deleted"): (404, 404, 404, 200, 404),
    ("purgeProject", "active"): (403, 403, 403, 409, 404),
    ("purgeProject", "archived"): (403, 403, 403, 409, 404),
    ("purgeProject", "deleted"): (404, 404, 404, 204, 404),
}
CODES = {403: "forbidden", 404: "not_found"}
CONFLICTS = {
    ("updateProject", "archived"): "project_archived",
    ("updateProject", "deleted"): "project_deleted",
    ("archiveProject", "deleted"): "project_deleted",
    ("unarchiveProject", "deleted"): "project_deleted",
    ("purgeProject", "active"): "write_conflict",
    ("purgeProject", "archived"): "write_conflict",
}


def calls(person, operation, project_id, **more):
    method, path, request = OPERATIONS[operation]
    return person.open(method, path.format(id=project_id), **{**request, **more})


def test_the_table_has_every_operation_in_every_state():
    assert set(TABLE) == {(name, state) for name in ON_ONE for state in ("active", "archived", "deleted")}


def test_the_operations_are_those_of_the_document(anonymous):
    paths = anonymous.get("/openapi.json").json["paths"]
    declared = {
        (item["operationId"], method.upper())
        for items in paths.values()
        for method, item in items.items()
        if isinstance(item, dict) and item.get("tags") == ["projects"]
    }
    assert declared == {(name, method) for name, (method, _, _) in OPERATIONS.items()}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_anonymous_caller_is_refused_and_nothing_happens(anonymous, alice, row_of, sql, operation):
    project = alice.creates()
    before = row_of(project.id)
    response = calls(anonymous, operation, project.id)
    assert (response.status_code, response.json["code"]) == (401, "not_authenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert row_of(project.id) == before
    assert sql("SELECT count(*) FROM projects") == [(1,)]


@pytest.mark.parametrize("operation", ON_ONE)
@pytest.mark.parametrize("state", ["active", "archived", "deleted"])
def test_a_stranger_gets_the_same_bytes_as_for_a_missing_id(
    charlie, alice, in_state, row_of, operation, state
):
    """SEC-39: nothing in the answer tells that the project exists, the headers included."""
    project = in_state(alice, state)
    before = row_of(project.id)
    told, missing = (
        calls(charlie, operation, project_id, headers={"X-Request-ID": "same-for-both"})
        for project_id in (project.id, NO_SUCH_ID)
    )
    assert told.status_code == 404
    assert told.get_data() == missing.get_data()
    assert names_and_values(told) == names_and_values(missing)
    assert row_of(project.id) == before


def names_and_values(response):
    """The headers, but for what is left of the rate limit."""
    return {name: value for name, value in response.headers if name != "RateLimit"}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("operation", "state"), TABLE)
def test_each_role_gets_what_the_table_says(
    alice, bob, charlie, joins, in_state, row_of, operation, state, role
):
    """SEC-38: a refusal changes nothing, whatever its kind."""
    project = in_state(alice, state)
    if role in {"viewer", "editor", "admin"}:
        joins(bob, project, role)
    before = row_of(project.id)
    response = calls({"owner": alice, "stranger": charlie}.get(role, bob), operation, project.id)
    expected = TABLE[operation, state][ROLES.index(role)]
    assert response.status_code == expected
    if expected == 200:
        assert response.json["my_role"] == role
    if expected >= 400:
        assert response.json["code"] == CODES.get(expected, CONFLICTS.get((operation, state)))
        assert row_of(project.id) == before


@pytest.mark.parametrize("role", ROLES)
def test_a_list_holds_what_a_role_may_read(alice, bob, charlie, joins, in_state, role):
    shown = {state: in_state(alice, state) for state in ("active", "archived", "deleted")}
    if role in {"viewer", "editor", "admin"}:
        for project in shown.values():
            joins(bob, project, role)
    person = {"owner": alice, "stranger": charlie}.get(role, bob)
    page = person.get("/projects?status=active,archived,deleted&include_total=true").json
    expected = {
        "owner": {"active", "archived", "deleted"},
        "stranger": set(),
    }.get(role, {"active", "archived"})
    assert {item["status"] for item in page["items"]} == expected
    assert {item["my_role"] for item in page["items"]} <= {role}
    assert page["total"] == len(expected)


@pytest.mark.parametrize("operation", ON_ONE)
def test_an_administrator_of_the_site_is_a_stranger_here(ada, alice, in_state, row_of, operation):
    """Being an administrator opens no project."""
    project = in_state(alice, "active")
    before = row_of(project.id)
    assert calls(ada, operation, project.id).status_code == 404
    assert row_of(project.id) == before


def test_a_role_is_looked_up_on_each_hit_of_a_warm_cache(alice, bob, charlie, joins):
    """SEC-43: one address, three viewers, each sees what is theirs however warm the cache is."""
    project = alice.creates()
    joins(bob, project, "viewer")
    for _ in range(2):
        assert alice.get(f"/projects/{project.id}").json["my_role"] == "owner"
        assert bob.get(f"/projects/{project.id}").json["my_role"] == "viewer"
        assert charlie.get(f"/projects/{project.id}").status_code == 404


def test_a_member_loses_sight_of_a_cached_project_that_goes_to_the_trash(alice, bob, joins):
    project = alice.creates()
    joins(bob, project, "admin")
    assert bob.get(f"/projects/{project.id}").status_code == 200
    alice.delete(f"/projects/{project.id}")
    assert bob.get(f"/projects/{project.id}").status_code == 404


@pytest.mark.parametrize(
    "junk", ["0", "not-a-uuid", "0197a5b07c1e7a609c2f3f3b8a1c0a02", "%00", "..", "1' OR '1'='1"]
)
def test_a_malformed_id_is_a_missing_one(alice, junk):
    """SEC-44: 404, not 422 and not 500."""
    response = alice.get(f"/projects/{junk}")
    assert (response.status_code, response.json["code"]) == (404, "not_found")
