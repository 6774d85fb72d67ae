#!/usr/bin/env bash
# Judges two outside programs on the SIPI Miscellaneous volume: openssl enc -aes-256-ctr, and a repeated-key XOR;
# and 3,000 ideal cipher images of crops of it. Writes results/evaluate: the XOR must be rejected throughout, the
# others at the rate alpha predicts. Two minutes on two cores.
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
scripts/ideal_images.py "$work/misc" "$work"
mkdir -p results/evaluate

# judge NAME PLAIN CIPHER SECOND
judge() {
  local out=$icb_root/results/evaluate/$1 code=0
  rm -rf "$out"
  (cd "$work" && "$icb_root/build/release/bench/icbench" evaluate --plain "$2" --cipher-image "$3" \
    --cipher-image-2 "$4" --out "$out") || code=$?
  [ "$code" -le 1 ] || exit "$code" # 1: rejected, which the XOR must be
}

for cipher in aes-256-ctr xor-repeat; do judge $cipher misc $cipher $cipher-2; done
for kind in gray colour; do judge ideal-$kind $kind/plain $kind/cipher $kind/cipher-2; done
rm results/evaluate/*/store.jsonl results/evaluate/ideal-*/measurements.csv # 100,000 lines each
/usr/bin/python3 scripts/evaluate_page.py results/evaluate
