"""`custom_jvp` and `custom_vjp`: the calling conventions of JAX, for code that comes from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from typing import Any

from jax.tree_util import tree_map

from fn.control._custom import Custom
from fn.control._custom_rules import Rules
from fn.core import ArgumentError, MissingRuleError, function_name, public
from fn.ops import add


class _Ported:
    """A custom function some of whose arguments are declared to have no derivative."""

    def __init__(
        self, function: Callable[..., Any], nondiff_argnums: int | Sequence[int] = ()
    ) -> None:
        update_wrapper(self, function)
        numbers = (nondiff_argnums,) if isinstance(nondiff_argnums, int) else nondiff_argnums
        self._nondiff = tuple(sorted(numbers))
        if any(n < 0 for n in self._nondiff):
            raise ArgumentError(
                f"{type(self).__name__}: nondiff_argnums counts from the end",
                expected="positions from 0", got=str(nondiff_argnums),
            )  # fmt: skip
        self._custom = Custom(function, Rules())
        self._defined = False

    def __fn_environment__(self) -> list[Any]:
        return [self._custom]

    def __get__(self, instance: Any, owner: Any) -> Any:
        return self if instance is None else partial(self, instance)

    def __repr__(self) -> str:
        return f"<fn.{type(self).__name__} of {function_name(self._custom._function)}>"

    @public
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._defined:
            kind = type(self).__name__
            raise MissingRuleError(
                f"{kind} {function_name(self._custom._function)}: it has no rule yet",
                fix=f"call def{kind.removeprefix('custom_')} first",
            )
        return self._custom(*args, **kwargs)

    def _apart(self, args: Sequence[Any]) -> tuple[list[Any], tuple[Any, ...]]:
        """The arguments without a derivative, and the others."""
        first = [args[n] for n in self._nondiff]
        return first, tuple([a for i, a in enumerate(args) if i not in self._nondiff])


class custom_jvp(_Ported):
    """A function with a jvp rule, as `jax.custom_jvp`. New code has `fn.custom`.

    Args:
        function: of arrays and pytrees.
        nondiff_argnums: positions of arguments passed to the rule ahead of the others; their tangents
            are dropped.

    >>> import fn, fn.numpy as np
    >>> @fn.custom_jvp
    ... def f(x, y):
    ...     return np.sin(x) * y
    >>> @f.defjvp
    ... def f_jvp(primals, tangents):
    ...     (x, y), (dx, dy) = primals, tangents
    ...     return f(x, y), np.cos(x) * dx * y + np.sin(x) * dy
    >>> float(fn.grad(f)(0.0, 2.0))
    2.0
    """

    def defjvp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Set the rule, `(*nondiff, primals, tangents) -> (output, tangent)`; also a decorator."""

        def jvp(primals: Any, tangents: Any) -> Any:
            first, args = self._apart(primals)
            return rule(*first, args, self._apart(tangents)[1])

        self._custom.jvp(jvp)
        self._defined = True
        return rule

    def defjvps(self, *rules: Callable[..., Any] | None) -> None:
        """Set one rule per argument, `(tangent, output, *primals) -> tangent`, None for zero."""
        if self._nondiff:
            raise ArgumentError(
                "custom_jvp: defjvps does not go with nondiff_argnums",
                expected="defjvp", got=f"nondiff_argnums={self._nondiff}",
            )  # fmt: skip

        def jvp(primals: Any, tangents: Any) -> Any:
            out = self(*primals)
            pieces = [
                rule(tangent, out, *primals)
                for rule, tangent in zip(rules, tangents, strict=True)
                if rule is not None and tangent is not None
            ]
            if not pieces:
                return out, None
            total = pieces[0]
            for piece in pieces[1:]:
                total = tree_map(add, total, piece)
            return out, total

        self._custom.jvp(jvp)
        self._defined = True


class custom_vjp(_Ported):
    """A function with a vjp rule, as `jax.custom_vjp`. New code has `fn.custom`.

    Args:
        function: of arrays and pytrees.
        nondiff_argnums: positions of arguments passed to the backward half ahead of the others; it
            gives no cotangents for them.

    >>> import fn, fn.numpy as np
    >>> @fn.custom_vjp
    ... def f(x, y):
    ...     return np.sin(x) * y
    >>> f.defvjp(lambda x, y: (f(x, y), (np.cos(x), np.sin(x), y)),
    ...          lambda res, ct: (res[0] * ct * res[2], res[1] * ct))
    >>> float(fn.grad(f)(0.0, 2.0))
    2.0
    """

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        """Set the two halves: `(*args) -> (output, residuals)` and
        `(*nondiff, residuals, cotangent) -> cotangents`, a tuple for the other arguments."""

        def first(*args: Any, **kwargs: Any) -> Any:
            values = self._custom._signature.bind(args, kwargs)[0]
            out, residuals = forward(*args, **kwargs)
            return out, (self._apart(values)[0], len(values), residuals)

        def second(kept: Any, ct: Any) -> Any:
            nondiff, count, residuals = kept
            found = backward(*nondiff, residuals, ct)
            if not isinstance(found, (tuple, list)) or len(found) != count - len(nondiff):
                return found  # the error of `custom` says what is wrong
            left = iter(found)
            return tuple([None if i in self._nondiff else next(left) for i in range(count)])

        self._custom.vjp(first, second)
        self._defined = True
