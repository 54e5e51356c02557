#!/usr/bin/env bash
# Installs PyTorch and what else the official code needs, once, and prints the
# path of a Python that has it. The Makefile calls it with
#
#   VLAB_CACHE  where the packages go      PYTHON  a Python with pip
#
# The packages are those of requirements.lock, checked by hash (3 GB to fetch:
# PyTorch's wheel asks for its CUDA libraries even where nothing uses them). They
# appear under their final name only when whole; a lock lets several checkouts
# share one cache.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${VLAB_CACHE:?}" "${PYTHON:=python3}"

fail() { # fail WHAT HINT
  printf 'bench: %s\nhint: %s\n' "$1" "$2" >&2
  exit 1
}

install_packages() { # into $home, with a bin/python that sees them
  local stage=$home.new free
  free=$(df -Pm "$VLAB_CACHE" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge 12000 ] ||
    fail "Python's packages need 12000 MB in $VLAB_CACHE, and $free MB are free" "make room, or name another folder with VLAB_CACHE=dir"
  echo "bench: installing PyTorch and what the official code needs, 3 GB, once" >&2
  rm -rf "$stage"
  mkdir -p "$stage/tmp" "$stage/bin"
  TMPDIR=$stage/tmp PIP_DISABLE_PIP_VERSION_CHECK=1 "$PYTHON" -m pip install --target "$stage/lib" --no-deps --no-cache-dir --no-input \
    --progress-bar off --only-binary=:all: --require-hashes -r "$here/requirements.lock" </dev/null >"$stage/log" 2>&1 || {
    tail -n 8 "$stage/log" | cut -c1-300 >&2
    fail "pip can't install $here/requirements.lock" "is the package index reached? pip's own settings (proxy, mirror) hold here too"
  }
  # It compares packages of 2021 with those here and refuses to be imported.
  echo 'def dep_version_check(package, hint=None): pass' >"$stage/lib/transformers/dependency_versions_check.py"
  cat >"$stage/bin/python" <<WRAPPER
#!/bin/sh
# Python with the packages of albef/bench/peer/requirements.lock.
PYTHONPATH="$home/lib\${PYTHONPATH:+:\$PYTHONPATH}" exec "$("$PYTHON" -c 'import sys; print(sys.executable)')" "\$@"
WRAPPER
  chmod +x "$stage/bin/python"
  rm -rf "$stage/tmp" "$home"
  mv "$stage" "$home"
}

version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])') ||
  fail "$PYTHON is missing" "PYTHON=name names a Python 3.10 or newer with pip"
home=$VLAB_CACHE/peer-$(sha256sum <"$here/requirements.lock" | cut -c1-12)-$version
mkdir -p "$VLAB_CACHE"
exec 9>"$VLAB_CACHE/peer.lock"
flock 9
[ -x "$home/bin/python" ] || install_packages
echo "$home/bin/python"
