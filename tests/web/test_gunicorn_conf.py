"""gunicorn.conf.py itself: what it sets, what it refuses, what a reload and a dead worker do."""

import base64
import os
import secrets
import signal
import subprocess
from types import SimpleNamespace

import pytest

from app.web import gunicorn_hooks
from tests.fixtures.gunicorn_process import APP, GUNICORN, ROOT, request, started, until

CONF = ROOT / "gunicorn.conf.py"


def ring():
    return "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()


def environment(**changes):
    return {
        **{name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("COV")},
        "PYTHONPATH": str(ROOT),
        "APP_ENV": "test",
        "HOLDFAST_ENV_FILE": "/nowhere",
        "DATABASE_URL": "postgresql://nobody@localhost/nothing",
        "REDIS_URL": "redis://localhost:1/0",
        "MAILBOX_DIR": "/nowhere/mailbox",
        "SECRET_KEYS": ring(),
        "PASSWORD_PEPPERS": ring(),
        "SIGNING_KEYS": ring(),
        **changes,
    }


def gunicorn(folder, env, *options):
    command = [*GUNICORN, "-c", CONF, *options, APP]
    return subprocess.run(
        command, env=env, cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )


def test_sec_56_a_faulty_configuration_ends_the_master_with_78_and_a_line_per_fault(tmp_path):
    env = environment(
        SECRET_KEYS="k1:c2hvcnQta2VscA==", DATABASE_URL="", THREADS="many-kelps", APP_ENV="test"
    )
    result = gunicorn(tmp_path, env)
    assert result.returncode == 78
    assert result.stderr.startswith("THREADS: ")
    result = gunicorn(tmp_path, env | {"THREADS": "4"})
    assert result.returncode == 78
    assert {line.split(":")[0] for line in result.stderr.splitlines()} == {"SECRET_KEYS", "DATABASE_URL"}
    assert "Traceback" not in result.stderr + result.stdout
    assert "kelp" not in result.stderr + result.stdout
    assert "c2hvcnQta2VscA" not in result.stderr + result.stdout


def test_settings_become_gunicorns(tmp_path):
    env = environment(
        APP_ENV="test", HOST="::1", PORT="8123", WORKERS="3", THREADS="5", FORWARDED_ALLOW_IPS="10.1.2.3"
    )
    printed = gunicorn(tmp_path, env, "--print-config")
    told = dict(line.split("=", 1) for line in printed.stdout.splitlines() if "=" in line)
    told = {name.strip(): value.strip() for name, value in told.items()}
    expected = {
        "bind": "['[::1]:8123']",
        "workers": "3",
        "threads": "5",
        "worker_class": "app.web.gunicorn_worker.ProblemThreadWorker",
        "control_socket_disable": "True",
        "graceful_timeout": "25",
        "keepalive": "65",
        "limit_request_line": "4094",
        "limit_request_field_size": "8190",
        "forwarded_allow_ips": "['10.1.2.3']",
        "accesslog": "None",
        "preload_app": "False",
    }
    assert expected == {name: told.get(name) for name in expected}, printed.stderr


def test_serves_with_nothing_left_in_the_home_folder(tmp_path):
    env = environment(HOME=str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path), PUBLIC_URL="https://api.example.com")
    with started(tmp_path, CONF, env) as server:
        answer = server.ask(request("GET", "/" + "a" * 5000))
        assert answer.problem["type"] == "https://api.example.com/docs/errors#uri_too_long"
        assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
        assert server.stop() == 0
        assert [line["event"] for line in server.lines()] == ["boot_checks_skipped", "request_refused"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["output"]


def test_rel_05_drain_time_comes_from_the_settings(tmp_path):
    with started(tmp_path, CONF, environment(DRAIN_SECONDS="60")) as server:
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.get("/draining").body == b"True", "draining")
        assert server.stop(signal.SIGQUIT) == 0


def test_sec_56_a_reload_into_a_faulty_configuration_is_refused(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(ring())
    env = environment(SECRET_KEYS_FILE=str(keys), APP_ENV="test", LOG_LEVEL="info")
    del env["SECRET_KEYS"]
    with started(tmp_path, CONF, env) as server:
        keys.write_text("k1:broken")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "Not reloaded: SECRET_KEYS" in server.output.read_text(), "the refusal is logged")
        assert server.get("/").body == b"hello"
        assert "broken" not in server.output.read_text()
        assert server.stop() == 0


def test_t3_a_reload_replaces_the_workers_and_loses_no_request(tmp_path):
    with started(tmp_path, CONF, environment(WORKERS="2")) as server:
        old = {server.get("/pid").body}
        until(lambda: old.add(server.get("/pid").body) or len(old) == 2, "both workers answer")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: not old & {server.get("/pid").body for _ in range(20)}, "both workers are replaced")
        assert server.stop() == 0


class TestMetricsFolder:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path, monkeypatch):
        folder = tmp_path / "metrics" / "here"
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))
        return folder

    def test_is_made_and_cleared_of_the_dead(self, folder):
        gunicorn_hooks.prepare_metrics()
        dead = subprocess.Popen(["true"])
        dead.wait()
        for name in (
            f"counter_{dead.pid}.db",
            f"gauge_livesum_{dead.pid}.db",
            f"counter_{os.getpid()}.db",
            "notes",
        ):
            (folder / name).write_bytes(b"")
        gunicorn_hooks.prepare_metrics()
        assert {file.name for file in folder.iterdir()} == {f"counter_{os.getpid()}.db", "notes"}

    def test_keeps_what_belongs_to_processes_of_others(self, folder, monkeypatch):
        def kill(pid, _signal):
            raise PermissionError(pid)

        gunicorn_hooks.prepare_metrics()
        (folder / "counter_1.db").write_bytes(b"")
        monkeypatch.setattr(os, "kill", kill)
        gunicorn_hooks.prepare_metrics()
        assert (folder / "counter_1.db").exists()

    def test_forgets_the_live_gauges_of_a_dead_worker(self, folder):
        gunicorn_hooks.prepare_metrics()
        for name in ("gauge_livesum_77.db", "gauge_livesum_78.db", "counter_77.db"):
            (folder / name).write_bytes(b"")
        gunicorn_hooks.forget_worker(SimpleNamespace(pid=77, slot=None))
        assert {file.name for file in folder.iterdir()} == {"gauge_livesum_78.db", "counter_77.db"}

    def test_does_nothing_without_a_folder(self, folder, monkeypatch):
        monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")
        gunicorn_hooks.prepare_metrics()
        gunicorn_hooks.forget_worker(SimpleNamespace(pid=77, slot=None))
        assert not folder.exists()
