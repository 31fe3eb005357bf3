"""Mutants: the reference's regions with one small change each, as a slip of a learner would make.

DeMillo, Lipton, Sayward, "Hints on test data selection: help for the practicing programmer" (1978).
"""

from __future__ import annotations

import ast
import copy
import difflib
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from patterns._kit.exercise import Exercise, build_module, region_bodies, replace_regions

EXPLORATION_SECONDS = 5.0  # more than a learner waits for: the same verdict on a busy machine
SECONDS = 20.0  # of processor time for one mutant: what takes longer has been noticed

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.RShift: ast.LShift,
    ast.LShift: ast.RShift,
}
PAIRS = (
    "min max, any all, sum mean, argmin argmax, floor ceil, minimum maximum, zeros ones, left right"
)
TWINS = dict(pair.split() for pair in PAIRS.split(", "))
TWINS |= {twin: name for name, twin in TWINS.items()}
GUARDS = {"clip", "maximum", "minimum", "unique", "sort", "sorted", "abs", "where", "cast", "fmax"}
METHODS = {"copy", "astype", "clip", "lower", "strip", "ravel", "encode"}


@dataclass(frozen=True)
class Mutant:
    """One change of one region."""

    region: str
    body: str
    before: str  # the changed lines, as Python writes them
    after: str


def mutants(exercise: Exercise) -> Iterator[Mutant]:
    """Every mutant of every region, each once."""
    for region, body in region_bodies(exercise.source).items():
        tree = ast.parse(body)
        plain = ast.unparse(tree)
        seen = {plain}
        settings = _defaults(exercise.source, region)
        for position in range(len(list(ast.walk(tree)))):
            for number in range(100):
                changed = copy.deepcopy(tree)
                node = list(ast.walk(changed))[position]
                changes = list(_changes(changed, node, settings))
                if number >= len(changes):
                    break
                text = _apply(changed, node, changes[number])
                if text is not None and text not in seen:
                    seen.add(text)
                    yield Mutant(region, text, *_difference(plain, text))


def is_caught(exercise: Exercise, mutant: Mutant) -> bool:
    """Whether a check or an exploration of its part refuses the mutant."""
    source = replace_regions(exercise.source, {mutant.region: mutant.body})
    (part,) = (part.name for part in exercise.parts if mutant.region in part.holes)
    try:
        with _limit():
            module = build_module(source, "<mutant>")
            verdicts = exercise.judge(module, [part], seconds=EXPLORATION_SECONDS)
            return any(verdict.status != "passed" for verdict in verdicts)
    except (SyntaxError, TimeoutError):
        return True


@contextmanager
def _limit() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError

    if sys.platform == "win32":
        yield
        return
    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _defaults(source: str, region: str) -> dict[str, ast.expr]:
    """The settings that a region can read, each with its default: to be used in its place."""
    start = source[: source.index(f"[start:{region}]")].count("\n") + 1
    found: dict[str, ast.expr] = {}
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef):
            continue
        if not node.lineno <= start <= (node.end_lineno or 0):
            continue
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        for function in inner:
            is_open = isinstance(node, ast.FunctionDef)
            if isinstance(function, ast.FunctionDef) and (is_open or function.name == "__init__"):
                prefix = "" if is_open else "self."
                names = [*function.args.posonlyargs, *function.args.args]
                given = function.args.defaults
                pairs = list(zip(names[len(names) - len(given) :], given, strict=True))
                keyword_only = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
                pairs += [(name, default) for name, default in keyword_only if default]
                found |= {f"{prefix}{name.arg}": default for name, default in pairs}
    return found


def _changes(tree: ast.Module, node: ast.AST, settings: dict[str, ast.expr]) -> Iterator[object]:
    """What may stand in the place of a node: another node, a list of statements, or a repair."""
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            other = COMPARISONS[type(operator)]()
            ops = [*node.ops[:i], other, *node.ops[i + 1 :]]
            yield ast.Compare(node.left, ops, node.comparators)
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
        yield node.left
        yield node.right
    if isinstance(node, ast.AugAssign) and type(node.op) in OPERATORS:
        yield ast.AugAssign(node.target, OPERATORS[type(node.op)](), node.value)
    if isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield from node.values
    if isinstance(node, ast.UnaryOp):
        yield node.operand
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int):
            yield from (ast.Constant(node.value + step) for step in (1, -1))
        elif isinstance(node.value, float):
            yield ast.Constant(node.value * 2)
        elif node.value in TWINS:
            yield ast.Constant(TWINS[node.value])
    if isinstance(node, ast.Attribute) and node.attr in TWINS:
        yield ast.Attribute(node.value, TWINS[node.attr], node.ctx)
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in GUARDS:
            yield from node.args
        if name in METHODS and isinstance(node.func, ast.Attribute):
            yield node.func.value
        for i in range(len(node.keywords)):
            yield ast.Call(node.func, node.args, node.keywords[:i] + node.keywords[i + 1 :])
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield from (_with_test(node, ast.Constant(value)) for value in (True, False))
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield node.value
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        if (default := settings.get(ast.unparse(node))) is not None:
            yield default
        if isinstance(node, ast.Name) and not _is_called(tree, node):
            first = ast.Slice(None, ast.Constant(1))
            yield ast.Subscript(ast.Name(node.id, ast.Load()), first, ast.Load())
    if isinstance(node, ast.AugAssign | ast.Expr | ast.If | ast.For):
        yield ast.Pass()
    if isinstance(node, ast.Assign) and _is_assigned_before(tree, node):
        yield ast.Pass()


def _with_test(node: ast.If | ast.IfExp | ast.While, test: ast.expr) -> ast.AST:
    changed = copy.copy(node)
    changed.test = test
    return changed


def _is_called(tree: ast.Module, name: ast.Name) -> bool:
    """Whether a name is a module, a function or a class, and no value."""
    return any(
        (isinstance(node, ast.Attribute) and node.value is name)
        or (isinstance(node, ast.Call) and node.func is name)
        for node in ast.walk(tree)
    )


def _is_assigned_before(tree: ast.Module, node: ast.Assign) -> bool:
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n is not node.value}
    targets = {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    earlier = {
        n.id
        for other in ast.walk(tree)
        if isinstance(other, ast.stmt) and other.lineno < node.lineno
        for n in ast.walk(other)
        if isinstance(n, ast.Name)
    }
    return bool(targets & (earlier | names)) and len(tree.body) > 1


def _apply(tree: ast.Module, node: ast.AST, change: object) -> str | None:
    """The tree with the change in place of the node, as text; None where it does not fit."""

    class Replace(ast.NodeTransformer):
        def visit(self, here: ast.AST) -> object:
            return change if here is node else self.generic_visit(here)

    try:
        return ast.unparse(ast.fix_missing_locations(Replace().visit(tree)))
    except (AttributeError, TypeError, ValueError):
        return None


def _difference(plain: str, text: str) -> tuple[str, str]:
    lines = list(difflib.ndiff(plain.splitlines(), text.splitlines()))
    return tuple("\n".join(line[2:].strip() for line in lines if line[0] == s) for s in "-+")
