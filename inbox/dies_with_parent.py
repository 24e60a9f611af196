"""A program of its own, never imported: becomes the given command, which the kernel kills when its parent dies.

    python dies_with_parent.py PARENT_PID COMMAND ARGUMENT…

It stands between `subprocess` and the command because `preexec_fn` may deadlock in a process that has threads. The
kernel ties the signal to the *thread* that started us, so the parent starts us from the thread of its event loop.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def main(parent: int, command: list[str]) -> None:
    """Arms the signal and turns into the command.

    Raises:
        OSError: the command cannot be executed.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the signal was armed
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # a database has a file for each collection and index
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.execv(command[0], command)  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
