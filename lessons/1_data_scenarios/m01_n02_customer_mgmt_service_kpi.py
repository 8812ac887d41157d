# %% [markdown]
# # 客户管理三阶段、4 类 60 业与服务质量关键指标
#
# 课程：银行二十种数据实战应用场景（第一部分：数据应用的重要性与迫切性）·
# 大纲：S004-A5 至 S004-A7、S004-A9、S004-A11、S003-X2.8、S003-X3.16 · 难度：L2 · 用时：90 分钟
#
# 学完本课，你能：
#
# - 用三个能查的数判断一家网点的客户管理在第几阶段，看穿“人人有管户”的纸面文章；
# - 把客户摊成四类六十业，找出量大而没做透的业态；
# - 分清哪个服务指标真的和客户留存有关，并诚实地改写“加企微存款高出三成”这类宣传。
#
# Abstract: Place branches in three stages of customer management by countable rates, lay customers out in
# four classes and sixty trades, find which service indicators go with staying, and judge the claim for
# WeCom by regression, overlap weights and a doubly robust estimate.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 阶段表和业态图看哪家网点：None 表示全行（留存模型总是用全行）
TOUCH_DAYS = 90  # 近多少天内由管户经理本人联系到，算触达
TAG_LINE = 5  # 至少几个有效标签，才算了解客户
MANAGED_LINE = 0.4  # 管户率低于多少，是第一阶段
TOUCH_LINE = 0.2  # 本人触达率低于多少，是第一阶段：有名字，没有人
RUN_LINE = 0.3  # 经营率达到多少，是第三阶段
KEY_FLOOR = 50000  # 练习一的重点客户：季日均资产多少元以上
SMALL_CELL = 30  # 有效样本不到多少，不报比率
PER_CLASS = 15  # 每类取户数最多的几个业态：四类乘十五就是六十业
KEPT_LINE = 0.8  # 季日均资产不低于上一季的多少，算留存
BASE_FLOOR = 1000  # 上一季日均资产不到多少元的，不评留存
TRIM = [0.05, 0.95]  # 倾向分在这个范围以外的客户不比
CLAIM = 0.35  # 某张宣传页上的说法：加企微客户存款高出多少

# %%
import course_utils as cu
import numpy as np
import pandas as pd

bank = cu.begin("m01_n02", BANK, AS_OF)
today = bank.as_of
wilson, causal, logistic = cu.analysis.experiment.wilson, cu.analysis.causal, cu.analysis.experiment.logistic
WORDS = {"branch_id": "网点", "managed": "管户率", "touched": "本人触达率", "run": "经营率", "stage": "阶段", "kind": "类别",
         "trade": "业态", "customers": "推算户数", "rate": "贷款渗透", "deposit": "户均存款", "products": "户均产品",
         "estimate": "差距", "low": "下限", "high": "上限", "odds_ratio": "几率比", "rows": "样本户数"}

# %% [markdown]
# ## 业务情境
#
# 分管行长在台上说：“我们行客户管理已经做到人人有管户、户户有标签，企微也加了三成客户。”台下一位支行行长小声说：
# “系统里是都有名字。**可是名字下面，有几个人真的被联系过？**”
#
# 另一张桌上放着供应商的宣传页：“加企微的客户，存款高出三成五，流失更低。”财务部问：这笔钱投下去，值吗？
#
# 这两件事是同一个毛病：把**登记**当成了**经营**，把**同时出现**当成了**带来**。本课用数据把它们分开。
#
# 这些数据**不能**说明客户为什么走，也**不能**证明多联系就能留住人：谁被联系、谁加企微，都不是抽签定的。
# 校正只能去掉我们记下来的差别，没记下来的（比如客户和经理是亲戚）还留在结果里。
#
# ## 数据
#
# 阶段看客户、触达和标签；业态看职业和行业；服务看诉求记录和月度资产；自评和科技投入各一张小表。

# %%
cu.dictionary(bank, {"contact_log": ["employee_id", "contact_time", "purpose", "channel", "result"],
                     "customer_tag": ["tag", "valid"], "service_record": ["kind", "response_days", "nps"],
                     "customer_product_history": ["item", "from_date"], "self_check": ["item", "score", "evidence"],
                     "it_spend": ["bank_kind", "year", "amount", "revenue_share", "assets", "source_tag"]})
lacking = bank.missing("customer_tag", "service_record", "customer_product_history", "self_check", "it_spend")
cu.say("本课要用、而本行没有的表：" + ("、".join(lacking) + "，对应的演示请跳过。" if lacking else "没有。"))

# %% [markdown] outline=["S004-A5"]
# ## 演示一：客户管理的三个阶段
#
# 三个阶段（本课程定义）：**无主**（没有管户，或者有名无实）→ **有名**（管户到人）→ **经营**（分层、标签、下一步动作，形成闭环）。
# 不问“我们重视不重视”，只数三个比率：
#
# | 比率 | 分子 | 分母 | 过线 [参数] |
# |---|---|---|---|
# | 管户率 | 有管户经理的个人客户 | 个人客户 | 0.4 |
# | 本人触达率 | 近九十天由**管户经理本人**联系到的 | 有管户的客户 | 0.2 |
# | 经营率 | 有效标签达到五个、且写了“下一步动作”的 | 有管户的客户 | 0.3 |
#
# 前两条有一条不过线，是第一阶段；都过线、经营率也过线，是第三阶段；其余是第二阶段。“未触达”“未接通”“空号”都不算联系到；
# 同事代打的电话也不算：管户的意思，是客户知道找谁。
#
# 样本会抖，后面的比率和差距都带一个**区间**：同样的抽样重来一百次，大约九十五次区间会盖住真实的数。区间跨过线的，先别下结论。

# %%
everyone = bank.load("customer", columns=["customer_id", "customer_type", "segment", "trade", "birth_year", "town_id",
                                          "branch_id", "manager_id", "open_date", "weight"]).set_index("customer_id")
people = everyone[everyone["customer_type"] != "企业"].copy()
contacts = bank.load("contact_log", columns=["customer_id", "employee_id", "contact_time", "purpose", "channel", "result"])
spoken = contacts[~contacts["result"].isin(["未触达", "未接通", "空号"])]
spoken = spoken[spoken["contact_time"] > today - pd.Timedelta(days=TOUCH_DAYS)]
own = spoken[spoken["employee_id"] == spoken["customer_id"].map(people["manager_id"])]
tags = bank.load("customer_tag").query("valid")
planned = tags.loc[tags["tag"] == "下一步动作", "customer_id"]
people["tags"] = tags.groupby("customer_id").size().reindex(people.index).fillna(0)
people["managed"] = people["manager_id"].notna()
people["touched"] = people["managed"] & people.index.isin(own["customer_id"])
people["run"] = people["managed"] & (people["tags"] >= TAG_LINE) & people.index.isin(planned)
offices = bank.load("branch", columns=["branch_id", "branch_name"]).set_index("branch_id")["branch_name"]

# %% tags=["board:staff:table"]
def stage_rates(rows):
    """每家网点的三个比率和阶段，按权数算。"""
    heads = rows[["managed", "touched", "run"]].mul(rows["weight"], axis=0).groupby(rows["branch_id"]).sum()
    table = pd.DataFrame({"managed": heads["managed"] / rows.groupby("branch_id")["weight"].sum(),
                          "touched": heads["touched"] / heads["managed"], "run": heads["run"] / heads["managed"]})
    paper = (table["managed"] < MANAGED_LINE) | (table["touched"] < TOUCH_LINE)
    return table.assign(stage=np.select([paper, table["run"] >= RUN_LINE], [1, 3], 2))


scope = people if BRANCH is None else people[people["branch_id"] == BRANCH]
stages = stage_rates(scope)
size = scope[scope["managed"]].groupby("branch_id")["weight"].agg(lambda w: w.sum() ** 2 / (w**2).sum())  # 有效样本
first, rest = stages[stages["stage"] == 1], stages[stages["stage"] > 1]
cu.show(stages.sort_values(["stage", "touched"]).rename(index=offices), names=WORDS, units=dict.fromkeys(["managed", "touched", "run"], "%"))
cu.say(f"{len(stages)} 家网点：第一阶段 **{len(first)}** 家，第二阶段 {(stages['stage'] == 2).sum()} 家，第三阶段 {(stages['stage'] == 3).sum()} 家。"
       + (f"第一阶段的管户率平均 **{first['managed'].mean():.0%}**，本人触达率 **{first['touched'].mean():.0%}**；其余网点管户率 "
          f"{rest['managed'].mean():.0%}，触达率 {rest['touched'].mean():.0%}。" + ("名字全，不等于有人。" if first["managed"].mean() >= rest["managed"].mean() else "") if len(first) and len(rest) else ""))

# %% tags=["board:staff:picture"]
state = np.select([~scope["managed"], scope["run"], scope["touched"]], ["没有管户", "在经营", "联系过"], "只有名字")
mix = scope["weight"].groupby([scope["branch_id"], state]).sum().unstack(fill_value=0.0)
mix = mix.reindex(columns=["没有管户", "只有名字", "联系过", "在经营"], fill_value=0.0)
mix = mix.div(mix.sum(axis=1), axis=0).sort_values("只有名字", ascending=False).rename(index=offices)
fig = cu.charts.stacked_ladder(mix, unit="%", totals=False)
fig.axes[0].tick_params(axis="x", rotation=90)
cu.charts.finish(
    fig, title=f"{mix.index[0]}有 {mix['只有名字'].iloc[0]:.0%} 的客户只有管户的名字，没人联系",
    alt="各网点堆积柱：没有管户、只有名字、联系过、在经营四种客户的占比，按只有名字从多到少排。",
    source=f"客户、触达、标签表，{today:%Y-%m-%d} 前 {TOUCH_DAYS} 天，按权数")
running, meeting = (wilson(stages[name] * size, size) for name in ("run", "touched"))
near = (running["low"] < RUN_LINE) & (running["high"] > RUN_LINE) & (stages["stage"] > 1)
apart = meeting.loc[first.index, "high"].max() < meeting.loc[rest.index, "low"].min()
cu.say(f"有 {near.sum()} 家网点的经营率区间跨过 {RUN_LINE:.0%} 这条线：第二还是第三阶段，样本分不清，不要拿来排名。"
       + ("而第一阶段的触达率区间全在其余网点之下，这个差别不是抽样造成的。" if apart else ""))

# %% [markdown] outline=["S004-A6.K1"]
# ## 演示二：四类六十业，客户摊开来看
#
# 山东一家银行的案例叫“4 类 60 业客群分析”，公开资料里没有它的口径，这里按**本课程定义**做情景仿真：
# 四类是居民、农户、商户、企业；每类取户数最多的十五个业态，合起来六十格 [参数]。（也有人理解成六十岁以上客群，
# 如果贵行是那个意思，换掉分组就行。）居民按职业分，企业主和企业客户归到企业类，企业客户按行业分组。
#
# 每格看四个数：推算户数、户均存款、贷款渗透（有没结清贷款的占比）、户均产品。有效样本（按权数折算的独立样本数）
# 不到 `SMALL_CELL` 的格子不报渗透，涂成灰色。居民类里退休、在校的业态渗透低是应当的：多半不准贷，也不该推；
# 所以找贷款空格和缺口，只看农户、商户、企业三类。

# %%
KIND = {"工薪": "居民", "其他": "居民", "农户": "农户", "商户": "商户", "企业主": "企业", "企业": "企业"}
grid = (everyone if BRANCH is None else everyone[everyone["branch_id"] == BRANCH]).copy()
grid["kind"] = grid["segment"].astype("str").map(KIND)
lines_of = bank.load("industry", columns=["industry_code", "trade_group"]).set_index("industry_code")["trade_group"]
code = bank.load("enterprise", columns=["customer_id", "industry_code"]).set_index("customer_id")["industry_code"]
grid["trade"] = grid["trade"].fillna(grid.index.to_series().map(code).map(lines_of))
loans = bank.load("loan", columns=["customer_id", "settle_date"])
grid["borrowing"] = grid.index.isin(loans.loc[loans["settle_date"].isna(), "customer_id"])
monthly = bank.load("customer_month", columns=["month", "customer_id", "deposit_end", "aum_average", "product_count"])
latest = monthly[monthly["month"] == monthly["month"].max()].set_index("customer_id").reindex(grid.index)
grid["deposit"], grid["products"] = latest["deposit_end"].fillna(0.0), latest["product_count"].fillna(0)
grid = grid.dropna(subset=["kind", "trade"])

# %%
measures = grid[["borrowing", "deposit", "products"]].mul(grid["weight"], axis=0)
by_trade = measures.groupby([grid["kind"], grid["trade"]]).sum()
weight_of = grid.groupby(["kind", "trade"])["weight"]
by_trade = by_trade.div(weight_of.sum(), axis=0).rename(columns={"borrowing": "rate"})
by_trade["customers"], by_trade["effective"] = weight_of.sum(), weight_of.agg(lambda w: w.sum() ** 2 / (w**2).sum())
by_trade = by_trade.reset_index().sort_values(["customers", "trade"], ascending=[False, True])
sixty = by_trade.groupby("kind").head(PER_CLASS)
sixty = sixty.set_index("kind").loc[[k for k in ("居民", "农户", "商户", "企业") if k in set(sixty["kind"])]].reset_index()
enough = sixty["effective"] >= min(SMALL_CELL, sixty["effective"].max())
shown = sixty.copy()
shown.loc[~enough, ["rate", "deposit", "products"]] = np.nan  # 样本太少的格子不报
cu.show(shown.groupby("kind", sort=False).head(3), rows=12, names=WORDS | {"effective": "有效样本"},
        units={"rate": "%", "deposit": "万元", "customers": "户", "products": "个"}, title="每类户数最多的三个业态")

# %%
top, bottom = shown.loc[shown["rate"].idxmax()], shown.loc[shown["rate"].idxmin()]
fig = cu.charts.tiles(shown, group="kind", label="trade", value="rate", columns=PER_CLASS, unit="%")
cu.charts.finish(
    fig, title=f"贷款渗透最高的是{top['trade']} {top['rate']:.0%}，最低的是{bottom['trade']} {bottom['rate']:.0%}"
    if enough.sum() > 1 else "这家网点的业态样本都太少，渗透率只能参考",
    alt="四行方格图，每格一个业态，写着名称和贷款渗透，颜色越深渗透越高，灰色是样本太少。",
    source=f"客户、贷款表；每类户数最多的 {PER_CLASS} 个业态，格子从左到右户数递减")
cells = grid.groupby(["kind", "trade", "town_id"], observed=True).agg(
    rows=("weight", "size"), customers=("weight", "sum"), loans=("borrowing", "sum")).reset_index()
empty = cells[(cells["loans"] == 0) & (cells["rows"] >= 10) & (cells["kind"] != "居民")]
empty = empty.sort_values(["customers", "trade"], ascending=[False, True])
cu.say(f"农户、商户、企业三类的业态再乘乡镇，有十户以上样本、却一笔贷款也没有的空格有 **{len(empty)}** 个"
       + (f"，户数最多的是 {empty.iloc[0]['town_id']} 的{empty.iloc[0]['trade']}（推算 {empty.iloc[0]['customers']:,.0f} 户）。"
          if len(empty) else "。") + "空格先问一句：是没需求、不准贷，还是没人去过？样本里没有，不等于全行没有。")

# %% [markdown] outline=["S004-A7"]
# ## 演示三：哪个服务指标真的和留存有关
#
# 衡量客户服务质量的关键指标，会上能列出一长串：联系次数、回应快慢、推荐意愿（NPS，零到十分的“愿不愿意推荐给朋友”）、
# 投诉、产品数。哪个和**下一季钱还在不在**有关？
#
# 时间要摆对：服务只看结果季度**之前**半年的记录；留存看结果季度的日均资产有没有达到前一季的八成 [参数]。
# 每个指标换成“多一个标准差”（大约是从中等到中上的距离），**几率**是留下的除以没留下的，几率比大于一表示留存的几率更高。
# **单看**是只放一个指标；**校正后**是几个指标放在一起，再扣掉钱多钱少、年龄、开户年头。误差按网点聚类（同一家网点的客户不当成互不相干）。

# %%
wide = cu.analysis.caliber.wide(monthly, "aum_average").reindex(people.index).fillna(0.0)
people["before"], people["after"] = wide.iloc[:, -6:-3].mean(axis=1), wide.iloc[:, -3:].mean(axis=1)
cut = wide.columns[-4]  # 结果季度开始前的最后一天
base = people[(people["before"] >= BASE_FLOOR) & (people["open_date"] <= wide.columns[-6])].copy()
base["kept"] = (base["after"] >= KEPT_LINE * base["before"]).astype(float)
day = contacts["contact_time"].dt.normalize()
daily = contacts[(contacts["purpose"] == "日常") & (day > cut - pd.Timedelta(days=182)) & (day <= cut)]
base["contacts"] = daily.groupby("customer_id").size().reindex(base.index).fillna(0)
asked = bank.load("service_record").sort_values("request_time").drop_duplicates("customer_id").set_index("customer_id")
base["speed"] = -np.log(asked["response_days"]).reindex(base.index)  # 越大越快
base["nps"] = asked["nps"].astype(float).reindex(base.index)
base["complaint"] = (asked["kind"] == "投诉").reindex(base.index, fill_value=False).astype(float)
base["products"] = monthly[monthly["month"] == cut].set_index("customer_id")["product_count"].reindex(base.index).fillna(0)

# %%
base["money"] = np.log(base["before"] + 100)
base["money2"] = (base["money"] - base["money"].mean()) ** 2
age = today.year - base["birth_year"].astype(float)
base["age"] = age.fillna(age.median())
base["tenure"] = (today - base["open_date"]).dt.days / 365.25
SERVICE = {"contacts": "日常联系次数", "speed": "回应快", "complaint": "投诉过", "products": "产品数", "nps": "推荐意愿"}
CONTROLS = ["money", "money2", "age", "tenure"]
x = base.assign(**{name: (base[name] - base[name].mean()) / base[name].std() for name in [*SERVICE, *CONTROLS]})
x["complaint"] = base["complaint"]  # 有或没有，不换标准差
alone = pd.concat([logistic(x, "kept", [name], "branch_id") for name in SERVICE]).assign(group="单看")
joint = logistic(x, "kept", ["contacts", "speed", "complaint", "products", *CONTROLS], "branch_id")
with_nps = logistic(x, "kept", [*SERVICE, *CONTROLS], "branch_id")  # 只有答了推荐意愿的人
adjusted = pd.concat([joint.iloc[:4], with_nps.loc[["nps"]]]).assign(group="校正后")
odds = pd.concat([alone, adjusted]).reset_index()
odds["label"] = odds["feature"].map(SERVICE)

# %%
fig = cu.charts.forest(odds, value="odds_ratio", label="label", group="group", reference=1, log=True)
fig.axes[0].set_xlabel("留存的几率比（对数刻度；一表示没有关系）")
sure = [SERVICE[name] for name in adjusted.index if adjusted.loc[name, "low"] > 1 or adjusted.loc[name, "high"] < 1]
cu.charts.finish(fig, title=f"校正后仍和留存有关的：{'、'.join(sure) if sure else '一个也没有'}",
                 alt="森林图：五个服务指标单看和校正后的几率比与区间。", source=f"{len(base):,} 位个人客户，误差按网点聚类")
touch, fast, love = (adjusted.loc[name] for name in ("contacts", "speed", "nps"))
words = "校正后看不出关系了" if love["low"] <= 1 <= love["high"] else "校正后仍有关系"
cu.say(f"联系次数多一个标准差（{base['contacts'].std():.1f} 次），留存的几率是 **{touch['odds_ratio']:.2f} 倍**（{touch['low']:.2f} 到 {touch['high']:.2f}）；"
       f"回应快一个标准差是 **{fast['odds_ratio']:.2f} 倍**（{fast['low']:.2f} 到 {fast['high']:.2f}）。推荐意愿单看 {alone.loc['nps', 'odds_ratio']:.2f} 倍，"
       f"**{words}**（{love['odds_ratio']:.2f}，{love['low']:.2f} 到 {love['high']:.2f}）" + ("：打分高的人，多半本来就是回应快、联系多的人。" if love["low"] <= 1 <= love["high"] and alone.loc["nps", "low"] > 1 else "。"))

# %%
frequent = base["contacts"] >= 3
survey = bank.load("brand_survey").dropna(subset=["customer_id"]).query("survey_date <= @cut")
x["brand"] = survey.drop_duplicates("customer_id").set_index("customer_id")["nps"].astype(float).reindex(x.index)
x["brand"] = (x["brand"] - x["brand"].mean()) / x["brand"].std()
brand = logistic(x, "kept", ["brand", "money", "age"], "branch_id").iloc[0]
cu.say(f"半年里联系三次以上的客户只占 **{np.average(frequent, weights=base['weight']):.0%}**。推荐意愿还有两处要说明：诉求记录里只有 "
       f"{base['nps'].notna().mean():.0%} 的客户打了分，不打分的人未必满意；品牌调查的推荐意愿能对上号、评得上留存的只有 {x['brand'].notna().sum()} 位，"
       f"几率比 {brand['odds_ratio']:.2f}（{brand['low']:.2f} 到 {brand['high']:.2f}），"
       + ("区间太宽，说不清。" if brand["low"] <= 1 <= brand["high"] else "和诉求记录的说法要对照着看。"))

# %% [markdown]
# 一家大行支行的公开论文说，被客户经理频繁接触的客户约占 18.4% [来源：2025 年公开论文，口径与本课不同]。数字可以对照着想，不能拿来考核。
#
# ## 演示四：加企微，真的留得住人吗
#
# 先照宣传页的算法：加了企微的和没加的，直接比。再想一想：**谁会加企微？** 钱多的、经理熟的、常来往的。
# 这些人不加企微也更容易留下。所以要在“相像的人”之间比：
#
# - **回归校正**：在同样的钱、年龄、户龄之下比；
# - **倾向分**：先算每个人“会加企微的可能性”，可能性极高或极低的人没有可比的对象，先去掉（截尾）；
# - **重叠权数**：再让两组在可能性上一样，越是“加不加都说得过去”的人，权数越大。

# %%
joined = bank.load("customer_product_history").query("item == '企业微信' and from_date <= @cut")
base["wechat"] = base.index.isin(joined["customer_id"]).astype(float)
base["has_manager"] = base["managed"].astype(float)
raw = causal.regression_effect(base, "kept", "wechat", cluster="branch_id")  # 没有校正：两组均值之差
plain = causal.regression_effect(base, "kept", "wechat", CONTROLS, cluster="branch_id")
score = causal.propensity(base, "wechat", CONTROLS)
weighted = causal.weighted_effect(base, "kept", "wechat", CONTROLS, cluster="branch_id", trim=tuple(TRIM))
effects = pd.DataFrame([raw, plain, weighted], index=["直接比", "回归校正", "重叠权数"])[["estimate", "low", "high"]]
balance = pd.crosstab(pd.cut(score, np.linspace(0, 1, 11)), base["wechat"].map({1.0: "加了企微", 0.0: "没加企微"}))
balance.index = [f"{part.left:.1f}-{part.right:.1f}" for part in balance.index]
fig = cu.charts.stacked_ladder(balance, unit="户", totals=False)
inside = causal.trimmed(score, *TRIM).mean()
fig.axes[0].set_xlabel("会加企微的可能性（倾向分）")
cu.charts.finish(fig, title=f"按钱、年龄、户龄看，{inside:.0%} 的客户有可比的对象",
                 alt="堆积柱：各段倾向分里加了企微和没加的户数。", source=f"{len(base):,} 位个人客户，{cut:%Y-%m-%d} 的企微状态")

# %%
wealth = base.groupby("wechat").apply(lambda rows: np.average(rows["before"], weights=rows["weight"]), include_groups=False)
richer = wealth[1.0] / wealth[0.0] - 1
LEFT_OUT = {"contacts": "日常联系次数", "tags": "有效标签数", "has_manager": "有管户"}
check = causal.balance_table(base, "wechat", [*CONTROLS, *LEFT_OUT], causal.overlap_weights(score, base["wechat"]))
NAMES = {"money": "资产（对数）", "money2": "资产的平方", "age": "年龄", "tenure": "户龄"} | LEFT_OUT
shift = check[["difference", "weighted_difference"]].set_axis(["加权前", "加权后"], axis=1).rename(index=NAMES)
cu.show(shift.rename_axis("条件"), title="加了企微的比没加的高几个标准差（绝对值不到 0.1 算平衡）")
fig = cu.charts.forest(effects.rename_axis("算法").reset_index(), label="算法", unit="%")
fig.axes[0].set_xlabel("加企微的客户，留存率高出多少")
cu.charts.finish(fig, title=f"留存率直接比高 {raw['estimate'] * 100:.1f} 个百分点，只校正钱和年龄后高 {weighted['estimate'] * 100:.1f} 个百分点",
                 alt="三种算法的留存率差距和区间。", source="误差按网点聚类")
worst = check["weighted_difference"].abs().idxmax()
cu.say(f"加企微的客户，日均资产比没加的{'高' if richer > 0 else '低'} **{abs(richer):.0%}**（宣传页说高 {CLAIM:.0%}）。可钱多的人本来就先被邀请，谁先谁后，"
       "这个差距说不清。再看上表：没放进校正的"
       f"“**{NAMES[worst]}**”，两组加权后仍差 {check.loc[worst, 'weighted_difference']:.1f} 个标准差。**漏掉的条件不会自己平衡**，练习三补上它们。")

# %% [markdown] outline=["S003-X2.8", "S003-X3.16"]
# ## 演示五：企微给一线用，还是给中台用
#
# 大纲里的招商银行代发客户案例没有可引用的公开口径，这里用本行的代发客户做**情景仿真**。企微是两边一起用的：
# 没有中台，一线发什么、发给谁、发了有没有人看，全凭自觉；没有一线，中台就成了群发机。
#
# | 步骤 | 中台（内容、规则、质检） | 一线（关系、应答） |
# |---|---|---|
# | 添加 | 话术合规，写明用途，可随时退出 | 面对面或业务办理时征得同意，不群加 |
# | 标签 | 定义标签和有效期 | 谈一次更新一次，写下一步动作 |
# | 触发 | 到期、工资到账、异动等规则，推给一线 | 一天内人对人回应 |
# | 内容 | 每周备好内容，控制频次 [参数] | 挑合适的人发，不刷屏 |
# | 成长与权益 | 按层级设权益，规则公开 | 升级时告诉客户，不承诺收益 |
# | 复盘 | 看留存和回应时长，不看添加数 | 看自己名下“加了没人管”的有几户 |
#
# 代发群是单位同事的群：群里不谈个人账户、余额和贷款，也不发客户名单。向个人推送营销要能拒绝（个人信息保护法第二十四条）；
# 企微会话里的个人信息，同样只为说好的用途、最小范围使用（第六条）；外包的企微系统服务商是受托人，要签协议、能监督（第二十一条）。

# %%
payroll = bank.load("customer_product", columns=["customer_id", "has_payroll"]).query("has_payroll")["customer_id"]
paid = base[base.index.isin(payroll)]
cared = spoken.loc[spoken["employee_id"] == spoken["customer_id"].map(people["manager_id"]), "customer_id"]
rows = {"全部客户": base, "代发客户": paid}
cover = pd.DataFrame({name: {"rows": len(part), "企微覆盖率": np.average(part["wechat"], weights=part["weight"]),
                             "加了没人管": np.average(~part.index.isin(cared), weights=part["weight"] * part["wechat"])} for name, part in rows.items()}).T
cu.show(cover.rename_axis("客群"), names=WORDS, units={"企微覆盖率": "%", "加了没人管": "%", "rows": "户"})
yes, no = (paid.loc[paid["wechat"] == flag, "kept"] for flag in (1, 0))
gap = cu.analysis.experiment.diff_ci(yes.sum(), len(yes), no.sum(), len(no))
cu.say(f"加了企微的客户里，**{cover.loc['全部客户', '加了没人管']:.0%}** 近 {TOUCH_DAYS} 天没有被管户经理本人联系到：加好友不是经营。"
       f"代发客户里，加企微的留存率直接比高 {gap['difference'] * 100:+.1f} 个百分点（区间 {gap['low'] * 100:+.1f} 到 {gap['high'] * 100:+.1f}，{len(yes)} 户对 {len(no)} 户）；"
       "这仍是没校正的差距，别当成企微的功劳。")

# %% [markdown] outline=["S004-A6", "S004-A11"]
# ## 演示六：公开数字怎么读——白皮书与科技投入
#
# 《中国银行业私域客户经营白皮书2023》引用的一组数常被写进汇报：96% 的人在私域搜索过、83% 被“种草”过、79% 买过
# [来源：该白皮书公开目录与摘要，数字引自咨询公司调查]。读它先问三句：问的是**谁**（网上答卷的人，还是我们县里的储户）？
# 问的是**什么**（买过任何东西，还是买过银行产品）？**跟谁比**（有没有不用私域的对照）？三句都答不上来，就只能当背景，不能当目标。
#
# 科技投入同样。下面是能找到出处的几行：金额是**合计**还是**一家**、分母是不是同一个，要看清。样本只有几行，
# 而且是各家自己报的口径，不能算相关，也不能得出“投得多所以做得好”。

# %%
spend = bank.load("it_spend").sort_values(["year", "amount"], ascending=[True, False])
cu.show(spend, rows=None, units={"amount": "亿元", "revenue_share": "百分数", "assets": "亿元"})
both = spend.dropna(subset=["revenue_share", "assets"])
known = spend.dropna(subset=["revenue_share"])
cu.say(f"{len(spend)} 行里，有占比的 {len(known)} 行（{known['revenue_share'].min():.2f}% 到 {known['revenue_share'].max():.2f}%），"
       f"占比和总资产都有的 **{len(both)}** 行：" + (
           "“投入占比对资产规模”的散点图画不成，这张图只有在年报数据补齐以后才能画。" if len(both) < 5
           else f"相关系数 {both['revenue_share'].corr(both['assets']):.2f}，只有 {len(both)} 个点，不下结论。")
       + "城农商行那一行只有金额、没有占比，看不出它们投得多还是少；合计行和平均行也不能放在一起排名。")

# %% [markdown] outline=["S004-A9"]
# ## 演示七：四关注两关键，自评要有佐证
#
# 中小银行数字化转型的“四关注两关键”（本课程定义）：关注**战略、数据、人才、场景**；关键是**一把手**和**闭环**。
# 自评表另有名单管理、服务标准两项基础工作。自评最怕“都打四分”。规则很简单：**没有佐证材料的，按一分算** [定义]。
# 再拿自评和演示一数出来的比率对一对：自评高的网点，真的做得好吗？

# %%
check_up = bank.load("self_check")
check_up["backed"] = check_up["score"].where(check_up["evidence"].notna(), 1)
items = ["战略", "数据", "人才", "场景", "一把手", "闭环", "名单管理", "服务标准"]
means = check_up.groupby("item", observed=True)[["score", "backed"]].mean().reindex(items).T
fig = cu.charts.radar(means.rename(index={"score": "自评", "backed": "有佐证才算"}), high=5)
cu.charts.finish(fig, title=f"自评平均 {means.loc['score'].mean():.1f} 分，拿得出佐证的只值 {means.loc['backed'].mean():.1f} 分",
                 alt="雷达图：八项自评平均分，和没有佐证按一分算的平均分。", source=f"网点自评表，{check_up['branch_id'].nunique()} 家网点")
own_score = check_up.groupby("branch_id")[["score", "backed"]].mean().join(stage_rates(people), how="inner")
link = own_score["score"].corr(own_score["touched"], method="spearman")
noise = 1.96 / np.sqrt(len(own_score) - 1)  # 没有关系时，相关系数也会在零上下这么多
proud = own_score.loc[own_score["stage"] == 1, "score"].mean()
cu.say(f"没有佐证的自评占 {check_up['evidence'].isna().mean():.0%}。自评分和本人触达率的秩相关（名次的相关，一是完全一致）**{link:+.2f}**，"
       + (f"没有超出碰运气的范围（正负 {noise:.2f}）：自评看不出做没做。" if abs(link) < noise else "超出了碰运气的范围，值得追问。")
       + (f"第一阶段的网点自评平均 {proud:.1f} 分，其余 {own_score.loc[own_score['stage'] > 1, 'score'].mean():.1f} 分。" if np.isfinite(proud) else ""))

# %% [markdown]
# ## 练习
#
# 已有的变量：`scope`（个人客户，含 `managed`、`touched`、`run`、`weight`、`branch_id`；`touched` 和 `run` 只在有管户时为真），
# `wide`（客户乘月份的月日均资产），`sixty`（六十业），`base`（留存样本，含 `kept`、`wechat` 和各种条件），`causal`（比较的工具）。
#
# **E1 ★★ 写几行** 只看**重点客户**（近三个月的月日均资产平均达到 `KEY_FLOOR`）：每家网点在第几阶段？做一张表 `key_stages`，
# 索引 `branch_id`，列 `managed`、`touched`、`run`（按权数，分母同演示一）和 `stage`（1、2、3）[定义]。

# %% tags=["answer:E1"]
key_stages = ...  # ← 每家网点一行：三个比率和阶段
### BEGIN SOLUTION
rich = scope[wide.loc[scope.index].iloc[:, -3:].mean(axis=1) >= KEY_FLOOR]
total = rich.groupby("branch_id")["weight"].sum()
with_manager = rich[rich["managed"]].groupby("branch_id")["weight"].sum().reindex(total.index, fill_value=0)
met = rich[rich["touched"]].groupby("branch_id")["weight"].sum().reindex(total.index, fill_value=0)
running = rich[rich["run"]].groupby("branch_id")["weight"].sum().reindex(total.index, fill_value=0)
key_stages = pd.DataFrame({"managed": with_manager / total, "touched": met / with_manager, "run": running / with_manager})
weak = (key_stages["managed"] < MANAGED_LINE) | (key_stages["touched"] < TOUCH_LINE)
key_stages["stage"] = np.where(weak, 1, np.where(key_stages["run"] >= RUN_LINE, 3, 2))
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:all_customers"]
key_stages = stages

# %% tags=["wrong:E1:last_month"]
key_stages = stage_rates(scope[wide.loc[scope.index].iloc[:, -1] >= KEY_FLOOR])

# %% tags=["wrong:E1:rows_not_weights"]
key_stages = stage_rates(scope[wide.loc[scope.index].iloc[:, -3:].mean(axis=1) >= KEY_FLOOR].assign(weight=1.0))

# %% tags=["wrong:E1:share_of_everyone"]
rich = scope[wide.loc[scope.index].iloc[:, -3:].mean(axis=1) >= KEY_FLOOR]
key_stages = stage_rates(rich)
key_stages[["touched", "run"]] = key_stages[["touched", "run"]].mul(key_stages["managed"], axis=0)
weak = (key_stages["managed"] < MANAGED_LINE) | (key_stages["touched"] < TOUCH_LINE)
key_stages["stage"] = np.where(weak, 1, np.where(key_stages["run"] >= RUN_LINE, 3, 2))

# %% tags=["alternative:E1:function"]
key_stages = stage_rates(scope[wide.loc[scope.index, wide.columns[-3:]].mean(axis=1) >= KEY_FLOOR])

# %% [markdown]
# **E2 ★★★ 写几行** 农户、商户、企业三类里最大的五个贷款缺口。`sixty` 里有效样本达到线（变量 `enough` 为真）的业态才算。
# **可做户数** ＝ 推算户数 ×（本类渗透 − 本业渗透），本业不低于本类的记零；本类渗透用**同一类里这些业态**按户数加权平均 [定义]。
# 做一张表 `five_gaps`：可做户数最多的五个业态（不足五个有几个写几个，记零的不写），列 `kind`、`trade`、`gap`，从大到小。

# %% tags=["answer:E2"]
five_gaps = ...  # ← 五行：kind、trade、gap
### BEGIN SOLUTION
usable = sixty[enough & (sixty["kind"] != "居民")].copy()
usable["borrowers"] = usable["customers"] * usable["rate"]
whole = usable.groupby("kind")[["borrowers", "customers"]].transform("sum")
usable["gap"] = usable["customers"] * (whole["borrowers"] / whole["customers"] - usable["rate"]).clip(lower=0)
five_gaps = usable[usable["gap"] > 0].nlargest(5, "gap")[["kind", "trade", "gap"]]
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:simple_mean"]
usable = sixty[enough & (sixty["kind"] != "居民")].copy()
usable["gap"] = usable["customers"] * (usable.groupby("kind")["rate"].transform("mean") - usable["rate"]).clip(lower=0)
five_gaps = usable[usable["gap"] > 0].nlargest(5, "gap")[["kind", "trade", "gap"]]

# %% tags=["wrong:E2:lowest_rate"]
usable = sixty[enough & (sixty["kind"] != "居民")].copy()
usable["borrowers"] = usable["customers"] * usable["rate"]
whole = usable.groupby("kind")[["borrowers", "customers"]].transform("sum")
usable["gap"] = (whole["borrowers"] / whole["customers"] - usable["rate"]).clip(lower=0)
five_gaps = usable.nlargest(5, "gap")[["kind", "trade", "gap"]]

# %% tags=["wrong:E2:with_residents"]
usable = sixty[enough].copy()
usable["borrowers"] = usable["customers"] * usable["rate"]
whole = usable.groupby("kind")[["borrowers", "customers"]].transform("sum")
usable["gap"] = usable["customers"] * (whole["borrowers"] / whole["customers"] - usable["rate"]).clip(lower=0)
five_gaps = usable[usable["gap"] > 0].nlargest(5, "gap")[["kind", "trade", "gap"]]

# %% tags=["wrong:E2:whole_bank_level"]
usable = sixty[enough & (sixty["kind"] != "居民")].copy()
level = np.average(usable["rate"], weights=usable["customers"])
usable["gap"] = usable["customers"] * (level - usable["rate"]).clip(lower=0)
five_gaps = usable[usable["gap"] > 0].nlargest(5, "gap")[["kind", "trade", "gap"]]

# %% tags=["alternative:E2:loop"]
found = []
for _, part in sixty[enough & (sixty["kind"] != "居民")].groupby("kind"):
    level = np.average(part["rate"], weights=part["customers"])
    found.append(part.assign(gap=(level - part["rate"]) * part["customers"]))
five_gaps = pd.concat(found).query("gap > 0").sort_values("gap", ascending=False).head(5)

# %% [markdown]
# **E3 ★★★ 估计** 把演示四漏掉的条件补上：联系次数、有效标签数、有没有管户、在哪家网点。用 `causal.doubly_robust`
# （双重稳健：倾向分和回归有一个对，结果就对）算加企微客户留存率的差距，误差按网点聚类，按 `TRIM` 截尾。
# 把（差距、下限、上限）赋给 `wechat_effect`，小数，不乘一百。换别的稳妥算法也行，只要区间盖得住检查时重算的结果。
# 留神：标签和管户是今天的状态，企微看的是 `cut` 那天，先后并不干净，校正也就只是近似。
# 顺便看一眼返回的 `dropped`：补上条件以后，会有不少客户因为没有可比的对象被截掉，结论只对剩下的人成立。

# %% tags=["answer:E3"]
wechat_effect = ...  # ← 三个数：差距、下限、上限
### BEGIN SOLUTION
conditions = [*CONTROLS, "contacts", "tags", "has_manager", "branch_id"]
result = causal.doubly_robust(base, "kept", "wechat", conditions, cluster="branch_id", trim=tuple(TRIM))
wechat_effect = (result["estimate"], result["low"], result["high"])
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:raw_gap"]
wechat_effect = (raw["estimate"], raw["low"], raw["high"])

# %% tags=["wrong:E3:money_and_age_only"]
result = causal.doubly_robust(base, "kept", "wechat", CONTROLS, cluster="branch_id", trim=tuple(TRIM))
wechat_effect = (result["estimate"], result["low"], result["high"])

# %% tags=["wrong:E3:contacts_without_tags"]
conditions = [*CONTROLS, "contacts", "branch_id"]
result = causal.doubly_robust(base, "kept", "wechat", conditions, cluster="branch_id", trim=tuple(TRIM))
wechat_effect = (result["estimate"], result["low"], result["high"])

# %% tags=["wrong:E3:in_percent"]
conditions = [*CONTROLS, "contacts", "tags", "has_manager", "branch_id"]
result = causal.doubly_robust(base, "kept", "wechat", conditions, cluster="branch_id", trim=tuple(TRIM))
wechat_effect = (result["estimate"] * 100, result["low"] * 100, result["high"] * 100)

# %% tags=["alternative:E3:overlap"]
conditions = [*CONTROLS, "contacts", "tags", "has_manager", "branch_id"]
result = causal.weighted_effect(base, "kept", "wechat", conditions, cluster="branch_id", trim=tuple(TRIM))
wechat_effect = [result["estimate"], result["low"], result["high"]]

# %% tags=["alternative:E3:regression"]
conditions = [*CONTROLS, "contacts", "tags", "has_manager", "branch_id"]
result = causal.regression_effect(base, "kept", "wechat", conditions, cluster="branch_id")
wechat_effect = (result["estimate"], result["low"], result["high"])

# %% [markdown]
# **E4 ★★★ 改写宣传页** 宣传页写着“加企微客户存款高出三成五，流失更低”。改写成一段诚实的话（八十到二百字），赋给 `honest`：
# 先写直接比的留存率差距（`effects` 里），再写补齐条件以后的差距和区间（练习三的 `wechat_effect`），
# 说清楚**哪些不能说**，最后写**下一步怎么证明**（随机、对照）。差距写成“个百分点”。

# %% tags=["answer:E4"]
cu.carry_on("E3")
honest = "?"
### BEGIN SOLUTION
gap, low, high = (number * 100 for number in wechat_effect)
honest = (
    f"加企微的客户，下一季留存率直接比高 {raw['estimate'] * 100:.1f} 个百分点；把资产、年龄、联系、标签、管户和网点都校正以后，"
    f"只高 {gap:.1f} 个百分点（区间 {low:.1f} 到 {high:.1f}）。存款多的人本来就更容易加企微，所以不能说企微带来了存款，"
    "没有记下来的差别也还在。下一步随机抽一半新开户客户邀请加企微，另一半作对照，半年后再比留存。"
)
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:still_causal"]
honest = (
    f"企微带来了留存的提升：加企微的客户留存率高 {raw['estimate'] * 100:.1f} 个百分点，存款也高出 {CLAIM:.0%}，"
    "企微使客户更不容易流失，建议全行加快添加进度，把添加数纳入客户经理考核，同时随机抽查添加质量并做对照。"
)

# %% tags=["wrong:E4:no_test"]
gap, low, high = (number * 100 for number in wechat_effect)
honest = (
    f"加企微的客户留存率直接比高 {raw['estimate'] * 100:.1f} 个百分点，校正以后高 {gap:.1f} 个百分点（区间 {low:.1f} 到 {high:.1f}）。"
    "加企微的人本来就钱多、经理也熟，这个差距不能说明是企微的作用，请各支行看待这类宣传时多问一句跟谁比、怎么比。"
)

# %% tags=["alternative:E4:short"]
gap, low, high = (f"{number:.1%}" for number in wechat_effect)
honest = (
    f"两组客户直接比，留存率差 {raw['estimate']:.1%}；在相像的客户之间比，差 {gap}，区间 {low} 到 {high}。差距不能全算企微的功劳："
    "加企微的人本来钱就多、和经理也熟。想证明它有用，请留出随机的对照组：同一批客户抽签决定先后邀请，三个月以后比两组的留存。"
)

# %% [markdown]
# ## 成果
#
# 一本 `客户管理阶段评估表.xlsx`：每家网点一行，阶段、六个指标、最弱的三项（按全行网点的名次）和九十天目标。
# 目标定为走完离全行中位数一半的路 [定义]：一季度追平谁都做不到，写了也是空话；已经在中位数以上的，目标是保持。
# 表里只有网点合计，没有客户。

# %%
sheet = stage_rates(people)
sheet["response"] = asked.groupby("branch_id")["response_days"].median().reindex(sheet.index)
sheet["wechat"] = base.groupby("branch_id")["wechat"].mean().reindex(sheet.index)
sheet["backed"] = check_up.groupby("branch_id")["backed"].mean().reindex(sheet.index)
LABELS = {"managed": "管户率", "touched": "本人触达率", "run": "经营率", "response": "回应天数", "wechat": "企微覆盖率", "backed": "有佐证的自评"}
middle = sheet[list(LABELS)].median()
ranks = sheet[list(LABELS)].assign(response=-sheet["response"]).rank(pct=True)
weakest = {branch: row.sort_values(kind="stable").index[:3] for branch, row in ranks.iterrows()}


def goal(branch, name):
    """一项指标的九十天目标：走完离中位数一半的路；已经达到的写保持。"""
    now = sheet.loc[branch, name]
    done = now <= middle[name] if name == "response" else now >= middle[name]
    aim = (now + middle[name]) / 2
    text = f"{aim:.1f}" if name in ("response", "backed") else f"{aim:.0%}"
    return f"{LABELS[name]}：{'保持' if done else '到 ' + text}"


# %%
sheet["九十天目标"] = ["；".join(goal(branch, name) for name in weakest[branch]) for branch in sheet.index]
sheet.insert(0, "branch_name", offices.reindex(sheet.index))
sheet = sheet if BRANCH is None else sheet.loc[[BRANCH]]
path = cu.deliver.workbook(
    bank.output_dir("m01_n02") / "客户管理阶段评估表.xlsx",
    {"按网点": cu.deliver.Sheet(sheet.reset_index(), names=LABELS | {"stage": "阶段", "response": "回应天数（中位）"},
                             units=dict.fromkeys(["managed", "touched", "run", "wechat"], "%")),
     "六十业": cu.deliver.Sheet(shown, names=WORDS | {"effective": "有效样本"},
                             units={"rate": "%", "customers": "户", "deposit": "万元"})},
    title="客户管理阶段评估表", purpose="网点九十天改进计划", purge_date=today + pd.DateOffset(months=6),
    notes=["阶段线是参数；经营率离线很近的网点，阶段会因抽样而变。", "九十天目标是走完离全行中位数一半的路，不是考核线。"])
common = pd.Series([LABELS[name] for names in weakest.values() for name in names]).value_counts()
cu.say(f"已保存 `{path.name}`：{len(sheet)} 家网点。最常排进最弱三项的是“**{common.index[0]}**”（{common.iloc[0]} 家）。")

# %% tags=["instructor", "board:staff:brief"]
# 给行长的一栏：course board 把它放上看板
unmet, empty = cover.loc["全部客户", "加了没人管"], check_up["evidence"].isna().mean()
named = "、".join(offices.reindex(first.index)) or "没有"
rates = f"这些网点管户率 {first['managed'].mean():.0%}，本人触达率 {first['touched'].mean():.0%}" if len(first) else "没有有名无实的网点"
cu.brief(
    f"{len(stages)} 家网点里 {len(first)} 家在第一阶段（无主，或有名无实）；" + rates,
    "要办" if len(first) and apart else "留意" if len(first) or unmet > 0.5 else "平稳",
    "有第一阶段的网点，并且触达率的区间全在其余网点之下，记要办；分不开，或加了企微的客户过半没人管，记留意",
    [("第一阶段的网点", f"{len(first)} 家", f"共 {len(stages)} 家" + (f"；其余网点的本人触达率 {rest['touched'].mean():.0%}" if len(rest) else "")),
     ("加了企微、没人管", f"{unmet:.0%}", f"近 {TOUCH_DAYS} 天没有被管户经理本人联系到"),
     ("没有佐证的自评", f"{empty:.0%}", f"自评平均 {means.loc['score'].mean():.1f} 分，有佐证的只值 {means.loc['backed'].mean():.1f} 分")],
    [("网点行长", f"第一阶段的网点由管户经理本人逐户联系：{named}", "九十天"),
     ("零售部", f"照《{path.stem}》定九十天目标；最常排进最弱三项的是{common.index[0]}（{common.iloc[0]} 家）", "九十天")],
    f"有 {near.sum()} 家网点的经营率区间跨过线，第二还是第三阶段分不清，不要拿来排名。")

# %% [markdown]
# ## 讨论
#
# - 对企微做一次公平的试验，抽签的单位该是客户、经理还是网点？同一位经理名下一半邀请、一半不邀请，会出什么问题？
# - 把“本人触达率”写进考核，第二个月会发生什么？什么样的记录最难造假？
# - 推荐意愿校正以后没有用，是它真的没用，还是我们量得不好？
#
# ## 小结
#
# 客户管理在第几阶段，看本人有没有联系、下一步有没有写，不看系统里有没有名字。服务指标要放在一起校正以后再排轻重，单看都可能骗人。
# 企微和留存同时出现，不等于企微带来留存；相像的人之间再比一遍，剩下的才可能是它的作用。
#
# 下一课：人行市场份额报表。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 下表把生成器埋下的数和课堂上找到的数放在一起。常见的弯路：同事代打的电话也算触达；把企微放进留存模型一起校正，联系次数的几率比
# 就掉下来（加企微是联系多的结果，放进去会把联系的作用吸走）；只校正钱和年龄就宣布企微有效。
# 讲师可以追问：标签数为什么能代表“经理熟不熟”？它会不会也是结果？

# %% tags=["instructor"]
cu.carry_on("E3")
stage_one = int((stage_rates(people)["stage"] == 1).sum())
cu.reveal(bank, "m01_n02", {
    "or_contact": round(touch["odds_ratio"], 2), "or_response": round(fast["odds_ratio"], 2),
    "nps_effect": round(np.log(love["odds_ratio"]), 2), "wechat_true": round(wechat_effect[0], 3), "stage1_branches": stage_one},
    names={"or_contact": "联系次数的几率比", "or_response": "回应快的几率比", "nps_effect": "推荐意愿（对数几率）",
           "wechat_true": "企微的留存差距", "stage1_branches": "第一阶段网点数"})
