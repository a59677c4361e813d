"""Mails as mail programs write them, with what a person reads in each. Addresses and people are invented."""

from typing import NamedTuple

from tests.suites.email_bodies import (
    APPLE_MIXED,
    GMAIL_ALTERNATIVE,
    GMAIL_HTML_REPLY,
    KOREAN_FILES,
    NESTED,
    OUTLOOK_HTML,
    RELATED,
    TNEF,
    b64,
)

MAILBOX = "help@shop.example"


class Sample(NamedTuple):
    """``files`` are the names of attachments; ``quoted`` is a piece of what must have been taken out."""

    name: str
    data: bytes
    text: str
    subject: str = ""
    author: str = "kim@mail.example"
    customer: str = ""
    quoted: str = ""
    files: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


def mail(
    body: bytes | str, *headers: str, sender: str = "kim@mail.example", message_id: str = "<m1@mail.example>"
) -> bytes:
    """A mail with the usual headers and these."""
    lines = [f"From: {sender}", f"To: {MAILBOX}", "Date: Tue, 5 Mar 2024 15:21:10 +0900"]
    if message_id:
        lines.append(f"Message-ID: {message_id}")
    head = "\r\n".join([*lines, *headers])
    raw = body.encode() if isinstance(body, str) else body
    return head.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


PLAIN_UTF8 = ("MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")
SAMPLES = (
    Sample(
        "gmail, korean, reply on top",
        mail(
            "네, 그렇게 해 주세요.\n\n2024년 3월 5일 (화) 오후 3:21, 고객 센터 <help@shop.example>님이 작성:\n\n"
            "> 환불해 드릴까요?\n> 고객 센터\n",
            "Subject: =?UTF-8?B?UmU6IO2ZmOu2iA==?=",
            *PLAIN_UTF8,
        ),
        "네, 그렇게 해 주세요.",
        subject="Re: 환불",
        quoted="환불해 드릴까요?",
    ),
    Sample(
        "gmail, korean, attribution wrapped in two lines",
        mail(
            "감사합니다\n\n2024년 3월 5일 (화) 오후 3:21, 고객 센터 <\nhelp@shop.example>님이 작성:\n\n> 안녕하세요\n",
            *PLAIN_UTF8,
        ),
        "감사합니다",
        quoted="안녕하세요",
    ),
    Sample(
        "gmail, multipart/alternative in base64",
        mail(
            GMAIL_ALTERNATIVE.format(plain=b64("배송이 안 왔어요.\r\n")),
            'Content-Type: multipart/alternative; boundary="0000000000a1"',
        ),
        "배송이 안 왔어요.",
    ),
    Sample(
        "gmail, html only, reply",
        mail(GMAIL_HTML_REPLY, "Content-Type: text/html; charset=utf-8"),
        "Thanks, but it is still broken.",
        quoted="Please restart it.",
    ),
    Sample(
        "naver, original message block",
        mail(
            '주문 취소해 주세요.\n\n-----Original Message-----\nFrom: "고객 센터" <help@shop.example>\n'
            'To: "김민수" <kim@mail.example>;\nCc:\nSent: 2024-03-05 (화) 15:21:10 (GMT+09:00)\n'
            "Subject: 주문 확인\n\n주문이 접수되었습니다.\n",
            "Subject: =?utf-8?B?" + b64("RE: 주문 확인") + "?=",
            *PLAIN_UTF8,
        ),
        "주문 취소해 주세요.",
        subject="RE: 주문 확인",
        quoted="주문이 접수되었습니다.",
    ),
    Sample(
        "naver, subject cut within a character",
        mail("내용", f"Subject: =?utf-8?B?{b64('환불')[:4]}?=\r\n =?utf-8?B?{b64('환불')[4:]}?=", *PLAIN_UTF8),
        "내용",
        subject="환불",
    ),
    Sample(
        "daum, original mail, euc-kr",
        mail(
            "빨리 답변 주세요.\n\n--------- 원본 메일 ---------\n보낸사람: 고객 센터 <help@shop.example>\n"
            "받는사람: kim\n날짜: 2024년 3월 5일\n제목: 문의\n\n기다려 주세요.\n".encode("euc-kr"),
            "Content-Type: text/plain; charset=EUC-KR",
            f"Subject: =?euc-kr?B?{b64('문의', 'euc-kr')}?=",
        ),
        "빨리 답변 주세요.",
        subject="문의",
        quoted="기다려 주세요.",
    ),
    Sample(
        "outlook express, ks_c_5601-1987 with letters beyond euc-kr",
        mail(
            "똠방각하 펲시콜라".encode("cp949"),
            'Content-Type: text/plain; charset="ks_c_5601-1987"',
            f"Subject: =?ks_c_5601-1987?B?{b64('펲시', 'cp949')}?=",
        ),
        "똠방각하 펲시콜라",
        subject="펲시",
    ),
    Sample(
        "outlook, korean, html with a header block",
        mail(OUTLOOK_HTML, "Content-Type: text/html; charset=utf-8"),
        "청구서 금액이 틀립니다.\n\n확인 부탁드립니다.",
        quoted="지난 달 청구서입니다.",
    ),
    Sample(
        "outlook, english, rule and header block",
        mail(
            "Please cancel it.\n\n________________________________\nFrom: Support <help@shop.example>\n"
            "Sent: Tuesday, March 5, 2024 3:21 PM\nTo: Kim\nSubject: Your order\n\nIt is on its way.\n",
            *PLAIN_UTF8,
        ),
        "Please cancel it.",
        quoted="It is on its way.",
    ),
    Sample(
        "apple mail, english, answers between the lines",
        mail(
            "Hello,\n\n> On Mar 5, 2024, at 3:21 PM, Support <help@shop.example> wrote:\n> \n"
            "> Which size?\n\nLarge.\n\n> Which colour?\n\nBlue.\n",
            *PLAIN_UTF8,
        ),
        "Hello,\n\nLarge.\n\nBlue.",
        quoted="Which size?",
    ),
    Sample(
        "apple mail, korean",
        mail(
            "알겠습니다.\n\n2024. 3. 5. 오후 3:21, 고객 센터 <help@shop.example> 작성:\n\n> 확인 중입니다.\n",
            *PLAIN_UTF8,
        ),
        "알겠습니다.",
        quoted="확인 중입니다.",
    ),
    Sample(
        "apple mail, text around a picture",
        mail(APPLE_MIXED, "Content-Type: multipart/mixed; boundary=Apple-Mail-1"),
        "Before the picture.\n\nAfter the picture.\n\nSent from my iPhone",
        files=("IMG_0001.jpeg",),
    ),
    Sample(
        "samsung mail, korean",
        mail(
            "고장났어요\n\n-------- 원본 이메일 --------\n발신: 고객 센터 <help@shop.example>\n"
            "날짜: 24/3/5 오후 3:21 (GMT+09:00)\n수신: kim\n제목: 안내\n\n안내드립니다.\n",
            *PLAIN_UTF8,
        ),
        "고장났어요",
        quoted="안내드립니다.",
    ),
    Sample(
        "forwarded by gmail: the forwarded text is the message",
        mail(
            "---------- Forwarded message ---------\nFrom: Bank <info@bank.example>\nDate: Tue\nSubject: Charge\n"
            "To: <kim@mail.example>\n\nYou were charged 10.\n",
            "Subject: Fwd: Charge",
            *PLAIN_UTF8,
        ),
        "---------- Forwarded message ---------\nFrom: Bank <info@bank.example>\nDate: Tue\nSubject: Charge\n"
        "To: <kim@mail.example>\n\nYou were charged 10.",
        subject="Fwd: Charge",
    ),
    Sample(
        "forwarded with a word before it, korean",
        mail(
            "이거 봐 주세요\n\n---------- 전달된 메일 ----------\n보낸사람: 은행\n"
            "날짜: 3월\n제목: 출금\n\n출금되었습니다\n",
            *PLAIN_UTF8,
        ),
        "이거 봐 주세요\n\n---------- 전달된 메일 ----------\n보낸사람: 은행\n날짜: 3월\n제목: 출금\n\n출금되었습니다",
    ),
    Sample(
        "outlook, a picture within the html alternative, and an invitation",
        mail(RELATED, "Content-Type: multipart/alternative; boundary=alt"),
        "See the picture [cid:1]",
        files=("image001.png", "file-2.ics"),
    ),
    Sample(
        "winmail.dat",
        mail(TNEF.encode("latin-1"), "Content-Type: multipart/mixed; boundary=b"),
        "Order 1 is café brown.",
        files=("winmail.dat",),
    ),
    Sample(
        "a mail within a mail",
        mail(NESTED, "Content-Type: multipart/mixed; boundary=outer"),
        "See the attached mail.",
        files=("file-1.eml",),
    ),
    Sample(
        "korean names of files, three ways of writing them",
        mail(KOREAN_FILES, "Content-Type: multipart/mixed; boundary=b"),
        "영수증 첨부합니다.",
        files=("영수증.pdf", "사진.png"),
    ),
    Sample(
        "a charset that does not exist",
        mail("안녕하세요 고객센터".encode("cp949"), "Content-Type: text/plain; charset=x-no-such-thing"),
        "안녕하세요 고객센터",
    ),
    Sample(
        "said to be utf-8, is cp949",
        mail("환불 요청합니다".encode("cp949"), "Content-Type: text/plain; charset=utf-8"),
        "환불 요청합니다",
    ),
    Sample(
        "utf-8 with one cut character",
        mail(b"The price is 10 " + "€".encode()[:2] + b" and that is too much for me, thank you.", *PLAIN_UTF8),
        "The price is 10 \ufffd and that is too much for me, thank you.",
    ),
    Sample("says nothing of itself", mail("안녕".encode("cp949")), "안녕"),
    Sample("raw 8-bit subject", mail("x", "Subject: \udcb9\udcae\udcc0\udcc7"), "x", subject="문의"),
    Sample(
        "no Message-ID",
        mail("Hello?", message_id=""),
        "Hello?",
    ),
    Sample(
        "very long lines",
        mail("word " * 10_000, *PLAIN_UTF8),
        ("word " * 10_000).strip(),
    ),
    Sample(
        "a name in another charset, address in capitals",
        mail("Hi", sender=f"=?euc-kr?B?{b64('김민수', 'euc-kr')}?= <Kim@Mail.Example>"),
        "Hi",
        author="Kim@Mail.Example",
        customer="김민수",
    ),
    Sample(
        "a web form writing as ourselves, the customer in Reply-To",
        mail("I want my money", "Reply-To: Lee <lee@mail.example>", sender=f"Shop <{MAILBOX}>"),
        "I want my money",
        author="lee@mail.example",
        customer="Shop",
    ),
    Sample("bare line feeds only", mail("one\ntwo").replace(b"\r\n", b"\n"), "one\ntwo"),
    Sample(
        "a boundary that never closes",
        mail("--b\nContent-Type: text/plain\n\nstill here", "Content-Type: multipart/mixed; boundary=b"),
        "still here",
    ),
    Sample(
        "multipart without a boundary",
        mail("just text", "Content-Type: multipart/mixed"),
        "just text",
    ),
    Sample("only a quotation is the message", mail("> this is all\n> there is\n"), "> this is all\n> there is"),
    Sample(
        "disguises in the text",
        mail("pay\u202egnp.exe\x00\x07 e\u0301", *PLAIN_UTF8),
        "paygnp.exe é",
    ),
    Sample(
        "german outlook",
        mail(
            "Danke!\n\nVon: Support <help@shop.example>\nGesendet: Dienstag, 5. März 2024 15:21\n"
            "An: Kim\nBetreff: Frage\n\nBitte.\n",
            *PLAIN_UTF8,
        ),
        "Danke!",
        quoted="Bitte.",
    ),
    Sample(
        "french thunderbird",
        mail("Merci\n\nLe 05/03/2024 à 15:21, Support a écrit :\n> Bonjour\n", *PLAIN_UTF8),
        "Merci",
        quoted="Bonjour",
    ),
    Sample(
        "japanese gmail",
        mail("了解です\n\n2024年3月5日(火) 15:21 Support <help@shop.example>:\n\n> はい\n", *PLAIN_UTF8),
        "了解です",
        quoted="はい",
    ),
    Sample(
        "chinese qq mail",
        mail("谢谢\n\n------------------ 原始邮件 ------------------\n发件人：x\n发送时间：y\n\n您好\n", *PLAIN_UTF8),
        "谢谢",
        quoted="您好",
    ),
)
