"""Starts MiniStack, and ends it when standard input ends, so that it does not outlive who started it.

The server that Lambda functions talk to writes headers and body in two small packets; with Nagle's algorithm on, each
invocation waits some 40 ms for the delayed acknowledgement. Do not name this file ministack.py: it would hide the package.
"""

import os
import signal
import socketserver
import sys
import threading


def end_with_parent():
    while sys.stdin.buffer.read(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


socketserver.StreamRequestHandler.disable_nagle_algorithm = True

if os.environ.get("END_WITH_STDIN") == "1":
    threading.Thread(target=end_with_parent, daemon=True).start()

from ministack.app import main  # noqa: E402

main()
