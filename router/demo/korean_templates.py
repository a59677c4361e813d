"""What Korean customers write in the demo. See ``templates``."""

from typing import Final

from router.demo.template import Template


def _korean(name: str, skills: dict[str, int], subject: str, text: str, *, queue: str = "") -> Template:
    return Template(
        name=f"ko-{name}", language="ko", skills=skills, queue=queue or next(iter(skills)), subject=subject, text=text
    )


KOREAN: Final = (
    _korean(
        "tax-invoice",
        {"billing": 3},
        "세금계산서",
        "안녕하세요. 주문 {token} 세금계산서를 사업자 번호로 발행해 주실 수 있나요?",
    ),
    _korean(
        "charged-twice", {"billing": 5}, "결제 확인", "주문 {token} 금액이 카드로 두 번 결제되었어요. 확인해 주세요."
    ),
    _korean("fee", {"billing": 3}, "구독 요금", "이번 달 구독 {token} 요금이 왜 올랐는지 알고 싶습니다."),
    _korean("coupon", {"billing": 3}, "쿠폰", "주문 {token}에 쿠폰이 적용되지 않았어요. 지금이라도 적용되나요?"),
    _korean("where", {"delivery": 3}, "언제 오나요", "주문 {token} 배송이 월요일이라고 했는데 아직 안 왔어요."),
    _korean("door", {"delivery": 3}, "문 앞 배달", "주문 {token} 택배를 문 앞에 두었다는데 아무것도 없습니다."),
    _korean("new-address", {"delivery": 3}, "주소 변경", "이사를 했습니다. 주문 {token} 배송지를 바꿀 수 있을까요?"),
    _korean("tracking", {"delivery": 3}, "조회", "주문 {token} 운송장 번호로 조회가 나흘째 그대로입니다."),
    _korean(
        "size", {"returns": 3}, "사이즈", "주문 {token} 신발 사이즈가 안 맞아요. 한 치수 큰 것으로 교환하고 싶어요."
    ),
    _korean("broken", {"returns": 3}, "파손", "주문 {token} 상자를 열어 보니 유리가 파손되어 있습니다. 어떻게 할까요?"),
    _korean("refund", {"returns": 3}, "환불", "주문 {token} 물건을 보낸 지 2주가 지났는데 환불이 아직입니다."),
    _korean("send-back", {"returns": 3}, "반품", "주문 {token} 자켓을 반품하려고 합니다. 한 번도 입지 않았어요."),
    _korean("app", {"technical": 3}, "앱", "주문 {token} 내역을 누르면 앱이 자꾸 꺼지고 튕겨요."),
    _korean(
        "earphones", {"technical": 3}, "이어폰", "주문 {token} 이어폰이 몇 분마다 멈춰요. 작동 방법이 따로 있나요?"
    ),
    _korean(
        "screen", {"technical": 3}, "업데이트", "업데이트 뒤에 기기 화면이 검게만 나옵니다. 주문 번호는 {token}입니다."
    ),
    _korean("log-in", {"account-access": 3}, "로그인", "어제부터 로그인이 안 됩니다. 마지막 주문은 {token}이에요."),
    _korean("password", {"account-access": 3}, "재설정", "비밀번호를 바꾸고 싶은데 메일이 오지 않아요. ({token})"),
    _korean(
        "hacked", {"account-access": 6}, "도와주세요", "제가 하지 않은 주문 {token}이 있어요. 해킹을 당한 것 같습니다."
    ),
    _korean(
        "rude", {"complaints": 4}, "상담", "주문 {token} 때문에 전화했더니 너무 불친절했습니다. 사과를 받고 싶어요."
    ),
    _korean(
        "worst",
        {"complaints": 4},
        "세 번째",
        "주문 {token} 약속을 세 번이나 어기다니 최악이네요. 책임 있는 답을 주세요.",
    ),
    _korean(
        "legal",
        {"complaints": 6},
        "마지막 연락",
        "주문 {token} 건이 이번 주에 해결되지 않으면 소비자원에 알리겠습니다.",
    ),
    _korean("hours", {}, "문의", "안녕하세요. {token}번으로 담아 둔 물건을 매장에서 볼 수 있나요?", queue="general"),
    _korean(
        "vip-where", {"delivery": 3}, "우수 고객", "VIP 고객입니다. 주문 {token} 배송이 어제까지였습니다.", queue="vip"
    ),
    _korean(
        "vip-receipt", {"billing": 3}, "우수 고객", "VIP 고객인데 주문 {token} 영수증을 바로 보내 주세요.", queue="vip"
    ),
)

MORE_KO: Final = (
    "말씀을 못 드렸는데 조금 급합니다. ({token})",
    "한 가지 더요, {token}. 저는 오전에만 집에 있어요.",
    "혹시 보셨나요? 이 건의 번호는 {token}입니다.",
)
ANSWERS_KO: Final = (
    "네, 말씀하신 것이 맞습니다. ({token})",
    "지난 화요일 것이에요, {token}. 물어봐 주셔서 고맙습니다.",
)
LATER_KO: Final = (
    "고맙습니다! 그런데 하나만 더요, {token}. 확인 메일도 오나요?",
    "죄송해요, 한 번 더 여쭤볼 것이 있어요. ({token})",
)
