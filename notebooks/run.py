"""Runs a notebook with nbclient: run.py NOTEBOOK OUT KERNEL."""
import sys

import nbformat
from nbclient import NotebookClient

notebook, out, kernel = sys.argv[1:]
nb = nbformat.read(notebook, as_version=4)
NotebookClient(nb, timeout=600, kernel_name=kernel).execute()
nbformat.write(nb, out)
