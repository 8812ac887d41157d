# %% [markdown]
# # 存款流失：状态、去向、预警与分类挽留
#
# 课程：银行数据应用 · 大纲：S004-D3、S004-D3.1、S004-D3.2、S004-D3.3 · 难度：L3 · 用时：100 分钟
#
# 学完本课，你能：
#
# - 给“流失”下一个骗不了自己的定义，分清走了的、搬到理财的和没动静的；
# - 做一个不偷看未来的预警模型，说清它准到什么程度、能提前多久；
# - 把状态、价值和苗头对到动作和成本上，排出客户经理这一周该打的电话。
#
# Abstract: Define loss of deposits by assets under management, trace where the money went, build a warning model without leaks, and match actions to states.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 状态表和电话名单看哪家支行：None 表示全行（模型总是用全行数据）
FLOOR = 10000  # 此前资产不到多少元的不评状态
STATE_CUTS = [0.8, 0.5, 0.2]  # 近三个月与此前六个月之比：稳定、预警、半流失的下限
SILENT_DAYS = 180  # 多少天没有主动交易算沉默
BIG_SHARE = 0.3  # 单笔支出占流失金额多少以上才去认它的去向
HIGH_VALUE = 200000  # 资产多少元以上算高价值
ALERT_SHARE = 0.1  # 每月得分最高的多大比例算预警
CALLS_PER_MANAGER = 40  # 一位客户经理一周最多打几个电话
CALL_COST = 12  # 打一个电话的成本，元
VISIT_COST = 80  # 上门一次的成本，元
MARGIN = 0.012  # 一元资产留一年带来的收益，元
HOLDOUT_SHARE = 0.1  # 名单里随机留出多大比例不联系，用来量效果
SEED = 20251231  # 随机留出用的种子

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m02_n03", BANK, AS_OF)
wide, churn, model_tools = cu.analysis.caliber.wide, cu.analysis.churn, cu.analysis.model

# %% [markdown]
# ## 业务情境
#
# 支行行长拿着一张“存款下降客户”名单来开会：“这上面的人，哪些是真走了？走到哪儿去了？
# **要是早一个月知道，该先给谁打电话？**”
#
# 名单上的下降不都是流失：有人把定期换成了本行理财，钱还在；有人只是发了奖金又花掉；有人钱一分没动，
# 人却半年没露面。一律打电话，电话会打给最不需要的人。本课先把“走了”量清楚，再找走之前的苗头，最后算哪些电话值得打。
#
# 这些数据**不能**说明某个苗头“导致”了流失，也**不能**说明打了电话就留得住：苗头和流失只是先后出现，
# 挽留有没有用，要靠名单里随机留出的一小部分人来量。课程数据的流失原因是生成器埋下的，比例不代表任何一家银行。
#
# ## 数据
#
# 主角是客户月度表，二十四个月，一行一个客户一个月。流水只有抽样客户近一年的。字段如下，单位以契约为准。

# %%
tables = {
    "customer_month": ["month", "customer_id", "aum_average", "wealth_average", "payroll_amount",
                       "mobile_login_days", "days_since_customer_transaction"],
    "deposit_account": ["account_id", "customer_id", "maturity_date", "close_date"],
    "contact_log": ["customer_id", "contact_time", "purpose", "channel", "account_id"],
    "customer_manager_history": ["customer_id", "manager_id", "from_date"],
    "transaction": ["customer_id", "date", "amount", "kind", "counterparty_type"],
}  # fmt: skip
cu.dictionary(bank, tables)

# %% [markdown] outline=["S004-D3.1"]
# ## 演示一：先定义“走了”，用资产，不用存款
#
# 本课程定义 [定义]：拿近 3 个月的月日均资产（活期、定期、理财都算），除以再往前 6 个月的平均，得到留存比 r。
#
# | r [参数] | 状态 | 一句话 |
# |---|---|---|
# | 0.8 及以上 | 稳定 | 钱在 |
# | 0.5 到 0.8 | 预警 | 少了一截 |
# | 0.2 到 0.5 | 半流失 | 大头走了 |
# | 不到 0.2 | 流失 | 只剩零头 |
# | 0.5 及以上，但满 180 天没有主动交易（或从未交易） | 沉默 | 钱在，人不见 |
#
# 表里的数都是参数的默认值 [参数]。此前资产不到 `FLOOR` 的不评：几千元的零钱进进出出，比值没有意义。
# 换一组线，户数就变，所以报流失户数时一定要带上定义。下面把月度表摊成“一行一户、一列一月”的宽表，
# 再用工具箱里的 `loss_state` 看今天的状态；练习 E1 会请你自己把这把尺子做出来。

# %%
if bank.has("customer.customer_type"):
    customers = bank.load("customer", columns=["customer_id", "customer_type", "masked_name", "branch_id",
                                               "manager_id", "do_not_call", "phone_valid", "weight"])  # fmt: skip
    customers = customers[customers["customer_type"] != "企业"].set_index("customer_id")
else:  # 分不出企业：月度表里的客户都算，每户代表一户
    customers = bank.load("customer_month", columns=["customer_id"]).drop_duplicates().assign(weight=1.0).set_index("customer_id")
fields = ["demand_deposit_average", "term_deposit_average", "aum_average", "payroll_amount",
          "external_bank_out_amount", "mobile_login_days", "days_since_customer_transaction"]  # fmt: skip
monthly = bank.load("customer_month", columns=["month", "customer_id", *fields])
monthly = monthly[monthly["customer_id"].isin(customers.index)]
money, deposit = wide(monthly, "aum_average"), wide(monthly, fields[:2])
months = money.columns


def states_at(when):
    idle = monthly[monthly["month"] == when].set_index("customer_id")[fields[-1]]
    return churn.loss_state(money.loc[:, :when], idle, STATE_CUTS, FLOOR, SILENT_DAYS)


# %% tags=["board:churn:table"]
rated = customers.assign(state=states_at(months[-1])).dropna(subset=["state"])
scope = rated if BRANCH is None else rated[rated["branch_id"] == BRANCH]
scope = scope.join(churn.retention_ratio(money)[["recent", "before"]])
scope["less"] = (scope["before"] - scope["recent"]).clip(lower=0) * scope["weight"]
state_table = scope.groupby("state", observed=False).agg(
    customers=("weight", "size"), bank_wide=("weight", "sum"), less=("less", "sum"))  # fmt: skip
state_table["share"] = state_table["bank_wide"] / state_table["bank_wide"].sum()
cu.show(state_table, rows=None, units={"share": "%", "less": "亿元"},
        names={"state": "状态", "customers": "样本户数", "bank_wide": "推算全行户数",
               "share": "占比", "less": "比此前少了"})  # fmt: skip
share = state_table["share"]
cu.say(f"评得上状态的样本客户有 {len(scope):,} 户。推算下来，钱明显变少的（预警、半流失、流失）占 "
       f"**{share[['预警', '半流失', '流失']].sum():.1%}**，其中已经流失的占 **{share['流失']:.1%}**；"
       f"沉默的占 {share['沉默']:.1%}：他们的钱还在，却不会出现在任何“下降名单”上。"
       + ("" if "customer_type" in customers else "（本行没有客户类型，企业也算在内，每户只代表自己。）"))  # fmt: skip

# %% [markdown]
# 如果只看存款呢？下面逐月找“第一次落进流失档”的客户：用存款找一遍，用资产找一遍。存款口径说走了、
# 资产口径说还在的，就是搬到本行理财里去了。给他们打“挽留”电话不但白打，还会让刚买理财的客户以为买错了。

# %%
lost_deposit = churn.first_loss(deposit, FLOOR, STATE_CUTS[2])
lost_money = churn.first_loss(money, FLOOR, STATE_CUTS[2])
lost_deposit["ratio"] = churn.ratio_at(money, lost_deposit["month"])
still_here = lost_deposit["ratio"] >= STATE_CUTS[1]
misread = cu.analysis.experiment.wilson([still_here.sum()], [len(lost_deposit)]).iloc[0]
levels = pd.cut(lost_deposit["ratio"], [-np.inf, *STATE_CUTS[::-1], np.inf], right=False,
                labels=["流失", "半流失", "预警", "稳定"])  # fmt: skip
cu.show(levels.value_counts(sort=False).to_frame("count"), rows=None, names={"ratio": "资产口径的状态", "count": "户数"},
        title="存款口径的流失户，同一个月按资产口径是什么状态")  # fmt: skip
cu.say(f"在能判断的 {len(months) - 8} 个月里，存款口径报了 **{len(lost_deposit):,}** 户流失（个人客户样本）；其中 "
       f"**{misread['rate']:.1%}**（区间 {misread['low']:.1%}–{misread['high']:.1%}）的总资产还在原来的"
       "一半以上，钱没有离开本行。真正要追的人，用资产口径来找。")  # fmt: skip

# %% [markdown] outline=["S004-D3"]
# ## 演示二：状态是会动的
#
# 一张今天的快照看不出方向。取四个季末，看同一批人从哪一档流到哪一档：左边是之前，右边是之后，条带越宽人越多。
# 两件事最要紧：预警的人后来是回来了，还是接着往下走；沉默的人是不是更容易走。
# 一直稳定的人太多，会把别的条带压成细线，所以图里只画“至少有一个季末不稳定”的客户。
# 图里的“不评”多半是钱走光以后够不上 `FLOOR` 的人。**不能把他们从图里删掉**：只看四个季末都评得上的人，
# 等于只问留下来的人“你走了没有”，流失会被算少。

# %% tags=["board:churn:picture"]
dates = [months[-10], months[-7], months[-4], months[-1]]
history = pd.DataFrame({when: states_at(when).astype("object") for when in dates}).fillna("不评")
moving = history[history.isin(["预警", "半流失", "流失", "沉默"]).any(axis=1)]
steps = [churn.transition(moving[dates[i]], moving[dates[i + 1]]) for i in range(3)]
fig = cu.charts.state_flow(steps, labels=[f"{when:%Y-%m}" for when in dates],
                           order=["稳定", "预警", "半流失", "流失", "不评", "沉默"], colors={"不评": "#B9A7C9"})  # fmt: skip
flows = sum(churn.transition(history[dates[i]], history[dates[i + 1]]) for i in range(3))
flows = flows.div(flows.sum(axis=1), axis=0)
down = flows[["半流失", "流失"]].sum(axis=1)
cu.charts.finish(fig, title=f"预警不等于流失：一个季度后 {flows.loc['预警', '稳定']:.0%} 回到稳定，"
                 f"{down['预警']:.0%} 继续往下走", source=f"{bank.name}，客户月度表，{len(moving):,} 户",
                 alt=f"四个季末之间的状态流向图，共 {len(moving):,} 户。")  # fmt: skip
word = "高出不少" if down["沉默"] > 1.3 * down["稳定"] else "差不多或更低"
cu.say(f"沉默客户一个季度后落到半流失或流失的占 {down['沉默']:.1%}，稳定客户是 {down['稳定']:.1%}，{word}。"
       "沉默要不要管，看的是这个差距，不是“半年没来”这几个字。")  # fmt: skip

# %% [markdown] outline=["S004-D3.2"]
# ## 演示三：钱去哪儿了
#
# 有流水的抽样客户可以追。办法很朴素：对每个存款流失户，取出走前后的流水，把**单笔够大**（占流失金额 `BIG_SHARE` 以上）
# 的支出按对手类型贴上去向标签；认出来的合计超过流失金额时按比例缩回；**认不出来的，老老实实记作“去向不明”**。
#
# 还有一个时间上的机关：状态用三个月的平均，所以灯亮的时候，钱往往已经走了两个月。
# 真正的“出走月”是近三个月里的第一个月（表里的 `leave`），流水看出走月和它的前一个月。

# %%
out = pd.DataFrame(columns=["customer_id", "date", "amount", "kind", "counterparty_type", "counterparty_name"])
traced = lost_deposit.dropna(subset=["leave"]).head(0)
if bank.has("transaction"):
    out = bank.load("transaction", columns=["direction", *out.columns])
    sampled = lost_deposit.index.isin(out["customer_id"].unique())
    traced = lost_deposit[sampled & (lost_deposit["leave"] > out["date"].min() + pd.offsets.MonthEnd(1))]
    out = out[(out["direction"] == "支出") & out["customer_id"].isin(traced.index)]
else:
    cu.say(f"本行没有{'、'.join(bank.missing('transaction'))}，去向一节没有结果，其余照常。")
traced = traced.assign(lost=traced["before"] - traced["recent"], tier=pd.cut(
    traced["before"], [0, 50000, HIGH_VALUE, np.inf], right=False, labels=["小额", "中额", "大额"]))  # fmt: skip
big = out.merge(traced.reset_index(), on="customer_id")
big = big[(big["date"] <= big["leave"]) & (big["date"] > big["leave"] - pd.offsets.MonthEnd(2))]
big = big[big["amount"] >= BIG_SHARE * big["lost"]].copy()

# %%
rules = {
    "买本行理财": big["kind"] == "理财申购",
    "转到本人他行": big["counterparty_type"] == "本人他行",
    "还贷款": big["kind"].isin(["还款", "自动还款"]) | (big["counterparty_type"] == "他行内部户"),
    "买房买车": big["counterparty_name"].astype("str").str.contains("置业|地产|房产|汽车"),
    "第三方支付": big["counterparty_type"] == "第三方支付",
    "取现金": big["kind"] == "取现",
    "转给他人": big["counterparty_type"] == "个人",
    "付给企业": big["counterparty_type"] == "企业",
}
big["destination"] = np.select(list(rules.values()), list(rules), default="刷卡消费缴费")
tagged = big.groupby(["customer_id", "destination"], as_index=False)["amount"].sum()
lost_of = tagged["customer_id"].map(traced["lost"]).astype(float)
found = tagged.groupby("customer_id")["amount"].transform("sum")
tagged["amount"] = tagged["amount"] * (lost_of / found).clip(upper=1)

# %% tags=["board:churn:picture"]
tagged["tier"] = tagged["customer_id"].map(traced["tier"])
where = tagged.pivot_table(index="tier", columns="destination", values="amount", aggfunc="sum", observed=True)
sizes = traced.groupby("tier", observed=True)["lost"].agg(["sum", "size"])
where = where.reindex(sizes.index).fillna(0)
where["去向不明"] = sizes["sum"] - where.sum(axis=1)
total = where.sum() / sizes["sum"].sum()
known = total.drop("去向不明").sort_values(ascending=False)
picture = where[[*known.index[:5], "去向不明"]].assign(其他认得出的=where[known.index[5:]].sum(axis=1))
picture = picture.div(sizes["sum"], axis=0)
picture.index = [f"{tier}\n{count} 户" for tier, count in sizes["size"].items()]
if len(known):
    fig = cu.charts.stacked_ladder(picture, unit="%", legend="去向", totals=False)
    cu.charts.finish(fig, title=f"按金额，认得出的去向里“{known.idxmax()}”最多，占 {known.max():.0%}；"
                     f"去向不明 {total['去向不明']:.0%}", alt="按此前存款大小分组的堆叠柱：流失金额的去向占比。",
                     source=f"{bank.name}，流水抽样，存款流失 {len(traced)} 户，大额为 {HIGH_VALUE / 1e4:.0f} 万元以上")  # fmt: skip

# %%
if len(traced):
    wealth = tagged.loc[tagged["destination"] == "买本行理财", "customer_id"].nunique()
    moved = (traced["ratio"] >= STATE_CUTS[1]).sum()
    cu.say(f"交叉核对：这 {len(traced)} 户里，资产口径显示钱还在本行的有 {moved} 户，流水里认得出大额买理财的有 {wealth} 户。"
           "两边对不齐，说明标签有漏有错；户数又不多，各组占比只看大小次序，不看小数点。"
           "“转给他人”“取现金”也只是线索断在那里，不等于知道钱最后去了哪里。")  # fmt: skip
early = bank.load("loan", columns=["product_code", "settle_date", "settle_type"])
early = early[early["product_code"].str.contains("MORTGAGE") & (early["settle_type"] == "提前结清")]
counts = early["settle_date"].dt.to_period("M").value_counts()
wave = counts.reindex(pd.period_range("2023-08", "2023-12", freq="M"), fill_value=0)
calm = counts.reindex(pd.period_range("2023-01", "2023-07", freq="M"), fill_value=0)
gap, error = wave.mean() - calm.mean(), (wave.mean() / len(wave) + calm.mean() / len(calm)) ** 0.5
seen = "区间不含零，看得见这一波" if abs(gap) > 1.96 * error else "区间含零，样本里看不清，就不硬说有"
cu.say(f"提前还贷也是一条去路，各地 2023 年 8 月到 12 月有过一波。本行样本按揭提前结清那时每月 {wave.mean():.1f} 笔，此前每月 "
       f"{calm.mean():.1f} 笔，差 {gap:+.1f}（区间 {gap - 1.96 * error:+.1f} 到 {gap + 1.96 * error:+.1f}）：{seen}。")  # fmt: skip

# %% [markdown]
# ## 演示四：走之前有什么动静
#
# 把每个流失户的出走月对齐到零月，往前看半年，和**同样月份**没走的客户比。纵轴是两组之比：一倍就是没差别；
# 阴影是误差范围，阴影离开一倍那条虚线才算看得见。先准备信号，每一格都只用当月月底就知道的事：
#
# - 到期无人联系：近三个月里有存款到期，到期前谁也没联系他；
# - 工资停发：前几个月还有代发工资，这个月没了；
# - 手机静默：用过手机银行，却连着两个月没登录；换经理：近半年换过管户经理。

# %%
due = bank.load("deposit_account", columns=["account_id", "customer_id", "maturity_date", "close_date"])
due = due[due["close_date"] == due["maturity_date"]].assign(number=1)
due["month"] = due["maturity_date"] + pd.offsets.MonthEnd(0)
calls = bank.load("contact_log", columns=["account_id", "purpose", "channel", "contact_time", "due_date"])
calls = calls[calls["channel"].notna() & (calls["contact_time"] < calls["due_date"])]
due["called"] = due["account_id"].isin(calls["account_id"]).astype(int)
grid = {"index": money.index, "columns": months, "fill_value": 0}
matured, called = [wide(due, name).reindex(**grid) for name in ("number", "called")]
changed = matured < 0
if bank.has("customer_manager_history"):
    turns = bank.load("customer_manager_history", columns=["customer_id", "from_date"])
    turns = turns.sort_values(["customer_id", "from_date"])
    turns = turns[turns["customer_id"].duplicated()].assign(number=1)
    turns["month"] = turns["from_date"] + pd.offsets.MonthEnd(0)
    changed = wide(turns, "number").reindex(**grid) > 0

# %%
def lately(flags, span):  # 最近 span 个月里发生过没有
    return sum(flags.shift(k, axis=1, fill_value=False).astype(int) for k in range(span)) > 0


payroll, logins = wide(monthly, "payroll_amount"), wide(monthly, "mobile_login_days")
paid = payroll > 0
signals = {
    "uncontacted": lately((matured > 0) & (called == 0), 3),
    "payroll_stop": ~paid & lately(paid.shift(1, axis=1, fill_value=False), 4),
    "silent": (logins.cumsum(axis=1) > 0) & (logins == 0) & (logins.shift(1, axis=1) == 0),
    "manager_change": lately(changed, 6),
}
chinese = dict(zip(signals, ["到期无人联系", "工资停发", "手机静默", "近半年换过经理"], strict=True))
before = sum(money.shift(k, axis=1) for k in range(6)) / 6
leave = lost_money["leave"].reindex(money.index)

# %%
panels = {chinese[name]: panel for name, panel in signals.items()}
panels |= {"登录天数": logins, "大额转往他行": wide(monthly, "external_bank_out_amount") > 0.3 * before}
stayed = money.index[(before[months[6:-2]] >= FLOOR).all(axis=1) & ~money.index.isin(lost_money.index)]
pretend = leave.dropna().sample(len(stayed), replace=True, random_state=SEED).set_axis(stayed)
curves = churn.event_ratios(panels, leave.dropna(), pretend)
ratio = pd.DataFrame({name: curve["ratio"] for name, curve in curves.items()})
clear = [name for name in list(curves)[:-1] if curves[name]["low"][-1] > 1 or curves[name]["high"][-1] < 1]
fig = cu.charts.small_multiples(ratio, unit="倍", highlight=clear, band=curves)
for ax in fig.axes:
    ax.axhline(1, color=cu.charts.NEUTRAL, linestyle="--")
cu.charts.finish(fig, title=f"出走前一个月，前五项里有 {len(clear)} 项看得见差别（橙色）",
                 source=f"{bank.name}，横轴为距出走月的月数，纵轴为流失户是留下户的几倍", alt="六张小图，流失户与留下户之比。")  # fmt: skip
others = ratio["大额转往他行"]
cu.say(f"出走前一个月就看得见的：{'、'.join(clear) or '没有'}。“大额转往他行”出走当月是 {others[0]:.1f} 倍，前一个月只有 {others[-1]:.1f} 倍：当月的跳升就是出走本身，"
       "拿它当预警，等于看着人出门再说他要出门。")  # fmt: skip

# %% [markdown]
# ## 演示五：留存曲线，谁走得快
#
# 只数“走了几个”会吃亏：有人观察了两年，有人上个月才够线。留存曲线（Kaplan–Meier）每个月只在“当时还在的人”里算，
# 再一个月一个月乘下去；中途才够线的客户，从够线那个月才进场（左截断）。
#
# 换经理是半路发生的事，不能把“后来换过经理的人”从头画成一条线：能等到换经理，说明他之前没走，这条线会白白好看。
# 正确做法是把每个人切成两段：换之前算“没换”，换之后半年算“换了”。

# %%
number = pd.Series(np.arange(len(months)), index=months)
enough = before.iloc[:, 6:-3] >= FLOOR
entry = enough.idxmax(axis=1).where(enough.any(axis=1)).map(number)
stop = leave.map(number).fillna(number.iloc[-3])
spells = pd.DataFrame({"entry": entry - 6, "stop": stop - 6, "event": leave.notna()})
gone_before = lost_money.index[lost_money["leave"].isna()]
spells = spells.dropna().drop(gone_before, errors="ignore")
spells = spells[spells["stop"] > spells["entry"]]
first_money = before.to_numpy()[money.index.get_indexer(spells.index), (spells["entry"] + 6).astype(int)]
spells["group"] = np.where(first_money >= HIGH_VALUE, "高价值客户", "普通客户")
turn = (changed.idxmax(axis=1).where(changed.any(axis=1)).map(number) - 6).reindex(spells.index)
episodes = cu.analysis.survival.split_at_change(spells, turn, 6)
episodes["group"] = episodes["changed"].map({True: "换经理后半年", False: "没有换经理"})

# %%
curves, tests = {}, {}
for what, table in {"价值": spells, "换经理": episodes}.items():
    for group, part in table.groupby("group"):
        curves[group] = cu.analysis.survival.kaplan_meier(part["stop"], part["event"], part["entry"])
    if len(table["group"].unique()) > 1:
        columns = [table["stop"], table["event"], table["group"], table["entry"]]
        tests[what] = cu.analysis.survival.log_rank(*columns)["p"]
last = pd.Series({group: curve["survival"].iloc[-1] for group, curve in curves.items()})
fig = cu.charts.survival_curves(curves, lowest=max(0, np.floor(last.min() * 10 - 0.5) / 10))
cu.charts.finish(fig, title=f"观察 {len(months) - 9} 个月，留存最低的是“{last.idxmin()}”：{last.min():.0%}",
                 source=f"{bank.name}，{len(spells):,} 户，第 0 月是 {months[6]:%Y-%m}",
                 alt="留存曲线：" + "，".join(f"{group} {value:.0%}" for group, value in last.items()) + "。")  # fmt: skip
for what, p in tests.items():
    word = "超出了偶然的范围" if p < 0.05 else "还在偶然的范围里，不能说谁快谁慢"
    cu.say(f"- 按{what}分的两条线：差别{word}（对数秩检验 p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}）。")

# %% [markdown] outline=["S000-1.3.5.4.1"]
# ## 演示六：把信号放进同一个模型
#
# 几个信号会一起出现，要放在一起比。做法叫“人月表”：一个客户一个月一行，左边是**月底已知**的信号，
# 右边是**下个月**走没走（风险率模型）。走了的人从名单里去掉，最近两个月的结果还没成熟，不进表。
#
# 读优势比：大于一，说明有这个信号的人下个月更容易走；区间跨过一，就是看不清。它说的是先后和伴随，不是因果。

# %%
features = {**signals, "mobile_user": logins.cumsum(axis=1) > 0, "on_payroll": paid.cumsum(axis=1) > 0,
            "size": np.log10(before.clip(lower=1))}  # fmt: skip
gone_by = lost_money["leave"].fillna(months[0]).reindex(money.index)


def people_in(place):  # 第 place 个月月底仍在名单里的人和他们的信号
    at_risk = (before.iloc[:, place] >= FLOOR) & ~(gone_by <= months[place])
    return pd.DataFrame({name: panel.loc[at_risk, months[place]].astype(float) for name, panel in features.items()})


rows = [people_in(place).assign(month=months[place], money_after=money[months[place + 1]],
                                leaves=(leave == months[place + 1]).astype(int))
        for place in range(7, len(months) - 3)]  # fmt: skip
person_months = pd.concat(rows).reset_index()

# %%
present = [name for name in signals if person_months[name].any()]
odds = cu.analysis.survival.fit_hazard(person_months, present, "leaves", "month")
odds = odds.join(person_months[list(signals)].mean().rename("exposed"))
odds["label"] = [f"{chinese[name]}（{odds.loc[name, 'exposed']:.1%} 的人月有）" for name in odds.index]
visible = [chinese[name] for name in odds.index if odds.loc[name, "low"] > 1]
fig = cu.charts.forest(odds, "odds_ratio", label="label", reference=1, log=True, unit="优势比（倍）")
cu.charts.finish(fig, title=f"一起放进模型后，{len(visible)} 个信号的区间在一倍以上",
                 source=f"{bank.name}，{len(person_months):,} 个人月，流失 {person_months['leaves'].sum():,} 次",
                 alt="森林图：" + "，".join(f"{chinese[n]} {v:.1f} 倍" for n, v in odds["odds_ratio"].items()) + "。")  # fmt: skip
monthly_rate = person_months["leaves"].mean()
none = person_months[person_months[list(signals)].sum(axis=1) == 0]
cu.say(f"平均每月流失率 {monthly_rate:.2%}，三个月里走的机会是 1−(1−h)³ = "
       f"{cu.analysis.survival.chance_within([monthly_rate] * 3):.1%}。优势比看着大，但**一个信号也没有的人月占 "
       f"{len(none) / len(person_months):.0%}，全部流失里有 {none['leaves'].sum() / person_months['leaves'].sum():.0%} 出在他们身上**："
       "光靠这几个信号，大半的流失事先看不见。")  # fmt: skip

# %% [markdown] outline=["S000-1.1.3.1.1"]
# ## 演示七：预警模型，先防偷看，再谈准不准
#
# 用早的月份学、晚的月份考：最后三个月当考卷，之前三个月用来校准，再早的用来学。比三样东西：逻辑回归、
# 提升树（HGB），和一个**偷看了未来**的模型——它多用一列 `closed_later`（下个月有没有提前销掉定期），
# 这列来自账户表今天的 `close_date`，站在当时根本看不到。
#
# 成绩看三项：AUC 管排序（掷硬币是一半）；校准斜率管概率的松紧（一最好）；前一成的提升，管名单比随便抽好几倍。

# %%
closed = bank.load("deposit_account", columns=["customer_id", "close_date", "maturity_date"])
closed = closed[closed["close_date"] < closed["maturity_date"]]
closed["month"] = closed["close_date"] + pd.offsets.MonthEnd(-1)
later = closed.groupby(["customer_id", "month"]).size().rename("closed_later").reset_index()
person_months = person_months.merge(later, on=["customer_id", "month"], how="left").fillna({"closed_later": 0})
person_months.index = person_months["customer_id"] + person_months["month"].dt.strftime("@%Y-%m")
split = model_tools.time_split(person_months, "month", 3, 3)
train, valid, test = split.train, split.valid, split.test
signs = {name: 1 for name in signals}
models = {
    "逻辑回归": model_tools.fit_logit(train, list(features), "leaves", valid),
    "提升树": model_tools.fit_boosting(train, list(features), "leaves", valid, signs),
    "偷看未来": model_tools.fit_boosting(train, [*features, "closed_later"], "leaves", valid),
}
scores = {name: model.predict(test) for name, model in models.items()}

# %%
grades = pd.DataFrame({name: model_tools.judge(test["leaves"], score) for name, score in scores.items()}).T
cu.show(grades, rows=None, names={"index": "模型", "auc": "AUC", "brier": "布赖尔分", "slope": "校准斜率",
                                  "intercept": "校准截距", "top_decile_lift": "前一成提升"})  # fmt: skip
table = {name: model_tools.reliability_table(test["leaves"], scores[name], 5) for name in ("逻辑回归", "提升树")}
auc, slope = grades["auc"], grades["slope"]
cu.charts.finish(cu.charts.reliability(table), alt="可靠性曲线：按预测概率分五组，横轴预测、纵轴实际，竖线为区间。",
                 title=f"校准斜率：逻辑回归 {slope['逻辑回归']:.2f}，提升树 {slope['提升树']:.2f}（越接近 1 越准）",
                 source=f"{bank.name}，最后三个月 {len(test):,} 个人月，流失 {test['leaves'].sum()} 次")  # fmt: skip
duel = model_tools.auc_gap(test["leaves"], scores["提升树"], scores["逻辑回归"])
best, gap = auc.iloc[:2].max(), auc["偷看未来"] - auc.iloc[:2].max()
cu.say(f"两个老实的模型，AUC 高的一个是 {best:.2f}，{'比掷硬币好不了太多' if best < 0.65 else '明显好过掷硬币'}；"
       f"提升树减逻辑回归 {duel['gap']:+.3f}（区间 {duel['low']:+.3f} 到 {duel['high']:+.3f}），"
       f"{'差别看得见' if duel['low'] * duel['high'] > 0 else '区间含零，说不清谁更强，那就用好解释的'}。"
       f"偷看一列以后 AUC 变成 {auc['偷看未来']:.2f}（{gap:+.2f}）：{'成绩突然好看，先查泄漏，别先请功' if gap > 0.02 else '占不到便宜，规矩也不能破'}。")  # fmt: skip

# %%
final = model_tools.fit_logit(person_months, list(features), "leaves")
person_months["score"] = final.predict(person_months)
rank = person_months.groupby("month")["score"].rank(pct=True)
listed = person_months[rank > 1 - ALERT_SHARE].assign(number=1)
streak = wide(listed, "number").reindex(**grid).astype(int)
for place in range(1, len(months)):  # 连续上榜几个月
    streak[months[place]] *= streak[months[place - 1]] + 1
hits = person_months[person_months["leaves"] == 1]
lead = np.array([streak.loc[who, when] for who, when in hits[["customer_id", "month"]].to_numpy()]).clip(max=6)
tables = {name: model_tools.lift_table(test["leaves"], scores[name]) for name in ("逻辑回归", "提升树")}
top = tables["逻辑回归"].iloc[0]
cu.charts.finish(cu.charts.lift_curve(tables), title=f"得分最高的一成，流失率是平均的 {top['lift']:.1f} 倍，"
                 f"抓到 {top['captured']:.0%} 的流失", source=f"{bank.name}，最后三个月", alt="十组提升曲线。")
cu.say(f"每月把得分最高的 {ALERT_SHARE:.0%} 列入预警：走之前正在榜上的占全部流失的 **{(lead > 0).mean():.0%}**；"
       f"这些人从连续上榜到出走，平均 **{lead[lead > 0].mean():.1f}** 个月（最多数到半年）。提前量就这么多，名单要月月更新。")  # fmt: skip

# %% [markdown] outline=["S004-D3.3"]
# ## 演示八：状态、价值、苗头，对到动作
#
# 策略不是“都打一遍”。先按苗头定动作：价格问题谈价格，生活变化谈生活，服务断了补服务，没苗头的按常规维护。
# 再算账：**风险金额** = 资产 × 三个月内出走的机会；就算次次都留得住，一年也只多赚“风险金额 × `MARGIN`”。
# 连这个最乐观的收益都抵不过成本的（高价值客户按上门、其他按电话），**不动作也是一种策略**。成本和收益率都是参数，
# 换成本行的数再看。真正的留存效果不知道，所以这里只敢排除“肯定不值”的，不敢说剩下的“一定值”。

# %%
card = pd.DataFrame([
    ["到期无人联系", "价格", "先道歉没提前联系，再报当天牌价和可选期限", "不承诺超过授权的利率"],
    ["工资停发", "生活", "问候工作变动，问代发要不要换卡、社保怎么接", "不追问辞职原因"],
    ["手机静默", "服务", "教一次手机银行，换了手机的帮忙重新绑定", "不索要验证码和密码"],
    ["近半年换过经理", "服务", "新经理自我介绍，说清以后找谁", "不翻旧账"],
    ["沉默", "服务", "核实联系方式，提醒社保卡和定期到期日", "不一遍遍催"],
    ["没有苗头", "常规", "按常规节奏问候，不提流失", "不为凑数打电话"],
], columns=["reason", "play", "opening", "never"])  # fmt: skip
today = people_in(len(months) - 1)
today["chance"] = 1 - (1 - final.predict(today)) ** 3
today = today.join(customers.drop(columns="customer_type")).join(rated["state"].astype("object"))
today["money"] = money[months[-3:]].mean(axis=1)
today["value_at_risk"] = today["money"] * today["chance"]
present = [today[name] == 1 for name in signals] + [today["state"] == "沉默"]
today["reason"] = np.select(present, [*chinese.values(), "沉默"], default="没有苗头")

# %%
agreed = bank.load("consent", columns=["customer_id", "scope", "granted", "expire_date"])
agreed = agreed[(agreed["scope"] == "营销") & agreed["granted"] & ~(agreed["expire_date"] < bank.as_of)]
today["consent"] = today.index.isin(agreed["customer_id"])
today = today if BRANCH is None else today[today["branch_id"] == BRANCH]
rich = today["money"] >= HIGH_VALUE
today["value"] = rich.map({True: "高价值", False: "普通"})
today["cost"] = rich.map({True: VISIT_COST, False: CALL_COST})
today["worth_it"] = today["value_at_risk"] * MARGIN > today["cost"]
today["play"] = today["reason"].map(card.set_index("reason")["play"]).where(today["worth_it"], "不动作")
matrix = today.pivot_table(index=["value", "state"], columns="play", values="cost", aggfunc="size").fillna(0)
cu.show(matrix.astype(int), rows=None, names={"value": "价值", "state": "状态"}, title="状态 × 价值 × 动作（户数）")
costs, risk = today.groupby("worth_it")["cost"].sum(), today.groupby("play")["value_at_risk"].sum()
cu.say(f"{len(today):,} 位在册客户，全部联系一遍要 {costs.sum() / 1e4:,.1f} 万元；只联系够本的 **{today['worth_it'].sum():,}** 户"
       f"（{today['worth_it'].mean():.0%}），{costs.get(True, 0) / 1e4:,.1f} 万元。风险金额里有 {risk.get('不动作', 0) / risk.sum():.0%} "
       "落在“不动作”上：这些流失，按现在的成本和收益率，应该接受。")  # fmt: skip

# %% [markdown]
# ## 练习
#
# **E1 ★★ 把尺子做出来** 写函数 `state_of(values, idle_days)`：`values` 是一位客户九个月的月日均资产（列表，先旧后新），
# `idle_days` 是距上次主动交易的天数，从没交易过是 `None`。返回演示一表里的五种状态之一；此前资产不到 `FLOOR` 的返回 `"不评"`。
# 各档的线用 `STATE_CUTS`、`SILENT_DAYS`。想清楚两件事：刚好在线上的归哪一档？钱已经走了的人，还算不算沉默？

# %% tags=["answer:E1"]
state_of = ...  # ← 写一个函数 state_of(values, idle_days)
### BEGIN SOLUTION
def state_of(values, idle_days):
    before = sum(values[:6]) / 6
    if before < FLOOR:
        return "不评"
    ratio = sum(values[6:]) / 3 / before
    if ratio < STATE_CUTS[2]:
        return "流失"
    if ratio < STATE_CUTS[1]:
        return "半流失"
    if idle_days is None or idle_days >= SILENT_DAYS:
        return "沉默"
    if ratio < STATE_CUTS[0]:
        return "预警"
    return "稳定"
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:silent_first"]
def state_of(values, idle_days):
    before, recent = sum(values[:6]) / 6, sum(values[6:]) / 3
    if before < FLOOR:
        return "不评"
    if idle_days is None or idle_days >= SILENT_DAYS:
        return "沉默"
    names = ["稳定", "预警", "半流失", "流失"]
    return names[sum(recent < cut * before for cut in STATE_CUTS)]

# %% tags=["wrong:E1:line_belongs_below"]
def state_of(values, idle_days):
    before, recent = sum(values[:6]) / 6, sum(values[6:]) / 3
    if before < FLOOR:
        return "不评"
    step = sum(recent / before <= cut for cut in STATE_CUTS)
    if step < 2 and (idle_days is None or idle_days >= SILENT_DAYS):
        return "沉默"
    return ["稳定", "预警", "半流失", "流失"][step]

# %% tags=["wrong:E1:last_month_only"]
def state_of(values, idle_days):
    before, recent = sum(values[:6]) / 6, values[-1]
    if before < FLOOR:
        return "不评"
    step = sum(recent / before < cut for cut in STATE_CUTS)
    if step < 2 and (idle_days is None or idle_days >= SILENT_DAYS):
        return "沉默"
    return ["稳定", "预警", "半流失", "流失"][step]

# %% tags=["alternative:E1:count_the_lines"]
def state_of(values, idle_days):
    before, recent = np.mean(values[:6]), np.mean(values[6:])
    if not before >= FLOOR:
        return "不评"
    step = int((recent / before < np.array(STATE_CUTS)).sum())
    quiet = idle_days is None or idle_days >= SILENT_DAYS
    return "沉默" if quiet and step <= 1 else ["稳定", "预警", "半流失", "流失"][step]

# %% [markdown]
# **E2 ★★ 换一把秤** 演示三按**金额**算去向，一个大户就能左右结果。请按**户数**再算：给 `traced` 里每位客户找一个“主要去向”
# （认得出的各个去向和“去向不明”之中金额最大的那一个，一样大时取名字排在前面的，`idxmax` 就是这样），算各去向占户数的比例，赋给 `main_share`（Series，索引是去向，合计为一）。
# `tagged` 是认得出的金额，`traced["lost"]` 是流失金额，两者之差就是“去向不明”。

# %% tags=["answer:E2"]
main_share = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
amounts = tagged.pivot_table(index="customer_id", columns="destination", values="amount", aggfunc="sum")
amounts = amounts.reindex(traced.index).fillna(0)
amounts["去向不明"] = traced["lost"] - amounts.sum(axis=1)
main_share = amounts.idxmax(axis=1).value_counts(normalize=True)
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:forgot_unknown"]
amounts = tagged.pivot_table(index="customer_id", columns="destination", values="amount", aggfunc="sum")
main_share = amounts.fillna(0).idxmax(axis=1).value_counts(normalize=True)

# %% tags=["wrong:E2:by_money"]
main_share = total

# %% tags=["wrong:E2:counted_labels"]
main_share = tagged["destination"].value_counts(normalize=True)

# %% tags=["alternative:E2:sort_and_keep_first"]
known_part = tagged.groupby("customer_id")["amount"].sum().reindex(traced.index).fillna(0)
unknown = (traced["lost"] - known_part).rename("amount").reset_index().assign(destination="去向不明")
everything = pd.concat([tagged[["customer_id", "destination", "amount"]], unknown])
main = everything.sort_values(["amount", "destination"], ascending=[False, True]).drop_duplicates("customer_id")
main_share = main.groupby("destination").size() / len(traced)

# %% [markdown]
# **E3 ★★★ 做一个不偷看的预警模型** 用考卷之前的月份学，给 `test` 的每个人月打出**下个月出走的概率**，赋给 `warning`
# （Series，索引和 `test` 一样）；用到的列名写进列表 `feature_columns`。模型随你选，`model_tools.fit_logit`、`model_tools.fit_boosting` 都行。
# 可挑的列如下，**有的列站在当月月底看不到，要自己认出来**。过关：AUC 不低于现训的逻辑回归减 0.01 [定义]，校准斜率在 0.7 到 1.3 之间 [定义]。
#
# | 列 | 意思 |
# |---|---|
# | `uncontacted`、`payroll_stop`、`silent`、`manager_change` | 演示四的四个信号 |
# | `mobile_user`、`on_payroll` | 到当月为止用过手机银行、有过代发 |
# | `size` | 近六个月平均资产取对数 |
# | `closed_later` | 账户表的 `close_date` 落在下个月的提前支取笔数 |
# | `money_after` | 下个月的月日均资产 |

# %% tags=["answer:E3"]
learn = pd.concat([train, valid])  # 考卷之前的所有月份；想单独留出 valid 做校准也可以
feature_columns = ...  # ← 用到哪些列
warning = ...  # ← 给 test 打出的概率
### BEGIN SOLUTION
feature_columns = [*signals, "size"]
chosen = model_tools.fit_logit(learn, feature_columns, "leaves")
warning = chosen.predict(test)
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:peek"]
feature_columns = [*signals, "size", "money_after", "closed_later"]
warning = model_tools.fit_logit(train, feature_columns, "leaves", valid).predict(test)

# %% tags=["wrong:E3:reversed"]
feature_columns = [*signals, "size"]
warning = 1 - model_tools.fit_logit(train, feature_columns, "leaves", valid).predict(test)

# %% tags=["wrong:E3:hard_labels"]
feature_columns = [*signals, "size"]
warning = (model_tools.fit_logit(train, feature_columns, "leaves").predict(test) > 0.01).astype(int)

# %% tags=["alternative:E3:signals_then_calibrate"]
feature_columns = ["size", *signals]
warning = model_tools.fit_logit(train, feature_columns, "leaves", valid).predict(test)

# %% [markdown]
# **E4 ★★★ 排这一周的电话** 从 `today` 里给每位客户经理选这一周要打的客户，赋给 `call_plan`（表，列 `customer_id`、`manager_id`）。
# 规矩：只打自己管的客户；每人一周不超过 `CALLS_PER_MANAGER` 个；谢绝来电（`do_not_call`）、号码无效（`phone_valid`）、
# 没有营销授权（`consent`）的不打；一户只打一次。目标：名单的**风险金额**（`value_at_risk`）合计尽量大，
# 至少达到参照方案的 95% [定义]。

# %% tags=["answer:E4"]
call_plan = ...  # ← 把 ... 换成你的名单
### BEGIN SOLUTION
allowed = today[today["phone_valid"] & ~today["do_not_call"] & today["consent"]]
allowed = allowed.dropna(subset=["manager_id"]).sort_values("value_at_risk", ascending=False)
call_plan = allowed.groupby("manager_id").head(CALLS_PER_MANAGER)
call_plan = call_plan.reset_index()[["customer_id", "manager_id"]]
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:most_likely_first"]
allowed = today[today["phone_valid"] & ~today["do_not_call"] & today["consent"]]
allowed = allowed.dropna(subset=["manager_id"]).sort_values("chance", ascending=False)
call_plan = allowed.groupby("manager_id").head(CALLS_PER_MANAGER).reset_index()[["customer_id", "manager_id"]]

# %% tags=["wrong:E4:richest_of_the_bank"]
allowed = today[today["phone_valid"] & ~today["do_not_call"] & today["consent"]].dropna(subset=["manager_id"])
places = CALLS_PER_MANAGER * allowed["manager_id"].nunique() // 2
call_plan = allowed.nlargest(places, "value_at_risk").reset_index()[["customer_id", "manager_id"]]

# %% tags=["wrong:E4:forgot_wishes"]
allowed = today.dropna(subset=["manager_id"]).sort_values("value_at_risk", ascending=False)
call_plan = allowed.groupby("manager_id").head(CALLS_PER_MANAGER).reset_index()[["customer_id", "manager_id"]]

# %% tags=["alternative:E4:rank"]
allowed = today[today["phone_valid"] & ~today["do_not_call"] & today["consent"]].dropna(subset=["manager_id"])
order = allowed.groupby("manager_id")["value_at_risk"].rank(method="first", ascending=False)
call_plan = allowed[order <= CALLS_PER_MANAGER].reset_index()[["customer_id", "manager_id"]]

# %% [markdown]
# ## 成果
#
# 按支行分页的预警名单，附策略卡。名单里**随机留出** `HOLDOUT_SHARE` 的人写着“保留”，这一周不打：
# 三个月以后，把打了的和留出的放在一起比，才知道电话到底有没有用。金额只写档次，到期销毁。

# %%
cu.carry_on("E4")
plan = call_plan.merge(today.reset_index().drop(columns="manager_id"), on="customer_id")
plan = plan[plan["worth_it"]].sort_values("value_at_risk", ascending=False)
plan = plan.merge(card[["reason", "opening"]], on="reason", how="left")
draw = np.random.default_rng(SEED).random(len(plan))
plan["arm"] = np.where(draw < HOLDOUT_SHARE, "保留（不打）", "联系")
plan["band"] = cu.analysis.tiers.aum_tier(plan["money"]).astype("str")
columns = ["branch_id", "manager_id", "customer_id", "masked_name", "state", "band", "reason", "play", "opening", "arm"]
words = {"band": "资产档", "reason": "苗头", "play": "动作", "opening": "开场", "never": "不要做", "arm": "分组", "state": "状态"}
path = cu.deliver.call_list(
    bank.output_dir("m02_n03") / "流失预警名单.xlsx", plan[columns], branch_column="branch_id",
    title="流失预警名单", purpose="存款流失预警联系", purge_date=bank.as_of + pd.Timedelta(days=30), names=words,
    notes=["标“保留”的客户本周不联系，用来量效果。"], extra={"策略卡": cu.deliver.Sheet(card, "策略卡", names=words)})  # fmt: skip
cu.say(f"排进名额的 {len(call_plan):,} 户里，够本的 {len(plan):,} 户进了 `{path.name}`（{plan['branch_id'].nunique()} 家支行），"
       f"其中随机留出 {(draw < HOLDOUT_SHARE).sum()} 户不打；不够本的宁可空着名额，不凑数。")  # fmt: skip

# %% tags=["instructor", "board:churn:brief"]
# 给行长的一栏：course board 把它放上看板
share, held_out = state_table["share"], (draw < HOLDOUT_SHARE).sum()
less = share[["预警", "半流失", "流失"]].sum()
away = f"；有流水的 {len(traced)} 户流失客户（样本）按金额算，“{known.idxmax()}”最多，占 {known.max():.0%}" if len(known) else ""
cu.brief(
    f"钱明显变少的客户占 {less:.1%}{away}",
    "平稳" if not len(plan) else "要办" if (lead > 0).mean() > 0.5 else "留意",
    "有够本的客户可联系，并且预警名单抓得到过半的流失，记要办；抓不到一半，记留意",
    [("钱明显变少的客户", f"{less:.1%}", f"其中已经流失 {share['流失']:.1%}"),
     ("沉默客户", f"{share['沉默']:.1%}", f"钱还在，{SILENT_DAYS} 天没有主动交易"),
     ("流失的客户里，走之前已在榜上的", f"{(lead > 0).mean():.0%}", f"平均提前 {lead[lead > 0].mean():.1f} 个月；其余事先看不见"),
     ("联系起来够本的客户", f"{today['worth_it'].sum():,} 户", f"样本，共 {len(today):,} 户在册；要 {costs.get(True, 0) / 1e4:,.1f} 万元；全部联系要 {costs.sum() / 1e4:,.1f} 万元")],
    [("支行行长", f"照《{path.stem}》联系 {len(plan):,} 户（够本、可联系、本周名额排得下的），其中随机留出 {held_out} 户不打，好量效果", "名单当周"),
     ("零售部", f"走之前看得见的苗头逐条派到人：{'、'.join(clear) or '没有'}", "每月更新名单时")],
    "苗头只是先后出现，不等于原因；上榜的不一定走，走的也不一定上过榜。")

# %% [markdown]
# ## 讨论
#
# 哪些流失应该接受？可以从这几个方向争一争：
#
# - 为利率来、为利率走的钱，跟价留下来要赔多少？谁有权决定放他走？
# - 客户把钱拿去还贷款、给孩子买房，我们去“挽留”，是服务还是打扰？
# - 换经理后流失更快，要不要因此不轮岗？轮岗本来是为了防什么？
#
# ## 小结
#
# 流失先要定义：用资产口径，说清门槛，灯亮时钱已走了两个月。预警靠几个看得见的信号，大半流失仍看不见，成绩太好先查泄漏。
# 动作按苗头和账本来定，不够本的不打，打的也留一成不打，好知道有没有用。
#
# 下一课：核心客户定位与经营。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 下表把生成器埋下的数和课堂找到的数放在一起。常见的弯路：
#
# - 用存款口径做目标，模型学会了“买理财的人要走”；
# - 目标取“确认月”而不是“出走月”，特征里就混进了钱已经走掉的那两个月，AUC 虚高；
# - 按得分从高到低打电话，名单上都是零钱户；要乘上金额。
#
# 按揭提前还贷那一波早于月度表的起点，只能在借据表里看；样本按揭少，多半看不清，这时“看不清”就是正确答案。

# %% tags=["instructor"]
ratios = odds["odds_ratio"]
found = {"wealth_misread": misread["rate"], "lead_months": lead[lead > 0].mean(),
         "or_uncontacted": ratios.get("uncontacted"), "or_payroll_stop": ratios.get("payroll_stop"),
         "or_mobile_silent": ratios.get("silent"), "hr_manager_change": ratios.get("manager_change")}  # fmt: skip
cu.reveal(bank, "m02_n03", found, names={
    "wealth_misread": "存款流失户里钱还在本行的比例", "lead_months": "平均提前量（月）", "or_uncontacted": "到期无人联系的优势比",
    "or_payroll_stop": "工资停发的优势比", "or_mobile_silent": "手机静默的优势比", "hr_manager_change": "换经理的风险比"})  # fmt: skip
