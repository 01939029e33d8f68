"""Irregular English forms, which no stemmer maps to one base: «did she buy» asks for «I bought»."""

__all__ = ["BASE_FORMS", "DETERMINERS", "NOUN_FORMS"]

_VERBS = """
arise arose arisen, awake awoke awoken, bear bore borne, beat beaten, become became, begin began begun, bend bent,
bind bound, bite bit bitten, bleed bled, blow blew blown, break broke broken, breed bred, bring brought,
build built, burn burnt, buy bought, catch caught, choose chose chosen, come came, creep crept, deal dealt,
dig dug, draw drew drawn, dream dreamt, drink drank drunk, drive drove driven, eat ate eaten, fall fell fallen,
feed fed, feel felt, fight fought, find found, flee fled, fly flew flown, forbid forbade forbidden,
forget forgot forgotten, forgive forgave forgiven, freeze froze frozen, give gave given, go went gone, grind ground,
grow grew grown, hang hung, hear heard, hide hid hidden, hold held, keep kept, kneel knelt, know knew known,
lay laid, lead led, leap leapt, learn learnt, leave left, lend lent, lie lain, light lit, lose lost, make made,
mean meant, meet met, mistake mistook mistaken, pay paid, prove proven, ride rode ridden, ring rang rung,
rise rose risen, run ran, say said, see saw seen, seek sought, sell sold, send sent, sew sewn, shake shook shaken,
shine shone, shoot shot, show shown, shrink shrank shrunk, sing sang sung, sink sank sunk, sit sat, sleep slept,
slide slid, speak spoke spoken, speed sped, spell spelt, spend spent, spill spilt, spin spun, spoil spoilt,
spring sprang sprung, stand stood, steal stole stolen, stick stuck, sting stung, strike struck, strive strove,
swear swore sworn, sweep swept, swell swollen, swim swam swum, swing swung, take took taken, teach taught,
tear tore torn, tell told, think thought, throw threw thrown, understand understood, undertake undertook,
wake woke woken, wear wore worn, weave wove woven, weep wept, win won, wind wound, withdraw withdrew withdrawn,
write wrote written
"""
_NOUNS = """
child children, man men, woman women, foot feet, tooth teeth, goose geese, mouse mice, person people,
wife wives, knife knives, half halves, wolf wolves, shelf shelves, loaf loaves, datum data,
analysis analyses, crisis crises, good better best, bad worse worst, far further furthest
"""
_NUMBERS = "2 two, 3 three, 4 four, 5 five, 6 six, 7 seven, 8 eight, 9 nine, 10 ten, 11 eleven, 12 twelve,"
_TEENS = """
13 thirteen, 14 fourteen, 15 fifteen, 16 sixteen, 17 seventeen, 18 eighteen, 19 nineteen, 20 twenty, 30 thirty,
40 forty, 50 fifty, 60 sixty, 70 seventy, 80 eighty, 90 ninety
"""

BASE_FORMS: dict[str, str] = {
    form: base
    for family in f"{_VERBS},{_NOUNS},{_NUMBERS}{_TEENS}".split(",")
    for base, *forms in [family.split()]
    for form in forms
}

_DETERMINERS_TEXT = """
a an the my your his its our their some many no every each these those of
"""
DETERMINERS: frozenset[str] = frozenset(_DETERMINERS_TEXT.split())
"""After one of these words a form of `NOUN_FORMS` is a noun."""

_NOUN_FORMS_TEXT = """
bit bore drunk fell ground lay left rose saw shot stole thought wound
"""
NOUN_FORMS: dict[str, str] = {"lives": "life", "leaves": "leaf"} | {form: form for form in _NOUN_FORMS_TEXT.split()}
"""Forms of verbs that are nouns too: «she lives here», but «their lives»; «he wound the clock», but «the wound»."""
