"""Decisions about published matters: codes and vocabularies (GB/T 39046), ways of materials, what is meant by words."""

from collections.abc import Mapping
from typing import Final

from matters.catalogue.types import Limit

# GB 32100: no I, O, S, V, Z.
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_USCC_LENGTH: Final = 18

POWERS: Final[Mapping[str, str]] = {
    "01": "行政许可", "02": "行政处罚", "03": "行政强制", "04": "行政征收", "05": "行政给付", "06": "行政检查",
    "07": "行政确认", "08": "行政奖励", "09": "行政裁决", "10": "其他行政权力", "20": "公共服务",
}  # fmt: skip
LEVELS: Final[Mapping[str, str]] = {
    "1": "国家", "2": "省", "3": "市", "4": "县", "5": "镇(乡、街道)", "6": "村(社区)", "7": "分级管理",
}  # fmt: skip
SUBJECTS: Final[Mapping[str, str]] = {"1": "法定机关", "2": "授权组织", "3": "受委托组织", "9": "其他"}
SERVES: Final[Mapping[str, str]] = {
    "1": "自然人", "2": "企业法人", "3": "事业法人", "4": "社会组织法人", "5": "行政机关", "6": "其他组织",
}  # fmt: skip
CHANNELS: Final[Mapping[str, str]] = {"1": "窗口", "2": "电脑网上", "3": "移动网上", "4": "快递", "9": "其他"}
CASE_KINDS: Final[Mapping[str, str]] = {"1": "即办件", "2": "承诺件", "9": "其他"}
DEPTHS: Final[Mapping[str, str]] = {"I": "信息发布", "II": "网上咨询", "III": "网上申报", "IV": "全程网办"}
RANGES: Final = frozenset({"全国", "跨省", "全省", "全市", "全县"})
NECESSITIES: Final[Mapping[str, str]] = {"1": "必要", "2": "非必要", "3": "容缺后补"}
APPLICANT_LEVELS: Final = frozenset({"linked", "real_name", "present"})
SPECIAL_PROCEDURES: Final[Mapping[str, str]] = {"1": "延长审批", "2": "除延长外的特别程序"}


def uscc_check(first_17: str) -> str:
    """Return the 18th character of a unified social credit code (GB 32100).

    Raises:
        ValueError: a character the alphabet does not have.
    """
    total = sum(_USCC_ALPHABET.index(char) * weight for char, weight in zip(first_17, _USCC_WEIGHTS, strict=True))
    return _USCC_ALPHABET[(31 - total % 31) % 31]


def is_uscc(text: str) -> bool:
    """Tell whether a text is a unified social credit code with the right check character."""
    return (
        len(text) == _USCC_LENGTH and all(char in _USCC_ALPHABET for char in text) and uscc_check(text[:-1]) == text[-1]
    )


def is_longer(limit: Limit, other: Limit) -> bool:
    """Tell whether a limit is longer than another; hours of one day are shorter than any day of work."""
    return (limit.days, limit.hours) > (other.days, other.hours)
