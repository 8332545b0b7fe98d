"""Whether `flask db upgrade` can be left out: nothing changed since it last ran, neither code nor schema.

It loads the whole service, half of the time of a second start.
"""

import hashlib
import json
from pathlib import Path

import psycopg2

from dev.places import ROOT, write_private
from dev.roles import statements


class SchemaStamp:
    """What the last upgrade saw, in `schema.json` under a folder.

    Args:
        home: `var/`.
        owner_url: the role that migrates.
        app_url: the role that is granted its rights.
    """

    def __init__(self, home: Path, owner_url: str, app_url: str) -> None:
        self._path = home / "schema.json"
        self._owner_url = owner_url
        digest = hashlib.sha256(f"{owner_url}\n{app_url}\n".encode())
        for folder in ("migrations", "app"):
            for file in sorted((ROOT / folder).rglob("*")):
                if file.suffix in {".py", ".sql", ".ini"}:
                    digest.update(f"{file.relative_to(ROOT)}\n".encode())
                    digest.update(file.read_bytes())
        self._code = digest.hexdigest()

    def current(self) -> bool:
        """Whether the last upgrade was made by this very code, and the schema is as it left it."""
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return bool(known == {"code": self._code, "revision": self._revision()} and known["revision"])

    def note(self) -> None:
        """Remember that the upgrade has just been made."""
        write_private(self._path, json.dumps({"code": self._code, "revision": self._revision()}))

    def _revision(self) -> str | None:
        with statements(self._owner_url) as cursor:
            try:
                cursor.execute("SELECT version_num FROM alembic_version")
            except psycopg2.errors.UndefinedTable:
                return None
            row = cursor.fetchone()
            return str(row[0]) if row else None
