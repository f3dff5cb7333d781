"""Higher-order derivatives, on the public API alone: each file is a page that an outsider could write.

This room knows nothing that the doors of other rooms do not say.
"""

from fn.derivatives._forward_laplacian import Directions as Directions
from fn.derivatives._forward_laplacian import laplacian_program as laplacian_program
from fn.derivatives._jet import jet as jet
from fn.derivatives._laplacian import laplacian as laplacian
from fn.derivatives._pattern import Pattern as Pattern
from fn.derivatives._pattern import SparseMatrix as SparseMatrix
from fn.derivatives._per_example import per_example_clipped_grad as per_example_clipped_grad
from fn.derivatives._per_example import per_example_grads as per_example_grads
from fn.derivatives._per_example import per_example_norms as per_example_norms
from fn.derivatives._products import gnvp as gnvp
from fn.derivatives._products import hvp as hvp
from fn.derivatives._ravel import Unravel as Unravel
from fn.derivatives._ravel import ravel as ravel
from fn.derivatives._sparse import hessian as hessian
from fn.derivatives._sparse import jacobian as jacobian
from fn.derivatives._sparse import sparsity_pattern as sparsity_pattern
from fn.derivatives._taylor import jet_program as jet_program
