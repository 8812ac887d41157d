"""Questions of m01_n01: coverage of a town, funnel by batch, which step to repair, written advice.

The references rebuild everything from the bank's own tables with plain arrays; nothing is taken
from the notebook but the parameters.
"""

from __future__ import annotations

from course_utils.exercises import (
    Invariant,
    Misconception,
    Part,
    Question,
    Quote,
    frame,
    invariants,
    numbers,
    written,
)
from course_utils.exercises.questions._m01_n01_base import (
    COLUMNS,
    _blames_script,
    _first_cause,
    _first_step_lost,
    _has_total,
    _losses_add_up,
    _names_first,
    _no_consent,
    _outside_cause,
    _steps_fall,
    advice,
    all_batches,
    all_rows_start,
    batch_table,
    best_repair,
    clean_rows_only,
    counted_flags,
    first_batch,
    flags_alone,
    loans_only,
    not_nested,
    one_row_only,
    other_order,
    people_not_rows,
    rate_of_all,
    rates_not_rows,
    rows_for_size,
    rows_not_weights,
    share_for_count,
    told,
    too_narrow,
    town_coverage,
    whole_bank,
)

E2_RULES = invariants(
    Invariant("一步比一步少", _steps_fall, "后一步不能比前一步多。"),
    Invariant("原因分得完", _losses_add_up, "下发减提款要等于六个原因之和。"),
    columns=COLUMNS,
)

E4_RULES = written(
    Part("依据（哪一条原因、占多少）", ("占", "解释")),
    Part("对取数的要求（剔除、卡住或先核）", ("剔除", "卡住", "先核", "去掉", "不再下发")),
    Part("授权或勿扰", ("授权", "勿扰")),
    Part("回收和复盘", ("复盘", "登记", "反馈")),
    grounded_in=("causes", "repair", told),
    quotes=(
        Quote("占比最大的五因的占比", lambda context: _first_cause(context)[1]),
        Quote("号码和拨打两步合计的占比", lambda context: told(context)["two"]),
    ),
    least_numbers=2,
    shortest=80,
    longest=200,
    forbidden=(("保证", "不能写“保证”：修好名单也不等于客户会来借。"),),
)

QUESTIONS = [
    Question(
        "E1",
        "town_coverage",
        town_coverage,
        numbers("覆盖度", "下限", "上限"),
        hints=(
            "先从 eligible 里筛出这个镇，再想清楚分子、分母各是什么。",
            "覆盖度是 covered 按 weight 的加权平均；区间要用有效样本量，不是行数，也不是推算户数。",
            "有效样本量 = weight.sum() ** 2 / (weight ** 2).sum()；再调用 wilson(覆盖度 * 有效样本量, 有效样本量)。",
        ),
        misconceptions=(
            Misconception(
                "rows_not_weights",
                "你数的是样本行。样本里借款人抽得多，必须按 weight 加权。",
                rows_not_weights,
            ),
            Misconception(
                "too_narrow",
                "你把推算户数当成了样本量，区间假装很窄：要用有效样本量。",
                too_narrow,
            ),
            Misconception(
                "loans_only", "只算了有贷款的人，漏了有授信、还没用款的客户。", loans_only
            ),
            Misconception(
                "rows_for_size",
                "覆盖度对了，区间用的却是样本行数：权数有大有小，要先折成有效样本量。",
                rows_for_size,
            ),
            Misconception(
                "share_for_count",
                "wilson 的第一个数要的是“有几户覆盖”，你给的是比例：先乘上有效样本量。",
                share_for_count,
            ),
            Misconception(
                "whole_bank",
                "这是全部合格客户的覆盖度：先用 town_id 筛出题目里的那一个镇。",
                whole_bank,
            ),
            Misconception(
                "other_order", "三个数都有了，顺序不对：先写覆盖度，再写下限、上限。", other_order
            ),
        ),
        parameters=("BRANCH", "TOWN", "AGES"),
    ),
    Question(
        "E2",
        "batch_table",
        batch_table,
        frame(["batch"], list(COLUMNS[1:])),
        checks=(E2_RULES,),
        hints=(
            "三块分开做：下发行数、八步、六个原因，最后按 batch 接起来。",
            "八步用 flags 按批次求和；原因用 pd.crosstab(批次, cause)。",
            "flags.groupby(issued['batch']).sum()，再 insert 下发行数；crosstab 之后用 reindex(columns=[*CAUSES, OTHER], fill_value=0)。",
        ),
        misconceptions=(
            Misconception(
                "not_nested",
                "每一步单独数了：已有贷款的人被打了电话，也算进了“拨打”。要走完前面的步骤才算。",
                not_nested,
            ),
            Misconception(
                "people_not_rows",
                "你数的是客户：同一批里重复下发的行被丢掉了，而它们正是名单的毛病。按名单行来数。",
                people_not_rows,
            ),
            Misconception(
                "clean_rows_only",
                "先把重复和已有贷款的行去掉了：那样下发行数就少了，取数的毛病也看不见。",
                clean_rows_only,
            ),
            Misconception(
                "rates_not_rows",
                "表里写的是比例。这张表要行数：先别除，比例留给 E3 再算。",
                rates_not_rows,
            ),
            Misconception(
                "counted_flags",
                "每一步都和下发一样多：count() 数的是“有几行”，真假表要用 sum() 数“有几个真”。",
                counted_flags,
            ),
            Misconception(
                "total_row", "多了一行合计：题目要一批一行，请去掉它。", matches=_has_total
            ),
        ),
        shape="一张表，一批一行，列名是：issued、usable 到 drawn 八步、CAUSES 里的五个原因、OTHER",
        parameters=("BRANCH", "REPEAT_CALLS"),
    ),
    Question(
        "E3",
        "best_repair",
        best_repair,
        frame(["step"], ["alone", "shapley"], order=True),
        hints=(
            "和演示四一样，只是名单换成最近一批；转化率要重新算。",
            "先做一个 Series：第一项是下发行数，后面八项是各步条数，再交给 step_rates。",
            "cu.analysis.funnel.repair(step_rates(各步条数), pd.Series(REFERENCE), start=下发行数)，取两列再 sort_values。",
        ),
        misconceptions=(
            Misconception("all_batches", "用了全部批次：题目只问最近一批。", all_batches),
            Misconception(
                "rate_of_all",
                "用了“占下发的比例”：每一步的转化率要除以上一步，不是除以下发行数。",
                rate_of_all,
            ),
            Misconception(
                "one_row_only",
                "算出来的是每一行名单的得数：start 要写下发行数，结果才是笔数。",
                one_row_only,
            ),
            Misconception("first_batch", "这是最早的一批：最近一批的批次号最大。", first_batch),
            Misconception(
                "all_rows_start",
                "转化率对了，start 却写了全部批次的行数：要写最近一批的下发行数。",
                all_rows_start,
            ),
            Misconception(
                "flags_alone",
                "每一步单独数了：要用 flags（过了前面的步骤才算），不用名单里原来的列。",
                flags_alone,
            ),
            Misconception(
                "first_step_lost",
                "少了“可用”这一步：各步条数的最前面要先放下发行数，第一步才有得除。",
                matches=_first_step_lost,
            ),
        ),
        parameters=("BRANCH", "REFERENCE"),
    ),
    Question(
        "E4",
        "advice",
        advice,
        checks=(
            E4_RULES,
            invariants(
                Invariant(
                    "点名最大的五因",
                    _names_first,
                    "没有写出占比最大的是五因里的哪一条：看 causes，去掉“五因之外”。",
                )
            ),
        ),
        hints=(
            "先写数，再写要求，最后写怎么收回来看。",
            "依据两个数：causes 里五因最大的占比，repair 里“号码有效”和“拨打”两行的占比（share）之和。",
            "写成“……占 x%；两步合计解释差距的 y%。要求……剔除……没有授权……；……登记……复盘”。",
        ),
        misconceptions=(
            Misconception(
                "blames_script",
                "怪话术没有依据：先看 repair 里接通以后的几步差多少，再看号码和拨打两步。",
                matches=_blames_script,
            ),
            Misconception(
                "outside_the_five",
                "“五因之外”不是一个能修的原因：从五因里找占比最大的那一条，写它的名字和占比。",
                matches=_outside_cause,
            ),
            Misconception(
                "no_consent",
                "没有提授权或勿扰：名单里有不该打的客户，这一条必须写。",
                matches=_no_consent,
            ),
        ),
        parameters=("BRANCH", "REFERENCE"),
    ),
]

VARIATIONS = [{"BRANCH": "B03"}, {"TOWN": "T03", "REPEAT_CALLS": 2}, {"AGES": [25, 55]}]
