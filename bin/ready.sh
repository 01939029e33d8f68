# Sourced by claw, replay and check with $root set. `ready` leaves an interpreter that has the locked packages in
# $python; when nothing changed it tests a few files and starts no process.

# ready runtime|dev
ready() {
    python=$root/.venv/bin/python
    stamp=$root/.venv/ready-$1
    if [ -x "$python" ] && [ -r "$stamp" ] && read -r home <"$stamp" && [ "$home" -ef "$root" ] &&
        [ "$stamp" -nt "$root/pyproject.toml" ] && [ "$stamp" -nt "$root/bin/venv.py" ] &&
        [ "$stamp" -nt "$root/requirements.lock" ] && [ "$stamp" -nt "$root/requirements-build.lock" ] &&
        { [ "$1" = runtime ] || [ "$stamp" -nt "$root/requirements-dev.lock" ]; }; then
        return 0
    fi
    find_python || exit 5
    "$found" -I "$root/bin/venv.py" "$1" || exit 5
}

# Leaves a Python >= 3.12 that can make environments in $found, or says what is missing.
# Shims of pyenv may be on PATH and fail, so every candidate has to run.
find_python() {
    lacking=
    versions=${PYENV_ROOT:-$HOME/.pyenv}/versions
    for found in python3.13 python3.12 python3 python3.14 \
        "$versions"/3.13*/bin/python3 "$versions"/3.12*/bin/python3 "$versions"/3.1[4-9]*/bin/python3; do
        if is_usable; then return 0; fi
    done
    if command -v uv >/dev/null 2>&1 &&
        found=$(uv python find --no-project --no-python-downloads '>=3.12' 2>/dev/null) && is_usable; then
        return 0
    fi
    if [ -n "$lacking" ]; then
        echo "claw: $lacking" >&2
    else
        echo "claw: no Python 3.12 or newer found: install one, e.g. apt-get install python3-full (Debian 13, Ubuntu 24.04 and later), brew install python@3.13, pyenv install 3.13 or uv python install 3.13" >&2
    fi
    return 1
}

is_usable() {
    found=$(command -v "$found") || return 1
    lack=$("$found" -I -c '
import sys
if sys.version_info < (3, 12) or sys.implementation.name != "cpython":
    sys.exit(1)
import importlib
lacks = []
for name in ("venv", "ensurepip", "ssl", "sqlite3", "ctypes", "zlib"):
    try:
        importlib.import_module(name)
    except ImportError:
        lacks.append(name)
print(", ".join(lacks))' 2>/dev/null) || return 1
    [ -n "$lack" ] || return 0
    : "${lacking:=$found lacks $lack: install the rest of it (Debian, Ubuntu: apt-get install python3-venv)}"
    return 1
}
