"""Fixtures of this area's tests."""

from tests.fixtures.api_tokens import script
from tests.fixtures.letters import do_jobs, letters
from tests.fixtures.log_lines import log_lines
from tests.fixtures.statements import statements

__all__ = ["do_jobs", "letters", "log_lines", "script", "statements"]
