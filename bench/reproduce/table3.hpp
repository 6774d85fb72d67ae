/// Table 3 of the paper: correlation of adjacent pixels of six images, and the metrics of every
/// image of the volume.
#pragma once

#include <vector>

#include "bench/reproduce/run.hpp"

namespace icb::reproduce {

/// One cell per subject, key and image: all metrics, over all pairs and over 5,000 seeded pairs.
/// AES-256-CTR, the control, is there too.
std::vector<Cell> table3_cells(const Run& run);

/// Six rows (eight with both readings of 1,200 x 110), three directions, all pairs and 5,000 pairs;
/// key 0.
CsvTable table3_csv(const Run& run, const CellResults& results);
/// The same for every image of the volume; all pairs, key 0.
CsvTable table3_all_images_csv(const Run& run, const CellResults& results);
/// How often each quantity was rejected at alpha, per subject, over all images, channels and keys,
/// beside what alpha predicts.
CsvTable rejections_csv(const Run& run, const CellResults& results);
/// Every measurement, with status `reject` where p < alpha / number of measurements of the subject.
CsvTable measurements_csv(const Run& run, const CellResults& results);

/// Correlation of adjacent pixels as a mean over the channels of an image.
///
/// A mean of each channel's r, not one r over the pairs of all channels: channels of different
/// brightness make pooled pairs correlate (0.76 on the aerial 2.2.02 after any permutation)
/// although no pixel says anything of its neighbour.
struct ChannelMean {
  double r;
  /// (1 - r^2) / sqrt(n - 1) per channel, pairs taken as independent. The channels of khazaal2024
  /// and AES-256-CTR count as independent; those of a plain image and of confusion only move
  /// together, and the mean of their errors is taken, an upper bound.
  double se;
  double z;  ///< against an ideal cipher image of this size
  double p;
  std::uint64_t n;  ///< pairs, all channels
};

/// Key 0; over all pairs, or over 5,000 seeded ones per channel. Absent if the cell failed or a
/// channel has no correlation.
std::optional<ChannelMean> channel_mean(const CellResults& results, std::string_view subject,
                                        std::string_view image, std::string_view quantity,
                                        bool sampled = false);

}  // namespace icb::reproduce
