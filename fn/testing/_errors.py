"""What the checks of this room raise."""

from __future__ import annotations

from typing import Any

from fn.core import Equation, FnError, Source, from_source


class IdentityError(FnError, AssertionError):
    """An identity does not hold: which, where, for what input, and which equation is to blame.

    The message holds one number per side, never a whole array; the attributes hold the rest.

    >>> import fn
    >>> issubclass(fn.testing.IdentityError, AssertionError)
    True
    """

    identity: str
    """Name of the identity, as `transforms=` takes it."""
    equation: Equation | None
    """The first equation where the two evaluations part, if one was found."""
    source: Source | None
    """The line of the user's that the equation, or the rule at fault, comes from."""
    inputs: Any
    """The smallest input found for which the identity fails, in the structure that was given."""
    left: Any
    """All results of the one side."""
    right: Any
    """All results of the other side."""
    report: Any
    """The `Report` of all identities that were checked."""


def identity_error(
    what: str, *, expected: str, got: str, fix: str | None, source: Source | None, **facts: Any
) -> IdentityError:
    """An `IdentityError` that points at `source` rather than at the line that called the check."""
    with from_source(source):
        error = IdentityError(what, expected=expected, got=got, fix=fix)
    error.source = source
    for name in ("identity", "equation", "inputs", "left", "right", "report"):
        setattr(error, name, facts.get(name))
    return error
