"""What explanations say, in English and in Korean. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from router.engine.eligibility import Filter
from router.engine.freeing import Passing
from router.engine.interrupting import Allowing


class Language(StrEnum):
    """What explanations can be read in."""

    ENGLISH = "en"
    KOREAN = "ko"


class Phrase(StrEnum):
    """One thing that can be said. Its members in braces are filled in."""

    RULE = "rule"
    FROM_QUEUE = "from_queue"
    FROM_TEXT = "from_text"
    FROM_DEFAULTS = "from_defaults"
    BELONGS = "belongs"
    IN_LANGUAGE = "in_language"
    FROM_LEVEL = "from_level"
    SOFT = "soft"
    NOTHING = "nothing"
    HANDED_ON = "handed_on"
    PUT_BACK = "put_back"
    LOOKED_AT = "looked_at"
    NONE_ABLE = "none_able"
    HIS_TURN = "his_turn"
    HIS_SHARE = "his_share"
    MADE_ROOM = "made_room"
    GAVE = "gave"
    TOOK = "took"
    OVERRODE = "overrode"
    HAS_IT = "has_it"
    OVER = "over"
    OVER_BACK = "over_back"
    CAME_BACK = "came_back"
    PARKED = "parked"
    SET_ASIDE = "set_aside"
    WAITS_FOR = "waits_for"
    UNTIL = "until"
    OFFERED = "offered"
    IS_RUNG = "is_rung"
    GIVES_ADVICE = "gives_advice"
    ASK_DECLINED = "ask_declined"
    ASK_EXPIRED = "ask_expired"
    ASK_LEFT = "ask_left"
    NOBODY_RUNG = "nobody_rung"
    OUT = "out"
    WRAP_UP = "wrap_up"
    CAN_TAKE = "can_take"
    CAN_PARK = "can_park"
    CLOCK_DUE = "clock_due"
    BEHIND = "behind"
    BEHIND_MANY = "behind_many"
    WAIT = "wait"
    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    ASKS_SINCE = "asks_since"
    ASKS_IN = "asks_in"
    ASKS_NEVER = "asks_never"
    LEVEL_FALLS = "level_falls"
    NOT_NEEDED = "not_needed"
    QUEUES_TOO = "queues_too"
    SECONDARY_TOO = "secondary_too"
    TIERS_TOO = "tiers_too"
    LANGUAGES_TOO = "languages_too"
    LANGUAGE_FALLS = "language_falls"
    ANY_LANGUAGE = "any_language"
    OR = "or"
    STEP_IN = "step_in"
    PRIORITY_RISES = "priority_rises"
    MOVES_UP = "moves_up"
    IS_TAKEN = "is_taken"
    ASKS_IN_ANOTHER = "asks_in_another"
    IS_TOLD = "is_told"
    IS_LABELLED = "is_labelled"
    CHANGES_LADDER = "changes_ladder"
    IS_KEPT_FROM = "is_kept_from"
    NOBODY = "nobody"
    COMES_ONLINE = "comes_online"
    GETS_ROOM = "gets_room"
    LEARNS = "learns"
    SPEAKS = "speaks"
    SPEAKS_AT = "speaks_at"
    SERVES = "serves"
    IS_OF_TIER = "is_of_tier"
    IS_LIFTED = "is_lifted"
    EXCLUDED_BY = "excluded_by"
    EXCLUDED_BY_RULES = "excluded_by_rules"
    MAY_INTERRUPT = "may_interrupt"
    MAY_BE_PARKED = "may_be_parked"
    WOULD_PARK = "would_park"
    HOLD_ENDS = "hold_ends"
    COOL_DOWN_ENDS = "cool_down_ends"
    STEP_TAKEN = "step_taken"
    SECONDARY_JOIN = "secondary_join"
    MORE_UNITS = "more_units"
    CAP_REACHED = "cap_reached"
    AWAY_FROM = "away_from"
    FIRST = "first"
    MORE = "more"
    ROWS_GONE = "rows_gone"
    RULES_GONE = "rules_gone"


_PHRASES: Final[Mapping[Phrase, tuple[str, str]]] = {
    Phrase.RULE: ("rule {rule} set {what}", "규칙 {rule}에서 지정: {what}"),
    Phrase.FROM_QUEUE: ("its queue set {what}", "대기열 설정에서 지정: {what}"),
    Phrase.FROM_TEXT: ("its text set {what}", "본문에서 판별: {what}"),
    Phrase.FROM_DEFAULTS: ("the defaults set {what}", "기본값으로 지정: {what}"),
    Phrase.BELONGS: (
        "it belongs to queue {queue} with priority {priority}{language}; wants: {wants}",
        "대기열 {queue}, 우선순위 {priority}{language}, 필요한 기술: {wants}",
    ),
    Phrase.IN_LANGUAGE: (", in {language}", ", 언어 {language}"),
    Phrase.FROM_LEVEL: (" from level {level}", " 수준 {level} 이상"),
    Phrase.SOFT: (" (preferred)", "(우대)"),
    Phrase.NOTHING: ("nothing", "없음"),
    Phrase.HANDED_ON: ("{by} handed it on at {at}", "{by}님이 {at}에 이관했습니다"),
    Phrase.PUT_BACK: ("{by} put it back into its queue at {at}", "{by}님이 {at}에 대기열로 되돌렸습니다"),
    Phrase.LOOKED_AT: (
        "{count} advisors were looked at, {ranked} of the eligible ranked by {strategy}",
        "상담사 {count}명을 검토해, 배정할 수 있는 상담사 중 {ranked}명의 순위를 {strategy} 방식으로 정했습니다",
    ),
    Phrase.NONE_ABLE: (
        "{count} advisors were looked at, and none of them could take it",
        "상담사 {count}명을 검토했으나 배정할 수 있는 상담사가 없었습니다",
    ),
    Phrase.HIS_TURN: (
        "{advisor} had room, and of the cases he may be offered this was the most urgent",
        "{advisor} 상담사에게 여유가 생겼고, 배정할 수 있는 문의 중 이 문의가 가장 급했습니다",
    ),
    Phrase.HIS_SHARE: (
        "{advisor} had room, and {queue} was most over its share: {length} of {total} cases, for {target} %",
        "{advisor} 상담사에게 여유가 있고, {queue} 비율이 가장 넘쳤습니다: {total}건 중 {length}건, 목표 {target}%",
    ),
    Phrase.MADE_ROOM: (
        "{advisor} made room for it by parking {cases}",
        "{advisor} 상담사가 {cases} 문의를 보류하고 여유를 냈습니다",
    ),
    Phrase.GAVE: ("{by} gave it to {advisor} by hand", "{by}님이 {advisor} 상담사에게 직접 배정했습니다"),
    Phrase.TOOK: ("{advisor} took it from the line himself", "{advisor} 상담사가 대기열에서 직접 가져갔습니다"),
    Phrase.OVERRODE: (
        "by itself it would not have gone to {advisor}: {what}",
        "{advisor} 상담사는 자동 배정 대상이 아니었습니다: {what}",
    ),
    Phrase.HAS_IT: ("{advisor} has it", "담당 상담사: {advisor}"),
    Phrase.CAME_BACK: (
        "{advisor} knows it from before, and was asked before anybody else",
        "{advisor}: 전에 담당한 문의라서 가장 먼저 배정했습니다",
    ),
    Phrase.OVER_BACK: (
        "it is above the capacity of {advisor}: work of {channel} comes back even so",
        "{advisor}: 용량을 초과하지만, {channel} 문의는 돌아올 때 담당자에게 다시 배정됩니다",
    ),
    Phrase.OVER: (
        "it is above the capacity of {advisor}, and was allowed to be",
        "{advisor} 상담사의 용량을 넘지만 허용된 배정입니다",
    ),
    Phrase.PARKED: (
        "it is parked for what interrupts: {advisor} takes it up again when there is room",
        "더 급한 문의 때문에 보류되었습니다. {advisor} 상담사에게 여유가 생기면 다시 배정됩니다",
    ),
    Phrase.SET_ASIDE: (
        "{advisor} has set it aside until {at}, and takes it up again then when there is room",
        "{advisor} 상담사가 {at}까지 직접 보류했습니다. 그 뒤 여유가 생기면 다시 배정됩니다",
    ),
    Phrase.WAITS_FOR: ("it waits for the {on}{until}", "{on} 회신을 기다리는 중입니다{until}"),
    Phrase.UNTIL: (" until {at}", ", {at}까지"),
    Phrase.OFFERED: ("offered to {advisor} until {at}", "{advisor} 상담사의 수락을 기다리는 중, 기한 {at}"),
    Phrase.IS_RUNG: ("{advisor} is asked for advice until {at}", "{advisor} 상담사에게 자문 요청 중, 응답 기한 {at}"),
    Phrase.GIVES_ADVICE: ("advice beside its owner is given by {who}", "자문 중: {who} (담당자는 그대로입니다)"),
    Phrase.ASK_DECLINED: ("{advisor} declined to give advice", "{advisor} 상담사가 자문 요청을 거절했습니다"),
    Phrase.ASK_EXPIRED: (
        "{advisor} did not answer when asked for advice",
        "{advisor} 상담사가 자문 요청에 응답하지 않았습니다",
    ),
    Phrase.ASK_LEFT: ("{advisor} left when asked for advice", "{advisor} 상담사가 자문 요청 중에 자리를 떠났습니다"),
    Phrase.NOBODY_RUNG: ("nobody is asked for advice any more", "더 이상 자문을 요청할 상담사가 없습니다"),
    Phrase.OUT: ("{count} {reason} ({who})", "상담사 {count}명: {reason} ({who})"),
    Phrase.WRAP_UP: ("{advisor} is in wrap-up for {span}", "{advisor} 상담사: 후처리 중, {span} 남음"),
    Phrase.CAN_TAKE: (
        "{who} can take it now: it comes next, or a more urgent case comes first",
        "지금 맡을 수 있는 상담사: {who}. 곧 배정되거나, 더 급한 문의가 먼저 배정됩니다",
    ),
    Phrase.CAN_PARK: (
        "{who} can take it now by parking {channels}: it comes next, or a more urgent case comes first",
        "{channels} 문의를 보류하고 지금 맡을 수 있는 상담사: {who}. 곧 배정되거나, 더 급한 문의가 먼저 배정됩니다",
    ),
    Phrase.CLOCK_DUE: ("its {clock} clock is due at {at}", "{clock} 기한: {at}"),
    Phrase.BEHIND: ("cases of its kind before it in line: {count}", "같은 조건의 문의 {count}건이 앞에 있습니다"),
    Phrase.BEHIND_MANY: (
        "cases of its kind before it in line: {count} or more",
        "같은 조건의 문의가 {count}건 이상 앞에 있습니다",
    ),
    Phrase.WAIT: (
        "cases that go before it: {ahead}; it waits about {likely} more, in 8 of 10 such cases {least} to {most}",
        "먼저 배정될 문의 {ahead}건, 앞으로 예상 대기 시간은 {likely} 정도입니다(10건 중 8건은 {least}~{most})",
    ),
    Phrase.SECONDS: ("{number} s", "{number}초"),
    Phrase.MINUTES: ("{number} min", "{number}분"),
    Phrase.HOURS: ("{number} h", "{number}시간"),
    Phrase.ASKS_SINCE: ("step {number} of relaxation holds: {what}", "조건 완화 {number}단계 적용 중: {what}"),
    Phrase.ASKS_IN: ("in {span} {what}", "{span} 뒤: {what}"),
    Phrase.ASKS_NEVER: ("never, by its business hours, {what}", "업무 시간 안에는 적용되지 않음: {what}"),
    Phrase.LEVEL_FALLS: ("the level of {skill} falls to {level}", "{skill} 기술 수준 {level} 이상이면 가능"),
    Phrase.NOT_NEEDED: ("{skill} is preferred and no longer needed", "{skill} 기술이 필수에서 우대로 바뀜"),
    Phrase.QUEUES_TOO: ("members of {names} may have it too", "대기열 {names} 담당자도 가능"),
    Phrase.SECONDARY_TOO: ("secondary members of {names} may have it too", "대기열 {names} 보조 담당자도 가능"),
    Phrase.TIERS_TOO: ("advisors of tier {names} may have it too", "{names} 등급도 가능"),
    Phrase.LANGUAGES_TOO: ("speakers of {names} may have it too", "{names} 언어로 응대하는 상담사도 가능"),
    Phrase.LANGUAGE_FALLS: ("its language is enough at level {level}", "언어 수준 {level}부터 가능"),
    Phrase.ANY_LANGUAGE: ("it may go to whoever speaks any language", "언어와 상관없이 가능"),
    Phrase.OR: (" or ", ", "),
    Phrase.STEP_IN: (
        "in {span} it takes step {number}, by the ladder {ladder}: {what}",
        "{span} 뒤 에스컬레이션 {ladder} {number}단계 적용: {what}",
    ),
    Phrase.PRIORITY_RISES: ("its priority rises by {count}", "우선순위가 {count}만큼 올라감"),
    Phrase.MOVES_UP: ("it moves up a tier", "한 등급 위로 이관됨"),
    Phrase.IS_TAKEN: ("it is taken from who has it", "현재 상담사에게서 회수되어 다시 배정됨"),
    Phrase.ASKS_IN_ANOTHER: ("another advisor is asked in", "다른 상담사에게 함께 처리하도록 요청됨"),
    Phrase.IS_TOLD: ("{names} is told", "{names}에 알림"),
    Phrase.IS_LABELLED: ("it is labelled {names}", "라벨 {names} 추가"),
    Phrase.CHANGES_LADDER: ("it climbs the ladder {name} from then on", "이후 에스컬레이션 {name} 적용"),
    Phrase.IS_KEPT_FROM: ("{names} must not have it from then on", "이후 {names} 상담사 배정 제외"),
    Phrase.NOBODY: (
        "no single change frees it: more than one thing stands in the way of each advisor",
        "한 가지만 바꿔서는 배정될 수 없습니다. 상담사마다 맞지 않는 조건이 둘 이상입니다",
    ),
    Phrase.COMES_ONLINE: (
        "it is taken when one of these comes online for it: {who}",
        "다음 상담사가 이 채널에 온라인이 되면 배정됩니다: {who}",
    ),
    Phrase.GETS_ROOM: (
        "it is taken when one of these gets room: {who}",
        "다음 상담사에게 여유가 생기면 배정됩니다: {who}",
    ),
    Phrase.LEARNS: (
        "it would be taken with {name} at level {level} by one of: {who}",
        "다음 상담사의 {name} 기술 수준이 {level} 이상이면 배정됩니다: {who}",
    ),
    Phrase.SPEAKS: (
        "it would be taken if one of these spoke {name}: {who}",
        "다음 상담사가 {name} 언어를 할 수 있으면 배정됩니다: {who}",
    ),
    Phrase.SPEAKS_AT: (
        "it would be taken if one of these spoke {name} at level {level}: {who}",
        "다음 상담사의 {name} 언어 수준이 {level}이면 배정됩니다: {who}",
    ),
    Phrase.SERVES: (
        "it would be taken if one of these served queue {name}: {who}",
        "다음 상담사가 대기열 {name}에 속하면 배정됩니다: {who}",
    ),
    Phrase.IS_OF_TIER: (
        "it would be taken if one of these were of tier {name}: {who}",
        "다음 상담사가 {name} 등급이면 배정됩니다: {who}",
    ),
    Phrase.MAY_INTERRUPT: (
        "it would be taken if the rules let {name} interrupt (`interrupts`): {who}",
        "규칙에서 {name} 채널이 다른 업무를 보류시킬 수 있게 하면(`interrupts`) 배정됩니다: {who}",
    ),
    Phrase.MAY_BE_PARKED: (
        "it would be taken if the rules let {name} be parked for it (`interruptible`): {who}",
        "규칙에서 {name} 채널의 업무를 보류할 수 있게 하면(`interruptible`) 배정됩니다: {who}",
    ),
    Phrase.WOULD_PARK: (" (parking {cases})", " ({cases} 보류)"),
    Phrase.IS_LIFTED: (
        "it is taken when the exclusion of one of these is lifted: {who}",
        "다음 상담사의 배정 제외를 풀면 배정됩니다: {who}",
    ),
    Phrase.EXCLUDED_BY: (
        "{advisor} must not have it, says {by}{reason}",
        "{advisor} 상담사는 배정 제외, 지정: {by}{reason}",
    ),
    Phrase.EXCLUDED_BY_RULES: ("{advisor} must not have it, by {rules}", "{advisor} 상담사는 배정 제외, 규칙 {rules}"),
    Phrase.HOLD_ENDS: (
        "it is kept for {name} until its hold ends at {at}; then others can take it",
        "{name} 상담사에게 먼저 배정하려고 기다리는 중이며, {at}부터 다른 상담사에게도 배정됩니다",
    ),
    Phrase.COOL_DOWN_ENDS: (
        "it is offered again to {name}, who declined or missed it, when the cool-down ends at {at}",
        "거절했거나 응답하지 않은 {name} 상담사에게 {at}부터 다시 배정을 요청합니다",
    ),
    Phrase.STEP_TAKEN: (
        "it is taken when step {name} of relaxation comes at {at}",
        "{at}에 조건 완화 {name}단계가 적용되면 배정됩니다",
    ),
    Phrase.SECONDARY_JOIN: (
        "it is taken when secondary members of {name} join at {at}",
        "{at}에 대기열 {name} 보조 담당자가 합류하면 배정됩니다",
    ),
    Phrase.MORE_UNITS: (" ({units} more units)", " ({units} 단위 부족)"),
    Phrase.CAP_REACHED: (" (has {cap} of {cap} {channel})", " ({channel} {cap}건 중 {cap}건)"),
    Phrase.AWAY_FROM: (" (is online, but not for {channel})", " (온라인이지만 {channel} 채널은 받지 않음)"),
    Phrase.FIRST: (" (after case {case}, which is more urgent)", " (더 급한 문의 {case} 다음)"),
    Phrase.MORE: (", ...", " 외"),
    Phrase.ROWS_GONE: (
        "how the advisors stood then isn't known here any more: this is what was recorded",
        "당시 상담사 현황이 더 이상 남아 있지 않아, 기록된 내용만 보여 드립니다",
    ),
    Phrase.RULES_GONE: (
        "the rulebook of then isn't known here any more: this is what was recorded",
        "당시 규칙이 더 이상 남아 있지 않아, 기록된 내용만 보여 드립니다",
    ),
}

OF_ADVISORS: Final[Mapping[Filter, Phrase]] = {
    Filter.PRESENCE: Phrase.COMES_ONLINE,
    Filter.ROOM: Phrase.GETS_ROOM,
    Filter.SKILL: Phrase.LEARNS,
    Filter.LANGUAGE: Phrase.SPEAKS,
    Filter.QUEUE: Phrase.SERVES,
    Filter.TIER: Phrase.IS_OF_TIER,
    Filter.EXCLUDED: Phrase.IS_LIFTED,
}
OF_RULES: Final[Mapping[Allowing, Phrase]] = {
    Allowing.INTERRUPTS: Phrase.MAY_INTERRUPT,
    Allowing.INTERRUPTIBLE: Phrase.MAY_BE_PARKED,
}
OF_TIME: Final[Mapping[Passing, Phrase]] = {
    Passing.HOLD: Phrase.HOLD_ENDS,
    Passing.COOL_DOWN: Phrase.COOL_DOWN_ENDS,
    Passing.STEP: Phrase.STEP_TAKEN,
}


def language_of(wanted: str) -> Language:
    """The language of a query or of an ``Accept-Language`` header (RFC 9110, section 12.5.4); English where it names
    none that is spoken here."""
    ranked = sorted(map(_ranged, wanted.lower().split(",")), key=lambda each: -each[1])
    for tag, weight in ranked:
        if weight > 0 and tag in set(Language):
            return Language(tag)
    return Language.ENGLISH


def say(language: Language, phrase: Phrase, /, **parts: object) -> str:
    return in_language(language, _PHRASES[phrase]).format(**parts)


def lasting(language: Language, seconds: int) -> str:
    """A length of time, as exact as an estimate is."""
    for phrase, unit_s, at_most in ((Phrase.SECONDS, 1, 120), (Phrase.MINUTES, 60, 120)):
        if seconds < unit_s * at_most:
            return say(language, phrase, number=round(seconds / unit_s))
    return say(language, Phrase.HOURS, number=round(seconds / 3600))


def in_language(language: Language, both: tuple[str, str]) -> str:
    """The one of two, English and Korean, that is in the language."""
    english, korean = both
    return korean if language is Language.KOREAN else english


def _ranged(part: str) -> tuple[str, float]:
    tag, _, weight = part.strip().partition(";q=")
    try:
        return tag.partition("-")[0].strip(), float(weight or 1)
    except ValueError:
        return "", 0.0
