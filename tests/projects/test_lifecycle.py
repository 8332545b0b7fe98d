"""Archive, unarchive, trash, restore, purge: states, repeats, conflicts, step-up, the sweep."""

import pytest

from app.projects import service as service_module

MOVES = {
    "archive": ("POST", "/projects/{id}/archive", 200),
    "unarchive": ("POST", "/projects/{id}/unarchive", 200),
    "trash": ("DELETE", "/projects/{id}", 204),
    "restore": ("POST", "/projects/{id}/restore", 200),
}
NO_TOKEN = {"Authorization": ""}


def move(person, name, project, **more):
    method, path, _ = MOVES[name]
    return person.open(method, path.format(id=project.id), **more)


def test_archiving_makes_a_new_version_with_its_moment(alice):
    project = alice.creates()
    told = move(alice, "archive", project).json
    assert (told["status"], told["version"]) == ("archived", 2)
    assert told["archived_at"] == told["updated_at"]
    assert told["deleted_at"] is None
    back = move(alice, "unarchive", project).json
    assert (back["status"], back["version"], back["archived_at"]) == ("active", 3, None)


@pytest.mark.parametrize("archived", [False, True])
def test_restore_gives_back_the_status_that_was(alice, in_state, archived):
    project = in_state(alice, "archived" if archived else "active")
    move(alice, "trash", project)
    trashed = alice.get(f"/projects/{project.id}").json
    assert trashed["status"] == "deleted"
    assert trashed["deleted_at"] == trashed["updated_at"]
    told = move(alice, "restore", project).json
    assert told["status"] == ("archived" if archived else "active")
    assert (told["archived_at"] is not None) is archived
    assert told["deleted_at"] is None
    assert told["version"] == project.version + 2


@pytest.mark.parametrize(
    ("name", "state"),
    [("archive", "archived"), ("unarchive", "active"), ("trash", "deleted"), ("restore", "active"),
     ("restore", "archived")],
)  # fmt: skip
def test_what_already_holds_answers_the_same_without_a_new_version(
    alice, in_state, row_of, events_of, name, state
):
    project = in_state(alice, state)
    before, told = row_of(project.id), events_of(project.id)
    for _ in range(2):
        response = move(alice, name, project)
        assert response.status_code == MOVES[name][2]
        if response.status_code == 200:
            assert response.json == alice.get(f"/projects/{project.id}").json
    assert row_of(project.id) == before
    assert events_of(project.id) == told


@pytest.mark.parametrize("name", MOVES)
def test_the_first_answer_and_the_repeated_one_are_the_same_bytes(alice, in_state, name):
    project = in_state(alice, {"unarchive": "archived", "restore": "deleted"}.get(name, "active"))
    first, second = move(alice, name, project), move(alice, name, project)
    assert (first.status_code, first.get_data()) == (second.status_code, second.get_data())
    assert first.headers.get("ETag") == second.headers.get("ETag")


def test_an_archived_project_is_read_only_but_for_unarchive_and_trash(alice, in_state):
    project = in_state(alice, "archived")
    response = alice.patch(f"/projects/{project.id}", json={"name": "Kelp"})
    assert (response.status_code, response.json["code"]) == (409, "project_archived")
    assert move(alice, "unarchive", project).status_code == 200
    assert alice.patch(f"/projects/{project.id}", json={"name": "Kelp"}).status_code == 200
    move(alice, "archive", project)
    assert move(alice, "trash", project).status_code == 204


def test_a_purge_leaves_nothing_but_its_event(alice, bob, joins, in_state, row_of, sql, events_of):
    project = in_state(alice, "deleted")
    joins(bob, project, "viewer")
    assert alice.delete(f"/projects/{project.id}/permanently").status_code == 204
    assert row_of(project.id) is None
    assert sql("SELECT count(*) FROM project_members") == [(0,)]
    assert events_of(project.id)[-1] == ("project.purged", str(alice.user.id), {})
    for again in (alice.get(f"/projects/{project.id}"), alice.delete(f"/projects/{project.id}/permanently")):
        assert (again.status_code, again.json["code"]) == (404, "not_found")
    assert move(alice, "restore", project).status_code == 404


def test_a_purge_needs_a_proof_of_identity_that_is_15_minutes_old_at_most(alice, in_state, row_of, advance):
    """SEC-29: the edge on both sides; refreshing is no new proof, signing in again is."""
    gone, kept = in_state(alice, "deleted"), in_state(alice, "deleted", "Kelp survey")
    advance(minutes=14, seconds=50)
    refreshes(alice)
    assert alice.delete(f"/projects/{gone.id}/permanently").status_code == 204
    advance(seconds=20)
    response = alice.delete(f"/projects/{kept.id}/permanently")
    assert (response.status_code, response.json["code"]) == (403, "step_up_required")
    assert (response.json["methods"], response.json["max_age"]) == (["password"], 900)
    assert row_of(kept.id) is not None
    assert alice.signs_in_again().delete(f"/projects/{kept.id}/permanently").status_code == 204


def refreshes(person):
    answer = person.post("/auth/refresh", json={"refresh_token": person.refresh_token}, headers=NO_TOKEN).json
    person.token, person.refresh_token = answer["access_token"], answer["refresh_token"]


def test_the_sweep_removes_what_lay_in_the_trash_for_30_days(
    alice, parts, in_state, row_of, events_of, advance, run_jobs, sql
):
    kept, old = in_state(alice, "active"), in_state(alice, "deleted")
    archived = in_state(alice, "archived")
    advance(days=29, hours=23)
    young = in_state(alice.signs_in_again(), "deleted")
    sweep(parts, run_jobs)
    assert all(row_of(project.id) for project in (kept, old, archived, young))
    advance(hours=2)
    sweep(parts, run_jobs)
    assert row_of(old.id) is None
    assert all(row_of(project.id) for project in (kept, archived, young))
    assert events_of(old.id)[-1] == ("project.purged", None, {})
    assert sql("SELECT count(*) FROM project_members WHERE project_id = %s", (str(old.id),)) == [(0,)]


def test_the_sweep_works_in_batches_until_nothing_is_left(alice, plant, projects, monkeypatch, sql):
    monkeypatch.setattr(service_module, "SWEEP_BATCH", 2)
    plant(alice, [f"number {number}" for number in range(5)], status="deleted")
    assert projects.purge_trash(30) == 5
    assert sql("SELECT count(*) FROM projects") == [(0,)]
    assert sql("SELECT count(*) FROM events WHERE kind = 'project.purged'") == [(5,)]
    assert projects.purge_trash(30) == 0


def test_two_sweeps_at_once_remove_each_project_once(alice, plant, projects, at_once, monkeypatch, sql):
    monkeypatch.setattr(service_module, "SWEEP_BATCH", 3)
    plant(alice, [f"number {number}" for number in range(20)], status="deleted")
    assert sum(at_once(4, lambda _number: projects.purge_trash(30))) == 20
    assert sql("SELECT count(*), count(DISTINCT subject_id) FROM events WHERE kind = 'project.purged'") == [
        (20, 20)
    ]


def sweep(parts, run_jobs):
    parts.jobs.defer_now("projects.purge_trash")
    run_jobs()
