"""Fixtures of this area's tests."""

from tests.fixtures.kept_apps import kept_app, kept_apps
from tests.fixtures.letters import do_jobs, letters
from tests.fixtures.log_lines import log_lines
from tests.fixtures.matrix import cast
from tests.fixtures.wires import dead_port

__all__ = ["cast", "dead_port", "do_jobs", "kept_app", "kept_apps", "letters", "log_lines"]
