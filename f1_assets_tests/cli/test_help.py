"""``f1-assets --help`` and the completion of the shell."""

import sys

import pytest
import typer

from f1_assets.cli.app import app, main
from f1_assets.cli.groups import GROUPS


def test_every_command_has_its_place_in_a_day():
    group = typer.main.get_command(app)
    assert list(group.list_commands(typer.Context(group))) == [name for names in GROUPS.values() for name in names]


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
