"""The pytest plug-in: functions marked with `fn.testing.identities` become test items.

It is installed as a module of its own, `fn_pytest_plugin`, that imports nothing of fn: pytest reads it in
every session on this machine, whether the tests have to do with fn or not.
"""

from __future__ import annotations

from typing import Any

import pytest

_MARK = "__fn_identities__"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--fn-examples` and `--fn-seed`."""
    group = parser.getgroup("fn", "identities of fn's transforms")
    group.addoption(
        "--fn-examples", type=int, default=1, metavar="N",
        help="random arguments per function marked with fn.testing.identities (1)",
    )  # fmt: skip
    group.addoption(
        "--fn-seed", type=int, default=0, metavar="SEED", help="seed of these arguments (0)"
    )


def _marked(obj: object) -> Any:
    # Only what a function holds itself: objects that invent attributes are not asked.
    try:
        return vars(obj).get(_MARK)
    except TypeError:
        return None


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> Any:
    """An item for a marked function, instead of what its name would make of it."""
    marked = _marked(obj)
    if marked is None:
        return None
    return IdentitiesItem.from_parent(collector, name=name, marked=marked)


class IdentitiesItem(pytest.Item):
    """The check of one marked function."""

    def __init__(self, *, marked: Any, **options: Any) -> None:
        super().__init__(**options)
        self.marked = marked

    def runtest(self) -> None:
        """Check the identities at as many arguments as asked for."""
        seed: int = self.config.getoption("--fn-seed")
        report = self.marked.run(self.config.getoption("--fn-examples"), seed)
        self.add_report_section("call", "fn identities", str(report))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The message alone, where it says everything."""
        error = excinfo.value
        if type(error).__name__ != "IdentityError":
            return super().repr_failure(excinfo, style)
        report = getattr(error, "report", None)
        return str(error) if report is None else f"{error}\n\n{report}"

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where the function is."""
        code = getattr(self.marked.function, "__code__", None)
        line = None if code is None else code.co_firstlineno - 1
        return self.path, line, f"{self.name}: identities"
