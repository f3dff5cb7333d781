"""`jacobian` and `hessian`: JAX's numbers, in as few passes as theory has it, under every transform."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fn
import fn.numpy as fnp
from fn.derivatives import Pattern, SparseMatrix
from fn.derivatives import _sparse as module

X = np.random.RandomState(0).uniform(0.4, 1.6, 12).astype(np.float32)
BLOCKS = np.random.RandomState(1).uniform(-1, 1, (3, 4, 4)).astype(np.float32)
BAND = np.triu(np.tril(np.random.RandomState(2).rand(12, 12) + 0.1, 1), -1).astype(np.float32)


class Jax:
    scan, cond = staticmethod(jax.lax.scan), staticmethod(jax.lax.cond)


def burgers(n, lib):
    def rhs(u):
        ahead, behind = n.roll(u, -1), n.roll(u, 1)
        return -u * (ahead - behind) / 2 + 0.1 * (ahead - 2 * u + behind)

    return rhs


def brusselator(n, lib):
    def rhs(x):
        u, v = x.reshape(2, 6)
        lap = lambda w: n.concatenate([w[1:], w[-1:]]) - 2 * w + n.concatenate([w[:1], w[:-1]])
        return n.concatenate([1 + u * u * v - 4 * u + lap(u), 3 * u - u * u * v + lap(v)])

    return rhs


def stencil(n, lib):
    return lambda u: n.diff(n.pad(u, 1) ** 2, n=2)


def block_net(n, lib):
    return lambda x: n.tanh(n.einsum("bij,bj->bi", BLOCKS, n.tanh(x.reshape(3, 4)))).reshape(12)


def banded(n, lib):
    return lambda x: n.sin(n.asarray(BAND) @ x)


def gathered(n, lib):
    return lambda x: x[np.array([0, 0, 5, 7, 2])] * n.take(x, np.array([1, 3, 3, 8, 9]))


def recurrence(n, lib):
    return lambda x: lib.scan(lambda c, xi: (c * xi, n.sin(c) * xi), x[0], x[:5])[1]


def either(n, lib):
    return lambda x: lib.cond(x[0] > 1, lambda x: x * x, lambda x: x * n.roll(x, 1), x)


def few_outputs(n, lib):
    return lambda x: n.stack([(x[:6] ** 2).sum(), n.prod(x[6:]), x[3] * x[9]])


def few_inputs(n, lib):
    return lambda x: n.outer(n.sin(x), X) @ X[:, None]


JACOBIANS = {  # how many passes, and whether they go forward
    "burgers": (burgers, 3, True), "brusselator": (brusselator, 4, True), "stencil": (stencil, 3, True),
    "blocks": (block_net, 4, True), "banded": (banded, 3, True), "gathered": (gathered, 2, True),
    "recurrence": (recurrence, 5, True), "cond": (either, 2, True),
    "few outputs": (few_outputs, 2, False), "diagonal": (few_inputs, 1, True),
}  # fmt: skip


def passes(f, *args, argnums=0):
    found = module._Call.make("jacobian", f, args, {}, argnums, False)
    types = [found.traced.program.out_types[p] for p in found.outputs]
    result = module.compress(found.traced.program, found.moving, tuple(found.outputs), types)
    return result.colours, result.forward


@pytest.mark.parametrize("name", JACOBIANS)
def test_jacobians(name):
    write, colours, forward = JACOBIANS[name]
    ours, theirs = write(fnp, fn), write(jnp, Jax)
    found = fn.jacobian(ours, sparsity="auto")(jnp.asarray(X))
    expected = np.asarray(jax.jit(jax.jacfwd(theirs))(X)).reshape(found.shape)
    np.testing.assert_allclose(found.todense(), expected, rtol=1e-5, atol=1e-6)
    if name != "cond":
        assert found.pattern == Pattern.of(expected)
    count, way = passes(ours, jnp.asarray(X))
    assert count <= colours and way == forward


def rosenbrock(n):
    return lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def arrow(n):
    return lambda x: (x[0] * n.sin(x)).sum() + (x**3).sum()


def split(n):
    return lambda x: (n.tanh(n.einsum("bij,bj->bi", BLOCKS, x.reshape(3, 4))) ** 2).sum()


def quartic(n):
    return lambda x: ((n.asarray(BAND) @ x) ** 4).sum()


def linear(n):
    return lambda x: (x * X).sum() + x[2] * x[5]


HESSIANS = {
    "rosenbrock": (rosenbrock, 3), "arrow": (arrow, 2), "blocks": (split, 4), "linear": (linear, 1),
    "quartic": (quartic, 5),
}  # fmt: skip


@pytest.mark.parametrize(("name", "n"), [*[(name, 12) for name in HESSIANS], ("arrow", 4)])
def test_hessians(name, n):
    write, colours = HESSIANS[name]
    f, X = write(fnp), globals()["X"][:n]
    found = fn.hessian(f, sparsity="auto")(X)
    expected = jax.jit(jax.hessian(write(jnp)))(X)
    np.testing.assert_allclose(found.todense(), expected, rtol=1e-4, atol=1e-4)
    assert found.pattern == Pattern.of(np.asarray(expected))
    sizes = _batch_sizes(fn.trace(fn.hessian(f, sparsity="auto"))(X))
    assert max(sizes) <= colours


def _batch_sizes(program):
    """The leading axes of the seeds: how many directions are pushed at once."""
    (inner,) = [e.params["program"] for e in program.equations if e.primitive.name == "call"]
    return [e.outputs[0].type.shape[0] for e in inner.equations if e.primitive.name == "iota"]


def loss(params, x):
    return (fnp.tanh(params["w"] * x + params["b"]) ** 2).sum() + params["scale"] * x.sum()


PARAMS = {"w": X[:3], "b": X[3:6], "scale": np.float32(2), "name": "layer"}


def test_trees_have_the_structure_of_the_dense_ones():
    def f(p, x):
        return {"y": p["w"] * x, "z": (p["b"] ** 2).sum(), "n": x.argmax(), "s": "text"}, p["w"] - x

    x = X[6:9]
    for argnums in (0, (0, 1), (1,)):
        sparse = fn.jacobian(f, argnums, sparsity="auto")(PARAMS, x)
        forced = fn.jacobian(f, argnums, sparsity="auto", dense=True)(PARAMS, x)
        plain = fn.jacfwd(f, argnums)(PARAMS, x)
        is_matrix = lambda leaf: isinstance(leaf, SparseMatrix)
        shapes = jax.tree.map(lambda m: m.todense().size, sparse, is_leaf=is_matrix)
        assert jax.tree.structure(shapes) == jax.tree.structure(plain)
        for a, b in zip(jax.tree.leaves(forced), jax.tree.leaves(plain), strict=True):
            assert a.shape == b.shape and a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    twice = fn.hessian(loss, (0, 1), sparsity="auto", dense=True)(PARAMS, x)
    plain = fn.hessian(loss, (0, 1))(PARAMS, x)
    assert jax.tree.structure(twice) == jax.tree.structure(plain)
    for a, b in zip(jax.tree.leaves(twice), jax.tree.leaves(plain), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    patterns = fn.sparsity_pattern(f, (0,))(PARAMS, x)
    assert patterns[0]["y"][0]["w"] == Pattern.of(np.eye(3)) and patterns[0]["s"] == (None,)
    assert patterns[0]["y"][0]["b"].nnz == 0 and patterns[0]["n"][0]["w"] is None


def test_under_transforms():
    f = burgers(fnp, fn)
    sparse = fn.jacobian(f, sparsity="auto")
    dense = jax.jit(jax.jacfwd(burgers(jnp, Jax)))
    stack = np.stack([X, 2 * X, X[::-1]])
    np.testing.assert_allclose(fn.jit(sparse)(X).todense(), dense(X), rtol=1e-5, atol=1e-6)
    many = fn.vmap(sparse)(stack)
    assert many.shape == (3, 12, 12) and many.data.shape == (3, 36)
    np.testing.assert_allclose(
        many.todense(), jax.jit(jax.vmap(dense))(stack), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        fn.jit(fn.grad(lambda x: (sparse(x) @ x).sum()))(X),
        jax.jit(jax.grad(lambda x: (dense(x) @ x).sum()))(X), rtol=1e-4, atol=1e-5)  # fmt: skip
    curve = fn.jacobian(
        lambda x: fn.jacobian(lambda x: x**3, sparsity="auto")(x).data, sparsity="auto"
    )
    np.testing.assert_allclose(curve(X).todense(), np.diag(6 * X), rtol=1e-5)
    newton = fn.jit(lambda x: fn.hessian(rosenbrock(fnp), sparsity="auto")(x).todense())
    np.testing.assert_allclose(
        fn.vmap(newton)(stack)[1],
        jax.jit(jax.hessian(rosenbrock(jnp)))(2 * X),
        rtol=1e-3,
        atol=1e-2,
    )


def test_patterns_are_found_once_per_program(monkeypatch):
    calls = []
    find = module.compress.__globals__["_find_pattern"]
    monkeypatch.setitem(
        module.compress.__globals__, "_find_pattern", lambda *a: calls.append(1) or find(*a)
    )
    f = lambda x: fnp.sin(x[1:]) * x[:-1]
    for _ in range(3):
        fn.jacobian(f, sparsity="auto")(X)
    fn.jit(fn.jacobian(f, sparsity="auto"))(X)
    assert len(calls) == 1


def test_aux_and_static_outputs():
    f = lambda x: (x[1:] * x[:-1], {"sum": x.sum(), "kind": "text"})
    for sparsity in (None, "auto"):
        jacobian, aux = fn.jacobian(f, has_aux=True, sparsity=sparsity)(X)
        assert jacobian.shape == (11, 12) and aux["kind"] == "text"
        np.testing.assert_allclose(aux["sum"], X.sum(), rtol=1e-6)
    scalar = lambda x: ((x**3).sum(), x.max())
    hessian, aux = fn.hessian(scalar, has_aux=True, sparsity="auto")(X)
    np.testing.assert_allclose(hessian.data, 6 * X, rtol=1e-5)
    assert aux == X.max()


def test_dense_goes_the_way_that_is_shorter_or_possible():
    def batches(f, *args):
        program = fn.trace(fn.jacobian(f))(*args)
        return {e.outputs[0].type.shape[0] for e in program.equations if e.primitive.name == "iota"}

    assert batches(lambda x: fnp.outer(x, x), X[:3]) == {3}
    assert batches(lambda x: fnp.stack([x.sum(), (x**2).sum()]), X) == {2}
    # Fewer outputs than inputs, but a loop that has no way back.
    loop = lambda x: fn.while_loop(lambda s: s < 9, lambda s: 2 * s, (x**2).sum())[None]
    np.testing.assert_allclose(
        fn.jacobian(loop)(X)[0] / fn.jacobian(loop)(X)[0, 0], X / X[0], rtol=1e-5
    )
    assert fn.jacobian(loop, sparsity="auto")(X).shape == (1, 12)
    # More, but a function that has no way forward.
    back = fn.custom(fnp.exp, vjp=lambda x: (fnp.exp(x), lambda ct: (ct * fnp.exp(x),)))
    for sparsity in (None, "auto"):
        found = fn.jacobian(lambda x: back(x)[:, None] * X[:2], sparsity=sparsity, dense=True)(
            X[:3]
        )
        np.testing.assert_allclose(found[1, :, 1], np.exp(X[1]) * X[:2], rtol=1e-5)


def test_rules_of_their_own_may_give_hessians_that_are_not_symmetric():
    odd = fn.custom(lambda x: x, jvp=lambda p, t: (p[0], t[0] * p[0][::-1]))
    f = lambda x: odd(x).sum() * x[0]
    np.testing.assert_allclose(
        fn.hessian(f, sparsity="auto")(X[:3]).todense(), fn.hessian(f)(X[:3]), rtol=1e-5, atol=1e-6
    )


def test_rules_may_hold_arrays():
    scale, other = fnp.asarray(X), fnp.asarray(2 * X)
    ours = fn.custom(lambda x: x * scale, jvp=lambda p, t: (p[0] * scale, t[0] * scale * other))
    found = fn.hessian(lambda x: (ours(x) ** 2 * other).sum(), sparsity="auto")(X)
    plain = fn.hessian(lambda x: (ours(x) ** 2 * other).sum())(X)
    np.testing.assert_allclose(found.todense(), plain, rtol=1e-5)
    within = fn.jit(lambda x: fn.jacobian(lambda y: ours(y) * x, sparsity="auto")(x).data)(X)
    np.testing.assert_allclose(within, 2 * X**3, rtol=1e-5)


def test_patterns_from_outside():
    f = burgers(fnp, fn)
    whole = fn.jacobian(f, sparsity="auto")(X)
    for pattern in (whole.pattern, whole.pattern.todense(), whole):
        np.testing.assert_array_equal(fn.jacobian(f, sparsity=pattern)(X).data, whole.data)
    curved = fn.hessian(rosenbrock(fnp), sparsity=np.tri(12, k=1) * np.tri(12, k=1).T)(X)
    np.testing.assert_allclose(curved.data, fn.hessian(rosenbrock(fnp), sparsity="auto")(X).data)
    with pytest.raises(fn.FnError, match=r"(?s)does not fit.*\(12, 12\).*\(3, 3\)"):
        fn.jacobian(f, sparsity=np.eye(3))(X)
    with pytest.raises(fn.FnError, match=r"(?s)no such sparsity.*auto.*'banded'"):
        fn.jacobian(f, sparsity="banded")


def test_too_dense_to_write_down(monkeypatch):
    monkeypatch.setattr("fn.derivatives._sets.MOST", 30)
    found = fn.jacobian(lambda x: fnp.cumsum(x) * 2, sparsity="auto")(X)
    np.testing.assert_allclose(found.todense(), 2 * np.tri(12))
    assert found.pattern.nnz == 144
    monkeypatch.setattr("fn.derivatives._compressed._MOST", 100)
    with pytest.raises(fn.FnError, match=r"(?s)not sparse.*about 12 × 12 entries.*fn.jvp"):
        fn.jacobian(lambda x: fnp.cumsum(x) * 3, sparsity="auto")(X)


def test_python_may_look_at_values():
    f = lambda x: x * x if x[0] > 0 else x
    np.testing.assert_allclose(fn.jacobian(f, sparsity="auto")(X).data, 2 * X)
    np.testing.assert_allclose(fn.jacobian(f, sparsity="auto")(-X).data, np.ones(12))


def test_complex_and_mixed_dtypes():
    z = (X[:3] + 1j * X[3:6]).astype(np.complex64)
    found = fn.jacobian(lambda z: z * z, sparsity="auto", holomorphic=True)(z)
    np.testing.assert_allclose(found.data, 2 * z, rtol=1e-5)
    with pytest.raises(fn.FnError, match=r"(?s)complex.*holomorphic"):
        fn.jacobian(lambda z: z * z, sparsity="auto")(z)
    half = X[:3].astype(np.float16)
    f = lambda a, b: ((a * b.astype("float32")) ** 2).sum()
    found = fn.hessian(f, (0, 1), sparsity="auto")(X[:3], half)
    assert found[1][0].dtype == np.float16 and found[0][1].dtype == np.float32
    plain = fn.hessian(f, (0, 1))(X[:3], half)
    np.testing.assert_allclose(found[1][0].todense(), plain[1][0], rtol=2e-2, atol=1e-2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fn.jacobian(3), "first argument is not a function"),
        (lambda: fn.sparsity_pattern(X), "first argument is not a function"),
        (lambda: fn.jacobian(fnp.sin, 1, sparsity="auto")(X), "argnums does not name"),
        (lambda: fn.jacobian(fnp.sin, sparsity="auto")(np.arange(3)), r"(?s)nothing to.*i32\[3\]"),
        (
            lambda: fn.hessian(fnp.sin, sparsity="auto")(X),
            r"(?s)does not return a scalar.*f32\[12\]",
        ),
        (lambda: fn.jacobian(fnp.sin, has_aux=True, sparsity="auto")(X), "did not return a pair"),
    ],
)
def test_errors(call, words):
    with pytest.raises(fn.FnError, match=words):
        call()


def test_no_entries():
    found = fn.jacobian(lambda x: (x * 0 > 1).astype("float32"), sparsity="auto")(X)
    assert found.pattern.nnz == 0 and not found.todense().any()
    assert fn.jacobian(lambda x: x[:0], sparsity="auto")(X).shape == (0, 12)
