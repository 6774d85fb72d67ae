/// Experiments behind figures and errata: training curve (P12), number of rounds, the chosen-image
/// attack on the confusion alone (E9).
#pragma once

#include <vector>

#include "bench/reproduce/run.hpp"

namespace icb::reproduce {

/// Correlation after confusion alone with the network as it was after each kept epoch, on images it
/// was never trained on: one cell per epoch, image and key.
std::vector<Cell> training_cells(const Run& run);
/// Mean |r| per epoch and direction with its standard error over images and keys, and what a
/// uniformly random permutation gives.
CsvTable training_csv(const Run& run, const CellResults& results);

/// Loss per epoch, as the training script recorded it (scripts/train/feedback_training.csv).
CsvTable training_loss_csv();

/// Share of bytes that change with one least significant bit of the plain image, public parameter
/// and nonce held fixed, for 1 to 3 rounds: what the rounds do without the public parameter's help.
std::vector<Cell> rounds_cells(const Run& run);
CsvTable rounds_csv(const Run& run, const CellResults& results);

/// Chosen-image attack on khazaal2024-confusion under one key and nonce (Jolfaei, Wu,
/// Muthukkumarasamy, IEEE TIFS 11(2), 2016): ceil(log_256 pixels) images write each position's
/// number in base 256. Then a fresh image is read.
std::vector<Cell> attack_cells(const Run& run);

struct AttackResult {
  std::size_t queries;
  double recovered;  ///< share of pixels of the fresh image
  std::size_t pixels;
  std::string image;
};

AttackResult attack_result(const CellResults& results);

}  // namespace icb::reproduce
