"""The patterns of Chinese clauses: who, adverbs, and what is said."""

import re
from functools import cached_property
from typing import Final

from clawactors.memory.consolidation.facts.words import (
    CONDITIONS,
    EMPLOYERS,
    HAN_ATTRIBUTES,
    HAN_RELATIONS,
    PROFESSIONS,
)

__all__ = ["HAN_NAME", "REL", "RULES", "HanRule"]

REL = "|".join(sorted(HAN_RELATIONS, key=len, reverse=True))
HAN_NAME = r"(?:[\u3400-\u9fff]{2,6}?(?:·[\u3400-\u9fff]{1,6})?|[A-Za-zÀ-ÿ][\w.-]*(?: [A-Z][\w.-]*)?)"
_WHO = rf"(?:(?P<me>我们?|俺|本人)(?:自己)?(?:(?:和|跟|与)(?:我?的?(?:{REL})|{HAN_NAME}))??(?:(?:的|家(?:的)?)?(?P<rel>{REL})(?P<relname>{HAN_NAME}??))?|(?P<pronoun>他|她)(?:(?:的)?(?P<prel>{REL}))?|(?P<name>{HAN_NAME}??)(?:的(?P<nrel>{REL})(?P<nrelname>{HAN_NAME}??))?)"
_ADVERB = r"(?:现在|目前|如今|已经|还是?|也|一直|都|就|又|刚刚?|最近|终于|后来|从小|其实|真的|确实|依然|仍然?|平时|通常|一般|每天|经常|常常|从来|完全|彻底|早就|早已|正式|去年|今年|前年|上周|上个?月|昨天|前天|今天|总算|从(?:去年|今年|上个?月|上周)(?:开始|起)?|(?:\d+|[一二两三四五六七八九十几]+)(?:天|周|个月|年)前|(?:\d{4}年)?\d{1,2}月(?:\d{1,2}[日号])?|\d{4}年|自己|本来就|曾经(?P<past>))*"
_O = r"(?P<o>[^的了吗呢吧，。！？；、,.!?;\s]{1,20}?)"
_LONG = r"(?P<o>[^了吗呢吧，。！？；,!?;]{1,24}?)"
_END = r"(?:了|的|啦|呀|啊|哦|呢|而已|就行|就好|好了|吧)*$"
_JOBS = "|".join(sorted((word for word in PROFESSIONS if ord(word[0]) > 0x3400), key=len, reverse=True))
_CONDITIONS = "|".join(sorted((word for word in CONDITIONS if not word.isascii()), key=len, reverse=True))
_EMPLOYER = "|".join(sorted(EMPLOYERS, key=len, reverse=True))
_ATTRIBUTE = "|".join(sorted(HAN_ATTRIBUTES, key=len, reverse=True))
_OWNED_HAN = "只狗|条狗|只猫|只兔子|只鹦鹉|只仓鼠|只乌龟|匹马|个儿子|个女儿|个孩子|个弟弟|个妹妹|个哥哥|个姐姐|个双胞胎|对双胞胎|辆车|辆自行车|辆摩托车|套房|套房子|架钢琴|把吉他|只柯基|只金毛|只橘猫|只布偶猫|只小狗|只小猫|条金鱼|台望远镜|艘船|只泰迪|只边牧"


_CUES: Final = {
    "lives in": "住搬迁移居户家回调", "left": "搬离", "left job": "辞离", "works at": "工班职业裁休干任入受转去打习教辞槽当做在", "works as": "是当做行为任升",
    "is allergic to": "敏", "diet": "素真", "drinks": "喝戒", "smokes": "烟", "eats": "吃", "switched": "改换切迁转", "uses": "用", "learns": "学",
    "speaks": "说讲", "has": "养有买生卖", "is also called": "名号称叫", "is called": "名", "called": "叫", "has birthday": "生", "is aged": "岁",
    "is intolerant to": "耐", "has condition": "有患得", "is in": "位处坐", "is part of": "属", "is a kind of": "种", "born in": "生", "is from": "来老家人", "spouse": "婚证手分", "favourite": "最", "likes": "喜爱厌受感迷", "attribute": "是改换变为：:", "role": "是",
}  # fmt: skip
"""A clause without one of these characters has no such statement."""


class HanRule:
    """A pattern after the subject; `negated` and `exclusive` as in `Stated`, `event` for what happened at a time."""

    def __init__(
        self, pattern: str, predicate: str, *, negated: bool = False, exclusive: bool = False, event: bool = False
    ) -> None:
        self._said = pattern
        self.cues = frozenset(_CUES[predicate])
        self.predicate, self.negated, self.exclusive, self.event = predicate, negated, exclusive, event

    @cached_property  # all of them take most of a second, and few processes ever read Chinese
    def pattern(self) -> re.Pattern[str]:
        """The whole clause."""
        return re.compile(f"^{_WHO}{_ADVERB}{self._said}{_END}")


RULES: Final = (
    # homes
    HanRule(r"(?:从(?P<old>[^到，。]{1,12}?))(?:搬家?|迁居?|移居|移民|回|调)(?:到|去|来|至|往)?了?" + _O, "lives in", event=True),
    HanRule(r"(?:不再住在?|不住在?|没有?再?住在?)" + _O + "(?:住)?", "lives in", negated=True),
    HanRule(r"(?:不再?|没有?)在" + _O + "(?:住|居住|生活)", "lives in", negated=True),
    HanRule(r"从" + _O + "(?:搬走|搬离|搬出来?)", "left"),
    HanRule(r"(?:搬离|搬出|离开)了?" + _O + "(?:搬走)?", "left"),
    HanRule(r"(?:把家)?(?:搬家?|迁居?|移居|移民|定居|落户|搬回)(?:到|去|来|至|在|回)?了?" + _O + "(?:住|定居|生活)?", "lives in", event=True),
    HanRule(r"(?:家?住在?|居住在|家在|长居|常住|定居在?|租住在)" + _O, "lives in"),
    HanRule(r"在" + _O + "(?:住|居住|生活|定居|租房)(?:了.{1,6})?", "lives in"),
    # jobs
    HanRule(r"(?:不再在?|不在)" + _O + "(?:工作|上班|任职|干|做)", "works at", negated=True),
    HanRule(r"(?:从" + _O + "(?:离职|辞职|退休|跳槽|离开|辞|被裁)(?:出来)?)", "works at", negated=True, event=True),
    HanRule(r"(?P<o>辞职|离职|失业|被裁|被裁员|退休|辞工|不上班|不干|不工作|没有?工作)(?:在家)?", "works at", negated=True, exclusive=True, event=True),
    HanRule(r"(?:辞去|辞掉|辞|离开)了?" + _O + "(?:的)?(?:工作|职位|职务|那边|公司)?", "left job"),
    HanRule(r"(?:从(?P<old>[^到，。]{1,10}?))?(?:跳槽|入职|加入|就职|任职|受雇|转去|转到|去)(?:到|去|于|了)*" + _O + "(?:工作|上班|任职)?", "works at", event=True),
    HanRule(rf"在(?P<o>[^，。！？\s]{{2,14}}?)(?:当|做|担任|任)(?:一?[名个位])?(?P<job>[\u4e00-\u9fff]{{0,5}}?(?:{_JOBS}))", "works at"),
    HanRule(r"在(?P<o>[^，。！？\s]{2,14}?)(?:工作|上班|任职|就职|供职|打工|实习|任教|教书)(?:了.{1,6})?", "works at"),
    HanRule(rf"(?:人)?在(?P<o>{_EMPLOYER}|[\u4e00-\u9fff]{{2,8}}(?:公司|集团|银行|科技|事务所|研究院|工作室))", "works at", event=True),
    HanRule(rf"不(?:再)?(?:是|当|做)(?:一?[名个位])?(?P<o>[\u4e00-\u9fff]{{0,5}}?(?:{_JOBS}))", "works as", negated=True),
    HanRule(rf"(?:是|当上?|做|改行(?:做|当)?|转行(?:做|当)?|成为|升任|担任|升职为|改做|改当|转做|晋升为)了?(?:一?[名个位])?(?P<o>[\u4e00-\u9fff]{{0,5}}?(?:{_JOBS}))", "works as"),
    # health
    HanRule(r"对(?P<o>[^，。！？\s]{1,12}?)(?:已经)?(?:不再|不|没有?|不会)(?:再)?过敏", "is allergic to", negated=True),
    HanRule(r"(?:不再|不|没有?)(?:再)?对(?P<o>[^，。！？\s]{1,12}?)过敏", "is allergic to", negated=True),
    HanRule(r"对(?P<o>[^，。！？\s]{1,12}?)(?:严重|重度|有点|有些|轻微|都)?过敏", "is allergic to"),
    HanRule(r"(?:有|患有)(?P<o>[^，。！？\s的]{1,8}?)过敏(?:症)?", "is allergic to"),
    HanRule(r"(?:的)?(?P<o>[^，。！？\s的]{1,8}?)过敏(?:症)?(?:好|没|消失|痊愈|治好)", "is allergic to", negated=True),
    HanRule(r"(?:对)?(?P<o>[^，。！？\s的]{1,8}?)不耐受", "is intolerant to"),
    HanRule(rf"(?:有|患有|得了|患上了?)(?P<o>{_CONDITIONS})", "has condition"),
    HanRule(r"(?:不再|不)(?P<o>吃素)", "diet", negated=True),
    HanRule(r"(?:是)?(?:个|一个|一名)?(?:改|开始)?(?P<o>吃素|素食主义者|素食者|纯素食?者?|清真)(?:主义者)?", "diet"),
    # habits and their ends
    HanRule(r"(?:改|开始改|换成?)(?:喝)" + _O, "drinks", exclusive=True, event=True),
    HanRule(r"(?:不再|从不|从来不|不能|不|戒掉?|戒了|再也不|没再|停止)(?:再)?喝" + _O, "drinks", negated=True),
    HanRule(r"戒掉?了?(?P<o>酒|咖啡|奶茶|可乐|茶|白酒|啤酒|红酒)", "drinks", negated=True),
    HanRule(r"把(?P<o>酒|咖啡|奶茶|可乐|茶|白酒|啤酒|红酒)(?:给)?戒", "drinks", negated=True),
    HanRule(r"把(?P<o>烟)(?:给)?戒", "smokes", negated=True),
    HanRule(r"(?:戒掉?了?|不再抽|不抽|不再吸|不吸)(?P<o>烟)", "smokes", negated=True),
    HanRule(r"(?:只|爱|习惯|开始|常)?喝" + _O, "drinks"),
    HanRule(r"(?:改吃|开始吃|改成吃)" + _O, "eats", event=True),
    HanRule(r"(?:不再|从不|从来不|不能|不|戒掉?|戒了|再也不)(?:再)?吃" + _O, "eats", negated=True),
    HanRule(r"(?:从(?P<old>[^到换，。]{1,12}?))?(?:改用|换成|换到|换用|切换到|迁移到|转到|换回)了?" + _LONG, "switched", event=True),
    HanRule(r"(?:不再|不|再也不)(?:再)?用" + _LONG, "uses", negated=True),
    HanRule(r"(?:在|开始)?(?:学|学习|自学)(?:着)?(?P<o>[^了过到会的，。\s]{1,8}?)", "learns"),
    HanRule(r"(?:会|能)?(?:说|讲)(?:一口)?(?:流利的?)?" + _LONG, "speaks"),
    HanRule(r"(?:不再|不|没有?)(?:再)?养(?P<o>[^了的，。\s]{1,8})", "has", negated=True),
    HanRule(rf"(?:新?养|有|领养|收养|买|生)了?(?P<o>(?:[一两三四五六\d]+)(?:{_OWNED_HAN}))(?:(?:，)?叫(?P<called>{HAN_NAME}))?", "has"),
    HanRule(r"把(?P<o>车|房子|房|钢琴|摩托车|自行车|吉他)卖(?:掉)?", "has", negated=True, event=True),
    # who
    HanRule(r"(?:的)?(?:英文名字?|中文名字?|外号|绰号|小名|昵称|网名|笔名|艺名)(?:是|叫做?|为)" + f"(?P<o>{HAN_NAME})", "is also called"),
    HanRule(rf"(?:又叫|也叫|又名|人称|别名)(?P<o>{HAN_NAME})", "is also called"),
    HanRule(r"(?:的)?名字(?:是|叫做?)" + f"(?P<o>{HAN_NAME})", "is called"),
    HanRule(rf"(?:名叫|叫做?)(?P<o>{HAN_NAME})", "called"),
    HanRule(r"(?:的)?生日(?:是|在|为)" + _LONG, "has birthday"),
    HanRule(r"(?:今年)?(?:已经|刚|快)?(?:满)?(?P<o>\d{1,3}|[一二三四五六七八九十]{1,4})(?:周?岁)", "is aged"),
    HanRule(r"(?:出生|生)(?:在|于)" + _O, "born in"),
    HanRule(r"(?:来自|老家(?:是|在)|家乡(?:是|在))" + _O + "人?", "is from"),
    HanRule(r"是(?P<o>[\u4e00-\u9fff]{2,4}?)人", "is from"),
    HanRule(rf"(?:和|跟|与)(?P<o>{HAN_NAME})(?:已经)?(?:结婚|领证)", "spouse", event=True),
    HanRule(rf"(?:和|跟|与)(?P<o>{HAN_NAME})(?:已经)?(?:离婚|分手|分开)", "spouse", negated=True, event=True),
    HanRule(r"(?P<o>离婚)", "spouse", negated=True, exclusive=True, event=True),
    # tastes
    HanRule(r"最(?:喜欢|爱)的(?P<part>[\u4e00-\u9fff]{1,6}?)(?:是|叫)" + _LONG, "favourite"),
    HanRule(r"(?:不再|不怎么|不太|不|没那么|再也不)(?:喜欢|爱|想)(?:吃|喝|看|听|玩|用)?(?!的)" + _O, "likes", negated=True),
    HanRule(r"(?:最|特别|很|非常|尤其|比较)?(?:讨厌|受不了|反感|厌恶)(?:吃|喝|看|听)?" + _O, "likes", negated=True),
    HanRule(r"(?:最|特别|很|非常|尤其|比较|更|挺|可|超|超级|蛮)?(?:喜欢|爱|热爱|钟爱|酷爱|迷上|爱上)(?:吃|喝|看|听|玩)?(?!的)" + _LONG, "likes"),
    # places and kinds
    HanRule(r"(?:位于|坐落[在于]|地处)" + _O, "is in"),
    HanRule(r"(?:属于|隶属于?)" + _O, "is part of"),
    HanRule(r"是一种" + _O, "is a kind of"),
    # attributes and people
    HanRule(rf"(?:新)?的?(?:新)?(?P<attribute>{_ATTRIBUTE})(?:现在)?(?:是|改成了?|换成了?|变成了?|改为了?|为|：|:)" + _LONG, "attribute"),
    HanRule(rf"(?:现在)?不再?是我们?的?(?P<role>{REL})(?P<o>)", "role", negated=True),
    HanRule(rf"(?:现在)?是我们?的?(?:新)?(?P<role>{REL})(?P<o>)", "role"),
)  # fmt: skip
