# %% [markdown] outline=["S004-A"]
# # 真的缺客户吗：覆盖度、名单转化漏斗与低转化五因
#
# 课程：银行二十种数据实战应用场景（第一部分：数据应用的重要性与迫切性）·
# 大纲：S004-A、S004-A1 至 S004-A4、S004-A12、S004-A13 · 难度：L2 · 用时：90 分钟
#
# 学完本课，你能：
#
# - 按客群和乡镇算出信贷覆盖度和它的误差范围，回答“是没有客户，还是没有做到”；
# - 把一批总行名单拆成八步漏斗，把每一行没成的名单归到一个能追责、能改进的原因；
# - 用一场公平的比较说清数据工具到底多带来几笔贷款，不把开门红的功劳算进去。
#
# Abstract: Measure credit coverage by segment and town with intervals, split a low-yield call list into
# eight steps and five causes, value each repair with a Shapley split, and judge a pilot by differences
# in differences with an event study.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 覆盖度和名单看哪家网点：None 表示全行（试点比较总是用全行）
TOWN = None  # 练习一看哪个乡镇：None 表示合格客户最多的乡镇
AGES = [18, 65]  # 合格客户的年龄下限和上限，含两端
SMALL_CELL = 30  # 有效样本不到多少，不报这一格的覆盖度
REPEAT_CALLS = 3  # 同一位客户累计拨打多少次，算重复外呼
REFERENCE = {"可用": 0.95, "号码有效": 0.9, "拨打": 0.9, "接通": 0.5, "有意向": 0.27, "申请": 0.45, "批准": 0.65, "提款": 0.8}  # 参照漏斗：每一步做得到的转化率，请换成本行最好的一批
PILOT = "数据营销试点"  # 网点项目表里哪个项目当试点
LEADS = 6  # 试点曲线（演示七的“事件研究”）往前看几个月
LAGS = 9  # 试点曲线往后看几个月
PEER_2022 = {"营业收入（亿元）": 353.6, "净利润（亿元）": 89.4, "不良率（%）": 1.47, "个人有效客户（万户）": 36200, "小微法人客户（万户）": 340}  # 微众银行 2022 年的几个数：编者凭记忆写下、未经核对，用之前请对照它的年报改

# %%
import course_utils as cu
import numpy as np
import pandas as pd

bank = cu.begin("m01_n01", BANK, AS_OF)
today = bank.as_of
wilson = cu.analysis.experiment.wilson  # 算百分比的误差区间，演示一里解释
# 表头的中文：左边是程序里的列名，右边是显示给人看的字
WORDS = {"segment": "客群", "town_name": "乡镇", "rate": "比率", "low": "下限", "high": "上限", "rows": "样本户数",
         "customers": "推算户数", "gap": "未覆盖户数", "cause": "原因", "count": "条数", "step": "步骤", "share": "占比",
         "own": "本行", "reference": "参照", "alone": "只修这一步多提款", "shapley": "公平分摊多提款", "batch": "批次"}

# %% [markdown] outline=["S004-A1"]
# ## 业务情境
#
# 季度会上，一位乡镇支行行长说：“我们镇的年轻人都出去了，好客户早被大行拿走了。总行发下来的名单，
# 打一百个电话成不了两个。**是真的没有客户了。**”
#
# 这句话里有三个可以用数据回答的问题：镇上符合条件、又没有贷款的人，到底还有多少？名单转化低，低在哪一步，
# 是谁能修的？如果有人说“用了数据工具就好了”，多出来的贷款真是工具带来的吗？
#
# 这些数据**不能**说明没有贷款的人**需要**贷款：不缺钱的人不必借钱。覆盖度的分母是“可以去谈的人”，
# 不是“会来借的人”。名单的转化率也**不能**说明电话促成了贷款：有的人不打电话也会来借。
#
# ## 数据
#
# 覆盖度用客户、授权、贷款和授信四张表；漏斗用白名单；试点用员工日活动表和网点项目表。

# %%
cu.dictionary(bank, {"customer": ["segment", "town_id", "do_not_call", "weight"],
                     "consent": ["scope", "granted", "expire_date"],
                     "loan": ["settle_date", "five_class"], "credit_line": ["status"],
                     "white_list": ["batch", "prior_score", "phone_valid", "already_borrowing", "random_holdout", "called",
                                    "call_count", "reached", "interested", "applied", "approved", "drawn", "reason_code"],
                     "activity_day": ["employee_id", "date", "draws"], "branch_program": ["program", "start_date"]})
lacking = bank.missing("white_list", "activity_day", "branch_program", "staff_survey")
cu.say("本课要用、而本行没有的表：" + ("、".join(lacking) + "，对应的演示请跳过。" if lacking else "没有。"))

# %% [markdown] outline=["S004-A12", "S000-1.1.3.2.1"]
# ## 演示一：不同地区、不同客群的信贷覆盖度
#
# **合格客户**要过四道关 [定义]：个人或个体工商户，年龄在 `AGES` 之内；名下没有不良贷款；不在勿扰名单上；
# 有没过期的营销授权。**覆盖**：有没结清的贷款，或者有一条有效的授信。
#
# > 覆盖度 ＝ 覆盖的合格客户 ÷ 合格客户（都按权数加总） [定义]
#
# 样本里借款人、商户抽得特别多，所以**必须乘权数**：每一行代表 `weight` 户。直接数行数，覆盖度会虚高（高多少，下面算给你看）。
# 先看四道关各留下多少人。授权这一关不是手续：没有授权的人，再合格也不能拿来营销。

# %%
people = bank.load("customer", columns=["customer_id", "customer_type", "segment", "occupation", "birth_year",
                                        "town_id", "branch_id", "do_not_call", "weight"])
people = people[people["customer_type"] != "企业"]
people = people if BRANCH is None else people[people["branch_id"] == BRANCH]
consent = bank.load("consent", columns=["customer_id", "scope", "granted", "expire_date"])
agreed = consent[(consent["scope"] == "营销") & consent["granted"]]
agreed = agreed[agreed["expire_date"].isna() | (agreed["expire_date"] > today)]
live = bank.load("loan", columns=["customer_id", "settle_date", "five_class", "balance"])
live = live[live["settle_date"].isna()]
lines = bank.load("credit_line", columns=["customer_id", "status"])
lines = lines[lines["status"] == "有效"]

# %%
bad = live.loc[live["five_class"].isin(["次级", "可疑", "损失"]), "customer_id"]
gates = pd.DataFrame({
    "年龄合适": (today.year - people["birth_year"]).between(*AGES).fillna(False),
    "没有不良": ~people["customer_id"].isin(bad),
    "不在勿扰名单": ~people["do_not_call"],
    "有营销授权": people["customer_id"].isin(agreed["customer_id"]),
})
passed = gates.astype(int).cummin(axis=1).astype(bool)  # 过了前面的关，才算过这一关
left = passed.mul(people["weight"], axis=0).sum().rename("customers")
cu.show(left.to_frame().assign(share=left / people["weight"].sum()), units={"customers": "户", "share": "%"},
        names=WORDS | {"index": "过了这一关还剩"})
eligible = people[passed["有营销授权"]].copy()
eligible["covered"] = (eligible["customer_id"].isin(live["customer_id"])
                       | eligible["customer_id"].isin(lines["customer_id"]))

# %% [markdown]
# 样本会抖，所以每个覆盖度都带一个 95% 区间：同样的抽样重来一百次，大约有九十五次区间会盖住真实的覆盖度。
# 权数有大有小时，一行顶不了一个独立样本，要先折成**有效样本量** ＝（权数之和）² ÷ 权数平方之和 [定义]，
# 再用威尔逊公式（算百分比区间的标准算法，比率接近零也不会算出负数）。`wilson(几户覆盖, 一共几户)` 给出一行三个数：
# `rate` 比率、`low` 下限、`high` 上限，`.iloc[0]` 取出这一行。乘过权数以后没有现成的“几户覆盖”，就写覆盖度 × 有效样本量。
# 有效样本不到 `SMALL_CELL` 的格子不报数：几户人家的百分比只会误导人。
#
# 哪些乡镇真的比全行低？逐镇看区间：整个区间都在全行覆盖度以下的，才说它“偏低”。还要留神**看得多、总会碰上**：
# 就算每个镇真的一样，拿 95% 的区间去比，平均二十个镇里也会有一个落在外面 [定义]。

# %%
def coverage(rows):
    """一群合格客户的加权覆盖度、区间、有效样本量和未覆盖户数。"""
    weight = rows["weight"]
    effective = weight.sum() ** 2 / (weight**2).sum()
    rate = (weight * rows["covered"]).sum() / weight.sum()
    band = wilson(rate * effective, effective).iloc[0]
    gap = weight[~rows["covered"]].sum()
    return pd.Series({**band, "effective": effective, "customers": weight.sum(), "gap": gap})


whole = coverage(eligible)
by_segment = eligible.groupby("segment", observed=True)[["weight", "covered"]].apply(coverage)
cu.show(by_segment.sort_values("gap", ascending=False), names=WORDS | {"effective": "有效样本"},
        units={"rate": "%", "low": "%", "high": "%", "customers": "户", "gap": "户", "effective": "户"})
stock = whole["gap"] / (whole["customers"] - whole["gap"])
cu.say(f"覆盖度 **{whole['rate']:.1%}**（区间 {whole['low']:.1%} 到 {whole['high']:.1%}）：合格、可联系、还没有贷款和授信的有 "
       f"**{whole['gap']:,.0f} 户**，是已覆盖的 **{stock:.1f} 倍**。直接数样本行，覆盖度会错成 {eligible['covered'].mean():.0%}。")

# %%
towns = bank.load("town", columns=["town_id", "town_name"]).set_index("town_id")["town_name"]
eligible["town_name"] = eligible["town_id"].map(towns)
cells = eligible.groupby(["segment", "town_name"], observed=True)[["weight", "covered"]].apply(coverage)
floor = min(SMALL_CELL, cells["effective"].max())  # 一家小网点可能一格都不到，就只留样本最多的那格
cells["shown"] = cells["rate"].where(cells["effective"] >= floor)
order = eligible.groupby("town_name")["weight"].sum().sort_values(ascending=False).index
grid = cells["shown"].unstack().reindex(columns=order).dropna(axis=1, how="all")
biggest = cells["gap"].idxmax()
fig = cu.charts.heatmap(grid, unit="%", decimals=0, row_label="客群", column_label="乡镇（按合格客户从多到少）")
fig.axes[0].tick_params(axis="x", rotation=60)
cu.charts.finish(
    fig, title=f"缺口最大的一格：{biggest[1]}的“{biggest[0]}”客群，{cells.loc[biggest, 'gap']:,.0f} 户还没覆盖",
    alt="客群乘乡镇的覆盖度热力图，颜色越深覆盖度越高，样本太少的格子留空。",
    source=f"客户、贷款、授信表，{today:%Y-%m-%d}；有效样本不到 {floor:.0f} 的格子不报")

# %%
by_town = eligible.groupby(["town_id", "town_name"])[["weight", "covered"]].apply(coverage).reset_index()
readable = by_town[by_town["effective"] >= SMALL_CELL]
below = readable[readable["high"] < whole["rate"]]
above = readable[readable["low"] > whole["rate"]]
cu.say(f"{len(readable)} 个能报数的乡镇里，明显低于平均的 {len(below)} 个"
       + (f"（{'、'.join(below['town_name'])}）" if len(below) else "")
       + f"，明显高于平均的 {len(above)} 个；纯靠运气，平均也会有 {len(readable) * 0.05:.1f} 个落在区间外。"
       + ("所以这里看不出“哪个镇没客户”，" if len(below) + len(above) <= 2 else "差别值得逐镇去问原因，")
       + f"未覆盖最多的镇是 **{by_town.loc[by_town['gap'].idxmax(), 'town_name']}**。"
       "“镇上没人了”的说法，先拿这一行户数去对。")

# %% [markdown]
# ## 演示二：一批名单的八步漏斗
#
# 总行发下一行名单，要走完八步才变成一笔贷款：**可用**（不重复、下发时没有贷款）→ **号码有效** → **拨打** →
# **接通** → **有意向** → **申请** → **批准** → **提款**。每一步的转化率 ＝ 这一步剩下的 ÷ 上一步剩下的。
#
# 两个容易做错的地方：名单里有一部分是**随机留出**、故意不打的，用来做对照，不能算成一线没打；
# 同一批里同一位客户发了两次，第二行不该再派。下面的 `flags` 保证“过了前面的步骤，才算过这一步”
# （`cummin` 从左往右看，前面有一个“否”，后面就全是“否”）。“离参照最远的一步”比的是**倍数**，不是相差几个百分点。

# %%
STEPS = {"usable": "可用", "phone_valid": "号码有效", "called": "拨打", "reached": "接通",
         "interested": "有意向", "applied": "申请", "approved": "批准", "drawn": "提款"}
white_list = bank.load("white_list")
worked_first = white_list.sort_values(["called", "list_id"], ascending=[False, True])
repeated = worked_first.duplicated(["batch", "customer_id"]).sort_index()  # 同批第二次出现，没打过的那行算重复
issued = white_list.assign(repeated=repeated)[~white_list["random_holdout"]]
issued = issued if BRANCH is None else issued[issued["branch_id"] == BRANCH]
issued = issued.assign(usable=~issued["repeated"] & ~issued["already_borrowing"])
flags = issued[list(STEPS)].astype(int).cummin(axis=1).astype(bool)
counts = pd.Series({"下发": len(issued)} | {zh: int(flags[en].sum()) for en, zh in STEPS.items()})


def step_rates(counts):
    """每一步的转化率；上一步一户都没有时，没法算，借用参照值。"""
    return (counts / counts.shift(1)).iloc[1:].fillna(pd.Series(REFERENCE)).rename_axis("step")


rates = step_rates(counts)
far = (np.log(pd.Series(REFERENCE)) - np.log(rates.clip(lower=1e-6))).idxmax()

# %%
fig = cu.charts.funnel_steps(counts, compare=pd.Series(REFERENCE))
cu.charts.finish(
    fig, title=f"{counts.iloc[0]:,} 行名单换来 {counts.iloc[-1]} 笔提款；离参照最远的一步是“{far}”",
    alt="漏斗图：从下发到提款九层，每层写着剩下的条数、转化率和参照转化率。",
    source=f"白名单 {issued['batch'].nunique()} 批，随机留出的行不计；样本行，未乘权数")
talk = int(counts["申请"]), int(counts["接通"])
rate, low, high = wilson(*talk).iloc[0]
normal = REFERENCE["有意向"] * REFERENCE["申请"]
verdict = "低于" if high < normal else "高于" if low > normal else "分不出高低："
cu.say(f"每百行名单成 {counts.iloc[-1] / counts.iloc[0] * 100:.1f} 笔。接通以后的申请率是 **{rate:.1%}**（区间 {low:.1%} 到 {high:.1%}），"
       f"与参照的 {normal:.1%} 相比{verdict}" + (
           "接通的人太少，话术好不好还不能下结论。" if "分不出" in verdict and talk[1] < 10 * SMALL_CELL else
           "接通的人愿意谈，**话术不是主要的堵点**。" if "分不出" in verdict else
           "参照，话术和产品值得查一查。" if verdict == "低于" else "参照，堵点不在话术。"))

# %% [markdown] outline=["S004-A3"]
# ## 演示三：名单转化率低的五大原因
#
# 没成的每一行，只归到**一个**原因（本课程定义），从上往下第一个符合的算数：
#
# | 顺序 | 原因 | 怎么认 | 谁能修 |
# |---|---|---|---|
# | 一 | 已有贷款或不准入 | 下发时已有贷款，或登记为已有贷款、不准入 | 总行取数 |
# | 二 | 没有反馈闭环 | 同一批里重复下发 | 总行取数 |
# | 三 | 名单陈旧、号码失效 | 号码打不通 | 总行与支行维护客户信息 |
# | 四 | 一线不打、不信 | 号码有效而没有拨打 | 支行 |
# | 五 | 没有反馈闭环 | 累计打了 `REPEAT_CALLS` 次以上，或登记为重复外呼反感 | 总行与支行 |
# | 六 | 与需求不匹配 | 登记为需求不匹配、价格偏高、暂不需要 | 产品与定价 |
# | 七 | 五因之外 | 打了没接通，或没登记原因 | 换时段、换渠道再试 |
#
# 为什么要排顺序？一个已经有贷款的人，没人打他是对的，不能怪一线；号码是空号，也轮不到谈话术。
# **先排掉名单自己的毛病，再看人的毛病。**
# “没有反馈闭环”是说：一线登记的结果，总行取下一批时没有用上，同一个人反复出现；第二、第五条是它的两种样子。
#
# “一线不打”是普遍现象，还是个别人的事？第三格看每位员工手里**有效、可用**的名单打了多少。行数少的人，比例本来就会
# 上下跳，所以和“人人一样努力、只靠运气会有多分散”比一比：实际的标准差（分散程度）大得多，才是人和人的差别。

# %%
CAUSES = ["名单陈旧、号码失效", "与需求不匹配", "已有贷款或不准入", "一线不打、不信", "没有反馈闭环"]
OTHER = "五因之外"
calls = issued.sort_values(["batch", "list_id"]).groupby("customer_id")["call_count"].cumsum()
reason = issued["reason_code"].astype("str")
rules = [
    (issued["drawn"], "提款"),
    (issued["already_borrowing"] | reason.isin(["已有贷款", "不准入"]), CAUSES[2]),
    (issued["repeated"], CAUSES[4]),
    (~issued["phone_valid"], CAUSES[0]),
    (~issued["called"], CAUSES[3]),
    ((calls.reindex(issued.index) >= REPEAT_CALLS) | (reason == "重复外呼反感"), CAUSES[4]),
    (reason.isin(["需求不匹配", "价格偏高", "暂不需要"]), CAUSES[1]),
]
issued["cause"] = np.select([rule for rule, _ in rules], [name for _, name in rules], OTHER)

# %%
lost = issued[issued["cause"] != "提款"]
causes = lost["cause"].value_counts().reindex([*CAUSES, OTHER], fill_value=0).to_frame("count")
causes[["share", "low", "high"]] = wilson(causes["count"], len(lost)).to_numpy()
causes = causes.sort_values("count", ascending=False, kind="stable")
fig = cu.charts.bars_with_interval(causes.rename_axis("cause").reset_index(), value="share", label="cause", count="count")
first_two = [name for name in causes.index if name != OTHER][:2]
cu.charts.finish(
    fig, title=f"没成的名单里，“{first_two[0]}”和“{first_two[1]}”占 {causes.loc[first_two, 'share'].sum():.0%}",
    alt="六根横条，是各原因占没成名单的比例和区间。", source=f"白名单 {len(lost):,} 行没有提款的名单")
headquarters = causes.loc[[CAUSES[0], CAUSES[2]], "share"].sum()
cu.say(f"{len(lost):,} 行没成的名单，五因归了 {1 - causes.loc[OTHER, 'share']:.0%}。号码和准入是名单带来的，占 **{headquarters:.0%}**；"
       f"一线没打占 **{causes.loc[CAUSES[3], 'share']:.0%}**。两边都有份：总行不能只怪支行不打，支行也不能只怪名单不好。")

# %%
ready = issued[issued["usable"] & issued["phone_valid"]]
staff = ready.groupby("assigned_employee_id")["called"].agg(["mean", "size"])
staff = staff[staff["size"] >= min(SMALL_CELL, staff["size"].max())]  # 手里行数太少的不看
overall = ready["called"].mean()
luck = np.sqrt((overall * (1 - overall) / staff["size"]).mean())
spread = staff["mean"].std() if len(staff) > 2 else np.nan
fig = cu.charts.histogram(staff["mean"], bins=np.linspace(0, 1, 21), unit="%", cuts={"平均": overall})
fig.axes[0].set(xlabel="有效名单打过的比例", ylabel="员工人数")
cu.charts.finish(fig, title=f"有效名单，打得最少的员工打了 {staff['mean'].min():.0%}，最多的 {staff['mean'].max():.0%}",
                 alt="各员工外呼比例的直方图，竖线是平均。", source=f"{len(staff)} 位分到 {SMALL_CELL} 行以上有效名单的员工")
ratio = spread / luck
cu.say(f"有效名单平均只打了 **{overall:.0%}**。" + (
    "员工太少，看不出分散程度。" if np.isnan(ratio) else
    f"人与人的标准差 {spread:.0%}，只靠运气应当是 {luck:.0%}，实际是它的 **{ratio:.1f} 倍**："
    + ("超出运气的部分，要到人和他分到的名单上找。" if ratio > 1.5 else "差别多半是运气，不宜排名。")))

# %% [markdown]
# ## 演示四：修哪一步最值
#
# 漏斗是一步乘一步，修一步的价值要看别的步骤通不通：号码全换成有效的，没人打也白搭。常见的两种算法都有毛病：
# **只修一步**，加起来凑不满总差距；**按顺序一步步修**，排在后面的占便宜。
#
# 公平的办法：把八步所有可能的修理顺序都试一遍，一步的价值取它在各种顺序里“多换来的提款”的平均。
# 这叫沙普利分摊，各步相加正好等于从本行到参照的总差距。先看两步的小例子：拨打一半、接通四成，
# 想做到全拨、接通五成，一百行从二十笔到五十笔。先修拨打多二十笔，后修多二十五笔，平均二十二笔半；
# 接通拿剩下的七笔半。[定义]
#
# 工具 `repair(本行转化率, 参照转化率, start=下发行数)` 就做这件事；`start` 不写，得数就是“每一行名单”的，不是笔数。
# “占比”是分摊到的笔数占总差距的几成；比参照还好的步骤得负数，所以其余几步加起来可以超过百分之百。
# 最后把名单重抽二百次（抽了放回再抽）[参数]，每次重算一遍：中间九成五的结果落在哪里，就是“重抽区间”，用来看这个占比稳不稳。

# %%
repair = cu.analysis.funnel.repair(rates, pd.Series(REFERENCE), start=len(issued))
cu.show(repair, names=WORDS, units={"own": "%", "reference": "%", "share": "%", "alone": "笔", "shapley": "笔"}, rows=None)
best = repair["shapley"].sort_values(ascending=False)
waiting = ready[~ready["called"]]  # 有效、可用、还没打的名单
blocked = ~waiting["customer_id"].isin(eligible["customer_id"])
fig = cu.charts.waterfall(repair["shapley"], start=float(counts.iloc[-1]), start_label="现在", end_label="参照", unit="笔")
cu.charts.finish(
    fig, title=f"从 {counts.iloc[-1]} 笔到参照的 {counts.iloc[-1] + repair['shapley'].sum():.0f} 笔，“{best.index[0]}”一步贡献最大",
    alt="瀑布图：从现在的提款笔数起，八步各贡献多少，到参照漏斗的提款笔数。", source="白名单漏斗，沙普利分摊")

# %%
rng = np.random.default_rng(20251231)
hits, again = flags.to_numpy(), []
for _ in range(200):  # 名单重抽二百次，看这个占比有多稳
    drawn_rows = hits[rng.integers(0, len(hits), len(hits))].sum(axis=0)
    one = step_rates(pd.Series([len(hits), *drawn_rows], index=counts.index))
    share = cu.analysis.funnel.repair(one, pd.Series(REFERENCE))["share"]
    again.append(share[["号码有效", "拨打"]].sum())
low, high = np.quantile(again, [0.025, 0.975])
two = repair.loc[["号码有效", "拨打"], "share"].sum()
enough = counts.iloc[-1] >= SMALL_CELL
cu.say(f"号码和拨打两步合起来，解释了差距的 **{two:.0%}**"
       + (f"（重抽区间 {low:.0%} 到 {high:.0%}）。" if enough else f"；但只有 {counts.iloc[-1]} 笔提款，后面几步抖得厉害，这个占比不可信。")
       + ("上端超过百分之百，是因为另有几步比参照还好。" if enough and max(two, high) > 1 else "") + "还要打个折："
       f"还没打的 {len(waiting):,} 行有效名单里，**{blocked.mean():.0%}** 的客户没有营销授权、在勿扰名单上"
       "或不再合格，**一个也不能补打**。")

# %% [markdown] outline=["S004-A4"]
# ## 演示五：精准名单四步骤，拿最近一批对一遍
#
# 名单的四个步骤（本课程定义）：**定目标与口径 → 取数与匹配 → 分层排序 → 分发、回收与复盘**。
# 每一步都能写成一条可以查的要求 [参数]。个人信息保护法第六条要求目的明确、范围最小，第二十四条要求自动化推送的营销
# 给人拒绝的办法：所以授权和勿扰在第一步就要卡住，不是打电话时才想起来。向在校学生推互联网消费贷款，监管有专门限制
# （2021 年通知，细则以原文为准），也在第一步卡住。
#
# 名单上还附着总行的一个打分 `prior_score`，按中位数分成高分、低分两半。分打得有用，高分的一半接通以后应当更愿意申请
# （两半之差的区间下限大于零，才敢说不是碰巧）；一线信这个分，就应当多打高分的一半。

# %%
last = issued[issued["batch"] == issued["batch"].max()]
earlier = issued[issued["batch"] < issued["batch"].max()]
allowed = people.loc[~people["do_not_call"] & people["customer_id"].isin(agreed["customer_id"]), "customer_id"]
refused = earlier.loc[earlier["reason_code"].isin(["需求不匹配", "暂不需要", "重复外呼反感"]), "customer_id"]
pupils = last["customer_id"].isin(people.loc[people["occupation"] == "学生", "customer_id"]).mean()
barred, sent_again = ~last["customer_id"].isin(allowed), last["customer_id"].isin(refused).mean()
slow = ((last["call_date"] - last["list_date"]).dt.days.dropna() > 7).mean()
able = last[last["usable"] & last["phone_valid"]]
high_score = able["prior_score"] >= able["prior_score"].median()
worked = able["called"].groupby(high_score).mean()
called_gap = worked.get(True, np.nan) - worked.get(False, np.nan)  # 高分一半比低分一半多打了多少
spoke = able[able["reached"]].groupby(high_score)["applied"].agg(["sum", "size"])
gain = {"difference": np.nan, "low": np.nan, "high": np.nan}  # 接通后的申请率，高分一半减低分一半
if len(spoke) == 2:
    gain = cu.analysis.experiment.diff_ci(*spoke.loc[True], *spoke.loc[False])

# %%
table = [
    ("定目标与口径", "没有营销授权或在勿扰名单上", barred.mean(), "0", not barred.any()),
    ("定目标与口径", "在校学生进了线上贷款名单", pupils, "0", pupils == 0),
    ("取数与匹配", "同批重复或下发时已有贷款", (~last["usable"]).mean(), "≤ 1%", last["usable"].mean() >= 0.99),
    ("取数与匹配", "号码失效", (~last["phone_valid"]).mean(), "≤ 10%", last["phone_valid"].mean() >= 0.9),
    ("取数与匹配", "前几批明确拒绝过、又发一次", sent_again, "≤ 1%", sent_again <= 0.01),
    ("分层排序", "申请率：高分减低分，区间下限", gain["low"], "> 0", gain["low"] > 0),
    ("分层排序", "拨打比例：高分减低分", called_gap, "≥ 5%", called_gap >= 0.05),
    ("分发、回收与复盘", "有效名单没有拨打", (~able["called"]).mean(), "≤ 10%", able["called"].mean() >= 0.9),
    ("分发、回收与复盘", "首次拨打拖过七天", slow, "≤ 20%", slow <= 0.2)]
checks = pd.DataFrame(table, columns=["步骤", "检查", "现状", "要求", "结果"])
checks["结果"] = np.where(checks["现状"].isna(), "样本太少", np.where(checks["结果"], "合格", "不合格"))
cu.show(checks, rows=None, units={"现状": "%"}, title="最近一批名单的四步骤体检")
cu.say(f"最近一批 {len(last):,} 行，{len(checks)} 条要求有 **{(checks['结果'] == '不合格').sum()}** 条不合格。按今天的授权看不该联系的 {barred.sum()} 行里，"
       f"已经打了 **{(barred & last['called']).sum()}** 个电话：要逐个核对当时有没有授权。")

# %% [markdown] outline=["S004-A2", "S004-A2.K1", "S004-A2.2"]
# ## 演示六：信贷获客难的四大因素——员工怎么说，数据怎么说
#
# 浙江一家银行的案例拿三个问题问员工，这里用员工问卷表做**情景仿真**：获客难的主要原因是什么？次要原因是什么？
# 总行名单有没有用（一到五分）？四大因素（本课程定义）是：**客户**（看不见、找不到）、**产品**（不匹配）、
# **价格**（大行下沉）、**人**（不会、不愿）。
#
# 问卷量的是**看法**，不是事实，而且没有人愿意说“难在我自己”。所以每个因素旁边放一个记录里的数对照着看。

# %%
survey, factors = bank.load("staff_survey"), ["客户", "产品", "价格", "人"]
opinion = wilson(survey["main_cause"].value_counts().reindex(factors, fill_value=0), len(survey)).rename_axis("因素")
opinion["second"] = survey["second_cause"].value_counts(normalize=True).reindex(factors, fill_value=0.0)
spoken = issued.loc[issued["usable"] & issued["reached"], "reason_code"]
opinion["记录里对应的数"] = [
    f"未覆盖的合格客户是已覆盖的 {stock:.1f} 倍", f"接通后 {(spoken == '需求不匹配').mean():.0%} 登记需求不匹配",
    f"接通后 {(spoken == '价格偏高').mean():.0%} 登记价格偏高", f"有效名单 {1 - overall:.0%} 没有打"]
cu.show(opinion, names=WORDS | {"rate": "选为主因", "second": "选为次因"}, units=dict.fromkeys(["rate", "low", "high", "second"], "%"))
blame, useful = opinion["rate"].idxmax(), survey["list_useful"]
ahead = opinion.drop(blame)["rate"].max() < opinion.loc[blame, "low"]
cu.say(f"{len(survey)} 份问卷里，主因选得最多的是“**{blame}**”（{opinion.loc[blame, 'rate']:.0%}），"
       + ("领先第二名；" if ahead else "但第二名落在它的区间里，谁第一说不定；")
       + f"选“人”的 {opinion.loc['人', 'rate']:.0%}。名单有用程度平均 {useful.mean():.1f} 分（正负 {1.96 * useful.sem():.1f}）。"
       "**看法和记录对不上的地方，就是管理要去的地方。**")

# %% [markdown] outline=["S004-A2.3"]
# **拿微众银行比一比，比什么？** 常有人拿它的规模说“人家没有网点也能做”。下表左列是参数里可改的数（编者记忆，未经核对），
# 右列是本行。规模没有可比性：它做全国的线上客户，我们做一个县。**能比的是一户挣多少钱**：每户收入很薄，
# 生意成立靠的是每户成本更薄。一位客户经理打一个电话、跑一趟的成本，放在那样的一户身上就亏了。
# 所以可学的是“用数据省下无效的电话”，不是“不要网点”。

# %%
persons = bank.load("customer", columns=["customer_type", "weight"]).groupby("customer_type", observed=True)["weight"].sum()
weights = bank.load("customer", columns=["customer_id", "weight"]).set_index("customer_id")["weight"]
money = live["balance"] * live["customer_id"].map(weights)
own_bad = money[live["five_class"].isin(["次级", "可疑", "损失"])].sum() / money.sum()
ours = {"不良率（%）": own_bad * 100, "个人有效客户（万户）": persons.drop("企业").sum() / 1e4,
        "小微法人客户（万户）": persons.get("企业", 0.0) / 1e4}
peer = pd.DataFrame({"微众银行 2022（未核对）": pd.Series(PEER_2022), "本行": pd.Series(ours)}).reindex(PEER_2022)
cu.show(peer.rename_axis("指标"), rows=None)
each = PEER_2022["营业收入（亿元）"] * 1e4 / PEER_2022["个人有效客户（万户）"]
cu.say(f"按参数里的数，它平均一户一年的收入约 **{each:.0f} 元**（把全部收入都摊到个人户上，是偏高的算法）。"
       "这个数只用来想成本，不能拿来给支行定目标。")

# %% [markdown] outline=["S004-A13"]
# ## 演示七：数据应用的产能转化——试点真的多放了几笔
#
# 有一批支行上了“数据营销试点”。汇报材料说：上线后三个月比上线前三个月，客户经理人均月提款多了一大截。
# 如果上线正赶上**开门红**，这个算法就把开门红也算成了试点的功劳。
#
# 公平的比较叫**双重差分**：试点支行涨了多少，减去同期没上试点的支行涨了多少。它靠一个前提——
# 如果没有试点，两组会**一起涨一起跌**。前提不能证明，但可以查：上线之前两组走得一样不一样。
#
# 先看前后各三个月的均值；再用有记录的全部月份：每位经理有自己的水平，每个月有共同的涨跌，扣掉这两样，剩下的才是试点。
# 试点是**按支行**上的，同一家支行的人同进同退，所以误差按支行来算（聚类），不然区间会假装很窄。
# 曲线图叫**事件研究**：横轴是离上线几个月，每个点都是和上线前**那一个月**比，单月会抖，所以要看一串点的高低，不看某一个点。
# 最后做一次**重新分派**检验：把“谁上试点”在支行之间随机打乱五百次 [参数]，看乱分会不会也差出这么多。

# %%
daily = bank.load("activity_day", columns=["date", "employee_id", "draws"])
daily["month"] = daily["date"].dt.to_period("M").dt.to_timestamp()
monthly = daily.groupby(["employee_id", "month"], as_index=False)["draws"].sum()
office = bank.load("employee", columns=["employee_id", "branch_id"]).set_index("employee_id")["branch_id"]
program = bank.load("branch_program").query("program == @PILOT").set_index("branch_id")["start_date"]
monthly["branch_id"] = monthly["employee_id"].map(office)
monthly["start"] = monthly["branch_id"].map(program)
first = program.min()
near = monthly[monthly["month"].between(first - pd.DateOffset(months=3), first + pd.DateOffset(months=2))]
means = near.pivot_table("draws", near["start"].notna().map({True: "试点", False: "其他"}),
                         (near["month"] >= first).map({True: "后三个月", False: "前三个月"}))[["前三个月", "后三个月"]]
means["变化"] = means["后三个月"] - means["前三个月"]
cu.show(means.rename_axis("支行"), title="先看均值：每人每月提款笔数")
cu.say(f"只看试点前后，多了 **{means.loc['试点', '变化']:.1f}** 笔；可没上试点的同期也变了 {means.loc['其他', '变化']:+.1f} 笔。"
       f"两个变化一减，只剩 **{means.loc['试点', '变化'] - means.loc['其他', '变化']:.1f}** 笔。")

# %%
study = cu.analysis.panel
effect = study.did(monthly, "draws", "employee_id", "month", "start", cluster="branch_id")
dealt = study.placebo(monthly, "draws", "employee_id", "month", "start", "branch_id", draws=500)
sure = effect["low"] > 0 or effect["high"] < 0
cu.say(f"双重差分：每人每月 **{effect['estimate']:+.2f} 笔**（95% 区间 {effect['low']:+.2f} 到 {effect['high']:+.2f}，"
       f"{effect['clusters']} 家支行、{effect['units']} 位经理）。随机打乱 {len(dealt['draws'])} 次，差得这么远的只占 {dealt['p']:.1%}。"
       + ("不像是碰巧。" if sure and dealt["p"] < 0.05 else "还不能排除碰巧。"))
curve = study.event_study(monthly, "draws", "employee_id", "month", "start", LEADS, LAGS, cluster="branch_id")
band = {side: curve[[side]].fillna(0.0).rename(columns={side: "试点减其他"}) for side in ("low", "high")}
flat = curve.attrs["lead_p"] > 0.05
jump = curve.loc[0:, "estimate"].mean() - curve.loc[:-1, "estimate"].mean()

# %%
fig = cu.charts.event_curve(curve[["estimate"]].rename(columns={"estimate": "试点减其他"}), unit="笔",
                            event="上线", low=band["low"], high=band["high"])
fig.axes[0].set(xlabel="离上线几个月（两端合并了更早、更晚的月份）", ylabel="每人每月提款之差（笔，上线前一个月为零）")
cu.charts.finish(
    fig, title=f"上线前各月{'看不出差别' if flat else '已有差别，前提存疑'}；上线后比上线前平均 {jump:+.1f} 笔",
    alt="事件研究曲线：横轴离上线的月数，纵轴试点与其他支行的差，阴影是区间。", source=f"员工日活动表，{effect['n']:,} 个经理月")
others = effect["units"] - effect["treated_units"]
cu.say(f"上线前各月合在一起检验，p 值 {curve.attrs['lead_p']:.2f}（这么大的差别只靠运气出现的机会），"
       + ("没有发现两组早就分道扬镳的迹象。" if flat else "上线前两组就不一样，结论要打折扣。")
       + f"如果其余 {others} 位经理也有同样的效果，一年约多 **{max(effect['estimate'], 0) * 12 * others:,.0f} 笔**（按区间是 {max(effect['low'], 0) * 12 * others:,.0f} 到 {max(effect['high'], 0) * 12 * others:,.0f} 笔）；"
       "但试点支行不是抽签选的，推广以前最好留几家晚上线的支行当对照。")

# %% [markdown]
# ## 练习
#
# 已有的变量：`eligible`（合格客户，含 `weight`、`covered`、`town_id`），`issued`（下发的名单，含 `batch`、`cause`，全部批次），
# `flags`（八步的真假表，索引与 `issued` 相同），`step_rates`（由条数算转化率），`STEPS`、`CAUSES`、`OTHER`、`REFERENCE`。
#
# **E1 ★★ 写几行** 下面的 `town` 是一个乡镇号。算出这个镇的加权覆盖度和它的区间（有效样本量、威尔逊），
# 按（覆盖度、下限、上限）的顺序，用圆括号放在一起，赋给 `town_coverage`：写小数，不要四舍五入。
# 不用 `coverage` 函数、自己写一遍最好。

# %% tags=["answer:E1"]
town = TOWN or eligible.groupby("town_id")["weight"].sum().sort_index().idxmax()
town_coverage = ...  # ← 三个数：覆盖度、下限、上限
### BEGIN SOLUTION
mine = eligible[eligible["town_id"] == town]
size = mine["weight"].sum() ** 2 / (mine["weight"] ** 2).sum()
covered_share = np.average(mine["covered"], weights=mine["weight"])
interval = wilson(covered_share * size, size).iloc[0]
town_coverage = (interval["rate"], interval["low"], interval["high"])
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:rows_not_weights"]
mine = eligible[eligible["town_id"] == town]
interval = wilson(mine["covered"].sum(), len(mine)).iloc[0]
town_coverage = (interval["rate"], interval["low"], interval["high"])

# %% tags=["wrong:E1:too_narrow"]
mine = eligible[eligible["town_id"] == town]
share = np.average(mine["covered"], weights=mine["weight"])
interval = wilson(share * mine["weight"].sum(), mine["weight"].sum()).iloc[0]
town_coverage = (interval["rate"], interval["low"], interval["high"])

# %% tags=["wrong:E1:loans_only"]
mine = eligible[eligible["town_id"] == town]
size = mine["weight"].sum() ** 2 / (mine["weight"] ** 2).sum()
share = np.average(mine["customer_id"].isin(live["customer_id"]), weights=mine["weight"])
town_coverage = tuple(wilson(share * size, size).iloc[0])

# %% tags=["wrong:E1:rows_for_size"]
mine = eligible[eligible["town_id"] == town]
share = np.average(mine["covered"], weights=mine["weight"])
town_coverage = tuple(wilson(share * len(mine), len(mine)).iloc[0])

# %% tags=["alternative:E1:function"]
answer = coverage(eligible.query("town_id == @town"))
town_coverage = [answer["rate"], answer["low"], answer["high"]]

# %% [markdown]
# **E2 ★★ 写几行** 给每一批名单做一张体检表 `batch_table`：一批一行，不加合计，索引是 `batch`。列名是：`issued`
# （下发行数；和名单变量同名，这里是列），八步的英文名（`usable` 到 `drawn`，值是走到这一步的**行数**，不是比例），
# 再加 `CAUSES` 的五列和 `OTHER` 一列（因为这个原因没成的行数，没有写零）。
# 交之前自己对一遍：一步比一步少；下发减提款，正好等于六个原因之和。

# %% tags=["answer:E2"]
batch_table = ...  # ← 一批一行的体检表
### BEGIN SOLUTION
batch_table = flags.groupby(issued["batch"]).sum()
batch_table.insert(0, "issued", issued.groupby("batch").size())
by_cause = pd.crosstab(issued["batch"], issued["cause"]).reindex(columns=[*CAUSES, OTHER], fill_value=0)
batch_table = batch_table.join(by_cause)
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:not_nested"]
by_cause = pd.crosstab(issued["batch"], issued["cause"]).reindex(columns=[*CAUSES, OTHER], fill_value=0)
batch_table = issued.groupby("batch")[list(STEPS)].sum().join(by_cause)
batch_table.insert(0, "issued", issued.groupby("batch").size())

# %% tags=["wrong:E2:people_not_rows"]
once = issued.drop_duplicates(["batch", "customer_id"])
batch_table = flags.loc[once.index].groupby(once["batch"]).sum()
batch_table.insert(0, "issued", once.groupby("batch").size())
batch_table = batch_table.join(pd.crosstab(once["batch"], once["cause"]).reindex(columns=[*CAUSES, OTHER], fill_value=0))

# %% tags=["wrong:E2:clean_rows_only"]
clean = issued[issued["usable"]]
batch_table = flags.loc[clean.index].groupby(clean["batch"]).sum()
batch_table.insert(0, "issued", clean.groupby("batch").size())
batch_table = batch_table.join(pd.crosstab(clean["batch"], clean["cause"]).reindex(columns=[*CAUSES, OTHER], fill_value=0))

# %% tags=["wrong:E2:with_holdout"]
batch_table = flags.groupby(issued["batch"]).sum()
batch_table.insert(0, "issued", white_list.groupby("batch").size())
by_cause = pd.crosstab(issued["batch"], issued["cause"]).reindex(columns=[*CAUSES, OTHER], fill_value=0)
batch_table = batch_table.join(by_cause)

# %% tags=["wrong:E2:total_row"]
batch_table = flags.groupby(issued["batch"]).sum()
batch_table.insert(0, "issued", issued.groupby("batch").size())
by_cause = pd.crosstab(issued["batch"], issued["cause"]).reindex(columns=[*CAUSES, OTHER], fill_value=0)
batch_table = batch_table.join(by_cause)
batch_table.loc["合计"] = batch_table.sum()

# %% tags=["alternative:E2:loop"]
table = []
for number, part in issued.groupby("batch"):
    one = {"batch": number, "issued": len(part)} | flags.loc[part.index].sum().to_dict()
    table.append(one | {name: int((part["cause"] == name).sum()) for name in [*CAUSES, OTHER]})
batch_table = pd.DataFrame(table)

# %% [markdown]
# **E3 ★★★ 决定** 只看**最近一批**名单：先修哪一步最值？做一张表 `best_repair`，一步一行，索引 `step` 是步骤的中文名，
# 两列：`alone`（只把这一步修到参照，多几笔提款）和 `shapley`（公平分摊的笔数），按 `shapley` 从大到小排，
# 第一行就是你的决定。转化率的算法同演示二（上一步是零时借用参照值）。

# %% tags=["answer:E3"]
best_repair = ...  # ← 一步一行，两列 alone、shapley，从大到小
### BEGIN SOLUTION
newest = issued["batch"] == issued["batch"].max()
left_over = flags[newest].sum().rename(STEPS)
left_over = pd.concat([pd.Series({"下发": newest.sum()}), left_over])
worth = cu.analysis.funnel.repair(step_rates(left_over), pd.Series(REFERENCE), start=newest.sum())
best_repair = worth[["alone", "shapley"]].sort_values("shapley", ascending=False)
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:all_batches"]
best_repair = repair[["alone", "shapley"]].sort_values("shapley", ascending=False)

# %% tags=["wrong:E3:rate_of_all"]
newest = issued["batch"] == issued["batch"].max()
of_all = flags[newest].mean().rename(STEPS).rename_axis("step")
worth = cu.analysis.funnel.repair(of_all, pd.Series(REFERENCE), start=newest.sum())
best_repair = worth[["alone", "shapley"]].sort_values("shapley", ascending=False)

# %% tags=["wrong:E3:one_row_only"]
newest = issued["batch"] == issued["batch"].max()
left_over = pd.concat([pd.Series({"下发": newest.sum()}), flags[newest].sum().rename(STEPS)])
worth = cu.analysis.funnel.repair(step_rates(left_over), pd.Series(REFERENCE))
best_repair = worth[["alone", "shapley"]].sort_values("shapley", ascending=False)

# %% tags=["wrong:E3:first_step_lost"]
newest = issued["batch"] == issued["batch"].max()
left_over = flags[newest].sum().rename(STEPS)
worth = cu.analysis.funnel.repair(step_rates(left_over), pd.Series(REFERENCE).drop("可用"), start=newest.sum())
best_repair = worth[["alone", "shapley"]].sort_values("shapley", ascending=False)

# %% tags=["alternative:E3:by_hand"]
newest = issued["batch"] == issued["batch"].max()
kept = [int(newest.sum()), *flags[newest].sum()]
own_rate = pd.Series(kept[1:], index=list(STEPS.values())) / np.array(kept[:-1], dtype=float)
own_rate = own_rate.fillna(pd.Series(REFERENCE)).rename_axis("step")
worth = cu.analysis.funnel.repair(own_rate, pd.Series(REFERENCE), kept[0])
alone = {step: own_rate.drop(step).prod() * (REFERENCE[step] - own_rate[step]) * kept[0] for step in own_rate.index}
best_repair = worth[["shapley"]].assign(alone=pd.Series(alone)).sort_values("shapley", ascending=False)

# %% [markdown]
# **E4 ★★★ 写建议** 给总行写一段关于名单设计的建议（八十到二百字），赋给 `advice`。要有：**依据**（没成的名单里
# 占比最大的**五因**是哪一条、占多少；号码和拨打两步合计解释多少差距；都用全部批次的，不是 E3 的最近一批）、
# **要求**（下一批名单怎么取、怎么卡）、**回收**（支行怎么反馈、什么时候复盘）。授权或勿扰至少提一次。
# 数可以直接打在引号里，都要能在 `causes`（答题格会打出来）和演示四的 `repair` 里找到；你自己定的天数、个数请用汉字写。

# %% tags=["answer:E4"]
cu.show(causes, rows=None, names=WORDS, units={"share": "%", "low": "%", "high": "%"}, title="没成的名单：各原因的占比")
advice = "?"
### BEGIN SOLUTION
named = causes.drop(index=OTHER)
two_steps = repair.loc[["号码有效", "拨打"], "share"].sum()
advice = (
    f"没成的名单里，“{named.index[0]}”占 {named['share'].iloc[0]:.1%}，居五因之首；号码有效和拨打两步合计解释了"
    f"与参照差距的 {two_steps:.1%}。建议下一批名单先剔除已有贷款、同批重复、没有营销授权和在勿扰名单上的客户，号码失效的先由支行"
    "更新再下发；名单发出七天内打完，逐条登记原因，月末由总行和支行一起复盘，拒绝过的客户不再重复下发。"
)
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:blames_script"]
advice = (
    "名单转化率低，主要是客户经理的话术不行，建议总行统一培训话术，并对每天拨打量进行排名通报，"
    "对排名靠后的支行行长约谈；名单照旧下发，数量再增加一些，月末复盘时看各支行的成功率，注意勿扰客户。"
)

# %% tags=["wrong:E4:no_consent"]
named = causes.drop(index=OTHER)
two_steps = repair.loc[["号码有效", "拨打"], "share"].sum()
advice = (
    f"没成的行里，“{named.index[0]}”占 {named['share'].iloc[0]:.1%}；号码有效和拨打两步合计解释差距的 {two_steps:.1%}。"
    "建议下一批名单先剔除已有贷款和重复的客户，号码失效的更新以后再下发；七天内打完，逐条登记原因，月末复盘。"
)

# %% tags=["wrong:E4:outside_the_five"]
two_steps = repair.loc[["号码有效", "拨打"], "share"].sum()
advice = (
    f"没成的名单里占比最大的是“五因之外”，占 {causes.loc[OTHER, 'share']:.1%}；号码有效和拨打两步合计解释差距的 {two_steps:.1%}。"
    "建议下一批名单先剔除已有贷款、重复和没有授权的客户，号码失效的更新以后再下发；七天内打完，逐条登记原因，月末复盘。"
)

# %% tags=["alternative:E4:short"]
named = causes.drop(index=OTHER)
two_steps = repair.loc[["号码有效", "拨打"], "share"].sum()
advice = (
    f"依据：五因里最多的是{named.index[0]}，占没成名单的 {named['share'].iloc[0] * 100:.0f}%；号码和拨打两步合起来是差距的 {two_steps:.0%}。"
    "要求：取数时卡住授权、在贷和重复，号码先核后发。反馈：支行七天内打完并登记原因，每月复盘一次，下一批据此调整口径。"
)

# %% [markdown]
# ## 成果
#
# 一本 `覆盖缺口与名单体检.xlsx`：每家网点一行，左边是合格、覆盖、缺口和覆盖度区间，右边是名单五因的占比，
# 最后一列是下一步动作，由占比最大的原因决定。表里没有客户，只有网点的合计数，名单行数太少的网点不写占比。

# %%
ACTIONS = dict(zip(CAUSES, ["先核号码、补登联系方式，再接名单", "把拒绝原因按产品和价格汇总报总行", "请总行取数时剔除在贷和不准入",
                            "两周内打完有效名单，逐条登记", "建立拒绝登记，同一客户不再重复派"], strict=True))
offices = bank.load("branch", columns=["branch_id", "branch_name"]).set_index("branch_id")["branch_name"]
sheet = eligible.groupby("branch_id")[["weight", "covered"]].apply(coverage)[["customers", "gap", "rate", "low", "high"]]
sheet = sheet.rename(columns={"customers": "合格客户（户）", "gap": "未覆盖（户）"}).round({"合格客户（户）": 0, "未覆盖（户）": 0})
shares = pd.crosstab(lost["branch_id"], lost["cause"], normalize="index").reindex(columns=[*CAUSES, OTHER], fill_value=0.0)
sheet = sheet.join(lost.groupby("branch_id").size().rename("没成行数")).join(shares)
few = sheet["没成行数"].fillna(0) < SMALL_CELL
sheet.loc[few, [*CAUSES, OTHER]] = np.nan
sheet["下一步"] = "名单太少，不下结论"
sheet.loc[~few, "下一步"] = sheet.loc[~few, CAUSES].idxmax(axis=1).map(ACTIONS)
sheet.insert(0, "网点", offices.reindex(sheet.index))

# %%
percent = dict.fromkeys(["rate", "low", "high", *CAUSES, OTHER], "%")
path = cu.deliver.workbook(
    bank.output_dir("m01_n01") / "覆盖缺口与名单体检.xlsx",
    {"按网点": cu.deliver.Sheet(sheet.reset_index(), units=percent,
                             names={"rate": "覆盖度"} | {k: WORDS[k] for k in ("low", "high")}),
     "四步骤体检": cu.deliver.Sheet(checks, units={"现状": "%"}),
     "修理价值": cu.deliver.Sheet(repair.reset_index(), names=WORDS, units={"own": "%", "reference": "%", "share": "%"})},
    title="覆盖缺口与名单体检", purpose="支行信贷获客安排", purge_date=today + pd.DateOffset(months=6),
    notes=["覆盖度按权数推算；合格客户只含有营销授权、不在勿扰名单上的人。", "五因为本课程定义，顺序判定，每行只归一因。"])
cu.say(f"已保存 `{path.name}`：{len(sheet)} 家网点，"
       f"最常见的下一步是“**{sheet['下一步'].mode().iloc[0]}**”。")

# %% [markdown] outline=["S002-3.1.0"]
# ## 讨论
#
# - 在你的支行，“客户少”是借口，还是事实？拿覆盖度表里自己的那一行来说，未覆盖的人你认识几个？
# - 随机留出、故意不打的那一成客户，有人说浪费。如果没有他们，怎么知道电话有没有用？
# - 小微企业客户在哪里？优质客户和风险客户怎么分？本课只数到“有没有”，后面选名单、看风险的课接着做。
# - 名单里有人没有授权却被打了电话，事后该怎么处理，怎么让它不再发生？
#
# ## 小结
#
# 说缺客户以前，先数合格、可联系而没有覆盖的人是已覆盖的几倍。名单转化低，先把每一行归到一个能改的原因，再看修哪一步最值。
# 说数据工具有用，要和没用的同期比，否则开门红也会被记成功劳。
#
# 下一课：客户管理三阶段与服务质量关键指标。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 下表把生成器埋下的数和课堂上找到的数放在一起。常见的弯路：不乘权数；把随机留出的行算成一线没打；
# 把下发时已有贷款的行算进“没打”；拿试点前后直接比，把开门红算成试点的功劳。
# 讲师可以追问：参照漏斗换一套，“最值得修的一步”会不会变？让学员改 `REFERENCE` 再跑一遍。

# %% tags=["instructor"]
all_rows = white_list.assign(repeated=repeated).query("~repeated and ~already_borrowing")
able = all_rows[all_rows["phone_valid"] & ~all_rows["random_holdout"]]
cu.reveal(bank, "m01_n01", {
    "uncovered_ratio": round(stock, 2), "loss_phone": round(1 - all_rows["phone_valid"].mean(), 3),
    "loss_not_called": round(1 - able["called"].mean(), 3), "reach_to_apply": round(talk[0] / talk[1], 3),
    "pilot_effect": round(effect["estimate"], 2)},
    names={"uncovered_ratio": "未覆盖与已覆盖之比", "loss_phone": "号码失效占名单", "loss_not_called": "有效名单没打",
           "reach_to_apply": "接通后申请率", "pilot_effect": "试点效果（笔／人月）"})
