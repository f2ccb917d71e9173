-- SPDX-License-Identifier: Apache-2.0
-- phase: expand
-- What a seller lets other accounts read of its entities in the Catalog API (specs/proserv.md 6.1).

-- distribute: seller
CREATE TABLE entity_policy (
  seller_id  {text}   NOT NULL,
  entity_id  {guid} NOT NULL,            -- of a listing or of a listing's offer
  policy     {text}   NOT NULL,          -- JSON, as it was put
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (seller_id, entity_id)
);

-- What such a policy comes to, so that what is shared with an account can be found by the account.
-- distribute: seller
CREATE TABLE entity_share (
  seller_id  {text}   NOT NULL,
  entity_id  {guid} NOT NULL,
  account_id {text}   NOT NULL,          -- never the seller's own; need not be there
  action     {text}   NOT NULL CHECK (action IN ('DescribeEntity', 'ListEntities')),
  PRIMARY KEY (seller_id, entity_id, account_id, action),
  FOREIGN KEY (seller_id, entity_id) REFERENCES entity_policy (seller_id, entity_id)
) {clustered};
CREATE INDEX entity_share_by_account ON entity_share (account_id, action, entity_id);
