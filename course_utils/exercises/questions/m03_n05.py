"""Questions of m03_n05: toll users by age, coverage of trucks, a points table, falling tolls.

The references walk through the bank's own tables with plain arrays and dictionaries; nothing is
taken from the notebook but the parameters.
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
    plan,
    written,
)
from course_utils.exercises.questions._m03_n05_base import (
    _by_town,
    _counted,
    _drops_small,
    _hidden,
    _late_is_no_merit,
    _leans,
    _mixed_in,
    _presses,
    _reached,
    _same_for_all,
    _sells,
    _small_cells,
    _well_formed,
    _whole,
    _without_count,
    _zero_for_empty,
    all_persons,
    dropped_unknown,
    etc_table,
    fallen,
    reference_points,
    reference_text,
    shares_not_households,
    tree_baseline,
    truck_town,
)

E1 = Question(
    "E1",
    "etc_table",
    etc_table,
    frame(["age_band"], ["男", "女"]),
    checks=(
        invariants(
            Invariant("总数对账", _whole, "合计和总户数对不上。"),
            Invariant(
                "没有负数",
                lambda answer, context: bool((answer[["男", "女"]].fillna(-1) >= 0).all(axis=None)),
                "户数不能是负数或空值：没有人的格子写零。",
            ),
            columns=("age_band", "男", "女"),
        ),
    ),
    hints=(
        "先给每一行起一个年龄段的名字，缺出生年的也要有名字；再做透视表。",
        'pd.cut(..., right=False) 表示左边界算在内；.astype("object").fillna("未知") 补上缺的。',
        'band.rename("age_band")，然后 holders.pivot_table(index=band, columns="gender", '
        'values="weight", aggfunc="sum", fill_value=0)。',
    ),
    misconceptions=(
        Misconception(
            "dropped_unknown",
            "缺出生年的人被悄悄丢掉了：合计比车主总户数少。给他们一行“未知”。",
            dropped_unknown,
        ),
        Misconception(
            "counted_rows",
            "你数的是样本行数。一行代表几户到几十户，要把 weight 加起来。",
            lambda context: _counted(context, "rows"),
        ),
        Misconception(
            "right_edges",
            "边界上的人归错了段：31 岁该在“31-40”里。pd.cut 要加 right=False。",
            lambda context: _counted(context, "weight", right=True),
        ),
        Misconception(
            "shares_not_households",
            "表里是占比，加起来是一：题目要的是户数，不用再除。",
            shares_not_households,
        ),
        Misconception(
            "all_persons",
            "这是全部个人客户：题目只数 ETC 车主，要从 holders 出发。",
            all_persons,
        ),
        Misconception(
            "mixed_in",
            "没有“未知”这一行：缺出生年的人丢掉了，或者混进了别的年龄段。让他们单独一行。",
            matches=_mixed_in,
        ),
    ),
    parameters=("BRANCH", "TEN_EDGES", "TEN_LABELS"),
)

E2 = Question(
    "E2",
    "truck_town",
    truck_town,
    frame(["town_id"], ["n", "rate", "low", "high"]),
    checks=(
        invariants(
            Invariant("小格子", _small_cells, "样本太少的乡镇要写空值。"),
            columns=("town_id", "n", "rate", "low", "high"),
        ),
    ),
    hints=(
        "三步：只留货车；按乡镇算覆盖率；把样本太少的乡镇抹掉。",
        'weighted.rates(是不是有贷款, 权数, 乡镇) 三个参数都取自货车那几行，如 lorry["has_loan"]。',
        '抹掉：truck_town.loc[truck_town["n"] < MIN_CELL, ["rate", "low", "high"]] = np.nan。',
    ),
    misconceptions=(
        Misconception(
            "forgot_small_cells",
            "样本不到 MIN_CELL 行的乡镇还写着比例：几个人的比例会被当真。写成空值。",
            lambda context: _by_town(context, hide=False),
        ),
        Misconception(
            "dropped_towns",
            "样本太少的乡镇整行不见了：只把比例和区间写成空值，行数照报，让人知道不是忘了。",
            matches=_drops_small,
        ),
        Misconception(
            "zero_for_empty",
            "零和空值不是一回事：写零等于说“没有一户有贷款”，而我们是不知道。用 np.nan。",
            matches=_zero_for_empty,
        ),
        Misconception(
            "hidden_count",
            "行数也被抹掉了：n 要照报，只抹比例和区间。",
            lambda context: _hidden(context, ["n", "rate", "low", "high"]),
        ),
        Misconception(
            "interval_left",
            "比例抹掉了，区间还写着：看区间照样能猜出比例，三列一起写成空值。",
            lambda context: _hidden(context, ["rate"]),
        ),
        Misconception(
            "other_line",
            "抹掉的线用错了：题目用的是 MIN_CELL，不是 SMALL_SAMPLE。",
            lambda context: _hidden(context, ["rate", "low", "high"], "SMALL_SAMPLE"),
        ),
        Misconception(
            "every_row_alike",
            "你把每一行当成一户，没有乘权数：借款的人抽得密，覆盖率被抬高了。",
            lambda context: _by_town(context, weigh=False),
        ),
        Misconception(
            "all_vehicles",
            "这是全部车主的覆盖率。题目只问货车：先按 vehicle_kind 筛选。",
            lambda context: _by_town(context, trucks_only=False),
        ),
    ),
    parameters=("BRANCH", "MIN_CELL"),
)

E3 = Question(
    "E3",
    "point_table",
    reference_points,
    checks=(
        plan(
            Invariant("写法", _well_formed, "积分表的写法不对。"),
            Invariant("逾期不加分", _late_is_no_merit, "逾期过的人，分数不能比没逾期的高。"),
            objective=_reached,
            baseline=tree_baseline,
            goal="前几成名单的提升",
        ),
    ),
    hints=(
        "看演示四的横条：哪些条件的档和档之间真的拉开了距离？分差大的地方，分数也该差得大。",
        "货车和客车差得最远，给最大的分差；年轻的、流入高的略高一点；资产最高的别加分。",
        '形状是 {"truck": [0, 分], "young": [0, 分, 分], ...}；'
        "改一个数，就用 lift_of(total_points(past, point_table)) 看提升往哪边动。",
    ),
    misconceptions=(
        Misconception(
            "rich_first",
            "你按资产从高到低加分。去年的事实是：资产最高的人最少借第一笔，这样排等于先打给不借钱的人。",
            matches=lambda a, c: _leans(a, "aum_level") > 0 and _leans(a, "truck") == 0,
        ),
        Misconception(
            "toll_first",
            "你按通行费从高到低加分。看演示四的横条：同样的车，跑得多的并不更常借第一笔。",
            matches=lambda a, c: _leans(a, "toll_level") > 0 and _leans(a, "truck") == 0,
        ),
        Misconception(
            "same_for_all",
            "人人得分一样，等于没有排队：提升只会是一倍。至少给一个条件的各档写上不同的分。",
            matches=_same_for_all,
        ),
        Misconception(
            "upside_down",
            "分数给反了：货车比客车更常借，却排在了后面。档从低到高，第一个数是客车。",
            matches=lambda a, c: _leans(a, "truck") < 0,
        ),
        Misconception(
            "rewards_lateness",
            "逾期过的人反而加了分。排序再灵，也不能把风险当优点。",
            matches=lambda a, c: _leans(a, "late") > 0,
        ),
        Misconception(
            "too_weak",
            "写法都对，提升还不够：它要高过抽签，也要跟得上决策树。回演示四看横条，把分差让给拉得开的条件，改一个数就算一次提升。",
            matches=lambda a, c: _well_formed(a, c) is True,
        ),
    ),
    parameters=("AUM_CUTS", "INFLOW_CUTS", "FIRST_SHARE"),
    shape="一个字典，键是条件的列名，值是每一档几分的列表",
)

E4 = Question(
    "E4",
    "instruction",
    reference_text,
    checks=(
        written(
            Part("先核实", ("核实", "核对", "了解", "确认")),
            Part("怎么去", ("上门", "走访", "电话", "联系", "拜访")),
            Part("不能做什么", ("不得", "不能", "不要", "不可", "不推", "禁止")),
            Part("什么时候再谈", ("恢复", "再评估", "重新评估", "再谈")),
            grounded_in=(fallen,),
            quotes=(
                Quote("大降的货车车主一共几位", lambda c: float(fallen(c).loc["合计", "fell"])),
            ),
            least_numbers=2,
            shortest=50,
            longest=200,
        ),
        invariants(
            Invariant(
                "先核实，不压贷",
                lambda answer, context: not _presses(answer, context),
                "通行费大降只是提醒：没有核实就压贷、收贷或拉黑名单，会把缺钱变成违约。",
            ),
            Invariant(
                "先核实，不推销",
                lambda answer, context: not _sells(answer, context),
                "没弄清车是停了、卖了还是换了卡，就当场推贷款：先核实，恢复跑车以后再谈。",
            ),
        ),
    ),
    hints=(
        "想想大降有哪些可能：停运、卖车、换卡。没核实以前，你知道是哪一种吗？",
        "三句话：先核实（谁去、怎么问）；核实前不做什么；满足什么条件再谈贷款。",
        'fallen.loc["合计", "fell"] 是大降的货车车主数，fallen.loc["合计", "trucks"] 是货车车主数，'
        "用 f 字符串写进去。",
    ),
    misconceptions=(
        Misconception(
            "pull_the_loans",
            "你把提醒当成了定案：压贷、收贷或拉黑名单。单看货车样本太小，大降也可能只是换了卡，要先核实。",
            matches=_presses,
        ),
        Misconception(
            "sell_at_once",
            "还没弄清车是停了、卖了还是换了卡，就当场推贷款：先核实，恢复跑车以后再谈。",
            matches=_sells,
        ),
        Misconception(
            "no_count",
            "没有写大降的货车车主一共几位（有贷款、没有贷款的都算）：支行不知道要跑几家。",
            matches=_without_count,
        ),
    ),
    parameters=("BRANCH", "FALL_LINE"),
)

QUESTIONS = [E1, E2, E3, E4]

VARIATIONS = [{"BRANCH": "B03"}, {"MIN_CELL": 20, "AUM_CUTS": [20000, 80000, 300000]}]
