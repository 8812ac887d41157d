"""Chinese names, kinds and units for the columns of any frame, from the contract.

The contract knows the tables' own columns; :data:`DERIVED` names the columns that the analysis
room makes.  Used for tables on screen and for Excel deliverables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import pandas as pd
from pandas.api import types as kinds

from course_utils.contract import Column, load_contract

#: column made by the analysis room -> (Chinese name, kind)
DERIVED: Mapping[str, tuple[str, str]] = {
    "month_end": ("月末余额", "money"),
    "month_average": ("月日均", "money"),
    "deviation": ("偏离度", "ratio"),
    "breach": ("超限", "flag"),
    "null_share": ("空值占比", "ratio"),
    "nulls": ("空值数", "integer"),
    "rows": ("行数", "integer"),
    "rule": ("规则", "text"),
    "failed": ("不合格", "integer"),
    "checked": ("已检查", "integer"),
    "valid_share": ("合格率", "ratio"),
    "coverage": ("覆盖率", "ratio"),
    "gap": ("差额", "money"),
    "gap_share": ("差额占比", "ratio"),
    "detail": ("明细合计", "money"),
    "ledger": ("总账", "money"),
    "total": ("合计", "number"),
    "completeness": ("完整性", "number"),
    "uniqueness": ("唯一性", "number"),
    "validity": ("有效性", "number"),
    "consistency": ("一致性", "number"),
    "timeliness": ("及时性", "number"),
    "share": ("占比", "ratio"),
    "cumulative": ("累计占比", "ratio"),
    "count": ("数量", "integer"),
    "customers": ("客户数", "number"),
    "customer_share": ("客户占比", "ratio"),
    "amount_share": ("金额占比", "ratio"),
    "per_customer": ("户均", "money"),
    "own": ("本行", "money"),
    "market": ("市场合计", "money"),
    "rank": ("名次", "integer"),
    "banks": ("机构数", "integer"),
    "hhi": ("集中度指数", "number"),
    "own_change": ("本行增量", "money"),
    "market_change": ("市场增量", "money"),
    "incremental_share": ("增量份额", "ratio"),
    "mix": ("结构效应", "ratio"),
    "within": ("份额效应", "ratio"),
    "low": ("区间下限", "ratio"),
    "high": ("区间上限", "ratio"),
    "rate_a": ("处理组比例", "ratio"),
    "rate_b": ("对照组比例", "ratio"),
    "n_a": ("处理组样本", "integer"),
    "n_b": ("对照组样本", "integer"),
    "difference": ("差异", "ratio"),
    "renewed": ("续存", "number"),
    "days_left": ("剩余天数", "integer"),
    "period": ("时期", "text"),
    "visits": ("预计到店", "number"),
    "needed": ("需要窗口", "integer"),
    "short": ("缺口窗口", "integer"),
    "overload": ("超负荷", "flag"),
    "wait_over": ("等待超时概率", "ratio"),
    "peak_per_hour": ("高峰每小时人数", "number"),
    "state": ("状态", "text"),
    "ratio": ("留存比", "ratio"),
    "tier": ("层级", "text"),
    "score": ("得分", "number"),
    "wallet": ("钱包", "money"),
    "wallet_share": ("钱包份额", "ratio"),
    "outside": ("行外资金", "money"),
    "familiarity": ("熟悉度", "number"),
    "probability": ("概率", "ratio"),
    "lift": ("提升倍数", "number"),
    "captured": ("累计捕获", "ratio"),
    "events": ("发生数", "number"),
    "hazard": ("风险率", "ratio"),
    "at_risk": ("在险数", "integer"),
    "survival": ("留存率", "ratio"),
    "odds_ratio": ("优势比", "number"),
    "coefficient": ("系数", "number"),
    "p": ("p 值", "number"),
    "feature": ("特征", "text"),
    "auc_loss": ("打乱后AUC损失", "number"),
    "predicted": ("预测概率", "ratio"),
    "observed": ("实际比例", "ratio"),
    "group": ("分组", "text"),
    "planned": ("计划", "number"),
    "done": ("完成", "number"),
    "k_min": ("最小等价类", "integer"),
    "unique_share": ("唯一占比", "ratio"),
    "attributes": ("已知属性", "text"),
    "cost": ("成本", "number"),
    "retention": ("留存率", "ratio"),
}
#: names that tables use with slightly different words; the general word when no table is named
GENERAL: Mapping[str, str] = {
    "amount": "金额",
    "balance": "余额",
    "rate": "利率",
    "date": "日期",
    "open_date": "开立日",
    "close_date": "关闭日",
    "start_date": "开始日",
    "end_date": "结束日",
    "from_date": "起始日",
    "to_date": "截止日",
    "due_date": "应还日",
    "employee_id": "员工号",
    "manager_id": "客户经理",
    "account_id": "账号",
    "event_id": "事件号",
    "list_id": "名单号",
    "name": "名称",
    "address": "地址",
    "kind": "种类",
    "status": "状态",
    "item": "项目",
    "note": "备注",
    "purpose": "用途",
    "channel": "渠道",
    "reason": "原因",
    "reason_code": "原因码",
    "weight": "权数",
    "target": "目标",
    "wave": "波次",
    "households": "户数",
    "assets": "资产",
    "tax": "税额",
    "star": "星级",
    "draws": "提款",
    "online": "线上",
    "green": "绿色",
    "agricultural": "涉农",
    "industry_code": "行业代码",
    "paid_amount": "已还金额",
    "payroll_amount": "代发工资额",
    "offered_rate": "报价利率",
    "lpr_1y": "一年期LPR",
    "term_deposit_average": "定期日均",
    "aum_average": "日均资产",
}
#: analysis results in which ``rate`` is a ratio, not a percent of a price list
_RATE_IS_RATIO = {"low", "high", "lift", "planned"}
IDENTIFIER_WORDS = ("name", "phone", "mobile", "address", "id_no", "card", "姓名", "电话", "手机",
                    "证件", "身份证", "卡号", "住址", "地址")  # fmt: skip


@dataclass(frozen=True)
class Look:
    """How one column is shown: Chinese name, kind (a contract type) and unit."""

    name: str
    zh: str
    kind: str
    unit: str | None = None


@cache
def _index() -> dict[str, tuple[tuple[str, Column], ...]]:
    found: dict[str, list[tuple[str, Column]]] = {}
    for table in load_contract().tables.values():
        for column in table.columns.values():
            found.setdefault(column.name, []).append((table.name, column))
    return {name: tuple(columns) for name, columns in found.items()}


def find(name: str, tables: Iterable[str] = ()) -> Column | None:
    """Return the contract's column for a name.

    Parameters
    ----------
    name : str
        Column name of a frame.
    tables : iterable of str
        Tables to look in first, in this order.

    Returns
    -------
    Column or None
        None if no table has the column, or several tables mean different things by it and no
        table was named.
    """
    candidates = _index().get(name, ())
    for table in tables:
        for home, column in candidates:
            if home == table:
                return column
    names = {column.zh for _, column in candidates}
    return candidates[0][1] if len(names) == 1 else None


def kind_of(values: pd.Series) -> str:
    """Guess the kind of a column that no contract describes, from its dtype."""
    if kinds.is_bool_dtype(values):
        return "flag"
    if kinds.is_integer_dtype(values):
        return "integer"
    if kinds.is_numeric_dtype(values):
        return "number"
    if kinds.is_datetime64_any_dtype(values):
        return "date"
    return "text"


def look(
    frame: pd.DataFrame,
    tables: Iterable[str] = (),
    names: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> list[Look]:
    """Return how each column of a frame is to be shown.

    Parameters
    ----------
    frame : DataFrame
        Any table with plain column names.
    tables : iterable of str
        Contract tables the columns come from (decides ambiguous names).
    names : mapping, optional
        column -> Chinese name; takes precedence.
    units : mapping, optional
        column -> 元, 万元, 亿元, % (a ratio shown as a percentage), 百分数 (already in percent),
        基点 (a ratio shown in basis points), 户, 天 … ; takes precedence.

    Returns
    -------
    list of Look
    """
    tables = [tables] if isinstance(tables, str) else list(tables)
    present = {str(c) for c in frame.columns}
    result = []
    for position, raw in enumerate(frame.columns):
        name = str(raw)
        values = frame.iloc[:, position]
        zh, kind, unit = _describe(name, values, tables, present)
        zh = (names or {}).get(name, zh)
        unit = (units or {}).get(name, unit)
        if name in (units or {}) and kinds.is_numeric_dtype(values):
            kind = {"元": "money", "万元": "money", "亿元": "money", "%": "ratio",
                    "百分数": "percent", "基点": "ratio"}.get(str(unit), kind)  # fmt: skip
        result.append(Look(name, zh, _fitting(kind, values), unit))
    return result


def _describe(
    name: str, values: pd.Series, tables: list[str], present: set[str]
) -> tuple[str, str, str | None]:
    if name == "rate" and present & _RATE_IS_RATIO:
        return "比例", "ratio", None
    hinted = find(name, tables) if tables else None
    if hinted is None and name in DERIVED:
        return (*DERIVED[name], None)
    column = hinted or find(name)
    if column is not None:
        return column.zh, column.type, column.unit
    candidates = _index().get(name, ())
    types = {c.type for _, c in candidates}
    zh = GENERAL.get(name, name)
    return zh, types.pop() if len(types) == 1 else kind_of(values), None


def _fitting(kind: str, values: pd.Series) -> str:
    """Fall back to the dtype where a name promises a kind that the values do not have."""
    numeric = kinds.is_numeric_dtype(values) and not kinds.is_bool_dtype(values)
    if kind in ("money", "percent", "ratio", "number", "integer") and not numeric:
        return kind_of(values)
    if kind in ("date", "month", "timestamp") and not kinds.is_datetime64_any_dtype(values):
        return kind_of(values)
    if kind == "flag" and not kinds.is_bool_dtype(values):
        return kind_of(values)
    if kind in ("text", "id", "code") and numeric:
        return kind_of(values)
    return kind


def header(look: Look, money: str | None = None) -> str:
    """Return the header with its unit, e.g. 余额（万元）.

    Parameters
    ----------
    look : Look
        The column.
    money : str, optional
        Unit for money columns that have no unit of their own choice: 元, 万元 or 亿元.
    """
    unit = look.unit
    if look.kind == "money":
        unit = unit if unit in ("万元", "亿元") else money or unit or "元"
    elif look.kind in ("ratio", "percent"):
        unit = "基点" if unit == "基点" else None
    if not unit or unit in ("%", "年") or unit in look.zh:
        return look.zh
    return f"{look.zh}（{unit}）"


def divisor(look: Look, money: str | None = None) -> float:
    """Return by what a value is divided for display (money to 万元 or 亿元, ratio to 基点)."""
    if look.kind == "money":
        unit = look.unit if look.unit in ("万元", "亿元") else money or "元"
        return {"万元": 1e4, "亿元": 1e8}.get(unit, 1.0)
    if look.kind == "ratio" and look.unit == "基点":
        return 1e-4
    return 1.0
