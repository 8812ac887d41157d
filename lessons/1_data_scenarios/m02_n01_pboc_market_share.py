# %% [markdown] outline=["S004-B", "S004-D"]
# # 人行市场份额报表：份额、增量与关键时点流向
#
# 课程：银行二十种数据实战应用场景（第二部分）· 存款营销类五场景之一 ·
# 大纲：S004-B、S004-D、S004-D1 · 难度：L1 · 用时：75 分钟
#
# 学完本课，你能：
#
# - 用同一张人行月报算出存量份额、增量份额和名次，并知道增量份额什么时候不能算；
# - 把“份额变了”拆成“市场结构变了”和“我们自己变了”两部分；
# - 说出春节、季末这些关键时点，钱哪几天来、多久走一半。
#
# Abstract: Read one central-bank market report in several honest ways: stock and incremental
# share, mix versus within change, a five-year corporate view, and money flows around key dates.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 本课看全行，支行视角在演示六；写 "B03" 这样的网点号可指定支行
COMPARE_MONTHS = 18  # 份额变化往前比多少个月
DAYS_BEFORE = 20  # 关键时点往前看多少天
DAYS_AFTER = 60  # 关键时点往后看多少天
DEVIATION_LIMIT = 0.04  # 存款偏离度的监管线（比率）

# %%
import course_utils as cu
import pandas as pd

bank = cu.begin("m02_n01", BANK, AS_OF)

# %% [markdown] outline=["S004-D1"]
# ## 业务情境
#
# 每月人行份额报表一到，班子会上总有两种声音。一种说：“总份额在涨，存款工作有成绩。”
# 另一种说：“我管的那一块，份额一直在掉。”两个人看的是同一张表，而且**可能都没有看错**。
# 本课就回答董事长的这句话：**份额涨了，是我们做得更好，还是市场恰好往我们强的地方长？**
#
# 存款类五个场景按“先看全局、再看到期、再看流失、再看核心客户、最后分指标”的顺序展开，
# 这是第一个。
#
# 这张表**不能**告诉我们的：是哪些客户走了、为什么走（那要看客户层的数据，下两课做）；
# 它也不含理财和基金，所以“存款份额下降”不等于“客户资产流失”。
# 合规提醒：报表含同业数据，只在行内按授权使用，不转发、不用来做广告；监管不许拿存款市场份额、
# 排名或同业比较当考评指标 [来源：银保监办发〔2018〕48号]，本课拿它看清自己，不拿它给人打分。

# %% [markdown]
# ## 数据
#
# 一张外部报表、一张内部日报，再加日历。报表里本行以外都是代称，不出现真实机构名称。

# %%
cu.dictionary(bank, ["market_share", "branch_day"])

# %% [markdown] outline=["S004-D1.3"]
# ## 演示一：先统一口径，再谈高低
#
# 数据分析有两大要素：**口径**和**结构**（本课程定义）。口径就是“同一范围、同一单位、同一基期”。
# 这张报表有十四个项目，其中“涉农”“普惠小微”是另计的其中项，不能和其他贷款项目相加。
# 先把五个存款项目挑出来，算出本行余额、市场余额和份额。

# %%
DEPOSITS = ["个人活期存款", "个人定期存款", "单位活期存款", "单位定期存款", "机关团体存款"]
report = bank.load("market_share")
deposits = report[report["item"].isin(DEPOSITS)]
market = deposits.groupby(["month", "item"])["balance"].sum()
own = deposits[deposits["bank_label"] == "本行"].set_index(["month", "item"])["balance"]
shares = pd.DataFrame({"own": own, "market": market})
shares["share"] = shares["own"] / shares["market"]
now = shares.index.get_level_values("month").max()
then = now - pd.offsets.MonthEnd(COMPARE_MONTHS)

# %% [markdown]
# 份额只说我们有多大，**赫芬达尔指数**（HHI，各家份额平方和）说这块市场有多集中：
# 越接近一，越是一家独大。名次和份额要一起看——份额不低、名次靠后，说明有更强的对手。

# %%
NAMES = {"item": "项目", "own": "本行", "market": "全市场", "share": "份额", "rank": "名次",
         "hhi": "集中度 HHI", "own_step": "本行比年初", "market_step": "市场比年初",
         "incremental": "增量份额", "gap": "增量减存量", "mix": "结构效应", "within": "份额效应",
         "day": "距正月初一天数", "role": "角色", "finding": "数据说", "question": "要回答的问题"}
overview = cu.analysis.share.market_share(deposits)
latest = overview[overview["month"] == now].set_index("item").loc[DEPOSITS]
cu.show(latest[["own", "market", "share", "rank", "hhi"]], names=NAMES, money="亿元",
        units={"own": "亿元", "market": "亿元", "share": "%"})
best = latest["share"].idxmax()
weak = latest["share"].idxmin()
cu.say(f"截至 {now:%Y-%m}，{bank.name}最强的是**{best}**（份额 {latest['share'].max():.1%}），"
       f"最弱的是**{weak}**（{latest['share'].min():.1%}，第 {latest.loc[weak, 'rank']} 名）。")

# %%
paths = shares["share"].unstack()[DEPOSITS]
change = paths.loc[now] - paths.loc[then]
falling = int((change < 0).sum())
fig = cu.charts.small_multiples(paths, unit="%", columns=3)
cu.charts.finish(
    fig,
    title=f"近 {COMPARE_MONTHS} 个月，{len(DEPOSITS)} 个存款项目中有 {falling} 个份额下降",
    alt=f"五个存款项目份额的五年走势小图，变化最大的是{change.abs().idxmax()}。",
    source=f"市场份额表，截至 {now:%Y-%m}",
)

# %% [markdown]
# ## 演示二：增量份额，以及它什么时候不能算
#
# 存量份额是几十年攒下来的，动得慢。要看**今年**抢得怎么样，用增量份额：
#
# > 增量份额 ＝ 本行增加额 ÷ 市场增加额 [定义]
#
# 两条规矩。第一，要说清比的是**年初**还是**去年同期**，季节不同，结果可以差很远。
# 第二，市场不增反降时，分母是负数或零，这个比值没有意义：两家都在跌，跌得多的反而“增量份额”高。
# 这时只能写“不适用”（表里显示“—”），改看两边各减了多少。
#
# 下面先看全部存款，再按项目看一次“比年初”。读法：增量份额高于存量份额，份额在往上走；
# 低于存量份额，份额在被摊薄。

# %%
totals = shares.groupby("month")[["own", "market"]].sum()
growth = pd.DataFrame(index=totals.index)
for label, months_back in {"比去年同期": 12, "比上月": 1}.items():
    base = totals.shift(months_back)
    step = totals - base
    growth[label] = (step["own"] / step["market"]).where(step["market"] > 0)
cu.show(growth.tail(6), units={"比去年同期": "%", "比上月": "%"}, names={"month": "月份"})
blank = int(growth["比上月"].iloc[1:].isna().sum())
cu.say(f"按全部存款看，{len(growth) - 1} 个月里有 **{blank} 个月**市场余额比上月下降，"
       "“比上月”的增量份额不适用；拉长到“比去年同期”，"
       f"不适用的月份是 {int(growth['比去年同期'].iloc[12:].isna().sum())} 个。")

# %%
last_december = pd.Timestamp(now.year - 1, 12, 31)
step = shares.loc[now] - shares.loc[last_december]
yearly = pd.DataFrame({
    "own_step": step["own"],
    "market_step": step["market"],
    "incremental": (step["own"] / step["market"]).where(step["market"] > 0),
    "share": shares.loc[last_december, "share"],
}).loc[DEPOSITS]
yearly["gap"] = yearly["incremental"] - yearly["share"]
cu.show(yearly, names=NAMES | {"share": "年初存量份额"},
        units={"own_step": "亿元", "market_step": "亿元", "incremental": "%", "share": "%", "gap": "%"})
diluted, undefined = (yearly.index[hit].tolist() for hit in (yearly["gap"] < 0, yearly["gap"].isna()))
cu.say(f"增量份额低于年初存量份额的项目：**{'、'.join(diluted) if diluted else '没有'}**——"
       "这些项目今年每多一块钱市场，我们拿到的比过去的比例少。"
       + (f"{'、'.join(undefined)}的市场比年初没有增长，增量份额不适用，不等于没有丢份额。" if undefined else ""))

# %% [markdown] outline=["S000-1.1.3.2.1"]
# ## 演示三：份额上升，是结构还是实力
#
# “市场占有率逐步提升”是常见的目标。可总份额是各项目份额的**加权平均**，权数是项目占市场的比重：
#
# > 结构效应 ＝（期末比重 − 期初比重）× 两期平均份额；
# > 份额效应 ＝ 两期平均比重 ×（期末份额 − 期初份额）；两者相加正好等于总份额的变化 [定义]
#
# 结构效应是“市场往哪里长”，不是我们的功劳也不是我们的过错；份额效应才是同一块市场里此消彼长。

# %%
first, last = shares.loc[then], shares.loc[now]
weight_0, weight_1 = first["market"] / first["market"].sum(), last["market"] / last["market"].sum()
parts = pd.DataFrame({
    "mix": (weight_1 - weight_0) * (first["share"] + last["share"]) / 2,
    "within": (weight_0 + weight_1) / 2 * (last["share"] - first["share"]),
}).loc[DEPOSITS]
total_0 = first["own"].sum() / first["market"].sum()
total_1 = last["own"].sum() / last["market"].sum()
cu.show(parts, names=NAMES, units={"mix": "%", "within": "%"})

# %% tags=["board:performance:picture"]
effects = parts.sum()
steps = pd.concat([pd.Series({"市场结构": effects["mix"]}), parts["within"]])
steps.index = [name.removesuffix("存款") for name in steps.index]
verb = "上升" if total_1 >= total_0 else "下降"
main = "市场结构" if abs(effects["mix"]) >= abs(effects["within"]) else "自身份额"
fig = cu.charts.waterfall(steps, start=total_0, start_label=f"{then:%Y-%m}",
                          end_label=f"{now:%Y-%m}", unit="%")
cu.charts.finish(
    fig,
    title=f"总份额{verb} {abs(total_1 - total_0) * 100:.2f} 个百分点，主要来自{main}",
    alt=f"瀑布图：总份额从 {total_0:.1%} 到 {total_1:.1%}，先画结构效应，再画各项目的份额效应。",
    source="市场份额表；纵轴不从零开始，只看台阶高低",
)

# %%
both = (
    "结构在帮忙，自身在后退：市场恰好往我们本来就强的项目上长，"
    + ("加权以后总份额反而上升，开头那两个人看的是同一件事的两面" if total_1 > total_0
       else "只是帮的忙还抵不过自身的后退") if effects["mix"] > 0 > effects["within"]
    else "结构和自身都在往前" if min(effects) > 0
    else "自身在进步，结构在拖后腿" if effects["within"] > 0 else "结构和自身都没有帮上忙")
cu.say(f"总份额变化 {(total_1 - total_0) * 100:+.2f} 个百分点 ＝ 结构 {effects['mix'] * 100:+.2f} "
       f"＋ 自身 {effects['within'] * 100:+.2f}。一句话：**{both}**。写汇报时，这两个数要一起写。")

# %% [markdown] outline=["S004-D1.K1"]
# ## 演示四：近五年对公存款的潜力
#
# 对公活期通常是付息最低的钱。先看五年里本行和市场各长多快（年均复合增速），再算三个数：
# **丢掉的份额值多少**、**谁拿走了**、**回到自己最好的时候还有多大空间**。
#
# 看名次图时当心：名次没变不等于没有丢，份额掉了几个百分点，只要离下一名还远，名次纹丝不动。
# 还要记住：报表只能说“此消彼长”，不能证明客户就是从我们这里过去的，要用对公户的往来流水去核。

# %%
corporate = shares.xs("单位活期存款", level="item")
years = (corporate.index[-1] - corporate.index[0]).days / 365.25
own_growth = cu.analysis.share.cagr(corporate["own"].iloc[0], corporate["own"].iloc[-1], years)
market_growth = cu.analysis.share.cagr(corporate["market"].iloc[0], corporate["market"].iloc[-1], years)
lost = cu.analysis.share.lost_share(corporate.reset_index(), corporate.index[0])["lost"].iloc[-1]
room = (corporate["share"].max() - corporate["share"].iloc[-1]) * corporate["market"].iloc[-1]
cu.say(f"单位活期近 {years:.1f} 年：本行年均 **{own_growth:+.1%}**，市场 **{market_growth:+.1%}**；"
       f"与 {corporate.index[0]:%Y-%m} 相比，份额{'少' if lost >= 0 else '多'}了相当于 "
       f"**{abs(lost) / 1e8:.2f} 亿元**的存款；"
       f"回到五年里最高的份额（{corporate['share'].max():.1%}），空间约 **{room / 1e8:.2f} 亿元**。")

# %%
peers = report[report["item"] == "单位活期存款"].pivot_table(
    index="month", columns="bank_label", values="balance", aggfunc="sum")
peer_share = peers.div(peers.sum(axis=1), axis=0)
gain = (peer_share.loc[now] - peer_share.iloc[0]).drop("本行").sort_values(ascending=False)
rival = gain.index[0]
quarters = peer_share[peer_share.index.month.isin([6, 12])]
times = f"，是第二名增幅的 {gain.iloc[0] / gain.iloc[1]:.0f} 倍" if gain.iloc[1] > 0.001 else ""
fig = cu.charts.bump(quarters, highlight=["本行", rival])
cu.charts.finish(
    fig,
    title=f"单位活期：同业里五年增幅居首的是{rival}，{gain.iloc[0] * 100:+.1f} 个百分点{times}",
    alt=f"各机构单位活期存款名次变化图，突出本行和{rival}。",
    source="市场份额表，每年六月和十二月",
)

# %% [markdown] outline=["S004-D1.2"]
# ## 演示五：关键时点，钱往哪里流
#
# 月末数看不出钱哪天来、哪天走。把每年的春节对齐成第零天，前后各取一段，把每天的余额减去起点，
# 再对几年取平均，就得到“春节前后平均多出多少钱”。正月初八（第七天）前后，外出的人开始动身。
# 只有前后日期都在数据里的春节才算数；年数很少，平均数只能当大致的样子看。

# %%
GROUPS = {"personal_demand": "个人活期", "personal_term": "个人定期",
          "corporate_demand": "对公活期", "corporate_term": "对公定期"}
daily = bank.load("branch_day").groupby("date")[list(GROUPS)].sum().rename(columns=GROUPS)
calendar = bank.load("calendar", columns=["date", "days_to_cny", "quarter_end"])
festivals = calendar.loc[calendar["days_to_cny"] == 0, "date"]
festival = cu.analysis.share.event_aligned(daily, festivals, before=DAYS_BEFORE, after=DAYS_AFTER)
curve = festival["个人活期"]
window = pd.to_timedelta([-DAYS_BEFORE, DAYS_AFTER], unit="D")
used = sum(bool((day + window).isin(daily.index).all()) for day in festivals)
fig = cu.charts.event_curve(festival, unit="亿元", event="正月初一", marks={"正月初八": 7})
cu.charts.finish(
    fig, title=f"个人活期在第 {curve.idxmax()} 天见顶，多出 {curve.max() / 1e8:.1f} 亿元，"
    f"第 {DAYS_AFTER} 天还剩 {curve.iloc[-1] / curve.max():.0%}", source=f"网点日余额，{used} 个春节平均",
    alt=f"春节前后四类存款相对起点的平均变化曲线，个人活期第 {curve.idxmax()} 天最高。")

# %% [markdown]
# 先看个人活期：节前来、节后走，样子像“回乡钱”，也可能有年终奖和货款，要用流水去核。
# 再看个人定期：如果它一路往上，**不要**把它也算成春节的功劳。
# 同一段日子正赶上开门红，两件事叠在一起，没有对照就分不开。
# 能做的判断是：活期见顶到走掉一半之间的这段日子，就是上门和转定期的窗口。
#
# 再看季末。把每个季末对齐，如果季末前几天涨、季后几天又落回去，多半是“冲时点”；
# 也有一部分是季末集中发薪、结货款，同样要用流水分开。
# 监管用**存款偏离度**约束它：（月末余额 − 月日均）÷ 月日均，上限见参数 `DEVIATION_LIMIT`
# [来源：银保监办发〔2018〕48号]。监管报送时季末月的日均另有计入上限，这里用简化口径，只当提醒。

# %%
total = daily.sum(axis=1)
month = total.index.to_period("M")
deviation = total.groupby(month).last() / total.groupby(month).mean() - 1
breach = deviation[deviation > DEVIATION_LIMIT]
ends = calendar.loc[calendar["quarter_end"] & (calendar["date"] <= bank.as_of), "date"]
quarter = cu.analysis.share.event_aligned(total, ends, before=10, after=15)["合计"]
fig = cu.charts.event_curve(quarter.to_frame(), unit="亿元", event="季末")
cu.charts.finish(
    fig,
    title=f"季末当天比十天前 {quarter[0] / 1e8:+.1f} 亿元，再过十天是 {round(quarter[10] / 1e8, 1) + 0:+.1f} 亿元",
    alt=f"季末前后全部存款相对起点的平均变化，第 {quarter.idxmax()} 天最高。",
    source="网点日余额，各季末平均")
cu.say(f"偏离度超过 {DEVIATION_LIMIT:.0%} 的月份有 **{len(breach)}** 个："
       + ("、".join(f"{m}（{v:.1%}）" for m, v in breach.items()) or "没有") + "。")

# %% [markdown] outline=["S004-D1.1"]
# ## 演示六：千人千面，千人千解
#
# 同一张报表，坐在不同位子上的人要问不同的问题。下面给四个人各一张图、一个问题。
#
# **董事长**：总份额的变化里，有多少是我们自己挣的？（下图用期初的市场结构当权数，
# 演示三用两期平均，所以末尾的数会差一点点，方向才是重点。）

# %%
base_share = totals["own"] / totals["market"]
fixed_weight = first["market"] / first["market"].sum()
same_mix = (paths * fixed_weight).sum(axis=1)
two = pd.DataFrame({"实际总份额": base_share, "假如市场结构不变": same_mix}).loc[then:]
drift = (two.iloc[-1] - two.iloc[0]) * 100
fig = cu.charts.line_with_gap(two, "实际总份额", "假如市场结构不变", unit="%")
cu.charts.finish(
    fig,
    title=f"实际份额变化 {drift.iloc[0]:+.2f} 个百分点；假如结构不变，是 {drift.iloc[1]:+.2f}",
    alt="两条线：实际总份额，以及按期初市场结构计算的总份额。",
    source="市场份额表",
)

# %% [markdown]
# **支行长**：全行的对公活期少了或多了，是不是我这里？

# %%
ledger = bank.load("branch_day", columns=["date", "branch_id", "corporate_demand"])
ends = ledger[ledger["date"].isin([now, last_december])]
by_branch = ends.pivot_table(index="branch_id", columns="date", values="corporate_demand")
move = (by_branch[now] - by_branch[last_december]).sort_values()
picked = move if len(move) <= 10 else pd.concat([move.head(5), move.tail(5)])
mine = BRANCH or move.index[0]
fig = cu.charts.waterfall(picked, unit="万元", end_label=f"这 {len(picked)} 家合计")
cu.charts.finish(
    fig,
    title=f"对公活期比年初：最低的 {move.index[0]} {move.iloc[0] / 1e4:+,.0f} 万元，"
    f"最高的 {move.index[-1]} {move.iloc[-1] / 1e4:+,.0f} 万元",
    alt="对公活期变化排在两头的网点的瀑布图。",
    source=f"网点日余额，{last_december:%Y-%m-%d} 与 {now:%Y-%m-%d}",
)
cu.say(f"请 {mine} 的行长回答：比年初 {move[mine] / 1e4:+,.0f} 万元，是哪几户、什么原因？")

# %% [markdown]
# **对公部**：谁在单位活期上赢了我们？ **个金部**：春节的钱，哪一天之前必须见到人？

# %%
bars = (peer_share.loc[now] - peer_share.loc[then]).sort_values().to_frame("rate")
bars["label"] = bars.index
fig = cu.charts.forest(bars.assign(low=bars["rate"], high=bars["rate"]), value="rate",
                       label="label", unit="%")
cu.charts.finish(
    fig,
    title=f"近 {COMPARE_MONTHS} 个月单位活期份额：{bars.index[-1]} {bars['rate'].iloc[-1] * 100:+.1f}，"
    f"本行 {bars.loc['本行', 'rate'] * 100:+.1f} 个百分点",
    alt="各机构单位活期份额变化的点图，零线右侧为增加。",
    source="市场份额表",
)

# %%
kept = (curve.loc[0:] / curve.max()).rename("rate").to_frame()
threshold = kept.index[(kept["rate"] < 0.8) & (kept.index > curve.idxmax())]
deadline = int(threshold[0]) if len(threshold) else DAYS_AFTER
call = f"春节流入到正月初一后第 {deadline} 天{'只剩八成' if len(threshold) else '仍在八成以上'}"
fig = cu.charts.event_curve(kept.rename(columns={"rate": "还剩下的比例"}), unit="%",
                            event="正月初一", marks={"剩八成": deadline} if len(threshold) else None)
cu.charts.finish(
    fig,
    title=f"{call}：见面要赶在这之前",
    alt="春节后个人活期流入剩余比例的曲线，标出跌到八成的那一天。",
    source=f"网点日余额，{used} 个春节平均",
)

# %% [markdown]
# ## 练习
#
# **E1 ★★ 写一个函数** `growth_share(now_table, base_table)`：两张表的索引都是项目，都有 `own` 和
# `market` 两列（元）。返回每个项目的增量份额；市场没有增长的项目要返回空值。
#
# 函数的样子（这个例子算本行自己多了多少，照着改；冒号和行首四个空格不能少）：
#
# ```python
# def own_step(now_table, base_table):
#     return now_table["own"] - base_table["own"]
# ```

# %% tags=["answer:E1"]
growth_share = ...  # ← 把这一行换成 def growth_share(now_table, base_table): 开头的函数
### BEGIN SOLUTION


def growth_share(now_table, base_table):
    own_step = now_table["own"] - base_table["own"]
    market_step = now_table["market"] - base_table["market"]
    return (own_step / market_step).where(market_step > 0)


### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:no_guard"]
def growth_share(now_table, base_table):
    return (now_table["own"] - base_table["own"]) / (now_table["market"] - base_table["market"])

# %% tags=["wrong:E1:stock_share"]
def growth_share(now_table, base_table):
    return now_table["own"] / now_table["market"]

# %% tags=["wrong:E1:zero_filled"]
def growth_share(now_table, base_table):
    step = now_table["market"] - base_table["market"]
    return ((now_table["own"] - base_table["own"]) / step).where(step > 0, 0)

# %% tags=["wrong:E1:own_growth"]
def growth_share(now_table, base_table):
    step = now_table["market"] - base_table["market"]
    own_step = now_table["own"] - base_table["own"]
    return (own_step / base_table["own"]).where(step > 0)

# %% tags=["alternative:E1:mask"]
def growth_share(now_table, base_table):
    step = now_table[["own", "market"]] - base_table[["own", "market"]]
    grown = step["market"] > 0
    return (step["own"] / step["market"]).mask(~grown)

# %% [markdown]
# **E2 ★★ 写几行** 把总份额**最近 12 个月**的变化 [定义] 拆开：做一张表 `year_parts`，
# 索引是五个存款项目，两列 `mix`（结构效应）和 `within`（份额效应）。

# %% tags=["answer:E2"]
year_parts = ...  # ← 照演示三的写法，把起点换成一年前
### BEGIN SOLUTION
year_ago = shares.loc[now - pd.offsets.MonthEnd(12)]
old_weight = year_ago["market"] / year_ago["market"].sum()
new_weight = last["market"] / last["market"].sum()
year_parts = pd.DataFrame({
    "mix": (new_weight - old_weight) * (year_ago["share"] + last["share"]) / 2,
    "within": (old_weight + new_weight) / 2 * (last["share"] - year_ago["share"]),
})
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:same_window"]
year_parts = parts

# %% tags=["wrong:E2:start_weights"]
year_ago = shares.loc[now - pd.offsets.MonthEnd(12)]
old_weight = year_ago["market"] / year_ago["market"].sum()
new_weight = last["market"] / last["market"].sum()
year_parts = pd.DataFrame({
    "mix": (new_weight - old_weight) * year_ago["share"],
    "within": old_weight * (last["share"] - year_ago["share"]),
})

# %% tags=["wrong:E2:swapped"]
year_ago = shares.loc[now - pd.offsets.MonthEnd(12)]
year_parts = cu.analysis.share.mix_within(year_ago, last)[["mix", "within"]]
year_parts = year_parts.rename(columns={"mix": "within", "within": "mix"})

# %% tags=["alternative:E2:helper"]
year_ago = shares.loc[now - pd.offsets.MonthEnd(12)]
year_parts = cu.analysis.share.mix_within(year_ago, last)[["mix", "within"]]

# %% [markdown]
# **E3 ★★★ 判断** 春节多出来的**个人活期**，从正月初八（第七天）算起，过多少天只剩峰值的一半？
# 把天数赋给 `half_life_days`。差三天以内都算对：曲线有毛刺，读到哪一天本来就有误差。
# 表 `festival` 的索引是距正月初一的天数，四列是四类存款；会看图也行，读出天数直接填。

# %% tags=["answer:E3"]
half_life_days = ...  # ← 先找峰值，再找峰值之后第一次不到一半的那天
### BEGIN SOLUTION
smooth = festival["个人活期"].rolling(3, center=True).mean()
after_peak = smooth.loc[smooth.idxmax():]
half_life_days = after_peak.index[after_peak <= smooth.max() / 2][0] - 7
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:from_new_year"]
smooth = festival["个人活期"].rolling(3, center=True).mean()
after_peak = smooth.loc[smooth.idxmax():]
half_life_days = after_peak.index[after_peak <= smooth.max() / 2][0]

# %% tags=["wrong:E3:before_peak"]
half_life_days = abs(festival.index[festival["个人活期"] >= festival["个人活期"].max() / 2][0]) + 7

# %% tags=["wrong:E3:no_half_of_all"]
everything = festival.sum(axis=1)
half_life_days = everything.idxmax()

# %% tags=["alternative:E3:helper"]
smooth = festival["个人活期"].rolling(3, center=True).mean()
half_life_days = cu.analysis.share.half_life(smooth, from_day=7)

# %% [markdown]
# **E4 ★★★ 写一段话** 给董事长写一段话（五十到一百二十字），赋给 `note`：先说总份额变了多少，再说这个变化
# 来自结构还是自身，最后给一条建议。四个数都在演示三里：总份额 `total_1`、起点 `total_0`、结构
# `effects["mix"]`、自身 `effects["within"]`；多写一个没有出处的数都不行。
# 数字可以照演示三的结果直接抄：总份额写成百分数，三个变化写成“个百分点”，保留两位小数。

# %% tags=["answer:E4"]
note = "?"
### BEGIN SOLUTION
note = (
    f"截至 {now:%Y-%m}，我行存款总份额 {total_1:.1%}，近 {COMPARE_MONTHS} 个月变化 "
    f"{(total_1 - total_0) * 100:+.2f} 个百分点；其中市场结构贡献 {effects['mix'] * 100:+.2f} 个百分点，"
    f"自身份额贡献 {effects['within'] * 100:+.2f} 个百分点。"
    "建议先查单位活期流向，逐户走访并制定挽回计划。"
)
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:praise"]
note = (
    f"截至 {now:%Y-%m}，我行总份额 {total_1:.1%}，变化 {(total_1 - total_0) * 100:+.2f} 个百分点，"
    "说明我行竞争力明显增强，市场结构也在改善，建议继续保持目前的做法并加大宣传力度。"
)

# %% tags=["wrong:E4:no_advice"]
note = (
    f"截至 {now:%Y-%m}，我行存款总份额 {total_1:.1%}，变化 {(total_1 - total_0) * 100:+.2f} 个百分点；"
    f"其中市场结构 {effects['mix'] * 100:+.2f} 个百分点，自身份额 {effects['within'] * 100:+.2f} 个百分点。"
)

# %% tags=["alternative:E4:other_words"]
note = (
    f"总份额 {total_1 * 100:.1f}%，变化 {(total_1 - total_0) * 100:.2f} 个百分点。拆开看，市场结构带来 {effects['mix'] * 100:.2f} 个百分点，"
    f"我们自己的份额变化是 {effects['within'] * 100:.2f} 个百分点，两者不能混为一谈。"
    "下一步应由对公部牵头，把单位活期流失户列出清单，逐户联系。"
)

# %% [markdown]
# ## 成果
#
# 一本《人行份额月度解读》：总览、增量、结构分解、对公五年、关键时点、四个角色的问题，各占一页。
# 每月只要换一次报表、重跑一遍本课，就能更新。

# %%
questions = pd.DataFrame({
    "role": ["董事长", "支行长", "对公部", "个金部"],
    "finding": [
        f"总份额 {(total_1 - total_0) * 100:+.2f} 个百分点，自身贡献 {effects['within'] * 100:+.2f}",
        f"对公活期比年初最低：{move.index[0]}，{move.iloc[0] / 1e4:+,.0f} 万元",
        f"单位活期份额：{bars.index[-1]} {bars['rate'].iloc[-1] * 100:+.1f} 个百分点",
        call,
    ],
    "question": ["扣除结构以后，我们进步了吗？", "变动的是哪几户？", "他们拿什么赢的？", "名单在这天之前见完了吗？"],
})
cu.show(questions, names=NAMES)

# %%
Sheet, percent = cu.deliver.Sheet, {"mix": "%", "within": "%"}
path = cu.deliver.workbook(
    bank.output_dir("m02_n01") / "人行份额月度解读.xlsx",
    {
        "份额总览": Sheet(latest.reset_index()[["item", "own", "market", "share", "rank"]], names=NAMES),
        "增量份额": Sheet(yearly.reset_index(), names=NAMES),
        "结构分解": Sheet(parts.reset_index(), names=NAMES, units=percent),
        "对公五年": Sheet(corporate.reset_index(), names=NAMES | {"month": "月份"}),
        "关键时点": Sheet(festival.reset_index(), names=NAMES),
        "四个角色": Sheet(questions, names=NAMES),
    },
    title=f"人行份额月度解读（{now:%Y-%m}）", purpose="班子会月度分析", money="亿元")
cu.say(f"已保存：`{path.name}`。")
cu.progress()

# %% tags=["instructor", "board:performance:brief"]
# 给行长的一栏：course board 把它放上看板
own_part = effects["within"]
cu.brief(
    f"近 {COMPARE_MONTHS} 个月存款总份额{verb} {abs(total_1 - total_0) * 100:.2f} 个百分点，其中自身份额 {own_part * 100:+.2f}：{both.split('：')[0]}",
    "要办" if own_part < 0 and total_1 < total_0 else "留意" if own_part < 0 or falling else "平稳",
    "总份额和扣除市场结构以后的自身份额都在降，记要办；只有自身或个别项目在降，记留意",
    [("存款总份额", f"{total_1:.1%}", f"市场结构 {effects['mix'] * 100:+.2f}，自身 {own_part * 100:+.2f} 个百分点"),
     (f"最弱：{weak}", f"{latest['share'].min():.1%}", f"第 {latest.loc[weak, 'rank']} 名；{len(DEPOSITS)} 个存款项目有 {falling} 个份额下降")],
    [("对公部", f"逐户核单位活期流向：近 {COMPARE_MONTHS} 个月{bars.index[-1]} {bars['rate'].iloc[-1] * 100:+.1f}，本行 {bars.loc['本行', 'rate'] * 100:+.1f} 个百分点", "本月"),
     ("个金部", f"{call}：名单赶在这之前见完", "春节前后")],
    "份额和名次只用来看清自己，监管不许拿来当考评指标。")

# %% [markdown]
# ## 讨论
#
# - 每个项目的份额都在掉，总份额有没有可能还在涨？为什么？请用自己的话给没上过这门课的同事讲一遍。
# - 有人提议把“总份额提升”写进明年的考核：监管允许吗？你会建议改成什么？谁受益、谁吃亏？
# - 偏离度超线的那几个月，冲上来的钱值不值它的成本？谁来承担第二天的流出？

# %% [markdown]
# ## 小结
#
# 口径不统一，高低无从谈起；结构不拆开，功过无从谈起。增量份额要说清基期，市场不增长就不能算。
# 关键时点的钱来得快、走得也快，窗口期比总量更重要。
#
# 下一课：存款到期视图与稳存排班——份额是结果，到期才是每天的工作。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 课堂上常见的三个弯路：用“比上月”的增量份额下结论（有不少月份分母不可用）；看到名次没变就说没有丢；
# 把春节后个人定期的上升也算成春节效应。时间分配建议：演示一到三占一半，关键时点占三成，练习占两成。

# %% tags=["instructor"]
smooth = festival["个人活期"].rolling(3, center=True).mean()
cu.reveal(bank, "m02_n01", {
    "total_share_change": total_1 - total_0,
    "corp_demand_share_change": peer_share.loc[now, "本行"] - peer_share.loc["2023-06-30", "本行"],
    "mix_only": bool(effects["mix"] > 0 >= effects["within"]),
    "cny_half_life_days": cu.analysis.share.half_life(smooth, from_day=7),
})
