#!/bin/bash
# scenarios.t - every scenario of the tree is one that the controller reads.
. tests/tap.sh
for file in scenarios/*.yaml; do
	check "$file" "$BIN/sluice" init "$file" --dry-run --state build/none
done
finish
