"""What is in the image, and what is not."""

from pathlib import Path

from dev.containers.engine import Engine
from dev.containers.proof import Proof, expect
from dev.places import ROOT

_SHIPPED = ("app", "migrations")
_NEVER = (
    "/srv/holdfast/.git",
    "/srv/holdfast/tests",
    "/srv/holdfast/dev",
    "/srv/holdfast/var",
    "/srv/holdfast/.venv",
)
_COMPILERS = ("cc", "gcc", "g++", "make", "git", "curl")


def prove_image(engine: Engine, proof: Proof) -> None:
    """Build it and look inside."""
    proof.section("The image")
    shipped = _shipped()
    proof.must("Dockerfile builds, unchanged", engine.build)
    proof.step("its declarations", lambda: _declared(engine))
    proof.step("everything of app/ and migrations/ is in it", lambda: _complete(engine, shipped))
    proof.step("no compiler, no .git, no tests, no pip beside the service", lambda: _lean(engine))
    proof.step("all modules are compiled already", lambda: _compiled(engine))
    proof.step("the `flask` command works in it", lambda: _command_line(engine))


def _declared(engine: Engine) -> str:
    found = engine.inspect(engine.image)
    config = found["Config"]
    health = config.get("Healthcheck") or found.get("Healthcheck") or {}
    expect(config.get("User") == "10001:10001", f"user {config.get('User')!r}")
    expect(config.get("Cmd") == ["gunicorn", "wsgi:app"], f"command {config.get('Cmd')}")
    expect(health.get("Test", [""])[0] == "CMD", f"health check {health}")
    expect("8000/tcp" in config.get("ExposedPorts", {}), "8000 is not exposed")
    expect("APP_ENV=production" in config["Env"], f"environment {config['Env']}")
    expect(config["Labels"].get("org.opencontainers.image.title") == "Holdfast", "no OCI labels")
    return f"{found['Size'] / 1e6:.0f} MB" if found.get("Size") else ""


def _shipped() -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for folder in _SHIPPED
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }


def _complete(engine: Engine, here: set[str]) -> str:
    listed = engine.once("find", *_SHIPPED, "-type", "f", "-not", "-path", "*/__pycache__/*").out.split()
    expect(set(listed) == here, f"differs in {sorted(set(listed) ^ here)[:10]}")
    return f"{len(here)} files, {sum(Path(name).suffix != '.py' for name in here)} of them no Python"


def _lean(engine: Engine) -> None:
    look = (
        f"for f in {' '.join(_NEVER)}; do test -e $f && echo $f; done; "
        f"for c in {' '.join(_COMPILERS)}; do command -v $c; done; "
        "ls -d /opt/holdfast/lib/python*/site-packages/pip 2>/dev/null; true"
    )
    found = engine.once("sh", "-c", look).out.split()
    expect(not found, f"found {found}")


def _compiled(engine: Engine) -> None:
    look = (
        "import importlib.util as u, pathlib as p\n"
        "print(*[f for d in ('/srv/holdfast', '/opt/holdfast/lib') for f in p.Path(d).rglob('*.py')"
        " if not p.Path(u.cache_from_source(str(f))).exists()])"
    )
    missing = engine.once("python", "-c", look).out.split()
    expect(not missing, f"not compiled: {missing[:10]}")


def _command_line(engine: Engine) -> str:
    told = engine.once("flask", "keys", "new").out
    names = [line.partition("=")[0] for line in told.splitlines()]
    expect(
        {"SECRET_KEYS", "PASSWORD_PEPPERS", "SIGNING_KEYS", "OPS_TOKEN"} <= set(names), f"it printed {names}"
    )
    done = engine.once("flask", "doctor", check=False)
    expect(done.code not in {0, 137} and "DATABASE_URL" in done.words, f"doctor: {done.code}\n{done.words}")
    return f"doctor without settings ends with {done.code}"
