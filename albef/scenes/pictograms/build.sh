#!/usr/bin/env bash
# Makes albef/scenes/pictograms.png anew, from the npm package of which it is.
# usage: albef/scenes/pictograms/build.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
package=emoji-datasource-google-16.0.0.tgz
integrity=ZRexfzs7MVoLnmzZmNsO4TKhnAJp5D++Vm6PpUpH/jEQQlemp3l88CjZ+DoZ2faM9R4QxZkOPJCoT8DlPhfQ3A==
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
(cd "$scratch" && npm pack --silent emoji-datasource-google@16.0.0 >/dev/null)
[ "$(openssl dgst -sha512 -binary "$scratch/$package" | base64 -w0)" = "$integrity" ] ||
  { echo "pictograms: $package isn't what was pinned" >&2; exit 1; }
tar xzf "$scratch/$package" -C "$scratch" package/emoji.json package/img/google/64
go run ./albef/scenes/pictograms "$scratch/package" albef/scenes/pictograms.txt albef/scenes/pictograms.png
