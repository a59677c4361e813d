"""What the rulebook that ships says about sentences as customers write them."""

from importlib.resources import files

import pytest

from rules import CustomerFacts, Facts, Roster, Rulebook, Want, judge, lint, load, load_roster

_DEFAULTS = files("rules") / "defaults"


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load({name: (_DEFAULTS / name).read_text("utf-8") for name in ("rulebook.yaml", "rules.yaml")})


@pytest.fixture(scope="module")
def roster() -> Roster:
    return load_roster({"roster.yaml": (_DEFAULTS / "roster.yaml").read_text("utf-8")})


def ask(text: str, **more: object) -> Facts:
    return Facts(channel="email", account="support", text=text, **more)  # type: ignore[arg-type]


SENTENCES = [
    ("Where is my parcel? The tracking page has not changed for a week.", "en", "delivery", "delivery", 3),
    ("My order was shipped ten days ago and I have nothing.", "en", "delivery", "delivery", 3),
    ("Hello, can you deliver to a different address?", "en", "delivery", "delivery", 3),
    ("The courier left the box with a neighbour I don't know.", "en", "delivery", "delivery", 3),
    ("주문한 상품 배송이 언제 되나요?", "ko", "delivery", "delivery", 3),
    ("택배가 아직도 안 왔어요.", "ko", "delivery", "delivery", 3),
    ("운송장 번호 좀 알려주세요", "ko", "delivery", "delivery", 3),
    ("송장번호 조회가 안 됩니다. iPhone 15 Pro Max 주문했어요", "ko", "delivery", "delivery", 3),
    ("I would like a refund for my last order.", "en", "returns", "returns", 3),
    ("How do I return this jacket? It is too small.", "en", "returns", "returns", 3),
    ("You sent me the wrong size, can I exchange it?", "en", "returns", "returns", 3),
    ("The cup arrived broken.", "en", "returns", "returns", 3),
    ("환불 신청하고 싶습니다.", "ko", "returns", "returns", 3),
    ("사이즈가 안 맞아서 교환하려고요", "ko", "returns", "returns", 3),
    ("받은 물건이 파손되어 있어요. 반품할게요.", "ko", "returns", "returns", 3),
    ("I was charged twice for one order!", "en", "billing", "billing", 5),
    ("There is an unknown charge on my statement.", "en", "billing", "billing", 5),
    ("이중결제 된 것 같아요 확인 부탁드립니다", "ko", "billing", "billing", 5),
    ("두 번 결제되었습니다. 한 건 환불해 주세요.", "ko", "billing", "billing", 5),
    ("Can you send me an invoice with VAT?", "en", "billing", "billing", 3),
    ("Do you take American credit cards?", "en", "billing", "billing", 3),
    ("세금계산서 발행 부탁드립니다.", "ko", "billing", "billing", 3),
    ("쿠폰이 적용되지 않아요", "ko", "billing", "billing", 3),
    ("I can't log in since yesterday.", "en", "account-access", "account-access", 3),
    ("I forgot my password and the link in the mail is dead.", "en", "account-access", "account-access", 3),
    ("My verification code never comes.", "en", "account-access", "account-access", 3),
    ("로그인이 안 돼요.", "ko", "account-access", "account-access", 3),
    ("비밀번호를 잊어버렸습니다", "ko", "account-access", "account-access", 3),
    ("계정이 잠겼어요 도와주세요", "ko", "account-access", "account-access", 3),
    ("I think my account was hacked, somebody ordered things.", "en", "account-access", "account-access", 6),
    ("제 계정이 해킹당한 것 같아요.", "ko", "account-access", "account-access", 6),
    ("The app crashes when I open the camera.", "en", "technical", "technical", 3),
    ("Your website shows an error 500.", "en", "technical", "technical", 3),
    ("My speaker is not working with Bluetooth any more.", "en", "technical", "technical", 3),
    ("앱이 계속 튕겨요", "ko", "technical", "technical", 3),
    ("업데이트 후에 오류가 납니다", "ko", "technical", "technical", 3),
    ("홈페이지 접속이 느려요", "ko", "technical", "technical", 3),
    ("This is unacceptable, I want to speak to a manager.", "en", "complaints", "complaints", 4),
    ("I want to make a complaint about your driver.", "en", "complaints", "complaints", 4),
    ("상담원이 너무 불친절했습니다.", "ko", "complaints", "complaints", 4),
    ("서비스가 정말 최악이네요", "ko", "complaints", "complaints", 4),
    ("If I don't get my money back I will call my lawyer.", "en", "complaints", "complaints", 6),
    ("소비자원에 신고하겠습니다.", "ko", "complaints", "complaints", 6),
    ("Do you have a shop in Leeds?", "en", "general", None, 0),
    ("매장 영업시간이 어떻게 되나요?", "ko", "general", None, 0),
    ("Thank you for your help!", "en", "general", None, 0),
    ("I am a friend of the pursuer of paperwork.", "en", "general", None, 0),
]


@pytest.mark.parametrize(("text", "language", "queue", "skill", "level"), SENTENCES)
def test_a_sentence_finds_its_queue(
    rulebook: Rulebook, text: str, language: str, queue: str, skill: str | None, level: int
) -> None:
    verdict = judge(rulebook, ask(text))
    assert (verdict.queue, verdict.language) == (queue, language)
    assert verdict.wants == ((Want(skill, level),) if skill else ())


def test_the_subject_counts_as_well_as_the_text(rulebook: Rulebook) -> None:
    assert judge(rulebook, ask("See below.", subject="Refund for order 17")).queue == "returns"


def test_a_form_topic_comes_before_the_words(rulebook: Rulebook) -> None:
    verdict = judge(rulebook, ask("The app won't take my card", fields={"topic": "Billing"}))
    assert verdict.queue == "billing"


def test_a_vip_keeps_his_queue_and_still_gets_the_skill(rulebook: Rulebook) -> None:
    verdict = judge(rulebook, ask("환불해 주세요", customer=CustomerFacts(tags=("VIP",))))
    assert (verdict.queue, verdict.priority, verdict.policy) == ("vip", 1, "vip")
    assert verdict.wants == (Want("returns", 3),)
    assert verdict.labels == ("vip", "returns")
    assert [reason.rule for reason in verdict.reasons] == ["vip-customer", "returns", "queue", "language"]


def test_a_case_reopened_again_is_raised_and_goes_where_it_belongs(rulebook: Rulebook) -> None:
    verdict = judge(rulebook, ask("Where is my parcel?", reopened=2))
    assert (verdict.queue, verdict.priority) == ("delivery", 2)


def test_the_queue_gives_policy_ladder_and_acknowledgement(rulebook: Rulebook) -> None:
    verdict = judge(rulebook, ask("I can't log in"))
    assert (verdict.policy, verdict.ladder, verdict.acknowledge) == ("urgent", "standard", True)


def test_each_queue_but_the_general_one_is_reached_by_a_rule(rulebook: Rulebook) -> None:
    reached = {rule.set.queue for rule in rulebook.rules if rule.set.queue}
    assert reached == set(rulebook.queues) - {"general"}


def test_the_default_roster_serves_the_default_rulebook(rulebook: Rulebook, roster: Roster) -> None:
    assert lint(rulebook, roster) == ()
    assert len(roster.advisors) == 24


@pytest.mark.parametrize(
    ("channel", "units"),
    [
        ("voice", 100),
        ("chat", 30),
        ("messenger", 20),
        ("telegram", 20),
        ("web_form", 10),
        ("email", 10),
        ("webhook", 15),
    ],
)
def test_channel_weights(rulebook: Rulebook, channel: str, units: int) -> None:
    assert rulebook.weight(channel).units == units


def test_a_channel_unknown_to_the_rulebook_has_the_default_weight(rulebook: Rulebook) -> None:
    assert rulebook.weight("carrier-pigeon").units == 10
