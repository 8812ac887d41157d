# %% [markdown]
# # 贷款流失客户与差异化归巢
#
# 课程：银行数据应用 · 大纲：S004-C9、S004-C9.1、S004-C9.2、S004-C9.3、S004-C9.4、S004-C9.5、S000-1.3.5.4.5、S000-1.3.5.4.6、S000-1.3.5.4.7、S000-1.3.5.4.8 · 难度：L2 · 用时：100 分钟
#
# 学完本课，你能：
#
# - 给“贷款客户流失”下一个算得出来的定义，并把流失分成四类；
# - 公平地比较各地区、各年份、各支行的流失率，不冤枉小支行；
# - 按原因、需求和价格敏感性排出归巢名单，算清让利值不值。
#
# Abstract: Define lost borrowers, compare loss rates fairly with funnel limits and shrinkage, find causes, read price sensitivity from random offers, and plan a recall within a concession budget.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 归巢名单看哪家支行：None 表示全行（流失率、原因、价格试验总是用全行数据）
YEARS = [2022, 2023, 2024, 2025]  # 比较哪几年结清的贷款
LOST_DAYS = 90  # 结清后多少天没有再借算流失
AGE_LIMIT = 60  # 系统准入年龄：到了这个岁数，不是客户要走
GAP_LIMIT = 150  # 利率比大行最低价高多少个基点算价差大
MANAGER_DAYS = 180  # 结清前多少天内换过客户经理算换经理
EARLY_DAYS = 60  # 结清后多少天以内打电话算早
RECALL_DAYS = 300  # 流失不超过多少天的还值得找
PRICE_CUTS = [0.0, 0.4, 0.8]  # 试验里的三档让利，百分点
LOSS_GIVEN_DEFAULT = {"信用": 0.65, "保证": 0.4, "抵押": 0.25, "质押": 0.1}  # 违约后的损失比例
RUNNING_COST = 0.6  # 每年运营成本，占余额的百分数
CALL_COST = 12  # 一个电话的成本，元
CALLS_PER_BRANCH = 10  # 一家支行这一批最多打几户
CUT_BUDGET = 2000  # 这一批预期让利总额，元
SEED = 20251231  # 随机留出用的种子

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m03_n09", BANK, AS_OF)
ranking, experiment = cu.analysis.ranking, cu.analysis.experiment
wilson, diff_ci = experiment.wilson, experiment.diff_ci

# %% [markdown] outline=["S004-C9"]
# ## 业务情境
#
# 信贷部通报：“某支行贷款客户流失率全行最高。”那家支行的行长不服：“我一共才几十户，走了几户就成了第一？再说，
# **走的人里，有到岁数贷不了的，有嫌利率高的，有换了经理没人理的，能用一张名单、一个话术去喊回来吗？**”
#
# 他问对了两件事：流失率要**公平地比**，归巢要**分开做**。本课先把“流失”定义清楚，再比较、找原因，
# 最后用一次随机报价的电话试验，算出对谁让利、对谁只补服务、对谁不打电话。
#
# 这些数据**不能**说明：客户走了以后在哪家银行借了多少（只有少数人后来又查过征信，而且要过用途闸门）；
# 没接电话的人为什么走；让利以外的办法（比如送服务）有没有用——没有试验过的，本课不替它报数。
#
# ## 数据
#
# 借据表一行是一笔贷款，触达记录里有一次“归巢”试验：给流失客户打电话，报价在三档里随机分配，另有一部分人随机留着不打。

# %%
cu.dictionary(bank, {
    "loan": ["loan_id", "customer_id", "line_id", "issue_date", "maturity_date", "settle_date", "settle_type", "repay_method", "rate"],
    "credit_line": ["line_id", "expire_date", "status"],
    "contact_log": ["purpose", "arm", "loan_id", "contact_time", "offered_rate", "reason_code", "converted"],
    "competitor_product": ["bank_type", "line", "rate_low"],
})  # fmt: skip

# %% [markdown] outline=["S004-C9.1"]
# ## 演示一：先说清楚，谁算流失
#
# 本课程定义 [定义]：一笔经营、消费、农户或企业贷款**正常结清**以后，`LOST_DAYS` 天内没有再借，名下额度也不能用了，算流失。三种情况不进分母：
# 核销的、逾期超过 90 天的（不是他要走，是我们不敢留）、结清还不满 `LOST_DAYS` 天的（还没到揭晓的时候）。按揭和助学贷还完就是还完，也不算。
# 本课的流失率按样本里的笔数算，没有乘权数，一位客户可以有几笔：拿来比高低、找线索，不当作全行的流失率上报。
#
# 流失再分四类，次序不能乱，先看是不是**政策**把人送走的：
#
# | 类别 | 怎么认 | 谁该着急 |
# |---|---|---|
# | 政策性 | 结清时满 `AGE_LIMIT` 岁，或产品已下线 | 产品部门，不是客户经理 |
# | 提前结清 | 没到期就还清了 | 价格、服务 |
# | 额度到期未续 | 随借随还的额度到期没续 | 到期前没人提醒 |
# | 到期结清未续 | 一笔一结的，到期还清没再借 | 到期前没人谈 |

# %%
fields = ["loan_id", "customer_id", "line_id", "branch_id", "product_code", "issue_date", "maturity_date", "settle_date",
          "amount", "rate", "repay_method", "guarantee", "settle_type", "pd_estimate"]  # fmt: skip
products = bank.load("product", columns=["product_code", "line", "end_date"])
loans = bank.load("loan", columns=fields).merge(products, on="product_code").sort_values(["issue_date", "loan_id"])
loans = loans[~loans["line"].isin(["按揭", "助学贷"])]
late = bank.load("loan_month", columns=["loan_id", "dpd"]).query("dpd > 90")["loan_id"].unique()
closed = loans[loans["settle_date"].notna() & (loans["settle_type"] != "核销") & ~loans["loan_id"].isin(late)]
closed = closed[closed["maturity_date"] >= closed["issue_date"]].sort_values(["settle_date", "loan_id"])
later = loans[["customer_id", "issue_date"]].rename(columns={"issue_date": "next_issue"})
closed = pd.merge_asof(closed, later, left_on="settle_date", right_on="next_issue", by="customer_id", direction="forward")
people = bank.load("customer", columns=["customer_id", "customer_type", "masked_name", "birth_year", "occupation", "branch_id", "manager_id",
                                        "status", "do_not_call", "phone_valid", "weight"]).rename(columns={"branch_id": "home_branch"})  # fmt: skip
lines = bank.load("credit_line", columns=["line_id", "expire_date"]).rename(columns={"expire_date": "line_until"})
closed = closed.merge(lines, on="line_id", how="left").merge(people, on="customer_id", how="left")

# %%
deadline = closed["settle_date"] + pd.Timedelta(days=LOST_DAYS)
closed["lost"] = ~(closed["next_issue"] <= deadline) & ~(closed["line_until"] > deadline)
closed["age"] = closed["settle_date"].dt.year - closed["birth_year"]
policy = (closed["age"] >= AGE_LIMIT).fillna(False).astype(bool) | (closed["end_date"] <= closed["settle_date"])
closed["kind"] = np.select([~closed["lost"], policy, closed["settle_type"] == "提前结清", closed["repay_method"] == "随借随还"],
                           ["没流失", "政策性", "提前结清", "额度到期未续"], default="到期结清未续")  # fmt: skip
settled = closed[deadline <= bank.as_of].copy()
kinds = settled["kind"].value_counts().to_frame("count")
kinds["share"] = kinds["count"] / len(settled)
cu.show(kinds, rows=None, units={"share": "%"}, names={"kind": "结清后的去向", "count": "笔数", "share": "占比"})
loss_rate = settled["lost"].mean()
cu.say(f"看得到结果的 {len(settled):,} 笔结清贷款里，**{loss_rate:.1%}** 流失。若把还不满 {LOST_DAYS} 天的 {len(closed) - len(settled):,} 笔也算进来、"
       f"没再借就当流失，会变成 {closed['lost'].mean():.1%}：它们多数只是还没到再借的时候。"
       f"流失里“{kinds.drop('没流失').idxmax()['count']}”最多；产品下线造成的有 {(settled['lost'] & (settled['end_date'] <= settled['settle_date'])).sum()} 笔。")  # fmt: skip

# %% [markdown] outline=["S004-C9.2"]
# ## 演示二：分地区、分年份，带着区间比
#
# 大纲里写的是二〇一九到二〇二二年；课程数据看 `YEARS` 这几个完整的年份，换自己的行时改参数就行。最后一年只到还能看满 `LOST_DAYS` 天的那些。
# 地区按支行类型分：营业部和城区支行算**城区**，乡镇支行和分理处算**乡镇**。点是流失率，横线是区间（同样的客户再来一遍，比例大致会落在哪里）；两条横线错开，才说得上差别。
#
# 可城区和乡镇的客户不一样：产品不同，年纪不同。**标准化**就是让两边换成同一副“客户结构”再比：先在每个产品、每个年龄段里各算各的，再按全行的结构加权。
# 标准化以后差距还在，就不是结构造成的。“覆盖”是说这个地区有客户的格子占全行结构的多大，太低就别信。

# %%
branches = bank.load("branch", columns=["branch_id", "branch_name", "branch_type"]).set_index("branch_id")
town = closed["branch_id"].map(branches["branch_type"]).isin(["营业部", "城区"])
closed["area"], closed["year"] = np.where(town, "城区", "乡镇"), closed["settle_date"].dt.year
settled = closed[deadline <= bank.as_of]
window = settled[settled["year"].isin(YEARS)].copy()
dots = window.groupby(["year", "area"])["lost"].agg(["sum", "size"]).reset_index()
dots = dots.join(wilson(dots["sum"], dots["size"]))
dots["year"] = dots["year"].astype("str") + " 年结清"
total = window.groupby("area")["lost"].agg(["sum", "size"])
gap = diff_ci(*total.loc["城区"], *total.loc["乡镇"])
word = "高出" if gap["low"] > 0 else ("低" if gap["high"] < 0 else "看不出差别，相差")
fig = cu.charts.forest(dots, "rate", label="year", group="area", reference=window["lost"].mean(), unit="%")
cu.charts.finish(fig, title=f"城区流失率 {gap['rate_a']:.0%}，比乡镇{word} {abs(gap['difference']) * 100:.0f} 个百分点",
                 source=f"{bank.name}，{YEARS[0]}–{YEARS[-1]} 年结清的 {len(window):,} 笔，虚线为平均",
                 alt="按年份和地区画的流失率点图，带区间。")  # fmt: skip

# %%
ages = pd.cut(window["age"].fillna(0), [-1, 1, 35, 50, AGE_LIMIT, 200], right=False, labels=["企业", "35 岁以下", "35–49", "50 岁到上限", "到上限"])
fair = ranking.standardise(window.assign(age_band=ages.astype("str")), "lost", "area", ["line", "age_band"])
cu.show(fair, rows=None, units={"rate": "%", "adjusted": "%", "low": "%", "high": "%", "covered": "%"},
        names={"area": "地区", "n": "笔数", "rate": "原来的流失率", "adjusted": "标准化以后", "low": "区间下限", "high": "区间上限", "covered": "覆盖"})  # fmt: skip
raw_gap, fair_gap = fair["rate"].diff().iloc[-1], fair["adjusted"].diff().iloc[-1]
apart = fair["low"].max() > fair["high"].min()
cu.say(f"两地原来相差 {abs(raw_gap) * 100:.1f} 个百分点，标准化以后相差 {abs(fair_gap) * 100:.1f} 个百分点，两个区间{'仍然错开' if apart else '已经重叠'}："
       f"{'差距不是产品和年龄结构造成的，要到别处找原因' if apart else '差距大半是结构造成的，别急着怪支行'}。")  # fmt: skip

# %% [markdown]
# ## 演示三：谁是“全行最差”，先过漏斗图
#
# 小支行只有几十笔，多走两三户就冲到榜首，少走两三户就成了标杆。**漏斗图**把这件事画出来：横轴是笔数，纵轴是流失率，
# 两条虚线是“光凭运气也会到的地方”，笔数越少张得越开。落在里面的，谁高谁低都不算数。
#
# 还有一个坑：拿全行平均当中线，城区支行会一起“超标”，那是地区的差别，不是支行的差别。所以比两遍：第一遍对全行，第二遍只和**同一地区**的比。
#
# 一定要排名怎么办？把每家支行的流失率**往平均数拉一把**，笔数越少拉得越多，这叫收缩：收缩后的流失率 = (流失笔数 + κ × 平均流失率) ÷ (笔数 + κ)。
# κ 的意思是“平均数值多少笔”，由数据自己定：支行之间的差别越像运气，κ 越大，拉得越狠；大到无穷，就是“分不出谁高谁低”。练习二请你自己算一遍全行的。

# %%
by_branch = window.groupby("branch_id").agg(lost=("lost", "sum"), n=("lost", "size"), area=("area", "first"))
by_branch = by_branch[by_branch["n"] >= 10]
areas = dict(list(by_branch.groupby("area")))
whole = ranking.funnel(by_branch["lost"], by_branch["n"])
local = pd.concat([ranking.funnel(part["lost"], part["n"]) for part in areas.values()]).loc[by_branch.index]
kappa = {"全行": by_branch, **areas}
kappa = {name: ranking.moments_kappa(part["lost"], part["n"]) for name, part in kappa.items()}
worst, outside = whole["rate"].idxmax(), [int((table["z"].abs() > 1.96).sum()) for table in (whole, local)]
fig = cu.charts.funnel_plot(whole, center=by_branch["lost"].sum() / by_branch["n"].sum(), size_label="结清笔数", label=[worst])
cu.charts.finish(fig, title=f"在界限以外的支行：和全行平均比有 {outside[0]} 家，和同地区比有 {outside[1]} 家",
                 source=f"{bank.name}，{len(by_branch)} 家支行（至少十笔）；标出的 {worst} 是流失率最高的一家，界限按全行平均画",
                 alt="漏斗图：支行笔数与流失率，带两层界限。")  # fmt: skip

# %%
place = local.loc[worst]
cu.say(f"流失率最高的是 {branches.loc[worst, 'branch_name']}：{by_branch.loc[worst, 'n']} 笔里走了 {by_branch.loc[worst, 'lost']} 笔，{place['rate']:.0%}。"
       f"放在同地区里看，它离平均 {abs(place['z']):.1f} 个标准误（两个以内属于常见的波动），结论是“{place['place']}”。"
       f"{'这个“第一”运气就能解释，拿它通报没有道理。' if place['place'] == '正常波动' else '它在同地区里也偏高，值得去看看。'}")  # fmt: skip
words = [f"{name} κ {'无穷大（支行之间分不出高低）' if np.isinf(value) else f'= {value:,.0f} 笔'}" for name, value in kappa.items()]
shrunk = ranking.shrink(by_branch["lost"], by_branch["n"])
small = by_branch["n"].idxmin()
cu.say("；".join(words) + f"。按全行收缩，笔数最少的 {branches.loc[small, 'branch_name']}（{by_branch.loc[small, 'n']} 笔）原来 {shrunk.loc[small, 'rate']:.1%}，"
       f"收缩后 {shrunk.loc[small, 'shrunk']:.1%}：只有 {shrunk.loc[small, 'weight']:.0%} 算自己的，其余听平均数的。")  # fmt: skip

# %% [markdown] outline=["S004-C9.3", "S000-1.3.5.4.6"]
# ## 演示四：为什么走，三条线索互相对
#
# 先看三条**规则线索**，每条都在两个地区分别看，看得见才用：价差（结清时我们的利率比大行最低价高多少，按当时的报价利率折回去）、
# 年龄（有没有一道坎）、换经理（结清前 `MANAGER_DAYS` 天内）。伴随不等于因果：价差大的客户也许本来就更会挑。
# 年龄那道坎在几岁，就一岁一岁试，看从哪一岁起流失率跳得最清楚，顺便核对 `AGE_LIMIT`：系统里的线和产品说明书上写的，常常对不上。
#
# 把看得见的线索写成归因规则（先到岁数，再换经理，再价差；一条也没有的叫“说不清”），再和另外两种证据对：
# 电话里客户自己说的**原因码**，以及结清以后**用途放行**的征信报告里有没有出现别家新放的贷款。
# 两种说法对得上多少，用科恩 κ（注意和收缩的 κ 不是一回事）：扣掉碰巧一致的部分，一是完全一致，零是跟瞎猜一样。

# %%
lpr = bank.load("lpr_rate").sort_values("effective_date")
rivals = bank.load("competitor_product", columns=["bank_type", "line", "rate_low"]).query("bank_type == '大行'")
now = lpr.loc[lpr["effective_date"] <= bank.as_of, "lpr_1y"].iloc[-1]
cheapest = rivals.groupby("line", observed=True)["rate_low"].min() - now  # 大行最低价比报价利率高多少
case = pd.merge_asof(window.sort_values(["settle_date", "loan_id"]), lpr[["effective_date", "lpr_1y"]],
                     left_on="settle_date", right_on="effective_date")  # fmt: skip
case["gap"] = (case["rate"] - case["lpr_1y"] - case["line"].astype("str").map(cheapest)) * 100
turns = bank.load("customer_manager_history", columns=["customer_id", "from_date"]).sort_values(["from_date", "customer_id"])
turns = turns[turns["customer_id"].duplicated()]
case = pd.merge_asof(case, turns.rename(columns={"from_date": "turned"}), left_on="settle_date", right_on="turned",
                     by="customer_id", tolerance=pd.Timedelta(days=MANAGER_DAYS))  # fmt: skip
case["old"] = (case["age"] >= AGE_LIMIT).fillna(False).astype(bool)
case["dear"], case["changed"] = case["gap"] > GAP_LIMIT, case["turned"].notna()
clues = {"dear": "价差大", "old": "到岁数", "changed": "换经理"}

# %%
seen = pd.concat([experiment.compare_arms(case if flag == "old" else case[~case["old"]], "lost", flag, True, False, by="area")
                  .assign(flag=flag, clue=name) for flag, name in clues.items()]).query("n_a >= 10")  # fmt: skip
seen["clue"] = seen["area"] + "·" + seen["clue"]
strong = seen[seen["low"] > 0].sort_values("difference", ascending=False)
fig = cu.charts.forest(seen.assign(name=seen["clue"] + "（" + seen["n_a"].astype("str") + " 笔）"), "difference", label="name", unit="%")
cu.charts.finish(fig, title="看得见的线索：" + ("、".join(strong["clue"].str.replace("·", "的")) or "没有"),
                 source=f"{bank.name}，横轴为有这条线索的流失率减没有的（百分点），横线为区间，碰到零线的不算",
                 alt="森林图：" + "，".join(f"{c} {d * 100:+.0f} 个百分点" for c, d in zip(seen["clue"], seen["difference"], strict=True)) + "。")  # fmt: skip
scan = ranking.sharpest_step(case["age"], case["lost"], range(53, 68))
found_age = int(scan["z"].abs().idxmax())
written = bank.load("product", columns=["line", "age_maximum"]).query("line in ['经营贷', '消费贷', '农户贷']")["age_maximum"]
cu.say(f"年龄跳得最清楚的是 **{found_age} 岁**：从这一岁起流失率 {scan.loc[found_age, 'above']:.0%}（{scan.loc[found_age, 'n_above']} 笔），"
       f"和参数 `AGE_LIMIT` {'一致' if found_age == AGE_LIMIT else '不一致，先去查系统准入规则'}。产品说明书上的上限是 {int(written.min())} 到 {int(written.max())} 岁"
       f"{'：说明书写得更宽，系统却先关了门，这要和产品部门对账' if written.max() > found_age else ''}。")  # fmt: skip

# %% tags=["board:lending:picture"]
gone = case[case["lost"]].copy()
usable = set(zip(strong["area"], strong["flag"], strict=True))
hits = [gone[flag] & gone["area"].map(lambda area, flag=flag: (area, flag) in usable) for flag in ["old", "changed", "dear"]]
gone["cause"] = np.select(hits, ["到岁数", "换经理", "价差大"], default="说不清")
shares = gone.pivot_table(index="area", columns="cause", values="loan_id", aggfunc="size").fillna(0)
shares = shares.div(shares.sum(axis=1), axis=0)[[c for c in ["价差大", "换经理", "到岁数", "说不清"] if c in shares]]
shares.index = [f"{area}（{count} 笔）" for area, count in gone.groupby("area").size().items()]
fig = cu.charts.stacked_ladder(shares, unit="%", legend="归因", totals=False)
cu.charts.finish(fig, title="，".join(f"{name[:2]}流失里“{cause}”最多" for name, cause in shares.idxmax(axis=1).items()),
                 source=f"{bank.name}，{len(gone):,} 笔流失；只有区间不碰零的线索才用来归因", alt="按地区堆叠的流失原因占比图。")  # fmt: skip
for row in strong[strong["flag"] == "dear"].itertuples():
    cu.say(f"别把“归到价差大”读成“都是价差害的”：{row.area}价差大的客户里，每一百个流失的，价差小也会流失的约有 {row.rate_b / row.rate_a * 100:.0f} 个，多出来的是其余的。")

# %%
log = bank.load("contact_log", columns=["customer_id", "contact_time", "purpose", "arm", "loan_id", "offered_rate", "reason_code",
                                        "result", "converted", "converted_date"])  # fmt: skip
recall = log[log["purpose"] == "归巢"].sort_values(["contact_time", "loan_id"])
pair = gone[["loan_id", "cause"]].merge(recall[["loan_id", "reason_code"]].dropna(), on="loan_id")
said = pair["reason_code"].astype("object").map({"利率高": "价差大", "经理更换": "换经理", "年龄超限": "到岁数"}).fillna("说不清")
names = ["价差大", "换经理", "到岁数", "说不清"]
grid = pd.crosstab(pair["cause"], said, normalize=True).reindex(index=names, columns=names, fill_value=0)
agree, chance = np.trace(grid), (grid.sum(axis=0) * grid.sum(axis=1)).sum()
cohen = (agree - chance) / (1 - chance)
trust = "基本可信" if cohen >= 0.6 else ("只能当线索" if cohen >= 0.2 else "几乎对不上，两种说法分开报，不能互相当证据")
cu.say(f"电话里说了原因的 {len(pair)} 人，和规则归因一致 {agree:.0%}，碰巧也会一致 {chance:.0%}，科恩 κ = **{cohen:.2f}**：{trust}。")
report = bank.load("bureau_report", columns=["query_id", "customer_id", "query_date", "consent_scope", "consent_expire_date"])
after = report[report["consent_scope"].isin(["营销", "授信管理"]) & ~(report["consent_expire_date"] < bank.as_of)].merge(gone[["customer_id", "settle_date", "cause"]], on="customer_id").query("query_date > settle_date")
other = bank.load("bureau_loan", columns=["query_id", "issue_date"]).merge(after, on="query_id").query("issue_date > settle_date")
cu.say(f"第三条线索，用途放行的征信：{len(gone):,} 笔流失里，结清后又有放行报告的 {after['customer_id'].nunique()} 人，其中看到别家新放贷款的 {other['customer_id'].nunique()} 人。看不见的不等于没去。")

# %% [markdown] outline=["S000-1.3.5.4.7"]
# ## 演示五：价格敏感，要用随机报价来量
#
# 嘴上说利率高，不等于降了就回来。归巢试验把报价随机分成三档，正好能量：同样的人，只差报价，回来的比例差多少。
# 系统没存让了几个点，可以推：同一产品、同一年、同一报价利率时期里，最高的报价就是原价，原价减报价就是让利；推不清的少数几组拿掉。
#
# 同时看**早晚**：结清后 `EARLY_DAYS` 天以内打的算早。早晚也是随机排的，可以比。
#
# 能不能事先认出谁敏感？放进一个模型：让利每多一个百分点、电话早不早、原来价差大不大，以及“原来价差大的人是不是对让利更敏感”（两者相乘）。
# 优势比大于一是更容易回来；区间跨过一，就是看不清，**不能**拿它给客户分三六九等定价（《个人信息保护法》第二十四条：不得在交易价格上实行不合理的差别待遇）。

# %%
trial = recall.merge(loans[["loan_id", "settle_date", "product_code", "line", "amount", "branch_id"]], on="loan_id")
trial["days"] = (trial["contact_time"] - trial["settle_date"]).dt.days
trial["when"] = np.where(trial["days"] <= EARLY_DAYS, f"{EARLY_DAYS} 天以内", "更晚")
period = lpr["effective_date"].searchsorted(trial["contact_time"], side="right")
group = trial.groupby([trial["product_code"], trial["contact_time"].dt.year, period])["offered_rate"]
spread = group.transform("max") - group.transform("min")
trial["cut"] = (group.transform("max") - trial["offered_rate"]).round(1).where(spread > 0.75)
trial["back"] = trial["converted"].astype("boolean").fillna(False).astype(int)
held = experiment.compare_arms(trial, "back", "arm", "随机触达", "随机保留").iloc[0]
called = trial[(trial["arm"] == "随机触达") & trial["cut"].notna()].copy()
timing = called.groupby("when")["back"].agg(["sum", "size"])
early = diff_ci(*timing.iloc[0], *timing.iloc[1])
cu.say(f"打了电话的 {held['n_a']:,} 人里 **{held['rate_a']:.1%}** 回来，随机留着不打的 {held['n_b']} 人里 {held['rate_b']:.1%}，"
       f"差 {held['difference'] * 100:+.1f} 个百分点（区间 {held['low'] * 100:+.1f} 到 {held['high'] * 100:+.1f}）。早打的回来 {early['rate_a']:.1%}，晚打的 {early['rate_b']:.1%}，"
       f"**早是晚的 {early['rate_a'] / early['rate_b']:.1f} 倍**，差的区间 {early['low'] * 100:+.1f} 到 {early['high'] * 100:+.1f} 个百分点。可流失要满 {LOST_DAYS} 天才认定——等名单出来，最好的窗口已经关了。")  # fmt: skip

# %%
called["dear_before"] = called["loan_id"].map(case.set_index("loan_id")["dear"]).map({True: "原来价差大", False: "原来价差小"})
called["cut_name"] = called["cut"].map(lambda cut: f"让 {cut:.1f} 个百分点" if cut else "原价")
cells = called.groupby(["cut", "cut_name", "when"])["back"].agg(["sum", "size"]).reset_index()
cells = cells.join(wilson(cells["sum"], cells["size"]))
full, deep = [called.loc[called["cut"].sub(cut).abs() < 0.05, "back"] for cut in (PRICE_CUTS[0], PRICE_CUTS[-1])]
sensitive = 1 - full.mean() / deep.mean()
error = (1 / full.sum() - 1 / len(full) + 1 / deep.sum() - 1 / len(deep)) ** 0.5
low, high = [1 - full.mean() / deep.mean() * np.exp(sign * 1.96 * error) for sign in (1, -1)]
fig = cu.charts.bars_with_interval(cells, label="cut_name", group="when", count="size")
cu.charts.finish(fig, title=f"让到最低价回来 {deep.mean():.0%}，原价 {full.mean():.0%}：会回来的人里约 {sensitive:.0%} 要降价才回来",
                 source=f"{bank.name}，归巢试验随机触达 {len(called):,} 人，按打电话的早晚分开", alt="按让利档和电话早晚分组的归巢比例条形图，带区间。")  # fmt: skip
cu.say(f"价格敏感的比例 **{sensitive:.0%}**（区间 {max(low, 0):.0%} 到 {high:.0%}）：" + ("这是“会回来的人”里非降价不可的那部分。其余的人原价也回来，给他们让利等于白送。" if low > 0 else "区间碰到零，这次试验还看不出让利有没有用。"))

# %%
called["early"] = (called["days"] <= EARLY_DAYS).astype(int)
called["dear"] = (called["dear_before"] == "原来价差大").astype(int)
called["cut_dear"] = called["cut"] * called["dear"]
plain = experiment.logistic(called, "back", ["cut", "early", "dear"])
crossed = experiment.logistic(called, "back", ["cut", "early", "dear", "cut_dear"])
odds = pd.concat([plain, crossed.tail(1)])[["odds_ratio", "low", "high"]]
odds.index = ["让利（每个百分点）", "早打", "原来价差大", "价差大的人更敏感"]
cu.show(odds.set_axis(["优势比", "区间下限（倍）", "区间上限（倍）"], axis=1), rows=None, names={"index": "因素"})
clear = odds.index[(odds["low"] > 1) | (odds["high"] < 1)]
cu.say(f"看得清的因素：{'、'.join(clear) or '没有'}。“价差大的人更敏感”的区间{'跨过一：事先认不出谁敏感' if odds.loc['价差大的人更敏感', 'low'] < 1 < odds.loc['价差大的人更敏感', 'high'] else '没跨一：价差可以当敏感的线索'}。")

# %% [markdown] outline=["S004-C9.4"]
# ## 演示六：需求 × 价格，排优先级
#
# 二乘二 [定义]：**需求**看三件事，有两件以上算高——过去借过两笔以上、近六个月账户流入不低于前六个月、往年也是未来三个月里借的（季节到了）；
# **价格**看原来价差大不大。四格四种打法：需求高又价差大的先谈价格；需求高价差小的补服务；需求低价差大的放着等他来问；都低的不打。
#
# 再算每人的账：价值 = 不会自己回来的机会 × 回来的概率 ×（利差 − 风险成本 − 让利）× 余额 × 用款年数 − 电话成本。
# 候选分两批：**刚结清**（`EARLY_DAYS` 天以内，趁早）和**已流失**（不超过 `RECALL_DAYS` 天）。刚结清、额度还能用的多数会自己再借，
# 不列；额度也停了的才列，再乘上过去这种人没有自己回来的比例（额度到期日是今天的快照，当时未必就是这样，这个比例偏高）。

# %%
since = (bank.as_of - closed["settle_date"]).dt.days
waiting = closed[closed["next_issue"].isna() & (since <= RECALL_DAYS) & (closed["lost"]) & (closed["status"] == "正常")]
waiting = waiting[(waiting["kind"] != "政策性") & (waiting["customer_type"] != "企业") & (waiting["occupation"] != "学生")]
waiting = waiting.sort_values(["settle_date", "loan_id"]).drop_duplicates("customer_id", keep="last")
waiting = waiting.assign(days=since.loc[waiting.index])
waiting = waiting[(waiting["days"] <= EARLY_DAYS) | (waiting["days"] >= LOST_DAYS)]
waiting = waiting[~waiting["loan_id"].isin(recall["loan_id"])].set_index("customer_id")
active = bank.load("loan", columns=["customer_id", "settle_date"])
waiting = waiting.drop(active.loc[active["settle_date"].isna(), "customer_id"].unique(), errors="ignore")
agreed = bank.load("consent", columns=["customer_id", "scope", "granted", "expire_date"])
agreed = agreed[(agreed["scope"] == "营销") & agreed["granted"] & ~(agreed["expire_date"] < bank.as_of)]
waiting["may_call"] = waiting.index.isin(agreed["customer_id"]) & ~waiting["do_not_call"] & waiting["phone_valid"]

# %%
history = loans[loans["customer_id"].isin(waiting.index)]
times = history.groupby("customer_id").size()
coming = [(bank.as_of.month + k - 1) % 12 + 1 for k in (1, 2, 3)]
season = history[history["issue_date"].dt.month.isin(coming)].groupby("customer_id").size()
flow = bank.load("customer_month", columns=["month", "customer_id", "in_amount"])
half = bank.as_of - pd.DateOffset(months=6)
recent = flow[flow["month"] > half].groupby("customer_id")["in_amount"].sum()
before = flow[(flow["month"] <= half) & (flow["month"] > half - pd.DateOffset(months=6))].groupby("customer_id")["in_amount"].sum()
waiting["often"] = (times.reindex(waiting.index) >= 2).astype(int)
waiting["season"] = waiting.index.isin(season.index).astype(int)
waiting["growing"] = (recent.reindex(waiting.index) >= before.reindex(waiting.index)).astype(int)
waiting["need"] = np.where(waiting[["often", "season", "growing"]].sum(axis=1) >= 2, "需求高", "需求低")
spread_now = (waiting["rate"] - now - waiting["line"].astype("str").map(cheapest)) * 100
waiting["price"] = np.where(spread_now > GAP_LIMIT, "价差大", "价差小")
waiting["stage"] = np.where(waiting["days"] <= EARLY_DAYS, "刚结清", "已流失")

# %%
square = waiting.assign(cell=waiting["stage"] + "·" + waiting["price"]).pivot_table(index="need", columns="cell", values="loan_id", aggfunc="size")
cu.show(square.where(square >= 5), rows=None, names={"need": "需求"}, title="候选客户：需求 × 阶段和价格（户数，不满五户的不显示）")
back_model = cu.analysis.model.fit_logit(called, ["cut", "early"], "back")
stopped = case[~(case["line_until"] > case["settle_date"] + pd.Timedelta(days=LOST_DAYS))]
stays = stopped.groupby("area")["lost"].mean()
waiting["stays_away"] = np.where(waiting["stage"] == "刚结清", waiting["area"].map(stays).fillna(loss_rate), 1.0)
curve = bank.load("ftp_curve") if bank.has("ftp_curve") else pd.DataFrame({"month": [bank.as_of], "term_months": [12], "rate": [2.0]})
fund_cost = curve[curve["term_months"] == 12].sort_values("month")["rate"].iloc[-1]
todays = loans[loans["issue_date"] > bank.as_of - pd.DateOffset(months=6)].groupby("product_code")["rate"].median()
loss = waiting["pd_estimate"].fillna(0.03) * waiting["guarantee"].astype("str").map(LOSS_GIVEN_DEFAULT) * 100
waiting["margin"] = waiting["product_code"].map(todays) - fund_cost - RUNNING_COST - loss
years = ((waiting["maturity_date"] - waiting["issue_date"]).dt.days / 365).clip(0.25, 3)
waiting["money_years"] = waiting["amount"] * years * np.where(waiting["repay_method"].isin(["等额本息", "等额本金"]), 0.55, 1.0)
cu.say(f"候选 {len(waiting):,} 人，能打电话的 {waiting['may_call'].sum():,} 人；额度停了的人，过去没有自己回来的占 {stopped['lost'].mean():.0%}。扣掉资金成本 {fund_cost:.2f}%、"
       f"运营 {RUNNING_COST}% 和风险成本，原价的利差中位数 {waiting['margin'].median():.2f} 个百分点，利差为正的占 {(waiting['margin'] > 0).mean():.0%}：其余的人，回来也是亏的。")  # fmt: skip

# %%
wide, tables = waiting[waiting["may_call"]], []
for cut in PRICE_CUTS:
    option = wide.assign(cut=cut, early=(wide["stage"] == "刚结清").astype(int))
    option["chance"] = option["stays_away"] * back_model.predict(option)
    option["value"] = option["chance"] * (option["margin"] - cut) / 100 * option["money_years"] - CALL_COST
    tables.append(option.assign(give=option["chance"] * cut / 100 * option["money_years"]).reset_index())
offers = pd.concat(tables, ignore_index=True)
offers = offers if BRANCH is None else offers[offers["home_branch"] == BRANCH]
best = offers.sort_values(["value", "cut"], ascending=[False, True]).drop_duplicates("customer_id")
best["play"] = np.select([best["value"] <= 0, best["cut"] == 0], ["不打", "原价，补服务"], default="让利")
mix = best.groupby("play")["margin"].agg(["size", "median"])
flat, picked = [table["value"].clip(lower=0).sum() for table in (offers[offers["cut"] == 0], best)]
cu.say("不看预算，每人挑最划算的一档：" + ("；".join(f"{row.Index} {row.size} 人（原价利差中位数 {row.median:.1f} 个百分点）" for row in mix.itertuples()) or "没有候选客户")
       + f"。人人原价，值得打的合计 {flat:,.0f} 元；各挑各的，合计 {picked:,.0f} 元，多 {max(picked / max(flat, 1) - 1, 0):.1%}。"
       "利差厚，让利才划算；利差薄，让掉的比多回来的还多。")  # fmt: skip

# %% [markdown] outline=["S004-C9.5", "S000-1.1.3.1.1"]
# ## 演示七：流失以后还在动
#
# 流失不是终点。被早早喊回来的人，按定义已经不算流失，画图时要把他们**放回来**，不然图上永远看不到归巢。把这些人按月放进六个状态 [定义]：**流失**（没人联系）、**接触**（联系过没意向）、**意向**、**归巢**（又借了）、
# **他行**（自己说转向他行）、**沉睡**（满六个月没有任何进展）。图里从左到右是结清后的月份；归巢是按借据真的又借了才算，不听口头。
# 优质客户少走一个、多回一个，收入都看得见，所以这张图要月月更新。

# %%
cohort = (case["lost"] | case["loan_id"].isin(recall["loan_id"])) & (case["settle_date"] <= bank.as_of - pd.Timedelta(days=270))
gone_since = case[cohort].drop_duplicates("customer_id", keep="last")
touch = recall[recall["arm"] == "随机触达"].drop_duplicates("loan_id").set_index("loan_id").reindex(gone_since["loan_id"])
start = gone_since["settle_date"].to_numpy()
contact_day = (touch["contact_time"].to_numpy() - start) / np.timedelta64(1, "D")
back_day = (gone_since["next_issue"].to_numpy() - start) / np.timedelta64(1, "D")
result, reason = touch["result"].astype("object").to_numpy(), touch["reason_code"].astype("object").to_numpy()


def state_at(day):
    touched = contact_day <= day
    tests = [back_day <= day, touched & (reason == "转向他行"), touched & np.isin(result, ["有意向", "已办理", "已预约"]) & (day < 180 + contact_day),
             touched & (day < 180 + contact_day), day < 180]  # fmt: skip
    return pd.Series(np.select(tests, ["归巢", "他行", "意向", "接触", "流失"], default="沉睡"))


months = [0, 1, 2, 3, 6, 9]
moments = {month: state_at(month * 30) for month in months}
steps = [cu.analysis.churn.transition(moments[a], moments[b]) for a, b in zip(months[:-1], months[1:], strict=True)]

# %%
order = ["流失", "接触", "意向", "归巢", "他行", "沉睡"]
fig = cu.charts.state_flow(steps, labels=["结清"] + [f"{m} 个月" for m in months[1:]], order=order)
end = moments[months[-1]].value_counts(normalize=True)
cu.charts.finish(fig, title=f"九个月后：归巢 {end.get('归巢', 0):.0%}，沉睡 {end.get('沉睡', 0):.0%}",
                 source=f"{bank.name}，{len(gone_since):,} 位流失客户，按结清后的月份", alt="流失客户六种状态的流向图。")  # fmt: skip
monthly = sum(cu.analysis.churn.transition(state_at(m * 30), state_at(m * 30 + 30)) for m in range(3))
monthly = monthly.reindex(index=order, columns=order).fillna(0) + np.eye(len(order)) * 1e-9  # 没人到过的状态留在原地
monthly = monthly.div(monthly.sum(axis=1), axis=0)
ahead = pd.DataFrame(np.linalg.matrix_power(monthly.to_numpy(), 9), index=order, columns=order).loc["流失", "归巢"]
slept = moments[6].eq("沉睡")
woke = moments[9][slept].eq("归巢").mean() if slept.any() else 0
real = end.get("归巢", 0)
word = "推高了：早期动得快，后来越等越不动" if ahead > 1.2 * real else ("推低了：后来还有人慢慢回来" if ahead < 0.8 * real else "推得差不多")
cu.say(f"拿前三个月的月度转移矩阵连乘九次，推出九个月归巢 {ahead:.0%}，实际 {real:.0%}，{word}。六个月时已沉睡的 {slept.sum():,} 人，再过三个月只有 {woke:.1%} 归巢。")

# %% [markdown] outline=["S000-1.3.5.4.5", "S000-1.3.5.4.8", "S003-X3.14"]
# ## 演示八：策略卡、头三十秒、开场白要不要试
#
# | 原因 | 挽回策略 | 开场（头三十秒） | 不要做 |
# |---|---|---|---|
# | 价差大 | 报当天能给的价，给就当场说清期限 | “您上次那笔已经结清了，您要不要听听我们现在的价格？” | 许诺以后还能再降 |
# | 换经理 | 新经理上门认门，三天内回话 | “我是新接手您这边的经理，先认个门” | 把责任推给前任 |
# | 到岁数 | 不挽回本人；告诉他子女接手怎么办 | “按现在的规定您这边续不了，我把原因和办法说给您听” | 让家人代签、借名贷款 |
# | 说不清 | 问，别猜；问完把原因码记准 | “您这次没续，是不需要了，还是哪里不方便？” | 一上来就报优惠 |
#
# 头三十秒四件事：**我是谁、为什么打、您现在方便吗、不想接以后可以不打**。归巢电话也有“首面”：还没谈业务，先让客户愿意听第二句。
# 两种开场哪种好，别争，试：随机分两组，事先说好看“九十天内又借”，中途不偷看。样本要多大，由现在的比例和想看出的差别决定。

# %%
base_rate = held["rate_a"]
needs = {f"多 {points} 个百分点": experiment.sample_size(base_rate, base_rate + points / 100) for points in (3, 5, 8)}
last_year = settled[settled["lost"] & (settled["settle_date"] > bank.as_of - pd.DateOffset(months=12, days=LOST_DAYS))]
per_year = last_year["weight"].sum()  # 样本推算全行
plan_table = pd.DataFrame({"per_arm": needs})
plan_table["months"] = plan_table["per_arm"] * 2 / per_year * 12
cu.show(plan_table, rows=None, names={"index": "想看出的差别", "per_arm": "每组要多少人", "months": "按全行的流失人数要攒几个月"})
five = plan_table.loc["多 5 个百分点", "months"]
cu.say(f"现在打电话回来 {base_rate:.1%}，全行一年流失约 {per_year:,.0f} 笔。就算个个打得通，要看出五个百分点的差别也得攒 {five:.1f} 个月；"
       f"{'等不起，就只试差别大的开场，或几家行一起试' if five > 12 else '一年之内试得出来，可以做'}。")  # fmt: skip

# %% [markdown]
# ## 练习
#
# **E1 ★★ 流失的尺子** 写函数 `loss_kinds(loans, as_of)`：`loans` 一行一笔结清的贷款，列有 `settle_date`、`settle_type`、`repay_method`、
# `next_issue`（下一笔的发放日，没有为空）、`line_until`（额度到期日，没有为空）、`age`（结清时岁数，企业为空）、`ever_bad`（逾期是否超过 90 天 [定义]）。
# 返回 Series（索引同 `loans`），依次判断：核销或 `ever_bad` → `"不算"`；结清后还不满 `LOST_DAYS` 天 → `"未满观察期"`；
# `LOST_DAYS` 天内（含当天）又借了，或过了那天额度还能用 → `"没流失"`；其余按演示一的次序分四类（这里不管产品下线）。

# %% tags=["answer:E1"]
loss_kinds = ...  # ← 写一个函数 loss_kinds(loans, as_of)
### BEGIN SOLUTION
def loss_kinds(loans, as_of):
    deadline = loans["settle_date"] + pd.Timedelta(days=LOST_DAYS)
    tests = [
        (loans["settle_type"] == "核销") | loans["ever_bad"],
        deadline > as_of,
        (loans["next_issue"] <= deadline) | (loans["line_until"] > deadline),
        loans["age"] >= AGE_LIMIT,
        loans["settle_type"] == "提前结清",
        loans["repay_method"] == "随借随还",
    ]
    names = ["不算", "未满观察期", "没流失", "政策性", "提前结清", "额度到期未续"]
    return pd.Series(np.select(tests, names, default="到期结清未续"), index=loans.index)
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:too_soon"]
def loss_kinds(loans, as_of):
    deadline = loans["settle_date"] + pd.Timedelta(days=LOST_DAYS)
    kept = (loans["next_issue"] <= deadline) | (loans["line_until"] > deadline)
    tests = [(loans["settle_type"] == "核销") | loans["ever_bad"], kept, loans["age"] >= AGE_LIMIT,
             loans["settle_type"] == "提前结清", loans["repay_method"] == "随借随还"]  # fmt: skip
    names = ["不算", "没流失", "政策性", "提前结清", "额度到期未续"]
    return pd.Series(np.select(tests, names, "到期结清未续"), index=loans.index)

# %% tags=["wrong:E1:policy_last"]
def loss_kinds(loans, as_of):
    deadline = loans["settle_date"] + pd.Timedelta(days=LOST_DAYS)
    kept = (loans["next_issue"] <= deadline) | (loans["line_until"] > deadline)
    tests = [(loans["settle_type"] == "核销") | loans["ever_bad"], deadline > as_of, kept,
             loans["settle_type"] == "提前结清", loans["repay_method"] == "随借随还", loans["age"] >= AGE_LIMIT]  # fmt: skip
    names = ["不算", "未满观察期", "没流失", "提前结清", "额度到期未续", "政策性"]
    return pd.Series(np.select(tests, names, "到期结清未续"), index=loans.index)

# %% tags=["wrong:E1:ever_again"]
def loss_kinds(loans, as_of):
    deadline = loans["settle_date"] + pd.Timedelta(days=LOST_DAYS)
    kept = loans["next_issue"].notna() | (loans["line_until"] > deadline)
    tests = [(loans["settle_type"] == "核销") | loans["ever_bad"], deadline > as_of, kept, loans["age"] >= AGE_LIMIT,
             loans["settle_type"] == "提前结清", loans["repay_method"] == "随借随还"]  # fmt: skip
    names = ["不算", "未满观察期", "没流失", "政策性", "提前结清", "额度到期未续"]
    return pd.Series(np.select(tests, names, "到期结清未续"), index=loans.index)

# %% tags=["alternative:E1:row_by_row"]
def loss_kinds(loans, as_of):
    def kind(row):
        days = pd.Timedelta(days=LOST_DAYS)
        if row["settle_type"] == "核销" or row["ever_bad"]:
            return "不算"
        if as_of - row["settle_date"] < days:
            return "未满观察期"
        if row["next_issue"] - row["settle_date"] <= days or row["line_until"] - row["settle_date"] > days:
            return "没流失"
        if pd.notna(row["age"]) and row["age"] >= AGE_LIMIT:
            return "政策性"
        if row["settle_type"] == "提前结清":
            return "提前结清"
        return "额度到期未续" if row["repay_method"] == "随借随还" else "到期结清未续"
    return pd.Series([kind(row) for _, row in loans.iterrows()], index=loans.index, dtype="object")

# %% [markdown]
# **E2 ★★ 不冤枉小支行** 用 `by_branch`（列 `lost`、`n`）和全行的 κ（`kappa["全行"]`），按演示三的公式算每家支行**收缩后的流失率**，
# 赋给 `fair_rate`（Series，索引是 `branch_id`）。平均流失率是这些支行合在一起的流失笔数除以总笔数。
# 算完口头说一句：笔数最少的那家，原来排第几，现在排第几，为什么？

# %% tags=["answer:E2"]
fair_rate = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
mean_rate = by_branch["lost"].sum() / by_branch["n"].sum()
pull = kappa["全行"]
fair_rate = (by_branch["lost"] + pull * mean_rate) / (by_branch["n"] + pull)
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:raw_rate"]
fair_rate = by_branch["lost"] / by_branch["n"]

# %% tags=["wrong:E2:mean_of_rates"]
mean_rate = (by_branch["lost"] / by_branch["n"]).mean()
fair_rate = (by_branch["lost"] + kappa["全行"] * mean_rate) / (by_branch["n"] + kappa["全行"])

# %% tags=["wrong:E2:pulled_the_large"]
mean_rate = by_branch["lost"].sum() / by_branch["n"].sum()
own_weight = kappa["全行"] / (by_branch["n"] + kappa["全行"])
fair_rate = own_weight * by_branch["lost"] / by_branch["n"] + (1 - own_weight) * mean_rate

# %% tags=["alternative:E2:weights"]
mean_rate = by_branch["lost"].sum() / by_branch["n"].sum()
own_weight = by_branch["n"] / (by_branch["n"] + kappa["全行"])
fair_rate = own_weight * (by_branch["lost"] / by_branch["n"]) + (1 - own_weight) * mean_rate

# %% [markdown]
# **E3 ★★★ 让给谁、让多少** `offers` 里每位候选客户有三行，对应三档让利：`value` 是这一档的预期价值（已经扣掉让利和电话），`give` 是预期让利。
# 请挑出这一批，赋给 `recall_plan`（表，列 `customer_id`、`cut`）。规矩：每人最多一档；每家支行（`home_branch`）不超过 `CALLS_PER_BRANCH` 户；
# 预期让利合计不超过 `CUT_BUDGET` 元。目标：`value` 合计尽量大，至少达到参照方案的 99% [定义]（让利本来就只多赚一点，线画松了，人人原价也能过关）。
# 一个办法：给每一元让利定个**门槛价**，拿 `value` 减去门槛价乘 `give` 再比哪一档好；门槛从零往上抬，直到让利够用预算。

# %% tags=["answer:E3"]
recall_plan = ...  # ← 把 ... 换成你的名单
### BEGIN SOLUTION
for price in np.arange(0, 5, 0.05):  # 门槛价：让一元至少要多赚几元
    scored = offers.assign(score=offers["value"] - price * offers["give"])
    scored = scored.sort_values(["score", "cut"], ascending=[False, True]).drop_duplicates("customer_id")
    recall_plan = scored[scored["value"] > 0].groupby("home_branch").head(CALLS_PER_BRANCH)
    if recall_plan["give"].sum() <= CUT_BUDGET:
        break
recall_plan = recall_plan[["customer_id", "cut"]]
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:no_budget"]
options = offers.sort_values(["value", "cut"], ascending=[False, True]).drop_duplicates("customer_id")
recall_plan = options[options["value"] > 0].groupby("home_branch").head(CALLS_PER_BRANCH)[["customer_id", "cut"]]

# %% tags=["wrong:E3:most_likely"]
options = offers[offers["cut"] == 0].sort_values("chance", ascending=False, kind="stable")
recall_plan = options.groupby("home_branch").head(CALLS_PER_BRANCH)[["customer_id", "cut"]]

# %% tags=["alternative:E3:walk_the_list"]
plain_value = offers[offers["cut"] == 0].set_index("customer_id")["value"]
ups = offers[(offers["cut"] > 0) & (offers["value"] > 0)].copy()
ups["gain"] = (ups["value"] - ups["customer_id"].map(plain_value).clip(lower=0)) / ups["give"]
left, picked = CUT_BUDGET, {}
for row in ups[ups["gain"] > 0].sort_values("gain", ascending=False, kind="stable").itertuples():
    if row.customer_id not in picked and row.give <= left:
        picked[row.customer_id], left = row.cut, left - row.give
rows = offers[(offers["cut"] == offers["customer_id"].map(picked).fillna(0.0)) & (offers["value"] > 0)]
recall_plan = rows.sort_values("value", ascending=False).groupby("home_branch").head(CALLS_PER_BRANCH)[["customer_id", "cut"]]

# %% tags=["wrong:E3:all_plain"]
rows = offers[(offers["cut"] == 0) & (offers["value"] > 0)].sort_values("value", ascending=False)
recall_plan = rows.groupby("home_branch").head(CALLS_PER_BRANCH)[["customer_id", "cut"]]

# %% tags=["wrong:E3:two_options"]
options = offers[(offers["value"] > 0) & (offers["give"] < 50)].sort_values("value", ascending=False, kind="stable")
recall_plan = options.groupby("home_branch").head(CALLS_PER_BRANCH)[["customer_id", "cut"]]

# %% [markdown]
# **E4 ★★★ 头三十秒** 给“原价，补服务”的客户写一段开场白，赋给 `opening`（60 到 200 字 [定义]）：说清**我是谁**（哪家银行、什么岗位）、
# **为什么打**、**给对方退路**（方便吗、不急）、**可以拒绝**（以后不打）。不许催促，不许许诺，不许提征信和别家的贷款。可以引用 `held` 里的数，也可以一个数都不写。

# %% tags=["answer:E4"]
opening = "?"
### BEGIN SOLUTION
opening = ("您好，我是本行的客户经理小陈，您上次的贷款还得很准时，今天打来是想问问您近期有没有用款打算，额度续起来不费事。"
           "您现在方便说两分钟吗？不方便也没关系，我改天再联系。要是不需要，您说一声，我们以后不再打扰。")  # fmt: skip
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:pressure"]
opening = ("您好，我是本行的客户经理小陈，来电是想请您续贷，这批优惠名额有限，今天是最后一天，您马上决定我就帮您报上去。"
           "您现在方便吗？不方便也没关系。要是不需要，以后不再打扰您。")  # fmt: skip

# %% tags=["wrong:E4:no_way_out"]
opening = ("您好，我是本行的客户经理小陈，您上次的贷款还得很准时，今天打来是想问问您近期有没有用款打算，额度续起来不费事。"
           "您现在方便说两分钟吗？不方便的话，我明天、后天再打给您，一直到联系上您为止。")  # fmt: skip

# %% tags=["wrong:E4:bureau"]
opening = ("您好，我是本行的客户经理小陈，我们在征信上看到您在别家借了款，利率比我们高，今天打来是想请您换回来。"
           "您现在方便说两分钟吗？不方便也没关系，要是不需要，以后不再打扰您。")  # fmt: skip

# %% tags=["alternative:E4:other_words"]
opening = ("大哥您好，我是农商行城区支行的信贷员小李，您去年那笔贷款结清了，我打这个电话是想听听您对我们服务的意见，顺便问问往后用不用款。"
           "您要是在忙，不着急，咱们改个时间；要是不想接这类电话，告诉我一声，我给您登记不再联系。")  # fmt: skip

# %% [markdown]
# ## 成果
#
# 归巢名单按支行分页，写明打法、让几个点、开场白，附策略卡和电话脚本。名单里随机留出一成“保留”，九十天后比一比。
# 结果码照着填：**“要求不再联系”一定要单列**，当天登记到谢绝来电里。

# %%
cu.carry_on("E3")
plan = recall_plan.merge(offers.drop(columns="branch_id"), on=["customer_id", "cut"]).rename(columns={"home_branch": "branch_id"})
plan = plan.sort_values(["value", "customer_id"], ascending=[False, True], ignore_index=True)
plan["arm"] = np.where(np.random.default_rng(SEED).random(len(plan)) < 0.1, "保留（不打）", "联系")
plan["offer"] = plan["cut"].map(lambda cut: f"可让 {cut:.1f} 个百分点" if cut else "原价，补服务")
card = pd.DataFrame([
    ["价差大", "报当天能给的价，说清期限", "您上次那笔已经结清了，您要不要听听我们现在的价格？", "许诺以后还能再降"],
    ["换经理", "新经理认门，三天内回话", "我是新接手您这边的经理，先认个门", "把责任推给前任"],
    ["说不清", "先问原因再说产品", "您这次没续，是不需要了，还是哪里不方便？", "一上来就报优惠"],
], columns=["reason", "play", "opening", "never"])  # fmt: skip
script = pd.DataFrame({"step": ["我是谁", "为什么打", "方便吗", "可以拒绝", "听原因", "下一步"],
                       "words": ["报银行、岗位、姓氏", "一句话说来意", "不方便就改天", "不想接以后不打，当场登记", "只问一次，记原因码", "约时间，不承诺利率"]})  # fmt: skip

# %%
words = {"need": "需求", "price": "价格", "stage": "阶段", "offer": "打法", "arm": "分组", "reason": "原因", "play": "策略",
         "opening": "开场", "never": "不要做", "step": "步骤", "words": "怎么说"}  # fmt: skip
if len(plan):
    path = cu.deliver.call_list(
        bank.output_dir("m03_n09") / "归巢名单与策略卡.xlsx",
        plan[["branch_id", "manager_id", "customer_id", "masked_name", "stage", "need", "price", "offer", "arm"]],
        branch_column="branch_id", title="归巢名单", purpose="结清客户回访与归巢", purge_date=bank.as_of + pd.Timedelta(days=30), names=words,
        result_codes=["已约见", "有意向", "暂不需要", "转向他行", "要求不再联系", "未接通"], notes=["标“保留”的不打；让利不得超过名单所写。", "同产品、同担保、同期限、同风险的客户来问，一样给到这一档（个人信息保护法第二十四条）。"],
        extra={"策略卡": cu.deliver.Sheet(card, "策略卡", names=words), "电话脚本": cu.deliver.Sheet(script, "电话脚本", names=words)})  # fmt: skip
    cu.say(f"名单 `{path.name}`：{len(plan):,} 户、{plan['branch_id'].nunique()} 家支行，其中让利 {(plan['cut'] > 0).sum()} 户，预期让利 {plan['give'].sum():,.0f} 元，"
           f"预期价值 {plan['value'].sum():,.0f} 元；随机留出 {(plan['arm'] != '联系').sum()} 户不打。")  # fmt: skip

# %% tags=["instructor", "board:lending:brief"]
# 给行长的一栏：course board 把它放上看板
worst_kind = kinds.drop("没流失").idxmax()["count"]
seen_gap = f"留着不打的 {held['rate_b']:.1%}；差 {held['difference'] * 100:+.1f} 个百分点，区间 {held['low'] * 100:+.1f} 到 {held['high'] * 100:+.1f}"
cu.brief(
    f"结清的贷款里 {loss_rate:.1%} 流失，“{worst_kind}”最多",
    "要办" if held["low"] > 0 and len(plan) else "留意" if len(plan) else "平稳",
    "抽签对照证明打电话有用，并且有利差为正的客户可打，记要办；只有名单，记留意",
    [("结清以后流失", f"{loss_rate:.1%}", f"按样本笔数；走的原因里“{worst_kind}”最多"),
     ("打了电话回来的", f"{held['rate_a']:.1%}", seen_gap)],
    [("客户经理", f"照《归巢名单与策略卡》回访 {len(plan):,} 户，其中让利 {(plan['cut'] > 0).sum()} 户；越早打越好", f"结清后 {EARLY_DAYS} 天以内")],
    "为什么走，电话里说的和规则推的常常对不上，两种说法分开看。")

# %% [markdown]
# ## 讨论
#
# 哪些客户**不该**往回找？让利又该怎么让？
#
# - 到岁数的：规定不许贷，却打电话“挽回”，他会以为还能借，甚至让儿女借名——该改的是规定还是电话？
# - 只认最低价的：这次让回来，下次更低的价又走了，让利算不算“优质客户”的成本？
# - 同样的风险、同样的产品，一户让利一户不让，只因预算先用完了，站得住吗？（《个人信息保护法》第二十四条）
# - 还得上但已经不需要钱的：多打一次，他的存款会不会也走？
#
# ## 小结
#
# 流失要满观察期才算，先把政策送走的分出来。比支行先过漏斗图，再收缩，还要和同地区的比。
# 打电话要早，让利只在利差厚的人身上划算；谁对价格敏感事先认不出，就靠随机报价慢慢学。
#
# 下一课：存量客户提额增信。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 下表把生成器埋下的数和课堂找到的数放在一起。城区的流失由价差推动（坎埋在一百五十个基点），乡镇由到岁数（坎埋在六十岁）和换经理推动；
# “最差支行”是小样本的运气。这三样在生成器里是规则，没有单独的实现值，所以表里只有课堂发现。常见的弯路：
#
# - 没满观察期的也算流失，最近几个月的流失率凭空翻倍；
# - 拿全行平均当漏斗的中线，城区支行一片红，以为全是支行的错；
# - 把“会回来的人里多大比例敏感”读成“全部流失客户里多大比例敏感”；
# - 给所有人都让到最低价：回来的多了，价值反而少了。

# %% tags=["instructor"]
gap_effect = seen.loc[(seen["area"] == "城区") & (seen["flag"] == "dear"), "difference"]
found = {"early_recall": early["rate_a"] / early["rate_b"], "price_sensitive": sensitive, "age_rule": found_age,
         "gap_driver": gap_effect.iloc[0] if len(gap_effect) else None, "noise_branch": float(local.loc[worst, "z"] < 3)}  # fmt: skip
cu.reveal(bank, "m03_n09", found, names={
    "early_recall": "早打是晚打的几倍", "price_sensitive": "价格敏感的比例", "age_rule": "年龄的坎（岁）",
    "gap_driver": "城区价差大的多流失（比例）", "noise_branch": "最差支行由运气解释（一为是）"})  # fmt: skip
