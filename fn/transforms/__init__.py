"""Functions to functions, over Programs: jvp, linearize, transpose, vjp and grad, vmap, Jacobians.

Each transform traces the user's function to a Program, makes another Program of it, and evaluates
that; transforms of Programs (`jvp_program`, …) are remembered on the Program they start from. This
room knows no device and does not compile.
"""

from fn.transforms._batch import BatchAxis as BatchAxis
from fn.transforms._batch import batch_program as batch_program
from fn.transforms._batch import insert_axis as insert_axis
from fn.transforms._batch import program_mentions_axis as program_mentions_axis
from fn.transforms._deferred import bind_vmap as bind_vmap
from fn.transforms._deferred import expanded as expanded
from fn.transforms._deferred import vmap_p as vmap_p
from fn.transforms._forward import jvp as jvp
from fn.transforms._forward import linearize as linearize
from fn.transforms._forward import split_aux as split_aux
from fn.transforms._forward import trace_at as trace_at
from fn.transforms._jacobians import hessian as hessian
from fn.transforms._jacobians import jacfwd as jacfwd
from fn.transforms._jacobians import jacrev as jacrev
from fn.transforms._jvp import jvp_program as jvp_program
from fn.transforms._leaves import check_callable as check_callable
from fn.transforms._leaves import fit_leaves as fit_leaves
from fn.transforms._leaves import normalize_argnums as normalize_argnums
from fn.transforms._leaves import zeros as zeros
from fn.transforms._linearize import Linearized as Linearized
from fn.transforms._linearize import linearize_program as linearize_program
from fn.transforms._programs import eval_type as eval_type
from fn.transforms._programs import trace as trace
from fn.transforms._reverse import grad as grad
from fn.transforms._reverse import gradient_program as gradient_program
from fn.transforms._reverse import linear_transpose as linear_transpose
from fn.transforms._reverse import value_and_grad as value_and_grad
from fn.transforms._reverse import vjp as vjp
from fn.transforms._transpose import transpose_program as transpose_program
from fn.transforms._vmap import vmap as vmap
