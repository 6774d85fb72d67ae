#!/usr/bin/env bash
# Builds the fuzz targets with Clang and runs each for some seconds; exit code 1 if one finds
# anything (the input is kept in build/fuzz/findings), with what was found on standard error.
#
#   scripts/fuzz.sh SECONDS [TARGET...]     targets: container png tiff pnm bmp; default: all
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

if [[ ! ${1:-} =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: scripts/fuzz.sh SECONDS [container|png|tiff|pnm|bmp ...]" >&2
  exit 2
fi
seconds=$1
shift
targets=("$@")
[[ $# -gt 0 ]] || targets=(container png tiff pnm bmp)

install_packages "${icb_build_packages[@]}" "${icb_clang_packages[@]}"

fuzz_build=build/fuzz
cmake -S . -B "$fuzz_build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DICB_FUZZ=ON -DICB_TESTS=OFF \
  -DICB_BENCHMARKS=OFF -DICB_PRESET=fuzz -DCMAKE_CXX_COMPILER="${CXX:-clang++}" \
  ${ICB_CMAKE_ARGUMENTS:-} >"$fuzz_build.log" || { cat "$fuzz_build.log" >&2; exit 1; }
cmake --build "$fuzz_build" --target fuzz_seeds "${targets[@]/#/fuzz_}" >"$fuzz_build.log" ||
  { cat "$fuzz_build.log" >&2; exit 1; }
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
"$fuzz_build/fuzz/fuzz_seeds" "$fuzz_build/seeds"

failed=()
for target in "${targets[@]}"; do
  mkdir -p "$fuzz_build/corpus/$target" "$fuzz_build/findings/$target"
  log="$fuzz_build/findings/$target.log"
  if "$fuzz_build/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
    -max_len=8192 -artifact_prefix="$fuzz_build/findings/$target/" -print_final_stats=1 \
    "$fuzz_build/corpus/$target" "$fuzz_build/seeds/$target" 2>"$log"; then
    echo "$target: $(grep number_of_executed_units "$log" | tr -s ' ' | cut -d' ' -f2) inputs, nothing found"
  else
    failed+=("$target")
    tail -n 60 "$log" >&2
    echo "$target: found something, see $log" >&2
  fi
done
[[ ${#failed[@]} -eq 0 ]] || { echo "failed: ${failed[*]}" >&2; exit 1; }
