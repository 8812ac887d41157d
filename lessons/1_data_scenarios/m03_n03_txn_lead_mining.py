# %% [markdown]
# # 交易流水两条获客路：网贷客户与他行贷款客户
#
# 课程：银行数据应用 · 大纲：S004-C3、S004-C3.1、S004-C3.1.1、S004-C3.1.2、S004-C3.1.3、S004-C3.1.4、S004-C3.2 · 难度：L3 · 用时：100 分钟
#
# 学完本课，你能：
#
# - 写出说得清、查得到的取数规则，从流水里认出网贷客户和他行贷款客户，并量出规则有多准；
# - 看懂负担、家数、隐含利率和上一批的转化，分清谁先联系、谁慎重、谁不做；
# - 知道哪些用法越过了客户的授权，写出一句既不露底也不撒谎的开场白。
#
# Abstract: Find borrowers of online lenders and of other banks in statements with auditable rules, measure the rules, tier the leads and respect purpose limits.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 分层和名单看哪家支行：None 表示全行（规则和核对总是用全部流水）
MIN_TIMES = 3  # 周期规则：同一个收款方至少付过几次
GAP_DAYS = [20, 40]  # 周期规则：两次之间通常隔多少天（中位数，含两端）
MAX_CV = 0.25  # 周期规则：金额的变异系数（标准差除以平均）要小于多少
RECENT_DAYS = 90  # 近多少天里还在还，才算在用
AGE_RANGE = [22, 58]  # 本行这款贷款的受理年龄，含两端
MAX_BURDEN = 0.35  # 每月还款占月流入多少以内算负担得起
CAUTION_LENDERS = 3  # 在用几家起要慎重
REFUSE_LENDERS = 5  # 在用几家起不做
OFFER_RATE = 7.8  # 本次报价，年利率（单利），百分数
BANK_RATES = [3.5, 6.5]  # 他行贷款常见年利率的低端和高端，百分数
MONTHS_LEFT = [12, 36, 120]  # 他行贷款常见的剩余期数：短、中、长
HOLDOUT_SHARE = 0.1  # 名单里随机留出多大比例不联系，用来量效果
SEED = 20251231  # 随机留出用的种子

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m03_n03", BANK, AS_OF)
leads, experiment, loan_math = cu.analysis.leads, cu.analysis.experiment, cu.analysis.loan_math

# %% [markdown]
# ## 业务情境
#
# 支行行长问：“我们的客户每个月都有人往网贷平台还钱，利率比我们高得多。**流水就在行里，能不能把这些人找出来，
# 给他们一个更便宜的选择？**”
#
# 能找，但有三道坎。第一道是**认得准不准**：名字里带“小贷”的可能是火锅店，不带的可能真是放贷的。第二道是**该不该做**：
# 同时借好几家的人，多半不是好客户。第三道最要紧，是**能不能用**：客户开户时同意我们记账，没同意我们翻他的账来推销。
#
# 这些数据**不能**说明的事：流水只有抽样客户近一年的，别家银行卡上的还款一笔也看不到；认出来的是“像在还网贷”，
# 不是合同；客户为什么借、借来干什么，流水里没有。网贷机构和对手名称都是虚构的，比例不代表任何一家银行。
#
# ## 数据
#
# 主角是交易流水。配角有三张小表：放贷机构关键词、人工核对过的样本、上一轮网贷置换的触达记录。

# %%
cu.dictionary(bank, {
    "transaction": ["customer_id", "date", "amount", "direction", "kind", "counterparty_name", "counterparty_type", "memo"],
    "lender_keyword": ["keyword", "lender_kind"],
    "label_sample": ["left_id", "true_label"],
    "contact_log": ["customer_id", "arm", "wave", "offered_rate", "converted"],
})  # fmt: skip

# %% [markdown] outline=["S004-C3", "S004-C3.1"]
# ## 演示一：先把名字洗干净，再用关键词
#
# **规则 A，关键词。** 对手名称是各家系统自己打的：全角半角混用，有的带括号，有的带“有限公司”。先统一成一个“净名”：
# 全角变半角，括号连同里面的字去掉，空格和公司后缀去掉。然后看净名里有没有放贷机构的关键词。
#
# 洗名字只在**不重复的名字**上做：几十万行流水里，不同的名字通常只有几百到几万个，算一遍就够。

# %%
lines = bank.load("transaction", columns=["transaction_id", *leads.ROWS])
words = bank.load("lender_keyword")
lines["payee"] = leads.normalise(lines["counterparty_name"])
lines["lender_kind"] = leads.lender_kind(lines["counterparty_name"], words, exclude=False)
lines["hit"] = lines["lender_kind"].notna()
hits = lines[lines["hit"]]
by_payee = hits.groupby(["payee", "lender_kind"])["direction"].value_counts().unstack(fill_value=0)
by_payee["customers"] = hits.groupby(["payee", "lender_kind"])["customer_id"].nunique()
by_payee["each"] = by_payee["支出"] / by_payee["customers"]
cu.show(by_payee.sort_values(["each", "支出"]), rows=24, units={"each": "次"}, title="关键词命中的对手（按每户付款次数从少到多）",
        names={"payee": "净名", "lender_kind": "关键词类别", "支出": "付出笔数", "收入": "收到笔数", "customers": "户数", "each": "每户付款次数"})  # fmt: skip
cu.say(f"{lines['customer_id'].nunique():,} 位抽样客户 {lines['date'].dt.to_period('M').nunique()} 个月的 {len(lines):,} 笔流水，净名 {lines['payee'].nunique():,} 个；命中 **{len(hits):,}** 笔、{hits['payee'].nunique()} 个对手、{hits['customer_id'].nunique():,} 位客户。"
       f"表的两头差别很大：最少的每户只付 {by_payee['each'].min():.1f} 次，最多的要付 {by_payee['each'].max():.1f} 次，再看看它们的名字。"
       "**关键词告诉我们名字像，没有告诉我们这笔钱是什么。**")  # fmt: skip

# %% [markdown]
# ## 演示二：方向和周期，让流水自己说话
#
# **规则 B，方向。** 借钱是先收后付：放款进来，还款出去。只看**付出**的，放款、退货退款这些“收到”的先放一边，
# 放款留作旁证。
#
# **规则 C，周期。** 还款有节拍。同一位客户付给同一个净名，满足三条才算 [参数]：至少 3 次；两次之间通常隔 20 到 40 天
# （取中位数，漏一个月不要紧）；金额的变异系数小于 0.25。**变异系数**是标准差除以平均数，金额越整齐它越小。

# %%
paid = hits[hits["direction"] == "支出"]
streams = leads.periodicity(paid, ["customer_id", "payee"], MIN_TIMES, tuple(GAP_DAYS), MAX_CV)
paid = paid.join(streams["periodic"], on=["customer_id", "payee"])
rhythm = streams.reset_index().groupby("payee").agg(
    streams=("periodic", "size"), periodic=("periodic", "sum"), gap=("gap", "median"), cv=("cv", "median"))  # fmt: skip
rhythm["share"] = rhythm["periodic"] / rhythm["streams"]
cu.show(rhythm.sort_values("share"), rows=24, units={"share": "%", "gap": "天"}, title="各个对手的节拍（按有节拍的比例从低到高）",
        names={"payee": "净名", "streams": "付款流数", "periodic": "有节拍", "gap": "间隔中位数", "cv": "变异系数", "share": "有节拍占比"})  # fmt: skip
cu.say(f"命中的付款合成 {len(streams):,} 条“客户到对手”的付款流，有节拍的 {streams['periodic'].sum():,} 条；"
       f"按笔数算，{len(paid):,} 笔里剩下 {paid['periodic'].sum():,} 笔。只付过一两次的餐馆和商城出局了，"
       "但按月扣的会员费也有节拍，周期规则挡不住它；真还款里断断续续的也会被误伤。")  # fmt: skip

# %% [markdown]
# ## 演示三：请人核对，量出准不准，改一轮
#
# 规则是猜想，要拿**人工核对过的样本**来量。两把尺：**准确率**是报出来的里面有多少是真的；**找全率**是真的里面报出来多少。
#
# 用错误来改规则，就不能用同一批样本来验收：照着答案改，分数当然好看。所以样本按编号一分为二，
# 一半用来**找毛病**，另一半**验收**时才看。图上的横线是**区间**：样本只有这么多，真实的准确率大概率落在线里；
# 全对也不等于永不出错，要看区间的下端。误报词是看着名字写的，换个新名字的火锅店它就不认识，周期规则反而还认得，所以两样一起用。
#
# 找全率难得多：核对样本几乎都从命中的里面抽。找漏网的要**反过来用周期**：没命中的企业收款方里，谁的付款有节拍、附言又像还款。

# %%
labels = bank.load("label_sample", columns=["sample_id", "task", "left_id", "true_label"])
labels = labels[labels["task"] == "网贷识别"].sort_values("sample_id", ignore_index=True)
labels["half"] = np.where(np.arange(len(labels)) % 2 == 0, "找毛病", "验收")
lines["clean"] = leads.keyword_hits(lines, words)  # 命中关键词，又不含误报词
audit = labels.merge(lines, left_on="left_id", right_on="transaction_id")
audit = audit.join(streams["periodic"], on=["customer_id", "payee"])
audit["periodic"] = audit["periodic"].eq(True)
wrong = audit[(audit["half"] == "找毛病") & audit["hit"] & ~audit["true_label"]]
wrong_names = wrong.groupby("payee").agg(lines=("payee", "size"), periodic=("periodic", "sum"))
cu.show(wrong_names.sort_values("lines", ascending=False), rows=12, title="找毛病那一半里的误报",
        names={"payee": "净名", "lines": "笔数", "periodic": "其中有节拍"})  # fmt: skip
friends = words.loc[words["lender_kind"] == "误报", "keyword"]
cu.say(f"找毛病的一半里有 {len(wrong)} 笔误报，其中 {leads.contains(wrong['payee'], friends).sum()} 笔的净名里另有线索（{'、'.join(friends)}）。"
       "关键词表里备着这类“误报词”，把它们用上：净名里有误报词的不算命中。")  # fmt: skip

# %%
rules = {"A 关键词": audit["hit"], "A＋C 加周期": audit["hit"] & audit["periodic"],
         "A＋误报词": audit["clean"], "A＋C＋误报词": audit["clean"] & audit["periodic"]}  # fmt: skip
ladder = pd.concat([audit[flag].assign(rule=name) for name, flag in rules.items()])
ladder = ladder.groupby(["rule", "half"], sort=False)["true_label"].agg(["sum", "size"])
ladder = ladder.join(experiment.wilson(ladder["sum"], ladder["size"])).reset_index()
fig = cu.charts.bars_with_interval(ladder, label="rule", group="half", unit="%")
final = ladder[ladder["half"] == "验收"].set_index("rule")
cu.charts.finish(fig, title=f"验收样本：只用关键词准 {final['rate'].iloc[0]:.0%}，四条都用准 {final['rate'].iloc[-1]:.0%}",
                 source=f"{bank.name}，人工核对样本，横线为区间", alt="四种规则在两半样本上的准确率和区间。")  # fmt: skip

# %%
last_row = final.iloc[-1]
unseen = audit[~audit["hit"]]
limit = experiment.wilson([unseen["true_label"].sum()], [len(unseen)])["high"].iloc[0]
others = lines[~lines["hit"] & (lines["direction"] == "支出")]
cu.say(f"验收：四条都用，{last_row['size']} 笔里对 {last_row['sum']} 笔，区间 {last_row['low']:.0%} 到 {last_row['high']:.0%}。"
       f"没命中的只核对了 {len(unseen)} 笔，{unseen['true_label'].sum()} 笔是真的；按区间上端 {limit:.0%} 算，没命中的 {len(others):,} 笔里"
       f"最多还能藏 {limit * len(others):,.0f} 笔{'，比命中的还多' if limit * len(others) > len(hits) else ''}。这么小的样本**等于没量过漏报**。")  # fmt: skip

# %%
firms = others[(others["counterparty_type"] == "企业") & others["kind"].isin(leads.TRANSFERS)].copy()
quiet = leads.periodicity(firms, ["customer_id", "payee"], MIN_TIMES, tuple(GAP_DAYS), MAX_CV)
firms["like_repaying"] = leads.contains(firms["memo"], ["还款", "代扣", "扣款"])
firms = firms.join(quiet["periodic"], on=["customer_id", "payee"])
missed = firms[firms["periodic"]].groupby("payee").agg(
    customers=("customer_id", "nunique"), lines=("amount", "size"), like_repaying=("like_repaying", "mean"))  # fmt: skip
missed = missed.sort_values(["like_repaying", "lines"], ascending=False)
confirmed = list(missed.index[missed["like_repaying"] > 0.5])
cu.show(missed, rows=8, units={"like_repaying": "%"}, title="关键词没命中、付款却有节拍的企业",
        names={"payee": "净名", "customers": "户数", "lines": "笔数", "like_repaying": "附言像还款"})  # fmt: skip
cu.say(f"附言过半像还款的有 {len(confirmed)} 家{'：' + '、'.join(confirmed) if confirmed else ''}。名字里一个放贷的字都没有，"
       "实际工作里要由人去查登记的经营范围再定；课上把它们当作已确认，加进名单。**规则改一轮就停**：改到满分，多半是背下了样本。")  # fmt: skip

# %% [markdown] outline=["S004-C3.1.1"]
# ## 演示四：从原始清单到落地名单
#
# 一笔笔流水还不是线索，要收到“人”头上。给每位有流水的客户算五个数：在用几家（近 `RECENT_DAYS` 天还过两次以上、有节拍）；
# 每月还多少；每月流入多少（近六个月的中位数，**本人他行转入、理财赎回和放款不算收入**）；负担，即每月还款占流入；有几条证据。
#
# 还有**利率**：放款和全部还款都看得见的贷款，可以反推。找一个月利率，让各期还款折回放款那天正好等于放款额，乘以十二就是名义年利率。
# 只挑“一笔放款、之后一期不断、已经停了一个半月以上”的；缺期的会算低，还款合计不到本金的不算。
#
# 最后一层层过筛：企业不做，年龄在受理范围之外的不做，**在校学生不做**（监管不许小机构向学生推互联网消费贷 [来源：2021 年监管通知，条文待核]），
# 谢绝来电、号码无效、没有有效营销授权的不联系。

# %%
rule = {"least": MIN_TIMES, "days": tuple(GAP_DAYS), "most_cv": MAX_CV}
pairs = leads.lender_pairs(lines, words, confirmed, **rule)
feature = leads.lender_features(lines, words, bank.as_of, confirmed, RECENT_DAYS, pairs=pairs)
person = bank.load("customer", columns=["customer_id", "customer_type", "masked_name", "gender", "birth_year", "occupation",
                                        "branch_id", "status", "do_not_call", "phone_valid", "weight"])  # fmt: skip
person = person[person["customer_type"] != "企业"].set_index("customer_id")
person["age"] = (bank.as_of.year - person["birth_year"]).astype(float)
person["suitable"] = (person["status"] == "正常") & person["age"].between(*AGE_RANGE) & (person["occupation"] != "学生")
agreed = bank.load("consent", columns=["customer_id", "scope", "granted", "expire_date"])
agreed = agreed[(agreed["scope"] == "营销") & agreed["granted"] & ~(agreed["expire_date"] < bank.as_of)]
reachable = person["phone_valid"] & ~person["do_not_call"] & person.index.isin(agreed["customer_id"])
person["contactable"] = person["suitable"] & reachable
users = feature[feature["online_lenders"] > 0].join(person, how="inner")

# %%
steps = pd.Series({
    "有流水的客户": len(feature), "关键词命中过": hits["customer_id"].nunique(), "付给像放贷的机构": pairs["customer_id"].nunique(),
    "有还款节拍": (feature["online_lenders_year"] > 0).sum(), "现在还在用的个人": len(users),
    "年龄职业合适": users["suitable"].sum(), "可以联系": users["contactable"].sum(),
})  # fmt: skip
fig = cu.charts.funnel_steps(steps)
cu.charts.finish(fig, title=f"命中关键词的 {steps.iloc[1]:,} 户，最后能联系的是 {steps.iloc[-1]:,} 户",
                 source=f"{bank.name}，流水抽样", alt="从有流水的客户到可以联系的客户，逐层减少的漏斗。")  # fmt: skip
readable = feature[(feature["outgoing"] >= 48) & feature.index.isin(person.index)]
ever = readable["online_lenders_year"] > 0
online_share = np.average(ever, weights=person["weight"].reindex(readable.index))
ever_interval = experiment.wilson([ever.sum()], [len(ever)]).iloc[0]
cu.say(f"流水够厚（一年付出四十八笔以上，**本课程定义**）的个人有 {len(readable):,} 位，一年里有网贷还款的占 {ever.mean():.1%}"
       f"（区间 {ever_interval['low']:.1%} 到 {ever_interval['high']:.1%}），按抽样权数推算 **{online_share:.1%}**。"
       f"流水太薄的人看不出节拍，把他们算进分母，比例会掉到 {(feature['online_lenders_year'] > 0).mean():.1%}：“没认出来”不等于“没有”。")  # fmt: skip

# %%
fig = cu.charts.histogram(users["burden"].clip(upper=0.6), bins=np.arange(0, 0.625, 0.025), unit="%", cuts={"上限": MAX_BURDEN})
over = (users["burden"] >= MAX_BURDEN).sum()
cu.charts.finish(fig, title=f"半数在用客户的负担不到 {users['burden'].median():.1%}，到上限的 {over} 户",
                 source=f"{bank.name}，流水抽样，在用网贷 {len(users)} 户", alt="每月还款占月流入的分布，虚线是负担上限。")  # fmt: skip
cu.say(f"在用一家的 {(users['online_lenders'] == 1).sum()} 户，两家的 {(users['online_lenders'] == 2).sum()} 户，"
       f"三家及以上的 {(users['online_lenders'] >= 3).sum()} 户；每月还款中位数 {users['month_repayment'].median():,.0f} 元。"
       "别急着放心：这是**从本行流水看到的**负担，从别家卡里还的看不到，流入里又有货款这样不能全拿来还债的钱。")  # fmt: skip

# %%
finished = leads.finished_loans(lines, words, bank.as_of, confirmed)
known = finished.dropna(subset=["percent"])
middle = known["percent"].median()
cu.show(known.groupby("lender_kind")["percent"].describe()[["count", "25%", "50%", "75%"]], rows=None, title="反推的名义年利率",
        names={"lender_kind": "机构类别", "count": "笔数", "25%": "下四分位", "50%": "中位数", "75%": "上四分位"}, units={"count": "笔"})  # fmt: skip
running = pairs[(pairs["payouts"] == 1) & pairs["periodic"] & (pairs["last"] > bank.as_of - pd.Timedelta(days=45))]
monthly_rate = (middle if len(known) >= 5 else OFFER_RATE) / 1200
covered = (running["payout"] * monthly_rate / running["amount"]).clip(upper=0.99)
total_terms = -np.log(1 - covered) / np.log(1 + monthly_rate)
left = (total_terms - running["payments"]).clip(lower=0)
cu.say(f"看得全的 {len(finished)} 笔里 {len(known)} 笔能反推，名义年利率中位数 **{middle:.1f}%**"
       f"（一年复利折成 {loan_math.effective_percent(middle):.1f}%），本行报价 {OFFER_RATE:g}%。笔数少、短期贷款差一期就差很多，只看中间那一截。"
       f"放款看得见、还没还完的 {len(running)} 笔，按这个利率估计还剩 {left.median():.0f} 期（中位数）：剩得太少的，置换没意思。"
       if len(known) >= 5 else f"能反推利率的贷款只有 {len(known)} 笔，太少，不报利率。")  # fmt: skip

# %% [markdown] outline=["S004-C3.1.2"]
# ## 演示五：网贷客户的年龄结构
#
# 网贷客户是不是都年轻？把一年里有网贷还款的客户按性别和年龄摆成金字塔，虚线是流水抽样里的全部个人客户。
# 抽样时重点客户抽得多，所以两边都用权数还原成全行的样子。

# %%
edges = [18, 25, 30, 35, 40, 45, 50, 55, 60, 100]
bands = [f"{edges[i] + 1}–{edges[i + 1]} 岁" for i in range(8)] + ["61 岁以上"]
sampled = person.join(feature, how="inner").dropna(subset=["age", "gender"])
sampled["band"] = pd.cut(sampled["age"], edges, labels=bands)
sampled["borrows"] = sampled["online_lenders_year"] > 0


def shape_of(people):
    table = people.pivot_table(index="band", columns="gender", values="weight", aggfunc="sum", observed=False)
    return table.fillna(0) / table.to_numpy().sum()


borrowers, everybody = shape_of(sampled[sampled["borrows"]]), shape_of(sampled)
young, all_young = borrowers.iloc[1:3].to_numpy().sum(), everybody.iloc[1:3].to_numpy().sum()
word = "多于" if young > 1.1 * all_young else "少于" if young < 0.9 * all_young else "差不多等于"
fig = cu.charts.pyramid(borrowers, compare=everybody, compare_label="全部个人客户")
cu.charts.finish(fig, title=f"26–35 岁占网贷客户的 {young:.0%}，{word}他们在全部客户里的 {all_young:.0%}",
                 source=f"{bank.name}，流水抽样，网贷客户 {sampled['borrows'].sum()} 户，按权数还原", alt="网贷客户的年龄性别金字塔，虚线为全部客户。")  # fmt: skip

# %%
by_band = sampled.groupby("band", observed=False)["borrows"].agg(["sum", "size"])
by_band = by_band.join(experiment.wilson(by_band["sum"], by_band["size"]))
cu.show(by_band, rows=None, units={"rate": "%", "low": "%", "high": "%", "sum": "户", "size": "户"}, title="每个年龄段里有多少人在还网贷（样本）",
        names={"band": "年龄", "sum": "网贷客户", "size": "客户", "rate": "占比", "low": "下限", "high": "上限"})  # fmt: skip
top = by_band["rate"].idxmax()
cu.say(f"占比最高的是 **{top}**（{by_band.loc[top, 'rate']:.1%}，区间 {by_band.loc[top, 'low']:.1%} 到 {by_band.loc[top, 'high']:.1%}）。"
       "金字塔回答“网贷客户里谁多”，这张表回答“哪个年龄更常见”，两个问题别混：人多的年龄段不一定更爱借。")  # fmt: skip

# %% [markdown] outline=["S004-C3.1.3"]
# ## 演示六：上一轮转化成效
#
# 上一轮给网贷客户打过两波置换电话，报价**随机**给，还随机留了一批不打。随机，才能比较：同一个年龄段里，
# 拿到低报价的和拿到高报价的，除了报价别无系统差别，转化差多少就是报价带来的。留出的人有没有自己来办，回答“不打电话会怎样”。
#
# 再按负担切一刀。注意时间：负担要用**打电话之前**的流水算，拿今天的流水去解释半年前的转化，等于偷看了答案
# （置换成功的人，网贷自然就不还了）。第一波太早，打电话之前只有一两个月流水，看不出节拍，所以只用最后一波。

# %%
trial = bank.load("contact_log", columns=["customer_id", "contact_time", "purpose", "wave", "arm", "offered_rate", "converted"])
trial = trial[(trial["purpose"] == "网贷置换") & trial["arm"].notna()].dropna(subset=["converted"])
trial = trial.join(person[["age"]], on="customer_id").dropna(subset=["age"])
trial["converted"] = trial["converted"].astype(bool)
trial["band"] = pd.cut(trial["age"], [0, 25, 35, 45, 100], labels=["25 岁以下", "26–35 岁", "36–45 岁", "46 岁以上"])
called = trial[trial["arm"] == "随机触达"]
rates = called.pivot_table(index="band", columns="offered_rate", values="converted", aggfunc="mean", observed=False)
sizes = called.pivot_table(index="band", columns="offered_rate", values="converted", aggfunc="size", observed=False)
rates.columns = [f"{rate:g}%" for rate in rates.columns]
band, price = rates.max(axis=1).idxmax(), rates.max().idxmax()
fig = cu.charts.heatmap(rates, unit="%", decimals=1, row_label="年龄", column_label="随机报价")
cu.charts.finish(fig, title=f"转化最高的一格：{band}、报价 {price}，{rates.loc[band, price]:.1%}", alt="年龄乘报价的转化率热力图。",
                 source=f"{bank.name}，两波网贷置换 {len(called):,} 户，每格 {sizes.to_numpy().min()} 到 {sizes.to_numpy().max()} 户")  # fmt: skip

# %%
called = called.assign(cheap=called["offered_rate"] <= 8, target=called["band"] == "26–35 岁")
group = called.groupby(["target", "cheap"])["converted"].agg(["sum", "size"])
conversion = group.join(experiment.wilson(group["sum"], group["size"]))
gaps = {}
for who, name in [(True, "26–35 岁"), (False, "其他年龄")]:
    low_price, high_price = group.loc[(who, True)], group.loc[(who, False)]
    gap = experiment.diff_ci(low_price["sum"], low_price["size"], high_price["sum"], high_price["size"])
    seen = "差别看得见" if gap["low"] > 0 or gap["high"] < 0 else "看不出差别"
    gaps[name] = f"{name}：低报价 {conversion.loc[(who, True), 'rate']:.1%}，高报价 {conversion.loc[(who, False), 'rate']:.1%}，差 " \
                 f"{gap['difference'] * 100:+.1f} 个百分点（区间 {gap['low'] * 100:+.1f} 到 {gap['high'] * 100:+.1f}），{seen}"  # fmt: skip
kept = trial[trial["arm"] == "随机保留"]["converted"]
cu.say(f"{gaps['26–35 岁']}；{gaps['其他年龄']}（低报价指不高于 8% [定义]）。随机留出的 {len(kept)} 户里自己来办的 {kept.sum()} 户。"
       f"热力图最小的一格只有 {sizes.to_numpy().min()} 户，最高的一格有运气成分，**要合并了再比**。")  # fmt: skip

# %%
wave = called[called["wave"] == called["wave"].max()]
day = wave["contact_time"].min().to_period("M").to_timestamp()
earlier = leads.lender_features(lines[lines["date"] < day], words, day - pd.Timedelta(days=1), confirmed, RECENT_DAYS)
wave = wave.merge(earlier[["online_lenders", "burden"]], left_on="customer_id", right_index=True)
half = wave.loc[wave["online_lenders"] > 0, "burden"].median()
wave["level"] = np.select([wave["online_lenders"] == 0, wave["burden"] <= half], ["看不到还款", "负担较轻"], "负担较重")
by_level = wave.groupby("level")["converted"].agg(["sum", "size"]).reindex(["看不到还款", "负担较轻", "负担较重"]).fillna(0)
by_level = by_level.join(experiment.wilson(by_level["sum"], by_level["size"]))
cu.show(by_level, rows=None, units={"rate": "%", "low": "%", "high": "%", "sum": "户", "size": "户"}, title="最后一波按负担分的转化",
        names={"level": "打电话前的负担", "sum": "办了", "size": "打了", "rate": "转化率", "low": "下限", "high": "上限"})  # fmt: skip
light, heavy = by_level.loc["负担较轻"], by_level.loc["负担较重"]
apart = light["low"] > heavy["high"] or heavy["low"] > light["high"]
cu.say(f"最后一波打过、又有流水的只有 {len(wave)} 户。两档负担的区间{'没有重叠，差别看得见' if apart else '重叠得厉害，**看不出负担高低和转化有关**；'}"
       f"{'' if apart else '再乘上年龄，每格就更少，切得再细也只是切运气。'}")  # fmt: skip

# %% [markdown] outline=["S004-C3.1.4", "S003-4.5.4"]
# ## 演示七：先问能不能，再分谁优先
#
# **能不能用流水找客户？** 分三层想：
#
# - **目的**：个人信息只能用于明确、合理、与处理目的直接相关的用途，取最小范围 [来源：个人信息保护法第 6 条]。开户记账的同意，不自动等于翻流水做营销的同意；
# - **敏感**：金融账户信息是敏感个人信息，要有单独同意，事前做影响评估 [来源：同法第 28、29、55 条]。所以名单只放有有效营销授权的人，授权书里要写明会用交易信息做营销，没写明的请先问法务；
# - **方式**：自动筛选出来的营销，要给客户不针对其个人特征的选项，或者便捷的拒绝方式 [来源：同法第 24 条]；银行要为存款人保密 [来源：商业银行法第 29 条]，名单上不出现对手名称和附言，也不把“您在某某平台借了钱”说给任何人听，包括他的家人。
#
# **该不该做？** 看自家历史：贷款审批时征信报告上的非银机构数，和放款一年内有没有变坏（逾期超过九十天）。
# 这份统计只用授权书写明授信或贷后管理、还没到期的报告，做风险管理，只看汇总；**不能**拿某个人的报告来挑营销对象。
#
# **分层规则** [参数]：在用 5 家起或在本行有逾期，不做；在用 3 家起或负担到 35%，慎重，先面谈；其余优先。
# 流水只看得到本行卡上的，家数会**少数**，所以慎重的线要比风险跳起来的地方提前。按网点汇总时，不满五户的合并，免得一个数就指到一个人。

# %%
loans = bank.load("loan", columns=["loan_id", "customer_id", "product_code", "issue_date", "overdue_days", "five_class", "balance"])
months = bank.load("loan_month", columns=["loan_id", "month", "dpd"])
first_bad = months[months["dpd"] > 90].groupby("loan_id", observed=True)["month"].min()
year_end = loans["issue_date"] + pd.DateOffset(months=12)
loans["bad"] = loans["loan_id"].map(first_bad) <= year_end + pd.offsets.MonthEnd(0)
mature = loans[(year_end <= bank.as_of) & ~loans["product_code"].str.contains("_MORTGAGE|STUDENT")]
joined = mature.assign(nonbank_lenders=np.nan)
if bank.has("bureau_report"):
    reports = bank.load("bureau_report", columns=["customer_id", "query_date", "reason", "consent_scope", "consent_expire_date", "nonbank_lenders"])
    scope_fits = reports["consent_scope"].isin(["授信管理", "贷后管理"]) & ~(reports["consent_expire_date"] < bank.as_of)
    reports = reports[scope_fits & (reports["reason"] == "贷款审批")].sort_values("query_date")
    joined = pd.merge_asof(mature.sort_values("issue_date"), reports, left_on="issue_date", right_on="query_date",
                           by="customer_id", tolerance=pd.Timedelta(days=15))  # fmt: skip
joined = joined.dropna(subset=["nonbank_lenders"])
joined["lenders"] = joined["nonbank_lenders"].clip(upper=4).astype(int)

# %%
few, many = joined[joined["lenders"] < 4]["bad"], joined[joined["lenders"] >= 4]["bad"]
times = many.mean() / few.mean() if few.sum() and len(many) else np.nan
if len(many) and len(few):
    risk = joined.groupby("lenders")["bad"].agg(["sum", "size"])
    risk = risk.join(experiment.wilson(risk["sum"], risk["size"]))
    picture = risk.rename(index={n: f"{n} 家" if n < 4 else "4 家及以上" for n in risk.index}).reset_index()
    fig = cu.charts.bars_with_interval(picture, label="lenders", count="size", reference=few.mean(), reference_label="不到 4 家的平均")
    cu.charts.finish(fig, title=f"4 家及以上的变坏率是不到 4 家的 {times:.1f} 倍", alt="按非银机构数分组的一年变坏率和区间。",
                     source=f"{bank.name}，满一年的非按揭贷款 {len(joined):,} 笔，审批时的征信机构数")  # fmt: skip
    rest = risk.loc[risk.index < 4]
    cu.say(f"不到四家的几组，变坏率在 {rest['rate'].min():.1%} 到 {rest['rate'].max():.1%} 之间；四家及以上 {many.mean():.1%}，{len(many)} 笔。"
           f"{'看上去不是慢慢升的，是到了多家才跳上去' if many.mean() > 1.5 * rest['rate'].max() and risk['low'].iloc[-1] > few.mean() else '各组之间没有看得清的台阶'}。"
           "家数多的往往在**借新还旧**；这是相关，不是说少借一家就安全。")  # fmt: skip
else:
    cu.say("本行没有可用的征信审批报告，这张图略过。")

# %%
late = loans[(loans["overdue_days"] > 0) | loans["five_class"].isin(["次级", "可疑", "损失"])]
users["overdue"] = users.index.isin(late["customer_id"])
users["no_loan"] = ~users.index.isin(loans.loc[loans["balance"] > 0, "customer_id"])
scope = users if BRANCH is None else users[users["branch_id"] == BRANCH]
refuse = (scope["online_lenders"] >= REFUSE_LENDERS) | scope["overdue"]
careful = (scope["online_lenders"] >= CAUTION_LENDERS) | ~(scope["burden"] < MAX_BURDEN)
scope = scope.assign(tier=np.select([refuse, careful], ["不做", "谨慎"], default="优先"))
enough = scope["branch_id"].map(scope["branch_id"].value_counts()) >= 5
plan = scope.assign(place=scope["branch_id"].where(enough, "其余网点合计"), go=scope["contactable"] & (scope["tier"] == "优先"))
chance = plan["age"].between(26, 35).map({True: conversion["rate"].get((True, True), 0), False: conversion["rate"].get((False, True), 0)})
plan["expected"] = chance.where(plan["go"], 0)

# %%
by_tier = pd.crosstab(plan["place"], plan["tier"]).reindex(columns=["优先", "谨慎", "不做"], fill_value=0)
by_tier = by_tier.join(plan.groupby("place")[["go", "expected"]].sum()).sort_values("优先", ascending=False)
cu.show(by_tier, rows=15, units={"expected": "户"}, title="网点分层计划（流水抽样内）",
        names={"place": "网点", "go": "优先且可联系", "expected": "预计办成"})  # fmt: skip
new = (plan["go"] & plan["no_loan"]).sum()
cu.say(f"{'全行' if BRANCH is None else BRANCH}在用网贷的 {len(scope)} 户：优先 {(scope['tier'] == '优先').sum()}，谨慎 {(scope['tier'] == '谨慎').sum()}，"
       f"不做 {(scope['tier'] == '不做').sum()}。优先且可以联系的 **{plan['go'].sum()}** 户，其中 {new} 户在本行没有贷款（无贷转有贷的对象）；"
       f"按上一轮低报价的转化，预计办成 {plan['expected'].sum():.1f} 户。一家网点摊不到几户，不值得单排班，并进日常联系就好。")  # fmt: skip

# %% [markdown] outline=["S004-C3.2"]
# ## 演示八：他行贷款客户
#
# 另一条路是银行贷款。识别的把手不一样：钱付进**他行的内部户**，或者附言写着按揭、贷款、还贷、月供；日子固定、金额固定。
# 有一个坑：还**本行**贷款的流水附言一模一样，要靠对手类型排除。
#
# 余额只能估：月供已知，利率和剩余期数不知道，按常见的利率和期数折现，给出低、中、高三个数。**三个数差几倍，
# 说明这条路只能用来决定“先问谁”，不能用来报额度**。

# %%
loan_words = words.loc[words["lender_kind"] == "银行", "keyword"]
own = lines[(lines["counterparty_type"] == "本行内部户") & leads.contains(lines["memo"], loan_words)]
banks = leads.bank_loans(lines, words, **rule)
steady = banks[banks["periodic"] & (banks["last"] > bank.as_of - pd.Timedelta(days=60))]
steady = steady.merge(person, left_on="customer_id", right_index=True)
steady = steady.join(leads.balance_range(steady["amount"], BANK_RATES, MONTHS_LEFT))
cu.show(steady[["age", "amount", "payments", "day_spread", "low", "middle", "high"]].describe().loc[["25%", "50%", "75%"]], rows=None,
        title="他行贷款客户：各项的四分位", units={"amount": "元", "low": "万元", "middle": "万元", "high": "万元"},
        names={"index": "位置", "amount": "月供", "payments": "还款次数", "day_spread": "日子偏差（天）", "low": "余额低估", "middle": "余额中估", "high": "余额高估"})  # fmt: skip
mixed = ((steady["mortgage_hits"] > 0) & (steady["mortgage_hits"] < steady["memo_hits"])).sum()
cu.say(f"附言像还贷的流水里，有 {len(own):,} 笔是还本行的，先排除。剩下固定日子付款、近两个月还在还的有 **{len(steady)}** 户，"
       f"月供中位数 {steady['amount'].median():,.0f} 元。估计余额的中位数：低 {steady['low'].median() / 1e4:.1f} 万元，"
       f"中 {steady['middle'].median() / 1e4:.1f} 万元，高 {steady['high'].median() / 1e4:.1f} 万元。"
       f"其中 {mixed} 户的附言一会儿写按揭、一会儿写别的，所以**附言定不了贷款种类**，余额只好用这么宽的范围。"
       f"两条路都撞上的有 {steady['customer_id'].isin(users.index).sum()} 户，他们的负担要把他行月供一起算，练习 E3 就做这件事。")  # fmt: skip

# %% [markdown]
# ## 练习
#
# **E1 ★★ 把 B、C 两条规则写成函数** 写函数 `is_repaying(stream)`：`stream` 是**一位客户和一个对手之间**的全部流水
# （表，列 `date`、`amount`、`direction`，顺序随意，可能一行也没有），像还款就返回 `True`，否则 `False`。
# 规则 B：只看 `direction` 为“支出”的；规则 C：至少 `MIN_TIMES` 次，间隔天数的**中位数**在 `GAP_DAYS` 之间（含两端），
# 金额的变异系数（`std()` 除以 `mean()`）**小于** `MAX_CV`。

# %% tags=["answer:E1"]
is_repaying = ...  # ← 写一个函数 is_repaying(stream)
### BEGIN SOLUTION
def is_repaying(stream):
    out = stream[stream["direction"] == "支出"].sort_values("date")
    if len(out) < MIN_TIMES:
        return False
    gap = out["date"].diff().dt.days.median()
    cv = out["amount"].std() / out["amount"].mean()
    return bool(GAP_DAYS[0] <= gap <= GAP_DAYS[1] and cv < MAX_CV)
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:both_directions"]
def is_repaying(stream):
    out = stream.sort_values("date")
    if len(out) < MIN_TIMES:
        return False
    gap = out["date"].diff().dt.days.median()
    return bool(GAP_DAYS[0] <= gap <= GAP_DAYS[1] and out["amount"].std() / out["amount"].mean() < MAX_CV)

# %% tags=["wrong:E1:every_gap"]
def is_repaying(stream):
    out = stream[stream["direction"] == "支出"].sort_values("date")
    if len(out) < MIN_TIMES:
        return False
    gaps = out["date"].diff().dt.days.dropna()
    return bool(gaps.between(*GAP_DAYS).all() and out["amount"].std() / out["amount"].mean() < MAX_CV)

# %% tags=["wrong:E1:as_they_come"]
def is_repaying(stream):
    out = stream[stream["direction"] == "支出"]
    if len(out) < MIN_TIMES:
        return False
    gap = out["date"].diff().dt.days.median()
    return bool(GAP_DAYS[0] <= gap <= GAP_DAYS[1] and out["amount"].std() / out["amount"].mean() < MAX_CV)

# %% tags=["alternative:E1:numpy"]
def is_repaying(stream):
    out = stream.query("direction == '支出'")
    days = np.sort(out["date"].to_numpy().astype("datetime64[D]")).astype(int)
    if len(days) < MIN_TIMES:
        return False
    amounts = out["amount"].to_numpy()
    steady_money = np.std(amounts, ddof=1) < MAX_CV * np.mean(amounts)
    return bool(steady_money and GAP_DAYS[0] <= np.median(np.diff(days)) <= GAP_DAYS[1])

# %% [markdown]
# **E2 ★★ 哪一类关键词最容易误伤** 用演示三的 `audit`（两半都用），对**只用关键词**命中的样本，按 `lender_kind` 算：
# 样本数 `n`、准确率 `rate`、区间 `low` 和 `high`（`experiment.wilson`），赋给 `kind_precision`（表，索引是 `lender_kind`）。

# %% tags=["answer:E2"]
kind_precision = ...  # ← 把 ... 换成你的代码，可以写几行
### BEGIN SOLUTION
found = audit[audit["hit"]].groupby("lender_kind")["true_label"].agg(["sum", "size"])
kind_precision = experiment.wilson(found["sum"], found["size"])
kind_precision.insert(0, "n", found["size"])
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:rhythm_too"]
found = audit[audit["hit"] & audit["periodic"]].groupby("lender_kind")["true_label"].agg(["sum", "size"])
kind_precision = experiment.wilson(found["sum"], found["size"])
kind_precision.insert(0, "n", found["size"])

# %% tags=["wrong:E2:plain_interval"]
found = audit[audit["hit"]].groupby("lender_kind")["true_label"].agg(["mean", "size"])
error = 1.96 * (found["mean"] * (1 - found["mean"]) / found["size"]) ** 0.5
kind_precision = pd.DataFrame({"n": found["size"], "rate": found["mean"],
                               "low": found["mean"] - error, "high": found["mean"] + error})  # fmt: skip

# %% tags=["wrong:E2:one_half_only"]
found = audit[audit["hit"] & (audit["half"] == "验收")].groupby("lender_kind")["true_label"].agg(["sum", "size"])
kind_precision = experiment.wilson(found["sum"], found["size"])
kind_precision.insert(0, "n", found["size"])

# %% tags=["alternative:E2:crosstab"]
counts = pd.crosstab(audit.loc[audit["hit"], "lender_kind"], audit.loc[audit["hit"], "true_label"])
counts = counts.reindex(columns=[False, True], fill_value=0)
size = counts[False] + counts[True]
kind_precision = experiment.wilson(counts[True], size).assign(n=size)

# %% [markdown]
# **E3 ★★★ 分层，连他行月供一起算** 给 `users` 里的**每一位**客户定一层，赋给 `tier_list`（表，列 `customer_id`、`tier`，一人一行）。
# 依次判断：`contactable` 为假的写“不联系”；在用家数到 `REFUSE_LENDERS` 或 `overdue` 为真的写“不做”；在用家数到 `CAUTION_LENDERS`，
# 或**总负担** `total_burden`（网贷加他行月供，占流入）不小于 `MAX_BURDEN`、或者算不出来的，写“谨慎”；其余写“优先”。

# %% tags=["answer:E3"]
tier_list = ...  # ← 把 ... 换成你的名单
### BEGIN SOLUTION
no_call = ~users["contactable"]
stop = (users["online_lenders"] >= REFUSE_LENDERS) | users["overdue"]
slow = (users["online_lenders"] >= CAUTION_LENDERS) | ~(users["total_burden"] < MAX_BURDEN)
tier = np.select([no_call, stop, slow], ["不联系", "不做", "谨慎"], default="优先")
tier_list = pd.DataFrame({"customer_id": users.index, "tier": tier})
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:online_burden_only"]
slow = (users["online_lenders"] >= CAUTION_LENDERS) | ~(users["burden"] < MAX_BURDEN)
stop = (users["online_lenders"] >= REFUSE_LENDERS) | users["overdue"]
tier = np.select([~users["contactable"], stop, slow], ["不联系", "不做", "谨慎"], default="优先")
tier_list = pd.DataFrame({"customer_id": users.index, "tier": tier})

# %% tags=["wrong:E3:forgot_wishes"]
slow = (users["online_lenders"] >= CAUTION_LENDERS) | ~(users["total_burden"] < MAX_BURDEN)
stop = (users["online_lenders"] >= REFUSE_LENDERS) | users["overdue"]
tier_list = pd.DataFrame({"customer_id": users.index, "tier": np.select([stop, slow], ["不做", "谨慎"], default="优先")})

# %% tags=["wrong:E3:dropped_people"]
chosen = users[users["contactable"]]
slow = (chosen["online_lenders"] >= CAUTION_LENDERS) | ~(chosen["total_burden"] < MAX_BURDEN)
stop = (chosen["online_lenders"] >= REFUSE_LENDERS) | chosen["overdue"]
tier_list = pd.DataFrame({"customer_id": chosen.index, "tier": np.select([stop, slow], ["不做", "谨慎"], default="优先")})

# %% tags=["alternative:E3:last_wins"]
tier = pd.Series("优先", index=users.index)
tier[~(users["total_burden"] < MAX_BURDEN)] = "谨慎"
tier[users["online_lenders"] >= CAUTION_LENDERS] = "谨慎"
tier[(users["online_lenders"] >= REFUSE_LENDERS) | users["overdue"]] = "不做"
tier[~users["contactable"]] = "不联系"
tier_list = tier.rename("tier").rename_axis("customer_id").reset_index()

# %% [markdown]
# **E4 ★★★ 写开场白** 给优先层的客户写一段电话开场白，赋给 `opening`。要求：说清你是哪家银行；说清打电话是为了介绍贷款；
# 写出报价（`OFFER_RATE`，注明是年利率）；说明以审批为准；告诉客户不需要可以不再联系。
# 两条底线：**不露底**（不能让客户听出我们看过他的流水），也**不撒谎**（不能编一个假的来由）。六十到一百八十个字。

# %% tags=["answer:E4"]
opening = "?"
### BEGIN SOLUTION
opening = (f"您好，我是{bank.name}的客户经理。您之前同意接收我行的产品信息，今天想用一分钟介绍一款个人消费贷款，"
           f"年利率 {OFFER_RATE:g}%，能不能办、额度多少，以审批为准。您要是感兴趣，我约个时间细说；不需要也没关系，说一声，我们就不再联系。")  # fmt: skip
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:reveals"]
opening = (f"您好，我是{bank.name}的客户经理。我们看到您每个月都在还网贷，利息不低。我行有一款消费贷款，年利率 {OFFER_RATE:g}%，"
           "可以帮您把它换掉，能不能办以审批为准。您不需要的话，说一声就不再联系。")  # fmt: skip

# %% tags=["wrong:E4:false_story"]
opening = (f"您好，我是{bank.name}的客户经理。恭喜您，您被系统随机抽中，成为我行消费贷款的体验客户，年利率 {OFFER_RATE:g}%，"
           "以审批为准。名额有限，您不需要的话说一声，我们不再联系。")  # fmt: skip

# %% tags=["wrong:E4:promise"]
opening = (f"您好，我是{bank.name}的客户经理。您同意过接收我行的产品信息，向您介绍一款消费贷款，年利率 {OFFER_RATE:g}%，"
           "凭身份证就能办，保证通过，审批很快。您不需要的话说一声，我们不再联系。")  # fmt: skip

# %% tags=["alternative:E4:shorter"]
opening = (f"您好，这里是{bank.name}。您授权过我行向您介绍产品，想跟您说说我们的个人贷款：年利率 {OFFER_RATE:g}%，额度和结果都以审核为准。"
           "您方便听吗？不方便或者不需要，我马上登记，以后不打扰。")  # fmt: skip

# %% [markdown]
# ## 成果
#
# 两份名单：`网贷置换名单` 和 `他行贷款名单`。只放可以联系、没有逾期的客户；证据写**条数和档次**，不写家数和对手名称，不抄附言；两份名单不重人。
# 网贷名单里随机留出 `HOLDOUT_SHARE` 不打，三个月后比一比，才知道这通电话有没有用（分组登记在行内系统里，不靠留着名单）。名单三十天后销毁。

# %%
cu.carry_on("E3")
cu.carry_on("E4")
purge = bank.as_of + pd.Timedelta(days=30)
names = {"tier": "层级", "evidence": "还款证据条数", "level": "负担档", "arm": "分组", "opening": "开场白",
         "memo_hits": "附言证据条数", "payments": "还款证据条数", "payment_band": "月供档"}  # fmt: skip
final_list = tier_list[tier_list["tier"].isin(["优先", "谨慎"])].merge(users.reset_index(), on="customer_id")
final_list = final_list if BRANCH is None else final_list[final_list["branch_id"] == BRANCH]
final_list = final_list.sort_values(["tier", "month_repayment", "customer_id"], ascending=[True, False, True])
draw = np.random.default_rng(SEED).random(len(final_list))
final_list["arm"] = np.where(draw < HOLDOUT_SHARE, "保留（不打）", "联系")
final_list["level"] = pd.cut(final_list["total_burden"], [-1, MAX_BURDEN / 3, MAX_BURDEN * 2 / 3, MAX_BURDEN, np.inf], right=False,
                             labels=["轻", "中", "偏重", "重"]).astype("str")  # fmt: skip
columns = ["branch_id", "customer_id", "masked_name", "tier", "level", "evidence", "arm"]
card = pd.DataFrame({"opening": [opening]})

# %%
online_path = cu.deliver.call_list(
    bank.output_dir("m03_n03") / "网贷置换名单.xlsx", final_list[columns], branch_column="branch_id", title="网贷置换名单",
    purpose="消费贷款营销（有营销授权）", purge_date=purge, names=names,
    notes=["“谨慎”层先面谈再定。标“保留”的本轮不联系。", "通话中不得提及客户的交易和借款情况。"],
    extra={"开场白": cu.deliver.Sheet(card, "开场白", names=names)})  # fmt: skip
bank_list = steady[steady["contactable"] & ~steady["customer_id"].isin([*late["customer_id"], *final_list["customer_id"]])]
bank_list = bank_list if BRANCH is None else bank_list[bank_list["branch_id"] == BRANCH]
bank_list = bank_list.sort_values(["amount", "customer_id"], ascending=[False, True])
bank_list = bank_list.assign(payment_band=pd.cut(bank_list["amount"], [0, 1000, 3000, np.inf], labels=["千元以下", "一千到三千", "三千以上"]).astype("str"))
other_path = cu.deliver.call_list(
    bank.output_dir("m03_n03") / "他行贷款名单.xlsx",
    bank_list[["branch_id", "customer_id", "masked_name", "payment_band", "payments", "memo_hits"]], branch_column="branch_id",
    title="他行贷款名单", purpose="贷款产品介绍（有营销授权）", purge_date=purge, names=names,
    notes=["余额是估计值，范围很宽，不得据此报额度；以客户自己提供的合同为准。"])  # fmt: skip
cu.say(f"`{online_path.name}`：{len(final_list)} 户，其中留出 {(draw < HOLDOUT_SHARE).sum()} 户；`{other_path.name}`：{len(bank_list)} 户。")

# %% [markdown]
# ## 讨论
#
# **扫流水做营销，在不在客户开户时给的同意里？** 可以从这几个方向争一争：
#
# - 开户协议里写“为您提供更好的服务”，够不够具体？客户看得懂“分析您的交易”吗？
# - 开场白不提流水，是保护客户，还是瞒着客户？客户反问“你们怎么知道我要贷款”，该怎么答？
# - 借新还旧的人换到我们这里，利率低了，可要是他又去借呢？帮他一把，和替别家接盘，差在哪里？
#
# ## 小结
#
# 名字只说明像，节拍才说明是；准不准要请人核对，改规则的样本不能拿来验收。收到人头上以后先看能不能联系，再看负担和家数。
# 他行贷款只能估个大概，用来决定先问谁。流水是客户的，名单里只留证据条数，开场白不露底也不撒谎。
#
# 下一课：收单商户的信贷潜力。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 下表把生成器埋下的数和课堂上找到的数放在一起。常见的弯路：
#
# - 拿“小贷”“分期”一搜就报数，火锅店和购物商城都成了网贷；
# - 会员费金额固定、按月扣，周期规则也挡不住，要靠误报词；
# - 拿同一批样本改规则又验收，得出“百分之百”；
# - 用今天的流水算半年前那批客户的负担，置换成功的人负担自然是零；
# - 把全部客户当分母，得出“只有不到一成用网贷”。
#
# E4 的评分可以请两位学员互相演：客户追问“你怎么知道我要贷款”，看能不能老实回答“您同意过我们向您介绍产品”。

# %% tags=["instructor"]
found = {"online_users": online_share, "kw_precision": audit.loc[audit["hit"], "true_label"].mean(),
         "conv_25_35": conversion["rate"].get((True, True), np.nan), "pd_multi": times,
         "false_friend": int(by_payee.index.get_level_values("payee").str.contains("小贷餐饮").any())}  # fmt: skip
cu.reveal(bank, "m03_n03", found, names={
    "online_users": "流水够厚的个人里用网贷的比例", "kw_precision": "只用关键词的准确率", "conv_25_35": "26–35 岁、低报价的转化率",
    "pd_multi": "四家及以上的变坏率倍数", "false_friend": "名字像放贷的餐饮店出现"})  # fmt: skip
