"""JupyterLab in a headless Chromium, as a person uses it: lab.py OUT.

LAB_PYTHON is the Python that has JupyterLab; the kernel is found by JUPYTER_PATH. The
screenshots go to OUT. It ends with OK, or with the step that failed.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from playwright.sync_api import expect, sync_playwright

HERE = pathlib.Path(__file__).parent
STEP = 120_000  # ms that a step may take on a busy machine

# The cells of a notebook of its own, for what the tour doesn't do.
CELLS = [
    'kept := 41\nrun := lab.Pretrain(ctx, lab.Config{Preset: "tiny", Steps: 100000, Set: map[string]string{"batch_size": "4"}})',
    "fmt.Println(kept, run.Wait() == nil)",
    "for { }",
    "kept + 1",
    's := widgets.IntSlider("layer", 2, 5, 3)\nsays := widgets.HTML("not moved")\ns.OnChange(func(v int) { says.Set(fmt.Sprint("moved to ", v)) })\nwidgets.VBox(s, says)',
    "",
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def notebook(cells):
    return {
        "cells": [{"cell_type": "code", "id": f"c{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": text}
                  for i, text in enumerate(cells)],
        "metadata": {"kernelspec": {"display_name": "Go (vlab)", "language": "go", "name": "vlab"}},
        "nbformat": 4, "nbformat_minor": 5,
    }


class Lab:
    """One open notebook."""

    def __init__(self, page, out):
        self.page, self.out = page, out
        page.set_default_timeout(STEP)

    def open(self, base, name):
        self.page.goto(f"{base}/lab/tree/{name}?token=x&reset")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
        for answer in ("Decline", "No"):  # what JupyterLab asks at its first start
            try:
                self.page.get_by_text(answer, exact=True).click(timeout=1000)
            except Exception:
                pass

    def menu(self, *names):
        for name in names:
            self.page.get_by_text(name, exact=True).first.click()

    def cell(self, i):
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(i)

    def run(self, i):
        self.cell(i).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")

    def runs(self, i):
        expect(self.cell(i).locator(".jp-InputPrompt")).to_have_text("[*]:", timeout=STEP)

    def ended(self, i):
        expect(self.cell(i).locator(".jp-InputPrompt")).not_to_have_text("[*]:", timeout=STEP)
        expect(self.cell(i).locator(".jp-InputPrompt")).not_to_have_text("[ ]:", timeout=STEP)

    def shot(self, name):
        self.page.screenshot(path=self.out / f"{name}.png")
        print(f"{name}.png", flush=True)


def tour(lab, base):
    """All cells run, and a word that is pointed at changes the picture."""
    lab.open(base, "tour.ipynb")
    lab.menu("Run", "Run All Cells")
    lab.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="busy"]')
    lab.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    assert lab.page.locator('.jp-RenderedText[data-mime-type="application/vnd.jupyter.stderr"]:has-text("error")').count() == 0
    words = lab.page.locator(".vlab-words").last
    words.scroll_into_view_if_needed()
    canvas = lab.page.locator(".vlab-live canvas").last
    words.get_by_role("button", name="whole text").hover()
    before = canvas.screenshot()
    words.get_by_role("button", name="square").hover()
    assert canvas.screenshot() != before, "the map of a word is the text's"
    lab.shot("explorer")
    words.get_by_role("button", name="whole text").focus()
    whole = canvas.screenshot()
    lab.page.keyboard.press("ArrowRight")
    assert canvas.screenshot() != whole, "an arrow key shows no other map"
    lab.page.locator(".vlab-head").last.select_option("0")
    lab.shot("explorer-head")


def training(lab, base):
    """A button stops training, an interrupt a loop; variables stay."""
    lab.open(base, "own.ipynb")
    lab.run(0)
    stop = lab.page.get_by_role("button", name="Stop training")
    stop.wait_for()
    time.sleep(3)
    lab.shot("training")
    stop.click()
    lab.ended(0)
    lab.run(1)
    expect(lab.cell(1).locator(".jp-OutputArea-output").last).to_have_text("41 true\n", timeout=STEP)
    lab.shot("stopped")
    lab.run(2)
    lab.runs(2)
    lab.menu("Kernel", "Interrupt Kernel")
    lab.ended(2)
    expect(lab.cell(2).locator(".jp-OutputArea")).to_contain_text("interrupted")
    lab.run(3)
    expect(lab.cell(3).locator(".jp-OutputArea-output").last).to_contain_text("42", timeout=STEP)
    lab.shot("interrupted")


def widgets(lab):
    """A slider tells its cell."""
    lab.run(4)
    lab.ended(4)
    handle = lab.cell(4).locator(".noUi-handle")
    handle.wait_for()
    handle.focus()
    lab.page.keyboard.press("ArrowRight")
    expect(lab.cell(4).locator(".jp-OutputArea")).to_contain_text("moved to 4", timeout=STEP)
    lab.shot("slider")


def typing(lab):
    """Tab completes, shift+tab describes."""
    last = lab.cell(5).locator(".cm-content")
    last.click()
    lab.page.keyboard.type("strings.Rep")
    lab.page.keyboard.press("Tab")
    completer = lab.page.locator(".jp-Completer")
    completer.get_by_text("Repeat", exact=True).wait_for()
    lab.shot("tab")
    completer.get_by_text("Repeat", exact=True).click()
    expect(last).to_have_text("strings.Repeat")
    lab.page.keyboard.press("Shift+Tab")
    expect(lab.page.locator(".jp-Tooltip")).to_contain_text("func strings.Repeat(s string, count int) string", timeout=STEP)
    lab.shot("shift-tab")
    lab.page.keyboard.press("Escape")


def restart(lab):
    """A restarted kernel knows no variables."""
    lab.menu("Kernel", "Restart Kernel…")
    lab.page.get_by_role("button", name="Confirm Kernel Restart").click()
    time.sleep(2)
    lab.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    lab.run(3)
    expect(lab.cell(3).locator(".jp-OutputArea")).to_contain_text("undefined: kept", timeout=STEP)
    lab.shot("restarted")


def main():
    out = pathlib.Path(sys.argv[1]).absolute()
    out.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp())
    shutil.copy(HERE / "tour.ipynb", folder)
    (folder / "own.ipynb").write_text(json.dumps(notebook(CELLS)))
    base = f"http://127.0.0.1:{(port := free_port())}"
    server = subprocess.Popen([
        os.environ["LAB_PYTHON"], "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=x",
        f"--ServerApp.root_dir={folder}"], stdout=subprocess.DEVNULL, stderr=(folder / "log").open("w"))
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{base}/api?token=x", timeout=1)
                break
            except OSError:
                time.sleep(0.5)
        with sync_playwright() as p:
            browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1180, "height": 1060})
            lab = Lab(page, out)
            try:
                tour(lab, base)
                training(lab, base)
                widgets(lab)
                typing(lab)
                restart(lab)
            except Exception:
                lab.shot("failed")
                print((folder / "log").read_text()[-3000:], file=sys.stderr)
                raise
            browser.close()
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)
    print("OK")


if __name__ == "__main__":
    main()
