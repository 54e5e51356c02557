"""Jupyter's own conformance tests, all of them, on cells of Go."""

import unittest

import jupyter_kernel_test as jkt


class Conformance(jkt.KernelTests):
    kernel_name = "vlab-test"
    language_name = "go"
    file_extension = ".go"
    code_hello_world = 'fmt.Println("hello, world")'
    code_stderr = 'fmt.Fprint(os.Stderr, "oops")'
    completion_samples = [
        {"text": "strings.Rep", "matches": {"Repeat", "Replace", "ReplaceAll", "Replacer"}},
        {"text": "lab.Ope", "matches": {"Open", "OpenGallery"}},
        {"text": "%who", "matches": {"%who", "%whos"}},
    ]
    complete_code_samples = ["x := 1", "func f() int { return 1 }", "for i := range 3 {\n}", "%who"]
    incomplete_code_samples = ["func f() {", "x := (1 +", "s := `a", "if true {\n\tf()"]
    invalid_code_samples = ["x := )", "func 1() {}"]
    code_page_something = "?strings.Repeat"
    code_generate_error = "nonsense"
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "3 * 4", "result": "12"},
        {"code": "3 * 4", "result": "12"},
        {"code": "[]int{1, 2}", "result": "[1 2]"},
    ]
    code_display_data = [
        {"code": 'import "image"\nDisplay(image.NewGray(image.Rect(0, 0, 2, 2)))', "mime": "image/png"},
        {"code": 'Display(display.SVG("<svg xmlns=\'http://www.w3.org/2000/svg\'/>"))', "mime": "image/svg+xml"},
        {"code": 'Display(display.HTML("<b>x</b>"))', "mime": "text/html"},
        {"code": 'Display(display.JSON(map[string]any{"a": 1}))', "mime": "application/json"},
    ]
    code_history_pattern = "3 ?*4*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "strings.Repeat"
    code_clear_output = "display.Clear()"


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
