"""What Prometheus is told, and who may ask."""

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.core.redis_gate import RedisUnavailableError
from tests.fixtures.accounts import registers, signs_in
from tests.fixtures.client import ApiClient
from tests.fixtures.contract import documented_operations
from tests.fixtures.settings import OPS_TOKEN

METRICS = Path(__file__).parents[2] / "app" / "core" / "metrics.py"
NAMES = {
    "holdfast_request_seconds": "histogram",
    "holdfast_db_pool_in_use": "gauge",
    "holdfast_db_pool_wait_seconds": "histogram",
    "holdfast_redis_breaker_open": "gauge",
    "holdfast_limiter_degraded": "counter",
    "holdfast_cache_lookups": "counter",
    "holdfast_password_hashes_waiting": "gauge",
    "holdfast_sign_ins": "counter",
    "holdfast_breach_checks": "counter",
    "holdfast_jobs_oldest_seconds": "gauge",
    "holdfast_jobs_failed": "gauge",
}


def scrape(client, token=OPS_TOKEN):
    answer = client.get("//metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def value(families, sample, **labels):
    """The value of the one sample with these labels; 0 where there is none yet."""
    found = [
        each.value
        for family in families.values()
        for each in family.samples
        if each.name == sample and labels.items() <= each.labels.items()
    ]
    assert len(found) <= 1, "the labels name one sample"
    return found[0] if found else 0


def test_every_signal_is_there_after_a_story(anonymous, alice):
    registers(anonymous)
    signs_in(anonymous, alice.email)
    alice.get(f"/projects/{alice.creates().id}")
    families = scrape(anonymous)
    assert {name: families[name].type for name in NAMES if name in families} == NAMES
    assert all(families[name].documentation for name in NAMES)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer wrong", f"Bearer {OPS_TOKEN}x", f"Basic {OPS_TOKEN}", "Bearer é"]
)
def test_whoever_does_not_know_the_token_finds_nothing(anonymous, header):
    answer = anonymous.get("//metrics", headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_without_a_token_in_the_settings_nobody_finds_anything(make_app):
    client = ApiClient(make_app(ops_token=None))
    for header in ("", "Bearer", "Bearer ", "Bearer None"):
        assert client.get("//metrics", headers={"Authorization": header}).status_code == 404


def test_an_access_token_opens_no_metrics(ada):
    assert ada.get("//metrics").status_code == 404


class TestValues:
    """Each figure moves when what it measures happens, and only then."""

    @pytest.fixture
    def moved(self, anonymous):
        """``moved(sample, **labels)``: by how much since the last look."""
        seen = scrape(anonymous)

        def difference(sample, **labels):
            return value(scrape(anonymous), sample, **labels) - value(seen, sample, **labels)

        return difference

    def test_requests_by_operation_and_status_class(self, moved, alice):
        for path in ("/me", "/me", "/projects?limit=0", "/nowhere"):
            alice.get(path)
        count = "holdfast_request_seconds_count"
        assert moved(count, operation="getMe", status_class="2xx") == 2
        assert moved(count, operation="listProjects", status_class="4xx") == 1
        assert moved(count, operation="none", status_class="4xx") == 1
        assert moved("holdfast_request_seconds_sum", operation="getMe", status_class="2xx") > 0

    def test_labels_come_from_a_closed_list(self, app, anonymous, alice):
        """What a client sends makes no new series."""
        for path in ("/kelp", "/projects/kelp", "//kelp"):
            alice.get(path)
        alice.open("KELP", "/me")
        known = {each.name for each in documented_operations(app)}
        requests = scrape(anonymous)["holdfast_request_seconds"].samples
        assert not [each for each in requests if "kelp" in str(each.labels).lower()]
        assert {each.labels["status_class"] for each in requests} <= {"2xx", "3xx", "4xx", "5xx"}
        assert known & {each.labels["operation"] for each in requests}

    def test_waiting_for_a_connection(self, moved, make_app):
        engine = (
            make_app(db_pool_size=1, db_max_overflow=0, db_pool_timeout_seconds=0.3)
            .extensions["holdfast"]
            .engines.engine
        )
        with engine.connect():
            assert moved("holdfast_db_pool_wait_seconds_count") >= 1
            before = moved("holdfast_db_pool_wait_seconds_sum")
            with pytest.raises(Exception, match="QueuePool limit"):
                engine.connect()
        assert moved("holdfast_db_pool_wait_seconds_sum") - before >= 0.3, "who waited in vain counts"

    def test_connections_in_use(self, anonymous, parts):
        with parts.engines.engine.connect(), parts.engines.engine.connect():
            assert value(scrape(anonymous), "holdfast_db_pool_in_use") == 2
        assert value(scrape(anonymous), "holdfast_db_pool_in_use") == 0

    def test_redis_away(self, moved, make_app, dead_port):
        other = make_app(redis_url=f"redis://127.0.0.1:{dead_port}/0")
        ApiClient(other).get("/meta")
        assert moved("holdfast_limiter_degraded_total") == 1
        assert value(scrape(ApiClient(other)), "holdfast_redis_breaker_open") == 1

    def test_redis_there(self, anonymous, parts):
        assert parts.gate.ping()
        assert value(scrape(anonymous), "holdfast_redis_breaker_open") == 0

    def test_cache_lookups(self, moved, alice, parts):
        project = alice.creates()
        for _ in range(3):
            alice.get(f"/projects/{project.id}")
        lookups = "holdfast_cache_lookups_total"
        assert moved(lookups, namespace="project", outcome="miss") == 1
        assert moved(lookups, namespace="project", outcome="confirmed") == 2
        assert moved(lookups, namespace="session", outcome="local") == 2

    def test_cache_lookups_without_redis(self, moved, alice, parts, monkeypatch):
        def away(*_commands):
            raise RedisUnavailableError

        monkeypatch.setattr(parts.gate, "ask", away)
        alice.get(f"/projects/{alice.creates().id}")
        assert moved("holdfast_cache_lookups_total", namespace="project", outcome="down") == 1

    def test_sign_ins_by_outcome(self, moved, make_app, alice):
        client = ApiClient(make_app(rate_limit_sign_in_account="3/300"))
        signs_in(client, alice.email)
        for _ in range(4):
            signs_in(client, alice.email, "wrong, wrong, wrong")
        outcomes = {
            each: moved("holdfast_sign_ins_total", outcome=each)
            for each in ("succeeded", "failed", "throttled")
        }
        assert outcomes == {"succeeded": 1, "failed": 3, "throttled": 1}

    def test_jobs(self, anonymous, sql):
        registers(anonymous)
        sql("UPDATE procrastinate_events SET at = at - interval '90 s'")
        families = scrape(anonymous)
        assert 90 <= value(families, "holdfast_jobs_oldest_seconds") < 120
        assert value(families, "holdfast_jobs_failed") == 0
        sql("UPDATE procrastinate_jobs SET status = 'failed'")
        families = scrape(anonymous)
        assert value(families, "holdfast_jobs_oldest_seconds") == 0
        assert value(families, "holdfast_jobs_failed") == 1

    def test_jobs_planned_for_later_are_not_old(self, anonymous, sql):
        registers(anonymous)
        sql("UPDATE procrastinate_events SET at = at - interval '90 s'")
        sql("UPDATE procrastinate_jobs SET scheduled_at = clock_timestamp() + interval '1 h'")
        assert value(scrape(anonymous), "holdfast_jobs_oldest_seconds") == 0

    def test_the_database_away(self, make_app, dead_port):
        """Figures of the process are told all the same."""
        away = make_app(database_url=f"postgresql://nobody@127.0.0.1:{dead_port}/nothing")
        assert "holdfast_request_seconds" in scrape(ApiClient(away))


def test_several_processes_are_told_as_one(make_app, tmp_path, monkeypatch):
    """Gunicorn's workers each write into one folder; whichever is asked adds them up."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    work = (
        f"import runpy; own = runpy.run_path({str(METRICS)!r});"
        " own['SIGN_INS'].labels('succeeded').inc(3); own['POOL_IN_USE'].set(2)"
    )
    workers = [subprocess.Popen([sys.executable, "-c", work]) for _ in range(2)]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    families = scrape(ApiClient(make_app()))
    assert value(families, "holdfast_sign_ins_total", outcome="succeeded") == 6
    assert value(families, "holdfast_db_pool_in_use") == 4
