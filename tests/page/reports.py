"""Reports as bench_breakdown writes them, with numbers that tests can count on."""

COMPONENTS = {"embedding": 0.02, "attention": 0.25, "ffn": 0.5, "lm_head": 0.2, "other": 0.02}
OPERATIONS = {"norm": 0.1, "attention": 0.15, "barrier_wait": 0.04}
N_LAYERS = 6


def row(wall_ns, share, bytes_per_ns=20, operations_per_byte=4):
    """A part of a phase."""
    ns = round(wall_ns * share)
    return {"ns": ns, "share": share, "bytes": ns * bytes_per_ns, "operations": ns * bytes_per_ns * operations_per_byte,
            "bytes_per_second": bytes_per_ns * 1e9, "operations_per_second": bytes_per_ns * operations_per_byte * 1e9,
            "roofline_share": 0.5}


def phase(n_tokens, wall_ns, matrices, intensity):
    """All of a phase; its parts and one hundredth that is unattributed make the whole."""
    in_layers = (("attention", "norm", 0.05), ("attention", matrices, 0.2), ("ffn", matrices, 0.4))
    layers = [{"layer": layer, "component": component, "operation": operation, **row(wall_ns, share / N_LAYERS)}
              for layer in range(N_LAYERS) for component, operation, share in in_layers]
    layers.append({"layer": -1, "component": "lm_head", "operation": matrices, **row(wall_ns, 0.2)})
    return {"tokens_per_second": 1e9 * n_tokens / wall_ns, "n_tokens": n_tokens,
            "wall_ns": {"median": wall_ns, "min": round(wall_ns * 0.98), "max": round(wall_ns * 1.03)},
            "components": {name: row(wall_ns, share, operations_per_byte=intensity) for name, share in COMPONENTS.items()},
            "operations": {matrices: row(wall_ns, 0.7, operations_per_byte=intensity),
                           **{name: row(wall_ns, share) for name, share in OPERATIONS.items()}},
            "layer_operations": layers, "unattributed_share": 0.01,
            "counters": {"unavailable": "the kernel forbids it"}, "energy": {"unavailable": "no RAPL here"}}


def run(model, kind="Q4_K_M", prompt=50, prefill_ns=80_000_000, token_ns=10_000_000):
    """A run that generated 20 tokens."""
    decode = phase(20, 20 * token_ns, "mul_mat_vec", 2)
    decode["token_ns"] = {"p50": token_ns, "p90": token_ns * 11 // 10, "p99": token_ns * 13 // 10, "max": token_ns * 2}
    decode.update({"weight_bytes_per_token": 100_000_000, "weight_bytes_per_second": 1e17 / token_ns, "read_bandwidth_share": 0.5})
    return {"model": model, "type": kind, "n_parameters": 134_515_008, "threads": 2, "isa": "avx2",
            "prompt": prompt, "generate": 20, "context": prompt + 20, "repeat": 3, "seed": 0,
            "time_to_first_token_ns": {"median": prefill_ns, "min": round(prefill_ns * 0.98), "max": round(prefill_ns * 1.03)},
            "cold": {"open_ns": 150_000_000, "time_to_first_token_ns": 2 * prefill_ns, "first_token_ns": token_ns},
            "roofline": {"read_bytes_per_second": 40e9, "int8_operations_per_second": 900e9, "fp32_operations_per_second": 200e9},
            "read_bandwidth_bytes_per_second": 40e9,
            "phases": {"prefill": phase(prompt, prefill_ns, "mul_mat", 64), "decode": decode},
            "memory": {"parameters": 100_000_000, "kv_cache": 2_000_000, "compute": 1_000_000, "tokenizer": 0,
                       "process_peak": 120_000_000, "resident": 110_000_000, "anonymous": 90_000_000, "mapped": 20_000_000,
                       "predicted": {"parameters": {"embedding": 30_000_000, "attention": 20_000_000, "ffn": 50_000_000},
                                     "kv_cache": 2_000_000, "state": 0, "compute": 1_000_000, "tokenizer": 0, "total": 103_000_000},
                       "by_context": [{"context": n, "kv_cache": 30_000 * n, "state": 0, "compute": 1_000_000,
                                       "total": 101_000_000 + 30_000 * n} for n in (512, 8192, 131_072)]},
            "sustain": {"seconds": 3, "points": [{"at_ns": n * 10**9, "tokens_per_second": 100 - n, "core_hz": 3e9}
                                                for n in range(4)]},
            "overhead": {"off_ns": 10_000_000, "on_ns": 10_050_000, "share": 0.005, "least": 0.001, "most": 0.009}}


def report(runs):
    """Of one machine."""
    machine = {"cpu": "Some <i>CPU</i>", "processors": 8, "performance_cores": 4, "isas": ["scalar", "avx2"]}
    return {"mote": "0.1.0", "machine": machine, "runs": runs}
