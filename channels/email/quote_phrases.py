"""How mail programs announce the mail they quote, language by language. Data only, all in lower case."""

from typing import Final, NamedTuple


class Wrote(NamedTuple):
    """The line above a quotation ("On ... wrote:"), its colon taken off. Empty tuples ask for nothing."""

    starts: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()


WROTE: Final[dict[str, tuple[Wrote, ...]]] = {
    "en": (
        Wrote(starts=("on ", "at "), ends=(" wrote", " writes")),
        Wrote(holds=("@",), ends=(" wrote", " writes")),
        Wrote(holds=(" wrote on ",)),
    ),
    "ko": (
        Wrote(ends=("님이 작성", "님이 쓴 글", "님이 쓰셨습니다", "님이 보낸 메일", "님이 썼습니다", "님이 보냄")),
        Wrote(holds=("@", "오전", "오후"), ends=("작성", "보낸 글")),
    ),
    "ja": (
        Wrote(ends=("のメール", "が書きました", "は書きました", "さんのメッセージ")),
        Wrote(holds=("年",), ends=(">",)),
    ),
    "zh": (Wrote(ends=("写道", "寫道", "写到")),),
    "de": (Wrote(starts=("am ",), holds=(" schrieb",)),),
    "fr": (Wrote(starts=("le ",), ends=("a écrit",)),),
    "es": (Wrote(starts=("el ",), ends=("escribió",)),),
    "it": (Wrote(starts=("il ", "in data "), ends=("ha scritto",)),),
    "pt": (Wrote(starts=("em ", "a ", "no dia "), ends=("escreveu",)),),
    "nl": (Wrote(starts=("op ",), holds=(" schreef",)),),
    "sv": (Wrote(starts=("den ",), holds=(" skrev",)),),
    "pl": (Wrote(ends=(" napisał", " napisała", " napisał(a)")),),
    "ru": (Wrote(ends=(" написал", " написала", " пишет", " написал(а)")),),
    "tr": (Wrote(ends=(" yazdı",)),),
    "vi": (Wrote(ends=(" đã viết",)),),
}

# The middle of a line like "-----Original Message-----": all behind it is quoted.
ORIGINAL: Final[dict[str, tuple[str, ...]]] = {
    "en": ("original message", "original email", "original mail", "reply message"),
    "ko": ("원본 메시지", "원본메시지", "원본 메일", "원본메일", "원본 이메일", "원래 메시지", "이전 메일"),
    "ja": ("元のメッセージ", "元のメール", "オリジナルメッセージ"),
    "zh": ("原始邮件", "原始郵件", "原邮件", "回复的原邮件", "原始信件"),
    "de": ("ursprüngliche nachricht", "originalnachricht"),
    "fr": ("message d'origine", "message original"),
    "es": ("mensaje original",),
    "it": ("messaggio originale",),
    "pt": ("mensagem original",),
    "nl": ("oorspronkelijk bericht",),
    "ru": ("исходное сообщение",),
}

# The same for forwarded mail: what follows is what the customer wants to show, so it is kept.
FORWARDED: Final[dict[str, tuple[str, ...]]] = {
    "en": ("forwarded message", "begin forwarded message", "fwd message", "forwarded email"),
    "ko": ("전달된 메시지", "전달된 메일", "전달 메일", "전달된 이메일"),
    "ja": ("転送されたメッセージ", "転送メッセージ", "転送"),
    "zh": ("转发的邮件", "轉寄的郵件", "转发邮件"),
    "de": ("weitergeleitete nachricht",),
    "fr": ("message transféré",),
    "es": ("mensaje reenviado",),
    "ru": ("пересылаемое сообщение",),
}

# Names of header lines in the block that Outlook, Naver and others put above the quoted mail.
SENDER_LABELS: Final[dict[str, tuple[str, ...]]] = {
    "en": ("from",),
    "ko": ("보낸 사람", "보낸사람", "보낸이", "발신", "발신자"),
    "ja": ("差出人",),
    "zh": ("发件人", "寄件者", "寄件人"),
    "de": ("von",),
    "fr, es, pt": ("de",),
    "it": ("da",),
    "nl": ("van",),
    "ru": ("от",),
    "sv, pl": ("från", "od"),
    "tr": ("kimden",),
}
OTHER_LABELS: Final[dict[str, tuple[str, ...]]] = {
    "en": ("to", "cc", "bcc", "sent", "date", "subject", "reply-to", "importance"),
    "ko": (
        "받는 사람",
        "받는사람",
        "받는이",
        "수신",
        "수신자",
        "참조",
        "보낸 날짜",
        "보낸날짜",
        "보낸 시간",
        "날짜",
        "일시",
        "제목",
    ),
    "ja": ("宛先", "件名", "日時", "送信日時"),
    "zh": ("收件人", "收件者", "抄送", "主题", "主旨", "日期", "发送时间", "發送時間"),
    "de": ("an", "gesendet", "datum", "betreff"),
    "fr": ("à", "envoyé", "objet", "date"),
    "es": ("para", "enviado", "fecha", "asunto"),
    "it": ("a", "inviato", "data", "oggetto"),
    "pt": ("para", "enviada", "data", "assunto"),
    "nl": ("aan", "verzonden", "onderwerp"),
    "ru": ("кому", "отправлено", "дата", "тема"),
    "sv, pl": ("till", "skickat", "ämne", "do", "wysłano", "temat"),
    "tr": ("kime", "gönderildi", "konu"),
}
