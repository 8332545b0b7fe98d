"""The demo cast: who lives in a fresh laptop database. Never in production."""

DEMO_PASSWORD = "kelp-grips-the-rock"
DEMO_TOTP_SECRET = "KELPGRIPSTHEROCKKELPGRIPSTHEROCK"
"""Of Ada's authenticator app, in base32: an administrator needs a second factor to do anything."""
DEMO_ACCOUNTS = (
    ("alice@example.com", "Alice", "user"),
    ("bob@example.com", "Bob", "user"),
    ("charlie@example.com", "Charlie", "user"),
    ("ada@example.com", "Ada", "admin"),
)
DEMO_PROJECTS = {
    "alice@example.com": (
        ("Reef survey", "What grows where, and since when."),
        ("Tide tables", "High and low water for the west coast."),
        ("Harbour map", None),
    ),
    "bob@example.com": (("Boat log", "Where she went and what broke."),),
}
DEMO_MEMBERS = {"Harbour map": (("bob@example.com", "editor"),)}
"""Who belongs to a project besides its owner."""
