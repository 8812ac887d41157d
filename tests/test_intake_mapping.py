"""The mapping of a real bank: what it may say, and the sentence for everything else."""

from __future__ import annotations

import duckdb
import pytest

from course_utils.bank.profile import load_profile
from course_utils.contract import load_contract
from course_utils.errors import CourseError
from course_utils.intake.mapping import (
    ColumnMapping,
    factor,
    has_mapping,
    load_mapping,
    source_files,
    units_of,
)

GOOD = """\
contract: "{version}"
tables:
  loan:
    files: ["EAST5_503_*.txt", "支行/*.xlsx"]
    delimiter: "|@|"
    encoding: GBK
    header: [3, 4]
    drop: ["^小计"]
    unit: 万元
    columns:
      loan_id: 信贷借据号
      amount: {{from: 贷款金额, unit: 元}}
      five_class: {{from: 贷款五级分类, codes: {{"01": 正常, "02": 关注}}}}
      rate: {{from: 实际利率, unit: 小数}}
      online: {{value: 否}}
  transaction:
    database: {{url_env: BANK_DB_URL, query: "select * from t"}}
    columns:
      transaction_id: {{generate: row}}
      memo: {{from: 附言, codes: {{"无": }}}}
"""


@pytest.fixture
def bank(tmp_path, monkeypatch):
    """A home with one bank; returns a function that writes its mapping."""
    from course_utils import paths

    contract = paths.data_dir("contract").resolve()
    folder = tmp_path / "data" / "banks" / "demo"
    folder.mkdir(parents=True)
    (tmp_path / "data" / "contract").symlink_to(contract)
    reference = paths.data_dir("reference").resolve()
    (tmp_path / "data" / "reference").symlink_to(reference)
    (folder / "bank.yml").write_text(
        "name: 甲银行\nkind: 测试\nas_of: 2025-12-31\n", encoding="utf-8"
    )
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))

    def write(text):
        data = text if isinstance(text, bytes) else text.encode("utf-8")
        (folder / "mapping.yml").write_bytes(data)

    return write


def good():
    return GOOD.format(version=load_contract().version)


def test_everything_a_mapping_may_say(bank):
    bank(good())
    mapping = load_mapping("demo")
    loan, flow = mapping.tables["loan"], mapping.tables["transaction"]
    assert loan.files == ("EAST5_503_*.txt", "支行/*.xlsx")
    assert (loan.delimiter, loan.encoding, loan.header) == ("|@|", "gbk", (3, 4))
    assert (loan.drop, loan.unit) == (("^小计",), "万元")
    assert loan.columns["loan_id"] == ColumnMapping("loan_id", source="信贷借据号")
    assert loan.columns["amount"].unit == "元"
    assert loan.columns["five_class"].codes == {"01": "正常", "02": "关注"}
    assert loan.columns["online"].value == "否"
    assert loan.sources == ("信贷借据号", "贷款金额", "贷款五级分类", "实际利率")
    assert flow.database.query == "select * from t"
    assert flow.columns["transaction_id"].generate == "row"
    assert flow.columns["memo"].codes == {"无": ""}
    assert [table.table for table in mapping] == ["loan", "transaction"]


SEVERAL = """\
tables:
  consent:
    - files: ["个人*.csv"]
      columns:
        customer_id: 客户号
        scope: {from: 用途, codes: {"1": 营销}}
        granted: 同意
        date: 授权日
        expire_date: 到期
    - files: ["对公*.csv"]
      encoding: gb18030
      columns: {customer_id: 编号, scope: {value: 营销}, granted: 是否, date: 签署日}
"""


def test_a_table_may_come_from_exports_of_several_shapes(bank):
    bank(SEVERAL)
    mapping = load_mapping("demo")
    consent = mapping.tables["consent"]
    assert list(consent.columns) == ["customer_id", "scope", "granted", "date", "expire_date"]
    assert consent.files == ("个人*.csv", "对公*.csv")
    assert [part.files for part in mapping] == [("个人*.csv",), ("对公*.csv",)]
    assert [part.encoding for part in consent.parts] == [None, "gb18030"]
    assert consent.parts[1].columns["scope"].value == "营销"
    bank(SEVERAL.replace("编号", "20240101"))
    with pytest.raises(CourseError, match="第 12 行"):
        load_mapping("demo")
    bank("tables:\n  consent:\n    - files: [a.csv]\n    - columns: {customer_id: a}\n")
    with pytest.raises(CourseError, match="第 3 行：“consent”还没有写任何一列"):
        load_mapping("demo")
    bank("tables:\n  consent: []\n")
    with pytest.raises(CourseError, match="还没有内容"):
        load_mapping("demo")


def test_exports_of_several_shapes_become_one_table(bank, tmp_path, tmp_path_factory, monkeypatch):
    from course_utils.intake.run import Request, run_intake

    monkeypatch.setenv("COURSE_KEY_FILE", str(tmp_path_factory.mktemp("keys") / "k"))
    bank(SEVERAL)
    folder = tmp_path / "data" / "incoming" / "demo"
    folder.mkdir(parents=True)
    files = {
        "个人_1.csv": "客户号,用途,同意,授权日,到期\r\nc1,1,是,20240101,20260101\r\n",
        "个人_2.csv": "客户号,用途,同意,授权日,到期\r\nc2,1,否,20240102,20260101\r\n",
        "对公.csv": "编号,是否,签署日\r\nc3,Y,2024-03-01\r\n",
    }
    for name, text in files.items():
        (folder / name).write_bytes(text.encode("gb18030"))
    run_intake(Request("demo"))
    stored = tmp_path / "data" / "warehouse" / "demo" / "consent.parquet"
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT scope, granted, date::VARCHAR, expire_date::VARCHAR FROM '{stored}' ORDER BY 3"
        ).fetchall()
    assert rows == [
        ("营销", True, "2024-01-01", "2026-01-01"),
        ("营销", False, "2024-01-02", "2026-01-01"),
        ("营销", True, "2024-03-01", None),
    ]


def test_an_empty_mapping_reads(bank):
    bank("# 还没有填\ntables:\n")
    assert load_mapping("demo").tables == {}
    bank("")
    assert load_mapping("demo").tables == {}


def test_byte_order_mark_and_windows_lines(bank):
    bank(b"\xef\xbb\xbf" + good().replace("\n", "\r\n").encode("utf-8"))
    assert set(load_mapping("demo").tables) == {"loan", "transaction"}


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("  loan:", "  lone:", 3, "最接近的是“loan”"),
        ("  loan:", "  next_90d_outcome:", 3, "虚构数据"),
        ("  loan:", "  raw_export:", 3, "虚构数据"),
        ("      loan_id: 信贷", "      loanid: 信贷", 11, "最接近的是“loan_id”"),
        ("    unit: 万元", "    units: 万元", 9, "是不是想写“unit”"),
        ("    unit: 万元", "    unit: 美元", 9, "单位不能是“美元”"),
        ("unit: 小数", "unit: 万元", 14, "“年利率”的单位不能是“万元”"),
        ("{from: 贷款五级分类,", "{from: 贷款五级分类, unit: 元,", 13, "不换算单位"),
        ('codes: {"01": 正常', "codes: {01: 正常", 13, "加引号"),
        ('"02": 关注', '"02": 良好', 13, "可以写 正常、关注"),
        ('"02": 关注', '"02": ', 13, "不能为空"),
        ("loan_id: 信贷借据号", "loan_id: 20240131", 11, "加引号"),
        ("loan_id: 信贷借据号", "loan_id: 2024-01-31", 11, "加引号"),
        ("loan_id: 信贷借据号", "loan_id: [a, b]", 11, "一个值"),
        ("loan_id: 信贷借据号", "loan_id: ", 11, "一个值"),
        ("loan_id: 信贷借据号", 'loan_id: {value: "1"}', 11, "主键"),
        ("loan_id: 信贷借据号", "loan_id: {value: a, from: b}", 11, "只写一个"),
        ("loan_id: 信贷借据号", "loan_id: {unit: 元}", 11, "只写一个"),
        ("loan_id: 信贷借据号", "loan_id: {form: b}", 11, "是不是想写“from”"),
        ("loan_id: 信贷借据号", "loan_id: !!python/name:os.system a", 11, "标签"),
        ("loan_id: 信贷借据号", "loan_id: &x a", 11, "锚点"),
        ("loan_id: 信贷借据号", "loan_id: *x", 11, "引用"),
        ("loan_id: 信贷借据号", "loan_id: a\n      loan_id: b", 12, "第 11 行已经写过"),
        ("{value: 否}", "{value: 也许}", 15, "只能是 是 或 否"),
        ("{value: 否}", "{value: 否, unit: 元}", 15, "只能与 from"),
        ("{value: 否}", "{generate: row}", 15, "不能用行号代替"),
        ("{generate: row}", "{generate: uuid}", 19, "只能写 row"),
        ('"EAST5_503_*.txt"', '"../别处/*.txt"', 4, "走出导出文件夹"),
        ('"EAST5_503_*.txt"', '"a/../../b.txt"', 4, "走出导出文件夹"),
        ('"EAST5_503_*.txt"', '"/etc/passwd"', 4, "绝对路径"),
        ('"EAST5_503_*.txt"', '"~/a.txt"', 4, "绝对路径"),
        ('"EAST5_503_*.txt"', '"C:/a.txt"', 4, "盘符"),
        ('"EAST5_503_*.txt"', "'\\\\server\\a.txt'", 4, "请用 / 分隔"),
        ('"EAST5_503_*.txt"', '"//server/a.txt"', 4, "绝对路径"),
        ('"EAST5_503_*.txt"', '"**a/b.txt"', 4, "**"),
        ('"EAST5_503_*.txt"', '"a\\0b.txt"', 4, "控制字符"),
        ("header: [3, 4]", "header: [4, 3]", 7, "表头的行号"),
        ("header: [3, 4]", "header: 0", 7, "表头的行号"),
        ("header: [3, 4]", "header: 第三行", 7, "表头的行号"),
        ('drop: ["^小计"]', 'drop: ["("]', 8, "正则"),
        ("encoding: GBK", "encoding: rot13", 6, "不认识编码"),
        ("encoding: GBK", "encoding: 中文", 6, "不认识编码"),
        ('delimiter: "|@|"', 'delimiter: ""', 5, "delimiter"),
        ('delimiter: "|@|"', 'delimiter: "\\""', 5, "delimiter"),
        ("url_env: BANK_DB_URL", 'url_env: "mysql://u:p@h/d"', 17, "环境变量名"),
        ('query: "select * from t"', 'query: "drop table t"', 17, "select"),
        ('query: "select * from t"', 'query: "select 1; drop table t"', 17, "一条"),
        ('query: "select * from t"', "table: a.b.c.d", 17, "库.表"),
        ('query: "select * from t"', "", 17, "二者取一"),
        ('codes: {"无": }', "codes: 无", 20, "键: 值"),
        ("    columns:\n      transaction_id", "    columnz:\n      transaction_id", 18, "columns"),
    ],
)
def test_each_slip_is_one_sentence_with_its_line(bank, old, new, line, words):
    text = good()
    assert old in text
    bank(text.replace(old, new, 1))
    with pytest.raises(CourseError) as caught:
        load_mapping("demo")
    sentence = str(caught.value)
    assert words in sentence
    assert f"demo/mapping.yml 第 {line} 行" in sentence
    assert sentence.endswith("。")
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tables: [", "写法不对"),
        ("a: b: c", "写法不对"),
        ("tables: \x00", "写法不对"),
        ("- a\n- b\n", "键: 值"),
        ("a\n", "键: 值"),
        ("tables:\n--- \ntables:\n", "写法不对"),
        ("%YAML 1.1\n---\ntables:\n", "指令"),
        ("tables: " + "[" * 3000, "太深"),
        ("tables: " + "{a: " * 3000, "太深"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", "锚点"),
        ("# " + "长" * 700_000, "MB"),
        (b"tables: \xc4\xe3\xba\xc3", "UTF-8"),
        ('contract: "0.1"\n', "0.1 版"),
        ("folder: ../别处\n", "--from"),
        ("folder: /data\n", "--from"),
    ],
)
def test_hostile_and_broken_files_are_refused(bank, text, words):
    bank(text)
    with pytest.raises(CourseError, match=words) as caught:
        load_mapping("demo")
    assert len(str(caught.value)) < 300


def test_a_bank_without_mapping_and_a_code_that_is_a_path(bank):
    assert not has_mapping("demo")
    with pytest.raises(CourseError, match="course bank new demo"):
        load_mapping("demo")
    for code in ("../demo", "con", "DEMO", "a/b", "C:", ""):
        with pytest.raises(CourseError, match="不合规"):
            load_mapping(code)


def test_files_of_a_table(bank, tmp_path):
    bank(good())
    loan = load_mapping("demo").tables["loan"]
    folder = tmp_path / "导出"
    with pytest.raises(CourseError, match=r"没有“.*导出”这个文件夹"):
        source_files(loan, folder)
    (folder / "支行").mkdir(parents=True)
    for name in ("EAST5_503_b.txt", "EAST5_503_a.txt", "支行/一.xlsx", "支行/~$一.xlsx"):
        (folder / name).write_bytes(b"x")
    names = [path.relative_to(folder).as_posix() for path in source_files(loan, folder)]
    assert names == ["EAST5_503_a.txt", "EAST5_503_b.txt", "支行/一.xlsx"]
    (folder / "支行" / "一.xlsx").unlink()
    with pytest.raises(CourseError, match=r"“支行/\*.xlsx”.*一个文件也没有"):
        source_files(loan, folder)


def test_a_link_out_of_the_folder_is_not_followed(bank, tmp_path):
    bank(good())
    folder = tmp_path / "导出"
    (folder / "支行").mkdir(parents=True)
    (folder / "EAST5_503_a.txt").write_bytes(b"x")
    (tmp_path / "别处.xlsx").write_bytes(b"x")
    (folder / "支行" / "一.xlsx").symlink_to(tmp_path / "别处.xlsx")
    with pytest.raises(CourseError, match="以外的链接"):
        source_files(load_mapping("demo").tables["loan"], folder)


def test_factors_are_to_the_unit_of_the_contract():
    loan = load_contract().table("loan")
    assert factor(loan.column("amount"), "万元") == "10000"
    assert factor(loan.column("amount"), None) == "1"
    assert factor(loan.column("rate"), "小数") == "100"
    assert factor(loan.column("rate"), "BP") == "0.01"
    assert units_of(loan.column("loan_id")) == {}
    share = load_contract().table("village").column("migrant_rate")
    assert factor(share, "百分数") == "0.01"


def _profile(tmp_path, extra):
    path = tmp_path / "data" / "banks" / "demo" / "bank.yml"
    path.write_text(f"name: 甲银行\nkind: 测试\nas_of: 2025-12-31\n{extra}", encoding="utf-8")
    return load_profile("demo")


def test_profile_of_a_real_bank(bank, tmp_path):
    assert not _profile(tmp_path, "seed: 3\n").is_real
    bank("")
    real = _profile(
        tmp_path, "purge_on: 2026-03-31\nrules: {max_rejected_share: 0.1}\ncontact: 分机1234\n"
    )
    assert real.is_real
    assert str(real.purge_on) == "2026-03-31"
    assert real.rules == {"max_rejected_share": 0.1}
    with pytest.raises(CourseError, match="“seed”只用于合成银行"):
        _profile(tmp_path, "seed: 3\n")
    with pytest.raises(CourseError, match="purge_on"):
        _profile(tmp_path, "purge_on: 明年\n")
    with pytest.raises(CourseError, match="文字"):
        _profile(tmp_path, "contact: 1234\n")


def test_profile_of_a_class_release(bank, tmp_path):
    assert _profile(tmp_path, "release: class\norigin: demo\n").is_real
    for extra, words in [
        ("release: out\norigin: demo\n", "class"),
        ("release: class\n", "一起写"),
        ("release: class\norigin: ../x\n", "不合规"),
        ("rules: {a: 1}\n", "只用于真实银行"),
    ]:
        with pytest.raises(CourseError, match=words):
            _profile(tmp_path, extra)
