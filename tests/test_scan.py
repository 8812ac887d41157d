"""The scan of everything that is handed out finds what must not be there, and no more."""

import json
import zlib

import pandas as pd
import pytest

from course_utils.build.products.scan import (
    is_valid_id_number,
    passes_luhn,
    scan_file,
    scan_folder,
    scan_text,
)

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
