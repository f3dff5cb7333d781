"""Where things happened: equations know the user's line, tracebacks show the user's frames."""

import traceback

import numpy as np
import pytest

import fn
from fn.core import Lanes, Source, TypeRuleError, current_source, through
from fn.core._source import is_internal
from fn.ops import mul, reduce_sum, reshape, sin
from tests.programs import equations

X = np.ones((2, 3), np.float32)


def _line_of(text: str) -> int:
    with open(__file__) as lines:
        return next(n for n, line in enumerate(lines, 1) if text in line)


def _loss(x):
    y = sin(x)  # first line
    return reduce_sum(
        mul(y, y),  # second line
        axes=(0, 1),
    )


def test_equations_know_their_line() -> None:
    sources = [e.source for e in fn.trace(_loss)(X).equations]
    assert {(s.file, s.code.co_name) for s in sources} == {(__file__, "_loss")}
    assert sources[0].line == _line_of("# first line")
    assert sources[1].line == _line_of("# second line")
    assert str(sources[0]) == f"{__file__}:{_line_of('# first line')} in _loss"


@pytest.mark.parametrize(
    "transform",
    [fn.grad, lambda f: fn.vmap(f, in_axes=(None,), axis_size=2), lambda f: fn.grad(fn.jit(f))],
)
def test_derived_equations_keep_the_line_they_came_from(transform) -> None:
    program = fn.trace(transform(_loss))(X)
    sources = [e.source for e in equations(program) if e.source is not None]
    assert "_loss" in {source.code.co_name for source in sources}
    assert not [source for source in sources if is_internal(source.code)]


def test_current_source() -> None:
    source = current_source()
    assert isinstance(source, Source)
    assert source.code.co_name == "test_current_source"


def test_sources_know_what_their_equation_went_through() -> None:
    program = fn.trace(fn.vmap(fn.grad(_loss)))(np.stack([X, X]))
    origins = {e.source.origin for e in program.equations}
    assert ("jvp", "batch") in origins
    assert ("jvp", "transpose", "batch") in origins
    assert {e.source.origin for e in fn.trace(_loss)(X).equations} == {()}
    names = {e.source.code.co_name for e in program.equations}
    assert names <= {"_loss", "test_sources_know_what_their_equation_went_through"}


def test_one_more_step() -> None:
    source = current_source()
    made = source.through("jvp").through("pass:mine")
    assert made.origin == ("jvp", "pass:mine")
    assert source.origin == ()
    assert str(made) == str(source)
    assert through(None, "jvp").code.co_name == "test_one_more_step"


def test_axes_of_vmap_move_up_behind_a_new_one() -> None:
    made = current_source().through("batch")
    made.batched(5, "i", [0, None])
    again = made.through("batch")
    again.batched(3, None, [0, 1])
    assert again.lanes == (Lanes(3, None, (0, 1)), Lanes(5, "i", (1, None)))
    assert made.lanes == (Lanes(5, "i", (0, None)),)


def _bad(x):
    return reshape(x, shape=(7,))  # the fault


_CALLS = [
    lambda: _bad(X),
    lambda: fn.trace(_bad)(X),
    lambda: fn.eval_type(_bad)(X),
    lambda: fn.jit(_bad)(X),
    lambda: fn.jit(_bad).lower(X),
    lambda: fn.jit(_bad).trace(X),
    lambda: fn.grad(_bad)(X),
    lambda: fn.value_and_grad(_bad)(X),
    lambda: fn.vjp(_bad, X),
    lambda: fn.jvp(_bad, (X,), (X,)),
    lambda: fn.linearize(_bad, X),
    lambda: fn.linear_transpose(_bad, X),
    lambda: fn.vmap(_bad)(X),
    lambda: fn.jacfwd(_bad)(X),
    lambda: fn.jacrev(_bad)(X),
    lambda: fn.hessian(_bad)(X),
    lambda: fn.jit(fn.vmap(fn.grad(fn.jit(_bad))))(X),
]


@pytest.mark.parametrize("call", _CALLS)
def test_tracebacks_show_the_users_frames_and_at_most_one_of_ours(call) -> None:
    with pytest.raises(TypeRuleError) as caught:
        call()
    frames = [frame.f_code for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    users = [code.co_name for code in frames if code.co_filename == __file__]
    assert users[-1] in ("_bad", "<lambda>")
    if call is not _CALLS[0]:  # eager evaluation has no door that could strip frames
        assert len([code for code in frames if is_internal(code)]) <= 1
        assert "_bad" in users
    assert f"at:       {__file__}:{_line_of('# the fault')} in _bad" in str(caught.value)
    assert "JAX" not in "".join(traceback.format_exception(caught.value))


def test_the_users_own_errors_are_shown_as_short() -> None:
    def f(x):
        raise KeyError("mine")

    for call in (fn.grad(f), fn.jit(f), fn.vmap(f), fn.jit(fn.grad(f))):
        with pytest.raises(KeyError, match="mine") as caught:
            call(X)
        frames = [frame.f_code for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
        assert [code.co_name for code in frames if not is_internal(code)][-1] == "f"
        assert len(frames) <= 3


def test_all_frames_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FN_TRACEBACK", "full")
    with pytest.raises(TypeRuleError) as caught:
        fn.jit(fn.grad(_bad))(X)
    frames = [frame.f_code for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert len([code for code in frames if is_internal(code)]) > 3
