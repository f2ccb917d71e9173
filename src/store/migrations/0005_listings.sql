-- SPDX-License-Identifier: Apache-2.0
-- phase: expand
-- Professional services: what sellers say of their products, private offers, and the change sets that change both.
-- A services product is a row of `product` as every other; this is the rest of it. No constraint on a new column.
ALTER TABLE product ADD COLUMN suspended {text};  -- why nobody may subscribe anew; NULL: somebody may

-- distribute: seller
CREATE TABLE listing (
  seller_id         {text}   NOT NULL,
  product_id        {guid} NOT NULL,
  document          {text}   NOT NULL,   -- JSON: what the seller says (proserv/catalog.h tells what is not in it)
  data_use          {text}   NOT NULL,   -- JSON: acceptance of the data-use terms; '' none
  targeting         {text}   NOT NULL,   -- JSON array of the accounts that see it while limited
  extra             {text}   NOT NULL,   -- JSON: what only the Catalog API tells, by its names
  revision          BIGINT NOT NULL,     -- counts changes of the four above
  title_key         {text}   NOT NULL,   -- titles that share a key are the same to buyers; '' no title
  title_key_2       {text}   NOT NULL,
  removed_at        BIGINT,              -- withdrawn for good; NULL: there
  created_at        BIGINT NOT NULL,
  changed_at        BIGINT NOT NULL,
  PRIMARY KEY (seller_id, product_id),
  FOREIGN KEY (seller_id, product_id) REFERENCES product (seller_id, product_id)
);
CREATE INDEX listing_by_title ON listing (title_key);
CREATE INDEX listing_by_title_2 ON listing (title_key_2);

-- What its reviews came to. Beside the listing: a review of all of them need not write their documents anew.
-- distribute: seller
CREATE TABLE listing_review (
  seller_id         {text}   NOT NULL,
  product_id        {guid} NOT NULL,
  edition           {text}   NOT NULL CHECK (edition IN ('G21', 'G22')),  -- that it was last reviewed by
  standing          {text}   NOT NULL CHECK (standing IN ('unreviewed', 'passed', 'pending', 'blocked', 'grace', 'suspended')),
  grace_until       BIGINT,
  reviewed_at       BIGINT,              -- NULL: never
  reviewed_revision BIGINT NOT NULL,     -- of the listing; 0: never
  due_at            BIGINT,              -- when it is to be reviewed again; NULL: at a change
  marks             BIGINT NOT NULL,     -- counts what asked for a review and reviews: one that began before counts for nothing
  PRIMARY KEY (seller_id, product_id),
  FOREIGN KEY (seller_id, product_id) REFERENCES listing (seller_id, product_id)
) {clustered};
CREATE INDEX listing_review_by_due ON listing_review (due_at, product_id) WHERE due_at IS NOT NULL;
CREATE INDEX listing_review_by_standing ON listing_review (standing, product_id);

-- A private offer on a services product, as a document. Once released there is a row of `offer` for each buyer.
-- distribute: seller
CREATE TABLE listing_offer (
  seller_id     {text}   NOT NULL,
  offer_id      {guid} NOT NULL,
  product_id    {guid} NOT NULL,
  document      {text}   NOT NULL,       -- JSON: the offer, without id and state
  extra         {text}   NOT NULL,       -- JSON: what only the Catalog API tells, by its names
  state         {text}   NOT NULL CHECK (state IN ('draft', 'released')),
  market_offers {text}   NOT NULL,       -- JSON object: the offers of the released one, by buyer
  revision      BIGINT NOT NULL,
  created_at    BIGINT NOT NULL,
  changed_at    BIGINT NOT NULL,
  PRIMARY KEY (seller_id, offer_id),
  FOREIGN KEY (seller_id, product_id) REFERENCES listing (seller_id, product_id)
);
CREATE INDEX listing_offer_by_product ON listing_offer (seller_id, product_id);

-- Changes that are made together or not at all. Kept for 60 days after the end.
-- distribute: seller
CREATE TABLE change_set (
  seller_id     {text}   NOT NULL,
  change_set_id {guid} NOT NULL,
  account_id    {text}   NOT NULL,       -- who asked: the seller, or the operator
  actor         {text}   NOT NULL,
  name          {text}   NOT NULL,
  intent        {text}   NOT NULL CHECK (intent IN ('APPLY', 'VALIDATE')),
  token         {text},                  -- the caller's, so that a repeat gets the same answer; NULL none
  request_hash  {blob} NOT NULL,         -- of what was asked
  status        {text}   NOT NULL CHECK (status IN ('PREPARING', 'APPLYING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  waiting       BIGINT NOT NULL CHECK (waiting IN (0, 1)),  -- 1: for people who review
  failure       {text},                  -- CLIENT_ERROR, SERVER_FAULT; NULL none
  failure_text  {text}   NOT NULL,
  changes       {text}   NOT NULL,       -- JSON array
  started_at    BIGINT NOT NULL,
  ended_at      BIGINT,
  PRIMARY KEY (seller_id, change_set_id)
);
CREATE UNIQUE INDEX change_set_by_token ON change_set (seller_id, account_id, token) WHERE token IS NOT NULL;
CREATE INDEX change_set_by_id ON change_set (change_set_id);
CREATE INDEX change_set_by_start ON change_set (seller_id, started_at);
CREATE INDEX change_set_by_end ON change_set (ended_at) WHERE ended_at IS NOT NULL;

-- What a change set that has not ended is about: no other may change it meanwhile.
-- distribute: seller
CREATE TABLE entity_lock (
  seller_id     {text}   NOT NULL,
  entity_id     {guid} NOT NULL,
  change_set_id {guid} NOT NULL,
  PRIMARY KEY (seller_id, entity_id)
);
CREATE INDEX entity_lock_by_set ON entity_lock (seller_id, change_set_id);

-- distribute: seller
CREATE TABLE catalog_tag (
  seller_id {text} NOT NULL,
  resource  {text} NOT NULL,             -- what an ARN names after the account: AWSMarketplace/TYPE/ID
  name      {text} NOT NULL,
  value     {text} NOT NULL,
  PRIMARY KEY (seller_id, resource, name)
);
