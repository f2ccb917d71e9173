// SPDX-License-Identifier: Apache-2.0
// What the tests of the Catalog API and of listings share: a seller, a product of the marketplace to be related to, a whole listing.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeChangeSetCommand, MarketplaceCatalogClient, StartChangeSetCommand } from '@aws-sdk/client-marketplace-catalog';
import { root, until } from './lib.js';
import { makeWorld } from './world.js';

export const PRODUCT = 'ProfessionalServicesProduct@1.0';
export const OFFER = 'Offer@1.0';
const sample = JSON.parse(readFileSync(join(root, 'tests/vectors/proserv/listing.json'), 'utf8'));
let titles = 0;

export const day = (ahead) => new Date(Date.now() + ahead * 86400000).toISOString().slice(0, 10);

export async function makeCatalog(m, { base } = {}) {
  const w = await makeWorld(m, { buyers: 2, products: 1, subscriptionsPerBuyer: 0, base });
  const client = (as) => new MarketplaceCatalogClient({ endpoint: m.url, region: 'us-east-1', maxAttempts: 1,
    credentials: { accessKeyId: as.accessKeyId, secretAccessKey: as.secretAccessKey } });
  w.client = client;
  w.api = client(w.seller);
  const users = (await m.op('GET', '/api/v1/whoami')).json;
  w.operatorKey = (await m.op('POST', `/api/v1/users/${users.userId}/access-keys`, {})).json;
  w.operator = client(w.operatorKey);
  w.lake = `prod-${w.products[0].productId}`;
  w.send = (command, as = w.api) => as.send(command);

  /** Starts a change set; `changes` as [type, id, details, name?, entity type?]. */
  w.start = (changes, more = {}, as = w.api) => as.send(new StartChangeSetCommand({ Catalog: 'AWSMarketplace', ...more,
    ChangeSet: changes.map(([ChangeType, Identifier, DetailsDocument, ChangeName, Type = PRODUCT]) => ({
      ChangeType, Entity: { Type, ...(Identifier ? { Identifier } : {}) }, DetailsDocument, ...(ChangeName ? { ChangeName } : {}) })) }));
  w.describe = (ChangeSetId, as = w.api) => as.send(new DescribeChangeSetCommand({ Catalog: 'AWSMarketplace', ChangeSetId }));
  w.ended = (id, as) => until(async () => {
    const s = await w.describe(id, as);
    return ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(s.Status) && s;
  }, 40000, 'end of the change set');
  w.done = async (changes, more, as) => {
    const s = await w.ended((await w.start(changes, more, as)).ChangeSetId, as);
    assert.equal(s.Status, 'SUCCEEDED', JSON.stringify(s.ChangeSet.map((c) => c.ErrorDetailList)));
    return s;
  };
  w.failed = async (changes, more, as) => {
    const s = await w.ended((await w.start(changes, more, as)).ChangeSetId, as);
    assert.equal(s.Status, 'FAILED');
    assert.equal(s.FailureCode, 'CLIENT_ERROR');
    return s.ChangeSet.map((c) => c.ErrorDetailList.map((e) => e.ErrorCode));
  };
  w.information = (more = {}) => ({
    ProductTitle: `Warehouse Lift ${titles += 1}: implementation for Product 0`, Sku: sample.sku, ShortDescription: sample.short_description,
    LongDescription: sample.long_description, LogoUrl: sample.logo.url, VideoUrls: [], Highlights: sample.highlights, Categories: sample.categories,
    SearchKeywords: sample.keywords, SupportDescription: sample.support_description, SupportResources: [],
    AdditionalResources: sample.resources.map((r) => ({ Type: 'Link', Text: r.name, Url: r.url })), AssociatedProducts: [w.lake],
    NeedsResources: true, DeploysAgent: true, Language: 'en',
    Documentation: sample.docs.map((d) => ({ Kind: d.kind, ...(d.text ? { Text: d.text } : {}), ...(d.policy ? { Policy: d.policy } : {}) })),
    LandingPageContacts: sample.landing_page.contacts.map((c) => ({ Kind: c.kind, Value: c.value })),
    Terms: { Kind: sample.terms.kind, Value: sample.terms.value }, DataUseTerms: { Accepted: true, Version: '1' }, ...more });
  w.dimensions = () => sample.dimensions.map((d) => ({ Key: d.key, Name: d.name, Description: d.description, Types: ['Entitled'], Unit: 'Units' }));
  /** A whole new product, released or not; its id. */
  w.product = async ({ release = true, info = {} } = {}) => {
    const s = await w.done([
      ['CreateProduct', null, {}, 'P'],
      ['UpdateInformation', '$P.Entity.Identifier', w.information(info)],
      ['AddDimensions', '$P.Entity.Identifier', w.dimensions()],
      ...(release ? [['ReleaseProduct', '$P.Entity.Identifier', {}]] : []),
    ]);
    return s.ChangeSet[0].Entity.Identifier;
  };
  /** The changes of a whole offer, named N. */
  w.offer = (product, { buyers = [w.buyers[0].accountId], name = 'Example Stores: move of the sales warehouse', release = true, N = 'O', pricing, expires = day(30) } = {}) => [
    ['CreateOffer', null, { ProductId: product, Name: name }, N, OFFER],
    ['UpdateTargeting', `$${N}.Entity.Identifier`, { PositiveTargeting: { BuyerAccounts: buyers } }, null, OFFER],
    ['UpdatePricingTerms', `$${N}.Entity.Identifier`, pricing ?? { PricingModel: 'Contract', Terms: [{ Type: 'ConfigurableUpfrontPricingTerm', CurrencyCode: 'USD',
      RateCards: [{ Constraints: { MultipleDimensionSelection: 'Allowed' }, RateCard: [{ DimensionKey: 'assess', Price: '12000.00' }, { DimensionKey: 'move', Price: '88000.00' }] }] }] }, null, OFFER],
    ['UpdateValidityTerms', `$${N}.Entity.Identifier`, { Terms: [{ Type: 'ValidityTerm', AgreementEndDate: day(300) }] }, null, OFFER],
    ['UpdateLegalTerms', `$${N}.Entity.Identifier`, { Terms: [{ Type: 'LegalTerm', Documents: [{ Type: 'CustomEula', Url: 'https://docs.example.com/agreement.pdf' }] }] }, null, OFFER],
    ['UpdateSupportTerms', `$${N}.Entity.Identifier`, { Terms: [{ Type: 'SupportTerm', RefundPolicy: 'Refunds within 30 days.' }] }, null, OFFER],
    ['UpdateAvailability', `$${N}.Entity.Identifier`, { AvailabilityEndDate: expires }, null, OFFER],
    ...(release ? [['ReleaseOffer', `$${N}.Entity.Identifier`, {}, null, OFFER]] : []),
  ];
  return w;
}

/** A refusal in the API's own form: name and status. */
export const refused = (promise, name, status) => assert.rejects(promise, (e) => {
  assert.equal(e.name, name, `${e.name}: ${e.message}`);
  assert.equal(e.$metadata.httpStatusCode, status, e.message);
  return true;
});
