"""What is told to whom, and when nothing is."""

from datetime import datetime, timedelta

import pytest

from app.core.events import EventKind


@pytest.fixture
def project(alice, bob, memberships):
    """Alice's, with Bob as an editor."""
    made = alice.creates("Reef survey", "What grows where.")
    memberships.add(bob, made.id, "editor")
    return made


@pytest.fixture
def both(alice, bob, project, follows):
    """Copies of Alice and of Bob."""
    return [follows(alice), follows(bob)]


def told(followers):
    return [follower.polls() for follower in followers]


def test_nothing_happened(both):
    assert told(both) == [[], []]
    assert told(both) == [[], []]


def test_a_change_is_told_to_every_member_and_to_no_stranger(bob, charlie, project, both, follows):
    stranger = follows(charlie)
    bob.patch(f"/projects/{project.id}", json={"name": "Kelp"})
    assert told(both) == [[("upsert", "Kelp")]] * 2
    assert told([stranger, *both]) == [[], [], []]


def test_an_item_shows_the_project_as_get_project_does(alice, bob, project, both):
    alice.patch(f"/projects/{project.id}", json={"name": "Kelp", "description": None})
    for follower in both:
        follower.polls()
        [item] = follower.told[1:]
        assert item["project"] == follower.person.get(f"/projects/{project.id}").json
    assert [follower.copy[str(project.id)]["my_role"] for follower in both] == ["owner", "editor"]


def test_changed_at_is_the_moment_of_the_last_change(alice, bob, project, both, advance):
    alice.patch(f"/projects/{project.id}", json={"name": "Kelp"})
    advance(hours=1)
    changed = alice.signs_in_again().patch(f"/projects/{project.id}", json={"name": "Kelp farm"}).json
    both[1].person = bob.signs_in_again()
    both[1].polls()
    told_at, updated_at = (
        datetime.fromisoformat(moment) for moment in (both[1].told[-1]["changed_at"], changed["updated_at"])
    )
    # The row and its event look at the clock one after the other.
    assert abs(told_at - updated_at) < timedelta(minutes=1)


def test_several_changes_of_one_project_are_one_item(alice, project, both):
    for number in range(5):
        alice.patch(f"/projects/{project.id}", json={"name": f"number {number}"})
    assert told(both) == [[("upsert", "number 4")]] * 2


def test_archive_and_unarchive(alice, project, both):
    alice.post(f"/projects/{project.id}/archive")
    told(both)
    assert [copy.copy[str(project.id)]["status"] for copy in both] == ["archived"] * 2
    alice.post(f"/projects/{project.id}/unarchive")
    told(both)
    assert [copy.copy[str(project.id)]["status"] for copy in both] == ["active"] * 2


def test_trash_is_a_tombstone_for_everybody_the_owner_too_and_restoring_brings_it_back(alice, project, both):
    gone = [("removed", str(project.id))]
    alice.delete(f"/projects/{project.id}")
    assert told(both) == [gone, gone]
    assert both[0].told[-1]["project"] is None
    alice.post(f"/projects/{project.id}/restore")
    assert told(both) == [[("upsert", "Reef survey")]] * 2


def test_trashed_and_restored_between_two_polls_is_one_upsert(alice, project, both):
    alice.delete(f"/projects/{project.id}")
    alice.post(f"/projects/{project.id}/restore")
    assert told(both) == [[("upsert", "Reef survey")]] * 2


@pytest.mark.parametrize("seen_in_the_trash", [True, False])
def test_a_purged_project_is_a_tombstone_for_who_slept_through_it(
    alice, project, projects, both, seen_in_the_trash
):
    alice.delete(f"/projects/{project.id}")
    if seen_in_the_trash:
        told(both)
    projects.purge(alice.actor, project.id)
    gone = [("removed", str(project.id))]
    assert told(both) == [gone, gone]
    assert told(both) == [[], []]


def test_the_sweep_of_the_trash_tells_members_too(alice, bob, project, projects, both, advance, sql):
    alice.delete(f"/projects/{project.id}")
    assert projects.purge_trash(0) == 1
    gone = [("removed", str(project.id))]
    assert told(both) == [gone, gone]
    losses = sql(
        "SELECT subject_id, actor_id, changes FROM events WHERE kind = 'member.removed' AND project_id = %s",
        (str(project.id),),
    )
    assert sorted(losses) == sorted(
        (str(person.user.id), None, {"role": {"before": role, "after": None}})
        for person, role in ((alice, "owner"), (bob, "editor"))
    )


def test_purging_names_who_did_it_and_in_which_request(alice, project, projects, sql):
    alice.delete(f"/projects/{project.id}")
    answer = alice.delete(f"/projects/{project.id}/permanently")
    assert answer.status_code == 204
    found = sql("SELECT DISTINCT actor_id, request_id FROM events WHERE kind = 'member.removed'")
    assert found == [(str(alice.user.id), answer.headers["X-Request-ID"])]


@pytest.mark.parametrize("kind", [EventKind.member_removed, EventKind.member_left])
def test_lost_and_regained(project, bob, memberships, both, kind):
    memberships.remove(bob, project.id, kind)
    assert told(both) == [[], [("removed", str(project.id))]]
    memberships.add(bob, project.id, "viewer")
    assert told(both) == [[], [("upsert", "Reef survey")]]
    assert both[1].copy[str(project.id)]["my_role"] == "viewer"


def test_lost_and_regained_between_two_polls_is_one_upsert(project, bob, memberships, both):
    memberships.remove(bob, project.id)
    memberships.add(bob, project.id, "admin")
    assert told(both) == [[], [("upsert", "Reef survey")]]
    assert both[1].copy[str(project.id)]["my_role"] == "admin"


def test_a_new_role_is_told_to_who_has_it_alone(project, bob, memberships, both):
    memberships.change(bob, project.id, "viewer")
    assert told(both) == [[], [("upsert", "Reef survey")]]
    assert both[1].copy[str(project.id)]["my_role"] == "viewer"


def test_what_happens_after_a_loss_is_not_told(alice, project, bob, memberships, both):
    memberships.remove(bob, project.id)
    told(both)
    alice.patch(f"/projects/{project.id}", json={"name": "Kelp"})
    assert told(both) == [[("upsert", "Kelp")], []]


def test_what_happened_before_a_gain_is_no_change(alice, charlie, project, memberships, follows):
    newcomer = follows(charlie)
    alice.patch(f"/projects/{project.id}", json={"name": "Kelp"})
    assert newcomer.polls() == []
    memberships.add(charlie, project.id)
    assert newcomer.polls() == [("upsert", "Kelp")]


def test_a_loss_while_in_the_trash(alice, project, bob, memberships, both):
    alice.delete(f"/projects/{project.id}")
    memberships.remove(bob, project.id)
    assert told(both)[1] == [("removed", str(project.id))]
    alice.post(f"/projects/{project.id}/restore")
    assert told(both) == [[("upsert", "Reef survey")], []]


def test_one_row_for_a_change_however_many_members(alice, project, memberships, sql, plant, both):
    before = sql("SELECT count(*) FROM events")[0][0]
    alice.patch(f"/projects/{project.id}", json={"name": "Kelp"})
    assert sql("SELECT count(*) FROM events")[0][0] == before + 1


def test_invitations_change_no_project(alice, project, both, parts):
    from app.core.events import Events
    from app.core.ids import new_id

    with parts.uow:
        parts.services[Events].record(
            EventKind.invitation_created, subject=new_id(), actor=alice.user.id, project=project.id
        )
    assert told(both) == [[], []]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_batch_is_paged_each_project_once(alice, bob, plant, projects, memberships, follows, limit):
    ids = sorted(plant(alice, ["a", "b", "c", "d", "e"]))
    for each in ids:
        memberships.add(bob, each)
    follower = follows(bob, limit)
    first = len(follower.told)
    for each in reversed(ids[1:]):
        for turn in range(3):
            projects.update(alice.actor, each, {"name": f"turn {turn}"})
    memberships.remove(bob, ids[4])
    follower.polls()
    assert [(item["id"], item["type"]) for item in follower.told[first:]] == [
        *((str(each), "upsert") for each in ids[1:4]), (str(ids[4]), "removed"),
    ]  # fmt: skip
    assert follower.polls() == []


def test_what_changes_between_the_pages_of_a_batch(alice, plant, projects, follows):
    ids = sorted(plant(alice, ["a", "b", "c", "d"]))
    follower = follows(alice, 2)
    for each in ids[:3]:
        projects.update(alice.actor, each, {"name": "changed"})
    assert follower.page()["has_more"]
    projects.update(alice.actor, ids[0], {"name": "passed"})
    projects.update(alice.actor, ids[2], {"name": "to come"})
    projects.update(alice.actor, ids[3], {"name": "not in the batch"})
    assert not follower.page()["has_more"]
    assert follower.told[-1]["project"]["name"] == "to come"
    assert "not in the batch" not in {item["name"] for item in follower.copy.values()}
    assert [name for _, name in follower.polls()] == ["passed", "to come", "not in the batch"]


def test_an_old_cursor_can_be_used_again(alice, project, both):
    """An answer that was lost: the same question has the same answer, or a newer one."""
    kept = both[1].cursor
    alice.patch(f"/projects/{project.id}", json={"name": "Kelp"})
    assert both[1].polls() == [("upsert", "Kelp")]
    both[1].cursor = kept
    assert both[1].polls() == [("upsert", "Kelp")]
