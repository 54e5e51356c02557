"""Jupyter's own conformance tests, on the language of fake_test.go."""

import unittest

import jupyter_kernel_test as jkt


class Conformance(jkt.KernelTests):
    kernel_name = "vlab-test"
    language_name = "go"
    file_extension = ".go"
    code_hello_world = "print hello, world"
    code_stderr = "eprint oops"
    completion_samples = [{"text": "pr", "matches": {"print"}}]
    complete_code_samples = ["print x"]
    incomplete_code_samples = ["func {"]
    invalid_code_samples = ["}}"]
    code_generate_error = "nonsense"
    code_execute_result = [
        {"code": "value 6*7", "result": "6*7"},
        {"code": "value 12", "result": "12"},
        {"code": "value 12", "result": "12"},
        {"code": "value 13", "result": "13"},
        {"code": "value 142", "result": "142"},
    ]
    code_display_data = [
        {"code": "png", "mime": "image/png"},
        {"code": "mime text/html <b>x</b>", "mime": "text/html"},
        {"code": "mime image/svg+xml <svg/>", "mime": "image/svg+xml"},
        {"code": 'mime application/json {"a":1}', "mime": "application/json"},
    ]
    code_history_pattern = "value 1?2*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "print"
    code_clear_output = "clear"
    code_page_something = "page what there is to know"


class Welcome(jkt.IopubWelcomeTests):
    kernel_name = "vlab-test"
    support_iopub_welcome = True


if __name__ == "__main__":
    # Only the classes with a kernel's name in them, not those they inherit from.
    suite = unittest.TestSuite()
    for case in (Conformance, Welcome):
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    raise SystemExit(not result.wasSuccessful())
