# %% [markdown] outline=["S004-D4"]
# # 核心客户定位与 CRM：三要素、六线条、十人 PDCA
#
# 课程：银行二十种数据实战应用场景（第二部分）· 存款营销类五场景之四 ·
# 大纲：S004-D4、S003-X3.15 · 难度：L2 · 用时：90 分钟
#
# 学完本课，你能：
#
# - 用价值、潜力、关系三个要素选出核心客户，并说清每个数从哪里来；
# - 正确地读一批客户五年的去向，不被“活下来的人”骗；
# - 把客户关系变成可以数的任务、标准和十位客户的 PDCA。
#
# Abstract: Choose core customers by value, potential and relation; follow a five-year cohort without
# survivorship bias; turn CRM into countable weekly tasks, contact standards and a ten-customer plan.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 名单做哪家网点：None 表示自动取大客户最多的网点；也可写 "B03" 这样的网点号
CORE_FLOOR = 50_000  # 季日均资产达到多少元才进入核心客户的讨论
BIG_LINE = 200_000  # 多少元以上算大户，也是五年队列的入门线
VALUE_RANK = 0.80  # 价值高于多少比例的客户算高价值
POTENTIAL_RANK = 0.90  # 潜力高于多少比例的客户算高潜力
FAMILIAR_ENOUGH = 60  # 熟悉度低于多少分算关系有缺口
WALLET_LINE = 0.50  # 钱包份额低于多少算主要的钱在外面
RISK_LINE = 0.80  # 近三月与此前六月的日均之比低于多少算下滑
CONTACT_MINUTES = 15  # 一次接触平均多少分钟
CAPTURE_RATE = 0.05  # 假设：用心经营九十天，外面的钱能请回多少
SAVE_RATE = 0.30  # 假设：正在流走的钱能留住多少
PLAN_HOURS = {"T0": 2, "T1": 2, "T2": 2, "T3": 3, "T4": 5, "T5": 8}  # 各层一户九十天要花几小时
HOURS_BUDGET = 24  # 一位经理九十天能给十位客户多少小时

# %%
import course_utils as cu
import numpy as np
import pandas as pd

bank = cu.begin("m02_n04", BANK, AS_OF)
today = bank.as_of
portfolio = cu.analysis.portfolio
NAMES = {"tier": "层级", "aum": "季日均资产", "value": "一年贡献", "outside": "外面的钱", "familiar": "熟悉度",
         "wallet_share": "钱包份额", "reason": "入选理由", "manager_id": "管户经理", "line": "线条",
         "n": "样本户数", "customers": "客户数", "share": "占比", "hours": "九十天工时", "uplift": "预期增量",
         "potential": "高潜力", "at_risk": "下滑", "masked_name": "客户", "target": "九十天目标",
         "week": "第几周", "actual": "现在的资产", "progress": "完成比例", "verdict": "每周检查", "next_step": "改进动作"}
STEPS = {"tier": "层级", "customers": "样本户数", "planned": "应做", "done": "已做", "gap": "还差",
         "gap_hours": "还差小时", "rate": "完成率"}
UNITS = {"aum": "万元", "outside": "万元", "uplift": "万元", "target": "万元", "actual": "万元",
         "value": "元", "wallet_share": "%", "progress": "%"}

# %% [markdown] outline=["S004-D4.1"]
# ## 业务情境
#
# 一位支行行长说：“我们每个客户经理名下有一百多户，人人都说自己‘关系好’。可是年底一看，
# 走掉的偏偏是当年最大的几户。**到底谁是核心客户？关系好，能不能数得出来？**”
#
# 多数银行的客户关系管理停在三件事上：系统里分了管户、逢年过节发短信、到期前打个电话。
# 它缺的是三样东西：**选人有标准**（谁值得多花时间）、**动作有清单**（这周见谁、为什么）、
# **结果有复盘**（九十天后比起点多了多少）。本课按这个顺序做。
#
# 本课的数据**不能**说明“见了面，所以存款涨了”：谁被见面不是随机的，涨的人也可能本来就会涨。
# 要证明见面有用，必须留出一组不联系的对照客户，做法见到期那一课。
#
# ## 数据
#
# 客户一生的线索散在好几张表里：年度表看五年，月度表看最近，存单看到期，触达和管户看关系。

# %%
cu.dictionary(bank, {"customer_year": ["year", "term_deposit_average", "aum_average", "product_count"],
                     "customer_month": ["aum_average", "external_bank_out_amount", "external_bank_in_amount"],
                     "contact_log": ["contact_time", "channel", "result"]})
lacking = bank.missing("customer_manager_history", "enterprise_relation", "event_attendance", "household")
cu.say("本行缺少的可选表：" + ("、".join(lacking) if lacking else "没有") + "；缺哪张，下面对应的条件就按“否”计。")
people = bank.load("customer").set_index("customer_id")
people = people[people["customer_type"] != "企业"].copy()  # 个人和个体工商户
panel = bank.load("customer_month")
panel = panel[panel["customer_id"].isin(people.index)]
aum = cu.analysis.caliber.wide(panel, "aum_average").reindex(people.index).fillna(0.0)
people["aum"] = aum.iloc[:, -3:].mean(axis=1)  # 季日均资产
people["before"] = aum.iloc[:, -9:-3].mean(axis=1)  # 再往前六个月的月均
people["tier"] = cu.analysis.tiers.aum_tier(people["aum"])

# %% [markdown]
# ## 演示一：先照镜子——现在的客户关系管理
#
# 先问三个能数的问题：有没有名义上的管户？近一年有没有接触到本人？近九十天有没有**见过面**
# （上门或在网点）？“未触达”“未接通”“空号”都不算接触到。按资产层级排开，读的时候从上往下看：
# 越往下越该熟，数字也应该越高。
#
# 再看钱集中在谁手里。**洛伦兹曲线**把客户从少到多排队，横轴是人数，纵轴是钱；越往右下凹，越集中。
# 集中度说明“少数人很重要”，但它不说明这些人会不会走，也不等于只做这些人就够了。

# %% tags=["board:customers:table"]
contacts = bank.load("contact_log", columns=["customer_id", "contact_time", "channel", "result"])
year_ago, ninety = today - pd.DateOffset(months=12), today - pd.Timedelta(days=90)
tried = contacts[(contacts["contact_time"] > year_ago) & (contacts["result"] != "未触达")].copy()
tried["answered"] = ~tried["result"].isin(["未接通", "空号"])
spoken = tried[tried["answered"]]
faced = spoken[spoken["channel"].isin(["上门", "网点"]) & (spoken["contact_time"] > ninety)]
mirror = people[["tier"]].assign(有管户=people["manager_id"].notna(),
                                 近一年接触到=people.index.isin(spoken["customer_id"]),
                                 近九十天见过面=people.index.isin(faced["customer_id"]))
asks = ["有管户", "近一年接触到", "近九十天见过面"]
cu.show(mirror.groupby("tier", observed=True)[asks].mean().assign(n=mirror["tier"].value_counts()),
        names={"tier": "层级", "n": "样本户数"}, units=dict.fromkeys(asks, "%"))

# %%
large = mirror[people["aum"] >= BIG_LINE]
rate, low, high = cu.analysis.experiment.wilson(int(large[asks[2]].sum()), len(large)).iloc[0]
cu.say(f"资产 {BIG_LINE / 1e4:g} 万元以上的样本客户有 {len(large)} 户，{large['有管户'].mean():.0%} 有管户，"
       f"近九十天见过面的只占 **{rate:.0%}**（95% 区间 {low:.0%} 到 {high:.0%}）。"
       "系统里有名字，不等于客户心里有你。")
top = portfolio.top_share(people["aum"], 0.05, people["weight"])
gini = portfolio.gini(people["aum"], people["weight"])
fig = cu.charts.lorenz(portfolio.lorenz_table(people["aum"], people["weight"]), top_share=0.05)
cu.charts.finish(
    fig, title=f"最有钱的百分之五个人客户，持有 {top:.0%} 的资金（基尼系数 {gini:.2f}）",
    alt=f"洛伦兹曲线，前百分之五客户持有 {top:.0%}。", source="客户月度表，季日均资产，按权数")

# %% [markdown] outline=["S004-D4.2"]
# ## 演示二：三大要素——价值、潜力、关系
#
# 核心客户的三大要素是**价值、潜力、关系**（本课程定义）：他现在给我们带来多少、他还有多少钱在外面、
# 我们和他熟到什么程度。三个要素各用一个能复算的数。
#
# **价值** ＝ 一年的存款 FTP 利润 ＋ 中间业务收入 [定义]。存款 FTP 利润就是“总行买这笔钱的内部价”减去“付给客户的
# 利息”。定期按每张存单开户那个月的内部价算，活期按最近一年的平均内部价算。
# 贷款的贡献本课不算，所以借款大户的价值会偏低。
#
# **潜力**看他的整个“钱包”：钱包 ＝ 在我们这里的资产 ＋ 外面的钱 [定义]。外面的钱有两种估法：
#
# - **看得见的**：近一年转到他行的钱，减去从他行转回来的钱；不够扣就算零。这是流水，是事实。
# - **推算的**：和他年龄、职业相仿的家庭，按收入一般能存多少，他还差多少。这是模型，误差大。
#
# 征信报告里只有贷款，没有存款，而且查征信要有授信用途的授权，**不能**拿来估存款潜力。
# 下面两种都算，名单只用看得见的那一种，推算的只当参考。

# %%
accounts = bank.load("deposit_account")
live = accounts[accounts["close_date"].isna() & accounts["customer_id"].isin(people.index)]
year = panel[panel["month"] > year_ago].groupby("customer_id").sum(numeric_only=True)
year = year.reindex(people.index).fillna(0.0)  # 近十二个月的合计
people["value"] = cu.analysis.crm.contribution(year, live, bank.load("ftp_curve"))
flow = [year["external_bank_out_amount"], year["external_bank_in_amount"]]
seen = portfolio.wallet(people["aum"], *flow)
guess = portfolio.wallet(people["aum"], *flow, cu.analysis.crm.expected_saving(bank, people))
people[["outside", "wallet_share"]] = seen[["outside", "wallet_share"]]
asked = people["aum"] >= CORE_FLOOR
hard, soft = seen.loc[asked, "wallet_share"], guess.loc[asked, "wallet_share"]
same = hard.corr(soft, method="spearman")
cu.say(f"资产达到门槛的客户，钱包份额的中位数：只算看得见的 {hard.median():.0%}，加上推算的 **{soft.median():.0%}**；"
       f"两种排序的相关系数 {same:.2f}，" + ("换了不少人的名次" if same < 0.8 else "排出来的人大体相同")
       + "。写进名单的数，要能追到流水。")

# %% [markdown] outline=["S000-1.3.5.2.1"]
# **关系**用熟悉度 0-100 分：五个条件各 20 分 [定义]——同一位经理管满一年、近九十天见过面、登记了家人、
# 一年里至少一半的联系接通了、一年里参加过活动。每一条都是记录里有没有，不是“我觉得很熟”；
# 考核熟悉度，就考这五条的记录。

# %%
parts = cu.analysis.crm.relation_parts(bank, people.index, tried)
people["familiar"] = portfolio.familiarity(parts)
order = people.loc[asked, "value"].rank(method="first")
fifth = pd.qcut(order, 5, labels=["最低", "较低", "中间", "较高", "最高"]).rename("价值五等份")
by_value = people[asked].groupby(fifth, observed=True)["familiar"].mean()
gap = by_value.iloc[-1] - by_value.iloc[0]
cu.say(f"价值最高的五分之一，平均熟悉度 **{by_value.iloc[-1]:.0f}** 分；最低的五分之一 {by_value.iloc[0]:.0f} 分，"
       f"相差 {gap:+.0f} 分。"
       + ("高价值客户更熟，" if gap > 5 else "高价值客户反而更生，" if gap < -5 else "价值高低和熟悉度几乎没有关系，")
       + "但这只是“同时出现”：是熟了才有价值，还是因为有价值才去熟，这张表分不出来。")

# %% [markdown]
# ## 演示三：把三要素放到一张地图上
#
# 横轴价值，纵轴外面的钱，颜色是熟悉度，圆的大小是资产。核心客户 ＝ 价值在前两成，**或者**潜力在前一成、
# 而关系有缺口 [参数]。第二类人最容易漏：他在我们这里的钱不算多，没人认识他，钱都在别处。
# 两根虚线是按全行资产达到门槛的客户算的，图上只画一家网点。

# %%
base = people[asked]
value_cut = base["value"].quantile(VALUE_RANK)
potential_cut = base["outside"].quantile(POTENTIAL_RANK)
rich = base["value"] >= value_cut
hidden = (base["outside"] >= potential_cut) & (base["familiar"] < FAMILIAR_ENOUGH)
core = base[rich | hidden].copy()
core["reason"] = np.select([rich & hidden, rich], ["高价值且有缺口", "高价值"], "高潜力、关系有缺口")[rich | hidden]
branch = BRANCH or base["branch_id"].value_counts().sort_index(kind="stable").idxmax()
local = base[base["branch_id"] == branch]
drawn = local[(local["value"] > 0) & (local["outside"] > 0)]
few = core["reason"].value_counts()
cu.show(core.groupby("reason")[["aum", "value", "outside", "familiar"]].mean().assign(n=few),
        names=NAMES, units={"aum": "万元", "value": "元", "outside": "万元", "familiar": "分"})

# %%
strangers = (drawn["outside"] >= potential_cut) & (drawn["familiar"] < FAMILIAR_ENOUGH)
fig = cu.charts.bubble_map(drawn, x="value", y="outside", size="aum", color="familiar",
                           color_label="熟悉度（分）", cut_x=value_cut, cut_y=potential_cut, log=True)
fig.axes[0].set_xlabel("一年贡献（元，对数刻度）")
fig.axes[0].set_ylabel("外面的钱（元，对数刻度）")
cu.charts.finish(
    fig, title=f"{branch}：上方虚线以上、又不熟的有 {int(strangers.sum())} 户，最该先去认识",
    alt="气泡图：横轴一年贡献，纵轴外面的钱，颜色深浅是熟悉度，两根虚线分出四块。",
    source=f"{branch} 资产 {CORE_FLOOR / 1e4:g} 万元以上客户；"
    f"另有 {len(local) - len(drawn)} 户没有净流出，不在图上")
cu.say(f"{len(base)} 户样本里选出核心客户 **{len(core)}** 户（{len(core) / len(base):.0%}），"
       f"其中只靠潜力和关系缺口入选的有 {int((hidden & ~rich).sum())} 户：只看价值排名，他们不会出现。")

# %% [markdown] outline=["S004-D4.K1"]
# ## 演示四：定期日均二十万客户的五年去向
#
# 浙江一家银行的案例提过这个问题，这里用课堂数据做**情景仿真**：把最早一年定期日均达到 `BIG_LINE` 的客户
# 圈成一个**队列**，名单从此不增不减，一直跟到最后一年。去向分四种 [定义]：资产不到当初两成算**流失**，
# 其余按资产层级的高低分**升档、同档、降档**。后来没有记录的，按零算，不能悄悄丢掉。

# %%
years = bank.load("customer_year")
years = years[years["customer_id"].isin(people.index)]
first, last = years["year"].min(), years["year"].max()
held_aum = years.pivot_table(index="customer_id", columns="year", values="aum_average")
held_term = years.pivot_table(index="customer_id", columns="year", values="term_deposit_average")
members = held_term.index[held_term[first] >= BIG_LINE]
money = held_aum.loc[members].fillna(0.0)
level = money.apply(lambda column: cu.analysis.tiers.aum_tier(column).cat.codes)
gone = money[last] < 0.2 * money[first]
state = np.select([gone, level[last] > level[first], level[last] < level[first]],
                  ["流失", "升档", "降档"], "同档")
state = pd.Series(state, index=members)

# %%
weight = people["weight"].reindex(members)
cohort = weight.groupby(state).sum().reindex(["升档", "同档", "降档", "流失"], fill_value=0).to_frame("customers")
cohort["n"] = state.value_counts().reindex(cohort.index, fill_value=0)
cohort["share"] = cohort["customers"] / cohort["customers"].sum()
band = cu.analysis.experiment.wilson(cohort["share"] * len(members), len(members))
cohort[["low", "high"]] = band[["low", "high"]]
cu.show(cohort.rename_axis("去向"), names=NAMES | {"low": "区间下限", "high": "区间上限", "index": "去向"},
        units={"customers": "户", "share": "%", "low": "%", "high": "%"})
cu.say(f"{first} 年的 {len(members)} 户样本（代表 {weight.sum():,.0f} 户），到 {last} 年："
       f"**{cohort.loc['升档', 'share']:.0%} 升档，{cohort.loc['流失', 'share']:.0%} 流失**。"
       "样本不大，区间有好几个百分点宽，拿去比两家支行时要小心。")

# %%
ORDER = ["50 万以上", "20-50 万", "20 万以下", "流失"]


def place(column):
    """某一年各户在哪一档；资产不到起点两成算流失。"""
    kept = column >= 0.2 * money[first]
    return np.select([~kept, column >= 500_000, column >= 200_000], [ORDER[3], ORDER[0], ORDER[1]], ORDER[2])


stops = pd.DataFrame({y: place(money[y]) for y in (first, first + 2, last)}, index=members)
steps = [weight.groupby([stops[a], stops[b]]).sum().unstack(fill_value=0)
         for a, b in ((first, first + 2), (first + 2, last))]
fig = cu.charts.state_flow(steps, labels=[f"{y} 年" for y in stops], order=ORDER, unit="户")
early = weight[(stops[first + 2] == "流失") & gone].sum() / max(weight[gone].sum(), 1)
cu.charts.finish(
    fig, title=f"五年流失 {cohort.loc['流失', 'share']:.0%}；走的人里 {early:.0%} 头两年就走了",
    alt="桑基图：同一批客户在三个年份的资产档位，最下面一条是流失。",
    source=f"客户年度表，{first} 年定期日均 {BIG_LINE / 1e4:g} 万元以上的客户，按权数")

# %% [markdown]
# **当心活下来的人。** 换一种常见做法：从**今天**的大户名单往回看，看他们五年里涨了多少。
# 走掉的人不在今天的名单里，所以这种做法永远看不到流失，而且谁涨得多、谁才进得了名单。
#
# 谁长得快？在**留下来的人**里，把五年增长（对数）同时对几个条件回归。系数换成百分数读：
# “其他条件相同，有这个条件的人多长百分之几”。这是相关，不是“多卖一个产品就会多长”：
# 愿意多用产品的人，可能本来就打算把钱放过来。

# %%
today_big = held_term.index[held_term[last] >= BIG_LINE]
back = held_aum.loc[today_big, first].dropna()
compare = pd.DataFrame({
    "户数": [len(members), len(today_big)],
    "五年增长的中位数": [(money[last] / money[first] - 1).median(),
                 (held_aum.loc[back.index, last] / back.clip(lower=1) - 1).median()],
    "看到的流失率": [cohort.loc["流失", "share"], np.average(
        held_aum.loc[back.index, last] < 0.2 * back, weights=people.loc[back.index, "weight"])],
}, index=[f"从 {first} 年往后跟", f"从 {last} 年往回看"])
cu.show(compare.rename_axis("看法"), units={"五年增长的中位数": "%", "看到的流失率": "%"})
late = 1 - today_big.isin(members).mean()
cu.say(f"今天的大户里有 **{late:.0%}** 当年并不在队列里。"
       + ("用往回看的增长去定目标，会定得太高。" if compare.iloc[1, 1] > compare.iloc[0, 1] else "这家银行两种看法的增长差别不大。"))

# %%
start = held_aum[first]
stay = start.index[(start >= CORE_FLOOR) & (held_aum[last] >= 0.2 * start)]
history = bank.load("customer_manager_history") if bank.has("customer_manager_history") else None
changed = [] if history is None else history.loc[history["to_date"].notna(), "customer_id"]
products = years[years["year"] == first].set_index("customer_id")["product_count"].reindex(stay)
rows = pd.DataFrame({"growth": np.log(held_aum.loc[stay, last] / start[stay]), "三种以上产品": products >= 3,
                     "换过管户经理": stay.isin(changed), "起点资产（对数）": np.log(start[stay])})
plain = rows.groupby("三种以上产品")["growth"].mean()
raw = np.exp(plain.get(True, np.nan) - plain.get(False, np.nan)) - 1  # 不控制其他条件
drivers = cu.analysis.experiment.linear(rows, "growth", list(rows.columns[1:]))
effects = np.exp(drivers.iloc[:2][["coefficient", "low", "high"]]) - 1
sure = effects.index[(effects["low"] > 0) | (effects["high"] < 0)]
cu.show(effects.rename_axis("条件"), units=dict.fromkeys(effects, "%"), names={"coefficient": "多长", "low": "下限", "high": "上限"})
cu.say(f"不控制其他条件，三种以上产品的客户多长 {raw:+.0%}；控制以后 **{effects.iloc[0, 0]:+.0%}**。换经理那一行，区间"
       + ("不含零，交接值得当一件事来管。" if "换过管户经理" in sure else "含零，还不能下结论。"))

# %% [markdown] outline=["S004-D4.3"]
# ## 演示五：六个线条，变成这一周的任务
#
# “维护客户”派不下去，“这周见谁、为什么见”才派得下去。六个线条（本课程定义），每条一个看得见的触发：
#
# 1. **到期线**：有定期在这一周到期；
# 2. **异动线**：近三月日均不到此前六月的八成 [参数]；
# 3. **生日节日线**：生日月的第一天落在这一周（表里只有生日月份，没有日子，这是少收个人信息）；
# 4. **权益线**：资产升了层级，要去告诉他多了哪些权益；
# 5. **家庭链线**：登记了家人，而家人有存款在这一周到期；
# 6. **走访线**：大户九十天没有见过面。
#
# 任务要排到天：到期线排在到期那天（遇节假日顺延到工作日），其余按客户资产从大到小，轮流放进工作日；
# 同一位客户命中几条线，排在同一天，一次见面办完。

# %%
WEEK, cuts = pd.Timedelta(days=7), list(cu.analysis.tiers.CUTS)
start = today + pd.Timedelta(days=1)
book = people[asked & (people["branch_id"] == branch) & ~people["do_not_call"]].sort_values("aum", ascending=False)
term = live[live["kind"] != "活期"]
due = term[(term["maturity_date"] >= start) & (term["maturity_date"] < start + WEEK)]
kin = cu.analysis.crm.family_pairs(bank)
firsts = [day.month for day in pd.date_range(start, periods=7) if day.day == 1]
old_tier = cu.analysis.tiers.aum_tier(book["before"])
hit = {"到期线": book.index.isin(due["customer_id"]),
       "异动线": book["aum"] < RISK_LINE * book["before"],
       "生日节日线": book["birth_month"].isin(firsts),
       "权益线": book["tier"].cat.codes > old_tier.cat.codes,
       "家庭链线": book.index.isin(kin.loc[kin["kin_id"].isin(due["customer_id"]), "customer_id"]),
       "走访线": (book["aum"] >= BIG_LINE) & ~book.index.isin(faced["customer_id"])}

# %%
tasks = pd.concat([book.loc[flag, ["manager_id", "aum"]].assign(line=line) for line, flag in hit.items()])
tasks = tasks.sort_values("aum", ascending=False, kind="stable").reset_index()
calendar = bank.load("calendar", columns=["date", "workday"])
days = calendar.loc[calendar["workday"] & (calendar["date"] >= start) & (calendar["date"] < start + WEEK), "date"].to_list()
once = tasks.drop_duplicates("customer_id").set_index("customer_id")
once["date"] = cu.analysis.crm.spread_tasks(once, days, due.groupby("customer_id")["maturity_date"].min())
tasks["date"] = tasks["customer_id"].map(once["date"])
count, load = tasks["line"].value_counts(), tasks.groupby("manager_id").size()
busy = load.idxmax()
fig = cu.charts.task_calendar(tasks[tasks["manager_id"] == busy], label="customer_id", kind="line", max_rows=15)
cu.charts.finish(fig, title=f"{busy} 下一周有 {load.max()} 件任务；图上是线条最多的十五位客户",
                 alt="任务日历：横轴日期，纵轴客户号，颜色和形状是六个线条。", source=f"{start:%Y-%m-%d} 起一周")
cu.say(f"{branch} 共 {len(tasks)} 件任务、{len(once)} 位客户，**{count.index[0]}**最多（{count.iloc[0]} 件）；"
       f"有管户的平均每位经理 {load.mean():.0f} 件，没有管户经理的 {int(tasks['manager_id'].isna().sum())} 件，没人领就等于没有。")

# %% [markdown] outline=["S004-D4.K2"]
# ## 演示六：接触的量化标准——缺多少次、缺多少小时
#
# 广东一家银行的案例把客户关系写成量化执行标准，这里做**情景仿真**。每季接触次数的标准 [参数]：
# 五万元以下批量为主，5-20 万一次，20-50 万两次，50-100 万三次，100 万以上六次 [定义]；
# 每次按 `CONTACT_MINUTES` 分钟算。做多了不能抵别人的少：每户完成数最多算到他自己的标准。

# %% tags=["board:customers:picture"]
quarter = spoken[spoken["contact_time"] > today - pd.DateOffset(months=3)].groupby("customer_id").size()
owned = people[asked & people["manager_id"].notna()]
plan_done = portfolio.contact_gap(owned, quarter, minutes=CONTACT_MINUTES)
cu.show(plan_done, names=STEPS, units={"rate": "%", "gap": "次", "gap_hours": "小时"})
overall = plan_done["done"].sum() / plan_done["planned"].sum()
hours = plan_done["gap_hours"].sum() / owned["manager_id"].nunique()
fig = cu.charts.stacked_ladder(
    plan_done[["done", "gap"]].rename(columns={"done": "已做", "gap": "还差"}).rename(index=str), unit="次")
cu.charts.finish(fig, title=f"一季的标准只完成 {overall:.0%}，差得最多的是 {plan_done['gap'].idxmax()}",
                 alt="各层级应做接触次数分成已做和还差两段的柱状图。", source="触达记录，最近三个月，样本客户")
cu.say(f"缺口折合每位经理 **{hours:.1f} 小时**一季（样本口径；一户样本代表若干户，实际要乘上去）。"
       "它不是无限大的“多走访”，而是一个能排进日程的小时数；排不下，就改标准或管户数，不是再发一次通报。")

# %% [markdown] outline=["S003-X3.15"]
# ## 演示七：潜力客户——谁会在半年内升档
#
# 大众客群里的潜力客户怎么找？用过去练：拿 2024 年上半年两个时点的样子，学“随后六个月有没有升档”；
# 再用 2025 年年中的客户考试，看升档是不是真的集中在高分里。考试用的半年，模型从来没有见过。
# 对手是一条不用模型的土办法：**离上一档最近的人先联系**。
#
# 潜力客户的经营策略按“差什么”来定，并且每季优化一次：离上一档差得少的，告诉他升档以后多了什么权益；
# 钱往外走得多的，问清楚外面的钱为什么不在这里；产品少的，先把工资、缴费这类天天用的接过来。
# 优化的办法只有一个：在名单里**随机留出一成不联系**，下一季比两组的升档率。

# %%
FEATURES = ["level", "distance", "trend", "inflow", "net_out", "products"]
columns = {"aum": "aum_average", "in": "in_amount", "out": "external_bank_out_amount",
           "back": "external_bank_in_amount", "products": "product_count"}
panels = {k: cu.analysis.caliber.wide(panel, c).reindex(people.index).fillna(0.0) for k, c in columns.items()}
snapshot, width = cu.analysis.crm.upgrade_snapshot, aum.shape[1]
train = pd.concat([snapshot(panels, width - 18), snapshot(panels, width - 15)])  # 2024 年的两个时点
exam = snapshot(panels, width - 6)  # 半年前的客户，答案现在已经知道
model = cu.analysis.model.fit_boosting(train, FEATURES, "up")
lift = {"模型": cu.analysis.model.lift_table(exam["up"], model.predict(exam)),
        "离上一档最近": cu.analysis.model.lift_table(exam["up"], -exam["distance"])}
best, simple = lift["模型"]["lift"].iloc[0], lift["离上一档最近"]["lift"].iloc[0]
fig = cu.charts.lift_curve(lift)
cu.charts.finish(fig, title=f"最高分的一成，升档比例是平均的 {best:.1f} 倍；土办法 {simple:.1f} 倍",
                 alt="两条提升度曲线，从高分组到低分组。", source=f"考试样本 {len(exam)} 户，升档 {exam['up'].mean():.1%}")

# %%
win = "模型更好" if best > simple * 1.15 else "土办法更好" if best < simple * 0.87 else "两者差不多（只考了一次，差一点点不算赢）"
agreed = bank.load("consent")
agreed = agreed[(agreed["scope"] == "营销") & agreed["granted"]]
agreed = agreed[agreed["expire_date"].isna() | (agreed["expire_date"] > today)]
people["may_call"] = people.index.isin(agreed["customer_id"]) & ~people["do_not_call"]
current = snapshot(panels, width)
people["chance"] = model.predict(current).reindex(people.index)
rising = people["chance"] >= people["chance"].quantile(0.9)
blocked = (rising & ~people["may_call"]).sum() / max(rising.sum(), 1)
cu.say(f"**{win}**。离上一档近的人多走一小步就升档，这里有尺子的缘故，不全是潜力；名单上要同时写距离。"
       f"今天打分最高的一成里，有 {blocked:.0%} 没有营销授权或在勿扰名单上，**一律不联系**。")

# %% [markdown] outline=["S004-D4.4"]
# ## 演示八：十位客户极致服务体验计划（PDCA）
#
# 一位经理九十天只把十位客户做到极致。选谁？把**预期增量**加起来最大，同时满足三个条件：总工时不超过
# `HOURS_BUDGET`；至少三位高潜力，至少两位正在下滑；没有授权的不选 [参数]。
# 有的经理名下几乎都是大户，最省的搭配也超预算，就按最省的工时排，并在名单上看得见。
#
# > 预期增量 ＝ 外面的钱 × `CAPTURE_RATE` ＋ 比前六个月少掉的钱 × `SAVE_RATE` [定义]
#
# 两个比例是**假设**，没有对照组验证过；排序看看可以，不能当成承诺写进任务书。

# %%
ready = people[(people[["aum", "before"]].max(axis=1) >= CORE_FLOOR) & people["may_call"]
               & people["manager_id"].notna()].copy()
ready["potential"] = ready["outside"] >= potential_cut
ready["at_risk"] = ready["aum"] < RISK_LINE * ready["before"]
fallen = (ready["before"] - ready["aum"]).clip(lower=0)
ready["uplift"] = ready["outside"] * CAPTURE_RATE + fallen * SAVE_RATE
ready["hours"] = ready["tier"].astype(str).str[:2].map(PLAN_HOURS)


def choose_ten(mine, budget=HOURS_BUDGET):
    """在工时和搭配的约束下，选预期增量之和最大的十位。"""
    mix = {"高潜力": (mine["potential"], min(3, int(mine["potential"].sum()))),
           "下滑": (mine["at_risk"], min(2, int(mine["at_risk"].sum())))}
    knapsack = cu.analysis.allocate.knapsack
    least = mine.loc[knapsack(-mine["hours"], mine["hours"], 1e6, (10, 10), mix), "hours"].sum()  # 最省的搭配
    return knapsack(mine["uplift"], mine["hours"], max(budget, least), (10, 10), mix)

# %%
local_team = ready[ready["branch_id"] == branch].groupby("manager_id").size()
team = local_team[local_team >= 15].index.to_list() or [local_team.idxmax()]
mine = ready[ready["manager_id"] == team[0]]
ten = mine.loc[choose_ten(mine)].sort_values("uplift", ascending=False)
naive = mine.nlargest(10, "aum")
shown = ["masked_name", "tier", "aum", "outside", "familiar", "potential", "at_risk", "hours", "uplift"]
cu.show(ten[shown], rows=10, names=NAMES, units=UNITS)
more = (mine.loc[choose_ten(mine, HOURS_BUDGET + 4), "uplift"].sum() - ten["uplift"].sum()) / 4
cu.say(f"{team[0]} 名下可选 {len(mine)} 户。选出的十位用 {ten['hours'].sum():.0f} 小时，预期增量 "
       f"**{ten['uplift'].sum() / 1e4:.1f} 万元**；如果直接选资产最大的十位，要 {naive['hours'].sum():.0f} 小时，"
       f"预期增量 {naive['uplift'].sum() / 1e4:.1f} 万元，下滑的客户有 {int(naive['at_risk'].sum())} 位。"
       + (f"再多给四小时，平均每小时多 {more:,.0f} 元：这就是一小时的**影子价格**。" if more >= 1
          else "再多给四小时，预期增量也不变：工时不是瓶颈，不必加人手（**影子价格**为零）。"))

# %% [markdown]
# 极致服务体验的 PDCA：**P** 写明起点和九十天目标；**D** 每位客户一张服务清单（见面、家人、权益、到期）；
# **C** 每周填一次现在的资产，公式自动判断有没有跟上进度；**A** 第 90 天按“增量、熟悉度、没做成的原因”复盘，
# 换掉不合适的人，而不是换掉标准。
#
# ## 练习
#
# **E1 ★★ 写几行** 钱包地图。对季日均资产在 5 万（含）到 50 万（不含）之间的个人客户 [参数]，做一张表
# `wallet_map`：索引 `customer_id`，一列 `wallet_share`（只算看得见的外面的钱），一列 `cell`：
# 资产达到 `BIG_LINE` 是“大户”、否则“中户”；份额低于 `WALLET_LINE` 接“外流”、否则接“主办”，
# 例如“中户外流”。`people` 里已有 `aum`，`year` 里有一年的合计。

# %% tags=["answer:E1"]
wallet_map = ...  # ← 一户一行，两列 wallet_share、cell
### BEGIN SOLUTION
middle = people[(people["aum"] >= 50_000) & (people["aum"] < 500_000)]
flows = year.loc[middle.index]
away = (flows["external_bank_out_amount"] - flows["external_bank_in_amount"]).clip(lower=0)
wallet_map = pd.DataFrame({"wallet_share": middle["aum"] / (middle["aum"] + away)})
size = np.where(middle["aum"] >= BIG_LINE, "大户", "中户")
side = np.where(wallet_map["wallet_share"] < WALLET_LINE, "外流", "主办")
wallet_map["cell"] = pd.Series(size, index=middle.index) + side
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:gross_out"]
middle = people[(people["aum"] >= 50_000) & (people["aum"] < 500_000)]
away = year.loc[middle.index, "external_bank_out_amount"]
wallet_map = pd.DataFrame({"wallet_share": middle["aum"] / (middle["aum"] + away)})
size = pd.Series(np.where(middle["aum"] >= BIG_LINE, "大户", "中户"), index=middle.index)
wallet_map["cell"] = size + np.where(wallet_map["wallet_share"] < WALLET_LINE, "外流", "主办")

# %% tags=["wrong:E1:not_clipped"]
middle = people[(people["aum"] >= 50_000) & (people["aum"] < 500_000)]
flows = year.loc[middle.index]
away = flows["external_bank_out_amount"] - flows["external_bank_in_amount"]
wallet_map = pd.DataFrame({"wallet_share": middle["aum"] / (middle["aum"] + away)})
size = pd.Series(np.where(middle["aum"] >= BIG_LINE, "大户", "中户"), index=middle.index)
wallet_map["cell"] = size + np.where(wallet_map["wallet_share"] < WALLET_LINE, "外流", "主办")

# %% tags=["wrong:E1:with_model"]
middle = people[(people["aum"] >= 50_000) & (people["aum"] < 500_000)]
wallet_map = guess.loc[middle.index, ["wallet_share"]]
size = pd.Series(np.where(middle["aum"] >= BIG_LINE, "大户", "中户"), index=middle.index)
wallet_map["cell"] = size + np.where(wallet_map["wallet_share"] < WALLET_LINE, "外流", "主办")

# %% tags=["wrong:E1:last_month"]
point = aum.iloc[:, -1]
middle = people[(point >= 50_000) & (point < 500_000)]
own = point.loc[middle.index]
wallet_map = pd.DataFrame({"wallet_share": own / (own + seen.loc[middle.index, "outside"])})
size = pd.Series(np.where(own >= BIG_LINE, "大户", "中户"), index=middle.index)
wallet_map["cell"] = size + np.where(wallet_map["wallet_share"] < WALLET_LINE, "外流", "主办")

# %% tags=["alternative:E1:helper"]
middle = people.loc[people["aum"].between(50_000, 500_000, inclusive="left")].index
wallet_map = seen.loc[middle, ["wallet_share"]].copy()
wallet_map["cell"] = [
    ("大户" if people.loc[i, "aum"] >= BIG_LINE else "中户")
    + ("外流" if seen.loc[i, "wallet_share"] < WALLET_LINE else "主办") for i in middle
]

# %% [markdown]
# **E2 ★★ 写一个函数** `cohort_flow(yearly, floor, first, last)`：`yearly` 是一行一户一年的表（有 `customer_id`、
# `year`、`term_deposit_average`、`aum_average`）。圈出 `first` 年定期日均达到 `floor` 的客户，返回一张表：
# 索引依次是升档、同档、降档、流失，列 `customers`（户数，不加权）和 `share`（占比）。规则同演示四：
# 资产不到起点两成算流失，`last` 年没有记录按零算，后来才进来的人不算。没有人达标时，占比写零。

# %% tags=["answer:E2"]
cohort_flow = ...  # ← 写一个函数 cohort_flow(yearly, floor, first, last)
### BEGIN SOLUTION


def cohort_flow(yearly, floor, first, last):
    begin = yearly[yearly["year"] == first].set_index("customer_id")
    begin = begin[begin["term_deposit_average"] >= floor]["aum_average"]
    end = yearly[yearly["year"] == last].set_index("customer_id")["aum_average"]
    end = end.reindex(begin.index).fillna(0.0)
    old = np.searchsorted(cu.analysis.tiers.CUTS, begin, side="right")
    new = np.searchsorted(cu.analysis.tiers.CUTS, end, side="right")
    where = np.select([end < 0.2 * begin, new > old, new < old], ["流失", "升档", "降档"], "同档")
    table = pd.Series(where).value_counts().reindex(["升档", "同档", "降档", "流失"], fill_value=0)
    table = table.to_frame("customers")
    table["share"] = table["customers"] / max(len(begin), 1)
    return table


### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:late_joiners"]
def cohort_flow(yearly, floor, first, last):
    ever = yearly[yearly["term_deposit_average"] >= floor]["customer_id"].unique()
    wide = yearly[yearly["customer_id"].isin(ever)].pivot_table(
        index="customer_id", columns="year", values="aum_average").fillna(0.0)
    wide = wide.reindex(columns=[first, last], fill_value=0.0)
    old = np.searchsorted(cu.analysis.tiers.CUTS, wide[first], side="right")
    new = np.searchsorted(cu.analysis.tiers.CUTS, wide[last], side="right")
    where = np.select([wide[last] < 0.2 * wide[first], new > old, new < old], ["流失", "升档", "降档"], "同档")
    table = pd.Series(where).value_counts().reindex(["升档", "同档", "降档", "流失"], fill_value=0)
    return pd.DataFrame({"customers": table, "share": table / max(len(wide), 1)})

# %% tags=["wrong:E2:only_survivors"]
def cohort_flow(yearly, floor, first, last):
    begin = yearly[yearly["year"] == first].set_index("customer_id")
    begin = begin[begin["term_deposit_average"] >= floor]["aum_average"]
    end = yearly[yearly["year"] == last].set_index("customer_id")["aum_average"]
    both = pd.DataFrame({"a": begin, "b": end}).dropna()
    old = np.searchsorted(cu.analysis.tiers.CUTS, both["a"], side="right")
    new = np.searchsorted(cu.analysis.tiers.CUTS, both["b"], side="right")
    where = np.select([both["b"] < 0.2 * both["a"], new > old, new < old], ["流失", "升档", "降档"], "同档")
    table = pd.Series(where).value_counts().reindex(["升档", "同档", "降档", "流失"], fill_value=0)
    return pd.DataFrame({"customers": table, "share": table / max(len(both), 1)})

# %% tags=["wrong:E2:loss_is_downgrade"]
def cohort_flow(yearly, floor, first, last):
    begin = yearly[yearly["year"] == first].set_index("customer_id")
    begin = begin[begin["term_deposit_average"] >= floor]["aum_average"]
    end = yearly[yearly["year"] == last].set_index("customer_id")["aum_average"]
    end = end.reindex(begin.index).fillna(0.0)
    old = np.searchsorted(cu.analysis.tiers.CUTS, begin, side="right")
    new = np.searchsorted(cu.analysis.tiers.CUTS, end, side="right")
    where = np.select([new > old, new < old], ["升档", "降档"], "同档")
    table = pd.Series(where).value_counts().reindex(["升档", "同档", "降档", "流失"], fill_value=0)
    return pd.DataFrame({"customers": table, "share": table / max(len(begin), 1)})

# %% tags=["alternative:E2:loop"]
def cohort_flow(yearly, floor, first, last):
    def tier_of(value):
        return sum(value >= cut for cut in cu.analysis.tiers.CUTS)

    later = dict(yearly.loc[yearly["year"] == last, ["customer_id", "aum_average"]].itertuples(index=False))
    counts = dict.fromkeys(["升档", "同档", "降档", "流失"], 0)
    chosen = yearly[(yearly["year"] == first) & (yearly["term_deposit_average"] >= floor)]
    for row in chosen.itertuples():
        now = later.get(row.customer_id, 0.0)
        step = tier_of(now) - tier_of(row.aum_average)
        name = "流失" if now < 0.2 * row.aum_average else "升档" if step > 0 else "降档" if step < 0 else "同档"
        counts[name] += 1
    table = pd.DataFrame({"customers": pd.Series(counts)})
    return table.assign(share=table["customers"] / max(len(chosen), 1))

# %% [markdown]
# **E3 ★★★ 决定** 给另一位经理选十位。下面的 `choices` 是他名下有授权的客户（列含义同演示八）。把你选的十位做成表
# `my_ten`，至少有一列 `customer_id`。要求：恰好十位、不重复；总工时不超过 `HOURS_BUDGET`；高潜力至少三位、
# 下滑至少两位（他名下不够时，有几位选几位）；预期增量之和达到最好方案的九成五 [参数]。

# %% tags=["answer:E3"]
order = ready.groupby("manager_id").size().sort_index().sort_values(ascending=False, kind="stable")
choices = ready[ready["manager_id"] == order.index[1]]  # 可选客户最多的第二位经理
my_ten = ...  # ← 可以用 choose_ten，也可以自己挑
### BEGIN SOLUTION
wanted = {"高潜力": (choices["potential"], min(3, choices["potential"].sum())),
          "下滑": (choices["at_risk"], min(2, choices["at_risk"].sum()))}
picked = cu.analysis.allocate.knapsack(
    choices["uplift"], choices["hours"], HOURS_BUDGET, (10, 10), wanted)
my_ten = choices.loc[picked].reset_index()
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:largest_aum"]
order = ready.groupby("manager_id").size().sort_index().sort_values(ascending=False, kind="stable")
my_ten = ready[ready["manager_id"] == order.index[1]].nlargest(10, "aum").reset_index()

# %% tags=["wrong:E3:forgot_hours"]
order = ready.groupby("manager_id").size().sort_index().sort_values(ascending=False, kind="stable")
my_ten = ready[ready["manager_id"] == order.index[1]].nlargest(10, "uplift").reset_index()

# %% tags=["wrong:E3:cheapest"]
order = ready.groupby("manager_id").size().sort_index().sort_values(ascending=False, kind="stable")
my_ten = ready[ready["manager_id"] == order.index[1]].nsmallest(10, "hours").reset_index()

# %% tags=["wrong:E3:no_consent"]
order = ready.groupby("manager_id").size().sort_index().sort_values(ascending=False, kind="stable")
refused = people[(people["manager_id"] == order.index[1]) & ~people["may_call"]]
my_ten = refused.nlargest(10, "outside").reset_index()

# %% tags=["alternative:E3:swap"]
order = ready.groupby("manager_id").size().sort_index().sort_values(ascending=False, kind="stable")
picked = choose_ten(ready[ready["manager_id"] == order.index[1]])
my_ten = pd.DataFrame({"customer_id": list(picked)})

# %% [markdown]
# **E4 ★★★ 写一个函数** `week_tasks(customers, deposits, start)`：换任何一周都能生成六个线条的任务。
# `customers` 一户一行，列有 `customer_id`、`aum`、`before`、`birth_month`、`last_met`（最近见面日，可能为空）、
# `kin_id`（登记的家人，可能为空）、`do_not_call`；`deposits` 有 `customer_id`、`maturity_date`。
# 一周是 `start` 当天起连续七天。规则同演示五，走访线写成“资产达到 `BIG_LINE`，且从没见过面、
# 或到 `start` 已超过 90 天没见面” [定义]；勿扰客户一条都不派。返回两列 `customer_id`、`line`，同一人同一条线只派一次。

# %% tags=["answer:E4"]
week_tasks = ...  # ← 写一个函数 week_tasks(customers, deposits, start)
### BEGIN SOLUTION


def week_tasks(customers, deposits, start):
    table = customers[~customers["do_not_call"].astype(bool)].drop_duplicates("customer_id")
    in_week = (deposits["maturity_date"] >= start) & (deposits["maturity_date"] < start + WEEK)
    due = deposits.loc[in_week, "customer_id"]
    months = [day.month for day in pd.date_range(start, periods=7) if day.day == 1]
    level, old = (np.searchsorted(cuts, table[c], side="right") for c in ("aum", "before"))
    idle = (start - table["last_met"]).dt.days
    rules = {"到期线": table["customer_id"].isin(due),
             "异动线": table["aum"] < RISK_LINE * table["before"],
             "生日节日线": table["birth_month"].isin(months),
             "权益线": pd.Series(level > old, index=table.index),
             "家庭链线": table["kin_id"].isin(due),
             "走访线": (table["aum"] >= BIG_LINE) & (idle.isna() | (idle > 90))}
    return pd.concat([table.loc[flag, ["customer_id"]].assign(line=name) for name, flag in rules.items()])


### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:eight_days"]
def week_tasks(customers, deposits, start):
    table = customers[~customers["do_not_call"].astype(bool)].drop_duplicates("customer_id")
    due = deposits.loc[deposits["maturity_date"].between(start, start + WEEK), "customer_id"]
    months = [day.month for day in pd.date_range(start, periods=8) if day.day == 1]
    level, old = (np.searchsorted(cuts, table[c], side="right") for c in ("aum", "before"))
    idle = (start - table["last_met"]).dt.days
    rules = {"到期线": table["customer_id"].isin(due), "异动线": table["aum"] < RISK_LINE * table["before"],
             "生日节日线": table["birth_month"].isin(months), "权益线": level > old,
             "家庭链线": table["kin_id"].isin(due), "走访线": (table["aum"] >= BIG_LINE) & (idle.isna() | (idle > 90))}
    return pd.concat([table.loc[flag, ["customer_id"]].assign(line=name) for name, flag in rules.items()])

# %% tags=["wrong:E4:never_met_forgotten"]
def week_tasks(customers, deposits, start):
    table = customers[~customers["do_not_call"].astype(bool)].drop_duplicates("customer_id")
    due = deposits.loc[(deposits["maturity_date"] >= start) & (deposits["maturity_date"] < start + WEEK), "customer_id"]
    months = [day.month for day in pd.date_range(start, periods=7) if day.day == 1]
    level, old = (np.searchsorted(cuts, table[c], side="right") for c in ("aum", "before"))
    idle = (start - table["last_met"]).dt.days
    rules = {"到期线": table["customer_id"].isin(due), "异动线": table["aum"] < RISK_LINE * table["before"],
             "生日节日线": table["birth_month"].isin(months), "权益线": level > old,
             "家庭链线": table["kin_id"].isin(due), "走访线": (table["aum"] >= BIG_LINE) & (idle > 90)}
    return pd.concat([table.loc[flag, ["customer_id"]].assign(line=name) for name, flag in rules.items()])

# %% tags=["wrong:E4:calls_everyone"]
def week_tasks(customers, deposits, start):
    table = customers.drop_duplicates("customer_id")
    due = deposits.loc[(deposits["maturity_date"] >= start) & (deposits["maturity_date"] < start + WEEK), "customer_id"]
    months = [day.month for day in pd.date_range(start, periods=7) if day.day == 1]
    level, old = (np.searchsorted(cuts, table[c], side="right") for c in ("aum", "before"))
    idle = (start - table["last_met"]).dt.days
    rules = {"到期线": table["customer_id"].isin(due), "异动线": table["aum"] < RISK_LINE * table["before"],
             "生日节日线": table["birth_month"].isin(months), "权益线": level > old,
             "家庭链线": table["kin_id"].isin(due), "走访线": (table["aum"] >= BIG_LINE) & (idle.isna() | (idle > 90))}
    return pd.concat([table.loc[flag, ["customer_id"]].assign(line=name) for name, flag in rules.items()])

# %% tags=["wrong:E4:every_week_birthday"]
def week_tasks(customers, deposits, start):
    table = customers[~customers["do_not_call"].astype(bool)].drop_duplicates("customer_id")
    due = deposits.loc[(deposits["maturity_date"] >= start) & (deposits["maturity_date"] < start + WEEK), "customer_id"]
    level, old = (np.searchsorted(cuts, table[c], side="right") for c in ("aum", "before"))
    idle = (start - table["last_met"]).dt.days
    rules = {"到期线": table["customer_id"].isin(due), "异动线": table["aum"] < RISK_LINE * table["before"],
             "生日节日线": table["birth_month"] == start.month, "权益线": level > old,
             "家庭链线": table["kin_id"].isin(due), "走访线": (table["aum"] >= BIG_LINE) & (idle.isna() | (idle > 90))}
    return pd.concat([table.loc[flag, ["customer_id"]].assign(line=name) for name, flag in rules.items()])

# %% tags=["alternative:E4:loop"]
def week_tasks(customers, deposits, start):
    days = set(pd.date_range(start, periods=7))
    due = set(deposits.loc[deposits["maturity_date"].isin(days), "customer_id"])
    months = {day.month for day in days if day.day == 1}
    found = set()
    for row in customers[~customers["do_not_call"].astype(bool)].itertuples():
        unseen = pd.isna(row.last_met) or (start - row.last_met).days > 90
        checks = {"到期线": row.customer_id in due, "异动线": row.aum < RISK_LINE * row.before,
                  "生日节日线": row.birth_month in months,
                  "权益线": sum(row.aum >= c for c in cuts) > sum(row.before >= c for c in cuts),
                  "家庭链线": row.kin_id in due, "走访线": row.aum >= BIG_LINE and unseen}
        found |= {(row.customer_id, line) for line, yes in checks.items() if yes}
    return pd.DataFrame(sorted(found), columns=["customer_id", "line"])

# %% [markdown]
# ## 成果
#
# 一本《核心客户清单与十人 PDCA》：核心客户、十人 PDCA（公式是活的）、本周六线任务、接触标准缺口。
# PDCA 页每周只填“第几周”和“现在的资产”，进度和判断自己会变。

# %%
chosen = pd.concat([ready.loc[choose_ten(ready[ready["manager_id"] == m])] for m in team])
pdca = chosen.sort_values(["manager_id", "uplift"], ascending=[True, False]).reset_index()[
    ["manager_id", "customer_id", "masked_name", "tier", "aum", "uplift", "familiar", "hours"]]
pdca["target"] = pdca["aum"] + pdca["uplift"]
pdca["week"], pdca["actual"] = 0, pdca["aum"]
pdca["progress"], pdca["verdict"] = 0.0, "跟上进度"
FORMULAS = {"target": "=[aum]+[uplift]",
            "progress": "=IF([uplift]=0,0,([actual]-[aum])/[uplift])",
            "verdict": '=IF([progress]>=[week]/13,"跟上进度","落后，写原因")'}
listed = core[(core["branch_id"] == branch) & people["may_call"].reindex(core.index)].sort_values("value", ascending=False)
listed = listed.reset_index()[["customer_id", "masked_name", "manager_id", "tier", "aum", "value", "outside",
                               "wallet_share", "familiar", "reason"]]

# %%
Sheet = cu.deliver.Sheet
notes = ["预期增量来自两个假设比例，不是承诺。", "每周填“第几周”和“现在的资产”，其余自动算。"]
path = cu.deliver.workbook(
    bank.output_dir("m02_n04") / "核心客户清单与10人PDCA.xlsx",
    {"核心客户": Sheet(listed, names=NAMES, units=UNITS),
     "10人PDCA": Sheet(pdca, names=NAMES, units=UNITS, formulas=FORMULAS, notes=notes,
                     choices={"next_step": ["加见面", "找家人", "谈权益", "换客户"]}),
     "本周任务": Sheet(tasks[["date", "manager_id", "customer_id", "line"]].sort_values("date"), names=NAMES),
     "接触标准": Sheet(plan_done.reset_index(), names=STEPS, units={"rate": "%", "gap": "次"})},
    title=f"{branch} 核心客户清单与十人 PDCA", purpose="核心客户经营", purge_date=today + pd.DateOffset(days=120))
cu.say(f"已保存：`{path.name}`，{len(listed)} 位核心客户，{pdca['manager_id'].nunique()} 位经理各十人。")
cu.progress()

# %% tags=["instructor", "board:customers:brief"]
# 给行长的一栏：course board 把它放上看板
met, place_name = large[asks[2]].mean(), bank.load("branch", columns=["branch_id", "branch_name"]).set_index("branch_id").loc[branch, "branch_name"]
orphans = int(tasks["manager_id"].isna().sum())
cu.brief(
    f"最有钱的百分之五个人客户持有 {top:.0%} 的资金；资产 {BIG_LINE / 1e4:g} 万元以上的客户，近九十天见过面的只占 {met:.0%}",
    "留意" if met < 0.5 or overall < 0.5 else "平稳",
    "大户九十天见面不到一半，或一季的接触标准完成不到一半，记留意；见面有没有用，还没有对照证明，不记要办",
    [("前百分之五客户持有", f"{top:.0%}", "个人客户的全部资金，由样本推算"),
     ("大户近九十天见过面", f"{met:.0%}", f"{large['有管户'].mean():.0%} 有管户；样本 {len(large):,} 户"),
     ("一季接触标准完成", f"{overall:.0%}", f"缺口折合每位经理 {hours:.1f} 小时一季（样本口径）"),
     (f"大户 {first} 到 {last} 年流失", f"{cohort.loc['流失', 'share']:.0%}", f"区间 {cohort.loc['流失', 'low']:.1%} 到 {cohort.loc['流失', 'high']:.1%}；升档 {cohort.loc['升档', 'share']:.0%}")],
    [("客户经理", f"照《{path.stem}》经营十位客户，{place_name}有 {pdca['manager_id'].nunique()} 位经理各十人", "九十天，每周填一次"),
     ("支行行长", f"{place_name}一周 {len(tasks)} 件任务排到天，" + (f"没有管户经理的 {orphans} 件先指定人" if orphans else "都有管户经理"), "本周")],
    "见面多和钱多只是同时出现，不能说见了面所以存款涨。")

# %% [markdown]
# ## 讨论
#
# - 熟悉度是价值的原因，还是价值的结果？要回答它，你会怎样安排一次公平的试验？
# - 二十万客户里降档的很少，流失的却不少。这说明客户是“慢慢变冷”还是“说走就走”？预警应该看什么？
# - 十位客户做到极致，剩下的一百多位怎么办？用哪一条线兜底？
#
# ## 小结
#
# 核心客户要看价值、潜力、关系三样，只看资产会漏掉钱在外面的人。五年去向要从起点往后跟，往回看只会看到赢家。
# 关系要变成这一周的任务、这一季的小时数和十个人的九十天，才管得住。
#
# 下一课：存款指标分解——把全行的目标公平地分到网点和月份。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 课堂上常见的三个弯路：把“转出到他行”当成外面的钱，没有减去转回来的；队列里丢掉最后一年没有记录的人；
# 选十人时只按资产排名。时间分配建议：演示一到三占三成，演示四占两成，演示五到八占三成，练习占两成。

# %% tags=["instructor"]
mid = people["aum"].between(50_000, 500_000, inclusive="left")
gold = np.average(people.loc[mid, "wallet_share"] < 0.25, weights=people.loc[mid, "weight"])
cu.reveal(bank, "m02_n04", {
    "cohort_upgrade": cohort.loc["升档", "share"], "cohort_lost": cohort.loc["流失", "share"],
    "growth_3products": raw, "top5_share": top, "gold_wallet": gold,
})
