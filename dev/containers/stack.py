"""The compose stack: brought up from nothing, used through its published ports, stopped and forgotten."""

import json
import re
import time
from pathlib import Path
from typing import Any

from app.demo import DEMO_ACCOUNTS, DEMO_PASSWORD
from dev.containers.engine import PROJECT, Engine, free_port
from dev.containers.production_database import prove_production_database
from dev.containers.proof import Proof, expect
from dev.containers.stack_files import KeptFile, prove_files, still_there
from dev.containers.stack_walls import prove_walls
from dev.containers.web import ask, must, until

_ONE_SHOTS = ("secrets", "migrate")
_SERVERS = ("postgres", "redis", "mailpit", "api", "worker")
_PATIENCE = 240
_NEWCOMER = "dora@example.com"
_NEW_PASSWORD = "limpets-hold-on-tight"


class Stack:
    """The stack of one proof.

    Args:
        engine: runs it, under a project name and ports of its own.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        api, mails = free_port(), free_port()
        self.ports = {"PORT": str(api), "MAILPIT_PORT": str(mails)}
        self.root = f"http://127.0.0.1:{api}"
        self.api = f"{self.root}/api/v1"
        self.mails = f"http://127.0.0.1:{mails}/api/v1"
        self.token = ""
        self.project: dict[str, Any] = {}

    def compose(self, *arguments: str, timeout: float = 120) -> str:
        return self.engine.compose(*arguments, values=self.ports, timeout=timeout).out

    def container(self, service: str) -> str:
        return f"{PROJECT}-{service}-1"

    def up(self) -> str:
        """Start everything and wait until it is healthy."""
        pull = "never" if self.engine.stand_ins else "missing"
        waiting = ("--wait", "--wait-timeout", str(_PATIENCE))
        done = self.engine.compose(
            "up",
            "--detach",
            "--no-build",
            "--pull",
            pull,
            *waiting,
            values=self.ports,
            check=False,
            timeout=900,
        )
        logs = "" if done.code == 0 else self.compose("logs", "--tail", "15")
        expect(done.code == 0, f"exit code {done.code}\n{done.words}\n{logs[-6000:]}")
        for service in _ONE_SHOTS:
            code = self.engine.exit_code(self.container(service))
            expect(code == 0, f"{service} ended with exit code {code}")
        for service in _SERVERS:
            self.engine.wait_healthy(self.container(service))
        return f"{len(_SERVERS)} services healthy, {len(_ONE_SHOTS)} ended with 0"

    def ready(self) -> str:
        """Wait until nothing is degraded."""

        def checks() -> Any:
            body = ask("GET", f"{self.root}/readyz").body
            return body["checks"] if isinstance(body, dict) and body.get("status") == "ok" else None

        found = until("/readyz says ok", checks)
        expect({"postgres", "redis"} <= set(found), f"it names {sorted(found)}")
        return ", ".join(sorted(found))

    def sign_in(self, email: str, password: str) -> str:
        wanted = {"email": email, "password": password, "token_transport": "body", "device_name": "verify"}
        body = must(200, ask("POST", f"{self.api}/auth/login", wanted))
        return str(body["access_token"])


def prove_stack(engine: Engine, folder: Path, proof: Proof) -> None:
    """Bring it up, use it, look at its walls, restart it with its data kept, take it away."""
    proof.section("The compose stack")
    stack = Stack(engine)
    volumes_before = engine.volumes()
    try:
        proof.step("docker-compose.yml is well-formed", lambda: stack.compose("config", "--quiet"))
        proof.step("compose builds the image by itself", lambda: _built(stack))
        proof.must("up from nothing", stack.up)
        proof.step("/readyz says ok", stack.ready)
        proof.must("alice signs in and creates a project through the published port", lambda: _work(stack))
        proof.step("a newcomer's mail arrives, and its code signs in", lambda: _newcomer(stack))
        project = f"{stack.api}/projects/{stack.project['id']}"
        kept = prove_files(engine, stack.container, project, stack.token, proof)
        proof.step("restart: API and worker find the files again", lambda: _restarted(stack, kept))
        prove_walls(engine, stack.container, proof)
        prove_production_database(engine, folder, stack.container("postgres"), proof)
        proof.step("stop: the API ends with exit code 0", lambda: _stop(stack, "api"))
        proof.step("stop: the worker ends with exit code 0", lambda: _stop(stack, "worker"))
        proof.step(
            "down, and up again: keys, session, project and files are still there",
            lambda: _again(stack, kept),
        )
    finally:
        proof.step("down -v leaves nothing", lambda: _gone(stack, volumes_before))


def _built(stack: Stack) -> None:
    """Under another name: what is proved further on stays the image that was looked into."""
    other = f"{stack.engine.image}-compose"
    stack.engine.compose("build", values={**stack.ports, "HOLDFAST_IMAGE": other}, timeout=900)
    stack.engine("image", "rm", "--force", other)


def _work(stack: Stack) -> str:
    stack.token = stack.sign_in(DEMO_ACCOUNTS[0][0], DEMO_PASSWORD)
    wanted = {"name": "Made in a container", "description": "Through the published port."}
    stack.project = must(201, ask("POST", f"{stack.api}/projects", wanted, token=stack.token))
    listed = must(200, ask("GET", f"{stack.api}/projects?sort=-created_at", token=stack.token))
    expect(listed["items"][0]["id"] == stack.project["id"], f"the newest is {listed['items'][0]}")
    return f"{len(listed['items'])} projects"


def _newcomer(stack: Stack) -> str:
    wanted = {"email": _NEWCOMER, "password": _NEW_PASSWORD, "display_name": "Dora"}
    must(202, ask("POST", f"{stack.api}/auth/register", wanted))

    def mail() -> Any:
        listed = ask("GET", f"{stack.mails}/messages").body
        mine = [
            found
            for found in (listed or {}).get("messages", ())
            if _NEWCOMER in {to["Address"] for to in found["To"]}
        ]
        return mine[0] if mine else None

    found = until(f"a mail to {_NEWCOMER}", mail)
    text = must(200, ask("GET", f"{stack.mails}/message/{found['ID']}"))["Text"]
    code = re.search(r"(?m)^\s*(\d{6})\s*$", text)
    expect(code and f"{stack.root}/" in text, f"no code or link in it:\n{text}")
    wanted = {"email": _NEWCOMER, "code": code[1] if code else "", "token_transport": "body"}
    signed_in = must(200, ask("POST", f"{stack.api}/auth/verify-email", wanted))
    me = must(200, ask("GET", f"{stack.api}/me", token=signed_in["access_token"]))
    expect(me["email_verified"] is True, f"it says {me}")
    return str(found["Subject"])


def _stop(stack: Stack, service: str) -> str:
    began = time.monotonic()
    stack.compose("stop", service)
    code = stack.engine.exit_code(stack.container(service))
    expect(code == 0, f"exit code {code}\n{stack.engine.logs(stack.container(service))}")
    return f"after {time.monotonic() - began:.1f} s"


def _restarted(stack: Stack, kept: KeptFile) -> None:
    stack.compose("restart", "api", "worker")
    for service in ("api", "worker"):
        stack.engine.wait_healthy(stack.container(service))
    still_there(kept, stack.token)


def _again(stack: Stack, kept: KeptFile) -> None:
    stack.compose("down")
    stack.up()
    still_there(kept, stack.token)
    seen = must(200, ask("GET", f"{stack.api}/projects/{stack.project['id']}", token=stack.token))
    expect(seen == stack.project, f"it was {json.dumps(stack.project)}\nit is  {json.dumps(seen)}")


def _gone(stack: Stack, volumes_before: set[str]) -> None:
    stack.compose("down", "--volumes", timeout=180)
    left = stack.engine.left()
    expect(not left, f"left: {left}")
    more = stack.engine.volumes() - volumes_before
    expect(not more, f"volumes left: {sorted(more)}")
