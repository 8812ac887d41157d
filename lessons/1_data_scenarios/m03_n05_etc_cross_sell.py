# %% [markdown] outline=["S004-C5"]
# # ETC 客群：信贷潜力与精准营销
#
# 课程：银行数据应用 · 大纲：S004-C5、S004-C5.1、S004-C5.2、S004-C5.3、S004-C5.4 · 难度：L1 · 用时：60 分钟
#
# 学完本课，你能：
#
# - 给一群“持有某样产品的客户”画像，说清他们和全体客户差在哪里；
# - 做一张谁都看得懂的积分表，用去年的事实检验它灵不灵，再和决策树比一比；
# - 把名单变成一张潜力分布图和一份合规的支行名单，知道通行费数据能用到哪一步为止。
#
# Abstract: Profile toll-tag holders against all customers, test a transparent points table on last year's first loans, map the potential, and keep location-like data to the minimum.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 画像和名单看哪家支行：None 表示全行（积分表总是用全行数据）
MIN_CELL = 10  # 一格里样本少于几行就不出数
SMALL_SAMPLE = 30  # 比例要下结论，一格至少几行
AGE_EDGES = [18, 26, 31, 36, 41, 46, 51, 56, 61, 71]  # 金字塔的年龄分段
TEN_EDGES = [18, 31, 41, 51, 61, 200]  # 练习用的年龄分段
TEN_LABELS = ["18-30", "31-40", "41-50", "51-60", "61 以上"]  # 对应的名称
AUM_CUTS = [10000, 50000, 200000]  # 月日均资产分档的线，元
INFLOW_CUTS = [1, 3000, 8000]  # 每月流入分档的线，元
FALL_LINE = 0.6  # 近三月通行费不到全年平均的几成，算大降
TOLL_PER_KM = 0.9  # 货车跑一公里的通行费，元
FREIGHT_PER_KM = [4.0, 5.5, 7.0]  # 货车跑一公里的运费，元：低、中、高
TRUCK_MARGIN = 0.25  # 运费扣掉油费、过路费和人工，剩几成
DESK_POINTS = {"aum_level": [0, 1, 2, 3], "toll_level": [0, 1, 2]}  # 现行积分表：每一档几分
FIRST_SHARE = 0.2  # 名单只打得完前几成
PURGE_DAYS = 60  # 名单几天后销毁

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m03_n05", BANK, AS_OF)
weighted, trees = cu.analysis.weighted, cu.analysis.trees
months_back = pd.offsets.MonthEnd

# %% [markdown]
# ## 业务情境
#
# 几年前各家银行抢装 ETC，本行也发了一批。支行行长问：“这些车主我们只收过路费，**里面有没有该给贷款、却一直没开口的人？
# 名单这么长，客户经理只打得完前两成，先打谁？**”
#
# 手里有三样东西：谁装了 ETC、跑了多少通行费、他在本行的其他业务。有人提议“谁资产多先打给谁”，也有人说“跑得多的先打”。
# 本课先看清这是些什么人，再用**去年的事实**检验哪张名单灵，最后说清通行费这种数据用到哪一步为止。
#
# 这些数据**不能**直接看到“谁想借钱”：需求在客户心里，表里只看得到“谁借过”。没借的人，可能是不想借，也可能是我们没去问；
# 它们也**不能**说明打了电话就会多借：那要有随机留出的对照组。
#
# ## 数据
#
# 课堂数据是抽样的：一行代表全行若干户，户数写在 `weight` 里。借过款、资产多的客户抽得密，一行只代表几户；普通客户抽得稀，
# 一行代表几十户。所以**算比例都要乘权数**，不然会把“借款的人多”当成事实，其实只是抽得多。

# %%
tables = {"etc_user": ["customer_id", "vehicle_kind", "open_date", "toll_12m", "toll_3m"],
          "customer": ["gender", "birth_year", "town_id", "weight"],
          "customer_product": ["has_social_card"], "loan": ["issue_date", "settle_date"],
          "town": ["town_name", "x_km", "y_km"]}  # fmt: skip
cu.dictionary(bank, tables)

# %%
people = bank.load("customer", ["customer_id", "customer_type", "status", "masked_name", "gender", "birth_year", "occupation",
                                "town_id", "branch_id", "phone_valid", "do_not_call", "weight"])  # fmt: skip
people = people[(people["customer_type"] != "企业") & (people["status"] == "正常")].copy()
people["age"] = bank.as_of.year - people["birth_year"].astype(float)
cards = bank.load("customer_product", ["customer_id", "has_social_card"])
people = people.merge(cards, on="customer_id", how="left")
loans = bank.load("loan", ["loan_id", "customer_id", "issue_date", "settle_date", "balance"])
live = loans[loans["settle_date"].isna()]
people["has_loan"] = people["customer_id"].isin(live["customer_id"])
etc_users = bank.load("etc_user")
people["has_etc"] = people["customer_id"].isin(etc_users["customer_id"])
scope = people if BRANCH is None else people[people["branch_id"] == BRANCH]
holders = scope.merge(etc_users, on="customer_id")
where = "全行" if BRANCH is None else BRANCH

# %% [markdown] outline=["S004-C5.1"]
# ## 演示一：车主是些什么人
#
# 看一群人的年龄和性别，最直观的是“金字塔”：左男右女，年轻的在下面。光看车主自己没有意义，**要拿全体客户当底子比**：
# 图里的虚线就是全体客户。横条伸出虚线的那一段，就是“车主里特别多的人”。
#
# 再用一个数说清“特别多”：**偏好指数** = 这一格在车主里的占比 ÷ 在全体客户里的占比 × 100 [定义]。100 是一样多 [定义]，200 是两倍 [定义]。

# %%
labels = [f"{low}-{high - 1}" for low, high in zip(AGE_EDGES[:-1], AGE_EDGES[1:], strict=True)]


def age_shares(rows):
    band = pd.cut(rows["age"], AGE_EDGES, right=False, labels=labels).rename("age_band")
    table = rows.pivot_table(index=band, columns="gender", values="weight", aggfunc="sum", observed=False)
    table = table.reindex(columns=["男", "女"]).fillna(0)
    return table / table.to_numpy().sum()


etc_shape, base_shape = age_shares(holders), age_shares(scope)
etc_rows = pd.crosstab(pd.cut(holders["age"], AGE_EDGES, right=False, labels=labels), holders["gender"])  # 每格样本行数
etc_rows = etc_rows.reindex(index=etc_shape.index, columns=etc_shape.columns, fill_value=0)
index = (etc_shape / base_shape * 100).where(etc_rows >= min(MIN_CELL, etc_rows.to_numpy().max())).stack().rename("index")
male, base_male = etc_shape["男"].sum(), base_shape["男"].sum()
fig = cu.charts.pyramid(etc_shape, compare=base_shape, compare_label="全体个人客户")
cu.charts.finish(fig, title=f"{where} ETC 客户里男性占 {male:.0%}，全体客户里占 {base_male:.0%}",
                 alt="左男右女的年龄金字塔，虚线是全体个人客户的轮廓。",
                 source=f"{bank.name}，ETC 用户表、客户表，{bank.as_of:%Y-%m-%d}，{len(holders):,} 行样本，按权数推算")  # fmt: skip

# %%
top = index[np.isfinite(index)].sort_values(ascending=False).head(4).reset_index()
top["share"] = [etc_shape.loc[row.age_band, row.gender] for row in top.itertuples()]
cu.show(top, names={"age_band": "年龄", "gender": "性别", "index": "偏好指数", "share": "占车主"},
        units={"share": "%"}, title="偏好指数最高的四格")  # fmt: skip
missing = holders["age"].isna()
cu.say(f"{where}推算有 **{holders['weight'].sum():,.0f}** 户个人 ETC 客户（样本 {len(holders):,} 行），占个人客户的 "
       f"{holders['weight'].sum() / scope['weight'].sum():.1%}。偏好指数最高的是 {top.loc[0, 'age_band']} 岁{top.loc[0, 'gender']}性："
       f"是全体里的 **{top.loc[0, 'index'] / 100:.1f} 倍**。有 {missing.sum()} 行缺出生年，画不进金字塔：画图可以不算，报户数不能丢。")  # fmt: skip

# %% [markdown] outline=["S004-C5.2"]
# ## 演示二：贷款和社保卡覆盖到几成
#
# 覆盖率 = 有这样产品的户数 ÷ 全部户数，都按权数算。样本算出来的比例有误差，所以每个比例带一个**区间**：
# 反复抽样的话，二十次里大约十九次，真实的比例会落在这样的区间里。样本越少，区间越宽。
#
# 权数不一样时，样本的“成色”要打折：一百行里有的代表几户、有的代表几十户，说服力顶不上一百行等权的样本。
# 打折后的行数叫**有效户数** = 权数之和的平方 ÷ 权数平方之和（m01_n01 课里叫有效样本量，是一回事）。
# 工具箱的 `weighted.rates(有没有, 权数, 按什么分组)` 按它算区间，给出一组一行的表：`n` 样本行数、`rate` 比例、`low` 和 `high` 区间两端。
#
# 一个镇低，先别急着怪车主。问两句：**这个镇没装 ETC 的客户，社保卡也低吗？** 也低，说明是这个镇的问题，不是这群人的问题。
# **哪一类车主低？** 再按性别和年龄拆一次。

# %%
town = bank.load("town", ["town_id", "town_name", "x_km", "y_km"]).set_index("town_id")
card = weighted.rates(holders["has_social_card"], holders["weight"], holders["town_id"])
loan = weighted.rates(holders["has_loan"], holders["weight"], holders["town_id"])
overall = weighted.rates(holders["has_social_card"], holders["weight"]).iloc[0]
picture = card[card["n"] >= MIN_CELL].sort_values("rate").rename(index=town["town_name"])
low_town = picture.index[0] if len(picture) else "没有样本够数的乡镇"
seen = len(picture) and picture["high"].iloc[0] < overall["rate"]
if len(picture):
    fig = cu.charts.bars_with_interval(picture, count="n", reference=overall["rate"], reference_label="全体车主")
    cu.charts.finish(fig, title=f"社保卡覆盖最低的是{low_town}：{picture['rate'].iloc[0]:.0%}，"
                     + ("整个区间都低于平均" if seen else "但区间碰到了平均，不能断定"),
                     alt="各乡镇 ETC 客户社保卡覆盖率的横条，细线为区间。",
                     source=f"{bank.name}，产品持有表；样本不到 {MIN_CELL} 行的乡镇不画，n 为样本行数")  # fmt: skip

# %%
same_town = people[people["town_id"] == town.index[town["town_name"] == low_town][0]] if len(picture) else people
outside = weighted.rates(same_town["has_social_card"], same_town["weight"], same_town["has_etc"])["rate"]
age26 = holders["age"].between(26, 40)
group = age26.map({True: "26-40 岁", False: "其他年龄"}) + holders["gender"].astype("object") + "性"
sex = weighted.rates(holders["has_social_card"], holders["weight"], group)
cu.show(sex[["n", "rate", "low", "high"]], rows=None, units=dict.fromkeys(["rate", "low", "high"], "%"),
        names={"group": "车主", "index": "车主", "n": "样本行数", "rate": "社保卡覆盖", "low": "区间下限", "high": "区间上限"})  # fmt: skip
weakest = sex["rate"].idxmin()
clear = sex.loc[weakest, "high"] < sex["rate"].drop(weakest).min()
cu.say(f"{low_town}没装 ETC 的客户社保卡覆盖 {outside.get(False, np.nan):.0%}，装了的 {outside.get(True, np.nan):.0%}："
       + ("两边差不多，这是镇上的事，要找社保卡的布点。" if abs(outside.get(True, 0) - outside.get(False, 0)) < 0.1 else "两边不一样，要到镇上看看差在哪里。")
       + f"按人拆，最低的是**{weakest}**，{sex.loc[weakest, 'rate']:.0%}，"
       + ("整个区间低于其他三组。" if clear else "但区间和别的组有重叠，说不死。")
       + "这是覆盖低，不等于“需求没满足”：需求表里看不见。")  # fmt: skip

# %%
both = holders["has_loan"].map({True: "有贷款", False: "无贷款"}).rename("loan")
kind = holders["has_social_card"].map({True: "有社保卡", False: "无社保卡"}).rename("card")
joint = holders.pivot_table(index=both, columns=kind, values="weight", aggfunc="sum", fill_value=0)
joint = joint / joint.to_numpy().sum()
cu.show(joint, rows=None, units=dict.fromkeys(joint, "%"), names={"loan": "贷款"}, title=f"{where}车主：贷款 × 社保卡（占户数）")
raw = holders["has_loan"].mean()
rate = weighted.rates(holders["has_loan"], holders["weight"]).iloc[0]
none = joint.reindex(["无贷款"]).get("无社保卡", pd.Series([0.0])).fillna(0).iloc[0]
cu.say(f"两样都没有的占 {none:.0%}。车主的贷款覆盖是 **{rate['rate']:.1%}**（区间 {rate['low']:.1%}–{rate['high']:.1%}）；"
       f"要是忘了乘权数，会得到 {raw:.1%}，{'高出一大截' if raw > rate['high'] else '在这里碰巧接近'}：借款的人抽得密。")  # fmt: skip

# %% [markdown] outline=["S004-C5.3"]
# ## 演示三：货车不是“大一号的小车”
#
# 开货车的多半是跑运输的小老板，车就是他的店。他们在车主里是少数，先看占多少户、占多少贷款。
#
# **收入怎么估？** 通行费 ÷ 每公里通行费 = 里程；里程 × 每公里运费 = 营业额；再乘 `TRUCK_MARGIN` = 落到手里的钱。
# 三个单价都是参数 [参数]，请换成本地车型的数。通行费只记得到高速上的里程，走省道、跑短途的不算；估出来的是一个**范围**，只能当谈话的开场，不能当收入证明。

# %%
holders["truck"] = holders["vehicle_kind"] == "货车"
weights = holders["weight"]
debt = holders["customer_id"].map(live.groupby("customer_id")["balance"].sum()).fillna(0) * weights
part = pd.Series({"占车主户数": weights[holders["truck"]].sum() / weights.sum(),
                  "占有贷款的车主": weights[holders["truck"] & holders["has_loan"]].sum() / weights[holders["has_loan"]].sum(),
                  "占车主的贷款余额": debt[holders["truck"]].sum() / debt.sum()}, name="share")  # fmt: skip
cu.show(part.to_frame(), rows=None, names={"index": "货车车主", "share": "占比"}, units={"share": "%"})
kinds = weighted.rates(holders["has_loan"], weights, holders["vehicle_kind"])
truck_rate, car_rate = (kinds["rate"].get(name, np.nan) for name in ("货车", "客车"))
cu.say(f"贷款覆盖：货车 **{truck_rate:.1%}**，客车 {car_rate:.1%}。借得多是看得见的事实；“想借的更多”只是推测，"
       "因为潜在需求在任何一张表里都没有。")  # fmt: skip

# %%
panel = bank.load("customer_month", ["month", "customer_id", "aum_average", "in_amount"])
inflow = panel[panel["month"] > bank.as_of - months_back(12)].groupby("customer_id")["in_amount"].sum()
trucks = holders[holders["truck"]].copy()
trucks["inflow"] = trucks["customer_id"].map(inflow).fillna(0)
km = trucks["toll_12m"] / TOLL_PER_KM
income = pd.DataFrame({f"每公里 {price:g} 元": (km * price * TRUCK_MARGIN).quantile([0.25, 0.5, 0.75])
                       for price in FREIGHT_PER_KM}).T  # fmt: skip
income.columns = ["low", "middle", "high"]
cu.show(income, rows=None, money="万元", units=dict.fromkeys(income, "万元"),
        names={"index": "运费假设", "low": "四分之一位", "middle": "中位数", "high": "四分之三位"}, title="货车车主一年落到手里的钱（估算）")  # fmt: skip
through = (trucks["inflow"] / (km * FREIGHT_PER_KM[1])).median()
link = trucks["toll_12m"].rank().corr(trucks["inflow"].rank()) if len(trucks) >= MIN_CELL else np.nan
cu.say(f"样本里 {len(trucks)} 位货车车主，按中间的运费假设，有一半人本行账户一年的流入不到估算营业额的 {through:.0%}。通行费和流入的"
       f"秩相关（按名次算的相关，一是同进同退、零是无关）是 {link:.2f}："
       + ("跑得多的，流水也多，估算有些根据。" if link > 0.3 else "跑得多的，本行流水并不见得多。运费走不走本行、走多少，因人而异，这个估算在表里无从核对，上门要看运单。"))  # fmt: skip

# %% [markdown]
# **通行费突然大降，是什么信号？** 车停了、车卖了、换了别家的卡，都会这样。取近三月通行费 ÷（全年通行费 ÷ 4）[定义]，低于 `FALL_LINE` 的
# 算大降，看这些人里有贷款的，近六个月月末**有过逾期**的占多少。通行费和逾期看的是同一段时间，所以只能说“一起出现”，不能说谁先谁后。

# %%
worst = bank.load("loan_month", ["month", "loan_id", "dpd"])  # dpd：月末的逾期天数，零是没有逾期
recent = worst[(worst["month"] > bank.as_of - months_back(6))].merge(loans, on="loan_id")
borrowing, late_now = set(recent["customer_id"]), set(recent.loc[recent["dpd"] > 0, "customer_id"])
holders["fell"] = holders["toll_3m"] < FALL_LINE * holders["toll_12m"] / 4
holders["late"] = holders["customer_id"].isin(late_now)
borrowers = holders[holders["customer_id"].isin(borrowing)]
whole = borrowers.assign(vehicle_kind="合计")
both_kinds = pd.concat([whole, borrowers])
fall_table = both_kinds.groupby(["vehicle_kind", "fell"])["late"].agg(n="size", late="sum").reset_index()
interval = cu.analysis.experiment.wilson(fall_table["late"], fall_table["n"])
fall_table = fall_table.join(interval)
fall_table["通行费"] = fall_table["fell"].map({True: "大降", False: "没有大降"})
counts = whole.groupby("fell")["late"].agg(["sum", "size"]).reindex([True, False]).fillna(0)

# %%
truth = "样本不够，两组比不了"
if counts["size"].min() >= MIN_CELL:
    gap = cu.analysis.experiment.diff_ci(*counts.loc[True], *counts.loc[False])
    times = gap["rate_a"] / gap["rate_b"] if gap["rate_b"] else np.nan
    sure = gap["low"] * gap["high"] > 0
    truth = f"通行费大降的，逾期占比 {gap['rate_a']:.0%}，没降的 {gap['rate_b']:.0%}"
fig = cu.charts.bars_with_interval(fall_table, label="vehicle_kind", group="通行费")
cu.charts.finish(fig, title=truth, alt="大降与没有大降的车主，近六个月有过逾期的占比及区间。",
                 source=f"{bank.name}，{where}有贷款的 ETC 客户 {len(whole)} 行，按样本行数比较，未加权")  # fmt: skip
small = fall_table[(fall_table["vehicle_kind"] == "货车") & fall_table["fell"]]
if counts["size"].min() >= MIN_CELL:
    cu.say(f"合起来看，大降的是没降的 **{times:.1f} 倍**，相差的区间是 {gap['low'] * 100:+.1f} 到 {gap['high'] * 100:+.1f} 个百分点："
           + ("零不在里面，差别看得见。" if sure else "零也在里面，不能断定有差别。")
           + f"可是大降的货车车主里有贷款的只有 {small['n'].sum()} 位，区间宽到 "
           f"{small['low'].sum():.0%}–{small['high'].sum():.0%}：**单看货车说不清**，要拿它当提醒，不能拿它定案。")  # fmt: skip

# %% [markdown] outline=["S004-C5.3"]
# ## 演示四：先打谁？让去年的事实来回答
#
# 检验一张积分表，最要紧的是**别偷看**：站在一年前，只用那时知道的事给客户打分；再看随后一年里谁真的借了第一笔。
# 下面的函数 `facts_at` 站在任何一天都能把五个条件算出来：车型、通行费高低（同车型里分三档）、资产档、流入档、年轻程度，加上有没有逾期过。
# 每个条件换成一个**档**：从零数起，零是最低一档（`truck` 零是客车、一是货车；`toll_level` 零、一、二是通行费低、中、高）。
# 它对一年前和今天各用一次，条件的定义就不会走样。已有贷款的客户不在内：那是续贷和提额的事。
#
# 先一个条件一个条件看，再把两个条件交叉成一张三乘三的表：行是车型和通行费，列是资产。样本不到 `SMALL_SAMPLE` 行的格子留灰：几个人的比例不是比例。

# %%
tolls = bank.load("etc_month", ["month", "customer_id", "toll"]) if bank.has("etc_month") else None
dpd = worst.merge(loans[["loan_id", "customer_id"]], on="loan_id")
kind_of = etc_users[["customer_id", "vehicle_kind", "open_date"]]


def toll_level(rows, when):  # 同车型里从低到高分三档：0、1、2
    if tolls is None:
        return 0
    window = tolls[(tolls["month"] <= when) & (tolls["month"] > when - months_back(12))]
    paid = window.groupby("customer_id")["toll"].sum().reindex(rows.index).fillna(0)
    rank = paid.groupby(rows["vehicle_kind"]).rank(pct=True)
    return np.ceil(rank * 3).astype(int) - 1


# %%
def facts_at(when):  # 站在 when 这天，没有贷款的车主和他们的条件
    rows = people.merge(kind_of[kind_of["open_date"] <= when], on="customer_id")
    still = (loans["issue_date"] <= when) & ~(loans["settle_date"] <= when)
    rows = rows[~rows["customer_id"].isin(loans.loc[still, "customer_id"])].set_index("customer_id")
    window = panel[(panel["month"] <= when) & (panel["month"] > when - months_back(3))]
    money = window.groupby("customer_id")[["aum_average", "in_amount"]].mean().reindex(rows.index).fillna(0)
    late = dpd.loc[(dpd["month"] <= when) & (dpd["dpd"] > 0), "customer_id"]
    age = when.year - rows["birth_year"].astype(float)
    rows["truck"] = (rows["vehicle_kind"] == "货车").astype(int)
    rows["toll_level"] = toll_level(rows, when)
    rows["aum_level"] = np.searchsorted(AUM_CUTS, money["aum_average"], side="right")  # 过了几条线，就是第几档
    rows["inflow_level"] = np.searchsorted(INFLOW_CUTS, money["in_amount"], side="right")
    rows["young"] = (age <= 40).astype(int) + (age <= 30)
    rows["late"] = rows.index.isin(late).astype(int)
    return rows


# %%
year_ago = bank.as_of - months_back(12)
past = facts_at(year_ago)
first_loans = loans[loans["issue_date"] > year_ago]
past["drew"] = past.index.isin(first_loans["customer_id"]).astype(int)
factors = {"truck": ["客车", "货车"], "toll_level": ["通行费低", "通行费中", "通行费高"],
           "aum_level": ["资产最低档", "资产第二档", "资产第三档", "资产最高档"],
           "inflow_level": ["几乎没有流入", "流入低", "流入中", "流入高"],
           "young": ["41 岁以上或未知", "31-40 岁", "30 岁以下"], "late": ["没有逾期过", "逾期过"]}  # fmt: skip
evidence = []
for column, words in factors.items():
    table = weighted.rates(past["drew"], past["weight"], past[column])
    table["name"] = [words[level] for level in table.index]
    evidence.append(table[table["n"] >= MIN_CELL])
evidence = pd.concat(evidence)
average = weighted.rates(past["drew"], past["weight"]).iloc[0]

# %%
fig = cu.charts.bars_with_interval(evidence, label="name", count="n", reference=average["rate"], reference_label="平均")
standout = evidence[evidence["low"] > average["rate"]]["name"].tolist()
cu.charts.finish(fig, title=f"一年里借第一笔的占 {average['rate']:.1%}；整个区间高过平均的：{'、'.join(standout) or '没有'}",
                 alt="六类条件各档的一年内首借比例，细线为区间，虚线为平均。",
                 source=f"{bank.name}，{year_ago:%Y-%m-%d} 没有贷款的 ETC 客户 {len(past):,} 行，其中随后一年借款 {past['drew'].sum()} 行")  # fmt: skip
above = evidence.set_index("name")
cu.say(f"读法：横条离开虚线、细线也不碰虚线，这个条件才分得出先后；细线压着虚线的，给分要克制。{len(evidence)} 根细线里，光凭运气也会有 "
       f"{len(evidence) * 0.05:.0f} 根左右离开虚线，所以还要问一句：讲不讲得出道理？"
       f"资产最高档的首借比例是 {above['rate'].get('资产最高档', np.nan):.1%}，平均 {average['rate']:.1%}："
       + ("有钱的人并不更常借，“按资产排”这条经验要当心。" if above["rate"].get("资产最高档", 1) < average["rate"] else "这家银行里有钱的人也借。")
       + "“逾期过”的人数少，看不出什么，但它是准入问题，不是排序问题。")  # fmt: skip

# %%
row = np.select([past["truck"] == 1, past["toll_level"] == 2], ["货车", "客车·通行费高"], default="客车·其余")
column = np.array(["资产低", "资产中", "资产中", "资产高"])[past["aum_level"]]
cells = weighted.rates(past["drew"], past["weight"], [pd.Series(row, past.index), pd.Series(column, past.index)])
matrix = cells["rate"].where(cells["n"] >= SMALL_SAMPLE).unstack()
matrix = matrix.reindex(index=["货车", "客车·通行费高", "客车·其余"], columns=["资产低", "资产中", "资产高"])
best = matrix.stack().idxmax()
fig = cu.charts.heatmap(matrix, unit="%", decimals=1)
cu.charts.finish(fig, title=f"够样本的格子里，最高的是{best[0]}、{best[1]}：首借 {matrix.loc[best]:.0%}（区间 {cells.loc[best, 'low']:.0%} 到 {cells.loc[best, 'high']:.0%}）", alt="三乘三热力图，格内为一年内首借比例。",
                 source=f"{bank.name}，灰格样本不到 {SMALL_SAMPLE} 行；资产高：{AUM_CUTS[-1] / 1e4:g} 万元以上；资产低：不到 {AUM_CUTS[0] / 1e4:g} 万元")  # fmt: skip

# %% [markdown]
# **积分表**就是给每个条件的每一档写上几分，加起来排队。现行的表 `DESK_POINTS` [参数] 按资产和通行费加分。灵不灵，看**提升**：
# 名单最前面 `FIRST_SHARE` 的客户，首借比例是平均的几倍；一倍等于抽签。对手是一棵最多问三个问题的**决策树**（电脑自己挑条件切开）：
# 把客户分成五份，轮流用四份学、给剩下的一份打分，学的时候没见过考题；换五种分法各做一遍，免得碰上好运气。
#
# 下面的表一行是树的一个“叶子”，也就是一串问题的答案：`货车>0.5` 是“是货车”，`货车≤0.5` 是“不是货车”；
# `通行费档≤0.5` 是只有低档，`通行费档≤1.5` 是低档和中档。

# %%
def total_points(rows, table):
    return sum(rows[name].map(dict(enumerate(points))) for name, points in table.items())


def lift_of(scores):
    return weighted.lift(past["drew"], scores, past["weight"], FIRST_SHARE)


desk = lift_of(total_points(past, DESK_POINTS))
features = list(factors)
tree_lifts = [lift_of(trees.cross_fitted(past, features, "drew", "weight", seed=seed)) for seed in range(5)]
tree_lift = float(np.mean(tree_lifts))
short = dict(zip(features, ["货车", "通行费档", "资产档", "流入档", "年轻档", "逾期"], strict=True))
leaves = trees.leaves_table(trees.fit(past, features, "drew", "weight"), features, short)
cu.show(leaves, rows=None, names={"condition": "这棵树的问题", "n": "样本行数", "rate": "首借比例"}, units={"rate": "%"})
cu.say(f"现行积分表前 {FIRST_SHARE:.0%} 的提升是 **{desk:.2f} 倍**，{'还不如抽签' if desk < 0.95 else '和抽签差不多' if desk < 1.1 else '比抽签好一些'}；"
       f"决策树五遍平均 **{tree_lift:.2f} 倍**（最低 {min(tree_lifts):.2f}，最高 {max(tree_lifts):.2f}）。随后一年借款的只有 "
       f"{past['drew'].sum()} 行，提升本来就晃得厉害：差零点一倍不算差别。练习 E3 请你做一张更好的。")  # fmt: skip

# %% [markdown] outline=["S004-C5.4"]
# ## 演示五：潜力分布在哪里
#
# 把同一套条件用到今天。先过**门槛**，再谈潜力：年满 18 岁不到 66 岁、不是在校学生、有有效的营销授权、没有谢绝来电、电话有效、没有逾期记录、
# 通行费没有大降 [定义]。剩下的按“车型 × 年轻程度”套用去年的首借比例，乘权数，得到**预计首借户数**：它假定明年和去年一样，是盘子，不是任务。

# %%
today = facts_at(bank.as_of)
today = today if BRANCH is None else today[today["branch_id"] == BRANCH]
agreed = bank.load("consent", ["customer_id", "scope", "granted", "expire_date"])
agreed = agreed[(agreed["scope"] == "营销") & agreed["granted"] & ~(agreed["expire_date"] < bank.as_of)]
fell = holders.set_index("customer_id")["fell"].reindex(today.index).fillna(False).astype(bool)
student = today.index.isin(people.loc[people["occupation"] == "学生", "customer_id"])
gates = pd.DataFrame({"年龄合适、不在校": today["age"].between(18, 65) & ~student, "有营销授权": today.index.isin(agreed["customer_id"]),
                      "没有谢绝来电": ~today["do_not_call"], "电话有效": today["phone_valid"],
                      "没有逾期过": today["late"] == 0, "通行费没有大降": ~fell})  # fmt: skip
steps = gates.cumprod(axis=1).mul(today["weight"], axis=0).sum()
steps = pd.concat([pd.Series({"没有贷款的车主": today["weight"].sum()}), steps])
fig = cu.charts.funnel_steps(steps)
cu.charts.finish(fig, title=f"{steps['没有贷款的车主']:,.0f} 户里能联系的有 {steps['通行费没有大降']:,.0f} 户", alt="逐道门槛的漏斗。",
                 source=f"{bank.name}，{where}，按权数推算的户数")  # fmt: skip

# %%
reach = today[gates.all(axis=1)].copy()
cell = weighted.rates(past["drew"], past["weight"], [past["truck"], past["young"]])
keys = pd.MultiIndex.from_frame(reach[["truck", "young"]])
for side in ("rate", "low", "high"):
    reach[side] = cell[side].reindex(keys).to_numpy() * reach["weight"]
spots = reach.groupby("town_id").agg(n=("weight", "size"), customers=("weight", "sum"), first=("rate", "sum")).join(town)
spots = spots[spots["n"] >= MIN_CELL].sort_values("first", ascending=False)
spots["per_hundred"] = spots["first"] / spots["customers"] * 100
total = reach[["rate", "low", "high"]].sum()
cu.say(f"{where}预计首借 **{total['rate']:,.0f} 户**，把去年比例的区间带进来是 {total['low']:,.0f} 到 {total['high']:,.0f} 户：当盘子看，别当任务派。")

# %%
if len(spots):
    fig = cu.charts.bubble_map(spots, "x_km", "y_km", size="first", color="per_hundred", label="town_name",
                               x_unit="公里", y_unit="公里", color_label="每百户预计首借")  # fmt: skip
    fig.axes[0].set_aspect("equal")
    cu.charts.finish(fig, title=f"预计首借户数最多的是{spots['town_name'].iloc[0]}，占 {spots['first'].iloc[0] / total['rate']:.0%}",
                     alt="各乡镇中心的位置上画圆，圆越大预计首借户数越多。", source=f"{bank.name}，点在乡镇中心，不到 {MIN_CELL} 行的乡镇不画")  # fmt: skip
    low, high = spots["per_hundred"].min(), spots["per_hundred"].max()
    cu.say(f"圆大是因为人多。看颜色才是密度：每百户预计首借从 {low:.1f} 到 {high:.1f} 户，"
           + ("各镇相差很小，不必为了颜色调兵，按户数和人手来分就行。" if high < 1.3 * low else "深色的镇值得先去。"))  # fmt: skip

# %%
branches = bank.load("branch", ["branch_id", "branch_name"]).set_index("branch_id")["branch_name"]
by_branch = reach.groupby("branch_id").agg(n=("weight", "size"), customers=("weight", "sum"), first=("rate", "sum"))
by_branch.index = by_branch.index.map(branches)
hidden = by_branch["n"] < MIN_CELL
by_branch.loc[hidden, ["customers", "first"]] = np.nan
cu.show(by_branch.sort_values("first", ascending=False), rows=8, title="支行的潜力：样本太少的只报行数，不报推算",
        names={"branch_id": "支行", "n": "样本行数", "customers": "可联系户数", "first": "预计首借户数"})  # fmt: skip
cu.say(f"{len(by_branch)} 家支行里有 {hidden.sum()} 家样本不到 {MIN_CELL} 行，不报推算数：几行样本乘权数，会变出一个吓人的假数。")

# %% [markdown]
# ## 演示六：通行费是不是行踪
#
# 《个人信息保护法》把**行踪轨迹**和金融账户列为敏感个人信息：处理要有特定目的、充分必要，并取得**单独同意**（第二十八、二十九条 [来源：个人信息保护法]）。
# 本行的表只有每月合计，没有路段和时间，还算不上轨迹；可是精确到分的通行费像指纹，和别处的记录一对，就能认出人。
# 用到哪一步为止，本课程的规矩是：**够用就停**。只用“同车型里的低、中、高”，不把金额放进名单；不拿它推断客户去过哪里。
# 下面量一量，粗化换来了什么。

# %%
release = holders[["town_id", "vehicle_kind", "toll_12m"]].copy()
release["精确到元"] = release["toll_12m"].round()
release["精确到百元"] = release["toll_12m"].round(-2)
rank = release.groupby("vehicle_kind")["toll_12m"].rank(pct=True)
release["只留三档"] = np.ceil(rank * 3)
alone = {name: (release.groupby(["town_id", "vehicle_kind", name])["toll_12m"].transform("size") == 1).mean()
         for name in ("精确到元", "精确到百元", "只留三档")}  # fmt: skip
cu.show(pd.Series(alone, name="share").to_frame(), rows=None, units={"share": "%"},
        names={"index": "通行费的写法", "share": "同镇同车型里独一份的人"})  # fmt: skip
cu.say(f"写到元，{alone['精确到元']:.0%} 的车主在本镇同车型里独一份；只留三档，降到 {alone['只留三档']:.1%}。"
       f"排序用的 `toll_level` 本来就只有三档，所以粗化没有让积分表损失任何东西：**最小必要在这里不花钱。** "
       "营销授权不等于同意用通行费来营销，正式使用前要请法律合规部门确认单独同意。")  # fmt: skip

# %% [markdown]
# ## 练习
#
# **E1 ★ 补上丢掉的人** 给 `holders` 里的车主按十岁一段数户数：行是年龄段（用 `TEN_EDGES`、`TEN_LABELS`，左边界算在内，
# 缺出生年的归“未知”），列是 `男`、`女`，值是**按权数推算的户数**（不是占比），没有人的格子写零，不加合计。
# 赋给 `etc_table`，行的索引叫 `age_band`。留神：`pd.cut` 分出来的段是定死的，直接补“未知”会报错，先用 `.astype("object")` 换成普通文字。

# %% tags=["answer:E1"]
etc_table = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
band = pd.cut(holders["age"], TEN_EDGES, right=False, labels=TEN_LABELS)
band = band.astype("object").fillna("未知").rename("age_band")
etc_table = holders.pivot_table(index=band, columns="gender", values="weight", aggfunc="sum", fill_value=0)
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:dropped_unknown"]
band = pd.cut(holders["age"], TEN_EDGES, right=False, labels=TEN_LABELS).rename("age_band")
etc_table = holders.pivot_table(index=band, columns="gender", values="weight", aggfunc="sum", observed=True, fill_value=0)

# %% tags=["wrong:E1:counted_rows"]
band = pd.cut(holders["age"], TEN_EDGES, right=False, labels=TEN_LABELS)
band = band.astype("object").fillna("未知").rename("age_band")
etc_table = holders.pivot_table(index=band, columns="gender", values="weight", aggfunc="size", fill_value=0)

# %% tags=["wrong:E1:right_edges"]
band = pd.cut(holders["age"], TEN_EDGES, labels=TEN_LABELS).astype("object").fillna("未知").rename("age_band")
etc_table = holders.pivot_table(index=band, columns="gender", values="weight", aggfunc="sum", fill_value=0)

# %% tags=["wrong:E1:mixed_in"]
band = pd.cut(holders["age"].fillna(TEN_EDGES[0]), TEN_EDGES, right=False, labels=TEN_LABELS).rename("age_band")
etc_table = holders.pivot_table(index=band, columns="gender", values="weight", aggfunc="sum", observed=True, fill_value=0)

# %% tags=["alternative:E1:group_and_unstack"]
place = np.searchsorted(TEN_EDGES, holders["age"].fillna(0), side="right") - 1
named = pd.Series([TEN_LABELS[k] if k >= 0 else "未知" for k in place], holders.index, name="age_band")
etc_table = holders.groupby([named, "gender"])["weight"].sum().unstack(fill_value=0)

# %% [markdown]
# **E2 ★★ 货车的贷款覆盖** 各乡镇**货车**车主的贷款覆盖率：按权数算，带区间；样本不到 `MIN_CELL` 行的乡镇，
# 比例和区间都写成空值（`np.nan`，不是零），这一行要留着，行数照报。赋给 `truck_town`（索引 `town_id`，列 `n`、`rate`、`low`、`high`）。

# %% tags=["answer:E2"]
truck_town = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
lorry = holders[holders["vehicle_kind"] == "货车"]
truck_town = weighted.rates(lorry["has_loan"], lorry["weight"], lorry["town_id"])
truck_town.loc[truck_town["n"] < MIN_CELL, ["rate", "low", "high"]] = np.nan
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:forgot_small_cells"]
lorry = holders[holders["vehicle_kind"] == "货车"]
truck_town = weighted.rates(lorry["has_loan"], lorry["weight"], lorry["town_id"])

# %% tags=["wrong:E2:every_row_alike"]
lorry = holders[holders["vehicle_kind"] == "货车"]
truck_town = weighted.rates(lorry["has_loan"], lorry["weight"] * 0 + 1, lorry["town_id"])
truck_town.loc[truck_town["n"] < MIN_CELL, ["rate", "low", "high"]] = np.nan

# %% tags=["wrong:E2:all_vehicles"]
truck_town = weighted.rates(holders["has_loan"], holders["weight"], holders["town_id"])
truck_town.loc[truck_town["n"] < MIN_CELL, ["rate", "low", "high"]] = np.nan

# %% tags=["wrong:E2:dropped_towns"]
lorry = holders[holders["vehicle_kind"] == "货车"]
truck_town = weighted.rates(lorry["has_loan"], lorry["weight"], lorry["town_id"])
truck_town = truck_town[truck_town["n"] >= MIN_CELL]

# %% tags=["wrong:E2:zero_for_empty"]
lorry = holders[holders["vehicle_kind"] == "货车"]
truck_town = weighted.rates(lorry["has_loan"], lorry["weight"], lorry["town_id"])
truck_town.loc[truck_town["n"] < MIN_CELL, ["rate", "low", "high"]] = 0

# %% tags=["alternative:E2:by_hand"]
lorry = holders[holders["vehicle_kind"] == "货车"].assign(square=lambda t: t["weight"] ** 2)
lorry["hit"] = lorry["has_loan"] * lorry["weight"]
sums = lorry.groupby("town_id").agg(n=("hit", "size"), w=("weight", "sum"), square=("square", "sum"), hit=("hit", "sum"))
real = sums["w"] ** 2 / sums["square"]
limits = cu.analysis.experiment.wilson(sums["hit"] / sums["w"] * real, real)
truck_town = limits.where(sums["n"] >= MIN_CELL).assign(n=sums["n"])

# %% [markdown]
# **E3 ★★★ 做一张更好的积分表** 照 `DESK_POINTS` 的样子写一个字典，赋给 `point_table`：键是条件的列名（`truck`、`toll_level`、
# `aum_level`、`inflow_level`、`young`、`late`，可以不全用），值是**每一档几分**的列表，档从低到高，档数要和 `factors` 里一样多。
# 例如 `"toll_level": [0, 1, 2]` 是通行费低、中、高各加零分、一分、两分。规矩：每个分数是 −5 到 5 的整数 [定义]；逾期过的不能比没逾期的分高。
# 过关：前 `FIRST_SHARE` 的提升不低于决策树的 `tree_lift` 减 0.1，也不低于 1.1 倍（一倍就是抽签） [定义]。
# 想试提升是多少：`lift_of(total_points(past, point_table))`。你是看着这一年的答案改分的，得数会偏高：正式用以前要拿另一年再考一次。

# %% tags=["answer:E3"]
point_table = ...  # ← 把 ... 换成你的积分表
### BEGIN SOLUTION
point_table = {"truck": [0, 4], "young": [0, 2, 2], "aum_level": [1, 1, 1, 0], "inflow_level": [0, 0, 0, 1], "late": [0, -3]}
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:rich_first"]
point_table = {"aum_level": [0, 1, 3, 5], "toll_level": [0, 1, 2]}

# %% tags=["wrong:E3:same_for_all"]
point_table = {"truck": [0, 0]}

# %% tags=["wrong:E3:toll_first"]
point_table = {"toll_level": [0, 3, 5], "late": [0, -3]}

# %% tags=["wrong:E3:too_weak"]
point_table = {"inflow_level": [3, 2, 1, 0], "young": [2, 1, 0]}

# %% tags=["wrong:E3:upside_down"]
point_table = {"truck": [4, 0], "young": [2, 0, 0], "aum_level": [0, 0, 0, 1]}

# %% tags=["wrong:E3:rewards_lateness"]
point_table = {"truck": [0, 4], "young": [0, 1, 2], "aum_level": [1, 1, 1, 0], "inflow_level": [0, 0, 0, 1], "late": [0, 2]}

# %% tags=["alternative:E3:other_points"]
point_table = {"truck": [0, 5], "young": [0, 2, 2], "inflow_level": [0, 0, 0, 1], "aum_level": [1, 1, 1, 0]}

# %% [markdown]
# **E4 ★★★ 写指令** 通行费大降的**货车**车主怎么处理？用一段话写给支行，赋给 `instruction`，五十到两百字。要写清三件事：
# 先做什么（核实，怎么去；没有贷款的不去打听）、不能做什么、什么时候再谈贷款。至少引用 `fallen` 里的两个数，其中必须有**大降的货车车主一共几位**
# （“合计”那一行，样本行数）。数可以直接打在引号里；除了“几天内”这样的期限，别的阿拉伯数字都要能在 `fallen` 里找到。

# %% tags=["answer:E4"]
fallen = holders[holders["truck"]].groupby("has_loan").agg(
    trucks=("fell", "size"), fell=("fell", "sum"), late=("late", "sum"))  # fmt: skip
fallen.loc["合计"] = fallen.sum()
cu.show(fallen.rename(index={True: "有贷款", False: "没有贷款"}), rows=None, title=f"{where}货车车主（样本行数）",
        names={"has_loan": "贷款", "index": "贷款", "trucks": "货车车主", "fell": "其中通行费大降", "late": "其中近六月有过逾期"})  # fmt: skip
instruction = "?"
### BEGIN SOLUTION
instruction = (f"货车车主 {fallen.loc['合计', 'trucks']:.0f} 位，其中 {fallen.loc['合计', 'fell']:.0f} 位近三月通行费大降。有贷款的，请客户经理先上门核实："
               "车是停了、卖了，还是换了卡。核实以前不推贷款，也不得据此压贷、抽贷或催收；确有困难的，谈展期和还款安排。"
               "恢复跑车三个月后，再凭运单重新评估。没有贷款的不去打听。")  # fmt: skip
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:pull_the_loans"]
instruction = (f"货车车主 {fallen.loc['合计', 'trucks']:.0f} 位，其中 {fallen.loc['合计', 'fell']:.0f} 位通行费大降，说明经营恶化。"
               "请支行立即核实名单并抽贷，没有贷款的一律列入黑名单，不得再谈贷款，恢复以后也不考虑。")  # fmt: skip

# %% tags=["wrong:E4:press_first"]
instruction = (f"货车车主 {fallen.loc['合计', 'trucks']:.0f} 位，其中 {fallen.loc['合计', 'fell']:.0f} 位通行费大降，风险上升。"
               "请客户经理上门核实，并提前收回贷款、压降额度，不得新增授信；恢复以后再谈。名单按月上报。")  # fmt: skip

# %% tags=["wrong:E4:sell_at_once"]
instruction = (f"货车车主 {fallen.loc['合计', 'trucks']:.0f} 位，其中 {fallen.loc['合计', 'fell']:.0f} 位通行费大降。请客户经理上门核实，"
               "缺钱的当场营销一笔周转贷款，不要错过机会；恢复以后再谈提额，每一户都要走到。")  # fmt: skip

# %% tags=["wrong:E4:number_from_nowhere"]
instruction = (f"大降的货车车主有 {fallen.loc['合计', 'fell']:.0f} 位，逾期风险高出 87.5%。请先上门核实车辆情况，"
               "核实以前不得压贷抽贷，也不推贷款；恢复三个月以后再重新评估。")  # fmt: skip

# %% tags=["wrong:E4:no_count"]
instruction = (f"本行有货车车主 {fallen.loc['合计', 'trucks']:.0f} 位，有贷款的 {fallen.loc[True, 'trucks'] if True in fallen.index else 0:.0f} 位。"
               "通行费突然变少的，请先打电话核实原因，不得据此抽贷；恢复跑车以后再谈贷款。")  # fmt: skip

# %% tags=["alternative:E4:shorter"]
instruction = (f"通行费大降的货车车主有 {fallen.loc['合计', 'fell']:.0f} 位（货车共 {fallen.loc['合计', 'trucks']:.0f} 位）。请先走访核实停运原因，"
               "核实之前不能营销贷款，也不能只凭通行费压降额度；等恢复运营再评估授信。")  # fmt: skip

# %% tags=["alternative:E4:no_blacklist"]
instruction = (f"货车车主 {fallen.loc['合计', 'trucks']:.0f} 位里有 {fallen.loc['合计', 'fell']:.0f} 位通行费大降。七天内电话或上门问清是停了、卖了还是换了卡，"
               "核实以前不得压贷抽贷，不得列入黑名单，也不要营销；恢复跑车以后再重新评估。")  # fmt: skip

# %% [markdown]
# ## 成果
#
# 名单按你的积分表排队（没做出来就用参考的表），每家支行只给前 `FIRST_SHARE`。名单上**没有通行费金额**，只有车型和打分；
# 大降的货车只列**有贷款的**，另作一页，写“贷后先核实，不营销”：没有贷款的人，没有理由去查他跑了多少路。到期销毁。

# %%
cu.carry_on("E3")
reach["points"] = total_points(reach, point_table)
reach["place"] = reach.groupby("branch_id")["points"].rank(method="first", ascending=False, pct=True)
calls = reach[reach["place"] <= FIRST_SHARE].reset_index().sort_values(["branch_id", "points", "customer_id"],
                                                                       ascending=[True, False, True])  # fmt: skip
calls["vehicle"] = calls["vehicle_kind"].astype("str")
visits = holders[holders["truck"] & holders["fell"] & holders["has_loan"]][["branch_id", "customer_id", "masked_name"]]
visits = visits.assign(action="贷后先核实，不营销")
words = {"vehicle": "车型", "points": "积分", "action": "动作"}
path = cu.deliver.call_list(
    bank.output_dir("m03_n05") / "ETC交叉营销名单.xlsx", calls[["branch_id", "customer_id", "masked_name", "vehicle", "points"]],
    branch_column="branch_id", title="ETC 交叉营销名单", purpose="ETC 客户信贷需求问候", names=words,
    purge_date=bank.as_of + pd.Timedelta(days=PURGE_DAYS), notes=["只问需求，不承诺额度和利率。", "不得向客户提及通行费和行程。", "打分用到通行费档，下发前须经合规确认单独同意。"],
    extra={"货车核实": cu.deliver.Sheet(visits, "通行费大降、有贷款的货车", names=words, notes=["本页只作贷后核实，不得用于营销。"])})  # fmt: skip
cu.say(f"`{path.name}`：{calls['branch_id'].nunique()} 家支行共 {len(calls):,} 位客户，另有 {len(visits)} 位有贷款的货车车主做贷后核实、不营销。")

# %% [markdown]
# ## 讨论
#
# 通行费不是行程，但离行程只有一步。线画在哪里？可以从这几个方向争一争：
#
# - 客户办 ETC 时同意的是“代扣通行费”。拿它来排贷款名单，要不要再问他一次？
# - 通行费大降就上门“关心”，客户会不会觉得被盯着？这句话你打算怎么说？
# - 一个只有三档的数，和一个精确到元的数，排序一样好：那我们为什么还要存后一个？
#
# ## 小结
#
# 画像要有底子比，比例要乘权数、带区间，几户的格子不出数。先打谁，用去年的事实来检验：资产多和跑得多都不一定灵，积分表要公开、要能改。
# 通行费够用就停：只留三档，大降先核实，不拿它定案。
#
# 下一课：按揭客群的质量、交叉覆盖与分级。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 生成器里，货车占车主的一成不到，却占**潜在**信贷需求的三成左右。潜在需求是造数时的一个变量，任何表里都没有，所以课堂上找不到、也不该去找它；
# 能对上的只有“占车主的比例”（真值按样本行数算，课上按权数算的会小一些），以及它留下的影子：货车的贷款覆盖和首借比例更高。通行费大降的逾期倍数、覆盖最低的乡镇、
# 26-40 岁女性社保卡偏低 [定义]，都能在表里看到。
#
# 常见的弯路：忘了乘权数；拿今天的通行费去“预测”去年的借款；把大降的货车当坏客户。时间：演示一到三用一半，积分表讨论留足时间。

# %% tags=["instructor"]
trucks_share = (etc_users["vehicle_kind"] == "货车").mean()
found = {"truck_need": [float(trucks_share), "潜在需求看不见"], "toll_drop": times if counts["size"].min() >= MIN_CELL else None,
         "low_town": card["rate"].idxmin()}  # fmt: skip
cu.reveal(bank, "m03_n05", found, names={"truck_need": "货车占户数与占潜在需求", "toll_drop": "大降与没降的逾期之比",
                                         "low_town": "社保卡覆盖最低的乡镇"})  # fmt: skip
