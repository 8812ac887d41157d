"""Questions of m03_n02: same shop or not, reach of loans, links you stand for, points."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from course_utils.analysis import matching
from course_utils.exercises import (
    Case,
    Context,
    Invariant,
    Misconception,
    Question,
    Relation,
    behaviour,
    frame,
    invariants,
    plan,
    unique,
    within,
)

SameShop = Callable[[pd.Series, pd.Series, str], pd.Series]
FORMS = ("经营部", "商行", "店", "铺")

# ----------------------------------------------------------------------------- E1 the same shop


def tidy(name: Any, town: str, *, brackets: bool = True, anywhere: bool = False) -> str:
    """Return one name in its plain form, character by character; a missing one is empty."""
    if not isinstance(name, str):
        return ""
    text = unicodedata.normalize("NFKC", name).upper()
    if brackets:
        text = re.sub(r"\(.*?\)", "", text)
    plain = "".join(c for c in text if c.isdigit() or "A" <= c <= "Z" or "一" <= c <= "鿿")
    if anywhere and town:
        return plain.replace(town, "")
    return plain[len(town) :] if plain.startswith(town) and plain != town else plain


def same_shop_function(context: Context, *, forms: bool = False, **wrong: bool) -> SameShop:
    """Return the reference function, or one with a named mistake."""

    def short(name: Any, town: str) -> str:
        text = tidy(name, town, **wrong)
        if forms:
            text = next((text.removesuffix(f) for f in FORMS if text.endswith(f)), text)
        return text

    def same_shop(left: pd.Series, right: pd.Series, place: str) -> pd.Series:
        pairs = [(short(a, place), short(b, place)) for a, b in zip(left, right, strict=True)]
        return pd.Series([a == b and a != "" for a, b in pairs], index=left.index, dtype=bool)

    return same_shop


def names(*pairs: tuple[Any, Any]) -> Callable[[Context], tuple[pd.Series, pd.Series, str]]:
    """Return pairs of names as two columns, with a place name."""

    def made(context: Context) -> tuple[pd.Series, pd.Series, str]:
        left, right = zip(*pairs, strict=True)
        index = range(10, 10 + len(pairs))
        return pd.Series(left, index, dtype="str"), pd.Series(right, index, dtype="str"), "甲县"

    return made


def real_pairs(context: Context) -> tuple[pd.Series, pd.Series, str]:
    """Return the labelled pairs of the bank."""
    labels = context.load("label_sample")
    labels = labels[labels["task"] == "名单匹配"]
    left = labels["left_id"].map(context.load("registry_list").set_index("registry_id")["name"])
    firm = context.load("enterprise", ["customer_id", "enterprise_name"])
    right = labels["right_id"].map(firm.set_index("customer_id")["enterprise_name"])
    return left, right, county(context)


def county(context: Context) -> str:
    """Return the place name that may stand in front of a shop's name."""
    return context.parameters["PLACE"] or context.bank.profile.world.get("county", "")


def same_flags(mine: Any, theirs: pd.Series) -> str | None:
    """Compare two columns of true and false."""
    values = mine.tolist() if hasattr(mine, "tolist") else mine
    if not isinstance(values, list) or len(values) != len(theirs):
        return "要返回一列真假，行数和 left 一样。"
    if any(value not in (True, False) for value in values):
        return "每一行都要是真或假，不能是空值。"
    wrong = sum(bool(a) != b for a, b in zip(values, theirs.tolist(), strict=True))
    return f"{len(values)} 对里有 {wrong} 对判错了。" if wrong else None


def both_ways(before: Any, after: Any) -> bool:
    """Hold if swapping the sides changes nothing."""
    return list(before) == list(after)


E1_CHECK = behaviour(
    Case(
        "全角和大小写",
        names(
            ("ＡＢ便利１号店", "ab便利1号店"), ("Ab便利店", "AC便利店"), ("禾牧1号店", "禾牧2号店")
        ),
        "全角字母、数字要变成半角，大小写不分。",
    ),
    Case(
        "括号",
        names(
            ("禾牧丰餐饮店（个体工商户）", "禾牧丰餐饮店"),
            ("禾牧丰餐饮店(个体)", "禾牧丰餐饮店（个体工商户）"),
            ("（总）禾牧(丰)餐饮店(东)", "禾牧餐饮店"),
        ),
        "全角、半角括号都要去掉，里面的字也一起去掉；一个名字可以有几对括号。",
    ),
    Case(
        "空格和符号",
        names(("禾牧 丰餐饮店", "禾牧·丰餐饮-店"), ("禾牧丰、餐饮店。", "禾牧丰餐饮店")),
        "空格和各种符号都要去掉。",
    ),
    Case(
        "店字要留下",
        names(("禾牧丰商行", "禾牧丰店"), ("禾牧丰经营部", "禾牧丰"), ("禾牧丰铺", "禾牧丰铺")),
        "“店、商行、经营部”是店名的一部分，去掉了两家会变成一家。",
    ),
    Case(
        "县名只去开头",
        names(
            ("甲县禾牧丰店", "禾牧丰店"),
            ("禾牧甲县店", "禾牧店"),
            ("甲县甲县人家店", "甲县人家店"),
            ("甲县", "甲县"),
            ("甲县·禾牧丰店", "(个体)甲县禾牧丰店"),
        ),
        "县名只去开头那一次；去了会变空，就不去。",
    ),
    Case(
        "空的店名",
        names((None, None), (None, "禾牧丰店"), ("（个体）", "()"), ("禾牧丰店", "禾牧丰店")),
        "空的、清洗后什么都不剩的店名，和谁都不是同一家。",
    ),
    Case(
        "没有地名",
        lambda context: (*names(("甲县禾牧店", "禾牧店"), ("禾牧店", "禾牧店"))(context)[:2], ""),
        "place 是空的时候，什么地名都不去。",
    ),
    Case("本行的标注样本", real_pairs),
    Relation(
        "左右对调",
        names(("甲县禾牧丰店", "禾牧丰店"), ("禾牧丰商行", "禾牧丰店")),
        names(("禾牧丰店", "甲县禾牧丰店"), ("禾牧丰店", "禾牧丰商行")),
        both_ways,
        "左右对调，结果不该变。",
    ),
    compare=same_flags,
    signature=("left", "right", "place"),
)

# ----------------------------------------------------------------------------- shared: the links


def traders(context: Context) -> pd.DataFrame:
    """Return the files of self-employed customers with clean names."""

    def made() -> pd.DataFrame:
        columns = ["customer_id", "customer_type", "masked_name", "phone_hash", "weight"]
        person = context.load("customer", columns).query("customer_type == '个体工商户'")
        rows = context.load("enterprise").merge(person, on="customer_id")
        return _keyed(rows, "enterprise_name", county(context))

    return context.remember("traders", made)


def listed(context: Context) -> pd.DataFrame:
    """Return the registry with clean names."""
    return context.remember(
        "listed", lambda: _keyed(context.load("registry_list"), "name", county(context))
    )


def _keyed(rows: pd.DataFrame, name: str, place: str) -> pd.DataFrame:
    clean = matching.normalise(rows[name], [place])
    return rows.assign(clean=clean, block=rows["town_id"].astype(str) + clean.str[:1])


def hard_links(context: Context) -> pd.DataFrame:
    """Return the rows that share the code or else the phone with a customer."""

    def made() -> pd.DataFrame:
        left, right = listed(context), traders(context)
        owner = {key: right.dropna(subset=[key]).set_index(key)["customer_id"].to_dict()
                 for key in ("uscc_hash", "phone_hash")}  # fmt: skip
        code = left["uscc_hash"].map(owner["uscc_hash"])
        who = code.where(code.notna(), left["phone_hash"].map(owner["phone_hash"]))
        return left[["registry_id"]].assign(customer_id=who).dropna()

    return context.remember("hard_links", made)


def candidates(context: Context) -> pd.DataFrame:
    """Return all pairs of a block without a hard key, with similarity and agreement."""

    def made() -> pd.DataFrame:
        hard = hard_links(context)
        left = listed(context).rename(columns={"owner_masked": "masked_name"})
        left = left[~left["registry_id"].isin(hard["registry_id"])]
        right = traders(context)
        right = right[~right["customer_id"].isin(hard["customer_id"])]
        pairs = left.merge(right, on="block", suffixes=("", "_own"))
        alike = matching.similarity(pairs["clean"], pairs["clean_own"])
        proof = sum(
            (pairs[name] == pairs[f"{name}_own"]).astype(int)
            for name in ("masked_name", "industry_code", "register_date")
        )
        return pairs[["registry_id", "customer_id"]].assign(similarity=alike, agreement=proof)

    return context.remember("candidates", made)


def labelled(context: Context) -> pd.DataFrame:
    """Return the labelled pairs with their similarity."""

    def made() -> pd.DataFrame:
        rows = context.load("label_sample").query("task == '名单匹配'")
        rows = rows.rename(columns={"left_id": "registry_id", "right_id": "customer_id"})
        left = rows["registry_id"].map(listed(context).set_index("registry_id")["clean"])
        right = rows["customer_id"].map(traders(context).set_index("customer_id")["clean"])
        return rows.assign(similarity=matching.similarity(left, right))

    return context.remember("labelled", made)


def cut(context: Context) -> float:
    """Return the threshold by the precision asked for, tried one by one."""
    rows, goal = labelled(context), context.parameters["PRECISION_GOAL"]
    best = (-1, -1.0, 0.0)
    for level in sorted(rows["similarity"].unique(), reverse=True):
        taken = rows.loc[rows["similarity"] >= level, "true_label"]
        if taken.mean() >= goal:
            best = max(best, (int(taken.sum()), float(taken.mean()), -float(level)))
    return -best[2]


def chosen(context: Context, *, review: bool = True) -> pd.DataFrame:
    """Return the links by name: above the threshold, and below it with enough evidence."""
    p, pairs = context.parameters, candidates(context)
    pairs = pairs[pairs["similarity"] >= p["REVIEW_FLOOR"]]
    pairs = matching.one_to_one(pairs, ["similarity", "agreement"], "registry_id", "customer_id")
    sure = pairs["similarity"] >= cut(context)
    if review:
        sure |= pairs["agreement"] >= p["EVIDENCE"]
    return pairs[sure]


def shops(context: Context) -> pd.DataFrame:
    """Return the whole registry with its customer, weight, trade and products."""

    def made() -> pd.DataFrame:
        links = pd.concat([hard_links(context), chosen(context)])
        rows = listed(context)[["registry_id", "industry_code", "grid_id", "status"]]
        rows = rows.merge(links[["registry_id", "customer_id"]], how="left")
        own = traders(context).set_index("customer_id")["weight"]
        weight = rows["customer_id"].map(own)
        rows["weight"] = (weight / weight.mean()).fillna(1.0)
        trade = context.load("industry").set_index("industry_code")["trade_group"]
        rows["trade"] = rows["industry_code"].map(trade)
        home = context.load("grid").set_index("grid_id")["branch_id"]
        return rows.assign(branch_id=rows["grid_id"].map(home))

    return context.remember("shops", made)


# --------------------------------------------------------------------------- E2 reach of loans


def reach(
    context: Context, *, only_customers: bool = False, gone: bool = False, equal: bool = False
) -> pd.DataFrame:
    """Return the share of shops with a business loan by trade, Wilson on effective numbers."""
    rows, branch = shops(context), context.parameters["BRANCH"]
    rows = rows if gone else rows[rows["status"] == "存续"]
    rows = rows if branch is None else rows[rows["branch_id"] == branch]
    rows = rows.dropna(subset=["customer_id"]) if only_customers else rows
    held = context.load("customer_product", ["customer_id", "has_business_loan"])
    loan = rows["customer_id"].isin(held.loc[held["has_business_loan"], "customer_id"])
    w = np.ones(len(rows)) if equal else rows["weight"].to_numpy()
    sums = (
        pd.DataFrame({"w": w, "w2": w**2, "x": w * loan.to_numpy()})
        .groupby(rows["trade"].to_numpy())
        .sum()
    )
    n, p, z = sums["w"] ** 2 / sums["w2"], sums["x"] / sums["w"], 1.959963984540054
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    table = pd.DataFrame({"rate": p, "low": (middle - half).clip(0), "high": middle + half})
    table.loc[p == 0, "low"] = 0.0
    return table.clip(upper=1.0).rename_axis("trade")


# -------------------------------------------------------------------------------- E3 own links


def by_sample(table: pd.DataFrame, context: Context) -> tuple[int, int]:
    """Return how many labelled pairs a set of links takes: right ones, wrong ones."""
    own = set(zip(table["registry_id"], table["customer_id"], strict=True))
    rows = labelled(context)
    taken = [(a, b) in own for a, b in zip(rows["registry_id"], rows["customer_id"], strict=True)]
    label = rows.loc[taken, "true_label"]
    return int(label.sum()), int((~label).sum())


def precise(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if enough of the labelled pairs that were taken are true."""
    right, wrong = by_sample(table, context)
    goal = context.parameters["PRECISION_GOAL"]
    if not right + wrong:
        return "标注样本里你一对也没有接受，量不出查准率。"
    share = right / (right + wrong)
    return share >= goal or f"标注样本里你接受的对只有 {share:.1%} 是真的，低于 {goal:.0%}。"


def known_pairs(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if all ids exist and none is linked by a hard key already."""
    hard = hard_links(context)
    strange = ~table["registry_id"].isin(listed(context)["registry_id"]) | ~table[
        "customer_id"
    ].isin(traders(context)["customer_id"])
    again = table["registry_id"].isin(hard["registry_id"]) | table["customer_id"].isin(
        hard["customer_id"]
    )
    if strange.any():
        return f"有 {int(strange.sum())} 对的编号不在名单或本行个体户里。"
    return not again.any() or f"有 {int(again.sum())} 对早已用硬钥匙对上，不要再认一次。"


def right_pairs(table: pd.DataFrame, context: Context) -> float:
    """Return the labelled true pairs found."""
    return float(by_sample(table, context)[0])


def planted_share(context: Context) -> float | None:
    """Return the planted share of rows that are customers."""
    truth = (context.truth or {}).get("m03_n02", {}).get("true_match")
    return None if truth is None else float(truth["realised"])


def near_truth(table: pd.DataFrame, context: Context) -> bool | str:
    """Hold if the share matched is near the planted one (banks without truth: always)."""
    truth = planted_share(context)
    if truth is None:
        return True
    share = (len(hard_links(context)) + len(table)) / len(listed(context))
    word = "多" if share > truth else "少"
    return (
        abs(share - truth) <= 0.03 or f"连同硬钥匙你对上了 {share:.1%}，比埋设的真值{word}得明显。"
    )


def _twice(*columns: str) -> Callable[[Any, Context], bool]:
    """Return whether an answer doubles exactly these of its two ids."""

    def matches(answer: Any, context: Context) -> bool:
        both = ("registry_id", "customer_id")
        if not isinstance(answer, pd.DataFrame) or not set(both) <= set(answer.columns):
            return False
        return {c for c in both if answer[c].duplicated().any()} == set(columns)

    return matches


def _hard_again(answer: Any, context: Context) -> bool:
    """Whether an answer holds the hard links too."""
    if not isinstance(answer, pd.DataFrame) or "registry_id" not in answer.columns:
        return False
    return set(hard_links(context)["registry_id"]) <= set(answer["registry_id"])


# ------------------------------------------------------------------------------------ E4 points

ITEMS = {"经营贷": "has_business_loan", "收单": "has_pos", "代发工资": "has_payroll",
         "手机银行": "has_mobile_bank", "代扣缴费": "has_utilities", "社保卡": "has_social_card",
         "企业微信": "has_wechat_work"}  # fmt: skip
DEPOSIT = "日均存款"


def ledger(context: Context) -> pd.DataFrame:
    """Return every live shop with flags, deposit steps, weight and yearly value."""
    return context.remember("ledger", lambda: _ledger(context))


def _ledger(context: Context) -> pd.DataFrame:
    p = context.parameters
    rows = shops(context)
    rows = rows[rows["status"] == "存续"].reset_index(drop=True)
    flags = context.load("customer_product").set_index("customer_id")
    who = rows["customer_id"]
    for name, column in ITEMS.items():
        held = flags[column] if column in flags else pd.Series(False, flags.index)
        rows[name] = who.map(held).eq(True).astype(float)
    month = context.load("customer_month")
    last = month[month["month"] == month["month"].max()].set_index("customer_id")
    year = month[month["month"] > context.as_of - pd.DateOffset(months=12)]
    money = last["demand_deposit_average"] + last["term_deposit_average"]
    deposit = who.map(money).fillna(0.0)
    rows[DEPOSIT] = np.minimum(deposit // 10_000, p["DEPOSIT_CAP"])
    fees = who.map(year.groupby("customer_id")["fee_income"].sum()).fillna(0.0)
    loan = who.map(last["loan_balance"]).fillna(0.0)
    rows["value"] = p["LOAN_MARGIN"] * loan + p["DEPOSIT_MARGIN"] * deposit + fees
    return rows


def as_points(answer: Any) -> dict[str, float]:
    """Return a scheme as numbers by item."""
    return {str(k): float(v) for k, v in dict(answer).items()}


def cheap_after(answer: Any, context: Context) -> float:
    """Return the share of cheap points after everybody got every cheap item."""
    rows, points = ledger(context), as_points(answer)
    cheap = list(context.parameters["CHEAP"])
    weight = rows["weight"]
    full = sum(points[k] for k in cheap) * weight[rows["customer_id"].notna()].sum()
    solid = sum(points[k] * (rows[k] * weight).sum() for k in points if k not in cheap)
    return float(full / (full + solid))


def worth(answer: Any, context: Context) -> float:
    """Return the weighted correlation of points and yearly value over live shops."""
    rows, points = ledger(context), as_points(answer)
    score = sum(points[k] * rows[k] for k in points)
    return _correlation(score, rows["value"], rows["weight"])


def _correlation(x: pd.Series, y: pd.Series, w: pd.Series) -> float:
    a, b = x - np.average(x, weights=w), y - np.average(y, weights=w)
    size = np.sqrt((w * a**2).sum() * (w * b**2).sum())
    return float((w * a * b).sum() / size) if size else 0.0


def all_items(answer: Any, context: Context) -> bool | str:
    """Hold if the scheme names all items and nothing else."""
    if not isinstance(answer, (dict, pd.Series)):
        return "要一个字典：项目和分值一一对应。"
    wanted, got = {*context.parameters["POINTS"], DEPOSIT}, set(dict(answer))
    lost, new = sorted(wanted - got), sorted(map(str, got - wanted))
    parts = ([f"少了{'、'.join(lost)}"] if lost else []) + (
        [f"多了{'、'.join(new)}"] if new else []
    )
    return not parts or "，".join(parts) + "。"


def _scheme(rule: Callable[[dict[str, float], Context], bool | str]) -> Callable[..., bool | str]:
    def holds(answer: Any, context: Context) -> bool | str:
        if all_items(answer, context) is not True:
            return True
        try:
            points = as_points(answer)
        except (TypeError, ValueError):
            return "分值要是数。"
        return rule(points, context)

    return holds


def whole(points: dict[str, float], context: Context) -> bool | str:
    """Hold if all points are whole numbers from one to ten."""
    odd = [k for k, v in points.items() if not (1 <= v <= 10 and v == int(v))]
    return not odd or f"{'、'.join(odd)} 的分值不是一到十的整数。"


def ladder(points: dict[str, float], context: Context) -> bool | str:
    """Hold if loans count at least as much as codes, and codes as much as cheap items."""
    top = max(points[k] for k in context.parameters["CHEAP"])
    if points["经营贷"] < points["收单"]:
        return "经营贷的分值低于收单。"
    return points["收单"] >= top or "收单的分值低于某个低分项。"


def gaming(points: dict[str, float], context: Context) -> bool | str:
    """Hold if the cheap items cannot take over."""
    share, limit = cheap_after(points, context), context.parameters["CHEAP_SHARE"]
    return share <= limit or f"刷分演习以后低分项占 {share:.0%}，超过 {limit:.0%}。"


def reference_points(context: Context) -> dict[str, int]:
    """Search a small table of schemes for the one that follows value best."""
    base = dict.fromkeys([*context.parameters["POINTS"], DEPOSIT], 1) | {"代发工资": 3}
    best, value = base, -np.inf
    for loan, code, step in itertools.product(range(6, 11), range(3, 11), range(1, 5)):
        trial = base | {"经营贷": loan, "收单": code, DEPOSIT: step}
        fits = code <= loan and gaming(as_points(trial), context) is True
        if fits and (reached := worth(trial, context)) > value:
            best, value = trial, reached
    return best


def value_reached(answer: Any, context: Context) -> float:
    """Return the correlation, or NaN for a scheme that cannot be read."""
    return worth(answer, context)


# ----------------------------------------------------------------------------------- questions

QUESTIONS = [
    Question(
        "E1",
        "same_shop",
        same_shop_function,
        checks=(E1_CHECK,),
        hints=(
            "先写一个只清洗一列的小函数，两边各用一次，再比相等。",
            '`.str.normalize("NFKC")` 把全角变半角，括号也会变成半角；再用 `.str.replace(..., regex=True)`。',
            "县名用 `.str.removeprefix(place)`；去完变空的，用 `.where` 换回原来的。最后把空店名判成假。",
        ),
        misconceptions=(
            Misconception(
                "forms_removed",
                "你把“店、商行”这些字也去掉了：不同的店会变成同一家。",
                lambda c: same_shop_function(c, forms=True),
            ),
            Misconception(
                "brackets_kept",
                "括号去掉了，括号里的字还在：“个体工商户”会留在店名里。",
                lambda c: same_shop_function(c, brackets=False),
            ),
            Misconception(
                "place_anywhere",
                "县名在店名中间也被去掉了：只去开头的。",
                lambda c: same_shop_function(c, anywhere=True),
            ),
        ),
    ),
    Question(
        "E2",
        "loan_reach",
        reach,
        frame(["trade"], ["rate", "low", "high"]),
        checks=(
            invariants(
                within("rate", 0, 1),
                Invariant(
                    "区间包住比例",
                    lambda t, c: bool(((t["low"] <= t["rate"]) & (t["rate"] <= t["high"])).all()),
                    "有业态的比例不在自己的区间里。",
                ),
                columns=("trade", "rate", "low", "high"),
            ),
        ),
        hints=(
            "分母是 `alive`（存续的店，没对上的也在里面），不是 `mine`。",
            "演示五用 `weighted.rates(标志, 权数)` 算一种产品；第三个参数写分组。",
            '`weighted.rates(alive["经营贷"], alive["weight"], alive["trade"])`，再取三列。',
        ),
        misconceptions=(
            Misconception(
                "customers_only",
                "分母只有对上的客户：那是持有率。渗透率的分母是街上存续的店。",
                lambda c: reach(c, only_customers=True),
            ),
            Misconception(
                "unweighted",
                "没有用权数：课堂样本对借款人多抽了，直接数会偏高。",
                lambda c: reach(c, equal=True),
            ),
            Misconception(
                "cancelled_included",
                "注销和吊销的店也算进了分母：已经不在街上了。",
                lambda c: reach(c, gone=True),
            ),
        ),
        parameters=("BRANCH", "PRECISION_GOAL", "REVIEW_FLOOR", "EVIDENCE", "PLACE"),
    ),
    Question(
        "E3",
        "my_links",
        chosen,
        checks=(
            plan(
                unique("registry_id", name="一家店一个客户"),
                unique("customer_id", name="一个客户一家店"),
                Invariant("编号", known_pairs, "有编号不对。"),
                Invariant("查准率", precise, "标注样本里的查准率不够。"),
                Invariant("离真值不远", near_truth, "对上的比例离真值太远。"),
                objective=right_pairs,
                baseline=lambda c: right_pairs(chosen(c, review=False), c),
                columns=("registry_id", "customer_id"),
                goal="标注样本里认出的真对",
            ),
        ),
        hints=(
            "两种对可以认：店名够像的；店名不够像、旁证够多的。",
            "旁证很有力：姓、行业、成立日三项都相同，几乎不会是两家店。",
            "先用两个条件的“或”筛出 `pairs`，再用 `matching.one_to_one(...)` 保证一对一。",
        ),
        misconceptions=(
            Misconception(
                "hard_keys_again",
                "硬钥匙已经对上的也交上来了：这里只要店名和旁证认出来的。",
                matches=_hard_again,
            ),
            Misconception(
                "best_for_each_shop",
                "每家店都挑了最像的客户，可是同一个客户被好几家店挑走了。",
                matches=_twice("customer_id"),
            ),
            Misconception(
                "not_one_to_one",
                "有的店对了几个客户：够像的不止一个时，只留最像的那个。",
                matches=_twice("registry_id", "customer_id"),
            ),
        ),
        parameters=("PRECISION_GOAL", "REVIEW_FLOOR", "EVIDENCE", "PLACE"),
    ),
    Question(
        "E4",
        "my_points",
        reference_points,
        checks=(
            plan(
                Invariant("项目齐全", all_items, "项目不齐。"),
                Invariant("一到十的整数", _scheme(whole), "分值要是一到十的整数。"),
                Invariant("高低次序", _scheme(ladder), "分值的高低次序不对。"),
                Invariant("刷分演习", _scheme(gaming), "低分项占得太多。"),
                objective=value_reached,
                share=0.95,
                goal="积分与价值的相关",
            ),
        ),
        hints=(
            "低分项已经是一分，再低就没有了；要压它的占比，只能抬别的。",
            "照演示八的刷分演习写一遍：低分项全部补齐以后，占总积分多少。",
            "经营贷和收单抬到九分、十分，日均存款二分左右试试；存款分太高，相关反而会掉。",
        ),
        misconceptions=(
            Misconception(
                "as_it_is",
                "这就是现行的分值：刷分演习已经说明它防不住。",
                matches=lambda a, c: (
                    isinstance(a, dict) and a == {**c.parameters["POINTS"], DEPOSIT: 1}
                ),
            ),
            Misconception(
                "zero_for_cheap",
                "低分项给了零分：一线就没有人办手机银行了，要在一到十之间。",
                matches=lambda a, c: (
                    isinstance(a, dict) and any(a.get(k) == 0 for k in c.parameters["CHEAP"])
                ),
            ),
        ),
        parameters=(
            "POINTS",
            "CHEAP",
            "CHEAP_SHARE",
            "DEPOSIT_CAP",
            "LOAN_MARGIN",
            "DEPOSIT_MARGIN",
            "PLACE",
        ),
    ),
]

VARIATIONS = [{"BRANCH": "B03"}, {"CHEAP_SHARE": 0.42, "EVIDENCE": 3}]
