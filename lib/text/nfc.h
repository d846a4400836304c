/// Unicode normalization form C: canonical composition (Unicode Standard Annex 15).
#pragma once
#include <string>
#include <string_view>

namespace mote::text {

/// False only if the text is in NFC. Cheap: most text has no character that could be affected.
bool may_change_in_nfc(std::string_view text) noexcept;
/// text: valid UTF-8. Characters that Unicode has assigned since the tables were made stay as they are.
std::string to_nfc(std::string_view text);

} // namespace mote::text
