# %% [markdown] outline=["S004-C"]
# # 线上贷款白名单：优先级、内外名单交叉与支行落地
#
# 课程：银行二十种数据实战应用场景（第二部分）· 信贷营销类十场景之一 ·
# 大纲：S004-C、S004-C1、S004-C1.1 至 S004-C1.4、S004-C1.K1 · 难度：L3 · 用时：100 分钟
#
# 学完本课，你能：
#
# - 把一份平铺的白名单洗干净，看清有多少行一打就是浪费；
# - 用外呼记录说明“谁打、谁不打”，用年龄曲线和标签找出谁真要借；
# - 算出每一行值多少钱，分档、分人、定期限，下发到支行。
#
# Abstract: Turn a flat white list into a ranked, owned and dated plan: hygiene, staff behaviour, age curves,
# cross-matching, a draw model judged on a later batch, expected value, and a fair deal to managers.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 成果做哪家网点：None 表示全行（模型总是用全行数据）
TEST_BATCH = 3  # 哪一批留着检验，之前的批次用来学
AGE_EDGES = [20, 25, 30, 35, 40, 45, 50, 55, 65]  # 年龄分段的起点，最后一个是终点
TWO_BANDS = {"25-34 岁": [25, 35], "45-54 岁": [45, 55]}  # 练习二比较的两段
OLD_STAFF = 45  # 多少岁以上的客户经理单独看
ADOPT = 0.25  # 名下打过几成，算“动起来了”
MARGIN = 0.02  # 一元贷款放一年，扣掉资金和风险以后剩多少，元
CALL_COST = 12  # 打一个电话的成本，元
CALLS_PER_WEEK = 40  # 一位客户经理一周最多打几个
KEEP_DAYS = 30  # 名单有效多少天，过期收回
TIERS = [0.2, 0.5]  # 优先级前几成是 A 档，到几成是 B 档
BRANCH_PRIOR = 5  # 网点系数收缩的力度：相当于几笔期望提款
HOLDOUT_SHARE = 0.1  # 新名单随机留出几成不打，用来量效果
SEED = 20251231  # 随机留出用的种子

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m03_n01", BANK, AS_OF)
today = bank.as_of
whitelist, model_tools, experiment = cu.analysis.whitelist, cu.analysis.model, cu.analysis.experiment
BAND = {"rate": "比例", "low": "下限", "high": "上限", "n": "样本数"}
PERCENT = dict.fromkeys(["rate", "low", "high"], "%")

# %% [markdown] outline=["S004-C1", "S004-C1.2"]
# ## 业务情境
#
# 总行零售部下发第四批线上贷款白名单前，一位支行行长在会上说：“前三批每批几千人，我的人打得嗓子都哑了，没放出几笔。
# **名单里到底谁值得先打？打不动的人，到底是客户不要，还是我们没打？**”
#
# 思路分四步：先**洗**（哪些行不该打），再**看人**（谁在打、打了有没有用），然后**看客**（收支、标签、内外名单交叉，谁要借），
# 最后**排**（能提款的机会 × 金额 × 收益 − 电话成本，排到人、排到天）。
#
# 这些数据**不能**说明“打了电话才来借”：名单里留了一小组随机不打的人，可他们的提款没有在这张表里登记；没有被打的人，也不是随机没打。
# 所以本课的概率都是“**打了以后**提款的机会”，只能用来排先后，不能拿来说电话创造了多少贷款。
#
# **规矩** [来源：个人信息保护法第 6、24 条]：处理要有明确、直接相关的目的；自动化决策要透明，不得在价格上不合理地差别对待，
# 营销推送要能拒绝。本课程据此定三条：名单只为线上贷款营销用；年龄可以排先后，**不**用来定利率和额度；
# 谢绝来电的、没有有效营销授权的、在校学生，不出现在任何要打的清单里。
#
# ## 数据
#
# 主角是白名单，三批，一行一个批次的一位客户；同一批里可能重复。`called` 之后的各列是打了以后才知道的结果。

# %%
cu.dictionary(bank, {"white_list": ["batch", "list_date", "customer_id", "offered_limit", "offered_rate", "prior_score",
                                    "assigned_employee_id", "online_loan_flag", "already_borrowing", "random_holdout",
                                    "called", "reached", "applied", "drawn", "drawn_amount", "reason_code"],
                     "employee": ["employee_id", "post", "hire_date", "birth_year"],
                     "customer_month": ["month", "in_amount", "out_amount"]})
rows = bank.load("white_list")
people = bank.load("customer").set_index("customer_id")
staff = bank.load("employee").set_index("employee_id")
months = bank.load("customer_month", columns=["month", "customer_id", "in_amount", "out_amount", "aum_average"])
agreed = bank.load("consent", columns=["customer_id", "scope", "granted", "expire_date"])
agreed = agreed[(agreed["scope"] == "营销") & agreed["granted"] & ~(agreed["expire_date"] < today)]
rows["age"] = rows["list_date"].dt.year - rows["customer_id"].map(people["birth_year"].astype(float))
rows["may_call"] = rows["customer_id"].isin(agreed["customer_id"]) & ~rows["customer_id"].map(people["do_not_call"]).eq(True)
limits = bank.load("product").set_index("product_code")[["age_minimum", "age_maximum"]].astype(float)
rows["age_fits"] = rows["age"].between(rows["product_code"].map(limits["age_minimum"]), rows["product_code"].map(limits["age_maximum"])) & rows["customer_id"].map(people["occupation"]).ne("学生")

# %% [markdown] outline=["S004-A3"]
# ## 演示一：先洗名单
#
# 名单转化低的五个原因 [本课程定义]：名单陈旧或号码失效、与需求不匹配、已有贷款或不准入、一线不打、没有反馈而重复外呼。
# 第一和第三个不用打就看得见，再加上不该联系的人，一步一步地筛，每步去掉几行：
# 同批重复 → 下发时已有贷款 → 不在产品准入之内（年龄不合适，或是在校学生）→ 号码无效 → 谢绝来电或没有授权。
#
# **去重有讲究**：同一人在同一批有两行，一行打过、一行没打，要**留打过的那一行**。留错了，打过的记录就丢了，
# 外呼率会被算低。所以先把打过的排到前面，再去重。

# %%
worked = rows.sort_values(["called", "list_id"], ascending=[False, True])
unique = worked.drop_duplicates(["batch", "customer_id"]).sort_values("list_id")
careless = rows.drop_duplicates(["batch", "customer_id"])  # 不排序就去重
fresh = unique[~unique["already_borrowing"]].copy()
fit = fresh[fresh["age_fits"]]
valid = fit[fit["phone_valid"]]
usable = valid[valid["may_call"]]
sizes = pd.Series([len(x) for x in (rows, unique, fresh, fit, valid, usable)])
steps = sizes.diff().iloc[1:].set_axis(["同批重复", "已有贷款", "不准入", "号码无效", "谢绝或无授权"])
fig = cu.charts.waterfall(steps, start=len(rows), start_label="下发", end_label="能打", unit="行")
cu.charts.finish(
    fig, title=f"下发 {len(rows):,} 行，能打的只有 {len(usable):,} 行（{len(usable) / len(rows):.0%}）",
    alt="瀑布图：从下发行数开始，逐步去掉重复、已有贷款、不准入、号码无效、谢绝或无授权。", source=f"白名单三批，{bank.name}")
useless = 1 - len(fresh) / len(rows)
cu.say(f"重复和已有贷款合起来占 **{useless:.1%}**：下发前一条查询就能去掉。去重时留错了行，外呼率会从 {unique['called'].mean():.1%} 变成 {careless['called'].mean():.1%}。")

# %% [markdown] outline=["S004-C1.1"]
# ## 演示二：员工对新事物的态度——看打没打
#
# 不问“你支持不支持”，看记录：名下能打的行，打了几成？多久才打第一个？按客户经理的年龄段看。
# 区间按**每位经理**算，不按行算：同一位经理的行是一起打或一起不打的，几千行其实只有几十个“人”的信息。
#
# 年长的经理打得少，会不会只是因为他们在打不动的网点？用**泊松回归**在**同一网点、同一批**里比：
# 每位经理打了几个，除以名下有几个，换算成倍数；一倍表示没有差别，竖线两边的区间跨过一就看不出差别。

# %%
duty = fresh[fresh["phone_valid"] & fresh["assigned_employee_id"].notna()].copy()
duty["staff_age"] = today.year - duty["assigned_employee_id"].map(staff["birth_year"])
duty["tenure"] = (duty["list_date"] - duty["assigned_employee_id"].map(staff["hire_date"])).dt.days / 3652.5
duty["group"] = pd.cut(duty["staff_age"], [18, 35, OLD_STAFF, 70], labels=["35 岁以下", f"36-{OLD_STAFF} 岁", f"{OLD_STAFF} 岁以上"])
each = duty.groupby(["group", "assigned_employee_id"], observed=True)["called"].mean().reset_index()
calls = each.groupby("group", observed=True)["called"].agg(rate="mean", spread="std", n="size")
reach = 1.96 * calls["spread"].fillna(0) / np.sqrt(calls["n"])
calls["low"], calls["high"] = (calls["rate"] - reach).clip(0), (calls["rate"] + reach).clip(upper=1)
fig = cu.charts.bars_with_interval(calls, count="n")
ends = calls["rate"].iloc[[-1, 0]]
apart = calls["high"].iloc[-1] < calls["low"].iloc[0]
cu.charts.finish(
    fig, title=f"{calls.index[-1]}的经理打了 {ends.iloc[0]:.0%}，{calls.index[0]}的打了 {ends.iloc[1]:.0%}" + ("" if apart else "，区间有重叠"),
    alt="横条图：各年龄段客户经理名下有效行的外呼率，带区间，n 是经理人数。", source="白名单：号码有效、已分配的行")

# %%
duty["old"] = (duty["staff_age"] > OLD_STAFF).astype(int)
keys = ["assigned_employee_id", "batch"]
panel = duty.groupby(keys).agg(called=("called", "sum"), n=("called", "size"), drawn=("drawn", "sum"), old=("old", "first"),
                               tenure=("tenure", "first"), branch=("branch_id", "first")).reset_index()  # fmt: skip
past = panel.sort_values("batch").groupby("assigned_employee_id")[["drawn", "called"]].cumsum() - panel[["drawn", "called"]]
panel["success"] = (past["drawn"] > 0).astype(int)  # 之前的批次做成过没有
ratios = cu.analysis.glm.rate_ratios(panel, "called", "n", ["old", "tenure", "success"], ["branch", "batch"], "assigned_employee_id")
ratios.index = [f"{OLD_STAFF} 岁以上", "工龄每多十年", "之前做成过"]
old = ratios.iloc[0]

# %%
fig = cu.charts.forest(ratios, value="ratio", reference=1.0, log=True)
cu.charts.finish(
    fig, title=f"同网点、同批次里比，{OLD_STAFF} 岁以上的外呼率是其他人的 {old['ratio']:.2f} 倍",
    alt="森林图：年龄、工龄、之前做成过三项的外呼率倍数和区间。", source=f"泊松回归，{panel['assigned_employee_id'].nunique()} 位经理 × 批次")
tried = duty[duty["called"]].astype({"drawn": float})
made = cu.analysis.causal.regression_effect(tried, "drawn", "old", cluster="assigned_employee_id")  # 误差按经理聚类
drew = tried.groupby("old")["drawn"].mean()
cu.say(f"可是**打出去的电话**，{OLD_STAFF} 岁以上经理的提款率 {drew.get(1, np.nan):.1%}，其他人 {drew.get(0, np.nan):.1%}，相差 {made['estimate'] * 100:+.1f} 个百分点"
       f"（按经理聚类的区间 {made['low'] * 100:+.1f} 到 {made['high'] * 100:+.1f}）：" + ("有差别。" if made["low"] > 0 or made["high"] < 0 else "**看不出差别**，看得见的差距在打不打。")
       + "打给谁是各人自己挑的，所以“会不会打”这里说不死。")

# %% [markdown]
# **新事物是怎么传开的？** 总有人先动，多数人后动，少数人不动。画一条线：下发以后第几天，有几成经理“动起来了”
# （名下打过 `ADOPT`）[本课程定义]。三批三条线：如果后一批比前一批抬得更高，说明在传开；三条重合，说明光下名单不会让人改变。

# %%
duty["day"] = (duty["call_date"] - duty["list_date"]).dt.days
curve = whitelist.adoption(duty, "assigned_employee_id", "batch", "day", ADOPT).rename(columns="第 {} 批".format)
final = curve.iloc[-1]
shift, people_n = final.iloc[-1] - final.iloc[0], duty["assigned_employee_id"].nunique()
noise = 1.96 * np.sqrt(2 * final.mean() * (1 - final.mean()) / people_n)  # 光凭运气会晃多少
still = abs(shift) <= noise
fig = cu.charts.curves(curve, unit="%", x_label="下发以后第几天")
cu.charts.finish(
    fig, title=f"下发四十五天后，动起来的经理从第一批的 {final.iloc[0]:.0%} 到最后一批的 {final.iloc[-1]:.0%}"
    + ("，看不出变化" if still else ""),
    alt="三条曲线：下发以后各天动起来的经理占比，一批一条。", source="白名单外呼日期")
wait = duty.groupby("old")["day"].median()
cu.say("三批下来，" + ("**看不出在传开**：" if still else "在传开：" if shift > 0 else "越来越少：")
       + f"动起来的经理变动 {shift * 100:+.0f} 个百分点，{people_n} 位经理光凭运气就会晃 {noise * 100:.0f} 个百分点。"
       + f"打出去的那些，从下发到第一次拨出，{OLD_STAFF} 岁以上的中位数是 {wait.get(1, np.nan):.0f} 天，其他人 {wait.get(0, np.nan):.0f} 天。")

# %% [markdown] outline=["S004-C1.3"]
# ## 演示三：收入和花费的年龄曲线
#
# 老办法说：年轻人花得多挣得少，中年上有老下有小，这两段最缺钱。曲线能不能看出来？对每个年龄，取上下各两岁的人，
# 看月均流入（当作收入）和流出（当作花费）的**中位数**，再画收入的上下四分位，看同龄人差得有多大。
# 按权数还原全行；月均流入不到五百元的账户不算，他们的钱不走我们这里 [参数]。
#
# 流入流出不等于收入支出：转账、还卡都在里面。所以下一格用另一把尺子量需求：**接通以后的申请率**，按年龄段看。

# %%
people["age"] = today.year - people["birth_year"].astype(float)
year = months[months["month"] > today - pd.DateOffset(months=12)].groupby("customer_id")[["in_amount", "out_amount"]].mean()
flow = year[year["in_amount"] > 500].join(people[["age", "weight", "customer_type"]]).query("customer_type == '个人'")
middle = cu.analysis.caliber.weighted_quantile
lines = {}
for age in range(22, 60):
    near = flow[(flow["age"] - age).abs() <= 2]
    lines[age] = {"收入中位数": middle(near["in_amount"], near["weight"], 0.5), "花费中位数": middle(near["out_amount"], near["weight"], 0.5),
                  "收入下四分位": middle(near["in_amount"], near["weight"], 0.25), "收入上四分位": middle(near["in_amount"], near["weight"], 0.75)}
lines = pd.DataFrame(lines).T
fig = cu.charts.curves(lines / 10_000, x_label="年龄", unit="万元/月")
peak, gap = lines["收入中位数"].idxmax(), (lines["花费中位数"] / lines["收入中位数"] - 1)
cu.charts.finish(
    fig, title=f"收入中位数在 {peak} 岁前后最高；花费与收入之差最大也只有收入的 {gap.abs().max():.0%}",
    alt="四条曲线：各年龄的收入中位数、花费中位数和收入上下四分位。", source="客户月度表，近十二个月，个人客户，按权数")

# %%
reached = fresh[fresh["reached"]].copy()
bands = [f"{AGE_EDGES[i]}-{AGE_EDGES[i + 1] - 1} 岁" for i in range(len(AGE_EDGES) - 1)]
reached["band"] = pd.cut(reached["age"], AGE_EDGES, right=False, labels=bands)
by_age = reached.groupby("band", observed=True)["applied"].agg(["sum", "size"])
by_age = by_age[by_age["size"] >= 20].join(experiment.wilson(by_age["sum"], by_age["size"])).rename(columns={"size": "n"})
overall = reached["applied"].mean()
fig = cu.charts.bars_with_interval(by_age, count="n", reference=overall, reference_label="平均")
high, most = by_age.index[by_age["low"] > overall], by_age["rate"].nlargest(3).index.sort_values()
cu.charts.finish(fig, title=f"接通后申请率最高的三段：{'、'.join(most)}", alt="横条图：各年龄段接通以后的申请率和区间。",
                 source=f"白名单接通的 {len(reached):,} 行")
curve_gap = gap.groupby(pd.cut(gap.index, AGE_EDGES, right=False, labels=bands), observed=True).mean().reindex(by_age.index)
match = curve_gap.corr(by_age["rate"], method="spearman")
cu.say((f"区间整个高过平均的年龄段：**{'、'.join(high)}**。" if len(high) else "没有一段的区间整个高过平均，只能说像。")
       + f"{len(by_age)} 段一起看，光凭运气也会有 {len(by_age) * 0.05:.1f} 段碰不到平均。"
       + f"收支差和申请率的排名相关是 {match:.2f}：" + ("收支曲线说中了几分。" if match > 0.5 else "**收支曲线没有说中**，需求要用申请记录量，不要用常识画。"))

# %% [markdown] outline=["S004-C1.4"]
# ## 演示四：内外名单交叉
#
# 一个标签看一层，几个标签叠起来看才知道谁是谁。名单 × 网贷标识 × 收单商户 × 代发 × 企业主（本行企业档案里登记他是经营者）。
# 下图的每一列是一种组合：黑点表示有这个标签，柱子是接通的行数，上面写申请率；不到三十行的不写率 [本课程定义]。
#
# **外部名单怎么交叉？** 常听人说“把工商名单和白名单一匹配，老板都出来了”。用三种钥匙试：电话摘要、脱敏姓名加乡镇、
# 企业档案里的经营者。脱敏姓名的对上率要和“**打乱乡镇以后**”比：打乱了还能对上那么多，说明对上的都是巧合。

# %%
held = bank.load("customer_product", columns=["customer_id", "has_payroll", "has_mortgage"]).set_index("customer_id")
owners = bank.load("enterprise", columns=["customer_id", "owner_customer_id"]).query("customer_id != owner_customer_id")
tags = ["网贷标识", "收单商户", "代发", "企业主"]
reached["网贷标识"] = reached["online_loan_flag"].astype(bool)
reached["收单商户"] = reached["customer_id"].isin(bank.load("merchant", columns=["customer_id"])["customer_id"])
reached["代发"] = reached["customer_id"].map(held["has_payroll"]).eq(True)
reached["企业主"] = reached["customer_id"].isin(owners["owner_customer_id"])
cross = reached.groupby(tags)["applied"].agg(n="size", rate="mean").reset_index().sort_values("n", ascending=False, kind="stable")
cross["rate"] = cross["rate"].where(cross["n"] >= 30)
lifts = pd.DataFrame({t: reached.groupby(t)["applied"].agg(["sum", "size"]).loc[True] for t in tags if reached[t].any()}).T
lifts = experiment.wilson(lifts["sum"], lifts["size"]).assign(n=lifts["size"], lift=lifts["sum"] / lifts["size"] / overall)
best = cross.dropna().sort_values("rate", ascending=False, kind="stable").iloc[0]

# %%
edge = experiment.wilson(best["rate"] * best["n"], best["n"]).iloc[0]
fig = cu.charts.upset(cross[cross["n"] >= 5].head(10), tags, color="rate", color_label="申请率", unit="行")
cu.charts.finish(
    fig, title=f"申请率最高的组合是“{'＋'.join(t for t in tags if best[t]) or '没有标签'}”，{best['rate']:.0%}（{best['n']:.0f} 行，区间 {edge['low']:.0%} 到 {edge['high']:.0%}）",
    alt="组合图：上面是各种标签组合的接通行数和申请率，下面的黑点表示组合里有哪些标签。", source=f"白名单接通的 {len(reached):,} 行；不到五行的组合不画")
cu.show(lifts.rename_axis("标签"), names=BAND | {"lift": "提升度"}, units=PERCENT)

# %%
who = people.loc[fresh["customer_id"].unique()]
hits = pd.Series({"企业档案里的经营者": who.index.isin(owners["owner_customer_id"]).mean()})
if bank.has("registry_list"):
    outside = bank.load("registry_list", columns=["phone_hash", "owner_masked", "town_id"])
    known = set(outside["town_id"] + outside["owner_masked"])
    mixed = np.random.default_rng(SEED).permutation(who["town_id"].to_numpy())  # 打乱乡镇
    hits["电话摘要"] = who["phone_hash"].isin(outside["phone_hash"].dropna()).mean()
    hits["脱敏姓名＋乡镇"] = (who["town_id"] + who["masked_name"]).isin(known).mean()
    hits["脱敏姓名＋打乱的乡镇"] = (mixed + who["masked_name"]).isin(known).mean()
cu.show(hits.rename("rate").rename_axis("钥匙").to_frame(), names={"rate": "名单里对上的比例"}, units={"rate": "%"})
real, luck = hits.get("脱敏姓名＋乡镇", np.nan), hits.get("脱敏姓名＋打乱的乡镇", np.nan)
cu.say("本行没有外部登记名单，只有行内的经营者登记可用。" if len(hits) == 1 else f"脱敏姓名加乡镇“对上”{real:.0%}，打乱乡镇也有 {luck:.0%}，"
       + ("**全是巧合**：一个姓加两颗星，每个乡镇都有。" if abs(real - luck) < 0.03 else f"多出的 {(real - luck) * 100:+.0f} 个百分点才可能是真的。")
       + f"能信的是行内的经营者登记（{hits.iloc[0]:.1%}）。店名匹配的正路，见个体工商户那一课。")

# %% [markdown]
# **网贷标识可信吗？** 标识是总行按流水认出来的。有流水的抽样客户，可以自己核一遍：只用名单下发**之前**的流水，
# 按“关键词＋方向＋周期”的规则认网贷（规则见下一课），和标识对一对。用了下发之后的流水，就是偷看未来。

# %%
if bank.has("transaction") and bank.has("lender_keyword"):
    day = rows.loc[rows["batch"] == TEST_BATCH, "list_date"].max()
    leads = cu.analysis.leads
    paid = bank.load("transaction", columns=list(leads.ROWS))
    paid = paid[(paid["date"] < day) & paid["customer_id"].isin(fresh["customer_id"])]
    use = leads.lender_pairs(paid, bank.load("lender_keyword"))
    flagged = fresh[(fresh["batch"] == TEST_BATCH) & fresh["customer_id"].isin(paid["customer_id"])].copy()
    flagged["seen"] = flagged["customer_id"].isin(use.loc[use["periodic"], "customer_id"])
    audit = flagged.groupby("online_loan_flag")["seen"].agg(["sum", "size"])
    audit = experiment.wilson(audit["sum"], audit["size"]).assign(n=audit["size"])
    cu.show(audit.rename(index={True: "有标识", False: "没有标识"}).rename_axis("标识"), names=BAND | {"rate": "流水里认出网贷"}, units=PERCENT)
    cu.say(f"有标识的里，流水认出 **{audit['rate'].get(True, np.nan):.0%}**；没有标识的里认出 {audit['rate'].get(False, np.nan):.0%}。"
           "对不上的部分，可能是那段时间没有还款，也可能是还款不走本行账户：流水认不出，不等于没有。")
else:
    cu.say("本行没有交易流水抽样，标识没法自己核，只能先信总行。")

# %% [markdown] outline=["S004-C1.K1"]
# ## 演示五：优先级模型
#
# 大纲里的陕西案例讲白名单优先级模型，它的数字不公开，这里用课堂数据做**情景仿真**，地区差别用城区、乡镇网点的对比来看。
# 只用打过的行学（没打的不知道会不会提款），
# 可是“打没打”不是随机的：有的经理打得多。所以每行按**经理外呼率的倒数**给权数，好像每位经理打得一样多。
#
# 先看单个因素：逻辑回归的**优势比**，就是胜算的倍数，一表示没有关系。比较组是最年轻的一段。
#
# 再做预测。特征都要在下发那天就知道；前两批学，第三批检验，**检验批从头到尾没参加学习**。提款是稀罕事，
# 笔数少、特征多，容易学到巧合，所以只用网贷标识和年龄段；再训练一个用更多特征的提升树，看看多用有没有好处。

# %%
fresh["online"] = fresh["online_loan_flag"].astype(int)
bands_on = whitelist.wave(fresh["age"], AGE_EDGES)  # 每个年龄段一列零一，最年轻的一段作比较组
fresh = fresh.join(bands_on).join(whitelist.known_then(fresh, months, ["in_amount", "out_amount", "aum_average"]))
fresh["limit_wan"] = fresh["offered_limit"] / 10_000
age_columns = list(bands_on)
simple = ["online", *age_columns]
more = [*simple, "in_amount", "out_amount", "aum_average", "prior_score", "limit_wan", "offered_rate"]
ratio = experiment.logistic(fresh[fresh["reached"]], "drawn", [*simple, "limit_wan", "offered_rate", "prior_score"])
chosen = ratio.loc[["online", "limit_wan", "offered_rate", "prior_score"]]
chosen.index = ["网贷标识", "额度每多一万", "利率每高一个百分点", "原始评分每多一分"]
fig = cu.charts.forest(chosen, value="odds_ratio", reference=1.0, log=True)
clear = [name for name, r in chosen.iterrows() if r["low"] > 1 or r["high"] < 1]
cu.charts.finish(
    fig, title=f"接通以后的提款：看得出关系的是{'、'.join(clear) or '一个都没有'}",
    alt="森林图：网贷标识、额度、利率、原始评分对提款胜算的倍数和区间，已控制年龄段。", source=f"白名单接通的 {len(reached):,} 行，控制年龄段")

# %%
ready = fresh[fresh["phone_valid"] & fresh["assigned_employee_id"].notna()]  # 本来可以打的行
weight = whitelist.call_weights(ready, "assigned_employee_id")
called = ready[ready["called"]]
train, test = called[called["batch"] < TEST_BATCH], called[called["batch"] == TEST_BATCH]
ranker = model_tools.fit_logit(train, simple, "drawn", weight=weight)
trees = model_tools.fit_boosting(train, more, "drawn", signs={"online": 1}, weight=weight)
scores = {"标签模型": ranker.predict(test), "提升树（多特征）": trees.predict(test), "原始评分": test["prior_score"]}

# %%
top = {name: (score.rank(ascending=False, method="first") <= 0.2 * len(test)) for name, score in scores.items()}
verdict = pd.DataFrame({name: {"auc": model_tools.auc(test["drawn"], score), "found": test.loc[top[name], "drawn"].sum() / test["drawn"].sum()}
                        for name, score in scores.items()}).T  # fmt: skip
fig = cu.charts.gain_curve({name: model_tools.gain_table(test["drawn"], score) for name, score in scores.items()})
cu.charts.finish(
    fig, title=f"检验批只打前两成：标签模型抓住 {verdict.iloc[0]['found']:.0%} 的提款，原始评分 {verdict.iloc[2]['found']:.0%}",
    alt="累积捕获曲线：横轴打了几成，纵轴抓住几成提款；标签模型、提升树、原始评分和随机线。", source=f"第 {TEST_BATCH} 批打过的 {len(test):,} 行，{test['drawn'].sum()} 笔提款")
better = model_tools.auc_gap(test["drawn"], scores["标签模型"], scores["原始评分"])
cu.show(verdict.rename_axis("排法"), names={"auc": "排序能力 AUC", "found": "前两成抓住的提款"}, units={"found": "%"})
cu.say(f"标签模型的 AUC（随便拿一个提款的和一个没提款的，排对的机会）比原始评分高 **{better['gap']:+.2f}**（区间 {better['low']:+.2f} 到 {better['high']:+.2f}），"
       + ("站得住。" if better["low"] > 0 else "区间含零，还要多看几批。") + f"检验批只有 {test['drawn'].sum()} 笔提款，个把百分点的高低不要当真。")

# %% [markdown]
# **概率准不准？** 排得对不等于算得准：要拿概率去乘金额，就要校准。把检验批按预测分三组，看预测和实际对不对得上；
# 点落在斜线上就是准，竖线是实际率的区间。再按网点类型看一眼：模型在城区和乡镇是不是一样管用。

# %%
steps3 = model_tools.reliability_table(test["drawn"], scores["标签模型"], groups=3)
fig = cu.charts.reliability({"标签模型": steps3})
inside = ((steps3["predicted"] >= steps3["low"]) & (steps3["predicted"] <= steps3["high"])).sum()
cu.charts.finish(
    fig, title=f"分三组，预测落在实际区间里的有 {inside} 组；平均预测 {scores['标签模型'].mean():.1%}，实际 {test['drawn'].mean():.1%}",
    alt="校准图：横轴预测提款率，纵轴实际提款率和区间。", source=f"第 {TEST_BATCH} 批打过的 {len(test):,} 行")
kinds = bank.load("branch", columns=["branch_id", "branch_type"]).set_index("branch_id")["branch_type"]
place = called.assign(kind=called["branch_id"].map(kinds), expected=ranker.predict(called)).groupby("kind")
region = place["drawn"].agg(["sum", "size"]).join(place["expected"].mean())
region = experiment.wilson(region["sum"], region["size"]).assign(expected=region["expected"], n=region["size"])
cu.show(region.rename_axis("网点类型"), names=BAND | {"rate": "实际提款率", "expected": "模型预测"}, units=PERCENT | {"expected": "%"})
off = region.index[(region["expected"] < region["low"]) | (region["expected"] > region["high"])]
cu.say("各类网点的实际率都盖得住模型的预测。" if not len(off) else f"{'、'.join(off)}的实际率和预测对不上，用的时候要加网点系数。")

# %% [markdown]
# ## 演示六：一行值多少钱
#
# 优先级 ＝ 提款机会 × 预计金额 × 收益率 × 网点系数 − 电话成本 [本课程定义]。
#
# - **预计金额**：只在提过款的人里学，用**伽马回归**（金额都大于零、右边拖得长，用它比普通回归稳）；
# - **网点系数**：这家网点的实际提款比模型期望多还是少；笔数少的往一拉，`BRANCH_PRIOR` 管拉的力度；
# - **收益率和成本**是参数，换成本行的数。算出来是负的，就是打了也不够电话费。
#
# 名单从下发那天起 `KEEP_DAYS` 天有效。三批都早已过期，所以**今天要重新开一份**：去掉借过的、现在有贷款的、号码无效的、
# 谢绝或无授权的、明说反感的，特征按今天重算。其中随机留出一成不打，下一批才量得出“打”有没有用。

# %%
final_model = model_tools.fit_logit(called, simple, "drawn", weight=weight)
drawn_rows = called[called["drawn"]].assign(log_limit=lambda t: np.log(t["offered_limit"]))
amount_model = cu.analysis.glm.fit_amount(drawn_rows, "drawn_amount", ["log_limit"])
by_branch = called.assign(expected=final_model.predict(called)).groupby("branch_id")[["drawn", "expected"]].sum()
factor = whitelist.branch_factor(by_branch["drawn"], by_branch["expected"], BRANCH_PRIOR)
borrowing = bank.load("loan", columns=["customer_id", "balance"]).query("balance > 0")["customer_id"]
latest = worked.sort_values(["batch", "called", "list_id"], ascending=[False, False, True], kind="stable").drop_duplicates("customer_id")
out = latest["customer_id"].isin(borrowing) | latest["customer_id"].isin(rows.loc[rows["drawn"] | rows["already_borrowing"], "customer_id"])
tired = latest["reason_code"].isin(["重复外呼反感", "不准入"])
pool = latest[~out & ~tired & latest["phone_valid"] & latest["may_call"] & latest["age_fits"]].sort_values("customer_id").copy()
pool["age"] = today.year - pool["customer_id"].map(people["birth_year"].astype(float))
pool = pool[pool["age"].between(pool["product_code"].map(limits["age_minimum"]), pool["product_code"].map(limits["age_maximum"]))]

# %%
pool = pool.assign(online=pool["online_loan_flag"].astype(int), log_limit=np.log(pool["offered_limit"])).join(whitelist.wave(pool["age"], AGE_EDGES))
pool["chance"], pool["amount"] = final_model.predict(pool), amount_model.predict(pool)
pool["gain"] = pool["chance"] * pool["amount"] * MARGIN * pool["branch_id"].map(factor).fillna(1.0)
pool["priority"] = pool["gain"] - CALL_COST
pool["holdout"] = np.random.default_rng(SEED).random(len(pool)) < HOLDOUT_SHARE
position = pool["priority"].rank(ascending=False, method="first") / len(pool)
pool["tier"] = np.select([pool["priority"] <= 0, position <= TIERS[0], position <= TIERS[1]], ["不打", "A", "B"], "C")
table = pool.groupby("tier")[["chance", "amount", "priority"]].mean().assign(n=pool["tier"].value_counts())
cu.show(table, names={"tier": "档", "chance": "提款机会", "amount": "预计金额", "priority": "平均优先级", "n": "人数"},
        units={"chance": "%", "amount": "万元", "priority": "元"})
tilt = pool.groupby(pool["age"] >= OLD_STAFF)["offered_rate"].mean()
cu.say(f"今天能打 **{len(pool):,}** 人，按现在的收益和成本，{(pool['priority'] <= 0).mean():.0%} 打了不够电话费。"
       + (f"A 档一个电话平均赚 {table.loc['A', 'priority']:.0f} 元，这是把提款全算成电话的功劳，只能当上限。" if "A" in table.index else "")
       + f"公平检查：{OLD_STAFF} 岁以上与以下的预授信利率平均相差 {abs(tilt.diff().iloc[-1]):.2f} 个百分点，"
       + ("看不出按年龄定价。" if abs(tilt.diff().iloc[-1]) < 0.1 else "**差得不小，要问清定价规则**。"))

# %% [markdown] outline=["S000-2.1.3.5"]
# ## 演示七：落到支行
#
# 产能线的五样东西，一样一样对上：多维数据分析（前面六步）、垂直名单（分档到网点到人）、权益（利率券由产品经理另配，本表不写）、
# 话术（按标签给提示，**不提网贷**）、触达方式（A 档电话，B 档先发消息再电话，C 档只发消息）。
#
# 容量：一位经理一周 `CALLS_PER_WEEK` 个。哪家网点名单比人手多、哪家人手比名单多，先算清楚再下发。

# %%
managers = staff[staff["active"].eq(True) & (staff["post"] == "客户经理")].reset_index()
callable_now = pool[~pool["holdout"] & (pool["tier"] != "不打")]
load = pd.DataFrame({"n": callable_now["branch_id"].value_counts(), "managers": managers["branch_id"].value_counts()}).fillna(0)
load["capacity"] = load["managers"] * CALLS_PER_WEEK
load["weeks"] = load["n"] / load["capacity"].where(load["capacity"] > 0)
load = load.sort_values("weeks", ascending=False, kind="stable")
cu.show(load.rename_axis("branch_id").head(6).round({"weeks": 1}),
        names={"n": "要打的人", "managers": "经理人数", "capacity": "一周能打", "weeks": "要几周"})
late = load.index[load["weeks"] > KEEP_DAYS / 7]
cu.say(f"全行要打 {load['n'].sum():,.0f} 人，一周能打 {load['capacity'].sum():,.0f} 个。一周打不完的网点 {(load['weeks'] > 1).sum()} 家；"
       + (f"{'、'.join(late)} 在有效期里也打不完，要么借人，要么只打 A、B 档。" if len(late) else "有效期里都打得完，先打 A 档。"))

# %% [markdown]
# ## 练习
#
# **E1 ★★ 每批各几行** 做一张表 `hygiene`：一行一批（索引 `batch`），六列是 `重复`、`已有贷款`、`不准入`、`号码无效`、`谢绝或无授权`、`能打`，
# 值是行数。一行只算在**最先**符合的那一列（按上面的顺序），六列加起来等于这一批的行数。同一批里同一位客户的第二行起才算重复（打过的那行留下）。
# `rows` 里已经有 `age_fits`（年龄在准入之内，也不是在校学生）和 `may_call`（有授权、没有谢绝来电）。

# %% tags=["answer:E1"]
hygiene = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
r = worked.copy()
bad = [r.duplicated(["batch", "customer_id"]), r["already_borrowing"], ~r["age_fits"], ~r["phone_valid"], ~r["may_call"]]
columns = ["重复", "已有贷款", "不准入", "号码无效", "谢绝或无授权", "能打"]
r["status"] = np.select(bad, columns[:5], columns[5])
hygiene = pd.crosstab(r["batch"], r["status"]).reindex(columns=columns, fill_value=0)
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:across_batches"]
r = worked.copy()
bad = [r.duplicated("customer_id"), r["already_borrowing"], ~r["age_fits"], ~r["phone_valid"], ~r["may_call"]]
columns = ["重复", "已有贷款", "不准入", "号码无效", "谢绝或无授权", "能打"]
r["status"] = np.select(bad, columns[:5], columns[5])
hygiene = pd.crosstab(r["batch"], r["status"]).reindex(columns=columns, fill_value=0)

# %% tags=["wrong:E1:each_on_its_own"]
r = worked.copy()
bad = {"重复": r.duplicated(["batch", "customer_id"]), "已有贷款": r["already_borrowing"], "不准入": ~r["age_fits"],
       "号码无效": ~r["phone_valid"], "谢绝或无授权": ~r["may_call"]}
bad["能打"] = ~pd.DataFrame(bad).any(axis=1)
hygiene = pd.DataFrame(bad).groupby(r["batch"]).sum()

# %% tags=["wrong:E1:consent_forgotten"]
r = worked.copy()
bad = [r.duplicated(["batch", "customer_id"]), r["already_borrowing"], ~r["age_fits"], ~r["phone_valid"],
       r["customer_id"].map(people["do_not_call"]).eq(True)]
columns = ["重复", "已有贷款", "不准入", "号码无效", "谢绝或无授权", "能打"]
r["status"] = np.select(bad, columns[:5], columns[5])
hygiene = pd.crosstab(r["batch"], r["status"]).reindex(columns=columns, fill_value=0)

# %% tags=["alternative:E1:step_by_step"]
counts, left = {}, rows.groupby("batch").size()
for name, frame in zip(["重复", "已有贷款", "不准入", "号码无效", "谢绝或无授权"], [unique, fresh, fit, valid, usable], strict=True):
    size = frame.groupby("batch").size().reindex(left.index, fill_value=0)
    counts[name], left = left - size, size
hygiene = pd.DataFrame(counts).assign(能打=left)

# %% [markdown]
# **E2 ★★ 两段年龄** 名单上（`fresh`，每位客户一次）近十二个月月均流入超过五百元的人里，`TWO_BANDS` 两段年龄（`people["age"]`，含起点、不含终点）各自的
# “花费除以收入”（`year` 的 `out_amount / in_amount`）中位数是多少？用**自助法**给区间：有放回地重抽一千次，取中位数的百分之二点五和九十七点五分位。
# 结果赋给 `two_bands`：索引是段名，列 `median`、`low`、`high`。重抽是随机的，区间和参考差一点没关系。

# %% tags=["answer:E2"]
two_bands = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
rng = np.random.default_rng(SEED)
mine = year[(year["in_amount"] > 500) & year.index.isin(fresh["customer_id"])].join(people["age"])
result = {}
for name, (a, b) in TWO_BANDS.items():
    share = (mine["out_amount"] / mine["in_amount"])[mine["age"].between(a, b, inclusive="left")].to_numpy()
    draws = np.median(rng.choice(share, size=(1000, len(share))), axis=1)
    result[name] = {"median": np.median(share), "low": np.quantile(draws, 0.025), "high": np.quantile(draws, 0.975)}
two_bands = pd.DataFrame(result).T
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:spread_of_people"]
mine = year[(year["in_amount"] > 500) & year.index.isin(fresh["customer_id"])].join(people["age"])
share = mine["out_amount"] / mine["in_amount"]
parts = {name: share[mine["age"].between(a, b, inclusive="left")] for name, (a, b) in TWO_BANDS.items()}
two_bands = pd.DataFrame({n: {"median": s.median(), "low": s.quantile(0.025), "high": s.quantile(0.975)} for n, s in parts.items()}).T

# %% tags=["wrong:E2:ratio_of_medians"]
mine = year[(year["in_amount"] > 500) & year.index.isin(fresh["customer_id"])].join(people["age"])
result = {}
for name, (a, b) in TWO_BANDS.items():
    part = mine[mine["age"].between(a, b, inclusive="left")]
    pick = np.random.default_rng(99).integers(0, len(part), (1000, len(part)))
    draws = np.median(part["out_amount"].to_numpy()[pick], axis=1) / np.median(part["in_amount"].to_numpy()[pick], axis=1)
    result[name] = {"median": part["out_amount"].median() / part["in_amount"].median(), "low": np.quantile(draws, 0.025), "high": np.quantile(draws, 0.975)}
two_bands = pd.DataFrame(result).T

# %% tags=["alternative:E2:by_rows"]
rng, result = np.random.default_rng(7), []
listed = year.loc[year.index.isin(fresh["customer_id"].unique())].query("in_amount > 500")
ratio_of = (listed["out_amount"] / listed["in_amount"]).rename("share").to_frame().join(people["age"])
for name, (a, b) in TWO_BANDS.items():
    part = ratio_of.loc[(ratio_of["age"] >= a) & (ratio_of["age"] < b), "share"]
    medians = [part.iloc[rng.integers(0, len(part), len(part))].median() for _ in range(1000)]
    result.append([name, part.median(), *np.percentile(medians, [2.5, 97.5])])
two_bands = pd.DataFrame(result, columns=["band", "median", "low", "high"]).set_index("band")

# %% [markdown]
# **E3 ★★★ 你来排** 给检验批打过的每一行（`test`）一个分数，赋给 `my_score`（Series，索引是 `list_id`，越大越先打），并把用到的特征列名写进
# `my_features`（列表）。只许用下发那天知道的东西，只许用之前的批次学；排序能力（AUC）要比原始评分高出至少零点零五。

# %% tags=["answer:E3"]
my_features = ...  # ← 列名的列表
my_score = ...  # ← Series，索引 list_id
### BEGIN SOLUTION
my_features = ["online", *age_columns]
my_score = model_tools.fit_logit(train, my_features, "drawn", weight=weight).predict(test)
my_score.index = test["list_id"]
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:peeks_at_the_call"]
my_features = ["online", "reached", "interested"]
my_score = model_tools.fit_logit(train, my_features, "drawn").predict(test).set_axis(test["list_id"])

# %% tags=["wrong:E3:old_score"]
my_features = ["prior_score"]
my_score = test.set_index("list_id")["prior_score"]

# %% tags=["wrong:E3:upside_down"]
my_features = list(simple)
my_score = (1 - model_tools.fit_logit(train, simple, "drawn").predict(test)).set_axis(test["list_id"])

# %% tags=["alternative:E3:two_tables"]
my_features = ["online_loan_flag", "age"]
rate_by = train.assign(band=pd.cut(train["age"], AGE_EDGES, right=False)).groupby(["band", "online"], observed=False)["drawn"].agg(["sum", "size"])
rate_by = (rate_by["sum"] + 1) / (rate_by["size"] + 1 / train["drawn"].mean())
place_of = pd.MultiIndex.from_arrays([pd.cut(test["age"], AGE_EDGES, right=False), test["online"]])
my_score = pd.Series(rate_by.reindex(place_of).to_numpy(), index=test["list_id"]).fillna(train["drawn"].mean())

# %% [markdown]
# **E4 ★★★ 分给人** 把 `pool` 里的人分给客户经理，赋给 `my_plan`（列 `customer_id`、`employee_id`，这一周的）。要求：留出的（`holdout`）和“不打”的不分；
# 一人只给一位经理；经理要在职、是客户经理、和客户同一网点（`managers`）；每人最多 `CALLS_PER_WEEK` 个；优先级之和不低于现算的贪心方案的百分之九十八；
# **公平**：同一网点里，各位经理名单的优先级之和，最多的不超过最少的两倍（要打的人不到经理人数八倍的网点不查）。

# %% tags=["answer:E4"]
my_plan = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
parts = []
for branch, group in callable_now.groupby("branch_id"):
    team = sorted(managers.loc[managers["branch_id"] == branch, "employee_id"])
    ranked = group.sort_values(["priority", "customer_id"], ascending=[False, True])
    owner = whitelist.snake(ranked["customer_id"].tolist(), team, CALLS_PER_WEEK)
    parts.append(ranked.assign(employee_id=owner).dropna(subset=["employee_id"]))
my_plan = pd.concat(parts)[["customer_id", "employee_id"]]
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:best_to_the_first"]
parts = []
for branch, group in callable_now.groupby("branch_id"):
    team = sorted(managers.loc[managers["branch_id"] == branch, "employee_id"])
    ranked = group.sort_values("priority", ascending=False).head(CALLS_PER_WEEK * len(team))
    parts.append(ranked.assign(employee_id=[team[i // CALLS_PER_WEEK] for i in range(len(ranked))]))
my_plan = pd.concat(parts)[["customer_id", "employee_id"]]

# %% tags=["wrong:E4:calls_the_holdout"]
parts = []
for branch, group in pool[pool["tier"] != "不打"].groupby("branch_id"):
    team = sorted(managers.loc[managers["branch_id"] == branch, "employee_id"])
    ranked = group.sort_values("priority", ascending=False)
    owner = whitelist.snake(ranked["customer_id"].tolist(), team, CALLS_PER_WEEK)
    parts.append(ranked.assign(employee_id=owner).dropna(subset=["employee_id"]))
my_plan = pd.concat(parts)[["customer_id", "employee_id"]]

# %% tags=["wrong:E4:no_limit"]
parts = []
for branch, group in callable_now.groupby("branch_id"):
    team = sorted(managers.loc[managers["branch_id"] == branch, "employee_id"])
    ranked = group.sort_values("priority", ascending=False)
    parts.append(ranked.assign(employee_id=whitelist.snake(ranked["customer_id"].tolist(), team, len(ranked))))
my_plan = pd.concat(parts)[["customer_id", "employee_id"]]

# %% tags=["alternative:E4:poorest_first"]
taken = []
for branch, group in callable_now.groupby("branch_id"):
    team = {e: [0.0, 0] for e in sorted(managers.loc[managers["branch_id"] == branch, "employee_id"])}
    best_of = group.sort_values(["priority", "customer_id"], ascending=[False, True]).head(CALLS_PER_WEEK * len(team))
    for customer, value in zip(best_of["customer_id"], best_of["priority"], strict=True):
        open_now = [e for e in team if team[e][1] < CALLS_PER_WEEK]
        owner = min(open_now, key=lambda e: (team[e][0], e))
        team[owner] = [team[owner][0] + value, team[owner][1] + 1]
        taken.append((customer, owner))
my_plan = pd.DataFrame(taken, columns=["customer_id", "employee_id"])

# %% [markdown]
# ## 成果
#
# 一份给支行的名单：一个网点一页，按档和优先级排好，写明分给谁、推荐理由、话术提示、额度档、到期日；姓名已遮，没有电话和客户号，
# 拨号凭名单行号在行内系统里调。
# 话术只问用途和时间，不提客户在外面的借款。反馈码照白名单的口径填，填了“重复外呼反感”的，下一批不再出现。

# %%
cu.carry_on("E4")
sheet = pool.merge(my_plan, on="customer_id").merge(people[["masked_name"]].reset_index(), on="customer_id")
sheet = sheet if BRANCH is None else sheet[sheet["branch_id"] == BRANCH]
sheet["reason"] = np.where(sheet["online"] == 1, "有用款习惯", "") + np.where(sheet["chance"] >= 1.5 * pool["chance"].mean(), " 机会高", "")
sheet["reason"] = sheet["reason"].str.strip().replace("", "常规")
sheet["script"] = np.select([sheet["tier"] == "A", sheet["tier"] == "B"], ["近期有没有装修、进货、买车等用款？额度随借随还", "先发消息说明额度，两天后回访"], "只发消息，客户问了再打")
sheet["limit_band"] = pd.cut(sheet["offered_limit"], [0, 30_000, 50_000, 100_000, 1e9], labels=["三万以内", "三到五万", "五到十万", "十万以上"])
sheet["expiry"] = (today + pd.DateOffset(days=KEEP_DAYS)).date()
sheet = sheet.sort_values(["branch_id", "employee_id", "priority"], ascending=[True, True, False], kind="stable")
sheet = sheet[["branch_id", "employee_id", "list_id", "masked_name", "tier", "reason", "script", "limit_band", "expiry"]]

# %%
path = cu.deliver.call_list(
    bank.output_dir("m03_n01") / "白名单优先级_支行.xlsx", sheet, branch_column="branch_id", title="线上贷款白名单优先级",
    purpose="线上贷款营销（行内使用）", purge_date=(today + pd.DateOffset(days=90)).date(), tables="white_list",
    result_codes=["接通-已申请", "接通-有意向", "接通-暂不需要", "接通-价格偏高", "接通-反感勿再打", "未接通", "号码失效"],
    names={"employee_id": "客户经理", "masked_name": "客户", "tier": "档", "reason": "推荐理由", "script": "话术提示", "limit_band": "额度档", "expiry": "名单到期日"},
    notes=[f"名单 {KEEP_DAYS} 天有效，过期收回重排。", "客户拒绝的，当场登记，不再联系。", "话术不得提及客户在其他机构的借款。"])
cu.say(f"名单已保存：`{path.name}`，{sheet['branch_id'].nunique()} 家网点、{len(sheet):,} 人，{sheet['expiry'].iloc[0] if len(sheet) else ''} 到期。")

# %% [markdown]
# ## 讨论
#
# 1. 让一位同事改变，靠的是命令、奖金，还是他自己做成一次？三批的“动起来”曲线支持哪一种说法？
# 2. 模型把某一段年龄排在后面，是歧视吗？排先后和定利率有什么不同？
# 3. 外部名单对上八九成，为什么反而说明它没有用？
#
# ## 小结
#
# 名单先洗后排：一成多的行不打就知道没用。年长的经理不是做不成，是没有打。谁要借，看申请记录里的年龄和标签，
# 不看想当然的收支曲线；一行值多少钱，是机会乘金额乘收益再减成本，最后分给人、写上期限、随机留一成。
#
# 下一课：个体工商户名单——怎样把一份外来的名单对得准。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 埋设：两段年龄的需求更高（二十八到三十八岁、四十五到五十二岁，申请的胜算约两倍）；网贷标识让提款的胜算变成两倍多；
# 一成半的行是重复或已有贷款；四十五岁以上的经理外呼率只有别人的一半，打出去的转化一样。
#
# 课堂提示：年龄分段的起点和埋设的两段不重合，学员看到的峰会矮一些，可以让他们改 `AGE_EDGES` 再跑。
# 常见弯路：去重不排序；用打了以后的列当特征；把脱敏姓名对上当成匹配成功；好名单全给一个人。用时：演示六十分钟，练习三十五分钟。

# %% tags=["instructor"]
truth_age = fresh[fresh["reached"]].assign(hump=lambda t: t["age"].between(28, 38) | t["age"].between(45, 52))
humps = experiment.logistic(truth_age, "applied", ["online", "hump"]).loc["hump", "odds_ratio"]
rate_old = duty.groupby("old")["called"].mean()
cu.reveal(bank, "m03_n01", {"useless_rows": useless, "online_flag_lift": ratio.loc["online", "odds_ratio"], "old_staff_call": rate_old[1] / rate_old[0], "need_humps": humps},
          names={"useless_rows": "重复或已有贷款的行", "online_flag_lift": "网贷标识的提款胜算倍数", "old_staff_call": "四十五岁以上经理的外呼率之比", "need_humps": "两段年龄的申请胜算倍数"})
