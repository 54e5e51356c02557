"""What a front end relies on, asked of a kernel over the language of fake_test.go."""

import base64
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import nbclient
import nbformat
import zmq
from jupyter_client.manager import KernelManager

TIMEOUT = 20


class Kernel(unittest.TestCase):
    transport = "tcp"

    @classmethod
    def setUpClass(cls):
        cls.log = tempfile.TemporaryFile()
        cls.folder = tempfile.TemporaryDirectory()
        cls.km = KernelManager(kernel_name="vlab-test", transport=cls.transport)
        if cls.transport == "ipc":
            cls.km.ip = os.path.join(cls.folder.name, "k")
        cls.km.start_kernel(stderr=cls.log)
        cls.kc = cls.km.client()
        cls.kc.start_channels()
        cls.kc.wait_for_ready(timeout=TIMEOUT)

    @classmethod
    def tearDownClass(cls):
        cls.kc.stop_channels()
        cls.km.shutdown_kernel(now=True)
        cls.log.close()
        cls.folder.cleanup()

    def stderr(self):
        self.log.seek(0)
        return self.log.read().decode()

    def outputs(self, msg_id, kc=None):
        """All that is published for a request, from busy to idle."""
        kc, messages = kc or self.kc, []
        while True:
            msg = kc.get_iopub_msg(timeout=TIMEOUT)
            if msg["parent_header"].get("msg_id") != msg_id:
                continue
            messages.append(msg)
            if msg["content"].get("execution_state") == "idle":
                return messages

    def reply(self, msg_id, kc=None):
        while True:
            msg = (kc or self.kc).get_shell_msg(timeout=TIMEOUT)
            if msg["parent_header"].get("msg_id") == msg_id:
                return msg

    def run_cell(self, code, **options):
        msg_id = self.kc.execute(code, **options)
        return self.reply(msg_id)["content"], self.outputs(msg_id)

    def control(self, msg_type, content=None, kc=None):
        kc = kc or self.kc
        kc.control_channel.send(msg := kc.session.msg(msg_type, content or {}))
        while True:
            reply = kc.get_control_msg(timeout=TIMEOUT)
            if reply["parent_header"].get("msg_id") == msg["header"]["msg_id"]:
                return reply


def await_output(kc, msg_id, msg_type):
    """Take messages until one of a type comes for a request."""
    while True:
        msg = kc.get_iopub_msg(timeout=TIMEOUT)
        if msg["parent_header"].get("msg_id") == msg_id and msg["msg_type"] == msg_type:
            return


def kinds(messages):
    return [m["content"].get("execution_state") or m["msg_type"] for m in messages]


class Common(Kernel):
    def test_order_of_a_cell(self):
        code = "print a\neprint b\nprint c\npng\nprint d\nclear wait\nvalue 42"
        reply, messages = self.run_cell(code)
        self.assertEqual(reply["status"], "ok")
        self.assertEqual(kinds(messages), [
            "busy", "execute_input", "stream", "stream", "stream", "display_data", "stream",
            "clear_output", "execute_result", "idle"])
        texts = [(m["content"]["name"], m["content"]["text"]) for m in messages if m["msg_type"] == "stream"]
        self.assertEqual(texts, [("stdout", "a\n"), ("stderr", "b\n"), ("stdout", "c\n"), ("stdout", "d\n")])
        png = messages[5]["content"]["data"]["image/png"]
        self.assertTrue(base64.b64decode(png).startswith(b"\x89PNG\r\n"))
        self.assertEqual(messages[7]["content"], {"wait": True})
        self.assertEqual(messages[8]["content"]["execution_count"], reply["execution_count"])

    def test_heartbeat(self):
        with zmq.Context() as context, context.socket(zmq.REQ) as beat:
            beat.linger = 0
            beat.connect(self.km._make_url("hb"))
            beat.send(b"ping")
            self.assertTrue(beat.poll(TIMEOUT * 1000))
            self.assertEqual(beat.recv(), b"ping")

    def test_interrupt_message(self):
        msg_id = self.kc.execute("loop")
        await_output(self.kc, msg_id, "execute_input")
        started = time.monotonic()
        self.assertEqual(self.control("interrupt_request")["content"]["status"], "ok")
        self.assertEqual(self.reply(msg_id)["content"]["ename"], "interrupted")
        self.assertLess(time.monotonic() - started, 1)
        self.assertEqual(self.run_cell("value 1")[0]["status"], "ok")


class Ipc(Common):
    transport = "ipc"


class Tcp(Common):
    def test_output_arrives_while_a_cell_runs(self):
        msg_id = self.kc.execute("print early\nloop")
        await_output(self.kc, msg_id, "stream")
        self.control("interrupt_request")
        self.reply(msg_id)

    def test_updates(self):
        _, messages = self.run_cell("show a one\nupdate a two")
        shown = [(m["msg_type"], m["content"]["transient"]) for m in messages if "data" in m["content"]]
        self.assertEqual(shown, [
            ("display_data", {"display_id": "a"}), ("update_display_data", {"display_id": "a"})])

    def test_errors(self):
        for code, name, text in (
            ("nonsense", "compile error", "1 | nonsense"),
            ("panic at noon", "panic", "at noon"),
            ("plain-error no disk", "error", "no disk"),
            ("crash exit 3", "session ended", "lost: x, y"),
        ):
            with self.subTest(code):
                reply, messages = self.run_cell(code)
                self.assertEqual((reply["status"], reply["ename"]), ("error", name))
                self.assertEqual(kinds(messages), ["busy", "execute_input", "error", "idle"])
                self.assertIn(text, "\n".join(messages[2]["content"]["traceback"]))

    def test_error_aborts_what_waits(self):
        ids = [self.kc.execute(code) for code in ("value 1", "nonsense", "value 2", "value 3")]
        self.assertEqual([self.reply(i)["content"]["status"] for i in ids], ["ok", "error", "aborted", "aborted"])
        self.assertEqual(self.run_cell("value 4")[0]["status"], "ok")
        ids = [self.kc.execute(code, stop_on_error=False) for code in ("nonsense", "value 2")]
        self.assertEqual([self.reply(i)["content"]["status"] for i in ids], ["error", "ok"])

    def test_silent_and_unstored_cells(self):
        before = self.run_cell("value 1")[0]["execution_count"]
        reply, messages = self.run_cell("print x\npng\nvalue 2", silent=True)
        self.assertEqual((reply["status"], kinds(messages)), ("ok", ["busy", "idle"]))
        _, messages = self.run_cell("value unstored", store_history=False)
        self.assertIn("execute_result", kinds(messages))
        self.assertEqual(self.run_cell("value 3")[0]["execution_count"], before + 1)
        msg_id = self.kc.history(raw=True, output=True, hist_access_type="tail", n=2)
        self.assertEqual([h[2] for h in self.reply(msg_id)["content"]["history"]],
                         [["value 1", "1"], ["value 3", "3"]])

    def test_user_expressions(self):
        reply, _ = self.run_cell("", user_expressions={"a": "value 7", "b": "nonsense"})
        self.assertEqual(reply["user_expressions"]["a"]["data"], {"text/plain": "7"})
        self.assertEqual(reply["user_expressions"]["b"]["ename"], "compile error")

    def test_input(self):
        msg_id = self.kc.execute("print first\ninput name?", allow_stdin=True)
        question = self.kc.get_stdin_msg(timeout=TIMEOUT)
        self.assertEqual(question["content"], {"prompt": "name?", "password": False})
        self.assertEqual(question["parent_header"]["msg_id"], msg_id)
        self.kc.input("Ann")
        self.assertEqual(self.reply(msg_id)["content"]["status"], "ok")
        text = [m["content"]["text"] for m in self.outputs(msg_id) if m["msg_type"] == "stream"]
        self.assertEqual("".join(text), "first\ngot Ann\n")

    def test_input_refused_and_interrupted(self):
        reply, _ = self.run_cell("input name?", allow_stdin=False)
        self.assertIn("does not take any", reply["evalue"])
        msg_id = self.kc.execute("input name?", allow_stdin=True)
        self.kc.get_stdin_msg(timeout=TIMEOUT)
        self.control("interrupt_request")
        self.assertEqual(self.reply(msg_id)["content"]["ename"], "interrupted")

    def test_sigint(self):
        msg_id = self.kc.execute("loop")
        await_output(self.kc, msg_id, "execute_input")
        os.kill(self.km.provisioner.pid, signal.SIGINT)
        self.assertEqual(self.reply(msg_id)["content"]["ename"], "interrupted")

    def test_interrupt_of_inspect(self):
        msg_id = self.kc.inspect("hang")
        await_output(self.kc, msg_id, "status")
        time.sleep(0.2)  # busy comes a moment before the call that is to be interrupted
        self.control("interrupt_request")
        self.assertEqual(self.reply(msg_id)["content"]["status"], "error")

    def test_cursor_in_code_points(self):
        code = "𝒜é pr = x"
        content = self.reply(self.kc.complete(code, 5))["content"]
        self.assertEqual((content["matches"], content["cursor_start"], content["cursor_end"]), (["print"], 3, 5))
        content = self.reply(self.kc.inspect("print é", 7))["content"]
        self.assertEqual(content["data"], {"text/plain": "print, byte 8"})
        self.assertFalse(self.reply(self.kc.inspect("nothing"))["content"]["found"])

    def test_is_complete(self):
        content = self.reply(self.kc.is_complete("if {"))["content"]
        self.assertEqual(content, {"status": "incomplete", "indent": "\t"})

    def test_kernel_info_on_control(self):
        info = self.control("kernel_info_request")["content"]
        self.assertEqual((info["status"], info["language_info"]["mimetype"]), ("ok", "text/x-go"))

    def test_comms_and_unknown_requests(self):
        self.assertEqual(self.reply(self.kc.comm_info())["content"]["comms"], {})
        msg = self.kc.session.msg("comm_open", {"comm_id": "c1", "target_name": "t", "data": {}})
        self.kc.shell_channel.send(msg)
        self.assertEqual(kinds(self.outputs(msg["header"]["msg_id"])), ["busy", "comm_close", "idle"])
        self.assertEqual(self.control("debug_request")["content"]["status"], "error")

    def test_forged_and_broken_messages_are_dropped(self):
        self.kc.session.key, key = b"forged", self.kc.session.key
        self.kc.execute("print forged")
        self.kc.session.key = key
        with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
            dealer.linger = 1000
            dealer.connect(self.km._make_url("shell"))
            dealer.send_multipart([b"junk"])
            dealer.send_multipart([b"<IDS|MSG>", b"", b"{}", b"{}", b"{}", b"{}"])
        _, messages = self.run_cell("print real")
        self.assertNotIn("forged", str(messages))
        deadline = time.monotonic() + TIMEOUT
        while self.stderr().count("drop message") < 3:
            self.assertLess(time.monotonic(), deadline, self.stderr())
            time.sleep(0.01)
        self.assertIn("wrong signature", self.stderr())

    def test_garbage_on_every_socket(self):
        for channel in ("shell", "control", "stdin", "iopub", "hb"):
            with socket.create_connection((self.km.ip, getattr(self.km, channel + "_port"))) as s:
                s.sendall(os.urandom(2000))
        self.assertEqual(self.run_cell("value 1")[0]["status"], "ok")

    def test_large_message(self):
        reply, messages = self.run_cell("print " + "x" * (64 << 20))
        self.assertEqual(reply["status"], "ok")
        self.assertEqual(len(messages[2]["content"]["text"]), (64 << 20) + 1)

    def test_stalled_client_delays_nobody(self):
        lines = 1_000_000  # 90 MB, more than is kept for a client
        context = zmq.Context()
        stalled = context.socket(zmq.SUB)
        stalled.rcvhwm = 1
        stalled.rcvbuf = 4096
        stalled.linger = 0
        stalled.subscribe(b"")
        stalled.connect(self.km._make_url("iopub"))
        stalled.recv_multipart()  # its welcome: from now on it gets all, and reads none
        msg_id = self.kc.execute(f"flood {lines}")
        text = "".join(m["content"].get("text", "") for m in self.outputs(msg_id))
        self.assertEqual(self.reply(msg_id)["content"]["status"], "ok")
        numbers = [int(line.split()[1]) for line in text.splitlines()]
        self.assertEqual(numbers, list(range(lines)))
        self.assertIn("lost_messages", self.revive(stalled))
        context.destroy(linger=0)

    def revive(self, stalled):
        """Read until the kernel notices that messages were lost; what it logged."""
        deadline = time.monotonic() + TIMEOUT
        while "lost_messages" not in self.stderr() and time.monotonic() < deadline:
            if stalled.poll(100):
                stalled.recv_multipart()
        return self.stderr()

    def test_clients_come_and_go(self):
        for _ in range(5):
            other = self.km.client()
            other.start_channels()
            other.wait_for_ready(timeout=TIMEOUT)
            msg_id = other.execute("value 1")
            self.assertEqual(self.reply(msg_id, other)["content"]["status"], "ok")
            other.stop_channels()

    def test_notebook(self):
        cells = [nbformat.v4.new_code_cell(c) for c in ("print hello", "png", "value 42")]
        notebook = nbformat.v4.new_notebook(cells=cells)
        nbclient.NotebookClient(notebook, kernel_name="vlab-test", timeout=TIMEOUT).execute()
        self.assertEqual(notebook.cells[0].outputs[0].text, "hello\n")
        self.assertIn("image/png", notebook.cells[1].outputs[0].data)
        self.assertEqual(notebook.cells[2].outputs[0].data["text/plain"], "42")
        self.assertEqual(notebook.metadata.language_info.pygments_lexer, "go")
        bad = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("nonsense")])
        with self.assertRaises(nbclient.exceptions.CellExecutionError):
            nbclient.NotebookClient(bad, kernel_name="vlab-test", timeout=TIMEOUT).execute()


class Ending(unittest.TestCase):
    def start(self):
        km = KernelManager(kernel_name="vlab-test")
        km.start_kernel()
        self.addCleanup(km.shutdown_kernel, now=True)
        kc = km.client()
        kc.start_channels()
        self.addCleanup(kc.stop_channels)
        kc.wait_for_ready(timeout=TIMEOUT)
        return km, kc

    def end(self, busy_with=None, restart=False):
        """Ask for shutdown; the exit status and how long it took."""
        km, kc = self.start()
        if busy_with:
            await_output(kc, kc.execute(busy_with), "execute_input")
        started = time.monotonic()
        process = km.provisioner.process
        kc.control_channel.send(kc.session.msg("shutdown_request", {"restart": restart}))
        reply = kc.get_control_msg(timeout=TIMEOUT)
        self.assertEqual(reply["content"], {"status": "ok", "restart": restart})
        return process.wait(timeout=TIMEOUT), time.monotonic() - started

    def test_shutdown(self):
        for busy_with, restart in ((None, False), (None, True), ("loop", False)):
            status, took = self.end(busy_with, restart)
            self.assertEqual(status, 0)
            self.assertLess(took, 2.5)

    def test_shutdown_of_a_cell_that_does_not_stop(self):
        status, took = self.end("stubborn")
        self.assertEqual(status, 1)
        self.assertLess(took, 5)

    def test_restart(self):
        km, kc = self.start()
        kc.execute("value 1")
        km.restart_kernel()
        kc.wait_for_ready(timeout=TIMEOUT)
        self.assertEqual(kc.execute_interactive("value 1", timeout=TIMEOUT)["content"]["execution_count"], 1)

    def test_kernel_info_before_anything_else(self):
        km = KernelManager(kernel_name="vlab-test")
        km.start_kernel()
        self.addCleanup(km.shutdown_kernel, now=True)
        kc = km.client()
        kc.start_channels(shell=False, iopub=False, stdin=False, hb=False)
        self.addCleanup(kc.stop_channels)
        kc.control_channel.send(kc.session.msg("kernel_info_request"))
        self.assertEqual(kc.get_control_msg(timeout=TIMEOUT)["content"]["implementation"], "vlab")

    def test_killed_client_leaves_no_kernel(self):
        script = (
            "import os, jupyter_client\n"
            "km = jupyter_client.KernelManager(kernel_name='vlab-test')\n"
            "km.start_kernel()\n"
            "km.blocking_client().start_channels()\n"
            "print(km.provisioner.pid, flush=True)\n"
            "import time; time.sleep(1.5)\n"
            "os.kill(os.getpid(), 9)\n")
        client = subprocess.run([sys.executable, "-W", "ignore", "-c", script], stdout=subprocess.PIPE, check=False)
        pid = int(client.stdout)
        deadline = time.monotonic() + TIMEOUT
        while os.path.exists(f"/proc/{pid}") and not is_zombie(pid):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)


def is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


if __name__ == "__main__":
    suite = unittest.TestSuite()
    for case in (Ipc, Tcp, Ending):
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    raise SystemExit(not result.wasSuccessful())
