# %% [markdown]
# # 不良客户偿还能力分级
#
# 课程：银行数据应用 · 大纲：S004-R、S004-R1、S004-R1.1、S004-R1.2、S004-R1.3 · 难度：L2 · 用时：75 分钟
#
# 学完本课，你能：
#
# - 把不良贷款和存款、流水合法地连起来，算出每户的偿还能力，分成 A 到 E 五级；
# - 用历史回收检验分级灵不灵，知道能力、意愿和承诺各说明什么；
# - 按三乘五的动作矩阵排出这一周的清收顺序，话术和取数都不越线。
#
# Abstract: Connect bad loans with deposits and flows lawfully, grade ability and willingness to repay, test the grades against past recoveries, and plan a lawful week of work-out.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 周计划和分级表看哪家支行：None 表示全行（分级和历史总是用全行）
LIVING_FLOOR = 1500  # 每月给债务人留的基本生活费，元
RESERVE_MONTHS = 6  # 手里的钱先留几个月生活费
USABLE = 0.5  # 扣掉生活费以后的流入，多大比例能用来还债
MARGIN = 0.15  # 收单收款里多大比例能当收入（毛利）
GRADE_CUTS = [1.0, 0.5, 0.2]  # 能力比的三条线：A、B、C 的下限
RECENT_DAYS = 90  # 看意愿用近多少天的清收记录
KAPPA = 20  # 收缩：把多少户的总体平均掺进每一级
HAIRCUT = 0.6  # 押品评估价打几折算变现
WEEK_MINUTES = 1800  # 清收小组这一周一共多少分钟
COOL_DAYS = 7  # 多少天内联系过的，这一周不再联系
CALL_HOURS = [9, 20]  # 只在几点到几点之间联系

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m04_n04", BANK, AS_OF)
wide, experiment = cu.analysis.caliber.wide, cu.analysis.experiment

# %% [markdown] outline=["S004-R"]
# ## 业务情境
#
# 清收主任有一本不良台账，按欠款从大到小排。他想换个排法：“欠得最多的，往往早就没钱了。**能不能看看谁手里还有钱、谁还有进账，
# 先找还得起的谈？**”
#
# 存款、工资、收款的数据都在行里，连起来不难。难的是三件事：**什么叫还得起**，要给人留下吃饭的钱；**还得起和肯还是两回事**；
# **有些数据看得到，也不许用**，比如债务人家里人的账户。
#
# 这些数据**不能**说明的事：他在别家银行有多少钱、欠别人多少；进账是不是真的收入；过去谁还了多少，也受当时怎么催的影响，
# 所以等级和回收的关系不是因果。课程数据的回收比例是生成器埋下的，不代表任何一家银行。
#
# ## 数据
#
# 主角是不良案件和清收动作，配角是客户月度、收单月度和押品。案件表里有一列 `household_id`（家庭号），契约写明**锁定**：
# 不得用家庭成员的账户评估或催收。本课从头到尾不取这一列。

# %%
cu.dictionary(bank, {
    "npl_case": ["loan_id", "customer_id", "npl_date", "principal", "interest", "penalty", "fees", "legal_stage",
                 "household_id", "recovered_12m", "contactable"],
    "npl_action": ["loan_id", "action_date", "kind", "connected", "promise_kept", "paid_amount", "cost", "minutes"],
    "customer_month": ["deposit_end", "wealth_average", "in_amount", "external_bank_in_amount"],
})  # fmt: skip

# %% [markdown] outline=["S004-R1", "S004-R1.1"]
# ## 演示一：欠多少，手里有多少
#
# **债务**要算全：本金、利息、罚息复利、代垫费用，截到今天。先看个人和个体工商户；企业看报表和抵押，另有办法。
#
# 再把同一个人在本行的存款连过来。注意用**客户号**连，只连债务人本人；同一个人有两笔不良的，钱只有一份，债要合起来算。

# %%
case = bank.load("npl_case", columns=["loan_id", "customer_id", "npl_date", "principal", "interest", "penalty", "fees",
                                      "legal_stage", "recovered_12m", "contactable"])  # fmt: skip
loan = bank.load("loan", columns=["loan_id", "branch_id", "product_code", "guarantee", "settle_date"])
person = bank.load("customer", columns=["customer_id", "customer_type", "masked_name"])
case = case.merge(loan, on="loan_id").merge(person, on="customer_id")
case = case[case["customer_type"] != "企业"]
case["debt"] = case[["principal", "interest", "penalty", "fees"]].sum(axis=1)
todo = case[case["settle_date"].isna() & (case["debt"] > 0)].drop(columns=["recovered_12m", "settle_date"])
todo["owed"] = todo.groupby("customer_id")["debt"].transform("sum")
parts = todo[["principal", "interest", "penalty", "fees"]].sum()
cu.say(f"还开着的个人不良 **{len(todo)}** 笔，{todo['customer_id'].nunique()} 人（样本），欠 {todo['debt'].sum() / 1e4:,.0f} 万元，"
       f"其中本金占 {parts['principal'] / parts.sum():.0%}，利息、罚息和费用占 {1 - parts['principal'] / parts.sum():.0%}。"
       f"一户欠款中位数 {todo['owed'].median() / 1e4:.1f} 万元，最多的一户 {todo['owed'].max() / 1e4:,.0f} 万元。")  # fmt: skip

# %%
fields = ["month", "customer_id", "deposit_end", "wealth_average", "in_amount", "external_bank_in_amount"]
monthly = bank.load("customer_month", columns=fields)
monthly = monthly[monthly["customer_id"].isin(case["customer_id"])]
deposit = wide(monthly, "deposit_end")
todo["deposit"] = todo["customer_id"].map(deposit.iloc[:, -1]).fillna(0)
people = todo.drop_duplicates("customer_id")
holders = people["deposit"] >= 0.2 * people["owed"]
share = experiment.wilson([holders.sum()], [len(people)]).iloc[0]
shown = people.assign(part=people["deposit"] / people["owed"])
cu.charts.finish(cu.charts.histogram(shown["part"].clip(upper=1), bins=np.arange(0, 1.05, 0.05), unit="%", cuts={"两成": 0.2}),
                 title=f"存款够还两成以上的债务人占 {share['rate']:.1%}", source=f"{bank.name}，{len(people)} 人，{bank.as_of:%Y-%m-%d}",
                 alt="债务人本行存款占欠款的分布，虚线是两成。")  # fmt: skip
cu.say(f"{holders.sum()} 人在本行的存款够还两成以上的债（占 {share['rate']:.1%}，区间 {share['low']:.1%} 到 {share['high']:.1%}），"
       f"半数人的存款不到欠款的 {shown['part'].median():.1%}。有存款不等于可以直接划走，**抵销要有合同约定、符合法律规定并通知本人**，演示六再说。")  # fmt: skip

# %% [markdown] outline=["S004-R1.2"]
# ## 演示二：能力比和五个等级
#
# 存款只是今天手里的，还要看明天的进账。两项相加，再和欠款比：
#
# - [定义] **手里能动的** = 存款和理财 − 6 个月基本生活费（`RESERVE_MONTHS` × `LIVING_FLOOR`），不够就是零；
# - **一年能挤出的** = 12 × （月流入 − 月生活费）× 50%（`USABLE`），不够就是零；
# - **能力比** = 两项之和 ÷ 欠款。A 级 1 倍及以上，B 级 0.5 及以上，C 级 0.2 及以上，D 级有一点，E 级一点没有。
#
# **月流入**取近十二个月的中位数，本人从他行转入的不算；商户的收款是营业额，不是收入，只算 `MARGIN` 那么多。
# 生活费按一个人留，家里有几口人、要养几个老人，数据里看不到，也不该去翻家庭号，谈的时候**问本人**。

# %%
money = deposit + wide(monthly, "wealth_average")
inflow = wide(monthly, "in_amount") - wide(monthly, "external_bank_in_amount")
shops = bank.load("merchant", columns=["merchant_id", "customer_id"])
sales = bank.load("merchant_month", columns=["merchant_id", "month", "transaction_amount"]).merge(shops, on="merchant_id")
sales = wide(sales[sales["customer_id"].isin(money.index)], "transaction_amount")
sales = sales.reindex(index=money.index, columns=money.columns).fillna(0)
income = (inflow - (1 - MARGIN) * sales).clip(lower=0)


def ability_at(when, who, owed):
    free = (money.loc[who, when].fillna(0) - RESERVE_MONTHS * LIVING_FLOOR).clip(lower=0)
    usual = income.loc[who, :when].iloc[:, -12:].median(axis=1)
    future = 12 * USABLE * (usual - LIVING_FLOOR).clip(lower=0)
    table = pd.DataFrame({"free": free, "future": future, "income": usual})
    return table.set_axis(owed.index).assign(ratio=lambda t: (t["free"] + t["future"]) / owed)

# %% tags=["board:lending:table"]
def grade(ratio):
    return np.select([ratio >= cut for cut in GRADE_CUTS] + [ratio > 0], ["A", "B", "C", "D"], default="E")


todo = todo.join(ability_at(money.columns[-1], todo["customer_id"], todo["owed"]))
todo["grade"] = grade(todo["ratio"])
todo["means"] = (todo["free"] + todo["future"]) * todo["debt"] / todo["owed"]  # 两笔不良的，按欠款分摊
grades = todo.groupby("grade").agg(cases=("loan_id", "size"), debt=("debt", "sum"), ratio=("ratio", "median"), means=("means", "sum"))
grades = grades.reindex(list("ABCDE")).fillna({"cases": 0, "debt": 0, "means": 0}).astype({"cases": int})
cu.show(grades, rows=None, units={"debt": "万元", "means": "万元", "ratio": "倍"}, title="偿还能力分级",
        names={"grade": "等级", "cases": "笔数", "debt": "欠款", "ratio": "能力比中位数", "means": "一年内拿得出"})  # fmt: skip
strong = todo["grade"].isin(["A", "B"])
top = todo.nlargest(10, "debt")["grade"].isin(["D", "E"]).sum()
cu.say(f"A、B 两级 {strong.sum()} 笔，占笔数的 {strong.mean():.0%}、欠款的 {todo.loc[strong, 'debt'].sum() / todo['debt'].sum():.0%}。"
       f"欠款最多的十笔里有 {top} 笔是 D 级或 E 级：按欠款排序，头一批电话里**{'多半' if top > 5 else '有一部分' if top else '恰好没有'}**打给还不起的人。")  # fmt: skip

# %%
dots = todo.assign(means=todo["means"].clip(lower=1000)).sort_values("grade")
fig = cu.charts.bubble_map(dots, x="debt", y="means", color="grade", x_unit="万元", y_unit="万元", color_label="等级", log=True)
ax = fig.axes[0]
for cut in GRADE_CUTS:
    ax.axline((1e5, 1e5 * cut), (1e6, 1e6 * cut), color=cu.charts.NEUTRAL, linestyle="--", linewidth=1)
ax.set_xlabel("欠款（万元，对数轴）")
ax.set_ylabel("一年内拿得出（万元，对数轴）")
rank = todo[["debt", "means"]].corr("spearman").iloc[0, 1]
tie = "欠得多的也拿得出多一些" if rank > 0.2 else "欠得多的反而拿不出" if rank < -0.2 else "欠多少和拿得出多少几乎没有关系"
cu.charts.finish(fig, title=f"{tie}（秩相关 {rank:+.2f}）", alt="每笔不良的欠款与一年内拿得出的钱，三条虚线分出等级。",
                 source=f"{bank.name}，{len(todo)} 笔；拿不出一千元的画在一千元线上；虚线为 A、B、C 的下限")  # fmt: skip

# %% [markdown]
# ## 演示三：肯不肯还
#
# 有钱不还的人有，没钱却月月还两百的人也有。意愿不用猜，清收记录里有三种看得见的信号：
#
# - **部分还款**：近 `RECENT_DAYS` 天还过一点，多少不论；
# - **联系**：本人联系得上；
# - **承诺兑现**：到期的承诺里，兑现了几成。
#
# 本课程定义 [定义]：还过钱，或到期承诺兑现过半，意愿**高**；不然的话，联系不上，或者到期承诺一次也没兑现，意愿**低**；其余**中**。

# %%
action = bank.load("npl_action", columns=["loan_id", "action_date", "kind", "connected", "promised_date", "promise_kept",
                                          "paid_amount", "cost", "minutes"])  # fmt: skip
action[["connected", "promise_kept"]] = action[["connected", "promise_kept"]].astype("Float64").astype(float)
recent = action[action["action_date"] > bank.as_of - pd.Timedelta(days=RECENT_DAYS)]
signal = recent.groupby("loan_id").agg(paid=("paid_amount", "sum"), connected=("connected", "mean"),
                                       kept=("promise_kept", "mean"))  # fmt: skip
todo = todo.join(signal, on="loan_id").fillna({"paid": 0})
high = (todo["paid"] > 0) | (todo["kept"] >= 0.5)
low = ~todo["contactable"] | (todo["kept"] == 0)
todo["will"] = np.select([high, low], ["高", "低"], default="中")
counts = pd.crosstab(todo["will"], todo["grade"]).reindex(index=["高", "中", "低"], columns=list("ABCDE"), fill_value=0)
cu.show(counts, rows=None, title="意愿 × 能力（笔数）", names={"will": "意愿"})
able_low = counts.loc["低", ["A", "B"]].sum()
poor_high = counts.loc["高", ["D", "E"]].sum()
cu.say(f"还得起却没有意愿的 {able_low} 笔，还不起却还在还的 {poor_high} 笔。前一种要讲法律，后一种要给办法：**一张名单按同一套话打，两头都打错**。")

# %%
if bank.has("transaction"):
    leads = cu.analysis.leads
    lines = bank.load("transaction", columns=list(leads.ROWS))
    lines = lines[lines["customer_id"].isin(todo["customer_id"])]
    elsewhere = leads.lender_features(lines, bank.load("lender_keyword"), bank.as_of)
    others = (elsewhere["online_lenders"] + elsewhere["bank_loans"] > 0).sum()
    cu.say(f"流水是抽样的，只看得到 {len(elsewhere)} 位债务人。其中近三个月还在按月还**别家**贷款的"
           f"{f'有 {others} 位' if others >= 5 else '不到五位，人太少，不列数'}：先还别家，也是一种意愿信号。"
           "它只能提醒经办人问一句，不能当面说“我们看到您在还别家”。")  # fmt: skip
else:
    cu.say(f"本行没有{'、'.join(bank.missing('transaction'))}，看不到债务人在不在还别家。")

# %% [markdown]
# ## 演示四：历史上，哪一级还了多少
#
# 等级是定义出来的，灵不灵要看过去：满一年的老案子，**站在认定那天**给它评级，再看之后十二个月收回了多少。
# 评级只能用认定日之前的月度数据，不然就是拿结果解释结果。月度表只有两年，所以能评级的老案子不多。
#
# 另外两把尺子不受月度表限制，案子多一些：在本行有没有代发工资（取数日的状态，只能当参考），
# 认定后半年内的承诺有没有兑现（看半年**以后**收回多少，半年内的不算，免得自己证明自己）。

# %%
balances = bank.load("loan_month", columns=["loan_id", "month", "balance"])
past = case.dropna(subset=["recovered_12m"]).drop(columns="debt")
balances = balances[balances["loan_id"].isin(past["loan_id"])].merge(past[["loan_id", "npl_date"]], on="loan_id")
balances = balances[balances["month"] < balances["npl_date"]].sort_values("month")
past["owed"] = past["loan_id"].map(balances.groupby("loan_id", observed=True)["balance"].last())
past = past[past["owed"] > 0]
past["share"] = (past["recovered_12m"] / past["owed"]).clip(0, 1)
past["seen"] = past["npl_date"].dt.to_period("M").dt.to_timestamp() - pd.Timedelta(days=1)
rated = past[past["seen"] >= money.columns[2]].reset_index(drop=True)
pieces = [ability_at(when, part["customer_id"], part["owed"]) for when, part in rated.groupby("seen")]
history = rated.join(pd.concat(pieces)).dropna(subset=["ratio"])
history["grade"] = grade(history["ratio"])
cu.say(f"满一年的老案子 {len(past)} 笔，认定前至少有三个月月度数据、能评级的 {len(history)} 笔；平均收回欠本的 {history['share'].mean():.1%}。")

# %%
by_grade = history.groupby("grade")["share"].agg(["size", "mean", "std"]).reindex(list("ABCDE"))
half = 1.96 * by_grade["std"] / by_grade["size"] ** 0.5
by_grade = by_grade.assign(low=(by_grade["mean"] - half).clip(lower=0), high=(by_grade["mean"] + half).clip(upper=1))
picture = by_grade.dropna().reset_index()
fig = cu.charts.bars_with_interval(picture, value="mean", label="grade", count="size", reference=history["share"].mean(),
                                   reference_label="全部平均")  # fmt: skip
best, worst = picture.loc[picture["mean"].idxmax()], picture.loc[picture["mean"].idxmin()]
clear = best["low"] > worst["high"]
ordered = by_grade["mean"].dropna().is_monotonic_decreasing
cu.charts.finish(fig, title=f"回收最高的是 {best['grade']} 级（{best['mean']:.0%}），最低的是 {worst['grade']} 级（{worst['mean']:.0%}）",
                 source=f"{bank.name}，认定满一年的个人不良 {len(history)} 笔，横线为近似区间", alt="五个等级的十二个月回收比例和区间。")  # fmt: skip
cu.say(f"从 A 到 E {'一级比一级低' if ordered else '**并不是一级比一级低**'}；最高和最低两级的区间{'没有重叠' if clear else '有重叠'}。"
       f"最少的一级只有 {by_grade['size'].min():.0f} 笔，换一批案子名次就可能变。能力说的是“拿得出”，不是“会拿出来”，所以它不能单独当回收预测。")  # fmt: skip

# %% [markdown]
# 案子少的等级，平均数容易被一两笔带偏。**收缩**的办法：给每一级掺进 `KAPPA` 笔“总体平均”的案子，
# 收缩后 = （该级回收比例之和 + `KAPPA` × 总体平均）÷（该级笔数 + `KAPPA`）。笔数越多，越信自己；笔数越少，越靠近总体。
# 下面先拿代发工资的两组演示，五个等级留给练习 E2。

# %%
wage = bank.load("customer_product", columns=["customer_id", "has_payroll"]).set_index("customer_id")["has_payroll"]
past["group"] = past["customer_id"].map(wage).eq(True).map({True: "有代发工资", False: "没有代发"})
payroll = past.groupby("group")["share"].agg(["size", "sum", "mean", "std"])
payroll["shrunk"] = (payroll["sum"] + KAPPA * past["share"].mean()) / (payroll["size"] + KAPPA)
half = 1.96 * payroll["std"] / payroll["size"] ** 0.5
payroll = payroll.assign(low=payroll["mean"] - half, high=payroll["mean"] + half)
cu.show(payroll[["size", "mean", "low", "high", "shrunk"]], rows=None, units={"mean": "%", "low": "%", "high": "%", "shrunk": "%", "size": "笔"},
        names={"group": "组别", "size": "案子", "mean": "平均回收", "low": "下限", "high": "上限", "shrunk": "收缩后"}, title="有没有代发工资")  # fmt: skip
with_wage, no_wage = [payroll.reindex(["有代发工资", "没有代发"]).iloc[i] for i in (0, 1)]
seen = "看得见" if with_wage["low"] > no_wage["high"] or no_wage["low"] > with_wage["high"] else "区间重叠，说不清"
cu.say(f"有代发的平均收回 {with_wage['mean']:.0%}，没有的 {no_wage['mean']:.0%}，差别{seen}。有代发的只有 {with_wage['size']:.0f} 笔，"
       f"收缩后往总体靠到 {with_wage['shrunk']:.0%}。工资稳定、扣得到，可也**不能扣光**：生活费要留。")  # fmt: skip

# %%
early = action.merge(past[["loan_id", "npl_date"]], on="loan_id")
deadline = early["npl_date"] + pd.Timedelta(days=180)
early = early[(early["action_date"] <= deadline)].assign(due=early["promised_date"] <= deadline)
kept = early[early["due"]].groupby("loan_id")["promise_kept"].mean()
paid = early.groupby("loan_id")["paid_amount"].sum()
later = past[~(past["settle_date"] <= past["npl_date"] + pd.Timedelta(days=180))].set_index("loan_id")
later["kept"] = kept.reindex(later.index)
later["after"] = ((later["recovered_12m"] - paid.reindex(later.index).fillna(0)) / later["owed"]).clip(0, 1)
later["promise"] = np.select([later["kept"].isna(), later["kept"] >= 0.5], ["没有到期承诺", "兑现过半"], default="兑现不到一半")
promise = later.groupby("promise")["after"].agg(["size", "mean", "std"]).reindex(["兑现过半", "兑现不到一半", "没有到期承诺"])
half = 1.96 * promise["std"] / promise["size"] ** 0.5
promise = promise.assign(low=(promise["mean"] - half).clip(lower=0), high=promise["mean"] + half).dropna()
fig = cu.charts.bars_with_interval(promise.reset_index(), value="mean", label="promise", count="size")
cu.charts.finish(fig, title=f"半年内承诺兑现过半的，之后收回 {promise['mean'].get('兑现过半', np.nan):.0%}", alt="按早期承诺兑现分组，之后半年的回收比例。",
                 source=f"{bank.name}，{len(later)} 笔，认定半年以后到一年之间的回收")  # fmt: skip

# %%
both = history.merge(later[["kept", "after"]], left_on="loan_id", right_index=True).dropna(subset=["kept"])
strength = both[["kept", "income", "ratio"]].corrwith(both["after"], method="spearman")
kept_mean, broken_mean = promise["mean"].get("兑现过半", np.nan), promise["mean"].get("兑现不到一半", np.nan)
gap_seen = promise["low"].get("兑现过半", 0) > promise["high"].get("兑现不到一半", 1)
better = "承诺排得更准" if strength["kept"] > max(strength["income"], strength["ratio"]) + 0.05 else "承诺没有胜过收入"
cu.say(f"兑现过半的之后收回 {kept_mean:.0%}，兑现不到一半的 {broken_mean:.0%}，{'区间分得开，差别看得见' if gap_seen else '区间有重叠，差别说不死'}。"
       f"拿同一批 {len(both)} 笔比谁排得准（秩相关）：承诺兑现 {strength['kept']:+.2f}，月流入 {strength['income']:+.2f}，能力比 {strength['ratio']:+.2f}，"
       f"这家银行{better}；案子太少，差一点不算数。**“说到做到”是免费的信号，只要把每次承诺和结果记下来。**")  # fmt: skip

# %% [markdown]
# ## 演示五：三乘五的动作矩阵，先做哪一件
#
# 能力五级、意愿三档，十五格各有一个主动作 [参数]。协商类（结清方案、分期、重组）要联系得上本人；诉讼只对**未诉**的，已经起诉的由法务跟进，不占小组的时间；
# 核销材料不等于放弃，是证明“确实收不回”，账销案存；它不带来回收，另排时间做。押品变现够还一成以上的，不谈核销，先走诉讼。
#
# 顺序不按欠款，按**值多少**：预计收回 = 收缩后的回收比例 × 欠款，再封顶在“一年内拿得出加押品变现”，减去动作成本，除以要花的分钟数。
# 回收比例先用总体平均代替，做完 E2 再换成分级的。各动作的成本和用时，取清收记录的平均。

# %%
matrix = pd.DataFrame(
    [["结清方案", "分期", "分期", "重组", "重组"], ["结清方案", "分期", "重组", "重组", "核销材料"], ["诉讼", "诉讼", "诉讼", "核销材料", "核销材料"]],
    index=["高", "中", "低"], columns=list("ABCDE"))  # fmt: skip
todo["action"] = [matrix.loc[will, letter] for will, letter in zip(todo["will"], todo["grade"], strict=True)]
pledge = bank.load("collateral", columns=["loan_id", "appraised", "other_claims"])
pledge["net"] = (pledge["appraised"] * HAIRCUT - pledge["other_claims"]).clip(lower=0)
todo["pledge"] = todo["loan_id"].map(pledge.groupby("loan_id")["net"].sum()).fillna(0)
todo.loc[(todo["action"] == "核销材料") & (todo["pledge"] >= 0.1 * todo["debt"]), "action"] = "诉讼"
fig = cu.charts.heatmap(counts.astype(float), unit="笔", decimals=0, row_label="意愿", column_label="能力等级")
largest = todo["action"].value_counts()
cu.charts.finish(fig, title=f"十五格里，“{largest.index[0]}”一类最多（{largest.iloc[0]} 笔）", alt="意愿三档乘能力五级的案件数热力图。",
                 source=f"{bank.name}，{len(todo)} 笔，{bank.as_of:%Y-%m-%d}")  # fmt: skip
cu.show(matrix, rows=None, names={"index": "意愿"}, title="动作矩阵")

# %%
kind_of = {"结清方案": "上门", "分期": "分期协议", "重组": "重组", "诉讼": "诉讼", "核销材料": "信函"}
typical = action.groupby("kind")[["cost", "minutes"]].mean()
todo["cost"] = todo["action"].map(kind_of).map(typical["cost"])
todo["minutes"] = todo["action"].map(kind_of).map(typical["minutes"]).round()
talks = action[action["kind"].isin(["电话", "上门"])].groupby("loan_id")["action_date"].max()
todo["last_talk"] = todo["loan_id"].map(talks)
todo["worth"] = np.minimum(past["share"].mean() * todo["debt"], todo["means"] + todo["pledge"]) - todo["cost"]
todo.loc[todo["action"] == "核销材料", "worth"] = 0
order = todo.groupby("action").agg(cases=("loan_id", "size"), cost=("cost", "mean"), minutes=("minutes", "mean"), worth=("worth", "sum"))
order["per_minute"] = order["worth"] / (order["cases"] * order["minutes"])
cu.show(order.sort_values("per_minute", ascending=False), rows=None, units={"worth": "万元", "cost": "元", "minutes": "分钟", "per_minute": "元"},
        names={"action": "动作", "cases": "笔数", "cost": "单次成本", "minutes": "单次用时", "worth": "预计净收回", "per_minute": "每分钟值多少"}, title="动作的账")  # fmt: skip

# %%
need = todo["minutes"].sum()
by_debt = todo.sort_values("debt", ascending=False)
per_minute = todo.assign(rate=todo["worth"] / todo["minutes"]).sort_values("rate", ascending=False)
first = {name: part.loc[part["minutes"].cumsum() <= WEEK_MINUTES, "worth"].sum() for name, part in
         [("按欠款", by_debt), ("按每分钟值多少", per_minute)]}  # fmt: skip
cu.say(f"每笔做一次要 {need / 60:,.0f} 小时，这一周只有 {WEEK_MINUTES / 60:.0f} 小时。按欠款从大到小做，预计净收回 {first['按欠款'] / 1e4:,.1f} 万元；"
       f"按每分钟值多少做，{first['按每分钟值多少'] / 1e4:,.1f} 万元。数字靠假设撑着，**次序**比数字可信；能不能联系、有没有起诉，练习 E3 再加上。")  # fmt: skip

# %% [markdown] outline=["S004-R1.3"]
# ## 演示六：用数的红线和话术
#
# 清收用数，下面几条是红线：
#
# - **只看本人**。家庭成员没有替他还债的义务（保证人、共同借款人除外），不得用他们的账户评估或催收，家庭号那一列锁着；
# - **抵销要有依据**。直接划扣存款，要合同有约定、符合民法典抵销的规定，并通知本人 [来源：民法典抵销条款，逐条请法务核]；社保、低保、抚恤这类专款不动；
# - **留生活费**。法院执行工资收入，也要留下债务人和他所养家属的必需生活费 [来源：民事诉讼法执行条款，逐条请法务核]；
# - **不公开，不骚扰**。欠款只对本人说，不告诉亲戚、同事、村里人，不贴名单，不上社交群；只在 `CALL_HOURS` 的钟点联系 [参数]，`COOL_DAYS` 天内联系过的不再打 [参数]；
# - **需要才给看**。存款余额、流水只有经办人看得到，外发的分级表只写等级和动作，到期销毁；商业银行要为存款人保密 [来源：商业银行法第 29 条]。
#
# 话术跟着格子走：对还得起的讲清后果和方案，对还不起的讲清出路和凭据，**任何一格都不吓唬人**。

# %%
scripts = pd.DataFrame([
    ["A、B", "高或中", "结清、分期", "核对欠款，给一次结清或几期的方案，当场约下次还款的日子", "不逼他当天筹钱"],
    ["A、B、C", "低", "诉讼", "书面告知欠款、期限和起诉的打算，留复议和协商的渠道", "不说“抓人”“坐牢”"],
    ["C、D", "高或中", "分期、重组", "问清困难和收入，按拿得出的数定月供，约好复核日", "不让他借新债来还"],
    ["E", "高", "重组", "肯定他还在还，问有没有救助、展期条件", "不许诺减免"],
    ["D、E", "低或中", "核销材料", "补齐证明材料，按规定账销案存，恢复了再谈", "不当着别人问欠款"],
], columns=["grade", "will", "action", "say", "never"])  # fmt: skip
cu.show(scripts, rows=None, names={"grade": "能力", "will": "意愿", "action": "动作", "say": "怎么说", "never": "不要做"}, title="话术卡")
pick = todo[todo["grade"].isin(["C", "D"]) & (todo["means"] >= 1200)]
pick = (pick if len(pick) else todo).sort_values(["debt", "loan_id"])
pick = pick.iloc[[len(pick) // 2]]
script_case = pd.DataFrame({"欠款": pick["debt"].round(2), "本金": pick["principal"].round(2),
                            "月供方案": (pick["means"] / 12).round(-2).clip(lower=100)}).reset_index(drop=True)  # fmt: skip
cu.show(script_case, rows=None, money=None, title="练习 E4 要用的一户（已去掉姓名和编号，元）")

# %% [markdown]
# ## 练习
#
# **E1 ★★ 写出分级函数** 写函数 `grade_of(money, income, debt)`：`money` 是存款和理财，`income` 是月流入（已扣过营业额），`debt` 是欠款，
# 都是一个数，单位元。按演示二的定义返回 `"A"` 到 `"E"`，线用参数 `LIVING_FLOOR`、`RESERVE_MONTHS`、`USABLE`、`GRADE_CUTS`。
# 想清楚：两项各自不够扣生活费时是零，不能互相抵；刚好在线上的归上一级。

# %% tags=["answer:E1"]
grade_of = ...  # ← 写一个函数 grade_of(money, income, debt)
### BEGIN SOLUTION
def grade_of(money, income, debt):
    free = max(money - RESERVE_MONTHS * LIVING_FLOOR, 0)
    future = 12 * USABLE * max(income - LIVING_FLOOR, 0)
    ratio = (free + future) / debt
    if ratio >= GRADE_CUTS[0]:
        return "A"
    if ratio >= GRADE_CUTS[1]:
        return "B"
    if ratio >= GRADE_CUTS[2]:
        return "C"
    return "D" if ratio > 0 else "E"
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:no_living"]
def grade_of(money, income, debt):
    ratio = (money + 12 * USABLE * income) / debt
    if ratio >= GRADE_CUTS[0]:
        return "A"
    if ratio >= GRADE_CUTS[1]:
        return "B"
    if ratio >= GRADE_CUTS[2]:
        return "C"
    return "D" if ratio > 0 else "E"

# %% tags=["wrong:E1:netted"]
def grade_of(money, income, debt):
    ratio = (money - RESERVE_MONTHS * LIVING_FLOOR + 12 * USABLE * (income - LIVING_FLOOR)) / debt
    if ratio >= GRADE_CUTS[0]:
        return "A"
    if ratio >= GRADE_CUTS[1]:
        return "B"
    if ratio >= GRADE_CUTS[2]:
        return "C"
    return "D" if ratio > 0 else "E"

# %% tags=["wrong:E1:one_month"]
def grade_of(money, income, debt):
    free = max(money - RESERVE_MONTHS * LIVING_FLOOR, 0)
    ratio = (free + USABLE * max(income - LIVING_FLOOR, 0)) / debt
    if ratio >= GRADE_CUTS[0]:
        return "A"
    if ratio >= GRADE_CUTS[1]:
        return "B"
    if ratio >= GRADE_CUTS[2]:
        return "C"
    return "D" if ratio > 0 else "E"

# %% tags=["alternative:E1:count_lines"]
def grade_of(money, income, debt):
    means = np.clip(money - RESERVE_MONTHS * LIVING_FLOOR, 0, None)
    means = means + 12 * USABLE * np.clip(income - LIVING_FLOOR, 0, None)
    missed = sum(means / debt < cut for cut in GRADE_CUTS)
    return "E" if means == 0 else "ABCD"[missed]

# %% [markdown]
# **E2 ★★ 收缩分级的回收** 用 `history` 的 `grade` 和 `share`，按演示四的公式算 A 到 E 五级**收缩后**的回收比例，赋给 `grade_recovery`
# （Series，索引是等级，五级都要有）。`KAPPA` 是掺进去的笔数，总体平均是 `history` 全部案子的平均；没有老案子的等级就等于总体平均。

# %% tags=["answer:E2"]
grade_recovery = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
sums = history.groupby("grade")["share"].agg(["sum", "size"]).reindex(list("ABCDE"), fill_value=0)
mean = history["share"].mean()
grade_recovery = (sums["sum"] + KAPPA * mean) / (sums["size"] + KAPPA)
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:raw_mean"]
grade_recovery = history.groupby("grade")["share"].mean().reindex(list("ABCDE")).fillna(history["share"].mean())

# %% tags=["wrong:E2:towards_zero"]
sums = history.groupby("grade")["share"].agg(["sum", "size"]).reindex(list("ABCDE"), fill_value=0)
grade_recovery = sums["sum"] / (sums["size"] + KAPPA)

# %% tags=["wrong:E2:mean_of_means"]
sums = history.groupby("grade")["share"].agg(["sum", "size", "mean"]).reindex(list("ABCDE"))
middle = sums["mean"].mean()
grade_recovery = (sums["sum"].fillna(0) + KAPPA * middle) / (sums["size"].fillna(0) + KAPPA)

# %% tags=["alternative:E2:weights"]
raw = history.groupby("grade")["share"].mean().reindex(list("ABCDE")).fillna(0)
size = history["grade"].value_counts().reindex(list("ABCDE")).fillna(0)
trust = size / (size + KAPPA)
grade_recovery = trust * raw + (1 - trust) * history["share"].mean()

# %% [markdown]
# **E3 ★★★ 排这一周的清收顺序** 先用 E2 的结果更新 `worth`（下面一格已经写好），再从 `week` 里选这一周要做的案子，赋给 `week_plan`
# （表，只要一列 `loan_id`，**不要带别的客户信息**）。规矩：
#
# - 一笔只排一次，`minutes` 合计不超过 `WEEK_MINUTES`；
# - 结清方案、分期、重组要能联系上本人（`contactable`），并且离上次联系（`last_talk`，空的是没联系过）已满 `COOL_DAYS` 天；
# - 诉讼只对 `legal_stage` 为“未诉”的，已经起诉的不再排。
#
# 目标：`worth` 合计尽量大，至少达到参照方案的 95% [定义]。

# %%
cu.carry_on("E2")
week = todo if BRANCH is None else todo[todo["branch_id"] == BRANCH]
expected = week["grade"].map(grade_recovery) * week["debt"]
week = week.assign(worth=np.minimum(expected, week["means"] + week["pledge"]) - week["cost"])
week.loc[week["action"] == "核销材料", "worth"] = 0
week = week[["loan_id", "grade", "will", "action", "minutes", "cost", "worth", "debt", "contactable", "legal_stage", "last_talk"]]

# %% tags=["answer:E3"]
week_plan = ...  # ← 把 ... 换成你的名单
### BEGIN SOLUTION
talking = week["action"].isin(["结清方案", "分期", "重组"])
fresh = week["last_talk"].isna() | (week["last_talk"] <= bank.as_of - pd.Timedelta(days=COOL_DAYS))
can_talk = week["contactable"] & fresh
allowed = week[(~talking | can_talk) & ((week["action"] != "诉讼") | (week["legal_stage"] == "未诉")) & (week["worth"] > 0)]
allowed = allowed.assign(rate=allowed["worth"] / allowed["minutes"]).sort_values("rate", ascending=False)
week_plan = allowed.loc[allowed["minutes"].cumsum() <= WEEK_MINUTES, ["loan_id"]]
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:largest_debt"]
talking = week["action"].isin(["结清方案", "分期", "重组"])
fresh = week["last_talk"].isna() | (week["last_talk"] <= bank.as_of - pd.Timedelta(days=COOL_DAYS))
allowed = week[(~talking | (week["contactable"] & fresh)) & ((week["action"] != "诉讼") | (week["legal_stage"] == "未诉"))]
allowed = allowed.sort_values("debt", ascending=False)
week_plan = allowed.loc[allowed["minutes"].cumsum() <= WEEK_MINUTES, ["loan_id"]]

# %% tags=["wrong:E3:forgot_rules"]
allowed = week.assign(rate=week["worth"] / week["minutes"]).sort_values("rate", ascending=False)
week_plan = allowed.loc[allowed["minutes"].cumsum() <= WEEK_MINUTES, ["loan_id"]]

# %% tags=["wrong:E3:carried_household"]
families = bank.load("npl_case", columns=["loan_id", "household_id"])
allowed = week[week["contactable"] & week["last_talk"].isna()].sort_values("worth", ascending=False)
week_plan = allowed.loc[allowed["minutes"].cumsum() <= WEEK_MINUTES, ["loan_id"]].merge(families, on="loan_id")

# %% tags=["alternative:E3:loop"]
limit = bank.as_of - pd.Timedelta(days=COOL_DAYS)
chosen, used = [], 0
for row in week.assign(rate=week["worth"] / week["minutes"]).sort_values("rate", ascending=False).itertuples():
    talking = row.action in ("结清方案", "分期", "重组")
    blocked = talking and (not row.contactable or row.last_talk > limit)
    blocked = blocked or (row.action == "诉讼" and row.legal_stage != "未诉")
    if row.worth > 0 and not blocked and used + row.minutes <= WEEK_MINUTES:
        chosen.append(row.loan_id)
        used += row.minutes
week_plan = pd.DataFrame({"loan_id": chosen})

# %% [markdown]
# **E4 ★★★ 改一段违法的话术** 有人给 `script_case` 那一户写了这样一段话，请你把它改成合法、有用的一段，赋给 `script`：
#
# > 你欠我们行的钱再不还，我们就上你父母家、去你单位要，把你的名字贴到村口。今天之内凑不齐，就等着坐牢。你老婆卡里有钱，我们都查过了。
#
# 要求：先核对身份；写出欠款的数；提出分期方案，写出月供的数；告诉他有异议或有困难怎么办；六十到二百字。
# 不提家人、单位和村里，不威胁，不许诺减免。数字都要能在 `script_case` 里找到。

# %% tags=["answer:E4"]
script = "?"
### BEGIN SOLUTION
row = script_case.iloc[0]
script = (f"您好，我是{bank.name}的工作人员，先跟您核对一下身份，确认是您本人再往下说。截至今天，您的贷款连本带息欠款 {row['欠款']:.2f} 元。"
          f"我们想和您商量分期：先按每月 {row['月供方案']:.0f} 元还，半年后再看。您对金额有异议，或者确有困难，可以提供材料申请复核，也可以到网点当面谈。")  # fmt: skip
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:family"]
row = script_case.iloc[0]
script = (f"您好，先核对一下身份。您欠款 {row['欠款']:.2f} 元，建议分期，每月 {row['月供方案']:.0f} 元。要是您拿不出，请您父母或者爱人先帮着还，"
          "我们可以直接联系他们。有异议或者有困难，可以到网点来谈。")  # fmt: skip

# %% tags=["wrong:E4:threat"]
row = script_case.iloc[0]
script = (f"您好，先核对一下身份。您欠款 {row['欠款']:.2f} 元，分期每月 {row['月供方案']:.0f} 元。再不还就是诈骗，要抓人坐牢的，"
          "我们还会把您的名字公布出去。有异议或者有困难，可以到网点来谈。")  # fmt: skip

# %% tags=["wrong:E4:waiver"]
row = script_case.iloc[0]
script = (f"您好，先核对一下身份。您欠款 {row['欠款']:.2f} 元，分期每月 {row['月供方案']:.0f} 元就行，只要您这个月开始还，罚息我们一定给您全免，"
          "征信也保证给您消掉。有异议或者有困难，可以到网点来谈。")  # fmt: skip

# %% tags=["alternative:E4:other_words"]
row = script_case.iloc[0]
script = (f"您好，这里是{bank.name}，请问是您本人吗？麻烦您报一下证件后四位做个身份核验。您名下贷款目前欠款 {row['欠款']:.2f} 元，本金 {row['本金']:.2f} 元。"
          f"如果一次还不上，可以申请分期，每月 {row['月供方案']:.0f} 元左右。金额不对可以提异议，生活有困难请带上证明，我们一起想办法。")  # fmt: skip

# %% [markdown]
# ## 成果
#
# 一张 `不良客户偿还能力分级表`，只给经办人。**需要才给看**：写等级、意愿、动作和欠款档，不写存款、不写流水、不写家庭号；
# 三十天后销毁。标“本周”的是 E3 排进去的。

# %%
cu.carry_on("E3")
sheet = todo if BRANCH is None else todo[todo["branch_id"] == BRANCH]
sheet = sheet.assign(band=pd.cut(sheet["debt"], [0, 50000, 200000, 1000000, np.inf], right=False,
                                 labels=["5 万以下", "5–20 万", "20–100 万", "100 万以上"]).astype("str"))  # fmt: skip
sheet["this_week"] = sheet["loan_id"].isin(week_plan["loan_id"]).map({True: "本周", False: ""})
sheet = sheet.sort_values(["this_week", "grade", "loan_id"], ascending=[False, True, True])
words = {"band": "欠款档", "grade": "能力等级", "will": "意愿", "action": "主动作", "this_week": "排期", "say": "怎么说", "never": "不要做"}
path = cu.deliver.call_list(
    bank.output_dir("m04_n04") / "不良客户偿还能力分级表.xlsx",
    sheet[["branch_id", "customer_id", "masked_name", "band", "grade", "will", "action", "legal_stage", "this_week"]],
    branch_column="branch_id", title="不良客户偿还能力分级表", purpose="不良贷款清收", purge_date=bank.as_of + pd.Timedelta(days=30),
    names=words, result_codes=["已核对-约定还款", "已核对-有异议", "联系不上", "转诉讼", "补材料"],
    notes=[f"只在 {CALL_HOURS[0]} 点到 {CALL_HOURS[1]} 点之间联系，只对本人说。", "不得联系家庭成员、同事和村干部。"],
    extra={"话术卡": cu.deliver.Sheet(scripts, "话术卡", names=words)})  # fmt: skip
cu.say(f"`{path.name}`：{len(sheet)} 笔，排进本周的 {(sheet['this_week'] == '本周').sum()} 笔。")

# %% tags=["instructor", "board:lending:brief"]
# 给行长的一栏：course board 把它放上看板
owed = todo["debt"].sum()
able, able_debt, booked = strong.mean(), todo.loc[strong, "debt"].sum() / owed, (sheet["this_week"] == "本周").sum()
gain = [first[name] / 1e4 for name in ("按欠款", "按每分钟值多少")]
cu.brief(
    f"还开着的个人不良 {len(todo)} 笔（样本），还得起的 A、B 两级占 {able:.0%}；欠款最多的十笔里有 {top} 笔还不起",
    "要办" if booked and able_debt > 0.5 else "留意" if len(todo) else "平稳",
    "还得起的占欠款过半，并且这一周排得上，记要办；有不良、但多数还不起，记留意",
    [("还开着的个人不良", f"{len(todo)} 笔", f"样本；欠 {owed / 1e4:,.0f} 万元"),
     ("还得起的（A、B 级）", f"{able:.0%}", f"占欠款的 {able_debt:.0%}")],
    [("清收小组", f"照《{path.stem}》先谈排进本周的 {booked} 笔：换成按每分钟值多少排，预计净收回从 {gain[0]:,.1f} 万元到 {gain[1]:,.1f} 万元", "本周")],
    "能力说的是拿得出，不是会拿出来；只看本人，留生活费。")

# %% [markdown]
# ## 讨论
#
# **一位债务人把钱交了孩子的学费，没有还我们。接下来怎么办？** 可以从这几个方向争一争：
#
# - 学费算不算必需的生活支出？算的话，本课的 `LIVING_FLOOR` 该不该改，由谁来批？
# - 流水里看得到学费，谈话时能不能说“我们看到您交了学费”？
# - 能力等级是 D，意愿是高，下个月他又还了两百。等级表该不该动，动作该不该变？
#
# ## 小结
#
# 债务算全，给人留下吃饭的钱，剩下的才叫偿还能力。等级要拿老案子检验，案子少就收缩；能力说的是拿得出，说到做到才说明会还。
# 先做每分钟最值的，但联系不上的、已经起诉的、刚联系过的都不能硬排；看得到的数据，不等于用得了。
#
# 下一课：员工工资可视化。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 下表把生成器埋下的数和课堂上找到的数放在一起。常见的弯路：
#
# - 生活费不扣，E 级就没有了，人人都“还得起”；
# - 拿今天的存款给老案子评级，还清的人存款当然少，等级和回收成了反的；
# - 承诺兑现和回收放在同一段时间里比，等于自己证明自己；
# - 有人会想用家庭号把配偶的存款加进来。这一列是故意放的陷阱，检查程序发现答案里带了它就不通过。

# %% tags=["instructor"]
cu.reveal(bank, "m04_n04", {"deposit20": share["rate"], "payroll_recover": with_wage["mean"]},
          names={"deposit20": "存款够还两成以上的债务人", "payroll_recover": "有代发工资的平均回收"})  # fmt: skip
