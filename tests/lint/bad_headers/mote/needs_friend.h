#pragma once
inline std::string needs_a_header_that_it_does_not_include();
