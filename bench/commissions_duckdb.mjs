// SPDX-License-Identifier: Apache-2.0
// The peer of bench_commissions: the same lines and rules as SQL joins. commissions_duckdb.mjs DIR THREADS
// Prints `name value` lines; loading is not counted, nor are domains and names normalised here: they come so.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [dir, threads, modules] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(join(modules, 'package.json'))('@duckdb/node-api');
const db = await (await DuckDBInstance.create(':memory:', { threads })).connect();
const all = async (sql) => (await db.runAndReadAll(sql)).getRows();

await all(`CREATE TABLE lines AS SELECT * FROM read_csv('${dir}/lines.csv', types = {ref: 'VARCHAR', account: 'VARCHAR', domain: 'VARCHAR',
  company: 'VARCHAR', country: 'VARCHAR', state: 'VARCHAR', postal: 'VARCHAR', day: 'DATE', amount: 'DECIMAL(18,2)'})`);
await all(`CREATE TABLE rules AS SELECT * FROM read_csv('${dir}/rules.csv', types = {level: 'VARCHAR', key: 'VARCHAR', hi: 'VARCHAR', rule: 'INTEGER'})`);
await all(`CREATE TABLE credits AS SELECT * FROM read_csv('${dir}/credits.csv', types = {rule: 'INTEGER', rep: 'VARCHAR', percent: 'INTEGER'})`);
for (const level of ['account', 'domain', 'name', 'postal', 'state'])
  await all(`CREATE TABLE r_${level} AS SELECT key, hi, rule FROM rules WHERE level = '${level}' ORDER BY key`);

const mapped = `SELECT l.ref, l.day, l.amount, coalesce(a.rule, d.rule, n.rule, CASE WHEN l.postal <= p.hi THEN p.rule END, s.rule) AS rule
  FROM lines l LEFT JOIN r_account a ON l.account = a.key LEFT JOIN r_domain d ON l.domain = d.key LEFT JOIN r_name n ON l.company = n.key
  ASOF LEFT JOIN r_postal p ON l.postal >= p.key LEFT JOIN r_state s ON l.state = s.key
  WHERE a.rule IS NOT NULL OR d.rule IS NULL OR n.rule IS NULL OR d.rule = n.rule`;
const tier = (x) => `(least(${x}, 50000) * 5 + greatest(least(${x}, 200000) - 50000, 0) * 8 + greatest(${x} - 200000, 0) * 11)`;
const paid = `WITH credited AS (SELECT c.rep, m.ref, m.day, m.rule, date_trunc('quarter', m.day) AS quarter,
    (m.amount * c.percent / 100)::DECIMAL(18,4) AS credited FROM mapped m JOIN credits c ON m.rule = c.rule),
  counted AS (SELECT *, sum(credited) OVER (PARTITION BY rep, quarter ORDER BY day, ref ROWS UNBOUNDED PRECEDING)::DECIMAL(18,4) AS after FROM credited)
  SELECT rep, day, ref, rule, credited, round(((${tier('after')}) - (${tier('(after - credited)')})) / 100, 2) AS commission FROM counted`;

async function timed(name, sql) {
  const before = process.cpuUsage(), began = performance.now();
  await all(`CREATE OR REPLACE TABLE ${name} AS ${sql}`);
  const cpu = process.cpuUsage(before);
  return [(performance.now() - began) / 1000, (cpu.user + cpu.system) / 1e6];
}
const m = await timed('mapped', mapped), p = await timed('paid', paid);
console.log(`map_wall_s ${m[0].toFixed(3)}\nmap_s ${m[1].toFixed(3)}\nall_wall_s ${(m[0] + p[0]).toFixed(3)}\nall_s ${(m[1] + p[1]).toFixed(3)}`);
console.log(`mapped ${(await all('SELECT count(*) FROM mapped WHERE rule IS NOT NULL'))[0][0]}`);
console.log(`items ${(await all('SELECT count(*) FROM paid'))[0][0]}\ncommission ${(await all('SELECT sum(commission)::DECIMAL(18,2) FROM paid'))[0][0]}`);
