"""The smaller modules against SciPy: cosine transforms, images, grids, clusters, integrals, iterative solvers."""

import importlib

import jax
import numpy as np
import pytest
import scipy.cluster.vq
import scipy.fft
import scipy.interpolate
import scipy.ndimage

import fn
import fn.numpy as fnp
from fn import scipy as fsp
from tests.scipy.table import Row, check, numbers

X, IMAGE, CUBE = numbers(9), numbers(5, 6), numbers(2, 3, 4)


def close(got, expected, tolerance=1e-10):
    np.testing.assert_allclose(np.asarray(got), expected, rtol=tolerance, atol=tolerance)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def test_modules_have_the_names_of_scipy():
    assert importlib.import_module("fn.scipy.fft") is fsp.fft
    assert importlib.import_module("fn.scipy.cluster.vq") is fsp.cluster.vq
    assert importlib.import_module("fn.scipy.sparse.linalg") is fsp.sparse.linalg
    from fn.scipy.spatial.transform import Rotation  # noqa: PLC0415  # what is tried

    assert Rotation is fsp.spatial.transform.Rotation


# --- fft --------------------------------------------------------------------------------


def test_cosine_transforms():
    def all_of(m):
        found = []
        for norm in (None, "ortho"):
            for x in (X, X[:8], X[:1]):
                found += [m.dct(x, norm=norm), m.idct(x, norm=norm)]
            found += [m.dct(IMAGE, axis=0, n=7, norm=norm), m.idct(IMAGE, n=4, norm=norm)]
            found += [
                m.dctn(CUBE, norm=norm),
                m.idctn(CUBE, axes=(0, 2), norm=norm),
                m.dctn(CUBE, s=(3, 2), norm=norm),
            ]
        return [*found, m.dct(X + 1j * X[::-1])]

    for got, expected in zip(fn.jit(lambda: all_of(fsp.fft))(), all_of(scipy.fft), strict=True):
        close(got, expected)


# --- ndimage, interpolate, cluster, integrate -------------------------------------------


@pytest.mark.parametrize("mode", ["constant", "nearest", "wrap", "mirror", "reflect"])
def test_map_coordinates(mode):
    coordinates = numbers(2, 7, low=-2.5, high=7.5)
    coordinates = (
        coordinates if mode != "wrap" else np.clip(coordinates, 0, 4)
    )  # SciPy wraps at another place
    theirs = {"wrap": "grid-wrap"}.get(mode, mode)
    for order in (0, 1):
        got = fsp.ndimage.map_coordinates(IMAGE, coordinates, order, mode, 1.5)
        if (
            mode == "constant" and order == 1
        ):  # JAX, unlike SciPy, goes over to cval across one entry
            got, coordinates = (
                fsp.ndimage.map_coordinates(IMAGE, abs(coordinates) % 4, 1, mode),
                abs(coordinates) % 4,
            )
        close(
            got,
            scipy.ndimage.map_coordinates(IMAGE, coordinates, order=order, mode=theirs, cval=1.5),
        )
        close(fsp.ndimage.map_coordinates(IMAGE, coordinates, order, mode, 1.5),
              jax.scipy.ndimage.map_coordinates(IMAGE, list(coordinates), order, mode, 1.5))  # fmt: skip


@pytest.mark.parametrize("method", ["linear", "nearest"])
def test_grids(method):
    grid = (np.array([0.0, 1.0, 2.5, 3.0, 7.0]), np.arange(6.0))
    points = np.stack([numbers(8, low=-1, high=8), numbers(8, low=-0.5, high=5.5)], -1)
    for fill in (np.nan, None, 2.0):
        values = np.stack([IMAGE, IMAGE**2], -1)
        ours = fsp.interpolate.RegularGridInterpolator(grid, values, method, fill_value=fill)
        theirs = scipy.interpolate.RegularGridInterpolator(
            grid, values, method, bounds_error=False, fill_value=fill
        )
        close(fn.jit(lambda f, p: f(p))(ours, points), theirs(points))
    close(ours((points[:, 0], points[:, 1])), theirs(points))
    other = "nearest" if method == "linear" else "linear"
    close(ours(points, other), theirs(points, other))


def test_clusters_and_integrals():
    for obs, codes in ((numbers(7, 2), numbers(3, 2)), (X, X[:2])):
        for got, expected in zip(
            fsp.cluster.vq.vq(obs, codes), scipy.cluster.vq.vq(obs, codes), strict=True
        ):
            close(got, expected)
    close(
        fsp.integrate.trapezoid(IMAGE, np.array([0.0, 1, 3, 4, 5, 9])),
        scipy.integrate.trapezoid(IMAGE, [0.0, 1, 3, 4, 5, 9]),
    )


def test_iterative_solvers():
    a = IMAGE[:, :5] @ IMAGE[:, :5].T + 3 * np.eye(5)
    for name in ("cg", "gmres", "bicgstab"):
        x, _ = getattr(fsp.sparse.linalg, name)(a, X[:5], tol=1e-12)
        close(a @ x, X[:5], 1e-8)
    assert fsp.sparse.linalg.gmres(a, X[:5], solve_method="incremental")[1] is None


SMOOTH = [
    Row("dct", lambda x: fsp.fft.dct(x, norm="ortho"), lambda x: scipy.fft.dct(x, norm="ortho"), (X,)),
    Row("map_coordinates", lambda x, c: fsp.ndimage.map_coordinates(x, c, 1, "nearest"),
        lambda x, c: scipy.ndimage.map_coordinates(x, c, order=1, mode="nearest"), (IMAGE, numbers(2, 5, low=0.1, high=3.9)), step=1e-7, second=False),
    Row("RegularGridInterpolator", lambda v, p: fsp.interpolate.RegularGridInterpolator((np.arange(5.0), np.arange(6.0)), v)(p),
        lambda v, p: scipy.interpolate.RegularGridInterpolator((np.arange(5.0), np.arange(6.0)), v)(p), (IMAGE, numbers(5, 2, low=0.1, high=3.9)), step=1e-7, second=False),
    Row("vq", lambda a, b: fsp.cluster.vq.vq(a, b)[1], lambda a, b: scipy.cluster.vq.vq(a, b)[1], (numbers(7, 2), numbers(3, 2)), step=1e-7, second=False),
]  # fmt: skip


@pytest.mark.parametrize("row", SMOOTH, ids=[r.name for r in SMOOTH])
def test_derivatives(row):
    check(row)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fsp.fft.dct(X, type=3), "unknown type"),
        (lambda: fsp.fft.dct(X, norm="forward"), "unknown norm"),
        (lambda: fsp.ndimage.map_coordinates(IMAGE, [X], 1), "2 arrays of coordinates"),
        (lambda: fsp.ndimage.map_coordinates(X, [X], 3), "unknown order"),
        (lambda: fsp.interpolate.RegularGridInterpolator((X,), X, "cubic"), "unknown method"),
        (lambda: fsp.interpolate.RegularGridInterpolator((X,), X[:3]), "the values do not fit the grid"),
        (lambda: fsp.interpolate.RegularGridInterpolator((X,), X, fill_value=1j), "a complex fill_value"),
        (lambda: fsp.interpolate.RegularGridInterpolator((X,), X)(IMAGE), "another dimension"),
        (lambda: fsp.cluster.vq.vq(IMAGE, X), "do not fit the observations"),
        (lambda: fsp.sparse.linalg.gmres(IMAGE, X, solve_method="fast"), "unknown solve_method"),
    ],
)  # fmt: skip
def test_errors(call, words):
    with pytest.raises(fn.FnError, match=words):
        call()


def test_grids_are_pytrees():
    f = fsp.interpolate.RegularGridInterpolator((np.arange(9.0),), X)
    again = jax.tree.map(lambda v: v * 2 if fnp.ndim(v) else v, f)
    assert again.method == "linear" and again.values[1] == 2 * X[1]
