"""Leaving on the wire."""

from app.web.fields import Secret, Timestamp
from app.web.schemas import Input, Output


class DeletionScheduled(Output):
    """When the account will be erased, unless it is restored before."""

    deletion_scheduled_at = Timestamp(required=True)


class AccountRestoration(Input):
    """The token of the mail's link."""

    token = Secret(
        required=True, longest=500, metadata={"examples": ["hfk1.k1.AZelsHweemCcLz87ihwKAg.c2lnbmF0dXJl"]}
    )
