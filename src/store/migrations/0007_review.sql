-- SPDX-License-Identifier: Apache-2.0
-- phase: expand
-- Reviews of professional services listings: what people are asked, what they decided, and what a review looked at.

-- A question to a person about one place of a listing. The same evidence is one task for ever.
-- distribute: seller
CREATE TABLE review_task (
  seller_id     {text}   NOT NULL,
  task_id       {guid} NOT NULL,
  product_id    {guid} NOT NULL,         -- the listing; one that a change set is about to make is not there yet
  digest        {blob} NOT NULL,         -- of rule, place and evidence
  rule          {text}   NOT NULL,
  kind          {text}   NOT NULL CHECK (kind IN ('deterministic', 'heuristic', 'human')),
  severity      {text}   NOT NULL CHECK (severity IN ('I', 'W', 'E')),
  pointer       {text}   NOT NULL,       -- into the listing document
  message       {text}   NOT NULL,
  evidence      {text}   NOT NULL,
  excerpt       {text}   NOT NULL,       -- what stood at that place, or its beginning
  state         {text}   NOT NULL CHECK (state IN ('open', 'approved', 'rejected', 'waived')),
  present       BIGINT NOT NULL CHECK (present IN (0, 1)),  -- 0: the listing does not have it any more
  first_by      {guid},                  -- who approved where a second one has to; NULL nobody
  second_by     {guid},
  reason        {text}   NOT NULL,       -- of the decision, told to the seller; '' none
  waived_until  BIGINT,
  change_set_id {guid},                  -- what waits for it; NULL nothing
  opened_at     BIGINT NOT NULL,
  decided_at    BIGINT,
  revision      BIGINT NOT NULL,         -- counts decisions and openings; the ETag
  PRIMARY KEY (seller_id, task_id)
);
CREATE UNIQUE INDEX review_task_by_digest ON review_task (seller_id, product_id, digest);
CREATE INDEX review_task_by_id ON review_task (task_id);
CREATE INDEX review_task_queue ON review_task (state, opened_at, task_id) WHERE present = 1;
CREATE INDEX review_task_by_set ON review_task (seller_id, change_set_id) WHERE change_set_id IS NOT NULL;

-- distribute: seller
CREATE TABLE review_decision (
  seller_id    {text}   NOT NULL,
  task_id      {guid} NOT NULL,
  number       BIGINT NOT NULL,          -- the task's revision that it made
  verdict      {text}   NOT NULL CHECK (verdict IN ('approve', 'reject', 'waive')),
  user_id      {guid} NOT NULL,          -- who decided
  reason       {text}   NOT NULL,
  waived_until BIGINT,
  decided_at   BIGINT NOT NULL,
  PRIMARY KEY (seller_id, task_id, number),
  FOREIGN KEY (seller_id, task_id) REFERENCES review_task (seller_id, task_id)
);

-- What the last review found, as findings of the listing document.
-- distribute: seller
CREATE TABLE listing_findings (
  seller_id  {text}   NOT NULL,
  product_id {guid} NOT NULL,
  digest     {blob} NOT NULL,            -- of the next
  findings   {text}   NOT NULL,          -- JSON array
  PRIMARY KEY (seller_id, product_id),
  FOREIGN KEY (seller_id, product_id) REFERENCES listing (seller_id, product_id)
);

-- What a review saw of the products that a listing leans on, itself one of them: when it is no longer so, it is due.
-- distribute: seller
CREATE TABLE listing_leans (
  seller_id  {text}   NOT NULL,
  product_id {guid} NOT NULL,            -- the listing
  on_product {guid} NOT NULL,
  seen       {text}   NOT NULL,          -- state and title; '' there was none
  PRIMARY KEY (seller_id, product_id, on_product),
  FOREIGN KEY (seller_id, product_id) REFERENCES listing (seller_id, product_id)
) {clustered};
CREATE INDEX listing_leans_by_product ON listing_leans (on_product);
CREATE INDEX product_by_change ON product (changed_at);
CREATE INDEX account_by_change ON account (changed_at);
