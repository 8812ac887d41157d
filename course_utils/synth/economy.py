"""What surrounds the bank: calendar, interest rates, products, policy, macro figures, campaigns."""

from __future__ import annotations

import numpy as np
import pandas as pd

from course_utils.bank.public_tables import (
    build_calendar,
    build_industries,
    dated_reference,
    posted,
    rate_table,
)
from course_utils.synth.state import Simulation
from course_utils.synth.tools import setting

_FIRST_DAY = "2021-01-01"
# product_code, name, line, min, max, spread of the rate over LPR (low, high), term, guarantee,
# repay method, target, age limits, monthly fee. Rates are filled in from the LPR of the as-of date.
_LOANS = [
    ("L_FARM", "农户小额信用贷", "农户贷", 1e3, 3e5, 1.5, 2.6, 36, "信用", "随借随还",
     "整村授信农户", 18, 60),
    ("L_MERCHANT", "商户信用贷", "经营贷", 5e3, 5e5, 1.6, 2.8, 36, "信用", "按月付息到期还本",
     "收单商户与个体户", 20, 62),
    ("L_BUSINESS_MORTGAGE", "个人经营抵押贷", "经营贷", 5e4, 5e6, 0.5, 1.5, 120, "抵押",
     "等额本息", "个体户与小微企业主", 20, 65),
    ("L_ONLINE", "线上消费贷", "消费贷", 1e3, 2e5, 1.1, 2.4, 36, "信用", "等额本息",
     "白名单客户", 22, 60),
    ("L_SME", "小微企业流动资金贷", "企业贷", 1e5, 1e7, 0.6, 1.6, 36, "保证",
     "按月付息到期还本", "小微企业", None, None),
    ("L_STARTUP", "创业担保贷", "经营贷", 1e4, 3e5, 0.5, 1.5, 36, "保证", "按月付息到期还本",
     "返乡创业人员", 18, 60),
    ("L_MORTGAGE", "个人住房按揭", "按揭", 5e4, 3e6, -0.2, 0.6, 360, "抵押", "等额本息",
     "购房家庭", 20, 70),
    ("L_STUDENT", "生源地助学贷", "助学贷", 1e3, 2.5e4, -0.7, -0.6, 264, "信用",
     "等额本金", "在校大学生", 16, 45),
]  # fmt: skip
_OTHERS = [
    ("D_DEMAND", "活期存款", "存款", 0, None, None, "全部客户", 0),
    ("D_TERM", "定期存款", "存款", 50, None, 60, "储蓄客户", 0),
    ("D_CERTIFICATE", "大额存单", "存款", 2e5, None, 36, "二十万元以上储蓄客户", 0),
    ("D_NOTICE", "通知存款", "存款", 5e4, None, None, "短期闲置资金", 0),
    ("W_WEALTH", "稳健理财", "理财", 1e4, None, 12, "风险承受力适合的客户", 12),
    ("I_INSURANCE", "代销保险", "保险", 1e3, None, 120, "家庭客户", 15),
    ("M_POS", "收单结算", "收单", None, None, None, "商户", 8),
    ("S_MOBILE", "手机银行", "其他", None, None, None, "全部客户", 0),
]
_COMPETITORS = [
    ("大行甲", "大行", "抵押快贷", "经营贷", 1e7, -0.10, 0.30, 120, "抵押", "房产足值", "低"),
    ("大行甲", "大行", "经营信用贷", "经营贷", 1e6, 0.35, 0.95, 12, "信用", "纳税满两年", "低"),
    ("大行乙", "大行", "税易贷", "企业贷", 3e6, 0.30, 0.90, 12, "信用", "纳税评级 B 以上", "低"),
    ("大行乙", "大行", "个人消费贷", "消费贷", 3e5, 0.10, 0.70, 36, "信用", "公职或代发客户", "低"),
    ("大行丙", "大行", "惠农贷", "农户贷", 3e5, 0.60, 1.20, 36, "信用", "村委推荐建档", "低"),
    ("邮储", "邮储", "产业贷", "农户贷", 5e5, 1.00, 2.00, 36, "保证", "经营满一年", "中"),
    ("邮储", "邮储", "住房按揭", "按揭", 3e6, 0.55, 0.85, 360, "抵押", "首付两成以上", "低"),
    ("股份制甲", "股份制", "闪电贷", "消费贷", 3e5, 0.40, 3.00, 60, "信用", "征信查询少", "中"),
    ("股份制乙", "股份制", "抵押经营贷", "经营贷", 1e7, 0.10, 0.80, 240, "抵押", "市区房产", "中"),
    ("城商行甲", "城商行", "商户贷", "经营贷", 5e5, 1.40, 3.00, 24, "信用", "收单流水满半年", "中"),
    ("村镇银行", "村镇银行", "农易贷", "农户贷", 2e5, 2.80, 4.50, 24, "保证", "本地经营", "高"),
    ("消金甲", "消费金融", "安心分期", "消费贷", 2e5, 9.00, 20.90, 24, "信用", "满二十二岁", "高"),
    ("网贷甲", "网络小贷", "随心借", "消费贷", 2e5, 4.20, 15.00, 12, "信用", "平台活跃用户", "高"),
    ("网贷乙", "网络小贷", "小店周转", "经营贷", 3e5, 6.00, 15.00, 12, "信用", "平台商户", "高"),
]  # fmt: skip


def generate(sim: Simulation) -> None:
    """Write industry, calendar, rates, products, policy, macro figures and programme dates."""
    sim.tables["industry"] = build_industries()
    sim.tables["calendar"] = build_calendar(
        pd.Timestamp(_FIRST_DAY),
        pd.Timestamp(year=sim.as_of.year + 1, month=12, day=31),
        setting(sim.profile.world, "kaimenhong"),
    )
    lpr = dated_reference("lpr")
    sim.tables["lpr_rate"] = _until(sim, lpr[["effective_date", "lpr_1y", "lpr_5y"]])
    sim.tables["deposit_rate"] = _deposit_rates(sim)
    sim.tables["ftp_curve"] = _ftp_curve(sim)
    sim.tables["product"] = _products(sim)
    sim.tables["competitor_product"] = _competitors(sim)
    sim.tables["policy_event"] = _policy_events(sim)
    sim.tables["macro_month"] = _macro(sim)
    sim.tables["campaign"] = _campaigns(sim)
    sim.tables["branch_program"] = _programmes(sim)


def _until(sim: Simulation, frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["effective_date"] <= sim.as_of].reset_index(drop=True)


def _deposit_rates(sim: Simulation) -> pd.DataFrame:
    world = sim.profile.world
    own_spread = {int(year): spread for year, spread in setting(world, "own_rate_spread").items()}
    peer = setting(world, "peer_rate_spread")
    rows = []
    for row in dated_reference("deposit_rates").itertuples():
        year = max([y for y in own_spread if y <= row.effective_date.year], default=min(own_spread))
        rows += posted(row, "大行")
        rows += posted(row, "本行", own_spread[year], setting(world, "own_rate_lag_days"))
        rows += posted(row, "同业", peer, setting(world, "peer_rate_lag_days"))
    return _until(sim, rate_table(rows))


def _lpr_at(sim: Simulation, dates: pd.DatetimeIndex) -> pd.DataFrame:
    table = sim.tables["lpr_rate"]
    at = np.searchsorted(table["effective_date"].to_numpy(), dates.to_numpy(), side="right") - 1
    return table.iloc[at.clip(0)][["lpr_1y", "lpr_5y"]].reset_index(drop=True)


def _ftp_curve(sim: Simulation) -> pd.DataFrame:
    months = pd.date_range(_FIRST_DAY, sim.as_of, freq="ME", unit="s")
    lpr = _lpr_at(sim, months)
    slope = {0: -0.75, 3: -0.45, 6: -0.25, 12: 0.0, 24: 0.12, 36: 0.22, 60: 0.35, 120: 0.55,
             240: 0.7, 360: 0.75}  # fmt: skip
    # transfer prices follow half of every LPR change, as funding costs do
    level = 2.55 + 0.75 * (lpr["lpr_1y"].to_numpy() - 3.85)
    wave = 0.04 * np.sin(np.arange(len(months)) * 0.7)
    rate = level[:, None] + wave[:, None] + np.array(list(slope.values()))[None, :]
    return pd.DataFrame(
        {
            "month": months.repeat(len(slope)),
            "term_months": np.tile(list(slope), len(months)),
            "rate": np.round(rate.ravel(), 3),
        }
    )


def _products(sim: Simulation) -> pd.DataFrame:
    lpr = _lpr_at(sim, pd.DatetimeIndex([sim.as_of])).iloc[0]
    columns = list("abcdefghijklmn")
    rows = []
    for (
        code,
        name,
        line,
        low,
        high,
        rate_low,
        rate_high,
        term,
        guarantee,
        method,
        target,
        a,
        b,
    ) in _LOANS:
        base = lpr["lpr_5y"] if term > 240 else lpr["lpr_1y"]
        rows.append((code, name, line, low, high, base + rate_low, base + rate_high, term,
                     guarantee, method, target, a, b, 0.0))  # fmt: skip
    for code, name, line, low, high, term, target, fee in _OTHERS:
        rows.append((code, name, line, low, high, None, None, term, None, None, target, None, None,
                     float(fee)))  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns).set_axis(
        ["product_code", "product_name", "line", "amount_minimum", "amount_maximum", "rate_low",
         "rate_high", "term_maximum_months", "guarantee", "repay_method", "target", "age_minimum",
         "age_maximum", "fee_per_month"], axis=1,
    )  # fmt: skip
    for column in ("rate_low", "rate_high"):
        frame[column] = frame[column].astype(float).round(2)
    frame["end_date"] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[s]")
    # notice deposits above the posted rate were stopped in spring 2024
    stopped = pd.Timestamp("2024-05-15")
    if sim.as_of >= stopped:
        frame.loc[frame["product_code"] == "D_NOTICE", "end_date"] = stopped
    return frame


def _competitors(sim: Simulation) -> pd.DataFrame:
    lpr = _lpr_at(sim, pd.DatetimeIndex([sim.as_of])).iloc[0]["lpr_1y"]
    rng = sim.rng("competitor_product")
    frame = pd.DataFrame(
        _COMPETITORS,
        columns=["bank_label", "bank_type", "product_name", "line", "amount_maximum", "rate_low",
                 "rate_high", "term_maximum_months", "guarantee", "entry_rules", "risk_appetite"],
    )  # fmt: skip
    frame["rate_low"] = (frame["rate_low"] + lpr).round(2)
    frame["rate_high"] = (frame["rate_high"] + lpr).round(2)
    frame.insert(0, "competitor_product_id", [f"CP{i:02d}" for i in range(1, len(frame) + 1)])
    seen = sim.as_of - pd.to_timedelta(rng.integers(5, 160, len(frame)), unit="D")
    frame["seen_date"] = seen.as_unit("s")
    return frame


def _policy_events(sim: Simulation) -> pd.DataFrame:
    lpr, own = sim.tables["lpr_rate"], sim.tables["deposit_rate"]
    own = own[(own["who"] == "本行") & (own["kind"] == "定期") & (own["term_months"] == 36)]
    rows = [
        ("2023-08-01", "提前还款潮开始", None, "存量按揭与新发放利差拉大，提前还款增多"),
        ("2023-12-31", "提前还款潮结束", None, "存量利率下调后提前还款回落"),
        ("2023-09-25", "存量房贷利率下调", 60.0, "存量首套房贷利率下调（课程参数，单位基点）"),
        ("2024-10-25", "存量房贷利率下调", 50.0, "存量房贷利率批量下调（课程参数，单位基点）"),
        ("2024-05-15", "停止手工补息", None, "停止高于挂牌利率的补息与通知存款"),
        ("2024-08-20", "外部冲击", 1.0, "一家同业推出高息短期存款活动（虚构）"),
        ("2025-03-10", "外部冲击", 1.0, "一家大行在县城开展抵押贷价格战（虚构）"),
    ]
    for frame, column, kind in ((lpr, "lpr_1y", "报价利率下调"), (own, "rate", "存款利率下调")):
        drop = (-frame[column].diff() * 100).round(1)
        for day, value in zip(frame["effective_date"], drop, strict=True):
            if value > 0 and day >= pd.Timestamp(_FIRST_DAY):
                rows.append((day, kind, float(value), "单位基点"))
    events = pd.DataFrame(rows, columns=["date", "kind", "value", "note"])
    events["date"] = pd.to_datetime(events["date"]).astype("datetime64[s]")
    events["value"] = events["value"].astype(float)
    events = events[events["date"] <= sim.as_of]
    return events.sort_values(["date", "kind"]).reset_index(drop=True)


def _macro(sim: Simulation) -> pd.DataFrame:
    rng = sim.rng("macro_month")
    months = pd.date_range(_FIRST_DAY, sim.as_of, freq="ME", unit="s")
    count = len(months)
    noise = np.zeros(count)
    shocks = rng.normal(0, 0.6, count)
    for i in range(1, count):
        noise[i] = 0.75 * noise[i - 1] + shocks[i]
    season = np.where(months.month == 2, -1.6, np.where(np.isin(months.month, (3, 9)), 0.7, 0.0))
    trend = setting(sim.profile.world, "house_price_trend")
    years = np.arange(count) / 12
    price = 100 * np.exp(np.where(years < 1, 0.01 * years, 0.01 + trend * (years - 1)))
    return pd.DataFrame(
        {
            "month": months,
            "sme_index": np.round(49.6 + noise + season, 1),
            "cpi_yoy": np.round(1.6 - 0.3 * years + rng.normal(0, 0.3, count), 1),
            "house_price_index": np.round(price * rng.lognormal(0, 0.003, count), 2),
            "lpr_1y": _lpr_at(sim, months)["lpr_1y"],
        }
    )


def _campaigns(sim: Simulation) -> pd.DataFrame:
    year = sim.as_of.year
    rows = [
        ("到期存款留存", 12, f"{year - 1}-01-01", f"{year}-12-31", "到期资金留在本行", "电话", 6),
        ("线上贷款白名单", 3, f"{year}-03-01", f"{year}-11-30", "白名单客户提款", "电话", 6),
        ("老客归巢", 4, f"{year}-01-05", f"{year}-11-30", "结清客户再次用信", "电话", 8),
        ("橙色商户回访", 6, f"{year}-02-01", f"{year}-12-31", "下滑商户恢复交易", "上门", 35),
        ("手机银行促活", 4, f"{year}-03-01", f"{year}-12-15", "沉默授信户开通线上用信", "企微", 4),
        ("网贷置换", 2, f"{year}-04-01", f"{year}-10-31", "以本行低息贷款置换网贷", "电话", 6),
        ("他行贷款置换", 2, f"{year}-04-01", f"{year}-10-31", "他行经营贷转入", "上门", 35),
        ("授信客户提额", 2, f"{year}-05-01", f"{year}-10-31", "优质客户提额增信", "电话", 8),
        (
            "按揭客户交叉营销",
            2,
            f"{year}-05-01",
            f"{year}-11-15",
            "按揭客户办第二种产品",
            "电话",
            6,
        ),
    ]
    frame = pd.DataFrame(
        rows, columns=["name", "waves", "start_date", "end_date", "goal", "channel", "unit_cost"]
    )
    for column in ("start_date", "end_date"):
        frame[column] = pd.to_datetime(frame[column]).astype("datetime64[s]")
    frame["unit_cost"] = frame["unit_cost"].astype(float)
    frame.insert(0, "campaign_id", [f"CP{i:03d}" for i in range(1, len(frame) + 1)])
    return frame


def _programmes(sim: Simulation) -> pd.DataFrame:
    """Draw the start of each programme by branch: random waves, some branches never start."""
    rng, branches = sim.rng("branch_program"), sim.tables["branch"]["branch_id"].to_numpy()
    # months between waves, first month before the as-of date, share of branches in each wave
    plans = {
        "数据营销试点": ([-12], [0.5]),
        "收单推广": ([-20, -14, -8], [0.3, 0.3, 0.2]),
        "手机银行辅导": ([-16, -10, -4], [0.3, 0.3, 0.2]),
        "商户体检保险权益": ([-15, -9], [0.35, 0.3]),
        "商户纸卷权益": ([-12], [0.5]),
    }
    rows = []
    for name, (starts, parts) in plans.items():
        order = rng.permutation(len(branches))
        edges = np.round(np.cumsum([0, *parts]) * len(branches)).astype(int)
        for wave, back in enumerate(starts, 1):
            day = (sim.as_of + pd.Timedelta(days=1)) + pd.DateOffset(months=back)
            for i in sorted(order[edges[wave - 1] : edges[wave]]):
                rows.append((branches[i], name, day, wave))
    frame = pd.DataFrame(rows, columns=["branch_id", "program", "start_date", "wave"])
    frame["start_date"] = frame["start_date"].astype("datetime64[s]")
    return frame.sort_values(["branch_id", "program"]).reset_index(drop=True)
