import subprocess
import sys

import pytest

from micrograd.cli import main


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "COMMAND" in capsys.readouterr().out


def test_an_unknown_command_exits_with_2(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["fly"])
    assert "fly" in capsys.readouterr().err


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "micrograd", "--help"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.startswith("usage: micrograd")


def test_a_reader_that_has_seen_enough_is_no_error():
    command = [sys.executable, "-m", "micrograd", "step", "x * y", "--at", "x=1,y=2"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run.stdout.close()
    assert (run.stderr.read(), run.wait(60)) == ("", 0)
    run.stderr.close()
