#include "bench/reproduce/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <utility>

#include "bench/dynamics.hpp"
#include "cipher/khazaal2024/confusion.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"
#include "metrics/correlation.hpp"
#include "metrics/histogram.hpp"

namespace icb::reproduce {
namespace {

void write(const Run& run, const std::string& name, const CsvTable& table) {
  write_file_atomically(run.out / "data" / (name + ".csv"), table.text());
}

/// lo, lo + step, ..., `count` values, each computed afresh so that no rounding adds up.
double grid(double low, double high, std::size_t i, std::size_t count) {
  return low + (high - low) * static_cast<double>(i) / static_cast<double>(count - 1);
}

// --- Figure 3

void write_logistic(const Run& run) {
  CsvTable orbit({"n", "x"});
  const auto values = dynamics::logistic_orbit(3.99, 0.5, 200);
  for (std::size_t n = 0; n < values.size(); ++n) {
    orbit.add({std::to_string(n + 1), format_double(values[n])});
  }
  write(run, "figure3_logistic_orbit", orbit);

  constexpr std::size_t columns = 400;
  CsvTable bifurcation({"r", "x"});
  CsvTable exponents({"r", "lyapunov"});
  for (std::size_t i = 0; i < columns; ++i) {
    const double r = grid(2.8, 4.0, i, columns);
    const auto tail = dynamics::logistic_orbit(r, 0.5, 1040);
    for (std::size_t n = 1000; n < tail.size(); ++n) {
      bifurcation.add({format_double(r), format_double(tail[n])});
    }
    exponents.add(
        {format_double(r), format_double(dynamics::logistic_lyapunov(r, 0.3, 1000, 10000))});
  }
  write(run, "figure3_logistic_bifurcation", bifurcation);
  write(run, "figure3_logistic_lyapunov", exponents);
}

void write_henon(const Run& run) {
  CsvTable orbits({"a", "b", "n", "x", "y"});

  struct Pair {
    double a;
    double b;
    std::size_t steps;
  };

  for (const Pair& pair :
       {Pair{1.4, 0.3, 3000}, {1.2, 0.4, 3000}, {1.3, 0.3, 300}, {1.3, 0.4, 300}}) {
    // The attractor, not the way to it: at (1.3, 0.3) a chaotic transient of thousands of steps
    // comes before the periodic orbit. An orbit that escapes is shown from its start.
    constexpr std::size_t transient = 50000;
    const auto orbit =
        dynamics::henon_orbit(pair.a, pair.b, {0.1, 0.1}, transient + pair.steps, 1e12);
    const std::size_t first = orbit.size() == transient + pair.steps ? transient : 0;
    for (std::size_t n = first; n < orbit.size(); ++n) {
      orbits.add({format_double(pair.a), format_double(pair.b), std::to_string(n),
                  format_double(orbit[n].x), format_double(orbit[n].y)});
    }
  }
  write(run, "figure3_henon_orbits", orbits);

  constexpr std::size_t a_points = 91;
  constexpr std::size_t b_points = 71;
  constexpr std::size_t steps = 5000;
  CsvTable exponents({"a", "b", "state", "lyapunov", "steps"});
  for (std::size_t i = 0; i < a_points; ++i) {
    for (std::size_t j = 0; j < b_points; ++j) {
      const double a = grid(1.0, 1.45, i, a_points);
      const double b = grid(0.10, 0.45, j, b_points);
      const auto exponent = dynamics::henon_lyapunov(a, b, {0.1, 0.1}, 50000, steps);
      const char* state = !exponent ? "escapes" : *exponent > 0.005 ? "chaotic" : "periodic";
      exponents.add({format_double(a), format_double(b), state,
                     exponent ? format_double(*exponent) : "", std::to_string(steps)});
    }
  }
  write(run, "figure3_henon_lyapunov", exponents);
}

// --- Figure 6

void write_exchange(const Run& run) {
  // Values of the paper's Fig. 6; labels are row,column counted from 1.
  constexpr double values[4][4] = {{0.23, 0.54, 0.72, 0.37},
                                   {0.53, 0.45, 0.82, 0.79},
                                   {0.54, 0.87, 0.47, 0.56},
                                   {0.47, 0.61, 0.65, 0.73}};
  khazaal2024::PositionMap map(4, 4);
  CsvTable table({"stage", "row", "col", "label", "value"});
  const auto add = [&](const char* stage) {
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = 0; j < 4; ++j) {
        const std::uint32_t from = map.at(i, j);
        table.add({stage, std::to_string(i + 1), std::to_string(j + 1),
                   fmt::format("{},{}", from / 4 + 1, from % 4 + 1),
                   format_double(values[from / 4][from % 4])});
      }
    }
  };
  add("plain");
  khazaal2024::exchange(map, {true, 0}, 0, {true, 3}, 3, 1);
  khazaal2024::exchange(map, {true, 1}, 2, {true, 3}, 0, 1);
  add("exchanged");
  write(run, "figure6_exchange", table);
}

// --- Figures 8 and 9 ----------------------------------------------------------------------------

OwnedImage difference(ConstImage a, ConstImage b) {
  OwnedImage out(a.shape());
  for (std::size_t n = 0; n < a.bytes().size(); ++n) {
    out.view().bytes()[n] =
        static_cast<std::uint8_t>(std::abs(int{a.bytes()[n]} - int{b.bytes()[n]}));
  }
  return out;
}

struct PictureTables {
  CsvTable figure8{{"set", "image", "quantity", "value"}};
  CsvTable histogram{{"set", "image", "subject", "channel", "level", "count"}};
  CsvTable pairs{{"set", "image", "subject", "direction", "channel", "x", "y"}};
};

void add_histogram(PictureTables& out, const std::string& set, const ImageRef& ref,
                   std::string_view subject, ConstImage image) {
  for (std::size_t c = 0; c < image.shape().channels; ++c) {
    const Histogram counts = histogram(image, c);
    for (std::size_t level = 0; level < counts.size(); ++level) {
      out.histogram.add({set, ref.name, std::string(subject), channel_name(image.shape(), c),
                         std::to_string(level), std::to_string(counts[level])});
    }
  }
}

void add_pairs(const Run& run, PictureTables& out, const std::string& set, const ImageRef& ref,
               std::string_view subject, ConstImage image) {
  struct Direction {
    const char* name;
    PairOffset offset;
  };

  constexpr std::size_t drawn = 1000;
  const Shape& shape = image.shape();
  for (const Direction& d :
       {Direction{"horizontal", horizontal}, {"vertical", vertical}, {"diagonal", diagonal}}) {
    std::mt19937_64 engine(
        derive_seed(run.seed, fmt::format("figure9/{}/{}/{}", set, subject, d.name)));
    for (std::size_t n = 0; n < drawn; ++n) {
      const std::size_t i = uniform_below(engine, shape.rows - d.offset.rows);
      const std::size_t j = uniform_below(engine, shape.cols - d.offset.width());
      const std::size_t c = uniform_below(engine, shape.channels);
      out.pairs.add({set, ref.name, std::string(subject), d.name, channel_name(shape, c),
                     std::to_string(image.sample(i, j + d.offset.from_col(), c)),
                     std::to_string(image.sample(i + d.offset.rows, j + d.offset.to_col(), c))});
    }
  }
}

void add_pictures(const Run& run, PictureTables& out, const std::string& set, const ImageRef& ref) {
  const OwnedImage plain = plain_of(ref);
  const auto save = [&](const char* what, ConstImage image) {
    save_png(run.out / "images" / fmt::format("{}_{}.png", set, what), image);
  };
  save("plain", plain.view());
  for (const auto& [subject, file] : {std::pair{"identity", ""},
                                      {"khazaal2024-confusion", "confusion"},
                                      {"khazaal2024", "cipher"}}) {
    const OwnedImage image = encrypt_for(run, subject, plain.view(), "images/key-0", ref.name);
    if (*file != '\0') save(file, image.view());
    add_histogram(out, set, ref, subject, image.view());
    add_pairs(run, out, set, ref, subject, image.view());
    if (std::string_view(subject) != "khazaal2024") continue;
    const OwnedImage distance = difference(plain.view(), image.view());
    save("difference", distance.view());
    std::uint64_t sum = 0;
    std::uint64_t equal = 0;
    for (const std::uint8_t byte : distance.bytes()) {
      sum += byte;
      equal += byte == 0 ? 1 : 0;
    }
    const auto n = static_cast<double>(distance.bytes().size());
    out.figure8.add(
        {set, ref.name, "mean_absolute_difference", format_double(static_cast<double>(sum) / n)});
    out.figure8.add(
        {set, ref.name, "share_of_equal_bytes", format_double(static_cast<double>(equal) / n)});
  }
}

}  // namespace

std::vector<std::string> write_figures(const Run& run) {
  write_logistic(run);
  write_henon(run);
  write_exchange(run);
  PictureTables tables;
  std::vector<std::string> problems;
  add_pictures(run, tables, "generated", run.pictured);
  if (run.pictured_sipi) {
    std::optional<OwnedImage> readable;
    try {
      readable = plain_of(*run.pictured_sipi);
    } catch (const InputError& error) {
      problems.emplace_back(error.what());
    }
    if (readable) add_pictures(run, tables, "sipi", *run.pictured_sipi);
  }
  write(run, "figure8", tables.figure8);
  write(run, "figure9_histogram", tables.histogram);
  write(run, "figure9_pairs", tables.pairs);
  return problems;
}

}  // namespace icb::reproduce
