"""Pytrees: mapping over them, naming places in them, taking them apart and putting them together.

fn's trees are JAX's trees. Places have readable paths, `enc/0/w`; None stands for "nothing here" and is
passed over; two trees that do not fit are told apart by the paths where they differ.
"""

from fn.tree._at import At as At
from fn.tree._at import at as at
from fn.tree._difference import differences as differences
from fn.tree._map import all as all
from fn.tree._map import broadcast as broadcast
from fn.tree._map import flatten as flatten
from fn.tree._map import flatten_with_path as flatten_with_path
from fn.tree._map import leaves as leaves
from fn.tree._map import leaves_with_path as leaves_with_path
from fn.tree._map import map as map
from fn.tree._map import map_with_path as map_with_path
from fn.tree._map import paths as paths
from fn.tree._map import reduce as reduce
from fn.tree._map import structure as structure
from fn.tree._map import transpose as transpose
from fn.tree._map import unflatten as unflatten
from fn.tree._parts import filter as filter
from fn.tree._parts import merge as merge
from fn.tree._parts import partition as partition
