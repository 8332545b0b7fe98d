"""SEC-19: refreshes of a locked session wait in turns, never on the lock, so the pool stays free for others."""

import threading
import time

import psycopg2
import pytest

from dev.roles import plain_url
from tests.fixtures.accounts import code_of, refreshes
from tests.fixtures.client import ApiClient

MANY = 10
"""As many as the pool has connections: were each to wait on the lock, nothing would be left for anybody."""

WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND datname = current_database()
"""


@pytest.fixture
def row_lock(settings, alice):
    """Alice's session row, locked by another connection until ``rollback``."""
    connection = psycopg2.connect(plain_url(settings.migration_database_url.get_secret_value()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sessions WHERE id = %s FOR UPDATE", (str(alice.session_id),))
    yield connection
    connection.close()


def test_sec_19_many_refreshes_of_a_locked_session_leave_the_pool_free(app, parts, alice, bob, sql, row_lock):
    pool = parts.engines.engine.pool
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(refreshes(ApiClient(app), alice.refresh_token)))
        for _ in range(MANY)
    ]
    for thread in threads:
        thread.start()
    in_use, until = [], time.monotonic() + 1.0
    while time.monotonic() < until:
        threads[0].join(0.005)
        in_use.append(pool.checkedout())
        assert sql(WAITING) == [(0,)]
        assert bob.get("/me").status_code == 200
    assert answers == []
    assert sorted(in_use)[len(in_use) // 2] < pool.size()
    row_lock.rollback()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * MANY
    assert len({answer.json["refresh_token"] for answer in answers}) == 1


def test_sec_19_after_its_patience_a_refresh_is_told_to_come_again(
    app, anonymous, alice, row_lock, monkeypatch
):
    monkeypatch.setattr("app.sessions.refresh.PATIENCE", 0.1)
    answer = refreshes(anonymous, alice.refresh_token)
    assert code_of(answer) == (503, "overloaded")
    assert int(answer.headers["Retry-After"]) >= 1
    row_lock.rollback()
    assert refreshes(anonymous, alice.refresh_token).status_code == 200


def test_sec_19_another_session_of_the_same_person_is_not_held_up(anonymous, alice, row_lock):
    other = alice.signs_in_again()
    started = time.monotonic()
    assert refreshes(anonymous, other.refresh_token).status_code == 200
    assert time.monotonic() - started < 2.0  # the database's own patience with locks
