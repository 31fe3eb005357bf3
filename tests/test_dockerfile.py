"""The steps of the Dockerfile, each of them run without Docker."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

pytestmark = [pytest.mark.xdist_group("dockerfile"), pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[1]
SECONDS = 180
SMALL = "train_flights(2000, 10)"  # in place of the whole training


def steps() -> list[tuple[str, str]]:
    """The instructions, each with its text on one line."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def only(name: str) -> str:
    """The text of an instruction that is there once."""
    (found,) = (text for step, text in steps() if step == name)
    return found


def test_the_base_is_named_without_a_registry_and_with_a_version() -> None:
    assert re.fullmatch(r"python:3\.\d+-slim", only("FROM"))


def test_it_does_not_run_as_root_and_nothing_follows_as_root() -> None:
    names = [step for step, _ in steps()]
    assert only("USER").isdigit()  # a number, so that a cluster can see that it is not root
    assert int(only("USER")) > 0
    assert not {"RUN", "COPY", "ADD"} & set(names[names.index("USER") :])


def test_it_ends_by_the_signal_that_the_service_understands() -> None:
    assert only("STOPSIGNAL") == "SIGTERM"
    assert json.loads(only("CMD"))[0] == "patterns"  # no shell that would keep the signal


def test_the_health_check_asks_whether_the_process_lives_and_not_whether_it_is_ready() -> None:
    assert "/health/live" in only("HEALTHCHECK")  # a service that drains must not be restarted


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in the folder of the image after all steps but those of the system."""
    app = tmp_path_factory.mktemp("image") / "app"
    app.mkdir()
    for step, text in steps():
        if step == "COPY":
            *sources, target = shlex.split(text)
            for source in sources:
                copy(ROOT / source, app / target if len(sources) == 1 else app / target / source)
        elif step == "RUN" and not text.startswith(("pip install", "useradd")):
            for slow in ("--no-cache ", "--compile-bytecode "):
                text = text.replace(slow, "")
            text = text.replace("train_flights()", SMALL)
            done = subprocess.run(
                ["bash", "-c", text],
                cwd=app,
                env=environment(app),
                capture_output=True,
                text=True,
                timeout=400,
                check=False,
            )
            assert done.returncode == 0, done.stderr[-3000:]
    return app


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def environment(app: Path) -> dict[str, str]:
    """That of the image, where its folder is another."""
    given = dict(re.findall(r"(\w+)=(\S+)", only("ENV")))
    path = given.pop("PATH").replace("/app", str(app)).replace("$PATH", os.environ["PATH"])
    kept = {name: os.environ[name] for name in ("HOME",) if name in os.environ}
    uv = {name: value for name, value in os.environ.items() if name.startswith(("UV_", "SSL_"))}
    return {**uv, **kept, **given, "PATH": path}


@pytest.fixture(scope="module")
def container(image: Path) -> Iterator[tuple[Any, int]]:
    """The command of the image, at a free port of this machine only."""
    command = json.loads(only("CMD"))
    assert command[-4:] == ["--host", "0.0.0.0", "--port", "8080"]
    process = subprocess.Popen(
        [str(image / ".venv" / "bin" / command[0]), *command[1:-4], "--port", "0"],
        cwd=image,
        env=environment(image),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
    reader.start()
    until = time.monotonic() + SECONDS
    try:
        while not (found := re.search(r"at http://127\.0\.0\.1:(\d+)", "".join(said))):
            assert process.poll() is None, "".join(said)
            assert time.monotonic() < until, "the service does not start"
            time.sleep(0.05)
        yield process, int(found[1])
    finally:
        process.kill()
        process.wait(10)
        reader.join(10)
        process.stderr.close()


def files(folder: Path) -> dict[Path, int]:
    """What is in a folder, and when it changed."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path: path.stat().st_mtime_ns for path in found}


def test_the_image_holds_no_package_for_tests_and_no_tensorflow(image: Path) -> None:
    (packages,) = (image / ".venv" / "lib").glob("python*/site-packages")
    there = {path.name for path in packages.iterdir()}
    assert {"fastapi", "uvicorn", "onnxruntime", "xgboost"} <= there
    assert not {"pytest", "tensorflow", "mkdocs", "schemathesis"} & there


def test_the_command_answers_is_healthy_writes_nothing_and_ends_on_the_signal(
    image: Path, container: tuple[Any, int]
) -> None:
    process, port = container
    before = files(image)
    check = json.loads(only("HEALTHCHECK").partition("CMD ")[2])
    check[0] = str(image / ".venv" / "bin" / check[0])
    check[-1] = check[-1].replace(":8080", f":{port}")
    until = time.monotonic() + SECONDS
    while subprocess.run(check, capture_output=True, timeout=20, check=False).returncode:
        assert time.monotonic() < until, "the health check never passes"
    with urlopen(f"http://127.0.0.1:{port}/model", timeout=20) as answer:
        described = json.load(answer)
    assert described["provenance"]["engine"] == "onnx"
    with urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
        assert b"Ask the model" in answer.read()
    process.send_signal(signal.SIGTERM)
    process.wait(SECONDS)
    assert process.returncode in (0, -signal.SIGTERM)
    dead = subprocess.run(check, capture_output=True, timeout=20, check=False)
    assert dead.returncode != 0
    assert files(image) == before
