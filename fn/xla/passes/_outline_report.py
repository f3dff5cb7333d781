"""What the passes found and did, to be read afterwards: `report(program)`."""

from __future__ import annotations

from dataclasses import dataclass

from fn.core import ArrayType, Program, Source


@dataclass(frozen=True)
class Repeat:
    """A run of equations said once and called from several places."""

    name: str
    """Of the Program that the calls refer to."""
    sites: int
    equations: int
    """In the Program, when it was found."""
    source: Source | None
    """The user's line of its first equation in the first place."""

    @property
    def saved(self) -> int:
        """Equations that are gone, the calls counted."""
        return (self.sites - 1) * self.equations - self.sites

    def __str__(self) -> str:
        return (
            f"outlined {self.name}: {self.sites} sites × {self.equations} equations, "
            f"{self.saved} saved{_at(self.source)}"
        )


@dataclass(frozen=True)
class Shared:
    """Calls of one Program, as the user made them, that are kept apart."""

    name: str
    sites: int
    equations: int

    def __str__(self) -> str:
        return f"kept apart {self.name}: {self.sites} calls of {self.equations} equations"


@dataclass(frozen=True)
class Fence:
    """A value that is computed once where XLA would have computed it in each of its users."""

    type: ArrayType
    chain: int
    """Equations that would have been copied."""
    users: int
    source: Source | None

    def __str__(self) -> str:
        return (
            f"cut {self.type}: a chain of {self.chain} equations has {self.users} users"
            f"{_at(self.source)}"
        )


@dataclass(frozen=True)
class Thinner:
    """Less handed from one Program's calls to another's."""

    giver: str
    taker: str
    before: int
    """Bytes per call."""
    after: int

    def __str__(self) -> str:
        return (
            f"{self.taker} takes {self.after:,} bytes from {self.giver} instead of {self.before:,}"
        )


Finding = Repeat | Shared | Fence | Thinner


@dataclass(frozen=True)
class Report:
    """What outlining, sharing and cutting did to a Program and those inside it."""

    findings: tuple[Finding, ...] = ()
    before: int = 0
    """Equations in programs in which the outliner found something."""
    after: int = 0
    """Equations left of them, those of outlined Programs counted once."""
    steps: int = 0
    """Equations the outliner looked at, as often as it did."""

    def __str__(self) -> str:
        lines = [*map(str, self.findings)]
        if self.before:
            lines.append(f"{self.before} equations before, {self.after} after")
        return "\n".join(lines) or "nothing repeats, nothing is cut"


_KEY = "outline_report"


def noted(program: Program, *findings: Finding, **numbers: int) -> Program:
    """`program`, the result of a pass, with a note of what the pass found."""
    program.cache[_KEY] = Report(findings, **numbers)
    return program


def noticed(*programs: Program) -> Report:
    """The notes on these Programs and on those inside them, each once."""
    notes: dict[int, Report] = {}
    seen: set[int] = set()
    todo = list(programs)
    for program in todo:
        if id(program) in seen:
            continue
        seen.add(id(program))
        note = program.cache.get(_KEY)
        if note is not None:
            notes[id(note)] = note
        todo += program.subprograms()
    found = notes.values()
    return Report(
        tuple([f for note in found for f in note.findings]),
        sum([note.before for note in found]),
        sum([note.after for note in found]),
        sum([note.steps for note in found]),
    )


def _at(source: Source | None) -> str:
    return "" if source is None else f", at {source.file}:{source.line}"
