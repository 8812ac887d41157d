# %% [markdown] outline=["S004-D2"]
# # 存款到期视图与稳存排班
#
# 课程：银行数据应用 · 大纲：S004-D2、S004-D2.1、S004-D2.2 · 难度：L2 · 用时：90 分钟
#
# 学完本课，你能：
#
# - 用一张透视表做出全行和支行的到期结构视图，看清哪个月、哪家、哪种钱要开口；
# - 把到期结构换成每天的到店人次、柜口和活动日，再换成一张打得完的联系名单；
# - 用随机留出的对照组说清打电话到底留住了多少，不被“打了反而走得多”骗到。
#
# Abstract: Pivot time deposits into a maturity ladder, turn it into counters, events and a call list, and measure by a random hold-out what a call really does to renewal.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 看哪家支行：None 表示全行
PRACTICE_BRANCH = "B03"  # BRANCH 没有填时，练习和名单用哪家支行
HORIZON_MONTHS = 12  # 到期视图往后看几个月
RATE_BANDS = [0, 1.5, 2.0, 2.5, 3.0, 10]  # 合同利率分档的界限，单位 %
REPLACE_RATE = 1.65  # 存款走了，用同业资金补上的年利率，单位 %
RENEWAL_CASES = [0.8, 0.7, 0.6, 0.5]  # 续存率的几种假设
RENEWED_SHARE = 0.8  # 到期三十天后留下几成才算续存
LARGE = 500000  # 多少元以上算大额客户
GAP_CUT = 0.20  # 同业高出多少个百分点算“明显高”
LEAD_EDGES = [6, 9, 12, 15]  # 提前天数分段的界限
WALK_IN = 0.4  # 没有办理渠道记录时，假定几成到期客户来柜面
ORDINARY_USE = 0.72  # 没有排队记录时，假定平日柜口忙几成
COUNTER_MINUTES = 7.0  # 没有排队记录时，假定一位客户办几分钟
WAIT_MINUTES = 10  # 等候承诺：最多等几分钟
WAIT_SHARE = 0.2  # 等候承诺：最多几成客户超时
EVENT_FACTOR = 2.0  # 三天合计超过一天余力的几倍，就办活动
PLAN_DAYS = 90  # 排班和名单往后排几天
CALLS_PER_DAY = 2  # 练习支行每个工作日打几个电话（按样本的规模）
CALL_EARLY = 15  # 电话最早提前几天
CALL_LATE = 7  # 电话最晚提前几天
SHRINK_COUNT = 100  # 小组的比例向全体靠拢，相当于添几笔全体的样本
PURGE_DAYS = 120  # 名单几天后销毁

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m02_n02", BANK, AS_OF)
maturity, experiment = cu.analysis.maturity, cu.analysis.experiment
staffing, aum_tier = cu.analysis.staffing, cu.analysis.tiers.aum_tier

# %% [markdown]
# ## 业务情境
#
# 十二月，支行行长翻着三年前的开门红战报：那年一季度揽的三年期，马上就要到期了。他问你四件事：
# **哪几天人最多，柜台顶不顶得住？老利率那么高，到期是省钱还是丢钱？电话该打给谁？打了，真的有用吗？**
#
# 最后一问最容易答错。有人翻了翻台账：接过电话的客户，续存率也不见得高，于是说“电话别打了”。这句话对不对？错的话，错在哪里？
#
# 这些数据**不能**说明两件事：没到过期的新客户会怎么选；别家银行下个月会不会突然调价。它们也**不能**替你决定
# 一笔老存款该不该留，那是定价的事，不是名单的事。
#
# ## 数据
#
# 主角是存款账户表：一笔定期一行，转存后另起一行。旁边是挂牌利率、触达记录（有随机留出的一组）、网点排队。
# 课堂样本里一户代表全行若干户，列 `weight` 就是这个户数，所以金额和人次都要先乘上它。

# %%
tables = {
    "deposit_account": ["term_months", "maturity_date", "close_date", "amount", "rate",
                        "kept_amount_30d", "settle_channel"],
    "contact_log": ["contact_time", "channel", "purpose", "arm", "due_date"],
    "queue_log": ["half_hour", "tickets", "served_minutes", "counters_open"],
}
cu.dictionary(bank, tables)

# %%
wanted = ["account_id", "customer_id", "branch_id", "kind", "term_months", "open_date", "maturity_date",
          "close_date", "amount", "rate", "renewed_from", "kept_amount_30d", "settle_channel"]
accounts = bank.load("deposit_account", [name for name in wanted if bank.has(f"deposit_account.{name}")])
people = bank.load("customer", ["customer_id", "masked_name", "birth_year", "do_not_call",
                                "phone_valid", "weight"])
branches = bank.load("branch", ["branch_id", "branch_name", "counters"])
calendar = bank.load("calendar", ["date", "workday", "holiday"])
branch_name = branches.set_index("branch_id")["branch_name"]
my_branch = BRANCH or PRACTICE_BRANCH

term = accounts[accounts["kind"].isin(["定期", "大额存单"])].merge(people, on="customer_id", how="left")
term["full_amount"] = term["amount"] * term["weight"]
age = term["maturity_date"].dt.year - term["birth_year"].astype(float)
term["age_band"] = pd.cut(age, [0, 45, 60, 70, 150], labels=["45 岁以下", "46-60 岁", "61-70 岁", "70 岁以上"])
term["age_band"] = term["age_band"].astype(object).fillna("单位或未知")

# %% [markdown] outline=["S004-D2.1"]
# ## 演示一：到期视图，一笔定期只开一次口
#
# 定期存款平时不动，只在到期那天“开一次口”：续、走、还是换产品。所以看存款不能只看余额，要看**口开在哪个月**。
# 做法三步：留下还没销户、还没到期的；把到期日换成到期月份；用透视表，行是月份、列是存期、值是金额合计。
#
# 列还可以换成支行、客户层级、利率档：同一张表换一个列名，就是“全行/支行到期结构视图”的全部变化。第二张图就把列换成了支行：
# 为了让大行小行能比，每一行除以自己的全年合计。一行颜色均匀，日子就好过；一格特别深，说明钱集中在这个月开口，要提前安排人。

# %%
not_closed = term["close_date"].isna() | (term["close_date"] > bank.as_of)
open_term = term[not_closed & (term["maturity_date"] > bank.as_of)].copy()
open_term["month"] = open_term["maturity_date"] + pd.offsets.MonthEnd(0)
panel = bank.load("customer_month", ["month", "customer_id", "aum_average"])
latest = panel[panel["month"] == panel["month"].max()]
open_term = open_term.merge(latest[["customer_id", "aum_average"]], on="customer_id", how="left")
open_term["tier"] = aum_tier(open_term["aum_average"])
next_year = open_term[open_term["month"] <= bank.as_of + pd.offsets.MonthEnd(HORIZON_MONTHS)]
scope = next_year if BRANCH is None else next_year[next_year["branch_id"] == BRANCH]
scope_name = "全行" if BRANCH is None else branch_name[BRANCH]
ladder = scope.pivot_table(index="month", columns="term_months", values="full_amount",
                           aggfunc="sum", fill_value=0)
view = maturity.profile(ladder)
cu.show(view.head(6), money="万元", names={"month": "到期月份", "amount": "到期金额", "share": "占比",
        "cumulative": "累计占比"}, units={"share": "%", "cumulative": "%"}, title=f"{scope_name}到期视图（前半年）")

# %% tags=["board:maturity:picture"]
quarter = view["share"].head(3).sum()
fair = 3 / len(view)
colored = ladder.rename(columns=lambda months: f"{months} 个月", index=lambda day: f"{day:%y-%m}")
fig = cu.charts.stacked_ladder(colored, unit="亿元", legend="存期")
cu.charts.finish(
    fig,
    title=f"{scope_name}一年内到期 {view['amount'].sum() / 1e8:.1f} 亿元，头三个月占 {quarter:.0%}",
    alt=f"按到期月份堆叠的柱状图，头三个月合计占 {quarter:.0%}，平均摊只该占 {fair:.0%}。",
    source=f"{bank.name}，存款账户表，{bank.as_of:%Y-%m-%d}",
)
soon = scope[scope["month"].isin(ladder.index[:3])]
old = soon[soon["term_months"] >= 36]
verdict = "当年集中揽，今天就集中到期" if quarter > 1.2 * fair else f"不算集中，最高的是 {view['share'].idxmax():%Y-%m}"
cu.say(f"如果到期均匀分布，三个月应占 {fair:.0%}，实际占 **{quarter:.0%}**：{verdict}。这三个月到期的钱里，三年期以上占 "
       f"{old['full_amount'].sum() / soon['full_amount'].sum():.0%}，多半是 {old['open_date'].dt.year.mode().max():.0f} 年同样这几个月揽来的。")

# %%
by_branch = next_year.pivot_table(index="branch_id", columns="month", values="full_amount",
                                  aggfunc="sum", fill_value=0)
branch_share = by_branch.div(by_branch.sum(axis=1), axis=0)
order = branch_share.iloc[:, :3].sum(axis=1).sort_values(ascending=False).index
peak_branch = branch_share.max(axis=1).idxmax()
peak_month, peak = branch_share.loc[peak_branch].idxmax(), branch_share.loc[peak_branch].max()
picture = branch_share.loc[order].rename(index=branch_name, columns=lambda day: f"{day:%y-%m}")
fig = cu.charts.heatmap(picture, unit="%", annotate=True, decimals=0)
cu.charts.finish(fig, title=f"最集中的一格：{branch_name[peak_branch]} {peak_month:%Y-%m}，占全年到期的 {peak:.0%}",
                 alt=f"支行乘月份的热力图，每行合计为一，最深的一格是{branch_name[peak_branch]} {peak_month:%Y-%m}。",
                 source=f"{bank.name}，存款账户表，{bank.as_of:%Y-%m-%d}；数字为该行全年到期的百分比")
inside = next_year[(next_year["branch_id"] == peak_branch) & (next_year["month"] == peak_month)]["full_amount"]
cu.say(f"深色的格子先看是不是一两笔撑起来的：最深的这格样本里有 {len(inside)} 笔，最大一笔（连同它代表的户数）占 "
       f"{inside.max() / inside.sum():.0%}。{'先核对这一笔，再谈动员。' if inside.max() > 0.3 * inside.sum() else '不是一笔撑起来的，是许多户一起到期。'}")

# %% [markdown] outline=["S004-D2.1"]
# ## 演示二：到期省下的利息，和要补的资金
#
# 老存款利率高，到期后不管续不续，都不再按老利率付息。按今天的挂牌价续存，一年少付多少？先按合同利率分档，
# 看高息的钱在谁手里；再算节省额：金额乘以“合同利率减今天同期限挂牌价”。
#
# 可省钱有个前提：客户留下。走掉的部分要用别的钱补，本课程假定用同业资金，利率是 `REPLACE_RATE` [参数]。

# %%
bounds = [f"{RATE_BANDS[i]:g}%-{RATE_BANDS[i + 1]:g}%" for i in range(len(RATE_BANDS) - 1)]
scope = scope.assign(rate_band=pd.cut(scope["rate"], RATE_BANDS, right=False, labels=bounds))
bands = scope.pivot_table(index="tier", columns="rate_band", values="full_amount", aggfunc="sum",
                          fill_value=0, observed=True)
cu.show(bands, money="万元", rows=None, names={"tier": "客户层级（资产）"}, units=dict.fromkeys(bands, "万元"),
        title=f"{scope_name}一年内到期：客户层级 × 合同利率")

# %%
rates = bank.load("deposit_rate", ["effective_date", "who", "kind", "term_months", "rate"])
own = rates[(rates["who"] == "本行") & (rates["effective_date"] <= bank.as_of)].sort_values("effective_date")
price = own.groupby(["kind", "term_months"])["rate"].last().rename("new_rate").reset_index()
repriced = scope.merge(price, on=["kind", "term_months"], how="left")
repriced["old_cost"] = repriced["full_amount"] * repriced["rate"] / 100
repriced["new_cost"] = repriced["full_amount"] * repriced["new_rate"] / 100
by_term = repriced.groupby("term_months")[["full_amount", "old_cost", "new_cost"]].sum()
by_term["saving"] = by_term["old_cost"] - by_term["new_cost"]
by_term["old_rate"] = by_term["old_cost"] / by_term["full_amount"] * 100
by_term["new_rate"] = by_term["new_cost"] / by_term["full_amount"] * 100
cu.show(by_term[["full_amount", "old_rate", "new_rate", "saving"]], rows=None,
        names={"full_amount": "到期金额", "old_rate": "平均合同利率", "new_rate": "今天挂牌价", "saving": "全部续存一年少付"},
        units={"full_amount": "万元", "saving": "万元", "old_rate": "百分数", "new_rate": "百分数"})

# %%
total, old_cost, new_cost, saving = by_term[["full_amount", "old_cost", "new_cost", "saving"]].sum()
cases = pd.DataFrame({"renewal": RENEWAL_CASES})
cases["gap"] = total * (1 - cases["renewal"])
cases["cost"] = new_cost * cases["renewal"] + cases["gap"] * REPLACE_RATE / 100
cases["saving"] = old_cost - cases["cost"]
cu.show(cases, names={"renewal": "假如续存率", "gap": "要补的资金", "cost": "补足后的年利息", "saving": "比老利息少付"},
        units={"renewal": "%", "gap": "亿元", "cost": "万元", "saving": "万元"})
step = total * 0.1
dearer = step * REPLACE_RATE / 100 - step * new_cost / total
cu.say(f"平均合同利率 {old_cost / total:.2%}，今天的挂牌价 {new_cost / total:.2%}；全部续存，一年少付 "
       f"**{saving / 1e4:,.0f} 万元**。续存率每掉一成，要另找 **{step / 1e8:.2f} 亿元**，"
       f"一年{'多付' if dearer > 0 else '少付'} {abs(dearer) / 1e4:,.0f} 万元。"
       + ("利息不是大头，大头是一下子要补的钱和走掉的客户。" if abs(dearer) < saving / 4 else "补资金的成本不小，定价要一起谈。"))

# %% [markdown]
# ## 演示三：先说清什么叫续存
#
# 客户到期取出五万，又买了五万理财，算走吗？没走，钱还在本行。取出五万，只剩两万在卡上，算续存吗？不算。
# 本课程定义：到期后第 30 天，**到期金额的八成以上**还在本行任何产品里，就叫续存。八成是参数 `RENEWED_SHARE`，
# 换成七成或九成，各组的高低一般不变，绝对数会变，所以报数一定要带口径。
#
# 下面把近两年到期的每一笔配上三样：到期前一个月月末的资产层级、到期那天同业比本行高多少、有没有联系过。
# 都是到期**之前**就知道的事。每根条都带区间：条短不代表差，区间宽只说明笔数少。

# %%
term["kept"] = maturity.kept_amount(term, bank.as_of)
matured = term[term["kept"].notna()].copy()
matured["renewed"] = matured["kept"] >= RENEWED_SHARE * matured["amount"]
matured["before"] = matured["maturity_date"] - pd.offsets.MonthEnd(1)
matured = matured.merge(panel.rename(columns={"month": "before"}), on=["customer_id", "before"])
matured["tier"] = aum_tier(matured["aum_average"])
matured["peer_gap"] = maturity.rate_gap(matured, rates)
matured["price"] = np.where(matured["peer_gap"] > GAP_CUT + 1e-9, "同业明显高", "差不多或本行高")

log = bank.load("contact_log", ["account_id", "contact_time", "channel", "purpose", "arm", "due_date"])
log = log[log["purpose"] == "到期"].sort_values("contact_time").drop_duplicates("account_id")
log["lead"] = (log["due_date"] - log["contact_time"].dt.normalize()).dt.days
matured = matured.merge(log[["account_id", "arm", "lead"]], on="account_id", how="left")
matured["called"] = matured["account_id"].isin(log.loc[log["channel"].notna(), "account_id"])

# %%
by_tier = maturity.renewal_rate(matured, ["tier", "price"])
matured["size"] = np.where(matured["aum_average"] >= LARGE, "大额", "其他")
apart = {}
for name, part in matured.groupby("size"):
    high, low = part[part["price"] == "同业明显高"], part[part["price"] != "同业明显高"]
    if len(high) and len(low):
        apart[name] = experiment.diff_ci(high["renewed"].sum(), len(high), low["renewed"].sum(), len(low))
fig = cu.charts.bars_with_interval(by_tier, label="tier", group="price", count="count")
headline = f"相差 {apart['大额']['difference'] * 100:+.0f} 个百分点" if "大额" in apart else "样本不够比"
cu.charts.finish(
    fig,
    title=f"资产 {LARGE / 1e4:.0f} 万元以上的客户，同业明显高时续存率{headline}",
    alt="按客户层级和同业利率差画的续存率条形图，每根条带区间。",
    source=f"{bank.name}，存款账户表、挂牌利率表，{bank.as_of:%Y-%m-%d}；同业高出超过 {GAP_CUT * 100:.0f} 个基点算明显高",
)

# %%
matured["contact"] = np.where(matured["called"], "联系过", "没联系")
cu.show(maturity.renewal_rate(matured, ["size", "price", "contact"]), rows=None,
        names={"size": "客户", "price": "同业利率", "contact": "是否联系", "count": "笔数", "renewed": "续存笔数",
               "rate": "续存率", "low": "区间下限", "high": "区间上限"},
        units={"count": "笔", "renewed": "笔", "rate": "%", "low": "%", "high": "%"})
for name, gap in apart.items():
    clear = "区间不含零，不像是碰巧" if gap["low"] * gap["high"] > 0 else "区间含零，分不出来"
    cu.say(f"- {name}客户：同业明显高时续存率 {gap['rate_a']:.0%}，否则 {gap['rate_b']:.0%}，相差 "
           f"{gap['difference'] * 100:+.1f} 个百分点（{gap['low'] * 100:+.1f} 到 {gap['high'] * 100:+.1f}），{clear}。")
cu.say("利率差不是抽签定的，同业高的那几个月别的事也在变。所以这里只说“相差”，不说“因为”。")

# %% [markdown]
# ## 演示四：打电话有用吗？先看一个会骗人的数
#
# 最省事的比法：联系过的和没联系过的，续存率差多少。请先猜方向，再看下面一句。
#
# 银行留了一手：部分能联系的客户**抽签**分成两组，一组提前打电话，一组有意不打，只记一笔“计划联系日”。
# 抽签之前谁也不知道谁会走，所以两组本来一样，差别只能来自电话（和碰巧）。其余客户由客户经理自己挑着打，叫“自选”。
#
# 信抽签之前，先验抽签：两组人数该差不多，事前的样子也该差不多。抽的是人，所以数客户不数账户。
# 一位客户有好几笔时，几笔会一起走、一起留，所以按笔算的区间略偏窄；严格的做法是按客户整户重抽，通常差得不多。
#
# 最后看提前几天打有没有分别：有意不打的一组也记了计划日，能一段一段配对比。自选的电话没有这样的对照，只能看，不能比。

# %%
naive = experiment.compare_arms(matured, "renewed", "called", True, False).iloc[0]
direction = "低" if naive["difference"] < 0 else "高"
cu.say(f"直接比：联系过的 {naive['n_a']:,} 笔续存 {naive['rate_a']:.1%}，没联系的 {naive['n_b']:,} 笔续存 "
       f"{naive['rate_b']:.1%}，联系过的**{direction} {abs(naive['difference']) * 100:.1f} 个百分点**"
       f"（{naive['low'] * 100:+.1f} 到 {naive['high'] * 100:+.1f}）。")
story = [matured["arm"] == "随机触达", matured["arm"] == "随机保留", matured["called"]]
matured["story"] = np.select(story, ["抽签：打了", "抽签：有意不打", "自选：客户经理挑着打"], "没有联系，也没进抽签")
groups = maturity.renewal_rate(matured, "story").sort_values("rate")
fig = cu.charts.bars_with_interval(groups, label="story", count="count")
cu.charts.finish(
    fig,
    title=f"续存率最高的是“{groups['story'].iloc[-1]}”，最低的是“{groups['story'].iloc[0]}”",
    alt="四组续存率的条形图，每根条带区间：" + "、".join(groups["story"] + groups["rate"].map("{:.0%}".format)),
    source=f"{bank.name}，存款账户表、触达记录，{bank.as_of:%Y-%m-%d}",
)

# %%
trial = matured[matured["arm"].isin(["随机触达", "随机保留"])].copy()
has_trial = trial["arm"].nunique() == 2
if has_trial:
    drawn = trial.drop_duplicates("customer_id")["arm"].value_counts()
    p_value = experiment.sample_ratio_p(drawn["随机触达"], drawn["随机保留"])
    middle = trial.groupby("arm")["aum_average"].median() / 1e4
    cu.say(f"抽签验收：打与不打两组各 {drawn['随机触达']:,} 与 {drawn['随机保留']:,} 位客户，p 值 {p_value:.2f}，"
           f"{'看不出抽歪' if p_value > 0.01 else '人数对不上，先查抽签再往下看'}；事前资产中位数 "
           f"{middle['随机触达']:.1f} 与 {middle['随机保留']:.1f} 万元。")
else:
    cu.say("本行的触达记录里没有抽签的两组：没有对照，就说不出电话有没有用。下一季度起请留出一组。")

# %%
if has_trial:
    words = [f"提前 {LEAD_EDGES[i] + 1}-{LEAD_EDGES[i + 1]} 天" for i in range(len(LEAD_EDGES) - 1)]
    trial["days"] = pd.cut(trial["lead"], LEAD_EDGES, labels=words)
    steps = experiment.compare_arms(trial, "renewed", "arm", "随机触达", "随机保留", by="days")
    clear = (steps["low"] > 0).sum()
    overlap = steps["low"].max() <= steps["high"].min()
    fig = cu.charts.forest(steps, value="difference", label="days", unit="%")
    cu.charts.finish(
        fig,
        title=f"抽签比较：{len(steps)} 段里 {clear} 段的区间在零以上，{'各段区间重叠，分不出哪段更好' if overlap else '各段有高低'}",
        alt="三段提前天数的续存率之差，带区间：" + "；".join(steps["days"].astype(str) + steps["difference"].map("{:+.1%}".format)),
        source=f"{bank.name}，抽签两组，{bank.as_of:%Y-%m-%d}；横轴为打与不打的续存率之差",
    )

# %% [markdown] outline=["S004-D2.2"]
# ## 演示五：从到期笔数到每天来几个人
#
# 到期不等于到店：有人约定自动转存，有人手机上办，有人来柜面。先从历史上数：不同存期、不同年龄，几成来柜面。
# 每笔到期乘上这个比例、再乘上 `weight`，按天加总，就是预计到店人次。
#
# 还有一个日历上的坑：到期日落在休息日，人会顺延到**下一个工作日**来。长假后的第一天，是好几天的到期叠在一起。
#
# 人次要和**余力**比。本课程定义：平日柜口开放的分钟数，减去平日业务用掉的，除以每位客户的办理分钟，就是一天还能多接几位到期客户。
# 连续三天合计超过一天余力的 `EVENT_FACTOR` 倍，柜台就不该硬扛，改成上门、沙龙、分批预约，这几天叫**活动日**。

# %%
if bank.has("deposit_account.settle_channel"):
    matured["counter"] = matured["settle_channel"].eq("柜面")
    walk = matured.groupby(["term_months", "age_band"])["counter"].agg(["mean", "size"]).reset_index()
    shown = walk.pivot(index="term_months", columns="age_band", values="mean")
    cu.show(shown, rows=None, units=dict.fromkeys(shown, "%"), title="到期后来柜面办理的比例（存期 × 年龄）")
    few = walk.loc[walk["size"].idxmin()]
    cu.say(f"笔数最少的一格只有 {few['size']:.0f} 笔（{few['term_months']:.0f} 个月，{few['age_band']}），看看就好。")
    open_term = open_term.merge(walk, on=["term_months", "age_band"], how="left")
    open_term["chance"] = open_term["mean"].fillna(matured["counter"].mean())
else:
    cu.say(f"本行没有到期办理渠道，一律假定 {WALK_IN:.0%} 的到期客户来柜面。")
    open_term["chance"] = WALK_IN
open_term["visits"] = open_term["chance"] * open_term["weight"]
open_term["visit_date"] = maturity.next_workday(open_term["maturity_date"], calendar)

# %%
fields = ["branch_id", "date", "half_hour", "tickets", "served_minutes", "counters_open"]
queue = bank.load("queue_log", fields) if bank.has("queue_log") else pd.DataFrame()
if len(queue):
    queue["open_minutes"] = queue["counters_open"] * 30
    days = queue.groupby(["branch_id", "date"])[["tickets", "served_minutes", "open_minutes"]].sum().reset_index()
    days["use"] = days["served_minutes"] / days["open_minutes"]
    desk = days.groupby("branch_id").agg(open_minutes=("open_minutes", "median"), use=("use", "median"),
                                         served=("served_minutes", "sum"), tickets=("tickets", "sum"))
    desk["minutes"] = desk["served"] / desk["tickets"]
else:
    cu.say(f"这一天以前没有网点排队记录：假定平日忙 {ORDINARY_USE:.0%}，一位客户 {COUNTER_MINUTES:.0f} 分钟。")
    desk = branches.set_index("branch_id").assign(use=ORDINARY_USE, minutes=COUNTER_MINUTES)
    desk["open_minutes"] = desk["counters"] * 8 * 60
desk["capacity"] = desk["open_minutes"] * (1 - desk["use"]) / desk["minutes"]

# %% tags=["board:maturity:table"]
daily = maturity.expected_visits(open_term, open_term["chance"], by="branch_id", weight="weight")
daily = daily[daily.index <= bank.as_of + pd.DateOffset(months=HORIZON_MONTHS)]
found = []
for branch in daily.columns.intersection(desk.index):
    events = maturity.event_days(daily[branch], desk.loc[branch, "capacity"], 3, EVENT_FACTOR).head(1)
    found.append(events.assign(branch_name=branch_name[branch], branch_id=branch))
events = pd.concat(found).sort_values("load", ascending=False)
events["usual"] = events["branch_id"].map(desk["capacity"])
cu.show(events[["branch_name", "start", "end", "visits", "usual", "load"]], rows=12,
        names={"start": "从", "end": "到", "visits": "三天人次", "usual": "一天余力", "load": "合计是余力的几倍"},
        units={"visits": "人次", "usual": "人次"}, title="各支行最挤的三天（合计超过活动线的，余力按一天算）")
crowd = daily.sum(axis=1)
weeks = (crowd.idxmax() - bank.as_of).days / 7
cu.say(f"**{len(events)}** 家支行至少有一次要办活动。全行最挤的一天是 **{crowd.idxmax():%Y-%m-%d}**，"
       f"预计 {crowd.max():,.0f} 人次，是平均工作日的 {crowd.max() / crowd[crowd > 0].mean():.1f} 倍，还有 {weeks:.0f} 周。")

# %%
load = (daily.rolling(3).sum() / desk["capacity"]).max()
busy = load.idxmax()
line, top_day = desk.loc[busy, "capacity"], daily[busy].idxmax()
months = daily[busy][daily.index <= top_day + pd.offsets.MonthEnd(1)].tail(184)
rest = pd.DatetimeIndex(calendar.loc[~calendar["workday"], "date"])
over = (months > line).sum()
fig = cu.charts.calendar_heatmap(months, capacity=line, unit="人次", holidays=rest)
cu.charts.finish(
    fig,
    title=f"{branch_name[busy]}：{over} 天超过一天余力 {line:.0f} 人次，最挤是 {top_day:%Y-%m-%d}，{months.max():.0f} 人次",
    alt=f"日历热力图，粗框是超过余力的 {over} 天，休息日写“休”。",
    source=f"{bank.name}，存款账户表、排队记录，{bank.as_of:%Y-%m-%d}；粗框为超过一天余力的日子",
)
covered = open_term.loc[open_term["branch_id"] == busy, "weight"].median()
cu.say(f"样本里这家支行一户通常代表全行 {covered:.0f} 户，按天看容易成堆。用全量数据重跑，小尖峰会平一些：先信周，再信天。")

# %% [markdown]
# 一天总量够，不等于每半小时都够：人往往扎堆来，余力却散在别的时段。用排队公式（Erlang C）按半小时算：
# 要让等候超过 `WAIT_MINUTES` 分钟的人不多于 `WAIT_SHARE`，各需要几个柜口？比三种情形：平日、最挤那天听其自然、
# 最挤那天把到期客户**预约**到有空的时段（柜口忙到八成五 [参数] 为止，约不进的另想办法）。公式假定来客随机，柜员快慢差不多。

# %%
if len(queue):
    hours = staffing.half_hour_plan(queue[queue["branch_id"] == busy], daily[busy].max(), WAIT_MINUTES, WAIT_SHARE)
    short = [(hours["need_" + name] - hours["counters"]).clip(lower=0).sum() / 2 for name in ["usual", "crowd", "booked"]]
    left = hours["extra"].sum() - (hours["booked"] - hours["tickets"]).sum()
    bars = pd.DataFrame({"平日": hours["need_usual"], "最挤那天再加": hours["need_crowd"] - hours["need_usual"]})
    fig = cu.charts.stacked_ladder(bars, unit="个柜口", legend="需要", line=hours["counters"].max(), line_label="平日最多开")
    cu.charts.finish(fig, title=f"{branch_name[busy]}：平日缺 {short[0]:.1f} 柜口小时，最挤那天缺 {short[1]:.1f}",
                     alt="按半小时的堆叠柱：平日需要的柜口，加上最挤那天听其自然再要的；虚线是平日最多开的。",
                     source=f"{bank.name}，排队记录，{bank.as_of:%Y-%m-%d}；一个柜口多开一小时算一柜口小时，高出开放数的才算缺")
    cu.say(f"先把到期客户约到有空的时段：一天最多再约 {hours['room'].sum():.0f} 人，约满以后缺 {short[2]:.1f} 柜口小时"
           f"（平日 {short[0]:.1f}）；最挤那天还剩 **{left:.0f}** 人"
           f"{'约不进来：提前办、上门或办沙龙' if left >= 1 else '，全约得进来'}。")
else:
    cu.say("没有半小时的排队记录，这一段跳过。")

# %% [markdown] outline=["S004-D2.2"]
# ## 演示六：电话打给谁
#
# 打电话的时间有限，先打哪一笔？看三样相乘：**金额 × 会走的可能 × 打了能留住几成**。第三样大家一样，只影响总数，不影响先后；
# 第二样要从“没打过电话的样子”里学，所以用抽签不打的那一组，免得把电话的功劳算成客户的忠诚。
#
# 有的层级在这一组里只有几十笔，比例忽高忽低。办法是往全体靠：相当于每组再添 `SHRINK_COUNT` 笔全体的样本，笔数越少，靠得越多。
#
# 名单之外是节奏。本课程定义一笔到期的四步 [参数]：
#
# | 时间 | 动作 | 谁 |
# |---|---|---|
# | T−30 | 短信或企微：到期日、办理渠道、预约链接 | 系统，不占人 |
# | T−15 到 T−7 | 电话：问用途、报产品、约时间 | 客户经理，按名单先后 |
# | 到期当天 | 柜面或上门办理；谢绝来电的客户只在这时当面问 | 柜员、大堂 |
# | T+1 | 补一次：钱还在活期的，当天再联系 | 客户经理 |
#
# 能打的只有号码有效、没有谢绝来电的客户。下面看练习支行的电话够不够打。

# %%
basis = trial[trial["arm"] == "随机保留"] if has_trial else matured[~matured["called"]]
overall = 1 - basis["renewed"].mean()
leave = basis.groupby("tier", observed=False)["renewed"].agg(["size", "sum"])
leave["raw"] = 1 - leave["sum"] / leave["size"]
leave["p_leave"] = (leave["size"] - leave["sum"] + SHRINK_COUNT * overall) / (leave["size"] + SHRINK_COUNT)
cu.show(leave[["size", "raw", "p_leave"]], rows=None, names={"tier": "客户层级", "size": "笔数", "raw": "直接算的会走比例",
        "p_leave": "靠拢以后"}, units={"size": "笔", "raw": "%", "p_leave": "%"})
spread = leave["p_leave"].max() / leave["p_leave"].min()
last_due = bank.as_of + pd.Timedelta(days=PLAN_DAYS + CALL_EARLY)
due_list = open_term[open_term["maturity_date"] <= last_due].merge(leave["p_leave"].reset_index(), on="tier", how="left")
due_list["p_leave"] = due_list["p_leave"].fillna(overall)
due_list["at_risk"] = due_list["amount"] * due_list["p_leave"]
size = due_list["amount"].quantile(0.9) / due_list["amount"].quantile(0.1)
cu.say(f"各层级会走的可能最多差 {spread:.1f} 倍，金额却能差 {size:.0f} 倍（前后一成之比）：名单的先后主要由**金额**定。")

# %%
mine = due_list[due_list["branch_id"] == my_branch].copy()
mine["can_call"] = ~mine["do_not_call"] & mine["phone_valid"]
window_end = bank.as_of + pd.Timedelta(days=PLAN_DAYS)
in_plan = (calendar["date"] > bank.as_of) & (calendar["date"] <= window_end) & calendar["workday"]
work_days = calendar.loc[in_plan, "date"].tolist()
callable_count = mine.loc[mine["can_call"], "customer_id"].nunique()
week = mine["maturity_date"].dt.to_period("W").value_counts().head(1)
first = week.index[0].start_time - pd.Timedelta(days=CALL_EARLY)
last = week.index[0].end_time - pd.Timedelta(days=CALL_LATE)
room = sum(first <= day <= last for day in work_days) * CALLS_PER_DAY
cu.say(f"{branch_name[my_branch]}往后 {PLAN_DAYS + CALL_EARLY} 天到期 {len(mine)} 笔，能打电话的客户 **{callable_count}** 位；"
       f"{len(work_days)} 个工作日，每天 {CALLS_PER_DAY} 个，最多打 **{len(work_days) * CALLS_PER_DAY}** 个。"
       f"可到期最多的一周（{week.index[0].start_time:%m-%d} 起）有 {week.iloc[0]} 笔，合适的那几天最多打 {room} 个："
       f"{'总数够，这几天也排不开' if week.iloc[0] > room else '排得开'}。")

# %% [markdown]
# ## 练习
#
# **E1 ★★ 支行的到期视图** 只看 `my_branch` 一家，把**全部**没到期的定期（不止一年）做成透视表赋给 `my_ladder`：
# 行是 `month`，列是 `term_months`，值是 `full_amount` 的合计，空格填零。总数要等于这家支行的定期余额。

# %% tags=["answer:E1"]
my_ladder = ...  # ← 从 open_term 出发，一个 pivot_table
### BEGIN SOLUTION
branch_rows = open_term[open_term["branch_id"] == my_branch]
my_ladder = branch_rows.pivot_table(index="month", columns="term_months", values="full_amount",
                                    aggfunc="sum", fill_value=0)
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:one_year_only"]
my_ladder = next_year[next_year["branch_id"] == my_branch].pivot_table(
    index="month", columns="term_months", values="full_amount", aggfunc="sum", fill_value=0)

# %% tags=["wrong:E1:sample_amount"]
my_ladder = open_term[open_term["branch_id"] == my_branch].pivot_table(
    index="month", columns="term_months", values="amount", aggfunc="sum", fill_value=0)

# %% tags=["wrong:E1:averages"]
my_ladder = open_term[open_term["branch_id"] == my_branch].pivot_table(
    index="month", columns="term_months", values="full_amount", fill_value=0)

# %% tags=["wrong:E1:closed_accounts"]
rows = term[term["branch_id"] == my_branch].copy()
rows["month"] = rows["maturity_date"] + pd.offsets.MonthEnd(0)
my_ladder = rows.pivot_table(index="month", columns="term_months", values="full_amount", aggfunc="sum", fill_value=0)

# %% tags=["wrong:E1:whole_bank"]
my_ladder = open_term.pivot_table(index="month", columns="term_months", values="full_amount",
                                  aggfunc="sum", fill_value=0)

# %% tags=["alternative:E1:group_then_unstack"]
rows = open_term.query("branch_id == @my_branch")
sums = rows.groupby([rows["maturity_date"].dt.to_period("M"), "term_months"])["full_amount"].sum()
my_ladder = sums.unstack().fillna(0)

# %% [markdown]
# **E2 ★★★ 哪几天扛不住** 写函数 `crowded_days(rows, as_of, capacity)`，返回一个 Series：索引是日期，值是那天的人次，
# 只留**超过** `capacity` 的日子。`rows` 里有 `maturity_date`、`visit_date` 和 `visits`（一行一笔）。人什么时候来，看的是 `visit_date`；
# 只看 `as_of` 之后、到 `as_of` 往后第 `PLAN_DAYS` 天（含）为止。换一个 `as_of`，窗口要跟着走。

# %% tags=["answer:E2"]
crowded_days = ...  # ← 写一个函数 crowded_days(rows, as_of, capacity)
### BEGIN SOLUTION
def crowded_days(rows, as_of, capacity):
    last = as_of + pd.Timedelta(days=PLAN_DAYS)
    coming = rows[(rows["visit_date"] > as_of) & (rows["visit_date"] <= last)]
    per_day = coming.groupby("visit_date")["visits"].sum()
    return per_day[per_day > capacity]
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:deposits_not_visits"]
def crowded_days(rows, as_of, capacity):
    last = as_of + pd.Timedelta(days=PLAN_DAYS)
    coming = rows[(rows["visit_date"] > as_of) & (rows["visit_date"] <= last)]
    per_day = coming.groupby("visit_date").size()
    return per_day[per_day > capacity]

# %% tags=["wrong:E2:maturity_day"]
def crowded_days(rows, as_of, capacity):
    last = as_of + pd.Timedelta(days=PLAN_DAYS)
    coming = rows[(rows["maturity_date"] > as_of) & (rows["maturity_date"] <= last)]
    per_day = coming.groupby("maturity_date")["visits"].sum()
    return per_day[per_day > capacity]

# %% tags=["wrong:E2:no_window"]
def crowded_days(rows, as_of, capacity):
    per_day = rows.groupby("visit_date")["visits"].sum()
    return per_day[per_day > capacity]

# %% tags=["wrong:E2:single_rows"]
def crowded_days(rows, as_of, capacity):
    last = as_of + pd.Timedelta(days=PLAN_DAYS)
    coming = rows[(rows["visit_date"] > as_of) & (rows["visit_date"] <= last)]
    return coming[coming["visits"] > capacity].groupby("visit_date")["visits"].sum()

# %% tags=["alternative:E2:pivot_and_query"]
def crowded_days(rows, as_of, capacity):
    days_ahead = (rows["visit_date"] - as_of).dt.days
    table = rows[days_ahead.between(1, PLAN_DAYS)].groupby("visit_date", as_index=False)["visits"].sum()
    return table.query("visits > @capacity").set_index("visit_date")["visits"]

# %% [markdown]
# **E3 ★★★ 电话留住了几成** 用抽签的两组，算打电话使续存率高出多少，配上区间，再写一句**为什么直接比会骗人**。赋给字典 `effect`：
# `{"difference": 差, "low": 下限, "high": 上限, "why": "一句话"}`。三个数用小数（高出一个百分点写成 `0.01`），`why` 不少于十五个字 [定义]。

# %% tags=["answer:E3"]
effect = ...  # ← 字典，四个键：difference、low、high、why
### BEGIN SOLUTION
result = experiment.compare_arms(trial, "renewed", "arm", "随机触达", "随机保留").iloc[0]
effect = {
    "difference": result["difference"],
    "low": result["low"],
    "high": result["high"],
    "why": "直接比的时候，打谁是客户经理挑的，专挑犹豫要走的打，两组客户本来就不一样。",
}
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:naive"]
effect = {"difference": naive["difference"], "low": naive["low"], "high": naive["high"],
          "why": "打谁是客户经理挑的，专挑犹豫要走的打，两组客户本来就不一样。"}

# %% tags=["wrong:E3:self_chosen"]
called_or_held = matured[matured["arm"].isin(["自选", "随机保留"])]
result = experiment.compare_arms(called_or_held, "renewed", "arm", "自选", "随机保留").iloc[0]
effect = {"difference": result["difference"], "low": result["low"], "high": result["high"],
          "why": "打谁是客户经理挑的，专挑犹豫要走的打，两组客户本来就不一样。"}

# %% tags=["wrong:E3:random_against_rest"]
result = experiment.compare_arms(matured[matured["story"].isin(["抽签：打了", "没有联系，也没进抽签"])],
                                 "renewed", "called", True, False).iloc[0]
effect = {"difference": result["difference"], "low": result["low"], "high": result["high"],
          "why": "打谁是客户经理挑的，专挑犹豫要走的打，两组客户本来就不一样。"}

# %% tags=["wrong:E3:calls_do_harm"]
result = experiment.compare_arms(trial, "renewed", "arm", "随机触达", "随机保留").iloc[0]
effect = {"difference": result["difference"], "low": result["low"], "high": result["high"],
          "why": "因为电话打扰了客户，打了反而走得多，以后少打为好。"}

# %% tags=["alternative:E3:cluster_bootstrap"]
draws = experiment.cluster_bootstrap(trial, "renewed", "arm", "customer_id", "随机触达", "随机保留")
effect = {"difference": draws["difference"], "low": draws["low"], "high": draws["high"],
          "why": "自选的名单不是随机的：经理先打最不放心的客户，这些人不打电话更要走。"}

# %% [markdown]
# **E4 ★★★ 排一份打得完的名单** 给 `my_branch` 排电话，赋给表 `plan`，两列：`account_id` 和 `call_date`。候选在 `mine`，工作日在 `work_days`。规矩：
#
# - 只打 `can_call` 为真的；一个客户在整张名单里只打一次；
# - `call_date` 是 `work_days` 里的日子，离 `maturity_date` 不少于 `CALL_LATE` 天、不多于 `CALL_EARLY` 天；
# - 每个工作日不超过 `CALLS_PER_DAY` 个；`at_risk` 合计尽量大，至少达到参考贪心法的九成五 [定义]。

# %% tags=["answer:E4"]
plan = ...  # ← 一张表：account_id、call_date
### BEGIN SOLUTION
free = dict.fromkeys(work_days, CALLS_PER_DAY)
calls, done = [], set()
for row in mine[mine["can_call"]].sort_values("at_risk", ascending=False).itertuples():
    days = [day for day in work_days
            if free[day] > 0 and CALL_LATE <= (row.maturity_date - day).days <= CALL_EARLY]
    if days and row.customer_id not in done:
        free[days[0]] -= 1
        done.add(row.customer_id)
        calls.append((row.account_id, days[0]))
plan = pd.DataFrame(calls, columns=["account_id", "call_date"])
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:ignores_refusals"]
free = dict.fromkeys(work_days, CALLS_PER_DAY)
calls, done = [], set()
for row in mine.sort_values(["can_call", "at_risk"], ascending=[True, False]).itertuples():
    days = [day for day in work_days
            if free[day] > 0 and CALL_LATE <= (row.maturity_date - day).days <= CALL_EARLY]
    if days and row.customer_id not in done:
        free[days[0]] -= 1
        done.add(row.customer_id)
        calls.append((row.account_id, days[0]))
plan = pd.DataFrame(calls, columns=["account_id", "call_date"])

# %% tags=["wrong:E4:no_daily_limit"]
called = mine[mine["can_call"]].sort_values("at_risk", ascending=False).drop_duplicates("customer_id")
plan = called[["account_id"]].copy()
plan["call_date"] = called["maturity_date"] - pd.Timedelta(days=10)

# %% tags=["wrong:E4:first_come"]
free = dict.fromkeys(work_days, CALLS_PER_DAY)
calls, done = [], set()
for row in mine[mine["can_call"]].sort_values("at_risk").itertuples():
    days = [day for day in work_days
            if free[day] > 0 and CALL_LATE <= (row.maturity_date - day).days <= CALL_EARLY]
    if days and row.customer_id not in done:
        free[days[0]] -= 1
        done.add(row.customer_id)
        calls.append((row.account_id, days[0]))
plan = pd.DataFrame(calls, columns=["account_id", "call_date"])

# %% tags=["alternative:E4:pairs_of_deposit_and_day"]
pairs = mine.query("can_call").merge(pd.DataFrame({"call_date": work_days}), how="cross")
pairs = pairs[(pairs["maturity_date"] - pairs["call_date"]).dt.days.between(CALL_LATE, CALL_EARLY)]
pairs = pairs.sort_values(["at_risk", "call_date"], ascending=[False, False])
used, done, kept = {}, [], []
for place, pair in pairs.iterrows():
    if used.get(pair["call_date"], 0) < CALLS_PER_DAY and pair["customer_id"] not in done:
        used[pair["call_date"]] = used.get(pair["call_date"], 0) + 1
        done.append(pair["customer_id"])
        kept.append(place)
plan = pairs.loc[kept, ["account_id", "call_date"]]

# %% [markdown]
# ## 成果
#
# 一个文件、三种纸：**到期稳存名单**（遮蔽了姓名，给客户经理）、**到期视图**（给行长）、**排班表**（给大堂和柜台）。
# 名单里每个能打的客户有四步节奏和话术，谢绝来电、号码无效的也在，但动作是“到店当面问”。到期一过就销毁。

# %%
for question in ["E1", "E3", "E4"]:
    cu.carry_on(question)
sheet = mine.merge(plan, on="account_id", how="left").sort_values(["call_date", "at_risk"], ascending=[True, False])
sheet["branch_name"] = branch_name[my_branch]
sheet["customer"] = cu.analysis.privacy.pseudonym(sheet["customer_id"], "m02_n02-课堂演示密钥-行内另存", length=10)
sheet["band"] = pd.cut(sheet["amount"], [0, 5e4, 2e5, 5e5, np.inf], right=False,
                       labels=["5 万元以下", "5-20 万元", "20-50 万元", "50 万元以上"]).astype(str)
sheet["message_date"] = (sheet["maturity_date"] - pd.Timedelta(days=30)).clip(lower=bank.as_of + pd.Timedelta(days=1))
sheet["catch_up"] = maturity.next_workday(sheet["visit_date"] + pd.Timedelta(days=1), calendar)
sheet.loc[sheet["do_not_call"], ["message_date", "catch_up"]] = pd.NaT
choices = [sheet["call_date"].notna(), ~sheet["can_call"]]
sheet["action"] = np.select(choices, ["电话", "不打电话，到店当面问"], "短信提醒，到店面谈")
dear = sheet["rate"] > sheet["term_months"].map(by_term["new_rate"]) + 0.5
sheet["script"] = np.where(dear, "先讲利率已调，再问用途，给存期组合", "问用途，提示到期，约办理时间")

# %%
day_load = daily[my_branch][daily.index.isin(work_days)].to_frame("visits")
day_load["calls"] = plan.groupby("call_date").size()
day_load["calls"] = day_load["calls"].fillna(0)
day_load["capacity"] = desk["capacity"].get(my_branch, np.nan)
day_load = day_load.round(1)
three = day_load["visits"].rolling(3, min_periods=1).sum()
steps = [three > EVENT_FACTOR * day_load["capacity"], day_load["visits"] > 0.5 * day_load["capacity"]]
day_load["measure"] = np.select(steps, ["活动日：上门、沙龙、分批预约", "加开柜口，引导错峰"], "照常")
purge = bank.as_of + pd.Timedelta(days=PURGE_DAYS)
words = {"day": "日期", "visits": "预计到店", "calls": "要打的电话", "capacity": "一天余力", "measure": "安排"}
roster = cu.deliver.Sheet(day_load.reset_index(), title="排班表", names=words, units={"visits": "人次", "capacity": "人次"})
month_view = my_ladder.sum(axis=1).rename("full_amount").rename_axis("month").reset_index()
month_view["month"] = month_view["month"].astype(str).str.slice(0, 7)

# %%
shown = ["branch_name", "call_date", "customer", "masked_name", "maturity_date", "band", "term_months", "rate",
         "action", "script", "message_date", "catch_up"]
path = bank.output_dir("m02_n02") / f"到期稳存名单_{branch_name[my_branch]}.xlsx"
cu.deliver.call_list(
    path, sheet[shown], title="到期稳存名单", purpose="到期稳存联系", purge_date=purge,
    result_codes=["接通-续存", "接通-考虑", "接通-转出", "未接通", "号码无效", "谢绝来电"],
    notes=["先打排在前面的；到期日前没接通的，改为到店面谈。", "谢绝来电的客户不打电话、不发短信，只在到店时当面问。"],
    names={"call_date": "电话日", "customer": "客户（假名）", "band": "金额档", "action": "动作", "script": "话术",
           "message_date": "短信日", "catch_up": "补联系日"},
    extra={"到期视图": cu.deliver.Sheet(month_view, names={"full_amount": "到期金额"}), "排班表": roster})
saved = mine.loc[mine["account_id"].isin(plan["account_id"]), "at_risk"].sum()
middle, low, high = [effect[key] / overall for key in ("difference", "low", "high")]
cu.say(f"已保存 `{path.name}`，{len(plan)} 个电话，会走的金额合计 {saved / 1e4:,.0f} 万元（样本账户，没有乘 weight）。按抽签的结果，"
       f"本来要走的人里打了电话留下约 {middle:.0%}（区间 {low:.0%} 到 {high:.0%}），这份名单预计多留住 **{saved * middle / 1e4:,.0f} 万元**（区间 "
       f"{saved * low / 1e4:,.0f} 到 {saved * high / 1e4:,.0f}）。请于 {purge:%Y-%m-%d} 前销毁。")

# %% tags=["instructor", "board:maturity:brief"]
# 给行长的一栏：course board 把它放上看板
bunched, tight = quarter > 1.2 * fair, len(events) > 0
todo = [("客户经理", f"照《{path.stem}》先打金额大的；{branch_name[my_branch]}已排好 {len(plan)} 个电话", f"到期前 {CALL_LATE} 到 {CALL_EARLY} 天"),
        ("资产负债部", f"备好补缺的资金：续存率每掉一成要另找 {step / 1e8:.2f} 亿元", "头三个月到期之前")]
if tight:
    crowds = "、".join(events["branch_name"].head(3)) + (f"等 {len(events)} 家" if len(events) > 3 else "")
    todo.insert(0, ("支行行长", f"{crowds}：最挤的三天之前办活动、约客户错峰", f"{events['start'].min():%Y-%m-%d} 之前"))
cu.brief(
    f"{scope_name}一年内到期 {view['amount'].sum() / 1e8:.1f} 亿元，头三个月占 {quarter:.0%}；最挤的一天是 {crowd.idxmax():%Y-%m-%d}，预计 {crowd.max():,.0f} 人次",
    "要办" if bunched and tight else "留意" if bunched or tight else "平稳",
    f"头三个月占比超过均摊的一点二倍，并且有支行超过活动线（连续三天合计超过一天余力的 {EVENT_FACTOR:g} 倍），记要办；只占一条，记留意",
    [("头三个月到期占比", f"{quarter:.0%}", f"均匀分布该占 {fair:.0%}"),
     ("照今天的价全部续存，一年少付息", f"{saving / 1e4:,.0f} 万元", f"平均合同利率 {old_cost / total:.2%}，今天挂牌价 {new_cost / total:.2%}"),
     ("续存率每掉一成要另找", f"{step / 1e8:.2f} 亿元", f"用同业资金补，一年{'多付' if dearer > 0 else '少付'} {abs(dearer) / 1e4:,.0f} 万元"),
     ("本来要走、打了留下", f"约 {middle:.0%}", f"抽签对照，区间 {low:.0%} 到 {high:.0%}；{branch_name[my_branch]}这份名单多留 {saved * middle / 1e4:,.0f} 万元（{saved * low / 1e4:,.0f} 到 {saved * high / 1e4:,.0f}，样本账户）")],
    todo, "按天的人次由样本推算，先信周，再信天。")

# %% [markdown]
# ## 讨论
#
# 1. 一笔老利率百分之三的三年期 [参数] 到期，客户说“给我原价就留下”。留，还是放？谁有权定：支行、零售部，还是资产负债委员会？
#    提示：把演示二的三个数（老价、新价、补资金的价）写在黑板上，再想想这位客户还有什么业务。
# 2. 有意不打的那一组，明明打了能多留一些，留着不打，对这些客户公平吗？下个季度还留不留、留多少？
# 3. 尖峰支行三年前那三天发生了什么？如果今年开门红又集中在同三天收存款，三年后是谁的麻烦？
#
# ## 小结
#
# 到期视图就是一张透视表，换一个列名就换一个问题；金额看省钱和缺口，人次看柜口和活动日。
# 名单的先后看金额和会走的可能，能不能打、哪天打由规矩和容量定。电话有没有用，只有抽签不打的那一组能回答。
#
# 下一课：存款流失——状态、去向、预警与分类挽留。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 时间：演示一、二 20 分钟，三、四 25 分钟（先让大家举手猜电话的方向），五、六 15 分钟，练习 25 分钟，讨论 5 分钟。
# 常见的弯路：E1 忘了乘 `weight`，或者只做了一年；E2 用到期日不用到店日，长假后第一天就漏了；E3 拿“抽签打了”去比“没联系的全体”，
# 差了一截却以为很接近；E4 总数没超就以为容量够，其实每天都要守住。
# 大额客户的利率差只有一两百笔，区间很宽，学员算出来的点估计离真值几个百分点都正常。
# 尖峰的倍数按到期笔数算，课上按到店人次算，所以课上的倍数要小一些。

# %% tags=["instructor"]
months_of = next_year["maturity_date"].dt.month
found = {"q1_maturity_share": next_year.loc[months_of <= 3, "full_amount"].sum() / next_year["full_amount"].sum()}
if has_trial:
    found["contact_effect"] = experiment.compare_arms(trial, "renewed", "arm", "随机触达", "随机保留").iloc[0]["difference"]
if "大额" in apart:
    found["big_gap_penalty"] = apart["大额"]["difference"]
count = open_term.groupby(["visit_date", "branch_id"])["weight"].sum().unstack().asfreq("D").fillna(0)
found["spike_branch"] = (count.rolling(3).sum() / 3 / desk["capacity"]).max().max()
zh = {"q1_maturity_share": "未来一年到期中一至三月占比", "contact_effect": "提前 7-15 天联系的效果",
      "big_gap_penalty": "大额且同业明显高的续存率之差", "spike_branch": "尖峰支行三天日均到期笔数是余力的几倍"}
cu.reveal(bank, "m02_n02", found, zh)
cu.say(f"直接比较得到 {naive['difference']:+.3f}；生成器里自选的方向也是负的：客户经理先打最不放心的客户。")
