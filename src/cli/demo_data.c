/* SPDX-License-Identifier: Apache-2.0 */
/* See demo_data.h. */
#include "cli/demo_data.h"

const struct demo_place demo_places[] = {
	{ "DE", "Köln", "Nordrhein-Westfalen", "50667", "+49 221", "Müller & Söhne Werkzeugbau",
	    { "Jürgen", "Käthe", "Björn" }, { "Müller", "Weiß", "Grünwald" }, "Leiter IT" },
	{ "FR", "Orléans", "Centre-Val de Loire", "45000", "+33 2", "Ateliers Lefèvre, Réunis",
	    { "Zoë", "François", "Hélène" }, { "Lefèvre", "Béranger", "Noël" },
	    "Ingénieure système" },
	{ "US", "Seattle", "WA", "98101", "+1 206", "Puget \"Sound\" Logistics",
	    { "Ann", "José", "Siobhán" }, { "O'Neill", "Smith-Jones", "Nuñez" },
	    "Site Reliability Engineer" },
	{ "US", "Boston", "MA", "02201", "+1 617", "Beacon Hill Analytics, Inc.",
	    { "Maya", "Theo", "Renée" }, { "Whitman", "Ortiz", "D'Amico" }, "Director, Platform" },
	{ "JP", "大阪市", "大阪府", "530-0001", "+81 6", "山田精機株式会社",
	    { "太郎", "花子", "健" }, { "山田", "鈴木", "渡邉" }, "情報システム部長" },
	{ "CN", "上海", "上海", "200000", "+86 21", "明珠软件有限公司", { "芳", "伟", "秀英" },
	    { "王", "李", "欧阳" }, "运维工程师" },
	{ "KR", "부산", "부산광역시", "48058", "+82 51", "해운대 데이터",
	    { "민준", "서연", "지우" }, { "김", "이", "박" }, "인프라 팀장" },
	{ "GR", "Θεσσαλονίκη", "Κεντρική Μακεδονία", "54624", "+30 231", "Αιγαίο Ναυτιλιακή",
	    { "Νίκος", "Ελένη", "Γιώργος" }, { "Παπαδόπουλος", "Αλεξίου", "Μακρή" },
	    "Διαχειριστής" },
	{ "EG", "القاهرة", "القاهرة", "11511", "+20 2", "شركة النيل للنقل",
	    { "محمد", "ليلى", "يوسف" }, { "حسن", "إبراهيم", "منصور" }, "مدير الأنظمة" },
	{ "IN", "मुंबई", "महाराष्ट्र", "400001", "+91 22", "आकाश सेवा", { "आरव", "अनन्या", "विवान" },
	    { "शर्मा", "पटेल", "राव" }, "वास्तुकार" },
	{ "BR", "São Paulo", "SP", "01000-000", "+55 11", "Construções Irmãos Leão",
	    { "João", "Conceição", "Antônio" }, { "Gonçalves", "Araújo", "Simões" },
	    "Gerente de TI" },
	{ "PL", "Łódź", "łódzkie", "90-001", "+48 42", "Żółw Transport",
	    { "Łukasz", "Małgorzata", "Józef" }, { "Wójcik", "Żak", "Śliwa" }, "Administratorka" },
	{ "CZ", "Plzeň", "Plzeňský kraj", "301 00", "+420 377", "Dřevo Šumava",
	    { "Žaneta", "Jiří", "Ondřej" }, { "Dvořák", "Čech", "Říha" }, "Správce sítě" },
	{ "VN", "Đà Nẵng", "Đà Nẵng", "550000", "+84 236", "Biển Xanh Công Nghệ",
	    { "Thị Hương", "Đức", "Mỹ" }, { "Nguyễn", "Trần", "Phạm" }, "Kỹ sư vận hành" },
	{ "TR", "İzmir", "İzmir", "35210", "+90 232", "Çınar Yazılım",
	    { "Çağla", "İlker", "Gökçe" }, { "Yılmaz", "Şahin", "Öztürk" }, "Sistem yöneticisi" },
	{ "IS", "Reykjavík", "Höfuðborgarsvæðið", "101", "+354", "Norðurljós Gagnaver",
	    { "Þórdís", "Ægir", "Sigríður" }, { "Jónsdóttir", "Þórsson", "Önnudóttir" },
	    "Kerfisstjóri" },
};
const size_t demo_n_places = sizeof(demo_places) / sizeof(demo_places[0]);

#define BY_INSTANCE                                                                                \
	"[{\"key\":\"m5.large\",\"type\":\"metered\",\"name\":\"m5.large\","                       \
	"\"description\":\"An hour on m5.large\",\"unit\":\"Hrs\"}]"
#define BY_USER                                                                                    \
	"[{\"key\":\"users\",\"type\":\"metered\",\"name\":\"Users\","                             \
	"\"description\":\"A named user for an hour\",\"unit\":\"Users\"}]"

const struct demo_product demo_products[] = {
	{ "Hardened Web Gateway", "ami", "[\"hourly\",\"annual\"]", "hourly", 1, "m5.large", "0.35",
	    BY_INSTANCE },
	{ "Columnar Warehouse Appliance", "ami", "[\"annual\",\"monthly\"]", "annual", 1, NULL,
	    NULL, NULL },
	{ "Log Search Cluster", "container", "[\"hourly\",\"annual\"]", "hourly", 0, "m5.large",
	    "0.1275", BY_INSTANCE },
	{ "Fleet Observability", "saas", "[\"metered\",\"annual\"]", "metered", 0, "users", "0.02",
	    BY_USER },
	{ "Backup Vault Server", "ami", "[\"hourly\",\"annual\",\"byol\"]", "byol", 0, NULL, NULL,
	    NULL },
	{ "Street Address Reference Data", "data", "[\"contract\",\"annual\"]", "contract", 0, NULL,
	    NULL, NULL },
	{ "Churn Forecaster", "ml", "[\"hourly\",\"annual\"]", "hourly", 0, "m5.large", "1.5",
	    BY_INSTANCE },
	{ "Migration Workshop", "services", "[\"contract\"]", "contract", 0, NULL, NULL, NULL },
};
const size_t demo_n_products = sizeof(demo_products) / sizeof(demo_products[0]);

const char *const demo_sellers[] = { "Meridian Software", "Ostrava Datasystémy",
	"Blue Heron Labs" };
const size_t demo_n_sellers = sizeof(demo_sellers) / sizeof(demo_sellers[0]);

const char demo_plan[] =
    "{\n"
    "  \"schema\": \"souk-plan-1\",\n"
    "  \"name\": \"Field sales 2025\",\n"
    "  \"rounding\": { \"mode\": \"half-up\", \"decimals\": 2 },\n"
    "  \"representatives\": [\n"
    "    { \"id\": \"ana\", \"name\": \"Ana Example\", \"team\": \"field\", \"manager\": \"mia\" "
    "},\n"
    "    { \"id\": \"ben\", \"name\": \"Ben Example\", \"team\": \"field\", \"manager\": \"mia\" "
    "},\n"
    "    { \"id\": \"mia\", \"name\": \"Mia Example\" }\n"
    "  ],\n"
    "  \"territories\": [\n"
    "    { \"id\": \"washington\", \"geography\": [ { \"country\": \"US\", \"state\": \"WA\" } ],\n"
    "      \"credits\": [ { \"representative\": \"ana\", \"percent\": 60 }, { \"representative\": "
    "\"ben\", \"percent\": 40 } ] },\n"
    "    { \"id\": \"us\", \"geography\": [ { \"country\": \"US\" } ],\n"
    "      \"credits\": [ { \"representative\": \"ana\", \"percent\": 100 } ] },\n"
    "    { \"id\": \"europe\", \"geography\": [ { \"country\": \"DE\" }, { \"country\": \"FR\" }, "
    "{ \"country\": \"GB\" } ],\n"
    "      \"credits\": [ { \"representative\": \"ben\", \"percent\": 100 } ] }\n"
    "  ],\n"
    "  \"overlays\": [\n"
    "    { \"id\": \"lead\", \"everything\": true, \"credits\": [ { \"representative\": \"mia\", "
    "\"percent\": 100 } ] }\n"
    "  ],\n"
    "  \"rates\": [\n"
    "    { \"id\": \"dollars\", \"teams\": [\"field\"], \"revenue\": [\"hourly\", \"monthly\", "
    "\"annual\", \"metered\"], \"currency\": \"USD\",\n"
    "      \"base\": \"gross\", \"payOn\": \"billed\", \"over\": \"quarter\",\n"
    "      \"tiers\": [ { \"above\": \"0\", \"percent\": \"5\" }, { \"above\": \"20000\", "
    "\"percent\": \"8\" } ],\n"
    "      \"clawback\": [\"refunds\", \"credits\", \"forgiven\"] },\n"
    "    { \"id\": \"others\", \"teams\": [\"field\"], \"revenue\": [\"hourly\", \"monthly\", "
    "\"annual\", \"metered\"],\n"
    "      \"base\": \"gross\", \"payOn\": \"billed\", \"percent\": \"5\", \"clawback\": "
    "[\"refunds\", \"credits\", \"forgiven\"] },\n"
    "    { \"id\": \"lead\", \"representatives\": [\"mia\"], \"revenue\": [\"hourly\", "
    "\"monthly\", \"annual\", \"metered\"],\n"
    "      \"base\": \"net\", \"payOn\": \"disbursed\", \"percent\": \"1\", \"clawback\": "
    "[\"refunds\", \"credits\", \"forgiven\"] }\n"
    "  ]\n"
    "}\n";
