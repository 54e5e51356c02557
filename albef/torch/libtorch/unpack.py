"""Unpacks what vlab needs of PyTorch's and NVIDIA's wheels, and moves it into place.

usage: unpack.py STAGE DEST WHEEL...

Everything is unpacked to STAGE first. Where DEST does not exist STAGE becomes it
in one rename; otherwise file after file is renamed over, so that a program that
runs with the old libraries keeps them and none is ever seen half written.
"""

import os
import re
import shutil
import sys
import zipfile

WANTED = re.compile(r"torch/(lib|include)/|torch-[^/]*\.dist-info/|nvidia/[^/]+/lib/")


def unpack(wheel, stage):
    with zipfile.ZipFile(wheel) as z:
        names = [n for n in z.namelist() if WANTED.match(n)]
        if not names:
            sys.exit(f"{wheel} holds neither torch/ nor nvidia/*/lib")
        for name in names:
            z.extract(name, stage)


def merge(stage, dest):
    for folder, _, files in os.walk(stage):
        target = os.path.normpath(os.path.join(dest, os.path.relpath(folder, stage)))
        os.makedirs(target, exist_ok=True)
        for name in files:
            os.replace(os.path.join(folder, name), os.path.join(target, name))


def main(stage, dest, *wheels):
    os.makedirs(stage)
    for wheel in wheels:
        unpack(wheel, stage)
    if os.path.exists(dest):
        merge(stage, dest)
        shutil.rmtree(stage)
    else:
        os.rename(stage, dest)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (OSError, zipfile.BadZipFile) as e:
        sys.exit(f"unpack: {e}")
