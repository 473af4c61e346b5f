"""From a problem's kind to an HTTP answer (RFC 9457): the one status table, and the edge's own problems."""

import json
from http import HTTPStatus
from typing import Any, ClassVar, Final

from sanic.response import HTTPResponse

from auth.errors import TokenExpired, TokenInvalid
from core.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Problem,
    Refused,
    Stale,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from core.metrics import PROBLEMS
from core.signers.http_signature import SignatureInvalid

STATUS: Final[dict[type[Problem], int]] = {
    Invalid: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Gone: 410,
    Stale: 412,
    TooMany: 429,
    Refused: 422,
    Unavailable: 503,
}


class EdgeProblem(Problem):
    """A problem of the protocol itself, which only the edge can see; carries its own status."""

    status: ClassVar[int] = 400


class Malformed(EdgeProblem):
    """The request cannot be read at all."""

    code = "request.malformed"
    title = "请求的格式不对，无法读取"
    title_en = "The request is malformed and cannot be read"
    plain = "这个请求读不出来。"


class BodyRequired(EdgeProblem):
    """A body is needed and none came."""

    code = "request.body-required"
    title = "请求缺少内容"
    title_en = "The request needs a body"
    plain = "没有收到内容。"


class KeyRequired(EdgeProblem):
    """The operation needs an Idempotency-Key."""

    code = "request.idempotency-key-required"
    title = "请求缺少 Idempotency-Key"
    title_en = "The request needs an Idempotency-Key header"
    plain = "请求不完整，请重新操作。"


class MediaType(EdgeProblem):
    """The body is of a kind that is not taken here."""

    status = 415
    code = "request.media-type"
    title = "不支持这种内容类型"
    title_en = "This media type is not accepted here"
    plain = "这种文件收不了。"


class NotAcceptable(EdgeProblem):
    """The caller wants a kind of answer that is not given here."""

    status = 406
    code = "request.not-acceptable"
    title = "无法按所要求的格式回答"
    title_en = "The answer is not available in a type you accept"
    plain = "不能这样回答。"


class TooLarge(EdgeProblem):
    """The body is over its cap."""

    status = 413
    code = "request.too-large"
    title = "内容太大了"
    title_en = "The request is too large"
    plain = "东西太大了，传不上来。"


class AddressTooLong(TooLarge):
    """The address is over 4 KB."""

    status = 414


class HeadersTooLarge(TooLarge):
    """The headers are over 8 KB."""

    status = 431


class MethodNotAllowed(EdgeProblem):
    """There is something at this address, but not for this method."""

    status = 405
    code = "request.method"
    title = "这个地址不支持该操作"
    title_en = "This method is not allowed here"
    plain = "这里不能这样操作。"


class RequestTimeout(EdgeProblem):
    """The request did not arrive in time."""

    status = 408
    code = "request.timeout"
    title = "请求没有按时传完，请重试"
    title_en = "The request did not arrive in time; please try again"
    plain = "网络有点慢，请再试一次。"
    retryable = True


class RequestInvalid(Invalid):
    """Fields have to be mended."""

    code = "request.invalid"
    title = "有些内容需要修改"
    title_en = "Some fields need to be mended"
    plain = "有些地方填得不对，请改一改。"


class RequestNotFound(NotFound):
    """No such thing, or not yours: one body for both."""

    code = "request.not-found"
    title = "没有找到"
    title_en = "Not found"
    plain = "没有找到。"


class KeyReused(Invalid):
    """The same Idempotency-Key came with another request."""

    code = "request.idempotency-key-reused"
    title = "同一个 Idempotency-Key 不能用于不同的请求"
    title_en = "This Idempotency-Key was used for another request"
    plain = "请求重复了，请重新操作。"


class InProgress(Conflict):
    """The first request with this key is still being worked on."""

    code = "request.idempotency-in-progress"
    title = "相同的请求正在处理中，请稍候"
    title_en = "The same request is still being worked on"
    plain = "正在办，请等一下。"
    retryable = True


class TagRequired(Stale):
    """A change needs the tag of what it changes."""

    code = "request.tag-required"
    title = "请先读取最新内容再修改"
    title_en = "Send If-Match with the tag you have read"
    plain = "请先看看最新的内容再改。"


class RequestStale(Stale):
    """It was changed since it was read."""

    code = "request.stale"
    title = "内容已经变了，请刷新后再改"
    title_en = "It was changed meanwhile; read again and repeat"
    plain = "内容变了，请重新打开再改。"


class Overloaded(Unavailable):
    """More work than can be taken now."""

    code = "request.overloaded"
    title = "现在办事的人比较多，请稍后再试"
    title_en = "The service is busy; please try again shortly"
    plain = "现在人多，请过一会儿再试。"


def status_of(problem: Problem | type[Problem]) -> int:
    """Return the HTTP status of a problem or its class."""
    kind = problem if isinstance(problem, type) else type(problem)
    if issubclass(kind, EdgeProblem):
        return kind.status
    if issubclass(kind, TagRequired):
        return 428
    for parent in kind.__mro__:
        if parent in STATUS:
            return STATUS[parent]
    return 500


def problem_body(problem: Problem, *, instance: str, english: bool, elder: bool) -> dict[str, Any]:
    """Return the problem document."""
    extras = problem.extras
    body: dict[str, Any] = {
        "type": f"urn:zhijian:problem:{problem.code}",
        "title": problem.title_en if english else problem.title,
        "status": status_of(problem),
        "code": problem.code,
        "instance": instance,
        "retryable": problem.retryable,
    }
    if elder:
        body["plain"] = problem.plain
    if extras.errors:
        body["errors"] = [
            {"pointer": error.pointer, "code": error.code, "message": error.message_en if english else error.message}
            for error in extras.errors
        ]
    if extras.alternatives:
        body["alternatives"] = [
            {
                "method": way.method,
                "text": way.text_en if english else way.text,
                **({"start": way.start} if way.start else {}),
            }
            for way in extras.alternatives
        ]
    body.update({name: _in_language(value, english=english) for name, value in extras.members.items()})
    return body


def _in_language(value: object, *, english: bool) -> object:
    """Members may carry a text in both languages, as `text` and `text_en`; the caller gets one."""
    if isinstance(value, list):
        return [_in_language(item, english=english) for item in value]
    if isinstance(value, dict) and "text_en" in value:
        chosen = {name: item for name, item in value.items() if name != "text_en"}
        return {**chosen, "text": value["text_en"]} if english else chosen
    return value


def challenge_of(problem: Problem) -> str:
    """Return what a 401 asks for: a signature, or a token with what is wrong about the one that came (RFC 6750, 3)."""
    if isinstance(problem, SignatureInvalid):
        return 'Signature realm="zhijian"'
    if isinstance(problem, TokenExpired | TokenInvalid):
        return 'Bearer realm="zhijian", error="invalid_token"'
    # No token came, or a login failed: nothing is said of a token.
    return 'Bearer realm="zhijian"'


def language_headers(*, english: bool) -> dict[str, str]:
    """Return the headers that tell in whose words an answer speaks, and by what they were chosen."""
    return {"Content-Language": "en" if english else "zh-CN", "Vary": "Accept-Language, X-Client-Mode"}


def answer_problem(problem: Problem, *, instance: str, english: bool, elder: bool) -> HTTPResponse:
    """Return the HTTP answer that tells a problem."""
    status = status_of(problem)
    PROBLEMS.labels(problem.code).inc()
    headers = {"Cache-Control": "no-store", **language_headers(english=english)}
    wait = problem.extras.retry_after
    if wait is None and status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        wait = 5
    if wait is not None:
        headers["Retry-After"] = str(max(1, int(wait)))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = challenge_of(problem)
    body = problem_body(problem, instance=instance, english=english, elder=elder)
    return HTTPResponse(
        json.dumps(body, ensure_ascii=False, default=str),
        status=status,
        headers=headers,
        content_type="application/problem+json; charset=utf-8",
    )
