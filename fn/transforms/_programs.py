"""Looking at a function as a Program, without running it: `trace` and `eval_type`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from fn.core import Program, Traced, public, split_arguments, trace_call
from fn.transforms._leaves import check_callable


def _trace(operation: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Traced:
    split = split_arguments(operation, function, args, kwargs)
    return trace_call(operation, function, args, kwargs, split)


def trace(function: Callable[..., Any]) -> Callable[..., Program]:
    """A function that gives the Program `function` is at the types of its arguments.

    Args:
        function: of arrays and pytrees.

    Returns:
        A function of arrays, or of types (`fn.ArrayType`, `jax.ShapeDtypeStruct`) in their place,
        that returns a `Program`. Asking for a value inside raises `ConcretizationError`.

    >>> import fn, fn.numpy as np
    >>> print(fn.trace(lambda x: x * 2.0)(np.ones(3)))
    program @_lambda_(a: f32[3]) {
      b: f32[3] = mul a 2.0:f32[]
      return b
    }
    """
    check_callable("trace", function)

    @wraps(function)
    @public
    def traced(*args: Any, **kwargs: Any) -> Program:
        return _trace("trace", function, args, kwargs).program

    return traced


def eval_type(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gives the types `function` would return, without computing anything.

    Args:
        function: of arrays and pytrees.

    Returns:
        A function of arrays or types, that returns the result's tree with an `ArrayType` for each
        array.

    >>> import fn, fn.numpy as np
    >>> fn.eval_type(np.dot)(np.ones((2, 3)), np.ones(3))
    f32[2]
    """
    check_callable("eval_type", function)

    @wraps(function)
    @public
    def types(*args: Any, **kwargs: Any) -> Any:
        traced = _trace("eval_type", function, args, kwargs)
        return traced.rebuild(traced.program.out_types)

    return types
