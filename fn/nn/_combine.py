"""Layers made of layers: `serial`."""

from __future__ import annotations

from typing import Any

from fn.core import ArgumentError
from fn.nn._contract import Layer, Params, State, as_layer, fold, layer_name
from fn.transforms import eval_type


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
