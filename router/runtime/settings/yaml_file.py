"""YAML as people mean it: ``no`` and ``12:30`` are text, a name twice is an error, and nothing is repeated
by reference."""

import re
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError


class _PlainLoader(yaml.SafeLoader):
    """Knows null, true, false, whole numbers and decimals; everything else is text."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # PyYAML reads it from the class, its stubs say instance
        None: [
            ("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$")),
            ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$")),
            ("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]{0,18})$")),
            ("tag:yaml.org,2002:float", re.compile(r"^-?(?:0|[1-9][0-9]{0,18})\.[0-9]{1,18}$")),
        ]
    }

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # untyped in the stubs
            raise ComposerError(None, None, "references (*name) are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise ConstructorError(None, None, "a name must be text", key_node.start_mark)
            if key in seen:
                raise ConstructorError(None, None, f"the name {key!r} stands here twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_yaml(text: str) -> Any:
    """The plain value that one YAML document holds. Raises ``yaml.YAMLError`` with line and column."""
    try:
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506  # a SafeLoader with fewer types
    except RecursionError as exc:
        raise yaml.YAMLError("nested too deeply") from exc
