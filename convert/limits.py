"""Limits what a file can make this process take: a child converts it, and loading has a limit on memory and time."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from convert.errors import ConversionError

try:
    import resource
except ImportError:  # Windows has neither resource limits nor fork
    resource = None

MEGABYTE = 2**20
# Beyond what the process has when it starts: for one photo's activations, and for the weights, which Keras holds
# several times while it loads them. Threads take more, by core.
BASE_BYTES, BYTES_PER_BYTE, CORE_BYTES = 640 * MEGABYTE, 8, 32 * MEGABYTE
# Of processor time, all threads together.
BASE_SECONDS, SECONDS_PER_MEGABYTE = 35, 2

_state = {"child": False}


def run_in_child(task: Callable[[], int]) -> int:
    """Return the exit status of ``task``, run in a child process. Says why on standard error if the child died."""
    if resource is None:
        return task()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _state["child"] = True
        code = 1
        try:
            code = task()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)

    def pass_on(number: int, _frame: object) -> None:
        # A terminal sends Ctrl-C to the child itself.
        if number != signal.SIGINT or not sys.stdin.isatty():
            os.kill(child, number)

    previous = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        _, status = os.waitpid(child, 0)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code
    print(f"Not converted: {_explain(-code)}", file=sys.stderr)
    return 1


def _explain(number: int) -> str:
    if number == signal.SIGXCPU:
        return "loading takes far more time than a model of this size needs"
    if number == signal.SIGKILL:
        return "the system ended it, probably for lack of memory"
    return f"it broke Keras or takes far more memory than a model of this size needs ({signal.Signals(number).name})"


@contextmanager
def limit_loading(file_bytes: int) -> Iterator[None]:
    """Limit the memory and processor time of this child while it opens a file of so many bytes.

    Raises ``ConversionError`` if memory runs out; libraries in C may end the process instead.
    """
    if not _state["child"]:
        yield
        return
    cores = os.cpu_count() or 1
    used = resource.getrusage(resource.RUSAGE_SELF)
    wanted = {
        resource.RLIMIT_DATA: _data_bytes() + BASE_BYTES + CORE_BYTES * cores + BYTES_PER_BYTE * file_bytes,
        resource.RLIMIT_CPU: int(
            used.ru_utime + used.ru_stime + BASE_SECONDS + SECONDS_PER_MEGABYTE * file_bytes / MEGABYTE
        ),
        resource.RLIMIT_CORE: 0,
    }
    before = {kind: resource.getrlimit(kind) for kind in wanted}
    for kind, soft in wanted.items():
        hard = before[kind][1]
        resource.setrlimit(kind, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))
    try:
        yield
    except ConversionError:
        raise
    except Exception as error:
        # TensorFlow's own error of lacking memory; importing TensorFlow here would take seconds.
        if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
            raise ConversionError("it takes far more memory than a model of this size needs") from None
        raise
    finally:
        for kind, limits in before.items():
            resource.setrlimit(kind, limits)


def _data_bytes() -> int:
    """Return the writable private memory of this process: what RLIMIT_DATA counts."""
    try:
        for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 512 * MEGABYTE
