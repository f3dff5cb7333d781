"""The outliner: finds what repeats, says it once, and changes no value."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import fn
from fn.core import Primitive, Program, bind, check, evaluate
from fn.xla.passes._outline import Rule, outline, outlined
from fn.xla.passes._outline_borders import thin
from fn.xla.passes._outline_flat import Flat
from fn.xla.passes._outline_report import noticed
from tests.bench import transformer
from tests.programs import names
from tests.xla.passes.planted import ANY, arguments, calls, flattened, mlp, planted, rewired
from tests.xla.passes.text import parsed


def same_bits(before: Program, after: Program, seed: int = 0) -> None:
    """Operation by operation, the two compute the same bits."""
    args = arguments(before, seed)
    for a, b in zip(evaluate(before, args), evaluate(flattened(check(after)), args), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


# --- before and after, as text ----------------------------------------------------------


def test_a_run_that_repeats_is_said_once() -> None:
    before = parsed(
        "a: f32[3], b: f32[3], c: f32[3]",
        """
        d: f32[3] = mul a 2.0:f32[]
        e: f32[3] = sin d
        f: f32[3] = add e b
        g: f32[3] = mul f 2.0:f32[]
        h: f32[3] = sin g
        i: f32[3] = add h c
        return i
        """,
    )
    after = outlined(before, Rule(places=2, saved=3, work=0.0, border=9e9, any=True))
    assert str(check(after)) == (
        "program @block(a: f32[3], b: f32[3]) {\n"
        "  c: f32[3] = mul a 2.0:f32[]\n"
        "  d: f32[3] = sin c\n"
        "  e: f32[3] = add d b\n"
        "  return e\n"
        "}\n"
        "program @main(a: f32[3], b: f32[3], c: f32[3]) {\n"
        "  d: f32[3] = call_apart[program=@block] a b\n"
        "  e: f32[3] = call_apart[program=@block] d c\n"
        "  return e\n"
        "}"
    )
    assert Program.parse(str(after)) == after


def test_numbers_that_differ_become_arguments_and_equal_ones_stay() -> None:
    before = parsed(
        "a: f32[3]",
        """
        b: f32[3] = mul a 2.0:f32[]
        c: f32[3] = sin b
        d: f32[3] = add c 1.0:f32[]
        e: f32[3] = mul d 3.0:f32[]
        f: f32[3] = sin e
        g: f32[3] = add f 1.0:f32[]
        return g
        """,
    )
    after = outlined(before, Rule(places=2, saved=3, work=0.0, border=9e9, any=True))
    assert [e.inputs[1].value for e in after.equations] == [2.0, 3.0]
    assert "1.0:f32[]" in str(after.equations[0].params["program"])
    same_bits(before, after)


def test_what_differs_in_each_copy_stays_outside() -> None:
    lines, value = [], "a"
    for i in range(4):  # a stack of weights, sliced: each slice begins elsewhere
        lines += [
            f"s{i}: f32[1,3] = slice[limits=({i + 1}, 3), starts=({i}, 0), strides=(1, 1)] w",
            f"w{i}: f32[3] = reshape[shape=(3,)] s{i}",
            f"m{i}: f32[3] = mul {value} w{i}",
            f"t{i}: f32[3] = sin m{i}",
            f"u{i}: f32[3] = exp t{i}",
            f"v{i}: f32[3] = add u{i} {value}",
        ]
        value = f"v{i}"
    before = parsed("a: f32[3], w: f32[4,3]", "\n".join([*lines, f"return {value}"]))
    after = outlined(before, Rule(places=2, saved=8, work=0.0, border=9e9, any=True))
    assert [(n, len(p.equations)) for p, n in calls(after).items()] == [(4, 5)]
    assert names(after).count("slice") == 4
    same_bits(before, after)


def test_what_stands_in_the_middle_of_each_copy_divides_it() -> None:
    lines, value = [], "a"
    for i in range(5):  # each copy slices elsewhere what it has computed, and goes on with it
        lines += [
            f"p{i}: f32[9] = sin {value}",
            f"q{i}: f32[9] = mul p{i} p{i}",
            f"r{i}: f32[9] = cos q{i}",
            f"s{i}: f32[9] = add r{i} q{i}",
            f"t{i}: f32[1] = slice[limits=({i + 1},), starts=({i},), strides=(1,)] s{i}",
            f"u{i}: f32[1] = exp t{i}",
            f"v{i}: f32[9] = mul {value} 0.5:f32[]",
            f"w{i}: f32[] = reshape[shape=()] u{i}",
            f"x{i}: f32[9] = add v{i} w{i}",
        ]
        value = f"x{i}"
    before = parsed("a: f32[9]", "\n".join([*lines, f"return {value}"]))
    after = outlined(before, Rule(places=2, saved=8, work=0.0, border=9e9, any=True))
    assert max(calls(after).values()) == 5
    assert names(after).count("slice") == 5
    same_bits(before, after)


def test_equal_operations_on_other_values_are_not_equal() -> None:
    def copy(i: int, x: str, middle: str) -> list[str]:
        return [
            f"p{i}: f32[3] = sin {x}",
            f"q{i}: f32[3] = cos p{i}",
            f"r{i}: f32[3] = mul p{i} q{i}",
            f"s{i}: f32[3] = add r{i} {middle}{i}",
        ]

    lines = copy(0, "a", "p") + copy(1, "s0", "p") + copy(2, "s1", "q") + copy(3, "s2", "p")
    before = parsed("a: f32[3]", "\n".join([*lines, "return s3"]))
    after = outlined(before, Rule(places=2, saved=4, work=0.0, border=9e9, any=True))
    assert len(set(Flat(before).tokens.tolist())) == 4
    assert list(calls(after).values()) == [3]
    same_bits(before, after)


watch_p = Primitive(
    name="test_watch", type=lambda x, step: x, jvp="none", transpose="none", batch="none",
    lower=lambda emit, x, step: x, effect="ordered",
)  # fmt: skip


def test_an_operation_with_an_effect_is_in_no_block_and_keeps_its_place() -> None:
    def f(x):
        for i in range(4):
            for _ in range(4):
                x = fn.numpy.sin(x) * 2.0 + 1.0
            x = bind(watch_p, x, step=i)
        return x

    before = fn.trace(f)(np.ones(3, np.float32))
    after = check(outlined(before, ANY))
    assert calls(after) and not any(p.effects for p in calls(after))
    kept = [[e.params for e in p.equations if e.effects] for p in (before, after)]
    assert kept[0] == kept[1] and len(kept[0]) == 4


def test_a_program_without_repeats_is_left_alone() -> None:
    program = fn.trace(lambda x: fn.numpy.cos(fn.numpy.exp(x).sum() * x))(np.ones(3, np.float32))
    assert outlined(program, ANY) is program
    assert outline(program) is program


def test_small_repeats_do_not_pay() -> None:
    program = planted(3, 6)
    assert calls(outlined(program, ANY))
    assert outline(program) is program


def test_what_xla_would_fuse_is_left_to_it() -> None:
    def f(x: Any) -> Any:
        for _ in range(20):
            for _ in range(10):
                x = fn.numpy.sin(x) * 1.5 + 0.5
            x = x - x.max(-1, keepdims=True)
        return x

    program = fn.trace(f)(np.ones((512, 512), np.float32))
    assert outline(program) is program
    assert calls(outlined(program, Rule(any=True)))


@pytest.mark.parametrize("kept", [False, True])
def test_a_block_that_gives_away_all_it_computes_does_not_pay(kept: bool) -> None:
    def f(x: Any, w: Any) -> Any:
        found = []
        for _ in range(5):
            for _ in range(8):
                for _ in range(4):
                    x = x * 1.5 + 0.5
                    found.append(x)
                x = x @ w
        return x, found if kept else None

    program = fn.trace(f)(np.ones((256, 16), np.float32), np.ones((16, 16), np.float32))
    assert bool(calls(outline(program))) is not kept


def test_only_what_all_calls_take_from_the_same_program_is_thinned() -> None:
    givers = [
        f"""program @{name}(a: f32[64]) {{
          b: f32[64] = sin a
          c: f32[64] = mul b {number}:f32[]
          return b c
        }}"""
        for name, number in (("f", 2.0), ("g", 3.0))
    ]
    text = "\n".join(
        [
            *givers,
            """program @h(a: f32[64], b: f32[64]) {
              c: f32[64] = add a b
              return c
            }
            program @main(a: f32[64]) {
              b: f32[64], c: f32[64] = call_apart[program=@f] a
              d: f32[64], e: f32[64] = call_apart[program=@g] a
              f: f32[64] = call_apart[program=@h] b c
              g: f32[64] = call_apart[program=@h] d e
              return f g
            }""",
        ]
    )
    program = check(Program.parse(text))
    assert thin(program) is program
    one = check(Program.parse(text.replace("@g] a", "@f] a")))
    same_bits(one, thin(one))
    assert [len(p.outputs) for p in calls(thin(one))] == [1, 1]


# --- properties -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_planted_repeats_are_found_and_the_bits_stay(seed: int) -> None:
    program = planted(seed, 2 + seed % 5, noise=(seed % 3) * 0.3)
    after = outlined(program, ANY)
    same_bits(program, after, seed)
    thinner = thin(after)
    same_bits(program, thinner, seed)
    assert sum(calls(thinner).values()) == sum(calls(after).values())


@pytest.mark.parametrize("seed", range(100, 120))
def test_copies_wired_differently_keep_their_values(seed: int) -> None:
    program = rewired(planted(seed, 6), seed)
    after = outlined(program, ANY)
    same_bits(program, after, seed)
    same_bits(program, thin(after), seed)


def test_planted_repeats_are_found() -> None:
    found = [
        max(calls(outlined(planted(s, 6, noise=0.0), ANY)).values(), default=0) for s in range(20)
    ]
    assert sum(n >= 5 for n in found) >= 16, found


@pytest.mark.parametrize("copies", [4, 64])
def test_every_equation_is_looked_at_a_bounded_number_of_times(copies: int) -> None:
    step, args = mlp(copies)
    program = fn.trace(step)(*args)
    report = noticed(outlined(program, ANY))
    assert report.before == len(program.equations)
    assert report.steps < 150 * report.before


# --- networks ---------------------------------------------------------------------------


def test_the_layers_of_a_network_are_found_forwards_and_backwards() -> None:
    step, args = mlp(6)
    program = fn.trace(step)(*args)
    after = check(outlined(program, ANY))
    assert [n for n in calls(after).values() if n >= 4] and len(after.equations) < 40
    forwards, backwards = (
        [p for p in calls(after) if any("dot" in n for n in names(p)) and (len(names(p)) > 8) == b]
        for b in (False, True)
    )
    assert forwards and backwards
    # What updates a layer's parameters goes with the layer.
    assert "sub" in names(backwards[0])
    same_bits(program, after)


def transformer_step(layers: int) -> Program:
    arguments = transformer.arguments(layers)
    return fn.trace(transformer.make_step("fn"))(*arguments).closed()


def test_a_deep_network_is_as_long_as_a_shallow_one() -> None:
    five, deep = (outline(transformer_step(n)) for n in (5, 24))
    assert list(calls(five).values()) == [4, 4]
    assert list(calls(deep).values()) == [23, 23]
    assert _length(deep) < _length(five) + 2 * 23  # a call or two per layer
    assert _length(transformer_step(24)) > 8 * _length(deep)


def _length(program: Program) -> int:
    return len(str(program).splitlines())


def test_the_user_s_lines_stay() -> None:
    after = outline(transformer_step(5))
    for program in calls(after):
        assert program.name == "block"
        assert all(
            e.source is not None and "transformer" in e.source.file for e in program.equations
        )
    report = noticed(after)
    assert [f.sites for f in report.findings] == [4, 4]
    assert report.before > 1000 and report.after < report.before / 2
    assert "4 sites" in str(report)


def test_a_layer_backwards_takes_what_its_own_layer_forwards_gives() -> None:
    after = outline(transformer_step(6))
    forwards, backwards = calls(after)
    if len(forwards.equations) > len(backwards.equations):
        forwards, backwards = backwards, forwards
    given = _bytes(forwards)
    thinner = check(thin(after))
    (smaller,) = [p for p in calls(thinner) if len(p.outputs) < 15 and "tanh" in names(p)]
    assert _bytes(smaller) < 0.5 * given
    # The receiver computes again nothing dear, and no product.
    for name in ("exp", "tanh", "dot_general"):
        assert sum(names(p).count(name) for p in calls(thinner)) == sum(
            names(p).count(name) for p in calls(after)
        )


def _bytes(program: Program) -> int:
    return sum(t.size * t.dtype.itemsize for t in program.out_types)


# --- through XLA ------------------------------------------------------------------------


def test_the_same_numbers_come_out(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = transformer.arguments(5)
    plain = fn.jit(transformer.make_step("fn"), outline=False)(*arguments)
    found = fn.jit(transformer.make_step("fn"))(*arguments)
    _close(found, plain)
    assert "block" in fn.jit(transformer.make_step("fn")).lower(*arguments).as_text()


def _close(found: Any, expected: Any) -> None:
    for a, b in zip(fn.tree.leaves(found), fn.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def test_donated_arrays_are_reused() -> None:
    arguments = jax.device_put(transformer.arguments(5))
    expected = fn.jit(transformer.make_step("fn"), outline=False)(*arguments)
    step = fn.jit(transformer.make_step("fn"), donate_argnums=(0, 1, 2))
    analysis = step.lower(*arguments).compile().memory_analysis()
    params = sum(a.nbytes for a in jax.tree.leaves(arguments[:3]))
    assert analysis.alias_size_in_bytes == params
    first = jax.tree.leaves(arguments[0])[0]
    _close(step(*arguments), expected)
    assert first.is_deleted()


def test_inputs_may_be_sharded() -> None:
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:4]), ("batch",))
    placed = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("batch"))
    everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    *state, x = transformer.arguments(5)
    expected = fn.jit(transformer.make_step("fn"), outline=False)(*state, x)
    spread = [*jax.device_put(state, everywhere), jax.device_put(x, placed)]
    step = fn.jit(transformer.make_step("fn"))
    _close(step(*spread), expected)
    compiled = step.lower(*spread).compile().as_text()
    assert "all-reduce" in compiled and "all-gather" not in compiled


def test_tokens_tell_apart_what_differs() -> None:
    before = parsed(
        "a: f32[3], b: i32[3]",
        """
        c: f32[3] = mul a 0.0:f32[]
        d: f32[3] = mul a 1.0:f32[]
        e: f32[3] = mul c d
        f: i32[3] = mul b 1:i32[]
        g: f32[4] = pad[high=(1,), interior=(0,), low=(0,), value=0.0] a
        h: f32[4] = pad[high=(1,), interior=(0,), low=(0,), value=-0.0] a
        return e f g h
        """,
    )
    assert len(set(Flat(before).tokens.tolist())) == 5
