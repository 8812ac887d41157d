# %% [markdown] outline=["S004-W1"]
# # 分组研讨：基于营销视角的客户分析模型共创
#
# 课程：银行二十种数据实战应用场景 · 分组研讨 · 大纲：S004-W1 · 难度：L3 · 用时：180 分钟
#
# 学完本课，你能：
#
# - 和小组一起，从一个营销目标走到一张能打的名单、一份排得下的计划、一个说得清的检验；
# - 分清“客户自己会来”和“因为我们打了电话才来”，不被看上去最缺钱的客户带走；
# - 用同一张计分表给各组打分，并把成果压成行长看得懂的一页纸。
#
# Abstract: A three-hour workshop: goal, base, dated features, pilot, rule card or model, ranking,
# capacity plan, test design. Lists are scored on outcomes nobody may read; a second half decides.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 只做一家网点时写 "B03"，None 表示全行
TEAM = "第一组"  # 组名，提交名单时用
THEME = "商户"  # 本组主攻的客群：村民、养老、代发、商户、私行、车主
LIST_SIZE = 300  # 名单最多多少户
PILOT_SIZE = 80  # 试点时每个客群打多少户
COOL_DAYS = 14  # 多少天内联系过的客户先不打
AGE_RANGE = [18, 75]  # 年龄范围（含两端）
CAPACITY = 3  # 一位客户经理一天能打几个电话
PLAN_DAYS = 10  # 计划用几个工作日打完
HOLDOUT = 0.1  # 名单里随机留出多少不打，用来检验
RATES_TO_TELL = [0.05, 0.10]  # 假设：检验要分得出的两个办成率，不打的和打的
LIST_BEAT = 1.5  # 名单的公榜净收益至少要是“按资产排序”的多少倍
PEER_SCORES = {"目标清楚": 4, "依据可信": 3, "动作能做": 4, "想到风险": 3, "一分钟讲完": 4}  # 别组打分，1 到 5
TEAM_FOLDER = None  # 讲师：收齐的提交文件放在哪个文件夹

# %%
import course_utils as cu
import numpy as np
import pandas as pd

bank = cu.begin("m05_n01", BANK, AS_OF)
today = bank.as_of
workshop = cu.analysis.workshop
NAMES = {"customers": "户数", "tried": "试打户数", "net_benefit": "净收益", "low": "区间下限", "high": "区间上限",
         "bad_share": "后来变坏占比", "aum": "季日均资产", "expected_benefit": "预期净收益", "names": "计分户数",
         "benefit_score": "净收益得分", "order_score": "排序得分", "masked_name": "客户", "credit_grade": "信用等级",
         "merchant": "收单商户", "has_loan": "有贷款", "borrowed": "借过款", "returnee_young": "返乡青年",
         "wallet_share": "钱包份额", "logins": "近三月登录天数", "payroll": "代发", "age": "年龄", "tier": "档",
         "call_date": "拨打日", "manager_id": "客户经理", "reason": "入选理由", "script": "第一句话"}

# %% [markdown] outline=["S003-X2.3"]
# ## 业务情境
#
# 行长把各支行叫到一起：“二十个场景都学完了。现在给你们三个小时，每组交一张**三百户的名单** [参数]。
# 我不看谁的模型复杂，我看**打完电话以后，全行多赚了多少**。”
#
# 有的大行把客户分成几个客群、一群一策地经营。本课也给六个主题供各组认领：
# **村民、养老、代发、商户、私行、车主**（改参数 `THEME`）。选哪个都行，最后只比净收益。
#
# 计分表事先公布，不能中途改（权重为本课程定义）：
#
# | 项 | 权重 | 怎么算 |
# |---|---|---|
# | 净收益 | 40 % [定义] | 名单客户“打”与“不打”之差的合计，扣掉每户的联系成本；按资产排序得零分，能做到的最好得满分 |
# | 排序 | 20 % [定义] | 自己写的预期净收益，和真实结果的次序、总量对不对得上 |
# | 可执行 | 20 % [定义] | 排期满足全部约束的比例 |
# | 说得清 | 20 % [定义] | 别组按评分表打的分 |
#
# 真实结果**谁也看不到**：一半客户是“公榜”，课上随时能看总分；另一半是“终榜”，只在最后揭晓。
# 名单若是照着公榜硬凑的，终榜会露馅。
#
# 数据**不能**说明什么：示例银行计分用的九十天结果是合成的，它让各组的办法可以公平地比，不代表真实客户一定这样反应。

# %% [markdown]
# ## 数据
#
# 任何一张表，截至数据日期都可以用。下面先备好最常用的几样。

# %%
cu.dictionary(bank, {"customer": ["is_returnee", "credit_grade", "do_not_call"],
                     "customer_product_history": ["item", "from_date", "to_date"],
                     "consent": ["scope", "granted", "expire_date"]})
people = bank.load("customer").set_index("customer_id")
if BRANCH:
    people = people[people["branch_id"] == BRANCH]
months = bank.load("customer_month", ["month", "customer_id", "aum_average", "mobile_login_days",
                                      "external_bank_out_amount", "external_bank_in_amount"])
history = bank.load("customer_product_history")
loans = bank.load("loan", ["customer_id", "issue_date", "settle_date", "five_class"])
contacts = bank.load("contact_log", ["customer_id", "contact_time", "result"])
consent = bank.load("consent")
cu.say(f"{bank.name}，{today:%Y-%m-%d}：客户 {len(people):,} 户，产品持有记录 {len(history):,} 条。")

# %% [markdown]
# ## 演示一：底盘——先问能不能打，再问值不值得打
#
# 名单的第一步不是挑人，是**去掉不能打的人**。每去掉一类，都写下理由：
# 企业户归对公条线；销户、身故的不打；谢绝来电的不打；没有有效营销授权的不打（个人信息保护法要求有明确的合法依据）；
# 号码无效的打不通；在校学生不推贷款，和年龄并成一关；出生年没有登记的，先补资料，年龄这一关也过不了；正在不良的先催收，不营销；近几天联系过的不再打扰。
#
# 去掉的顺序不影响最后剩谁，但影响每一步看上去去掉多少。下面的漏斗按这个顺序数。

# %%
agreed = consent[(consent["scope"] == "营销") & consent["granted"] & ~(consent["expire_date"] <= today)]
reached = contacts[(contacts["contact_time"] > today - pd.Timedelta(days=COOL_DAYS)) & (contacts["result"] != "未触达")]
bad_loans = loans[loans["settle_date"].isna() & loans["five_class"].isin(["次级", "可疑", "损失"])]
age = today.year - people["birth_year"].astype(float)
rules = {"是个人或个体户": people["customer_type"] != "企业",
         "状态正常": people["status"] == "正常",
         "年龄合适、不在校": age.between(*AGE_RANGE) & (people["occupation"] != "学生"),
         "没有谢绝来电": ~people["do_not_call"],
         "有有效营销授权": people.index.isin(agreed["customer_id"]),
         "号码有效": people["phone_valid"],
         "没有不良贷款": ~people.index.isin(bad_loans["customer_id"]),
         "近期没联系过": ~people.index.isin(reached["customer_id"])}

# %%
left, steps = pd.Series(True, index=people.index), {"全部客户": len(people)}
for name, rule in rules.items():
    left = left & rule
    steps[name] = int(left.sum())
steps = pd.Series(steps)
lost = -steps.diff().dropna()
cu.say(f"从 {steps.iloc[0]:,} 户到能打的 {steps.iloc[-1]:,} 户。去掉最多的一关是“{lost.idxmax()}”，"
       f"去掉 {lost.max():,.0f} 户。")
fig = cu.charts.funnel_steps(steps)
cu.charts.finish(fig, title=f"八关之后，{steps.iloc[-1] / steps.iloc[0]:.0%} 的客户可以联系",
                 alt=f"漏斗图，从 {steps.iloc[0]} 户到 {steps.iloc[-1]} 户。", source=f"客户、授权、触达记录，{today:%Y-%m-%d}")

# %% [markdown]
# ## 演示二：特征——每个数都写上“哪天知道的”
#
# 特征就是描述客户的一个数。只有一条铁律：**站在打电话那天，这个数已经知道了**。
# 下面把做特征写成一个函数，参数就是那一天 `day`；每一步都只用那天及以前的记录。
# 这样既能做今天的特征，也能退回三个月前做一遍，用后来真实发生的事来检验。
#
# 信用等级是今天的快照，退回去就不知道当时是几级，所以**不放进函数**，只在今天的名单里当风险闸门。

# %%
def features_at(day):
    """做出 day 那天看得到的特征：一行一个客户。"""
    seen = months[months["month"] <= day]
    recent = seen[seen["month"] > day - pd.DateOffset(months=3)].groupby("customer_id")
    year = seen[seen["month"] > day - pd.DateOffset(months=12)].groupby("customer_id")[
        ["external_bank_out_amount", "external_bank_in_amount"]].sum().reindex(people.index).fillna(0)
    held, past = history[(history["from_date"] <= day) & ~(history["to_date"] <= day)], loans[loans["issue_date"] <= day]
    table = pd.DataFrame({"age": day.year - people["birth_year"].astype(float), "farmer": people["is_farmer"],
                          "aum": recent["aum_average"].mean(), "logins": recent["mobile_login_days"].sum()})
    table = table.reindex(people.index).fillna({"aum": 0, "logins": 0})
    table["wallet_share"] = cu.analysis.portfolio.wallet(table["aum"], *[year[c] for c in year])["wallet_share"]
    for name, item in {"merchant": "收单", "payroll": "代发工资", "car": "电子收费卡"}.items():
        table[name] = people.index.isin(held.loc[held["item"] == item, "customer_id"])
    return table.assign(borrowed=people.index.isin(past["customer_id"]), has_loan=people.index.isin(
        past.loc[~(past["settle_date"] <= day), "customer_id"]))

# %%
base = features_at(today)[left].copy()
base["credit_grade"] = people["credit_grade"]
base["returnee_young"] = people["is_returnee"] & (base["age"] <= 35) if "is_returnee" in people else False
base["branch_id"] = people["branch_id"]
size = min(LIST_SIZE, len(base) // 4)  # 网点小的时候，名单不超过底盘的四分之一
listing = pd.DataFrame({"特征": ["季日均资产", "钱包份额", "登录天数", "收单、代发、车主", "借过款、有贷款", "返乡青年"],
                        "哪天知道": ["月末", "月末，看近十二个月流水", "月末", "签约当天", "放款或结清当天", "建档信息更新当天"],
                        "用来猜什么": ["家底", "钱在不在我们这里", "会不会用手机", "生意和生活在不在我们这里", "信贷需求", "是不是刚回来创业"]})
cu.show(listing)
cu.show(base[["aum", "wallet_share", "logins", "merchant", "has_loan", "returnee_young", "credit_grade"]], rows=4, names=NAMES, units={"wallet_share": "%"}, money="万元")

# %% [markdown]
# ## 演示三：先试点——打几十户，比争一下午有用
#
# 哪个客群值得打？与其争论，不如**每个客群随机挑几十户打一遍**，看平均一户多赚多少。因为人是随机挑的，
# 结果就是“打电话带来的”，不是“他们本来就好”。下面的试点只动用公榜那一半客户，只给平均数，不给个人结果。
#
# 读图：点是平均每户净收益（元，已扣联系成本），横线是区间——真实的平均数多半落在里面；
# **横线跨过零，就还看不出赚不赚**。

# %%
themes = {"村民": base["farmer"], "养老": base["age"] >= 60, "代发": base["payroll"], "商户": base["merchant"],
          "私行": base["aum"] >= 500_000, "车主": base["car"]}
first = workshop.pilot(bank, {name: base.index[rule] for name, rule in themes.items()}, PILOT_SIZE, seed=1)
cu.show(first, names=NAMES, units={"net_benefit": "元", "low": "元", "high": "元", "bad_share": "%"})
known = first.dropna(subset=["net_benefit"])
clear = known[known["low"] > 0]
cu.say("六个主题里，" + (f"看得出赚钱的是{'、'.join(clear.index)}；" if len(clear) else "还没有一个看得出赚钱；")
       + f"平均最高的是“{known['net_benefit'].idxmax()}”，每户 {known['net_benefit'].max():.0f} 元。" if len(known) else
       "这家银行没有可计分的结果，试点这一步改为讨论：你会怎么选。")

# %%
if len(known):
    fig = cu.charts.forest(known.assign(group_name=known.index), value="net_benefit", low="low", high="high",
                           label="group_name", unit="元")
    cu.charts.finish(fig, title=f"试点：{len(clear)} 个主题的区间全在零以上" if len(clear) else "试点：六个主题的区间都碰到零",
                     alt="六个主题的平均每户净收益和区间。", source=f"随机试点，每组最多 {PILOT_SIZE} 户，公榜一半客户")

# %% [markdown]
# 大客群的平均数常常被“混在一起的人”拉平。再往下切一刀：在本组主题里，按**有没有贷款**和**信用等级**分开试。
# 每多切一刀，每格的人就少一些，区间就宽一些——切得太碎，点最高的那一格往往只是运气。

# %%
mine = themes[THEME]
risky = base["credit_grade"].isin(["D", "E"])
cells = {f"{THEME}·没有贷款": mine & ~base["has_loan"] & ~risky, f"{THEME}·有贷款": mine & base["has_loan"] & ~risky,
         f"{THEME}·等级差": mine & risky, "别的客户·没有贷款": ~mine & ~base["has_loan"] & ~risky,
         "别的客户·等级差": ~mine & risky}
second = workshop.pilot(bank, {name: base.index[rule] for name, rule in cells.items()}, PILOT_SIZE, seed=2)
cu.show(second, names=NAMES, units={"net_benefit": "元", "low": "元", "high": "元", "bad_share": "%"})
worst = second["net_benefit"].idxmin() if second["net_benefit"].notna().any() else None
if worst is not None:
    cu.say(f"最差的一格是“{worst}”：平均每户 {second.loc[worst, 'net_benefit']:.0f} 元，"
           f"试打的人里后来变坏的占 {second.loc[worst, 'bad_share']:.0%}。" + ("看上去最缺钱的人，未必是该打的人。" if "等级差" in worst else ""))

# %% [markdown]
# ## 演示四：规则卡，还是模型
#
# 两条路都行。**规则卡**把试点学到的写成几条分数，人人看得懂；**模型**从历史里学。
# 但要问清楚：模型学的是什么？我们手上的历史，是“客户**自己**来借了款”，不是“打了电话**才**来借”。
#
# 下面真的做一个：退回九十天前做特征，看后来九十天谁借了款，用逻辑回归学出概率，再用到今天。
# 读图：横轴是打了多少户，纵轴是公榜客户的累计净收益。线在上面的名单好；线往下走，说明越打越亏。

# %%
past_day = today - pd.Timedelta(days=90)
past = features_at(past_day).drop(columns="farmer")
past["drew"] = past.index.isin(loans.loc[loans["issue_date"] > past_day, "customer_id"]).astype(int)
columns = ["age", "aum", "logins", "wallet_share", "merchant", "payroll", "borrowed", "has_loan"]
past[columns] = past[columns].astype(float)
model = cu.analysis.model.fit_logit(past, columns, "drew")
base["chance"] = model.predict(base[columns].astype(float))
base["points"] = 2 * base["merchant"] + (base["aum"] >= 50_000) + (base["logins"] > 0) - 3 * risky
richest = base.sort_values("aum", ascending=False).head(size).index
likely = base.sort_values("chance", ascending=False).head(size).index
card = base.sort_values(["points", "aum"], ascending=False).head(size).index
cu.say(f"九十天里自己来借款的占 {past['drew'].mean():.1%}。三张名单各 {size} 户，"
       f"“会借款”名单与“规则卡”名单重合 {len(likely.intersection(card))} 户。")

# %%
outcome = workshop.outcomes(bank)
curves = workshop.gains(outcome, {"按资产排序": richest, "会借款的模型": likely, "示范规则卡": card})
if len(outcome):
    final_row = curves.iloc[-1]
    fig = cu.charts.curves(curves, unit="万元", x_label="打了多少户")
    cu.charts.finish(fig, title=f"同样打 {size} 户，“{final_row.idxmax()}”的公榜净收益最高（终榜可能换名次）", unit="万元",
                     alt="三张名单的累计净收益曲线。", source="公榜一半客户，隐藏结果，只给合计")
    cu.say(f"打完 {size} 户，公榜净收益：" + "，".join(f"{name} {value:,.0f} 元" for name, value in final_row.items())
           + "。“会借款”不等于“打了才借”：这两件事只有试点分得开。")

# %% [markdown]
# ## 演示五：排序、分档、动作
#
# 名单不是一排号码。排好序之后要分档，每档一种动作、一句开场。开场白只说真话：说清身份、来意，给客户说“不”的机会；
# 不说我们看过他的流水，不承诺额度和利率。下面用“示范规则卡”走一遍，你们组的名单照这个样子做。

# %%
demo = base.loc[card, ["aum", "merchant", "has_loan", "branch_id", "points"]].copy()
demo["tier"] = pd.qcut(np.arange(len(demo)), [0, 0.2, 0.6, 1], labels=["A 先打", "B 后打", "C 有空再打"])
demo["script"] = np.where(demo["merchant"], "我是您店附近支行的客户经理，想约个时间了解您收款上的需要，不方便可以直接说。",
                          "我是您的客户经理，想了解您最近用卡和存取款方不方便，不想接听这类电话可以告诉我。")
actions = demo.groupby(["tier", "script"], observed=True).size().rename("customers").reset_index()
cu.show(actions, names=NAMES)

# %% [markdown]
# ## 演示六：排得下，才叫计划
#
# 一位客户只归本网点的客户经理打，一位经理一天有上限，只排工作日。再**随机留出一部分不打**，这是检验的底子。
# 先算够不够：有的网点客户多、经理少，名单再好也打不完。

# %%
staff = bank.load("employee")
staff = staff[(staff["post"] == "客户经理") & staff["active"]].sort_values("employee_id")
calendar = bank.load("calendar", ["date", "workday"])
days = calendar.loc[calendar["workday"] & (calendar["date"] > today), "date"].head(PLAN_DAYS).reset_index(drop=True)
desks = staff.groupby("branch_id")["employee_id"].agg(list)
load = pd.DataFrame({"names": demo["branch_id"].value_counts(), "seats": desks.str.len() * CAPACITY * PLAN_DAYS}).fillna(0)
load = load[load["names"] > 0]
short = load[load["names"] > load["seats"]]
cu.say(f"{len(days)} 个工作日里，名单涉及的网点一共能打 {load['seats'].sum():,.0f} 个电话，名单 {len(demo)} 户。"
       + (f"打不完的网点：{'、'.join(short.index)}。" if len(short) else "每个网点都打得完。"))

# %%
order = demo[demo["branch_id"].isin(desks.index)].copy()
order["turn"] = order.groupby("branch_id").cumcount()
order["manager_id"] = [desks[b][n % len(desks[b])] for b, n in zip(order["branch_id"], order["turn"], strict=True)]
order["place"] = order.groupby("manager_id").cumcount() // CAPACITY
order = order[order["place"] < len(days)]
order["call_date"] = days.loc[order["place"]].to_numpy()

# %%
busy = order["branch_id"].value_counts().index[0]
gantt = order[order["branch_id"] == busy]
fig = cu.charts.task_calendar(gantt.assign(kind=gantt["tier"].astype(str)), date="call_date", kind="kind", label="manager_id")
cu.charts.finish(fig, title=f"{busy} 网点的排期：{len(gantt)} 户，{gantt['manager_id'].nunique()} 位经理，{gantt['call_date'].nunique()} 天打完",
                 alt=f"{busy} 网点每位客户经理每天的拨打任务。", source="示范规则卡，客户经理与工作日历")

# %% [markdown]
# ## 演示七：检验设计和停手规则，打之前写好
#
# 打完以后，拿“打了的”和“随机留出的”比。留出多少才看得出差别？先说想看出多大的差别，再倒推户数。
# **停手规则**也要先写：比如投诉到几起就停、头一百户净收益为负就停。打到一半改规则，等于没有规则。

# %%
plain, better = RATES_TO_TELL
need = cu.analysis.experiment.sample_size(plain, better)
kept = int(size * HOLDOUT)
power = cu.analysis.experiment.power_of(plain, better, max(kept, 2))
cu.say(f"若想看出办成率从 {plain:.0%} 到 {better:.0%} 的差别，打与不打**每组要 {need} 户**（八成把握）。"
       f"本名单只留出 {kept} 户，就算有这么大的差别，也只有 {power:.0%} 的机会看得出来。"
       + ("一次名单不够，要几批合起来看，或者把留出的比例提高。" if kept < need else "户数够了。"))

# %% [markdown]
# ## 演示八：互评与计分
#
# 别组按五条给你们打分，一到五分。把分数填进参数 `PEER_SCORES`，再看自己组的形状：
# 最短的那一角，就是汇报时会被问住的地方。

# %%
peer = pd.Series(PEER_SCORES, dtype=float) * 20
clarity = float(peer.mean())
fig = cu.charts.radar(peer.to_frame(TEAM).T)
cu.charts.finish(fig, title=f"{TEAM}互评平均 {clarity:.0f} 分，最弱的是“{peer.idxmin()}”",
                 alt="五项互评得分的雷达图。", source="各组互评，一分折二十分")

# %% [markdown]
# ## 练习
#
# **E1 ★★ 底盘** 今天你们组要打“近一年在我行有资产的人”。从 `people` 里挑出能打的客户，把客户号放进
# `my_base`（列表、Series 或索引都行）：演示一的八关**都要过**，而且 `base["aum"]` 不低于一千元 [定义]。能打的一个也别丢。

# %% tags=["answer:E1"]
my_base = ...  # ← 把 ... 换成你的代码
### BEGIN SOLUTION
my_base = base.index[base["aum"] >= 1_000]
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:no_gate"]
everyone = features_at(today)
my_base = everyone.index[everyone["aum"] >= 1_000]

# %% tags=["wrong:E1:no_consent"]
allowed = pd.DataFrame(rules).drop(columns="有有效营销授权").all(axis=1)
everyone = features_at(today)
my_base = everyone.index[allowed & (everyone["aum"] >= 1_000)]

# %% tags=["wrong:E1:strictly_richer"]
my_base = base.index[base["aum"] >= 10_000]

# %% tags=["alternative:E1:query"]
my_base = base.query("aum >= 1000").reset_index()["customer_id"].tolist()

# %% [markdown]
# **E2 ★★★ 名单** 交出你们组的名单 `team_list`（DataFrame，两列：`customer_id`、`expected_benefit`，从高到低）：
# 正好 `size` 户，都在 `base` 里，一户一次。`expected_benefit` 写你们认为打一次平均多赚多少元，可以用试点的结果。
# 过关：公榜净收益不低于“按资产排序”的 `LIST_BEAT` 倍（只做一家网点、名单不足一百户时运气太大，不比净收益）。试点可以再切几刀：`workshop.pilot(bank, {"名称": 客户号}, PILOT_SIZE, seed=3)`。

# %% tags=["answer:E2"]
team_list = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
groups = {"返乡": base["returnee_young"] & ~risky, "商户": base["merchant"] & ~base["has_loan"] & ~risky,
          "良好": base["credit_grade"].isin(["A", "B"]), "其他": ~risky}
worth = workshop.pilot(bank, {name: base.index[rule] for name, rule in groups.items()}, PILOT_SIZE, seed=3)["net_benefit"]
expected = pd.Series(worth.min(), index=base.index)
for name in worth.sort_values().index:
    expected = expected.where(~groups[name], worth[name])
ranked = pd.DataFrame({"expected_benefit": expected, "aum": base["aum"]})
ranked = ranked[~risky].sort_values(["expected_benefit", "aum"], ascending=False).head(size)
team_list = ranked.rename_axis("customer_id").reset_index()[["customer_id", "expected_benefit"]]
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:richest"]
team_list = base.sort_values("aum", ascending=False).head(size).reset_index()
team_list = team_list.assign(expected_benefit=team_list["aum"] / 1_000)[["customer_id", "expected_benefit"]]

# %% tags=["wrong:E2:neediest"]
needy = base[risky].sort_values("aum").head(size)
needy = pd.concat([needy, base[~risky].sort_values("aum").head(size - len(needy))])
team_list = pd.DataFrame({"customer_id": needy.index, "expected_benefit": 100.0})

# %% tags=["wrong:E2:outside_base"]
spare = people.index[~left][:size]
team_list = pd.DataFrame({"customer_id": spare, "expected_benefit": 100.0})

# %% tags=["alternative:E2:points"]
points = 3 * (base["returnee_young"] & ~risky) + 2 * (base["merchant"] & ~base["has_loan"]) + base["credit_grade"].isin(["A", "B"]) - 5 * risky
picked = pd.DataFrame({"expected_benefit": 60.0 * points, "aum": base["aum"]})
picked = picked.sort_values(["expected_benefit", "aum"], ascending=False).head(size)
team_list = pd.DataFrame({"customer_id": picked.index, "expected_benefit": picked["expected_benefit"].to_numpy()})

# %% [markdown]
# **E3 ★★★ 排期** 给 `team_list` 排期，交出 `team_plan`（DataFrame：`customer_id`、`manager_id`、`call_date`）：一户一次；
# 经理是客户所在网点的在职客户经理（`staff`）；每位经理每天不超过 `CAPACITY` 户；日期在 `days` 里；
# 随机留出 `HOLDOUT` 比例的客户**不排**；其余的尽量排满（预期净收益不低于参考排期的九成五 [定义]）。

# %% tags=["answer:E3"]
cu.carry_on("E2")
team_plan = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
kept_out = team_list.sample(frac=HOLDOUT, random_state=7)["customer_id"]
todo = team_list[~team_list["customer_id"].isin(kept_out)].copy()
todo["branch_id"] = todo["customer_id"].map(people["branch_id"])
todo = todo[todo["branch_id"].isin(desks.index)]
todo["turn"] = todo.groupby("branch_id").cumcount()
todo["manager_id"] = [desks[b][n % len(desks[b])] for b, n in zip(todo["branch_id"], todo["turn"], strict=True)]
todo["place"] = todo.groupby("manager_id").cumcount() // CAPACITY
todo = todo[todo["place"] < len(days)]
todo["call_date"] = days.loc[todo["place"]].to_numpy()
team_plan = todo[["customer_id", "manager_id", "call_date"]]
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:no_holdout"]
todo = team_list.assign(branch_id=team_list["customer_id"].map(people["branch_id"]))
todo = todo[todo["branch_id"].isin(desks.index)]
turn = todo.groupby("branch_id").cumcount()
todo["manager_id"] = [desks[b][n % len(desks[b])] for b, n in zip(todo["branch_id"], turn, strict=True)]
todo["place"] = todo.groupby("manager_id").cumcount() // CAPACITY
todo = todo[todo["place"] < len(days)]
team_plan = todo.assign(call_date=days.loc[todo["place"]].to_numpy())[["customer_id", "manager_id", "call_date"]]

# %% tags=["wrong:E3:one_manager"]
some = team_list.head(int(size * (1 - HOLDOUT)))
team_plan = pd.DataFrame({"customer_id": some["customer_id"], "manager_id": staff["employee_id"].iloc[0], "call_date": days[0]})

# %% tags=["alternative:E3:own_loop"]
rest = team_list.drop(team_list.sample(frac=HOLDOUT, random_state=11).index)
seats, rows = {}, []
for customer in rest["customer_id"]:
    for manager in desks.get(people.loc[customer, "branch_id"], []):
        used = seats.get(manager, 0)
        if used < CAPACITY * len(days):
            rows.append((customer, manager, days[used // CAPACITY]))
            seats[manager] = used + 1
            break
team_plan = pd.DataFrame(rows, columns=["customer_id", "manager_id", "call_date"])

# %% [markdown]
# **E4 ★★★ 两分钟汇报** 写一段给行长的话，赋给 `pitch`：打谁、凭什么（写出试点表 `second` 里最好一格和最差一格的平均净收益）、
# 下一步做什么、怎么检验（要提到留出或对照）。不许写“保证”“一定”。

# %% tags=["answer:E4"]
pitch = "?"  # ← 写在引号里
### BEGIN SOLUTION
best, weak = second["net_benefit"].idxmax(), second["net_benefit"].idxmin()
pitch = (f"建议先打“{best}”：随机试点平均每户净收益 {second.loc[best, 'net_benefit']:.0f} 元，"
         f"而“{weak}”是 {second.loc[weak, 'net_benefit']:.0f} 元，这类客户先不联系。"
         "下一步由各网点客户经理在十个工作日内分档拨打，并随机留出一部分客户不打作为对照，打完再比较。")
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:promise"]
pitch = (f"我们保证打完这批客户能赚钱，试点净收益 {second['net_benefit'].max():.0f} 元、{first['net_benefit'].max():.0f} 元，"
         "下一步全行联系，并留出对照。")

# %% tags=["wrong:E4:no_test"]
pitch = (f"建议联系试点最好的客群，净收益 {second['net_benefit'].max():.0f} 元，最差的是 {second['net_benefit'].min():.0f} 元，"
         "下一步由客户经理逐户拨打，十个工作日内打完全部名单。")

# %% tags=["alternative:E4:sorted"]
line = second["net_benefit"].dropna().sort_values()
pitch = (f"试点里“{line.index[-1]}”每打一户平均净收益 {line.iloc[-1]:.0f} 元，垫底的“{line.index[0]}”是 {line.iloc[0]:.0f} 元，"
         "所以先打前者。安排支行下周开始联系，同时随机保留一成客户不打，九十天后和打了的比。")

# %% [markdown]
# ## 成果
#
# 一张共创卡（一页纸）、一张名单、一份排期，放在同一个工作簿里；另存一份只有客户号和预期净收益的提交文件，交给讲师上榜。
# 名单用完要在截止日前删除。

# %%
for question in ("E1", "E2", "E3", "E4"):
    cu.carry_on(question)
scored = workshop.board(bank, {TEAM: team_list}, base.index, richest)
home = team_plan["customer_id"].map(people["branch_id"]) == team_plan["manager_id"].map(staff.set_index("employee_id")["branch_id"])
feasible = [home.all(), team_plan["call_date"].isin(days).all(), team_plan["customer_id"].is_unique,
            team_plan.groupby(["manager_id", "call_date"]).size().max() <= CAPACITY,
            len(team_plan) <= (1 - HOLDOUT) * len(team_list) + 1]
parts = {"净收益": scored["benefit_score"].iloc[0], "排序": scored["order_score"].iloc[0],
         "可执行": 100 * np.mean(feasible), "说得清": clarity}
total = workshop.total_score(parts)
sheet = pd.DataFrame({"项": list(parts), "得分": list(parts.values())}).assign(权重=list(workshop.WEIGHTS.values()))
sheet["加权"] = sheet["得分"] * sheet["权重"]
cu.show(sheet, units={"权重": "%"})
cu.say(f"{TEAM}公榜总分 **{total:.0f}** 分。终榜换另一半客户，由讲师揭晓。")

# %%
card_page = pd.DataFrame([("小组与主题", f"{TEAM} · {THEME}"), ("目标", "九十天净收益最大，扣掉联系成本"),
                          ("底盘", f"{len(base):,} 户，过八关"), ("六个特征", "资产、钱包份额、登录、收单与代发、借款、返乡"),
                          ("规则", f"试点最好的一格：{second['net_benefit'].idxmax()}" if len(known) else "见汇报"),
                          ("计划", f"{len(team_plan)} 户，{PLAN_DAYS} 个工作日，每人每天 {CAPACITY} 户"),
                          ("检验", f"随机留出 {HOLDOUT:.0%}；投诉三起或头一百户净收益为负即停"), ("汇报", pitch)], columns=["项", "内容"])
book = team_list.assign(masked_name=team_list["customer_id"].map(people["masked_name"]), branch_id=team_list["customer_id"].map(people["branch_id"]))
folder = bank.output_dir("m05_n01")
saved = cu.deliver.workbook(folder / f"{TEAM}_共创卡.xlsx", {"共创卡": cu.deliver.Sheet(card_page), "名单": cu.deliver.Sheet(book, names=NAMES),
                            "排期": cu.deliver.Sheet(team_plan, names=NAMES), "计分表": cu.deliver.Sheet(sheet)},
                            title=f"{TEAM}共创成果", purpose="课堂共创名单，经授权后联系", purge_date=f"{today + pd.DateOffset(days=100):%Y-%m-%d}")
handed_in = workshop.save_submission(folder, TEAM, team_list)
cu.say(f"已保存：`{saved.name}`（一页纸、名单、排期、计分）和 `{handed_in.name}`（交给讲师），两份都在 {today + pd.DateOffset(days=100):%Y-%m-%d} 前删除。")

# %% [markdown]
# ## 讨论
#
# 法务说：六个特征里有两个不能用。你会先放弃哪两个？放弃以后名单会差多少，怎么在不看个人结果的前提下估出来？
#
# 再想一步：如果打分只看“办成率”，各组的名单会变成什么样？

# %% [markdown]
# ## 小结
#
# 先去掉不能打的人，再挑值得打的人。会自己来的客户和打了才来的客户不是一回事，只有随机试点分得开。
# 名单、排期、检验三样齐了，才叫一个能落地的模型。
#
# 下一课：把今天的成果带回支行，从一个网点、一个客群试起。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 收齐各组的提交文件，放进一个文件夹，把参数 `TEAM_FOLDER` 指过去再运行下面两格：先公榜，后终榜。
# 名次变了的组，请他们说说自己在公榜上试了多少次。讲评要点：埋下的“金矿”是几类人——没有贷款又在还网贷的商户、
# 钱大半在别处的中档客户、返乡的毕业生；“陷阱”是需求高、风险也高的人，他们最爱点头，也最会变坏。

# %% tags=["instructor"]
lists = {TEAM: team_list, "按资产排序": base.loc[richest].reset_index().assign(expected_benefit=lambda t: t["aum"] / 1_000),
         "会借款的模型": base.loc[likely].reset_index().assign(expected_benefit=lambda t: 1_000 * t["chance"])}
lists |= workshop.read_submissions(TEAM_FOLDER)
for half in ("公榜", "终榜"):
    table = workshop.board(bank, lists, base.index, richest, half)
    cu.show(table, names=NAMES, units={"net_benefit": "元"}, title=half)

# %% tags=["instructor"]
# 金矿客户的净收益比别人高出一截：从高到低排，找落差最大的地方
both = pd.concat([workshop.outcomes(bank, "终榜"), outcome])["net_benefit"].sort_values(ascending=False).head(1_000)
gold = int(np.argmax(-np.diff(both)) + 1) if len(both) > 1 else None
cu.reveal(bank, "m05_n01", {"gold_segment": gold}, names={"gold_segment": "反应特别好的客户数", "trap_segment": "需求高、风险也高的陷阱客群"})
