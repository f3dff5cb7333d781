"""Looking at functions as Programs: how they read, differ and grow, what they cost, where NaN begins.

Views print in a terminal and are pages in a notebook. This room changes no function; only `find_nan`
runs one.
"""

from fn.inspect._cost import Cost as Cost
from fn.inspect._cost import CostRow as CostRow
from fn.inspect._cost import cost as cost
from fn.inspect._diff import Diff as Diff
from fn.inspect._diff import diff as diff
from fn.inspect._explain import Explanation as Explanation
from fn.inspect._explain import explain as explain
from fn.inspect._find_nan import Finding as Finding
from fn.inspect._find_nan import find_nan as find_nan
from fn.inspect._residuals import Residual as Residual
from fn.inspect._residuals import Residuals as Residuals
from fn.inspect._residuals import residuals as residuals
from fn.inspect._show import Shown as Shown
from fn.inspect._show import show as show
from fn.inspect._steps import Stage as Stage
from fn.inspect._steps import Steps as Steps
from fn.inspect._steps import steps as steps
