"""The supervisor, with small programs in the place of the real ones."""

import os
import signal
import socket
import sys
import threading
import time

import pytest

from labelhub import supervisor
from labelhub.supervisor import PortInUse, Program, Supervisor, check_port

WAITS = "import time; time.sleep(60)"
IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def program(name: str, code: str, *, vital: bool = False) -> Program:
    return Program(name, [sys.executable, "-S", "-E", "-c", code], vital, dict(os.environ))


class Trial:
    """Runs programs; `said` is what the supervisor said, `on_line` is called with each line."""

    def __init__(self, folder, *programs: Program) -> None:
        self.said: list[str] = []
        self.supervisor = Supervisor(programs, folder=folder, say=self.hear)
        self.on_line = lambda line: None  # noqa: ARG005
        self.ready_when = lambda: True
        self.on_ready = lambda: None

    def hear(self, line: str) -> None:
        self.said.append(line)
        self.on_line(line)

    def run(self) -> int:
        return self.supervisor.run(is_ready=self.ready_when, on_ready=lambda: self.on_ready())

    @property
    def pids(self) -> list[int]:
        return [running.process.pid for running in self.supervisor.running]

    def interrupt(self) -> None:
        """Ctrl-C."""
        os.kill(os.getpid(), signal.SIGINT)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_ctrl_c_stops_everything_with_exit_code_0(tmp_path):
    trial = Trial(tmp_path, program("web", WAITS, vital=True), program("model", WAITS))
    trial.on_ready = trial.interrupt

    assert trial.run() == 0

    assert len(trial.pids) == 2
    assert not any(is_alive(pid) for pid in trial.pids)
    assert trial.said == []


def test_sigterm_stops_everything_with_exit_code_0(tmp_path):
    trial = Trial(tmp_path, program("web", WAITS, vital=True))
    trial.on_ready = lambda: os.kill(os.getpid(), signal.SIGTERM)

    assert trial.run() == 0

    assert not is_alive(trial.pids[0])


def test_the_handlers_of_signals_are_put_back(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    trial = Trial(tmp_path, program("web", WAITS, vital=True))
    trial.on_ready = trial.interrupt

    trial.run()

    assert signal.getsignal(signal.SIGINT) is before


def test_the_end_of_a_vital_program_ends_everything_with_its_code(tmp_path):
    trial = Trial(
        tmp_path, program("web process", "raise SystemExit(3)", vital=True), program("model", WAITS)
    )

    assert trial.run() == 3

    assert trial.said == ["The web process ended (exit code 3)."]
    assert not any(is_alive(pid) for pid in trial.pids)


def test_a_vital_program_that_is_killed_gives_the_code_that_shells_give(tmp_path):
    dies = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    trial = Trial(tmp_path, program("web process", dies, vital=True))

    assert trial.run() == 128 + signal.SIGKILL
    assert trial.said == ["The web process ended (signal 9)."]


def test_another_program_that_ends_is_started_again_after_pauses_that_grow(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.01)
    trial = Trial(
        tmp_path,
        program("web", WAITS, vital=True),
        program("model server", "open('starts', 'a').write('x'); raise SystemExit(1)"),
    )
    trial.on_line = lambda line: len(trial.said) == 3 and trial.interrupt()  # noqa: ARG005

    assert trial.run() == 0

    assert (tmp_path / "starts").read_text() == "xxx"
    assert trial.supervisor.running[1].pause == pytest.approx(0.08)
    assert "started again" in trial.said[0]


def test_pauses_start_anew_for_a_program_that_ran_for_long(tmp_path):
    running = supervisor.Running(program("model", "pass"), tmp_path)
    running.process.wait()
    running.pause = 32.0
    running.started_at -= supervisor.STEADY_SECONDS + 1

    assert running.start_later() == supervisor.FIRST_PAUSE


def test_a_program_that_does_not_end_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.2)
    code = f"{IGNORES_SIGTERM}; open('deaf', 'w'); {WAITS}"
    trial = Trial(tmp_path, program("web process", code, vital=True))
    trial.ready_when = (tmp_path / "deaf").exists
    trial.on_ready = trial.interrupt

    assert trial.run() == 0

    assert trial.said == ["The web process does not end; it is killed."]
    assert not is_alive(trial.pids[0])


def test_nothing_that_a_program_started_outlives_it(tmp_path):
    starts_another = (
        "import subprocess, sys; "
        f"child = subprocess.Popen([sys.executable, '-S', '-c', {WAITS!r}]); "
        f"open('child', 'w').write(str(child.pid)); {WAITS}"
    )
    trial = Trial(tmp_path, program("web", starts_another, vital=True))
    trial.ready_when = lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text()
    trial.on_ready = trial.interrupt

    trial.run()

    child = int((tmp_path / "child").read_text())
    end = time.monotonic() + 5
    while is_alive(child) and not _is_zombie(child) and time.monotonic() < end:
        threading.Event().wait(0.01)
    assert not is_alive(child) or _is_zombie(child)


def _is_zombie(pid: int) -> bool:
    """Dead, and not yet fetched by the process that inherited it."""
    try:
        with open(f"/proc/{pid}/stat") as about:
            return about.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return False


def test_a_start_that_takes_too_long_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "START_SECONDS", 0.3)
    trial = Trial(tmp_path, program("web", WAITS, vital=True))
    trial.ready_when = lambda: False

    assert trial.run() == 1

    assert trial.said == ["LabelHub does not answer after 0 s; it is stopped."]
    assert not is_alive(trial.pids[0])


def test_a_port_that_is_taken_is_noticed_and_a_free_one_left_free():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse):
            check_port("127.0.0.1", port)

    check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)
