/// What each format's file offers to the table in types.cpp: how its blocks are read and, for most, written.
#pragma once
#include <cstddef>

namespace mote::quant {

/// n_blocks blocks at `blocks` (any alignment) -> n_blocks * block_weights values.
using Decode = void(const std::byte* blocks, std::size_t n_blocks, float* out) noexcept;
/// n_blocks * block_weights values -> n_blocks blocks.
using Encode = void(const float* x, std::size_t n_blocks, std::byte* blocks) noexcept;

Decode decode_f32, decode_f16, decode_bf16; // plain.cpp
Encode encode_f32, encode_f16, encode_bf16;
Decode decode_q4_0, decode_q5_0; // q4_0_q5_0.cpp
Encode encode_q4_0, encode_q5_0;
Decode decode_q4_1, decode_q5_1; // q4_1_q5_1.cpp
Encode encode_q4_1, encode_q5_1;
Decode decode_q8_0; // q8_0.cpp
Encode encode_q8_0;
Decode decode_q2_k; // q2_k.cpp
Decode decode_q3_k; // q3_k.cpp
Encode encode_q3_k;
Decode decode_q4_k, decode_q5_k; // q4_k_q5_k.cpp
Encode encode_q4_k, encode_q5_k;
Decode decode_q6_k; // q6_k.cpp
Encode encode_q6_k;
Decode decode_iq4_nl, decode_iq4_xs; // iq4.cpp
Decode decode_mxfp4;                 // mxfp4.cpp

} // namespace mote::quant
