"""Linear algebra beyond `fn.numpy.linalg`: the names of `jax.scipy.linalg`.

Functions take stacks of matrices where JAX's do, and differentiate where mathematics says so.
"""

from fn.scipy.linalg._decompositions import eigh as eigh
from fn.scipy.linalg._decompositions import eigh_tridiagonal as eigh_tridiagonal
from fn.scipy.linalg._decompositions import hessenberg as hessenberg
from fn.scipy.linalg._decompositions import polar as polar
from fn.scipy.linalg._decompositions import qr as qr
from fn.scipy.linalg._decompositions import qr_multiply as qr_multiply
from fn.scipy.linalg._decompositions import rsf2csf as rsf2csf
from fn.scipy.linalg._decompositions import schur as schur
from fn.scipy.linalg._decompositions import svd as svd
from fn.scipy.linalg._functions import expm as expm
from fn.scipy.linalg._functions import expm_frechet as expm_frechet
from fn.scipy.linalg._functions import funm as funm
from fn.scipy.linalg._functions import solve_sylvester as solve_sylvester
from fn.scipy.linalg._functions import sqrtm as sqrtm
from fn.scipy.linalg._patterns import block_diag as block_diag
from fn.scipy.linalg._patterns import circulant as circulant
from fn.scipy.linalg._patterns import companion as companion
from fn.scipy.linalg._patterns import convolution_matrix as convolution_matrix
from fn.scipy.linalg._patterns import dft as dft
from fn.scipy.linalg._patterns import fiedler as fiedler
from fn.scipy.linalg._patterns import fiedler_companion as fiedler_companion
from fn.scipy.linalg._patterns import hadamard as hadamard
from fn.scipy.linalg._patterns import hankel as hankel
from fn.scipy.linalg._patterns import helmert as helmert
from fn.scipy.linalg._patterns import hilbert as hilbert
from fn.scipy.linalg._patterns import invhilbert as invhilbert
from fn.scipy.linalg._patterns import invpascal as invpascal
from fn.scipy.linalg._patterns import leslie as leslie
from fn.scipy.linalg._patterns import pascal as pascal
from fn.scipy.linalg._patterns import toeplitz as toeplitz
from fn.scipy.linalg._systems import cho_factor as cho_factor
from fn.scipy.linalg._systems import cho_solve as cho_solve
from fn.scipy.linalg._systems import cholesky as cholesky
from fn.scipy.linalg._systems import det as det
from fn.scipy.linalg._systems import inv as inv
from fn.scipy.linalg._systems import lu as lu
from fn.scipy.linalg._systems import lu_factor as lu_factor
from fn.scipy.linalg._systems import lu_solve as lu_solve
from fn.scipy.linalg._systems import solve as solve
from fn.scipy.linalg._systems import solve_triangular as solve_triangular
