"""What each data set must look like, and a report of every place where it does not."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

_ROWS_PER_RULE = 5
_COLUMNS = ["column", "rule", "row", "value"]
_ABOUT_COLUMNS = {"column_in_dataframe": "column required", "column_in_schema": "column unknown"}
_RULES = {
    "not_nullable": "not missing",
    "multiple_fields_uniqueness": "unique key",
    "field_uniqueness": "unique key",
}

Violation = tuple[str, str, int | None, Any]  # column, rule, position of the row, value


class DataValidationError(ValueError):
    """A frame breaks its schema.

    Attributes
    ----------
    violations : DataFrame
        Every violation, with ``column``, ``rule``, ``row`` (the row's label; missing when the whole
        column is at fault) and ``value``. A duplicate key has a line for each of its columns.
    """

    def __init__(self, name: str, violations: pd.DataFrame) -> None:
        self.violations = violations
        super().__init__(_describe(name, violations))


def validate(frame: pd.DataFrame, name: str) -> None:
    """Check a whole table against the schema of a data set.

    Columns must be those of the schema, each once, in any order. An unexpected column is a
    violation: usually it is a typo or a leak. Numbers must be finite, and there must be a row.

    Parameters
    ----------
    frame : DataFrame
        As ``load_NAME()`` or ``make_NAME()`` returns it, with all its columns.
    name : str
        NAME as above: ``"rainfall"`` for what ``make_rainfall()`` returns.

    Raises
    ------
    DataValidationError
        If the frame breaks the schema; it holds every violation, and its message the first of each
        kind.
    ValueError
        If there is no schema of this name.
    """
    # Importing pandera takes a second, which only those who validate should wait for.
    from pandera.errors import SchemaErrors

    from datasets._schema_definitions import SCHEMAS

    if name not in SCHEMAS:
        near = difflib.get_close_matches(name, SCHEMAS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"name must be one of {list(SCHEMAS)}, got {name!r}.{hint}")
    repeated = frame.columns.duplicated()
    single = frame.loc[:, ~repeated].reset_index(drop=True)  # rows by position, until the report
    found = [_about_the_whole(frame, repeated), _infinite(single)]
    try:
        SCHEMAS[name].validate(single, lazy=True)
    except SchemaErrors as error:
        found.append(_violations(error.failure_cases, single))
    lines = [
        (column, rule, None if row is None else frame.index[row], value)
        for found_here in found
        for column, rule, row, value in found_here
    ]
    if lines:
        raise DataValidationError(name, pd.DataFrame(lines, columns=_COLUMNS, dtype=object))


def _about_the_whole(frame: pd.DataFrame, repeated: npt.NDArray[np.bool_]) -> list[Violation]:
    lines: list[Violation] = [
        (column, "column once", None, None) for column in frame.columns[repeated].unique()
    ]
    return lines if len(frame) else [*lines, ("the table", "one row or more", None, None)]


def _infinite(frame: pd.DataFrame) -> list[Violation]:
    numbers = frame.select_dtypes("number")
    values = numbers.to_numpy(dtype=float)
    places = np.argwhere(np.isinf(values).T).tolist()
    return [(str(numbers.columns[j]), "finite", i, values[i, j]) for j, i in places]


def _violations(cases: pd.DataFrame, frame: pd.DataFrame) -> list[Violation]:
    """Bring pandera's failure cases into our words."""
    lines: list[Violation] = []
    is_about_type = cases["check"].astype(str).str.startswith("dtype")
    of_wrong_type = set(cases.loc[is_about_type, "column"])
    records: list[dict[str, Any]] = cases.to_dict("records")  # type: ignore[assignment]
    for case in records:
        column, rule, row = case["column"], str(case["check"]), case["index"]
        if rule in _ABOUT_COLUMNS:
            lines.append((str(case["failure_case"]), _ABOUT_COLUMNS[rule], None, None))
        elif row is None or row != row:  # the whole column
            # A rule about values cannot be asked where the type is wrong already.
            if column not in of_wrong_type or rule.startswith("dtype"):
                lines.append((column, _RULES.get(rule, rule), None, str(case["failure_case"])))
        else:
            value = frame[column].iloc[int(row)]
            # What is infinite is reported as such, and need not be out of range as well.
            if not (isinstance(value, float) and np.isinf(value)):
                lines.append((column, _RULES.get(rule, rule), int(row), value))
    return lines


def _describe(name: str, violations: pd.DataFrame) -> str:
    lines = [f"{name} breaks its schema in {len(violations)} place{'s' * (len(violations) > 1)}:"]
    for (column, rule), group in violations.groupby(["column", "rule"], sort=False):
        if group["row"].isna().all():
            value = group["value"].iloc[0]
            lines.append(f"- {column}: {rule}" + ("" if value is None else f", got {value}"))
            continue
        shown = ", ".join(
            f"row {_plain(row)!r}" + ("" if _is_missing(value) else f": {_plain(value)!r}")
            for row, value in group[["row", "value"]].head(_ROWS_PER_RULE).itertuples(index=False)
        )
        more = len(group) - _ROWS_PER_RULE
        lines.append(f"- {column}: {rule}: {shown}" + (f" and {more} more" if more > 0 else ""))
    return "\n".join(lines)


def _is_missing(value: Any) -> bool:
    return value is None or bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _plain(value: object) -> object:
    """A value as Python writes it, without the name of its numpy type."""
    return value.item() if isinstance(value, np.generic) else value
