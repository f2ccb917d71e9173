-- SPDX-License-Identifier: Apache-2.0
-- phase: expand
-- Usage facts: how much of a product's dimension a buyer used in an hour (specs/metering-and-agreements.md 2).
-- A row never changes: the first quantity that was told for a buyer, dimension and hour stands.
-- Clustered by hour, because reports and bills read hours of one seller.
-- distribute: seller
CREATE TABLE usage_record (
  seller_id       {text}   NOT NULL,
  hour            BIGINT NOT NULL CHECK (hour % 3600000 = 0),  -- in which it was used: the beginning
  product_id      {guid} NOT NULL,
  buyer_id        {text}   NOT NULL REFERENCES account (account_id),
  dimension       {text}   NOT NULL,
  usage_id        {guid} NOT NULL,           -- MeteringRecordId
  subscription_id {guid} NOT NULL,           -- the right by which it was used
  quantity        BIGINT NOT NULL CHECK (quantity >= 0 AND quantity <= 2147483647),
  allocations     {text},                    -- JSON array of how the buyer shares it out; NULL: not told
  source          {text}   NOT NULL CHECK (source IN ('batch', 'meter', 'import')),
  client_token    {text},                    -- of the call that told it, when it had one
  received_at     BIGINT NOT NULL,
  PRIMARY KEY (seller_id, hour, product_id, buyer_id, dimension),
  FOREIGN KEY (seller_id, product_id) REFERENCES product (seller_id, product_id),
  FOREIGN KEY (seller_id, subscription_id) REFERENCES subscription (seller_id, subscription_id)
) {clustered};
CREATE UNIQUE INDEX usage_by_token ON usage_record (seller_id, buyer_id, client_token) WHERE client_token IS NOT NULL;

-- When the last enrolled standing began; `since` tells when it ended once the state is withdrawn. NULL in rows
-- that an older program wrote.
ALTER TABLE enrolment ADD COLUMN enrolled_since BIGINT;
UPDATE enrolment SET enrolled_since = since WHERE state = 'enrolled';

-- What a seller brought forward for a requirement of a program, and what the operator made of it.
-- distribute: seller
CREATE TABLE enrolment_evidence (
  seller_id     {text}   NOT NULL REFERENCES account (account_id),
  program       {text}   NOT NULL CHECK (program IN ('psc', 'edsp', 'proserv')),
  requirement   {text}   NOT NULL,         -- EDSP-R1 ...
  document      {text}   NOT NULL,         -- where it is: a link or a name, '' when none is asked for
  effective_on  {text}   NOT NULL,         -- YYYY-MM-DD, '' when none is asked for
  terms_version {text}   NOT NULL,         -- '' when none is asked for
  attests       {text}   NOT NULL,         -- JSON array of words
  given_by      {text}   NOT NULL,         -- actor, '' when nothing was asked for
  given_at      BIGINT NOT NULL,
  decision      {text}   NOT NULL CHECK (decision IN ('open', 'accepted', 'refused')),
  note          {text}   NOT NULL,         -- the operator's reason
  decided_by    {text}   NOT NULL,
  decided_at    BIGINT,                  -- NULL: not decided
  revision      BIGINT NOT NULL,
  PRIMARY KEY (seller_id, program, requirement)
);

-- What an enrolled seller has published to it without asking, and where.
-- distribute: seller
CREATE TABLE publication_plan (
  seller_id  {text}   NOT NULL PRIMARY KEY REFERENCES account (account_id),
  role_arn   {text}   NOT NULL,
  bucket     {text}   NOT NULL,
  prefix     {text},                       -- NULL: none
  topic_arn  {text}   NOT NULL,
  data_sets  {text}   NOT NULL,            -- JSON array of types
  feeds      BIGINT NOT NULL CHECK (feeds IN (0, 1)),  -- the feed files themselves, too
  changed_by {text}   NOT NULL,
  changed_at BIGINT NOT NULL,
  revision   BIGINT NOT NULL
);
-- What was published: each publication once, whatever happens to nodes and clocks.
-- distribute: seller
CREATE TABLE publication (
  seller_id    {text}   NOT NULL,
  what         {text}   NOT NULL,          -- a type, or the name of a feed file
  version      {text}   NOT NULL,          -- the day, or the file's ETag
  request_id   {guid} NOT NULL,
  published_at BIGINT NOT NULL,
  PRIMARY KEY (seller_id, what, version)
);
