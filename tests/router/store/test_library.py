"""The library: what is in it, how it is named, what its files must keep to. No server needed."""

import re
from importlib import resources

import pytest

from router.store import acts, library
from router.store.keys import KEYS
from router.store.library import ACTS, CONTROLS, READS, build_library

MAX_LINES = 400
MAX_FUNCTION_LINES = 50
FOLDER = resources.files("router.store").joinpath("lua")
FILES = sorted(file.name for file in FOLDER.iterdir())
ACT_NAMES = sorted(str(kind.__struct_config__.tag) for kind in acts.AnyAct.__args__)


def text_of(file: str) -> str:
    return FOLDER.joinpath(file).read_text(encoding="utf-8")


def registered(text: str) -> dict[str, str]:
    """Function name (without the library's) to its flags."""
    found = re.findall(r"function_name = 'turnout_[0-9a-f]+_(\w+)', flags = \{(.*?)\}", text)
    return {name: flags.strip().strip("'") for name, flags in found}


def test_each_act_has_one_function() -> None:
    assert sorted(ACTS) == ACT_NAMES
    assert sorted(registered(build_library().text)) == sorted({*ACTS, *CONTROLS, *READS})


def test_each_file_is_in_the_library() -> None:
    names = {*ACTS, *CONTROLS, *READS, "witness_time", "witness_key", *(f"prelude_{part}" for part in library.PRELUDE)}
    assert {f"{name}.lua" for name in names} == set(FILES)


def test_all_but_new_and_manual_work_runs_when_memory_is_short() -> None:
    flags = registered(build_library().text)
    running = {name for name, flag in flags.items() if flag == "allow-oom"}
    assert set(ACTS) - running == {"admit", "assign", "transfer", "consult", "note", "label", "snooze"}
    assert {"take", "trim", "applied", "take_epochs", "open", "press"} <= running


def test_reads_may_not_write() -> None:
    flags = registered(build_library().text)
    assert {name for name, flag in flags.items() if flag == "no-writes"} == set(READS)


def test_the_same_files_give_the_same_name() -> None:
    assert build_library() == build_library()


def test_a_library_for_tests_has_another_name() -> None:
    served, tested = build_library(), build_library("key")
    assert served.name != tested.name
    assert "'TIME'" in served.text
    assert "'TIME'" not in tested.text


def test_the_name_stands_in_the_first_line_and_in_every_function() -> None:
    built = build_library()
    assert re.fullmatch(r"turnout_[0-9a-f]{12}", built.name)
    assert built.text.startswith(f"#!lua name={built.name}\n")
    assert built.function("admit") == f"{built.name}_admit"
    assert f"'{built.name}_admit'" in built.text


def test_lua_names_only_keys_of_the_list() -> None:
    used = set()
    for file in FILES:
        used |= set(re.findall(r"T\.KEY\.(\w+)|T\.key\(t, '(\w+)'|put_list\(t, '(\w+)'", text_of(file)))
    names = {name for group in used for name in group if name}
    assert names - {"witness"} == {key.name for key in KEYS}


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_small_and_says_what_it_is(file: str) -> None:
    lines = text_of(file).splitlines()
    assert len(lines) <= MAX_LINES
    assert max(len(line) for line in lines) <= 120
    assert lines[0].startswith("-- ")


@pytest.mark.parametrize("file", FILES)
def test_functions_are_small(file: str) -> None:
    sizes = [len(body.splitlines()) for body in re.findall(r"^(?:local )?function.*?^end", text_of(file), re.M | re.S)]
    assert all(size <= MAX_FUNCTION_LINES for size in sizes), sizes


@pytest.mark.parametrize("name", sorted({*ACTS, *CONTROLS, *READS}))
def test_the_header_lists_keys_of_the_list(name: str) -> None:
    header = text_of(f"{name}.lua").split("\n\n", 1)[0].replace("\n-- ", " ")
    listed = re.search(r"Keys(?: \(read\))?: ([^.]*)\.", header)
    assert header.startswith(f"-- {name}: ")
    assert listed is not None
    names = {entry.removesuffix(" (read)") for entry in re.split(r"[,;] ", listed[1])}
    assert names <= {key.name for key in KEYS}


@pytest.mark.parametrize("file", FILES)
def test_numbers_reach_the_server_in_full(file: str) -> None:
    # tostring and .. write large numbers in exponent form; cjson breaks integers of 16 digits.
    assert "tostring" not in text_of(file).replace("`..` and tostring", "")
    assert "cjson" not in text_of(file)


@pytest.mark.parametrize("file", FILES)
def test_only_the_commit_and_the_controls_write(file: str) -> None:
    writes = re.findall(r"redis\.call\('(?:HSET|HDEL|ZADD|ZREM|XADD|XTRIM|RPUSH|LTRIM|DEL|HINCRBY|SET)'", text_of(file))
    may_write = file == "prelude_commit.lua" or file.removesuffix(".lua") in CONTROLS
    assert not writes or may_write
