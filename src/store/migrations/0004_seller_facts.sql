-- SPDX-License-Identifier: Apache-2.0
-- phase: expand
-- What subscriber and daily data sets tell besides subscriptions and usage (specs/edsp.md 4). NULL in rows that an
-- older program wrote: not told. No constraint on a new column: a distributed table takes none.
ALTER TABLE product ADD COLUMN dimensions {text};      -- JSON array of what usage is metered in; NULL: not listed, any
ALTER TABLE product ADD COLUMN solution_id {text};     -- the solution that it belongs to; NULL: none
ALTER TABLE product ADD COLUMN solution_title {text};
ALTER TABLE offer ADD COLUMN program {text};           -- EnterpriseContract, FieldDemonstration: for whom; NULL: no program
ALTER TABLE offer ADD COLUMN reseller_id {text};       -- the channel partner who sells on it; NULL: the seller itself
ALTER TABLE subscription ADD COLUMN trial_ends_at BIGINT;  -- of the free trial that it begins with; NULL: none

-- What a unit of a dimension costs on an offer, from when. A row never changes: a new price is a new row.
-- distribute: seller
CREATE TABLE offer_rate (
  seller_id  {text}   NOT NULL,
  offer_id   {guid} NOT NULL,
  dimension  {text}   NOT NULL,
  starts_at  BIGINT NOT NULL,            -- the first hour that it is for
  rate_id    {guid} NOT NULL,
  price      {text}   NOT NULL,          -- decimal, of one unit
  currency   {text}   NOT NULL,          -- ISO 4217
  created_at BIGINT NOT NULL,
  PRIMARY KEY (seller_id, offer_id, dimension, starts_at),
  FOREIGN KEY (seller_id, offer_id) REFERENCES offer (seller_id, offer_id)
) {clustered};

-- What a buyer was charged, or given back, for a subscription. A row never changes: a refund is a row of its own.
-- distribute: seller
CREATE TABLE fee (
  seller_id       {text}   NOT NULL,
  fee_id          {guid} NOT NULL,
  subscription_id {guid} NOT NULL,
  kind            {text}   NOT NULL CHECK (kind IN ('hourly', 'monthly', 'annual', 'contract', 'refund')),
  description     {text}   NOT NULL,
  amount          {text}   NOT NULL,     -- decimal; of a refund negative
  currency        {text}   NOT NULL,     -- ISO 4217
  dimension       {text},                -- of a contract that is charged by dimension
  quantity        BIGINT NOT NULL,
  period_start    BIGINT,                -- what it is for, both ends included; NULL: no period
  period_end      BIGINT,
  posted_at       BIGINT NOT NULL,       -- when the buyer was charged
  created_at      BIGINT NOT NULL,
  PRIMARY KEY (seller_id, fee_id),
  FOREIGN KEY (seller_id, subscription_id) REFERENCES subscription (seller_id, subscription_id)
);
CREATE INDEX fee_by_posting ON fee (seller_id, posted_at);
CREATE INDEX fee_by_subscription ON fee (seller_id, subscription_id, fee_id);
