"""De-identification: keys, pseudonyms, masks, free text. Every number is invented."""

import copy
import hashlib
import hmac
import os
import pickle
import re
import stat
import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.contract import Column, Table
from course_utils.errors import CourseError
from course_utils.intake.privacy import (
    Protector,
    RawValueSample,
    ensure_key,
    key_path,
    load_key,
    refuse_secrets,
)
from course_utils.intake.privacy.free_text import cover
from course_utils.intake.privacy.key import destroy_key
from course_utils.intake.privacy.masks import (
    counterparty_label,
    is_public,
    mask_address,
    mask_firm,
    mask_name,
    organisation_label,
)
from course_utils.intake.privacy.sample import RawValueFinder
from course_utils.intake.privacy.tokens import Tokens

KEY, OTHER = b"k" * 32, b"o" * 32
PHONE = "139" + "12345678"
ID = "11010519491231" + "002X"
CARD = "62220202001122" + "33445"


def column(name, protect, kind="text", **more):
    return Column(name, name, kind, name, "C2", nullable=True, protect=protect, **more)


def table(*columns, name="t"):
    return Table(name, "表", "一行", ("a",), "部门", "static", {c.name: c for c in columns})


def protect(rule, values, kind="text", key=KEY, **more):
    protector = Protector(key, more.pop("sample", None))
    rows = pl.DataFrame({"a": values}, schema={"a": more.pop("dtype", pl.String)})
    result = protector.protect(table(column("a", rule, kind, **more)), rows)
    return result["a"].to_list(), protector


# --- keys ---


@pytest.fixture
def key_file(tmp_path, monkeypatch):
    path = tmp_path / "keys" / "x.key"
    monkeypatch.setenv("COURSE_KEY_FILE", str(path))
    return path


def test_a_key_is_made_once_for_its_owner_alone(key_file):
    key, sentence = ensure_key("x", used_before=False)
    assert len(key) == 32 and str(key_file) in sentence
    assert key.hex() not in sentence
    assert os.name == "nt" or stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert ensure_key("x", used_before=True) == (key, "")
    assert load_key("x") == key


def test_a_lost_key_is_never_replaced_silently(key_file):
    with pytest.raises(CourseError, match="--new-key"):
        ensure_key("x", used_before=True)
    assert not key_file.exists()
    first, _ = ensure_key("x", used_before=True, new=True)
    second, _ = ensure_key("x", used_before=True, new=True)
    assert first != second


@pytest.mark.skipif(os.name == "nt", reason="模式位只在类 Unix 系统上有意义")
def test_a_key_that_others_can_read_is_refused(key_file):
    ensure_key("x", used_before=False)
    key_file.chmod(0o644)
    with pytest.raises(CourseError, match="chmod 600"):
        load_key("x")


def test_a_broken_key_is_refused(key_file):
    key_file.parent.mkdir()
    key_file.write_bytes(b"short")
    key_file.chmod(0o600)
    with pytest.raises(CourseError, match="不是本课程的密钥"):
        load_key("x")


def test_a_key_lies_outside_the_project_and_not_where_it_is_copied(tmp_path, monkeypatch):
    (tmp_path / "data" / "banks").mkdir(parents=True)
    monkeypatch.setenv("COURSE_HOME", str(tmp_path))
    monkeypatch.setenv("COURSE_KEY_FILE", str(tmp_path / "data" / "x.key"))
    with pytest.raises(CourseError, match="课程文件夹"):
        key_path("x")
    elsewhere = tmp_path.parent / "OneDrive - 行" / "x.key"
    monkeypatch.setenv("COURSE_KEY_FILE", str(elsewhere))
    with pytest.raises(CourseError, match="同步"):
        key_path("x")


def test_a_destroyed_key_is_gone(key_file):
    ensure_key("x", used_before=False)
    assert destroy_key(key_file) and not key_file.exists()
    assert not destroy_key(key_file)


def test_a_key_shows_in_no_representation_and_is_never_pickled():
    for thing in (Tokens(KEY), Protector(KEY), RawValueSample(KEY)):
        assert "kkkk" not in repr(thing) and KEY.hex() not in repr(thing)
        with pytest.raises(TypeError):
            pickle.dumps(thing)
        with pytest.raises(TypeError):
            copy.deepcopy(thing)


# --- pseudonyms ---


def test_a_token_is_hmac_sha256_over_domain_and_value():
    import base64

    digest = hmac.digest(KEY, "customer|甲".encode(), hashlib.sha256)
    expected = "C" + base64.b32encode(digest[:10]).decode().lower()
    assert Tokens(KEY).make("customer", ["甲"]) == [expected]


def test_equal_values_are_equal_within_a_domain_only():
    tokens = Tokens(KEY)
    first, again, other = tokens.make("customer", ["1", "1", "2"])
    assert first == again != other
    assert tokens.make("credit_line", ["1"])[0] != first
    assert Tokens(OTHER).make("customer", ["1"])[0] != first
    assert Tokens(KEY).make("customer", ["1"])[0] == first


@given(st.lists(st.text(min_size=1, max_size=30).filter(lambda t: t.isprintable()), max_size=50))
@settings(max_examples=100, deadline=None)
def test_tokens_look_like_nothing_else(values):
    from course_utils.build.products.scan import scan_text

    for token in Tokens(KEY).make("account", values):
        assert re.fullmatch(r"A[a-z2-7]{16}", token)
        assert not list(scan_text(f"账号 {token}，余额 1"))


def test_the_cache_is_bounded_and_changes_nothing(monkeypatch):
    from course_utils.intake.privacy import tokens as module

    plain = Tokens(KEY).make("customer", [str(n) for n in range(50)])
    monkeypatch.setattr(module, "REMEMBERED", 20)
    small = Tokens(KEY)
    assert [small.make("customer", [str(n)])[0] for n in range(50)] == plain
    assert len(small._known["customer"]) <= 20


def test_spellings_of_the_same_number_have_one_pseudonym():
    spellings = [PHONE, f"'{PHONE}", f"{PHONE[:3]}-{PHONE[3:7]}-{PHONE[7:]}", f"+86 {PHONE}"]
    found, _ = protect("pseudonym:phone", spellings, "id")
    assert len(set(found)) == 1
    found, _ = protect("pseudonym:person", [ID, ID.lower(), None], "id")
    assert found[0] == found[1] and found[2] is None


def test_a_million_values_take_little_time():
    values = pl.DataFrame({"a": [f"6222{n:012d}" for n in range(200_000)]})
    definition = table(column("a", "pseudonym:account", "id"))
    start = time.process_time()
    Protector(KEY).protect(definition, values)
    assert (time.process_time() - start) * 5 < 5  # measured 1.5 s a million, with room for others


# --- masks ---


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("王明", "王*"),
        ("王小明", "王**"),
        ("欧阳小明", "欧阳**"),
        ("王", "*"),
        ("阿依·买买提", "阿*·买*"),
        ("John Smith", "J***"),
        ("王**", "王**"),
        ("青山县小明便利店", "青***店"),
        (" 李四 ", "李*"),
        ("", ""),
    ],
)
def test_names_keep_the_family_name_only(name, expected):
    assert mask_name(name) == expected


def test_firms_and_addresses():
    assert mask_firm("大山农资有限公司") == "大***司"
    assert mask_address("某省某县青山镇东风村3组12号") == "某省某县青山镇"
    assert mask_address("某市某区解放路街道12号") == "某市某区解放路街道"
    assert mask_address("某县东门外12号") == "某县"
    assert mask_address("12号楼3单元") == "（地址已隐去）"


def label(text):
    return Tokens(KEY).make("party", [text])[0]


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("某某银行乙县支行", True),
        ("江苏银行", True),
        ("某某消费金融有限公司", True),
        ("财付通支付科技有限公司", True),
        ("某县供电公司", True),
        ("财付通-微信零钱", True),
        ("财付通-张小三", False),
        ("张小三（支付宝）", False),
        ("小明支付宝代理店", False),
        ("张小三", False),
        ("大山农资经营部", False),
    ],
)
def test_public_institutions_stay_and_others_do_not(name, public):
    assert is_public(name) is public
    shown = counterparty_label(name, label)
    assert (shown == name) is public
    if not public:
        assert re.fullmatch(r"(个人|商户)[a-z2-7]{10}", shown)


def test_an_organisation_keeps_its_kind_and_can_still_be_matched():
    one = organisation_label("小明便利店", label)
    two = organisation_label("小明便利店有限公司", label)
    assert "小明" not in one + two
    assert one.endswith("便利店") and two.endswith("便利店有限公司") and one[:7] == two[:7]
    assert organisation_label("大山便利店", label)[:7] != one[:7]


# --- free text ---


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (f"电话{PHONE}，明天回", ["号码"]),
        (f"电话{PHONE[:3]} {PHONE[3:7]} {PHONE[7:]}", ["号码"]),
        ("电话" + "".join(chr(0xFF10 + int(d)) for d in PHONE), ["号码"]),
        ("手机一三九一二三四五六七八", ["号码"]),
        (f"身份证{ID}", ["证件号"]),
        (f"卡 {CARD[:4]} {CARD[4:8]} {CARD[8:12]} {CARD[12:16]} {CARD[16:]}", ["号码"]),
        ("邮箱 abc.d@example.com", ["邮箱"]),
        ("微信号 abc_def12", ["社交账号"]),
        ("车川A12345 停门口", ["车牌"]),
        ("绿牌川AD12345", ["车牌"]),
        ("密码:abc123", ["鉴别信息"]),
        ("联系人：赵小云，客户张大山", ["姓名", "姓名"]),
        ("转给李小四500元", ["姓名"]),
        ("座机 0571-88886666", ["号码"]),
        ("客户经理走访，客户量大，客户关系好", []),
        ("余额 12345678.90 元，2025-01-31 08:30 到", []),
        ("买饲料 3000 元 20240131", []),
        ("", []),
    ],
)
def test_free_text_is_covered_and_the_rest_stays(text, kinds):
    covered, found = cover(text)
    assert found == kinds
    for secret in (PHONE, ID, CARD, "abc123", "小云", "大山", "李小四", "A12345"):
        assert secret not in covered
    if not kinds:
        assert covered == text


@given(st.text(alphabet="客户张大山电话1390-８ a@，：", max_size=60))
@settings(max_examples=300, deadline=None)
def test_covering_never_fails_and_covers_once(text):
    covered, _ = cover(text)
    assert not re.search(r"(?<!\d)1[3-9]\d{9}(?!\d)", covered)
    assert cover(covered)[0].count("〔〔") == 0


def test_the_quick_look_misses_nothing_that_is_covered():
    texts = [
        f"打{PHONE}",
        "一三九一二三四五六七八",
        "联系人:赵小云",
        "a@b.cn",
        "川A12345",
        "PIN 1234",
    ]
    found, protector = protect("free_text", texts)
    assert found == [cover(text)[0] for text in texts]
    assert sum(f.count for f in protector.findings) == len(texts)


# --- the protector ---


def test_dates_keep_their_year_or_month():
    import datetime

    day = datetime.date(1980, 5, 17)
    assert protect("year", [day], "date", dtype=pl.Date)[0] == [datetime.date(1980, 1, 1)]
    assert protect("month_number", [day], "date", dtype=pl.Date)[0] == [datetime.date(2000, 5, 1)]
    assert protect("year", [1980], "integer", dtype=pl.Int64)[0] == [1980]
    assert protect("round:0.1", [1.234], "number", dtype=pl.Float64)[0] == [pytest.approx(1.2)]


def test_identifiers_in_a_column_that_is_kept_are_noticed():
    found, protector = protect("keep", ["B01", PHONE, CARD, PHONE], "id")
    assert found[0] == "B01" and found[1] == found[3] and PHONE not in found and CARD not in found
    assert [(f.kind, f.count) for f in protector.findings] == [("像证件号、手机号或卡号的编号", 2)]
    found, protector = protect("keep", [f"茶农 {PHONE}", "教师"])
    assert found == ["茶农 〔号码〕", "教师"]
    found, protector = protect("keep", [3, int(PHONE), None], "integer", dtype=pl.Int64)
    assert found == [3, None, None] and protector.findings[0].kind == "像号码的整数"


def test_a_column_of_names_mapped_by_mistake_is_masked():
    names = [a + b for a in "王李张刘陈" for b in ("小明", "大山", "云", "文华", "海")]
    found, protector = protect("keep", names)
    assert all(set(name[1:]) == {"*"} for name in found)
    assert protector.findings[0].kind == "像姓名的列"


def test_columns_the_contract_does_not_know_and_nulls_stay():
    definition = table(column("a", "name"))
    rows = pl.DataFrame({"_row": [7, 8], "a": ["王小明", None]})
    result = Protector(KEY).protect(definition, rows)
    assert result.to_dict(as_series=False) == {"_row": [7, 8], "a": ["王**", None]}
    empty = rows.head(0)
    assert Protector(KEY).protect(definition, empty).schema == empty.schema


def test_secrets_of_authentication_are_refused():
    for name in ("登录密码", "CVV2", "磁道信息", "指纹模板", "pin", "有效期", "Password"):
        with pytest.raises(CourseError, match="C3"):
            refuse_secrets("客户", [name])
    refuse_secrets("客户", ["合同有效期", "客户号", "spinning", "发卡日期"])
    with pytest.raises(CourseError, match="C3"):
        protect("refuse", ["x"])
    assert protect("refuse", [None])[0] == [None]
    with pytest.raises(CourseError, match="C3"):
        protect("free_text", [f"密码:abc{n:03d}" for n in range(10)])


@pytest.mark.parametrize("rule", ["pseudonym:customer", "name", "free_text", "counterparty"])
def test_no_raw_value_is_left(rule):
    raws = [PHONE, ID, CARD, f"联系人：张小三 {PHONE}"]
    if rule != "free_text":  # a name without a label cannot be told from other words
        raws.append("欧阳小明明")
    found, _ = protect(rule, raws)
    text = " ".join(found)
    assert not any(raw in text for raw in raws)


def test_every_rule_of_the_contract_is_known():
    from course_utils.contract import load_contract
    from course_utils.intake.privacy.report import what_was_done

    for one in load_contract().tables.values():
        for col in one.columns.values():
            assert what_was_done(col)
            if col.protect not in ("refuse",) and col.type in ("id", "text", "code"):
                rows = pl.DataFrame({col.name: ["某值甲乙"]})
                Protector(KEY).protect(one, rows)


# --- the sample of raw values ---


def test_the_sample_finds_its_values_and_holds_none(tmp_path):
    sample = RawValueSample(KEY)
    _, _ = protect("pseudonym:phone", [PHONE], "id", sample=sample)
    _, _ = protect("name", ["欧阳小明"], sample=sample)
    _, _ = protect("organisation", ["青山小明农资经营部"], sample=sample)
    _, _ = protect("pseudonym:person", [ID], "id", sample=sample)
    path = tmp_path / "s.json"
    assert sample.save(path) == 4
    text = path.read_text("utf-8")
    assert not any(raw in text for raw in (PHONE, "欧阳", "青山", ID)) and KEY.hex() not in text
    finder = RawValueFinder(KEY, path)
    dashed = f"{PHONE[:3]}-{PHONE[3:7]}-{PHONE[7:]}"
    page = f"<td>欧阳小明</td>去青山小明农资经营部买，电话{dashed}，{ID.lower()}"
    assert set(finder.find(page)) == {"欧阳小明", "青山小明农资经营部", PHONE, ID}
    assert set(finder.find(page)) == set(finder.find(page))  # found again in the next file
    assert not list(finder.find(f"欧阳小、小明农资经营部、{PHONE[:-1]}0、C{ID[1:]}"))
    with pytest.raises(CourseError, match="对不上"):
        RawValueFinder(OTHER, path)
    path.write_text("{", "utf-8")
    with pytest.raises(CourseError, match="读不懂"):
        RawValueFinder(KEY, path)


def test_the_sample_is_bounded_and_does_not_hang_on_the_order(tmp_path, monkeypatch):
    from course_utils.intake.privacy import sample as module

    monkeypatch.setattr(module, "KEPT", 50)
    values = [f"{n:012d}" for n in range(500)]
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path, order in zip(paths, (values, values[::-1]), strict=True):
        sample = RawValueSample(KEY)
        for start in range(0, 500, 100):
            sample.note("t.a", order[start : start + 100])
        assert sample.save(path) == 50
    assert paths[0].read_text() == paths[1].read_text()


def test_values_that_cannot_be_told_are_not_sampled(tmp_path):
    sample = RawValueSample(KEY)
    sample.note("t.a", ["123456", "20240131", "李四", "abc", None, ""])
    assert sample.save(tmp_path / "s.json") == 0


def test_what_stays_of_an_address_is_not_sampled(tmp_path):
    sample = RawValueSample(KEY)
    rows = pl.DataFrame({"a": ["大溪社区12号", "枫桥村9号", "某商业银行", "禾牧丰辉酒店"]})
    Protector(KEY, sample).protect(table(column("a", "address")), rows.head(2))
    Protector(KEY, sample).protect(table(column("a", "counterparty")), rows.tail(2))
    sample.save(tmp_path / "s.json")
    text = "大溪社区、枫桥村、某商业银行、禾牧丰辉酒店"
    found = RawValueFinder(KEY, tmp_path / "s.json").find(text)
    assert list(found) == ["禾牧丰辉酒店"]
