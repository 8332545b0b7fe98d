"""Erasing who belongs to projects of others: locked in the order in which everybody locks, projects first and by id."""

import threading

import psycopg2
import pytest

from dev.roles import plain_url

WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND datname = current_database()
"""
TOUCH = "UPDATE projects SET updated_at = updated_at + interval '1 second' WHERE id = %s"


@pytest.fixture
def somebody_else(settings):
    """Another transaction, such as that of a bulk."""
    connection = psycopg2.connect(plain_url(settings.migration_database_url.get_secret_value()))
    yield connection
    connection.close()


def test_who_changes_many_projects_meanwhile_is_in_nobodys_way(
    alice, bob, joins, leaves, advance, parts, purge, sql, somebody_else
):
    shared = sorted((alice.creates(f"Reef {number}") for number in range(5)), key=lambda project: project.id)
    for project in reversed(shared):  # so that their rows lie the other way round
        joins(bob, project, "editor")
    leaves(bob)
    advance(days=parts.settings.deletion_grace_days, seconds=1)
    erased = []
    waiting = threading.Thread(target=lambda: erased.append(purge()), daemon=True)
    with somebody_else.cursor() as cursor:
        cursor.execute(TOUCH, (str(shared[0].id),))
        waiting.start()
        while sql(WAITING) == [(0,)]:
            assert waiting.is_alive()
        for project in shared[1:]:
            cursor.execute(TOUCH, (str(project.id),))
    somebody_else.commit()
    waiting.join(10)
    assert erased == [1]
    assert sql("SELECT DISTINCT user_id FROM project_members") == [(str(alice.user.id),)]
