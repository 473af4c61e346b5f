"""The published reasons of what staff does to cases: codes with their words. Nobody invents one while typing."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from matters.types import Step, Text

# Nothing was said in time, so the law has it accepted (行政许可法 art. 32).
DEEMED_ACCEPTED: Final = "deemed-accepted"
# It was one of two that ask for the same thing.
MERGED: Final = "merged"

# What an operator chooses from, by the step it explains.
CHOSEN: Final[Mapping[Step, Mapping[str, Text]]] = MappingProxyType(
    {
        # Why materials are asked for a second time: the exceptions from asking once (一次性告知).
        Step.SUPPLEMENT_REQUESTED: {
            "rules-changed": Text("办理依据在此期间发生变化", "The rules have changed meanwhile"),
            "supplement-contradicts": Text(
                "补充的材料与原材料不一致，需要核实", "What was supplied contradicts what was there"
            ),
            "facts-changed": Text("您的情况发生变化，需要新的材料", "Your circumstances have changed"),
            "applicant-asked": Text("应您的要求再次补正", "You have asked for it"),
        },
        Step.NOT_ACCEPTED: {
            "not-in-charge": Text("不属于本部门职权范围", "It is not for this department"),
            "not-required": Text("依法不需要办理", "The law does not require it"),
            "not-eligible": Text("不符合办理条件", "The conditions are not met"),
            "incomplete": Text("材料不齐全", "Something is missing"),
            "false-materials": Text("提供的材料不真实", "What was given is not true"),
        },
        # What does not count as time of the department (art. 45): the applicant is told in writing how long it takes.
        Step.SUSPENDED: {
            "hearing": Text("需要举行听证", "A hearing is held"),
            "test": Text("需要检验、检测、检疫或鉴定", "Something is tested"),
            "expert-review": Text("需要专家评审", "Experts review it"),
            "applicant-wait": Text("应您的要求暂缓办理", "You have asked to wait"),
        },
        Step.REJECTED: {
            "not-eligible": Text("不符合办理条件", "The conditions are not met"),
            "false-materials": Text("提供的材料不真实", "What was given is not true"),
            "quota-used": Text("名额已经用完", "There is no place left"),
            "others-concerned": Text(
                "涉及他人重大利益，经审查不予准许", "Weighty interests of others stand against it"
            ),
        },
        # Why a case is annulled; the first two are errors of ours and count as such.
        Step.TERMINATED: {
            "taken-by-mistake": Text("工作人员误收", "It was taken by mistake"),
            "wrong-matter": Text("事项选择有误，请按正确事项重新申请", "It was the wrong matter; please apply again"),
            "applicant-deceased": Text("申请人死亡", "The applicant has died"),
            "object-gone": Text("申请的事项已经不存在", "What it was about is no more"),
            "no-answer": Text("多次联系不到您", "You could not be reached"),
        },
        Step.MOVED: {
            "not-in-charge": Text("不属于本部门职权范围", "It is not for this department"),
            "handled-elsewhere": Text("按规定由其他部门办理", "The rules give it to another department"),
            "household-moved": Text("户籍或居住地已经迁移", "The household has moved"),
        },
    },
)
_OF_ITSELF: Final[Mapping[str, Text]] = MappingProxyType(
    {
        DEEMED_ACCEPTED: Text("部门在法定时间内没有答复，依法视为已受理", "Nothing was said in time: accepted by law"),
        MERGED: Text("与您的另一个相同申请合并办理", "It goes on with your other application for the same"),
    },
)
_WORDS: Final[Mapping[str, Text]] = MappingProxyType(
    {code: text for words in (*CHOSEN.values(), _OF_ITSELF) for code, text in words.items()}
)


def words_of(reason: str) -> Text | None:
    """Return the words of a published reason; None where it is none."""
    return _WORDS.get(reason)


def is_published(step: Step, reason: str) -> bool:
    """Tell whether a step may have this reason."""
    return reason in CHOSEN.get(step, {})
