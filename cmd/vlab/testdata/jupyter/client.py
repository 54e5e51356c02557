"""What a person relies on, asked of the whole program as Jupyter starts it."""

import base64
import os
import pathlib
import signal
import time
import unittest

import zmq
from jupyter_client.manager import KernelManager

TIMEOUT = 60


def children(pid):
    """Processes that a process has started."""
    found = []
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Kernel(unittest.TestCase):
    def setUp(self):
        self.km, self.kc = self.start()

    def start(self):
        km = KernelManager(kernel_name="vlab-test")
        km.start_kernel()
        self.addCleanup(km.shutdown_kernel, now=True)
        kc = km.client()
        kc.start_channels()
        self.addCleanup(kc.stop_channels)
        kc.wait_for_ready(timeout=TIMEOUT)
        return km, kc

    def messages(self, msg_id, kc=None):
        """All that is published for a request, from busy to its idle."""
        found = []
        while True:
            msg = (kc or self.kc).get_iopub_msg(timeout=TIMEOUT)
            if msg["parent_header"].get("msg_id") != msg_id:
                continue
            found.append(msg)
            if msg["content"].get("execution_state") == "idle":
                return found

    def run_cell(self, code, kc=None, **options):
        kc = kc or self.kc
        msg_id = kc.execute(code, **options)
        messages = self.messages(msg_id, kc)
        while True:
            reply = kc.get_shell_msg(timeout=TIMEOUT)
            if reply["parent_header"].get("msg_id") == msg_id:
                return reply["content"], messages

    def value(self, code):
        reply, messages = self.run_cell(code)
        self.assertEqual(reply["status"], "ok", reply)
        return [m for m in messages if m["msg_type"] == "execute_result"][0]["content"]["data"]

    def printed(self, messages):
        return "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")

    def await_message(self, wanted):
        while True:
            msg = self.kc.get_iopub_msg(timeout=TIMEOUT)
            if wanted(msg):
                return msg

    def send_comm(self, msg_type, content):
        msg = self.kc.session.msg(msg_type, content)
        self.kc.shell_channel.send(msg)
        return msg["header"]["msg_id"]

    def kernel_pid(self):
        return self.km.provisioner.pid

    def session_pid(self):
        """The process in which cells run: the last that the kernel has started."""
        return max(children(self.kernel_pid()))


class Cells(Kernel):
    def test_an_endless_loop_is_interrupted(self):
        self.value("kept := 41; kept")
        msg_id = self.kc.execute("for { }")
        self.await_message(lambda m: m["msg_type"] == "execute_input")
        began = time.monotonic()
        self.km.interrupt_kernel()
        self.assertIn("error", [m["msg_type"] for m in self.messages(msg_id)])
        print(f"interrupted within {1000 * (time.monotonic() - began):.0f} ms")
        self.kc.get_shell_msg(timeout=TIMEOUT)
        self.assertEqual(self.value("kept + 1")["text/plain"], "42")

    def test_input(self):
        msg_id = self.kc.execute('name := display.Input("name? ")\nvar n int\nfmt.Scan(&n)\nfmt.Println(name, n)', allow_stdin=True)
        self.assertEqual(self.kc.get_stdin_msg(timeout=TIMEOUT)["content"], {"prompt": "name? ", "password": False})
        self.kc.input("Ann")
        self.kc.get_stdin_msg(timeout=TIMEOUT)
        self.kc.input("7")
        self.assertEqual(self.printed(self.messages(msg_id)), "Ann 7\n")
        self.kc.get_shell_msg(timeout=TIMEOUT)

    def test_matches_have_types(self):
        msg_id = self.kc.complete("strings.Repea", 13)
        while (reply := self.kc.get_shell_msg(timeout=TIMEOUT))["parent_header"]["msg_id"] != msg_id:
            pass
        kinds = reply["content"]["metadata"]["_jupyter_types_experimental"]
        self.assertEqual(kinds, [{
            "start": 8, "end": 13, "text": "Repeat", "type": "function", "signature": "func(s string, count int) string"}])

    def test_the_same_message_twice_runs_once(self):
        msg = self.kc.session.msg("execute_request", {"code": 'fmt.Print("once ")', "silent": False, "store_history": True})
        for _ in range(2):
            self.kc.session.send(self.kc.shell_channel.socket, msg)
        msg_id, text = self.kc.execute('fmt.Print("end")'), ""
        while not text.endswith("end"):
            msg = self.kc.get_iopub_msg(timeout=TIMEOUT)
            text += msg["content"].get("text", "") if msg["msg_type"] == "stream" else ""
        self.assertEqual(text, "once end")
        self.messages(msg_id)


class Widgets(Kernel):
    def open_comm(self, code):
        """Run a cell that makes a widget; its comm_open."""
        _, messages = self.run_cell(code)
        return [m for m in messages if m["msg_type"] == "comm_open"]

    def test_a_slider_calls_its_function(self):
        opened = self.open_comm('s := widgets.IntSlider("layer", 2, 5, 3)\ns.OnChange(func(v int) { fmt.Println("moved to", v) })\ns')
        content = opened[0]["content"]
        self.assertEqual((content["target_name"], opened[0]["metadata"]["version"]), ("jupyter.widget", "2.1.0"))
        state = content["data"]["state"]
        self.assertEqual((state["_model_name"], state["min"], state["max"], state["value"]), ("IntSliderModel", 2, 5, 3))
        msg_id = self.send_comm("comm_msg", {"comm_id": content["comm_id"], "data": {"method": "update", "state": {"value": 5}}})
        seen = []
        while not any("moved to 5" in m["content"].get("text", "") for m in seen):
            seen.append(self.kc.get_iopub_msg(timeout=TIMEOUT))
        self.assertEqual([m["content"]["execution_state"] for m in seen if m["msg_type"] == "status"
                          and m["parent_header"].get("msg_id") == msg_id][:1], ["busy"])
        self.assertEqual(self.value("s.Value()")["text/plain"], "5")
        shown = self.value("s")
        self.assertEqual(shown["application/vnd.jupyter.widget-view+json"]["model_id"], content["comm_id"])
        self.assertEqual(shown["text/plain"], "layer: 5")

    def test_a_button_stops_a_cell_that_runs(self):
        opened = self.open_comm('stopped := false\nb := widgets.Button("Stop")\nb.OnClick(func() { stopped = true })')
        msg_id = self.kc.execute("for !stopped { time.Sleep(10 * time.Millisecond) }\nfmt.Println(\"out\")")
        self.await_message(lambda m: m["msg_type"] == "execute_input")
        comm_id = opened[0]["content"]["comm_id"]
        self.send_comm("comm_msg", {"comm_id": comm_id, "data": {"method": "custom", "content": {"event": "click"}}})
        self.assertIn("out", self.printed(self.messages(msg_id)))
        self.kc.get_shell_msg(timeout=TIMEOUT)

    def test_front_ends_that_come_later_learn_of_widgets(self):
        self.run_cell('a := widgets.Dropdown("head", "mean", "0")\nimport "image"\np := widgets.Image(image.NewGray(image.Rect(0, 0, 2, 2)))')
        msg_id = self.kc.comm_info()
        while (reply := self.kc.get_shell_msg(timeout=TIMEOUT))["parent_header"]["msg_id"] != msg_id:
            pass
        self.assertEqual(len(reply["content"]["comms"]), 2)
        self.send_comm("comm_open", {"comm_id": "c1", "target_name": "jupyter.widget.control", "data": {}})
        self.send_comm("comm_msg", {"comm_id": "c1", "data": {"method": "request_states"}})
        msg = self.await_message(lambda m: m["msg_type"] == "comm_msg" and m["content"]["comm_id"] == "c1")
        states = msg["content"]["data"]["states"]
        self.assertEqual({s["model_name"] for s in states.values()}, {"DropdownModel", "ImageModel"})
        path = msg["content"]["data"]["buffer_paths"][0]
        self.assertEqual((path[1:], bytes(msg["buffers"][0])[:4]), (["state", "value"], b"\x89PNG"))
        self.send_comm("comm_open", {"comm_id": "c2", "target_name": "nobody", "data": {}})
        self.await_message(lambda m: m["msg_type"] == "comm_close" and m["content"]["comm_id"] == "c2")

    def test_a_widget_is_closed(self):
        _, messages = self.run_cell('widgets.Button("x").Close()')
        closed = [m["content"] for m in messages if m["msg_type"] == "comm_close"]
        self.assertEqual([c["data"] for c in closed], [{}])

    def test_widgets_are_closed_with_their_session(self):
        opened = self.open_comm('b := widgets.Button("x")')
        reply, messages = self.run_cell("os.Exit(3)")
        self.assertEqual((reply["status"], reply["ename"]), ("error", "session ended"))
        closed = [m["content"]["comm_id"] for m in messages if m["msg_type"] == "comm_close"]
        self.assertEqual(closed, [opened[0]["content"]["comm_id"]])


class Survival(Kernel):
    def test_killed_session_in_a_cell(self):
        self.run_cell("kept := 1")
        msg_id = self.kc.execute("for { }")
        self.await_message(lambda m: m["msg_type"] == "execute_input")
        os.kill(self.session_pid(), signal.SIGKILL)
        error = [m for m in self.messages(msg_id) if m["msg_type"] == "error"][0]["content"]
        self.assertIn("lost: kept", "\n".join(error["traceback"]))
        self.kc.get_shell_msg(timeout=TIMEOUT)
        self.assertEqual(self.value("1 + 1")["text/plain"], "2")

    def test_killed_kernel_leaves_nobody(self):
        session = self.session_pid()
        self.kc.execute("for { }")
        self.await_message(lambda m: m["msg_type"] == "execute_input")
        os.kill(self.kernel_pid(), signal.SIGKILL)
        deadline = time.monotonic() + 10
        while alive(session):
            self.assertLess(time.monotonic(), deadline, "the session's process lives on")
            time.sleep(0.05)

    def test_two_kernels(self):
        _, other = self.start()
        self.run_cell("x := 1")
        reply, _ = self.run_cell("x", kc=other)
        self.assertEqual(reply["status"], "error")
        self.assertEqual(self.value("x")["text/plain"], "1")

    def test_much_output_beside_a_stalled_client(self):
        lines, images = 100_000, 1_000
        context = zmq.Context()
        self.addCleanup(context.destroy, linger=0)
        stalled = context.socket(zmq.SUB)
        stalled.rcvhwm, stalled.rcvbuf, stalled.linger = 1, 4096, 0
        stalled.subscribe(b"")
        stalled.connect(self.km._make_url("iopub"))
        stalled.recv_multipart()  # its welcome: from now on it gets all, and reads none
        code = f"""import ("image"; "image/color")
for i := range {lines} {{
	fmt.Printf("line %d ........................................\\n", i)
	if i % {lines // images} == 0 {{
		img := image.NewGray(image.Rect(0, 0, 64, 64))
		img.SetGray(i / {lines // images} % 64, 1, color.Gray{{255}})
		Display(img)
	}}
}}"""
        began = time.monotonic()
        reply, messages = self.run_cell(code)
        took = time.monotonic() - began
        self.assertEqual(reply["status"], "ok", reply)
        text, shown = "", 0
        for m in messages:
            if m["msg_type"] == "stream":
                text += m["content"]["text"]
            elif m["msg_type"] == "display_data":
                # A picture comes behind the line that was printed before it.
                self.assertTrue(text.endswith("\n"))
                self.assertEqual(text.count("\n"), shown * (lines // images) + 1)
                self.assertTrue(base64.b64decode(m["content"]["data"]["image/png"]).startswith(b"\x89PNG"))
                shown += 1
        self.assertEqual([int(line.split()[1]) for line in text.splitlines()], list(range(lines)))
        self.assertEqual(shown, images)
        peak = [line for line in open(f"/proc/{self.kernel_pid()}/status") if line.startswith("VmHWM")][0].split()
        print(f"{lines} lines and {images} pictures in {took:.1f} s, the kernel's memory {int(peak[1]) >> 10} MB at most")
        self.assertLess(int(peak[1]), 400 << 10)


if __name__ == "__main__":
    suite = unittest.TestSuite()
    for case in (Cells, Widgets, Survival):
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    raise SystemExit(not result.wasSuccessful())
