# %% [markdown] outline=["S004-E3"]
# # 手机银行活跃：从刷指标到客户培育
#
# 课程：银行二十种数据实战应用场景 · 电子银行类三场景之三 ·
# 大纲：S004-E3、S004-E3.K1、S004-E3.K2、S004-E3.1、S004-E3.2、S004-E3.2.1、S004-E3.2.2 · 难度：L2 · 用时：75 分钟
#
# 学完本课，你能：
#
# - 说清登录活跃、交易活跃、价值活跃各数的是什么，换一个定义谁的名次会变；
# - 把“活跃的人存款多”拆成“本来就多”和“活跃带来的多”，并用一次随机试验看清手机银行能不能唤醒授信未用信的客户；
# - 给积分法和结构法算出“一个留得住的活跃户”的成本，找出刷登录的网点，排一张四周培育计划。
#
# Abstract: Define three kinds of activity; separate selection from effect with fixed effects and staggered coaching;
# use a randomised call to wake unused credit lines; cost points against structure; detect gamed logins with
# false-discovery control; plan four weeks of cultivation.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 计划和名单做哪家网点：None 表示全行；也可写 "B03"
VALUE_DEPOSIT = 10_000  # 价值活跃：当月日均存款达到多少元
VALUE_PRODUCTS = 3  # 价值活跃：或者产品达到几个
SILENT_MONTHS = 3  # 连续几个月没有登录算沉默
CALM = 0.25  # 月末存款（对数）的标准差低于多少算存款平稳
DRAW_DAYS = 90  # 联系以后几天之内首次用信算成功
FDR = 0.05  # 错误发现率：点名的网点里，容许几成是冤枉的
SHORT_SECONDS = 2  # 几秒以内的登录算短会话
SHARED_DEVICE = 5  # 一台设备登录几户以上算共用
CALL_COST = 8  # 打一个唤醒电话的成本（元）
POINT_VALUE = 0.05  # 一分积分值多少元
POINTS = {"登录": 2, "转账": 5, "缴费": 10}  # 每次给几分
GIFT = 30  # 沉默户第一次登录并办成一件事，送的礼值多少元
RESPONSE = 0.10  # 假设：积分活动让多少沉默户重新登录，也让已有动作多几成
POINTS_STAY = 0.35  # 假设：被积分拉回来的人，留得住的比例
SERVICE_COST = 40  # 帮一户绑定代发、缴费、收款或经营贷的成本（元）
PLAN_BUDGET = 1_500  # 四周培育预算（元，样本口径）
CALLS_PER_WEEK = 40  # 每周最多打几个唤醒电话
ONLINE_SHARE = 0.4  # 电话名单里，额度能线上提款的至少占几成

# %%
import course_utils as cu
import numpy as np
import pandas as pd

bank = cu.begin("m04_n03", BANK, AS_OF)
experiment, panel = cu.analysis.experiment, cu.analysis.panel
lacking = bank.missing("mobile_event", "mobile_day", "branch_program", "customer_product_history")
if lacking:
    cu.say(f"本行缺少可选表：{'、'.join(lacking)}；用到它们的演示会停下来，请先补表，或跳过那几格。")
KINDS = {"login": "登录活跃", "trade": "交易活跃", "value": "价值活跃"}
PERCENT = dict.fromkeys(["rate", "low", "high", "difference", "estimate", "rate_a", "rate_b"], "%")
ROWS = {"week": "第几周", "branch_id": "网点", "action": "动作", "idle_limit": "从未用过的额度", "online": "可线上提款", "cost": "成本",
        "ratio": "月末是期望的几倍", "short": "短会话占比", "shared": "共用设备占比", "step": "下一步", "gain": "每户多几成活跃", "each": "一个活跃户的成本"}
WORDS = {"rate": "比率", "low": "区间下限", "high": "区间上限", "n": "户数", "stage": "手机银行阶段", "estimate": "估计"}

# %% [markdown] outline=["S004-E3.1"]
# ## 业务情境
#
# 一位支行行长说：“总行每月考手机银行活跃率。月底最后三天，全员打电话请客户登录一下，实在不行就在柜台帮他点一点，
# 指标年年完成。**可是登录以后呢？存款没见多，授信没用的还是没用。** 这个指标到底有什么用？”
#
# 从“完成指标”到“培育客户”，变的是三个问题：不问“登录了没有”，问“登录来干什么”；不问“活跃的人好不好”，
# 问“**变**活跃以后好了多少”；不问“这个月完成了没有”，问“三个月后还在不在”。
#
# 本课的数据**不能**说明：客户在别家银行的手机银行上做了什么；本行没有留下积分活动的历史，积分一节用的是假设；
# 手机银行行为表只有最近三个月的抽样。
#
# ## 数据
#
# 每人每月登录几天、动账几笔在客户月度表；每次登录停留几秒、看了哪些页面在行为表；授信用没用在额度表；
# 谁被随机打了唤醒电话在触达表。

# %%
cu.dictionary(bank, {"customer_month": ["mobile_login_days", "mobile_transaction_count"], "mobile_day": ["login_customers", "short_sessions"],
                     "mobile_event": ["page", "action", "session_seconds"], "credit_line": ["first_draw_date", "online"],
                     "contact_log": ["purpose", "arm"]})
people = bank.load("customer", columns=["customer_id", "customer_type", "occupation", "branch_id", "do_not_call", "phone_valid", "weight"])
people = people[people["customer_type"] != "企业"].set_index("customer_id")
held = bank.load("customer_product", columns=["customer_id", "has_mobile_bank"]).set_index("customer_id")["has_mobile_bank"]
people["mobile"] = held.reindex(people.index).fillna(False).astype(bool)  # 开通了手机银行
monthly = bank.load("customer_month", columns=["month", "customer_id", "demand_deposit_average", "term_deposit_average", "deposit_end",
                                               "mobile_login_days", "mobile_transaction_count", "product_count", "customer_transaction_count"])
monthly = monthly[monthly["customer_id"].isin(people.index)]
login_days = monthly.pivot_table(index="customer_id", columns="month", values="mobile_login_days").fillna(0)
months = login_days.columns

# %% [markdown]
# ## 演示一：三种活跃，三个数
#
# - **登录活跃**：当月至少登录一天。最容易完成，也最容易刷。
# - **交易活跃**：当月至少动账一笔。客户真的用它办了事。
# - **价值活跃**：交易活跃，并且当月日均存款或产品数达到参数里的线 [本课程定义]。
#
# 三个圈一个套一个：价值活跃一定交易活跃，交易活跃一定登录活跃。分母统一用**开通了手机银行的客户**，按抽样权数推算到全行。

# %%
def activity(when):
    """某个月每位手机银行客户的三种活跃。"""
    rows = monthly[monthly["month"] == when].set_index("customer_id")
    rows = rows[people["mobile"].reindex(rows.index)]
    deposit = rows["demand_deposit_average"] + rows["term_deposit_average"]
    table = people.loc[rows.index, ["branch_id", "weight"]].copy()
    table["login"] = rows["mobile_login_days"] >= 1
    table["trade"] = table["login"] & (rows["mobile_transaction_count"] >= 1)
    table["value"] = table["trade"] & ((deposit >= VALUE_DEPOSIT) | (rows["product_count"] >= VALUE_PRODUCTS))
    return table


now = activity(months[-1])
steps = pd.Series({"开通手机银行": now["weight"].sum()} | {KINDS[k]: now.loc[now[k], "weight"].sum() for k in KINDS})
fig = cu.charts.funnel_steps(steps)
cu.charts.finish(fig, title=f"登录活跃率 {steps.iloc[1] / steps.iloc[0]:.0%}，换成价值活跃只有 {steps.iloc[3] / steps.iloc[0]:.0%}",
                 alt="漏斗：开通、登录活跃、交易活跃、价值活跃四级户数。", source=f"{bank.name}，客户月度表，{months[-1]:%Y-%m}，按抽样权数")

# %%
def weighted(table):
    """每家网点三种活跃率，按权数。"""
    shares = table[list(KINDS)].multiply(table["weight"], axis=0).groupby(table["branch_id"]).sum()
    return shares.divide(table.groupby("branch_id")["weight"].sum(), axis=0)


rates = weighted(now)
ranks = rates.rank(ascending=False, method="min")
jump = (ranks["login"] - ranks["value"]).abs()
gap = (rates - rates.mean()).rename(columns={"login": "登录活跃率", "value": "价值活跃率"})
fig = cu.charts.slope(gap, before="登录活跃率", after="价值活跃率", unit="%", highlight=list(jump.nlargest(4).index))
fig.axes[0].set_ylabel("比各网点平均高（百分点）")
cu.charts.finish(fig, title=f"换个定义，名次变动超过十名的网点有 {int((jump > 10).sum())} 家",
                 alt="斜率图：左边是登录活跃率比平均高多少，右边是价值活跃率，突出名次变化最大的四家。", source=f"{bank.name}，{len(rates)} 家网点，{months[-1]:%Y-%m}")
cu.say(f"按登录排和按价值排，两张榜的秩相关（次序一致的程度，一为完全一致）是 {ranks['login'].corr(ranks['value']):.2f}。"
       "考核哪一种，就等于告诉员工什么算好；先定义、后考核，定义里写清分母和月份。")

# %% [markdown] outline=["S004-E3.K1"]
# ## 演示二：活跃的人存款多，是谁的功劳
#
# 四川一家银行的案例问过：手机银行越活跃，存款是不是越多？这里做**情景仿真**，用本行的数据重做这个问题，并在本行的城区和乡镇网点之间对比。
#
# 先看最常见的说法：在用过手机银行的人里，当月登录的人比当月没登录的人，平均多存几成；再按登录天数分档看“剂量”。

# %%
users = login_days.index[(login_days.max(axis=1) > 0)]
last = monthly[(monthly["month"] == months[-1]) & monthly["customer_id"].isin(users)].copy()
last["deposit"] = last["demand_deposit_average"] + last["term_deposit_average"]
last["dose"] = pd.cut(last["mobile_login_days"], [-1, 0, 5, 15, 31], labels=["没登录", "一到五天", "六到十五天", "十六天以上"])
dose = last.groupby("dose", observed=False)["deposit"].agg(["mean", "median", "size"])
cu.show(dose, names={"dose": "当月登录", "mean": "平均存款", "median": "存款中位数", "size": "户数"}, units={"mean": "元", "median": "元"})
on = last["mobile_login_days"] > 0
naive = last.loc[on, "deposit"].mean() / last.loc[~on, "deposit"].mean() - 1
cu.say(f"当月登录的人平均存款比没登录的人高 **{naive:+.0%}**（样本行直接平均）。拿这个数去说“提升活跃率能拉动存款”，错在哪里？"
       "登录的人和不登录的人，年龄、收入、住得远近都可能不一样；打算把钱转走的人，也可能先不登录了。"
       + ("按剂量看，" + ("登录越多，平均存款越多。" if dose["mean"].is_monotonic_increasing else f"存款最多的是“{dose['mean'].idxmax()}”那一档，并不是登录越多存款越多。")))

# %% [markdown]
# 换一种比法：**同一个人**，登录的月份和没登录的月份比。每个人减去自己的平均，每个月减去大家的平均，剩下的再比，这叫固定效应。
# 为了看清一两个百分点的差别，只用月月有动静、月末存款平稳的老用户 [参数]；代价是结论也只对这些人成立。
#
# 每个人的许多个月不是许多个独立的证据，所以误差先在每个人身上合起来再算（按客户聚类）。

# %%
visits, money = (monthly.pivot_table(index="customer_id", columns="month", values=name).reindex(users)
                 for name in ("customer_transaction_count", "deposit_end"))
old = money.notna().all(axis=1) & (money.min(axis=1) >= 1000) & ((visits.fillna(0) > 0).mean(axis=1) > 0.8)
log_money = np.log(money[old])
log_money = log_money[log_money.std(axis=1) < CALM]  # 存款平稳的老用户
active = (login_days.loc[log_money.index] > 0).astype(float)


def sweep(wide):  # 扣掉每个人的平均和每个月的平均
    wide = wide.sub(wide.mean(axis=1), axis=0)
    return wide.sub(wide.mean(axis=0), axis=1)


def effect(y, x):  # 扣过平均以后的斜率和按客户聚类的 95% 区间
    size = (x * x).sum().sum()
    slope = (x * y).sum().sum() / size
    per_person = (x * (y - slope * x)).sum(axis=1)  # 误差先在每个人身上合起来
    half = 1.96 * np.sqrt((per_person**2).sum()) / size
    return slope, slope - half, slope + half


# %%
kind = bank.load("branch", columns=["branch_id", "branch_type"]).set_index("branch_id")["branch_type"]
area = people["branch_id"].map(kind).reindex(log_money.index).isin(["营业部", "城区"])
groups = {"全部老用户": log_money.index, "城区网点": log_money.index[area], "乡镇和分理处": log_money.index[~area]}
groups = {name: who for name, who in groups.items() if len(who) >= 30}
fixed = pd.DataFrame({name: np.expm1(effect(sweep(log_money.loc[who]), sweep(active.loc[who]))) for name, who in groups.items()},
                     index=["estimate", "low", "high"]).T
fixed["n"] = [len(who) for who in groups.values()]
cu.show(fixed.rename_axis("同一个人，登录的月份多存"), names=WORDS, units=PERCENT)
(effect_size, low, high), one, two = fixed.iloc[0, :3], fixed.iloc[min(1, len(fixed) - 1)], fixed.iloc[-1]
seen = ("看得出，但很小" if effect_size < 0.05 else "看得出") if low > 0 else "和零分不开"
apart = "两段区间错开了" if one["low"] > two["high"] or two["low"] > one["high"] else "两段区间有重叠，看不出不同"
cu.say(f"同一个人登录的月份，月末存款比没登录的月份多 **{effect_size:+.1%}**（区间 {low:+.1%} 到 {high:+.1%}）：{seen}，只有前面那个 {naive:+.0%} 的 {effect_size / naive:.0%}。"
       f"{one.name} {one['estimate']:+.1%}，{two.name} {two['estimate']:+.1%}：{apart}。")

# %% [markdown]
# 再找一个更干净的“外力”：总行按批次在各网点开展**柜面辅导**，哪家先开由总行定，不由客户挑。把每家网点的开始月份对齐到零，
# 看登录率和存款各变了多少（网点和月份的平均都扣掉）。
# 分母是**今天**开通了手机银行的客户；辅导当中才开通的人也在里面，所以登录率的变化里有一点是“新开通”，不全是“更常用”。先要看到登录率动了，才谈得上存款。

# %%
start = bank.load("branch_program").query("program == '手机银行辅导'").set_index("branch_id")["start_date"] + pd.offsets.MonthEnd(0)
rows = monthly[people["mobile"].reindex(monthly["customer_id"]).to_numpy()].copy()
rows["branch_id"] = rows["customer_id"].map(people["branch_id"])
rows["login"] = (rows["mobile_login_days"] > 0).astype(float)
rows["log_deposit"] = np.log(rows["deposit_end"].clip(lower=1000))
by_branch = rows.groupby(["branch_id", "month"])[["login", "log_deposit"]].mean().reset_index()
by_branch["start"] = by_branch["branch_id"].map(start)
study, lift = {}, {}
for name, word in (("login", "登录率"), ("log_deposit", "存款")):
    study[word] = panel.event_study(by_branch, name, "branch_id", "month", "start", 6, 8)
    lift[word] = panel.did(by_branch, name, "branch_id", "month", "start")
lines = {part: pd.DataFrame({word: table[part].fillna(0.0) for word, table in study.items()}) for part in ("estimate", "low", "high")}
fig = cu.charts.event_curve(lines["estimate"], unit="%", event="辅导开始", low=lines["low"], high=lines["high"])
cu.charts.finish(fig, title=f"辅导以后平均：登录率 {lift['登录率']['estimate'] * 100:+.1f} 个百分点，存款 {lift['存款']['estimate']:+.1%}", alt="两条线：辅导前后各月登录率和存款多变了多少。",
                 source=f"{bank.name}，{len(kind)} 家网点，按网点聚类；横轴是月数，首尾两点含更早、更晚的月份")

# %%
login_clear = lift["登录率"]["low"] > 0
covers = lift["存款"]["low"] <= 0 <= lift["存款"]["high"]
expected = lift["登录率"]["estimate"] * effect_size
half = (lift["存款"]["high"] - lift["存款"]["low"]) / 2
cu.say(("辅导确实让更多人登录" if login_clear else "登录率没有看得出的变化") + f"（{lift['登录率']['low'] * 100:+.1f} 到 {lift['登录率']['high'] * 100:+.1f} 个百分点）；存款的区间是 "
       f"{lift['存款']['low']:+.1%} 到 {lift['存款']['high']:+.1%}，" + ("包含零。" if covers else "不含零。")
       + f"这不等于“没有作用”：登录率动这么多、每人多存 {effect_size:.1%}，合起来只该有 **{expected:+.2%}**，而这把尺子的误差有 ±{half:.1%}，" + ("本来就量不出来。" if half > expected else "应当量得出来。")
       + ("要拿存款当做手机银行的主要理由，本行的数据不支持。" if effect_size < 0.05 else "存款这一条值得再用试验验证。"))

# %% [markdown] outline=["S004-E3.K2"]
# ## 演示三：授信未用信，和手机银行有没有关系
#
# 江西的案例问的是另一件事：批了额度从来没用过的客户，是不是卡在手机银行上？（情景仿真，用本行数据重做。）
#
# 先看历史：每隔三个月站一次桩，找出当时有额度、一次没用过的人，按他当时的手机银行阶段分成没开通、沉默（开通了、近几个月没登录）、活跃，
# 看之后 90 天里有多少人首次用信 [参数]。同一个人可能在几个桩上出现，所以区间偏窄，只看大概。

# %%
credit = bank.load("credit_line", columns=["customer_id", "line_id", "limit", "approve_date", "expire_date", "first_draw_date", "online", "status"])
credit = credit[credit["customer_id"].isin(people.index)]
products = bank.load("customer_product_history", columns=["customer_id", "item", "from_date", "to_date"])
opened = products[products["item"] == "手机银行"].groupby("customer_id")["from_date"].min()  # 哪天开通的
pieces = []
for end in months[8:-3:3]:
    waiting = credit[(credit["approve_date"] <= end) & (credit["expire_date"] > end) & ~(credit["first_draw_date"] <= end)]
    waiting = waiting.drop_duplicates("customer_id")
    recent = login_days.loc[:, :end].iloc[:, -SILENT_MONTHS:].sum(axis=1).reindex(waiting["customer_id"]).to_numpy() > 0
    has = (waiting["customer_id"].map(opened) <= end).to_numpy()
    drew = (waiting["first_draw_date"] - end).dt.days.between(1, DRAW_DAYS).to_numpy()
    pieces.append(pd.DataFrame({"stage": np.select([~has, recent], ["没开通", "活跃"], "沉默"), "drew": drew}))
ladder = pd.concat(pieces).groupby("stage")["drew"].agg(["sum", "size"]).reindex(["没开通", "沉默", "活跃"], fill_value=0)

# %% [markdown]
# 活跃的人用信多，是因为手机银行方便，还是因为想用钱的人本来就会常登录？历史分不清。好在本行做过一次**随机试验**：
# 从沉默的、有额度没用过的客户里随机抽一半打电话、教他在手机上怎么用，另一半先不打扰。两组只差这一个电话，差别就是电话带来的。
# 没接通的也算在“打电话”那一组里：我们问的是“决定打”有没有用，不是“接起来”有没有用。

# %%
trial = bank.load("contact_log", columns=["customer_id", "contact_time", "purpose", "arm"]).query("purpose == '活跃'").dropna(subset=["arm"])
first = credit.groupby("customer_id")["first_draw_date"].min()
wait = (trial["customer_id"].map(first) - trial["contact_time"].dt.normalize()).dt.days
trial["drew"] = wait.between(0, DRAW_DAYS)
trial["stays"] = trial["customer_id"].map(login_days.iloc[:, -SILENT_MONTHS:].sum(axis=1) > 0).fillna(False).astype(bool)
wake = {name: experiment.compare_arms(trial, name, "arm", "随机触达", "随机保留").iloc[0] for name in ("drew", "stays")}
shown = experiment.wilson(ladder["sum"], ladder["size"]).assign(n=ladder["size"])
arms = trial.groupby("arm")["drew"].agg(["sum", "size"]).reindex(["随机保留", "随机触达"])
tested = experiment.wilson(arms["sum"], arms["size"]).assign(n=arms["size"])
both = pd.concat([shown.rename(index="历史：{}".format), tested.set_axis(["试验：不打扰", "试验：打电话唤醒"])]).rename_axis("stage").reset_index()
fig = cu.charts.bars_with_interval(both, label="stage", count="n")
cu.charts.finish(fig, title=f"{DRAW_DAYS} 天首次用信率：打电话 {wake['drew']['rate_a']:.0%}，不打扰 {wake['drew']['rate_b']:.0%}；历史上的活跃户 {shown.loc['活跃', 'rate']:.0%}",
                 alt="横条：历史上三个阶段的首次用信率，以及随机试验两组的首次用信率。", source=f"{bank.name}，额度表、触达表，合计 {len(trial)} 人参加试验")

# %%
drew, stays = wake["drew"], wake["stays"]
clear = "区间不含零" if drew["low"] > 0 else "区间含零，样本不够"
promise = shown.loc["活跃", "rate"] - shown.loc["沉默", "rate"]
cu.say(f"电话把首次用信率提高了 **{drew['difference'] * 100:+.1f} 个百分点**（{drew['low'] * 100:+.1f} 到 {drew['high'] * 100:+.1f}，{clear}）；"
       f"历史比较却会许诺 {promise * 100:+.1f} 个百分点。" + ("许诺得太多：活跃的人里，很可能有不少本来就要用钱。" if promise > drew["high"] else "两者没有拉开。")
       + f"更要紧的是留得住：到数据日，近 {SILENT_MONTHS} 个月还在登录的，打电话的 {stays['rate_a']:.0%}，没打的 {stays['rate_b']:.0%}，"
       f"相差 {stays['difference'] * 100:+.1f} 个百分点（{stays['low'] * 100:+.1f} 到 {stays['high'] * 100:+.1f}）。")
idle = credit[credit["first_draw_date"].isna() & (credit["status"] == "有效")].sort_values(["customer_id", "limit"], ascending=[True, False])
idle = idle.drop_duplicates("customer_id").set_index("customer_id")
events = bank.load("mobile_event", columns=["customer_id", "event_time", "page", "action", "session_seconds", "device_hash"])
page = {name: set(events.loc[events["page"] == name, "customer_id"]) for name in ("贷款", "提款")}

# %%
path = {"从未用过的额度": idle.index, "额度可线上提款": idle.index[idle["online"]]}
path["开通手机银行"] = path["额度可线上提款"].intersection(people.index[people["mobile"]])
path["近三月登录过"] = path["开通手机银行"].intersection(login_days.index[login_days.iloc[:, -3:].sum(axis=1) > 0])
path["看过贷款页"] = path["近三月登录过"].intersection(sorted(page["贷款"]))
path["看过提款页"] = path["看过贷款页"].intersection(sorted(page["提款"]))
counts = pd.Series({name: len(who) for name, who in path.items()})
keep = (counts / counts.shift()).iloc[1:]
cu.charts.finish(cu.charts.funnel_steps(counts), title=f"额度躺着不动：最大的断点在“{keep.idxmin()}”，这一步只剩 {keep.min():.0%}", alt="漏斗：从未用过的额度，到能线上提款、开通、登录、看贷款页、看提款页。",
                 source=f"{bank.name}，额度表、手机银行行为表（抽样，近三个月）")
tries = events[(events["page"] == "提款") & events["action"].isin(["浏览", "失败"])]
each = (tries["action"] == "失败").groupby(tries["customer_id"]).agg(["sum", "size"])  # 同一个人的几次访问不独立
fail = each["sum"].sum() / each["size"].sum()
half = 1.96 * np.sqrt(((each["sum"] - fail * each["size"]) ** 2).sum()) / each["size"].sum()  # 按客户聚类
cu.say(f"有 {counts.iloc[0]} 户样本客户的有效额度从来没用过，其中 {1 - keep.iloc[0]:.0%} 的额度不能线上提款：对他们，手机上点不出钱来，要先办线上开通或者到网点。"
       f"走到提款页的访问里，有 **{fail:.0%}** 以失败结束（按客户聚类的区间 {fail - half:.0%} 到 {fail + half:.0%}）：这是科技部门查得到、修得了的断点，先修再打电话。")

# %% [markdown] outline=["S004-E3.2", "S004-E3.2.1"]
# ## 演示四：培育的两种方法之一——积分提升法
#
# 积分法的陷阱不在兑换，而在**白送**：本来就要登录、要缴费的人也拿分。下面用最近一个月真实发生的动作，按参数里的积分表算一遍：
# 如果活动只让动作增加一成（`RESPONSE`，假设），付出去的钱里有多少给了本来就会发生的动作。
# 弹性和留存是**假设**，本行要先做一次小范围、留对照组的积分活动，用自己的数换掉它。

# %%
month_events = events[events["event_time"] >= months[-1].to_period("M").start_time]
happened = pd.Series({"登录": (month_events["action"] == "登录").sum(), "转账": ((month_events["page"] == "转账") & (month_events["action"] == "成功")).sum(),
                      "缴费": ((month_events["page"] == "缴费") & (month_events["action"] == "成功")).sum()})
points = pd.DataFrame({"happened": happened, "extra": happened * RESPONSE})
points["paid"] = (points["happened"] + points["extra"]) * pd.Series(POINTS) * POINT_VALUE
points["each"] = points["paid"] / points["extra"]
cu.show(points.rename_axis("动作"), names={"happened": "本来就有的次数", "extra": "多出来的次数", "paid": "一个月付出（元）", "each": "每多一次（元）"}, units={"paid": "", "each": ""})
mobile_users = people.index[people["mobile"]]
quiet = mobile_users[login_days.reindex(mobile_users).iloc[:, -SILENT_MONTHS:].sum(axis=1) == 0]
lasting = len(quiet) * RESPONSE * POINTS_STAY
points_cost = points.loc["登录", "paid"] / lasting
cu.say(f"光是登录送分，一个月要付 {points.loc['登录', 'paid']:,.0f} 元，其中 {1 / (1 + RESPONSE):.0%} 给了本来就会登录的人。{len(quiet)} 户沉默的样本客户里能拉回并留住的约 {lasting:.0f} 户，"
       f"合 **{points_cost:,.0f} 元** 换一个留得住的活跃户。积分要给沉默户的第一次、给办成的事，不给天天登录的人。")

# %% [markdown] outline=["S004-E3.2.2"]
# ## 演示五：培育的两种方法之二——结构提升法
#
# 结构法不送东西，而是让客户**有事可办**：绑定代发工资、代扣缴费、收款码、经营贷。常见的推理是：服务多的人交易活跃率高，
# 所以提高“有服务的客户”占比，活跃率就上去了。先把全行一年的变化拆成两块：**率**（同样服务数的人自己变活跃了）
# 和**结构**（服务多的人占比变了），两块相加等于总变化。
#
# 横着看，是绑了服务的人和没绑的人比；可是**同一个人**绑定前后差多少？下面只用原来一项服务都没有的人，
# 看他第一次绑定的前后（双重差分，同时扣掉没绑定的人这段时间的变化）。能拿来做预算的是竖着看的这一个，而且要看它的区间下限。
#
# 最后一张表把几条路放在一起。电话数的是到数据日还在登录的人（试验），积分用的是假设的留存，结构数的是当月有交易的人：口径不同，只看数量级。

# %%
history = products[products["item"].isin(["代发工资", "代扣缴费", "收单", "经营贷"]) & products["customer_id"].isin(mobile_users)]


def by_services(when):  # 某月按服务个数的占比和交易活跃率
    on = history[(history["from_date"] <= when) & ~(history["to_date"] <= when)].drop_duplicates(["customer_id", "item"])
    table = activity(when).join(on.groupby("customer_id").size().rename("services"))
    table["services"] = table["services"].fillna(0).clip(upper=2).map({0: "没有", 1: "一个", 2: "两个以上"})
    size = table.groupby("services")["weight"].sum()
    return size / size.sum(), table["trade"].mul(table["weight"]).groupby(table["services"]).sum() / size


(mix0, rate0), (mix1, rate1) = by_services(months[-13]), by_services(months[-1])
before, change = (mix0 * rate0).sum(), (mix1 * rate1).sum() - (mix0 * rate0).sum()
structure = ((mix1 - mix0) * (rate0 + rate1) / 2).sum()
fig = cu.charts.waterfall([("率（人变活跃）", change - structure), ("结构（占比变）", structure)], start=before, start_label=f"{months[-13]:%Y-%m}",
                          end_label=f"{months[-1]:%Y-%m}", unit="%")
cu.charts.finish(fig, title=f"一年里交易活跃率 {change * 100:+.1f} 个百分点：率 {(change - structure) * 100:+.1f}，结构 {structure * 100:+.2f}",
                 alt="瀑布图：一年前的交易活跃率，率的贡献，结构的贡献，现在的交易活跃率。", source=f"{bank.name}，手机银行客户，按抽样权数")

# %%
first_service = history.groupby("customer_id")["from_date"].min()
fresh = rows[~rows["customer_id"].isin(first_service.index[first_service <= months[2]])].copy()  # 开头就有服务的人不看
fresh["trade"] = ((fresh["mobile_login_days"] > 0) & (fresh["mobile_transaction_count"] > 0)).astype(float)
fresh["bound"] = fresh["customer_id"].map(first_service) + pd.offsets.MonthEnd(0)
inside = panel.did(fresh, "trade", "customer_id", "month", "bound")
across = (mix1.drop("没有") * rate1.drop("没有")).sum() / mix1.drop("没有").sum() - rate1["没有"]
routes = pd.DataFrame({"gain": [stays["difference"], np.nan, across, inside["estimate"]], "cautious": [stays["low"], np.nan, np.nan, inside["low"]],
                       "cost": [CALL_COST, np.nan, SERVICE_COST, SERVICE_COST]}, index=["电话唤醒（试验）", "积分（假设）", "结构（横着看）", "结构（竖着看）"])
routes["each"] = routes["cost"] / routes["gain"].where(routes["gain"] > 0)
routes["at_worst"] = routes["cost"] / routes["cautious"].where(routes["cautious"] > 0)
routes.loc["积分（假设）", "each"] = points_cost
cu.show(routes.rename_axis("做法"), names={"gain": "每户多几成活跃", "cautious": "区间下限", "cost": "每户成本", "each": "一个活跃户的成本", "at_worst": "按下限算"},
        units={"gain": "%", "cautious": "%", "cost": "元", "each": "元", "at_worst": "元"})
cu.say(f"横着看，绑服务的人交易活跃率高 {across * 100:+.0f} 个百分点；同一个人绑定前后差 **{inside['estimate'] * 100:+.1f} 个百分点**（{inside['low'] * 100:+.1f} 到 {inside['high'] * 100:+.1f}）：{'区间含零，按下限算不出成本' if inside['low'] <= 0 else '区间不含零'}。"
       "“结构法更便宜”在本行的数据里，取决于你信横着看还是竖着看。空格表示没有试验或者下限不大于零。")

# %% [markdown]
# ## 演示六：谁在刷登录
#
# 正常客户登录不挑日子。如果某家网点的登录总挤在月末最后三天，就值得看一眼。期望次数 ＝ 该网点当月登录总数 × 各网点月末三天占比的中位数；
# 超出期望的程度用 z 值表示（超出多少个“正常波动”）。最简单的假设是泊松分布：正常波动等于期望次数的平方根。

# %%
daily = bank.load("mobile_day", columns=["date", "branch_id", "login_customers", "short_sessions"])
daily["to_end"] = (daily["date"] - (daily["date"] + pd.offsets.MonthEnd(0))).dt.days  # 0 是月末最后一天
daily["month"] = daily["date"] + pd.offsets.MonthEnd(0)
cells = daily.groupby(["branch_id", "month"])["login_customers"].sum().to_frame("total")
cells["late"] = daily[daily["to_end"] > -3].groupby(["branch_id", "month"])["login_customers"].sum()
cells["expected"] = cells["total"] * (cells["late"] / cells["total"]).groupby("month").transform("median")
branch_late = cells.groupby("branch_id")[["late", "expected", "total"]].sum()
poisson = experiment.excess(branch_late["late"], branch_late["expected"])
scatter = experiment.dispersion(cells["late"], cells["expected"])
shape = daily[daily["to_end"] >= -14].pivot_table(index="branch_id", columns="to_end", values="login_customers")
shape = shape.div(daily.groupby("branch_id")["login_customers"].mean(), axis=0)
top = poisson["z"].nlargest(10).index
fig = cu.charts.heatmap(shape.loc[top], unit="倍", center=1, decimals=1, row_label="网点", column_label="距月末几天（0 是最后一天）")
cu.charts.finish(fig, title=f"{top[0]} 月末最后一天的登录是平日的 {shape.loc[top[0], 0]:.1f} 倍", alt="热力图：十家网点月末前十五天每天的登录是平日的几倍。",
                 source=f"{bank.name}，手机银行登录日汇总，近十二个月，z 值最大的十家")

# %%
sessions = events[events["action"] == "登录"].join(people["branch_id"], on="customer_id")
sessions["short"] = sessions["session_seconds"] <= SHORT_SECONDS
per_device = sessions.groupby("device_hash")["customer_id"].nunique()
sessions["shared"] = sessions["device_hash"].isin(per_device.index[per_device >= SHARED_DEVICE])
evidence = sessions.groupby("branch_id")[["short", "shared"]].mean().join(poisson[["ratio", "z", "p"]])
cu.show(evidence.sort_values("z", ascending=False), rows=6, names={"branch_id": "网点", "short": "短会话占比", "shared": "共用设备占比", "ratio": "月末是期望的几倍", "z": "z 值（泊松）", "p": "p 值"},
        units={"short": "%", "shared": "%"})
naive_hits = int((poisson["p"] < 0.05).sum())
cu.say(f"按泊松算，p 值小于百分之五的网点有 **{naive_hits} 家**。先别点名：日汇总是抽样推算出来的，样本里一个人代表全行 {people['weight'].mean():.0f} 个人，"
       f"波动也跟着放大。用各网点各月的实际波动去量，离散程度是泊松的 **{scatter:.0f} 倍**。还有，几十家网点同时检验，本来就会有几家碰巧过线。"
       "练习三请你把这两件事都改正过来。")

# %% [markdown]
# 短会话和共用设备是另一路证据：几秒钟就退出、一台设备登录几十上百户，不像客户自己在用。员工代客户登录要用到客户的密码，
# 密码属于 JR/T 0171 的 C3 类信息（用户鉴别信息），谁都不该替客户保管和输入 [来源：JR/T 0171-2020]：这不是考核问题，是合规红线。
# 但数据只能指出“该去查谁”，不能定谁的责：查之前先问有没有厅堂集中辅导这类正当理由。
#
# ## 演示七：四周培育计划
#
# 计划的对象是**沉默客户**：开通了手机银行，近几个月没有登录。两种动作：有从未用过的额度的，打**电话唤醒**（效果来自试验）；
# 其余的发**首次登录积分**（效果是假设）。名单先剔除勿扰、没有有效营销授权、电话无效的客户；唤醒额度就是推贷款，在校学生也剔除。

# %%
consent = bank.load("consent", columns=["customer_id", "scope", "granted", "expire_date"])
agreed = consent[(consent["scope"] == "营销") & consent["granted"] & ~(consent["expire_date"] <= bank.as_of)]["customer_id"]
pool = people.loc[quiet, ["branch_id", "occupation", "do_not_call", "phone_valid"]].copy()
pool = pool[pool.index.isin(agreed) & ~pool["do_not_call"] & pool["phone_valid"] & (pool["occupation"] != "学生")]
pool["idle_limit"] = idle["limit"].reindex(pool.index).fillna(0.0)  # 从未用过的额度，没有为零
pool["online"] = idle["online"].reindex(pool.index).fillna(False).astype(bool)
pool["action"] = np.where(pool["idle_limit"] > 0, "电话唤醒", "首次登录积分")
gain = {"电话唤醒": stays["difference"], "首次登录积分": RESPONSE * POINTS_STAY}  # 每户预期多几个留得住的活跃户
price = {"电话唤醒": CALL_COST, "首次登录积分": RESPONSE * GIFT}  # 积分只付给真回来的人
pool["gain"], pool["cost"] = pool["action"].map(gain), pool["action"].map(price)
scope = pool if BRANCH is None else pool[pool["branch_id"] == BRANCH]
cu.show(scope.groupby("action").agg(n=("gain", "size"), online=("online", "mean"), gain=("gain", "mean"), cost=("cost", "mean")),
        names={"action": "动作", "n": "可做户数", "online": "额度可线上提款", "gain": "每户预期", "cost": "每户成本（元）"}, units={"online": "%", "gain": "%", "cost": ""})

# %%
def make_plan(table):
    """先排电话：可线上提款的、额度大的在前，每周不超过上限；剩下的预算发积分。"""
    calls = table[table["action"] == "电话唤醒"].sort_values(["online", "idle_limit"], ascending=False, kind="stable")
    calls = calls.head(min(4 * CALLS_PER_WEEK, int(PLAN_BUDGET // CALL_COST)))
    gifts = table[table["action"] == "首次登录积分"].sort_index()
    gifts = gifts.head(int((PLAN_BUDGET - calls["cost"].sum()) // price["首次登录积分"]))
    calls = calls.assign(week=np.arange(len(calls)) // CALLS_PER_WEEK + 1)
    gifts = gifts.assign(week=np.arange(len(gifts)) % 4 + 1)
    return pd.concat([calls, gifts])


plan = make_plan(scope)
weeks = plan.pivot_table(index="week", columns="action", values="cost", aggfunc=["size", "sum"]).fillna(0)
weeks.columns = [f"{action}{'户数' if part == 'size' else '成本'}" for part, action in weeks.columns]
cu.show(weeks, names={"week": "第几周"})
cu.say(f"四周一共联系 {len(plan)} 户，花 {plan['cost'].sum():,.0f} 元，预期多出 **{plan['gain'].sum():.1f}** 个留得住的活跃户，"
       f"平均每户 {plan['cost'].sum() / max(plan['gain'].sum(), 1e-9):,.0f} 元。电话组仍要随机留出一成不打 [定义]，下一轮的效果才算得出来。")

# %% [markdown]
# ## 练习
#
# **E1 ★ 换一个月份** 上一季末那个月（`months[-4]`），每家网点三种活跃率各是多少？做成表 `my_rates`：索引是 `branch_id`，列是 `login`、`trade`、`value`，
# 分母是开通了手机银行的个人客户，按抽样权数 `weight`。定义见演示一，线用参数 `VALUE_DEPOSIT`、`VALUE_PRODUCTS`。

# %% tags=["answer:E1"]
my_rates = ...  # ← 一张表：每家网点一行，三列活跃率
### BEGIN SOLUTION
then = activity(months[-4])
counted = then[["login", "trade", "value"]].mul(then["weight"], axis=0).groupby(then["branch_id"]).sum()
my_rates = counted.div(then.groupby("branch_id")["weight"].sum(), axis=0)
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:unweighted"]
then = activity(months[-4])
my_rates = then.groupby("branch_id")[["login", "trade", "value"]].mean()

# %% tags=["wrong:E1:this_month"]
my_rates = weighted(activity(months[-1]))

# %% tags=["wrong:E1:among_active"]
then = activity(months[-4])
my_rates = weighted(then[then["login"]])

# %% tags=["alternative:E1:loop"]
then = activity(months[-4])
found = {}
for branch, rows_here in then.groupby("branch_id"):
    found[branch] = {name: np.average(rows_here[name], weights=rows_here["weight"]) for name in KINDS}
my_rates = pd.DataFrame.from_dict(found, orient="index").rename_axis("branch_id")

# %% [markdown]
# **E2 ★★★ 再扣一层** 有的人这两年存款一路涨、登录也一路变多，固定效应扣不掉这种**各人自己的趋势**。请在演示二的基础上，
# 先对每个人的 `log_money` 和 `active` 各扣掉一条自己的直线（平均和斜率都扣），再扣每个月的平均，然后用 `effect` 估计。
# 把（估计、下限、上限）用 `np.expm1` 换成比例，放进元组 `steady_effect`。

# %% tags=["answer:E2"]
time = np.arange(len(months)) - (len(months) - 1) / 2  # 已经减去平均的月份序号
steady_effect = ...  # ← 三个数：(估计, 下限, 上限)
### BEGIN SOLUTION


def detrend(wide):
    centred = wide.sub(wide.mean(axis=1), axis=0)
    slope = centred @ time / (time @ time)
    straight = centred - np.outer(slope, time)
    return straight.sub(straight.mean(axis=0), axis=1)


steady_effect = tuple(np.expm1(effect(detrend(log_money), detrend(active))))
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:no_trend"]
steady_effect = tuple(np.expm1(effect(sweep(log_money), sweep(active))))

# %% tags=["wrong:E2:naive_gap"]
steady_effect = (naive, naive * 0.9, naive * 1.1)

# %% tags=["wrong:E2:only_money_detrended"]
centred = log_money.sub(log_money.mean(axis=1), axis=0)
straight = centred - np.outer(centred @ time / (time @ time), time)
steady_effect = tuple(np.expm1(effect(straight.sub(straight.mean(axis=0), axis=1), sweep(active))))

# %% tags=["alternative:E2:polyfit"]
def without_line(wide):
    lines = np.polynomial.polynomial.polyfit(time, wide.to_numpy().T, 1)  # 每个人的截距和斜率
    left = wide.to_numpy() - (lines[0][:, None] + np.outer(lines[1], time))
    return pd.DataFrame(left - left.mean(axis=0), index=wide.index, columns=wide.columns)


steady_effect = dict(zip(["估计", "下限", "上限"], np.expm1(effect(without_line(log_money), without_line(active))), strict=True))

# %% [markdown]
# **E3 ★★ 点名** 用 `branch_late`（月末登录 `late`、期望 `expected`）和离散程度 `scatter` 重新检验每家网点：z ＝（实际 − 期望）÷ √（离散程度 × 期望），
# 再用错误发现率 `FDR` 控制多重检验（`experiment.excess`、`experiment.false_discovery` 都可以用）。把该去核查的网点号放进列表 `audit_branches`，从小到大排。

# %% tags=["answer:E3"]
audit_branches = ...  # ← 一个网点号的列表
### BEGIN SOLUTION
tested_again = experiment.excess(branch_late["late"], branch_late["expected"], scatter)
believed = experiment.false_discovery(tested_again["p"], FDR)
audit_branches = sorted(believed.index[believed])
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:poisson"]
audit_branches = sorted(poisson.index[poisson["p"] < 0.05])

# %% tags=["wrong:E3:top_three"]
audit_branches = sorted(branch_late.eval("late / expected").nlargest(3).index)

# %% tags=["wrong:E3:poisson_with_fdr"]
audit_branches = sorted(poisson.index[experiment.false_discovery(poisson["p"], FDR)])

# %% tags=["alternative:E3:by_hand"]
p_values = experiment.excess(branch_late["late"], branch_late["expected"], scatter)["p"].sort_values()
line = FDR * np.arange(1, len(p_values) + 1) / len(p_values)
passed = np.flatnonzero(p_values.to_numpy() <= line)
audit_branches = sorted(p_values.index[: passed[-1] + 1]) if len(passed) else []

# %% [markdown]
# **E4 ★★★ 排计划** 从 `pool` 里排一张四周培育计划 `my_plan`，一户一行，列有 `customer_id`、`week`（一到四）、`action`（和 `pool` 里该户的动作相同）。
# 要求：一户一次；总成本不超过 `PLAN_BUDGET`；每周“电话唤醒”不超过 `CALLS_PER_WEEK` 户；电话名单里额度可线上提款的至少占 `ONLINE_SHARE`；
# E3 里点名的网点先核查，**不进计划**（那里的登录记录信不过）；预期新增活跃户之和达到最好方案的九成五 [参数]。

# %% tags=["answer:E4"]
cu.carry_on("E3")
my_plan = ...  # ← 一张表：customer_id、week、action
### BEGIN SOLUTION
clean_pool = pool[~pool["branch_id"].isin(audit_branches)]
my_plan = make_plan(clean_pool).reset_index(names="customer_id")[["customer_id", "week", "action"]]
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:points_for_all"]
cu.carry_on("E3")
some = pool[~pool["branch_id"].isin(audit_branches) & (pool["action"] == "首次登录积分")].head(int(PLAN_BUDGET // price["首次登录积分"]))
my_plan = some.assign(week=np.arange(len(some)) % 4 + 1).rename_axis("customer_id").reset_index()

# %% tags=["wrong:E4:all_in_first_week"]
cu.carry_on("E3")
my_plan = make_plan(pool[~pool["branch_id"].isin(audit_branches)]).assign(week=1).rename_axis("customer_id").reset_index()

# %% tags=["wrong:E4:forgot_audit"]
my_plan = make_plan(pool.sort_values("branch_id")).rename_axis("customer_id").reset_index()

# %% tags=["wrong:E4:no_consent"]
cu.carry_on("E3")
everyone = people.loc[quiet].assign(idle_limit=idle["limit"].reindex(quiet).fillna(0.0)).query("idle_limit > 0").head(4 * CALLS_PER_WEEK)
my_plan = everyone.assign(week=np.arange(len(everyone)) // CALLS_PER_WEEK + 1, action="电话唤醒").rename_axis("customer_id").reset_index()

# %% tags=["alternative:E4:loop"]
cu.carry_on("E3")
left, used, chosen = PLAN_BUDGET, dict.fromkeys([1, 2, 3, 4], 0), []
ordered = pool[~pool["branch_id"].isin(audit_branches)].sort_values(["gain", "online"], ascending=False, kind="stable")
for customer, row in ordered.iterrows():
    week = min(used, key=used.get)
    if row["cost"] <= left and (row["action"] != "电话唤醒" or used[week] < CALLS_PER_WEEK):
        used[week] += row["action"] == "电话唤醒"
        left -= row["cost"]
        chosen.append({"customer_id": customer, "week": week, "action": row["action"]})
my_plan = pd.DataFrame(chosen)

# %% [markdown]
# ## 成果
#
# 一本《手机银行培育方案》：三种活跃率、用信试验、培育成本、四周名单，以及一页**核查清单**（只到网点，不到个人）。

# %%
cu.carry_on("E3")
Sheet = cu.deliver.Sheet
target = make_plan(scope[~scope["branch_id"].isin(audit_branches)]).reset_index(names="customer_id").sort_values(["week", "branch_id", "customer_id"])
target = target[["week", "branch_id", "customer_id", "action", "idle_limit", "online", "cost"]]
audit = evidence.loc[evidence.index.isin(audit_branches), ["ratio", "short", "shared"]].reset_index().assign(step="问厅堂辅导记录，核对设备归属")
book = cu.deliver.workbook(
    bank.output_dir("m04_n03") / "手机银行培育方案.xlsx",
    {"三种活跃率": Sheet(rates.reset_index(), names=ROWS | KINDS, units=dict.fromkeys(KINDS, "%")),
     "用信试验": Sheet(both[["stage", "rate", "low", "high", "n"]], names=WORDS, units=PERCENT),
     "培育成本": Sheet(routes[["gain", "cost", "each"]].rename_axis("做法").reset_index(), names=ROWS, units={"gain": "%", "cost": "元", "each": "元"}, notes=["积分一行是假设，做过自己的试验再换。"]),
     "四周名单": Sheet(target, names=ROWS, units={"idle_limit": "元", "cost": "元"}, notes=["已剔除勿扰、没有营销授权、电话无效的客户，在校学生和待核查网点。"], choices={"结果": ["已教会", "考虑", "拒绝", "未接通"]}),
     "核查清单": Sheet(audit, names=ROWS, units={"short": "%", "shared": "%"}, notes=["数据只说明该去查，不说明谁有责任。"])},
    title=f"{bank.name} {BRANCH or '全行'} 手机银行培育方案", purpose="手机银行培育", purge_date=bank.as_of + pd.DateOffset(days=90), money="元")
cu.say(f"已保存：`{book.name}`，四周名单 {len(target)} 户，核查清单 {len(audit)} 家网点。")
cu.progress()

# %% tags=["instructor", "board:staff:brief"]
# 给行长的一栏：course board 把它放上看板
names = bank.load("branch", columns=["branch_id", "branch_name"]).set_index("branch_id")["branch_name"]
suspects = "、".join(names.reindex(audit_branches))
peaks = f"{names[top[0]]}月末最后一天的登录是平日的 {shape.loc[top[0], 0]:.1f} 倍"
step = [("合规部", f"核查{suspects}：问厅堂辅导记录，核对设备归属", "下月考核之前")] if audit_branches else []
cu.brief(
    f"月末登录反常、要去核查的网点 {len(audit)} 家" + (f"：{suspects}" if audit_branches else ""),
    "要办" if audit_branches else "平稳",
    "改正波动和多重检验以后仍然过线的网点，记要办",
    [("月末登录反常，要核查", f"{len(audit)} 家", peaks)],
    step, "数据只说该去查谁，不能定谁的责；核查之前先问有没有集中辅导这类正当理由。")

# %% [markdown]
# ## 讨论
#
# - 如果活跃对存款的作用只有一两个百分点，为什么还要做手机银行？把“省下的柜面时间”“授信用信”“留住客户”各写一条能验证的办法。
# - 被点名的网点，全月的登录率比别人高吗？如果只是把登录挤到最后三天，考核改成什么样，冲就没有意义？
# - 试验里没接通的人也算在打电话组。如果只看接通的人，效果会变大还是变小？那个数能拿来做预算吗？
#
# ## 小结
#
# 登录、交易、价值是三个数，考哪个就得到哪个；活跃的人存款多，先问是不是人不同，同一个人前后比了再说是活跃的功劳。
# 唤醒授信有没有用，听随机试验的，不听历史上活跃户的；积分要扣掉白送，结构要扣掉“人本来就不同”。
# 刷登录要用对波动、控制点名的冤枉率；点名以后是去核查，不是去定责。
#
# 下一课：不良客户偿还能力分级——谁是真的还不起。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 课堂上常见的三个弯路：用“活跃的人存款多几成”做预算；把历史上活跃户的用信率当成唤醒以后的用信率；
# 用泊松检验加权推算的次数，一口气冤枉好几家网点。时间分配建议：演示一、二占三成，三占两成，四、五占两成，六、七占一成，练习占两成。

# %% tags=["instructor"]
cu.reveal(bank, "m04_n03", {
    "active_true": f"{effect_size:.4f}（扣趋势后见 E2）", "draw_activation": drew["rate_a"], "spike_branches": "、".join(audit_branches),
})
