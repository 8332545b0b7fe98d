"""Mails to a person about something that was done: who gets them, from where it was done, and in whose words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app.config import Settings
from app.core.mail_message import Mailer
from app.core.mail_templates import mail_link, render


class Recipient(Protocol):
    """An account, or who wants to have one."""

    @property
    def email(self) -> str: ...
    @property
    def display_name(self) -> str: ...
    @property
    def time_zone(self) -> str | None: ...


class Traced(Protocol):
    """A row that knows where it came from."""

    @property
    def device(self) -> str | None: ...
    @property
    def ip(self) -> str | None: ...
    @property
    def created_at(self) -> datetime: ...


@dataclass(frozen=True)
class Scene:
    """Where and when it was done. Attributes: place: a truncated address or a region."""

    device: str | None
    place: str | None
    at: datetime

    @classmethod
    def of(cls, row: Traced) -> "Scene":
        return cls(row.device, row.ip, row.created_at)


class Letters:
    """Adds to a mail what each of them says: the person's name and clock, the product's name, the scene."""

    def __init__(self, mailer: Mailer, settings: Settings) -> None:
        self._mailer = mailer
        self._product = settings.product_name
        self._base = settings.links_base

    def send(self, kind: str, recipient: Recipient, scene: Scene, **context: Any) -> None:
        """Send one.

        Args:
            kind: a key of ``app.core.mail_templates.KINDS``.
            recipient: whose name it begins with.
            scene: of what was done.
            context: the rest of what the kind needs; ``to`` for another address than the recipient's,
                ``subject_of_notice`` with ``{product}`` in it.

        Raises:
            TypeError: something is missing or not known to this kind.
            MailError: it could not be handed over.
        """
        if "subject_of_notice" in context:
            context["subject_of_notice"] = context["subject_of_notice"].format(product=self._product)
        self._send(
            kind,
            time_zone=recipient.time_zone or "UTC",
            display_name=recipient.display_name,
            device=scene.device or "an unknown device",
            place=scene.place or "an unknown network",
            at=scene.at,
            **{"to": recipient.email, **context},
        )

    def tell(self, kind: str, recipient: Recipient, **context: Any) -> None:
        """Send one about what nobody did from anywhere: as ``send``, without a scene."""
        zone = recipient.time_zone or "UTC"
        self._send(kind, to=recipient.email, time_zone=zone, display_name=recipient.display_name, **context)

    def send_link(
        self, kind: str, recipient: Recipient, scene: Scene, page: str, token: str, **context: Any
    ) -> None:
        """Send one with a link to a page, as ``send`` does. The token stands in the link and by itself, for apps."""
        self.send(kind, recipient, scene, token=token, link=mail_link(self._base, page, token), **context)

    def send_link_to(self, address: str, kind: str, page: str, token: str, **context: Any) -> None:
        """As ``send_link``, to an address that somebody else named: nobody's name, clock, device or network is in it."""
        self._send(kind, to=address, token=token, link=mail_link(self._base, page, token), **context)

    def _send(self, kind: str, **context: Any) -> None:
        self._mailer.send(render(kind, product_name=self._product, **context))
