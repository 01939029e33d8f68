"""Words and characters that carry no topic."""

__all__ = ["STOP_CHARACTERS", "STOP_WORDS"]

_WORDS = """
a an the this that these those there here
i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its itself
we us our ours ourselves they them their theirs themselves one's
am is are was were be been being do does did doing done have has had having
can could shall should will would may might must ought cannot
and or but nor so yet if then else than as because since while until although though unless whether
of in on at by for with about against between into through during before after above below to from up down
out off over under again further once within without toward towards upon onto per via
what which who whom whose when where why how
all any both each few more most other some such no not only own same too very just also even ever never
i'm you're he's she's it's we're they're i've you've we've they've i'd you'd he'd she'd we'd they'd
i'll you'll he'll she'll it'll we'll they'll isn't aren't wasn't weren't haven't hasn't hadn't
don't doesn't didn't won't wouldn't can't couldn't shouldn't mustn't let's that's who's what's where's
when's how's there's here's ain't
don t s ll re ve d m didn doesn isn wasn couldn wouldn shouldn hasn haven aren
ok okay yes yeah yep oh ah hey hi hello well really actually maybe please thanks thank
get got getting gets gotten
"""

STOP_WORDS: frozenset[str] = frozenset(_WORDS.split())

STOP_CHARACTERS: frozenset[str] = frozenset(
    "的了着过吗呢吧啊呀嘛哦嗯哈是在和与及或就都也还又很太更最这那哪谁么什怎为被把给让向从到对于以而且但"
    "我你他她它们您咱个之其所有没不会能要想说去来上下里啦呗哎唉喔噢得地"
)
