"""What a poor review complains of: by the topics ticked, and by words of its text in English, German, French and Spanish.

    text, at most `TEXT_READ_MAX` characters → folded: lower case, no accents, words of letters only
    1. the longest entries of the list first; a word counts once, for the entry that takes it
    2. an adjective of price that is denied within two words before it ("gar nicht teuer", "pas cher") does not count
    3. → the families that are named

What it can do: tell of which of four things a complaint speaks, if it uses one of the usual words. What it cannot: understand. Irony, other
languages, misspelt or roundabout complaints ("four calls, four stories") pass it by, and a word may stand for something else. So
only poor reviews are read: who praises the price says "price" as well. The text is from strangers: it is counted, never kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from streams.events import Review

TEXT_READ_MAX: Final = 2_000
"""Characters of a text that are read: who complains does not wait for page two, and no text may cost more than this."""

POOR_STARS: Final = 3.0
"""A rating up to here is poor, as is an answer up to `POOR_NPS` to a survey (the net promoter score's detractors)."""
POOR_NPS: Final = 6.0

DENIED_WITHIN: Final = 2

_LISTED: Final[dict[str, str]] = {
    "price": """
        price* pricing expensive overpriced pricey unaffordable rip-off costly discount* fee fees surcharge* too-much-money not-worth
        worth-the-money bill billed overcharged
        preis* teuer* uberteuert* verteuert* wucher abzocke gebuhr* rabatt* zu-viel-geld fur-das-geld rechnung
        prix cher chere cheres trop-paye augmentation* promotion* frais surfacture* hors-de-prix facture arnaque*
        rapport-qualite-prix preis-leistung* relacion-calidad-precio value-for-money
        precio* caro cara caros caras descuento* sobreprecio* comisiones lo-que-cuesta no-vale factura
    """,
    "service": """
        service support helpdesk hotline staff delivery deliver* parcel package courier shipping shipment rude unhelpful late delayed delay*
        waited waiting no-answer no-reply no-response never-answered never-replied customer-service unanswered
        kundendienst kundenservice kundenbetreuung hotline warteschleife lieferung* geliefert versand paket verspatet* zu-spat unfreundlich*
        mitarbeiter warte* wartezeit antwort* unzustandig
        service-client livraison* livre livreur colis retard* attente attendu attends reponse* repond* impoli* injoignable accueil
        servicio atencion entrega* envio* paquete tarde retras* esperando espera contesta* respuesta* maleducad* trataron
    """,
    "product": """
        broke broken broken-down defect* faulty quality damaged fell-apart came-apart stopped-working does-not-work doesn-t-work flimsy
        send-it-back sent-it-back returned unusable useless
        kaputt* defekt* qualitat* beschadigt* mangelhaft* minderwertig* zuruckgeschickt zuruckgesendet reklam* funktioniert-nicht unbrauchbar*
        casse* defectueu* qualite abime* renvoye* endommage* ne-fonctionne ne-marche inutilisable*
        roto rota rompio defectuos* calidad danad* devolver* devuelto no-funciona estropead* inservible*
    """,
    "competition": """
        competitor* competition elsewhere rival rivals switching switch-to switched-to another-shop another-store another-provider
        another-company another-brand other-shops move-on moving-on better-offer
        konkurrenz* mitbewerber* woanders anderswo gewechselt wechsle wechseln anderen-anbieter* anderer-anbieter anderen-shop
        concurren* ailleurs autre-site autre-magasin autre-boutique autre-enseigne autre-fournisseur
        competencia competidor* otra-tienda otro-sitio otro-lado otra-parte otro-proveedor otra-marca me-cambio
    """,
}
_PRICE_ADJECTIVES: Final = frozenset(("expensive", "pricey", "costly", "teuer", "cher", "chere", "caro", "cara"))
_DENIALS: Final = frozenset(
    ("not", "no", "never", "isn", "nicht", "kein", "keineswegs", "pas", "jamais", "nada", "nunca")
)
_WORD: Final = re.compile(r"[^\W\d_]+")
_LETTERS: Final = {"ß": "ss", "œ": "oe", "æ": "ae", "ø": "o"}

_KEY: Final = 4

Entry = tuple[str, ...]


def _entries() -> dict[str, list[tuple[Entry, str]]]:
    """Entries by the first four letters of their first word, the longest first."""
    found: dict[str, list[tuple[Entry, str]]] = {}
    for family, listed in _LISTED.items():
        for entry in listed.split():
            words = tuple(entry.split("-"))
            found.setdefault(words[0].rstrip("*")[:_KEY], []).append((words, family))
    for entries in found.values():
        entries.sort(key=lambda item: (-len(item[0]), item[0]))
    return found


_BY_KEY: Final = _entries()


def named_in(text: str) -> frozenset[str]:
    """Return the families of which the words of a text speak.

    >>> sorted(named_in("Trop CHER, et le service client ne répond jamais !"))
    ['price', 'service']
    >>> named_in("Gar nicht teuer."), named_in("Four calls, four different stories.")
    (frozenset(), frozenset())
    """
    words = list(_words(text[:TEXT_READ_MAX]))
    named: set[str] = set()
    place = 0
    while place < len(words):
        taken, family = _match(words, place)
        if family is not None:
            named.add(family)
        place += taken
    return frozenset(named)


def complaints_of(review: Review) -> frozenset[str] | None:
    """Return the families that a poor review complains of, perhaps none; None where the review is not poor."""
    poor = (review.rating is not None and review.rating <= POOR_STARS) or (
        review.nps is not None and review.nps <= POOR_NPS
    )
    if not poor:
        return None
    named = {_FAMILY_OF_TOPIC[topic] for topic in review.topics or () if topic in _FAMILY_OF_TOPIC}
    if review.text:
        named |= named_in(review.text)
    return frozenset(named)


_FAMILY_OF_TOPIC: Final = {"price": "price", "service": "service", "delivery": "service", "product": "product"}


def _words(text: str) -> Iterator[str]:
    folded = text.casefold()
    for letter, plain in _LETTERS.items():
        folded = folded.replace(letter, plain)
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(sign))
    return (found.group() for found in _WORD.finditer(plain))


def _match(words: list[str], place: int) -> tuple[int, str | None]:
    """Return how many words the entry that begins at `place` takes, and its family; one and None where none does."""
    for entry, family in _BY_KEY.get(words[place][:_KEY], ()):
        if all(map(_is, entry, words[place : place + len(entry)])) and place + len(entry) <= len(words):
            denied = entry[0].rstrip("*") in _PRICE_ADJECTIVES and not _DENIALS.isdisjoint(
                words[max(place - DENIED_WITHIN, 0) : place]
            )
            return len(entry), None if denied else family
    return 1, None


def _is(entry: str, word: str) -> bool:
    return word.startswith(entry[:-1]) if entry.endswith("*") else word == entry
