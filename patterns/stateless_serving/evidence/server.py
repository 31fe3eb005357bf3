"""A server in a thread of this process, and clients in a process of their own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import uvicorn

SECONDS = 20  # after which a server that does not start, or a client that does not end, is an error

# Asks each target in turn over a connection of its own that is kept alive, so that all share the
# noise of the machine. It knows nothing of this package: it starts in no time.
CLOSED_LOOP = r"""
import json, socket, sys, time
given = json.load(sys.stdin)
sent, connections = [], []
for path, kind, body in given["targets"]:
    content = body.encode("latin-1")
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ncontent-length: "
    sent.append(f"{head}{len(content)}\r\n\r\n".encode() + content)
    connections.append(socket.create_connection(("127.0.0.1", given["port"])))
    connections[-1].settimeout(10)
def ask(i):
    connections[i].sendall(sent[i])
    found = b""
    while b"\r\n\r\n" not in found:
        found += connections[i].recv(1 << 16)
    head, _, body = found.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(found.decode())
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connections[i].recv(1 << 16)
    return body
last = len(sent) - 1
rounds = []
for _ in range(given["rounds"]):
    one = []
    for i in range(last):
        times = []
        before = float(ask(last))
        for _ in range(given["calls"][i]):
            started = time.perf_counter()
            ask(i)
            times.append(time.perf_counter() - started)
        cpu = float(ask(last)) - before
        one.append([sorted(times)[len(times) // 2], cpu / len(times)])
    rounds.append(one)
print(json.dumps(rounds))
"""


@contextlib.contextmanager
def running(app: Any, **settings: Any) -> Iterator[int]:
    """Serve an application from a thread; the port that it has."""
    config = uvicorn.Config(
        app, port=0, log_level="error", access_log=False, lifespan="off", **settings
    )
    listening = config.bind_socket()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + SECONDS
        while not server.started:
            if time.monotonic() > deadline or not thread.is_alive():
                raise RuntimeError("the server does not start")
            time.sleep(0.01)
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(SECONDS)


def client(code: str, given: dict[str, Any]) -> Any:
    """Run a client, and read what it measured."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=10 * SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the client failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout)
