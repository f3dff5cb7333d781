"""Random well-typed Programs, from a seed or from hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fn.core import Program
from fn.testing import _array_recipes, _matrix_recipes, _special_recipes
from fn.testing._control_recipes import results, steps
from fn.testing._draft import Choices, Draft, Known, Seeded, write
from fn.testing._inputs import example_inputs
from fn.testing._recipes import COVERS

# The recipes are entered in the table when their files are read.
_FILES = (_array_recipes, _matrix_recipes, _special_recipes)

NOT_WRITTEN = {
    "custom": "its rules are Python functions, which have no text",
    "custom_linear": "it comes from the derivative of a custom function",
    "linear_solve": "its solver is a Python function",
    "psum": "it needs a named axis", "pmax": "it needs a named axis", "pmin": "it needs a named axis",
    "ppermute": "it needs a named axis", "all_gather": "it needs a named axis",
    "axis_index": "it needs a named axis",
    "betainc_ratio": "it comes from derivatives", "hyp1f1_slope": "it comes from derivatives",
    "hyp2f1_slope": "it comes from derivatives", "igamma_curvature": "it comes from derivatives",
    "pure_callback": "it calls Python", "io_callback": "it calls Python",
    "ordered_callback": "it calls Python", "debug_callback": "it calls Python",
    "check": "it may fail", "tag": "it is for functions that collect tags",
    "vmap": "it comes from fn.vmap of a custom function", "call_apart": "it comes from a pass",
    "switch_lanes": "it comes from vmap", "while_tangent": "it comes from derivatives",
    "while_adjoint": "it comes from derivatives", "reversible": "it comes from derivatives",
}  # fmt: skip
"""Primitives that random Programs do not apply themselves, and why."""


def written_primitives() -> set[str]:
    """Names of the primitives random Programs apply."""
    return {name for covered in COVERS.values() for name in covered}


def draw_program(
    choices: Choices, *, size: int = 8, depth: int = 2, reverse: bool = True
) -> Program:
    """A random Program.

    Args:
        choices: where choices come from.
        size: at most so many operations, besides those that bring operands into form.
        depth: levels of Programs within Programs.
        reverse: whether it must have derivatives of both modes.
    """
    draft = Draft(choices, depth, reverse)

    def body(d: Draft) -> Sequence[Known]:
        steps(d, size)
        return results(d, 4)

    return write(draft, body, "main").program


def random_program(seed: Any, **options: Any) -> Program:
    """The random Program of a seed.

    >>> import fn
    >>> program = fn.testing.random_program(7)
    >>> fn.Program.parse(str(program)) == program
    True
    """
    return draw_program(Seeded(seed), **options)


def program_inputs(program: Program, seed: int = 0) -> list[Any]:
    """Arguments at which everything a random Program computes is finite.

    >>> import fn
    >>> program = fn.testing.random_program(7)
    >>> results = fn.evaluate(program, fn.testing.program_inputs(program))
    """
    return example_inputs(program.in_types[: len(program.inputs) - len(program.captured)], seed)
