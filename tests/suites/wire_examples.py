"""One realistic example of every message but the case events; the golden files are these, encoded."""

from typing import Final

import msgspec

from router.contract import (
    ACTIVE_RULEBOOK,
    AccountId,
    ActiveRulebook,
    Address,
    Advisor,
    AdvisorId,
    AnyMessage,
    ApiKey,
    Attachment,
    CaseId,
    CaseNote,
    Customer,
    Delivery,
    DeliveryState,
    Handover,
    Inquiry,
    Notice,
    OperationId,
    PoolId,
    Presence,
    Profile,
    RelayNote,
    Reply,
    Role,
    conversation_id,
    key_entry,
    mail_inquiry_id,
    notice_id,
    reply_id,
)

MAIN: Final = PoolId("main")
MAIL: Final = AccountId("support-mail")
SHOP_PAGE: Final = AccountId("shop-page")
START_MS: Final = 1_795_324_775_120
INQUIRY_ID: Final = mail_inquiry_id("<CAF1x9@mail.example.kr>", "help@shop.example.com", "9f2c1d0b")
CONVERSATION: Final = conversation_id(MAIL, "<CAF1x9@mail.example.kr>")
CASE: Final = CaseId(INQUIRY_ID)
REPLY_ID: Final = reply_id(CASE, OperationId("key-7:reply-1"))
MINJI: Final = AdvisorId("minji")
BEN: Final = AdvisorId("ben")

INQUIRY: Final = Inquiry(
    id=INQUIRY_ID,
    pool=MAIN,
    account=MAIL,
    channel="email",
    conversation=CONVERSATION,
    customer=Customer(id="haneul@mail.example.kr", name="이하늘", locale="ko-KR", segment="gold", tags=("subscriber",)),
    reply_to=Address(account=MAIL, address="haneul@mail.example.kr"),
    received_at_ms=START_MS,
    subject="주문한 컵이 깨져서 왔어요 (order #48213)",
    text='안녕하세요, 어제 받은 머그컵 2개 중 하나가 깨져 있습니다. 😢\n교환이 될까요?\n\n"Fragile" was on the box.',
    quoted="> 주문해 주셔서 감사합니다. 내일 도착할 예정입니다.",
    language="ko",
    labels=("mail",),
    fields={"order": "48213"},
    attachments=(
        Attachment(
            name="깨진 컵.jpg",
            media_type="image/jpeg",
            size_bytes=183_402,
            sha256="5d2f8a1b3c4e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8",
            blob=f"{MAIL}/{INQUIRY_ID}/0",
        ),
    ),
    thread={"message_id": "<CAF1x9@mail.example.kr>", "references": "<order-48213@shop.example.com>"},
    sent_at_ms=START_MS - 4_120,
)

EXAMPLES: Final[dict[str, AnyMessage]] = {
    "inquiry": INQUIRY,
    "inquiry-automatic": Inquiry(
        id=mail_inquiry_id("<ooo-1@corp.example.com>", "help@shop.example.com", "00aa"),
        pool=MAIN,
        account=MAIL,
        channel="email",
        conversation=CONVERSATION,
        customer=Customer(id="ann@corp.example.com"),
        reply_to=Address(account=MAIL, address="ann@corp.example.com"),
        received_at_ms=START_MS + 60_000,
        subject="Out of office",
        text="I am away until Monday.",
        automatic=True,
    ),
    "handover": Handover(
        id=f"{CASE}:1.25",
        pool=PoolId("b2b"),
        from_pool=MAIN,
        from_case=CASE,
        conversation=CONVERSATION,
        queue="wholesale",
        at_ms=START_MS + 300_000,
        case=msgspec.Raw(b'{"customer":"haneul@mail.example.kr","opened_at_ms":1795324775120}'),
    ),
    "reply": Reply(
        id=REPLY_ID,
        pool=MAIN,
        case=CASE,
        conversation=CONVERSATION,
        to=INQUIRY.reply_to,
        text="안녕하세요, 이하늘 고객님. 새 컵을 오늘 보내 드리겠습니다.\n\nKind regards, Minji",
        created_at_ms=START_MS + 180_000,
        subject="Re: 주문한 컵이 깨져서 왔어요 (order #48213)",
        advisor=MINJI,
        thread=INQUIRY.thread,
    ),
    "reply-automatic": Reply(
        id=reply_id(CASE, OperationId("acknowledgement")),
        pool=MAIN,
        case=CASE,
        conversation=CONVERSATION,
        to=INQUIRY.reply_to,
        text="문의를 잘 받았습니다. 영업일 하루 안에 답변 드리겠습니다.",
        created_at_ms=START_MS + 2_000,
        attachments=(
            Attachment(
                name="교환 안내.pdf",
                media_type="application/pdf",
                size_bytes=20_480,
                sha256="0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
                blob="templates/exchange-ko",
            ),
        ),
        thread=INQUIRY.thread,
        automatic=True,
    ),
    "delivery": Delivery(
        reply=REPLY_ID,
        pool=MAIN,
        case=CASE,
        account=MAIL,
        conversation=CONVERSATION,
        state=DeliveryState.SENT,
        at_ms=START_MS + 181_400,
        provider_message_id="250-4bXkq1",
    ),
    "delivery-failed": Delivery(
        reply=REPLY_ID,
        pool=MAIN,
        case=CASE,
        account=SHOP_PAGE,
        conversation=CONVERSATION,
        state=DeliveryState.FAILED,
        at_ms=START_MS + 181_400,
        reason="the reply window of 24 hours is over",
    ),
    "notice": Notice(
        id=notice_id(CASE, "breach|first_response", "slack-leads"),
        pool=MAIN,
        case=CASE,
        kind="breach",
        target="slack-leads",
        at_ms=START_MS + 3_600_000,
        queue="returns",
        priority=2,
        step=1,
        clock="first_response",
        due_at_ms=START_MS + 3_600_000,
        staff=(MINJI, BEN),
        about=MINJI,
        not_before_ms=START_MS + 36_000_000,
        trigger="by-hand",
        owner=BEN,
        top=True,
    ),
    "advisor": Advisor(
        id=MINJI,
        pool=MAIN,
        gen=1,
        ver=12,
        elig=3,
        at_ms=START_MS + 200_000,
        presence=Presence.AWAY,
        profile=Profile(
            name="김민지",
            team="care",
            tier="senior",
            skills={"returns": 8, "billing": 4},
            languages={"ko": 10, "en": 6},
            queues=("returns", "billing"),
            secondary=("complaints",),
            budget=100,
            caps={"chat": 3},
            contact="minji@shop.example.com",
            contacts={"slack": "U012AB3CD"},
        ),
        away_from=("call",),
        reason="lunch",
        idle_since_ms=START_MS + 190_000,
        number=57,
    ),
    "relay-note": RelayNote(pool=MAIN, gen=1, number=1_024, at_ms=START_MS + 201_000),
    "note": CaseNote(
        pool=MAIN,
        case=CASE,
        gen=1,
        ver=5,
        number=1_025,
        text="창고에 확인함: 같은 컵이 아직 있음. He may keep the broken one.",
        at_ms=START_MS + 201_400,
        author=MINJI,
    ),
}

# By the record key that they lie under.
CONFIG_EXAMPLES: Final[dict[str, tuple[str, ApiKey | ActiveRulebook]]] = {
    "api-key": (
        key_entry("8c41f0a27be3"),
        ApiKey(
            id="8c41f0a27be3",
            sha256="b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
            role=Role.SUPERVISOR,
            pool=MAIN,
            created_at_ms=START_MS - 86_400_000,
            advisor=MINJI,
            name="민지, 교대 책임자",
        ),
    ),
    "api-key-revoked": (
        key_entry("15d9e6c0b482"),
        ApiKey(
            id="15d9e6c0b482",
            sha256="2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            role=Role.OPERATIONS,
            pool=MAIN,
            created_at_ms=START_MS - 172_800_000,
            revoked=True,
        ),
    ),
    "active-rulebook": (
        ACTIVE_RULEBOOK,
        ActiveRulebook(hash="3b1f0c9e5a7d2468", at_ms=START_MS - 3_600_000, by="files"),
    ),
}
