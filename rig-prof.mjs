import { readFileSync, readdirSync } from 'node:fs';
const f = readdirSync('/tmp/w12/admprof').map((x) => '/tmp/w12/admprof/' + x).sort((a, b) => readFileSync(b).length - readFileSync(a).length)[0];
const p = JSON.parse(readFileSync(f)); const self = new Map(), by = new Map(p.nodes.map((n) => [n.id, n]));
const t = new Map(); p.samples.forEach((id, i) => t.set(id, (t.get(id) ?? 0) + p.timeDeltas[i]));
for (const [id, us] of t) { const { functionName: n, url, lineNumber } = by.get(id).callFrame; const k = `${n || '(anon)'} ${url.replace(/.*(node_modules|services)/, '$1')}:${lineNumber}`; self.set(k, (self.get(k) ?? 0) + us); }
const tot = [...self].filter(([k]) => !k.startsWith('(idle)')).reduce((s, [, v]) => s + v, 0);
for (const [k, v] of [...self].sort((a, b) => b[1] - a[1]).slice(0, 45)) console.log((v / 1000).toFixed(0).padStart(7), 'ms', (v / tot * 100).toFixed(1).padStart(5), k);
