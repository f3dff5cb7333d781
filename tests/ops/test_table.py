"""The table is complete: a primitive without a row is a primitive without tests."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter

import fn.control
import fn.ops
from fn.core import Primitive
from tests.ops.table import ROWS


def test_every_primitive_has_a_row() -> None:
    for room in (fn.ops, fn.control):
        for module in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            importlib.import_module(module.name)
    ours = {p for p in Primitive.named.values() if p.type.__module__.startswith("fn.")}
    without = sorted(p.name for p in ours - {row.primitive for row in ROWS})
    assert without == []


def test_rows_have_names_of_their_own() -> None:
    twice = [name for name, count in Counter(row.id for row in ROWS).items() if count > 1]
    assert twice == []
