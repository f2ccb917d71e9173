-- SPDX-License-Identifier: Apache-2.0
-- phase: expand
-- A seller's commission plan, sealed: people, accounts, rates. A revision is never changed; the highest one is in force.
-- distribute: seller
CREATE TABLE commission_plan (
  seller_id  {text}   NOT NULL REFERENCES account (account_id),
  plan_id    {guid} NOT NULL,
  revision   BIGINT NOT NULL CHECK (revision >= 0),  -- 0: only tried by a dry run, and gone after it
  data_key   {blob} NOT NULL,            -- wrapped by a master key
  sealed     {blob} NOT NULL,            -- the plan's JSON text
  changed_by {text}   NOT NULL,          -- actor
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (seller_id, plan_id)
);
CREATE UNIQUE INDEX commission_plan_revision ON commission_plan (seller_id, revision) WHERE revision > 0;

-- Who of a seller's users may see whose commissions (EDSP-U3). No row: nothing.
-- distribute: seller
CREATE TABLE commission_grant (
  seller_id      {text}   NOT NULL REFERENCES account (account_id),
  user_id        {guid} NOT NULL,
  role           {text}   NOT NULL CHECK (role IN ('support', 'representative', 'manager', 'finance')),
  representative {text}   NOT NULL,      -- whom the plan knows this user as; '' for finance and support
  buyer_columns  BIGINT NOT NULL CHECK (buyer_columns IN (0, 1)),
  purpose        {text}   NOT NULL,      -- word
  granted_by     {text}   NOT NULL,      -- actor
  granted_at     BIGINT NOT NULL,
  standing       BIGINT NOT NULL,        -- revision of the enrolment that it was given under; void under any other
  PRIMARY KEY (seller_id, user_id)
);

-- How a seller wants its runs approved. No row: by one person.
-- distribute: seller
CREATE TABLE commission_setting (
  seller_id  {text}   NOT NULL PRIMARY KEY REFERENCES account (account_id),
  two_people BIGINT NOT NULL CHECK (two_people IN (0, 1)),  -- who started a run may not approve it
  changed_by {text}   NOT NULL,
  changed_at BIGINT NOT NULL,
  revision   BIGINT NOT NULL
);

-- Commission runs; what they came to is one sealed object each, in the bucket ".commissions".
-- distribute: seller
CREATE TABLE commission_run (
  seller_id     {text}   NOT NULL REFERENCES account (account_id),
  run_id        {guid} NOT NULL,
  kind          {text}   NOT NULL CHECK (kind IN ('run', 'simulation', 'dry-run')),
  month         BIGINT NOT NULL,         -- since year 0; -1: all (of a dry run)
  known_at      BIGINT NOT NULL,
  plan_id       {guid} NOT NULL,
  draft_id      {guid},                  -- of a dry run: the plan that is tried
  state         {text}   NOT NULL CHECK (state IN ('waiting', 'done', 'failed', 'locked')),
  digest        {text}   NOT NULL,       -- of all amounts, '' until done
  locks_seen    BIGINT NOT NULL,         -- locked runs that were counted in
  line_count    BIGINT NOT NULL,
  statements    BIGINT NOT NULL,
  queued        BIGINT NOT NULL,         -- lines that pay nobody
  adjustments   BIGINT NOT NULL,
  moved         BIGINT NOT NULL,         -- of a dry run: lines
  reason        {text}   NOT NULL,       -- why it failed
  started_user  {guid} NOT NULL,
  started_by    {text}   NOT NULL,       -- actor
  started_at    BIGINT NOT NULL,
  finished_at   BIGINT,                  -- NULL: not yet
  approved_user {guid},
  approved_by   {text},
  approved_at   BIGINT,                  -- NULL: not approved
  PRIMARY KEY (seller_id, run_id)
);
-- A month is locked once.
CREATE UNIQUE INDEX commission_run_locked ON commission_run (seller_id, month) WHERE state = 'locked';
CREATE INDEX commission_run_by_start ON commission_run (seller_id, started_at);
