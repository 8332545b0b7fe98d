"""Real PostgreSQL and Valkey for the whole run; one migrated database per worker; a fresh start for each test."""

import gc
import json
from contextlib import ExitStack
from dataclasses import asdict

import pytest

from dev.engines import engines_for_tests
from dev.roles import Role, Roles, drop_database, drop_roles, ensure_database, ensure_roles, new_roles
from tests.fixtures.settings import make_settings

pytest_plugins = [
    "tests.fixtures.app",
    "tests.fixtures.people",
    "tests.fixtures.s3",
    "tests.fixtures.clamd",
    "tests.fixtures.holdfast_process",
]

STACK = pytest.StashKey[ExitStack]()
SHARED = pytest.StashKey[str]()
TEMPLATE = "holdfast_template"


def pytest_configure(config):
    """Start the engines and migrate one template database; workers copy it."""
    # Tests make and drop much and keep little: looking for cycles as often as usual takes a tenth of their time.
    gc.set_threshold(50_000, 20, 50)
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    from app.core import schema

    stack = config.stash[STACK] = ExitStack()
    engines = stack.enter_context(engines_for_tests())
    roles = new_roles("holdfast_test")
    template = f"{TEMPLATE}_{roles.app.name[-8:]}"
    ensure_roles(engines.admin_url, roles)
    stack.callback(drop_roles, engines.admin_url, roles)
    ensure_database(engines.admin_url, template, roles)
    stack.callback(drop_database, engines.admin_url, template)
    schema.upgrade(make_settings(engines, roles, template))
    config.stash[SHARED] = json.dumps({"roles": asdict(roles), "template": template})


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["holdfast"] = node.config.stash[SHARED]


def pytest_unconfigure(config):
    if STACK in config.stash:
        config.stash[STACK].close()


@pytest.fixture(scope="session")
def engines():
    with engines_for_tests() as found:
        yield found


@pytest.fixture(scope="session")
def shared(request):
    """Roles and template that the controlling process made."""
    config = request.config
    text = config.workerinput["holdfast"] if hasattr(config, "workerinput") else config.stash[SHARED]
    found = json.loads(text)
    roles = Roles(*(Role(**found["roles"][name]) for name in ("owner", "app")))
    return roles, found["template"]


@pytest.fixture(scope="session")
def worker_number(request):
    name = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    return int(name.removeprefix("gw"))


@pytest.fixture(scope="session")
def database(engines, shared, worker_number):
    """This worker's own database: its name, and the roles."""
    roles, template = shared
    name = f"{template}_w{worker_number}"
    ensure_database(engines.admin_url, name, roles, template=template)
    yield name, roles
    drop_database(engines.admin_url, name)
