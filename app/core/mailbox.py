"""The development mailbox: one JSON file a mail in a folder, shared by all processes of one machine."""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from app.core.clock import Clock
from app.core.ids import new_id
from app.core.mail_message import Mail, MailUnavailableError


@dataclass(frozen=True)
class KeptMail:
    """A mail that was put into the folder: its UUIDv7, when that was, and the mail."""

    id: str
    created_at: datetime
    mail: Mail


class MailboxFolder:
    """Keeps mails instead of sending them.

    A name is a UUIDv7, so sorting names sorts by arrival. A file is written under another name and renamed: a
    reader sees all of it or nothing. Only the owner of the process may read them: they hold live codes.

    Args:
        path: the folder, made when the first mail arrives.
        keep: how many stay; the oldest go.
        clock: what dates them.
    """

    def __init__(self, path: Path, keep: int = 500, *, clock: Clock | None = None) -> None:
        self.path = path
        self._keep = keep
        self._clock = clock or Clock()

    def send(self, mail: Mail) -> None:
        """Put the mail into the folder.

        Raises:
            MailUnavailableError: the folder cannot be written.
        """
        mail_id = str(new_id())
        content = json.dumps({"id": mail_id, "created_at": self._clock.now().isoformat(), **asdict(mail)})
        draft = self.path / f".{mail_id}.tmp"
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(content)
            draft.replace(self.path / f"{mail_id}.json")
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise MailUnavailableError(f"the mailbox folder could not be written: {error.strerror}") from None
        for name in self._names()[self._keep :]:
            (self.path / name).unlink(missing_ok=True)

    def list(self, to: str | None = None, limit: int | None = None) -> tuple[KeptMail, ...]:
        """The newest first; a damaged file is left out.

        Args:
            to: only mails to this address, in upper or lower case.
            limit: at most so many.
        """
        found: list[KeptMail] = []
        for kept in self._mails():
            if limit is not None and len(found) >= limit:
                break
            if to is None or kept.mail.to.casefold() == to.casefold():
                found.append(kept)
        return tuple(found)

    def get(self, mail_id: str) -> KeptMail | None:
        """One mail, or None when there is none of that id."""
        try:
            name = f"{UUID(mail_id)}.json"  # what is no UUID never becomes a path
        except ValueError:
            return None
        return self._read(name)

    def clear(self, to: str | None = None) -> None:
        """Throw away all mails, or those to one address; what another process removes first is no fault."""
        names = self._names() if to is None else [f"{kept.id}.json" for kept in self.list(to)]
        for name in names:
            (self.path / name).unlink(missing_ok=True)

    def _names(self) -> Sequence[str]:
        try:
            return sorted((file.name for file in self.path.iterdir() if file.suffix == ".json"), reverse=True)
        except FileNotFoundError:
            return []

    def _mails(self) -> Iterator[KeptMail]:
        for name in self._names():
            kept = self._read(name)
            if kept:
                yield kept

    def _read(self, name: str) -> KeptMail | None:
        try:
            row = json.loads((self.path / name).read_text(encoding="utf-8"))
            created_at = datetime.fromisoformat(row.pop("created_at"))
            if not all(isinstance(value, str) or value is None for value in row.values()):
                return None
            return KeptMail(id=row.pop("id"), created_at=created_at, mail=Mail(**row))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
