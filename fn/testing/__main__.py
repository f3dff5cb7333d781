"""`python -m fn.testing --programs 5000 --seed 0`: random Programs, three ways."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

from fn.testing._extra import Console
from fn.testing._long_run import Options, run


def _options(arguments: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m fn.testing",
        description="Random Programs under random stacks of transforms, evaluated op by op, compiled, and "
        "by an oracle. Each finding is made small and printed with a test of it.",
    )
    parser.add_argument("--programs", type=int, default=100, help="how many (100)")
    parser.add_argument("--seed", type=int, default=0, help="of all of them (0)")
    parser.add_argument("--size", type=int, default=10, help="most operations in one (10)")
    parser.add_argument("--minutes", type=float, help="stop after so long")
    parser.add_argument(
        "--resume", type=Path, help="a file of what is done, one JSON object per line"
    )
    parser.add_argument(
        "--together", type=int, default=10, help="how many are compiled at once (10)"
    )
    parser.add_argument(
        "--oracle",
        help="module:function, from a Program and a stack to a function that gives the results",
    )
    given = parser.parse_args(arguments)
    oracle = None
    if given.oracle:
        module, _, name = given.oracle.partition(":")
        sys.path.insert(0, os.getcwd())
        oracle = getattr(importlib.import_module(module), name)
    return Options(
        given.programs, given.seed, given.minutes, given.size, given.together, oracle, given.resume
    )


def main(arguments: list[str] | None = None) -> int:
    """Run, and say by the exit status whether anything was found."""
    # Compiling tiny Programs without the optimiser takes a fifth of the time, and nothing is computed
    # before this is read.
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
    options = _options(arguments)
    return 1 if run(options, Console(soft_wrap=True)) else 0


if __name__ == "__main__":
    sys.exit(main())
