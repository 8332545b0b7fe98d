"""What the tests of files use besides the cast."""

from tests.fixtures.clamd import clamd

__all__ = ["clamd"]
