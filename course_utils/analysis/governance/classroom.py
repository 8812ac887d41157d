"""Privacy taught on every bank: an export or its stand-in, what neighbours know, the use form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from course_utils.analysis import _need

if TYPE_CHECKING:
    from collections.abc import Sequence

    from course_utils.bank import Bank

COLUMNS = (
    "row_id", "customer_id", "name", "id_number", "phone", "address", "card_number", "balance",
    "birth_date", "gender", "village", "town", "occupation", "five_class", "note", "remark2",
)  # fmt: skip
KNOWN_SHARE = 0.2


def unmasked_export(bank: Bank) -> pd.DataFrame:
    """Return the example export, or what stands in for it at a bank that has none.

    A bank that keeps its rules has no unmasked export to give.  Its own, already de-identified
    customer table then takes the place: the tests for re-identification are worth even more there.

    Parameters
    ----------
    bank : Bank
        The open bank.

    Returns
    -------
    DataFrame
        The columns of the contract's ``raw_export``; columns that only an unmasked export has are
        empty in the stand-in, and a birth date is the first day of the known year or month.
    """
    if bank.has("raw_export"):
        return bank.load("raw_export")
    customer = bank.load("customer")
    _need.columns(customer, ["customer_id", "birth_year", "gender", "town_id"], "脱敏教学样本")
    persons = customer[customer["birth_year"].notna()].reset_index(drop=True)
    month = persons["birth_month"] if "birth_month" in persons else pd.Series(1, persons.index)
    parts = {"year": persons["birth_year"].astype(int), "month": month.fillna(1).astype(int)}
    frame = pd.DataFrame(
        {
            "row_id": [f"R{n:06d}" for n in range(1, len(persons) + 1)],
            "customer_id": persons["customer_id"],
            "name": persons["masked_name"],
            "birth_date": pd.to_datetime(pd.DataFrame(parts).assign(day=1)),
            "gender": persons["gender"],
            "village": persons["village_id"].fillna("（无村）"),
            "town": persons["town_id"],
            "occupation": persons["occupation"],
        }
    )
    frame = frame.reindex(columns=list(COLUMNS))
    text = [c for c in COLUMNS if c not in ("balance", "birth_date")]
    return frame.astype(dict.fromkeys(text, "str") | {"balance": "float64"})


def neighbours(bank: Bank, export: pd.DataFrame) -> pd.DataFrame:
    """Return what a neighbour knows: village, birth date and gender of some people.

    Parameters
    ----------
    bank : Bank
        Its ``village_list`` is used if there is one.
    export : DataFrame
        From :func:`unmasked_export`; without a list, one row in five stands in.

    Returns
    -------
    DataFrame
        ``list_id``, ``village``, ``birth_date``, ``gender``; no names, the attack needs none.
    """
    wanted = ["list_id", "village", "birth_date", "gender"]
    if bank.has("village_list") and bank.has("raw_export"):
        return bank.load("village_list", columns=wanted)
    known = export.sample(frac=KNOWN_SHARE, random_state=0).reset_index(drop=True)
    known["list_id"] = [f"L{n:05d}" for n in range(1, len(known) + 1)]
    return known[wanted]


def use_form(
    purpose: str,
    columns: Sequence[str],
    rows: int,
    smallest_group: int,
    removed: Sequence[str],
    purge: pd.Timestamp,
) -> pd.DataFrame:
    """Return the form on which the use of data in class is registered and signed for.

    Parameters
    ----------
    purpose : str
        What the class is about.
    columns : sequence of str
        Chinese names of the columns handed out.
    rows, smallest_group : int
        Size of the sample and of its smallest group of people who look alike.
    removed : sequence of str
        Columns of class C3 that were taken out.
    purge : Timestamp
        Day by which the sample must be deleted.

    Returns
    -------
    DataFrame
        ``item``, ``content``; what a person must write stays empty.
    """
    lines = [
        ("用途", purpose),
        ("数据范围", f"{rows:,} 行；{'、'.join(columns)}"),
        ("最小组人数", f"{smallest_group}"),
        ("C3 列", f"{'、'.join(removed)}，已剔除" if removed else "没有发现"),
        ("法律依据", ""),
        ("受托讲师（姓名、单位、协议编号）", ""),
        ("使用人名单", ""),
        ("地点与设备", "行内断网电脑，不拷出、不拍屏"),
        ("删除日期", f"{purge:%Y-%m-%d}"),
        ("删除确认（人、时间）", ""),
        ("数据主管部门审批（签字）", ""),
        ("合规部门审批（签字）", ""),
    ]
    return pd.DataFrame(lines, columns=["item", "content"])


def impact_form(
    columns: int, dropped: int, named_before: float, smallest_group: int
) -> pd.DataFrame:
    """Return the one-page impact assessment with the three headings of PIPL art. 56.

    Parameters
    ----------
    columns, dropped : int
        Columns handed out and columns left out.
    named_before : float
        Share of known people found in the sample before it was coarsened.
    smallest_group : int
        Smallest group of people who look alike afterwards.

    Returns
    -------
    DataFrame
        ``question``, ``evidence`` (from the lesson) and an empty ``conclusion``.
    """
    lines = [
        ("目的、方式是否合法、正当、必要", f"原表 {columns + dropped} 列，只给 {columns} 列"),
        (
            "对个人权益的影响及安全风险",
            f"只打星号时，知道三样信息的人能认出 {named_before:.1%}；"
            f"处理后每组至少 {smallest_group} 人",
        ),
        ("保护措施是否合法、有效并与风险相适应", "行内断网、限时删除、专人保管密钥、留痕"),
    ]
    table = pd.DataFrame(lines, columns=["question", "evidence"])
    return table.assign(conclusion="")
