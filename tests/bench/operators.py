"""Single operators, forward and with gradient, beside JAX and PyTorch on the same arrays.

Each peer gets the arrays in the layout its users keep them in: channels last for fn and JAX, channels
first for PyTorch.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as onp

import fn
import fn.numpy as np
from tests.bench.measure import Timing, alternate


class Case(NamedTuple):
    """One operator: the arrays it takes, and how each peer writes it."""

    arrays: tuple[onp.ndarray, ...]
    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    torch: Callable[..., Any] | None = None
    """`(torch, *tensors)`; the tensors are laid out by `layout`."""
    layout: tuple[tuple[int, ...] | None, ...] = ()
    differentiate: tuple[int, ...] = (0,)
    random: bool = False
    """Whether the peers draw their own numbers, so that values cannot be compared."""


def _normal(*shape: int, seed: int = 0) -> onp.ndarray:
    return onp.random.RandomState(seed).randn(*shape).astype(onp.float32)


CHANNELS_FIRST = (0, 3, 1, 2)
KERNEL_FIRST = (3, 2, 0, 1)


def _conv(stride: int = 1, groups: int = 1) -> tuple[Callable[..., Any], Callable[..., Any]]:
    numbers = ("NHWC", "HWIO", "NHWC")

    def theirs(x: Any, w: Any) -> Any:
        return jax.lax.conv_general_dilated(
            x, w, (stride, stride), [(1, 1), (1, 1)] if w.shape[0] == 3 else "VALID",
            dimension_numbers=numbers, feature_group_count=groups,
        )  # fmt: skip

    def ours(x: Any, w: Any) -> Any:
        pad = ((1, 1), (1, 1)) if w.shape[0] == 3 else ((0, 0), (0, 0))
        return fn.ops.conv(
            x, w, strides=(stride, stride), padding=pad, x_dilation=(1, 1), w_dilation=(1, 1),
            x_layout=(0, 3, 1, 2), w_layout=(3, 2, 0, 1), out_layout=(0, 3, 1, 2), groups=groups,
        )  # fmt: skip

    return ours, theirs


def conv(x: tuple[int, ...], w: tuple[int, ...], stride: int = 1, groups: int = 1) -> Case:
    """Convolution of NHWC images by an HWIO kernel, gradient with respect to both."""
    ours, theirs = _conv(stride, groups)

    def torchs(torch: Any, a: Any, b: Any) -> Any:
        pad = 1 if w[0] == 3 else 0
        return torch.nn.functional.conv2d(a, b, stride=stride, padding=pad, groups=groups)

    return Case(
        (_normal(*x), _normal(*w, seed=1) / w[0]), ours, theirs, torchs, (CHANNELS_FIRST, KERNEL_FIRST), (0, 1)
    )  # fmt: skip


def transposed() -> Case:
    """4 x 4 transposed convolution of stride 2, as in the decoder of a U-Net."""

    def ours(x: Any, w: Any) -> Any:
        return fn.ops.conv(
            x, w, strides=(1, 1), padding=((2, 2), (2, 2)), x_dilation=(2, 2), w_dilation=(1, 1),
            x_layout=(0, 3, 1, 2), w_layout=(3, 2, 0, 1), out_layout=(0, 3, 1, 2),
        )  # fmt: skip

    def theirs(x: Any, w: Any) -> Any:
        return jax.lax.conv_transpose(
            x, w, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    def torchs(torch: Any, a: Any, b: Any) -> Any:
        return torch.nn.functional.conv_transpose2d(a, b, stride=2, padding=1)

    # PyTorch flips the kernel; what is timed is the same work.
    arrays = _normal(16, 16, 16, 64), _normal(4, 4, 64, 64, seed=1) / 16
    return Case(arrays, ours, theirs, torchs, (CHANNELS_FIRST, (2, 3, 0, 1)), (0, 1))


def pool() -> Case:
    """2 x 2 max pooling."""
    layer = fn.nn.max_pool(2)
    return Case(
        (_normal(32, 32, 32, 32),),
        lambda x: layer.apply({}, {}, x)[0],
        lambda x: jax.lax.reduce_window(
            x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"
        ),
        lambda torch, x: torch.nn.functional.max_pool2d(x, 2),
        (CHANNELS_FIRST,),
    )


def attention() -> Case:
    """Causal attention of 8 heads of width 64 over 512 positions."""
    q, k, v = (_normal(2, 512, 8, 64, seed=s) for s in range(3))
    heads = (0, 2, 1, 3)
    return Case(
        (q, k, v),
        lambda q, k, v: fn.nn.dot_product_attention(q, k, v, is_causal=True),
        lambda q, k, v: jax.nn.dot_product_attention(q, k, v, is_causal=True),
        lambda torch, q, k, v: torch.nn.functional.scaled_dot_product_attention(
            q, k, v, is_causal=True
        ),
        (heads, heads, heads),
        (0, 1, 2),
    )


def layer_norm(m: Any, x: Any) -> Any:
    centred = x - m.mean(x, -1, keepdims=True)
    return centred * (m.mean(centred * centred, -1, keepdims=True) + 1e-5) ** -0.5


def plain(
    ours: Callable[..., Any], theirs: Callable[..., Any], torchs: Callable[..., Any] | None,
    *shapes: tuple[int, ...], differentiate: tuple[int, ...] = (0,),
) -> Case:  # fmt: skip
    arrays = tuple(_normal(*shape, seed=i) for i, shape in enumerate(shapes))
    return Case(arrays, ours, theirs, torchs, (None,) * len(shapes), differentiate)


ROWS_OF_TABLE = onp.random.RandomState(0).randint(0, 5000, (32, 128)).astype(onp.int32)
KEYS = fn.random.key(0), jax.random.PRNGKey(0)

CASES: dict[str, Case] = {
    "conv 3×3, 64→64 at 28×28": conv((8, 28, 28, 64), (3, 3, 64, 64)),
    "conv 3×3, first layer 3→32": conv((16, 32, 32, 3), (3, 3, 3, 32)),
    "conv 3×3 stride 2": conv((8, 32, 32, 64), (3, 3, 64, 64), stride=2),
    "conv 1×1, 64→128": conv((8, 28, 28, 64), (1, 1, 64, 128)),
    "depthwise 3×3": conv((16, 32, 32, 64), (3, 3, 1, 64), groups=64),
    "grouped 3×3, 4 groups": conv((8, 28, 28, 64), (3, 3, 16, 64), groups=4),
    "transposed conv 4×4 stride 2": transposed(),
    "max_pool 2×2": pool(),
    "attention, causal": attention(),
    "gelu (erf)": plain(
        lambda x: fn.nn.gelu(x, approximate=False), lambda x: jax.nn.gelu(x, approximate=False),
        lambda torch, x: torch.nn.functional.gelu(x), (256, 4096),
    ),
    "softmax": plain(
        lambda x: fn.nn.softmax(x), lambda x: jax.nn.softmax(x), lambda torch, x: torch.softmax(x, -1), (256, 4096)
    ),
    "log_softmax": plain(
        lambda x: fn.nn.log_softmax(x), lambda x: jax.nn.log_softmax(x),
        lambda torch, x: torch.log_softmax(x, -1), (256, 4096),
    ),
    "layer norm": plain(
        lambda x: layer_norm(np, x), lambda x: layer_norm(jnp, x),
        lambda torch, x: torch.nn.functional.layer_norm(x, x.shape[-1:]), (1024, 512),
    ),
    "sum over the leading axis": plain(
        lambda x: np.sum(x, 0), lambda x: jnp.sum(x, 0), lambda torch, x: x.sum(0), (4096, 256)
    ),
    "sum over two axes": plain(
        lambda x: np.sum(x, (0, 2)), lambda x: jnp.sum(x, (0, 2)), lambda torch, x: x.sum((0, 2)), (64, 128, 64)
    ),
    "cumsum": plain(
        lambda x: np.cumsum(x, -1), lambda x: jnp.cumsum(x, -1), lambda torch, x: x.cumsum(-1), (256, 4096)
    ),
    "sort": plain(
        lambda x: np.sort(x, -1), lambda x: jnp.sort(x, -1), lambda torch, x: x.sort(-1).values, (256, 4096)
    ),
    "top_k 32": plain(
        lambda x: fn.ops.top_k(x, k=32, axis=1)[0], lambda x: jax.lax.top_k(x, 32)[0],
        lambda torch, x: x.topk(32, -1).values, (256, 4096),
    ),
    "embedding": Case(
        (_normal(5000, 128),), lambda w: w[ROWS_OF_TABLE], lambda w: w[ROWS_OF_TABLE],
        lambda torch, w: torch.nn.functional.embedding(torch.from_numpy(ROWS_OF_TABLE), w), (None,),
    ),
    "matmul 512": plain(
        lambda x, y: x @ y, lambda x, y: x @ y, lambda torch, x, y: x @ y, (512, 512), (512, 512),
        differentiate=(0, 1),
    ),
    "dropout": Case(
        (_normal(256, 4096),), lambda x: fn.nn.dropout(0.1).apply({}, {}, x, key=KEYS[0], train=True)[0],
        lambda x: jnp.where(jax.random.bernoulli(KEYS[1], 0.9, x.shape), x / 0.9, 0.0),
        lambda torch, x: torch.nn.functional.dropout(x, 0.1), (None,), random=True,
    ),
    "normal": Case(
        (_normal(1),), lambda x: fn.random.normal(KEYS[0], (256, 4096)) + x,
        lambda x: jax.random.normal(KEYS[1], (256, 4096)) + x,
        lambda torch, x: torch.randn(256, 4096) + x, (None,), random=True,
    ),
    "permutation": Case(
        (_normal(1),), lambda x: fn.random.permutation(KEYS[0], 100_000) + x,
        lambda x: jax.random.permutation(KEYS[1], 100_000) + x,
        lambda torch, x: torch.randperm(100_000) + x, (None,), random=True,
    ),
}  # fmt: skip


def row(case: Case, backward: bool) -> Callable[[list[str]], dict[str, Timing]]:
    """Seconds a call, compiled; the peers' values are compared first."""

    def calls(peers: list[str]) -> dict[str, Callable[[], Any]]:
        found: dict[str, Callable[[], Any]] = {}
        arrays = [jnp.asarray(a) for a in case.arrays]
        ct = jnp.asarray(_normal(*jax.eval_shape(case.theirs, *arrays).shape, seed=9))
        for peer, function, module in (("fn", case.ours, fn), ("jax", case.theirs, jax)):
            if peer in peers:
                if backward:
                    # The cotangent is an argument: XLA would fold what depends on constants alone.
                    loss = lambda *a, f=function: (f(*a[:-1]) * a[-1]).sum()
                    compiled = module.jit(module.grad(loss, case.differentiate))
                    found[peer] = lambda c=compiled: jax.block_until_ready(c(*arrays, ct))
                else:
                    compiled = module.jit(function)
                    found[peer] = lambda c=compiled: jax.block_until_ready(c(*arrays))
        if "torch" in peers and case.torch is not None:
            found["torch"] = _torch(case, backward)
        return found

    def run(peers: list[str]) -> dict[str, Timing]:
        found = calls(peers)
        if not case.random and {"fn", "jax"} <= found.keys():
            ours, theirs = (jax.tree.leaves(found[p]()) for p in ("fn", "jax"))
            for a, b in zip(ours, theirs, strict=True):
                scale = float(abs(b).max())
                onp.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4 * scale)
        return alternate(found, rounds=11, warmup=3, calls=3)

    return run


def _torch(case: Case, backward: bool) -> Callable[[], Any]:
    torch = importlib.import_module("torch")
    tensors = [
        torch.tensor(onp.ascontiguousarray(a if order is None else a.transpose(order)))
        for a, order in zip(case.arrays, case.layout, strict=True)
    ]
    if not backward:

        def forward() -> Any:
            with torch.no_grad():
                return case.torch(torch, *tensors)

        return forward
    moving = [tensors[i].requires_grad_() for i in case.differentiate]
    ct_ = torch.randn(case.torch(torch, *tensors).shape)
    return lambda: torch.autograd.grad((case.torch(torch, *tensors) * ct_).sum(), moving)


ROWS = {name: (row(case, False), "jax", 1.05) for name, case in CASES.items()} | {
    f"{name}, gradient": (row(case, True), "jax", 1.05)
    for name, case in CASES.items()
    if name not in ("permutation", "normal")
}
