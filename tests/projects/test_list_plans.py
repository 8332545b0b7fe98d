"""How PostgreSQL reads lists: what a page costs depends on the caller's own projects (benchmarks/list_growth.py has times)."""

import pytest

from tests.fixtures.plans import blocks, rows_sorted, scans

LIST = "project_members.user_id = "
LIMIT, FEW, MANY = 20, 20, 5_000
BY_TIME = ["updated_at", "-updated_at", "created_at", "-created_at"]
PLANTED = """
INSERT INTO projects (id, owner_id, name, status, version, created_at, updated_at)
SELECT gen_random_uuid(), %(owner)s, 'Harbour map ' || n, 'active', 1, at, at
FROM generate_series(1, %(many)s) AS n, LATERAL (SELECT timestamptz '2026-05-01' + n * interval '1 minute' AS at) AS moment;
INSERT INTO project_members (project_id, user_id, role, joined_at, project_created_at, project_updated_at)
SELECT id, owner_id, 'owner', created_at, created_at, updated_at FROM projects WHERE owner_id = %(owner)s
"""


@pytest.fixture
def town(alice, bob, sql, as_on_todays_disks):
    """Alice has 20 projects, Bob 5,000."""
    for person, many in ((alice, FEW), (bob, MANY)):
        sql(PLANTED, {"owner": str(person.user.id), "many": many})
    sql("ANALYZE projects, project_members")


@pytest.fixture
def plan_of(town, plans):
    def ask(person, query):
        def work():
            assert len(person.get(f"/projects?{query}").json["items"]) == LIMIT

        (plan,) = plans(work, LIST)
        return plan

    return ask


def after_ten_pages(person, sort):
    cursor = ""
    for _ in range(10):
        page = person.get(f"/projects?sort={sort}&limit=100{cursor}").json
        cursor = f"&cursor={page['next_cursor']}"
    return cursor


def test_somebody_with_few_projects_reads_no_table_from_end_to_end(alice, plan_of, subtests):
    for query in (*(f"sort={sort}" for sort in (*BY_TIME, "name", "-name")), "q=harbuor"):
        with subtests.test(query=query):
            plan = plan_of(alice, query)
            assert scans(plan) == []
            assert blocks(plan) < 10 * FEW
            assert rows_sorted(plan) <= FEW


def test_somebody_with_very_many_reads_a_page_off_an_index(bob, plan_of, subtests):
    """The first and the fiftieth page cost the same, and nothing is sorted that is not on the page."""
    for sort in BY_TIME:
        for cursor in ("", after_ten_pages(bob, sort)):
            with subtests.test(sort=sort, cursor=cursor):
                plan = plan_of(bob, f"sort={sort}{cursor}")
                assert scans(plan) == []
                assert blocks(plan) < 10 * LIMIT
                assert rows_sorted(plan) <= LIMIT + 1


def test_other_orders_sort_no_more_than_ones_own(bob, plan_of, subtests):
    for query in ("sort=name", "q=harbuor", "q=harbour&sort=-name"):
        with subtests.test(query=query):
            assert rows_sorted(plan_of(bob, query)) <= MANY


def test_three_statements_are_the_most_for_any_page(bob, town, statements):
    everything = "limit=100&q=harbour&status=active,archived,deleted&role=owner&expand=owner,counts"
    with statements() as sent:
        page = bob.get(f"/projects?{everything}&created_after=2026-01-01T00:00:00Z").json
    assert len(page["items"]) == 100
    assert len([each for each in sent if each.startswith("SELECT") and "sessions" not in each]) == 3
