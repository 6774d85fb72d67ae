#include "core/measurement.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/csv.hpp"

namespace icb {
namespace {

constexpr std::array<std::string_view, 4> status_names{"ok", "reject", "not_applicable", "error"};

std::string optional_number(const std::optional<double>& value) {
  return value ? format_double(*value) : std::string{};
}

// JSON has no infinity; 17 digits as text read back exactly.
void put(nlohmann::ordered_json& out, const char* key, const std::optional<double>& value) {
  if (value) out[key] = format_double(*value);
}

std::optional<double> get(const nlohmann::json& in, const char* key) {
  if (!in.contains(key)) return std::nullopt;
  return parse_double(in.at(key).get<std::string>());
}

std::uint64_t get_count(const nlohmann::json& in, const char* key) {
  const auto& value = in.at(key);
  if (!value.is_number_unsigned()) {
    throw std::invalid_argument(std::string("not a measurement: \"") + key +
                                "\" must be a whole number, 0 or more");
  }
  return value.get<std::uint64_t>();
}

}  // namespace

std::string_view to_string(Status status) {
  return status_names.at(static_cast<std::size_t>(status));
}

Status status_from(std::string_view text) {
  for (std::size_t i = 0; i < status_names.size(); ++i) {
    if (status_names[i] == text) return static_cast<Status>(i);
  }
  throw std::invalid_argument("unknown status \"" + std::string(text) +
                              "\"; expected ok, reject, not_applicable or error");
}

const std::vector<std::string>& measurement_columns() {
  static const std::vector<std::string> columns{
      "cipher", "variant", "nonce_policy", "key_id", "image", "image_sha256", "channel", "quantity",
      "value",  "unit",    "expected",     "sd",     "z",     "p_value",      "n",       "seed",
      "status", "detail"};
  return columns;
}

std::vector<std::string> to_csv_row(const Measurement& m) {
  return {m.cipher,
          m.variant,
          m.nonce_policy,
          m.key_id,
          m.image,
          m.image_sha256,
          m.channel,
          m.quantity,
          optional_number(m.value),
          m.unit,
          optional_number(m.expected),
          optional_number(m.sd),
          optional_number(m.z),
          optional_number(m.p_value),
          std::to_string(m.n),
          m.seed ? std::to_string(*m.seed) : std::string{},
          std::string(to_string(m.status)),
          m.detail};
}

std::string to_json_line(const Measurement& m) {
  nlohmann::ordered_json out;
  out["cipher"] = m.cipher;
  out["variant"] = m.variant;
  out["nonce_policy"] = m.nonce_policy;
  out["key_id"] = m.key_id;
  out["image"] = m.image;
  out["image_sha256"] = m.image_sha256;
  out["channel"] = m.channel;
  out["quantity"] = m.quantity;
  put(out, "value", m.value);
  out["unit"] = m.unit;
  put(out, "expected", m.expected);
  put(out, "sd", m.sd);
  put(out, "z", m.z);
  put(out, "p_value", m.p_value);
  out["n"] = m.n;
  if (m.seed) out["seed"] = *m.seed;
  out["status"] = to_string(m.status);
  out["detail"] = m.detail;
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Measurement measurement_from_json(std::string_view line) {
  try {
    const auto in = nlohmann::json::parse(line);
    Measurement m;
    m.cipher = in.at("cipher").get<std::string>();
    m.variant = in.at("variant").get<std::string>();
    m.nonce_policy = in.at("nonce_policy").get<std::string>();
    m.key_id = in.at("key_id").get<std::string>();
    m.image = in.at("image").get<std::string>();
    m.image_sha256 = in.at("image_sha256").get<std::string>();
    m.channel = in.at("channel").get<std::string>();
    m.quantity = in.at("quantity").get<std::string>();
    m.value = get(in, "value");
    m.unit = in.at("unit").get<std::string>();
    m.expected = get(in, "expected");
    m.sd = get(in, "sd");
    m.z = get(in, "z");
    m.p_value = get(in, "p_value");
    m.n = get_count(in, "n");
    if (in.contains("seed")) m.seed = get_count(in, "seed");
    m.status = status_from(in.at("status").get<std::string>());
    m.detail = in.at("detail").get<std::string>();
    return m;
  } catch (const nlohmann::json::exception& error) {
    throw std::invalid_argument(std::string("not a measurement: ") + error.what());
  }
}

}  // namespace icb
