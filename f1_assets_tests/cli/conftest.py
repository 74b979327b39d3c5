"""The command in the test's own process, where what it imports is imported once."""

import subprocess
import sys

import pytest

from f1_assets.cli import main
from f1_assets.settings import process_settings


@pytest.fixture
def run_here(monkeypatch, capfd):
    """Run the command with arguments and an environment; what its workers print is not caught."""

    def run(arguments, environment):
        process_settings.cache_clear()
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["f1-assets", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
        printed = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, ended.value.code, printed.out, printed.err)

    return run


@pytest.fixture
def f1_assets(tmp_path, run_here):
    """Run the command in a home of its own."""

    def run(*arguments, **environment):
        return run_here(arguments, {"F1_HOME": str(tmp_path / "home"), "F1_SOURCE": "simulator", **environment})

    return run
