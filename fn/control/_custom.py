"""`custom`: a function with derivatives, batching or a transpose of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from jax.tree_util import tree_flatten

from fn.control._custom_call import custom_call
from fn.control._custom_rules import Call, Rules, tracers_held
from fn.core import (
    ArgumentError,
    Arguments,
    ArrayType,
    FnError,
    Program,
    Snapshot,
    Traced,
    Tracer,
    Unknowable,
    Variable,
    argument_paths,
    axis_sizes,
    check_open,
    context,
    function_name,
    public,
    snapshot,
    split_arguments,
    trace_call,
    type_of,
    x64_enabled,
)

_KEPT = 64


class Custom:
    """What `fn.custom` returns: a function with rules of its own. See `custom`."""

    def __init__(self, function: Callable[..., Any], rules: Rules) -> None:
        update_wrapper(self, function)
        self._function, self._rules = function, rules
        self._signature = _Signature(function)
        # One object per way of calling, so that equal calls are equal equations.
        self._calls: dict[Any, tuple[Snapshot, Call]] = {}

    def __fn_environment__(self) -> list[Any]:
        return [self._function, *self._rules]

    def __get__(self, instance: Any, owner: Any) -> Any:
        """Binds like a function; the instance is the first argument, a pytree or hashable."""
        return self if instance is None else partial(self, instance)

    def __repr__(self) -> str:
        return f"<fn.custom of {getattr(self, '__qualname__', self._function)}>"

    # --- rules ---

    def jvp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator that sets the jvp rule."""
        self._set(jvp=rule)
        return rule

    def vjp(self, rule: Callable[..., Any], backward: Callable[..., Any] | None = None) -> Any:
        """Decorator that sets the vjp rule; called with two functions, the pair of them."""
        self._set(vjp=rule if backward is None else (rule, backward))
        return rule

    def vmap(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator that sets the vmap rule."""
        self._set(vmap=rule)
        return rule

    def transpose(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator that sets the transpose rule."""
        self._set(transpose=rule)
        return rule

    def _set(self, **rules: Any) -> None:
        _check_rules(function_name(self._function), rules)
        self._rules = self._rules._replace(**rules)
        self._calls.clear()

    # --- calling ---

    @public
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if context.trace is None:  # nothing is being transformed
            return self._function(*args, **kwargs)
        bound, fixed = self._signature.bind(args, kwargs)
        function = _Bound(self._function, self._signature)
        split = _split(function, bound, fixed)
        traced = trace_call("custom", function, bound, {}, split, values=split.arrays)
        held = [t for t in tracers_held(self._rules, split.static) if _is_open(t)]
        known = {id(v) for v in traced.program.captured}
        held = [t for t in held if id(t) not in known]
        program = _with_inputs(traced.program, held)
        closed_over = (*traced.program.captured, *held)
        call = self._call(function, bound, split, traced, program, closed_over, bool(held))
        return traced.rebuild(custom_call(program, call, *split.arrays, *closed_over))

    def _call(
        self,
        function: _Bound,
        bound: tuple[Any, ...],
        split: Arguments,
        traced: Traced,
        program: Program,
        closed_over: tuple[Any, ...],
        fresh: bool,
    ) -> Call:
        axes = axis_sizes()
        key: Any = (
            program, split.tree, split.types, split.static, traced.out_tree, traced.out_static,
            tuple(axes.items()), x64_enabled(),
        )  # fmt: skip
        # Tracers differ from call to call, and a rule that holds some is good for this call only.
        fresh = fresh or any(isinstance(v, Tracer) for v in closed_over)
        try:
            seen = None if fresh else snapshot(self, split.static)
        except Unknowable:
            seen = None
        if seen is not None:
            found = self._calls.get(key)
            if found is not None and found[0] == seen:
                return found[1]
        names = tuple(argument_paths(function, bound, {}))
        call = Call(
            self._rules, function_name(self._function), self._signature.unbind, names,
            split.tree.children()[0],
            tuple(zip([i for i, t in enumerate(split.types) if t is None], split.static, strict=True)),
            traced.out_tree, traced.out_static, program.in_types, program.out_types,
            len(split.arrays), closed_over, axes,
        )  # fmt: skip
        if seen is not None:
            if len(self._calls) >= _KEPT:
                self._calls.clear()
            self._calls[key] = seen, call
        return call


class _Signature:
    """How a call's arguments become one tuple, in the order of the parameters, and back."""

    def __init__(self, function: Callable[..., Any]) -> None:
        try:
            self.signature: inspect.Signature | None = inspect.signature(function)
        except (TypeError, ValueError):
            self.signature = None

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        """The arguments as a tuple, and which of them are defaults nobody passed."""
        if self.signature is None:
            return (*args, kwargs), [False] * (len(args) + 1)
        bound = self.signature.bind(*args, **kwargs)
        given = set(bound.arguments)
        bound.apply_defaults()
        values: list[Any] = []
        fixed: list[bool] = []
        for name, parameter in self.signature.parameters.items():
            value = bound.arguments[name]
            several = parameter.kind is inspect.Parameter.VAR_POSITIONAL
            values += value if several else [value]
            fixed += [name not in given] * (len(value) if several else 1)
        return tuple(values), fixed

    def unbind(self, values: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What `bind` was given, defaults filled in."""
        if self.signature is None:
            *first, named = values
            return tuple(first), dict(named)
        kinds = [p.kind for p in self.signature.parameters.values()]
        several = len(values) - len(kinds) + 1
        left = iter(values)
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for name, kind in zip(self.signature.parameters, kinds, strict=True):
            if kind is inspect.Parameter.VAR_POSITIONAL:
                args += [next(left) for _ in range(several)]
            elif kind is inspect.Parameter.KEYWORD_ONLY:
                kwargs[name] = next(left)
            elif kind is inspect.Parameter.VAR_KEYWORD:
                kwargs.update(next(left))
            else:
                args.append(next(left))
        return tuple(args), kwargs


class _Bound:
    """The user's function as one of the bound arguments."""

    def __init__(self, function: Callable[..., Any], signature: _Signature) -> None:
        update_wrapper(self, function)
        self._function, self._signature = function, signature
        own = signature.signature.parameters.values() if signature.signature else ()
        if own and not any(p.kind is p.VAR_POSITIONAL for p in own):  # all go by position here
            positional = [p.replace(kind=p.POSITIONAL_ONLY, default=p.empty) for p in own]
            self.__signature__ = inspect.Signature(positional)

    def __call__(self, *values: Any) -> Any:
        args, kwargs = self._signature.unbind(values)
        return self._function(*args, **kwargs)

    def __fn_environment__(self) -> list[Any]:
        return [self._function]


def _split(function: _Bound, bound: tuple[Any, ...], fixed: list[bool]) -> Arguments:
    """The leaves of the arguments: arrays, and those that stay as they are.

    Python integers and booleans have no derivative and are often sizes: they stay. So do defaults.
    """
    split = split_arguments("custom", function, bound, {})
    leaves: list[Any] = []
    types: list[ArrayType | None] = []
    for value, is_default in zip(bound, fixed, strict=True):
        for leaf in tree_flatten(value)[0]:
            stays = type(leaf) in (bool, int) or (is_default and isinstance(leaf, (float, complex)))
            leaves.append(leaf)
            types.append(None if stays else type_of(leaf))
    static = tuple([x for x, t in zip(leaves, types, strict=True) if t is None])
    arrays = [x for x, t in zip(leaves, types, strict=True) if t is not None]
    return Arguments(split.tree, tuple(types), static, arrays)


def _with_inputs(program: Program, held: list[Tracer]) -> Program:
    """`program`, closed, with more inputs that only the rules use."""
    closed = program.closed()
    if not held:
        return closed
    more = tuple([Variable(t.type) for t in held])
    return Program(closed.inputs + more, closed.equations, closed.outputs, (), closed.name)


def _is_open(tracer: Tracer) -> bool:
    try:
        check_open(tracer, "custom")
    except FnError:
        return False
    return True


def _check_rules(name: str, rules: dict[str, Any]) -> None:
    for kind, rule in rules.items():
        pair = kind == "vjp" and isinstance(rule, tuple) and len(rule) == 2
        if rule is not None and not callable(rule) and not (pair and all(map(callable, rule))):
            raise ArgumentError(
                f"custom {name}: its {kind} rule is not a function",
                expected="a function"
                + (", or a pair (forward, backward)" if kind == "vjp" else ""),
                got=type(rule).__name__,
            )


@public
def custom(
    function: Callable[..., Any] | None = None,
    *,
    jvp: Callable[..., Any] | None = None,
    vjp: Any = None,
    vmap: Callable[..., Any] | None = None,
    transpose: Callable[..., Any] | None = None,
) -> Any:
    """`function` with rules of its own for derivatives, batching and transposition.

    Rules see the arguments as one tuple, in the order of the parameters of `function`, whether they
    were passed by position or by name, with defaults filled in (`*args` spread, `**kwargs` as a last
    dict). What has a derivative is found by type: floating and complex arrays and Python floats do.
    Other arrays do not; Python integers and booleans, defaults nobody passed, and leaves that are no
    arrays reach the function and its rules as they are. In trees of tangents and cotangents, all of
    these are None.

    Args:
        function: of arrays and pytrees. May close over anything, values being traced included. What it
            closes over is differentiated as if there were no rules: rules speak of arguments.
        jvp: `(primals, tangents) -> (output, tangent)`. `tangents` is a tree like `primals`, with
            zeros where nothing moves. The tangent is a tree like the output, with None for zero; it
            must be linear in `tangents` for reverse mode to work.
        vjp: either `(*args, **kwargs) -> (output, pullback)`, called as `function` is, where
            `pullback(cotangent)` gives a tuple of cotangents, one per argument; or a pair
            `(forward, backward)` with `forward(*args, **kwargs) -> (output, residuals)`, any pytree,
            and `backward(residuals, cotangent)`. None, for an argument or a branch of it, is zero.
            Without `jvp`, forward mode raises.
        vmap: `(args, mapped, size) -> (output, mapped)`. `mapped` is a tree of booleans like `args`;
            arrays where it is true have the mapped axis first. The second result says the same of the
            output, and may be one boolean for a whole branch. It is not used where something the
            function closes over is mapped.
        transpose: `(args, cotangent) -> cotangents`, a tuple as for `vjp`. Arguments the function is
            linear in arrive as `Linear(type)`. Given without `jvp` and `vjp` it says that the
            function is linear in all its floating and complex arguments together.

    A rule (or `pullback`, or `backward`) with a parameter `needs` is told which derivatives are
    wanted: a tree like the arguments, true where an argument moves or its cotangent is used.

    Rules are traced: they see types, not values, and are run when a transform needs them.

    Returns:
        The function, with `.jvp`, `.vjp`, `.vmap`, `.transpose` as decorators that set rules. Called
        without a function, `custom(jvp=...)` is a decorator itself.

    Raises:
        TreeError, TypeRuleError: when transformed, for a rule whose results do not fit the function.
        MissingRuleError: in forward mode, with a vjp rule alone.

    >>> import fn, fn.numpy as np
    >>> @fn.custom
    ... def log1pexp(x):
    ...     return np.log(1.0 + np.exp(x))
    >>> @log1pexp.vjp
    ... def _(x):
    ...     return log1pexp(x), lambda ct: (ct / (1.0 + np.exp(-x)),)
    >>> float(fn.grad(log1pexp)(100.0))
    1.0
    """
    if function is None:
        return partial(custom, jvp=jvp, vjp=vjp, vmap=vmap, transpose=transpose)
    if not callable(function):
        raise ArgumentError(
            "custom: the first argument is not a function", expected="a function",
            got=type(function).__name__, fix="write fn.custom(f, jvp=rule)",
        )  # fmt: skip
    rules = {"jvp": jvp, "vjp": vjp, "vmap": vmap, "transpose": transpose}
    _check_rules(function_name(function), rules)
    return Custom(function, Rules(**rules))
