"""`steps`: what each transform and each pass makes of a function, one beside the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from typing import Any, NamedTuple

import jax
from jax.tree_util import tree_map

from fn.core import Equation, Program, dce, public, type_of
from fn.inspect._diff import Comparison, summary
from fn.inspect._document import Block, Document, Span, Table
from fn.inspect._equations import origin, reachable
from fn.inspect._subject import check_function, name_of, traced
from fn.inspect._view import View
from fn.xla import passes_for

_OPEN_ROWS = 60
_IDLE = "nothing to do"


class Stage(NamedTuple):
    """A function after one more step.

    >>> import fn, fn.numpy as np
    >>> first, last = fn.inspect.steps(np.sin, fn.grad, passes=False)(1.0).stages
    >>> last.name, last.program.equations[0].primitive.name
    ('grad', 'cos')
    """

    name: str
    """The function's name, the transform's, or `pass:…`."""
    program: Program
    """Each equation has the user's line, and what it went through, in `.source`."""


class Steps(View):
    """The stages of a function, as `steps` gives them.

    >>> import fn, fn.numpy as np
    >>> seen = fn.inspect.steps(np.sin, fn.grad, passes=False)(1.0)
    >>> [stage.name for stage in seen.stages]
    ['sin', 'grad']
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages = list(stages)
        self._pairs = list(zip(self.stages, self.stages[1:]))
        self._compared = [Comparison(a.program, b.program) for a, b in self._pairs]

    def _document(self, page: bool) -> Document:
        title: list[Span] = [(self.stages[0].name, "strong")]
        for stage in self.stages[1:]:
            if not stage.name.startswith("pass:"):
                title += [(" → ", "dim"), (stage.name, "strong")]
        blocks: list[Block | Table] = [self._table()]
        for (before, after), compared in zip(self._pairs, self._compared, strict=True):
            if not compared.marks.keys() - {"="} or not any(compared.marks[m] for m in "~-+"):
                continue
            for block in compared.blocks((before.name, after.name), True):
                block.title = ((after.name, "strong"), ("  ", ""), *block.title)
                block.open = len(block.rows) <= _OPEN_ROWS
                blocks.append(block)
        return Document(tuple(title), blocks)

    def _table(self) -> Table:
        rows: list[tuple[tuple[Span, ...], ...]] = []
        for index, stage in enumerate(self.stages):
            count = sum(len(p.equations) for p in reachable(stage.program))
            what = summary(self._compared[index - 1].marks) if index else (("as written", "dim"),)
            if index and what[-1][1] == "good":
                what = ((_IDLE, "dim"),)
            origins = () if what[0][0] == _IDLE else _origins(stage.program)
            rows.append((((stage.name, "op"),), ((f"{count:,}", ""),), what, origins))
        head = ("stage", "equations", "what happened", "where equations come from")
        return Table((), head, rows, frozenset({0, 2, 3}))


def _origins(program: Program) -> tuple[Span, ...]:
    """How many equations went through which transforms."""
    counts: dict[str, int] = {}
    for p in reachable(program):
        for equation in p.equations:
            steps = origin(equation.source) if equation.source is not None else ""
            counts[steps or "written"] = counts.get(steps or "written", 0) + 1
    listed = sorted(counts.items(), key=lambda item: -item[1])
    text = ", ".join(f"{name} {count:,}" for name, count in listed[:4])
    return ((text + (", …" if len(listed) > 4 else ""), "origin"),)


@public
def steps(f: Any, *transforms: Callable[..., Any], passes: bool = True) -> Any:
    """What each transform, and then each pass on the way to XLA, makes of a function, side by side.

    Every equation has the user's line it comes from, and what it went through on the way: `jvp`,
    `transpose`, `batch`, `pass:simplify`, …

    Args:
        f: a function of arrays and pytrees, or a `Program` (then without transforms).
        transforms: functions of functions, the innermost first: `steps(f, fn.grad, fn.vmap)` looks at
            `fn.vmap(fn.grad(f))`. Options go with `functools.partial` or a lambda.
        passes: whether to show the passes too, those for the platform JAX computes on.

    Returns:
        For a function, a function of the arguments (or types) of the transformed function that gives
        a view; for a Program, the view. Its `.stages` are pairs of a name and a `Program`.

    >>> import fn, fn.numpy as np
    >>> seen = fn.inspect.steps(lambda x: np.sin(x) ** 2, fn.grad, fn.vmap)(np.ones(3))
    >>> [stage.name for stage in seen.stages[:3]]
    ['<lambda>', 'grad', 'vmap']
    >>> seen.stages[2].program.equations[-1].source.origin
    ('jvp', 'transpose', 'batch')
    """
    if isinstance(f, Program) and not transforms:
        return Steps(_with_passes([Stage(f.name, f)], passes))
    for subject in (f, *transforms):
        check_function("steps", subject)

    @public
    def stepped(*args: Any, **kwargs: Any) -> Steps:
        looks = [_Look(f)]
        for transform in transforms:
            looks.append(_Look(transform(looks[-1])))
        # Tracing the outermost function tells each look what arguments its function gets.
        last = traced("steps", looks[-1], args, kwargs)
        names = [name_of(f), *map(_transform_name, transforms)]
        stages = []
        for name, look in zip(names[:-1], looks[:-1], strict=True):
            if look.arguments is not None:
                own_args, own_kwargs = look.arguments
                stages.append(Stage(name, traced("steps", look, own_args, own_kwargs).program))
        stages.append(Stage(names[-1], last.program))
        return Steps(_with_passes(stages, passes))

    return stepped


def _with_passes(stages: list[Stage], passes: bool) -> list[Stage]:
    if passes:
        program = dce(stages[-1].program.closed())
        stages = [*stages, *[Stage(name, after) for name, after in _passed(program)]]
    return stages


def _passed(program: Program) -> list[tuple[str, Program]]:
    """The passes; what each changes is marked before the next one sees it."""
    found: list[tuple[str, Program]] = []
    for name, run in passes_for(jax.default_backend()):
        step = f"pass:{name}"
        program = marked(program, run(program), step)
        found.append((step, program))
    return found


def _transform_name(transform: Any) -> str:
    if isinstance(transform, partial):
        options = ", ".join(
            [*map(str, transform.args), *(f"{k}={v}" for k, v in transform.keywords.items())]
        )
        return f"{name_of(transform.func)}({options})"
    return name_of(transform)


class _Look:
    """A function that remembers the types of the arguments it was first called with."""

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self._function = function
        self.arguments: tuple[Any, Any] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.arguments is None:
            self.arguments = tree_map(lambda leaf: type_of(leaf) or leaf, (args, kwargs))
        return self._function(*args, **kwargs)

    def __fn_environment__(self) -> list[Any]:
        # Something opaque: a remembered trace would not call us, and we would not see the arguments.
        return [object()]


# --- marking what a pass made -----------------------------------------------------------


def marked(before: Program, after: Program, step: str) -> Program:
    """`after`, with `step` noted in the source of each equation that is new or changed."""
    changed: dict[int, set[int]] = {}
    for _, part, alignment in Comparison(before, after).parts:
        changed[id(part)] = {
            m.right for m in alignment.matches if m.right is not None and m.mark != "="
        }
    made: dict[int, Program] = {}

    def rebuilt(program: Program) -> Program:
        known = made.get(id(program))
        if known is None:
            own = changed.get(id(program), set())
            equations = tuple([_with(e, i in own) for i, e in enumerate(program.equations)])
            same = all(a is b for a, b in zip(equations, program.equations, strict=True))
            known = made[id(program)] = (
                program
                if same
                else Program(
                    program.inputs, equations, program.outputs, program.captured, program.name
                )
            )
        return known

    def _with(equation: Equation, is_new: bool) -> Equation:
        params = {name: within(value) for name, value in equation.params.items()}
        source = equation.source
        if is_new and source is not None:
            source = source.through(step)
        elif all(params[name] is value for name, value in equation.params.items()):
            return equation
        return Equation(equation.primitive, equation.inputs, equation.outputs, params, source)

    def within(value: Any) -> Any:
        if isinstance(value, Program):
            return rebuilt(value)
        if isinstance(value, tuple):
            parts = tuple([within(part) for part in value])
            return parts if any(a is not b for a, b in zip(parts, value, strict=True)) else value
        return value

    return rebuilt(after)
