"""Fields for what goes over the wire: strict in, plain out, every fault with a stable code (traps T5 to T9)."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from marshmallow import fields, missing

from app.core.errors import FieldCode
from app.web.faults import MESSAGES, Fault, refuse
from app.web.patterns import WITHOUT_NUL, text_pattern

MAX_EMAIL = 254
MAX_CHOICES, MOST_NAMED = 100, 20
LINE_BREAKS = {"\n", "\r", "\t"}
MAX_INT64 = 2**63 - 1
NEW_PASSWORD = "x-new-password"  # the document says how short one may be, which is a setting
UUID_TEXT = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
EXAMPLE_ID, EXAMPLE_TIME = "0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a02", "2026-05-01T12:00:00.000Z"


class Text(fields.String):
    """A string of people's own words.

    Args:
        shortest, longest: in Unicode code points, after trimming.
        lines: whether line breaks and tabs may stand in it.
        trim: cut white space at both ends; not for secrets.
        pattern: a JSON Schema pattern for the document, checked by the child class.
    """

    default_error_messages = {
        **MESSAGES,
        "invalid": Fault(FieldCode.wrong_type, "This must be a string."),
        "invalid_utf8": Fault(FieldCode.invalid_format, "This is not UTF-8 text."),
    }

    def __init__(
        self, *, shortest: int = 0, longest: int, lines: bool = False, trim: bool = True, **options: Any
    ) -> None:
        metadata = {
            "maxLength": longest,
            **({"minLength": shortest} if shortest else {}),
            **options.pop("metadata", {}),
        }
        if "format" not in metadata:
            metadata.setdefault("pattern", text_pattern(lines=lines, filled=bool(shortest and trim)))
        super().__init__(metadata=metadata, **options)
        self.shortest, self.longest, self.lines, self.trim = shortest, longest, lines, trim

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > self.longest:
            raise refuse(FieldCode.too_long, f"At most {self.longest} characters.", max=self.longest)
        self._refuse_control_characters(text)
        text = text.strip() if self.trim else text
        if len(text) < self.shortest:
            raise refuse(
                FieldCode.too_short,
                f"At least {self.shortest} character{'s' * (self.shortest > 1)}.",
                min=self.shortest,
            )
        return self.accept(text)

    def accept(self, text: str) -> str:
        """For child classes: refuse or change a text of the right length."""
        return text

    def _refuse_control_characters(self, text: str) -> None:
        allowed = LINE_BREAKS if self.lines else set()
        if any(unicodedata.category(letter) in {"Cc", "Cs"} and letter not in allowed for letter in text):
            raise refuse(FieldCode.invalid_format, "Control characters may not stand here.")


class Secret(Text):
    """A password, code or token: taken as it is, never trimmed; length in the document only as an upper bound."""

    def __init__(self, *, longest: int, **options: Any) -> None:
        super().__init__(longest=longest, trim=False, lines=True, **options)


class Password(fields.String):
    """A password: any text without NUL; the policy judges its length and content."""

    default_error_messages = Text.default_error_messages

    def __init__(self, **options: Any) -> None:
        metadata = {"format": "password", "maxLength": 1_024, "pattern": WITHOUT_NUL}
        super().__init__(metadata={**metadata, **options.pop("metadata", {})}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if "\x00" in text:
            raise refuse(FieldCode.invalid_format, "A NUL character may not stand here.")
        return text


class EmailAddress(Text):
    """An address that could receive mail; its spelling is kept, comparing is the service's matter."""

    def __init__(self, **options: Any) -> None:
        metadata = {"format": "email", **options.pop("metadata", {})}
        super().__init__(longest=MAX_EMAIL, metadata=metadata, **options)

    def accept(self, text: str) -> str:
        try:
            found = validate_email(
                text, check_deliverability=False, allow_smtputf8=False, globally_deliverable=False
            )
        except EmailNotValidError:
            raise refuse(FieldCode.invalid_format, "This is not an e-mail address.") from None
        if "." not in found.ascii_domain:
            raise refuse(FieldCode.invalid_format, "This is not an e-mail address.")
        return text


class Choice(fields.String):
    """One word of a closed list in requests; answers may gain words later."""

    default_error_messages = Text.default_error_messages

    def __init__(self, choices: Iterable[str], **options: Any) -> None:
        self.choices = [str(choice) for choice in choices]
        metadata = {"enum": self.choices, **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text not in self.choices:
            named = ", ".join(self.choices) if len(self.choices) <= MOST_NAMED else "the documented words"
            raise refuse(FieldCode.invalid_choice, f"Choose one of: {named}.", choices=self.choices)
        return text


class Choices(fields.String):
    """A comma list of words of a closed list, as query parameters have it."""

    default_error_messages = Text.default_error_messages

    def __init__(self, choices: Iterable[str], **options: Any) -> None:
        self.choices = [str(choice) for choice in choices]
        word = "|".join(self.choices)
        chosen = options.pop("load_default", missing)
        if chosen is not missing:
            options["load_default"] = lambda: chosen  # not in the document: a tuple is no text of the wire
        metadata = {
            "pattern": f"^({word})(,({word}))*$",
            "maxLength": MAX_CHOICES,
            **options.pop("metadata", {}),
        }
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:  # type: ignore[override]  # a list out of a text
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > MAX_CHOICES:
            raise refuse(FieldCode.too_long, f"At most {MAX_CHOICES} characters.", max=MAX_CHOICES)
        words = text.split(",")
        if any(word not in self.choices for word in words):
            detail = f"A comma list of: {', '.join(self.choices)}."
            raise refuse(FieldCode.invalid_choice, detail, choices=self.choices)
        return tuple(dict.fromkeys(words))


class Id(fields.UUID):
    """A UUID in its usual spelling, 36 characters."""

    default_error_messages = {
        **MESSAGES,
        "invalid_uuid": Fault(FieldCode.invalid_format, "This is not a UUID."),
    }

    def __init__(self, **options: Any) -> None:
        metadata = {
            "format": "uuid",
            "maxLength": 36,
            "minLength": 36,
            "examples": [EXAMPLE_ID],
            **options.pop("metadata", {}),
        }
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:
        # Python reads more as one, and some of it as another one: signs, spaces, "0x", "urn:", digits of other scripts.
        if not isinstance(value, str) or not UUID_TEXT.fullmatch(value):
            raise refuse(FieldCode.invalid_format, "This is not a UUID.")
        return super()._deserialize(value, attr, data, **kwargs)


class Timestamp(fields.AwareDateTime):
    """RFC 3339; answers in UTC with milliseconds and ``Z``, requests with any zone."""

    default_error_messages = {
        **MESSAGES,
        "invalid": Fault(FieldCode.invalid_format, "Write a moment as 2026-05-01T12:00:00.000Z."),
        "invalid_awareness": Fault(
            FieldCode.invalid_format, "Write a moment with its zone: 2026-05-01T12:00:00Z."
        ),
    }

    def __init__(self, **options: Any) -> None:
        examples = [None if options.get("allow_none") else EXAMPLE_TIME]
        metadata = {
            "format": "date-time",
            "maxLength": 35,
            "examples": examples,
            **options.pop("metadata", {}),
        }
        super().__init__(metadata=metadata, **options)

    def _serialize(self, value: datetime | None, *_args: Any, **_kwargs: Any) -> str | None:
        return wire_time(value) if value is not None else None

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            moment: datetime = super()._deserialize(value, attr, data, **kwargs)
            return moment.astimezone(UTC)
        except (OverflowError, TypeError):
            raise refuse(FieldCode.invalid_format, "This moment is outside the calendar.") from None


def wire_time(value: datetime) -> str:
    """RFC 3339 in UTC, milliseconds, ``Z``."""
    moment = value if value.tzinfo is UTC else value.astimezone(UTC)  # as the driver hands it out
    return f"{moment.isoformat(timespec='milliseconds')[:-6]}Z"


class Number(fields.Integer):
    """A whole number in bounds; in a query its decimal digits, in a body a JSON number without a fraction.

    ``3.0`` is a whole number: so say JSON Schema and every reader that has one kind of number (RFC 8259, section 6).
    """

    default_error_messages = {
        **MESSAGES,
        "invalid": Fault(FieldCode.wrong_type, "This must be a whole number."),
        "too_large": Fault(FieldCode.too_large, "This number is too large."),
    }

    def __init__(
        self, *, smallest: int = 0, largest: int = MAX_INT64, in_query: bool = False, **options: Any
    ) -> None:
        metadata = {"minimum": smallest, "maximum": largest, **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)
        self.smallest, self.largest, self.in_query = smallest, largest, in_query

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        number = _digits(value) if self.in_query else value
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        if type(number) is not int:
            raise self.make_error("invalid", input=value)
        if number < self.smallest:
            raise refuse(FieldCode.too_small, f"At least {self.smallest}.", min=self.smallest)
        if number > self.largest:
            raise refuse(FieldCode.too_large, f"At most {self.largest}.", max=self.largest)
        return number


def _digits(value: Any) -> int | None:
    text = str(value)
    sound = text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 19
    return int(text) if sound else None


class Flag(fields.Boolean):
    """``true`` or ``false`` and nothing else (T7)."""

    default_error_messages = {
        **MESSAGES,
        "invalid": Fault(FieldCode.wrong_type, "This must be true or false."),
    }

    def __init__(self, *, in_query: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.in_query = in_query

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        known = {"true": True, "false": False} if self.in_query else {}
        flag = known.get(value) if isinstance(value, str) else value
        if type(flag) is not bool:
            raise self.make_error("invalid", input=value)
        return flag


class Part(fields.Nested):
    """An object within a body; the faults of its own fields are those of its schema."""

    default_error_messages = dict(MESSAGES)
