/// Functions in double that are the same on every platform: only + - * / and frexp, ldexp, floor, which are exact; a libm's pow,
/// sin and cos differ between platforms in the last bit, and with them would the model.
#pragma once

namespace mote::decoder {

/// ln x for x > 0, relative error about 1e-16.
double log_of(double x) noexcept;
/// e^x for |x| < 700, relative error about 1e-15.
double exp_of(double x) noexcept;
/// cos and sin of 0 <= angle < 2^26, absolute error about 1e-16.
void cos_sin_of(double angle, double& cos, double& sin) noexcept;

} // namespace mote::decoder
