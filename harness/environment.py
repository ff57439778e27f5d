"""What a run runs on, and the environment that each worker process is given."""

import os
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import metadata, util
from pathlib import Path

import psutil

from harness.result import Environment

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",  # Apple's Accelerate
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
CACHE_VARIABLES = (
    "KERAS_HOME",
    "XDG_CACHE_HOME",
    "TORCHINDUCTOR_CACHE_DIR",
    "TRITON_CACHE_DIR",
    "MPLCONFIGDIR",
)
INHERITED = (
    "PATH",  # compilers, nvidia-smi
    "HOME",
    "LANG",
    "TMPDIR",
    "LD_LIBRARY_PATH",  # where CUDA may be
    "CUDA_VISIBLE_DEVICES",
    "VIRTUAL_ENV",
    "SYSTEMROOT",  # without it, Python on Windows does not start
)
HERE = Path(__file__).resolve().parent.parent  # the folder that holds the package `harness`
CPU_INFO = Path("/proc/cpuinfo")
DEVICE_FILES, DRIVER_GPUS = Path("/dev"), Path("/proc/driver/nvidia/gpus")


def describe(
    threads: int, device: str, versions: dict[str, str], workers: dict[str, dict[str, str]]
) -> Environment:
    """The facts of this machine, with what the caller knows of packages and workers."""
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        processor=processor(),
        cores=psutil.cpu_count() or 1,
        memory_gb=psutil.virtual_memory().total / 1e9,
        threads=threads,
        device=device,
        versions=versions,
        workers=workers,
    )


def processor() -> str:
    """The processor's name; at least the architecture where the system does not tell."""
    try:
        names = [line for line in CPU_INFO.read_text().splitlines() if line.startswith("model name")]
    except OSError:  # not Linux
        names = []
    found = names[0].partition(":")[2].strip() if names else platform.processor()
    return found or platform.machine()


def versions(modules: Iterable[str]) -> dict[str, str]:
    """The version of each of these modules that is installed, found without importing it."""
    distributions = _distributions()
    return {
        module: _version(distributions[module][0]) if module in distributions else "version unknown"
        for module in modules
        if util.find_spec(module)
    }


@cache
def _version(distribution: str) -> str:
    """As its files tell: reading them takes a millisecond."""
    return metadata.version(distribution)


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Which distributions hold a module: also knows that tensorflow-cpu is tensorflow."""
    return metadata.packages_distributions()


def cuda_problem() -> str | None:
    """Why no NVIDIA device can be used here, or None when one is visible.  Imports no framework."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides every NVIDIA device"
    if any(_devices()) or shutil.which("nvidia-smi"):
        return None
    return "no NVIDIA device: neither /dev/nvidia* nor /proc/driver/nvidia/gpus, and no nvidia-smi on PATH"


def _devices() -> Iterator[Path]:
    yield from DEVICE_FILES.glob("nvidia[0-9]*")
    yield from DRIVER_GPUS.glob("*")


def worker_environment(threads: int, cache: Path) -> dict[str, str]:
    """The whole environment of a worker process: nothing else of the caller's reaches it.

    `cache` is a folder of this worker's own, so that its first step compiles rather than finds.
    """
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        **dict.fromkeys(THREAD_VARIABLES, str(threads)),  # read once, when a library is loaded
        **{name: str(cache / name.lower()) for name in CACHE_VARIABLES},
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",  # errors only: start-up notices would drown a log
        "TF_ENABLE_ONEDNN_OPTS": "0",  # oneDNN reorders sums, which changes their last digits
        "PYTHONUNBUFFERED": "1",  # what was printed before a crash is in the log
        "PYTHONFAULTHANDLER": "1",  # a segmentation fault leaves a stack
        "PYTHONPATH": str(HERE),
    }
