"""The command line as a terminal and another program would use it."""

import json
import re
from importlib import metadata
from pathlib import Path

from click.testing import CliRunner

import fer2013kit as fk
from fer2013kit.cli import main

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "user_guide" / "command_line.rst"


def run(*arguments, code=0):
    """Run the program as a terminal would; return what it printed."""
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    assert result.exit_code == code, result.output
    if code:
        assert "Traceback" not in result.stderr
    return result


def run_json(command, *arguments, code=0):
    """Run a command with --json; return its document, whose keys are those of the guide."""
    document = json.loads(run(command, *arguments, "--json", code=code).stdout)
    documented = documented_keys(command)
    if command == "info":
        installed = {one.metadata["Name"].lower() for one in metadata.distributions()}
        assert set(document) <= documented | installed
    else:
        assert set(document) == documented
    return document


def documented_keys(command):
    """Return the keys that the guide's table names for a command."""
    text = GUIDE.read_text(encoding="utf-8")
    rows = re.findall(rf"\* - ``{command}\b.*\n     - ((?:.+\n)+?)(?=   \* -|\n)", text)
    assert rows, command
    keys = set(re.findall(r"``(\w+)``", " ".join(rows)))
    if command == "audit":
        keys |= set(fk.audit_dataset(fk.make_fer2013(n_samples=35)).as_dict())
    if command == "evaluate":
        keys |= set(
            fk.evaluate_predictions([0, 1], [[1, 0], [0, 1]], class_names=["a", "b"]).as_dict()
        )
    return keys
