#!/usr/bin/env python3
"""Counts the instructions of the matrix kernels' hot loops, per 256 weights of one row and per token.

Usage: count_instructions.py OBJECT...      objects of kernels/isa_*.cpp, for example of a release build:
       bench/count_instructions.py $(find build/release -name 'isa_*.o')

Reads the disassembly (objdump), so it works for processors that are not there. Of each multiply_blocks<policy, format, tokens, ...>
the loop over blocks is counted: everything in it, address arithmetic and branches too, once for each time around. How often an
inner loop goes around follows from the products that must be made (16 rows x columns x tokens, which their instructions must add
up to); "?" where that does not come out. Branches that are not always taken count as if both sides ran.

  instructions   per 256 weights of a row and per token
  products       of these, instructions that multiply and add bytes
  loads, stores  of these, instructions that touch memory (x86: also as an operand of others)
  FORMAT*        tiles of what is unpacked for many tokens (kernels/mul_mat_expanded.h, mul_mat_i8mm.h); unpacking is not in it
  calls          must be none: what they call is not counted
  stack          of those, the ones that touch the stack: spilled registers, and the few small arrays of some formats
"""
import re
import shutil
import subprocess
import sys

BLOCK_COLUMNS = {"Q2_K": 256, "Q3_K": 256, "Q4_K": 256, "Q5_K": 256, "Q6_K": 256, "IQ4_XS": 256}  # the others: 32
PRODUCTS = [  # what an instruction multiplies and adds
    (re.compile(r"[su]mmla\s"), 32),
    (re.compile(r"[su]dot\s+v\d+\.4s"), 16),
    (re.compile(r"(smlal2?|smull2?)\s+v\d+\.8h, v\d+\.(8b|16b)"), 8),
    (re.compile(r"vpdpbusd\s.*%zmm"), 64),
    (re.compile(r"vpdpbusd\s.*%ymm"), 32),
    (re.compile(r"vpmaddubsw\s.*%ymm"), 32),
]
FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
KERNEL = re.compile(r"multiply_blocks<\w+, (\w+), (\d+), [\w *]+>")  # 16 rows
TILE = re.compile(r"multiply_tile_i8mm<(\w+), (\d+)>")  # 16 rows x 256 columns, pairs of tokens
EXPANDED = re.compile(r"multiply_expanded<\w+, (\w+), (\d+)>")  # 16 rows x 256 columns
LINE = re.compile(r"^\s*([0-9a-f]+):\s+(.*)$")
BRANCH = re.compile(r"^(?:(b|jmp)|(b\.\w+|cbn?z|tbn?z|j\w+))\s.*?(?:0x)?([0-9a-f]+) <")


def disassemble(path):
    """-> {demangled name of a function: [(address, instruction)]}"""
    with open(path, "rb") as f:
        machine = f.read(20)[18]
    cross = "aarch64-linux-gnu-objdump" if machine == 183 else "x86_64-linux-gnu-objdump"
    program = shutil.which(cross) or "objdump"
    text = subprocess.run([program, "-d", "-C", "--no-show-raw-insn", path], capture_output=True, text=True, check=True).stdout
    functions, body, frame = {}, None, None
    for line in text.splitlines():
        if found := FUNCTION.match(line):
            body, frame = functions.setdefault(found.group(1).replace("mote::kernels::(anonymous namespace)::", ""), []), None
        elif body is not None and (found := LINE.match(line)):
            text = found.group(2).strip().removeprefix("{vex} ")
            if re.match(r"mov\s+(%rsp,%rbp|x29, sp)", text):
                frame = ("(%rbp", "(%rsp") if "%" in text else ("[x29", "[sp")
            body.append((int(found.group(1), 16), text.replace(*frame) if frame else text))
    return functions


def basic_blocks(body):
    """-> [instructions of a block], [numbers of the blocks that may follow it]"""
    inside = {address for address, _ in body}
    starts, branch_of = {body[0][0]}, {}
    for i, (address, text) in enumerate(body):
        found = BRANCH.match(text)
        if found or re.match(r"ret", text):
            if i + 1 < len(body):
                starts.add(body[i + 1][0])
        if found and int(found.group(3), 16) in inside:
            branch_of[address] = (int(found.group(3), 16), bool(found.group(1)))
            starts.add(int(found.group(3), 16))
    blocks, number = [], {}
    for address, text in body:
        if address in starts:
            number[address] = len(blocks)
            blocks.append([])
        blocks[-1].append((address, text))
    follows = []
    for i, block in enumerate(blocks):
        address, text = block[-1]
        target, always = branch_of.get(address, (None, bool(re.match(r"(ret|jmp\s|b\s)", text))))
        follows.append(([] if target is None else [number[target]]) + ([] if always or i + 1 == len(blocks) else [i + 1]))
    return blocks, follows


def natural_loops(follows):
    """-> {head: blocks of its loop}"""
    n = len(follows)
    reached, todo = set(), [0]
    while todo:
        i = todo.pop()
        if i not in reached:
            reached.add(i)
            todo += follows[i]
    before = [[i for i in reached if j in follows[i]] for j in range(n)]
    dominators = [{0}] + [set(range(n)) for _ in range(n - 1)]
    changed = True
    while changed:
        changed = False
        for i in reached - {0}:
            new = set.intersection(*(dominators[j] for j in before[i])) | {i}
            changed, dominators[i] = changed or new != dominators[i], new
    loops = {}
    for i in reached:
        for head in follows[i]:
            if head not in dominators[i]:
                continue
            loop, todo = loops.setdefault(head, {head}), [i]
            while todo:
                j = todo.pop()
                if j not in loop:
                    loop.add(j)
                    todo += before[j]
    return loops


def count(instructions):
    """-> numbers of: all, product instructions, loads and stores, stack accesses, multiplications, calls"""
    result = [0, 0, 0, 0, 0, 0]
    for _, text in instructions:
        name = text.split()[0]
        products = next((n for pattern, n in PRODUCTS if pattern.match(text)), 0)
        memory = bool(re.search(r"\[(x|sp)|\(%", text)) and not name.startswith(("lea", "prfm", "nop"))
        stack = memory and bool(re.search(r"\[sp|\(%rsp", text))
        for i, more in enumerate([1, products > 0, memory, stack, products, name in ("bl", "call")]):
            result[i] += more
    return result


def hot_loop(body, needed):
    """Counts of one turn of the loop that makes the `needed` products, and the turns of the loops in it."""
    blocks, follows = basic_blocks(body)
    loops = natural_loops(follows)
    counted = {head: [count(blocks[i]) for i in loop] for head, loop in loops.items()}
    with_products = [head for head in loops if any(c[4] for c in counted[head])]
    if not with_products:
        return None, None
    outer = max(with_products, key=lambda head: len(loops[head]))
    inner = set().union(*(loops[head] for head in with_products if head != outer and loops[head] < loops[outer]), set())
    total = [sum(count(blocks[i])[k] for i in loops[outer] - inner) for k in range(6)]
    inside = [sum(count(blocks[i])[k] for i in inner) for k in range(6)]
    turns, rest = divmod(needed - total[4], inside[4]) if inside[4] else (1, needed - total[4])
    return [a + turns * b for a, b in zip(total, inside)], "?" if rest else str(turns)


def tile(body, needed):
    """Counts of a whole tile of 16 rows: a function with a loop over two halves of the rows, which may be unrolled, and in it loops
    over eight 32-blocks."""
    blocks, follows = basic_blocks(body)
    loops = natural_loops(follows)
    depth = [sum(i in loop for loop in loops.values()) for i in range(len(blocks))]
    for turns in [(1, 2, 16), (1, 8, 8)]:
        total = [sum(count(block)[k] * turns[min(depth[i], 2)] for i, block in enumerate(blocks)) for k in range(6)]
        if total[4] == needed:
            return total, "8"
    return total, "?"


def report(path):
    print(path)
    print(f"  {'format':<8}{'tokens':>7}{'instructions':>14}{'products':>10}{'loads, stores':>15}{'stack':>8}{'calls':>7}  turns of inner loops")
    rows = []
    for name, body in disassemble(path).items():
        if found := KERNEL.search(name):
            kind, tokens = found.group(1), int(found.group(2))
            products = 16 * BLOCK_COLUMNS.get(kind, 32) * tokens
            numbers, turns = hot_loop(body, products)
        elif found := TILE.search(name) or EXPANDED.search(name):
            kind, tokens = found.group(1) + "*", int(found.group(2)) * (2 if TILE.search(name) else 1)
            products = 16 * 256 * tokens
            numbers, turns = tile(body, products)
        else:
            continue
        rows.append((kind, tokens, numbers and [x * 256 / products for x in numbers], turns))
    for kind, tokens, numbers, turns in sorted(rows):
        if numbers is None:
            print(f"  {kind:<8}{tokens:>7}  no loop found")
        else:
            print(f"  {kind:<8}{tokens:>7}{numbers[0]:>14.1f}{numbers[1]:>10.1f}{numbers[2]:>15.1f}{numbers[3]:>8.1f}{numbers[5]:>7.1f}  {turns}")


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    for path in sys.argv[1:]:
        report(path)


if __name__ == "__main__":
    main()
