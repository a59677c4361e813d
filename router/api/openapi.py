"""The API as OpenAPI 3.1, made from the table of routes and the types that handlers read and write. Pure."""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from router.api.acts.asking import OPERATION, Frame
from router.api.examples import ANSWERS, BODIES
from router.api.problems import CONTENT_TYPE, Problem
from router.api.sessions.frames import Hello, Sent
from router.contract.config import Role
from router.contract.schema import flowing

Schema = dict[str, Any]
_REF: Final = "#/components/schemas/{name}"
_FROM_ELSEWHERE: Final = ("type", "case", "op")
_ABOUT: Final = """\
Acts, views and sessions of Turnout. Send a key as `Authorization: Bearer turnout_...`. A POST needs an \
`Idempotency-Key`: the same key again gives the first answer and has no further effect (the last 8 of a case are \
remembered). 200 says that the act is durable, 202 that it took effect but is not on the bus yet. Errors are \
RFC 9457 problems; those with `retryable` may be sent again as they are."""
_SESSION: Final = """\
An advisor's session. The first frame of the client is `Hello`, the first of the server `Welcome` with the whole \
work set. Then the client sends any of `SetPresence`, `Read` or an act, each with an `op` that no other act of this \
key has (a UUID), and gets an `Answer` or a `Trouble` with the same `op`; after `durable: false` a `Confirmed` \
follows. Acts are applied in the order of their frames; a `Read` is answered at once, an act when it is durable, and \
no answer shows an older state of a case than one before it did. Pushes (`Offered`, `OfferEnded`, `Assigned`, \
`Released`, `Message`, `Delivery`, `PresenceChanged`) are hints: what a push's `ver` says is out of date when a newer \
version of the case was shown, and after a reconnect `Welcome` says what holds. Name the customer's last message that \
was read as `seen` when resolving: if he has written again, nothing happens and the problem `unseen` names what he \
wrote. While a session is open the advisor's connection counts; when the last one is gone his grace time begins."""


class Described(NamedTuple):
    """One address for the document. ``roles`` empty: it takes no key. What it is asked ``changes`` something, and has
    an operation id, unless said otherwise."""

    method: str
    path: str
    summary: str
    answer: type[msgspec.Struct] | None
    roles: frozenset[Role]
    body: type[msgspec.Struct] | None = None
    query: tuple[str, ...] = ()
    socket: bool = False
    binary: bool = False
    changes: bool = True


def document(described: Sequence[Described]) -> Schema:
    """The whole document. The same table gives the same document."""
    paths: dict[str, Schema] = {}
    for entry in described:
        paths.setdefault(entry.path, {})[entry.method.lower()] = _operation(entry)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Turnout", "version": "1", "description": _ABOUT, "license": {"name": "Apache-2.0"}},
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(described),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}},
        },
    }


def _schemas(described: Sequence[Described]) -> dict[str, Schema]:
    answers = [entry.answer for entry in described if entry.answer is not None]
    frames = [Hello, *Frame.__args__, *Sent.__args__]
    asked = [entry.body for entry in described if entry.body is not None]
    known = dict.fromkeys([Problem, *answers, *frames, *asked])
    _, found = msgspec.json.schema_components(list(known), ref_template=_REF)
    bodies = {f"{entry.body.__name__}Body": _body(found[entry.body.__name__]) for entry in described if entry.body}
    schemas: dict[str, Schema] = flowing(found | bodies)
    return dict(sorted(schemas.items()))


def _body(frame: Schema) -> Schema:
    """A frame's schema without what a request has in its path and header."""
    members = {name: kind for name, kind in frame["properties"].items() if name not in _FROM_ELSEWHERE}
    required = [name for name in frame.get("required", ()) if name not in _FROM_ELSEWHERE]
    return frame | {"properties": members, "required": required, "title": f"{frame['title']}Body"}


def _operation(entry: Described) -> Schema:
    operation: Schema = {
        "operationId": _operation_id(entry),
        "summary": " ".join(entry.summary.split()),
        "parameters": _parameters(entry),
        "responses": _responses(entry),
    }
    if entry.socket:
        operation["description"] = _SESSION
    if entry.roles:
        operation["x-roles"] = sorted(entry.roles)
    else:
        operation["security"] = []
    if entry.body is not None:
        name = entry.body.__name__
        content = {"schema": _ref(f"{name}Body"), "example": BODIES[name]}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


def _operation_id(entry: Described) -> str:
    words = re.findall(r"[a-z]+", entry.path.replace("/v1", ""))
    return "-".join((entry.method.lower(), *words))


def _parameters(entry: Described) -> list[Schema]:
    found: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", entry.path)
    ]
    if entry.body is not None and entry.changes:
        schema = {"type": "string", "pattern": OPERATION}
        found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": schema})
    return [*found, *({"name": name, "in": "query", "schema": {"type": "string"}} for name in entry.query)]


def _responses(entry: Described) -> Schema:
    refused = {"description": "What went wrong.", "content": {CONTENT_TYPE: _content(Problem)}}
    if entry.socket:
        return {"101": {"description": "The session is open."}, "default": refused}
    if entry.binary:
        return {"200": {"description": "The bytes.", "content": {"application/octet-stream": {}}}, "default": refused}
    if entry.answer is None:
        return {"200": {"description": "Done.", "content": {"application/json": {}}}, "default": refused}
    good = {"content": {"application/json": _content(entry.answer)}}
    responses: Schema = {"200": {"description": "Done."} | good, "default": refused}
    if entry.body is not None:
        responses["202"] = {"description": "Applied, not on the bus yet."} | good
    return responses


def _content(kind: type[msgspec.Struct]) -> Schema:
    name = kind.__name__
    return {"schema": _ref(name)} | ({"example": ANSWERS[name]} if name in ANSWERS else {})


def _ref(name: str) -> Schema:
    return {"$ref": _REF.format(name=name)}
