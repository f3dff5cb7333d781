"""The error family: each error says what failed, what was expected, what came, and what to do.

Errors carry type strings and paths, never array data, and name the user's own line.
"""

from __future__ import annotations

from fn.core._source import current_source


class FnError(Exception):
    """Base of every error `fn` raises on purpose.

    Args:
        what: the operation and what is wrong with it, in one sentence.
        expected: what would have been accepted.
        got: what came: type strings and paths, never data.
        fix: what to do about it.
        where: the user's line; by default the one being executed.
    """

    def __init__(
        self,
        what: str,
        *,
        expected: str | None = None,
        got: str | None = None,
        fix: str | None = None,
        where: str | None = None,
    ) -> None:
        self.what, self.expected, self.got, self.fix = what, expected, got, fix
        source = None if where else current_source()
        self.where = where if source is None else str(source)
        labelled = (("expected", expected), ("got", got), ("fix", fix), ("at", self.where))
        lines = [f"  {label + ':':<10}{text}" for label, text in labelled if text]
        super().__init__("\n".join([what, *lines]))


class TypeRuleError(FnError, TypeError):
    """An operation was given shapes or dtypes that it does not take."""


class ArgumentError(FnError, TypeError):
    """A public function was given an argument it cannot use."""


class ConcretizationError(FnError, TypeError):
    """Python asked for the value of an array that is known only by its type."""


class LeakError(FnError):
    """A tracer was used after the trace that made it had ended."""


class BatchError(FnError, ValueError):
    """`vmap` was given axes or sizes that do not fit together."""


class AxisNameError(FnError, NameError):
    """A collective named an axis that no enclosing `vmap` has."""


class TreeError(FnError, ValueError):
    """Two pytrees that must have the same structure do not."""


class MissingRuleError(FnError, NotImplementedError):
    """A primitive has no such rule, and says why."""


class MissingExtraError(FnError, ImportError):
    """Something needs a package that is not installed; the message names the extra that has it."""


class CheckError(FnError, AssertionError):
    """What `fn.check` was told holds does not.

    Args:
        message: the user's own, with values in it.
        inside: in which iteration and for which entry of a batch.
        where: the line of the check.
    """

    def __init__(
        self, message: str, *, inside: str | None = None, where: str | None = None
    ) -> None:
        self.message, self.inside = message, inside
        place = f"\n  {'in:':<10}{inside}" if inside else ""
        super().__init__(f"check: {message}{place}", where=where)


class ProgramError(FnError):
    """The checker found a Program that breaks the law."""


class ParseError(FnError, ValueError):
    """A text is not a Program."""

    line: int | None = None
    """The line of the text where it goes wrong, counted from one; None if no line is to blame."""


class ProgramFormatError(ParseError):
    """A file is not one that `Program.save` wrote."""
