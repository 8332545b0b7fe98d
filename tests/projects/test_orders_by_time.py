"""What lists by time are read from: copies of a project's times in its memberships, kept whatever is done to it."""

import pytest

from app.members.service import MemberService
from app.projects.models import ProjectRole
from tests.projects.test_paging import ORDERS, pages, together

FAITHFUL = (
    "SELECT count(*) FROM project_members m JOIN projects p ON p.id = m.project_id"
    " WHERE m.project_created_at <> p.created_at"
    " OR m.project_updated_at IS DISTINCT FROM CASE WHEN p.crowded THEN NULL ELSE p.updated_at END"
)
MOST = 20


@pytest.fixture
def unfaithful(sql):
    """How many memberships do not say what their project says."""
    return lambda: sql(FAITHFUL)[0][0]


@pytest.fixture
def crowd(sql):
    """``crowd(project, 20)``: so many more accounts that belong to it."""

    def join(project, many):
        sql(
            "WITH made AS (INSERT INTO users (id, email, email_key, display_name, role, status, mfa_enabled, version,"
            " created_at, updated_at) SELECT gen_random_uuid(), k, k, 'One of many', 'user', 'active', false, 1, %(at)s,"
            " %(at)s FROM (SELECT gen_random_uuid() || '@example.com' AS k FROM generate_series(1, %(many)s)) AS keys"
            " RETURNING id) INSERT INTO project_members (project_id, user_id, role, joined_at)"
            " SELECT %(project)s, id, 'viewer', %(at)s FROM made",
            {"project": str(project.id), "many": many, "at": project.created_at},
        )

    return join


def crowded(sql):
    return {name for (name,) in sql("SELECT name FROM projects WHERE crowded")}


def test_whatever_moves_a_projects_time_moves_its_memberships(
    alice, bob, projects, joins, advance, unfaithful
):
    project = alice.creates()
    joins(bob, project, "editor")
    for change in (
        lambda: projects.update(bob.actor, project.id, {"name": "Kelp"}),
        lambda: projects.archive(alice.actor, project.id),
        lambda: projects.unarchive(alice.actor, project.id),
        lambda: projects.trash(alice.actor, project.id),
        lambda: projects.restore(alice.actor, project.id),
        lambda: alice.post("/projects/bulk", json={"action": "archive", "ids": [str(project.id)]}),
    ):
        advance(seconds=1)
        change()
        assert unfaithful() == 0


def test_a_new_owner_has_it_in_order_too(alice, bob, joins, unfaithful, advance):
    project = alice.creates()
    joins(bob, project, "editor")
    advance(seconds=1)
    assert (
        alice.post(f"/projects/{project.id}/transfer", json={"user_id": str(bob.user.id)}).status_code == 200
    )
    assert unfaithful() == 0


def test_the_twenty_first_member_makes_it_crowded_and_it_stays_so(
    alice, bob, projects, crowd, sql, unfaithful, parts, advance
):
    """Until then a change is a write for each member, from then on for none."""
    project = alice.creates("Reef")
    crowd(project, MOST - 1)
    assert crowded(sql) == set()
    assert unfaithful() == 0
    with parts.uow:
        held, _role = projects.hold(alice.actor, project.id)
        parts.services[MemberService].admit(held, bob.user.id, ProjectRole.viewer, alice.user.id)
    assert crowded(sql) == {"Reef"}
    assert bob.post(f"/projects/{project.id}/leave").status_code == 204
    advance(seconds=1)
    projects.update(alice.actor, project.id, {"description": "Who lives there."})
    assert crowded(sql) == {"Reef"}
    assert unfaithful() == 0


@pytest.mark.parametrize("sort", ["updated_at", "-updated_at", "created_at", "-created_at"])
def test_crowded_projects_stand_among_the_others_in_their_order(
    alice, plant, projects, crowd, sql, advance, sort
):
    ids = plant(alice, [f"number {number}" for number in range(12)])
    for each in ids[::3]:
        crowd(projects.get(alice.actor, each), MOST)
    for each in (ids[3], ids[4], ids[0]):
        advance(seconds=1)
        projects.update(alice.actor, each, {"description": "changed"})
    assert len(crowded(sql)) == 4
    expected = [row[0] for row in sql(f"SELECT id FROM projects ORDER BY {ORDERS[sort]}")]
    for limit in (1, 5, 12):
        assert together(pages(alice, limit, sort=sort)) == expected
