/// Non-overlapping template matching test, SP 800-22 rev. 1a, section 2.7.
///
/// Statistic:  W_j, the occurrences of an aperiodic template of m bits in block j of N blocks of
///             M = floor(n / N) bits; mu = (M - m + 1) / 2^m, sigma^2 = M (1 / 2^m - (2 m - 1) /
///             2^(2 m)); chi-square = sum (W_j - mu)^2 / sigma^2, p = igamc(N / 2, chi-square / 2).
///             One p-value per template: 148 for m = 9.
/// Conditions: N <= 100, M > 0.01 n, and m = 9 or 10 are recommended (2.7.7): flags otherwise. M <
///             m: not applicable. m outside 2 ... 16 or N = 0: std::invalid_argument.
/// Departures: all aperiodic templates of m bits are run; NIST's program reads them from files and
///             runs at most 148, which leaves templates out for m > 9. The scan of the standard
///             goes on behind a match; an aperiodic template cannot overlap itself, so that finds
///             every occurrence, and one count of all patterns of a block serves all templates.
///             chi-square is an integer over an integer here. W_j are among the statistics for up
///             to 100 blocks. Constants: none, so both modes are the same.
#include "nist_tests/non_overlapping_template.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "core/statistics.hpp"
#include "nist_tests/pattern_counts.hpp"
#include "nist_tests/randomness_test.hpp"
#include "nist_tests/splitmix64_text.hpp"

namespace icb {

std::vector<std::uint32_t> sp80022::aperiodic_templates(unsigned m) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t pattern = 0; pattern < std::uint32_t{1} << m; ++pattern) {
    bool aperiodic = true;
    for (unsigned shift = 1; shift < m && aperiodic; ++shift) {
      aperiodic = pattern >> shift != (pattern & ((std::uint32_t{1} << (m - shift)) - 1));
    }
    if (aperiodic) out.push_back(pattern);
  }
  return out;
}

namespace {

constexpr std::uint64_t most_blocks = 100;  // recommended

void check(const TestParameters& parameters) {
  const unsigned m = parameters.non_overlapping_template;
  if (m < 2 || m > 16) {
    throw std::invalid_argument(
        fmt::format("non-overlapping template needs 2 <= m <= 16, got {}", m));
  }
  if (parameters.non_overlapping_blocks == 0) {
    throw std::invalid_argument("non-overlapping template needs N >= 1 blocks, got 0");
  }
}

// '0' and '1' behind a prefix. There are 1332 such names per sequence, so this is not left to a
// format string.
std::string name_of(std::string_view prefix, std::uint32_t pattern, unsigned m) {
  std::string name(prefix.size() + m, '0');
  prefix.copy(name.data(), prefix.size());
  for (std::size_t i = name.size(); i-- > prefix.size(); pattern >>= 1) {
    if ((pattern & 1U) != 0) name[i] = '1';
  }
  return name;
}

std::string id_prefix(unsigned m) { return fmt::format("non-overlapping-template/m={}/", m); }

std::vector<std::string> ids(const TestParameters& parameters, std::uint64_t /*n*/) {
  check(parameters);
  const unsigned m = parameters.non_overlapping_template;
  const std::string prefix = id_prefix(m);
  std::vector<std::string> out;
  for (const std::uint32_t pattern : sp80022::aperiodic_templates(m)) {
    out.push_back(name_of(prefix, pattern, m));
  }
  return out;
}

std::vector<std::string> flags_for(std::uint64_t n, unsigned m, std::uint64_t blocks,
                                   std::uint64_t block) {
  std::vector<std::string> flags;
  if (blocks > most_blocks) {
    flags.push_back(
        fmt::format("N = {} blocks, at most {} recommended (2.7.7)", blocks, most_blocks));
  }
  if (100 * block <= n) {
    flags.push_back(fmt::format("M = {} bits, above 0.01 n = {} recommended (2.7.7)", block,
                                static_cast<double>(n) / 100));
  }
  if (m != 9 && m != 10) {
    flags.push_back(fmt::format("m = {} bits, 9 or 10 recommended (2.7.7)", m));
  }
  return flags;
}

TestResult run(BitView bits, const TestParameters& parameters) {
  using sp80022::Wide;
  check(parameters);
  const std::uint64_t n = bits.size();
  const unsigned m = parameters.non_overlapping_template;
  const std::uint64_t blocks = parameters.non_overlapping_blocks;
  const std::uint64_t block = n / blocks;
  TestResult result{
      .outcome = NotApplicable{fmt::format("M = {} bits per block, needs m = {}", block, m)},
      .statistics = {{"N", static_cast<double>(blocks)}, {"M", static_cast<double>(block)}},
      .flags = {}};
  if (block < m) return result;
  result.flags = flags_for(n, m, blocks, block);

  // With 2^m in front: mu and sigma are integers and the root of one.
  const std::uint64_t windows = block - m + 1;
  const std::uint64_t variance = block * ((std::uint64_t{1} << m) - (2 * m - 1));
  const int log2_scale = static_cast<int>(m);
  result.statistics.emplace_back("mu", std::ldexp(static_cast<double>(windows), -log2_scale));
  result.statistics.emplace_back("sigma2",
                                 std::ldexp(static_cast<double>(variance), -2 * log2_scale));

  const auto templates = sp80022::aperiodic_templates(m);
  const std::uint64_t listed = blocks <= most_blocks ? blocks : 0;
  std::vector<std::uint64_t> w(listed * templates.size());  // by template
  std::vector<Wide> squares(templates.size());
  std::vector<std::uint64_t> counts(std::size_t{1} << m);
  sp80022::PatternCounter counter(m, windows);
  for (std::uint64_t j = 0; j < blocks; ++j) {
    std::fill(counts.begin(), counts.end(), std::uint64_t{0});
    counter.add(bits, j * block, windows, counts);
    for (std::size_t i = 0; i < templates.size(); ++i) {
      const std::uint64_t count = counts[templates[i]];
      const std::uint64_t scaled = count << m;
      const Wide excess = scaled > windows ? scaled - windows : windows - scaled;
      squares[i] += excess * excess;
      if (listed != 0) w[i * listed + j] = count;
    }
  }

  std::vector<std::string> w_prefixes;
  for (std::uint64_t j = 1; j <= listed; ++j) w_prefixes.push_back(fmt::format("W_{}/", j));
  const std::string prefix = id_prefix(m);
  std::vector<SubResult> p_values;
  p_values.reserve(templates.size());
  result.statistics.reserve(result.statistics.size() + templates.size() * (1 + listed));
  for (std::size_t i = 0; i < templates.size(); ++i) {
    const double chi_square = static_cast<double>(squares[i]) / static_cast<double>(variance);
    result.statistics.emplace_back(name_of("chi_square/", templates[i], m), chi_square);
    for (std::size_t j = 0; j < listed; ++j) {
      result.statistics.emplace_back(name_of(w_prefixes[j], templates[i], m),
                                     static_cast<double>(w[i * listed + j]));
    }
    p_values.push_back({name_of(prefix, templates[i], m),
                        chi_square_upper_p(chi_square, static_cast<double>(blocks))});
  }
  result.outcome = std::move(p_values);
  return result;
}

const RegisterRandomnessTest entry{{
    .name = "non-overlapping-template",
    .title = "Non-overlapping Template Matching Test",
    .section = "2.7",
    .ids = ids,
    .run = run,
    // The example of 2.7.8 cannot be checked: nobody can make its input any more.
    .vectors =
        {
            {"SP 800-22 rev. 1a, sec. 2.7.4",
             "10100100101110010110",
             {.non_overlapping_template = 3, .non_overlapping_blocks = 2},
             {{"non-overlapping-template/m=3/001", 0.344154}},
             1e-6},
            {"own textbook implementation in another language, multiple precision",
             sp80022::splitmix64_text(5, 2048),
             {},
             {{"non-overlapping-template/m=9/000000001", 0.628335731778},
              {"non-overlapping-template/m=9/001110101", 0.699897516561},
              {"non-overlapping-template/m=9/101000100", 0.911433583771},
              {"non-overlapping-template/m=9/111111110", 0.0683843587481}},
             1e-10},
            {"own textbook implementation in another language, multiple precision",
             sp80022::splitmix64_text(5, 2048),
             {.non_overlapping_template = 3, .non_overlapping_blocks = 5},
             {{"non-overlapping-template/m=3/011", 0.547060333416},
              {"non-overlapping-template/m=3/110", 0.561650099738}},
             1e-10},
        },
}};

}  // namespace
}  // namespace icb
