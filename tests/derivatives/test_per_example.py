"""Gradients per example, and their norms and clipped sums without them."""

import jax
import numpy as np
import pytest

import fn
import fn.numpy as fnp
from fn import nn

RNG = np.random.RandomState(0)


def normal(*shape, dtype=np.float32):
    return (RNG.randn(*shape) * 0.5).astype(dtype)


def oracle(f, params, *batch):
    """Norms from the gradients, one example after the other."""
    one = fn.jit(fn.grad(f))
    rows = [one(params, *[b[i] for b in batch]) for i in range(len(batch[0]))]
    squares = [
        sum((np.abs(np.asarray(g).astype(complex)) ** 2).sum() for g in jax.tree.leaves(r))
        for r in rows
    ]
    return np.sqrt(squares)


def shapes(program):
    """Shapes of everything a Program computes, inside loops as well."""
    found = {v.type.shape for e in program.equations for v in e.outputs}
    return found.union(*map(shapes, program.subprograms()))


def mlp(p, x, y):
    hidden = fnp.tanh(x @ p["w1"] + p["b1"])
    return ((hidden @ p["w2"] + p["b2"] - y) ** 2).mean()


MLP = {"w1": normal(5, 7), "b1": normal(7), "w2": normal(7, 3), "b2": normal(3), "name": "mlp"}


def attention(p, x):
    """A transformer's block, with heads by einsum and a shared projection."""
    q, k, v = (fnp.einsum("td,dhe->hte", x, p[n]) for n in "qkv")
    weights = nn.softmax(fnp.einsum("hte,hse->hts", q, k))
    mixed = fnp.einsum("hts,hse,hed->td", weights, v, p["o"])
    x = x + mixed
    x = x * fnp.reciprocal(fnp.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)) * p["scale"]
    return (nn.gelu(x @ p["up"]) @ p["down"]).sum()


BLOCK = {
    "q": normal(12, 2, 6), "k": normal(12, 2, 6), "v": normal(12, 2, 6), "o": normal(2, 6, 12),
    "scale": normal(12), "up": normal(12, 20), "down": normal(20, 12),
}  # fmt: skip


def tied(p, tokens):
    """An embedding that is also the last layer."""
    return nn.cross_entropy(fnp.tanh(p["table"][tokens]) @ p["table"].T, tokens).mean()


def twice(p, x):
    """One matrix in two layers, transposed the second time, and once more with a factor."""
    hidden = fnp.tanh(x @ p["w"])
    return (fnp.sin(hidden @ p["w"].T) @ -p["w"]).sum() - (x @ p["w"]).sum() * 3.0


def cut(p, x):
    """A matrix that is also used in pieces, of which nobody keeps track."""
    pieces = fnp.einsum("td,dhe->the", fnp.sin(x), p["w"].reshape(13, 2, 7))
    return (fnp.sin(x @ p["w"])).sum() + fnp.sin(pieces).sum()


def layers(p, x):
    """Stacked parameters in a loop with rematerialisation."""
    step = fn.remat(lambda h, w: (fnp.tanh(h @ w["w"] + w["b"]), None))
    return (fn.scan(step, x, p)[0] ** 2).sum()


def recurrent(p, xs):
    return fn.scan(lambda h, x: (fnp.tanh(h @ p["h"] + x @ p["x"]), None), fnp.zeros(6), xs)[
        0
    ].sum()


def convolved(p, x):
    y, _ = nn.conv(3, 3).apply(p["conv"], {}, x[None])
    return (fnp.tanh(y).mean((0, 1, 2)) @ p["w"]).sum()


@fn.jit
def jitted(p, x):
    return fn.jit(lambda x: (x @ p["w"]).sum())(fnp.tanh(x @ p["w"].T))


CASES = {  # function, parameters, batch, and shapes of gradients per example that are not to be made
    "mlp": (mlp, MLP, (normal(4, 5), normal(4, 3)), [(4, 5, 7), (4, 7, 3)]),
    "mlp of sequences": (mlp, MLP, (normal(4, 2, 5), normal(4, 2, 3)), [(4, 5, 7)]),
    "mlp of grids": (mlp, MLP, (normal(3, 1, 2, 5), normal(3, 1, 2, 3)), [(3, 5, 7)]),
    "attention": (attention, BLOCK, (normal(3, 4, 12),), [(3, 12, 2, 6), (3, 2, 6, 12), (3, 12, 20)]),
    "tied embedding": (tied, {"table": normal(31, 9)}, (RNG.randint(-31, 31, (3, 4)),), [(3, 31, 9)]),
    "shared": (twice, {"w": normal(13, 14)}, (normal(3, 2, 13),), [(3, 13, 14)]),
    "shared, one position": (twice, {"w": normal(13, 14)}, (normal(3, 13),), [(3, 13, 14)]),
    "shared in pieces": (cut, {"w": normal(13, 14)}, (normal(3, 2, 13),), []),
    "scan of remat": (
        layers, {"w": normal(3, 8, 8), "b": normal(3, 8)}, (normal(5, 2, 8),), [(5, 8, 8), (3, 5, 8, 8)]),
    "jit": (jitted, {"w": normal(9, 8)}, (normal(3, 8),), [(3, 9, 8)]),
    "recurrence": (recurrent, {"h": normal(6, 6), "x": normal(2, 6)}, (normal(3, 4, 2),), []),
    "convolution": (
        convolved, {"conv": {"w": normal(3, 3, 2, 3), "b": normal(3)}, "w": normal(3, 8)},
        (normal(2, 6, 6, 2),), [(2, 3, 8)]),
    "nothing": (lambda p, x: (x * 0 * p["w"].sum() > 1).sum() * 1.0, {"w": normal(3)}, (normal(2, 3),), []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_norms(name):
    f, params, batch, gone = CASES[name]
    norms = fn.per_example_norms(f)
    np.testing.assert_allclose(norms(params, *batch), oracle(f, params, *batch), rtol=2e-4)
    computed = shapes(fn.trace(norms)(params, *batch))
    for shape in gone:
        assert shape not in computed
        made = shapes(fn.trace(fn.per_example_grads(f))(params, *batch))
        assert shape in made or (shape[0] == 3 and shape[1:] in {s[2:] for s in made})


def test_long_sequences_go_by_the_product():
    """Gram matrices of 40 positions would cost more than a matrix of 5 by 7."""
    batch = normal(3, 40, 5), normal(3, 40, 3)
    computed = shapes(fn.trace(fn.per_example_norms(mlp))(MLP, *batch))
    assert (3, 5, 7) in computed and not any(s[-2:] == (40, 40) for s in computed)
    np.testing.assert_allclose(
        fn.per_example_norms(mlp)(MLP, *batch), oracle(mlp, MLP, *batch), rtol=1e-4
    )


def test_the_executable_needs_no_memory_for_gradients():
    n, width = 64, 512
    params = [fn.ArrayType((width, width), "float32")] * 2
    x = fn.ArrayType((n, 3, width), "float32")  # for a single position XLA sees it by itself

    def loss(params, x):
        for w in params:
            x = fnp.tanh(x @ w)
        return (x**2).sum()

    def memory(f):
        return f.lower(params, x).compile().memory_analysis().temp_size_in_bytes

    gradients = n * width * width * 4
    clipped = fn.per_example_clipped_grad(loss, 1.0)
    assert memory(fn.jit(fn.per_example_norms(loss))) < gradients / 20
    assert memory(fn.jit(clipped)) < gradients / 20
    materialised = lambda p, x: [(g**2).sum((1, 2)) for g in fn.per_example_grads(loss)(p, x)]
    assert memory(fn.jit(materialised)) > gradients


@pytest.mark.parametrize(
    ("mode", "indices"), [("clip", [[-3, 0, 9, 1]]), ("fill", [[-30, 0, 9, 1]]), ("promise", [[3, 0, 3, 1]])]
)  # fmt: skip
def test_tables_with_every_mode(mode, indices):
    def f(table, i):
        rows = fn.ops.gather(
            table, i[:, None], offset_axes=(1,), collapsed_axes=(0,), index_map=(0,),
            slice_sizes=(1, 20), mode=mode,
        )  # fmt: skip
        return (rows**3).sum() + fnp.sin(rows.sum() * fnp.ones((2, 5)) @ table).sum()

    table, batch = normal(5, 20), np.array(indices, np.int8)
    norms = fn.per_example_norms(f)
    np.testing.assert_allclose(norms(table, batch), oracle(f, table, batch), rtol=1e-4)
    assert (1, 5, 20) not in shapes(fn.trace(norms)(table, batch))


def test_half_precision_and_complex():
    half = jax.tree.map(lambda x: x if isinstance(x, str) else x.astype(jax.numpy.bfloat16), MLP)
    batch = [b.astype(jax.numpy.bfloat16) for b in (normal(4, 5), normal(4, 3))]
    found = fn.per_example_norms(mlp)(half, *batch)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, oracle(mlp, half, *batch), rtol=3e-2)
    w = (normal(3, 4) + 1j * normal(3, 4)).astype(np.complex64)
    f = lambda w, x: (fnp.abs(x @ w) ** 2).sum()
    x = normal(2, 3).astype(np.complex64)
    np.testing.assert_allclose(fn.per_example_norms(f)(w, x), oracle(f, w, x), rtol=1e-4)


def test_clipping_is_that_of_the_gradients():
    batch = normal(4, 5), normal(4, 3)
    gradients = fn.per_example_grads(mlp)(MLP, *batch)
    norms = oracle(mlp, MLP, *batch)
    limit = float(np.median(norms))
    weights = np.minimum(1, limit / norms)
    total, found = fn.jit(fn.per_example_clipped_grad(mlp, limit))(MLP, *batch)
    np.testing.assert_allclose(found, norms, rtol=1e-4)
    assert jax.tree.structure(total) == jax.tree.structure(gradients)
    for a, g in zip(jax.tree.leaves(total), jax.tree.leaves(gradients), strict=True):
        np.testing.assert_allclose(a, np.tensordot(weights, g, 1), rtol=1e-3, atol=1e-5)
    zero, norms = fn.per_example_clipped_grad(lambda w, x: (w * x).sum(), 1.0)(
        np.ones(2), np.zeros((3, 2))
    )
    assert not np.any(zero) and not np.any(norms)


def test_arguments():
    f = lambda x, w, y: ((x @ w - y) ** 2, {"guess": x @ w, "kind": "square"})
    x, w, y = normal(5, 3), normal(3), normal(5)
    one = [fn.grad(f, (1,), has_aux=True)(x[i], w, y[i])[0][0] for i in range(5)]
    gradients, aux = fn.per_example_grads(f, (1,), has_aux=True)(x, w, y)
    np.testing.assert_allclose(gradients[0], one, rtol=1e-5)
    assert aux["kind"][0] == "s" and aux["guess"].shape == (5,)
    norms, aux = fn.per_example_norms(f, (1,), (1, None, 0), has_aux=True)(x.T, w, y)
    np.testing.assert_allclose(norms, np.linalg.norm(one, axis=1), rtol=1e-4)
    np.testing.assert_allclose(aux["guess"], x @ w, rtol=1e-5)
    squares = fn.per_example_norms(lambda *a: f(*a)[0], -2, squared=True)(x, w, y)
    np.testing.assert_allclose(squares, np.linalg.norm(one, axis=1) ** 2, rtol=1e-4)
    total, norms, aux = fn.per_example_clipped_grad(f, np.float32(9), 1, has_aux=True)(x, w, y)
    assert total.shape == (3,) and norms.shape == (5,) and aux["guess"].shape == (5,)
    chunks = fn.per_example_grads(lambda *a: f(*a)[0], 1, chunk_size=2)(x, w, y)
    np.testing.assert_allclose(chunks, one, rtol=1e-5)
    own = fn.per_example_norms(lambda *a: f(*a)[0], 1, 0)(x, np.stack([w] * 5), y)
    np.testing.assert_allclose(own, np.linalg.norm(one, axis=1), rtol=1e-4)


def test_under_transforms():
    x, y = normal(4, 5), normal(4, 3)
    squares = fn.per_example_norms(mlp, squared=True)
    slow = lambda p, *b: sum(
        (g**2).reshape(4, -1).sum(1) for g in jax.tree.leaves(fn.per_example_grads(mlp)(p, *b))
    )
    got = fn.jit(fn.grad(lambda p: squares(p, x, y).sum()))(MLP)
    for a, b in zip(
        jax.tree.leaves(got), jax.tree.leaves(fn.jit(fn.grad(lambda p: slow(p, x, y).sum()))(MLP))
    ):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    stack = np.stack([x, 2 * x])
    many = fn.vmap(squares, in_axes=(None, 0, None))(MLP, stack, y)
    np.testing.assert_allclose(many[1], squares(MLP, 2 * x, y), rtol=1e-4)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fn.per_example_norms(3), "first argument is not a function"),
        (lambda: fn.per_example_grads(mlp, 5)(MLP, MLP, MLP), "argnums does not name"),
        (lambda: fn.per_example_norms(lambda w, x: w * x)(np.ones(2), np.ones((3, 2))), "not return a scalar"),
        (
            lambda: fn.per_example_clipped_grad(lambda w, x: (w * x).sum(), 1.0, 0, (0, 0))(
                np.ones((3, 2)), np.ones((3, 2))
            ),
            "no sum of gradients",
        ),
        (lambda: fn.per_example_norms(mlp)(MLP, np.ones((4, 5)), np.ones((3, 3))), "different sizes"),
    ],
)  # fmt: skip
def test_errors(call, words):
    with pytest.raises(fn.FnError, match=words):
        call()
