"""Rotations of three-dimensional space, as unit quaternions `(x, y, z, w)`; and turning from one to the next."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import fn.numpy as np
from fn.core import ArgumentError, public, type_of
from fn.random import normal
from fn.scipy._arguments import floats


def _dot(a: Any, b: Any) -> Any:
    return np.sum(a * b, axis=-1, keepdims=True)


def _product(p: Any, q: Any) -> Any:
    """First `q`, then `p`."""
    v, w, a, b = p[..., :3], p[..., 3:], q[..., :3], q[..., 3:]
    return np.concatenate([w * a + b * v + np.cross(v, a), w * b - _dot(v, a)], axis=-1)


def _unit(q: Any) -> Any:
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def _angle(x: Any, degrees: Any, back: bool = False) -> Any:
    turn = math.pi / 180
    return np.where(degrees, x / turn if back else x * turn, x)


def _half_sinc(angle: Any) -> Any:
    """`sin(angle / 2) / angle`, smooth at 0."""
    near = np.abs(angle) < 1e-2
    safe, square = np.where(near, 1.0, angle), np.square(np.where(near, angle, 0.0))
    series = 0.5 - square / 48 + np.square(square) / 3840
    return np.where(near, series, np.sin(safe / 2) / safe)


def _axes(name: str, seq: str, sizes: tuple[int, ...]) -> tuple[list[int], bool]:
    """The axes of a sequence, and whether they turn along with what is rotated."""
    intrinsic = re.fullmatch("[XYZ]+", seq) is not None
    known = intrinsic or re.fullmatch("[xyz]+", seq) is not None
    repeated = any(a == b for a, b in pairwise(seq))
    if not known or len(seq) not in sizes or repeated:
        raise ArgumentError(
            f"{name}: not a sequence of axes", got=repr(seq),
            expected=f"{' to '.join(map(str, sorted({sizes[0], sizes[-1]})))} letters, of xyz (around fixed axes) or of XYZ "
            "(around axes that turn along), no two equal ones next to each other",
        )  # fmt: skip
    return ["xyz".index(letter) for letter in seq.lower()], intrinsic


class Rotation(NamedTuple):
    """One rotation, or a stack of them. A pytree, as it is a tuple of one array.

    >>> import fn.numpy as np
    >>> from fn.scipy.spatial.transform import Rotation
    >>> turn = Rotation.from_euler("z", np.array(90.0), degrees=True)
    >>> np.round(turn.apply(np.array([1.0, 0.0, 0.0])), 3).tolist()
    [0.0, 1.0, 0.0]
    """

    quat: Any

    # --- made from something ---

    @classmethod
    def concatenate(cls, rotations: Sequence[Rotation]) -> Rotation:
        """A stack of stacks of rotations."""
        return cls(np.concatenate([np.atleast_2d(r.quat) for r in rotations]))

    @classmethod
    def from_quat(cls, quat: Any) -> Rotation:
        """From quaternions (…, 4), which need not have unit length."""
        return cls(_unit(np.asarray(floats("from_quat", quat)[0])))

    @classmethod
    def from_matrix(cls, matrix: Any) -> Rotation:
        """From rotation matrices (…, 3, 3)."""
        m = np.asarray(floats("from_matrix", matrix)[0])
        if m.shape[-2:] != (3, 3):
            raise ArgumentError(
                "from_matrix: not rotations", expected="(..., 3, 3)", got=str(type_of(m))
            )
        d = [m[..., i, i] for i in range(3)]
        trace = d[0] + d[1] + d[2]
        # Four times a component of the quaternion times all of them; the largest component divides best.
        ways = []
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            parts = [None] * 4
            parts[i] = 1 - trace + 2 * d[i]
            parts[j], parts[k] = m[..., j, i] + m[..., i, j], m[..., k, i] + m[..., i, k]
            parts[3] = m[..., k, j] - m[..., j, k]
            ways.append(np.stack(parts, axis=-1))
        cross = [
            m[..., 2, 1] - m[..., 1, 2],
            m[..., 0, 2] - m[..., 2, 0],
            m[..., 1, 0] - m[..., 0, 1],
        ]
        ways.append(np.stack([*cross, 1 + trace], axis=-1))
        best = np.argmax(np.stack([*d, trace], axis=-1), axis=-1)[..., None]
        out = ways[3]
        for i in range(3):
            out = np.where(best == i, ways[i], out)
        return cls(_unit(out))

    @classmethod
    def from_rotvec(cls, rotvec: Any, degrees: bool = False) -> Rotation:
        """From vectors (…, 3) along the axis, as long as the angle."""
        v = _angle(np.asarray(floats("from_rotvec", rotvec)[0]), degrees)
        angle = np.linalg.norm(v, axis=-1, keepdims=True)
        return cls(np.concatenate([_half_sinc(angle) * v, np.cos(angle / 2)], axis=-1))

    @classmethod
    def from_mrp(cls, mrp: Any) -> Rotation:
        """From modified Rodrigues parameters (…, 3): along the axis, as long as the tangent of a quarter of the angle."""
        p = np.asarray(floats("from_mrp", mrp)[0])
        square = _dot(p, p)
        return cls(np.concatenate([2 * p, 1 - square], axis=-1) / (1 + square))

    @classmethod
    def from_euler(cls, seq: str, angles: Any, degrees: bool = False) -> Rotation:
        """From angles around axes, one after the other.

        Args:
            seq: one to three axes: "xyz" stay where they are, "XYZ" turn along.
            angles: (…, number of axes), or for one axis (…).
            degrees: whether the angles are degrees.
        """
        axes, intrinsic = _axes("from_euler", seq, (1, 2, 3))
        a = _angle(np.asarray(floats("from_euler", angles)[0]), degrees)
        if len(axes) == 1 and a.shape[-1:] != (1,):
            a = a[..., None]
        if a.shape[-1:] != (len(axes),):
            raise ArgumentError(
                "from_euler: the angles do not fit the axes", got=str(type_of(angles)),
                expected=f"(..., {len(axes)})",
            )  # fmt: skip
        out: Any = None
        for i, axis in enumerate(axes):
            parts = [np.zeros_like(a[..., i])] * 4
            parts[axis], parts[3] = np.sin(a[..., i] / 2), np.cos(a[..., i] / 2)
            turn = np.stack(parts, axis=-1)
            out = turn if out is None else _product(out, turn) if intrinsic else _product(turn, out)
        return cls(out)

    @classmethod
    def identity(cls, num: int | None = None, dtype: Any = float) -> Rotation:
        """No rotation, or a stack of `num` of them."""
        quat = np.array([0.0, 0.0, 0.0, 1.0], dtype=dtype)
        return cls(quat if num is None else np.broadcast_to(quat, (num, 4)))

    @classmethod
    def random(cls, random_key: Any, num: int | None = None) -> Rotation:
        """A rotation drawn uniformly, or a stack of `num` of them."""
        return cls(_unit(normal(random_key, (4,) if num is None else (num, 4))))

    # --- looked at in some way ---

    def as_quat(self, canonical: bool = False, scalar_first: bool = False) -> Any:
        """Quaternions (…, 4).

        Args:
            canonical: of the two quaternions of each rotation the one whose last component that is not 0
                (of w, x, y, z the first) is positive.
            scalar_first: as (w, x, y, z).
        """
        q = self.quat
        if canonical:
            x, y, z, w = (q[..., i : i + 1] for i in range(4))
            flip = (w < 0) | ((w == 0) & ((x < 0) | ((x == 0) & ((y < 0) | ((y == 0) & (z < 0))))))
            q = np.where(flip, -q, q)
        return np.roll(q, 1, axis=-1) if scalar_first else q

    def as_matrix(self) -> Any:
        """Matrices (…, 3, 3)."""
        x, y, z, w = (self.quat[..., i] for i in range(4))
        rows = [
            [x * x - y * y - z * z + w * w, 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), -x * x + y * y - z * z + w * w, 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), -x * x - y * y + z * z + w * w],
        ]
        return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)

    def as_rotvec(self, degrees: bool = False) -> Any:
        """Vectors (…, 3) along the axis, as long as the angle."""
        q = np.where(self.quat[..., 3:] < 0, -self.quat, self.quat)
        length = np.linalg.norm(q[..., :3], axis=-1, keepdims=True)
        angle = 2 * np.arctan2(length, q[..., 3:])
        return _angle(q[..., :3] / _half_sinc(angle), degrees, back=True)

    def as_mrp(self) -> Any:
        """Modified Rodrigues parameters (…, 3)."""
        q = np.where(self.quat[..., 3:] < 0, -self.quat, self.quat)
        return q[..., :3] / (1 + q[..., 3:])

    def as_euler(self, seq: str, degrees: bool = False) -> Any:
        """Angles (…, 3) around three axes, as `from_euler` takes them.

        Where two of the axes fall together only the sum of their angles is known; the third is 0 then.
        Source: E. Bernardes and S. Viollet, "Quaternion to Euler angles conversion", 2022.
        """
        axes, intrinsic = _axes("as_euler", seq, (3,))
        i, j, k = axes if not intrinsic else axes[::-1]
        symmetric = i == k
        k = 3 - i - j if symmetric else k
        sign = (i - j) * (j - k) * (k - i) // 2
        q = [self.quat[..., n] for n in range(4)]
        a, b, c, d = q[3], q[i], q[j], q[k] * sign
        if not symmetric:
            a, b, c, d = a - q[j], b + q[k] * sign, c + q[3], d - q[i]
        middle = 2 * np.arctan2(np.hypot(c, d), np.hypot(a, b))
        same, opposite = np.abs(middle) <= 1e-7, np.abs(middle - math.pi) <= 1e-7
        total, difference = np.arctan2(b, a), np.arctan2(d, c)
        locked = same | opposite
        first = np.where(locked, 0.0, total - difference)
        alone = np.where(same, 2 * total, 2 * difference * (1 if intrinsic else -1))
        third = np.where(locked, 0.0, total + difference)
        if intrinsic:
            first, third = third, first
            first = np.where(locked, alone, first)
        else:
            first = np.where(locked, alone, first)
        if not symmetric:
            if intrinsic:
                first = first * sign
            else:
                third = third * sign
            middle = middle - math.pi / 2
        out = np.stack([first, middle, third], axis=-1)
        out = np.remainder(out + math.pi, 2 * math.pi) - math.pi
        return _angle(out, degrees, back=True)

    # --- used ---

    @public
    def apply(self, vectors: Any, inverse: bool = False) -> Any:
        """Vectors (…, 3), rotated; or rotated back."""
        m = self.as_matrix()
        m = np.where(inverse, np.swapaxes(m, -1, -2), m)
        return np.matmul(m, np.asarray(vectors)[..., None])[..., 0]

    def __mul__(self, other: Rotation) -> Rotation:  # type: ignore[override]  # composition, not repetition
        """First `other`, then this one."""
        return Rotation(_unit(_product(*np.broadcast_arrays(self.quat, other.quat))))

    def inv(self) -> Rotation:
        """The rotation back."""
        return Rotation(np.concatenate([-self.quat[..., :3], self.quat[..., 3:]], axis=-1))

    def magnitude(self) -> Any:
        """Angles, from 0 to pi."""
        length = np.linalg.norm(self.quat[..., :3], axis=-1)
        return 2 * np.arctan2(length, np.abs(self.quat[..., 3]))

    def mean(self, weights: Any = None) -> Rotation:
        """The rotation whose mean squared distance from those of a stack is least."""
        q = self.quat
        w = np.ones(q.shape[0], q.dtype) if weights is None else np.asarray(weights)
        if w.shape != q.shape[:1]:
            raise ArgumentError(
                "mean: the weights do not fit the rotations", expected=f"a vector of {q.shape[0]}",
                got=str(type_of(weights)),
            )  # fmt: skip
        return Rotation(np.linalg.eigh(np.matmul(w * q.T, q)).eigenvectors[:, -1])

    @property
    def single(self) -> bool:
        """Whether it is one rotation."""
        return bool(self.quat.ndim == 1)

    def __getitem__(self, indexer: Any) -> Rotation:
        self._check_stack()
        return Rotation(self.quat[indexer])

    def __len__(self) -> int:
        self._check_stack()
        return int(self.quat.shape[0])

    def _check_stack(self) -> None:
        if self.single:
            raise ArgumentError(
                "Rotation: it is a single one",
                expected="a stack of rotations",
                got=str(type_of(self.quat)),
            )


class Slerp(NamedTuple):
    """Turning evenly from one rotation to the next. Made by `Slerp.init(times, rotations)`.

    >>> import fn.numpy as np
    >>> from fn.scipy.spatial.transform import Rotation, Slerp
    >>> ends = Rotation.from_euler("z", np.array([0.0, 90.0]), degrees=True)
    >>> half = Slerp.init(np.array([0.0, 1.0]), ends)(np.array(0.5))
    >>> round(float(half.as_euler("xyz", degrees=True)[2]), 2)
    45.0
    """

    times: Any
    timedelta: Any
    rotations: Rotation
    rotvecs: Any

    @classmethod
    def init(cls, times: Any, rotations: Rotation) -> Slerp:
        """
        Args:
            times: of the rotations, rising.
            rotations: a stack of at least two.
        """
        if not isinstance(rotations, Rotation) or rotations.single or len(rotations) < 2:
            raise ArgumentError(
                "Slerp: not a stack of rotations",
                expected="at least 2",
                got=type(rotations).__name__,
            )
        times = np.astype(np.asarray(times), rotations.quat.dtype)
        if times.shape != (len(rotations),):
            raise ArgumentError(
                "Slerp: the times do not fit the rotations", expected=f"a vector of {len(rotations)}",
                got=str(type_of(times)),
            )  # fmt: skip
        start, end = Rotation(rotations.quat[:-1]), Rotation(rotations.quat[1:])
        return cls(times, np.diff(times), start, (start.inv() * end).as_rotvec())

    def __call__(self, times: Any) -> Rotation:
        """The rotations at times, a number or a vector."""
        at = np.astype(np.asarray(times), self.times.dtype)
        if at.ndim > 1:
            raise ArgumentError(
                "Slerp: too many axes of times", expected="at most 1", got=str(type_of(at))
            )
        place = np.clip(np.searchsorted(self.times, at) - 1, 0, self.timedelta.shape[0] - 1)
        share = (at - self.times[place]) / self.timedelta[place]
        step = Rotation.from_rotvec(self.rotvecs[place] * share[..., None])
        return Rotation(self.rotations.quat[place]) * step
