#!/bin/sh
# Makes or mends the project's own environment: requirements/install.sh run|dev
#
# Needs a Python of 3.11 or later, or uv; nothing else. Every package comes from a lock by its hash, then the
# project itself is added in place. What is missing is named together with the command that mends it.
# TURNOUT_VENV places the environment (.venv), PYTHON picks the interpreter. Plain sh, as old as macOS has it.
set -eu

lock=${1:?which lock: run or dev}
cd "$(dirname "$0")/.."
root=$(pwd)
venv=${TURNOUT_VENV:-.venv}
candidates=${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3 python}
recent_enough='import sys; sys.exit(sys.version_info < (3, 11))'
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo "

has() { command -v "$1" >/dev/null 2>&1; }
say() { printf 'turnout: %s\n' "$*" >&2; }
give_up() { say "$1"; printf '\n    %s\n\n' "$2" >&2; exit 1; }

# A command on PATH may be a shim that runs nothing, so each candidate is run, not only looked up.
# Sets `python` to the first that can make an environment, `bare` to the first that lacks only venv.
find_python() {
    python="" bare=""
    for name in $candidates; do
        has "$name" && "$name" -c "$recent_enough" >/dev/null 2>&1 || continue
        if "$name" -c 'import ensurepip, venv' >/dev/null 2>&1; then python=$name; return; fi
        [ -n "$bare" ] || bare=$name
    done
}

explain_no_venv() {
    package=python3-venv
    case $bare in python3.*) package=$bare-venv ;; esac
    if has apt-get; then give_up "$bare cannot make environments here. This mends it:" "${sudo}apt-get install $package"; fi
    give_up "$bare cannot make environments here. This mends it:" "$bare -m pip install --user uv"
}

explain_no_python() {
    say "Turnout needs Python 3.11 or later, and none was found (tried: $candidates)."
    if has apt-get; then give_up "This installs one:" "${sudo}apt-get install python3.11 python3.11-venv"; fi
    if has dnf; then give_up "This installs one:" "${sudo}dnf install python3.11"; fi
    if has brew; then give_up "This installs one:" "brew install python@3.13"; fi
    give_up "With uv on the PATH Turnout fetches one by itself. This installs uv:" "python3 -m pip install --user uv"
}

# A virtual environment holds absolute paths: after its clone was moved it has to be made anew.
is_sound() {
    "$venv/bin/python" -c "$recent_enough" >/dev/null 2>&1 || return 1
    [ ! -f "$venv/.made-in" ] || [ "$(cat "$venv/.made-in")" = "$root" ]
}

make_environment() {
    find_python
    if has uv; then
        uv venv --quiet --clear --python "${python:-${bare:->=3.11}}" "$venv"
    elif [ -n "$python" ]; then
        "$python" -m venv --clear "$venv"
    elif [ -n "$bare" ]; then
        explain_no_venv
    else
        explain_no_python
    fi
    printf '%s\n' "$root" >"$venv/.made-in"
}

# Two steps, since neither installer takes a project in place together with hashes.
install_packages() {
    if has uv; then
        set -- uv pip install --quiet --python "$venv/bin/python"
    elif "$venv/bin/python" -c 'import pip' >/dev/null 2>&1; then
        set -- "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input
    else
        give_up "$venv was made by uv, which is gone. This makes room for a new one:" "rm -rf $venv"
    fi
    "$@" --require-hashes -r "requirements/$lock.txt"
    "$@" --no-deps --no-build-isolation -e .
}

is_sound || make_environment
say "installing requirements/$lock.txt into $venv"
install_packages
