"""What production says of a real database: refuses a superuser and a demo database, migrates and serves a clean one.

The containers share the network of the stack's PostgreSQL, so that it is on the loopback address: the one place where
production does without TLS.
"""

from collections.abc import Mapping
from pathlib import Path

from dev.containers.engine import HARDENED, Engine
from dev.containers.production import fault_lines, good_settings
from dev.containers.proof import Proof, expect
from dev.containers.web import until
from dev.places import write_private

_CLEAN = "holdfast_production"
_PASSWORDS = "/run/holdfast-database"
_ASK = (
    "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=5); "
    "c.request('GET', '/readyz'); a = c.getresponse(); print(a.status, a.read().decode())"
)


def prove_production_database(engine: Engine, folder: Path, postgres: str, proof: Proof) -> None:
    """Show it on the PostgreSQL of the running stack.

    Args:
        engine: runs the containers.
        folder: for the file with the settings.
        postgres: the name of PostgreSQL's container.
        proof: told the outcome.
    """
    passwords = {
        role: engine("exec", postgres, "cat", f"{_PASSWORDS}/{role}_password").out.strip()
        for role in ("superuser", "owner", "app")
    }
    urls = {
        role: f"postgresql://{name}:{passwords[role]}@127.0.0.1:5432"
        for role, name in (("superuser", "postgres"), ("owner", "holdfast_owner"), ("app", "holdfast_app"))
    }
    settings = good_settings(engine)
    env_file = folder / "production.env"
    options = (f"--network=container:{postgres}", f"--env-file={env_file}")

    def use(role: str, database: str) -> None:
        chosen = {**settings, "DATABASE_URL": f"{urls[role]}/{database}"}
        chosen["MIGRATION_DATABASE_URL"] = f"{urls['owner']}/{database}"
        write_private(env_file, "".join(f"{name}={value}\n" for name, value in chosen.items()))

    def refused(role: str, *words: str) -> str:
        use(role, "holdfast")
        done = engine.once(options=options, check=False)
        expect(done.code not in {0, 137}, f"it started\n{done.words}")
        lines = fault_lines(done.words)
        expect(len(lines) == len(words), f"{len(lines)} lines\n{done.words}")
        for word in words:
            expect(any(word in line for line in lines), f"no line says {word!r}\n{done.words}")
        expect(not any(password in done.words for password in passwords.values()), "a password was printed")
        return f"exit code {done.code}"

    try:
        proof.step("production refuses a superuser", lambda: refused("superuser", "superuser", "demo"))
        proof.step("production refuses a database with the demo accounts", lambda: refused("app", "demo"))
        _sql(engine, postgres, f"CREATE DATABASE {_CLEAN} OWNER holdfast_owner TEMPLATE template0")
        use("app", _CLEAN)
        proof.step(
            "production migrates an empty database and becomes ready", lambda: _serves(engine, options)
        )
    finally:
        env_file.unlink(missing_ok=True)
        _sql(engine, postgres, f"DROP DATABASE IF EXISTS {_CLEAN} WITH (FORCE)")


def _sql(engine: Engine, postgres: str, statement: str) -> None:
    engine("exec", postgres, "psql", "--username=postgres", "--quiet", "--command", statement)


def _serves(engine: Engine, options: tuple[str, ...]) -> str:
    engine.once("flask", "db", "upgrade", options=options)
    refused = engine.once("flask", "seed", options=options, check=False)
    expect(refused.code != 0, f"it seeded\n{refused.words}")
    api = engine.start("production", *HARDENED, *options)
    try:

        def ready() -> Mapping[str, str] | None:
            told = engine("exec", api, "python", "-c", _ASK, check=False).out.split(maxsplit=1)
            return {"body": told[1].strip()} if told[:1] == ["200"] else None

        body = until(f"/readyz says 200\n{engine.logs(api)}", ready)["body"]
        engine("stop", "--time=40", api, timeout=70)
        code = engine.exit_code(api)
        expect(code == 0, f"exit code {code}\n{engine.logs(api)}")
    finally:
        engine("rm", "--force", "--volumes", api, check=False)
    return f"200 {body} (Redis is away), exit code {code}"
