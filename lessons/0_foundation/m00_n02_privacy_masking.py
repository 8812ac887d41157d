# %% [markdown]
# # 真实数据进课堂：授权、最小必要与脱敏
#
# 课程：公共底座 · 大纲：S004-0.3、S004-0.4 · 难度：L2 · 用时：75 分钟
#
# 学完本课，你能：
#
# - 给一份导出的每一列定级，只留这堂课用得着的列；
# - 用数字说清“打了星号”以后还有多少人能被认出来，并把它降到可接受；
# - 拿到一个用数请求，判断行不行、依据哪一条、缺哪一步。
#
# Abstract: Classify columns, keep the minimum, mask and coarsen, then attack the result to see who can still be recognised, and respect what customers agreed to.

# %% tags=["parameters"]
BANK = "coastal"  # 哪家银行的数据：coastal、western、city_micro
AS_OF = None  # 数据日期：None 表示用银行资料里的日期
BRANCH = None  # 授权一节看哪家支行：None 表示全行
MASK_KEY = "上课演示用的密钥-真实密钥只在行内保管"  # 生成假名的密钥，至少 16 个字符
AGE_STEP = 5  # 年龄段几岁一档
TOP_AGE = 80  # 从这个年龄起合成一档
AMOUNT_STEP = 1000  # 金额取整到多少元
AMOUNT_FROM = 10000  # 多少元以上才取整
SHIFT_DAYS = 7  # 日期最多前后移动几天
MIN_GROUP = 5  # 同样特征的人至少要有几个，才算藏得住
MAX_HIDDEN = 0.05  # 为了达标，最多允许隐去多大比例的行
KEEP = ["age", "gender"]  # 这堂课讲客群，哪几项不许整列不给
PURPOSE = "营销"  # 授权一节：打算拿数据做什么
PURGE_DAYS = 3  # 课后几天内删除

# %%
import numpy as np
import pandas as pd

import course_utils as cu

bank = cu.begin("m00_n02", BANK, AS_OF)
privacy = cu.analysis.privacy

# %% [markdown]
# ## 业务情境
#
# 下周请外面的讲师来讲客群经营。支行行长收到一条微信：“把到期客户名单发我邮箱，真实数据讲起来才有味道。”
# 行长问你三句话：**能不能给？给哪几列？把名字打上星号，是不是就安全了？**
#
# 本课不背条文，拿一份导出自己攻击自己：先看每列是什么，再看打了星号还认得出几个人，最后看有多少客户真的点过头。
# 这些数据**不能**证明一份样本“绝对安全”：我们只试了一种攻击，外面的人手里有什么名单，谁也不知道；
# 也**不能**代替合规部门签字。
#
# ## 数据
#
# 主角是一份“没脱敏的导出”。里面的人是编的，证件号、卡号的校验位是故意做错的，电话用的是没有启用的号段，
# 对不上任何真人。即便如此，本课从头到尾**不显示一行原值**：好习惯要从第一堂课养起。
# 其他几张表的字段如下，级别（C1-C3）以数据契约为准。

# %%
tables = {
    "customer": ["customer_id", "branch_id", "do_not_call", "weight"],
    "consent": ["customer_id", "scope", "granted", "expire_date"],
    "note": ["note_id", "text"],
    "bureau_report": ["query_id", "reason", "consent_scope", "consent_expire_date"],
}
cu.dictionary(bank, tables)
if not bank.has("raw_export"):
    cu.say("本行没有未脱敏的导出（本来就不该有），下面用本行**已脱敏**的客户表代替：检验它还藏不藏得住人。")

# %% [markdown] outline=["S004-0.3"]
# ## 演示一：不看内容，也能给每一列定级
#
# 数据要变成资产，先得敢用；敢用的前提是知道手里每一列有多“烫”。所谓数据安全的“枷锁”，多半不是条文锁住的，
# 而是因为没人给数据分过级，只好一律不给。行业标准 JR/T 0171 把个人金融信息分三级：
#
# - **C1** 机构内部用的，比如开户机构、建档时间；
# - **C2** 能认出人、或能看出家底的，比如证件、电话、余额、住址；
# - **C3** 能拿来冒充客户的，比如密码、有效期、验证码。C3 永远不进课堂，脱敏了也不进。
#
# 定级要看内容，但不必看到内容：把每个数字换成 `9`，每个汉字换成“字”，只看“长相”就够了。

# %%
export = cu.analysis.classroom.unmasked_export(bank)


def shape_of(column):
    text = column.dropna().astype("str").str.slice(0, 24)
    text = text.str.replace(r"\d", "9", regex=True)
    text = text.str.replace(r"[\u4e00-\u9fff]", "字", regex=True)
    return text.value_counts().index[0] if len(text) else "（空）"


fields = cu.contract.load_contract().table("raw_export").columns
register = pd.DataFrame({"shape": export.apply(shape_of), "kinds": export.nunique()})
register.insert(0, "label", [fields[name].zh for name in register.index])
register["class_by_name"] = ["C1" if name == "row_id" else "C2" for name in register.index]
register = register.rename_axis("field").reset_index()
cu.show(register, rows=None, names={"field": "列", "label": "中文名", "shape": "最常见的长相",
                                    "kinds": "不同值个数", "class_by_name": "按列名定级"})

# %% [markdown]
# 上表最后一列是照着列名填的，看着都合理。再让程序翻一遍内容：哪一列出现了“冒充客户”要用的字眼？
# 这一步在真实银行尤其要做，因为系统里的“备注”“备用字段”什么都可能装。

# %%
secret_words = "密码|口令|验证码|有效期|安全码|磁道|指纹"
hits = {}
for name in export.columns:
    hits[name] = export[name].astype("str").str.contains(secret_words, na=False).mean()
register["secret_share"] = register["field"].map(hits)
register["class"] = register["class_by_name"].mask(register["secret_share"] > 0, "C3")
found_c3 = register[register["class"] == "C3"]
if len(found_c3):
    names = "、".join(f"`{n}`（{s:.0%} 的行）" for n, s in found_c3[["field", "secret_share"]].values)
    cu.say(f"按列名一个 C3 也没有；翻过内容，**{names}** 写着鉴别信息，应定为 C3，今天起不再导出。")
else:
    cu.say("翻过内容，没有发现鉴别信息。没发现不等于没有：换一批字眼再扫一次。")

# %% [markdown]
# ## 演示二：先删列，再谈脱敏
#
# 《个人信息保护法》第 6 条讲“最小必要”：目的要明确，范围要最小。落到电脑上只有一句话——**用不着的列，根本不要读进来**。
# 删掉的列不会泄露，也不用脱敏，这是最便宜的一招。下面按两个上课用途各列一张白名单，
# 并标出哪些列是**敏感个人信息**（第 28 条：金融账户、行踪等，一旦泄露容易伤到人身和财产）：敏感又用不着的，第一个删。

# %%
needs = {
    "客群画像": ["birth_date", "gender", "village", "town", "occupation", "balance", "five_class"],
    "到期联系演练": ["customer_id", "name", "phone", "town", "balance"],
}
register["sensitive"] = [fields[name].sensitive for name in register["field"]]
for use, columns in needs.items():
    register[use] = register["field"].isin(columns)
wanted = register["field"][register["客群画像"] | register["到期联系演练"]].tolist()
dropped = register.loc[~register["field"].isin(wanted), "label"].tolist()
export = export[wanted]
cu.show(register[["label", "class", "sensitive", *needs]], rows=None,
        names={"label": "中文名", "class": "级别", "sensitive": "敏感"})
cu.say(f"{len(register)} 列里两堂课一共只用 **{len(wanted)}** 列，"
       f"直接不要的有：{'、'.join(dropped)}。")

# %% [markdown] outline=["S004-0.4"]
# ## 演示三：六种变换，各管一件事
#
# “真实数据进课堂”说的是真实的**结构和问题**，不是真实的人。留下的列按用途变换，让分析还做得成，人却认不出：
#
# | 列 | 变换 | 还能做什么 |
# |---|---|---|
# | 客户号 | 带密钥的假名（HMAC-SHA256） | 跨表连接、数人头 |
# | 姓名、电话 | 只留姓；号码留前三后四 | 当面核对，不能批量拨打 |
# | 出生日期 | 年龄段 | 分客群 |
# | 住址、村 | 退到乡镇 | 看区域 |
# | 余额 | 一万元以上取整到千元 [参数] | 算占比、分档 |
# | 业务日期 | 每人整体前后移动几天 | 算间隔、算期限 |
#
# 假名的钥匙是 `MASK_KEY`：同一把钥匙，同一个人永远是同一串；换一把钥匙，全部对不上。所以钥匙只能留在行内。

# %%
age = bank.as_of.year - export["birth_date"].dt.year
safe = export[["gender", "town", "occupation", "five_class"]].copy()
safe["person"] = privacy.pseudonym(export["customer_id"], MASK_KEY)
safe["masked"] = privacy.mask_name(export["name"])
safe["tail"] = privacy.mask_phone(export["phone"])
safe["age_band"] = privacy.age_band(age, AGE_STEP, TOP_AGE)
safe["balance"] = privacy.round_amount(export["balance"], AMOUNT_STEP, AMOUNT_FROM)
headers = {"person": "假名", "masked": "姓名（遮蔽）", "tail": "电话（遮蔽）", "age_band": "年龄段"}
order = [*headers, "gender", "town", "occupation", "balance", "five_class"]
cu.show(safe[order], rows=4, names=headers, tables="raw_export")

# %%
cu.say("变换不是白做的，要验收三件事：换了钥匙还对不对得上；总数还准不准；挪了日期，期限还在不在。")
other_key = privacy.pseudonym(export["customer_id"], MASK_KEY + "换一把")
cu.say(f"- 换一把钥匙，假名重合的比例是 {safe['person'].dropna().isin(other_key).mean():.0%}。")
if export["balance"].notna().any():
    change = safe["balance"].sum() / export["balance"].sum() - 1
    cu.say(f"- 余额取整到 {AMOUNT_STEP} 元，合计相差 {abs(change):.3%}。")
if bank.has("deposit_account"):
    term = bank.load("deposit_account", columns=["customer_id", "open_date", "maturity_date"])
    term = term.dropna().head(3000)
    start, end = [privacy.shift_dates(term[name], term["customer_id"], MASK_KEY, SHIFT_DAYS)
                  for name in ("open_date", "maturity_date")]
    same_term = (end - start == term["maturity_date"] - term["open_date"]).mean()
    same_month = (end.dt.to_period("M") == term["maturity_date"].dt.to_period("M")).mean()
    cu.say(f"- 期限不变的占 {same_term:.0%}，可有 {1 - same_month:.0%} 的到期挪到了隔壁月份：讲期限可以，按月排班不行。")

# %% [markdown]
# ## 演示四：打了星号，还认得出几个人
#
# 现在换到攻击者的位置。他不需要姓名：村里的老会计知道邻居住哪个村、哪天生日、是男是女。
# 拿这三样去碰我们的样本，如果**恰好只对上一行**，这个人的余额和贷款状态就露了底。
#
# 先碰“姓名电话已打星号、其他原样”的版本，再碰“年龄段加乡镇”的版本。老会计认识的人是从样本里抽的，
# 所以下面的命中率附上抽样误差的区间。

# %%
gossip = cu.analysis.classroom.neighbours(bank, export)
town_of = export.drop_duplicates("village").set_index("village")["town"]
gossip["town"] = gossip["village"].map(town_of)
gossip["age_band"] = privacy.age_band(bank.as_of.year - gossip["birth_date"].dt.year, AGE_STEP, TOP_AGE)
versions = {
    "只打星号": (export, ["village", "birth_date", "gender"]),
    "年龄段加乡镇": (safe, ["town", "age_band", "gender"]),
}
rows = []
for version, (table, keys) in versions.items():
    fits = table.groupby(keys).size().rename("fits").reset_index()
    tried = gossip.merge(fits, on=keys, how="left")
    rows.append((version, len(tried), (tried["fits"] == 1).sum(), tried["fits"].median()))

# %%
attack = pd.DataFrame(rows, columns=["version", "known", "named", "candidates"])
attack = attack.join(cu.analysis.experiment.wilson(attack["named"], attack["known"]))
cu.show(attack, names={"version": "样本版本", "known": "攻击者认识的人", "named": "被唯一认出",
                       "candidates": "候选人数（中位）", "rate": "认出比例", "low": "区间下限",
                       "high": "区间上限"}, units={"rate": "%", "low": "%", "high": "%"})
starred, coarse = attack.iloc[0], attack.iloc[1]
new_year = (export["birth_date"].dt.strftime("%m-%d") == "01-01").mean()
cu.say(
    f"只打星号，老会计认得出 **{starred['rate']:.0%}**（{starred['low']:.0%}–{starred['high']:.0%}）；"
    f"退到年龄段和乡镇，是 **{coarse['rate']:.1%}**（{coarse['low']:.1%}–{coarse['high']:.1%}）。"
    f"顺带一提：样本里 {new_year:.0%} 的生日登记成 1 月 1 日，登记得越细，认出的只会更多。"
)

# %% [markdown]
# 为什么三样普通信息加起来这么厉害？因为每多知道一样，同样的人就少一大片。下图把属性一样一样加上去，
# 看“独一份”的人占多少。读图时记住一句：这里是**样本里**独一份，不等于全县独一份；
# 可攻击者只要知道“这个人就在样本里”，样本里独一份就够了。

# %%
words = ["性别", "住址", "出生", "职业"]
before = export[["gender", "village", "birth_date", "occupation"]].set_axis(words, axis=1)
after = safe[["gender", "town", "age_band", "occupation"]].set_axis(words, axis=1)
curves = {
    "只打星号": privacy.uniqueness_table(before, words),
    "年龄段加乡镇": privacy.uniqueness_table(after, words),
}
last = {name: curve["unique_share"].iloc[-1] for name, curve in curves.items()}
fig = cu.charts.uniqueness_curve(curves)
cu.charts.finish(
    fig,
    title=f"四样都知道时，独一份的人：只打星号 {last['只打星号']:.0%}，退一级后 {last['年龄段加乡镇']:.0%}",
    source=f"{bank.name}，教学导出，{bank.as_of:%Y-%m-%d}",
    alt=f"两条折线，横轴依次加上{'、'.join(words)}，只打星号一线最后为 {last['只打星号']:.0%}。",
)

# %% [markdown]
# ## 演示五：至少和几个人长得一样才算藏得住
#
# 行业里常用的尺子叫 **k 匿名**：把年龄、性别、住址、职业都一样的人归成一组，每组至少 k 个人。
# 本课取 `MIN_GROUP`。组太小有两条路：把列**退一级**（村退到乡镇，五岁段退到十岁段），或者把这几行**隐去**。
# 退得越多越安全，也越没用。下面给四项各画一条退路：零级是原样，越往后越粗。
# 四项各退几级，合起来叫一个“配方”；`group_sizes` 回答：按这个配方，每个人所在的小组有几个人。

# %%
people = export[["gender", "village", "town", "occupation", "birth_date", "five_class"]].copy()
people["birth_year"] = people["birth_date"].dt.year
for width in [5, 10, 20]:
    people[f"age_{width}"] = privacy.age_band(bank.as_of.year - people["birth_year"], width, TOP_AGE)
work = {"务农": "务农", "个体经营": "经营", "企业主": "经营", "企业职工": "上班",
        "公职人员": "上班", "教师医生": "上班", "外出务工": "上班"}
people["work_group"] = people["occupation"].map(work).fillna("不在业或其他")
people["nothing"] = "不给"
ladders = {
    "age": ["birth_date", "birth_year", "age_5", "age_10", "age_20", "nothing"],
    "gender": ["gender", "nothing"],
    "place": ["village", "town", "nothing"],
    "occupation": ["occupation", "work_group", "nothing"],
}


# %%
def group_sizes(recipe):
    columns = [ladders[name][level] for name, level in recipe.items()]
    return people.groupby(columns, dropna=False)["nothing"].transform("size")


recipes = {
    "只打星号": {"age": 0, "gender": 0, "place": 0, "occupation": 0},
    "五岁段": {"age": 2, "gender": 0, "place": 0, "occupation": 0},
    "五岁段\n退到乡镇": {"age": 2, "gender": 0, "place": 1, "occupation": 0},
    "五岁段、乡镇\n不给职业": {"age": 2, "gender": 0, "place": 1, "occupation": 2},
}
edges = [0, 1, MIN_GROUP - 1, 4 * MIN_GROUP - 1, np.inf]
labels = ["独一份", f"不到 {MIN_GROUP} 人", f"{MIN_GROUP} 人到 {4 * MIN_GROUP - 1} 人", "更大的组"]
bars = pd.DataFrame(
    {name: pd.cut(group_sizes(r), edges, labels=labels).value_counts(normalize=True, sort=False)
     for name, r in recipes.items()}
).T

# %%
small = bars[labels[:2]].sum(axis=1)
reds = ["#B03A2E", "#E59866", "#A9CCE3", "#2E6DA4"]
fig = cu.charts.stacked_ladder(bars, unit="%", legend="同组人数", colors=reds, totals=False)
cu.charts.finish(
    fig,
    title=f"同组不到 {MIN_GROUP} 人的：只打星号 {small.iloc[0]:.0%}，最后一个配方 {small.iloc[-1]:.1%}",
    source=f"{bank.name}，教学导出，{bank.as_of:%Y-%m-%d}",
    alt="四个配方各一根堆叠柱，小组（红色、橙色）占比依次为" + "、".join(f"{v:.1%}" for v in small),
)

# %% [markdown]
# 藏进人堆还不够：如果一堆人**全都**是逾期，那么知道他在这一堆，就等于知道他逾期。这叫 **l 多样性**——
# 组里敏感信息至少要有几种。k 达标的组，也要查这一条。

# %%
recipe_now = recipes["五岁段、乡镇\n不给职业"]
columns = [ladders[name][level] for name, level in recipe_now.items()]
kept = people[group_sizes(recipe_now) >= MIN_GROUP]
kinds = kept.groupby(columns)["five_class"].transform("nunique")
same_kind = kept[kinds == 1]
no_loan = (same_kind["five_class"] == "无贷款").sum()
if kept["five_class"].isna().all():
    cu.say("这份样本没有五级分类，这一关没有东西可查。")
elif len(same_kind):
    cu.say(f"k 已达标的 {len(kept):,} 人里，仍有 **{len(same_kind) / len(kept):.1%}** 所在的组五级分类只有一种："
           f"{no_loan} 人等于被公开了“没有贷款”，{len(same_kind) - no_loan} 人等于被公开了“有贷款”。"
           "这些组要么再退一级，要么不给五级分类这一列。")
else:
    cu.say(f"k 已达标的 {len(kept):,} 人里，每一组的五级分类都不止一种，这一关过了。")

# %% [markdown]
# ## 演示六：列都干净了，备注里还藏着号码
#
# 结构化的列好管，自由文本最容易漏。客户经理写走访笔记，顺手把新号码记进去，谁也看不见。
# 先用最直白的办法扫：连续十一位、以 `1` 开头。再用课程里的扫描器扫一遍，它认得中间夹空格的写法，也分得清证件号和卡号。

# %%
if bank.has("note"):
    notes = bank.load("note", columns=["note_id", "text"])
    simple = notes["text"].str.contains(r"1\d{10}", na=False)
    scan = privacy.scan_text(notes["text"])
    with_phone = notes.index.isin(scan.loc[scan["kind"] == "手机号", "row"])
    cu.show(scan.groupby("kind").agg(rows=("row", "nunique"), valid=("checksum", "sum")).reset_index(),
            names={"kind": "藏着什么", "rows": "笔记条数", "valid": "校验位正确"})
    cu.say(
        f"直白的办法报了 {simple.sum()} 条，扫描器认定有手机号的是 {with_phone.sum()} 条。别急着比总数，一条条对："
        f"报出来的 **{(simple & ~with_phone).sum()} 条不是手机号**，另外**漏了 {(with_phone & ~simple).sum()} 条**。"
        f"校验位正确的 {scan['checksum'].sum()} 个：课程数据的号码是故意做错的，真实数据这里会接近全部。"
    )
else:
    cu.say(f"本行没有{'、'.join(bank.missing('note'))}，这一节跳过；E3 仍可用检查程序自带的例子做。")

# %% [markdown]
# ## 演示七：客户点过头吗
#
# 前面管的是“认不认得出”，这里管“许不许用”。授权有三道门：同意过这个用途；没有过期；没有说过“别再打给我”。
# 三道门依次筛，下面的流向图从左往右看，右边最上面一段才是可以联系的人。

# %%
customers = bank.load("customer", columns=["customer_id", "branch_id", "do_not_call", "weight"])
if BRANCH is not None:
    customers = customers[customers["branch_id"] == BRANCH]
consent = bank.load("consent", columns=["customer_id", "scope", "granted", "expire_date"])
asked = customers.merge(consent[consent["scope"] == PURPOSE], on="customer_id", how="left")
asked["start"] = "全部客户"
asked["agreed"] = np.where(asked["granted"].eq(True), "可以联系", "没有同意")
lapsed = (asked["agreed"] == "可以联系") & (asked["expire_date"] < bank.as_of)
asked["valid"] = asked["agreed"].mask(lapsed, "同意已过期")
refused = (asked["valid"] == "可以联系") & asked["do_not_call"]
asked["final"] = asked["valid"].mask(refused, "谢绝来电")

# %%
pairs = [("start", "agreed"), ("agreed", "valid"), ("valid", "final")]
steps = [pd.crosstab(asked[before_gate], asked[after_gate]) for before_gate, after_gate in pairs]
usable = asked["final"] == "可以联系"
share = asked.loc[usable, "weight"].sum() / asked["weight"].sum()
fig = cu.charts.state_flow(steps, labels=["开始", "同意过", "没过期", "没谢绝"],
                           order=["全部客户", "可以联系", "没有同意", "同意已过期", "谢绝来电"],
                           colors={"全部客户": "#9AA5B1"})
cu.charts.finish(
    fig,
    title=f"能为“{PURPOSE}”联系的客户有 {share:.0%}（按全行权数），其余在三道门前止步",
    source=f"{bank.name}，客户表、授权表，{bank.as_of:%Y-%m-%d}",
    alt=f"流向图：样本 {len(asked):,} 户，三道门后剩 {usable.sum():,} 户。",
)

# %% [markdown]
# 征信报告的门更窄。《征信业管理条例》第 20 条：按约定的用途用，不得移作他用。本课程定义：授权书写明营销或授信管理的，
# 才可以拿来挑贷款名单；只写贷后管理的、写“未注明”的，一律当作没有授权。各行以自己的授权书文本为准。

# %%
if bank.has("bureau_report"):
    reports = bank.load("bureau_report", columns=["reason", "consent_scope", "consent_expire_date"])
    reports["outside"] = ~reports["consent_scope"].isin(["营销", "授信管理"])
    reports["expired"] = reports["consent_expire_date"] < bank.as_of
    by_reason = reports.groupby("reason")["outside"].agg(["size", "sum"])
    by_reason = by_reason.join(cu.analysis.experiment.wilson(by_reason["sum"], by_reason["size"]))
    cu.show(by_reason.sort_values("size", ascending=False),
            names={"size": "查询次数", "sum": "不得用于营销", "rate": "占比", "low": "区间下限",
                   "high": "区间上限"}, units={"rate": "%", "low": "%", "high": "%"})
    late = (~reports["outside"] & reports["expired"]).sum()
    cu.say(f"{len(reports):,} 次查询里，**{reports['outside'].mean():.0%}** 的授权范围不能用于营销；"
           + (f"范围够、但已经过期的还有 {late:,} 次。" if late else "范围够的都还没有过期。"))
else:
    cu.say(f"本行没有{'、'.join(bank.missing('bureau_report'))}，征信授权这一段跳过。")

# %% [markdown]
# ## 练习
#
# **E1 ★★ 写两个遮蔽** 写函数 `mask_person(phone, age)`，返回一个两项的列表：`[遮蔽后的号码, 年龄段]`。本课程定义如下：
#
# - 号码里的空格、横线等先去掉；正好十一位数字的留前三后四，中间四个星号；**不是十一位的一律写成 `"***"`**；
# - 年龄段宽度用 `AGE_STEP`，写成 `"35-39"` 的样子；满 `TOP_AGE` 岁写成 `"80+"` 的样子；空的或负的写 `"未知"`。

# %% tags=["answer:E1"]
mask_person = ...  # ← 写一个函数 mask_person(phone, age)
### BEGIN SOLUTION
def mask_person(phone, age):
    digits = "".join(letter for letter in str(phone) if letter in "0123456789")
    masked = "***"
    if len(digits) == 11:
        masked = digits[:3] + "****" + digits[-4:]
    if pd.isna(age) or age < 0:
        return [masked, "未知"]
    if age >= TOP_AGE:
        return [masked, f"{TOP_AGE}+"]
    low = int(age) // AGE_STEP * AGE_STEP
    return [masked, f"{low}-{low + AGE_STEP - 1}"]
### END SOLUTION

# %% tags=["check:E1"]
cu.check("E1")

# %% tags=["wrong:E1:odd_numbers_pass"]
def mask_person(phone, age):
    digits = "".join(letter for letter in str(phone) if letter in "0123456789")
    masked = digits[:3] + "****" + digits[-4:] if len(digits) == 11 else str(phone)
    if pd.isna(age) or age < 0:
        return [masked, "未知"]
    if age >= TOP_AGE:
        return [masked, f"{TOP_AGE}+"]
    low = int(age) // AGE_STEP * AGE_STEP
    return [masked, f"{low}-{low + AGE_STEP - 1}"]

# %% tags=["wrong:E1:bands_overlap"]
def mask_person(phone, age):
    digits = "".join(letter for letter in str(phone) if letter in "0123456789")
    masked = digits[:3] + "****" + digits[-4:] if len(digits) == 11 else "***"
    if pd.isna(age) or age < 0:
        return [masked, "未知"]
    if age >= TOP_AGE:
        return [masked, f"{TOP_AGE}+"]
    low = int(age) // AGE_STEP * AGE_STEP
    return [masked, f"{low}-{low + AGE_STEP}"]

# %% tags=["wrong:E1:last_digits_only"]
def mask_person(phone, age):
    digits = "".join(letter for letter in str(phone) if letter in "0123456789")
    masked = digits[:7] + "****" if len(digits) == 11 else "***"
    if pd.isna(age) or age < 0:
        return [masked, "未知"]
    if age >= TOP_AGE:
        return [masked, f"{TOP_AGE}+"]
    low = int(age) // AGE_STEP * AGE_STEP
    return [masked, f"{low}-{low + AGE_STEP - 1}"]

# %% tags=["alternative:E1:with_pandas"]
def mask_person(phone, age):
    cleaned = pd.Series([phone], dtype="str").str.replace(r"[^0-9]", "", regex=True)
    whole = cleaned.str.fullmatch(r"[0-9]{11}", na=False).iloc[0]
    masked = cleaned.iloc[0][:3] + "*" * 4 + cleaned.iloc[0][7:] if whole else "*" * 3
    years = pd.to_numeric(pd.Series([age]), errors="coerce").iloc[0]
    if not years >= 0:
        band = "未知"
    elif years < TOP_AGE:
        steps = int(years / AGE_STEP)
        band = f"{steps * AGE_STEP}-{(steps + 1) * AGE_STEP - 1}"
    else:
        band = str(TOP_AGE) + "+"
    return (masked, band)

# %% [markdown]
# **E2 ★★★ 退得最少的配方** 给讲师的样本要满足三条：隐去的行不超过 `MAX_HIDDEN`（同组不到 `MIN_GROUP` 人的行都要隐去）；
# `KEEP` 里的项不许退到“不给”；**损失的信息尽量少**。把配方赋给 `recipe`，样子如
# `{"age": 2, "gender": 0, "place": 0, "occupation": 0}`。
#
# 信息怎么量？用“猜谜”量：要问几个“是不是”才能猜中这一项。性别要问一次；村要问三次左右；都写“不给”就不用问了。
# 损失 = 四项各自少问的比例的平均 [本课程定义]。下一格把它写成函数，并列出每退一级还剩几问。

# %%
chinese = {"birth_date": "出生日期", "birth_year": "出生年", "age_5": "五岁段", "age_10": "十岁段",
           "age_20": "二十岁段", "gender": "性别", "village": "村", "town": "乡镇", "occupation": "职业",
           "work_group": "职业大类", "nothing": "不给", "balance": "存款余额", "five_class": "五级分类"}


def questions_needed(column):
    portion = people[column].value_counts(normalize=True)
    return (portion * np.log2(1 / portion)).sum()


def lost_information(trial):
    lost = [1 - questions_needed(ladders[name][level]) / questions_needed(ladders[name][0])
            for name, level in trial.items()]
    return sum(lost) / len(lost)


steps_down = [(name, level, chinese[column], questions_needed(column))
              for name, ladder in ladders.items() for level, column in enumerate(ladder)]
steps_down = pd.DataFrame(steps_down, columns=["item", "level", "column", "questions"])
cu.show(steps_down, rows=None, names={"item": "项", "level": "级", "column": "用哪一列",
                                      "questions": "平均问几次"})

# %% tags=["answer:E2"]
recipe = ...  # ← 一个字典：四项各退几级；可以手工试，也可以让循环把所有配方试一遍
### BEGIN SOLUTION
least = 2.0
for age_level in range(5):
    for place_level in range(3):
        for work_level in range(3):
            trial = {"age": age_level, "gender": 0, "place": place_level, "occupation": work_level}
            hidden = (group_sizes(trial) < MIN_GROUP).mean()
            if hidden <= MAX_HIDDEN and lost_information(trial) < least:
                recipe, least = trial, lost_information(trial)
### END SOLUTION

# %% tags=["check:E2"]
cu.check("E2")

# %% tags=["wrong:E2:age_band_is_enough"]
recipe = {"age": 2, "gender": 0, "place": 0, "occupation": 0}

# %% tags=["wrong:E2:everything_away"]
recipe = {"age": 5, "gender": 1, "place": 2, "occupation": 2}

# %% tags=["wrong:E2:safe_but_useless"]
recipe = {"age": 4, "gender": 0, "place": 2, "occupation": 2}

# %% tags=["alternative:E2:table_of_recipes"]
levels = pd.MultiIndex.from_product([range(6), range(2), range(3), range(3)], names=list(ladders))
every = levels.to_frame(index=False)
every = every[(every["age"] < 5) & (every["gender"] < 1)]
trials = every.to_dict("records")
every["hidden"] = [(group_sizes(t) < MIN_GROUP).mean() for t in trials]
every["lost"] = [lost_information(t) for t in trials]
best = every[every["hidden"] <= MAX_HIDDEN].sort_values("lost").iloc[0]
recipe = {name: int(best[name]) for name in ladders}

# %% [markdown]
# **E3 ★★ 把藏着的手机号全找出来** 写函数 `has_phone(texts)`：收一列文字（Series），返回同样长的 True/False——这一条里有没有手机号。
# 本课程定义：手机号是以 `1` 开头的十一位数字，数字之间可以夹**一个**空格或横线；
# 十八位的证件号、十九位的卡号里的一截不算；空的那一条算没有。

# %% tags=["answer:E3"]
has_phone = ...  # ← 写一个函数 has_phone(texts)
### BEGIN SOLUTION
def has_phone(texts):
    return texts.fillna("").str.contains(r"(?<!\d)1(?:[ -]?\d){10}(?![ -]?\d)")
### END SOLUTION

# %% tags=["check:E3"]
cu.check("E3")

# %% tags=["wrong:E3:plain_digits_only"]
def has_phone(texts):
    return texts.fillna("").str.contains(r"(?<!\d)1\d{10}(?!\d)")

# %% tags=["wrong:E3:part_of_longer_number"]
def has_phone(texts):
    return texts.fillna("").str.contains(r"1(?:[ -]?\d){10}")

# %% tags=["alternative:E3:squeeze_then_look"]
def has_phone(texts):
    plain = texts.fillna("").str.replace(r"(?<=\d)[ -](?=\d)", "", regex=True)
    longest = plain.str.findall(r"\d+")
    answer = [any(len(n) == 11 and n[0] == "1" for n in numbers) for numbers in longest]
    return pd.Series(answer, index=texts.index)

# %% [markdown]
# **E4 ★★★ 五个请求，行不行** 用下面的条文给五个请求各写一句：以“甲：”“乙：”……开头，写明**可以**还是**不可以**、**第几条**、为什么；
# 最后用“依据：”起一句，引用一个本课算出来的数字，说明为什么打了星号还不够。
#
# | 条文 | 说的是 [来源：法律原文的要点，课堂转述] |
# |---|---|
# | 个人信息保护法第 13 条 | 处理要有法律依据；人事管理所必需，不等于可以给同事看 |
# | 第 19、21、55 条 | 保存期最短；委托处理要签协议、监督、收回删除；敏感信息和委托处理之前要做影响评估 |
# | 第 23、29 条 | 提供给别人要告知并取得**单独同意**；敏感信息要单独同意 |
# | 征信业管理条例第 18、20 条 | 查询要书面同意并约定用途；不得用作约定以外的用途 |
# | 商业银行法第 29 条 | 为存款人保密 |
#
# - 甲：讲师想要没脱敏的到期名单，发到他的邮箱备课。
# - 乙：同事想要全行工资表，练一练透视表。
# - 丙：客户经理想用贷后管理查到的征信报告挑营销名单。
# - 丁：村干部问村里谁存得多，好帮着组织活动。
# - 戊：培训科用 E2 的样本上课，在行内断网电脑上，已和讲师签委托协议、做过影响评估，课后删除。

# %% tags=["answer:E4"]
rulings = "?"
### BEGIN SOLUTION
rulings = f"""甲：不可以，名单提供给行外要单独同意，个人信息保护法第 23 条；改发脱敏样本，在行内看。
乙：不可以，工资是人事管理用的，不是给同事练习的，第 13 条；改用合成数据。
丙：不可以，贷后管理的报告只能用于贷后，征信业管理条例第 20 条。
丁：不可以，要为存款人保密，商业银行法第 29 条。
戊：可以，委托协议、影响评估和删除都做了，第 21 条、第 55 条、第 19 条。
依据：只打星号的样本，老会计仍能认出 {starred['rate']:.1%} 的人。"""
### END SOLUTION

# %% tags=["check:E4"]
cu.check("E4")

# %% tags=["wrong:E4:email_is_fine"]
rulings = f"""甲：可以，打了星号就行，第 23 条。
乙：不可以，第 13 条。
丙：不可以，征信业管理条例第 20 条。
丁：不可以，商业银行法第 29 条。
戊：可以，第 21 条、第 55 条。
依据：只打星号的样本，仍能认出 {starred['rate']:.1%} 的人。"""

# %% tags=["wrong:E4:ban_everything"]
rulings = f"""甲：不可以，第 23 条。
乙：不可以，第 13 条。
丙：不可以，征信业管理条例第 20 条。
丁：不可以，商业银行法第 29 条。
戊：不可以，客户数据一律不得上课，第 21 条。
依据：只打星号的样本，仍能认出 {starred['rate']:.1%} 的人。"""

# %% tags=["wrong:E4:number_from_nowhere"]
rulings = """甲：不可以，第 23 条。
乙：不可以，第 13 条。
丙：不可以，征信业管理条例第 20 条。
丁：不可以，商业银行法第 29 条。
戊：可以，第 21 条、第 55 条。
依据：听说打了星号还能认出 99.9% 的人。"""

# %% tags=["alternative:E4:other_words"]
rulings = f"""甲：不行。提供给第三方须告知并单独同意（第二十三条），存款还是敏感信息（第二十九条）。
乙：不得提供，人事数据另有用途，第十三条。
丙：不能用，超出约定用途，征信业管理条例第二十条。
丁：不行，商业银行法第二十九条，为存款人保密。
戊：可以做，已按第二十一条签协议、按第五十五条评估，课后按第十九条删除。
依据：{starred['known']:.0f} 个熟人里认出了 {starred['named']:.0f} 个。"""

# %% [markdown]
# ## 成果
#
# 两个文件。一份**脱敏后教学样本**：按 E2 的配方，去掉了小组里的人，打乱了行序，小额也取整
# （几角几分的余额本身就像指纹），连假名都没有——这堂课用不着跨表，就不给。
# 一份**课堂数据使用登记表**：目的、范围、人员、删除日期、审批，附影响评估的三问。签完字，回答行长的三句话才算有凭据。

# %%
cu.carry_on("E2")
levels = {name: ladders[name][level] for name, level in recipe.items()}
shown = list(dict.fromkeys(column for column in levels.values() if column != "nothing"))
sample = people.loc[group_sizes(recipe) >= MIN_GROUP, shown]
rounded = privacy.round_amount(export["balance"], AMOUNT_STEP)
sample = sample.assign(balance=rounded, five_class=people["five_class"])
sample = sample.sample(frac=1, random_state=1).reset_index(drop=True)
result = privacy.k_anonymity(sample, shown, MIN_GROUP)
cu.say(f"样本 {len(sample):,} 行、{sample.shape[1]} 列，最小的组 **{result['k_min']:.0f}** 人，"
       f"隐去 {1 - len(sample) / len(people):.1%} 的行，信息损失 {lost_information(recipe):.0%}。")

# %%
purge = bank.as_of + pd.Timedelta(days=PURGE_DAYS)
given = [chinese[column] for column in sample.columns]
k_min = int(result["k_min"])
form = cu.analysis.classroom.use_form("客群画像课", given, len(sample), k_min, found_c3["label"].tolist(), purge)
impact = cu.analysis.classroom.impact_form(len(given), len(register) - len(given), starred["rate"], k_min)
book = {
    "登记表": cu.deliver.Sheet(form, names={"item": "项目", "content": "内容"}),
    "影响评估": cu.deliver.Sheet(impact, names={"question": "要回答的问题", "evidence": "本课算出的依据",
                                            "conclusion": "结论（人工填写）"}),
}
folder = bank.output_dir("m00_n02")
cu.deliver.workbook(folder / "课堂数据使用登记表.xlsx", book, "课堂数据使用登记表", "客群画像课", purge)
cu.deliver.workbook(folder / "脱敏后教学样本.xlsx", {"样本": cu.deliver.Sheet(sample, names=chinese, money="元")},
                    "脱敏后教学样本", "客群画像课", purge)
cu.say(f"已保存：`脱敏后教学样本.xlsx`、`课堂数据使用登记表.xlsx`，请于 {purge:%Y-%m-%d} 前删除样本。")

# %% [markdown]
# ## 讨论
#
# 1. 客户号换成假名以后，算不算匿名？提示：只要钥匙还在行里，就还能还原——这叫**去标识化**，法律上仍是个人信息；
#    不能还原的才叫**匿名化**（个人信息保护法第 73 条）。
# 2. 手机号只有十一位，不带密钥的“加密”能挡住人吗？把所有号码算一遍要多久？
# 3. 你行哪些“不给”，是因为条文，哪些只是因为没人定过级？
#
# ## 小结
#
# 先定级、再删列、后变换：用不着的列不读，C3 永远不进课堂。打星号不等于认不出，要拿“老会计”的办法试一遍，再用最小组人数验收。
# 认不出只是一半，另一半是客户点过头、用途对得上、到期就删。
#
# 下一课：真的缺客户吗——覆盖度、名单转化漏斗与低转化五因。

# %% [markdown] tags=["instructor"]
# ## 揭示真值
#
# 时间：演示一到三 20 分钟，四到五 20 分钟，六到七 10 分钟，练习 25 分钟。常见的弯路：E2 只退年龄、舍不得退住址；
# E3 用直白的办法，条数看着差不多就交卷；E4 把戊也判成不可以，把“枷锁”又锁了回去。
# 教学导出只取了客户最多的几个村，独一份的比例不能外推到全行；生日多登记成 1 月 1 日，是生成器有意为之。

# %% tags=["instructor"]
found = {"unique_qid": curves["只打星号"]["unique_share"].iloc[2],
         "c3_column": "、".join(found_c3["field"])}
if bank.has("note"):
    found["note_phones"] = int(with_phone.sum())
if bank.has("bureau_report"):
    found["scope_missing"] = reports["outside"].mean()
zh = {"unique_qid": "三样信息下独一份的占比", "c3_column": "藏着的 C3 列",
      "note_phones": "藏着手机号的笔记", "scope_missing": "授权不含营销的查询占比"}
cu.reveal(bank, "m00_n02", found, zh)
