"""``f1-assets serve`` as a user starts and ends it: a process of its own."""

import os
import signal
import socket
import subprocess
import sys

import pytest
import requests

# As in a terminal: a process that a shell starts in the background would ignore Ctrl-C.
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from f1_assets.cli import main; main()"
)


@pytest.fixture
def serve(tmp_path):
    """Start the command in a home of its own; what still runs at the end is killed."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "serve", *arguments],
            env={**os.environ, "F1_HOME": str(tmp_path / "home"), "F1_SOURCE": "simulator", "NO_COLOR": "1"},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_says_where_it_is_answers_there_and_ends_with_ctrl_c(serve):
    board = serve("--port", "0")
    line = board.stdout.readline()
    assert line.startswith("The season board is on http://127.0.0.1:")
    url = line.split()[5].rstrip(";")
    with requests.Session() as kept_alive:  # a browser's connection does not hold it up
        assert "f1-assets calendar" in kept_alive.get(url, timeout=30).text
        assert kept_alive.post(url, timeout=30).status_code == 405
        board.send_signal(signal.SIGINT)
        rest, errors = board.communicate(timeout=240)
    assert (board.returncode, rest, errors) == (0, "", "")


@pytest.mark.long
def test_several_processes_answer_at_one_address_and_end_together(serve):
    board = serve("--port", "0", "--workers", "2")
    url = board.stdout.readline().split()[5].rstrip(";")
    assert "f1-assets calendar" in requests.get(url, timeout=240).text
    assert requests.get(f"{url}/v1/sessions", timeout=240).json() == []
    board.send_signal(signal.SIGINT)
    rest, errors = board.communicate(timeout=240)
    assert (board.returncode, rest, errors) == (0, "", "")


def test_a_port_in_use_is_one_clear_error(serve):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        out, errors = serve("--port", str(port)).communicate(timeout=240)
    assert out == ""
    assert errors.splitlines() == [
        f"Error: Port {port} of 127.0.0.1 is in use. Choose another: f1-assets serve --port 0 takes any free one."
    ]


@pytest.mark.long
def test_an_address_of_another_machine_is_refused_with_its_exit_code(serve):
    board = serve("--host", "192.0.2.1")
    _, errors = board.communicate(timeout=240)
    assert board.returncode == 4
    assert "cannot listen on 192.0.2.1" in errors
    assert "Traceback" not in errors


@pytest.mark.long
def test_an_address_that_others_reach_is_warned_of(serve):
    board = serve("--host", "0.0.0.0", "--port", "0")
    assert "http://0.0.0.0:" in board.stdout.readline()
    board.send_signal(signal.SIGINT)  # at once, while the board still starts
    rest, errors = board.communicate(timeout=240)
    assert (board.returncode, rest) == (0, "")
    assert len(errors.splitlines()) == 1, errors
    assert "asks for no password" in errors
