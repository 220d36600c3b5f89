# The sweep's optimum beside the product's recommendation.
#
# On a plateau many sizes are best, and more of them only make users wait:
# the optimum is the smallest size with 95 % of the best throughput, which is
# also how the product defines its knee.
def at($levels; $n):
  ([$levels[] | select(.n <= $n)] | last) as $low
  | ([$levels[] | select(.n >= $n)] | first) as $high
  | if $low == null or $high == null then null
    elif $low.n == $high.n then $low.mb_min
    else $low.mb_min + ($high.mb_min - $low.mb_min)
      * ($n - $low.n) / ($high.n - $low.n)
    end;
.[0] as $sweep | .[1] as $advice
| ($sweep.levels | max_by(.mb_min)) as $best
| ($sweep.levels | map(select(.mb_min >= 0.95 * $best.mb_min)) | first) as $optimum
| def judge:
    . as $r
    | at($sweep.levels; $r.batch_size) as $x
    | {size: $r.batch_size, verdict: $r.verdict, binding: $r.binding,
       next_limit: $r.next_limit, n_obs: $r.n_obs,
       throughput: $x,
       loss: (if $x then 1 - $x / $best.mb_min else null end),
       size_kept: ((($r.batch_size - $optimum.n) | fabs)
         <= ([1, 0.2 * $optimum.n] | max)),
       reasons: $r.reasons}
    | .throughput_kept = (.loss != null and .loss <= 0.05)
    | .kept = (.size_kept and .throughput_kept);
{resource: $resource, limit: $limit,
 best: $best, optimum: $optimum, levels: $sweep.levels,
 pilots: ($advice.pilots | judge),
 settled: ($advice.waves | last | if . then judge else null end),
 sizes: ([$advice.pilots, $advice.waves[]] | map(.batch_size))}
