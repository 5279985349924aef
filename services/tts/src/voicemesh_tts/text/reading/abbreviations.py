"""Abbreviations that engines read letter by letter, written out, by language.

Only those with one meaning wherever they stand; what is left goes to the engine.
"""

# ruff: noqa: RUF001 - words of other alphabets
from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voicemesh_tts.text.traced import Replacement, Rule

__all__ = ("abbreviation_rules", "abbreviations")

_EN = """
    Mr.=Mister | Mrs.=Missus | Ms.=Miz | Dr.=Doctor | Prof.=Professor | Sgt.=Sergeant
    Lt.=Lieutenant
    Capt.=Captain | Col.=Colonel | Gen.=General | Sen.=Senator | Rep.=Representative | Gov.=Governor
    Rev.=Reverend | Hon.=Honorable | Jr.=Junior | Sr.=Senior | St.=Saint | Mt.=Mount
    e.g.=for example | i.e.=that is | etc.=et cetera | vs.=versus | vs=versus
    approx.=approximately
    dept.=department | resp.=respectively | incl.=including | excl.=excluding | avg.=average
    max.=maximum | min.=minimum | a.k.a.=also known as | w/o=without | w/=with
    btw=by the way | imo=in my opinion | imho=in my humble opinion | idk=I don't know
    tbh=to be honest | afaik=as far as I know | iirc=if I recall correctly | ngl=not gonna lie
"""
# Other languages follow.
_DE = """
    Dr.=Doktor | Prof.=Professor | Hr.=Herr | Fr.=Frau | St.=Sankt | Nr.=Nummer | Str.=Straße
    z. B.=zum Beispiel | z.B.=zum Beispiel | d. h.=das heißt | d.h.=das heißt | u. a.=unter anderem
    u.a.=unter anderem | usw.=und so weiter | bzw.=beziehungsweise | ca.=circa | evtl.=eventuell
    ggf.=gegebenenfalls | inkl.=inklusive | exkl.=exklusive | vgl.=vergleiche | z. T.=zum Teil
    z.T.=zum Teil | i. d. R.=in der Regel | i.d.R.=in der Regel | u. U.=unter Umständen
    etc.=et cetera | Mio.=Millionen | Mrd.=Milliarden | Tel.=Telefon | Std.=Stunden | Min.=Minuten
    max.=maximal | min.=minimal | sog.=sogenannte | Jh.=Jahrhundert | v. Chr.=vor Christus
    n. Chr.=nach Christus
"""
_FR = """
    M.=Monsieur | MM.=Messieurs | Mme=Madame | Mmes=Mesdames | Mlle=Mademoiselle | Dr=Docteur
    Pr=Professeur | etc.=et cetera | p. ex.=par exemple | p.ex.=par exemple | c.-à-d.=c'est-à-dire
    env.=environ | n°=numéro | av. J.-C.=avant Jésus-Christ | apr. J.-C.=après Jésus-Christ
    Ste=Sainte | tél.=téléphone
"""
_ES = """
    Sr.=señor | Sra.=señora | Srta.=señorita | Sres.=señores | Dr.=doctor | Dra.=doctora
    Prof.=profesor | Ud.=usted | Uds.=ustedes | Vd.=usted | p. ej.=por ejemplo | p.ej.=por ejemplo
    etc.=etcétera | EE. UU.=Estados Unidos | EE.UU.=Estados Unidos | núm.=número | n.º=número
    pág.=página | págs.=páginas | aprox.=aproximadamente | tel.=teléfono | a. C.=antes de Cristo
    d. C.=después de Cristo
"""
_IT = """
    Sig.=signor | Sig.ra=signora | Sigg.=signori | Dott.=dottor | Dott.ssa=dottoressa
    Prof.=professor | Prof.ssa=professoressa | ecc.=eccetera | p. es.=per esempio
    p.es.=per esempio | ad es.=ad esempio | pag.=pagina | tel.=telefono | ca.=circa
    a.C.=avanti Cristo | d.C.=dopo Cristo
"""
_PT = """
    Sr.=senhor | Sra.=senhora | Dr.=doutor | Dra.=doutora | Prof.=professor | Profa.=professora
    p. ex.=por exemplo | p.ex.=por exemplo | etc.=et cetera | n.º=número | nº=número | pág.=página
    tel.=telefone | aprox.=aproximadamente | a.C.=antes de Cristo | d.C.=depois de Cristo
"""
_NL = """
    dhr.=de heer | mevr.=mevrouw | mw.=mevrouw | dr.=doctor | prof.=professor | bijv.=bijvoorbeeld
    bv.=bijvoorbeeld | d.w.z.=dat wil zeggen | enz.=enzovoort | m.a.w.=met andere woorden
    o.a.=onder andere | ca.=circa | nr.=nummer | i.p.v.=in plaats van | t.o.v.=ten opzichte van
    a.u.b.=alstublieft | s.v.p.=alsjeblieft
"""
_SV = """
    t.ex.=till exempel | t. ex.=till exempel | bl.a.=bland annat | bl. a.=bland annat
    osv.=och så vidare | o.s.v.=och så vidare | d.v.s.=det vill säga | dvs.=det vill säga
    m.m.=med mera | ca=cirka | nr=nummer | kl.=klockan
"""
_DA = """
    f.eks.=for eksempel | bl.a.=blandt andet | osv.=og så videre | dvs.=det vil sige
    mv.=med videre
    ca.=cirka | nr.=nummer | kl.=klokken
"""
_NO = """
    f.eks.=for eksempel | bl.a.=blant annet | osv.=og så videre | dvs.=det vil si | mv.=med videre
    ca.=cirka | nr.=nummer | kl.=klokken
"""
_PL = """
    np.=na przykład | itd.=i tak dalej | itp.=i tym podobne | tzn.=to znaczy | tzw.=tak zwany
    m.in.=między innymi | ok.=około | godz.=godzina | nr=numer | dr=doktor | prof.=profesor
    ul.=ulica | św.=święty
"""
_RU = """
    т. е.=то есть | т.е.=то есть | и т. д.=и так далее | и т.д.=и так далее
    и т. п.=и тому подобное
    и т.п.=и тому подобное | т. к.=так как | т.к.=так как | напр.=например | др.=другие
    тыс.=тысяч | млн=миллионов | млрд=миллиардов | руб.=рублей | ул.=улица
"""
# English again.
_TABLES = {
    "en": _EN,
    "de": _DE,
    "fr": _FR,
    "es": _ES,
    "it": _IT,
    "pt": _PT,
    "nl": _NL,
    "sv": _SV,
    "da": _DA,
    "no": _NO,
    "pl": _PL,
    "ru": _RU,
}
# Other languages follow.
_BEFORE_NUMBERS = {
    "en": "No.=number | Nos.=numbers | Fig.=figure | Figs.=figures | p.=page | pp.=pages"
    " | vol.=volume | Vol.=volume | ch.=chapter | Ch.=chapter | Sec.=section",
    "de": "S.=Seite | Abb.=Abbildung | Kap.=Kapitel | Bd.=Band",
    "fr": "p.=page | fig.=figure | chap.=chapitre",
    "it": "n.=numero | p.=pagina",
}
# English again.
_TITLES = frozenset(
    {"St.", "Mt.", "M.", "Mr.", "Dr.", "Sr.", "Gen.", "Col.", "Sen.", "Rep.", "Ste"}
)
"""Those that are titles only if a name follows."""


# Other languages follow.
_LAST = frozenset(["etc.", "usw.", "ecc.", "enz.", "osv.", "o.s.v.", "m.m.", "mv.", "itd.", "itp."])
# English again.
"""Those that stand at the end of a list, and so may end the sentence."""


def abbreviations(language: str) -> Mapping[str, str]:
    """What is written out for each abbreviation of a language (ISO 639)."""
    return _parsed(_TABLES.get(language, ""))


def abbreviation_rules(language: str) -> list[Rule]:
    """Rules that write a language's abbreviations out."""
    rules: list[Rule] = []
    counted = _parsed(_BEFORE_NUMBERS.get(language, ""))
    if counted:
        words = _alternatives(counted)
        rules.append((re.compile(rf"(?<![\w.])({words})(?= ?\d)"), lambda match: counted[match[1]]))
    if language == "ru":
        rules.append((re.compile(r"(?<=\d{4}[ \u00a0])г\.?(?!\w)"), "года"))
    table = abbreviations(language)
    if table:
        found = re.compile(rf"(?<![\w.@/])({_alternatives(table)})(?![\w@/])")
        rules.append((found, lambda match: _written_out(match, table)))
    return rules


def _written_out(match: re.Match[str], table: Mapping[str, str]) -> Replacement | None:
    short, rest = match[1], match.string[match.end() :].lstrip()
    # At the end of a sentence the full stop is the sentence's as well.
    ends = not rest or (short in _LAST and rest[0].isupper())
    ending = "." if short.endswith(".") and ends else ""
    if short in _TITLES and not rest[:1].isupper():
        return f"Street{ending}" if table[short] == "Saint" else None
    return table[short] + ending


def _alternatives(table: Mapping[str, str]) -> str:
    return "|".join(re.escape(short) for short in sorted(table, key=len, reverse=True))


def _parsed(table: str) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in re.split(r"[|\n]", table) if entry.strip())
    return {short.strip(): words.strip() for short, _, words in pairs}
