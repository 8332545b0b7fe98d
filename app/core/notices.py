"""What people are told by mail when something about the safety of their account happened: one paragraph a kind."""

from dataclasses import dataclass

from app.core.audit import AuditKind

NOT_YOU = 'Was that not you? Reset your password at once (choose "Forgot password" in the app)'


@dataclass(frozen=True)
class Notice:
    """Attributes: subject: with ``{product}``. told: what happened. advice: what to do if it was not them."""

    subject: str
    told: str
    advice: str = f"{NOT_YOU}, then look at the list of your sessions and end those that you do not know."


NOTICES: dict[AuditKind, Notice] = {
    AuditKind.sign_in_new_device: Notice(
        "New sign-in to {product}",
        "somebody signed in to your account from a device that we had not seen before.",
    ),
    AuditKind.password_changed: Notice(
        "Your {product} password was changed",
        "the password of your account was changed. All other sessions have ended.",
    ),
    AuditKind.password_reset: Notice(
        "Your {product} password was reset",
        "the password of your account was reset with a mail to this address. All sessions have ended.",
    ),
    AuditKind.totp_enabled: Notice(
        "Second factor turned on for {product}",
        "an authenticator app was added to your account. All other sessions have ended.",
        f"{NOT_YOU}: that signs everybody out. Signing in asks for a code of that app all the same, so write to the"
        " people who run this service: they can remove it.",
    ),
    AuditKind.totp_disabled: Notice(
        "Second factor turned off for {product}", "the authenticator app was removed from your account."
    ),
    AuditKind.recovery_codes_made: Notice(
        "New {product} recovery codes",
        "new recovery codes were made for your account. The old ones are void.",
        f"{NOT_YOU}: that signs everybody out. Then sign in and make new recovery codes, which ends these.",
    ),
    AuditKind.recovery_code_used: Notice(
        "A {product} recovery code was used",
        "one of your recovery codes was used to prove who you are.",
        f"{NOT_YOU}: that signs everybody out. Then sign in and make new recovery codes: somebody knows yours.",
    ),
    AuditKind.factors_reset: Notice(
        "Your {product} second factor was reset",
        "an administrator removed the authenticator app, passkeys and recovery codes of your account. All sessions"
        " have ended.",
        'Did you not ask for that? Reset your password (choose "Forgot password" in the app), and write to the people'
        " who run this service.",
    ),
    AuditKind.passkey_added: Notice(
        "A passkey was added to {product}",
        "a passkey was added to your account.",
        f"{NOT_YOU}: that signs everybody out. The passkey stays: sign in and delete it from the list of your"
        " passkeys. If you cannot sign in without it, write to the people who run this service: they can remove it.",
    ),
    AuditKind.passkey_deleted: Notice(
        "A passkey was removed from {product}", "a passkey was removed from your account."
    ),
    AuditKind.email_changed: Notice(
        "Your {product} address was changed",
        "this is the address of your account now. All reset mails come here.",
    ),
    AuditKind.api_token_created: Notice(
        "A new {product} API token",
        "an API token was made: a key with which a script can act in your name.",
        f"{NOT_YOU}: that signs everybody out. The token goes on working: sign in and revoke it in the list of your"
        " API tokens.",
    ),
    AuditKind.account_restored: Notice(
        "Your {product} account stays", "the deletion of your account was undone. Everything is as it was."
    ),
    AuditKind.role_changed: Notice(
        "Your role at {product} was changed",
        "an administrator changed what your account may do on this site.",
        "Did you not expect that? Ask the people who run this service.",
    ),
}

OWN_MAILS: dict[AuditKind, str] = {
    AuditKind.registration_for_known_address: "already_registered",
    AuditKind.verification_resent: "already_registered",
    AuditKind.email_change_taken: "address_taken",
}
"""Kinds whose mail has words and a shape of its own, by its kind in ``app.core.mail_templates``.

Mails with a link or a code (a reset, a change of address, a deletion) are sent by their features.
"""
