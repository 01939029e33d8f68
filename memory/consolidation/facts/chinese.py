"""Reads Chinese clauses: who, adverbs, then one of the patterns; each clause must match from its beginning to its end."""

import re
from collections.abc import Iterator

from clawactors.memory.consolidation.facts.framing import QUOTED, is_plan
from clawactors.memory.consolidation.facts.hanrules import HAN_NAME, REL, RULES, HanRule
from clawactors.memory.consolidation.facts.stated import ANYTHING, People, Stated, aliases_in, is_person
from clawactors.memory.consolidation.facts.words import (
    DRINKS,
    EMPLOYERS,
    HAN_ATTRIBUTES,
    HAN_RELATIONS,
    LANGUAGES,
    PETS,
    PRODUCTS,
    PROFESSIONS,
)
from clawactors.memory.text.normal import fold
from clawactors.memory.text.rarity import rarity

__all__ = ["read_chinese"]  # fmt: skip

_BRACKETS = re.compile(r"[(\uff08][^)\uff09]{0,40}[)\uff09]")
_SPLIT = re.compile(
    r"[，,；;。！!、…~～\n]+(?![^（(]*[）)])|\s+(?=[我他她])|(?<=[^不])(?:但是?|不过|可是|而且|并且|然后|所以|因此|同时)(?=[我他她现已还也])"
)
_LEAD = re.compile(
    r"^(?:昨天|今天|前天|大前天|上周[一二三四五六日天]?|上个?月|上个?星期[一二三四五六日天]?|去年|前年|今年(?!\d|[一二三四五六七八九十])|最近|现在|目前|如今|其实|对了|顺便说一下|顺便说一句|顺便提一下|另外|还有|而且|并且|但是?|不过|可是|所以|因此|于是|然后|后来|更新一下"
    r"|好消息|告诉你|跟你说|和你说|补充一下|注意|记住|请记住|请记得|记得|记一下|说实话|老实说|因为|虽然|尽管|自从|早就|终于|总算|结果|原来|没错|对|是的|嗯|哦|啊|嗨|你好|大家好|您好|那个|这个月|这周|本周|上半年|下半年|(?:\d+|[一二两三四五六七八九十几]+)(?:天|周|个月|个星期|年)(?:以?前|之前)"
    r"|(?:\d{4}年)?(?:\d{1,2}月)(?:\d{1,2}[日号])?|从(?:去年|今年|上个?月|上周|昨天|今天|\d{4}年|\d{1,2}月)(?:开始|起)?|事实上|实际上|不瞒你说|严格来说|准确地说|已经|刚刚?|(?:大学|高中|研究生|博士)?毕业(?:以?后|之后))(?:[:：\s])?(?=.)"
)
_CALL_ME = re.compile(
    rf"^(?:大家|朋友们?|同事们?|别人|同学们?|家人|你)?(?:都|可以|就|请)*(?:叫|喊|称呼?)我(?:为|做)?(?P<o>{HAN_NAME}?)(?:就行|就好|好了|吧|即可)*$"
)
_RELATIVE = re.compile(
    rf"(?:(?P<me>我)们?(?:家)?(?:现在|目前|如今)?(?:的)?|(?P<of>{HAN_NAME})的)(?:新)?(?P<rel>{REL})(?:的?名字)?(?:现在)?(?:是|叫做?|名叫)(?P<o>{HAN_NAME}?)(?:了|的)?$"
)
_REPLACED = re.compile(
    rf"^(?P<o>{HAN_NAME})(?:接替|取代|接任)了?.{{1,6}}?(?:当|做|成为|成了|担任)了?我们?的(?:新)?(?P<rel>{REL})(?:了)?$"
)
_NAMED_PET = re.compile(
    rf"^我们?(?:家)?(?:新)?(?:养|有|领养|收养)了?(?:一)?[只条匹个位]叫(?P<o>[^的]{{1,6}})的(?P<rel>{REL})(?:了)?$"
)
_DIED = re.compile(
    rf"^我们?(?:家)?的?(?P<rel>{REL})(?P<o>{HAN_NAME})(?:上周|昨天|今天|前天|去年|上个?月|不幸)*(?:死|去世|走丢|离世|过世)了?$"
)
_I_AM = re.compile(r"^我是(?P<o>[小阿老][\u3400-\u9fff]{1,2})$")
_NOT_HOME = re.compile(
    r"^[走出进来去回开好]|[过恐梦幸痛谎自别]|痛苦|恐惧|回忆|当下|里$|心|世界|梦|压力|阴影|幻想|过去|水深火热|电影|系统|版本|项目|进度|话题|仓库$|分支|主干|新架构|集群|代码|这|那|一起|隔壁$|外面|[室桌柜架]$|医院|学校$|酒店|宾馆"
)
_NOT_LIKED = re.compile(r"^(?:死|惨|你|他|她|它|这|那|我|自己|上|不|的|就|看你|说|听你|问|怎|什么|谁|大家)")
_NOT_WORK = re.compile(
    r"^(?:家|晚上|夜里|白天|外面|这|那|里|一起|周末|认真|努力|家里|深夜|凌晨|加班|海外$|国外$|外地$)|[着过]$|(?:室|群聊?|车|会议|会|讨论|聊天|直播间|俱乐部|健身房|队列|列表|计划|话题)$"
)
_NOT_DRINK = re.compile(r"^(?:多|少|点|酒吧|西北风|醉|完|水不忘|过|一口|一杯$|得|的|高|杯)")
_NOT_EAT = re.compile(r"^(?:饭|亏|惊|醋|苦|了|得|饱|过|早饭|午饭|晚饭|完|顿|药|软|硬|闭门羹|老本|力|个|这|那|什么)")


def read_chinese(sentence: str, people: People) -> Iterator[Stated]:
    """The statements of a Chinese sentence that is said in earnest."""
    yield from aliases_in(sentence)
    sentence = _BRACKETS.sub("", sentence)
    before: list[str] = []
    for clause in _SPLIT.split(sentence.strip().rstrip("。！!.…")):
        clause = clause.strip()
        while (match := _LEAD.match(clause)) and match.end() < len(clause):
            clause = clause[match.end() :].lstrip("，,：: ")
        if (
            not clause
            or QUOTED in clause
            or is_plan(clause)
            or clause.endswith(("的时候", "时", "之前", "以后", "之后"))
        ):
            before = []
            continue
        found = list(_read(clause, people, before))
        yield from found
        if found:
            before = [found[-1].subject]


def _read(clause: str, people: People, before: list[str]) -> Iterator[Stated]:
    if (match := _CALL_ME.match(clause)) and is_person(match["o"]):
        yield Stated(people.speaker, "is also called", match["o"])
        return
    if told := _of_relatives(clause, people):
        yield told
        return
    if (match := _RELATIVE.match(clause)) and is_person(match["o"]) and match["o"] not in PROFESSIONS:
        owner = people.speaker if match["me"] else match["of"]
        if owner and (match["me"] or is_person(owner)):
            yield Stated(owner, HAN_RELATIONS[match["rel"]], match["o"])
            people.meet([match["o"]])
        return
    characters = frozenset(clause)
    for rule in RULES:
        match = None if rule.cues.isdisjoint(characters) else rule.pattern.match(clause)
        if match is None:
            continue
        # Without a subject, a change is the speaker's own: 改喝红茶了.
        changed = rule.event or rule.exclusive or clause.endswith("了")
        subject, others = _subject(match, people, before or ([people.speaker] if changed else []))
        found = list(_state(rule, match, subject, people)) if subject else []
        if found:
            yield from others
            yield from found
            people.meet([subject])
            return


def _of_relatives(clause: str, people: People) -> Stated | None:
    """Who took whose place, a pet with its name or its death, and «我是小美»."""
    if (match := _REPLACED.match(clause)) and is_person(match["o"]):
        return Stated(people.speaker, HAN_RELATIONS[match["rel"]], match["o"])
    if match := _NAMED_PET.match(clause):
        return Stated(people.speaker, HAN_RELATIONS[match["rel"]], match["o"])
    if (match := _DIED.match(clause)) and HAN_RELATIONS[match["rel"]] in PETS:
        return Stated(people.speaker, HAN_RELATIONS[match["rel"]], match["o"], True, event=True)
    if (match := _I_AM.match(clause)) and is_person(match["o"]):
        return Stated(people.speaker, "is called", match["o"])
    return None


def _subject(match: re.Match[str], people: People, before: list[str]) -> tuple[str, list[Stated]]:
    """The name that the clause is about, and what the subject itself says («我妻子安娜»)."""
    if match["me"]:
        if not match["rel"]:
            return people.speaker, []
        name = match["relname"]
        if name and is_person(name):
            return name, [Stated(people.speaker, HAN_RELATIONS[match["rel"]], name)] if people.speaker else []
        return (f"{people.speaker}的{match['rel']}" if people.speaker and not name else ""), []
    if match["pronoun"]:
        return (f"{people.other}的{match['prel']}" if match["prel"] and people.other else people.other), []
    name = match["name"]
    if not name:
        return (before[0] if before else ""), []
    if not is_person(name) or rarity(name) < 1.0:  # a common word is the name of nobody: 岗位, 目标
        return "", []
    if match["nrel"]:
        other = match["nrelname"]
        if other and is_person(other):
            return other, [Stated(name, HAN_RELATIONS[match["nrel"]], other)]
        return ("" if other else f"{name}的{match['nrel']}"), []
    return name, []


def _state(rule: HanRule, match: re.Match[str], subject: str, people: People) -> Iterator[Stated]:
    thing, predicate = match["o"].strip().strip("“”「」\"'的了 "), rule.predicate
    groups = match.groupdict()
    negated = rule.negated or match["past"] is not None
    if predicate == "role":
        if people.speaker and subject != people.speaker:
            yield Stated(people.speaker, HAN_RELATIONS[groups["role"]], subject, negated)
        return
    if rule.exclusive and rule.negated:
        yield Stated(subject, predicate, ANYTHING[True], True, exclusive=True, event=True)
        return
    if not thing or len(thing) > 24 or thing in ("它", "他", "她", "你", "这", "那", "这里", "那里", "什么", "哪里"):
        return
    if predicate in ("left", "left job"):
        if _NOT_WORK.search(thing) and match.string.find("搬") < 0:
            return
        home = predicate == "left" and _NOT_HOME.search(thing) is None and match.string.find("搬") >= 0
        if home or (not re.search(r"[家里房]$", thing) and match.string.find("搬") < 0):
            if thing in ("工作", "职", "职务", "公司", "单位", "岗位"):
                yield Stated(subject, "works at", ANYTHING[True], True, exclusive=True, event=True)
                return
            yield Stated(subject, "lives in" if home else "works at", thing, True, event=True)
    elif predicate == "switched":
        yield from _switched(subject, groups.get("old") or "", thing)
    elif predicate == "attribute":
        yield Stated(subject, HAN_ATTRIBUTES[groups["attribute"]], thing, negated)
    elif predicate == "favourite":
        yield Stated(subject, f"favourite {groups['part']}", thing, negated)
    elif predicate == "called":
        if is_person(match["o"]):
            yield Stated(subject, "is called", thing)
    elif _fits(predicate, thing, match):
        if (old := groups.get("old")) and predicate in ("lives in", "works at"):
            yield Stated(subject, predicate, old, True)
        yield Stated(
            subject,
            predicate,
            _calling(thing) if predicate == "works as" else thing,
            negated,
            rule.exclusive,
            rule.event,
        )
        if job := groups.get("job"):
            yield Stated(subject, "works as", _calling(job))


def _switched(subject: str, old: str, new: str) -> Iterator[Stated]:
    drinks = bool({old, new} & DRINKS)
    known = {fold(old), fold(new)} & PRODUCTS or new[:1].isascii() or old[:1].isascii()
    if not drinks and not known:
        return
    predicate = "drinks" if drinks else "uses"
    if old:
        yield Stated(subject, predicate, old, True)
    yield Stated(subject, predicate, new, exclusive=drinks, event=True)


def _calling(text: str) -> str:
    return re.sub(r"^(?:一?[名个位])", "", text)


def _fits(predicate: str, thing: str, match: re.Match[str]) -> bool:
    """Whether the object is of the kind that the predicate needs."""
    match predicate:
        case "lives in":
            return _NOT_HOME.search(thing) is None and fold(thing) not in PRODUCTS and not thing.isdigit()
        case "works at":
            told = re.search(
                r"工作|上班|任职|入职|跳槽|加入|就职|受雇|供职|打工|实习|任教|教书|当|做|担任|公司|职|退休|裁|离开|辞",
                match.string,
            )
            named = fold(thing) in EMPLOYERS or re.search(r"(?:公司|集团|银行|科技|事务所|研究院)$", thing)
            return _NOT_WORK.search(thing) is None and (told or named) is not None and len(thing) > 1
        case "likes":
            return _NOT_LIKED.match(thing) is None
        case "drinks":
            return _NOT_DRINK.match(thing) is None
        case "eats":
            return _NOT_EAT.match(thing) is None and match.string.find("吃") >= 0
        case "speaks":
            return thing in LANGUAGES or any(thing.endswith(end) for end in ("语", "话", "文"))
        case "learns":
            return not re.match(r"^(?:习|会|得|的|着|校|期|生|员|历|费|问|好|坏|乖)", thing)
        case "is allergic to":
            return not re.search(r"^[这那你他她]|开会|加班|工作|领导|早起|周一|废话|学习|数学", thing)
        case "is from":
            return not re.search(r"[个好坏老新女男外本]|什么|工作|负责|有心|自己|年轻|普通|成年", thing)
        case "is also called" | "is called" | "spouse":
            return is_person(thing)
        case "uses":
            return fold(thing) in PRODUCTS or thing[:1].isascii()
        case _:
            return True
