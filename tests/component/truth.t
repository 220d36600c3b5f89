#!/bin/bash
# truth.t - how `make lab-truth` judges: optimum, loss and bars, from figures
# that are known.
. tests/tap.sh

# judge SIZE FILTER LEVEL…: levels are n:mb_min.
judge() {
	local size=$1 filter=$2
	shift 2
	jq -n --argjson size "$size" '
		{levels: [$ARGS.positional[] | split(":") | map(tonumber)
			| {n: .[0], mb_min: .[1], spread: 0}]},
		{pilots: {batch_size: $size}, waves: [{batch_size: 7}]}' \
		--args "$@" |
		jq -s -f tests/truth/compare.jq --arg resource x --arg limit y |
		jq -c "$filter"
}
plateau=(1:60 5:300 7:420 8:470 9:480 10:484 16:480)
peak=(1:60 5:300 8:560 9:600 10:640 12:560 16:400)

is "the optimum of a plateau is where it begins" \
	"$(judge 8 '[.optimum.n, .best.n]' "${plateau[@]}")" '[8,10]'
is "the optimum of a peak is near it" \
	"$(judge 8 '[.optimum.n, .best.n]' "${peak[@]}")" '[10,10]'
is "the right size is kept" \
	"$(judge 8 '.pilots | [.size_kept, .throughput_kept, .kept]' \
		"${plateau[@]}")" '[true,true,true]'
is "one more is kept" "$(judge 9 .pilots.kept "${plateau[@]}")" true
is "half as many again is missed, though it loses nothing" \
	"$(judge 12 '.pilots | [.size_kept, .throughput_kept, .kept]' \
		"${plateau[@]}")" '[false,true,false]'
is "one less is missed when it loses more than 5 %" \
	"$(judge 7 '.pilots | [.size_kept, .throughput_kept, .kept]' \
		"${plateau[@]}")" '[true,false,false]'
is "between swept sizes the throughput is interpolated" \
	"$(judge 11 .pilots.throughput "${peak[@]}")" 600
is "beyond the sweep nothing is known, and nothing is kept" \
	"$(judge 20 '.pilots | [.loss, .kept]' "${plateau[@]}")" '[null,false]'
is "the settled size is the last wave's" \
	"$(judge 8 '[.settled.size, .sizes]' "${plateau[@]}")" '[7,[8,7]]'
finish
