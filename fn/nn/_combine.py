"""Layers made of layers: `serial`, and `repeat` for many of one kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jax.tree_util import tree_map

from fn.control import scan as loop
from fn.core import ArgumentError, context, type_of
from fn.nn._contract import Layer, Params, State, as_layer, fold, layer_name
from fn.numpy import stack
from fn.transforms import eval_type
from fn.xla import jit


def serial(*layers: Any, **named: Any) -> Layer:
    """Layers one after the other.

    Args:
        layers: layers, or plain functions of one array, or pairs `(name, layer)`.
        named: further layers by name, after the others.

    Returns:
        A layer. Its parameters are a dict from the names of the layers that have some to theirs. A
        layer nobody named is called by its kind and number: `conv1`, `conv2`, `dense1`.

    >>> import fn
    >>> init, apply = fn.nn.serial(fn.nn.dense(3), fn.nn.relu, out=fn.nn.dense(2))
    >>> params, state = init(fn.random.key(0), fn.ArrayType((1, 4), "float32"))
    >>> params["dense1"]["w"].shape, params["out"]["w"].shape
    ((4, 3), (3, 2))
    """
    parts = _named_layers(layers, named)

    def init(key: Any, spec: Any) -> tuple[Params, State]:
        params: Params = {}
        state: State = {}
        for name, layer in parts:
            own, memory = layer.init(fold(key, name), spec)
            if own:
                params[name] = own
            if memory:
                state[name] = memory
            spec = eval_type(_output)(layer, own, memory, spec)
        return params, state

    def apply(
        params: Params, state: State, x: Any, key: Any = None, train: bool = False
    ) -> tuple[Any, State]:
        new: State = {}
        for name, layer in parts:
            x, memory = layer.apply(
                params.get(name, {}), state.get(name, {}), x, key=fold(key, name), train=train
            )
            if memory:
                new[name] = memory
        return x, new

    apply.__qualname__ = "serial"
    return Layer(init, apply)


def repeat(layer: Any, n: int, scan: bool = False) -> Layer:
    """`n` layers of one kind, one after the other, each with parameters of its own.

    The layer is traced once, and the compiled program has it once: a deep network takes the time of a
    shallow one to trace, differentiate and lower. Numbers are those of `serial(*[layer] * n)`.

    Args:
        layer: a layer, or a plain function, that gives the type it takes.
        n: how many, at least one.
        scan: as one loop over stacked parameters. Compile time and text no longer depend on `n`, and the
            parameters are one array each, shape `(n, ...)`; a step copies each layer's out of them.

    Returns:
        A layer. Its parameters are a dict from `dense1`, `dense2`, … to those of each; with `scan`, the
        dict of one layer with a leading axis. State likewise.

    Raises:
        ArgumentError: if `n` is no positive integer; from `init`, if the layer changes the type.

    >>> import fn
    >>> init, apply = fn.nn.repeat(fn.nn.dense(3), 2)
    >>> params, state = init(fn.random.key(0), fn.ArrayType((1, 3), "float32"))
    >>> sorted(params), params["dense2"]["w"].shape
    (['dense1', 'dense2'], (3, 3))
    >>> params, state = fn.nn.repeat(fn.nn.dense(3), 2, scan=True).init(
    ...     fn.random.key(0), fn.ArrayType((1, 3), "float32"))
    >>> params["w"].shape
    (2, 3, 3)
    """
    block = as_layer(layer)
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise ArgumentError(
            "nn.repeat: n is not a number of layers", expected="a positive integer", got=repr(n)
        )
    names = [f"{layer_name(block)}{i + 1}" for i in range(n)]
    shared = jit(block.apply, static_argnames=("train",))

    def init_each(key: Any, spec: Any) -> tuple[Params, State]:
        found = {name: block.init(fold(key, name), spec) for name in names}
        own, memory = found[names[0]]
        out = eval_type(_output)(block, own, memory, spec)
        if (out.shape, out.dtype) != (spec.shape, spec.dtype):
            raise ArgumentError(
                "nn.repeat: the layer does not give what it takes", expected=str(type_of(spec)),
                got=str(out), fix="put the layer that changes the type before, in nn.serial",
            )  # fmt: skip
        return {n: p for n, (p, _) in found.items()}, {n: s for n, (_, s) in found.items()}

    def init_named(key: Any, spec: Any) -> tuple[Params, State]:
        params, state = init_each(key, spec)
        return {n: p for n, p in params.items() if p}, {n: s for n, s in state.items() if s}

    def apply_each(
        params: Params, state: State, x: Any, key: Any = None, train: bool = False
    ) -> tuple[Any, State]:
        # Called eagerly, operations run as those of any layer do, one by one.
        apply = block.apply if context.trace is None else shared
        new: State = {}
        for name in names:
            x, memory = apply(
                params.get(name, {}), state.get(name, {}), x, key=fold(key, name), train=train
            )
            if memory:
                new[name] = memory
        return x, new

    def init_stacked(key: Any, spec: Any) -> tuple[Params, State]:
        params, state = init_each(key, spec)
        return _stacked(params.values()), _stacked(state.values())

    def apply_stacked(
        params: Params, state: State, x: Any, key: Any = None, train: bool = False
    ) -> tuple[Any, State]:
        keys = None if key is None else stack([fold(key, name) for name in names])

        def step(x: Any, own: Any) -> tuple[Any, State]:
            params, state, key = own
            return block.apply(params, state, x, key=key, train=train)

        y, new = loop(step, x, (params, state, keys), length=n)
        return y, new

    init, apply = (init_stacked, apply_stacked) if scan else (init_named, apply_each)
    apply.__qualname__ = "repeat"
    return Layer(init, apply)


def _stacked(trees: Iterable[Any]) -> Any:
    return tree_map(lambda *leaves: stack(leaves), *trees)


def _output(layer: Layer, params: Params, state: State, x: Any) -> Any:
    return layer.apply(params, state, x)[0]


def _named_layers(layers: tuple[Any, ...], named: dict[str, Any]) -> list[tuple[str, Layer]]:
    counts: dict[str, int] = {}
    parts: list[tuple[str, Layer]] = []
    for entry in layers:
        if isinstance(entry, tuple) and not isinstance(entry, Layer):
            name, layer = entry[0], as_layer(entry[1])
        else:
            layer = as_layer(entry)
            kind = layer_name(layer)
            counts[kind] = counts.get(kind, 0) + 1
            name = f"{kind}{counts[kind]}"
        parts.append((name, layer))
    parts += [(name, as_layer(layer)) for name, layer in named.items()]
    names = [name for name, _ in parts]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ArgumentError(
            "nn.serial: two layers have one name", expected="distinct names", got=", ".join(twice),
        )  # fmt: skip
    return parts
