#!/usr/bin/env bash
# Write the four lock files under requirements/ from pyproject.toml.
#
# Each lists every package its venv or image needs, pinned and hashed, with no address of a registry, so that
# `pip install --no-deps --require-hashes --only-binary :all:` installs it from whichever index the machine is set up for.
# Pins stay where they are until asked to move: `scripts/lock.sh --upgrade`, or `--upgrade-package NAME`.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-.boot/bin/uv}

compile() {  # NAME, then what to resolve
    local name=$1
    shift
    local out=requirements/$name.lock
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        "$@" --output-file "$out"
    # What an override has switched off ("never") and what only Windows needs is no part of any venv of ours.
    awk -v name="$name" '
        BEGIN { print "# " name ": written by `make lock` from pyproject.toml; do not edit." }
        /^#/ { next }
        /^[^ ]/ { keep = !/sys_platform == .never./ && !/; sys_platform == .win32./ }
        keep' "$out" > "$out.new"
    mv "$out.new" "$out"
    printf '  %s: %s packages\n' "$out" "$(grep -c '^[a-z0-9]' "$out")"
}

# The developers' venv holds everything; the smaller ones take their pins from it, so that one version is run everywhere.
compile dev pyproject.toml --group dev --group sandbox "$@"
compile product pyproject.toml --constraints requirements/dev.lock
compile sandbox --group sandbox --constraints requirements/dev.lock
compile bootstrap --group bootstrap "$@"
