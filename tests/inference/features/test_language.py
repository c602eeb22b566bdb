"""The language of lyrics."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.features.language import LANGUAGES, language
from inference.features.words import tokens

VERSES = {
    "en": "I was walking down the road and you were waiting there for me, oh baby, don't you know that I will never let you go",
    "es": "Yo sé que tú no quieres volver a mi lado, pero la noche es muy larga y el viento me habla de ti sin parar",
    "pt": "Eu não sei por que você foi embora, mas a saudade ficou aqui no meu peito e a noite não quer mais passar",
    "fr": "Je ne sais pas pourquoi tu es partie, mais la nuit est longue et le vent me parle de toi, oh mon amour",
    "de": "Ich weiß nicht, warum du gegangen bist, aber die Nacht ist lang und der Wind erzählt mir immer nur von dir",
    "it": "Non so perché sei andata via, ma la notte è lunga e il vento mi parla di te, e io ti aspetto ancora qui",
    "nl": "Ik weet niet waarom je bent gegaan, maar de nacht is lang en de wind vertelt mij altijd weer van jou",
    "sv": "Jag vet inte varför du gick, men natten är lång och vinden talar till mig om dig och allt som var vårt",
    "da": "Jeg ved ikke hvorfor du gik, men natten er lang og vinden taler til mig om dig, og jeg venter her igen af kærlighed",
    "no": "Jeg vet ikke hvorfor du dro, men natten er lang og vinden snakker til meg om deg, og jeg venter her av kjærlighet",
    "pl": "Nie wiem, dlaczego odeszłaś, ale noc jest długa i wiatr mówi mi o tobie, a ja czekam na ciebie jak co dzień",
    "tr": "Neden gittin bilmiyorum ama gece çok uzun ve rüzgar bana seni anlatıyor, ben hala burada seni bekliyorum bir gün gel diye",
    "id": "Aku tak tahu mengapa kau pergi, tapi malam ini panjang dan angin bercerita tentang dirimu, aku menunggu di sini untuk kamu",
    "tl": "Hindi ko alam kung bakit ka umalis, pero mahaba ang gabi at ikaw pa rin ang nasa puso ko, ako ay naghihintay sa iyo",
    "fi": "En tiedä miksi sinä lähdit, mutta yö on pitkä ja tuuli puhuu minulle sinusta, ja minä odotan vielä sua niin kuin ennen",
    "ro": "Nu știu de ce ai plecat, dar noaptea este lungă și vântul îmi vorbește de tine, iar eu te aștept să vii la mine",
    "ru": "Я не знаю, почему ты ушла, но ночь длинна и ветер говорит мне о тебе, и я всё ещё жду тебя здесь",
    "uk": "Я не знаю, чому ти пішла, але ніч така довга і вітер говорить мені про тебе, і я чекаю на тебе тут",
    "el": "Δεν ξέρω γιατί έφυγες, μα η νύχτα είναι μεγάλη και ο άνεμος μου μιλάει για σένα",
    "he": "אני לא יודע למה הלכת אבל הלילה ארוך והרוח מדברת אליי עליך",
    "ar": "لا أعرف لماذا رحلت لكن الليل طويل والريح تحدثني عنك يا حبيبي",
    "fa": "نمی دانم چرا رفتی اما شب طولانی است و باد از تو می گوید پیش من بمان",
    "hi": "मुझे नहीं पता तुम क्यों चले गए लेकिन रात लंबी है और हवा तुम्हारी बात करती है",
    "th": "ไม่รู้ว่าทำไมเธอจากไป แต่คืนนี้ช่างยาวนาน",
    "ko": "왜 네가 떠났는지 나는 몰라 하지만 밤은 길고 바람이 너를 말해 나는 여기서 기다려",
    "ja": "どうしてあなたが去ったのか分からない、夜は長くて風が君のことを話す",
    "zh": "我不知道你为什么离开,夜这么长,风在对我说着你的名字",
}


@pytest.mark.parametrize("expected", VERSES)
def test_a_verse_of_each_language_is_told(expected: str) -> None:
    assert language(VERSES[expected]) == expected
    assert language(tokens(VERSES[expected])) == expected


def test_every_language_that_can_be_told_is_tried() -> None:
    assert set(VERSES) == set(LANGUAGES)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I love you",
        "la la la la la la la la la la la la",
        "1 2 3 4 5 6 7 8 9 10 11 12",
        "kwijibo zorp blat florp grint snood yarp",
    ],
)
def test_what_is_too_short_or_no_language_is_not_guessed(text: str) -> None:
    assert language(text) == ""


def test_a_text_half_in_one_and_half_in_another_language_has_none() -> None:
    assert language("the night is long and you are not here " * 3 + "que ya no te quiero porque la noche es larga y tú no estás " * 3) == ""


@given(st.text(max_size=100))
def test_any_text_is_one_of_the_languages_or_none(text: str) -> None:
    assert language(text) in {"", *LANGUAGES}
