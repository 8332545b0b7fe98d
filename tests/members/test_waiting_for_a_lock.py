"""Who waits for a project's row goes on with the role of after the wait, not with that of before (SEC-42)."""

import threading

import psycopg2
import pytest

from dev.roles import plain_url
from tests.fixtures.accounts import code_of

WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND datname = current_database()
"""
MEMBER = "WHERE project_id = %s AND user_id = %s"


@pytest.fixture
def somebody_else(settings, reef):
    """Another transaction that holds the project's row."""
    connection = psycopg2.connect(plain_url(settings.migration_database_url.get_secret_value()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM projects WHERE id = %s FOR NO KEY UPDATE", (str(reef.id),))
        yield connection
    connection.close()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (f"UPDATE project_members SET role = 'viewer' {MEMBER}", (403, "forbidden")),
        (f"DELETE FROM project_members {MEMBER}", (404, "not_found")),
    ],
    ids=["made a viewer", "removed"],
)
def test_a_change_that_waited(bob, reef, somebody_else, sql, row_of, change, code):
    answers = []
    waiting = threading.Thread(
        target=lambda: answers.append(bob.patch(f"/projects/{reef.id}", json={"name": "Kelp"})), daemon=True
    )
    waiting.start()
    while sql(WAITING) == [(0,)]:
        assert waiting.is_alive()
    with somebody_else.cursor() as cursor:
        cursor.execute(change, (str(reef.id), str(bob.user.id)))
    somebody_else.commit()
    waiting.join(10)
    assert [code_of(answer) for answer in answers] == [code]
    assert row_of(reef.id)["name"] == "Reef survey"
