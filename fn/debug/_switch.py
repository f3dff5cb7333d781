"""`checks`: the switch of `fn.check`."""

from __future__ import annotations

from typing import Any

from fn.core import checks as _checks


class checks:
    """Switch `fn.check` on or off: for good, or, in a `with` statement, for the time of it.

    Functions compiled with checks are kept beside those without. `FN_CHECKS=1` in the environment
    switches them on from the start.

    Args:
        on: whether checks are made. In a `with` statement that concerns the running thread, else all.

    >>> import fn
    >>> with fn.debug.checks(True):
    ...     fn.check(True, "all is well")
    """

    def __init__(self, on: bool = True) -> None:
        self._on, self._before = bool(on), _checks.get_global()
        self._inside: list[Any] = []
        self._for_good = True
        _checks.set_global(self._on)

    def __enter__(self) -> checks:
        if self._for_good:  # it was not, as it turns out
            _checks.set_global(self._before)
            self._for_good = False
        context = _checks(self._on)
        context.__enter__()
        self._inside.append(context)
        return self

    def __exit__(self, *error: Any) -> None:
        self._inside.pop().__exit__(*error)
