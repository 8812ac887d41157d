"""Leads in statements: who repays online lenders or other banks, how heavily, and how sure we are.

Statement rows are the contract table ``transaction`` (columns in `ROWS`), keywords the table
``lender_keyword``. Names are compared on their distinct values, rhythm by one sort: half a million
rows take seconds. Nothing here reads memos of persons; results carry counts, never raw text.

Rules: A the payee's name holds a lender's keyword and no false friend's; B money leaves by
transfer (repayment) or arrives (payout); C at least three payments, typical spacing 20-40 days,
coefficient of variation of the amount below 0.25.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import _need, loan_math

#: Columns of ``transaction`` that the rules read.
ROWS = (
    "customer_id", "date", "amount", "direction", "kind", "counterparty_name",
    "counterparty_type", "memo",
)  # fmt: skip
ONLINE = ("消费金融", "网络小贷", "平台")
BANK, FALSE_FRIEND = "银行", "误报"
OUT, IN = "支出", "收入"
#: Transaction kinds that move money without a purchase; only these can repay or pay out.
TRANSFERS = ("转账", "放款", "还款", "自动还款")
#: Money in that is no income.
NO_INCOME = ("理财赎回", "退款", "放款")
LEAST, DAYS, MOST_CV = 3, (20, 40), 0.25
_LEGAL = re.compile(r"(股份)?(有限)?(责任)?公司$")
_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")
_NOISE = re.compile(r"[\s·•.,，。*_\-—]+")


# ------------------------------------------------------------------------------------- names


def normal_name(name: str) -> str:
    """Return one counterparty name in its plain form.

    Full-width letters become half-width (NFKC), brackets go with what they hold, so do blanks,
    dots, asterisks and the legal form (有限公司, 股份有限公司, 有限责任公司).

    >>> normal_name("子丑消费金融 股份有限公司（还款专户）")
    '子丑消费金融'
    """
    text = unicodedata.normalize("NFKC", name)
    return _LEGAL.sub("", _NOISE.sub("", _BRACKETS.sub("", text)))


def normalise(names: pd.Series) -> pd.Series:
    """Return counterparty names in their plain form, see :func:`normal_name`; missing stays."""
    return _by_value(names, normal_name)


def _by_value(values: pd.Series, function: Callable[[str], Any]) -> pd.Series:
    """Apply a text function once for each distinct value."""
    codes, distinct = pd.factorize(values)
    results = np.array([*(function(str(value)) for value in distinct), None], dtype=object)
    return pd.Series(results[codes], index=values.index, dtype=object)  # -1, missing: the last


def contains(texts: pd.Series, words: Iterable[str]) -> pd.Series:
    """Return which texts hold at least one of the words (missing texts and no words: False)."""
    known = [word for word in words if word]
    found = _by_value(texts, lambda text: any(word in text for word in known))
    return found.eq(True)


def lender_kind(names: pd.Series, keywords: pd.DataFrame, exclude: bool = True) -> pd.Series:
    """Return rule A: the kind of online lender that a counterparty's name shows.

    Parameters
    ----------
    names : Series
        Counterparty names, raw or plain.
    keywords : DataFrame
        ``keyword``, ``lender_kind`` (消费金融, 网络小贷, 平台, 银行, 误报).
    exclude : bool
        Whether a word of kind 误报 (餐饮, 商城, 会员权益 …) cancels the hit.

    Returns
    -------
    Series
        消费金融, 网络小贷, 平台 or None; the longest keyword decides.
    """
    _need.columns(keywords, ["keyword", "lender_kind"], "放贷机构关键词")
    words = keywords.astype({"keyword": str, "lender_kind": str})
    online = words[words["lender_kind"].isin(ONLINE)]
    online = online.iloc[online["keyword"].str.len().argsort(kind="stable")[::-1]]
    pairs = list(zip(online["keyword"], online["lender_kind"], strict=True))
    false = list(words.loc[words["lender_kind"] == FALSE_FRIEND, "keyword"]) if exclude else []

    def kind_of(name: str) -> str | None:
        plain = normal_name(name)
        if any(word in plain for word in false):
            return None
        return next((kind for word, kind in pairs if word in plain), None)

    return _by_value(names, kind_of)


def keyword_hits(rows: pd.DataFrame, keywords: pd.DataFrame, exclude: bool = True) -> pd.Series:
    """Return rule A for statement rows: whether the counterparty looks like an online lender."""
    _need.columns(rows, ["counterparty_name"], "关键词规则")
    return lender_kind(rows["counterparty_name"], keywords, exclude).notna()


def repayments(rows: pd.DataFrame) -> pd.Series:
    """Return rule B for repayments: money leaves by transfer, not by a purchase."""
    _need.columns(rows, ["direction", "kind"], "方向规则")
    return (rows["direction"] == OUT) & rows["kind"].isin(TRANSFERS)


def payouts(rows: pd.DataFrame) -> pd.Series:
    """Return rule B for payouts: money arrives by transfer, not as a refund."""
    _need.columns(rows, ["direction", "kind"], "方向规则")
    return (rows["direction"] == IN) & rows["kind"].isin(TRANSFERS)


# ------------------------------------------------------------------------------------- rhythm


def periodicity(
    rows: pd.DataFrame,
    by: Sequence[str] = ("customer_id", "counterparty_name"),
    least: int = LEAST,
    days: tuple[float, float] = DAYS,
    most_cv: float = MOST_CV,
) -> pd.DataFrame:
    """Return rule C: who is paid regularly.

    Parameters
    ----------
    rows : DataFrame
        Payments in one direction: the columns ``by``, ``date``, ``amount`` (元).
    by : sequence of str
        What makes one stream of payments; rows where one of them is missing are left out.
    least : int
        Payments needed.
    days : (float, float)
        Limits, both included, of the median spacing in days (a skipped month does not spoil it).
    most_cv : float
        The sample standard deviation over the mean of the amounts must be below this.

    Returns
    -------
    DataFrame
        Index = ``by``; ``payments``, ``amount`` (mean, 元), ``cv`` (NaN for one payment), ``gap``
        (median days; NaN for one payment), ``widest`` (longest gap), ``first``, ``last``,
        ``periodic``.
    """
    by = list(by)
    _need.columns(rows, [*by, "date", "amount"], "周期规则")
    rows = rows.dropna(subset=by)
    stream = rows.groupby(by, sort=False, observed=True).ngroup().to_numpy()
    order = np.lexsort((rows["date"].to_numpy(), stream))
    rows, stream = rows.iloc[order], stream[order]
    gap = rows["date"].diff().dt.days.to_numpy(dtype=float, copy=True)
    gap[: len(stream)][np.diff(stream, prepend=-1) != 0] = np.nan
    table = pd.DataFrame(
        {"stream": stream, "amount": rows["amount"].to_numpy(dtype=float), "gap": gap,
         "date": rows["date"].to_numpy()}
    ).groupby("stream").agg(
        payments=("amount", "size"), amount=("amount", "mean"), sd=("amount", "std"),
        gap=("gap", "median"), widest=("gap", "max"), first=("date", "min"), last=("date", "max"),
    )  # fmt: skip
    table.index = pd.MultiIndex.from_frame(rows[by].iloc[np.unique(stream, return_index=True)[1]])
    table.insert(2, "cv", table.pop("sd") / table["amount"])
    regular = (table["payments"] >= least) & table["gap"].between(*days)
    table["periodic"] = regular & (table["cv"] < most_cv)
    return table.sort_index()


# ------------------------------------------------------------------------------------ lenders


def lender_pairs(
    rows: pd.DataFrame,
    keywords: pd.DataFrame,
    extra_names: Iterable[str] = (),
    **rule: float,
) -> pd.DataFrame:
    """Return every customer and online lender between whom money moved (rules A + B, C as a flag).

    Parameters
    ----------
    rows : DataFrame
        Statement rows with the columns `ROWS`.
    keywords : DataFrame
        Table ``lender_keyword``.
    extra_names : iterable of str
        Counterparties that a person confirmed as lenders although no keyword finds them.
    **rule
        ``least``, ``days``, ``most_cv`` of :func:`periodicity`.

    Returns
    -------
    DataFrame
        ``customer_id``, ``lender`` (plain name), ``lender_kind`` (消费金融, 网络小贷, 平台,
        人工确认), the columns of :func:`periodicity` over the repayments, ``payout`` (元 paid out
        within the rows), ``payouts`` (how many), ``payout_date`` (latest), ``evidence`` (2 for
        rules A and B, one more each for rule C and for a payout that was seen).
    """
    _need.columns(rows, [n for n in ROWS if n not in ("memo", "counterparty_type")], "网贷线索")
    kind = lender_kind(rows["counterparty_name"], keywords)
    extra = {normal_name(name) for name in extra_names}
    rows = rows.assign(lender=normalise(rows["counterparty_name"]), lender_kind=kind)
    rows.loc[rows["lender"].isin(extra), "lender_kind"] = "人工确认"
    rows = rows[rows["lender_kind"].notna()]
    key = ["customer_id", "lender"]
    table = periodicity(rows[repayments(rows)], key, **rule)
    paid = rows[payouts(rows)].groupby(key, observed=True)
    paid = paid.agg(
        payout=("amount", "sum"), payouts=("amount", "size"), payout_date=("date", "max")
    )
    table = table.join(paid, how="left")
    table["payout"] = table["payout"].fillna(0.0)
    table["payouts"] = table["payouts"].fillna(0).astype(int)
    table["evidence"] = 2 + table["periodic"].astype(int) + (table["payouts"] > 0).astype(int)
    kinds = rows.drop_duplicates("lender").set_index("lender")["lender_kind"]
    table = table.reset_index()
    table.insert(2, "lender_kind", table["lender"].map(kinds))
    return table


def month_inflow(rows: pd.DataFrame, as_of: pd.Timestamp, months: int = 6) -> pd.Series:
    """Return a customer's usual money in: median of the last months, 元, 0 for empty months.

    Own money moved from another bank, wealth redeemed, refunds and loans paid out are no income
    and left out (payouts of online lenders must be dropped by the caller, see
    :func:`lender_features`).
    """
    _need.columns(rows, ["customer_id", "date", "amount", "direction", "kind",
                         "counterparty_type"], "月流入")  # fmt: skip
    own = (rows["counterparty_type"] == "本人他行") | rows["kind"].isin(NO_INCOME)
    since = as_of.to_period("M") - months
    income = rows.loc[(rows["direction"] == IN) & ~own, ["customer_id", "date", "amount"]]
    income = income[income["date"] > since.to_timestamp(how="end")]
    income["month"] = income["date"].dt.to_period("M")
    panel = income.pivot_table(
        index="customer_id", columns="month", values="amount", aggfunc="sum", fill_value=0.0
    )
    last = pd.period_range(since + 1, periods=months, freq="M")
    panel = panel.reindex(columns=last, fill_value=0.0)
    everybody = pd.Index(rows["customer_id"].unique(), name="customer_id")
    return panel.reindex(everybody, fill_value=0.0).median(axis=1).rename("month_inflow")


def lender_features(
    rows: pd.DataFrame,
    keywords: pd.DataFrame,
    as_of: pd.Timestamp,
    extra_names: Iterable[str] = (),
    recent_days: int = 90,
    least_recent: int = 2,
    pairs: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return what statements say about each customer's outside borrowing.

    Parameters
    ----------
    rows : DataFrame
        Statement rows with the columns `ROWS`, about a year.
    keywords : DataFrame
        Table ``lender_keyword``.
    as_of : Timestamp
        Day on which one looks.
    extra_names : iterable of str
        See :func:`lender_pairs`.
    recent_days, least_recent : int
        A lender is in use when its stream is periodic and has so many repayments in so many days.
    pairs : DataFrame, optional
        Result of :func:`lender_pairs`, if the caller has it.

    Returns
    -------
    DataFrame
        One row for EVERY customer in ``rows`` (index ``customer_id``): ``online_lenders`` (in
        use), ``online_lenders_year`` (periodic at any time), ``month_repayment`` (元 to lenders in
        use), ``month_inflow`` (元, :func:`month_inflow`), ``burden`` (ratio; NaN without inflow),
        ``bank_loans``, ``bank_payment`` (元 a month, :func:`bank_loans`), ``total_burden``,
        ``evidence`` (repayments seen), ``outgoing`` (payments out: below about 48 a year a
        statement is too thin to show a monthly habit).
    """
    _need.columns(rows, ROWS, "网贷特征")
    pairs = lender_pairs(rows, keywords, extra_names) if pairs is None else pairs
    names = pairs["lender"].unique()
    is_lender = normalise(rows["counterparty_name"]).isin(names)
    late = rows["date"] > as_of - pd.Timedelta(days=recent_days)
    recent = rows[is_lender & repayments(rows) & late]
    recent = recent.assign(lender=normalise(recent["counterparty_name"]))
    count = recent.groupby(["customer_id", "lender"], observed=True).size().rename("recent")
    steady = pairs[pairs["periodic"]].merge(count, on=["customer_id", "lender"], how="left")
    used = steady[steady["recent"] >= least_recent].groupby("customer_id")
    ever = steady.groupby("customer_id")
    index = pd.Index(np.sort(rows["customer_id"].unique()), name="customer_id")
    banks = bank_loans(rows, keywords)
    banks = banks[banks["periodic"] & (banks["last"] > as_of - pd.Timedelta(days=60))]
    banks = banks.groupby("customer_id")["amount"]
    table = pd.DataFrame(
        {"online_lenders": used.size(), "online_lenders_year": ever.size(),
         "month_repayment": used["amount"].sum(), "bank_loans": banks.size(),
         "bank_payment": banks.sum(), "evidence": ever["payments"].sum(),
         "outgoing": rows[rows["direction"] == OUT].groupby("customer_id", observed=True).size()},
        index=index,
    ).fillna(0)  # fmt: skip
    whole = ["online_lenders", "online_lenders_year", "bank_loans", "evidence", "outgoing"]
    table[whole] = table[whole].astype(int)
    inflow = month_inflow(rows[~(is_lender & (rows["direction"] == IN))], as_of).reindex(index)
    table.insert(3, "month_inflow", inflow.fillna(0.0))
    known = table["month_inflow"].where(table["month_inflow"] > 0)
    table.insert(4, "burden", table["month_repayment"] / known)
    table["total_burden"] = (table["month_repayment"] + table["bank_payment"]) / known
    return table


def finished_loans(
    rows: pd.DataFrame,
    keywords: pd.DataFrame,
    as_of: pd.Timestamp,
    extra_names: Iterable[str] = (),
    quiet_days: int = 45,
) -> pd.DataFrame:
    """Return online loans whose payout and every repayment are in the rows, with the rate paid.

    A loan counts when the pair has one payout, at least three repayments after it and none
    before, no gap above 45 days, and no repayment in the last ``quiet_days``.

    Returns
    -------
    DataFrame
        ``customer_id``, ``lender``, ``lender_kind``, ``principal``, ``payments``, ``repaid`` (元),
        ``percent`` (nominal annual, :func:`loan_math.irr`; NaN where the repayments seen do not
        return the principal: some are missing).
    """
    pairs = lender_pairs(rows, keywords, extra_names)
    done = pairs[(pairs["payouts"] == 1) & (pairs["first"] > pairs["payout_date"])]
    done = done[(done["payments"] >= LEAST) & (done["widest"] <= 45)]
    done = done[done["last"] <= as_of - pd.Timedelta(days=quiet_days)]
    key = ["customer_id", "lender"]
    paid = rows[repayments(rows) & rows["customer_id"].isin(done["customer_id"])]
    paid = paid.sort_values("date")
    paid = paid.assign(lender=normalise(paid["counterparty_name"])).merge(done[key], on=key)
    flows = paid.groupby(key, observed=True)["amount"].agg(list).rename("flows")
    done = done.merge(flows, on=key).rename(columns={"payout": "principal"})
    done["repaid"] = [float(np.sum(values)) for values in done["flows"]]
    done["percent"] = [
        loan_math.irr(principal, values) if sum(values) > principal else np.nan
        for principal, values in zip(done["principal"], done["flows"], strict=True)
    ]
    return done[[*key, "lender_kind", "principal", "payments", "repaid", "percent"]]


# ------------------------------------------------------------------------------- other banks


def bank_loans(
    rows: pd.DataFrame, keywords: pd.DataFrame, most_days: int = 3, **rule: float
) -> pd.DataFrame:
    """Return streams that look like instalments of a loan at another bank.

    A payment counts when it goes to an internal account of another bank, or when its memo holds
    a keyword of kind 银行 (按揭, 贷款, 还贷, 月供) and the money does not stay in this bank.

    Parameters
    ----------
    rows : DataFrame
        Statement rows with the columns `ROWS`.
    keywords : DataFrame
        Table ``lender_keyword``.
    most_days : int
        Largest spread of the day of the month (median distance from the usual day).
    **rule
        ``least``, ``days``, ``most_cv`` of :func:`periodicity`.

    Returns
    -------
    DataFrame
        ``customer_id``, ``lender`` (plain name), the columns of :func:`periodicity` (here
        ``periodic`` also needs the fixed day), ``day`` (usual day of the month), ``day_spread``,
        ``memo_hits`` (rows whose memo names a loan), ``mortgage_hits`` (memo 按揭).
    """
    _need.columns(rows, ROWS, "他行贷款线索")
    words = keywords.loc[keywords["lender_kind"] == BANK, "keyword"].astype(str)
    out = rows[repayments(rows) & (rows["counterparty_type"] != "本行内部户")]
    named = contains(out["memo"], words)
    out = out.assign(memo_hit=named, mortgage=contains(out["memo"], ["按揭"]))
    out = out[(out["counterparty_type"] == "他行内部户") | named]
    out = out.assign(lender=normalise(out["counterparty_name"]), day=out["date"].dt.day)
    key = ["customer_id", "lender"]
    usual = out.groupby(key, observed=True)["day"].transform("median")
    out["distance"] = (out["day"] - usual).abs()
    table = periodicity(out, key, **rule)
    more = out.groupby(key, observed=True).agg(
        day=("day", "median"), day_spread=("distance", "median"), memo_hits=("memo_hit", "sum"),
        mortgage_hits=("mortgage", "sum"),
    )  # fmt: skip
    table = table.join(more)
    table["periodic"] &= table["day_spread"] <= most_days
    return table.reset_index()


def balance_range(
    payment: pd.Series, percents: Sequence[float], months_left: Sequence[float]
) -> pd.DataFrame:
    """Return what may still be owed behind a monthly instalment whose rate and term are unknown.

    Parameters
    ----------
    payment : Series
        元 a month.
    percents : sequence of float
        Likely nominal annual rates, low to high, percent.
    months_left : sequence of float
        Likely remaining terms, short to long.

    Returns
    -------
    DataFrame
        ``low``, ``middle`` (median of rates, median of terms) and ``high``, 元: present values of
        the remaining instalments, :func:`loan_math.annuity_value`.
    """
    cheap, dear = min(percents), max(percents)
    usual = float(np.median(percents)), float(np.median(months_left))
    return pd.DataFrame(
        {"low": loan_math.annuity_value(payment, dear, min(months_left)),
         "middle": loan_math.annuity_value(payment, *usual),
         "high": loan_math.annuity_value(payment, cheap, max(months_left))}
    )  # fmt: skip
