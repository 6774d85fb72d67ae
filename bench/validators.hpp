/// What CLI11 lets through and no command wants: a number beyond 64 bits (cut off), NaN (outside no
/// range), an empty path.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace icb {

inline const CLI::Validator fits_64_bits{
    [](std::string& text) {
      std::uint64_t value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error == std::errc{} && end == text.data() + text.size()) return std::string{};
      return "expected an integer from 0 to 2^64 - 1, got " + text;
    },
    "", "64-bit"};

inline const CLI::Validator is_number{[](std::string& text) {
                                        return std::isnan(std::strtod(text.c_str(), nullptr))
                                                   ? "expected a number, got " + text
                                                   : std::string{};
                                      },
                                      "", "number"};

inline const CLI::Validator not_empty{
    [](std::string& text) {
      return text.empty() ? std::string("expected a path, got nothing") : std::string{};
    },
    "", "path"};

}  // namespace icb
