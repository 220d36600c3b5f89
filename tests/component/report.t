#!/bin/bash
# The HTML report in a real browser: every section is there, no two labels of
# a figure overlap, none is cut off, nothing is fetched and no script runs.
set -u
. tests/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Appended to a copy of the page: reports what it finds as text in the page.
cat > "$work/check.js" <<'JS'
const seen = [];
for (const svg of document.querySelectorAll('svg')) {
	const frame = svg.getBoundingClientRect();
	const texts = [...svg.querySelectorAll('text')]
		.filter(t => t.textContent.trim())
		.map(t => {
			/* a turned label's own box, as a polygon */
			const b = t.getBBox(), m = t.getScreenCTM();
			const corner = (x, y) => ({x: m.a * x + m.c * y + m.e,
				y: m.b * x + m.d * y + m.f});
			return {text: t.textContent.trim(), p: [
				corner(b.x, b.y + 2), corner(b.x + b.width, b.y + 2),
				corner(b.x + b.width, b.y + b.height - 2),
				corner(b.x, b.y + b.height - 2)]};
		});
	/* separating axis: apart when some edge's normal keeps them apart */
	const apart = (a, b) => [a, b].some(q => q.p.some((from, i) => {
		const to = q.p[(i + 1) % 4];
		const nx = to.y - from.y, ny = from.x - to.x;
		const range = s => s.p.map(c => c.x * nx + c.y * ny);
		const ra = range(a), rb = range(b);
		return Math.max(...ra) <= Math.min(...rb) + 0.5 ||
			Math.max(...rb) <= Math.min(...ra) + 0.5;
	}));
	for (let i = 0; i < texts.length; i++) {
		for (const c of texts[i].p)
			if (c.x < frame.left - 1 || c.x > frame.right + 1 ||
				c.y < frame.top - 1 || c.y > frame.bottom + 1) {
				seen.push(`${svg.id}: cut off: ${texts[i].text}`);
				break;
			}
		for (let j = 0; j < i; j++)
			if (!apart(texts[i], texts[j]))
				seen.push(`${svg.id}: overlap: ${texts[i].text} | ${texts[j].text}`);
	}
	const title = document.getElementById(svg.getAttribute('aria-labelledby'));
	if (!title?.textContent.trim())
		seen.push(`${svg.id}: no name for who cannot see it`);
	if (!texts.length)
		seen.push(`${svg.id}: no text at all`);
}
if (document.documentElement.scrollWidth > window.innerWidth)
	seen.push('the page is wider than the window');
const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
if (new Set(ids).size !== ids.length)
	seen.push('an id occurs twice: ' + ids.filter((v, i) => ids.indexOf(v) !== i)[0]);
const note = document.createElement('pre');
note.textContent = 'CHECKED ' + document.querySelectorAll('svg').length +
	' FIGURES\n' + seen.map(s => 'FOUND ' + s + '\n').join('') + 'END';
document.body.replaceChildren(note);
JS

browse() { # PAGE [WIDTH] -> its DOM after the check
	timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic \
		--no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --window-size="${2:-1100},900" \
		--user-data-dir="$work/browser" --dump-dom "file://$1" 2> /dev/null
}

"$BUILD/tests/component/reports/report_test" "$work" > "$work/made" 2>&1
ok $? "archives of simulated rollouts are written"

for name in full one hostile thousand; do
	"$BUILD/bin/sluice" report --state "$work/$name" \
		--html "$work/$name.html" --csv "$work/$name.csv" 2> "$work/err"
	ok $? "$name: report is written"
	sed 's/^/# /' "$work/err"
	! grep -qE '<script|<link|<img|@import|url\((.?http|//)' "$work/$name.html"
	ok $? "$name: nothing is fetched and no script is in the page"
	# the page's own policy forbids scripts: the check's copy goes without
	{
		sed 's/<meta http-equiv=Content-Security-Policy[^>]*>//; s/<\/body><\/html>//' \
			"$work/$name.html"
		echo "<script>"
		cat "$work/check.js"
		echo "</script></body></html>"
	} > "$work/$name.check.html"
	browse "$work/$name.check.html" > "$work/$name.dom"
	grep -q '^END' "$work/$name.dom" && grep -q 'CHECKED [1-9]' "$work/$name.dom"
	ok $? "$name: the browser drew the figures"
	grep 'FOUND' "$work/$name.dom" | head -20 | sed 's/^/# /'
	! grep -q 'FOUND' "$work/$name.dom"
	ok $? "$name: labels neither overlap nor are cut off"
done

# An A4 sheet has 688 pixels between the margins of the style sheet.
sed 's/@media print/@media screen/' "$work/full.check.html" > "$work/print.html"
browse "$work/print.html" 688 > "$work/print.dom"
grep -q '^END' "$work/print.dom" && ! grep -q 'FOUND the page is' "$work/print.dom"
ok $? "full: no table is wider than a printed page"

missing=
for id in verdict summary rate speeds load clients canary canarylevels burndown \
	waves comparison gates levels failures clienttable parameters versions commands scenario; do
	grep -q "id=\"\?$id[\" >]" "$work/full.html" || missing+=" $id"
done
[ -z "$missing" ]
ok $? "full: every section is there${missing:+, but:$missing}"

[ "$(wc -l < "$work/full.csv/clients.csv")" = 41 ] &&
	jq -e '.recommendation.batch_size > 0 and (.curve | length > 20)' \
		"$work/full.csv/fit.json" > /dev/null
ok $? "full: tables for other programs"

"$BUILD/bin/sluice" report --state "$work/full" --text > "$work/text" &&
	! grep -qE '.{101}' "$work/text" && grep -q '<- batch size\|^PASS' "$work/text"
ok $? "full: text fits a terminal"

"$BUILD/bin/sluice" report "-s$work/full" --json | jq -e .clients > /dev/null &&
	"$BUILD/bin/sluice" report --help | grep -q -- '-s, --state=DIR'
ok $? "its state directory is an option as any other"

"$BUILD/bin/sluice" report --state "$work/full" 99 --text > /dev/null 2> "$work/err"
[ $? = 2 ] && grep -q 'no wave 99' "$work/err"
ok $? "an unknown wave is a usage error"

finish
