// SPDX-License-Identifier: Apache-2.0
// The Catalog API for professional services through the AWS SDK for JavaScript.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { BatchDescribeEntitiesCommand, CancelChangeSetCommand, DescribeEntityCommand, ListChangeSetsCommand,
  ListEntitiesCommand, ListTagsForResourceCommand, StartChangeSetCommand, TagResourceCommand,
  UntagResourceCommand } from '@aws-sdk/client-marketplace-catalog';
import { Marketplace, until } from './lib.js';
import { day, makeCatalog, OFFER, PRODUCT, refused } from './catalog-world.js';

const Catalog = 'AWSMarketplace';
let m, w;
before(async () => { m = await Marketplace.create({ ini: 'catalog.open-change-sets = 6\nreview.fetch-logos = false\n' }); w = await makeCatalog(m); });
after(() => m.close());
const entity = async (EntityId, as = w.api) => as.send(new DescribeEntityCommand({ Catalog, EntityId }));
const details = async (id, as) => (await entity(id, as)).DetailsDocument;
/** What the seller said of it: the review of a new listing comes in its own time. */
const said = ({ DetailsDocument: { Review, ...rest } }) => rest;

test('SDK: one set makes, fills and releases; Public waits for people, and can be cancelled meanwhile', async () => {
  const id = await w.product();
  const { ChangeSetId } = await w.start([['UpdateVisibility', id, { TargetVisibility: 'Public' }]]);
  await until(async () => (await m.rest(w.seller, 'GET', `/api/v1/change-requests/${ChangeSetId}`)).json.status === 'Under review', 20000, 'review');
  assert.equal((await w.describe(ChangeSetId)).Status, 'PREPARING');
  await refused(w.start([['UpdateInformation', id, { Sku: 'S-77' }]]), 'ResourceInUseException', 423);
  const cancelled = await w.send(new CancelChangeSetCommand({ Catalog, ChangeSetId }));
  assert.equal(cancelled.ChangeSetId, ChangeSetId);
  assert.equal((await w.describe(ChangeSetId)).Status, 'CANCELLED');
  await refused(w.send(new CancelChangeSetCommand({ Catalog, ChangeSetId })), 'ResourceInUseException', 423);
  await w.done([['UpdateInformation', id, { Sku: 'S-77' }]]);
  assert.equal((await details(id)).Description.Sku, 'S-77');
  assert.equal((await details(id)).Description.Visibility, 'Limited');
});

test('findings come back as errors of the change at fault, with rule, hint and place; nothing is kept', async () => {
  const id = await w.product();
  const before = await entity(id);
  const s = await w.ended((await w.start([
    ['UpdateInformation', id, { Categories: ['Training', 'A', 'B', 'C'], Sku: 'NEW' }],
    ['UpdateTargeting', id, { PositiveTargeting: { BuyerAccounts: [w.buyers[0].accountId] } }]])).ChangeSetId);
  assert.equal(s.Status, 'FAILED');
  assert.equal(s.FailureCode, 'CLIENT_ERROR');
  assert.deepEqual(s.ChangeSet[0].ErrorDetailList.map((e) => e.ErrorCode), ['PS_DET_13']);
  assert.match(s.ChangeSet[0].ErrorDetailList[0].ErrorMessage, /4 categories.*\(keep one to three\) at \/categories/);
  assert.deepEqual(s.ChangeSet[1].ErrorDetailList, []);
  assert.deepEqual(said(await entity(id)), said(before));
  assert.equal((await entity(id)).EntityIdentifier, before.EntityIdentifier);
  // A draft may be unfinished, but what is said has to be right.
  const draft = (await w.done([['CreateProduct', null, {}]])).ChangeSet[0].Entity.Identifier;
  assert.deepEqual(await w.failed([['UpdateInformation', draft, { Highlights: ['a', 'b', 'c', 'd'] }]]), [['PS_DET_12']]);
  const codes = (await w.failed([['ReleaseProduct', draft, {}]]))[0];
  for (const code of ['PS_DET_01', 'PS_DET_18', 'PS_DET_17', 'PS_CUST_03', 'PS_ARCH_01']) assert.ok(codes.includes(code), `${code} in ${codes}`);
  // Two listings may not look alike.
  const title = (await details(id)).Description.ProductTitle;
  assert.deepEqual(await w.failed([['UpdateInformation', draft, { ProductTitle: ` ${title.toUpperCase()}` }]]), [['PS_DET_02']]);
  const both = await w.failed([['CreateProduct', null, { ProductTitle: 'The very same' }], ['UpdateInformation', draft, { ProductTitle: 'the very  same' }]]);
  assert.deepEqual(both, [['PS_DET_02'], ['PS_DET_02']]);
});

test('VALIDATE tells and keeps nothing', async () => {
  const id = await w.product();
  const before = await entity(id);
  const fine = await w.done([['UpdateInformation', id, { Sku: 'VALID' }]], { Intent: 'VALIDATE' });
  assert.equal(fine.Intent, 'VALIDATE');
  assert.deepEqual(await w.failed([['UpdateInformation', id, { Highlights: [] }]], { Intent: 'VALIDATE' }), [['PS_DET_12']]);
  assert.equal((await entity(id)).EntityIdentifier, before.EntityIdentifier);
  const none = await w.done([['CreateProduct', null, { ProductTitle: 'Never there' }]], { Intent: 'VALIDATE' });
  await refused(entity(none.ChangeSet[0].Entity.Identifier), 'ResourceNotFoundException', 404);
});

test('references: to what is new, in identifiers and details; unknown ones and circles are refused', async () => {
  const s = await w.done([
    ['CreateOffer', null, { ProductId: '$A.Entity.Identifier' }, 'O', OFFER],
    ['UpdateInformation', '$A.Entity.Identifier', { Sku: 'REF' }],
    ['UpdateInformation', '$O.Entity.Identifier', { Name: 'Later' }, null, OFFER],
    ['CreateProduct', null, {}, 'A']]);
  const [offer, a, again] = s.ChangeSet.map((c) => c.Entity.Identifier);
  assert.equal(again, offer);
  assert.equal((await details(offer)).ProductId, a);
  assert.equal((await details(a)).Description.Sku, 'REF');
  // What is related to has to be public: a new one is not.
  assert.deepEqual((await w.failed([['UpdateInformation', a, { AssociatedProducts: ['$B.Entity.Identifier'] }], ['CreateProduct', null, {}, 'B']]))[0], ['PS_ARCH_01']);
  const bad = (changes, more) => refused(w.start(changes, more), 'ValidationException', 422);
  await bad([['UpdateInformation', '$X.Entity.Identifier', {}]]);
  await bad([['UpdateInformation', a, { AssociatedProducts: ['$X.Entity.Identifier'] }]]);
  await bad([['UpdateInformation', '$A.Entity.Identifier', {}, 'A']]);
  await bad([['UpdateInformation', '$B.Entity.Identifier', {}, 'A'], ['UpdateTargeting', '$A.Entity.Identifier', {}, 'B']]);
  await bad([['CreateProduct', null, { ProductTitle: '$B.Entity.Identifier' }, 'A'], ['CreateProduct', null, { ProductTitle: '$A.Entity.Identifier' }, 'B']]);
  await bad([['CreateProduct', null, {}, 'A'], ['CreateOffer', null, { ProductId: '$A.Entity.Identifier' }, 'A', OFFER]]);
  await bad([['CreateProduct', null, {}, 'A'], ['UpdateInformation', '$A.Entity.Identifier', {}, null, OFFER]]);
  await bad([['UpdateInformation', a, {}], ['UpdateInformation', a, {}]]);
});

test('form: what StartChangeSet refuses at once', async () => {
  const id = await w.product({ release: false });
  const bad = (body) => refused(w.send(new StartChangeSetCommand(body)), 'ValidationException', 422);
  const one = { ChangeType: 'UpdateInformation', Entity: { Type: PRODUCT, Identifier: id }, DetailsDocument: {} };
  await bad({ Catalog: 'Other', ChangeSet: [one] });
  await bad({ Catalog, ChangeSet: [] });
  await bad({ Catalog, ChangeSet: Array.from({ length: 21 }, () => ({ ...one, ChangeType: 'CreateProduct', Entity: { Type: PRODUCT } })) });
  await bad({ Catalog, ChangeSet: [{ ...one, ChangeType: 'Paint' }] });
  await bad({ Catalog, ChangeSet: [{ ...one, Entity: { Type: 'SaaSProduct@1.0', Identifier: id } }] });
  await bad({ Catalog, ChangeSet: [{ ...one, Entity: { Type: PRODUCT } }] });
  await bad({ Catalog, ChangeSet: [{ ...one, Entity: { Type: PRODUCT, Identifier: 'nothing' } }] });
  await bad({ Catalog, ChangeSet: [{ ...one, Entity: { Type: PRODUCT, Identifier: `${id}@7` } }] });
  await bad({ Catalog, ChangeSet: [{ ...one, ChangeType: 'CreateProduct' }] });
  await bad({ Catalog, ChangeSet: [{ ...one, Details: '{}' }] });
  await bad({ Catalog, ChangeSet: [{ ...one, DetailsDocument: undefined }] });
  await bad({ Catalog, ChangeSet: [{ ...one, DetailsDocument: undefined, Details: '{' }] });
  await bad({ Catalog, ChangeSet: [{ ...one, DetailsDocument: 7 }] });
  await bad({ Catalog, ChangeSet: [one], ChangeSetName: 'x'.repeat(101) });
  await bad({ Catalog, ChangeSet: [one], ClientRequestToken: 'x'.repeat(65) });
  await bad({ Catalog, ChangeSet: [one], Intent: 'WISH' });
  // Offers stand alone here: what would put one into a set is not dropped unseen.
  const offer = { ChangeType: 'CreateOffer', Entity: { Type: OFFER } };
  const inSet = { ProductId: id, OfferSetId: 'offerset-1' };
  await assert.rejects(w.send(new StartChangeSetCommand({ Catalog, ChangeSet: [one, { ...offer, DetailsDocument: inSet }] })),
    (e) => e.name === 'ValidationException' && /^ChangeSet\[1\]\.DetailsDocument\.OfferSetId is not supported/.test(e.message));
  await assert.rejects(w.send(new StartChangeSetCommand({ Catalog, ChangeSet: [{ ...offer, Details: JSON.stringify(inSet) }] })),
    (e) => e.name === 'ValidationException' && /^ChangeSet\[0\]\.Details\.OfferSetId is not supported/.test(e.message));
  await bad({ Catalog, ChangeSet: [one], ChangeSetTags: [{ Key: 'a', Value: '1' }, { Key: 'a', Value: '2' }] });
  await refused(w.start([['UpdateInformation', `prod-${randomUUID()}`, {}]]), 'ResourceNotFoundException', 404);
  // Wrong types within details are errors of the change.
  for (const d of [{ ProductTitle: 7 }, { Highlights: 'one' }, { Highlights: [1] }, { Colour: 'red' }, { Terms: [] }, { NeedsResources: 'yes' },
    { AssociatedProducts: [{}] }, { AdditionalResources: ['x'] }, { LandingPageContacts: [{ Kind: 'pigeon', Value: 'x' }] }, { DataUseTerms: true }])
    assert.deepEqual(await w.failed([['UpdateInformation', id, d]]), [['INVALID_INPUT']], JSON.stringify(d));
});

test('the same token and content is the same set; other content is refused', async () => {
  const id = await w.product({ release: false });
  const more = { ClientRequestToken: randomUUID() };
  const first = await w.start([['UpdateInformation', id, { Sku: 'T1' }]], more);
  assert.equal((await w.start([['UpdateInformation', id, { Sku: 'T1' }]], more)).ChangeSetId, first.ChangeSetId);
  await w.ended(first.ChangeSetId);
  assert.equal((await w.start([['UpdateInformation', id, { Sku: 'T1' }]], more)).ChangeSetId, first.ChangeSetId);
  await refused(w.start([['UpdateInformation', id, { Sku: 'T2' }]], more), 'ValidationException', 422);
  const made = { ClientRequestToken: randomUUID() };
  const ids = await Promise.all(Array.from({ length: 5 }, () => w.start([['CreateProduct', null, { ProductTitle: 'Once only' }]], made)));
  assert.equal(new Set(ids.map((x) => x.ChangeSetId)).size, 1);
});

test('who may what: operator-only changes, other sellers, policies, buyers', async () => {
  const id = await w.product();
  const update = [['UpdateDimensions', id, [{ Key: 'move', Name: 'Move of a whole system' }]]];
  await refused(w.start(update), 'AccessDeniedException', 403);
  const by = await w.done(update, {}, w.operator);
  assert.ok(by.ChangeSetArn.includes(`:${w.seller.accountId}:AWSMarketplace/ChangeSet/`));
  assert.deepEqual((await w.start(update, { Intent: 'VALIDATE' }, w.operator)).ChangeSetArn.split(':')[4], w.seller.accountId);
  assert.equal((await details(id)).Dimensions[1].Name, 'Move of a whole system');
  assert.equal((await details(id, w.operator)).Dimensions[1].Description, w.dimensions()[1].Description);
  await refused(w.start([['RestrictDimensions', id, ['assess']]]), 'AccessDeniedException', 403);
  await w.done([['RestrictDimensions', id, ['assess']]], {}, w.operator);
  assert.deepEqual((await details(id)).Dimensions.map((x) => x.Key), ['move']);
  const other = w.client(m.logins.sellers[0]);
  await refused(entity(id, other), 'ResourceNotFoundException', 404);
  await refused(w.start([['UpdateInformation', id, {}]], {}, other), 'ResourceNotFoundException', 404);
  const mine = await w.start([['UpdateInformation', id, { Sku: 'W' }]]);
  await refused(w.describe(mine.ChangeSetId, other), 'ResourceNotFoundException', 404);
  await w.ended(mine.ChangeSetId);
  const buyer = (await m.op('POST', `/api/v1/users/${w.buyers[0].userId}/access-keys`, {})).json;
  await refused(w.start([['CreateProduct', null, {}]], {}, w.client(buyer)), 'AccessDeniedException', 403);
  const limited = (await m.op('POST', `/api/v1/users/${w.seller.userId}/access-keys`, { policy: { Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'aws-marketplace:Describe*', Resource: '*' }] } })).json;
  assert.ok((await entity(id, w.client(limited))).EntityArn);
  await refused(w.start([['CreateProduct', null, {}]], {}, w.client(limited)), 'AccessDeniedException', 403);
  await refused(entity(id, w.client({ ...w.seller, secretAccessKey: 'x'.repeat(40) })), 'InvalidSignatureException', 403);
});

test('private offers: whole, faulty, edited, accepted, expired', async () => {
  const id = await w.product();
  const s = await w.done(w.offer(id, { buyers: w.buyers.map((b) => b.accountId) }));
  const offer = s.ChangeSet[0].Entity.Identifier;
  const d = await details(offer);
  assert.deepEqual([d.State, d.ProductId, d.Name], ['Released', id, 'Example Stores: move of the sales warehouse']);
  assert.deepEqual(d.Rules[0].PositiveTargeting.BuyerAccounts, w.buyers.map((b) => b.accountId));
  assert.deepEqual(d.Terms.map((t) => t.Type), ['ConfigurableUpfrontPricingTerm', 'ValidityTerm', 'LegalTerm', 'SupportTerm']);
  const markets = (await m.op('GET', `/api/v1/offers?sellerId=${w.seller.accountId}`)).json.items.filter((o) => o.productId === id.slice(5));
  assert.deepEqual(markets.map((o) => o.buyerId).sort(), w.buyers.map((b) => b.accountId).sort());
  assert.ok(markets.some((o) => `offer-${o.offerId}` === offer) && markets.every((o) => o.visibility === 'private' && o.state === 'active'));
  // Faults, each at its change.
  const at = async (rule, changes) => { const codes = (await w.failed(changes)).flat(); assert.ok(codes.includes(rule), `${rule} in ${codes}`); };
  await at('PS_OFF_02', w.offer(id, { buyers: [] }));
  await at('PS_OFF_02', w.offer(id, { buyers: Array.from({ length: 26 }, (_, i) => `9${String(i).padStart(11, '0')}`) }));
  await at('PS_OFF_10', w.offer(id, { expires: day(-1) }));
  await at('PS_OFF_08', w.offer(id, { pricing: { PricingModel: 'Contract', Terms: [{ Type: 'FixedUpfrontPricingTerm', CurrencyCode: 'USD', Price: '0', Grants: [{ DimensionKey: 'move' }] }] } }));
  await at('PS_OFF_05', w.offer(id, { pricing: { PricingModel: 'Contract', Terms: [{ Type: 'FixedUpfrontPricingTerm', CurrencyCode: 'USD', Price: '5', Grants: [{ DimensionKey: 'nothing' }] }] } }));
  await at('INVALID_BUYER', w.offer(id, { buyers: ['999999999999'] }));
  await at('PS_OFF_13', w.offer(await w.product({ release: false })));
  // A schedule: one dimension, instalments, buyers on invoice terms.
  const plan = w.offer(id, { release: false, pricing: { PricingModel: 'Contract', Terms: [{ Type: 'FixedUpfrontPricingTerm', CurrencyCode: 'USD', Price: '0.0', Grants: [{ DimensionKey: 'move', MaxQuantity: 1 }] }] } });
  plan.push(['UpdatePaymentScheduleTerms', '$O.Entity.Identifier', { Terms: [{ Type: 'PaymentScheduleTerm', CurrencyCode: 'USD',
    Schedule: [{ ChargeDate: day(20), ChargeAmount: '20000.00' }, { ChargeDate: day(90), ChargeAmount: '40000.00' }] }] }, null, OFFER]);
  plan.push(['ReleaseOffer', '$O.Entity.Identifier', {}, null, OFFER]);
  await at('PS_OFF_07', plan);
  plan[1][2].InvoiceTerms = [w.buyers[0].accountId];
  const scheduled = (await w.done(plan)).ChangeSet[0].Entity.Identifier;
  assert.ok((await details(scheduled)).Terms.some((t) => t.Type === 'PaymentScheduleTerm'));
  const validity = (term) => [['UpdateValidityTerms', scheduled, { Terms: [{ Type: 'ValidityTerm', ...term }] }, null, OFFER]];
  await w.done(validity({ AgreementDuration: 'P12M' }));
  assert.equal((await details(scheduled)).Terms.find((t) => t.Type === 'ValidityTerm').AgreementDuration, 'P12M');
  for (const bad of [{ AgreementDuration: 'P1W' }, { AgreementEndDate: 'soon' }, {}, { AgreementDuration: 'P1Y', AgreementEndDate: day(300) }])
    assert.deepEqual(await w.failed(validity(bad)), [['INVALID_INPUT']], JSON.stringify(bad));
  assert.ok((await w.failed(validity({ AgreementDuration: 'P10D' })))[0].some((c) => c === 'PS_OFF_04' || c === 'PS_OFF_06'), 'the charges come after its end');
  // Extended, then taken, then fixed for ever.
  await w.done([['UpdateAvailability', offer, { AvailabilityEndDate: day(60) }, null, OFFER]]);
  const market = (await m.op('GET', `/api/v1/offers/${offer.slice(6)}`)).json;
  assert.equal(market.endsAt, `${day(61)}T00:00:00.000Z`);
  const sub = await m.op('POST', '/api/v1/subscriptions', { sellerId: w.seller.accountId, productId: id.slice(5), offerId: market.offerId, buyerId: market.buyerId, kind: 'contract' });
  assert.equal(sub.status, 201, sub.text);
  assert.deepEqual(await w.failed([['UpdateInformation', offer, { Name: 'Too late' }, null, OFFER]]), [['PS_OFF_12']]);
  // A past day ends one that nobody took.
  await w.done([['UpdateAvailability', scheduled, { AvailabilityEndDate: day(-1) }, null, OFFER]]);
  assert.equal((await m.op('GET', `/api/v1/offers/${scheduled.slice(6)}`)).json.state, 'expired');
  assert.deepEqual(await w.failed([['UpdateAvailability', scheduled, { AvailabilityEndDate: day(9) }, null, OFFER]]), [['PS_OFF_12']]);
  // Restricted: who has it keeps it, nobody else comes.
  await w.done([['UpdateVisibility', id, { TargetVisibility: 'Restricted' }]]);
  assert.equal((await details(id)).Description.Visibility, 'Restricted');
  const late = await m.op('POST', '/api/v1/subscriptions', { sellerId: w.seller.accountId, productId: id.slice(5), buyerId: w.buyers[1].accountId, kind: 'contract' });
  assert.deepEqual([late.status, late.json.code], [409, 'product_restricted']);
  const gone = await w.product();
  await w.done([['UpdateVisibility', gone, { TargetVisibility: 'Restricted' }]]);
  await refused(entity(gone), 'ResourceNotFoundException', 404);
});

test('lists: filters, order, pages', async () => {
  const ids = [await w.product({ release: false, info: { ProductTitle: 'Zebra list one' } }), await w.product({ info: { ProductTitle: 'Zebra list two' } })];
  const list = (more) => w.send(new ListEntitiesCommand({ Catalog, EntityType: 'ProfessionalServicesProduct', ...more }));
  const names = (r) => r.EntitySummaryList.map((e) => e.EntityId);
  assert.deepEqual(names(await list({ FilterList: [{ Name: 'EntityId', ValueList: ids }], Sort: { SortBy: 'Name', SortOrder: 'ASCENDING' } })), ids);
  assert.deepEqual(names(await list({ FilterList: [{ Name: 'EntityId', ValueList: ids }, { Name: 'Visibility', ValueList: ['Draft'] }] })), [ids[0]]);
  const pages = [];
  for (let NextToken; ;) {
    const r = await list({ MaxResults: 3, NextToken });
    assert.ok(r.EntitySummaryList.length <= 3);
    pages.push(...names(r));
    NextToken = r.NextToken;
    if (!NextToken) break;
  }
  assert.equal(new Set(pages).size, pages.length);
  assert.deepEqual(names(await list({ MaxResults: 50 })), pages);
  assert.deepEqual(names(await list({ OwnershipType: 'SHARED' })), []);
  const offers = await w.send(new ListEntitiesCommand({ Catalog, EntityType: 'Offer', EntityTypeFilters: { OfferFilters: { State: { ValueList: ['Released'] }, BuyerAccounts: { WildCardValue: '' } } } })).catch((e) => e);
  assert.ok(offers.EntitySummaryList ? offers.EntitySummaryList.every((o) => o.OfferSummary.State === 'Released') : offers.name === 'ValidationException');
  for (const bad of [{ FilterList: [{ Name: 'Colour', ValueList: ['red'] }] }, { FilterList: [{ Name: 'EntityId', ValueList: [] }] }, { MaxResults: 51 }, { NextToken: 'x' },
    { Sort: { SortBy: 'Colour' } }, { EntityType: 'SaaSProduct' }])
    await refused(list(bad), 'ValidationException', 422);
  await assert.rejects(list({ MaxResults: 51 }), /MaxResults is out of range; give 1 to 50/);
  const sets = (more) => w.send(new ListChangeSetsCommand({ Catalog, ...more }));
  const mine = await sets({ FilterList: [{ Name: 'EntityId', ValueList: [ids[0]] }, { Name: 'Status', ValueList: ['SUCCEEDED'] }] });
  assert.equal(mine.ChangeSetSummaryList.length, 1);
  assert.deepEqual(mine.ChangeSetSummaryList[0].EntityIdList, [ids[0]]);
  const up = await sets({ MaxResults: 5, Sort: { SortBy: 'StartTime', SortOrder: 'ASCENDING' } });
  const times = up.ChangeSetSummaryList.map((x) => x.StartTime);
  assert.deepEqual(times, [...times].sort());
  assert.ok(up.NextToken);
  assert.deepEqual((await sets({ FilterList: [{ Name: 'AfterStartTime', ValueList: ['2099-01-01T00:00:00Z'] }] })).ChangeSetSummaryList, []);
  const batch = await w.send(new BatchDescribeEntitiesCommand({ EntityRequestList: [{ Catalog, EntityId: ids[0] }, { Catalog, EntityId: 'prod-nothing' }] }));
  assert.equal(batch.EntityDetails[ids[0]].DetailsDocument.Description.ProductTitle, 'Zebra list one');
  assert.equal(batch.Errors['prod-nothing'].ErrorCode, 'ResourceNotFoundException');
});

test('tags on entities and change sets', async () => {
  const made = await w.ended((await w.send(new StartChangeSetCommand({ Catalog, ChangeSetTags: [{ Key: 'run', Value: '7' }],
    ChangeSet: [{ ChangeType: 'CreateProduct', Entity: { Type: PRODUCT }, DetailsDocument: {}, EntityTags: [{ Key: 'team', Value: 'lift' }] }] }))).ChangeSetId);
  const ResourceArn = (await entity(made.ChangeSet[0].Entity.Identifier)).EntityArn;
  const tags = async (arn = ResourceArn) => Object.fromEntries((await w.send(new ListTagsForResourceCommand({ ResourceArn: arn }))).Tags.map((t) => [t.Key, t.Value]));
  assert.deepEqual(await tags(), { team: 'lift' });
  assert.deepEqual(await tags(made.ChangeSetArn), { run: '7' });
  await w.send(new TagResourceCommand({ ResourceArn, Tags: [{ Key: 'team', Value: 'shift' }, { Key: 'x', Value: '' }] }));
  await w.send(new UntagResourceCommand({ ResourceArn, TagKeys: ['x', 'never'] }));
  assert.deepEqual(await tags(), { team: 'shift' });
  const many = (n) => Array.from({ length: n }, (_, i) => ({ Key: `k${i}`, Value: 'v' }));
  await refused(w.send(new TagResourceCommand({ ResourceArn, Tags: many(50) })), 'ValidationException', 422);
  assert.deepEqual(await tags(), { team: 'shift' }, 'all or nothing');
  await refused(w.send(new ListTagsForResourceCommand({ ResourceArn: 'arn:aws:s3:::x' })), 'ValidationException', 422);
  await refused(w.send(new ListTagsForResourceCommand({ ResourceArn }), w.client(m.logins.sellers[0])), 'ResourceNotFoundException', 404);
});

test('a quota of sets under way', async () => {
  const ids = [];
  for (let i = 0; i < 7; i++) ids.push(await w.product());
  const waiting = [];
  for (const id of ids.slice(0, 6)) waiting.push((await w.start([['UpdateVisibility', id, { TargetVisibility: 'Public' }]])).ChangeSetId);
  await refused(w.start([['UpdateVisibility', ids[6], { TargetVisibility: 'Public' }]]), 'ServiceQuotaExceededException', 402);
  for (const ChangeSetId of waiting) await w.send(new CancelChangeSetCommand({ Catalog, ChangeSetId }));
  await w.done([['UpdateTargeting', ids[6], { PositiveTargeting: { BuyerAccounts: [] } }]]);
});
