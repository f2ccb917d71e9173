// SPDX-License-Identifier: Apache-2.0
// The Catalog API for professional services through the unmodified AWS CLI, whose model is older than the SDK's.
import { after, before, test } from 'node:test';
import { strict as assert } from 'node:assert';
import { Marketplace } from './lib.js';
import { makeCatalog, PRODUCT } from './catalog-world.js';

const Catalog = 'AWSMarketplace';
let m, w;
before(async () => { m = await Marketplace.create({ ini: 'review.fetch-logos = false\n' }); w = await makeCatalog(m); });
after(() => m.close());

test('AWS CLI: create, describe, update, dimensions, release', async () => {
  const cli = async (...args) => JSON.parse((await m.awsOk(['marketplace-catalog', ...args, '--catalog', Catalog], { as: w.seller })).out);
  const change = (ChangeType, Identifier, d, ChangeName) => ({ ChangeType, Entity: { Type: PRODUCT, ...(Identifier ? { Identifier } : {}) },
    Details: JSON.stringify(d), ...(ChangeName ? { ChangeName } : {}) });
  const set = async (...changes) => {
    const { ChangeSetId, ChangeSetArn } = await cli('start-change-set', '--change-set', JSON.stringify(changes));
    assert.match(ChangeSetArn, new RegExp(`^arn:aws:aws-marketplace:us-east-1:${w.seller.accountId}:AWSMarketplace/ChangeSet/${ChangeSetId}$`));
    return w.ended(ChangeSetId);
  };
  const made = await set(change('CreateProduct', null, { ProductTitle: 'By hand' }));
  const first = await cli('describe-change-set', '--change-set-id', made.ChangeSetId);
  assert.equal(first.Status, 'SUCCEEDED', JSON.stringify(first));
  assert.equal(first.ChangeSetName, `Submitted by ${w.seller.accountId}`);
  assert.match(first.StartTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const id = first.ChangeSet[0].Entity.Identifier;
  assert.match(id, /^prod-[0-9a-f-]{36}$/);
  const info = w.information();
  const second = await set(change('UpdateInformation', id, info), change('AddDimensions', id, w.dimensions()));
  assert.equal(second.Status, 'SUCCEEDED', JSON.stringify(second));
  await w.done([['ReleaseProduct', id, {}]]);
  const e = await cli('describe-entity', '--entity-id', id);
  assert.equal(e.EntityType, PRODUCT);
  assert.equal(e.EntityIdentifier, `${id}@3`);
  const d = JSON.parse(e.Details);
  assert.equal(d.Description.ProductTitle, info.ProductTitle);
  assert.equal(d.Description.Visibility, 'Limited');
  assert.equal(d.Description.ProductState, 'Active');
  assert.match(d.Description.ProductCode, /^[a-z0-9]{25}$/);
  assert.deepEqual(d.Description.AssociatedProducts, [w.lake]);
  assert.equal(d.PromotionalResources.LogoUrl, info.LogoUrl);
  assert.deepEqual(d.PromotionalResources.AdditionalResources, info.AdditionalResources);
  assert.deepEqual(d.Dimensions.map((x) => x.Key), ['assess', 'move']);
  const list = await cli('list-entities', '--entity-type', 'ProfessionalServicesProduct');
  assert.deepEqual(list.EntitySummaryList.find((x) => x.EntityId === id).Name, info.ProductTitle);
  const product = (await m.op('GET', `/api/v1/products/${id.slice(5)}`)).json;
  assert.deepEqual([product.state, product.type, product.title], ['limited', 'services', info.ProductTitle]);
  // Its words for what is refused.
  const words = async (args, name) => assert.match((await m.aws(['marketplace-catalog', ...args, '--catalog', Catalog], { as: w.seller })).err, new RegExp(name));
  await Promise.all([
    words(['describe-entity', '--entity-id', 'prod-nothing'], 'ResourceNotFoundException'),
    words(['start-change-set', '--change-set', JSON.stringify([change('UpdateDimensions', id, [])])], 'AccessDeniedException'),
    words(['cancel-change-set', '--change-set-id', first.ChangeSetId], 'ResourceInUseException'),
  ]);
});
