/// The largest values that a spec may have: far above any small model, and low enough that every product of them that the
/// library forms (parameters, bytes of a KV cache) fits in 63 bits and every single one in an int.
#pragma once

namespace mote::spec {

inline constexpr int kMaxLayers = 1024;
inline constexpr int kMaxDModel = 1 << 17;
inline constexpr int kMaxDFf = 1 << 20;
inline constexpr int kMaxExperts = 1024;
inline constexpr int kMaxHeads = 1024;
inline constexpr int kMaxHeadDim = 1024;
inline constexpr int kMaxDState = 4096;
inline constexpr int kMaxDConv = 64;
inline constexpr int kMaxVocab = 1 << 24;
inline constexpr int kMaxCtx = 1 << 24;

inline constexpr double kMinRopeBase = 1.0, kMaxRopeBase = 1e30;
/// Of scales, caps and clamps.
inline constexpr double kMaxFactor = 1e9;
/// With kMaxCtx the bounds of the angles, whose sines are exact up to 2^26.
inline constexpr double kMinRopeFactor = 0.25, kMaxRopeFactor = 1e9;

} // namespace mote::spec
