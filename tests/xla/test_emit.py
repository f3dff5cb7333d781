"""StableHLO: the text of a small Program letter by letter, and that XLA's parser takes it."""

import jax
import numpy as np

import fn
from fn.control import call
from fn.ops import add, mul, reduce_sum, sin
from fn.xla import emit

X = np.ones((2, 3), np.float32)


def test_golden() -> None:
    square = fn.trace(lambda x: mul(x, x))(X)

    def main(x, s):
        y = add(call(square, mul(x, s))[0], 1.5)
        return reduce_sum(call(square, y)[0], axes=(1,)), np.int32(7), x

    text, name = emit(fn.trace(main)(X, 2.0), "p_")
    assert name == "p_main"
    assert (
        text
        == """module {
func.func private @p__lambda_(%arg0: tensor<2x3xf32>) -> (tensor<2x3xf32>) {
  %0 = "stablehlo.multiply"(%arg0, %arg0) : (tensor<2x3xf32>, tensor<2x3xf32>) -> (tensor<2x3xf32>)
  "func.return"(%0) : (tensor<2x3xf32>) -> ()
}
func.func private @p_main(%arg0: tensor<2x3xf32>, %arg1: tensor<f32>) -> (tensor<2xf32>, tensor<i32>, tensor<2x3xf32>) {
  %3 = "stablehlo.constant"() {value = dense<1.500000000e+00> : tensor<2x3xf32>} : () -> tensor<2x3xf32>
  %9 = "stablehlo.constant"() {value = dense<0.000000000e+00> : tensor<f32>} : () -> tensor<f32>
  %11 = "stablehlo.constant"() {value = dense<7> : tensor<i32>} : () -> tensor<i32>
  %0 = "stablehlo.broadcast_in_dim"(%arg1) {broadcast_dimensions = array<i64>} : (tensor<f32>) -> (tensor<2x3xf32>)
  %1 = "stablehlo.multiply"(%arg0, %0) : (tensor<2x3xf32>, tensor<2x3xf32>) -> (tensor<2x3xf32>)
  %2 = "func.call"(%1) {callee = @p__lambda_} : (tensor<2x3xf32>) -> (tensor<2x3xf32>)
  %4 = "stablehlo.add"(%2, %3) : (tensor<2x3xf32>, tensor<2x3xf32>) -> (tensor<2x3xf32>)
  %5 = "func.call"(%4) {callee = @p__lambda_} : (tensor<2x3xf32>) -> (tensor<2x3xf32>)
  %10 = "stablehlo.reduce"(%5, %9) ({
^bb0(%6: tensor<f32>, %7: tensor<f32>):
  %8 = "stablehlo.add"(%6, %7) : (tensor<f32>, tensor<f32>) -> (tensor<f32>)
  "stablehlo.return"(%8) : (tensor<f32>) -> ()
}) {dimensions = array<i64: 1>} : (tensor<2x3xf32>, tensor<f32>) -> (tensor<2xf32>)
  "func.return"(%10, %11, %arg0) : (tensor<2xf32>, tensor<i32>, tensor<2x3xf32>) -> ()
}
}
"""
    )


def test_the_same_program_gives_the_same_text() -> None:
    def make():
        return fn.trace(lambda x: sin(add(x, 1.0)))(X)

    fn.clear_trace_cache()
    first = emit(make())
    fn.clear_trace_cache()
    assert emit(make()) == first


def test_constants_are_exact() -> None:
    values = [0.1, -0.0, float("inf"), float("-inf"), 1e-45, 3.4028235e38, 1 / 3]
    out = fn.jit(lambda: tuple(fn.ops.full(np.float32(v), (2,)) for v in values))()
    for o, v in zip(out, values):
        assert np.asarray(o)[0].tobytes() == np.float32(v).tobytes()
    odd = np.frombuffer(np.uint32(0x7FC12345).tobytes(), np.float32)[0]
    (nan,) = fn.jit(lambda: (fn.ops.full(odd, (1,)),))()
    assert np.asarray(nan).tobytes() == odd.tobytes()
    assert complex(fn.jit(lambda: fn.ops.full(np.complex64(1 - 2j), (1,)))()[0]) == 1 - 2j
    assert int(fn.jit(lambda: fn.ops.full(np.uint8(255), (1,)))()[0]) == 255
    assert bool(fn.jit(lambda: fn.ops.full(True, (1,)))()[0]) is True


def test_functions_in_one_module_keep_apart() -> None:
    f, g = fn.jit(lambda x: mul(x, 2.0)), fn.jit(lambda x: mul(x, 3.0))
    both = jax.jit(lambda x: (f(x), g(x), f(g(x))))
    text = both.lower(X).as_text()
    assert text.count("func.func public") == 1
    np.testing.assert_array_equal(np.stack(both(X)), np.stack([2 * X, 3 * X, 6 * X]))
