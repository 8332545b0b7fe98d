"""gunicorn's own messages as lines of the application's log."""

from typing import Any

from gunicorn.glogging import Logger


class ApplicationLogger(Logger):  # type: ignore[misc] # gunicorn has no types
    """Hands gunicorn's messages to the root logger, which writes one JSON object a line.

    Set as ``logger_class``. No access log: the application writes a line a request that knows more.
    """

    loglevel: int

    def setup(self, cfg: Any) -> None:
        """Called at start and at each reload; installs no handler of its own."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.loglevel = self.LOG_LEVELS.get(cfg.loglevel.lower(), self.loglevel)
        self.error_log.setLevel(self.loglevel)
        self.error_log.propagate = True
