"""Identities between values: eager, op by op, compiled, batched, printed, and in other precision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from fn.control import scan
from fn.core import (
    Equation,
    ParseError,
    Program,
    Variable,
    check,
    dce,
    evaluate,
    is_inexact,
    is_integer,
)
from fn.testing._by_op import by_op
from fn.testing._compare import Case
from fn.testing._inputs import lane
from fn.testing._subject import Arrays, Skip, Subject
from fn.transforms import jvp, linearize, vmap
from fn.xla import jit, passes_for


def compiled_is_eager(s: Subject) -> Iterator[Case]:
    """`fn.jit` gives what the function gives when it is called."""
    if s.call is None:
        eager: Arrays = evaluate(s.program, s.arrays)
        compiled = s.value()
    else:
        eager = s.call(*s.arrays)
        compiled = s.compiled("jit", s.call)(*s.arrays)
    yield Case(compiled, eager, ("jit", "eager"), labels=s.labels, noise=s.noise)


def by_op_is_compiled(s: Subject) -> Iterator[Case]:
    """The Program evaluated op by op gives what XLA makes of all of it."""
    yield Case(s.value(), s.value_by_op(), ("XLA", "op by op"), labels=s.labels, noise=s.noise)


# --- vmap -------------------------------------------------------------------------------


def batched_is_looped(s: Subject) -> Iterator[Case]:
    """vmap against a Python loop, along every axis and in chunks of every size."""
    placements = s.placements()
    if not placements:
        raise Skip("no arguments")
    whole = next((p for p in placements if None not in p[: s.own]), placements[0])
    sizes = sorted({1, 2, s.lanes} - ({s.lanes + 1} if s.lanes > 1 else set()))
    tried = [(p, None) for p in placements] + [(whole, size) for size in sizes]
    program = s.program

    def function(*xs: Any) -> Any:
        return tuple(evaluate(program, xs))

    def all_of(batches: Any) -> Any:
        return [
            vmap(function, in_axes=places, chunk_size=size)(*batch)
            for (places, size), batch in zip(tried, batches, strict=True)
        ]

    batches = [s.batch(places) for places, _ in tried]
    found = s.compiled(("vmap", s.lanes), all_of)(batches)
    for (places, size), outs in zip(tried, found, strict=True):
        rows = [s.at(s.lane(places, k)).value() for k in range(s.lanes)]
        stacked = [np.stack([np.asarray(x) for x in column]) for column in zip(*rows, strict=True)]
        detail = f"in_axes={places[: s.own]}" + (f", chunk_size={size}" if size else "")
        yield Case(outs, stacked, ("vmap", "loop"), labels=s.labels, detail=detail, noise=s.noise)


# --- passes -----------------------------------------------------------------------------


def optimised(program: Program) -> Iterator[tuple[str, Program]]:
    """The name of each pass, and the Program it leaves."""
    for name, run in passes_for(jax.default_backend()):
        program = check(run(program))
        yield name, program


def outlined_is_flat(s: Subject) -> Iterator[Case]:
    """The passes change nothing: what they leave, op by op; and with repeats outlined, compiled."""
    last = [s.program, *(program for _, program in optimised(s.program))][-1]
    expected = s.value_by_op()
    yield Case(
        by_op(last, s.arrays),
        expected,
        ("after all passes", "before"),
        labels=s.labels,
        noise=s.noise,
    )
    program = s.program
    flat = s.compiled("value", lambda *xs: evaluate(program, xs), outline=False)(*s.arrays)
    yield Case(s.value(), flat, ("outlined", "flat"), labels=s.labels, noise=s.noise)


# --- text -------------------------------------------------------------------------------


class Fault(Exception):
    """An identity that fails in a way that is no difference of numbers; the message says how."""


def text_is_program(s: Subject) -> Iterator[Case]:
    """`Program.parse` reads back what `str` wrote."""
    text = str(s.program)
    if "=<" in text:
        raise Skip("a parameter has no text form")
    try:
        read = Program.parse(text)
    except ParseError as error:
        raise Fault(f"the printed program does not parse: {error.what}") from None
    if read != s.program:
        raise Fault("the parsed program is not the one that was printed")
    if str(read) != text:
        raise Fault("the parsed program prints differently")
    outs = s.compiled("read", lambda *xs: tuple(evaluate(read, xs)))(*s.arrays)
    yield Case(outs, s.value(), ("parsed", "itself"), labels=s.labels, noise=s.noise)


# --- precision --------------------------------------------------------------------------


def single_is_double(s: Subject) -> Iterator[Case]:
    """Computed in 64 bits, the result is the same up to the rounding of its own precision."""
    types = (*s.program.in_types, *s.program.out_types)
    narrow = [t for t in types if is_inexact(t.dtype) and t.dtype.itemsize < _DOUBLE[t.dtype.kind]]
    if not narrow:
        raise Skip("nothing is computed in less than 64 bits")
    outs = s.value()
    with jax.enable_x64(True):
        wide = s.wide.program
        run = s.compiled("wide", lambda *xs: tuple(evaluate(wide, xs)))
        found = [np.asarray(o) for o in run(*s.wide_points)]
    allowed = s.noise
    loose = [e.primitive.name for e in s.inlined.equations if e.primitive.name in _NOT_UNIQUE]
    if loose:
        raise Skip(f"the vectors that {loose[0]} gives are not unique")
    if any(e.primitive.name == "reduce_precision" for e in s.inlined.equations):
        raise Skip("reduce_precision rounds on purpose")
    for i, (a, b) in enumerate(zip(outs, found, strict=True)):
        a = np.asarray(a)
        if is_inexact(a.dtype):
            yield Case(
                [a], [b.astype(a.dtype)], (str(a.dtype), str(b.dtype)),
                labels=s.labels[i : i + 1], noise=lambda i=i: allowed()[i : i + 1],
            )  # fmt: skip
        else:
            names = ("at its own precision", "in 64 bits")
            yield Case(
                [a], [b], names, labels=s.labels[i : i + 1], noise=lambda i=i: allowed()[i : i + 1]
            )


_NOT_UNIQUE = frozenset({"eig", "eigh", "svd", "schur", "qr", "geqrf"})
_DOUBLE = {"f": 8, "c": 16, "V": 8}


# --- keys -------------------------------------------------------------------------------

_RANDOM = ("random_bits", "threefry")


def _draws(program: Program) -> list[Equation]:
    return [e for e in program.equations if e.primitive.name.startswith(_RANDOM)]


def _has_draws(program: Program) -> bool:
    return bool(_draws(program)) or any(_has_draws(p) for p in program.subprograms())


def same_key_same_bits(s: Subject) -> Iterator[Case]:
    """A key gives the same random bits whatever transform the function goes through."""
    inlined = s.inlined
    if not _has_draws(inlined):
        raise Skip("no random bits are drawn")
    drawn = tuple([v for e in _draws(inlined) for v in e.outputs])
    whole = tuple(
        [a for a in inlined.outputs if isinstance(a, Variable) and is_integer(a.type.dtype)]
    )
    bits = dce(Program(inlined.inputs, inlined.equations, (*drawn, *whole), (), "bits"))
    if not bits.outputs:
        raise Skip("random bits are drawn inside of loops only, and no integers come out")
    labels = [f"random bits {i}" for i in range(len(drawn))] + ["integers"] * len(whole)
    own = range(s.own)

    def function(*xs: Any) -> Any:
        return tuple(evaluate(bits, xs))

    def moved(*xs: Any) -> Any:
        ts = tuple(
            [
                np.ones(t.shape, t.dtype) if m else None
                for t, m in zip(s.types, s.moving, strict=True)
            ]
        )
        return jvp(function, xs, ts)[0]

    def scanned(*xs: Any) -> Any:
        return scan(lambda c, _: (c, function(*xs)), None, length=2)[1]

    eager = function(*s.arrays)
    names = {
        "jit": function, "jvp": moved, "linearize": lambda *xs: linearize(function, *xs)[0],
        "scan": lambda *xs: tuple([o[1] for o in scanned(*xs)]),
    }  # fmt: skip
    for name, transformed in names.items():
        outs = (
            jit(transformed)(*s.arrays)
            if name != "jit"
            else s.compiled("bits", function)(*s.arrays)
        )
        yield Case(outs, eager, (name, "eager"), labels=labels, exact=True)
    places = tuple([0 if i in own else None for i in range(len(s.types))])
    if not own:
        return
    batched = s.compiled(("bits", s.lanes), vmap(function, in_axes=places))(*s.batch(places))
    single = s.compiled("bits", function)
    for k in range(s.lanes):
        args = [lane(x, k) if p is not None else x for x, p in zip(s.arrays, places, strict=True)]
        yield Case(
            [np.asarray(o)[k] for o in batched], single(*args), ("vmap", "jit"), labels=labels,
            detail=f"lane {k}", exact=True,
        )  # fmt: skip
