"""What the doctor says of an application, in a form that tests can look at."""

import json

from tests.fixtures.command_line import command_line

PRODUCTION = {
    "app_env": "production",
    "public_url": "https://api.example.com",
    "bcrypt_cost": 10,
    "mailbox_dir": None,
    "smtp_url": "smtp://127.0.0.1:1",
    "cors_origins": ("https://app.example.com",),
    "trusted_proxies": 1,
}
"""Settings that production takes; nobody listens at that SMTP address."""


class Examined:
    """The findings of one run.

    Attributes:
        exit_code: of the command.
        output: all that it printed.
        findings: as the JSON has them.
    """

    def __init__(self, app, *words):
        result = command_line(app)("doctor", "--json", *words)
        self.exit_code, self.output = result.exit_code, result.output
        self.findings = json.loads(result.output)["findings"]

    def about(self, subject, severity=None):
        """The findings about something, or those of a severity alone."""
        return [
            each
            for each in self.findings
            if each["about"] == subject and severity in {None, each["severity"]}
        ]

    def one(self, subject, severity):
        """The one finding of that severity; it says how to mend what it says is wrong."""
        (found,) = self.about(subject, severity)
        assert bool(found["mend"]) == (severity != "ok")
        return found


def severity(production):
    """Of what a laptop may have and production may not."""
    return "fault" if production else "warn"
