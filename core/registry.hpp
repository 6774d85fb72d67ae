/// One registry per kind of subject (cipher, metric, randomness test, ...). A subject is one source
/// file that registers itself; modules are CMake OBJECT libraries, so the linker keeps every entry.
///
///   const Register<MetricEntry> entry{{.name = "entropy", ...}};      // in metrics/entropy.cpp
///   for (const auto& [name, metric] : registry<MetricEntry>()) ...    // sorted by name
#pragma once

#include <fmt/format.h>

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.hpp"

namespace icb {

template <class Entry>
std::map<std::string, Entry, std::less<>>& mutable_registry() {
  static std::map<std::string, Entry, std::less<>> entries;
  return entries;
}

/// All entries of a kind, sorted by name, so that tables have the same order on every machine.
template <class Entry>
const std::map<std::string, Entry, std::less<>>& registry() {
  return mutable_registry<Entry>();
}

/// The entry of that name. Throws UsageError naming what exists.
template <class Entry>
const Entry& find(std::string_view name) {
  const auto& entries = registry<Entry>();
  if (const auto found = entries.find(name); found != entries.end()) return found->second;
  std::string known;
  for (const auto& [key, entry] : entries) known += (known.empty() ? "" : ", ") + key;
  throw UsageError(fmt::format("unknown {} \"{}\"; expected one of: {}", Entry::kind, name, known));
}

/// Adds an entry at start-up; a second entry of the same name is a programming error.
template <class Entry>
struct Register {
  explicit Register(Entry entry) {
    const std::string name = entry.name;
    if (!mutable_registry<Entry>().emplace(name, std::move(entry)).second) {
      throw std::logic_error(fmt::format("{} \"{}\" is registered twice", Entry::kind, name));
    }
  }
};

}  // namespace icb
