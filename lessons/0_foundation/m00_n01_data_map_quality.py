# %% [markdown] outline=["S000-0", "S002-0.7", "S002-0.8", "S002-0.9", "S004-0.9", "S004-0.10", "S004-0.11", "S004-0.12"]
# # 数据地图、口径与数据质量体检
#
# 课程：普惠新地图系列课程的公共底座 · 大纲：S000-0、S004-A8、S004-A10 · 难度：L1 · 用时：75 分钟
#
# **谁来学**：银行高层（董事长、行长）、中层（业务部门经理、支行行长）、小微条线和网点的业务骨干。
# **怎么学**：讲一段、跑一段、做一题；分组讨论加点评。本课是两天数据课和一天小微课共用的第一课。
# **没写过代码也能学**：点一下格子，按 Shift＋Enter 运行，从上往下一格一格来；演示不用看懂每一行，
# 看懂每段前面的话和后面的结果就行。练习里要写的，演示里都有样子可照。
#
# 学完本课，你能：
#
# - 凭“主键”和“粒度”在几十张表里找到任何一个事实；
# - 分清时点、月日均、年日均，分清户数、户均、加权与不加权；
# - 给数据打质量分，并在数据站不住的时候把分析停下来。
#
# Abstract: Find any fact by key and grain, keep balance definitions apart, score data quality,
# and stop an analysis that stands on broken data.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = "B03"  # “我的网点”：第三题按它计算
GAP_LIMIT = 0.001  # 账户合计与总账差多少算对不上（比率）
DEVIATION_LIMIT = 0.04  # 存款偏离度的监管线（比率）
LAG_DAYS = 3  # 几天之内登记算及时

# %%
import course_utils as cu
import pandas as pd

bank = cu.begin("m00_n01", BANK, AS_OF)

# %% [markdown] outline=["S004-0.1", "S004-0.2"]
# ## 业务情境
#
# 行长在晨会上问了一个最普通的问题：“**我们到底有多少客户，存款比年初多了多少？**”
# 三个部门交上来三个数，谁也说服不了谁。银行的数据早已“大集中”，绝大多数业务都在系统里；
# 可要打赢客户争夺战，先得知道谁是我们的客户、哪些要重点维护、哪些批量维护——第一步就卡在“口径不一”上。
#
# 这一课不做任何营销模型，只做三件事：**摸清家底、统一口径、体检数据**。
# 这些数据**不能**说明的：客户在别家银行有多少钱；客户为什么来、为什么走。

# %% [markdown] outline=["S004-0.5", "S004-0.6", "S004-0.7", "S004-0.8", "S002-0.4", "S002-0.5", "S002-0.6", "S000-2.1.2.2", "S000-2.3.1.5.2"]
# ## 数据
#
# 整套课程要练的本事，都从这几张表长出来：认识数据的价值，把内外部数据变成资源（本课）；
# 客群化、标签化管理客户（核心客户一课）；名单制精准营销、提高信贷产能（信贷十课）；
# 小微信贷的知识、流程和风险管理（小微各课）。“小数据”就够用：一家支行行长真正需要的，
# 往往是三五张表、一条主键、一个说得清的口径。**数据分析的能力**，先是问对口径的能力。

# %%
TABLES = {"deposit_account": None, "customer": None, "loan": None,
          "customer_month": ["month", "customer_id", "deposit_end", "aum_average"],
          "branch": None, "merchant": None, "branch_day": None}
frames = {name: bank.load(name, columns) for name, columns in TABLES.items() if bank.has(name)}
customers = frames["customer"]
loans = frames["loan"]
daily = frames["branch_day"]
months = frames["customer_month"]
branches = frames["branch"]
cu.dictionary(bank, {"customer": ["customer_id", "id_hash", "birth_year", "phone_valid", "weight"]})

# %% [markdown]
# ## 演示一：给每张表上户口
#
# 拿到一张表，先问五句话：**多少行？一行代表什么（粒度）？主键重不重复？从哪天到哪天？归谁管？**
# 答不上来就先别算。**主键**是一行的“身份证号”，一行一个、不许重复；**数据契约**是各部门说好的
# 说明书：有哪些表、每列叫什么、归谁管。下面这张登记册，就是从契约和数据本身算出来的。

# %%
contract = cu.contract.load_contract()
rows = []
for name, frame in frames.items():
    table = contract.table(name)
    dates = frame[table.as_of] if table.as_of else pd.Series(pd.NaT)
    rows.append({"table": table.zh, "rows": len(frame),
                 "grain": "＋".join(table.columns[key].zh for key in table.grain),
                 "unique": not frame.duplicated(list(table.grain)).any(),
                 "first": dates.min(), "last": dates.max(), "owner": table.owner})
register = pd.DataFrame(rows)
cu.show(register, names={"table": "表", "rows": "行数", "grain": "主键（粒度）", "unique": "主键唯一",
                         "first": "最早", "last": "最晚", "owner": "主管部门"})

# %%
links, coverage = [], []
for name, frame in frames.items():
    for key, column in contract.table(name).columns.items():
        parent = (column.references or "").partition(".")
        if key not in frame or parent[0] not in frames or parent[0] == name:
            continue
        filled = frame[key].dropna()
        found = filled.isin(frames[parent[0]][parent[2]]).mean() if len(filled) else 1.0
        links.append((contract.table(parent[0]).zh, contract.table(name).zh, column.zh))
        coverage.append({"child": links[-1][1], "key": column.zh, "parent": links[-1][0],
                         "filled": len(filled) / len(frame), "found": found})
coverage = pd.DataFrame(coverage)

# %%
boxes = {contract.table(name).zh: [contract.table(name).columns[key].zh for key in frame.columns[:4]]
         for name, frame in frames.items()}
worst, busiest = coverage["found"].min(), coverage["key"].value_counts()
linked = "每条线都找得到" if worst == 1 else f"最弱的一环找得到 {worst:.1%}"
fig = cu.charts.entity_map(boxes, links, columns=3)
cu.charts.finish(
    fig,
    title=f"{len(boxes)} 张表靠 {len(set(coverage['key']))} 个编号连起来；{linked}",
    alt=f"表与表之间靠编号连接的关系图，{'和'.join(busiest.index)}就是钥匙。",
    source="数据契约与各表",
)

# %% [markdown]
# 图里每条线都是一把“钥匙”。连接之前要看两个数：**填了没有**（子表里编号非空的比例）、
# **找得到吗**（编号在父表里存在的比例）。被引用的是父表，引用别人的是子表。有的编号本来就可以空着
# （没有分配管户经理的客户、不是转存来的存款）；填了却找不到，就是断链，要先问主管部门。

# %%
cu.show(coverage.sort_values("filled"), rows=12,
        names={"child": "子表", "key": "编号", "parent": "父表", "filled": "已填", "found": "找得到"},
        units={"filled": "%", "found": "%"})
broken = coverage[coverage["found"] < 1]
cu.say(f"{len(coverage)} 条连接里，断链的有 **{len(broken)}** 条"
       + (f"：{'、'.join(broken['child'] + '的' + broken['key'])}。" if len(broken) else "，可以放心连接。"))

# %% [markdown]
# ## 演示二：多少户？加不加权
#
# 课堂用的是**抽样**数据：一行客户代表全行若干户，代表多少户写在“抽样权数”里。
# 数户数要把权数加起来，算户均要用加权平均。资产多的客户抽得密、权数小；不加权，户均就会被抬高。

# %%
last_month = months["month"].max()
balance = months[months["month"] == last_month].merge(
    customers[["customer_id", "customer_type", "weight"]], on="customer_id")
balance = balance[balance["customer_type"] != "企业"]
weighted = cu.analysis.caliber.weighted_mean(balance["deposit_end"], balance["weight"])
plain = balance["deposit_end"].mean()
cu.say(f"{last_month:%Y-%m} 月末，表里有 {len(balance):,} 行个人客户，代表全行 "
       f"**{balance['weight'].sum():,.0f} 户**；户均存款不加权是 {plain:,.0f} 元，"
       f"加权是 **{weighted:,.0f} 元**，差 {plain / weighted - 1:+.0%}。")

# %% [markdown]
# 三句话各有各的对：“多少行”是样本，“多少户”是全行，“多少人”还要扣掉一人多户。
# 用证件假名数人，就知道一人多户有多少——这正好也是一项数据质量。
# 质量按**行**算、不乘权数：要整改的是一行一行的记录。
# **区间**（百分之九十五）是抽样的误差范围：换一批样本再算，真实比例多半还落在这样的范围里。

# %%
people = customers[customers["customer_type"] != "企业"].copy()
repeated = people.duplicated("id_hash", keep="first")
rate = cu.analysis.experiment.wilson([repeated.sum()], [len(people)]).iloc[0]
cu.say(f"个人客户 {len(people):,} 行，不同的证件只有 {people['id_hash'].nunique():,} 个："
       f"多出来的 {repeated.sum():,} 行占 **{rate['rate']:.1%}**"
       f"（95% 区间 {rate['low']:.1%} 至 {rate['high']:.1%}），是同一个证件开了不止一个客户号。")

# %% [markdown]
# ## 演示三：同一笔存款的三个余额
#
# > **时点**：某一天结束时的余额；**月日均**：当月每天余额的平均；**年日均**：一月一日至今每天余额的平均；
# > **偏离度** ＝（月末时点 − 月日均）÷ 月日均 [定义]
#
# 时点最容易“冲”，年日均最难“冲”：年底冲一天的钱，摊到年日均里只剩三百六十五分之一。
# 偏离度的监管线见参数 `DEVIATION_LIMIT`[来源：银保监办发〔2018〕48号]。监管报送时季末月的日均另有计入上限，
# 本课用简化口径，报送以制度为准；图上“超线”只是提醒去查，不是认定违规。

# %%
MONEY = ["personal_demand", "personal_term", "corporate_demand", "corporate_term"]
daily["deposit"] = daily[MONEY].sum(axis=1)
total = daily.groupby("date")["deposit"].sum()
period = total.index.to_period("M")
balances = pd.DataFrame({"月末时点": total.groupby(period).last(), "月日均": total.groupby(period).mean()})
balances["偏离度"] = balances["月末时点"] / balances["月日均"] - 1
over = balances[balances["偏离度"] > DEVIATION_LIMIT]
lines = balances.set_axis(balances.index.to_timestamp())
fig = cu.charts.line_with_gap(lines, "月末时点", "月日均", unit="亿元",
                              marks=over.index.to_timestamp(), mark_label="偏离度超线")
cu.charts.finish(
    fig, title=f"{len(over)} 个月的月末余额偏离月日均超过 {DEVIATION_LIMIT:.0%}",
    alt="月末时点与月日均两条线，差距涂色，超线的月份打点。", source="网点日余额")

# %%
year_start = pd.Timestamp(total.index.max().year, 1, 1)
year_average = total.loc[year_start:].mean()
before = total.loc[:year_start - pd.Timedelta(days=1)]
change = total.iloc[-1] - before.iloc[-1]
monthly = balances["月日均"].iloc[-1] - balances.loc[before.index[-1].to_period("M"), "月日均"]
cu.say(f"{total.index.max():%Y-%m-%d}：时点 **{total.iloc[-1] / 1e8:.2f} 亿元**，"
       f"本月日均 {balances['月日均'].iloc[-1] / 1e8:.2f} 亿元，年日均 {year_average / 1e8:.2f} 亿元。"
       f"比上年末，时点 **{change / 1e8:+.2f} 亿元**；比上年末那个月，月日均 **{monthly / 1e8:+.2f} 亿元**。"
       "行长问的“多了多少”，换一个余额就换一个答案；年日均比上年多多少，留给第三题。")

# %% [markdown]
# ## 演示四：五项体检
#
# > **完整**（该填的填了吗）、**唯一**（有没有重复）、**有效**（合不合规则）、
# > **一致**（账户加起来等于总账吗）、**及时**（几天内登记）；每项零到一百分 [定义]
#
# 先看**完整**。空值图横着看是表，竖着看是列，越深空得越多；空不等于错，要问“该不该填”。

# %%
nulls = cu.analysis.quality.null_shares({
    contract.table(name).zh: frame.rename(columns=contract.table(name).chinese_names())
    for name, frame in frames.items() if name in ("customer", "loan", "merchant", "branch")})
fig = cu.charts.null_heatmap(nulls[nulls["null_share"] > 0], limit=12)
missing = people["birth_year"].isna().mean()
cu.charts.finish(
    fig, title=f"该填而没填的要紧一列：个人客户的出生年空着 {missing:.1%}",
    alt="各表各列空值比例的热力图。", source="客户、贷款、商户、网点表")
cu.say(f"图上“客户”一行的出生年空 {customers['birth_year'].isna().mean():.1%}，里面有企业——企业没有出生年，"
       f"不算缺；只看个人是 **{missing:.1%}**。没解约的商户没有解约日，也是同一个道理。")

# %% [markdown]
# 再看**有效**。规则要一条一条写明白，每条都说清查了多少行、不合格多少行。

# %%
known = people["birth_year"].notna()
people["完整"], people["唯一"] = known, ~repeated
rules = pd.concat([
    cu.analysis.quality.validity(people, {
        "出生年在合理范围": people["birth_year"].between(1925, 2010) | ~known,
        "电话有效": people["phone_valid"]}),
    cu.analysis.quality.validity(loans, {
        "到期日晚于发放日": loans["maturity_date"] > loans["issue_date"],
        "年利率在 0 到 24% 之间": loans["rate"].between(0, 24)}),
], ignore_index=True)
cu.show(rules, names={"rule": "规则", "checked": "检查行数", "failed": "不合格", "valid_share": "合格率"},
        units={"valid_share": "%"})
bad = rules.loc[rules["failed"].idxmax()]
cu.say(f"不合格最多的规则是“{bad['rule']}”：{bad['failed']:,} 行。")

# %% [markdown]
# 最后把五项合到**每个网点**。一致性来自账户与总账的对账，及时性来自触达登记的时滞；
# 缺了哪张表，哪一项就空着，不硬凑。总分是各项直接平均（等权，本课程定义）；它只用来排**先看谁**，
# 不用来考核：行数少的网点，分数自己就会跳。没有触达成的不用登记，不算；触达了却没登记的，算不及时。

# %%
people["有效"] = people["phone_valid"] & (people["birth_year"].between(1925, 2010) | ~known)
scores = people.groupby("branch_id")[["完整", "唯一", "有效"]].mean()
booked = months.merge(customers[["customer_id", "branch_id", "weight"]], on="customer_id")
gap = cu.analysis.quality.ledger_gap(
    booked, daily[daily["is_ledger"]].rename(columns={"date": "month"}), ["month", "branch_id"],
    "deposit_end", "deposit", weight="weight", tolerance=GAP_LIMIT)
size = gap.groupby("branch_id")[["gap", "ledger"]].agg(lambda values: values.abs().sum())
scores["一致"] = 1 - size["gap"] / size["ledger"]
if bank.has("contact_log.recorded_date"):
    log = bank.load("contact_log", ["customer_id", "contact_time", "recorded_date", "result"])
    day = log["contact_time"].dt.normalize()
    log["及时"] = (log["recorded_date"] - day).dt.days <= LAG_DAYS
    log = log[(log["result"] != "未触达") & (day <= bank.as_of - pd.Timedelta(days=LAG_DAYS))]
    log = log.merge(customers[["customer_id", "branch_id"]], on="customer_id")
    scores["及时"] = log.groupby("branch_id")["及时"].mean()

# %%
scores = (scores * 100).dropna(axis=1, how="all")
overall = scores.mean(axis=1).sort_values()
typical = scores.median().rename("全行中位").to_frame().T
shown = pd.concat([scores.loc[overall.index[:3]], typical])
fig = cu.charts.radar(shown)
weakest = scores.loc[overall.index[0]].idxmin()
cu.charts.finish(
    fig, title=f"总分最低的是 {overall.index[0]}（{overall.iloc[0]:.1f} 分），短板在“{weakest}”",
    alt="总分最低的三个网点与全行中位数的五项质量分雷达图。", source="客户、客户月度、网点日余额、触达记录")

# %% [markdown]
# ## 演示五：该停就停
#
# 数据有缺陷不可怕，可怕的是**缺得不随机**。如果出生年是偶然漏填，删掉这些人，年龄分析照样成立；
# 如果集中漏在某一类网点，删掉就等于把那里的客户从分析里抹去了。所以先看缺在哪里，再决定算不算。

# %%
kind = people.merge(branches[["branch_id", "branch_type"]], on="branch_id")
kind["missing"] = kind["birth_year"].isna()
table = kind.groupby("branch_type")["missing"].agg(["sum", "count"])
table = table.join(cu.analysis.experiment.wilson(table["sum"], table["count"]))
fig = cu.charts.bars_with_interval(table, count="count")
top = table["rate"].idxmax()
others = table.drop(index=top)
apart = bool(table.loc[top, "low"] > others["high"].max())
cu.charts.finish(
    fig, title=f"出生年空缺{'集中在' if apart else '最高的是'}{top}：{table.loc[top, 'rate']:.1%}，"
    f"其余最高 {others['rate'].max():.1%}",
    alt="各类网点出生年空缺率及其区间的柱状图。", source="客户表、网点表")
verdict = (f"和其余各类都不重叠，缺得不随机：年龄分析**先停**，等{top}补齐出生年再做" if apart
           else "和别的类型有重叠，看不出集中在哪一类：年龄分析要注明空缺比例")
cu.say(f"{top}的区间是 {table.loc[top, 'low']:.1%} 至 {table.loc[top, 'high']:.1%}，{verdict}；不用出生年的分析照做。")

# %%
phones = people.groupby("branch_id")["phone_valid"].agg(["sum", "count"])
phones = phones.join(cu.analysis.experiment.wilson(phones["count"] - phones["sum"], phones["count"]))
phones = phones.sort_values("rate", ascending=False)
common = 1 - people["phone_valid"].mean()
suspect = phones[phones["low"] > common]
cu.say(f"无效电话全行占 {common:.1%}（按行）。区间整个在全行之上的网点有 **{len(suspect)}** 个"
       + (f"，最高的是 {suspect.index[0]}（{suspect['rate'].iloc[0]:.0%}）：" if len(suspect) else "。")
       + ("按这份电话外呼，它的接通率会被冤枉。" if len(suspect) else "")
       + f"同时看 {len(phones)} 个网点，偶然冒出一两个也不奇怪，要看高出多少。")

# %% [markdown] outline=["S004-A8", "S004-A10"]
# ## 演示六：三个瓶颈与数据治理，拿一张名单来量
#
# 中小银行用数据有三个瓶颈（本课程定义）：**数据**（散在各处、质量不齐）、**人才和工具**、
# **机制**（考核各管一段、权限层层审批）。别空谈，拿“存款到期名单”这一张最常用的名单来量：
# 要几张表、归几个部门管、这些表里有几列个人信息。
#
# 为什么要数据治理，看下面这张表：跨部门的数，没有人对它的质量负责，就没有人敢用它做决定。
# 监管对数据安全的要求，先记两句：**谁管业务，谁管业务数据，谁管数据安全**；
# 要有数据资产登记，使用个人信息限于最小范围 [来源：金规〔2024〕24号]。
# 质量问题有人认领、限期整改，是本课程的做法：本课的成果就是那张限期整改表。

# %%
need = ["deposit_account", "customer", "branch", "employee", "contact_log", "consent", "deposit_rate"]
audit = pd.DataFrame([
    {"table": contract.table(name).zh, "owner": contract.table(name).owner,
     "columns": len(contract.table(name).columns),
     "c2": sum(c.privacy == "C2" for c in contract.table(name).columns.values()),
     "ready": "有" if bank.has(name) else "缺"} for name in need])
cu.show(audit, names={"table": "要用的表", "owner": "主管部门", "columns": "列数",
                      "c2": "个人信息列（C2）", "ready": "本行"})
cu.say(f"一张到期名单要用 **{len(audit)}** 张表、找 **{audit['owner'].nunique()}** 个部门，"
       f"这些表里 C2 级的信息（客户的和员工的）共 {audit['c2'].sum()} 列。名单真正用得上的只有几列，"
       "其余的不该跟着走，这就是“最小必要”。请各组再补两行：人工搬运几次？审批几道？")

# %% [markdown]
# ## 练习
#
# **E1 ★★ 写一个函数** `dq_uniqueness(df, key)`：返回“不重复的比例”（零到一），也就是
# 一减去多余行的比例。主键第一次出现的那一行不算多余；空表返回 1 [定义]。
#
# 函数就是“给它东西、它还你结果”的小工具。样子如下（这个例子返回空值的比例），照着改名字和里面的算法：
#
# ```python
# def null_share(df, key):
#     return df[key].isna().mean()
# ```
#
# 第一行的冒号、第二行前面的四个空格都不能少。演示二里数“多出来的行”，用的是 `duplicated`。

# %% tags=["answer:E1"]
dq_uniqueness = ...  # ← 把这一行换成 def dq_uniqueness(df, key): 开头的函数
### BEGIN SOLUTION


def dq_uniqueness(df, key):
    if len(df) == 0:
        return 1.0
    return 1 - df.duplicated(key).mean()


### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:keep_false"]
def dq_uniqueness(df, key):
    if len(df) == 0:
        return 1.0
    return 1 - df.duplicated(key, keep=False).mean()

# %% tags=["wrong:E1:whole_row"]
def dq_uniqueness(df, key):
    if len(df) == 0:
        return 1.0
    return 1 - df.duplicated().mean()

# %% tags=["wrong:E1:share_of_duplicates"]
def dq_uniqueness(df, key):
    if len(df) == 0:
        return 0.0
    return df.duplicated(key).mean()

# %% tags=["alternative:E1:drop_duplicates"]
def dq_uniqueness(df, key):
    return len(df.drop_duplicates(subset=key)) / len(df) if len(df) else 1.0

# %% [markdown]
# **E2 ★★ 写几行** 逐月逐网点对账：账户合计（月末存款乘以权数再加总）与总账比，差额占总账的比例
# 超过 `GAP_LIMIT` 的，列成一张表 `gaps`，三列：`month`、`branch_id`、`gap_share`
# （＝（总账 − 账户合计）÷ 总账）[定义]。用得上的列：`months` 里的 `deposit_end`（月末存款），
# `customers` 里的 `branch_id`、`weight`（权数），`daily` 里的 `date`、`deposit` 和 `is_ledger`（这天是不是总账日）。

# %% tags=["answer:E2"]
gaps = ...  # ← 先算账户合计，再和总账相减
### BEGIN SOLUTION
detail = months.merge(customers[["customer_id", "branch_id", "weight"]], on="customer_id")
detail["amount"] = detail["deposit_end"] * detail["weight"]
detail = detail.groupby(["month", "branch_id"])["amount"].sum()
ledger = daily[daily["is_ledger"]].set_index(["date", "branch_id"])["deposit"]
ledger.index.names = ["month", "branch_id"]
gap_share = (ledger - detail) / ledger
gaps = gap_share[gap_share.abs() > GAP_LIMIT].rename("gap_share").reset_index()
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:no_weight"]
detail = months.merge(customers[["customer_id", "branch_id"]], on="customer_id")
detail = detail.groupby(["month", "branch_id"])["deposit_end"].sum()
ledger = daily[daily["is_ledger"]].set_index(["date", "branch_id"])["deposit"]
ledger.index.names = ["month", "branch_id"]
gap_share = (ledger - detail) / ledger
gaps = gap_share[gap_share.abs() > GAP_LIMIT].rename("gap_share").reset_index()

# %% tags=["wrong:E2:sign"]
gaps = gap[gap["breach"]][["month", "branch_id", "gap_share"]]
gaps = gaps.assign(gap_share=gaps["gap_share"].abs() * -1)

# %% tags=["wrong:E2:yuan"]
gaps = gap[gap["breach"]].rename(columns={"gap_share": "share", "gap": "gap_share"})
gaps = gaps[["month", "branch_id", "gap_share"]].assign(gap_share=lambda t: t["gap_share"].abs())

# %% tags=["wrong:E2:percent"]
gaps = gap[gap["breach"]][["month", "branch_id", "gap_share"]]
gaps = gaps.assign(gap_share=gaps["gap_share"].abs() * 100)

# %% tags=["wrong:E2:booked"]
detail = months.merge(customers[["customer_id", "branch_id", "weight"]], on="customer_id")
detail = (detail["deposit_end"] * detail["weight"]).groupby([detail["month"], detail["branch_id"]]).sum()
ledger = daily[daily["is_ledger"]].set_index(["date", "branch_id"])["deposit"]
ledger.index.names = ["month", "branch_id"]
gaps = (ledger / detail - 1)[lambda t: t.abs() > GAP_LIMIT].rename("gap_share").reset_index()

# %% tags=["alternative:E2:pivot"]
wide = months.merge(customers[["customer_id", "branch_id", "weight"]], on="customer_id")
wide = wide.assign(amount=wide["deposit_end"] * wide["weight"]).pivot_table(
    index="month", columns="branch_id", values="amount", aggfunc="sum")
book = daily[daily["is_ledger"]].pivot_table(index="date", columns="branch_id", values="deposit")
share = (1 - wide / book).rename_axis("month").reset_index().melt(
    id_vars="month", var_name="branch_id", value_name="gap_share")
gaps = share[share["gap_share"].abs() > GAP_LIMIT]

# %% [markdown]
# **E3 ★★★ 判断并计算** 考核写的是“存款**日均**比年初增加多少”。对你的网点 `BRANCH` 算出这个数（元），
# 赋给 `kpi_growth`：今年一月一日到数据日期的年日均，减去**上一年全年**的年日均 [定义]。
# 为什么考日均：监管不许设时点性的存款规模考评指标 [来源：银保监办发〔2018〕48号]。

# %% tags=["answer:E3"]
kpi_growth = ...  # ← 用 daily 里本网点每天的 deposit
### BEGIN SOLUTION
mine = daily[daily["branch_id"] == BRANCH].set_index("date")["deposit"]
this_year = mine[mine.index.year == bank.as_of.year].mean()
last_year = mine[mine.index.year == bank.as_of.year - 1].mean()
kpi_growth = this_year - last_year
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:point_in_time"]
mine = daily[daily["branch_id"] == BRANCH].set_index("date")["deposit"].sort_index()
kpi_growth = mine.iloc[-1] - mine[mine.index.year == bank.as_of.year - 1].iloc[-1]

# %% tags=["wrong:E3:month_average"]
mine = daily[daily["branch_id"] == BRANCH].set_index("date")["deposit"].sort_index()
by_month = mine.groupby(mine.index.to_period("M")).mean()
kpi_growth = by_month.iloc[-1] - by_month.iloc[-13]

# %% tags=["wrong:E3:average_less_point"]
mine = daily[daily["branch_id"] == BRANCH].set_index("date")["deposit"].sort_index()
kpi_growth = mine[mine.index.year == bank.as_of.year].mean()
kpi_growth = kpi_growth - mine[mine.index.year == bank.as_of.year - 1].iloc[-1]

# %% tags=["wrong:E3:whole_bank"]
kpi_growth = total[total.index.year == bank.as_of.year].mean()
kpi_growth = kpi_growth - total[total.index.year == bank.as_of.year - 1].mean()

# %% tags=["alternative:E3:groupby_year"]
mine = daily[daily["branch_id"] == BRANCH].sort_values("date")
by_year = mine.groupby(mine["date"].dt.year)["deposit"].mean()
kpi_growth = by_year.diff().iloc[-1]

# %% [markdown]
# **E4 ★★★ 写三句话** 写三句“本数据**不能**回答……，因为缺少……”，赋给 `limits`（六十到三百字）。
# 至少有一句要引用上面算出来的一个缺陷比例（例如出生年空缺、无效电话、重复客户号）。

# %%
defects = pd.DataFrame({"share": {"出生年空缺": missing, "无效电话": common, "重复客户号": rate["rate"]}})
cu.show(defects, names={"index": "缺陷", "share": "比例"}, units={"share": "%"})

# %% tags=["answer:E4"]
limits = "?"
### BEGIN SOLUTION
limits = (
    f"一、本数据不能回答各年龄段的存款偏好，因为缺少 {missing:.1%} 个人客户的出生年，而且不是随机缺的。"
    "二、本数据不能回答客户在他行有多少存款，因为缺少他行的账户信息。"
    "三、本数据不能回答客户为什么离开，因为缺少客户自己说的原因，流水只能看到钱去了哪里。"
)
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:no_reason"]
limits = (
    f"本数据不能回答年龄偏好，出生年空着 {missing:.1%}。本数据不能回答他行存款有多少。本数据不能回答客户离开的原因，"
    "这些问题都要留到以后再说，今天先不讨论，请大家课后自己想一想。"
)

# %% tags=["wrong:E4:invented"]
limits = (
    "本数据不能回答年龄偏好，因为缺少 87.5% 的出生年。本数据不能回答他行存款，因为缺少他行信息。"
    "本数据不能回答客户为什么离开，因为缺少客户自己说的原因，需要走访。"
)

# %% tags=["alternative:E4:phones"]
limits = (
    f"本数据不能回答外呼能找到多少人，因为无效电话有 {common:.1%}，没有重新核实。"
    "本数据不能回答一个家庭总共有多少钱，因为缺少家庭成员之间完整的关系。"
    "本数据不能回答下个月谁会来，因为只有过去的记录，没有对照试验。"
)

# %% [markdown]
# ## 成果
#
# 一张《数据质量体检表》：问题、在哪张表、多少行、谁负责、限期哪天；再附一页数据字典。
# 散会前当场认领。限期的天数是示例，由本行按轻重自己定；表里只有件数，没有任何一位客户的信息。

# %%
issue_rows = [("同一证件多个客户号", "customer", int(repeated.sum())),
              ("个人客户缺出生年", "customer", int((~known).sum())),
              ("电话无效", "customer", int((~people["phone_valid"]).sum())),
              ("到期日不晚于发放日", "loan", int((loans["maturity_date"] <= loans["issue_date"]).sum())),
              ("账户合计与总账不符（网点月）", "branch_day", int(gap["breach"].sum()))]
issues = pd.DataFrame(issue_rows, columns=["issue", "table", "rows"])
issues["owner"] = [contract.table(name).owner for name in issues["table"]]
issues["table"] = [contract.table(name).zh for name in issues["table"]]
issues["fix_by"] = bank.as_of + pd.to_timedelta([30, 60, 30, 15, 7], unit="D")
cu.show(issues, names={"issue": "问题", "table": "表", "rows": "行数", "owner": "主管部门", "fix_by": "限期"})

# %%
book = cu.contract.dictionary_frame(list(TABLES))
path = cu.deliver.workbook(
    bank.output_dir("m00_n01") / "数据质量体检表.xlsx",
    {"体检表": cu.deliver.Sheet(issues, names={"issue": "问题", "table": "表", "rows": "行数",
                                        "owner": "主管部门", "fix_by": "限期"}),
     "网点得分": cu.deliver.Sheet(scores.round(1).reset_index()),
     "数据字典": cu.deliver.Sheet(book)},
    title=f"数据质量体检表（{bank.as_of:%Y-%m-%d}）", purpose="数据治理整改")
cu.say(f"已保存：`{path.name}`。")
cu.progress()

# %% [markdown]
# ## 讨论
#
# - 打破数据安全“枷锁”和“最小必要”怎样同时成立？本课哪几列其实可以不看？
# - 一个错的电话号码，该由谁来改：开户的柜员、管户经理，还是科技部？谁为它没改负责？
# - 出生年补不齐的那个月，年龄分析要不要照常上会？怎么写备注才算诚实？

# %% [markdown]
# ## 小结
#
# 先问粒度和主键，再谈数字大小。时点、月日均、年日均各有用处，考核写哪个就用哪个。
# 缺陷要看集中在哪里，缺得不随机就该停下来。
#
# 下一课：真实数据进课堂——授权、最小必要与脱敏。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 埋设的缺陷都写在下表。课堂常见弯路：把“空值多的列”都当成错（企业本来就没有出生年）；
# 对账忘了乘权数，于是“每个网点都对不上”；第三题用了时点。时间：登记册与口径各二十分钟，体检二十五分钟。

# %% tags=["instructor"]
cu.reveal(bank, "m00_n01", {
    "dup_person_rate": rate["rate"],
    "missing_birth_rate": missing,
    "bad_maturity_rate": (loans["maturity_date"] < loans["issue_date"]).mean(),
    "bad_phone_branch": f"{phones.index[0]} {phones['rate'].iloc[0]:.2f}",
    "ledger_gap": gap["gap_share"].abs().max(),
    "deviate_breach": len(over),
})
