"""Does what a document tells a reader to type: makes its files, applies its changes."""

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r'^```(python|diff) title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """One block: the whole text of a new file, or a change of one that is there."""

    language: str
    path: str
    text: str

    def apply(self, folder: Path) -> None:
        """Do it in a copy of the project; a change must fit in exactly one place."""
        path = folder / self.path
        if self.language == "python":
            assert not path.exists(), f"{self.path} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.text)
            return
        lines = self.text.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] != "+")
        after = "".join(line[1:] for line in lines if line[0] != "-")
        text = path.read_text()
        assert text.count(before) == 1, (
            f"docs/add-a-feature.md shows lines of {self.path} as they are not: {text.count(before)} places are like"
            f" this; write them in the document as they stand in the code now\n{before}"
        )
        path.write_text(text.replace(before, after))


def steps_of(text: str) -> list[Step]:
    """What a page, or a part of it, tells to type."""
    return [Step(*found) for found in FENCE.findall(text)]
