"""What each data set must look like, and a report of every place where it does not."""

from __future__ import annotations

import difflib

import pandas as pd

_ROWS_PER_RULE = 5


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

    Columns must be those of the schema, in any order: a column too many is a violation, because it
    is a typing error or a leak more often than a gift.

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
    try:
        SCHEMAS[name].validate(frame, lazy=True)
    except SchemaErrors as error:
        raise DataValidationError(name, _violations(error.failure_cases)) from None


def _violations(cases: pd.DataFrame) -> pd.DataFrame:
    """Bring pandera's failure cases into our words."""
    words = {
        "column_in_dataframe": "column required",
        "column_in_schema": "column unknown",
        "not_nullable": "not missing",
        "multiple_fields_uniqueness": "unique key",
        "field_uniqueness": "unique key",
    }
    is_about_columns = cases["check"].isin(["column_in_dataframe", "column_in_schema"])
    return pd.DataFrame(
        {
            "column": cases["column"].where(~is_about_columns, cases["failure_case"]),
            "rule": cases["check"].map(lambda check: words.get(check, check)),
            "row": cases["index"],
            "value": cases["failure_case"].where(~is_about_columns, None),
        }
    ).reset_index(drop=True)


def _describe(name: str, violations: pd.DataFrame) -> str:
    lines = [f"{name} breaks its schema in {len(violations)} places:"]
    for (column, rule), group in violations.groupby(["column", "rule"], sort=False):
        if group["row"].isna().all():
            value = group["value"].iloc[0]
            lines.append(f"- {column}: {rule}" + ("" if value is None else f", got {value}"))
            continue
        shown = ", ".join(
            f"row {row!r}: {value!r}"
            for row, value in group[["row", "value"]].head(_ROWS_PER_RULE).itertuples(index=False)
        )
        more = len(group) - _ROWS_PER_RULE
        lines.append(f"- {column}: {rule}: {shown}" + (f" and {more} more" if more > 0 else ""))
    return "\n".join(lines)
