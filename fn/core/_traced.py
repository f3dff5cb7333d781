"""From a Python function and its arguments to a Program, once per function, environment and types."""

from __future__ import annotations

import gc
import inspect
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax

from fn.core._check import checked
from fn.core._dce import dce
from fn.core._environment import Snapshot, Unknowable, snapshot
from fn.core._errors import ArgumentError, FnError
from fn.core._infer import not_an_array
from fn.core._program import Program
from fn.core._source import state as _source_state
from fn.core._switches import checks
from fn.core._trace import Trace, Tracer, context, recording
from fn.core._tree import PyTreeDef, leaf_paths, tree_flatten, tree_unflatten
from fn.core._types import ArrayType, type_of, x64_enabled

_KEPT_PER_TYPES = 4
_KEPT = 512


class Arguments(NamedTuple):
    """Flattened arguments of a call: array leaves apart from static ones."""

    tree: PyTreeDef
    types: tuple[ArrayType | None, ...]
    """Per leaf: its type, or None for a static leaf."""
    static: tuple[Any, ...]
    """The leaves that are no arrays, in order."""
    arrays: list[Any]
    """The leaves that are arrays, scalars, tracers or types, in order."""


class Traced(NamedTuple):
    """A traced call: the Program over array leaves, and how to rebuild what the function returned."""

    program: Program
    out_tree: PyTreeDef
    out_static: tuple[tuple[int, Any], ...]
    """Leaves of the result that are no arrays, by position among all leaves."""

    def rebuild(self, arrays: Sequence[Any]) -> Any:
        """The function's result with these array leaves in it."""
        leaves = list(arrays)
        for position, value in self.out_static:
            leaves.insert(position, value)
        return tree_unflatten(self.out_tree, leaves)


def split_arguments(
    operation: str, function: Callable[..., Any], args: Any, kwargs: Any
) -> Arguments:
    """Flatten the arguments of a call to `function` into arrays and static leaves.

    Raises:
        ArgumentError: for a leaf that is neither an array nor hashable, by its path.
    """
    leaves, tree = tree_flatten((args, kwargs))
    types = tuple([type_of(leaf) for leaf in leaves])
    if None not in types:
        return Arguments(tree, types, (), leaves)
    static = []
    for position, (leaf, known) in enumerate(zip(leaves, types, strict=True)):
        if known is None:
            try:
                hash(leaf)
            except TypeError:
                path = argument_paths(function, args, kwargs)[position]
                if hasattr(leaf, "dtype"):
                    raise not_an_array(operation, f"argument `{path}`", leaf) from None
                raise ArgumentError(
                    f"{operation}: argument `{path}` is neither an array nor hashable",
                    expected="an array, a number, a registered pytree, or a hashable static value",
                    got=f"{type(leaf).__name__} at `{path}`",
                    fix="make it an array, register its class as a pytree, or give it __hash__ and __eq__",
                ) from None
            static.append(leaf)
    arrays = [leaf for leaf, known in zip(leaves, types, strict=True) if known is not None]
    return Arguments(tree, types, tuple(static), arrays)


def argument_paths(function: Callable[..., Any], args: Any, kwargs: Any) -> list[str]:
    """A path per leaf of the arguments, starting with the name of the parameter: `params/conv1/w`."""
    names: list[str] = []
    try:
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                names += [f"{parameter.name}[{i}]" for i in range(len(args) - len(names))]
            elif parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
                names.append(parameter.name)
    except (TypeError, ValueError):
        pass
    names += [f"argument {i}" for i in range(len(names), len(args))]
    paths: list[str] = []
    for name, arg in zip(names, args, strict=False):
        paths += leaf_paths(arg, name)
    for name in sorted(kwargs):
        paths += leaf_paths(kwargs[name], name)
    return paths


def array_paths(function: Callable[..., Any], args: Any, kwargs: Any) -> list[str]:
    """`argument_paths` of the array leaves only: one per input of the traced Program."""
    leaves = tree_flatten((args, kwargs))[0]
    paths = argument_paths(function, args, kwargs)
    return [path for path, leaf in zip(paths, leaves, strict=True) if type_of(leaf) is not None]


def _root(function: Any) -> tuple[Any, ...]:
    """What tells functions apart at a glance: the code of the function and of those it wraps."""
    chain = []
    while True:
        chain.append(getattr(function, "__code__", None) or type(function))
        inner = getattr(function, "__wrapped__", None) or getattr(function, "func", None)
        if inner is None or len(chain) > 20:
            return tuple(chain)
        function = inner


def function_name(function: Callable[..., Any]) -> str:
    """How messages and Programs call a function."""
    name: str = getattr(function, "__name__", type(function).__name__)
    return name


_cache: OrderedDict[Any, deque[tuple[Snapshot, Traced]]] = OrderedDict()


def clear_trace_cache() -> None:
    """Forget all remembered traces, and the arrays they captured.

    >>> import fn
    >>> fn.clear_trace_cache()
    """
    _cache.clear()


def axis_sizes() -> dict[Any, int]:
    """Sizes of the named axes in scope, innermost first."""
    sizes: dict[Any, int] = {}
    trace = context.trace
    while trace is not None:
        for name, size in trace.axes.items():
            sizes.setdefault(name, size)
        trace = trace.parent
    return sizes


def trace_call(
    operation: str,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    split: Arguments,
    *,
    types: Sequence[ArrayType] | None = None,
    values: Sequence[Any] | None = None,
    axes: dict[Any, int] | None = None,
) -> Traced:
    """Trace `function(*args, **kwargs)`, or find an earlier trace that still holds.

    Args:
        operation: who traces, for messages: `grad`, `jit`, …
        split: the flattened arguments.
        types: types of the inputs, if they differ from those of the arguments (as in `vmap`).
        values: values of the inputs that Python may look at while tracing.
        axes: named axes opened by this trace, name → size.
    """
    in_types = (
        tuple(types) if types is not None else tuple([t for t in split.types if t is not None])
    )
    where = tuple([t is None for t in split.types])
    statics = tuple([(type(v), v) for v in split.static])
    root = _root(function)
    scope = {**axis_sizes(), **(axes or {})}
    key = (
        root, split.tree, where, statics, in_types, tuple(scope.items()), x64_enabled(), checks.value,
    )  # fmt: skip
    seen: Snapshot | None
    try:
        seen = snapshot(function, split.static)
    except Unknowable:
        seen = None
    entries = _cache.get(key)
    if seen is not None and entries is not None:
        _cache.move_to_end(key)
        for known, traced in entries:
            if known == seen and all(map(_usable, traced.program.captured)):
                return traced

    label = f"{operation}({function_name(function)})"
    trace = Trace(label, lambda: array_paths(function, args, kwargs))
    trace.axes = axes or {}
    known_values = values if values is not None else [None] * len(in_types)
    tracers = iter([trace.input(t, v) for t, v in zip(in_types, known_values, strict=True)])
    statics_left = iter(split.static)
    leaves = [next(statics_left) if t is None else next(tracers) for t in split.types]
    with collection_paused(), recording(trace):
        _source_state.source = None
        call_args, call_kwargs = tree_unflatten(split.tree, leaves)
        result = function(*call_args, **call_kwargs)
        out_leaves, out_tree = tree_flatten(result)
        out_static = _static_leaves(label, out_leaves, result)
        skipped = {position for position, _ in out_static}
        outputs = [leaf for i, leaf in enumerate(out_leaves) if i not in skipped]
        program = checked(dce(trace.finish(outputs, function_name(function))))
    traced = Traced(program, out_tree, out_static)
    if not trace.asked:
        _remember(key, function, split.static, seen, traced)
    return traced


@contextmanager
def collection_paused() -> Iterator[None]:
    """Pause Python's cyclic garbage collection while a Program is made.

    Everything recorded is alive until the Program is done, so that collecting in between finds nothing;
    it walked through all of JAX's objects several times and took a third of the time of large traces.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _static_leaves(label: str, leaves: list[Any], result: Any) -> tuple[tuple[int, Any], ...]:
    found = []
    for position, leaf in enumerate(leaves):
        if type_of(leaf) is None:
            if hasattr(leaf, "dtype"):
                path = leaf_paths(result, "result")[position]
                raise not_an_array(label, f"`{path}`", leaf)
            found.append((position, leaf))
        elif isinstance(leaf, ArrayType):
            path = leaf_paths(result, "result")[position]
            raise not_an_array(label, f"`{path}`", leaf)
    return tuple(found)


def _remember(
    key: Any,
    function: Callable[..., Any],
    static: tuple[Any, ...],
    before: Snapshot | None,
    traced: Traced,
) -> None:
    # What counts is what the function sees once tracing is over: a function that counts its own
    # calls has changed its environment itself, and the trace holds until somebody else does.
    if before is None:
        return
    try:
        after = snapshot(function, static)
    except Unknowable:
        return
    _cache.setdefault(key, deque(maxlen=_KEPT_PER_TYPES)).appendleft((after, traced))
    while len(_cache) > _KEPT:
        _cache.popitem(last=False)


def _usable(value: Any) -> bool:
    """Whether a captured value can be used where we are now: arrays always, tracers while open."""
    if not isinstance(value, Tracer):
        return not isinstance(value, jax.core.Tracer)
    trace = context.trace
    while trace is not None and trace is not value._trace:
        trace = trace.parent
    return trace is not None and not trace.closed


def no_arrays_error(operation: str, got: str) -> FnError:
    """The error for a transform that found nothing to work on."""
    return ArgumentError(f"{operation}: no array argument", expected="at least one array", got=got)
