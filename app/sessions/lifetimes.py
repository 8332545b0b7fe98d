"""How long sessions live, by transport (SEC-17)."""

from dataclasses import dataclass
from datetime import timedelta

from app.config import Settings
from app.sessions.models import Transport


@dataclass(frozen=True)
class Lifetimes:
    """Days until an unused session ends, and until any session does; and seconds a proof of identity counts."""

    cookie_idle: int
    cookie_absolute: int
    body_idle: int
    body_absolute: int
    step_up_seconds: int
    grace_seconds: int

    @classmethod
    def of(cls, settings: Settings) -> "Lifetimes":
        return cls(
            settings.cookie_idle_days, settings.cookie_absolute_days,
            settings.body_idle_days, settings.body_absolute_days,
            settings.step_up_seconds, settings.refresh_grace_seconds,
        )  # fmt: skip

    def idle(self, transport: Transport | str) -> timedelta:
        return timedelta(days=self.cookie_idle if transport == Transport.cookie else self.body_idle)

    def absolute(self, transport: Transport | str) -> timedelta:
        return timedelta(days=self.cookie_absolute if transport == Transport.cookie else self.body_absolute)

    @property
    def step_up(self) -> timedelta:
        return timedelta(seconds=self.step_up_seconds)

    @property
    def grace(self) -> timedelta:
        return timedelta(seconds=self.grace_seconds)
