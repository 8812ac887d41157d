# %% [markdown] outline=["S004-E"]
# # 收单商户四级预警：谁在掉，几天去看一次
#
# 课程：银行二十种数据实战应用场景 · 电子银行类三场景之一 ·
# 大纲：S004-E、S004-E1、S004-E1.1、S004-E1.2、S004-E1.3、S004-E1.4 · 难度：L2 · 用时：90 分钟
#
# 学完本课，你能：
#
# - 用四个数给每家商户定级，并把春节、寒暑假造成的假告警筛掉；
# - 拿三个月以后的结果检验级别准不准、能提前几天，再用随机试点量出走访有多大用；
# - 按“晚一天损失多少”排查看频率，给临界商户定每周目标，出一份支行当天能用的日报。
#
# Abstract: Build a four-level early warning for acquiring merchants, take the season out, test the levels against
# what happened next, measure visits in a randomised pilot, and set checking frequency by the cost of delay.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 今天的名单、频率和日报做哪家支行：None 表示全行（检验级别总是用全行数据）
RED_GAP = 60  # 多少天没有收款算一级（红）
ORANGE_GAP = 30  # 多少天没有收款算二级（橙）
ORANGE_TREND = 0.30  # 趋势低于多少算二级（橙）
YELLOW_TREND = 0.60  # 趋势低于多少算三级（黄）
YELLOW_DAYS = 8  # 当月活跃不到多少天算三级（黄）
BLUE_TREND = 0.85  # 趋势低于多少算四级（蓝）
BLUE_STABILITY = 0.50  # 稳定度低于多少算四级（蓝）
LOOK_AHEAD = 3  # 往后看几个月来检验级别
VALUE_CUT = 10000  # 结算户日均多少元以上算高价值商户
MARGIN = 0.012  # 一元结算存款一年的收益，元
VALUE_YEARS = 3  # 走掉一家商户，按少赚几年算
SAVE_DAYS = 30  # 拖过多少天再去就救不回来了（中间按直线递减）
UNKNOWN_LIFT = 0.10  # 没有随机试点的银行，假设走访多救回多大比例
CHECK_MINUTES = 5  # 看一家商户平均要几分钟
MINUTE_COST = 0.8  # 一分钟人工多少元
CHOICES = [1, 7, 30, 90]  # 可选的查看间隔，天
HOURS_PER_WEEK = 6  # 一家支行每周最多花几小时查看商户
GOAL_WEEKS = 12  # 临界商户的目标分几周完成

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m04_n01", BANK, AS_OF)
warning, stars, wilson = cu.analysis.warning, cu.analysis.stars, cu.analysis.experiment.wilson
rules = warning.Rules(RED_GAP, ORANGE_GAP, ORANGE_TREND, YELLOW_TREND, YELLOW_DAYS, BLUE_TREND, BLUE_STABILITY)
NAMES = {"level": "级别", "raw_level": "不去季节的级别", "stability": "稳定度", "trend": "趋势", "reason": "命中的规则",
         "merchants": "推算全行户数", "sample": "样本户数", "share": "占比", "deposit": "结算户日均", "rate": "三个月后流失率",
         "low": "区间下限", "high": "区间上限", "n": "户次", "lead": "平均还剩几天", "value": "价值", "days": "间隔（天）"}  # fmt: skip

# %% [markdown]
# ## 业务情境
#
# 支行行长说：“我这儿两三百家收款码商户，月底报表一来，又有十几家不动了。等我们上门，牌子都换成别家的了。
# **能不能在它不动之前就知道？知道了以后，先去哪几家，多久看一遍才划算？**”
#
# 商户是便宜存款的来源：货款先落在结算户上，几天以后才付出去。一家商户停用收款码，往往不是关门，
# 而是换了别家的码。越早知道，越有机会谈回来；可是天天盯着每一家，人手又不够。
#
# 这些数据**不能**说明商户为什么不收款（关门、搬家、换码、转让，表里都长一个样），也**看不到**它在别家码上收了多少。
# “预警”只是先后关系；走访有没有用，要看随机试点那一段。示例银行里的停用规律是生成器埋下的，不代表任何一家银行。
#
# ## 数据
#
# 主角是商户月度表，二十四个月，一行一家商户一个月；商户日交易表只有最近一百二十天。字段如下，单位以契约为准。

# %%
tables = {
    "merchant": ["merchant_id", "industry_code", "open_date", "branch_id", "employee_id", "near_school", "weight"],
    "merchant_month": ["month", "merchant_id", "transaction_amount", "active_days", "gap_days",
                       "settlement_deposit_average"],
    "merchant_day": ["date", "merchant_id", "transaction_amount"],
    "contact_log": ["merchant_id", "contact_time", "purpose", "arm", "converted"],
}  # fmt: skip
cu.dictionary(bank, tables)

# %%
wanted = ["merchant_id", "customer_id", "industry_code", "branch_id", "employee_id", "status", "near_school", "weight"]
merchants = bank.load("merchant", columns=[c for c in wanted if bank.has(f"merchant.{c}")])
trades = bank.load("industry", columns=["industry_code", "trade_group"])
merchants = merchants.merge(trades, on="industry_code", how="left").set_index("merchant_id")
if "near_school" not in merchants:
    cu.say("本行没有“学校周边”这个标记，学校商户的寒暑假分不出来，季节只按行业去。")
    merchants["near_school"] = False
place = merchants["near_school"].astype(bool).map({True: "（校边）", False: ""})
merchants["kind"] = merchants["trade_group"].astype("str") + place
wanted = ["month", "merchant_id", "transaction_amount", "transaction_count", "active_days", "gap_days",
          "settlement_deposit_average", "product_count"]  # fmt: skip
monthly = bank.load("merchant_month", columns=[c for c in wanted if bank.has(f"merchant_month.{c}")])
amount, active, gap = [monthly.pivot(index="merchant_id", columns="month", values=name)
                       for name in ("transaction_amount", "active_days", "gap_days")]  # fmt: skip
months = amount.columns

# %% [markdown] outline=["S004-E1", "S004-E1.1"]
# ## 演示一：四个数，五种颜色
#
# 业内有“活跃、普通、低活跃、睡眠”一类的叫法，没有通行的四级标准。本课程定义 [定义]：每家商户每月只看四个数。
# 月份从近到远记作 a0、a1 … a5，金额先除以季节指数（演示二讲）。
#
# | 数 | 怎么算 [定义] | 它说什么 |
# |---|---|---|
# | 未交易天数 g | 月底离最近一笔收款几天 | 断了没有 |
# | 趋势 r | a0 除以 a1 到 a5 的平均 | 比自己过去少了多少 |
# | 活跃天数 d | 当月有收款的天数 | 是不是天天在用 |
# | 稳定度 S | 1 减去“六个月的标准差除以平均”，最低 0 | 忽高忽低还是细水长流 |
#
# 定级看**最坏的一条** [参数]：g 满 60 天是红；g 满 30 天或 r 不到 0.30 是橙；r 不到 0.60 或 d 不到 8 天是黄；
# r 不到 0.85 或 S 不到 0.5 是蓝；都没碰到是绿。红、橙、黄、蓝依次叫一级到四级。线是参数，换一组线户数就变。
# 刚签约、月份不够的商户算不出 r 和 S，这两条就不问它。下面先用工具箱算；练习 E1 请你自己写。

# %% tags=["board:merchants:table"]
now = warning.indicators(amount, active[months[-1]], gap[months[-1]], merchants["kind"])
now["level"], now["reason"] = warning.levels(now, rules), warning.reasons(now, rules)
recent = monthly[monthly["month"].isin(months[-3:])]
now["deposit"] = recent.groupby("merchant_id")["settlement_deposit_average"].mean()
today = merchants[merchants["status"] != "解约"].join(now).dropna(subset=["level"])
today = today if BRANCH is None else today[today["branch_id"] == BRANCH]
level_table = today.groupby("level", observed=False).agg(
    sample=("weight", "size"), merchants=("weight", "sum"), deposit=("deposit", "mean"))  # fmt: skip
level_table["share"] = level_table["merchants"] / level_table["merchants"].sum()
cu.show(level_table.iloc[::-1], rows=None, names=NAMES, units={"deposit": "元", "share": "%"})
share = level_table["share"].fillna(0)
long_ago = (today.loc[today["level"] == "红", "gap_days"] >= 180).mean()
cu.say(f"{bank.as_of:%Y-%m-%d}，绿色占 **{share['绿']:.0%}**；红色占 **{share['红']:.0%}**，"
       f"其中 {long_ago:.0%} 断了半年以上；还在路上的是橙和黄，合起来 **{share[['橙', '黄']].sum():.1%}**。人手要先花在这些还来得及的商户上。"
       f"{'（样本只有 ' + str(len(today)) + ' 户，占比只看个大概。）' if len(today) < 50 else ''}")  # fmt: skip

# %% [markdown]
# ## 演示二：先把季节拿掉
#
# 学校一放假，门口的小吃店自然冷清；建材店春节前后几乎不开张。这不是要走，是放假。
# 拿放假那个月和前五个月比，这些店全会亮灯。
#
# 春节在公历上每年挪动，所以**不能拿去年一月的指数去套今年一月**。这里的办法是让同类商户互相作证：
# 同行业（再分学校周边与否）的商户，每家先除以自己六个月的平均，再取同一个月的中位数，就是这一类当月的季节指数。
# 一家店真的垮了，动不了中位数；一类店同时冷清，中位数就跟着降，告警也就不响了。

# %%
year = warning.season_index(amount[months[-12:]], merchants["kind"])
swing = (year.max(axis=1) - year.min(axis=1)).sort_values(ascending=False)
strong = year.loc[swing.index[:8]]
fig = cu.charts.heatmap(strong.rename(columns="{:%Y-%m}".format), unit="倍", center=1, decimals=2)
low_month, low_kind = strong.unstack().idxmin()
cu.charts.finish(fig, title=f"季节最强的是{swing.index[0]}；{low_kind}在 {low_month:%Y-%m} 只有平时的 {strong.min().min():.0%}",
                 source=f"{bank.name}，商户月度表，近十二个月", alt="行业与月份的热力图，格里是季节指数，一倍为平常月份。")  # fmt: skip
school = year[year.index.str.contains("校边") & (swing.reindex(year.index) > 0)]
if len(school):
    dip = school.unstack()
    cu.say(f"学校周边的商户，最冷清的月份（{dip.idxmin()[0]:%Y-%m}）收款只有平时的 **{dip.min():.0%}**。"
           "表里留着没有季节的类别：同类天天营业的商户太少，凑不出中位数，就不去季节，宁可多响几声。")  # fmt: skip

# %% [markdown]
# 去掉季节，告警少了多少？少响了也不一定是好事：万一把真要走的也筛掉了呢？查三个月以后的结果就知道。把告警分成“两把尺子都响”
# 和“只有不去季节才响”，看后来各走了多少。**流失**在本课的定义是 [定义]：三个月后的月底，已经满 `RED_GAP` 天没有收款。

# %%
fair = warning.history(amount, active, gap, merchants["kind"], rules)
raw = warning.history(amount, active, gap, rules=rules)
alarm = {"不去季节": raw.isin(["黄", "橙"]), "去掉季节": fair.isin(["黄", "橙"])}
counts = pd.DataFrame({name: table.sum() for name, table in alarm.items()}).astype(float)
fig = cu.charts.line_with_gap(counts, "不去季节", "去掉季节", unit="户")
peak = (counts["不去季节"] - counts["去掉季节"]).idxmax()
cu.charts.finish(fig, title=f"差得最多的是 {peak:%Y-%m}：黄橙告警 {counts.loc[peak, '不去季节']:.0f} 户，去掉季节只剩 "
                 f"{counts.loc[peak, '去掉季节']:.0f} 户", source=f"{bank.name}，样本商户，不含红色", alt="每月黄色和橙色商户数，两条线。")  # fmt: skip
known = fair.columns[:-LOOK_AHEAD]
after = gap.shift(-LOOK_AHEAD, axis=1)[known]
rows = pd.DataFrame({"level": fair[known].unstack(), "raw_level": raw[known].unstack(),
                     "gap_then": after.unstack()}).dropna().reset_index()  # fmt: skip
rows["lost"] = rows["gap_then"] >= RED_GAP
horizon = rows["month"] + pd.offsets.MonthEnd(LOOK_AHEAD) - rows["month"]
rows["lead"] = (horizon.dt.days - rows["gap_then"] + RED_GAP).where(rows["lost"])

# %%
both = rows["raw_level"].isin(["黄", "橙"]) & rows["level"].isin(["黄", "橙"])
only_raw = rows["raw_level"].isin(["黄", "橙"]) & rows["level"].isin(["绿", "蓝"])
silent = rows["raw_level"].isin(["绿", "蓝"]) & rows["level"].isin(["绿", "蓝"])
fate = pd.DataFrame({name: [rows.loc[who, "lost"].sum(), who.sum()] for name, who in
                     {"两把尺子都响": both, "只有不去季节才响": only_raw, "都不响": silent}.items()}).T  # fmt: skip
fate = wilson(fate[0], fate[1]).set_axis(fate.index).assign(n=fate[1])
cu.show(fate, rows=None, names={**NAMES, "index": "告警"}, units=dict.fromkeys(["rate", "low", "high"], "%"))
wasted = only_raw.sum() / max((both | only_raw).sum(), 1)
compared = rows[only_raw | silent].assign(extra=only_raw.astype(float)).astype({"lost": float})
missed = cu.analysis.causal.regression_effect(compared, "lost", "extra", cluster="merchant_id")  # 同一家的许多个月不独立
close = missed["low"] <= 0
cu.say(f"不去季节时，黄橙告警里有 **{wasted:.0%}** 是季节造成的。这些商户三个月后流失 {fate['rate'].iloc[1]:.1%}，"
       f"比从不告警的多 {missed['estimate'] * 100:+.1f} 个百分点（按商户聚类的区间 {missed['low'] * 100:+.1f} 到 {missed['high'] * 100:+.1f}）："
       f"{'看不出筛掉它们会漏人' if close else '去季节也会漏掉几家，漏得不多才划算'}；"
       f"两把尺子都响的流失 {fate['rate'].iloc[0]:.1%}。")  # fmt: skip

# %% [markdown] outline=["S004-C4.1"]
# ## 演示三：级别准不准，能早几天
#
# 好的预警看四样：级别越坏，后来走得越多（有序）；报得不太滥（准）；走的人大多报到过（全）；还要来得及（早）。
# 先看有序。同一家商户相邻月份很像，全算进去会显得证据比实际多，所以这里每隔 `LOOK_AHEAD` 个月取一个月底，前后窗口不重叠。
# 黑线是 95% 区间 [定义]：样本再抽一次，比例大致会落在这段里。

# %% tags=["board:merchants:picture"]
spaced = rows[rows["month"].isin(known[::-LOOK_AHEAD])]
by_level = spaced.groupby("level")["lost"].agg(["sum", "size"]).reindex(warning.LEVELS[::-1]).dropna()
order = wilson(by_level["sum"], by_level["size"]).set_axis(by_level.index).assign(n=by_level["size"])
rising = order["rate"].iloc[::-1].is_monotonic_increasing
fig = cu.charts.bars_with_interval(order, count="n")
cu.charts.finish(fig, title=f"三个月后流失率：{'级别越坏走得越多' if rising else '次序没有完全排对'}，"
                 f"橙 {order['rate'].get('橙', 0):.0%}，黄 {order['rate'].get('黄', 0):.0%}，绿 {order['rate'].get('绿', 0):.1%}",
                 source=f"{bank.name}，{spaced['month'].nunique()} 个不重叠的月底", alt="各级别三个月后流失率的横条和区间。")  # fmt: skip
back = 1 - order["rate"].get("红", 1)
cu.say(f"红色的流失率高，一半是定义：它本来就满 {RED_GAP} 天了。真正的考题是红色三个月后有多少回来："
       f"**{back:.1%}**。{'一家也没回来，红色不是预警，是事后登记' if back == 0 else '回来的不多，红色已经太晚'}；要救，得在橙和黄的时候。")  # fmt: skip

# %% [markdown]
# 再看准和全。把“报到哪一级为止”从紧到松放四档：越松，抓到的流失越多（召回率，横轴），报的人里真走的却越少（精确率，纵轴）。
# 只看还没红的商户。平均提前量 = 报橙的月底，离它满 `RED_GAP` 天还有几天（一家商户从第一次报橙算起）。

# %%
alive = rows[rows["level"] != "红"]
reports = {"只报橙": ["橙"], "橙、黄": ["橙", "黄"], "橙、黄、蓝": ["橙", "黄", "蓝"], "全报": ["橙", "黄", "蓝", "绿"]}
points = []
for name, chosen in reports.items():
    hit = alive.loc[alive["level"].isin(chosen), "lost"]
    points.append([name, hit.sum() / max(alive["lost"].sum(), 1), hit.mean(), len(hit) / alive["month"].nunique()])
points = pd.DataFrame(points, columns=["report", "recall", "precision", "a_month"])
fig = cu.charts.frontier(points, "recall", "precision", "report", x_unit="%", y_unit="%", x_label="召回率", y_label="精确率")
lead = warning.lead_days(fair, gap, rules)
cu.charts.finish(fig, title=f"只报橙：报十家约有 {10 * points['precision'].iloc[0]:.0f} 家真走，但只抓到流失的 {points['recall'].iloc[0]:.0%}",
                 source=f"{bank.name}，未变红的商户，{alive['month'].nunique()} 个月底", alt="精确率与召回率的折线，四个点。")  # fmt: skip
cu.say(f"{len(lead):,} 次变红里，有 {lead.notna().mean():.0%} 在前两个月底报过橙（满 {RED_GAP} 天之前总要先满 {ORANGE_GAP} 天，"
       f"这一条不算本事）；要紧的是早多少：从第一次报橙到满 {RED_GAP} 天，平均 **{lead.mean():.0f}** 天。放宽到黄，每月要多看 {points['a_month'].iloc[1] - points['a_month'].iloc[0]:.0f} 家样本商户，"
       f"召回升到 {points['recall'].iloc[1]:.0%}，精确降到 {points['precision'].iloc[1]:.0%}。"
       f"剩下的 {1 - points['recall'].iloc[1]:.0%} 在三个月前毫无动静，什么规则也报不出来。")  # fmt: skip

# %% [markdown]
# ## 演示四：级别会自己变好吗
#
# 如果黄色多半下个月自己变绿，就不必急着上门；如果橙色一个月就走一半，每周看一次都嫌晚。
# 把相邻两个月底放在一起数：左边是这个月，上边是下个月，每行加起来是全部。
# 半衰期 = 一半商户离开这个级别要几个月，按“每月留下的比例不变”推算。

# %%
before, following = fair.iloc[:, :-1].unstack(), fair.iloc[:, 1:].set_axis(fair.columns[:-1], axis=1).unstack()
pairs = pd.DataFrame({"before": before, "after": following}).dropna()
moves = pd.crosstab(pairs["before"], pairs["after"], normalize="index")
moves = moves.reindex(index=warning.LEVELS[::-1], columns=warning.LEVELS[::-1]).fillna(0)
stay = pd.Series(np.diag(moves), index=moves.index)
half_life = np.log(0.5) / np.log(stay.where((stay > 0) & (stay < 1)))
fig = cu.charts.heatmap(moves, unit="%", decimals=1, row_label="这个月", column_label="下个月")
cu.charts.finish(fig, title=f"橙色一个月后 {moves.loc['橙', '红']:.0%} 变红，{moves.loc['橙', ['绿', '蓝']].sum():.0%} 回到绿或蓝",
                 source=f"{bank.name}，{len(pairs):,} 对相邻月底", alt="五个级别之间的月度转移比例。")  # fmt: skip
words = "、".join(f"{level}{'不到一个月' if half_life[level] < 1 else f' {half_life[level]:.1f} 个月'}"
                 for level in ("橙", "黄", "蓝", "绿") if half_life.notna()[level])  # fmt: skip
cu.say(f"半衰期：{words}；红色下个月还是红色的占 {stay['红']:.1%}。黄色下个月变好（绿或蓝）的占 {moves.loc['黄', ['绿', '蓝']].sum():.0%}，"
       f"变坏的占 {moves.loc['黄', ['橙', '红']].sum():.0%}：{'多半会自己好，先看后访' if moves.loc['黄', ['绿', '蓝']].sum() > 0.5 else '自己变好的不到一半，要管'}。")  # fmt: skip

# %% [markdown] outline=["S004-E1.2"]
# ## 演示五：客户视图，一家商户一条色带、一张卡
#
# 只报一个颜色，客户经理不知道怎么开口。色带看**怎么走到今天的**：突然断的，先问是不是换码、搬家；一路下滑的，先问生意；
# 反复红黄绿的，是忽高忽低，别急。下面挑结算存款最多的几家有告警的商户，灰格是还没签约。
#
# 卡片再补上六样：命中哪条规则、稳定度和趋势、活跃几天断了几天、存款掉了没有、上次哪天去看过、归谁维护。
#
# 为什么可以看这些？预警是收单业务自己的管理，只用收款和结算数据；个人信息保护法要求目的明确、范围最小 [来源：个人信息保护法第 6 条]，
# 所以卡片里没有交易对手、没有家庭成员、没有贷款。拿这张卡去推销别的产品，就换了目的，要另有同意。

# %%
watch = today[today["level"].isin(["橙", "黄"])].reset_index()
watch = watch.sort_values(["deposit", "merchant_id"], ascending=[False, True]).head(10).set_index("merchant_id")
strips = fair.loc[watch.index].iloc[:, -12:].rename(columns="{:%Y-%m}".format)
strips.index = [f"{number + 1} 号 {kind}" for number, kind in enumerate(watch["kind"])]
if len(strips):
    fig = cu.charts.category_strips(strips, order=list(warning.LEVELS[::-1]), legend="级别")
    fresh = (strips.iloc[:, -2].isin(["绿", "蓝"])).sum()
    cu.charts.finish(fig, title=f"存款最多的 {len(strips)} 家橙黄商户，有 {fresh} 家上个月还是绿或蓝",
                     source=f"{bank.name}，最近十二个月底", alt="每家商户一条色带，一格一个月，颜色是预警级别。")  # fmt: skip
else:
    cu.say("这个范围里今天没有橙色和黄色的商户，色带和卡片跳过。")

# %%
log = bank.load("contact_log")
log = log.reindex(columns=["merchant_id", "purpose", "channel", "contact_time", "arm", "converted"])
log = log[(log["purpose"] == "收单走访") & log["merchant_id"].notna()]
last_visit = log[log["channel"].notna()].groupby("merchant_id")["contact_time"].max()
deposits = monthly.pivot(index="merchant_id", columns="month", values="settlement_deposit_average")
before_mean = deposits[months[-6:-1]].mean(axis=1)
today["deposit_change"] = (deposits[months[-1]] / before_mean.where(before_mean > 0)) - 1
today["last_visit"] = last_visit.reindex(today.index)
for _, row in today.loc[watch.index[:1]].iterrows():
    visited = "没有记录" if pd.isna(row["last_visit"]) else f"{row['last_visit']:%Y-%m-%d}"
    rate = "算不出" if pd.isna(row["trend"]) else f"{row['trend']:.2f}"
    cu.say(f"**客户卡 1 号**（{row['kind']}，{row['branch_id']}）　级别 **{row['level']}**，因为{row['reason']}；"
           f"稳定度 {row['stability']:.2f}，趋势 {rate}，当月活跃 {row['active_days']:.0f} 天，{row['gap_days']:.0f} 天没有收款；"
           f"结算存款比前五个月平均 {row['deposit_change']:+.0%}；上次走访：{visited}；维护人 {row['employee_id']}。")  # fmt: skip

# %% [markdown]
# ## 演示六：七天内去看，到底有没有用
#
# 触达记录里“去看过的”回来得多，不一定是看的功劳：员工爱挑好谈的去，也可能专挑难的去。要知道有没有用，得靠抽签。
# 试点期里，变橙的商户随机分两组：一组七天内上门，一组不去。六十天内恢复收款就记作“救回”。
# 两组的差，就是走访的作用；员工自选的那些，单列出来，只看不比。

# %%
done = log[log["converted"].notna()].assign(back=log["converted"].astype("boolean").astype(float))
arms = done.groupby("arm")["back"].agg(["sum", "size"]).reindex(["随机触达", "随机保留", "自选"]).dropna()
enough = {"随机触达", "随机保留"} <= set(arms.index) and arms["size"].iloc[:2].min() >= 20
if enough:
    arm_rates = wilson(arms["sum"], arms["size"]).set_axis(arms.index).assign(n=arms["size"])
    effect = cu.analysis.experiment.diff_ci(*arms.loc["随机触达"], *arms.loc["随机保留"])
    fig = cu.charts.bars_with_interval(arm_rates, count="n")
    word = "多" if effect["difference"] >= 0 else "少"
    clear = effect["low"] > 0 or effect["high"] < 0
    cu.charts.finish(fig, title=f"随机触达比随机保留{word}救回 {abs(effect['difference']) * 100:.0f} 个百分点"
                     f"（区间 {effect['low'] * 100:+.0f} 到 {effect['high'] * 100:+.0f}）", source=f"{bank.name}，收单走访试点", alt="三组恢复收款比例与区间。")  # fmt: skip
    cu.say((f"区间不含零，差别看得清。每上门一百家，{word}救回约 {abs(100 * effect['difference']):.0f} 家，只有这部分算走访的功劳；不去也会回来的那些不算。"
            if clear else "区间含零，看不出差别：走访有没有用，这次试点说不了，要接着抽签。") + "自选组的数不能拿来邀功：谁被选中，本身就说明难易。")  # fmt: skip

# %% [markdown] outline=["S004-E1.3"]
# ## 演示七：多久看一次，按“晚一天损失多少”来定
#
# 看得越勤，人工越贵；看得越稀，发现得越晚。两头加起来最小的那个间隔就是答案。三步算账，全是参数，可以换：
#
# 1. 一家商户这个月**变坏**的机会：绿、蓝、黄变成橙或红，橙变成红，用演示四的转移比例。
# 2. 变坏以后晚到一天损失多少：结算存款 × `MARGIN` × `VALUE_YEARS` × 走访多救回的比例，`SAVE_DAYS` 天里按直线减到零。
# 3. 每隔几天看一次，平均就晚这个间隔的一半才看到。
#
# 红色不在里面：它已经走了，看也看不回来，变红那天看一次就够。
#
# 先分清两件事。**系统出名单**几乎不花钱，应当天天算；**人去看、去问**才花钱，频率要挑。先看名单只在月底算会晚多少。

# %%
waited = pd.Series(dtype=float)
if bank.has("merchant_day"):
    sales = bank.load("merchant_day", columns=["merchant_id", "date"]).sort_values(["merchant_id", "date"])
    next_sale = sales.groupby("merchant_id")["date"].shift(-1).fillna(bank.as_of + pd.Timedelta(days=1))
    orange_day = sales["date"] + pd.Timedelta(days=ORANGE_GAP)
    orange_day = orange_day[(orange_day < next_sale) & (orange_day <= bank.as_of)]
    waited = (orange_day + pd.offsets.MonthEnd(0) - orange_day).dt.days
if len(waited):
    cu.say(f"最近一百二十天，样本里有 **{len(waited)}** 次断满 {ORANGE_GAP} 天。天天算名单，当天就知道；等月底报表，平均晚 "
           f"**{waited.mean():.0f}** 天，而从橙到红总共才 {RED_GAP - ORANGE_GAP} 天。")  # fmt: skip
else:
    cu.say("这一天没有可用的商户日交易，名单只能月底算；那就尽量在月初头几天算出来。")
lift, cautious = [max(effect[k], 0) for k in ("difference", "low")] if enough else [UNKNOWN_LIFT, UNKNOWN_LIFT / 2]
cu.say(f"下面算账时，走访多救回的比例取 **{lift:.0%}**（{'两组之差' if enough else '没有随机试点，用参数 UNKNOWN_LIFT'}），"
       f"再用 {cautious:.0%}（{'区间下限' if enough else '减半'}）复算一遍，看结论动不动。")  # fmt: skip

# %%
def late_share(days):  # 每 days 天看一次，救回的机会平均丢掉多大一块
    return days / (2 * SAVE_DAYS) if days <= SAVE_DAYS else 1 - SAVE_DAYS / (2 * days)


worse = {level: moves.loc[level, ["橙", "红"]].sum() for level in ("绿", "蓝", "黄")} | {"橙": moves.loc["橙", "红"]}
today["value"] = np.where(today["deposit"] >= VALUE_CUT, "高价值", "普通")
cells = today[today["level"] < "红"].groupby(["level", "value"], observed=True).agg(
    merchants=("weight", "sum"), deposit=("deposit", "mean")).reset_index()  # fmt: skip
cells["level"] = cells["level"].astype("str")
cells["worse"] = cells["level"].map(worse)
cells["stake"] = cells["deposit"] * MARGIN * VALUE_YEARS * lift
spans = [1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90]
cost = pd.DataFrame({(cell.level, cell.value): [cell.worse * cell.stake * late_share(k) + 30 / k * CHECK_MINUTES * MINUTE_COST
                                                for k in spans] for cell in cells.itertuples()}, index=spans)  # fmt: skip

# %%
rich = cost[[name for name in cost if name[1] == "高价值"]]
rich.columns = [level for level, _ in rich.columns]
best = cost.loc[CHOICES].idxmin()
if rich.shape[1]:
    fig = cu.charts.curves(rich, unit="元", x_label="每几天看一次（对数刻度）", marks=rich.idxmin().to_dict(), log=True)
    cu.charts.finish(fig, title="高价值商户一户一月的总成本，最低点在" + "，".join(f"{name} {k} 天" for name, k in rich.idxmin().items()),
                     source=f"{bank.name}，人工加晚到的损失", alt="各级别的月成本随查看间隔变化的曲线，圆点是最低处。")  # fmt: skip

# %%
usual = {"橙": 1, "黄": 7, "蓝": 30, "绿": 90}
cells["best"], cells["usual"] = best.to_numpy(), cells["level"].map(usual)
cells["saving"] = cells["merchants"] * [cost.loc[row.usual, (row.level, row.value)] - cost.loc[row.best, (row.level, row.value)]
                                        for row in cells.itertuples()]  # fmt: skip
cu.show(cells[["level", "value", "merchants", "deposit", "worse", "best", "usual", "saving"]], rows=None, units={
    "deposit": "元", "worse": "%", "saving": "元"}, names={**NAMES, "worse": "一个月变坏的机会", "best": "最省的间隔（天）",
    "usual": "常见做法（天）", "saving": "每月省"})  # fmt: skip
cu.say(f"{len(cells)} 格里有 {(cells['best'] == cells['usual']).sum()} 格和常见做法（橙每天、黄每周、蓝每月、绿每季 [定义]）一样；全改成最省的，每月省 **{cells['saving'].sum():,.0f}** 元。"
       f"有 {cells.groupby('level')['best'].nunique().gt(1).sum()} 个级别，高价值和普通商户的最省间隔不一样：定频率要看“级别 × 价值”，不能只看颜色。")  # fmt: skip
people_cost = {k: 30 / k * CHECK_MINUTES * MINUTE_COST for k in CHOICES}
again = [min(CHOICES, key=lambda k: people_cost[k] + row.worse * row.stake * cautious / max(lift, 1e-9) * late_share(k))
         for row in cells.itertuples()]  # fmt: skip
moved = (np.array(again) != cells["best"].to_numpy()).sum()
cu.say(f"走访的作用往小里算（{cautious:.0%}），{'没有一格改变' if moved == 0 else f'有 {moved} 格的间隔会变，这几格的结论不牢，先按现在的做，试点再加人'}。")  # fmt: skip

# %% [markdown] outline=["S004-E1.4"]
# ## 演示八：高质量商户的临界客户，差多少、每周补多少
#
# 预警管“别掉下去”，临界管“再推一把”。五星级的算法在下一课，这里先用它的结论：四星以上叫高质量商户。
# **临界客户**的定义 [定义]：还不到四星，离四星的分数线不超过 5 分，而且两道门槛（当月活跃 15 天、结算户日均 1 万元）差得都不超过两成。
#
# 目标要落到周：差日均的，把缺口除以 `GOAL_WEEKS`；差分数的，看存款在同行里要再超过多少家才够分，换算成元；差天数的，约他每天用码。
# 临界商户里正亮黄、橙灯的排最前：他不是再推一把，是先拉一把。

# %%
facts = stars.facts(monthly, months[-1], merchants["kind"])
group = merchants["trade_group"].astype("str")
near = stars.critical(facts, group).join(today[["branch_id", "level"]], how="inner")
near["deposit"], near["group"] = facts["deposit"], group
rank = stars.percentile(facts["deposit"], group)
need_rank = rank.reindex(near.index) + near["lack_points"] / stars.WEIGHTS["deposit"]
peers = facts["deposit"].groupby(group.reindex(facts.index))
line = [peers.get_group(row.group).quantile(min(place, 1)) for row, place in zip(near.itertuples(), need_rank, strict=True)]
near["raise"] = np.maximum(np.array(line, dtype=float) - near["deposit"], near["lack_deposit"]).where(need_rank < 1)
near["weekly"] = near["raise"] / GOAL_WEEKS
near["first"] = near["level"].isin(["橙", "黄"])

# %%
near = near.sort_values(["first", "score"], ascending=False, kind="stable")
sums = near.groupby("reason").agg(sample=("score", "size"), deposit=("deposit", "mean"), weekly=("weekly", "median"))
cu.show(sums.sort_values("sample", ascending=False), rows=6, units={"deposit": "元", "weekly": "元"},
        names={**NAMES, "reason": "差在哪里", "weekly": "每周要加的日均（中位数）"})  # fmt: skip
beyond = near["raise"].isna().sum()
cu.say(f"临界商户 **{len(near)}** 家（样本），其中 {near['first'].sum()} 家正亮黄灯或橙灯，先拉住；"
       f"光靠存款补不齐分数的有 {beyond} 家，要靠多用码、多用产品。其余的，按 {GOAL_WEEKS} 周分摊，"
       f"每家每周的日均要多 **{near['weekly'].median() if len(near) else 0:,.0f}** 元（中位数）。"
       "这是目标，不是预测：推一把能不能上去，要留几家不推的来比。")  # fmt: skip

# %% [markdown]
# ## 练习
#
# **E1 ★★ 把四级写出来** 写函数 `level_of(stability, trend, active_days, gap_days)`，返回 `"红"`、`"橙"`、`"黄"`、`"蓝"`、`"绿"` 之一。
# 规则在演示一，线用参数（`RED_GAP`、`ORANGE_GAP`、`ORANGE_TREND`、`YELLOW_TREND`、`YELLOW_DAYS`、`BLUE_TREND`、`BLUE_STABILITY`）。
# 新签约商户的 `stability` 和 `trend` 会是 `None`，那两条就不问它。想清楚：几条同时命中听谁的？刚好在线上算哪边？

# %% tags=["answer:E1"]
level_of = ...  # ← 写一个函数 level_of(stability, trend, active_days, gap_days)
### BEGIN SOLUTION
def level_of(stability, trend, active_days, gap_days):
    ratio = 1 if trend is None else trend
    steady = 1 if stability is None else stability
    if gap_days >= RED_GAP:
        return "红"
    if gap_days >= ORANGE_GAP or ratio < ORANGE_TREND:
        return "橙"
    if ratio < YELLOW_TREND or active_days < YELLOW_DAYS:
        return "黄"
    if ratio < BLUE_TREND or steady < BLUE_STABILITY:
        return "蓝"
    return "绿"
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:mildest_first"]
def level_of(stability, trend, active_days, gap_days):
    ratio = 1 if trend is None else trend
    if ratio < BLUE_TREND or (stability is not None and stability < BLUE_STABILITY):
        return "蓝"
    if ratio < YELLOW_TREND or active_days < YELLOW_DAYS:
        return "黄"
    if gap_days >= ORANGE_GAP or ratio < ORANGE_TREND:
        return "红" if gap_days >= RED_GAP else "橙"
    return "绿"

# %% tags=["wrong:E1:after_the_line"]
def level_of(stability, trend, active_days, gap_days):
    ratio = 1 if trend is None else trend
    steady = 1 if stability is None else stability
    if gap_days > RED_GAP:
        return "红"
    if gap_days > ORANGE_GAP or ratio <= ORANGE_TREND:
        return "橙"
    if ratio <= YELLOW_TREND or active_days <= YELLOW_DAYS:
        return "黄"
    return "蓝" if ratio <= BLUE_TREND or steady <= BLUE_STABILITY else "绿"

# %% tags=["wrong:E1:new_is_bad"]
def level_of(stability, trend, active_days, gap_days):
    ratio, steady = trend or 0, stability or 0
    if gap_days >= RED_GAP:
        return "红"
    if gap_days >= ORANGE_GAP or ratio < ORANGE_TREND:
        return "橙"
    if ratio < YELLOW_TREND or active_days < YELLOW_DAYS:
        return "黄"
    return "蓝" if ratio < BLUE_TREND or steady < BLUE_STABILITY else "绿"

# %% tags=["alternative:E1:collect_then_worst"]
def level_of(stability, trend, active_days, gap_days):
    hits = {
        "红": gap_days >= RED_GAP,
        "橙": gap_days >= ORANGE_GAP or (trend is not None and trend < ORANGE_TREND),
        "黄": active_days < YELLOW_DAYS or (trend is not None and trend < YELLOW_TREND),
        "蓝": (trend is not None and trend < BLUE_TREND) or (stability is not None and stability < BLUE_STABILITY),
    }
    return next((level for level, hit in hits.items() if hit), "绿")

# %% [markdown]
# **E2 ★★ 换一把尺子再考一遍** 演示三考的是去掉季节以后的级别。请用 `rows` 里**不去季节**的级别 `raw_level` 再考一遍，
# 还没红的四个级别都要有：`rate` 是三个月后的流失率，`lead` 是后来流失的那些平均还剩几天。
# 赋给 `raw_test`（表，索引是级别，列 `rate`、`lead`）。看看次序还对不对，哪一级被季节掺得最多。

# %% tags=["answer:E2"]
raw_test = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
not_red = rows[rows["raw_level"] != "红"]
raw_test = not_red.groupby("raw_level").agg(rate=("lost", "mean"), lead=("lead", "mean"))
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:with_season"]
not_red = rows[rows["level"] != "红"]
raw_test = not_red.groupby("level").agg(rate=("lost", "mean"), lead=("lead", "mean")).rename_axis("raw_level")

# %% tags=["wrong:E2:share_of_losses"]
not_red = rows[rows["raw_level"] != "红"]
raw_test = not_red.groupby("raw_level").agg(rate=("lost", "sum"), lead=("lead", "mean"))
raw_test["rate"] = raw_test["rate"] / raw_test["rate"].sum()

# %% tags=["wrong:E2:lead_of_everybody"]
not_red = rows[rows["raw_level"] != "红"].copy()
not_red["lead"] = not_red["lead"].fillna(0)
raw_test = not_red.groupby("raw_level").agg(rate=("lost", "mean"), lead=("lead", "mean"))

# %% tags=["alternative:E2:pivot"]
part = rows.query("raw_level != '红'").astype({"lost": float})
raw_test = part.pivot_table(index="raw_level", values=["lost", "lead"], aggfunc="mean").rename(columns={"lost": "rate"})

# %% [markdown]
# **E3 ★★★ 调线，到没见过的月份去考** `older` 是较早的月底，知道后来走没走（`lost`）；`later` 是最近能考的三个月底，结果藏起来了。
# 现在的橙线（g 满 `ORANGE_GAP` 天，或 r 不到 `ORANGE_TREND`）是拍脑袋定的。请在 `older` 上试几组线，挑 F1 最高的一组
# （F1 是抓对的两倍，除以“报的加真走的”，又准又全才高），再用它给 `later` 每行报警：赋给 `alarm_later`
# （Series，报是 `1`、不报是 `0`，索引和 `later` 一样）。过关：在藏起来的结果上，F1 不低于原来的橙线。
# 为什么 `older` 不一直用到 `later` 的前一个月？因为那几个月的结果，站在 `later` 那天还没发生。

# %% tags=["answer:E3"]
columns = ["merchant_id", "month", "stability", "trend", "active_days", "gap_days"]
seen = [warning.indicators(amount.loc[:, :month], active[month], gap[month], merchants["kind"]).assign(month=month)
        for month in known]  # fmt: skip
examined = pd.concat(seen).reset_index()[columns].merge(rows[["merchant_id", "month", "lost"]], on=["merchant_id", "month"])
examined = examined[examined["gap_days"] < RED_GAP]
examined = examined.set_index(examined["merchant_id"] + "@" + examined["month"].dt.strftime("%Y-%m"))
older = examined[examined["month"] <= months[-3 - 2 * LOOK_AHEAD]]
later = examined[examined["month"].isin(known[-3:])].drop(columns="lost")
alarm_later = ...  # ← 先在 older 上挑线，再给 later 报警
### BEGIN SOLUTION
def score_of(gap_line, trend_line):
    fired = (older["gap_days"] >= gap_line) | (older["trend"] < trend_line)
    return 2 * (fired & older["lost"]).sum() / (fired.sum() + older["lost"].sum())


grid = {(g, r): score_of(g, r) for g in (7, 10, 14, 21, 30) for r in (0, 0.1, 0.2, 0.3, 0.45)}
gap_line, trend_line = max(grid, key=grid.get)
alarm_later = ((later["gap_days"] >= gap_line) | (later["trend"] < trend_line)).astype(int)
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:everything_yellow"]
alarm_later = ((later["gap_days"] >= ORANGE_GAP) | (later["trend"] < BLUE_TREND) | (later["active_days"] < 15)).astype(int)

# %% tags=["wrong:E3:most_precise"]
alarm_later = (later["gap_days"] >= 50).astype(int)

# %% tags=["wrong:E3:nobody"]
alarm_later = pd.Series(0, index=later.index)

# %% tags=["alternative:E3:gap_only"]
lines = [5, 7, 9, 12, 16, 20, 25, 30]
f1 = [2 * ((older["gap_days"] >= g) & older["lost"]).sum() / ((older["gap_days"] >= g).sum() + older["lost"].sum()) for g in lines]
alarm_later = (later["gap_days"] >= lines[int(np.argmax(f1))]).astype(int)

# %% [markdown]
# **E4 ★★★ 排查看频率** 给 `cells` 的每一格（`level`、`value`）从 `CHOICES` 里选一个间隔 `days`，赋给 `frequency`
# （表，列 `level`、`value`、`days`）。时间有限：每周看的次数 × `CHECK_MINUTES` 分钟，合计不能超过
# 支行数 × `HOURS_PER_WEEK` 小时（支行数是 `today` 里的网点个数，每周次数 = `merchants` × 7 ÷ `days`）。
# 目标：每月保住的金额尽量大，达到参照方案的 95% [定义]。保住的金额 = `merchants` × `worse` × `stake` ×（1 − `late_share(days)`）。

# %% tags=["answer:E4"]
minutes = today["branch_id"].nunique() * HOURS_PER_WEEK * 60
frequency = ...  # ← 一格一行：level、value、days
### BEGIN SOLUTION
plan = cells.assign(days=max(CHOICES), worth=cells["merchants"] * cells["worse"] * cells["stake"])
faster_than = dict(zip(CHOICES[1:], CHOICES[:-1], strict=True))
while True:
    faster = plan["days"].map(faster_than)  # 每一格改勤一步是几天；已经最勤的是空值
    kept = plan["days"].map(late_share) - faster.map(late_share)
    time = plan["merchants"] * 7 * CHECK_MINUTES * (1 / faster - 1 / plan["days"])
    room = minutes - (plan["merchants"] * 7 * CHECK_MINUTES / plan["days"]).sum()
    gain = (plan["worth"] * kept / time).where(time <= room)
    if gain.isna().all():
        break
    plan.loc[gain.idxmax(), "days"] = int(faster[gain.idxmax()])
frequency = plan[["level", "value", "days"]]
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:everyone_daily"]
frequency = cells[["level", "value"]].assign(days=1)

# %% tags=["wrong:E4:usual"]
frequency = cells[["level", "value"]].assign(days=cells["level"].map(usual))

# %% tags=["wrong:E4:everyone_quarterly"]
frequency = cells[["level", "value"]].assign(days=90)

# %% tags=["alternative:E4:all_combinations"]
grids = np.meshgrid(*[CHOICES] * len(cells), indexing="ij")
plans = np.column_stack([grid.ravel() for grid in grids])
kept = 1 - np.vectorize(late_share, otypes=[float])(plans)
saved = kept @ (cells["merchants"] * cells["worse"] * cells["stake"]).to_numpy()
used = (7 * CHECK_MINUTES / plans) @ cells["merchants"].to_numpy()
frequency = cells[["level", "value"]].assign(days=plans[np.where(used <= minutes, saved, -1).argmax()])

# %% [markdown]
# ## 成果
#
# 一份按支行分页的《四级预警日报》：橙、黄商户全列，红色只列**刚变红**的（再早的已经不是预警）。
# 日报要用**今天**的数：未交易天数从商户日交易表现算，不等月底。每行写清级别、命中的规则、存款变化、多久看一次、维护人。
# 谢绝来电和没有营销授权的商户不进外联名单，由柜面在他来办业务时照常服务；名单写明用途和销毁日期。

# %%
cu.carry_on("E4")
fresh = today.reset_index()
if bank.has("merchant_day"):
    days = warning.day_activity(bank.load("merchant_day", columns=["merchant_id", "date"]), bank.as_of)
    fresh["gap_days"] = fresh["merchant_id"].map(days["gap_days"]).fillna(fresh["gap_days"])
fresh["level"], fresh["reason"] = warning.levels(fresh, rules).astype("str"), warning.reasons(fresh, rules)
people = bank.load("customer", columns=["customer_id", "masked_name", "do_not_call"])
agreed = bank.load("consent", columns=["customer_id", "scope", "granted", "expire_date"])
agreed = agreed[(agreed["scope"] == "营销") & agreed["granted"] & ~(agreed["expire_date"] < bank.as_of)]
fresh = fresh.merge(people, on="customer_id", how="left").merge(frequency, on=["level", "value"], how="left")
due = fresh["level"].isin(["橙", "黄"]) | ((fresh["level"] == "红") & (fresh["gap_days"] < RED_GAP + 31))
allowed = ~fresh["do_not_call"].astype(bool) & fresh["customer_id"].isin(agreed["customer_id"])
daily = fresh[due & allowed].copy()
daily["order"] = daily["level"].map({"橙": 0, "黄": 1, "红": 2})
daily = daily.sort_values(["order", "deposit", "merchant_id"], ascending=[True, False, True])

# %%
columns = ["branch_id", "merchant_id", "masked_name", "kind", "level", "reason", "trend", "gap_days",
           "deposit_change", "value", "check", "last_visit", "employee_id"]  # fmt: skip
words = {**NAMES, "kind": "类别", "deposit_change": "存款变化", "check": "查看", "last_visit": "上次走访", "score": "星级得分",
         "raise": "日均要加", "weekly": "每周要加", "gap_days": "未交易天数", "worse": "一个月变坏的机会"}  # fmt: skip

# %%
daily["check"] = daily["days"].map({1: "每天", 7: "每周", 30: "每月", 90: "每季"}).fillna("变红时看一次")
bands = fair.iloc[:, -6:].rename(columns="{:%Y-%m}".format)
cards = daily.loc[daily["value"] == "高价值", ["branch_id", "merchant_id", "masked_name", *columns[3:9], "last_visit"]]
cards = cards.head(30).join(bands, on="merchant_id")
goals = near[near.index.isin(fresh.loc[allowed, "merchant_id"])].reset_index()
goals = goals[["branch_id", "merchant_id", "level", "reason", "score", "deposit", "raise", "weekly"]]
sheet = cu.deliver.Sheet
path = cu.deliver.call_list(
    bank.output_dir("m04_n01") / "四级预警日报.xlsx", daily[columns], branch_column="branch_id", title="四级预警日报",
    purpose="收单商户预警走访", purge_date=bank.as_of + pd.Timedelta(days=30), names=words, units={"deposit_change": "%"},
    result_codes=["在用-正常", "换码-可谈", "换码-不谈", "停业转让", "季节歇业", "没见到人"], notes=["先橙后黄，同级先看存款多的。"],
    extra={"客户卡": sheet(cards, "高价值商户客户卡（近六个月级别）", names=words, units={"deposit_change": "%"}), "临界目标": sheet(goals, "临界商户每周目标", names={**words, "reason": "差在哪里"}, units={"raise": "元", "weekly": "元", "deposit": "元"}),
           "查看频率": sheet(frequency, "各级查看间隔", names=words)})  # fmt: skip
cu.say(f"`{path.name}` 已写好：{daily['branch_id'].nunique()} 家支行，{len(daily)} 家样本商户（橙 {(daily['level'] == '橙').sum()}、"
       f"黄 {(daily['level'] == '黄').sum()}、刚红 {(daily['level'] == '红').sum()}）；另有 {(due & ~allowed).sum()} 家因谢绝来电或没有授权，不外联。")  # fmt: skip

# %% tags=["instructor", "board:merchants:brief"]
# 给行长的一栏：course board 把它放上看板
down, better = moves.loc["橙", "红"], moves.loc["橙", ["绿", "蓝"]].sum()
way, count = share[["橙", "黄"]].sum(), daily["level"].value_counts()
trial_tile = [("上门多救回", f"{abs(effect['difference']) * 100:.0f} 个百分点", f"抽签试点，区间 {effect['low'] * 100:+.0f} 到 {effect['high'] * 100:+.0f}")] if enough else []
seven = "七天内上门" if enough and clear and effect["difference"] > 0 else "上门问原因，继续抽签量效果"
cu.brief(
    f"正在掉的商户（橙、黄）占 {way:.1%}；橙色一个月后 {down:.0%} 变红，只有 {better:.0%} 回到绿或蓝",
    "要办" if way > 0 and down > better and seven == "七天内上门" else "留意" if way > 0 else "平稳",
    "橙色变红的比变好的多，并且抽签试点证明上门有用，记要办；只是有橙黄商户，记留意",
    [("正在掉：橙和黄", f"{way:.1%}", "还来得及，人手先花在这里"),
     ("已经断了：红", f"{share['红']:.0%}", f"其中 {long_ago:.0%} 断了半年以上"),
     ("橙色一个月后变红", f"{down:.0%}", f"{better:.0%} 回到绿或蓝；往月样本合计"), *trial_tile],
    [("支行行长", f"照《{path.stem}》先橙后黄，{seven}：橙 {count.get('橙', 0)} 家、黄 {count.get('黄', 0)} 家（样本，已去掉谢绝来电和没有授权的）", "每天出名单"),
     ("电子银行部", f"名单从月底改成天天算；{len(near)} 家临界商户（样本）定每周目标", "本月")],
    "商户为什么不收款，表里看不出来；绿色不等于不会走。")

# %% [markdown]
# ## 讨论
#
# 误报，一家支行能承受多少？可以从这几个方向争一争：
#
# - 客户经理连着跑三家都“好好的”，第四家还会认真看吗？精确率低到多少，名单就没人信了？
# - 漏一家高价值商户，和白跑十家小店，哪个更贵？谁来定这个换算？
# - 商户反复被问“您怎么不用我们的码了”，是关心还是打扰？多久之内不该再问第二次？
#
# ## 小结
#
# 四个数、最坏一条定级，先去季节再报警，假告警就少一大块。级别要拿后来的结果检验，走访的作用要拿抽签来量。
# 查看频率按晚一天的损失定，级别和价值一起看；红色太晚，力气花在橙和黄上。
#
# 下一课：五星级商户，低成本存款、权益与绩效。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 下表把生成器埋下的数和课堂找到的数放在一起。说明三点：
#
# - 一月假告警只看趋势这一条（演示一的黄线和橙线），分母是不去季节时趋势亮灯的商户；演示二的比例是全部月份、全部规则，口径不同，数也不同。
# - 提前天数按真值的口径，从第一次报橙的月底算到满红线那天；级别去不去季节，差别不大。
# - 走访的真值是随机触达组的恢复比例；学员算账用的是两组之差，又用区间下限复算了一遍。
#
# 常见弯路：把红色也放进精确率，成绩虚高；用去年一月的指数套今年；`later` 的前几个月也拿来调线，等于偷看。时间：演示 50 分钟，练习 40 分钟。

# %% tags=["instructor"]
january = [month for month in months[5:] if month.month == 1]
trend_raw, trend_fair = [pd.concat([warning.indicators(amount.loc[:, :m], active[m], gap[m], k)["trend"] for m in january])
                         for k in (None, merchants["kind"])] if january else [pd.Series(dtype=float)] * 2  # fmt: skip
lit = trend_raw < YELLOW_TREND
found = {"visit_orange": arm_rates["rate"].get("随机触达") if enough else None, "lead_days": lead.mean(),
         "jan_false": (trend_fair[lit] >= YELLOW_TREND).mean(), "school_dip": school.unstack().min() if len(school) else None}  # fmt: skip
cu.reveal(bank, "m04_n01", found, names={
    "visit_orange": "橙色商户七天内走访后恢复收款的比例", "lead_days": "平均提前天数", "jan_false": "一月趋势告警里季节造成的比例",
    "school_dip": "学校周边商户最冷清月份的指数"})  # fmt: skip
