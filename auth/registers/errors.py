"""What can go wrong with the registers."""

from core.errors import Conflict, Invalid, NotFound


class NoSuchParty(NotFound):
    """The register has no such party or key."""

    code = "auth.no-such-party"
    title = "没有登记这个单位、设备或密钥"
    title_en = "The register has no such party or key"
    plain = "没有登记过。"


class PartyTaken(Conflict):
    """A party of that name, or a key of that id, is registered already."""

    code = "auth.party-taken"
    title = "这个名称或密钥编号已经登记过"
    title_en = "This name or key id is registered already"
    plain = "已经登记过了。"


class TooManyKeys(Conflict):
    """A party has two active keys at most: the one in use and the next."""

    code = "auth.too-many-keys"
    title = "最多同时有两把有效密钥，请先停用一把"
    title_en = "At most two keys are active at a time; withdraw one first"
    plain = "已经有两把钥匙了，先停一把。"


class KeyUnusable(Invalid):
    """The text is no public key of a kind we take."""

    code = "auth.key-unusable"
    title = "公钥无法使用：需要 PEM 格式的 Ed25519 或 P-256 公钥"
    title_en = "Not a public key that can be used: Ed25519 or P-256 in PEM is needed"
    plain = "这个公钥不能用。"
