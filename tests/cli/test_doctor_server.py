"""What `flask doctor` finds about the server of the database: connections, durability, its clock."""

from datetime import timedelta

import pytest

from app.cli.checks import database
from app.core.clock import Clock
from tests.cli.examined import PRODUCTION, Examined, severity


def test_more_connections_than_there_are(make_app):
    """REL-04: workers x (pool_size + max_overflow) + 5 <= max_connections - 3."""
    found = Examined(make_app(workers=64, db_pool_size=4, db_max_overflow=2)).one("connections", "fault")
    assert "64 workers x (4 + 2) + 5 = 389, but only 197 are to be had" in found["what"]
    assert found["mend"] == "raise max_connections to 392 or more, or set WORKERS=32"
    assert Examined(make_app(workers=32, db_pool_size=4, db_max_overflow=2)).one("connections", "ok")
    assert Examined(make_app(workers=33, db_pool_size=4, db_max_overflow=2)).one("connections", "fault")


def test_a_limit_of_the_database_counts_too(own_app, own_sql):
    ((name,),) = own_sql("SELECT current_database()")
    own_sql(f'ALTER DATABASE "{name}" CONNECTION LIMIT 10')
    assert "but only 10 are to be had" in Examined(own_app).one("connections", "fault")["what"]


@pytest.mark.parametrize("production", [False, True])
def test_writes_that_a_crash_may_lose(make_app, production):
    """REL-01. The test's own PostgreSQL is such a one."""
    found = Examined(make_app(**PRODUCTION if production else {})).one("durability", severity(production))
    assert "synchronous_commit and fsync and full_page_writes are off" in found["what"]
    assert "ALTER SYSTEM SET synchronous_commit = on" in found["mend"]


@pytest.mark.parametrize("production", [False, True])
def test_a_test_clock_that_is_not_at_rest(make_app, sql, production):
    sql("UPDATE system_state SET clock_offset_seconds = 3600")
    found = Examined(make_app(**PRODUCTION if production else {})).one("clock", "warn")
    assert "3600 s" in found["what"]
    assert ("does not look at it" in found["what"]) is production


class Shifted(Clock):
    seconds = 0.0

    def now(self):
        return super().now() + timedelta(seconds=self.seconds)


@pytest.mark.parametrize(("seconds", "expected"), [(1, "ok"), (5, "warn"), (-5, "warn"), (60, "fault")])
def test_a_host_whose_clock_differs(app, monkeypatch, seconds, expected):
    monkeypatch.setattr(database, "Clock", type("Here", (Shifted,), {"seconds": seconds}))
    found = Examined(app).one("clock", expected)
    assert f"{abs(seconds)}" in found["what"] or expected == "ok"
    assert ("NTP" in (found["mend"] or "")) is (expected != "ok")
