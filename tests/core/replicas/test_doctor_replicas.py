"""`flask doctor` looks at each replica, and says how to mend it."""

import pytest

from app.cli.checks import replicas
from app.cli.checks.finding import Severity
from app.cli.checks.report import without_secrets
from tests.core.replicas.test_rotation import NINE_MIB
from tests.fixtures.gunicorn_process import until


@pytest.fixture
def examined(app, pair):
    """``examined(urls)``: what is found about replicas with these addresses; about ours without any."""

    def look(*urls):
        own = pair.settings
        if urls:
            own = type(own).model_validate({**own.model_dump(), "database_replica_urls": urls})
        found = list(replicas.look(own))
        assert all(bool(each.mend) == (each.severity != Severity.ok) for each in found)
        return [(each.severity.value, each.what) for each in without_secrets(found, own)]

    return look


@pytest.fixture
def own_url(pair):
    [url] = pair.settings.database_replica_urls
    return url.get_secret_value()


def test_a_replica_in_step(examined, pair):
    [(severity, what)] = examined()
    assert severity == "OK"
    assert what.startswith(f"{pair.name}/holdfast_replicated: a standby of this database, ")
    assert what.endswith(" KiB behind, read-only")


def test_each_has_its_line_and_no_secret_stands_in_it(examined, own_url, dead_port):
    first, second = examined(own_url, f"postgresql://kelp:weed-secret@127.0.0.1:{dead_port}/holdfast")
    assert first[0] == "OK"
    assert second[0] == "FAULT"
    assert f"127.0.0.1:{dead_port}/holdfast cannot be used" in second[1]
    assert "weed-secret" not in second[1]


def test_the_primary_named_as_its_own_replica(examined, pair):
    [(severity, what)] = examined(pair.settings.database_url.get_secret_value())
    assert severity == "FAULT"
    assert what.endswith("takes writes: it is the primary, or was promoted")


def test_another_database(examined, pair):
    [(severity, what)] = examined(pair.replica.admin_url)
    assert (severity, "another database" in what or "has no tables" in what) == ("FAULT", True)


def test_a_superuser(examined, pair):
    admin = pair.admin_url.replace(
        str(pair.primary.state.postgres_port), str(pair.replica.state.postgres_port)
    )
    [(severity, what)] = examined(admin)
    assert severity == "WARN"
    assert "superuser" in what


def test_one_that_is_far_behind(examined, pair):
    pair.pause()
    pair.on_primary(NINE_MIB)
    received = "SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) > 9000000"
    until(lambda: pair.on_replica(received) == [(True,)], "it receives nothing")
    [(severity, what)] = examined()
    assert severity == "WARN"
    assert what.endswith("is 9 MiB behind, so it is not asked")


def test_one_that_has_not_got_the_newest_migration(examined, pair):
    [(newest,)] = pair.on_primary("SELECT version_num FROM alembic_version")
    pair.resume()
    pair.on_primary("UPDATE alembic_version SET version_num = '0001'")
    try:
        pair.resume()
        [(severity, what)] = examined()
    finally:
        pair.on_primary("UPDATE alembic_version SET version_num = %s", (newest,))
    assert severity == "WARN"
    assert what.endswith("has another schema than this code: 0001")


def test_without_replicas_nothing_is_said(settings):
    assert list(replicas.look(settings)) == []
