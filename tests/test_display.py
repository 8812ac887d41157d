"""Tables on screen: Chinese headers, units, no scripts, the same output every time."""

import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from course_utils import columns, display
from course_utils.errors import CourseError


@pytest.fixture
def deposits():
    return pd.DataFrame(
        {
            "customer_id": ["C0000001", "C0000002"],
            "amount": [1234567.89, np.nan],
            "rate": [2.6, 1.1],
            "maturity_date": pd.to_datetime(["2026-01-05", None]),
            "auto_renew": pd.array([True, None], dtype="boolean"),
        }
    )


def test_headers_units_and_missing_values(deposits):
    shown = display.table(deposits, tables="deposit_account").text
    assert "客户号" in shown and "本金（元）" in shown and "到期日" in shown
    assert "1,234,567.89" in shown and "2.60%" in shown and "2026-01-05" in shown
    assert shown.count("—") == 3 and "是" in shown and "nan" not in shown.lower()
    wan = display.table(deposits, tables="deposit_account", money="万元").text
    assert "本金（万元）" in wan and "123.5" in wan


def test_rate_is_a_percent_in_a_price_list_and_a_ratio_in_an_interval():
    interval = pd.DataFrame({"rate": [0.625], "low": [0.5], "high": [0.75]})
    assert "62.5%" in display.table(interval).text
    assert "2.60%" in display.table(pd.DataFrame({"rate": [2.6]})).text


def test_names_and_units_of_the_caller_win():
    frame = pd.DataFrame({"gain": [0.0123], "money_left": [5e8]})
    text = display.table(
        frame, names={"gain": "提升"}, units={"gain": "基点", "money_left": "亿元"}
    ).text
    assert "提升（基点）" in text and "123.0" in text and "5.0" in text


def test_index_and_multi_columns_become_columns():
    table = pd.DataFrame(
        [[1, 2]], index=pd.Index(["T1"], name="tier"),
        columns=pd.MultiIndex.from_tuples([("一季度", "户"), ("一季度", "元")]),
    )  # fmt: skip
    text = display.table(table).text
    assert "层级" in text and "一季度 / 户" in text
    assert "项目" in display.table(pd.Series({"甲": 1.0}, name="值")).text
    assert "项目" not in display.table(deposit_rows(3)).text


def deposit_rows(n):
    return pd.DataFrame({"amount": np.arange(n, dtype=float)}, index=np.arange(n) + 7)


def test_row_limit_is_said():
    text = display.table(deposit_rows(30), rows=10).text
    assert "共 30 行，显示前 10 行" in text and "10.0" not in text
    assert "显示前" not in display.table(deposit_rows(30), rows=None).text


def test_html_is_stable_script_free_and_escaped():
    frame = pd.DataFrame({"备注": ["<script>alert(1)</script>", "a&b"], "n": [1, 2]})
    first, second = display.table(frame).html, display.table(frame.copy()).html
    assert first == second
    assert "<script" not in first and "&lt;script&gt;" in first and "http" not in first
    assert re.search(r'<table id="T_[0-9a-f]{8}"', first)


def test_html_is_what_a_styler_would_write():
    frame = pd.DataFrame({"备注": ["x&\"'<", None], "n": [1.5, 1000]})
    style = re.compile(r'<style type="text/css">.*</style>\n', re.DOTALL)
    html = display.table(frame, title='标"题').html
    key = re.search(r"T_[0-9a-f]{8}", html).group()
    assert (
        style.sub("", html)
        == f"""<table id="{key}">
  <caption>标&quot;题</caption>
  <thead>
    <tr>
      <th class="col_heading level0 col0" >备注</th>
      <th class="col_heading level0 col1" >n</th>
    </tr>
  </thead>
  <tbody>
    <tr>
      <td class="data row0 col0" >x&amp;&#34;&#39;&lt;</td>
      <td class="data row0 col1" >1.5</td>
    </tr>
    <tr>
      <td class="data row1 col0" >—</td>
      <td class="data row1 col1" >1,000.0</td>
    </tr>
  </tbody>
</table>
<p style="color: #5F6670; margin: 0.2em 0;">共 2 行。</p>"""
    )
    rules = style.search(html).group()
    assert set(re.findall(r"#\w+", rules)) == {f"#{key}"}
    assert rules.count("text-align: right;") == 2
    assert f"#{key} th.col1 {{\n  text-align: right;\n}}" in rules


def test_a_table_that_would_stop_the_browser_is_cut(monkeypatch):
    monkeypatch.setattr(display, "MOST_CELLS", 6)
    frame = pd.DataFrame({"a": range(9), "b": range(9)})
    assert "共 9 行，显示前 3 行。" in display.table(frame, rows=None).text
    assert "共 9 行，显示前 2 行。" in display.table(frame, rows=2).text
    assert "共 2 行。" in display.table(frame[[]].head(2), rows=None).text


def test_showing_a_table_needs_no_templates():
    code = (
        "import sys, pandas as pd; from course_utils import display;"
        "display.table(pd.DataFrame({'a': [1]})); print('jinja2' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_show_displays_both_forms(monkeypatch, deposits):
    caught = []
    monkeypatch.setattr(display, "_display", caught.append)
    assert display.show(deposits) is None
    bundle = caught[0]._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    with pytest.raises(CourseError, match="只能显示表"):
        display.show([1, 2])


def test_names_that_tables_use_differently_get_the_general_word_without_a_table():
    ambiguous = {
        name
        for name, homes in columns._index().items()
        if len({c.zh for _, c in homes}) > 1 and name not in columns.DERIVED
    }
    assert {"amount", "balance", "rate"} <= ambiguous
    assert not ambiguous - set(columns.GENERAL), "give these a general Chinese word"
    frame = pd.DataFrame({"amount": [1.0]})
    assert columns.look(frame)[0].zh == "金额"
    assert columns.look(frame, ["deposit_account"])[0].zh == "本金"
    assert columns.look(frame)[0].kind == "money"


def test_dictionary_names_what_a_bank_lacks():
    bank = SimpleNamespace(has=lambda n: n not in ("loan", "deposit_account.auto_renew"))
    frame, missing = display.dictionary_frame(
        bank, {"deposit_account": ["amount", "auto_renew"], "loan": ["amount"]}
    )
    assert frame["字段"].tolist() == ["amount"] and frame["类型"].tolist() == ["金额（元）"]
    assert missing == ["存款账户表的自动转存", "贷款表"] or len(missing) == 2
    keys, _ = display.dictionary_frame(None, ["deposit_account"], columns=["rate"])
    assert keys["字段"].tolist() == ["account_id", "rate"]


def test_reveal_puts_found_beside_planted():
    truth = {"m02_n02": {"contact_effect": {"planted": 0.09, "realised": 0.0934, "note": "留出组"}}}
    bank = SimpleNamespace(truth=truth)
    frame = display.reveal_frame(bank, "m02_n02", {"contact_effect": 0.0879, "extra": True})
    assert frame.loc[0].tolist() == ["contact_effect", "0.09", "0.0934", "0.0879", "留出组"]
    assert frame.loc[1, "课堂发现"] == "是" and frame.loc[1, "埋设"] == "—"
    assert display.reveal_frame(SimpleNamespace(truth=None), "m02_n02") is None


def test_reveal_on_a_real_bank_says_so(capsys):
    display.reveal(SimpleNamespace(truth=None), "m02_n02", {})
    assert "没有埋设的真值" in capsys.readouterr().out
