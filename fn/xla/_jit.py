"""`jit`: compile a function with XLA; under a trace, one `call` equation to a shared Program."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from typing import Any

import jax
from jax.tree_util import tree_flatten, tree_map

from fn.control import call
from fn.core import (
    ArgumentError,
    Arguments,
    ArrayType,
    FnError,
    Traced,
    Tracer,
    check_open,
    context,
    evaluating,
    function_name,
    hide_frames,
    split_arguments,
    trace_call,
)
from fn.xla._aot import Lowered, TracedCall
from fn.xla._checked import run_checked, settled
from fn.xla._dispatch import run
from fn.xla._history import History, TraceRecord
from fn.xla._python import raised_inside
from fn.xla._static import Static, unwrap, wrap


class _Recapture(Exception):
    """The function captured arrays that were not passed as hidden arguments; call again with them."""


class _Failure:
    """Carries an error to the one frame of ours that its traceback shows."""

    def __init__(self, error: Exception) -> None:
        self.error = error


class Jit:
    """What `fn.jit` returns: a compiled function. See `jit`."""

    def __init__(
        self, function: Callable[..., Any], static_argnums: tuple[int, ...], static_argnames: tuple[str, ...],
        options: dict[str, Any], outline: bool = True,
    ) -> None:  # fmt: skip
        update_wrapper(self, function)
        self._function = function
        self._options = options
        self._run = partial(run, outline=outline)
        self._static_argnums, self._static_argnames = static_argnums, static_argnames
        # Arrays the function closes over, passed as a hidden first argument of the compiled function
        # instead of being baked into it.
        self._captured: tuple[Any, ...] = ()
        self._mixed = False  # whether arguments have static leaves, which must be wrapped first
        self._static_out = False  # whether results have static leaves
        self._latest: tuple[Any, Traced] | None = None
        self._compiled: dict[Any, Callable[..., Any]] = {}
        self._history = History(function)
        shardings = options.get("in_shardings")
        self._per_length = shardings is not None and not isinstance(shardings, (tuple, list))
        self._inner = _Unstatic(function)
        self._fast = self._slow if self._per_length else self._entry(0)

    def __fn_environment__(self) -> list[Any]:
        return [self._function, self._static_argnums, self._static_argnames]

    def __get__(self, instance: Any, owner: Any) -> Any:
        """Binds like a function, so that methods can be jitted; `self` must be a pytree or static."""
        return self if instance is None else partial(self, instance)

    def __repr__(self) -> str:
        return f"<fn.jit of {getattr(self, '__qualname__', self._function)}>"

    # --- calling ---

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if context.trace is None:
            fast = self._fast
            try:
                result = fast(*args, **kwargs)
                if self._fast is fast:
                    return result
                # This call traced, and found that results have static leaves or checks.
                return self._finished(result)
            except Exception as error:
                result = self._recover(error, args, kwargs)
        else:
            result = self._call_traced(args, kwargs)
        if isinstance(result, _Failure):
            raise hide_frames(result.error) from result.error.__cause__
        return result

    def _slow(self, *args: Any, **kwargs: Any) -> Any:
        """A call with static leaves among arguments or results, or with one sharding for all."""
        if self._mixed:
            args, kwargs = self._wrapped(args, kwargs)
        while True:
            try:
                result = self._entry(len(args))(*args, **kwargs)
            except _Recapture:
                continue
            return self._finished(result)

    def _finished(self, result: Any) -> Any:
        """What a call returns, from what the executable does."""
        result = settled(result)
        return unwrap(result) if self._static_out else result

    def _recover(self, error: Exception, args: Any, kwargs: Any) -> Any:
        """What to do when the fast path raised: pass captured arrays, wrap static leaves, or explain."""
        try:
            if isinstance(error, _Recapture):
                return self(*args, **kwargs)
            if isinstance(error, (TypeError, ValueError)) and not isinstance(error, FnError):
                for leaf in tree_flatten((args, kwargs))[0]:
                    if isinstance(leaf, Tracer):
                        check_open(leaf, f"jit({function_name(self._function)})")
                if self._has_static_leaves(args, kwargs):
                    self._mixed, self._fast = True, self._slow
                    return self._slow(*args, **kwargs)
        except Exception as final:
            return _Failure(final)
        inside = raised_inside(error)
        return _Failure(inside if isinstance(inside, Exception) else error)

    def _has_static_leaves(self, args: Any, kwargs: Any) -> bool:
        marked, named = self._mark(args, kwargs)
        return None in split_arguments("jit", self._function, marked, named).types

    # --- compiling ---

    def _entry(self, count: int) -> Callable[..., Any]:
        """What to call with `count` arguments: a `jax.jit`, given the captured arrays if there are any."""
        compiled = self._build(count)
        return partial(compiled, self._captured) if self._captured else compiled

    def _build(self, count: int) -> Callable[..., Any]:
        """The `jax.jit`: one in all, or one per number of arguments if one sharding is for all of them."""
        hidden = bool(self._captured)
        key = hidden, count if self._per_length else 0
        if key not in self._compiled:
            options = dict(self._options)
            if self._per_length:
                options["in_shardings"] = (options["in_shardings"],) * count
            if hidden:  # the captured arrays come first: positions move up by one
                for name in ("donate_argnums", "static_argnums"):
                    if name in options:
                        options[name] = tuple([n + 1 if n >= 0 else n for n in options[name]])
                if "in_shardings" in options:
                    options["in_shardings"] = (None, *options["in_shardings"])
            self._compiled[key] = jax.jit(self._body(hidden), **options)
        return self._compiled[key]

    def _body(self, hidden: bool) -> Callable[..., Any]:
        """The function given to `jax.jit`: trace to a Program, and bind it as one operation."""

        def body(*args: Any, **kwargs: Any) -> Any:
            passed: tuple[Any, ...] = ()
            if hidden:
                passed, *rest = args
                args = tuple(rest)
            args, kwargs = self._mark(args, kwargs)
            split = split_arguments("jit", self._function, args, kwargs)
            if self._latest is None:  # otherwise this is the same call again, with captured arrays
                self._history.note(split, len(self._captured))
            traced = self._trace(args, kwargs, split)
            place = {id(value): p for value, p in zip(self._captured, passed, strict=True)}
            captured = [place.get(id(value), value) for value in traced.program.captured]
            outs, wrap = run_checked(self._run, traced.program, [*split.arrays, *captured])
            if wrap is not None:
                self._take_checks()
            if traced.out_static:
                self._static_out = True
                self._fast = self._slow
            static = tuple([(position, Static(value)) for position, value in traced.out_static])
            result = traced._replace(out_static=static).rebuild(outs)
            return result if wrap is None else wrap(result)

        update_wrapper(body, self._function)
        del body.__wrapped__  # type: ignore[attr-defined]  # JAX is to see the arguments there are
        try:
            own = inspect.signature(self._function)
            first = [inspect.Parameter("_captured", inspect.Parameter.POSITIONAL_ONLY)] * hidden
            parameters = [*first, *own.parameters.values()]
            body.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        except (TypeError, ValueError):
            pass  # a callable without a signature: names cannot be matched to positions
        return body

    def _take_checks(self) -> None:
        """From now on look at what comes beside the results."""
        placed = self._options.get("out_shardings")
        if placed is not None and not isinstance(placed, jax.sharding.SingleDeviceSharding):
            raise ArgumentError(
                "jit: out_shardings do not speak of what checks return beside the results",
                expected="no out_shardings while checks are on", got=type(placed).__name__,
                fix="switch checks off for this function: with fn.debug.checks(False)",
            )  # fmt: skip
        self._fast = self._slow

    def _trace(self, args: Any, kwargs: Any, split: Arguments) -> Traced:
        key = (split.tree, split.types, split.static)
        if self._latest is not None and self._latest[0] == key:
            traced = self._latest[1]
            self._latest = None
            return traced
        # The user's function must not see JAX's own tracing of this body: what it computes from
        # concrete arrays is to be concrete.
        with jax.ensure_compile_time_eval(), evaluating():
            traced = trace_call("jit", self._inner, args, kwargs, split)
        missing = [v for v in traced.program.captured if not self._knows(v)]
        if missing:
            self._latest = key, traced
            self._captured = (*self._captured, *missing)
            if self._fast != self._slow:
                self._fast = self._entry(0)
            raise _Recapture
        return traced

    def _knows(self, value: Any) -> bool:
        return isinstance(value, jax.core.Tracer) or any(value is known for known in self._captured)

    # --- static arguments ---

    def _static(self, args: Sequence[Any]) -> tuple[set[int], set[str]]:
        """Positions and names of the arguments declared static, in a call with these positionals."""
        positions = {n % len(args) for n in self._static_argnums if -len(args) <= n < len(args)}
        return positions, set(self._static_argnames)

    def _wrapped(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """The arguments with static leaves wrapped, except those `jax.jit` itself knows to be static."""
        split_arguments(
            "jit", self._function, *self._mark(args, kwargs)
        )  # says what is not hashable
        positions, names = self._static(args)
        wrapped = tuple([a if i in positions else wrap(a) for i, a in enumerate(args)])
        return wrapped, {k: v if k in names else wrap(v) for k, v in kwargs.items()}

    def _mark(self, args: Any, kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with those declared static in a `Static`, where tracing sees no leaves."""
        positions, names = self._static(args)
        if not positions and not names:
            return tuple(args), kwargs
        marked = [_marked(a, f"argument {i}") if i in positions else a for i, a in enumerate(args)]
        return tuple(marked), {k: _marked(v, k) if k in names else v for k, v in kwargs.items()}

    # --- under a trace ---

    def _call_traced(self, args: Any, kwargs: Any) -> Any:
        try:
            args, kwargs = self._mark(args, kwargs)
            split = split_arguments("jit", self._function, args, kwargs)
            traced = trace_call("jit", self._inner, args, kwargs, split)
            self._history.note(split, 0, traced.program)
            return traced.rebuild(call(traced.program, *split.arrays))
        except Exception as error:
            return _Failure(error)

    # --- ahead of time ---

    def trace(self, *args: Any, **kwargs: Any) -> TracedCall:
        """The Program of a call with these arguments (arrays or types), ready to be lowered."""
        try:
            marked, named = self._mark(args, kwargs)
            split = split_arguments("jit", self._function, marked, named)
            traced = trace_call("jit", self._inner, marked, named, split)
        except Exception as error:
            raise hide_frames(error) from error.__cause__
        return TracedCall(traced.program, lambda: self.lower(*args, **kwargs))

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """StableHLO for a call with these arguments (arrays or types), ready to be compiled."""
        try:
            if self._mixed or self._has_static_leaves(args, kwargs):
                self._mixed, self._fast = True, self._slow
                args, kwargs = self._wrapped(args, kwargs)
            args, kwargs = _as_struct(args), _as_struct(kwargs)
            while True:
                try:
                    first = (self._captured,) if self._captured else ()
                    lowered = self._build(len(args)).lower(*first, *args, **kwargs)  # type: ignore[attr-defined]
                    break
                except _Recapture:
                    continue
            return Lowered(lowered, first, self._mixed, self._static_out)
        except Exception as error:
            raise hide_frames(error) from error.__cause__

    def clear_cache(self) -> None:
        """Forget all compiled versions of this function, and the arrays it captured."""
        self._compiled.clear()
        self._history.cleared += 1
        self._captured = ()
        if self._fast != self._slow:
            self._fast = self._entry(0)


def traces(function: Any) -> list[TraceRecord] | None:
    """What a function that `jit` returned was traced for, oldest first; None for any other function."""
    function = function.func if isinstance(function, partial) else function
    return function._history.records() if isinstance(function, Jit) else None


class _Unstatic:
    """The user's function behind arguments that may be wrapped in `Static`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = unwrap((args, kwargs))
        return self._function(*args, **kwargs)

    def __fn_environment__(self) -> list[Any]:
        return [self._function]


def _both_ways(
    function: Callable[..., Any], nums: tuple[int, ...], names: tuple[str, ...]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Arguments declared by position or by name, by position and by name: callers choose either."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return nums, names
    only, either = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    own = [p.name for p in parameters if p.kind in (only, either)]
    named = {p.name for p in parameters if p.kind is not only}
    if not any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
        nums = tuple([n + len(own) if -len(own) <= n < 0 else n for n in nums])
    by_name = [own.index(name) for name in names if name in own]
    by_position = [own[n] for n in nums if 0 <= n < len(own) and own[n] in named]
    return tuple(dict.fromkeys([*nums, *by_name])), tuple(dict.fromkeys([*names, *by_position]))


def _marked(value: Any, name: str) -> Static:
    if isinstance(value, Static):
        return value
    if isinstance(value, Tracer) and value.shape == ():
        value = value.item()  # to an eager transform numbers are arrays whose value is known
    try:
        hash(value)
    except TypeError:
        raise ArgumentError(
            f"jit: static argument `{name}` is not hashable",
            expected="a value with __hash__ and __eq__",
            got=type(value).__name__,
            fix="pass a tuple instead of a list, or pass arrays without static_argnums",
        ) from None
    return Static(value)


def _as_struct(tree: Any) -> Any:
    """`tree` with fn's types as the ones JAX knows."""

    def convert(leaf: Any) -> Any:
        if isinstance(leaf, ArrayType):
            return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, weak_type=leaf.weak)
        return leaf

    return tree_map(convert, tree)


def jit(
    function: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    donate_argnums: int | Sequence[int] = (),
    donate_argnames: str | Sequence[str] = (),
    device: Any = None,
    in_shardings: Any = None,
    out_shardings: Any = None,
    keep_unused: bool = False,
    outline: bool = True,
) -> Any:
    """Compile `function` with XLA, once per types of its arguments.

    Every leaf of an argument that is an array or a number is traced; every other leaf must be
    hashable and is static by itself: strings, None, functions, enums. Under a trace (inside `grad`,
    `vmap`, another `jit`, …) a call is one equation that refers to a Program shared by all calls at
    the same types.

    Args:
        function: of arrays and pytrees; returns pytrees. Left out, `jit(**options)` is a decorator.
        static_argnums: positional arguments to treat as Python values; each must be hashable.
        static_argnames: the same by name.
        donate_argnums: positional arguments whose buffers the results may reuse; they are gone after.
        donate_argnames: the same by name.
        device: run on this `jax.Device`.
        in_shardings: a `jax.sharding.Sharding` for all arguments, or a tuple with one per argument.
        out_shardings: a sharding for the results, or a tree of them.
        keep_unused: pass unused arguments to the executable anyway.
        outline: whether runs of operations that repeat, the layers of a Python loop, may be compiled as
            calls of one function each. `FN_OUTLINE=0` in the environment says no for all functions.
            Inside another jitted function, the outermost one decides.

    Returns:
        A compiled function, with `.trace(...)`, `.lower(...).compile()` and `.clear_cache()`.

    Raises:
        ArgumentError: when called, for an argument that is neither an array nor hashable.
        ConcretizationError: when traced, if Python asks for the value of an argument.

    >>> import fn, fn.numpy as np
    >>> float(fn.jit(lambda x: (x * x).sum())(np.ones(3)))
    3.0
    """
    if function is None:
        return partial(
            jit, static_argnums=static_argnums, static_argnames=static_argnames,
            donate_argnums=donate_argnums, donate_argnames=donate_argnames, device=device,
            in_shardings=in_shardings, out_shardings=out_shardings, keep_unused=keep_unused,
            outline=outline,
        )  # fmt: skip
    if not callable(function):
        raise ArgumentError(
            "jit: the first argument is not a function", expected="a function",
            got=type(function).__name__, fix="write fn.jit(f)(x), not fn.jit(f(x))",
        )  # fmt: skip
    nums, names = _both_ways(function, _tuple(static_argnums, int), _tuple(static_argnames, str))
    options: dict[str, Any] = {
        "static_argnums": nums, "static_argnames": names,
        "donate_argnums": _tuple(donate_argnums, int), "donate_argnames": _tuple(donate_argnames, str),
        "in_shardings": in_shardings, "out_shardings": out_shardings,
    }  # fmt: skip
    if device is not None:
        if in_shardings is not None or out_shardings is not None:
            raise ArgumentError(
                "jit: device and shardings exclude each other", expected="one of them", got="both",
            )  # fmt: skip
        placed = jax.sharding.SingleDeviceSharding(device)
        options["in_shardings"] = options["out_shardings"] = placed
    options = {name: value for name, value in options.items() if value not in (None, ())}
    if keep_unused:
        options["keep_unused"] = True
    return Jit(function, nums, names, options, outline)


def _tuple(value: Any, kind: type) -> tuple[Any, ...]:
    return (value,) if isinstance(value, kind) else tuple(value)
