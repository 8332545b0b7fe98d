"""What the doctor finds: one line each, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """The worst one decides the exit code."""

    ok = "OK"
    warn = "WARN"
    fault = "FAULT"

    @property
    def exit_code(self) -> int:
        return {"OK": 0, "WARN": 1, "FAULT": 2}[self.value]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        severity: OK works; WARN works, but not as it should; FAULT does not work or is not safe.
        about: one word or two, the same in each run, so that programs may look for it.
        what: how it is.
        mend: what to do; empty when there is nothing to do.
    """

    severity: Severity
    about: str
    what: str
    mend: str = ""


def ok(about: str, what: str) -> Finding:
    return Finding(Severity.ok, about, what)


def warn(about: str, what: str, mend: str) -> Finding:
    return Finding(Severity.warn, about, what, mend)


def fault(about: str, what: str, mend: str) -> Finding:
    return Finding(Severity.fault, about, what, mend)


def bad(about: str, what: str, mend: str, *, production: bool) -> Finding:
    """A fault in production; a warning where somebody develops."""
    return fault(about, what, mend) if production else warn(about, what, mend)
