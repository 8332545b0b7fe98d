"""What `make bench` measures is what production runs: nothing is switched off or raised to win."""

import os
from types import SimpleNamespace

import pytest

from app.config import Settings
from benchmarks.production import environment
from benchmarks.target import SERVED, Accounts, Holdfast
from dev.environment import secrets_of

PLACES = {
    "port", "public_url", "database_url", "migration_database_url", "redis_url", "storage_dir", "smtp_url", "secret_keys",
    "password_peppers", "signing_keys", "ops_token",
}  # fmt: skip
"""What no production has by default."""
CHOSEN = {"app_env": "production", "trusted_proxies": 1, "threads": 4}


class Engines(SimpleNamespace):
    """A place whose engines need not run to be named."""

    workers, threads = 2, 4

    def redis_url(self, database):
        return "redis://:x@127.0.0.1:6379/0"

    def app_url(self, database):
        return f"postgresql://app:x@127.0.0.1/{database}"

    def owner_url(self, database):
        return f"postgresql://owner:x@127.0.0.1/{database}"


@pytest.fixture
def measured(tmp_path, monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / "run").mkdir()
    accounts = Accounts(Engines(home=tmp_path, keys=secrets_of(tmp_path)), 1000, 200, 256)

    def settings(*, cold=False):
        environ = Holdfast(accounts, cold=cold)._environment(8124)
        assert environ["HOLDFAST_ENV_FILE"] == os.devnull
        given = {name: environ[name.upper()] for name in Settings.model_fields if name.upper() in environ}
        return Settings(**given)

    return settings


def changed(settings):
    fields = Settings.model_fields.items()
    return {name: value for name, field in fields if (value := getattr(settings, name)) != field.default}


def test_the_measured_configuration_is_the_production_one(measured):
    settings = measured()
    assert settings.production
    assert settings.check().faults() == []
    differing = changed(settings)
    assert {name: value for name, value in differing.items() if name not in PLACES} == CHOSEN
    assert differing.keys() - CHOSEN.keys() == PLACES


def test_it_is_served_as_operations_serve_it():
    """The project's own gunicorn.conf.py lies where the command runs, so no option may stand beside it."""
    assert SERVED[1:] == ["-m", "gunicorn", "wsgi:app"]


def test_cold_differs_in_the_cache_alone(measured):
    warm, cold = measured(), measured(cold=True)
    differing = {name for name in Settings.model_fields if getattr(warm, name) != getattr(cold, name)}
    own = {"port", "public_url", "database_url", "migration_database_url"}
    assert differing - own == {"cache_enabled"}


def test_a_person_s_shell_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("RATE_LIMIT_READS", "1000000/60")
    monkeypatch.setenv("LOG_LEVEL", "error")
    monkeypatch.setenv("SIGNING_KEYS_FILE", "/somewhere")
    environ = environment({"APP_ENV": "production"}, tmp_path)
    assert not environ.keys() & {"RATE_LIMIT_READS", "LOG_LEVEL", "SIGNING_KEYS_FILE"}
    assert environ["APP_ENV"] == "production"
