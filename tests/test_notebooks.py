"""The notebooks run from top to bottom, and what is committed shows what they showed."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

HOME = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(HOME.glob("*.ipynb"))


def texts(cell):
    """Everything that the outputs of a cell say in words."""
    for output in cell.get("outputs", []):
        yield output.get("text", "") or output.get("data", {}).get("text/plain", "")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_and_prints_what_is_committed(path, monkeypatch):
    # The settings of a reader and not those of the tests.
    monkeypatch.delenv("FN_CHECK", raising=False)
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(HOME.parent))
    committed = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    NotebookClient(fresh, timeout=300, kernel_name="python3").execute(cwd=str(HOME))
    for before, after in zip(committed.cells, fresh.cells, strict=True):
        if before.cell_type != "code":
            continue
        kinds = [
            [o.output_type for o in c.outputs if o.output_type != "stream"] for c in (before, after)
        ]
        assert kinds[0] == kinds[1], before.source
        # Programs are the same to the letter wherever they are printed.
        said = ["\n".join(texts(c)) for c in (before, after)]
        if said[0].startswith("program @"):
            assert said[0] == said[1]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_and_pictures_are_committed(path):
    notebook = nbformat.read(path, as_version=4)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert all(o.output_type != "error" for c in code for o in c.outputs)
    assert sum(bool(c.outputs) for c in code) >= len(code) // 3
    assert all("Traceback" not in t and "/tmp/" not in t for c in code for t in texts(c))
    for cell in code:  # one thing to look at per screen
        assert len(cell.source.splitlines()) <= 45, cell.source
