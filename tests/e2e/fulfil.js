// SPDX-License-Identifier: Apache-2.0
// A seller of services on a moved clock, with a real SMTP server: what the tests of fulfilments share.
import { strict as assert } from 'node:assert';
import { Marketplace, until } from './lib.js';
import { smtp } from './services.js';
import { makeWorld } from './world.js';

export const berlin = { zone: 'Europe/Berlin', weekend: ['Sat', 'Sun'], open: '09:00', close: '17:00' };
export const to = { address: 'casey.order@buyer.example', name: 'Casey Order' };
export const one = (id) => `/api/v1/fulfilments/${id}`;
export const ok = (r, status = 200) => {
  assert.equal(r.status, status, r.text);
  return r.json;
};

export async function services() {
  const server = await smtp();
  const m = await Marketplace.create({ clock: true, ini: `${server.ini}fulfilment.reminder-hours = 24\nfulfilment.escalation-hours = 8\n` });
  const w = await makeWorld(m, { buyers: 2, products: 1, subscriptionsPerBuyer: 0 });
  const product = ok(await m.op('POST', '/api/v1/products', { sellerId: w.seller.accountId, title: 'Migration Workshop', type: 'services',
    pricing: ['contract'], state: 'public' }), 201);
  for (const [who, address] of [[w.seller, 'desk@seller.example'], [m.operator, 'watch@souk.example']]) {
    ok(await m.rest(who, 'PUT', `/api/v1/sellers/${who === w.seller ? w.seller.accountId : 'operator'}/mail-addresses`, { addresses: [{ address }] }));
  }
  const show = async (id, as = w.seller) => ok(await m.rest(as, 'GET', one(id)));
  return {
    m, w, show,
    /** Moves the clock to an instant. */
    go: (text) => m.setClock(Math.round((Date.parse(text) - Date.now()) / 1000)),
    calendar: (as, body, headers) => m.rest(as, 'PUT', `/api/v1/sellers/${w.seller.accountId}/business-calendar`, body, headers),
    subscribe: async (buyer = w.buyers[0]) => ok(await m.op('POST', '/api/v1/subscriptions',
      { productId: product.productId, buyerId: buyer.accountId, kind: 'contract' }), 201).subscriptionId,
    /** The fulfilment of a subscription once its job has opened it. */
    opened: (id) => until(async () => {
      const r = await m.rest(w.seller, 'GET', one(id));
      return r.status === 200 && r.json.fulfilment;
    }, 20000, 'fulfilment'),
    told: (id, kind) => until(async () => (await show(id)).events.find((e) => e.kind === kind), 20000, kind),
    mails: (text) => server.messages().filter((x) => x.text.includes(text) || x.head.subject.includes(text)),
    post: (id, what, body, as = w.seller, headers = {}) => m.rest(as, 'POST', `${one(id)}/${what}`, body, headers),
    close: async () => { await m.close(); await server.stop(); },
  };
}
