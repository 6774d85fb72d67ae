#include "bench/evaluate/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <utility>

#include "bench/cipher_stream.hpp"
#include "bench/stop.hpp"
#include "core/error.hpp"
#include "core/hash.hpp"

namespace icb::evaluate {
namespace {

constexpr const char* key_label = "evaluate";
constexpr const char* raw_variant = "raw samples";
/// Encryptions of a protocol cost about this many times what the metrics cost.
constexpr double protocol_cost = 10;

OwnedImage encrypted(const Job& job, const Case& subject, ConstImage plain, const char* which) {
  const Bytes nonce =
      nonce_for(job.seed, *job.cipher, key_label, fmt::format("{}/{}", subject.name, which));
  try {
    return encrypt(*job.cipher, plain, job.key, nonce).image;
  } catch (const std::invalid_argument& error) {  // the cipher refuses the image
    throw InputError(fmt::format("{}: {}", subject.name, error.what()));
  }
}

/// The lowest bit of the middle sample flipped.
OwnedImage nearly(const OwnedImage& image) {
  OwnedImage out = image;
  const Shape& shape = image.shape();
  out.view().bytes()[shape.samples() / 2 * shape.sample_bytes] ^= 1U;
  return out;
}

/// The images the metrics see.
struct Triple {
  std::shared_ptr<const Images> files;
  std::optional<OwnedImage> made_cipher = {};
  std::optional<OwnedImage> made_second = {};

  const OwnedImage& cipher() const { return made_cipher ? *made_cipher : *files->cipher; }

  const std::optional<OwnedImage>& second() const {
    return made_second ? made_second : files->second;
  }
};

Triple images_of(const Job& job, const Case& subject) {
  Triple out{.files = subject.load()};
  if (job.cipher == nullptr) return out;
  const OwnedImage& plain = *out.files->plain;
  out.made_cipher = encrypted(job, subject, plain.view(), "first");
  out.made_second = encrypted(job, subject, nearly(plain).view(), "second");
  return out;
}

std::vector<Measurement> measured(const MetricEntry& metric, const MetricInput& input) {
  try {
    return metric.compute(input);
  } catch (const std::bad_alloc&) {
    throw;  // may work the next time
  } catch (const std::exception& error) {
    Measurement out;
    out.quantity = metric.name;
    out.status = Status::error;
    out.detail = error.what();
    return {out};
  }
}

std::vector<Measurement> metrics_cell(const Job& job, const Case& subject) {
  const Triple images = images_of(job, subject);
  MetricInput input{.image = images.cipher().view(),
                    .pairs = job.pairs,
                    .seed = derive_seed(job.seed, "evaluate/" + subject.name)};
  if (std::ranges::any_of(job.metrics,
                          [](const MetricEntry* m) { return m->needs == Needs::nothing; })) {
    input.image.count_all();
  }
  if (images.files->plain) input.plain = images.files->plain->view();
  if (images.second()) input.second = images.second()->view();
  const std::string hash =
      job.cipher == nullptr ? images.files->sha256 : to_hex(sha256(images.cipher().bytes()));
  std::vector<Measurement> out;
  for (const MetricEntry* metric : job.metrics) {
    throw_if_stopped("interrupted");
    for (Measurement& m : measured(*metric, input)) {
      m.image_sha256 = hash;
      if (images.files->raw) m.variant = raw_variant;
      if (job.cipher != nullptr && metric->needs == Needs::second) {
        m.nonce_policy = job.cipher->nonce_bytes.value > 0 ? "fresh" : "fixed";
      }
      out.push_back(std::move(m));
    }
  }
  return out;
}

std::vector<Measurement> protocol_cell(const Job& job, const Case& subject,
                                       const ProtocolEntry& protocol, const ShareDone& done) {
  const auto images = subject.load();
  const ProtocolInput input{.cipher = *job.cipher,
                            .plain = images->plain->view(),
                            .key = job.key,
                            .seed = protocol_seed(job, subject, protocol.name),
                            .alpha = job.alpha,
                            .progress = [&](double share) {
                              throw_if_stopped("interrupted");
                              done(share);
                            }};
  std::vector<Measurement> out = protocol.run(input);
  for (Measurement& m : out) m.image_sha256 = images->sha256;
  return out;
}

/// One for the metrics, one for every protocol.
std::vector<Cell> cells_of(const Case& subject, const Job& job) {
  std::vector<Cell> out;
  const double cost = 1000 + static_cast<double>(subject.bytes);
  const std::string prefix = fmt::format("{}/{}", subject.id, subject.name);
  out.push_back({prefix + "/metrics", [&] { return metrics_cell(job, subject); }, cost});
  for (const ProtocolEntry* protocol : job.protocols) {
    out.push_back({.name = fmt::format("{}/protocol/{}", prefix, protocol->name),
                   .compute = {},
                   .cost = protocol_cost * cost,
                   .compute_in_steps = [&, protocol](const ShareDone& done) {
                     return protocol_cell(job, subject, *protocol, done);
                   }});
  }
  return out;
}

/// Collects the cells of an image.
class Collector {
 public:
  Collector(const Job& job, const std::function<void(JudgedImage)>& consume)
      : m_job(job), m_consume(consume) {}

  /// Cell `part` of the case: 0 the metrics, then the protocols.
  void add(const Case& subject, std::size_t part, std::vector<Measurement> measurements) {
    for (Measurement& m : measurements) {
      m.image = subject.name;
      m.cipher = m_job.cipher == nullptr ? "external" : m_job.cipher->name;
      if (m_job.cipher != nullptr) m.key_id = m_job.key_given ? "given" : key_label;
      if (m.status == Status::error) {
        if (m.channel.empty()) m.channel = "all";
        // A cell that failed as a whole bears the name of the cell.
        if (m.quantity.starts_with(subject.id + '/')) {
          m.quantity = part == 0 ? "metrics" : m_job.protocols[part - 1]->name;
        }
        m_image.errors.push_back(m.detail);
      }
      if (m.variant == raw_variant) m_image.raw = true;
      if (m_image.sha256.empty()) m_image.sha256 = m.image_sha256;
      m_rows.push_back(std::move(m));
    }
    if (part == 0) m_image.metrics = m_rows.size();
    if (part < m_job.protocols.size()) return;
    m_image.name = subject.name;
    m_image.verdict = judge(std::exchange(m_rows, {}), Alpha{m_job.alpha}, family_of_quantity,
                            [this](const Measurement& m) {
                              return m_job.cipher == nullptr || !is_nonce_misuse(m, *m_job.cipher);
                            });
    m_consume(std::exchange(m_image, {}));
  }

 private:
  const Job& m_job;
  const std::function<void(JudgedImage)>& m_consume;
  JudgedImage m_image;
  std::vector<Measurement> m_rows;
};

}  // namespace

std::uint64_t protocol_seed(const Job& job, const Case& subject, std::string_view protocol) {
  return derive_seed(job.seed, fmt::format("evaluate/{}/{}", subject.name, protocol));
}

Bytes derived_key(std::uint64_t seed, const CipherEntry& cipher) {
  return key_for(seed, cipher, key_label);
}

std::string store_context(const Job& job) {
  std::string out = fmt::format("evaluate {} seed {} pairs {}", sha256_of_file("/proc/self/exe"),
                                job.seed, job.pairs);
  for (const MetricEntry* metric : job.metrics) out += ' ' + metric->name;
  if (job.cipher != nullptr) {
    out += fmt::format(" cipher {} key {}", job.cipher->name, to_hex(sha256(job.key)));
  }
  if (!job.protocols.empty()) out += fmt::format(" alpha {:.17g}", job.alpha);
  return out;
}

void run(const std::vector<Case>& cases, const Job& job, CellStore& store,
         const RunOptions& options, const std::function<void(JudgedImage)>& consume) {
  std::vector<Cell> cells;
  for (const Case& subject : cases) {
    for (Cell& cell : cells_of(subject, job)) cells.push_back(std::move(cell));
  }
  Collector collector(job, consume);
  const std::size_t parts = 1 + job.protocols.size();
  run_cells(cells, store, options, [&](std::size_t n, std::vector<Measurement> found) {
    collector.add(cases[n / parts], n % parts, std::move(found));
  });
}

}  // namespace icb::evaluate
