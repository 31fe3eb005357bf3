"""The service as real processes: what a client in the same process cannot see."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import pytest

from patterns.stateless_serving.evidence.rides import fitted, records, rides

pytestmark = [pytest.mark.xdist_group("serving-processes"), pytest.mark.timeout(3600)]

TESTS = Path(__file__).parent
ADDRESS = re.compile(r"at http://127\.0\.0\.1:(\d+)")
SECONDS = 30.0  # after which something that should happen is said not to
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
ENVIRONMENT.pop("PROMETHEUS_MULTIPROC_DIR", None)


def eventually(found: Callable[[], Any], what: str) -> Any:
    """Ask again until there is an answer."""
    until = time.monotonic() + SECONDS
    while not (answer := found()):
        assert time.monotonic() < until, f"not within {SECONDS:g} seconds: {what}"
        time.sleep(0.02)
    return answer


class Running(NamedTuple):
    """A process and the ports that it said it listens on."""

    process: subprocess.Popen[str]
    port: int
    admin: int | None

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers that it has now."""
        mine = self.process.pid
        children = Path(f"/proc/{mine}/task/{mine}/children").read_text("utf-8").split()
        return [int(pid) for pid in children if b"spawn_main" in command_line(pid)]


def command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:  # it has ended
        return b""


@contextmanager
def running(*command: str) -> Iterator[Running]:
    """Start a program, wait for the ports that it says, and end it in any case."""
    process = subprocess.Popen(
        [sys.executable, *command],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=ENVIRONMENT,
        cwd=TESTS.parent,
    )
    assert process.stderr is not None
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:

        def public() -> str | None:
            assert process.poll() is None, "".join(said)
            return next(
                (line for line in said if ADDRESS.search(line) and "swap" not in line), None
            )

        port = int(ADDRESS.findall(eventually(public, "the address of the service"))[0])
        admin = [ADDRESS.findall(line)[0] for line in said if "swap" in line]
        found = Running(process, port, int(admin[0]) if admin else None)
        # Its own port: with a fixed one, a test could talk to an older server and never know.
        eventually(lambda: healthy(port), "health")
        yield found
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(15)
        reader.join(15)
        process.stderr.close()


def healthy(port: int) -> bool:
    try:
        return ask(port, "GET", "/health/ready")[0] == 200
    except OSError:
        return False


def ask(
    port: int,
    method: str,
    path: str,
    body: bytes | None = None,
    connection: http.client.HTTPConnection | None = None,
    **headers: str,
) -> tuple[int, bytes, dict[str, str]]:
    """One request; status, body and headers of the answer. Nothing is sent twice."""
    own = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        own.request(method, path, body, named)
        found = own.getresponse()
        return found.status, found.read(), {k.lower(): v for k, v in found.getheaders()}
    finally:
        if connection is None:
            own.close()


def predictions(
    port: int, rows: list[Any], connection: http.client.HTTPConnection | None = None
) -> Any:
    """The answer to rows."""
    body = json.dumps({"rows": rows}).encode()
    kind = {"content_type": "application/json"}
    status, content, _ = ask(port, "POST", "/v1/predict", body, connection, **kind)
    assert status == 200, content
    return json.loads(content)


class Models(NamedTuple):
    """Two artifacts of one schema, rows, and the predictions of each for each row."""

    paths: list[str]
    rows: list[dict[str, Any]]
    tables: dict[str, Any]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    from patterns._kit.serving import default_engine, snapshot_of
    from patterns.stateless_serving import predict

    folder = tmp_path_factory.mktemp("artifacts")
    paths, tables = [], {}
    rows = records(rides(300, 2016, 7)[0])
    for seed in (0, 1):
        paths.append(str(folder / f"{seed}.zip"))
        fitted(2000, 20, seed).save(paths[-1])
        snapshot = snapshot_of(Path(paths[-1]), default_engine())
        tables[snapshot.version] = predict(snapshot, rows)
    assert len(tables) == 2
    return Models(paths, rows, tables)


@pytest.fixture(scope="module")
def one(models: Models) -> Iterator[Running]:
    """One process with its administration."""
    with running(
        *("-m", "patterns", "serve", models.paths[0], "--port", "0", "--admin-port", "0")
    ) as found:
        yield found


@pytest.fixture(scope="module")
def two(models: Models) -> Iterator[Running]:
    """Two worker processes behind one port."""
    with running(
        *("-m", "patterns", "serve", models.paths[0], "--port", "0", "--workers", "2")
    ) as found:
        eventually(lambda: len(found.workers) == 2, "two workers")
        yield found


@contextmanager
def slow(**given: Any) -> Iterator[Running]:
    """A service whose rows say how long they take; it works in threads, as on large bodies."""
    limits = {"inline_bytes": 0, **given.pop("limits", {})}
    with running("tests/slow_service.py", json.dumps({"limits": limits, **given})) as found:
        yield found


def slow_row(milliseconds: int) -> bytes:
    return json.dumps({"rows": [{"milliseconds": milliseconds}]}).encode()


# --- the document --------------------------------------------------------------------------------


def test_what_the_document_allows_is_answered_and_what_it_forbids_is_refused(
    one: Running, tmp_path: Path
) -> None:
    """Schemathesis with all its checks.

    By default some 600 requests; ``SERVING_EXAMPLES=1700 uv run pytest -n 0
    tests/test_serving_processes.py -k document`` sends over 10,000: six minutes of a processor.
    """
    examples = int(os.environ.get("SERVING_EXAMPLES", "0"))
    command = [sys.executable, "-m", "schemathesis.cli"]
    command += [
        "run",
        f"http://127.0.0.1:{one.port}/openapi.json",
        "--checks",
        "all",
        "--seed",
        "1",
    ]
    command += ["--no-color", "--continue-on-failure", "--no-shrink", "--warnings", "off"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", str(examples or 15)]
    if not examples:  # the routes that differ from others by more than a part of the path
        command += ["--include-path-regex", "^/(v1/predict|v2/models/.model./infer|model|drift)$"]
    before = n_requests(one.port)
    done = subprocess.run(
        command,
        env={**ENVIRONMENT, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(TESTS)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=3500,
        check=False,
    )
    report = "\n".join(line[:500] for line in done.stdout.splitlines()[-80:])
    assert done.returncode == 0, report + done.stderr[-2000:]
    sent = n_requests(one.port) - before
    print(f"schemathesis sent {sent} requests")
    assert sent >= (10_000 if examples >= 1700 else 200), report


def n_requests(port: int) -> int:
    """How many requests a process has answered."""
    text = ask(port, "GET", "/metrics")[1].decode()
    return int(sum(map(float, re.findall(r"^requests_total\{.*\} (.*)$", text, re.MULTILINE))))


# --- copies --------------------------------------------------------------------------------------


def n_sockets(pid: int) -> int:
    """How many sockets a process has open."""
    links = []
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            links.append(os.readlink(fd))
    return sum(link.startswith("socket:") for link in links)


class Clients:
    """Threads that ask without end, each over its own connection; each answer is checked.

    Parameters
    ----------
    port : int
    ask_one : function of a connection and a number, that raises for a wrong answer
    n : int
        Clients.
    """

    def __init__(self, port: int, ask_one: Callable[[Any, int], None], n: int = 4) -> None:
        self.port, self.ask_one = port, ask_one
        self.answers = self.lost = 0
        self.wrong: list[Exception] = []
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(i,)) for i in range(n)]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(SECONDS)

    def _run(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        while not self._stop.is_set():
            try:
                self.ask_one(connection, number)
            except (OSError, http.client.HTTPException):  # the connection broke
                connection.close()
                with self._lock:
                    self.lost += 1
            except Exception as error:
                self.wrong.append(error)
                return
            with self._lock:
                self.answers += 1
            number += 1
        connection.close()


def test_two_workers_give_the_bits_of_the_process(two: Running, models: Models) -> None:
    """Which of them answers is the kernel's choice, so both are asked at once and often anew."""
    (expected, *_) = models.tables.values()

    def ask_one(connection: Any, number: int) -> None:
        if number % 10 == 0:
            connection.close()  # the next request opens another
        i = number % len(models.rows)
        found = predictions(two.port, [models.rows[i]], connection)
        assert found["predictions"] == [expected[i]]

    sockets = {pid: n_sockets(pid) for pid in two.workers}
    took_part: set[int] = set()  # who has accepted a connection meanwhile
    until = time.monotonic() + SECONDS
    with Clients(two.port, ask_one) as clients:
        while (clients.answers < 400 or len(took_part) < 2) and time.monotonic() < until:
            now = {pid: n_sockets(pid) for pid in two.workers}
            took_part |= {pid for pid in now if now[pid] > sockets[pid]}
            sockets = now
            time.sleep(0.01)
    assert not clients.wrong
    assert clients.lost == 0
    assert clients.answers >= 400
    assert took_part == set(two.workers)
    assert len(took_part) == 2
    assert predictions(two.port, models.rows)["predictions"] == expected.tolist()


def test_a_worker_that_is_killed_takes_only_its_own_requests_and_is_replaced(
    two: Running, models: Models
) -> None:
    (expected, *_) = models.tables.values()

    def ask_one(connection: Any, number: int) -> None:
        i = number % len(models.rows)
        found = predictions(two.port, [models.rows[i]], connection)
        assert found["predictions"] == [expected[i]]

    with Clients(two.port, ask_one) as clients:
        eventually(lambda: clients.answers > 50, "load")
        before = two.workers
        os.kill(before[0], signal.SIGKILL)
        at = clients.answers
        eventually(lambda: clients.answers > at + 50, "answers of the other worker")
        eventually(lambda: len(set(two.workers) - set(before)) == 1, "a worker in its place")
        at = clients.answers
        eventually(lambda: clients.answers > at + 50, "answers after that")
    assert not clients.wrong
    assert clients.lost <= len(clients._threads)  # what the dead worker had in its hands
    assert before[1] in two.workers


def test_a_swap_under_load_fails_no_request_and_mixes_no_answer(
    one: Running, models: Models
) -> None:
    seen: set[str] = set()

    def ask_one(connection: Any, number: int) -> None:
        some = [(number * 7 + j) % len(models.rows) for j in range(3)]
        found = predictions(one.port, [models.rows[i] for i in some], connection)
        seen.add(found["model_version"])
        assert found["predictions"] == models.tables[found["model_version"]][some].tolist()

    assert one.admin is not None
    with Clients(one.port, ask_one) as clients:
        for swap in range(20):
            body = json.dumps({"artifact": models.paths[(swap + 1) % 2]}).encode()
            kind = {"content_type": "application/json"}
            status, content, _ = ask(one.admin, "POST", "/swap", body, **kind)
            assert status == 200, content
            at = clients.answers
            eventually(lambda at=at: clients.answers > at + 5, "answers")  # type: ignore[misc]
    assert not clients.wrong
    assert clients.lost == 0
    assert seen == set(models.tables)


# --- the end -------------------------------------------------------------------------------------


def test_sigterm_answers_what_is_in_flight_and_then_ends() -> None:
    n, milliseconds = 8, 300
    with slow() as found:
        asked = [http.client.HTTPConnection("127.0.0.1", found.port, timeout=20) for _ in range(n)]
        for connection in asked:
            kind = {"content-type": "application/json"}
            connection.request("POST", "/v1/predict", slow_row(milliseconds), kind)
        # What the kernel holds and the process has not accepted would be lost.
        eventually(lambda: n_accepted(found.port) == n, "all requests")
        found.process.send_signal(signal.SIGTERM)
        for connection in asked:
            answer = connection.getresponse()
            assert answer.status == 200
            assert json.loads(answer.read())["predictions"] == [milliseconds]
        found.process.wait(SECONDS)
        for connection in asked:
            connection.close()
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", found.port), 5)


def test_sigterm_ends_in_time_while_a_body_never_does() -> None:
    head = b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    with (
        slow(limits={"body_seconds": 100}, server={"timeout_graceful_shutdown": 1}) as found,
        socket.create_connection(("127.0.0.1", found.port), 10) as unfinished,
    ):
        unfinished.sendall(head + b"content-length: 100\r\n\r\n{")
        eventually(lambda: n_in_flight(found.port) == 1, "the request")
        started = time.monotonic()
        found.process.send_signal(signal.SIGTERM)
        found.process.wait(SECONDS)
        assert time.monotonic() - started < 10


def n_accepted(port: int) -> int:
    """How many predictions a process has been asked for, answered or not."""
    text = ask(port, "GET", "/metrics")[1].decode()
    done = re.findall(r'^requests_total\{route="/v1/predict".*\} (.*)$', text, re.MULTILINE)
    return int(sum(map(float, done))) + n_in_flight(port)


def n_in_flight(port: int) -> int:
    """How many requests a process works on, besides this one."""
    text = ask(port, "GET", "/metrics")[1].decode()
    (found,) = re.findall(r"^requests_in_flight (.*)$", text, re.MULTILINE)
    return int(float(found)) - 1


def test_a_body_that_arrives_too_slowly_is_refused_and_holds_no_place() -> None:
    head = b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    with slow(limits={"body_seconds": 1, "max_in_flight": 1}) as found:
        with socket.create_connection(("127.0.0.1", found.port), SECONDS) as unfinished:
            unfinished.sendall(head + b"content-length: 100\r\n\r\n{")
            eventually(lambda: n_in_flight(found.port) == 1, "the request")
            kind = {"content_type": "application/json"}
            assert ask(found.port, "POST", "/v1/predict", slow_row(1), **kind)[0] == 200
            started = time.monotonic()
            answer = b""
            while more := unfinished.recv(10_000):  # until the server closes
                answer += more
            assert time.monotonic() - started < 10
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"not there within 1 seconds" in answer


# --- too much ------------------------------------------------------------------------------------


def test_overload_is_refused_at_once_while_health_stays_green() -> None:
    """Requests that arrive at their own times, three times as many as can be answered."""
    limit, milliseconds, n, per_second = 4, 20, 300, 150

    async def one(port: int, path: str, body: bytes = b"") -> tuple[int, float, bytes]:
        started = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        method = b"POST" if body else b"GET"
        head = b"%s %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" % (method, path.encode())
        head += b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        writer.write(head + body)
        answer = await asyncio.wait_for(reader.read(), SECONDS)
        writer.close()
        return int(answer.split(b" ")[1]), time.monotonic() - started, answer

    async def load(port: int) -> tuple[list[Any], list[Any]]:
        started = time.monotonic()
        asked, looks = [], []
        for i in range(n):
            await asyncio.sleep(max(0, started + i / per_second - time.monotonic()))
            asked.append(asyncio.create_task(one(port, "/v1/predict", slow_row(milliseconds))))
            if i % 15 == 0:
                looks.append(asyncio.create_task(one(port, "/health/ready")))
        return await asyncio.gather(*asked), await asyncio.gather(*looks)

    with slow(limits={"max_in_flight": limit}) as found:
        answers, looks = asyncio.run(load(found.port))
    accepted = [seconds for status, seconds, _ in answers if status == 200]
    refused = [answer.lower() for status, _, answer in answers if status == 503]
    assert len(accepted) + len(refused) == n
    assert len(accepted) > 10
    assert len(refused) > n / 4
    assert all(b"\r\nretry-after: 1\r\n" in answer for answer in refused)
    assert {status for status, _, _ in looks} == {200}
    # Without a bound the last would wait for all before it: four seconds.
    assert median(accepted) < 1
    assert median(seconds for _, seconds, _ in looks) < 1


# --- what strangers send -------------------------------------------------------------------------

GOOD = {
    "start": "2015-07-01T12:30:00Z",
    "station": "a",
    "weather": "rain",
    "temperature": 20.5,
    "usual": None,
}
GOOD_BODY = json.dumps({"rows": [GOOD]}).encode()


def changed(field: str, value: str) -> bytes:
    """The good body with another text as the value of a field, which need not be JSON."""
    return b'{"rows": [%s]}' % json.dumps({**GOOD, field: "@"}).replace('"@"', value).encode(
        "utf-8", "surrogatepass"
    )


MARK = "mark" * 50  # a text that may not come back
JSON_TYPE = {"content_type": "application/json"}
BAD: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "NaN": (changed("temperature", "NaN"), {}, 400, "NaN"),
    "Infinity": (changed("temperature", "Infinity"), {}, 400, "Infinity"),
    "a number too large": (changed("temperature", "1e999"), {}, 422, "row 0 temperature"),
    "an unknown field": (changed("usual", '1, "more": 1'), {}, 422, "row 0 'more'"),
    "a text for a number": (changed("temperature", '"2422"'), {}, 422, "temperature '2422'"),
    "true for a number": (changed("temperature", "true"), {}, 422, "temperature True"),
    "a number for a text": (changed("station", "7"), {}, 422, "row 0 station 7"),
    "out of range": (changed("temperature", "51"), {}, 422, "row 0 temperature 51"),
    "a key twice": (changed("usual", '1, "station": "b"'), {}, 400, "'station' twice"),
    "no rows": (b'{"rows": []}', {}, 422, "got 0"),
    "a lone surrogate": (changed("station", r'"\ud800"'), {}, 422, r"station '\ud800'"),
    "a word for a time": (changed("start", '"yesterday"'), {}, 422, "start 'yesterday'"),
    "no such day": (changed("start", '"2015-02-30T12:00:00Z"'), {}, 422, "2015-02-30"),
    "5000 digits": (changed("temperature", "9" * 5000), {}, 400, "digits"),
    "deep nesting": (b"[" * 100_000, {}, 400, "nested"),
    "bad UTF-8": (changed("station", '"?"').replace(b"?", b"\xff"), {}, 400, "UTF-8"),
    "UTF-16": (GOOD_BODY.decode().encode("utf-16"), {}, 400, "UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD_BODY, {}, 400, "not JSON"),
    "no body": (b"", {}, 400, "not JSON"),
    "gzip": (GOOD_BODY, {"content_encoding": "gzip"}, 415, "compressed"),
    "another type": (GOOD_BODY, {"content_type": "text/plain"}, 415, "content type"),
    "no type": (GOOD_BODY, {"content_type": ""}, 415, "content type"),
    "a long text": (changed("temperature", f'"{MARK}"'), {}, 422, "temperature"),
    "4000 wrong rows": (json.dumps({"rows": [{"x": MARK}] * 4000}).encode(), {}, 422, "24000"),
    "10001 rows": (json.dumps({"rows": [GOOD] * 10_001}).encode(), {}, 422, "got 10001"),
}


@pytest.fixture(scope="module")
def neighbor(one: Running) -> Iterator[http.client.HTTPConnection]:
    """Another client, whose one connection outlives all that strangers send."""
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=SECONDS)
    yield connection
    connection.close()


@pytest.mark.parametrize("case", BAD)
def test_bad_requests_are_refused_by_name_and_take_nobody_with_them(
    one: Running, neighbor: http.client.HTTPConnection, case: str
) -> None:
    body, headers, expected, said = BAD[case]
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=SECONDS)
    status, content, answered = ask(
        one.port, "POST", "/v1/predict", body, connection, **{**JSON_TYPE, **headers}
    )
    assert status == expected, content[:500]
    answer = json.loads(content)
    parts = [answer["error"], str(answer.get("n_problems", ""))]
    for problem in answer.get("problems", [])[:1]:
        parts += [f"row {problem['row']}", problem["field"], problem["value"], problem["problem"]]
    text = " ".join(str(part) for part in parts if part is not None)
    for word in said.split(" ") if status == 422 else [said]:
        assert word in text
    assert len(content) < 6000
    assert MARK not in content.decode()
    if answered.get("connection") != "close":  # then the next request on it is answered
        assert ask(one.port, "POST", "/v1/predict", GOOD_BODY, connection, **JSON_TYPE)[0] == 200
    connection.close()
    socket_before = neighbor.sock
    assert ask(one.port, "POST", "/v1/predict", GOOD_BODY, neighbor, **JSON_TYPE)[0] == 200
    assert socket_before in (None, neighbor.sock)  # over the same connection as ever


def test_a_body_that_is_declared_too_long_is_refused_before_it_is_sent(one: Running) -> None:
    head = b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", one.port), SECONDS) as client:
        client.sendall(head + b"content-length: 100000000\r\n\r\n{")
        answer = b""
        while more := client.recv(10_000):  # until the server closes
            answer += more
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"longer than 16000000 bytes" in answer


def test_a_body_of_unknown_length_ends_where_the_limit_is(one: Running) -> None:
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", one.port), SECONDS) as client:
        head = b"POST /v1/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        client.sendall(head + b"transfer-encoding: chunked\r\n\r\n")
        try:
            for _ in range(100):  # 100 MB
                client.sendall(chunk)
                sent += 1
        except OSError:  # the server has closed
            pass
    assert 16 <= sent < 100
    assert healthy(one.port)
