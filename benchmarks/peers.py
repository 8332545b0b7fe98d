"""The same small service on what a team would pick instead, and with nothing at all; see benchmarks/peers."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

import bcrypt

from app.core.clock import wall_seconds
from benchmarks.asking import Answer, ask
from benchmarks.peer_libraries import Libraries
from benchmarks.place import Place
from benchmarks.scenarios import PASSWORD, Person, address_of, with_projects
from dev.children import POLITE
from dev.engine_state import free_port
from dev.faults import Fault
from dev.roles import statements

HERE = Path(__file__).parent / "peers"
SEEDING = "peers_seeding"
PATIENCE = 40.0
POOL_SIZE = "10"
# Each counts its requests in windows of a minute, as the service does for reads.
RATE_LIMIT = "600"
GUNICORN = (
    "--bind", "127.0.0.1:{port}", "--workers", "{workers}", "--worker-class", "gthread", "--threads", "{threads}",
    "--keep-alive", "65", "--reuse-port", "--no-control-socket", "--log-level", "warning",
)  # fmt: skip
COMMANDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "floor": ("floor", ("{bin}/gunicorn", *GUNICORN, "app:application")),
    "fastapi": (
        "fastapi",
        ("{bin}/uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--workers", "{workers}", "--loop", "uvloop", "--http",
         "httptools", "--no-access-log", "--no-server-header", "--log-level", "warning", "app:app"),
    ),
    "express-prisma": ("express", ("node", "{folder}/prisma.js")),
    "express-typeorm": ("express", ("node", "{folder}/typeorm.js")),
    "django": ("django", ("{bin}/gunicorn", *GUNICORN, "service.wsgi:application")),
}  # fmt: skip
"""Of each peer: its folder, and the command that serves it."""


class PeerData:
    """The peers' database: as many accounts and projects as the service has."""

    def __init__(self, place: Place, accounts: int, projects_each: int, people: int) -> None:
        self.place, self.people = place, people
        self.ids: dict[int, str] = {}
        self.template = f"peers_{accounts}_{projects_each}"
        self._numbers = {"accounts": accounts, "projects_each": projects_each}

    def prepare(self) -> None:
        if not self.place.has(self.template):
            self.place.new_database(SEEDING)
            hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(12)).decode()
            with statements(self.place.owner_url(SEEDING)) as cursor:
                cursor.execute((HERE / "schema.sql").read_text(encoding="utf-8"))
                cursor.execute(
                    (HERE / "seed.sql").read_text(encoding="utf-8"), {**self._numbers, "hashed": hashed}
                )
                cursor.execute(
                    f'GRANT SELECT, INSERT, UPDATE ON users, projects TO "{self.place.roles.app.name}"'
                )
                cursor.execute("VACUUM (ANALYZE) users")
                cursor.execute("VACUUM (ANALYZE) projects")
            self.place.keep_as(SEEDING, self.template)
        self.place.new_database(SEEDING, self.template)
        emails = [f"user{number}@bench.example" for number in range(1, self.people + 1)]
        with statements(self.place.owner_url(SEEDING)) as cursor:
            cursor.execute("SELECT email, id::text FROM users WHERE email = ANY(%s)", (emails,))
            found = dict(cursor.fetchall())
        self.ids = {number: found[email] for number, email in enumerate(emails, 1)}


class Peer:
    """One of them."""

    etags = False

    def __init__(self, name: str, data: PeerData, libraries: Libraries) -> None:
        self.name = name
        self.port = free_port()
        self.processes = (f"api@{name}",)
        self._database = f"bench_{name}"
        self._data, self._place, self._libraries = data, data.place, libraries
        self._folder, self._command = COMMANDS[name]
        self._secret = secrets.token_urlsafe(32)

    def prepare(self) -> None:
        self._libraries.install(self._folder)
        if not self._data.ids:
            self._data.prepare()

    def start(self) -> None:
        self._place.new_database(self._database, self._data.template)
        launcher, at = self._place.launcher, self._libraries.folder(self._folder)
        words = {
            "bin": at / "bin", "folder": at, "port": self.port, "workers": self._place.workers,
            "threads": self._place.threads,
        }  # fmt: skip
        command = [word.format_map(words) for word in self._command]
        launcher.start(self.processes[0], command, self._environment(), cwd=HERE / self._folder)
        limit = time.monotonic() + PATIENCE
        while not self._answers():
            launcher.check_alive()
            launcher.pause(0.1)
            if time.monotonic() > limit:
                raise Fault(
                    f"{self.name} does not answer; its words are in {launcher.children[self.processes[0]].log}"
                )
        launcher.pause(1)  # for the other processes

    def people(self) -> list[Person]:
        return [
            with_projects(
                self.port, Person(f"user{number}@bench.example", address_of(number), self._token(key))
            )
            for number, key in self._data.ids.items()
        ]

    def stop(self) -> None:
        child = self._place.launcher.children.pop(self.processes[0], None)
        if child:
            child.stop(POLITE)

    def change(self, read: Answer, name: str, who: Person) -> Answer:
        path, body = f"/projects/{read.told['id']}", {"name": name, "version": read.told["version"]}
        return ask(self.port, "PATCH", path, token=who.token, address=who.address, body=body)

    def _answers(self) -> bool:
        try:
            return ask(self.port, "GET", "/healthz").status == 200
        except OSError:
            return False

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}
        }
        return {
            **kept, "NODE_ENV": "production", "DATABASE_URL": self._place.app_url(self._database),
            "REDIS_URL": self._place.redis_url(self._database), "JWT_SECRET": self._secret, "PORT": str(self.port),
            "WORKERS": str(self._place.workers), "THREADS": str(self._place.threads), "POOL_SIZE": POOL_SIZE,
            "RATE_LIMIT": RATE_LIMIT, "PYTHONDONTWRITEBYTECODE": "",
        }  # fmt: skip

    def _token(self, user: str) -> str:
        """What signing in would give, without paying for a password check of everybody."""
        began = int(wall_seconds())
        claims = {
            "sub": user, "iat": began, "exp": began + 3600, "jti": secrets.token_hex(16), "sid": secrets.token_hex(16),
        }  # fmt: skip
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        mark = hmac.new(self._secret.encode(), signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


def _part(told: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()
