# %% [markdown]
# # 征信数据深用：他行客户策反与置换测算
#
# 课程：银行数据应用 · 大纲：S004-C8、S004-C8.1、S004-C8.2、S004-C8.3、S000-1.3.4.3.1、S000-1.3.4.3.2、S000-1.3.4.3.3 · 难度：L3 · 用时：100 分钟
#
# 学完本课，你能：
#
# - 先过用途闸门再碰征信数据，说得出哪些报告不能用、依据是哪一条；
# - 从月供反推他行贷款的真实利率，算清客户置换后到底省多少；
# - 把省钱、愿意、风险、够本四件事放进一张名单，估出这块业务的上限。
#
# Abstract: Pass the purpose gate first, infer other lenders' rates from instalments, compute what a customer would save, and rank refinancing offers by expected profit under consent and risk limits.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 名单看哪家支行：None 表示全行（利率、接受率、风险总是用全行数据）
ALLOWED_SCOPES = ["营销", "授信管理"]  # 授权书写明哪些用途才放行；合规部门从严时只留“营销”
LIST_DAYS = 45  # 名单要用多少天：授权必须撑到最后一天
FRESH_DAYS = 365  # 报告多少天以内才算新鲜
OUR_RATE = 5.4  # 我行给出的置换利率，年利率百分数
PENALTY_PERCENT = 1.0  # 对方收的提前还款违约金，占剩余本金的百分数
MIN_SAVING = 0.05  # 客户至少省多大比例才值得开口
HIGH_GAP = 2.0  # 对方利率比我行高几个百分点以上算高价
LOW_GAP = 0.5  # 对方利率比我行低几个百分点以上算低价
BIG_SAVING = 0.12  # 省到多大比例算“省得多”
FEW_QUERIES = 1  # 近三个月查询不超过几次算“查得少”
RISK_QUERIES = 4  # 近三个月查询达到几次转人工、不进营销名单
PD_LIMIT = 0.04  # 预计违约概率高于多少不主动营销
LOSS_GIVEN_DEFAULT = 0.65  # 信用贷款违约后的损失比例
RUNNING_COST = 0.6  # 每年运营成本，占余额的百分数
CALL_COST = 12  # 一个电话的成本，元
CALLS_PER_MANAGER = 8  # 一位客户经理这一批最多几户
SEED = 20251231  # 随机留出用的种子

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m03_n08", BANK, AS_OF)
loan_math, model, wilson = cu.analysis.loan_math, cu.analysis.model, cu.analysis.experiment.wilson


# 演示五要用的两个小函数
def query_group(counts):  # 近三个月查询次数分三组
    return pd.cut(counts, [-1, FEW_QUERIES, RISK_QUERIES - 1, 99], labels=["查得少", "中间", "查得多"])


def shape_of(frame):  # 拐点模型的三组：省得多且查得少、查得多、其余
    big = (frame["saving_ratio"] >= BIG_SAVING) & (frame["query_3m"] <= FEW_QUERIES)
    return frame.assign(big_clean=big.astype(int), many=(frame["query_3m"] >= RISK_QUERIES).astype(int))

# %% [markdown]
# ## 业务情境
#
# 支行行长在晨会上说：“老客户在网贷平台借着百分之十几的钱，我们百分之五点几没人要。
# **征信报告里都写着呢，拉一张名单，把他们挖过来！**”
#
# 这句话里藏着三个问题，次序不能倒：这些报告**能不能**拿来营销？客户换过来**省不省**？换过来的人**还不还**？
# 本课一个一个答。第一个问题答不过去，后面两个连数都不许算。
#
# 这些数据**不能**说明：报告之后客户又借了多少、提前还了多少（报告是旧照片）；没有查过征信的客户在外面借了什么；
# 以及客户为什么点头。接受率来自随机试验，只对“像试验里那样的人、那样的报价”有效。
#
# ## 数据
#
# 征信报告一行是一次查询的汇总，明细一行是报告里的一笔他行贷款。触达记录里有一次随机试验：目的写“他行贷款置换”，
# 报价随机分配，另有一部分客户随机留着不打。请特别看 `consent_scope` 那一行的说明。

# %%
cu.dictionary(bank, {
    "bureau_report": ["query_id", "customer_id", "query_date", "reason", "consent_scope", "consent_expire_date",
                      "nonbank_lenders", "query_3m", "overdue_months_24"],
    "bureau_loan": ["lender_type", "business", "amount", "total_periods", "remaining_periods", "month_payment", "known_rate"],
    "contact_log": ["purpose", "arm", "offered_rate", "saving_ratio", "converted"],
})  # fmt: skip

# %% [markdown] outline=["S004-C8"]
# ## 演示一：用途闸门，先问能不能，再打开报告
#
# 征信报告不是行里的自有数据，用它有两道法律门槛：
#
# | 条文 | 说了什么 | 在这张名单上是什么意思 |
# |---|---|---|
# | 《征信业管理条例》第十八条 | 查询个人信息要本人书面同意，并**约定用途** | 没有写明用途的授权，等于没有营销授权 |
# | 《征信业管理条例》第二十条 | 按约定的用途使用，**不得用作约定以外的用途**，不得未经同意给第三方 | 为贷后管理授权的报告，不能拿来拉营销名单 |
# | 《个人信息保护法》第六条、第十九条 | 目的明确、范围最小、保存不超过必要时间 | 只取要用的列；名单写明用途和销毁日 |
#
# 看的是授权书写的**范围**，不是查询时填的**原因**：同样是贷款审批查的，有的授权书写了营销，有的没写。
# “授信管理”能不能用于给老客户谈置换，本课默认放行 [本课程定义]，真用时由本行合规部门定；从严的话把 `ALLOWED_SCOPES` 改成只有“营销”。
# 闸门设在打开明细之前，所以下面**只读六列**：编号、人、日期、原因、范围、到期日，一个数字也不看。
#
# 报告能用，还要客户本人愿意接电话：授权表里“营销”一项同意且没过期，没有谢绝来电，号码有效。
# 再从放行的报告里给每人留最新的一份。漏斗从“份”走到“人”，每一步掉多少都记下来，将来检查拿得出手。

# %%
last_day = bank.as_of + pd.Timedelta(days=LIST_DAYS)
heads = bank.load("bureau_report", columns=["query_id", "customer_id", "query_date", "reason", "consent_scope",
                                            "consent_expire_date"])  # fmt: skip
heads["in_scope"] = heads["consent_scope"].isin(ALLOWED_SCOPES)
heads["lasts"] = heads["consent_expire_date"].isna() | (heads["consent_expire_date"] >= last_day)
heads["fresh"] = heads["query_date"] >= bank.as_of - pd.Timedelta(days=FRESH_DAYS)
by_scope = heads.groupby("consent_scope").agg(reports=("query_id", "size"), allowed=("in_scope", "max"))
by_scope["share"] = by_scope["reports"] / len(heads)
cu.show(by_scope, rows=None, units={"share": "%"}, names={"reports": "报告份数", "allowed": "放行", "share": "占比"})
cross = heads.groupby("reason")["in_scope"].agg(["sum", "size"])
outside = wilson(cross["size"] - cross["sum"], cross["size"])
blocked = wilson([(~heads["in_scope"]).sum()], [len(heads)]).iloc[0]
cu.say(f"{len(heads):,} 份报告里，**{blocked['rate']:.1%}**（区间 {blocked['low']:.1%}–{blocked['high']:.1%}）的授权范围盖不住营销，"
       f"一份也不能打开。为“{outside['rate'].idxmax()}”查的报告里这个比例最高，{outside['rate'].max():.0%}；"
       f"为“{outside['rate'].idxmin()}”查的最低，{outside['rate'].min():.0%}：哪个原因里都有能用的和不能用的，光看原因分不开。")  # fmt: skip

# %%
people = bank.load("customer", columns=["customer_id", "customer_type", "masked_name", "birth_year", "occupation", "branch_id",
                                        "manager_id", "do_not_call", "phone_valid", "weight"]).set_index("customer_id")  # fmt: skip
agreed = bank.load("consent", columns=["customer_id", "scope", "granted", "expire_date"])
agreed = agreed[(agreed["scope"] == "营销") & agreed["granted"] & ~(agreed["expire_date"] < last_day)]
people["consent"] = people.index.isin(agreed["customer_id"])
usable = heads[heads["in_scope"] & heads["lasts"] & heads["fresh"]]
latest = usable.sort_values(["query_date", "query_id"]).drop_duplicates("customer_id", keep="last")
reachable = people.loc[latest["customer_id"]]
reachable = reachable[reachable["consent"] & ~reachable["do_not_call"] & reachable["phone_valid"]]
steps = pd.Series({
    "全部报告（份）": len(heads), "授权范围盖得住（份）": heads["in_scope"].sum(),
    "授权撑到名单用完（份）": (heads["in_scope"] & heads["lasts"]).sum(), f"{FRESH_DAYS} 天以内（份）": len(usable),
    "每人留最新一份（人）": len(latest), "本人愿意接电话（人）": len(reachable)})  # fmt: skip

# %%
fig = cu.charts.funnel_steps(steps)
cu.charts.finish(fig, title=f"{len(heads):,} 份报告，过完闸门能联系的是 {len(reachable):,} 人",
                 source=f"{bank.name}，征信报告与授权表，{bank.as_of:%Y-%m-%d}",
                 alt="六级漏斗：" + "，".join(f"{name} {count:,}" for name, count in steps.items()) + "。")  # fmt: skip
strict = heads["consent_scope"].eq("营销").sum()
cu.say(f"从严只认“营销”的话，第一道门只剩 {strict:,} 份（{strict / len(heads):.0%}）。"
       f"还有 {(heads['in_scope'] & ~heads['lasts']).sum():,} 份授权今天没到期，但撑不到 {last_day:%Y-%m-%d} 名单用完那天，也拿掉了："
       "电话打出去的那一刻，授权必须还在。")  # fmt: skip

# %% [markdown] outline=["S004-C8.1"]
# ## 演示二：征信加行内，两张脸合在一起看
#
# 现在才打开报告，而且只打开放行的。每人几个指标：非银机构数（消费金融、网络小贷）、他行月应还、
# 信用卡使用率（已用除以额度）、近三个月查询次数。再和行内持有的产品合在一起：**用我行哪项服务的人，更多在外面借网贷？**
# 比例都带区间（同样的人再抽一次，比例大致会落在哪里）；区间盖住总体比例的，就当没差别。
#
# 这张表只数报告被放行的客户，他们大多是近一年申请过贷款的人，**不代表全行客户**。

# %%
numbers = bank.load("bureau_report", columns=["query_id", "nonbank_lenders", "month_due", "card_limit", "card_used",
                                              "overdue_months_24", "query_3m"])  # fmt: skip
faces = latest.merge(numbers, on="query_id").set_index("customer_id")
faces["outside"] = faces["nonbank_lenders"] > 0
card_use = faces["card_used"] / faces["card_limit"].where(faces["card_limit"] > 0)
services = {"has_payroll": "代发工资", "has_pos": "收单", "has_mobile_bank": "手机银行", "has_credit_card": "信用卡",
            "has_mortgage": "按揭", "has_business_loan": "经营贷", "has_consumer_loan": "消费贷", "has_wealth": "理财"}  # fmt: skip
held = bank.load("customer_product").set_index("customer_id").reindex(faces.index)[list(services)]
pairs = held.rename(columns=services).melt(var_name="service", value_name="has", ignore_index=False)
pairs = pairs[pairs["has"] == True].join(faces["outside"])  # noqa: E712
table = pairs.groupby("service")["outside"].agg(count="size", hits="sum").query("count >= 30")
table = table.join(wilson(table["hits"], table["count"]))
cu.show(table[["count", "rate", "low", "high"]].sort_values("rate", ascending=False), rows=None,
        units={"rate": "%", "low": "%", "high": "%"},
        names={"service": "持有我行服务", "count": "人数", "rate": "外面有网贷", "low": "区间下限", "high": "区间上限"})  # fmt: skip

# %%
overall = faces["outside"].mean()
above, below = table.index[table["low"] > overall], table.index[table["high"] < overall]
cu.say(f"放行的 {len(faces):,} 人里，{overall:.0%} 在非银机构有借款；信用卡使用率中位数 {card_use.median():.0%}，"
       f"他行月应还中位数 {faces.loc[faces['month_due'] > 0, 'month_due'].median():,.0f} 元（有借款的人）。"
       f"看得出高于总体的服务：{'、'.join(above) or '没有'}；看得出低于总体的：{'、'.join(below) or '没有'}。"
       "其余的不能拿来当筛选条件。")  # fmt: skip

# %% [markdown] outline=["S000-1.3.4.3.1"]
# ## 演示三：从月供反推利率
#
# 报告里没有利率，只有金额、期数、月供。可是这三样定死了利率：把以后每个月的月供按某个月利率折回今天，加起来**正好等于借到的钱**，
# 这个月利率就是真实利率（内部收益率）。怎么找？**二分法**：猜一个，折出来的钱比本金多，说明利率猜低了，往上挪一半；少了就往下挪。
# 下面拿一笔网贷，看它怎么一步步夹住答案。

# %%
details = bank.load("bureau_loan").merge(latest[["query_id", "customer_id"]], on="query_id")
details = details[~details["business"].isin(["按揭", "助学贷"])]
sample = details[details["lender_type"] == "网络小贷"].sort_values(["query_id", "line_number"]).iloc[0]
low, high, rows = 0.0, 0.1, []
for step in range(1, 31):
    middle = (low + high) / 2
    worth = sum(sample["month_payment"] / (1 + middle) ** k for k in range(1, sample["total_periods"] + 1))
    if step <= 6:
        rows.append([step, middle * 1200, worth, "低了，往上" if worth > sample["amount"] else "高了，往下"])
    low, high = (middle, high) if worth > sample["amount"] else (low, middle)
walk = pd.DataFrame(rows, columns=["第几步", "猜的年利率（百分数）", "月供折回今天（元）", "判断"])
cu.show(walk, rows=None)
flat = (sample["month_payment"] * sample["total_periods"] / sample["amount"] - 1) / sample["total_periods"]
cu.say(f"这笔借 {sample['amount']:,.0f} 元、{sample['total_periods']} 期、月供 {sample['month_payment']:,.2f} 元，三十步后夹出年利率 "
       f"**{middle * 1200:.2f}%**。平台若宣传“月费率 {flat:.2%}”，乘十二只有 {flat * 12:.2%}，真实利率是它的 {middle / flat:.1f} 倍：费率按**最初**借的钱算，本金却月月在还。")

# %% [markdown]
# 工具箱的 `annuity_percent` 用同一个办法一次算完所有贷款。算得准不准，拿客户出示过合同、知道真利率的那些来考（`known_rate`）。

# %%
details["rate"] = loan_math.annuity_percent(details["amount"], details["month_payment"], details["total_periods"])
exam = details.dropna(subset=["known_rate"])
error = (exam["rate"] - exam["known_rate"]).abs().max() * 100
cu.say(f"拿 {len(exam):,} 笔知道真利率的贷款来考：反推误差最大 {error:.1f} 个基点（一个基点是万分之一）；算不出利率的 {details['rate'].isna().sum()} 笔。")
kind = details["lender_type"].astype("str")
details["kind"] = kind.where(kind.isin(["大行", "消费金融", "网络小贷"]), "其他银行")
edges = [0, 3, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20, 40]
bands = pd.cut(details["rate"], edges, labels=[f"{a}–{b}" for a, b in zip(edges[:-1], edges[1:], strict=True)], right=False)
shape = pd.crosstab(bands, details["kind"])
middle_rate = details.groupby("kind")["rate"].median()
far = middle_rate.get("网络小贷", 0) - middle_rate.get("大行", 0)
fig = cu.charts.stacked_ladder(shape, unit="笔", legend="放款机构", totals=False)
cu.charts.finish(fig, title=f"利率{'分成两座山' if far > 5 else '挤在一起'}：大行中位数 {middle_rate.get('大行', np.nan):.1f}%，网络小贷 {middle_rate.get('网络小贷', np.nan):.1f}%",
                 source=f"{bank.name}，放行报告里的 {len(details):,} 笔他行贷款（不含按揭、助学贷），横轴为反推年利率（%）",
                 alt="按反推利率分组的堆叠柱：" + "，".join(f"{name}中位数 {value:.1f}%" for name, value in middle_rate.items()) + "。")  # fmt: skip

# %% [markdown]
# ## 演示四：客户到底省多少
#
# 报告是旧照片，先把它**推到今天**：报告日到现在过了几个月，就少几期，剩余本金按反推的利率折出来。已经还完的拿掉。
#
# 再比两条路 [定义]：老路，把剩下的月供按新利率折成今天的钱；新路，今天向我行借一笔，还清剩余本金、付掉违约金。
# 老路减新路就是客户省的钱；除以老路，就是**节省比例**。少于 `MIN_SAVING` 不开口：客户跑一趟银行也有成本。
# 产品也要装得下：按业务种类对到我行产品，金额、期限、到期年龄都不能超，在校学生不做；按揭有押品和自己的规则，本课不碰。

# %%
months_gone = (bank.as_of - details["query_date"]).dt.days // 30
loans = details.assign(left=details["remaining_periods"] - months_gone)
loans = loans[(loans["left"] > 0) & loans["rate"].notna()].reset_index(drop=True)
loans["owed"] = loan_math.annuity_value(loans["month_payment"], loans["rate"], loans["left"])
terms = [loans["owed"], loans["month_payment"], loans["left"]]
loans = loans.join(loan_math.refinance_saving(*terms, OUR_RATE, penalty_percent=PENALTY_PERCENT))
products = bank.load("product", columns=["product_code", "amount_maximum", "term_maximum_months", "age_maximum"])
loans["product_code"] = loans["business"].astype("str").map({"消费贷": "L_ONLINE", "经营贷": "L_MERCHANT", "农户贷": "L_FARM"})
loans = loans.merge(products, on="product_code", how="left")
age_at_end = bank.as_of.year + loans["left"] / 12 - loans["customer_id"].map(people["birth_year"])
loans["fits"] = ((loans["owed"] <= loans["amount_maximum"]) & (loans["left"] <= loans["term_maximum_months"])
                 & (age_at_end <= loans["age_maximum"]) & loans["customer_id"].map(people["occupation"]).ne("学生"))  # fmt: skip

# %%
good = loans[loans["fits"] & (loans["saving_ratio"] >= MIN_SAVING)]
tease = loans["fits"] & (loans["month_saving"] > 0) & (loans["saving_ratio"] < MIN_SAVING)
cu.say(f"推到今天，{len(details):,} 笔里还有 {len(loans):,} 笔没还完，产品装得下的 {loans['fits'].sum():,} 笔；"
       f"换过来能省 {MIN_SAVING:.0%} 以上的 **{len(good):,}** 笔，{good['customer_id'].nunique():,} 人。"
       f"还有 {tease.sum():,} 笔月供确实会降，可扣掉违约金省不到 {MIN_SAVING:.0%}：剩下的期数太短，利率差再大也没几个月可省。")  # fmt: skip
if len(good):
    pick = good.sort_values(["saving", "query_id"]).iloc[len(good) // 2]
    longer = loan_math.refinance_saving(pick["owed"], pick["month_payment"], pick["left"], OUR_RATE,
                                        new_months=36, penalty_percent=PENALTY_PERCENT).iloc[0]  # fmt: skip
    choice = pd.DataFrame({"原期限": pick[longer.index].astype(float), "拉长到三十六期": longer}).T
    cu.show(choice[["new_payment", "month_saving", "total_saving"]], rows=None, units={"new_payment": "元", "month_saving": "元", "total_saving": "元"},
            names={"index": "怎么换", "new_payment": "新月供", "month_saving": "每月少还", "total_saving": "一共少付"})  # fmt: skip
    cu.say(f"居中的一笔：还欠 {pick['owed']:,.0f} 元、{pick['left']} 期、利率 {pick['rate']:.1f}%。按原期限换，每月少还 {pick['month_saving']:,.0f} 元；"
           f"拉长到三十六期，每月少还 {longer['month_saving']:,.0f} 元，听着更好，一共却只少付 {longer['total_saving']:,.0f} 元"
           f"（原期限是 {pick['total_saving']:,.0f} 元）。**月供降得多不等于省得多**，对客户要把两个数都说出来。")  # fmt: skip

# %% [markdown]
# ## 演示五：省多少，客户才点头
#
# 此前做过一次随机试验：报价随机，另留一部分人不打。有了留出组，才知道成交是不是电话带来的。
# 先对闸门：试验里每一通电话，都要找得到电话之前、范围放行的报告；再看三件事：打与不打差多少，省得多的是不是更愿意，
# 查得多的（到处借钱的）又怎样。试验里的节省比例没扣违约金，后面名单里扣了，所以名单的接受概率偏保守。
#
# 然后写成模型，好给每个人打接受概率。三个备选：**直线**（省得越多越愿意，按比例涨）、**拐点**（省到 `BIG_SAVING` 且查得少才跳上去，
# 查得多的另算）、**提升树**（让机器自己找形状，只规定省得多不会更不愿意）。用早的月份学，最后三个月考。
# AUC 是排序分，掷硬币得一半；差值带区间，盖住零就是分不出高下，那就用最讲得清的。

# %%
log = bank.load("contact_log", columns=["customer_id", "contact_time", "purpose", "arm", "offered_rate", "saving_ratio", "converted"])
trial = log[(log["purpose"] == "他行贷款置换") & log["converted"].notna()].sort_values(["contact_time", "customer_id"])
reports = heads[heads["in_scope"]].merge(numbers, on="query_id").sort_values(["query_date", "query_id"])
trial = pd.merge_asof(trial, reports[["customer_id", "query_date", "query_3m"]], left_on="contact_time",
                      right_on="query_date", by="customer_id").dropna(subset=["query_3m"])  # fmt: skip
trial["accepted"] = trial["converted"].astype(int)
effect = cu.analysis.experiment.compare_arms(trial, "accepted", "arm", "随机触达", "随机保留").iloc[0]
most = wilson(effect["rate_b"] * effect["n_b"], effect["n_b"])["high"].iloc[0]  # 不打也来的，最多可能有几成
alone = (f"没打的几乎没人自己来（区间上限 {most:.1%}），下面的接受率可以近似当作电话的作用" if most < 0.02
         else f"不打也可能有人来（区间上限 {most:.1%}），要减掉才是电话的作用")
cu.say(f"试验里对得上放行报告的 {len(trial):,} 人：打了电话的 {effect['n_a']:,} 人里 {effect['rate_a']:.1%} 在九十天内换了过来，"
       f"留着不打的 {effect['n_b']:,} 人里 {effect['rate_b']:.1%}，差 {effect['difference'] * 100:+.1f} 个百分点"
       f"（区间 {effect['low'] * 100:+.1f} 到 {effect['high'] * 100:+.1f}）：{alone}。")  # fmt: skip

# %%
called = trial[trial["arm"] == "随机触达"].copy()
called["saving_band"] = pd.cut(called["saving_ratio"], [-1, 0, 0.04, 0.08, BIG_SAVING, 1], right=False,
                               labels=["不省", "省不到 4%", "省 4%–8%", f"省 8%–{BIG_SAVING:.0%}", f"省 {BIG_SAVING:.0%} 以上"])  # fmt: skip
called["queries"] = query_group(called["query_3m"])
cells = called.groupby(["saving_band", "queries"], observed=True)["accepted"].agg(["sum", "size"]).reset_index()
cells = cells.join(wilson(cells["sum"], cells["size"]))
curve, clean = cells[cells["queries"] != "中间"], cells[cells["queries"] == "查得少"]
best, rest = clean.iloc[-1], clean.iloc[:-1].sum(numeric_only=True)
gap = cu.analysis.experiment.diff_ci(best["sum"], best["size"], rest["sum"], rest["size"])
verdict = "更愿意" if gap["low"] > 0 else ("更不愿意" if gap["high"] < 0 else "看不出差别")
fig = cu.charts.bars_with_interval(curve, label="saving_band", group="queries", count="size")
cu.charts.finish(fig, title=f"查得少又省 {BIG_SAVING:.0%} 以上：接受率 {best['rate']:.0%}，比省得少的{verdict}",
                 source=f"{bank.name}，随机触达 {len(called):,} 人；查得少为三个月不超过 {FEW_QUERIES} 次，查得多为 {RISK_QUERIES} 次以上",
                 alt="按节省比例分组的接受率条形图，带区间，分查得少和查得多两组。")  # fmt: skip
cu.say(f"查得少的人里，省 {BIG_SAVING:.0%} 以上的接受率减其余的：{gap['difference'] * 100:+.1f} 个百分点（区间 {gap['low'] * 100:+.1f} 到 {gap['high'] * 100:+.1f}）。每格人少，别拿相邻两格的一两个百分点做文章。")

# %%
called = shape_of(called).reset_index(drop=True)
called["month"] = called["contact_time"].dt.to_period("M").dt.to_timestamp()
split = model.time_split(called, "month", 1, 3)
early, late = pd.concat([split.train, split.valid]), split.test
line, bend = ["saving_ratio", "query_3m"], ["big_clean", "many"]
models = {"直线": model.fit_logit(early, line, "accepted"), "拐点": model.fit_logit(early, bend, "accepted"),
          "提升树": model.fit_boosting(early, line, "accepted", signs={"saving_ratio": 1}, iterations=40)}  # fmt: skip
scores = {name: fitted.predict(late) for name, fitted in models.items()}
grades = pd.DataFrame({name: model.judge(late["accepted"], score) for name, score in scores.items()}).T
duel = model.auc_gap(late["accepted"], scores["拐点"], scores["直线"])
cu.show(grades[["auc", "brier"]], rows=None, names={"index": "模型", "auc": "AUC", "brier": "布赖尔分（越小越准）"})
word = "区间不含零" if duel["low"] * duel["high"] > 0 else "区间含零，分不出高下"
cu.say(f"考卷 {len(late):,} 人、接受 {late['accepted'].sum()} 人。AUC 最高的是{grades['auc'].idxmax()}（{grades['auc'].max():.2f}），"
       f"拐点减直线 {duel['gap']:+.3f}（区间 {duel['low']:+.3f} 到 {duel['high']:+.3f}，{word}）。下面用拐点：三组人、三个概率，一线记得住。"
       f"{'但三个模型都只比掷硬币好一点，' if grades['auc'].max() < 0.65 else ''}它排得出先后，说不准某一个人。")  # fmt: skip

# %% [markdown]
# ## 演示六：最爱点头的人，会不会最还不上
#
# 到处查征信的人急着用钱，报价给他，他当然愿意。愿意和还得上是两回事，所以同一批指标还要过**风险闸门**。
# 做法：把过去的贷款审批报告和随后放出的贷款对上，看放款后十二个月内有没有逾期九十天以上。
# 衡量风险属于授信管理，所以这一步只用**授权写明授信管理**的审批报告；只出分组比例，不出任何人的明细。
# 留神：看得到结果的只有**批了、放了**的贷款；当年查得多又没批的人更差还是更好，这里看不见。

# %%
lent = bank.load("loan", columns=["loan_id", "customer_id", "product_code", "issue_date"])
lent = lent[lent["product_code"].isin(["L_ONLINE", "L_MERCHANT", "L_FARM"])]
lent = lent[lent["issue_date"] + pd.DateOffset(months=12) <= bank.as_of].sort_values(["issue_date", "loan_id"])
late_months = bank.load("loan_month", columns=["month", "loan_id", "dpd"]).query("dpd > 90")
lent["first_bad"] = lent["loan_id"].map(late_months.groupby("loan_id", observed=True)["month"].min())
year = lent["issue_date"] + pd.DateOffset(months=12) + pd.offsets.MonthEnd(0)
lent["bad"] = (lent["first_bad"] <= year).astype(int)
approval = heads[(heads["reason"] == "贷款审批") & (heads["consent_scope"] == "授信管理") & ~(heads["consent_expire_date"] < bank.as_of)]
approval = approval.merge(numbers, on="query_id").sort_values(["query_date", "query_id"])
lent = pd.merge_asof(lent, approval, left_on="issue_date", right_on="query_date",
                     by="customer_id", tolerance=pd.Timedelta(days=15)).dropna(subset=["query_3m"])  # fmt: skip
lent["queries"] = query_group(lent["query_3m"])
risk = lent.groupby("queries", observed=True)["bad"].agg(["sum", "size"])
risk = risk.join(wilson(risk["sum"], risk["size"]))
risk["accept"] = called.groupby("queries", observed=True)["accepted"].mean().reindex(risk.index)

# %%
cu.show(risk[["size", "accept", "rate", "low", "high"]], rows=None, units={"accept": "%", "rate": "%", "low": "%", "high": "%"},
        names={"queries": "近三月查询", "size": "放款笔数", "accept": "接受率", "rate": "一年内变坏", "low": "区间下限", "high": "区间上限"})  # fmt: skip
few, many = lent["query_3m"] < RISK_QUERIES, lent["query_3m"] >= RISK_QUERIES
worse = cu.analysis.experiment.diff_ci(lent.loc[many, "bad"].sum(), many.sum(), lent.loc[few, "bad"].sum(), few.sum())
times = np.float64(worse["rate_a"]) / worse["rate_b"]
loss_cost = risk.loc["查得多", "rate"] * LOSS_GIVEN_DEFAULT * 100
cu.say(f"查得多的人，一年内变坏的比例是其余人的 **{times:.1f} 倍**（相差的区间 {worse['low'] * 100:+.1f} 到 {worse['high'] * 100:+.1f} 个百分点），接受率 {risk.loc['查得多', 'accept']:.1%}，查得少的 {risk.loc['查得少', 'accept']:.1%}。"
       f"按违约损失 {LOSS_GIVEN_DEFAULT:.0%} 算，查得多的人光风险成本每年就要 {loss_cost:.1f} 个百分点，"
       f"{'比整个报价还高' if loss_cost > OUR_RATE else '已经吃掉报价的大半'}：这些客户转人工，不进营销名单。"
       "不是不贷给他，是不主动劝他再换一笔。")  # fmt: skip

# %%
lent["overdue"] = lent["overdue_months_24"].clip(upper=6)
lent["crowded"], lent["many"] = (lent["nonbank_lenders"] >= 4).astype(int), many.astype(int)
signs = ["many", "crowded", "overdue"]
risk_model = model.fit_logit(lent, signs, "bad")
start = lent["issue_date"].median()  # 早放的一半学，晚放的一半考：概率要拿去乘损失，先看准不准
exam_loans = lent[lent["issue_date"] > start]
guess = model.fit_logit(lent[lent["issue_date"] <= start], signs, "bad").predict(exam_loans)
order, real = model.auc(exam_loans["bad"], guess), wilson(exam_loans["bad"].sum(), len(exam_loans)).iloc[0]
cu.say(f"把查询多、网贷机构多、近两年逾期月数三样写成一个打分。用早放的一半学、晚放的一半考，排序分 AUC {order:.2f}；预计变坏 {guess.mean():.1%}，"
       f"实际 {real['rate']:.1%}（区间 {real['low']:.1%}–{real['high']:.1%}）：{'平均数对得上' if real['low'] <= guess.mean() <= real['high'] else '平均数对不上，要先校准再卡线'}。"
       "名单用全部贷款重学一遍的打分卡 `PD_LIMIT`；正式授信仍要重新查询、正式评级。")  # fmt: skip

# %% [markdown] outline=["S004-C8.2", "S000-1.3.4.3.2", "S000-1.3.4.3.3"]
# ## 演示七：谁先打，拿什么产品打，怎么开口
#
# 先按价格把没还完的他行贷款分成四类 [定义]，打法完全不同：
#
# | 类别 | 怎么认 | 产品策略 | 开口（技巧） | 不要说 |
# |---|---|---|---|---|
# | 高价置换 | 换过来能省 `MIN_SAVING` 以上 | 同期限置换，报月供和总额两个数 | “您手上要是有利率高的分期，带合同来，我当面帮您算算换了省不省” | “我们在征信上看到您借了网贷”——电话里没核实身份，旁边可能是家人 |
# | 高价将尽 | 利率比我行高 `HIGH_GAP` 个百分点以上，但剩余期短、省不到 `MIN_SAVING` | 不劝他折腾；还清以后的下一次用款才是机会 | “等这笔还清了，下次用钱先来问问我” | 催他提前还 |
# | 同价服务 | 利率差不多 | 不打价格，给随借随还的备用额度、省跑腿的手续 | “到期前不用再跑一趟，额度先给您备着，不用不要钱” | “别家都不靠谱” |
# | 低价防守 | 对方比我行低 `LOW_GAP` 个百分点以上 | 跟价只会亏；守住结算、代发和下一次用款 | “这笔您用着合适，下次扩店、进货用款早点告诉我” | 承诺跟价 |
#
# 对“高价置换”的人算一笔总账。**期望利润** = 接受概率 ×（利差收入 − 风险成本）− 电话成本：
# 利差 = 报价 − 资金成本（内部转移价格）− 运营成本；风险成本 = 违约概率 × 违约损失；都乘上“余额 × 平均占用年数”。
# 它必须在客户也省钱的前提下才算数：前面的 `MIN_SAVING` 已经把客户不划算的拿掉了。

# %%
rate_gap = loans["rate"] - OUR_RATE
loans["play"] = np.select([loans["saving_ratio"] >= MIN_SAVING, rate_gap > HIGH_GAP, rate_gap < -LOW_GAP],
                          ["高价置换", "高价将尽", "低价防守"], default="同价服务")  # fmt: skip
plays = loans.pivot_table(index="play", columns="kind", values="owed", aggfunc="sum").fillna(0)
share = plays.div(plays.sum(axis=0), axis=1)
cu.show(share, rows=None, units=dict.fromkeys(share.columns, "%"), names={"play": "类别"}, title="各类机构的未还余额，分四类各占多少")
main = share.idxmax()
cu.say("按余额，" + "；".join(f"{name}的 {share.loc[main[name], name]:.0%} 属于“{main[name]}”" for name in share.columns)
       + "。类别不是按机构名字贴的，是一笔一笔算出来的：真正能置换的只是高价里剩余期够长的那一截。")  # fmt: skip

# %%
fund = bank.load("ftp_curve") if bank.has("ftp_curve") else pd.DataFrame({"month": [bank.as_of], "term_months": [12], "rate": [2.0]})
fund_cost = fund[fund["term_months"] == 12].sort_values("month")["rate"].iloc[-1]
offer = loans[loans["fits"] & (loans["saving_ratio"] >= MIN_SAVING)].copy()
offer["money_years"] = (offer["new_payment"] * offer["left"] - offer["owed"]) / (OUR_RATE / 100)
pool = offer.groupby("customer_id")[["owed", "month_saving", "saving", "old_value", "money_years"]].sum()
pool["saving_ratio"] = pool["saving"] / pool["old_value"]
pool = pool.join(faces[["query_3m", "nonbank_lenders", "overdue_months_24"]]).join(people)
pool["crowded"], pool["overdue"] = (pool["nonbank_lenders"] >= 4).astype(int), pool["overdue_months_24"].clip(upper=6)
pool = shape_of(pool)
pool["chance"] = model.fit_logit(called, bend, "accepted").predict(pool)
pool["pd"] = risk_model.predict(pool)
pool["margin"] = (OUR_RATE - fund_cost - RUNNING_COST) / 100 - pool["pd"] * LOSS_GIVEN_DEFAULT
pool["expected"] = pool["chance"] * pool["money_years"] * pool["margin"] - CALL_COST
pool = pool if BRANCH is None else pool[pool["branch_id"] == BRANCH]

# %%
pool["gate"] = np.select([pool["query_3m"] >= RISK_QUERIES, pool["pd"] > PD_LIMIT, pool["expected"] <= 0],
                         ["查询多，转人工", "违约概率高", "不够本"], default="值得打")  # fmt: skip
worth, poor, counts = pool[pool["gate"] == "值得打"], pool[pool["gate"] == "不够本"], pool["gate"].value_counts()
if len(pool):
    fig = cu.charts.bubble_map(pool, x="saving_ratio", y="expected", size="owed", color="gate",
                               x_unit="%", y_unit="元", color_label="结论", cut_x=BIG_SAVING, cut_y=0)  # fmt: skip
    fig.axes[0].set_xlabel("客户节省比例（%）")
    fig.axes[0].set_ylabel("银行期望利润（元/户）")
    cu.charts.finish(fig, title=f"{len(pool):,} 位换了能省的客户里，既还得上又够本的 {len(worth):,} 位",
                     source=f"{bank.name}，放行报告，报价 {OUR_RATE}%，气泡大小为未还余额，虚线为省得多和不赚不赔",
                     alt="横轴客户节省比例、纵轴银行期望利润的气泡图，颜色为结论：" + "，".join(f"{k} {v} 人" for k, v in counts.items()) + "。")  # fmt: skip
cu.say(f"资金成本 {fund_cost:.2f}%，运营 {RUNNING_COST}%，报价 {OUR_RATE}%，毛利差只有 {OUR_RATE - fund_cost - RUNNING_COST:.2f} 个百分点，风险成本一扣所剩无几。"
       f"结论是：{'；'.join(f'{name} {count} 人' for name, count in counts.items()) or '没有候选客户'}。"
       + (f"值得打的余额中位数 {worth['owed'].median():,.0f} 元、平均期望利润 {worth['expected'].mean():,.0f} 元一户；不够本的"
          f"余额中位数 {poor['owed'].median():,.0f} 元：客户是省了，银行却赚不回一个电话钱。" if len(worth) and len(poor) else ""))  # fmt: skip

# %% [markdown] outline=["S004-C8.3"]
# ## 演示八：这块业务的上限有多大
#
# 潜力 = 没还完的他行余额 × 能省钱的份额 × 接受率。样本里一个人代表若干人（权重），乘上才是全行口径。
# 每乘一步都在缩水，所以不要只报第一个数。最后一个数的误差用接受率的区间带出来；违约、电话产能还没扣。

# %%
scale = loans.assign(total=loans["owed"] * loans["customer_id"].map(people["weight"]))
scale["ready"] = scale["fits"] & (scale["saving_ratio"] >= MIN_SAVING)
scale["callable"] = scale["ready"] & scale["customer_id"].isin(reachable.index)
scale["safe"] = scale["callable"] & (scale["customer_id"].map(faces["query_3m"]) < RISK_QUERIES)
levels = pd.Series({"放行报告里的未还余额": scale["total"].sum(), "换了能省且产品装得下": scale.loc[scale["ready"], "total"].sum(),
                    "本人愿意接电话": scale.loc[scale["callable"], "total"].sum(), "查询不多": scale.loc[scale["safe"], "total"].sum()})  # fmt: skip
calm = called[called["query_3m"] < RISK_QUERIES]
accept = wilson([calm["accepted"].sum()], [len(calm)]).iloc[0]
levels["按接受率能换来"] = levels["查询不多"] * accept["rate"]
cu.show(levels.to_frame("amount"), rows=None, units={"amount": "万元"}, names={"index": "一步一步缩水", "amount": "全行推算余额"})
own = bank.load("loan", columns=["customer_id", "balance"])
own_total = (own["balance"] * own["customer_id"].map(people["weight"]).fillna(1)).sum()
cu.say(f"最后能换来的约 **{levels.iloc[-1] / 1e4:,.0f} 万元**（按接受率区间是 {levels['查询不多'] * accept['low'] / 1e4:,.0f} 到 "
       f"{levels['查询不多'] * accept['high'] / 1e4:,.0f} 万元），是第一个数的 {levels.iloc[-1] / levels.iloc[0]:.1%}，"
       f"相当于本行贷款余额的 {levels.iloc[-1] / own_total:.2%}。置换是给老客户的一项服务，撑不起规模目标。")  # fmt: skip

# %% [markdown]
# ## 练习
#
# **E1 ★★ 任何还款计划的真实年化** 写函数 `yearly_cost(principal, payments)`：`payments` 是每月月末还多少的列表（可以有停还的月份、
# 最后一期可以不一样），返回**实际年化利率**，用百分数：先找到月利率 i，使折现合计等于本金，再算 (1+i)¹² − 1。
# 还款合计不超过本金的，返回零。演示三的二分法可以改来用；注意它只会算每期一样的。月利率不会超过 50% [定义]。

# %% tags=["answer:E1"]
yearly_cost = ...  # ← 写一个函数 yearly_cost(principal, payments)
### BEGIN SOLUTION
def yearly_cost(principal, payments):
    if sum(payments) <= principal:
        return 0.0
    low, high = 0.0, 0.5
    for _ in range(60):
        middle = (low + high) / 2
        worth = sum(pay / (1 + middle) ** k for k, pay in enumerate(payments, start=1))
        if worth > principal:
            low = middle
        else:
            high = middle
    return ((1 + middle) ** 12 - 1) * 100
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:nominal_only"]
def yearly_cost(principal, payments):
    if sum(payments) <= principal:
        return 0.0
    return loan_math.irr(principal, payments)

# %% tags=["wrong:E1:flat_rate"]
def yearly_cost(principal, payments):
    extra = max(sum(payments) - principal, 0)
    return extra / principal / len(payments) * 12 * 100

# %% tags=["wrong:E1:equal_payments"]
def yearly_cost(principal, payments):
    if sum(payments) <= principal:
        return 0.0
    nominal = loan_math.annuity_percent(principal, payments[0], len(payments))
    return loan_math.effective_percent(nominal)

# %% tags=["alternative:E1:toolbox"]
def yearly_cost(principal, payments):
    if sum(payments) <= principal:
        return 0.0
    return loan_math.effective_percent(loan_math.irr(principal, payments))

# %% [markdown]
# **E2 ★★ 哪类机构的余额靠价格拿得下来** 用 `loans`（没还完的他行贷款），按 `lender_type` 做一张表赋给 `by_lender`：
# 索引是机构类型，列 `owed`（推到今天的未还余额合计）、`winnable`（其中节省比例达到 `MIN_SAVING` 的余额）、`share`（后者除以前者）。
# 这里不管产品装不装得下。一笔都达不到的机构，`winnable` 是零，不能漏掉。

# %% tags=["answer:E2"]
by_lender = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
won = loans[loans["saving_ratio"] >= MIN_SAVING]
by_lender = loans.groupby("lender_type", observed=True)["owed"].sum().to_frame()
by_lender["winnable"] = won.groupby("lender_type", observed=True)["owed"].sum()
by_lender = by_lender.fillna(0)
by_lender["share"] = by_lender["winnable"] / by_lender["owed"]
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:any_saving"]
won = loans[loans["saving_ratio"] > 0]
by_lender = loans.groupby("lender_type", observed=True)["owed"].sum().to_frame()
by_lender["winnable"] = won.groupby("lender_type", observed=True)["owed"].sum()
by_lender = by_lender.fillna(0)
by_lender["share"] = by_lender["winnable"] / by_lender["owed"]

# %% tags=["wrong:E2:old_balance"]
won = loans[loans["saving_ratio"] >= MIN_SAVING]
by_lender = loans.groupby("lender_type", observed=True)["balance"].sum().to_frame("owed")
by_lender["winnable"] = won.groupby("lender_type", observed=True)["balance"].sum()
by_lender = by_lender.fillna(0)
by_lender["share"] = by_lender["winnable"] / by_lender["owed"]

# %% tags=["wrong:E2:dropped_zeros"]
won = loans[loans["saving_ratio"] >= MIN_SAVING]
by_lender = won.groupby("lender_type", observed=True)["owed"].sum().to_frame("winnable")
by_lender["owed"] = loans.groupby("lender_type", observed=True)["owed"].sum()
by_lender["share"] = by_lender["winnable"] / by_lender["owed"]

# %% tags=["alternative:E2:flag_and_sum"]
flagged = loans.assign(winnable=loans["owed"].where(loans["saving_ratio"] >= MIN_SAVING, 0))
by_lender = flagged.pivot_table(index="lender_type", values=["owed", "winnable"], aggfunc="sum", observed=True)
by_lender = by_lender.assign(share=by_lender["winnable"] / by_lender["owed"])

# %% [markdown]
# **E3 ★★★ 排一张过得了检查的名单** 从 `pool` 里选这一批要打的客户，赋给 `refinance_plan`（表，列 `customer_id`、`manager_id`）。规矩：
# 报告范围放行（`pool` 里的人都是，别从别处加人）；本人营销授权有效（`consent`）、没有谢绝（`do_not_call`）、号码有效（`phone_valid`）；
# `query_3m` 不到 `RISK_QUERIES`、`pd` 不高于 `PD_LIMIT`；每位客户经理不超过 `CALLS_PER_MANAGER` 户，只打自己管的；一户一次。
# 目标：`expected` 合计尽量大，至少达到参照方案的 95% [定义]。不够本的人选进来只会拉低合计。

# %% tags=["answer:E3"]
refinance_plan = ...  # ← 把 ... 换成你的名单
### BEGIN SOLUTION
allowed = pool[pool["consent"] & ~pool["do_not_call"] & pool["phone_valid"]]
allowed = allowed[(allowed["query_3m"] < RISK_QUERIES) & (allowed["pd"] <= PD_LIMIT) & (allowed["expected"] > 0)]
allowed = allowed.dropna(subset=["manager_id"]).sort_values("expected", ascending=False)
refinance_plan = allowed.groupby("manager_id").head(CALLS_PER_MANAGER).reset_index()[["customer_id", "manager_id"]]
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:forgot_wishes"]
allowed = pool[(pool["query_3m"] < RISK_QUERIES) & (pool["pd"] <= PD_LIMIT) & (pool["expected"] > 0)]
allowed = allowed.dropna(subset=["manager_id"]).sort_values("expected", ascending=False)
refinance_plan = allowed.groupby("manager_id").head(CALLS_PER_MANAGER).reset_index()[["customer_id", "manager_id"]]

# %% tags=["wrong:E3:forgot_risk"]
allowed = pool[pool["consent"] & ~pool["do_not_call"] & pool["phone_valid"]].dropna(subset=["manager_id"])
allowed = allowed.sort_values("chance", ascending=False)
refinance_plan = allowed.groupby("manager_id").head(CALLS_PER_MANAGER).reset_index()[["customer_id", "manager_id"]]

# %% tags=["wrong:E3:no_scope"]
anyone = heads[~heads["in_scope"]].drop_duplicates("customer_id").merge(people.reset_index(), on="customer_id")
anyone = anyone[anyone["consent"] & ~anyone["do_not_call"] & anyone["phone_valid"]].dropna(subset=["manager_id"])
refinance_plan = anyone.groupby("manager_id").head(CALLS_PER_MANAGER)[["customer_id", "manager_id"]]

# %% tags=["alternative:E3:rank"]
fine = pool[pool["consent"] & ~pool["do_not_call"] & pool["phone_valid"] & (pool["gate"] == "值得打")]
place = fine.groupby("manager_id")["expected"].rank(method="first", ascending=False)
refinance_plan = fine[place <= CALLS_PER_MANAGER].reset_index()[["customer_id", "manager_id"]]

# %% [markdown]
# **E4 ★★★ 回一封合规的信** 支行来问：“上个月做**贷后管理**查询，看到客户在网贷平台有借款，能不能据此打营销电话？”
# 请写两三句回复，赋给 `reply`（60 到 220 字 [定义]）：**结论**、**依据**（哪部条例、第几条）、**正确做法**，
# 并引用 `by_scope` 表里“贷后管理”范围的报告份数，让对方知道牵涉多大。

# %% tags=["answer:E4"]
reply = "?"
### BEGIN SOLUTION
count = by_scope.loc["贷后管理", "reports"]
reply = (f"不能。按《征信业管理条例》第二十条，征信信息只能按与本人约定的用途使用，授权范围写的是贷后管理，就不得用于营销；"
         f"本行这类报告有 {count} 份，一律不进名单。正确做法是请客户另行签署写明营销用途的授权书，再谈置换。")  # fmt: skip
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:yes_we_can"]
count = by_scope.loc["贷后管理", "reports"]
reply = (f"可以打。按《征信业管理条例》第十八条，查询时客户已经书面同意过，本行这类报告有 {count} 份，都取得了客户授权，"
         "请支行抓紧联系，开口时注意语气，先问候再谈置换的好处就行。")  # fmt: skip

# %% tags=["wrong:E4:hide_the_name"]
count = by_scope.loc["贷后管理", "reports"]
reply = (f"不能直接打。按《征信业管理条例》第二十条，不得超出约定用途；但把姓名去掉、脱敏以后再拉名单就行，本行这类报告有 {count} 份，"
         "请科技部门统一脱敏后再取得营销授权的名单里下发。")  # fmt: skip

# %% tags=["wrong:E4:no_article"]
count = by_scope.loc["贷后管理", "reports"]
reply = f"不能打，这样做不合规，客户会投诉。本行这类报告有 {count} 份，一律不进名单，请先取得客户写明营销用途的授权书，再来谈置换的事情，谢谢配合。"

# %% tags=["alternative:E4:other_words"]
count = by_scope.loc["贷后管理", "reports"]
reply = (f"不得使用。查询时与客户约定的用途是贷后管理，《征信业管理条例》第 20 条规定不得用作约定以外的用途，全行 {count} 份这样的报告都已隔离。"
         "若客户来网点办业务，可当面征得同意、重新签订营销授权，之后再算账。")  # fmt: skip

# %% [markdown]
# ## 成果
#
# 两份文件：**名单**按支行分页，只写档次不写金额，**随机留出**一成不打，好知道这一批有没有用；
# **置换建议书**一人一页，是客户带着合同来了以后，当面核对、打印给本人的，客户没来就不打印。
# 两份都写明用途和销毁日。正式受理时要凭新的授权重新查询。

# %%
cu.carry_on("E3")
chosen = refinance_plan[["customer_id"]].merge(pool.reset_index(), on="customer_id")
chosen = chosen.sort_values("expected", ascending=False, ignore_index=True, kind="stable")
draw = np.random.default_rng(SEED).random(len(chosen))
chosen["arm"] = np.where(draw < 0.1, "保留（不打）", "联系")
chosen["band"] = np.where(chosen["saving_ratio"] >= BIG_SAVING, "省得多", "省得一般")
chosen["opening"] = "您手上要是有利率高的分期，带合同来，我当面帮您算算换了省不省"
words = {"band": "节省档", "opening": "开场", "arm": "分组"}
columns = ["branch_id", "manager_id", "customer_id", "masked_name", *words]
if len(chosen):
    path = cu.deliver.call_list(
        bank.output_dir("m03_n08") / "他行贷款置换名单.xlsx", chosen[columns], branch_column="branch_id",
        title="他行贷款置换名单", purpose="高息贷款置换联系（授权范围已核）", purge_date=last_day, names=words,
        result_codes=["约到网点", "再考虑", "拒绝", "要求不再联系", "未接通"], notes=["电话里不提征信内容；标“保留”的不打。"])  # fmt: skip
    cu.say(f"名单 `{path.name}`：{len(chosen):,} 户，{chosen['branch_id'].nunique()} 家支行，留出 {(draw < 0.1).sum()} 户不打。")

# %%
words = {"lender_type": "机构类型", "owed": "还欠", "rate": "反推年利率", "left": "剩余期数", "month_payment": "现在月供",
         "new_payment": "换后月供", "month_saving": "每月少还", "penalty": "违约金（以对方为准）"}  # fmt: skip
pages = {}
for place, row in enumerate(chosen[chosen["arm"] == "联系"].head(10).itertuples(), start=1):
    page = offer[offer["customer_id"] == row.customer_id]
    page = page.assign(penalty=page["owed"] * PENALTY_PERCENT / 100)
    pages[f"{place} 号"] = cu.deliver.Sheet(
        page[list(words)], f"{row.masked_name}：按 {OUR_RATE}% 置换的测算", names=words, money="元", totals=["owed", "month_saving", "penalty"],
        formulas={"month_saving": "=[month_payment]-[new_payment]"},
        notes=["利率由月供反推，余额由旧报告推算，以客户带来的合同为准。", "本页只打印给客户本人。"])  # fmt: skip
if pages:
    book = cu.deliver.workbook(bank.output_dir("m03_n08") / "他行贷款置换建议书.xlsx", pages, title="他行贷款置换建议书",
                               purpose="当面向客户本人说明置换测算", purge_date=last_day)  # fmt: skip
    cu.say(f"建议书 `{book.name}`：前 {len(pages)} 户，一人一页，每月少还是活公式，改月供就重算。")

# %% [markdown]
# ## 讨论
#
# 一份干净的营销授权，有三条路可以取得，各有代价，争一争先走哪条：
#
# - 新签授信时，在授权书里**单列**营销用途，让客户勾选而不是默认打勾——签的人会少，但每一份都站得住；
# - 客户到网点或在手机银行办业务时，当面说明、当场签，写明期限和怎么撤回；
# - 干脆不用征信：请客户自己带着他行合同来算账，数据是客户主动给的，银行只负责算得准。
#
# 再想一层：把到处借钱的人挡在名单外，是风控，还是把最需要降息的人留给了高利贷？
#
# ## 小结
#
# 征信先过用途闸门，范围盖不住、撑不到用完那天的，一份不开。月供能反推利率，省多少要扣违约金、说清月供和总额。
# 点头的人里混着还不上的人，期望利润一算，够本的没有想象的多；大行的低价余额不靠价格去抢。
#
# 下一课：贷款流失客户与差异化归巢。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 下表把生成器埋下的数和课堂找到的数放在一起。常见的弯路：
#
# - 查询多的违约倍数在生成器里埋的是四倍，没有单独记录实现值，所以表里那一行只有课堂发现；
# - 按查询原因设闸门（“贷款审批查的都能用”），放进一批没有营销授权的，又误伤一批写了营销的；
# - 用报告当时的余额和期数算节省，没有推到今天，省的钱高估一截；
# - 接受率高就排前面，没看查询次数，名单里全是急着借新还旧的人；
# - 名义利率和实际年化混着报，同一笔贷款两个人算出两个数。

# %% tags=["instructor"]
found = {"scope_missing": blocked["rate"], "accept_good": best["rate"], "default_multi": times}
cu.reveal(bank, "m03_n08", found, names={"scope_missing": "授权范围盖不住营销的报告占比", "accept_good": "省得多且查得少的接受率",
                                         "default_multi": "查询多的违约倍数"})  # fmt: skip
