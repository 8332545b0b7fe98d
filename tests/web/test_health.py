"""REL-05: alive, ready, and what is wrong when it is not."""

import pytest

from app.core.schema import expected_revision
from app.web import drain
from tests.fixtures.client import ApiClient
from tests.fixtures.command_line import command_line
from tests.fixtures.gunicorn_process import until
from tests.fixtures.settings import OPS_TOKEN

CHECKS = {"postgres", "replicas", "redis", "migrations", "worker", "mail", "storage"}


@pytest.fixture
def ready(make_app):
    """Ask a fresh application, which has not looked before, whether it is ready."""

    def ask(headers=None, **settings):
        answer = ApiClient(make_app(**settings)).get("//readyz", headers=headers or {})
        assert answer.mimetype == "application/json"
        return answer

    return ask


@pytest.fixture
def worker(sql):
    """A worker that showed signs of life so many seconds ago."""

    def lives(seconds=1):
        sql("DELETE FROM procrastinate_workers")
        sql(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (clock_timestamp() - make_interval(secs => %s))",
            (seconds,),
        )

    return lives


@pytest.fixture
def draining():
    drain.begin()
    yield
    drain._flag[0] = 0


@pytest.fixture
def schema_behind(sql):
    sql("UPDATE alembic_version SET version_num = '0001'")
    yield
    sql("UPDATE alembic_version SET version_num = %s", (expected_revision(),))


def test_ready_names_each_dependency(ready, worker):
    worker()
    answer = ready()
    assert (answer.status_code, answer.json["status"]) == (200, "ok")
    assert {name: check["status"] for name, check in answer.json["checks"].items()} == dict.fromkeys(
        CHECKS, "ok"
    )


def test_without_a_worker_it_is_degraded(ready):
    answer = ready()
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["checks"]["worker"]["status"] == "degraded"
    assert "flask worker" in answer.json["checks"]["worker"]["detail"]


def test_a_worker_that_fell_silent_counts_as_none(ready, worker):
    worker(seconds=61)
    assert ready().json["checks"]["worker"]["status"] == "degraded"


@pytest.fixture
def dead_job(sql):
    """A job that failed for good: its id."""
    sql("INSERT INTO procrastinate_jobs (task_name, queue_name) VALUES ('test.bad', 'default')")
    sql("UPDATE procrastinate_jobs SET status = 'doing'")
    sql("UPDATE procrastinate_jobs SET status = 'failed'")
    [(number,)] = sql("SELECT id FROM procrastinate_jobs")
    return number


def test_a_job_that_failed_for_good_is_seen(ready, worker, dead_job):
    worker()
    answer = ready()
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    check = answer.json["checks"]["worker"]
    assert check["status"] == "degraded"
    assert "flask jobs list --state failed" in check["detail"]


@pytest.mark.parametrize("word", ["retry", "cancel"])
def test_until_somebody_tried_it_again_or_cancelled_it(ready, worker, dead_job, app, word):
    worker()
    assert command_line(app)("jobs", word, dead_job).exit_code == 0
    assert ready().json["status"] == "ok"


def test_or_for_a_day(ready, worker, dead_job, sql):
    worker()
    sql("UPDATE procrastinate_events SET at = at - interval '25 hours'")
    assert ready().json["status"] == "ok"


def test_a_schema_behind_the_code_is_not_ready(ready, worker, schema_behind):
    worker()
    answer = ready()
    assert (answer.status_code, answer.json["status"]) == (503, "unavailable")
    behind = answer.json["checks"]["migrations"]
    assert behind["status"] == "unavailable"
    assert "flask db upgrade" in behind["detail"]
    assert {check["status"] for name, check in answer.json["checks"].items() if name != "migrations"} == {
        "ok"
    }


def test_a_server_that_drains_is_not_ready_and_serves_on(ready, anonymous, alice, draining):
    answer = ready()
    assert (answer.status_code, answer.json["status"], answer.json["draining"]) == (503, "unavailable", True)
    assert anonymous.get("//livez").status_code == 200
    assert alice.get("/me").status_code == 200


@pytest.mark.parametrize(("engine", "setting"), [("postgres", "database_url"), ("redis", "redis_url")])
def test_an_engine_that_is_away(ready, worker, dead_port, engine, setting):
    worker()
    scheme = {"postgres": "postgresql", "redis": "redis"}[engine]
    answer = ready(**{setting: f"{scheme}://127.0.0.1:{dead_port}/0"})
    required = engine == "postgres"
    assert answer.status_code == (503 if required else 200)
    assert answer.json["status"] == ("unavailable" if required else "degraded")
    assert answer.json["checks"][engine]["status"] == ("unavailable" if required else "degraded")
    assert str(dead_port) not in answer.text, "no address and no driver text"


def test_d14_without_storage_it_serves_what_is_left(ready, worker, tmp_path):
    worker()
    blocked = tmp_path / "a-file"
    blocked.touch()
    answer = ready(storage_dir=blocked / "storage")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    storage = answer.json["checks"]["storage"]
    assert storage["status"] == "degraded"
    assert storage["detail"].startswith("local: ")
    assert str(tmp_path) not in answer.text, "no path and no driver text"


def test_d14_without_the_bucket_it_serves_what_is_left(ready, worker, dead_port):
    worker()
    answer = ready(
        storage="s3", s3_bucket="files", s3_endpoint_url=f"http://127.0.0.1:{dead_port}",
        s3_access_key_id="tests", s3_secret_access_key="no-secret-at-all",
    )  # fmt: skip
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["checks"]["storage"]["detail"].startswith("s3: ")
    assert str(dead_port) not in answer.text


def test_storage_names_its_back_end(ready):
    assert ready().json["checks"]["storage"] == {"status": "ok", "detail": "files are in a folder (local)"}


def test_details_are_for_operators(ready, worker):
    worker()
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}):
        assert ready(app_env="production", headers=headers).json == {"status": "ok"}
    told = ready(app_env="production", headers={"Authorization": f"Bearer {OPS_TOKEN}"}).json
    assert set(told) == {"status", "checks", "draining"}
    assert set(told["checks"]) == CHECKS


def test_it_looks_once_a_second(anonymous, alice, count_queries):
    anonymous.get("//readyz")
    with count_queries() as seen:
        for _ in range(5):
            anonymous.get("//readyz")
    # The five take milliseconds; on a machine that stood still for a second there may be one more look.
    assert len(seen) <= 3


def test_what_changes_is_seen_soon(anonymous, worker):
    assert anonymous.get("//readyz").json["status"] == "degraded"
    worker()
    until(lambda: anonymous.get("//readyz").json["status"] == "ok", "the worker is seen")


def test_alive_asks_nobody(make_app, dead_port):
    away = make_app(
        database_url=f"postgresql://nobody@127.0.0.1:{dead_port}/nothing",
        redis_url=f"redis://127.0.0.1:{dead_port}/0",
    )
    asked = []
    away.extensions["holdfast"].engines.engine.pool.connect = lambda: asked.append("postgres")
    away.extensions["holdfast"].gate.run = asked.append
    answer = ApiClient(away).get("//livez")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    assert asked == []
