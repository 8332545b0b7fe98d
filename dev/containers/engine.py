"""A container engine and its compose, called the same way whether it is Docker or podman."""

import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dev.containers.commands import Done, run
from dev.containers.proof import Failed
from dev.places import ROOT

PROJECT = "holdfast-verify"
"""Compose project and first part of every container's name: what bears it is ours to remove."""

HARDENED = (
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=512m",
)
_READ_BY_COMPOSE = ("PORT", "MAILPIT_PORT", "HOLDFAST_IMAGE", "CORS_ORIGINS", "LOG_LEVEL")


def own_environment(**more: str) -> dict[str, str]:
    """Our environment without what would change the compose file's meaning."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _READ_BY_COMPOSE and not name.startswith("COMPOSE_")
    }
    return kept | more


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Engine:
    """How to call an engine.

    Attributes:
        program: the engine's command line.
        compose_program: Docker Compose.
        env: the environment of both.
        image: the name under which our image is built.
        stand_ins: whether the images that ours build on were made here.
    """

    program: tuple[str, ...]
    compose_program: tuple[str, ...]
    env: Mapping[str, str]
    image: str
    stand_ins: bool

    def __call__(self, *arguments: str, check: bool = True, timeout: float = 120) -> Done:
        return run((*self.program, *arguments), env=self.env, check=check, timeout=timeout)

    def compose(
        self, *arguments: str, values: Mapping[str, str], check: bool = True, timeout: float = 120
    ) -> Done:
        """Run Docker Compose on our file, with nothing set but these values and the image's name."""
        command = (*self.compose_program, "--project-name", PROJECT, "--env-file", os.devnull)
        env = {**self.env, "HOLDFAST_IMAGE": self.image, **values}
        return run((*command, *arguments), env=env, check=check, timeout=timeout)

    def build(self) -> None:
        """Build the image from the unchanged Dockerfile."""
        # Only this format keeps HEALTHCHECK; Docker knows no other and no such option.
        form = ("--format=docker",) if self.program[0] == "podman" else ()
        self("build", *form, "--tag", self.image, str(ROOT), timeout=900)

    def name(self, role: str) -> str:
        return f"{PROJECT}-run-{role}"

    def start(self, role: str, *options: str, command: Sequence[str] = ()) -> str:
        """Start a container of our image in the background, in the place of an earlier one of that role.

        Returns:
            Its name.
        """
        name = self.name(role)
        self("rm", "--force", "--volumes", name, check=False)
        self("run", "--detach", "--name", name, *options, self.image, *command)
        return name

    def once(
        self, *command: str, options: Sequence[str] = (), check: bool = True, timeout: float = 60
    ) -> Done:
        """Run a container of our image to its end."""
        return self("run", "--rm", *HARDENED, *options, self.image, *command, check=check, timeout=timeout)

    def inspect(self, name: str) -> dict[str, Any]:
        """All that the engine knows of a container or an image."""
        found = json.loads(self("inspect", name).out)
        if not isinstance(found, list) or not found:
            raise Failed(f"the engine knows nothing of {name}")
        return dict(found[0])

    def exit_code(self, name: str) -> int:
        return int(self.inspect(name)["State"]["ExitCode"])

    def wait_healthy(self, name: str, seconds: float = 30) -> None:
        """Wait until the container's own health check says yes.

        Raises:
            Failed: when it does not in time.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.program[0] == "podman":
                healthy = self("healthcheck", "run", name, check=False).code == 0
            else:
                healthy = self.inspect(name)["State"].get("Health", {}).get("Status") == "healthy"
            if healthy:
                return
            time.sleep(0.3)
        raise Failed(f"{name} did not become healthy in {seconds:.0f} s\n{self.logs(name)}")

    def logs(self, name: str) -> str:
        return self("logs", "--tail", "25", name, check=False).words

    def remove_ours(self) -> None:
        """Remove every container, network and volume of this proof, also what a killed run left behind."""
        by_project = f"label=com.docker.compose.project={PROJECT}"
        names = {*self._ids("ps", "--all", f"--filter={by_project}")}
        names |= {*self._ids("ps", "--all", f"--filter=name={PROJECT}-run-")}
        if names:
            self("rm", "--force", "--volumes", *names, check=False)
        for kind in ("network", "volume"):
            found = self._ids(kind, "ls", f"--filter={by_project}")
            if found:
                self(kind, "rm", *found, check=False)

    def left(self) -> list[str]:
        """Containers, networks and volumes of the compose project that still exist."""
        by_project = f"--filter=label=com.docker.compose.project={PROJECT}"
        kinds = (("container", ("ps", "--all")), ("network", ("network", "ls")), ("volume", ("volume", "ls")))
        return [f"{kind} {found}" for kind, words in kinds for found in self._ids(*words, by_project)]

    def volumes(self) -> set[str]:
        return set(self._ids("volume", "ls"))

    def _ids(self, *words: str) -> list[str]:
        return self(*words, "--quiet").out.split()
