"""`check`: what has to hold, also where nothing can raise.

In a compiled program a check becomes an output: whether it failed, in which round of which loop and for
which entry of a `vmap`, and the values its message wants. The caller looks at one boolean.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fn.control._derive import derived
from fn.control._extend import COUNT, Frame, How, Site, by_site, extend
from fn.control._host import shown
from fn.core import (
    ArgumentError,
    ArrayType,
    CheckError,
    Equation,
    Primitive,
    Program,
    TypeRuleError,
    bind,
    checks,
    constant,
    current_source,
    evaluate,
    public,
    type_of,
)
from fn.ops import (
    add,
    argmax,
    convert,
    dynamic_slice,
    logical_and,
    logical_not,
    logical_or,
    move_axis,
    reduce_or,
    reshape,
    select,
)

BOOL = ArrayType((), np.bool_)
_FEW = 20
_PLAIN = (bool, int, float, complex, str, type(None))


# --- check ------------------------------------------------------------------------------
@public
def check(pred: Any, message: str, *args: Any, **kwargs: Any) -> None:
    """Raise `CheckError` with this message unless `pred` holds, wherever it is computed.

    Checks are off, and then this does nothing and records nothing, until they are switched on by
    `fn.debug.checks(True)`, as a context manager or for good, or by `FN_CHECKS=1` in the environment.
    Under `fn.jit` the call of the compiled function raises once it is done; under `fn.grad`, `fn.vmap`,
    in loops and in branches that are taken checks are made as well. The error says which came first, its
    iteration (counted from 0; of a scan, the index of its entry), and the index in the batch.

    Args:
        pred: boolean scalar.
        message: may have fields for `args` and `kwargs`, as in `str.format`.
        args: arrays and numbers that the message shows.
        kwargs: likewise, by name.

    Raises:
        CheckError: if `pred` does not hold.
        ArgumentError: if `pred` is not a boolean scalar, or the message does not fit its arguments.

    >>> import fn, fn.numpy as np
    >>> def f(x):
    ...     fn.check(x >= 0.0, "{} has no root", x)
    ...     return np.sqrt(x)
    >>> with fn.debug.checks(True):
    ...     try:
    ...         fn.jit(fn.vmap(f))(np.array([4.0, -1.0]))
    ...     except fn.CheckError as error:
    ...         print(error.message, "at", error.inside)
    -1.0 has no root at batch index (1,)
    """
    if not checks.value:
        return
    kind = type_of(pred)
    if kind is None or kind.shape != () or kind.dtype != np.bool_:
        raise ArgumentError(
            "check: the predicate is not a boolean scalar", expected="bool[]",
            got=str(kind or type(pred).__name__),
            fix="reduce it with .all() or .any()" if kind is not None and kind.shape else "compare it",
        )  # fmt: skip
    if pred is True:
        return
    text, arrays = template(message, args, kwargs)
    bind(check_p, pred, *arrays, message=text, where=str(current_source()))


def template(message: str, args: Any, kwargs: Any) -> tuple[str, list[Any]]:
    """`message` with what is known filled in and numbered fields for arrays, and these arrays."""
    formatter = string.Formatter()
    arrays: list[Any] = []
    parts: list[str] = []
    counted = 0
    try:
        for text, name, spec, conversion in formatter.parse(message):
            parts.append(_literal(text))
            if name is None:
                continue
            if name[:1] in ("", ".", "["):  # a field without a number is the next one
                name, counted = f"{counted}{name}", counted + 1
            value, _ = formatter.get_field(name, args, kwargs)
            spec = formatter.vformat(spec or "", args, kwargs)
            if isinstance(value, _PLAIN) or type_of(value) is None:
                shown = formatter.convert_field(value, conversion)
                parts.append(_literal(formatter.format_field(shown, spec)))
                continue
            marks = (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            parts.append(f"{{{len(arrays)}{marks}}}")
            arrays.append(value)
    except (LookupError, AttributeError, ValueError, TypeError) as error:
        raise ArgumentError(
            "check: the message does not fit its arguments",
            expected=f"values for the fields of {message!r}",
            got=f"{len(args)} by position, {', '.join(kwargs) or 'none'} by name ({error})",
        ) from None
    return "".join(parts), arrays


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def filled(message: str, values: Sequence[Any]) -> str:
    """The message with values in it; large arrays are shown in part."""
    with np.printoptions(threshold=_FEW, edgeitems=3):
        return message.format(*[shown(np.asarray(v)) for v in values])


def _check_type(pred: ArrayType, *types: ArrayType, message: str, where: str) -> tuple[()]:
    if pred.dtype != np.bool_:
        raise TypeRuleError("check: the predicate is not boolean", expected="bool[]", got=str(pred))
    return ()


def _check_batch(axis: Any, args: Any, dims: Any, **params: Any) -> tuple[Any, Any]:
    moved = [a if d is None else move_axis(a, d, 0) for a, d in zip(args, dims, strict=True)]
    return bind(check_p, *moved, **params), ()


def _check_eager(pred: Any, *args: Any, message: str, where: str) -> tuple[()]:
    if not np.asarray(pred).all():
        raise CheckError(filled(message, args), where=where)
    return ()


check_p = Primitive(
    name="check", type=_check_type, jvp=constant,
    transpose="it looks at a tangent, and reverse mode never computes any", batch=_check_batch,
    lower="nothing in an executable can raise: what runs it looks at `failures` of the program",
    eager=_check_eager, multiple=True, effect="check",
)  # fmt: skip


# --- failures ---------------------------------------------------------------------------


class _Level(NamedTuple):
    """A loop or a batch around a check."""

    kind: str
    where: str | None = None

    @property
    def is_loop(self) -> bool:
        return self.kind != "batch"


class _Check(NamedTuple):
    """What is known of a check: with its values come whether it failed, and an index per level."""

    message: str
    where: str
    levels: tuple[_Level, ...] = ()
    """Outermost first."""


class _Failures(How):
    effects = frozenset({"check"})
    stacks = False

    def leaf(self, frame: Frame, equation: Equation, args: list[Any]) -> Sequence[Any]:
        pred, *values = args
        types = tuple([a.type for a in equation.inputs[1:]])
        site = Site(_Check(**equation.params), (BOOL, *types))
        if pred.ndim:
            pred = logical_not(reduce_or(logical_not(pred), axes=tuple(range(pred.ndim))))
        frame.find(site, [logical_not(pred), *values])
        return ()

    def enter(self, site: Site, kind: str, equation: Equation) -> Site:
        level = _Level(kind, None if equation.source is None else str(equation.source))
        return _within(site, level, site.types[1:])

    def fold(self, old: list[Any], new: list[Any], step: Any) -> list[Any]:
        first = logical_and(new[0], logical_not(old[0]))
        changed = [select(first, n, o) for n, o in zip([step, *new[1:]], old[1:], strict=True)]
        return [logical_or(old[0], new[0]), *changed]

    def across(
        self, site: Site, size: int, start: int, values: list[Any]
    ) -> tuple[Site, list[Any]]:
        failed = values[0]
        lane = argmax(convert(failed, dtype=np.int32), axis=0)
        own = [_entry(v, lane) for v in values[1:]]
        index = add(lane, np.int32(start)) if start else lane
        site = _within(site, _Level("batch"), site.types[1:])
        return site, [reduce_or(failed, axes=(0,)), index, *own]


def _within(site: Site, level: _Level, types: tuple[ArrayType, ...]) -> Site:
    what = site.what._replace(levels=(level, *site.what.levels))
    return Site(what, (BOOL, COUNT, *types))


def _entry(x: Any, i: Any) -> Any:
    shape = x.shape[1:]
    found = dynamic_slice(x, i, *[np.int32(0)] * len(shape), sizes=(1, *shape))
    return reshape(found, shape=shape)


def failures(program: Program) -> tuple[Program, tuple[Site, ...]]:
    """`program`, closed, with its checks made outputs. To be compiled, not transformed.

    Returns:
        A Program that gives its own outputs, whether any check failed, and what `failure` wants; and
        the places of the checks, for `failure` as well.
    """
    count = len(program.outputs)
    inner = extend(program.closed(), _Failures())

    def run(*args: Any) -> list[Any]:
        results = evaluate(inner.program, args)
        found = results[count:]
        failed: Any = np.bool_(False)
        for values in by_site(inner.found, found):
            failed = logical_or(failed, values[0])
        return [*results[:count], failed, *found]

    return derived(program, ("failures",), run, program.in_types, program.name), inner.found


def failure(sites: Sequence[Site], values: Sequence[Any]) -> CheckError:
    """The error for the check that failed first, of which one at least did."""
    failed = [
        (site.what, found[1:])
        for site, found in zip(sites, by_site(sites, list(values)), strict=True)
        if bool(found[0])
    ]
    first, found = failed[0]
    for check, others in failed[1:]:
        if _before(check, others, first, found):
            first, found = check, others
    depth = len(first.levels)
    indices = [int(i) for i in found[:depth]]
    inside = _place(first.levels, indices)
    return CheckError(filled(first.message, found[depth:]), inside=inside, where=first.where)


def _before(a: _Check, in_a: Sequence[Any], b: _Check, in_b: Sequence[Any]) -> bool:
    """Whether `a`, which stands after `b` in the program, failed in an earlier round of the same loop."""
    for i, (own, other) in enumerate(zip(a.levels, b.levels, strict=False)):
        if own != other:
            return False
        if own.is_loop and int(in_a[i]) != int(in_b[i]):
            return int(in_a[i]) < int(in_b[i])
    return False


def _place(levels: Sequence[_Level], indices: Sequence[int]) -> str | None:
    parts = []
    for level, index in zip(levels, indices, strict=True):
        if level.is_loop:
            where = level.where or current_source()
            parts.append(f"iteration {index} of the {level.kind} at {where}")
    batch = tuple([i for level, i in zip(levels, indices, strict=True) if not level.is_loop])
    if batch:
        parts.append(f"batch index {batch}")
    return ", ".join(parts) or None
