import jax.numpy as jnp
import pytest

from tests.numpy.compare import INT, X, check, check_gradient

HOLES = jnp.where(X > 0.5, jnp.nan, X).at[1].set(jnp.nan)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", ["nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin"]
)
@pytest.mark.parametrize("options", [{}, {"axis": 1}, {"axis": 0, "keepdims": True}], ids=str)
def test_nan_is_left_out(name, options):
    check(name, HOLES, **options)
    check(name, INT, **options)


def test_gradients():
    for name in ("nansum", "nanmean", "nanmax"):
        check_gradient(
            lambda m, x, name=name: getattr(m, name)(m.where(x > 0.5, m.nan, x), axis=0), X
        )
