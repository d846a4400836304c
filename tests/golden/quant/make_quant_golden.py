#!/usr/bin/env python3
"""Makes quant_golden.bin: blocks of every format with the values that the PyPI package `gguf` reads from them.

    python3 -m venv venv && venv/bin/pip install gguf==0.19.0 numpy && venv/bin/python make_quant_golden.py

Made with gguf 0.19.0 and numpy 2.4.6. The random bytes come from splitmix64 below, so that the file depends on no library's
generator. Layout, little endian, for each type: u32 type id, u32 weights per block, u32 bytes per block, u32 blocks, then
the blocks, then their values as f32.
"""
import struct
from pathlib import Path

import gguf
import numpy as np

MASK = (1 << 64) - 1
EDGE_F16 = [0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x7BFF, 0xFBFF, 0x3C00, 0xBC00]
EDGE_E8M0 = [0, 1, 2, 3, 126, 127, 128, 251, 252]
EDGE_BYTES = [0x00, 0xFF, 0x80, 0x7F]

# name: (offsets of the f16 fields, how many blocks)
FORMATS = {
    "Q4_0": ([0], 28), "Q4_1": ([0, 2], 28), "Q5_0": ([0], 28), "Q5_1": ([0, 2], 28), "Q8_0": ([0], 28),
    "IQ4_NL": ([0], 28), "MXFP4": ([], 28),
    "Q2_K": ([80, 82], 14), "Q3_K": ([108], 14), "Q4_K": ([0, 2], 14), "Q5_K": ([0, 2], 14), "Q6_K": ([208], 14),
    "IQ4_XS": ([0], 14),
}


class Random:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def bytes(self, n):
        return bytearray(b"".join(struct.pack("<Q", self.next()) for _ in range((n + 7) // 8))[:n])

    def finite_f16(self):
        return self.next() % 0x7C00 | (self.next() & 1) << 15


def make_blocks(name, f16_offsets, n_blocks, block_bytes, random):
    blocks = []
    for i in range(n_blocks):
        block = random.bytes(block_bytes)
        if i >= n_blocks - len(EDGE_BYTES):  # all bytes the same, under a random scale
            block = bytearray([EDGE_BYTES[n_blocks - 1 - i]]) * block_bytes
        for field, offset in enumerate(f16_offsets):
            edge = EDGE_F16[(i + 3 * field) % len(EDGE_F16)]
            struct.pack_into("<H", block, offset, edge if i < len(EDGE_F16) else random.finite_f16())
        if name == "MXFP4":  # larger scales overflow f32, 255 is none
            block[0] = EDGE_E8M0[i] if i < len(EDGE_E8M0) else random.next() % 253
        blocks.append(bytes(block))
    return b"".join(blocks)


def make_halves(exponent_mask, n, random):
    """Edges of both 16-bit floats, then random patterns; finite ones only."""
    patterns = EDGE_F16 + [0x0080, 0x007F, 0x7F7F, 0xFF7F]
    patterns = [p for p in patterns if p & exponent_mask != exponent_mask]
    while len(patterns) < n:
        pattern = random.next() & 0xFFFF
        if pattern & exponent_mask != exponent_mask:
            patterns.append(pattern)
    return struct.pack(f"<{n}H", *patterns)


def main():
    random = Random(20260401)
    out = bytearray()
    for name in ["F16", "BF16", *FORMATS]:
        qtype = gguf.GGMLQuantizationType[name]
        weights, size = gguf.GGML_QUANT_SIZES[qtype]
        if name in FORMATS:
            offsets, n_blocks = FORMATS[name]
            blocks = make_blocks(name, offsets, n_blocks, size, random)
        else:
            n_blocks = 512
            blocks = make_halves(0x7C00 if name == "F16" else 0x7F80, n_blocks, random)
        values = gguf.quants.dequantize(np.frombuffer(blocks, dtype=np.uint8), qtype).astype("<f4").ravel()
        assert values.size == n_blocks * weights and np.isfinite(values).all(), name
        out += struct.pack("<4I", qtype.value, weights, size, n_blocks) + blocks + values.tobytes()
    Path(__file__).with_name("quant_golden.bin").write_bytes(out)


if __name__ == "__main__":
    main()
