"""The `patterns` command. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from patterns._kit import scoring, serving
from patterns._kit.cards import (
    ROOT,
    Card,
    OtherDatasetsError,
    UnknownPatternError,
    catalogue,
    check_datasets,
    find,
)
from patterns._kit.tables import print_what_the_terminal_can_show
from patterns._kit.workers import keep_compiled

if TYPE_CHECKING:
    from patterns._kit.evidence import Settings
    from patterns._kit.runner import Job


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: success. 1: a claim or a task failed. 2: used wrongly. 3: the system refused, as with a full
    disk. 130: interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    keep_compiled()
    print_what_the_terminal_can_show()
    try:
        parser = _parser(_named(arguments))
        options, rest = parser.parse_known_args(arguments)
        if rest and getattr(options, "all", False):
            options.parser.error(f"{rest[0]} is no option of --all; settings need the NAME")
        if rest:
            getattr(options, "parser", parser).error(f"unrecognized arguments: {' '.join(rest)}")
        if options.handler not in (_list, scoring.run) and not (ROOT / "mkdocs.yml").exists():
            return _refuse(
                2, "an installed copy lists the patterns and scores; clone the repository"
            )
        if options.handler is not _list:
            check_datasets()
        return int(options.handler(options))
    except (UnknownPatternError, OtherDatasetsError) as error:
        return _refuse(2, error.args[0])
    except KeyboardInterrupt:
        return _refuse(130, "interrupted")
    except MemoryError as error:
        return _refuse(3, f"not enough memory: {error}")
    except BrokenExecutor:
        return _refuse(3, "a worker process ended suddenly; the machine may be out of memory")
    except OSError as error:
        return _refuse(3, str(error))


def _refuse(code: int, why: str) -> int:
    print(f"patterns: {why}", file=sys.stderr)
    return code


def _named(arguments: Sequence[str]) -> Card | None:
    """The pattern that `measure` is asked for: only with it are all of its flags known."""
    if arguments[:1] != ["measure"]:
        return None
    slugs = {card.slug: card for card in catalogue(drafts=True)}
    return next((slugs[word] for word in arguments[1:] if word in slugs), None)


def _parser(card: Card | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="patterns", description="Machine-learning design patterns, told and measured."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="the patterns, in the order of the book")
    listing.set_defaults(handler=_list)

    run = commands.add_parser("run", help="run the story of a pattern: seconds")
    _add_names(run)
    add = run.add_argument
    add("--record", action="store_true", help="keep the outcome as that of the repository")
    _add_out(run)
    run.set_defaults(handler=_run, parser=run)

    measure = commands.add_parser(
        "measure",
        help="measure the evidence of a pattern: minutes",
        allow_abbrev=False,
        epilog=None if card else "The settings of one pattern: patterns measure NAME --help",
    )
    _add_names(measure)
    add = measure.add_argument
    add("--fast", action="store_true", help="a small run of one seed; claims are not judged")
    add("--only", action="append", default=[], metavar="EXPERIMENT", help="may be given repeatedly")
    add("--seeds", type=_positive, metavar="N", help="number of seeds")
    add("--seed", type=_seed, default=0, metavar="S", help="the first seed (default 0)")
    add("--jobs", type=_positive, default=0, metavar="N", help="processes at a time")
    add("--tables", action="store_true", help="print all tables; they are always in the report")
    add("--json", action="store_true", help="print the results as JSON")
    add("--record", action="store_true", help="keep the results as those of the repository")
    _add_out(measure)
    if card:
        _add_settings(measure, card)
    measure.set_defaults(handler=_measure, parser=measure)

    tour = commands.add_parser("tour", help="one case through many patterns: a minute")
    tour.add_argument("--record", action="store_true", help="keep the outcome for the site")
    out_help = "for files, in its folder tour (default runs)"
    tour.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help=out_help)
    tour.set_defaults(handler=_tour, parser=tour)

    serve = commands.add_parser("serve", help="serve a model over HTTP")
    serving.add_options(serve)
    serve.set_defaults(handler=serving.serve, parser=serve)

    docs = commands.add_parser("docs", help="the documentation site")
    actions = "build the site, serve it, or grade the known mistakes again for its pages"
    docs.add_argument("action", choices=["build", "serve", "grade"], help=actions)
    docs.add_argument("--port", type=int, default=8000, metavar="N", help="of serve (default 8000)")
    docs.set_defaults(handler=_docs)

    learn = commands.add_parser(
        "learn",
        help="exercises: write a pattern yourself",
        usage="patterns learn [--watch] [NAME [TASK]]\n"
        "       patterns learn list | hint [NAME [TASK]] | diff [NAME]\n"
        "       patterns learn reset NAME | update [NAME]",
        description="Grade an exercise and show what to do next; without NAME, the next one that "
        "is not finished.",
    )
    add = learn.add_argument
    add("words", nargs="*", metavar="NAME", help="an exercise, or one of the actions")
    add("--watch", action="store_true", help="grade again whenever the file is saved")
    learn.set_defaults(handler=_learn)

    score = commands.add_parser("score", help="score files of rows with a saved artifact")
    scoring.add_options(score)
    score.set_defaults(handler=scoring.run, parser=score)

    new = commands.add_parser("new", help="begin a new pattern: write its files, as a draft")
    new.add_argument("slug", metavar="SLUG", help="of the book's thirty, such as hashed_feature")
    new.set_defaults(handler=_new, parser=new)

    notebook = commands.add_parser("notebook", help="write a story or an exercise as a notebook")
    add = notebook.add_argument
    add("name", metavar="NAME", help="a pattern of `patterns list`")
    add("--exercise", action="store_true", help="the exercise, not the story")
    where = "default runs/NAME.ipynb or runs/NAME-exercise.ipynb"
    add("--out", type=Path, metavar="FILE", help=where)
    notebook.set_defaults(handler=_notebook)
    return parser


def _add_names(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("name", nargs="?", metavar="NAME", help="a pattern of `patterns list`")
    add("--all", action="store_true", help="every pattern")


def _add_out(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs"), metavar="DIR", help="for files (default runs)")
    add("--open", action="store_true", help="show the page in a browser")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {number}")
    return number


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) > 10**9:
        raise argparse.ArgumentTypeError(f"must be at most 1000000000, got {number}")
    return number


def _seed(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**31:
        raise argparse.ArgumentTypeError(f"must lie in 0 to 2147483647, got {number}")
    return number


def _list(options: argparse.Namespace) -> int:
    from patterns._kit.tables import labeled, terminal_width

    cards = catalogue(drafts=True)
    intents = {card.slug: "Draft. " * card.draft + card.intent for card in cards}
    print(labeled(intents, terminal_width()))
    return 0


def _chosen(options: argparse.Namespace) -> tuple[Card, ...]:
    if bool(options.name) == options.all:
        options.parser.error("give the NAME of one pattern, or --all")
    return catalogue() if options.all else (find(options.name),)


# --- stories -------------------------------------------------------------------------------------
def _run(options: argparse.Namespace) -> int:
    from patterns._kit import report, story
    from patterns._kit.tables import terminal_width

    cards, out = _chosen(options), options.out
    several = len(cards) > 1
    told = []
    for card, found in story.run(cards, out):
        told.append((card, found))
        if several:
            print(found.text(out / card.slug, terminal_width()), end="\n\n\n", flush=True)
        if options.record:
            print(f"Recorded in {story.record(card, out)}.")
    if options.record:
        from patterns._kit import docs

        print(f"Drawn: {docs.record_overview()}.")
    page = report.write_index(told, out)
    if several:
        print(f"{report.summary_text(told, terminal_width())}\n\nAll on one page: {page}")
    _show(page, options)
    return 0 if all(found.holds for _, found in told) else 1


def _tour(options: argparse.Namespace) -> int:
    import runpy
    import shutil

    try:
        settings = {"RUNS": options.out}
        runpy.run_path(str(ROOT / "patterns" / "tour.py"), settings, run_name="__main__")
    except ModuleNotFoundError as error:
        return _refuse(
            2,
            f"the tour needs the package {error.name}; `uv sync` installs the packages of all "
            "patterns",
        )
    if options.record:
        for name in ("tour.txt", "tour.svg"):
            shutil.copy(options.out / "tour" / name, ROOT / "docs")
        print(f"Recorded in {ROOT / 'docs'}.")
    return 0


# --- evidence ------------------------------------------------------------------------------------
def _measure(options: argparse.Namespace) -> int:
    return max(_measure_one(card, options) for card in _chosen(options))


def _measure_one(card: Card, options: argparse.Namespace) -> int:
    from patterns._kit import report, runner
    from patterns._kit.tables import terminal_width

    job = _job(card, options)
    n_seeds = len(job.seeds)
    with _progress(f"{card.slug}, {n_seeds} seed{'s' * (n_seeds > 1)}") as progress:
        evidence = runner.measure(job, progress)
    page = report.write_report(evidence, card, job.out)
    if options.json:
        print(evidence.to_json(), end="")
    else:
        print(report.evidence_text(evidence, card, terminal_width(), options.tables))
        print(f"\nAll tables and figures: {page}")
    if options.record:
        print(f"Recorded in {runner.record(job, evidence)}.", file=sys.stderr)
    _show(page, options)
    return 0 if evidence.holds else 1


def _job(card: Card, options: argparse.Namespace) -> Job:
    """What the options ask for; documented settings are told from others, and files kept apart."""
    from patterns._kit.runner import DOCUMENTED_SEEDS, Job, load_evidence

    evidence, refuse = load_evidence(card.slug), options.parser.error
    known = evidence.EXPERIMENTS
    if unknown := [name for name in options.only if name not in known]:
        refuse(f"{card.slug} has no experiment {unknown[0]!r}; it has {', '.join(known)}")
    given = {field.name: getattr(options, field.name, None) for field in fields(evidence.Config)}
    del given["seed"]  # of the command, for each run in turn
    own = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items() if v is not None}
    try:
        config = replace(evidence.FAST if options.fast else evidence.Config(), **own)
    except ValueError as error:  # a Config may refuse values
        refuse(str(error))
    n_seeds = options.seeds or (1 if options.fast else len(DOCUMENTED_SEEDS))
    seeds = tuple(range(options.seed, options.seed + n_seeds))
    documented = config == evidence.Config() and seeds == DOCUMENTED_SEEDS and not options.only
    settings: Settings = "documented" if documented else "fast" if options.fast else "custom"
    if options.record and not documented:
        refuse("--record takes the documented settings: no --fast, --only, --seed, --seeds or own")
    return Job(
        card=card,
        config=config,
        seeds=seeds,
        out=options.out / card.slug / settings,
        settings=settings,
        only=tuple(options.only),
        jobs=options.jobs,
    )


def _add_settings(parser: argparse.ArgumentParser, card: Card) -> None:
    """Each field of the pattern's Config is a flag; the comment behind it is its help."""
    from patterns._kit.runner import load_evidence

    Config = load_evidence(card.slug).Config
    group = parser.add_argument_group(f"settings of {card.slug}")
    comments = _field_comments(Config)
    for field in fields(Config):
        if field.name == "seed":
            continue
        default = getattr(Config(), field.name)
        help_text = f"{comments.get(field.name, '')} (default {default})".replace("%", "%%")
        flag = "--" + field.name.replace("_", "-")
        if isinstance(default, bool):
            group.add_argument(flag, action=argparse.BooleanOptionalAction, help=help_text)
        else:
            many = isinstance(default, tuple)
            kind, nargs = (type(default[0]), "+") if many else (type(default), None)
            read = _whole if kind is int else kind
            group.add_argument(flag, type=read, nargs=nargs, metavar="X", help=help_text)


def _field_comments(config: type) -> dict[str, str]:
    """The comment behind each field of a dataclass, as written in its source."""
    import inspect
    import re

    source = inspect.getsource(config)
    return dict(re.findall(r"^ +(\w+): .*?  # (.*)$", source, flags=re.MULTILINE))


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Progress on standard error: a bar on a terminal, a line per step elsewhere."""
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


def _show(page: Path, options: argparse.Namespace) -> None:
    if options.open:
        import webbrowser

        webbrowser.open(page.resolve().as_uri())


# --- the rest ------------------------------------------------------------------------------------
def _docs(options: argparse.Namespace) -> int:
    from patterns._kit import docs

    if options.action == "grade":
        for path in docs.grade():
            print(f"written: {path}", flush=True)
        return 0
    return docs.serve(options.port) if options.action == "serve" else docs.build()


def _new(options: argparse.Namespace) -> int:
    from patterns._kit import new

    try:
        print(new.create(options.slug))
    except ValueError as error:
        options.parser.error(str(error))
    return 0


def _learn(options: argparse.Namespace) -> int:
    from patterns._kit import learn

    return learn.run(options.words, options.watch)


def _notebook(options: argparse.Namespace) -> int:
    from patterns._kit import notebooks
    from patterns._kit.exercise import exercise_path

    slug = find(options.name).slug
    if options.exercise and not exercise_path(slug).exists():
        print(f"patterns notebook: {slug} has no exercise", file=sys.stderr)
        return 2
    name = f"{slug}-exercise.ipynb" if options.exercise else f"{slug}.ipynb"
    out: Path = options.out or Path("runs") / name
    text = notebooks.exercise(slug) if options.exercise else notebooks.story(slug)
    if out.exists() and out.read_text("utf-8") != text:
        print(f"patterns notebook: {out} exists and differs; give another --out", file=sys.stderr)
        return 2
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, "utf-8", newline="\n")
    print(f"written: {out}")
    return 0
