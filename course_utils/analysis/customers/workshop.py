"""Scoring a customer list on outcomes that nobody in the room may read one by one.

The outcomes lie in ``next_90d_outcome``: what each customer would bring in ninety days if contacted
and if left alone (元, the cost of the contact taken off). Half of the customers are public: pilots
and the class board use them. The other half decides at the end, so that a list fitted to the board
gains nothing. Only sums and means over many customers leave this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.analysis import _need
from course_utils.errors import CourseError

if TYPE_CHECKING:
    from course_utils.bank import Bank

PUBLIC, FINAL = "公榜", "终榜"
TABLE = "next_90d_outcome"
#: Groups of fewer customers are not reported.
LEAST = 5
#: Weights of the four parts of the score (course definition): benefit, order, plan, clarity.
WEIGHTS = {"净收益": 0.4, "排序": 0.2, "可执行": 0.2, "说得清": 0.2}


def outcomes(bank: Bank, half: str = PUBLIC) -> pd.DataFrame:
    """Return the outcomes of one half of the customers, for scoring.

    Parameters
    ----------
    bank : Bank
        The bank.
    half : {"公榜", "终榜"}
        Which half.

    Returns
    -------
    DataFrame
        Index ``customer_id``; ``net_benefit`` (元, contacted minus left alone), ``bad`` (bool).
        Empty for a bank without hidden outcomes, and for 终榜 in the trainee kit.
    """
    if not bank.has(TABLE):
        empty = pd.DataFrame({"net_benefit": pd.Series(dtype=float), "bad": pd.Series(dtype=bool)})
        return empty.rename_axis("customer_id")
    table = bank.load_hidden(TABLE)
    table = table[table["score_half"] == half].set_index("customer_id")
    gain = table["benefit_contacted"] - table["benefit_not_contacted"]
    return pd.DataFrame({"net_benefit": gain, "bad": table["bad_flag"].astype(bool)})


def pilot(
    bank: Bank, groups: Mapping[str, Sequence[str]], size: int = 60, seed: int = 0
) -> pd.DataFrame:
    """Try a contact on a random few of each group and return what a customer brought on average.

    Parameters
    ----------
    bank : Bank
        The bank.
    groups : mapping
        Name of a group → customer ids. Only customers of the public half are tried.
    size : int
        Customers tried in each group.
    seed : int
        Which random few.

    Returns
    -------
    DataFrame
        Index = group; ``customers`` (in the group), ``tried``, ``net_benefit`` (元 a customer),
        ``low``, ``high`` (95 % interval by the t distribution), ``bad_share`` (0-1). Groups with
        fewer than five tried customers, and all groups of a bank without outcomes, are NaN.

    Raises
    ------
    CourseError
        If there is no group.
    """
    if not groups:
        raise CourseError("试点至少要有一个客群：请给 groups 放入“名称: 客户号列表”。")
    known = outcomes(bank, PUBLIC)
    rng = np.random.default_rng(seed)
    rows = {}
    for name, ids in groups.items():
        members = pd.Index(pd.unique(pd.Series(list(ids), dtype=object)))
        open_ = np.sort(members[members.isin(known.index)].to_numpy())
        tried = rng.choice(open_, min(size, len(open_)), replace=False)
        rows[name] = {"customers": len(members), **_result(known.loc[tried])}
    return pd.DataFrame.from_dict(rows, orient="index")


def _result(tried: pd.DataFrame) -> dict[str, float]:
    """Return mean, interval and share of bad customers; NaN if too few."""
    from scipy.stats import t

    n = len(tried)
    if n < LEAST:
        return {"tried": n, "net_benefit": np.nan, "low": np.nan, "high": np.nan,
                "bad_share": np.nan}  # fmt: skip
    mean = float(tried["net_benefit"].mean())
    half = float(t.ppf(0.975, n - 1) * tried["net_benefit"].std() / np.sqrt(n))
    return {
        "tried": n,
        "net_benefit": mean,
        "low": mean - half,
        "high": mean + half,
        "bad_share": float(tried["bad"].mean()),
    }


def list_benefit(known: pd.DataFrame, ids: Sequence[str]) -> float:
    """Return the sum of net benefit (元) of those listed customers whose outcome is in `known`."""
    return float(known["net_benefit"].reindex(pd.unique(pd.Series(list(ids)))).sum())


def gains(known: pd.DataFrame, lists: Mapping[str, Sequence[str]], step: int = 25) -> pd.DataFrame:
    """Return the cumulative net benefit of ordered lists, every `step` names.

    Returns
    -------
    DataFrame
        Index = names called (0, step, …), one column a list, 元.
    """
    longest = max((len(ids) for ids in lists.values()), default=0)
    index = pd.RangeIndex(0, longest + step, step, name="names")
    columns = {}
    for name, ids in lists.items():
        value = known["net_benefit"].reindex(list(ids)).fillna(0.0).to_numpy()
        total = np.concatenate(([0.0], np.cumsum(value)))
        columns[name] = total[np.minimum(index.to_numpy(), len(value))]
    return pd.DataFrame(columns, index=index)


def benefit_score(own: float, baseline: float, best: float) -> float:
    """Return 0 at the baseline's benefit or less, 100 at the best possible (course definition)."""
    if best <= baseline:
        return 0.0
    return float(np.clip(100 * (own - baseline) / (best - baseline), 0, 100))


def order_score(known: pd.DataFrame, expected: pd.Series) -> float:
    """Score order and level of a list's expected benefits, 0-100 (course definition).

    Half is Spearman's rank correlation between expected and real benefit (nothing below 0), half
    the level: full marks if the expected sum is the real one, none at half or twice of it.

    Parameters
    ----------
    known : DataFrame
        From :func:`outcomes`.
    expected : Series
        Index ``customer_id``, expected net benefit, 元.
    """
    real = known["net_benefit"].reindex(expected.index).dropna()
    said = expected.reindex(real.index).astype(float)
    if len(real) < LEAST:
        return 0.0
    ranks = said.rank().corr(real.rank()) if said.min() < said.max() else 0.0
    total, told = real.sum(), said.sum()
    level = 0.0
    if total > 0 and told > 0:
        level = max(0.0, 1 - abs(np.log2(told / total)))
    return float(50 * max(ranks, 0.0) + 50 * level)


def total_score(parts: Mapping[str, float], weights: Mapping[str, float] = WEIGHTS) -> float:
    """Return the weighted score of the parts (each 0-100).

    Raises
    ------
    CourseError
        If a part is missing or outside 0-100.
    """
    if missing := [name for name in weights if name not in parts]:
        raise CourseError(f"计分表缺少“{missing[0]}”这一项，请补上 0 到 100 之间的分数。")
    for name in weights:
        if not 0 <= parts[name] <= 100:
            raise CourseError(f"“{name}”是 {parts[name]:g} 分，应在 0 到 100 之间，请检查。")
    return float(sum(weight * parts[name] for name, weight in weights.items()))


def board(
    bank: Bank,
    lists: Mapping[str, pd.DataFrame],
    base: Sequence[str],
    baseline: Sequence[str],
    half: str = PUBLIC,
) -> pd.DataFrame:
    """Rank lists by what their names brought in one half of the customers.

    Parameters
    ----------
    bank : Bank
        The bank.
    lists : mapping
        Team → frame with ``customer_id`` and ``expected_benefit`` (元).
    base : sequence of str
        Customers that may be contacted; the best possible list is drawn from them.
    baseline : sequence of str
        The list to beat.
    half : {"公榜", "终榜"}
        Which half scores.

    Returns
    -------
    DataFrame
        Index = team, best first: ``names`` (scored in this half), ``net_benefit`` (元),
        ``benefit_score``, ``order_score`` (0-100). Empty without outcomes.
    """
    known = outcomes(bank, half)
    rows = {}
    for name, frame in lists.items():
        _need.columns(frame, ["customer_id", "expected_benefit"], f"名单“{name}”")
        ids = frame["customer_id"]
        scored = int(ids.isin(known.index).sum())
        reach = known["net_benefit"].reindex(list(base)).dropna().nlargest(scored)
        plain = [c for c in baseline if c in known.index][:scored]
        own = list_benefit(known, ids)
        rows[name] = {
            "names": scored,
            "net_benefit": own,
            "benefit_score": benefit_score(own, list_benefit(known, plain), float(reach.sum())),
            "order_score": order_score(known, frame.set_index("customer_id")["expected_benefit"]),
        }
    columns = ["names", "net_benefit", "benefit_score", "order_score"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.sort_values("net_benefit", ascending=False, kind="stable")


def save_submission(folder: Path, team: str, frame: pd.DataFrame) -> Path:
    """Write a team's list as ``<team>_提交.csv``: customer number and expected benefit only."""
    _need.columns(frame, ["customer_id", "expected_benefit"], "提交名单")
    path = folder / f"{team}_提交.csv"
    text = frame[["customer_id", "expected_benefit"]].round(2).to_csv(index=False)
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8-sig")
    part.replace(path)
    return path


def read_submissions(folder: str | Path | None) -> dict[str, pd.DataFrame]:
    """Return the lists that teams have handed in, by team; none without a folder.

    Raises
    ------
    CourseError
        If a file is not a list as :func:`save_submission` writes it.
    """
    lists = {}
    for path in sorted(Path(folder).glob("*_提交.csv")) if folder else ():
        try:
            frame = pd.read_csv(path, dtype={"customer_id": str}, encoding="utf-8-sig")
            frame = frame.astype({"expected_benefit": float})[["customer_id", "expected_benefit"]]
        except (ValueError, KeyError, OSError):
            raise CourseError(
                f"{path.name} 不是课堂提交的名单：请用“成果”一节的代码重新导出。"
            ) from None
        lists[path.name.removesuffix("_提交.csv")] = frame
    return lists
