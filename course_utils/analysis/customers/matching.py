"""Matching of two lists without a common key (MC16).

The way is always the same: bring names to one form, look for candidates inside blocks only, score
each pair, choose the threshold on labelled pairs by precision, and leave a band in the middle to
people. The set similarity is that of Jaccard (1912) on pairs of neighbouring characters; blocking,
scoring and the three zones (link, clerical review, no link) are those of Fellegi and Sunter (1969).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from course_utils.analysis import _need

#: Endings that say what kind of business it is, not which one.
LEGAL_FORMS = ("有限责任公司", "股份有限公司", "有限公司", "个体工商户", "个体户")
BANDS = ("放弃", "人工复核", "自动接受")

_BRACKETS = re.compile(r"[(\[{【〔《].*?[)\]}】〕》]")
_KEEP = re.compile(r"[^0-9A-Z一-鿿]")


def normalise(
    names: pd.Series, places: Iterable[str] = (), forms: Sequence[str] = LEGAL_FORMS
) -> pd.Series:
    """Bring names to one form, so that the same shop is written the same way.

    Full-width letters and digits become half-width (Unicode NFKC), letters become capitals;
    bracketed additions, blanks and punctuation go; a place name in front and a legal form at the
    end go. A name of which nothing would be left keeps its characters.

    Parameters
    ----------
    names : Series of str
        Names as two offices wrote them; missing stays missing.
    places : iterable of str
        Place names that may stand in front, e.g. the county's.
    forms : sequence of str
        Legal forms that may stand at the end.

    Returns
    -------
    Series of str
        Same index as `names`.
    """
    places = sorted({unicodedata.normalize("NFKC", p) for p in places if p}, key=len, reverse=True)
    forms = sorted(forms, key=len, reverse=True)
    known = {name: _one_form(str(name), places, forms) for name in names.dropna().unique()}
    return names.map(known).astype("str").where(names.notna())


def _one_form(name: str, places: Sequence[str], forms: Sequence[str]) -> str:
    text = unicodedata.normalize("NFKC", name).upper()
    plain = _KEEP.sub("", text)
    short = _KEEP.sub("", _BRACKETS.sub("", text))
    for place in places:
        if short.startswith(place) and len(short) > len(place):
            short = short.removeprefix(place)
            break
    for form in forms:
        if short.endswith(form) and len(short) > len(form):
            short = short.removesuffix(form)
            break
    return short or plain


def grams(text: str, size: int = 2) -> frozenset[str]:
    """Return the runs of `size` neighbouring characters of a text; a shorter text is one run."""
    if len(text) <= size:
        return frozenset([text] if text else [])
    return frozenset(text[i : i + size] for i in range(len(text) - size + 1))


def similarity(left: pd.Series, right: pd.Series, size: int = 2) -> pd.Series:
    """Return the Jaccard similarity of names pair by pair: common runs over all runs.

    Parameters
    ----------
    left, right : Series of str, shape (pairs,)
        Names, one pair a row; a missing name is like nothing.
    size : int
        Length of a run of characters.

    Returns
    -------
    Series
        Between 0 (nothing in common) and 1 (the same runs), index of `left`.
    """
    _need.that(len(left) == len(right), "两列名称行数不同，请先把它们配成一行一对。")
    made: dict[object, frozenset[str]] = {}
    for text in pd.concat([left, right]).dropna().unique():
        made[text] = grams(str(text), size)
    none: frozenset[str] = frozenset()
    values = np.zeros(len(left))
    for i, (a, b) in enumerate(zip(left.to_numpy(object), right.to_numpy(object), strict=True)):
        first, second = made.get(a, none), made.get(b, none)
        if first and second:
            common = len(first & second)
            values[i] = common / (len(first) + len(second) - common)
    return pd.Series(values, index=left.index, name="similarity")


def block(
    left: pd.DataFrame,
    right: pd.DataFrame,
    passes: Sequence[Sequence[str]],
    left_id: str,
    right_id: str,
) -> pd.DataFrame:
    """Return the pairs that agree on all columns of at least one pass.

    Comparing every row with every row is too much; a pass such as ``["town_id", "head"]`` compares
    only inside a block. What no pass brings together is lost, so the passes are part of the recall.

    Parameters
    ----------
    left, right : DataFrame
        Both hold the columns of all passes and their own id.
    passes : sequence of sequences of str
        Columns that must agree, one sequence a pass; missing values agree with nothing.
    left_id, right_id : str
        Columns that name the rows.

    Returns
    -------
    DataFrame
        Columns `left_id` and `right_id`, each pair once, sorted.
    """
    _need.that(len(passes) > 0, "分块至少要有一轮，请写出一轮要相等的列。")
    found = []
    for keys in passes:
        keys = list(keys)
        _need.columns(left, [left_id, *keys], "分块")
        _need.columns(right, [right_id, *keys], "分块")
        pairs = left[[left_id, *keys]].dropna().merge(right[[right_id, *keys]].dropna(), on=keys)
        found.append(pairs[[left_id, right_id]])
    result = pd.concat(found, ignore_index=True).drop_duplicates()
    return result.sort_values([left_id, right_id], kind="stable").reset_index(drop=True)


def exact(
    left: pd.DataFrame,
    right: pd.DataFrame,
    keys: Mapping[str, str],
    left_id: str,
    right_id: str,
) -> pd.DataFrame:
    """Link rows that share a hard key (a code, the digest of a phone), the first key first.

    Parameters
    ----------
    left, right : DataFrame
        Both hold the columns of `keys` and their own id.
    keys : mapping
        Word for the key -> column, in order of trust; missing values link nothing.
    left_id, right_id : str
        Columns that name the rows.

    Returns
    -------
    DataFrame
        Columns `left_id`, `right_id`, ``way`` (the word); nobody twice on either side.
    """
    found = []
    for way, key in keys.items():
        _need.columns(left, [left_id, key], "硬钥匙匹配")
        _need.columns(right, [right_id, key], "硬钥匙匹配")
        pairs = left[[left_id, key]].dropna().merge(right[[right_id, key]].dropna(), on=key)
        found.append(pairs[[left_id, right_id]].assign(way=way))
    result = pd.concat(found, ignore_index=True)
    return result.drop_duplicates(left_id).drop_duplicates(right_id).reset_index(drop=True)


def block_cost(
    left: pd.DataFrame,
    right: pd.DataFrame,
    rules: Mapping[str, Sequence[str]],
    true_pairs: pd.DataFrame,
    left_id: str,
    right_id: str,
) -> pd.DataFrame:
    """Count what each way of blocking has to compare and how many true pairs it keeps.

    Parameters
    ----------
    left, right : DataFrame
        The rows to compare.
    rules : mapping
        Word for the way -> columns that must agree.
    true_pairs : DataFrame
        Both ids of pairs known to be the same.
    left_id, right_id : str
        Columns that name the rows.

    Returns
    -------
    DataFrame
        Index = way (不分块 first); ``pairs``, ``kept`` (share of the true pairs, 0-1).
    """
    rows = {"不分块": (len(left) * len(right), 1.0)}
    a = true_pairs[[left_id]].merge(left, how="left")
    b = true_pairs[[right_id]].merge(right, how="left")
    for name, keys in rules.items():
        keys = list(keys)
        sizes = left.groupby(keys).size() * right.groupby(keys).size()
        rows[name] = (int(sizes.sum()), float((a[keys] == b[keys]).all(axis=1).mean()))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["pairs", "kept"])
    return table.rename_axis("way")


def score(
    pairs: pd.DataFrame,
    left: pd.DataFrame,
    right: pd.DataFrame,
    name: str,
    proof: Mapping[str, str],
    left_id: str,
    right_id: str,
) -> pd.DataFrame:
    """Give each pair the similarity of its names and the number of agreeing proofs.

    Parameters
    ----------
    pairs : DataFrame
        Both ids, one pair a row.
    left, right : DataFrame
        The rows, ids unique.
    name : str
        Column with the clean name on both sides.
    proof : mapping
        Column of `left` -> column of `right` that should agree.
    left_id, right_id : str
        Columns that name the rows.

    Returns
    -------
    DataFrame
        `pairs` with ``similarity`` and ``agreement``.
    """
    a = left.set_index(left_id).loc[pairs[left_id], [name, *proof]].reset_index(drop=True)
    b = right.set_index(right_id).loc[pairs[right_id], [name, *proof.values()]]
    b = b.reset_index(drop=True)
    alike = similarity(a[name], b[name]).to_numpy()
    count = agreement(a[list(proof)].rename(columns=dict(proof)), b[list(proof.values())])
    return pairs.assign(similarity=alike, agreement=count.to_numpy())


def agreement(left: pd.DataFrame, right: pd.DataFrame) -> pd.Series:
    """Count the columns in which the two sides of each pair agree (the second pieces of evidence).

    Parameters
    ----------
    left, right : DataFrame, shape (pairs, k)
        The same columns of both sides, one pair a row; missing agrees with nothing.

    Returns
    -------
    Series of int
        0 … k, index of `left`.
    """
    _need.columns(right, left.columns, "旁证")
    _need.that(len(left) == len(right), "两侧旁证行数不同，请先把它们配成一行一对。")
    count = np.zeros(len(left), dtype=int)
    for name in left.columns:
        a, b = left[name], right[name]
        same = a.to_numpy(object) == b.to_numpy(object)
        count += np.asarray(same, dtype=bool) & a.notna().to_numpy() & b.notna().to_numpy()
    return pd.Series(count, index=left.index, name="agreement")


def one_to_one(
    pairs: pd.DataFrame, score: Sequence[str], left_id: str, right_id: str
) -> pd.DataFrame:
    """Keep the best pair of each row on either side: highest score first, nobody twice.

    Parameters
    ----------
    pairs : DataFrame
        Candidates with both ids and the columns of `score`.
    score : sequence of str
        Columns in order of importance, larger is better; remaining ties go by id.
    left_id, right_id : str
        Columns that name the rows.

    Returns
    -------
    DataFrame
        A subset of `pairs` in order of choice.
    """
    score = list(score)
    _need.columns(pairs, [*score, left_id, right_id], "一对一选取")
    order = pairs.sort_values(
        [*score, left_id, right_id], ascending=[False] * len(score) + [True, True], kind="stable"
    )
    used_left: set[object] = set()
    used_right: set[object] = set()
    keep = np.zeros(len(order), dtype=bool)
    both = zip(order[left_id].to_numpy(object), order[right_id].to_numpy(object), strict=True)
    for i, (a, b) in enumerate(both):
        if a not in used_left and b not in used_right:
            keep[i] = True
            used_left.add(a)
            used_right.add(b)
    return order[keep]


def threshold_table(score: pd.Series, label: pd.Series) -> pd.DataFrame:
    """Return precision and recall at every threshold that the labelled pairs can tell apart.

    Parameters
    ----------
    score : Series
        Similarity of labelled pairs.
    label : Series of bool
        Whether the pair is the same shop; same index.

    Returns
    -------
    DataFrame
        Columns threshold (accept at or above), accepted, right, precision, low, high (95 % Wilson
        interval of the precision), recall; rising threshold.
    """
    from course_utils.analysis.statistics.experiment import wilson

    truth = label.reindex(score.index).astype(bool)
    _need.enough(bool(truth.any()), "标注样本里没有一对是真的，算不出查全率，请检查标注。")
    grid = np.sort(score.unique())
    accepted = np.array([(score >= t).sum() for t in grid])
    right = np.array([((score >= t) & truth).sum() for t in grid])
    rates = wilson(pd.Series(right), pd.Series(accepted))
    return pd.DataFrame(
        {
            "threshold": grid,
            "accepted": accepted,
            "right": right,
            "precision": right / accepted,
            "low": rates["low"].to_numpy(),
            "high": rates["high"].to_numpy(),
            "recall": right / truth.sum(),
        }
    )


def choose_threshold(score: pd.Series, label: pd.Series, precision: float = 0.97) -> float:
    """Return the threshold that finds most true pairs among those precise enough.

    Parameters
    ----------
    score, label : Series
        As in :func:`threshold_table`.
    precision : float
        Share of accepted pairs that must be right, between 0 and 1.

    Returns
    -------
    float
        Highest recall; ties go to the higher precision, then to the lower threshold.

    Raises
    ------
    CourseError
        No threshold is precise enough.
    """
    table = threshold_table(score, label)
    good = table[table["precision"] >= precision]
    _need.that(
        len(good) > 0,
        f"没有哪个门槛能让查准率达到 {precision:.0%}，请先改进名称清洗，或全部交人工复核。",
    )
    best = good.sort_values(["recall", "precision", "threshold"], ascending=[False, False, True])
    return float(best["threshold"].iloc[0])


def held_out(
    score: pd.Series,
    label: pd.Series,
    precision: float = 0.97,
    rounds: int = 60,
    seed: int = 20251231,
) -> pd.Series:
    """Precision of the chosen threshold on labelled pairs that did not choose it.

    Each round halves the pairs at random, takes the precise-enough threshold of highest recall in
    one half and measures the other. Parameters as in :func:`choose_threshold`.

    Returns
    -------
    Series
        One precision a round; rounds without such a threshold or an accepted pair are left out.
    """
    truth, rng, seen = label.reindex(score.index).astype(bool), np.random.default_rng(seed), []
    for _ in range(rounds):
        half = rng.random(len(score)) < 0.5
        table = threshold_table(score[half], truth[half])
        good = table[table["precision"] >= precision].sort_values("recall", ascending=False)
        taken = truth[~half & (score >= good["threshold"].iloc[0])] if len(good) else truth[:0]
        seen += [float(taken.mean())] if len(taken) else []
    return pd.Series(seen, dtype=float, name="precision")


def band(score: pd.Series, low: float, high: float) -> pd.Series:
    """Put pairs into the three zones: accept at `high`, review from `low` on, drop below.

    Returns
    -------
    Series
        Ordered categorical of :data:`BANDS`.
    """
    _need.that(low <= high, "复核带的下限不能高于自动接受的门槛，请调换两个参数。")
    values = score.to_numpy(dtype=float)
    codes = np.where(values >= high, 2, np.where(values >= low, 1, 0))
    kind = pd.CategoricalDtype(list(BANDS), ordered=True)
    return pd.Series(pd.Categorical.from_codes(codes, dtype=kind), index=score.index, name="band")
