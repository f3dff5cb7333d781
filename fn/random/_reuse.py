"""`check_reuse`: look for keys that a function uses twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from fn.core import (
    ArrayType,
    Equation,
    FnError,
    Literal,
    Program,
    Source,
    public,
    split_arguments,
    trace_call,
)
from fn.random._follow import LARGEST, Ledger, Marks, follow, identity
from fn.random._keys import raw

Key = tuple[int, int]
# Rounds of a loop that are followed: in the second a key from outside is met again, in the third one
# that two variables hand to each other.
_ROUNDS = 3
_USERS = {"random_bits": "a sampler", "random_gamma": "a sampler", "random_split": "split"}


class KeyReuseError(FnError, ValueError):
    """A function uses a key twice: what it draws with it is not independent."""


@public
def check_reuse(function: Callable[..., Any]) -> Callable[..., None]:
    """A function that raises if `function` uses a key more than once for its arguments.

    Samplers and `split` use a key; `fold_in` does not, but the same number folded in twice gives the
    same key. Keys are followed through indexing, reshaping, `scan`, `while_loop`, `cond`, `vmap` and
    whatever else: rows of a split are different keys, a row taken twice is one, a key from outside of
    a loop that is used inside it is used in each round. What is computed again for a derivative (see
    `fn.checkpoint`) is no second use. To use a key twice on purpose, `clone` it.

    Args:
        function: of arrays and pytrees. It is traced and not run; keys among its arguments are compared by
            value, so that one key given twice is one key.

    Returns:
        A function of the same arguments that returns None.

    Raises:
        KeyReuseError: with the lines of both uses.

    >>> import fn
    >>> def f(key):
    ...     return fn.random.normal(key) + fn.random.uniform(key)
    >>> fn.random.check_reuse(f)(fn.random.key(0))  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    fn.random._reuse.KeyReuseError: a key is used twice
    ...
    """

    @wraps(function)
    @public
    def check(*args: Any, **kwargs: Any) -> None:
        split = split_arguments("check_reuse", function, args, kwargs)
        program = trace_call("check_reuse", function, args, kwargs, split).program
        walk = _Walk()
        values = [*split.arrays, *program.captured]
        marks = [
            walk.argument(i, x, v.type) for i, (x, v) in enumerate(zip(values, program.inputs))
        ]
        walk.run(program, marks)

    return check


class _Use(NamedTuple):
    source: Source | None
    by: str
    rounds: tuple[int, ...]
    """The round of each loop around it."""

    def at(self, other: _Use) -> bool:
        """Whether both stand at one place of the user's code."""
        a, b = self.source, other.source
        return a is not None and b is not None and (a.code, a.offset) == (b.code, b.offset)


class _Walk:
    """One way through a Program, and the keys used on it."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.used: dict[Key, _Use] = {}
        self.members: dict[Key, list[Key]] = {}
        """Keys that were used, each of which is one of several."""
        self.replaying = False
        self.rounds: tuple[int, ...] = ()
        self.clones = 0

    def argument(self, position: int, value: Any, type: ArrayType) -> Marks:
        """The marks of an argument: known numbers, if it is a concrete array of few integers."""
        concrete = not isinstance(value, ArrayType) and hasattr(value, "__array__")
        if isinstance(value, (bool, int)) or (
            concrete and type.dtype.kind in "iu" and type.size <= LARGEST
        ):
            return self.ledger.numbers(np.asarray(raw(value)))
        return self.ledger.new(("argument", position), type)

    def run(self, program: Program, inputs: Sequence[Marks]) -> list[Marks]:
        """Follow the equations of `program`; gives the marks of its outputs."""
        env: dict[Any, Marks] = dict(zip(program.inputs, inputs, strict=True))

        def read(atom: Any) -> Marks:
            if not isinstance(atom, Literal):
                return env[atom]
            if atom.type.dtype.kind in "iub":
                return self.ledger.numbers(atom.value)
            return self.ledger.mark(atom)

        for equation in program.equations:
            outputs = self.step(equation, [read(a) for a in equation.inputs])
            env.update(zip(equation.outputs, outputs, strict=True))
        return [read(a) for a in program.outputs]

    # --- equations ---

    def step(self, equation: Equation, inputs: list[Marks]) -> list[Marks]:
        """Follow one equation."""
        name, params = equation.primitive.name, equation.params
        rule = getattr(self, f"_{name}", None)
        if rule is not None:
            found: list[Marks] = rule(equation, inputs)
            return found
        for inner in ("program", "fast", "solve"):
            body = params.get(inner)
            if isinstance(body, Program) and len(body.inputs) == len(inputs):
                return self.run(body, inputs)
        return follow(self.ledger, equation, inputs)

    def _random_bits(self, equation: Equation, inputs: list[Marks]) -> list[Marks]:
        self.use(equation, inputs[0])
        return follow(self.ledger, equation, inputs)

    _random_gamma = _random_bits

    def _random_split(self, equation: Equation, inputs: list[Marks]) -> list[Marks]:
        self.use(equation, inputs[0])
        type, keys = equation.outputs[0].type, inputs[0]
        if not isinstance(keys, np.ndarray) or type.size > LARGEST:
            return follow(self.ledger, equation, inputs)
        count = int(np.prod(equation.params["shape"], dtype=int))
        words = [
            self._hashed(key, self.ledger.number(i)) for key in _keys(keys) for i in range(count)
        ]
        return [np.array(words, np.int64).reshape(type.shape)]

    def _random_fold_in(self, equation: Equation, inputs: list[Marks]) -> list[Marks]:
        type, (keys, data) = equation.outputs[0].type, inputs
        if not all(isinstance(m, np.ndarray) for m in inputs) or type.size > LARGEST:
            return follow(self.ledger, equation, inputs)
        # The i-th row of a split is what folding in i gives.
        numbers = np.broadcast_to(data, type.shape[:-1])
        spread = np.broadcast_to(keys, type.shape)
        words = [self._hashed(k, int(n)) for k, n in zip(_keys(spread), numbers.ravel())]
        return [np.array(words, np.int64).reshape(type.shape)]

    def _hashed(self, key: Key, number: int) -> Key:
        meaning = ("hash", key, number)
        return self.ledger.mark((meaning, 0)), self.ledger.mark((meaning, 1))

    def _random_clone(self, equation: Equation, inputs: list[Marks]) -> list[Marks]:
        self.clones += 1
        return [self.ledger.new(("clone", self.clones), equation.outputs[0].type)]

    def _remat(self, equation: Equation, inputs: list[Marks]) -> list[Marks]:
        before, self.replaying = self.replaying, self.replaying or equation.params["deferred"]
        outputs = self.run(equation.params["program"], inputs)
        self.replaying = before
        return outputs

    def _switch(self, equation: Equation, inputs: list[Marks]) -> list[Marks]:
        return self._branches(equation.params["branches"], inputs[1:])

    def _branches(self, branches: Sequence[Program], inputs: Sequence[Marks]) -> list[Marks]:
        """Only one branch is taken: keys are used by one or by another."""
        before, after, results = dict(self.used), dict(self.used), []
        for branch in branches:
            self.used = dict(before)
            results.append(self.run(branch, inputs))
            after = {**self.used, **after}
        self.used = after
        return [self.ledger.join(options) for options in zip(*results, strict=True)]

    def _switch_lanes(self, equation: Equation, inputs: list[Marks]) -> list[Marks]:
        lanes, size = equation.params["lanes"], equation.inputs[0].type.shape[0]
        entries = inputs[1:]
        if size > _ROUNDS or not all(
            isinstance(m, np.ndarray) for m, own in zip(entries, lanes) if own
        ):
            return follow(self.ledger, equation, inputs)
        rows = []
        for i in range(size):
            mine = [m[i] if own else m for m, own in zip(entries, lanes)]
            rows.append(self._branches(equation.params["branches"], mine))
        return self._stacked(equation, list(zip(*rows, strict=True)), size)

    def _scan(self, equation: Equation, inputs: list[Marks]) -> list[Marks]:
        params = equation.params
        program, length = params["program"], params["length"]
        consts, start = params["consts"], params["consts"] + params["carry"]
        fixed, carry, xs = inputs[:consts], inputs[consts:start], inputs[start:]
        order = range(length - 1, -1, -1) if params["reverse"] else range(length)
        rows: dict[int, list[Marks]] = {}
        for i, place in enumerate(order[:_ROUNDS]):
            mine = [self._entry(m, place) for m in xs]
            before = dict(self.used)
            outputs = self._round(i, program, [*fixed, *carry, *mine])
            carry, rows[place] = outputs[: len(carry)], outputs[len(carry) :]
        for place in order[_ROUNDS:]:  # they use of their entries what the last one used of its
            self._use_alike(before, xs, order[_ROUNDS - 1], place)
        opaque = follow(self.ledger, equation, inputs)
        if length > _ROUNDS:
            return opaque
        ys = [
            self._stacked_rows([rows[i][j] for i in range(length)], opaque[len(carry) + j])
            for j in range(len(opaque) - len(carry))
        ]
        return [*carry, *ys]

    def _round(self, i: int, program: Program, inputs: Sequence[Marks]) -> list[Marks]:
        outer, self.rounds = self.rounds, (*self.rounds, i)
        outputs = self.run(program, inputs)
        self.rounds = outer
        return outputs

    def _use_alike(
        self, before: dict[Key, _Use], xs: Sequence[Marks], pattern: int, place: int
    ) -> None:
        for m in xs:
            if not isinstance(m, np.ndarray) or m.shape[-1:] != (2,) or m.ndim < 2:
                continue
            for model, key in zip(_keys(m[pattern]), _keys(m[place]), strict=True):
                if model in self.used and model not in before:
                    self._use_one(self.used[model], key)

    def _entry(self, marks: Marks, place: int) -> Marks:
        if isinstance(marks, np.ndarray):
            return marks[place]
        return self.ledger.mark(("entry", marks, place))

    def _stacked(self, equation: Equation, columns: Sequence[Any], size: int) -> list[Marks]:
        opaque = [
            self.ledger.mark((equation.primitive.name, id(equation), i))
            for i in range(len(columns))
        ]
        return [self._stacked_rows(list(c), o) for c, o in zip(columns, opaque, strict=True)]

    def _stacked_rows(self, rows: list[Marks], otherwise: Marks) -> Marks:
        if rows and all(isinstance(r, np.ndarray) for r in rows):
            return np.stack(rows)
        return otherwise

    def _while_loop(self, equation: Equation, inputs: list[Marks]) -> list[Marks]:
        params = equation.params
        first, start = params["cond_consts"], params["cond_consts"] + params["body_consts"]
        carry = inputs[start:]
        for i in range(_ROUNDS):
            self._round(i, params["cond"], [*inputs[:first], *carry])
            carry = self._round(i, params["body"], [*inputs[first:start], *carry])
        opaque = follow(self.ledger, equation, inputs)
        same = [identity(a) == identity(b) for a, b in zip(inputs[start:], carry, strict=True)]
        return [c if s else o for c, s, o in zip(carry, same, opaque, strict=True)]

    _bounded_while = _while_loop

    # --- keys ---

    def use(self, equation: Equation, keys: Marks) -> None:
        """Note that an equation uses keys; raises if one of them was used."""
        use = _Use(equation.source, _USERS[equation.primitive.name], self.rounds)
        if not isinstance(keys, np.ndarray):
            self._use_one(use, (keys, keys))
            return
        for key in _keys(keys):
            self._use_one(use, key)

    def _use_one(self, use: _Use, key: Key) -> None:
        options = self._options(key)
        if key in self.used:
            if self.replaying and use.at(self.used[key]):
                return  # computed again, from the same line
            raise _reuse(self.used[key], use)
        if options:
            spent = [self.used[k] for k in options if k in self.used]
            surely = key[0] not in self.ledger.either
            if spent and (len(spent) == len(options) or not surely):
                raise _reuse(spent[-1], use)
            if surely:  # a row at some place: which one is not known
                self.members[key] = options
            else:
                self.used.update(dict.fromkeys(options, use))
        self.used[key] = use
        for row, rows in self.members.items():
            if (
                row != key
                and row in self.used
                and key in rows
                and all(k in self.used for k in rows)
            ):
                raise _reuse(self.used[row], use)

    def _options(self, key: Key) -> list[Key]:
        """The keys that a key is one of."""
        high, low = (self.ledger.among.get(m) for m in key)
        if high is None or low is None or len(high) != len(low):
            return []
        return list(zip(high, low, strict=True))


def _keys(marks: Any) -> Iterator[Key]:
    """The keys of an array of marks of their words."""
    for high, low in marks.reshape(-1, 2):
        yield int(high), int(low)


def _reuse(first: _Use, again: _Use) -> KeyReuseError:
    fix = "split it first: key, subkey = fn.random.split(key); to draw the same twice, fn.random.clone it"
    if not first.at(again):
        got = f"by {first.by} at {first.source}, then by {again.by} at {again.source}"
    elif first.rounds != again.rounds:
        got = f"by {again.by} at {again.source}, in each round of a loop"
        fix = "carry the key along and split it in each round, or scan over the rows of a split"
    else:
        got = f"by {again.by} at {again.source}, which runs twice with it"
    return KeyReuseError(
        "a key is used twice",
        expected="each key used once, by a sampler or by split",
        got=got,
        fix=fix,
    )
