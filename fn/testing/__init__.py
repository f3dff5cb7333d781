"""The algebra of the transforms as a test kit: identities, strategies, random programs.

Point `check_identities` at a function, `check_primitive` at a primitive, `check_equivalent` at two
functions that are to be one. The strategies are for `hypothesis`. This room needs the extra `testing`.
"""

from fn.testing._check import check_identities as check_identities
from fn.testing._check_stack import check_stack as check_stack
from fn.testing._equivalent import check_equivalent as check_equivalent
from fn.testing._errors import IdentityError as IdentityError
from fn.testing._extra import MissingExtraError as MissingExtraError
from fn.testing._marks import identities as identities
from fn.testing._primitive_checks import check_primitive as check_primitive
from fn.testing._programs import program_inputs as program_inputs
from fn.testing._programs import random_program as random_program
from fn.testing._report import Report as Report
from fn.testing._stacks import Grad as Grad
from fn.testing._stacks import Jit as Jit
from fn.testing._stacks import Jvp as Jvp
from fn.testing._stacks import Linearize as Linearize
from fn.testing._stacks import Remat as Remat
from fn.testing._stacks import Stack as Stack
from fn.testing._stacks import Vjp as Vjp
from fn.testing._stacks import Vmap as Vmap
from fn.testing._strategies import arguments as arguments
from fn.testing._strategies import arrays as arrays
from fn.testing._strategies import index_expressions as index_expressions
from fn.testing._strategies import keys as keys
from fn.testing._strategies import programs as programs
from fn.testing._strategies import pytrees as pytrees
from fn.testing._strategies import transform_stacks as transform_stacks
from fn.testing._strategies import types as types
