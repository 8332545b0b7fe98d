"""The lists that the code knows best are as the code has them."""

import pytest

from tests.docs.generate import GENERATED, blocks, fresh
from tests.docs.pages import PAGES, named, read, same

MADE = [path for path in PAGES if blocks(read(path))]


@pytest.mark.parametrize("path", MADE, ids=named)
def test_a_generated_list_equals_the_code(path):
    text = read(path)
    assert fresh(text) == text, "run .venv/bin/python -m tests.docs.generate"


def test_every_list_stands_in_one_document():
    assert sorted(name for path in MADE for name in blocks(read(path))) == sorted(GENERATED)


def test_what_a_page_lacks_is_named():
    same(["a", "b"], {"b", "a"}, "docs/kelp.md")
    with pytest.raises(
        AssertionError, match=r"docs/kelp.md: add a line for \['c'\], take out \['b'\]"
    ) as refused:
        same(["a", "a", "b"], ["a", "c"], "docs/kelp.md")
    assert "said twice ['a']" in str(refused.value)
