"""Programs run to their end, and what they said."""

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.containers.proof import Failed
from dev.places import ROOT

_SHOWN = 25
# podman's health timers want systemd; where there is none it says so at every start. We run the checks ourselves.
_NOISE = ("unable to get systemd connection", "Removing timer for container")


@dataclass(frozen=True)
class Done:
    """How a program ended."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """The end of all that it said, without the noise."""
        lines = [
            line
            for line in (*self.out.splitlines(), *self.err.splitlines())
            if line.strip() and not any(noise in line for noise in _NOISE)
        ]
        return "\n".join(lines[-_SHOWN:])


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    timeout: float = 120,
    cwd: Path = ROOT,
    check: bool = True,
    stdin: str | None = None,
) -> Done:
    """Run a program.

    Args:
        command: program and arguments.
        env: its whole environment; ours when missing.
        timeout: seconds after which it is killed.
        cwd: where it runs.
        check: whether an exit code other than 0 is a failure.
        stdin: what it reads.

    Raises:
        Failed: when it could not be run, took too long, or failed.
    """
    words = [str(part) for part in command]
    told = shlex.join(words)[:200]
    try:
        done = subprocess.run(
            words,
            env=None if env is None else dict(env),
            cwd=cwd,
            input=stdin or "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except OSError as error:
        raise Failed(f"`{told}` cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Failed(f"`{told}` did not end within {timeout:.0f} s") from None
    result = Done(done.returncode, done.stdout, done.stderr)
    if check and result.code:
        raise Failed(f"`{told}` ended with exit code {result.code}\n{result.words}")
    return result
