"""Who may do what with a project: the permission table of the contract, cell by cell (SEC-38)."""

import pytest

from tests.fixtures.projects import NO_SUCH_ID

OPERATIONS = {
    "listProjects": ("GET", "/projects", {}),
    "createProject": ("POST", "/projects", {"json": {"name": "Reef survey"}}),
    "bulkProjects": ("POST", "/projects/bulk", {"json": {"action": "archive", "ids": [NO_SUCH_ID]}}),
    "getProject": ("GET", "/projects/{id}", {}),
    "updateProject": ("PATCH", "/projects/{id}", {"json": {"name": "Kelp survey"}}),
    "deleteProject": ("DELETE", "/projects/{id}", {}),
    "archiveProject": ("POST", "/projects/{id}/archive", {}),
    "unarchiveProject": ("POST", "/projects/{id}/unarchive", {}),
    "restoreProject": ("POST", "/projects/{id}/restore", {}),
    "purgeProject": ("DELETE", "/projects/{id}/permanently", {}),
}
ON_ONE = [name for name, (_, path, _) in OPERATIONS.items() if "{id}" in path]
STATES = ("active", "archived", "deleted")
MEMBERS = ("viewer", "editor", "admin")
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


@pytest.fixture
def person_as(request):
    """``person_as("editor")``: who plays that part; only they are made."""
    cast = {"owner": "alice", "stranger": "charlie"}
    return lambda role: request.getfixturevalue(cast.get(role, "bob"))


def calls(person, operation, project_id, **more):
    method, path, request = OPERATIONS[operation]
    return person.open(method, path.format(id=project_id), **{**request, **more})


def test_the_table_has_every_operation_in_every_state():
    assert set(TABLE) == {(name, state) for name in ON_ONE for state in STATES}


def test_the_operations_are_those_of_the_document(anonymous):
    paths = anonymous.get("/openapi.json").json["paths"]
    declared = {
        (item["operationId"], method.upper())
        for items in paths.values()
        for method, item in items.items()
        if isinstance(item, dict) and item.get("tags") == ["projects"]
    }
    assert declared == {(name, method) for name, (method, _, _) in OPERATIONS.items()}


def test_an_anonymous_caller_is_refused_and_nothing_happens(anonymous, alice, row_of, sql, subtests):
    project = alice.creates()
    before = row_of(project.id)
    for operation in OPERATIONS:
        with subtests.test(operation=operation):
            response = calls(anonymous, operation, project.id)
            assert (response.status_code, response.json["code"]) == (401, "not_authenticated")
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
            assert row_of(project.id) == before
            assert sql("SELECT count(*) FROM projects") == [(1,)]


@pytest.mark.parametrize("state", STATES)
def test_a_stranger_gets_the_same_bytes_as_for_a_missing_id(
    charlie, alice, in_state, row_of, state, subtests
):
    """SEC-39: nothing in the answer tells that the project exists, the headers included."""
    project = in_state(alice, state)
    before = row_of(project.id)
    for operation in ON_ONE:
        with subtests.test(operation=operation):
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
@pytest.mark.parametrize("state", STATES)
def test_each_role_gets_what_the_table_says(alice, person_as, joins, in_state, row_of, state, role, subtests):
    """SEC-38: every cell of the table; a refusal changes nothing, whatever its kind."""
    person = person_as(role)
    for operation in ON_ONE:
        with subtests.test(operation=operation):
            project = in_state(alice, state)
            if role in MEMBERS:
                joins(person, project, role)
            before = row_of(project.id)
            response = calls(person, operation, project.id)
            expected = TABLE[operation, state][ROLES.index(role)]
            assert response.status_code == expected
            if expected == 200:
                assert response.json["my_role"] == role
            if expected >= 400:
                assert response.json["code"] == CODES.get(expected, CONFLICTS.get((operation, state)))
                assert row_of(project.id) == before


@pytest.mark.parametrize("role", ROLES)
def test_a_list_holds_what_a_role_may_read(alice, person_as, joins, in_state, role):
    person = person_as(role)
    for state in STATES:
        project = in_state(alice, state)
        if role in MEMBERS:
            joins(person, project, role)
    page = person.get("/projects?status=active,archived,deleted&include_total=true").json
    expected = {"owner": {"active", "archived", "deleted"}, "stranger": set()}.get(
        role, {"active", "archived"}
    )
    assert {item["status"] for item in page["items"]} == expected
    assert {item["my_role"] for item in page["items"]} <= {role}
    assert page["total"] == len(expected)


def test_an_administrator_of_the_site_is_a_stranger_here(ada, alice, row_of, subtests):
    """Being an administrator opens no project."""
    project = alice.creates()
    before = row_of(project.id)
    for operation in ON_ONE:
        with subtests.test(operation=operation):
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


def test_a_malformed_id_is_a_missing_one(alice, subtests):
    """SEC-44: 404, not 422 and not 500."""
    for junk in (
        "0",
        "not-a-uuid",
        "0197a5b07c1e7a609c2f3f3b8a1c0a02",
        "%00",
        "1' OR '1'='1",
        "\u00e9",
        "-1",
    ):
        with subtests.test(junk=junk):
            response = alice.get(f"/projects/{junk}")
            assert (response.status_code, response.json["code"]) == (404, "not_found")
