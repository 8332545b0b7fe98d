"""Fixtures of this area's tests."""

from tests.fixtures.log_lines import log_lines
from tests.fixtures.wires import dead_port

__all__ = ["dead_port", "log_lines"]
