"""Primitives that carry Programs. Their rules are the transforms, applied to what they carry."""

from fn.control._bounded import bounded_while_p as bounded_while_p
from fn.control._bounded import while_adjoint_p as while_adjoint_p
from fn.control._bounded import while_tangent_p as while_tangent_p
from fn.control._call import call as call
from fn.control._call import call_p as call_p
from fn.control._cond import cond as cond
from fn.control._cond import switch as switch
from fn.control._custom import Custom as Custom
from fn.control._custom import custom as custom
from fn.control._custom_compat import custom_jvp as custom_jvp
from fn.control._custom_compat import custom_vjp as custom_vjp
from fn.control._implicit import custom_linear_solve as custom_linear_solve
from fn.control._implicit import custom_root as custom_root
from fn.control._loops import fori_loop as fori_loop
from fn.control._loops import while_loop as while_loop
from fn.control._marks import name as name
from fn.control._marks import optimization_barrier as optimization_barrier
from fn.control._policies import save_only as save_only
from fn.control._remat import checkpoint as checkpoint
from fn.control._remat import inline_calls as inline_calls
from fn.control._remat import remat as remat
from fn.control._scan import scan as scan
from fn.control._scan import scan_p as scan_p
from fn.control._switch import switch_lanes_p as switch_lanes_p
from fn.control._switch import switch_p as switch_p
from fn.control._while import while_loop_p as while_loop_p
