"""Attention: values weighted by how well their keys fit each query."""

from __future__ import annotations

import math
from typing import Any

import fn.numpy as np
from fn.core import ArgumentError, public
from fn.nn._exponentials import logsumexp, softmax


@public
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    *,
    scale: float | None = None,
    is_causal: bool = False,
    query_seq_lengths: Any = None,
    key_value_seq_lengths: Any = None,
    local_window_size: int | tuple[int, int] | None = None,
    implementation: str | None = None,
    return_residual: bool = False,
) -> Any:
    """`softmax(query @ key.T * scale + bias) @ value` in every head. Vaswani et al., 2017.

    Args:
        query: (batch, time, heads, size); the batch may be missing.
        key, value: (batch, source, kv heads, size); each of their heads serves equally many of `query`.
        bias: what to add to the weights' logarithms; broadcasts to (batch, heads, time, source).
        mask: which sources each query sees; broadcasts to the same shape.
        scale: one over the root of the size by default.
        is_causal: whether queries see earlier sources and their own only.
        query_seq_lengths, key_value_seq_lengths: (batch,) numbers of queries and sources that count.
        local_window_size: how many sources before and after its own place a query sees; one number for
            both.
        implementation: accepted for JAX's sake: None or "xla".
        return_residual: also give the log-sum-exp of each query, (batch, time, heads).

    Returns:
        (batch, time, heads, size) in the dtype of `query`.

    >>> import fn, fn.numpy as np
    >>> x = np.ones((2, 3, 4, 8))
    >>> fn.nn.dot_product_attention(x, x, x, is_causal=True).shape
    (2, 3, 4, 8)
    """
    if implementation not in (None, "xla"):
        raise ArgumentError(
            "nn.dot_product_attention: unknown implementation", expected="None or 'xla'",
            got=repr(implementation),
        )  # fmt: skip
    query, key, value = np.asarray(query), np.asarray(key), np.asarray(value)
    single = query.ndim == 3
    if single:
        query, key, value = [np.expand_dims(x, 0) for x in (query, key, value)]
        bias, mask = [
            x if x is None or np.ndim(x) != 3 else np.expand_dims(x, 0) for x in (bias, mask)
        ]
    if (
        query.ndim != 4
        or key.ndim != 4
        or key.shape != value.shape
        or query.shape[2] % key.shape[2]
    ):
        raise ArgumentError(
            "nn.dot_product_attention: the shapes do not fit",
            expected="query (batch, time, heads, size), key and value (batch, source, kv heads, size)",
            got=f"{query.shape}, {key.shape}, {value.shape}",
        )  # fmt: skip
    batch, time, heads, size = query.shape
    source, kv_heads = key.shape[1], key.shape[2]
    group = heads // kv_heads
    scale = 1 / math.sqrt(size) if scale is None else scale
    # Heads fall into groups that share keys and values; sums are in single precision.
    grouped = np.reshape(query, (batch, time, kv_heads, group, size))
    logits = np.einsum("btkgh,bskh->bkgts", grouped, key, preferred_element_type=np.float32)
    logits = np.reshape(logits, (batch, heads, time, source))
    logits = np.multiply(logits, scale)
    if bias is not None:
        logits = np.add(logits, bias)
    seen = _seen(
        batch,
        time,
        source,
        mask,
        is_causal,
        query_seq_lengths,
        key_value_seq_lengths,
        local_window_size,
    )
    if seen is not None:
        logits = np.where(seen, logits, -0.7 * float(np.finfo(np.float32).max))
    weights = np.astype(softmax(np.astype(logits, np.float32)), value.dtype)
    weights = np.reshape(weights, (batch, kv_heads, group, time, source))
    out = np.reshape(np.einsum("bkgts,bskh->btkgh", weights, value), (batch, time, heads, size))
    if query_seq_lengths is not None:
        there = np.less(np.arange(time)[None], np.asarray(query_seq_lengths)[:, None])
        out = np.where(there[:, :, None, None], out, 0)
    out = np.astype(out, query.dtype)
    out = out[0] if single else out
    if not return_residual:
        return out
    residual = np.moveaxis(logsumexp(logits, -1), 1, 2)
    return out, residual[0] if single else residual


def _seen(
    batch: int,
    time: int,
    source: int,
    mask: Any,
    is_causal: bool,
    query_lengths: Any,
    source_lengths: Any,
    window: int | tuple[int, int] | None,
) -> Any:
    """Which sources each query sees, (batch, heads, time, source) or what broadcasts to it."""
    t, s = np.arange(time)[:, None], np.arange(source)[None]
    rules = [] if mask is None else [np.asarray(mask)]
    if is_causal:
        rules.append(np.greater_equal(t, s))
    if window is not None:
        before, after = (window, window) if isinstance(window, int) else window
        near = np.logical_and(
            np.greater_equal(np.add(s, before), t), np.less_equal(s, np.add(t, after))
        )
        rules.append(near)
    if query_lengths is not None:
        rules.append(np.less(t, np.asarray(query_lengths)[:, None, None])[:, None])
    if source_lengths is not None:
        rules.append(np.less(s, np.asarray(source_lengths)[:, None, None])[:, None])
    out = None
    for rule in rules:
        out = rule if out is None else np.logical_and(out, rule)
    return out
