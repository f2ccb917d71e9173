-- SPDX-License-Identifier: Apache-2.0
-- phase: expand
-- Fulfilment of professional services (specs/proserv.md 4): the clock of each subscription, and what it is kept by.

-- When a seller works. A revision is never changed; the highest one is in force for what is opened from then on.
-- distribute: seller
CREATE TABLE business_calendar (
  seller_id  {text}   NOT NULL REFERENCES account (account_id),
  revision   BIGINT NOT NULL CHECK (revision > 0),
  document   {text}   NOT NULL,            -- JSON: zone, weekend, open, close, holidays with their names
  changed_by {text}   NOT NULL,            -- actor
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (seller_id, revision)
);

-- One for each subscription to a product of type services.
-- distribute: seller
CREATE TABLE fulfilment (
  seller_id        {text}   NOT NULL,
  subscription_id  {guid} NOT NULL,
  product_id       {guid} NOT NULL,
  buyer_id         {text}   NOT NULL,
  accepted_at      BIGINT NOT NULL,
  calendar         BIGINT NOT NULL,        -- revision that the deadline goes by; 0 the built-in one
  deadline         BIGINT NOT NULL,        -- of first contact
  state            {text}   NOT NULL CHECK (state IN ('waiting', 'contacted', 'delayed', 'granted')),
  first_contact_at BIGINT,                 -- or access, whichever came first; NULL: none yet
  promised_at      BIGINT,                 -- of the delay notice that counts; NULL: none
  granted_at       BIGINT,
  closed_at        BIGINT,                 -- the subscription ended; NULL: it goes on
  due_at           BIGINT,                 -- of what is waited for: the deadline or the promise; NULL: nothing runs
  due_since        BIGINT NOT NULL,        -- when that began to run
  reminded_at      BIGINT,                 -- these three are of due_at
  overdue_at       BIGINT,
  escalated_at     BIGINT,
  timer_at         BIGINT,                 -- the one job that looks again is for then; NULL: none
  events           BIGINT NOT NULL,        -- how many there are
  opened_at        BIGINT NOT NULL,
  changed_at       BIGINT NOT NULL,
  revision         BIGINT NOT NULL,
  PRIMARY KEY (seller_id, subscription_id),
  FOREIGN KEY (seller_id, subscription_id) REFERENCES subscription (seller_id, subscription_id)
);
CREATE INDEX fulfilment_by_buyer ON fulfilment (buyer_id, subscription_id);
CREATE INDEX fulfilment_by_id ON fulfilment (subscription_id);
CREATE INDEX fulfilment_by_acceptance ON fulfilment (seller_id, accepted_at);

-- What happened, in order. A row never changes.
-- distribute: seller
CREATE TABLE fulfilment_event (
  seller_id       {text}   NOT NULL,
  subscription_id {guid} NOT NULL,
  number          BIGINT NOT NULL,         -- from 1
  kind            {text}   NOT NULL,
  at              BIGINT NOT NULL,         -- when it happened
  recorded_at     BIGINT NOT NULL,         -- when souk was told
  promised        BIGINT,                  -- of a delay notice
  due             BIGINT,                  -- what a reminder, a miss, an escalation, a new deadline is about
  detail          {text}   NOT NULL,       -- word: the channel of a contact; '' none
  mail_event      {text}   NOT NULL,       -- key of the mail that it sent; '' none
  actor           {text}   NOT NULL,
  PRIMARY KEY (seller_id, subscription_id, number),
  FOREIGN KEY (seller_id, subscription_id) REFERENCES fulfilment (seller_id, subscription_id)
) {clustered};
