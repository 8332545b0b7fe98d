"""Fixtures of this area's tests."""

from tests.fixtures.letters import do_jobs, letters
from tests.fixtures.log_lines import log_lines
from tests.fixtures.wires import dead_port

__all__ = ["dead_port", "do_jobs", "letters", "log_lines"]
