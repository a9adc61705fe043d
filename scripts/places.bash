# Where this checkout's dependencies are, as in places.py, for the shell scripts that source this file.
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
deps="${SHOPSTREAM_DEPS:-$root/.deps}"
# Absolute, so that it means the same to programs that start elsewhere. Set-up may have made .deps a link.
[[ -z "${SHOPSTREAM_DEPS:-}" && -L "$deps" ]] && deps="$(readlink -f "$deps")"
[[ "$deps" == /* ]] || deps="$PWD/$deps"
export SHOPSTREAM_DEPS="$deps"
