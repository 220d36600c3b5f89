# One resource as text.
def pc: . * 1000 | round / 10;
"\(.resource): \(.limit)",
"  sweep:   \([.levels[] | "\(.n):\(.mb_min | round)"] | join(" ")) MB/min",
"  optimum: \(.optimum.n) (best \(.best.mb_min | round) MB/min at \(.best.n))",
"  pilots:  \(.pilots.size) (\(.pilots.binding)), \(.pilots.loss // 1 | pc) % below the best: \(if .pilots.kept then "kept" else "missed" end)",
(.settled // empty | "  settled: \(.size) (\(.binding)), \(.loss // 1 | pc) % below the best: \(if .kept then "kept" else "missed" end)"),
"  advised: \(.sizes | join(", "))"
