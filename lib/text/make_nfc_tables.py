#!/usr/bin/env python3
"""Writes nfc_tables.h from the Unicode data that Python carries: python3 make_nfc_tables.py > nfc_tables.h"""
import unicodedata


def ranges(values):
    """Runs of equal non-zero values over consecutive code points: (first, last, value)."""
    out = []
    for code in sorted(values):
        if out and out[-1][1] == code - 1 and out[-1][2] == values[code]:
            out[-1][1] = code
        else:
            out.append([code, code, values[code]])
    return out


def table(entries):
    lines, line = [], " "
    for entry in entries:
        text = " {" + ", ".join("0x%X" % n if i < 3 and n > 9 else str(n) for i, n in enumerate(entry)) + "},"
        if len(line) + len(text) > 128:
            lines.append(line)
            line = " "
        line += text
    return "\n".join(lines + [line])


HANGUL = range(0xAC00, 0xD7A4)
codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000 and c not in HANGUL]
classes = {c: unicodedata.combining(chr(c)) for c in codes if unicodedata.combining(chr(c))}
decompositions = []
for c in codes:
    mapping = unicodedata.decomposition(chr(c))
    if mapping and not mapping.startswith("<"):
        parts = [int(x, 16) for x in mapping.split()]
        composes = len(parts) == 2 and unicodedata.normalize("NFC", chr(c)) == chr(c)
        decompositions.append((c, parts[0], parts[1] if len(parts) == 2 else 0, int(composes)))
assert all(len(unicodedata.decomposition(chr(d[0])).split()) <= 2 for d in decompositions)
seconds = {d[2] for d in decompositions if d[3]} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
unsettled = {c: 1 for c in codes if c in classes or c in seconds or unicodedata.normalize("NFC", chr(c)) != chr(c)}
assert min(unsettled) == 0x300
by_parts = sorted((d[1], d[2], i) for i, d in enumerate(decompositions) if d[3])

print(f"""/// Unicode {unicodedata.unidata_version}: what canonical composition needs to know. Made by make_nfc_tables.py; do not edit.
#pragma once
#include <cstdint>

namespace mote::text {{

/// Code points first to last have this canonical combining class.
struct CombiningRange {{
  char32_t first, last;
  std::uint8_t combining_class;
}};
inline constexpr CombiningRange kCombining[] = {{
{table(ranges(classes))}
}};

/// code is canonically equivalent to first, second (0: to first alone). composes: the pair is written as code in NFC. Sorted by code.
struct Decomposition {{
  char32_t code, first, second;
  bool composes;
}};
inline constexpr Decomposition kDecompositions[] = {{""")
print(table(decompositions).replace(", 1}", ", true}").replace(", 0}", ", false}"))
print("};\n\n/// Places in kDecompositions of those that compose, sorted by first, second.\ninline constexpr std::uint16_t kCompositions[] = {")
line = " "
for _, _, i in by_parts:
    if len(line) + len(f" {i},") > 128:
        print(line)
        line = " "
    line += f" {i},"
print(line)
print(f"""}};

/// Code points outside these ranges are starters that NFC never changes, whatever surrounds them.
struct UnsettledRange {{
  char32_t first, last;
}};
inline constexpr UnsettledRange kUnsettled[] = {{
{table([r[:2] for r in ranges(unsettled)])}
}};

}} // namespace mote::text""")
