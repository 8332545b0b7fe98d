"""What `make bench` measures is what production runs: nothing is switched off or raised to win."""

from app.config import Settings
from benchmarks.production import COLD, environment, production_settings
from dev.environment import secrets_of

PLACES = {
    "port", "public_url", "database_url", "migration_database_url", "redis_url", "storage_dir", "smtp_url", "secret_keys",
    "password_peppers", "signing_keys", "ops_token",
}  # fmt: skip
"""What no production has by default."""
CHOSEN = {"app_env": "production", "trusted_proxies": 1, "threads": 4}
URLS = {
    "DATABASE_URL": "postgresql://app:x@127.0.0.1/holdfast",
    "MIGRATION_DATABASE_URL": "postgresql://owner:x@127.0.0.1/holdfast",
    "REDIS_URL": "redis://:x@127.0.0.1:6379/0",
}


def measured(home, monkeypatch, **more):
    settings = production_settings(
        home, secrets_of(home), URLS, port=8123, smtp_port=8124, workers=2, threads=4
    )
    environ = environment({**settings, **more}, home / "metrics")
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return Settings(
        **{name: environ[name.upper()] for name in Settings.model_fields if name.upper() in environ}
    )


def changed(settings):
    fields = Settings.model_fields.items()
    return {name: value for name, field in fields if (value := getattr(settings, name)) != field.default}


def test_the_measured_configuration_is_the_production_one(tmp_path, monkeypatch):
    settings = measured(tmp_path, monkeypatch)
    assert settings.production
    assert settings.check().faults() == []
    differing = changed(settings)
    assert {name: value for name, value in differing.items() if name not in PLACES} == CHOSEN
    assert differing.keys() - CHOSEN.keys() == PLACES


def test_cold_differs_in_the_cache_alone(tmp_path, monkeypatch):
    warm, cold = measured(tmp_path, monkeypatch), measured(tmp_path, monkeypatch, **COLD)
    assert {n for n in Settings.model_fields if getattr(warm, n) != getattr(cold, n)} == {"cache_enabled"}


def test_a_person_s_shell_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("RATE_LIMIT_READS", "1000000/60")
    monkeypatch.setenv("LOG_LEVEL", "error")
    monkeypatch.setenv("SIGNING_KEYS_FILE", "/somewhere")
    environ = environment({"APP_ENV": "production"}, tmp_path)
    assert not environ.keys() & {"RATE_LIMIT_READS", "LOG_LEVEL", "SIGNING_KEYS_FILE"}
    assert environ["APP_ENV"] == "production"
