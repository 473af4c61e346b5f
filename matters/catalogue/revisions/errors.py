"""What can go wrong with the dynamic list."""

from core.errors import Conflict, Invalid, NotFound, Stale


class NoSuchRevision(NotFound):
    """There is no such revision; the edge answers `request.not-found`."""

    code = "matters.no-such-revision"
    title = "没有这个事项版本"
    title_en = "There is no such revision"
    plain = "没有这个版本。"


class RevisionUnreadable(Invalid):
    """What was sent is no matter: a member is missing, unknown, or of the wrong kind."""

    code = "matters.revision-unreadable"
    title = "事项内容不完整或者有不认识的项"
    title_en = "This is no matter: a member is missing, unknown or of the wrong kind"
    plain = "内容不完整，请检查。"


class RevisionRejected(Invalid):
    """A rule of the catalogue is broken; `errors` names each rule."""

    code = "matters.revision-rejected"
    title = "事项没有通过检查，请按提示修改"
    title_en = "The matter breaks rules of the catalogue"
    plain = "没有通过检查，请修改。"


class RevisionSettled(Conflict):
    """The revision stands where this cannot be done with it any more, or not yet."""

    code = "matters.revision-settled"
    title = "这个版本当前的状态不能这样操作"
    title_en = "The state of the revision does not allow this"
    plain = "这个版本现在不能这样做。"


class RevisionTaken(Conflict):
    """Somebody else is at work on the same matter, or its name belongs to another one."""

    code = "matters.revision-taken"
    title = "这个事项已有正在编辑的版本，或者名称已被占用"
    title_en = "Another revision of this matter is under way, or its name is another's"
    plain = "这一项有人正在改。"


class RevisionChanged(Stale):
    """The revision was changed since it was read; the edge answers `request.stale`."""

    code = "matters.revision-changed"
    title = "内容已经变了，请刷新后再改"
    title_en = "It was changed meanwhile; read again and repeat"
    plain = "内容变了，请重新打开再改。"


class OperationForbidden(Invalid):
    """The list cannot be consolidated like this; `errors` says why."""

    code = "matters.operation-forbidden"
    title = "清单不能这样调整"
    title_en = "The list cannot be changed like this"
    plain = "清单不能这样调整。"
