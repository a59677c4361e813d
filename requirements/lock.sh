#!/bin/sh
# Pins pyproject.toml's requirements, with hashes, for every platform at once: requirements/lock.sh [--upgrade]
#
# A version that still fits is kept. The files hold no address of any index, so they work behind a mirror.
# dev.txt takes its pins from run.txt: one environment can hold both.
set -eu
cd "$(dirname "$0")/.."

if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    uv=build/uv/bin/uv
    [ -x "$uv" ] || {
        sh requirements/install.sh run
        .venv/bin/python -m venv build/uv
        build/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
    }
fi

pin() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header --no-annotate "$@" pyproject.toml
}

pin "$@" --group build -o requirements/run.txt
pin "$@" --group dev --all-extras --constraint requirements/run.txt -o requirements/dev.txt
