"""Check a token of a certificate without any connection: with published keys and a status list fetched before.

    python -m scripts.verify_offline TOKEN --keys keys.json --status-list list.jwt [--at 2026-03-10T10:00:00+08:00]
                                     [--require-sm2]

`TOKEN` is the text of the picture, or those of all pictures of a series, with blanks between them and in any order
(`-`: read it from standard input), `keys.json` what `GET /v1/public/keys` answered, `list.jwt` what the address in
the token answered (`GET /v1/public/status-lists/{id}`). Where the keys have some of SM2, the signature by SM2 beside
the one by ES256 is checked too. Exit codes: 0 good, 2 an argument cannot be used, 3 expired, 4 revoked, 5 frozen, 6
cannot be known, 7 bad signature, 8 unreadable, 9 a file is not there, 10 a file cannot be read, 11 a file is not what
it should be.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from certificates.offline.checking import check
from certificates.offline.gm import Sm2Keys, sm2_keys_of
from certificates.offline.jws import Keys, keys_of, read_json
from certificates.offline.types import Freshness, OfflineCheck, Reason
from certificates.types import Outcome
from core.clock import SystemClock

_CODES: Final[Mapping[Outcome, int]] = {
    Outcome.OK: 0,
    Outcome.EXPIRED: 3,
    Outcome.REVOKED: 4,
    Outcome.FROZEN: 5,
    Outcome.UNKNOWN: 6,
    Outcome.BAD_SIGNATURE: 7,
    Outcome.UNREADABLE: 8,
}
_NOT_THERE: Final = 9
_UNREADABLE: Final = 10
_NOT_KEYS: Final = 11
_WORDS: Final[Mapping[Outcome, str]] = {
    Outcome.OK: "有效：签名真实，未被吊销。",
    Outcome.EXPIRED: "已过期：请持证人重新生成。",
    Outcome.REVOKED: "已吊销或已作废：不能使用。",
    Outcome.FROZEN: "已冻结：暂时不能使用。",
    Outcome.UNKNOWN: "无法确认：不能当作有效。",
    Outcome.BAD_SIGNATURE: "签名不对：是伪造或被改动过的。",
    Outcome.UNREADABLE: "读不出来：这不是离线亮证凭证。",
}
_REASONS: Final[Mapping[Reason, str]] = {
    Reason.ISSUER: "没有这个签发方的公钥，请更新公钥文件。",
    Reason.CLOCK: "时间对不上，请检查本机时钟。",
    Reason.LIST_MISSING: "没有状态列表，不知道是否已吊销。",
    Reason.LIST_UNREADABLE: "状态列表读不出来或签名不对，请重新下载。",
    Reason.LIST_OF_OTHERS: "状态列表不是这张凭证的，请下载凭证所指的那一份。",
    Reason.LIST_EXPIRED: "状态列表太旧，已经失效，请重新下载。",
    Reason.MARK: "状态列表里没有这张凭证，或状态不认识。",
}
_AGES: Final[Mapping[Freshness, str]] = {
    Freshness.FRESH: "最新",
    Freshness.STALE: "较旧，有网络时请更新",
    Freshness.EXPIRED: "已失效",
}


class _Unusable(Exception):
    """A file that does not help, in words for whoever named it."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


def _moment(text: str) -> datetime:
    words = "时间要带时区，例如 2026-03-10T10:00:00+08:00（a time with its offset is needed）"
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise argparse.ArgumentTypeError(words)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(words) from error


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="verify_offline", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("token", metavar="TOKEN")
    parser.add_argument("--keys", type=Path, required=True, metavar="FILE")
    parser.add_argument("--status-list", type=Path, metavar="FILE")
    parser.add_argument("--require-sm2", action="store_true", help="refuse a token without a signature by SM2")
    parser.add_argument("--at", type=_moment, default=None, metavar="TIME")
    return parser.parse_args(given)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise _Unusable(_NOT_THERE, f"找不到文件 {path}（no such file）") from error
    except UnicodeDecodeError as error:
        raise _Unusable(_UNREADABLE, f"文件 {path} 不是文本（not a text file）") from error
    except (OSError, ValueError) as error:  # The second: a name that no file can have.
        raise _Unusable(_UNREADABLE, f"文件 {path} 读不了，请检查是不是文件、有没有权限（cannot be read）") from error


def _read_keys(path: Path) -> tuple[Keys, Sm2Keys]:
    text = _read(path)
    try:
        jwks = read_json(text.encode())
        return keys_of(jwks), sm2_keys_of(jwks)
    except ValueError as error:
        words = f"文件 {path} 不是公钥文件，请重新下载 /v1/public/keys（not a set of keys）"
        raise _Unusable(_NOT_KEYS, words) from error


def _read_token(given: str) -> str:
    if given != "-":
        return given.strip()
    # What is no text is no token: read so that it is found unreadable, and not that reading it fails.
    return sys.stdin.buffer.read().decode("utf-8", "replace").strip()


def _words_of(found: OfflineCheck) -> list[str]:
    lines = [f"{_WORDS[found.outcome]}  [{found.outcome}]"]
    if found.reason is not None:
        lines.append(_REASONS[found.reason])
    if found.age is not None and found.freshness is not None:
        age = max(found.age, timedelta())
        lines.append(f"吊销信息是 {_length(age)}前的（{_AGES[found.freshness]}）。")
    if found.contents is not None and found.outcome is Outcome.OK:
        lines += [f"  {found.contents.kind}  {found.contents.colour}"]
        lines += [
            f"  {name} = {json.dumps(value, ensure_ascii=False)}" for name, value in found.contents.values.items()
        ]
    return lines


def _length(age: timedelta) -> str:
    hours, seconds = divmod(int(age.total_seconds()), 3600)
    return f"{hours} 小时 {seconds // 60} 分" if hours else f"{seconds // 60} 分 {seconds % 60} 秒"


def main(given: Sequence[str] | None = None) -> int:
    """Check one token and say in plain words what it is worth and how old that knowledge is; return the exit code."""
    arguments = _arguments(given)
    try:
        keys, sm2 = _read_keys(arguments.keys)
        path: Path | None = arguments.status_list
        status_list = None if path is None else _read(path).strip()
    except _Unusable as error:
        print(error, file=sys.stderr)
        return error.code
    scanned = _read_token(arguments.token)
    now = arguments.at or SystemClock().now()
    found = check(scanned, status_list, keys=keys, now=now, sm2=sm2, require_sm2=arguments.require_sm2)
    print("\n".join(_words_of(found)))
    return _CODES[found.outcome]


if __name__ == "__main__":
    sys.exit(main())
