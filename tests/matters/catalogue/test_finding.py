"""Finding: by what people say, spell and mistype; the best answer first, page by page."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matters.catalogue.catalogue import Catalogue, Place, Wanted
from matters.catalogue.finding.pinyin import load_pinyin
from matters.catalogue.finding.rules import folded, slips, slips_allowed
from matters.catalogue.terms.types import Offer
from tests.fakes.shipped import shipped_matters

PUBLISHED = shipped_matters()
CATALOGUE = Catalogue(PUBLISHED)


def found(query: str, **wanted: object) -> list[str]:
    page, _ = CATALOGUE.list_matters(Wanted(query=query, **wanted), after=None, limit=100)  # type: ignore[arg-type]
    return [each.matter.slug for each in page]


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("居住证签注", "residence-permit-endorsement"),
        ("违章处理", "camera-fine"),
        ("迁户口", "household-move"),
        ("房产证", "real-estate-pre-acceptance"),
        ("社保卡丢了", "social-security-card-reissue"),
        ("上学 外地", "migrant-children-school"),
        # Spelled, whole and by first letters.
        ("juzhuzhengqianzhu", "residence-permit-endorsement"),
        ("jzzqz", "residence-permit-endorsement"),
        ("Gao Ling", "elder-allowance"),
        ("gljt", "elder-allowance"),
        ("xuewei", "school-place"),
        # Mistyped: wrong characters of the right sound, slips of the finger, neighbours swapped.
        ("居主证签注", "residence-permit-endorsement"),
        ("公积今提取", "rent-withdrawal"),
        ("高令津贴", "elder-allowance"),
        ("高领津帖申领", "elder-allowance"),
        ("juzhuzhnegqianzhu", "residence-permit-endorsement"),
        ("passprt aplication", "passport-application"),
        ("ＰＡＳＳＰＯＲＴ", "passport-application"),
        # Several words written as one, as Chinese is.
        ("租房提公积金", "rent-withdrawal"),
        ("我想补办社保卡", "social-security-card-reissue"),
        ("驾驶证到期换证", "driving-licence-renewal"),
    ],
)
def test_what_people_type_leads_to_what_they_mean(query: str, slug: str) -> None:
    assert slug in found(query)[:6]


def test_a_title_comes_before_another_name_and_that_before_the_summary() -> None:
    assert found("高龄津贴申领")[0] == "elder-allowance"
    by_name = found("迁户口")
    assert by_name == ["household-move"]
    assert found("刷脸")[0] == "pension-eligibility"


def test_every_word_has_to_be_answered() -> None:
    assert "passport-renewal" in found("护照 换发")
    assert found("护照 养老金") == []
    assert found("??") == []
    assert found("   ") == [each.matter.slug for each in CATALOGUE.all][:100]


@pytest.mark.parametrize("each", PUBLISHED, ids=lambda each: each.matter.slug)
def test_every_matter_is_found_first_by_its_title_and_by_its_name_for_machines(each: object) -> None:
    matter = each.matter  # type: ignore[attr-defined]
    assert found(matter.title.zh)[0] == matter.slug
    assert matter.slug in found(matter.title.en)
    assert matter.slug in found(matter.slug)
    spelled = "".join(load_pinyin().spellings(matter.title.zh)[0])
    assert matter.slug in found(spelled)


def test_lists_by_theme_group_event_kind_and_offer() -> None:
    elderly = found("", group="elderly")
    assert "elder-allowance" in elderly
    assert set(found("", group="elderly", offer=Offer.HANDLING)) < set(elderly)
    assert set(found("", life_event="birth")) >= {"newborn-registration", "birth-certificate-replacement"}
    assert "hk-macau-endorsement" in found("", certificate="hk-macau-permit")
    assert found("养老", theme="公证") == []


@pytest.mark.parametrize("query", ["", "证", "公证", "juzhuzheng", "居主证"])
def test_pages_follow_each_other_without_gaps_or_doubles(query: str) -> None:
    whole = found(query)
    slugs: list[str] = []
    after: Place | None = None
    while len(slugs) < len(whole):
        page, after = CATALOGUE.list_matters(Wanted(query=query), after=after, limit=3)
        slugs += [each.matter.slug for each in page]
        if after is None:
            break
    assert slugs[:100] == whole


@given(st.text(max_size=64))
@settings(max_examples=200, deadline=None)
def test_whatever_is_typed_is_answered(query: str) -> None:
    page, _ = CATALOGUE.list_matters(Wanted(query=query), after=None, limit=5)
    assert len(page) <= 5


def test_characters_are_spelled_and_those_with_two_readings_both_ways() -> None:
    pinyin = load_pinyin()
    assert pinyin.readings("证") == ("zheng",)
    assert set(pinyin.readings("行")) == {"xing", "hang"}
    assert pinyin.readings("龘") == pinyin.readings("a") == pinyin.readings("。") == ()
    assert set(pinyin.spellings("长C1")) == {("chang", "c", "1"), ("zhang", "c", "1")}
    assert len(pinyin.spellings("行长" * 10)) <= 8


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("啊", "a"), ("座", "zuo"), ("南", "nan"), ("难", "nan"), ("女", "nv"), ("略", "lve"), ("驶", "shi"),
        ("籍", "ji"), ("缴", "jiao"), ("窗", "chuang"), ("署", "shu"), ("龄", "ling"), ("迁", "qian"), ("额", "e"),
    ],
)  # fmt: skip
def test_common_characters_are_spelled_right(text: str, spelled: str) -> None:
    assert load_pinyin().readings(text) == (spelled,)


def test_every_character_of_the_catalogue_can_be_spelled() -> None:
    pinyin = load_pinyin()
    names = "".join(text for each in PUBLISHED for text in (each.matter.title.zh, *each.matter.aliases))
    assert [char for char in set(names) if not char.isascii() and char.isalnum() and not pinyin.readings(char)] == []


@pytest.mark.parametrize(
    ("word", "text", "count"),
    [
        ("abc", "xxabcxx", 0), ("abd", "xxabcxx", 1), ("acb", "xxabcxx", 1), ("abxc", "abc", 1), ("ac", "abc", 1),
        ("xyz", "abc", None), ("", "abc", 0), ("abcdefgh", "abcdxxgh", 2),
    ],
)  # fmt: skip
def test_slips_are_counted(word: str, text: str, count: int | None) -> None:
    assert slips(word, text, most=2) == count


@given(st.text(alphabet="abcd", min_size=1, max_size=12), st.text(alphabet="abcd", max_size=12))
@settings(max_examples=300, deadline=None)
def test_no_slip_means_that_the_word_stands_there(word: str, text: str) -> None:
    assert (slips(word, text, most=0) == 0) == (word in text)


def test_short_words_are_not_guessed_at() -> None:
    assert slips_allowed("户口") == slips_allowed("abcd") == 0
    assert (slips_allowed("居住证"), slips_allowed("passport")) == (1, 1)
    assert slips_allowed("passports") == 2
    assert folded(" Ｌü-é ") == "lvé"
