-- SPDX-License-Identifier: Apache-2.0
-- Sales compensation (data-feeds 6.2, variant report) for PostgreSQL; the feeds' columns are text but for these, loaded by feeds.py.
CREATE TEMP TABLE ev AS
SELECT * FROM (SELECT DISTINCT ON (billing_event_id) * FROM (
    SELECT DISTINCT ON (billing_event_id, valid_from) * FROM billing_event
    ORDER BY billing_event_id, valid_from, update_date DESC, insert_date DESC) a
  WHERE delete_date IS NULL ORDER BY billing_event_id, valid_from DESC) b
WHERE balance_impacting = 1 AND transaction_type <> 'BALANCE_ADJUSTMENT';

CREATE TEMP TABLE paid AS
SELECT DISTINCT ON (transaction_reference_id, from_account_id) transaction_reference_id, from_account_id, billing_address_id FROM ev
WHERE action = 'DISBURSED' AND transaction_type LIKE 'SELLER_%' AND billing_address_id IS NOT NULL AND transaction_reference_id IS NOT NULL
ORDER BY transaction_reference_id, from_account_id, invoice_date DESC, billing_address_id COLLATE "C" DESC;

CREATE TEMP TABLE acc AS
SELECT *, lead(valid_from, 1, TIMESTAMP '9999-01-01') OVER w AS until_,
  CASE WHEN row_number() OVER w = 1 THEN valid_from - INTERVAL '1 day' ELSE valid_from END AS begin_
FROM (SELECT DISTINCT ON (account_id, valid_from) * FROM account ORDER BY account_id, valid_from, update_date DESC, insert_date DESC) a
WHERE delete_date IS NULL WINDOW w AS (PARTITION BY account_id ORDER BY valid_from);

CREATE TEMP TABLE adr AS
SELECT DISTINCT ON (address_id, aws_account_id) * FROM (
  SELECT DISTINCT ON (address_id, aws_account_id, valid_from) * FROM address
  ORDER BY address_id, aws_account_id, valid_from, update_date DESC, insert_date DESC) a
WHERE delete_date IS NULL ORDER BY address_id, aws_account_id, valid_from DESC;

CREATE TEMP TABLE prd AS
SELECT DISTINCT ON (product_id) * FROM (
  SELECT DISTINCT ON (product_id, valid_from) * FROM product ORDER BY product_id, valid_from, update_date DESC, insert_date DESC) a
WHERE delete_date IS NULL ORDER BY product_id, valid_from DESC;
ANALYZE ev; ANALYZE paid; ANALYZE acc; ANALYZE adr; ANALYZE prd;

COPY (
  WITH n AS (
    SELECT transaction_reference_id AS ref, product_id, end_user_account_id AS usr, currency, to_char(invoice_date, 'YYYY-MM') AS m,
      max(invoice_date) AS invoice_date, max(billing_address_id COLLATE "C") AS adr,
      max(from_account_id COLLATE "C") FILTER (WHERE transaction_type LIKE 'SELLER_%') AS payer,
      coalesce(sum(amount) FILTER (WHERE transaction_type = 'SELLER_REV_SHARE'), 0) AS gross,
      coalesce(sum(amount) FILTER (WHERE transaction_type = 'AWS_REV_SHARE'), 0) AS fee,
      coalesce(sum(amount) FILTER (WHERE transaction_type = 'SELLER_REV_SHARE_REFUND'), 0) AS refund,
      coalesce(sum(amount) FILTER (WHERE transaction_type = 'AWS_REV_SHARE_REFUND'), 0) AS fee_refund,
      coalesce(sum(amount) FILTER (WHERE transaction_type IN ('SELLER_REV_SHARE', 'AWS_REV_SHARE', 'SELLER_REV_SHARE_REFUND',
        'AWS_REV_SHARE_REFUND', 'SELLER_REV_SHARE_CREDIT', 'AWS_REV_SHARE_CREDIT')), 0) AS net
    FROM ev WHERE action IN ('INVOICED', 'FORGIVEN') GROUP BY 1, 2, 3, 4, 5)
  SELECT pa.aws_account_id, country, state_or_region, city, postal_code, email_domain, product_code, title, round(gross, 2), round(fee, 2),
    round(refund, 2), round(fee_refund, 2), round(net, 2), currency, m, ref, payer, ua.aws_account_id,
    coalesce(paid.billing_address_id, n.adr, pa.mailing_address_id), usr, n.product_id
  FROM n
  LEFT JOIN acc pa ON pa.account_id = n.payer AND pa.begin_ <= n.invoice_date AND n.invoice_date < pa.until_
  LEFT JOIN acc ua ON ua.account_id = n.usr AND ua.begin_ <= n.invoice_date AND n.invoice_date < ua.until_
  LEFT JOIN paid ON paid.transaction_reference_id = n.ref AND paid.from_account_id = n.payer
  LEFT JOIN adr ON adr.address_id = coalesce(paid.billing_address_id, n.adr, pa.mailing_address_id) AND adr.aws_account_id = pa.aws_account_id
  LEFT JOIN prd ON prd.product_id = n.product_id
  WHERE net <> 0
) TO STDOUT (FORMAT csv);
