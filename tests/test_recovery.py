"""Planted truths are found again from the published tables, and not found where there are none."""

import pandas as pd
import pytest

from course_utils.bank import list_banks, load_profile
from course_utils.synth.effects import load_effects
from course_utils.synth.recovery.base import Recovery
from course_utils.synth.recovery.run import all_recoveries, run, summary


def test_found_means_within_the_tolerance():
    recovery = Recovery("m02_n02", "contact_effect", lambda t, p: 0.0, tolerance=0.03, null=0.0)
    assert recovery.recovered(0.11, 0.09) and not recovery.recovered(0.13, 0.09)
    assert not recovery.recovered(float("nan"), 0.09)
    assert recovery.false_find(0.05, 0.09) and not recovery.false_find(-0.02, 0.09)
    assert recovery.false_find(float("nan"), 0.09)


def test_relative_tolerance_is_a_share_of_the_truth():
    recovery = Recovery("m03_n03", "pd_multi", lambda t, p: 0.0, tolerance=0.2, relative=True)
    assert recovery.recovered(3.5, 3.0) and not recovery.recovered(3.7, 3.0)
    with pytest.raises(TypeError, match="null"):
        recovery.false_find(1.0, 3.0)


def test_text_truth_needs_a_number_to_compare_with():
    bare = Recovery("m00_n02", "c3_column", lambda t, p: 0.0, tolerance=0)
    with pytest.raises(TypeError, match="planted="):
        bare.target("remark2")
    with pytest.raises(TypeError, match="planted="):
        bare.target(True)


def test_every_recovery_names_a_planted_truth():
    effects = load_effects()
    for recovery in all_recoveries():
        entry = effects.entry(recovery.lesson, recovery.key)
        recovery.target(entry.value)
        if entry.null_value is not None:
            assert recovery.null is not None, (recovery.lesson, recovery.key)


def test_missing_truths_are_measured_and_recorded_ones_kept():
    from course_utils.synth.recovery import truth
    from course_utils.synth.state import Simulation

    def broken(tables, profile):
        raise ZeroDivisionError

    profile = load_profile("coastal")
    sim = Simulation(profile, load_effects())
    sim.tables["one"] = pd.DataFrame({"x": [1.0, 2.0]})
    sim.record("m03_n07", "returnee", 3.5, "known")
    sim.record("m03_n06", "a_grade_pd", None, "said")
    asked = [
        Recovery("m03_n07", "returnee", lambda t, p: 99.0, tolerance=1),
        Recovery("m03_n07", "in_school", lambda t, p: t["one"]["x"].mean(), tolerance=1),
        Recovery("m03_n06", "a_grade_pd", lambda t, p: 0.002, tolerance=1),
        Recovery("m03_n07", "dormant_after", broken, tolerance=1),
        Recovery("m03_n07", "payroll_keep", lambda t, p: float("nan"), tolerance=1),
    ]
    assert truth.fill(sim, asked) == ["m03_n07.in_school", "m03_n06.a_grade_pd"]
    entry = sim.truth["m03_n07"]
    assert entry["returnee"]["realised"] == 3.5
    assert entry["in_school"] == {"planted": 0.34, "realised": 1.5, "note": truth.NOTE}
    assert set(entry) == {"returnee", "in_school"}
    assert sim.truth["m03_n06"]["a_grade_pd"]["realised"] == 0.002
    assert sim.truth["m03_n06"]["a_grade_pd"]["note"] == "said"


def test_a_broken_estimator_is_counted_and_named():
    def broken(tables, profile):
        raise KeyError("no_such_table")

    bad = Recovery("m02_n02", "contact_effect", broken, tolerance=0.03, null=0.0)
    frame = run(["coastal"], [0], persons=600, recoveries=[bad])
    assert not frame["good"].any()
    assert frame["error"].str.contains("no_such_table").all()
    table = summary(frame)
    assert table["found"].item() == 0 and table["claimed"].item() == 1


def test_an_estimator_that_reads_the_truth_from_the_profile_is_caught_without_effects():
    constant = Recovery("m02_n02", "contact_effect", lambda t, p: 0.09, tolerance=0.03, null=0.0)
    table = summary(run(["coastal"], [0], persons=600, recoveries=[constant]))
    assert table["found"].item() == 1 and table["claimed"].item() == 1


@pytest.mark.slow
@pytest.mark.parametrize("bank", list_banks())
def test_truths_are_found_at_the_size_of_a_class(bank):
    frame = run([bank], range(3))
    assert load_profile(bank).persons == 20_000
    assert not frame["error"].any(), frame.loc[frame["error"] != "", ["lesson", "key", "error"]]
    table = summary(frame)
    # three seeds cannot prove 95 %, but no truth may be missed twice and few once
    with pd.option_context("display.max_rows", None, "display.width", 180):
        print(table)
    assert (table["found"] >= 0.6).all(), table[table["found"] < 0.6]
    assert (table["claimed"].fillna(0) <= 0.4).all(), table[table["claimed"] > 0.4]
    assert frame["good"].mean() >= 0.95
