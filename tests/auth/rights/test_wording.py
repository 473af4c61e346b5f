"""How rows of an export read on paper."""

from auth.rights.wording import lines_of, moment


def test_names_codes_and_moments_are_read_as_words() -> None:
    row = {
        "state": "active", "elder": False, "created_at": "2026-03-10T02:00:00+00:00", "until": None, "empty": [],
        "valid_until": "2026-03-20",
    }  # fmt: skip
    assert list(lines_of(row)) == [
        (0, "状态：有效"), (0, "长辈模式：否"), (0, "建立时间：2026-03-10 10:00:00"), (0, "有效期至：2026-03-20"),
    ]  # fmt: skip


def test_what_is_inside_is_indented() -> None:
    row = {"form": {"事由": "签注"}, "history": [{"step": "created"}], "reasons": ["慢", "远"]}
    assert list(lines_of(row)) == [
        (0, "表单："), (1, "事由：签注"), (0, "办理过程 1："), (1, "环节：已建立"), (0, "理由：慢、远"),
    ]  # fmt: skip


def test_free_words_and_unknown_codes_stay_as_they_are() -> None:
    assert list(lines_of({"text": "open", "state": "strange", "other": "x" * 3000})) == [
        (0, "内容：open"), (0, "状态：strange"), (0, "other：" + "x" * 2000 + "…"),
    ]  # fmt: skip
    assert moment("no moment") == "no moment"


def test_a_sections_own_words_come_first_and_a_code_brings_those_of_what_is_inside() -> None:
    licence = {
        "zh": "驾驶证", "en": "Driving licence",
        "inside": {
            "sex": {"zh": "性别", "en": "Sex", "inside": {"M": {"zh": "男", "en": "Male"}}},
            "model": {"zh": "品牌型号", "en": "Model"},
            "stays": {"zh": "签注", "en": "Stays", "inside": {
                "kind": {"zh": "签注种类", "en": "Kind", "inside": {"G": {"zh": "个人旅游", "en": "Travel"}}},
            }},
            "age>=18": {"zh": "年满18周岁", "en": "Aged 18 or over"},
        },
    }  # fmt: skip
    terms = {
        "kind": {"zh": "种类", "en": "Kind", "inside": {"licence": licence}},
        "state": {"zh": "状态", "en": "State", "inside": {"revoked": {"zh": "已撤销", "en": "Revoked"}}},
    }
    row = {
        "kind": "licence", "state": "revoked", "model": "dlib", "claims": ["age>=18", "other"], "field": "sex",
        "action": "a.b", "action_title": "查验",
        "fields": {"sex": "M", "model": "SL7150", "stays": [{"kind": "G"}]},
    }  # fmt: skip
    assert list(lines_of(row, terms)) == [
        (0, "种类：驾驶证"), (0, "状态：已撤销"), (0, "核验模型：dlib"), (0, "出示结论：年满18周岁、other"),
        (0, "field：性别"), (0, "操作：查验"), (0, "内容项："), (1, "性别：男"), (1, "品牌型号：SL7150"),
        (1, "签注 1："), (2, "签注种类：个人旅游"),
    ]  # fmt: skip
