/// Random excursions variant test, SP 800-22 rev. 1a, section 2.15.
///
/// Statistic:  for x = -9 ... -1, 1 ... 9: xi(x), the visits of the walk to x over its J cycles;
///             p = erfc(|xi(x) - J| / sqrt(2 J (4 |x| - 2))).
/// Conditions: J >= max(500, 0.005 sqrt(n)), else not applicable. Section 2.15 has no such
///             condition of its own; it is that of section 2.14, and NIST's program makes it for
///             both, reporting p = 0. n >= 10^6 is recommended (2.15.7): a flag below.
/// Departures: J has no upper limit, see random_excursions.cpp. Constants: none, so both modes are
///             the same.
#include <fmt/format.h>

#include <cmath>

#include "core/statistics.hpp"
#include "nist_tests/random_walk.hpp"
#include "nist_tests/splitmix64_text.hpp"

namespace icb {

PValue sp80022::visits_p(std::uint64_t xi, std::uint64_t cycles, std::int64_t x) {
  const auto j = static_cast<double>(cycles);
  const double difference = std::abs(static_cast<double>(xi) - j);
  const auto magnitude = static_cast<double>(x < 0 ? -x : x);
  return PValue{std::erfc(difference / std::sqrt(2 * j * (4 * magnitude - 2)))};
}

namespace {

constexpr std::int64_t reach = sp80022::VisitCounts::reach;
constexpr std::size_t states = 2 * reach;

std::string id_of(std::size_t i) {
  return fmt::format("random-excursions-variant/x={:+d}", sp80022::state_at(i, reach));
}

std::vector<std::string> ids(const TestParameters& /*unused*/, std::uint64_t /*n*/) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < states; ++i) out.push_back(id_of(i));
  return out;
}

TestResult run(BitView bits, const TestParameters& /*unused*/) {
  const auto counts = sp80022::count_visits(bits);
  TestResult result{.outcome = NotApplicable{sp80022::too_few_cycles(counts.cycles, bits.size())},
                    .statistics = {{"J", static_cast<double>(counts.cycles)}},
                    .flags = {}};
  for (std::size_t i = 0; i < states; ++i) {
    result.statistics.emplace_back(fmt::format("xi/x={:+d}", sp80022::state_at(i, reach)),
                                   static_cast<double>(counts.xi[i]));
  }
  if (!std::get<NotApplicable>(result.outcome).reason.empty()) return result;
  if (bits.size() < 1000000) {
    result.flags.push_back(fmt::format("n = {} bits, 1000000 recommended (2.15.7)", bits.size()));
  }
  std::vector<SubResult> p_values;
  for (std::size_t i = 0; i < states; ++i) {
    const std::int64_t x = sp80022::state_at(i, reach);
    p_values.push_back({id_of(i), sp80022::visits_p(counts.xi[i], counts.cycles, x)});
  }
  result.outcome = std::move(p_values);
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "random-excursions-variant",
    .title = "Random Excursions Variant Test",
    .section = "2.15",
    .ids = ids,
    .run = run,
    // The examples of 2.15.4 (J = 3) and 2.15.8 (10^6 bits of e) are in the tests.
    .vectors = {{"own textbook implementation in another language, multiple precision",
                 sp80022::splitmix64_text(5, 2048),
                 {},
                 {
                     {"random-excursions-variant/x=-9", 0.185251526077},
                     {"random-excursions-variant/x=-8", 0.288487463323},
                     {"random-excursions-variant/x=-7", 0.228604473851},
                     {"random-excursions-variant/x=-6", 0.168145611285},
                     {"random-excursions-variant/x=-5", 0.202488495589},
                     {"random-excursions-variant/x=-4", 0.12284740244},
                     {"random-excursions-variant/x=-3", 0.110890265959},
                     {"random-excursions-variant/x=-2", 0.153465155098},
                     {"random-excursions-variant/x=-1", 0.205903210732},
                     {"random-excursions-variant/x=+1", 0.274647133886},
                     {"random-excursions-variant/x=+2", 0.219362013063},
                     {"random-excursions-variant/x=+3", 0.381986961727},
                     {"random-excursions-variant/x=+4", 0.564694351214},
                     {"random-excursions-variant/x=+5", 0.954150126265},
                     {"random-excursions-variant/x=+6", 0.74187000542},
                     {"random-excursions-variant/x=+7", 0.713790798018},
                     {"random-excursions-variant/x=+8", 0.934925311642},
                     {"random-excursions-variant/x=+9", 0.801808910874},
                 },
                 1e-10}},
}};

}  // namespace
}  // namespace icb
