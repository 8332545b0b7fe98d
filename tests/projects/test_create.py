"""createProject: a project of one's own."""


def test_an_anonymous_caller_is_refused(anonymous):
    response = anonymous.post("/projects", json={"name": "Reef survey"})
    assert response.status_code == 401
    assert response.json["code"] == "not_authenticated"
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_alice_creates_a_project_and_owns_it(alice):
    response = alice.post("/projects", json={"name": "  Reef survey ", "description": "What grows where."})
    assert response.status_code == 201
    project = response.json
    assert project["name"] == "Reef survey"
    assert (project["owner_id"], project["my_role"]) == (str(alice.user.id), "owner")
    assert (project["status"], project["version"]) == ("active", 1)
    assert response.headers["Location"] == f"/api/v1/projects/{project['id']}"
    assert alice.get(f"/projects/{project['id']}").json == project


def test_a_name_is_required_and_unknown_fields_are_named(alice):
    response = alice.post("/projects", json={"title": "Reef survey"})
    assert response.status_code == 422
    faults = {fault["field"]: fault["code"] for fault in response.json["errors"]}
    assert faults == {"name": "required", "title": "unknown_field"}
