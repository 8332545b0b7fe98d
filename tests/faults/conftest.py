"""Fixtures of this area's tests."""

from tests.fixtures.log_lines import log_lines
from tests.fixtures.wires import database_wire, dead_port

__all__ = ["database_wire", "dead_port", "log_lines"]
