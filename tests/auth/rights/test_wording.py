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
