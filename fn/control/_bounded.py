"""Loops with a bound on their steps, for reverse mode in bounded memory.

`bounded_while` runs like `while_loop`. Linearized, it counts its steps, and leaves its derivative to
`while_tangent` and `while_adjoint`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fn.control._adjoint import COUNT, counting_step, while_tangent_p
from fn.control._derive import (
    Flags,
    derived,
    fill_where,
    known,
    spread,
)
from fn.control._quiet import quiet
from fn.control._while import (
    batch_loop,
    bind_while,
    jvp_loop,
    moving_carries,
    prune_loop,
    while_type,
)
from fn.core import Primitive, Program, bind, evaluate
from fn.ops import (
    logical_and,
    lt,
)
from fn.transforms import linearize_program

# --- bounded_while ----------------------------------------------------------------------


def _counted(
    args: Sequence[Any], *, cond: Program, body: Program, cond_consts: int, body_consts: int,
    max_steps: int, checkpoints: int, plain: bool = False,
) -> tuple[list[Any], Any]:  # fmt: skip
    """The last carry and the number of steps; by a loop that is itself bounded, or a `plain` one."""
    start = cond_consts + body_consts

    def test(*values: Any) -> list[Any]:
        (go,) = evaluate(cond, [*values[:cond_consts], *values[cond_consts + 1 :]])
        return [logical_and(lt(values[cond_consts], np.int32(max_steps)), go) if plain else go]

    counting = derived(
        cond, ("counting", max_steps, plain), test,
        [*cond.in_types[:cond_consts], COUNT, *cond.in_types[cond_consts:]], cond.name,
    )  # fmt: skip
    step = counting_step(body, body_consts)
    consts = args[:cond_consts], args[cond_consts:start]
    init = [np.int32(0), *args[start:]]
    if plain:
        steps, *outs = bind_while(counting, step, *consts, init)
    else:
        bound: Any = {"max_steps": max_steps, "checkpoints": checkpoints}
        steps, *outs = bind_while(counting, step, *consts, init, bounded_while_p, **bound)
    return outs, steps


def _bounded_jvp(args: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    return jvp_loop(bounded_while_p, args, tangents, **params)


def _bounded_linearize(args: Any, nonzero: Flags, **params: Any) -> tuple[Any, ...]:
    body, first, consts = params["body"], params["cond_consts"], params["body_consts"]
    outs, steps = _counted(args, **params)
    flags = moving_carries(
        lambda f: linearize_program(body, f).out_nonzero, nonzero[first:], consts
    )

    def linear_map(tangents: Sequence[Any]) -> tuple[Any, ...]:
        moved = fill_where(spread(nonzero, tangents)[first:], flags, body.in_types)
        result: tuple[Any, ...] = bind(
            while_tangent_p, steps, *args[first:], *known(moved), program=quiet(body), consts=consts,
            flags=flags, max_steps=params["max_steps"], checkpoints=params["checkpoints"],
        )  # fmt: skip
        return result

    return outs, flags[consts:], linear_map if any(flags[consts:]) else (lambda tangents: ())


def _bounded_batch(axis: Any, args: Any, dims: Any, **params: Any) -> tuple[Any, Any]:
    return batch_loop(bounded_while_p, axis, args, dims, **params)


def _bounded_lower(emit: Any, *args: Any, **params: Any) -> Any:
    cond, body, first = params["cond"], params["body"], params["cond_consts"]
    program = derived(
        body, ("counted", *params.items()), lambda *values: _counted(values, plain=True, **params)[0],
        [*cond.in_types[:first], *body.in_types], body.name,
    )  # fmt: skip
    return emit.call(program, *args)


bounded_while_p = Primitive(
    name="bounded_while", type=while_type, jvp=_bounded_jvp, linearize=_bounded_linearize,
    transpose="a loop is transposed once linearized: use fn.vjp", batch=_bounded_batch,
    lower=_bounded_lower, prune=prune_loop, multiple=True,
)  # fmt: skip
