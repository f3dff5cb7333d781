"""What a Program means, said by JAX alone: each primitive as a function of JAX, each transform as JAX's.

`python -m fn.testing --oracle tests.oracle:oracle` compares random Programs with this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fn.core import Literal, Program
from fn.testing import Grad, Jit, Jvp, Linearize, Remat, Stack, Vjp, Vmap
from tests.ops.rows_random import jax_threefry2x32_p
from tests.ops.rows_window import views

LA = lax.linalg


class NoOracle(Exception):
    """JAX has nothing to compare this primitive with."""


def evaluate(program: Program, args: Sequence[Any]) -> list[Any]:
    """The outputs of `program`, computed by JAX."""
    env = dict(zip(program.inputs, args, strict=True))

    def value(atom: Any) -> Any:
        return jnp.asarray(atom.value) if isinstance(atom, Literal) else env[atom]

    for equation in program.equations:
        inputs = [value(a) for a in equation.inputs]
        rule = TABLE.get(equation.primitive.name)
        if rule is None:
            raise NoOracle(equation.primitive.name)
        result = rule(*inputs, **equation.params)
        outs = result if equation.primitive.multiple else (result,)
        env.update(zip(equation.outputs, outs, strict=True))
    return [value(a) for a in program.outputs]


def _even(*xs: Any) -> tuple[Any, ...]:
    """Operands of one shape: scalars are spread over the others."""
    shape = max((x.shape for x in xs), key=len)
    return tuple(jnp.broadcast_to(x, shape) for x in xs)


def _spread(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *xs: function(*_even(*xs))


# --- elementwise ------------------------------------------------------------------------


def _convert(x: Any, *, dtype: Any, weak: bool) -> Any:
    if dtype == np.bool_:
        return x != 0
    if jnp.iscomplexobj(x) and dtype.kind != "c":
        x = x.real
    return lax.convert_element_type(x, dtype)


TABLE: dict[str, Callable[..., Any]] = {
    name: _spread(getattr(lax, ours))
    for name, ours in {
        **{n: n for n in ["add", "sub", "mul", "div", "rem", "neg", "abs", "sign", "floor", "ceil", "exp", "exp2", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "asin", "acos", "atan", "asinh", "acosh", "atanh", "atan2", "expm1", "log1p", "logistic", "sqrt", "rsqrt", "cbrt", "square", "erf", "erfc", "erf_inv", "lgamma", "digamma", "bessel_i0e", "bessel_i1e", "igamma", "igammac", "igamma_grad_a", "random_gamma_grad", "betainc", "zeta", "polygamma", "pow", "nextafter", "is_finite", "clamp", "eq", "ne", "lt", "le", "gt", "ge", "complex", "real", "imag", "shift_left", "shift_right_logical", "shift_right_arithmetic", "population_count", "stop_gradient"]},
        "maximum": "max", "minimum": "min", "count_leading_zeros": "clz",
        "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "not": "bitwise_not",
    }.items()
}  # fmt: skip
TABLE.update(
    round=lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN),
    round_away=lambda x: lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO),
    integer_pow=lambda x, exponent: lax.integer_pow(x, exponent),
    select=lambda p, x, y: jnp.where(p, x, y),
    convert=_convert,
    bitcast=lambda x, dtype: lax.bitcast_convert_type(x, dtype),
    reduce_precision=lambda x, exponent_bits, mantissa_bits: lax.reduce_precision(
        x, exponent_bits, mantissa_bits
    ),
    name=lambda x, name: x,
    optimization_barrier=lambda *xs: xs,
)

# --- arranging and reducing -------------------------------------------------------------


def _gather(x: Any, indices: Any, **p: Any) -> Any:
    numbers = lax.GatherDimensionNumbers(
        p["offset_axes"],
        p["collapsed_axes"],
        p["index_map"],
        p["x_batch_axes"],
        p["index_batch_axes"],
    )
    return lax.gather(
        x, indices, numbers, p["slice_sizes"], mode=_MODES[p["mode"]], fill_value=p["fill"],
        unique_indices=p["unique"], indices_are_sorted=p["sorted"],
    )  # fmt: skip


_MODES = {"fill": "fill", "clip": "clip", "promise": "promise_in_bounds"}


def _scatter(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(x: Any, indices: Any, updates: Any, **p: Any) -> Any:
        numbers = lax.ScatterDimensionNumbers(
            p["update_window_axes"], p["inserted_axes"], p["index_map"], p["x_batch_axes"],
            p["index_batch_axes"],
        )  # fmt: skip
        return function(
            x, indices, updates, numbers, mode=_MODES[p["mode"]], unique_indices=p["unique"],
            indices_are_sorted=p["sorted"],
        )  # fmt: skip

    return apply


def _starts(x: Any, sizes: Sequence[int], starts: Sequence[Any]) -> list[Any]:
    # JAX counts negative starts from the end; here they are clamped like all others.
    wide = [s.astype(np.int32) for s in starts]
    return [jnp.clip(s, 0, n - m) for s, n, m in zip(wide, x.shape, sizes, strict=True)]


def _dynamic_slice(x: Any, *starts: Any, sizes: Any) -> Any:
    return lax.dynamic_slice(x, _starts(x, sizes, starts), sizes)


def _dynamic_update_slice(x: Any, update: Any, *starts: Any) -> Any:
    return lax.dynamic_update_slice(x, update, _starts(x, update.shape, starts))


def _recurrence(a: Any, b: Any, *, axis: int, reverse: bool) -> Any:
    a, b = (jnp.moveaxis(x, axis, 0) for x in (a, b))
    rows: dict[int, Any] = {}
    h: Any = jnp.zeros(b.shape[1:], b.dtype)
    for i in range(len(b))[:: -1 if reverse else 1]:
        h = a[i] * h + b[i]
        rows[i] = h
    return jnp.moveaxis(jnp.stack([rows[i] for i in range(len(b))]), 0, axis) if rows else b


def _top_k(x: Any, *, k: int, axis: int) -> Any:
    return tuple(jnp.moveaxis(y, -1, axis) for y in lax.top_k(jnp.moveaxis(x, axis, -1), k))


TABLE.update(
    reshape=lambda x, shape: jnp.reshape(x, shape),
    transpose=lambda x, permutation: lax.transpose(x, permutation),
    broadcast=lambda x, shape, axes: lax.broadcast_in_dim(x, shape, axes),
    reverse=lambda x, axes: lax.rev(x, axes),
    slice=lambda x, starts, limits, strides: lax.slice(x, starts, limits, strides),
    pad=lambda x, value, low, high, interior: lax.pad(
        x, jnp.asarray(value, x.dtype), list(zip(low, high, interior, strict=True))
    ),
    concatenate=lambda *xs, axis: lax.concatenate(xs, axis),
    iota=lambda dtype, shape, axis: lax.broadcasted_iota(dtype, shape, axis),
    reduce_sum=lambda x, axes: jnp.sum(x, axes, dtype=x.dtype),
    reduce_prod=lambda x, axes: jnp.prod(x, axes, dtype=x.dtype),
    reduce_max=lambda x, axes: jnp.max(x, axes),
    reduce_min=lambda x, axes: jnp.min(x, axes),
    reduce_and=lambda x, axes: jnp.bitwise_and.reduce(x, axes),
    reduce_or=lambda x, axes: jnp.bitwise_or.reduce(x, axes),
    reduce_xor=lambda x, axes: lax.reduce(x, jnp.zeros((), x.dtype), lax.bitwise_xor, axes),
    argmax=lambda x, axis, dtype: lax.argmax(x, axis, dtype),
    argmin=lambda x, axis, dtype: lax.argmin(x, axis, dtype),
    cumsum=lambda x, axis, reverse: lax.cumsum(x, axis, reverse),
    cumprod=lambda x, axis, reverse: lax.cumprod(x, axis, reverse),
    cummax=lambda x, axis, reverse: lax.cummax(x, axis, reverse),
    cummin=lambda x, axis, reverse: lax.cummin(x, axis, reverse),
    cumlogsumexp=lambda x, axis, reverse: lax.cumlogsumexp(x, axis, reverse),
    linear_recurrence=_recurrence,
    sort=lambda *xs, axis, keys, stable: tuple(
        lax.sort(xs, dimension=axis, num_keys=keys, is_stable=stable)
    ),
    top_k=_top_k,
    gather=_gather,
    dynamic_slice=_dynamic_slice,
    dynamic_update_slice=_dynamic_update_slice,
    scatter_add=_scatter(lax.scatter_add),
    scatter_set=_scatter(lax.scatter),
    scatter_mul=_scatter(lax.scatter_mul),
    scatter_min=_scatter(lax.scatter_min),
    scatter_max=_scatter(lax.scatter_max),
)

# --- windows ----------------------------------------------------------------------------


def _views(x: Any, fill: Any, p: Any) -> Any:
    """`views`, which is nothing where no window fits."""
    spans = [(n - 1) * d + 1 for n, d in zip(p["window"], p["w_dilation"], strict=True)]
    sizes = [
        max(n - 1, 0) * d + (n > 0) + low + high
        for n, d, (low, high) in zip(x.shape, p["x_dilation"], p["padding"], strict=True)
    ]
    if all(size >= span for size, span in zip(sizes, spans, strict=True)):
        return views(x, fill, p)
    counts = zip(sizes, spans, p["strides"], strict=True)
    shape = [max(0, (n - span) // s + 1) for n, span, s in counts]
    return jnp.zeros((int(np.prod(p["window"])), *shape), x.dtype)


def _window_argmax(x: Any, *, largest: bool, **p: Any) -> Any:
    seen = _views(x, -np.inf if largest else np.inf, p)
    return (seen.argmax(0) if largest else seen.argmin(0)).astype(np.int32)


def _window_extreme(largest: bool) -> Callable[..., Any]:
    # The derivative goes to the first of equal elements.
    def apply(x: Any, **p: Any) -> Any:
        seen = _views(x, -np.inf if largest else np.inf, p)
        where = _window_argmax(lax.stop_gradient(x), largest=largest, **p)
        return jnp.take_along_axis(seen, where[None], 0)[0]

    return apply


def _window_pick(x: Any, where: Any, **p: Any) -> Any:
    return jnp.take_along_axis(_views(x, 0, p), where[None], 0)[0]


def _window_scatter(y: Any, where: Any, *, shape: Any, **p: Any) -> Any:
    zeros = jnp.zeros(shape, y.dtype)
    return jax.linear_transpose(lambda x: _window_pick(x, where, **p), zeros)(y)[0]


TABLE.update(
    reduce_window_sum=lambda x, **p: _views(x, 0, p).sum(0),
    reduce_window_max=_window_extreme(True),
    reduce_window_min=_window_extreme(False),
    window_argmax=_window_argmax,
    window_pick=_window_pick,
    window_scatter=_window_scatter,
)

# --- products and matrices --------------------------------------------------------------


def _conv(x: Any, w: Any, **p: Any) -> Any:
    numbers = lax.ConvDimensionNumbers(p["x_layout"], p["w_layout"], p["out_layout"])
    return lax.conv_general_dilated(
        x, w, p["strides"], p["padding"], p["x_dilation"], p["w_dilation"], numbers, p["groups"],
        p["batch_groups"], p["precision"], p["preferred"],
    )  # fmt: skip


def _eigh(x: Any) -> Any:
    vectors, values = LA.eigh(x, lower=True, symmetrize_input=False)
    return values, vectors


def _geqrf(x: Any) -> Any:
    factors, scales = jnp.linalg.qr(x, mode="raw")
    return factors.mT, scales


def _lu_solve(a: Any, packed: Any, permutation: Any, b: Any, *, transpose_a: bool) -> Any:
    return jnp.linalg.solve(a.mT if transpose_a else a, b)


TABLE.update(
    dot_general=lambda x, y, contract, batch, preferred, precision: lax.dot_general(
        x, y, (contract, batch), precision, preferred
    ),
    conv=_conv,
    fft=lambda x, kind, lengths: lax.fft(x, kind, lengths),
    triangular_solve=lambda a, b, **p: LA.triangular_solve(a, b, **p),
    cholesky=lambda x: LA.cholesky(x, symmetrize_input=False),
    lu=lambda x: tuple(LA.lu(x)),
    lu_solve=_lu_solve,
    tridiagonal_solve=lambda dl, d, du, b: LA.tridiagonal_solve(dl, d, du, b),
    det=lambda x, packed, pivots: jnp.linalg.det(x),
    slogdet=lambda x, packed, pivots, permutation: tuple(jnp.linalg.slogdet(x)),
    adjugate=lambda x: jnp.linalg.det(x)[..., None, None] * jnp.linalg.inv(x),
    qr=lambda x, full_matrices: tuple(LA.qr(x, full_matrices=full_matrices)),
    geqrf=_geqrf,
    svd=lambda x, full_matrices: tuple(jnp.linalg.svd(x, full_matrices=full_matrices)),
    singular_values=lambda x: jnp.linalg.svd(x, compute_uv=False),
    eigh=_eigh,
    eig=lambda x: tuple(LA.eig(x, compute_left_eigenvectors=False)),
    eigenvalues=lambda x: LA.eig(
        x, compute_left_eigenvectors=False, compute_right_eigenvectors=False
    )[0],
    schur=lambda x: tuple(LA.schur(x)),
    pinv=lambda x, rtol, hermitian: jnp.linalg.pinv(x, rtol, hermitian=hermitian),
)

# --- random bits ------------------------------------------------------------------------


def _random_bits(key: Any, *, shape: Any, bits: int) -> Any:
    dtype = np.dtype(f"uint{bits}")

    def one(data: Any) -> Any:
        return jax.random.bits(jax.random.wrap_key_data(data, impl="threefry2x32"), shape, dtype)

    for _ in key.shape[:-1]:
        one = jax.vmap(one)
    return one(key)


def _split(key: Any, *, shape: Any) -> Any:
    def one(data: Any) -> Any:
        keys = jax.random.split(jax.random.wrap_key_data(data, impl="threefry2x32"), shape)
        return jax.random.key_data(keys)

    for _ in key.shape[:-1]:
        one = jax.vmap(one)
    return one(key)


def _fold_in(key: Any, data: Any) -> Any:
    def one(data: Any, number: Any) -> Any:
        key = jax.random.wrap_key_data(data, impl="threefry2x32")
        return jax.random.key_data(jax.random.fold_in(key, number.astype(np.uint32)))

    shape = key.shape[:-1] or data.shape
    number = jnp.broadcast_to(data, shape)
    key = jnp.broadcast_to(key, (*shape, 2))
    for _ in shape:
        one = jax.vmap(one)
    return one(key, number)


def _gamma(key: Any, a: Any, *, log_space: bool) -> Any:
    draw = jax.random.loggamma if log_space else jax.random.gamma
    return draw(jax.random.wrap_key_data(key, impl="threefry2x32"), a, a.shape, a.dtype)


def _special(name: str, place: int | None = None) -> Callable[..., Any]:
    def apply(*xs: Any) -> Any:
        function = getattr(jax.scipy.special, name, None)
        if function is None:  # JAX of another version
            raise NoOracle(name)
        found = function(*_even(*xs))
        return found if place is None else found[place]

    return apply


def _inverse_mills(x: Any) -> Any:
    return jnp.exp(-x * x / 2 - np.float32(0.5 * np.log(2 * np.pi)) - jax.scipy.special.log_ndtr(x))


TABLE.update(
    {n: _special(n) for n in ["log_ndtr", "ndtri", "exp1", "expi", "expn", "spence", "erfcx", "dawsn", "wofz", "betaln", "xlogy", "xlog1py", "owens_t", "hyp1f1", "hyp2f1"]},
    sine_integral=_special("sici", 0), cosine_integral=_special("sici", 1),
    fresnel_sine=_special("fresnel", 0), fresnel_cosine=_special("fresnel", 1),
    inverse_mills=_inverse_mills,
    random_split=_split,
    random_fold_in=_fold_in,
    random_clone=lambda key: key,
    random_gamma=_gamma,
)  # fmt: skip
TABLE.update(
    random_bits=_random_bits,
    threefry2x32=lambda *words: tuple(jax_threefry2x32_p.bind(*_even(*words))),
)

# --- programs within --------------------------------------------------------------------


def _scan(
    *args: Any, program: Program, consts: int, carry: int, length: int, reverse: bool, unroll: int
) -> Any:
    fixed, init, xs = args[:consts], args[consts : consts + carry], args[consts + carry :]

    def body(state: Any, x: Any) -> Any:
        outs = evaluate(program, [*fixed, *state, *x])
        return tuple(outs[:carry]), tuple(outs[carry:])

    state, ys = lax.scan(body, tuple(init), tuple(xs), length=length, reverse=reverse)
    return (*state, *ys)


def _while(*args: Any, cond: Program, body: Program, cond_consts: int, body_consts: int) -> Any:
    tests, fixed = args[:cond_consts], args[cond_consts : cond_consts + body_consts]
    return lax.while_loop(
        lambda state: evaluate(cond, [*tests, *state])[0],
        lambda state: tuple(evaluate(body, [*fixed, *state])),
        tuple(args[cond_consts + body_consts :]),
    )


def _bounded(
    *args: Any,
    cond: Program,
    body: Program,
    cond_consts: int,
    body_consts: int,
    max_steps: int,
    checkpoints: int,
) -> Any:
    tests, fixed = args[:cond_consts], args[cond_consts : cond_consts + body_consts]

    def step(state: Any, _: Any) -> Any:
        go = evaluate(cond, [*tests, *state])[0]
        after = lax.cond(go, lambda s: tuple(evaluate(body, [*fixed, *s])), lambda s: s, state)
        return after, None

    init = tuple(args[cond_consts + body_consts :])
    return lax.scan(step, init, None, length=max_steps)[0]


def _switch(index: Any, *args: Any, branches: Any, batched: str) -> Any:
    functions = [lambda *xs, p=p: tuple(evaluate(p, xs)) for p in branches]
    return lax.switch(index, functions, *args)


TABLE.update(
    call=lambda *xs, program: evaluate(program, xs),
    remat=lambda *xs, program, policy, deferred: jax.checkpoint(
        lambda *ys: tuple(evaluate(program, ys))
    )(*xs),
    custom=lambda *xs, program, rules: evaluate(program, xs),
    scan=_scan,
    while_loop=_while,
    bounded_while=_bounded,
    switch=_switch,
)


# --- transforms -------------------------------------------------------------------------


def _inexact(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, np.inexact)


def _zero(x: Any) -> Any:
    """The tangent of what has none."""
    return np.zeros(x.shape, jax.dtypes.float0)


def _total(values: Sequence[Any]) -> Any:
    parts = [
        jnp.sum((x.real if jnp.iscomplexobj(x) else x).astype(np.float32))
        for x in values
        if _inexact(x)
    ]
    return sum(parts[1:], parts[0])


def transformed(function: Callable[..., Any], transform: Any, types: Any) -> Callable[..., Any]:
    """What one of fn's transforms makes of a function of JAX."""
    count = len(types)
    if isinstance(transform, Jit):
        return jax.jit(function)
    if isinstance(transform, Remat):
        return jax.checkpoint(function)
    if isinstance(transform, Vmap):
        return jax.vmap(function, in_axes=transform.places(types), axis_size=transform.size)
    places = [i for i, t in enumerate(types) if jnp.issubdtype(t.dtype, np.inexact)]
    if isinstance(transform, (Jvp, Linearize)):

        def pushed(*args: Any) -> Any:
            xs, given = args[:count], iter(args[count:])
            ts = tuple([next(given) if i in places else _zero(x) for i, x in enumerate(xs)])
            outs, moved = jax.jvp(function, xs, ts)
            return (*outs, *[t for o, t in zip(outs, moved, strict=True) if _inexact(o)])

        return pushed
    if isinstance(transform, Vjp):

        def pulled(*args: Any) -> Any:
            outs, pull = jax.vjp(function, *args[:count])
            given = iter(args[count:])
            cts = pull(tuple([next(given) if _inexact(o) else _zero(o) for o in outs]))
            return (*outs, *[cts[i] for i in places])

        return pulled
    assert isinstance(transform, Grad)

    def gradient(*args: Any) -> Any:
        value, pull = jax.vjp(lambda *xs: _total(function(*xs)), *args)
        cts = pull(jnp.ones((), np.float32))
        return (value, *[cts[i] for i in places])

    return gradient


def oracle(program: Program, stack: Stack) -> Callable[..., Any]:
    """The function of arrays that `stack` makes of `program`, by JAX and its own transforms."""
    theirs: Callable[..., Any] = lambda *xs: tuple(evaluate(program, xs))
    ours, types = Stack([]).staged(program)
    for transform in stack:
        after, after_types = transform.apply(ours, types)
        if after is not ours:  # a derivative of nothing is left out
            theirs = transformed(theirs, transform, types)
        ours, types = after, after_types
    return theirs
