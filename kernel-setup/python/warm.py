"""Compile the notebooks' dependencies once, by running cells on a bare evcxr_jupyter.

Usage: warm.py EVCXR_JUPYTER CELL...    (the working folder is the notebooks')
"""

import sys

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager


class OneKernel(KernelSpecManager):
    """Knows just the kernel named on the command line."""

    def get_kernel_spec(self, kernel_name):
        argv = [sys.argv[1], "--control_file", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="evcxr", language="rust")


def main():
    manager = KernelManager(kernel_name="evcxr", kernel_spec_manager=OneKernel())
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        for cell in sys.argv[2:]:
            print(cell, flush=True)
            reply = client.execute_interactive(cell, output_hook=show)
            if reply["content"]["status"] != "ok":
                print("\n".join(reply["content"].get("traceback", [])))
                return 1
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return 0


def show(message):
    content = message["content"]
    print(content.get("text") or "\n".join(content.get("traceback", [])), flush=True)


sys.exit(main())
