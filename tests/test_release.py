"""What a release needs: one version, a dated list of changes, a container that can be opened."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import version

import yaml
from harness import ROOT, command

from patterns import catalogue

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "type", "authors"} <= set(citation)
    assert citation["version"] == PROJECT["version"]
    assert citation["title"].lower().replace(" ", "-") == PROJECT["name"]
    assert (citation["abstract"], citation["license"]) == (
        PROJECT["description"],
        PROJECT["license"],
    )


def test_the_changelog_begins_with_this_version_and_older_ones_follow() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    heads = re.findall(r"^## \[(\d+)\.(\d+)\.(\d+)\] - (.*)$", changes, flags=re.MULTILINE)
    assert ".".join(heads[0][:3]) == PROJECT["version"] == version(PROJECT["name"])
    versions = [tuple(map(int, head[:3])) for head in heads]
    assert versions == sorted(set(versions), reverse=True)
    for number, head in enumerate(heads):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", head[3]) or (number, head[3]) == (0, "unreleased")
    kinds = set(re.findall(r"^### (.*)$", changes, flags=re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_changelog_names_every_pattern_and_command() -> None:
    changes = " ".join((ROOT / "CHANGELOG.md").read_text("utf-8").lower().split())
    commands = re.findall(r"^    (\w+) ", command("--help").stdout, flags=re.MULTILINE)
    assert "run" in commands
    wanted = [card.title.lower() for card in catalogue()] + [f"`{name}`" for name in commands]
    assert not [name for name in wanted if name not in changes]


def test_the_container_is_of_a_python_that_the_project_takes_and_installs_it() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    minor = int(re.fullmatch(r"python:3\.(\d+)-\w+", container["image"])[1])
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert int(low) <= minor < int(high)
    assert container["postCreateCommand"] == "pip install uv && uv sync"
