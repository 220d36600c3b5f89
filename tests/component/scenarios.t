#!/bin/bash
# scenarios.t - every scenario of the tree is one that the controller reads.
bin=${BUILD:-build}/bin
count=0
status=0
for file in scenarios/*.yaml; do
	count=$((count + 1))
	if output=$("$bin/sluice" init "$file" --dry-run \
		--state build/none 2>&1); then
		echo "ok $count - $file"
	else
		echo "not ok $count - $file"
		echo "# $output"
		status=1
	fi
done
echo "1..$count"
exit $status
