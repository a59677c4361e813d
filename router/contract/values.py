"""What members of the wire are made of, where a plain type would say too little."""

from typing import Annotated

import msgspec

# What a double holds exactly: the state server's Lua knows no other numbers, nor does JavaScript.
Integer = Annotated[int, msgspec.Meta(ge=-(2**53) + 1, le=2**53 - 1)]


def null() -> msgspec.Raw:
    """The default of a raw member. A function, since no JSON Schema can be made of a raw default."""
    return msgspec.Raw(b"null")
