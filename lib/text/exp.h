/// The exponential function for the sampler, with the same bits everywhere.
#pragma once

namespace mote::text {

/// e^x for x <= 0, minus infinity included, to about 1e-15 relative; 0 below -708. Plain multiplications and additions only.
double exp_negative(double x) noexcept;

} // namespace mote::text
