"""The language of a text, from the shares of its function words, or from its script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from inference.features.words import tokens

MIN_TOKENS = 8
MIN_SHARE = 0.12  # of the tokens are function words of the language; in songs of the languages below it is a third or more
LEAD = 1.15  # how far the best language must be ahead of the next, else the text is mixed or in a language that is not here
CLOSE = ({"da", "no"},)  # too alike for such a lead

# The most frequent function words and contractions, as songs use them, and as `tokens` cuts them (don't is don, t; j'ai is j, ai).
_WORDS = {
    "en": "the and you i to a me my in it of that is on your we for all be don t s m ll re ve what no this with when so just do can know "
    "if now but she he they are was will get got go like love oh never there from out up one how let cause have not at her his our",
    "es": "que de no la y el en me te mi tu lo un se con por es los una si yo para como más ya las pero del al qué su ti porque cuando "
    "solo quiero sin hay este esta soy eres está amor vida aquí nada nunca todo fue ella él nos le muy hoy siempre voy",
    "pt": "que não o eu a de e você me é do em um meu no da uma pra se com na os mas te minha por mais tudo vou as seu vai quando só teu "
    "ser já como sem tá nem quem esse amor nos foi ela ele pro tem sou sua ao dos isso assim são bem então",
    "fr": "de je le la les et pas l j que un est d tu a en dans c on des qui ne mon pour me ma une moi toi qu sur au n plus mais ce y du "
    "comme ai il te se tout si nous suis par avec ça elle mes sans rien était vous bien jamais quand sont t s faire où",
    "de": "ich und die du der nicht das ist in es mich ein wir so zu den mir auf dich mit was dir wie sie alles bin noch von mein wenn "
    "doch wer für nur eine er an hab mehr im nie immer kein uns sich dass auch dein hat bist aus sind schon wird aber kann meine",
    "it": "che non e di la il un è a mi per in ti sono l con ma più te io come se una ho c lo le tu del da si al me i solo quando ci mio "
    "sei nel della perché mia anche gli tutto amore questa questo cosa senza ancora così noi fa sempre mai c era nella",
    "nl": "ik je de het en een van niet dat in is me mijn jij met zo voor op maar als te was die er nog dan aan we heb ben kan naar wat "
    "zijn ze wil geen al alles nu hij weet mij jou om toch nooit door wie ook waar uit bij hier hoe ga doe dit weer jouw",
    "sv": "jag och att är det du i en som på inte för har mig med dig av vi så när men till den kan om ett vad min allt de var nu ska från "
    "aldrig ingen mitt ditt din här där alla bara hur vill upp sig man över igen under dom oss mej dej nåt kommer",
    "da": "jeg og det er at du i en der ikke har på som med af mig for til dig vi så den men kan de når om var hvad min nu et alt vil "
    "fra aldrig nej skal hvor min din bare ud op kun igen os mit lige være noget her går gør dit sig selv hvis",
    "no": "jeg og det er at du i en som ikke har på med av meg for til deg vi så den men kan de når om var hva min nå et alt vil fra "
    "aldri nei skal hvor din bare ut opp igjen oss mitt være noe her går gjør ditt seg selv hvis der eg ikkje ein dei kor",
    "pl": "się nie w to na i że jak z mnie a do co jest mi ja o ty już za tak tylko ten po gdy ci mam ale jestem moje mój cię bo od ze "
    "czy dla gdzie być kiedy nas nic wszystko jej jego tu sobie przez tym nawet bez może jeszcze mną są będę ich znów tego",
    "tr": "bir bu ne ben sen de da gibi beni seni yok var her için bana sana o mi çok ama ki ve kadar olsun ya aşk daha değil benim senin "
    "hiç böyle diye şimdi sensiz içimde gel oldu artık gece kalbim gün mı nasıl biz yine onu olur en bak git ile mu",
    "id": "aku yang dan di kau ku tak ini itu untuk dengan kamu dalam hati kita cinta mu tiada ada akan dari bila saja bisa jangan tuk "
    "hanya lagi saat jika semua karena pernah kini apa telah tapi sudah sampai seperti diriku dirimu hidup oleh engkau pada ke juga "
    "nak dah kan dia mereka cintaku selalu takkan pun",
    "tl": "ang sa na ng ko mo ako ay ka at kung mga hindi pa lang ikaw naman di kita ba aking puso nang iyong siya ito tayo may akin wala "
    "sana man sayo mahal din kay kahit bakit walang pag lahat rin dahil yung araw nag mong kong pang ayaw iyo nasa",
    "fi": "ja on en se mä ei sä kun mun sun niin ole minä sinä että mutta jos vaan mua sua oon kuin mitä nyt oot nää vain ne joka mulla "
    "sulla siitä olen olet tää minun sinun vielä et hän me kaikki taas jää tai mulle sulle aina koskaan ollut oli voi siellä",
    "ro": "și să nu de în mă că te e o la cu pe eu tu ce am mi când din fără dar doar mea meu ta tău pentru mai ca sunt îmi al a este care "
    "tot iar ești noi vreau si sa ma ca in cand inima iubire iti îți lui ei nimic dacă ai fi asta unde cum nici lume ne",
}
# First and last character of a script's letters, and its language where it is written in just one that is sung much.
_SCRIPTS = (
    ("\u0370", "\u03ff", "el"),
    ("\u0400", "\u052f", "cyrillic"),
    ("\u0590", "\u05ff", "he"),
    ("\u0600", "\u06ff", "arabic"),
    ("\u0900", "\u097f", "hi"),
    ("\u0e00", "\u0e7f", "th"),
    ("\u3040", "\u30ff", "ja"),
    ("\uac00", "\ud7a3", "ko"),
    ("\u1100", "\u11ff", "ko"),
    ("\u3400", "\u9fff", "zh"),
)
_RUSSIAN, _UKRAINIAN = frozenset("ыэъё"), frozenset("іїєґ")
_PERSIAN, _URDU = frozenset("پچژگ"), frozenset("ٹڈڑےں")
LANGUAGES = tuple(sorted({*_WORDS, "el", "ru", "uk", "he", "ar", "fa", "hi", "th", "ja", "ko", "zh"}))


def _by_word() -> dict[str, tuple[tuple[str, float], ...]]:
    """For each function word its languages, each with the word's weight: what several languages share tells less."""
    languages: dict[str, list[str]] = {}
    for language_, words in _WORDS.items():
        for word in dict.fromkeys(words.split()):
            languages.setdefault(word, []).append(language_)
    return {word: tuple((name, len(names) ** -0.5) for name in names) for word, names in languages.items()}


_BY_WORD = _by_word()


def language(text: str | Sequence[str]) -> str:
    """The ISO 639-1 code of the language of a text, or of its tokens; "" where it is too short, mixed, or none of `LANGUAGES`.

    "id" stands for Indonesian and Malay.
    """
    found = tokens(text) if isinstance(text, str) else text
    if len(found) < MIN_TOKENS:
        return ""
    counts = Counter(found)
    foreign = {token: count for token, count in counts.items() if token[0] >= _SCRIPTS[0][0]}
    if sum(foreign.values()) > len(found) / 2:
        return _by_script(foreign)
    scores: dict[str, float] = {}
    for word, count in counts.items():
        for name, weight in _BY_WORD.get(word, ()):
            scores[name] = scores.get(name, 0.0) + weight * count
    return _winner(scores, MIN_SHARE * len(found))


def _winner(scores: dict[str, float], least: float) -> str:
    ranked = sorted(scores, key=lambda name: (-scores[name], name))
    if not ranked or scores[ranked[0]] < least:
        return ""
    best = ranked[0]
    rivals = [name for name in ranked[1:] if not any({best, name} <= close for close in CLOSE)]
    return best if not rivals or scores[best] >= LEAD * scores[rivals[0]] else ""


def _by_script(counts: dict[str, int]) -> str:
    scripts: Counter[str] = Counter()
    for token, count in counts.items():
        for first, last, name in _SCRIPTS:
            if first <= token[0] <= last or (name == "ja" and first <= token[-1] <= last):
                scripts[name] += count
                break
    if not scripts:
        return ""
    name = "ja" if scripts["ja"] > 0.1 * scripts.total() else scripts.most_common(1)[0][0]
    letters = set().union(*counts)
    if name == "cyrillic":
        return "uk" if letters & _UKRAINIAN and not letters & _RUSSIAN else "ru" if letters & _RUSSIAN else ""
    if name == "arabic":
        return "" if letters & _URDU else "fa" if letters & _PERSIAN else "ar"
    return name
