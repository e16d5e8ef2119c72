#!/usr/bin/env bash
# A study as an array of jobs, and the table when all have ended: study.sh STUDY DIR PARTS [options of sbatch]
# The study is checked first; nothing is submitted where it can't be used.
set -euo pipefail

usage="usage: study.sh STUDY DIR PARTS [options of sbatch for the parts]"
study=${1:?$usage} folder=${2:?$usage} parts=${3:?$usage}
shift 3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

${NANOWARM:-nanowarm} study "$study" -o "$folder" --list >/dev/null
array=$(sbatch --parsable --array="1-$parts" "$@" "$here/array.sbatch" "$study" "$folder" "$parts")
array=${array%%;*} # behind it stands the name of the cluster
collect=$(sbatch --parsable --dependency="afterany:$array" "$here/collect.sbatch" "$study" "$folder")
echo "parts: job $array (1 to $parts); table: job ${collect%%;*}"
