"""Types into a shell on a terminal of its own, and prints what the terminal showed after that.

Usage: press_keys.py KEYS PATTERN SHELL [ARGUMENT…]

The shell is to print 'ready> ' as its prompt. KEYS are pressed, and a Tab after them again and again,
until what is shown since then has the regular expression PATTERN, at most a minute: an agent on a busy
machine may be too slow for one Tab. Exit code 1: it was never shown.
"""

import os
import pty
import re
import select
import signal
import sys
import time

PROMPT = b"ready> "
PATIENCE = 60
BETWEEN_TABS = 0.5


def read_until(terminal, pattern, shown, deadline):
    while not re.search(pattern, shown):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([terminal], [], [], left)[0]:
            break
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # the shell is gone
            break
    return shown


def main():
    keys, pattern, argv = sys.argv[1].encode(), sys.argv[2].encode(), sys.argv[3:]
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(argv[0], argv)
    deadline = time.monotonic() + PATIENCE
    shown = read_until(terminal, re.escape(PROMPT), b"", deadline)
    if PROMPT not in shown:
        sys.stdout.buffer.write(shown)
        return 1
    # Whatever a shell says while it starts would hide what its completion says.
    sys.stdout.buffer.write(shown.replace(PROMPT, b""))
    shown = b""
    os.write(terminal, keys)
    while not re.search(pattern, shown) and time.monotonic() < deadline:
        os.write(terminal, b"\t")
        shown = read_until(terminal, pattern, shown, time.monotonic() + BETWEEN_TABS)
    sys.stdout.buffer.write(shown)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 0 if re.search(pattern, shown) else 1


sys.exit(main())
