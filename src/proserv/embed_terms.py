#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the scanner's terms as C: embed_terms.py OUTPUT terms.txt offensive.txt

    embed_terms.py --update NODE_MODULES    takes newer lists of the npm packages cuss, naughty-words and @2toad/profanity
                                            into offensive.txt
"""
import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

LANGUAGES = ["en", "de", "fr", "es", "pt", "ja", "it", "nl"]
OPEN_BEFORE, OPEN_AFTER = 1, 2
ROOT = 5  # letters that forms of a word begin with

# Listed as offensive, but ordinary words of a trade, of medicine, names or animals: not reported.
ORDINARY = {
    "en": """anal anus beaner beaners boner butt butts chink cock cocks coon coons cornhole clitoris dick dink dinks dingleberry ejaculation
        flange hoes homo honkey hooker jap kum kummer kums muff negro orgasm pecker penis poof prick rectum retard semen sex snatch spic spunk tit tits
        titty twinkie cum cumming cums vagina viagra vulva bugger crap hore""",
    "de": """ass bimbo bonze fratze ische kimme lümmel mufti möpse nackt nippel orgasmus penis popel poppen reudig rosette schabracke schiesser
        schnackeln vögeln homo möse""",
    "fr": "bander bandes gueuler bite branler chatte chienne con cul gland gueule pipe pédale ramoner retard teuch tuyau homo",
    "es": """chupador chupasangre sopladores soplaguindas soplanucas mastuerzo orinar lamecharcos pinchauvas calientahielos chupacables maldición maldita
        asesinato asno bolas caca caliente chupada chupetón concha corrida culo heroína infierno maciza maldito martillo masturbación orina pedo pezón
        pinche pis polla pollas prostituta racista ramera semen senos sexo sádico travesti trio verga vulva homo idiota imbécil""",
    "pt": "anus bicha biscate burro clitoris corno pau pênis vagina veado xana ânus homo idiota",
    "it": """anale boiata boiate bordello cagna cagne casci cessa cesse cessi cesso chiappa chiappe cozza culo culi fava fave fessa fesse fessi fesso figo
        figone guardona guardone guardoni lofa marone maroni mona monata monate mussa musse mussi musso padulo palle pippa pippe pippetta pippone pistolotto pirla
        pomiciare porca porche porci porco potta prostituta rizzarsi sbattersi scopando scopare stronzio sborone terga tetta tette topa vacca vagina vulva imbecille pistola tromba trombi
        sbatte sbattendo sbattere sbattete sbatti sbattiamo sbatto sbattuta sbattute sbattuti sbattuto recchia picio soccia""",
    "nl": """afberen aflebberen afrossen aftrekken afwerkplaats afzuigen anita asbak aso balen bedonderen bekken belazeren besodemieteren beurt boemelen boerenpummel
        brugpieper buffelen del dombo draaikont drol drooggeiler eikel engerd flikken flikker gat gedoogzone griet gratenkut hol hufter huisdealer johny kanen
        kettingzeug klooien knor kont lummel mafketel matje mof muts naaien naakt nicht paal palen penoze pijpen pik poep poepen poot pot raaskallen reet remsporen
        reutelen schatje schoft slempen spuiten standje stootje sufferd tapijtnek toeter vergallen vingeren vleesroos watje welzijnsmafia wijf wippen zaadje
        zeiken zuigen zuiplap potverdorie wuftje snol rukken kloten klaarkomen""",
    "ja": """3p sm xx g-スポット いたずら しばり なめ ぽっちゃり やおい エクスタシー エスコート エッチ カント グロ コカイン スラット スリット ディック
        デブ トップレス ヌード ハードコア バック・スタイル パンティー ビッチ ファンタジー フィスト フック プレイボーイ ベアバック ラティーナ ラバー ランジェリー
        ローター 両刀 両性 両性具有 乳首 人妻 人種 剃毛 卍 噴出 変態 女の子 女子高生 女王様 女装 奴隷 嫌い 宦官 平手打ち 拷問 挿入 支配 正常位 殺し方 殺人事件
        殺人方法 毛深い 生殖器 直腸 糞 糞便 縛り 肛門 脱衣 膣 裸 覗き 誘惑 貞操帯 自己愛性 お尻 おしり オシリ おしりのあな 強姦犯 児童性虐待 売春婦 スウィンガー""",
}


def lists(modules):
    """Words by language of each of the three packages; cuss says how sure it is."""
    script = """
        const tt = require('@2toad/profanity/dist/data/profane-words.js').profaneWords;
        const out = { cuss: {}, naughty: {}, toad: {} };
        (async () => {
            for (const l of %s) {
                const sub = { en: 'cuss', es: 'cuss/es', fr: 'cuss/fr', pt: 'cuss/pt', it: 'cuss/it' }[l];
                out.cuss[l] = sub ? (await import(sub)).cuss : {};
                out.naughty[l] = require(`naughty-words/${l}.json`);
                out.toad[l] = (tt.get ? tt.get(l) : tt[l]) || [];
            }
            console.log(JSON.stringify(out));
        })();""" % json.dumps(LANGUAGES)
    return json.loads(subprocess.run(["node", "-e", script], cwd=modules, capture_output=True, text=True, check=True).stdout)


def plain(word):
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


def certain(found, language):
    """A word that two lists have, and the one that rates them is not unsure of; German, Dutch and Japanese have one list that is of
    use. Of French, Spanish, Portuguese and Italian also other forms of such words, which one list has: they begin alike."""
    naughty = {w.lower() for w in found["naughty"][language]}
    toad = {re.sub(r"^(les|des|le|la|un) ", "", w.lower()) for w in found["toad"][language]}
    cuss = {w.lower(): r for w, r in found["cuss"][language].items()}
    if language in ("de", "ja"):
        words = naughty
    elif language == "nl":  # its phrases mean something else, too
        words = {w for w in naughty if " " not in w}
    elif language == "en":
        words = {w for w, r in cuss.items() if (r == 2 and w in naughty | toad) or (r == 1 and w in naughty & toad)}
        words |= naughty & toad
    else:
        words = {w for w, r in cuss.items() if r >= 1 and w in naughty | toad}
        roots = {plain(w)[:ROOT] for w in words if len(w) >= ROOT}
        words |= {w for w in naughty | toad | set(cuss) if " " not in w and plain(w)[:ROOT] in roots}
    everywhere = naughty & toad & set(cuss) if language == "en" else set()
    ordinary = set(ORDINARY[language].split())
    if language not in ("de", "ja", "nl"):
        ordinary |= {plain(w) + end for w in ordinary for end in ("", "s", "es")}
    for w in sorted(words - ordinary):
        if re.search(r"[^\w '・-]", w) or len(w) < 3 - (language == "ja"):
            continue
        yield ("*" if w in everywhere else language), w


def update(modules):
    path = Path(__file__).with_name("offensive.txt")
    head = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    found = lists(modules)
    rows = [f"{l}\t{w}" for language in LANGUAGES for l, w in certain(found, language)]
    path.write_text("\n".join(head + rows) + "\n", encoding="utf-8")


def plurals(language, word):
    yield word
    if language in ("en", "fr", "es", "pt", "*") and not word.endswith("s"):
        yield word + "s"
    if language in ("en", "*") and not word.endswith(("ing", "ed", "er", "s", "y", "e")) and " " not in word:
        yield word + "ing"
    if language == "de":
        yield from (word + end for end in ("n", "e", "en", "s"))
    if language == "nl":
        yield word + "en"


def read_terms(path):
    cls = None
    for n, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if m := re.fullmatch(r"\[([A-Z]+)\]", line):
            cls = m.group(1)
            continue
        language, _, rest = line.partition(": ")
        if language not in LANGUAGES or cls is None:
            sys.exit(f"{path}:{n}: neither a class nor a language")
        for term in rest.split(" | "):
            term, *excluded = term.strip().split(" !")
            flags = (OPEN_BEFORE if term.startswith("*") else 0) | (OPEN_AFTER if term.endswith("*") else 0)
            term = term.strip("*").strip() if language != "ja" else term.strip("*")
            if not term:
                sys.exit(f"{path}:{n}: an empty term")
            yield term, flags, cls, language, excluded


def read_offensive(path):
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            language, word = line.split("\t")
            for w in plurals(language, word):
                flags = OPEN_BEFORE | OPEN_AFTER if language == "ja" else 0
                excluded = [l for l in LANGUAGES if language == "*" and w in ORDINARY[l].split()]
                yield w, flags, "OFFEND", language, excluded


def c_text(s):
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}" for b in s.encode()) + '"'


def bits(languages):
    return sum(1 << LANGUAGES.index(l) for l in languages)


def embed(out, terms, offensive):
    rows = {}
    for term, flags, cls, language, excluded in [*read_terms(terms), *read_offensive(offensive)]:
        everywhere = cls != "OFFEND" or language == "*"
        row = rows.setdefault((term, flags, cls if cls in ("OFFEND", "NEG") else "", everywhere), [set(), set(), set()])
        row[0].add(cls)
        row[1].update([language] if language != "*" else [])
        row[2].update(excluded)
    lines = ["/* SPDX-License-Identifier: Apache-2.0 */", "/* Made from terms.txt and offensive.txt by embed_terms.py. */",
             '#include "proserv/text_terms.h"', "", "const struct term terms[] = {"]
    for (term, flags, _, everywhere), (classes, languages, excluded) in sorted(rows.items()):
        mask = " | ".join(f"TERM({c})" for c in sorted(classes))
        where = bits(LANGUAGES) if everywhere else bits(languages)
        lines.append(f"\t{{ {c_text(term)}, {mask}, {where & ~bits(excluded)}, {bits(languages)}, {flags} }},")
    lines += ["};", f"const size_t n_terms = {len(rows)};", ""]
    Path(out).write_text("\n".join(lines), encoding="ascii")


if sys.argv[1] == "--update":
    update(sys.argv[2])
else:
    embed(*sys.argv[1:])
