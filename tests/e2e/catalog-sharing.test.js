// SPDX-License-Identifier: Apache-2.0
// The Catalog API: resource policies through the AWS SDK for JavaScript.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { BatchDescribeEntitiesCommand, DeleteResourcePolicyCommand, DescribeEntityCommand, GetResourcePolicyCommand, ListEntitiesCommand,
  ListTagsForResourceCommand, PutResourcePolicyCommand, TagResourceCommand } from '@aws-sdk/client-marketplace-catalog';
import { Marketplace } from './lib.js';
import { makeCatalog, refused } from './catalog-world.js';

const Catalog = 'AWSMarketplace';
let m, w, partner, buyer;
before(async () => {
  m = await Marketplace.create({ ini: 'review.fetch-logos = false\n' });
  w = await makeCatalog(m);
  partner = m.logins.sellers[0];
  buyer = { ...(await m.op('POST', `/api/v1/users/${w.buyers[0].userId}/access-keys`, {})).json, accountId: w.buyers[0].accountId };
});
after(() => m.close());
const entity = (EntityId, as = w.api) => as.send(new DescribeEntityCommand({ Catalog, EntityId }));
const describe = 'aws-marketplace:DescribeEntity', list = 'aws-marketplace:ListEntities';
const policy = (Resource, AWS, Action, more = {}) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS }, Action, Resource, ...more }] });
const put = (ResourceArn, Policy, as) => w.send(new PutResourcePolicyCommand({ ResourceArn, Policy }), as);
const get = async (ResourceArn, as) => (await w.send(new GetResourcePolicyCommand({ ResourceArn }), as)).Policy;
const drop = (ResourceArn, as) => w.send(new DeleteResourcePolicyCommand({ ResourceArn }), as);
const shared = async (as, EntityType = 'ProfessionalServicesProduct', more = {}) =>
  (await w.send(new ListEntitiesCommand({ Catalog, EntityType, OwnershipType: 'SHARED', ...more }), as)).EntitySummaryList.map((e) => e.EntityId);

test('a policy lets the accounts that it names read, as it says, and nothing else; each such read is in the audit', async () => {
  const id = await w.product(), other = await w.product({ release: false });
  const offer = (await w.done(w.offer(id))).ChangeSet[0].Entity.Identifier;
  const [arn, offerArn] = [(await entity(id)).EntityArn, (await entity(offer)).EntityArn];
  const [as, to] = [w.client(partner), w.client(buyer)];
  const none = (promise) => refused(promise, 'ResourceNotFoundException', 404);
  await none(get(arn));
  await none(drop(arn));
  await none(entity(id, as));
  const text = policy(arn, [partner.accountId, `arn:aws:iam::${buyer.accountId}:root`], describe);
  await put(arn, text);
  assert.equal(await get(arn), text);
  assert.equal(await get(arn, w.operator), text);
  const seen = await entity(id, as);
  assert.deepEqual([seen.EntityArn, seen.DetailsDocument.Description.Visibility], [arn, 'Limited']);
  assert.equal(seen.DetailsDocument.Review, undefined, 'what reviews came to is the seller\'s');
  assert.ok((await entity(id)).DetailsDocument.Review);
  assert.equal((await entity(`${id}@1`, to)).EntityArn, arn);
  const audit = async () => (await m.op('GET', `/api/v1/audit-entries?sellerId=${w.seller.accountId}&limit=200`)).json.items;
  const reads = (await audit()).filter((e) => e.action === describe && e.resource === `entity/${id}`);
  assert.deepEqual(reads.map((e) => e.accountId).sort(), [partner.accountId, buyer.accountId].sort());
  assert.ok((await audit()).some((e) => e.action === 'aws-marketplace:PutResourcePolicy' && e.resource === `resource-policy/${id}` && e.accountId === w.seller.accountId));
  // Not what it does not say.
  assert.deepEqual(await shared(as), []);
  await none(entity(other, as));
  await none(entity(offer, as));
  const batch = await as.send(new BatchDescribeEntitiesCommand({ EntityRequestList: [{ Catalog, EntityId: id }] }));
  assert.equal(batch.Errors[id].ErrorCode, 'ResourceNotFoundException');
  await none(w.start([['UpdateInformation', id, { Sku: 'MINE' }]], {}, as));
  await none(w.send(new TagResourceCommand({ ResourceArn: arn, Tags: [{ Key: 'a', Value: 'b' }] }), as));
  await none(w.send(new ListTagsForResourceCommand({ ResourceArn: arn }), as));
  await none(get(arn, as));
  await none(drop(arn, as));
  await none(put(arn, policy(arn, partner.accountId, [describe, list]), as));
  assert.equal((await m.rest(partner, 'GET', `/api/v1/listings/${id}`)).status, 404);
  // A right of the account's own users is still needed.
  const weak = (await m.op('POST', `/api/v1/users/${partner.userId ?? (await m.rest(partner, 'GET', '/api/v1/whoami')).json.userId}/access-keys`, { policy: { Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: list, Resource: '*' }] } })).json;
  await refused(entity(id, w.client(weak)), 'AccessDeniedException', 403);
  // Another one takes its place, whole.
  await put(arn, policy(arn, partner.accountId, list));
  await none(entity(id, as));
  await none(entity(id, to));
  assert.deepEqual(await shared(as), [id]);
  await put(offerArn, policy(offerArn, partner.accountId, [describe, list]));
  assert.deepEqual(await shared(as, 'Offer'), [offer]);
  assert.deepEqual(await shared(as, 'Offer', { FilterList: [{ Name: 'ProductId', ValueList: [other] }] }), []);
  assert.equal((await entity(offer, as)).DetailsDocument.ProductId, id);
  assert.deepEqual(await shared(w.api), []);
  assert.deepEqual(await shared(to), []);
  // Its end.
  await drop(arn);
  await none(get(arn));
  assert.deepEqual(await shared(as), []);
  assert.deepEqual(await shared(as, 'Offer'), [offer], 'each entity has its own');
  // What is removed is shared with nobody.
  await put(arn, policy(arn, partner.accountId, [describe, list]));
  await w.done([['UpdateVisibility', id, { TargetVisibility: 'Restricted' }]]);
  await none(entity(id, as));
  assert.deepEqual(await shared(as), []);
  await none(get(arn));
});

test('what a policy cannot say is refused with its place', async () => {
  const id = await w.product({ release: false });
  const arn = (await entity(id)).EntityArn, made = await w.done([['UpdateInformation', id, { Sku: 'P' }]]);
  const bad = (Policy, words, ResourceArn = arn) => assert.rejects(put(ResourceArn, Policy), (e) => {
    assert.deepEqual([e.name, e.$metadata.httpStatusCode], ['ValidationException', 422], e.message);
    assert.match(e.message, words);
    return true;
  });
  await bad('{', /^Policy /);
  await bad('{}', /^Policy\.Statement /);
  await bad(policy(arn, partner.accountId, 'aws-marketplace:StartChangeSet'), /^Policy\.Statement\[0\]\.Action has aws-marketplace:StartChangeSet, which cannot be shared/);
  await bad(policy(arn, partner.accountId, 'aws-marketplace:*'), /Action has aws-marketplace:\*/);
  await bad(policy(arn, '*', describe), /^Policy\.Statement\[0\]\.Principal /);
  await bad(policy(arn, partner.accountId, describe, { Effect: 'Deny' }), /^Policy\.Statement\[0\]\.Effect /);
  await bad(policy(arn, partner.accountId, describe, { Condition: { Bool: { 'aws:SecureTransport': 'true' } } }), /^Policy\.Statement\[0\]\.Condition /);
  await bad(policy(w.lake, partner.accountId, describe), /^Policy\.Statement\[0\]\.Resource /);
  await bad(policy(arn, partner.accountId, describe), /^ResourceArn /, made.ChangeSetArn);
  await bad(policy(arn, partner.accountId, describe), /^ResourceArn /, 'arn:aws:s3:::bucket');
  const fine = policy(arn, partner.accountId, describe);
  await put(arn, fine + ' '.repeat(10240 - fine.length));
  await bad(fine + ' '.repeat(10241 - fine.length), /^Policy is too long/);
  assert.equal((await get(arn)).length, 10240);
  // Of somebody else's account, of a region that is none, of what is not there.
  await refused(put(arn.replace(w.seller.accountId, partner.accountId), policy(arn.replace(w.seller.accountId, partner.accountId), buyer.accountId, describe)),
    'ResourceNotFoundException', 404);
  await bad(policy(arn.replace('us-east-1', 'mars-1'), partner.accountId, describe), /Resource /);
  const away = arn.replace(/prod-.*/, 'prod-5f0c7a52-6e0e-4f57-8d8a-0c3a8b0f6a11');
  await refused(put(away, policy(away, partner.accountId, describe)), 'ResourceNotFoundException', 404);
});
