"""The packages that only this room uses, or an error that names the extra they come with."""

from __future__ import annotations

from fn.core import FnError


class MissingExtraError(FnError, ImportError):
    """A room needs packages that are not installed."""


try:
    from hypothesis import HealthCheck as HealthCheck
    from hypothesis import given as given
    from hypothesis import seed as hypothesis_seed
    from hypothesis import settings as settings
    from hypothesis import strategies as strategies
    from hypothesis.extra import numpy as array_strategies
    from hypothesis.vendor import pretty as pretty
    from rich import box as box
    from rich.console import Console as Console
    from rich.progress import Progress as Progress
    from rich.table import Table as Table
    from rich.text import Text as Text
except ImportError as missing:
    raise MissingExtraError(
        "fn.testing: a package it needs is not installed",
        expected="hypothesis and rich",
        got=str(missing),
        fix="install the extra: pip install 'fn-transforms[testing]'",
    ) from missing

__all__ = [
    "Console", "HealthCheck", "MissingExtraError", "Progress", "Table", "Text", "array_strategies",
    "box", "given", "hypothesis_seed", "pretty", "settings", "strategies",
]  # fmt: skip
