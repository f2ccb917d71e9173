-- SPDX-License-Identifier: Apache-2.0
-- phase: expand
-- The first schema. Types: BIGINT, TEXT, {guid} (16 bytes), {blob}; {clustered} stores rows in primary key order.
-- Instants are milliseconds since the epoch, UTC.
--
-- Before each table stands where its rows live once the database is distributed by seller (store/distribute.h):
--   distribute: seller      in the shard of their seller_id; it is part of the primary key, of every unique
--                           index and of every foreign key to another such table
--   distribute: reference   a copy on every node: small, read by everybody, seldom written (a write goes to all)
--   distribute: local       on the coordinator alone: belongs to no one seller, or is written too often to be copied
-- Only a seller's table may refer to a seller's table.

-- Facts of the installation. Local: the readiness probe writes here.
-- distribute: local
CREATE TABLE meta (
  name  {text} NOT NULL PRIMARY KEY,       -- installation_id, marketplace_name ...
  value {text} NOT NULL
);

-- ---- shared facts ----------------------------------------------------------------------------------------

-- distribute: reference
CREATE TABLE account (
  account_id   {text}   NOT NULL PRIMARY KEY CHECK (length(account_id) = 12),  -- 12 digits, leading zeroes kept
  name         {text}   NOT NULL,
  is_operator  BIGINT NOT NULL DEFAULT 0 CHECK (is_operator IN (0, 1)),
  is_buyer     BIGINT NOT NULL CHECK (is_buyer IN (0, 1)),
  is_seller    BIGINT NOT NULL CHECK (is_seller IN (0, 1)),
  paid_seller  BIGINT NOT NULL CHECK (paid_seller IN (0, 1)),  -- may sell paid products
  country      {text}   NOT NULL,          -- ISO 3166-1 alpha-2
  address      {text}   NOT NULL,          -- street lines, '' when unknown
  city         {text}   NOT NULL,
  region       {text}   NOT NULL,          -- state or province
  postal_code  {text}   NOT NULL,
  email_domain {text}   NOT NULL,          -- lower case, '' when unknown
  state        {text}   NOT NULL CHECK (state IN ('active', 'suspended')),
  created_at   BIGINT NOT NULL,
  changed_at   BIGINT NOT NULL,
  revision     BIGINT NOT NULL           -- counts changes; the ETag
);

-- distribute: reference
CREATE TABLE iam_user (
  user_id    {guid} NOT NULL PRIMARY KEY,
  account_id {text}   NOT NULL REFERENCES account (account_id),
  name       {text}   NOT NULL,            -- sign-in name, unique in the account
  policy     {text},                       -- policy document (JSON); NULL: everything the account may
  state      {text}   NOT NULL CHECK (state IN ('active', 'disabled')),
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  revision   BIGINT NOT NULL,
  UNIQUE (account_id, name)
);

-- distribute: reference
CREATE TABLE access_key (
  access_key_id {text}   NOT NULL PRIMARY KEY,  -- SOUK + 16 of A-Z2-7
  account_id    {text}   NOT NULL REFERENCES account (account_id),
  user_id       {guid} NOT NULL REFERENCES iam_user (user_id),
  data_key      {blob} NOT NULL,              -- wrapped by the key ring
  secret        {blob} NOT NULL,              -- the secret access key, sealed
  policy        {text},                         -- narrows the user's policy further; NULL: does not
  state         {text}   NOT NULL CHECK (state IN ('active', 'disabled')),
  created_at    BIGINT NOT NULL,
  changed_at    BIGINT NOT NULL
);
CREATE INDEX access_key_by_user ON access_key (user_id);

-- distribute: reference
CREATE TABLE bearer_token (
  token_id   {guid} NOT NULL PRIMARY KEY,
  account_id {text}   NOT NULL REFERENCES account (account_id),
  user_id    {guid} NOT NULL REFERENCES iam_user (user_id),
  token_hash {blob} NOT NULL UNIQUE,     -- SHA-256 of the token: 256 random bits need no slow hash
  label      {text}   NOT NULL,
  policy     {text},                       -- as for access keys
  expires_at BIGINT,                     -- NULL: never
  created_at BIGINT NOT NULL
);
CREATE INDEX bearer_token_by_user ON bearer_token (user_id);

-- Answers to creating requests, so that a repeat gets the same one (design 6, Idempotency-Key). Local: kept for
-- the caller, be it buyer, seller or operator; erased by subject and dropped by age whoever it was.
-- distribute: local
CREATE TABLE idempotency (
  account_id   {text}   NOT NULL,
  key_hash     {blob} NOT NULL,          -- keyed hash of the Idempotency-Key
  request_hash {blob} NOT NULL,          -- keyed hash of method, path and body
  subject      {guid},                   -- what was created
  status       BIGINT NOT NULL,
  data_key     {blob},                   -- NULL after the subject was erased
  answer       {blob},                   -- headers and body, sealed; NULL after the subject was erased
  created_at   BIGINT NOT NULL,
  PRIMARY KEY (account_id, key_hash)
);
CREATE INDEX idempotency_by_subject ON idempotency (subject) WHERE subject IS NOT NULL;
CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- Whose an id is: callers name nothing else, and without the seller's name the database would have to ask every
-- shard. Local: one place makes an id unique among all sellers.
-- distribute: local
CREATE TABLE id_owner (
  kind      BIGINT NOT NULL CHECK (kind IN (1, 2, 3)),  -- product, offer, subscription
  id        {guid} NOT NULL,
  seller_id {text}   NOT NULL,
  PRIMARY KEY (kind, id)
) {clustered};

-- ---- what sellers own ------------------------------------------------------------------------------------

-- distribute: seller
CREATE TABLE product (
  seller_id         {text}   NOT NULL REFERENCES account (account_id),
  product_id        {guid} NOT NULL,
  product_code      {text}   NOT NULL CHECK (length(product_code) = 25),
  title             {text}   NOT NULL,
  type              {text}   NOT NULL CHECK (type IN ('ami', 'container', 'saas', 'data', 'ml', 'services')),
  pricing           {text}   NOT NULL,     -- JSON array of hourly, monthly, annual, metered, contract, free, byol
  support_email     {text}   NOT NULL,     -- the seller's own support contact on the detail page, '' when none
  support_phone     {text}   NOT NULL,
  support_url       {text}   NOT NULL,
  psc_enabled       BIGINT NOT NULL CHECK (psc_enabled IN (0, 1)),
  psc_enabled_since BIGINT,              -- of the present enabling; NULL while disabled
  state             {text}   NOT NULL CHECK (state IN ('draft', 'limited', 'public', 'restricted')),
  created_at        BIGINT NOT NULL,
  changed_at        BIGINT NOT NULL,
  revision          BIGINT NOT NULL,
  PRIMARY KEY (seller_id, product_id),
  UNIQUE (seller_id, product_code)
);
CREATE INDEX product_by_id ON product (product_id);
CREATE INDEX product_by_code ON product (product_code);

-- distribute: seller
CREATE TABLE offer (
  seller_id  {text}   NOT NULL,
  offer_id   {guid} NOT NULL,
  product_id {guid} NOT NULL,
  name       {text}   NOT NULL,
  visibility {text}   NOT NULL CHECK (visibility IN ('public', 'private')),
  buyer_id   {text}   REFERENCES account (account_id),  -- of a private offer
  state      {text}   NOT NULL CHECK (state IN ('active', 'expired')),
  starts_at  BIGINT NOT NULL,
  ends_at    BIGINT,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  revision   BIGINT NOT NULL,
  PRIMARY KEY (seller_id, offer_id),
  FOREIGN KEY (seller_id, product_id) REFERENCES product (seller_id, product_id)
);
CREATE INDEX offer_by_id ON offer (offer_id);
CREATE INDEX offer_by_product ON offer (seller_id, product_id);

-- distribute: seller
CREATE TABLE subscription (
  seller_id       {text}   NOT NULL,
  subscription_id {guid} NOT NULL,
  product_id      {guid} NOT NULL,
  offer_id        {guid},
  buyer_id        {text}   NOT NULL REFERENCES account (account_id),
  kind            {text}   NOT NULL CHECK (kind IN ('hourly', 'monthly', 'annual', 'metered', 'contract', 'free', 'byol')),
  quantity        BIGINT NOT NULL CHECK (quantity >= 1),
  starts_at       BIGINT NOT NULL,       -- never changes: it stands in every exported record
  ends_at         BIGINT,                -- agreed end, NULL when open
  ended_at        BIGINT,                -- when it really ended; NULL while active
  state           {text}   NOT NULL CHECK (state IN ('active', 'ended')),
  created_at      BIGINT NOT NULL,
  changed_at      BIGINT NOT NULL,
  revision        BIGINT NOT NULL,
  PRIMARY KEY (seller_id, subscription_id),
  FOREIGN KEY (seller_id, product_id) REFERENCES product (seller_id, product_id)
) {clustered};
CREATE INDEX subscription_by_id ON subscription (subscription_id);
CREATE INDEX subscription_by_buyer ON subscription (buyer_id, subscription_id);
-- Those that end by themselves, the next one first.
CREATE INDEX subscription_by_end ON subscription (ends_at) WHERE state = 'active' AND ends_at IS NOT NULL;

-- Standing in a program; `since` is when the present standing began.
-- distribute: seller
CREATE TABLE enrolment (
  seller_id  {text}   NOT NULL REFERENCES account (account_id),
  program    {text}   NOT NULL CHECK (program IN ('psc', 'edsp', 'proserv')),
  state      {text}   NOT NULL CHECK (state IN ('enrolled', 'withdrawn')),
  since      BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  revision   BIGINT NOT NULL,
  PRIMARY KEY (seller_id, program)
);

-- ---- Product Support Connection --------------------------------------------------------------------------

-- One row per change of a contact (specs/psc.md 6). A row never changes but for superseded_at. Deleting a
-- contact removes its CREATE and UPDATE rows, and their keys with them, and leaves one DELETE row, the
-- tombstone, without personal data, for ever. The newest row of a contact has superseded_at = 9223372036854775807.
-- Rows are clustered in the order in which exports print them: an export is one range scan.
-- distribute: seller
CREATE TABLE contact_version (
  seller_id          {text}   NOT NULL,
  operation_time     BIGINT NOT NULL,    -- of one contact strictly increasing
  contact_id         {guid} NOT NULL,    -- the Customer Guid
  superseded_at      BIGINT NOT NULL,    -- operation_time of the next row of this contact
  created_at         BIGINT NOT NULL,    -- operation_time of the contact's CREATE
  operation          BIGINT NOT NULL CHECK (operation IN (1, 2, 3)),  -- CREATE, UPDATE, DELETE
  slot               BIGINT CHECK (slot BETWEEN 1 AND 5),  -- which of the subscription's five; NULL in tombstones
  product_id         {guid} NOT NULL,
  subscription_id    {guid} NOT NULL,
  subscription_start BIGINT NOT NULL,
  buyer_id           {text}   NOT NULL,
  email_index        {blob},             -- keyed blind index of the e-mail address; NULL in tombstones
  data_key           {blob},             -- the contact's data key, wrapped by the key ring; NULL in tombstones
  sealed             {blob},             -- the eight buyer-entered fields, sealed; NULL in tombstones
  PRIMARY KEY (seller_id, operation_time, contact_id),
  CHECK ((operation = 3) = (sealed IS NULL) AND (operation = 3) = (data_key IS NULL))
) {clustered};
-- The live contacts of a subscription; no two in one slot, so never a sixth (invariant 1).
CREATE UNIQUE INDEX contact_live ON contact_version (seller_id, subscription_id, slot)
  WHERE superseded_at = 9223372036854775807 AND operation < 3;
-- All rows of one contact, to erase them.
CREATE INDEX contact_history ON contact_version (seller_id, contact_id);
CREATE INDEX contact_by_email ON contact_version (email_index)
  WHERE superseded_at = 9223372036854775807 AND operation < 3;

-- What upkeep may drop, in the order of its age.
CREATE INDEX contact_superseded ON contact_version (superseded_at) WHERE superseded_at < 9223372036854775807;

-- How far a seller's real exports reach: no operation time may run behind it (invariant 2).
-- distribute: seller
CREATE TABLE psc_coverage (
  seller_id      {text}   NOT NULL PRIMARY KEY,
  exported_until BIGINT NOT NULL
);

-- One row per accepted data set request (psc 3, 8): the parameters, and what came of it.
-- distribute: seller
CREATE TABLE data_set_request (
  seller_id       {text}   NOT NULL,
  request_id      {guid} NOT NULL,
  data_set_type   {text}   NOT NULL,
  job_kind        {text}   NOT NULL,       -- of the job that makes it, for trying a failed request again
  from_at         BIGINT NOT NULL,
  coverage_start  BIGINT NOT NULL,
  coverage_end    BIGINT NOT NULL,       -- fixed when the request is received
  role_arn        {text}   NOT NULL,
  bucket          {text}   NOT NULL,
  prefix          {text},                  -- as sent; NULL when absent
  topic_arn       {text}   NOT NULL,
  customer_values {text}   NOT NULL,       -- JSON object, as sent
  requested_by    {text}   NOT NULL,       -- user and key, for the audit
  received_at     BIGINT NOT NULL,
  completed_at    BIGINT,
  state           {text}   NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
  reason          {text},                  -- why it failed, or why the file is empty
  rows_create     BIGINT,
  rows_update     BIGINT,
  rows_delete     BIGINT,
  csv_key         {text},
  meta_key        {text},
  csv_sha256      {blob},
  csv_bytes       BIGINT,
  store           {text},                -- endpoint of the store that has the files; NULL: the embedded buckets
  PRIMARY KEY (seller_id, request_id)
);
CREATE INDEX data_set_request_by_time ON data_set_request (seller_id, received_at, request_id);
CREATE INDEX data_set_request_waiting ON data_set_request (state, coverage_end) WHERE state = 'waiting';
CREATE INDEX data_set_request_failed ON data_set_request (completed_at, coverage_end) WHERE state = 'failed';

-- ---- delivery --------------------------------------------------------------------------------------------

-- Names are one name space for the installation, as S3 has it; objects of a bucket lie with its seller.
-- distribute: reference
CREATE TABLE bucket (
  name       {text}   NOT NULL PRIMARY KEY,
  seller_id  {text}   NOT NULL REFERENCES account (account_id),
  created_at BIGINT NOT NULL
);
CREATE INDEX bucket_by_seller ON bucket (seller_id, name);

-- distribute: seller
CREATE TABLE object (
  seller_id    {text}   NOT NULL,
  bucket       {text}   NOT NULL,
  object_key   {text}   NOT NULL,          -- compared as bytes
  object_id    {guid} NOT NULL,          -- names the sealed file
  size         BIGINT NOT NULL,
  etag         {text}   NOT NULL,          -- without quotes
  sha256       {blob} NOT NULL,
  checksum     {text}   NOT NULL,          -- 'CRC32:base64' as the writer gave it, '' when none
  content_type {text}   NOT NULL,
  headers      {text}   NOT NULL,          -- JSON object: content-encoding ..., x-amz-meta-*
  data_key     {blob} NOT NULL,          -- wrapped; gone when the object expires
  modified_at  BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL,
  PRIMARY KEY (seller_id, bucket, object_key)
);
CREATE INDEX object_by_age ON object (expires_at);
-- The id first: a file on disk tells its object's id only.
CREATE UNIQUE INDEX object_by_id ON object (object_id, seller_id);
-- Sealed files that are not (or no longer) an object: removed by housekeeping. A row comes before its file.
-- distribute: seller
CREATE TABLE object_file (
  seller_id    {text} NOT NULL,
  object_id    {guid} NOT NULL,
  remove_after BIGINT NOT NULL,          -- an hour for a file being written, minutes for one replaced or expired; 0: being removed
  PRIMARY KEY (object_id, seller_id)     -- the id first, as in object_by_id
);

-- distribute: seller
CREATE TABLE delivery_role (
  seller_id  {text}   NOT NULL REFERENCES account (account_id),
  name       {text}   NOT NULL,            -- arn:aws:iam::SELLER:role/NAME
  policy     {text}   NOT NULL,            -- policy document: s3:PutObject on buckets, sns:Publish on topics
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  revision   BIGINT NOT NULL,
  PRIMARY KEY (seller_id, name)
);

-- Where a role's deliveries go instead of the embedded buckets (s3) and souk's own topics (sns).
-- distribute: seller
CREATE TABLE delivery_remote (
  seller_id     {text}   NOT NULL,
  role          {text}   NOT NULL,
  kind          {text}   NOT NULL CHECK (kind IN ('s3', 'sns')),
  endpoint      {text}   NOT NULL,         -- https://host[:port]
  region        {text}   NOT NULL,
  path_style    BIGINT NOT NULL CHECK (path_style IN (0, 1)),
  encryption    {text}   NOT NULL CHECK (encryption IN ('none', 'AES256', 'aws:kms')),  -- the store's, at rest
  kms_key_id    {text}   NOT NULL,         -- '' the store's default key
  credentials   {text}   NOT NULL CHECK (credentials IN ('seller', 'operator')),  -- the operator's stand in souk.ini
  access_key_id {text}   NOT NULL,         -- '' with the operator's
  data_key      {blob},                  -- wrapped by the key ring; NULL with the operator's
  secret        {blob},                  -- the seller's secret access key, sealed
  PRIMARY KEY (seller_id, role, kind),
  FOREIGN KEY (seller_id, role) REFERENCES delivery_role (seller_id, name),
  CHECK ((credentials = 'seller') = (secret IS NOT NULL) AND (credentials = 'seller') = (data_key IS NOT NULL))
);
-- Buckets and topics that the operator's credentials may be used for by this role; each is one seller's.
-- distribute: seller
CREATE TABLE delivery_reach (
  seller_id {text} NOT NULL,
  role      {text} NOT NULL,
  kind      {text} NOT NULL,
  name      {text} NOT NULL,               -- of the bucket; ARN of the topic
  PRIMARY KEY (seller_id, role, kind, name),
  FOREIGN KEY (seller_id, role, kind) REFERENCES delivery_remote (seller_id, role, kind)
);
CREATE INDEX delivery_reach_by_name ON delivery_reach (kind, name);

-- distribute: seller
CREATE TABLE topic (
  seller_id  {text}   NOT NULL REFERENCES account (account_id),
  name       {text}   NOT NULL,            -- arn:aws:sns:REGION:SELLER:NAME
  created_at BIGINT NOT NULL,
  PRIMARY KEY (seller_id, name)
);

-- distribute: seller
CREATE TABLE topic_endpoint (
  seller_id    {text}   NOT NULL,
  endpoint_id  {guid} NOT NULL,          -- last part of the subscription ARN
  topic        {text}   NOT NULL,
  url          {text}   NOT NULL,
  state        {text}   NOT NULL CHECK (state IN ('pending', 'confirmed', 'unsubscribed')),
  token_hash   {blob} NOT NULL,          -- SHA-256 of the confirmation token
  token_until  BIGINT NOT NULL,
  created_at   BIGINT NOT NULL,
  confirmed_at BIGINT,
  PRIMARY KEY (seller_id, endpoint_id),
  FOREIGN KEY (seller_id, topic) REFERENCES topic (seller_id, name)
);
CREATE INDEX topic_endpoint_by_token ON topic_endpoint (token_hash);
CREATE INDEX topic_endpoint_by_topic ON topic_endpoint (seller_id, topic);

-- Messages published on topics, kept for re-sending; bodies hold names of objects, never personal data.
-- distribute: seller
CREATE TABLE message (
  seller_id  {text}   NOT NULL,
  message_id {guid} NOT NULL,            -- MessageId: the same on every retry and re-send
  topic      {text}   NOT NULL,            -- name; of a topic at an SNS service its ARN
  request_id {guid},
  body       {text}   NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (seller_id, message_id)
);
CREATE INDEX message_by_request ON message (seller_id, request_id);

-- ---- jobs ------------------------------------------------------------------------------------------------

-- One queue for all sellers: workers ask for the next job, whoever's, and lock its row; over shards neither is to be had.
-- distribute: local
CREATE TABLE job (
  seller_id   {text}   NOT NULL,           -- '' for jobs of the installation itself
  job_id      {guid} NOT NULL,
  kind        {text}   NOT NULL,
  request_id  {guid},                    -- what it belongs to: a data set request, a topic's endpoint
  payload     {text}   NOT NULL,           -- JSON; no personal data
  state       BIGINT NOT NULL CHECK (state BETWEEN 0 AND 3),  -- ready, leased, done, dead
  run_after   BIGINT NOT NULL,
  attempts    BIGINT NOT NULL,
  lease       {guid},                    -- fencing token of who works on it
  lease_until BIGINT,
  reason      {text},                      -- of the last failure
  created_at  BIGINT NOT NULL,
  finished_at BIGINT,
  PRIMARY KEY (seller_id, job_id)
);
CREATE INDEX job_due ON job (state, run_after) WHERE state < 2;
CREATE INDEX job_by_request ON job (seller_id, request_id, created_at);
CREATE INDEX job_finished ON job (state, finished_at) WHERE state >= 2;

-- ---- nodes ------------------------------------------------------------------------------------------------

-- Processes that serve this installation, each refreshed by its own. Local: written every few seconds.
-- distribute: local
CREATE TABLE node (
  node_id        {guid} NOT NULL PRIMARY KEY,   -- of the process: new at each start
  host           {text} NOT NULL,
  version        {text} NOT NULL,
  schema_version BIGINT NOT NULL,          -- newest that its program knows
  ring_current   BIGINT NOT NULL,          -- master key that it wraps with
  ring_newest    BIGINT NOT NULL,          -- highest number of a master key that it has
  started_at     BIGINT NOT NULL,
  seen_at        BIGINT NOT NULL,          -- by the database's clock
  used           {blob} NOT NULL           -- calls let through in the last seconds (server/beat.c)
) {hot};

-- ---- audit -----------------------------------------------------------------------------------------------

-- Who read or changed personal or confidential data. `mac` chains: keyed hash of the row and the mac before it.
-- Local: a chain has one order, so one place.
-- distribute: local
CREATE TABLE audit_entry (
  chain      BIGINT NOT NULL,            -- embedded: 0; else the writer's lane, and 0 names the chains begun
  seq        BIGINT NOT NULL,            -- from 1, without gaps
  at         BIGINT NOT NULL,
  account_id {text}   NOT NULL,            -- of who did it
  actor      {text}   NOT NULL,            -- user:GUID, token:GUID, key:ID, cli:NAME, job:KIND
  action     {text}   NOT NULL,            -- psc:ReadContacts ...
  resource   {text}   NOT NULL,            -- ids only
  seller_id  {text}   NOT NULL,            -- whose data, '' when nobody's
  purpose    {text}   NOT NULL,
  outcome    {text}   NOT NULL,            -- allowed, refused
  count      BIGINT NOT NULL,            -- records touched
  request_id {text}   NOT NULL,
  mac        {blob} NOT NULL,
  PRIMARY KEY (chain, seq)
);
-- Chains are listed in order of time. The embedded engine's one chain has that order by its numbers.
CREATE INDEX audit_entry_by_time ON audit_entry (at, chain, seq) {of other chains};
-- End of each chain, with a MAC of its own: cutting entries off the end shows.
-- distribute: local
CREATE TABLE audit_head (
  chain BIGINT NOT NULL PRIMARY KEY,
  seq   BIGINT NOT NULL,
  mac   {blob} NOT NULL,
  seal  {blob} NOT NULL
);
