"""The Jupyter project's own test suite for kernels: everything but the pager applies."""

import unittest

import jupyter_kernel_test
from conftest import KERNEL, PATIENCE

HTML = 'println!("EVCXR_BEGIN_CONTENT text/html\\n<b>bold</b>\\nEVCXR_END_CONTENT");'

CLEAR = """{
    use std::io::{Read, Write};
    let folder = std::env::var("ICVAE_LIVE").unwrap();
    let mut side = std::os::unix::net::UnixStream::connect(folder + "/side").unwrap();
    side.write_all(b"message\\n{\\"type\\": \\"clear_output\\", \\"wait\\": true}").unwrap();
    side.shutdown(std::net::Shutdown::Write).unwrap();
    side.read_to_end(&mut Vec::new()).unwrap();
}"""


class Patient:
    """The suite waits for a tenth of a second where a busy machine may need more."""

    @classmethod
    def setUpClass(cls):
        jupyter_kernel_test.TIMEOUT = PATIENCE
        super().setUpClass()
        if hasattr(cls.kc, "_iopub_channel") and cls.kc._iopub_channel:
            channel = cls.kc.iopub_channel
            get = channel.get_msg
            channel.get_msg = lambda timeout=None: get(
                timeout=None if timeout is None else max(timeout, 0.7)
            )


class Suite(Patient, jupyter_kernel_test.KernelTests):
    kernel_name = KERNEL
    language_name = "rust"
    file_extension = ".rs"
    code_hello_world = 'println!("hello, world");'
    code_stderr = 'eprintln!("oops");'
    code_generate_error = "Vec::<i32>::new()[3]"
    code_execute_result = [
        {"code": "1 + 1", "result": "2"},
        {"code": "\"a\".repeat(3)", "result": '"aaa"'},
        {"code": "(1..4).sum::<i32>()", "result": "6"},
    ]
    code_display_data = [{"code": HTML, "mime": "text/html"}]
    code_clear_output = CLEAR
    code_inspect_sample = "String::new"
    code_history_pattern = "1?+*"
    supported_history_operations = ("tail", "range", "search")
    completion_samples = [
        {"text": "std::mem::take", "matches": {"take"}},
        {"text": "String::wi", "matches": {"with_capacity"}},
        {"text": ":show_de", "matches": {":show_deps"}},
    ]
    complete_code_samples = ["1 + 1", "let x = 1;", "fn f() {}", ":dep serde", 'println!("{");']
    incomplete_code_samples = ["fn f() {", "let x = ", 'println!("a', "/* not yet", "vec![1,"]
    invalid_code_samples = ["}", "let let = 1;", "fn f(] {}"]

    def execute_helper(self, code, timeout=PATIENCE, **kwargs):
        return super().execute_helper(code, timeout=timeout, **kwargs)


class Welcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = KERNEL
    support_iopub_welcome = True


# The base classes are no tests of this kernel.
del jupyter_kernel_test.KernelTests, jupyter_kernel_test.IopubWelcomeTests

if __name__ == "__main__":
    unittest.main()
