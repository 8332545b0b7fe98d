"""docker-compose.yml: what can be said of it without running it; `make verify-containers` runs it (SEC-60)."""

import re
from pathlib import Path

import pytest
import yaml

from dev.containers.engine import HARDENED
from dev.containers.stand_ins import STAND_INS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
STACK = yaml.safe_load(TEXT)
SERVICES = STACK["services"]
ONE_SHOTS = {"secrets", "migrate"}
OURS = {"secrets", "migrate", "api", "worker"}
PUBLISHED = {"api": "127.0.0.1:${PORT:-8000}:8000", "mailpit": "127.0.0.1:${MAILPIT_PORT:-8025}:8025"}

every_service = pytest.mark.parametrize("name", sorted(SERVICES))


def test_it_is_the_stack_of_a_laptop():
    assert set(SERVICES) == {"secrets", "migrate", "api", "worker", "postgres", "redis", "mailpit"}
    assert STACK["name"] == "holdfast"
    for name in OURS:
        assert SERVICES[name]["environment"]["APP_ENV"] == "development"


@every_service
def test_no_service_has_more_rights_than_it_needs(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not set(service) & {
        "privileged",
        "cap_add",
        "devices",
        "pid",
        "ipc",
        "userns_mode",
        "device_cgroup_rules",
    }
    assert service.get("network_mode") in {None, "none"}


@every_service
def test_no_service_runs_as_root(name):
    """Ours by the USER of the Dockerfile, the others by `user`."""
    user = SERVICES[name].get("user")
    if name in OURS:
        assert user is None
    else:
        assert user in {"postgres", "redis", "10001:10001"}


@every_service
def test_no_service_sees_the_host(name):
    for volume in SERVICES[name].get("volumes", ()):
        source, target, *mode = volume.split(":")
        if source.startswith(("/", ".", "~")):
            assert (ROOT / source).is_file(), f"{source} is missing"
            assert mode == ["ro"]
            assert "docker.sock" not in target
        else:
            assert source in STACK["volumes"]


@every_service
def test_only_api_and_mails_are_published_and_on_loopback(name):
    assert SERVICES[name].get("ports", []) == ([PUBLISHED[name]] if name in PUBLISHED else [])
    assert "expose" not in SERVICES[name]


def test_the_engines_network_has_no_way_out():
    assert STACK["networks"]["engines"] == {"internal": True}
    assert {name for name in SERVICES if "outside" in SERVICES[name].get("networks", ())} == {
        "api",
        "worker",
        "mailpit",
    }
    for name in ("postgres", "redis", "migrate"):
        assert SERVICES[name]["networks"] == ["engines"]


@every_service
def test_every_image_is_pinned_by_a_tag(name):
    image = SERVICES[name]["image"]
    if name in OURS:
        assert image == "${HOLDFAST_IMAGE:-holdfast:dev}"
        assert SERVICES[name]["pull_policy"] == ("build" if name == "secrets" else "never")
    else:
        assert re.fullmatch(r"[a-z/]+:v?\d+(\.\d+)*", image), image


def test_the_image_is_built_once_before_all_else():
    assert [name for name in SERVICES if "build" in SERVICES[name]] == ["secrets"]
    assert SERVICES["secrets"]["build"] == "."


@every_service
def test_servers_have_a_health_check_and_one_shots_none(name):
    check = SERVICES[name]["healthcheck"]
    if name in ONE_SHOTS:
        assert check == {"disable": True}
    else:
        assert check["test"][0] in {"CMD", "CMD-SHELL"}
        assert {"interval", "timeout", "retries"} <= set(check)


def test_each_waits_for_what_it_needs():
    done, healthy = "service_completed_successfully", "service_healthy"
    wanted = {
        "postgres": {"secrets": done},
        "migrate": {"postgres": healthy},
        "api": {"migrate": done, "postgres": healthy, "redis": healthy, "mailpit": healthy},
        "worker": {"migrate": done, "postgres": healthy, "redis": healthy, "mailpit": healthy},
    }
    found = {
        name: {other: needs["condition"] for other, needs in service.get("depends_on", {}).items()}
        for name, service in SERVICES.items()
    }
    assert {name: needs for name, needs in found.items() if needs} == wanted


def test_those_who_finish_work_get_the_time_for_it():
    for name in ("api", "worker"):
        assert SERVICES[name]["stop_grace_period"] == "40s"
        assert SERVICES[name]["restart"] == "on-failure"
    assert "init" not in SERVICES["api"], "gunicorn is process 1"


@every_service
def test_no_secret_stands_in_the_file(name):
    """Every secret comes from a generated file; a person need not set any."""
    for key, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"KEYS|PEPPERS|TOKEN|PASSWORD|DATABASE_URL", key):
            assert key.endswith("_FILE")
            assert str(value).startswith(("/var/lib/holdfast/", "/run/holdfast-database/"))
    assert not re.search(r"://[^/\s]+:[^/\s]+@", TEXT)


def test_the_owners_password_is_not_in_the_service():
    for name in ("api", "worker"):
        assert SERVICES[name]["volumes"] == [
            "secrets:/var/lib/holdfast/secrets:ro",
            "files:/var/lib/holdfast/files",
        ]
        assert "MIGRATION_DATABASE_URL_FILE" not in SERVICES[name]["environment"]
    assert "MIGRATION_DATABASE_URL_FILE" in SERVICES["migrate"]["environment"]


def test_api_and_worker_share_the_files():
    """And nobody else has them; the image holds the folder, so that the volume belongs to its user."""
    target = "/var/lib/holdfast/files"
    having = {
        name
        for name, service in SERVICES.items()
        if any(volume.split(":")[1] == target for volume in service.get("volumes", ()))
    }
    assert having == {"api", "worker"}
    assert all(SERVICES[name]["environment"]["STORAGE_DIR"] == target for name in having)
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert f"--owner 10001 --group 10001 --mode 0700 {target}" in dockerfile


def test_nothing_must_be_set():
    for name, default in re.findall(r"\$\{(\w+)(:-[^}]*)?\}", TEXT):
        assert default, f"{name} has no default"


def test_the_stand_ins_are_those_of_the_file():
    """Where no registry can be reached, images with exactly these names are made."""
    names = {name.removeprefix("docker.io/").removeprefix("library/") for name, _, _ in STAND_INS}
    assert names == {SERVICES[name]["image"] for name in SERVICES if name not in OURS} | {"python:3.13-slim"}


def test_the_proof_runs_as_hardened_as_the_stack():
    assert {"--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges"} <= set(
        HARDENED
    )
