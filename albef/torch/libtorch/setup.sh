#!/usr/bin/env bash
# Sets up what vlab is built and tested with: system packages, libtorch, the
# Python parts of the kernel's tests, gotch compiled against libtorch. The
# Makefile calls it with the build environment (`make env`) and with
#
#   VLAB_CACHE   where everything goes      LIBTORCH_HOME  libtorch's folder in it
#   LIBTORCH     a libtorch that is there   CUDA=1         the CUDA libraries too
#   PYTHON       a Python with pip          SUDO           what apt-get is run with
#   VLAB_PYTHON  the Python that tests use  PYTHON_HOME    its packages' folder
#
# usage: setup.sh [system|libtorch|python|lab|browser|gotch ...]
#
# What is there already is left alone without a word. Long steps say a line on
# stderr. Downloads are checked by hash (pip does), and appear under their final
# name only when whole. A lock lets several checkouts share one cache.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
: "${VLAB_CACHE:?}" "${LIBTORCH_HOME:?}" "${PYTHON:=python3}"
scratch=$VLAB_CACHE/tmp
beat=

say() { printf '%s\n' "$*" >&2; }

fail() { # fail WHAT HINT
  printf 'setup: %s\nhint: %s\n' "$1" "$2" >&2
  exit 1
}

# lock waits for other checkouts that fill the same cache, and clears what a
# run that was cut off has left.
lock() {
  [ -z "${locked:-}" ] || return 0
  mkdir -p "$VLAB_CACHE" 2>/dev/null || true
  [ -w "$VLAB_CACHE" ] ||
    fail "$VLAB_CACHE can't be written" "VLAB_CACHE=dir names another cache folder"
  command -v flock >/dev/null || fail "flock is missing" "apt-get install util-linux"
  exec 9>"$VLAB_CACHE/lock"
  flock -n 9 || { say "setup: waiting for another checkout's setup"; flock 9; }
  locked=yes
  rm -rf "$scratch"
  mkdir "$scratch"
  trap 'stop_beat; rm -rf "$scratch"' EXIT
}

need_space() { # need_space MB WHAT
  local free
  free=$(df -Pm "$VLAB_CACHE" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$1" ] ||
    fail "$2: needs $1 MB in $VLAB_CACHE, and $free MB are free" "make room, or name another folder with VLAB_CACHE=dir"
}

need_pip() {
  command -v "$PYTHON" >/dev/null || fail "$PYTHON is missing" "apt-get install python3 python3-pip, or PYTHON=name"
  "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 8))' ||
    fail "$PYTHON is older than 3.8" "PYTHON=name names another one"
  "$PYTHON" -m pip --version >/dev/null 2>&1 ||
    fail "$PYTHON has no pip" "apt-get install python3-pip, or PYTHON=name of a Python that has it"
}

start_beat() { # start_beat WHAT: a line every 20 s with the bytes so far
  (
    exec 9>&-
    while sleep 20 >&- 2>&-; do say "$1: $(du -sm "$scratch" | cut -f1) MB so far"; done
  ) &
  beat=$!
}

stop_beat() {
  [ -z "$beat" ] || kill "$beat" 2>/dev/null || true
  beat=
}

# pip runs pip up to three times, for a line may be cut; a wrong hash or a full
# disk won't get better. Its temporary files stay in the cache folder; what it
# says is kept in memory, where a full disk doesn't cut it.
pip() { # pip WHAT ARGUMENT...
  local what=$1 said try
  shift
  for try in 1 2 3; do
    [ "$try" = 1 ] || { say "$what: cut off, trying again"; sleep $((try * 3)); }
    start_beat "$what"
    if said=$(TMPDIR=$scratch LC_ALL=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1 "$PYTHON" -m pip "$@" --no-cache-dir --no-input \
      --retries 2 --progress-bar off --only-binary=:all: --require-hashes </dev/null 2>&1); then
      stop_beat
      return
    fi
    stop_beat
    case $said in
    *'DO NOT MATCH THE HASHES'*) pip_failed "$what: wrong hash" \
      "what came is not what the project pinned: look at the index or proxy that pip is configured for" ;;
    *'No space left'*) pip_failed "$what: the disk is full" "make room, or name another folder with VLAB_CACHE=dir" ;;
    *'no such option'*) pip_failed "$what: this pip is too old" "pip 20.3 or newer is needed: $PYTHON -m pip install -U pip" ;;
    esac
  done
  pip_failed "$what: pip can't fetch it" "is the package index reached? pip's own settings (proxy, mirror) hold here too"
}

pip_failed() {
  printf '%s\n' "$said" | tail -n 8 | cut -c1-300 >&2
  fail "$1" "$2"
}

# fetch brings a list's wheels to a folder, one at a time. What an earlier run
# left there and has one of the list's hashes is kept, the rest goes.
fetch() { # fetch LIST FOLDER
  local line name file have=
  for file in "$2"/*.whl; do
    [ -e "$file" ] || continue
    name=$(sha256sum <"$file" | cut -d' ' -f1)
    if grep -q "sha256:$name" "$1"; then have="$have $name"; else say "libtorch: $file is broken, fetching it again"; rm "$file"; fi
  done
  while IFS= read -r line; do
    name=${line##*sha256:}
    case $have in *"${name%% *}"*) continue ;; esac
    printf '%s\n' "${line%% #*}" >"$scratch/wheel.txt"
    name=${line%% *}
    say "libtorch: downloading ${name/==/ } (${line##*# })"
    pip "${name%%==*}" download --no-deps --dest "$2" -r "$scratch/wheel.txt" \
      --python-version 3.11 --implementation cp --abi cp311 --abi none \
      --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_25_x86_64 \
      --platform manylinux_2_18_x86_64 --platform manylinux2014_x86_64
  done < <(grep '==' "$1")
}

# take fetches a list's wheels, unpacks them to LIBTORCH_HOME and marks it done.
take() { # take NAME MB
  local wheels=$VLAB_CACHE/$1
  need_space "$2" libtorch
  need_pip
  fetch "$here/$1.txt" "$wheels"
  say "libtorch: unpacking"
  "$PYTHON" "$here/unpack.py" "$scratch/stage" "$LIBTORCH_HOME" "$wheels"/*.whl ||
    fail "the wheels in $wheels can't be unpacked" "the reason stands above; make setup starts this step anew"
  touch "$(stamp "$1")"
  rm -rf "$wheels"
}

# stamp names the empty file that says that a list's wheels are in place.
stamp() { printf '%s/.%s-%s' "$LIBTORCH_HOME" "$1" "$(sed -n 's/ *#.*//; /==/p' "$here/$1.txt" | sha256sum | cut -c1-12)"; }

# setup_system installs libjpeg's header and a C++ compiler where they are missing.
setup_system() {
  local missing=()
  command -v g++ >/dev/null || missing+=(g++)
  printf '#include <stdio.h>\n#include <jpeglib.h>\n' | gcc -E -x c - >/dev/null 2>&1 || missing+=(libjpeg-dev)
  command -v gcc >/dev/null || missing+=(gcc)
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null ||
    fail "missing: ${missing[*]}" "install them (Debian's names) with this system's package manager"
  lock
  say "system packages: installing ${missing[*]}"
  apt "${missing[@]}" || { apt_update && apt "${missing[@]}"; } || {
    tail -n 5 "$scratch/apt.log" >&2
    fail "apt-get can't install ${missing[*]}" "install them by hand, or run make setup as a user who may"
  }
}

apt() { ${SUDO:-} env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >"$scratch/apt.log" 2>&1; }
apt_update() { ${SUDO:-} apt-get update >"$scratch/apt.log" 2>&1; }

setup_libtorch() {
  [ "$(uname -sm)" = "Linux x86_64" ] || [ -n "${LIBTORCH:-}" ] ||
    fail "libtorch is pinned for Linux on x86-64, and this is $(uname -sm)" "LIBTORCH=dir names a libtorch 2.11 for this machine"
  if [ -n "${LIBTORCH:-}" ]; then
    check_libtorch
  else
    [ -e "$(stamp wheels)" ] || { lock && [ -e "$(stamp wheels)" ]; } || take wheels 1800
    [ "${CUDA:-}" != 1 ] || [ -e "$(stamp cuda-wheels)" ] || { lock && [ -e "$(stamp cuda-wheels)" ]; } || take cuda-wheels 5000
  fi
  cmp -s "$here/compat.h" "$LIBTORCH_HOME/stub/compat.h" || stubs
}

# stubs writes the forced header and an empty archive for each library that
# gotch's cgo flags name and that vlab loads at run time, or not at all.
stubs() {
  local dir=$LIBTORCH_HOME/stub name
  lock
  mkdir -p "$dir"
  for name in cuda cudart cublas cudnn caffe2_nvrtc nvrtc-builtins nvrtc nvToolsExt c10_cuda torch_cuda torch; do
    printf '!<arch>\n' >"$dir/lib$name.a"
  done
  cp "$here/compat.h" "$scratch/compat.h"
  mv "$scratch/compat.h" "$dir/compat.h"
}

# check_libtorch looks at the person's own libtorch: the folder of the zip, or
# Python's torch package.
check_libtorch() {
  local header version want missing
  want=$(sed -n 's/^torch==\([0-9]*\.[0-9]*\)\..*/\1/p' "$here/wheels.txt")
  [ -e "$LIBTORCH/lib/libtorch_cpu.so" ] ||
    fail "LIBTORCH=$LIBTORCH has no lib/libtorch_cpu.so" "name the folder that holds libtorch's lib/ and include/, or leave LIBTORCH empty"
  for header in "$LIBTORCH/include/torch/headeronly/version.h" "$LIBTORCH/include/torch/csrc/api/include/torch/version.h"; do
    [ ! -e "$header" ] || version=${version:-$(sed -n 's/^#define TORCH_VERSION_M[AI][JN]OR \([0-9]*\).*/\1/p' "$header" | paste -sd.)}
  done
  [ "${version:-}" = "$want" ] ||
    fail "LIBTORCH=$LIBTORCH is version ${version:-unknown}, and gotch is built against $want here" \
      "leave LIBTORCH empty: make setup then fetches $want; or name a libtorch $want"
  missing=$(ldd "$LIBTORCH/lib/libtorch_cpu.so" | awk '/not found/ { print $1 }' | paste -sd' ')
  [ -z "$missing" ] ||
    fail "LIBTORCH=$LIBTORCH: its libtorch_cpu.so doesn't find $missing" "put them beside it, or on LD_LIBRARY_PATH"
}

# packages installs a locked list of Python packages to a folder, with a bin/python that sees them.
packages() { # packages FOLDER LOCK WHAT
  local version
  version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || need_pip
  [ "$(cat "$1/.python" 2>/dev/null)" != "$version" ] || return 0
  lock
  need_pip
  "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    fail "$3: needs Python 3.10 or newer, and $PYTHON is $version" "PYTHON=name names another one, VLAB_PYTHON=name one that has the packages of $2"
  need_space 600 "$3"
  say "$3: installing for Python $version"
  pip "$3" install --target "$scratch/python/lib" -r "$2"
  mkdir "$scratch/python/bin"
  cat >"$scratch/python/bin/python" <<WRAPPER
#!/bin/sh
# Python with the packages of $(basename "$2").
PYTHONPATH="$1/lib\${PYTHONPATH:+:\$PYTHONPATH}" exec "$("$PYTHON" -c 'import sys; print(sys.executable)')" "\$@"
WRAPPER
  chmod +x "$scratch/python/bin/python"
  printf '%s\n' "$version" >"$scratch/python/.python"
  rm -rf "$1"
  mv "$scratch/python" "$1"
}

setup_python() {
  [ -z "${VLAB_PYTHON:-}" ] || [ "$VLAB_PYTHON" = "$PYTHON_HOME/bin/python" ] || return 0
  packages "$PYTHON_HOME" "$root/kernel/requirements.lock" "Python parts of the kernel's tests"
}

# setup_browser installs what drives a browser, and Chromium where it is missing.
setup_browser() {
  packages "$BROWSER_HOME" "$root/kernel/requirements-browser.lock" "the driver of a browser"
  ! command -v chromium >/dev/null || return 0
  command -v apt-get >/dev/null || fail "chromium is missing" "install it with this system's package manager"
  lock
  say "system packages: installing chromium"
  apt chromium || { apt_update && apt chromium; } || {
    tail -n 5 "$scratch/apt.log" >&2
    fail "apt-get can't install chromium" "install it by hand, or run make test-lab as a user who may"
  }
}

setup_lab() { packages "$LAB_HOME" "$root/kernel/requirements-lab.lock" "JupyterLab"; }

# setup_gotch compiles gotch's C++, whose result Go's build cache keeps.
setup_gotch() {
  local stale
  command -v go >/dev/null || fail "go is missing" "install Go $(sed -n 's/^go //p' "$root/go.mod") or newer and put it on the PATH"
  cd "$root"
  stale=$(go list -f '{{.Stale}}' github.com/sugarme/gotch/libtch) ||
    fail "Go can't load gotch" "is the Go module proxy reached? GOPROXY and GOFLAGS=-mod hold here too"
  [ "$stale" = true ] || return 0
  lock
  say "gotch: compiling against libtorch, about 3 minutes, once"
  go build github.com/sugarme/gotch/libtch ||
    fail "gotch doesn't compile" "the compiler's reason stands above; it needs g++ with C++17 and 2 GB of memory"
}

for part in "${@:-system libtorch python gotch}"; do
  for one in $part; do "setup_$one"; done
done
