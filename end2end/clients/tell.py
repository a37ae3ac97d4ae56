"""What the Python clients share: one line of JSON per event, streams read side by side."""

import json
import os
import sys
import threading

HEADERS = {"Authorization": "Bearer " + os.environ["TAILBOARD_TOKEN"]}
_lock = threading.Lock()


def tell(stream, **what):
    """Prints what a stream gave: id, event and data, or how it ended."""
    with _lock:
        print(json.dumps({"stream": stream, **what}), flush=True)


def run(read):
    """Reads every URL of the command line in a thread of its own."""
    for stream, url in enumerate(sys.argv[1:]):
        threading.Thread(target=read, args=(stream, url)).start()
