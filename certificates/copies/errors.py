"""What can go wrong with stamped copies."""

from core.errors import Conflict, Invalid


class CopyOvertaken(Conflict):
    """The certificate changed while its copy was being made: another one has to be made."""

    code = "certificates.copy-overtaken"
    title = "证照刚刚有变化，请重新生成"
    title_en = "The certificate has just changed; please make the copy again"
    plain = "证照刚变了，请再做一次。"


class CopyUndrawable(Invalid):
    """The font has no shape for a character, which would be missing on the paper; `errors` says where it stands."""

    code = "certificates.copy-undrawable"
    title = "有的字印不出来，请换一种写法，或少选一项再试"
    title_en = "Some characters cannot be printed; write them otherwise, or choose fewer fields"
    plain = "有的字印不出来，换个写法或少选一项。"
