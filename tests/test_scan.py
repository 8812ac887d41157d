"""The scan of everything that is handed out finds what must not be there, and no more."""

import json
import random
import zipfile
import zlib

import pandas as pd
import pytest

from course_utils.build.products import scan_raw
from course_utils.build.products.scan import (
    is_valid_id_number,
    passes_luhn,
    scan_build,
    scan_file,
    scan_folder,
    scan_text,
)
from course_utils.build.products.scan_values import is_valid_uscc
from course_utils.errors import CourseError
from course_utils.intake.privacy.sample import FILE

# Made up for this test, valid by arithmetic only; put together here so that this file passes too.
ID = "11010519491231" + "002X"
PHONE = "139" + "12345678"
CARD = "622202" + "0200112233" + "44"


def luhn_complete(prefix):
    return next(prefix + str(d) for d in range(10) if passes_luhn(prefix + str(d)))


VALID_CARD = luhn_complete(CARD)


def kinds(text):
    return [kind for kind, _ in scan_text(text)]


def test_check_digits():
    assert is_valid_id_number(ID)
    assert not is_valid_id_number(ID[:-1] + "1")
    assert passes_luhn("4111111111111111")
    assert not passes_luhn("4111111111111112")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"证件号：{ID}", ["身份证号"]),
        (f"证件号：{ID.lower()}。", ["身份证号"]),
        (f"证件号：{ID[:-1]}1", []),
        (f"电话{PHONE}，请回电", ["手机号"]),
        ("电话 139-1234-5678", ["手机号"]),
        (f"{PHONE[:3]} 短", []),
        (f"0.{PHONE}", []),
        (f"流水号 9{PHONE}", []),
        ("电话 12012345678（没有这样的号段）", []),
        (f"卡号 {VALID_CARD}", ["银行卡号"]),
        (f"卡号 {VALID_CARD[:-1]}{(int(VALID_CARD[-1]) + 1) % 10}", []),
        (f"哈希 a{VALID_CARD}f", []),
        (f"内部账号 9{luhn_complete('9' + '0' * 14)}", []),
        (f"校验位不对的证件 {luhn_complete('33010619900101' + '123')}", []),
        ("见 https://example.com/a.js", ["外部网址"]),
        ('<script src="//cdn.example.com/x.js">', ["外部网址"]),
        ('xmlns="http://www.w3.org/2000/svg"', []),
        ("除法 a // b 和 C0000001", []),
        ("Glyph 20013 (\\N{CJK}) missing from font(s) DejaVu Sans.", ["缺字"]),
        ("findfont: Font family 'X' not found.", ["缺字"]),
        ("Traceback (most recent call last):", ["报错堆栈"]),
        ("data:image/png;base64,//example.com/AAAA", []),
        ("2025-12-31 余额 12345678901.25 元", []),
    ],
)
def test_what_counts_as_a_leak(text, expected):
    assert kinds(text) == expected


def test_the_value_itself_is_masked():
    (found,) = scan_text(ID)
    assert ID not in found[1]
    assert found[1].startswith("110") and found[1].endswith("2X") and found[1].count("*") == 13


def notebook(*outputs, source="x = 1"):
    cell = {"cell_type": "code", "source": [source], "outputs": list(outputs), "metadata": {}}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def display(**data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def png(text):
    body = b"Comment\0" + text.encode("utf-8")
    chunk = b"tEXt" + body
    crc = zlib.crc32(chunk).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + len(body).to_bytes(4, "big") + chunk + crc


def write(folder, name, content):
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "a.ipynb",
            notebook({"output_type": "stream", "name": "stdout", "text": [PHONE]}),
            "手机号",
        ),
        ("b.ipynb", notebook(display(**{"text/html": [f"<td>{ID}</td>"]})), "身份证号"),
        ("c.ipynb", notebook(source=f'card = "{VALID_CARD}"'), "银行卡号"),
        ("d.ipynb", notebook({"output_type": "error", "ename": "E", "evalue": ""}), "报错堆栈"),
        ("e.csv", f"电话\n{PHONE}\n", "手机号"),
        ("f.html", "<img src='data:image/png;base64,AA'>", "图片没有替代文字"),
        ("g.html", "<link href='//cdn.example.com/a.css'>", "外部网址"),
        ("h.html", "<script>1</script>", "页面里有脚本"),
        ("i.png", png(f"作者 {PHONE}"), "手机号"),
    ],
)
def test_files_of_every_kind_are_read(tmp_path, name, content, expected):
    leaks = scan_file(write(tmp_path, name, content))
    assert expected in {leak.kind for leak in leaks}
    assert all(name in str(leak) for leak in leaks)


def test_a_clean_notebook_with_a_picture_gives_nothing(tmp_path):
    picture = display(**{"image/png": f"{PHONE}", "text/plain": ["<Figure>"]})
    assert scan_file(write(tmp_path, "a.ipynb", notebook(picture))) == []
    page = '<img alt="柱状图" src="data:image/png;base64,AA=="><a href="b.html">下一课</a>'
    assert scan_file(write(tmp_path, "a.html", page)) == []


def test_workbooks_are_read_cell_by_cell(tmp_path):
    path = tmp_path / "名单.xlsx"
    frame = pd.DataFrame({"电话": [int(PHONE)], "证件": [ID], "编号": ["C0000001"]})
    with pd.ExcelWriter(path, engine="xlsxwriter") as writer:
        frame.to_excel(writer, sheet_name="甲", index=False)
    leaks = scan_file(path)
    assert sorted(leak.kind for leak in leaks) == ["手机号", "身份证号"]
    assert all("“甲”第 2 行" in leak.where for leak in leaks)


def test_parquet_text_and_whole_numbers_are_read(tmp_path):
    import duckdb

    path = tmp_path / "t.parquet"
    frame = pd.DataFrame({"note": ["好", f"打 {PHONE}"], "n": [1, int(PHONE)], "x": [1.5, 2.5]})
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        connection.execute(f"COPY frame TO '{path}' (FORMAT parquet)")
    assert {leak.where for leak in scan_file(path)} == {"“n”列", "“note”列"}


def test_a_folder_is_read_to_the_bottom(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    write(tmp_path / "a" / "b", "x.md", PHONE)
    write(tmp_path / ".hidden", "x.md", PHONE)
    (leak,) = scan_folder(tmp_path)
    assert leak.path == tmp_path / "a" / "b" / "x.md" and leak.where == "第 1 行"


# --- every identifier, in every place ---


def id_number(rng):
    """Make an id number that no person need have: its check digit is right by arithmetic."""
    head = f"{rng.choice(['11', '32', '51', '65'])}0101{rng.randint(1930, 2020)}"
    head += f"{rng.randint(1, 12):02}{rng.randint(1, 28):02}{rng.randint(0, 999):03}"
    return next(head + d for d in "0123456789X" if is_valid_id_number(head + d))


def credit_code(rng):
    head = "91" + f"{rng.randint(110000, 659999)}"
    head += "".join(rng.choice("0123456789ABCDEFGHJKLMNPQRTUWXY") for _ in range(9))
    digits = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    return next(head + d for d in digits if is_valid_uscc(head + d))


def card(rng):
    head = rng.choice(["622848", "621700", "4", "35", "52"])
    length = rng.choice([16, 19]) if head.startswith("62") else 16
    return luhn_complete(
        head + "".join(rng.choice("0123456789") for _ in range(length - 1 - len(head)))
    )


def phone(rng):
    return f"1{rng.randint(3, 9)}{rng.randint(0, 10**9 - 1):09}"


MADE = {"身份证号": id_number, "统一社会信用代码": credit_code, "银行卡号": card, "手机号": phone}


def planted(count):
    """Return identifiers of every kind, the same in every run."""
    rng = random.Random(6)
    return [(kind, make(rng)) for kind, make in MADE.items() for _ in range(count)]


SURROUNDINGS = (
    "{}", "号码{}的客户", "'{}", '{{"v":"{}"}}', "<td>{}</td>", "a,{},b", "\t{}\n", "（{}）",
    "{}。", "\\u53f7{}", "\\n{}\\n", "&#21495;{}", "|{}|", "={}", "No.:{}", "{}/", "{} ", "号{}元",
)  # fmt: skip


@pytest.mark.parametrize("around", SURROUNDINGS)
def test_every_identifier_is_found_whatever_stands_around_it(around):
    for kind, value in planted(200):
        found = kinds(around.format(value))
        assert kind in found, (around, kind)


def test_other_spellings_are_found():
    for kind, value in planted(100):
        if kind == "银行卡号":
            spaced = " ".join(value[at : at + 4] for at in range(0, len(value), 4))
            assert kind in kinds(f"卡号 {spaced}，"), spaced
            assert kind in kinds(spaced.replace(" ", "-"))
        if kind == "手机号":
            assert kind in kinds(f"电话：{value[:3]} {value[3:7]} {value[7:]}")
            assert kind in kinds(f"+86 {value}") and kind in kinds(f"86-{value}")
        if kind != "统一社会信用代码":
            wide = "".join(chr(0xFF10 + int(c)) if c.isdigit() else c for c in value)
            assert kind in kinds(wide)
        if kind == "身份证号":
            assert kind in kinds(f"{value[:6]} {value[6:14]} {value[14:]}")


def write_workbook(path, values):
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as book:
        shown, hidden = book.add_worksheet("甲"), book.add_worksheet("藏")
        hidden.hide()
        shown.set_column(1, 1, None, None, {"hidden": True})
        shown.write_string(0, 0, values[0])
        shown.write_string(5, 1, values[1])
        hidden.write_string(0, 0, values[2])
        shown.write_comment(2, 2, values[3])
        book.set_properties({"title": values[4], "comments": values[5]})
        shown.write_rich_string(7, 0, "号", book.add_format({"bold": True}), values[6])


def write_parquet(path, values):
    import polars as pl

    pl.DataFrame(
        {"备注": [f"打 {values[0]}", "好"], "n": ["x", values[1]], "list": [[values[2]], ["a"]]}
    ).write_parquet(path)


def write_notebook(path, values):
    import nbformat

    book = nbformat.v4.new_notebook(metadata={"papermill": {"parameters": {"x": values[0]}}})
    cell = nbformat.v4.new_code_cell(f"x = '{values[1]}'", metadata={"tags": [values[2]]})
    cell.outputs = [
        nbformat.v4.new_output("stream", text=f"行\n{values[3]}"),
        nbformat.v4.new_output("display_data", {"text/html": f"<b>{values[4]}</b>"}),
        nbformat.v4.new_output("display_data", {"application/json": {"a": [values[5]]}}),
        nbformat.v4.new_output("error", ename="E", evalue=values[6], traceback=[]),
    ]
    book.cells = [cell, nbformat.v4.new_markdown_cell(f"见 {values[0]}")]
    path.write_text(nbformat.writes(book), encoding="utf-8")


def write_picture(path, values):
    import zlib as z

    parts = [
        (b"tEXt", b"Comment\0" + values[0].encode()),
        (b"zTXt", b"Comment\0\0" + z.compress(values[1].encode())),
        (b"iTXt", b"Comment\0\0\0\0\0" + values[2].encode()),
        (b"iTXt", b"Comment\0\1\0\0\0" + z.compress(values[3].encode())),
        (b"eXIf", b"II*\0" + values[4].encode()),
    ]
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in parts:
        data += len(body).to_bytes(4, "big") + kind + body + b"\0\0\0\0"
    path.write_bytes(data + b"\0\0\0\0IEND\0\0\0\0\n" + values[5].encode())


def write_archive(path, values):
    inner = path.with_name("inner.csv")
    inner.write_text(f"a\n{values[0]}\n", encoding="utf-8")
    book = path.with_name("inner.xlsx")
    write_workbook(book, [values[1]] * 7)
    nested = path.with_name("nested.zip")
    with zipfile.ZipFile(nested, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b/c.txt", values[2])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside in (inner, book, nested):
            archive.write(inside, inside.name)
            inside.unlink()


def write_page(path, values):
    picture = "data:image/png;base64," + "iVBORw0KGgo" * 500
    path.write_text(
        f"<html><body>\n<!-- {values[0]} -->\n<img alt='{values[1]}' src='{picture}'>"
        f'<td>{values[2]}</td>\n<script type=\'application/json\'>{{"x":"\\u53f7{values[3]}"}}'
        f"</script>\n<img alt='x' src=\"{picture}\">{values[4]}\n",
        encoding="utf-8",
    )


WRITERS = {
    "a.xlsx": (write_workbook, 7),
    "b.parquet": (write_parquet, 3),
    "c.ipynb": (write_notebook, 7),
    "d.png": (write_picture, 6),
    "e.zip": (write_archive, 3),
    "f.html": (write_page, 5),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("kind", MADE)
def test_every_place_of_a_file_is_read(tmp_path, name, kind):
    writer, places = WRITERS[name]
    values = [value for one, value in planted(places) if one == kind]
    writer(tmp_path / name, values)
    found = [leak for leak in scan_file(tmp_path / name) if leak.kind == kind]
    missing = [value for value in values if not any(same(value, leak.shown) for leak in found)]
    assert not missing
    assert not any(value in str(leak) for value in values for leak in found)


def same(value, shown):
    return value[:3] == shown[:3] and value[-2:] == shown[-2:]


def test_a_long_text_is_read_in_blocks(tmp_path, monkeypatch):
    from course_utils.build.products import scan_readers

    monkeypatch.setattr(scan_readers, "BLOCK", 500)
    rng = random.Random(3)
    lines = [phone(rng) if n % 50 == 7 else "甲" * rng.randint(0, 60) for n in range(1000)]
    path = write(tmp_path, "a.txt", "\n".join(lines))
    places = {leak.where for leak in scan_file(path)}
    assert places == {f"第 {n + 1} 行" for n in range(1000) if n % 50 == 7}


def test_false_alarms_are_rare():
    """Rates that the documentation states, in 100,000 values each."""
    rng = random.Random(9)
    count = 20_000

    def rate(make):
        return sum(bool(kinds(f"值 {make()} ")) for _ in range(count)) / count

    assert rate(lambda: f"{rng.lognormvariate(10, 3):,.2f}") == 0
    assert rate(lambda: repr(rng.random() * 10 ** rng.randrange(12))) == 0
    assert rate(lambda: f"C{rng.getrandbits(80):016x}") == 0
    assert rate(lambda: f"{rng.getrandbits(128):032x}") < 0.001
    assert rate(lambda: f"{rng.randrange(10**17, 10**18)}") < 0.06
    assert (
        rate(lambda: f"2025-0{rng.randint(1, 9)}-{rng.randint(10, 28)} 0{rng.randint(1, 9)}:30")
        == 0
    )


@pytest.mark.parametrize("text", ["3000 4000 5000 6000", "150 2000 3000", "2021 2022 2023 2024"])
def test_numbers_side_by_side_are_no_identifiers(text):
    assert kinds(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("姓名：王小明", ["姓名"]),
        ("户名:李大山，", ["姓名"]),
        ("姓名：王**", []),
        ("姓名一列已删去", []),
        ("客户：张先生", []),
    ],
)
def test_names_after_a_label(text, found):
    assert kinds(text) == found


# --- a bank's own values ---


@pytest.fixture
def real_bank(tmp_path, monkeypatch):
    from course_utils.intake.privacy import RawValueSample, ensure_key
    from course_utils.paths import data_dir

    root = tmp_path / "home"
    for code in ("town", "town_class"):
        (root / "data" / "banks" / code).mkdir(parents=True)
    profile = "name: 镇行\nkind: 试验\nas_of: 2025-12-31\n"
    (root / "data/banks/town/bank.yml").write_text(profile, "utf-8")
    release = profile + "origin: town\nrelease: class\n"
    (root / "data/banks/town_class/bank.yml").write_text(release, "utf-8")
    (root / "data/reference").mkdir()
    (root / "lessons").mkdir()
    (root / "lessons/a.py").write_text("# 普惠金融\n", "utf-8")
    scan_raw._course_texts.cache_clear()
    (root / "data/contract").symlink_to(data_dir("contract"))
    monkeypatch.setenv("COURSE_HOME", str(root))
    monkeypatch.setenv("COURSE_KEY_FILE", str(tmp_path / "keys" / "town.key"))
    key, _ = ensure_key("town", used_before=False)
    sample = RawValueSample(key)
    sample.note("customer.masked_name", ["欧阳青山", "普惠金融"])
    sample.note("deposit_account.account_id", ["80100200300400"])
    sample.note("merchant.merchant_id", ["M000001"])  # the contract's own example
    return root, sample


def test_a_real_banks_values_are_found_in_its_build(real_bank):
    root, sample = real_bank
    build = root / "build" / "town_class"
    (build / "trainee").mkdir(parents=True)
    write(build / "trainee", "a.md", "客户欧阳青山的账号 8010 0200 300400，普惠金融 M000001\n")
    assert scan_build(build) == []  # without a mapping it is a synthetic bank's
    (root / "data/banks/town/mapping.yml").write_text('contract: "2.0"\n', "utf-8")
    with pytest.raises(CourseError, match="原始值样本"):
        scan_build(build)
    sample.save(root / "data" / "intake" / "town" / FILE)
    leaks = scan_build(build)
    assert {leak.kind for leak in leaks} == {"本行原始数据"}
    # what the course says itself is no leak: 普惠金融 stands in its lessons
    assert sorted(leak.shown for leak in leaks) == ["801*********00", "欧***"]
    assert scan_build(build) == leaks  # a file that is not clean is never remembered as clean
