"""From the body of a post to a filled-in form, be it JSON, form-encoded or with files. Pure."""

import hashlib
from typing import Annotated, Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from channels.kit.failures import Malformed
from channels.web_form.multipart import Part, parse

MAX_FILES: Final = 10
_MAX_FIELDS: Final = 60
_NAMED: Final = frozenset({"id", "token", "thread", "name", "email", "subject", "message", "language"})


class File(NamedTuple):
    name: str
    media_type: str
    data: bytes


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A form as it was filled in. ``id``: the page's own name of this submission, the same when it is sent
    again. ``token``: proves when the form was loaded. ``thread``: the token of an earlier submission that
    this one goes on from. In JSON, what isn't named here stands in ``fields``."""

    id: Annotated[str, Meta(max_length=200)] = ""
    token: Annotated[str, Meta(max_length=4096)] = ""
    thread: Annotated[str, Meta(max_length=4096)] = ""
    name: Annotated[str, Meta(max_length=1000)] = ""
    email: Annotated[str, Meta(max_length=1000)] = ""
    subject: Annotated[str, Meta(max_length=4000)] = ""
    message: str = ""
    language: Annotated[str, Meta(max_length=100)] = ""
    fields: Annotated[dict[str, str], Meta(max_length=_MAX_FIELDS)] = {}
    files: tuple[File, ...] = ()

    def digest(self) -> str:
        """The same for the same content, however it was posted."""
        said = [self.thread, self.name, self.email, self.subject, self.message, sorted(self.fields.items())]
        hashed = hashlib.sha256(msgspec.json.encode(said))
        for file in self.files:
            hashed.update(hashlib.sha256(file.data).digest())
        return hashed.hexdigest()


class _Posted(msgspec.Struct, frozen=True, kw_only=True):
    """The members of JSON; files need a form."""

    id: str = ""
    token: str = ""
    thread: str = ""
    name: str = ""
    email: str = ""
    subject: str = ""
    message: str = ""
    language: str = ""
    fields: dict[str, str] = {}


_JSON: Final = msgspec.json.Decoder(_Posted)
_ANY: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read(content_type: str, body: bytes, *, honeypot: str) -> Submission:
    """Raises ``Malformed``. The honeypot, wherever it stands, is among ``fields``."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        match kind:
            case "application/json":
                return _from_json(body, honeypot)
            case "application/x-www-form-urlencoded":
                pairs = parse_qsl(
                    body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
                )
                return _from_pairs(pairs, ())
            case "multipart/form-data":
                return _from_parts(tuple(parse(content_type, body)))
    except (msgspec.DecodeError, msgspec.ValidationError) as exc:
        # msgspec says what was expected and where, and quotes nothing of the form.
        raise Malformed(f"The body is not a form: {exc}.") from None
    except (ValueError, RecursionError):  # UnicodeDecodeError is one
        raise Malformed("The body is not a form: it is not UTF-8, nested too deeply or has too many fields.") from None
    raise Malformed("The body is neither JSON nor a form.")


def _from_json(body: bytes, honeypot: str) -> Submission:
    posted = msgspec.to_builtins(_JSON.decode(body))
    trap = _ANY.decode(body).get(honeypot)
    if trap is not None and bytes(trap) not in (b'""', b"null"):
        posted["fields"][honeypot] = "filled in"
    return msgspec.convert(posted, Submission)


def _from_pairs(pairs: list[tuple[str, str]], files: tuple[File, ...]) -> Submission:
    named: dict[str, object] = {name: value for name, value in pairs if name in _NAMED}
    # Of boxes with one name that are ticked together, each counts.
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name not in _NAMED:
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return msgspec.convert({**named, "fields": fields, "files": files}, Submission)


def _from_parts(parts: tuple[Part, ...]) -> Submission:
    # A browser sends an empty file where none was chosen.
    files = tuple(
        File(part.filename, part.media_type, part.data)
        for part in parts
        if part.filename is not None and (part.filename or part.data)
    )
    if len(files) > MAX_FILES:
        raise Malformed(f"A form has at most {MAX_FILES} files.")
    pairs = [(part.name, part.data.decode()) for part in parts if part.filename is None]
    return _from_pairs(pairs, files)
