// SPDX-License-Identifier: Apache-2.0
// The Catalog API: resource policies through the AWS SDK for JavaScript, and assessments, which are newer than what it knows, signed by hand.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { BatchDescribeEntitiesCommand, CancelChangeSetCommand, DeleteResourcePolicyCommand, DescribeEntityCommand, GetResourcePolicyCommand, ListEntitiesCommand,
  ListTagsForResourceCommand, PutResourcePolicyCommand, TagResourceCommand } from '@aws-sdk/client-marketplace-catalog';
import { Marketplace, until } from './lib.js';
import { makeCatalog, OFFER, refused } from './catalog-world.js';
import { send, sha256, sign } from './s3wire.js';

const Catalog = 'AWSMarketplace', GUIDELINES = 'ProfessionalServicesGuidelines';
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

// ---- assessments ----

/** A call signed by hand: {status, json}. */
async function call(path, input, as = w.seller) {
  const body = JSON.stringify(input);
  const { headers } = sign(m, { method: 'POST', path, as, service: 'aws-marketplace', payload: sha256(body) });
  const r = await send(m, { method: 'POST', path, body, headers: { ...headers, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } });
  return { status: r.status, type: r.headers['x-amzn-errortype'], json: JSON.parse(r.text) };
}
const ok = async (...args) => { const r = await call(...args); assert.equal(r.status, 200, JSON.stringify(r.json)); return r.json; };
const assessments = async (more = {}, as) => (await ok('/ListAssessments', { Catalog, ...more }, as)).AssessmentSummaryList;
const assessment = (AssessmentIdentifier, more = {}, as) => ok('/DescribeAssessment', { Catalog, AssessmentIdentifier, ...more }, as);
const control = (a, id) => a.ControlAssessments.find((c) => c.ControlId === id);

test('assessments: what the last review of a listing found, rule by rule', async () => {
  const id = await w.product();
  const first = await until(async () => (await assessments({ AssessmentTargetFilter: { EntityId: id } })).find((a) => !a.AssessmentTargetSummary.ChangeSetId), 40000, 'a review');
  assert.match(first.AssessmentId, new RegExp(`^assessment-${id}-\\d+$`));
  assert.equal(first.AssessmentArn, `arn:aws:aws-marketplace:us-east-1::AWSMarketplace/Assessment/${first.AssessmentId}`);
  assert.deepEqual([first.FrameworkId, first.AssessmentResult], [`${GUIDELINES}@G21`, 'PASS']);
  assert.match(first.CreatedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.ok(first.ExpiresAt > first.CreatedAt);
  const a = await assessment(first.AssessmentArn, { MaxResults: 100 });
  for (const k of Object.keys(first)) assert.deepEqual(a[k], first[k], k);
  assert.deepEqual(control(a, 'PS-DET-01'), { ControlId: 'PS-DET-01', ControlAssessmentResult: 'PASS', Errors: [] });
  assert.equal(control(a, 'PS-OFF-01'), undefined);
  // The seller's account stops to be a paid one: the listing is reviewed again, and the assessment is another.
  assert.equal((await m.op('PATCH', `/api/v1/accounts/${w.seller.accountId}`, { paidSeller: false })).status, 200);
  const now = await until(async () => (await assessments({ AssessmentTargetFilter: { EntityId: id }, FrameworkId: GUIDELINES }))
    .find((x) => x.AssessmentResult === 'FAIL' && !x.AssessmentTargetSummary.ChangeSetId), 40000, 'the next review');
  const again = await assessment(now.AssessmentId, { MaxResults: 100 });
  const fault = control(again, 'PS-SETUP-01');
  assert.equal(fault.ControlAssessmentResult, 'FAIL');
  assert.equal(fault.Errors[0].Code, 'PS_SETUP_01');
  assert.ok(fault.Errors[0].Message);
  assert.deepEqual(fault.Errors[0].Scope.slice(0, 2), [{ Name: 'SEVERITY', Value: 'error' }, { Name: 'FIELD', Value: '/seller/account_status' }]);
  const gone = await call('/DescribeAssessment', { Catalog, AssessmentIdentifier: first.AssessmentId });
  assert.deepEqual([gone.status, gone.type], [404, 'ResourceNotFoundException']);
  // Pages that do not overlap.
  const pages = [];
  for (let NextToken; ;) {
    const r = await assessment(now.AssessmentId, { MaxResults: 7, NextToken: NextToken ?? null });
    assert.ok(r.ControlAssessments.length <= 7);
    pages.push(...r.ControlAssessments);
    if (!(NextToken = r.NextToken)) break;
  }
  assert.deepEqual(pages, again.ControlAssessments);
  assert.equal((await assessment(now.AssessmentId)).ControlAssessments.length, Math.min(50, pages.length));
  assert.equal((await m.op('PATCH', `/api/v1/accounts/${w.seller.accountId}`, { paidSeller: true })).status, 200);
});

test('assessments: what stopped a change set, what people decide about; filters, order, refusals, whose they are', async () => {
  const id = await w.product({ release: false });
  const { ChangeSetId } = await w.start([['UpdateInformation', id, { Categories: ['Training', 'A', 'B', 'C'] }], ['CreateOffer', null, { ProductId: id }, null, OFFER]]);
  await w.ended(ChangeSetId);
  const target = { AssessmentTargetFilter: { ChangeSetId } };
  const both = await assessments(target);
  assert.equal(both.length, 2);
  const mine = await assessments({ AssessmentTargetFilter: { ChangeSetId, EntityId: id } });
  assert.equal(mine.length, 1);
  assert.deepEqual([mine[0].AssessmentTargetSummary, mine[0].AssessmentResult], [{ EntityId: id, ChangeSetId }, 'FAIL']);
  const a = await assessment(mine[0].AssessmentId);
  assert.equal(a.ControlAssessments.length, 1);
  assert.deepEqual([a.ControlAssessments[0].ControlId, a.ControlAssessments[0].ControlAssessmentResult], ['PS-DET-13', 'FAIL']);
  assert.match(a.ControlAssessments[0].Errors[0].Message, /4 categories/);
  // While people decide there is no result.
  const open = await w.product();
  const { ChangeSetId: waiting } = await w.start([['UpdateVisibility', open, { TargetVisibility: 'Public' }]]);
  const [undecided] = await until(async () => { const l = await assessments({ AssessmentTargetFilter: { ChangeSetId: waiting } }); return l.length > 0 && l; }, 40000, 'questions');
  assert.equal(undecided.AssessmentResult, undefined);
  const questions = (await assessment(undecided.AssessmentId)).ControlAssessments;
  assert.ok(questions.length > 0 && questions.every((c) => c.ControlAssessmentResult === 'NOT_EXECUTED' && c.Errors.length > 0), JSON.stringify(questions));
  await w.send(new CancelChangeSetCommand({ Catalog, ChangeSetId: waiting }));
  assert.deepEqual(await assessments({ AssessmentTargetFilter: { ChangeSetId: waiting } }), []);
  // All of them, the newest first, each once.
  const pages = [];
  for (let NextToken; ;) {
    const r = await ok('/ListAssessments', { Catalog, MaxResults: 3, ...(NextToken ? { NextToken } : {}) });
    assert.ok(r.AssessmentSummaryList.length <= 3);
    pages.push(...r.AssessmentSummaryList);
    if (!(NextToken = r.NextToken)) break;
  }
  assert.equal(new Set(pages.map((x) => x.AssessmentId)).size, pages.length);
  assert.deepEqual(pages.map((x) => x.CreatedAt), pages.map((x) => x.CreatedAt).sort().reverse());
  assert.equal((await assessments()).length, Math.min(20, pages.length));
  // Other frameworks have nothing here.
  assert.deepEqual(await assessments({ FrameworkId: 'AMISecurity' }), []);
  assert.deepEqual(await assessments({ FrameworkId: `${GUIDELINES}@G22` }), []);
  assert.ok((await assessments({ FrameworkId: `${GUIDELINES}@G21` })).length > 0);
  assert.deepEqual(await assessments({ FrameworkFilters: { AMISecurityFilters: { DeliveryOptionId: 'do-1' } } }), []);
  for (const bad of [{ Catalog: 'Other' }, { MaxResults: 0 }, { MaxResults: 101 }, { NextToken: 'x' }, { AssessmentTargetFilter: {} }, { AssessmentTargetFilter: { EntityId: 7 } },
    { FrameworkFilters: {} }, { FrameworkFilters: { AMISecurityFilters: {}, ContainerSecurityFilters: {} } }, { Colour: 'red' }]) {
    const r = await call('/ListAssessments', { Catalog, ...bad });
    assert.deepEqual([r.status, r.type], [422, 'ValidationException'], JSON.stringify(bad));
  }
  assert.equal((await call('/DescribeAssessment', { Catalog })).status, 422);
  assert.equal((await call('/DescribeAssessment', { Catalog, AssessmentIdentifier: mine[0].AssessmentId, MaxResults: 101 })).status, 422);
  // Somebody else's is not there, even when the entity is shared.
  const arn = (await entity(id)).EntityArn;
  await put(arn, policy(arn, partner.accountId, [describe, list]));
  assert.deepEqual(await assessments(target, partner), []);
  assert.deepEqual(await assessments({ AssessmentTargetFilter: { EntityId: id } }, partner), []);
  for (const x of both) assert.equal((await call('/DescribeAssessment', { Catalog, AssessmentIdentifier: x.AssessmentId }, partner)).status, 404);
  assert.equal((await assessments(target, w.operatorKey)).length, 2);
});
