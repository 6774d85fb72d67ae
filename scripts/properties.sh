#!/usr/bin/env bash
# What every variant of the paper's cipher, AES-256-CTR and a broken control show, at full size:
# results/properties. Half a minute each on two idle cores and 2.4 GB; an interrupted run goes on
# where it was.
#
#   scripts/properties.sh [arguments for icbench properties]
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

install_packages "${icb_build_packages[@]}" "${icb_run_packages[@]}" "${icb_test_packages[@]}"
cmake --preset release -DICB_BENCHMARKS=ON >&2
cmake --build --preset release --target icbench network_table >&2

out=results/properties
for cipher in khazaal2024 khazaal2024-no-cnn khazaal2024-no-dnn khazaal2024-no-gauss \
  khazaal2024-no-henon khazaal2024-no-logistic khazaal2024-confusion aes-256-ctr identity; do
  status=0
  # A rejected property gives 1: the controls are meant to be rejected.
  build/release/bench/icbench properties --cipher "$cipher" --out "$out/$cipher" "$@" >/dev/null || status=$?
  [ "$status" -le 1 ] || exit "$status"
  say "$cipher: exit code $status"
done
build/release/bench/network_table >"$out/networks.csv"
python3 scripts/properties_page.py "$out"
