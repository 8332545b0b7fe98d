"""`flask keys new`: key rings that the settings take."""

import pytest

from app.config_faults import production_faults, ring_faults
from tests.cli.examined import PRODUCTION
from tests.fixtures.command_line import flask_process
from tests.fixtures.settings import make_settings

RINGS = ("SECRET_KEYS", "PASSWORD_PEPPERS", "SIGNING_KEYS")


def lines(output):
    return dict(line.split("=", 1) for line in output.splitlines())


def test_new_prints_a_whole_set_as_environment_lines(flask):
    result = flask("keys", "new")
    assert result.exit_code == 0
    printed = lines(result.output)
    assert list(printed) == [*RINGS, "OPS_TOKEN"]
    for name in RINGS:
        assert ring_faults(printed[name]) == []
        assert printed[name].startswith("k1:")
    assert len(printed["OPS_TOKEN"]) >= 32


def test_every_key_is_another_and_so_is_every_set(flask):
    """SEC-24, SEC-56: production refuses a key that serves two purposes."""
    sets = [lines(flask("keys", "new").output) for _ in range(3)]
    keys = [value.rpartition(":")[2] for printed in sets for value in printed.values()]
    assert len(set(keys)) == len(keys)


def test_production_takes_them(flask, engines, database):
    name, roles = database
    printed = {key.lower(): value for key, value in lines(flask("keys", "new").output).items()}
    settings = make_settings(engines, roles, name, **PRODUCTION | printed)
    assert production_faults(settings) == []


def test_the_id_can_be_chosen_so_that_a_ring_can_turn(flask):
    printed = lines(flask("keys", "new", "--id", "k2026").output)
    assert all(printed[name].startswith("k2026:") for name in RINGS)


@pytest.mark.parametrize("environment", [{}, {"APP_ENV": "production", "WORKERS": "none"}])
def test_it_needs_no_settings_so_that_one_can_begin(environment, settings):
    from tests.fixtures.command_line import environment_of

    kept = {
        name: value
        for name, value in environment_of(settings).items()
        if name in {"PATH", "HOME", "HOLDFAST_ENV_FILE"}
    }
    done = flask_process({**kept, **environment}, "keys", "new")
    assert done.returncode == 0, done.stderr
    assert list(lines(done.stdout)) == [*RINGS, "OPS_TOKEN"]
