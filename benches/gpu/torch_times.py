"""Times of what PyTorch calls for the work of our kernels, as one JSON array on standard output.

`cold`: single launches between events, the cache overwritten before each. `loop`: a plain loop between two events, divided.
`do_bench`: triton's, where it is installed.
"""

import json
import statistics
import sys

try:
    import torch
except ImportError:
    sys.exit("PyTorch is not installed for this Python")
if not torch.cuda.is_available():
    sys.exit("PyTorch sees no GPU")
try:
    from triton.testing import do_bench
except ImportError:
    do_bench = None

DEVICE = torch.device("cuda")
FLUSH = torch.empty(256 << 20, dtype=torch.int8, device=DEVICE)


def cold(work, repetitions=50):
    for _ in range(5):
        work()
    events = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(repetitions)]
    for begin, end in events:
        FLUSH.zero_()
        begin.record()
        work()
        end.record()
    torch.cuda.synchronize()
    return statistics.median(begin.elapsed_time(end) for begin, end in events) * 1e-3


def loop(work, repetitions=50):
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    work()
    begin.record()
    for _ in range(repetitions):
        work()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) * 1e-3 / repetitions


def entry(kernel, what, work):
    times = {"kernel": kernel, "what": what, "cold": cold(work), "loop": loop(work)}
    if do_bench is not None:
        times["do_bench"] = do_bench(work) * 1e-3
    return times


def copies():
    source = torch.rand(268435456 // 4, device=DEVICE)
    target = torch.empty_like(source)
    ways = {"copy_": lambda: target.copy_(source), "clone": source.clone, "add": lambda: torch.add(source, 0, out=target)}
    entries = [entry("copy", name, work) for name, work in ways.items()]
    return min(entries, key=lambda found: found["cold"])


def product():
    a, b = (torch.randn(4096, 4096, device=DEVICE, dtype=torch.float16) for _ in range(2))
    return entry("gemm", "matmul", lambda: torch.matmul(a, b))


def attention():
    from torch.nn.attention import SDPBackend, sdpa_kernel

    # The config training_512 of kernels/flash_attention.toml.
    q, k, v = (torch.randn(32, 8, 512, 64, device=DEVICE, dtype=torch.float16) for _ in range(3))
    entries = []
    for backend in (SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION):
        def work():
            with sdpa_kernel(backend):
                return torch.nn.functional.scaled_dot_product_attention(q, k, v)

        try:
            entries.append(entry("flash_attention", backend.name.lower(), work))
        except RuntimeError:
            pass
    return entries


print(json.dumps([copies(), product(), *attention()]))
