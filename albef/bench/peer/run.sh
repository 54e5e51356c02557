#!/usr/bin/env bash
# Times the official code and vlab by turns, and compares their results. The
# Makefile calls it with the build environment (`make env`) and with
#
#   ALBEF_OFFICIAL  a checkout of the official code
#   VLAB_CACHE, PYTHON  as setup.sh has them
#
# usage: run.sh [flags of albef/bench/peer, see --help]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)

fail() { # fail WHAT HINT
  printf 'bench-peer: %s\nhint: %s\n' "$1" "$2" >&2
  exit 1
}

check_official() {
  [ -n "${ALBEF_OFFICIAL:-}" ] ||
    fail "ALBEF_OFFICIAL names no checkout of the official code" \
      "clone salesforce/ALBEF from GitHub, git checkout b9727e43, and name the folder: ALBEF_OFFICIAL=dir"
  ALBEF_OFFICIAL=$(cd "$ALBEF_OFFICIAL" 2>/dev/null && pwd) || fail "$ALBEF_OFFICIAL is no folder" "ALBEF_OFFICIAL names a checkout"
  (cd "$ALBEF_OFFICIAL" && sha256sum --check --quiet "$here/official.sha256" 2>/dev/null) >&2 ||
    fail "$ALBEF_OFFICIAL isn't the official code at commit b9727e43" "git -C $ALBEF_OFFICIAL checkout b9727e43"
}

check_official
python=$("$here/setup.sh")
cd "$root"
go build -o bin/ ./albef/bench/peer
exec bin/peer --python "$python" --official "$ALBEF_OFFICIAL" --vlab bin/vlab "$@"
