"""The examples in docstrings run."""

import doctest
from types import ModuleType

import pytest

from features import rhythm, seen, tiles


@pytest.mark.parametrize("module", [rhythm, seen, tiles], ids=lambda module: module.__name__)
def test_examples_hold(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
