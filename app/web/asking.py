"""Who sent the request and whether it only reads: what decides which database may answer it."""

from flask import Flask, g, request

from app.core.replicas.marks import Asker, asker

SAFE = {"GET", "HEAD"}


def register_asking(app: Flask) -> None:
    """Must be registered after the guard, which says who asks; of use only where there are replicas."""
    app.before_request(_note)
    app.teardown_request(_forget)


def _note() -> None:
    actor = g.get("actor")
    asker.set(Asker(actor.user_id, request.method in SAFE) if actor is not None else None)


def _forget(_error: BaseException | None) -> None:
    asker.set(None)
