// SPDX-License-Identifier: Apache-2.0
// A link that misbehaves, between a souk node and one database machine: late, silent, broken in the middle of a message.
import net from 'node:net';

export class Link {
  static async open(listen, host, port) {
    const l = new Link();
    Object.assign(l, { delay: 0, silent: false, pairs: new Set() });
    l.server = net.createServer((client) => l.join(client, net.connect(port, host)));
    await new Promise((r) => l.server.listen(0, listen, r));
    l.port = l.server.address().port;
    return l;
  }

  join(a, b) {
    const pair = { a, b, held: [] };
    this.pairs.add(pair);
    const end = () => { this.pairs.delete(pair); a.destroy(); b.destroy(); };
    for (const [from, to] of [[a, b], [b, a]]) {
      from.setNoDelay(true).on('error', end).on('close', end);
      // In order, because timers of one length fire in the order they were set.
      from.on('data', (bytes) => setTimeout(() => this.pass(pair, to, bytes), this.delay));
    }
  }

  pass(pair, to, bytes) {
    if (this.silent || pair.held.length) pair.held.push([to, bytes]);
    else to.write(bytes);
  }

  /** Nothing arrives, and no connection breaks. */
  hush() {
    this.silent = true;
  }

  speak() {
    this.silent = false;
    for (const pair of this.pairs) for (const [to, bytes] of pair.held.splice(0)) to.write(bytes);
  }

  /** Every connection breaks, with whatever was on its way. */
  cut() {
    for (const { a, b } of this.pairs) { a.resetAndDestroy(); b.resetAndDestroy(); }
  }

  close() {
    this.cut();
    this.server.close();
  }
}
