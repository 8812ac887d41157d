"""Branch assessments, self-checks and the four ways to pay for merchants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from course_utils.synth.trade.draw import coded

if TYPE_CHECKING:
    from course_utils.synth.state import Simulation

POWERS: dict[str, tuple[str, ...]] = {
    "政治力": ("党的政策学习", "党建活动组织", "党建共创开展", "金融政策领悟", "红色精神融合"),
    "管理力": (
        "日常会议组织", "目标制定与任务分配", "团队建设与协调", "考核与费用分配", "文化与沟通",
    ),
    "营销力": (
        "营销策略规划", "营销执行模式", "营销指标分配", "客群筛选与产品梳理", "营销流程确定",
    ),
    "执行力": ("总行与项目安排", "团队考勤管理", "执行效率与力度", "目标达成能力", "过程管控"),
    "科技力": ("数字化知识学习", "数据分析能力", "线上工具使用"),
    "创新力": (
        "银政联盟创新", "营销模式创新", "管理模式创新", "客户管理创新", "建设性建议", "流程优化",
    ),
}  # fmt: skip
ROLES = ("上级", "同级", "下级", "客户", "系统")
LENIENCY = (0.0, 4.0, 9.0)
SELF_ITEMS = ("战略", "数据", "人才", "场景", "一把手", "闭环", "名单管理", "服务标准")
EVIDENCE = ("会议纪要", "工作台账", "培训记录", "系统截图", "检查通报")
SCHEMES = ("方案甲", "方案乙", "方案丙", "方案丁")
METRICS = ("新增商户数", "交易笔数", "交易金额", "四星以上净增", "结算户日均")
_SCHEME_WEIGHTS = (
    (0.60, 0.20, 0.20, 0.00, 0.00),
    (0.20, 0.40, 0.40, 0.00, 0.00),
    (0.20, 0.10, 0.20, 0.20, 0.30),
    (0.10, 0.00, 0.10, 0.40, 0.40),
)
_SCHEME_RULES = ("按增量", "按存量", "按达标", "按增量")
_UNIT_PRICES = (30.0, 0.02, 2.0, 60.0, 15.0)


def assessment(sim: Simulation) -> None:
    """Generate ``assessment``: four quarters, every branch, three raters, 29 items."""
    rng = sim.rng("assessment")
    branches = sim.tables["branch"]["branch_id"].to_numpy()
    items = [(power, item) for power, names in POWERS.items() for item in names]
    powers = list(POWERS)
    power_of = np.array([powers.index(power) for power, _ in items])
    quarters = pd.period_range(end=sim.as_of.to_period("Q"), periods=4, freq="Q")
    whole = sim.as_of.is_quarter_end
    quarters = quarters if whole else quarters - 1
    shape = (4, len(branches), 3, len(items))
    strength = 6 * rng.standard_normal((1, len(branches), 1, len(powers)))
    drift = 2 * rng.standard_normal((4, len(branches), 1, len(powers)))
    halo = 2.5 * rng.standard_normal((4, len(branches), 3, 1))
    score = 74 + (strength + drift)[..., power_of] + halo
    score = score + np.array(LENIENCY)[None, None, :, None] + 4 * rng.standard_normal(shape)
    q, b, role, item = (x.ravel() for x in np.indices(shape))
    periods = np.array([f"{p.year}年第{p.quarter}季度" for p in quarters], dtype=object)
    sim.tables["assessment"] = pd.DataFrame(
        {
            "period": periods[q],
            "unit_id": branches[b],
            "rater_role": coded(role, ROLES),
            "power": coded(power_of[item], powers),
            "item": coded(item, [name for _, name in items]),
            "score": score.ravel().round(1).clip(0, 100),
        }
    )


def self_check(sim: Simulation) -> None:
    """Generate ``self_check``: branches rate themselves high; evidence is often missing."""
    rng = sim.rng("self_check")
    branches = sim.tables["branch"]["branch_id"].to_numpy()
    shape = (len(branches), len(SELF_ITEMS))
    true = 2.9 + 0.8 * rng.standard_normal((len(branches), 1)) + 0.5 * rng.standard_normal(shape)
    claimed = np.rint(true + 0.8).clip(1, 5).astype(np.int64)
    proven = rng.random(shape) < np.clip(0.15 + 0.2 * (true - 1), 0.1, 0.95)
    document = rng.integers(0, len(EVIDENCE), shape)
    branch, item = (x.ravel() for x in np.indices(shape))
    sim.tables["self_check"] = pd.DataFrame(
        {
            "branch_id": branches[branch],
            "item": coded(item, SELF_ITEMS),
            "score": claimed.ravel(),
            "evidence": coded(np.where(proven, document, -1).ravel(), EVIDENCE),
        }
    )


def assessment_scheme(sim: Simulation) -> None:
    """Generate ``assessment_scheme``: four regional schemes; only the last one pays for quality."""
    scheme, metric = (x.ravel() for x in np.indices((len(SCHEMES), len(METRICS))))
    sim.tables["assessment_scheme"] = pd.DataFrame(
        {
            "scheme": coded(scheme, SCHEMES),
            "metric": coded(metric, METRICS),
            "weight": np.array(_SCHEME_WEIGHTS).ravel(),
            "payout_rule": np.array(_SCHEME_RULES, dtype=object)[scheme],
            "unit_price": np.array(_UNIT_PRICES)[metric],
        }
    )
