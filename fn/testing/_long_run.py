"""The long run: random Programs under random stacks, op by op, compiled, and by an oracle.

Compiling costs more than everything else, so several Programs are compiled together, and operations
evaluated one by one are drawn from few types, whose executables are kept.
"""

from __future__ import annotations

import gc
import json
import resource
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import jax

from fn.core import MissingRuleError, Program, check, clear_trace_cache, evaluate
from fn.testing._check_stack import Oracle, Verdict, judge
from fn.testing._draft import Seeded
from fn.testing._extra import Console, Progress
from fn.testing._inputs import example_inputs
from fn.testing._minimize import minimize
from fn.testing._programs import random_program
from fn.testing._stacks import Stack, draw_stack
from fn.xla import jit

_MEMORY = 4 << 20
"""Kilobytes of resident memory above which kept executables are let go."""


@dataclass(frozen=True)
class Options:
    """What a long run is to do."""

    programs: int = 100
    seed: int = 0
    minutes: float | None = None
    size: int = 10
    together: int = 10
    oracle: Oracle | None = None
    resume: Path | None = None
    shrink_seconds: float = 60.0


@dataclass(frozen=True)
class Item:
    """One random Program under one random stack, at random arguments."""

    index: int
    program: Program
    stack: Stack
    derived: Program
    args: list[Any]


@dataclass(frozen=True)
class Finding:
    """Something that went wrong, as small as it could be made."""

    index: int
    kind: str
    text: str
    program: Program
    stack: Stack

    @property
    def test(self) -> str:
        """A regression test, to be pasted."""
        body = textwrap.indent(str(self.program), "        ")
        named = sorted({type(t).__name__ for t in self.stack})
        imports = f"    from fn.testing import {', '.join(named)}\n" if named else ""
        oracle = ", oracle=oracle" if self.kind.startswith("oracle") else ""
        return (
            f"def test_found_{self.index}():\n"
            f'    """{self.kind}: {self.text[:70]}"""\n'
            f'{imports}    program = fn.Program.parse("""\n{body}\n    """)\n'
            f"    fn.testing.check_stack(program, {list(self.stack)!r}, seed={self.index}{oracle})\n"
        )


def build(index: int, options: Options) -> tuple[Program, Stack]:
    """The Program and the stack of a number: every eighth is free of derivatives."""
    reverse = index % 8 != 0
    name = f"{options.seed}/{index}"
    program = random_program(name, size=options.size, reverse=reverse)
    return program, draw_stack(Seeded(f"stack {name}"), reverse=reverse)


def prepare(index: int, program: Program, stack: Stack) -> Item:
    """The transformed Program and its arguments."""
    derived = check(stack.apply(program))
    return Item(index, program, stack, derived, example_inputs(derived.in_types, index))


# --- evaluation -------------------------------------------------------------------------


class _Failed(NamedTuple):
    error: Exception


def _all(
    functions: Sequence[Callable[..., Any]], compiler: Callable[..., Any], items: Sequence[Item]
) -> list[Any]:
    """What each function gives, compiled together; one by one if that fails."""
    if not items:
        return []

    def together(args: Any) -> list[Any]:
        return [tuple(f(*a)) for f, a in zip(functions, args, strict=True)]

    try:
        return list(jax.block_until_ready(compiler(together)([i.args for i in items])))
    except Exception as error:
        if len(items) == 1:
            return [_Failed(error)]
    half = len(items) // 2
    return [
        *_all(functions[:half], compiler, items[:half]),
        *_all(functions[half:], compiler, items[half:]),
    ]


def _by_oracle(oracle: Oracle | None, items: Sequence[Item]) -> list[Any]:
    if oracle is None:
        return [None] * len(items)
    # Made afresh for each trace: functions of JAX keep what an earlier trace made of them.
    functions = [lambda *xs, i=i: oracle(i.program, i.stack)(*xs) for i in items]
    return _all(functions, jax.jit, items)


def _evaluations(items: Sequence[Item]) -> list[Any]:
    return _all([lambda *xs, i=i: evaluate(i.derived, xs) for i in items], jit, items)


def verdicts(
    items: Sequence[Item], oracle: Oracle | None
) -> Iterator[tuple[Item, str, Verdict | None]]:
    """How each item came out: `ok`, `no oracle` or what is wrong."""
    for item, outs, reference in zip(
        items, _evaluations(items), _by_oracle(oracle, items), strict=True
    ):
        status = "ok"
        if isinstance(reference, _Failed):
            status, reference = f"no oracle: {_first_line(reference.error)}", None
        if isinstance(outs, _Failed):
            yield item, status, Verdict(("compiling", ""), _first_line(outs.error), None)
            continue
        try:
            yield item, status, judge(item.derived, item.args, outs, reference)
        except Exception as error:
            yield item, status, Verdict(("op by op", ""), _first_line(error), None)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200]}"


# --- the run ----------------------------------------------------------------------------


def _done(path: Path | None) -> dict[int, str]:
    """What an earlier run has finished, by number."""
    if path is None or not path.exists():
        return {}
    found = {}
    for line in path.read_text().splitlines():
        try:
            entry = json.loads(line)
            found[int(entry["index"])] = str(entry["status"])
        except (ValueError, KeyError, TypeError):
            continue  # the last line of a run that was killed
    return found


def run(options: Options, console: Console) -> list[Finding]:
    """Try all Programs, show progress, and print each finding with a test of it."""
    done = _done(options.resume)
    todo = [i for i in range(options.programs) if i not in done]
    findings: list[Finding] = []
    counts: Counter[str] = Counter(s.split(":")[0] for s in done.values())
    end = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    log = options.resume.open("a") if options.resume is not None else None
    try:
        with Progress(console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("programs", total=options.programs, completed=len(done))
            for start in range(0, len(todo), options.together):
                if end is not None and time.monotonic() > end:
                    console.print("out of time; go on with --resume")
                    break
                chosen = todo[start : start + options.together]
                for index, status, finding in _batch(chosen, options):
                    counts[status.split(":")[0]] += 1
                    _note(log, index, status, finding)
                    if finding is not None:
                        findings.append(finding)
                        console.print(
                            f"finding {index}: {finding.kind}: {finding.text}", markup=False
                        )
                        console.print(finding.test, markup=False, highlight=False)
                    progress.advance(task)
                _let_go()
    finally:
        if log is not None:
            log.close()
    console.print(
        ", ".join(f"{n} {status}" for status, n in sorted(counts.items())) or "nothing done"
    )
    return findings


def _note(log: TextIO | None, index: int, status: str, finding: Finding | None) -> None:
    if log is None:
        return
    entry: dict[str, Any] = {"index": index, "status": status}
    if finding is not None:
        entry |= {"text": finding.text, "test": finding.test}
    log.write(json.dumps(entry) + "\n")
    log.flush()


def _let_go() -> None:
    """Drop kept executables once they take too much memory."""
    clear_trace_cache()
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > _MEMORY:
        jax.clear_caches()
        gc.collect()


def _batch(indices: Sequence[int], options: Options) -> Iterator[tuple[int, str, Finding | None]]:
    items: list[Item] = []
    for index in indices:
        program, stack = Program((), (), ()), Stack()
        try:
            program, stack = build(index, options)
            items.append(prepare(index, program, stack))
        except MissingRuleError as missing:
            yield index, f"no rule: {missing.what}", None
        except Exception as error:
            failed = Verdict(("transforming", ""), _first_line(error), None)
            item = Item(index, program, stack, program, [])
            yield index, "finding", _finding(item, failed, options)
    for item, status, verdict in verdicts(items, options.oracle):
        if verdict is None:
            yield item.index, status, None
        else:
            yield item.index, "finding", _finding(item, verdict, options)


def _verdict(index: int, program: Program, stack: Stack, oracle: Oracle | None) -> Verdict | None:
    """The verdict on one Program by itself."""
    try:
        item = prepare(index, program, stack)
    except MissingRuleError:
        return None
    except Exception as error:
        return Verdict(("transforming", ""), _first_line(error), None)
    ((_, _, verdict),) = verdicts([item], oracle)
    return verdict


def _finding(item: Item, verdict: Verdict, options: Options) -> Finding:
    oracle = options.oracle if verdict.sides[0] == "oracle" else None

    def shows(program: Program, stack: Stack) -> bool:
        found = _verdict(item.index, program, stack, oracle)
        return found is not None and found.sides == verdict.sides

    program, stack = minimize(item.program, item.stack, shows, options.shrink_seconds)
    last = _verdict(item.index, program, stack, oracle) or verdict
    return Finding(
        item.index, " against ".join(filter(None, verdict.sides)), last.text, program, stack
    )
