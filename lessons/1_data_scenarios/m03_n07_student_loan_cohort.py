# %% [markdown] outline=["S004-C7"]
# # 助学贷款客群：存量、流失与毕业后经营
#
# 课程：银行数据应用 · 大纲：S004-C7、S004-C7.K1、S004-C7.1、S004-C7.2、S004-C7.3、S004-C7.4 · 难度：L2 · 用时：60 分钟
#
# 学完本课，你能：
#
# - 把一批助学贷款客户按“在校、还款、结清”分清楚，先把在校生请出营销名单；
# - 用留存曲线看结清以后还剩几成人在用卡，分清“结清带来的”和“本来就这样”；
# - 排一份毕业后的维系计划，每一次联系都说得出由头、过得了合规。
#
# Abstract: Follow student borrowers through school, repayment and settlement, keep in-school borrowers out of every campaign, and plan honest contacts after graduation.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 名单看哪家支行：None 表示全行（客群本来就小，统计总是用全行数据）
LEAST_AGE = 22  # 不满多少岁的一律不进名单
SETTLED_MONTHS = 24  # 结清多少个月以内算“刚结清”
QUIET_MOVES = 3  # 三个月里自己发起的交易不超过几笔算沉默
WATCH_MONTHS = 12  # 结清以后看多少个月
AGE_STEP = 3  # 比年龄分布时，几岁一段
BOOTSTRAPS = 300  # 自助法重抽多少遍
LIST_SIZE = 40  # 今年维系名单放多少位（样本行）
SEED = 20251231  # 随机数种子
PURGE_DAYS = 90  # 名单几天后销毁

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m03_n07", BANK, AS_OF)
weighted, survival, experiment = cu.analysis.weighted, cu.analysis.survival, cu.analysis.experiment
month_ends = pd.offsets.MonthEnd

# %% [markdown]
# ## 业务情境
#
# 助学贷款是许多年轻人和银行打的第一次交道。贷款结清那天，客户经理多半不知道；再过一阵，卡就不用了。支行行长问：
# **“这些孩子当年是我们供出来的，毕业以后怎么一个个没了声音？还能不能接着做他们的银行？”**
#
# 有人拿来一份名单：助学贷款客户全体，建议“趁年轻推消费贷，反正他们和网贷客户年龄差不多”。这句话里有三处要停一停：
# 名单里有没有在校生？没声音是不是结清造成的？年龄像，就等于需求像吗？
#
# 这些数据**不能**说明三件事：离开的人去了哪家银行；联系了会不会回来（没有随机留出的对照组）；年龄相近的人借不借网贷。
# 还有一条不用数据就该知道：**人家欠过我们的钱，不等于欠我们一次生意。**
#
# ## 数据
#
# 助学贷款在借据表里，毕业日是签约时填的预计毕业日。一行代表几户到几十户，户数写在 `weight` 里。这群人在样本里只有几百行，
# 往下切两刀就剩几十行，所以每个比例都带区间（反复抽样，二十次里约十九次真值落在这样的范围里）。

# %%
tables = {"loan": ["loan_id", "customer_id", "product_code", "issue_date", "settle_date", "graduation_date", "purpose"],
          "repayment": ["due_date", "due_principal"], "customer": ["birth_year", "is_returnee", "do_not_call", "weight"],
          "customer_month": ["customer_transaction_count"], "customer_product": ["has_payroll", "has_mobile_bank"],
          "consent": ["scope", "granted", "expire_date"]}  # fmt: skip
cu.dictionary(bank, tables)

# %%
loans = bank.load("loan", ["loan_id", "customer_id", "branch_id", "product_code", "issue_date", "maturity_date",
                           "settle_date", "graduation_date", "overdue_days"])  # fmt: skip
loans = loans.merge(bank.load("product", ["product_code", "line"]), on="product_code")
is_student = loans["line"] == "助学贷"
students = loans[is_student].sort_values("issue_date").drop_duplicates("customer_id", keep="last").set_index("customer_id")
others = loans[~is_student]
customer = bank.load("customer").set_index("customer_id")
held = bank.load("customer_product").set_index("customer_id")
dues = bank.load("repayment", ["loan_id", "due_date", "due_principal"])
dues = dues[dues["loan_id"].isin(students["loan_id"]) & (dues["due_principal"] > 0)]
students["first_due"] = students["loan_id"].map(dues.groupby("loan_id")["due_date"].min())
students = students.join(customer[["masked_name", "birth_year", "town_id", "do_not_call", "phone_valid", "weight"]])
students["returnee"] = customer["is_returnee"].reindex(students.index).fillna(False) if "is_returnee" in customer else False
students["age"] = bank.as_of.year - students["birth_year"].astype(float)

# %% [markdown] outline=["S004-C7"]
# ## 演示一：先分清走到哪一步
#
# 一位助学贷款客户的路是：在校 → 毕业未到还本（宽限）→ 还款中 → 结清。规则按这个次序判断 [定义]，**在校永远排第一**：
# 哪怕贷款提前还清了，毕业日没到，他还是学生。结清再按 `SETTLED_MONTHS` 个月切成“刚结清”和“结清更久”两段。
# 毕业日是预计的：有人延毕，有人休学，所以名单出门前还要核实一次。

# %%
recent = bank.as_of - pd.DateOffset(months=SETTLED_MONTHS)
settled = students["settle_date"] <= bank.as_of
in_school = students["graduation_date"] > bank.as_of
rules = {"未知": students["graduation_date"].isna(), "在校": in_school, "刚结清": settled & (students["settle_date"] >= recent),
         "结清更久": settled, "宽限": students["first_due"] > bank.as_of}  # fmt: skip
students["stage"] = np.select(list(rules.values()), list(rules), default="还款中")
order = ["在校", "宽限", "还款中", "刚结清", "结清更久", "未知"]
stages = students.groupby("stage")["weight"].agg(["size", "sum"]).reindex(order).dropna()
fig = cu.charts.stacked_ladder(stages["sum"].to_frame("推算户数"), unit="户")
raw = weighted.rates(in_school, students["weight"]).iloc[0]
cu.charts.finish(fig, title=f"原始名单里在校生占 {in_school.mean():.0%}（样本行），推算占户数的 {raw['rate']:.0%}", alt="各阶段推算户数的柱状图。",
                 source=f"{bank.name}，借据表，{bank.as_of:%Y-%m-%d}，样本 {len(students)} 行")  # fmt: skip
cu.say(f"样本 {len(students)} 行，推算全行 **{students['weight'].sum():,.0f}** 户。拿“全体助学贷款客户”当营销名单，每三个人里大约有 "
       f"{in_school.mean() * 3:.1f} 个还在上学。数据日没有人处在某个阶段，图上就没有那根柱子。")  # fmt: skip

# %% [markdown] outline=["S004-C7.4"]
# ## 演示二：在校生不进名单，这是规矩，不是建议
#
# 监管 2021 年就大学生互联网消费贷款发过专门通知：小贷机构不得向大学生放这类贷款，银行也要从严 [来源：2021 年监管通知，条文待核，以正式文件为准]。
# 本课程取更严的一条 [定义]：**在校的、不满 `LEAST_AGE` 岁的、出生年或毕业日不知道的，一律不进任何营销名单。** 不是排在后面，是不在名单上。
# 他们可以收到的只有服务通知：还款提醒、利息怎么算、毕业怎么确认。再加上营销授权、谢绝来电、电话有效三道，看还剩几户。

# %%
agreed = bank.load("consent", ["customer_id", "scope", "granted", "expire_date"])
agreed = agreed[(agreed["scope"] == "营销") & agreed["granted"] & ~(agreed["expire_date"] < bank.as_of)]
gates = pd.DataFrame({"已经毕业": students["graduation_date"] <= bank.as_of, f"满 {LEAST_AGE} 岁": students["age"] >= LEAST_AGE,
                      "有营销授权": students.index.isin(agreed["customer_id"]), "没有谢绝来电": ~students["do_not_call"],
                      "电话有效": students["phone_valid"], "没有逾期": students["overdue_days"] == 0})  # fmt: skip
steps = gates.cumprod(axis=1).sum()
fig = cu.charts.funnel_steps(pd.concat([pd.Series({"助学贷款客户": len(students)}), steps]))
cu.charts.finish(fig, title=f"{len(students)} 行原始名单，合规以后剩 {steps.iloc[-1]:.0f} 行", alt="逐道门槛的漏斗，单位是样本行。",
                 source=f"{bank.name}，样本行数；每道门槛都不许跳过")  # fmt: skip
young = (students["age"] < LEAST_AGE) & ~in_school
unknown_age = students["age"].isna().sum()
cu.say(f"在校和年龄两道门槛大半重叠，还是要各查各的：已到毕业日却不满 {LEAST_AGE} 岁的有 {young.sum()} 行，出生年不知道、无从核对的有 {unknown_age} 行，"
       "少哪一道都会漏人。")  # fmt: skip

# %% [markdown] outline=["S004-C7.1", "S004-C7.2"]
# ## 演示三：除了助学贷款，还持有什么
#
# **交叉持有率** = 同时有本行信用卡、消费贷或经营贷的户数 ÷ 这一阶段的户数，按权数算。再把几种信贷产品拆开看覆盖率。
# 读图先看行数 n：几十行的比例，区间宽得很，别急着给阶段排名次。

# %%
credit = {"has_credit_card": "信用卡", "has_consumer_loan": "消费贷", "has_business_loan": "经营贷"}
mine = held[list(held.columns)].reindex(students.index)
students["other_credit"] = mine[list(credit)].any(axis=1)
cross = weighted.rates(students["other_credit"], students["weight"], students["stage"]).reindex(stages.index)
fig = cu.charts.bars_with_interval(cross, count="n")
graduates = students[students["graduation_date"] <= bank.as_of].copy()
whole = weighted.rates(graduates["other_credit"], graduates["weight"]).iloc[0]
cu.charts.finish(fig, title=f"毕业以后，另有本行信贷产品的占 {whole['rate']:.0%}（区间 {whole['low']:.0%}–{whole['high']:.0%}）",
                 alt="各阶段交叉持有率的横条，细线为区间。", source=f"{bank.name}，产品持有表，按权数推算，n 为样本行数")  # fmt: skip
parts = pd.concat([weighted.rates(mine.loc[graduates.index, column], graduates["weight"]).assign(item=word) for column, word in credit.items()])
cu.show(parts.set_index("item")[["rate", "low", "high"]], rows=None, units=dict.fromkeys(["rate", "low", "high"], "%"), title="已毕业的客户，各种信贷产品的覆盖率",
        names={"item": "产品", "rate": "覆盖率", "low": "区间下限", "high": "区间上限"})  # fmt: skip
carded = mine.loc[in_school, list(credit)].any(axis=1)
cu.say(f"顺手查一件事：在校的 {in_school.sum()} 行里有 **{carded.sum()}** 行已经持有本行信贷产品。"
       + ("怎么发出去的、有没有第二还款来源，要交给合规核对，不要等别人来查。" if carded.any() else "这一关守住了。"))  # fmt: skip

# %% [markdown] outline=["S004-C7.K1"]
# ## 演示四：存量和流失，差在哪里
#
# 大纲里的福建案例比的是“存量客户和流失客户的产品持有”。真实数字没有公开，这里在本行数据上重做同一道题（情景仿真），再按城区和乡镇支行各做一遍。
# **沉默** [定义]：近三个月自己发起的交易合计不超过 `QUIET_MOVES` 笔。工资入账、结息、自动扣款都不算：那些是别人替他做的。
# 只看结清满一年的客户：结清不久的，还说不上走没走。

# %%
panel = bank.load("customer_month", ["month", "customer_id", "customer_transaction_count"])
panel = panel[panel["customer_id"].isin(students.index)]
moves = cu.analysis.caliber.wide(panel, "customer_transaction_count").reindex(students.index).fillna(0).sort_index(axis=1)
quiet = moves.T.rolling(3).sum().T <= QUIET_MOVES  # 每个月月底，往回三个月算
quiet.iloc[:, :2] = False
students["quiet"] = quiet.iloc[:, -1]
students[["payroll", "mobile"]] = mine[["has_payroll", "has_mobile_bank"]].fillna(False).astype(bool)
old = students[students["settle_date"] <= bank.as_of - pd.DateOffset(months=WATCH_MONTHS)]
gone = weighted.rates(old["quiet"], old["weight"]).iloc[0]
not_settled = students[(students["graduation_date"] <= bank.as_of) & ~settled]
still = weighted.rates(not_settled["quiet"], not_settled["weight"]).iloc[0]
overlap_seen = gone["low"] <= still["high"] and still["low"] <= gone["high"]
cu.say(f"结清满 {WATCH_MONTHS} 个月的 {len(old)} 行里，{old['quiet'].mean():.0%} 已经沉默；推算全行是 **{gone['rate']:.0%}**（区间 {gone['low']:.0%}–{gone['high']:.0%}）。"
       f"可是**还没结清、正在还款的毕业生**，沉默的也有 {still['rate']:.0%}（区间 {still['low']:.0%}–{still['high']:.0%}，{len(not_settled)} 行）："
       + ("两边区间重叠，看不出是结清把人送走的。可能毕业去了外地、工资不在这里发，账户早就不用了；去了哪里，表里看不到。" if overlap_seen else "两边差得出来，结清前后确实不一样，值得追下去。"))  # fmt: skip

# %%
kinds = bank.load("branch", ["branch_id", "branch_type"]).set_index("branch_id")["branch_type"]
old = old.assign(area=old["branch_id"].map(kinds).isin(["营业部", "城区"]).map({True: "城区支行", False: "乡镇支行"}),
                 state=old["quiet"].map({True: "流失（沉默）", False: "存量（在用）"}))  # fmt: skip
goods = {"has_social_card": "社保卡", "has_mobile_bank": "手机银行", "has_payroll": "代发工资", "has_utilities": "代扣缴费", "has_wealth": "理财"}
bars = pd.concat([weighted.rates(mine.loc[old.index, column], old["weight"], old["state"]).assign(item=word).rename_axis("state").reset_index()
                  for column, word in goods.items()])  # fmt: skip
fig = cu.charts.bars_with_interval(bars, label="item", group="state")
gap = bars.pivot_table(index="item", columns="state", values="rate", observed=True)
lead = (gap["存量（在用）"] - gap["流失（沉默）"]).sort_values(ascending=False) if gap.shape[1] == 2 else pd.Series({"没有": np.nan})
cu.charts.finish(fig, title=f"存量和流失差得最多的是{lead.index[0]}：相差 {lead.iloc[0] * 100:.0f} 个百分点", alt="存量与流失客户五种产品的持有率及区间。",
                 source=f"{bank.name}，结清满 {WATCH_MONTHS} 个月的 {len(old)} 行，按权数推算")  # fmt: skip
areas = weighted.rates(old["quiet"], old["weight"], old["area"])
cu.say("沉默的比例：" + "，".join(f"{name} {row['rate']:.0%}（区间 {row['low']:.0%}–{row['high']:.0%}，{row['n']:.0f} 行）" for name, row in areas.iterrows()) + "。"
       + ("两地区间不重叠。" if len(areas) == 2 and (areas["low"].max() > areas["high"].min()) else "两地区间重叠，不必分别开药方。"))  # fmt: skip

# %% [markdown]
# ## 演示五：留存曲线，结清以后还剩几成
#
# 月度表有两年，所以只看结清日落在这两年里的人。从结清那个月起数，第三个月开始，往回三个月都在结清以后，这时第一次算沉默才公平。
# 观察到数据日还没沉默的，记作“还在”，不当成永远不走：这就是**留存曲线**（Kaplan–Meier）比“数一数还剩几个”讲究的地方。
# 两条线：有代发工资的和没有的。代发工资本身不算主动交易，但工资进来，人就要用卡。

# %%
first_month, last_month = moves.columns[0], moves.columns[-1]
settle_month = students["settle_date"] + month_ends(0)
spells = students[(settle_month >= first_month) & (settle_month <= last_month - month_ends(3))].copy()
rows = []
for who, start in (spells["settle_date"] + month_ends(0)).items():
    after = quiet.loc[who, quiet.columns >= start + month_ends(3)]
    asleep = np.flatnonzero(after.to_numpy())
    rows.append((asleep[0] + 3 if len(asleep) else len(after) + 2, len(asleep) > 0))
spells[["months", "event"]] = pd.DataFrame(rows, index=spells.index, columns=["months", "event"])
curves = {}
for flag, name in ((True, "有代发工资"), (False, "没有代发工资")):
    part = spells[spells["payroll"] == flag]
    if len(part) >= 5:
        curves[f"{name}（{len(part)} 行）"] = survival.kaplan_meier(part["months"], part["event"])

# %%
everyone = survival.kaplan_meier(spells["months"], spells["event"])
left = survival.survival_at(everyone, WATCH_MONTHS)
test = survival.log_rank(spells["months"], spells["event"], spells["payroll"]) if len(curves) == 2 else {"p": np.nan}
fig = cu.charts.survival_curves(curves or {"全部": everyone}, note=f"对数秩检验 p = {test['p']:.2g}")
cu.charts.finish(fig, title=f"结清 {WATCH_MONTHS} 个月后还在用卡的：{left:.0%}（样本行）", alt="按有无代发工资画的留存曲线，阴影为区间。",
                 source=f"{bank.name}，{first_month:%Y-%m} 以后结清的 {len(spells)} 行，横轴为结清后的月数")  # fmt: skip
kept = weighted.rates(~old["quiet"], old["weight"], old["payroll"])["rate"]
awake = (~old["quiet"]).groupby(old["payroll"]).agg(["sum", "size"]).reindex([True, False]).fillna(0)
keep = experiment.diff_ci(*awake.loc[True], *awake.loc[False])
first = 1 - survival.survival_at(everyone, 3)
ahead = np.mean([quiet.loc[who, start] for who, start in settle_month[spells.index].items()])
cu.say(f"第三个月就已经沉默的占 {first:.0%}，往后到 {WATCH_MONTHS} 个月再掉 {1 - left - first:.0%}。结清当月往回看三个月，沉默的已经有 **{ahead:.0%}**："
       + ("大台阶在结清之前就有了，结清只是一个日子。" if ahead > 0.7 * first else "结清前还有人在用，结清后才掉下去。"))
cu.say(f"结清更久的人里，有代发的留下 {keep['rate_a']:.0%}，没有的 {keep['rate_b']:.0%}（样本行，相差的区间 {keep['low'] * 100:+.0f} 到 {keep['high'] * 100:+.0f} 个百分点；按权数推算是 {kept.get(True, np.nan):.0%} 和 {kept.get(False, np.nan):.0%}）。"
       + ("代发和留下一起出现；是代发留住了人，还是留在本地的人才有代发，这里分不开；代发还是今天的状态，走了的人工资早换了卡，也会显得没有代发。" if keep["low"] > 0 else "看不出差别。"))  # fmt: skip

# %% [markdown] outline=["S004-C7.3"]
# ## 演示六：年龄像不像网贷客群
#
# 从流水里认得出的网贷客户（往网络放贷机构还款的人，规则见流水获客那一课）和助学贷款客户比年龄。两把尺子：**重叠系数**，每一段取两边占比的小者再相加，
# 一是完全一样、零是毫不相干；**KS**，把各段从小到大累加成两条曲线，离得最远的地方差多少。只用年龄这一个汇总数，不看任何一个人的网贷。
# 区间用**自助法**：从手里的样本有放回地重抽 `BOOTSTRAPS` 遍，看这个数晃多少。

# %%
if bank.has("transaction") and bank.has("lender_keyword"):
    flow = bank.load("transaction", list(cu.analysis.leads.ROWS))
    online = pd.Index(cu.analysis.leads.lender_pairs(flow, bank.load("lender_keyword"))["customer_id"].unique())
else:
    cu.say(f"本行没有{'、'.join(bank.missing('transaction', 'lender_keyword'))}，改用本行线上贷款客户来比年龄。")
    online = pd.Index(bank.load("loan", ["customer_id", "online"]).query("online")["customer_id"].unique())
everyone_age = pd.DataFrame({"age": bank.as_of.year - customer["birth_year"].astype(float), "weight": customer["weight"]}).dropna()
crowd = everyone_age[everyone_age.index.isin(online)]
bands = list(range(18, 81, AGE_STEP))


def age_shares(rows):
    count = np.histogram(rows["age"], bins=[*bands, 120], weights=rows["weight"])[0]
    return pd.Series(count / count.sum(), index=[f"{low}" for low in bands])


def likeness(first, second):  # 重叠系数和 KS
    a, b = age_shares(first), age_shares(second)
    return np.minimum(a, b).sum(), (a.cumsum() - b.cumsum()).abs().max()


# %%
borrowers = students[["age", "weight"]].astype(float).dropna()
overlap, distance = likeness(borrowers, crowd)
rng = np.random.default_rng(SEED)
draws = [likeness(borrowers.iloc[rng.integers(0, len(borrowers), len(borrowers))], crowd.iloc[rng.integers(0, len(crowd), len(crowd))])[0]
         for _ in range(BOOTSTRAPS)]  # fmt: skip
low, high = np.quantile(draws, [0.025, 0.975])
chance_level = likeness(borrowers, everyone_age)[0]
fig = cu.charts.overlap_curves(pd.DataFrame({"助学贷款客户": age_shares(borrowers), "网贷客户": age_shares(crowd)}), x_label=f"年龄（{AGE_STEP} 岁一段的起点）")
cu.charts.finish(fig, title=f"年龄重叠系数 {overlap:.2f}（区间 {low:.2f}–{high:.2f}），KS {distance:.2f}", alt="两群人的年龄分布曲线，灰色是重叠部分。",
                 source=f"{bank.name}，助学 {len(borrowers)} 行，流水里认出的网贷客户 {len(crowd)} 行，按权数")  # fmt: skip
verdict = "多半不重叠" if high < 0.5 else "大半重叠" if low > 0.5 else "重叠一半上下"
cu.say(f"两群人的年龄**{verdict}**；助学贷款客户和全体个人客户的重叠是 {chance_level:.2f}，拿它当参照。“年龄差不多”这句话，"
       + ("这里的数据不支持。" if high < 0.5 else "这里有几分影子。")
       + "就算完全重叠，也只说明岁数像：谁都有岁数，岁数像不等于缺钱，更不等于该去推网贷那样的产品。")  # fmt: skip

# %% [markdown] outline=["S004-C7.4"]
# ## 演示七：毕业以后，谁和本行又有了往来
#
# 只看毕业满半年、满 `LEAST_AGE` 岁的人，问谁后来在本行借了别的贷款（都发生在毕业以后）。四个条件一起放进逻辑回归：返乡、代发工资、手机银行、毕业年数。
# **优势比**：有这个条件和没有相比，“借”对“不借”的比例是几倍；区间碰到一，就看不出差别。
# 样本里发生过的只有几十次，四个条件已经是上限，再多就是在读随机数。返乡、代发、手机银行都是今天的状态，和借款谁先谁后，表里看不出。

# %%
study = students[(students["graduation_date"] <= bank.as_of - pd.DateOffset(months=6)) & (students["age"] >= LEAST_AGE)].copy()
graduated = others["customer_id"].map(study["graduation_date"])
study["later"] = study.index.isin(others.loc[others["issue_date"] > graduated, "customer_id"]).astype(int)
study["years"] = (bank.as_of - study["graduation_date"]).dt.days / 365
conditions = {"returnee": "返乡", "payroll": "代发工资", "mobile": "手机银行", "years": "毕业年数（每年）"}
study[list(conditions)] = study[list(conditions)].astype(float)
odds = experiment.logistic(study, "later", list(conditions)).rename(index=conditions)
fig = cu.charts.forest(odds, value="odds_ratio", reference=1, log=True)
clear = odds[(odds["low"] > 1) | (odds["high"] < 1)].index.tolist()
cu.charts.finish(fig, title=f"区间离开一的条件：{'、'.join(clear) or '没有'}", alt="四个条件的优势比及区间。",
                 source=f"{bank.name}，毕业半年以上 {len(study)} 行，其中后来借款 {study['later'].sum()} 行")  # fmt: skip
home = study.groupby("returnee")["later"].agg(["sum", "size"]).reindex([1.0, 0.0]).fillna(0)
back = experiment.diff_ci(*home.loc[1.0], *home.loc[0.0]) if (home["size"] > 0).all() else {"rate_a": np.nan, "rate_b": np.nan, "low": np.nan, "high": np.nan}
cu.say(f"返乡的 {home.loc[1.0, 'size']:.0f} 行里后来借款 {home.loc[1.0, 'sum']:.0f} 行（{back['rate_a']:.0%}），没返乡的 {back['rate_b']:.0%}，是 **{back['rate_a'] / back['rate_b']:.1f} 倍**，相差的区间 "
       f"{back['low'] * 100:+.0f} 到 {back['high'] * 100:+.0f} 个百分点。" + ("先从返乡的人打招呼，有根据；打了招呼是不是更愿意借，要留一组不打的来比。" if back["low"] > 0 else "区间含零，别急着下结论。"))  # fmt: skip

# %% [markdown] outline=["S004-C7.4"]
# ## 演示八：一年的维系计划，每次联系都有由头
#
# 优先顺序：先过演示二的全部门槛，再按演示七的条件算“又有往来”的可能性 `chance` 排队。名单只放 `LIST_SIZE` 位。每位客户一年只安排一件事，由头写在 `touch` 里 [定义]：
#
# | 由头 | 给谁 | 什么时候 | 说什么 |
# |---|---|---|---|
# | 返乡对接 | 返乡的 | 春节前后 | 问创业、置业、落户要办什么，介绍社保卡和代发 |
# | 结清祝贺 | 刚结清的 | 结清后一个月 | 祝贺结清，出结清证明，问工资卡办在哪里 |
# | 毕业回访 | 其余 | 毕业季 | 问近况，更新地址，不推贷款 |
#
# 在校生只有一件事：临近毕业时寄一份**还款说明**，这是服务，不是营销，另走通知渠道，不在名单里。

# %%
features = list(conditions)
rater = cu.analysis.model.fit_logit(study, features, "later")
candidates = students.assign(years=((bank.as_of - students["graduation_date"]).dt.days / 365).clip(lower=0))
candidates[features] = candidates[features].astype(float)
candidates["chance"] = rater.predict(candidates)
candidates["consent"] = candidates.index.isin(agreed["customer_id"])
candidates["touch"] = np.select([candidates["returnee"] == 1, candidates["stage"] == "刚结清"], ["返乡对接", "结清祝贺"], default="毕业回访")
candidates = candidates if BRANCH is None else candidates[candidates["branch_id"] == BRANCH]
year = bank.as_of.year + 1
days = {"返乡对接": f"{year}-01-20", "结清祝贺": f"{year}-03-10", "毕业回访": f"{year}-06-20", "还款说明（在校，服务）": f"{year}-05-15"}
able = gates.all(axis=1).reindex(candidates.index)
tasks = candidates[able].groupby("touch").size().rename("people").reset_index().assign(who="营销维系")
tasks.loc[len(tasks)] = ["还款说明（在校，服务）", (candidates["stage"] == "在校").sum(), "服务通知"]
tasks["date"] = pd.to_datetime(tasks["touch"].map(days))

# %%
fig = cu.charts.task_calendar(tasks.rename(columns={"touch": "kind"}), label="who")
cu.charts.finish(fig, title=f"一年 {len(tasks)} 件事：可以维系 {able.sum()} 行，在校 {(candidates['stage'] == '在校').sum()} 行只寄还款说明",
                 alt="各个由头在一年里的日期。", source=f"{bank.name}，{'全行' if BRANCH is None else BRANCH}，日期是本课程的示例排法")  # fmt: skip
cu.show(tasks[["who", "touch", "date", "people"]], rows=None, names={"who": "渠道", "touch": "由头", "date": "日期", "people": "样本行数"})

# %% [markdown]
# ## 练习
#
# **E1 ★★ 把阶段写成函数** 写 `stage_of(graduation, first_due, settle, when)`，四个参数都是日期，`graduation`、`settle` 可能是 `None`。返回
# `"未知"`（没有毕业日）、`"在校"`、`"宽限"`、`"还款中"`、`"刚结清"` 或 `"结清更久"`，次序同演示一。刚好在毕业日的算已毕业；
# 刚好在 `SETTLED_MONTHS` 个月前结清的算“刚结清”；结清日在 `when` 之后的，站在 `when` 还没结清。

# %% tags=["answer:E1"]
stage_of = ...  # ← 写一个函数 stage_of(graduation, first_due, settle, when)
### BEGIN SOLUTION
def stage_of(graduation, first_due, settle, when):
    if graduation is None:
        return "未知"
    if graduation > when:
        return "在校"
    if settle is not None and settle <= when:
        return "刚结清" if settle >= when - pd.DateOffset(months=SETTLED_MONTHS) else "结清更久"
    return "宽限" if first_due > when else "还款中"
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:settled_first"]
def stage_of(graduation, first_due, settle, when):
    if graduation is None:
        return "未知"
    if settle is not None and settle <= when:
        return "刚结清" if settle >= when - pd.DateOffset(months=SETTLED_MONTHS) else "结清更久"
    if graduation > when:
        return "在校"
    return "宽限" if first_due > when else "还款中"

# %% tags=["wrong:E1:knows_the_future"]
def stage_of(graduation, first_due, settle, when):
    if graduation is None:
        return "未知"
    if graduation > when:
        return "在校"
    if settle is not None:
        return "刚结清" if settle >= when - pd.DateOffset(months=SETTLED_MONTHS) else "结清更久"
    return "宽限" if first_due > when else "还款中"

# %% tags=["wrong:E1:unknown_is_graduate"]
def stage_of(graduation, first_due, settle, when):
    if graduation is not None and graduation > when:
        return "在校"
    if settle is not None and settle <= when:
        return "刚结清" if settle >= when - pd.DateOffset(months=SETTLED_MONTHS) else "结清更久"
    return "宽限" if first_due > when else "还款中"

# %% tags=["alternative:E1:one_chain"]
def stage_of(graduation, first_due, settle, when):
    paid_off = settle is not None and not settle > when
    border = when - pd.DateOffset(months=SETTLED_MONTHS)
    choices = [(graduation is None, "未知"), (graduation is not None and graduation > when, "在校"),
               (paid_off and not settle < border, "刚结清"), (paid_off, "结清更久"), (first_due > when, "宽限"), (True, "还款中")]
    return next(name for holds, name in choices if holds)

# %% [markdown]
# **E2 ★★ 读一条留存曲线** 只看 `spells` 里**没有代发工资**的人：结清 `WATCH_MONTHS` 个月后还在用卡的比例，和它的区间。
# 用 `survival.kaplan_meier`，取 `time` 不超过 `WATCH_MONTHS` 的最后一行，把 `(survival, low, high)` 三个数赋给 `kept12`。

# %% tags=["answer:E2"]
kept12 = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
part = spells[~spells["payroll"]]
curve = survival.kaplan_meier(part["months"], part["event"])
row = curve[curve["time"] <= WATCH_MONTHS].iloc[-1]
kept12 = (row["survival"], row["low"], row["high"])
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:everybody"]
curve = survival.kaplan_meier(spells["months"], spells["event"])
row = curve[curve["time"] <= WATCH_MONTHS].iloc[-1]
kept12 = (row["survival"], row["low"], row["high"])

# %% tags=["wrong:E2:share_that_left"]
part = spells[~spells["payroll"]]
curve = survival.kaplan_meier(part["months"], part["event"])
row = curve[curve["time"] <= WATCH_MONTHS].iloc[-1]
kept12 = (1 - row["survival"], 1 - row["high"], 1 - row["low"])

# %% tags=["wrong:E2:before_the_step"]
part = spells[~spells["payroll"]]
row = survival.kaplan_meier(part["months"], part["event"]).iloc[0]
kept12 = (row["survival"], row["low"], row["high"])

# %% tags=["alternative:E2:query"]
chosen = spells.query("payroll == False")
steps_of = survival.kaplan_meier(chosen["months"], chosen["event"]).query("time <= @WATCH_MONTHS")
kept12 = steps_of[["survival", "low", "high"]].tail(1).to_numpy().ravel().tolist()

# %% [markdown]
# **E3 ★★★ 说清楚它不能证明什么** 只拿**已经毕业**的客户（`graduates`）和网贷客户比年龄，算出重叠系数和 KS，写一段话赋给 `statement`，六十到两百字。
# 要有三样：两个数都写进去；说明年龄像**不能证明**什么；那么下一步该看什么。可以用演示六的 `likeness`。

# %% tags=["answer:E3"]
statement = "?"
### BEGIN SOLUTION
grown = graduates[["age", "weight"]].astype(float).dropna()
same, far = likeness(grown, crowd)
statement = (f"已毕业客户和网贷客户的年龄重叠系数是 {same:.2f}，KS 是 {far:.2f}。这只说明岁数像不像，不能证明他们缺钱，"
             "更不能证明该向他们推消费贷。下一步要看本人有没有明确的需求和还款来源，先问再谈。")  # fmt: skip
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:same_age_same_need"]
grown = graduates[["age", "weight"]].astype(float).dropna()
same, far = likeness(grown, crowd)
statement = (f"已毕业客户和网贷客户的年龄重叠系数是 {same:.2f}，KS 是 {far:.2f}，说明他们就是网贷客户，需求一样。"
             "年龄不能证明别的，下一步应当立即全员推消费贷，看谁先下单。")  # fmt: skip

# %% tags=["wrong:E3:students_too"]
statement = (f"客户和网贷客户的年龄重叠系数是 {overlap:.2f}，KS 是 {distance:.2f}。这只说明岁数，不能证明他们缺钱，"
             "也不能证明该推贷款。下一步要看本人有没有需求和收入来源，先问再谈，问清楚了再做判断。")  # fmt: skip

# %% tags=["alternative:E3:other_order"]
both_numbers = likeness(graduates[["age", "weight"]].dropna().astype(float), crowd)
statement = (f"不能证明需求相同：KS {both_numbers[1]:.3f}、重叠系数 {both_numbers[0]:.3f} 只比较了年龄。已经毕业的客户缺不缺钱、该不该借，"
             "还要看收入、负债和本人的意愿；下一步先做回访，问清用途，再决定联系谁。")  # fmt: skip

# %% [markdown]
# **E4 ★★★ 出一份过得了合规的名单** 从 `candidates` 里选 `LIST_SIZE` 位（不够就全选），赋给 `keep_list`（表，列 `customer_id`、`touch`）。规矩：已毕业、满 `LEAST_AGE` 岁
# （不知道年龄的不要）、有营销授权（`consent`）、没有谢绝来电、电话有效、没有逾期；一人一次，由头和演示八一致。目标：`chance` 合计至少达到参照方案的 98% [定义]。

# %% tags=["answer:E4"]
keep_list = ...  # ← 把 ... 换成你的名单，可以写几行
### BEGIN SOLUTION
grown = candidates[(candidates["graduation_date"] <= bank.as_of) & (candidates["age"] >= LEAST_AGE)]
grown = grown[grown["consent"] & ~grown["do_not_call"] & grown["phone_valid"] & (grown["overdue_days"] == 0)]
best = grown.sort_values("chance", ascending=False).head(LIST_SIZE)
keep_list = best.reset_index()[["customer_id", "touch"]]
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:students_inside"]
wide_list = candidates[candidates["consent"] & ~candidates["do_not_call"] & candidates["phone_valid"] & (candidates["overdue_days"] == 0)]
best = wide_list.sort_values("years").head(LIST_SIZE)
keep_list = best.reset_index()[["customer_id", "touch"]]

# %% tags=["wrong:E4:forgot_consent"]
grown = candidates[(candidates["graduation_date"] <= bank.as_of) & (candidates["age"] >= LEAST_AGE)]
best = grown.sort_values("chance", ascending=False).head(LIST_SIZE)
keep_list = best.reset_index()[["customer_id", "touch"]]

# %% tags=["wrong:E4:least_likely"]
grown = candidates[(candidates["graduation_date"] <= bank.as_of) & (candidates["age"] >= LEAST_AGE)]
grown = grown[grown["consent"] & ~grown["do_not_call"] & grown["phone_valid"] & (grown["overdue_days"] == 0)]
keep_list = grown.sort_values("chance").head(LIST_SIZE).reset_index()[["customer_id", "touch"]]

# %% tags=["alternative:E4:gates"]
passed = candidates[gates.all(axis=1).reindex(candidates.index)]
keep_list = passed.nlargest(LIST_SIZE, "chance").reset_index()[["customer_id", "touch"]]

# %% [markdown]
# ## 成果
#
# 《毕业客户维系计划》：每家支行一页名单，写由头和时间，附一页说法和禁忌。**名单里一个在校生也没有**，出门前再核一遍；不够人数的支行不硬凑。

# %%
cu.carry_on("E4")
plan = keep_list.merge(students.reset_index()[["customer_id", "branch_id", "masked_name", "stage"]], on="customer_id")
still = plan["customer_id"].map(customer["occupation"]).eq("学生")  # 可能延毕，核实前不进名单
plan, waiting = plan[~still], still.sum()
inside = (plan["stage"] == "在校").sum()
plan["date"] = pd.to_datetime(plan["touch"].map(days))
words = {"stage": "阶段", "touch": "由头", "date": "建议日期", "say": "说什么", "never": "不要做"}
card = pd.DataFrame([["返乡对接", "问要办什么手续，介绍社保卡、代发和返乡创业政策", "不替客户做借钱的决定"],
                     ["结清祝贺", "祝贺结清，告诉他怎么开结清证明", "不说“再借一笔”"],
                     ["毕业回访", "问近况，更新地址和电话", "不推贷款，不追问去向"]], columns=["touch", "say", "never"])  # fmt: skip
path = cu.deliver.call_list(bank.output_dir("m03_n07") / "毕业客户维系计划.xlsx", plan.sort_values(["branch_id", "date", "customer_id"])[
    ["branch_id", "customer_id", "masked_name", "stage", "touch", "date"]], branch_column="branch_id", title="毕业客户维系计划", names=words,
    purpose="毕业客户维系", purge_date=bank.as_of + pd.Timedelta(days=PURGE_DAYS), notes=["在校和不满年龄的客户不在名单内。", "客户说不需要，当场记谢绝来电。", "销毁日以后的联系，届时重新出名单、重新过一遍门槛。"],
    extra={"说法与禁忌": cu.deliver.Sheet(card, "说法与禁忌", names=words)})  # fmt: skip
cu.say(f"`{path.name}`：{plan['branch_id'].nunique()} 家支行 {len(plan)} 位客户，其中在校生 **{inside}** 位；预计已毕业、职业却还登记为学生的 {waiting} 位可能延毕，核实以前不进名单。")

# %% [markdown]
# ## 讨论
#
# 我们欠一个助学贷款客户什么？可以从这几个方向争一争：
#
# - 还款提醒做得好，是服务，也是最好的维系。为什么它总排在“营销计划”后面？
# - 结清那天发一条祝贺短信，后面要不要跟一条“额度已就绪”？客户会记住哪一条？
# - 离开家乡的年轻人不用我们的卡，是我们没做好，还是本来就该这样？哪些人值得追，哪些该祝福？
#
# ## 小结
#
# 在校生先出名单，这是规矩。沉默要和没结清的人比，才知道是不是结清造成的；代发工资和留下的人一起出现，返乡的人最常回头。
# 年龄像什么也证明不了；每次联系要有由头，一年一次就够。
#
# 下一课：征信数据怎么用才合规，置换怎么算才划算。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 生成器埋下的：结清一年以后六成沉默、有代发的留下七成多、原始名单三分之一在校、返乡的人后来借款是别人的三倍。真值都按**样本行**算，和按权数推算的不是同一个数，
# 对照时用样本行。沉默与否在生成器里不由结清决定，所以“没结清的人也一样沉默”才是正确的读法。年龄重叠没有专门埋设，课上看到多少就是多少。
#
# 常见的弯路：把结清当成流失的原因；只按年龄挡在校生；把重叠系数读成“网贷客户占几成”。

# %% tags=["instructor"]
found = {"dormant_after": old["quiet"].mean(), "payroll_keep": keep["rate_a"], "in_school": in_school.mean(), "returnee": back["rate_a"] / back["rate_b"]}
cu.reveal(bank, "m03_n07", found, names={"dormant_after": "结清一年后沉默的比例（样本行）", "payroll_keep": "有代发工资的留存（样本行）",
                                         "in_school": "原始名单里的在校生（样本行）", "returnee": "返乡与其余的后续借款之比"})  # fmt: skip
