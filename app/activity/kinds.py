"""Which events a project's members are shown, and what each is about."""

from app.core.events import MEMBER_KINDS, EventKind

OBJECTS = ("project", "member", "invitation", "file")
KINDS = tuple(kind for kind in EventKind if kind.value.split(".")[0] in OBJECTS)
ABOUT_PEOPLE = tuple(kind.value for kind in MEMBER_KINDS)
