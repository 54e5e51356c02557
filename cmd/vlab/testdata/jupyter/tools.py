"""nbconvert and papermill, which run notebooks with nobody there."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import nbconvert
import nbformat

CELLS = ['fmt.Println("before")', "x := 6 * 7\nx"]


class Tools(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, cells):
        nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        nb.metadata.kernelspec = {"name": "vlab-test", "display_name": "Go", "language": "go"}
        path = self.folder / "n.ipynb"
        nbformat.write(nb, path)
        return path

    def run_tool(self, *args):
        share = pathlib.Path(nbconvert.__file__).parents[1] / "share" / "jupyter"  # its templates, beside the packages
        env = dict(os.environ, JUPYTER_PATH=f"{os.environ['JUPYTER_PATH']}:{share}")
        return subprocess.run([sys.executable, "-W", "ignore", "-m", *map(str, args)], capture_output=True, text=True, env=env, check=False)

    def executed(self, path):
        return [c.outputs[0] for c in nbformat.read(path, as_version=4).cells]

    def check(self, path):
        first, second = self.executed(path)
        self.assertEqual((first.text, second.data["text/plain"]), ("before\n", "42"))

    def test_nbconvert(self):
        done = self.run_tool("nbconvert", "--to", "notebook", "--execute", "--output", "out.ipynb", self.write(CELLS))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check(self.folder / "out.ipynb")
        failed = self.run_tool("nbconvert", "--to", "notebook", "--execute", "--output", "bad.ipynb", self.write([*CELLS, "nonsense"]))
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("undefined: nonsense", failed.stderr)

    def test_html_has_the_explorer(self):
        cells = ['m := lab.Open("demo")', 'img := lab.Scenes(1, 1).Image(0)\nm.Explore(ctx, img, "a red circle")']
        done = self.run_tool("nbconvert", "--to", "html", "--execute", "--output", "out.html", self.write(cells))
        self.assertEqual(done.returncode, 0, done.stderr)
        page = (self.folder / "out.html").read_text()
        self.assertIn("vlab-explorer-1", page)
        done = self.run_tool("nbconvert", "--to", "latex", "--execute", "--output", "out.tex", self.write(cells))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(list((self.folder / "out_files").glob("*.png")), "no picture for print")

    def test_papermill(self):
        done = self.run_tool("papermill", self.write(CELLS), self.folder / "out.ipynb")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check(self.folder / "out.ipynb")
        failed = self.run_tool("papermill", self.write(["nonsense"]), self.folder / "bad.ipynb")
        self.assertNotEqual(failed.returncode, 0)


if __name__ == "__main__":
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(Tools))
    raise SystemExit(not result.wasSuccessful())
