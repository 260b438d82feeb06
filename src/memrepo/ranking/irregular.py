"""Forms of English words that no stemmer brings together: what asks "did she go" is answered by "went"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["IRREGULAR"]

_FORMS: Final = """
    bear bore born borne/beat beaten/become became/begin began begun/bend bent/bite bit bitten/bleed bled/
    blow blew blown/break broke broken/bring brought/build built/burn burnt/buy bought/catch caught/
    choose chose chosen/come came/creep crept/deal dealt/dig dug/draw drew drawn/dream dreamt/
    drink drank drunk/drive drove driven/eat ate eaten/fall fell fallen/feed fed/feel felt/fight fought/
    find found/fly flew flown/forget forgot forgotten/forgive forgave forgiven/freeze froze frozen/
    get got gotten/give gave given/go goes went gone/grow grew grown/hang hung/hear heard/hide hid hidden/
    hold held/keep kept/kneel knelt/know knew known/lay laid/lead led/lean leant/learn learnt/leave left/
    lend lent/lie lay lain/light lit/lose lost/make made/mean meant/meet met/pay paid/prove proven/
    ride rode ridden/ring rang rung/rise rose risen/run ran/say said/see saw seen/seek sought/sell sold/
    send sent/sew sewn/shake shook shaken/shine shone/shoot shot/show shown/shrink shrank shrunk/
    sing sang sung/sink sank sunk/sit sat/sleep slept/slide slid/speak spoke spoken/spell spelt/spend spent/
    spin spun/stand stood/steal stole stolen/stick stuck/sting stung/strike struck/swear swore sworn/
    sweep swept/swim swam swum/swing swung/take took taken/teach taught/tear tore torn/tell told/
    think thought/throw threw thrown/understand understood/wake woke woken/wear wore worn/
    weave wove woven/weep wept/win won/wind wound/write wrote written/
    child children/foot feet/goose geese/half halves/knife knives/leaf leaves/life lives/loaf loaves/
    man men/mouse mice/person people/shelf shelves/thief thieves/tooth teeth/wife wives/wolf wolves/
    woman women/good better best/bad worse worst/far further furthest
"""


def _by_form() -> Mapping[str, tuple[str, ...]]:
    groups = [tuple(group.split()) for group in _FORMS.split("/")]
    return {form: group for group in groups for form in group}


#: Each form, to all forms of its word.
IRREGULAR: Final = _by_form()
