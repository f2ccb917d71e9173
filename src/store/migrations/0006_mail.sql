-- SPDX-License-Identifier: Apache-2.0
-- phase: expand
-- E-mail: what souk writes to people, as evidence of when and what. Whom to and what it says is sealed; to erase that, its
-- key is dropped and the rest of the row stays.

-- distribute: seller
CREATE TABLE mail (
  seller_id    {text}   NOT NULL,        -- whose it is; '' the installation's own
  mail_id      {guid} NOT NULL,        -- begins the Message-ID
  event        {text}   NOT NULL,        -- what happened, in ids alone: one mail for each, for ever
  kind         {text}   NOT NULL,        -- word of the program's table of kinds
  state        BIGINT NOT NULL CHECK (state BETWEEN 0 AND 4),  -- waiting, sent, bounced, failed, withdrawn
  parked       BIGINT NOT NULL CHECK (parked IN (0, 1)),  -- no job works on it: there was no server to send through
  round        BIGINT NOT NULL,          -- 1; one more each time that a person has it sent again: another Message-ID
  attempts     BIGINT NOT NULL,          -- of this round
  status       BIGINT NOT NULL,          -- last answer of SMTP; 0 none
  reason       {text}   NOT NULL,          -- of the last failure, in words of ours
  report       {text}   NOT NULL,          -- status code (5.1.1) of a delivery report; '' none
  created_at   BIGINT NOT NULL,
  since        BIGINT NOT NULL,          -- beginning of this round
  tried_at     BIGINT,
  sent_at      BIGINT,                   -- taken over by the server
  bounced_at   BIGINT,
  erased_at    BIGINT,
  to_index     {blob},                   -- keyed blind index of the recipient; NULL once erased
  data_key     {blob},                   -- wrapped; NULL once erased
  sealed       {blob},                   -- recipient, answer address, subject, text, HTML
  PRIMARY KEY (seller_id, mail_id)
);
CREATE UNIQUE INDEX mail_by_event ON mail (seller_id, event);
CREATE INDEX mail_by_time ON mail (seller_id, created_at, mail_id);
CREATE INDEX mail_of_all ON mail (created_at, mail_id);
CREATE INDEX mail_by_id ON mail (mail_id);
CREATE INDEX mail_by_recipient ON mail (to_index, seller_id) WHERE to_index IS NOT NULL;
CREATE INDEX mail_unsent ON mail (state, parked, since) WHERE state <> 1;
CREATE INDEX mail_parked ON mail (created_at) WHERE parked = 1;
CREATE INDEX mail_kept ON mail (created_at) WHERE data_key IS NOT NULL;

-- Templates of their own, which take the place of the program's. A row of '' is the operator's, for all sellers.
-- distribute: seller
CREATE TABLE mail_template (
  seller_id  {text}   NOT NULL,
  kind       {text}   NOT NULL,
  language   {text}   NOT NULL,            -- BCP 47 in lower case; '' any
  subject    {text}   NOT NULL,
  body       {text}   NOT NULL,
  html       {text}   NOT NULL,            -- '' text alone
  changed_by {text}   NOT NULL,
  changed_at BIGINT NOT NULL,
  revision   BIGINT NOT NULL,
  PRIMARY KEY (seller_id, kind, language)
);

-- Where notices for a seller go, sealed; of '' the operator's own.
-- distribute: seller
CREATE TABLE mail_address (
  seller_id  {text}   NOT NULL,
  slot       BIGINT NOT NULL CHECK (slot BETWEEN 1 AND 5),
  data_key   {blob} NOT NULL,
  sealed     {blob} NOT NULL,              -- name, mailbox, language
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (seller_id, slot)
);
