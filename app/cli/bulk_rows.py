"""Rows of a load test, the same for the same numbers: accounts and projects as the services would have written them.

Projects come in the order of time, one account after the other, as they do in a database that people use: an
account's projects lie all over the table, and keys grow as rows are added.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

DOMAIN = "bench.example"
YEAR = timedelta(days=365)
MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUALITIES = (
    "Amber", "Brisk", "Calm", "Deep", "Early", "Firm", "Grey", "Hidden", "Inner", "Jade", "Keen", "Long", "Mild",
    "Northern", "Open", "Pale", "Quiet", "Red", "Salt", "Tidal",
)  # fmt: skip
THINGS = (
    "anchor", "bay", "cliff", "delta", "estuary", "fjord", "gulf", "harbour", "inlet", "jetty", "kelp", "lagoon",
    "mooring", "narrows", "otter", "pier", "quay", "reef", "shoal", "tide",
)  # fmt: skip

USERS = (
    "users (id, email, email_key, email_verified_at, password_hash, display_name, role, status, mfa_enabled, version,"
    " created_at, updated_at)"
)
USER_EVENTS = "events (kind, actor_id, subject_id, changes, created_at)"
PROJECTS = "projects (id, owner_id, name, description, status, version, created_at, updated_at)"
MEMBERS = "project_members (project_id, user_id, role, joined_at, project_created_at, project_updated_at)"
PROJECT_EVENTS = "events (kind, actor_id, subject_id, project_id, changes, created_at)"
Tables = dict[str, str]
"""What COPY is told, table by table in the order of their foreign keys: target and tab-separated lines."""


def address(number: int) -> str:
    return f"user{number}@{DOMAIN}"


@dataclass(frozen=True)
class BulkRows:
    """The rows of one load.

    Attributes:
        accounts: how many, numbered from 1.
        projects_each: how many projects each of them owns.
        began: when the first account was made, in whole milliseconds; everything else follows from it. The accounts
            take the time before ``began + YEAR / 10``, the projects the time after it, up to a year after ``began``.
    """

    accounts: int
    projects_each: int
    began: datetime

    @property
    def projects(self) -> int:
        return self.accounts * self.projects_each

    def account_id(self, number: int) -> UUID:
        return UUID(_key(f"account {number}", self._account_at(number)))

    def project_id(self, position: int) -> UUID:
        """Args: position: from 0 to ``projects - 1``, in the order of time."""
        return UUID(_key(f"project {position}", self._project_at(position)))

    def batches(self, size: int) -> Iterator[range]:
        """Positions of projects, cut into pieces."""
        for start in range(0, self.projects, size):
            yield range(start, min(start + size, self.projects))

    def account_lines(self, password_hash: str) -> Tables:
        """All accounts, verified, with one password."""
        users, events = [], []
        for number in range(1, self.accounts + 1):
            key, email, at = (
                str(self.account_id(number)),
                address(number),
                self._account_at(number).isoformat(),
            )
            users.append(
                f"{key}\t{email}\t{email}\t{at}\t{password_hash}\tUser {number}\tuser\tactive\tf\t1\t{at}\t{at}\n"
            )
            events.append(f"user.created\t{key}\t{key}\t{{}}\t{at}\n")
        return {USERS: "".join(users), USER_EVENTS: "".join(events)}

    def project_lines(self, positions: range) -> Tables:
        """Projects with the owner's membership and the event of their creation."""
        owners = {
            offset: str(self.account_id(offset + 1))
            for offset in {each % self.accounts for each in positions}
        }
        projects, members, events = [], [], []
        for position in positions:
            moment = self._project_at(position)
            key, owner, at = (
                _key(f"project {position}", moment),
                owners[position % self.accounts],
                moment.isoformat(),
            )
            name = _name(position)
            projects.append(f"{key}\t{owner}\t{name}\t{_description(position)}\tactive\t1\t{at}\t{at}\n")
            members.append(f"{key}\t{owner}\towner\t{at}\t{at}\t{at}\n")
            told = f'{{"name": {{"before": null, "after": "{name}"}}}}'
            events.append(f"project.created\t{owner}\t{key}\t{key}\t{told}\t{at}\n")
        return {PROJECTS: "".join(projects), MEMBERS: "".join(members), PROJECT_EVENTS: "".join(events)}

    def _account_at(self, number: int) -> datetime:
        return self.began + _whole(YEAR / 10 * ((number - 1) / self.accounts))

    def _project_at(self, position: int) -> datetime:
        return self.began + _whole(YEAR / 10 + YEAR * 0.9 * (position / self.projects))


def _whole(time: timedelta) -> timedelta:
    return timedelta(milliseconds=time // MILLISECOND)


def _key(what: str, at: datetime) -> str:
    """A UUIDv7 of that moment whose random part is drawn from what it names (RFC 9562)."""
    drawn = hashlib.blake2b(what.encode(), digest_size=9).hexdigest()
    time = f"{(at - EPOCH) // MILLISECOND:012x}"
    return f"{time[:8]}-{time[8:]}-7{drawn[:3]}-a{drawn[3:6]}-{drawn[6:]}"


def _name(position: int) -> str:
    mixed = position * 2_654_435_761 >> 7  # Knuth's multiplicative hash: neighbours get unlike names
    return f"{QUALITIES[mixed % 20]} {THINGS[mixed // 20 % 20]} {position + 1}"


def _description(position: int) -> str:
    """Text for two in three, as people leave it out at times; NULL in the format of COPY otherwise."""
    return r"\N" if position % 3 == 2 else f"Notes and readings of survey {position + 1}, with a map."
