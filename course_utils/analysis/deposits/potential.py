"""How much deposit money a branch can still win in its area: published, or estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from course_utils.analysis import _need

if TYPE_CHECKING:
    from course_utils.bank import Bank

#: Share of shops beside households in the size of an area (本课程定义).
SHOP_WEIGHT = 0.2
#: The bank's share of all local deposits where no market report says it (课程参数).
OWN_SHARE = 0.3
#: A branch that already holds more than its area's due still has this part of it to win.
LEAST = 0.05


def estimated_potential(
    own: pd.Series,
    homes: pd.Series,
    shops: pd.Series | None = None,
    own_share: float = OWN_SHARE,
) -> pd.Series:
    """Estimate the money in each branch's area that lies with other banks.

    All local deposits (own total / own market share) are spread over the areas by households and
    shops; what the branch holds already is taken off.

    Parameters
    ----------
    own : Series
        Deposits of each branch, 元; its index orders the result.
    homes : Series
        Resident households of each area; missing = none.
    shops : Series, optional
        Shops of each area.
    own_share : float
        The bank's market share, ratio.

    Returns
    -------
    Series
        元, at least ``LEAST`` of the area's money.
    """
    _need.that(0 < own_share <= 1, f"本行市场份额应在 0 到 1 之间，现在是 {own_share}。")
    count = homes.reindex(own.index).fillna(0.0)
    _need.enough(float(count.sum()) > 0, "各片区的常住户数全是空的，无法测算潜力，请检查村表。")
    size = count / count.sum()
    if shops is not None and float(shops.reindex(own.index).fillna(0.0).sum()) > 0:
        stalls = shops.reindex(own.index).fillna(0.0)
        size = (1 - SHOP_WEIGHT) * size + SHOP_WEIGHT * stalls / stalls.sum()
    area = own.sum() / own_share * size
    return (area - own).clip(lower=LEAST * area.clip(lower=area[area > 0].min()))


def market_share_of(bank: Bank) -> float:
    """Return the bank's share of all local deposits in the last market report (or OWN_SHARE)."""
    if not bank.has("market_share"):
        return OWN_SHARE
    report = bank.load("market_share", columns=["month", "bank_label", "item", "balance"])
    last = report[report["month"] == report["month"].max()]
    last = last[last["item"].str.endswith("存款")]
    whole = float(last["balance"].sum())
    own = float(last.loc[last["bank_label"] == "本行", "balance"].sum())
    return own / whole if own > 0 else OWN_SHARE


def branch_potential(bank: Bank, own: pd.Series) -> pd.DataFrame:
    """Return the deposit potential of each branch, published and estimated.

    Parameters
    ----------
    bank : Bank
        The open bank; ``branch.deposit_potential``, ``grid`` and ``market_share`` are optional.
    own : Series
        Deposits of each branch in 元, index = branch_id.

    Returns
    -------
    DataFrame
        ``published`` (NaN where the bank has none), ``estimated``, and ``used`` = published where
        known, else estimated; 元.
    """
    village = bank.load("village", columns=["branch_id", "resident_households"])
    homes = village.groupby("branch_id")["resident_households"].sum()
    shops = None
    if bank.has("grid"):
        grid = bank.load("grid", columns=["branch_id", "shops"])
        shops = grid.groupby("branch_id")["shops"].sum()
    estimated = estimated_potential(own, homes, shops, market_share_of(bank))
    published = pd.Series(float("nan"), index=own.index)
    if bank.has("branch.deposit_potential"):
        table = bank.load("branch", columns=["branch_id", "deposit_potential"])
        published = table.set_index("branch_id")["deposit_potential"].reindex(own.index)
    return pd.DataFrame(
        {
            "published": published,
            "estimated": estimated,
            "used": published.where(published > 0, estimated),
        }
    )
