/* SPDX-License-Identifier: Apache-2.0 */
/* The made-up names of made-up feeds. */
#include "feeds/make_int.h"

const struct make_place make_places[] = {
	{ "US", "WA", "Seattle", "98101", "Pike Street", "Puget \"Sound\" Logistics", "USD", false,
	    101, true },
	{ "US", "MA", "Boston", "02201", "Beacon Street", "Beacon Hill Analytics, Inc.", "USD",
	    false, 63, true },
	{ "US", "TX", "Austin", "78701", "Congress Avenue", "Lone Oak Systems", "USD", false, 83,
	    false },
	{ "US", "CO", "Boulder", "80302", "Pearl Street", "Flatiron Data", "USD", false, 89,
	    false },
	{ "US", "OR", "Portland", "97201", "Burnside Street", "Rose Quarter Media", "USD", false, 0,
	    false },
	{ "US", "NY", "New York", "10001", "Hudson Yards", "Ferry, Bridge & Tunnel", "USD", false,
	    89, false },
	{ "DE", "Nordrhein-Westfalen", "Köln", "50667", "Domstraße", "Müller & Söhne Werkzeugbau",
	    "EUR", true, 190, true },
	{ "FR", "Centre-Val de Loire", "Orléans", "45000", "Rue Royale", "Ateliers Lefèvre, Réunis",
	    "EUR", true, 200, true },
	{ "GB", "", "Leeds", "LS1 4AP", "Wellington Street", "Aire Valley Freight", "GBP", true, 0,
	    false },
	{ "JP", "大阪府", "大阪市", "530-0001", "梅田", "山田精機株式会社", "JPY", false, 0,
	    false },
	{ "AU", "NSW", "Sydney", "2000", "George Street", "Southern Cross Mining", "AUD", false, 0,
	    false },
	{ "BR", "SP", "São Paulo", "01000-000", "Avenida Paulista", "Construções Irmãos Leão",
	    "USD", false, 0, false },
	{ "IN", "महाराष्ट्र", "मुंबई", "400001", "Marine Drive", "आकाश सेवा", "USD", false, 0, false },
	{ "PL", "łódzkie", "Łódź", "90-001", "Piotrkowska", "Żółw Transport", "EUR", true, 0,
	    false },
};
const unsigned make_n_places = sizeof(make_places) / sizeof(make_places[0]);

const char *const make_currencies[] = { "USD", "EUR", "GBP", "JPY", "AUD" };

const char *const make_titles[] = { "Hardened Web Gateway", "Columnar Warehouse Appliance",
	"Log Search Cluster", "Fleet Observability", "Backup Vault Server",
	"Street Address Reference Data", "Churn Forecaster", "Migration Workshop, On Site",
	"Queue \"Rapid\" Broker", "Ledger Reconciliation", "Container Image Scanner",
	"Tag Compliance Bot" };
const unsigned make_n_titles = sizeof(make_titles) / sizeof(make_titles[0]);

const char *const make_manufacturers[MAKE_MANUFACTURERS] = { "Ostrava Datasystémy",
	"Blue Heron Labs", "Meridian Software" };
const char *const make_resellers[MAKE_RESELLERS] = { "Harbour Channel Partners", "Nordlicht Handel",
	"Cedar & Pine Resale", "Two Rivers Trading" };
