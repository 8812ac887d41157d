"""The kinds of check beyond recomputation: what each lets pass, and what it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fixtures.exercises.memory_bank import MemoryBank
from fixtures.exercises.questions_m99_n02 import QUESTIONS, SHUFFLED, call_list, tier, tier_table

from course_utils.exercises import (
    Case,
    Invariant,
    Misconception,
    Outcome,
    Part,
    Question,
    Quote,
    Relation,
    behaviour,
    covers,
    invariants,
    no_future,
    number,
    plan,
    predictions,
    recall,
    same,
    scaled,
    sums_to,
    unique,
    within,
    written,
)
from course_utils.exercises.context import Context
from course_utils.exercises.grading import grade, reference
from course_utils.exercises.predictions import METRICS, auc, calibration_slope, f1, ks
from course_utils.exercises.written import quoted_numbers

BY_ID = {question.id: question for question in QUESTIONS}


@pytest.fixture
def context() -> Context:
    return Context(
        MemoryBank("alpha"), {"DAYS": 90, "CAPACITY": 20, "feature_columns": ["login_days"]}
    )


def judged(question, answer, context, **variables):
    space = {**context.variables, **variables, question.variable: answer}
    return grade(question, context.on(space), space)


def asks(*checks, expected=lambda c: None, **options):
    return Question("E1", "x", expected, checks=checks, hints=("想",), **options)


# --- CK2 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.iloc[1:], "1 个"),
        (lambda t: pd.concat([t, t.iloc[:2]]), "重复"),
        (lambda t: t.assign(balance=t["balance"] * 2), "合计对账：各户余额"),
        (lambda t: t.drop(columns="balance"), "缺少列：“balance”"),
    ],
)
def test_invariants_say_what_is_violated(context, change, said):
    result = judged(BY_ID["E2"], change(tier_table(context)), context)
    assert result.outcome is Outcome.WRONG
    assert said in result.message


def test_ready_made_invariants(context):
    frame = pd.DataFrame({"k": [1, 1], "share": [0.5, 1.2], "day": ["2025-12-31", "2026-01-01"]})
    for rule, said in (
        (unique("k"), "1 行的 k 重复"),
        (within("share", 0, 1), "1 个值"),
        (no_future("day"), "1 行的日期晚于"),
        (sums_to("share", lambda c: 1.0, "加起来不是一"), "加起来不是一"),
        (Invariant("自己的话", lambda a, c: "差了一行", "不用"), "自己的话：差了一行"),
    ):
        assert said in judged(asks(invariants(rule)), frame, context).message
    good = pd.DataFrame({"k": [1, 2], "share": [0.5, 0.5], "day": ["2025-12-31", "2025-01-01"]})
    rules = (unique("k"), within("share", 0, 1), no_future("day"))
    assert judged(asks(invariants(*rules)), good, context).outcome is Outcome.RIGHT


# --- CK3 ---------------------------------------------------------------------------------------


def test_plan_lists_every_violated_constraint(context):
    everyone = context.load("customer")[["customer_id", "manager_id"]]
    twice = pd.concat([everyone, everyone])
    question = Question("E4", "calls", call_list, checks=BY_ID["E4"].checks, hints=("想",))
    message = judged(question, twice, context).message
    for name in ("一户一次", "勿扰名单", "每人容量"):
        assert name in message


def test_plan_is_held_against_a_baseline_recomputed_now(context):
    best = call_list(context)
    assert judged(BY_ID["E4"], best, context).outcome is Outcome.RIGHT
    assert (
        judged(BY_ID["E4"], best.sample(frac=1, random_state=1), context).outcome is Outcome.RIGHT
    )
    few = best.groupby("manager_id").head(5)
    assert "联系到的余额还不够高" in judged(BY_ID["E4"], few, context).message
    more = context.on({**context.variables, "CAPACITY": 40})
    assert "还不够高" in judged(BY_ID["E4"], best, more).message


def test_plan_minimises_costs(context):
    check = plan(
        objective=lambda a, c: float(a), baseline=lambda c: 100.0, share=0.9, maximise=False
    )
    assert judged(asks(check), 109.0, context).outcome is Outcome.RIGHT
    assert "还不够低" in judged(asks(check), 112.0, context).message


# --- CK4 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p.iloc[:-1], "少了 1 个"),
        (lambda p: p.where(p > p.min()), "空值"),
        (lambda p: p * 100, "0 到 1 之间"),
        (lambda p: (p > 0.3).astype(float), "predict_proba"),
        (lambda p: p * 0 + 0.3, "一样"),
        (lambda p: p.sample(frac=1, random_state=3).set_axis(p.index), "还不到基准"),
        (lambda p: p.tolist(), "列表"),
        (lambda p: p.astype(str), "应该是数"),
        (lambda p: p**4 / (p**4 + (1 - p) ** 4), "太极端"),
        (lambda p: 0.45 + p / 10, "太保守"),
    ],
)
def test_predictions_say_what_is_wrong(context, change, said):
    question = BY_ID["E5"]
    result = judged(question, change(reference(question, context)), context)
    assert result.outcome is Outcome.WRONG
    assert said in result.message


def test_predictions_in_any_row_order_pass(context):
    shuffled = reference(BY_ID["E5"], context).sample(frac=1, random_state=1)
    assert judged(BY_ID["E5"], shuffled, context).outcome is Outcome.RIGHT


def test_forbidden_columns_are_named_and_the_list_is_needed(context):
    value = reference(BY_ID["E5"], context)
    leaking = judged(BY_ID["E5"], value, context, feature_columns=["login_days", "churned"])
    assert "churned" in leaking.message and "泄漏" in leaking.message
    assert "feature_columns" in judged(BY_ID["E5"], value, context, feature_columns=...).message
    with pytest.raises(ValueError, match="features"):
        predictions(lambda c: value, lambda c: 0.5, forbidden=("a",))


def test_metrics_against_scikit_learn():
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score, roc_auc_score, roc_curve

    rng = np.random.default_rng(5)
    score = rng.normal(size=500).round(1)
    actual = (rng.random(500) < 1 / (1 + np.exp(-score))).astype(int)
    assert auc(actual, score) == pytest.approx(roc_auc_score(actual, score))
    false, true, _ = roc_curve(actual, score)
    assert ks(actual, score) == pytest.approx((true - false).max())
    assert f1(actual, (score > 0).astype(float)) == pytest.approx(f1_score(actual, score > 0))
    fitted = LogisticRegression(C=1e9, tol=1e-10).fit(score[:, None], actual)
    chance = 1 / (1 + np.exp(-score))
    assert calibration_slope(actual, chance) == pytest.approx(fitted.coef_[0, 0], rel=1e-4)
    assert METRICS["mae"][0](np.array([1.0]), np.array([3.0])) == -2


# --- CK5 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("高", "需要一个函数"),
        (lambda: "高", "参数个数"),
        (lambda amount: print(amount), "没有返回值"),
        (lambda amount: "高" if amount > 200_000 else 1 / 0, "除数是 0"),
        (lambda amount: tier(amount) if amount != 0 else "无", "“零”"),
        (lambda amount: tier(amount * 1.001), "“差一分钱”"),
    ],
)
def test_behaviour_says_which_case_fails(context, function, said):
    assert said in judged(BY_ID["E3"], function, context).message


def test_behaviour_recognises_a_wrong_function(context):
    def strictly(amount):
        return "高" if amount > 200_000 else "中" if amount > 50_000 else tier(min(amount, 1))

    assert judged(BY_ID["E3"], strictly, context).misconception == "strict"


def total(deposits):
    return deposits["amount"].sum()


RELATIONS = behaviour(
    SHUFFLED,
    Relation(
        "金额翻倍",
        lambda c: (c.load("deposit"),),
        lambda c: (c.load("deposit").assign(amount=lambda t: t["amount"] * 2),),
        scaled(2),
        "金额翻倍，结果也应翻倍。",
    ),
    Case("空表", lambda c: (c.load("deposit").head(0),), expect=lambda c: 0.0),
    compare=number(),
    signature=("deposits",),
)


def test_relations_and_copies(context):
    question = asks(RELATIONS, expected=lambda c: total)
    assert judged(question, total, context).outcome is Outcome.RIGHT

    def first(deposits):
        return deposits["amount"].iloc[0]

    def capped(deposits):
        return deposits["amount"].clip(upper=1000).sum()

    def spoiling(deposits):
        deposits["amount"] = deposits["amount"] + 0.0
        return 0.0

    assert "“打乱行序”" in judged(question, first, context).message
    assert "“金额翻倍”" in judged(question, capped, context).message
    pristine = context.load("deposit")
    judged(question, spoiling, context)
    pd.testing.assert_frame_equal(context.load("deposit"), pristine)


def test_same_and_scaled():
    frame = pd.DataFrame({"a": [1, 2], "b": [0.1, 0.2]})
    assert same(frame, frame.iloc[::-1])
    assert not same(frame, frame.assign(b=0.3))
    assert same(pd.Series({"x": 1.0, "y": 2.0}), pd.Series({"y": 2.0, "x": 1.0}))
    assert not same(1.0, 1.1) and same(0.1 + 0.2, 0.3)
    assert scaled(2)(pd.Series({"x": 1.0, "y": 2.0}), pd.Series({"y": 4.0, "x": 2.0}))


# --- CK6 ---------------------------------------------------------------------------------------


def test_recall_counts_against_the_reference(context):
    check = recall(
        lambda a, c: a, lambda c: c.truth["m99_n02"]["gap_branches"], precision=0.6, what="支行"
    )
    question = asks(check, invariants(), expected=lambda c: ["B02", "B04"])
    assert judged(question, ["B04", "B02"], context).outcome is Outcome.RIGHT
    assert "50%" in judged(question, ["B04"], context).message
    crowd = ["B01", "B02", "B03", "B04", "B05"]
    assert "低于要求的 60%" in judged(question, crowd, context).message
    real = Context(MemoryBank("beta"), {})
    skipped = judged(question, ["B04"], real)
    assert skipped.outcome is Outcome.RIGHT
    assert "已跳过" in skipped.notes[0]


def test_covers(context):
    check = covers(lambda c: 0.09)
    question = asks(check, invariants(), expected=lambda c: (0.1, 0.05, 0.15))
    assert judged(question, (0.1, 0.05, 0.15), context).outcome is Outcome.RIGHT
    assert "没有盖住" in judged(question, (0.2, 0.15, 0.25), context).message
    assert "下限比上限大" in judged(question, (0.1, 0.15, 0.05), context).message


def test_planted_truth_alone_is_no_question():
    with pytest.raises(ValueError, match="planted truth"):
        asks(covers(lambda c: 0.09))


# --- CK7 ---------------------------------------------------------------------------------------

RESULTS = pd.DataFrame(
    {"amount": [12_345_678.9, 230_000_000.0], "share": [0.03172, 0.4286], "change": [-0.052, 0.11]}
)


@pytest.mark.parametrize(
    "text",
    [
        "到期 1,234.6 万元",
        "到期 1235 万元",
        "到期１２３４.６万元",
        "约 0.12 亿元",
        "约 2.3 亿元",
        "占 3.2%",
        "占 3.17％，另一项 42.9%",
        "占 0.0317",
        "下降 5.2 个百分点",
        "下降 5.2%",
        "上升 1100bp",
        "2025年12月31日到期 1,235 万元",
        "第 1 步：占 42.9%",
        "B03 支行占 42.9%，T-30 天前联系，E1 已做",
        "1. 占 42.9%\n2. 另占 3.2%",
        "共 2 家支行",
        "占 43%，到期 1235 万元，2026 年 1 月和 3 月 15 日",
        "以 90 天为限，占 42.9%",
        "按第 19、21 条和第 55 条处理，占 42.9%",
        "占 42.9%，请在 7 天内联系，到期前 15-30 天再访，3 个工作日之内回复",
        "（1）占 42.9%；\n（2）另占 3.2%。",
    ],
)
def test_grounded_numbers_pass(context, text):
    check = written(grounded_in=("results",), shortest=1)
    result = judged(asks(check), text, context, results=RESULTS)
    assert result.outcome is Outcome.RIGHT, result


@pytest.mark.parametrize(
    ("text", "loose"),
    [
        ("到期 1,234.7 万元", "1,234.7 万"),
        ("占 3.3%，又占 42.9%", "3.3%"),
        ("到期 12 亿元", "12 亿"),
        ("有 17 家", "17"),
        ("平均 28 天", "28"),
        ("排第 1，300 户", "300"),
        ("到期，300 户；占 42.9%", "300"),
        ("提高 35%", "35%"),
    ],
)
def test_ungrounded_numbers_are_listed(context, text, loose):
    check = written(grounded_in=("results",), shortest=1)
    result = judged(asks(check), text, context, results=RESULTS)
    assert result.outcome is Outcome.WRONG
    assert f"“{loose}”" in result.message
    assert "42.9%" not in result.message


def test_parts_length_and_quotes(context):
    check = written(
        Part("建议", ("建议", "应当")),
        Part("原因", ("因为", "由于")),
        grounded_in=("results",),
        quotes=(Quote("最大的占比", lambda c: 0.4286),),
        shortest=10,
        longest=40,
    )

    def said(text, **variables):
        return judged(asks(check), text, context, **{"results": RESULTS, **variables}).message

    assert "太短" in said("建议联系")
    assert "太长" in said("建议联系客户，" * 10)
    assert "还缺少这些内容：原因" in said("建议先联系占 42.9% 的那一家支行")
    assert "至少写出 1 个" in said("建议先联系占比最大的支行，因为它多")
    assert "最大的占比" in said("建议先联系，因为这一家占了 3.2% 的金额")
    good = judged(asks(check), "建议先联系，因为这一家占了 42.9% 的金额", context, results=RESULTS)
    assert good.outcome is Outcome.RIGHT


def test_a_missing_result_frame_is_named(context):
    check = written(grounded_in=("results",), shortest=1)
    assert "找不到结果表 results" in judged(asks(check), "占 42.9%", context).message


def test_quoted_numbers_reads_units():
    found = {
        item.text: item.scales[0] for item in quoted_numbers("3.5 亿、2,000万、7‰、12个百分点")
    }
    assert found == {"3.5 亿": 1e8, "2,000万": 1e4, "7‰": 0.001, "12个百分点": 0.01}


# --- questions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "1"},
        {"variable": "a b"},
        {"hints": ()},
        {"hints": "一条"},
        {"compare": None},
        {"misconceptions": (Misconception("a", "一"), Misconception("a", "二"))},
    ],
)
def test_a_badly_written_question_is_refused(broken):
    fine = {
        "id": "E1",
        "variable": "x",
        "expected": lambda c: 1,
        "compare": number(),
        "hints": ("想",),
    }
    Question(**fine)
    with pytest.raises(ValueError, match="question"):
        Question(**{**fine, **broken})


def test_a_broken_checker_is_not_the_trainees_fault(context):
    def fails(context):
        raise ValueError("amount=0.123456")

    by_expected = Question("E1", "x", fails, number(), hints=("想",))
    by_rule = asks(
        invariants(Invariant("坏的", lambda a, c: a["nothing"], "坏")), expected=lambda c: {"a": 1}
    )
    for question, answer in ((by_expected, 1.0), (by_rule, {"b": 2})):
        result = judged(question, answer, context)
        assert result.outcome is Outcome.BROKEN
        assert "讲师" in result.message
        assert "0.123456" not in result._repr_html_()
    assert judged(by_rule, {"nothing": True}, context).outcome is Outcome.RIGHT


def test_other_accepted_forms(context):
    question = Question(
        "E1", "x", lambda c: 0.25, number(), hints=("想",), accepts=(lambda a: a / 100,)
    )
    assert judged(question, 25, context).outcome is Outcome.RIGHT
    assert judged(question, 0.25, context).outcome is Outcome.RIGHT
    assert judged(question, 0.3, context).outcome is Outcome.WRONG
