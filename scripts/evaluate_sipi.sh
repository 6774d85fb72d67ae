#!/usr/bin/env bash
# Judges two outside programs on the SIPI Miscellaneous volume: openssl enc -aes-256-ctr, and a repeated-key XOR.
# Writes results/evaluate: the first must be rejected at the rate alpha predicts, the second throughout.
#
#   scripts/evaluate_sipi.sh [DATA]
#
# DATA: folder with the volume misc in it; else $ICBENCH_DATA, datasets/sipi, ../shared/sipi.
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

data=""
for folder in "${1:+$(from_caller "$1")}" "${ICBENCH_DATA:+$(from_caller "$ICBENCH_DATA")}" \
              datasets/sipi ../shared/sipi; do
  if [ -n "$folder" ] && [ -d "$folder/misc" ]; then data=$(cd "$folder/misc" && pwd); break; fi
done
[ -n "$data" ] || { say "no folder misc with SIPI images: scripts/reproduce.sh fetches them"; exit 3; }

install_packages "${icb_build_packages[@]}" "${icb_run_packages[@]}" openssl
build release icbench

# Names in the results are those of the links, not of this machine.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$data" "$work/misc"
scripts/encrypt_raw.py "$work/misc" "$work"
mkdir -p results/evaluate
for cipher in aes-256-ctr xor-repeat; do
  out=$icb_root/results/evaluate/$cipher
  rm -rf "$out"
  code=0
  (cd "$work" && "$icb_root/build/release/bench/icbench" evaluate --plain misc --cipher-image "$cipher" \
    --cipher-image-2 "$cipher-2" --out "$out") || code=$?
  [ "$code" -le 1 ] || exit "$code" # 1: rejected, which one of the two must be
done
/usr/bin/python3 scripts/evaluate_page.py results/evaluate
