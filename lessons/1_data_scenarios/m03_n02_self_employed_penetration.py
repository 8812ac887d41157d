# %% [markdown]
# # 个体工商户名单：匹配、渗透与积分管理
#
# 课程：银行二十种数据实战应用场景（第二部分）· 信贷营销类十场景之二 ·
# 大纲：S004-C2、S004-C2.1 至 S004-C2.6 · 难度：L2 · 用时：90 分钟
#
# 学完本课，你能：
#
# - 把一份外来的登记名单和本行客户安全地对上，说清对得多准、漏了多少；
# - 算出每个业态、每条街的覆盖和产品渗透，带上区间，不被小网格骗；
# - 定一套刷不动的积分，再把名单变成扫街任务和下一个产品。
#
# Abstract: Match a public registry of self-employed shops to customers, measure holding and penetration
# with honest intervals, design points that cannot be gamed, and hand each branch its street plan.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 看哪家网点的网格：None 表示全行（匹配总是用全行数据）
PLACE = None  # 店名前面常带的地名：None 表示用银行资料里的县（市）名
PRECISION_GOAL = 0.97  # 自动接受的一对，至少多大比例要是真的
REVIEW_FLOOR = 0.40  # 名称相似度不到多少，连人工也不必看
EVIDENCE = 2  # 人工复核时，三项旁证至少对上几项才算同一家
MIN_SHOPS = 20  # 一个网格至少多少家存续商户才参加排名
POINTS = {"经营贷": 5, "收单": 3, "代发工资": 3, "手机银行": 1, "代扣缴费": 1, "社保卡": 1, "企业微信": 1}  # 积分
DEPOSIT_CAP = 5  # 日均存款每满一万元记一分，最多几分
CHEAP = ["手机银行", "代扣缴费", "社保卡", "企业微信"]  # 一分钟就能办的低分项
CHEAP_SHARE = 0.40  # 低分项最多占总积分的多大比例
LOAN_MARGIN = 0.015  # 一元贷款一年的净收益，元
DEPOSIT_MARGIN = 0.010  # 一元存款一年的净收益，元
VISITS_PER_DAY = 8  # 一个人一天能走几家店

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m03_n02", BANK, AS_OF)
today = bank.as_of
matching, weighted, ranking = cu.analysis.matching, cu.analysis.weighted, cu.analysis.ranking
place, IDS = PLACE or bank.profile.world.get("county", ""), ("registry_id", "customer_id")
PRODUCTS = {"has_social_card": "社保卡", "has_mobile_bank": "手机银行", "has_wechat_work": "企业微信",
            "has_etc": "电子收费卡", "has_pos": "收单", "has_credit_card": "信用卡", "has_business_loan": "经营贷",
            "has_wealth": "理财", "has_insurance": "保险", "has_utilities": "代扣缴费", "has_payroll": "代发工资"}

# %% [markdown] outline=["S004-C2"]
# ## 业务情境
#
# 一位网点主任拿着一叠打印纸问：“市场监管部门公开的个体户登记名单，上面这些店，**哪些已经是我们的客户？
# 哪条街一家都没有？** 让客户经理去扫街，总不能见门就进吧。”
#
# 难处在第一步。名单上写的是店名，我们系统里写的也是店名，可是两边写法不一样：有的前面带县名，有的后面带
# “（个体工商户）”。对不上，老客户会被当成陌生人再推销一遍；对错了，就把甲家的贷款安到乙家头上。
#
# 这些数据**不能**说明没对上的店“没有银行服务”：他可能用的是别家，也可能用老板个人的卡收钱。
# 名单本身也会过时。示例银行的名单是合成的，已按样本规模缩小，店名都是编的。
#
# **规矩先说在前面** [来源：个人信息保护法第 6、23、73 条，商业银行法第 29 条]：外面的名单可以拿进来，
# **本行客户清单一行也不能拿出去对**；只比对名称、代码和电话的摘要，不为匹配另外收集信息。
# 摘要只是去标识化，还能认出人，仍然是个人信息，用完要按期销毁。
#
# ## 数据
#
# 主角是两张表：外来的**登记名单**，和本行的**个体户档案**。标注样本是同事逐对核对过的二百对，用来量匹配的准头；
# 其中有意多放了“像而不是”的难题，所以在它上面量出的查准率，会比平常的一对低一些。

# %%
cu.dictionary(bank, {"registry_list": ["registry_id", "name", "uscc_hash", "phone_hash", "industry_code",
                                       "register_date", "capital", "grid_id", "status"],
                     "enterprise": ["customer_id", "uscc_hash", "enterprise_name", "industry_code", "revenue"],
                     "label_sample": ["left_id", "right_id", "true_label"]})
registry = bank.load("registry_list")
people = bank.load("customer", columns=["customer_id", "customer_type", "masked_name", "phone_hash", "weight",
                                        "credit_grade", "do_not_call"])
people = people[people["customer_type"] == "个体工商户"]
files = bank.load("enterprise").merge(people, on="customer_id")  # 本行的个体户
grids = bank.load("grid").set_index("grid_id")
trades = bank.load("industry").set_index("industry_code")["trade_group"]
held = bank.load("customer_product").set_index("customer_id")
held = held.reindex(columns=list(PRODUCTS)).rename(columns=PRODUCTS).fillna(False).astype(bool)

# %% [markdown] outline=["S004-C2.1"]
# ## 演示一：名单上的关键标签
#
# 一份登记名单有六个标签：行业、成立年限、登记状态、经营场所、经营者、出资额。先看**状态**：已经注销的店，
# 去了也是白跑。再看**年限**：常听人说开张头几年最容易关门，下表可以对一对。**出资额**要小心：个体户登记时填多少都行，
# 不用真的拿钱出来。它和营业收入的排名有没有关系，用本行有档案的店量一量。
# 相关系数在负一到一之间，零表示看了出资额也猜不出营收。

# %%
age = (today - registry["register_date"]).dt.days / 365.25
registry["years"] = pd.cut(age, [-1, 1, 3, 5, 10, 99], labels=["1 年内", "1-3 年", "3-5 年", "5-10 年", "10 年以上"])
registry["trade"] = registry["industry_code"].map(trades)
registry["branch_id"] = registry["grid_id"].map(grids["branch_id"])
tags = registry.pivot_table(index="years", columns="status", values="registry_id", aggfunc="count",
                            observed=False, fill_value=0)  # fmt: skip
cu.show(tags.assign(合计=tags.sum(axis=1)), names={"years": "成立年限"}, title="登记名单：年限 × 状态（家）")
gone = (registry["status"] == "注销").mean()
capital = files["register_capital"].corr(files["revenue"], method="spearman")
strength = "关系很弱" if abs(capital) < 0.3 else "关系不强" if abs(capital) < 0.6 else "关系不小"
cu.say(f"名单 **{len(registry):,}** 家，其中注销 **{gone:.1%}**。在本行档案里，出资额与营业收入的排名相关系数是 "
       f"**{capital:.2f}**，{strength}；{'不能' if abs(capital) < 0.6 else '也不宜单独'}拿出资额给店分大小。")

# %% [markdown] outline=["S004-C1.4"]
# ## 演示二：把两边的店名写成一个样
#
# 清洗四步：全角变半角；去掉括号连同里面的字；去掉空格和点；去掉前头的县名和后头的法律形式。
# **不要**去掉“店、商行、经营部”：那是店名的一部分，去多了不同的店会变成一个样。
# 清洗好不好，看同乡镇里“一字不差”的家数涨了多少。

# %%
registry["clean"] = matching.normalise(registry["name"], [place])
files["clean"] = matching.normalise(files["enterprise_name"], [place])
changed = registry[registry["name"] != registry["clean"]]
cu.show(changed[["name", "clean"]].head(5), names={"name": "名单上的写法", "clean": "清洗以后"})
known = set(files["town_id"] + files["enterprise_name"])
known_clean = set(files["town_id"] + files["clean"])
before = (registry["town_id"] + registry["name"]).isin(known).mean()
after = (registry["town_id"] + registry["clean"]).isin(known_clean).mean()
cu.say(f"{len(changed) / len(registry):.0%} 的名称被改动。与本行同乡镇个体户一字不差的，从 **{before:.1%}** 变成 **{after:.1%}**。")

# %% [markdown]
# ## 演示三：先硬后软，分块比对
#
# **第一轮用硬钥匙**：统一社会信用代码的摘要、电话的摘要。对上就是对上，只是有代码的店不多。
#
# **第二轮用店名**。每家都和每家比太慢，先**分块**：只比同一块里的。块分得越细越快，漏的也越多，
# 这个代价要量出来：标注样本里**真的**那些对，还有多少留在同一块里？

# %%
exact = matching.exact(registry, files, {"统一代码": "uscc_hash", "电话": "phone_hash"}, *IDS)
left = registry[~registry["registry_id"].isin(exact["registry_id"])].copy()
right = files[~files["customer_id"].isin(exact["customer_id"])].copy()
for side in (left, right):
    side["head"], side["head_two"] = side["clean"].str[:1], side["clean"].str[:2]
labels = bank.load("label_sample")
labels = labels[labels["task"] == "名单匹配"].rename(columns={"left_id": "registry_id", "right_id": "customer_id"})
labels = labels[labels["registry_id"].isin(registry["registry_id"]) & labels["customer_id"].isin(files["customer_id"])]
rules = {"同乡镇": ["town_id"], "同乡镇、首字相同": ["town_id", "head"], "同乡镇、前两字相同": ["town_id", "head_two"]}
blocks = matching.block_cost(left, right, rules, labels[labels["true_label"]], *IDS)
cu.show(blocks, names={"way": "分块办法", "pairs": "要比的对数", "kept": "真的还留下"}, units={"kept": "%"})
lost = 1 - blocks["kept"].iloc[-1]
cu.say(f"硬钥匙先对上 **{len(exact):,}** 家（{len(exact) / len(registry):.1%}）。取“同乡镇、首字相同”：对数只有全比的 "
       f"{blocks['pairs'].iloc[2] / blocks['pairs'].iloc[0]:.1%}，真的一对留下 {blocks['kept'].iloc[2]:.0%}；再要求前两字相同，"
       + (f"会漏掉 {lost:.0%}，漏的正是错了一个字的那些。" if lost > 0 else "在这份样本里也没有漏。"))

# %% [markdown]
# ## 演示四：门槛由查准率定，中间留给人
#
# 两个店名有多像？把店名切成相邻两字的小片，数共同的占全部的几成，这叫**雅卡尔相似度**：
# 一模一样是一，一片不同就往下掉。门槛放低，找得全但会认错人；放高，认得准但会漏。两个词先说清：
# **查准率**＝接受的一对里有几成是真的；**查全率**＝真的一对里接受了几成。
#
# 认错人比漏掉更伤客户，所以先定查准率的底线 `PRECISION_GOAL` [参数]，再在守得住底线的门槛里挑查全率最高的。

# %%
proof = {"owner_masked": "masked_name", "industry_code": "industry_code", "register_date": "register_date"}
labels = matching.score(labels, registry, files, "clean", proof, *IDS)
curve = matching.threshold_table(labels["similarity"], labels["true_label"])
if curve["precision"].max() < PRECISION_GOAL:  # 名称去标识化以后，写法不同的店名看不出相像
    cu.say(f"标注样本里没有一个门槛守得住 {PRECISION_GOAL:.0%}：先退到做得到的 {curve['precision'].max():.1%}，"
           "自动接受的对要多抽查；名称能在数据部门洗干净再去标识化，就能回到原来的底线。")
    PRECISION_GOAL = float(np.floor(curve["precision"].max() * 100) / 100)

# %%
threshold = matching.choose_threshold(labels["similarity"], labels["true_label"], PRECISION_GOAL)
chosen = curve[curve["threshold"] == threshold].iloc[0]
drawn = curve.set_index("threshold")[["precision", "recall"]].set_axis(["查准率", "查全率"], axis=1)
safe = drawn.loc[drawn.index < threshold, "查准率"]
fig = cu.charts.curves(drawn, unit="%", x_label="相似度门槛", marks={"查准率": threshold, "查全率": threshold})
cu.charts.finish(
    fig, title=f"门槛 {threshold:.2f} 守住查准率 {PRECISION_GOAL:.0%}" + (f"；再放低，最低只剩 {safe.min():.0%}" if len(safe) else ""),
    alt="两条曲线：门槛升高，查准率上升，查全率下降；圆点是选中的门槛。", source=f"人工标注样本 {len(labels)} 对（难题多抽），{bank.name}")
fresh = matching.held_out(labels["similarity"], labels["true_label"], PRECISION_GOAL)  # 一半挑门槛，另一半验收
cu.say(f"门槛取 **{threshold:.2f}**：接受 {chosen['accepted']:.0f} 对，查准率 **{chosen['precision']:.1%}**"
       f"（95% 区间 {chosen['low']:.0%} 到 {chosen['high']:.0%}），查全率 **{chosen['recall']:.0%}**。门槛是照着这批样本挑的，给自己打分难免偏高；"
       f"随机分两半，一半挑、另一半验收，重复 {len(fresh)} 遍，查准率的中位数 **{fresh.median():.1%}**，最差的一成不高于 {fresh.quantile(0.1):.1%}。")

# %% [markdown]
# **中间地带交给人。** 相似度在 `REVIEW_FLOOR` 和门槛之间的，机器不判，人来看三项旁证：经营者的姓（脱敏姓名相同）、
# 行业代码、成立日。对上 `EVIDENCE` 项以上才算同一家 [本课程定义]。一家店只能对一个客户，一个客户也只对一家店。
#
# 对完要问一句：**对上的和没对上的，是不是一种店？** 拿对上的店去推断全部的店，会偏。下面第二格按成立年限看对上的比例。
# 比例后面跟的区间是威尔逊区间：样本越少越宽，两个区间不重叠，才谈得上差别。

# %%
pairs = matching.block(left, right, [["town_id", "head"]], *IDS)
pairs = matching.score(pairs, left, right, "clean", proof, *IDS)
near = pairs[pairs["similarity"] >= REVIEW_FLOOR]
best = matching.one_to_one(near, ["similarity", "agreement"], *IDS)
auto = best["similarity"] >= threshold
review, best["way"] = best[~auto], np.where(auto, "店名", "人工复核")
links = pd.concat([exact, best[auto | (best["agreement"] >= EVIDENCE)]])[[*IDS, "way"]]
steps = links["way"].value_counts().reindex(["统一代码", "电话", "店名", "人工复核"], fill_value=0)
matched, passed = len(links) / len(registry), (review["agreement"] >= EVIDENCE).sum()
fig = cu.charts.waterfall(steps, end_label="合计对上", unit="家")
cu.charts.finish(
    fig, title=f"硬钥匙对上 {len(exact) / len(registry):.0%}，加上店名和人工，对上 {matched:.0%}",
    alt="瀑布图：统一代码、电话、店名、人工复核四步各对上多少家。", source=f"登记名单 {len(registry):,} 家，{bank.name}")
cu.say(f"落在中间地带的候选有 {(near['similarity'] < threshold).sum()} 对；一对一以后（有更像的就让给更像的）只剩 **{len(review)}** 对要人看，"
       f"旁证够的 {passed} 对。一律放弃会漏 {passed} 家；不讲一对一、一律接受，同一家会被认好几次。")

# %%
shops = registry.merge(links, on="registry_id", how="left").merge(
    files[["customer_id", "weight", "revenue", "masked_name", "credit_grade", "do_not_call"]], on="customer_id", how="left")
shops = shops.merge(held.reset_index(), on="customer_id", how="left")
shops["ours"] = shops["customer_id"].notna()
shops[list(held)] = shops[list(held)].eq(True)  # 没对上的店，产品都记“没有”
bias = shops.groupby("years", observed=True)["ours"].agg(["sum", "size"])
bias[["rate", "low", "high"]] = cu.analysis.experiment.wilson(bias["sum"], bias["size"])
cu.show(bias, names={"years": "成立年限", "sum": "对上", "size": "名单家数", "rate": "对上比例", "low": "下限", "high": "上限"},
        units=dict.fromkeys(["rate", "low", "high"], "%"))
first, rest = bias.iloc[0], bias.iloc[1:]
worse = first["high"] < rest["low"].min()
cu.say(f"开张一年内的店，对上 **{first['rate']:.0%}**" + ("，明显低于老店：**新店正是缺口所在**，而现有客户的画像里他们偏少。"
       if worse else "，与老店的区间有重叠，还不能说新店更难对上。"))

# %% [markdown] outline=["S004-C2.2"]
# ## 演示五：全产品持有
#
# 对上以后，才能问“他在我们这里用了什么”。只看**存续**的店；看一家网点时，按网格所属的网点筛。
#
# 课堂样本对借款人和收单商户多抽了，直接数会把持有率说高。所以每户带权数，把样本还原成全行；
# 没对上的店权数记一。全量数据权数都是一，结果不变。区间按**有效户数**算：权数越不齐，有效户数比实际户数越少。

# %%
shops["weight"] = (shops["weight"] / shops["weight"].mean()).fillna(1.0)
every = shops[shops["status"] == "存续"].copy()  # 全行存续的店
alive = every if BRANCH is None else every[every["branch_id"] == BRANCH].copy()
mine = alive[alive["ours"]].copy()
holding = pd.concat({name: weighted.rates(mine[name], mine["weight"]).iloc[0] for name in held}, axis=1).T
holding = holding.sort_values("rate", ascending=False, kind="stable")
fig = cu.charts.bars_with_interval(holding[holding["rate"] > 0])
cu.charts.finish(
    fig, title=f"对上的个体户里，{holding['rate'].iloc[0]:.0%} 有{holding.index[0]}，{holding.loc['经营贷', 'rate']:.0%} 有经营贷",
    alt="横条图：各产品的持有率和区间，从高到低。", source=f"产品持有表，存续且对上的 {len(mine):,} 户，按权数")
empty = "、".join(name for name in held if holding.loc[name, "rate"] == 0)
cu.say("每一种产品都有人用。" if not empty else f"没有一户持有：{empty}。" + (
    "表里的代发工资指**本人领**工资；老板给员工**发**工资，要另向公司部取数。" if "代发工资" in empty else ""))

# %% [markdown] outline=["S004-C2.3", "S004-C2.4"]
# ## 演示六：持有几种，是什么样的人
#
# 把十种产品（代发工资除外）数一数，分四组：一种没有、一两种、三四种、五种以上。左边第一格是户数的结构，
# 右边几格是每一组的画像。读的时候记住：**持有多的人营收高，不等于多卖一个产品就会让他营收变高**，
# 生意大的人本来就什么都用得上。
#
# 接着问：**哪个产品是入口？** 看**提升度**：有甲的人里用乙的比例，除以全部人里用乙的比例。大于一，说明甲乙常在一起。
# 再看收单和贷款：把“有没有借过”换成**胜算**（借过的人数除以没借过的人数）来比。
#
# 但“常在一起”不等于“办了收单所以来借钱”。生意大的人两样都要。先把业态、营收相近的店放在一起再比；
# 还有一个更硬的办法：**收单推广**是分批启动的，先启动的网点和还没启动的网点就是一组对照。

# %%
ten = [name for name in held if name != "代发工资"]
mine["group"] = pd.cut(mine[ten].sum(axis=1), [-1, 0, 2, 4, 10], labels=["没有", "1-2 种", "3-4 种", "5 种以上"])
month = bank.load("customer_month", columns=["month", "customer_id", "demand_deposit_average", "term_deposit_average"])
latest = month[month["month"] == month["month"].max()].set_index("customer_id")
deposit = latest["demand_deposit_average"] + latest["term_deposit_average"]
facts = pd.DataFrame({"年营收": mine["revenue"], "日均存款": mine["customer_id"].map(deposit).fillna(0), "有经营贷": mine["经营贷"]})
parts = facts.astype(float).mul(mine["weight"], axis=0).assign(weight=mine["weight"]).groupby(mine["group"], observed=True).sum()
profile = parts[list(facts)].div(parts["weight"], axis=0).assign(户数占比=parts["weight"] / parts["weight"].sum())
fig = cu.charts.profile_bars(profile[mine["group"].value_counts().reindex(profile.index) >= 5], bar="户数占比",
                             lines={"年营收": "万元", "日均存款": "万元", "有经营贷": "%"}, label="持有产品数")
few, rich = profile.loc[profile.index.isin(["没有", "1-2 种"]), "户数占比"].sum(), profile["日均存款"].iloc[[0, -1]]
cu.charts.finish(
    fig, title=f"{few:.0%} 的户只有两种以内；持有最多的一组日均存款是最少一组的 {rich.iloc[1] / max(rich.iloc[0], 1):.1f} 倍",
    alt="四格图：按持有产品数分组的户数占比、年营收、日均存款和经营贷持有率。",
    source=f"产品持有表、客户月度表，对上的存续个体户 {len(mine):,} 户，按权数；不到五户的组不画")

# %%
has = mine[ten].astype(float)
together = has.T @ has  # 样本里同时有两样的户数
joint = has.T @ has.mul(mine["weight"], axis=0) / mine["weight"].sum()
share = pd.Series(np.diag(joint), index=ten)
lift = joint.div(share, axis=0).div(share, axis=1).mask((together < 20) | np.eye(len(ten), dtype=bool))
ranked_pairs = lift.unstack().dropna().sort_values(ascending=False, kind="stable")
fig = cu.charts.heatmap(lift if len(ranked_pairs) else joint, unit=None, center=1.0, decimals=1)
cu.charts.finish(
    fig, title="最常在一起的是{}和{}：提升度 {:.1f}".format(*ranked_pairs.index[0], ranked_pairs.iloc[0])
    if len(ranked_pairs) else "户数太少，提升度看不准，图上是同时持有的比例",
    alt="产品两两之间的提升度热力图，一表示互不相干，蓝色大于一。",
    source=f"对上的存续个体户 {len(mine):,} 户，按权数；同时持有不到二十户的不写")

# %%
loans = bank.load("loan", columns=["customer_id", "product_code", "issue_date", "branch_id"])
line = bank.load("product").set_index("product_code")["line"]
loans = loans[~loans["product_code"].map(line).isin(["按揭", "助学贷"]) & loans["customer_id"].isin(files["customer_id"])]
codes = bank.load("merchant", columns=["customer_id", "open_date", "branch_id"])
both = files.assign(收单=files["customer_id"].isin(codes["customer_id"]), 借过=files["customer_id"].isin(loans["customer_id"]))
both["size"], both["trade"] = pd.qcut(both["revenue"].rank(method="first"), 5, labels=False), both["industry_code"].map(trades)
crude = weighted.rates(both["借过"], both["weight"], both["收单"])
cells = both.assign(hit=both["借过"] * both["weight"]).groupby(["trade", "size", "收单"])[["hit", "weight"]].sum().unstack().dropna()
mass = cells["weight"].sum(axis=1)  # 每格代表多少户；两边都有店的格子才比得了
fair = (cells["hit"] / cells["weight"]).mul(mass, axis=0).sum() / mass.sum()
ratio = [(p[True] / (1 - p[True])) / (p[False] / (1 - p[False])) for p in (crude["rate"], fair)]
cu.show(crude[["n", "rate", "low", "high"]].rename(index={True: "有收单", False: "没有收单"}), names={"n": "样本户数", "rate": "借过钱",
        "low": "下限", "high": "上限"}, units=dict.fromkeys(["rate", "low", "high"], "%"))  # fmt: skip
cu.say(f"有收单的借款胜算是没有收单的 **{ratio[0]:.1f} 倍**；业态、营收相近的店放在一起比，是 **{ratio[1]:.1f} 倍**。营收和业态"
       + ("解释不了多少差别，" if ratio[1] > 0.8 * ratio[0] else "解释了一部分差别，") + "剩下的可能是收单的作用，也可能是我们没量到的差别。")

# %%
effects, months = {}, pd.date_range(today - pd.DateOffset(months=30), today, freq="ME")
news = {"新签收单": codes.rename(columns={"open_date": "date"}),
        "首次借款": loans.sort_values("issue_date").drop_duplicates("customer_id").rename(columns={"issue_date": "date"})}
if bank.has("branch_program"):
    starts = bank.load("branch_program").query("program == '收单推广'").set_index("branch_id")["start_date"]
    for name, event in news.items():  # 每个网点每月有几家，启动前后、启动与未启动相比
        table = pd.crosstab(event["branch_id"], event["date"] + pd.offsets.MonthEnd(0)).reindex(columns=months, fill_value=0)
        table = table.reset_index().melt("branch_id", var_name="month", value_name="n")
        table["start"] = table["branch_id"].map(starts) + pd.offsets.MonthEnd(0)
        effects[name] = cu.analysis.panel.did(table, "n", "branch_id", "month", "start")
words = [f"{name}每个网点每月多 {e['estimate']:+.2f} 家（区间 {e['low']:+.2f} 到 {e['high']:+.2f}），"
         + ("看得出变化" if e["low"] > 0 or e["high"] < 0 else "**看不出变化**") for name, e in effects.items()]
cu.say("本行没有网点项目启动表，这一步跳过，倍数只能当线索。" if not effects else "推广启动以后：" + "；".join(words) + "。"
       + ("推广没有推动签约，就没法借它回答“签了收单会不会多借款”：对照组也要有力气才有用，上面的倍数只能当线索。"
          if effects["新签收单"]["low"] <= 0 else "两个数相除，可以粗算多签一家收单带来几笔首次借款。"))

# %% [markdown]
# ## 演示七：渗透要除以“街上有多少店”
#
# 持有率的分母是客户，**渗透率的分母是街上存续的店**：没对上的店也要算进去。支行常拿前一个数报喜，
# 街上一半的店却还不认识我们。先看业态 × 网格类型的覆盖（对上就算覆盖），不到五家的格子不写。
#
# **小网格最会骗人。** 十家店里三家是客户就是三成，五家就是五成，全凭运气。所以第二格用两件工具：
# **漏斗图界限**——家数这么少，光凭运气会晃到哪里，晃出界才算异常；**收缩**——家数少的往平均拉，家数多的基本不动，
# 排名用收缩以后的数。**缺口** ＝ 追上前四分之一的网格，还要多覆盖几家 [本课程定义]。

# %%
alive["kind"] = alive["grid_id"].map(grids["kind"])
doubled = pd.concat([alive, alive.assign(kind="合计")])
cell = doubled.pivot_table(index="trade", columns="kind", values="ours", aggfunc=["mean", "size"])
cover = cell["mean"].where(cell["size"] >= 5).sort_values("合计", ascending=False)
cover = cover[[*cover.columns.drop("合计"), "合计"]].dropna(how="all").dropna(axis=1, how="all")
by_kind = doubled.groupby("kind")["ours"].agg(["sum", "size"])
by_kind = by_kind[by_kind["size"] >= min(MIN_SHOPS, len(alive))]
by_kind = by_kind.join(cu.analysis.experiment.wilson(by_kind["sum"], by_kind["size"])).sort_values("rate", kind="stable")
low_kind, high_kind = by_kind.index[0], by_kind.index[-1]
gap_sure = by_kind["high"].iloc[0] < by_kind["low"].iloc[-1]
fig = cu.charts.heatmap(cover, unit="%", decimals=0, row_label="业态", column_label="网格类型")
cu.charts.finish(
    fig, title=f"各类网格的覆盖：{low_kind} {by_kind['rate'].iloc[0]:.0%}，到{high_kind} {by_kind['rate'].iloc[-1]:.0%}"
    + ("" if gap_sure else "（区间重叠，差别还不确定）"),
    alt="热力图：行是业态，列是网格类型，格子里是覆盖率，不到五家的格子留灰。", source=f"登记名单，存续 {len(alive):,} 家")

# %%
count = alive.groupby("grid_id")["ours"].agg(["sum", "size"])
street = ranking.shrink(count["sum"], count["size"])[["n", "rate", "shrunk"]].join(grids[["grid_name", "kind", "branch_id"]])
street["place"] = ranking.funnel(count["sum"], count["size"])["place"]
ranked = street[street["n"] >= min(MIN_SHOPS, street["n"].max())]
street["gap"] = ((ranked["shrunk"].quantile(0.75) - street["shrunk"]) * street["n"]).clip(lower=0).round()
street["open"] = count["size"] - count["sum"]
zero = street[(street["rate"] == 0) & (street["n"] >= MIN_SHOPS)]
order = street.loc[ranked.index].sort_values(["shrunk", "n"], ascending=[True, False], kind="stable")
cu.show(order[["grid_name", "branch_id", "n", "rate", "shrunk", "place", "gap"]].head(6), units={"rate": "%", "shrunk": "%", "gap": "家"},
        names={"n": "存续家数", "rate": "覆盖率", "shrunk": "收缩以后", "place": "漏斗图位置", "gap": "缺口"})
luck = (1 - count["sum"].sum() / count["size"].sum()) ** max(zero["n"].max(), MIN_SHOPS)
cu.say(f"**{'、'.join(zero['grid_name'])}** 存续 {zero['n'].sum():.0f} 家，一家也没有覆盖。如果它和别处一样，碰巧全空的机会"
       + ("不到百万分之一" if luck < 1e-6 else f"只有 {luck:.2%}") + "：先查是没有人去过，还是登记的网格写错了。" if len(zero) else
       f"没有一个够大的网格是完全空白的；界限以外偏低的有 {street['place'].str.contains('低').sum()} 个。")

# %% [markdown] outline=["S004-C2.5"]
# ## 演示八：积分管理——按“每家店”，不按“每个客户”
#
# 积分把“多办产品”变成一个数：经营贷、收单、代发分值高，手机银行、代扣、社保卡、企业微信各一分，日均存款每满一万元
# 一分、封顶 `DEPOSIT_CAP` 分 [本课程定义，分值是参数]。关键在分母：**除以辖内存续的店**，不除以客户。
# 除以客户，只做熟客就能高分；除以店，空白街道会一直拖着你。榜单照样画漏斗图：横轴是有效店数，虚线以内是运气。
#
# **积分会被刷。** 一分的项目一分钟一个，有人会把名下客户挨个补齐。做一次**刷分演习**：假设每一户对上的客户都补齐全部低分项，
# 别的什么都没做，看低分项占到几成。底线是 `CHEAP_SHARE` [参数]。第三格再看十二个月里，涨的是哪一种分。

# %%
every["deposit"] = every["customer_id"].map(deposit).fillna(0)
every["cheap"] = sum(POINTS[name] * every[name] for name in CHEAP)
every["solid"] = sum(POINTS[name] * every[name] for name in POINTS if name not in CHEAP)
every["solid"] += (every["deposit"] // 10_000).clip(upper=DEPOSIT_CAP)
every["points"] = every["cheap"] + every["solid"]
w, home = every["weight"], every["branch_id"]
board = pd.DataFrame({"score": (every["points"] * w).groupby(home).sum() / w.groupby(home).sum(),
                      "n": w.groupby(home).sum() ** 2 / (w**2).groupby(home).sum()})
average = np.average(every["points"], weights=w)
spread = np.sqrt(np.average((every["points"] - average) ** 2, weights=w) / board["n"])
for name, z in {"95": 1.96, "99.8": 3.09}.items():
    board[f"low_{name}"], board[f"high_{name}"] = (average - z * spread).clip(lower=0), average + z * spread
outside = board.index[(board["score"] < board["low_95"]) | (board["score"] > board["high_95"])]
ends = [board["score"].idxmax(), board["score"].idxmin()]

# %%
fig = cu.charts.funnel_plot(board, value="score", center=average, unit="分", size_label="辖内有效店数",
                            label=[*outside, *ends, *([BRANCH] if BRANCH else [])])
cu.charts.finish(
    fig, title=f"{len(board)} 家网点，每家店积分平均 {average:.1f}；排在运气以外的有 {len(outside)} 家",
    alt="漏斗图：横轴是辖内有效店数，纵轴是每家店积分，虚线是运气的界限，界外的网点写了编号。",
    source="产品持有表、客户月度表，按权数")
lucky = [b for b in ends if b not in outside]
cu.say(f"榜首 {ends[0]}、榜尾 {ends[1]}" + (f"，其中 {'、'.join(lucky)} 还在界限以内：按名次发奖，奖的是运气。" if lucky else
       "，都在界限以外，值得去问为什么。"))

# %%
full = sum(POINTS[name] for name in CHEAP) * every["ours"]
now, gamed = (every["cheap"] @ w) / (every["points"] @ w), (full @ w) / ((full + every["solid"]) @ w)
cu.say(f"现在低分项占 **{now:.0%}**；刷满以后占 **{gamed:.0%}**，{'超过' if gamed > CHEAP_SHARE else '没有超过'}底线 {CHEAP_SHARE:.0%}。"
       + ("这套分值**防不住刷分**，练习四请你改。" if gamed > CHEAP_SHARE else "这套分值经得起刷。"))
if bank.has("customer_product_history"):
    signed = bank.load("customer_product_history").query("item in @POINTS").merge(every[["customer_id", "weight"]])
    signed["earned"] = signed["item"].map(POINTS) * signed["weight"]
    per_shop = {}
    for day in (today - pd.DateOffset(months=12), today):
        valid = signed[(signed["from_date"] <= day) & ~(signed["to_date"] <= day)]
        per_shop[day] = valid.groupby(valid["item"].isin(CHEAP))["earned"].sum() / w[every["register_date"] <= day].sum()
    change = per_shop[today] - per_shop[today - pd.DateOffset(months=12)]
    cu.say(f"十二个月里，每家店的高分项积分变动 {change[False]:+.2f}，低分项 {change[True]:+.2f}（不含存款；名单没有注销日期，"
           "早先已关的店不在分母里，所以旧数略偏高）。" + ("低分项涨得更多，要当心。" if change[True] > max(change[False], 0.01) else ""))

# %% [markdown] outline=["S004-C2.6"]
# ## 演示九：标签变成下一个产品
#
# 给每户推什么？看他已有的产品，对每样还没有的产品把**提升度**加起来，挑最高的一样。经营贷再过一道**风险闸**：
# 信用等级是最差两级的，或者正有贷款逾期的，不推贷款，交给管户经理先了解情况。还要过两道人的闸：
# 谢绝来电的不联系，没有有效营销授权的不联系。

# %%
usable = ["收单", "经营贷", "手机银行", "企业微信", "代扣缴费", "理财"]
live = bank.load("loan", columns=["customer_id", "overdue_days", "balance"]).query("balance > 0")
late = live.loc[live["overdue_days"] > 0, "customer_id"]
risky = mine["credit_grade"].isin(["D", "E"]) | mine["customer_id"].isin(late)
score = (has @ lift.fillna(1))[usable].mask(mine[usable])  # 已有的不再推
score["经营贷"] = score["经营贷"].mask(risky)
mine["next"] = score.fillna(-1).idxmax(axis=1).where(score.notna().any(axis=1), "维护")
agreed = bank.load("consent", columns=["customer_id", "scope", "granted", "expire_date"])
agreed = agreed[(agreed["scope"] == "营销") & agreed["granted"] & ~(agreed["expire_date"] < today)]
may_call = mine["customer_id"].isin(agreed["customer_id"]) & ~mine["do_not_call"].eq(True)
table = pd.crosstab(mine["next"], may_call.map({True: "可以联系", False: "不能联系"}))
cu.show(table.where(table >= 5), names={"next": "下一个产品"}, title="下一个产品（户，不到五户的不写）")
cu.say(f"{len(mine):,} 户里，能联系的 **{may_call.sum():,}** 户（{may_call.mean():.0%}）；风险闸拦下贷款推荐 {risky.sum()} 户。")

# %% [markdown]
# ## 练习
#
# **E1 ★★ 同一家吗** 写函数 `same_shop(left, right, place)`：`left`、`right` 是两列店名（Series，一行一对），`place` 是县名。
# 返回一列真假：清洗以后是不是同一个名字。清洗：全角变半角、字母不分大小写；括号连同里面的字去掉；只留汉字、字母和数字；前头的 `place` 去掉（只去开头的，
# 去了会变空就不去）。“店、商行、经营部”要留下。空的店名和谁都不是同一家。

# %% tags=["answer:E1"]
same_shop = ...  # ← 写一个函数 same_shop(left, right, place)
### BEGIN SOLUTION
def same_shop(left, right, place):
    def tidy(names):
        text = names.str.normalize("NFKC").str.upper().str.replace(r"\(.*?\)", "", regex=True)
        text = text.str.replace(r"[^0-9A-Z\u4e00-\u9fff]", "", regex=True)
        short = text.str.removeprefix(place)
        return short.where(short != "", text)
    one, two = tidy(left), tidy(right)
    return (one == two) & (one != "")
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:forms_removed"]
def same_shop(left, right, place):
    def tidy(names):
        text = names.str.normalize("NFKC").str.upper().str.replace(r"\(.*?\)", "", regex=True)
        text = text.str.replace(r"[^0-9A-Z\u4e00-\u9fff]", "", regex=True)
        text = text.str.removeprefix(place).where(text != place, text)
        return text.str.replace(r"(店|商行|经营部|铺)$", "", regex=True)
    return (tidy(left) == tidy(right)) & (tidy(left).fillna("") != "")

# %% tags=["wrong:E1:brackets_kept"]
def same_shop(left, right, place):
    def tidy(names):
        text = names.str.normalize("NFKC").str.upper()
        text = text.str.replace(r"[^0-9A-Z\u4e00-\u9fff]", "", regex=True)
        return text.str.removeprefix(place).where(text != place, text)
    return (tidy(left) == tidy(right)) & (tidy(left).fillna("") != "")

# %% tags=["wrong:E1:place_anywhere"]
def same_shop(left, right, place):
    def tidy(names):
        text = names.str.normalize("NFKC").str.upper().str.replace(r"\(.*?\)", "", regex=True)
        text = text.str.replace(r"[^0-9A-Z\u4e00-\u9fff]", "", regex=True)
        return text.str.replace(place, "", regex=False) if place else text
    return (tidy(left) == tidy(right)) & (tidy(left).fillna("") != "")

# %% tags=["alternative:E1:one_pass_over_both"]
def same_shop(left, right, place):
    both = pd.concat([left, right], keys=["one", "two"]).fillna("").str.normalize("NFKC").str.upper()
    both = both.str.split("(").map(lambda bits: bits[0] + "".join(bit.partition(")")[2] for bit in bits[1:]))
    keep = both.map(lambda text: "".join(c for c in text if c.isdigit() or "A" <= c <= "Z" or "一" <= c <= "鿿"))
    keep = keep.map(lambda text: text[len(place):] if text.startswith(place) and text != place else text)
    return keep["one"].eq(keep["two"]) & keep["one"].ne("")

# %% [markdown]
# **E2 ★★ 渗透带区间** 演示七算了覆盖。请算**经营贷渗透率**：各业态存续的店里（`alive`，没对上的也在分母），有经营贷的占几成。
# 用权数，区间用有效户数的威尔逊区间（演示五用过的 `weighted.rates`）。结果赋给 `loan_reach`：索引 `trade`，列 `rate`、`low`、`high`。

# %% tags=["answer:E2"]
loan_reach = ...  # ← 把 ... 换成你的代码
### BEGIN SOLUTION
loan_reach = weighted.rates(alive["经营贷"], alive["weight"], alive["trade"])[["rate", "low", "high"]]
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:customers_only"]
loan_reach = weighted.rates(mine["经营贷"], mine["weight"], mine["trade"])[["rate", "low", "high"]]

# %% tags=["wrong:E2:unweighted"]
loan_reach = weighted.rates(alive["经营贷"], alive["weight"] * 0 + 1, alive["trade"])[["rate", "low", "high"]]

# %% tags=["wrong:E2:cancelled_included"]
local = shops if BRANCH is None else shops[shops["branch_id"] == BRANCH]
loan_reach = weighted.rates(local["经营贷"], local["weight"], local["trade"])[["rate", "low", "high"]]

# %% tags=["alternative:E2:by_hand"]
w = alive["weight"]
parts = pd.DataFrame({"hit": alive["经营贷"] * w, "w": w, "square": w**2}).groupby(alive["trade"]).sum()
size = parts["w"] ** 2 / parts["square"]
loan_reach = cu.analysis.experiment.wilson(parts["hit"] / parts["w"] * size, size)

# %% [markdown]
# **E3 ★★★ 你来认亲** 演示四的 `pairs` 是全部候选（含相似度 `similarity` 和旁证数 `agreement`），硬钥匙已经对上的不在里面。
# 请交出你认定的一对对，赋给 `my_links`（列 `registry_id`、`customer_id`）。要求：一家店只对一个客户，一个客户只对一家店；
# 在标注样本里，你接受的对至少 `PRECISION_GOAL` 是真的；认出的真对，不比“只用店名门槛”的办法少。
# 用示例银行时，检查还会看：连同硬钥匙，你对上的比例离埋设的真值远不远。

# %% tags=["answer:E3"]
my_links = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
sure = pairs["similarity"] >= threshold
likely = (pairs["similarity"] >= REVIEW_FLOOR) & (pairs["agreement"] >= EVIDENCE)
my_links = matching.one_to_one(pairs[sure | likely], ["similarity", "agreement"], *IDS)
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:best_for_each_shop"]
my_links = near.sort_values("similarity").drop_duplicates("registry_id", keep="last")

# %% tags=["wrong:E3:not_one_to_one"]
my_links = pairs[(pairs["similarity"] >= threshold) | (pairs["agreement"] >= 1)]

# %% tags=["wrong:E3:hard_keys_again"]
my_links = links

# %% tags=["wrong:E3:too_strict"]
my_links = best[(best["similarity"] == 1) & (best["agreement"] == 3)].head(len(best) // 3)

# %% tags=["alternative:E3:threshold_only"]
my_links = best.loc[best["similarity"] >= threshold, ["registry_id", "customer_id"]]

# %% tags=["alternative:E3:proof_first"]
good = pairs[(pairs["agreement"] >= 2) & (pairs["similarity"] >= 0.3)]
my_links = matching.one_to_one(good, ["agreement", "similarity"], *IDS)

# %% [markdown]
# **E4 ★★★ 刷不动的积分** 重新给七个项目和日均存款定分，赋给 `my_points`（字典，项目同 `POINTS`，另加 `"日均存款"` 表示每万元几分，封顶仍是
# `DEPOSIT_CAP` 个万元）。要求：都是一到十的整数；刷分演习以后，全行低分项不超过 `CHEAP_SHARE`；经营贷不低于收单，收单不低于任何低分项；
# 积分和价值（贷款、存款按参数里的收益率，加一年手续费）的相关，不低于基准方案的百分之九十五。

# %% tags=["answer:E4"]
my_points = ...  # ← 写一个字典
### BEGIN SOLUTION
my_points = {"经营贷": 10, "收单": 9, "代发工资": 3, "手机银行": 1, "代扣缴费": 1, "社保卡": 1, "企业微信": 1, "日均存款": 2}
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:as_it_is"]
my_points = POINTS | {"日均存款": 1}

# %% tags=["wrong:E4:zero_for_cheap"]
my_points = {"经营贷": 10, "收单": 9, "代发工资": 3, "手机银行": 0, "代扣缴费": 0, "社保卡": 0, "企业微信": 0, "日均存款": 2}

# %% tags=["wrong:E4:everything_ten"]
my_points = dict.fromkeys([*POINTS, "日均存款"], 10)

# %% tags=["alternative:E4:more_for_codes"]
my_points = {"经营贷": 10, "收单": 10, "代发工资": 5, "手机银行": 1, "代扣缴费": 1, "社保卡": 1, "企业微信": 1, "日均存款": 2}

# %% [markdown]
# ## 成果
#
# 一本给网点的工作簿，三张清单：**扫街任务**（按网格，先去漏斗图界外的和缺口大的）、**要走的店**（只列公开登记的店名、业态、
# 场所，不列电话和经营者）、**老客户的下一个产品**（只列可以联系的，姓名已遮）。另附一张：登记已经注销、在我们这里还有贷款的户，
# 交贷后核实，**不是营销名单**。客户信息只在行内用，到期销毁。

# %%
plan = street[street["open"] > 0].copy()
plan["first"] = plan["place"].str.contains("低") | plan.index.isin(zero.index)
plan = plan.sort_values(["first", "gap", "open"], ascending=False).head(60)
plan["days"] = np.ceil(plan["open"] / VISITS_PER_DAY)
visit = alive[~alive["ours"] & alive["grid_id"].isin(plan.index)]
visit = visit.rename(columns={"name": "shop", "address": "location"})  # 都是公开登记信息
visit = visit[["branch_id", "grid_id", "shop", "trade", "years", "location"]].sort_values(["branch_id", "grid_id", "location"])
calls = mine[may_call & (mine["next"] != "维护")].sort_values(["branch_id", "next", "customer_id"])
calls = calls[["branch_id", "masked_name", "grid_id", "trade", "group", "next"]]
check = shops[shops["ours"] & (shops["status"] != "存续")].merge(live.groupby("customer_id")["balance"].sum().reset_index())
check = check if BRANCH is None else check[check["branch_id"] == BRANCH]
words = {"n": "存续家数", "rate": "覆盖率", "gap": "缺口", "open": "没对上", "days": "要走几天", "place": "漏斗图位置", "kind": "网格类型",
         "trade": "业态", "years": "成立年限", "next": "下一个产品", "group": "已有产品", "masked_name": "客户", "balance": "贷款余额",
         "shop": "登记店名", "location": "经营场所"}

# %%
Sheet, purge = cu.deliver.Sheet, (today + pd.DateOffset(days=90)).date()
columns = ["grid_name", "branch_id", "kind", "n", "rate", "place", "gap", "open", "days"]
book = cu.deliver.workbook(
    bank.output_dir("m03_n02") / "个体户渗透与扫街任务.xlsx",
    {"扫街任务": Sheet(plan[columns].reset_index(drop=True), names=words, units={"rate": "%", "gap": "家", "open": "家"}),
     "要走的店": Sheet(visit, names=words), "下一个产品": Sheet(calls, names=words),
     "注销仍有贷款": Sheet(check[["branch_id", "masked_name", "trade", "status", "balance"]], names=words, notes=["本页只发贷后管理岗核实，不随扫街任务下发。"])},
    title="个体户渗透与扫街任务", purpose="个体户扫街与产品推荐（行内使用）", purge_date=purge,
    notes=["扫街只凭公开登记信息，不得向店主说出其是否本行客户或有无贷款。", "注销清单交贷后核实，不作营销。"])
cu.say(f"工作簿已保存：`{book.name}`。扫街 {len(plan)} 个网格、{len(visit):,} 家店，共 {plan['days'].sum():.0f} 人天；"
       f"可以联系的老客户 {len(calls):,} 户；登记非存续而仍有贷款的 {len(check)} 户，{purge} 前销毁。")

# %% [markdown]
# ## 讨论
#
# 1. 名单上写着“注销”的店，要不要去看一眼？谁去，去看什么？如果他还欠着我们的贷款呢？
# 2. 把客户清单给名单供应商“帮忙匹配一下”，快是快，为什么不行？
# 3. 积分排在榜尾、又在漏斗图界限以内的网点，行长该说什么？
#
# ## 小结
#
# 名单的价值在对得准：先清洗、再硬钥匙、再店名，中间一小段交给人，查准率用标注样本量出来。渗透的分母是街上的店，小网格要收缩以后
# 再排名，零覆盖的街道比低排名的网点更值得先去。积分按每家店算，先做刷分演习再发文。
#
# 下一课：从交易流水里找两种客户——在外面用网贷的，和在他行有贷款的。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 埋设：名单里真有多少是本行客户、硬钥匙能对上多少、收单客户的借款胜算（约三点一倍）、注销的比例，以及一个零覆盖的市场。
#
# 课堂提示：那个倍数里有多少是收单“带来”的，这批数据分不出来——分批推广没有推动签约，这正是要让学员看到的。
# 常见弯路：把“店、商行”也洗掉；分块要求前两字相同；渗透率用客户做分母；用名次发奖。用时：演示五十五分钟，练习三十分钟。

# %% tags=["instructor"]
cu.reveal(bank, "m03_n02", {"true_match": matched, "gateway_lift": ratio[0], "cancelled_rows": gone, "zero_street": len(zero)},
          names={"true_match": "名单里是本行客户的比例", "gateway_lift": "收单客户借款胜算的倍数",
                 "cancelled_rows": "注销的比例", "zero_street": "零覆盖的市场"})
