"""``f1-assets --help`` and the completion of the shell."""

import subprocess
import sys
from importlib import import_module

import pytest
import typer

from f1_assets.cli.app import app, main
from f1_assets.cli.groups import GROUPS


def test_every_command_has_its_place_in_a_day():
    group = typer.main.get_command(app)
    assert list(group.list_commands(typer.Context(group))) == [name for names in GROUPS.values() for name in names]


@pytest.mark.parametrize("name", [name for names in GROUPS.values() for name in names])
def test_a_command_is_listed_with_its_own_help(name):
    listed = typer.main.get_command(app).commands[name]
    assert listed.help == listed.imported().help.partition("\n\n")[0]
    assert listed.imported().name == name


def test_every_command_of_a_module_is_listed():
    listed = [(name, entry) for names in GROUPS.values() for name, entry in names.items()]
    for module in {entry.module for _, entry in listed}:
        commands = typer.main.get_group(import_module(f"f1_assets.cli.{module}").commands).commands
        names = {name for name, entry in listed if entry.module == module}
        is_group = any(entry.is_group for _, entry in listed if entry.module == module)
        assert len(names) == 1 if is_group else names == set(commands)


def test_help_imports_neither_data_nor_databases():
    tell = "atexit.register(lambda: print(*sys.modules, file=sys.stderr))"
    code = f"import atexit, sys; {tell}; from f1_assets.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert "import" in done.stdout
    imported = set(done.stderr.split())
    assert "f1_assets.cli.groups" in imported
    assert not imported & {"pandas", "sqlalchemy", "pydantic", "dagster", "fastf1", "f1_assets.datasets"}


def test_help_lists_the_commands_in_the_order_of_a_day(capsys):
    app(["--help"], standalone_mode=False)
    shown = capsys.readouterr().out
    words = [*GROUPS, "demo", "import", "status", "export", "serve", "archive"]
    assert all(word in shown for word in words)
    places = [shown.index(f" {word} ") for word in ("demo", "import", "status", "export", "serve", "archive")]
    assert places == sorted(places)


@pytest.fixture
def as_the_shell_asks(monkeypatch, capsys):
    """Run the command as a shell does for its completion: what it wants to know is in the environment."""

    def run(**environment):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["f1-assets"])
            for name, value in environment.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        assert ended.value.code == 0
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands(shell, as_the_shell_asks):
    assert "_F1_ASSETS_COMPLETE" in as_the_shell_asks(_F1_ASSETS_COMPLETE=f"source_{shell}")
    asked = {"COMP_WORDS": "f1-assets sta", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "f1-assets sta"}
    asked["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    completed = as_the_shell_asks(_F1_ASSETS_COMPLETE=f"complete_{shell}", **asked)
    assert "status" in completed
    assert "import" not in completed


def test_completion_can_be_installed():
    options = {option for parameter in typer.main.get_command(app).params for option in parameter.opts}
    assert {"--install-completion", "--show-completion"} <= options
