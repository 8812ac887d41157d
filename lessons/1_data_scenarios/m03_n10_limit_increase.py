# %% [markdown] outline=["S004-C10"]
# # 存量客户提额增信：四关键、三上限与支行二次规划
#
# 课程：银行二十种数据实战应用场景（第三部分）· 信贷营销类十场景之十 ·
# 大纲：S004-C10、S000-1.3.3.2 · 难度：L3 · 用时：100 分钟
#
# 学完本课，你能：
#
# - 用四个关键筛客户、用三个上限定额度，每一步都说得出拒绝的理由；
# - 从过去的提额里看清谁变坏、谁真用，并知道“提了额”和“没提额”的人为什么不能直接比；
# - 把额度切在“多放一块钱不赚不亏”的地方，再把名单排进支行的人手、规模和行业上限。
#
# Abstract: Gate, size, price and plan limit increases for borrowers who already have a line; learn from
# past increases without being fooled by selection; cut where marginal EVA is zero; plan under caps.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 名单导出哪家网点：None 表示全行；规划总是全行一起算
CLEAN_MONTHS = 24  # 关键一：至少连续多少个月没有逾期
HIGH_USE = 0.70  # 关键二：用信率达到多少算一个高用信月
HIGH_MONTHS = 4  # 关键二：近六个月里至少几个高用信月
DSR_MAX = 0.50  # 关键三：提额以后，月还款最多占月收入多少
TREND_MIN = 0.0  # 关键四：流入趋势不能低于多少
INCOME_SHARE = {"商户": 0.3, "企业主": 0.3, "农户": 0.6}  # 流入里有多少算收入，其余客群按全部
GRADE_MULTIPLE = {"A": 1.6, "B": 1.4, "C": 1.2, "D": 1.0, "E": 0.8}  # 风险上限：等级对应原额度的倍数
DISPOSABLE_SHARE = 0.70  # 收入上限：月收入最多拿出几成还款
NEED_BUFFER = 1.3  # 需求上限：一年里用得最多的时候，再留三成余地
REPAY_MONTHS = 60  # 测算时按多少个月等额本息还清
OPEX = 0.006  # 老客户多放一块钱，一年多花的运营成本
RISK_WEIGHT = 0.75  # 个人贷款的风险权重
CAPITAL_RATIO = 0.105  # 资本充足率目标
CAPITAL_RETURN = 0.10  # 股东要的年回报
TAX = 0.25  # 所得税率
LGD = {"信用": 0.65, "保证": 0.40}  # 违约损失率：变坏以后收不回几成
REPORT_MONTHS = 12  # 征信报告多少个月以内算新
BUDGET_SHARE = 0.60  # 总行给的新增额度，占支行上报合计的几成
BRANCH_CALLS = 3  # 每家网点这一轮最多谈几户
INDUSTRY_CAP = 0.35  # 农林牧渔业最多占新增额度的几成
TIGHT_BUDGET = 0.40  # 练习四：收紧以后，新增额度占上报合计的几成
TIGHT_CALLS = 1  # 练习四：收紧以后，每家网点最多谈几户
PURGE_DAYS = 60  # 名单多少天以后销毁

# %%
import course_utils as cu
import numpy as np
import pandas as pd

bank = cu.begin("m03_n10", BANK, AS_OF)
today = bank.as_of
experiment, causal = cu.analysis.experiment, cu.analysis.causal
loan_math, limits = cu.analysis.loan_math, cu.analysis.limits
CAPITAL_COST = RISK_WEIGHT * CAPITAL_RATIO * CAPITAL_RETURN / (1 - TAX)  # 一块钱贷款占用资本的成本，税前
NAMES = {"limit": "现额度", "peak_use": "一年最多用到", "need_cap": "需求上限", "income_cap": "收入上限",
         "risk_cap": "风险上限", "new_limit": "新额度", "raise_amount": "提额", "net_income": "月收入（估）",
         "other_due": "他行月还款", "dsr_after": "提额后负债收入比", "trend": "流入趋势",
         "clean_months": "无逾期月数", "high_use_months": "高用信月数", "grade": "信用等级",
         "action": "动作", "binding": "卡在哪一条", "step": "先做什么"}

# %% [markdown]
# ## 业务情境
#
# 一位支行行长说：“新客户越来越难找，可我手上的老客户天天喊额度不够。**哪些人该提、提多少？**
# 提错了，今天的增量就是明天的不良。”总行信贷部也有一句话：“去年你们提的额，变坏的比没提的多，今年要收紧。”
#
# 两句话都对，也都不够。老客户好处在于**我们看得见**：还款、用信、账户里的钱进钱出。坏处也在这里：
# 喊得最响的，可能正是钱越来越紧的人。本课把“该不该提”拆成能复算的几步。
#
# 本课的数据**不能**说明“提额让人变坏”：过去谁被提额不是抽签定的。账户里也只有**走我们这里**的钱，
# 他在别处的收入看不见。看不见不等于没有，所以名单是“先去谈谁”，不是“批给谁”。
#
# ## 数据
#
# 额度、每月的用信、还款记录、账户流入、商户收款、授权范围内的征信，再加一张最要紧的表：
# **过去的额度调整和它们一年以后的结果**。

# %%
cu.dictionary(bank, {"credit_line": ["limit", "used", "rate", "first_draw_date", "pd_estimate"],
                     "credit_line_change": ["kind", "use_rate_before", "inflow_trend_before", "pd_estimate",
                                            "balance_change_6m", "bad_12m"],
                     "bureau_report": ["reason", "consent_scope", "month_due"]})
lacking = bank.missing("credit_line_month", "credit_line_change", "bureau_report", "merchant_month")
cu.say("本行缺少的可选表：" + ("、".join(lacking) if lacking else "没有") + "。")

# %% [markdown] outline=["S000-1.3.3.2", "S000-1.3.3.2.1", "S004-E3.K2"]
# ## 演示一：提额三部曲——筛、测、谈
#
# 三部曲（本课程定义）：**筛**，谁够条件；**测**，最多能给多少；**谈**，给谁、什么价、哪家支行去谈。
# 前两步用数，第三步用人，次序不能倒：先答应了额度再去找理由，就不是风控了。
#
# 谁在“筛”的门里？个人和个体工商户、额度有效、信用或保证方式、**现在有未结清贷款**的老客户，一人只看最大的一条额度。
# 从来没有用过的额度不在门里：他不缺额度，缺的是一次用信的理由。江西一家银行的案例把“授信未用信”和手机银行连在一起看，
# 这里用课堂数据做**情景仿真**：顺手比一比，没用过的人是不是更少开通手机银行。

# %%
people = bank.load("customer", columns=["customer_id", "customer_type", "segment", "branch_id", "masked_name",
                                        "credit_grade", "occupation", "do_not_call"]).set_index("customer_id")
people["branch_name"] = people["branch_id"].map(bank.load("branch").set_index("branch_id")["branch_name"])
all_lines = bank.load("credit_line")
held = bank.load("customer_product", columns=["customer_id", "has_mobile_bank"])
live = all_lines[all_lines["status"] == "有效"].merge(held, on="customer_id", how="left")
live["never_used"] = live["first_draw_date"].isna()
inside = live[live["guarantee"].isin(list(LGD)) & (live["customer_id"].map(people["customer_type"]) != "企业")]
inside = inside.sort_values(["limit", "line_id"]).drop_duplicates("customer_id", keep="last")
lines = inside[inside["used"] > 0].set_index("line_id").join(people.rename(columns={"credit_grade": "grade"}), on="customer_id")
unused_share, low, high = experiment.wilson(live["never_used"].sum(), len(live)).iloc[0]
opened = experiment.compare_arms(live, "has_mobile_bank", "never_used", True, False).iloc[0]
cu.say(f"有效额度 {len(live):,} 条，**{unused_share:.0%}** 从来没有用过（95% 区间 {low:.0%} 到 {high:.0%}）。开通手机银行的比例：没用过的 "
       f"{opened['rate_a']:.0%}，用过的 {opened['rate_b']:.0%}（相差的区间 {opened['low'] * 100:+.1f} 到 {opened['high'] * 100:+.1f} 个百分点，"
       f"跨过零就是看不出差别）。怎么唤醒，手机银行那一课再谈；本课只管**正在用**的 {len(lines):,} 人。")

# %% [markdown] outline=["S004-C10.2", "S000-1.3.3.2.3"]
# ## 演示二：准入四大关键
#
# 四个关键（本课程定义），一个都不能少：
#
# 1. **还款记录**：连续 `CLEAN_MONTHS` 个月，名下所有贷款月末都没有逾期；借款不满这么久的，也算没过；
# 2. **用信率**：近六个月里至少 `HIGH_MONTHS` 个月用到额度的七成 [参数]，证明他真的需要；
# 3. **负债收入比**：提额以后，每月要还的钱不超过月收入的一半 [参数]；
# 4. **流入趋势**：近六个月进账不少于前六个月，证明他还得起。
#
# 第二条和第四条要**合起来**读：用得满、钱进得多，多半是生意在长；用得满、钱进得少，可能是窟窿在长。哪一种，后面用历史来验。
# “还款记录”查的是这个人的所有贷款，不只是这条额度下面的。
#
# **流入趋势**有一个坑：卖房款、拆迁款、别人还的一笔大钱，会把半年的合计一下子顶上去。这里的做法是两个半年
# **各去掉最大的一个月**再比。本人从他行转进来的钱是左口袋进右口袋，也不算。
#
# **月收入**是估的：近十二个月的平均流入，商户和企业主的流入是营业额，只有三成算收入，农户算六成 [参数]。
# **他行月还款**来自征信，只用授权写明“授信管理”或“贷后管理”、没有过期、一年以内的报告 [参数]；没有这样的报告，就是不知道，
# 记为空，等客户签了授权再补。写着“营销”或“未注明”的报告不看。

# %%
usage = bank.load("credit_line_month")
usage = usage[usage["line_id"].isin(lines.index)].astype({"line_id": "str"})
last_six = usage[usage["month"] > today - pd.DateOffset(months=6)]
high = last_six[last_six["used"] >= HIGH_USE * last_six["limit"]]
lines["high_use_months"] = high.groupby("line_id").size().reindex(lines.index).fillna(0).astype(int)
last_year = usage[usage["month"] > today - pd.DateOffset(months=12)]
lines["peak_use"] = last_year.groupby("line_id")["used"].max()
loans = bank.load("loan", columns=["loan_id", "customer_id", "line_id", "issue_date", "industry_code"])
months = bank.load("loan_month", columns=["month", "loan_id", "dpd"]).astype({"loan_id": "str"})
record = months.merge(loans[["loan_id", "customer_id"]], on="loan_id")
lines["clean_months"] = lines["customer_id"].map(limits.clean_months(record, today))
flow = bank.load("customer_month", columns=["month", "customer_id", "in_amount", "external_bank_in_amount"])
flow = flow[flow["customer_id"].isin(lines["customer_id"]) & (flow["month"] > today - pd.DateOffset(months=12))]
flow = flow.assign(money=flow["in_amount"] - flow["external_bank_in_amount"])
wide = flow.pivot_table(index="customer_id", columns="month", values="money").fillna(0.0)

# %%
trend = limits.steady_trend(wide)  # 两个半年各去掉最大的一个月；前半年没有进账的记为空
flips = ((wide.iloc[:, 6:].sum(axis=1) >= wide.iloc[:, :6].sum(axis=1)) != (trend >= 0)).mean()
lines["trend"] = lines["customer_id"].map(trend)
lines["net_income"] = lines["customer_id"].map(wide.mean(axis=1)) * lines["segment"].map(INCOME_SHARE).fillna(1.0)
report = limits.usable_reports(bank.load("bureau_report"), today, REPORT_MONTHS)
lines["other_due"] = lines["customer_id"].map(report["month_due"])
sales = bank.load("merchant_month", columns=["month", "merchant_id", "transaction_amount"])
sales = sales[sales["month"] > today - pd.DateOffset(months=12)].merge(bank.load("merchant", columns=["merchant_id", "customer_id"]))
till = sales.pivot_table(index="customer_id", columns="month", values="transaction_amount", aggfunc="sum").fillna(0.0)
rulers = pd.concat([trend.rename("流入"), limits.steady_trend(till).rename("收款")], axis=1).dropna() >= 0
same, low, high = experiment.wilson((rulers["流入"] == rulers["收款"]).sum(), len(rulers)).iloc[0]
cu.say(f"去掉最大的一个月以后，**{flips:.0%}** 的客户升降方向变了：一笔大钱就能骗过合计。"
       f"{len(rulers)} 户既有贷款又是收单商户，账户流入和收款码两把尺子方向一致的占 {same:.0%}"
       f"（区间 {low:.0%} 到 {high:.0%}），" + ("两把尺子大多说同一句话。" if low > 0.55 else "常常各说各的：谈的时候两样都要看。")
       + f"有合规征信报告的客户占 {lines['other_due'].notna().mean():.0%}，其余要先签授权。")

# %% [markdown] outline=["S004-C10.1"]
# ## 演示三：三上限取小，才是新额度
#
# 额度模型只有一句话：**三个上限取最小的一个，向下取整到万元，不低于原额度** [定义]。
#
# - **风险上限** ＝ 原额度 × 等级倍数（没有评级的不放大）；
# - **收入上限** ＝（月收入 × `DISPOSABLE_SHARE` － 他行月还款）能还得起的本金，按 `REPAY_MONTHS` 个月等额本息折算；
# - **需求上限** ＝ 最近一年用得最多的月末 × `NEED_BUFFER`。看一年，是为了不漏掉旺季。
#
# 客户喊的数字不在这三个里面。算出新额度，第三个关键“提额后负债收入比”才能算。
#
# 后面的瀑布图拿一位“想要的比给得了的多”的客户做例子：从原额度出发，先看他**需要**多少，再被收入和风险两道上限压下来，最后取整。
# 哪一级往下掉得最多，谈的时候就先谈哪一条。

# %%
monthly = (lines["net_income"] * DISPOSABLE_SHARE - lines["other_due"].fillna(0)).clip(lower=0)
lines["income_cap"] = loan_math.annuity_value(monthly, lines["rate"], REPAY_MONTHS)
lines["risk_cap"] = lines["limit"] * lines["grade"].map(GRADE_MULTIPLE).astype(float).fillna(1.0)
lines["need_cap"] = lines["peak_use"] * NEED_BUFFER
smallest = lines[["risk_cap", "income_cap", "need_cap"]].min(axis=1).round(2) // 10_000 * 10_000
lines["new_limit"] = smallest.clip(lower=lines["limit"])
lines["raise_amount"] = lines["new_limit"] - lines["limit"]
payment = loan_math.annuity_payment(lines["new_limit"], lines["rate"], REPAY_MONTHS) + lines["other_due"].fillna(0)
lines["dsr_after"] = (payment / lines["net_income"].where(lines["net_income"] > 0)).astype(float)
keys = pd.DataFrame({"还款记录": lines["clean_months"] >= CLEAN_MONTHS, "用信率": lines["high_use_months"] >= HIGH_MONTHS,
                     "负债收入比": lines["dsr_after"] <= DSR_MAX, "流入趋势": lines["trend"] >= TREND_MIN})
lines["four_keys"] = keys.all(axis=1)

# %%
alone = (~keys).mean()
steps = pd.Series({"有未结清贷款": len(lines)} | {f"过“{name}”": keys.iloc[:, :i + 1].all(axis=1).sum()
                                            for i, name in enumerate(keys)})
steps["算得出提额"] = (lines["four_keys"] & (lines["raise_amount"] >= 10_000)).sum()
fig = cu.charts.funnel_steps(steps)
cu.charts.finish(fig, title=f"{len(lines)} 户里四关全过的 {lines['four_keys'].sum()} 户，算得出提额的 {steps.iloc[-1]} 户",
                 alt="漏斗图：从有未结清贷款的客户开始，依次过四个关键，最后一级是新额度比原额度高的客户。",
                 source=f"额度、贷款、流入、征信，{today:%Y-%m-%d}；样本客户")
binding = lines.loc[lines["four_keys"], ["risk_cap", "income_cap", "need_cap"]].idxmin(axis=1).map(NAMES).value_counts()
cu.say(f"单独看，拦下最多的是**{alone.idxmax()}**（拦下 {alone.max():.0%}），最少的是{alone.idxmin()}（{alone.min():.0%}）。"
       f"四关全过的人里，最后卡住额度的多半是**{binding.index[0]}**（{binding.iloc[0] / binding.sum():.0%}）。"
       "给客户解释“为什么只能提这么多”，就说卡住他的那一条。")

# %%
could = lines[lines["four_keys"] & (lines["raise_amount"] > 0)] if steps.iloc[-1] else lines
case = could.loc[(could["need_cap"] - could["new_limit"]).sort_values(kind="stable").index[-1]]  # 需求和新额度差得最远
need = max(case["need_cap"], case["limit"])
paid = min(need, max(case["income_cap"], case["limit"]))
safe = min(paid, max(case["risk_cap"], case["limit"]))
path = [("按需求", need - case["limit"]), ("收入压下", paid - need), ("风险压下", safe - paid), ("取整", case["new_limit"] - safe)]
fig = cu.charts.waterfall(path, start=case["limit"], start_label="原额度", end_label="新额度")
cu.charts.finish(fig, title=f"一位客户：原来 {case['limit'] / 1e4:g} 万元，三上限取小以后 {case['new_limit'] / 1e4:g} 万元",
                 alt="瀑布图：从原额度按需求往上加，再被收入上限、风险上限和取整压下来，得到新额度。",
                 source="可提额客户里，需求和新额度差得最远的一位；不显示身份")

# %% [markdown] outline=["S000-1.3.3.2.2"]
# ## 演示四：过去提的额，后来怎样了
#
# 风险和需求的画像，不要拍脑袋，看**历史**。额度调整表记下了每一次提额，也记下了同期符合条件而**没有**提的人（对照），
# 还有一年以后是不是变坏（逾期超过九十天 [定义]）。“调整前流入趋势”是批准那天就写下的，不是事后补的，可以放心用。
#
# 把流入趋势切成四段，看变坏的比例，提额的和没提额的各画一条。横线是区间：区间越长，人越少，越不能下结论。
#
# **评级不是已经管风险了吗？** 再用逻辑回归问两遍：第一遍放流入、还款和负债，第二遍加上评级给的违约概率。
# **几率比**大于一，表示变坏的可能更大；区间跨过一，表示看不出来。如果加了评级，“流入下降”就不显著了，
# 说明批准那天的评级已经把它算进去了。可是**今天**额度表里的评级，是上一次放款时打的，不知道最近半年的流入：
# 所以第四关不能省。

# %%
past = bank.load("credit_line_change")
past = past[past["kind"] != "降额"].join(all_lines.set_index("line_id")[["guarantee", "rate"]], on="line_id")
past = past[(past["customer_id"].map(people["customer_type"]) != "企业") & past["guarantee"].isin(list(LGD))]
past["raised"] = past["kind"].isin(["主动提额", "申请提额"])
past["falling"] = past["inflow_trend_before"] < 0
known = past[past["bad_12m"].notna()].copy()
known["bad"] = known["bad_12m"].astype(bool).astype(float)
known["log_limit"], known["growth"] = np.log(known["old_limit"]), known["balance_change_6m"] / known["old_limit"]
known["band"] = pd.cut(known["inflow_trend_before"], [-np.inf, -0.2, 0, 0.2, np.inf], right=False,
                       labels=["降两成以上", "降两成以内", "升两成以内", "升两成以上"])
table = known.groupby(["band", "raised"], observed=True)["bad"].agg(["sum", "size"]).reset_index()
table = table.sort_values(["band", "raised"], ascending=[True, False])
table[["rate", "low", "high"]] = experiment.wilson(table["sum"], table["size"])
table["group"] = np.where(table["raised"], "提了额", "没有提额")
# %%
halves = known.groupby(["raised", "falling"])["bad"].agg(["sum", "size"]).astype(float)
gap = experiment.diff_ci(*halves.loc[(True, True)], *halves.loc[(True, False)])
calm = experiment.diff_ci(*halves.loc[(False, True)], *halves.loc[(False, False)])
ratio = gap["rate_a"] / gap["rate_b"] if gap["rate_b"] else np.nan
extra = (gap["difference"] - calm["difference"]) * 100  # 两个相差再相减，误差合起来
half = np.hypot(gap["high"] - gap["low"], calm["high"] - calm["low"]) / 2 * 100
verb = "看不出差别" if gap["low"] <= 0 <= gap["high"] else f"是上升时的 {ratio:.1f} 倍"
fig = cu.charts.bars_with_interval(table, label="band", group="group", count="size")
cu.charts.finish(fig, title=f"提了额的人：流入下降时变坏 {gap['rate_a']:.1%}，上升时 {gap['rate_b']:.1%}，{verb}",
                 alt="横条图：按批准时的流入趋势分四段，比较提额与没提额的一年变坏比例和区间。",
                 source="额度调整表，满一年的个人提额与对照")
cu.say(f"提了额的人，流入下降与上升相差 **{gap['difference'] * 100:+.1f} 个百分点**（区间 {gap['low'] * 100:+.1f} 到 {gap['high'] * 100:+.1f}）；"
       f"没提额的人相差 {calm['difference'] * 100:+.1f}（区间 {calm['low'] * 100:+.1f} 到 {calm['high'] * 100:+.1f}）"
       + f"。两个相差再相减是 {extra:+.1f}（区间 {extra - half:+.1f} 到 {extra + half:+.1f}）："
       + ("**钱进得少又加了额度的，变坏特别多**。是不是额度造成的，要让两组像一点再比。" if extra > half else "分不开，不能说提额以后更怕流入下降。"))

# %%
raised = known[known["raised"]].copy()
raised["流入下降"], raised["违约概率（对数）"] = raised["falling"], np.log(raised["pd_estimate"])
raised["无逾期月数（每年）"], raised["负债收入比（每一成）"] = raised["clean_months"] / 12, raised["debt_service_ratio"] * 10
factors = ["流入下降", "无逾期月数（每年）", "负债收入比（每一成）"]
once = experiment.logistic(raised, "bad", factors, cluster="branch_id")
twice = experiment.logistic(raised, "bad", [*factors, "违约概率（对数）"], cluster="branch_id")
both = pd.concat([once.assign(模型="不含评级"), twice.assign(模型="含评级")]).reset_index()
cu.show(both[["模型", "feature", "odds_ratio", "low", "high"]],
        names={"feature": "条件", "odds_ratio": "几率比", "low": "下限", "high": "上限"}, units=dict.fromkeys(["low", "high"], "倍"))
a, b = once.loc["流入下降"], twice.loc["流入下降"]
cu.say(f"流入下降的几率比：不含评级 **{a['odds_ratio']:.1f}**，含评级 {b['odds_ratio']:.1f}"
       f"（区间 {b['low']:.1f} 到 {b['high']:.1f}）"
       + ("：评级已经吃进了这条信息。" if b["low"] <= 1 <= b["high"] else "：评级还没有把它全算进去。"))

# %% [markdown]
# **总行那句“提了额的变坏更多”，能不能怪提额？** 提额的人本来就用得更满，两组不是一类人。要让两组像一点再比，
# 办法叫**重叠加权**：先用调整前的样子估每个人“会不会被提”的概率，再给两边都可能的人大权重，
# 只可能在一边的人小权重。**双重稳健**是再加一层回归：两个模型里有一个对，结果就对。
#
# 控制变量只放批准**之前**就有的：用信、流入、还款、负债、原额度、担保。不放批准时的评级：它已经知道“要提额”，
# 放进去等于把要找的差别先减掉一块。没有放进来的差别（比如客户的急迫），这些办法也去不掉。
# 再把流入下降和上升的人**分开**各算一遍：平均数里藏着的，往往是两件事。

# %%
FEATURES = ["use_rate_before", "high_use_months", "inflow_trend_before", "debt_service_ratio", "clean_months",
            "log_limit", "guarantee"]
options = {"cluster": "branch_id", "trim": (0.05, 0.95)}
down, up = known[known["falling"]], known[~known["falling"]]
answers = pd.DataFrame({
    "变坏：全部，直接比": causal.regression_effect(known, "bad", "raised", cluster="branch_id"),
    "变坏：全部，重叠加权": causal.weighted_effect(known, "bad", "raised", FEATURES, **options),
    "变坏：全部，双重稳健": causal.doubly_robust(known, "bad", "raised", FEATURES, **options),
    "变坏：流入下降，双重稳健": causal.doubly_robust(down, "bad", "raised", FEATURES, **options),
    "变坏：流入上升，双重稳健": causal.doubly_robust(up, "bad", "raised", FEATURES, **options),
    "半年余额变化占原额度，双重稳健": causal.doubly_robust(known, "growth", "raised", FEATURES, **options),
}).T
cu.show(answers[["estimate", "low", "high"]].rename_axis("比什么"), units=dict.fromkeys(["estimate", "low", "high"], "%"),
        names={"estimate": "提额减没提", "low": "下限", "high": "上限"})

# %%
score = causal.propensity(known, "raised", FEATURES)
balance = causal.balance_table(known, "raised", FEATURES, causal.overlap_weights(score, known["raised"]))
worst = balance["difference"].abs().idxmax()
words = {"high_use_months": "高用信月数", "use_rate_before": "用信率"}
raise_share = (known.loc[known["raised"], "new_limit"] / known.loc[known["raised"], "old_limit"] - 1).mean()
used_more = answers.loc["半年余额变化占原额度，双重稳健", "estimate"]
take_up = min(max(used_more / raise_share, 0.0), 1.0)  # 多给的额度里，半年内真用了几成
bad_down, bad_up = answers.loc["变坏：流入下降，双重稳健"], answers.loc["变坏：流入上升，双重稳健"]
cu.say(f"加权前，两组差得最远的是{words.get(worst, worst)}（{balance.loc[worst, 'difference']:+.1f} 个标准差），加权后 "
       f"{balance.loc[worst, 'weighted_difference']:+.2f}。流入下降的人，提了额的比相像而没提的多变坏 **{bad_down['estimate'] * 100:+.1f} 个百分点**"
       f"（区间 {bad_down['low'] * 100:+.1f} 到 {bad_down['high'] * 100:+.1f}）；流入上升的人 {bad_up['estimate'] * 100:+.1f}"
       f"（区间 {bad_up['low'] * 100:+.1f} 到 {bad_up['high'] * 100:+.1f}）。"
       + ("**该管住的是流入下降的那一半，不是全部收紧**。" if bad_down["low"] > 0 >= bad_up["low"] else "两组的区间都要看，不要只报平均数。")
       + f"余额多出原额度的 {used_more:.0%}，平均提了 {raise_share:.0%}：多给的额度约 **{take_up:.0%}** 被用上。")

# %% [markdown] outline=["S004-C10.4", "S000-1.3.3.2.4"]
# ## 演示五：营销潜能——多放一块钱，值不值
#
# 潜能不是“能放多少”，是“放了赚不赚”。多放一块钱，一年的**经济增加值**（EVA，税前口径）：
#
# > 单位 EVA ＝ 贷款利率 － 内部资金价 － 边际运营成本 － 资本成本 － 违约概率 × 违约损失率 [定义]
#
# 老客户多放一块钱不用再获客，边际运营成本按千分之六；信用方式违约损失率六成五，保证四成 [参数]。
# 前四项合起来叫**净利差**。净利差除以违约损失率，就是不赚不亏的违约概率：**切点**。
# 先检验评级可不可信：把过去的提额按批准时的违约概率分段，比一比“预计”和“后来真变坏”的。定价也从这里来：
# 净利差薄的客户，要么提价覆盖风险，要么补担保降损失，要么不提；一户一价怎么定，放在定价那一课。
#
# 再换一个看法：把过去的提额按违约概率从低到高排队，一笔一笔往上加 EVA。曲线上坡，说明多放还在赚；到顶，
# 说明最后一笔不赚不亏；下坡，说明每多放一笔都在赔前面挣的。**顶点就是切点**，而且每笔用的是它自己的利率。

# %%
curve = bank.load("ftp_curve")
curve = curve[curve["term_months"] == 12].sort_values("month")[["month", "rate"]].rename(columns={"rate": "ftp"})
deals = past[past["raised"]].sort_values(["change_date", "change_id"])
deals = pd.merge_asof(deals, curve, left_on="change_date", right_on="month", direction="nearest")
deals["margin"] = (deals["rate"] - deals["ftp"]) / 100 - OPEX - CAPITAL_COST
deals["loss"] = deals["pd_estimate"] * deals["guarantee"].map(LGD).astype(float)
deals["money"] = (deals["new_limit"] - deals["old_limit"]) * take_up
deals["eva"] = deals["money"] * (deals["margin"] - deals["loss"])
credit = deals[deals["guarantee"] == "信用"].copy()
credit["pd_band"] = pd.cut(credit["pd_estimate"], [0, 0.01, 0.02, 0.03, 0.05, 0.10, 1])
bands = credit[credit["bad_12m"].notna()].groupby("pd_band", observed=True).agg(n=("bad_12m", "size"), bad=("bad_12m", "sum"),
                                                   predicted=("pd_estimate", "mean"), margin=("margin", "mean"))
bands[["actual", "low", "high"]] = experiment.wilson(bands["bad"].astype(float), bands["n"])
bands["unit_eva"] = bands["margin"] - bands["predicted"] * LGD["信用"]
bands.index = [f"{band.left:.0%}-{band.right:.0%}" for band in bands.index]

# %%
cu.show(bands[["n", "predicted", "actual", "low", "high", "margin", "unit_eva"]].rename_axis("违约概率"),
        names={"n": "笔数", "predicted": "预计变坏", "actual": "实际变坏", "low": "下限", "high": "上限",
               "margin": "净利差", "unit_eva": "每元预计 EVA"},
        units=dict.fromkeys(["predicted", "actual", "low", "high", "margin", "unit_eva"], "%"))
covered = ((bands["predicted"] >= bands["low"]) & (bands["predicted"] <= bands["high"])).sum()
cut_pd = credit["margin"].mean() / LGD["信用"]
cu.say(f"{len(bands)} 段里有 {covered} 段的预计落在实际的区间里，" + ("评级大体可信。" if covered >= len(bands) - 1 else "评级要先校准再用。")
       + f"过去信用提额的平均净利差 {credit['margin'].mean():.2%}，切点 **{cut_pd:.2%}**。"
       f"可是当年提的额里，有 {(credit['pd_estimate'] > cut_pd).mean():.0%} 在切点以上：量做大了，价值没有跟上。")

# %%
ranked = credit.sort_values(["pd_estimate", "change_id"]).reset_index(drop=True)
ranked["total"] = ranked["eva"].cumsum()
best = int(ranked["total"].idxmax())
points = sorted({best, *np.linspace(0, len(ranked) - 1, 25).astype(int)})
shown = ranked.loc[points]
shown = shown[shown["pd_estimate"] <= max(0.12, ranked.loc[best, "pd_estimate"])]
fig = cu.charts.frontier(shown, "pd_estimate", "total", chosen=best, x_unit="%", y_unit="万元",
                         x_label="放到违约概率多少为止", y_label="累计预计 EVA")
cu.charts.finish(fig, title=f"累计 EVA 在违约概率 {ranked.loc[best, 'pd_estimate']:.1%} 处到顶，再往后每放一笔都在减",
                 alt="曲线图：横轴违约概率，纵轴累计经济增加值，先升后降，圆圈标出最高点。",
                 source="过去的个人信用提额，按预计违约概率排序")
everything = ranked["total"].iloc[-1]
cu.say(f"停在顶点，累计 {ranked['total'].max() / 1e4:,.1f} 万元；全部放完，{everything / 1e4:,.1f} 万元"
       + ("，**倒贴**了。" if everything < 0 else "。") + "差额就是“只看规模”的代价。顶点附近很平，差零点几个百分点不必争。")

# %% [markdown] outline=["S004-C10.3"]
# **分层分级**：把今天的客户按“需求 × 风险”放进格子，一格一个动作（本课程定义）。需求看高用信月数，
# 风险看违约概率和切点的距离。格子里的数是**每放一百元一年的 EVA**，按他自己的利率和今天的资金价算。
# 蓝色可以做，橙色是放了就亏。“降额”只是提醒复核，不自动执行：降客户的额度要通知、要有依据、要留申诉的口子。

# %%
now_ftp = curve["ftp"].iloc[-1]
inside = inside.assign(months=inside["line_id"].map(lines["high_use_months"]), loss=inside["guarantee"].map(LGD).astype(float))
inside["unit_eva"] = (inside["rate"] - now_ftp) / 100 - OPEX - CAPITAL_COST - inside["pd_estimate"] * inside["loss"]
need_names, risk_names = ["高需求", "中需求", "低需求", "从未用信"], ["低风险", "中风险", "高风险"]
inside["need"] = np.select([inside["never_used"], inside["months"] >= HIGH_MONTHS, inside["months"] >= 1],
                           ["从未用信", "高需求", "中需求"], "低需求")
inside["risk"] = np.select([inside["pd_estimate"] <= cut_pd, inside["pd_estimate"] <= 2 * cut_pd], risk_names[:2], "高风险")
cells = inside.pivot_table(index="need", columns="risk", values="unit_eva").reindex(need_names)[risk_names]
counts = inside.groupby(["need", "risk"]).size().unstack(fill_value=0).reindex(need_names)[risk_names]
ACTIONS = pd.DataFrame([["主动", "邀约", "暂缓"], ["邀约", "暂缓", "暂缓"], ["暂缓", "暂缓", "降额复核"],
                        ["唤醒", "暂缓", "降额复核"]], index=need_names, columns=risk_names)
lines[["need", "risk", "unit_eva"]] = inside.set_index("line_id")[["need", "risk", "unit_eva"]]
lines["action"] = [ACTIONS.loc[need, risk] for need, risk in zip(lines["need"], lines["risk"])]

# %%
labelled = cells.set_axis([f"{name}（{counts.loc[name].sum()} 户）" for name in need_names])
fig = cu.charts.heatmap(labelled, unit="%", center=0, decimals=2)
good = counts.to_numpy()[cells.to_numpy() > 0].sum() / counts.to_numpy().sum()
cu.charts.finish(fig, title=f"需求再旺，风险高的格子也是亏的：平均 EVA 为正的格子里有 {good:.0%} 的客户"
                 if (cells.loc["高需求", "高风险"] < 0) else f"平均 EVA 为正的格子里有 {good:.0%} 的客户",
                 alt="热力图：行是需求，列是风险，格子里是每元新增贷款一年的经济增加值。",
                 source=f"有效的个人信用与保证额度，{today:%Y-%m-%d}", unit="每一百元的 EVA（元）")
cu.show(ACTIONS.rename_axis("需求"))
plenty = (lines["high_use_months"] >= HIGH_MONTHS) & (lines["unit_eva"] <= 0)
cu.say(f"用得最满的 {(lines['high_use_months'] >= HIGH_MONTHS).sum()} 户里，有 {plenty.sum()} 户放了就亏："
       "**喊得最响的不一定该提**。他们该谈的是补担保、补收入证明，或者先还一部分。")

# %% [markdown] outline=["S004-C10.5"]
# ## 演示六：支行二次规划
#
# 总行的名单是**一次规划**：谁够条件、值多少。真正去谈的是支行，人手、规模、行业都有限，所以要**二次规划**：
#
# - 每家网点这一轮最多谈 `BRANCH_CALLS` 户；
# - 新增额度合计不超过 `BUDGET_SHARE` × 上报合计；
# - 农林牧渔业不超过新增额度的三成五 [参数]，免得一种行情坏了一起坏；
# - 只选同意营销、不在勿扰名单、还款、负债、流入三关都过、单位 EVA 为正的客户。用信那一关放宽到“至少一个月用满”，做邀约。
#
# 表里是样本客户，一户代表全行若干户，金额看相对大小就好。先让各家支行**各顾各**，只挑自己手里 EVA 最高的几户；再让总行**合起来算**，用整数规划（每户只有选和不选）求合计最大。

# %%
agreed = bank.load("consent")
agreed = agreed[(agreed["scope"] == "营销") & agreed["granted"] & (agreed["expire_date"].isna() | (agreed["expire_date"] >= today))]
code = loans[loans["line_id"].isin(lines.index)].sort_values(["issue_date", "loan_id"])
code = code.drop_duplicates("line_id", keep="last").set_index("line_id")["industry_code"]
sections = bank.load("industry", columns=["industry_code", "section"]).set_index("industry_code")["section"]
lines["farming"] = code.reindex(lines.index).map(sections).eq("A")
lines["eva"] = lines["raise_amount"] * take_up * lines["unit_eva"]
able = keys[["还款记录", "负债收入比", "流入趋势"]].all(axis=1) & (lines["high_use_months"] >= 1)
willing = lines["customer_id"].isin(agreed["customer_id"]) & ~lines["do_not_call"].astype(bool) & lines["customer_id"].map(people["occupation"]).ne("学生")
pool = lines[able & willing & (lines["raise_amount"] >= 10_000) & (lines["eva"] > 0)].copy()


def second_plan(pool, budget, calls):
    """在规模、每家网点的户数和行业上限之内，选 EVA 合计最大的额度号。"""
    rules = {branch: (pool["branch_id"] == branch, calls) for branch in pool["branch_id"].unique()}
    rules["农林牧渔"] = (pool["raise_amount"] * pool["farming"], INDUSTRY_CAP * budget)
    return cu.analysis.allocate.knapsack(pool["eva"], pool["raise_amount"], budget, at_most=rules)

# %%
budget = BUDGET_SHARE * pool["raise_amount"].sum()
alone = pool.sort_values("eva", ascending=False, kind="stable").groupby("branch_id").head(BRANCH_CALLS)
chosen = pool.loc[second_plan(pool, budget, BRANCH_CALLS)]
more = pool.loc[second_plan(pool, budget + 100_000, BRANCH_CALLS), "eva"].sum() - chosen["eva"].sum()
compare = pd.DataFrame({name: {"户数": len(t), "新增额度": t["raise_amount"].sum(), "预计 EVA": t["eva"].sum(),
                               "农林牧渔": (t["raise_amount"] * t["farming"]).sum()}
                        for name, t in {"各顾各": alone, "二次规划": chosen}.items()}).T
cu.show(compare.rename_axis("办法"), units={"户数": "户", "新增额度": "万元", "预计 EVA": "元", "农林牧渔": "万元"})
over = [word for word, bad in {"总规模": compare.loc["各顾各", "新增额度"] > budget,
                               "行业": compare.loc["各顾各", "农林牧渔"] > INDUSTRY_CAP * budget}.items() if bad]
scale = np.average(pool.loc[chosen.index, "raise_amount"]) if len(chosen) else 0
cu.say(f"可以上报的 {len(pool)} 户，规模上限 {budget / 1e4:,.0f} 万元。各顾各" + ("会超过" + "和".join(over) + "上限" if over else "没有超过上限")
       + f"；二次规划选 **{len(chosen)} 户**，用 {chosen['raise_amount'].sum() / 1e4:,.0f} 万元，留住各顾各 EVA 的 "
       f"{chosen['eva'].sum() / max(alone['eva'].sum(), 1):.0%}。再给十万元规模，EVA 多 {more:,.0f} 元：这就是规模的**影子价格**。"
       f"户均提额 {scale / 1e4:.1f} 万元，单户都远在五百万元以下 [参数]，“五百万元以下占比”这条要求在这里不起作用。")

# %%
bars = pd.DataFrame({"二次规划选中": chosen.groupby("branch_id")["eva"].sum(),
                     "这一轮放下": pool.drop(chosen.index).groupby("branch_id")["eva"].sum()}).fillna(0.0)
bars = bars.assign(total=bars.sum(axis=1)).sort_values(["total"], ascending=False, kind="stable").head(15)
fig = cu.charts.stacked_ladder(bars.drop(columns="total"), unit="元", totals=False)
kept = chosen["eva"].sum() / max(pool["eva"].sum(), 1e-9)
per_hundred = [100 * t["eva"].sum() / max(t["raise_amount"].sum() * take_up, 1) for t in (chosen, pool.drop(chosen.index))]
cu.charts.finish(fig, title=f"规模给到上报的 {BUDGET_SHARE:.0%}，EVA 保住 {kept:.0%}；选中的每放一百元挣 {per_hundred[0]:.2f} 元，放下的 {per_hundred[1]:.2f} 元",
                 alt="堆叠柱：每家网点上报客户的预计经济增加值，分成二次规划选中与这一轮放下两段。",
                 source=f"上报客户 {len(pool)} 户，图上为 EVA 最多的 {len(bars)} 家网点；样本口径")

# %% [markdown]
# ## 演示七：提了以后，三个月回头看一次
#
# 提额不是终点。三个月后只看三个信号（本课程定义）：**逾期**（任何一个月末有逾期）、**闲置**（用了新额度的不到三成）、
# **又用满**（用到九成五以上）。闲置，说明当初的需求是喊出来的；又用满，要去看钱去了哪里；逾期，立刻按贷后流程。
# 对照组是同期没提额的人，没有对照，就不知道这些比例是不是本来就这样。

# %%
aged = past["change_date"].between(today - pd.DateOffset(months=15), today - pd.DateOffset(months=3))
recent = limits.after_check(past[aged], loans, months, bank.load("credit_line_month"), months=3)
signals = limits.signal_rates(recent, "raised", {True: "提了额", False: "没有提额"},
                              {"late": "逾期", "idle": "闲置", "full": "又用满"})
fig = cu.charts.bars_with_interval(signals, label="signal", group="group", count="size")
late = signals[signals["signal"] == "逾期"].set_index("group")
apart = late.loc["提了额", "low"] > late.loc["没有提额", "high"] or late.loc["提了额", "high"] < late.loc["没有提额", "low"]
verdict = "提额的更" + ("高" if late.loc["提了额", "rate"] > late.loc["没有提额", "rate"] else "低") if apart else "两组看不出差别"
cu.charts.finish(fig, title=f"三个月回头看：逾期比例{verdict}", source="近一年、满三个月的额度调整",
                 alt="横条图：逾期、闲置、又用满三个信号，提额与没提额各一条，带区间。")
told = signals[signals["group"] == "提了额"].set_index("signal")
cu.say(f"提了额的 {told['size'].iloc[0]:.0f} 户，三个月后闲置 {told.loc['闲置', 'rate']:.1%}，又用满 **{told.loc['又用满', 'rate']:.0%}**"
       f"（区间 {told.loc['又用满', 'low']:.0%} 到 {told.loc['又用满', 'high']:.0%}），逾期 {told.loc['逾期', 'rate']:.1%}。"
       + ("很少有人闲置：额度是真用了。" if told.loc["闲置", "rate"] < 0.05 else "闲置的额度占规模和精力：下一轮先问他们，不必再加。")
       + "又用满的，要去看钱花在哪里、进账跟上没有：**三个月看不出一年的好坏**，流入下降的仍要接着看。")

# %% [markdown]
# ## 演示八：合规——额度、征信、营销，三张授权不能混用
#
# - 征信只能按书面授权写明的用途用，不得另作他用、不得给第三方 [来源：征信业管理条例第 18、20 条]。授权写“贷后管理”的，可以用来**收紧**，
#   拿去营销提额就越界；本课用它只算负债，名单上没有征信字段。
# - 打电话、发消息推荐提额是营销，要单独的营销同意，并且给客户拒绝的办法；系统自动决定额度的，要能说明理由，
#   条件相同的人价格不能不合理地两样 [来源：个人信息保护法第 24 条]。所以每位客户都留着“卡在哪一条”。
# - 在校学生不做。名单带销毁日期，用完删除。
#
# ## 练习
#
# **E1 ★★ 写一个函数** `four_keys(table)`。`table` 一行一条额度，列有 `clean_months`、`high_use_months`、
# `dsr_after`、`trend`。返回一列文字（Series，索引不变）：四关都过写“通过”；没过的，把没过的关按
# “还款记录、用信率、负债收入比、流入趋势”的次序用顿号连起来。门槛用参数，正好在线上算过；**空值算没过**。

# %% tags=["answer:E1"]
four_keys = ...  # ← 写一个函数 four_keys(table)
### BEGIN SOLUTION


def four_keys(table):
    failed = {"还款记录": ~(table["clean_months"] >= CLEAN_MONTHS),
              "用信率": ~(table["high_use_months"] >= HIGH_MONTHS),
              "负债收入比": ~(table["dsr_after"] <= DSR_MAX),
              "流入趋势": ~(table["trend"] >= TREND_MIN)}
    words = []
    for i in range(len(table)):
        reasons = [name for name, flag in failed.items() if flag.iloc[i]]
        words.append("、".join(reasons) if reasons else "通过")
    return pd.Series(words, index=table.index, dtype="str")


### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:missing_passes"]
def four_keys(table):
    failed = {"还款记录": table["clean_months"] < CLEAN_MONTHS, "用信率": table["high_use_months"] < HIGH_MONTHS,
              "负债收入比": table["dsr_after"] > DSR_MAX, "流入趋势": table["trend"] < TREND_MIN}
    flags = pd.DataFrame(failed)
    words = ["、".join(name for name in flags if row[name]) or "通过" for _, row in flags.iterrows()]
    return pd.Series(words, index=table.index, dtype="str")

# %% tags=["wrong:E1:strict_line"]
def four_keys(table):
    passed = pd.DataFrame({"还款记录": table["clean_months"] > CLEAN_MONTHS, "用信率": table["high_use_months"] > HIGH_MONTHS,
                           "负债收入比": table["dsr_after"] < DSR_MAX, "流入趋势": table["trend"] > TREND_MIN})
    words = ["、".join(name for name in passed if not row[name]) or "通过" for _, row in passed.iterrows()]
    return pd.Series(words, index=table.index, dtype="str")

# %% tags=["wrong:E1:first_reason_only"]
def four_keys(table):
    passed = pd.DataFrame({"还款记录": table["clean_months"] >= CLEAN_MONTHS, "用信率": table["high_use_months"] >= HIGH_MONTHS,
                           "负债收入比": table["dsr_after"] <= DSR_MAX, "流入趋势": table["trend"] >= TREND_MIN})
    words = [next((name for name in passed if not row[name]), "通过") for _, row in passed.iterrows()]
    return pd.Series(words, index=table.index, dtype="str")

# %% tags=["alternative:E1:frame"]
def four_keys(table):
    passed = pd.DataFrame({"还款记录": table["clean_months"].ge(CLEAN_MONTHS), "用信率": table["high_use_months"].ge(HIGH_MONTHS),
                           "负债收入比": table["dsr_after"].le(DSR_MAX), "流入趋势": table["trend"].ge(TREND_MIN)})
    return passed.apply(lambda row: "、".join(row.index[~row]) or "通过", axis=1) if len(table) else pd.Series(dtype="str")

# %% [markdown]
# **E2 ★★ 写一个函数** `new_limit(table)`。`table` 的列：`limit`（现额度）、`peak_use`、`grade`、`net_income`、
# `other_due`、`rate`（百分数）。按演示三算新额度（元），返回 Series：三上限取小，四舍五入到分以后向下取整到一万，
# 不低于现额度。没有等级的倍数按 1 [定义]；他行月还款为空按零；还不起的，收入上限是零。

# %% tags=["answer:E2"]
new_limit = ...  # ← 写一个函数 new_limit(table)
### BEGIN SOLUTION


def new_limit(table):
    room = table["net_income"] * DISPOSABLE_SHARE - table["other_due"].fillna(0)
    income = loan_math.annuity_value(room.clip(lower=0), table["rate"], REPAY_MONTHS)
    risk = table["limit"] * table["grade"].map(GRADE_MULTIPLE).astype(float).fillna(1.0)
    need = table["peak_use"] * NEED_BUFFER
    cap = pd.concat([income, risk, need], axis=1).min(axis=1)
    rounded = cap.round(2) // 10_000 * 10_000
    return rounded.clip(lower=table["limit"])


### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:largest_cap"]
def new_limit(table):
    room = (table["net_income"] * DISPOSABLE_SHARE - table["other_due"].fillna(0)).clip(lower=0)
    caps = pd.concat([loan_math.annuity_value(room, table["rate"], REPAY_MONTHS),
                      table["limit"] * table["grade"].map(GRADE_MULTIPLE).astype(float).fillna(1.0),
                      table["peak_use"] * NEED_BUFFER], axis=1).max(axis=1)
    return (caps.round(2) // 10_000 * 10_000).clip(lower=table["limit"])

# %% tags=["wrong:E2:forgot_other_debt"]
def new_limit(table):
    caps = pd.concat([loan_math.annuity_value(table["net_income"] * DISPOSABLE_SHARE, table["rate"], REPAY_MONTHS),
                      table["limit"] * table["grade"].map(GRADE_MULTIPLE).astype(float).fillna(1.0),
                      table["peak_use"] * NEED_BUFFER], axis=1).min(axis=1)
    return (caps.round(2) // 10_000 * 10_000).clip(lower=table["limit"])

# %% tags=["wrong:E2:no_interest"]
def new_limit(table):
    room = (table["net_income"] * DISPOSABLE_SHARE - table["other_due"].fillna(0)).clip(lower=0)
    caps = pd.concat([room * REPAY_MONTHS, table["limit"] * table["grade"].map(GRADE_MULTIPLE).astype(float).fillna(1.0),
                      table["peak_use"] * NEED_BUFFER], axis=1).min(axis=1)
    return (caps.round(2) // 10_000 * 10_000).clip(lower=table["limit"])

# %% tags=["wrong:E2:cuts_limit"]
def new_limit(table):
    room = (table["net_income"] * DISPOSABLE_SHARE - table["other_due"].fillna(0)).clip(lower=0)
    caps = pd.concat([loan_math.annuity_value(room, table["rate"], REPAY_MONTHS),
                      table["limit"] * table["grade"].map(GRADE_MULTIPLE).astype(float).fillna(1.0),
                      table["peak_use"] * NEED_BUFFER], axis=1).min(axis=1)
    return caps.round(2) // 10_000 * 10_000

# %% tags=["alternative:E2:row_by_row"]
def new_limit(table):
    def one(row):
        due = 0.0 if pd.isna(row["other_due"]) else row["other_due"]
        monthly_rate = row["rate"] / 1200
        factor = (1 - (1 + monthly_rate) ** -REPAY_MONTHS) / monthly_rate if monthly_rate else REPAY_MONTHS
        income = max(row["net_income"] * DISPOSABLE_SHARE - due, 0.0) * factor
        risk = row["limit"] * GRADE_MULTIPLE.get(row["grade"], 1.0)
        cap = round(min(income, risk, row["peak_use"] * NEED_BUFFER), 2)
        return max(np.floor(cap / 10_000) * 10_000, row["limit"])

    return pd.Series([one(row) for _, row in table.iterrows()], index=table.index, dtype=float)

# %% [markdown]
# **E3 ★★★ 决定** 保证方式的提额切在哪里？演示五切的是信用方式；`deals` 里担保方式为“保证”的过去提额，违约损失率用 `LGD["保证"]`
# （`eva` 一列已经按每笔自己的利率和违约损失率算好）。选一个违约概率切点（小数）赋给 `cutoff`，违约概率**不高于**切点的都提，
# 其余都不提，让预计 EVA 合计达到最好切点的九成八 [参数]。

# %% tags=["answer:E3"]
cutoff = ...  # ← 一个 0 到 1 之间的小数
### BEGIN SOLUTION
pledged = deals[deals["guarantee"] == "保证"]
total = pledged.groupby("pd_estimate")["eva"].sum().cumsum()  # 同一违约概率的一起进，从低到高累加
cutoff = total.idxmax()
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:best_single_deal"]
pledged = deals[deals["guarantee"] == "保证"]
cutoff = float(pledged.loc[pledged["eva"].idxmax(), "pd_estimate"])

# %% tags=["wrong:E3:unsecured_loss"]
pledged = deals[deals["guarantee"] == "保证"]
cutoff = float(pledged["margin"].mean() / LGD["信用"])

# %% tags=["wrong:E3:everyone"]
cutoff = 1.0

# %% tags=["alternative:E3:grid"]
pledged = deals[deals["guarantee"] == "保证"]
grid = np.unique(pledged["pd_estimate"])
cutoff = float(max(grid, key=lambda value: pledged.loc[pledged["pd_estimate"] <= value, "eva"].sum()))

# %% [markdown]
# **E4 ★★★ 决定** 总行收紧了：新增额度只给 `TIGHT_BUDGET` × `pool` 里的提额合计，每家网点最多谈 `TIGHT_CALLS` 户，
# 农林牧渔业仍不超过新规模的 `INDUSTRY_CAP`。从 `pool` 里选一份名单 `tight_plan`，一张表，至少有一列 `line_id`。
# 要求不违反任何一条上限，预计 EVA 达到最好方案的九成五 [参数]。

# %% tags=["answer:E4"]
tight_plan = ...  # ← 可以用 second_plan，也可以自己挑
### BEGIN SOLUTION
tight_budget = TIGHT_BUDGET * pool["raise_amount"].sum()
picked = second_plan(pool, tight_budget, TIGHT_CALLS)
tight_plan = pool.loc[picked].reset_index()
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:each_for_itself"]
tight_plan = pool.sort_values("eva", ascending=False, kind="stable").groupby("branch_id").head(TIGHT_CALLS).reset_index()

# %% tags=["wrong:E4:one_branch"]
busiest = pool["branch_id"].value_counts().idxmax()
tight_plan = pool[pool["branch_id"] == busiest].nsmallest(3, "raise_amount").reset_index()

# %% tags=["wrong:E4:largest_raise"]
order = pool.sort_values("raise_amount", ascending=False, kind="stable").groupby("branch_id").head(TIGHT_CALLS)
order = order.sort_values("raise_amount", ascending=False, kind="stable")
tight_plan = order[order["raise_amount"].cumsum() <= TIGHT_BUDGET * pool["raise_amount"].sum()].reset_index()

# %% tags=["wrong:E4:outside_pool"]
tight_plan = lines[~lines.index.isin(pool.index)].nlargest(3, "limit").reset_index()

# %% tags=["alternative:E4:only_ids"]
tight_plan = pd.DataFrame({"line_id": list(second_plan(pool, TIGHT_BUDGET * pool["raise_amount"].sum(), TIGHT_CALLS))})

# %% [markdown]
# ## 成果
#
# 一本《提额名单与支行二次规划》：每家网点一页，写明现额度、建议额度、卡在哪一条、先做什么；再附一页话术和一页规划汇总。
# 名单上没有征信字段，没有号码；建议额度不能当成承诺说给客户，话术里也不许说。

# %%
own = BRANCH in set(chosen["branch_id"])
listing = chosen[chosen["branch_id"] == BRANCH] if own else chosen.sort_values(["branch_id", "eva"], ascending=[True, False])
sheet = listing.assign(binding=listing[["risk_cap", "income_cap", "need_cap"]].idxmin(axis=1).map(NAMES),
                       step=np.where(listing["other_due"].isna(), "先签征信授权，再定额度", "补收入证明后可以谈"))
extra = {"话术": cu.deliver.Sheet(limits.talk_sheet()),
         "二次规划": cu.deliver.Sheet(compare.rename_axis("办法").reset_index(), units={"预计 EVA": "元"})}
path = cu.deliver.call_list(
    bank.output_dir("m03_n10") / "提额名单_支行二次规划.xlsx",
    sheet[["branch_name", "masked_name", "action", "limit", "new_limit", "binding", "high_use_months", "step"]],
    title="提额名单", purpose="存量客户提额邀约", purge_date=today + pd.Timedelta(days=PURGE_DAYS), names=NAMES, extra=extra,
    result_codes=["有需求-约时间", "有需求-暂不提", "无需求", "未接通", "谢绝来电"],
    notes=["建议额度是测算，不是承诺；以审批为准。", "谢绝来电的，当天登记勿扰。"])
cu.say(("" if own or BRANCH is None else "这家网点这一轮没有入选的客户，名单改为全行。") + f"已保存 `{path.name}`：{len(sheet)} 户、"
       f"{sheet['branch_name'].nunique()} 家网点，{PURGE_DAYS} 天后销毁。其中 {sheet['other_due'].isna().sum()} 户要先签征信授权。")
cu.progress()

# %% [markdown]
# ## 讨论
#
# - “授信未用信”的客户，额度该提、该留，还是该收？收回来的规模给谁？
# - 流入下降的人里，有的是生意差了，有的只是把钱收到了别家的码上。怎么分得出来？要不要因此放宽第四关？
# - 二次规划放下的客户，支行长不服气：“这户我最熟。”给他一个调整的口子，开多大、怎么留痕？
#
# ## 小结
#
# 四个关键决定谁能进门，三个上限决定最多给多少，切点决定放到谁为止。过去的提额不能直接和没提的比，先让两组像一点。
# 用得满又进得多，像需求；用得满却进得少，像信号。规模有限的时候，先问每一块钱挣多少，再问谁喊得响。
#
# 下一课：收单商户四级预警——流水什么时候开始不对劲。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 常见的弯路：流入用半年合计，被一笔大钱骗过；把批准时的评级当控制变量，结论变成“提额无害”；
# 切点用平均净利差去除，忘了每笔利率不同；规划时各顾各，行业上限一超就整单退回。
# 时间建议：演示一到三占三成，演示四占两成半，演示五到七占两成半，练习占两成。

# %% tags=["instructor"]
unsecured = deals[(deals["guarantee"] == "信用")]
cu.reveal(bank, "m03_n10", {"falling_inflow": ratio, "unused_lines": unused_share,
                            "cut_pd": unsecured["margin"].mean() / LGD["信用"]},
          names={"falling_inflow": "提额后变坏：流入下降比上升", "unused_lines": "从未用信占比", "cut_pd": "信用方式切点"})
