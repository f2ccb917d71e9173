-- SPDX-License-Identifier: Apache-2.0
-- The rows that put.pgbench changes, in souk's own schema: psql -v contacts=N. Values have the sizes of souk's.
INSERT INTO account (account_id, name, is_buyer, is_seller, paid_seller, country, address, city, region, postal_code,
                     email_domain, state, created_at, changed_at, revision)
  VALUES ('000000000700', 'S', 0, 1, 0, 'US', '', '', '', '', '', 'active', 0, 0, 1),
         ('000000000600', 'B', 1, 0, 0, 'US', '', '', '', '', '', 'active', 0, 0, 1);
INSERT INTO product (seller_id, product_id, product_code, title, type, pricing, support_email, support_phone, support_url,
                     psc_enabled, psc_enabled_since, state, created_at, changed_at, revision)
  VALUES ('000000000700', int8send(1) || int8send(3), 'bench00000000000000000000', 'P', 'ami', '[]', '', '', '', 1, 1, 'public',
          0, 0, 1);
INSERT INTO subscription (seller_id, subscription_id, product_id, buyer_id, kind, quantity, starts_at, state, created_at,
                          changed_at, revision)
  SELECT '000000000700', int8send(i) || int8send(1), int8send(1) || int8send(3), '000000000600', 'annual', 1, 0, 'active', 0, 0, 1
  FROM generate_series(0, :contacts / 5) AS i;
INSERT INTO id_owner (kind, id, seller_id)
  SELECT 3, int8send(i) || int8send(1), '000000000700' FROM generate_series(0, :contacts / 5) AS i;
INSERT INTO contact_version (seller_id, operation_time, contact_id, superseded_at, created_at, operation, slot, product_id,
                             subscription_id, subscription_start, buyer_id, email_index, data_key, sealed)
  SELECT '000000000700', 1700000000000 + i, int8send(i) || int8send(2), 9223372036854775807, 1700000000000 + i, 1, i % 5 + 1,
         int8send(1) || int8send(3), int8send(i / 5) || int8send(1), 0, '000000000600', int8send(i) || int8send(4),
         decode(repeat(lpad(to_hex(i), 16, '0'), 8), 'hex'), decode(repeat(lpad(to_hex(i), 16, '0'), 18), 'hex')
  FROM generate_series(1, :contacts) AS i;
INSERT INTO audit_head (chain, seq, mac, seal) SELECT i, 0, ''::bytea, ''::bytea FROM generate_series(0, 255) AS i
  ON CONFLICT (chain) DO NOTHING;
ANALYZE;
