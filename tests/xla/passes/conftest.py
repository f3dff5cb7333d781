"""What is evaluated to compare with must not go through the passes that are tested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fn.xla import _dispatch

_compiled: dict[Any, Any] = {}


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Equations that are evaluated are compiled as they are, loops too."""
    monkeypatch.setattr(_dispatch, "optimise", lambda program, *_, **options: program)
    monkeypatch.setattr(_dispatch, "_compiled", _compiled)
    yield
