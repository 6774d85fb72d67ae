#include "bench/evaluate/summary.hpp"

#include <algorithm>
#include <cmath>

namespace icb::evaluate {
namespace {

/// Quantity and nonce policy.
using Name = Summary::Name;

/// Rows of one of them in one image, by channel.
using Channels = std::map<std::string, std::vector<const JudgedMeasurement*>>;

}  // namespace

std::string verdict_name(const JudgedImage& image) {
  if (image.verdict.tests == 0) return image.errors.empty() ? "not_applicable" : "error";
  return image.verdict.rejected ? "reject" : "ok";
}

void Summary::add(const JudgedImage& image) {
  ++m_images;
  m_raw += image.raw ? 1U : 0U;
  m_with_errors += image.errors.empty() ? 0U : 1U;
  m_rejected += image.verdict.rejected ? 1U : 0U;
  if (image.verdict.p) m_p_values.push_back(*image.verdict.p);

  std::map<Name, Channels> found;
  for (const JudgedMeasurement& row : image.verdict.rows) {
    const Name name{row.measurement.quantity, row.measurement.nonce_policy};
    // A file that could not be read is no quantity.
    if (row.measurement.status == Status::error && image.verdict.tests == 0) continue;
    if (m_places.try_emplace(name, m_quantities.size()).second) {
      m_quantities.emplace_back();
      m_quantities.back().quantity = name.first;
      m_quantities.back().nonce_policy = name.second;
      m_quantities.back().family = row.family;
      m_quantities.back().decides = row.decides;
      m_z_squares.push_back(0);
    }
    found[name][row.measurement.channel].push_back(&row);
  }
  for (auto& [name, channels] : found) {
    if (channels.size() > 1) channels.erase("all");
    const std::size_t place = m_places.at(name);
    QuantitySummary& out = m_quantities[place];
    for (const auto& [channel, rows] : channels) {
      std::vector<PValue> p_values;
      for (const JudgedMeasurement* row : rows) {
        if (!row->p_corrected) continue;
        p_values.emplace_back(*row->measurement.p_value);
        if (!row->measurement.z) continue;
        const double z = *row->measurement.z;
        const double d = z - out.z_mean;
        out.z_mean += d / static_cast<double>(++out.z_count);
        m_z_squares[place] += d * (z - out.z_mean);
        if (out.z_count == 1 || std::abs(z) > std::abs(out.worst_z)) {
          out.worst_z = z;
          out.worst_image = image.name;
          out.worst_channel = channel;
        }
      }
      if (p_values.empty()) {
        ++out.not_applicable;
        continue;
      }
      ++out.measured;
      out.rejected += simes(p_values).value() < m_alpha.value() ? 1U : 0U;
    }
  }
}

std::vector<QuantitySummary> Summary::quantities() const {
  std::vector<QuantitySummary> out = m_quantities;
  std::vector<std::string> families;
  std::vector<PValue> p_values;
  for (std::size_t i = 0; i < out.size(); ++i) {
    QuantitySummary& row = out[i];
    if (row.z_count > 1)
      row.z_sd = std::sqrt(m_z_squares[i] / static_cast<double>(row.z_count - 1));
    if (row.measured == 0) continue;
    row.interval = binomial_interval(row.rejected, row.measured, 1 - m_alpha.value());
    row.p = binomial_upper_p(row.rejected, row.measured, m_alpha.value());
    families.push_back(row.family + '\0' + row.nonce_policy);
    p_values.push_back(*row.p);
  }
  const std::vector<PValue> adjusted = holm_of_groups(families, p_values);
  std::size_t next = 0;
  for (QuantitySummary& row : out) {
    if (row.p) row.p_corrected = std::max(*row.p, adjusted[next++]);
  }
  return out;
}

BinomialInterval Summary::interval() const {
  return judged() == 0 ? BinomialInterval{0, 1}
                       : binomial_interval(m_rejected, judged(), 1 - m_alpha.value());
}

PValue Summary::p_of_rejected() const {
  return binomial_upper_p(m_rejected, judged(), m_alpha.value());
}

std::optional<PValue> Summary::p() const {
  if (m_p_values.empty()) return std::nullopt;
  double smallest = std::min(simes(m_p_values).value(), p_of_rejected().value());
  for (const QuantitySummary& row : quantities()) {
    if (row.p_corrected && row.decides) smallest = std::min(smallest, row.p_corrected->value());
  }
  return PValue{std::min(1.0, kinds_of_p * smallest)};
}

}  // namespace icb::evaluate
