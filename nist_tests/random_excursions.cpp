/// Random excursions test, SP 800-22 rev. 1a, section 2.14.
///
/// Statistic:  for x = -4 ... -1, 1 ... 4: chi-square, in six classes, of the visits of the walk to
///             x in each of its J cycles; p = igamc(5/2, chi-square / 2).
/// Conditions: J >= max(500, 0.005 sqrt(n)), else not applicable (sections 2.14, 3.14); NIST's
///             program reports p = 0 there. n >= 10^6 is recommended (2.14.7): a flag below.
/// Departures: J has no upper limit here, as in the standard; NIST's program gives up beyond
///             max(1000, n / 100) and writes no p-value (an alternating sequence has J = n / 2).
///             Constants::exact has the rational class probabilities; NIST's program has them with
///             ten decimals, which moves p by up to 2e-8. The example of 2.14.4 rounds them, too:
///             it prints chi-square 4.333033, p = 0.502529; exact are 13/3 and 0.502488.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/statistics.hpp"
#include "nist_tests/kernels.hpp"
#include "nist_tests/random_walk.hpp"
#include "nist_tests/splitmix64_text.hpp"

namespace icb {

std::array<double, 6> sp80022::excursion_probabilities(std::int64_t x, Constants constants) {
  // Of |x| = 1 ... 4, as in NIST's program.
  static constexpr std::array<double, 6> nist[] = {
      {0.5000000000, 0.2500000000, 0.1250000000, 0.06250000000, 0.03125000000, 0.0312500000},
      {0.7500000000, 0.06250000000, 0.04687500000, 0.03515625000, 0.02636718750, 0.0791015625},
      {0.8333333333, 0.02777777778, 0.02314814815, 0.01929012346, 0.01607510288, 0.0803755143},
      {0.8750000000, 0.01562500000, 0.01367187500, 0.01196289063, 0.01046752930, 0.0732727051}};
  const std::int64_t a = x < 0 ? -x : x;
  if (constants == Constants::nist) return nist[a - 1];
  // With u = 2 |x| (3.14): 1 - 1/u; (1 - 1/u)^(k-1) / u^2, k = 1 ... 4; (1 - 1/u)^4 / u. The
  // integers are exact in a double, so each probability is rounded once.
  const auto u = static_cast<double>(2 * a);
  const double v = u - 1;
  return {v / u,
          1 / (u * u),
          v / (u * u * u),
          (v * v) / (u * u * u * u),
          (v * v * v) / (u * u * u * u * u),
          (v * v * v * v) / (u * u * u * u * u)};
}

std::string sp80022::too_few_cycles(std::uint64_t cycles, std::uint64_t n) {
  const double needed = std::max(500.0, 0.005 * std::sqrt(static_cast<double>(n)));
  if (static_cast<double>(cycles) >= needed) return {};
  return fmt::format("J = {} cycles, needs {:.0f}", cycles, std::ceil(needed));
}

namespace {

constexpr std::int64_t reach = sp80022::ExcursionCounts::reach;
constexpr std::size_t states = 2 * reach;

std::string id_of(std::size_t i) {
  return fmt::format("random-excursions/x={:+d}", sp80022::state_at(i, reach));
}

std::vector<std::string> ids(const TestParameters& /*unused*/, std::uint64_t /*n*/) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < states; ++i) out.push_back(id_of(i));
  return out;
}

TestResult run(BitView bits, const TestParameters& parameters) {
  const auto counts = sp80022::count_excursions(bits);
  TestResult result{.outcome = NotApplicable{sp80022::too_few_cycles(counts.cycles, bits.size())},
                    .statistics = {{"J", static_cast<double>(counts.cycles)}},
                    .flags = {}};
  if (!std::get<NotApplicable>(result.outcome).reason.empty()) return result;
  if (bits.size() < 1000000) {
    result.flags.push_back(fmt::format("n = {} bits, 1000000 recommended (2.14.7)", bits.size()));
  }
  std::vector<SubResult> p_values;
  for (std::size_t i = 0; i < states; ++i) {
    const std::int64_t x = sp80022::state_at(i, reach);
    const double chi_square = sp80022::chi_square(
        counts.nu[i], sp80022::excursion_probabilities(x, parameters.constants));
    result.statistics.emplace_back(fmt::format("chi_square/x={:+d}", x), chi_square);
    p_values.push_back({id_of(i), chi_square_upper_p(chi_square, 5)});
  }
  result.outcome = std::move(p_values);
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "random-excursions",
    .title = "Random Excursions Test",
    .section = "2.14",
    .ids = ids,
    .run = run,
    // The examples of 2.14.4 (J = 3) and 2.14.8 (10^6 bits of e) are in the tests.
    .vectors = {{"own textbook implementation in another language, multiple precision",
                 sp80022::splitmix64_text(5, 2048),
                 {},
                 {
                     {"random-excursions/x=-4", 0.125072680791},
                     {"random-excursions/x=-3", 0.155589535715},
                     {"random-excursions/x=-2", 0.302195241501},
                     {"random-excursions/x=-1", 0.64613272477},
                     {"random-excursions/x=+1", 0.549177999234},
                     {"random-excursions/x=+2", 0.0316488459083},
                     {"random-excursions/x=+3", 0.725709020804},
                     {"random-excursions/x=+4", 0.264720393026},
                 },
                 1e-10}},
}};

}  // namespace
}  // namespace icb
