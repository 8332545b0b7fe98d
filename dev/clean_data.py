"""`make clean-data`: delete what `make run` keeps."""

import shutil
import sys

from dev.children import end_orphans
from dev.faults import finish
from dev.lock import only_one
from dev.places import var_dir
from dev.postgres_home import moved_home


def clean_data() -> int:
    """Delete `var/`, unless a launcher works with it; what a killed one left running is ended first."""
    home = var_dir()
    if not home.exists():
        print("  There are no data.")
        return 0
    with only_one(home, "deleting its data"):
        end_orphans(home)
        for folder in (home, moved_home(home)):
            if folder.exists():
                shutil.rmtree(folder)
    print(f"  Deleted {home}. The next `make run` begins afresh.")
    return 0


if __name__ == "__main__":
    sys.exit(finish(clean_data))
