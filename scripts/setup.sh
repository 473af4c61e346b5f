#!/bin/sh
# Make a venv hold exactly what a lock file says: scripts/setup.sh VENV LOCK [WORKSHOP]
#
# Needs a Python from 3.11 to 3.13 and a package index, nothing else. uv does the work in seconds; where it cannot reach an
# index that pip is configured for, pip does it instead. WORKSHOP is a venv of its own that holds uv, and stays out of VENV.
set -eu
cd "$(dirname "$0")/.."
venv=$1 lock=$2 workshop=${3:-.boot}

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1;36m') red=$(printf '\033[1;31m') off=$(printf '\033[0m'); else bold='' red='' off=''; fi
say() { printf '%s▸%s %s\n' "$bold" "$off" "$*"; }
stop() { printf '%s✗ %s%s\n' "$red" "$1" "$off" >&2; shift; for line in "$@"; do printf '  %s\n' "$line" >&2; done; exit 1; }

fits='import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] < (3, 14)))'
find_python() {  # the first that fits and can make a venv; failing that, the first that fits
    without_venv=''
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        "$candidate" -c "$fits" 2>/dev/null || continue
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then python=$candidate; return; fi
        without_venv=${without_venv:-$candidate}
    done
    if [ -n "$without_venv" ]; then
        version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        stop "$without_venv cannot make virtual environments: its modules venv and ensurepip are missing." \
            "On Debian and Ubuntu:  apt-get install python${version}-venv" \
            "Or name another Python: make PYTHON=/path/to/python3 …"
    fi
    if [ -n "${PYTHON:-}" ]; then stop "PYTHON=$PYTHON is no Python from 3.11 to 3.13."; fi
    found=$(python3 -c 'import sys; print("python3 is %d.%d" % sys.version_info[:2])' 2>/dev/null || echo 'there is no python3')
    stop "No Python from 3.11 to 3.13 was found (${found})." \
        "Install one, or name it: make PYTHON=/path/to/python3 …"
}

if ! "$venv/bin/python" -c "$fits" 2>/dev/null; then
    find_python
    say "$("$python" -V) → $venv"
    rm -rf "$venv"
    "$python" -m venv --without-pip "$venv" || stop "$python -m venv $venv failed; the lines above say why."
fi

pinned=$(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements/bootstrap.lock)
if [ "$("$workshop/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" != "$pinned" ]; then
    find_python
    say "uv $pinned → $workshop"
    rm -rf "$workshop"
    "$python" -m venv "$workshop" || stop "$python -m venv $workshop failed; the lines above say why."
    "$workshop/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
        -r requirements/bootstrap.lock || stop "The package index did not answer." \
        "Set-up needs one, or a mirror that pip is configured for: pip config list"
fi

say "$(grep -c '^[a-z0-9]' "$lock") packages of $lock"
# Compiled now, once: a process then starts in half the time, also where it may not write.
if ! "$workshop/bin/uv" pip sync --python "$venv/bin/python" --require-hashes --no-build --compile-bytecode "$lock"; then
    say "uv could not; pip tries, more slowly"
    "$workshop/bin/python" -m pip --python "$venv/bin/python" install --disable-pip-version-check --no-deps --require-hashes \
        --only-binary :all: -r "$lock" || stop "The packages could not be installed; the lines above say why."
fi
