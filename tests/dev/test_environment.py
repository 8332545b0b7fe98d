"""The environment of a laptop: keys made once, for nobody else's eyes."""

import base64
import os
import subprocess

import pytest

from app.config import load_settings
from dev.address import Address
from dev.environment import KEY_RINGS, read_env_file, secrets_of, service_settings, write_env_file
from dev.faults import Fault

HOME_ALONE = Address("127.0.0.1", 8000)
ENGINES = {"DATABASE_URL": "postgresql://app@127.0.0.1/x", "REDIS_URL": "redis://127.0.0.1/0"}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in (
        *KEY_RINGS,
        "OPS_TOKEN",
        "PUBLIC_URL",
        "TRUSTED_HOSTS",
        "CORS_ORIGINS",
        "RATE_LIMIT_FACTOR",
        "APP_ENV",
    ):
        monkeypatch.delenv(name, raising=False)


def settings(home, address=HOME_ALONE):
    return service_settings(address, home, secrets_of(home), ENGINES)


def test_keys_are_made_once_and_kept_private(tmp_path):
    first = secrets_of(tmp_path)
    assert secrets_of(tmp_path) == first
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600
    rings = [first[name] for name in KEY_RINGS]
    assert len(set(rings)) == 3
    for ring in rings:
        key_id, _, encoded = ring.partition(":")
        assert key_id
        assert len(base64.b64decode(encoded, validate=True)) == 32
    assert len(first["OPS_TOKEN"]) >= 32


def test_a_key_that_a_newer_version_wants_joins_the_old_ones(tmp_path):
    first = secrets_of(tmp_path)
    path = tmp_path / "secrets.env"
    path.write_text(
        "".join(line for line in path.read_text().splitlines(keepends=True) if "OPS_TOKEN" not in line)
    )
    second = secrets_of(tmp_path)
    assert second["OPS_TOKEN"] != first["OPS_TOKEN"]
    assert {name: second[name] for name in KEY_RINGS} == {name: first[name] for name in KEY_RINGS}


def test_keys_that_cannot_be_read_are_not_replaced(tmp_path):
    (tmp_path / "secrets.env").write_text("SECRET_KEYS='half\n")
    with pytest.raises(Fault, match="damaged"):
        secrets_of(tmp_path)


def test_the_env_file_reads_the_same_in_a_shell(tmp_path):
    values = {"PLAIN": "a/b+c=", "SPACED": "/home/my files/var", "QUOTED": 'it\'s $HOME "here" #1'}
    path = tmp_path / "run" / "env"
    write_env_file(path, values)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_env_file(path) == values
    shell = subprocess.run(
        ["/bin/sh", "-c", '. "$1"; printf "%s\\n" "$PLAIN" "$SPACED" "$QUOTED"', "sh", path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stdout.splitlines() == list(values.values())


def test_the_service_reads_the_env_file_too(tmp_path, monkeypatch):
    home = tmp_path / "my var"
    home.mkdir()
    write_env_file(home / "env", settings(home))
    for name in [name for name in os.environ if name.endswith("_URL")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOLDFAST_ENV_FILE", str(home / "env"))
    loaded = load_settings()
    assert loaded.database_url.get_secret_value() == "postgresql+psycopg2://app@127.0.0.1/x"
    assert loaded.mailbox_dir == home / "mailbox"
    assert loaded.rate_limit_factor == 20
    assert loaded.development


def test_what_the_person_sets_wins_but_never_production(tmp_path, monkeypatch):
    monkeypatch.setenv("RATE_LIMIT_FACTOR", "1")
    monkeypatch.setenv("PUBLIC_URL", "https://me.example")
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("SIGNING_KEYS_FILE", "/run/secrets/signing")
    told = settings(tmp_path)
    assert told["RATE_LIMIT_FACTOR"] == "1"
    assert told["PUBLIC_URL"] == told["LINK_BASE_URL"] == "https://me.example"
    assert told["APP_ENV"] == "development"
    assert "SIGNING_KEYS" not in told
    assert "TRUSTED_HOSTS" not in told


def test_the_second_terminal_knows_whatever_the_person_set(tmp_path, monkeypatch):
    monkeypatch.setenv("STORAGE_KEYS", "s1:of-the-first-terminal")
    monkeypatch.setenv("PROJECT_QUOTA_BYTES", "1000")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere")
    told = settings(tmp_path)
    assert (told["STORAGE_KEYS"], told["PROJECT_QUOTA_BYTES"]) == ("s1:of-the-first-terminal", "1000")
    assert told["DATABASE_URL"] == ENGINES["DATABASE_URL"]


def test_on_the_network_hosts_and_origins_join_those_of_the_person(tmp_path, monkeypatch):
    monkeypatch.setenv("CORS_ORIGINS", "https://app.example")
    told = settings(tmp_path, Address("0.0.0.0", 8123, ("192.168.1.5",)))
    assert {"192.168.1.5", "10.0.2.2", "localhost"} <= set(told["TRUSTED_HOSTS"].split(","))
    assert {"https://app.example", "http://192.168.1.5:8123", "http://10.0.2.2:8123"} <= set(
        told["CORS_ORIGINS"].split(",")
    )
    assert told["PUBLIC_URL"] == told["LINK_BASE_URL"] == "http://192.168.1.5:8123"
