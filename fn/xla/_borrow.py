"""Borrowing a lowering: ask JAX what StableHLO one of its own functions becomes, and take the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import jax

from fn.core import ArrayType, x64_enabled

_SYMBOL = re.compile(r"@(\w+)")


def borrowed_text(
    function: Callable[..., Any],
    types: tuple[ArrayType, ...],
    params: dict[str, Any],
    platform: str,
) -> str:
    """Functions JAX lowers `function` to at these types; `@@name` stands for each of their names.

    The entry is `@@main`. Asking twice costs a dictionary lookup.
    """
    return _borrowed(function, types, tuple(params.items()), platform, x64_enabled())


@lru_cache(maxsize=4096)
def _borrowed(
    function: Callable[..., Any],
    types: tuple[ArrayType, ...],
    params: Any,
    platform: str,
    x64: bool,
) -> str:
    structs = [jax.ShapeDtypeStruct(t.shape, t.dtype) for t in types]
    with jax.ensure_compile_time_eval():
        lowered = jax.jit(partial(function, **dict(params)), keep_unused=True).trace(*structs)
        text = lowered.lower(lowering_platforms=(platform,)).as_text()
    body = text[text.index("{", text.index("module @")) :]
    if text[text.index("module @") :].split("{")[0].rstrip().endswith("attributes"):
        body = body[body.index("}") + 1 :]
        body = body[body.index("{") :]
    inner = body[1 : body.rindex("}")].strip()
    names = set(re.findall(r"func\.func \w+ @(\w+)", inner))
    inner = _SYMBOL.sub(lambda m: f"@@{m[1]}" if m[1] in names else m[0], inner)
    return inner.replace("func.func public", "func.func private")
