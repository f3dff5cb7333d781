"""Linear algebra: the `linalg` extension of the Array API standard, and all of `jax.numpy.linalg`.

Functions take stacks of matrices: the last two axes are rows and columns, the others are worked
through in parallel. Factorizations need f32, f64, c64 or c128; integers become floating.
"""

from fn.numpy.linalg._decompositions import EighResult as EighResult
from fn.numpy.linalg._decompositions import EigResult as EigResult
from fn.numpy.linalg._decompositions import QRResult as QRResult
from fn.numpy.linalg._decompositions import SVDResult as SVDResult
from fn.numpy.linalg._decompositions import cholesky as cholesky
from fn.numpy.linalg._decompositions import eig as eig
from fn.numpy.linalg._decompositions import eigh as eigh
from fn.numpy.linalg._decompositions import eigvals as eigvals
from fn.numpy.linalg._decompositions import eigvalsh as eigvalsh
from fn.numpy.linalg._decompositions import qr as qr
from fn.numpy.linalg._decompositions import svd as svd
from fn.numpy.linalg._decompositions import svdvals as svdvals
from fn.numpy.linalg._determinants import SlogdetResult as SlogdetResult
from fn.numpy.linalg._determinants import det as det
from fn.numpy.linalg._determinants import matrix_power as matrix_power
from fn.numpy.linalg._determinants import matrix_rank as matrix_rank
from fn.numpy.linalg._determinants import slogdet as slogdet
from fn.numpy.linalg._norms import cond as cond
from fn.numpy.linalg._norms import matrix_norm as matrix_norm
from fn.numpy.linalg._norms import norm as norm
from fn.numpy.linalg._norms import vector_norm as vector_norm
from fn.numpy.linalg._products import cross as cross
from fn.numpy.linalg._products import diagonal as diagonal
from fn.numpy.linalg._products import matmul as matmul
from fn.numpy.linalg._products import matrix_transpose as matrix_transpose
from fn.numpy.linalg._products import multi_dot as multi_dot
from fn.numpy.linalg._products import outer as outer
from fn.numpy.linalg._products import tensordot as tensordot
from fn.numpy.linalg._products import trace as trace
from fn.numpy.linalg._products import vecdot as vecdot
from fn.numpy.linalg._systems import inv as inv
from fn.numpy.linalg._systems import lstsq as lstsq
from fn.numpy.linalg._systems import pinv as pinv
from fn.numpy.linalg._systems import solve as solve
from fn.numpy.linalg._systems import tensorinv as tensorinv
from fn.numpy.linalg._systems import tensorsolve as tensorsolve
