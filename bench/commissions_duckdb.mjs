// SPDX-License-Identifier: Apache-2.0
// The peer of bench_commissions: the same lines and rules as SQL joins. commissions_duckdb.mjs DIR THREADS
// Prints `name value` lines; loading is not counted. `joins`: domains and names come normalised, so it is joins only; `all`: it
// folds names and looks for registrable domains itself, as souk does.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [dir, threads, modules] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(join(modules, 'package.json'))('@duckdb/node-api');
const db = await (await DuckDBInstance.create(':memory:', { threads })).connect();
const all = async (sql) => (await db.runAndReadAll(sql)).getRows();

await all(`CREATE TABLE lines AS SELECT * FROM read_csv('${dir}/lines.csv', types = {ref: 'VARCHAR', account: 'VARCHAR', domain: 'VARCHAR',
  company: 'VARCHAR', host: 'VARCHAR', name: 'VARCHAR', state: 'VARCHAR', postal: 'VARCHAR', day: 'DATE', amount: 'DECIMAL(18,2)'})`);
await all(`CREATE TABLE rules AS SELECT * FROM read_csv('${dir}/rules.csv', types = {level: 'VARCHAR', key: 'VARCHAR', hi: 'VARCHAR', rule: 'INTEGER'})`);
await all(`CREATE TABLE credits AS SELECT * FROM read_csv('${dir}/credits.csv', types = {rule: 'INTEGER', rep: 'VARCHAR', percent: 'INTEGER'})`);
for (const level of ['account', 'domain', 'name', 'postal', 'state'])
  await all(`CREATE TABLE r_${level} AS SELECT key, hi, rule FROM rules WHERE level = '${level}' ORDER BY key`);

const suffixes = readFileSync('/usr/share/publicsuffix/public_suffix_list.dat', 'utf8').split('\n').map((l) => l.trim())
  .filter((l) => l && !l.startsWith('//') && !/[*!]/.test(l));
await all('CREATE TABLE suffix (s VARCHAR)');
await all(`INSERT INTO suffix VALUES ('example'), ${[...new Set(suffixes)].map((x) => `('${x}')`).join(',')}`);

// Each host and each name once: the fastest form seen.
const domains = `WITH h AS (SELECT DISTINCT host FROM lines), l AS (SELECT host, string_split(lower(host), '.') AS p FROM h),
  c AS (SELECT host, p, unnest(range(2, len(p) + 1)) AS i FROM l)
  SELECT c.host, array_to_string(list_slice(c.p, min(c.i) - 1, len(c.p)), '.') AS domain FROM c JOIN suffix x
  ON x.s = array_to_string(list_slice(c.p, c.i, len(c.p)), '.') GROUP BY c.host, c.p`;
const names = `SELECT name, regexp_replace(regexp_replace(regexp_replace(strip_accents(lower(name)), '\\b(\\w)[. ]+(\\w)[. ]*$', '\\1\\2'),
  '[^a-z0-9]+', ' ', 'g'), '( (ag|co|corp|gmbh|inc|kg|llc|ltd|plc|sa|sas|se|spa))+ ?$', '') AS company FROM (SELECT DISTINCT name FROM lines)`;
const map = (from) => `SELECT l.ref, l.day, l.amount, coalesce(a.rule, d.rule, n.rule, CASE WHEN l.postal <= p.hi THEN p.rule END, s.rule) AS rule
  FROM ${from} l LEFT JOIN r_account a ON l.account = a.key LEFT JOIN r_domain d ON l.domain = d.key LEFT JOIN r_name n ON l.company = n.key
  ASOF LEFT JOIN r_postal p ON l.postal >= p.key LEFT JOIN r_state s ON l.state = s.key
  WHERE a.rule IS NOT NULL OR d.rule IS NULL OR n.rule IS NULL OR d.rule = n.rule`;
const normal = '(SELECT x.* REPLACE (d.domain AS domain, n.company AS company) FROM lines x LEFT JOIN domains d USING (host) LEFT JOIN names n USING (name))';
const tier = (x) => `(least(${x}, 50000) * 5 + greatest(least(${x}, 200000) - 50000, 0) * 8 + greatest(${x} - 200000, 0) * 11)`;
const paid = `WITH credited AS (SELECT c.rep, m.ref, m.day, m.rule, date_trunc('quarter', m.day) AS quarter,
    (m.amount * c.percent * 0.01::DECIMAL(3,2))::DECIMAL(18,4) AS credited FROM mapped m JOIN credits c ON m.rule = c.rule),
  counted AS (SELECT *, sum(credited) OVER (PARTITION BY rep, quarter ORDER BY day, ref ROWS UNBOUNDED PRECEDING)::DECIMAL(18,4) AS after FROM credited)
  SELECT rep, day, ref, rule, credited, round(((${tier('after')}) - (${tier('(after - credited)')})) * 0.01::DECIMAL(3,2), 2) AS commission FROM counted`;

async function timed(name, sql) {
  const before = process.cpuUsage(), began = performance.now();
  await all(`CREATE OR REPLACE TABLE ${name} AS ${sql}`);
  const cpu = process.cpuUsage(before);
  return [(performance.now() - began) / 1000, (cpu.user + cpu.system) / 1e6];
}
const sum = (...runs) => runs.reduce(([w, c], [x, y]) => [w + x, c + y], [0, 0]);
const tell = (name, [wall, cpu]) => console.log(`${name}_wall_s ${wall.toFixed(3)}\n${name}_s ${cpu.toFixed(3)}`);
const m = await timed('mapped', map('lines')), p = await timed('paid', paid);
tell('joins_map', m);
tell('joins_all', sum(m, p));
const d = await timed('domains', domains), n = await timed('names', names), m2 = await timed('mapped', map(normal)), p2 = await timed('paid', paid);
tell('map', sum(d, n, m2));
tell('all', sum(d, n, m2, p2));
console.log(`mapped ${(await all('SELECT count(*) FROM mapped WHERE rule IS NOT NULL'))[0][0]}`);
console.log(`items ${(await all('SELECT count(*) FROM paid'))[0][0]}\ncommission ${(await all('SELECT sum(commission)::DECIMAL(18,2) FROM paid'))[0][0]}`);
