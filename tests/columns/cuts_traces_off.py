"""Its traces reach the disk damaged, in the way that the task's name says."""

import io
import zipfile

from backends.numpy import Function, Network, Optimizer, Perceptron, setup  # noqa: F401
from harness import trace

save = trace.save


def save_damaged(path, arrays):
    save(path, arrays)
    content = path.read_bytes()
    if "gd" in path.name:
        path.write_bytes(content[: len(content) // 2])
    elif "momentum" in path.name:
        path.write_bytes(b"")
    elif "rmsprop" in path.name:
        path.write_bytes(content.replace(b"\x3f", b"\x3e"))  # the sums of its parts no longer fit
    elif "adam" in path.name:
        whole, less = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
        with zipfile.ZipFile(less, "w") as archive:
            for name in whole.namelist():
                if name != "loss.npy":
                    archive.writestr(name, whole.read(name))
        path.write_bytes(less.getvalue())


trace.save = save_damaged
