# %% [markdown] outline=["S004-C4"]
# # 收单商户信贷潜力与分层营销：流水不等于还款能力
#
# 课程：银行二十种数据实战应用场景 · 信贷营销类十场景之四 ·
# 大纲：S004-C4、S004-C4.1、S004-C4.2、S004-C4.3、S004-C4.4、S004-C4.K1、S004-C4.K2 · 难度：L2 · 用时：90 分钟
#
# 学完本课，你能：
#
# - 用六个月的稳定度、趋势和预警级别做门槛，把刷单的、下滑的、已逾期的挡在门外；
# - 从流水算出额度，说清每个假设动一动，额度跟着动多少；
# - 公平地比较支行和地区的提款率，再把潜力变成支行这一周的走访任务。
#
# Abstract: Use six-month stability and warning levels as a gate, size limits from turnover, compare branches and
# areas with directly standardised rates, and hand a capacity-bound visiting plan to every branch.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 门槛、潜力和任务做哪家支行：None 表示全行（检验和比较总是用全行数据）
STEADY_LINE = 0.5  # 稳定度多少以上才拿来检验（更低的多半是刚开张或刚停用）
SHARE_LINE = 0.6  # 本行码占全部收款多少以上算“主要用我们的码”
ROUND_LINE = 0.30  # 整百元笔数占比高于多少可疑
NIGHT_LINE = 0.12  # 零点到五点笔数占比高于多少可疑（两条都高才算疑似刷单）
STAR_FLOOR = 2  # 几星以上才进门
PRODUCT = "L_MERCHANT"  # 商户信用贷的产品代码
PRODUCT_CAP = 500000  # 产品额度上限，元
PRODUCT_MIN = 5000  # 低于多少元不值得授信，元
INCOME_SHARE = 0.40  # 一年净利里拿多大一块还债
MONTHS_CAP = 3  # 额度最多是几个月看得见的流水
SHARE_FLOOR = 0.20  # 本行码占比低于多少按多少算，免得越除越大
TIER_STEADY = 0.80  # 稳定度多少以上才算一类
VISITS_PER_BRANCH = 8  # 一家支行一周最多走访几家商户
VISITS_PER_STAFF = 3  # 一位维护人一周最多走访几家商户

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m03_n04", BANK, AS_OF)
warning, stars, ranking = cu.analysis.warning, cu.analysis.stars, cu.analysis.ranking
wilson = cu.analysis.experiment.wilson
NAMES = {"level": "级别", "star": "星级", "stability": "稳定度", "trend": "趋势", "rate": "比例", "low": "区间下限", "n": "户数",
         "high": "区间上限", "limit": "测算额度", "sales": "全部月收款", "group": "行业", "tier": "类别", "monthly": "本行码月均",
         "expected": "预期用信", "merchants": "商户数", "area": "地区", "cover": "覆盖率", "own_code_share": "本行码占比"}  # fmt: skip

# %% [markdown]
# ## 业务情境
#
# 信贷部经理问：“收款码上天天有流水，这不就是现成的贷款客户吗？按流水给每家批一笔，行不行？**该先给谁，给多少，
# 哪家支行做得好，是真本事还是底子好？**”
#
# 流水是最新鲜的经营数据，可是流水不是利润，利润不是还款能力；码上的流水只是他收款的一部分；还有人专门刷流水来骗额度。
# 本课按“挡、量、比、派”四步走：挡住不该给的，量出给多少，公平地比，最后派到支行。
#
# 这些数据**不能**说明商户贷了以后会不会还：这里看到的不良，是过去那套审批放进来的人里的不良。稳定度是**现在**算的，
# 贷款坏在**以前**，先后次序并不干净，只能当线索。外面的贷款这里也看不到，正式授信要另查征信，查之前要客户书面同意
# [来源：征信业管理条例第 18 条]。
#
# ## 数据
#
# 商户、商户月度、贷款、授信额度，再加一张同业对标表。字段如下，单位以契约为准。

# %%
tables = {
    "merchant": ["merchant_id", "customer_id", "industry_code", "branch_id", "own_code_share", "grid_id"],
    "merchant_month": ["month", "transaction_amount", "active_days", "gap_days", "round_amount_share", "night_share"],
    "loan": ["customer_id", "product_code", "balance", "five_class", "overdue_days", "settle_date"],
    "credit_line": ["customer_id", "product_code", "limit", "used", "status", "first_draw_date"],
    "merchant_peer": ["bank_label", "area", "star", "merchants", "draws"],
}  # fmt: skip
cu.dictionary(bank, tables)

# %%
wanted = ["merchant_id", "customer_id", "industry_code", "branch_id", "employee_id", "grid_id", "x_km", "y_km",
          "near_school", "own_code_share", "status", "weight"]  # fmt: skip
merchants = bank.load("merchant", columns=[c for c in wanted if bank.has(f"merchant.{c}")])
merchants = merchants.reindex(columns=wanted)
trades = bank.load("industry", columns=["industry_code", "trade_group", "net_margin"])
merchants = merchants.merge(trades, on="industry_code", how="left").set_index("merchant_id")
merchants["group"] = merchants["trade_group"].astype("str")
merchants["kind"] = merchants["group"] + merchants["near_school"].map({True: "（校边）"}).fillna("")

# %%
monthly = bank.load("merchant_month")
HABITS = ["round_amount_share", "night_share"]  # 整百元笔数占比、零点到五点笔数占比
for name in HABITS:
    if not bank.has(f"merchant_month.{name}"):
        cu.say(f"本行的商户月度表没有 {name} 这一列，刷单这道门槛只能放空。")
        monthly[name] = np.nan
amount, active, gap = [monthly.pivot(index="merchant_id", columns="month", values=name)
                       for name in ("transaction_amount", "active_days", "gap_days")]  # fmt: skip
months = amount.columns

# %% [markdown] outline=["S004-C4.1", "S004-E1", "S004-E1.1"]
# ## 演示一：六个月，稳不稳，在涨还是在掉
#
# 两个数 [定义]，都先把季节拿掉（上半年有春节，学校边上有寒暑假，不拿掉就冤枉人；办法在《四级预警》一课）：
#
# - 稳定度 S 是一减去“六个月的标准差除以平均”，最低是零。越接近一，每个月越差不多。标准差用样本公式（除以个数减一）。
# - 趋势 r 是最近一个月除以前五个月的平均。一就是和从前一样。
#
# 两个数要一起看：S 低、r 高，是在涨；S 低、r 低，是在垮；S 高、r 也在一附近，才是细水长流。颜色是四级预警的级别。

# %%
table = warning.indicators(amount, active[months[-1]], gap[months[-1]], merchants["kind"])
table["level"] = warning.levels(table).astype("object")
facts = stars.facts(monthly, months[-1], merchants["kind"])
table["star"] = stars.rate(facts, merchants["group"])["star"]
six = amount.iloc[:, -6:]
table["monthly"], table["full"] = six.mean(axis=1), (six > 0).all(axis=1)
shops = merchants.join(table).dropna(subset=["level"])
dots = shops[shops["full"] & (shops["trend"] < 2)]
fig = cu.charts.bubble_map(dots, "stability", "trend", color="level", color_label="级别", cut_x=0.5, cut_y=0.85)
fig.axes[0].set(xlabel="稳定度 S", ylabel="趋势 r")
cu.charts.finish(fig, title=f"六个月都有收款的商户，中位稳定度 {dots['stability'].median():.2f}，{dots['level'].isin(['绿', '蓝']).mean():.0%} 在绿和蓝",
                 source=f"{bank.name}，{len(dots):,} 家样本商户；趋势超过两倍的没有画", alt="稳定度与趋势的散点，颜色是预警级别。")  # fmt: skip
up = (dots["stability"] < STEADY_LINE) & (dots["trend"] > 1)
cu.say(f"稳定度不到 {STEADY_LINE} 的有 {(dots['stability'] < STEADY_LINE).sum()} 家，其中 {up.sum()} 家是在**涨**："
       "只看稳定度会把生意变好的也挡在门外，所以要和趋势、级别一起看。")  # fmt: skip

# %% [markdown] outline=["S004-C4.2"]
# ## 演示二：商户质量和贷款好坏有没有关系
#
# 有过贷款的商户里，把“出过不良”（五级分类次级及以下，或逾期满 90 天 [定义]）的比例按稳定度、按本行码占比分组。
# 竖着看差多少，横线是区间：样本再抽一次，比例大致落在这段里。区间叠在一起，就不要说谁好谁坏。
#
# 只取六个月都有收款、稳定度在 `STEADY_LINE` 以上的：更低的多半刚开张或刚停用，那不是“不稳”，是没有六个月可算。

# %%
loans = bank.load("loan", columns=["customer_id", "product_code", "balance", "five_class", "overdue_days", "settle_date"])
loans["bad"] = loans["five_class"].isin(["次级", "可疑", "损失"]) | (loans["overdue_days"].fillna(0) >= 90)
shops["bad"] = shops["customer_id"].map(loans.groupby("customer_id")["bad"].max()).astype("boolean")
tested = shops[shops["bad"].notna() & shops["full"] & (shops["stability"] > STEADY_LINE)].copy()
tested["bad"] = tested["bad"].astype(int)
tested["band"] = pd.cut(tested["stability"], [0, 0.7, 0.8, 0.9, 1], labels=["0.7 以下", "0.7-0.8", "0.8-0.9", "0.9 以上"])
tested["share60"] = (tested["own_code_share"] > SHARE_LINE).astype(float)
by_band = tested.groupby("band", observed=True)["bad"].agg(["sum", "size"])
rates = wilson(by_band["sum"], by_band["size"]).set_axis("稳定度 " + by_band.index.astype("str")).assign(n=by_band["size"].to_numpy())
fig = cu.charts.bars_with_interval(rates, count="n")
apart = rates["low"].iloc[0] > rates["high"].iloc[-1]
cu.charts.finish(fig, title=f"最不稳的一组不良 {rates['rate'].iloc[0]:.1%}，最稳的 {rates['rate'].iloc[-1]:.1%}，"
                 f"{'区间分得开' if apart else '区间有重叠'}", source=f"{bank.name}，{len(tested)} 家有过贷款的样本商户",
                 alt="按稳定度分组的不良比例横条与区间。")  # fmt: skip

# %% [markdown]
# 分组会丢信息，再用逻辑回归把稳定度和本行码占比放在一起算。**优势比**是“出不良与不出不良之比”变成几倍：
# 一倍是没关系，0.5 是减半 [定义]。稳定度按“每高 0.2”来读 [定义]，本行码占比按“是否超过 `SHARE_LINE`”来读。

# %%
tested["steps"] = tested["stability"] / 0.2
odds = pd.DataFrame()
names = {"steps": "稳定度每高 0.2", "share60": f"本行码超过 {SHARE_LINE:.0%}"}
names = {column: name for column, name in names.items() if tested[column].std() > 0}
if tested["bad"].sum() >= 10:
    odds = cu.analysis.experiment.logistic(tested, "bad", list(names)).loc[list(names)].rename(index=names)
    fig = cu.charts.forest(odds, value="odds_ratio", reference=1, unit="倍", log=True)
    sure = [name for name, row in odds.iterrows() if row["high"] < 1 or row["low"] > 1]
    cu.charts.finish(fig, title=f"和不良的关系看得清的：{'、'.join(sure) or '一项也没有'}", source=f"{bank.name}，不良 {tested['bad'].sum()} 户",
                     alt="两个因素的优势比与区间。")  # fmt: skip
    cu.say("；".join(f"{name}，不良的优势比 {row['odds_ratio']:.2f}（{row['low']:.2f}–{row['high']:.2f}），"
                    f"{'看得清' if name in sure else '区间含一倍，这份样本里说不死'}" for name, row in odds.iterrows())
           + "。不良户数少，区间就宽；再说一遍，这是同时看到的关系，不是“变稳了就不坏”。")  # fmt: skip
else:
    cu.say(f"有过不良的商户只有 {tested['bad'].sum()} 家，太少，不做回归。")

# %% [markdown] outline=["S004-C4.K2"]
# ## 演示三：全口径，我们的码只看见他生意的几成
#
# 一家店常有好几个码。本行码占比（走访时估的）把看得见的流水换成**全口径**收款：全部月收款 = 本行码月均 ÷ 占比。
# 大纲里的福建案例讲的就是“全口径商户”；本课程用课堂数据做同样的分析，数字与那个案例无关。
#
# **覆盖率** = 本行码收款 ÷ 全部收款。覆盖率低的行业，与其急着放贷，不如先把码换过来：
# 看得见的越多，额度算得越准，演示二里主要用我们码的商户不良是高是低，你也看到了。
# 走访估的数会有错，占比低于 `SHARE_FLOOR` 的按 `SHARE_FLOOR` 算：分母越小，错一点就差很多。

# %%
known_share = shops["own_code_share"].clip(lower=SHARE_FLOOR).fillna(1.0)
if shops["own_code_share"].isna().all():
    cu.say("本行没有走访估的“本行码占比”，下面按全部收款都走本行码算：覆盖率没有意义，额度会偏小。")
shops["sales"] = shops["monthly"] / known_share
by_trade = shops[shops["full"]].groupby("group").agg(n=("sales", "size"), monthly=("monthly", "sum"), sales=("sales", "sum"))
by_trade["cover"] = by_trade["monthly"] / by_trade["sales"]
by_trade["outside"] = by_trade["sales"] - by_trade["monthly"]
by_trade = by_trade[by_trade["n"] >= 10].sort_values("outside", ascending=False)
cu.show(by_trade, rows=8, units={"cover": "%", "monthly": "万元", "sales": "万元", "outside": "万元"},
        names={**NAMES, "outside": "别家码上的", "sales": "全部月收款合计", "monthly": "本行码合计"})  # fmt: skip
all_cover = by_trade["monthly"].sum() / by_trade["sales"].sum()
poor = by_trade["cover"].idxmin()
cu.say(f"六个月都在用的样本商户，全口径覆盖率 **{all_cover:.0%}**；外面的钱最多的行业是 **{by_trade.index[0]}**，"
       f"覆盖率最低的是 {poor}（{by_trade.loc[poor, 'cover']:.0%}）。样本不到十家的行业不列。")  # fmt: skip

# %% [markdown]
# ## 演示四：刷出来的流水，一分额度都不能给
#
# 想骗额度的人会自己刷自己的码：金额整（一百、五百），时间怪（半夜）。真生意的零头多、有作息。
# 两条**同时**高才算疑似：整数多的可能是批发，半夜多的可能是夜宵摊。疑似也只是疑似，要上门核实；核实之前，一律不给额度。

# %%
recent = monthly[monthly["month"].isin(months[-6:])].groupby("merchant_id")
shops = shops.join(recent[HABITS].mean())
shops["fake"] = (shops["round_amount_share"] > ROUND_LINE) & (shops["night_share"] > NIGHT_LINE)
seen = shops.dropna(subset=HABITS)
if len(seen):
    picture = seen.assign(look=seen["fake"].map({True: "疑似刷单", False: "其他"})).sort_values("fake")
    fig = cu.charts.bubble_map(picture, *HABITS, color="look", color_label="", x_unit="%", y_unit="%", cut_x=ROUND_LINE, cut_y=NIGHT_LINE)
    fig.axes[0].set(xlabel="整百元笔数占比（%）", ylabel="零点到五点笔数占比（%）")
    part = wilson([seen["fake"].sum()], [len(seen)]).iloc[0]
    cu.charts.finish(fig, title=f"有收款的商户里 {part['rate']:.1%} 疑似刷单（区间 {part['low']:.1%}–{part['high']:.1%}）",
                     source=f"{bank.name}，近六个月，虚线是两条门槛", alt="整数占比与夜间占比的散点，右上角是疑似刷单。")  # fmt: skip
    level = seen.groupby("fake")["monthly"].median()
    above = (seen.loc[~seen["fake"], "monthly"] > level.get(True, 0)).mean()
    cu.say(f"疑似刷单的 {seen['fake'].sum()} 家，月均流水的中位数 {level.get(True, 0):,.0f} 元，其他还在收款的 {level.get(False, 0):,.0f} 元；"
           f"其他商户里有 {above:.0%} 流水比疑似的中位数还大：{'光看流水大小分不出来' if 0.2 < above < 0.8 else '流水大小能看出一点，但不够'}，要看金额和时间的样子。")  # fmt: skip

# %% [markdown] outline=["S004-C4.K1", "S004-E1.2"]
# ## 演示五：门槛漏斗，剩下谁
#
# 现状和潜力一起看：先数已经有商户贷额度的有多少，再从没有的里面一道道过门槛 [定义]：级别是绿或蓝；六个月都有收款；
# `STAR_FLOOR` 星以上；没有疑似刷单；名下贷款没有逾期和不良；不是企业户（企业走小微企业贷）；没有在用的经营贷额度。
# 每道门槛挡掉多少都列出来：哪一道挡得最多，哪一道就最值得复核。被挡下的商户，客户视图里要写明是哪一道，客户经理才解释得清。大纲里的四川案例也是先看现状、再看潜力；
# 这里不引用任何真实银行的数字，用本行不同类型的网点来做同样的对照。

# %%
people = bank.load("customer", columns=["customer_id", "customer_type", "occupation", "masked_name", "do_not_call", "manager_id"])
lines = bank.load("credit_line", columns=["customer_id", "product_code", "limit", "used", "status", "first_draw_date"])
business = [PRODUCT, "L_BUSINESS_MORTGAGE", "L_SME"]
using = lines[lines["product_code"].isin(business) & (lines["status"] == "有效")]
owed = loans[loans["settle_date"].isna()].groupby("customer_id").agg(
    debt=("balance", "sum"), late=("overdue_days", "max"), worst=("bad", "max"))  # fmt: skip
shops = shops.reset_index().merge(people, on="customer_id", how="left").merge(owed, on="customer_id", how="left").set_index("merchant_id")
shops["debt"] = shops["debt"].fillna(0)
clean = ~(shops["late"].fillna(0) > 0) & ~shops["worst"].fillna(False).astype(bool) & ~shops["bad"].fillna(False).astype(bool)

# %%
scope = shops[shops["status"] == "有效"]
scope = scope if BRANCH is None else scope[scope["branch_id"] == BRANCH]
gates = {"个人与个体户（不含学生）": (shops["customer_type"] != "企业") & (shops["occupation"] != "学生"), "绿或蓝": shops["level"].isin(["绿", "蓝"]), "六个月都有收款": shops["full"],
         f"{STAR_FLOOR} 星以上": shops["star"] >= STAR_FLOOR, "不像刷单": ~shops["fake"], "没有逾期不良": clean,
         "没有在用经营贷": ~shops["customer_id"].isin(using["customer_id"])}  # fmt: skip
left = pd.Series(True, index=scope.index)
counts = {"有效商户": len(scope)}
for name, passed in gates.items():
    left = left & passed.reindex(scope.index)
    counts[name] = left.sum()
counts = pd.Series(counts)
cu.charts.finish(cu.charts.funnel_steps(counts), title=f"{counts.iloc[0]:,} 家过完门槛剩 {counts.iloc[-1]:,} 家，"
                 f"挡得最多的是“{counts.diff().idxmin()}”这一道", source=f"{bank.name}，样本商户", alt="门槛漏斗，每一道剩下的户数。")  # fmt: skip

# %%
eligible = scope[left].copy()
has_line = scope["customer_id"].isin(lines.loc[lines["product_code"] == PRODUCT, "customer_id"])
risky = lines[lines["customer_id"].isin(scope.loc[scope["fake"], "customer_id"]) & (lines["status"] == "有效")]
cu.say(f"现状：{has_line.mean():.0%} 的商户批过商户贷额度。潜力：还没有、又过得了门槛的有 **{len(eligible):,}** 家（样本），"
       f"占 {len(eligible) / max(len(scope), 1):.0%}。另有一条要马上核的：疑似刷单的商户手里，有效额度还有 {len(risky)} 条，"
       f"共 {risky['limit'].sum() / 1e4:,.0f} 万元，已用 {risky['used'].sum() / 1e4:,.0f} 万元。")  # fmt: skip
kinds = bank.load("branch", columns=["branch_id", "branch_type"]).set_index("branch_id")["branch_type"]
by_kind = scope.assign(kind_of=scope["branch_id"].map(kinds), has_line=has_line, passed=left).groupby("kind_of").agg(
    n=("passed", "size"), has_line=("has_line", "mean"), passed=("passed", "sum"))  # fmt: skip
part = wilson(by_kind["passed"], by_kind["n"]).set_axis(by_kind.index)
by_kind = by_kind.assign(rate=part["rate"], low=part["low"], high=part["high"]).sort_values("rate", ascending=False)
cu.show(by_kind, rows=None, units=dict.fromkeys(["has_line", "rate", "low", "high"], "%"), title="现状与潜力，按网点类型",
        names={**NAMES, "kind_of": "网点类型", "has_line": "批过商户贷", "passed": "过了门槛", "rate": "过门槛的比例"})  # fmt: skip

# %% [markdown]
# ## 演示六：额度从流水来，三个上限取最小
#
# 本课程的测算 [定义]：三个上限取最小，再减去他在本行已有的贷款，不到 `PRODUCT_MIN` 的记作零。
#
# | 上限 | 怎么算 [参数] | 防什么 |
# |---|---|---|
# | 产品上限 | `PRODUCT_CAP` | 产品有封顶 |
# | 还得起 | 全部月收款 × 行业净利率 × 12 × 40% | 流水大利润薄 |
# | 看得见 | 本行码月均 × 3 | 别家码上的流水我们验证不了 |
#
# 全部月收款由走访估的占比推出来，净利率是行业平均，都不准。所以额度要报“一动动多少”，不能只报一个数。
# 这是营销用的**测算额度**，不是批复：正式授信前要查征信、看外面的负债，查之前要有书面同意 [来源：征信业管理条例第 18 条]。

# %%
def limits(frame, income_share=INCOME_SHARE, margin_times=1.0, share_times=1.0):
    share = (frame["own_code_share"] * share_times).clip(SHARE_FLOOR, 1).fillna(1.0)
    payable = frame["monthly"] / share * frame["net_margin"] * margin_times * 12 * income_share
    top = np.minimum(np.minimum(payable, frame["monthly"] * MONTHS_CAP), PRODUCT_CAP) - frame["debt"]
    return top.where(top >= PRODUCT_MIN, 0.0)



# %%
eligible["limit"] = limits(eligible)
changes = {"照参数算": {}, "占比其实高两成": {"share_times": 1.2}, "占比其实低两成": {"share_times": 0.8},
           "净利率薄三成": {"margin_times": 0.7}, "只拿三成净利还债": {"income_share": 0.3}}  # fmt: skip
totals = pd.Series({name: limits(eligible, **how).sum() for name, how in changes.items()})
moved = (totals / max(totals.iloc[0], 1) - 1).to_frame("change").assign(total=totals)
cu.show(moved, rows=None, units={"change": "%", "total": "万元"}, names={"index": "假设", "change": "额度合计变化", "total": "额度合计"})
given = eligible[eligible["limit"] > 0]
if len(given):
    fig = cu.charts.histogram(given["limit"], unit="万元", cuts={"中位数": given["limit"].median()})
    worst = moved["change"].abs().idxmax()
    cu.charts.finish(fig, title=f"{len(given):,} 家有额度，中位数 {given['limit'].median() / 1e4:.1f} 万元；动得最多的假设：{worst}（{moved.loc[worst, 'change']:+.0%}）",
                     source=f"{bank.name}，过了门槛的样本商户", alt="测算额度的直方图，竖线是中位数。")  # fmt: skip

# %% [markdown] outline=["S004-C4.3"]
# ## 演示七：谁做得好，先把底子摆平
#
# 提款率高的支行，是会营销，还是好商户本来就多？**直接标准化**的办法：先在每个星级里算支行的提款率，再用全行统一的星级构成加权，
# 等于问“要是每家支行的商户构成都一样，提款率会是多少”。小支行一个星级只有几家，比率晃得厉害，所以要带区间看。
#
# 地区之间也一样。下面先看本行支行，再看同业对标表里沿海、平原、山区三类地区的**原始**提款率；标准化留给你，在练习 E3。

# %%
lines["drew"] = lines["first_draw_date"].notna()
drew = lines[lines["product_code"] == PRODUCT].groupby("customer_id")["drew"].max()
shops["drew"] = shops["customer_id"].map(drew).fillna(False).astype(bool)
rated = shops[shops["star"].notna()].reset_index()
fair = ranking.standardise(rated, "drew", "branch_id", "star")
largest = fair.sort_values("n", ascending=False).head(8)
raw_part = wilson((largest["rate"] * largest["n"]).round(), largest["n"]).set_axis(largest.index)
bars = pd.concat([raw_part.assign(group="原始"), largest[["adjusted", "low", "high"]].rename(columns={"adjusted": "rate"}).assign(group="按星级标准化")])
bars["branch"] = bars.index
order_changed = (fair["rate"].rank(method="first") != fair["adjusted"].rank(method="first")).mean()
apart = ((largest["low"] > rated["drew"].mean()) | (largest["high"] < rated["drew"].mean())).sum()
fig = cu.charts.bars_with_interval(bars, label="branch", group="group")
cu.charts.finish(fig, title=f"标准化以后，{order_changed:.0%} 的支行名次变了；最大的 {len(largest)} 家里，{f'{apart} 家' if apart else '没有一家'}和全行平均分得开",
                 source=f"{bank.name}，商户贷提款率，全部商户为分母", alt="八家支行原始与标准化提款率的横条和区间。")  # fmt: skip

# %%
factors = [name for name in ("star", "stability", "own_code_share") if rated[name].notna().any()]
complete = rated.dropna(subset=factors).astype({"drew": int})
parts = cu.analysis.experiment.logistic(complete, "drew", factors, cluster="branch_id").loc[factors]
seen_effects = [f"{name}（优势比 {row['odds_ratio']:.2f}）" for name, row in parts.rename(index=NAMES).iterrows()
                if row["low"] > 1 or row["high"] < 1]  # fmt: skip
cu.say(f"最大的 {len(largest)} 家支行里，{len(largest) - apart} 家的区间盖住了全行平均：看不出差别的，不排名次。本行的提款率和星级、稳定度、本行码占比的关系，"
       f"{'看得清的有' + '、'.join(seen_effects) if seen_effects else '一项都看不清：可能没有按质量分层去做，也可能户数不够；两样都值得改'}。")  # fmt: skip
if bank.has("merchant_peer"):
    peers = bank.load("merchant_peer")
else:
    cu.say("本行没有同业对标表，下面用本行支行类型代替地区。")
    peers = rated.assign(area=rated["branch_id"].map(kinds)).groupby(["area", "star"]).agg(merchants=("drew", "size"), draws=("drew", "sum")).reset_index()

# %%
areas = peers.groupby("area")[["merchants", "draws"]].sum()
area_rates = wilson(areas["draws"], areas["merchants"]).set_axis(areas.index).assign(n=areas["merchants"]).sort_values("rate")
mix = peers.pivot_table(index="area", columns="star", values="merchants", aggfunc="sum")
mix = mix.div(mix.sum(axis=1), axis=0).loc[area_rates.index]
mix.columns = [f"{star} 星" for star in mix.columns]
cu.show(mix.assign(rate=area_rates["rate"]), rows=None, units=dict.fromkeys([*mix.columns, "rate"], "%"),
        names={**NAMES, "rate": "原始提款率"}, title="三类地区的星级构成和原始提款率（同业对标表，通用代称）")  # fmt: skip
best, last = area_rates.index[-1], area_rates.index[0]
cu.say(f"原始提款率最高的是**{best}**（{area_rates['rate'].iloc[-1]:.1%}），最低的是**{last}**（{area_rates['rate'].iloc[0]:.1%}）。"
       f"可是{best}的四、五星占 {mix.loc[best].iloc[-2:].sum():.0%}，{last}占 {mix.loc[last].iloc[-2:].sum():.0%}："
       f"{'构成差得远，比率没法直接比，先别急着去取经' if mix.loc[best].iloc[-2:].sum() - mix.loc[last].iloc[-2:].sum() > 0.05 else '构成差不多，比率大致可比'}。")  # fmt: skip

# %% [markdown] outline=["S004-C4.4", "S004-E1.3", "S004-E1.4"]
# ## 演示八：潜力在哪里，分三类派下去
#
# **预期用信** = 测算额度 × 平均用信率 × 转化率。用信率取本行现有商户贷额度的平均已用比例；转化率按星级取同业对标表的提款率。
# 两个都是别人或过去的数，本行今年能不能做到，做了才知道。
#
# 分类和价格带 [定义]：四星以上、或三星而且稳定度在 `TIER_STEADY` 以上、又主要用我们的码的是**一类**；其余三星以上是**二类**；二星是**三类**。
# 产品利率区间分成三段，一类谈下段，二类谈中段，三类谈上段。同一类的人，同一个价格带：
# 给条件相同的客户不合理的差别价，是法律不许的 [来源：个人信息保护法第 24 条]。
#
# 名单不是一次性的。级别每月重算，掉到黄的从名单上拿下来（多久看一次，见《四级预警》一课）；
# 离四星只差一步的临界客户，先给养成目标，升上去再谈一类的价。

# %%
conversion = peers.groupby("star")[["draws", "merchants"]].sum()
conversion = conversion["draws"] / conversion["merchants"]
current = lines[(lines["product_code"] == PRODUCT) & (lines["status"] == "有效")]
use_rate = (current["used"].sum() / current["limit"].sum()) if len(current) else 0.4
eligible["expected"] = eligible["limit"] * use_rate * eligible["star"].map(conversion)
mainly = eligible["own_code_share"] > SHARE_LINE
first = (eligible["star"] >= 4) | ((eligible["star"] == 3) & (eligible["stability"] >= TIER_STEADY) & mainly)
near = stars.critical(facts, merchants["group"])
eligible["tier"] = np.select([first, eligible["star"] >= 3], ["一类", "二类"], default="三类")

# %%
product = bank.load("product", columns=["product_code", "rate_low", "rate_high"]).set_index("product_code").loc[PRODUCT]
third = (product["rate_high"] - product["rate_low"]) / 3
bands = {name: f"{product['rate_low'] + i * third:.2f}%–{product['rate_low'] + (i + 1) * third:.2f}%" for i, name in enumerate(["一类", "二类", "三类"])}
tiers = eligible[eligible["limit"] > 0].groupby("tier").agg(n=("limit", "size"), limit=("limit", "median"), expected=("expected", "sum"))
tiers["band"] = pd.Series(bands)
cu.show(tiers, rows=None, names={**NAMES, "band": "价格带", "limit": "额度中位数", "expected": "预期用信合计"}, units={"limit": "万元", "expected": "万元"})

# %%
spots = eligible[eligible["limit"] > 0].groupby(eligible["grid_id"].fillna(eligible["branch_id"])).agg(
    x=("x_km", "mean"), y=("y_km", "mean"), expected=("expected", "sum"), n=("limit", "size"))  # fmt: skip
spots = spots.dropna().sort_values("expected", ascending=False)
if len(spots):
    spots["place"] = np.where(np.arange(len(spots)) < max(len(spots) // 5, 1), "前两成", "其余")
    fig = cu.charts.bubble_map(spots, "x", "y", size="expected", color="place", color_label="网格", x_unit="公里", y_unit="公里")
    top = spots.loc[spots["place"] == "前两成", "expected"].sum() / spots["expected"].sum()
    cu.charts.finish(fig, title=f"预期用信最多的两成网格占了 {top:.0%}", source=f"{bank.name}，圆点是网格，越大预期用信越多",
                     alt="网格位置图，圆点大小是预期用信。")  # fmt: skip
cu.say(f"一类 {tiers['n'].get('一类', 0)} 家，二类 {tiers['n'].get('二类', 0)} 家，三类 {tiers['n'].get('三类', 0)} 家；"
       f"二、三类里有 {eligible.index[~first].isin(near.index).sum()} 家是四星的临界客户。样本预期用信合计 **{tiers['expected'].sum() / 1e4:,.0f}** 万元（用信率 {use_rate:.0%}）。")  # fmt: skip

# %% [markdown]
# ## 练习
#
# **E1 ★★ 稳定度和趋势** 写函数 `steady(amounts, season)`：`amounts` 是一家商户六个月的收款（列表，先旧后新），
# `season` 是同样六个月的季节指数（列表）或 `None`（不去季节）。返回 `(S, r)`，定义在演示一。
# 六个月全是零的返回 `(0, 0)`；前五个月全是零、算不出 r 的，r 记零。

# %% tags=["answer:E1"]
steady = ...  # ← 写一个函数 steady(amounts, season)
### BEGIN SOLUTION
def steady(amounts, season):
    even = np.array(amounts, dtype=float)
    if season is not None:
        even = even / np.array(season, dtype=float)
    if even.sum() == 0:
        return 0, 0
    before = even[:5].mean()
    ratio = even[5] / before if before > 0 else 0
    return max(0, 1 - even.std(ddof=1) / even.mean()), ratio
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:multiplied"]
def steady(amounts, season):
    even = np.array(amounts, dtype=float) * (1 if season is None else np.array(season))
    before = even[:5].mean()
    if even.sum() == 0:
        return 0, 0
    return max(0, 1 - even.std(ddof=1) / even.mean()), even[5] / before if before > 0 else 0

# %% tags=["wrong:E1:population_sd"]
def steady(amounts, season):
    even = np.array(amounts, dtype=float) / (1 if season is None else np.array(season))
    before = even[:5].mean()
    if even.sum() == 0:
        return 0, 0
    return max(0, 1 - even.std() / even.mean()), even[5] / before if before > 0 else 0

# %% tags=["wrong:E1:six_in_base"]
def steady(amounts, season):
    even = np.array(amounts, dtype=float) / (1 if season is None else np.array(season))
    if even.sum() == 0:
        return 0, 0
    return max(0, 1 - even.std(ddof=1) / even.mean()), even[5] / even.mean()

# %% tags=["alternative:E1:series"]
def steady(amounts, season):
    even = pd.Series(amounts, dtype=float) / (1.0 if season is None else pd.Series(season))
    if even.mean() == 0:
        return (0.0, 0.0)
    base = even.iloc[:-1].mean()
    return (max(1 - even.std() / even.mean(), 0.0), 0.0 if base == 0 else even.iloc[-1] / base)

# %% [markdown]
# **E2 ★★ 一家商户的额度** 写函数 `limit_of(monthly, margin, share, debt)`：本行码月均、行业净利率、本行码占比、在本行的贷款余额，
# 返回测算额度（元）。规则在演示六，参数用 `PRODUCT_CAP`、`PRODUCT_MIN`、`INCOME_SHARE`、`MONTHS_CAP`、`SHARE_FLOOR`。
# 想清楚：占比很小的怎么办？先减负债，还是先取最小？减完不够起点的给多少？

# %% tags=["answer:E2"]
limit_of = ...  # ← 写一个函数 limit_of(monthly, margin, share, debt)
### BEGIN SOLUTION
def limit_of(monthly, margin, share, debt):
    sales = monthly / max(share, SHARE_FLOOR)
    payable = sales * margin * 12 * INCOME_SHARE
    top = min(PRODUCT_CAP, payable, monthly * MONTHS_CAP) - debt
    return top if top >= PRODUCT_MIN else 0
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:debt_before_min"]
def limit_of(monthly, margin, share, debt):
    payable = monthly / max(share, SHARE_FLOOR) * margin * 12 * INCOME_SHARE - debt
    top = min(PRODUCT_CAP, payable, monthly * MONTHS_CAP)
    return top if top >= PRODUCT_MIN else 0

# %% tags=["wrong:E2:visible_only"]
def limit_of(monthly, margin, share, debt):
    top = min(PRODUCT_CAP, monthly * margin * 12 * INCOME_SHARE, monthly * MONTHS_CAP) - debt
    return top if top >= PRODUCT_MIN else 0

# %% tags=["wrong:E2:turnover_is_income"]
def limit_of(monthly, margin, share, debt):
    top = min(PRODUCT_CAP, monthly * MONTHS_CAP) - debt
    return top if top >= PRODUCT_MIN else 0

# %% tags=["alternative:E2:numpy"]
def limit_of(monthly, margin, share, debt):
    real_share = SHARE_FLOOR if share < SHARE_FLOOR else share
    caps = np.array([PRODUCT_CAP, MONTHS_CAP * monthly, 12 * INCOME_SHARE * margin * monthly / real_share])
    left = float(caps.min()) - debt
    return 0.0 if left < PRODUCT_MIN else left

# %% [markdown]
# **E3 ★★★ 把底子摆平再比** 用 `peers` 算每个地区的两种提款率，赋给 `fair_rates`（表，索引是 `area`，列 `raw`、`adjusted`）：
# `raw` 是原始提款率（提款数合计 ÷ 商户数合计）；`adjusted` 是按星级直接标准化的提款率，标准构成用**所有地区合起来**的各星级商户占比。
# 算完想一想：地区之间的差距还剩多少？

# %% tags=["answer:E3"]
fair_rates = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
cell = peers.pivot_table(index="area", columns="star", values=["draws", "merchants"], aggfunc="sum")
star_rate = cell["draws"] / cell["merchants"]
standard = peers.groupby("star")["merchants"].sum() / peers["merchants"].sum()
raw_rate = cell["draws"].sum(axis=1) / cell["merchants"].sum(axis=1)
fair_rates = pd.DataFrame({"raw": raw_rate, "adjusted": (star_rate * standard).sum(axis=1)})
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:own_mix"]
cell = peers.pivot_table(index="area", columns="star", values=["draws", "merchants"], aggfunc="sum")
own = cell["merchants"].div(cell["merchants"].sum(axis=1), axis=0)
raw_rate = cell["draws"].sum(axis=1) / cell["merchants"].sum(axis=1)
fair_rates = pd.DataFrame({"raw": raw_rate, "adjusted": (cell["draws"] / cell["merchants"] * own).sum(axis=1)})

# %% tags=["wrong:E3:plain_mean"]
cell = peers.pivot_table(index="area", columns="star", values=["draws", "merchants"], aggfunc="sum")
raw_rate = cell["draws"].sum(axis=1) / cell["merchants"].sum(axis=1)
fair_rates = pd.DataFrame({"raw": raw_rate, "adjusted": (cell["draws"] / cell["merchants"]).mean(axis=1)})

# %% tags=["wrong:E3:mean_of_rates"]
peers["one_rate"] = peers["draws"] / peers["merchants"]
standard = peers.groupby("star")["merchants"].sum() / peers["merchants"].sum()
star_rate = peers.pivot_table(index="area", columns="star", values="one_rate", aggfunc="mean")
fair_rates = pd.DataFrame({"raw": peers.groupby("area")["one_rate"].mean(), "adjusted": (star_rate * standard).sum(axis=1)})

# %% tags=["alternative:E3:merge"]
by_cell = peers.groupby(["area", "star"], as_index=False)[["draws", "merchants"]].sum()
weights = (by_cell.groupby("star")["merchants"].sum() / by_cell["merchants"].sum()).rename("weight").reset_index()
by_cell = by_cell.merge(weights, on="star")
by_cell["part"] = by_cell["weight"] * by_cell["draws"] / by_cell["merchants"]
sums = by_cell.groupby("area")[["draws", "merchants", "part"]].sum()
fair_rates = sums.assign(raw=sums["draws"] / sums["merchants"]).rename(columns={"part": "adjusted"})[["raw", "adjusted"]]

# %% [markdown]
# **E4 ★★★ 派这一周的走访** 从 `eligible` 里选商户，赋给 `visit_plan`（表，列 `merchant_id`、`branch_id`）。
# 规矩：只走访 `limit` 大于零的；归哪家支行就由哪家去；每家支行一周不超过 `VISITS_PER_BRANCH` 家；
# 每位维护人（`employee_id`）不超过 `VISITS_PER_STAFF` 家；谢绝来电（`do_not_call`）和没有营销授权（`consent`）的不去；一家只去一次。
# 目标：预期用信（`expected`）合计尽量大，达到参照方案的 95% [定义]。

# %% tags=["answer:E4"]
agreed = bank.load("consent", columns=["customer_id", "scope", "granted", "expire_date"])
agreed = agreed[(agreed["scope"] == "营销") & agreed["granted"] & ~(agreed["expire_date"] < bank.as_of)]
eligible["consent"] = eligible["customer_id"].isin(agreed["customer_id"])
visit_plan = ...  # ← 把 ... 换成你的名单
### BEGIN SOLUTION
allowed = eligible[(eligible["limit"] > 0) & ~eligible["do_not_call"] & eligible["consent"]]
allowed = allowed.reset_index().sort_values(["expected", "merchant_id"], ascending=[False, True])
mine = allowed.groupby("employee_id").head(VISITS_PER_STAFF)
visit_plan = mine.groupby("branch_id").head(VISITS_PER_BRANCH)[["merchant_id", "branch_id"]]
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:stars_first"]
allowed = eligible[(eligible["limit"] > 0) & ~eligible["do_not_call"] & eligible["consent"]]
allowed = allowed.reset_index().sort_values(["star", "merchant_id"], ascending=[False, True])
mine = allowed.groupby("employee_id").head(VISITS_PER_STAFF)
visit_plan = mine.groupby("branch_id").head(VISITS_PER_BRANCH)[["merchant_id", "branch_id"]]

# %% tags=["wrong:E4:forgot_wishes"]
allowed = eligible[eligible["limit"] > 0].reset_index().sort_values(["expected", "merchant_id"], ascending=[False, True])
mine = allowed.groupby("employee_id").head(VISITS_PER_STAFF)
visit_plan = mine.groupby("branch_id").head(VISITS_PER_BRANCH)[["merchant_id", "branch_id"]]

# %% tags=["wrong:E4:branch_only"]
allowed = eligible[(eligible["limit"] > 0) & ~eligible["do_not_call"] & eligible["consent"]]
allowed = allowed.reset_index().sort_values(["expected", "merchant_id"], ascending=[False, True])
visit_plan = allowed.groupby("branch_id").head(VISITS_PER_BRANCH)[["merchant_id", "branch_id"]]

# %% tags=["alternative:E4:ranks"]
allowed = eligible[(eligible["limit"] > 0) & ~eligible["do_not_call"] & eligible["consent"]].reset_index()
place = allowed.groupby("employee_id")["expected"].rank(method="first", ascending=False)
allowed = allowed[place <= VISITS_PER_STAFF]
place = allowed.groupby("branch_id")["expected"].rank(method="first", ascending=False)
visit_plan = allowed[place <= VISITS_PER_BRANCH][["merchant_id", "branch_id"]]

# %% [markdown]
# ## 成果
#
# 先把 E3 的结果画出来，给会上那句“为什么人家做得比我们好”一个公平的回答；再把 E4 的名单写成支行能用的走访任务。
# 名单只写类别、价格带和额度档，不写流水原数；用途、销毁日期写在每一页上。

# %%
cu.carry_on("E3")
both = fair_rates.rename(columns={"raw": "原始", "adjusted": "按星级标准化"})
fig = cu.charts.slope(both, "原始", "按星级标准化", unit="%")
wide_gap, fair_gap = np.ptp(fair_rates["raw"]), np.ptp(fair_rates["adjusted"])
cu.charts.finish(fig, title=f"地区差距从 {100 * wide_gap:.1f} 个百分点变成 {100 * fair_gap:.1f} 个：{'差的是底子，不是本事' if fair_gap < wide_gap / 3 else '摆平底子以后还有差距'}",
                 source="同业对标表（通用代称）", alt="三类地区原始提款率与标准化提款率的连线。")  # fmt: skip
cu.say(f"各地区原始提款率最多差 {100 * wide_gap:.1f} 个百分点，按星级标准化后最多差 {100 * fair_gap:.1f} 个百分点。"
       f"{'要追的不是别人的话术，是自己的商户质量：先把二、三星养成四星。' if fair_gap < wide_gap / 3 else '底子摆平以后的差距，才值得去学。'}")  # fmt: skip

# %%
cu.carry_on("E4")
plan = visit_plan[["merchant_id"]].merge(eligible.reset_index(), on="merchant_id")
plan["price"], sheet = plan["tier"].map(bands), cu.deliver.Sheet
steps_of = [0, 50_000, 100_000, 200_000, 300_000, np.inf]
plan["size"] = pd.cut(plan["limit"], steps_of, labels=["5 万以内", "5-10 万", "10-20 万", "20-30 万", "30 万以上"]).astype("str")
plan = plan.sort_values(["tier", "expected", "merchant_id"], ascending=[True, False, True])
words = {**NAMES, "price": "价格带", "size": "额度档", "group": "行业"}
columns = ["branch_id", "merchant_id", "masked_name", "group", "tier", "star", "level", "size", "price", "employee_id"]
sums = plan.groupby("branch_id").agg(n=("limit", "size"), expected=("expected", "sum")).reset_index()

# %%
path = cu.deliver.call_list(
    bank.output_dir("m03_n04") / "商户贷营销清单.xlsx", plan[columns], branch_column="branch_id", title="商户贷走访任务",
    purpose="商户信用贷营销走访", purge_date=bank.as_of + pd.Timedelta(days=30), names=words,
    result_codes=["有意向-约资料", "考虑中", "不需要", "已有他行贷款", "没见到人"],
    notes=["额度档是测算，不是承诺；正式授信前取得征信授权。", "走访时核对本行码占比，看不像刷单。"],
    extra={"支行任务": sheet(sums, "支行任务", names=words, units={"expected": "万元"}, totals=["n", "expected"])})  # fmt: skip
cu.say(f"`{path.name}` 已写好：{plan['branch_id'].nunique()} 家支行，{len(plan)} 家样本商户，一类 {(plan['tier'] == '一类').sum()} 家，"
       f"预期用信 {plan['expected'].sum() / 1e4:,.0f} 万元。")  # fmt: skip

# %% [markdown]
# ## 讨论
#
# 码上流水大，就还得起吗？可以从这几个方向争一争：
#
# - 批发店流水大、利润薄；理发店流水小、利润厚。同样的月流水，额度该差几倍？
# - 商户知道“流水多就给额度”以后，会做什么？门槛公布到哪一步合适？
# - 收款数据是为了结算留下的，拿来推销贷款，客户当初同意了吗？没有勾选营销授权的，能不能当面问一声？
#
# ## 小结
#
# 先挡后量：级别、星级、刷单、逾期四道门槛，再用三个上限取最小。比支行、比地区，先按星级标准化，再看区间。
# 潜力要落到人：一周能去几家，先去预期用信大的，价格按类别走，不看人下菜。
#
# 下一课：ETC 客群的信贷潜力与精准营销。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 下表把生成器埋下的数和课堂找到的数放在一起。说明：
#
# - 稳定度的优势比，课堂上同时放进了本行码占比，样本也去掉了半路开张的，和真值的算法略有不同；不良户少，区间宽，点估计会晃。
# - 本行码占比那一条，真值是不良率的相对变化，课堂另算一遍（表里就是），区间多半含零，“说不死”是正确答案。
# - 地区差距是埋下的陷阱：三类地区分星级的提款率一样，差的只是星级构成。
#
# 常见弯路：用去除季节之前的稳定度；把疑似刷单的当好客户（他们的流水不比别人小）；标准化时用了各地自己的构成，算来算去还是原始率。
# 时间：演示 50 分钟，练习 40 分钟。

# %% tags=["instructor"]
borrowers = shops[shops["bad"].notna() & shops["own_code_share"].notna()].copy()
high = borrowers["own_code_share"] > SHARE_LINE
bad = borrowers["bad"].astype(float)
found = {"or_stab": odds["odds_ratio"].iloc[0] if len(odds) else None,
         "pd_share60": bad[high].mean() / bad[~high].mean() - 1, "fake_volume": seen["fake"].mean() if len(seen) else None,
         "simpson_area": bool(fair_gap < wide_gap / 3)}  # fmt: skip
cu.reveal(bank, "m03_n04", found, names={
    "or_stab": "稳定度每高 0.2 的不良优势比", "pd_share60": "本行码超过六成，不良率的相对变化",
    "fake_volume": "刷单商户占比", "simpson_area": "按星级标准化后地区差距消失"})  # fmt: skip
