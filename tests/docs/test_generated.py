"""The lists that the code knows best are as the code has them."""

import pytest

from tests.docs.generate import GENERATED, blocks, fresh
from tests.docs.pages import PAGES, named, read

MADE = [path for path in PAGES if blocks(read(path))]


@pytest.mark.parametrize("path", MADE, ids=named)
def test_a_generated_list_equals_the_code(path):
    text = read(path)
    assert fresh(text) == text, "run .venv/bin/python -m tests.docs.generate"


def test_every_list_stands_in_one_document():
    assert sorted(name for path in MADE for name in blocks(read(path))) == sorted(GENERATED)
