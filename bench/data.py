# SPDX-License-Identifier: Apache-2.0
"""Makes up a marketplace of any size as files for `souk import`, the same for the same size.

One seller owns all contacts; five contacts to a subscription; the subscriptions of the first
buyers belong to the demo's buyers, who have tokens. Text is what people enter: some not ASCII,
some with quotes and commas, a third without the optional fields.
"""
import csv
import random
import uuid

PRODUCTS = 20
PER_SUBSCRIPTION = 5
SUBSCRIPTIONS_PER_BUYER = 10
FIRST = 1704067200000          # 2024-01-01: contacts come in over the year after it
GIVEN = ["Jane", "Richard", "Zoë", "Martha", "Ángel", "太郎"]
SURNAME = ["Roe", "Miles", "Núñez", "O'Neil", "Smith", "山田"]


def _ids(seed):
    r = random.Random(seed)
    while True:
        yield str(uuid.UUID(int=r.getrandbits(128), version=4))


def instant(ms):
    days, ms = divmod(ms, 86400000)
    # civil date of a day number, as everybody computes it
    z = days + 719468
    era, doe = divmod(z, 146097)
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    day, month = doy - (153 * mp + 2) // 5 + 1, mp + 3 if mp < 10 else mp - 9
    year = yoe + era * 400 + (month <= 2)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ" % (
        year, month, day, ms // 3600000, ms // 60000 % 60, ms // 1000 % 60, ms % 1000)


def _write(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as f:
        w = csv.writer(f)
        w.writerow(header)
        w.writerows(rows)


def _buyer(i, demo_buyers):
    return demo_buyers[i] if i < len(demo_buyers) else "%012d" % (300000000 + i)


def person(i):
    """The eight members of contact i, in the order of the file."""
    full = i % 3 != 0
    return ("Example Systems %d" % (i // 7) if i % 20 else '"Labs", Inc. %d' % i,
            GIVEN[i % 6], SURNAME[i // 6 % 6], "+1 206 555 %04d" % (i % 10000),
            "person%d@buyer%d.example" % (i, i // 9),
            "Senior Systems Engineer" if full else "", "US" if full else "",
            "%05d" % (i % 100000) if full else "")


def make(folder, n, seller, demo_buyers, number=0):
    """Writes accounts.csv, products.csv, subscriptions.csv and contacts.csv; returns what belongs
    to the demo's buyers as [(buyer, subscription, [contact, ...]), ...]. With another number, other
    ids: the sellers of one marketplace have theirs, the buyers are the same."""
    subs = n // PER_SUBSCRIPTION
    buyers = (subs + SUBSCRIPTIONS_PER_BUYER - 1) // SUBSCRIPTIONS_PER_BUYER
    product_ids, sub_ids, contact_ids = (_ids(kind + (f" {number}" if number else ""))
                                         for kind in ("products", "subscriptions", "contacts"))
    products = [next(product_ids) for _ in range(PRODUCTS)]
    contacts = [next(contact_ids) for _ in range(n)]
    _write(folder / "accounts.csv", ["accountId", "name", "buyer", "country"],
           [[_buyer(i, demo_buyers), "Example Buyer %d" % i, "true", "US"]
            for i in range(len(demo_buyers), buyers)])
    _write(folder / "products.csv",
           ["productId", "sellerId", "productCode", "title", "type", "pricing",
            "supportEmail", "pscEnabled", "state"],
           [[p, seller, "bench" + "%020d" % (number * PRODUCTS + i), "Bench %d" % i, "ami", "monthly|annual",
             "support@seller.example", "true", "public"]
            for i, p in enumerate(products)])
    subscriptions = [next(sub_ids) for _ in range(subs)]
    owned, rows = [], []
    for i, s in enumerate(subscriptions):
        buyer = _buyer(i // SUBSCRIPTIONS_PER_BUYER, demo_buyers)
        if buyer in demo_buyers:
            owned.append((buyer, s, contacts[i * PER_SUBSCRIPTION:(i + 1) * PER_SUBSCRIPTION]))
        rows.append([s, seller, products[i % PRODUCTS], buyer, "annual", 1, instant(FIRST - i % 700 * 86400000)])
    _write(folder / "subscriptions.csv",
           ["subscriptionId", "sellerId", "productId", "buyerId", "kind", "quantity", "startsAt"], rows)
    step = 30000000000 // n  # over a year, whatever the number
    _write(folder / "contacts.csv",
           ["subscriptionId", "contactId", "createdAt", "organization", "givenName", "surname",
            "telephoneNumber", "emailAddress", "title", "countryCode", "zipCode"],
           ([subscriptions[i // PER_SUBSCRIPTION], contacts[i], instant(FIRST + i * step), *person(i)]
            for i in range(n)))
    return owned
