"""Languages beside English: their stop words and words of time; stems by the package snowballstemmer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from memrepo.domain.checks import check_name
from memrepo.errors import InvalidInputError, UsageError
from memrepo.ranking.language import Language

__all__ = ["language"]

#: Stems that are kept for each language, because a stemmer in pure Python takes some 20 us a word.
_MOST_STEMS: Final = 50_000


def language(name: str) -> Language:
    """
    Return what a search knows of a language beside English, for ``connect(search=...)``.

    Stems are those of Snowball. Stop words and words of time are known of ``french``, ``german``, ``italian``,
    ``portuguese`` and ``spanish``; for any other, `attrs.evolve` can add them.

    Args:
        name: As Snowball has it: ``"german"``, ``"spanish"``, ``"russian"``.

    Raises:
        InvalidInputError: The package has no stemmer of this name.
        UsageError: The package snowballstemmer is not installed: ``pip install memrepo[languages]``.

    Source:
        https://snowballstem.org/algorithms/
    """
    check_name("name", name)
    try:
        module: Any = import_module("snowballstemmer")
    except ImportError as error:
        raise UsageError("this needs snowballstemmer: pip install 'memrepo[languages]'") from error
    known = module.algorithms()
    if name not in known:
        raise InvalidInputError("name", f"must be one of {', '.join(sorted(known))}")
    words = _WORDS.get(name, {})

    def of(field: str) -> list[str]:
        return words.get(field, "").split()

    return Language(
        stem=_stemmer(module, name),
        stop_words=frozenset(of("stop_words")),
        first_person=frozenset(of("first_person")),
        months=tuple(of("months")),
        when=frozenset(of("when")),
        time_words=frozenset(of("time_words") + of("months")),
    )


def _stemmer(module: Any, name: str) -> Callable[[str], str]:
    @lru_cache(maxsize=_MOST_STEMS)
    def stem(token: str) -> str:
        # One for each word: it keeps the word that it works at, and other threads may ask, too.
        return str(module.stemmer(name).stemWord(token))

    return stem


_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "french": {
        "stop_words": """
            a ai ainsi alors as au aussi autre aux avaient avais avait avec avez avons c ce cela ces cet cette chez comme
            comment d dans de des donc dont du elle elles en entre es est et étaient étais était êtes été être eu eux
            fait font fut il ils j je l la le les leur leurs lui m ma mais me même mes moi mon n ne nos notre nous on
            ont ou où par pas plus pour pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se sera ses
            si son sont sous suis sur t ta te tes toi ton tous tout toute toutes très tu un une vos votre vous y
        """,
        "first_person": "je j me m moi mon ma mes",
        "months": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "when": "quand",
        "time_words": """
            hier demain aujourd jour jours semaine semaines mois an ans année années dernier dernière prochain
            prochaine lundi mardi mercredi jeudi vendredi samedi dimanche matin soir nuit récemment
        """,
    },
    "german": {
        "stop_words": """
            ab aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis bist da damit
            dann das dass daß dein deine deinem deinen deiner dem den denn der deren des dessen dich die dies diese
            diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines er es euch euer eure
            für gegen gewesen gibt hab habe haben hat hatte hatten hier hin ich ihm ihn ihnen ihr ihre ihrem ihren ihrer
            im in ins ist ja jede jedem jeden jeder jedes kann kein keine keinem keinen keiner können könnte man manche
            mein meine meinem meinen meiner mich mir mit muss müssen nach nicht noch nun nur ob oder ohne sehr sein
            seine seinem seinen seiner seit sich sie sind so soll sollte sondern über um und uns unser unsere unter vom
            von vor wann war waren warum was weil welche welchem welchen welcher welches wem wen wenn wer werde werden
            wessen wie wieder will wir wird wo woher wohin wollen worden wurde wurden würde zu zum zur zwischen
        """,
        "first_person": "ich mich mir mein meine meinem meinen meiner",
        "months": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "when": "wann",
        "time_words": """
            gestern vorgestern heute morgen übermorgen Tag Tage Tagen Woche Wochen Monat Monate Monaten Jahr Jahre
            Jahren letzte letzten letzter letztes nächste nächsten nächster nächstes Montag Dienstag Mittwoch
            Donnerstag Freitag Samstag Sonnabend Sonntag Wochenende Abend Nacht neulich kürzlich
        """,
    },
    "italian": {
        "stop_words": """
            a abbiamo ad agli ai al alla alle allo anche avere aveva avevano c che chi ci cioè ciò come con cosa cui d da
            dagli dai dal dalla dalle dallo degli dei del della delle dello dentro di dove e è ed era erano essere fa
            fra gli ha hai hanno ho i il in io l la le lei lo loro lui ma me mi mia mie miei mio ne nei nel nella nelle
            nello no noi non nostra nostro o per perché più quale quali quando quella quelle quelli quello questa
            queste questi questo se sei si sia siamo siete sono sta stata stato su sua sue sugli sui sul sulla suo suoi
            te ti tra tu tua tue tuo tuoi un una uno vi voi vostra vostro
        """,
        "first_person": "io me mi mio mia miei mie",
        "months": """
            gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
        """,
        "when": "quando",
        "time_words": """
            ieri domani oggi giorno giorni settimana settimane mese mesi anno anni scorso scorsa prossimo prossima
            lunedì martedì mercoledì giovedì venerdì sabato domenica mattina sera notte recentemente
        """,
    },
    "portuguese": {
        "stop_words": """
            a à ao aos aquela aquele aqueles aquilo as às até com como da das de dela dele deles depois do dos e é ela elas
            ele eles em entre era eram essa esse esta está estão este eu foi for foram há isso isto já la lhe lhes lo
            mais mas me mesmo mim meu meus minha minhas muito na não nas nem no nos nós nossa nosso num numa o onde os ou
            para pela pelas pelo pelos por porque qual quais quando que quem são se seja sem ser será seu seus só sua
            suas também te tem têm tenho teu tinha tu tua um uma você vocês
        """,
        "first_person": "eu me mim meu meus minha minhas",
        "months": """
            janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro
        """,
        "when": "quando",
        "time_words": """
            ontem amanhã hoje dia dias semana semanas mês meses ano anos passado passada próximo próxima segunda
            terça quarta quinta sexta sábado domingo manhã noite recentemente
        """,
    },
    "spanish": {
        "stop_words": """
            a al algo algunas algunos ante antes aquel aquella como cómo con contra cual cuál cuáles cuando cuándo de del
            desde donde dónde durante e el él ella ellas ellos en entre era eran eres es esa esas ese eso esos esta está
            están estas este esto estos fue fueron ha había habían han has hasta hay he la las le les lo los me mi mí mis
            muy nada ni no nos nosotros nuestra nuestro o os otra otras otro otros para pero poco por porque qué que quien
            quién quiénes se sea ser si sí sido sin sobre son soy su sus también te tiene tienen tu tú tus un una unas uno
            unos usted y ya yo
        """,
        "first_person": "yo me mí mi mis",
        "months": """
            enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
        """,
        "when": "cuándo",
        "time_words": """
            ayer anteayer mañana hoy día días semana semanas mes meses año años pasado pasada próximo próxima lunes
            martes miércoles jueves viernes sábado domingo noche recientemente
        """,
    },
}
