"""Small trees: a split one can see, sampling weights, scores out of fold."""

import numpy as np
import pandas as pd
import pytest

from course_utils.analysis import trees
from course_utils.errors import CourseError


def planted(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    truck = rng.integers(0, 2, n)
    noise = rng.integers(0, 4, n)
    drew = (rng.random(n) < np.where(truck == 1, 0.6, 0.1)).astype(int)
    return pd.DataFrame({"truck": truck, "noise": noise, "drew": drew, "w": 2.0})


def test_the_first_question_is_the_planted_one_and_leaves_add_up():
    rows = planted()
    tree = trees.fit(rows, ["noise", "truck"], "drew", leaves=2)
    table = trees.leaves_table(tree, ["noise", "truck"], {"truck": "货车"})
    assert table["condition"].tolist() == ["货车>0.5", "货车≤0.5"]
    assert table["n"].sum() == len(rows)
    by_hand = rows.groupby("truck")["drew"].mean()
    assert table["rate"].tolist() == pytest.approx([by_hand[1], by_hand[0]])
    assert trees.score(tree, rows, ["noise", "truck"]).tolist() == pytest.approx(
        rows["truck"].map(by_hand).tolist()
    )


def test_weights_change_the_rate_of_a_leaf():
    rows = planted()
    rows.loc[rows["drew"] == 1, "w"] = 6.0
    tree = trees.fit(rows, ["truck"], "drew", "w", leaves=2)
    hand = [np.average(g["drew"], weights=g["w"]) for _, g in rows.groupby("truck")]
    assert trees.leaves_table(tree, ["truck"])["rate"].tolist() == pytest.approx(hand[::-1])


def test_out_of_fold_scores_do_not_know_pure_noise():
    rng = np.random.default_rng(5)
    rows = pd.DataFrame(rng.normal(size=(600, 6)), columns=list("abcdef"))
    rows["y"] = rng.integers(0, 2, 600)
    own = trees.score(trees.fit(rows, list("abcdef"), "y", leaves=8), rows, list("abcdef"))
    out = trees.cross_fitted(rows, list("abcdef"), "y", leaves=8)
    assert out.notna().all()
    hit = lambda s: np.corrcoef(s, rows["y"])[0, 1]  # noqa: E731
    assert hit(own) > 0.2
    assert abs(hit(out)) < 0.12
    again = trees.cross_fitted(rows, list("abcdef"), "y", leaves=8)
    assert (again == out).all()


def test_refusals():
    rows = planted(40)
    with pytest.raises(CourseError):
        trees.fit(rows.assign(drew=0), ["truck"], "drew")
    with pytest.raises(CourseError):
        trees.cross_fitted(rows.head(6), ["truck"], "drew")
