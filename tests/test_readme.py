"""What the README shows is true: its code runs, its program prints as shown, its commands are the ones CI runs."""

import re
from pathlib import Path

import fn

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_code_runs(capsys):
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(block, "README.md", "exec"), {})
    assert "program @loss" in capsys.readouterr().out


def test_the_program_parses_and_prints_as_shown():
    (text,) = re.findall(r"```\n(program .*?)```", README, re.DOTALL)
    assert str(fn.Program.parse(text)) == text.rstrip()


def test_there_are_two_set_up_commands_and_ci_runs_the_second():
    section = README[README.index("## Set up") : README.index("## Map")]
    commands = re.findall(r"^    (.*)$", section, re.MULTILINE)
    assert len(commands) == 2
    assert commands[0].endswith("python examples/digits.py")
    ci = (ROOT / ".ci" / "run").read_text().replace("pip install -q", "pip install")
    for step in commands[1].split(" && ")[2:]:
        assert step in ci


def test_the_map_names_every_room():
    rooms = {p.name for p in (ROOT / "fn").iterdir() if (p / "__init__.py").exists()}
    named = set(re.findall(r"^\| `fn\.(\w+)`", README, re.MULTILINE))
    assert named == rooms
