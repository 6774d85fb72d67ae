/// The container reader on arbitrary bytes. As they are: refused, for nobody guesses a tag. With
/// the tag made right, so that everything behind it is reached: refused or decrypted.
#include "container/container.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "fuzz/png_mutator.hpp"

namespace {

namespace container = icb::container;

bool opens(std::string_view content, const container::Secret& key) {
  try {
    container::open(content, key, "input");
    return true;
  } catch (const icb::InputError&) {
    return false;
  } catch (const icb::IntegrityError&) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const container::Secret key(icb::derive_key(1, "fuzz"));
  static const container::Secret other_key(icb::derive_key(1, "another"));
  const std::string content(reinterpret_cast<const char*>(data), size);
  if (opens(content, other_key)) std::abort();
  try {
    const container::Parsed parsed = container::parse(content, "input");
    const icb::Bytes salt(parsed.salt.begin(), parsed.salt.end());
    opens(container::with_tag(content, parsed, derive_keys(key, salt).authentication), key);
  } catch (const icb::InputError&) {
  } catch (const icb::IntegrityError&) {
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
  return icb::fuzz::mutate_png(data, size, most, seed);
}
