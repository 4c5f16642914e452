"""Times of what PyTorch calls for the work of our kernels.

Reads a JSON list of points from standard input (`kind`, `benchmark`, `config` and the parameters of its manifest), and
prints JSON lines as they come: first the versions, then one object for each way to do a point. Times are in seconds:
`cold`: single launches between events, a buffer of several times the L2 cache read before each. `loop`: a plain loop
between two events, divided. `do_bench`: triton's, where it is installed. A way that PyTorch refuses has an `error`.
"""

import json
import statistics
import sys

try:
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.nn.functional import scaled_dot_product_attention
except ImportError as error:
    sys.exit(f"PyTorch cannot be used by this Python: {error}")
if not torch.cuda.is_available():
    sys.exit("PyTorch sees no GPU")
try:
    import triton
    from triton.testing import do_bench
except ImportError:
    triton = do_bench = None

DEVICE = torch.device("cuda")
# As wide as 256 MiB: reading it takes longer than Python takes to queue the next launch.
FLUSH = torch.zeros(64 << 20, dtype=torch.float32, device=DEVICE)
SINK = torch.zeros((), dtype=torch.float32, device=DEVICE)
REPETITIONS = 50
TYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}
BACKENDS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
}


def event():
    return torch.cuda.Event(enable_timing=True)


def cold(work):
    """The median of single launches. The cache is emptied by reading: written lines would have to leave it meanwhile."""
    pairs = [(event(), event()) for _ in range(REPETITIONS)]
    for begin, end in pairs:
        torch.sum(FLUSH, dim=0, out=SINK)
        begin.record()
        work()
        end.record()
    torch.cuda.synchronize()
    return statistics.median(begin.elapsed_time(end) for begin, end in pairs) * 1e-3


def loop(work):
    begin, end = event(), event()
    begin.record()
    for _ in range(REPETITIONS):
        work()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) * 1e-3 / REPETITIONS


def timed(work):
    for _ in range(5):
        work()
    torch.cuda.synchronize()
    times = {"cold": cold(work), "loop": loop(work)}
    if do_bench is not None:
        try:
            # As its users call it: a mean, after 25 ms of warm-up.
            times["do_bench"] = do_bench(work) * 1e-3
        except Exception as error:  # It compiles a program of its own first. The other times are good without it.
            print(f"do_bench: {error}", file=sys.stderr)
    return times


def copy(point):
    source = torch.rand(point["BYTES"] // 4, device=DEVICE)
    target = torch.empty_like(source)
    yield "copy_", lambda: timed(lambda: target.copy_(source))
    yield "clone", lambda: timed(source.clone)
    yield "add 0", lambda: timed(lambda: torch.add(source, 0, out=target))


def product(point):
    """C = A * B transposed, as the kernel has it, and the same with B as it comes."""
    dtype = TYPES[point["dtype"]]
    a = torch.randn(point["M"], point["K"], device=DEVICE, dtype=dtype)
    transposed = torch.randn(point["N"], point["K"], device=DEVICE, dtype=dtype)
    plain = torch.randn(point["K"], point["N"], device=DEVICE, dtype=dtype)
    c = torch.empty(point["M"], point["N"], device=DEVICE, dtype=dtype)
    yield "matmul, B transposed", lambda: timed(lambda: torch.matmul(a, transposed.t(), out=c))
    yield "matmul", lambda: timed(lambda: torch.matmul(a, plain, out=c))


def attention(point):
    batch, depth, dtype = point["B"], point["D"], TYPES[point["dtype"]]
    shaped = lambda heads, length: torch.randn(batch, heads, length, depth, device=DEVICE, dtype=dtype)
    q = shaped(point["H"], point["Q"])
    k, v = (shaped(point["KV_H"], point["S"]) for _ in range(2))
    options = {"is_causal": point["causal"] == 1, "enable_gqa": point["H"] != point["KV_H"]}
    if options["is_causal"] and point["Q"] != point["S"]:
        raise ValueError("PyTorch aligns the diagonal of fewer queries than keys with the first key, the kernel with the last")

    def by(backend):
        with sdpa_kernel(backend), torch.no_grad():
            return timed(lambda: scaled_dot_product_attention(q, k, v, **options))

    for name, backend in BACKENDS.items():
        yield f"attention, {name}", lambda backend=backend: by(backend)


KINDS = {"copy": copy, "product": product, "attention": attention}


def say(**line):
    print(json.dumps(line), flush=True)


def cudnn_version():
    try:
        return torch.backends.cudnn.version()
    except (RuntimeError, ValueError):
        return "-"


def first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def main():
    points = json.load(sys.stdin)
    say(torch=torch.__version__, triton=getattr(triton, "__version__", "-"), CUDA=torch.version.cuda, cudnn=cudnn_version())
    for point in points:
        who = {"benchmark": point["benchmark"], "config": point["config"]}
        try:
            for name, measure in KINDS[point["kind"]](point):
                try:
                    say(**who, by=name, **measure())
                except RuntimeError as error:
                    # A backend that cannot do this shape says so by "No available kernel".
                    say(**who, by=name, error=first_line(error))
        except (KeyError, ValueError, RuntimeError) as error:
            say(**who, by=point["kind"], error=f"{type(error).__name__}: {first_line(error)}")


if __name__ == "__main__":
    main()
