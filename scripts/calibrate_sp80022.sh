#!/usr/bin/env bash
# What the SP 800-22 tests do to a perfect source: AES-256-CTR, 10,000 sequences of 10^6 bits and of
# 10^5. Writes the tables, the picture and the page of results/sp80022. A minute or two on two cores.
#
#   scripts/calibrate_sp80022.sh [SEQUENCES]
#
# Fewer sequences are for a look: they go to results/quick/sp80022.
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

sequences=${1:-10000}
[[ $sequences =~ ^[1-9][0-9]*$ ]] || { say "expected a number of sequences, got \"$sequences\""; exit 2; }
out=results/sp80022
[ "$sequences" -eq 10000 ] || out=results/quick/sp80022

install_packages "${icb_build_packages[@]}" "${icb_run_packages[@]}" openssl
build release icbench
mkdir -p "$out"

# keystream KEY BYTES: AES-256-CTR of OpenSSL, the key a number, the counter from 0 on.
keystream() {
  openssl enc -aes-256-ctr -K "$(printf '%064x' "$1")" -iv 00000000000000000000000000000000 \
    -in /dev/zero 2>/dev/null | head -c "$2"
}

for bits in 1000000 100000; do
  say "$sequences sequences of $bits bits"
  code=0
  keystream "$bits" $(((sequences * bits + 7) / 8)) |
    build/release/bench/icbench nist - --input msb --length "$bits" --sequences "$sequences" \
      --format csv > "$out/calibration_$bits.csv.part" || code=$?
  [ "$code" -le 1 ] || exit "$code" # 1: a test was rejected, which is what this is about
  mv "$out/calibration_$bits.csv.part" "$out/calibration_$bits.csv"
done
/usr/bin/python3 scripts/calibration_page.py "$out"
