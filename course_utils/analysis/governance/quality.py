"""Data quality: completeness, uniqueness, validity, consistency, timeliness; scores 0-100."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from course_utils.analysis import _need

WEIGHTS = {
    "completeness": 0.25,
    "uniqueness": 0.2,
    "validity": 0.2,
    "consistency": 0.2,
    "timeliness": 0.15,
}


def null_shares(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the share of missing values of every column.

    Parameters
    ----------
    tables : mapping
        name -> frame.

    Returns
    -------
    DataFrame
        Columns ``table``, ``column``, ``rows``, ``nulls``, ``null_share`` (0-1).
    """
    parts = []
    for name, frame in tables.items():
        nulls = frame.isna().sum()
        parts.append(
            pd.DataFrame(
                {
                    "table": name,
                    "column": nulls.index,
                    "rows": len(frame),
                    "nulls": nulls.to_numpy(),
                    "null_share": nulls.to_numpy() / max(len(frame), 1),
                }
            )
        )
    names = ["table", "column", "rows", "nulls", "null_share"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)


def completeness(frame: pd.DataFrame, required: Sequence[str]) -> float:
    """Return 1 − share of missing cells among the required columns (1 for an empty frame)."""
    _need.columns(frame, required, "完整性")
    if frame.empty or not len(required):
        return 1.0
    return float(1 - frame[list(required)].isna().to_numpy().mean())


def uniqueness(frame: pd.DataFrame, key: str | Sequence[str]) -> float:
    """Return 1 − share of surplus rows: rows that repeat a key already seen.

    Rows whose key is missing are not counted as duplicates of each other.

    Parameters
    ----------
    frame : DataFrame
        Any table.
    key : str or sequence of str
        Columns that should identify a row.

    Returns
    -------
    float
        Ratio; 1 for an empty frame.
    """
    keys = [key] if isinstance(key, str) else list(key)
    _need.columns(frame, keys, "唯一性")
    if frame.empty:
        return 1.0
    known = frame[keys].notna().all(axis=1)
    return float(1 - (frame.duplicated(keys) & known).mean())


def validity(frame: pd.DataFrame, rules: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Count how many rows break each rule.

    Parameters
    ----------
    frame : DataFrame
        The table; only its length is used.
    rules : mapping
        Chinese rule name -> boolean Series, True where the row is fine.  Missing = fine: absence
        is the business of completeness.

    Returns
    -------
    DataFrame
        Columns ``rule``, ``checked``, ``failed``, ``valid_share``.
    """
    rows = []
    for name, passed in rules.items():
        _need.that(
            len(passed) == len(frame), f"规则“{name}”的行数与表不一致，请用同一张表来写规则。"
        )
        checked = int(passed.notna().sum())
        failed = int((~passed.astype("boolean").fillna(True)).sum())
        rows.append((name, checked, failed, 1 - failed / checked if checked else 1.0))
    return pd.DataFrame(rows, columns=["rule", "checked", "failed", "valid_share"])


def ledger_gap(
    detail: pd.DataFrame,
    ledger: pd.DataFrame,
    keys: Sequence[str],
    value: str,
    ledger_value: str | None = None,
    weight: str | None = None,
    tolerance: float = 0.001,
) -> pd.DataFrame:
    """Reconcile details to a ledger.

    Parameters
    ----------
    detail : DataFrame
        Rows to add up (accounts, loans) with ``keys`` and ``value`` in 元.
    ledger : DataFrame
        One row a key with the official total.
    keys : sequence of str
        For example ``["branch_id", "month"]``.
    value, ledger_value : str
        Value columns of the two tables (default: the same name).
    weight : str, optional
        Sampling weight of the details.
    tolerance : float
        Largest relative gap that is still fine.

    Returns
    -------
    DataFrame
        ``keys``, ``detail``, ``ledger``, ``gap`` (元), ``gap_share`` (gap / ledger), ``breach``;
        keys that only one side has are kept with 0 on the other.
    """
    keys = list(keys)
    other = ledger_value or value
    _need.columns(detail, [*keys, value, *([weight] if weight else [])], "总分核对")
    _need.columns(ledger, [*keys, other], "总分核对")
    amounts = detail[value] * detail[weight] if weight else detail[value]
    ours = detail[keys].assign(detail=amounts).groupby(keys, observed=True)["detail"].sum()
    theirs = ledger.groupby(keys, observed=True)[other].sum().rename("ledger")
    both = pd.concat([ours, theirs], axis=1).fillna(0.0).reset_index()
    both["gap"] = both["detail"] - both["ledger"]
    base = both["ledger"].abs().where(both["ledger"] != 0)
    both["gap_share"] = (both["gap"] / base).fillna(np.sign(both["gap"]))
    both["breach"] = both["gap_share"].abs() > tolerance
    return both


def consistency(gaps: pd.DataFrame) -> float:
    """Return 1 − Σ|gap| / Σ|ledger| of a table made by :func:`ledger_gap`, not below 0."""
    _need.columns(gaps, ["gap", "ledger"], "一致性")
    total = float(gaps["ledger"].abs().sum())
    return max(0.0, 1 - float(gaps["gap"].abs().sum()) / total) if total else 1.0


def timeliness(event: pd.Series, recorded: pd.Series, days: int = 3) -> float:
    """Return the share of rows recorded at most ``days`` days after the event (1 if none known)."""
    lag = (pd.to_datetime(recorded) - pd.to_datetime(event)).dt.days.dropna()
    return float((lag <= days).mean()) if len(lag) else 1.0


def join_coverage(
    child: pd.DataFrame, parent: pd.DataFrame, key: str, parent_key: str | None = None
) -> dict[str, float]:
    """Tell how much of a foreign key finds its parent.

    Parameters
    ----------
    child, parent : DataFrame
        The two tables.
    key, parent_key : str
        Column in the child and in the parent (default: same name).

    Returns
    -------
    dict
        ``rows``, ``missing_key``, ``matched``, ``orphans``, ``coverage`` = matched / rows,
        ``parent_duplicates`` = parent rows that would multiply the child's rows.
    """
    target = parent_key or key
    _need.columns(child, [key], "关联覆盖率")
    _need.columns(parent, [target], "关联覆盖率")
    missing = child[key].isna()
    matched = child[key].isin(parent[target].dropna()) & ~missing
    rows = len(child)
    return {
        "rows": rows,
        "missing_key": int(missing.sum()),
        "matched": int(matched.sum()),
        "orphans": int((~matched & ~missing).sum()),
        "coverage": float(matched.sum() / rows) if rows else 1.0,
        "parent_duplicates": int(parent[target].dropna().duplicated().sum()),
    }


def score(
    parts: Mapping[str, float] | pd.DataFrame, weights: Mapping[str, float] | None = None
) -> pd.Series | pd.DataFrame:
    """Turn quality ratios into scores 0-100 with a weighted total.

    Parameters
    ----------
    parts : mapping or DataFrame
        Ratios 0-1 named as in :data:`WEIGHTS` (any subset); a frame has one row a unit.
    weights : mapping, optional
        Weights; rescaled to the parts present.

    Returns
    -------
    Series or DataFrame
        The parts × 100 and ``total``.
    """
    frame = parts if isinstance(parts, pd.DataFrame) else pd.DataFrame([dict(parts)])
    weight = dict(weights or WEIGHTS)
    names = [n for n in weight if n in frame.columns]
    _need.that(bool(names), f"质量评分至少需要一项指标（{'、'.join(weight)}），请检查列名。")
    scores = frame[names].clip(0, 1) * 100
    share = np.array([weight[n] for n in names], dtype=float)
    scores = scores.assign(total=scores.to_numpy(float) @ (share / share.sum()))
    return scores if isinstance(parts, pd.DataFrame) else scores.iloc[0].rename(None)


def near_duplicates(
    frame: pd.DataFrame, keys: Sequence[str], id_column: str = "customer_id"
) -> pd.DataFrame:
    """List rows that agree on ``keys`` although their ids differ.

    Parameters
    ----------
    frame : DataFrame
        E.g. customers.
    keys : sequence of str
        E.g. ``["masked_name", "birth_year", "village_id"]``; rows with a missing key are left out.
    id_column : str
        The id that differs.

    Returns
    -------
    DataFrame
        The rows, with ``group`` numbering from 1, sorted by group.
    """
    keys = list(keys)
    _need.columns(frame, [*keys, id_column], "疑似重复")
    known = frame.dropna(subset=keys)
    count = known.groupby(keys, observed=True)[id_column].transform("nunique")
    rows = known[count > 1]
    number = rows.groupby(keys, observed=True, sort=True).ngroup() + 1
    return rows.assign(group=number).sort_values(["group", id_column], kind="stable")
