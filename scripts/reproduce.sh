#!/usr/bin/env bash
# Regenerates every table and figure of the paper.
#
#   scripts/reproduce.sh [--quick] [--data DIR] [--out DIR] [--threads N] [--seed N]
#
# Installs the Debian packages it needs, builds the release preset, looks for the USC-SIPI images, fetches them from the
# database's own site if there are none (else the generated set stands in, and every page says so), runs
# `icbench reproduce` and draws the figures.
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

usage() {
  sed -n '2,8s/^# \{0,1\}//p' "$icb_root/scripts/reproduce.sh"
}

options=()
data=""
out=""
quick=false
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=true; options+=(--quick) ;;
    --data|--out|--threads|--seed)
      [ $# -ge 2 ] || { say "$1 needs a value"; exit 2; }
      [ "$1" = --data ] && data=$2
      [ "$1" = --out ] && out=$2
      options+=("$1" "$2")
      shift ;;
    --help|-h) usage; exit 0 ;;
    *) say "unknown option: $1"; usage >&2; exit 2 ;;
  esac
  shift
done
if [ -z "$out" ]; then
  if $quick; then out=results/quick; else out=results/paper; fi
fi

install_packages "${icb_build_packages[@]}" "${icb_run_packages[@]}"
build release icbench
icbench=build/release/bench/icbench

if [ -z "$data" ] && [ -z "${ICBENCH_DATA:-}" ] && [ ! -d datasets/sipi ] && [ ! -d ../shared/sipi ]; then
  say "no USC-SIPI images here; fetching them from the database's own site"
  "$icbench" datasets fetch --to datasets/sipi ||
    say "the database could not be reached: THE GENERATED SET STANDS IN; try again later, or give --data DIR"
fi

status=0
"$icbench" reproduce "${options[@]}" || status=$?
# 3 with tables written: some images failed, the others are done.
if [ $status -ne 0 ] && [ $status -ne 3 ]; then exit $status; fi
[ -f "$out/manifest.json" ] || exit $status
/usr/bin/python3 scripts/figures.py --results "$out"

say ""
say "tables and pictures: $out/README.md"
say "  tables:   $(cd "$out" && echo table*.csv errata.csv)"
say "  pictures: $(cd "$out" && echo *.png)"
exit $status
