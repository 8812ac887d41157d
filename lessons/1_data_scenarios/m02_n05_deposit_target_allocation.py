# %% [markdown]
# # 存款指标分解：日均、期限结构与对公开户
#
# 课程：银行数据应用 · 大纲：S004-D5、S004-D5.1、S004-D5.2、S004-D5.3、S004-D5.4 · 难度：L3 · 用时：90 分钟
#
# 学完本课，你能：
#
# - 算清一块钱早来一天值多少，把年日均目标拆到网点、产品和月份；
# - 用“难度”给分解方案打分，说得出自己网点这个数凭什么；
# - 在留得住钱的前提下压降三年期，并看穿对公开户里的“数字户”。
#
# Abstract: Split an annual-average deposit target by branch, product and month, steer maturing money into shorter terms without losing it, and set a corporate-account target that cannot be gamed.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 重点看哪家网点：None 表示换分法后增幅变化最大的那一家
GROWTH = 0.08  # 没有下达初稿时，全行年日均计划增幅
WEIGHTS = {"base": 0.4, "potential": 0.4, "capacity": 0.2}  # 混合法里基数、潜力、人手的权重
FLOOR_GROWTH = 0.03  # 每家网点增幅的下限
CAP_GROWTH = 0.15  # 每家网点增幅的上限
LOW_BASE = 0.45  # 基数排在后百分之多少算低
HIGH_POTENTIAL = 0.75  # 潜力排在这个分位以上算高
PRODUCT_MIX = {"personal_demand": 0.15, "personal_term": 0.6, "corporate_demand": 0.2, "corporate_term": 0.05}  # 全行增量的产品构成
PERSONAL_SEASON = [0.3, 0.27, 0.1, -0.06, 0.01, 0.08, -0.05, 0.03, 0.08, -0.05, 0.02, 0.27]  # 个人存款各月占全年增量的比例
CORPORATE_SEASON = [-0.1, -0.05, 0.3, -0.2, -0.05, 0.35, -0.2, 0.0, 0.25, -0.15, 0.05, 0.8]  # 对公存款各月占全年增量的比例
REVIEW_MONTH = 6  # 年中在哪个月末复盘
REVIEW_GAP = 0.02  # 预测缺口超过多少才讨论调目标
RETENTION = 0.74  # 没有留存记录时，到期资金留得住的比例
MIN_ROWS = 100  # 少于多少笔到期不单独估计留存
STEER_LOSS = {"1 年及以内": 0.13, "2 年": 0.08}  # 劝客户从长期改到这一档，被劝的钱里额外走掉的比例
GUIDE_LIMIT = 0.12  # 每一档最多能引导到期总额的多少
MAX_LOSS = 0.012  # 为压降付息最多愿意多流失多少
REPLACE_RATE = 1.9  # 没有转移价格时，走掉的钱按什么年利率补回来
ACTIVE_COUNT = 2  # 新开对公户九十天内至少几笔主动交易才算有效
QUARTER_DAYS = 10  # 季末前几天之内开户算“卡季末”
STAR_DAYS = 15  # 商户一个月有收款的天数达到几天算活跃
EXERCISE_STRETCH = 1.1  # 练习 E2：总增量加到几倍
EXERCISE_FLOOR = 0.05  # 练习 E2：增幅下限
EXERCISE_CAP = 0.12  # 练习 E2：增幅上限
EXERCISE_FAIRER = 0.8  # 练习 E2：难度差异最多是基数法的几成
EXERCISE_LOSS = 0.006  # 练习 E3：最多多流失多少

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m02_n05", BANK, AS_OF)
allocate = cu.analysis.allocate
# 表头的中文名和单位，后面各表共用
words = {"base": "去年日均", "goal": "目标日均", "growth": "目标增量", "growth_rate": "增幅", "draft_growth": "初稿增量",
         "potential": "片区潜力", "difficulty": "难度", "draft_difficulty": "初稿难度", "start": "年初余额",
         "year_end": "年末要到", "total": "合计", "share": "占比", "low": "区间下限", "high": "区间上限",
         "option": "去处", "retention": "留存", "limit": "占比上限", "rate": "比率", "count": "笔数"}
in_wan = ["base", "goal", "growth", "draft_growth", "potential", "start", "year_end", "total"]
in_percent = ["growth_rate", "difficulty", "draft_difficulty", "share", "low", "high", "retention", "limit", "rate"]
units = {**dict.fromkeys(in_wan, "万元"), **dict.fromkeys(in_percent, "%"), "count": "笔"}

# %% [markdown]
# ## 业务情境
#
# 年初的任务会上，两位支行行长先后拍了桌子。一位说：“我这个镇年轻人都走光了，凭什么也要涨一样的比例？”
# 另一位说：“去年我拼命干，今年基数就抬高；他去年躺平，今年任务反而轻。”计财部的人低头翻表格，因为初稿就是
# “去年数乘以一个统一的增幅”。
#
# 本课把这张表重做一遍：**总数怎么拆到网点、拆到产品、拆到每个月；三年期压多少不伤筋骨；对公开户怎么考才不出假户。**
#
# 这些数据**不能**告诉你一个网点“最多能做多少”：潜力是测算值，不是承诺；也**不能**证明换了分解方法存款就会多，
# 那要挑一部分网点先试一年再比。
#
# ## 数据
#
# 主角是网点每天的存款余额。账户表用来看期限和对公户，利率表、转移价格用来算成本，商户月表用来找便宜的钱。

# %%
tables = {
    "branch_day": ["date", "branch_id", "personal_term", "corporate_demand"],
    "branch": ["branch_id", "branch_type", "deposit_potential"],
    "target": ["period_start", "branch_id", "metric", "target"],
    "deposit_account": ["term_months", "maturity_date", "amount", "kept_amount_30d", "transaction_count_90d"],
    "merchant_month": ["month", "merchant_id", "active_days", "settlement_deposit_average"],
}
cu.dictionary(bank, tables)

# %% [markdown] outline=["S004-D5.2", "S000-2.3.2.1.1.1"]
# ## 演示一：一块钱早来一天，值多少
#
# 定目标先认清考的是什么。考**年日均**，就是把一年里每天的余额加起来除以天数。换个角度看更有用：
# 一笔净流入在第 `d` 天到账，它在账上躺了 `D − d + 1` 天，对年日均的贡献就是它乘以 `(D − d + 1) / D`。
# 把每天的净流入这样折算、再加上年初余额，恰好等于年日均——下面用真实余额验证。
#
# 这就是“先发优势”：早一天到账，贡献多 `1 / D`。第二格把同一笔一千万元 [参数] 放在不同的日子，比比贡献；
# 再看去年哪个月末“鼓”得最高：多出来的钱如果只停三天 [参数]，换来多少年日均。

# %%
money = ["personal_demand", "personal_term", "corporate_demand", "corporate_term"]
daily = bank.load("branch_day", columns=["date", "branch_id", *money])
daily["deposits"] = daily[money].sum(axis=1)
last_day = daily["date"].max()
base_year = last_day.year if (last_day.month, last_day.day) == (12, 31) else last_day.year - 1
total = daily.groupby("date")["deposits"].sum()
year = total[total.index.year == base_year]
before = total[total.index < year.index[0]]
start_balance = before.iloc[-1] if len(before) else year.iloc[0]
days = len(year)
flow = year.diff().fillna(year.iloc[0] - start_balance)  # 每天的净流入
day_value = pd.Series((days - np.arange(days)) / days, index=year.index)  # 这天来的一块钱顶几块
rebuilt = start_balance + (flow * day_value).sum()
cu.say(f"{base_year} 年：按天平均，年日均 **{year.mean() / 1e8:.4f}** 亿元；"
       f"按流入折算，**{rebuilt / 1e8:.4f}** 亿元；相差 {abs(rebuilt - year.mean()):.2f} 元。")

# %%
dates = pd.to_datetime([f"{base_year}-{day}" for day in ["01-02", "03-31", "06-30", "09-30", "12-31"]])
sample = pd.DataFrame({"date": dates, "value": day_value.reindex(dates).to_numpy()})
sample["average"] = sample["value"] * 10_000_000
cu.show(sample, names={"date": "到账日", "value": "一块钱顶", "average": "一千万元的贡献"}, units={"value": "%", "average": "万元"})
months = cu.analysis.caliber.month_table(year.rename("balance").reset_index())
bulge = months.loc[months["deviation"].idxmax()]
extra = bulge["month_end"] - bulge["month_average"]
cu.say(f"{bulge['month']:%Y-%m} 月末比当月日均高 **{extra / 1e8:.2f}** 亿元（偏离 {bulge['deviation']:.1%}）。"
       f"这些钱若只停三天，对年日均只贡献 **{extra * 3 / days / 1e4:,.0f}** 万元：冲时点，换不来日均。")

# %% [markdown] outline=["S004-D5", "S004-D5.1", "S000-2.3.1.2.2", "S000-2.3.2.1.1.1.1"]
# ## 演示二：先审初稿——怎么来的，难得公平不公平
#
# 常见的下达流程是五步：总行定总数 → 计财出初稿 → 网点反馈 → 平衡会定稿 → 年中复盘。争吵多半发生在第二步，
# 因为初稿用的是**基数法**：每家都在自己的基数上乘同一个增幅。什么叫合理的目标？本课程定义两把尺：
#
# - **难度** = 目标增量 ÷ 片区潜力。潜力是片区里还能争取的存款，有普查测算值就用它。
# - **公平** = 各家难度差不多。差异用“变异系数”量：标准差除以平均数，越小越公平。
#
# 潜力这把尺自己准不准，也要先量。第二格另做一把尺：把当地全部存款按常住户数和商铺数摊到片区，
# 再减去本行已有的（商铺占两成，本课程定义），看两把尺对不对得上。网点只有几十家，相关系数要带区间读，区间跨过零就别当真。
# 潜力大不等于钱自己会来，它是**参考**，不是唯一依据。最后一句再算“鞭打快牛”：涨得最快的网点和“去年只涨中位数”相比，今年多背多少。

# %%
daily["year"] = daily["date"].dt.year
averages = daily.pivot_table(index="branch_id", columns="year", values="deposits", aggfunc="mean")
branches = bank.load("branch").set_index("branch_id")
branches["base"] = averages[base_year]
branches = branches[branches["base"] > 0]
names = branches["branch_name"]
staff = bank.load("employee", columns=["branch_id", "active"])
branches["capacity"] = staff[staff["active"]].groupby("branch_id").size().reindex(branches.index).fillna(1)
target = bank.load("target")
target = target[(target["metric"] == "存款年日均") & target["employee_id"].isna()]
draft = target[target["period_start"].dt.year == base_year + 1].set_index("branch_id")["target"]
branches["draft_growth"] = draft.reindex(branches.index).fillna(branches["base"] * (1 + GROWTH)) - branches["base"]
rate = branches["draft_growth"] / branches["base"]
cu.say(f"{base_year + 1} 年初稿要增加年日均 **{branches['draft_growth'].sum() / 1e8:.2f}** 亿元，各网点增幅从 {rate.min():.1%} "
       f"到 {rate.max():.1%}：{'一刀切，正是基数法。' if rate.max() - rate.min() < 0.005 else '不是一刀切。'}")

# %%
rulers = cu.analysis.potential.branch_potential(bank, branches["base"])
branches["potential"] = rulers["used"]
previous = averages.get(base_year - 1, pd.Series(dtype=float)).reindex(branches.index)  # 再往前一年，可能没有
last_growth = branches["base"] - previous
matches = pd.DataFrame({"correlation": {
    "基数 与 潜力": branches["base"].corr(branches["potential"]),
    "普查潜力 与 自测潜力": rulers["published"].corr(rulers["estimated"]),
    "潜力 与 去年实际增量": branches["potential"].corr(last_growth),
    "基数 与 去年实际增量": branches["base"].corr(last_growth)}}).dropna().rename_axis("pair")
half = 1.96 / np.sqrt(len(branches) - 3)  # 费希尔变换后的半个区间
matches["from"] = np.tanh(np.arctanh(matches["correlation"]) - half)
matches["to"] = np.tanh(np.arctanh(matches["correlation"]) + half)
cu.show(matches.map("{:.2f}".format), names={"pair": "谁和谁比", "correlation": "相关系数", "from": "区间下限", "to": "区间上限"})
unsure = matches.index[(matches["from"] < 0) & (matches["to"] > 0)]
cu.say(f"{len(branches)} 家网点，区间跨过零、说不清的有：{'、'.join(unsure) or '没有'}。")

# %%
difficulty = branches["draft_growth"] / branches["potential"]
hardest, easiest = difficulty.idxmax(), difficulty.idxmin()
pace = (last_growth / previous).fillna(0.0)  # 去年涨幅
fastest = pace.idxmax()
extra = rate[fastest] * previous.fillna(0.0)[fastest] * (pace[fastest] - pace.median())  # 多涨的部分又被乘上增幅
fig = cu.charts.histogram(difficulty, bins=12, unit="%", cuts={"全行平均": difficulty.mean()})
fig.axes[0].set(xlabel="难度 = 目标增量 ÷ 片区潜力（%）", ylabel="网点数（家）")
cu.charts.finish(
    fig, title=f"初稿里，最难的网点难度是最容易的 {difficulty.max() / difficulty.min():.1f} 倍",
    alt=f"各网点难度的直方图，最高 {difficulty.max():.0%}，最低 {difficulty.min():.0%}，平均 {difficulty.mean():.0%}。",
    source=f"网点日余额、网点表、目标表，{bank.as_of:%Y-%m-%d}",
)
cu.say(f"最难的是 **{names[hardest]}**，要拿下潜力的 {difficulty.max():.0%}；"
       f"最容易的是 **{names[easiest]}**，只要 {difficulty.min():.0%}。"
       + (f"**鞭打快牛**：去年涨得最快的 {names[fastest]}（{pace[fastest]:.1%}），今年要多背 **{extra / 1e4:,.0f}** 万元。" if extra > 0 else ""))

# %% [markdown]
# ## 演示三：四种分法，用同一把尺打分
#
# | 分法 | 每家的增量按什么占比分 | 常听到的抱怨 |
# |---|---|---|
# | 基数法 | 现有日均 | “鞭打快牛” |
# | 等额法 | 每家一样多 | “小网点吃不消” |
# | 潜力法 | 片区潜力 | “潜力又不等于我能拿到” |
# | 混合法 | 基数、潜力、人手按 `WEIGHTS` 加权 | 权数要商量，但商量的是规则，不是张三李四 |
#
# 每种分法都套上同样的上下限（`FLOOR_GROWTH`、`CAP_GROWTH`），用“注水法”落地：先按占比分；不到下限的补到下限，
# 超过上限的削到上限；差额在没碰线的网点之间再按占比摊，直到合计一分不差。
# 拿潜力打分，潜力法天然占便宜；所以要看的是**混合法保住多少公平、又没把谁推到墙角**。
#
# 谁的目标变了？斜率图左边是基数法，右边是混合法，着色的是“基数低、潜力高”的网点，界线是参数 `LOW_BASE`、
# `HIGH_POTENTIAL`。界线挪一挪名单会变，所以它是**重点核实**的名单，不是定论。

# %%
total_growth = branches["draft_growth"].sum()
mixed = allocate.blend(branches[["base", "potential", "capacity"]], WEIGHTS)
claims = {"基数法": branches["base"], "等额法": pd.Series(1.0, index=branches.index),
          "潜力法": branches["potential"], "混合法": mixed}
floor, cap = branches["base"] * FLOOR_GROWTH, branches["base"] * CAP_GROWTH
plans, scores = pd.DataFrame(index=branches.index), {}
for name, claim in claims.items():
    plans[name] = allocate.water_fill(total_growth, claim, floor, cap)
    scores[name] = allocate.fairness(branches["base"], branches["base"] + plans[name], branches["potential"])
    scores[name]["at_limit"] = (np.isclose(plans[name], floor) | np.isclose(plans[name], cap)).sum()
scores = pd.DataFrame(scores).T.rename_axis("method")
cu.show(scores, units={"difficulty_cv": "%", "at_limit": "家"}, names={
    "method": "分法", "correlation": "增量与潜力的相关", "difficulty_cv": "难度差异", "at_limit": "碰到上下限的网点"})

# %%
low_base = branches["base"] <= branches["base"].quantile(LOW_BASE)
high_potential = branches["potential"] >= branches["potential"].quantile(HIGH_POTENTIAL)
missed = branches.index[low_base & high_potential]
change = plans["混合法"] - plans["基数法"]
most_changed = (change / branches["base"]).abs().round(6).idxmax()  # 增幅变化最大的网点
my_branch = BRANCH or most_changed
colored = list(names[missed]) or [names[my_branch]]
fig = cu.charts.slope(plans.assign(name=names), "基数法", "混合法", label="name", highlight=colored)
cu.charts.finish(
    fig, title=f"{len(missed)} 家基数低、潜力高的网点，换分法后目标增量合计 {change[missed].sum() / 1e4:+,.0f} 万元",
    alt=f"各网点目标增量从基数法到混合法的斜率图，着色的是：{'、'.join(colored)}。",
    source=f"网点日余额、网点表，{bank.as_of:%Y-%m-%d}",
)
cu.say(f"难度差异：基数法 {scores.loc['基数法', 'difficulty_cv']:.0%}，混合法 **{scores.loc['混合法', 'difficulty_cv']:.0%}**。"
       f"增幅变化最大的是 {names[most_changed]}（增量 {change[most_changed] / 1e4:+,.0f} 万元）。")

# %% [markdown] outline=["S000-2.3.2.1.1.1.2", "S000-2.3.2.1.1.1.3"]
# ## 演示四：拆到产品，再拆到月份
#
# 网点合计定了，产品合计也定了（`PRODUCT_MIX` 是全行增量的产品构成 [参数]），中间每一格怎么填，才能横加、竖加都对？
# 办法叫**双向比例调整**：从现有结构出发，先按行把每家凑对，再按列把每个产品凑对，来回几轮就都对了。
#
# 产品不同，钱来的**时间**也不同：个人存款多半赶在前三个月，对公存款常压到年底 [参数]。按演示一的道理，
# 来得晚的钱贡献小。所以同样的年日均增量，对公占得多的网点，年末余额要冲得更高；“年末要到”就是这么倒推的。

# %%
branches["growth"] = plans["混合法"]
branches["goal"] = branches["base"] + branches["growth"]
structure = daily[daily["year"] == base_year].groupby("branch_id")[money].mean().reindex(branches.index)
product_total = pd.Series(PRODUCT_MIX)[money] / sum(PRODUCT_MIX.values()) * total_growth
product_plan = allocate.ipf(structure, branches["growth"], product_total)
personal = product_plan[["personal_demand", "personal_term"]].sum(axis=1) / branches["growth"]
seasons = np.outer(personal, PERSONAL_SEASON) + np.outer(1 - personal, CORPORATE_SEASON)
seasons = pd.DataFrame(seasons, index=branches.index, columns=[f"{m} 月末" for m in range(1, 13)])
opening = daily[daily["date"] == f"{base_year}-12-31"].set_index("branch_id")["deposits"].reindex(branches.index)
plan_days = pd.date_range(f"{base_year + 1}-01-01", f"{base_year + 1}-12-31")
for name, season in seasons.iterrows():
    goal, start = branches.loc[name, "goal"], opening[name]
    branches.loc[name, "year_end"] = allocate.needed_end_balance(goal, start, season, len(plan_days))
cu.show(product_plan.loc[[my_branch]].assign(total=branches["growth"]).set_index(names[[my_branch]]),
        tables="branch_day", units=units, money="万元", names=words, title="年日均增量拆到产品")

# %%
path = allocate.balance_path(opening[my_branch], branches.loc[my_branch, "year_end"], seasons.loc[my_branch], len(plan_days))
path = pd.Series(path, index=plan_days)
month_plan = pd.DataFrame({"end": path.resample("ME").last(), "average": path.resample("ME").mean()}).rename_axis("month")
month_plan["so_far"] = path.expanding().mean()[month_plan.index]
cu.show(month_plan, rows=12, units={"end": "万元", "average": "万元", "so_far": "万元"},
        names={"end": "月末要到", "average": "当月日均", "so_far": "累计日均"}, title=f"{names[my_branch]}的月度路径")
numbers = branches.assign(start=opening, growth_rate=branches["growth"] / branches["base"])
numbers["difficulty"] = numbers["growth"] / numbers["potential"]
numbers["draft_difficulty"] = numbers["draft_growth"] / numbers["potential"]
my_numbers = numbers.loc[[my_branch], ["base", "goal", "growth", "growth_rate", "draft_growth", "potential",
                                       "difficulty", "draft_difficulty", "start", "year_end"]]
cu.show(my_numbers, names=words, units=units, title="本网点的数（练习 E4 要用）")
cu.say(f"**{names[my_branch]}**：增量里个人类占 {personal[my_branch]:.0%}；要年日均到 {path.mean() / 1e8:.2f} 亿元，"
       f"年末余额要到 **{path.iloc[-1] / 1e8:.2f}** 亿元，年初是 {opening[my_branch] / 1e8:.2f} 亿元。")

# %% [markdown] outline=["S004-D5.1"]
# ## 演示五：年中复盘——什么时候可以改目标
#
# 目标下达后，每月都有人来要求调。规矩要写在前面：**只有外部冲击才重切，自己没做好不重切**。做法分三步：
#
# 1. **滚动预测**：已过的日子用实际数，没过的日子用“最近一个月的日均 × 前一年同期全行走势”；
# 2. 预测缺口超过 `REVIEW_GAP` 才进入讨论；
# 3. 还要同时满足：当年有记录在案的外部冲击，**并且**同类网点的缺口也普遍超线。只有自己差，那是自己的事。
#
# 下面拿刚过去的一年演练：站在 `REVIEW_MONTH` 月末往后看，再用后来的真实数检验。最后的扇形图挑一家网点：
# 扇形是“前一年同期各网点走出来的样子”套在它身上，前提是今年各网点的分化和前一年差不多，所以不是保证。

# %%
daily["month"] = daily["date"].dt.to_period("M")
monthly = daily.pivot_table(index="branch_id", columns="month", values="deposits", aggfunc="mean").reindex(branches.index)
review = pd.Period(year=base_year, month=REVIEW_MONTH, freq="M")
ahead = pd.period_range(review, f"{base_year}-12", freq="M")  # 复盘月和还没发生的各月
last_target = target[target["period_start"].dt.year == base_year].set_index("branch_id")["target"]
can_review = len(last_target) > 0 and monthly.columns.isin(ahead - 12).sum() == len(ahead)
if can_review:
    trend = monthly[ahead[1:] - 12].sum().mean() / monthly[review - 12].sum()
    passed = daily[(daily["year"] == base_year) & (daily["month"] <= review)].groupby("branch_id")["deposits"]
    checkup = branches[["branch_name", "branch_type"]].assign(target=last_target)
    checkup["forecast"] = (passed.sum() + (days - passed.size()) * monthly[review] * trend) / days
    error = (checkup["forecast"] / branches["base"] - 1).abs()
    cu.say(f"预测误差平均 **{error.mean():.1%}**，最大 {error.max():.1%}（{names[error.idxmax()]}）；"
           f"误差超过 `REVIEW_GAP` 的有 {(error > REVIEW_GAP).sum()} 家，它们的缺口当心误判。")

# %% tags=["board:performance:table"]
if not can_review:
    cu.say(f"缺少 {base_year} 年的目标或前一年的日余额，复盘演练这两格跳过。")
else:
    shocks = bank.load("policy_event") if bank.has("policy_event") else pd.DataFrame({"date": pd.to_datetime([]), "kind": [], "note": []})
    shocks = shocks[(shocks["kind"] == "外部冲击") & (shocks["date"] >= f"{base_year}-01-01") & (shocks["date"] <= review.end_time)]
    checkup["gap"], checkup["real_gap"] = 1 - checkup["forecast"] / checkup["target"], 1 - branches["base"] / checkup["target"]
    same_type = checkup.groupby("branch_type")["gap"]  # 同类不到三家，就和全行比
    checkup["peer_gap"] = same_type.transform("median").where(same_type.transform("size") >= 3, checkup["gap"].median())
    wide, shared = checkup["gap"] > REVIEW_GAP, (checkup["peer_gap"] > REVIEW_GAP) & (len(shocks) > 0)
    checkup["decision"] = np.select([~wide, shared], ["按原目标走", "可申请重切"], "不重切，给资源追赶")
    listed = checkup.sort_values("gap", ascending=False).reset_index(drop=True).drop(columns=["target", "forecast"])
    cu.show(listed, rows=8, units=dict.fromkeys(["gap", "peer_gap", "real_gap"], "%"), names={
        "gap": "预测缺口", "peer_gap": "同类中位缺口", "decision": "处理", "real_gap": "年底实际缺口"})
    cu.say("；".join(f"{name} **{count}** 家" for name, count in checkup["decision"].value_counts().items())
           + f"。登记在案的冲击：{'；'.join(shocks['note']) or '没有'}。它伤的是存款还是贷款，机器分不出，要人判断、人签字。")

# %%
if can_review:
    pattern = monthly[ahead - 12].div(monthly[review - 12], axis=0)  # 前一年：各月是复盘月的几倍
    paths = pattern.quantile([0.1, 0.25, 0.5, 0.75, 0.9]).T.set_axis(ahead.to_timestamp()) * monthly.loc[my_branch, review]
    actual = monthly.loc[my_branch, monthly.columns.year == base_year]
    actual = actual.set_axis(actual.index.to_timestamp())
    begin, season = daily[daily["date"] == year.index[0]].set_index("branch_id")["deposits"][my_branch], seasons.loc[my_branch]
    end = allocate.needed_end_balance(last_target[my_branch], begin, season, days)
    line = pd.Series(allocate.balance_path(begin, end, season, days), index=year.index).resample("MS").mean()
    fig = cu.charts.fan(actual[:review.start_time], paths, line, target_label="目标路径")
    inside = actual[review.start_time:].between(paths[0.1], paths[0.9])[1:].sum()  # 第一个是复盘月自己，不算
    gap, real_gap = checkup.loc[my_branch, ["gap", "real_gap"]]
    cu.charts.finish(fig, title=f"{names[my_branch]}：站在 {review.month} 月末看，全年日均预计{'差' if gap > 0 else '超'}目标 {abs(gap):.1%}",
                     alt="复盘前的月日均、以后各月的扇形预测和目标路径。", source=f"网点日余额，{bank.as_of:%Y-%m-%d}")
    cu.say(f"后来的 {len(ahead) - 1} 个月，实际月日均有 **{inside}** 个月落在 80% 区间里；年底{'差' if real_gap > 0 else '超'}目标 {abs(real_gap):.1%}。")

# %% [markdown] outline=["S004-D5.3", "S000-1.1.2.2", "S004-D2.1"]
# ## 演示六：三年期压多少，不伤筋骨
#
# 负债端的精细化不是“利率砍一刀”，而是**在到期的钱里调结构**：三年期贵、一年期便宜，劝客户存短一点，付息就省了；
# 劝得太狠，钱会走。先用到期结构视图（透视表）看未来一年到期的钱原来是什么期限，再看过去一年到期的钱留住多少。
# **留存**是到期三十天后仍在本行的金额占比。区间罩得住全行平均的期限，一律用全行平均：别让偶然的高低进规划。
#
# “把百分之九的钱从三年期挪到一年期，省多少”有两种算法，常被混用。**存量口径**：账上的三年期在开户那天比一年期贵多少，
# 说的是“当年多付了多少”。**新做口径**：按今天的挂牌价贵多少，才是“今后能省多少”。
# 还要扣掉走掉的钱：被劝的人里会多走 `STEER_LOSS`，走掉的要按转移价格补回来。
# 没有人做过“随机劝一半客户”的试验，所以这个比例**不能**从数据里读出来，只能先用参数，再小范围试。

# %%
weights = bank.load("customer", columns=["customer_id", "weight"])
accounts = bank.load("deposit_account").merge(weights, on="customer_id")
accounts["money"] = accounts["amount"] * accounts["weight"]  # 全行口径
accounts["term"] = cu.analysis.terms.term_class(accounts["term_months"])
still_open = cu.analysis.maturity.open_term(accounts, bank.as_of)
due = still_open[still_open["days_left"] <= 365].assign(quarter=still_open["maturity_date"].dt.to_period("Q").astype("str"))
view = due.pivot_table(index="term", columns="quarter", values="money", aggfunc="sum").reindex(["1 年及以内", "2 年", "3 年", "5 年"]).fillna(0)
terms = pd.DataFrame({"total": view.sum(axis=1), "share": view.sum(axis=1) / view.to_numpy().sum(), "retention": RETENTION})
if bank.has("deposit_account.kept_amount_30d"):
    kept = cu.analysis.terms.kept_by_class(accounts, bank.as_of, MIN_ROWS)
    terms["retention"] = kept["used"]
    cu.show(kept.rename_axis("term"), units={**units, "kept": "%", "used": "%"}, title="过去一年到期的钱留住多少",
            names={**words, "term": "期限", "rate": "续存率", "kept": "金额留存", "used": "规划用"})
cu.show(view.join(terms), units={**units, **dict.fromkeys([*view, "total"], "亿元")}, names={**words, "term": "原期限"},
        title="未来一年到期的钱（全行口径）")

# %%
rates = bank.load("deposit_rate")
posted = cu.analysis.maturity.posted_rate(rates, "本行", "定期", bank.as_of)  # 今天的挂牌价
stock_gap, new_gap = cu.analysis.terms.opening_premium(still_open, rates, 36, 12), posted[36] - posted[12]
curve = bank.load("ftp_curve").sort_values("month") if bank.has("ftp_curve") else pd.DataFrame({"term_months": [0, 12], "rate": REPLACE_RATE})
curve = curve.groupby("term_months")["rate"].last()  # 最近一个月的转移价格
ftp, demand_ftp = curve[12], curve[0]
moves = pd.DataFrame({"moved": [0.03, 0.06, 0.09, 0.12]})
moves["stock"], moves["new"] = moves["moved"] * stock_gap / 100, moves["moved"] * new_gap / 100
moves["lost"] = moves["moved"] * STEER_LOSS["1 年及以内"]
moves["net"] = moves["new"] - moves["lost"] * (ftp - posted[12]) / 100
cu.show(moves, names={"moved": "三年期挪到一年期", "stock": "存量口径省", "new": "新做口径省", "lost": "多流失", "net": "新做口径净省"},
        units={"moved": "%", "lost": "%", "stock": "基点", "new": "基点", "net": "基点"})
cu.say(f"三年期比一年期，存量平均贵 **{stock_gap:.2f}** 个百分点，今天贵 **{new_gap:.2f}**："
       f"拿存量口径说今后，会{'高估' if stock_gap > new_gap else '低估'}节省。")

# %% [markdown]
# 一档一档试太慢，交给**线性规划**：把到期的钱分成“照旧”和“引导”两类去处，求总成本最低，同时守住三条线——
# 钱全部有去处、每档引导不超过 `GUIDE_LIMIT`、比照旧多流失不超过 `MAX_LOSS`（这就是流动性的底线）。
#
# 成本要算全：**综合成本 = 付给留下的钱的利息 + 走掉的钱按转移价格补回来的成本**，都按每百元到期的钱算。
# 如果只把利息降到最低，“最优方案”就是把存款全赶走——目标写错，越优化越糟。
# 还有一笔账规划里没有：存短的钱明年又要谈一次，利率若回升，省下的会吐出来。

# %%
terms["rate"] = [posted[12], posted[24], posted[36], posted.get(60, posted[36])]
stay = terms[["share", "retention", "rate"]].rename(columns={"share": "limit"}).add_suffix("·照旧", axis="index")
loss, whole_kept = pd.Series(STEER_LOSS), np.average(terms["retention"], weights=terms["total"])
guide = pd.DataFrame({"limit": GUIDE_LIMIT, "retention": whole_kept * (1 - loss), "rate": terms["rate"].reindex(loss.index)})
options = pd.concat([stay, guide.add_suffix("·引导", axis="index")]).rename_axis("option")
options["all_in"] = options["rate"] * options["retention"] + ftp * (1 - options["retention"])  # 每百元到期的综合成本
options["cost"] = options["all_in"] / options["retention"]  # 摊到留住的钱上，规划函数要这个
due_money = terms["total"].sum()
natural = options["limit"].where(options.index.str.endswith("照旧"), 0.0) * due_money  # 谁也不劝
natural_kept, natural_cost = (natural * options["retention"]).sum(), (natural * options["all_in"]).sum() / 100
limits = {name: (0.0, most) for name, most in options["limit"].items()}
best = allocate.term_plan(options[["cost", "retention"]], due_money, natural_kept * (1 - MAX_LOSS), limits)
options["plan"] = best["plan"] / due_money
cu.show(options.drop(columns="cost"), names={**words, "rate": "挂牌利率", "all_in": "综合成本", "plan": "规划占比"},
        units={**units, "rate": "百分数", "all_in": "百分数", "plan": "%"})

# %%
frontier = []
for most in sorted([0.0, 0.003, 0.006, 0.009, MAX_LOSS, 0.015, 0.018, 0.021]):
    tried = allocate.term_plan(options[["cost", "retention"]], due_money, natural_kept * (1 - most), limits)
    frontier.append({"most": most, "loss": 1 - tried["retained"] / natural_kept, "saving": (natural_cost - tried["cost"]) / due_money * 1e4})
frontier = pd.DataFrame(frontier)
chosen = frontier.index[frontier["most"] == MAX_LOSS][0]
steps = frontier["saving"].diff() / frontier["loss"].diff() / 100  # 每多流失一个百分点省几个基点
fig = cu.charts.frontier(frontier, "loss", "saving", chosen=chosen, x_unit="%", y_unit="基点", x_label="比照旧多流失", y_label="综合成本节省")
cu.charts.finish(
    fig, title=f"多流失 {frontier.loc[chosen, 'loss']:.1%}，每年综合成本省 {frontier.loc[chosen, 'saving']:.1f} 个基点",
    alt="效率前沿：横轴是比照旧多流失的比例，纵轴是节省的基点，圆圈是当前选择。", source=f"存款账户、利率、转移价格表，{bank.as_of:%Y-%m-%d}")
moved = terms.loc["3 年", "share"] - options.loc["3 年·照旧", "plan"]
cu.say(f"规划从三年期挪走到期总额的 **{moved:.1%}**；{due_money / 1e8:.1f} 亿元到期资金一年省 **{(natural_cost - best['cost']) / 1e4:,.0f}** 万元。"
       f"影子价格：在这个位置要求多留住一百元，一年少省 **{best['shadow'] * 100:.2f}** 元。"
       f"每多流失一个百分点，第一步省 {steps.iloc[1]:.1f} 个基点，最后一步省 {steps.iloc[-1]:.1f} 个。")

# %% [markdown] outline=["S004-D5.4"]
# ## 演示七：对公户——考开户，还是考“活”户
#
# 考开户数，就会有人开户交差；考**有效户和日均**，数字才和钱挂上钩。一户值多少，一句话就能算：
# **期望贡献 = 九十天内活起来的概率 × 活户的日均 × 活期价差**。有效户：开户九十天内客户主动交易不少于 `ACTIVE_COUNT` 笔 [本课程定义]。
#
# 再做一个“数字户”探测器：看哪家网点新开户里不活的比例高、又扎堆在季末前 `QUARTER_DAYS` 天。
# 探测器只指出**该去核实的地方**：专用户本来动得少，户数少的网点区间宽，也可能只是运气不好。

# %%
corporate = pd.DataFrame()
if bank.has("deposit_account.transaction_count_90d"):
    corporate = accounts[(accounts["kind"] == "活期") & accounts["transaction_count_90d"].notna()].copy()
if len(corporate):
    corporate["active"] = corporate["transaction_count_90d"].astype(float) >= ACTIVE_COUNT
    corporate["active_balance"] = corporate["balance_average_90d"].where(corporate["active"])
    kinds = corporate.groupby("corporate_account_kind").agg(count=("active", "size"), live=("active", "sum"), balance=("active_balance", "mean"))
    kinds = kinds.join(cu.analysis.experiment.wilson(kinds["live"], kinds["count"]))
    kinds["value"] = kinds["rate"] * kinds["balance"].fillna(0) * (demand_ftp - corporate["rate"].mean()) / 100
    cu.show(kinds.drop(columns="live"), units={**units, "balance": "元", "value": "元", "count": "户"},
            names={**words, "count": "新开户（样本）", "rate": "有效率", "balance": "活户日均", "value": "一户一年的期望贡献"})
cu.say(f"能判断的新开户里，**{1 - corporate['active'].mean():.0%}** 九十天内没活起来；单户期望贡献最高的是**{kinds['value'].idxmax()}**。日均被少数大户拉高，别拿平均数去套单户。"
       if len(corporate) else "本行没有“开户九十天交易笔数”，这一格和下一格跳过，考核口径仍然适用。")

# %%
if len(corporate):
    to_quarter = corporate["open_date"] + pd.offsets.QuarterEnd(0) - corporate["open_date"]
    corporate["rushed"], corporate["dead"] = to_quarter.dt.days < QUARTER_DAYS, ~corporate["active"]
    checks = corporate.groupby("branch_id").agg(opened=("dead", "size"), dead=("dead", "sum"), rushed=("rushed", "mean"))
    checks = checks.join(cu.analysis.experiment.wilson(checks["dead"], checks["opened"])).join(names)
    checks["by_opened"] = checks["opened"].rank(ascending=False, method="min").astype(int)
    checks["by_active"] = (checks["opened"] - checks["dead"]).rank(ascending=False, method="min").astype(int)
    suspects = checks[(checks["low"] > corporate["dead"].mean()) & (checks["rushed"] > corporate["rushed"].mean())]
    worst = checks.nlargest(8, "dead").sort_values("rate", ascending=False)
    fig = cu.charts.bars_with_interval(worst, label="branch_name", count="opened", reference=corporate["dead"].mean(), reference_label="全行平均")
    fig.axes[0].set_xlabel("新开对公户九十天不活率（%）")
    cu.charts.finish(fig, title=f"不活率偏高、又扎堆季末的网点：{'、'.join(suspects['branch_name']) or '没有'}",
                     alt="不活新开户最多的八家网点的不活率和区间。", source=f"存款账户表，{bank.as_of:%Y-%m-%d}")
    cu.show(suspects[["branch_name", "opened", "by_opened", "by_active", "rushed"]].reset_index(drop=True), units={"rushed": "%"}, names={
        "opened": "新开户（样本）", "by_opened": "开户数名次", "by_active": "有效户名次", "rushed": "季末前开户占比"}, title="先去核实，再谈处理")

# %% [markdown] outline=["S000-1.1.3.1.5", "S004-E2.2"]
# ## 演示八：便宜的钱从哪里来——收款商户
#
# 压三年期是“少付”，多留活期是“换便宜的钱”。商户每天收的款先落在结算户，这是网点手里最便宜的存款。
# 下表按近三个月平均每月几天在收款分档，看留下多少日均；平均数和中位数差得远，说明钱集中在少数大商户。
# 三档是**并排放着的差别，不是因果**：生意大的商户本来就天天收款。怎么经营商户，到商户分层一课再讲。

# %%
merchants = bank.load("merchant", columns=["merchant_id", "weight"])
merchant_month = bank.load("merchant_month", columns=["month", "merchant_id", "active_days", "settlement_deposit_average"])
recent = merchant_month[merchant_month["month"] > merchant_month["month"].max() - pd.offsets.MonthEnd(3)]
recent = recent.groupby("merchant_id")[["active_days", "settlement_deposit_average"]].mean().reset_index()
merchants = merchants.merge(recent, on="merchant_id")
merchants["level"] = np.select([merchants["active_days"] >= STAR_DAYS, merchants["active_days"] > 0], ["活跃", "偶尔"], "没有收款")
merchants["total"] = merchants["settlement_deposit_average"] * merchants["weight"]
levels = merchants.groupby("level").agg(count=("weight", "sum"), average=("settlement_deposit_average", "mean"),
                                        median=("settlement_deposit_average", "median"), total=("total", "sum"))
cu.show(levels.sort_values("total", ascending=False), units={"average": "元", "median": "元", "total": "万元", "count": "户"},
        names={**words, "level": "近三个月收款", "count": "商户数（全行口径）", "average": "户均结算日均", "median": "中位数"})
cheap = posted[36] - accounts.loc[(accounts["kind"] == "活期") & accounts["close_date"].isna(), "rate"].mean()
cu.say(f"结算户日均合计 **{levels['total'].sum() / 1e8:.2f}** 亿元，占全行存款 {levels['total'].sum() / total.iloc[-1]:.1%}。"
       f"一百万元结算款代替新做的三年期，一年少付息 **{cheap / 100 * 1_000_000:,.0f}** 元。")

# %% [markdown]
# ## 练习
#
# **E1 ★★ 写一个函数** `needed_end(average, start, flow_share)`：年日均目标是 `average`、年初余额是 `start`，
# 全年净增量按 `flow_share` 到账（它的第 d 个数是第 d 天到账的占比，合计为一；有几个数，这一年就有几天），
# 返回年末余额要到多少。公式在演示一：先算“这条路径上的一块钱顶几块”，再倒推全年净增量。

# %% tags=["answer:E1"]
needed_end = ...  # ← 写一个函数 needed_end(average, start, flow_share)
### BEGIN SOLUTION
def needed_end(average, start, flow_share):
    share = np.asarray(flow_share, dtype=float)
    year_length = len(share)
    worth = (share * (year_length - np.arange(year_length)) / year_length).sum()
    return start + (average - start) / worth
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:average_as_end"]
def needed_end(average, start, flow_share):
    return average

# %% tags=["wrong:E1:always_half"]
def needed_end(average, start, flow_share):
    return start + 2 * (average - start)

# %% tags=["wrong:E1:next_day"]
def needed_end(average, start, flow_share):
    share = np.asarray(flow_share, dtype=float)
    year_length = len(share)
    worth = (share * (year_length - 1 - np.arange(year_length)) / year_length).sum()
    return start + (average - start) / worth

# %% tags=["wrong:E1:only_growth"]
def needed_end(average, start, flow_share):
    share = np.asarray(flow_share, dtype=float)
    worth = np.cumsum(share).mean()
    return (average - start) / worth

# %% tags=["alternative:E1:cumulative"]
def needed_end(average, start, flow_share):
    arrived = np.cumsum(list(flow_share))
    return start + (average - start) / arrived.mean()

# %% [markdown]
# **E2 ★★★ 分一张表** 行长会加码：全行年日均增量变成初稿合计（`total_growth`）的 `EXERCISE_STRETCH` 倍；每家增幅不低于
# `EXERCISE_FLOOR`、不高于 `EXERCISE_CAP`（增幅 = 增量 ÷ `branches["base"]`）；增量与潜力的相关不低于基数法，
# 难度差异（变异系数）不超过基数法的 `EXERCISE_FAIRER` 倍。
# 按什么占比分由你定。把结果赋给 `my_plan`：一张表，列有 `branch_id` 和 `growth`（增量，元）。

# %% tags=["answer:E2"]
my_plan = ...  # ← 一张表，列有 branch_id、growth
### BEGIN SOLUTION
claim = branches["potential"]
my_growth = allocate.water_fill(
    total_growth * EXERCISE_STRETCH, claim, branches["base"] * EXERCISE_FLOOR, branches["base"] * EXERCISE_CAP
)
my_plan = my_growth.rename("growth").rename_axis("branch_id").reset_index()
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:base_method"]
my_plan = (branches["base"] / branches["base"].sum() * total_growth * EXERCISE_STRETCH).rename("growth").reset_index()

# %% tags=["wrong:E2:clipped_only"]
share = branches["potential"] / branches["potential"].sum() * total_growth * EXERCISE_STRETCH
my_plan = share.clip(branches["base"] * EXERCISE_FLOOR, branches["base"] * EXERCISE_CAP).rename("growth").reset_index()

# %% tags=["wrong:E2:level_not_growth"]
growth = allocate.water_fill(
    total_growth * EXERCISE_STRETCH, branches["potential"], branches["base"] * EXERCISE_FLOOR, branches["base"] * EXERCISE_CAP
)
my_plan = (growth + branches["base"]).rename("growth").reset_index()

# %% tags=["wrong:E2:no_limits"]
my_plan = (branches["potential"] / branches["potential"].sum() * total_growth * EXERCISE_STRETCH).rename("growth").reset_index()

# %% tags=["alternative:E2:by_hand"]
low, high = branches["base"] * EXERCISE_FLOOR, branches["base"] * EXERCISE_CAP
growth = low.copy()
for _ in range(200):  # 剩下的钱按潜力分给还没到上限的网点
    left = total_growth * EXERCISE_STRETCH - growth.sum()
    weight = branches["potential"].where(growth < high - 1e-6, 0.0)
    growth = (growth + left * weight / weight.sum()).clip(upper=high) if weight.sum() > 0 else growth
my_plan = pd.DataFrame({"branch_id": growth.index, "growth": growth.to_numpy()})

# %% [markdown]
# **E3 ★★★ 做期限方案** 流动性部门收紧口子：多流失最多 `EXERCISE_LOSS`（留住的钱不少于 `natural_kept` 的相应比例）。
# 其余规矩不变：六个去处的钱合计等于 `due_money`，每个去处不超过 `options["limit"]` 乘以 `due_money`。
# 求综合成本尽量低的方案，赋给 `my_terms`：Series，索引是去处（同 `options`），值是金额（元）。

# %% tags=["answer:E3"]
my_terms = ...  # ← 一个 Series，索引是去处，值是金额（元）
### BEGIN SOLUTION
tight = allocate.term_plan(options[["cost", "retention"]], due_money, natural_kept * (1 - EXERCISE_LOSS), limits)
my_terms = tight["plan"]
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:as_before"]
my_terms = options["limit"].where(~options.index.str.contains("引导"), 0.0) * due_money

# %% tags=["wrong:E3:demo_loss"]
my_terms = best["plan"]

# %% tags=["wrong:E3:shares_not_money"]
my_terms = allocate.term_plan(options[["cost", "retention"]], due_money, natural_kept * (1 - EXERCISE_LOSS), limits)["plan"] / due_money

# %% tags=["alternative:E3:one_pair"]
cheapest, my_terms = natural_cost, natural
for short in np.linspace(0, GUIDE_LIMIT, 61):  # 一格一格试：三年期里挪多少到一年、多少到两年
    for middle in np.linspace(0, GUIDE_LIMIT, 61):
        trial = natural.copy()
        trial[["1 年及以内·引导", "2 年·引导", "3 年·照旧"]] += np.array([short, middle, -short - middle]) * due_money
        kept = trial * options["retention"]
        price = (trial * options["all_in"]).sum() / 100
        if trial.min() >= 0 and kept.sum() >= natural_kept * (1 - EXERCISE_LOSS) and price < cheapest:
            cheapest, my_terms = price, trial

# %% [markdown]
# **E4 ★★★ 为你的数字辩护** 你是 `my_branch` 的行长，平衡会上给你一分钟。写一百字左右赋给 `defence`：
# **态度**（接受、部分接受还是申请调整）、**依据**（目标增量、难度、和初稿比怎样）、**做法**（钱从哪类客户来、何时到账）。
# 句子里的数字都要能在演示四的 `my_numbers` 里找到，可以写成亿元、万元或百分数；必须写出四个数：目标增量、难度、初稿难度、年末要到的余额。

# %% tags=["answer:E4"]
defence = "?"
### BEGIN SOLUTION
mine = my_numbers.iloc[0]
defence = (
    f"我们接受混合法给的目标：年日均增量 {mine['growth'] / 1e4:.0f} 万元。"
    f"依据是难度 {mine['difficulty']:.1%}，初稿难度是 {mine['draft_difficulty']:.1%}，新目标和片区潜力更相称。"
    f"做法：一季度抢返乡资金和到期续存，走访商户留结算款，年末余额做到 {mine['year_end'] / 1e8:.2f} 亿元，不靠季末冲时点。"
)
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:number_from_nowhere"]
mine = my_numbers.iloc[0]
defence = (
    f"我们接受混合法给的目标：年日均增量 {mine['growth'] / 1e4:.0f} 万元，难度 {mine['difficulty']:.1%}，初稿难度 {mine['draft_difficulty']:.1%}。"
    f"做法是一季度走访商户和返乡客户，争取多拿 98765 万元，年末余额做到 {mine['year_end'] / 1e8:.2f} 亿元。"
)

# %% tags=["wrong:E4:promise"]
mine = my_numbers.iloc[0]
defence = (
    f"我们接受混合法给的目标：年日均增量 {mine['growth'] / 1e4:.0f} 万元，难度 {mine['difficulty']:.1%}，初稿难度 {mine['draft_difficulty']:.1%}。"
    f"做法是一季度走访商户和返乡客户，保证年末余额做到 {mine['year_end'] / 1e8:.2f} 亿元，请各位领导放心。"
)

# %% tags=["wrong:E4:no_reason"]
mine = my_numbers.iloc[0]
defence = (
    f"我们接受目标，年日均增量 {mine['growth'] / 1e4:.0f} 万元。接下来走访商户和返乡客户，把工资代发的客户留住，"
    f"把到期的钱续上，一季度早早动手，年末余额做到 {mine['year_end'] / 1e8:.2f} 亿元，力争走在各家网点的前面，不掉队。"
)

# %% tags=["alternative:E4:ask_to_adjust"]
mine = my_numbers.iloc[0]
defence = (
    f"申请部分调整。目标增量 {mine['growth'] / 1e8:.4f} 亿元，增幅 {mine['growth_rate']:.1%}，相当于片区潜力的 {mine['difficulty']:.2%}，"
    f"初稿相当于 {mine['draft_difficulty']:.2%}。建议上半年先看代发和商户结算款能否按月到账，再按规矩复盘；"
    f"年末余额 {mine['year_end'] / 1e4:.0f} 万元照做，先走访，不等不靠。"
)

# %% [markdown]
# ## 成果
#
# 一本《存款指标分解表》：网点、产品、月度路径、期限方案和调整日志各一页。目标、增幅、难度都是**活公式**，
# 平衡会上改一家的增量，合计和难度当场跟着变；调整日志的“原因”是下拉框，里面没有“自己没做好”这一项。

# %%
look = {"names": {**words, "rate": "挂牌利率", "kept": "留得住", "adjust": "调整额", "new_goal": "调整后目标"},
        "units": {**units, **dict.fromkeys([*seasons, "kept", "adjust", "new_goal"], "万元"), "rate": "百分数"}}
split = numbers[["branch_name", "branch_type", *in_wan[:5], "growth_rate", "difficulty", "year_end"]]
by_product = product_plan.assign(total=branches["growth"]).set_index(names)
by_month = seasons.cumsum(axis=1).mul(branches["year_end"] - opening, axis=0).add(opening, axis=0).set_index(names)
by_term = options[["rate", "retention", "limit"]].assign(total=best["plan"], kept=best["plan"] * options["retention"])
live = {"goal": "=[base]+[growth]", "growth_rate": "=[growth]/[base]", "difficulty": "=[growth]/[potential]"}
sheets = {
    "网点分解": cu.deliver.Sheet(split, **look, formulas=live, totals=in_wan[:4]),
    "产品分解": cu.deliver.Sheet(by_product, **look, tables="branch_day", formulas={"total": "=[" + "]+[".join(money) + "]"}, totals=[*money, "total"]),
    "月度路径": cu.deliver.Sheet(by_month, **look, totals=list(by_month)),
    "期限方案": cu.deliver.Sheet(by_term, **look, formulas={"kept": "=[total]*[retention]"}, totals=["total", "kept"]),
    "调整日志": cu.deliver.Sheet(numbers[["branch_name", "goal"]].assign(adjust=0.0, new_goal=numbers["goal"]), **look, formulas={"new_goal": "=[goal]+[adjust]"}, totals=["new_goal"], choices={"原因": ["外部冲击", "网点撤并", "客户划转"]})}
name = f"存款指标分解表_{base_year + 1}.xlsx"
cu.say(f"已保存：`{cu.deliver.workbook(bank.output_dir('m02_n05') / name, sheets, purpose='指标分解与复盘').name}`。")

# %% tags=["instructor", "board:performance:brief"]
# 给行长的一栏：course board 把它放上看板
verdicts = checkup["decision"].value_counts() if can_review else pd.Series(dtype=int)
chase, recut = verdicts.get("不重切，给资源追赶", 0), verdicts.get("可申请重切", 0)
spread = f"{difficulty.max() / difficulty.min():.1f} 倍"
cv = scores["difficulty_cv"]
review_tile = [("按原目标走的网点", f"{verdicts.get('按原目标走', 0)} 家", f"可申请重切 {recut} 家，给资源追赶 {chase} 家")] if can_review else []
cu.brief(
    f"{base_year + 1} 年初稿里，最难的网点难度是最容易的 {spread}" + (f"；{base_year} 年年中复盘，可申请重切 {recut} 家，要追赶 {chase} 家" if can_review else ""),
    "要办" if recut + chase > len(branches) / 2 else "留意" if recut + chase or cv["混合法"] < cv["基数法"] else "平稳",
    "年中复盘缺口超线的网点过半，记要办；有网点超线，或换分法能让难度更平均，记留意",
    [*review_tile, ("最难网点是最容易的", spread, f"各网点难度的差距（标准差除以平均）：基数法 {cv['基数法']:.0%}，混合法 {cv['混合法']:.0%}")],
    [("计财部", f"指标改按混合法分，{len(missed)} 家基数低、潜力高的网点先核实：{'、'.join(names[missed]) or '没有'}", "平衡会之前")],
    "潜力是测算值，不是承诺。")

# %% [markdown]
# ## 讨论
#
# 为什么基数法总是罚最好的网点？如果连着三年这么分，一位聪明的行长会在年底做什么？改用混合法以后，
# 他又会在哪里动脑筋（想想潜力由谁来报）？
#
# ## 小结
#
# 年日均考的是“早来、留住”，一笔钱早到一天就多算一天，冲时点换不来日均。目标该跟着潜力走，但潜力测得准不准要先量，
# 分法用难度说话，调目标只认外部冲击。压三年期要把走掉的钱算进成本，考对公要考活户和日均。
#
# 下一课：线上贷款白名单，先打给谁。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 生成器埋了四件事：基数与潜力的相关、四家基数低而潜力高的网点、新开对公户的不活率（集中在两家网点的季末）、
# 三年期改一年期的节省。节省一项埋的是**存量口径**；学员若报新做口径，数会小得多，正好讨论“省的是哪一年的钱”。
#
# 常见弯路：演示三有人问“潜力法得分最高，为什么不用”——因为评分用的就是潜力，自己给自己打分；演示六有人只看利息，
# 让规划把钱赶走。时间：演示一到三约 35 分钟 [参数]，练习约 30 分钟 [参数]，演示八可以留作课后阅读。

# %% tags=["instructor"]
found = {
    "corr_base_potential": branches["base"].corr(branches["potential"]),
    "under_targeted": float(len(missed)),
    "shift_saving_bp": 9 * stock_gap,
}
if len(corporate):
    found["dead_accounts"] = corporate["dead"].mean()
cu.reveal(bank, "m02_n05", found, names={"corr_base_potential": "基数与潜力的相关", "under_targeted": "基数低、潜力高的网点数",
                                         "dead_accounts": "新开对公户不活率", "shift_saving_bp": "三年期改一年期节省（基点，存量口径）"})
if bank.truth:
    planted = bank.truth["m02_n05"]["under_targeted"].get("branches", [])
    cu.say(f"埋设的网点：{'、'.join(names.reindex(planted).fillna('?'))}；课上找到：{'、'.join(names[missed])}。")
