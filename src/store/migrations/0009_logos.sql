-- SPDX-License-Identifier: Apache-2.0
-- phase: expand
-- Logos of professional services listings, as they were when they were fetched (specs/proserv.md PS-DET-07 to 11).

-- What a change set found at a logo's address. It is in force once the set has made its changes; what is put at the address later has no effect.
-- distribute: seller
CREATE TABLE listing_logo (
  seller_id     {text}   NOT NULL,
  product_id    {guid} NOT NULL,         -- the listing; one that a change set is about to make is not there yet
  change_set_id {guid} NOT NULL,         -- that fetched it
  in_force      BIGINT NOT NULL CHECK (in_force IN (0, 1)),
  url           {text}   NOT NULL,
  digest        {blob} NOT NULL,         -- SHA-256 of the bytes
  bytes         BIGINT NOT NULL,
  format        {text}   NOT NULL,         -- PNG, JPG, GIF; '' none of them
  width         BIGINT NOT NULL,         -- pixels; 0 not known, as the next two
  height        BIGINT NOT NULL,
  frames        BIGINT NOT NULL,
  damaged       BIGINT NOT NULL CHECK (damaged IN (0, 1)),
  trouble       {text}   NOT NULL,         -- why no pixel was looked at; '' they were
  ground        {text}   NOT NULL CHECK (ground IN ('', 'white', 'transparent', 'coloured')),
  colour        BIGINT NOT NULL,         -- of a coloured ground: red, green, blue as a number of 24 bits
  hash          {text}   NOT NULL,         -- what it looks like (proserv/logo.h); '' it shows nothing, or was not looked at
  fetched_at    BIGINT NOT NULL,
  changed_at    BIGINT NOT NULL,         -- what nodes keep in memory is renewed by it: when it came into force, or its listing was removed
  PRIMARY KEY (seller_id, product_id, change_set_id)
);
CREATE INDEX listing_logo_by_set ON listing_logo (seller_id, change_set_id);
CREATE INDEX listing_logo_by_change ON listing_logo (changed_at);
