"""Bodies of several parts, as mail programs write them."""

import base64


def b64(text: str, charset: str = "utf-8") -> str:
    """Text as base64, the way it stands in a header or a body."""
    return base64.b64encode(text.encode(charset)).decode()


GMAIL_ALTERNATIVE = """--0000000000a1
Content-Type: text/plain; charset="UTF-8"
Content-Transfer-Encoding: base64

{plain}
--0000000000a1
Content-Type: text/html; charset="UTF-8"
Content-Transfer-Encoding: quoted-printable

<div dir=3D"ltr">something else</div>
--0000000000a1--
"""
OUTLOOK_HTML = """<html><head><style>p.MsoNormal {margin:0cm}</style></head><body lang=KO>
<p class=MsoNormal>청구서 금액이 틀립니다.<o:p></o:p></p>
<p class=MsoNormal>확인 부탁드립니다.</p>
<div style='border-top:solid #E1E1E1 1.0pt'><p class=MsoNormal><b>보낸 사람:</b> 고객 센터 &lt;help@shop.example&gt;<br>
<b>보낸 날짜:</b> 2024년 3월 4일 월요일 오후 2:10<br><b>받는 사람:</b> 김민수<br><b>제목:</b> 청구서</p></div>
<p class=MsoNormal>지난 달 청구서입니다.</p></body></html>"""
GMAIL_HTML_REPLY = """<div dir="ltr">Thanks, but it is still broken.</div><br><div class="gmail_quote">
<div dir="ltr" class="gmail_attr">
On Tue, Mar 5, 2024 at 3:21&#8239;PM Support
&lt;<a href="x">help@shop.example</a>&gt; wrote:<br></div>
<blockquote class="gmail_quote"><div>Please restart it.</div></blockquote></div>"""
NESTED = """--outer
Content-Type: text/plain; charset=us-ascii

See the attached mail.
--outer
Content-Type: message/rfc822

From: other@mail.example
Subject: inner
Content-Type: multipart/mixed; boundary=inner

--inner
Content-Type: text/plain

inner text
--inner--
--outer--
"""
APPLE_MIXED = """--Apple-Mail-1
Content-Type: text/plain; charset=utf-8

Before the picture.

--Apple-Mail-1
Content-Disposition: inline; filename=IMG_0001.jpeg
Content-Type: image/jpeg; name=IMG_0001.jpeg
Content-Transfer-Encoding: base64

/9j/4AAQSkZJRg==
--Apple-Mail-1
Content-Type: text/plain; charset=utf-8

After the picture.

Sent from my iPhone
--Apple-Mail-1--
"""
KOREAN_FILES = f"""--b
Content-Type: text/plain; charset=utf-8

영수증 첨부합니다.
--b
Content-Type: application/pdf; name="=?euc-kr?B?{b64("영수증.pdf", "euc-kr")}?="
Content-Disposition: attachment; filename="=?euc-kr?B?{b64("영수증.pdf", "euc-kr")}?="
Content-Transfer-Encoding: base64

JVBERi0xLjQ=
--b
Content-Type: image/png
Content-Disposition: attachment; filename*0*=UTF-8''%EC%82%AC; filename*1*=%EC%A7%84.png
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--b--
"""
RELATED = """--alt
Content-Type: text/plain; charset=utf-8

See the picture [cid:1]
--alt
Content-Type: multipart/related; boundary=rel

--rel
Content-Type: text/html; charset=utf-8

<p>See the picture <img src="cid:1"></p>
--rel
Content-Type: image/png; name="image001.png"
Content-ID: <1>
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--rel--
--alt
Content-Type: text/calendar; charset=utf-8

BEGIN:VCALENDAR
--alt--
"""
TNEF = """--b
Content-Type: text/plain; charset="iso-8859-1"

Order 1 is caf\xe9 brown.
--b
Content-Type: application/ms-tnef; name="winmail.dat"
Content-Disposition: attachment; filename="winmail.dat"
Content-Transfer-Encoding: base64

eJ8+IgEVAQ==
--b--
"""
