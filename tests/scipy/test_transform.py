"""Rotations against SciPy's."""

import jax
import numpy as np
import pytest
from fn.scipy.spatial.transform import Rotation, Slerp
from scipy.spatial.transform import Rotation as Theirs
from scipy.spatial.transform import Slerp as TheirSlerp

import fn
from tests.scipy.table import numbers

Q = numbers(6, 4)
VECTORS, ANGLES = numbers(6, 3), numbers(6, 3)
OURS, THEIRS = Rotation.from_quat(Q.astype(np.float32)), Theirs.from_quat(Q)


def close(got, expected, tolerance=1e-5):
    np.testing.assert_allclose(np.asarray(got), expected, rtol=tolerance, atol=tolerance)


def same(ours, theirs, tolerance=1e-5):
    close(ours.as_matrix(), theirs.as_matrix(), tolerance)


def test_forms():
    close(OURS.as_matrix(), THEIRS.as_matrix())
    close(OURS.as_rotvec(), THEIRS.as_rotvec())
    close(OURS.as_rotvec(degrees=True), THEIRS.as_rotvec(degrees=True), 1e-4)
    close(OURS.as_mrp(), THEIRS.as_mrp(), 1e-4)
    close(OURS.as_quat(canonical=True), THEIRS.as_quat(canonical=True))
    close(OURS.as_quat(scalar_first=True), THEIRS.as_quat(scalar_first=True))
    close(OURS.magnitude(), THEIRS.magnitude())
    same(Rotation.from_matrix(THEIRS.as_matrix()), THEIRS)
    same(Rotation.from_rotvec(VECTORS), Theirs.from_rotvec(VECTORS))
    same(
        Rotation.from_rotvec(VECTORS * 60, degrees=True),
        Theirs.from_rotvec(VECTORS * 60, degrees=True),
    )
    same(Rotation.from_mrp(VECTORS), Theirs.from_mrp(VECTORS))
    same(Rotation.identity(2), Theirs.identity(2))
    assert Rotation.identity().single


@pytest.mark.parametrize("seq", ["xyz", "ZYX", "zxz", "XYX", "yzx"])
def test_euler_angles(seq):
    same(Rotation.from_euler(seq, ANGLES), Theirs.from_euler(seq, ANGLES))
    same(
        Rotation.from_euler(seq[:2], ANGLES[:, :2] * 50, degrees=True),
        Theirs.from_euler(seq[:2], ANGLES[:, :2] * 50, degrees=True),
    )
    same(Rotation.from_euler(seq[0], ANGLES[:, 0]), Theirs.from_euler(seq[0], ANGLES[:, :1]))
    close(OURS.as_euler(seq), THEIRS.as_euler(seq), 1e-4)
    close(OURS.as_euler(seq, degrees=True), THEIRS.as_euler(seq, degrees=True), 1e-3)


def test_use():
    close(OURS.apply(VECTORS), THEIRS.apply(VECTORS))
    close(OURS.apply(VECTORS[0], inverse=True), THEIRS.apply(VECTORS[0], inverse=True))
    same(OURS * OURS[0], THEIRS * THEIRS[0])
    same(OURS.inv(), THEIRS.inv())
    same(OURS.mean(), THEIRS.mean(), 1e-4)
    weights = np.arange(1, 7.0)
    same(OURS.mean(weights), THEIRS.mean(weights), 1e-4)
    same(Rotation.concatenate([OURS[:2], OURS[3]]), Theirs.concatenate([THEIRS[:2], THEIRS[3]]))
    assert len(OURS) == 6 and OURS[1:3].quat.shape == (2, 4)
    times = np.array([0.0, 1.0, 2.5, 3.0, 4.0, 6.0])
    at = np.array([0.0, 0.3, 2.5, 2.9, 6.0])
    same(Slerp.init(times, OURS)(at), TheirSlerp(times, THEIRS)(at), 1e-4)
    assert Slerp.init(times, OURS)(1.5).single


def test_random_rotations_are_uniform():
    drawn = Rotation.random(fn.random.key(0), 4000)
    close(np.abs(drawn.as_matrix().mean(0)), np.zeros((3, 3)), 0.05)
    assert Rotation.random(fn.random.key(0)).single


def test_transforms():
    f = lambda v: Rotation.from_rotvec(v).apply(np.array([1.0, 2.0, 3.0])).sum()
    assert np.isfinite(fn.grad(f)(np.zeros(3, np.float32))).all()
    close(
        fn.grad(f)(np.zeros(3, np.float32)), [-1.0, 2.0, -1.0]
    )  # the vector's product with (1, 1, 1)
    got = fn.jit(fn.vmap(lambda r, v: r.apply(v)))(OURS, VECTORS)
    close(got, THEIRS.apply(VECTORS))
    assert jax.tree.leaves(OURS)[0].shape == (6, 4)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Rotation.from_euler("xxy", ANGLES), "not a sequence of axes"),
        (lambda: Rotation.from_euler("xy", ANGLES), "the angles do not fit"),
        (lambda: OURS.as_euler("xy"), "not a sequence of axes"),
        (lambda: Rotation.from_matrix(ANGLES), "not rotations"),
        (lambda: len(OURS[0]), "a single one"),
        (lambda: OURS.mean(np.ones(2)), "the weights do not fit"),
        (lambda: Slerp.init(np.zeros(1), OURS[0]), "not a stack"),
        (lambda: Slerp.init(np.zeros(2), OURS), "the times do not fit"),
        (lambda: Slerp.init(np.arange(6), OURS)(VECTORS), "too many axes"),
    ],
)
def test_errors(call, words):
    with pytest.raises(fn.FnError, match=words):
        call()
