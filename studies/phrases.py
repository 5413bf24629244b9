"""What customers of the synthetic population write in reviews, in four languages.

Written without looking at the product's list of words, as people write: some say it outright, some beat about the bush, and some
praise with the words that others complain with.
"""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = ("en", "de", "fr", "es")

COMPLAINTS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "price": {
        "en": (
            "It has become far too expensive for what it is.",
            "Another price increase this spring. I can not justify that any more.",
            "Since the discounts ended I have to think twice about every order.",
            "Honestly not worth the money these days.",
            "The bill was higher than what the page said, and nobody minds.",
            "I used to get more for less here.",
        ),
        "de": (
            "Inzwischen einfach zu teuer.",
            "Schon wieder eine Preiserhöhung, das mache ich nicht mehr lange mit.",
            "Das Preis-Leistungs-Verhältnis stimmt nicht mehr.",
            "Früher gab es wenigstens Rabatte für Stammkunden.",
            "Auf der Rechnung standen dann noch Gebühren.",
            "Für das Geld erwarte ich mehr.",
        ),
        "fr": (
            "C'est devenu beaucoup trop cher.",
            "Encore une augmentation des prix, c'est décevant.",
            "Plus aucune promotion depuis des mois.",
            "Le rapport qualité-prix n'y est plus.",
            "Mon budget ne suit plus.",
        ),
        "es": (
            "Se ha vuelto demasiado caro.",
            "Otra subida de precios y sin avisar.",
            "Ya no hay descuentos para los clientes de siempre.",
            "No vale lo que cuesta.",
            "Con lo que pago aquí esperaba otra cosa.",
        ),
    },
    "service": {
        "en": (
            "Customer service never answered my mails.",
            "I waited three weeks for the delivery and nobody could tell me where it was.",
            "Support was rude and passed me from one to the next.",
            "The parcel arrived late again.",
            "Four calls, four different stories.",
        ),
        "de": (
            "Der Kundendienst antwortet einfach nicht.",
            "Die Lieferung kam drei Wochen zu spät.",
            "Unfreundliche Mitarbeiter an der Hotline, ewige Warteschleife.",
            "Niemand fühlt sich zuständig.",
            "Auf eine Antwort warte ich heute noch.",
        ),
        "fr": (
            "Le service client ne répond jamais.",
            "Livraison en retard, encore une fois.",
            "Trois semaines d'attente et aucune réponse.",
            "Le colis n'est jamais arrivé.",
            "On m'a fait tourner en rond.",
        ),
        "es": (
            "El servicio de atención al cliente no contesta.",
            "El pedido llegó tarde y nadie se hizo responsable.",
            "Llevo semanas esperando una respuesta.",
            "Mala atención, me trataron fatal.",
            "Nadie sabe nada de mi paquete.",
        ),
    },
    "product": {
        "en": (
            "It broke after two days.",
            "Poor quality, the seams came apart.",
            "Nothing like the picture, I had to send it back.",
            "The second one was defective as well.",
            "It simply does not do what it should.",
        ),
        "de": (
            "Nach zwei Tagen kaputt.",
            "Schlechte Qualität, die Nähte lösen sich.",
            "Die Ware war beschädigt, ich habe sie zurückgeschickt.",
            "Sieht ganz anders aus als auf dem Bild.",
            "Hält keine Woche.",
        ),
        "fr": (
            "Cassé au bout de deux jours.",
            "Très mauvaise qualité.",
            "Article défectueux, je l'ai renvoyé.",
            "Rien à voir avec la photo.",
            "La couleur part au premier lavage.",
        ),
        "es": (
            "Se rompió a los dos días.",
            "Muy mala calidad, una decepción.",
            "Llegó defectuoso y tuve que devolverlo.",
            "No se parece en nada a la foto.",
            "Al primer lavado se quedó en nada.",
        ),
    },
    "competition": {
        "en": (
            "I found the same thing cheaper elsewhere.",
            "Switching to another shop, they have a better app.",
            "A competitor of yours delivers the next day.",
            "Time to move on, others do this better by now.",
            "My sister showed me where she buys. Well.",
        ),
        "de": (
            "Bei der Konkurrenz bekomme ich mehr Auswahl.",
            "Ich habe zu einem anderen Anbieter gewechselt.",
            "Woanders gibt es das in besser.",
            "Meine Kollegen bestellen längst bei jemand anderem.",
        ),
        "fr": (
            "J'ai trouvé mieux ailleurs.",
            "Je passe à la concurrence.",
            "Un autre site propose la même chose avec plus de choix.",
            "Mes amis commandent tous chez quelqu'un d'autre.",
        ),
        "es": (
            "La competencia ofrece lo mismo y mejor.",
            "Me cambio a otra tienda.",
            "En otro sitio lo encuentro antes.",
            "Mis amigos ya no compran aquí.",
        ),
    },
}

PRAISE: Final[dict[str, tuple[str, ...]]] = {
    "en": (
        "Great price, quick delivery.",
        "Not expensive at all, and good quality.",
        "Better than any competitor I have tried.",
        "Love it.",
        "Customer service was lovely about my late parcel.",
        "Does what it should.",
    ),
    "de": (
        "Gar nicht teuer und schnell geliefert.",
        "Besser als bei der Konkurrenz.",
        "Gerne wieder!",
        "Kaputt ging bisher nichts, top Qualität.",
    ),
    "fr": ("Pas cher et très bon service.", "Je recommande.", "Rien à redire, livraison sans retard."),
    "es": ("Nada caro y muy buena calidad.", "Todo perfecto.", "Mejor que la competencia."),
}

MIDDLING: Final[dict[str, tuple[str, ...]]] = {
    "en": ("It is all right.", "Neither here nor there.", "Fine, though the colour is not quite mine."),
    "de": ("Ganz in Ordnung.", "Geht so.", "Na ja."),
    "fr": ("Correct, sans plus.", "Moyen."),
    "es": ("Normal.", "Ni bien ni mal."),
}
