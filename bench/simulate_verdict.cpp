/// Simulates the verdict on the battery under the null hypothesis, for the table in
/// docs/sp80022.md: 188 p-values of 15 tests for each sequence, from normal scores.
///
///   simulate_verdict SEQUENCES TRIALS CORRELATION uniform|edge|strict
///
/// CORRELATION: of the scores of one test. uniform: p exactly uniform; edge: F(p) = tail(p), the
/// worst tolerated; strict: uniform, judged without tolerance. Prints the share of trials in which
/// any test is rejected at 0.01, and the share in which bins or proportion of any id are below
/// 0.01 / 188 / 2. The normal distribution is that of libstdc++, so its numbers are too.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "nist_tests/assessment.hpp"

namespace icb {
namespace {

// How many ids each test has, in the order they are drawn in.
constexpr unsigned ids_of_tests[] = {1, 1, 2, 1, 1, 1, 1, 148, 1, 1, 1, 8, 18, 2, 1};
constexpr double alpha = 0.01;
constexpr double bonferroni = alpha / 188 / 2;

enum class Null { uniform, edge, strict };

Null null_of(const std::string& name) {
  if (name == "uniform") return Null::uniform;
  if (name == "edge") return Null::edge;
  if (name == "strict") return Null::strict;
  throw std::invalid_argument("expected uniform, edge or strict, got " + name);
}

struct Plan {
  std::size_t sequences;
  std::size_t trials;
  double correlation;
  Null null;
};

struct Rejections {
  bool verdict = false;
  bool bins_or_proportion = false;
};

Rejections trial(const Plan& plan, std::mt19937_64& engine,
                 std::normal_distribution<double>& normal) {
  const Tolerance tolerance = plan.null == Null::strict ? Tolerance::none() : Tolerance{};
  const double own = std::sqrt(1 - plan.correlation);
  const double shared = std::sqrt(plan.correlation);
  Rejections out;
  std::vector<PValue> tests;
  for (const unsigned ids : ids_of_tests) {
    std::vector<std::vector<double>> p(ids, std::vector<double>(plan.sequences));
    for (std::size_t s = 0; s < plan.sequences; ++s) {
      const double common = normal(engine);
      for (auto& of_id : p) {
        const double z = own * normal(engine) + shared * common;
        double u = 0.5 * std::erfc(z / std::sqrt(2.0));
        if (plan.null == Null::edge && u < 0.021952)
          u = std::pow(u / 0.28, 1.5);  // inverse of tail
        of_id[s] = u;
      }
    }
    std::vector<PValue> parts;
    for (const auto& of_id : p) {
      const auto sub = assess_subtest("id", plan.sequences, of_id, Alpha{alpha}, tolerance);
      parts.push_back(sub.combined_p.value());
      out.bins_or_proportion = out.bins_or_proportion ||
                               sub.uniformity_p.value().value() < bonferroni ||
                               sub.proportion_p.value().value() < bonferroni;
    }
    tests.push_back(simes(parts));
  }
  const auto adjusted = holm(tests);
  out.verdict = std::ranges::any_of(adjusted, [](PValue p) { return p.value() < alpha; });
  return out;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() != 4) {
    throw std::invalid_argument("expected SEQUENCES TRIALS CORRELATION uniform|edge|strict");
  }
  const Plan plan{std::stoul(arguments[0]), std::stoul(arguments[1]), std::stod(arguments[2]),
                  null_of(arguments[3])};
  std::mt19937_64 engine(plan.sequences * 1000 + 5 +
                         static_cast<std::uint64_t>(plan.correlation * 100) +
                         static_cast<std::uint64_t>(plan.null));
  std::normal_distribution<double> normal;
  std::size_t verdict = 0;
  std::size_t bins = 0;
  for (std::size_t i = 0; i < plan.trials; ++i) {
    const Rejections rejections = trial(plan, engine, normal);
    verdict += rejections.verdict ? 1U : 0U;
    bins += rejections.bins_or_proportion ? 1U : 0U;
  }
  const auto trials = static_cast<double>(plan.trials);
  fmt::print("{}: verdict {:.5f}, bins or proportion {:.5f}\n", fmt::join(arguments, " "),
             static_cast<double>(verdict) / trials, static_cast<double>(bins) / trials);
  return 0;
}

}  // namespace
}  // namespace icb

int main(int argc, char** argv) {
  try {
    return icb::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "simulate_verdict: %s\n", error.what());
    return 2;
  }
}
