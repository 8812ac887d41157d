# %% [markdown] outline=["S004-E2"]
# # 五星级商户：低成本存款、权益与绩效
#
# 课程：银行二十种数据实战应用场景 · 电子银行类三场景之二 ·
# 大纲：S004-E2、S004-E2.1、S004-E2.2、S004-E2.3、S004-E2.4、S004-E2.5 · 难度：L2 · 用时：90 分钟
#
# 学完本课，你能：
#
# - 用六项分数和几道门槛给商户评星，并说清楚哪一步决定了星级；
# - 分开“好商户本来就存得多”和“同一个商户升一星后多存了多少”；
# - 算出哪种权益值得送、送到谁为止，并改写一个刷星也刷不出钱的考核办法。
#
# Abstract: Rate merchants with one to five stars; separate between- and within-merchant effects on cheap
# deposits; find out which benefits pay and for whom; redesign a staff bonus that gaming cannot exploit.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 落地名单做哪家网点：None 表示全行；也可写 "B03"
WEIGHTS = {"amount": 25, "count": 15, "days": 15, "deposit": 25, "stability": 10, "products": 10}  # 六项各多少分
EDGES = [35, 50, 65, 80]  # 满多少分是二、三、四、五星
GATE_DAYS = 15  # 四星门槛：最近一个月的活跃天数
GATE_DEPOSIT = 10_000  # 四星门槛：结算户日均（元）
GATE_DEPOSIT_5 = 50_000  # 五星门槛：结算户日均（元）
NEAR_POINTS = 5  # 临界：离四星差几分以内
NEAR_GATE = 0.2  # 临界：门槛差几成以内
BENEFIT_BUDGET = 8_000  # 一年的权益预算（元，样本口径）
BRANCH_SHARE = 0.2  # 一家网点最多用掉预算的几成
NEAR_SHARE = 0.25  # 送出的权益里，临界客户至少占几成
BONUS_POT = 1_000  # 考核奖金：人均多少元一年，四个方案发同样多的钱
VERIFY_HOURS = {"新增商户数": 3, "交易笔数": 6, "交易金额": 6, "四星以上净增": 2, "结算户日均": 1}  # 核验一项，每人每年要几小时
HOURS_LIMIT = 6  # 每人每年最多核验几小时
WEEKS = 12  # 临界客户用几周冲四星

# %%
import course_utils as cu
import numpy as np
import pandas as pd

bank = cu.begin("m04_n02", BANK, AS_OF)
stars, panel = cu.analysis.stars, cu.analysis.panel
rules = stars.StarRules(WEIGHTS, tuple(EDGES), GATE_DAYS, GATE_DEPOSIT, GATE_DEPOSIT_5, near_points=NEAR_POINTS, near_gate=NEAR_GATE)
METRICS = list(VERIFY_HOURS)
PARTS = {"amount": "月均交易额", "count": "月均笔数", "days": "活跃天数", "deposit": "结算户日均", "stability": "稳定度", "products": "产品数", "last_days": "末月活跃天数", "score": "得分", "star": "星级"}
LISTED = {"group": "行业", "star": "现星级", "score": "得分", "reason": "差什么", "lack_points": "差几分", "lack_days": "差几天",
          "lack_deposit": "差多少日均", "weekly_deposit": "每周多留存", "deposit": "日均", "branch_id": "网点", "employee_id": "维护员工",
          "held": "四星以上", "rose": "本季升上来", "fell": "本季掉下去", "near": "可联系的临界客户",
          "actual": "现在的日均", "still": "还差", "verdict": "判断", "target": "目标日均", "uplift": "预期新增日均", "cost": "成本", "net": "按利差的净收益"}
lacking = bank.missing("merchant_benefit", "branch_program", "assessment_scheme")
if lacking:
    cu.say(f"本行缺少可选表：{'、'.join(lacking)}；用到它们的演示会停下来，请先补表，或跳过那几格。")

# %% [markdown]
# ## 业务情境
#
# 电子银行部的总经理把话说得很直：“码铺了上千户，手续费大半免了，年年说收单能带来低成本存款。
# **存款到底是哪些商户带来的？哪些商户在亏钱？** 权益送体检还是送收款纸卷，支行各有各的说法；
# 考核按新增商户数发钱，年底就冒出一批没人用的空码。”
#
# 这节课沿着一条线走：评星 → 看星级和存款的关系 → 算每户的账 → 权益花在谁身上 → 考核发给谁 → 落地到人。
#
# 本课的数据**不能**说明三件事：商户在别家银行和别的收款码上还有多少钱；主动来领权益的人如果不领会怎样
# （所以要看分批推出的网点）；把免费改成收费以后有多少商户会走。
#
# ## 数据
#
# 商户表管“是谁、收不收手续费、谁在维护”，月度表管“做了多少生意、存了多少钱、系统里执行几星”。

# %%
cu.dictionary(bank, {"merchant_month": ["transaction_amount", "active_days", "settlement_deposit_average", "product_count",
                                        "star", "fee_income", "cost"],
                     "merchant_benefit": ["benefit", "date", "cost"], "assessment_scheme": ["metric", "weight", "payout_rule"]})
some = [name for name in ("near_school",) if bank.has(f"merchant.{name}")]
merchants = bank.load("merchant", columns=["merchant_id", "customer_id", "industry_code", "open_date", "branch_id",
                                           "employee_id", "fee_waived", "weight", *some]).set_index("merchant_id")
industry = bank.load("industry", columns=["industry_code", "trade_group"]).set_index("industry_code")
merchants["group"] = merchants["industry_code"].map(industry["trade_group"])
merchants["kind"] = merchants["group"] + np.where(merchants["near_school"], "（学校旁）", "") if some else merchants["group"]  # 淡旺季相同的店
monthly = bank.load("merchant_month")
monthly = monthly.join(merchants[["branch_id", "employee_id", "fee_waived", "weight"]], on="merchant_id")
if "star" not in monthly:
    monthly["star"] = stars.executed(monthly, merchants["group"], merchants["kind"], rules)

# %% [markdown] outline=["S004-E2.3"]
# ## 演示一：一颗星是怎么来的
#
# 总分一百分，六项相加 [定义]：月均交易额、月均笔数、活跃天数、结算户日均这四项看**在同行业里排第几**
# （从最小排到最大，占到几成就得几成的分，小吃店只和小吃店比）；稳定度看近六个月营业额波动大不大（先扣掉淡旺季）；
# 产品数满五个得满分。满 35、50、65、80 分依次是二、三、四、五星 [参数]。
#
# 分数之外还有**门槛**：四星要求末月活跃满 15 天、结算户日均满 1 万元，五星要求日均满 5 万元 [参数]。
# 分够了、门槛不够，就停在三星（或四星）。分数可以东边不亮西边亮，门槛不行：它保证四星商户真的开门、真的有钱在我们这里。

# %%
months = np.sort(monthly["month"].unique())
last = pd.Timestamp(months[-1])
today = stars.facts(monthly, last, merchants["kind"])
rated = stars.rate(today, merchants["group"], rules)
sample = rated.sort_values(["score"]).iloc[[len(rated) // 4, len(rated) // 2, -1]].index
points = stars.parts(today, merchants["group"], rules).loc[sample].round(1).join(rated[["score", "star"]])
cu.show(today.loc[sample], names=PARTS, units={"amount": "元", "deposit": "元"}, title="三家店的原始数")
cu.show(points.round({"score": 1}), names=PARTS, title="换成分数")
high = rated[rated["star_by_score"] >= 4]
stopped = high.loc[high["star"] < 4, "gate"].value_counts()
words = "，".join(f"{name} {count} 家" for name, count in stopped.items())
cu.say(f"{len(rated):,} 家商户里，分数够四星的有 {len(high)} 家，其中 **{stopped.sum()} 家被门槛拦下**（{words}）。"
       f"最后四星及以上 {int((rated['star'] >= 4).sum())} 家。")

# %% [markdown]
# 评得对不对，有两面镜子。第一面是**系统里执行的星级**：本季的星按上一季的数据评，我们用同样的数据重评一遍，
# 看对得上几成。第二面是**门槛有没有用**：把上一季末分数都够四星的商户按“过门槛”和“被拦下”分开，看他们在**下一季**的表现。
# 门槛本来就看日均，日均有高低不稀奇；要看的是过了门槛的人下一季**还在不在**门槛上，被拦下的人会不会自己跟上来。
# 上一季碰巧高的会回落、碰巧低的会回升（向平均回归），所以一边掉一点、一边升一点是常事，要看差距还剩多少。
#
# **换一套权重，星星会不会乱跳？** 权重是人定的，别的行会定得不一样。下面换四套权重重评：名次的相关系数（秩相关，
# 一表示次序完全相同，零表示毫不相干）接近一，说明大局不变；但要看另一列：四星这道线上有多少家进、多少家出。
# 考核发钱发的就是这道线，**大局稳不等于线上稳**。

# %%
before = (last.to_period("Q") - 1).end_time.normalize()
old = stars.rate(stars.facts(monthly, before, merchants["kind"]), merchants["group"], rules)
latest = monthly[monthly["month"] == last].set_index("merchant_id")
both = old.join(latest["star"].rename("executed"), how="inner")
gap = (both["star"] - both["executed"]).abs()
cu.say(f"和系统执行的星级相比，**{(gap == 0).mean():.0%}** 完全一致，{(gap <= 1).mean():.0%} 最多差一星。对不上的多半卡在分数线边上：稳定度和排名的算法稍有不同，就差那一两分。")
later = monthly[monthly["month"] > before].groupby("merchant_id")[["settlement_deposit_average", "active_days"]].mean()
test = old[old["star_by_score"] >= 4].join(later)
test["result"] = np.where(test["star"] >= 4, "过了门槛", "被门槛拦下")
test["keeps"] = test["settlement_deposit_average"] >= GATE_DEPOSIT  # 下一季日均还够不够四星门槛
summary = {"count": ("score", "size"), "score": ("score", "mean"), "keeps": ("keeps", "mean"), "deposit": ("settlement_deposit_average", "median")}
cu.show(test.groupby("result").agg(**summary).round({"score": 1}),
        names=PARTS | {"result": "上季末", "count": "商户数", "keeps": "下季日均仍在门槛上", "deposit": "下季日均的中位数"},
        units={"keeps": "%", "deposit": "元"})

# %%
flow = {"amount": 50, "count": 30, "days": 20, "deposit": 0, "stability": 0, "products": 0}
other = {"本课默认": WEIGHTS, "六项平均": dict.fromkeys(WEIGHTS, 100 / 6), "存款加倍": WEIGHTS | {"deposit": 50, "amount": 0},
         "只看流水": flow}
moved = stars.weight_sensitivity(today, other, merchants["group"], rules)
cu.show(moved, names={"scheme": "权重", "rank_correlation": "名次相关", "same_star": "星级不变", "moved_into_4": "新进四星",
                      "moved_out_of_4": "掉出四星", "four_or_more": "四星以上占比"}, units={"same_star": "%", "four_or_more": "%"})
worst = moved["rank_correlation"].idxmin()
swap = moved.loc[worst, ["moved_into_4", "moved_out_of_4"]].sum()
cu.say(f"离默认最远的是“{worst}”，名次相关仍有 {moved.loc[worst, 'rank_correlation']:.2f}，"
       f"四星线上却进出了 {swap:.0f} 家，相当于现有四星以上商户的 {swap / (rated['star'] >= 4).sum():.0%}。"
       "所以权重一年只动一次，动之前先把这张表给支行看。")

# %% [markdown] outline=["S004-E2.2", "S000-1.1.3.1.5"]
# ## 演示二：星级金字塔，钱在塔尖
#
# 左边是商户数的占比，右边是结算存款的占比，都按抽样权数推算到全行，星级用系统执行的。两边越不对称，钱越集中。
# 结算户的钱是**活期**，付息很低；同样的钱如果靠定期去吸收，利息就要贵得多。活期多一点，全行的资金成本就低一点。
# 最后一句话把这个差价算成钱，它是“如果没有这笔活期，改用一年定期顶上”的假设，不是已经省下的利润。

# %%
latest = latest.dropna(subset=["star"]).astype({"star": int})
latest["money"] = latest["settlement_deposit_average"] * latest["weight"]
tower = latest.groupby("star")[["weight", "money"]].sum().reindex(range(1, 6), fill_value=0.0)
shares = (tower / tower.sum()).set_axis(["商户数占比", "结算存款占比"], axis=1)
shares.index = [f"{level} 星" for level in shares.index]
top = shares.iloc[3:].sum()
fig = cu.charts.pyramid(shares, left="商户数占比", right="结算存款占比")
cu.charts.finish(fig, title=f"四星以上占商户的 {top['商户数占比']:.0%}，持有结算存款的 {top['结算存款占比']:.0%}",
                 alt="星级金字塔：左边每一星的商户占比，右边每一星的结算存款占比。",
                 source=f"{bank.name}，商户月度表，{last:%Y-%m}，按抽样权数")
rates, posted = bank.load("deposit_rate"), cu.analysis.maturity.posted_rate
demand, one_year = posted(rates, "本行", "活期", bank.as_of).iloc[0], posted(rates, "本行", "定期", bank.as_of).loc[12]
total = tower["money"].sum()
cu.say(f"全行结算户日均约 {total / 1e4:,.0f} 万元，付息 {demand:.2f}%；换成一年定期要付 {one_year:.2f}%，"
       f"一年多付 **{total * (one_year - demand) / 1e6:,.1f} 万元**。这笔差价里有 {top['结算存款占比']:.0%} 系在四星以上商户身上。")

# %% [markdown]
# ## 演示三：是星级带来存款，还是存款多的人星级高
#
# 金字塔只说“四星商户存得多”。支行最想听的是下一句：“把三星**变成**四星，他会多存多少？”这是两个问题：
#
# - **横着看**：不同商户之间，星级高一级，存款高几成。大店、老店、会过日子的店本来就两样都高，
#   而且星级的分数里本来就有存款，横着看等于有一半在自己解释自己。
# - **竖着看**：盯住**同一个**商户，看他升星的那几个月和没升星的那几个月差多少。做法叫固定效应：
#   每个商户减去自己的平均（去掉“他本来就是大户”），每个月减去全行的平均（去掉“这个月大家都多”），再放进交易额
#   （去掉“生意好了自然存得多”），剩下的才算到星级头上。
#
# 存款用对数，系数换算成百分数读。区间按商户聚在一起算：同一商户的许多个月不是许多个独立的证据。

# %%
live = monthly[(monthly["transaction_amount"] > 0) & (monthly["settlement_deposit_average"] > 0)].dropna(subset=["star"]).copy()
live["log_deposit"] = np.log(live["settlement_deposit_average"])
live["log_turnover"] = np.log(live["transaction_amount"])
live["next_star"] = live.sort_values("month").groupby("merchant_id")["star"].shift(-3)  # 下一季执行的星级
across = cu.analysis.experiment.linear(live[live["month"] == last], "log_deposit", ["star"]).rename(columns={"coefficient": "estimate"})
within = panel.two_way(live, "log_deposit", ["star", "log_turnover"], "merchant_id", "month")
fake = panel.two_way(live, "log_deposit", ["star", "next_star", "log_turnover"], "merchant_id", "month")
found = pd.concat([across.loc[["star"]], within.loc[["star"]], fake.loc[["next_star"]]])[["estimate", "low", "high"]]
found = np.expm1(found.set_axis(["横着看：不同商户", "竖着看：同一商户", "试金石：下一季的星级"]))
fig = cu.charts.forest(found, unit="%")
cu.charts.finish(fig, title=f"星级高一级：不同商户之间存款差 {found['estimate'].iloc[0]:+.0%}，同一商户 {found['estimate'].iloc[1]:+.0%}",
                 alt="三个估计和区间：横着看、竖着看、用下一季的星级做试金石。",
                 source=f"{bank.name}，商户月度表，{within.attrs['units']:,} 户、{within.attrs['n']:,} 个商户月；对数系数换算成百分数")

# %%
levels = pd.get_dummies(live["star"].astype(int), prefix="s", dtype=float)
each = panel.two_way(live.join(levels), "log_deposit", [*levels.columns[1:], "log_turnover"], "merchant_id", "month")
steps = np.expm1(each.loc[levels.columns[1:], ["estimate", "low", "high"]])
steps.index = [f"{name[2:]} 星，比 {levels.columns[0][2:]} 星" for name in steps.index]
cu.show(steps, names={"index": "同一个商户", "estimate": "存款高出", "low": "区间下限", "high": "区间上限"},
        units=dict.fromkeys(["estimate", "low", "high"], "%"))
placebo = found.iloc[2]
clean = placebo["low"] <= 0 <= placebo["high"]
cu.say(f"试金石：今天的存款不可能被**下一季**的星级影响，可是它的系数是 {placebo['estimate']:+.1%}"
       f"（区间 {placebo['low']:+.1%} 到 {placebo['high']:+.1%}），"
       + ("和零分不开，没有露出“先存款、后升星”的马脚。" if clean else
          "不是零：存款多了，下一季星级就升，“先有钱、后有星”这条路确实在走。")
       + f"所以 {found['estimate'].iloc[1]:.0%} 可以拿来做计划的上限，不要写成“升一星就能多存 {found['estimate'].iloc[1]:.0%}”。")

# %% [markdown]
# ## 演示四：一户一月的账
#
# 一家商户一个月给我们留下多少，四样相加减 [定义]：存款 FTP 利润（日均乘以“总行收这笔钱的内部价减去付息率”）
# ＋ 手续费收入 − 成本 − 权益成本。其中内部价用最近一年 FTP 曲线的活期点。按星级和“收费、免费”分开看，
# 横线是区间（同一商户先平均成一个数，再看商户之间差多大）。读图时先找零线。
#
# 免费的商户没有手续费，只能靠存款回本。够本的日均 ＝ 月成本 ÷ 每元活期一个月的利差。拿它和现有日均比，就知道
# “免费换存款”这笔买卖在哪一星做得成。最后那张表不是叫人明天就把免费取消：取消以后会走多少商户，数据里没有。

# %%
year = monthly[monthly["month"] > last - pd.DateOffset(months=12)].dropna(subset=["star"]).copy()
curve = bank.load("ftp_curve")
curve = curve[(curve["term_months"] == curve["term_months"].min()) & (curve["month"] > last - pd.DateOffset(months=12))]
margin = curve["rate"].mean() - demand  # 活期的内部价减付息率，百分点
year["deposit_profit"] = cu.analysis.ftp.deposit_profit(year["settlement_deposit_average"], curve["rate"].mean(), demand, 1)
year["fee_profit"] = year["fee_income"] - year["cost"]
year["profit"] = year["deposit_profit"] + year["fee_profit"] - (year["benefit_cost"] if "benefit_cost" in year else 0.0)
year["price"] = np.where(year["fee_waived"], "免手续费", "收手续费")
own = year.groupby(["star", "price", "merchant_id"])["profit"].mean().groupby(level=["star", "price"])
account = own.agg(profit="mean", sem="sem", count="size").fillna({"sem": 0.0}).reset_index()
account["low"], account["high"] = account["profit"] - 1.96 * account["sem"], account["profit"] + 1.96 * account["sem"]
account["level"] = account["star"].astype(int).astype(str) + " 星"

# %%
fig = cu.charts.bars_with_interval(account, value="profit", label="level", group="price", unit="元", reference=0.0)
free = account[account["price"] == "免手续费"]
lost = "每一星" if (free["high"] < 0).all() else "、".join(free.loc[free["high"] < 0, "level"]) or "没有哪一星"
cu.charts.finish(fig, title=f"每户每月的账：免手续费的商户里，明确亏钱的是{lost}",
                 alt="按星级和是否免手续费分组的横条：一户一月的利润和区间。",
                 source=f"{bank.name}，近十二个月商户月度表，样本商户；活期 FTP 利差 {margin:.2f} 个百分点")
low_free = year[year["fee_waived"] & (year["star"] <= 2)]
slope, fixed = np.polyfit(year["transaction_amount"], year["cost"], 1)
paying = year.loc[(year["fee_income"] > 0) & ~year["fee_waived"]]
price = paying["fee_income"].sum() / paying["transaction_amount"].sum()
cu.say(f"一、二星里免手续费的商户，手续费收入减成本平均每户每月 **{low_free['fee_profit'].mean():+.1f} 元**，"
       f"加上存款利润、减去权益是 {low_free['profit'].mean():+.1f} 元。成本大约是每月固定 {fixed:.0f} 元再加交易额的 {slope:.2%}；"
       + (f"收费商户收 {price:.2%}，月交易额到 **{fixed / (price - slope):,.0f} 元** 就够本。" if price > slope else
          "收费商户的费率还盖不住变动成本，交易越多亏得越多。"))

# %%
FREE = {"star": "星级", "transaction_amount": "月均交易额", "cost": "月成本", "settlement_deposit_average": "现有日均",
        "needed": "够本要的日均", "enough": "够本的商户月"}
free_rows = year[year["fee_waived"]].assign(enough=year["profit"] >= 0).astype({"star": int})
free_year = free_rows.groupby("star")[["transaction_amount", "cost", "settlement_deposit_average", "enough"]].mean()
free_year.insert(3, "needed", free_year["cost"] / (margin / 100 / 12))
cu.show(free_year, names=FREE, units={"enough": "%", "needed": "元"})
reach = free_year["settlement_deposit_average"] / free_year["needed"]
cu.say(f"免费商户里，离够本最近的是 {reach.idxmax()} 星（现有日均是够本线的 {reach.max():.0%}），最远的是 {reach.idxmin()} 星（{reach.min():.0%}）。"
       "交易额越大，免费越贵：减免要和日均挂钩，而不是一签就免。")

# %% [markdown] outline=["S004-E2.4"]
# ## 演示五：权益有没有用
#
# 两种权益，分批在不同网点推出：体检保险和收款纸卷。先看最朴素的对比：领过的、同一网点没领的、
# 网点还没推出的，三组商户从最早半年到最近半年各变了多少。用几何平均（先取对数再平均），免得被一两个大户带着走；
# 只看**月月有生意**的商户，停停开开的店存款忽高忽低，会把比较搅浑。
# 代价是：领了权益还是关了张的店不在里面，结论只对一直开着的店成立。

# %%
claims, programs = bank.load("merchant_benefit"), bank.load("branch_program")
BENEFITS = {"体检保险": "商户体检保险权益", "收款纸卷": "商户纸卷权益"}
ends, took = {}, {}  # 网点推出的月份；商户首次领取的月份
for name, program in BENEFITS.items():
    begin = programs[programs["program"] == program].set_index("branch_id")["start_date"]
    ends[name] = merchants["branch_id"].map(begin) + pd.offsets.MonthEnd(0)
    took[name] = claims[claims["benefit"] == name].groupby("merchant_id")["date"].min() + pd.offsets.MonthEnd(0)
steady = live[live.groupby("merchant_id")["month"].transform("size") == len(months)]  # 月月有生意的
first, final, groups = steady["month"].isin(months[:6]), steady["month"].isin(months[-6:]), []
for name in BENEFITS:
    offered = np.where(steady["merchant_id"].map(ends[name]).notna(), "网点推出、没领", "网点没推出")
    who = pd.Series(np.where(steady["merchant_id"].isin(took[name].index), "领过", offered), index=steady.index, name="who")
    change = steady[final].groupby(who)["log_deposit"].mean() - steady[first].groupby(who)["log_deposit"].mean()
    groups.append(pd.DataFrame({"benefit": name, "change": np.expm1(change), "n": steady.groupby(who)["merchant_id"].nunique()}))
cu.show(pd.concat(groups).reset_index(), rows=None, names={"benefit": "权益", "who": "商户", "change": "存款变化", "n": "商户数"}, units={"change": "%"})

# %% [markdown]
# 再看**事件研究**：把每个商户首次领取的月份对齐到零，画出领取前后每个月比别人多变了多少（同样扣掉商户和月份的平均）。
# 左半边应该贴着零线：如果领取以前就已经在涨，说明是“快要涨的人来领”，右半边就不能算权益的功劳。阴影是区间。
#
# 领不领是商户自己选的，推不推却是总行按网点分批定的。所以再算一遍**网点口径**：只比“推出的网点”和“没推出的网点”，
# 网点里领的、没领的都算进去（效果会被没领的人摊薄）。网点只有几十家，普通的区间偏窄，于是再做一次“洗牌”：
# 把推出日期随机发给各家网点两百次 [参数]，看真实的差别排在第几；洗牌 p 值小，才说明不是碰巧。

# %%
curves, low, high, lead = {}, {}, {}, {}
for name in BENEFITS:
    rows = steady.assign(start=steady["merchant_id"].map(took[name]))
    study = panel.event_study(rows, "log_deposit", "merchant_id", "month", "start", 6, 8, cluster="branch_id")
    lead[name] = study.attrs["lead_p"]
    curves[name], low[name], high[name] = (np.expm1(study[c].fillna(0.0)) for c in ("estimate", "low", "high"))
table = pd.DataFrame(curves)
fig = cu.charts.event_curve(table, unit="%", event="首次领取", low=pd.DataFrame(low), high=pd.DataFrame(high))
fig.axes[0].set_xlabel("距首次领取的月数（首尾两点含更早、更晚的月份）")
cu.charts.finish(fig, title="领取以后比别人平均多存：" + "，".join(f"{name} {value:+.1%}" for name, value in table.loc[0:].mean().items()),
                 alt="两条线：领取前后各月，领取户的存款比别人多变了多少，阴影为区间。", source=f"{bank.name}，商户月度表、权益领取表，按网点聚类")
cu.say("领取以前有没有先涨：" + "；".join(f"{name}的检验 p 值 {p:.2f}，" + ("看不出" if p > 0.05 else "有先动的迹象，右半边要打折扣")
                                   for name, p in lead.items()) + "。p 值越小，“前面都是零”越难成立。")

# %%
results = {}
for name in BENEFITS:
    for word, start in (("领取户", took[name]), ("推出的网点", ends[name].dropna())):
        rows = steady.assign(start=steady["merchant_id"].map(start))
        done = panel.did(rows, "log_deposit", "merchant_id", "month", "start", cluster="branch_id")
        luck = panel.placebo(rows, "log_deposit", "merchant_id", "month", "start", "branch_id", 200)["p"] if word != "领取户" else np.nan
        results[name, word] = [*np.expm1([done[c] for c in ("estimate", "low", "high")]), luck]
effects = pd.DataFrame(results, index=["estimate", "low", "high", "p"]).T.rename_axis(["权益", "比谁"])
cu.show(effects, names={"estimate": "多存", "low": "区间下限", "high": "区间上限", "p": "洗牌 p 值"}, units=dict.fromkeys(effects.columns[:3], "%"))
works = {name: bool(effects.loc[(name, "推出的网点"), "p"] <= 0.05 and effects.loc[(name, "领取户"), "low"] > 0) for name in BENEFITS}
cu.say("；".join(f"**{name}** " + ("两种口径都看得出多存了，站得住" if works[name] else "两种口径没有同时站住，不能说有用") for name in BENEFITS)
       + "。同时检验好几个数，偶尔有一个区间不含零并不稀奇，所以要两种口径都过关才算。")

# %% [markdown] outline=["S000-2.2.3.3", "S000-2.2.3.3.1", "S000-2.2.3.3.2", "S000-2.2.3.3.3", "S000-2.2.3.3.3a", "S000-2.2.3.3.4", "S000-2.2.3.3.5", "S000-2.2.3.3.6"]
# 星级其实就是商户的**俱乐部**，和“好邻居俱乐部”（5060、100 万以上客户俱乐部）同一个道理 [本课程定义]：
#
# | 要定的事 | 商户俱乐部怎么定 |
# |---|---|
# | 原理 | 用看得见的好处换一个能数的行为：多收款、多留存，而不是换一次到场 |
# | 分群分层 | 先按行业分群，再按星级分层；一个俱乐部只管一群人，比如只管餐饮 |
# | 权益 | 一、二星给不花钱的（收款播报、对账服务），三星给临界冲刺的小权益，四、五星给验证过有用的权益 |
# | 进入和退出 | 每季评一次；掉星给一季缓冲，再不回来就停权益，规则提前公开 |
# | 体验活动 | 四星以上每季一次行业沙龙，讨论的是生意，不是推销 |
#
# ## 演示六：有用，不等于划算；划算，也要看送给谁
#
# 权益的效果是一个百分比，成本却是每人一样的钱。所以同一份体检保险，送给日均高的商户划算，送给日均低的就亏。
# 下面用区间下限（保守）算每户预期多存多少，从“每一元成本换来存款最多”的人开始送，画出预算和新增存款的曲线。

# %%
cost = claims[claims["benefit"] == "体检保险"]["cost"].mean()  # 每户每年
effect = max(effects.loc[("体检保险", "领取户"), "low"], 0.0)  # 保守：用区间下限
holding = claims[(claims["benefit"] == "体检保险") & (claims["date"] > last - pd.DateOffset(months=12))]["merchant_id"]
offers = today.join(rated[["score", "star"]]).join(merchants[["branch_id", "employee_id"]])
offers = offers[(offers["last_days"] > 0) & ~offers.index.isin(holding)].copy()  # 还在营业、近一年没领过
near = stars.critical(today, merchants["group"], rules)
offers["near"] = offers.index.isin(near.index)  # 临界客户
offers["uplift"] = offers["deposit"] * effect
offers["cost"] = cost
offers["net"] = offers["uplift"] * margin / 100 - cost
line = offers.reset_index().sort_values(["uplift", "merchant_id"], ascending=[False, True])
sizes = [n for n in (10, 20, 40, 80, 160, 320, len(line)) if n <= len(line)]
supply = pd.DataFrame({"budget": [n * cost for n in sizes], "gain": [line["uplift"].head(n).sum() for n in sizes]}, index=sizes)
supply["last_price"] = [cost / max(line["uplift"].iloc[n - 1], 0.01) for n in sizes]

# %%
inside = supply.index[supply["budget"] <= BENEFIT_BUDGET]
fig = cu.charts.frontier(supply.assign(word=[f"{n} 户" for n in sizes]), "budget", "gain", label="word", chosen=inside[-1] if len(inside) else sizes[0],
                         x_unit="元", y_unit="万元", x_label="权益预算", y_label="预期新增日均")
pays = int((offers["net"] > 0).sum())
cu.charts.finish(fig, title=f"钱越花越不值：单看活期利差，送给 {pays} 户就该停",
                 alt="曲线：权益预算从少到多，预期新增日均存款逐渐变平，圈出的是预算之内的最后一档。",
                 source=f"{bank.name}，效果用区间下限 {effect:.1%}，每户每年 {cost:.0f} 元")
stop = cost / (effect * margin / 100) if effect > 0 else np.inf
last_price = supply.loc[inside[-1], "last_price"] if len(inside) else np.nan
cu.say(f"一份体检保险一年 {cost:.0f} 元。" + (f"按活期利差 {margin:.2f} 个百分点，商户日均要到 **{stop / 1e4:.1f} 万元** 才赚回来，可送的商户里有 {pays} 户。" if effect > 0 else "效果的区间下限不高于零，不该花这笔钱。")
       + f"预算 {BENEFIT_BUDGET:,} 元花到最后一户，每多一元存款要付 {last_price:.1%} 的成本，一年定期的付息才 {one_year:.2f}%。"
       "想要更多，只能换便宜的权益、谈更低的采购价，或者承认这笔钱买的不只是存款。")

# %% [markdown] outline=["S004-E2.1", "S004-E2.5"]
# ## 演示七：四个地区的考核办法，奖了谁，防住了谁
#
# 各地收单考核办法大体四种，表里用方案甲、乙、丙、丁代称（情景仿真，不是任何一家银行的原文）。指标五项，计酬三种 [定义]：
# **按存量**看现在有多少；**按增量**看比去年多了多少，少了不倒扣；**按达标**只有增量到了同事的中位数才按存量给钱。
# 本课再加一种**按留存**：增量里只认经得起核验的，新商户末月要活跃满 15 天，交易剔除疑似刷单（整百元和深夜交易都偏多）的商户，
# 四星要三个月前和现在都是，存款只算非季末月 [定义]。核验要花工时，见参数 `VERIFY_HOURS`。
#
# 四个方案的单价差很多，直接比谁多谁少没有意义。下面让它们**发同样多的钱**（人均 `BONUS_POT` 元，按比例放大或缩小），再问三件事：
# 拿到钱的人占几成；奖金和“真正留下来的存款”排得一致不一致（秩相关，按剔除季末月的日均增量）；
# 四种**刷指标**的做法各能多拿多少。刷法是设想的，用到的数写在表里 [本课程定义]，正数表示刷了划得来。

# %%
marks = monthly.groupby("merchant_id")[["round_amount_share", "night_share"]].mean()
suspect = marks.index[(marks["round_amount_share"] > 0.3) & (marks["night_share"] > 0.12)]  # 疑似刷单
quantity = cu.analysis.bonus.quantities(monthly, merchants, GATE_DAYS, suspect)
kept = quantity["按留存"]
staff = kept.index
each = pd.DataFrame({rule: quantity[rule].mean() for rule in ("按存量", "按增量", "按留存")}).rename_axis("指标")
cu.show(each, title=f"人均（样本口径，{len(staff)} 人；金额和日均为万元）")
games = pd.DataFrame({"新增商户数": [20, 0, 0, 0], "交易笔数": [20, 2000, 0, 0], "交易金额": [0.0, 60.0, 0.0, 0.0],
                      "四星以上净增": [0, 0, 0, 3], "结算户日均": [0.0, 0.0, 100 * 10 / 365, 0.5],
                      "自己的代价": [300, 600, 1370, 205]}, index=["铺空码", "自刷流水", "年末冲存款", "刷星"])
cu.show(games.rename_axis("刷法"), title="四种刷法，一个人一年多出来的量（金额和日均为万元，代价为元）")

# %%
schemes = bank.load("assessment_scheme")
UNIT_PRICE = schemes.groupby("metric")["unit_price"].first()  # 每单位多少钱，四个方案相同


def judge(scheme):
    """拿到钱的人占比、奖金和真实存款的秩相关、四种刷法一年的净收益。"""
    honest = cu.analysis.bonus.paid(scheme, quantity, UNIT_PRICE)
    scale = BONUS_POT * len(staff) / max(honest.sum(), 1e-9)  # 放大到人均同样多
    result = {"拿到钱的人": (honest > 0).mean(), "和真实存款的相关": honest.corr(kept["结算户日均"], method="spearman")}
    for name, game in games.iterrows():
        cheated = cu.analysis.bonus.paid(scheme, quantity, UNIT_PRICE, game)
        result[name] = scale * (cheated - honest).mean() - game["自己的代价"]
    return result


# %%
order = [name for name in ("方案甲", "方案乙", "方案丙", "方案丁") if (schemes["scheme"] == name).any()]
verdict = pd.DataFrame({name: judge(schemes[schemes["scheme"] == name]) for name in order}).T
rule = schemes.groupby("scheme")["payout_rule"].first()
cu.show(verdict[["拿到钱的人", "和真实存款的相关"]].rename_axis("方案"), units={"拿到钱的人": "%"})
fig = cu.charts.heatmap(verdict[list(games.index)].T, unit="元", center=0, row_label="刷法", column_label="方案")
holes = (verdict[list(games.index)] > 0).sum(axis=1)
tight = verdict["和真实存款的相关"].idxmax()
cu.charts.finish(fig, title=f"和真实存款最一致的是{tight}，却有 {holes[tight]} 种刷法划得来" if holes[tight] else f"{tight}和真实存款最一致，四种刷法都不划算",
                 alt="热力图：行是刷法，列是方案，格子是刷一年扣掉代价以后多拿的钱。", source=f"{bank.name}，样本员工 {len(staff)} 人，四个方案人均奖金相同")
words = [f"{name}（{rule[name]}）和真实存款的相关 {verdict.loc[name, '和真实存款的相关']:+.2f}，漏洞 {holes[name]} 个" for name in order]
cu.say("；".join(words) + "。奖增量容易招来刷量；奖存量刷不动，却也分不出谁今年出了力。防得住和奖得对要一起看，两头都要，就得花工时核验。")

# %% [markdown]
# ## 演示八：落地——临界客户和每月一次的星级例会
#
# **临界客户**：还没到四星，分数只差几分、门槛只差两成以内的商户 [参数]。他们是下一季四星的主要来源，人数不多，可以一户一户谈。
# 每户写清差什么、差多少、分到每周是多少。名单要发到支行，所以先剔除**勿扰客户**和没有有效营销授权的客户。
#
# 法律上还有一道线：个人信息保护法第二十四条要求自动化决策透明、结果公平公正，不得在价格等交易条件上不合理地差别对待，
# 营销推送要给人拒绝的办法 [来源：个人信息保护法第 24 条]。放到星级上：规则公开、商户问得到自己差在哪、星级只决定额外的权益，不决定基本服务的价格。

# %%
consent = bank.load("consent", columns=["customer_id", "scope", "granted", "expire_date"])
agreed = consent[(consent["scope"] == "营销") & consent["granted"] & ~(consent["expire_date"] <= bank.as_of)]["customer_id"]
refused = bank.load("customer", columns=["customer_id", "do_not_call"]).query("do_not_call")["customer_id"]
allowed = merchants.index[merchants["customer_id"].isin(agreed) & ~merchants["customer_id"].isin(refused)]
plan = near.join(merchants[["branch_id", "employee_id", "group"]]).join(today[["deposit", "last_days"]])
plan = plan[plan.index.isin(allowed)]
plan["weekly_deposit"] = plan["lack_deposit"] / WEEKS  # 每周要多留存多少
scope = plan if BRANCH is None else plan[plan["branch_id"] == BRANCH]
shown = ["branch_id", "employee_id", "group", "star", "score", "reason", "lack_points", "lack_days", "lack_deposit", "weekly_deposit"]
cu.show(scope[shown].round({"score": 1, "lack_points": 1}), rows=8, names=LISTED, units={"weekly_deposit": "元", "lack_deposit": "元"})
worth = near["lack_deposit"].sum()
cu.say(f"临界客户 {len(near)} 户，可以联系的 {len(plan)} 户，本次名单 {len(scope)} 户；临界客户全部补到门槛，样本结算户日均多 {worth / 1e4:,.1f} 万元。")
goal = scope.reset_index()[["merchant_id", "branch_id", "employee_id", "group", "star", "score", "reason", "deposit", "lack_deposit"]].round(2)
goal["target"], goal["actual"], goal["still"] = goal["deposit"].clip(lower=GATE_DEPOSIT), goal["deposit"], goal["lack_deposit"]  # 支行每周填
goal["verdict"] = np.where(goal["still"] > 0, "继续", "日均已够，看差什么")

# %%
four = monthly.assign(four=monthly["star"] >= 4).pivot_table(index="merchant_id", columns="month", values="four", aggfunc="max")
four = four[[months[-4], months[-1]]].fillna(0).astype(bool)  # 上一季和本季
flow_table = pd.DataFrame({"held": four[months[-1]], "rose": four[months[-1]] & ~four[months[-4]],
                           "fell": four[months[-4]] & ~four[months[-1]]}).join(merchants["branch_id"])
meeting = flow_table.groupby("branch_id")[["held", "rose", "fell"]].sum().astype(int)
meeting["near"] = plan["branch_id"].value_counts().reindex(meeting.index, fill_value=0)
meeting = meeting if BRANCH is None else meeting[meeting.index == BRANCH]
gifts = line[line["merchant_id"].isin(allowed)].head(int(BENEFIT_BUDGET // cost))
gifts = gifts if BRANCH is None else gifts[gifts["branch_id"] == BRANCH]
gifts = gifts[["merchant_id", "branch_id", "employee_id", "star", "deposit", "uplift", "cost", "net"]]  # 权益方案
cu.show(meeting.sort_values(["fell", "near"], ascending=False, kind="stable"), rows=8, names=LISTED, title="星级例会表：一家网点一行")
gone = today["deposit"].reindex(flow_table.index[flow_table["fell"]]).sum()
cu.say(f"本季全行样本升进四星 {int(flow_table['rose'].sum())} 户，掉出 {int(flow_table['fell'].sum())} 户；掉出的人手里还有日均 {gone / 1e4:,.1f} 万元，"
       f"比临界客户补到门槛能添的 {worth / 1e4:,.1f} 万元{'更多' if gone > worth else '并不更多'}。例会只开三十分钟 [定义]：先问掉下去的每一户为什么，再看临界客户的每周进度，"
       "最后核验上季新升的还在不在。")

# %% [markdown]
# ## 练习
#
# **E1 ★★ 写一个函数** `star_of(table)`：给一张商户表评星。`table` 一户一行，列有 `group`（行业）、`amount`、`count`、`days`、`deposit`、
# `stability`（零到一）、`products`、`last_days`。规则同演示一：四项在行业内的名次 ＝（从小到大的名次 − 0.5）÷ 行业户数，并列取平均名次 [定义]；
# 六项的分数用 `WEIGHTS`，产品数除以 5 [参数]、封顶为一；星级线用 `EDGES`（正好到线算上一星），三道门槛用 `GATE_DAYS`、`GATE_DEPOSIT`、`GATE_DEPOSIT_5`
# （正好到线算过）。返回整数 Series，索引和 `table` 一样。

# %% tags=["answer:E1"]
star_of = ...  # ← 写一个函数 star_of(table)
### BEGIN SOLUTION


def star_of(table):
    score = WEIGHTS["stability"] * table["stability"] + WEIGHTS["products"] * (table["products"] / 5).clip(upper=1)
    size = table.groupby("group")["group"].transform("size")
    for name in ["amount", "count", "days", "deposit"]:
        rank = table.groupby("group")[name].rank(method="average")
        score = score + WEIGHTS[name] * (rank - 0.5) / size
    star = 1 + sum((score >= edge).astype(int) for edge in EDGES)
    passed = (table["last_days"] >= GATE_DAYS) & (table["deposit"] >= GATE_DEPOSIT)
    star = star.where(passed, star.clip(upper=3))
    return star.where(table["deposit"] >= GATE_DEPOSIT_5, star.clip(upper=4))


### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:no_gates"]
def star_of(table):
    score = WEIGHTS["stability"] * table["stability"] + WEIGHTS["products"] * (table["products"] / 5).clip(upper=1)
    size = table.groupby("group")["group"].transform("size")
    for name in ["amount", "count", "days", "deposit"]:
        score = score + WEIGHTS[name] * (table.groupby("group")[name].rank(method="average") - 0.5) / size
    return 1 + sum((score >= edge).astype(int) for edge in EDGES)

# %% tags=["wrong:E1:all_trades_together"]
def star_of(table):
    score = WEIGHTS["stability"] * table["stability"] + WEIGHTS["products"] * (table["products"] / 5).clip(upper=1)
    for name in ["amount", "count", "days", "deposit"]:
        score = score + WEIGHTS[name] * (table[name].rank(method="average") - 0.5) / len(table)
    star = 1 + sum((score >= edge).astype(int) for edge in EDGES)
    passed = (table["last_days"] >= GATE_DAYS) & (table["deposit"] >= GATE_DEPOSIT)
    star = star.where(passed, star.clip(upper=3))
    return star.where(table["deposit"] >= GATE_DEPOSIT_5, star.clip(upper=4))

# %% tags=["wrong:E1:gate_drops_to_one"]
def star_of(table):
    score = WEIGHTS["stability"] * table["stability"] + WEIGHTS["products"] * (table["products"] / 5).clip(upper=1)
    size = table.groupby("group")["group"].transform("size")
    for name in ["amount", "count", "days", "deposit"]:
        score = score + WEIGHTS[name] * (table.groupby("group")[name].rank(method="average") - 0.5) / size
    star = 1 + sum((score >= edge).astype(int) for edge in EDGES)
    passed = (table["last_days"] >= GATE_DAYS) & (table["deposit"] >= GATE_DEPOSIT)
    return star.where(passed, 1)

# %% tags=["alternative:E1:toolbox"]
def star_of(table):
    limits = stars.StarRules(WEIGHTS, tuple(EDGES), GATE_DAYS, GATE_DEPOSIT, GATE_DEPOSIT_5)
    return stars.rate(table, table["group"], limits)["star"]

# %% [markdown]
# **E2 ★★ 估一个数** 只看**减免手续费**的商户（`live` 里 `fee_waived` 为真）：同一个商户升一星，结算存款高百分之几？
# 做法同演示三：存款和交易额取对数，去掉商户和月份的平均，按商户聚类。把（估计、区间下限、区间上限）三个数放进元组 `one_star`，
# 都从对数换算成比例（零点一表示一成 [定义]）。

# %% tags=["answer:E2"]
one_star = ...  # ← 三个数：(估计, 下限, 上限)
### BEGIN SOLUTION
free_rows = live[live["fee_waived"]]
fitted = panel.two_way(free_rows, "log_deposit", ["star", "log_turnover"], "merchant_id", "month")
one_star = tuple(np.expm1(fitted.loc["star", ["estimate", "low", "high"]]))
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:across_merchants"]
free_rows = live[live["fee_waived"] & (live["month"] == last)]
one_star = tuple(np.expm1(cu.analysis.experiment.linear(free_rows, "log_deposit", ["star"]).loc["star", ["coefficient", "low", "high"]]))

# %% tags=["wrong:E2:left_in_logs"]
fitted = panel.two_way(live[live["fee_waived"]], "log_deposit", ["star", "log_turnover"], "merchant_id", "month")
one_star = tuple(fitted.loc["star", ["estimate", "low", "high"]])

# %% tags=["wrong:E2:all_merchants"]
fitted = panel.two_way(live, "log_deposit", ["star", "log_turnover"], "merchant_id", "month")
one_star = tuple(np.expm1(fitted.loc["star", ["estimate", "low", "high"]]))

# %% tags=["alternative:E2:as_dictionary"]
fitted = panel.two_way(live.query("fee_waived"), "log_deposit", ["log_turnover", "star"], "merchant_id", "month")
row = fitted.loc["star"]
one_star = {"估计": np.exp(row["estimate"]) - 1, "下限": np.exp(row["low"]) - 1, "上限": np.exp(row["high"]) - 1}

# %% [markdown]
# **E3 ★★★ 决定** 用 `BENEFIT_BUDGET` 元买体检保险，送给谁？从 `offers`（还在营业、近一年没领过的商户，`uplift` 是预期新增日均，`cost` 是每户成本，
# `near` 是不是临界客户）里选，做成表 `my_gifts`，至少有一列 `merchant_id`。要求：不重复；总成本不超预算；任何一家网点的成本不超过预算的
# `BRANCH_SHARE`；临界客户至少占送出户数的 `NEAR_SHARE`；预期新增日均之和达到最好方案的九成五 [参数]。

# %% tags=["answer:E3"]
pool = offers.reset_index().sort_values(["uplift", "merchant_id"], ascending=[False, True])
my_gifts = ...  # ← 从 pool 里选商户
### BEGIN SOLUTION
size = int(BENEFIT_BUDGET // cost)
most = int(BENEFIT_BUDGET * BRANCH_SHARE // cost)  # 一家网点最多几户
wanted = pool[pool["near"]].groupby("branch_id").head(most).head(int(np.ceil(size * NEAR_SHARE)))
rest = pd.concat([wanted, pool[~pool["merchant_id"].isin(wanted["merchant_id"])]])
my_gifts = rest.groupby("branch_id").head(most).head(size)
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:richest_only"]
pool = offers.reset_index().sort_values(["uplift", "merchant_id"], ascending=[False, True])
my_gifts = pool.head(int(BENEFIT_BUDGET // cost))

# %% tags=["wrong:E3:spread_evenly"]
pool = offers.reset_index().sort_values("merchant_id")
my_gifts = pool.sample(int(BENEFIT_BUDGET // cost), random_state=1)

# %% tags=["wrong:E3:near_only"]
pool = offers.reset_index().sort_values(["uplift", "merchant_id"], ascending=[False, True])
my_gifts = pool[pool["near"]].head(int(BENEFIT_BUDGET // cost))

# %% tags=["alternative:E3:loop"]
pool = offers.reset_index().sort_values(["near", "uplift", "merchant_id"], ascending=[False, False, True])
size, used, chosen = int(BENEFIT_BUDGET // cost), {}, []
need = int(np.ceil(size * NEAR_SHARE))
ordered = pd.concat([pool.head(need), pool.iloc[need:].sort_values(["uplift", "merchant_id"], ascending=[False, True])])
for row in ordered.itertuples():
    spent_here = used.get(row.branch_id, 0.0) + row.cost
    if len(chosen) < size and spent_here <= BENEFIT_BUDGET * BRANCH_SHARE:
        used[row.branch_id] = spent_here
        chosen.append(row.merchant_id)
my_gifts = pd.DataFrame({"merchant_id": chosen})

# %% [markdown]
# **E4 ★★★ 重写考核** 写一个让**刷星不划算**的方案 `my_scheme`：一张表，五项指标各一行，列是 `metric`、`weight`、`payout_rule`
# （按存量、按增量、按达标、按留存四选一）。要求：权重不小于零、合计为一；至少三项指标的权重不低于 0.1，其中四星以上净增不低于 0.2 [参数]；
# 用了“按留存”而且权重大于零的指标，核验工时合计不超过 `HOURS_LIMIT`；四种刷法净收益都不大于零；至少六成 [参数] 员工拿得到钱；
# 奖金和真实存款的秩相关达到参考方案的九成 [参数]。写完用 `judge(my_scheme)` 自己先看一遍。

# %% tags=["answer:E4"]
my_scheme = ...  # ← 一张五行三列的表：metric、weight、payout_rule
### BEGIN SOLUTION
my_scheme = pd.DataFrame(
    {"metric": ["新增商户数", "交易笔数", "交易金额", "四星以上净增", "结算户日均"],
     "weight": [0.1, 0.0, 0.0, 0.25, 0.65],
     "payout_rule": ["按留存", "按增量", "按增量", "按留存", "按留存"]})
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:count_new_codes"]
my_scheme = pd.DataFrame({"metric": METRICS, "weight": [0.6, 0.0, 0.0, 0.2, 0.2], "payout_rule": "按增量"})

# %% tags=["wrong:E4:never_verified"]
my_scheme = pd.DataFrame({"metric": METRICS, "weight": [0.1, 0.0, 0.0, 0.25, 0.65], "payout_rule": "按增量"})

# %% tags=["wrong:E4:pay_for_size"]
my_scheme = pd.DataFrame({"metric": METRICS, "weight": [0.1, 0.2, 0.2, 0.2, 0.3], "payout_rule": "按存量"})

# %% tags=["wrong:E4:verify_everything"]
my_scheme = pd.DataFrame({"metric": METRICS, "weight": [0.1, 0.1, 0.1, 0.2, 0.5], "payout_rule": "按留存"})

# %% tags=["alternative:E4:less_for_stars"]
my_scheme = pd.DataFrame({"metric": METRICS[::-1], "weight": [0.7, 0.2, 0.0, 0.0, 0.1],
                          "payout_rule": ["按留存", "按留存", "按存量", "按存量", "按留存"]})

# %% [markdown]
# ## 成果
#
# 一本《星级商户权益与考核测算》：星级与每户的账、临界客户周目标、权益方案、考核比较、例会表。临界客户一页只填“现在的日均”，差额和判断自己会变。

# %%
Sheet, yuan = cu.deliver.Sheet, dict.fromkeys(["actual", "still", "target", "uplift", "net"], "元")
TRACK = {"still": "=MAX(0,[target]-[actual])", "verdict": '=IF([still]>0,"继续","日均已够，看差什么")'}
ACCOUNT = {"level": "星级", "price": "收费", "count": "商户数", "profit": "每户每月", "low": "区间下限", "high": "区间上限"}
path = cu.deliver.workbook(
    bank.output_dir("m04_n02") / "星级商户权益与考核测算.xlsx",
    {"每户每月的账": Sheet(account[list(ACCOUNT)], names=ACCOUNT), "免费够本线": Sheet(free_year.reset_index(), names=FREE, units={"enough": "%"}),
     "临界客户周目标": Sheet(goal, names=LISTED, units=yuan, formulas=TRACK, notes=["只填“现在的日均”，其余自动算。", "已剔除勿扰和没有营销授权的客户。"]),
     "权益方案": Sheet(gifts, names=LISTED, units=yuan, notes=["预期新增用效果的区间下限，不是承诺。", "已剔除勿扰和没有营销授权的客户。"]),
     "考核比较": Sheet(verdict.rename_axis("方案").reset_index(), notes=["刷法一列是刷一年多拿的钱减自己的代价，正数就是漏洞。"]),
     "星级例会": Sheet(meeting.reset_index(), names=LISTED)},
    title=f"{bank.name} {BRANCH or '全行'} 星级商户权益与考核测算", purpose="商户星级经营", purge_date=bank.as_of + pd.DateOffset(days=120), money="元")
cu.say(f"已保存：`{path.name}`，临界客户 {len(goal)} 户，权益方案 {len(gifts)} 户。")
cu.progress()

# %% [markdown]
# ## 讨论
#
# - 商户该不该知道自己是几星？知道了会冲，也会刷；不知道，权益就成了“看脸给”。
# - 四星商户里有多少是“有存款的老店”，多少是“我们培养出来的”？考核应该奖哪一种？
# - 免费的一、二星商户，谁该收费、谁该留着当“将来的三星”、谁该清退？要回答它还缺什么数据？
#
# ## 小结
#
# 金字塔说明钱在谁手里，不说明升一星会多多少钱：横着看的差距，要换成竖着看的同一个商户，再用试金石打折。
# 权益先问有没有用，再问对谁划算；考核先问刷了划不划算，再问奖没奖对人。
# 星级要靠每月的例会活着：掉下去的问原因，临界的看进度，新升的再核验。
#
# 下一课：手机银行活跃——从刷指标到客户培育。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 课堂上常见的三个弯路：用横着看的系数去算“升一星能带来多少存款”；看到领取户存款涨了就说权益有用，忘了看没推出的网点；
# 重写考核时只想着堵漏洞，忘了核验要花工时。时间分配建议：演示一、二占两成，三到六占五成，七、八占一成半，练习占一成半。

# %% tags=["instructor"]
cu.reveal(bank, "m04_n02", {
    "star4": f"{top['商户数占比']:.3f}:{top['结算存款占比']:.3f}", "waiver_loss": low_free["fee_profit"].mean(),
    "within_effect": within.loc["star", "estimate"],
})
