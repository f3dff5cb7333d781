"""Draws from the gamma distribution, and their derivatives by its shape.

The draws are JAX's own, Marsaglia and Tsang's method, so that a key gives the same bits. A draw is a
function of the shape through the distribution function, which stays: F(a, x(a)) is constant, so
dx/da = -(dF/da) / (dF/dx). Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients", 2018.
"""

from __future__ import annotations

from typing import Any

import jax
import ml_dtypes
import numpy as np

from fn.core import ArrayType, Primitive, bind, is_float, public
from fn.ops._elementwise import add, div, lt, mul, select, sub
from fn.ops._gamma import digamma
from fn.ops._incomplete import random_gamma_grad
from fn.ops._random import require_keys
from fn.ops._rules import Batched, jax_lowering, require, types_text
from fn.ops._shape import broadcast, move_axis
from fn.ops._special import exp
from fn.ops._table import like


# --- random_gamma -----------------------------------------------------------------------
@public
def random_gamma(key: Any, shape: Any, *, log_space: bool) -> Any:
    """Draws from the gamma distribution of scale 1, or their logarithms.

    Args:
        key: `u32[2]`; or with more axes in front, an array of keys.
        shape: the distribution's parameter, floating and positive. Its first axes are those of the
            keys; for each of them, the rest is drawn with that key.
        log_space: give logarithms, which do not underflow for small `shape`.

    >>> import fn, numpy as np
    >>> shape = np.float32([1, 2, 3])
    >>> fn.ops.random_gamma(fn.ops.threefry_seed(0), shape, log_space=False).shape
    (3,)
    """
    return bind(random_gamma_p, key, shape, log_space=log_space)


def _random_gamma_type(key: ArrayType, shape: ArrayType, *, log_space: bool) -> ArrayType:
    require_keys("random_gamma", key)
    keys = key.shape[:-1]
    require(
        is_float(shape.dtype) and shape.shape[: len(keys)] == keys,
        "random_gamma: the parameter does not fit the keys", got=types_text([key, shape]),
        expected="real floating numbers whose first axes are those of the keys",
    )  # fmt: skip
    return shape.strong()


def _random_gamma_jvp(t: Any, out: Any, key: Any, shape: Any, *, log_space: bool) -> Any:
    if not log_space:
        return mul(t, random_gamma_grad(shape, out))
    # Close to 0, F is x**a / gamma(a + 1) to within rounding, and its derivatives need no exp(out),
    # which would underflow.
    closest = like(float(np.log(ml_dtypes.finfo(shape.dtype).eps)) - 4.0, out)
    tiny = lt(out, closest)
    sample = exp(select(tiny, like(0.0, out), out))
    near = div(sub(digamma(add(shape, 1.0)), out), shape)
    return mul(t, select(tiny, near, div(random_gamma_grad(shape, sample), sample)))


def _random_gamma_batch(axis: Any, args: Any, dims: Any, *, log_space: bool) -> Batched:
    key, shape = (
        broadcast(a, shape=(axis.size, *np.shape(a)), axes=tuple(range(1, np.ndim(a) + 1)))
        if d is None
        else move_axis(a, d, 0)
        for a, d in zip(args, dims, strict=True)
    )
    return random_gamma(key, shape, log_space=log_space), 0


def _draw(key: Any, shape: Any, log_space: bool) -> Any:
    keys = jax.random.wrap_key_data(key, impl="threefry2x32")
    return jax.random.random_gamma_p.bind(keys, shape, log_space=log_space)


random_gamma_p = Primitive(
    name="random_gamma", type=_random_gamma_type, jvp=(None, _random_gamma_jvp), transpose="it is not linear",
    batch=_random_gamma_batch, lower=jax_lowering(_draw),
)  # fmt: skip
