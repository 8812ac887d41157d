# %% [markdown] outline=["S004-C6"]
# # 按揭客群：质量、交叉覆盖与分级
#
# 课程：银行数据应用 · 大纲：S004-C6、S004-C6.1、S004-C6.2、S004-C6.3、S004-C6.4 · 难度：L2 · 用时：75 分钟
#
# 学完本课，你能：
#
# - 按放款年份看按揭质量，不被“余额越做越大、不良率越来越低”骗到；
# - 用还款记录、现在的抵押率和收入负担给客户分级，并检验这把尺子几年来灵不灵；
# - 看出谁快要提前还款，算出交叉销售的盘子有多大，把指标分得下去、说得清误差。
#
# Abstract: Read mortgage quality by vintage, grade borrowers by streak, current loan-to-value and debt service, see prepayment coming, and set branch goals with intervals.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 分级表和名单看哪家支行：None 表示全行（质量和模型总是用全行数据）
GRADE_LINES = {"A": [24, 0.5, 0.4], "B": [12, 0.7, 0.55]}  # 连续按时期数下限、抵押率上限、月供收入比上限
GRACE_DAYS = 3  # 迟几天之内算按时
HAIRCUT = 1.0  # 更新后的房价再打几折
SMALL_SAMPLE = 30  # 比例要下结论，一格至少几行
WIDE_GAP = 120  # 利差多少个基点以上算大
SPLIT = "2022-12-31"  # 预警模型：这天以前学，以后考
NEW_LOAN = 50000  # 算杠杆用的新增消费贷金额，元
NEW_LOAN_MONTHS = 36  # 期限，月
NEW_LOAN_RATE = 4.5  # 年利率，单位 %
CONTACT_SHARE = 0.5  # 今年打算联系几成可联系的 A、B 级客户
CONTACTS_PER_MANAGER = 15  # 每位客户经理一年能分给这件事多少户
APPRAISAL_LIMIT = 0.1  # 评估价平均高出参考价多少，就先重估再用
PURGE_DAYS = 60  # 名单几天后销毁

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m03_n06", BANK, AS_OF)
cohorts, experiment, weighted = cu.analysis.cohorts, cu.analysis.experiment, cu.analysis.weighted
month_ends = pd.offsets.MonthEnd

# %% [markdown]
# ## 业务情境
#
# 总行说按揭是“最好的客户”：有房、有工作、有抵押，让支行**在按揭客户里再做一块消费贷**。行长心里打鼓，问四件事：
# **这批按揭到底好不好？哪些人是真的好？他们会不会提前还款走掉？今年能做成多少，怎么分到支行？**
#
# 第三问是近年的新事：老按揭利率高，新按揭利率低，差得多了，客户就凑钱提前还。第四问最容易拍脑袋：拿客户数乘一个想当然的成功率，
# 指标就有了；等年底完不成，才发现那个成功率谁也没见过。
#
# 这些数据**不能**说明两件事。客户在别家银行的借款这里看不见，所以“月供收入比”只是下限，要查征信得有授权和用途；
# 已经做成的交叉销售，也**不能**告诉你没做的人被问了会不会答应：那要有随机留出的对照组。收入是走访登记的，没有核实过。
#
# ## 数据
#
# 主角是借据表里的按揭、每月一行的贷款月度表、每期一行的还款表。按揭客户在课堂样本里抽得一样密，比例不必加权，推算户数时要乘 `weight`。

# %%
tables = {"loan": ["loan_id", "product_code", "issue_date", "settle_date", "settle_type", "amount"],
          "loan_month": ["month", "balance", "dpd", "rate"], "repayment": ["due_date", "due_principal", "due_interest", "paid_date"],
          "collateral": ["appraised", "appraise_date", "area_price_reference"], "macro_month": ["house_price_index"],
          "household": ["income_year"]}  # fmt: skip
cu.dictionary(bank, tables)

# %%
loans = bank.load("loan", ["loan_id", "customer_id", "branch_id", "product_code", "issue_date", "settle_date",
                           "settle_type", "amount", "rate"])  # fmt: skip
loans = loans.merge(bank.load("product", ["product_code", "line"]), on="product_code")
mortgages = loans[loans["line"] == "按揭"].reset_index(drop=True)
history = bank.load("loan_month", ["month", "loan_id", "balance", "dpd", "rate"])
history = history[history["loan_id"].isin(mortgages["loan_id"])]
dues = bank.load("repayment", ["loan_id", "due_date", "kind", "due_principal", "due_interest", "paid_date"])
dues = dues[dues["loan_id"].isin(mortgages["loan_id"])]
people = bank.load("customer", ["customer_id", "masked_name", "occupation", "household_id", "phone_valid", "do_not_call", "weight"])
people = people.set_index("customer_id")
held = bank.load("customer_product").set_index("customer_id")
branches = bank.load("branch", ["branch_id", "branch_name", "x_km", "y_km"]).set_index("branch_id")
today = history["month"].max()

# %% [markdown] outline=["S004-C6.1"]
# ## 演示一：同年放的贷款，放在一起看
#
# 按揭余额年年涨，新放的还没来得及坏，用“逾期 ÷ 余额”看质量，分母一大就好看。公平的看法是**账龄曲线**：同一批放款的贷款站在一起，
# 横轴是放款后第几个月，纵轴是**到那时为止曾经逾期超过 30 天**的笔数占这批放款的比例 [定义]。提前还清的也留在分母里：他们没有坏。
# 曲线只画到这一批里最年轻的一笔走到的月份，后面的月份不是“零”，是“还不知道”。
#
# 每一批只有一两百笔，几笔之差曲线就错开，所以下面另用一张表，在同一个账龄上比，带上区间（反复抽样，二十次里约十九次真值落在这样的范围里）。

# %%
first_year = mortgages["issue_date"].dt.year // 2 * 2
pair = first_year.astype(str) + "-" + (first_year + 1).astype(str).str[2:]
curve = cohorts.vintage(history, mortgages, today, days=30, cohort=pair, longest=72)
curve = curve.loc[:, curve.notna().sum() > 12]  # 最年轻的一批还没走满一年，先不画
fig = cu.charts.event_curve(curve, unit="%", event="放款")
fig.axes[0].set_xlabel("放款后第几个月")
levels = cohorts.seen_at(history, mortgages, today, months=24, days=30, cohort=pair)
best, worst = levels["rate"].idxmin(), levels["rate"].idxmax()
apart = levels.loc[best, "high"] < levels.loc[worst, "low"]
cu.charts.finish(fig, title=f"放款后两年：{worst} 年的批次 {levels.loc[worst, 'rate']:.0%} 曾逾期超过一个月，{best} 年的 {levels.loc[best, 'rate']:.0%}",
                 alt="各批次放款后曾经逾期超过三十天的累计比例曲线。", source=f"{bank.name}，按揭 {len(mortgages):,} 笔，两年一批")  # fmt: skip
cu.show(levels, rows=None, names={"issue_date": "放款年份", "n": "满两年的笔数", "late": "曾逾期超过一个月", "rate": "比例", "low": "区间下限", "high": "区间上限"},
        units=dict.fromkeys(["rate", "low", "high"], "%"))  # fmt: skip
cu.say(f"最差和最好的两批，区间{'没有重叠，确实有好有坏' if apart else '有重叠，不能说哪一年放得差'}。")

# %% [markdown] outline=["S004-C6.1"]
# ## 演示二：逾期会不会往下滚
#
# 逾期分档：M0 正常，M1 是 1-30 天，M2 是 31-60 天，依此类推，M6+ 是 150 天以上 [定义]。**滚动率**问的是：这个月在某一档的贷款，
# 下个月回来了、停住了，还是往下滚了？把每一步“往下滚”的比例乘起来，就是从这一档一路滚到底的机会。

# %%
done = mortgages.dropna(subset=["settle_date"]).set_index("loan_id")["settle_date"] + month_ends(0)
counts = cohorts.roll_counts(history, done)
rates = cohorts.roll_rates(counts)
rolling = rates.loc[["M1", "M2", "M3", "M4"]].rename(index=lambda name: f"{name}（{counts.loc[name].sum()} 次）")
fig = cu.charts.heatmap(rolling, unit="%", decimals=0, row_label="这个月", column_label="下个月")
chance = cohorts.flow_to_loss(rates)
better = rates.loc["M3", ["M0", "M1", "M2"]].sum()
cu.charts.finish(fig, title=f"逾期一个月以内的，下月滚到更深的占 {rates.loc['M1', 'M2':'M6+'].sum():.0%}；到了 M3，好转的占 {better:.0%}",
                 alt="逾期档从本月到下月的转移比例热力图。", source=f"{bank.name}，贷款月度表，按揭，每行合计为一")  # fmt: skip
cu.say(f"连乘起来，从 M1 一路滚到底的机会约 {chance['M1']:.1%}，M2 是 {chance['M2']:.1%}，M3 是 {chance['M3']:.0%}。"
       f"样本里进到 M3 的只有 {counts.loc['M3'].sum()} 次，这个数粗。"
       + ("方向却清楚：**到了 M3，很少有人自己回来**。所以电话先排给 M1、M2；早打能拉回几成，这张表说不了，要留一组晚打的来比。" if better < 0.2 else "M3 还有人好转，催收别早早放手。"))  # fmt: skip

# %% [markdown] outline=["S004-C6.3"]
# ## 演示三：三把尺子量一位客户
#
# **连续按时期数**：从最近一期往回数，迟 `GRACE_DAYS` 天以内都算按时，断了就从头数。**现在的抵押率** = 余额 ÷（评估价 × 房价指数之比 × `HAIRCUT`）：
# 放款时的评估价是老黄历，房价跌了，同样的余额抵押率就高了。指数没有覆盖的早年评估，从指数第一个月算起。
# **月供收入比** = 最近一期月供 ÷（家庭年收入 ÷ 12）[定义]：别家的债看不见，所以它只是下限。
#
# 三样都过 A 线的是 A 级，都过 B 线的是 B 级，其余 C 级；收入不知道的最高只能到 B，没有估值的归 C [定义]。线在 `GRADE_LINES` 里 [参数]。
# 尺子写成函数 `facts_at(when)`，站在哪一天都能量，后面检验要用。

# %%
value = pd.DataFrame(columns=["appraised", "appraise_date", "area_price_reference"])
if bank.has("collateral"):
    value = bank.load("collateral").drop_duplicates("loan_id").set_index("loan_id").reindex(columns=value.columns)
price, income = pd.Series(100.0, index=[pd.Timestamp("1990-12-31")]), pd.Series(dtype=float)  # 没有指数就当没有涨跌
if bank.has("macro_month.house_price_index"):
    price = bank.load("macro_month", ["month", "house_price_index"]).set_index("month")["house_price_index"]
if bank.has("household.income_year"):
    income = bank.load("household", ["household_id", "income_year"]).set_index("household_id")["income_year"]
lacking = bank.missing("collateral", "macro_month.house_price_index", "household.income_year")
if lacking:
    cu.say(f"本行没有{'、'.join(lacking)}：相应的尺子量不了，分级按缺项规则处理。")


# %%
def facts_at(when):  # 站在 when 这天还没还清的按揭，和三把尺子的读数
    rows = mortgages[(mortgages["issue_date"] <= when) & ~(mortgages["settle_date"] <= when)].set_index("loan_id")
    rows = rows.join(history[history["month"] == when].set_index("loan_id")[["balance", "dpd"]]).join(value)
    rows["streak"] = cohorts.streak(dues, when, GRACE_DAYS).reindex(rows.index).fillna(0)
    rows["ltv"] = ltv_of(rows, rows["appraised"], when)
    owed = dues[(dues["due_date"] <= when) & (dues["kind"] == "按期")].sort_values("due_date").groupby("loan_id").last()
    rows["due"] = (owed["due_principal"] + owed["due_interest"]).reindex(rows.index)
    rows["dsr"] = rows["due"] / (rows["customer_id"].map(people["household_id"]).map(income) / 12)
    return rows.assign(grade=grade_rows(rows))


def ltv_of(rows, worth, when):
    ratio = cohorts.price_ratio(price, rows["appraise_date"], when)
    return cohorts.current_ltv(rows["balance"], worth, ratio, HAIRCUT)


# %%
def grade_rows(rows):
    a, b = GRADE_LINES["A"], GRADE_LINES["B"]
    is_a = (rows["streak"] >= a[0]) & (rows["ltv"] <= a[1]) & (rows["dsr"] <= a[2])
    is_b = (rows["streak"] >= b[0]) & (rows["ltv"] <= b[1]) & ~(rows["dsr"] > b[2])
    return np.select([is_a, is_b], ["A", "B"], default="C")


everyone = facts_at(today)
now = everyone if BRANCH is None else everyone[everyone["branch_id"] == BRANCH]
summary = now.groupby("grade")[["streak", "ltv", "dsr"]].median().assign(n=now["grade"].value_counts())
cu.show(summary, rows=None, units={"ltv": "%", "dsr": "%"}, names={"grade": "级别", "n": "样本户数",
        "streak": "连续按时期数（中位）", "ltv": "现在的抵押率（中位）", "dsr": "月供收入比（中位）"})  # fmt: skip
old = (everyone["balance"] / everyone["appraised"]).median()
cu.say(f"用放款时的评估价算，抵押率的中位数是 {old:.0%}；按房价指数更新后是 **{everyone['ltv'].median():.0%}**。"
       f"现在 A 级占 {(now['grade'] == 'A').mean():.0%}，B 级占 {(now['grade'] == 'B').mean():.0%}。")  # fmt: skip

# %% [markdown] outline=["S004-C6.3"]
# ## 演示四：这把尺子灵不灵
#
# 尺子好不好，看它站在过去量出来的级别，和随后一年的事实对不对得上。站在前三个年末各量一次，看随后十二个月里有没有逾期超过 90 天（本课程当作违约 [定义]）。
# 当时已经逾期超过 30 天的不算：他们不用尺子也知道。三年合起来才有够多的样本；同一户会出现几次，所以区间比真实的略窄。
# 还有一处没法还原：家庭收入只有今天登记的一份，量过去时用的也是它，月供收入比这把尺子看上去会比当时略准。
#
# 违约太少，再换一个多些的结果看：随后一年里掉进过 M2 及更深的档。把两把尺子交叉：行是连续按时期数，列是抵押率，样本不到 `SMALL_SAMPLE` 的格子留灰。
# 哪一把尺子管用，看颜色是沿着行变，还是沿着列变。

# %%
trials = []
for years in (1, 2, 3):
    when = today - month_ends(12 * years)
    rows = facts_at(when)
    later = history[(history["month"] > when) & (history["month"] <= when + month_ends(12))]
    worst_day = later.groupby("loan_id")["dpd"].max().reindex(rows.index)
    trials.append(rows.assign(bad=worst_day > 90, slipped=worst_day > 30, year=when.year))
trials = pd.concat(trials).query("dpd <= 30")
pd_table = trials.groupby("grade")["bad"].agg(n="size", bad="sum")
pd_table = pd_table.join(experiment.wilson(pd_table["bad"], pd_table["n"]))
cu.show(pd_table, rows=None, names={"grade": "当时的级别", "n": "户×年", "bad": "随后一年违约", "rate": "违约率", "low": "区间下限", "high": "区间上限"},
        units=dict.fromkeys(["rate", "low", "high"], "%"))  # fmt: skip

# %%
months_a, months_b = GRADE_LINES["A"][0], GRADE_LINES["B"][0]
ltv_a, ltv_b = GRADE_LINES["A"][1], GRADE_LINES["B"][1]
streak_band = pd.cut(trials["streak"], [-1, months_b - 1, months_a - 1, 10**6], labels=[f"不到 {months_b} 期", f"{months_b}-{months_a - 1} 期", f"{months_a} 期以上"])
ltv_band = pd.cut(trials["ltv"], [0, ltv_a, ltv_b, 10], labels=[f"≤{ltv_a:.0%}", f"{ltv_a:.0%}-{ltv_b:.0%}", f">{ltv_b:.0%}"])
cells = trials.groupby([streak_band, ltv_band], observed=False)["slipped"].agg(["size", "mean"])
grid = cells["mean"].where(cells["size"] >= SMALL_SAMPLE).unstack()
swing_row, swing_column = (np.ptp(trials.groupby(axis, observed=True)["slipped"].mean()) for axis in (streak_band, ltv_band))
fig = cu.charts.heatmap(grid, unit="%", decimals=1, row_label="连续按时", column_label="现在的抵押率")
cu.charts.finish(fig, title=f"还款记录拉开 {swing_row * 100:.1f} 个百分点，抵押率拉开 {swing_column * 100:.1f} 个百分点",
                 alt="连续按时期数与抵押率交叉的热力图，格内为随后一年逾期超过三十天的比例。",
                 source=f"{bank.name}，三个年末共 {len(trials):,} 户×年，灰格样本不到 {SMALL_SAMPLE}")  # fmt: skip

# %%
a_row, c_row = pd_table.loc["A"], pd_table.loc["C"]
gap = experiment.diff_ci(c_row["bad"], c_row["n"], a_row["bad"], a_row["n"])
cu.say(f"A 级 {a_row['n']:.0f} 户×年里违约 **{a_row['bad']:.0f}** 次。次数这么少，别报“零风险”，要报区间上限：{a_row['high']:.1%}。C 级是 {c_row['rate']:.1%}，"
       f"和 A 级相差的区间是 {gap['low'] * 100:+.1f} 到 {gap['high'] * 100:+.1f} 个百分点："
       + ("零不在里面，这把尺子分得开。" if gap["low"] > 0 else "零也在里面，违约太少，光凭违约还分不开。"))  # fmt: skip
short = trials[trials["streak"] < months_b]
book_age = (short["year"] - short["issue_date"].dt.year) * 12 + 12 - short["issue_date"].dt.month
fresh = short.groupby(book_age <= short["streak"] + 2)["slipped"].agg(["mean", "size"]).reindex([True, False])
cu.say(f"看随后掉档的高低，{'还款记录' if swing_row > swing_column else '抵押率'}拉得更开。不过“按时不到 {months_b} 期”里混着两种人：刚放款的 {fresh.loc[True, 'size']:.0f} 户×年，"
       f"随后掉档 {fresh.loc[True, 'mean']:.1%}；断过再从头数的 {fresh.loc[False, 'size']:.0f} 户×年，随后掉档 **{fresh.loc[False, 'mean']:.1%}**。"
       "抵押率说的是真出了事银行亏多少，还款记录说的是会不会出事，两件事不要互相代替。")  # fmt: skip

# %% [markdown] outline=["S004-C6.3"]
# ## 演示五：评估价可信吗
#
# 抵押率的分母是评估价。评估价虚高，差客户也能量成 A 级。拿每笔的评估价和“同区参考价”（同地段同面积的成交价推算）比，按支行求平均高出多少：
# 一笔高一点是常事，**一家支行笔笔都高**，就不是巧合。

# %%
judged = everyone.assign(excess=everyone["appraised"].astype(float) / everyone["area_price_reference"].astype(float) - 1)
if not bank.has("collateral.area_price_reference"):
    cu.say("本行没有同区参考价，评估价的核对跳过，其余照常。")
excess = judged.groupby("branch_id")["excess"].agg(n="count", rate="mean", spread="std")
excess = excess[excess["n"] >= 10].sort_values("rate", ascending=False)
half = 1.96 * excess["spread"] / excess["n"] ** 0.5
excess = excess.assign(low=excess["rate"] - half, high=excess["rate"] + half).rename(index=branches["branch_name"])
dear = excess.index[excess["low"] > APPRAISAL_LIMIT].tolist()
if len(excess):
    fig = cu.charts.bars_with_interval(excess.head(10), count="n", reference=0, reference_label="与参考价相同")
    cu.charts.finish(fig, title=f"评估价明显高出参考价的支行：{'、'.join(dear) or '没有'}", alt="各支行评估价平均高出参考价的比例及区间。",
                     source=f"{bank.name}，抵质押物表，样本不到 10 笔的支行不画，只画最高的十家")  # fmt: skip

# %%
fair_ltv = ltv_of(judged, judged["area_price_reference"], today)
regraded = grade_rows(judged.assign(ltv=fair_ltv.fillna(judged["ltv"])))
suspect = judged["branch_id"].map(branches["branch_name"]).isin(dear)
judged["use_grade"] = np.where(suspect, regraded, judged["grade"])
was_a = judged[suspect & (judged["grade"] == "A")]
kept = (was_a["use_grade"] == "A").sum()
cu.say(f"按参考价重新量一遍，{'、'.join(dear)}的 {len(was_a)} 户 A 级只剩 **{kept}** 户。名单里有 {1 - kept / max(len(was_a), 1):.0%} 是评估价抬上去的。"
       "往下都用重估后的级别；是谁、为什么高评，是审计的事，这张图只说明该去查。" if dear and kept < len(was_a) else "各支行的评估价和参考价对得上，级别不用改。")  # fmt: skip

# %% [markdown] outline=["S004-C6.2"]
# ## 演示六：交叉覆盖，和该不该再借
#
# 按揭客户手里还有本行的什么？和**代发工资、没有按揭**的客户比：两群人都有稳定收入。差得多的那一项，可能是机会，也可能是他们本来就不需要：
# 刚背上三十年房贷的人，未必还想借。代发客户抽样有疏有密，他们的比例要加权。

# %%
judged["use_grade"] = judged["use_grade"].astype("str")
book = judged if BRANCH is None else judged[judged["branch_id"] == BRANCH]
items = {"has_credit_card": "信用卡", "has_consumer_loan": "消费贷", "has_business_loan": "经营贷", "has_payroll": "代发工资", "has_mobile_bank": "手机银行"}
paid = held[held["has_payroll"] & ~held["has_mortgage"]]
mine = held.reindex(book["customer_id"])
bars = []
for column, word in items.items():
    bars.append(weighted.rates(mine[column], people["weight"].reindex(mine.index)).assign(item=word, group="按揭客户"))
    if column != "has_payroll":
        bars.append(weighted.rates(paid[column], people["weight"].reindex(paid.index)).assign(item=word, group="代发客户（无按揭）"))
bars = pd.concat(bars)
lead = bars.pivot_table(index="item", columns="group", values="rate").eval("`按揭客户` - `代发客户（无按揭）`")
fig = cu.charts.bars_with_interval(bars, label="item", group="group")
cu.charts.finish(fig, title=f"差得最多的是{lead.idxmin()}：按揭客户比代发客户{'少' if lead.min() < 0 else '多'} {abs(lead.min()) * 100:.0f} 个百分点",
                 alt="两群客户五种产品的覆盖率及区间。", source=f"{bank.name}，产品持有表")  # fmt: skip

# %%
credit = ["has_credit_card", "has_consumer_loan", "has_business_loan"]
second = mine[credit].any(axis=1).to_numpy()
by_grade = book.groupby("use_grade")["customer_id"].apply(lambda ids: held[list(items)].reindex(ids).mean()).unstack()
cu.show(by_grade.rename(columns=items), rows=None, units=dict.fromkeys(items.values(), "%"), names={"use_grade": "级别"}, title="各级别的覆盖率")
monthly = NEW_LOAN_RATE / 1200
payment = NEW_LOAN * monthly / (1 - (1 + monthly) ** -NEW_LOAN_MONTHS)
known = book.dropna(subset=["dsr"])
after = known["dsr"] * (1 + payment / known["due"])
tight = ((after > GRADE_LINES["B"][2]) & (known["dsr"] <= GRADE_LINES["B"][2])).groupby(known["use_grade"]).mean()
cu.say(f"按揭客户里另有本行信用卡、消费贷或经营贷的占 **{second.mean():.0%}**。要是每人再借 {NEW_LOAN / 1e4:g} 万元、分 {NEW_LOAN_MONTHS} 个月还，每月多还 {payment:,.0f} 元："
       f"A 级里有 {tight.get('A', 0):.0%} 会因此越过 {GRADE_LINES['B'][2]:.0%} 的线，C 级里有 {tight.get('C', 0):.0%}。"
       "覆盖低不等于该借给他；消费贷还不得流入房市，用途要看凭证。先问用途和负担，再谈额度。")  # fmt: skip

# %% [markdown] outline=["S004-C6.1"]
# ## 演示七：提前还款，看得见吗
#
# **利差** = 这笔老按揭现在执行的利率 − 近四个月新放按揭利率的中位数，单位基点 [定义]（100 个基点是 1 个百分点 [定义]）。把每笔按揭拆成一个月一行，
# 问每个月提前结清的机会（**风险率**）随利差怎么变。只看放款满七个月、没有严重逾期的；利差用**当月月底**知道的数，事情发生在**下个月**。
#
# 再问两件事。提前还清要有钱：有月度资产的这两年里，资产够还两成余额的人，是不是更常提前还？存量利率下调以后，提前还款少了吗？
# 后一问要拆开看：同样的利差，风险率变了没有；利差大的**户数**变了没有。这是两回事。

# %%
listed = cohorts.going_rate(mortgages["issue_date"], mortgages["rate"], history["month"], months=4)
loan_months = history.merge(mortgages[["loan_id", "customer_id", "issue_date", "settle_date", "settle_type"]], on="loan_id")
loan_months["age"] = cohorts.months_between(loan_months["issue_date"], loan_months["month"])
loan_months["gap"] = (loan_months["rate"] - loan_months["month"].map(listed)) * 100
loan_months["wide"] = (loan_months["gap"] > WIDE_GAP).astype(int)
loan_months["size"] = np.log10(loan_months["balance"].clip(lower=1))
end = loan_months["settle_date"] + month_ends(0)
gone = (loan_months["settle_type"] == "提前结清") & (end == loan_months["month"] + month_ends(1))
loan_months["prepaid"] = (gone & (loan_months["dpd"] <= 30)).astype(int)
loan_months["balance_next"] = loan_months["balance"].where(gone == 0, 0.0)
inside = (loan_months["age"] >= 7) & ~(loan_months["month"] >= end) & (loan_months["month"] < today)
exposed = loan_months[inside].copy()
exposed.index = exposed["loan_id"] + "@" + exposed["month"].dt.strftime("%Y-%m")

# %%
edges = [-1000, 0, 40, 80, WIDE_GAP, WIDE_GAP + 40, 1000]
names = ["不到零", "0-40", "40-80", f"80-{WIDE_GAP}", f"{WIDE_GAP}-{WIDE_GAP + 40}", f"超过 {WIDE_GAP + 40}"]
hazard = exposed.groupby(pd.cut(exposed["gap"], edges, labels=names), observed=True)["prepaid"].agg(n="size", events="sum")
hazard = hazard.join(experiment.wilson(hazard["events"], hazard["n"]))
fig = cu.charts.bars_with_interval(hazard, count="n", reference=exposed["prepaid"].mean(), reference_label="平均")
ratio = exposed.groupby("wide")["prepaid"].mean()
odds = cu.analysis.survival.fit_hazard(exposed.assign(year=exposed["month"].dt.year), ["wide"], "prepaid", "year", "loan_id").loc["wide"]
verdict = "看得出差别" if odds["low"] > 1 else "看不出差别"
cu.charts.finish(fig, title=f"利差超过 {WIDE_GAP} 基点的，每月提前结清 {ratio.get(1, np.nan):.2%}，其余 {ratio.get(0, np.nan):.2%}", alt="按利差分段的月提前结清率及区间。",
                 source=f"{bank.name}，纵轴是利差（基点），{len(exposed):,} 个贷款月，提前结清 {exposed['prepaid'].sum()} 笔")  # fmt: skip
cu.say(f"扣掉年份本身的高低，利差大的提前结清的可能是其余的 **{odds['odds_ratio']:.1f} 倍**（区间 {odds['low']:.1f}–{odds['high']:.1f}），{verdict}。")

# %%
assets = bank.load("customer_month", ["month", "customer_id", "aum_average"])
rich = exposed.merge(assets, on=["month", "customer_id"])
rich = rich.groupby(rich["aum_average"] >= 0.2 * rich["balance"])["prepaid"].agg(["sum", "size"]).reindex([True, False]).fillna(0)
money = experiment.diff_ci(*rich.loc[True], *rich.loc[False]) if (rich["size"] > 0).all() else {"low": 0, "high": 0}
cu.say(f"资产够还两成的，每月提前结清比其余的高出 {money['low'] * 100:+.2f} 到 {money['high'] * 100:+.2f} 个百分点（区间）："
       + ("看得出差别。" if money["low"] * money["high"] > 0 else "零在里面，看不出差别。"))  # fmt: skip
policy = bank.load("policy_event", ["date", "kind"]) if bank.has("policy_event") else pd.DataFrame({"date": pd.to_datetime([]), "kind": []})
cut = policy.loc[policy["kind"] == "存量房贷利率下调", "date"].min()
near = exposed[exposed["month"] > cut - month_ends(13)] if pd.notna(cut) else exposed.head(0)
period = pd.Series(np.where(near["month"] < cut, "首次下调前一年", "首次下调以后"), near.index, name="period")
change = near.groupby([period, near["wide"].map({0: "利差小", 1: "利差大"})])["prepaid"].agg(n="size", events="sum", rate="mean")
share = near.groupby(period)["wide"].mean()

# %%
if len(share) == 2:
    cu.show(change, rows=None, units={"rate": "%"}, names={"period": "时段", "wide": "利差", "n": "贷款月", "events": "提前结清", "rate": "月提前结清率"})
    before, after = share["首次下调前一年"], share["首次下调以后"]
    cu.say(f"利差大的占比从 {before:.0%} 变成 **{after:.0%}**，利差大的人{'变少' if after < before else '没有变少'}了；同样利差下的提前结清率变了多少，看上表最后一列，次数少的别当真。"
           "前后两段里别的事也在变，不能把功劳全算给降息。")  # fmt: skip
else:
    cu.say("政策表里没有存量利率下调，或者下调前后的数据不全，这一段比不了。")

# %% [markdown] outline=["S004-C6.4"]
# ## 演示八：盘子多大，怎么分
#
# 盘子 = 级别户数 × 可联系的比例 × 一年里新借的比例 × 平均金额。前两样数得出来；第三样用事实：前三个年末**没有其他贷款**的按揭客户，
# 随后一年里新借了本行贷款的占多少。这是没有专门营销时的自然水平，带着区间用。可联系 = 有有效的营销授权、没有谢绝来电、电话有效。

# %%
others = loans[~loans["line"].isin(["按揭", "助学贷"])]
uptake, amounts = [], []
for years in (1, 2, 3):
    when = today - month_ends(12 * years)
    rows = trials[trials["year"] == when.year]
    live = others[(others["issue_date"] <= when) & ~(others["settle_date"] <= when)]
    new = others[(others["issue_date"] > when) & (others["issue_date"] <= when + month_ends(12))]
    rows = rows[~rows["customer_id"].isin(live["customer_id"])]
    uptake.append(rows.assign(took=rows["customer_id"].isin(new["customer_id"])))
    amounts.append(new[new["customer_id"].isin(rows["customer_id"])])
uptake, amounts = pd.concat(uptake), pd.concat(amounts)
took = experiment.wilson([uptake["took"].sum()], [len(uptake)]).iloc[0]
ticket = amounts["amount"].median()

# %%
agreed = bank.load("consent", ["customer_id", "scope", "granted", "expire_date"])
agreed = agreed[(agreed["scope"] == "营销") & agreed["granted"] & ~(agreed["expire_date"] < bank.as_of)]
allowed = people.index[people["phone_valid"] & ~people["do_not_call"] & people.index.isin(agreed["customer_id"]) & (people["occupation"] != "学生")]
borrowing = others.loc[others["settle_date"].isna(), "customer_id"]
judged["weight"] = judged["customer_id"].map(people["weight"])
judged["reach"] = judged["customer_id"].isin(allowed) & (judged["dpd"] == 0)
ready = judged[judged["use_grade"].isin(["A", "B"]) & judged["reach"] & ~judged["customer_id"].isin(borrowing)]
pool = ready.groupby("branch_id").agg(customers=("weight", "sum"), n=("weight", "size"))
staff = bank.load("employee", ["branch_id", "post", "active"])
managers = staff[(staff["post"] == "客户经理") & staff["active"]].groupby("branch_id").size()
pool["cap"] = (managers.reindex(pool.index).fillna(0) * CONTACTS_PER_MANAGER).astype(int)
pool["room"] = pool[["customers", "cap"]].min(axis=1)
total_goal = int(min(CONTACT_SHARE * pool["customers"].sum(), pool["room"].sum()))

# %%
size = {side: pool["customers"].sum() * took[side] for side in ("rate", "low", "high")}
cu.say(f"可联系、没有其他贷款、当前不逾期的 A、B 级推算 **{pool['customers'].sum():,.0f}** 户。三年 {len(uptake):,} 户×年里自然新借 {uptake['took'].sum()} 次，"
       f"一年 {took['rate']:.1%}（区间 {took['low']:.1%}–{took['high']:.1%}）。照此全行一年约 {size['rate']:.0f} 笔（{size['low']:.0f} 到 {size['high']:.0f} 笔），"
       f"每笔中位 {ticket / 1e4:.1f} 万元，合 {size['rate'] * ticket / 1e4:,.0f} 万元。摊到 {len(pool)} 家支行，每家 {size['rate'] / len(pool):.1f} 笔："
       "**把“放款几笔”派成任务，只会逼人凑数；能派的是“联系几户”。**")  # fmt: skip
spots = pool.join(branches)
thin = spots["cap"] < CONTACT_SHARE * spots["customers"]
spots["able"] = thin.map({True: "人手不够", False: "人手够"})
fig = cu.charts.bubble_map(spots[spots["n"] >= 5], "x_km", "y_km", size="customers", color="able", x_unit="公里", y_unit="公里")
fig.axes[0].set_aspect("equal")
cu.charts.finish(fig, title=f"联系 {CONTACT_SHARE:.0%} 的客户，{thin.sum()} 家支行的人手不够：要按能力封顶", alt="支行位置上的圆，大小是可联系户数，颜色是人手够不够。",
                 source=f"{bank.name}，样本不到 5 户的支行不画；派给全行的联系目标是 {total_goal:,} 户")  # fmt: skip
if thin.any():
    cu.say(f"人手不够的支行：{'、'.join(spots.loc[thin, 'branch_name'])}。封顶以后，多出来的户数要转给别家，或者先给这几家添人。")

# %% [markdown]
# ## 练习
#
# **E1 ★★ 账龄表** 按**放款年份**，算放款后第 24 个月和第 36 个月为止曾经逾期**超过 90 天**的比例 [定义]，赋给 `bad_table`（索引叫 `issue_year`，
# 列叫 `late24`、`late36`）。还没有走到那个月的批次写空值。可以用 `cohorts.vintage`。

# %% tags=["answer:E1"]
bad_table = ...  # ← 把 ... 换成你的代码
### BEGIN SOLUTION
curves = cohorts.vintage(history, mortgages, today, days=90).loc[[24, 36]].T
bad_table = curves.set_axis(["late24", "late36"], axis=1).rename_axis("issue_year")
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:thirty_days"]
curves = cohorts.vintage(history, mortgages, today, days=30).loc[[24, 36]].T
bad_table = curves.set_axis(["late24", "late36"], axis=1).rename_axis("issue_year")

# %% tags=["wrong:E1:unknown_is_zero"]
curves = cohorts.vintage(history, mortgages, today, days=90).loc[[24, 36]].T.fillna(0)
bad_table = curves.set_axis(["late24", "late36"], axis=1).rename_axis("issue_year")

# %% tags=["wrong:E1:late_today"]
latest = history[history["month"] == today].set_index("loan_id")["dpd"]
late_now = mortgages["loan_id"].map(latest).fillna(0) > 90
share_now = late_now.groupby(mortgages["issue_date"].dt.year).mean()
bad_table = pd.DataFrame({"late24": share_now, "late36": share_now}).rename_axis("issue_year")

# %% tags=["alternative:E1:by_hand"]
first_bad = cohorts.first_late(history, mortgages, 90).to_numpy()
start = mortgages["issue_date"]
years_of = start.dt.year
reached = (today.year - years_of) * 12 + today.month - start.dt.month
parts = {}
for month_number in (24, 36):
    rate_of = pd.Series(first_bad <= month_number).groupby(years_of).mean()
    parts[f"late{month_number}"] = rate_of.where(reached.groupby(years_of).min() >= month_number)
bad_table = pd.DataFrame(parts).rename_axis("issue_year")

# %% [markdown]
# **E2 ★★ 把尺子写成函数** 写 `grade_of(streak, ltv, dsr)`，返回 `"A"`、`"B"` 或 `"C"`，规则同演示三，线取自 `GRADE_LINES`（刚好在线上算过线）。
# `ltv` 或 `dsr` 可能是 `None`（不知道）：收入不知道的最高 B，没有估值的归 C。

# %% tags=["answer:E2"]
grade_of = ...  # ← 写一个函数 grade_of(streak, ltv, dsr)
### BEGIN SOLUTION
def grade_of(streak, ltv, dsr):
    if ltv is None:
        return "C"
    for name in ("A", "B"):
        least, most_ltv, most_dsr = GRADE_LINES[name]
        burden_ok = dsr <= most_dsr if dsr is not None else name == "B"
        if streak >= least and ltv <= most_ltv and burden_ok:
            return name
    return "C"
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:any_line_is_enough"]
def grade_of(streak, ltv, dsr):
    for name in ("A", "B"):
        least, most_ltv, most_dsr = GRADE_LINES[name]
        if streak >= least or (ltv is not None and ltv <= most_ltv) or (dsr is not None and dsr <= most_dsr):
            return name
    return "C"

# %% tags=["wrong:E2:unknown_income_is_fine"]
def grade_of(streak, ltv, dsr):
    if ltv is None:
        return "C"
    for name in ("A", "B"):
        least, most_ltv, most_dsr = GRADE_LINES[name]
        if streak >= least and ltv <= most_ltv and (dsr is None or dsr <= most_dsr):
            return name
    return "C"

# %% tags=["wrong:E2:on_the_line_fails"]
def grade_of(streak, ltv, dsr):
    if ltv is None:
        return "C"
    for name in ("A", "B"):
        least, most_ltv, most_dsr = GRADE_LINES[name]
        burden_ok = dsr < most_dsr if dsr is not None else name == "B"
        if streak > least and ltv < most_ltv and burden_ok:
            return name
    return "C"

# %% tags=["alternative:E2:reuse_the_table_rule"]
def grade_of(streak, ltv, dsr):
    row = pd.DataFrame({"streak": [streak], "ltv": [ltv], "dsr": [dsr]}).astype(float)
    return str(grade_rows(row)[0])

# %% [markdown]
# **E3 ★★★ 提前还款预警** 用 `SPLIT` 及以前的月份学，给以后的每个贷款月打出**下个月提前结清的概率**，赋给 `warning`（Series，索引同 `test`）；
# 用到的列名写进 `feature_columns`。可挑的列：`gap`、`wide`、`age`、`rate`、`size`、`dpd`、`balance_next`，**有的列站在月底看不到**。
# 模型可用 `cu.analysis.model.fit_logit(行, 列, "prepaid")`，`.predict(行)` 给概率。过关：AUC 不低于现训的参照减 0.01 [定义]，校准斜率 0.7 到 1.3 [定义]。

# %% tags=["answer:E3"]
learn, test = exposed[exposed["month"] <= SPLIT], exposed[exposed["month"] > SPLIT]
feature_columns = ...  # ← 用到哪些列
warning = ...  # ← 给 test 打出的概率
### BEGIN SOLUTION
feature_columns = ["gap", "wide"]
warning = cu.analysis.model.fit_logit(learn, feature_columns, "prepaid").predict(test)
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:peek"]
feature_columns = ["gap", "wide", "balance_next"]
warning = cu.analysis.model.fit_logit(learn, feature_columns, "prepaid").predict(test)

# %% tags=["wrong:E3:reversed"]
feature_columns = ["gap", "wide"]
warning = 1 - cu.analysis.model.fit_logit(learn, feature_columns, "prepaid").predict(test)

# %% tags=["wrong:E3:age_only"]
feature_columns = ["age", "size"]
warning = cu.analysis.model.fit_logit(learn, feature_columns, "prepaid").predict(test)

# %% tags=["alternative:E3:one_more_column"]
feature_columns = ["wide", "gap"]
warning = cu.analysis.model.fit_logit(learn, feature_columns, "prepaid").predict(test).rename("chance")

# %% [markdown]
# **E4 ★★★ 把联系目标分下去** 全行联系 `total_goal` 户，分到 `pool` 里的每家支行，赋给 `branch_goal`（表，列 `branch_id`、`contacts`、`low`、`high`）。
# 规矩：`contacts` 是不小于零的整数，合计正好 `total_goal`；不超过本行可联系户数（`customers`）和联系能力（`cap`）。`low`、`high` 是照 `took["low"]`、`took["high"]`
# 预计自然新借的笔数。目标：各支行的联系比例（联系户数 ÷ 可联系户数）尽量拉平，偏差平方和（按户数加权）不超过参照方案的 1.1 倍 [定义]。

# %% tags=["answer:E4"]
branch_goal = ...  # ← 把 ... 换成你的方案，可以写几行
### BEGIN SOLUTION
goal = cu.analysis.allocate.water_fill(total_goal, pool["customers"], 0, pool["room"])
contacts = np.floor(goal + 1e-9)
rest = (goal - contacts).where(contacts < np.floor(pool["room"]), -1).sort_values(ascending=False)
contacts[rest.index[: round(total_goal - contacts.sum())]] += 1
branch_goal = contacts.astype(int).rename("contacts").rename_axis("branch_id").reset_index()
branch_goal["low"] = branch_goal["contacts"] * took["low"]
branch_goal["high"] = branch_goal["contacts"] * took["high"]
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:equal_shares"]
each = total_goal // len(pool)
contacts = pd.Series(each, index=pool.index)
contacts.iloc[: total_goal - each * len(pool)] += 1
branch_goal = contacts.rename("contacts").rename_axis("branch_id").reset_index()
branch_goal["low"], branch_goal["high"] = branch_goal["contacts"] * took["low"], branch_goal["contacts"] * took["high"]

# %% tags=["wrong:E4:forgot_capacity"]
goal = pool["customers"] / pool["customers"].sum() * total_goal
contacts = np.floor(goal).astype(int)
contacts[(goal - contacts).sort_values(ascending=False).index[: total_goal - contacts.sum()]] += 1
branch_goal = contacts.rename("contacts").rename_axis("branch_id").reset_index()
branch_goal["low"], branch_goal["high"] = branch_goal["contacts"] * took["low"], branch_goal["contacts"] * took["high"]

# %% tags=["wrong:E4:one_number_for_the_bank"]
goal = cu.analysis.allocate.water_fill(total_goal, pool["customers"], 0, pool["room"])
contacts = np.floor(goal + 1e-9)
rest = (goal - contacts).where(contacts < np.floor(pool["room"]), -1).sort_values(ascending=False)
contacts[rest.index[: round(total_goal - contacts.sum())]] += 1
branch_goal = contacts.astype(int).rename("contacts").rename_axis("branch_id").reset_index()
branch_goal["low"], branch_goal["high"] = size["low"], size["high"]

# %% tags=["alternative:E4:one_by_one"]
room = np.floor(pool["room"])
contacts = pd.Series(0, index=pool.index)
for _ in range(total_goal):
    open_branches = contacts < room
    reached = (contacts / pool["customers"]).where(open_branches)
    contacts[reached.idxmin()] += 1
branch_goal = pd.DataFrame({"branch_id": pool.index, "contacts": contacts.to_numpy()})
branch_goal["low"], branch_goal["high"] = branch_goal["contacts"] * took["low"], branch_goal["contacts"] * took["high"]

# %% [markdown]
# ## 成果
#
# 一本《按揭客户分级经营表》：每家支行一页客户名单（级别、动作、是否利差大），后面附级别检验、评估价核对和联系目标。不写金额，到期销毁。

# %%
cu.carry_on("E4")
wide_now = exposed.sort_values("month").groupby("loan_id")["wide"].last()
ready = judged[judged["reach"]].copy()
ready["wide"] = wide_now.reindex(ready.index).fillna(0).map({1: "利差大", 0: ""})
ready["action"] = ready["use_grade"].map({"A": "问需求，可谈信用卡和消费贷", "B": "问需求，先算负担", "C": "只做服务，不推贷款"})
ready["masked_name"] = ready["customer_id"].map(people["masked_name"])
ready = ready if BRANCH is None else ready[ready["branch_id"] == BRANCH]
ready = ready.sort_values(["branch_id", "use_grade", "customer_id"])
columns = ["branch_id", "customer_id", "masked_name", "use_grade", "wide", "action"]

# %%
words = {"use_grade": "级别", "wide": "提前还款苗头", "action": "动作", "contacts": "联系目标", "low": "预计笔数下限", "high": "预计笔数上限",
         "grade": "当时的级别", "n": "户×年", "bad": "违约", "rate": "违约率"}  # fmt: skip
sheets = {"联系目标": cu.deliver.Sheet(branch_goal, "支行联系目标", names=words, totals=["contacts"]),
          "级别检验": cu.deliver.Sheet(pd_table.reset_index(), "级别检验", names=words)}  # fmt: skip
path = cu.deliver.call_list(bank.output_dir("m03_n06") / "按揭客户分级经营表.xlsx", ready[columns],
                            branch_column="branch_id", title="按揭客户分级经营表", purpose="按揭客户分级维护", names=words, extra=sheets,
                            purge_date=bank.as_of + pd.Timedelta(days=PURGE_DAYS), notes=["评估价待核的支行，级别按参考价重估。", "消费贷不得用于购房。"])  # fmt: skip
cu.say(f"`{path.name}`：{ready['branch_id'].nunique()} 家支行 {len(ready):,} 位可联系客户，其中利差大的 {(ready['wide'] == '利差大').sum()} 位请先谈利率和服务。")

# %% [markdown]
# ## 讨论
#
# 向按揭客户推消费贷，是服务，还是给家庭加杠杆？可以从这几个方向争一争：
#
# - A 级客户最不缺钱，也最不想借；C 级最想借，也最不该借。中间那条线该由谁来画？
# - 提前还款的客户，是“流失”还是“安全退出”？为了留住利息劝他别还，站得住吗？
# - 一家支行的评估价笔笔偏高，除了重估，还该查什么？名单做得漂亮的人，会不会先受表扬？
#
# ## 小结
#
# 质量按放款批次看，逾期要在头两档接住。级别靠还款记录、现在的抵押率和负担三把尺子，评估价先核再用，灵不灵用过去几年检验。
# 盘子带着区间，派得下去的是联系几户，不是放款几笔。
#
# 下一课：助学贷款客群的存量、流失与毕业后经营。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 生成器埋下的：A 级一年违约千分之三上下，近两成按揭客户另有一种信贷产品，利差大于一百二十个基点的提前还款机会是其余的两倍多，一家支行的评估价系统性偏高。
# 降息在生成器里只降老按揭的加点，不改“利差大的人有多想还”，所以课上看到的是人数变少。
#
# 常见的弯路：拿今天的逾期率比各年批次；一次违约没有就写“零风险”；按客户数乘想当然的成功率定指标。

# %% tags=["instructor"]
found = {"a_grade_pd": a_row["rate"], "second_product": second.mean(), "prepay_hr": ratio.get(1, np.nan) / ratio.get(0, np.nan),
         "bad_appraisal": branches.index[branches["branch_name"].isin(dear)].tolist()}  # fmt: skip
cu.reveal(bank, "m03_n06", found, names={"a_grade_pd": "A 级一年违约率", "second_product": "另有一种信贷产品的比例",
                                         "prepay_hr": "利差大与其余的提前还款之比", "bad_appraisal": "评估价偏高的支行"})  # fmt: skip
