"""Optimizers against the formulas in NumPy and against PyTorch where it is installed."""

import jax
import numpy as np
import pytest

import fn
from fn import optim

P = {"w": np.array([1.0, -2.0, 3.0], np.float32), "b": np.float32(0.5)}
GRADS = [
    jax.tree.map(lambda a, i=i: np.asarray(np.cos(a * (i + 1)), np.float32), P) for i in range(5)
]


def run(optimizer, params=P, grads=GRADS):
    state = optimizer.init(params)
    update = fn.jit(optimizer.update)
    for g in grads:
        updates, state = update(g, state, params)
        params = optim.apply_updates(params, updates)
    return params, state


def numpy_sgd(w, grads, rate, momentum, nesterov):
    v = np.zeros_like(w)
    for g in grads:
        v = momentum * v + g
        w = w - rate * (momentum * v + g if nesterov else v)
    return w


def numpy_adam(w, grads, rate, b1, b2, eps, decay):
    m, s = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(grads, 1):
        m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g * g
        w = w - rate * (m / (1 - b1**t)) / (np.sqrt(s / (1 - b2**t)) + eps) - rate * decay * w
    return w


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_sgd_against_the_formula(momentum, nesterov):
    params, _ = run(optim.sgd(0.1, momentum, nesterov=nesterov))
    for name in P:
        expected = numpy_sgd(np.float64(P[name]), [g[name] for g in GRADS], 0.1, momentum, nesterov)
        np.testing.assert_allclose(params[name], expected, rtol=1e-5)


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam_against_the_formula(decay):
    params, state = run(optim.adam(0.05, weight_decay=decay))
    for name in P:
        expected = numpy_adam(
            np.float64(P[name]), [g[name] for g in GRADS], 0.05, 0.9, 0.999, 1e-8, decay
        )
        np.testing.assert_allclose(params[name], expected, rtol=1e-4)
    assert int(state["count"]) == 5


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_against_pytorch(name):
    torch = pytest.importorskip("torch")
    ours = {"sgd": optim.sgd(0.1, 0.9, nesterov=True), "adam": optim.adam(0.05, weight_decay=0.01)}[
        name
    ]
    params, _ = run(ours)
    for key, start in P.items():
        w = torch.nn.Parameter(torch.tensor(np.asarray(start)))
        theirs = {
            "sgd": lambda w: torch.optim.SGD([w], 0.1, momentum=0.9, nesterov=True),
            "adam": lambda w: torch.optim.AdamW([w], 0.05, weight_decay=0.01),
        }[name](w)
        for g in GRADS:
            w.grad = torch.tensor(np.asarray(g[key]))
            theirs.step()
        np.testing.assert_allclose(params[key], w.detach().numpy(), rtol=1e-4, atol=1e-6)


ALL = {
    "sgd": optim.sgd(0.1), "momentum": optim.sgd(0.1, 0.9), "adam": optim.adam(0.1),
    "chain": optim.chain(optim.clip_by_global_norm(0.5), optim.adam(0.1)),
}  # fmt: skip
every = pytest.mark.parametrize("name", ALL)


@every
def test_leaves_without_a_gradient_stay_as_they_are(name):
    params = {"w": np.ones(2, np.float32), "name": "layer", "count": 3, "f": np.tanh, "none": None}
    grads = fn.grad(lambda p: (p["w"] ** 2).sum())(params)
    assert grads["name"] is None and grads["count"] is None
    updates, _ = ALL[name].update(grads, ALL[name].init(params), params)
    moved = optim.apply_updates(params, updates)
    assert moved["name"] == "layer" and moved["count"] == 3 and moved["f"] is np.tanh
    assert (np.asarray(moved["w"]) < 1).all()


@every
def test_the_state_tree_stays_and_training_descends(name):
    optimizer = ALL[name]
    params = {"w": np.array([2.0, -3.0], np.float32)}
    state = optimizer.init(params)

    @fn.jit
    def step(params, state):
        value, grads = fn.value_and_grad(lambda p: (p["w"] ** 2).sum())(params)
        updates, state = optimizer.update(grads, state, params, value=value)
        return optim.apply_updates(params, updates), state, value

    values = []
    for _ in range(60):
        before = jax.tree.map(lambda a: (a.shape, a.dtype), state)
        params, state, value = step(params, state)
        assert jax.tree.map(lambda a: (a.shape, a.dtype), state) == before
        values.append(float(value))
    assert values[-1] < 0.1 * values[0]


@every
def test_half_precision_parameters_stay_half_precision(name):
    params = {"w": jax.numpy.ones(3, "bfloat16")}
    updates, _ = ALL[name].update(params, ALL[name].init(params), params)
    assert optim.apply_updates(params, updates)["w"].dtype == "bfloat16"


def test_schedules_set_every_hyperparameter_and_are_readable():
    optimizer = optim.adam(lambda count: 0.1 / (1.0 + count), b1=lambda count: 0.5 + 0.1 * count)
    _, state = run(optimizer)
    assert float(state["hyperparameters"]["learning_rate"]) == pytest.approx(0.1 / 5)
    assert float(state["hyperparameters"]["b1"]) == pytest.approx(0.9)
    assert float(state["hyperparameters"]["b2"]) == pytest.approx(0.999)


def test_clipping_leaves_small_gradients_alone():
    clip = optim.clip_by_global_norm(10.0)
    small = {"w": np.array([3.0, 4.0], np.float32)}
    assert np.array_equal(clip.update(small, {}, small)[0]["w"], small["w"])
    big = {"w": np.array([30.0, 40.0], np.float32)}
    assert float(optim.global_norm(clip.update(big, {}, big)[0])) == pytest.approx(10.0)
    assert float(fn.grad(lambda p: optim.global_norm(p))({"w": np.zeros(2)})["w"].sum()) == 0


def test_errors():
    optimizer = optim.sgd(0.1)
    state = optimizer.init(P)
    with pytest.raises(fn.FnError, match="`grads/v` has no parameter"):
        optimizer.update({"v": P["w"], "b": P["b"]}, state, P)
    with pytest.raises(fn.FnError, match="wrong gradient for `params/w`"):
        optimizer.update({"w": np.ones(2), "b": P["b"]}, state, P)
    with pytest.raises(fn.FnError, match="wrong bound"):
        optim.clip_by_global_norm(0.0)
