"""Passes: functions from Program to Program that leave what is computed and change how.

Each is pure, takes time about linear in the Program, works on the Programs inside once each, and
remembers its results on them. They know nothing of StableHLO; `optimise` runs them before emission.
"""

from fn.xla.passes._common import common as common
from fn.xla.passes._cut import cut as cut
from fn.xla.passes._dead import dead as dead
from fn.xla.passes._expand import expand as expand
from fn.xla.passes._hoist import hoist as hoist
from fn.xla.passes._inline import inline as inline
from fn.xla.passes._outline import outline as outline
from fn.xla.passes._outline_borders import thin as thin
from fn.xla.passes._outline_report import Fence as Fence
from fn.xla.passes._outline_report import Repeat as Repeat
from fn.xla.passes._outline_report import Report as Report
from fn.xla.passes._outline_report import Shared as Shared
from fn.xla.passes._outline_report import Thinner as Thinner
from fn.xla.passes._outline_report import noticed as noticed
from fn.xla.passes._pack import pack as pack
from fn.xla.passes._pipeline import PassTimes as PassTimes
from fn.xla.passes._pipeline import optimise as optimise
from fn.xla.passes._pipeline import pass_times as pass_times
from fn.xla.passes._pipeline import passes_for as passes_for
from fn.xla.passes._pipeline import report as report
from fn.xla.passes._pipeline import times as times
from fn.xla.passes._products import products as products
from fn.xla.passes._share import call_apart_p as call_apart_p
from fn.xla.passes._share import share as share
from fn.xla.passes._simplify import simplify as simplify
from fn.xla.passes._unpack import unpack as unpack
