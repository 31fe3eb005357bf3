"""Settings of all tests."""

import os

import pytest
from hypothesis import settings

from patterns._kit.cards import check_datasets
from patterns._kit.workers import keep_compiled

# A test process shares the cores with others; results must not depend on how many there are.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

keep_compiled()
check_datasets()

# The same code gets the same verdict; --hypothesis-seed=N looks at other examples.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How much of the recorded evidence is measured again."""
    help_text = "how many of the five recorded seeds to reproduce (default 2)"
    parser.addoption("--seeds", type=int, choices=range(1, 6), default=2, help=help_text)
