"""What the services of the compose stack cannot do."""

from collections.abc import Callable

from dev.containers.engine import Engine
from dev.containers.proof import Proof, expect

_SERVICES = ("postgres", "redis", "mailpit", "api", "worker")
_PUBLISHED = {"api": {"8000/tcp"}, "mailpit": {"8025/tcp"}}
_DENIED = "42501"
_WARNINGS = 1

# Run as the service's database role, inside the API's container. The connection string is in a file there.
_TRY_SQL = """
import os, pathlib, psycopg2
url = pathlib.Path(os.environ["DATABASE_URL_FILE"]).read_text().strip()
for statement in ("UPDATE audit_events SET kind = 'x'", "DELETE FROM audit_events", "CREATE TABLE x (y int)"):
    connection = psycopg2.connect(url)
    try:
        connection.cursor().execute(statement)
    except psycopg2.Error as error:
        print(error.pgcode)
    else:
        print(statement)
    connection.close()
"""
_ROLES = (
    "SELECT rolname, rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls, "
    "pg_get_userbyid(datdba) = rolname FROM pg_roles, pg_database "
    "WHERE rolname LIKE 'holdfast%' AND datname = 'holdfast' ORDER BY rolname"
)
_WRITE = "touch /x 2>/dev/null || touch /etc/x 2>/dev/null"


def prove_walls(engine: Engine, container: Callable[[str], str], proof: Proof) -> None:
    """Show that no service is root, writes where it should not, is open to the network or knows another's secrets."""
    proof.step(
        "no service is root, can become it, or writes to its image", lambda: _powerless(engine, container)
    )
    proof.step(
        "only the API and the mails are published, on the loopback address", lambda: _ports(engine, container)
    )
    proof.step(
        "keys and passwords: in no environment, and the owner's not in the API",
        lambda: _hidden(engine, container),
    )
    proof.step("the roles own and may what they should", lambda: _roles(engine, container))
    proof.step(
        "the service's role cannot change the audit trail or the schema (42501)",
        lambda: _denied(engine, container),
    )
    proof.step("`flask doctor` finds no fault", lambda: _doctor(engine, container("api")))


def _powerless(engine: Engine, container: Callable[[str], str]) -> str:
    users = []
    for service in _SERVICES:
        name = container(service)
        user = engine("exec", name, "id", "-u").out.strip()
        expect(user != "0", f"{service} runs as root")
        status = dict(
            line.split(":", 1) for line in engine("exec", name, "cat", "/proc/1/status").out.splitlines()
        )
        expect(int(status["CapBnd"], 16) == 0, f"{service} could gain {status['CapBnd'].strip()}")
        expect(status["NoNewPrivs"].strip() == "1", f"{service} can gain privileges")
        expect(
            engine("exec", name, "sh", "-c", _WRITE, check=False).code != 0, f"{service} writes to its image"
        )
        users.append(f"{service} {user}")
    return ", ".join(users)


def _ports(engine: Engine, container: Callable[[str], str]) -> None:
    for service in _SERVICES:
        told = engine.inspect(container(service))["HostConfig"].get("PortBindings") or {}
        bound = {port: bindings for port, bindings in told.items() if bindings}
        expect(set(bound) == _PUBLISHED.get(service, set()), f"{service} publishes {sorted(bound)}")
        hosts = {binding["HostIp"] for bindings in bound.values() for binding in bindings}
        expect(hosts <= {"127.0.0.1"}, f"{service} listens on {hosts}")


def _hidden(engine: Engine, container: Callable[[str], str]) -> str:
    kept = engine("exec", container("api"), "sh", "-c", "cat /var/lib/holdfast/secrets/*").out.split()
    passwords = engine(
        "exec", container("postgres"), "sh", "-c", "cat /run/holdfast-database/*_password"
    ).out.split()
    for service in _SERVICES:
        described = str(engine.inspect(container(service)))
        told = [secret for secret in (*kept, *passwords) if secret in described]
        expect(not told, f"{len(told)} secrets stand in the description of {service}")
    for service in ("api", "worker"):
        seen = engine("exec", container(service), "ls", "/var/lib/holdfast/database").out.split()
        expect(not seen, f"{service} sees {seen}")
    return f"{len(kept)} files for the service, {len(passwords)} passwords for PostgreSQL"


def _roles(engine: Engine, container: Callable[[str], str]) -> None:
    psql = (
        "psql",
        "--username=postgres",
        "--dbname=holdfast",
        "--no-align",
        "--tuples-only",
        "--command",
        _ROLES,
    )
    told = engine("exec", container("postgres"), *psql).out.split()
    expect(told == ["holdfast_app|f|f", "holdfast_owner|f|t"], f"name, rights, owns: {told}")


def _denied(engine: Engine, container: Callable[[str], str]) -> None:
    told = engine("exec", container("api"), "python", "-c", _TRY_SQL).out.split("\n")
    expect([line for line in told if line] == [_DENIED] * 3, f"PostgreSQL answered {told}")


def _doctor(engine: Engine, api: str) -> str:
    done = engine("exec", api, "flask", "doctor", check=False)
    expect(done.code in {0, _WARNINGS}, f"exit code {done.code}\n{done.words}")
    return f"exit code {done.code}"
