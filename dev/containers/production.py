"""Production is the same image: what it refuses to start with (SEC-56), and how it runs once it is content."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from dev.containers.engine import HARDENED, Engine, free_port
from dev.containers.proof import Proof, expect
from dev.containers.web import ask, must, until
from dev.places import write_private

_SHORT = "k1:c2hvcnQ="
_ZEROS = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
_STOP_PATIENCE = 40
_USER = "10001"

# What is set on top of a good configuration, and the settings that are then complained about, one line each.
BAD: tuple[tuple[dict[str, str], tuple[str, ...]], ...] = (
    ({"DEBUG": "true"}, ("DEBUG",)),
    ({"CORS_ORIGINS": "*"}, ("CORS_ORIGINS",)),
    ({"PUBLIC_URL": "http://holdfast.example.com"}, ("PUBLIC_URL", "COOKIE_SECURE")),
    ({"COOKIE_SECURE": "false"}, ("COOKIE_SECURE",)),
    ({"BCRYPT_COST": "9"}, ("BCRYPT_COST",)),
    ({"SECRET_KEYS": _SHORT}, ("SECRET_KEYS",)),
    ({"SIGNING_KEYS": _ZEROS}, ("SIGNING_KEYS",)),
    ({"OPS_TOKEN": "short"}, ("OPS_TOKEN",)),
    ({"DATABASE_URL": "postgresql://app:hushhush@db.example.com/holdfast"}, ("DATABASE_URL",)),
    ({"REDIS_URL": "redis://cache.example.com:6379/0"}, ("REDIS_URL",)),
    ({"REDIS_URL": "memory://"}, ("REDIS_URL",)),
    ({"STORAGE_KEYS": _SHORT}, ("STORAGE_KEYS",)),
    ({"RATE_LIMIT_FACTOR": "20"}, ("RATE_LIMIT_FACTOR",)),
    (
        {"DEBUG": "true", "CORS_ORIGINS": "*", "BCRYPT_COST": "4", "MAILBOX_DIR": "/tmp"},  # noqa: S108 - refused
        ("DEBUG", "CORS_ORIGINS", "BCRYPT_COST", "MAILBOX_DIR"),
    ),
)


def prove_production(engine: Engine, folder: Path, proof: Proof) -> None:
    """Show that bad settings end the start, and that good ones run hardened and stop gracefully."""
    proof.section("The image in production")
    proof.step("nothing set: refused, one line per fault", lambda: _nothing_set(engine))
    settings = good_settings(engine)
    env_file = folder / "production.env"
    write_private(env_file, "".join(f"{name}={value}\n" for name, value in settings.items()))
    try:
        for more, wanted in BAD:
            told = ", ".join(f"{name}={value}" for name, value in more.items())
            proof.step(f"refused: {told}"[:90], partial(_refused, engine, env_file, more, wanted))
        _prove_running(engine, env_file, proof)
    finally:
        env_file.unlink()


def good_settings(engine: Engine) -> dict[str, str]:
    """What production accepts; the engines named in it do not exist, which is no reason not to start."""
    keys = dict(line.split("=", 1) for line in engine.once("flask", "keys", "new").out.split())
    return {
        "PUBLIC_URL": "https://holdfast.example.com",
        "SMTP_URL": "smtp://127.0.0.1:2525",
        "DATABASE_URL": "postgresql://holdfast_app:hushhush@127.0.0.1:5432/holdfast",
        "REDIS_URL": "redis://127.0.0.1:6379/0",
        "STORAGE_DIR": "/var/lib/holdfast/files",
        **keys,
    }


def _nothing_set(engine: Engine) -> str:
    done = engine.once(check=False)
    expect(done.code not in {0, 137}, f"exit code {done.code}\n{done.words}")
    named = [line.partition(":")[0] for line in fault_lines(done.words)]
    wanted = {
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEYS",
        "PASSWORD_PEPPERS",
        "SIGNING_KEYS",
        "PUBLIC_URL",
        "SMTP_URL",
        "STORAGE_DIR",
    }
    expect(wanted <= set(named), f"not named: {sorted(wanted - set(named))}\n{done.words}")
    expect(len(named) == len(set(named)), f"named twice\n{done.words}")
    return f"exit code {done.code}, {len(named)} lines"


def _refused(engine: Engine, env_file: Path, more: dict[str, str], wanted: tuple[str, ...]) -> str:
    options = [f"--env-file={env_file}", *(f"--env={name}={value}" for name, value in more.items())]
    done = engine.once(options=options, check=False)
    expect(done.code not in {0, 137}, f"it started: exit code {done.code}\n{done.words}")
    lines = fault_lines(done.words)
    named = tuple(sorted(line.partition(":")[0] for line in lines))
    expect(named == tuple(sorted(wanted)), f"wanted one line for each of {wanted}\n{done.words}")
    expect("hushhush" not in done.words and "c2hvcnQ" not in done.words, "a secret was printed")
    return f"exit code {done.code}"


def fault_lines(words: str) -> list[str]:
    """The lines that begin with a setting's name."""
    return [line for line in words.splitlines() if line.partition(":")[0].replace("_", "").isupper()]


def _prove_running(engine: Engine, env_file: Path, proof: Proof) -> None:
    port = free_port()
    options = (*HARDENED, f"--env-file={env_file}", f"--publish=127.0.0.1:{port}:8000")
    api = engine.start("api", *options)
    try:
        proof.must(
            "it starts without its engines, read-only and without rights", lambda: _alive(engine, api, port)
        )
        proof.step("/readyz says 503 and no details", lambda: _unready(port))
        proof.step("its health check says healthy", lambda: engine.wait_healthy(api))
        proof.step(
            "its user is 10001, with no capability and no way to more", lambda: _powerless(engine, api)
        )
        proof.step("it can write to /tmp alone, and opened no socket file", lambda: _walled_in(engine, api))
        proof.step("process 1 is gunicorn", lambda: _process_one(engine, api))
        proof.step("SIGTERM: drained, then exit code 0", lambda: _stops(engine, api))
    finally:
        engine("rm", "--force", "--volumes", api, check=False)


def _alive(engine: Engine, api: str, port: int) -> None:
    def answers() -> bool:
        expect(engine.inspect(api)["State"]["Running"], f"it ended\n{engine.logs(api)}")
        return ask("GET", f"http://127.0.0.1:{port}/livez").status == 200

    until(f"an answer of /livez\n{engine.logs(api)}", answers)


def _unready(port: int) -> None:
    body = must(503, ask("GET", f"http://127.0.0.1:{port}/readyz"))
    expect(body == {"status": "unavailable"}, f"it said {body}")


def _powerless(engine: Engine, api: str) -> str:
    user = engine("exec", api, "id", "-u").out.strip()
    status = engine("exec", api, "cat", "/proc/1/status").out
    facts = dict(_facts(status))
    expect(user == _USER == facts["Uid"].split()[0], f"user {user}, process 1 {facts['Uid']}")
    expect(all(int(facts[name], 16) == 0 for name in ("CapPrm", "CapEff", "CapBnd")), status)
    expect(facts["NoNewPrivs"] == "1", f"NoNewPrivs is {facts['NoNewPrivs']}")
    return f"uid {user}"


def _facts(status: str) -> Iterator[tuple[str, str]]:
    for line in status.splitlines():
        name, _, value = line.partition(":")
        yield name, value.strip()


def _walled_in(engine: Engine, api: str) -> None:
    tried = "for f in / /srv/holdfast /opt/holdfast /var/lib/holdfast/secrets; do touch $f/x 2>/dev/null && echo $f; done; true"
    written = engine("exec", api, "sh", "-c", tried).out.split()
    expect(not written, f"it could write to {written}")
    engine("exec", api, "touch", "/tmp/x")  # noqa: S108 - inside
    sockets = engine(
        "exec", api, "sh", "-c", "find / -xdev -type s; find /tmp /dev/shm /run -type s; true"
    ).out.split()
    expect(not sockets, f"sockets: {sockets}")


def _process_one(engine: Engine, api: str) -> None:
    command = engine("exec", api, "cat", "/proc/1/cmdline").out.split("\0")
    expect(any(word.endswith("/gunicorn") for word in command), f"it is {command}")


def _stops(engine: Engine, api: str) -> str:
    began = time.monotonic()
    engine("stop", f"--time={_STOP_PATIENCE}", api, timeout=_STOP_PATIENCE + 30)
    code = engine.exit_code(api)
    expect(code == 0, f"exit code {code}\n{engine.logs(api)}")
    return f"after {time.monotonic() - began:.1f} s"
