# Sourced by ci/gate and ci/test: a private Python environment in .environments/NAME, made when there is none.
# The environment is made again when pyproject.toml has changed since.

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 2; }

find_python() {
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed and was not found. Install it, or name it: PYTHON=/path/to/python $0"
}

# environment NAME REQUIREMENT... : make .environments/NAME with the requirements, and put it first in PATH.
environment() {
    venv="$PWD/.environments/$1"
    shift
    wanted="$(cat pyproject.toml) $*"
    if [ ! -f "$venv/made-for" ] || [ "$(cat "$venv/made-for")" != "$wanted" ]; then
        python=$(find_python)
        say "setting up $venv with $("$python" --version): $* (about a minute, once)"
        rm -rf "$venv"
        "$python" -m venv "$venv" >/dev/null ||
            fail "$python cannot make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv"
        if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >&2; then
            rm -rf "$venv"
            fail "installing $* failed. Is the package index reachable? pip says why above; behind a proxy set HTTPS_PROXY."
        fi
        printf '%s' "$wanted" >"$venv/made-for"
    fi
    PATH="$venv/bin:$PATH"
    export PATH
}

# not_tested FILE: say what the tests noted there as missing, and which commands change that.
not_tested() {
    [ -s "$1" ] || return 0
    what=$(cut -f 1 "$1" | sort -u | sed -e ':a' -e '$!N; s/\n/, /; ta')
    how=$(cut -f 2 "$1" | sort -u | sed -e ':a' -e '$!N; s/\n/; /; ta')
    say "not tested, because these are missing: $what; to test it: $how"
}
