"""Statements, plans and figures of the feed."""

import pytest
from prometheus_client import REGISTRY

from tests.fixtures.plans import blocks, indexes, scans
from tests.projects.test_query_counts import warmed

FEED = "FROM events"


@pytest.fixture
def warm(alice):
    """Alice, whose session this process has looked at."""
    alice.get("/me")
    return alice


@pytest.mark.parametrize("many", [0, 1, 100])
def test_a_page_of_the_first_copy_is_one_statement_however_long(warm, plant, statements, many):
    plant(warm, [f"number {number}" for number in range(many)])
    with statements() as sent:
        assert len(warm.get("/projects/changes?limit=100").json["items"]) == many
    assert len(warmed(sent)) == 1


@pytest.mark.parametrize("many", [0, 1, 100])
def test_a_page_of_changes_is_one_statement_however_long(warm, plant, projects, follows, statements, many):
    ids = plant(warm, [f"number {number}" for number in range(many)])
    follower = follows(warm)
    for each in ids:
        projects.archive(warm.actor, each)
    with statements() as sent:
        assert len(follower.page()["items"]) == many
    assert len(warmed(sent)) == 1


MORE_EVENTS = (
    "INSERT INTO events (kind, subject_id, project_id, changes, created_at)"
    " SELECT 'project.updated', id, id, '{}', updated_at FROM projects, generate_series(1, 5)"
)


@pytest.fixture
def crowded(alice, bob, sql, plant, as_on_todays_disks):
    """Alice has 20 projects among 10,000; each has five events."""
    mine = plant(alice, [f"number {number}" for number in range(20)])
    plant(bob, [f"a stranger's {number}" for number in range(10_000)])
    sql(MORE_EVENTS)
    sql("ANALYZE events, projects, project_members")
    return mine


def test_no_large_table_is_read_from_end_to_end(crowded, alice, projects, follows, plans):
    """The cost is of 20 projects, not of 10,000 nor of 50,000 events."""
    follower = follows(alice)
    for each in crowded[:5]:
        projects.update(alice.actor, each, {"name": "changed"})
    copied = plans(lambda: alice.get("/projects/changes?limit=100"), FEED)
    told = plans(follower.page, FEED)
    assert len(follower.told) == 25
    for plan in (*copied, *told):
        assert scans(plan) == []
        assert blocks(plan) < 400
    assert len(copied) == len(told) == 1


def test_an_old_cursor_costs_a_look_for_each_project_too(crowded, alice, follows, plans, sql, subtests):
    """Five events of each of her projects are new, and the last one is enough, whatever PostgreSQL has been told of them."""
    follower = follows(alice)
    sql(MORE_EVENTS)
    since = follower.cursor
    for told_of in ("the old ones", "all"):
        with subtests.test(statistics=told_of):
            follower.cursor, before = since, len(follower.told)
            (told,) = plans(follower.page, FEED)
            assert len(follower.told) - before == len(crowded)
            assert scans(told) == []
            assert blocks(told) < 400
            assert "ix_events_project_id_xid_seq" in indexes(told)
        sql("ANALYZE events")


def test_many_old_events_cost_nothing(crowded, alice, follows, plans, sql):
    """Each look ends at the first event that is not new."""
    sql(
        MORE_EVENTS.replace("generate_series(1, 5)", "generate_series(1, 2000) WHERE owner_id = %s"),
        (str(alice.user.id),),
    )
    sql("ANALYZE events")
    follower = follows(alice)
    (told,) = plans(follower.page, FEED)
    assert len(follower.told) == len(crowded)
    assert blocks(told) < 200


def value(name):
    return REGISTRY.get_sample_value(name)


def test_figures_tell_of_open_transactions_and_of_changes_that_came_late(
    alice, plant, projects, opens, follows, advance
):
    ids = plant(alice, ["a", "b"])
    late = opens()
    late.does(projects.update, alice.actor, ids[0], {"name": "late"})
    projects.update(alice.actor, ids[1], {"name": "early"})
    advance(seconds=100)
    follower = follows(alice)
    assert value("holdfast_changes_open_span") >= 2
    before = value("holdfast_changes_late_seconds_sum")
    late.commits()
    assert follower.polls() == [("upsert", "late")]
    assert 90 <= value("holdfast_changes_late_seconds_sum") - before <= 130
    before = value("holdfast_changes_late_seconds_sum")
    projects.update(alice.actor, ids[0], {"name": "in time"})
    follower.polls()
    assert value("holdfast_changes_late_seconds_sum") - before < 1
