"""Everything `make run` starts, and the order in which it ends."""

import contextlib
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from dev.children import Child, last_lines, stop_rank
from dev.faults import Fault, Stopped
from dev.logview import Tail
from dev.postgres import PostgresServer
from dev.terminal import say
from dev.valkey import ValkeyServer

_READY_PATIENCE = 90.0
_DEGRADED_PATIENCE = 10.0
_WITHOUT_VALKEY = 20.0
_OK, _UNAVAILABLE = 200, 503
_SERVICE_STEPS = ((signal.SIGTERM, 6.0), (signal.SIGQUIT, 1.0))


class Launcher:
    """The processes of one start.

    Args:
        home: `var/`.

    Signals are only counted; the story looks at the count where it waits, so that nothing is ever
    interrupted between starting a process and noting it.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.signals = 0
        self._in_terminal = os.isatty(1)
        self.engines: list[PostgresServer | ValkeyServer] = []
        self.children: dict[str, Child] = {}
        self.tails: dict[str, Tail] = {}
        self._valkey_ended: float | None = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._count)

    def _count(self, _number: int, _frame: object) -> None:
        self.signals += 1

    def _hurry(self) -> bool:
        return self.signals > 1

    def pause(self, seconds: float) -> None:
        """Wait; raises Stopped when the person asked to stop."""
        # A terminal that closes tells only the leader of its session, which need not be us.
        if self.signals or (self._in_terminal and not os.isatty(1)):
            raise Stopped
        time.sleep(seconds)

    def engine(self, server: PostgresServer | ValkeyServer) -> None:
        """Start an engine; it is ended with the rest, even when it never answers."""
        self.engines.append(server)
        server.start(self.pause)

    def start(self, name: str, command: Sequence[str | Path], env: Mapping[str, str], **popen: Any) -> Child:
        """Start a process of the service and follow its log; anything else is for `subprocess.Popen`."""
        self.tails[name] = Tail(self.home / "log" / f"{name}.log", name)
        self.children[name] = Child.start(name, command, self.home, env=env, **popen)
        return self.children[name]

    def finish(self, what: str, command: Sequence[str | Path], env: Mapping[str, str]) -> None:
        """Run a command to its end.

        Raises:
            Fault: when it fails; what it said is shown.
        """
        child = self.start("command", command, env)
        while (code := child.ended()) is None:
            self.pause(0.02)
        child.stop(())
        del self.children["command"]
        if code:
            self._show_end("command")
            raise Fault(f"{what} failed with exit code {code}; its words are above and in {child.log}")
        del self.tails["command"]

    def wait_ready(self, url: str, name: str = "api") -> list[str]:
        """Wait until `/readyz` says ok.

        Args:
            url: of the service.
            name: of its process.

        Returns:
            What is still degraded after some patience; the service works without it.

        Raises:
            Fault: when it does not become ready.
        """
        began = time.monotonic()
        while (waited := time.monotonic() - began) < _READY_PATIENCE:
            self.check_alive()
            told = _ask(f"{url}/readyz")
            if told.get("status") == "ok":
                return []
            if told.get("status") == "degraded" and waited > _DEGRADED_PATIENCE:
                return [f"{name}: {state}" for name, state in _checks(told).items() if state != "ok"]
            self.pause(0.05)
        self._show_end(name)
        raise Fault(
            f"the API did not become ready within {_READY_PATIENCE:.0f} s: {json.dumps(told) or 'no answer'}"
        )

    def watch(self) -> NoReturn:
        """Show what happens until the person stops us.

        Raises:
            Stopped: when they do.
            Fault: when a process ends by itself.
        """
        while True:
            self.check_alive()
            self._mind_valkey()
            for tail in self.tails.values():
                for line in tail.fresh():
                    say(line)
            self.pause(0.15)

    def check_alive(self) -> None:
        """Raise a fault when one of ours ended by itself; its last lines are shown."""
        # The service goes on without Valkey, so its end is none: see _mind_valkey.
        engines = [
            engine.child for engine in self.engines if isinstance(engine, PostgresServer) and engine.child
        ]
        for child in (*self.children.values(), *engines):
            code = child.ended()
            if code is not None:
                how = (
                    f"was killed by {signal.Signals(-code).name}"
                    if code < 0
                    else f"ended with exit code {code}"
                )
                self._show_end(child.name)
                raise Fault(f"the {child.name} process {how}; all of its log: {child.log}")

    def _mind_valkey(self) -> None:
        """Start Valkey again when it ended, after a while in which one can see how the service does without it."""
        for engine in self.engines:
            if not isinstance(engine, ValkeyServer) or engine.child is None or engine.child.ended() is None:
                continue
            if self._valkey_ended is None:
                self._valkey_ended = time.monotonic()
                say(
                    f"  valkey ended; the service goes on without it, and it starts again in {_WITHOUT_VALKEY:.0f} s"
                )
            elif time.monotonic() - self._valkey_ended >= _WITHOUT_VALKEY:
                engine.stop()
                engine.start(self.pause)
                self._valkey_ended = None
                say("  valkey runs again")

    def close(self) -> None:
        """End everything that was started, users of a thing before the thing; a second signal hurries."""
        for name in sorted(self.children, key=stop_rank):
            self.children[name].stop(_SERVICE_STEPS, self._hurry)
        for engine in reversed(self.engines):
            engine.stop(hurry=self._hurry)

    def _show_end(self, name: str) -> None:
        tail = self.tails.get(name)
        for line in last_lines(self.home / "log" / f"{name}.log", offset=tail.start if tail else 0):
            say(f"  {name}  {line}")


def _ask(url: str) -> dict[str, object]:
    """The JSON answer of a health check, empty when there is none."""
    # Never through a proxy that the person's shell names.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with contextlib.suppress(OSError, ValueError):
        try:
            with opener.open(url, timeout=5) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                told = json.load(error)
        return told if isinstance(told, dict) else {}
    return {}


def _checks(told: Mapping[str, object]) -> dict[str, str]:
    checks = told.get("checks")
    if not isinstance(checks, dict):
        return {"readyz": "degraded"}
    return {
        name: str(state.get("status", state) if isinstance(state, dict) else state)
        for name, state in checks.items()
    }
