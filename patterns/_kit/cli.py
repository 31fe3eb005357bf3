"""The `patterns` command. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from patterns._kit.cards import Card, UnknownPatternError, catalogue, find

if TYPE_CHECKING:
    from patterns._kit.runner import Run


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 0 well, 1 a claim failed, 2 used wrongly."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # or TensorFlow greets on every command
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    try:
        if options.command == "run":
            return _run(options, arguments[1:])
        if rest:
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        return int(options.handler(options))
    except UnknownPatternError as error:
        print(f"patterns: {error.args[0]}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "\npatterns: interrupted; the same command takes up where it stopped", file=sys.stderr
        )
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="patterns", description="Machine-learning design patterns, measured."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="the patterns, in the order of the book")
    listing.set_defaults(handler=_list)

    # Only with its NAME known does `run` know all of its flags, so its --help waits until then.
    run = commands.add_parser(
        "run",
        help="measure a pattern against its baselines",
        add_help=False,
        allow_abbrev=False,
    )
    _add_run_options(run)
    run.add_argument("-h", "--help", action="store_true", help="show this help")
    run.set_defaults(parser=run)

    docs = commands.add_parser("docs", help="the documentation site")
    docs.add_argument("action", choices=["build", "serve"])
    docs.set_defaults(handler=_docs)

    learn = commands.add_parser(
        "learn",
        help="exercises: write a pattern yourself",
        usage="patterns learn [--watch] [NAME]\n"
        "       patterns learn list | hint [NAME [TASK]] | diff [NAME]\n"
        "       patterns learn reset NAME | update [NAME]",
        description="Grade an exercise and show what to do next; without NAME, the next one that "
        "is not finished.",
    )
    add = learn.add_argument
    add("words", nargs="*", metavar="NAME", help="an exercise, or one of the actions")
    add("--watch", action="store_true", help="grade again whenever the file is saved")
    learn.set_defaults(handler=_learn)

    notebook = commands.add_parser("notebook", help="write an example or exercise as a notebook")
    add = notebook.add_argument
    add("name", metavar="NAME", help="a pattern of `patterns list`")
    add("--exercise", action="store_true", help="the exercise, not the example")
    where = "default runs/NAME.ipynb or runs/NAME-exercise.ipynb"
    add("--out", type=Path, metavar="FILE", help=where)
    notebook.set_defaults(handler=_notebook)
    return parser


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("name", nargs="?", metavar="NAME", help="a pattern of `patterns list`")
    add("--all", action="store_true", help="every pattern")
    add("--fast", action="store_true", help="the small configuration, one seed")
    add("--seeds", type=_positive, metavar="N", help="number of seeds")
    add("--seed", type=int, default=0, metavar="S", help="the first seed (default 0)")
    add("--jobs", type=_positive, default=0, metavar="N", help="processes at a time")
    add("--json", action="store_true", help="print the results as JSON")
    add("--out", type=Path, default=Path("runs"), metavar="DIR", help="for files (default runs)")
    add("--record", action="store_true", help="make this the documented run of the repository")
    add("--open", action="store_true", help="show the report in a browser")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {number}")
    return number


def _list(options: argparse.Namespace) -> int:
    rows = [("#", "name", "seconds", "intent", "packages")]
    for card in catalogue():
        seconds = "-" if card.seconds is None else f"{card.seconds:.0f}"
        packages = ", ".join(card.packages)
        rows.append((str(card.number), card.slug, seconds, card.intent, packages))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())
    return 0


def _run(options: argparse.Namespace, arguments: list[str]) -> int:
    parser: argparse.ArgumentParser = options.parser
    if options.help and not options.name:
        print(parser.format_help() + "\nThe settings of one pattern: patterns run NAME --help")
        return 0
    if bool(options.name) == options.all:
        parser.error("give the NAME of one pattern, or --all")
    cards = catalogue() if options.all else (find(options.name),)
    return max(_run_one(card, arguments, alone=not options.all) for card in cards)


def _run_one(card: Card, arguments: list[str], alone: bool) -> int:
    from rich.console import Console

    from patterns._kit import report, runner

    example = runner.load_example(card.slug)
    options, config = _configure(example, card, arguments, alone)
    n_seeds = options.seeds or (1 if options.fast else runner.DOCUMENTED_SEEDS)
    job = runner.Run(
        card=card,
        config=config,
        seeds=tuple(range(options.seed, options.seed + n_seeds)),
        out=options.out / card.slug,
        jobs=options.jobs,
    )
    with _progress(f"{card.slug}, {n_seeds} seed{'s' * (n_seeds > 1)}") as progress:
        evidence = runner.run(job, progress)
    page = report.write_html(evidence, card, job.out)
    if options.json:
        print(evidence.to_json(), end="")
    else:
        report.print_report(evidence, card, Console(width=None if sys.stdout.isatty() else 120))
        n_held = sum(verdict.holds for verdict in evidence.verdicts)
        print(f"\n{n_held} of {len(evidence.verdicts)} claims hold. {evidence.seconds:g} seconds.")
        print(f"In {job.out}: report.html, results.json and the figures.")
    if options.record:
        _record(card, job, example)
    if options.open:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())
    return 0 if evidence.holds else 1


def _record(card: Card, job: Run, example: ModuleType) -> None:
    """Replace the committed results of a pattern by those of this run."""
    import shutil

    from patterns._kit.runner import DOCUMENTED_SEEDS

    if job.config != example.Config() or job.seeds != tuple(range(DOCUMENTED_SEEDS)):
        sys.exit("patterns: only the run without --fast, --seed, --seeds and settings is recorded")
    results = card.results.parent
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir()
    for path in [job.out / "results.json", *job.out.glob("*.svg")]:
        shutil.copy(path, results)
    print(f"Recorded in {results}.")


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Progress on standard error: a bar on a terminal, a line a step elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, of: print(f"{title}: {done} of {of} done", file=sys.stderr, flush=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task(title)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _configure(
    example: ModuleType, card: Card, arguments: list[str], alone: bool
) -> tuple[argparse.Namespace, Any]:
    """All options of `run`, and the configuration: each field of Config is a flag."""
    parser = argparse.ArgumentParser(
        prog=f"patterns run {card.slug}", description=card.intent, allow_abbrev=False
    )
    _add_run_options(parser)
    settings = parser.add_argument_group("settings of this example")
    comments = _field_comments(example.Config)
    own = [field for field in fields(example.Config) if field.name != "seed"] if alone else []
    for field in own:
        default = getattr(example.Config(), field.name)
        help_text = f"{comments.get(field.name, '')} (default {default})".replace("%", "%%")
        flag = "--" + field.name.replace("_", "-")
        if isinstance(default, bool):
            settings.add_argument(flag, action=argparse.BooleanOptionalAction, help=help_text)
        else:
            many = isinstance(default, tuple)
            kind, nargs = (type(default[0]), "+") if many else (type(default), None)
            settings.add_argument(flag, type=kind, nargs=nargs, metavar="X", help=help_text)
    options = parser.parse_args(arguments)
    config = example.FAST if options.fast else example.Config()
    given = {field.name: getattr(options, field.name) for field in own}
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items() if v is not None}
    try:
        return options, replace(config, **given)
    except ValueError as error:  # a Config may refuse values
        parser.error(str(error))


def _field_comments(config: type) -> dict[str, str]:
    """The comment behind each field of a dataclass, as written in its source."""
    import inspect
    import re

    source = inspect.getsource(config)
    return dict(re.findall(r"^ +(\w+): .*?  # (.*)$", source, flags=re.MULTILINE))


def _docs(options: argparse.Namespace) -> int:
    from patterns._kit import docs

    return docs.serve() if options.action == "serve" else docs.build()


def _learn(options: argparse.Namespace) -> int:
    from patterns._kit import learn

    return learn.run(options.words, options.watch)


def _notebook(options: argparse.Namespace) -> int:
    from patterns._kit import learn, notebooks

    slug = find(options.name).slug
    if options.exercise and slug not in learn.available():
        print(f"patterns notebook: {slug} has no exercise", file=sys.stderr)
        return 2
    name = f"{slug}-exercise.ipynb" if options.exercise else f"{slug}.ipynb"
    out: Path = options.out or Path("runs") / name
    text = notebooks.exercise(slug) if options.exercise else notebooks.example(slug)
    if out.exists() and out.read_text("utf-8") != text:
        print(f"patterns notebook: {out} exists and differs; give another --out", file=sys.stderr)
        return 2
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, "utf-8", newline="\n")
    print(f"written: {out}")
    return 0
