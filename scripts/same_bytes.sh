#!/usr/bin/env bash
# Builds the cipher with GCC and Clang at -O0, -O2 and -O3 -march=native, and compares what they
# make: every variant, many shapes, every instruction set of this processor, 1, 2 and 8 threads.
# Exit code 1 if a byte differs anywhere.
#
#   scripts/same_bytes.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

install_packages "${icb_build_packages[@]}" "${icb_test_packages[@]}" "${icb_clang_packages[@]}"

first=
for compiler in g++ clang++; do
  for flags in "-O0" "-O2" "-O3 -march=native"; do
    name=$compiler${flags// /}
    directory=build/same-bytes/$name
    cmake -S . -B "$directory" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=None \
      -DCMAKE_CXX_FLAGS="$flags" -DICB_TESTS=OFF -DICB_BENCHMARKS=ON >/dev/null
    cmake --build "$directory" --target cipher_digests >&2
    "$directory/bench/cipher_digests" >"$directory/digests.txt"
    say "$name: $(sha256sum <"$directory/digests.txt" | cut -c1-16)"
    if [ -z "$first" ]; then
      first=$directory/digests.txt
      cat "$first"
    elif ! diff -u "$first" "$directory/digests.txt"; then
      say "$name makes other bytes than $first"
      exit 1
    fi
  done
done
say "the same bytes from all of them"
