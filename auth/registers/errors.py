"""What can go wrong with the registers."""

from core.errors import Conflict, Invalid, NotFound, TooMany


class NoSuchParty(NotFound):
    """The register has no such party or key."""

    code = "auth.no-such-party"
    title = "没有登记这个单位、设备或密钥"
    title_en = "The register has no such party or key"
    plain = "没有登记过。"


class PartySuspended(Conflict):
    """The party is suspended already."""

    code = "auth.party-suspended"
    title = "这个单位或设备已经停用"
    title_en = "The party is suspended already"
    plain = "已经停用了。"


class KeyWithdrawn(Conflict):
    """The key was withdrawn before."""

    code = "auth.key-withdrawn"
    title = "这把密钥已经停用"
    title_en = "The key was withdrawn already"
    plain = "这把钥匙已经停用了。"


class PartyTaken(Conflict):
    """A party of that name, or that key or its id, is registered already. One key belongs to one party, for good."""

    code = "auth.party-taken"
    title = "这个名称、密钥或密钥编号已经登记过"
    title_en = "This name, key or key id is registered already"
    plain = "已经登记过了。"


class TooManyKeys(Conflict):
    """A party has two active keys at most: the one in use and the next."""

    code = "auth.too-many-keys"
    title = "最多同时有两把有效密钥，请先停用一把"
    title_en = "At most two keys are active at a time; withdraw one first"
    plain = "已经有两把钥匙了，先停一把。"


class KeyUnusable(Invalid):
    """The text is no public key of a kind we take, or one by which anybody could sign."""

    code = "auth.key-unusable"
    title = "公钥无法使用：需要 PEM 格式、自行生成的 Ed25519 或 P-256 公钥"
    title_en = "Not a public key that can be used: a freshly made Ed25519 or P-256 key in PEM is needed"
    plain = "这个公钥不能用。"


class QuotaUsedUp(TooMany):
    """A verifier has asked as often today as the register lets it; `retry_after` is when the next day begins."""

    code = "auth.quota-used-up"
    title = "今天的查询次数已用完"
    title_en = "Today's quota is used up"
    plain = "今天的次数用完了，明天再来。"
