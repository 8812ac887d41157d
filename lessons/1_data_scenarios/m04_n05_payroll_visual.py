# %% [markdown] outline=["S004-G", "S004-G1", "S004-G1.K1"]
# # 员工工资可视化与隐性财富
#
# 课程：银行二十种数据实战应用场景（第四部分）· 综合管理类场景 ·
# 大纲：S004-G1 · 难度：L1 · 用时：60 分钟
#
# 学完本课，你能：
#
# - 看懂自己的工资条：应发、缴费、个税、到手，每一步自己复算得出来；
# - 说清单位为你付了多少、哪些在你名下、什么时候能用；
# - 只用不少于五人的汇总谈公平：同岗同绩效，谁偏低，有多大把握。
#
# Abstract: Read one's own payslip to the cent, see the employer's side and the wealth that builds up
# unseen, and discuss fairness with groups of at least five people only.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 汇总页里要特别标出的网点：None 表示只标界限以外的
EMP = "E0059"  # 你自己的员工号：工资条只显示这一个人
MIN_CELL = 5  # 汇总里每一格至少几个人
RETIRE_AGE = 60  # 测算到多少岁；实际退休年龄按国家规定和本人情况
RETURN_LOW = 0.02  # 年金、公积金等一年的收益：低的假设
RETURN_HIGH = 0.03  # 高的假设
RETURN_SPREAD = 0.03  # 收益一年一年的起伏（标准差）
WAGE_GROWTH = 0.02  # 工资一年涨多少
INFLATION = 0.02  # 物价一年涨多少，用来折成今天的钱
PURGE_DAYS = 30  # 汇总表多少天以后销毁

# %%
import course_utils as cu
import numpy as np
import pandas as pd

bank = cu.begin("m04_n05", BANK, AS_OF)
today = bank.as_of
payroll, causal = cu.analysis.payroll, cu.analysis.causal
NAMES = {"gross": "应发", "personal": "个人缴费", "tax": "个税", "net": "到手", "company": "单位缴费", "welfare": "福利",
         "cost": "单位总付出", "taxable": "累计应税", "top_rate": "适用税率", "people": "人数", "month": "月份",
         "cost_ratio": "总付出÷应发", "post": "岗位", "share": "浮动占比", "swing": "月度起伏",
         "gap": "同岗同绩效差距", "flag": "界限以外", "branch_id": "网点"}

# %% [markdown]
# ## 业务情境
#
# 一位柜员说：“我一个月才到手几千块，隔壁行听说多一千。”行长说：“单位给你缴了那么多，你怎么不算？”
# 人力资源部说：“工资不能给大家看。”三句话都对，合起来却是一笔糊涂账：
# **员工不知道自己到底拿了多少，单位也说不清自己到底付了多少。**
#
# 有的银行做了一个“工资可视化”小工具，本课用课堂数据做**情景仿真**：每个人只看**自己的**一行，看清结构、
# 大致位置、代扣代缴和单位的付出；管理者只看**不少于五人**的汇总，看公平不公平。
#
# 本课的数据**不能**说明“看了图，抱怨就少了”，那要有一部分网点先用、一部分后用才能比。也不能说明谁“该”拿多少。
#
# ## 数据与边界
#
# 员工工资属于个人信息。人力资源部为管理需要可以处理，不等于可以给同事看 [来源：个人信息保护法第 6、13 条]。所以有两条线：
# **个人页**只凭员工号 `EMP` 取一行，**汇总页**每一格不少于 `MIN_CELL` 人。示例银行的员工是合成的；在自己行里用，
# 人力资源部要先切好：发给员工的文件里只有他自己的行，而不是把全表发出去、靠大家自觉。

# %%
cu.dictionary(bank, {"payroll": ["base", "post_pay", "performance", "bonus", "subsidy", "gross", "tax", "net",
                                 "pension_company", "annuity_company", "welfare", "kpi_score"],
                     "employee": ["post", "hire_date", "gender"]})
wages = bank.load("payroll")
staff = bank.load("employee").set_index("employee_id")
if bank.is_real and EMP not in set(wages["employee_id"]):  # 真实数据里员工号是假名，先借一人演示
    cu.say(f"工资表里没有员工号“{EMP}”，先用一名收入居中的员工演示；讲课前请把参数 EMP 改成讲师自己的假名。")
    EMP = payroll.middle_employee(wages, today)
mine = payroll.own_rows(wages, EMP, today)  # 只取自己的行
year = mine[mine["month"] > today - pd.DateOffset(months=12)]
cu.say("本行工资表" + ("有专项附加扣除一列。" if bank.has("payroll.special_deduction")
                 else "没有“专项附加扣除”一列，算税时按零；有房贷、子女、老人的员工，实际税会更少。"))

# %% [markdown] outline=["S004-G1.1"]
# ## 演示一：我的工资条——从应发到到手
#
# 应发是单位答应的数，到手是银行卡里的数，中间隔着五样缴费和一道税。瀑布图从左往右读，一级一级往下掉；
# 掉得最多的那一级，往往不是税。最近十二个月合起来看，不会被一个月的奖金带偏。

# %%
total = payroll.employer_cost(year).sum()
kinds = payroll.by_kind(year)
steps = [(name, -value) for name, value in kinds["个人"].items() if value > 0] + [("个税", -total["tax"])]
fig = cu.charts.waterfall(steps, start=total["gross"], start_label="应发", end_label="到手")
largest = min(steps, key=lambda step: step[1])
cu.charts.finish(fig, title=f"应发 {total['gross'] / 1e4:.1f} 万元，到手 {total['net'] / total['gross']:.0%}；减得最多的是{largest[0]}",
                 alt="瀑布图：从应发开始，依次减去各项个人缴费和个人所得税，剩下到手。",
                 source=f"工资表，本人，{year['month'].min():%Y-%m} 至 {today:%Y-%m}")

# %% [markdown]
# **我排在哪里？** 名次不能给：说“你在全行柜员里排第几”，等于把别人的工资也说了一半。这里只给**五分之一的档**，而且
# 同岗位人多到每一档都不少于五人才给 [本课程定义]；人少一些，只说上半、下半；再少就不显示。

# %%
last_year = wages[wages["month"] > today - pd.DateOffset(months=12)]
yearly = last_year.groupby("employee_id").agg(gross=("gross", "sum"), months=("month", "size"))
yearly = yearly[yearly["months"] == 12].join(staff, how="inner")
yearly = yearly[yearly["active"]]
my_post = staff.loc[EMP, "post"]
peers = yearly.loc[yearly["post"] == my_post, "gross"]
place = payroll.band(yearly["gross"].get(EMP, np.nan), peers, MIN_CELL) if EMP in yearly.index else "入职不满一年，不显示"
parts = year[["base", "post_pay", "performance", "bonus", "overtime", "subsidy"]].sum() / year["gross"].sum()
floating = parts["performance"] + parts["bonus"]
cu.say(f"同岗位（{my_post}）全年应发：**{place}**。我的应发里，绩效和奖金占 {floating:.0%}，基本、岗位和补贴占 "
       f"{parts[['base', 'post_pay', 'subsidy']].sum():.0%}。"
       + ("大头是浮动的：今年的数不能当成明年的数。" if floating > 0.5 else "大头是固定的。"))

# %% [markdown]
# ## 演示二：个税为什么越到年底越多——累计预扣法
#
# 很多人以为每个月单独算税。不是。工资的个税**从一月起累计**：
#
# > 本月个税 ＝ 累计应税 × 税率 － 速算扣除数 － 前几个月已经扣的 [来源：个人所得税扣缴申报管理办法（试行）]
#
# 累计应税 ＝ 累计应发 － 累计个人缴费 － 每月五千元 × 月数 － 累计专项附加扣除 [来源：个人所得税法]。
# 累计应税不超过 36000 元的部分 3%，超过 36000 至 144000 元的部分 10%，再往上还有五档 [来源：个人所得税法，税率表以现行规定为准，用前请财务核]。
# 所以同样的工资，年初扣得少，跨过一档以后扣得多，**到了一月又从头来**。本月算出来比已扣的少，就扣零，不当月退，
# 多扣的等第二年汇算再退。税法会修订，真实工作以最新规定为准。

# %%
recomputed = payroll.withholding(year)
table = pd.concat([year[["month", "gross", "net"]], recomputed[["taxable", "top_rate", "tax"]]], axis=1)
cu.show(table, rows=12, names=NAMES, units={"gross": "元", "net": "元", "taxable": "元", "tax": "元", "top_rate": "%"})
wrong = (payroll.withholding(wages)["tax"] - wages["tax"]).abs().gt(0.011).sum()
jump = table.loc[table["top_rate"].diff() > 0, "month"]
cu.say(f"按这个办法复算全行 {len(wages):,} 张工资条，和工资表差一分以上的有 **{wrong}** 张。我的税率"
       + (f"在 {jump.iloc[0]:%Y 年 %m 月}跳了一档：那个月到手变少，不是少发了，是累计到了。" if len(jump) else "这一年没有跳档。"))

# %%
layers = payroll.employer_cost(year).set_index(year["month"].dt.strftime("%Y-%m"))[["net", "personal", "tax"]]
fig = cu.charts.stacked_ladder(layers.rename(columns=NAMES), unit="元", totals=False)
top, low = layers["net"].idxmax(), layers["net"].idxmin()
cu.charts.finish(fig, title=f"到手最多的是 {top}（{layers['net'].max():,.0f} 元），最少的是 {low}（{layers['net'].min():,.0f} 元）",
                 alt="堆叠柱：每个月的应发分成到手、个人缴费和个税三层。", source="工资表，本人，最近十二个月")
alone = sum(payroll.tax_due(value) for value in recomputed["taxable"].diff().fillna(recomputed["taxable"].iloc[0]))
cu.say(f"全年个税 {recomputed['tax'].sum():,.0f} 元。如果每个月单独用年度税率表算，会得到 {alone:,.0f} 元："
       + ("**少算了**，因为每个月都停在最低一档。" if alone < recomputed["tax"].sum() - 1 else "这一年没有跨档，两种算法碰巧一样。"))

# %% [markdown] outline=["S004-G1.2"]
# ## 演示三：单位替我付了多少
#
# 工资条只印了个人缴的那一半。另一半在单位账上：养老、医疗、失业、工伤、公积金、年金，再加餐费、体检这些福利。
# 把两边并排放，员工才看得到单位的付出，单位也才知道用一个人的真实成本。

# %%
both = kinds[kinds.sum(axis=1) > 0]
fig = cu.charts.stacked_ladder(both, unit="元", colors=["#E69F00", "#0072B2"], totals=False)
times = both["单位"].sum() / both["个人"].sum()
cu.charts.finish(fig, title=f"一年里单位替我缴 {both['单位'].sum() / 1e4:.1f} 万元，是我自己缴的 {times:.1f} 倍",
                 alt="堆叠柱：六种缴费，每种分成个人缴的和单位缴的两段。", source="工资表，本人，最近十二个月")
cu.say(f"单位为我的总付出 ＝ 应发 {total['gross'] / 1e4:.1f} ＋ 单位缴费 {total['company'] / 1e4:.1f} ＋ 福利 {total['welfare'] / 1e4:.1f} ＝ "
       f"**{total['cost'] / 1e4:.1f} 万元**。我每到手一元，单位付出 **{total['cost'] / total['net']:.2f} 元**。")

# %%
everyone = payroll.employer_cost(last_year).assign(post=last_year["employee_id"].map(staff["post"]).to_numpy(),
                                                   employee_id=last_year["employee_id"])
by_post = everyone.groupby("post")[["gross", "cost", "net"]].sum()
by_post["people"] = everyone.groupby("post")["employee_id"].nunique()
by_post = by_post[by_post["people"] >= MIN_CELL]
by_post["cost_ratio"] = by_post["cost"] / by_post["gross"]
cu.show(by_post[["people", "cost_ratio"]].sort_values("cost_ratio"), names=NAMES, units={"cost_ratio": "倍", "people": "人"})
ratio = everyone["cost"].sum() / everyone["gross"].sum()
cu.say(f"全行单位总付出是应发的 **{ratio:.2f} 倍**。各岗位从 {by_post['cost_ratio'].min():.2f} 到 {by_post['cost_ratio'].max():.2f}："
       "福利人人一样多、缴费基数有上下限，所以工资低的岗位倍数反而"
       + ("高。" if by_post["cost_ratio"].corr(by_post["gross"] / by_post["people"]) < 0 else "不高。"))

# %% [markdown] outline=["S004-G1.3"]
# ## 演示四：隐性财富——哪些在我名下，什么时候能用
#
# “单位缴的”不等于“我的”。分三种：**在我名下的**（公积金两边、养老个人账户、年金），**在大池子里的**
# （养老、医疗的单位部分，以后按规则换成养老金和报销），**出了事才用的**（失业、工伤）。年金的单位部分，
# 一般按服务年限归属，提前走可能拿不全。下面是一般做法，以本行方案为准。

# %%
cu.show(payroll.ownership(), rows=9)
own_columns = ["pension_personal", "medical_personal", "housing_personal", "housing_company", "annuity_personal", "annuity_company"]
saved = mine[own_columns].sum(axis=1)
per_month = saved.tail(12).mean()
cu.say(f"进我名下账户的钱，平均每月 **{per_month:,.0f} 元**，相当于到手的 {per_month / year['net'].mean():.0%}。"
       "工资条上看不见它，十年以后看得见。")

# %% [markdown]
# 这笔钱到六十岁有多少？拿**已知的两年**作起点，按工资每年涨、收益每年起伏，算两千次，画成扇形：中间那条线一半的情形在
# 它上面，最外面的两条之间是八成的情形。扇形只算了一年一年的起伏，平均收益本身也可能猜错。收益的均值取高低两个假设的中间 [参数]，**不是预测，也不是承诺**；
# 公积金很可能中途买房用掉；再扣掉物价，才是今天的钱。

# %%
age = today.year - int(staff.loc[EMP, "birth_year"])
years = max(RETIRE_AGE - age, 1)
middle_return = (RETURN_LOW + RETURN_HIGH) / 2
history = saved.groupby(mine["month"].dt.year).sum().cumsum()
paths = payroll.wealth_fan(per_month, years, middle_return, RETURN_SPREAD, WAGE_GROWTH, start=history.iloc[-1])
paths.index = paths.index + today.year
fig = cu.charts.fan(history, paths)
end = paths.iloc[-1]
cu.charts.finish(fig, title=f"到 {paths.index[-1]} 年，名下账户的中间情形是 {end[0.5] / 1e4:,.0f} 万元（八成情形 {end[0.1] / 1e4:,.0f} 到 {end[0.9] / 1e4:,.0f}）",
                 alt="扇形图：从已知两年的累计出发，到退休年龄的累计余额分位数。", source="工资表，本人；收益与涨薪为参数")
slow, fast = (payroll.nest_egg(per_month, years, r, WAGE_GROWTH, history.iloc[-1]).iloc[-1] for r in (RETURN_LOW, RETURN_HIGH))
cu.say(f"收益每年差一个点，{years} 年后差 **{(fast - slow) / 1e4:,.0f} 万元**。中间情形折成今天的钱，约 "
       f"**{end[0.5] / (1 + INFLATION) ** years / 1e4:,.0f} 万元**：名义上的数要打折看。以前年份的积累不在表里，没有算。")

# %% [markdown]
# ## 演示五：公平不公平——只看五人以上的汇总
#
# “她比他拿得少”，先问是不是同一个岗位、同样的年限、同样的绩效。**直接比**是两组平均的差；**校正后**是在岗位、
# 年限、绩效得分相同的人之间比（回归）；**双重稳健**再用加权核一遍。横线是 95% [定义] 区间，跨过零就是看不出差别。
# 校正也有代价：如果女性更难升到高岗位，“同岗位比”就把这一段差距校没了，所以两个数都要报。

# %%
pay = last_year.groupby("employee_id")[["gross", "performance", "bonus", "kpi_score"]].mean()
people = yearly[["branch_id", "post", "hire_date", "gender", "education"]].join(pay)
people["years"] = ((today - people["hire_date"]).dt.days / 365.25).clip(0, 20)
people["log_pay"], people["woman"] = np.log(people["gross"]), (people["gender"] == "女").astype(float)
scored = people.dropna(subset=["kpi_score", "gender"])
FACTORS = ["post", "years", "kpi_score"]
gaps = pd.DataFrame({"直接比": causal.regression_effect(people.dropna(subset=["gender"]), "log_pay", "woman"),
                     "同岗位、年限、绩效（回归）": causal.regression_effect(scored, "log_pay", "woman", FACTORS),
                     "同岗位、年限、绩效（双重稳健）": causal.doubly_robust(scored, "log_pay", "woman", FACTORS)}).T
gaps[["estimate", "low", "high"]] = np.expm1(gaps[["estimate", "low", "high"]])
fig = cu.charts.forest(gaps, unit="%")
raw, adjusted = gaps.iloc[0], gaps.iloc[1]
verdict = "区间跨过零，看不出差别" if adjusted["low"] <= 0 <= adjusted["high"] else "区间不跨零"
cu.charts.finish(fig, title=f"女性应发直接比 {raw['estimate']:+.0%}；同岗位、年限、绩效 {adjusted['estimate']:+.1%}，{verdict}",
                 alt="森林图：男女应发差距，直接比与校正后的估计和区间。", source=f"工资表，满一年的在岗员工 {len(people)} 人")

# %%
counts = people.groupby("post")["woman"].agg(["mean", "size"]).join(people.groupby("post")["gross"].mean())
counts = counts[counts["size"] >= MIN_CELL].sort_values("gross")
link = counts["mean"].corr(counts["gross"], method="spearman")
cu.say(f"直接比相差 {raw['estimate']:+.0%}，校正以后剩 {adjusted['estimate']:+.1%}（区间 {adjusted['low']:+.1%} 到 {adjusted['high']:+.1%}）："
       + ("差距的大半来自**谁在什么岗位**。" if abs(adjusted["estimate"]) < abs(raw["estimate"]) / 2 else "岗位只解释了一小半。")
       + f"岗位平均工资越高、女性占比越{'低' if link < 0 else '高'}（等级相关 {link:+.2f}，只有 {len(counts)} 个岗位）。"
       "要问的下一句是：升到高岗位的机会公平吗？这张表回答不了。")

# %% [markdown]
# **绩效拉得开、说得清吗？** 绩效工资的差别里，有多少能由考核得分解释？按岗位先除掉高低，再算相关系数的平方；
# 区间用**自助法**：把人重抽几百遍，看这个数晃多大。另一头是**稳不稳**：浮动占得越多，月度起伏（一年里各月应发的标准差除以平均，
# 去掉发奖金的月份）越大，员工的安全感越少。两头要一起看。

# %%
def explained(rows):
    """绩效工资（相对本岗位平均）的差别里，考核得分解释了多少。"""
    relative = rows["performance"] / rows.groupby("post")["performance"].transform("mean")
    return relative.corr(rows["kpi_score"]) ** 2


r2 = causal.bootstrap_interval(scored, explained, draws=300)
plain = last_year[last_year["bonus"] == 0].groupby("employee_id")["gross"].agg(["std", "mean"])
people["swing"] = plain["std"] / plain["mean"]
people["share"] = (people["performance"] + people["bonus"]) / people["gross"]
stable = people.groupby("post")[["share", "swing"]].mean().join(people.groupby("post").size().rename("people"))
cu.show(stable[stable["people"] >= MIN_CELL].sort_values("swing"), names=NAMES, units={"share": "%", "swing": "%", "people": "人"})
cu.say(f"绩效工资的差别里，**{r2['estimate']:.0%}** 由考核得分解释（区间 {r2['low']:.0%} 到 {r2['high']:.0%}）。其余是得分以外的东西，"
       "比如二次分配和补发，表里看不出是哪一样。" + ("一半以上说得清，但不是全部。" if r2["low"] > 0.5 else "说不清的可能接近一半：先把分配规则写下来。"))

# %% [markdown]
# **同岗同绩效，哪些群体偏低？** 先用岗位、年限、绩效得分算出每个人“按规则大约该拿多少”，实际减去它叫**残差**；
# 再按群体求平均。人少的群体平均数晃得厉害，所以每个点带一条横线：长短等于光凭运气也会有的范围，人越少越长
# （半宽 ＝ 1.96 × 全部残差的标准差 ÷ 人数的平方根 [定义]）。横线跨过零，就是看不出差别；跨不过，是“值得去核实”，
# 不是“有人被亏待”的证据：二十个点里，凭运气平均也有一个跨不过 [定义]。这里按学历和网点类型分组做示范；按网点分，留给练习四。

# %%
branch = bank.load("branch").set_index("branch_id")
left = payroll.residual(people, "log_pay", FACTORS)
kind = people["branch_id"].map(branch["branch_type"])
by_group = pd.concat([payroll.group_gaps(left, people[column] if column else kind, MIN_CELL)
                      for column in (["education", None] if bank.has("employee.education") else [None])])
out = list(by_group.index[by_group["outside"]])
by_group[["low", "high"]] = by_group[["low", "high"]].add(by_group["gap"], axis=0)  # 界限移到点的两边
by_group.index = [f"{name}（{count} 人）" for name, count in by_group["people"].items()]
fig = cu.charts.forest(by_group, value="gap", unit="%")
cu.charts.finish(fig, title="同岗同绩效，各学历、各类网点" + ("都看不出差别" if not out else "里，" + "、".join(out) + "跨不过零"),
                 alt="森林图：各学历、各类网点同岗同绩效的工资差距，带凭运气的范围。", source="工资表与员工表，满一年的在岗员工")

# %% [markdown]
# ## 演示六：汇总也会露出人来
#
# “不少于五人”听起来简单，做起来有两个坑。一是切得太细：网点 × 岗位，多数格子不到五人。二是**一减就出来**：
# 网点 × 性别，只藏男性那一格，可是网点合计是公开的，合计减去女性就是它。所以藏一格还不够，要再陪藏一格（二次隐藏）。
#
# 小网点的行长只有一位：公布“行长岗平均”，等于公布他的工资。岗位少于五人时，并到上一级去看。

# %%
posts_head = people.groupby(["branch_id", "post"]).size()
head = people.dropna(subset=["gender"]).groupby(["branch_id", "gender"]).size().unstack(fill_value=0)
small = (head > 0) & (head < MIN_CELL)
hide = payroll.hidden_cells(head, MIN_CELL)
single = int((small.sum(axis=1) == 1).sum())
shown = head.where(~hide).astype("Float64").assign(people=head.sum(axis=1))
cu.show(shown.head(8), rows=8, names=NAMES, units=dict.fromkeys(shown.columns, "人"))
cu.say(f"网点 × 岗位 {len(posts_head)} 格里，不到 {MIN_CELL} 人的占 **{(posts_head < MIN_CELL).mean():.0%}**：这样切等于点名。网点 × 性别好一些，"
       f"可 {len(head)} 家网点里有 **{single} 家**只有一格不到 {MIN_CELL} 人，藏了也一减就露；加上陪藏的，{head.size} 格要藏 "
       f"{int(hide.sum().sum())} 格（上表空白就是不显示）。切得越细，能看的越少：谈公平，按网点或者按岗位就够了，不要两个一起切。")

# %% [markdown]
# ## 练习
#
# **E1 ★★ 写一个函数** `net_pay(slips)`。`slips` 是**一个人**的工资条，列有 `month`（月末日）、`gross`、`personal`（个人缴费合计）、
# `special`（专项附加扣除，可能为空，按零）。返回每个月的到手（Series，索引和 `slips` 一样，差一分以内都算对 [参数]）。
# 个税用累计预扣法，每月减五千 [来源：个人所得税法]，每年一月重新累计，当月不退税；行的次序可能是乱的。可以用 `payroll.tax_due(累计应税)`。

# %% tags=["answer:E1"]
net_pay = ...  # ← 写一个函数 net_pay(slips)
### BEGIN SOLUTION


def net_pay(slips):
    ordered = slips.sort_values("month")
    income = ordered["gross"] - ordered["personal"] - ordered["special"].fillna(0) - 5000
    calendar_year = ordered["month"].dt.year
    due = payroll.tax_due(income.groupby(calendar_year).cumsum())
    highest = due.groupby(calendar_year).cummax()
    tax = highest - highest.groupby(calendar_year).shift(fill_value=0)
    net = ordered["gross"] - ordered["personal"] - tax
    return net.reindex(slips.index)


### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:each_month_alone"]
def net_pay(slips):
    income = slips["gross"] - slips["personal"] - slips["special"].fillna(0) - 5000
    return (slips["gross"] - slips["personal"] - payroll.tax_due(income)).round(2)

# %% tags=["wrong:E1:never_restarts"]
def net_pay(slips):
    ordered = slips.sort_values("month")
    income = ordered["gross"] - ordered["personal"] - ordered["special"].fillna(0) - 5000
    highest = payroll.tax_due(income.cumsum().round(2)).cummax()
    tax = highest - highest.shift(fill_value=0)
    return (ordered["gross"] - ordered["personal"] - tax).round(2).reindex(slips.index)

# %% tags=["wrong:E1:refunds"]
def net_pay(slips):
    ordered = slips.sort_values("month")
    income = ordered["gross"] - ordered["personal"] - ordered["special"].fillna(0) - 5000
    due = payroll.tax_due(income.groupby(ordered["month"].dt.year).cumsum().round(2))
    tax = due - due.groupby(ordered["month"].dt.year).shift(fill_value=0)
    return (ordered["gross"] - ordered["personal"] - tax).round(2).reindex(slips.index)

# %% tags=["wrong:E1:forgot_special"]
def net_pay(slips):
    ordered = slips.sort_values("month")
    income = ordered["gross"] - ordered["personal"] - 5000
    highest = payroll.tax_due(income.groupby(ordered["month"].dt.year).cumsum().round(2))
    highest = highest.groupby(ordered["month"].dt.year).cummax()
    tax = highest - highest.groupby(ordered["month"].dt.year).shift(fill_value=0)
    return (ordered["gross"] - ordered["personal"] - tax).round(2).reindex(slips.index)

# %% tags=["alternative:E1:loop"]
def net_pay(slips):
    result, now, income, paid = {}, None, 0.0, 0.0
    for label, slip in slips.sort_values("month").iterrows():
        if slip["month"].year != now:
            now, income, paid = slip["month"].year, 0.0, 0.0
        special = 0 if pd.isna(slip["special"]) else slip["special"]
        income += slip["gross"] - slip["personal"] - special - 5000
        tax = max(payroll.tax_due(round(income, 2)) - paid, 0)
        paid += tax
        result[label] = round(slip["gross"] - slip["personal"] - tax, 2)
    return pd.Series(result, dtype=float).reindex(slips.index)

# %% [markdown]
# **E2 ★ 写几行** 用 `year`（自己最近十二个月）算三个数，依次放进 `two_sides`：单位缴费加福利合计（元）、个人缴费合计（元）、
# 每到手一元单位的总付出（元）。

# %% tags=["answer:E2"]
two_sides = ...  # ← 三个数：(单位缴费加福利, 个人缴费, 每到手一元单位付出)
### BEGIN SOLUTION
company = year.filter(like="_company").sum().sum() + year["welfare"].sum()
personal = year.filter(like="_personal").sum().sum()
per_yuan = (year["gross"].sum() + company) / year["net"].sum()
two_sides = (company, personal, per_yuan)
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:forgot_welfare"]
company = year.filter(like="_company").sum().sum()
personal = year.filter(like="_personal").sum().sum()
two_sides = (company, personal, (year["gross"].sum() + company) / year["net"].sum())

# %% tags=["wrong:E2:over_gross"]
company = year.filter(like="_company").sum().sum() + year["welfare"].sum()
personal = year.filter(like="_personal").sum().sum()
two_sides = (company, personal, (year["gross"].sum() + company) / year["gross"].sum())

# %% tags=["wrong:E2:last_month"]
slip = year.tail(1)
company = slip.filter(like="_company").sum().sum() + slip["welfare"].sum()
two_sides = (company, slip.filter(like="_personal").sum().sum(), (slip["gross"].sum() + company) / slip["net"].sum())

# %% tags=["alternative:E2:helper"]
sides = payroll.employer_cost(year).sum()
two_sides = [sides["company"] + sides["welfare"], sides["personal"], sides["cost"] / sides["net"]]

# %% [markdown]
# **E3 ★★ 写一个函数** `future_wealth(monthly, years, rate, growth)`：第一年每月存 `monthly` 元，以后每年多存 `growth`；
# 一年存的钱算在**年末**进账，账户里原有的钱一年增值 `rate`。返回 `years` 年末的余额（元）。例如存一年，就是十二个月的本金，还没有收益。
# 写好以后，用 `RETURN_LOW` 和 `RETURN_HIGH` 各算一遍，看看三十年差多少。

# %% tags=["answer:E3"]
future_wealth = ...  # ← 写一个函数 future_wealth(monthly, years, rate, growth)
### BEGIN SOLUTION


def future_wealth(monthly, years, rate, growth):
    balance = 0.0
    for k in range(years):
        balance = balance * (1 + rate) + monthly * 12 * (1 + growth) ** k
    return balance


### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:paid_at_start"]
def future_wealth(monthly, years, rate, growth):
    balance = 0.0
    for k in range(years):
        balance = (balance + monthly * 12 * (1 + growth) ** k) * (1 + rate)
    return balance

# %% tags=["wrong:E3:no_growth"]
def future_wealth(monthly, years, rate, growth):
    balance = 0.0
    for _ in range(years):
        balance = balance * (1 + rate) + monthly * 12
    return balance

# %% tags=["wrong:E3:simple_interest"]
def future_wealth(monthly, years, rate, growth):
    return sum(monthly * 12 * (1 + growth) ** k * (1 + rate * (years - 1 - k)) for k in range(years))

# %% tags=["alternative:E3:sum"]
def future_wealth(monthly, years, rate, growth):
    return sum(monthly * 12 * (1 + growth) ** k * (1 + rate) ** (years - 1 - k) for k in range(years))

# %% [markdown]
# **E4 ★★★ 决定** 人力资源部要一张表 `hr_table`：**一家网点一行**，列 `branch_id`、`people`（用来算的人数）、
# `gap`（残差 `left` 的平均）、`flag`（是否在 95% [定义] 界限以外，界限同演示五）。人数不到 `MIN_CELL` 的网点**不能出现**，也不能带员工号、岗位这些列。
# `left` 的索引是员工号，`people` 里有每人的 `branch_id`。

# %% tags=["answer:E4"]
hr_table = ...  # ← 一家网点一行：branch_id、people、gap、flag
### BEGIN SOLUTION
groups = left.groupby(people["branch_id"].reindex(left.index))
hr_table = pd.DataFrame({"people": groups.size(), "gap": groups.mean()})
hr_table = hr_table[hr_table["people"] >= MIN_CELL]
limit = 1.959964 * left.std() / np.sqrt(hr_table["people"])
hr_table["flag"] = hr_table["gap"].abs() > limit
hr_table = hr_table.rename_axis("branch_id").reset_index()
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:branch_and_post"]
fine = people.loc[left.index, ["branch_id", "post"]].assign(left=left)
hr_table = fine.groupby(["branch_id", "post"])["left"].agg(people="size", gap="mean").reset_index()
hr_table["flag"] = hr_table["gap"].abs() > 1.959964 * left.std() / np.sqrt(hr_table["people"])

# %% tags=["wrong:E4:raw_average"]
rough = people.loc[left.index, "log_pay"] - people.loc[left.index, "log_pay"].mean()
hr_table = payroll.group_gaps(rough, people["branch_id"], MIN_CELL).reset_index(names="branch_id")
hr_table = hr_table.rename(columns={"outside": "flag"})[["branch_id", "people", "gap", "flag"]]

# %% tags=["wrong:E4:below_zero"]
hr_table = payroll.group_gaps(left, people["branch_id"], MIN_CELL).reset_index(names="branch_id")
hr_table = hr_table.assign(flag=hr_table["gap"] < 0)[["branch_id", "people", "gap", "flag"]]

# %% tags=["wrong:E4:same_limit"]
hr_table = payroll.group_gaps(left, people["branch_id"], MIN_CELL).reset_index(names="branch_id")
hr_table = hr_table.assign(flag=hr_table["gap"].abs() > 1.959964 * left.std())[["branch_id", "people", "gap", "flag"]]

# %% tags=["alternative:E4:helper"]
hr_table = payroll.group_gaps(left, people["branch_id"], MIN_CELL).reset_index(names="branch_id")
hr_table = hr_table.rename(columns={"outside": "flag"})[["branch_id", "people", "gap", "flag"]]

# %% [markdown]
# ## 成果
#
# 两样东西：一张**只给本人**的工资卡片（图片），一张**只给人力资源部**的汇总表（每一格不少于五人 [定义]）。
# 卡片上没有名次，没有别人；汇总表上没有员工号。后面的图是**漏斗**：横轴是人数，虚线就是练习四的界限，左边人少的地方宽，
# 右边人多的地方窄，点落在虚线以外才值得去核实。

# %%
cards = pd.DataFrame([
    ("应发", f"{total['gross'] / 1e4:.1f} 万元", "最近十二个月"),
    ("到手", f"{total['net'] / 1e4:.1f} 万元", f"应发的 {total['net'] / total['gross']:.0%}"),
    ("个税", f"{total['tax']:,.0f} 元", "累计预扣，一月重来"),
    ("单位总付出", f"{total['cost'] / 1e4:.1f} 万元", f"到手一元，单位付 {total['cost'] / total['net']:.2f} 元"),
    ("每月进我名下", f"{per_month:,.0f} 元", "公积金、年金、养老医疗个人账户"),
    ("同岗位位置", place, f"{my_post}；只分档，不排名"),
], columns=["label", "value", "note"])
words = {"title": "我的工资卡片：看得见的和看不见的", "alt": "六张数字卡片：应发、到手、个税、单位总付出、名下积累、同岗位位置。",
         "source": f"工资表，仅供本人，{today:%Y-%m-%d}"}
picture = cu.charts.render(cu.charts.fact_cards(cards), **words).save(bank.output_dir("m04_n05") / "我的工资卡片.png")
cu.say(f"卡片已保存：`{picture.name}`。")
fig = cu.charts.fact_cards(cards)
cu.charts.finish(fig, title=words["title"], alt=words["alt"], source=words["source"])

# %%
cu.carry_on("E4")
outside = list(hr_table.loc[hr_table["flag"], "branch_id"])
target = bank.load("target", columns=["period_end", "branch_id", "metric", "target", "actual"]).dropna(subset=["actual"])
target = target[(target["period_end"] <= today) & (target["target"] > 0) & (target["metric"] != "存款年日均增量")]
done = (target["actual"] / target["target"]).groupby(target["branch_id"]).mean().rank(pct=True)
funnel = payroll.group_gaps(left, people["branch_id"], MIN_CELL)
fig = cu.charts.funnel_plot(funnel, size="people", value="gap", limits={"95% 界限": ("low", "high")}, center=0.0,
                            size_label="人数", label=[*outside, *([BRANCH] if BRANCH else [])])
cu.charts.finish(fig, title="同岗同绩效，各网点" + ("都在运气的范围里" if not outside else f"里 {'、'.join(outside)} 在界限以外"),
                 alt="漏斗图：横轴网点人数，纵轴同岗同绩效的工资差距。", source=f"{len(funnel)} 家网点，满一年的在岗员工")
low = hr_table.sort_values("gap").iloc[0]
cu.say(f"最低的是 {low['branch_id']}：同岗同绩效差 **{np.expm1(low['gap']):+.1%}**（{low['people']} 人）；指标完成率高于全行 {done.get(low['branch_id'], np.nan):.0%} 的网点，"
       + ("不能说是干得差。" if done.get(low["branch_id"], 0) > 0.2 else "完成得也差，先分清是哪一头。")
       + f"{len(funnel)} 家网点里，凭运气平均也会有 {0.05 * len(funnel):.1f} 家出界：先去核实分配办法，再下结论。")

# %%
Sheet = cu.deliver.Sheet
table = hr_table.assign(flag=hr_table["flag"].map({True: "去核实", False: ""}), gap=np.expm1(hr_table["gap"]))
gender = gaps.reset_index(names="办法")[["办法", "estimate", "low", "high"]]
posts = stable[stable["people"] >= MIN_CELL].reset_index()
path = cu.deliver.workbook(
    bank.output_dir("m04_n05") / "工资公平汇总_人力资源部.xlsx",
    {"网点": Sheet(table, names=NAMES, units={"gap": "%", "people": "人"}),
     "岗位": Sheet(posts, names=NAMES, units={"share": "%", "swing": "%", "people": "人"}),
     "男女": Sheet(gender, names={"estimate": "差距", "low": "下限", "high": "上限"}, units=dict.fromkeys(["estimate", "low", "high"], "%"))},
    title="工资公平汇总", purpose="薪酬分配核查", purge_date=today + pd.Timedelta(days=PURGE_DAYS),
    notes=[f"每一格不少于 {MIN_CELL} 人；界限以外是去核实的线索，不是结论。"])
cu.say(f"已保存 `{path.name}`：{len(table)} 家网点、{len(posts)} 个岗位，{PURGE_DAYS} 天后销毁。")
cu.progress()

# %% [markdown]
# ## 讨论
#
# - 把隐性财富画出来，抱怨会少，还是会多出新的抱怨（“为什么他的年金比我多”）？怎样安排一次公平的试验？
# - 校正以后看不出男女差别，是不是就不用管了？岗位本身是怎么分的？
# - 员工拿着卡片互相比，算不算泄露？本人愿意给别人看，单位该不该拦？
#
# ## 小结
#
# 到手之前有两笔看不见的钱：自己缴的和单位缴的，把它们摆出来，才谈得上值不值。个税从一月累计，跨档的月份到手会变少。
# 谈公平要同岗同绩效、要带区间、要不少于五人；出界的网点先去核实，不要先定罪。
#
# 下一课：分组研讨，用前面学过的方法共创一个客户模型。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 常见的弯路：个税每月单独算，全年少算一大截；把单位缴费当成自己的钱；用网点 × 岗位的小格子找“吃亏的人”，
# 一下子就露出了行长的工资；看到平均偏低的网点就下结论，忘了人少晃得大。时间建议：演示一到四占一半，演示五、六占两成，练习占三成。

# %% tags=["instructor"]
here = (people["branch_id"] == "B19").astype(float)
found = causal.regression_effect(people.assign(here=here).dropna(subset=["kpi_score"]), "log_pay", "here", [*FACTORS, "woman"])
cu.reveal(bank, "m04_n05", {"cost_ratio": ratio, "perf_r2": r2["estimate"], "underpaid": float(np.expm1(found["estimate"])),
                            "gender_adj": float(np.log1p(adjusted["estimate"]))},
          names={"cost_ratio": "单位总付出÷应发", "perf_r2": "绩效由得分解释", "underpaid": "偏低的网点 B19", "gender_adj": "男女差距（校正后）"})
