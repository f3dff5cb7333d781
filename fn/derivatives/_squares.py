"""A Program that gives batched gradients, rewritten to give their squared norms per example instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fn.control import inline_calls
from fn.core import (
    Atom,
    Equation,
    Literal,
    Program,
    Trace,
    Variable,
    bind,
    checked,
    dce,
    from_source,
    is_float,
    recording,
)
from fn.derivatives._gram import (
    Cost,
    Labels,
    Product,
    dense_side,
    hot_side,
    of_array,
    of_sum,
    scaled,
    worth_it,
)
from fn.ops import reduce_sum, reshape, transpose

EXAMPLE = "example"
"""The label of the axis that examples are along."""


class Factors(NamedTuple):
    """An equation whose result is a product, up to a factor, and what its axes are."""

    equation: Equation
    labels: Labels
    scale: float
    cost: Cost


class Inside(NamedTuple):
    """A result of an equation that carries a Program, whose norm is computed there."""

    equation: Equation
    output: int
    example: int
    scale: float


Plan = list[Factors] | Inside | None
"""How to get the squared norm of a gradient; None from the gradient."""


def with_squares(program: Program, wanted: Mapping[int, int]) -> Program:
    """`program` with some outputs replaced by their squared norms per example; remembered on it.

    Args:
        program: any Program.
        wanted: for positions of outputs, the axis their examples are along.

    Returns:
        A Program that gives a vector in each of these places, and does not compute the arrays it
        can do without.
    """
    key = ("squares", tuple(sorted(wanted.items())))
    if key not in program.cache:
        program.cache[key] = _rewrite(inline_calls(program), wanted)
    found: Program = program.cache[key]
    return found


def _rewrite(program: Program, wanted: Mapping[int, int]) -> Program:
    search = _Search(program)
    plans = {
        position: search.plan(program.outputs[position], example)
        for position, example in wanted.items()
    }
    inside: dict[Equation, dict[int, int]] = {}
    for plan in plans.values():
        if isinstance(plan, Inside):
            inside.setdefault(plan.equation, {})[plan.output] = plan.example
    trace = Trace(f"norms({program.name})")
    with recording(trace):
        env: dict[Any, Any] = {v: trace.input(v.type) for v in program.inputs}
        norms: dict[Variable, Any] = {}
        for equation in program.equations:
            _record(equation, env, norms, inside.get(equation, {}))

        def read(atom: Atom) -> Any:
            return atom.operand if isinstance(atom, Literal) else env[atom]

        outs = []
        for position, atom in enumerate(program.outputs):
            if position not in wanted:
                outs.append(read(atom))
                continue
            plan = plans[position]
            if plan is None:
                outs.append(of_array(env[atom], wanted[position]))
            elif isinstance(plan, Inside):
                found = norms[plan.equation.outputs[plan.output]]
                outs.append(scaled(found, plan.scale**2))
            else:
                outs.append(of_sum([_product(f, read) for f in plan]))
        own = len(program.inputs) - len(program.captured)
        result = trace.finish(outs, f"norms_{program.name}")
    # Captured inputs stay captured; what rules captured comes after them.
    inputs = result.inputs
    captured = (*program.captured, *result.captured)
    assert len(inputs) == own + len(captured)
    return checked(dce(Program(inputs, result.equations, result.outputs, captured, result.name)))


def _record(
    equation: Equation, env: dict[Any, Any], norms: dict[Variable, Any], inside: Mapping[int, int]
) -> None:
    """Record `equation` again; outputs `inside` it get norms, and what follows of them is left out."""
    if any(isinstance(a, Variable) and a not in env for a in equation.inputs):
        return
    inputs = [a.operand if isinstance(a, Literal) else env[a] for a in equation.inputs]
    params = dict(equation.params)
    if inside:
        params["program"] = with_squares(params["program"], inside).closed()
    with from_source(equation.source):
        outs = bind(equation.primitive, *inputs, **params)
    outs = outs if equation.primitive.multiple else (outs,)
    for index, (variable, out) in enumerate(zip(equation.outputs, outs, strict=True)):
        if index not in inside:
            env[variable] = out
            continue
        # A loop stacks its steps' norms.
        norms[variable] = reduce_sum(out, axes=(0,)) if equation.primitive.name == "scan" else out


# --- finding products -------------------------------------------------------------------


class _Search:
    """Where values of a Program come from."""

    def __init__(self, program: Program) -> None:
        self.origin: dict[Any, Equation] = {v: e for e in program.equations for v in e.outputs}
        self.uses: dict[Any, int] = {}
        for atom in [a for e in program.equations for a in e.inputs] + list(program.outputs):
            self.uses[atom] = self.uses.get(atom, 0) + 1

    def plan(self, gradient: Atom, example: int) -> Plan:
        """How to get the squared norm of a gradient."""
        kind = gradient.type
        if not is_float(kind.dtype):
            return None
        labels = [*range(kind.ndim)]
        named: Labels = tuple([EXAMPLE if i == example else i for i in labels])
        within = self.inside(gradient, named)
        if within is not None:
            return within
        found: list[Factors] = []
        if not self.collect(gradient, named, 1.0, found) or not found:
            return None
        layouts = {_layout(f) for f in found}
        if len(layouts) > 1 or not worth_it([f.cost for f in found]):
            return None
        return found

    def collect(self, atom: Atom, labels: Labels, scale: float, into: list[Factors]) -> bool:
        """Write down the products whose sum `atom` is; False if it is no such sum."""
        equation = self.origin.get(atom)
        if equation is None:
            return False
        back = self.step_back(equation, atom, labels, scale)
        if back is not None:
            return self.collect(*back, into)
        name = equation.primitive.name
        if name == "add" and all(a.type.shape == atom.type.shape for a in equation.inputs):
            return all(self.collect(a, labels, scale, into) for a in equation.inputs)
        if name == "dot_general":
            cost: Cost = _dot_cost(equation, labels)
        elif name == "scatter_add" and self.is_table(equation, labels):
            if not self.is_zero(equation.inputs[0]) and not self.collect(
                equation.inputs[0], labels, scale, into
            ):
                return False
            cost = _table_cost(equation)
        else:
            return False
        into.append(Factors(equation, labels, scale, cost))
        return True

    def step_back(
        self, equation: Equation, atom: Atom, labels: Labels, scale: float
    ) -> tuple[Atom, Labels, float] | None:
        """Past what only moves elements, or multiplies all of them by one number."""
        name, inputs = equation.primitive.name, equation.inputs
        if name in ("convert", "name", "neg") and is_float(inputs[0].type.dtype):
            return inputs[0], labels, -scale if name == "neg" else scale
        if name in ("optimization_barrier", "tag"):
            return inputs[equation.outputs.index(atom)], labels, scale
        if name == "transpose":
            order = equation.params["permutation"]
            return inputs[0], tuple([labels[order.index(i)] for i in range(len(order))]), scale
        if name == "mul":
            for value, factor in (inputs, inputs[::-1]):
                if isinstance(factor, Literal):
                    return value, labels, scale * float(factor.value)
        if name == "reshape":
            return _reshaped(equation, labels, scale)
        return None

    def inside(self, gradient: Atom, labels: Labels) -> Inside | None:
        """The gradient as a result of a Program in an equation that nobody else uses."""
        scale, atom = 1.0, gradient
        while self.uses[atom] == 1 and atom in self.origin:
            equation = self.origin[atom]
            back = self.step_back(equation, atom, labels, scale)
            if back is not None:
                atom, labels, scale = back
                continue
            output = equation.outputs.index(atom)
            example = labels.index(EXAMPLE)
            name = equation.primitive.name
            if name == "remat":
                return Inside(equation, output, example, scale)
            if name == "scan" and output >= equation.params["carry"] and example:
                return Inside(equation, output, example - 1, scale)
            return None
        return None

    def is_zero(self, atom: Atom) -> bool:
        """Whether `atom` is full of zeros."""
        while isinstance(atom, Variable):
            equation = self.origin.get(atom)
            if equation is None or equation.primitive.name not in (
                "broadcast",
                "reshape",
                "convert",
            ):
                return False
            atom = equation.inputs[0]
        return bool(atom.value == 0)

    def is_table(self, equation: Equation, labels: Labels) -> bool:
        """Whether rows are added to a table, by one index each, that is each example's own."""
        p = equation.params
        table, _, updates = (a.type.shape for a in equation.inputs)
        if len(p["index_map"]) != 1 or p["inserted_axes"] != p["index_map"]:
            return False
        if [labels[a] for a in p["x_batch_axes"]] != [EXAMPLE]:
            return False
        rows = [n for a, n in enumerate(table) if a not in (*p["index_map"], *p["x_batch_axes"])]
        return [updates[a] for a in p["update_window_axes"]] == rows


def _reshaped(
    equation: Equation, labels: Labels, scale: float
) -> tuple[Atom, Labels, float] | None:
    """Past a reshape that leaves the examples alone; the other axes are no longer the parameter's."""
    before, after = equation.inputs[0].type.shape, equation.params["shape"]
    at = labels.index(EXAMPLE)
    for i, n in enumerate(before):
        if n == after[at] and _size(before[:i]) == _size(after[:at]):
            marks = [EXAMPLE if a == i else (id(equation), a) for a in range(len(before))]
            return equation.inputs[0], tuple(marks), scale
    return None


def _size(shape: Sequence[int]) -> int:
    total = 1
    for n in shape:
        total *= n
    return total


# --- from equations to products ---------------------------------------------------------


class _Axes(NamedTuple):
    """What the axes of an operand of a product are."""

    example: list[int]
    """One, or none if the operand is the same for all examples."""
    groups: list[int]
    terms: list[int]
    free: list[int]
    labels: Labels


def _dot_axes(equation: Equation, labels: Labels) -> tuple[list[_Axes], Labels]:
    """The axes of both operands, and the groups' labels."""
    contract, batch = equation.params["contract"], equation.params["batch"]
    count = len(batch[0])
    # Two products may have their axes in different orders.
    groups = _in_order([i for i in range(count) if labels[i] != EXAMPLE], labels)
    found, start = [], count
    for side in (0, 1):
        taken = (*contract[side], *batch[side])
        free = [a for a in range(equation.inputs[side].type.ndim) if a not in taken]
        at = dict(zip(range(start, start + len(free)), free, strict=True))
        named = [batch[side][i] for i in range(count) if labels[i] == EXAMPLE]
        named += [a for i, a in at.items() if labels[i] == EXAMPLE]
        order = _in_order([i for i in at if labels[i] != EXAMPLE], labels)
        found.append(
            _Axes(
                named, [batch[side][i] for i in groups], list(contract[side]),
                [at[i] for i in order], tuple([labels[i] for i in order]),
            )
        )  # fmt: skip
        start += len(free)
    return found, tuple([labels[i] for i in groups])


def _in_order(axes: list[int], labels: Labels) -> list[int]:
    return sorted(axes, key=lambda i: str(labels[i]))


def _dot_cost(equation: Equation, labels: Labels) -> Cost:
    shapes = [a.type.shape for a in equation.inputs]
    (left, right), _ = _dot_axes(equation, labels)
    terms, groups, free = (
        _size([shapes[0][a] for a in part]) for part in (left.terms, left.groups, left.free)
    )
    return Cost(terms, groups, free, _size([shapes[1][a] for a in right.free]), False)


def _table_cost(equation: Equation) -> Cost:
    p = equation.params
    table, indices, updates = (a.type.shape for a in equation.inputs)
    terms = _size([n for a, n in enumerate(indices[:-1]) if a not in p["index_batch_axes"]])
    row = _size([updates[a] for a in p["update_window_axes"]])
    return Cost(terms, 1, table[p["index_map"][0]], row, True)


def _layout(factors: Factors) -> Any:
    """What has to be the same for inner products of two products."""
    equation, labels = factors.equation, factors.labels
    if equation.primitive.name == "dot_general":
        (left, right), groups = _dot_axes(equation, labels)
        return frozenset({left.labels, right.labels}), groups
    hot, row = _table_labels(equation, labels)
    return frozenset({hot, row}), ()


def _table_labels(equation: Equation, labels: Labels) -> tuple[Labels, Labels]:
    p = equation.params
    gone = (*p["index_map"], *p["x_batch_axes"])
    rows = [a for a in range(len(labels)) if a not in gone]
    return (labels[p["index_map"][0]],), tuple([labels[a] for a in _in_order(rows, labels)])


def _product(factors: Factors, read: Any) -> Product:
    """The product an equation computes, from its operands."""
    equation, labels, scale, cost = factors
    if equation.primitive.name == "dot_general":
        both, groups = _dot_axes(equation, labels)
        examples = equation.outputs[0].type.shape[labels.index(EXAMPLE)]
        sides = [
            dense_side(read(a), (x.example, x.groups, x.terms, x.free), x.labels, examples)
            for a, x in zip(equation.inputs, both, strict=True)
        ]
        return Product(sides[0], sides[1], groups, cost.terms, scale)
    p = equation.params
    index, updates = (read(a) for a in equation.inputs[1:])
    (label,), names = _table_labels(equation, labels)
    gone = (*p["index_map"], *p["x_batch_axes"])
    rows = [n for a, n in enumerate(labels) if a not in gone]
    (example,) = p["index_batch_axes"]
    places = [a for a in range(updates.ndim) if a not in p["update_window_axes"]]
    terms = [a for i, a in enumerate(places) if i != example]
    free = [p["update_window_axes"][rows.index(name)] for name in names]
    right = dense_side(updates, ([places[example]], [], terms, free), names, cost.groups)
    others = [a for a in range(index.ndim - 1) if a != example]
    index = transpose(index, permutation=(example, *others, index.ndim - 1))
    index = reshape(index, shape=(index.shape[0], cost.terms))
    left = hot_side(index, cost.left, p["mode"], label)
    return Product(left, right, (), cost.terms, scale)
