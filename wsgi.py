"""What gunicorn and the flask command load."""

import gc
import sys

from app import create_app
from app.config import ConfigError

NEEDS_NO_SETTINGS = {"keys", "doctor"}

# What is loaded now stays for good. The collector need not look through it, neither while it grows nor ever after.
gc.disable()
try:
    app = create_app()
except ConfigError as error:
    if not NEEDS_NO_SETTINGS & set(sys.argv[1:2]):
        for fault in error.faults:
            print(f"configuration: {fault}", file=sys.stderr)
        sys.exit(78)
    # Only where it is wanted: with sound settings it comes with the application.
    from app.cli import bare_app

    app = bare_app(error)
finally:
    gc.freeze()
    gc.enable()
