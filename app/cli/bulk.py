"""Many accounts and projects by COPY, for load tests."""

from app.config import Settings
from app.core.clock import Clock
from app.core.passwords import PasswordHasher


class BulkSeed:
    def __init__(self, settings: Settings, hasher: PasswordHasher, clock: Clock) -> None:
        self._settings = settings
        self._hasher = hasher
        self._clock = clock

    def run(self, accounts: int, projects_each: int, password: str) -> None:
        raise NotImplementedError
